/*-------------------------------------------------------------------------
 *
 * fuzz_item_json.c
 *		item/item_json.c: the Item member of a request.
 *
 * test/fuzz/fuzz_item_json.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/error.h"
#include "item/item_json.h"
#include "pg_shim.h"

typedef struct Conversion
{
	const DynJson *json;
	DynItem    *item;
} Conversion;

static void
convert(void *argument)
{
	Conversion *conversion = argument;

	conversion->item = dyn_item_from_json(conversion->json);
}

void
fuzz_one(const uint8 *data, size_t size)
{
	Conversion	conversion;
	DynItem    *again;
	StringInfoData out;
	DynJsonWriter w;

	conversion.json = dyn_json_parse((const char *) data, size);
	if (conversion.json == NULL)
		return;
	if (!fuzz_try(convert, &conversion))
	{
		/* The client hears a DynamoDB exception, never anything else. */
		FUZZ_REQUIRE(dyn_exception_of_sqlstate(fuzz_sqlstate) >= 0);
		return;
	}
	dyn_item_check(conversion.item);
	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	dyn_json_write_item(&w, conversion.item);
	again = dyn_item_from_json(dyn_json_parse(out.data, out.len));
	FUZZ_REQUIRE(VARSIZE(again) == VARSIZE(conversion.item) &&
				 memcmp(again, conversion.item, VARSIZE(again)) == 0);
}
