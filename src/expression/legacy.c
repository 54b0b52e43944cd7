/*-------------------------------------------------------------------------
 *
 * legacy.c
 *		The parameters from before expressions, made into the same trees.
 *
 * src/expression/legacy.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "base/wording.h"
#include "expression/legacy.h"
#include "expression/tree.h"
#include "item/item_json.h"

#define raise_invalid(...) \
	dyn_raise(VALIDATION, "One or more parameter values were invalid: " __VA_ARGS__)

/* A ComparisonOperator: its arguments and what they may be. */
typedef struct Comparison
{
	const char *name;
	DynConditionKind kind;
	DynFunction function;		/* of a DYN_CONDITION_FUNCTION */
	int			min_arguments;
	int			max_arguments;
	const char *types;			/* first letters of the types; NULL: any */
} Comparison;

#define NO_FUNCTION DYN_FUNCTION_UNKNOWN

static const Comparison comparisons[] = {
	{"EQ", DYN_CONDITION_EQ, NO_FUNCTION, 1, 1, NULL},
	{"NE", DYN_CONDITION_NE, NO_FUNCTION, 1, 1, NULL},
	{"LE", DYN_CONDITION_LE, NO_FUNCTION, 1, 1, "SNB"},
	{"LT", DYN_CONDITION_LT, NO_FUNCTION, 1, 1, "SNB"},
	{"GE", DYN_CONDITION_GE, NO_FUNCTION, 1, 1, "SNB"},
	{"GT", DYN_CONDITION_GT, NO_FUNCTION, 1, 1, "SNB"},
	{"NOT_NULL", DYN_CONDITION_FUNCTION, DYN_FUNCTION_ATTRIBUTE_EXISTS, 0, 0, NULL},
	{"NULL", DYN_CONDITION_FUNCTION, DYN_FUNCTION_ATTRIBUTE_NOT_EXISTS, 0, 0, NULL},
	{"CONTAINS", DYN_CONDITION_FUNCTION, DYN_FUNCTION_CONTAINS, 1, 1, "SNB"},
	{"NOT_CONTAINS", DYN_CONDITION_NOT_CONTAINS, NO_FUNCTION, 1, 1, "SNB"},
	{"BEGINS_WITH", DYN_CONDITION_FUNCTION, DYN_FUNCTION_BEGINS_WITH, 1, 1, "SB"},
	{"IN", DYN_CONDITION_IN, NO_FUNCTION, 1, DYN_MAX_IN_OPERANDS, "SNB"},
	{"BETWEEN", DYN_CONDITION_BETWEEN, NO_FUNCTION, 2, 2, "SNB"},
};

/* The name of an entry's attribute. */
static const char *
attribute_name(const DynJson *entry, uint32 *len)
{
	const char *name = dyn_json_name(entry, len);

	if (*len == 0)
		dyn_raise(VALIDATION, "Empty attribute name");
	if (*len > DYN_MAX_ATTRIBUTE_NAME_SIZE)
		raise_invalid("Attribute name is too large, must be less than %d bytes",
					  DYN_MAX_ATTRIBUTE_NAME_SIZE + 1);
	return name;
}

static const Comparison *
find_comparison(const char *name)
{
	for (int i = 0; i < lengthof(comparisons); i++)
		if (strcmp(comparisons[i].name, name) == 0)
			return &comparisons[i];
	elog(ERROR, "unrecognized comparison operator: %s", name);
}

static bool
type_is_among(DynType type, const char *letters)
{
	const char *name = dyn_type_name(type);

	return letters == NULL || (name[1] == '\0' && strchr(letters, name[0]) != NULL);
}

static void
check_arguments(const Comparison *comparison, const DynValue *values, int count)
{
	if (count < comparison->min_arguments || count > comparison->max_arguments)
		raise_invalid("Invalid number of argument(s) for the %s ComparisonOperator",
					  comparison->name);
	for (int i = 1; i < count; i++)
		if (values[i].type != values[0].type)
			raise_invalid("AttributeValues inside AttributeValueList must be of same type");
	if (count > 0 && !type_is_among(values[0].type, comparison->types))
		raise_invalid("ComparisonOperator %s is not valid for %s AttributeValue type",
					  comparison->name, dyn_type_name(values[0].type));
	if (comparison->kind == DYN_CONDITION_BETWEEN &&
		dyn_value_compare(&values[0], &values[1]) > 0)
		dyn_raise(VALIDATION,
				  "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound");
}

