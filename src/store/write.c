/*-------------------------------------------------------------------------
 *
 * write.c
 *		Write one item: read the old, then insert, replace or delete.
 *
 * The tuple is not locked between dyn_store_begin() and dyn_store_finish():
 * a lock would cost a WAL record on every write for the sake of the rare
 * collision.  Instead the update names the version that was read, and if
 * somebody has replaced it, the caller looks again.  From the second look on
 * the newest version is locked first, so that a busy key can't starve anyone.
 *
 * What has no tuple can't be locked like one.  Inserters of one key serialise
 * on a heavyweight lock of (relation, hash), for as long as it takes to look
 * for a tuple of the key, committed or not, and to insert theirs.  Plain INSERTs don't take that lock;
 * against them the unique index is asked without waiting, and the tuple is
 * taken back if it sees another one.
 *
 * src/store/write.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "store/executor.h"
#include "store/relation.h"
#include "store/store.h"
#include "stream/change_log.h"

/* pg_advisory_lock() uses 1 and 2 in this field of an advisory lock's tag. */
#define KEY_LOCK_CLASS 3

/*
 * Locks of missing keys that a transaction holds to its end.  Each has a place
 * in the shared lock table, which those who must not wait leave to others
 * before it is full.
 */
#define MAX_KEY_LOCKS 256

static LocalTransactionId key_locks_transaction = InvalidLocalTransactionId;
static int	key_locks = 0;

static void
serialization_failure(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update")));
}

/* CHANGED, where the transaction's snapshot lets the caller look again. */
static DynStoreResult
changed(void)
{
	if (IsolationUsesXactSnapshot())
		serialization_failure();
	return DYN_STORE_CHANGED;
}

static DynStoreResult
busy_or_changed(TM_Result result)
{
	switch (result)
	{
		case TM_BeingModified:
		case TM_WouldBlock:
			return DYN_STORE_BUSY;
		case TM_Updated:
		case TM_Deleted:
			return changed();
		default:
			elog(ERROR, "unexpected result of a tuple operation: %d", (int) result);
	}
}

/*
 * Lock the newest version of the tuple in slot and read that.  CHANGED: it has
 * been deleted or has another key now.
 */
static DynStoreResult
lock_newest(const DynRelation *relation, const DynKey *key, Snapshot snapshot,
			LockTupleMode mode, bool may_wait, TupleTableSlot *slot)
{
	TM_FailureData failure;
	TM_Result	result;
	ItemPointerData tid = slot->tts_tid;

	result = table_tuple_lock(relation->heap, &tid, snapshot, slot,
							  GetCurrentCommandId(true), mode,
							  may_wait ? LockWaitBlock : LockWaitSkip,
							  IsolationUsesXactSnapshot() ? 0 :
							  TUPLE_LOCK_FLAG_FIND_LAST_VERSION,
							  &failure);
	if (result != TM_Ok)
		return busy_or_changed(result);
	return dyn_relation_has_key(slot, key) ? DYN_STORE_OK : DYN_STORE_CHANGED;
}

DynStoreResult
dyn_store_begin(const DynTable *table, const DynKey *key, bool may_wait,
				DynStoreWrite *write)
{
	DynRelation relation;
	TupleTableSlot *slot;
	DynStoreResult result;
	bool		lock_first;

	Assert(ActiveSnapshotSet());
	PreventCommandIfReadOnly("writing an item");
	write->key = key;
	write->may_wait = may_wait;

	dyn_relation_open(table, RowExclusiveLock, ACL_SELECT, &relation);
	write->table = relation.table;
	slot = table_slot_create(relation.heap, NULL);

	/*
	 * BEFORE triggers are shown the tuple's newest version, for which they lock
	 * it.  Locked here it is the version that was read, and without waiting.
	 */
	lock_first = write->attempts > 0 || !dyn_relation_is_plain(&relation);

	/*
	 * heap_update() can do without waiting, but asserts that nobody asks it to.
	 */
#ifdef USE_ASSERT_CHECKING
	lock_first = lock_first || !may_wait;
#endif

	do
	{
		Snapshot	snapshot = RegisterSnapshot(GetTransactionSnapshot());

		CHECK_FOR_INTERRUPTS();
		result = DYN_STORE_OK;
		write->old = NULL;
		if (dyn_relation_find(&relation, key, snapshot, slot))
		{
			if (lock_first)
				result = lock_newest(&relation, key, snapshot,
									 LockTupleExclusive, may_wait, slot);
			write->locked = lock_first;
			if (result == DYN_STORE_OK)
			{
				write->old = dyn_relation_copy_item(&relation, slot);
				write->tid = slot->tts_tid;
			}
		}
		UnregisterSnapshot(snapshot);
	} while (result == DYN_STORE_CHANGED);
	ExecDropSingleTupleTableSlot(slot);
	dyn_relation_close(&relation);
	return result;
}

