/*-------------------------------------------------------------------------
 *
 * scheduler.c
 *		The processes that do background jobs.
 *
 * The scheduler, started by the launcher, deletes expired items every now and
 * then, and looks for indexes to be made or deleted, and tables to be sealed.  That may take long, and
 * wait for other people's transactions, so it has a process of its own while
 * there is such work: the index job.  Where no slot for one is left, the
 * scheduler does the work itself, and expired items wait.
 *
 * It also sees to the change log of streams, and writes down when access keys
 * were used.
 *
 * CALL dynamo.run_jobs() does the same work, all that there is, in a session:
 * for servers without the endpoint's processes, and for tests.
 *
 * src/worker/scheduler.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "auth/key_use.h"
#include "base/process.h"
#include "base/settings.h"
#include "base/shared_state.h"
#include "worker/change_log_upkeep.h"
#include "worker/index_job.h"
#include "worker/scheduler.h"
#include "worker/seal_job.h"
#include "worker/stream_notify.h"
#include "worker/time_to_live.h"

/*
 * A change of the catalog wakes the scheduler.  Some come without: a prepared
 * transaction that commits, a standby that is promoted.
 */
#define POLL_MS 10000

/* After a failure: 1, 2, 4, ... seconds. */
#define FIRST_RETRY_MS 1000
#define LONGEST_RETRY_MS 60000

PG_FUNCTION_INFO_V1(dynamo_run_jobs);

static MemoryContext turn_context;	/* of one look at what there is to do */

static bool
must_leave(void)
{
	return dyn_process_must_stop() ||
		pg_atomic_read_u32(&dyn_shared->database_holds) > 0;
}

/* Work can be done neither on a standby nor where writes are not wanted. */
static bool
may_write(void)
{
	return !RecoveryInProgress() && !DefaultXactReadOnly;
}

/*
 * Call work(arg) and survive its error, which goes to the log unless somebody
 * asked for it.  Returns false then.
 */
static bool
survive(void (*work) (const DynJob *job), const DynJob *job)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool result = true;

	PG_TRY();
	{
		work(job);
	}
	PG_CATCH();
	{
		int			code = geterrcode();

		HOLD_INTERRUPTS();
		if (code != ERRCODE_QUERY_CANCELED && code != ERRCODE_LOCK_NOT_AVAILABLE)
			EmitErrorReport();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		AbortCurrentTransaction();
		MemoryContextSwitchTo(context);
		RESUME_INTERRUPTS();
		result = false;
	}
	PG_END_TRY();

	/* The end of a transaction leaves us in TopMemoryContext, where all would stay. */
	MemoryContextSwitchTo(context);
	return result;
}

/* DeleteTable can interrupt it; and so can the deletion of an index. */
static void
run_job(const DynJob *job)
{
	if (dyn_shared != NULL && IsBackgroundWorker)
	{
		pg_atomic_write_u32(&dyn_shared->index_job_relation, job->relation);
		pg_atomic_write_u32(&dyn_shared->index_job_creates, job->index_name == NULL);
	}
	if (job->index_name == NULL)
		dyn_seal_job_run(job);
	else
		dyn_index_job_run(job);
}

/*
 * Do all index jobs there are.  Returns false if one of them could not be done.
 */
static bool
run_index_jobs(bool *any)
{
	List	   *jobs = dyn_jobs_find(false);
	ListCell   *cell;
	bool		result = true;

	*any = jobs != NIL;
	foreach(cell, jobs)
	{
		DynJob	   *job = lfirst(cell);

		if (must_leave())
			return true;
		if (!dyn_job_claim(job, false))
		{
			result = false;		/* a session does it */
			continue;
		}
		if (!survive(run_job, job))
			result = false;
		dyn_job_release(job);
		pg_atomic_write_u32(&dyn_shared->index_job_relation, InvalidOid);
	}
	return result;
}

static void
sleep_ms(long milliseconds)
{
	pgstat_report_activity(STATE_IDLE, NULL);
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 milliseconds, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}