/* The tree an expression for the same comparison would have. */
static DynCondition *
make_condition(const Comparison *comparison, const char *name, uint32 name_len,
			   const DynValue *values, int count)
{
	DynCondition *condition = palloc0(sizeof(DynCondition));
	DynOperand **operands = palloc((count + 1) * sizeof(DynOperand *));

	operands[0] = dyn_operand_make_path(name, name_len);
	for (int i = 0; i < count; i++)
		operands[i + 1] = dyn_operand_make_value(&values[i]);
	condition->kind = comparison->kind;
	condition->noperands = count + 1;
	condition->operands = operands;
	if (comparison->kind == DYN_CONDITION_FUNCTION)
	{
		DynOperand *call = palloc0(sizeof(DynOperand));

		call->kind = DYN_OPERAND_FUNCTION;
		call->function = comparison->function;
		call->text = dyn_function_name(comparison->function);
		call->text_len = strlen(call->text);
		call->nargs = count + 1;
		call->args = operands;
		condition->noperands = 1;
		condition->operands = palloc(sizeof(DynOperand *));
		condition->operands[0] = call;
	}
	return condition;
}

static DynValue *
read_values(const DynJson *list, int *count)
{
	DynValue   *values;
	const DynJson *json;

	*count = 0;
	if (list == NULL)
		return NULL;
	values = palloc(sizeof(DynValue) * (dyn_json_count(list) + 1));
	for (json = dyn_json_first(list); json; json = dyn_json_next(json))
		values[(*count)++] = dyn_value_from_json(json);
	return values;
}

/* {"ComparisonOperator": ..., "AttributeValueList": [...]} */
static DynCondition *
read_condition(const DynJson *entry)
{
	uint32		name_len;
	const char *name = attribute_name(entry, &name_len);
	uint32		operator_len;
	const Comparison *comparison =
	find_comparison(dyn_json_string(dyn_json_present(entry, "ComparisonOperator"), &operator_len));
	int			count;
	DynValue   *values = read_values(dyn_json_present(entry, "AttributeValueList"), &count);

	check_arguments(comparison, values, count);
	return make_condition(comparison, name, name_len, values, count);
}

/* One attribute of Expected, which has an older form still: Exists and Value. */
static DynCondition *
read_expected(const DynJson *entry)
{
	const DynJson *value = dyn_json_present(entry, "Value");
	const DynJson *exists = dyn_json_present(entry, "Exists");
	const DynJson *operator = dyn_json_present(entry, "ComparisonOperator");
	const DynJson *list = dyn_json_present(entry, "AttributeValueList");
	uint32		name_len;
	const char *name = attribute_name(entry, &name_len);
	uint32		len;
	const Comparison *comparison;
	DynValue   *values;
	int			count;

	if (value != NULL && list != NULL)
		raise_invalid("Value and AttributeValueList cannot be used together for Attribute: %s",
					  name);
	if (exists != NULL && operator != NULL)
		raise_invalid("Exists and ComparisonOperator cannot be used together for Attribute: %s",
					  name);
	if (operator == NULL && list != NULL)
		raise_invalid("AttributeValueList can only be used with a ComparisonOperator for Attribute: %s",
					  name);
	if (operator == NULL)
	{
		bool		must_exist = exists == NULL || dyn_json_is_true(exists);

		if (must_exist && value == NULL)
			raise_invalid("Value must be provided when Exists is %s for Attribute: %s",
						  exists == NULL ? "null" : "true", name);
		if (!must_exist && value != NULL)
			raise_invalid("Value cannot be used when Exists is false for Attribute: %s",
						  name);
		comparison = find_comparison(must_exist ? "EQ" : "NULL");
	}
	else
	{
		comparison = find_comparison(dyn_json_string(operator, &len));
		if (value == NULL && list == NULL && comparison->min_arguments > 0)
			raise_invalid("Value or AttributeValueList must be used with ComparisonOperator: %s for Attribute: %s",
						  comparison->name, name);
	}

	if (value != NULL)
	{
		values = palloc(sizeof(DynValue));
		values[0] = dyn_value_from_json(value);
		count = 1;
	}
	else
		values = read_values(list, &count);
	check_arguments(comparison, values, count);
	return make_condition(comparison, name, name_len, values, count);
}

static DynCondition *
read_conditions(const DynJson *map, bool or_operator,
				DynCondition *(*read) (const DynJson *entry))
{
	DynCondition *all;
	const DynJson *entry;
	uint32		count = dyn_json_count(map);

	if (count == 0)
		return NULL;
	all = palloc0(sizeof(DynCondition));
	all->kind = or_operator ? DYN_CONDITION_OR : DYN_CONDITION_AND;
	all->conditions = palloc(count * sizeof(DynCondition *));
	for (entry = dyn_json_first(map); entry; entry = dyn_json_next(entry))
		all->conditions[all->nconditions++] = read(entry);
	return all;
}

DynCondition *
dyn_legacy_expected(const DynJson *expected, bool or_operator)
{
	return read_conditions(expected, or_operator, read_expected);
}

/*
 * A filter is evaluated for every item of a page, so what may be in it is what
 * an expression could hold.
 */
