/*-------------------------------------------------------------------------
 *
 * query.c
 *		Query: the items of one partition of a table or an index, in the order of
 *		the sort key.
 *
 * src/operation/query.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression/legacy.h"
#include "item/item_json.h"
#include "operation/page.h"
#include "operation/request.h"

static const char *const expression_members[] = {
	"ProjectionExpression", "FilterExpression", "KeyConditionExpression", NULL
};

/*
 * KeyConditions goes with a filter or projection expression, and conflicts
 * with KeyConditionExpression alone.
 */
static const char *const legacy_members[] = {
	"AttributesToGet", "QueryFilter", "ConditionalOperator", NULL
};
static const char *const legacy_members_with_key_conditions[] = {
	"AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions", NULL
};

/* What a filter may not name, and in whose words it is refused. */
typedef struct FilterCheck
{
	const DynIndexSchema *keys;
	const char *member;			/* "Filter Expression" or "QueryFilter" */
} FilterCheck;

static void
refuse_key_attribute(const DynDocumentPath *path, void *arg)
{
	const FilterCheck *check = arg;

	for (int i = 0; i < check->keys->npartition + check->keys->nsort; i++)
	{
		const DynKeyAttribute *key = i < check->keys->npartition ?
			&check->keys->partition[i] :
			&check->keys->sort[i - check->keys->npartition];

		if (dyn_path_starts_with(path, key))
			dyn_raise(VALIDATION,
					  "%s can only contain non-primary key attributes: Primary key attribute: %s",
					  check->member, key->name);
	}
}

/* True if a value satisfies a condition. */
static bool
value_matches(const DynValue *value, DynSortOperator operator,
			  const DynValue *operand, const DynValue *upper)
{
	switch (operator)
	{
		case DYN_SORT_NONE:
			return true;
		case DYN_SORT_EQ:
			return dyn_value_compare(value, operand) == 0;
		case DYN_SORT_LT:
			return dyn_value_compare(value, operand) < 0;
		case DYN_SORT_LE:
			return dyn_value_compare(value, operand) <= 0;
		case DYN_SORT_GT:
			return dyn_value_compare(value, operand) > 0;
		case DYN_SORT_GE:
			return dyn_value_compare(value, operand) >= 0;
		case DYN_SORT_BETWEEN:
			return dyn_value_compare(value, operand) >= 0 &&
				dyn_value_compare(value, upper) <= 0;
		case DYN_SORT_BEGINS_WITH:
			return value->size >= operand->size &&
				memcmp(value->data, operand->data, operand->size) == 0;
	}
	elog(ERROR, "unrecognized sort operator: %d", (int) operator);
}

/* The start key has been checked: it has all key attributes. */
static void
start_value(const DynItem *start, const DynKeyAttribute *attribute, DynValue *value)
{
	if (!dyn_item_find(start, attribute->name, attribute->name_len, value))
		elog(ERROR, "start key lacks attribute \"%s\"", attribute->name);
}

static bool
partition_matches(const DynIndexSchema *keys, const DynKeyCondition *condition,
				  const DynItem *start)
{
	for (int i = 0; i < keys->npartition; i++)
	{
		DynValue	value;

		start_value(start, &keys->partition[i], &value);
		if (dyn_value_compare(&value, &condition->partition[i]) != 0)
			return false;
	}
	return true;
}

static bool
sort_matches(const DynIndexSchema *keys, const DynKeyCondition *condition,
			 const DynItem *start)
{
	for (int i = 0; i < condition->nsort; i++)
	{
		bool		last = i == condition->nsort - 1;
		DynValue	value;

		start_value(start, &keys->sort[i], &value);
		if (!value_matches(&value, last ? condition->sort_operator : DYN_SORT_EQ,
						   &condition->sort[i], &condition->sort_upper))
			return false;
	}
	return true;
}

/* A start key must lie inside what the conditions select. */
static void
check_start_boundaries(const DynPage *page, const DynKeyCondition *condition,
					   const DynItem *start)
{
	const DynIndexSchema *keys = &page->keys;

	/* An index, unlike a table, has any number of items under one key. */
	if (page->index == NULL && keys->nsort == 0)
	{
		StringInfoData text;
		DynValue	partition;

		start_value(start, &keys->partition[0], &partition);
		initStringInfo(&text);
		dyn_value_describe(&text, &partition);
		dyn_raise(VALIDATION,
				  "The provided exclusive start key is invalid: ExclusiveStartKey: {%s=AttributeValue: %s}",
				  keys->partition[0].name, text.data);
	}
	if (!partition_matches(keys, condition, start))
	{
		if (page->index == NULL && condition->sort_operator == DYN_SORT_EQ &&
			sort_matches(keys, condition, start))
			dyn_raise(VALIDATION,
					  "The query can return at most one row and cannot be restarted");
		dyn_raise(VALIDATION,
				  "The provided starting key is outside query boundaries based on provided conditions");
	}
	if (!sort_matches(keys, condition, start))
		dyn_raise(VALIDATION,
				  "The provided starting key does not match the range key predicate");
}

