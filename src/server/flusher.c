/*-------------------------------------------------------------------------
 *
 * flusher.c
 *		The process that flushes WAL for all HTTP workers.
 *
 * Workers raise flush_wanted and wake it; it flushes, waits for the standby
 * where the settings ask for one, publishes flush_done and wakes the workers
 * whose replies it has set free.  While it is busy others come to wait, and
 * the next flush covers them all: that is the group.
 *
 * It is connected to no database, so DROP DATABASE does not mind it.
 *
 * src/server/flusher.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "access/xlog.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/wait_event.h"

#include "base/process.h"
#include "server/flush.h"
#include "server/walwriter_latch.h"

/* While a standby's answer was broken off or is not to be had yet. */
#define RETRY_DELAY_MS 10

/* The shortest that there is; a flush takes less of a processor. */
#define SLICE_NS 100000

/*
 * All writes wait for this process, which computes for some microseconds at a
 * time.  Where SQL sessions keep all processors busy it would wait for the whole
 * slice of one of them, twice for each flush: some milliseconds.  Linux, since
 * 6.12, lets who asks for shorter slices go first, for no more than its share;
 * older kernels take no notice.  Beside two or four such sessions on two
 * processors, eight clients get 80% more PutItem by it.
 */
static void
ask_for_short_slices(void)
{
#ifdef SYS_sched_setattr
	/* As the kernel has it; not all C libraries know it. */
	struct
	{
		uint32		size;
		uint32		policy;
		uint64		flags;
		int32		nice;
		uint32		priority;
		uint64		runtime;
		uint64		deadline;
		uint64		period;
	}			attributes = {0};

	if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0 ||
		attributes.policy != SCHED_OTHER)
		return;
	attributes.runtime = SLICE_NS;
	if (syscall(SYS_sched_setattr, 0, &attributes, 0) != 0)
		elog(DEBUG1, "could not ask for short slices of time: %m");
#endif
}

static void
wake_waiting_workers(void)
{
	XLogRecPtr	durable = dyn_flush_durable();

	/* The other half of the barrier is in worker.c, request_flush(). */
	pg_memory_barrier();
	for (int i = 0; i < dyn_shared->nworkers; i++)
	{
		DynWorkerSlot *slot = &dyn_shared->workers[i];
		uint64		waiting = pg_atomic_read_u64(&slot->waiting);

		if (waiting != 0 && waiting <= durable)
			dyn_process_wake(&slot->process);
	}
}

static void
leave(int code, Datum arg)
{
	dyn_walwriter_latch_give_back();
	dyn_process_leave(&dyn_shared->flusher, code == 0);
	dyn_process_wake(&dyn_shared->launcher);

	/* Workers may have to flush for themselves now. */
	for (int i = 0; i < dyn_shared->nworkers; i++)
		dyn_process_wake(&dyn_shared->workers[i].process);
}

void
dyn_flusher_main(Datum arg)
{
	/*
	 * A cancel during the wait for a standby ends that wait; nothing would be
	 * acknowledged by it, but there is nothing to cancel here either.  SIGTERM
	 * must end it, so it sets what SyncRepWaitForLSN() looks at.
	 */
	dyn_process_start("dynamo flusher");
	pqsignal(SIGINT, SIG_IGN);
	ask_for_short_slices();

	if (!dyn_process_enter(&dyn_shared->flusher))
		proc_exit(0);
	before_shmem_exit(leave, 0);
	dyn_process_connect(InvalidOid);	/* to be seen in pg_stat_activity */
	pgstat_report_activity(STATE_IDLE, NULL);

	for (;;)
	{
		XLogRecPtr	wanted;
		bool		done = true;
		long		timeout;

		ResetLatch(MyLatch);
		dyn_process_interrupts();
		if (dyn_process_must_stop())
			break;

		/* Nothing is waiting on a standby; promotion needs no notice. */
		wanted = pg_atomic_read_u64(&dyn_shared->flush_wanted);
		if (!RecoveryInProgress() && wanted > dyn_flush_durable())
		{
			dyn_walwriter_latch_take();
			pgstat_report_activity(STATE_RUNNING, "flushing WAL");
			done = dyn_flush_inline(wanted);
			pgstat_report_activity(STATE_IDLE, NULL);
			if (dyn_process_must_stop())
				break;
		}
		wake_waiting_workers();
		timeout = dyn_walwriter_latch_pass_on();

		if (!done)
			timeout = RETRY_DELAY_MS;
		else if (pg_atomic_read_u64(&dyn_shared->flush_wanted) != wanted)
			continue;
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_EXIT_ON_PM_DEATH |
						 (timeout >= 0 ? WL_TIMEOUT : 0),
						 timeout, PG_WAIT_EXTENSION);
	}
	proc_exit(0);
}
