/*-------------------------------------------------------------------------
 *
 * verify.c
 *		dynamo.verify_index(): does an index agree with its table?
 *
 * amcheck refuses a foreign access method, and looks at one direction only.
 * Here one snapshot is read three times: the leaves from left to right, a
 * descent from the root for each live tuple, and the heap.  The locks are a
 * reader's, so all of it may run while others write: what they write is not
 * visible to the snapshot, and what is visible to it VACUUM leaves alone.
 *
 * src/keyindex/verify.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/relation.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplesort.h"

#include "keyindex/keyindex.h"

PG_FUNCTION_INFO_V1(dynamo_verify_index);

typedef struct Verify
{
	Relation	heap;
	Relation	index;
	Snapshot	snapshot;
	IndexInfo  *info;

	/* Where the live tuples are: root of the HOT chain, as int8. */
	Tuplesortstate *in_index;
	Tuplesortstate *in_heap;

	int64		index_tuples;	/* dead ones too */
	int64		heap_tuples;	/* live and to be indexed */
} Verify;

#define CORRUPTED(v, ...) \
	ereport(ERROR, \
			(errcode(ERRCODE_INDEX_CORRUPTED), \
			 errmsg("index \"%s\" is corrupted", \
					RelationGetRelationName((v)->index)), \
			 errdetail(__VA_ARGS__), \
			 errhint("REINDEX makes it anew from the table.")))

#define TID_ARGS(tid) \
	ItemPointerGetBlockNumberNoCheck(tid), ItemPointerGetOffsetNumberNoCheck(tid)

/* An index tuple copied out of a scan, with the TID it was returned for. */
typedef union Entry
{
	IndexTupleData tuple;
	char		room[BLCKSZ];
} Entry;

static void
copy_entry(Entry *entry, IndexTuple tuple, ItemPointer tid)
{
	memcpy(entry, tuple, IndexTupleSize(tuple));
	entry->tuple.t_info &= ~INDEX_ALT_TID_MASK;
	entry->tuple.t_tid = *tid;
}

/* Compare the key columns, in the index's order.  *any_null is of a. */
static int
compare_entries(Relation index, IndexTuple a, IndexTuple b, bool *any_null)
{
	TupleDesc	desc = RelationGetDescr(index);

	*any_null = false;
	for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
	{
		int16		option = index->rd_indoption[i];
		bool		a_null;
		bool		b_null;
		Datum		a_value = index_getattr(a, i + 1, desc, &a_null);
		Datum		b_value = index_getattr(b, i + 1, desc, &b_null);
		int			order;

		if (a_null || b_null)
		{
			*any_null |= a_null;
			if (a_null == b_null)
				continue;
			return a_null == ((option & INDOPTION_NULLS_FIRST) != 0) ? -1 : 1;
		}
		order = DatumGetInt32(FunctionCall2Coll(index_getprocinfo(index, i + 1,
																  BTORDER_PROC),
												index->rd_indcollation[i],
												a_value, b_value));
		if (order != 0)
			return (option & INDOPTION_DESC) ? -order : order;
	}
	return 0;
}

/* Does a search for exactly this entry, TID included, end at it? */
static bool
found_from_root(Relation index, IndexTuple entry)
{
	BTScanInsert key = _bt_mkscankey(index, entry);
	Buffer		buffer;
	BTStack		stack = _bt_search(index, key, &buffer, BT_READ, NULL);
	bool		found = false;

	_bt_freestack(stack);
	if (BufferIsValid(buffer))
	{
		Page		page = BufferGetPage(buffer);
		OffsetNumber low = P_FIRSTDATAKEY((BTPageOpaque) PageGetSpecialPointer(page));
		OffsetNumber high = OffsetNumberNext(PageGetMaxOffsetNumber(page));

		while (low < high && !found)
		{
			OffsetNumber middle = low + (high - low) / 2;
			int			order = _bt_compare(index, key, page, middle);

			if (order == 0)
				found = true;
			else if (order > 0)
				low = OffsetNumberNext(middle);
			else
				high = middle;
		}
		_bt_relbuf(index, buffer);
	}
	pfree(key);
	return found;
}

/* The values stored in entry are those of the tuple it points at. */
static bool
same_values(Verify *v, IndexTuple entry, const Datum *values, const bool *nulls)
{
	TupleDesc	desc = RelationGetDescr(v->index);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		bool		is_null;
		Datum		value = index_getattr(entry, i + 1, desc, &is_null);

		if (is_null != nulls[i])
			return false;
		if (!is_null && !datum_image_eq(value, values[i], attribute->attbyval,
										attribute->attlen))
			return false;
	}
	return true;
}

