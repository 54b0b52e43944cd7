/*-------------------------------------------------------------------------
 *
 * backfill.c
 *		Bring an index's slot up to date in the items that are there already, or
 *		seal them.
 *
 * No index of PostgreSQL's has the slot yet, so an update of the slot alone is
 * HOT where the page has room for another version of the item.  A page filled
 * to its fillfactor has room for about one.  So a page is visited several times:
 * each visit writes as many items as there is room for, and the next one finds
 * their old versions pruned.
 *
 * src/store/backfill.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/freespace.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "store/backfill.h"
#include "store/executor.h"
#include "store/relation.h"

/*
 * Make room.  heap_page_prune_opt() leaves a page alone that is not short of
 * space by its own measure, which knows nothing of the size of our items; so
 * say what an update that found no room says.
 */
static void
prune(Relation heap, Buffer buffer)
{
	Page		page = BufferGetPage(buffer);

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	if (TransactionIdIsValid(((PageHeader) page)->pd_prune_xid))
		PageSetFull(page);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	heap_page_prune_opt(heap, buffer);
}

/*
 * Copy the tuples that the active snapshot sees.  *space: room for more;
 * *pending: versions are there that will be pruned some time.
 */
static List *
copy_tuples(Relation heap, Buffer buffer, Size *space, bool *pending)
{
	Page		page = BufferGetPage(buffer);
	BlockNumber block = BufferGetBlockNumber(buffer);
	List	   *tuples = NIL;
	OffsetNumber last;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	last = PageGetMaxOffsetNumber(page);
	for (OffsetNumber offset = FirstOffsetNumber; offset <= last; offset++)
	{
		ItemId		line = PageGetItemId(page, offset);
		HeapTupleData tuple;

		if (!ItemIdIsNormal(line))
			continue;
		tuple.t_data = (HeapTupleHeader) PageGetItem(page, line);
		tuple.t_len = ItemIdGetLength(line);
		tuple.t_tableOid = RelationGetRelid(heap);
		ItemPointerSet(&tuple.t_self, block, offset);
		if (HeapTupleSatisfiesVisibility(&tuple, GetActiveSnapshot(), buffer))
			tuples = lappend(tuples, heap_copytuple(&tuple));
	}
	*space = PageGetHeapFreeSpace(page);
	*pending = TransactionIdIsValid(((PageHeader) page)->pd_prune_xid);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return tuples;
}

static bool
equal_bytes(Datum a, Datum b)
{
	bytea	   *left = DatumGetByteaPP(a);
	bytea	   *right = DatumGetByteaPP(b);

	return VARSIZE_ANY_EXHDR(left) == VARSIZE_ANY_EXHDR(right) &&
		memcmp(VARDATA_ANY(left), VARDATA_ANY(right), VARSIZE_ANY_EXHDR(left)) == 0;
}

/* The tuple with the right entry in the slot, or NULL if it has that. */
static HeapTuple
with_right_entry(Relation heap, const DynTable *table, const DynIndex *index,
				 HeapTuple tuple)
{
	TupleDesc	descriptor = RelationGetDescr(heap);
	int			column = DYN_ATTNUM_SLOT(index->slot);
	bool		isnull;
	bool		old_isnull;
	DynItem    *item = dyn_relation_tuple_item(table, heap, tuple);
	Datum		old_entry = heap_getattr(tuple, column, descriptor, &old_isnull);
	DynKey		key = {0};
	Datum		entry;

	dyn_key_from_item(&table->schema, item, &key);
	entry = dyn_index_datum(index, item, &key, &isnull);
	if (isnull ? old_isnull : !old_isnull && equal_bytes(entry, old_entry))
		return NULL;
	return heap_modify_tuple_by_cols(tuple, descriptor, 1, &column, &entry, &isnull);
}

/* The tuple with its item sealed, or not, as the table's are to be; or NULL. */
static HeapTuple
with_right_item(Relation heap, const DynTable *table, HeapTuple tuple)
{
	int			column = DYN_ATTNUM_ITEM;
	bool		isnull;
	Datum		stored = heap_getattr(tuple, column, RelationGetDescr(heap), &isnull);
	Datum		datum;

	if (isnull || dyn_table_item_is_right(table, stored))
		return NULL;
	datum = dyn_table_item_datum(table, dyn_relation_tuple_item(table, heap, tuple), stored);
	return heap_modify_tuple_by_cols(tuple, RelationGetDescr(heap), 1, &column, &datum,
									 &isnull);
}

