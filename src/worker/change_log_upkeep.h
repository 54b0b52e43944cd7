/*-------------------------------------------------------------------------
 *
 * change_log_upkeep.h
 *		Keep streams and their change log as old and as large as settings say.
 *
 * src/worker/change_log_upkeep.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_CHANGE_LOG_UPKEEP_H
#define DYN_CHANGE_LOG_UPKEEP_H

/*
 * One round, outside of transactions, as a superuser: shards and segments that
 * are due are closed and followed by others, what is too old goes.
 */
extern void dyn_change_log_keep_up(void);

/* How often that should be done. */
extern int	dyn_upkeep_interval_ms(void);

#endif							/* DYN_CHANGE_LOG_UPKEEP_H */
