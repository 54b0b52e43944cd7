/*-------------------------------------------------------------------------
 *
 * auth_catalog.c
 *		The tables that say who may sign requests, and what they may do.
 *
 * A trigger on each of them sends a relcache invalidation at every change, for
 * whichever way it came.  All caches of this directory have one generation:
 * changes are rare, and what they empty is quickly read again.
 *
 * src/auth/auth_catalog.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "auth/auth_catalog.h"
#include "base/compat.h"
#include "base/settings.h"
#include "base/statement.h"

#define MAX_COLUMNS 8

static const char *const names[DYN_AUTH_TABLES] = {
	[DYN_ACCESS_KEYS] = "access_keys",
	[DYN_SESSION_KEYS] = "session_keys",
	[DYN_POLICIES] = "policies",
	[DYN_ATTACHED_POLICIES] = "attached_policies",
	[DYN_PRINCIPALS] = "principals"
};

static uint64 generation = 1;
static Oid	oids[DYN_AUTH_TABLES];	/* as last seen */

static void
table_invalidated(Datum arg, Oid relation)
{
	bool		ours = relation == InvalidOid;

	for (int i = 0; i < DYN_AUTH_TABLES; i++)
		ours = ours || relation == oids[i];
	if (ours)
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
	/* Memberships have two caches; a change invalidates both. */
	CacheRegisterSyscacheCallback(AUTHMEMMEMROLE, role_invalidated, (Datum) 0);
	watching = true;
}

uint64
dyn_auth_generation(void)
{
	static char account[16];	/* names in ARNs have it */

	if (strcmp(account, dyn_account_id) != 0)
	{
		strlcpy(account, dyn_account_id, sizeof(account));
		generation++;
	}
	return generation;
}

static Oid
table_oid(DynAuthTable table)
{
	Oid			schema = get_namespace_oid("dynamo", true);

	Assert(IsTransactionState());
	watch_catalogs();
	oids[table] = OidIsValid(schema) ?
		get_relname_relid(names[table], schema) : InvalidOid;
	return oids[table];
}

Relation
dyn_auth_open(DynAuthTable table, LOCKMODE mode)
{
	Oid			oid = table_oid(table);

	return OidIsValid(oid) ? table_open(oid, mode) : NULL;
}

static int
scan(DynAuthTable table, int nkeys, ScanKey key, DynAuthVisitor visit,
	 void *arg)
{
	Relation	relation = dyn_auth_open(table, AccessShareLock);
	SysScanDesc desc;
	HeapTuple	tuple;
	int			rows = 0;

	if (relation == NULL)
		return 0;
	Assert(RelationGetDescr(relation)->natts <= MAX_COLUMNS);
	desc = systable_beginscan(relation, dyn_primary_key_index(relation),
							  nkeys > 0, NULL, nkeys, key);
	while (HeapTupleIsValid(tuple = systable_getnext(desc)))
	{
		Datum		values[MAX_COLUMNS];
		bool		nulls[MAX_COLUMNS];
		TupleDesc	columns = RelationGetDescr(relation);

		heap_deform_tuple(tuple, columns, values, nulls);
		for (int i = 0; i < columns->natts; i++)
			if (!nulls[i] && TupleDescAttr(columns, i)->attlen == -1)
				values[i] = PointerGetDatum(PG_DETOAST_DATUM(values[i]));
		visit(arg, values, nulls);
		rows++;
	}
	systable_endscan(desc);
	table_close(relation, AccessShareLock);
	return rows;
}

char *
dyn_auth_text(Datum value)
{
	char	   *string = TextDatumGetCString(value);

	return pg_server_to_any(string, strlen(string), PG_UTF8);
}

int
dyn_auth_scan(DynAuthTable table, Oid equality, Datum key,
			  DynAuthVisitor visit, void *arg)
{
	ScanKeyData scankey;

	/* Columns of text have collation "C", as ScanKeyInit() supposes. */
	ScanKeyInit(&scankey, 1, BTEqualStrategyNumber, equality, key);
	return scan(table, 1, &scankey, visit, arg);
}

int
dyn_auth_scan_all(DynAuthTable table, DynAuthVisitor visit, void *arg)
{
	return scan(table, 0, NULL, visit, arg);
}

static void
require_table(DynAuthTable table)
{
	if (!OidIsValid(table_oid(table)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s.%s\" does not exist",
						"dynamo", names[table])));
}

void
dyn_auth_insert(DynAuthTable table, Datum *values, bool *nulls)
{
	Relation	relation;

	require_table(table);
	PreventCommandIfReadOnly("INSERT");
	PreventCommandDuringRecovery("INSERT");
	relation = dyn_auth_open(table, RowExclusiveLock);
	CatalogTupleInsert(relation, heap_form_tuple(RelationGetDescr(relation),
												 values, nulls));
	/* No trigger fires. */
	CacheInvalidateRelcache(relation);
	table_close(relation, NoLock);
	CommandCounterIncrement();
}

uint64
dyn_auth_execute(const char *command, int nargs, Oid *types, Datum *values,
				 const char *nulls)
{
	HeapTuple	tuple;
	Oid			owner;
	uint64		rows;

	require_table(DYN_ACCESS_KEYS);
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oids[DYN_ACCESS_KEYS]));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u",
			 oids[DYN_ACCESS_KEYS]);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	SPI_connect();
	rows = dyn_statement_run(owner, command, nargs, types, values, nulls);
	SPI_finish();
	return rows;
}
