/*-------------------------------------------------------------------------
 *
 * hot_key.c
 *		Where the versions of busy items were last seen.
 *
 * Places of versions that are committed, never of one that its writer alone
 * sees: from it the others could not go on, and from an older one they can.
 *
 * src/store/hot_key.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/shared_state.h"
#include "store/hot_key.h"

/*
 * Entries passed that make a key hot.  Each is a page to look at; a hint costs
 * about as much as three.
 */
#define HOT_PASSED 4

/* Without the library in shared_preload_libraries each session has its own. */
static DynHotKey own_hot_keys[DYN_HOT_KEYS];

/* What a key is told by: never 0, which is a free place. */
static uint64
key_mark(const DynRelation *relation, const DynKey *key)
{
	uint64		table = ((uint64) MyDatabaseId << 32) | RelationGetRelid(relation->heap);

	/* The key's hash is the partition's: the items of one may all be hot. */
	if (key->sort.type != 0)
		table = hash_combine64(table, hash_bytes_extended((const unsigned char *) key->sort.data,
														  key->sort.size, 0));
	return hash_combine64(table, (uint64) key->hash) | 1;
}

/* The group of entries that a mark may be in. */
static DynHotKey *
group_of(uint64 mark)
{
	DynHotKey  *hot_keys = dyn_shared != NULL ? dyn_shared->hot_keys : own_hot_keys;

	return &hot_keys[(mark >> 8) % (DYN_HOT_KEYS / DYN_HOT_KEY_GROUP) * DYN_HOT_KEY_GROUP];
}

static DynHotKey *
find_entry(DynHotKey *group, uint64 mark)
{
	for (int i = 0; i < DYN_HOT_KEY_GROUP; i++)
		if (pg_atomic_read_u64(&group[i].mark) == mark)
			return &group[i];
	return NULL;
}

static void
set_place(DynHotKey *entry, ItemPointer tid)
{
	pg_atomic_write_u64(&entry->place, ((uint64) ItemPointerGetBlockNumber(tid) << 16) |
						ItemPointerGetOffsetNumber(tid));
}

/* Can whoever comes next go on from the tuple in slot? */
static bool
is_committed(TupleTableSlot *slot)
{
	bool		isnull;
	Datum		xmin = slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull);

	return !TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin));
}

/* Go from *tid to the newest version that snapshot sees, and read that. */
static bool
fetch_from(Relation heap, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot)
{
	TableScanDesc scan;
	Buffer		buffer;

	/*
	 * As every visit by an index does: without it the page would never have
	 * room again once nobody can see the old versions.
	 */
	buffer = ReadBuffer(heap, ItemPointerGetBlockNumber(tid));
	heap_page_prune_opt(heap, buffer);
	ReleaseBuffer(buffer);

	scan = table_beginscan_tid(heap, snapshot);
	table_tuple_get_latest_tid(scan, tid);
	table_endscan(scan);
	return table_tuple_fetch_row_version(heap, tid, snapshot, slot);
}

bool
dyn_hot_key_find(const DynRelation *relation, const DynKey *key, Snapshot snapshot,
				 TupleTableSlot *slot, bool *hinted)
{
	uint64		mark = key_mark(relation, key);
	DynHotKey  *entry = find_entry(group_of(mark), mark);
	uint64		place;
	ItemPointerData start;
	ItemPointerData tid;

	*hinted = entry != NULL;
	if (likely(entry == NULL))
		return false;
	place = pg_atomic_read_u64(&entry->place);
	ItemPointerSet(&start, (BlockNumber) (place >> 16), (OffsetNumber) place);
	tid = start;

	/* It may be another's, or of a relation that has been rewritten since. */
	if (!ItemPointerIsValid(&tid) || relation->heap->rd_rel->relam != HEAP_TABLE_AM_OID ||
		ItemPointerGetBlockNumber(&tid) >= RelationGetNumberOfBlocks(relation->heap))
		return false;
	if (!fetch_from(relation->heap, &tid, snapshot, slot))
		return false;
	if (!dyn_relation_has_key(slot, key))
	{
		ExecClearTuple(slot);
		return false;
	}

	/* An older snapshot's place would be a long way from the newest. */
	if (!ItemPointerEquals(&tid, &start) && !IsolationUsesXactSnapshot() &&
		is_committed(slot))
		set_place(entry, &tid);
	return true;
}

void
dyn_hot_key_note(const DynRelation *relation, const DynKey *key, TupleTableSlot *slot,
				 int passed)
{
	uint64		mark = key_mark(relation, key);
	DynHotKey  *group = group_of(mark);
	DynHotKey  *entry = find_entry(group, mark);

	if (IsolationUsesXactSnapshot())
		return;
	if (passed < HOT_PASSED)
	{
		/* The old versions have gone, and the hint was of no use. */
		if (entry != NULL)
			pg_atomic_write_u64(&entry->mark, 0);
		return;
	}
	if (!is_committed(slot))
		return;
	if (entry == NULL)
		entry = find_entry(group, 0);
	if (entry == NULL)
		entry = &group[ItemPointerGetBlockNumber(&slot->tts_tid) % DYN_HOT_KEY_GROUP];
	set_place(entry, &slot->tts_tid);
	pg_atomic_write_u64(&entry->mark, mark);
}
