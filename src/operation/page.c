/*-------------------------------------------------------------------------
 *
 * page.c
 *		What Query and Scan share: a start key, a page of items, its bounds.
 *
 * A page ends when Limit items were evaluated or when the evaluated items'
 * sizes reach 1 MB; the item that crosses the line is part of it.  Filter and
 * projection come after that, so neither makes a page longer or cheaper.
 *
 * src/operation/page.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/limits.h"
#include "item/item_json.h"
#include "operation/page.h"
#include "operation/request.h"

/*
 * True if a complaint about a start key's value keeps its own words: those
 * about duplicates, number sets and numeric conversion do.
 */
static bool
stands_alone(const char *message)
{
	return strstr(message, "duplicates") != NULL ||
		strstr(message, "number set") != NULL ||
		strncmp(message, "The parameter cannot be converted", 33) == 0 ||
		strncmp(message, "Number ", 7) == 0 ||
		strncmp(message, "Attempting to store", 19) == 0;
}

/* The two conversions of a start key, whose errors are reworded alike. */
typedef struct StartKey
{
	const DynJson *json;
	const DynKeySchema *schema; /* NULL: make item of json; else key of item */
	DynItem    *item;
	DynKey	   *key;
} StartKey;

/*
 * Convert, and put the start key's words before a complaint.  A conversion
 * holds nothing but memory, so its error needs no clean-up.
 */
static void
convert_start_key(StartKey *start)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		if (start->schema == NULL)
			start->item = dyn_item_from_json(start->json);
		else
			dyn_key_from_argument(start->schema, start->item, start->key);
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		MemoryContextSwitchTo(context);
		edata = CopyErrorData();
		if (edata->sqlerrcode != dyn_errcode(VALIDATION) ||
			stands_alone(edata->message))
			PG_RE_THROW();
		FlushErrorState();
		dyn_raise(VALIDATION, "The provided starting key is invalid: %s",
				  edata->message);
	}
	PG_END_TRY();
}

DynItem *
dyn_page_start_item(const DynJson *request)
{
	StartKey	start = {0};

	start.json = dyn_request_member(request, "ExclusiveStartKey");
	if (start.json == NULL)
		return NULL;
	convert_start_key(&start);
	return start.item;
}

void
dyn_page_start_key(const DynKeySchema *schema, const DynItem *item, DynKey *key)
{
	StartKey	start = {0};

	start.schema = schema;
	start.item = (DynItem *) item;
	start.key = key;
	convert_start_key(&start);
}

static const char *const select_values[] = {
	"SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES",
	"ALL_PROJECTED_ATTRIBUTES", NULL
};

static const DynEnum select_enum = {
	"[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]",
	select_values
};

DynSelect
dyn_page_select(DynViolations *v, const DynJson *request)
{
	return dyn_member_enum(v, dyn_request_member(request, "Select"),
						   &select_enum, DYN_SELECT_DEFAULT, "select");
}

void
dyn_page_check_select(const DynJson *request, DynSelect select,
					  const char *missing_prefix)
{
	const char *projection = NULL;

	if (dyn_request_member(request, "ProjectionExpression") != NULL)
		projection = "ProjectionExpression";
	else if (dyn_request_member(request, "AttributesToGet") != NULL)
		projection = "AttributesToGet";

	if (select == DYN_SELECT_ALL_PROJECTED_ATTRIBUTES &&
		dyn_request_member(request, "IndexName") == NULL)
		dyn_raise(VALIDATION,
				  "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName");
	if (select == DYN_SELECT_SPECIFIC_ATTRIBUTES)
	{
		if (projection == NULL)
			dyn_raise(VALIDATION,
					  "%sMust specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
					  missing_prefix);
	}
	else if (select != DYN_SELECT_DEFAULT && projection != NULL)
		dyn_raise(VALIDATION, "Cannot specify the %s when choosing to get %s",
				  projection, select_values[select]);
}

void
dyn_page_check_index_name(DynViolations *v, const DynJson *request)
{
	const DynJson *name = dyn_request_member(request, "IndexName");

	dyn_member_length(v, name, DYN_MIN_TABLE_NAME_LENGTH,
					  DYN_MAX_TABLE_NAME_LENGTH, "indexName");
	dyn_member_name_pattern(v, name, "indexName");
}

void
dyn_page_check_index(const DynJson *request)
{
	uint32		len;
	const char *name = dyn_request_string(request, "IndexName", &len);

	if (name != NULL)
		dyn_raise(VALIDATION,
				  "The table does not have the specified index: %s", name);
}

void
dyn_page_write(DynJsonWriter *w, DynPage *page, DynPageTotals *totals)
{
	DynStoreCursor *cursor = dyn_store_open(page->table, &page->range);
	MemoryContext item_context;
	MemoryContext caller;
	DynKey		key;
	DynKey		last;
	DynItem    *item;

	item_context = AllocSetContextCreate(CurrentMemoryContext,
										 "dynamo page item",
										 ALLOCSET_DEFAULT_SIZES);
	memset(totals, 0, sizeof(*totals));
	memset(&last, 0, sizeof(last));

	if (!page->count_only)
	{
		dyn_json_write_key(w, "Items");
		dyn_json_begin_array(w);
	}
	caller = MemoryContextSwitchTo(item_context);
	while ((item = dyn_store_next(cursor, &key)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		totals->scanned++;
		totals->bytes += dyn_item_size(item);

		if (page->filter == NULL ||
			dyn_condition_evaluate(page->filter, item))
		{
			totals->count++;
			if (page->count_only)
				;
			else if (page->projection != NULL)
				dyn_projection_write(w, page->projection, item);
			else
				dyn_json_write_item(w, item);
		}

		/* The service reports an early end even if nothing would follow. */
		if (totals->scanned == page->limit ||
			totals->bytes >= DYN_MAX_PAGE_SIZE)
		{
			totals->more = true;
			MemoryContextSwitchTo(caller);
			last.partition = dyn_value_copy(&key.partition);
			if (key.sort.type != 0)
				last.sort = dyn_value_copy(&key.sort);
			break;
		}
		MemoryContextReset(item_context);
	}
	MemoryContextSwitchTo(caller);
	dyn_store_close(cursor);
	MemoryContextDelete(item_context);

	if (!page->count_only)
		dyn_json_end_array(w);
	dyn_json_write_key(w, "Count");
	dyn_json_write_int(w, totals->count);
	dyn_json_write_key(w, "ScannedCount");
	dyn_json_write_int(w, totals->scanned);
	if (totals->more)
	{
		dyn_json_write_key(w, "LastEvaluatedKey");
		dyn_json_write_key_attributes(w, &page->table->schema, &last);
	}
}
