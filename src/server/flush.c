/*-------------------------------------------------------------------------
 *
 * flush.c
 *		Durable before acknowledged: which WAL a reply has to wait for.
 *
 * A worker commits asynchronously, so a commit is visible before it is
 * durable.  Two promises have to be kept:
 *
 * 1. A write is acknowledged only when its commit record is durable: its reply
 *    waits for the commit record's end.
 *
 * 2. A read tells nobody what a crash could take back: its reply waits for
 *    the commit records of everything it may have seen.  It can't know which
 *    transactions those are, but it knows a bound: each worker announces the
 *    end of its newest commit record in its slot's "pending".
 *
 * The announcement must not come after the commit became visible, and the
 * position is not known before.  So a worker
 *
 *		(a) sets pending to DYN_COMMITTING
 *		(b) commits: inserts the commit record, then leaves the ProcArray
 *		(c) sets pending to the end of the commit record
 *
 * and a reader, after its last read, looks at every pending.  If it saw the
 * commit, its snapshot was taken after (b), under ProcArrayLock, which the
 * committer held later than (a); so the reader finds (a) or something newer.
 * If it finds a position, that is this commit's or a later one's, which covers
 * it.  If it finds DYN_COMMITTING, the commit record of anything it can have
 * seen is in WAL already (the record precedes the visibility), so the present
 * end of WAL covers it.  The barriers make "after" and "later" hold on
 * machines that reorder memory accesses; the lock alone already would.
 *
 * A commit by an SQL session is durable before it becomes visible, unless
 * the session chose synchronous_commit = off: that choice is theirs, and a
 * reader of ours doesn't wait for it (docs/operations_guide.md says so).
 *
 * src/server/flush.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "replication/syncrep.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "utils/wait_event.h"

#include "server/flush.h"

/*
 * The end of WAL inserted so far.  Where a page has just been filled, the
 * insert position already stands behind the next page's header, which nobody
 * has written and which a flush can't reach: then the page's start is meant.
 */
static XLogRecPtr
inserted_end(void)
{
	XLogRecPtr	lsn = GetXLogInsertRecPtr();

	if (XLogSegmentOffset(lsn, wal_segment_size) == SizeOfXLogLongPHD)
		lsn -= SizeOfXLogLongPHD;
	else if (lsn % XLOG_BLCKSZ == SizeOfXLogShortPHD)
		lsn -= SizeOfXLogShortPHD;
	return lsn;
}

XLogRecPtr
dyn_flush_commit(DynWorkerSlot *slot)
{
	int			saved_synchronous_commit = synchronous_commit;
	XLogRecPtr	lsn;

	if (!TransactionIdIsValid(GetTopTransactionIdIfAny()))
	{
		CommitTransactionCommand();
		return InvalidXLogRecPtr;
	}

	pg_atomic_write_u64(&slot->pending, DYN_COMMITTING);
	pg_memory_barrier();

	/*
	 * The variable and not the setting: for this one call, and what the
	 * setting says is still needed to know whether a standby is wanted.
	 */
	synchronous_commit = SYNCHRONOUS_COMMIT_OFF;
	PG_TRY();
	{
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		/* Most likely nothing was committed, but this is right anyway. */
		synchronous_commit = saved_synchronous_commit;
		pg_atomic_write_u64(&slot->pending, inserted_end());
		PG_RE_THROW();
	}
	PG_END_TRY();
	synchronous_commit = saved_synchronous_commit;

	lsn = XactLastCommitEnd;
	pg_memory_barrier();
	pg_atomic_write_u64(&slot->pending, lsn);
	return lsn;
}

void
dyn_flush_leave(DynWorkerSlot *slot)
{
	if (pg_atomic_read_u64(&slot->pending) == DYN_COMMITTING)
		pg_atomic_write_u64(&slot->pending, inserted_end());
	pg_atomic_write_u64(&slot->waiting, 0);
}

XLogRecPtr
dyn_flush_seen(void)
{
	XLogRecPtr	seen = InvalidXLogRecPtr;

	pg_memory_barrier();
	for (int i = 0; i < dyn_shared->nworkers; i++)
	{
		uint64		pending = pg_atomic_read_u64(&dyn_shared->workers[i].pending);

		if (pending == DYN_COMMITTING)
			return inserted_end();
		seen = Max(seen, pending);
	}
	return seen;
}

bool
dyn_flush_wants_standby(void)
{
	return SyncRepRequested() &&
		SyncRepStandbyNames != NULL && SyncRepStandbyNames[0] != '\0';
}

XLogRecPtr
dyn_flush_durable(void)
{
	if (dyn_flush_wants_standby())
		return pg_atomic_read_u64(&dyn_shared->flush_done);

	/* On a standby all there is to see has been replayed from durable WAL. */
	if (RecoveryInProgress())
		return PG_UINT64_MAX;
	return GetFlushRecPtr(NULL);
}

void
dyn_flush_request(XLogRecPtr lsn)
{
	dyn_atomic_raise(&dyn_shared->flush_wanted, lsn);
	dyn_process_wake(&dyn_shared->flusher);
}

bool
dyn_flush_is_own_task(void)
{
	if (pg_atomic_read_u32(&dyn_shared->flusher_expected) == 0)
		return true;
	return pg_atomic_read_u32(&dyn_shared->flusher.pid) == 0 &&
		!dyn_flush_wants_standby();
}

/*
 * Has the standby confirmed lsn, at the level synchronous_commit asks for?
 * Asked afterwards, because SyncRepWaitForLSN() doesn't tell why it returned:
 * a cancelled wait looks like a successful one.
 */
static bool
standby_has(XLogRecPtr lsn)
{
	int			mode;
	bool		result;

	if (synchronous_commit == SYNCHRONOUS_COMMIT_REMOTE_WRITE)
		mode = SYNC_REP_WAIT_WRITE;
	else if (synchronous_commit == SYNCHRONOUS_COMMIT_REMOTE_APPLY)
		mode = SYNC_REP_WAIT_APPLY;
	else
		mode = SYNC_REP_WAIT_FLUSH;

	LWLockAcquire(SyncRepLock, LW_SHARED);
	result = lsn <= WalSndCtl->lsn[mode];
	LWLockRelease(SyncRepLock);
	return result;
}

bool
dyn_flush_inline(XLogRecPtr lsn)
{
	instr_time	start,
				duration;

	INSTR_TIME_SET_CURRENT(start);

	XLogFlush(lsn);

	if (dyn_flush_wants_standby() && !standby_has(lsn))
	{
		/*
		 * An SQL session may be waiting for just this position: inserted_end()
		 * can be the end of its commit record.  PostgreSQL asserts that no two
		 * wait for the same one.  Records end at aligned positions, so the one
		 * before is nobody's; and only one process of ours waits, the flusher or
		 * a worker that does without.
		 */
		HOLD_INTERRUPTS();
		SyncRepWaitForLSN(lsn - 1, true);
		RESUME_INTERRUPTS();
		if (!standby_has(lsn))
			return false;
	}
	else if (!dyn_flush_wants_standby())
		lsn = GetFlushRecPtr(NULL);

	dyn_atomic_raise(&dyn_shared->flush_done, lsn);

	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);
	dyn_histogram_add(&dyn_shared->metrics.flush,
					  INSTR_TIME_GET_MICROSEC(duration));
	return true;
}
