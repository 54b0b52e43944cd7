/*-------------------------------------------------------------------------
 *
 * walwriter_latch.c
 *		Asynchronous commits wake the flusher, not the WAL writer.
 *
 * Before version 17 PostgreSQL wakes its WAL writer whenever an asynchronous
 * commit has filled a page of WAL: with HTTP workers at work, thousands of times
 * a second, each time to write what the flusher is about to write, and the two
 * wait for each other's lock.  That was 8 to 12% of all PutItem.  Version 17
 * wakes it only when wal_writer_flush_after has come together, or when it has
 * gone to sleep for longer.
 *
 * There is no setting for it, but the latch to be set is in shared memory.  So
 * while the flusher has something to do, its own is there.  Sessions of SQL commit
 * asynchronously, too, and rely on the WAL writer: so it is woken after all, some
 * milliseconds later and only once for all that have committed meanwhile, which is
 * well within PostgreSQL's promise of three times wal_writer_delay; and at once
 * if wal_writer_flush_after has come together.
 *
 * The latch goes back to the WAL writer when a commit wakes the flusher that has
 * had nothing to do for a while, when the flusher ends, and where it may wait for
 * a standby and would not look.  A crash makes the shared memory anew.
 *
 * src/server/walwriter_latch.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "miscadmin.h"
#include "postmaster/walwriter.h"
#include "storage/latch.h"
#include "storage/proc.h"

#include "base/clock.h"
#include "server/flush.h"
#include "server/walwriter_latch.h"

#if PG_VERSION_NUM < 170000

/* How often the WAL writer is woken at most while there is little to write. */
#define PASS_ON_MS 10

/* So long without anything to flush, and it goes back. */
#define UNUSED_MS 100

static Latch *wal_writer = NULL;	/* NULL: commits wake it themselves */
static int64 passed_on = 0;		/* us: when it was woken last */
static int64 used = 0;			/* us: when the flusher last had to flush */

void
dyn_walwriter_latch_take(void)
{
	Latch	   *latch = ProcGlobal->walwriterLatch;

	if (dyn_flush_wants_standby())
	{
		dyn_walwriter_latch_give_back();
		return;
	}
	used = dyn_clock_us();
	/* A WAL writer started anew has taken it itself. */
	if (latch == NULL || latch == MyLatch)
		return;
	wal_writer = latch;
	ProcGlobal->walwriterLatch = MyLatch;
}

void
dyn_walwriter_latch_give_back(void)
{
	if (wal_writer == NULL)
		return;
	if (ProcGlobal->walwriterLatch == MyLatch)
		ProcGlobal->walwriterLatch = wal_writer;
	SetLatch(wal_writer);
	wal_writer = NULL;
}

static bool
is_little_to_write(void)
{
	return GetXLogInsertRecPtr() - GetFlushRecPtr(NULL) <
		(uint64) WalWriterFlushAfter * XLOG_BLCKSZ;
}

long
dyn_walwriter_latch_pass_on(void)
{
	int64		now;

	if (wal_writer == NULL)
		return -1;
	now = dyn_clock_us();
	if (now - used > UNUSED_MS * 1000)
	{
		dyn_walwriter_latch_give_back();
		return -1;
	}
	if (now - passed_on < PASS_ON_MS * 1000 && is_little_to_write())
		return PASS_ON_MS;
	SetLatch(wal_writer);
	passed_on = now;
	return -1;
}

#else

void
dyn_walwriter_latch_take(void)
{
}

void
dyn_walwriter_latch_give_back(void)
{
}

long
dyn_walwriter_latch_pass_on(void)
{
	return -1;
}

#endif
