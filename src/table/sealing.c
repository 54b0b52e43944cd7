/*-------------------------------------------------------------------------
 *
 * sealing.c
 *		Which tables' items are sealed, and with what.
 *
 *	 OFF --dyn_table_seal()--> ENABLING --the job--> ENABLED
 *	  ^                                                 | dyn_table_unseal()
 *	  +------------the job------------ DISABLING <------+
 *
 * A table that is made sealed is ENABLED at once.  What is written goes by the
 * descriptor's data_key; what is read, by the bytes: in the states between there
 * are both kinds of items.
 *
 * src/table/sealing.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "base/error.h"
#include "encryption/data_key.h"
#include "encryption/seal.h"
#include "table/catalog.h"

PG_FUNCTION_INFO_V1(dynamo_rotate_data_key);

/* ----- items ----- */

bool
dyn_table_item_is_right(const DynTable *table, Datum stored)
{
	return table->data_key == 0 ? !dyn_item_datum_is_sealed(stored) :
		dyn_sealed_for(stored, &table->table_id);
}

Datum
dyn_table_item_datum(const DynTable *table, const DynItem *item, Datum stored)
{
	if (stored != (Datum) 0 && dyn_table_item_is_right(table, stored))
		return stored;
	if (table->data_key == 0)
		return PointerGetDatum(item);
	return PointerGetDatum(dyn_seal(table->data_key, item));
}

bool
dyn_table_is_accessible(const DynTable *table)
{
	bool		accessible = true;

	if (table->data_key != 0)
		pfree(dyn_data_key_master(table->data_key, &accessible));
	return accessible;
}

void
dyn_table_check_accessible(const DynTable *table)
{
	if (table->data_key != 0)
		(void) dyn_data_key_get(table->data_key);
}

bool
dyn_table_may_read(const pg_uuid_t *table_id)
{
	Oid			relation = dyn_catalog_relation_of_id(table_id);

	return OidIsValid(relation) &&
		(pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		 pg_attribute_aclcheck(relation, DYN_ATTNUM_ITEM, GetUserId(),
							   ACL_SELECT) == ACLCHECK_OK);
}

/* ----- the catalog ----- */

static const DynMasterKey *
find_master_key(const char *id)
{
	const DynMasterKey *master = dyn_master_key_find(id);

	if (master == NULL)
		dyn_master_key_refuse(id == NULL ? "default" : id, dyn_master_keys_trouble());
	return master;
}

/* Add a data key, wrapped by the master key the table asks for.  Returns its id. */
static int64
add_data_key(const DynTable *table, const char *master_key)
{
	const char *master = pstrdup(find_master_key(master_key)->id);
	Oid			types[] = {INT8OID, UUIDOID, TEXTOID, BYTEAOID, INT4OID, OIDOID};
	Datum		values[6];
	DynDataKeyName name;
	bytea	   *wrapped = palloc(VARHDRSZ + DYN_WRAPPED_KEY_SIZE);
	bool		isnull;

	name.id = dyn_data_key_new_id();
	name.table_id = table->table_id;
	values[0] = Int64GetDatum(name.id);
	values[1] = UUIDPGetDatum(&name.table_id);
	values[2] = CStringGetTextDatum(master);

	SPI_connect();
	dyn_catalog_execute("SELECT coalesce(max(generation), 0) + 1 FROM dynamo.data_keys"
						" WHERE table_id = $2", 2, types, values);
	name.generation = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
												  SPI_tuptable->tupdesc, 1, &isnull));
	SET_VARSIZE(wrapped, VARHDRSZ + DYN_WRAPPED_KEY_SIZE);
	dyn_data_key_make(&name, find_master_key(master),
					  (unsigned char *) VARDATA(wrapped));
	values[3] = PointerGetDatum(wrapped);
	values[4] = Int32GetDatum(name.generation);
	values[5] = ObjectIdGetDatum(table->relation);
	dyn_catalog_execute("INSERT INTO dynamo.data_keys"
						" (key_id, table_id, master_key, wrapped, generation, counted)"
						" VALUES ($1, $2, $3, $4, $5, dynamo_internal.writes_so_far($6))",
						lengthof(types), types, values);
	SPI_finish();
	return name.id;
}

