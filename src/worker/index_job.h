/*-------------------------------------------------------------------------
 *
 * index_job.h
 *		Bring about what the catalog says of a table's indexes.
 *
 * src/worker/index_job.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_INDEX_JOB_H
#define DYN_INDEX_JOB_H

#include "worker/job.h"

/* Make or delete one index; whoever does it has claimed the job. */
extern void dyn_index_job_run(const DynJob *job);

#endif							/* DYN_INDEX_JOB_H */
