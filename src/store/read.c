/*-------------------------------------------------------------------------
 *
 * read.c
 *		Read items: one by key, or a walk over a range of a table or an index.
 *
 * src/store/read.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "store/relation.h"
#include "store/store.h"

#define PREFETCH_BYTES	4096

/*
 * Most keys a walk has: hash, partition, two sort bounds, begins_with and the
 * start; or two hash bounds and a row comparison.
 */
#define MAX_RANGE_KEYS 6

struct DynStoreCursor
{
	DynRelation relation;
	Snapshot	snapshot;
	IndexScanDesc scan;
	MemoryContext context;		/* what the scan allocates on its way */
	ScanDirection direction;
	TupleTableSlot *slot;
	ScanKeyData keys[MAX_RANGE_KEYS];
	ScanKeyData row[DYN_MAX_KEY_COLUMNS];	/* members of a row comparison */
	bool		done;
};

static DynItem *
get_item(DynRelation *relation, const DynKey *key, Snapshot snapshot)
{
	TupleTableSlot *slot = table_slot_create(relation->heap, NULL);
	DynItem    *item = NULL;

	if (dyn_relation_find(relation, key, snapshot, slot))
		item = dyn_relation_copy_item(relation, slot);
	ExecDropSingleTupleTableSlot(slot);
	dyn_relation_close(relation);
	return item;
}

DynItem *
dyn_store_get(const DynTable *table, const DynKey *key)
{
	DynRelation relation;
	Snapshot	snapshot;
	DynItem    *item;

	dyn_relation_open(table, AccessShareLock, ACL_SELECT, &relation);
	snapshot = RegisterSnapshot(GetTransactionSnapshot());
	item = get_item(&relation, key, snapshot);
	UnregisterSnapshot(snapshot);
	return item;
}

DynStoreResult
dyn_store_get_at(const DynTable *table, const DynKey *key, Snapshot snapshot,
				 DynItem **item)
{
	DynRelation relation;

	if (!dyn_relation_try_open(table, AccessShareLock, ACL_SELECT, &relation))
		return DYN_STORE_BUSY;
	*item = get_item(&relation, key, snapshot);
	return DYN_STORE_OK;
}

/* One member of a row comparison; last ends it. */
static void
row_member(ScanKey member, AttrNumber attnum, StrategyNumber strategy,
		   RegProcedure compare, Datum argument, bool last)
{
	ScanKeyEntryInitialize(member,
						   SK_ROW_MEMBER | (last ? SK_ROW_END : 0),
						   attnum, strategy, InvalidOid, InvalidOid,
						   compare, argument);
}

/* (hash, partition, sort) > start: where a Scan goes on. */
static void
row_key(DynStoreCursor *cursor, ScanKey key, const DynKey *start)
{
	bool		has_sort = start->sort.type != 0;

	row_member(&cursor->row[0], DYN_ATTNUM_HASH, BTGreaterStrategyNumber,
			   F_BTINT8CMP, Int64GetDatum(start->hash), false);
	row_member(&cursor->row[1], DYN_ATTNUM_PARTITION, BTGreaterStrategyNumber,
			   F_BYTEACMP, dyn_relation_key_datum(&start->partition), !has_sort);
	if (has_sort)
		row_member(&cursor->row[2], DYN_ATTNUM_SORT, BTGreaterStrategyNumber,
				   F_BYTEACMP, dyn_relation_key_datum(&start->sort), true);

	memset(key, 0, sizeof(ScanKeyData));
	key->sk_flags = SK_ROW_HEADER;
	key->sk_attno = DYN_ATTNUM_HASH;
	key->sk_strategy = BTGreaterStrategyNumber;
	key->sk_argument = PointerGetDatum(cursor->row);
}

static int
query_keys(DynStoreCursor *cursor, const DynStoreRange *range)
{
	ScanKey		keys = cursor->keys;
	int			n = 0;

	ScanKeyInit(&keys[n++], DYN_ATTNUM_HASH, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(range->partition->hash));
	dyn_relation_bytea_scan_key(&keys[n++], DYN_ATTNUM_PARTITION,
								BTEqualStrategyNumber,
								&range->partition->partition);
	if (range->low.data != NULL)
		dyn_relation_bytea_scan_key(&keys[n++], DYN_ATTNUM_SORT,
									range->low_inclusive ?
									BTGreaterEqualStrategyNumber : BTGreaterStrategyNumber,
									&range->low);
	if (range->high.data != NULL)
		dyn_relation_bytea_scan_key(&keys[n++], DYN_ATTNUM_SORT,
									range->high_inclusive ?
									BTLessEqualStrategyNumber : BTLessStrategyNumber,
									&range->high);
	if (range->begins_with.data != NULL)
		dyn_relation_bytea_scan_key(&keys[n++], DYN_ATTNUM_SORT,
									DYN_BEGINS_WITH_STRATEGY, &range->begins_with);
	if (range->start_after != NULL)
	{
		/* Without a sort key the start is the partition's only item. */
		if (range->start_after->sort.type == 0)
			cursor->done = true;
		else
			dyn_relation_bytea_scan_key(&keys[n++], DYN_ATTNUM_SORT,
										range->backward ?
										BTLessStrategyNumber : BTGreaterStrategyNumber,
										&range->start_after->sort);
	}
	return n;
}

