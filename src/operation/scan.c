/*-------------------------------------------------------------------------
 *
 * scan.c
 *		Scan: all items of a table or an index, or one segment of them, in the
 *		order of the hash.
 *
 * A segment of a parallel Scan is a range of the 64-bit partition-key hash, so
 * segments are disjoint and complete whatever happens between pages.
 *
 * src/operation/scan.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "expression/legacy.h"
#include "operation/index_range.h"
#include "operation/page.h"
#include "operation/request.h"

static const char *const expression_members[] = {
	"ProjectionExpression", "FilterExpression", NULL
};
static const char *const legacy_members[] = {
	"AttributesToGet", "ScanFilter", "ConditionalOperator", NULL
};

/* The first hash of a segment; that of segment total is one past the last. */
static uint64
segment_start(int64 segment, int64 total)
{
	return (uint64) (((uint128) segment << 64) / total);
}

/* Hashes are signed and kept in signed order: flip the sign bit. */
static int64
to_hash(uint64 position)
{
	return (int64) (position ^ (UINT64CONST(1) << 63));
}

/*
 * Where the page walks; start is NULL without one.  Returns false if that is
 * not of the segment.
 */
static bool
set_range(DynPage *page, int64 segment, int64 total, const DynItem *start,
		  DynKey *start_key)
{
	int64		low = to_hash(segment_start(segment, total));
	int64		high = segment + 1 == total ? PG_INT64_MAX :
		to_hash(segment_start(segment + 1, total) - 1);

	if (page->index != NULL)
	{
		dyn_index_range_scan(&page->index_range, low, high);
		return start == NULL ||
			dyn_index_range_start(&page->index_range, &page->keys, start, start_key);
	}
	page->range.hash_low = low;
	page->range.hash_high = high;
	if (start == NULL)
		return true;
	page->range.start_after = start_key;
	return start_key->hash >= low && start_key->hash <= high;
}

/* Segment and TotalSegments come together or not at all. */
static void
check_segments(const DynJson *segment, const DynJson *total)
{
	if (segment != NULL && total == NULL)
		dyn_raise(VALIDATION,
				  "The TotalSegments parameter is required but was not present in the request when Segment parameter is present");
	if (total != NULL && segment == NULL)
		dyn_raise(VALIDATION,
				  "The Segment parameter is required but was not present in the request when parameter TotalSegments is present");
	if (segment != NULL &&
		dyn_json_to_integer(segment) >= dyn_json_to_integer(total))
		dyn_raise(VALIDATION,
				  "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
				  "Segment: " INT64_FORMAT " is not less than TotalSegments: " INT64_FORMAT,
				  dyn_json_to_integer(segment), dyn_json_to_integer(total));
}

/*
 * Run Scan.  Raises ValidationException or ResourceNotFoundException.
 */
DynOutcome
dyn_scan(DynOperationContext *context, const DynJson *request, StringInfo reply)
{
	DynViolations v = {0};
	const DynJson *limit = dyn_request_member(request, "Limit");
	const DynJson *segment = dyn_request_member(request, "Segment");
	const DynJson *total = dyn_request_member(request, "TotalSegments");
	const DynJson *legacy_filter = dyn_request_member(request, "ScanFilter");
	const DynJson *attributes = dyn_request_member(request, "AttributesToGet");
	DynSelect	select;
	DynReturnCapacity return_capacity;
	bool		or_operator;
	DynItem    *start_item;
	DynPlaceholders *placeholders;
	DynKey		start;
	DynPage		page = {0};
	DynPageTotals totals;
	DynCapacity capacity = {0};
	DynJsonWriter w;

	select = dyn_page_select(&v, request);
	dyn_page_check_index_name(&v, request);
	return_capacity = dyn_request_return_capacity(&v, request);
	dyn_request_check_table_name(&v, request);
	or_operator = dyn_request_conditional_or(&v, request);
	dyn_request_check_conditions(&v, request, "ScanFilter");
	dyn_member_range(&v, segment, 0, DYN_MAX_TOTAL_SEGMENTS - 1, "segment");
	dyn_member_range(&v, limit, 1, DYN_UNBOUNDED, "limit");
	dyn_request_check_attributes_to_get(&v, request);
	dyn_violations_raise(&v);
	if (total != NULL && (dyn_json_to_integer(total) < 1 ||
						  dyn_json_to_integer(total) > DYN_MAX_TOTAL_SEGMENTS))
		dyn_raise(VALIDATION,
				  "1 validation error detected: Value at 'totalSegments' failed to satisfy constraint: "
				  "Member must have value between 1 and %d", DYN_MAX_TOTAL_SEGMENTS);
	page.limit = limit == NULL ? 0 : dyn_json_to_integer(limit);

	dyn_request_check_mix(request, legacy_members, expression_members, true);
	start_item = dyn_page_start_item(request);
	dyn_page_check_select(request, select, "");
	page.count_only = select == DYN_SELECT_COUNT;
	check_segments(segment, total);

	dyn_request_check_conditional_operator(request, "ScanFilter");
	if (legacy_filter != NULL)
		page.filter = dyn_legacy_filter(legacy_filter, or_operator);
	if (attributes != NULL)
		page.projection = dyn_legacy_attributes_to_get(attributes);

	placeholders = dyn_request_placeholders(request, true);
	if (page.filter == NULL)
		page.filter = dyn_request_condition(request, "FilterExpression",
											DYN_EXPRESSION_FILTER, placeholders);
	if (page.projection == NULL)
		page.projection = dyn_request_projection(request, placeholders);
	dyn_placeholders_check_used(placeholders);

	page.authorization.permission = DYN_MAY_Scan;
	dyn_page_open(&page, context, request, select);
	dyn_page_authorize(&page);
	if (start_item != NULL)
	{
		if (page.index != NULL)
			dyn_page_check_start_shape(&page, start_item);
		dyn_page_start_key(&page, start_item, &start);
		start.hash = dyn_key_hash(&start.partition);
	}
	dyn_page_check_projection(&page, select, false);
	if (!set_range(&page, segment == NULL ? 0 : dyn_json_to_integer(segment),
				   total == NULL ? 1 : dyn_json_to_integer(total),
				   start_item, &start))
		dyn_raise(VALIDATION,
				  "The provided starting key is invalid: Invalid ExclusiveStartKey. "
				  "Please use ExclusiveStartKey with correct Segment. "
				  "TotalSegments: " INT64_FORMAT " Segment: " INT64_FORMAT,
				  dyn_json_to_integer(total), dyn_json_to_integer(segment));
	dyn_request_check_key_paths(page.table, page.filter, page.projection);

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	if (!dyn_page_write(&w, &page, &totals))
		return DYN_OUTCOME_UNFINISHED;
	dyn_page_charge(&page, &totals, &capacity);

	/*
	 * The service charges the Scan of a one-item table as four reads (captured:
	 * 2 units eventually consistent, 4 consistent).
	 */
	if (page.index == NULL && totals.scanned == 1 && !totals.more &&
		segment == NULL && start_item == NULL)
		capacity.table_units = Max(capacity.table_units, page.consistent ? 4.0 : 2.0);
	dyn_capacity_write(&w, return_capacity, request, &capacity);
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}