static HeapTuple
right_tuple(Relation heap, const DynTable *table, const DynIndex *index,
			HeapTuple tuple)
{
	return index == NULL ? with_right_item(heap, table, tuple) :
		with_right_entry(heap, table, index, tuple);
}

/* Write one item's new tuple. */
static void
write_tuple(Relation heap, const DynTable *table, HeapTuple old, HeapTuple new,
			DynBackfillPage *page)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(heap),
													&TTSOpsHeapTuple);
	TM_Result	result = TM_Ok;
	bool		is_locked = false;

	/* heap_update() can do without waiting, but asserts that nobody asks it to. */
#ifdef USE_ASSERT_CHECKING
	TupleTableSlot *locked = table_slot_create(heap, NULL);
	TM_FailureData failure;

	result = table_tuple_lock(heap, &old->t_self, GetActiveSnapshot(), locked,
							  GetCurrentCommandId(true), LockTupleNoKeyExclusive,
							  LockWaitSkip, 0, &failure);
	ExecDropSingleTupleTableSlot(locked);
	is_locked = true;
#endif

	if (result == TM_Ok)
	{
		ItemPointerData tid = old->t_self;

		ExecStoreHeapTuple(new, slot, false);
		slot->tts_tableOid = RelationGetRelid(heap);
		result = dyn_executor_rewrite(heap, &tid, slot, GetActiveSnapshot(),
									  is_locked);
		if (result == TM_Ok)
		{
			page->changed++;
			if (ItemPointerGetBlockNumber(&slot->tts_tid) !=
				ItemPointerGetBlockNumber(&tid))
				page->moved++;
		}
	}
	ExecDropSingleTupleTableSlot(slot);

	switch (result)
	{
		case TM_Ok:
			break;
		case TM_Updated:
		case TM_Deleted:
			/* Whoever did that has seen to what is missing. */
			break;
		case TM_BeingModified:
		case TM_WouldBlock:
			page->held++;
			break;
		default:
			elog(ERROR, "unexpected result of a tuple operation: %d", (int) result);
	}
}

void
dyn_store_backfill_page(Relation heap, const DynTable *table, const DynIndex *index,
						BlockNumber block, BufferAccessStrategy strategy,
						bool may_move, DynBackfillPage *page)
{
	Buffer		buffer = ReadBufferExtended(heap, MAIN_FORKNUM, block, RBM_NORMAL,
											strategy);
	Size		space;
	bool		pending;
	List	   *tuples;
	ListCell   *cell;
	HeapTuple	unfit_old = NULL;
	HeapTuple	unfit_new = NULL;

	memset(page, 0, sizeof(*page));
	prune(heap, buffer);
	tuples = copy_tuples(heap, buffer, &space, &pending);
	ReleaseBuffer(buffer);

	foreach(cell, tuples)
	{
		HeapTuple	old = lfirst(cell);
		HeapTuple	new = right_tuple(heap, table, index, old);
		Size		size;

		CHECK_FOR_INTERRUPTS();
		if (new == NULL)
			continue;

		/* What is longer than this is made shorter when it is written. */
		size = MAXALIGN(Min(new->t_len, RelationGetToastTupleTarget(heap, TOAST_TUPLE_TARGET)));
		if (size > space && !may_move)
		{
			unfit_old = old;
			unfit_new = new;
			page->unfit++;
			continue;
		}
		write_tuple(heap, table, old, new, page);
		space -= Min(space, size + sizeof(ItemIdData));
	}

	if (page->unfit > 0 && page->changed == 0 && !pending)
	{
		page->unfit--;
		write_tuple(heap, table, unfit_old, unfit_new, page);
	}
}

void
dyn_store_offer_free_space(Relation heap, BlockNumber start, BlockNumber end)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(heap);

	end = Min(end, blocks);
	for (BlockNumber block = start; block < end; block++)
	{
		Buffer		buffer = ReadBuffer(heap, block);
		Size		space;

		prune(heap, buffer);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		space = PageGetHeapFreeSpace(BufferGetPage(buffer));
		UnlockReleaseBuffer(buffer);
		RecordPageWithFreeSpace(heap, block, space);
	}
	if (start < end)
		FreeSpaceMapVacuumRange(heap, start, end);
}