/* Walk the leaves. */
static void
verify_entries(Verify *v)
{
	EState	   *estate = CreateExecutorState();
	ExprContext *econtext = GetPerTupleExprContext(estate);
	TupleTableSlot *slot = table_slot_create(v->heap, NULL);
	Form_pg_index form = v->index->rd_index;
	IndexScanDesc scan;
	ItemPointer next;
	Entry	   *entries = palloc(3 * sizeof(Entry));
	Entry	   *entry = &entries[0];
	Entry	   *previous = &entries[1];
	Entry	   *last_live = &entries[2];
	bool		has_live = false;

	econtext->ecxt_scantuple = slot;
	scan = index_beginscan(v->heap, v->index, v->snapshot, 0, 0);
	scan->xs_want_itup = true;
	index_rescan(scan, NULL, 0, NULL, 0);
	while ((next = index_getnext_tid(scan, ForwardScanDirection)) != NULL)
	{
		ItemPointerData tid = *next;	/* a fetch moves along the HOT chain */
		MemoryContext old;
		bool		any_null;
		Datum		values[INDEX_MAX_KEYS];
		bool		nulls[INDEX_MAX_KEYS];

		CHECK_FOR_INTERRUPTS();
		ResetPerTupleExprContext(estate);
		old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
		copy_entry(entry, scan->xs_itup, &tid);
		if (v->index_tuples > 0)
		{
			int			order = compare_entries(v->index, &previous->tuple,
												&entry->tuple, &any_null);

			if (order == 0)
				order = ItemPointerCompare(&previous->tuple.t_tid, &tid);
			if (order >= 0)
				CORRUPTED(v, "The entry for tuple (%u,%u) stands before that for (%u,%u), which is not above it.",
						  TID_ARGS(&previous->tuple.t_tid), TID_ARGS(&tid));
		}
		v->index_tuples++;

		if (index_fetch_heap(scan, slot))
		{
			FormIndexDatum(v->info, slot, estate, values, nulls);
			if (!same_values(v, &entry->tuple, values, nulls))
				CORRUPTED(v, "The entry for tuple (%u,%u) has other values than the tuple.",
						  TID_ARGS(&tid));
			if (form->indisunique && has_live &&
				compare_entries(v->index, &entry->tuple, &last_live->tuple,
								&any_null) == 0 &&
				(!any_null || form->indnullsnotdistinct))
				CORRUPTED(v, "It is unique, but tuples (%u,%u) and (%u,%u) have the same key.",
						  TID_ARGS(&last_live->tuple.t_tid), TID_ARGS(&tid));
			if (!found_from_root(v->index, &entry->tuple))
				CORRUPTED(v, "A search for the key of tuple (%u,%u) does not find its entry.",
						  TID_ARGS(&tid));
			memcpy(last_live, entry, IndexTupleSize(&entry->tuple));
			has_live = true;
			tuplesort_putdatum(v->in_index, Int64GetDatum(itemptr_encode(&tid)),
							   false);
		}
		MemoryContextSwitchTo(old);

		{
			Entry	   *swap = previous;

			previous = entry;
			entry = swap;
		}
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
	v->info->ii_ExpressionsState = NIL; /* it was the estate's */
}

/* IndexBuildCallback: a live tuple that belongs into the index. */
static void
note_heap_tuple(Relation index, ItemPointer tid, Datum *values, bool *nulls,
				bool alive, void *arg)
{
	Verify	   *v = arg;

	v->heap_tuples++;
	tuplesort_putdatum(v->in_heap, Int64GetDatum(itemptr_encode(tid)), false);
}

/* The next TID of a sort; false at its end. */
static bool
next_tid(Tuplesortstate *sort, int64 *tid)
{
	Datum		value;
	bool		is_null;

	if (!tuplesort_getdatum(sort, true, &value, &is_null, NULL))
		return false;
	*tid = DatumGetInt64(value);
	return true;
}

/* What the index says is live and what the heap says are the same. */
static void
compare_tids(Verify *v)
{
	int64		index_tid = 0;
	int64		heap_tid = 0;
	bool		in_index;
	bool		in_heap;
	ItemPointerData tid;

	tuplesort_performsort(v->in_index);
	tuplesort_performsort(v->in_heap);
	in_index = next_tid(v->in_index, &index_tid);
	in_heap = next_tid(v->in_heap, &heap_tid);
	while (in_index || in_heap)
	{
		CHECK_FOR_INTERRUPTS();
		if (in_heap && (!in_index || heap_tid < index_tid))
		{
			itemptr_decode(&tid, heap_tid);
			CORRUPTED(v, "Tuple (%u,%u) of table \"%s\" has no entry.",
					  TID_ARGS(&tid), RelationGetRelationName(v->heap));
		}
		if (!in_heap || index_tid < heap_tid)
		{
			itemptr_decode(&tid, index_tid);
			CORRUPTED(v, "Tuple (%u,%u) of table \"%s\" has an entry too many.",
					  TID_ARGS(&tid), RelationGetRelationName(v->heap));
		}
		in_index = next_tid(v->in_index, &index_tid);
		in_heap = next_tid(v->in_heap, &heap_tid);
	}
}

static void
verify(Verify *v)
{
	TableScanDesc scan;

	v->snapshot = RegisterSnapshot(GetTransactionSnapshot());

	/* An old snapshot may see what a later build did not index. */
	if (IsolationUsesXactSnapshot() && v->index->rd_index->indcheckxmin &&
		!TransactionIdPrecedes(HeapTupleHeaderGetXmin(v->index->rd_indextuple->t_data),
							   v->snapshot->xmin))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("index \"%s\" cannot be verified using transaction snapshot",
						RelationGetRelationName(v->index))));

	v->info = dyn_key_index_info(v->heap, v->index, BuildIndexInfo(v->index));
	v->in_index = tuplesort_begin_datum(INT8OID, Int8LessOperator, InvalidOid,
										false, maintenance_work_mem / 2, NULL,
										TUPLESORT_NONE);
	v->in_heap = tuplesort_begin_datum(INT8OID, Int8LessOperator, InvalidOid,
									   false, maintenance_work_mem / 2, NULL,
									   TUPLESORT_NONE);
	verify_entries(v);

	/*
	 * The scan evaluates expressions and the predicate as a build would.
	 * Concurrent: other transactions are writing; not unique: it would
	 * wait for them.
	 */
	v->info->ii_Concurrent = true;
	v->info->ii_Unique = false;
	scan = table_beginscan_strat(v->heap, v->snapshot, 0, NULL, true, false);
	table_index_build_scan(v->heap, v->index, v->info, true, false,
						   note_heap_tuple, v, scan);
	compare_tids(v);

	tuplesort_end(v->in_index);
	tuplesort_end(v->in_heap);
	UnregisterSnapshot(v->snapshot);
}

