/*-------------------------------------------------------------------------
 *
 * catalog.c
 *		The DDL behind CreateTable, UpdateTable and DeleteTable.
 *
 * A table is a row of dynamo.tables and a heap relation in schema dynamo_data
 * with its key index and trigger.  The relation is made as the current user,
 * who needs CREATE on the schema and then owns it; the row is written as the
 * catalog's owner.  Dropping the relation removes the row (an event trigger
 * does), so DROP TABLE and DeleteTable are the same thing.
 *
 * src/table/catalog.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/error.h"
#include "base/limits.h"
#include "table/catalog.h"

PG_FUNCTION_INFO_V1(dynamo_invalidate_tables);
PG_FUNCTION_INFO_V1(dynamo_set_key_columns);

/* pg_advisory_lock() uses 1 and 2 here, the store's key locks 3. */
#define NAME_LOCK_CLASS 4

Oid
dyn_catalog_relation(void)
{
	Oid			schema = get_namespace_oid("dynamo", true);

	return OidIsValid(schema) ? get_relname_relid("tables", schema) : InvalidOid;
}

static Oid
catalog_owner(void)
{
	Oid			relation = dyn_catalog_relation();
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("extension \"dynamo\" is not installed in this database")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

void
dyn_catalog_execute(const char *statement, int nargs, Oid *types, Datum *values,
					const char *nulls)
{
	Oid			owner = catalog_owner();
	Oid			save_user;
	int			save_context;
	int			result;

	GetUserIdAndSecContext(&save_user, &save_context);
	SetUserIdAndSecContext(owner, save_context | SECURITY_LOCAL_USERID_CHANGE);
	result = SPI_execute_with_args(statement, nargs, types, values, nulls,
								   false, 0);
	SetUserIdAndSecContext(save_user, save_context);
	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
}

/* Run one statement as the current user. */
static void
execute(const char *format,...) pg_attribute_printf(1, 2);

static void
execute(const char *format,...)
{
	StringInfoData statement;
	int			result;

	initStringInfo(&statement);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&statement, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&statement, needed);
	}
	result = SPI_execute(statement.data, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
}

/*
 * The relation's name: the table's own if PostgreSQL has room for it, else its
 * beginning and a hash of all of it.
 */
static char *
relation_name(const char *table_name)
{
	Oid			schema = get_namespace_oid("dynamo_data", false);
	size_t		len = strlen(table_name);
	uint64		seed = 0;
	char	   *name = pstrdup(table_name);

	while (strlen(name) >= NAMEDATALEN ||
		   OidIsValid(get_relname_relid(name, schema)))
		name = psprintf("%.40s_%016llx", table_name, (unsigned long long)
						DatumGetUInt64(hash_any_extended((const unsigned char *) table_name,
														 len, seed++)));
	return name;
}

static void
create_relation(const DynTableDefinition *definition, const char *quoted_name)
{
	bool		has_sort = definition->schema.sort.name != NULL;

#ifdef USE_LZ4
	const char *compression = " COMPRESSION lz4";
#else
	const char *compression = "";
#endif

	/*
	 * The key columns are compared often and are short: stored as they are.
	 * Items of up to a page stay in the page (measured: reading a 4 KB item
	 * from there is a quarter to a half faster than from TOAST), and room is
	 * left for one more version of an item, for HOT updates.
	 */
	execute("CREATE TABLE %s (hash int8 NOT NULL,"
			" partition_key bytea NOT NULL, sort_key bytea%s,"
			" item dynamo.item%s NOT NULL)"
			" WITH (toast_tuple_target = 8160, fillfactor = 90)",
			quoted_name, has_sort ? " NOT NULL" : "", compression);
	execute("ALTER TABLE %s ALTER COLUMN partition_key SET STORAGE PLAIN,"
			" ALTER COLUMN sort_key SET STORAGE PLAIN", quoted_name);
	execute("CREATE UNIQUE INDEX ON %s USING dynamo_key"
			" (hash, partition_key dynamo.partition_ops%s)",
			quoted_name, has_sort ? ", sort_key" : "");
	execute("CREATE TRIGGER dynamo_key_columns BEFORE INSERT OR UPDATE ON %s"
			" FOR EACH ROW EXECUTE FUNCTION dynamo_internal.set_key_columns()",
			quoted_name);
}

static Datum
text_or_null(const char *value, char *null)
{
	*null = value == NULL ? 'n' : ' ';
	return value == NULL ? (Datum) 0 : CStringGetTextDatum(value);
}

