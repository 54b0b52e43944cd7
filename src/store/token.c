/*-------------------------------------------------------------------------
 *
 * token.c
 *		Client request tokens: which transactions have been done already.
 *
 * SDKs send a token with every TransactWriteItems, so this is on its path: no
 * statement is planned, and one descent of the index both looks for the token
 * and stores it.  As with items, the index is asked without waiting, and the
 * tuple is taken back if it sees another one.
 *
 * Expired tokens are deleted by those who store new ones, a few blocks at a
 * time: who stores none needs no room either.
 *
 * src/store/token.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "store/token.h"

/* Columns of dynamo_internal.request_tokens; the first three are its key. */
enum
{
	COLUMN_TOKEN = 1,
	COLUMN_ROLE,
	COLUMN_SPACE,
	COLUMN_CONTENT,
	COLUMN_UNITS,
	COLUMN_COMPLETED,
	NCOLUMNS = COLUMN_COMPLETED
};
#define NKEYS 3

#define TOKEN_LIFETIME (10 * 60 * USECS_PER_SEC)

/*
 * After every EXPIRE_INTERVAL tokens, EXPIRE_BLOCKS blocks are looked through.
 * That is eight times what these tokens take, so the relation stays about as
 * large as ten minutes of tokens are.
 */
#define EXPIRE_INTERVAL 64
#define EXPIRE_BLOCKS 8

typedef struct Tokens
{
	Relation	heap;
	Relation	index;
} Tokens;

static Oid
tokens_relation(void)
{
	Oid			schema = get_namespace_oid("dynamo_internal", false);
	Oid			relation = get_relname_relid("request_tokens", schema);

	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s\" does not exist",
						"dynamo_internal.request_tokens")));
	return relation;
}

static void
lock_tokens(Oid relation)
{
	if (!dyn_store_nowait)
		LockRelationOid(relation, RowExclusiveLock);
	else if (!ConditionalLockRelationOid(relation, RowExclusiveLock))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("could not obtain lock on relation with OID %u",
						relation)));
}

static void
open_tokens(Tokens *tokens)
{
	Oid			relation = tokens_relation();
	Oid			index;

	lock_tokens(relation);
	tokens->heap = relation_open(relation, NoLock);
	index = dyn_primary_key_index(tokens->heap);
	if (!OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation \"%s\" has no primary key",
						RelationGetRelationName(tokens->heap))));
	lock_tokens(index);
	tokens->index = relation_open(index, NoLock);
}

/* The locks stay to the end of the transaction. */
static void
close_tokens(Tokens *tokens)
{
	relation_close(tokens->index, NoLock);
	relation_close(tokens->heap, NoLock);
}

static Datum
token_datum(const DynToken *token)
{
	bytea	   *datum = palloc(VARHDRSZ + token->len);

	SET_VARSIZE(datum, VARHDRSZ + token->len);
	memcpy(VARDATA(datum), token->text, token->len);
	return PointerGetDatum(datum);
}

static bool
is_expired(TupleTableSlot *slot, TimestampTz now)
{
	bool		isnull;
	Datum		completed = slot_getattr(slot, COLUMN_COMPLETED, &isnull);

	return DatumGetTimestampTz(completed) + TOKEN_LIFETIME <= now;
}

static void
take_token(TupleTableSlot *slot, DynToken *found)
{
	bool		isnull;
	Datum		units;
	Datum	   *elements;

	slot_getallattrs(slot);
	found->content = (uint64) DatumGetInt64(slot_getattr(slot, COLUMN_CONTENT, &isnull));
	units = slot_getattr(slot, COLUMN_UNITS, &isnull);
	deconstruct_array(DatumGetArrayTypeP(units), INT4OID, sizeof(int32), true,
					  TYPALIGN_INT, &elements, NULL, &found->nunits);
	found->units = palloc(sizeof(int32) * Max(1, found->nunits));
	for (int i = 0; i < found->nunits; i++)
		found->units[i] = DatumGetInt32(elements[i]);
}

/* Delete an expired tuple.  False if somebody else holds it. */
static bool
delete_tuple(Relation heap, ItemPointer tid)
{
	TM_FailureData failure;

	return table_tuple_delete(heap, tid, GetCurrentCommandId(true), SnapshotAny,
							  InvalidSnapshot, false, &failure, false) == TM_Ok;
}

/*
 * Look for the token, committed or not, into slot.  *running is the
 * transaction that is still open on it, or invalid.
 */
static bool
find_tuple(const Tokens *tokens, const DynToken *token, TupleTableSlot *slot,
		   TransactionId *running)
{
	SnapshotData dirty;
	ScanKeyData keys[NKEYS];
	IndexScanDesc scan;
	bool		found;

	InitDirtySnapshot(dirty);
	ScanKeyInit(&keys[0], COLUMN_TOKEN, BTEqualStrategyNumber, F_BYTEAEQ,
				token_datum(token));
	ScanKeyInit(&keys[1], COLUMN_ROLE, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(GetUserId()));
	ScanKeyInit(&keys[2], COLUMN_SPACE, BTEqualStrategyNumber, F_CHAREQ,
				CharGetDatum((char) token->space));
	scan = index_beginscan(tokens->heap, tokens->index, &dirty, NKEYS, 0);
	index_rescan(scan, keys, NKEYS, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, slot);
	index_endscan(scan);
	*running = TransactionIdIsValid(dirty.xmin) ? dirty.xmin : dirty.xmax;
	return found;
}

