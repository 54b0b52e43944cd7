/*-------------------------------------------------------------------------
 *
 * fuzz_number.c
 *		item/number.c: text, encoded bytes, arithmetic.
 *
 * test/fuzz/fuzz_number.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "item/number.h"
#include "pg_shim.h"

/* A number's text must give its bytes again. */
static void
require_round_trip(const char *data, uint32 size)
{
	StringInfoData text;
	DynNumber	again;

	FUZZ_REQUIRE(dyn_number_check(data, size));
	FUZZ_REQUIRE(dyn_number_size(data, size) <= 22);
	initStringInfo(&text);
	dyn_number_write(&text, data, size);
	FUZZ_REQUIRE(dyn_number_parse(text.data, text.len, &again) == DYN_NUMBER_OK);
	FUZZ_REQUIRE(again.size == size && memcmp(again.data, data, size) == 0);
}

static bool
equal(const DynNumber *a, const DynNumber *b)
{
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

void
fuzz_one(const uint8 *data, size_t size)
{
	const char *bytes = (const char *) data;
	size_t		half = size / 2;
	DynNumber	a;
	DynNumber	b;
	DynNumber	sum;
	DynNumber	mirrored;
	DynValue	va;
	DynValue	vb;
	DynNumberStatus status;

	if (dyn_number_check(bytes, size))
		require_round_trip(bytes, size);
	if (dyn_number_parse(bytes, size, &a) == DYN_NUMBER_OK)
		require_round_trip(a.data, a.size);

	if (dyn_number_parse(bytes, half, &a) != DYN_NUMBER_OK ||
		dyn_number_parse(bytes + half, size - half, &b) != DYN_NUMBER_OK)
	{
		/* Bytes that are no encoding raise, and that is all. */
		dyn_number_size(bytes, size);
		return;
	}
	va = dyn_number_value(&a);
	vb = dyn_number_value(&b);
	status = dyn_number_add(&va, &vb, &sum);
	if (status == DYN_NUMBER_OK)
	{
		require_round_trip(sum.data, sum.size);
		FUZZ_REQUIRE(dyn_number_add(&vb, &va, &mirrored) == DYN_NUMBER_OK);
		FUZZ_REQUIRE(equal(&sum, &mirrored));
	}
	FUZZ_REQUIRE(status != DYN_NUMBER_SYNTAX && status != DYN_NUMBER_PRECISION);
	if (dyn_number_subtract(&va, &vb, &sum) == DYN_NUMBER_OK)
	{
		int			order = dyn_value_compare(&va, &vb);
		unsigned char lead = sum.data[0];

		/* The difference's sign agrees with the order of the bytes. */
		require_round_trip(sum.data, sum.size);
		FUZZ_REQUIRE((order < 0) == (lead < 0x80));
		FUZZ_REQUIRE((order == 0) == (lead == 0x80 && sum.size == 1));
	}
}
