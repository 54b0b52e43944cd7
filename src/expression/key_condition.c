/*-------------------------------------------------------------------------
 *
 * key_condition.c
 *		KeyConditionExpression: a condition that an index can answer.
 *
 * It is parsed with the whole grammar of conditions and then restricted, in
 * two steps: what can be said without the table, and what needs its keys.
 *
 * src/expression/key_condition.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "base/wording.h"
#include "expression/tree.h"

static const DynExpressionKind kind = DYN_EXPRESSION_KEY_CONDITION;

static void
refuse_operator(const char *operator)
{
	dyn_raise(VALIDATION, "Invalid operator used in KeyConditionExpression: %s",
			  operator);
}

/* Refuse the operators that no key condition has. */
static void
check_operator(const DynCondition *condition)
{
	switch (condition->kind)
	{
		case DYN_CONDITION_OR:
			refuse_operator("OR");
			break;
		case DYN_CONDITION_NOT:
			refuse_operator("NOT");
			break;
		case DYN_CONDITION_IN:
			refuse_operator("IN");
			break;
		case DYN_CONDITION_NE:
			refuse_operator("<>");
			break;
		case DYN_CONDITION_FUNCTION:
			if (condition->operands[0]->function != DYN_FUNCTION_BEGINS_WITH)
				refuse_operator(dyn_function_name(condition->operands[0]->function));
			break;
		default:
			break;
	}
}

/* The operands of a comparison, or the arguments of its call. */
static int
operands_of(const DynCondition *condition, DynOperand ***operands)
{
	if (condition->kind == DYN_CONDITION_FUNCTION)
	{
		*operands = condition->operands[0]->args;
		return condition->operands[0]->nargs;
	}
	*operands = condition->operands;
	return condition->noperands;
}

static DynConditionKind
reversed(DynConditionKind comparison)
{
	switch (comparison)
	{
		case DYN_CONDITION_LT:
			return DYN_CONDITION_GT;
		case DYN_CONDITION_LE:
			return DYN_CONDITION_GE;
		case DYN_CONDITION_GT:
			return DYN_CONDITION_LT;
		case DYN_CONDITION_GE:
			return DYN_CONDITION_LE;
		default:
			return comparison;
	}
}

/*
 * One condition must compare one attribute with constants.  ":lo <= sk" is
 * turned around, so that the attribute is the first operand.
 */
static void
check_condition(DynCondition *condition)
{
	DynOperand **operands;
	int			noperands = operands_of(condition, &operands);
	int			npaths = 0;
	bool		positional = condition->kind == DYN_CONDITION_BETWEEN ||
		condition->kind == DYN_CONDITION_FUNCTION;

	if (positional && operands[0]->kind != DYN_OPERAND_PATH)
		dyn_raise(VALIDATION,
				  "Invalid condition in KeyConditionExpression: %s operator must have the key attribute as its first operand",
				  condition->kind == DYN_CONDITION_BETWEEN ? "BETWEEN" : "begins_with");
	for (int i = 0; i < noperands; i++)
	{
		if (operands[i]->kind == DYN_OPERAND_FUNCTION)
			dyn_raise(VALIDATION,
					  "KeyConditionExpressions cannot contain nested operations");
		if (operands[i]->kind != DYN_OPERAND_PATH)
			continue;
		if (++npaths > 1)
			dyn_raise(VALIDATION,
					  "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition");
		if (operands[i]->path.nsteps > 1)
			dyn_expression_raise(kind,
								 "KeyConditionExpressions cannot have conditions on nested attributes");
	}
	if (npaths == 0)
		dyn_raise(VALIDATION,
				  "Invalid condition in KeyConditionExpression: No key attribute specified");
	if (operands[0]->kind != DYN_OPERAND_PATH)
	{
		DynOperand *value = operands[0];

		operands[0] = operands[1];
		operands[1] = value;
		condition->kind = reversed(condition->kind);
	}
}

static const DynPathStep *
attribute_of(const DynCondition *condition)
{
	DynOperand **operands;

	operands_of(condition, &operands);
	return &operands[0]->path.steps[0];
}

