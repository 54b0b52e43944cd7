/*-------------------------------------------------------------------------
 *
 * shard.c
 *		Streams of tables, and their shards: dynamo.streams and
 *		dynamo.stream_shards.
 *
 * GetRecords looks at one row of each, directly; whatever is asked for less often
 * is asked in SQL.
 *
 * src/stream/shard.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/settings.h"
#include "stream/change_log.h"
#include "stream/shard.h"
#include "table/catalog.h"

/* Others of ours have 3 to 5 in this place of an advisory lock's tag. */
#define ROLL_OVER_LOCK_CLASS 6

/* Columns of dynamo.stream_shards. */
enum
{
	COLUMN_STREAM = 1,
	COLUMN_FIRST_NUMBER,
	COLUMN_BUCKET,
	COLUMN_PARENT,
	COLUMN_END_NUMBER,
	COLUMN_CREATED,
	COLUMN_CLOSED,
	COLUMN_PARENT_CREATED
};

static Datum
text_datum(const char *utf8)
{
	return CStringGetTextDatum(pg_any_to_server(utf8, strlen(utf8), PG_UTF8));
}

/* ----- rows ----- */

static char *
text_column(HeapTuple tuple, TupleDesc descriptor, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, column, descriptor, &isnull);
	char	   *string;

	if (isnull)
		return NULL;
	string = TextDatumGetCString(value);
	return pg_server_to_any(string, strlen(string), PG_UTF8);
}

static int64
int_column(HeapTuple tuple, TupleDesc descriptor, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, column, descriptor, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

static void
take_info(HeapTuple tuple, TupleDesc descriptor, DynStreamInfo *info)
{
	bool		isnull;

	memset(info, 0, sizeof(DynStreamInfo));
	dyn_catalog_take_stream(tuple, descriptor, &info->stream);
	info->table_name = text_column(tuple, descriptor, DYN_STREAM_CATALOG_TABLE);
	info->table_id = *DatumGetUUIDP(heap_getattr(tuple, DYN_STREAM_CATALOG_TABLE_ID,
												 descriptor, &isnull));
	info->partition_key = text_column(tuple, descriptor, DYN_STREAM_CATALOG_PARTITION_KEY);
	info->sort_key = text_column(tuple, descriptor, DYN_STREAM_CATALOG_SORT_KEY);
	info->owner = DatumGetObjectId(heap_getattr(tuple, DYN_STREAM_CATALOG_OWNER,
												descriptor, &isnull));
	info->created = int_column(tuple, descriptor, DYN_STREAM_CATALOG_CREATED);
	info->disabled = int_column(tuple, descriptor, DYN_STREAM_CATALOG_DISABLED);
}

static void
take_shard(HeapTuple tuple, TupleDesc descriptor, DynShard *shard)
{
	bool		isnull;

	shard->first_number = int_column(tuple, descriptor, COLUMN_FIRST_NUMBER);
	shard->bucket = DatumGetInt32(heap_getattr(tuple, COLUMN_BUCKET, descriptor, &isnull));
	shard->parent = int_column(tuple, descriptor, COLUMN_PARENT);
	shard->end_number = int_column(tuple, descriptor, COLUMN_END_NUMBER);
	shard->created = int_column(tuple, descriptor, COLUMN_CREATED);
	shard->parent_created = int_column(tuple, descriptor, COLUMN_PARENT_CREATED);
}

/* Of a stream that ended longer ago nothing is told. */
static bool
is_kept(const DynStreamInfo *info)
{
	return info->disabled == 0 ||
		info->disabled + dyn_stream_retention * USECS_PER_SEC > GetCurrentTimestamp();
}

static Oid
own_relation(const char *name)
{
	return get_relname_relid(name, get_namespace_oid("dynamo", false));
}

/* The row of a relation in schema dynamo under the first columns of its primary key. */
static bool
find_row(const char *relation, int nkeys, ScanKey keys,
		 void (*take) (HeapTuple tuple, TupleDesc descriptor, void *arg), void *arg)
{
	Oid			oid = own_relation(relation);
	Relation	catalog;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	if (!OidIsValid(oid) || (catalog = try_relation_open(oid, AccessShareLock)) == NULL)
		return false;
	scan = systable_beginscan(catalog, dyn_primary_key_index(catalog), true, NULL,
							  nkeys, keys);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
		take(tuple, RelationGetDescr(catalog), arg);
	systable_endscan(scan);
	relation_close(catalog, AccessShareLock);
	return found;
}

static void
take_info_row(HeapTuple tuple, TupleDesc descriptor, void *arg)
{
	take_info(tuple, descriptor, arg);
}

static void
take_shard_row(HeapTuple tuple, TupleDesc descriptor, void *arg)
{
	take_shard(tuple, descriptor, arg);
}

bool
dyn_stream_get(int32 id, DynStreamInfo *info)
{
	ScanKeyData key;

	ScanKeyInit(&key, DYN_STREAM_CATALOG_ID, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(id));
	return find_row("streams", 1, &key, take_info_row, info) && is_kept(info);
}

/*
 * What shards are rolled over under.  A reader that finds a shard open may have
 * settled numbers up to what was next before it looked; so nobody looks from
 * before the end is chosen until it is there to be seen.  Not the relation's own
 * lock, which people hold who look at it in SQL.
 */
static void
set_roll_over_tag(LOCKTAG *tag)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, 0, 0, ROLL_OVER_LOCK_CLASS);
}

