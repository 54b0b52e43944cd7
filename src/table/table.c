/*-------------------------------------------------------------------------
 *
 * table.c
 *		Find a table's descriptor, cached per backend.
 *
 * A descriptor is in the cache or retired:
 *
 *		load_table()  -->  cached  --invalidation-->  retired  -->  freed
 *								  (relation_changed)  (transaction_ended)
 *
 * Retired ones are kept until the transaction ends, because they may have been
 * handed out.  An invalidation can arrive wherever a lock is taken, so
 * relation_changed() neither reads a catalog nor allocates.
 *
 * src/table/table.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_statistic.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/settings.h"
#include "table/catalog.h"

typedef struct CachedTable
{
	DynTable	table;			/* first: a DynTable is one of these */
	MemoryContext context;		/* of all of it; child of CacheMemoryContext */
	bool		retired;
	slist_node	retired_node;
} CachedTable;

typedef struct NameEntry
{
	char		name[DYN_MAX_TABLE_NAME_LENGTH + 1];	/* hash key */
	CachedTable *cached;
} NameEntry;

/* A heap or one of its indexes. */
typedef struct RelationEntry
{
	Oid			relation;		/* hash key */
	CachedTable *cached;
} RelationEntry;

static HTAB *by_name = NULL;
static HTAB *by_relation = NULL;
static slist_head retired_tables = SLIST_STATIC_INIT(retired_tables);

/* Relations dynamo.tables, indexes, streams and resource_policies as last seen. */
static Oid	catalog_relation = InvalidOid;
static Oid	index_catalog_relation = InvalidOid;
static Oid	stream_catalog_relation = InvalidOid;
static Oid	policy_catalog_relation = InvalidOid;

/* Invalidations of any relation so far. */
static uint64 invalidations = 0;

/* Call action for each relation that the descriptor depends on. */
static void
each_relation(CachedTable *cached,
			  void (*action) (Oid relation, CachedTable *cached))
{
	const DynTable *table = &cached->table;

	action(table->relation, cached);
	if (OidIsValid(table->key_index))
		action(table->key_index, cached);
	for (int i = 0; i < table->nindexes; i++)
		if (OidIsValid(table->indexes[i].relation))
			action(table->indexes[i].relation, cached);
}

static void
leave_relation(Oid relation, CachedTable *cached)
{
	hash_search(by_relation, &relation, HASH_REMOVE, NULL);
}

static void
retire(CachedTable *cached)
{
	hash_search(by_name, cached->table.name, HASH_REMOVE, NULL);
	each_relation(cached, leave_relation);
	cached->retired = true;
	slist_push_head(&retired_tables, &cached->retired_node);
}

static void
retire_all(void)
{
	HASH_SEQ_STATUS status;
	NameEntry  *entry;

	hash_seq_init(&status, by_name);
	while ((entry = hash_seq_search(&status)) != NULL)
		retire(entry->cached);
}

static void
relation_changed(Datum arg, Oid relation)
{
	RelationEntry *entry;

	invalidations++;
	if (relation == InvalidOid || relation == catalog_relation ||
		relation == index_catalog_relation || relation == stream_catalog_relation ||
		relation == policy_catalog_relation)
		retire_all();
	else if ((entry = hash_search(by_relation, &relation, HASH_FIND, NULL)) != NULL)
		retire(entry->cached);
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
			while (!slist_is_empty(&retired_tables))
			{
				slist_node *node = slist_pop_head_node(&retired_tables);

				MemoryContextDelete(slist_container(CachedTable, retired_node,
													node)->context);
			}
			break;
		default:
			break;
	}
}

