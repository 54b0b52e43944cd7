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

/*
 * Run one round: bounded in number and time.  Every request it has run is then
 * answered, held or in the retry queue.
 */
extern void dyn_round_run(DynWorker *worker);

/*
 * Run a slice of what takes long, if there is such and it is its turn: after a
 * round's answers have been sent.  Returns whether one has been run.
 */
extern bool dyn_round_run_costly(DynWorker *worker);

/* It is to have its next slice when all others have had theirs. */
extern void dyn_round_put_off(DynWorker *worker, DynWork *work);

/*
 * Microseconds until a round should be run: 0 now, -1 there is nothing to run.
 */
extern int64 dyn_round_due_in(const DynWorker *worker);

/* The same for slices. */
extern int64 dyn_round_costly_due_in(const DynWorker *worker);

/* Put a finished request with the held ones, or answer it at once. */
extern void dyn_round_hold(DynWorker *worker, DynWork *work);

/* Forget what is known about the extension; looked up again when needed. */
extern void dyn_round_watch_extension(void);

#endif							/* DYN_ROUND_H */
