/*-------------------------------------------------------------------------
 *
 * catalog.c
 *		Reading the catalogs dynamo.tables, dynamo.indexes and dynamo.streams.
 *
 * Always as it is now, whatever snapshot the transaction has: what is read
 * here outlives the transaction, and only changes to come will invalidate it.
 *
 * src/table/catalog.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "table/catalog.h"

/* One row, taken apart. */
typedef struct Row
{
	Datum		values[DYN_CATALOG_MAX_COLUMNS];
	bool		nulls[DYN_CATALOG_MAX_COLUMNS];
} Row;

const char *const dyn_table_class_names[] = {"STANDARD", "STANDARD_INFREQUENT_ACCESS", NULL};
const char *const dyn_index_kind_names[] = {"LOCAL", "GLOBAL", "TIME_TO_LIVE", NULL};
const char *const dyn_index_status_names[] = {"CREATING", "ACTIVE", "DELETING", NULL};
const char *const dyn_stream_view_names[] = {"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", NULL};
static const char *const sealing_names[] = {"OFF", "ENABLING", "ENABLED", "DISABLING", NULL};
const char *const dyn_projection_names[] = {"ALL", "KEYS_ONLY", "INCLUDE", NULL};

static Oid
own_relation(const char *name)
{
	Oid			schema = get_namespace_oid("dynamo", true);

	return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

Oid
dyn_catalog_relation(void)
{
	return own_relation("tables");
}

Oid
dyn_index_catalog_relation(void)
{
	return own_relation("indexes");
}

Oid
dyn_stream_catalog_relation(void)
{
	return own_relation("streams");
}

Oid
dyn_policy_catalog_relation(void)
{
	return own_relation("resource_policies");
}

static void
take_row(HeapTuple tuple, TupleDesc descriptor, int ncolumns, Row *row)
{
	for (int i = 0; i < ncolumns; i++)
		row->values[i] = heap_getattr(tuple, i + 1, descriptor, &row->nulls[i]);
}

/*
 * Find a row by key, which is on column number, and have take() copy what it
 * wants of it.
 */
static bool
find_row(DynCatalogColumn number, RegProcedure equal, Datum value, bool by_name,
		 void (*take) (const Row *row, void *arg), void *arg)
{
	Oid			oid = dyn_catalog_relation();
	Relation	catalog;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	if (!OidIsValid(oid) ||
		(catalog = try_relation_open(oid, AccessShareLock)) == NULL)
		return false;
	ScanKeyInit(&key, number, BTEqualStrategyNumber, equal, value);

	/* The column's collation is "C", as ScanKeyInit() supposes. */
	scan = systable_beginscan(catalog,
							  by_name ? RelationGetPrimaryKeyIndex(catalog) : InvalidOid,
							  by_name, NULL, 1, &key);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
	{
		Row			row;

		take_row(tuple, RelationGetDescr(catalog), DYN_CATALOG_COLUMNS, &row);
		take(&row, arg);
	}
	systable_endscan(scan);
	relation_close(catalog, AccessShareLock);
	return found;
}

/* Text in UTF-8, as all of ours; NULL for NULL. */
static char *
text_column(const Row *row, int number)
{
	char	   *value;

	if (row->nulls[number - 1])
		return NULL;
	value = TextDatumGetCString(row->values[number - 1]);
	return pg_server_to_any(value, strlen(value), PG_UTF8);
}

/* int8 and timestamptz: 0 for NULL. */
static int64
int_column(const Row *row, int number)
{
	return row->nulls[number - 1] ? 0 : DatumGetInt64(row->values[number - 1]);
}

/* Two columns that stand side by side. */
static DynUnits
units_columns(const Row *row, int number)
{
	DynUnits	units = {int_column(row, number), int_column(row, number + 1)};

	return units;
}

static int
enum_column(const Row *row, int number, const char *const *names)
{
	const char *value = text_column(row, number);

	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], value) == 0)
			return i;
	elog(ERROR, "unrecognized word in the catalog: %s", value);
}

static void
key_columns(const Row *row, DynCatalogColumn number, DynKeyAttribute *attribute)
{
	char	   *type = text_column(row, number + 1);

	attribute->name = text_column(row, number);
	if (attribute->name == NULL)
		return;
	attribute->name_len = strlen(attribute->name);
	attribute->type = dyn_type_from_name(type, strlen(type));
}

