/*-------------------------------------------------------------------------
 *
 * worker.h
 *		One HTTP worker: its queues.
 *
 *		accepted --> queue --> round --> held --> answered
 *						^		 |	  ^
 *						|		 v	  |
 *						+---- retrying |
 *								 |	  |
 *								 v	  |
 *							  costly --+		a slice after each round
 *
 * src/server/worker.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_WORKER_H
#define DYN_WORKER_H

#include "lib/ilist.h"

#include "base/shared_state.h"
#include "server/gateway.h"
#include "server/gather.h"

typedef struct DynWorker
{
	int			number;			/* from 0 */
	DynWorkerSlot *slot;
	DynHttpServer *http;

	dlist_head	queue;			/* to be run, in order of arrival */
	int			queued;
	int			queued_writes;
	DynGather	gather;
	int64		late_since;		/* us: the oldest has been waiting for too long
								 * ever since; 0: it has not */
	bool		overloaded;		/* the newest come first */
	int			taken;			/* requests, in this turn */
	int			taking_us;		/* for each of them, under overload */
	int			round_us;		/* the last round */
	dlist_head	sliced;			/* run in slices, in turns */
	int			nsliced;
	dlist_head	costly;			/* waiting for a place among those */
	int			ncostly;		/* both */
	int64		costly_not_before;	/* us: until then it is the others' turn */
	bool		had_cheap;		/* others have been run since then */
	bool		waits_for_place;	/* see costly.h */
	dlist_head	retrying;		/* met a running transaction; run again later */
	int			nretrying;
	dlist_head	held;			/* done; waiting for a flush, lowest first */
	int			nheld;
	int			table_changes;	/* since the caches were empty */
	XLogRecPtr	commit_lsn;		/* end of this worker's last commit record */
	XLogRecPtr	requested_lsn;	/* up to where the flusher was asked to flush */
	bool		holds_write;	/* commit_lsn is not yet durable */
	int			last_round;		/* requests the last round answered */
	int			previous_round; /* and the one before */

	DynWorkerMetrics metrics;	/* copied to the slot once a round */
} DynWorker;

extern PGDLLEXPORT void dyn_worker_main(Datum arg);

#endif							/* DYN_WORKER_H */
