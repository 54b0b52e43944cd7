/*-------------------------------------------------------------------------
 *
 * ddl.c
 *		The DDL behind CreateTable, UpdateTable and DeleteTable.
 *
 * A table is a row of dynamo.tables and a heap relation in schema dynamo_data
 * with its key index and trigger; each of its secondary indexes is a row of
 * dynamo.indexes, a column of the heap and an index on that.  The relation is made as the current user,
 * who needs CREATE on the schema and then owns it; the row is written as the
 * catalog's owner.  Dropping the relation removes the row (an event trigger
 * does), so DROP TABLE and DeleteTable are the same thing.
 *
 * src/table/ddl.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/error.h"
#include "base/settings.h"
#include "base/shared_state.h"
#include "base/statement.h"
#include "table/catalog.h"

/* pg_advisory_lock() uses 1 and 2 here, the store's key locks 3. */
#define NAME_LOCK_CLASS 4

Oid
dyn_catalog_owner(void)
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

static void
execute_ddl(const char *statement)
{
	(void) dyn_statement_run(GetUserId(), statement, 0, NULL, NULL, NULL);
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

static const char *
quoted_relation(const DynTable *table)
{
	const char *schema = get_namespace_name(get_rel_namespace(table->relation));
	const char *name = get_rel_name(table->relation);

	if (schema == NULL || name == NULL)
		dyn_raise(RESOURCE_NOT_FOUND, "Requested resource not found");
	return quote_qualified_identifier(schema, name);
}

char *
dyn_index_create_statement(const DynTable *table, int slot, bool concurrently)
{
	return psprintf("CREATE INDEX%s ON %s USING dynamo_key (index_key_%d)"
					" WHERE index_key_%d IS NOT NULL",
					concurrently ? " CONCURRENTLY" : "", quoted_relation(table), slot, slot);
}

/*
 * How a class stores what is written to it.
 *
 * STANDARD: items of up to a page stay in the page (measured: reading a 4 KB
 * item from there is a quarter to a half faster than from TOAST), and room is
 * left for one more version of an item, for HOT updates.
 *
 * STANDARD_INFREQUENT_ACCESS: what makes a row larger than a quarter of a page
 * is compressed, and goes to TOAST if that is not enough; pages are filled.
 */
static const char *
storage_parameters(DynTableClass table_class)
{
	return table_class == DYN_TABLE_CLASS_STANDARD ?
		"toast_tuple_target = 8160, fillfactor = 90" :
		"toast_tuple_target = 2032, fillfactor = 100";
}

/*
 * How a table is vacuumed, and its TOAST, which has no parameters of its own: as
 * one that is overwritten all the time.  Nothing but VACUUM makes room in TOAST,
 * and items of 20 KB that are overwritten 8,000 times a second leave 160 MB there,
 * four times what the default cost limit lets a vacuum clean.  No plan of ours
 * needs statistics: they are not taken anew for every tenth change.
 */
#define VACUUM_PARAMETERS \
	"autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0.05," \
	" autovacuum_vacuum_cost_limit = 2000," \
	" autovacuum_analyze_threshold = 10000, autovacuum_analyze_scale_factor = 1"

static const char *
tablespace_clause(DynTableClass table_class)
{
	if (table_class != DYN_TABLE_CLASS_INFREQUENT_ACCESS ||
		dyn_infrequent_access_tablespace[0] == '\0')
		return "";
	return psprintf(" TABLESPACE %s",
					quote_identifier(dyn_infrequent_access_tablespace));
}

static void
create_relation(const DynTableDefinition *definition, const char *quoted_name)
{
	StringInfoData slots;
	bool		has_sort = definition->schema.sort.name != NULL;

#ifdef USE_LZ4
	const char *compression = " COMPRESSION lz4";
#else
	const char *compression = "";
#endif

	/* Keys leave the page only if there is no other way: never compressed. */
	initStringInfo(&slots);
	for (int i = 1; i <= DYN_INDEX_SLOTS; i++)
		appendStringInfo(&slots, ", index_key_%d bytea", i);
	execute_ddl(psprintf("CREATE TABLE %s (hash int8 NOT NULL,"
						 " partition_key bytea NOT NULL, sort_key bytea%s,"
						 " item dynamo.item%s NOT NULL%s) USING heap"
						 " WITH (%s, " VACUUM_PARAMETERS ")%s",
						 quoted_name, has_sort ? " NOT NULL" : "", compression,
						 slots.data, storage_parameters(definition->table_class),
						 tablespace_clause(definition->table_class)));
	resetStringInfo(&slots);
	for (int i = 1; i <= DYN_INDEX_SLOTS; i++)
		appendStringInfo(&slots, ", ALTER COLUMN index_key_%d SET STORAGE EXTERNAL", i);
	execute_ddl(psprintf("ALTER TABLE %s"
						 " ALTER COLUMN partition_key SET STORAGE EXTERNAL,"
						 " ALTER COLUMN sort_key SET STORAGE EXTERNAL%s",
						 quoted_name, slots.data));
	execute_ddl(psprintf("CREATE UNIQUE INDEX ON %s USING dynamo_key"
						 " (hash, partition_key dynamo.partition_ops%s)",
						 quoted_name, has_sort ? ", sort_key" : ""));
	execute_ddl(psprintf("CREATE TRIGGER " DYN_KEY_TRIGGER
						 " BEFORE INSERT OR UPDATE ON %s"
						 " FOR EACH ROW EXECUTE FUNCTION dynamo.set_key_columns()",
						 quoted_name));

	/* There from the beginning: adding one later would wait for all writers. */
	execute_ddl(psprintf("CREATE TRIGGER " DYN_LOG_TRIGGER
						 " AFTER INSERT OR UPDATE OR DELETE ON %s"
						 " FOR EACH ROW EXECUTE FUNCTION dynamo.log_change()",
						 quoted_name));
	execute_ddl(psprintf("CREATE TRIGGER " DYN_TRUNCATE_TRIGGER " BEFORE TRUNCATE ON %s"
						 " EXECUTE FUNCTION dynamo.log_truncate()", quoted_name));
}

/* Text of ours, which is UTF-8, as a datum. */
static Datum
text_or_null(const char *value, char *null)
{
	*null = value == NULL ? 'n' : ' ';
	return value == NULL ? (Datum) 0 :
		CStringGetTextDatum(pg_any_to_server(value, strlen(value), PG_UTF8));
}

/* PostgreSQL's text, and so the catalog, has no NUL; a key's value may. */
static void
check_key_name(const DynKeyAttribute *attribute)
{
	if (attribute->name != NULL &&
		memchr(attribute->name, '\0', attribute->name_len) != NULL)
		dyn_raise(VALIDATION, "One or more parameter values were invalid: The name of a key attribute must not contain a NUL character");
}

/* Two values of units, which are NULL if they are not set. */
static void
units_or_null(DynUnits units, Datum *values, char *nulls)
{
	values[0] = Int64GetDatum(units.read);
	values[1] = Int64GetDatum(units.write);
	nulls[0] = units.read == 0 ? 'n' : ' ';
	nulls[1] = units.write == 0 ? 'n' : ' ';
}

/* A text[] of n strings; get() says which. */
static Datum
text_array(const void *from, int n, const char *(*get) (const void *from, int i))
{
	Datum	   *elements = palloc(Max(n, 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
	{
		const char *value = get(from, i);

		elements[i] = CStringGetTextDatum(pg_any_to_server(value, strlen(value),
														   PG_UTF8));
	}
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

static const char *
key_name(const void *attributes, int i)
{
	const DynKeyAttribute *attribute = (const DynKeyAttribute *) attributes + i;

	return pnstrdup(attribute->name, attribute->name_len);
}

static const char *
key_type(const void *attributes, int i)
{
	return dyn_type_name(((const DynKeyAttribute *) attributes)[i].type);
}

static const char *
included_name(const void *names, int i)
{
	const DynAttributeName *name = (const DynAttributeName *) names + i;

	return pnstrdup(name->name, name->name_len);
}

/* The row of an index, in the lowest slot that is free. */
static void
insert_index_row(const char *table_name, const DynIndexDefinition *definition,
				 DynIndexStatus status)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID,
		TEXTARRAYOID, TEXTARRAYOID, TEXTOID, TEXTARRAYOID, TEXTOID, INT8OID, INT8OID,
	INT8OID, INT8OID, INT8OID, INT8OID};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types) + 1];
	const DynIndexSchema *schema = &definition->schema;

	for (int i = 0; i < schema->npartition; i++)
		check_key_name(&schema->partition[i]);
	for (int i = 0; i < schema->nsort; i++)
		check_key_name(&schema->sort[i]);
	for (int i = 0; i < definition->nincluded; i++)
		if (memchr(definition->included[i].name, '\0', definition->included[i].name_len))
			dyn_raise(VALIDATION, "One or more parameter values were invalid: The name of a projected attribute must not contain a NUL character");

	values[0] = CStringGetTextDatum(table_name);
	values[1] = CStringGetTextDatum(definition->name);
	values[2] = CStringGetTextDatum(dyn_index_kind_names[definition->kind]);
	values[3] = text_array(schema->partition, schema->npartition, key_name);
	values[4] = text_array(schema->partition, schema->npartition, key_type);
	values[5] = text_array(schema->sort, schema->nsort, key_name);
	values[6] = text_array(schema->sort, schema->nsort, key_type);
	values[7] = CStringGetTextDatum(dyn_projection_names[definition->projection]);
	values[8] = text_array(definition->included, definition->nincluded, included_name);
	values[9] = CStringGetTextDatum(dyn_index_status_names[status]);
	values[10] = Int64GetDatum(definition->read_units);
	values[11] = Int64GetDatum(definition->write_units);
	memset(nulls, ' ', sizeof(nulls));
	nulls[lengthof(types)] = '\0';
	units_or_null(definition->max_units, &values[12], &nulls[12]);
	units_or_null(definition->warm_units, &values[14], &nulls[14]);
	(void) dyn_statement_run(dyn_catalog_owner(),
							 "INSERT INTO dynamo.indexes (table_name, name, kind, slot,"
							 " partition_keys, partition_types, sort_keys, sort_types, projection,"
							 " non_key_attributes, status, read_units, write_units,"
							 " max_read_units, max_write_units, warm_read_units, warm_write_units)"
							 " SELECT $1, $2, $3, s, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16"
							 " FROM generate_series(1, " CppAsString2(DYN_INDEX_SLOTS) ") s"
							 " WHERE NOT EXISTS (SELECT FROM dynamo.indexes i"
							 "  WHERE i.table_name = $1 AND i.slot = s)"
							 " ORDER BY s LIMIT 1",
							 lengthof(types), types, values, nulls);
	if (SPI_processed == 0)
		dyn_raise(LIMIT_EXCEEDED, "Table %s has no room for another index", table_name);
}