bool
dyn_shard_get(int32 stream, int bucket, int64 first_number, bool may_wait,
			  DynShard *shard)
{
	ScanKeyData keys[3];
	LOCKTAG		tag;
	bool		found;

	set_roll_over_tag(&tag);
	if (LockAcquire(&tag, ShareLock, false, !may_wait) == LOCKACQUIRE_NOT_AVAIL)
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("shards are being rolled over")));

	ScanKeyInit(&keys[0], COLUMN_STREAM, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(stream));
	ScanKeyInit(&keys[1], COLUMN_FIRST_NUMBER, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(first_number));
	ScanKeyInit(&keys[2], COLUMN_BUCKET, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(bucket));
	found = find_row("stream_shards", lengthof(keys), keys, take_shard_row, shard);
	LockRelease(&tag, ShareLock, false);
	return found;
}

/*
 * Run a query as the catalog's owner, and make a list of what take() makes of its
 * rows.
 */
static List *
query(const char *statement, int nargs, Oid *types, Datum *values, Size size,
	  void (*take) (HeapTuple tuple, TupleDesc descriptor, void *arg))
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *result = NIL;

	SPI_connect();
	dyn_catalog_execute(statement, nargs, types, values);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);
		void	   *element = palloc(size);

		take(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, element);
		result = lappend(result, element);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	return result;
}

#define IS_KEPT(retention) \
	"(disabled IS NULL OR disabled > clock_timestamp() - " retention " * interval '1 second')"

bool
dyn_stream_find(const char *table_name, const char *label, DynStreamInfo *info)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT4OID};
	Datum		values[3];
	List	   *found;

	values[0] = text_datum(table_name);
	values[1] = text_datum(label);
	values[2] = Int32GetDatum(dyn_stream_retention);
	found = query("SELECT * FROM dynamo.streams WHERE table_name = $1 AND label = $2"
				  " AND " IS_KEPT("$3"), lengthof(types), types, values,
				  sizeof(DynStreamInfo), take_info_row);
	if (found == NIL)
		return false;
	*info = *(DynStreamInfo *) linitial(found);
	return true;
}

List *
dyn_stream_list(const char *table_name, const char *after_table,
				const char *after_label, int limit)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, INT4OID, INT4OID};
	Datum		values[5];

	values[0] = text_datum(table_name == NULL ? "" : table_name);
	values[1] = text_datum(after_table);
	values[2] = text_datum(after_label);
	values[3] = Int32GetDatum(dyn_stream_retention);
	values[4] = Int32GetDatum(limit);
	return query("SELECT * FROM dynamo.streams WHERE $1 IN ('', table_name)"
				 " AND (table_name, label) > ($2, $3) AND " IS_KEPT("$4")
				 " ORDER BY table_name, label LIMIT $5", lengthof(types), types,
				 values, sizeof(DynStreamInfo), take_info_row);
}

