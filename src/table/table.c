/*-------------------------------------------------------------------------
 *
 * table.c
 *		Find a table's descriptor, cached per backend.
 *
 * One hash table by name.  An invalidation only marks it stale: the next
 * lookup starts a new one, and the old one's memory is kept until the
 * transaction ends, because descriptors may have been handed out.
 *
 * src/table/table.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"

#include "base/limits.h"
#include "base/settings.h"
#include "table/catalog.h"

typedef struct CacheEntry
{
	char		name[DYN_MAX_TABLE_NAME_LENGTH + 1];	/* hash key */
	DynTable   *table;
} CacheEntry;

/* The descriptors, and the context that holds them and the hash table. */
static HTAB *cache = NULL;
static MemoryContext cache_context = NULL;
static bool cache_stale = false;

/* Caches that are no longer looked at; freed when the transaction ends. */
static MemoryContext retired_contexts = NULL;

/* Relation dynamo.tables; InvalidOid: to be looked up. */
static Oid	catalog_relation = InvalidOid;

static void
relation_changed(Datum arg, Oid relation)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	if (cache == NULL || cache_stale)
		return;
	if (relation == InvalidOid || relation == catalog_relation)
	{
		cache_stale = true;
		catalog_relation = InvalidOid;
		return;
	}
	hash_seq_init(&status, cache);
	while ((entry = hash_seq_search(&status)) != NULL)
		if (entry->table != NULL &&
			(entry->table->relation == relation ||
			 entry->table->key_index == relation))
			cache_stale = true;
}

static void
transaction_ended(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
		case XACT_EVENT_PREPARE:
			if (retired_contexts != NULL)
				MemoryContextDelete(retired_contexts);
			retired_contexts = NULL;
			break;
		default:
			break;
	}
}

/* An empty cache in place of a stale one. */
static void
renew_cache(void)
{
	static bool callbacks_registered = false;
	HASHCTL		control = {0};

	if (!callbacks_registered)
	{
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
		RegisterXactCallback(transaction_ended, NULL);
		callbacks_registered = true;
	}
	if (cache_context != NULL)
	{
		if (retired_contexts == NULL)
			retired_contexts = AllocSetContextCreate(CacheMemoryContext,
													 "dynamo retired tables",
													 ALLOCSET_SMALL_SIZES);
		MemoryContextSetParent(cache_context, retired_contexts);
		cache = NULL;
		cache_context = NULL;
	}
	cache_context = AllocSetContextCreate(CacheMemoryContext, "dynamo tables",
										  ALLOCSET_DEFAULT_SIZES);
	control.keysize = DYN_MAX_TABLE_NAME_LENGTH + 1;
	control.entrysize = sizeof(CacheEntry);
	control.hcxt = cache_context;
	cache = hash_create("dynamo tables", 64, &control,
						HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	cache_stale = false;
}

static Datum
column(int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, number,
						 isnull);
}

static char *
text_column(int number)
{
	bool		isnull;
	Datum		value = column(number, &isnull);

	return isnull ? NULL :
		MemoryContextStrdup(cache_context, TextDatumGetCString(value));
}

static int64
int_column(int number)
{
	bool		isnull;
	Datum		value = column(number, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

static void
key_columns(int number, DynKeyAttribute *attribute)
{
	char	   *type = text_column(number + 1);

	attribute->name = text_column(number);
	if (attribute->name == NULL)
		return;
	attribute->name_len = strlen(attribute->name);
	attribute->type = dyn_type_from_name(type, strlen(type));
}

/* The unique index of access method dynamo_key; InvalidOid if it is gone. */
static Oid
find_key_index(Oid relation)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(relation)};
	bool		isnull;

	dyn_catalog_execute("SELECT i.indexrelid FROM pg_catalog.pg_index i"
						" JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
						" JOIN pg_catalog.pg_am a ON a.oid = c.relam"
						" WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid"
						" AND i.indkey[0] = 1 AND i.indkey[1] = 2"
						" AND a.amname = 'dynamo_key' AND i.indpred IS NULL"
						" ORDER BY 1 LIMIT 1",
						1, types, values, NULL);
	return SPI_processed == 0 ? InvalidOid :
		DatumGetObjectId(column(1, &isnull));
}