static void
insert_row(const DynTableDefinition *definition, Oid relation)
{
	Oid			types[] = {TEXTOID, OIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
		TEXTOID, INT8OID, INT8OID, BOOLOID, TEXTOID, TIMESTAMPTZOID,
	INT8OID, INT8OID, INT8OID, INT8OID};
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
	values[2] = text_or_null(schema->partition.name, &nulls[2]);
	values[3] = CStringGetTextDatum(dyn_type_name(schema->partition.type));
	values[4] = text_or_null(schema->sort.name, &nulls[4]);
	values[5] = text_or_null(sort_type, &nulls[5]);
	values[6] = CStringGetTextDatum(on_demand ? "PAY_PER_REQUEST" : "PROVISIONED");
	values[7] = Int64GetDatum(on_demand ? 0 : definition->read_units);
	values[8] = Int64GetDatum(on_demand ? 0 : definition->write_units);
	values[9] = BoolGetDatum(definition->deletion_protection);
	values[10] = CStringGetTextDatum(dyn_table_class_names[definition->table_class]);
	values[11] = TimestampTzGetDatum(GetCurrentTimestamp());
	units_or_null(definition->max_units, &values[12], &nulls[12]);
	units_or_null(definition->warm_units, &values[14], &nulls[14]);
	(void) dyn_statement_run(dyn_catalog_owner(),
							 "INSERT INTO dynamo.tables (name, relation, partition_key,"
							 " partition_type, sort_key, sort_type, billing_mode,"
							 " read_units, write_units, deletion_protection, table_class,"
							 " created, max_read_units, max_write_units,"
							 " warm_read_units, warm_write_units, on_demand_since)"
							 " VALUES ($1, $2::regclass, $3, $4, $5, $6, $7, $8, $9,"
							 " $10, $11, $12, $13, $14, $15, $16,"
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
	const DynTable *table;

	check_key_name(&definition->schema.partition);
	check_key_name(&definition->schema.sort);

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
	for (int i = 0; i < definition->nindexes; i++)
		insert_index_row(definition->name, &definition->indexes[i], DYN_INDEX_ACTIVE);
	CommandCounterIncrement();
	table = dyn_table_find(definition->name, name_len);
	for (int i = 0; i < table->nindexes; i++)
		execute_ddl(dyn_index_create_statement(table, table->indexes[i].slot, false));
	SPI_finish();
	CommandCounterIncrement();
	return dyn_table_find(definition->name, name_len);
}

/* As for ALTER TABLE: it takes the relation's owner. */
static void
check_owner(const DynTable *table)
{
	if (!pg_class_ownercheck(table->relation, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, table->name);
}

/*
 * Change rows of the catalog; statement's $1 is the table's name, the others
 * follow.  Returns how many.
 */
static uint64
change_rows(const DynTable *table, const char *statement, int nargs, Oid *types,
			Datum *values)
{
	uint64		count;

	check_owner(table);
	types[0] = TEXTOID;
	values[0] = CStringGetTextDatum(table->name);
	SPI_connect();
	(void) dyn_statement_run(dyn_catalog_owner(), statement, nargs, types, values, NULL);
	count = SPI_processed;
	SPI_finish();
	CommandCounterIncrement();
	return count;
}

static void
update_row(const DynTable *table, const char *statement, int nargs, Oid *types,
		   Datum *values)
{
	if (change_rows(table, statement, nargs, types, values) == 0)
		dyn_raise(RESOURCE_NOT_FOUND, "Requested resource not found");
}

const DynTable *
dyn_table_lock_row(const DynTable *table)
{
	Oid			types[1];
	Datum		values[1];
	const DynTable *locked;

	update_row(table, "SELECT FROM dynamo.tables WHERE name = $1 FOR NO KEY UPDATE",
			   1, types, values);
	AcceptInvalidationMessages();
	locked = dyn_table_find(table->name, strlen(table->name));
	if (locked == NULL)
		dyn_raise(RESOURCE_NOT_FOUND, "Requested resource not found");
	return locked;
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
dyn_table_alter_class(const DynTable *table, DynTableClass table_class, bool may_wait)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[2];

	check_owner(table);
	if (!may_wait &&
		!ConditionalLockRelationOid(table->relation, ShareUpdateExclusiveLock))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("could not obtain lock on table \"%s\"", table->name)));
	SPI_connect();
	execute_ddl(psprintf("ALTER TABLE %s SET (%s)", quoted_relation(table),
						 storage_parameters(table_class)));
	SPI_finish();
	values[1] = CStringGetTextDatum(dyn_table_class_names[table_class]);
	update_row(table, "UPDATE dynamo.tables SET table_class = $2,"
			   " class_changed_before = class_changed,"
			   " class_changed = clock_timestamp() WHERE name = $1",
			   2, types, values);
}

