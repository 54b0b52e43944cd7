/*-------------------------------------------------------------------------
 *
 * wal_bell.h
 *		Asynchronous commits wake the flusher, not the WAL writer: for the
 *		flusher only.
 *
 * src/server/wal_bell.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_WAL_BELL_H
#define DYN_WAL_BELL_H

/* The flusher has something to flush. */
extern void dyn_wal_bell_take(void);

extern void dyn_wal_bell_give_back(void);

/*
 * The flusher has been woken, by one of ours or by the commit of a session.
 * Returns for how many milliseconds it may sleep before it has to call this
 * again, or -1.
 */
extern long dyn_wal_bell_pass_on(void);

#endif							/* DYN_WAL_BELL_H */
