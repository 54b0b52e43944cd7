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

#include "access/relation.h"
#include "access/xact.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

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

/* A heap or a key index. */
typedef struct RelationEntry
{
	Oid			relation;		/* hash key */
	CachedTable *cached;
} RelationEntry;

static HTAB *by_name = NULL;
static HTAB *by_relation = NULL;
static slist_head retired_tables = SLIST_STATIC_INIT(retired_tables);

/* Relation dynamo.tables as last seen. */
static Oid	catalog_relation = InvalidOid;

/* Invalidations of any relation so far. */
static uint64 invalidations = 0;

static void
retire(CachedTable *cached)
{
	hash_search(by_name, cached->table.name, HASH_REMOVE, NULL);
	hash_search(by_relation, &cached->table.relation, HASH_REMOVE, NULL);
	if (OidIsValid(cached->table.key_index))
		hash_search(by_relation, &cached->table.key_index, HASH_REMOVE, NULL);
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
	if (relation == InvalidOid || relation == catalog_relation)
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
	enter_relation(cached->table.relation, cached);
	if (OidIsValid(cached->table.key_index))
		enter_relation(cached->table.key_index, cached);
	((NameEntry *) hash_search(by_name, cached->table.name, HASH_ENTER,
							   NULL))->cached = cached;
	return cached;
}

/* The decreases counted are those of the day of the last one, in UTC. */
static void
forget_yesterday(DynTable *table)
{
	if (table->decreases_today > 0 &&
		table->last_decrease / USECS_PER_DAY <
		GetCurrentTransactionStartTimestamp() / USECS_PER_DAY)
		table->decreases_today = 0;
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

List *
dyn_table_names(const char *start, int limit)
{
	return dyn_catalog_names(start, limit);
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

void
dyn_table_estimate(const DynTable *table, int64 *items, int64 *bytes)
{
	PgStat_StatTabEntry *statistics = pgstat_fetch_stat_tabentry(table->relation);

	*items = statistics == NULL ? 0 : statistics->n_live_tuples;
	*bytes = *items == 0 ? 0 : relation_size(table->relation);
}

char *
dyn_table_arn(const char *table_name)
{
	return psprintf("arn:aws:dynamodb:%s:%s:table/%s", dyn_region,
					dyn_account_id, table_name);
}