void
dyn_table_alter_units(const DynTable *table, const DynIndex *index,
					  DynUnits max_units, DynUnits warm_units)
{
	Oid			types[] = {TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID, TEXTOID};
	Datum		values[6];

	values[1] = Int64GetDatum(max_units.read);
	values[2] = Int64GetDatum(max_units.write);
	values[3] = Int64GetDatum(warm_units.read);
	values[4] = Int64GetDatum(warm_units.write);
	values[5] = index == NULL ? (Datum) 0 : CStringGetTextDatum(index->definition.name);
#define SET_UNITS \
	" SET max_read_units = nullif($2, 0), max_write_units = nullif($3, 0)," \
	" warm_read_units = nullif($4, 0), warm_write_units = nullif($5, 0)"
	if (index == NULL)
		update_row(table, "UPDATE dynamo.tables" SET_UNITS " WHERE name = $1",
				   5, types, values);
	else
		update_row(table, "UPDATE dynamo.indexes" SET_UNITS
				   " WHERE table_name = $1 AND name = $6", 6, types, values);
#undef SET_UNITS
}

void
dyn_table_add_index(const DynTable *table, const DynIndexDefinition *definition)
{
	Oid			types[1];
	Datum		values[1];

	/* Changes of one table wait for each other here, so slots are safe. */
	update_row(table, "UPDATE dynamo.tables SET name = name WHERE name = $1",
			   1, types, values);
	SPI_connect();
	insert_index_row(table->name, definition, DYN_INDEX_CREATING);
	SPI_finish();
	CommandCounterIncrement();
}

