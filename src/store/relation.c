/*-------------------------------------------------------------------------
 *
 * relation.c
 *		A table's heap and an index, opened for one call of the store.
 *
 * src/store/relation.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "base/error.h"
#include "encryption/seal.h"
#include "store/hot_key.h"
#include "store/relation.h"
#include "store/store.h"

bool		dyn_store_nowait = false;
bool		dyn_store_ran_code = false;
DynStorePermit *dyn_store_permits = NULL;

static void
lock_relation(Oid relation, LOCKMODE mode)
{
	if (!dyn_store_nowait)
		LockRelationOid(relation, mode);
	else if (!ConditionalLockRelationOid(relation, mode))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("could not obtain lock on relation with OID %u",
						relation)));
}

/* Is there another permission than a privilege?  Raises if it says no. */
static bool
is_permitted(Oid relation, AclMode privileges)
{
	for (const DynStorePermit *permit = dyn_store_permits; permit != NULL;
		 permit = permit->next)
	{
		if (permit->relation != relation)
			continue;
		if ((privileges & permit->allowed & ~permit->withheld) == 0)
			permit->refuse(permit);
		return true;
	}
	return false;
}

void
dyn_relation_check_privileges(const DynRelation *relation, AclMode privileges)
{
	Oid			oid = RelationGetRelid(relation->heap);

	if (pg_class_aclcheck(oid, GetUserId(), privileges) != ACLCHECK_OK &&
		!is_permitted(oid, privileges))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE,
					   RelationGetRelationName(relation->heap));

	/* As COPY FROM: it can't be done under policies, and so not at all. */
	if (relation->heap->rd_rel->relrowsecurity &&
		check_enable_rls(oid, InvalidOid, false) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("operations on items are not possible under row-level security"),
				 errdetail("Table \"%s\" has policies that apply to the current user.",
						   RelationGetRelationName(relation->heap)),
				 errhint("Use SQL on the relation instead.")));
}

/*
 * Lock the heap and return the descriptor as it is under that lock: between
 * the look into the cache and the lock, the table may have been made anew, or
 * its key index been replaced.
 */
static const DynTable *
lock_table(const DynTable *table, LOCKMODE mode)
{
	for (;;)
	{
		const DynTable *current;

		lock_relation(table->relation, mode);
		current = dyn_table_refresh(table);
		if (current == NULL)
			dyn_raise(RESOURCE_NOT_FOUND, "Requested resource not found");
		if (current->relation == table->relation)
			return current;
		UnlockRelationOid(table->relation, mode);
		table = current;
	}
}

/* Both are locked. */
static void
open_locked(const DynTable *table, Oid index, AclMode privileges, DynRelation *relation)
{
	relation->table = table;
	relation->heap = relation_open(table->relation, NoLock);
	relation->index = relation_open(index, NoLock);
	dyn_relation_check_privileges(relation, privileges);
}

/* The heap of table is locked. */
static void
open_relations(const DynTable *table, Oid index, LOCKMODE lock_mode,
			   AclMode privileges, DynRelation *relation)
{
	lock_relation(index, lock_mode);
	open_locked(table, index, privileges, relation);
}

/* The heap's name, for hints. */
static char *
heap_name(const DynTable *table)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table->relation)),
									  get_rel_name(table->relation));
}

void
dyn_relation_open(const DynTable *table, LOCKMODE lock_mode, AclMode privileges,
				  DynRelation *relation)
{
	table = lock_table(table, lock_mode);
	if (!OidIsValid(table->key_index))
	{
		/* It may have been read in the moment in which it was replaced. */
		AcceptInvalidationMessages();
		table = lock_table(table, lock_mode);
	}
	if (!OidIsValid(table->key_index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no valid key index", table->name),
				 errhint("Create it again: CREATE UNIQUE INDEX ON %s USING dynamo_key (hash, partition_key dynamo.partition_ops%s).",
						 heap_name(table),
						 table->schema.sort.name != NULL ? ", sort_key" : "")));
	open_relations(table, table->key_index, lock_mode, privileges, relation);
}

void
dyn_relation_reopen(const DynTable *table, LOCKMODE lock_mode, AclMode privileges,
					DynRelation *relation)
{
	/* Under the lock only the transaction itself can have changed it. */
	if (dyn_table_refresh(table) != table)
		dyn_relation_open(table, lock_mode, privileges, relation);
	else
		open_locked(table, table->key_index, privileges, relation);
}

/*
 * What is locked here is found locked there; a table that is replaced in this
 * moment may raise the error after all.
 */
bool
dyn_relation_try_open(const DynTable *table, LOCKMODE lock_mode,
					  AclMode privileges, DynRelation *relation)
{
	if (dyn_store_nowait &&
		(!ConditionalLockRelationOid(table->relation, lock_mode) ||
		 (OidIsValid(table->key_index) &&
		  !ConditionalLockRelationOid(table->key_index, lock_mode))))
		return false;
	dyn_relation_open(table, lock_mode, privileges, relation);
	return true;
}

