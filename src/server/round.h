/*-------------------------------------------------------------------------
 *
 * round.h
 *		Run what has been read from the sockets, sharing transactions.
 *
 * src/server/round.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_ROUND_H
#define DYN_ROUND_H

#include "server/worker.h"

/* Microseconds of a clock that only goes forward. */
extern int64 dyn_clock_us(void);

/*
 * Run one round: bounded in number and time.  Every request it has run is then
 * answered, held or in the retry queue.
 */
extern void dyn_round_run(DynWorker *worker);

/* True if a round would have something to run now. */
extern bool dyn_round_has_work(const DynWorker *worker);

/* Microseconds until a retry is due, or -1 if none is waiting. */
extern int64 dyn_round_next_retry(const DynWorker *worker);

/* Put a finished request with the held ones, or answer it at once. */
extern void dyn_round_hold(DynWorker *worker, DynWork *work);

/* Forget what is known about the extension; looked up again when needed. */
extern void dyn_round_watch_extension(void);

#endif							/* DYN_ROUND_H */
