/*-------------------------------------------------------------------------
 *
 * job.h
 *		What all background jobs do alike: transactions, waiting, pace.
 *
 * A job runs in a process of ours or, by CALL dynamo.run_jobs(), in a session.
 * It is a sequence of short transactions; between them it holds nothing but the
 * lock that says that somebody does this job.
 *
 * src/worker/job.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_JOB_H
#define DYN_JOB_H

#include "nodes/pg_list.h"
#include "storage/lockdefs.h"

#include "table/table.h"

/* A piece of work that the catalog asks for. */
typedef struct DynJob
{
	char	   *table_name;
	char	   *index_name;		/* NULL: the table's items are to be sealed, or
								 * opened */
	Oid			relation;		/* the table's, when the job was found */
	bool		is_deletion;	/* of the index, likewise */
} DynJob;

/*
 * The indexes that are to be made or deleted and the tables to be sealed or opened,
 * or, with time_to_live, the tables whose expired items are to be deleted; DynJobs in CurrentMemoryContext.  A
 * transaction of its own.
 */
extern List *dyn_jobs_find(bool time_to_live);

/* False if the current user may not do it. */
extern bool dyn_job_is_allowed(const DynJob *job);

/*
 * Say that this process does the job: at most one does.  False if another one
 * does and may_wait is false.
 */
extern bool dyn_job_claim(const DynJob *job, bool may_wait);
extern void dyn_job_release(const DynJob *job);

/*
 * Begin a transaction as the owner of the table's relation, which is locked;
 * a snapshot is active.  NULL, and there is no transaction, if the table or (index
 * not NULL) the index has gone.
 */
extern const DynTable *dyn_job_begin(const DynJob *job, LOCKMODE mode,
									 const DynIndex **index);

/* The same, to write items as a client does: triggers fire, deferred ones too. */
extern const DynTable *dyn_job_begin_writing(const DynJob *job,
											 const DynIndex **index);
extern void dyn_job_commit(bool durable);

/*
 * Run a utility statement that has transactions of its own, such as CREATE
 * INDEX CONCURRENTLY.
 */
extern void dyn_job_execute(const char *statement);

/*
 * Wait until every transaction that may have seen the catalog as it was has
 * ended, if it may write to the table: from then on all writers do as it says
 * now.  Those who read are not waited for.
 */
extern void dyn_job_wait_for_writers(const DynJob *job);

/* Outside of transactions. */
extern void dyn_job_sleep(long milliseconds);

/*
 * Between two transactions: sleep as long as dynamo.background_share wants,
 * after so much work.  Sessions are in a hurry.
 */
extern void dyn_job_pace(int64 worked_us);

/* A clock for that. */
extern int64 dyn_job_clock_us(void);

#endif							/* DYN_JOB_H */
