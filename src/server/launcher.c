/*-------------------------------------------------------------------------
 *
 * launcher.c
 *		The process that starts the others and starts them again.
 *
 * A backend can't leave a database and come back: to let go of it, it has to
 * exit.  So the workers are dynamic background workers that exit whenever they
 * have to, quietly, and this process, connected to the shared catalogs alone,
 * starts them whenever the database is there.  Had they been registered with
 * the postmaster for restart instead, each restart would have to look like a
 * failure in the log, and each attempt to connect to a database that isn't
 * there would be a FATAL message.
 *
 * The launcher costs one of max_worker_processes; the first HTTP worker comes
 * next, then the flusher, then the scheduler of background jobs, then the other
 * workers: as many as there is room for.  A worker that leaves gets its number and its shared slot again.
 *
 * If the launcher itself dies, its successor finds the processes in shared
 * memory.
 *
 * src/server/launcher.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/indexing.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/bgworker_internals.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "base/process.h"
#include "base/settings.h"
#include "base/shared_state.h"
#include "http/http.h"
#include "server/database_hold.h"
#include "server/launcher.h"

/* How often to look whether the database has come. */
#define DATABASE_POLL_MS 1000

/* How often to try again for slots that others have taken. */
#define SLOT_POLL_MS 10000

/*
 * A process that has lived for less than this has failed; the next attempt
 * waits twice as long as the one before.
 */
#define SHORT_LIFE_MS 5000
#define FIRST_DELAY_MS 1000
#define LONGEST_DELAY_MS 60000

/* Background workers of the server that are no HTTP workers, by default. */
#define OTHER_PROCESSES 5

typedef struct Child
{
	DynProcess *process;
	int			worker;			/* number of the HTTP worker, or ... */
#define FLUSHER		(-1)
#define SCHEDULER	(-2)
	const char *function;
	char		name[BGW_MAXLEN];
	const char *type;
	BackgroundWorkerHandle *handle; /* NULL: not started by this launcher */
	TimestampTz started;
	uint32		holds_begun;	/* when it was started */
	TimestampTz not_before;
	int			delay_ms;
} Child;

static Child *children;			/* worker 0, flusher, scheduler, worker 1, ... */
static int	nchildren;
static Oid	database = InvalidOid;

static int
count_workers_wanted(void)
{
	int			wanted = dyn_workers;

	if (wanted == 0)
	{
		long		cores = sysconf(_SC_NPROCESSORS_ONLN);

		/*
		 * One more than there are cores: it works while the others wait for
		 * a flush (measured on 2 cores: 15% more writes, as many reads).  It is
		 * not worth a slot that somebody else may need: the launcher, the
		 * flusher, the scheduler and its index jobs, PostgreSQL's logical
		 * replication launcher.
		 */
		wanted = cores < 1 ? 1 : cores;
		if (wanted + 1 + OTHER_PROCESSES <= max_worker_processes)
			wanted++;
	}
	/* More could never run. */
	return Max(1, Min(wanted, Min(DYN_MAX_WORKERS, max_worker_processes)));
}

/* Background workers that are registered with the postmaster so far. */
static int
count_registered(void)
{
	slist_iter	iter;
	int			count = 0;

	slist_foreach(iter, &BackgroundWorkerList)
		count++;
	return count;
}

void
dyn_launcher_register(void)
{
	BackgroundWorker launcher = {0};
	int			nworkers = count_workers_wanted();

	dyn_shared_state_request(nworkers);
	dyn_database_hold_install();

	/* Not for --single and pg_upgrade: nobody is to be served then. */
	if (!IsPostmasterEnvironment || IsBinaryUpgrade)
		return;
	if (dyn_listen_addresses[0] == '\0')
		return;
	if (count_registered() >= max_worker_processes)
	{
		/* Two more: the launcher and an HTTP worker. */
		ereport(LOG,
				(errmsg("the DynamoDB endpoint is not served: no background worker slot is left"),
				 errhint("Raise max_worker_processes, which is %d, by at least 2.",
						 max_worker_processes)));
		return;
	}

	if (!dyn_http_bind(dyn_listen_addresses, dyn_port, nworkers))
		return;

	strlcpy(launcher.bgw_name, "dynamo launcher", BGW_MAXLEN);
	strlcpy(launcher.bgw_type, "dynamo launcher", BGW_MAXLEN);
	launcher.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	launcher.bgw_start_time = BgWorkerStart_ConsistentState;
	launcher.bgw_restart_time = 1;
	strlcpy(launcher.bgw_library_name, "dynamo", BGW_MAXLEN);
	strlcpy(launcher.bgw_function_name, "dyn_launcher_main", BGW_MAXLEN);
	RegisterBackgroundWorker(&launcher);
}

