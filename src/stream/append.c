/*-------------------------------------------------------------------------
 *
 * append.c
 *		Write a change to the log: by the store, or by a trigger for plain SQL.
 *
 * The operations write to a table's relation without its triggers and append to
 * the log themselves.  SQL's INSERT, UPDATE and DELETE fire the trigger, as
 * does an operation on a relation to which somebody has added triggers or
 * constraints: there, what has been written is known afterwards only.
 *
 * src/stream/append.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/hio.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "encryption/seal.h"
#include "stream/change_log.h"
#include "stream/segment.h"

PG_FUNCTION_INFO_V1(dynamo_log_change);
PG_FUNCTION_INFO_V1(dynamo_log_truncate);

Oid			dyn_change_log_expiring = InvalidOid;

static bool
items_equal(const DynItem *a, const DynItem *b)
{
	DynValue	va = dyn_item_value(a);
	DynValue	vb = dyn_item_value(b);

	return dyn_value_equal(&va, &vb);
}

/* Which shard has the items of a partition. */
static int
bucket_of(const DynStream *stream, const DynKey *key)
{
	return (int) (((uint64) key->hash >> 32) % (uint64) stream->nshards);
}

static DynChangeEvent
event_of(const DynTable *table, const DynItem *old_item, const DynItem *new_item)
{
	if (old_item == NULL)
		return DYN_CHANGE_INSERT;
	if (new_item != NULL)
		return DYN_CHANGE_MODIFY;
	return dyn_change_log_expiring == table->relation ?
		DYN_CHANGE_EXPIRE : DYN_CHANGE_REMOVE;
}

static void
set_item(TupleTableSlot *slot, int column, const DynItem *item)
{
	slot->tts_values[column - 1] = PointerGetDatum(item);
	slot->tts_isnull[column - 1] = item == NULL;
}

/* Images of a sealed table are sealed, each for its place in the log. */
static void
set_image(TupleTableSlot *slot, int column, const DynTable *table, const DynItem *item)
{
	set_item(slot, column, item);
	if (item != NULL && table->data_key != 0)
	{
		DynImagePlace place;

		dyn_image_set_place(&place,
							DatumGetInt64(slot->tts_values[DYN_CHANGE_SHARD - 1]),
							DatumGetInt64(slot->tts_values[DYN_CHANGE_NUMBER - 1]),
							column);
		slot->tts_values[column - 1] =
			PointerGetDatum(dyn_seal_image(table->data_key, item, &place, sizeof(place)));
	}
}

/*
 * Nothing in the log is ever freed, so there is no use in looking for room.  It
 * grows as fast as all writes together, and is mostly read at its end: it gets a
 * ring of buffers, rather than push the tables out of the others.
 */
static void
insert_tuple(Relation heap, TupleTableSlot *slot)
{
	static BulkInsertState ring = NULL;

	if (ring == NULL)
	{
		MemoryContext old_context = MemoryContextSwitchTo(TopMemoryContext);

		ring = GetBulkInsertState();
		MemoryContextSwitchTo(old_context);
	}

	/* An error has released what it had pinned. */
	ring->current_buf = InvalidBuffer;
	table_tuple_insert(heap, slot, GetCurrentCommandId(true), TABLE_INSERT_SKIP_FSM,
					   ring);
	ReleaseBulkInsertStatePin(ring);
}

