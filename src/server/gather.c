/*-------------------------------------------------------------------------
 *
 * gather.c
 *		How many writes are worth a transaction id just now?
 *
 * Requests that are in the queue together share a transaction.  On a busy
 * server that happens by itself, but clients that come one after the other,
 * each just when the one before is done, would still use an id each: at
 * thousands of writes a second, ids for the whole of autovacuum_freeze_max_age
 * are gone within hours.  So, like commit_delay, a write waits for others if so
 * many connections write so often that others must be expected shortly: for
 * GATHER_US, or as long as a commit of this worker waits for its flush, since
 * what is written now can't become durable in the flush that is under way.
 *
 * Few clients, or slow ones, never wait.
 *
 * src/server/gather.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "port/pg_bitutils.h"

#include "server/gather.h"

/* This many are worth an id in any case. */
#define ENOUGH_WRITES 6

/* Connections that write, for each write that is waited for. */
#define WRITERS_PER_WRITE 2

#define GATHER_US 500
#define WINDOW_US 10000

void
dyn_gather_note(DynGather *gather, const void *connection, bool is_first,
				int64 now)
{
	int64		elapsed = now - gather->window_start;

	if (elapsed >= WINDOW_US)
	{
		int			writers = pg_popcount64(gather->window_writers);
		int64		expected = gather->window_writes * GATHER_US / elapsed;

		gather->target = Min(ENOUGH_WRITES,
							 Min(writers / WRITERS_PER_WRITE, expected));
		gather->window_start = now;
		gather->window_writes = 0;
		gather->window_writers = 0;
	}
	gather->window_writes++;
	gather->window_writers |=
		UINT64CONST(1) << (murmurhash32((uint32) ((uintptr_t) connection >> 4)) % 64);
	if (is_first)
		gather->since = now;
}

int64
dyn_gather_wait(const DynGather *gather, int queued, bool flushing, int64 now)
{
	if (queued >= gather->target)
		return 0;

	/* The flush ends with a latch; look again then, or after a while. */
	if (flushing)
		return GATHER_US;
	return Max(0, gather->since + GATHER_US - now);
}