/* Read a table's row; NULL if there is none.  In cache_context. */
static DynTable *
load_table(const char *name)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};
	DynTable   *table = NULL;
	bool		isnull;
	char	   *options;

	SPI_connect();
	dyn_catalog_execute("SELECT relation::oid, partition_key, partition_type,"
						" sort_key, sort_type, table_id, created, billing_mode,"
						" read_units, write_units, on_demand_since, last_increase,"
						" last_decrease, decreases_today, deletion_protection,"
						" options::text"
						" FROM dynamo.tables WHERE name = $1",
						1, types, values, NULL);
	if (SPI_processed == 1)
	{
		table = MemoryContextAllocZero(cache_context, sizeof(DynTable));
		table->name = MemoryContextStrdup(cache_context, name);
		table->relation = DatumGetObjectId(column(1, &isnull));
		key_columns(2, &table->schema.partition);
		key_columns(4, &table->schema.sort);
		table->table_id = *DatumGetUUIDP(column(6, &isnull));
		table->created = DatumGetTimestampTz(column(7, &isnull));
		table->billing_mode = strcmp(text_column(8), "PROVISIONED") == 0 ?
			DYN_BILLING_PROVISIONED : DYN_BILLING_PAY_PER_REQUEST;
		table->read_units = int_column(9);
		table->write_units = int_column(10);
		table->on_demand_since = int_column(11);
		table->last_increase = int_column(12);
		table->last_decrease = int_column(13);
		table->decreases_today = DatumGetInt32(column(14, &isnull));
		table->deletion_protection = DatumGetBool(column(15, &isnull));
		options = text_column(16);
		table->options = options;
		table->key_index = find_key_index(table->relation);
		if (!OidIsValid(table->key_index))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("table \"%s\" has no valid key index", name),
					 errhint("Create it again: CREATE UNIQUE INDEX ON %s USING dynamo_key (hash, partition_key dynamo.partition_ops%s).",
							 get_rel_name(table->relation),
							 table->schema.sort.name ? ", sort_key" : "")));
	}
	SPI_finish();
	return table;
}

/* The name in an ARN of a table of ours; false for any other ARN. */
static bool
name_of_arn(const char **name, uint32 *len)
{
	char	   *prefix;
	size_t		prefix_len;

	if (*len < 4 || memcmp(*name, "arn:", 4) != 0)
		return true;
	prefix = dyn_table_arn("");
	prefix_len = strlen(prefix);
	if (*len < prefix_len || memcmp(*name, prefix, prefix_len) != 0)
		return false;
	*name += prefix_len;
	*len -= prefix_len;
	pfree(prefix);
	return true;
}

const DynTable *
dyn_table_find(const char *name, uint32 len)
{
	char		key[DYN_MAX_TABLE_NAME_LENGTH + 1];
	CacheEntry *entry;
	DynTable   *table;
	Oid			relation;

	if (!name_of_arn(&name, &len) || len == 0 ||
		len > DYN_MAX_TABLE_NAME_LENGTH || memchr(name, '\0', len) != NULL)
		return NULL;
	memcpy(key, name, len);
	key[len] = '\0';

	if (cache == NULL || cache_stale)
		renew_cache();
	entry = hash_search(cache, key, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->table;

	relation = dyn_catalog_relation();
	if (!OidIsValid(relation))
		return NULL;
	catalog_relation = relation;
	table = load_table(key);
	if (table == NULL)
		return NULL;

	/* Reading may itself have met an invalidation; then it is not kept. */
	if (!cache_stale)
	{
		entry = hash_search(cache, key, HASH_ENTER, NULL);
		entry->table = table;
	}
	return table;
}

const DynTable *
dyn_table_find_relation(Oid relation)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(relation)};
	char	   *name = NULL;
	const DynTable *table;
	MemoryContext caller = CurrentMemoryContext;

	if (cache != NULL && !cache_stale)
	{
		HASH_SEQ_STATUS status;
		CacheEntry *entry;

		hash_seq_init(&status, cache);
		while ((entry = hash_seq_search(&status)) != NULL)
			if (entry->table->relation == relation)
			{
				hash_seq_term(&status);
				return entry->table;
			}
	}

	SPI_connect();
	dyn_catalog_execute("SELECT name FROM dynamo.tables WHERE relation = $1::regclass",
						1, types, values, NULL);
	if (SPI_processed == 1)
	{
		bool		isnull;

		name = MemoryContextStrdup(caller,
								   TextDatumGetCString(column(1, &isnull)));
	}
	SPI_finish();
	table = name == NULL ? NULL : dyn_table_find(name, strlen(name));
	return table;
}

List *
dyn_table_names(const char *start, int limit)
{
	Oid			types[] = {TEXTOID, INT8OID};
	Datum		values[2];
	List	   *names = NIL;
	MemoryContext caller = CurrentMemoryContext;

	values[0] = CStringGetTextDatum(start == NULL ? "" : start);
	values[1] = Int64GetDatum(limit);
	SPI_connect();
	dyn_catalog_execute("SELECT name FROM dynamo.tables WHERE name > $1 COLLATE \"C\""
						" ORDER BY name LIMIT $2",
						2, types, values, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(caller);

		names = lappend(names, SPI_getvalue(SPI_tuptable->vals[i],
											SPI_tuptable->tupdesc, 1));
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return names;
}

void
dyn_table_estimate(const DynTable *table, int64 *items, int64 *bytes)
{
	PgStat_StatTabEntry *statistics = pgstat_fetch_stat_tabentry(table->relation);
	Relation	relation;

	*items = statistics == NULL ? 0 : statistics->n_live_tuples;
	*bytes = 0;
	if (*items == 0)
		return;
	relation = try_relation_open(table->relation, AccessShareLock);
	if (relation == NULL)
		return;
	*bytes = (int64) RelationGetNumberOfBlocks(relation) * BLCKSZ;
	relation_close(relation, AccessShareLock);
}

char *
dyn_table_arn(const char *table_name)
{
	return psprintf("arn:aws:dynamodb:%s:%s:table/%s", dyn_region,
					dyn_account_id, table_name);
}