static int
scan_keys(DynStoreCursor *cursor, const DynStoreRange *range)
{
	ScanKey		keys = cursor->keys;
	int			n = 0;

	Assert(!range->backward);
	if (range->start_after != NULL)
		row_key(cursor, &keys[n++], range->start_after);
	else if (range->hash_low != PG_INT64_MIN)
		ScanKeyInit(&keys[n++], DYN_ATTNUM_HASH, BTGreaterEqualStrategyNumber,
					F_INT8GE, Int64GetDatum(range->hash_low));
	if (range->hash_high != PG_INT64_MAX)
		ScanKeyInit(&keys[n++], DYN_ATTNUM_HASH, BTLessEqualStrategyNumber,
					F_INT8LE, Int64GetDatum(range->hash_high));
	return n;
}

/* The relation is open and the keys are set. */
static void
begin_walk(DynStoreCursor *cursor, int nkeys, bool backward)
{
	cursor->context = CurrentMemoryContext;
	cursor->snapshot = RegisterSnapshot(GetTransactionSnapshot());
	cursor->slot = table_slot_create(cursor->relation.heap, NULL);
	cursor->direction = backward ? BackwardScanDirection : ForwardScanDirection;
	cursor->scan = index_beginscan(cursor->relation.heap, cursor->relation.index,
								   cursor->snapshot, nkeys, 0);
	index_rescan(cursor->scan, cursor->keys, nkeys, NULL, 0);
}

DynStoreCursor *
dyn_store_open(const DynTable *table, const DynStoreRange *range)
{
	DynStoreCursor *cursor = palloc0(sizeof(DynStoreCursor));
	int			nkeys;

	dyn_relation_open(table, AccessShareLock, ACL_SELECT, &cursor->relation);
	nkeys = range->partition != NULL ? query_keys(cursor, range) :
		scan_keys(cursor, range);
	begin_walk(cursor, nkeys, range->backward);
	return cursor;
}

/*
 * An index that was built while some could still see versions of tuples that
 * it leaves out answers only for later snapshots.  Every call takes a new one,
 * unless the transaction has its own.
 */
static void
check_snapshot(Relation index)
{
	TransactionId built;

	if (!index->rd_index->indcheckxmin || !IsolationUsesXactSnapshot())
		return;
	built = HeapTupleHeaderGetXmin(index->rd_indextuple->t_data);
	if (!TransactionIdPrecedes(built, TransactionXmin))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("index \"%s\" is newer than the transaction's snapshot",
						RelationGetRelationName(index))));
}

DynStoreCursor *
dyn_store_open_index(const DynTable *table, const DynIndex *index,
					 const DynStoreIndexRange *range)
{
	DynStoreCursor *cursor = palloc0(sizeof(DynStoreCursor));
	int			nkeys = 0;

	dyn_relation_open_index(table, index, AccessShareLock, ACL_SELECT,
							&cursor->relation);
	check_snapshot(cursor->relation.index);
	if (range->low.data != NULL)
		dyn_relation_bytea_scan_key(&cursor->keys[nkeys++], 1,
									range->low_inclusive ?
									BTGreaterEqualStrategyNumber : BTGreaterStrategyNumber,
									&range->low);
	if (range->high.data != NULL)
		dyn_relation_bytea_scan_key(&cursor->keys[nkeys++], 1,
									range->high_inclusive ?
									BTLessEqualStrategyNumber : BTLessStrategyNumber,
									&range->high);
	begin_walk(cursor, nkeys, range->backward);
	return cursor;
}

DynItem *
dyn_store_next(DynStoreCursor *cursor)
{
	MemoryContext caller;
	DynItem    *item;

	CHECK_FOR_INTERRUPTS();
	if (cursor->done)
		return NULL;

	/*
	 * The caller may reset his context from item to item; the scan allocates
	 * when it meets its first dead tuple, and keeps that to its end.
	 */
	caller = MemoryContextSwitchTo(cursor->context);
	cursor->done = !index_getnext_slot(cursor->scan, cursor->direction,
									   cursor->slot);
	MemoryContextSwitchTo(caller);
	if (cursor->done)
		return NULL;
	item = dyn_relation_slot_item(&cursor->relation, cursor->slot);

	/*
	 * Nearly all of it will be read, and pages lie in no cache of the
	 * processor's: ask for it at once rather than line by line.
	 */
	for (uint32 at = 0; at < Min(VARSIZE_ANY(item), PREFETCH_BYTES); at += 64)
		__builtin_prefetch((const char *) item + at);
	return item;
}

void
dyn_store_close(DynStoreCursor *cursor)
{
	index_endscan(cursor->scan);
	ExecDropSingleTupleTableSlot(cursor->slot);
	UnregisterSnapshot(cursor->snapshot);
	dyn_relation_close(&cursor->relation);
}
