/*-------------------------------------------------------------------------
 *
 * access_key.c
 *		Access keys: who may sign requests, and the role each acts as.
 *
 * A key makes whoever holds it the key's role, so only somebody who may become
 * that role by SET ROLE can make one for it.
 *
 * What is known of keys is forgotten when table access_keys is invalidated; a
 * trigger does that at each change, so that a revoked key is refused as soon
 * as the change has committed.
 *
 * src/auth/access_key.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "auth/access_key.h"
#include "base/compat.h"

/* Columns of dynamo.access_keys. */
#define ACCESS_KEY_ID		1
#define ACCESS_KEY_SECRET	2
#define ACCESS_KEY_ROLE		3
#define ACCESS_KEY_ENABLED	4

#define ID_PREFIX		"AKIA"	/* a long-term key: SDKs and scanners know it */
#define ID_LENGTH		20
#define SECRET_LENGTH	40

PG_FUNCTION_INFO_V1(dyn_create_access_key);
PG_FUNCTION_INFO_V1(dyn_delete_access_key);
PG_FUNCTION_INFO_V1(dyn_update_access_key);

static uint64 generation = 1;
static Oid	table_oid = InvalidOid; /* as last seen */

static void
table_invalidated(Datum arg, Oid relation)
{
	if (relation == InvalidOid || relation == table_oid)
		generation++;
}

static void
role_invalidated(Datum arg, int cache, uint32 hash)
{
	generation++;
}

static void
watch_catalogs(void)
{
	static bool watching = false;

	if (watching)
		return;
	CacheRegisterRelcacheCallback(table_invalidated, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, role_invalidated, (Datum) 0);
	watching = true;
}

uint64
dyn_access_key_generation(void)
{
	return generation;
}

static Oid
access_keys_oid(void)
{
	Oid			schema = get_namespace_oid("dynamo", true);

	return OidIsValid(schema) ? get_relname_relid("access_keys", schema) :
		InvalidOid;
}

bool
dyn_access_key_find(const char *id, uint32 id_len, DynAccessKey *key)
{
	Relation	relation;
	ScanKeyData scankey;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	Assert(IsTransactionState());
	watch_catalogs();
	table_oid = access_keys_oid();
	if (!OidIsValid(table_oid))
		return false;			/* no extension in this database */

	relation = table_open(table_oid, AccessShareLock);
	ScanKeyInit(&scankey, ACCESS_KEY_ID, BTEqualStrategyNumber, F_TEXTEQ,
				PointerGetDatum(cstring_to_text_with_len(id, id_len)));
	/* The column has collation "C", as ScanKeyInit() supposes. */
	scan = systable_beginscan(relation, dyn_primary_key_index(relation),
							  true, NULL, 1, &scankey);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Datum		values[ACCESS_KEY_ENABLED];
		bool		nulls[ACCESS_KEY_ENABLED];

		for (int i = 0; i < ACCESS_KEY_ENABLED; i++)
			values[i] = heap_getattr(tuple, i + 1, RelationGetDescr(relation),
									 &nulls[i]);
		key->role = DatumGetObjectId(values[ACCESS_KEY_ROLE - 1]);
		if (DatumGetBool(values[ACCESS_KEY_ENABLED - 1]) &&
			SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(key->role)))
		{
			key->secret = TextDatumGetCString(values[ACCESS_KEY_SECRET - 1]);
			found = true;
		}
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return found;
}

/*
 * Fill text with random characters of an alphabet whose size is a power of two,
 * so that each is equally likely.
 */
static void
random_text(char *text, int len, const char *alphabet, int alphabet_size)
{
	Assert((alphabet_size & (alphabet_size - 1)) == 0);
	if (!pg_strong_random(text, len))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	for (int i = 0; i < len; i++)
		text[i] = alphabet[(unsigned char) text[i] & (alphabet_size - 1)];
	text[len] = '\0';
}

/*
 * Run one command as the owner of table access_keys, on which the caller has
 * no privileges.  Returns the number of rows.
 */
