/*-------------------------------------------------------------------------
 *
 * process.h
 *		What every background process of the endpoint does alike.
 *
 * A process that is told to stop (SIGTERM) leaves with exit code 0, which the
 * postmaster does not take for a failure and does not write to the log; the
 * launcher starts another one if there should be one.
 *
 * src/base/process.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_PROCESS_H
#define DYN_PROCESS_H

/*
 * Signal handlers, settings that must not reach us from the server's
 * configuration, and the name in pg_stat_activity.  The process is not
 * connected to anything yet; the signals are unblocked afterwards.
 */
extern void dyn_process_start(const char *name);

/*
 * Connect to a database, or to the shared catalogs alone (InvalidOid).
 */
extern void dyn_process_connect(Oid database);

/*
 * Between two pieces of work: whatever other processes have asked of this one
 * (settings, barriers, invalidations).  Never in a transaction.  Returns true
 * if settings may have changed.
 */
extern bool dyn_process_interrupts(void);

/*
 * Code of others has run here, as another role: a trigger, a function in an
 * index.  Take away what the next role's would find of it: cursors, temporary
 * tables and types, prepared statements.  In a transaction with a snapshot; of
 * one that was aborted only the last are left.
 */
extern void dyn_process_forget_session(void);

/* True once the process should leave. */
extern bool dyn_process_must_stop(void);

#endif							/* DYN_PROCESS_H */