static void
make_child(Child *child, DynProcess *process, int worker, const char *function,
		   const char *type)
{
	child->process = process;
	child->worker = worker;
	child->function = function;
	child->type = type;
	if (worker >= 0)
		snprintf(child->name, BGW_MAXLEN, "%s %d", type, worker + 1);
	else
		strlcpy(child->name, type, BGW_MAXLEN);
}

static void
make_children(void)
{
	nchildren = dyn_shared->nworkers + 2;
	children = MemoryContextAllocZero(TopMemoryContext,
									  sizeof(Child) * nchildren);
	for (int i = 0; i < dyn_shared->nworkers; i++)
		make_child(&children[i == 0 ? 0 : i + 2], &dyn_shared->workers[i].process, i,
				   "dyn_worker_main", "dynamo http worker");
	make_child(&children[1], &dyn_shared->flusher, FLUSHER, "dyn_flusher_main",
			   "dynamo flusher");
	make_child(&children[2], &dyn_shared->scheduler, SCHEDULER, "dyn_scheduler_main",
			   "dynamo scheduler");
}

/*
 * The database to serve, or InvalidOid if it doesn't exist or can't be
 * connected to.
 */
static Oid
find_database(void)
{
	Relation	relation;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			result = InvalidOid;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();

	/* Without a database, an index is there only if a cache file brought it. */
	relation = table_open(DatabaseRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_database_datname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum(dyn_database));
	scan = systable_beginscan(relation, DatabaseNameIndexId,
							  criticalSharedRelcachesBuilt, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);

		if (form->datallowconn)
			result = form->oid;
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);

	CommitTransactionCommand();
	return result;
}

static bool
child_runs(Child *child)
{
	pid_t		pid;

	if (pg_atomic_read_u32(&child->process->pid) != 0)
		return true;
	return child->handle != NULL &&
		GetBackgroundWorkerPid(child->handle, &pid) != BGWH_STOPPED;
}

static bool
is_flusher(const Child *child)
{
	return child->worker == FLUSHER;
}

static bool
is_worker(const Child *child)
{
	return child->worker >= 0;
}

