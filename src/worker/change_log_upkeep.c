/*-------------------------------------------------------------------------
 *
 * change_log_upkeep.c
 *		Keep streams and their change log as old and as large as settings say.
 *
 * Each step is a short transaction and can be repeated.  None waits for anybody:
 * what is in use is seen to in the next round.
 *
 * src/worker/change_log_upkeep.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "base/shared_state.h"
#include "stream/change_log.h"
#include "stream/shard.h"
#include "worker/change_log_upkeep.h"

/*
 * The log is kept in so many pieces: less than a piece stays longer than it
 * must, or goes earlier where the room is short.
 */
#define SEGMENTS_OF_RETENTION 24
#define SEGMENTS_OF_LIMIT 16

#define LONGEST_INTERVAL_MS 10000
#define SHORTEST_INTERVAL_MS 200

static bool
roll_over(void)
{
	return dyn_shards_roll_over(dyn_stream_shard_lifetime);
}

static bool
purge(void)
{
	return dyn_streams_purge(dyn_stream_retention);
}

static int64
limit_bytes(void)
{
	return (int64) dyn_change_log_limit * 1024 * 1024;
}

static bool
rotate(void)
{
	return dyn_change_log_rotate(dyn_stream_retention * USECS_PER_SEC / SEGMENTS_OF_RETENTION,
								 dyn_change_log_limit == 0 ? PG_INT64_MAX :
								 limit_bytes() / SEGMENTS_OF_LIMIT);
}

static bool
drop(void)
{
	return dyn_change_log_drop(GetCurrentTimestamp() - dyn_stream_retention * USECS_PER_SEC,
							   limit_bytes());
}

static bool
run_step(bool (*step) (void))
{
	MemoryContext context = CurrentMemoryContext;
	bool		result;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	XactIsoLevel = XACT_READ_COMMITTED;
	PushActiveSnapshot(GetTransactionSnapshot());
	result = step();
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
	return result;
}

void
dyn_change_log_keep_up(void)
{
	/* Without a log there has never been a stream; without numbers there is none now. */
	if (dyn_shared == NULL || !run_step(dyn_change_log_exists))
		return;
	(void) run_step(roll_over);
	(void) run_step(purge);
	(void) run_step(rotate);
	(void) run_step(dyn_change_log_seal);
	while (run_step(drop))
		;
}

int
dyn_upkeep_interval_ms(void)
{
	int			shortest_s = Min(dyn_stream_shard_lifetime, dyn_stream_retention);

	return Max(SHORTEST_INTERVAL_MS, Min(LONGEST_INTERVAL_MS, shortest_s * INT64CONST(1000) / 5));
}
