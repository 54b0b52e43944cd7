/*-------------------------------------------------------------------------
 *
 * change_number.c
 *		Numbers of changes: in the order in which changes become final.
 *
 * What a writer and a reader do, in this order, each step a barrier apart:
 *
 *		writer							reader
 *		(a) holds: "from next on"		(1) reads next
 *		(b) takes a number from next	(2) reads what is held
 *		(c) writes the change			(3) takes a snapshot
 *		(d) commits
 *		(e) holds nothing
 *
 * The reader delivers what is below both answers.  Take a number n below the
 * first.  Its writer's (b) came before (1), so (a) came before (2).  If (2) finds
 * the hold, n is not below the second answer; if not, (e) came before, and the
 * snapshot of (3) sees the change.
 *
 * src/stream/change_number.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "common/hashfn.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/backendid.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/shared_state.h"
#include "stream/change_number.h"

PG_FUNCTION_INFO_V1(dyn_internal_next_change_number);
PG_FUNCTION_INFO_V1(dyn_stat_change_holders);

/* 4.5 PB of WAL in each of 2047 timelines. */
#define TIMELINE_SHIFT 52

/* A stream's number has 31 bits, its bucket 8; the database has the rest. */
#define SHARD_KEY_BITS 39

/* Shards that a transaction holds by name; then it holds all others, too. */
#define HELD_SHARDS 8

/* Shards are told apart by a hash when it is asked whether one has anything new. */
#define NEWEST_PLACES 1024

typedef struct Holder
{
	pg_atomic_uint32 pid;		/* 0: holds nothing */
	pg_atomic_uint32 nshards;
	pg_atomic_uint64 shards[HELD_SHARDS];
	pg_atomic_uint64 from[HELD_SHARDS];
	pg_atomic_uint64 from_others;	/* in shards not named; 0: nothing */
	pg_atomic_uint64 since;		/* TimestampTz */
} Holder;

typedef struct SharedNumbers
{
	pg_atomic_uint64 next;		/* 0: not known since the server started */
	pg_atomic_uint64 start;		/* the first one since then */
	pg_atomic_uint64 newest[NEWEST_PLACES]; /* number, or one above it, of the
											 * shards that share the place */
	Holder		holders[FLEXIBLE_ARRAY_MEMBER]; /* by dyn_backend_index() */
} SharedNumbers;

static SharedNumbers *shared = NULL;
static Holder *own = NULL;		/* while this transaction holds something */

static shmem_request_hook_type previous_shmem_request_hook;
static shmem_startup_hook_type previous_shmem_startup_hook;

static Size
shared_size(void)
{
	return add_size(offsetof(SharedNumbers, holders),
					mul_size(sizeof(Holder), MaxBackends));
}

static void
request_memory(void)
{
	if (previous_shmem_request_hook)
		previous_shmem_request_hook();
	RequestAddinShmemSpace(shared_size());
}

static void
startup(void)
{
	bool		found;

	if (previous_shmem_startup_hook)
		previous_shmem_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("dynamo change numbers", shared_size(), &found);
	if (!found)
	{
		pg_atomic_init_u64(&shared->next, 0);
		pg_atomic_init_u64(&shared->start, 0);
		for (int i = 0; i < NEWEST_PLACES; i++)
			pg_atomic_init_u64(&shared->newest[i], 0);
		for (int i = 0; i < MaxBackends; i++)
		{
			Holder	   *holder = &shared->holders[i];

			pg_atomic_init_u32(&holder->pid, 0);
			pg_atomic_init_u32(&holder->nshards, 0);
			for (int j = 0; j < HELD_SHARDS; j++)
			{
				pg_atomic_init_u64(&holder->shards[j], 0);
				pg_atomic_init_u64(&holder->from[j], 0);
			}
			pg_atomic_init_u64(&holder->from_others, 0);
			pg_atomic_init_u64(&holder->since, 0);
		}
	}
	LWLockRelease(AddinShmemInitLock);
}

void
dyn_change_number_request_memory(void)
{
	previous_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup;
}

/* The first number that this server may take in a timeline, or a later one. */
static uint64
first_of(uint64 timeline)
{
	return (timeline << TIMELINE_SHIFT) + GetXLogInsertRecPtr();
}