/*
 * OK: there is no token, or there no longer is one.  Waits as may_wait says.
 */
static DynStoreResult
look_for_token(const Tokens *tokens, const DynToken *token, bool may_wait,
			   DynToken *found)
{
	TupleTableSlot *slot = table_slot_create(tokens->heap, NULL);
	TransactionId running;
	DynStoreResult result = DYN_STORE_OK;

	while (find_tuple(tokens, token, slot, &running))
	{
		CHECK_FOR_INTERRUPTS();
		result = DYN_STORE_BUSY;
		if (!TransactionIdIsValid(running))
		{
			if (!is_expired(slot, GetCurrentTimestamp()))
			{
				take_token(slot, found);
				result = DYN_STORE_CHANGED;
				break;
			}
			if (delete_tuple(tokens->heap, &slot->tts_tid))
				CommandCounterIncrement();
			/* Held: the next look tells by whom. */
		}
		else if (!may_wait)
			break;
		else
			XactLockTableWait(running, NULL, NULL, XLTW_None);
		result = DYN_STORE_OK;
	}
	ExecDropSingleTupleTableSlot(slot);
	return result;
}

DynStoreResult
dyn_token_find(const DynToken *token, bool may_wait, DynToken *found)
{
	Tokens		tokens;
	DynStoreResult result;

	open_tokens(&tokens);
	result = look_for_token(&tokens, token, may_wait, found);
	close_tokens(&tokens);
	return result;
}

static Datum
units_datum(const DynToken *token)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(1, token->nunits));

	for (int i = 0; i < token->nunits; i++)
		elements[i] = Int32GetDatum(token->units[i]);
	return PointerGetDatum(construct_array(elements, token->nunits, INT4OID,
										   sizeof(int32), true, TYPALIGN_INT));
}

/* Insert the tuple; false, and it is not there, if there is another one. */
static bool
insert_tuple(const Tokens *tokens, const DynToken *token)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(tokens->heap),
													&TTSOpsVirtual);
	bool		unique;

	if (RelationGetDescr(tokens->heap)->natts != NCOLUMNS)
		elog(ERROR, "unexpected columns of relation \"%s\"",
			 RelationGetRelationName(tokens->heap));
	slot->tts_values[COLUMN_TOKEN - 1] = token_datum(token);
	slot->tts_values[COLUMN_ROLE - 1] = ObjectIdGetDatum(GetUserId());
	slot->tts_values[COLUMN_SPACE - 1] = CharGetDatum((char) token->space);
	slot->tts_values[COLUMN_CONTENT - 1] = Int64GetDatum((int64) token->content);
	slot->tts_values[COLUMN_UNITS - 1] = units_datum(token);
	slot->tts_values[COLUMN_COMPLETED - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	memset(slot->tts_isnull, false, NCOLUMNS);
	ExecStoreVirtualTuple(slot);

	/* The key is the first columns in their order. */
	table_tuple_insert(tokens->heap, slot, GetCurrentCommandId(true), 0, NULL);
	unique = index_insert(tokens->index, slot->tts_values, slot->tts_isnull,
						  &slot->tts_tid, tokens->heap, UNIQUE_CHECK_PARTIAL,
						  false, NULL);
	CommandCounterIncrement();
	if (!unique)
	{
		if (!delete_tuple(tokens->heap, &slot->tts_tid))
			elog(ERROR, "could not take back a token");
		CommandCounterIncrement();
	}
	ExecDropSingleTupleTableSlot(slot);
	return unique;
}

/*
 * Delete expired tokens from up to EXPIRE_BLOCKS blocks of the relation,
 * beginning with block first, or the first one if there is none of that number.
 * Those that somebody holds are left for the next time.  Returns the block to
 * go on with.
 */
static BlockNumber
delete_expired(const Tokens *tokens, BlockNumber first)
{
	BlockNumber total = RelationGetNumberOfBlocks(tokens->heap);
	TimestampTz now = GetCurrentTimestamp();
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TupleTableSlot *slot = table_slot_create(tokens->heap, NULL);
	TableScanDesc scan;

	if (first >= total)
		first = 0;
	/* Not synchronised with other scans: that would move its start. */
	scan = table_beginscan_strat(tokens->heap, snapshot, 0, NULL, true, false);
	heap_setscanlimits(scan, first, Min(EXPIRE_BLOCKS, total - first));
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
		if (is_expired(slot, now))
			(void) delete_tuple(tokens->heap, &slot->tts_tid);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	return first + EXPIRE_BLOCKS;
}

DynStoreResult
dyn_token_insert(const DynToken *token, bool may_wait, DynToken *found)
{
	static uint32 ninserted = 0;
	static BlockNumber next_block = 0;
	Tokens		tokens;
	DynStoreResult result = DYN_STORE_OK;

	open_tokens(&tokens);
	while (!insert_tuple(&tokens, token))
	{
		CHECK_FOR_INTERRUPTS();
		result = look_for_token(&tokens, token, may_wait, found);
		if (result != DYN_STORE_OK)
			break;
	}
	if (result == DYN_STORE_OK && ++ninserted % EXPIRE_INTERVAL == 0)
		next_block = delete_expired(&tokens, next_block);
	close_tokens(&tokens);
	return result;
}
