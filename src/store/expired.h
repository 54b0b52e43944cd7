/*-------------------------------------------------------------------------
 *
 * expired.h
 *		Find items by their time to live.
 *
 * src/store/expired.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_EXPIRED_H
#define DYN_EXPIRED_H

#include "table/table.h"

/* An item that was found, in CurrentMemoryContext. */
typedef struct DynExpiredItem
{
	DynValue	time;			/* N: what its attribute said */
	DynKey		key;
} DynExpiredItem;

/*
 * The items whose time lies in [low, high), the earliest first; of those at low
 * the first skip are left out.  At most limit; returns how many.  The index
 * (dyn_table_time_to_live()) is valid.
 */
extern int	dyn_store_expired(const DynTable *table, const DynIndex *index,
							  const DynValue *low, const DynValue *high, int skip,
							  int limit, DynExpiredItem *items);

#endif							/* DYN_EXPIRED_H */
