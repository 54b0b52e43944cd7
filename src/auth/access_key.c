/*-------------------------------------------------------------------------
 *
 * access_key.c
 *		Access keys: who may sign requests, and the role each acts as.
 *
 * A key makes whoever holds it the key's role, so only somebody who may become
 * that role by SET ROLE can make one for it.
 *
 * src/auth/access_key.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "auth/access_key.h"
#include "auth/auth_catalog.h"
#include "base/compat.h"

/* Columns of dynamo.access_keys. */
#define ACCESS_KEY_ID		1
#define ACCESS_KEY_SECRET	2
#define ACCESS_KEY_ROLE		3
#define ACCESS_KEY_ENABLED	4
#define ACCESS_KEY_CREATED	5
#define ACCESS_KEY_UNTIL	6
#define ACCESS_KEY_COLUMNS	6

#define ID_PREFIX		"AKIA"	/* a long-term key: SDKs and scanners know it */

PG_FUNCTION_INFO_V1(dyn_create_access_key);
PG_FUNCTION_INFO_V1(dyn_rotate_access_key);
PG_FUNCTION_INFO_V1(dyn_delete_access_key);
PG_FUNCTION_INFO_V1(dyn_update_access_key);

static void
read_key(void *arg, const Datum *values, const bool *nulls)
{
	DynAccessKey *key = arg;

	if (!DatumGetBool(values[ACCESS_KEY_ENABLED - 1]))
		return;
	key->role = DatumGetObjectId(values[ACCESS_KEY_ROLE - 1]);
	key->secret = TextDatumGetCString(values[ACCESS_KEY_SECRET - 1]);
	key->valid_until = PG_INT64_MAX;
	if (!nulls[ACCESS_KEY_UNTIL - 1])
	{
		TimestampTz until = DatumGetTimestampTz(values[ACCESS_KEY_UNTIL - 1]);

		if (!TIMESTAMP_NOT_FINITE(until))
			key->valid_until = timestamptz_to_time_t(until);
		else if (TIMESTAMP_IS_NOBEGIN(until))
			key->valid_until = PG_INT64_MIN;
	}
}

bool
dyn_access_key_find(const char *id, uint32 id_len, DynAccessKey *key)
{
	key->secret = NULL;
	dyn_auth_scan(DYN_ACCESS_KEYS, F_TEXTEQ,
				  PointerGetDatum(cstring_to_text_with_len(id, id_len)),
				  read_key, key);
	return key->secret != NULL &&
		SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(key->role));
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

void
dyn_random_id(char *text, int len)
{
	random_text(text, len, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32);
}

/* Make a key for a role; its id and secret are the first two of values. */
static void
insert_key(Oid role, Datum *values)
{
	char		id[DYN_ACCESS_KEY_ID_LENGTH + 1] = ID_PREFIX;
	char		secret[DYN_SECRET_ACCESS_KEY_LENGTH + 1];
	bool		nulls[ACCESS_KEY_COLUMNS] = {false};

	dyn_random_id(id + strlen(ID_PREFIX),
				  DYN_ACCESS_KEY_ID_LENGTH - strlen(ID_PREFIX));
	random_text(secret, DYN_SECRET_ACCESS_KEY_LENGTH,
				"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
				64);
	values[ACCESS_KEY_ID - 1] = CStringGetTextDatum(id);
	values[ACCESS_KEY_SECRET - 1] = CStringGetTextDatum(secret);
	values[ACCESS_KEY_ROLE - 1] = ObjectIdGetDatum(role);
	values[ACCESS_KEY_ENABLED - 1] = BoolGetDatum(true);
	values[ACCESS_KEY_CREATED - 1] =
		TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	nulls[ACCESS_KEY_UNTIL - 1] = true;
	dyn_auth_insert(DYN_ACCESS_KEYS, values, nulls);
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
	Datum		values[ACCESS_KEY_COLUMNS];
	bool		nulls[2] = {false, false};
	TupleDesc	tupdesc;

	dyn_check_can_set_role(GetUserId(), role);
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	tupdesc = BlessTupleDesc(tupdesc);
	insert_key(role, values);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
}

static void
key_does_not_exist(Datum id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("access key \"%s\" does not exist",
					TextDatumGetCString(id))));
}

static void
read_role(void *arg, const Datum *values, const bool *nulls)
{
	*(Oid *) arg = DatumGetObjectId(values[ACCESS_KEY_ROLE - 1]);
}

/*
 * The role of an existing key, which the caller may become.  A key one may not
 * touch looks like one that is not there.
 */
static Oid
role_of_key(Datum id)
{
	Oid			role = InvalidOid;

	dyn_auth_scan(DYN_ACCESS_KEYS, F_TEXTEQ, id, read_role, &role);
	if (!OidIsValid(role) || !dyn_can_set_role(GetUserId(), role))
		key_does_not_exist(id);
	return role;
}

/* Run a command on one existing key; its id is the first of values. */
static void
change_access_key(const char *command, int nargs, Oid *types, Datum *values)
{
	role_of_key(values[0]);
	if (dyn_auth_execute(command, nargs, types, values, NULL) == 0)
		key_does_not_exist(values[0]);
}

/*
 * dynamo.rotate_access_key(access_key_id text, overlap interval)
 * returns (access_key_id, secret_access_key)
 *
 * The old key does not live longer than it would have.
 */
Datum
dyn_rotate_access_key(PG_FUNCTION_ARGS)
{
	Oid			types[2] = {TEXTOID, INTERVALOID};
	Datum		arguments[2] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};
	Oid			role = role_of_key(arguments[0]);
	Datum		values[ACCESS_KEY_COLUMNS];
	bool		nulls[2] = {false, false};
	TupleDesc	tupdesc;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	tupdesc = BlessTupleDesc(tupdesc);
	change_access_key("UPDATE dynamo.access_keys"
					  " SET valid_until = least(valid_until, now() + $2)"
					  " WHERE access_key_id = $1", 2, types, arguments);
	insert_key(role, values);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
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