void
dyn_change_log_append(const DynTable *table, const DynKey *key,
					  const DynItem *old_item, const DynItem *new_item)
{
	const DynStream *stream = &table->stream;
	DynStreamView view = stream->view;
	const DynItem *old_image = NULL;
	const DynItem *new_image = NULL;
	DynShardKey shard;
	Relation	heap;
	Relation	index;
	TupleTableSlot *slot;

	if (!stream->enabled || (old_item == NULL && new_item == NULL) ||
		(old_item != NULL && new_item != NULL && items_equal(old_item, new_item)))
		return;
	if (view == DYN_STREAM_OLD_IMAGE || view == DYN_STREAM_NEW_AND_OLD_IMAGES)
		old_image = old_item;
	if (view == DYN_STREAM_NEW_IMAGE || view == DYN_STREAM_NEW_AND_OLD_IMAGES)
		new_image = new_item;

	shard = dyn_shard_key(stream->id, bucket_of(stream, key));
	dyn_segment_open_newest(&heap, &index);
	slot = MakeSingleTupleTableSlot(RelationGetDescr(heap), &TTSOpsVirtual);
	slot->tts_values[DYN_CHANGE_SHARD - 1] = Int64GetDatum(shard);
	slot->tts_values[DYN_CHANGE_NUMBER - 1] = Int64GetDatum(dyn_change_number_take(shard));
	slot->tts_values[DYN_CHANGE_TIME - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	slot->tts_values[DYN_CHANGE_EVENT - 1] =
		CharGetDatum((char) event_of(table, old_item, new_item));
	for (int i = 0; i < DYN_CHANGE_KEYS - 1; i++)
		slot->tts_isnull[i] = false;
	set_item(slot, DYN_CHANGE_KEYS, old_image == NULL && new_image == NULL ?
			 dyn_key_item(&table->schema, key) : NULL);
	set_image(slot, DYN_CHANGE_OLD_ITEM, table, old_image);
	set_image(slot, DYN_CHANGE_NEW_ITEM, table, new_image);
	ExecStoreVirtualTuple(slot);

	insert_tuple(heap, slot);

	/* The index's columns are the first two.  No two changes have one number. */
	index_insert(index, slot->tts_values, slot->tts_isnull, &slot->tts_tid, heap,
				 UNIQUE_CHECK_NO, false, NULL);
	ExecDropSingleTupleTableSlot(slot);
	relation_close(index, NoLock);
	relation_close(heap, NoLock);
}

/* ----- triggers ----- */

static const DynTable *
table_of(FunctionCallInfo fcinfo, const char *function, bool for_row)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		(for_row ?
		 !TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) :
		 !TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event) || !TRIGGER_FIRED_BEFORE(trigger->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired %s", function,
						for_row ? "AFTER, FOR EACH ROW" : "BEFORE TRUNCATE")));
	return dyn_table_find_relation(RelationGetRelid(trigger->tg_relation));
}

static DynItem *
item_of(HeapTuple tuple, Relation relation)
{
	bool		isnull;
	Datum		datum = heap_getattr(tuple, DYN_ATTNUM_ITEM, RelationGetDescr(relation),
									 &isnull);

	return isnull ? NULL : DatumGetDynItem(datum);
}

static bool
keys_equal(const DynKey *a, const DynKey *b)
{
	return dyn_value_equal(&a->partition, &b->partition) &&
		(a->sort.type == 0 || dyn_value_equal(&a->sort, &b->sort));
}

/* After a row has been written by plain SQL. */
Datum
dynamo_log_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const DynTable *table = table_of(fcinfo, "dynamo.log_change", true);
	DynItem    *old_item = NULL;
	DynItem    *new_item = NULL;
	DynKey		old_key;
	DynKey		new_key;

	if (table == NULL || !table->stream.enabled)
		return PointerGetDatum(NULL);
	if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		old_item = item_of(trigger->tg_trigtuple, trigger->tg_relation);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		new_item = item_of(trigger->tg_trigtuple, trigger->tg_relation);
	else if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		new_item = item_of(trigger->tg_newtuple, trigger->tg_relation);
	if (old_item != NULL)
		dyn_key_from_item(&table->schema, old_item, &old_key);
	if (new_item != NULL)
		dyn_key_from_item(&table->schema, new_item, &new_key);

	/* For DynamoDB, a row that gets another key is another item. */
	if (old_item != NULL && new_item != NULL && !keys_equal(&old_key, &new_key))
	{
		dyn_change_log_append(table, &old_key, old_item, NULL);
		dyn_change_log_append(table, &new_key, NULL, new_item);
	}
	else
		dyn_change_log_append(table, old_item != NULL ? &old_key : &new_key,
							  old_item, new_item);
	return PointerGetDatum(NULL);
}

/* Before TRUNCATE, which has the relation locked: each item is deleted. */
Datum
dynamo_log_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const DynTable *table = table_of(fcinfo, "dynamo.log_truncate", false);
	Snapshot	snapshot;
	TableScanDesc scan;
	TupleTableSlot *slot;
	MemoryContext context;
	MemoryContext old_context;

	if (table == NULL || !table->stream.enabled)
		return PointerGetDatum(NULL);
	context = AllocSetContextCreate(CurrentMemoryContext, "dynamo truncate",
									ALLOCSET_DEFAULT_SIZES);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(trigger->tg_relation, NULL);
	scan = table_beginscan(trigger->tg_relation, snapshot, 0, NULL);
	old_context = MemoryContextSwitchTo(context);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		DynItem    *item;
		DynKey		key;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(context);
		item = DatumGetDynItem(slot_getattr(slot, DYN_ATTNUM_ITEM, &isnull));
		dyn_key_from_item(&table->schema, item, &key);
		dyn_change_log_append(table, &key, item, NULL);
	}
	MemoryContextSwitchTo(old_context);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	MemoryContextDelete(context);
	return PointerGetDatum(NULL);
}