static void
take_table(const Row *row, void *arg)
{
	DynTable   *table = arg;

	table->name = text_column(row, DYN_CATALOG_NAME);
	table->relation = DatumGetObjectId(row->values[DYN_CATALOG_RELATION - 1]);
	key_columns(row, DYN_CATALOG_PARTITION_KEY, &table->schema.partition);
	key_columns(row, DYN_CATALOG_SORT_KEY, &table->schema.sort);
	table->table_id = *DatumGetUUIDP(row->values[DYN_CATALOG_TABLE_ID - 1]);
	table->created = int_column(row, DYN_CATALOG_CREATED);
	table->billing_mode =
		strcmp(text_column(row, DYN_CATALOG_BILLING_MODE), "PROVISIONED") == 0 ?
		DYN_BILLING_PROVISIONED : DYN_BILLING_PAY_PER_REQUEST;
	table->read_units = int_column(row, DYN_CATALOG_READ_UNITS);
	table->write_units = int_column(row, DYN_CATALOG_WRITE_UNITS);
	table->on_demand_since = int_column(row, DYN_CATALOG_ON_DEMAND_SINCE);
	table->last_increase = int_column(row, DYN_CATALOG_LAST_INCREASE);
	table->last_decrease = int_column(row, DYN_CATALOG_LAST_DECREASE);
	table->decreases_today =
		DatumGetInt32(row->values[DYN_CATALOG_DECREASES_TODAY - 1]);
	table->deletion_protection =
		DatumGetBool(row->values[DYN_CATALOG_DELETION_PROTECTION - 1]);
	table->table_class = enum_column(row, DYN_CATALOG_TABLE_CLASS, dyn_table_class_names);
	table->class_changed = int_column(row, DYN_CATALOG_CLASS_CHANGED);
	table->class_changed_before = int_column(row, DYN_CATALOG_CLASS_CHANGED_BEFORE);
	table->max_units = units_columns(row, DYN_CATALOG_MAX_READ_UNITS);
	table->warm_units = units_columns(row, DYN_CATALOG_WARM_READ_UNITS);
	table->time_to_live_changed = int_column(row, DYN_CATALOG_TIME_TO_LIVE_CHANGED);
	if (!row->nulls[DYN_CATALOG_SEALING - 1])
		table->sealing = enum_column(row, DYN_CATALOG_SEALING, sealing_names);
	table->data_key = int_column(row, DYN_CATALOG_DATA_KEY);
	table->master_key = text_column(row, DYN_CATALOG_MASTER_KEY);
}

/* Is the index what the store looks keys up by? */
static bool
is_key_index(Oid index, bool has_sort)
{
	HeapTuple	class_tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	bool		result = false;

	if (HeapTupleIsValid(class_tuple) && HeapTupleIsValid(tuple))
	{
		Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);

		result = form->indisunique && form->indisvalid && form->indimmediate &&
			((Form_pg_class) GETSTRUCT(class_tuple))->relam ==
			get_index_am_oid("dynamo_key", true) &&
			heap_attisnull(tuple, Anum_pg_index_indpred, NULL) &&
			form->indnkeyatts == (has_sort ? 3 : 2) &&
			form->indkey.values[0] == DYN_ATTNUM_HASH &&
			form->indkey.values[1] == DYN_ATTNUM_PARTITION &&
			(!has_sort || form->indkey.values[2] == DYN_ATTNUM_SORT);
	}
	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	if (HeapTupleIsValid(class_tuple))
		ReleaseSysCache(class_tuple);
	return result;
}

/*
 * Is it a column of this type, without NULLs if it must not have any?  A
 * relation's owner can change both, and who reads the column relies on them.
 */
static bool
is_column(Oid relation, AttrNumber number, Oid type, bool not_null)
{
	HeapTuple	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relation),
										Int16GetDatum(number));
	Form_pg_attribute column;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	column = (Form_pg_attribute) GETSTRUCT(tuple);
	result = !column->attisdropped && column->atttypid == type &&
		(column->attnotnull || !not_null);
	ReleaseSysCache(tuple);
	return result;
}

static bool
is_table_relation(Oid relation, bool has_sort)
{
	Oid			item_type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
											CStringGetDatum("item"),
											ObjectIdGetDatum(get_namespace_oid("dynamo", false)));

	if (get_rel_relkind(relation) != RELKIND_RELATION ||
		!is_column(relation, DYN_ATTNUM_HASH, INT8OID, true) ||
		!is_column(relation, DYN_ATTNUM_PARTITION, BYTEAOID, true) ||
		!is_column(relation, DYN_ATTNUM_SORT, BYTEAOID, has_sort) ||
		!is_column(relation, DYN_ATTNUM_ITEM, item_type, true))
		return false;
	for (int slot = 1; slot <= DYN_INDEX_SLOTS; slot++)
		if (!is_column(relation, DYN_ATTNUM_SLOT(slot), BYTEAOID, false))
			return false;
	return true;
}

