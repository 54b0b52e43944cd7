/*-------------------------------------------------------------------------
 *
 * store.h
 *		Items on disk: get, write, walk.  Bytes, keys and locks; no rules.
 *
 * Every function runs inside a transaction.  Reads see the latest committed
 * state (a fresh snapshot each call) unless the caller's transaction has a
 * snapshot of its own (REPEATABLE READ and above).
 *
 * Writing is optimistic:
 *
 *		for (;;)
 *		{
 *			result = dyn_store_begin(table, &key, may_wait, &write);
 *			-- BUSY: somebody else's transaction holds the item
 *			... look at write.old, decide, make the new item ...
 *			result = dyn_store_finish(&write, new_item);
 *			-- CHANGED: somebody was faster; begin again
 *		}
 *
 * With may_wait false nothing ever waits for another transaction: BUSY is
 * returned before anything was changed, and the caller may simply go on to
 * other work and try again.  With may_wait true (SQL callers) BUSY is never
 * returned.  The caller has an active snapshot from begin to finish: it keeps
 * the version that was read from being vacuumed away and its place reused.
 * dyn_store_begin() after a CHANGED locks the newest version, so a hot key
 * can't starve a writer.
 *
 * A transaction over several items can't begin again in the middle.  It locks
 * them all with dyn_store_lock(), in one order for everybody, before it looks
 * at any, and then finishes those it writes.
 *
 * src/store/store.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_STORE_H
#define DYN_STORE_H

#include "item/item_format.h"
#include "item/key.h"
#include "nodes/parsenodes.h"
#include "storage/itemptr.h"
#include "table/table.h"
#include "utils/snapshot.h"

typedef enum DynStoreResult
{
	DYN_STORE_OK,
	DYN_STORE_BUSY,
	DYN_STORE_CHANGED
} DynStoreResult;

/*
 * What the operation that runs was allowed by other means than the privileges of
 * the current user, or what it may not do though he may do as much elsewhere:
 * for operations on items only, triggers and functions inside of them have no
 * part in it.  dyn_operation_run() sets and resets the list.
 */
typedef struct DynStorePermit DynStorePermit;
struct DynStorePermit
{
	DynStorePermit *next;
	Oid			relation;
	AclMode		allowed;		/* without the privilege */
	AclMode		withheld;		/* of these, what takes the privilege after all */
	void		(*refuse) (const DynStorePermit *permit);	/* raises */
	const void *authorization;
};

extern DynStorePermit *dyn_store_permits;

/*
 * True while a request runs that must not wait for another transaction
 * (dyn_operation_run() sets it): a table
 * locked by DDL then raises ERRCODE_LOCK_NOT_AVAILABLE, which means "run the
 * request again later".
 */
extern bool dyn_store_nowait;

/*
 * Set by a write to a relation that runs others' code with it: triggers,
 * constraints, indexes on expressions.  dyn_operation_run() says so to its caller.
 */
extern bool dyn_store_ran_code;

/* The item under a key, or NULL.  In CurrentMemoryContext. */
extern DynItem *dyn_store_get(const DynTable *table, const DynKey *key);

/*
 * The same as of a registered or active snapshot.  BUSY, where dyn_store_get()
 * raises ERRCODE_LOCK_NOT_AVAILABLE: the table is locked by DDL.
 */
extern DynStoreResult dyn_store_get_at(const DynTable *table, const DynKey *key,
									   Snapshot snapshot, DynItem **item);

typedef struct DynStoreWrite
{
	const DynTable *table;
	const DynKey *key;
	bool		may_wait;
	DynItem    *old;			/* NULL: there is none */
	ItemPointerData tid;		/* of old */
	bool		locked;			/* old's tuple is locked by us */
	bool		held;			/* by dyn_store_lock(): nobody can be faster */
	bool		key_locked;		/* there is no tuple, and its key is locked */
	int			attempts;		/* CHANGED so far; zero it before the first begin */
} DynStoreWrite;

/* Zero *write before the first call.  Fills old.  OK or BUSY. */
extern DynStoreResult dyn_store_begin(const DynTable *table, const DynKey *key,
									  bool may_wait, DynStoreWrite *write);

/*
 * Lock the newest state of an item, or that there is none, to the end of the
 * transaction, and read it: OK or BUSY; after BUSY nothing of this item is
 * locked.  to_write: for dyn_store_finish(), which then returns OK, or raises
 * a serialization failure if a plain INSERT or a trigger came in between.
 * Else nobody can change it, but others may look at it in the same way.  An
 * INSERT statement is not kept from inserting a key that was found missing;
 * every operation is.
 */
extern DynStoreResult dyn_store_lock(const DynTable *table, const DynKey *key,
									 bool to_write, bool may_wait,
									 DynStoreWrite *write);

/*
 * SQL's privileges count: reading needs SELECT on the relation, a write SELECT
 * and INSERT, UPDATE or DELETE by what it does; else PostgreSQL's own
 * ERRCODE_INSUFFICIENT_PRIVILEGE.
 */

/*
 * Insert, replace or (new_item NULL) delete; deleting what is not there does
 * nothing.  OK, BUSY or CHANGED.  Ends with CommandCounterIncrement().
 */
extern DynStoreResult dyn_store_finish(DynStoreWrite *write,
									   const DynItem *new_item);

/*
 * A walk over one partition in sort-key order (Query), or over the table in
 * hash order (Scan).
 */
typedef struct DynStoreRange
{
	/* Query: partition is set.  Scan: it is NULL and hash bounds apply. */
	const DynKey *partition;	/* hash and partition used */
	int64		hash_low;		/* inclusive */
	int64		hash_high;		/* inclusive */

	/* Bounds on the sort key's bytes; data NULL: none. */
	DynValue	low;
	bool		low_inclusive;
	DynValue	high;
	bool		high_inclusive;
	DynValue	begins_with;

	bool		backward;
	const DynKey *start_after;	/* exclusive start key, or NULL */
} DynStoreRange;

/* A walk over a secondary index: a range of its entries' bytes. */
typedef struct DynStoreIndexRange
{
	DynValue	low;			/* data NULL: no bound; types don't matter */
	bool		low_inclusive;
	DynValue	high;
	bool		high_inclusive;
	bool		backward;
} DynStoreIndexRange;

typedef struct DynStoreCursor DynStoreCursor;

extern DynStoreCursor *dyn_store_open(const DynTable *table,
									  const DynStoreRange *range);

/* Raises ValidationException if the index has gone. */
extern DynStoreCursor *dyn_store_open_index(const DynTable *table,
											const DynIndex *index,
											const DynStoreIndexRange *range);

/* The next item, or NULL at the end.  It is valid until the next call. */
extern DynItem *dyn_store_next(DynStoreCursor *cursor);
extern void dyn_store_close(DynStoreCursor *cursor);

#endif							/* DYN_STORE_H */
