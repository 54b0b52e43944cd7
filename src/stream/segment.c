/*-------------------------------------------------------------------------
 *
 * segment.c
 *		The relations that the change log consists of.
 *
 * The catalog dynamo_internal.change_segments says which there are.  They are
 * members of the extension: a dump has neither them nor the catalog, as what
 * happened to the original's items is not what happened to the copy's.
 *
 * src/stream/segment.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/smgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/shared_state.h"
#include "stream/change_log.h"
#include "stream/segment.h"
#include "table/catalog.h"

/* Columns of dynamo_internal.change_segments. */
enum
{
	COLUMN_ID = 1,
	COLUMN_RELATION,
	COLUMN_FIRST_NUMBER,
	COLUMN_END_NUMBER,
	COLUMN_CREATED,
	COLUMN_SEALED
};

/* The catalog as it was read last. */
static DynSegment *segments = NULL;
static int	nsegments = 0;
static int	room = 0;
static bool valid = false;
static Oid	catalog_oid = InvalidOid;

static void
relation_changed(Datum arg, Oid relation)
{
	if (relation == InvalidOid || relation == catalog_oid)
		valid = false;
}

static Oid
catalog_relation(void)
{
	Oid			schema = get_namespace_oid("dynamo_internal", true);

	return OidIsValid(schema) ? get_relname_relid("change_segments", schema) : InvalidOid;
}

static int64
int_column(HeapTuple tuple, TupleDesc descriptor, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, column, descriptor, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

static void
take_segment(HeapTuple tuple, TupleDesc descriptor)
{
	DynSegment *segment;
	bool		isnull;

	if (nsegments == room)
	{
		room = Max(32, room * 2);
		segments = segments == NULL ?
			MemoryContextAlloc(TopMemoryContext, room * sizeof(DynSegment)) :
			repalloc(segments, room * sizeof(DynSegment));
	}
	segment = &segments[nsegments++];
	segment->id = DatumGetInt32(heap_getattr(tuple, COLUMN_ID, descriptor, &isnull));
	segment->relation = DatumGetObjectId(heap_getattr(tuple, COLUMN_RELATION,
													  descriptor, &isnull));
	segment->first_number = int_column(tuple, descriptor, COLUMN_FIRST_NUMBER);
	segment->end_number = int_column(tuple, descriptor, COLUMN_END_NUMBER);
	segment->created = int_column(tuple, descriptor, COLUMN_CREATED);
	segment->sealed = int_column(tuple, descriptor, COLUMN_SEALED);
}

/* As for the table's descriptors: always the state of now. */
static void
read_segments(void)
{
	Relation	catalog;
	Relation	index;
	SysScanDesc scan;
	HeapTuple	tuple;

	nsegments = 0;
	catalog_oid = catalog_relation();
	if (!OidIsValid(catalog_oid) ||
		(catalog = try_relation_open(catalog_oid, AccessShareLock)) == NULL)
		return;
	index = index_open(dyn_primary_key_index(catalog), AccessShareLock);

	/* What changes from here on makes it invalid again. */
	valid = true;
	scan = systable_beginscan_ordered(catalog, index, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
		take_segment(tuple, RelationGetDescr(catalog));
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	relation_close(catalog, AccessShareLock);

	/* A server upgrade has begun a new timeline at 1. */
	if (nsegments > 0)
		dyn_change_number_reach(segments[nsegments - 1].first_number);
}

const DynSegment *
dyn_segments(int *count)
{
	static bool registered = false;

	if (!registered)
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	registered = true;
	while (!valid)
	{
		read_segments();
		if (!OidIsValid(catalog_oid))
			break;
	}
	*count = nsegments;
	return segments;
}

static const DynSegment *
newest_segment(void)
{
	int			count;
	const DynSegment *all = dyn_segments(&count);

	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the change log has no segment")));
	return &all[count - 1];
}

static Oid
index_of(Relation heap)
{
	List	   *indexes = RelationGetIndexList(heap);
	Oid			index = indexes == NIL ? InvalidOid : linitial_oid(indexes);

	list_free(indexes);
	if (!OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation \"%s\" has no index", RelationGetRelationName(heap))));
	return index;
}