static bool
same_name(const DynPathStep *a, const char *name, uint32 name_len)
{
	return a->name_len == name_len && memcmp(a->name, name, name_len) == 0;
}

/*
 * Take the conditions that AND joins, each checked before the next is looked
 * at: the service reports the first that is wrong, whatever is wrong with it.
 */
static void
collect(DynKeyConditionTree *tree, DynCondition *condition)
{
	const DynPathStep *attribute;

	if (condition->kind == DYN_CONDITION_AND)
	{
		for (int i = 0; i < condition->nconditions; i++)
			collect(tree, condition->conditions[i]);
		return;
	}
	check_operator(condition);
	check_condition(condition);
	attribute = attribute_of(condition);
	for (int i = 0; i < tree->nconditions; i++)
	{
		if (same_name(attribute_of(tree->conditions[i]), attribute->name,
					  attribute->name_len))
			dyn_raise(VALIDATION,
					  "KeyConditionExpressions must only contain one condition per key");
	}
	if (tree->nconditions == 0)
		tree->conditions = palloc(sizeof(DynCondition *));
	else
		tree->conditions = repalloc(tree->conditions,
									(tree->nconditions + 1) * sizeof(DynCondition *));
	tree->conditions[tree->nconditions++] = condition;
}

DynKeyConditionTree *
dyn_key_condition_create(const char *text, uint32 len,
						 DynPlaceholders *placeholders, bool of_index)
{
	DynKeyConditionTree *tree = palloc0(sizeof(DynKeyConditionTree));
	DynCondition *condition = dyn_condition_parse(kind, text, len);

	dyn_condition_resolve(kind, condition, placeholders);
	collect(tree, condition);
	if (tree->nconditions > 2 && !of_index && !dyn_wording_is_newer())
		dyn_raise(VALIDATION, "Conditions can be of length 1 or 2 only");
	return tree;
}

/* The condition on an attribute, or NULL. */
static DynCondition *
find_condition(const DynKeyConditionTree *tree, const DynKeyAttribute *attribute)
{
	for (int i = 0; i < tree->nconditions; i++)
		if (same_name(attribute_of(tree->conditions[i]), attribute->name,
					  attribute->name_len))
			return tree->conditions[i];
	return NULL;
}

static void
refuse_missing(const DynKeyAttribute *attribute)
{
	dyn_raise(VALIDATION, "Query condition missed key schema element: %s",
			  attribute->name);
}

static DynSortOperator
sort_operator(const DynCondition *condition)
{
	switch (condition->kind)
	{
		case DYN_CONDITION_EQ:
			return DYN_SORT_EQ;
		case DYN_CONDITION_LT:
			return DYN_SORT_LT;
		case DYN_CONDITION_LE:
			return DYN_SORT_LE;
		case DYN_CONDITION_GT:
			return DYN_SORT_GT;
		case DYN_CONDITION_GE:
			return DYN_SORT_GE;
		case DYN_CONDITION_BETWEEN:
			return DYN_SORT_BETWEEN;
		case DYN_CONDITION_FUNCTION:
			if (condition->operands[0]->function == DYN_FUNCTION_BEGINS_WITH)
				return DYN_SORT_BEGINS_WITH;
			break;
		default:
			break;
	}
	dyn_raise(VALIDATION,
			  "Attempted conditional constraint is not an indexable operation");
}

/*
 * A constant that is compared with a key must be one itself.  *room: bytes left
 * for it, as the parts of a key have one limit together.
 */
static void
check_constant(const DynValue *value, const DynKeyAttribute *attribute,
			   uint32 *room, const char *too_long)
{
	if (value->type != attribute->type)
		dyn_raise(VALIDATION,
				  "One or more parameter values were invalid: Condition parameter type does not match schema type");
	if (value->type == DYN_TYPE_N)
		return;
	if (value->size == 0)
		dyn_raise(VALIDATION,
				  "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s",
				  value->type == DYN_TYPE_S ? "string" : "binary", attribute->name);
	if (value->size > *room)
		dyn_raise(VALIDATION, "One or more parameter values were invalid: %s",
				  too_long);
	*room -= value->size;
}

