/*-------------------------------------------------------------------------
 *
 * catalog.h
 *		The catalogs dynamo.tables, dynamo.indexes and dynamo.streams, for who reads
 *		and writes them directly.
 *
 * src/table/catalog.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_CATALOG_H
#define DYN_CATALOG_H

#include "access/htup.h"
#include "access/tupdesc.h"

#include "table/table.h"

/* Columns of dynamo.tables, in the order of its definition. */
typedef enum DynCatalogColumn
{
	DYN_CATALOG_NAME = 1,
	DYN_CATALOG_RELATION,
	DYN_CATALOG_TABLE_ID,
	DYN_CATALOG_CREATED,
	DYN_CATALOG_PARTITION_KEY,
	DYN_CATALOG_PARTITION_TYPE,
	DYN_CATALOG_SORT_KEY,
	DYN_CATALOG_SORT_TYPE,
	DYN_CATALOG_BILLING_MODE,
	DYN_CATALOG_READ_UNITS,
	DYN_CATALOG_WRITE_UNITS,
	DYN_CATALOG_ON_DEMAND_SINCE,
	DYN_CATALOG_LAST_INCREASE,
	DYN_CATALOG_LAST_DECREASE,
	DYN_CATALOG_DECREASES_TODAY,
	DYN_CATALOG_DELETION_PROTECTION,
	DYN_CATALOG_TABLE_CLASS,
	DYN_CATALOG_CLASS_CHANGED,
	DYN_CATALOG_CLASS_CHANGED_BEFORE,
	DYN_CATALOG_MAX_READ_UNITS,
	DYN_CATALOG_MAX_WRITE_UNITS,
	DYN_CATALOG_WARM_READ_UNITS,
	DYN_CATALOG_WARM_WRITE_UNITS,
	DYN_CATALOG_TIME_TO_LIVE_CHANGED,
	DYN_CATALOG_SEALING,
	DYN_CATALOG_DATA_KEY,
	DYN_CATALOG_MASTER_KEY
} DynCatalogColumn;

#define DYN_CATALOG_COLUMNS DYN_CATALOG_MASTER_KEY

/* Columns of dynamo.indexes, in the order of its definition. */
typedef enum DynIndexCatalogColumn
{
	DYN_INDEX_CATALOG_TABLE = 1,
	DYN_INDEX_CATALOG_NAME,
	DYN_INDEX_CATALOG_KIND,
	DYN_INDEX_CATALOG_SLOT,
	DYN_INDEX_CATALOG_PARTITION_KEYS,
	DYN_INDEX_CATALOG_PARTITION_TYPES,
	DYN_INDEX_CATALOG_SORT_KEYS,
	DYN_INDEX_CATALOG_SORT_TYPES,
	DYN_INDEX_CATALOG_PROJECTION,
	DYN_INDEX_CATALOG_NON_KEY_ATTRIBUTES,
	DYN_INDEX_CATALOG_STATUS,
	DYN_INDEX_CATALOG_BACKFILLING,
	DYN_INDEX_CATALOG_CREATED,
	DYN_INDEX_CATALOG_READ_UNITS,
	DYN_INDEX_CATALOG_WRITE_UNITS,
	DYN_INDEX_CATALOG_LAST_INCREASE,
	DYN_INDEX_CATALOG_LAST_DECREASE,
	DYN_INDEX_CATALOG_DECREASES_TODAY,
	DYN_INDEX_CATALOG_MAX_READ_UNITS,
	DYN_INDEX_CATALOG_MAX_WRITE_UNITS,
	DYN_INDEX_CATALOG_WARM_READ_UNITS,
	DYN_INDEX_CATALOG_WARM_WRITE_UNITS
} DynIndexCatalogColumn;

#define DYN_INDEX_CATALOG_COLUMNS DYN_INDEX_CATALOG_WARM_WRITE_UNITS

/* Columns of dynamo.streams, in the order of its definition. */
typedef enum DynStreamCatalogColumn
{
	DYN_STREAM_CATALOG_ID = 1,
	DYN_STREAM_CATALOG_TABLE,
	DYN_STREAM_CATALOG_TABLE_ID,
	DYN_STREAM_CATALOG_LABEL,
	DYN_STREAM_CATALOG_VIEW,
	DYN_STREAM_CATALOG_SHARDS,
	DYN_STREAM_CATALOG_PARTITION_KEY,
	DYN_STREAM_CATALOG_SORT_KEY,
	DYN_STREAM_CATALOG_OWNER,
	DYN_STREAM_CATALOG_CREATED,
	DYN_STREAM_CATALOG_DISABLED,
	DYN_STREAM_CATALOG_NOTIFY
} DynStreamCatalogColumn;

#define DYN_STREAM_CATALOG_COLUMNS DYN_STREAM_CATALOG_NOTIFY

/* Columns of dynamo.resource_policies, in the order of its definition. */
typedef enum DynPolicyCatalogColumn
{
	DYN_POLICY_CATALOG_TABLE = 1,
	DYN_POLICY_CATALOG_STREAM_LABEL,
	DYN_POLICY_CATALOG_DOCUMENT,
	DYN_POLICY_CATALOG_REVISION_ID
} DynPolicyCatalogColumn;

#define DYN_POLICY_CATALOG_COLUMNS DYN_POLICY_CATALOG_REVISION_ID

/* Of any of the catalogs read here. */
#define DYN_CATALOG_MAX_COLUMNS \
	Max((int) DYN_CATALOG_COLUMNS, (int) DYN_INDEX_CATALOG_COLUMNS)

/* In the order of DynTableClass, DynIndexKind, DynIndexStatus and DynProjectionType. */
extern const char *const dyn_table_class_names[];
extern const char *const dyn_index_kind_names[];
extern const char *const dyn_index_status_names[];
extern const char *const dyn_projection_names[];

/* Relation dynamo.tables, indexes, streams or resource_policies; InvalidOid without the extension. */
extern Oid	dyn_catalog_relation(void);
extern Oid	dyn_index_catalog_relation(void);
extern Oid	dyn_stream_catalog_relation(void);
extern Oid	dyn_policy_catalog_relation(void);

/* What a row of dynamo.streams says, in CurrentMemoryContext. */
extern void dyn_catalog_take_stream(HeapTuple tuple, TupleDesc descriptor,
									DynStream *stream);

/*
 * A descriptor of the table called name as it is now, all of it in
 * CurrentMemoryContext.  False if there is none.
 */
extern bool dyn_catalog_read(const char *name, DynTable *table);

/* See dyn_table_names(). */
extern List *dyn_catalog_names(const char *start, int limit, bool visible_only);

/* Whose the catalog is, and the schema of the tables' relations. */
extern Oid	dyn_catalog_owner(void);

/*
 * Run a statement as the catalog's owner, connected to SPI; and one that
 * changes what the catalog says of a table: it takes the relation's owner.
 * $1 is the table's name, for which room is left in types and values.  Raises
 * ResourceNotFoundException if no row is processed.
 */
extern void dyn_catalog_execute(const char *statement, int nargs, Oid *types,
								Datum *values);
extern void dyn_catalog_change(const DynTable *table, const char *statement,
							   int nargs, Oid *types, Datum *values);

/* The name of the table a relation belongs to, or NULL. */
extern char *dyn_catalog_name_of_relation(Oid relation);

/* The relation of the table of an id, or InvalidOid. */
extern Oid	dyn_catalog_relation_of_id(const pg_uuid_t *table_id);

#endif							/* DYN_CATALOG_H */
