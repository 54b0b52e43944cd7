/*-------------------------------------------------------------------------
 *
 * seal_job.h
 *		Seal the items a table has, or open them.
 *
 * src/worker/seal_job.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_SEAL_JOB_H
#define DYN_SEAL_JOB_H

#include "worker/job.h"

/* Do what the catalog says is to be done.  The job is claimed. */
extern void dyn_seal_job_run(const DynJob *job);

/*
 * A step of the upkeep: begin a new data key where the one in use has sealed so
 * much that random nonces might meet.  In a transaction of its own, as a superuser.
 */
extern void dyn_data_keys_keep_up(void);

#endif							/* DYN_SEAL_JOB_H */