/* The rows of a catalog that are about one relation; end with end_rows(). */
typedef struct CatalogRows
{
	Relation	catalog;
	SysScanDesc scan;
} CatalogRows;

static void
begin_rows(CatalogRows *rows, Oid catalog, Oid index, AttrNumber column, Oid relation)
{
	ScanKeyData key;

	ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
	rows->catalog = table_open(catalog, AccessShareLock);
	rows->scan = systable_beginscan(rows->catalog, index, true, NULL, 1, &key);
}

static void
end_rows(CatalogRows *rows)
{
	systable_endscan(rows->scan);
	table_close(rows->catalog, AccessShareLock);
}

/*
 * NULL if there is no such relation.  Not from a cache, which learns of a drop a
 * little later than the catalogs.
 */
static char *
name_of_relation(Oid relation)
{
	CatalogRows rows;
	HeapTuple	tuple;
	char	   *name = NULL;

	begin_rows(&rows, RelationRelationId, ClassOidIndexId, Anum_pg_class_oid, relation);
	tuple = systable_getnext(rows.scan);
	if (HeapTupleIsValid(tuple))
		name = pstrdup(NameStr(((Form_pg_class) GETSTRUCT(tuple))->relname));
	end_rows(&rows);
	return name;
}

/* As RelationGetIndexList() has them. */
static List *
indexes_of(Oid relation)
{
	CatalogRows rows;
	List	   *result = NIL;
	HeapTuple	tuple;

	begin_rows(&rows, IndexRelationId, IndexIndrelidIndexId, Anum_pg_index_indrelid,
			   relation);
	while (HeapTupleIsValid(tuple = systable_getnext(rows.scan)))
	{
		Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);

		if (form->indislive)
			result = lappend_oid(result, form->indexrelid);
	}
	end_rows(&rows);
	list_sort(result, list_oid_cmp);
	return result;
}

/*
 * Note the index's OID and state if it is one that the store can use for a slot:
 * dynamo_key on the slot's column alone, with entries for what is not null
 * there.  Of two the one that is valid counts, then the one that is ready.
 */
static void
take_slot_index(DynTable *table, Oid oid)
{
	HeapTuple	class_tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(oid));

	if (HeapTupleIsValid(class_tuple) && HeapTupleIsValid(tuple))
	{
		Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);

		for (int i = 0; i < table->nindexes; i++)
		{
			DynIndex   *index = &table->indexes[i];

			if (form->indnatts == 1 && !form->indisunique &&
				form->indkey.values[0] == DYN_ATTNUM_SLOT(index->slot) &&
				!heap_attisnull(tuple, Anum_pg_index_indpred, NULL) &&
				((Form_pg_class) GETSTRUCT(class_tuple))->relam ==
				get_index_am_oid("dynamo_key", true) &&
				(!OidIsValid(index->relation) ||
				 (form->indisvalid && !index->valid) ||
				 (form->indisready && !index->ready)))
			{
				index->relation = oid;
				index->ready = form->indisready;
				index->valid = form->indisvalid;
			}
		}
	}
	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	if (HeapTupleIsValid(class_tuple))
		ReleaseSysCache(class_tuple);
}

/*
 * Find the key index and those on slots.  The relation is looked at without a
 * lock: who uses the descriptor locks it, and looks again if it has changed
 * until then.  Nor is it opened, which needs one: a relation that is dropped
 * while somebody has it open is an error.  False if it is not there.
 */
static bool
take_relation(DynTable *table)
{
	ListCell   *cell;

	if (!is_table_relation(table->relation, table->schema.sort.name != NULL))
	{
		char	   *name = name_of_relation(table->relation);

		if (name == NULL)
			return false;
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation \"%s\" is not the relation of a DynamoDB table", name),
				 errdetail("Its first columns must be hash bigint, partition_key bytea, sort_key bytea, item dynamo.item, index_key_1 to index_key_%d bytea; hash, the keys and item NOT NULL.",
						   DYN_INDEX_SLOTS)));
	}
	foreach(cell, indexes_of(table->relation))
	{
		if (!OidIsValid(table->key_index) &&
			is_key_index(lfirst_oid(cell), table->schema.sort.name != NULL))
			table->key_index = lfirst_oid(cell);
		else if (table->nindexes > 0)
			take_slot_index(table, lfirst_oid(cell));
	}
	return true;
}