/* The master key is asked for by the request, or (NULL) is the first there is. */
static Datum
master_key_datum(const char *master_key)
{
	return CStringGetTextDatum(master_key == NULL ? "" : master_key);
}

void
dyn_table_seal(const DynTable *table, const char *master_key, bool is_new)
{
	Oid			types[] = {TEXTOID, INT8OID, TEXTOID, TEXTOID};
	Datum		values[4];

	values[1] = Int64GetDatum(add_data_key(table, master_key));
	values[2] = CStringGetTextDatum(is_new ? "ENABLED" : "ENABLING");
	values[3] = master_key_datum(master_key);
	dyn_catalog_change(table, "UPDATE dynamo.tables SET data_key = $2, sealing = $3,"
					   " master_key = nullif($4, '') WHERE name = $1",
					   lengthof(types), types, values);
}

void
dyn_table_unseal(const DynTable *table)
{
	Oid			types[1];
	Datum		values[1];

	/* Or the job could not do what it is to do. */
	dyn_table_check_accessible(table);
	dyn_catalog_change(table, "UPDATE dynamo.tables SET data_key = NULL,"
					   " sealing = 'DISABLING', master_key = NULL WHERE name = $1",
					   lengthof(types), types, values);
}

void
dyn_table_rewrap(const DynTable *table, const char *master_key)
{
	Oid			types[] = {TEXTOID, UUIDOID, TEXTOID, TEXTOID};
	Datum		values[4];

	values[1] = UUIDPGetDatum(&table->table_id);
	values[2] = CStringGetTextDatum(find_master_key(master_key)->id);
	values[3] = master_key_datum(master_key);
	dyn_catalog_change(table, "UPDATE dynamo.data_keys"
					   " SET wrapped = dynamo_internal.rewrap_data_key(key_id, $3),"
					   " master_key = $3 WHERE table_id = $2", lengthof(types), types, values);
	dyn_catalog_change(table, "UPDATE dynamo.tables SET master_key = nullif($4, '')"
					   " WHERE name = $1",
					   lengthof(types), types, values);
}

void
dyn_table_renew_data_key(const DynTable *table)
{
	Oid			types[] = {TEXTOID, INT8OID};
	Datum		values[2];

	values[1] = Int64GetDatum(add_data_key(table, table->master_key));
	dyn_catalog_change(table, "UPDATE dynamo.tables SET data_key = $2 WHERE name = $1",
					   lengthof(types), types, values);
}

bool
dyn_table_finish_sealing(const DynTable *table)
{
	Oid			types[1];
	Datum		values[1];

	if (table->sealing != DYN_SEALING_ENABLING && table->sealing != DYN_SEALING_DISABLING)
		return false;
	dyn_catalog_change(table, "UPDATE dynamo.tables SET sealing ="
					   " CASE sealing WHEN 'ENABLING' THEN 'ENABLED' END"
					   " WHERE name = $1", lengthof(types), types, values);
	return true;
}

/* rotate_data_key(table_name text) */
Datum
dynamo_rotate_data_key(PG_FUNCTION_ARGS)
{
	char	   *argument = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *name = pg_server_to_any(argument, strlen(argument), PG_UTF8);
	const DynTable *table = dyn_table_find(name, strlen(name));

	if (table == NULL)
		dyn_raise(RESOURCE_NOT_FOUND, "Requested resource not found");
	table = dyn_table_lock_row(table);
	if (table->data_key == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not encrypted", table->name)));
	dyn_table_renew_data_key(table);
	PG_RETURN_VOID();
}
