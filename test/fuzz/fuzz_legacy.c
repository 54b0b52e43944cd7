/*-------------------------------------------------------------------------
 *
 * fuzz_legacy.c
 *		expression/legacy.c: the parameters from before expressions.
 *
 * The bytes are a request of UpdateItem, Query and GetItem in one, of which
 * the legacy parameters are looked at.
 *
 * test/fuzz/fuzz_legacy.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression/legacy.h"
#include "expression_fixture.h"
#include "operation/shape.h"

static void
check_shape(void *request)
{
	dyn_shape_check(&dyn_shape_UpdateItem, request);
	dyn_shape_check(&dyn_shape_Query, request);
}

/* The operations refuse operators and actions they don't know before. */
static bool
is_known(const DynJson *entry, const char *member, const char *const *words)
{
	const DynJson *json = dyn_json_kind(entry) == DYN_JSON_OBJECT ?
		dyn_json_present(entry, member) : NULL;
	uint32		len;

	if (json == NULL)
		return true;
	/* A member of another parameter may be of any type. */
	if (dyn_json_kind(json) != DYN_JSON_STRING)
		return false;
	for (; *words != NULL; words++)
		if (strcmp(dyn_json_string(json, &len), *words) == 0 && len == strlen(*words))
			return true;
	return false;
}

static const DynJson *
parameter(const DynJson *request, const char *name, bool has_operator)
{
	static const char *const operators[] = {
		"EQ", "NE", "LE", "LT", "GE", "GT", "NOT_NULL", "NULL", "CONTAINS",
		"NOT_CONTAINS", "BEGINS_WITH", "IN", "BETWEEN", NULL
	};
	static const char *const actions[] = {"PUT", "ADD", "DELETE", NULL};
	const DynJson *map = dyn_json_present(request, name);

	if (map == NULL)
		return NULL;
	for (const DynJson *entry = dyn_json_first(map); entry; entry = dyn_json_next(entry))
	{
		if (dyn_json_kind(entry) == DYN_JSON_NULL)
			return NULL;
		if (!is_known(entry, "ComparisonOperator", operators) ||
			!is_known(entry, "Action", actions))
			return NULL;
		if (has_operator && dyn_json_present(entry, "ComparisonOperator") == NULL)
			return NULL;
	}
	return map;
}

static void
evaluate(const DynCondition *condition)
{
	if (condition == NULL)
		return;
	dyn_condition_evaluate(condition, fixture_item());
	dyn_condition_evaluate(condition, NULL);
}

static void
expected(void *map)
{
	const DynCondition *all = dyn_legacy_expected(map, false);
	const DynCondition *any = dyn_legacy_expected(map, true);

	evaluate(all);
	evaluate(any);
	if (all != NULL && dyn_condition_evaluate(all, fixture_item()))
		FUZZ_REQUIRE(dyn_condition_evaluate(any, fixture_item()));
}

static void
filter(void *map)
{
	evaluate(dyn_legacy_filter(map, false));
	evaluate(dyn_legacy_filter(map, true));
}

static void
key_conditions(void *map)
{
	DynIndexSchema schema = {1, 1, {{"p", 1, DYN_TYPE_S}}, {{"a.b", 3, DYN_TYPE_N}}};
	DynKeyCondition condition;

	dyn_key_condition_bind(dyn_legacy_key_conditions(map), &schema, &condition);
	FUZZ_REQUIRE(condition.partition[0].type == DYN_TYPE_S);
}

static void
updates(void *map)
{
	DynItem    *key = dyn_item_from_json(fixture_json("{\"p\": {\"S\": \"key\"}}"));
	const DynUpdate *update = dyn_legacy_attribute_updates(map);

	dyn_item_check(dyn_update_apply(update, NULL, key));
	dyn_item_check(dyn_update_apply(update, fixture_item(), key));
}

static void
attributes(void *names)
{
	const DynProjection *projection = dyn_legacy_attributes_to_get(names);
	StringInfoData out;
	DynJsonWriter w;

	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	dyn_projection_write(&w, projection, fixture_item());
}

static void
try(void (*f) (void *), const DynJson *json)
{
	if (json != NULL && !fuzz_try(f, unconstify(DynJson *, json)))
		require_exception();
}

void
fuzz_one(const uint8 *data, size_t size)
{
	const DynJson *request = dyn_json_parse((const char *) data, size);
	const DynJson *names;

	if (request == NULL)
		return;
	if (!fuzz_try(check_shape, unconstify(DynJson *, request)))
	{
		require_exception();
		return;
	}
	try(expected, parameter(request, "Expected", false));
	try(filter, parameter(request, "QueryFilter", true));
	try(key_conditions, parameter(request, "KeyConditions", true));
	try(updates, parameter(request, "AttributeUpdates", false));

	names = dyn_json_present(request, "AttributesToGet");
	if (names == NULL)
		return;
	for (const DynJson *name = dyn_json_first(names); name; name = dyn_json_next(name))
		if (dyn_json_kind(name) == DYN_JSON_NULL)
			return;
	try(attributes, names);
}