/* Elements of a text[] column, in UTF-8. */
static char **
text_array_column(const Row *row, int number, int *count)
{
	Datum	   *elements;
	char	  **result;

	deconstruct_array(DatumGetArrayTypeP(row->values[number - 1]), TEXTOID, -1,
					  false, TYPALIGN_INT, &elements, NULL, count);
	result = palloc(Max(*count, 1) * sizeof(char *));
	for (int i = 0; i < *count; i++)
	{
		char	   *value = TextDatumGetCString(elements[i]);

		result[i] = pg_server_to_any(value, strlen(value), PG_UTF8);
	}
	return result;
}

/* Key attributes from a column of names and the one of types behind it. */
static int
key_array_columns(const Row *row, int number, DynKeyAttribute *attributes)
{
	int			count;
	int			ntypes;
	char	  **names = text_array_column(row, number, &count);
	char	  **types = text_array_column(row, number + 1, &ntypes);

	if (count > DYN_MAX_INDEX_KEY_PARTS || ntypes != count)
		elog(ERROR, "invalid key schema in dynamo.indexes");
	for (int i = 0; i < count; i++)
	{
		attributes[i].name = names[i];
		attributes[i].name_len = strlen(names[i]);
		attributes[i].type = dyn_type_from_name(types[i], strlen(types[i]));
	}
	return count;
}

static int
compare_names(const void *a, const void *b)
{
	const DynAttributeName *left = a;
	const DynAttributeName *right = b;
	int			cmp = memcmp(left->name, right->name,
							 Min(left->name_len, right->name_len));

	return cmp != 0 ? cmp : (int) left->name_len - (int) right->name_len;
}

static void
project(DynIndex *index, const char *name, uint32 name_len)
{
	DynAttributeName attribute = {name, name_len};

	for (int i = 0; i < index->nprojected; i++)
		if (compare_names(&index->projected[i], &attribute) == 0)
			return;
	index->projected[index->nprojected++] = attribute;
}

static void
take_projection(const DynTable *table, DynIndex *index)
{
	const DynIndexDefinition *definition = &index->definition;

	if (definition->projection == DYN_PROJECT_ALL)
		return;
	index->projected = palloc((2 + 2 * DYN_MAX_INDEX_KEY_PARTS + definition->nincluded) *
							  sizeof(DynAttributeName));
	project(index, table->schema.partition.name, table->schema.partition.name_len);
	if (table->schema.sort.name != NULL)
		project(index, table->schema.sort.name, table->schema.sort.name_len);
	for (int i = 0; i < definition->schema.npartition; i++)
		project(index, definition->schema.partition[i].name,
				definition->schema.partition[i].name_len);
	for (int i = 0; i < definition->schema.nsort; i++)
		project(index, definition->schema.sort[i].name,
				definition->schema.sort[i].name_len);
	for (int i = 0; i < definition->nincluded; i++)
		project(index, definition->included[i].name,
				definition->included[i].name_len);
	qsort(index->projected, index->nprojected, sizeof(DynAttributeName),
		  compare_names);
}

