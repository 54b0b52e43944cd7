/*-------------------------------------------------------------------------
 *
 * flush.h
 *		Durable before acknowledged: which WAL a reply has to wait for.
 *
 * Commits are asynchronous; what makes them durable is one flush for all that
 * wait, done by the flusher process (or by a worker, see dyn_flush_inline).
 * The rules and why they hold are in flush.c.
 *
 * src/server/flush.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_FLUSH_H
#define DYN_FLUSH_H

#include "access/xlogdefs.h"

#include "base/shared_state.h"

/*
 * Commit the current transaction without waiting for anything.  Returns the
 * position up to which WAL must be durable before what it wrote may be
 * acknowledged, or InvalidXLogRecPtr if it wrote nothing.
 */
extern XLogRecPtr dyn_flush_commit(DynWorkerSlot *slot);

/* A worker leaves: what it announced must be true without it. */
extern void dyn_flush_leave(DynWorkerSlot *slot);

/*
 * The position up to which WAL must be durable before anything this process
 * has read so far may be told to anybody.  Call it after reading.
 */
extern XLogRecPtr dyn_flush_seen(void);

/* Up to where WAL is as durable as the settings ask for. */
extern XLogRecPtr dyn_flush_durable(void);

/* True if the settings want a standby to confirm. */
extern bool dyn_flush_wants_standby(void);

/* Ask the flusher for everything up to lsn; returns at once. */
extern void dyn_flush_request(XLogRecPtr lsn);

/*
 * True if a process other than the flusher should flush: it has gone and no
 * standby is wanted, or there never was a slot for one.
 */
extern bool dyn_flush_is_own_task(void);

/*
 * Flush up to lsn in this process, waiting for a standby if one is wanted.
 * Returns false if that was broken off: then nothing may be acknowledged.
 */
extern bool dyn_flush_inline(XLogRecPtr lsn);

/* Main function of the flusher process. */
extern PGDLLEXPORT void dyn_flusher_main(Datum arg);

#endif							/* DYN_FLUSH_H */
