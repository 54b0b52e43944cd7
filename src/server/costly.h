/*-------------------------------------------------------------------------
 *
 * costly.h
 *		How many workers may be at something that takes long, all together.
 *
 * As many as there are processor cores but one: who asks for little then never
 * has to wait for the kernel to take a core from somebody who asks for much.
 * While nobody has asked for little for a while, there is no such limit.
 *
 * src/server/costly.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_COSTLY_H
#define DYN_COSTLY_H

#include "base/shared_state.h"

/* How long after the last cheap request the limit holds, in us. */
#define DYN_COSTLY_QUIET_US 10000

/*
 * May this worker run a slice?  If not, its latch is set when it may; look again
 * after DYN_COSTLY_QUIET_US all the same.  now: us of the monotonic clock.
 */
extern bool dyn_costly_begin(DynWorkerSlot *slot, int64 now);

/* The slice is over, or none will be run. */
extern void dyn_costly_end(DynWorkerSlot *slot);

/* A cheap request is run. */
extern void dyn_costly_note_cheap(int64 now);

#endif							/* DYN_COSTLY_H */
