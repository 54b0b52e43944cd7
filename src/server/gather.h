/*-------------------------------------------------------------------------
 *
 * gather.h
 *		How many writes are worth a transaction id just now?
 *
 * src/server/gather.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_GATHER_H
#define DYN_GATHER_H

typedef struct DynGather
{
	int			target;			/* writes a round should begin with */
	int64		since;			/* us: when the first queued write came */

	/* The window in which writes and their connections are counted. */
	int64		window_start;	/* us */
	int			window_writes;
	uint64		window_writers; /* a bit for each connection, by its hash */
} DynGather;

/* A write has come, and is the first one in the queue or not. */
extern void dyn_gather_note(DynGather *gather, const void *connection,
							bool is_first, int64 now);

/*
 * Microseconds the queued writes should still wait for others; 0: run them.
 * flushing: a commit of this worker is waiting for its flush.
 */
extern int64 dyn_gather_wait(const DynGather *gather, int queued, bool flushing,
							 int64 now);

#endif							/* DYN_GATHER_H */
