/*-------------------------------------------------------------------------
 *
 * index_write.h
 *		What secondary indexes mean to a write: their keys' rules, their share of
 *		its cost, and item collections.
 *
 * Tables without indexes pay one comparison.
 *
 * src/operation/index_write.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_INDEX_WRITE_H
#define DYN_INDEX_WRITE_H

#include "operation/capacity.h"

/*
 * Refuse an item to be put whose attributes an index can't take: a type other
 * than the key's, an empty value, one that is too long.
 */
extern void dyn_index_write_check_put(const DynTable *table, const DynItem *item);

/*
 * The same of an update's result, in an update's words, and only of what it has
 * changed: an item may be older than the index.  old may be NULL.
 */
extern void dyn_index_write_check_update(const DynTable *table, const DynItem *old,
										 const DynItem *new_item);

/*
 * Charge a write: the table for the larger of the two items (either may be NULL),
 * each index for what becomes of its entry.  table_factor is 2 in transactions.
 */
extern void dyn_write_charge(DynCapacity *capacity, const DynTable *table,
							 const DynKey *key, const DynItem *old,
							 const DynItem *new_item, double table_factor);

/* ----- item collections: what local indexes make of a partition ----- */

/* Would the write let a collection grow beyond dynamo.item_collection_limit? */
extern bool dyn_collection_is_full(const DynTable *table, const DynKey *key,
								   const DynItem *old, const DynItem *new_item);

/* If so, raise ItemCollectionSizeLimitExceededException. */
extern void dyn_collection_check(const DynTable *table, const DynKey *key,
								 const DynItem *old, const DynItem *new_item);

/*
 * Member ItemCollectionMetrics of a reply: nothing if the table has no
 * collections.
 */
extern void dyn_collection_write(DynJsonWriter *w, const DynTable *table,
								 const DynKey *key);

/* A write of a batch or a transaction. */
typedef struct DynCollectionWrite
{
	const char *table_name;		/* as the request names it */
	uint32		table_name_len;
	const DynTable *table;
	const DynKey *key;
} DynCollectionWrite;

/* The same for many writes: a list for each table, of each collection once. */
extern void dyn_collection_write_all(DynJsonWriter *w,
									 const DynCollectionWrite *writes, int count);

#endif							/* DYN_INDEX_WRITE_H */
