/*-------------------------------------------------------------------------
 *
 * relation.h
 *		A table's heap and key index, opened for one call of the store.
 *
 * src/store/relation.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_RELATION_H
#define DYN_RELATION_H

#include "access/genam.h"
#include "access/skey.h"
#include "executor/tuptable.h"
#include "nodes/parsenodes.h"
#include "utils/relcache.h"

#include "item/key.h"
#include "table/table.h"

/* (hash, partition, sort): most columns a key index has. */
#define DYN_MAX_KEY_COLUMNS 3

/* The strategy of begins_with in dynamo_key's operator class for bytea. */
#define DYN_BEGINS_WITH_STRATEGY 6

typedef struct DynRelation
{
	const DynTable *table;
	Relation	heap;
	Relation	index;			/* the key index, or a secondary one */
} DynRelation;

/*
 * Open with lock_mode, held to the end of the transaction.  Raises if the
 * current user lacks any of the privileges (one bit: a set is satisfied by any
 * of it), ResourceNotFoundException if the table has gone,
 * ERRCODE_LOCK_NOT_AVAILABLE as dyn_store_nowait says.
 */
extern void dyn_relation_open(const DynTable *table, LOCKMODE lock_mode,
							  AclMode privileges, DynRelation *relation);

/*
 * The same for a table that the transaction has locked in this mode before, and
 * whose descriptor relation->table was then.
 */
extern void dyn_relation_reopen(const DynTable *table, LOCKMODE lock_mode,
								AclMode privileges, DynRelation *relation);

/* As dyn_relation_open(), but returns false if the table is locked by DDL for longer. */
extern bool dyn_relation_try_open(const DynTable *table, LOCKMODE lock_mode,
								  AclMode privileges, DynRelation *relation);

/*
 * The same with a secondary index in place of the key index.  Raises
 * ValidationException if it has gone.
 */
extern void dyn_relation_open_index(const DynTable *table, const DynIndex *index,
									LOCKMODE lock_mode, AclMode privileges,
									DynRelation *relation);
extern void dyn_relation_close(DynRelation *relation);

/* Raise unless the current user has the privileges on the relation. */
extern void dyn_relation_check_privileges(const DynRelation *relation,
										  AclMode privileges);

/* Scan keys for equality with a whole key; returns how many. */
extern int	dyn_relation_key_scan_keys(const DynKey *key, ScanKey keys);

/* A scan key on column attnum (of the index) of type bytea. */
extern void dyn_relation_bytea_scan_key(ScanKey scan_key, AttrNumber attnum,
										StrategyNumber strategy,
										const DynValue *value);

/* A key part as its column's datum; palloc'd. */
extern Datum dyn_relation_key_datum(const DynValue *value);

/*
 * The item of a slot with a tuple of the relation: points into it, or, detoasted or
 * opened, in CurrentMemoryContext.  Raises ERRCODE_DATA_CORRUPTED if the item is
 * not sealed as the table's are, or is not that of the row.
 */
extern DynItem *dyn_relation_slot_item(const DynRelation *relation, TupleTableSlot *slot);

/* The same, copied to CurrentMemoryContext. */
extern DynItem *dyn_relation_copy_item(const DynRelation *relation, TupleTableSlot *slot);

/* The same of a tuple. */
extern DynItem *dyn_relation_tuple_item(const DynTable *table, Relation heap,
										HeapTuple tuple);

/* Has the tuple in slot this key? */
extern bool dyn_relation_has_key(TupleTableSlot *slot, const DynKey *key);

/*
 * Find the tuple under a key that snapshot sees, into slot.  Works with a
 * dirty snapshot too.
 */
extern bool dyn_relation_find(const DynRelation *relation, const DynKey *key,
							  Snapshot snapshot, TupleTableSlot *slot);

#endif							/* DYN_RELATION_H */