/* The tuple of an item, in a virtual slot. */
static TupleTableSlot *
item_slot(const DynRelation *relation, const DynStoreWrite *write,
		  const DynItem *item)
{
	TupleDesc	descriptor = RelationGetDescr(relation->heap);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsVirtual);

	for (int i = 0; i < descriptor->natts; i++)
		slot->tts_isnull[i] = true;
	slot->tts_values[DYN_ATTNUM_HASH - 1] = Int64GetDatum(write->key->hash);
	slot->tts_isnull[DYN_ATTNUM_HASH - 1] = false;
	slot->tts_values[DYN_ATTNUM_PARTITION - 1] =
		dyn_relation_key_datum(&write->key->partition);
	slot->tts_isnull[DYN_ATTNUM_PARTITION - 1] = false;
	if (write->key->sort.type != 0)
	{
		slot->tts_values[DYN_ATTNUM_SORT - 1] =
			dyn_relation_key_datum(&write->key->sort);
		slot->tts_isnull[DYN_ATTNUM_SORT - 1] = false;
	}
	slot->tts_values[DYN_ATTNUM_ITEM - 1] = dyn_table_item_datum(relation->table, item,
																 (Datum) 0);
	slot->tts_isnull[DYN_ATTNUM_ITEM - 1] = false;
	for (int i = 0; i < relation->table->nindexes; i++)
	{
		const DynIndex *index = &relation->table->indexes[i];
		int			column = DYN_ATTNUM_SLOT(index->slot) - 1;

		if (dyn_index_is_kept(index))
			slot->tts_values[column] = dyn_index_datum(index, item, write->key,
													   &slot->tts_isnull[column]);
	}
	return ExecStoreVirtualTuple(slot);
}

/* Add the tuple in slot to the secondary indexes it has an entry in. */
static void
insert_slot_tuples(const DynRelation *relation, TupleTableSlot *slot,
				   bool is_update)
{
	for (int i = 0; i < relation->table->nindexes; i++)
	{
		const DynIndex *index = &relation->table->indexes[i];
		Relation	index_relation;
		Datum		value;
		bool		isnull;

		if (!index->ready)
			continue;
		value = slot_getattr(slot, DYN_ATTNUM_SLOT(index->slot), &isnull);
		if (isnull)
			continue;
		index_relation = index_open(index->relation, RowExclusiveLock);
		index_insert(index_relation, &value, &isnull, &slot->tts_tid,
					 relation->heap, UNIQUE_CHECK_NO, is_update, NULL);
		index_close(index_relation, NoLock);
	}
}

/*
 * Add the tuple in slot to the key index; false if it sees another one.  The new
 * version of a tuple sees none.
 */
static bool
insert_index_tuple(const DynRelation *relation, TupleTableSlot *slot,
				   bool is_update)
{
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull[INDEX_MAX_KEYS];
	int			natts = IndexRelationGetNumberOfAttributes(relation->index);

	for (int i = 0; i < natts; i++)
		values[i] = slot_getattr(slot, relation->index->rd_index->indkey.values[i],
								 &isnull[i]);

	/*
	 * nbtree has no use for an IndexInfo.  Of an update it deletes older
	 * versions' entries rather than split the page.  An update has the key from
	 * the version that it replaces: to look for others would mean to look at all
	 * versions there are.
	 */
	return index_insert(relation->index, values, isnull, &slot->tts_tid,
						relation->heap,
						is_update ? UNIQUE_CHECK_NO : UNIQUE_CHECK_PARTIAL,
						is_update, NULL);
}

/*
 * Look for any tuple of the key, committed or not.  OK: there is none.  BUSY:
 * a transaction that is still running inserted it or is deleting it;
 * *running is its id.
 */
static DynStoreResult
look_for_rival(const DynRelation *relation, const DynKey *key,
			   TransactionId *running)
{
	TupleTableSlot *slot = table_slot_create(relation->heap, NULL);
	SnapshotData dirty;
	bool		found;

	InitDirtySnapshot(dirty);
	found = dyn_relation_find(relation, key, &dirty, slot);
	ExecDropSingleTupleTableSlot(slot);
	if (!found)
		return DYN_STORE_OK;

	*running = TransactionIdIsValid(dirty.xmin) ? dirty.xmin : dirty.xmax;
	return TransactionIdIsValid(*running) ? DYN_STORE_BUSY : DYN_STORE_CHANGED;
}

