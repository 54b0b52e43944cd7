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
#include "operation/constraint.h"
#include "operation/operation.h"
#include "store/store.h"

typedef struct DynPage
{
	const DynTable *table;
	DynStoreRange range;
	const DynCondition *filter; /* NULL: every item passes */
	const DynProjection *projection;	/* NULL: whole items */
	bool		count_only;		/* Select COUNT: no Items member */
	int64		limit;			/* items to evaluate; 0: no limit */
} DynPage;

/* What was evaluated, before the filter: the base of the capacity. */
typedef struct DynPageTotals
{
	uint64		bytes;
	int64		scanned;
	int64		count;
	bool		more;			/* LastEvaluatedKey was written */
} DynPageTotals;

/*
 * ExclusiveStartKey's attributes, converted before the table is known.  Value
 * errors get the prefix "The provided starting key is invalid: ".  NULL if
 * there is none.
 */
extern DynItem *dyn_page_start_item(const DynJson *request);

/*
 * The key a start item means, pointing into it.  Raises "The provided starting
 * key is invalid: ..." if it is not a key of the table.
 */
extern void dyn_page_start_key(const DynKeySchema *schema, const DynItem *item,
							   DynKey *key);

/* Select: the member's value, DYN_SELECT_DEFAULT if absent. */
typedef enum DynSelect
{
	DYN_SELECT_SPECIFIC_ATTRIBUTES,
	DYN_SELECT_COUNT,
	DYN_SELECT_ALL_ATTRIBUTES,
	DYN_SELECT_ALL_PROJECTED_ATTRIBUTES,
	DYN_SELECT_DEFAULT
} DynSelect;

extern DynSelect dyn_page_select(DynViolations *v, const DynJson *request);

/*
 * Select against the projection.  missing_prefix stands before the complaint
 * that SPECIFIC_ATTRIBUTES needs one, which Query envelopes and Scan does not.
 */
extern void dyn_page_check_select(const DynJson *request, DynSelect select,
								  const char *missing_prefix);

/* IndexName's member constraints. */
extern void dyn_page_check_index_name(DynViolations *v, const DynJson *request);

/* Refuse IndexName: no table has secondary indexes. */
extern void dyn_page_check_index(const DynJson *request);

/*
 * Write Items, Count, ScannedCount and, if the page ended early,
 * LastEvaluatedKey as members of the object w is in.
 */
extern void dyn_page_write(DynJsonWriter *w, DynPage *page,
						   DynPageTotals *totals);

#endif							/* DYN_PAGE_H */