void
dyn_relation_open_index(const DynTable *table, const DynIndex *index,
						LOCKMODE lock_mode, AclMode privileges,
						DynRelation *relation)
{
	const char *name = index->definition.name;

	table = lock_table(table, lock_mode);
	index = dyn_table_readable_index(table, name, strlen(name));
	if (!index->valid)
	{
		/* As with the key index: it may just be replaced. */
		AcceptInvalidationMessages();
		table = lock_table(table, lock_mode);
		index = dyn_table_readable_index(table, name, strlen(name));
	}
	if (!index->valid)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no valid index for its secondary index \"%s\"",
						table->name, name),
				 errhint("Create it again: %s.",
						 dyn_index_create_statement(table, index->slot, true))));
	open_relations(table, index->relation, lock_mode, privileges, relation);
}

/* The locks stay: the next call of the transaction finds them held. */
void
dyn_relation_close(DynRelation *relation)
{
	relation_close(relation->index, NoLock);
	relation_close(relation->heap, NoLock);
}

Datum
dyn_relation_key_datum(const DynValue *value)
{
	bytea	   *datum = palloc(VARHDRSZ + value->size);

	SET_VARSIZE(datum, VARHDRSZ + value->size);
	memcpy(VARDATA(datum), value->data, value->size);
	return PointerGetDatum(datum);
}

void
dyn_relation_bytea_scan_key(ScanKey scan_key, AttrNumber attnum,
							StrategyNumber strategy, const DynValue *value)
{
	/* The access method takes the strategy; who prints or checks, the function. */
	static const RegProcedure procedures[] = {
		[BTLessStrategyNumber] = F_BYTEALT,
		[BTLessEqualStrategyNumber] = F_BYTEALE,
		[BTEqualStrategyNumber] = F_BYTEAEQ,
		[BTGreaterEqualStrategyNumber] = F_BYTEAGE,
		[BTGreaterStrategyNumber] = F_BYTEAGT,
		[DYN_BEGINS_WITH_STRATEGY] = F_BYTEAGE,
	};

	ScanKeyInit(scan_key, attnum, strategy, procedures[strategy],
				dyn_relation_key_datum(value));
}

int
dyn_relation_key_scan_keys(const DynKey *key, ScanKey keys)
{
	ScanKeyInit(&keys[0], DYN_ATTNUM_HASH, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(key->hash));
	dyn_relation_bytea_scan_key(&keys[1], DYN_ATTNUM_PARTITION,
								BTEqualStrategyNumber, &key->partition);
	if (key->sort.type == 0)
		return 2;
	dyn_relation_bytea_scan_key(&keys[2], DYN_ATTNUM_SORT,
								BTEqualStrategyNumber, &key->sort);
	return 3;
}

/* ----- items ----- */

static void
refuse_item(const DynTable *table, ItemPointer tid, const char *why, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("item at (%u,%u) of table \"%s\" %s",
					ItemPointerGetBlockNumberNoCheck(tid),
					ItemPointerGetOffsetNumberNoCheck(tid), table->name, why),
			 errhint("%s", hint)));
}

/* A key column of a row. */
typedef struct KeyColumn
{
	Datum		value;
	bool		isnull;
} KeyColumn;

/* Does the key attribute have the bytes that the row's column has? */
static bool
has_key_attribute(const DynItem *item, const DynKeyAttribute *attribute,
				  const KeyColumn *column)
{
	bytea	   *bytes;
	DynValue	value;

	if (column->isnull)
		return false;
	bytes = DatumGetByteaPP(column->value);
	return dyn_item_find(item, attribute->name, attribute->name_len, &value) &&
		value.type == attribute->type && value.size == VARSIZE_ANY_EXHDR(bytes) &&
		memcmp(value.data, VARDATA_ANY(bytes), value.size) == 0;
}

/*
 * Open the item of a sealed table, or a sealed one.  The cipher tells that it is
 * what was sealed for this table, and the key attributes in it that it was for
 * this row.
 */
static DynItem *
open_item(const DynTable *table, ItemPointer tid, Datum item_datum,
		  const KeyColumn *partition, const KeyColumn *sort)
{
	const DynKeySchema *schema = &table->schema;
	DynItem    *item;

	if (!dyn_item_bytes_are_sealed(DatumGetPointer(item_datum)))
	{
		if (table->sealing == DYN_SEALING_ENABLED)
			refuse_item(table, tid, "is not sealed",
						"It did not come there by an operation or an INSERT. If it is what it should be, UPDATE of the row, changing nothing, seals it.");
		return dyn_item_from_datum(item_datum);
	}
	item = dyn_open((const DynSealed *) DatumGetPointer(item_datum), &table->table_id);
	if (!has_key_attribute(item, &schema->partition, partition) ||
		(schema->sort.name != NULL && !has_key_attribute(item, &schema->sort, sort)))
		refuse_item(table, tid, "is another row's",
					"It was moved there, or the key columns were changed, by something other than an operation or a statement.");
	return item;
}