/* Update the row of an index; statement's $1 and $2 are the names. */
static void
update_index_row(const DynTable *table, const DynIndex *index,
				 const char *statement, int nargs, Oid *types, Datum *values)
{
	types[1] = TEXTOID;
	values[1] = CStringGetTextDatum(index->definition.name);
	update_row(table, statement, nargs, types, values);
}

void
dyn_table_delete_index(const DynTable *table, const DynIndex *index)
{
	Oid			types[2];
	Datum		values[2];

	update_index_row(table, index,
					 "UPDATE dynamo.indexes SET status = 'DELETING',"
					 " backfilling = false WHERE table_name = $1 AND name = $2",
					 2, types, values);
}

static void
note_time_to_live(const DynTable *table)
{
	Oid			types[1];
	Datum		values[1];

	update_row(table, "UPDATE dynamo.tables SET time_to_live_changed = clock_timestamp()"
			   " WHERE name = $1", 1, types, values);
}

void
dyn_table_enable_time_to_live(const DynTable *table, const char *attribute, uint32 len)
{
	DynIndexDefinition definition = {.kind = DYN_INDEX_TIME_TO_LIVE};
	DynKeyAttribute *key = &definition.schema.sort[0];

	/*
	 * No index of a request can have such a name.  The one that was disabled
	 * last may still be there.
	 */
	definition.name = "time to live";
	for (int i = 0; i < table->nindexes; i++)
		if (strcmp(table->indexes[i].definition.name, definition.name) == 0)
			definition.name = psprintf("time to live " INT64_FORMAT, GetCurrentTimestamp());
	definition.schema.nsort = 1;
	key->name = attribute;
	key->name_len = len;
	key->type = DYN_TYPE_N;
	dyn_table_add_index(table, &definition);
	note_time_to_live(table);
}

