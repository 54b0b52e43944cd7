/*-------------------------------------------------------------------------
 *
 * backfill.h
 *		Give every item of a table its entry in a new index.
 *
 * src/worker/backfill.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_WORKER_BACKFILL_H
#define DYN_WORKER_BACKFILL_H

#include "worker/job.h"

/*
 * Nobody may be writing any more who does not keep the index's slot.  False: the
 * index is to be deleted now, or has gone.  Can be begun anew at any time; what
 * has been done is only read again.
 */
extern bool dyn_backfill(const DynJob *job);

#endif							/* DYN_WORKER_BACKFILL_H */
