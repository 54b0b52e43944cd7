/*-------------------------------------------------------------------------
 *
 * slice.c
 *		Operations that take long run in slices of time.
 *
 * src/operation/slice.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "operation/slice.h"

/* The clock is looked at after so much work; an item is some in any case. */
#define CLOCK_BYTES		16384
#define ITEM_OVERHEAD	256

void
dyn_slice_begin(DynSlice *slice, const DynOperationContext *context)
{
	slice->ends = context->slice_us == 0 ? 0 : dyn_clock_us() + context->slice_us;
	slice->unseen = 0;
}

bool
dyn_slice_is_over(DynSlice *slice, Size bytes)
{
	if (slice->ends == 0)
		return false;
	slice->unseen += bytes + ITEM_OVERHEAD;
	if (slice->unseen < CLOCK_BYTES)
		return false;
	slice->unseen = 0;
	return dyn_clock_us() >= slice->ends;
}

void
dyn_partial_reply_keep(DynPartialReply *partial, const DynPartialReply *before,
					   DynJsonWriter *w)
{
	partial->len = w->out->len;
	partial->comma = w->comma;
	partial->text = w->out;
	if (before == NULL || before->text != w->out)
	{
		/* Out of the caller's hands, who uses his for what he likes. */
		partial->text = palloc(sizeof(StringInfoData));
		*partial->text = *w->out;
		initStringInfo(w->out);
	}
}

void
dyn_partial_reply_resume(const DynPartialReply *partial, DynJsonWriter *w)
{
	w->out = partial->text;
	w->out->len = partial->len;
	w->comma = partial->comma;
}

void
dyn_partial_reply_finish(DynJsonWriter *w, StringInfo reply)
{
	if (w->out == reply)
		return;
	*reply = *w->out;
	w->out = reply;
}