List *
dyn_shard_list(int32 stream, const DynShard *after, const DynShard *parent, int limit)
{
	Oid			types[] = {INT4OID, INT8OID, INT4OID, INT8OID, INT4OID, INT4OID};
	Datum		values[6];

	values[0] = Int32GetDatum(stream);
	values[1] = Int64GetDatum(after == NULL ? -1 : after->first_number);
	values[2] = Int32GetDatum(after == NULL ? -1 : after->bucket);
	values[3] = Int64GetDatum(parent == NULL ? -1 : parent->first_number);
	values[4] = Int32GetDatum(parent == NULL ? -1 : parent->bucket);
	values[5] = Int32GetDatum(limit);
	return query("SELECT * FROM dynamo.stream_shards WHERE stream_id = $1"
				 " AND (first_number, bucket) > ($2, $3)"
				 " AND ($4 = -1 OR (parent, bucket) = ($4, $5))"
				 " ORDER BY first_number, bucket LIMIT $6", lengthof(types), types,
				 values, sizeof(DynShard), take_shard_row);
}

bool
dyn_stream_is_readable(const DynStreamInfo *info)
{
	const DynTable *table = dyn_table_find(info->table_name, strlen(info->table_name));

	if (table == NULL ||
		memcmp(&table->table_id, &info->table_id, sizeof(pg_uuid_t)) != 0)
		return has_privs_of_role(GetUserId(), info->owner);

	/* Policies can't be honoured here, as in operations on items. */
	return pg_class_aclcheck(table->relation, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(table->relation, InvalidOid, true) != RLS_ENABLED;
}

/* ----- changes ----- */

/* Above all that the log has: it says where numbers must go on. */
static int64
next_number(void)
{
	(void) dyn_change_log_exists();
	return dyn_change_number_next();
}

void
dyn_stream_enable(const DynTable *table, DynStreamView view)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT4OID, INT8OID};
	Datum		values[4];

	dyn_change_log_require();
	values[1] = CStringGetTextDatum(dyn_stream_view_names[view]);
	values[2] = Int32GetDatum(dyn_stream_shards);
	values[3] = Int64GetDatum(next_number());

	/* The label is a time, and no other of the table's may have it. */
	dyn_catalog_change(table,
					   "WITH stream AS (INSERT INTO dynamo.streams (table_name, table_id,"
					   " label, view_type, shards, partition_key, sort_key, owner, created)"
					   " SELECT name, table_id,"
					   "  to_char(greatest(clock_timestamp() AT TIME ZONE 'UTC',"
					   "   (SELECT max(label)::timestamp + interval '1 ms' FROM dynamo.streams"
					   "    WHERE table_name = $1)), 'YYYY-MM-DD\"T\"HH24:MI:SS.MS'),"
					   "  $2, $3, partition_key, sort_key, relowner, clock_timestamp()"
					   " FROM dynamo.tables t, pg_class c WHERE t.name = $1 AND c.oid = t.relation"
					   " RETURNING stream_id, shards)"
					   " INSERT INTO dynamo.stream_shards (stream_id, first_number, bucket)"
					   " SELECT stream_id, $4, bucket"
					   " FROM stream, generate_series(0, shards - 1) bucket",
					   lengthof(types), types, values);
}

void
dyn_stream_disable(const DynTable *table)
{
	Oid			types[] = {TEXTOID, INT8OID};
	Datum		values[2];

	values[1] = Int64GetDatum(next_number());
	dyn_catalog_change(table,
					   "WITH stream AS (UPDATE dynamo.streams SET disabled = clock_timestamp()"
					   " WHERE table_name = $1 AND disabled IS NULL RETURNING stream_id)"
					   " UPDATE dynamo.stream_shards s SET end_number = $2,"
					   " closed = clock_timestamp() FROM stream"
					   " WHERE s.stream_id = stream.stream_id AND end_number IS NULL",
					   lengthof(types), types, values);
}