void
dyn_table_disable_time_to_live(const DynTable *table)
{
	dyn_table_delete_index(table, dyn_table_time_to_live(table));
	note_time_to_live(table);
}

void
dyn_table_alter_index_throughput(const DynTable *table, const DynIndex *index,
								 int64 read_units, int64 write_units)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT8OID, INT8OID};
	Datum		values[4];

	values[2] = Int64GetDatum(read_units);
	values[3] = Int64GetDatum(write_units);
	update_index_row(table, index,
					 "UPDATE dynamo.indexes SET read_units = $3, write_units = $4,"
					 " last_increase = CASE WHEN read_units > 0"
					 "  AND ($3 > read_units OR $4 > write_units)"
					 "  THEN clock_timestamp() ELSE last_increase END,"
					 " last_decrease = CASE WHEN $3 > 0 AND"
					 "  ($3 < read_units OR $4 < write_units)"
					 "  THEN clock_timestamp() ELSE last_decrease END,"
					 " decreases_today = CASE WHEN $3 > 0 AND"
					 "  ($3 < read_units OR $4 < write_units)"
					 "  THEN CASE WHEN last_decrease AT TIME ZONE 'UTC' >="
					 "   date_trunc('day', clock_timestamp() AT TIME ZONE 'UTC')"
					 "   THEN decreases_today ELSE 0 END + 1 ELSE decreases_today END"
					 " WHERE table_name = $1 AND name = $2",
					 4, types, values);
}