static uint64
execute_as_owner(const char *command, int nargs, Oid *types, Datum *values)
{
	Oid			relid = access_keys_oid();
	Oid			save_user;
	int			save_security;
	HeapTuple	tuple;
	uint64		rows;

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s\" does not exist",
						"dynamo.access_keys")));

	/* An error restores the user at the end of the (sub)transaction. */
	GetUserIdAndSecContext(&save_user, &save_security);
	SetUserIdAndSecContext(((Form_pg_class) GETSTRUCT(tuple))->relowner,
						   save_security | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	ReleaseSysCache(tuple);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args(command, nargs, types, values, NULL,
							  false, 0) < 0)
		elog(ERROR, "could not execute \"%s\"", command);
	rows = SPI_processed;
	SPI_finish();
	SetUserIdAndSecContext(save_user, save_security);
	return rows;
}

/*
 * dynamo.create_access_key(role name) returns (access_key_id, secret_access_key)
 *
 * The only time the secret is shown.
 */
Datum
dyn_create_access_key(PG_FUNCTION_ARGS)
{
	Oid			role = get_role_oid(NameStr(*PG_GETARG_NAME(0)), false);
	char		id[ID_LENGTH + 1] = ID_PREFIX;
	char		secret[SECRET_LENGTH + 1];
	Oid			types[3] = {TEXTOID, TEXTOID, OIDOID};
	Datum		values[3];
	bool		nulls[2] = {false, false};
	TupleDesc	tupdesc;

	dyn_check_can_set_role(GetUserId(), role);
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	tupdesc = BlessTupleDesc(tupdesc);

	random_text(id + strlen(ID_PREFIX), ID_LENGTH - strlen(ID_PREFIX),
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32);
	random_text(secret, SECRET_LENGTH,
				"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
				64);
	values[0] = CStringGetTextDatum(id);
	values[1] = CStringGetTextDatum(secret);
	values[2] = ObjectIdGetDatum(role);
	execute_as_owner("INSERT INTO dynamo.access_keys"
					 " (access_key_id, secret_access_key, role)"
					 " VALUES ($1, $2, $3)", 3, types, values);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
}

/*
 * Run a command on one existing access key, of a role the caller may become.
 * The first of values is the key's id.
 */
static void
change_access_key(const char *command, int nargs, Oid *types, Datum *values)
{
	char	   *id = TextDatumGetCString(values[0]);
	Oid			relid = access_keys_oid();
	Oid			role = InvalidOid;
	Relation	relation;
	ScanKeyData scankey;
	SysScanDesc scan;
	HeapTuple	tuple;

	relation = table_open(relid, RowExclusiveLock);
	ScanKeyInit(&scankey, ACCESS_KEY_ID, BTEqualStrategyNumber, F_TEXTEQ,
				values[0]);
	scan = systable_beginscan(relation, dyn_primary_key_index(relation),
							  true, NULL, 1, &scankey);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		role = DatumGetObjectId(heap_getattr(tuple, ACCESS_KEY_ROLE,
											 RelationGetDescr(relation),
											 &isnull));
	}
	systable_endscan(scan);
	table_close(relation, NoLock);

	/* A key one may not touch looks like one that is not there. */
	if (!OidIsValid(role) ||
		!dyn_can_set_role(GetUserId(), role) ||
		execute_as_owner(command, nargs, types, values) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("access key \"%s\" does not exist", id)));
}

/* dynamo.delete_access_key(access_key_id text) returns void */
Datum
dyn_delete_access_key(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {PG_GETARG_DATUM(0)};

	change_access_key("DELETE FROM dynamo.access_keys WHERE access_key_id = $1",
					  1, types, values);
	PG_RETURN_VOID();
}

/* dynamo.update_access_key(access_key_id text, enabled boolean) returns void */
Datum
dyn_update_access_key(PG_FUNCTION_ARGS)
{
	Oid			types[2] = {TEXTOID, BOOLOID};
	Datum		values[2] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};

	change_access_key("UPDATE dynamo.access_keys SET enabled = $2"
					  " WHERE access_key_id = $1",
					  2, types, values);
	PG_RETURN_VOID();
}
