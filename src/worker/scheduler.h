/*-------------------------------------------------------------------------
 *
 * scheduler.h
 *		The processes that do background jobs.
 *
 * src/worker/scheduler.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_SCHEDULER_H
#define DYN_SCHEDULER_H

/* Main functions; bgw_extra holds the database's OID. */
extern PGDLLEXPORT void dyn_scheduler_main(Datum arg);
extern PGDLLEXPORT void dyn_index_job_main(Datum arg);

#endif							/* DYN_SCHEDULER_H */