DynCondition *
dyn_legacy_filter(const DynJson *filter, bool or_operator)
{
	uint32		count = dyn_json_count(filter);

	if (count > DYN_MAX_EXPRESSION_OPERATORS)
		raise_invalid("The filter contains too many conditions; condition count: %u",
					  count);
	return read_conditions(filter, or_operator, read_condition);
}

DynKeyConditionTree *
dyn_legacy_key_conditions(const DynJson *conditions)
{
	DynKeyConditionTree *tree = palloc0(sizeof(DynKeyConditionTree));
	DynCondition *all = read_conditions(conditions, false, read_condition);

	if (all == NULL || (all->nconditions > 2 && !dyn_wording_is_newer()))
		dyn_raise(VALIDATION, "Conditions can be of length 1 or 2 only");
	tree->nconditions = all->nconditions;
	tree->conditions = all->conditions;
	return tree;
}

/* One attribute of AttributeUpdates. */
static void
read_update(const DynJson *entry, DynUpdateClause *clause)
{
	const DynJson *action = dyn_json_present(entry, "Action");
	const DynJson *json = dyn_json_present(entry, "Value");
	uint32		len;
	const char *name = attribute_name(entry, &len);
	DynValue	value;

	clause->target = dyn_operand_make_path(name, len);
	clause->operand = NULL;
	clause->action = DYN_UPDATE_SET;
	if (action != NULL)
	{
		const char *word = dyn_json_string(action, &len);

		clause->action = strcmp(word, "ADD") == 0 ? DYN_UPDATE_ADD :
			strcmp(word, "DELETE") == 0 ? DYN_UPDATE_DELETE : DYN_UPDATE_SET;
	}
	if (json == NULL)
	{
		if (clause->action != DYN_UPDATE_DELETE)
			raise_invalid("Only DELETE action is allowed when no attribute value is specified");
		clause->action = DYN_UPDATE_REMOVE;
		return;
	}

	value = dyn_value_from_json(json);
	if (clause->action == DYN_UPDATE_DELETE && !dyn_type_is_set(value.type))
		raise_invalid("DELETE action with value is not supported for the type %s",
					  dyn_type_name(value.type));
	if (clause->action == DYN_UPDATE_ADD && value.type != DYN_TYPE_N &&
		value.type != DYN_TYPE_L && !dyn_type_is_set(value.type))
		raise_invalid("ADD action is not supported for the type %s",
					  dyn_type_name(value.type));
	clause->operand = dyn_operand_make_value(&value);
}

DynUpdate *
dyn_legacy_attribute_updates(const DynJson *updates)
{
	DynUpdate  *update = palloc0(sizeof(DynUpdate));
	const DynJson *entry;

	update->legacy = true;
	update->clauses = palloc(sizeof(DynUpdateClause) * (dyn_json_count(updates) + 1));
	for (entry = dyn_json_first(updates); entry; entry = dyn_json_next(entry))
		read_update(entry, &update->clauses[update->nclauses++]);
	dyn_update_index_targets(update);
	return update;
}

static int
compare_names(const void *a, const void *b)
{
	const DynPathStep *x = (*(DynOperand *const *) a)->path.steps;
	const DynPathStep *y = (*(DynOperand *const *) b)->path.steps;
	int			order = memcmp(x->name, y->name, Min(x->name_len, y->name_len));

	if (order != 0)
		return order;
	return x->name_len < y->name_len ? -1 : x->name_len > y->name_len;
}

/* There may be any number of names, so they are sorted to find a second one. */
static void
check_distinct(DynOperand **names, int count)
{
	DynOperand **sorted = palloc_extended(count * sizeof(DynOperand *),
										  MCXT_ALLOC_HUGE);

	memcpy(sorted, names, count * sizeof(DynOperand *));
	qsort(sorted, count, sizeof(DynOperand *), compare_names);
	for (int i = 1; i < count; i++)
	{
		if (compare_names(&sorted[i - 1], &sorted[i]) == 0)
			raise_invalid("Duplicate value in attribute name: %s",
						  sorted[i]->path.steps[0].name);
	}
	pfree(sorted);
}

DynProjection *
dyn_legacy_attributes_to_get(const DynJson *names)
{
	DynProjection *projection = palloc0(sizeof(DynProjection));

	projection->paths = palloc_extended(sizeof(DynOperand *) * (dyn_json_count(names) + 1),
										MCXT_ALLOC_HUGE);
	for (const DynJson *json = dyn_json_first(names); json != NULL;
		 json = dyn_json_next(json))
	{
		uint32		len;
		const char *name = dyn_json_string(json, &len);

		projection->paths[projection->npaths++] = dyn_operand_make_path(name, len);
	}
	check_distinct(projection->paths, projection->npaths);
	projection->tree = dyn_path_tree_create(DYN_EXPRESSION_PROJECTION,
											projection->paths, projection->npaths);
	return projection;
}