static void
create_cache(void)
{
	HASHCTL		control = {0};

	control.keysize = DYN_MAX_TABLE_NAME_LENGTH + 1;
	control.entrysize = sizeof(NameEntry);
	control.hcxt = CacheMemoryContext;
	if (by_name == NULL)
		by_name = hash_create("dynamo tables by name", 64, &control,
							  HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(RelationEntry);
	by_relation = hash_create("dynamo tables by relation", 64, &control,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	RegisterXactCallback(transaction_ended, NULL);
}

static void
enter_relation(Oid relation, CachedTable *cached)
{
	RelationEntry *entry = hash_search(by_relation, &relation, HASH_ENTER, NULL);

	entry->cached = cached;
}

static CachedTable *
load_table(const char *name)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "dynamo table",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	CachedTable *cached = palloc0(sizeof(CachedTable));
	uint64		before;
	bool		found;

	cached->context = context;
	catalog_relation = dyn_catalog_relation();
	index_catalog_relation = dyn_index_catalog_relation();
	stream_catalog_relation = dyn_stream_catalog_relation();
	policy_catalog_relation = dyn_policy_catalog_relation();
	before = invalidations;
	found = dyn_catalog_read(name, &cached->table);
	MemoryContextSwitchTo(caller);
	if (!found)
	{
		MemoryContextDelete(context);
		return NULL;
	}
	MemoryContextSetIdentifier(context, cached->table.name);
	MemoryContextSetParent(context, CacheMemoryContext);

	/* What has changed while it was read is good for one use. */
	if (invalidations != before)
	{
		cached->retired = true;
		slist_push_head(&retired_tables, &cached->retired_node);
		return cached;
	}
	each_relation(cached, enter_relation);
	((NameEntry *) hash_search(by_name, cached->table.name, HASH_ENTER,
							   NULL))->cached = cached;
	return cached;
}

/* The decreases counted are those of the day of the last one, in UTC. */
static void
forget_yesterday(DynTable *table)
{
	int64		today = GetCurrentTransactionStartTimestamp() / USECS_PER_DAY;

	if (table->last_decrease / USECS_PER_DAY < today)
		table->decreases_today = 0;
	for (int i = 0; i < table->nindexes; i++)
		if (table->indexes[i].last_decrease / USECS_PER_DAY < today)
			table->indexes[i].decreases_today = 0;
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
	return true;
}

const DynTable *
dyn_table_find(const char *name, uint32 len)
{
	char		key[DYN_MAX_TABLE_NAME_LENGTH + 1];
	NameEntry  *entry;
	CachedTable *cached;

	if (!name_of_arn(&name, &len) || len == 0 ||
		len > DYN_MAX_TABLE_NAME_LENGTH || memchr(name, '\0', len) != NULL)
		return NULL;
	memcpy(key, name, len);
	key[len] = '\0';

	if (by_relation == NULL)
		create_cache();
	entry = hash_search(by_name, key, HASH_FIND, NULL);
	cached = entry != NULL ? entry->cached : load_table(key);
	if (cached == NULL)
		return NULL;
	forget_yesterday(&cached->table);
	return &cached->table;
}

const DynTable *
dyn_table_find_relation(Oid relation)
{
	RelationEntry *entry;
	char	   *name;

	if (by_relation == NULL)
		create_cache();
	entry = hash_search(by_relation, &relation, HASH_FIND, NULL);
	if (entry != NULL && entry->cached->table.relation == relation)
		return &entry->cached->table;
	name = dyn_catalog_name_of_relation(relation);
	return name == NULL ? NULL : dyn_table_find(name, strlen(name));
}

const DynTable *
dyn_table_refresh(const DynTable *table)
{
	return ((const CachedTable *) table)->retired ?
		dyn_table_find(table->name, strlen(table->name)) : table;
}

uint64
dyn_table_invalidations(void)
{
	return invalidations;
}

List *
dyn_table_names(const char *start, int limit, bool visible_only)
{
	return dyn_catalog_names(start, limit, visible_only);
}

bool
dyn_relation_is_visible(Oid relation)
{
	bool		is_missing = false;

	return pg_class_aclcheck_ext(relation, GetUserId(), ACL_ALL_RIGHTS_RELATION,
								 &is_missing) == ACLCHECK_OK && !is_missing;
}

const DynIndex *
dyn_table_index(const DynTable *table, const char *name, uint32 len)
{
	for (int i = 0; i < table->nindexes; i++)
	{
		const DynIndexDefinition *definition = &table->indexes[i].definition;

		if (definition->kind != DYN_INDEX_TIME_TO_LIVE &&
			strlen(definition->name) == len &&
			memcmp(definition->name, name, len) == 0)
			return &table->indexes[i];
	}
	return NULL;
}

const DynIndex *
dyn_table_readable_index(const DynTable *table, const char *name, uint32 len)
{
	const DynIndex *index = dyn_table_index(table, name, len);

	if (index == NULL || index->status == DYN_INDEX_DELETING)
		dyn_raise(VALIDATION, "The table does not have the specified index: %.*s",
				  (int) len, name);
	if (index->status == DYN_INDEX_CREATING)
		dyn_raise(VALIDATION,
				  "Cannot read from backfilling global secondary index: %s",
				  index->definition.name);
	return index;
}

const DynIndex *
dyn_table_time_to_live(const DynTable *table)
{
	for (int i = 0; i < table->nindexes; i++)
		if (table->indexes[i].definition.kind == DYN_INDEX_TIME_TO_LIVE &&
			dyn_index_is_kept(&table->indexes[i]))
			return &table->indexes[i];
	return NULL;
}

bool
dyn_index_projects(const DynIndex *index, const char *name, uint32 len)
{
	if (index->projected == NULL)
		return true;
	for (int i = 0; i < index->nprojected; i++)
		if (index->projected[i].name_len == len &&
			memcmp(index->projected[i].name, name, len) == 0)
			return true;
	return false;
}

bool
dyn_index_entry(StringInfo out, const DynIndex *index, const DynItem *item,
				const DynKey *key)
{
	const DynIndexSchema *schema = &index->definition.schema;
	DynValue	number;

	if (index->definition.kind != DYN_INDEX_TIME_TO_LIVE)
		return dyn_index_key_append(out, schema, item, key);
	if (!dyn_item_find(item, schema->sort[0].name, schema->sort[0].name_len, &number) ||
		number.type != DYN_TYPE_N)
		return false;
	appendBinaryStringInfo(out, number.data, number.size);
	return true;
}

Datum
dyn_index_datum(const DynIndex *index, const DynItem *item, const DynKey *key,
				bool *isnull)
{
	StringInfoData bytes;

	initStringInfo(&bytes);
	appendStringInfoSpaces(&bytes, VARHDRSZ);
	*isnull = !dyn_index_entry(&bytes, index, item, key);
	SET_VARSIZE(bytes.data, bytes.len);
	return PointerGetDatum(bytes.data);
}

/* Without waiting: a relation that is being altered has no size just now. */
static int64
relation_size(Oid oid)
{
	Relation	relation;
	int64		size;

	if (!OidIsValid(oid) || !ConditionalLockRelationOid(oid, AccessShareLock))
		return 0;
	relation = try_relation_open(oid, NoLock);
	if (relation == NULL)
		return 0;
	size = (int64) RelationGetNumberOfBlocks(relation) * BLCKSZ +
		relation_size(relation->rd_rel->reltoastrelid);
	relation_close(relation, AccessShareLock);
	return size;
}

/* As the last VACUUM or ANALYZE has left it in pg_class; 0: there was none. */
static int64
relation_tuples(Oid oid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
	float4		tuples;

	if (!HeapTupleIsValid(tuple))
		return 0;
	tuples = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
	ReleaseSysCache(tuple);
	return tuples < 0 ? 0 : (int64) tuples;
}

void
dyn_table_estimate(const DynTable *table, int64 *items, int64 *bytes)
{
	PgStat_StatTabEntry *statistics = pgstat_fetch_stat_tabentry(table->relation);

	*items = statistics == NULL ? 0 : statistics->n_live_tuples;

	/*
	 * A crash takes the statistics, and until they have seen the next VACUUM or
	 * ANALYZE they know only what has changed since.
	 */
	if (statistics == NULL ||
		statistics->vacuum_count + statistics->autovac_vacuum_count +
		statistics->analyze_count + statistics->autovac_analyze_count == 0)
		*items = Max(*items, relation_tuples(table->relation));
	*bytes = *items == 0 ? 0 : relation_size(table->relation);
}

/*
 * The part of the rows that have a hash, as the last ANALYZE found: a collection
 * that is large beside the others is among the most common values.  0: it is not.
 */
static double
hash_frequency(Oid relation, int64 hash)
{
	HeapTuple	tuple = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(relation),
										Int16GetDatum(DYN_ATTNUM_HASH),
										BoolGetDatum(false));
	AttStatsSlot slot;
	double		frequency = 0;

	if (!HeapTupleIsValid(tuple))
		return 0;
	if (get_attstatsslot(&slot, tuple, STATISTIC_KIND_MCV, InvalidOid,
						 ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS))
	{
		for (int i = 0; i < slot.nvalues && i < slot.nnumbers; i++)
			if (DatumGetInt64(slot.values[i]) == hash)
				frequency = slot.numbers[i];
		free_attstatsslot(&slot);
	}
	ReleaseSysCache(tuple);
	return frequency;
}

