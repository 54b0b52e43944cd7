/*-------------------------------------------------------------------------
 *
 * change_number.h
 *		Numbers of changes: in the order in which changes become final.
 *
 * A change takes its number while its item is locked, so the numbers of one
 * item rise as its transactions commit.  Over all items they don't: a number is
 * taken before the commit, and transactions don't commit in the order of their
 * numbers.  A reader that delivered all it can see would pass a number whose
 * transaction is still open, and never come back to it.
 *
 * So a transaction publishes, before it takes its first number in a shard, a
 * bound below it, and takes that back after its changes have become visible.
 * A reader asks dyn_change_number_settled() first and takes its snapshot then: all
 * numbers below the answer are decided, and the snapshot sees them.
 *
 * A number is (timeline << 52) + a position in WAL, or more exactly a counter
 * that starts at the end of WAL and stays below it: each number is followed by
 * the record of its change, which is longer than a byte.  So nothing has to be
 * stored, and numbers rise over a restart, a crash and the promotion of a
 * standby, even one that had not got everything.
 *
 * src/stream/change_number.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_CHANGE_NUMBER_H
#define DYN_CHANGE_NUMBER_H

#include "datatype/timestamp.h"

/* Which shard of which stream, over all of its generations. */
typedef int64 DynShardKey;

#define DYN_MAX_STREAM_SHARDS 256

static inline DynShardKey
dyn_shard_key(int32 stream, int bucket)
{
	return (int64) stream * DYN_MAX_STREAM_SHARDS + bucket;
}

/* Ask for the shared memory; called under shared_preload_libraries. */
extern void dyn_change_number_request_memory(void);

/*
 * The next number for a change in a shard, held until the transaction ends.
 * The caller has the item locked.  Raises if the library has not been
 * preloaded.
 */
extern int64 dyn_change_number_take(DynShardKey shard);

/* All numbers taken from now on are at least this. */
extern int64 dyn_change_number_next(void);

/*
 * Have numbers be at least this, which was one of this database on another
 * server: by pg_upgrade timelines begin anew.
 */
extern void dyn_change_number_reach(int64 number);

/* True if numbers are still of the timeline that number was taken in. */
extern bool dyn_change_number_same_timeline(int64 number);

/*
 * Changes of the shard with numbers below this are committed, and seen by every
 * snapshot that is taken from now on, or have been rolled back.
 * No number below it is taken again, not even after a crash.
 */
extern int64 dyn_change_number_settled(DynShardKey shard);

/*
 * False if there can be no change of the shard with a number of at least from
 * that has been committed; true if there may be.  Costs next to nothing.
 */
extern bool dyn_change_number_may_have(DynShardKey shard, int64 from);

/*
 * The newest number that a change of the shard, or of another one, was given;
 * or, not lower than any, one from before the server started.
 */
extern int64 dyn_change_number_newest(DynShardKey shard);

/* Since when the transaction that has held numbers longest does so; false: none does. */
extern bool dyn_change_number_held_since(TimestampTz *since);

#endif							/* DYN_CHANGE_NUMBER_H */