static void
take_index(const Row *row, const DynTable *table, DynIndex *index)
{
	DynIndexDefinition *definition = &index->definition;
	char	  **included;

	memset(index, 0, sizeof(DynIndex));
	definition->name = text_column(row, DYN_INDEX_CATALOG_NAME);
	definition->kind = enum_column(row, DYN_INDEX_CATALOG_KIND, dyn_index_kind_names);
	definition->schema.npartition =
		key_array_columns(row, DYN_INDEX_CATALOG_PARTITION_KEYS,
						  definition->schema.partition);
	definition->schema.nsort =
		key_array_columns(row, DYN_INDEX_CATALOG_SORT_KEYS, definition->schema.sort);
	definition->projection = enum_column(row, DYN_INDEX_CATALOG_PROJECTION,
										 dyn_projection_names);
	included = text_array_column(row, DYN_INDEX_CATALOG_NON_KEY_ATTRIBUTES,
								 &definition->nincluded);
	definition->included = palloc(Max(definition->nincluded, 1) *
								  sizeof(DynAttributeName));
	for (int i = 0; i < definition->nincluded; i++)
	{
		definition->included[i].name = included[i];
		definition->included[i].name_len = strlen(included[i]);
	}
	definition->read_units = int_column(row, DYN_INDEX_CATALOG_READ_UNITS);
	definition->write_units = int_column(row, DYN_INDEX_CATALOG_WRITE_UNITS);
	definition->max_units = units_columns(row, DYN_INDEX_CATALOG_MAX_READ_UNITS);
	definition->warm_units = units_columns(row, DYN_INDEX_CATALOG_WARM_READ_UNITS);

	index->slot = DatumGetInt32(row->values[DYN_INDEX_CATALOG_SLOT - 1]);
	index->status = enum_column(row, DYN_INDEX_CATALOG_STATUS, dyn_index_status_names);
	index->backfilling = DatumGetBool(row->values[DYN_INDEX_CATALOG_BACKFILLING - 1]);
	index->created = int_column(row, DYN_INDEX_CATALOG_CREATED);
	index->last_increase = int_column(row, DYN_INDEX_CATALOG_LAST_INCREASE);
	index->last_decrease = int_column(row, DYN_INDEX_CATALOG_LAST_DECREASE);
	index->decreases_today =
		DatumGetInt32(row->values[DYN_INDEX_CATALOG_DECREASES_TODAY - 1]);
	take_projection(table, index);
}

static void
take_indexes(DynTable *table)
{
	Oid			oid = dyn_index_catalog_relation();
	Relation	catalog;
	Relation	primary_key;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (!OidIsValid(oid) ||
		(catalog = try_relation_open(oid, AccessShareLock)) == NULL)
		return;
	table->indexes = palloc(DYN_INDEX_SLOTS * sizeof(DynIndex));
	primary_key = index_open(RelationGetPrimaryKeyIndex(catalog), AccessShareLock);
	ScanKeyInit(&key, DYN_INDEX_CATALOG_TABLE, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(table->name));
	scan = systable_beginscan_ordered(catalog, primary_key, NULL, 1, &key);
	while (table->nindexes < DYN_INDEX_SLOTS &&
		   HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		Row			row;

		take_row(tuple, RelationGetDescr(catalog), DYN_INDEX_CATALOG_COLUMNS, &row);
		take_index(&row, table, &table->indexes[table->nindexes++]);
	}
	systable_endscan_ordered(scan);
	index_close(primary_key, AccessShareLock);
	relation_close(catalog, AccessShareLock);
}

void
dyn_catalog_take_stream(HeapTuple tuple, TupleDesc descriptor, DynStream *stream)
{
	Row			row;

	take_row(tuple, descriptor, DYN_STREAM_CATALOG_COLUMNS, &row);
	stream->id = DatumGetInt32(row.values[DYN_STREAM_CATALOG_ID - 1]);
	stream->enabled = row.nulls[DYN_STREAM_CATALOG_DISABLED - 1];
	stream->view = enum_column(&row, DYN_STREAM_CATALOG_VIEW, dyn_stream_view_names);
	stream->nshards = DatumGetInt32(row.values[DYN_STREAM_CATALOG_SHARDS - 1]);
	stream->label = text_column(&row, DYN_STREAM_CATALOG_LABEL);
}

/* The latest stream of the table; there may be some of others of its name. */
static void
take_latest_stream(DynTable *table)
{
	Oid			oid = dyn_stream_catalog_relation();
	Relation	catalog;
	Relation	index;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (!OidIsValid(oid) ||
		(catalog = try_relation_open(oid, AccessShareLock)) == NULL)
		return;
	index = index_open(own_relation("streams_table_name_label_key"), AccessShareLock);
	ScanKeyInit(&key, DYN_STREAM_CATALOG_TABLE, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(table->name));
	scan = systable_beginscan_ordered(catalog, index, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, BackwardScanDirection)))
	{
		bool		isnull;
		Datum		id = heap_getattr(tuple, DYN_STREAM_CATALOG_TABLE_ID,
									  RelationGetDescr(catalog), &isnull);

		if (memcmp(DatumGetUUIDP(id), &table->table_id, sizeof(pg_uuid_t)) != 0)
			continue;
		dyn_catalog_take_stream(tuple, RelationGetDescr(catalog), &table->stream);
		break;
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	relation_close(catalog, AccessShareLock);
}