/*
 * A step of an index's life, for the job that brings it about: statement's $2
 * is the index's name, $3 its slot.  False if the row is not what statement
 * asks for, because somebody else has changed it.
 */
static bool
step_index_row(const DynTable *table, const DynIndex *index, const char *statement)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT4OID};
	Datum		values[3];

	values[1] = CStringGetTextDatum(index->definition.name);
	values[2] = Int32GetDatum(index->slot);
	return change_rows(table, statement, 3, types, values) > 0;
}

bool
dyn_index_begin_backfill(const DynTable *table, const DynIndex *index)
{
	return step_index_row(table, index,
						  "UPDATE dynamo.indexes SET backfilling = true"
						  " WHERE table_name = $1 AND name = $2"
						  " AND slot = $3 AND status = 'CREATING'");
}

bool
dyn_index_activate(const DynTable *table, const DynIndex *index)
{
	return step_index_row(table, index,
						  "UPDATE dynamo.indexes SET status = 'ACTIVE',"
						  " backfilling = false WHERE table_name = $1 AND name = $2"
						  " AND slot = $3 AND status = 'CREATING'");
}

bool
dyn_index_forget(const DynTable *table, const DynIndex *index)
{
	return step_index_row(table, index,
						  "DELETE FROM dynamo.indexes WHERE table_name = $1 AND name = $2"
						  " AND slot = $3 AND status = 'DELETING'");
}

void
dyn_index_report_progress(const DynTable *table, const DynIndex *index,
						  int64 blocks_done, int64 blocks_total)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT8OID, INT8OID};
	Datum		values[4];

	values[1] = CStringGetTextDatum(index->definition.name);
	values[2] = Int64GetDatum(blocks_done);
	values[3] = Int64GetDatum(blocks_total);

	/* No trigger fires for this: no descriptor has it. */
	(void) change_rows(table,
					   "UPDATE dynamo.indexes SET blocks_done = $3, blocks_total = $4"
					   " WHERE ctid = (SELECT ctid FROM dynamo.indexes"
					   "  WHERE table_name = $1 AND name = $2 FOR UPDATE SKIP LOCKED)",
					   4, types, values);
}

void
dyn_table_drop(const DynTable *table, bool may_wait)
{
	char	   *schema = get_namespace_name(get_rel_namespace(table->relation));
	char	   *name = get_rel_name(table->relation);

	if (schema == NULL || name == NULL)
		return;

	/* A job that makes or drops an index has nothing to do here any more. */
	if (!ConditionalLockRelationOid(table->relation, AccessExclusiveLock))
	{
		dyn_index_job_interrupt(table->relation);
		if (!may_wait)
			ereport(ERROR,
					(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
					 errmsg("could not obtain lock on table \"%s\"", table->name)));
	}
	SPI_connect();
	execute_ddl(psprintf("DROP TABLE %s", quote_qualified_identifier(schema, name)));
	SPI_finish();
	CommandCounterIncrement();
}

void
dyn_catalog_execute(const char *statement, int nargs, Oid *types, Datum *values)
{
	(void) dyn_statement_run(dyn_catalog_owner(), statement, nargs, types, values, NULL);
}

void
dyn_catalog_change(const DynTable *table, const char *statement, int nargs,
				   Oid *types, Datum *values)
{
	update_row(table, statement, nargs, types, values);
}
