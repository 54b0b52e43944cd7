/*-------------------------------------------------------------------------
 *
 * page.h
 *		What Query and Scan share: a start key, a page of items, its bounds.
 *
 * src/operation/page.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_PAGE_H
#define DYN_PAGE_H

#include "base/json.h"
#include "expression/expression.h"
#include "operation/authorize.h"
#include "operation/capacity.h"
#include "operation/constraint.h"
#include "operation/operation.h"
#include "store/store.h"

typedef enum DynSelect
{
	DYN_SELECT_SPECIFIC_ATTRIBUTES,
	DYN_SELECT_COUNT,
	DYN_SELECT_ALL_ATTRIBUTES,
	DYN_SELECT_ALL_PROJECTED_ATTRIBUTES,
	DYN_SELECT_DEFAULT
} DynSelect;

/* Keys of an index and of its table, each once. */
#define DYN_MAX_START_NAMES (2 * DYN_MAX_INDEX_KEY_PARTS + 2)

typedef struct DynPage
{
	/* Set by dyn_page_open(): what is read, for whom. */
	DynOperationContext *context;
	const DynTable *table;
	const DynIndex *index;		/* NULL: the table itself */
	DynIndexSchema keys;		/* the index's, or the table's */
	bool		consistent;
	DynAuthorization authorization;
	int			nstart_names;	/* attributes of a start key, sorted */
	DynAttributeName start_names[DYN_MAX_START_NAMES];

	DynStoreRange range;		/* of the table */
	DynStoreIndexRange index_range; /* or of the index */
	const DynCondition *filter; /* NULL: every item passes */
	const DynProjection *projection;	/* NULL: all attributes */
	bool		count_only;		/* Select COUNT: no Items member */
	int64		limit;			/* items to evaluate; 0: no limit */

	/* PartiQL's columns: what writes an item in place of all this, or NULL. */
	void		(*write_item) (DynJsonWriter *w, const DynItem *item, const void *arg);
	const void *write_item_arg;

	/*
	 * Set by dyn_page_check_projection(), of an index that does not project all
	 * attributes.
	 */
	bool		show_entries;	/* without a projection: what the index projects */
	bool		filter_entries; /* the filter sees nothing else either */
	bool		fetch;			/* whole items are read: more is asked for */
} DynPage;

/* What was evaluated, before the filter: the base of the capacity. */
typedef struct DynPageTotals
{
	uint64		bytes;			/* of items, or of an index's entries */
	uint64		fetched_bytes;	/* of whole items, in addition */
	double		fetched_units;
	int64		scanned;
	int64		count;
	bool		more;			/* LastEvaluatedKey was written */
	bool		unfinished;		/* only the slice of time is over */
} DynPageTotals;

/*
 * Look up TableName and IndexName, for what page->authorization.permission
 * says.  Raises AccessDeniedException, ResourceNotFoundException, or
 * ValidationException for an index that can't be read (in this way).
 */
extern void dyn_page_open(DynPage *page, DynOperationContext *context,
						  const DynJson *request, DynSelect select);

/*
 * Decide whether the caller may read it: the partition keys' values are in
 * page->authorization already.
 */
extern void dyn_page_authorize(DynPage *page);

/* The same where table, index and consistent are set: the keys. */
extern void dyn_page_open_keys(DynPage *page);

/*
 * ExclusiveStartKey's attributes, converted before the table is known.  Value
 * errors get the prefix "The provided starting key is invalid: ".  NULL if
 * there is none.
 */
extern DynItem *dyn_page_start_item(const DynJson *request);

/* "The provided starting key is invalid" unless it has just the keys. */
extern void dyn_page_check_start_shape(const DynPage *page, const DynItem *item);

/*
 * The table's key in a start item, pointing into it.  Raises "The provided
 * starting key is invalid: ..." if it is none; an index's keys are checked, too.
 */
extern void dyn_page_start_key(const DynPage *page, const DynItem *item,
							   DynKey *key);

/* Select: the member's value, DYN_SELECT_DEFAULT if absent. */
extern DynSelect dyn_page_select(DynViolations *v, const DynJson *request);

/*
 * Select against the projection.  missing_prefix stands before the complaint
 * that SPECIFIC_ATTRIBUTES needs one, which Query envelopes and Scan does not.
 */
extern void dyn_page_check_select(const DynJson *request, DynSelect select,
								  const char *missing_prefix);

/* IndexName's member constraints. */
extern void dyn_page_check_index_name(DynViolations *v, const DynJson *request);

/*
 * What the request asks for against what the index projects: a global index has
 * nothing else, a local one fetches it.  filter_must_fit: Query refuses a filter
 * on what a global index does not project; to Scan such attributes are absent.
 */
extern void dyn_page_check_projection(DynPage *page, DynSelect select,
									  bool filter_must_fit);

/*
 * Where the page walks: what a condition selects; start and its key are NULL
 * without one.  False if the start is not in there.
 */
extern bool dyn_page_set_range(DynPage *page, const DynKeyCondition *condition,
							   bool backward, const DynItem *start,
							   const DynKey *start_key);

/*
 * Walk the page: add to the totals, which may stand at what an earlier page
 * left, and write the items that pass the filter as elements of the array w is
 * in.  Returns the start key of what follows if the page, or the context's slice
 * of time, ended early, or NULL.
 */
extern DynItem *dyn_page_walk(DynJsonWriter *w, const DynPage *page,
							  DynPageTotals *totals);

/*
 * Write Items, Count, ScannedCount and, if the page ended early,
 * LastEvaluatedKey as members of the object w is in, which is the reply's first
 * one and has no members yet.  Goes on where an earlier call has ended.  False if
 * the slice of time is over: the operation is unfinished.
 */
extern bool dyn_page_write(DynJsonWriter *w, DynPage *page,
						   DynPageTotals *totals);

/*
 * For callers of dyn_page_walk(): keep what there is when the slice of time is
 * over, and find it again.  dyn_page_go_on() returns the key to begin behind, or
 * NULL if the operation has just begun.  partition: the caller's own.
 */
extern void dyn_page_put_off(DynJsonWriter *w, const DynPage *page,
							 const DynPageTotals *totals, DynItem *last,
							 int partition);
extern DynItem *dyn_page_go_on(DynJsonWriter *w, const DynPage *page,
							   DynPageTotals *totals, int *partition);

/* What that cost, added to capacity. */
extern void dyn_page_charge(const DynPage *page, const DynPageTotals *totals,
							DynCapacity *capacity);

#endif							/* DYN_PAGE_H */
