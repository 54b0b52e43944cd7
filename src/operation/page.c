/*-------------------------------------------------------------------------
 *
 * page.c
 *		What Query and Scan share: a start key, a page of items, its bounds.
 *
 * A page ends when Limit items were evaluated or when the evaluated items'
 * sizes reach 1 MB; the item that crosses the line is part of it.  Filter and
 * projection come after that, so neither makes a page longer or cheaper.
 *
 * A page takes milliseconds, and others are waiting: it is read in slices, each
 * of which goes on behind the last item of the one before, as the next page
 * would.  So it may show items as they were at different moments, which is what
 * the service promises and no less.
 *
 * An index has no copies of items: what it projects is a view of the stored
 * item, and so is what its entries' sizes are.  A "fetch" costs the client, as
 * in the service, and not us.
 *
 * src/operation/page.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/limits.h"
#include "item/item_json.h"
#include "operation/index_range.h"
#include "operation/page.h"
#include "operation/request.h"
#include "operation/slice.h"

/* A complaint about attributes names so many of them at most. */
#define MAX_UNPROJECTED 255

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

static bool
name_is(const DynAttributeName *name, const DynKeyAttribute *attribute)
{
	return attribute->name != NULL && name->name_len == attribute->name_len &&
		memcmp(name->name, attribute->name, name->name_len) == 0;
}

/* The two conversions of a start key, whose errors are reworded alike. */
typedef struct StartKey
{
	const DynJson *json;		/* NULL: make key of item; else item of json */
	const DynPage *page;
	DynItem    *item;
	DynKey	   *key;
} StartKey;

/* The table's key, then the index's: its parts' sizes. */
static void
read_start_key(const DynPage *page, DynItem *item, DynKey *key)
{
	const DynKeySchema *schema = &page->table->schema;
	DynAttributeName names[2];
	int			count = 0;

	if (page->index == NULL)
	{
		dyn_key_from_argument(schema, item, key);
		return;
	}
	for (int i = 0; i < page->nstart_names; i++)
	{
		const DynAttributeName *name = &page->start_names[i];

		if (name_is(name, &schema->partition) || name_is(name, &schema->sort))
			names[count++] = *name;
	}
	dyn_key_from_argument(schema, dyn_item_subset(item, names, count), key);
	dyn_index_key_raise(&page->keys, page->index->definition.name, item);
}

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
		if (start->json != NULL)
			start->item = dyn_item_from_json(start->json);
		else
			read_start_key(start->page, start->item, start->key);
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
dyn_page_check_start_shape(const DynPage *page, const DynItem *item)
{
	DynValue	map = dyn_item_value(item);
	bool		good = dyn_value_count(&map) == page->nstart_names;

	for (int i = 0; good && i < page->nstart_names; i++)
	{
		DynValue	value;

		good = dyn_map_find(&map, page->start_names[i].name,
							page->start_names[i].name_len, &value);
	}
	if (!good)
		dyn_raise(VALIDATION, "The provided starting key is invalid");
}