/* Returns false if there is no slot. */
static bool
start_child(Child *child)
{
	BackgroundWorker worker = {0};
	BackgroundWorkerHandle *handle;
	MemoryContext old_context;
	bool		registered;

	strlcpy(worker.bgw_name, child->name, BGW_MAXLEN);
	strlcpy(worker.bgw_type, child->type, BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_notify_pid = MyProcPid;
	strlcpy(worker.bgw_library_name, "dynamo", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, child->function, BGW_MAXLEN);
	worker.bgw_main_arg = Int32GetDatum(child->worker);
	memcpy(worker.bgw_extra, &database, sizeof(database));

	pg_atomic_write_u32(&child->process->left_in_order, 0);
	old_context = MemoryContextSwitchTo(TopMemoryContext);
	registered = RegisterDynamicBackgroundWorker(&worker, &handle);
	MemoryContextSwitchTo(old_context);
	if (!registered)
		return false;

	if (child->handle)
		pfree(child->handle);
	child->handle = handle;
	child->started = GetCurrentTimestamp();
	child->holds_begun = pg_atomic_read_u32(&dyn_shared->database_holds_begun);
	return true;
}

/*
 * A child doesn't run: when may it be started?  At once after a long life, or
 * after one that ended in order, because it was told to leave.
 */
static void
note_end(Child *child)
{
	TimestampTz now = GetCurrentTimestamp();

	/*
	 * On a standby, a worker is told to leave when the files of its database
	 * are removed; that the database is gone can be seen a moment later.
	 */
	child->not_before = RecoveryInProgress() ?
		TimestampTzPlusMilliseconds(now, FIRST_DELAY_MS) : now;
	/* A hold may also meet one that is only just starting. */
	if (pg_atomic_read_u32(&child->process->left_in_order) ||
		child->holds_begun != pg_atomic_read_u32(&dyn_shared->database_holds_begun) ||
		TimestampDifferenceExceeds(child->started, now, SHORT_LIFE_MS))
		child->delay_ms = 0;
	else
	{
		child->delay_ms = Min(LONGEST_DELAY_MS,
							  Max(FIRST_DELAY_MS, child->delay_ms * 2));
		child->not_before =
			TimestampTzPlusMilliseconds(now, child->delay_ms);
	}
	pfree(child->handle);
	child->handle = NULL;
}

/*
 * Start what should run and doesn't.  Returns how long to sleep, in
 * milliseconds, -1 for until something happens.
 */
static long
start_children(void)
{
	static bool said_no_database = false;
	static bool said_no_slot = false;
	bool		held = pg_atomic_read_u32(&dyn_shared->database_holds) > 0;
	TimestampTz now = GetCurrentTimestamp();
	long		sleep_ms = -1;
	int			missing = 0;
	int			workers_running = 0;
	bool		no_slot = false;

	for (int i = 0; i < nchildren; i++)
	{
		Child	   *child = &children[i];

		if (child_runs(child))
		{
			workers_running += is_worker(child);
			continue;
		}
		if (child->handle)
			note_end(child);
		missing++;
	}
	if (missing == 0)
		return -1;
	if (held)
		return DATABASE_POLL_MS;	/* woken when the hold ends */

	database = find_database();
	if (!OidIsValid(database))
	{
		if (!said_no_database)
			ereport(LOG,
					(errmsg("the DynamoDB endpoint waits for database \"%s\", which does not exist or does not allow connections",
							dyn_database),
					 strchr(dyn_database, ',') ?
					 errhint("dynamo.database names one database, not a list.") : 0));
		said_no_database = true;
		pg_atomic_write_u32(&dyn_shared->service_state,
							DYN_SERVICE_NO_DATABASE);
		return DATABASE_POLL_MS;
	}
	said_no_database = false;
	pg_atomic_write_u32(&dyn_shared->service_state, DYN_SERVICE_SERVING);

	for (int i = 0; i < nchildren; i++)
	{
		Child	   *child = &children[i];
		long		wait_ms;

		if (child_runs(child))
			continue;
		wait_ms = TimestampDifferenceMilliseconds(now, child->not_before);
		if (child->not_before == 0 || wait_ms == 0)
		{
			bool		started = !no_slot && start_child(child);

			if (is_flusher(child))
				pg_atomic_write_u32(&dyn_shared->flusher_expected, started);
			if (started)
			{
				workers_running += is_worker(child);
				continue;
			}
			no_slot = true;
			wait_ms = SLOT_POLL_MS;
		}
		sleep_ms = sleep_ms < 0 ? wait_ms : Min(sleep_ms, wait_ms);
	}

	if (no_slot && !said_no_slot)
	{
		bool		flusher = child_runs(&children[1]);
		bool		scheduler = child_runs(&children[2]);

		if (workers_running == 0)
			ereport(LOG,
					(errmsg("the DynamoDB endpoint is not served: no background worker slot is left for an HTTP worker"),
					 errhint("Raise max_worker_processes, which is %d.",
							 max_worker_processes)));
		else
			ereport(LOG,
					(errmsg("the DynamoDB endpoint is served by %d of %d HTTP workers%s: no more background worker slots are left",
							workers_running, dyn_shared->nworkers,
							flusher && scheduler ? "" :
							flusher ? " without background jobs" :
							" without a flusher and background jobs"),
					 errhint("Raise max_worker_processes, which is %d.",
							 max_worker_processes)));
	}
	said_no_slot = no_slot;
	return sleep_ms;
}

static void
leave(int code, Datum arg)
{
	dyn_process_leave(&dyn_shared->launcher, code == 0);
}

void
dyn_launcher_main(Datum arg)
{
	dyn_process_start("dynamo launcher");
	dyn_process_connect(InvalidOid);

	if (!dyn_process_enter(&dyn_shared->launcher))
		elog(FATAL, "another dynamo launcher is running");
	before_shmem_exit(leave, 0);
	make_children();

	for (;;)
	{
		long		sleep_ms;

		ResetLatch(MyLatch);
		dyn_process_interrupts();
		if (dyn_process_must_stop())
			break;

		sleep_ms = start_children();
		pgstat_report_stat(false);
		pgstat_report_activity(STATE_IDLE, NULL);
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_EXIT_ON_PM_DEATH |
						 (sleep_ms >= 0 ? WL_TIMEOUT : 0),
						 sleep_ms, PG_WAIT_EXTENSION);
	}

	/*
	 * Exit code 1, as PostgreSQL's own logical replication launcher does: with
	 * 0 the postmaster would not start us again after pg_terminate_backend().
	 */
	proc_exit(1);
}
