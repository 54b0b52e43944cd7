/*-------------------------------------------------------------------------
 *
 * readiness.c
 *		GET /ready: should a load balancer send requests here?
 *
 * Apart from GET /, which says "healthy" as long as the process runs: that is
 * the service's answer, and what liveness checks ask for.
 *
 * src/server/readiness.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "utils/timestamp.h"

#include "base/process.h"
#include "base/shared_state.h"
#include "server/database_hold.h"
#include "server/flush.h"
#include "server/readiness.h"

/* A reply that is held for longer: the disk is stuck, or a standby is gone. */
#define STUCK_FLUSH_MS 10000

static bool
flush_is_stuck(void)
{
	TimestampTz now = GetCurrentTimestamp();

	for (int i = 0; i < dyn_shared->nworkers; i++)
	{
		DynWorkerSlot *slot = &dyn_shared->workers[i];

		if (pg_atomic_read_u64(&slot->waiting) != 0 &&
			TimestampDifferenceExceeds(pg_atomic_read_u64(&slot->waiting_since),
									   now, STUCK_FLUSH_MS))
			return true;
	}
	return false;
}

static bool
flusher_is_missing(void)
{
	return pg_atomic_read_u32(&dyn_shared->flusher.pid) == 0 &&
		!dyn_flush_is_own_task();
}

int
dyn_readiness(bool extension_present, StringInfo out)
{
	const char *reason = NULL;

	if (dyn_process_must_stop())
		reason = "stopping";
	else if (dyn_database_is_held())
		reason = "the database is being dropped or altered";
	else if (!extension_present)
		reason = "extension dynamo is not installed";
	else if (RecoveryInProgress())
		reason = "standby: eventually consistent reads only";
	else if (flusher_is_missing())
		reason = "no flusher";
	else if (flush_is_stuck())
		reason = "flush is stuck";

	if (reason == NULL)
	{
		appendStringInfoString(out, "ready\n");
		return 200;
	}
	appendStringInfo(out, "not ready: %s\n", reason);
	return 503;
}
