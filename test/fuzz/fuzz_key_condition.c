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
	DynKeySchema schema;
	DynKeyCondition condition;
} Binding;

static void
bind_to_schema(void *argument)
{
	Binding    *binding = argument;
	DynKeyConditionTree *tree;

	tree = dyn_key_condition_create(binding->text, binding->size,
									fixture_placeholders());
	dyn_key_condition_bind(tree, &binding->schema, &binding->condition);
}

void
fuzz_one(const uint8 *data, size_t size)
{
	static const DynType types[] = {DYN_TYPE_S, DYN_TYPE_N, DYN_TYPE_B};
	Binding		binding = {(const char *) data, size};
	const DynKeyCondition *condition = &binding.condition;
	DynKeySchema *schema = &binding.schema;

	schema->partition.name = "a";
	schema->partition.name_len = 1;
	for (int i = 0; i < lengthof(types); i++)
	{
		for (int j = 0; j <= lengthof(types); j++)
		{
			schema->partition.type = types[i];
			schema->sort.name = j < lengthof(types) ? "m" : NULL;
			schema->sort.name_len = j < lengthof(types) ? 1 : 0;
			schema->sort.type = j < lengthof(types) ? types[j] : 0;
			if (!fuzz_try(bind_to_schema, &binding))
			{
				require_exception();
				continue;
			}
			FUZZ_REQUIRE(condition->partition.type == types[i]);
			if (condition->sort_operator == DYN_SORT_NONE)
				continue;
			FUZZ_REQUIRE(condition->sort.type == schema->sort.type);
			if (condition->sort_operator == DYN_SORT_BETWEEN)
				FUZZ_REQUIRE(condition->sort_upper.type == schema->sort.type &&
							 dyn_value_compare(&condition->sort,
											   &condition->sort_upper) <= 0);
		}
	}
}