Datum
dynamo_verify_index(PG_FUNCTION_ARGS)
{
	Oid			index_oid = PG_GETARG_OID(0);
	const char *name = get_rel_name(index_oid);
	Oid			heap_oid = IndexGetRelation(index_oid, true);
	Verify		v = {0};
	Oid			user;
	int			security;
	int			guc_level;
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", index_oid)));

	/* The table first, as everybody locks, or we could deadlock. */
	if (OidIsValid(heap_oid))
	{
		v.heap = table_open(heap_oid, AccessShareLock);
		v.index = relation_open(index_oid, AccessShareLock);
	}
	if (!OidIsValid(heap_oid) ||
		v.index->rd_rel->relkind != RELKIND_INDEX ||
		v.index->rd_rel->relam != get_index_am_oid("dynamo_key", false) ||
		heap_oid != IndexGetRelation(index_oid, false))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not an index of access method dynamo_key",
						name)));
	if (!pg_class_ownercheck(index_oid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX,
					   RelationGetRelationName(v.index));
	if (RELATION_IS_OTHER_TEMP(v.index))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary tables of other sessions")));
	if (RecoveryInProgress() &&
		v.index->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot access unlogged relations during recovery")));
	if (!v.index->rd_index->indisvalid)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("index \"%s\" is not valid",
						RelationGetRelationName(v.index))));

	/*
	 * Expressions and predicates of the index run with its owner's rights, or
	 * he could make a superuser who verifies it run anything.
	 */
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(v.heap->rd_rel->relowner,
						   security | SECURITY_RESTRICTED_OPERATION);
	guc_level = NewGUCNestLevel();

	verify(&v);

	AtEOXact_GUC(false, guc_level);
	SetUserIdAndSecContext(user, security);
	relation_close(v.index, AccessShareLock);
	table_close(v.heap, AccessShareLock);

	values[0] = Int64GetDatum(v.index_tuples);
	values[1] = Int64GetDatum(v.heap_tuples);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}