void
dyn_page_start_key(const DynPage *page, const DynItem *item, DynKey *key)
{
	StartKey	start = {0};

	/* Of an index's key, a wrong type is told without the prefix. */
	if (page->index != NULL)
	{
		const DynKeyAttribute *culprit;

		if (dyn_index_key_check(&page->keys, item, &culprit) ==
			DYN_INDEX_KEY_WRONG_TYPE)
			dyn_raise(VALIDATION,
					  "The provided key element does not match the schema");
	}
	start.page = page;
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

static int
compare_names(const void *a, const void *b)
{
	const DynAttributeName *x = a;
	const DynAttributeName *y = b;
	int			order = memcmp(x->name, y->name, Min(x->name_len, y->name_len));

	return order != 0 ? order : (int) x->name_len - (int) y->name_len;
}

static void
add_start_name(DynPage *page, const DynKeyAttribute *attribute)
{
	DynAttributeName *name = &page->start_names[page->nstart_names];

	if (attribute->name == NULL)
		return;
	for (int i = 0; i < page->nstart_names; i++)
		if (name_is(&page->start_names[i], attribute))
			return;
	name->name = attribute->name;
	name->name_len = attribute->name_len;
	page->nstart_names++;
}

void
dyn_page_open(DynPage *page, DynOperationContext *context, const DynJson *request,
			  DynSelect select)
{
	DynAuthorization *a = &page->authorization;
	uint32		len;
	const char *name = dyn_request_string(request, "IndexName", &len);

	page->context = context;
	page->consistent = dyn_request_bool(request, "ConsistentRead", false);
	a->index = name;
	a->index_len = name == NULL ? 0 : len;
	a->select = select != DYN_SELECT_DEFAULT ? select_values[select] :
		name != NULL && page->projection == NULL ? "ALL_PROJECTED_ATTRIBUTES" :
		dyn_authorization_select(page->projection);
	page->table = dyn_request_table(context, request, a);
	if (name != NULL)
	{
		page->index = dyn_table_readable_index(page->table, name, len);
		if (page->consistent && page->index->definition.kind == DYN_INDEX_GLOBAL)
			dyn_raise(VALIDATION,
					  "Consistent reads are not supported on global secondary indexes");
	}
	dyn_page_open_keys(page);
}

void
dyn_page_open_keys(DynPage *page)
{
	if (page->index == NULL)
		dyn_index_schema_of_table(&page->table->schema, &page->keys);
	else
		page->keys = page->index->definition.schema;

	for (int i = 0; i < page->keys.npartition; i++)
		add_start_name(page, &page->keys.partition[i]);
	for (int i = 0; i < page->keys.nsort; i++)
		add_start_name(page, &page->keys.sort[i]);
	add_start_name(page, &page->table->schema.partition);
	add_start_name(page, &page->table->schema.sort);
	qsort(page->start_names, page->nstart_names, sizeof(DynAttributeName),
		  compare_names);
}

/*
 * The keys of the index and of the table are part of what is asked for: a page
 * that ends early tells those of its last item.
 */
void
dyn_page_authorize(DynPage *page)
{
	DynAuthorization *a = &page->authorization;

	if (dyn_authorization_depends(a))
	{
		for (int i = 0; i < page->nstart_names; i++)
			dyn_authorization_name(a, page->start_names[i].name,
								   page->start_names[i].name_len);
		dyn_authorization_condition(a, page->filter);
		dyn_authorization_projection(a, page->projection);
	}
	dyn_authorization_finish(a);
}

/* Attributes that are asked for and not projected, each once. */
typedef struct Unprojected
{
	const DynIndex *index;
	int			count;
	StringInfoData list;		/* "a, b" */
	const DynPathStep *steps[MAX_UNPROJECTED];
} Unprojected;

static void
note_unprojected(const DynDocumentPath *path, void *arg)
{
	Unprojected *found = arg;
	const DynPathStep *step = &path->steps[0];

	if (found->count == MAX_UNPROJECTED ||
		dyn_index_projects(found->index, step->name, step->name_len))
		return;
	for (int i = 0; i < found->count; i++)
		if (found->steps[i]->name_len == step->name_len &&
			memcmp(found->steps[i]->name, step->name, step->name_len) == 0)
			return;
	if (found->count > 0)
		appendStringInfoString(&found->list, ", ");
	appendBinaryStringInfo(&found->list, step->name, step->name_len);
	found->steps[found->count++] = step;
}

static void
begin_unprojected(Unprojected *found, const DynIndex *index)
{
	found->index = index;
	found->count = 0;
	initStringInfo(&found->list);
}

void
dyn_page_check_projection(DynPage *page, DynSelect select, bool filter_must_fit)
{
	const char *name;
	bool		local;
	Unprojected shown;
	Unprojected filtered;

	if (page->index == NULL || page->index->projected == NULL)
		return;
	name = page->index->definition.name;
	local = page->index->definition.kind == DYN_INDEX_LOCAL;
	begin_unprojected(&shown, page->index);
	if (page->projection != NULL)
		dyn_projection_visit_paths(page->projection, note_unprojected, &shown);
	begin_unprojected(&filtered, page->index);
	if (page->filter != NULL)
		dyn_condition_visit_paths(page->filter, note_unprojected, &filtered);

	if (!local && select == DYN_SELECT_ALL_ATTRIBUTES)
		dyn_raise(VALIDATION,
				  "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL",
				  name);
	if (!local && shown.count > 0)
		dyn_raise(VALIDATION,
				  "One or more parameter values were invalid: Global secondary index %s does not project [%s]",
				  name, shown.list.data);
	if (!local && filter_must_fit && filtered.count > 0)
		dyn_raise(VALIDATION,
				  "One or more parameter values were invalid: Secondary index %s does not project one or more filter attributes: [%s]",
				  name, filtered.list.data);

	page->fetch = local && (select == DYN_SELECT_ALL_ATTRIBUTES ||
							shown.count > 0 || filtered.count > 0);
	page->show_entries = select != DYN_SELECT_ALL_ATTRIBUTES;
	page->filter_entries = !local && filtered.count > 0;
}

/* The range of the table that a condition selects. */
static void
set_bounds(DynStoreRange *range, const DynKeyCondition *condition)
{
	const DynValue *sort = &condition->sort[0];

	switch (condition->sort_operator)
	{
		case DYN_SORT_NONE:
			break;
		case DYN_SORT_EQ:
			range->low = range->high = *sort;
			range->low_inclusive = range->high_inclusive = true;
			break;
		case DYN_SORT_LT:
		case DYN_SORT_LE:
			range->high = *sort;
			range->high_inclusive = condition->sort_operator == DYN_SORT_LE;
			break;
		case DYN_SORT_GT:
		case DYN_SORT_GE:
			range->low = *sort;
			range->low_inclusive = condition->sort_operator == DYN_SORT_GE;
			break;
		case DYN_SORT_BETWEEN:
			range->low = *sort;
			range->high = condition->sort_upper;
			range->low_inclusive = !condition->lower_open;
			range->high_inclusive = !condition->upper_open;
			break;
		case DYN_SORT_BEGINS_WITH:
			range->begins_with = *sort;
			break;
	}
}

bool
dyn_page_set_range(DynPage *page, const DynKeyCondition *condition, bool backward,
				   const DynItem *start, const DynKey *start_key)
{
	DynKey	   *partition;

	if (page->index != NULL)
	{
		page->index_range.backward = backward;
		dyn_index_range_query(&page->index_range, &page->keys, condition);
		return start == NULL ||
			dyn_index_range_start(&page->index_range, &page->keys, start, start_key);
	}
	partition = palloc0(sizeof(DynKey));
	partition->partition = condition->partition[0];
	partition->hash = dyn_key_hash(&partition->partition);
	memset(&page->range, 0, sizeof(page->range));
	page->range.partition = partition;
	page->range.backward = backward;
	page->range.start_after = start_key;
	set_bounds(&page->range, condition);
	return start_key == NULL ||
		dyn_value_equal(&start_key->partition, &partition->partition);
}

static DynStoreCursor *
open_cursor(const DynPage *page)
{
	return page->index == NULL ? dyn_store_open(page->table, &page->range) :
		dyn_store_open_index(page->table, page->index, &page->index_range);
}

/* What the index shows of an item. */
static DynItem *
entry_of(const DynPage *page, DynItem *item)
{
	return dyn_item_subset(item, page->index->projected, page->index->nprojected);
}

/* Add an item to the page's measure. */
static void
measure(const DynPage *page, const DynItem *item, DynPageTotals *totals)
{
	totals->scanned++;
	if (page->index == NULL || page->index->projected == NULL)
		totals->bytes += dyn_item_size(item);
	else
		totals->bytes += dyn_item_subset_size(item, page->index->projected,
											  page->index->nprojected);
	if (page->fetch)
	{
		uint32		size = dyn_item_size(item);

		totals->fetched_bytes += size;
		totals->fetched_units += dyn_read_units(size, page->consistent);
	}
}

DynItem *
dyn_page_walk(DynJsonWriter *w, const DynPage *page, DynPageTotals *totals)
{
	DynStoreCursor *cursor;
	MemoryContext item_context;
	MemoryContext caller;
	DynSlice	slice;
	DynItem    *last = NULL;
	DynItem    *item;

	Assert(page->authorization.effect == DYN_EFFECT_ALLOW);
	dyn_slice_begin(&slice, page->context);
	totals->unfinished = false;
	cursor = open_cursor(page);
	item_context = AllocSetContextCreate(CurrentMemoryContext,
										 "dynamo page item",
										 ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(item_context);
	while ((item = dyn_store_next(cursor)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		measure(page, item, totals);

		if (page->filter == NULL ||
			dyn_condition_evaluate(page->filter,
								   page->filter_entries ? entry_of(page, item) : item))
		{
			totals->count++;
			if (page->count_only)
				;
			else if (page->write_item != NULL)
				page->write_item(w, item, page->write_item_arg);
			else if (page->projection != NULL)
				dyn_projection_write(w, page->projection, item);
			else
				dyn_json_write_item(w, page->show_entries ? entry_of(page, item) : item);
		}

		/* The service reports an early end even if nothing would follow. */
		if (totals->scanned == page->limit ||
			Max(totals->bytes, totals->fetched_bytes) >= DYN_MAX_PAGE_SIZE)
		{
			totals->more = true;
			MemoryContextSwitchTo(caller);
			last = dyn_item_subset(item, page->start_names, page->nstart_names);
			break;
		}
		if (dyn_slice_is_over(&slice, VARSIZE_ANY(item)))
		{
			totals->unfinished = true;
			MemoryContextSwitchTo(caller);
			last = dyn_item_subset(item, page->start_names, page->nstart_names);
			break;
		}
		MemoryContextReset(item_context);
	}
	MemoryContextSwitchTo(caller);
	dyn_store_close(cursor);
	MemoryContextDelete(item_context);
	return last;
}

/* A page so far: the progress of an operation that reads one. */
typedef struct Unfinished
{
	pg_uuid_t	table_id;		/* another table of that name is not read on */
	DynPageTotals totals;
	DynItem    *last;			/* keys of the last item evaluated */
	int			partition;		/* of several, which one it is in */
	DynPartialReply reply;
} Unfinished;

void
dyn_page_put_off(DynJsonWriter *w, const DynPage *page,
				 const DynPageTotals *totals, DynItem *last, int partition)
{
	DynOperationContext *context = page->context;
	const Unfinished *before = context->progress;
	Unfinished *now = palloc(sizeof(Unfinished));

	now->table_id = page->table->table_id;
	now->totals = *totals;
	now->last = last;
	now->partition = partition;
	dyn_partial_reply_keep(&now->reply, before == NULL ? NULL : &before->reply, w);
	context->new_progress = now;
}

DynItem *
dyn_page_go_on(DynJsonWriter *w, const DynPage *page, DynPageTotals *totals,
			   int *partition)
{
	const Unfinished *before = page->context->progress;

	if (before == NULL ||
		memcmp(&before->table_id, &page->table->table_id, sizeof(pg_uuid_t)) != 0)
		return NULL;
	*totals = before->totals;
	*partition = before->partition;
	dyn_partial_reply_resume(&before->reply, w);
	return before->last;
}

/* Have the page begin behind an item, given by its keys. */
static void
begin_behind(DynPage *page, DynItem *last)
{
	DynKey	   *key = palloc0(sizeof(DynKey));

	read_start_key(page, last, key);
	if (page->index != NULL)
	{
		(void) dyn_index_range_start(&page->index_range, &page->keys, last, key);
		return;
	}
	key->hash = dyn_key_hash(&key->partition);
	page->range.start_after = key;
}

bool
dyn_page_write(DynJsonWriter *w, DynPage *page, DynPageTotals *totals)
{
	StringInfo	reply = w->out;
	DynItem    *last;
	int			partition;

	last = dyn_page_go_on(w, page, totals, &partition);
	if (last != NULL)
		begin_behind(page, last);
	else
	{
		memset(totals, 0, sizeof(*totals));
		if (!page->count_only)
		{
			dyn_json_write_key(w, "Items");
			dyn_json_begin_array(w);
		}
	}
	last = dyn_page_walk(w, page, totals);
	if (totals->unfinished)
	{
		dyn_page_put_off(w, page, totals, last, 0);
		return false;
	}
	dyn_partial_reply_finish(w, reply);
	if (!page->count_only)
		dyn_json_end_array(w);
	dyn_json_write_key(w, "Count");
	dyn_json_write_int(w, totals->count);
	dyn_json_write_key(w, "ScannedCount");
	dyn_json_write_int(w, totals->scanned);
	if (totals->more)
	{
		dyn_json_write_key(w, "LastEvaluatedKey");
		dyn_json_write_item(w, last);
	}
	return true;
}

void
dyn_page_charge(const DynPage *page, const DynPageTotals *totals,
				DynCapacity *capacity)
{
	double		units = dyn_read_units(totals->bytes, page->consistent);

	if (page->index == NULL)
		capacity->table_units += units;
	else
	{
		dyn_capacity_charge_index(capacity, page->index, units);
		capacity->table_units += totals->fetched_units;
	}
}
