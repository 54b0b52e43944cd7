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

#include "expression_fixture.h"
#include "item/index_key.h"
#include "item/item_json.h"

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
make_index_key(void *argument)
{
	DynIndexSchema schema = {1, 2, {{"a", 1, DYN_TYPE_S}},
	{{"n", 1, DYN_TYPE_N}, {"b", 1, DYN_TYPE_B}}};
	DynKey		key = {.partition = {.type = DYN_TYPE_S, .data = "k", .size = 1}};
	StringInfoData out;

	initStringInfo(&out);
	dyn_index_key_check(&schema, argument, NULL);
	dyn_index_key_append(&out, &schema, argument, &key);
}

static void
evaluate(void *argument)
{
	static const char *const conditions[] = {
		"a = b OR l < :l OR contains(ss, a) OR size(m) > :n OR begins_with(a, :s)",
		"l[0] <> :m OR m.k IN (:l, a, :ss) OR attribute_type(l[1], :T) OR a BETWEEN b AND n"
	};

	for (int i = 0; i < lengthof(conditions); i++)
		dyn_condition_evaluate(dyn_condition_create(DYN_EXPRESSION_CONDITION,
													conditions[i], strlen(conditions[i]),
													fixture_placeholders()),
							   argument);
}

static void
update(void *argument)
{
	static const char *const updates[] = {
		"SET a = if_not_exists(b, :s), l[1] = :m REMOVE m.k, n", "SET l = list_append(l, :l), m.a = b ADD n :n DELETE ss :ss",
		"ADD ss :ss, ns :ns REMOVE l[0], l[3]"
	};
	DynItem    *key = dyn_item_from_json(fixture_json("{\"p\": {\"S\": \"key\"}}"));

	for (int i = 0; i < lengthof(updates); i++)
	{
		DynUpdate  *tree = dyn_update_create(updates[i], strlen(updates[i]),
											 fixture_placeholders());

		dyn_update_touched(tree, dyn_update_apply(tree, argument, key));
	}
}

static void
project(void *argument)
{
	static const char projection[] = "a, l[0], l[2].a, m.k, m.l[1], ss";
	StringInfoData out;
	DynJsonWriter w;

	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	dyn_projection_write(&w, dyn_projection_create(projection, strlen(projection),
												   fixture_placeholders()),
						 argument);
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
	static void (*const readers[]) (void *) = {
		write_json, measure, describe, find, make_key, make_index_key, evaluate, update,
		project, rebuild
	};

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
	evaluate(item);
	project(item);
	make_index_key(item);
	if (!fuzz_try(update, item))
		require_exception();
	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	dyn_json_write_item(&w, item);
	again = dyn_item_from_json(dyn_json_parse(out.data, out.len));
	FUZZ_REQUIRE(VARSIZE(again) == VARSIZE(item) && memcmp(again, item, VARSIZE(item)) == 0);
	FUZZ_REQUIRE(dyn_item_size(again) == dyn_item_size(item));
}