static void
insert_row(const DynTableDefinition *definition, Oid relation)
{
	Oid			types[] = {TEXTOID, OIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
		TEXTOID, INT8OID, INT8OID, BOOLOID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types) + 1];
	const DynKeySchema *schema = &definition->schema;
	bool		on_demand = definition->billing_mode == DYN_BILLING_PAY_PER_REQUEST;
	const char *sort_type = schema->sort.name == NULL ? NULL :
		dyn_type_name(schema->sort.type);

	memset(nulls, ' ', sizeof(nulls));
	nulls[lengthof(types)] = '\0';
	values[0] = CStringGetTextDatum(definition->name);
	values[1] = ObjectIdGetDatum(relation);
	values[2] = CStringGetTextDatum(schema->partition.name);
	values[3] = CStringGetTextDatum(dyn_type_name(schema->partition.type));
	values[4] = text_or_null(schema->sort.name, &nulls[4]);
	values[5] = text_or_null(sort_type, &nulls[5]);
	values[6] = CStringGetTextDatum(on_demand ? "PAY_PER_REQUEST" : "PROVISIONED");
	values[7] = Int64GetDatum(on_demand ? 0 : definition->read_units);
	values[8] = Int64GetDatum(on_demand ? 0 : definition->write_units);
	values[9] = BoolGetDatum(definition->deletion_protection);
	values[10] = CStringGetTextDatum(definition->options == NULL ? "{}" :
									 definition->options);
	values[11] = TimestampTzGetDatum(GetCurrentTimestamp());
	dyn_catalog_execute("INSERT INTO dynamo.tables (name, relation, partition_key,"
						" partition_type, sort_key, sort_type, billing_mode,"
						" read_units, write_units, deletion_protection, options,"
						" created, on_demand_since)"
						" VALUES ($1, $2::regclass, $3, $4, $5, $6, $7, $8, $9,"
						" $10, $11::json, $12,"
						" CASE WHEN $7 = 'PAY_PER_REQUEST' THEN $12 END)",
						lengthof(types), types, values, nulls);
}

const DynTable *
dyn_table_create(const DynTableDefinition *definition)
{
	size_t		name_len = strlen(definition->name);
	LOCKTAG		tag;
	char	   *name;
	const char *quoted_name;
	Oid			relation;

	/*
	 * Creators of one name: the first to come is the one that wins.  The
	 * others are told at once, as they would be had they come later.
	 */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0,
						 hash_bytes((const unsigned char *) definition->name, name_len),
						 NAME_LOCK_CLASS);
	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL ||
		dyn_table_find(definition->name, name_len) != NULL)
		dyn_raise(RESOURCE_IN_USE, "Table already exists: %s", definition->name);

	name = relation_name(definition->name);
	quoted_name = quote_qualified_identifier("dynamo_data", name);
	SPI_connect();
	create_relation(definition, quoted_name);
	relation = get_relname_relid(name, get_namespace_oid("dynamo_data", false));
	insert_row(definition, relation);
	SPI_finish();
	CommandCounterIncrement();
	return dyn_table_find(definition->name, name_len);
}

/* Update one row; statement's $1 is the name, the others follow. */
static void
update_row(const DynTable *table, const char *statement, int nargs, Oid *types,
		   Datum *values)
{
	/* As for ALTER TABLE: it takes the relation's owner. */
	if (!pg_class_ownercheck(table->relation, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, table->name);
	types[0] = TEXTOID;
	values[0] = CStringGetTextDatum(table->name);
	SPI_connect();
	dyn_catalog_execute(statement, nargs, types, values, NULL);
	SPI_finish();
	CommandCounterIncrement();
}

void
dyn_table_alter_throughput(const DynTable *table, DynBillingMode mode,
						   int64 read_units, int64 write_units)
{
	bool		on_demand = mode == DYN_BILLING_PAY_PER_REQUEST;
	Oid			types[] = {TEXTOID, TEXTOID, INT8OID, INT8OID};
	Datum		values[4];

	values[1] = CStringGetTextDatum(on_demand ? "PAY_PER_REQUEST" : "PROVISIONED");
	values[2] = Int64GetDatum(on_demand ? 0 : read_units);
	values[3] = Int64GetDatum(on_demand ? 0 : write_units);

	/* Increases and decreases are those of a provisioned table's numbers. */
	update_row(table,
			   "UPDATE dynamo.tables SET billing_mode = $2,"
			   " read_units = $3, write_units = $4,"
			   " on_demand_since = CASE WHEN $2 = 'PAY_PER_REQUEST'"
			   "  AND billing_mode <> $2 THEN clock_timestamp() ELSE on_demand_since END,"
			   " last_increase = CASE WHEN $2 = 'PROVISIONED' AND billing_mode = $2"
			   "  AND ($3 > read_units OR $4 > write_units)"
			   "  THEN clock_timestamp() ELSE last_increase END,"
			   " last_decrease = CASE WHEN $2 = 'PROVISIONED' AND billing_mode = $2"
			   "  AND ($3 < read_units OR $4 < write_units)"
			   "  THEN clock_timestamp() ELSE last_decrease END,"
			   " decreases_today = CASE WHEN $2 = 'PROVISIONED' AND billing_mode = $2"
			   "  AND ($3 < read_units OR $4 < write_units)"
			   "  THEN CASE WHEN last_decrease AT TIME ZONE 'UTC' >="
			   "   date_trunc('day', clock_timestamp() AT TIME ZONE 'UTC')"
			   "   THEN decreases_today ELSE 0 END + 1 ELSE decreases_today END"
			   " WHERE name = $1",
			   4, types, values);
}

void
dyn_table_alter_protection(const DynTable *table, bool protect)
{
	Oid			types[] = {TEXTOID, BOOLOID};
	Datum		values[2];

	values[1] = BoolGetDatum(protect);
	update_row(table, "UPDATE dynamo.tables SET deletion_protection = $2 WHERE name = $1",
			   2, types, values);
}

void
dyn_table_alter_options(const DynTable *table, const char *options)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[2];

	values[1] = CStringGetTextDatum(options);
	update_row(table, "UPDATE dynamo.tables SET options = $2::json WHERE name = $1",
			   2, types, values);
}