/*
 * True if there is nothing to open or to check: neither is the table sealed,
 * nor the item.  *item is detoasted.
 */
static inline bool
is_plain_item(const DynTable *table, Datum *item)
{
	*item = PointerGetDatum(PG_DETOAST_DATUM_PACKED(*item));
	return likely(table->sealing == DYN_SEALING_OFF &&
				  !dyn_item_bytes_are_sealed(DatumGetPointer(*item)));
}

static DynItem *
slot_item(const DynRelation *relation, TupleTableSlot *slot, bool *points_into_slot)
{
	const DynTable *table = relation->table;
	bool		isnull;
	KeyColumn	partition;
	KeyColumn	sort;
	Datum		stored = slot_getattr(slot, DYN_ATTNUM_ITEM, &isnull);
	Datum		datum = stored;
	DynItem    *item;

	if (isnull)
		elog(ERROR, "item of a stored tuple is null");
	if (is_plain_item(table, &datum))
		item = dyn_item_from_datum(datum);
	else
	{
		partition.value = slot_getattr(slot, DYN_ATTNUM_PARTITION, &partition.isnull);
		sort.value = slot_getattr(slot, DYN_ATTNUM_SORT, &sort.isnull);
		item = open_item(table, &slot->tts_tid, datum, &partition, &sort);

		/* What was sealed is large, and done with. */
		if (datum != stored && PointerGetDatum(item) != datum)
			pfree(DatumGetPointer(datum));
	}
	*points_into_slot = PointerGetDatum(item) == stored;
	return item;
}

DynItem *
dyn_relation_slot_item(const DynRelation *relation, TupleTableSlot *slot)
{
	bool		points_into_slot;

	return slot_item(relation, slot, &points_into_slot);
}

DynItem *
dyn_relation_copy_item(const DynRelation *relation, TupleTableSlot *slot)
{
	bool		points_into_slot;
	DynItem    *item = slot_item(relation, slot, &points_into_slot);
	Size		size;
	void	   *copy;

	/* Detoasting or opening made a copy already. */
	if (!points_into_slot)
		return item;
	size = VARSIZE_ANY(item);
	copy = palloc(size);
	memcpy(copy, item, size);
	return copy;
}

DynItem *
dyn_relation_tuple_item(const DynTable *table, Relation heap, HeapTuple tuple)
{
	TupleDesc	descriptor = RelationGetDescr(heap);
	bool		isnull;
	KeyColumn	partition;
	KeyColumn	sort;
	Datum		datum = heap_getattr(tuple, DYN_ATTNUM_ITEM, descriptor, &isnull);

	if (isnull)
		elog(ERROR, "item of a stored tuple is null");
	if (is_plain_item(table, &datum))
		return dyn_item_from_datum(datum);
	partition.value = heap_getattr(tuple, DYN_ATTNUM_PARTITION, descriptor,
								   &partition.isnull);
	sort.value = heap_getattr(tuple, DYN_ATTNUM_SORT, descriptor, &sort.isnull);
	return open_item(table, &tuple->t_self, datum, &partition, &sort);
}

bool
dyn_relation_has_key(TupleTableSlot *slot, const DynKey *key)
{
	const DynValue *parts[] = {&key->partition, &key->sort};

	for (int i = 0; i < lengthof(parts); i++)
	{
		bool		isnull;
		Datum		datum = slot_getattr(slot, DYN_ATTNUM_PARTITION + i, &isnull);
		bytea	   *column;

		if (parts[i]->type == 0)
			continue;
		if (isnull)
			return false;
		column = DatumGetByteaPP(datum);
		if (VARSIZE_ANY_EXHDR(column) != parts[i]->size ||
			memcmp(VARDATA_ANY(column), parts[i]->data, parts[i]->size) != 0)
			return false;
	}
	return true;
}

bool
dyn_relation_find(const DynRelation *relation, const DynKey *key,
				  Snapshot snapshot, TupleTableSlot *slot)
{
	ScanKeyData keys[DYN_MAX_KEY_COLUMNS];
	int			nkeys;
	IndexScanDesc scan;
	bool		found = false;
	bool		hinted = false;
	int			passed = 0;

	/* Of what a dirty snapshot sees there may be more than one. */
	if (IsMVCCSnapshot(snapshot) &&
		dyn_hot_key_find(relation, key, snapshot, slot, &hinted))
		return true;
	nkeys = dyn_relation_key_scan_keys(key, keys);
	scan = index_beginscan(relation->heap, relation->index, snapshot, nkeys, 0);
	index_rescan(scan, keys, nkeys, NULL, 0);
	while (index_getnext_tid(scan, ForwardScanDirection) != NULL &&
		   !(found = index_fetch_heap(scan, slot)))
		passed++;
	index_endscan(scan);
	if (unlikely(passed > 0 || hinted) && found && IsMVCCSnapshot(snapshot))
		dyn_hot_key_note(relation, key, slot, passed);
	return found;
}