int64
dyn_table_estimate_collection(const DynTable *table, const DynKey *key,
							  int64 at_least)
{
	int64		bytes = relation_size(table->relation);
	int			copies = 1;

	/* The keys alone are no size to speak of. */
	for (int i = 0; i < table->nindexes; i++)
		if (table->indexes[i].definition.kind == DYN_INDEX_LOCAL &&
			table->indexes[i].definition.projection == DYN_PROJECT_ALL)
			copies++;
	if (bytes * copies < at_least)
		return 0;
	return (int64) (bytes * hash_frequency(table->relation, key->hash) * copies);
}

/*
 * PostgreSQL counts an index's entries when it vacuums or builds it, which may
 * be long ago; more than the table has they cannot be.
 */
void
dyn_index_estimate(const DynTable *table, const DynIndex *index, int64 *items,
				   int64 *bytes)
{
	int64		table_items;
	int64		table_bytes;
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index->relation));
	float4		entries = -1;

	if (HeapTupleIsValid(tuple))
	{
		entries = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
		ReleaseSysCache(tuple);
	}
	dyn_table_estimate(table, &table_items, &table_bytes);
	*items = entries < 0 ? 0 : Min((int64) entries, table_items);
	*bytes = *items == 0 ? 0 : relation_size(index->relation);
}

/* Made for requests that policies' conditions are about: psprintf() is slower. */
char *
dyn_table_arn(const char *table_name)
{
	const char *parts[] = {"arn:aws:dynamodb:", dyn_region, ":", dyn_account_id,
	":table/", table_name};
	size_t		lengths[lengthof(parts)];
	size_t		total = 0;
	char	   *result;
	char	   *end;

	for (int i = 0; i < lengthof(parts); i++)
		total += lengths[i] = strlen(parts[i]);
	end = result = palloc(total + 1);
	for (int i = 0; i < lengthof(parts); i++)
	{
		memcpy(end, parts[i], lengths[i]);
		end += lengths[i];
	}
	*end = '\0';
	return result;
}

char *
dyn_index_arn(const DynTable *table, const DynIndex *index)
{
	return psprintf("%s/index/%s", dyn_table_arn(table->name),
					index->definition.name);
}

char *
dyn_stream_arn(const char *table_name, const char *label)
{
	return psprintf("%s/stream/%s", dyn_table_arn(table_name), label);
}
