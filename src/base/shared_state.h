/*-------------------------------------------------------------------------
 *
 * shared_state.h
 *		What the processes of the endpoint share: one struct, numbers only.
 *
 * There is no pointer and no descriptor in here, and everything that more
 * than one process writes is an atomic, so that no lock has to be held (and
 * none can be left behind) on a request's way.  A process is named by its
 * index in the PGPROC array; setting the latch of a process that has gone
 * wakes whoever got its place, which is harmless.
 *
 * src/base/shared_state.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_SHARED_STATE_H
#define DYN_SHARED_STATE_H

#include "access/xlogdefs.h"
#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/s_lock.h"

#include "base/metrics.h"

/* As many as dynamo.workers may be. */
#define DYN_MAX_WORKERS 256

/*
 * A process of ours.  pid is 0 while there is none; procno is valid while
 * there is one.
 */
typedef struct DynProcess
{
	pg_atomic_uint32 pid;
	pg_atomic_uint32 procno;
	pg_atomic_uint32 left_in_order; /* the last one had no failure */
} DynProcess;

/* In DynWorkerSlot.pending: a commit is becoming visible just now. */
#define DYN_COMMITTING PG_UINT64_MAX

typedef struct DynWorkerSlot
{
	DynProcess	process;

	/*
	 * End of the newest commit record of this worker, or DYN_COMMITTING; see
	 * server/flush.c.  Stays when the worker goes: its successor begins there.
	 */
	pg_atomic_uint64 pending;

	/* The lowest position a held reply of this worker waits for; 0: none. */
	pg_atomic_uint64 waiting;
	pg_atomic_uint64 waiting_since; /* TimestampTz */

	pg_atomic_uint32 costly;	/* its place among those at something costly */

	DynWorkerMetrics metrics;
} DynWorkerSlot;

/*
 * The place of a version of a busy item; see store/hot_key.h.  They stand in
 * groups, one for each value of a hash.
 */
typedef struct DynHotKey
{
	pg_atomic_uint64 mark;		/* of database, table and key; 0: free */
	pg_atomic_uint64 place;		/* block and offset */
} DynHotKey;

#define DYN_HOT_KEY_GROUP	4
#define DYN_HOT_KEYS		(1024 * DYN_HOT_KEY_GROUP)

/* What the launcher knows, for the readiness page and the statistics. */
typedef enum DynServiceState
{
	DYN_SERVICE_STARTING,		/* the launcher has not looked yet */
	DYN_SERVICE_NO_DATABASE,	/* dynamo.database does not exist */
	DYN_SERVICE_SERVING
} DynServiceState;

typedef struct DynSharedState
{
	int			nworkers;		/* slots in workers[] */
	DynProcess	launcher;
	DynProcess	flusher;
	pg_atomic_uint32 flusher_expected;	/* there is a slot for one */
	pg_atomic_uint32 service_state; /* DynServiceState */

	/* worker/: the scheduler, and while there is such work, the index job. */
	DynProcess	scheduler;
	DynProcess	index_job;
	pg_atomic_uint32 index_job_relation;	/* OID of the relation it works on */
	pg_atomic_uint32 index_job_creates; /* an index, rather than deletes one */

	/*
	 * How many sessions are about to drop, rename or copy the database we
	 * serve: while it is not 0 no process of ours may be connected to it.
	 */
	pg_atomic_uint32 database_holds;
	pg_atomic_uint32 database_holds_begun;	/* so far */

	pg_atomic_uint64 flush_wanted;	/* WAL position somebody waits for */
	pg_atomic_uint64 flush_done;	/* flushed and, where asked for, on the
									 * synchronous standby; never goes back */

	/* See server/costly.h. */
	pg_atomic_uint32 costly_places; /* that are free */
	pg_atomic_uint64 last_cheap;	/* us of the monotonic clock */

	DynMetrics	metrics;
	DynHotKey	hot_keys[DYN_HOT_KEYS];
	DynWorkerSlot workers[FLEXIBLE_ARRAY_MEMBER];
} DynSharedState;

/* NULL unless the library is in shared_preload_libraries. */
extern PGDLLIMPORT DynSharedState *dyn_shared;

/*
 * Ask for the memory and install the hooks that set it up; called from
 * _PG_init under shared_preload_libraries.
 */
extern void dyn_shared_state_request(int nworkers);

/* Enter this process in *process; false if a living one stands there. */
extern bool dyn_process_enter(DynProcess *process);
extern void dyn_process_leave(DynProcess *process, bool in_order);

/* Set the latch of a process, if there is one. */
extern void dyn_process_wake(DynProcess *process);

/*
 * Have the index job, if it works on this relation, break off and let go of
 * it; it looks again a little later.
 */
extern void dyn_index_job_interrupt(Oid relation);

/* Raise an atomic to at least value. */
extern void dyn_atomic_raise(pg_atomic_uint64 *atomic, uint64 value);

#endif							/* DYN_SHARED_STATE_H */
