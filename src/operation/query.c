/*-------------------------------------------------------------------------
 *
 * query.c
 *		Query: the items of one partition, in sort-key order.
 *
 * src/operation/query.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression/legacy.h"
#include "item/item_json.h"
#include "operation/capacity.h"
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
	const DynKeySchema *schema;
	const char *member;			/* "Filter Expression" or "QueryFilter" */
} FilterCheck;

static void
refuse_key_attribute(const DynDocumentPath *path, void *arg)
{
	const FilterCheck *check = arg;
	const DynPathStep *first = &path->steps[0];
	const DynKeyAttribute *keys[] = {&check->schema->partition, &check->schema->sort};

	for (int i = 0; i < lengthof(keys); i++)
		if (keys[i]->name != NULL && keys[i]->name_len == first->name_len &&
			memcmp(keys[i]->name, first->name, first->name_len) == 0)
			dyn_raise(VALIDATION,
					  "%s can only contain non-primary key attributes: Primary key attribute: %s",
					  check->member, keys[i]->name);
}

/* True if a start key's sort value satisfies the sort-key condition. */
static bool
sort_matches(const DynKeyCondition *condition, const DynValue *sort)
{
	switch (condition->sort_operator)
	{
		case DYN_SORT_NONE:
			return true;
		case DYN_SORT_EQ:
			return dyn_value_compare(sort, &condition->sort) == 0;
		case DYN_SORT_LT:
			return dyn_value_compare(sort, &condition->sort) < 0;
		case DYN_SORT_LE:
			return dyn_value_compare(sort, &condition->sort) <= 0;
		case DYN_SORT_GT:
			return dyn_value_compare(sort, &condition->sort) > 0;
		case DYN_SORT_GE:
			return dyn_value_compare(sort, &condition->sort) >= 0;
		case DYN_SORT_BETWEEN:
			return dyn_value_compare(sort, &condition->sort) >= 0 &&
				dyn_value_compare(sort, &condition->sort_upper) <= 0;
		case DYN_SORT_BEGINS_WITH:
			return sort->size >= condition->sort.size &&
				memcmp(sort->data, condition->sort.data, condition->sort.size) == 0;
	}
	elog(ERROR, "unrecognized sort operator: %d", (int) condition->sort_operator);
}

/*
 * The start key's shape, before the key conditions are looked at.  A wrong
 * number of members is told in fewer words than a wrong type.
 */
static void
check_start_shape(const DynTable *table, const DynItem *item)
{
	DynValue	map = dyn_item_value(item);
	const DynKeySchema *schema = &table->schema;
	DynValue	value;

	if (dyn_value_count(&map) != (schema->sort.name != NULL ? 2 : 1) ||
		!dyn_map_find(&map, schema->partition.name, schema->partition.name_len,
					  &value) ||
		(schema->sort.name != NULL &&
		 !dyn_map_find(&map, schema->sort.name, schema->sort.name_len, &value)))
		dyn_raise(VALIDATION, "The provided starting key is invalid");
}

/* A start key must lie inside what the conditions select. */
static void
check_start_boundaries(const DynTable *table, const DynKeyCondition *condition,
					   const DynKey *start)
{
	bool		same_partition = dyn_value_compare(&start->partition,
												   &condition->partition) == 0;

	if (table->schema.sort.name == NULL)
	{
		StringInfoData text;

		initStringInfo(&text);
		dyn_value_describe(&text, &start->partition);
		dyn_raise(VALIDATION,
				  "The provided exclusive start key is invalid: ExclusiveStartKey: {%s=AttributeValue: %s}",
				  table->schema.partition.name, text.data);
	}
	if (!same_partition)
	{
		if (condition->sort_operator == DYN_SORT_EQ &&
			sort_matches(condition, &start->sort))
			dyn_raise(VALIDATION,
					  "The query can return at most one row and cannot be restarted");
		dyn_raise(VALIDATION,
				  "The provided starting key is outside query boundaries based on provided conditions");
	}
	if (!sort_matches(condition, &start->sort))
		dyn_raise(VALIDATION,
				  "The provided starting key does not match the range key predicate");
}

static void
set_bounds(DynStoreRange *range, const DynKeyCondition *condition)
{
	switch (condition->sort_operator)
	{
		case DYN_SORT_NONE:
			break;
		case DYN_SORT_EQ:
			range->low = range->high = condition->sort;
			range->low_inclusive = range->high_inclusive = true;
			break;
		case DYN_SORT_LT:
		case DYN_SORT_LE:
			range->high = condition->sort;
			range->high_inclusive = condition->sort_operator == DYN_SORT_LE;
			break;
		case DYN_SORT_GT:
		case DYN_SORT_GE:
			range->low = condition->sort;
			range->low_inclusive = condition->sort_operator == DYN_SORT_GE;
			break;
		case DYN_SORT_BETWEEN:
			range->low = condition->sort;
			range->high = condition->sort_upper;
			range->low_inclusive = range->high_inclusive = true;
			break;
		case DYN_SORT_BEGINS_WITH:
			range->begins_with = condition->sort;
			break;
	}
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
	bool		consistent = dyn_request_bool(request, "ConsistentRead", false);
	DynSelect	select;
	DynReturnCapacity return_capacity;
	bool		or_operator;
	DynItem    *start_item;
	DynKeyConditionTree *tree = NULL;
	DynPlaceholders *placeholders;
	DynKeyCondition condition;
	DynKey		partition = {0};
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
		tree = dyn_key_condition_create(text, len, placeholders);
	if (page.filter == NULL)
		page.filter = dyn_request_condition(request, "FilterExpression",
											DYN_EXPRESSION_FILTER, placeholders);
	if (page.projection == NULL)
		page.projection = dyn_request_projection(request, placeholders);
	dyn_placeholders_check_used(placeholders);

	page.table = dyn_request_table(context, request);
	dyn_page_check_index(request);
	if (start_item != NULL)
	{
		check_start_shape(page.table, start_item);
		dyn_page_start_key(&page.table->schema, start_item, &start);
	}
	dyn_key_condition_bind(tree, &page.table->schema, &condition);
	if (start_item != NULL)
		check_start_boundaries(page.table, &condition, &start);
	dyn_request_check_key_paths(page.table, NULL, page.projection);
	filter_check.schema = &page.table->schema;
	filter_check.member = legacy_filter != NULL ? "QueryFilter" : "Filter Expression";
	if (page.filter != NULL)
		dyn_condition_visit_paths(page.filter, refuse_key_attribute, &filter_check);
	dyn_request_check_key_paths(page.table, page.filter, NULL);

	partition.partition = condition.partition;
	partition.hash = dyn_key_hash(&condition.partition);
	page.range.partition = &partition;
	page.range.backward = !dyn_request_bool(request, "ScanIndexForward", true);
	page.range.start_after = start_item != NULL ? &start : NULL;
	set_bounds(&page.range, &condition);

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_page_write(&w, &page, &totals);
	capacity.table_units = dyn_read_units(totals.bytes, consistent);
	dyn_capacity_write(&w, return_capacity, request, &capacity);
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}