/* Where the counters are; next is known afterwards. */
static SharedNumbers *
numbers(void)
{
	if (shared == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("streams need \"dynamo\" in shared_preload_libraries")));
	if (pg_atomic_read_u64(&shared->next) == 0)
	{
		uint64		start;

		/* A standby does not know what its primary is about to commit. */
		if (RecoveryInProgress())
			ereport(ERROR,
					(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
					 errmsg("cannot use streams during recovery")));
		start = first_of(GetWALInsertionTimeLine());
		dyn_atomic_raise(&shared->start, start);
		dyn_atomic_raise(&shared->next, start);
	}
	return shared;
}

static void
release(XactEvent event, void *arg)
{
	Holder	   *holder = own;

	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			/* It would go on to hold them without a process. */
			if (holder != NULL)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has changed items of a table with a stream")));
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
			if (holder == NULL)
				break;
			pg_memory_barrier();
			pg_atomic_write_u32(&holder->pid, 0);
			own = NULL;
			break;
		default:
			break;
	}
}

/* Nothing of this transaction is held yet. */
static Holder *
begin_holding(SharedNumbers *s)
{
	static bool registered = false;
	Holder	   *holder = &s->holders[dyn_backend_index()];

	if (!registered)
		RegisterXactCallback(release, NULL);
	registered = true;
	Assert(dyn_backend_index() >= 0 && dyn_backend_index() < MaxBackends);
	pg_atomic_write_u32(&holder->nshards, 0);
	pg_atomic_write_u64(&holder->from_others, 0);
	pg_atomic_write_u64(&holder->since, GetCurrentTimestamp());
	pg_memory_barrier();
	pg_atomic_write_u32(&holder->pid, MyProcPid);
	own = holder;
	return holder;
}

/* Two databases may have streams of one number. */
static DynShardKey
shared_key(DynShardKey shard)
{
	return shard ^ (int64) ((uint64) MyDatabaseId << SHARD_KEY_BITS);
}

/* Publish that the shard is held, if it is not yet. */
static void
hold(SharedNumbers *s, DynShardKey shard)
{
	Holder	   *holder = own != NULL ? own : begin_holding(s);
	uint32		n = pg_atomic_read_u32(&holder->nshards);

	shard = shared_key(shard);
	for (uint32 i = 0; i < n; i++)
		if (pg_atomic_read_u64(&holder->shards[i]) == (uint64) shard)
			return;
	if (n < HELD_SHARDS)
	{
		pg_atomic_write_u64(&holder->shards[n], shard);
		pg_atomic_write_u64(&holder->from[n], pg_atomic_read_u64(&s->next));
		pg_memory_barrier();
		pg_atomic_write_u32(&holder->nshards, n + 1);
	}
	else if (pg_atomic_read_u64(&holder->from_others) == 0)
		pg_atomic_write_u64(&holder->from_others, pg_atomic_read_u64(&s->next));
	pg_memory_barrier();
}

static pg_atomic_uint64 *
newest_place(SharedNumbers *s, DynShardKey shard)
{
	return &s->newest[murmurhash32((uint32) shard) % NEWEST_PLACES];
}

int64
dyn_change_number_take(DynShardKey shard)
{
	SharedNumbers *s = numbers();
	uint64		number;

	hold(s, shard);
	number = pg_atomic_fetch_add_u64(&s->next, 1);

	/* Before the change can be seen. */
	dyn_atomic_raise(newest_place(s, shard), number);
	return (int64) number;
}

int64
dyn_change_number_next(void)
{
	/* Who takes none needs no counter. */
	if (shared == NULL && !RecoveryInProgress())
		return (int64) first_of(GetWALInsertionTimeLine());
	return (int64) pg_atomic_read_u64(&numbers()->next);
}

void
dyn_change_number_reach(int64 number)
{
	uint64		timeline = (uint64) number >> TIMELINE_SHIFT;
	uint64		start;

	if (shared == NULL || RecoveryInProgress())
		return;
	if (dyn_change_number_next() >= number)
		return;
	start = first_of(timeline);
	if (start < (uint64) number)
		start = first_of(timeline + 1);
	dyn_atomic_raise(&shared->start, start);
	dyn_atomic_raise(&shared->next, start);
}

