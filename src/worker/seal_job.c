/*-------------------------------------------------------------------------
 *
 * seal_job.c
 *		Seal the items a table has, or open them; look after data keys.
 *
 * A table whose encryption was switched on or off has items of both kinds until
 * this has gone over it.  All of it can be taken again: an item that is as it
 * should be is left alone.
 *
 * src/worker/seal_job.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/statement.h"
#include "table/catalog.h"
#include "worker/backfill.h"
#include "worker/seal_job.h"

/*
 * NIST SP 800-38D allows 2^32 random nonces with a key.  A write seals the item
 * and, with a stream, two images of it.
 */
#define MAX_WRITES (INT64CONST(1) << 30)

/*
 * Writes are noted in the catalog when there are so many more.  What is not noted
 * yet is forgotten in a crash; there won't be a thousand of them.
 */
#define NOTED_WRITES (INT64CONST(1) << 20)

void
dyn_seal_job_run(const DynJob *job)
{
	const DynTable *table;

	/* From then on new items are as they should be. */
	dyn_job_wait_for_writers(job);
	if (!dyn_backfill(job))
		return;
	table = dyn_job_begin(job, AccessShareLock, NULL);
	if (table == NULL)
		return;
	(void) dyn_table_finish_sealing(table);
	dyn_job_commit(true);
}

static void
note_writes(void)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(NOTED_WRITES)};

	(void) dyn_statement_run(GetUserId(), "UPDATE dynamo.data_keys k"
							 " SET writes = writes + CASE WHEN now < counted THEN now ELSE now - counted END,"
							 " counted = now"
							 " FROM (SELECT data_key, dynamo_internal.writes_so_far(relation::oid) AS now"
							 "  FROM dynamo.tables WHERE data_key IS NOT NULL) t"
							 " WHERE key_id = data_key"
							 " AND (now < counted OR now - counted >= $1)",
							 lengthof(types), types, values, NULL);
}

/* Of one table; the next look finds the next one. */
static void
renew_data_key(void)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(MAX_WRITES)};
	const DynTable *table;
	char	   *name;

	(void) dyn_statement_run(GetUserId(), "SELECT name FROM dynamo.tables, dynamo.data_keys"
							 " WHERE key_id = data_key AND writes >= $1 LIMIT 1",
							 lengthof(types), types, values, NULL);
	if (SPI_processed == 0)
		return;
	name = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	name = pg_server_to_any(name, strlen(name), PG_UTF8);
	table = dyn_table_find(name, strlen(name));
	if (table != NULL && table->data_key != 0)
		dyn_table_renew_data_key(table);
}

void
dyn_data_keys_keep_up(void)
{
	MemoryContext context = CurrentMemoryContext;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	XactIsoLevel = XACT_READ_COMMITTED;
	if (OidIsValid(dyn_catalog_relation()))
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		SPI_connect();
		note_writes();
		renew_data_key();
		SPI_finish();
		PopActiveSnapshot();
	}
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
}