void
dyn_segment_open_newest(Relation *heap, Relation *index)
{
	Oid			relation = newest_segment()->relation;

	/*
	 * Whoever has the lock of the newest one now, keeps it from being sealed;
	 * who asks for it later than the next one was made is told of that here.
	 */
	for (;;)
	{
		LockRelationOid(relation, RowExclusiveLock);
		if (newest_segment()->relation == relation)
			break;
		UnlockRelationOid(relation, RowExclusiveLock);
		relation = newest_segment()->relation;
	}
	*heap = relation_open(relation, NoLock);
	*index = relation_open(index_of(*heap), RowExclusiveLock);
}

bool
dyn_segment_open(const DynSegment *segment, Relation *heap, Relation *index)
{
	*heap = try_relation_open(segment->relation, AccessShareLock);
	if (*heap == NULL)
		return false;
	*index = relation_open(index_of(*heap), AccessShareLock);
	return true;
}

bool
dyn_change_log_exists(void)
{
	int			count;

	(void) dyn_segments(&count);
	return count > 0;
}

int64
dyn_change_log_oldest(void)
{
	int			count;
	const DynSegment *all = dyn_segments(&count);

	return count == 0 ? PG_INT64_MAX : all[0].first_number;
}

/* ----- upkeep ----- */

static void
run(const char *statement, int nargs, Oid *types, Datum *values)
{
	SPI_connect();
	dyn_catalog_execute(statement, nargs, types, values);
	SPI_finish();
	CommandCounterIncrement();
}

/* One at a time; to the end of the transaction. */
static void
lock_catalog(void)
{
	LockRelationOid(catalog_relation(), ShareUpdateExclusiveLock);
}

static ObjectAddress
address_of(Oid class, Oid object)
{
	ObjectAddress address;

	ObjectAddressSet(address, class, object);
	return address;
}

static void
create_segment(void)
{
	Oid			schema = get_namespace_oid("dynamo_internal", false);
	ObjectAddress relation;
	ObjectAddress extension = address_of(ExtensionRelationId,
										 get_extension_oid("dynamo", false));
	Oid			types[] = {OIDOID, INT8OID};
	Datum		values[2];
	char	   *name;
	int			n = 0;

#ifdef USE_LZ4
	const char *compression = " COMPRESSION lz4";
#else
	const char *compression = "";
#endif

	do
		name = psprintf("change_log_%d", ++n);
	while (OidIsValid(get_relname_relid(name, schema)));

	/* An image of up to a page stays with its change, as items do. */
	run(psprintf("CREATE TABLE dynamo_internal.%s (shard int8 NOT NULL,"
				 " number int8 NOT NULL, time timestamptz NOT NULL, event \"char\" NOT NULL,"
				 " keys dynamo.item%s, old_item dynamo.item%s, new_item dynamo.item%s)"
				 " WITH (toast_tuple_target = 8160, autovacuum_enabled = false,"
				 " toast.autovacuum_enabled = false)",
				 name, compression, compression, compression), 0, NULL, NULL);
	run(psprintf("CREATE UNIQUE INDEX ON dynamo_internal.%s (shard, number)", name),
		0, NULL, NULL);
	run(psprintf("REVOKE ALL ON dynamo_internal.%s FROM PUBLIC", name), 0, NULL, NULL);
	relation = address_of(RelationRelationId, get_relname_relid(name, schema));
	recordDependencyOn(&relation, &extension, DEPENDENCY_EXTENSION);

	values[0] = ObjectIdGetDatum(relation.objectId);
	values[1] = Int64GetDatum(dyn_change_number_next());
	run("INSERT INTO dynamo_internal.change_segments (relation, first_number, created)"
		" VALUES ($1, $2, clock_timestamp())", 2, types, values);
}

void
dyn_change_log_require(void)
{
	if (dyn_change_log_exists())
		return;
	lock_catalog();
	if (!dyn_change_log_exists())
		create_segment();
}

static int64
size_of(Oid oid)
{
	Relation	relation = try_relation_open(oid, AccessShareLock);
	int64		size;

	if (relation == NULL)
		return 0;
	size = (int64) RelationGetNumberOfBlocks(relation) * BLCKSZ;
	size += size_of(relation->rd_rel->reltoastrelid);
	if (relation->rd_rel->relkind == RELKIND_RELATION)
	{
		List	   *indexes = RelationGetIndexList(relation);
		ListCell   *cell;

		foreach(cell, indexes)
		{
			Relation	index = relation_open(lfirst_oid(cell), AccessShareLock);

			size += (int64) RelationGetNumberOfBlocks(index) * BLCKSZ;
			relation_close(index, AccessShareLock);
		}
		list_free(indexes);
	}
	relation_close(relation, AccessShareLock);
	return size;
}

