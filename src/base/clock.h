/*-------------------------------------------------------------------------
 *
 * clock.h
 *		A clock that only goes forward, the same in all processes.
 *
 * src/base/clock.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_CLOCK_H
#define DYN_CLOCK_H

#include "portability/instr_time.h"

/* In microseconds. */
static inline int64
dyn_clock_us(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return (int64) INSTR_TIME_GET_MICROSEC(now);
}

#endif							/* DYN_CLOCK_H */
