/*-------------------------------------------------------------------------
 *
 * index_job.c
 *		Bring about what the catalog says of a table's indexes.
 *
 *		CREATING --------------------------------------------> DELETING
 *			| wait for writers, drop_relations()				 | drop_relation()
 *			v													 | wait for writers
 *		CREATING, backfilling ------------------------------>	 v
 *			| dyn_backfill(), build()							(gone)
 *			v
 *		ACTIVE ---------------------------------------------->
 *
 * Every step looks at what is there and can be taken again: a job that was
 * broken off by a crash or by DeleteTable begins anew.  The catalog's row, and
 * with it the slot, is taken away last.
 *
 * src/worker/index_job.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/memutils.h"

#include "base/shared_state.h"
#include "base/statement.h"
#include "worker/backfill.h"
#include "worker/index_job.h"

/*
 * The statement that drops one of PostgreSQL's indexes on the slot, or NULL; in
 * context.
 * The descriptor does not know those that a crash left half dropped.
 */
static char *
drop_statement(const DynIndex *index, Oid relation, bool only_invalid,
			   MemoryContext context)
{
	Oid			types[] = {OIDOID, INT4OID, BOOLOID};
	Datum		values[] = {ObjectIdGetDatum(relation),
	Int32GetDatum(DYN_ATTNUM_SLOT(index->slot)), BoolGetDatum(only_invalid)};
	char	   *statement = NULL;

	SPI_connect();
	(void) dyn_statement_run(GetUserId(), "SELECT pg_catalog.format('DROP INDEX CONCURRENTLY IF EXISTS %I.%I',"
							 " nspname, relname)"
							 " FROM pg_catalog.pg_index, pg_catalog.pg_class c,"
							 " pg_catalog.pg_namespace n, pg_catalog.pg_am a"
							 " WHERE c.oid = indexrelid AND n.oid = relnamespace"
							 " AND a.oid = relam AND amname = 'dynamo_key'"
							 " AND indrelid = $1 AND indnatts = 1 AND indkey[0] = $2"
							 " AND NOT (indisvalid AND $3) LIMIT 1",
							 lengthof(types), types, values, NULL);
	if (SPI_processed > 0)
		statement = MemoryContextStrdup(context,
										SPI_getvalue(SPI_tuptable->vals[0],
													 SPI_tuptable->tupdesc, 1));
	SPI_finish();
	return statement;
}

/*
 * Drop PostgreSQL's indexes on the slot: with only_invalid those that a crash
 * left unfinished.
 */
static void
drop_relations(const DynJob *job, bool only_invalid)
{
	MemoryContext context = CurrentMemoryContext;

	for (;;)
	{
		const DynIndex *index;
		char	   *statement;

		if (dyn_job_begin(job, NoLock, &index) == NULL)
			return;
		statement = drop_statement(index, job->relation, only_invalid, context);
		dyn_job_commit(false);
		if (statement == NULL)
			return;
		dyn_job_execute(statement);
		pfree(statement);
	}
}

/* False: the index is to be deleted now. */
static bool
build(const DynJob *job)
{
	MemoryContext context = CurrentMemoryContext;
	const DynIndex *index;
	const DynTable *table = dyn_job_begin(job, NoLock, &index);
	char	   *statement = NULL;
	bool		wanted;

	if (table == NULL)
		return false;
	wanted = index->status == DYN_INDEX_CREATING;
	if (wanted && !index->valid)
		statement = MemoryContextStrdup(context,
										dyn_index_create_statement(table, index->slot, true));
	dyn_job_commit(false);
	if (statement != NULL)
	{
		dyn_job_execute(statement);
		pfree(statement);
	}
	return wanted;
}

/* Take the last step in the catalog. */
static void
finish(const DynJob *job, bool (*step) (const DynTable *table, const DynIndex *index))
{
	const DynIndex *index;
	const DynTable *table = dyn_job_begin(job, AccessShareLock, &index);

	if (table == NULL)
		return;
	(void) step(table, index);
	dyn_job_commit(true);
}

static DynIndexStatus
look(const DynJob *job, bool *exists)
{
	const DynIndex *index;
	DynIndexStatus status = DYN_INDEX_ACTIVE;

	*exists = dyn_job_begin(job, NoLock, &index) != NULL;
	if (*exists)
	{
		status = index->status;
		dyn_job_commit(false);
	}
	return status;
}

/* For pg_stat_activity. */
static void
report(const DynJob *job, const char *what)
{
	char		activity[NAMEDATALEN + 2 * 256];

	if (!IsBackgroundWorker)
		return;
	snprintf(activity, sizeof(activity), "%s index %s of table %s", what,
			 job->index_name, job->table_name);
	pgstat_report_activity(STATE_RUNNING, activity);
}

static void
create_index(const DynJob *job)
{
	report(job, "waiting for writers before backfilling");
	dyn_job_wait_for_writers(job);
	drop_relations(job, true);
	report(job, "backfilling");
	if (!dyn_backfill(job))
		return;
	report(job, "building");
	if (build(job))
		finish(job, dyn_index_activate);
}

static void
delete_index(const DynJob *job)
{
	/*
	 * Who still keeps the slot must not outlive the row: its entries would be
	 * taken for those of the slot's next index.
	 */
	report(job, "deleting");
	drop_relations(job, false);
	dyn_job_wait_for_writers(job);
	finish(job, dyn_index_forget);
}

void
dyn_index_job_run(const DynJob *job)
{
	bool		exists;

	/* A deletion may come while the index is being made. */
	for (;;)
	{
		DynIndexStatus status = look(job, &exists);

		if (!exists || status == DYN_INDEX_ACTIVE)
			break;
		if (dyn_shared != NULL && IsBackgroundWorker)
			pg_atomic_write_u32(&dyn_shared->index_job_creates,
								status == DYN_INDEX_CREATING);
		if (status == DYN_INDEX_CREATING)
			create_index(job);
		else
			delete_index(job);
	}
}