static void
bind_partition(const DynKeyConditionTree *tree, const DynIndexSchema *schema,
			   DynKeyCondition *result)
{
	uint32		room = DYN_MAX_PARTITION_KEY_SIZE;

	for (int i = 0; i < schema->npartition; i++)
	{
		const DynKeyAttribute *attribute = &schema->partition[i];
		DynCondition *condition = find_condition(tree, attribute);

		if (condition == NULL)
			refuse_missing(attribute);
		if (condition->kind != DYN_CONDITION_EQ)
			dyn_raise(VALIDATION, "Query key condition not supported");
		result->partition[i] = condition->operands[1]->value;
		check_constant(&result->partition[i], attribute, &room,
					   "Size of hashkey has exceeded the maximum size limit of2048 bytes");
	}
}

/*
 * Find the conditions on sort attributes, of which there are nconditions;
 * returns how many attributes they reach, without a gap.
 */
static int
find_sort_conditions(const DynKeyConditionTree *tree, const DynIndexSchema *schema,
					 int nconditions, DynCondition **conditions)
{
	const DynKeyAttribute *missing = NULL;
	int			found = 0;
	int			reach = 0;
	StringInfoData unequal;

	for (int i = 0; i < schema->nsort; i++)
	{
		conditions[i] = find_condition(tree, &schema->sort[i]);
		if (conditions[i] != NULL)
		{
			found++;
			reach = i + 1;
		}
		else if (missing == NULL)
			missing = &schema->sort[i];
	}
	/* There are no more conditions than attributes, so one lacks its own. */
	if (found < nconditions)
		refuse_missing(missing);

	initStringInfo(&unequal);
	for (int i = 0; i + 1 < reach; i++)
		if (conditions[i] == NULL || conditions[i]->kind != DYN_CONDITION_EQ)
			appendStringInfo(&unequal, "%s%s", unequal.len > 0 ? ", " : "",
							 schema->sort[i].name);
	if (unequal.len > 0)
		dyn_raise(VALIDATION,
				  "RANGE key attributes %s must have equality conditions specified in the query because a condition is present on key attribute %s",
				  unequal.data, schema->sort[reach - 1].name);
	return reach;
}

static void
bind_sort(const DynKeyConditionTree *tree, const DynIndexSchema *schema,
		  DynKeyCondition *result)
{
	DynCondition *conditions[DYN_MAX_INDEX_KEY_PARTS];
	uint32		room = DYN_MAX_SORT_KEY_SIZE;
	int			nconditions = tree->nconditions - schema->npartition;

	if (nconditions == 0)
		return;
	if (schema->nsort == 0)
		dyn_raise(VALIDATION, "Query key condition not supported");
	result->nsort = find_sort_conditions(tree, schema, nconditions, conditions);
	for (int i = 0; i < result->nsort; i++)
	{
		DynOperand **operands;
		int			noperands = operands_of(conditions[i], &operands);
		uint32		room_before = room;

		result->sort_operator = sort_operator(conditions[i]);
		for (int k = 1; k < noperands; k++)
		{
			room = room_before;
			check_constant(&operands[k]->value, &schema->sort[i], &room,
						   "Aggregated size of all range keys has exceeded the size limit of 1024 bytes");
		}
		result->sort[i] = operands[1]->value;
		if (noperands > 2)
			result->sort_upper = operands[2]->value;
	}
}

void
dyn_key_condition_bind(const DynKeyConditionTree *tree,
					   const DynIndexSchema *schema, DynKeyCondition *result)
{
	int			nkeys = schema->npartition + schema->nsort;

	memset(result, 0, sizeof(*result));

	/* One condition too many on a hash-only key has words of its own. */
	if (tree->nconditions > Max(2, nkeys))
		dyn_raise(VALIDATION,
				  "The number of query conditions (%d) exceeds the number of key attributes defined in the schema (%d)",
				  tree->nconditions, nkeys);
	/* KeyConditions may hold any operator, on whatever attribute. */
	for (int i = 0; i < tree->nconditions; i++)
		(void) sort_operator(tree->conditions[i]);
	bind_partition(tree, schema, result);
	bind_sort(tree, schema, result);
}