/* Set up the process; leaves if there is one already, or is not to be one. */
static void
start(const char *name, DynProcess *process, pg_on_exit_callback leave)
{
	Oid			database;

	dyn_process_start(name);

	/* First stand in the slot, then look for a hold: as dyn_worker_main(). */
	if (!dyn_process_enter(process))
		proc_exit(0);
	before_shmem_exit(leave, 0);
	if (must_leave())
		proc_exit(0);
	memcpy(&database, MyBgworkerEntry->bgw_extra, sizeof(database));
	dyn_process_connect(database);

	/* Jobs do wait for locks. */
	SetConfigOption("lock_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
	turn_context = AllocSetContextCreate(TopMemoryContext, "dynamo job turn",
										 ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(turn_context);
}

static void
index_job_leaves(int code, Datum arg)
{
	pg_atomic_write_u32(&dyn_shared->index_job_relation, InvalidOid);
	dyn_process_leave(&dyn_shared->index_job, code == 0);
	dyn_process_wake(&dyn_shared->scheduler);
}

void
dyn_index_job_main(Datum arg)
{
	long		retry_ms = 0;
	bool		any = true;

	start("dynamo index job", &dyn_shared->index_job, index_job_leaves);
	while (any)
	{
		dyn_process_interrupts();
		if (must_leave() || !may_write())
			break;
		MemoryContextReset(turn_context);
		if (run_index_jobs(&any))
		{
			retry_ms = 0;
			continue;
		}
		retry_ms = Min(LONGEST_RETRY_MS, Max(FIRST_RETRY_MS, retry_ms * 2));
		sleep_ms(retry_ms);
	}
	proc_exit(0);
}

static void
scheduler_leaves(int code, Datum arg)
{
	/* If it stands in for the index job. */
	dyn_process_leave(&dyn_shared->index_job, code == 0);
	dyn_process_leave(&dyn_shared->scheduler, code == 0);
	dyn_process_wake(&dyn_shared->launcher);
}

/*
 * Start the index job unless it is on its way, or has just failed.  False if
 * there is no slot for it.
 */
static bool
start_index_job(void)
{
	static BackgroundWorkerHandle *handle = NULL;
	static TimestampTz started = 0;
	BackgroundWorker worker = {0};
	MemoryContext context;
	TimestampTz now = GetCurrentTimestamp();
	pid_t		pid;
	bool		result;

	if (handle != NULL)
	{
		if (GetBackgroundWorkerPid(handle, &pid) != BGWH_STOPPED)
			return true;
		pfree(handle);
		handle = NULL;
		if (!pg_atomic_read_u32(&dyn_shared->index_job.left_in_order) &&
			!TimestampDifferenceExceeds(started, now, FIRST_RETRY_MS))
			return true;
	}

	strlcpy(worker.bgw_name, "dynamo index job", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "dynamo index job", BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_notify_pid = MyProcPid;
	strlcpy(worker.bgw_library_name, "dynamo", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "dyn_index_job_main", BGW_MAXLEN);
	memcpy(worker.bgw_extra, &MyDatabaseId, sizeof(MyDatabaseId));
	pg_atomic_write_u32(&dyn_shared->index_job.left_in_order, 0);
	started = now;
	context = MemoryContextSwitchTo(TopMemoryContext);
	result = RegisterDynamicBackgroundWorker(&worker, &handle);
	MemoryContextSwitchTo(context);
	return result;
}

/*
 * The index job may be making an index that nobody wants any more, and be
 * waiting for somebody's transaction with that.
 */
static void
interrupt_creation(List *jobs)
{
	ListCell   *cell;

	if (pg_atomic_read_u32(&dyn_shared->index_job_creates) == 0)
		return;
	foreach(cell, jobs)
		if (((DynJob *) lfirst(cell))->is_deletion)
			dyn_index_job_interrupt(((DynJob *) lfirst(cell))->relation);
}

/* Have the index jobs done, if there are any. */
static void
see_to_index_jobs(void)
{
	List	   *jobs = dyn_jobs_find(false);
	bool		any;

	if (jobs == NIL)
		return;
	if (pg_atomic_read_u32(&dyn_shared->index_job.pid) != 0)
	{
		interrupt_creation(jobs);
		return;
	}
	if (start_index_job())
		return;

	/* In its place, so that it can be interrupted. */
	if (dyn_process_enter(&dyn_shared->index_job))
	{
		(void) run_index_jobs(&any);
		dyn_process_leave(&dyn_shared->index_job, true);
	}
}

/* Tables that were swept once and are not any more show no lag. */
static void
forget_old_sweeps(List *jobs)
{
	for (int t = 0; dyn_shared != NULL && t < DYN_METRICS_TABLES; t++)
	{
		DynTableMetrics *table = &dyn_shared->metrics.tables[t];
		bool		found = false;
		ListCell   *cell;

		if (pg_atomic_read_u64(&table->swept) == 0)
			continue;
		foreach(cell, jobs)
			found = found || strcmp(((DynJob *) lfirst(cell))->table_name, table->name) == 0;
		if (!found)
			dyn_metrics_end_sweep(table);
	}
}

static void
run_sweeps(const DynJob *unused)
{
	List	   *jobs = dyn_jobs_find(true);
	List	   *sweeps = NIL;
	ListCell   *cell;

	if (IsBackgroundWorker)
		forget_old_sweeps(jobs);
	foreach(cell, jobs)
		if (IsBackgroundWorker || dyn_job_is_allowed(lfirst(cell)))
			sweeps = lappend(sweeps, dyn_sweep_begin(lfirst(cell)));
	while (sweeps != NIL)
	{
		foreach(cell, sweeps)
		{
			if (!dyn_sweep_continue(lfirst(cell)))
				sweeps = foreach_delete_current(sweeps, cell);
			CHECK_FOR_INTERRUPTS();
			if (IsBackgroundWorker && must_leave())
				return;
		}
		if (IsBackgroundWorker)
			see_to_index_jobs();
	}
}

static TimestampTz kept_up = 0;	/* when the change log was last seen to */

/* Milliseconds until that is due. */
static long
upkeep_due_in(void)
{
	return TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
										   TimestampTzPlusMilliseconds(kept_up, dyn_upkeep_interval_ms()));
}

static void
keep_up(const DynJob *unused)
{
	kept_up = GetCurrentTimestamp();
	dyn_data_keys_keep_up();
	dyn_change_log_keep_up();
}

static bool telling = false;	/* a stream wants its listeners to be told */

static void
tell(const DynJob *unused)
{
	telling = dyn_streams_tell();
}

/* Uses of access keys are known to the minute. */
#define PRINCIPALS_INTERVAL_MS 60000

static TimestampTz seen_to_principals = 0;

static long
principals_due_in(void)
{
	return TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
										   TimestampTzPlusMilliseconds(seen_to_principals, PRINCIPALS_INTERVAL_MS));
}

static void
see_to_principals(const DynJob *unused)
{
	seen_to_principals = GetCurrentTimestamp();
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	dyn_auth_upkeep();
	PopActiveSnapshot();
	CommitTransactionCommand();
}

static TimestampTz swept = 0;	/* when the last sweep began */

/* Milliseconds until the next sweep is due. */
static long
sweep_due_in(void)
{
	return TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
										   TimestampTzPlusMilliseconds(swept, dyn_time_to_live_interval * INT64CONST(1000)));
}

