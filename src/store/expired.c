/*-------------------------------------------------------------------------
 *
 * expired.c
 *		Find items by their time to live.
 *
 * Entries in the index are the bare bytes of the number, whose order is that of
 * the numbers.
 *
 * src/store/expired.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "item/number.h"
#include "store/expired.h"
#include "store/relation.h"

/* A bytea column as a value, copied. */
static DynValue
column_value(TupleTableSlot *slot, AttrNumber number, DynType type)
{
	bool		isnull;
	bytea	   *column = DatumGetByteaPP(slot_getattr(slot, number, &isnull));
	DynValue	value = {.type = type,.size = VARSIZE_ANY_EXHDR(column),
	.data = VARDATA_ANY(column)};

	return dyn_value_copy(&value);
}

int
dyn_store_expired(const DynTable *table, const DynIndex *index, const DynValue *low,
				  const DynValue *high, int skip, int limit, DynExpiredItem *items)
{
	const DynKeySchema *schema = &table->schema;
	DynRelation relation;
	Relation	index_relation;
	TupleTableSlot *slot;
	Snapshot	snapshot;
	ScanKeyData keys[2];
	IndexScanDesc scan;
	int			count = 0;

	dyn_relation_open(table, AccessShareLock, ACL_SELECT, &relation);
	index_relation = index_open(index->relation, AccessShareLock);
	snapshot = RegisterSnapshot(GetTransactionSnapshot());
	slot = table_slot_create(relation.heap, NULL);
	dyn_relation_bytea_scan_key(&keys[0], 1, BTGreaterEqualStrategyNumber, low);
	dyn_relation_bytea_scan_key(&keys[1], 1, BTLessStrategyNumber, high);
	scan = index_beginscan(relation.heap, index_relation, snapshot, lengthof(keys), 0);
	index_rescan(scan, keys, lengthof(keys), NULL, 0);
	while (count < limit && index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		DynExpiredItem *item = &items[count];
		bool		isnull;

		item->time = column_value(slot, DYN_ATTNUM_SLOT(index->slot), DYN_TYPE_N);

		/* The relation's owner can write there what he likes. */
		if (!dyn_number_check(item->time.data, item->time.size))
			continue;
		if (skip > 0 && dyn_value_compare(&item->time, low) == 0)
		{
			skip--;
			continue;
		}
		memset(&item->key, 0, sizeof(item->key));
		item->key.hash = DatumGetInt64(slot_getattr(slot, DYN_ATTNUM_HASH, &isnull));
		item->key.partition = column_value(slot, DYN_ATTNUM_PARTITION,
										   schema->partition.type);
		if (schema->sort.name != NULL)
			item->key.sort = column_value(slot, DYN_ATTNUM_SORT, schema->sort.type);
		count++;
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	index_close(index_relation, NoLock);
	dyn_relation_close(&relation);
	return count;
}