static void
set_key_tag(const DynRelation *relation, const DynKey *key, LOCKTAG *tag)
{
	uint64		hash = (uint64) key->hash;

	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, RelationGetRelid(relation->heap),
						 (uint32) (hash ^ (hash >> 32)), KEY_LOCK_CLASS);
}

/*
 * Take the key's lock and see that it has no tuple.  OK leaves the lock held.
 *
 * A rival that still runs is waited for without the lock, which it may want
 * itself: it can delete its item and put it again.
 */
static DynStoreResult
lock_missing_key(const DynRelation *relation, DynStoreWrite *write,
				 const LOCKTAG *tag, LOCKMODE mode)
{
	for (;;)
	{
		TransactionId running = InvalidTransactionId;
		DynStoreResult result;

		if (LockAcquire(tag, mode, false, !write->may_wait) ==
			LOCKACQUIRE_NOT_AVAIL)
			return DYN_STORE_BUSY;
		result = look_for_rival(relation, write->key, &running);
		if (result == DYN_STORE_OK)
			return result;
		LockRelease(tag, mode, false);
		if (result == DYN_STORE_CHANGED)
			return changed();
		if (!write->may_wait)
			return result;
		XactLockTableWait(running, NULL, NULL, XLTW_None);
	}
}

/* Take back a tuple inserted by this command; nobody has seen it. */
static void
take_back(const DynRelation *relation, ItemPointer tid)
{
	TM_FailureData failure;
	TM_Result	result;

	CommandCounterIncrement();
	result = table_tuple_delete(relation->heap, tid, GetCurrentCommandId(true),
								SnapshotAny, InvalidSnapshot, false, &failure,
								false);
	if (result != TM_Ok)
		elog(ERROR, "unexpected result of taking back a tuple: %d", (int) result);
}

static DynStoreResult
insert_item(const DynRelation *relation, DynStoreWrite *write,
			TupleTableSlot *slot, bool plain)
{
	LOCKTAG		tag;
	bool		conflict;

	set_key_tag(relation, write->key, &tag);
	if (!write->key_locked)
	{
		DynStoreResult result = lock_missing_key(relation, write, &tag,
												 ExclusiveLock);

		if (result != DYN_STORE_OK)
			return result;
	}

	if (plain)
	{
		table_tuple_insert(relation->heap, slot, GetCurrentCommandId(true),
						   0, NULL);
		conflict = !insert_index_tuple(relation, slot, false);
		if (!conflict)
			insert_slot_tuples(relation, slot, false);
	}
	else
		dyn_executor_insert(relation, slot, &conflict);

	/*
	 * From here on the tuple itself tells rivals of us.  Holding the lock to
	 * the end would fill the lock table in a transaction of many inserts.
	 */
	LockRelease(&tag, ExclusiveLock, false);
	if (write->key_locked)
		key_locks--;
	write->key_locked = false;
	if (!conflict)
		return DYN_STORE_OK;

	/* A plain INSERT came in between.  The next look will meet it. */
	take_back(relation, &slot->tts_tid);
	CommandCounterIncrement();
	return write->may_wait ? changed() : DYN_STORE_BUSY;
}

/* Lock a key that has no tuple, to the end of the transaction. */
static DynStoreResult
hold_missing_key(const DynRelation *relation, DynStoreWrite *write, bool to_write)
{
	LOCKTAG		tag;
	DynStoreResult result;

	if (key_locks_transaction != dyn_local_transaction_id())
	{
		key_locks_transaction = dyn_local_transaction_id();
		key_locks = 0;
	}
	if (!write->may_wait && key_locks >= MAX_KEY_LOCKS)
		return DYN_STORE_BUSY;

	set_key_tag(relation, write->key, &tag);
	result = lock_missing_key(relation, write, &tag,
							  to_write ? ExclusiveLock : ShareLock);
	if (result == DYN_STORE_OK)
	{
		write->key_locked = true;
		key_locks++;
	}
	return result;
}

