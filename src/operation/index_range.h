/*-------------------------------------------------------------------------
 *
 * index_range.h
 *		Where in a secondary index a Query or Scan walks, as bounds of bytes.
 *
 * src/operation/index_range.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_INDEX_RANGE_H
#define DYN_INDEX_RANGE_H

#include "expression/expression.h"
#include "store/store.h"

/* All that a condition selects. */
extern void dyn_index_range_query(DynStoreIndexRange *range,
								  const DynIndexSchema *schema,
								  const DynKeyCondition *condition);

/* All whose partition has one of these hashes. */
extern void dyn_index_range_scan(DynStoreIndexRange *range, int64 hash_low,
								 int64 hash_high);

/*
 * Go on behind an entry, given by its attributes and the table's key among
 * them.  False, and nothing is changed, if it lies outside the range.
 */
extern bool dyn_index_range_start(DynStoreIndexRange *range,
								  const DynIndexSchema *schema,
								  const DynItem *start, const DynKey *key);

#endif							/* DYN_INDEX_RANGE_H */
