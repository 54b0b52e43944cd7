/*-------------------------------------------------------------------------
 *
 * slice.h
 *		Operations that take long run in slices of time.
 *
 * A worker runs one request at a time, and a page of Scan is as much work as
 * hundreds of GetItem.  So what reads or writes many items, none of which has
 * to be of one moment with another, looks at the clock between them.  When its
 * slice is over it leaves what it has done in context->new_progress, returns
 * DYN_OUTCOME_UNFINISHED, and is run again from its beginning later, to find
 * that as context->progress.
 *
 * src/operation/slice.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_SLICE_H
#define DYN_SLICE_H

#include "base/json.h"
#include "operation/operation.h"

typedef struct DynSlice
{
	int64		ends;			/* us of the monotonic clock; 0: never */
	Size		unseen;			/* bytes since the clock was looked at */
} DynSlice;

extern void dyn_slice_begin(DynSlice *slice, const DynOperationContext *context);

/* After an item of so many bytes: is the slice over? */
extern bool dyn_slice_is_over(DynSlice *slice, Size bytes);

/* A reply so far, as part of an operation's progress. */
typedef struct DynPartialReply
{
	StringInfo	text;			/* later runs append to it, too */
	int			len;			/* of it, when this run ended */
	bool		comma;			/* the writer's */
} DynPartialReply;

/*
 * Keep what w has written; it may not be used after that.  before: what an
 * earlier run has kept and this one has resumed, or NULL.
 */
extern void dyn_partial_reply_keep(DynPartialReply *partial,
								   const DynPartialReply *before,
								   DynJsonWriter *w);

/* Go on writing behind it, and not to the reply, until it is finished. */
extern void dyn_partial_reply_resume(const DynPartialReply *partial,
									 DynJsonWriter *w);

/* Have w write to reply (again), which gets all there is. */
extern void dyn_partial_reply_finish(DynJsonWriter *w, StringInfo reply);

#endif							/* DYN_SLICE_H */