void
dyn_stream_set_notify(const DynTable *table, bool notify)
{
	Oid			types[] = {TEXTOID, BOOLOID};
	Datum		values[2];

	if (!table->stream.enabled)
		dyn_raise(RESOURCE_NOT_FOUND,
				  "Requested resource not found: Table %s has no stream", table->name);
	values[1] = BoolGetDatum(notify);
	dyn_catalog_change(table, "UPDATE dynamo.streams SET notify = $2"
					   " WHERE table_name = $1 AND disabled IS NULL",
					   lengthof(types), types, values);
}

List *
dyn_streams_to_notify(void)
{
	return query("SELECT * FROM dynamo.streams WHERE notify AND disabled IS NULL",
				 0, NULL, NULL, sizeof(DynStreamInfo), take_info_row);
}

static bool
change(const char *statement, int nargs, Oid *types, Datum *values)
{
	uint64		count;

	SPI_connect();
	dyn_catalog_execute(statement, nargs, types, values);
	count = SPI_processed;
	SPI_finish();
	return count > 0;
}

bool
dyn_shards_roll_over(int lifetime_s)
{
	Oid			types[] = {INT8OID, INT4OID};
	Datum		values[2];
	LOCKTAG		tag;
	bool		due;

	values[0] = Int64GetDatum(PG_INT64_MAX);
	values[1] = Int32GetDatum(lifetime_s);
	SPI_connect();
	dyn_catalog_execute("SELECT FROM dynamo.streams JOIN dynamo.stream_shards s USING (stream_id)"
						" WHERE disabled IS NULL AND end_number IS NULL AND first_number < $1"
						" AND s.created <= clock_timestamp() - $2 * interval '1 second' LIMIT 1",
						lengthof(types), types, values);
	due = SPI_processed > 0;
	SPI_finish();
	if (!due)
		return false;

	/* Readers have it for no longer than a look takes. */
	set_roll_over_tag(&tag);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	values[0] = Int64GetDatum(next_number());

	/*
	 * Who disables a stream has its table's row locked, perhaps for long, with
	 * everybody behind the lock that is held here; so such streams are left out.
	 * Nor may one be disabled meanwhile: it would not see the children, and they
	 * would be open for ever.
	 */
	return change("WITH due AS (SELECT s.stream_id, s.bucket, s.first_number"
				  " FROM dynamo.tables d JOIN dynamo.streams t USING (table_id)"
				  " JOIN dynamo.stream_shards s USING (stream_id)"
				  " WHERE t.disabled IS NULL AND s.end_number IS NULL AND s.first_number < $1"
				  " AND s.created <= clock_timestamp() - $2 * interval '1 second'"
				  " FOR SHARE OF d SKIP LOCKED),"
				  " closed AS (UPDATE dynamo.stream_shards s SET end_number = $1,"
				  " closed = clock_timestamp() FROM due"
				  " WHERE s.stream_id = due.stream_id AND s.bucket = due.bucket"
				  " AND s.first_number = due.first_number AND s.end_number IS NULL"
				  " RETURNING s.stream_id, s.bucket, s.first_number, s.created)"
				  " INSERT INTO dynamo.stream_shards"
				  " (stream_id, first_number, bucket, parent, parent_created)"
				  " SELECT stream_id, $1, bucket, first_number, created FROM closed",
				  lengthof(types), types, values);
}

bool
dyn_streams_purge(int retention_s)
{
	Oid			types[] = {INT4OID};
	Datum		values[1];
	bool		any;

	values[0] = Int32GetDatum(retention_s);
	any = change("DELETE FROM dynamo.stream_shards"
				 " WHERE closed <= clock_timestamp() - $1 * interval '1 second'",
				 lengthof(types), types, values);

	/* DescribeTable names a table's latest stream for ever. */
	return change("DELETE FROM dynamo.streams s"
				  " WHERE disabled <= clock_timestamp() - $1 * interval '1 second'"
				  " AND (NOT EXISTS (SELECT FROM dynamo.tables t WHERE t.table_id = s.table_id)"
				  "  OR EXISTS (SELECT FROM dynamo.streams l"
				  "   WHERE l.table_id = s.table_id AND l.label > s.label))",
				  lengthof(types), types, values) || any;
}