DynStoreResult
dyn_store_lock(const DynTable *table, const DynKey *key, bool to_write,
			   bool may_wait, DynStoreWrite *write)
{
	DynRelation relation;
	TupleTableSlot *slot;
	DynStoreResult result;

	Assert(ActiveSnapshotSet());
	PreventCommandIfReadOnly("writing an item");
	memset(write, 0, sizeof(*write));
	write->key = key;
	write->may_wait = may_wait;
	write->held = true;

	if (!dyn_relation_try_open(table, RowExclusiveLock, ACL_SELECT, &relation))
		return DYN_STORE_BUSY;
	write->table = relation.table;
	slot = table_slot_create(relation.heap, NULL);
	do
	{
		Snapshot	snapshot = RegisterSnapshot(GetTransactionSnapshot());

		CHECK_FOR_INTERRUPTS();
		if (!dyn_relation_find(&relation, key, snapshot, slot))
			result = hold_missing_key(&relation, write, to_write);
		else
		{
			result = lock_newest(&relation, key, snapshot,
								 to_write ? LockTupleExclusive : LockTupleShare,
								 may_wait, slot);
			if (result == DYN_STORE_OK)
			{
				write->locked = true;
				write->old = dyn_relation_copy_item(&relation, slot);
				write->tid = slot->tts_tid;
			}
		}
		UnregisterSnapshot(snapshot);
	} while (result == DYN_STORE_CHANGED);
	ExecDropSingleTupleTableSlot(slot);
	dyn_relation_close(&relation);
	return result;
}

static DynStoreResult
replace_item(const DynRelation *relation, DynStoreWrite *write,
			 TupleTableSlot *slot, bool plain)
{
	Snapshot	snapshot = GetActiveSnapshot();
	TM_FailureData failure;
	LockTupleMode mode;
	DynUpdateIndexes update_indexes = DYN_UPDATE_NO_INDEXES;
	TM_Result	result;

	if (!plain)
		result = dyn_executor_update(relation, &write->tid, slot, snapshot,
									 write->may_wait || write->locked);
	else
	{
		result = table_tuple_update(relation->heap, &write->tid, slot,
									GetCurrentCommandId(true), snapshot,
									InvalidSnapshot,
									write->may_wait || write->locked,
									&failure, &mode, &update_indexes);

		if (result == TM_Ok && update_indexes != DYN_UPDATE_NO_INDEXES)
		{
			(void) insert_index_tuple(relation, slot, true);
			insert_slot_tuples(relation, slot, true);
		}
	}
	return result == TM_Ok ? DYN_STORE_OK : busy_or_changed(result);
}

static DynStoreResult
delete_item(const DynRelation *relation, DynStoreWrite *write, bool plain)
{
	Snapshot	snapshot = GetActiveSnapshot();
	TM_FailureData failure;
	TM_Result	result;

	if (!plain)
		result = dyn_executor_delete(relation, &write->tid, snapshot,
									 write->may_wait || write->locked);
	else
		result = table_tuple_delete(relation->heap, &write->tid,
									GetCurrentCommandId(true), snapshot,
									InvalidSnapshot,
									write->may_wait || write->locked,
									&failure, false);
	return result == TM_Ok ? DYN_STORE_OK : busy_or_changed(result);
}

DynStoreResult
dyn_store_finish(DynStoreWrite *write, const DynItem *new_item)
{
	DynRelation relation;
	TupleTableSlot *slot = NULL;
	DynStorePermit *permits = dyn_store_permits;
	bool		plain;
	DynStoreResult result;

	if (write->old == NULL && new_item == NULL)
		return DYN_STORE_OK;

	dyn_relation_reopen(write->table, RowExclusiveLock,
						new_item == NULL ? ACL_DELETE :
						write->old == NULL ? ACL_INSERT : ACL_UPDATE,
						&relation);

	/* Triggers and index expressions may need one of now; a heap needs none. */
	plain = dyn_relation_is_plain(&relation);
	if (!plain)
	{
		PushActiveSnapshot(GetTransactionSnapshot());

		/* What the operation was allowed is not its triggers'. */
		dyn_store_permits = NULL;
		dyn_store_ran_code = true;
	}
	if (new_item != NULL)
		slot = item_slot(&relation, write, new_item);

	if (write->old == NULL)
		result = insert_item(&relation, write, slot, plain);
	else if (new_item != NULL)
		result = replace_item(&relation, write, slot, plain);
	else
		result = delete_item(&relation, write, plain);

	/* The executor's way has fired the trigger that does this. */
	if (result == DYN_STORE_OK && plain && relation.table->stream.enabled)
		dyn_change_log_append(relation.table, write->key, write->old, new_item);

	if (slot != NULL)
		ExecDropSingleTupleTableSlot(slot);
	if (!plain)
	{
		PopActiveSnapshot();
		dyn_store_permits = permits;
	}
	dyn_relation_close(&relation);

	if (result == DYN_STORE_OK)
		CommandCounterIncrement();
	else if (write->held)
		serialization_failure();
	else if (result == DYN_STORE_CHANGED)
		write->attempts++;
	return result;
}
