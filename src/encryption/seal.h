/*-------------------------------------------------------------------------
 *
 * seal.h
 *		Seal items and open them.
 *
 * What is authenticated is the item, the table's id and the generation of its
 * data key.  Which row an item belongs to is not: a value of SQL's does not know
 * its row.  The store compares the item's key attributes with the row's columns.
 *
 * src/encryption/seal.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_SEAL_H
#define DYN_SEAL_H

#include "item/item_format.h"
#include "utils/uuid.h"

/* An item sealed with a data key, in CurrentMemoryContext. */
extern DynSealed *dyn_seal(int64 data_key, const DynItem *item);

/*
 * The reverse.  Raises ERRCODE_DATA_CORRUPTED if it is not as it was sealed,
 * or (table_id not NULL) not an item of that table.
 */
extern DynItem *dyn_open(const DynSealed *sealed, const pg_uuid_t *table_id);

/* Was the item sealed with a key of this table?  Does not open it. */
extern bool dyn_sealed_for(Datum datum, const pg_uuid_t *table_id);

/*
 * Images of the change log are bound to their place in it: an image can be opened
 * by who gives the same bytes only, and by nothing in SQL.
 */
extern DynSealed *dyn_seal_image(int64 data_key, const DynItem *item, const void *place,
								 int place_size);

/* The image as an item, opened if it is sealed. */
extern DynItem *dyn_open_image(Datum datum, const void *place, int place_size);

/*
 * Let the type dynamo.item open sealed items; called from _PG_init.  may_read
 * says whether the current user may read the table of that id.
 */
extern void dyn_sealing_install(bool (*may_read) (const pg_uuid_t *table_id));

#endif							/* DYN_SEAL_H */