/*
 * Run Query.  Raises ValidationException or ResourceNotFoundException.
 */
DynOutcome
dyn_query(DynOperationContext *context, const DynJson *request, StringInfo reply)
{
	DynViolations v = {0};
	const DynJson *limit = dyn_request_member(request, "Limit");
	const DynJson *legacy_keys = dyn_request_member(request, "KeyConditions");
	const DynJson *legacy_filter = dyn_request_member(request, "QueryFilter");
	const DynJson *attributes = dyn_request_member(request, "AttributesToGet");
	const char *text;
	uint32		len;
	bool		backward = !dyn_request_bool(request, "ScanIndexForward", true);
	DynSelect	select;
	DynReturnCapacity return_capacity;
	bool		or_operator;
	DynItem    *start_item;
	DynKeyConditionTree *tree = NULL;
	DynPlaceholders *placeholders;
	DynKeyCondition condition;
	DynKey		start;
	FilterCheck filter_check;
	DynPage		page = {0};
	DynPageTotals totals;
	DynCapacity capacity = {0};
	DynJsonWriter w;

	select = dyn_page_select(&v, request);
	dyn_page_check_index_name(&v, request);
	return_capacity = dyn_request_return_capacity(&v, request);
	dyn_request_check_conditions(&v, request, "QueryFilter");
	dyn_request_check_table_name(&v, request);
	or_operator = dyn_request_conditional_or(&v, request);
	dyn_request_check_attributes_to_get(&v, request);
	dyn_request_check_conditions(&v, request, "KeyConditions");
	dyn_violations_raise(&v);

	/* Unlike Scan's, this text has neither the value nor camel case. */
	if (limit != NULL && dyn_json_to_integer(limit) < 1)
		dyn_raise(VALIDATION,
				  "1 validation error detected: Value at 'Limit' failed to satisfy constraint: "
				  "Member must have value greater than or equal to 1");
	page.limit = limit == NULL ? 0 : dyn_json_to_integer(limit);

	text = dyn_request_string(request, "KeyConditionExpression", &len);
	dyn_request_check_mix(request,
						  text != NULL ? legacy_members_with_key_conditions : legacy_members,
						  expression_members, true);
	start_item = dyn_page_start_item(request);
	dyn_page_check_select(request, select, "1 validation error detected: ");
	page.count_only = select == DYN_SELECT_COUNT;

	if (text == NULL && legacy_keys == NULL)
		dyn_raise(VALIDATION,
				  "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.");

	dyn_request_check_conditional_operator(request, "QueryFilter");
	if (legacy_keys != NULL)
		tree = dyn_legacy_key_conditions(legacy_keys);
	if (legacy_filter != NULL)
		page.filter = dyn_legacy_filter(legacy_filter, or_operator);
	if (attributes != NULL)
		page.projection = dyn_legacy_attributes_to_get(attributes);

	placeholders = dyn_request_placeholders(request, true);
	if (text != NULL)
		tree = dyn_key_condition_create(text, len, placeholders,
										dyn_request_member(request, "IndexName") != NULL);
	if (page.filter == NULL)
		page.filter = dyn_request_condition(request, "FilterExpression",
											DYN_EXPRESSION_FILTER, placeholders);
	if (page.projection == NULL)
		page.projection = dyn_request_projection(request, placeholders);
	dyn_placeholders_check_used(placeholders);

	page.authorization.permission = DYN_MAY_Query;
	dyn_page_open(&page, context, request, select);
	if (start_item != NULL)
	{
		dyn_page_check_start_shape(&page, start_item);
		dyn_page_start_key(&page, start_item, &start);
	}
	dyn_key_condition_bind(tree, &page.keys, &condition);
	if (dyn_authorization_depends(&page.authorization))
		for (int i = 0; i < page.keys.npartition; i++)
			dyn_authorization_key(&page.authorization, i, &condition.partition[i]);
	dyn_page_authorize(&page);
	if (start_item != NULL)
		check_start_boundaries(&page, &condition, start_item);
	dyn_request_check_key_paths(page.table, NULL, page.projection);
	filter_check.keys = &page.keys;
	filter_check.member = legacy_filter != NULL ? "QueryFilter" : "Filter Expression";
	if (page.filter != NULL)
		dyn_condition_visit_paths(page.filter, refuse_key_attribute, &filter_check);
	dyn_page_check_projection(&page, select, true);
	dyn_request_check_key_paths(page.table, page.filter, NULL);
	if (!dyn_page_set_range(&page, &condition, backward, start_item,
							start_item != NULL ? &start : NULL))
		elog(ERROR, "start key is outside of the range its values are in");

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	if (!dyn_page_write(&w, &page, &totals))
		return DYN_OUTCOME_UNFINISHED;
	dyn_page_charge(&page, &totals, &capacity);
	dyn_capacity_write(&w, return_capacity, request, &capacity);
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}
