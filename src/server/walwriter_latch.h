/*-------------------------------------------------------------------------
 *
 * walwriter_latch.h
 *		Asynchronous commits wake the flusher, not the WAL writer: for the
 *		flusher only.
 *
 * src/server/walwriter_latch.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_WALWRITER_LATCH_H
#define DYN_WALWRITER_LATCH_H

/* The flusher has something to flush: let asynchronous commits wake it. */
extern void dyn_walwriter_latch_take(void);

/* From now on asynchronous commits wake the WAL writer again, and it is woken. */
extern void dyn_walwriter_latch_give_back(void);

/*
 * The flusher has been woken, by one of ours or by the commit of a session.
 * Returns for how many milliseconds it may sleep before it has to call this
 * again, or -1.
 */
extern long dyn_walwriter_latch_pass_on(void);

#endif							/* DYN_WALWRITER_LATCH_H */
