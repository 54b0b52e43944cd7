/*-------------------------------------------------------------------------
 *
 * fiber.h
 *		A long computation that lets others have turns.
 *
 * cJSON, zlib and a digest of 16 MB can't be asked to stop in the middle and to go
 * on later.  On a stack of its own such a function can be left where it is:
 * dyn_fiber_pause(), called on the way, returns to whoever called
 * dyn_fiber_run() when the time is up, and the next dyn_fiber_run() returns
 * from it.
 *
 * There is one such stack, so one function at a time.  It may palloc, in a
 * context that stays, and raise errors.  It may not touch anything that belongs
 * to a transaction, which may be another one after a pause, nor anything that
 * its caller changes meanwhile.
 *
 * src/base/fiber.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_FIBER_H
#define DYN_FIBER_H

typedef void (*DynFiberFunction) (void *arg);

/*
 * Begin with function(arg), or go on with it, for us microseconds (0: to its
 * end).  Returns
 * true when it has ended; an error it raises is raised here, and it has ended.
 * arg tells who goes on: it is busy if that is not whom it was begun for.
 */
extern bool dyn_fiber_run(DynFiberFunction function, void *arg, int us);

/* Who has begun and not ended, or NULL. */
extern const void *dyn_fiber_user(void);

/* Forget who has not ended: its memory goes. */
extern void dyn_fiber_abandon(const void *arg);

extern bool dyn_fiber_running;
extern bool dyn_fiber_time_is_up(void);

/* Leave for now; only when dyn_fiber_is_over(). */
extern void dyn_fiber_leave(void);

/*
 * In a fiber, is its time up?  To be asked after some microseconds of work at
 * most; costs nothing elsewhere.
 */
static inline bool
dyn_fiber_is_over(void)
{
	return unlikely(dyn_fiber_running) && dyn_fiber_time_is_up();
}

static inline void
dyn_fiber_pause(void)
{
	if (dyn_fiber_is_over())
		dyn_fiber_leave();
}

#endif							/* DYN_FIBER_H */
