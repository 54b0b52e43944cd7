/*-------------------------------------------------------------------------
 *
 * stream_notify.c
 *		Tell listeners of new changes in streams.
 *
 * Not the writers do it: a transaction that notifies commits under a lock of
 * the whole server's.  Here it costs a look at shared memory, and one commit for
 * all streams with anything new.
 *
 * src/worker/stream_notify.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/async.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "stream/shard.h"
#include "table/catalog.h"
#include "worker/stream_notify.h"

#define CHANNEL "dynamo_stream"

/* Up to which number listeners know of a stream, bucket by bucket. */
typedef struct Told
{
	int32		stream;
	bool		wanted;			/* still, in this look */
	int			nbuckets;
	int64		numbers[FLEXIBLE_ARRAY_MEMBER];
} Told;

static List *all_told = NIL;

/*
 * Listeners of one that is new know of everything so far; not if it is new to
 * this process, which has just been started.
 */
static Told *
told_of(const DynStream *stream, bool just_started)
{
	MemoryContext caller;
	Told	   *told;
	ListCell   *cell;

	foreach(cell, all_told)
	{
		told = lfirst(cell);
		if (told->stream == stream->id)
			return told;
	}
	caller = MemoryContextSwitchTo(TopMemoryContext);
	told = palloc(offsetof(Told, numbers) + stream->nshards * sizeof(int64));
	told->stream = stream->id;
	told->nbuckets = stream->nshards;
	for (int i = 0; i < told->nbuckets; i++)
		told->numbers[i] = just_started ? 0 : dyn_change_number_next() - 1;
	all_told = lappend(all_told, told);
	MemoryContextSwitchTo(caller);
	return told;
}

/* True if there is something to read that nobody has been told of. */
static bool
has_news(Told *told)
{
	bool		news = false;

	for (int i = 0; i < told->nbuckets; i++)
	{
		DynShardKey key = dyn_shard_key(told->stream, i);
		int64		newest = dyn_change_number_newest(key);

		/* What is not settled yet is told of when it is. */
		if (newest <= told->numbers[i] || dyn_change_number_settled(key) <= newest)
			continue;
		told->numbers[i] = newest;
		news = true;
	}
	return news;
}

static void
forget_unwanted(void)
{
	ListCell   *cell;

	foreach(cell, all_told)
	{
		Told	   *told = lfirst(cell);

		if (told->wanted)
			continue;
		all_told = foreach_delete_current(all_told, cell);
		pfree(told);
	}
}

static bool
tell(void)
{
	static bool just_started = true;
	List	   *streams = dyn_streams_to_notify();
	ListCell   *cell;

	foreach(cell, all_told)
		((Told *) lfirst(cell))->wanted = false;
	foreach(cell, streams)
	{
		const DynStreamInfo *info = lfirst(cell);
		Told	   *told = told_of(&info->stream, just_started);

		told->wanted = true;
		if (has_news(told))
			Async_Notify(CHANNEL, dyn_stream_arn(info->table_name, info->stream.label));
	}
	forget_unwanted();
	just_started = false;
	return streams != NIL;
}

bool
dyn_streams_tell(void)
{
	MemoryContext context = CurrentMemoryContext;
	bool		any = false;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	XactIsoLevel = XACT_READ_COMMITTED;
	PushActiveSnapshot(GetTransactionSnapshot());
	if (OidIsValid(dyn_stream_catalog_relation()))
		any = tell();
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
	return any;
}
