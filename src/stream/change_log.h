/*-------------------------------------------------------------------------
 *
 * change_log.h
 *		The change log: what happened to the items of tables with a stream.
 *
 * A change is written in the transaction that makes it, so it is there if and
 * only if the change is.  Changes that change nothing are not written.
 *
 * The log is a row of relations, segments, of which the newest is written to.
 * Old ones are dropped as a whole, so there is nothing to vacuum.
 *
 * src/stream/change_log.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_CHANGE_LOG_H
#define DYN_CHANGE_LOG_H

#include "datatype/timestamp.h"
#include "stream/change_number.h"
#include "table/table.h"

/* Stored; never change. */
typedef enum DynChangeEvent
{
	DYN_CHANGE_INSERT = 'I',
	DYN_CHANGE_MODIFY = 'M',
	DYN_CHANGE_REMOVE = 'R',
	DYN_CHANGE_EXPIRE = 'X'		/* a REMOVE by time to live */
} DynChangeEvent;

typedef struct DynChange
{
	int64		number;
	TimestampTz time;
	DynChangeEvent event;
	DynItem    *keys;			/* only if there is no image that has them */
	DynItem    *old_item;		/* NULL: there was none, or the view has none */
	DynItem    *new_item;
} DynChange;

/*
 * While this is the OID of a table's relation, deletions there are those of time
 * to live, which consumers can tell from others.
 */
extern Oid	dyn_change_log_expiring;

/*
 * Write a change: old_item NULL is an insert, new_item NULL a deletion.  Does
 * nothing if the table has no stream or both are equal.  The item has been
 * changed, so its tuple is locked, and the key is the same of both.
 */
extern void dyn_change_log_append(const DynTable *table, const DynKey *key,
								  const DynItem *old_item,
								  const DynItem *new_item);

/*
 * The changes of a shard with numbers in [from, until), in their order.  until
 * comes from dyn_change_number_settled(), called before.  Lives in
 * CurrentMemoryContext, and a change in that of the call, until the next one is
 * read.
 */
typedef struct DynChangeReader DynChangeReader;

extern DynChangeReader *dyn_change_reader_open(DynShardKey shard, int64 from,
											   int64 until);
extern bool dyn_change_reader_next(DynChangeReader *reader, DynChange *change);
extern void dyn_change_reader_close(DynChangeReader *reader);

/* What is older has been dropped; PG_INT64_MAX if there is no log. */
extern int64 dyn_change_log_oldest(void);

/* False if nothing has ever been logged. */
extern bool dyn_change_log_exists(void);

/*
 * See to it that there is a segment to write to, as the catalog's owner.
 * Called where a stream is enabled.
 */
extern void dyn_change_log_require(void);

/*
 * The steps of the log's upkeep, each of which the caller gives a transaction
 * of its own as a superuser: begin a new segment if the newest one is older
 * than age or larger than size; note of those before that nobody writes to them
 * any more; drop the oldest one that ended before the time ended, or if the log
 * is larger than limit.  True if something was done.
 */
extern bool dyn_change_log_rotate(int64 age_us, int64 size);
extern bool dyn_change_log_seal(void);
extern bool dyn_change_log_drop(TimestampTz ended, int64 limit);

#endif							/* DYN_CHANGE_LOG_H */