bool
dyn_change_number_same_timeline(int64 number)
{
	return dyn_change_number_next() >> TIMELINE_SHIFT == number >> TIMELINE_SHIFT;
}

int64
dyn_change_number_settled(DynShardKey shard)
{
	SharedNumbers *s = numbers();
	uint64		settled = pg_atomic_read_u64(&s->next);
	uint64		timeline;

	shard = shared_key(shard);
	pg_memory_barrier();
	for (int i = 0; i < MaxBackends; i++)
	{
		Holder	   *holder = &s->holders[i];
		uint64		others;
		uint32		n;

		if (pg_atomic_read_u32(&holder->pid) == 0)
			continue;
		pg_memory_barrier();
		others = pg_atomic_read_u64(&holder->from_others);
		n = pg_atomic_read_u32(&holder->nshards);
		pg_memory_barrier();
		for (uint32 j = 0; j < n; j++)
			if (pg_atomic_read_u64(&holder->shards[j]) == (uint64) shard)
				settled = Min(settled, pg_atomic_read_u64(&holder->from[j]));
		if (others != 0)
			settled = Min(settled, others);
	}
	pg_memory_barrier();

	/*
	 * What a reader is told to come back for must be above what a crash leaves,
	 * or numbers begin anew below it.
	 */
	timeline = settled >> TIMELINE_SHIFT;
	return (int64) Min(settled, (timeline << TIMELINE_SHIFT) + GetFlushRecPtr(NULL));
}

bool
dyn_change_number_may_have(DynShardKey shard, int64 from)
{
	return from <= dyn_change_number_newest(shard);
}

int64
dyn_change_number_newest(DynShardKey shard)
{
	SharedNumbers *s = numbers();
	uint64		newest = pg_atomic_read_u64(newest_place(s, shard));

	return (int64) Max(newest, pg_atomic_read_u64(&s->start) - 1);
}

Datum
dyn_internal_next_change_number(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(dyn_change_number_next());
}

bool
dyn_change_number_held_since(TimestampTz *since)
{
	bool		any = false;

	for (int i = 0; shared != NULL && i < MaxBackends; i++)
	{
		Holder	   *holder = &shared->holders[i];
		TimestampTz start = (TimestampTz) pg_atomic_read_u64(&holder->since);

		if (pg_atomic_read_u32(&holder->pid) == 0)
			continue;
		*since = any ? Min(*since, start) : start;
		any = true;
	}
	return any;
}

/* dynamo_internal.stat_change_holders(): the transactions that hold numbers. */
Datum
dyn_stat_change_holders(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; shared != NULL && i < MaxBackends; i++)
	{
		Holder	   *holder = &shared->holders[i];
		uint32		pid = pg_atomic_read_u32(&holder->pid);
		uint32		n = Min(pg_atomic_read_u32(&holder->nshards), HELD_SHARDS);
		Datum		streams[HELD_SHARDS];
		int			nstreams = 0;
		Datum		values[5];
		bool		nulls[5] = {false};

		if (pid == 0 || n == 0)
			continue;
		for (uint32 j = 0; j < n; j++)
		{
			uint64		key = shared_key(pg_atomic_read_u64(&holder->shards[j]));

			/* Of this database? */
			if (key >> SHARD_KEY_BITS == 0)
				streams[nstreams++] = Int32GetDatum((int32) (key / DYN_MAX_STREAM_SHARDS));
		}
		if (nstreams == 0 && pg_atomic_read_u64(&holder->from_others) == 0)
			continue;
		values[0] = Int32GetDatum((int32) pid);
		values[1] = TimestampTzGetDatum((TimestampTz) pg_atomic_read_u64(&holder->since));
		values[2] = Int64GetDatum((int64) pg_atomic_read_u64(&holder->from[0]));
		values[3] = PointerGetDatum(construct_array(streams, nstreams, INT4OID, sizeof(int32),
													true, TYPALIGN_INT));
		values[4] = BoolGetDatum(pg_atomic_read_u64(&holder->from_others) != 0);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