static void
take_turn(const DynJob *unused)
{
	see_to_index_jobs();
	if (sweep_due_in() > 0)
		return;
	swept = GetCurrentTimestamp();
	run_sweeps(NULL);
}

void
dyn_scheduler_main(Datum arg)
{
	start("dynamo scheduler", &dyn_shared->scheduler, scheduler_leaves);
	for (;;)
	{
		dyn_process_interrupts();
		if (must_leave())
			break;
		MemoryContextReset(turn_context);
		if (may_write())
		{
			(void) survive(take_turn, NULL);
			if (upkeep_due_in() == 0)
				(void) survive(keep_up, NULL);
			if (principals_due_in() == 0)
				(void) survive(see_to_principals, NULL);
			(void) survive(tell, NULL);
			dyn_process_leave(&dyn_shared->index_job, true);
		}
		sleep_ms(Min(telling ? DYN_NOTIFY_INTERVAL_MS : POLL_MS,
					 Max(1, Min(Min(sweep_due_in(), upkeep_due_in()), principals_due_in()))));
	}
	proc_exit(0);
}

/* The lock that claims a job does not go by itself with an error. */
static void
run_and_release(const DynJob *job)
{
	PG_TRY();
	{
		run_job(job);
	}
	PG_CATCH();
	{
		dyn_job_release(job);
		PG_RE_THROW();
	}
	PG_END_TRY();
	dyn_job_release(job);
}

/* CALL dynamo.run_jobs(): everything the caller may do. */
Datum
dynamo_run_jobs(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	MemoryContext job_context;
	List	   *jobs;
	ListCell   *cell;

	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic || SPI_inside_nonatomic_context())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("dynamo.run_jobs() must be called by itself, outside of a transaction block")));

	/* As VACUUM: the caller's transaction ends, ours begin. */
	job_context = AllocSetContextCreate(PortalContext, "dynamo jobs",
										ALLOCSET_DEFAULT_SIZES);
	if (ActiveSnapshotSet())
		PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(job_context);

	jobs = dyn_jobs_find(false);
	foreach(cell, jobs)
	{
		DynJob	   *job = lfirst(cell);

		if (!dyn_job_is_allowed(job))
			continue;
		dyn_job_claim(job, true);
		run_and_release(job);
	}
	run_sweeps(NULL);
	if (superuser())
	{
		dyn_data_keys_keep_up();
		dyn_change_log_keep_up();
		see_to_principals(NULL);
	}

	StartTransactionCommand();
	MemoryContextSwitchTo(context);
	MemoryContextDelete(job_context);
	PG_RETURN_VOID();
}
