/*-------------------------------------------------------------------------
 *
 * time_to_live.h
 *		Delete items whose time to live is over.
 *
 * src/worker/time_to_live.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_TIME_TO_LIVE_H
#define DYN_TIME_TO_LIVE_H

#include "worker/job.h"

/*
 * The sweep over one table: a few batches with each call of
 * dyn_sweep_continue(), which returns false when there is nothing left to do.
 * Lives in CurrentMemoryContext.
 */
typedef struct DynSweep DynSweep;

extern DynSweep *dyn_sweep_begin(const DynJob *job);
extern bool dyn_sweep_continue(DynSweep *sweep);

#endif							/* DYN_TIME_TO_LIVE_H */
