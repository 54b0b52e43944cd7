/*-------------------------------------------------------------------------
 *
 * verify_table.c
 *		dynamo.verify_table(): are the columns beside the items what the items
 *		say?
 *
 * dynamo.verify_index() compares an index with the columns it is made of; this
 * compares the columns with the items.  The two together leave nothing
 * unchecked.
 *
 * src/store/verify_table.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tableam.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/error.h"
#include "store/relation.h"
#include "store/store.h"

PG_FUNCTION_INFO_V1(dynamo_verify_table);

static void
report(const DynRelation *relation, TupleTableSlot *slot, AttrNumber attnum)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("column \"%s\" of table \"%s\" does not follow from the item at (%u,%u)",
					NameStr(TupleDescAttr(RelationGetDescr(relation->heap), attnum - 1)->attname),
					relation->table->name,
					ItemPointerGetBlockNumber(&slot->tts_tid),
					ItemPointerGetOffsetNumber(&slot->tts_tid)),
			 errhint("UPDATE of the row, changing nothing, computes its columns anew.")));
}

/* Is the column what it should be: these bytes, or NULL? */
static bool
has_bytes(TupleTableSlot *slot, AttrNumber attnum, const char *bytes, uint32 size)
{
	bool		isnull;
	Datum		datum = slot_getattr(slot, attnum, &isnull);
	bytea	   *column;

	if (isnull || bytes == NULL)
		return isnull && bytes == NULL;
	column = DatumGetByteaPP(datum);
	return VARSIZE_ANY_EXHDR(column) == size &&
		memcmp(VARDATA_ANY(column), bytes, size) == 0;
}

static void
verify_tuple(const DynRelation *relation, TupleTableSlot *slot)
{
	const DynTable *table = relation->table;
	DynItem    *item = dyn_relation_slot_item(relation, slot);
	DynKey		key;
	bool		isnull;
	StringInfoData entry;

	dyn_item_check(item);
	dyn_key_from_item(&table->schema, item, &key);
	if (DatumGetInt64(slot_getattr(slot, DYN_ATTNUM_HASH, &isnull)) != key.hash || isnull)
		report(relation, slot, DYN_ATTNUM_HASH);
	if (!has_bytes(slot, DYN_ATTNUM_PARTITION, key.partition.data, key.partition.size))
		report(relation, slot, DYN_ATTNUM_PARTITION);
	if (!has_bytes(slot, DYN_ATTNUM_SORT, key.sort.type == 0 ? NULL : key.sort.data,
				   key.sort.size))
		report(relation, slot, DYN_ATTNUM_SORT);

	initStringInfo(&entry);
	for (int i = 0; i < table->nindexes; i++)
	{
		const DynIndex *index = &table->indexes[i];
		bool		has_entry;

		/* Slots of others hold what was left there. */
		if (index->status != DYN_INDEX_ACTIVE)
			continue;
		resetStringInfo(&entry);
		has_entry = dyn_index_entry(&entry, index, item, &key);
		if (!has_bytes(slot, DYN_ATTNUM_SLOT(index->slot),
					   has_entry ? entry.data : NULL, entry.len))
			report(relation, slot, DYN_ATTNUM_SLOT(index->slot));
	}
}

/*
 * (table name): number of items.  Raises data_corrupted for the first row whose
 * columns are not what its item says; ResourceNotFoundException.
 */
Datum
dynamo_verify_table(PG_FUNCTION_ARGS)
{
	char	   *argument = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *name = pg_server_to_any(argument, strlen(argument), PG_UTF8);
	const DynTable *table = dyn_table_find(name, strlen(name));
	DynRelation relation;
	Snapshot	snapshot;
	TableScanDesc scan;
	TupleTableSlot *slot;
	MemoryContext tuple_context;
	MemoryContext caller;
	int64		ntuples = 0;

	if (table == NULL)
		dyn_raise(RESOURCE_NOT_FOUND, "Requested resource not found");
	dyn_relation_open(table, AccessShareLock, ACL_SELECT, &relation);
	tuple_context = AllocSetContextCreate(CurrentMemoryContext, "verify table",
										  ALLOCSET_DEFAULT_SIZES);
	snapshot = RegisterSnapshot(GetTransactionSnapshot());
	slot = table_slot_create(relation.heap, NULL);
	scan = table_beginscan(relation.heap, snapshot, 0, NULL);
	caller = CurrentMemoryContext;
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(tuple_context);
		verify_tuple(&relation, slot);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(tuple_context);
		ntuples++;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	dyn_relation_close(&relation);
	PG_RETURN_INT64(ntuples);
}
