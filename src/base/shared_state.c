/*-------------------------------------------------------------------------
 *
 * shared_state.c
 *		Set up the shared memory of the endpoint's processes.
 *
 * src/base/shared_state.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/shmem.h"

#include "base/shared_state.h"

DynSharedState *dyn_shared = NULL;

static int	requested_workers;
static shmem_request_hook_type previous_shmem_request_hook;
static shmem_startup_hook_type previous_shmem_startup_hook;

static Size
shared_size(void)
{
	return add_size(offsetof(DynSharedState, workers),
					mul_size(sizeof(DynWorkerSlot), requested_workers));
}

static void
request_memory(void)
{
	if (previous_shmem_request_hook)
		previous_shmem_request_hook();
	RequestAddinShmemSpace(shared_size());
}

static void
process_init(DynProcess *process)
{
	pg_atomic_init_u32(&process->pid, 0);
	pg_atomic_init_u32(&process->procno, 0);
	pg_atomic_init_u32(&process->left_in_order, 0);
}

/*
 * Runs at start and again after a crash of some process, each time on fresh
 * memory.
 */
static void
startup(void)
{
	bool		found;

	if (previous_shmem_startup_hook)
		previous_shmem_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	dyn_shared = ShmemInitStruct("dynamo", shared_size(), &found);
	if (!found)
	{
		memset(dyn_shared, 0, shared_size());
		dyn_shared->nworkers = requested_workers;
		process_init(&dyn_shared->launcher);
		process_init(&dyn_shared->flusher);
		process_init(&dyn_shared->scheduler);
		process_init(&dyn_shared->index_job);
		pg_atomic_init_u32(&dyn_shared->index_job_relation, InvalidOid);
		pg_atomic_init_u32(&dyn_shared->index_job_creates, 0);
		pg_atomic_init_u32(&dyn_shared->flusher_expected, 0);
		pg_atomic_init_u32(&dyn_shared->service_state, DYN_SERVICE_STARTING);
		pg_atomic_init_u32(&dyn_shared->database_holds, 0);
		pg_atomic_init_u32(&dyn_shared->database_holds_begun, 0);
		pg_atomic_init_u64(&dyn_shared->flush_wanted, 0);
		pg_atomic_init_u64(&dyn_shared->flush_done, 0);
		pg_atomic_init_u32(&dyn_shared->costly_places,
						   Max(sysconf(_SC_NPROCESSORS_ONLN) - 1, 1));
		pg_atomic_init_u64(&dyn_shared->last_cheap, 0);
		dyn_metrics_init(&dyn_shared->metrics);
		for (int i = 0; i < DYN_HOT_KEYS; i++)
		{
			pg_atomic_init_u64(&dyn_shared->hot_keys[i].mark, 0);
			pg_atomic_init_u64(&dyn_shared->hot_keys[i].place, 0);
		}
		for (int i = 0; i < requested_workers; i++)
		{
			process_init(&dyn_shared->workers[i].process);
			pg_atomic_init_u64(&dyn_shared->workers[i].pending, 0);
			pg_atomic_init_u64(&dyn_shared->workers[i].waiting, 0);
			pg_atomic_init_u64(&dyn_shared->workers[i].waiting_since, 0);
			pg_atomic_init_u32(&dyn_shared->workers[i].costly, 0);
		}
	}
	LWLockRelease(AddinShmemInitLock);
}

void
dyn_shared_state_request(int nworkers)
{
	requested_workers = nworkers;
	previous_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup;
}

bool
dyn_process_enter(DynProcess *process)
{
	uint32		nobody = 0;

	if (!pg_atomic_compare_exchange_u32(&process->pid, &nobody, MyProcPid))
		return false;
	pg_atomic_write_u32(&process->procno, MyProc->pgprocno);
	return true;
}

void
dyn_process_leave(DynProcess *process, bool in_order)
{
	uint32		me = MyProcPid;

	pg_atomic_write_u32(&process->left_in_order, in_order);
	pg_atomic_compare_exchange_u32(&process->pid, &me, 0);
}

void
dyn_process_wake(DynProcess *process)
{
	if (pg_atomic_read_u32(&process->pid) != 0)
		SetLatch(&ProcGlobal->allProcs[pg_atomic_read_u32(&process->procno)].procLatch);
}

void
dyn_index_job_interrupt(Oid relation)
{
	pid_t		pid;

	if (dyn_shared == NULL ||
		pg_atomic_read_u32(&dyn_shared->index_job_relation) != relation)
		return;

	/* As pg_cancel_backend(): the process may just be leaving. */
	pid = pg_atomic_read_u32(&dyn_shared->index_job.pid);
	if (pid != 0 && BackendPidGetProc(pid) != NULL)
		(void) kill(pid, SIGINT);
}

void
dyn_atomic_raise(pg_atomic_uint64 *atomic, uint64 value)
{
	uint64		current = pg_atomic_read_u64(atomic);

	while (current < value &&
		   !pg_atomic_compare_exchange_u64(atomic, &current, value))
		;
}