static void
take_policy(const Row *row, const DynTable *table, DynResourcePolicy *policy)
{
	const char *problem;

	policy->stream_label = text_column(row, DYN_POLICY_CATALOG_STREAM_LABEL);
	policy->document = text_column(row, DYN_POLICY_CATALOG_DOCUMENT);
	policy->revision_id = text_column(row, DYN_POLICY_CATALOG_REVISION_ID);
	policy->policy.name = "resource policy";
	policy->policy.attached_to = policy->stream_label[0] == '\0' ?
		dyn_table_arn(table->name) : dyn_stream_arn(table->name, policy->stream_label);
	policy->policy.policy = dyn_policy_parse(policy->document, strlen(policy->document),
											 DYN_POLICY_RESOURCE, &problem);

	/* Nothing is allowed while it is not known what is denied. */
	if (policy->policy.policy == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the resource policy of \"%s\" is not valid: %s",
						policy->policy.attached_to, problem)));
}

static void
take_policies(DynTable *table)
{
	Oid			oid = dyn_policy_catalog_relation();
	int			room = 0;
	Relation	catalog;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (!OidIsValid(oid) ||
		(catalog = try_relation_open(oid, AccessShareLock)) == NULL)
		return;
	ScanKeyInit(&key, DYN_POLICY_CATALOG_TABLE, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(table->name));
	scan = systable_beginscan(catalog, RelationGetPrimaryKeyIndex(catalog), true, NULL,
							  1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Row			row;

		if (table->npolicies == room)
		{
			room = Max(2, 2 * room);
			table->policies = table->policies == NULL ?
				palloc(room * sizeof(DynResourcePolicy)) :
				repalloc(table->policies, room * sizeof(DynResourcePolicy));
		}
		take_row(tuple, RelationGetDescr(catalog), DYN_POLICY_CATALOG_COLUMNS, &row);
		take_policy(&row, table, &table->policies[table->npolicies++]);
	}
	systable_endscan(scan);
	relation_close(catalog, AccessShareLock);
}

bool
dyn_catalog_read(const char *name, DynTable *table)
{
	memset(table, 0, sizeof(DynTable));
	if (!find_row(DYN_CATALOG_NAME, F_TEXTEQ, CStringGetTextDatum(name), true,
				  take_table, table))
		return false;
	take_indexes(table);
	take_latest_stream(table);
	take_policies(table);
	return take_relation(table);
}

List *
dyn_catalog_names(const char *start, int limit, bool visible_only)
{
	Oid			oid = dyn_catalog_relation();
	List	   *names = NIL;
	Relation	catalog;
	Relation	index;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (!OidIsValid(oid) ||
		(catalog = try_relation_open(oid, AccessShareLock)) == NULL)
		return NIL;
	index = index_open(RelationGetPrimaryKeyIndex(catalog), AccessShareLock);
	ScanKeyInit(&key, DYN_CATALOG_NAME, BTGreaterStrategyNumber, F_TEXT_GT,
				CStringGetTextDatum(start == NULL ? "" : start));
	scan = systable_beginscan_ordered(catalog, index, NULL, 1, &key);
	while (list_length(names) < limit &&
		   HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		Row			row;

		CHECK_FOR_INTERRUPTS();
		take_row(tuple, RelationGetDescr(catalog), DYN_CATALOG_RELATION, &row);
		if (!visible_only ||
			dyn_relation_is_visible(DatumGetObjectId(row.values[DYN_CATALOG_RELATION - 1])))
			names = lappend(names,
							TextDatumGetCString(row.values[DYN_CATALOG_NAME - 1]));
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	relation_close(catalog, AccessShareLock);
	return names;
}

static void
take_name(const Row *row, void *arg)
{
	*(char **) arg = text_column(row, DYN_CATALOG_NAME);
}

char *
dyn_catalog_name_of_relation(Oid relation)
{
	char	   *name = NULL;

	find_row(DYN_CATALOG_RELATION, F_OIDEQ, ObjectIdGetDatum(relation), false,
			 take_name, &name);
	return name;
}

static void
take_relation_oid(const Row *row, void *arg)
{
	*(Oid *) arg = DatumGetObjectId(row->values[DYN_CATALOG_RELATION - 1]);
}

Oid
dyn_catalog_relation_of_id(const pg_uuid_t *table_id)
{
	Oid			relation = InvalidOid;

	find_row(DYN_CATALOG_TABLE_ID, F_UUID_EQ, UUIDPGetDatum(table_id), false,
			 take_relation_oid, &relation);
	return relation;
}
