/*-------------------------------------------------------------------------
 *
 * fuzz_key_condition.c
 *		expression/key_condition.c: a KeyConditionExpression against a key schema.
 *
 * test/fuzz/fuzz_key_condition.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression_fixture.h"

typedef struct Binding
{
	const char *text;
	size_t		size;
	bool		of_index;
	DynIndexSchema schema;
	DynKeyCondition condition;
} Binding;

static void
bind_to_schema(void *argument)
{
	Binding    *binding = argument;
	DynKeyConditionTree *tree;

	tree = dyn_key_condition_create(binding->text, binding->size,
									fixture_placeholders(), binding->of_index);
	dyn_key_condition_bind(tree, &binding->schema, &binding->condition);
}

/* The range that a condition on a secondary index is made into. */
static void
check_range(const DynKeyCondition *condition, const DynIndexSchema *schema)
{
	StringInfoData low;
	StringInfoData high;

	initStringInfo(&low);
	dyn_index_key_append_partition(&low, condition->partition, schema->npartition);
	for (int i = 0; i < condition->nsort; i++)
		dyn_index_key_append_sort(&low, &condition->sort[i],
								  i < condition->nsort - 1);
	initStringInfo(&high);
	appendBinaryStringInfo(&high, low.data, low.len);
	if (dyn_index_key_successor(&high))
		FUZZ_REQUIRE(memcmp(high.data, low.data, high.len) > 0);
}

static void
check_bound(Binding *binding)
{
	const DynKeyCondition *condition = &binding->condition;
	const DynIndexSchema *schema = &binding->schema;

	if (!fuzz_try(bind_to_schema, binding))
	{
		require_exception();
		return;
	}
	for (int i = 0; i < schema->npartition; i++)
		FUZZ_REQUIRE(condition->partition[i].type == schema->partition[i].type);
	FUZZ_REQUIRE(condition->nsort <= schema->nsort);
	FUZZ_REQUIRE((condition->sort_operator == DYN_SORT_NONE) == (condition->nsort == 0));
	for (int i = 0; i < condition->nsort; i++)
		FUZZ_REQUIRE(condition->sort[i].type == schema->sort[i].type);
	if (condition->sort_operator == DYN_SORT_BETWEEN)
		FUZZ_REQUIRE(condition->sort_upper.type == schema->sort[condition->nsort - 1].type &&
					 dyn_value_compare(&condition->sort[condition->nsort - 1],
									   &condition->sort_upper) <= 0);
	check_range(condition, schema);
}

void
fuzz_one(const uint8 *data, size_t size)
{
	static const DynType types[] = {DYN_TYPE_S, DYN_TYPE_N, DYN_TYPE_B};
	static const char *const names[] = {"a", "m", "b", "z"};
	Binding		binding = {(const char *) data, size};
	DynIndexSchema *schema = &binding.schema;

	/* A table's keys, in all types. */
	for (int i = 0; i < lengthof(types); i++)
	{
		for (int j = 0; j <= lengthof(types); j++)
		{
			schema->npartition = 1;
			schema->partition[0] = (DynKeyAttribute) {"a", 1, types[i]};
			schema->nsort = j < lengthof(types);
			if (schema->nsort > 0)
				schema->sort[0] = (DynKeyAttribute) {"m", 1, types[j]};
			check_bound(&binding);
		}
	}

	/* An index's, of several attributes. */
	binding.of_index = true;
	schema->npartition = schema->nsort = 2;
	for (int i = 0; i < 2; i++)
	{
		schema->partition[i] = (DynKeyAttribute) {names[i], 1, types[i]};
		schema->sort[i] = (DynKeyAttribute) {names[2 + i], 1, types[2 - i]};
	}
	check_bound(&binding);
}