static bool
is_empty(Oid oid)
{
	Relation	relation = relation_open(oid, AccessShareLock);
	bool		result = RelationGetNumberOfBlocks(relation) == 0;

	relation_close(relation, AccessShareLock);
	return result;
}

bool
dyn_change_log_rotate(int64 age_us, int64 size)
{
	const DynSegment *newest;

	lock_catalog();
	newest = newest_segment();
	if (is_empty(newest->relation) ||
		(newest->created + age_us > GetCurrentTimestamp() &&
		 size_of(newest->relation) < size &&
		 dyn_change_number_same_timeline(newest->first_number)))
		return false;
	create_segment();
	return true;
}

bool
dyn_change_log_seal(void)
{
	int			count;
	const DynSegment *all = dyn_segments(&count);
	bool		any = false;

	for (int i = 0; i < count - 1; i++)
	{
		Oid			types[] = {INT4OID, INT8OID};
		Datum		values[2];

		if (all[i].end_number != 0)
			continue;

		/* Whoever wrote to it has it locked to the end of the transaction. */
		if (!ConditionalLockRelationOid(all[i].relation, ShareLock))
			continue;
		values[0] = Int32GetDatum(all[i].id);
		values[1] = Int64GetDatum(dyn_change_number_next());
		run("UPDATE dynamo_internal.change_segments"
			" SET end_number = $2, sealed = clock_timestamp() WHERE id = $1",
			2, types, values);
		any = true;
		all = dyn_segments(&count);
	}
	return any;
}

bool
dyn_change_log_drop(TimestampTz ended, int64 limit)
{
	int			count;
	const DynSegment *all = dyn_segments(&count);
	const DynSegment *oldest = all;
	bool		too_large = false;
	ObjectAddress address;
	Oid			types[] = {INT4OID, INT4OID, INT8OID};
	Datum		values[3];
	int64		size = 0;
	const char *name;

	for (int i = 0; i < count; i++)
		size += size_of(all[i].relation);
	if (dyn_shared != NULL)
		pg_atomic_write_u64(&dyn_shared->metrics.change_log_bytes, size);
	if (count < 2 || oldest->end_number == 0)
		return false;
	if (oldest->sealed >= ended)
	{
		too_large = limit > 0 && size > limit;
		if (!too_large)
			return false;
	}

	/* Somebody may be reading it: the next time, then. */
	if (!ConditionalLockRelationOid(oldest->relation, AccessExclusiveLock))
		return false;
	if (too_large && dyn_shared != NULL)
		pg_atomic_fetch_add_u64(&dyn_shared->metrics.segments_dropped_early, 1);
	if (too_large)
		ereport(WARNING,
				(errmsg("the change log is larger than dynamo.change_log_limit: its oldest changes, which streams should still have, are dropped"),
				 errdetail("It has %lld MB; what is dropped was written since %s.",
						   (long long) (size / (1024 * 1024)),
						   timestamptz_to_str(oldest->created)),
				 errhint("Consumers of streams that have not read it get TrimmedDataAccessException. Raise the limit if there is room.")));
	name = get_rel_name(oldest->relation);
	values[0] = Int32GetDatum(oldest->id);
	values[1] = Int32GetDatum(all[1].id);
	values[2] = Int64GetDatum(oldest->end_number);
	address = address_of(RelationRelationId, oldest->relation);

	/* Where they overlap, what the next one has is not all there was. */
	run("WITH oldest AS (DELETE FROM dynamo_internal.change_segments WHERE id = $1)"
		" UPDATE dynamo_internal.change_segments"
		" SET first_number = greatest(first_number, $3) WHERE id = $2", 3, types, values);
	if (name != NULL)
	{
		deleteDependencyRecordsForClass(RelationRelationId, address.objectId,
										ExtensionRelationId, DEPENDENCY_EXTENSION);
		CommandCounterIncrement();
		run(psprintf("DROP TABLE dynamo_internal.%s", name), 0, NULL, NULL);
	}
	return true;
}
