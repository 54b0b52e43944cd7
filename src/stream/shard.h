/*-------------------------------------------------------------------------
 *
 * shard.h
 *		Streams of tables, and their shards.
 *
 * A stream is one time for which a table's changes are logged: enabled again, it
 * is another one.  Its items are divided among a fixed number of buckets by the
 * hash of their partition key.  A shard is a bucket for a range of numbers.  From
 * time to time all shards are closed at the number that comes next, and each has
 * a child that begins there: who writes knows nothing of that.
 *
 * What is not needed any more stays readable for dynamo.stream_retention.
 *
 * src/stream/shard.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_SHARD_H
#define DYN_SHARD_H

#include "nodes/pg_list.h"
#include "stream/change_number.h"
#include "table/table.h"

typedef struct DynStreamInfo
{
	DynStream	stream;			/* enabled is false for one that was disabled */
	char	   *table_name;
	pg_uuid_t	table_id;
	char	   *partition_key;
	char	   *sort_key;		/* NULL: there is none */
	Oid			owner;			/* of the table, when it was enabled */
	TimestampTz created;
	TimestampTz disabled;		/* 0: it is enabled */
} DynStreamInfo;

typedef struct DynShard
{
	int			bucket;
	int64		first_number;
	int64		end_number;		/* all are below; 0: it is open */
	int64		parent;			/* first number of the parent; 0: there is none */
	TimestampTz created;
	TimestampTz parent_created;
} DynShard;

/*
 * Log a table's changes from now on, or no longer.  It takes the relation's
 * owner.  The caller has locked the table's row and checked that it has no
 * stream, or has one.
 */
extern void dyn_stream_enable(const DynTable *table, DynStreamView view);
extern void dyn_stream_disable(const DynTable *table);

/* Tell listeners of its activity, or no longer.  The same holds for who may. */
extern void dyn_stream_set_notify(const DynTable *table, bool notify);

/* The enabled streams that are to tell; DynStreamInfos. */
extern List *dyn_streams_to_notify(void);

/*
 * A stream that can still be read: by its number, or by the table's name and its
 * label.  False if there is none.  In CurrentMemoryContext.
 */
extern bool dyn_stream_get(int32 id, DynStreamInfo *info);
extern bool dyn_stream_find(const char *table_name, const char *label,
							DynStreamInfo *info);

/*
 * Those behind (table name, label), in that order, of one table or (NULL) of all;
 * at most limit DynStreamInfos.
 */
extern List *dyn_stream_list(const char *table_name, const char *after_table,
							 const char *after_label, int limit);

/* May the current user read it? */
extern bool dyn_stream_is_readable(const DynStreamInfo *info);

/*
 * The state of a shard as it is now: one that is open ends behind all that was
 * settled before.  Unless may_wait, raises ERRCODE_LOCK_NOT_AVAILABLE while shards
 * are being closed.
 */
extern bool dyn_shard_get(int32 stream, int bucket, int64 first_number,
						  bool may_wait, DynShard *shard);

/*
 * Shards of a stream behind one of them (or NULL) in order of their first numbers
 * and buckets, parents so before children; those of one parent only, unless NULL.
 * At most limit DynShards.
 */
extern List *dyn_shard_list(int32 stream, const DynShard *after,
							const DynShard *parent, int limit);

/*
 * Upkeep, in a transaction of a superuser's: close shards that are older than
 * lifetime_s and open others; forget what ended before retention_s.
 */
extern bool dyn_shards_roll_over(int lifetime_s);
extern bool dyn_streams_purge(int retention_s);

#endif							/* DYN_SHARD_H */
