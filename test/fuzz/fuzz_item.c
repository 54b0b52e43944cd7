/*-------------------------------------------------------------------------
 *
 * fuzz_item.c
 *		item/item_format.c: stored bytes, good and damaged.
 *
 * Bytes that pass the check are an item: its JSON gives the same bytes again.
 * On all others every reader may raise, but not misbehave.
 *
 * test/fuzz/fuzz_item.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "item/item_json.h"
#include "item/key.h"
#include "pg_shim.h"

static void
check(void *item)
{
	dyn_item_check(item);
}

static void
write_json(void *argument)
{
	StringInfoData out;
	DynJsonWriter w;

	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	dyn_json_write_item(&w, argument);
}

static void
measure(void *argument)
{
	DynValue	value = dyn_item_value(argument);

	dyn_item_size(argument);
	dyn_value_depth(&value);
}

static void
describe(void *argument)
{
	DynValue	value = dyn_item_value(argument);
	StringInfoData out;

	initStringInfo(&out);
	dyn_value_describe(&out, &value);
}

static void
find(void *argument)
{
	DynValue	value;

	for (char c = 'a'; c <= 'z'; c++)
		dyn_item_find(argument, &c, 1, &value);
}

static void
make_key(void *argument)
{
	DynKeySchema schema = {{"p", 1, DYN_TYPE_S}, {"s", 1, DYN_TYPE_N}};
	DynKey		key;

	dyn_key_from_item(&schema, argument, &key);
	dyn_key_item(&schema, &key);
}

static void
rebuild(void *argument)
{
	DynItemBuilder *b = dyn_builder_create();
	DynValue	value = dyn_item_value(argument);

	dyn_builder_value(b, &value);
	dyn_builder_item(b);
}

void
fuzz_one(const uint8 *data, size_t size)
{
	DynItem    *item = palloc(VARHDRSZ + size + 1);
	StringInfoData out;
	DynJsonWriter w;
	DynItem    *again;
	static void (*const readers[]) (void *) = {write_json, measure, describe, find, make_key, rebuild};

	/* Give the fuzzer the first byte: it is always the same. */
	SET_VARSIZE(item, VARHDRSZ + 1 + size);
	*(unsigned char *) VARDATA(item) = 0xD1;
	memcpy(VARDATA(item) + 1, data, size);

	if (!fuzz_try(check, item))
	{
		FUZZ_REQUIRE(fuzz_sqlstate == ERRCODE_DATA_CORRUPTED);
		for (int i = 0; i < lengthof(readers); i++)
			fuzz_try(readers[i], item);
		return;
	}

	describe(item);
	find(item);
	rebuild(item);
	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	dyn_json_write_item(&w, item);
	again = dyn_item_from_json(dyn_json_parse(out.data, out.len));
	FUZZ_REQUIRE(VARSIZE(again) == VARSIZE(item) && memcmp(again, item, VARSIZE(item)) == 0);
	FUZZ_REQUIRE(dyn_item_size(again) == dyn_item_size(item));
}
