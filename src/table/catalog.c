/*-------------------------------------------------------------------------
 *
 * catalog.c
 *		Reading the catalog dynamo.tables.
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
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "commands/trigger.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "table/catalog.h"

PG_FUNCTION_INFO_V1(dynamo_invalidate_tables);

/* One row, taken apart. */
typedef struct Row
{
	Datum		values[DYN_CATALOG_COLUMNS];
	bool		nulls[DYN_CATALOG_COLUMNS];
} Row;

Oid
dyn_catalog_relation(void)
{
	Oid			schema = get_namespace_oid("dynamo", true);

	return OidIsValid(schema) ? get_relname_relid("tables", schema) : InvalidOid;
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

		for (int i = 0; i < DYN_CATALOG_COLUMNS; i++)
			row.values[i] = heap_getattr(tuple, i + 1, RelationGetDescr(catalog),
										 &row.nulls[i]);
		take(&row, arg);
	}
	systable_endscan(scan);
	relation_close(catalog, AccessShareLock);
	return found;
}

/* Text in UTF-8, as all of ours; NULL for NULL. */
static char *
text_column(const Row *row, DynCatalogColumn number)
{
	char	   *value;

	if (row->nulls[number - 1])
		return NULL;
	value = TextDatumGetCString(row->values[number - 1]);
	return pg_server_to_any(value, strlen(value), PG_UTF8);
}

/* int8 and timestamptz: 0 for NULL. */
static int64
int_column(const Row *row, DynCatalogColumn number)
{
	return row->nulls[number - 1] ? 0 : DatumGetInt64(row->values[number - 1]);
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
	table->options = text_column(row, DYN_CATALOG_OPTIONS);
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

static bool
is_column(TupleDesc descriptor, AttrNumber number, Oid type)
{
	Form_pg_attribute attribute;

	if (number > descriptor->natts)
		return false;
	attribute = TupleDescAttr(descriptor, number - 1);
	return !attribute->attisdropped && attribute->atttypid == type;
}

/*
 * Find the key index.  The relation is looked at without a lock: who uses the
 * descriptor locks it, and looks again if it has changed until then.
 */
static bool
take_relation(DynTable *table)
{
	Relation	heap = RelationIdGetRelation(table->relation);
	Oid			item_type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
											CStringGetDatum("item"),
											ObjectIdGetDatum(get_namespace_oid("dynamo", false)));
	TupleDesc	descriptor;
	List	   *indexes;
	ListCell   *cell;

	if (heap == NULL)
		return false;
	descriptor = RelationGetDescr(heap);
	if (heap->rd_rel->relkind != RELKIND_RELATION ||
		!is_column(descriptor, DYN_ATTNUM_HASH, INT8OID) ||
		!is_column(descriptor, DYN_ATTNUM_PARTITION, BYTEAOID) ||
		!is_column(descriptor, DYN_ATTNUM_SORT, BYTEAOID) ||
		!is_column(descriptor, DYN_ATTNUM_ITEM, item_type))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation \"%s\" is not the relation of a DynamoDB table",
						RelationGetRelationName(heap)),
				 errdetail("Its first columns must be hash bigint, partition_key bytea, sort_key bytea, item dynamo.item.")));

	indexes = RelationGetIndexList(heap);
	foreach(cell, indexes)
	{
		if (is_key_index(lfirst_oid(cell), table->schema.sort.name != NULL))
		{
			table->key_index = lfirst_oid(cell);
			break;
		}
	}
	RelationClose(heap);
	return true;
}

bool
dyn_catalog_read(const char *name, DynTable *table)
{
	memset(table, 0, sizeof(DynTable));
	return find_row(DYN_CATALOG_NAME, F_TEXTEQ, CStringGetTextDatum(name), true,
					take_table, table) &&
		take_relation(table);
}

List *
dyn_catalog_names(const char *start, int limit)
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
		bool		isnull;

		names = lappend(names,
						TextDatumGetCString(heap_getattr(tuple, DYN_CATALOG_NAME,
														 RelationGetDescr(catalog),
														 &isnull)));
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

/*
 * After any change of dynamo.tables: every backend drops its descriptors once
 * the change commits.
 */
Datum
dynamo_invalidate_tables(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						"dynamo_internal.invalidate_tables")));
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	return PointerGetDatum(NULL);
}