void
dyn_table_drop(const DynTable *table, bool may_wait)
{
	char	   *schema = get_namespace_name(get_rel_namespace(table->relation));
	char	   *name = get_rel_name(table->relation);

	if (schema == NULL || name == NULL)
		return;
	if (!may_wait &&
		!ConditionalLockRelationOid(table->relation, AccessExclusiveLock))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("could not obtain lock on table \"%s\"", table->name)));
	SPI_connect();
	execute("DROP TABLE %s", quote_qualified_identifier(schema, name));
	SPI_finish();
	CommandCounterIncrement();
}

/*
 * After any change of dynamo.tables: every backend drops its descriptors once
 * the change commits.
 */
Datum
dynamo_invalidate_tables(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						"dynamo_internal.invalidate_tables")));
	CacheInvalidateRelcache(trigger->tg_relation);
	return PointerGetDatum(NULL);
}

/*
 * Before a row is inserted or updated by plain SQL: the key columns follow
 * from the item, and the item must be one that PutItem would take.
 */
Datum
dynamo_set_key_columns(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const DynTable *table;
	HeapTuple	tuple;
	Datum		item_datum;
	DynItem    *item;
	DynKey		key = {0};
	bool		isnull;
	int			columns[] = {DYN_ATTNUM_HASH, DYN_ATTNUM_PARTITION, DYN_ATTNUM_SORT};
	Datum		values[3] = {0};
	bool		nulls[3] = {false, false, false};
	const DynValue *parts[2];

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired BEFORE, FOR EACH ROW",
						"dynamo_internal.set_key_columns")));
	table = dyn_table_find_relation(RelationGetRelid(trigger->tg_relation));
	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation \"%s\" is not the relation of a DynamoDB table",
						RelationGetRelationName(trigger->tg_relation))));

	tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ?
		trigger->tg_newtuple : trigger->tg_trigtuple;
	item_datum = heap_getattr(tuple, DYN_ATTNUM_ITEM,
							  RelationGetDescr(trigger->tg_relation), &isnull);

	/* The NOT NULL constraint says it better. */
	if (isnull)
		return PointerGetDatum(tuple);
	item = DatumGetDynItem(item_datum);
	if (dyn_item_size(item) > DYN_MAX_ITEM_SIZE)
		dyn_raise(VALIDATION, "Item size has exceeded the maximum allowed size");
	dyn_key_from_item(&table->schema, item, &key);

	values[0] = Int64GetDatum(dyn_key_hash(&key.partition));
	parts[0] = &key.partition;
	parts[1] = &key.sort;
	for (int i = 0; i < lengthof(parts); i++)
	{
		bytea	   *datum;

		if (parts[i]->type == 0)
		{
			nulls[i + 1] = true;
			continue;
		}
		datum = palloc(VARHDRSZ + parts[i]->size);
		SET_VARSIZE(datum, VARHDRSZ + parts[i]->size);
		memcpy(VARDATA(datum), parts[i]->data, parts[i]->size);
		values[i + 1] = PointerGetDatum(datum);
	}
	tuple = heap_modify_tuple_by_cols(tuple, RelationGetDescr(trigger->tg_relation),
									  lengthof(columns), columns, values, nulls);
	return PointerGetDatum(tuple);
}
