/*-------------------------------------------------------------------------
 *
 * job.c
 *		What all background jobs do alike: transactions, waiting, pace.
 *
 * A table's owner decides what runs when its relation is written: functions in
 * indexes, triggers.  So a transaction on a table runs as that owner, as VACUUM
 * and REINDEX do, until it is over; and settings and cursors that such a function
 * leaves go, as nothing of it may reach what the process does as a superuser.
 * Where triggers fire, the transaction is not security-restricted, which would
 * forbid deferred ones.
 *
 * src/worker/job.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/wait_event.h"

#include "base/process.h"
#include "base/settings.h"
#include "base/statement.h"
#include "table/catalog.h"
#include "worker/job.h"

/* The store's key locks have 3 in this place of an advisory lock's tag, names 4. */
#define JOB_LOCK_CLASS 5

/* Who this process is between the transactions. */
static Oid	own_user;
static int	own_context;
static int	settings_level;		/* nesting of settings in the transaction */

/* The caller's, while a transaction on a table is open. */
static MemoryContext caller_context;

static void
begin(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();

	/* A session's default may be another one. */
	XactIsoLevel = XACT_READ_COMMITTED;
}

List *
dyn_jobs_find(bool time_to_live)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *jobs = NIL;
	SPITupleTable *rows;

	begin();
	if (OidIsValid(dyn_index_catalog_relation()))
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		SPI_connect();
		(void) dyn_statement_run(GetUserId(), time_to_live ?
								 "SELECT table_name, i.name, relation::pg_catalog.oid, false"
								 " FROM dynamo.indexes i, dynamo.tables t"
								 " WHERE t.name = table_name AND kind = 'TIME_TO_LIVE'"
								 " AND status = 'ACTIVE'" :
								 "SELECT table_name, i.name, relation::pg_catalog.oid,"
								 " status = 'DELETING', i.created"
								 " FROM dynamo.indexes i, dynamo.tables t"
								 " WHERE t.name = table_name AND status <> 'ACTIVE'"
								 " UNION ALL SELECT name, NULL, relation::pg_catalog.oid, false, created"
								 " FROM dynamo.tables WHERE sealing <> 'ENABLED'"
								 " ORDER BY 4 DESC, 5",
								 0, NULL, NULL, NULL);
		rows = SPI_tuptable;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			DynJob	   *job;
			bool		isnull;

			MemoryContextSwitchTo(context);
			job = palloc(sizeof(DynJob));
			job->table_name = SPI_getvalue(rows->vals[i], rows->tupdesc, 1);
			job->index_name = SPI_getvalue(rows->vals[i], rows->tupdesc, 2);
			job->relation = DatumGetObjectId(SPI_getbinval(rows->vals[i], rows->tupdesc,
														   3, &isnull));
			job->is_deletion = DatumGetBool(SPI_getbinval(rows->vals[i], rows->tupdesc,
														  4, &isnull));
			jobs = lappend(jobs, job);
		}
		SPI_finish();
		PopActiveSnapshot();
	}
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
	return jobs;
}

bool
dyn_job_is_allowed(const DynJob *job)
{
	MemoryContext context = CurrentMemoryContext;
	bool		allowed;

	begin();
	allowed = !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(job->relation)) ||
		pg_class_ownercheck(job->relation, GetUserId());
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
	return allowed;
}

static void
job_lock_tag(const DynJob *job, LOCKTAG *tag)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, job->relation, 0, JOB_LOCK_CLASS);
}

bool
dyn_job_claim(const DynJob *job, bool may_wait)
{
	MemoryContext context = CurrentMemoryContext;
	LOCKTAG		tag;
	bool		claimed;

	job_lock_tag(job, &tag);
	begin();
	claimed = LockAcquire(&tag, ExclusiveLock, true, !may_wait) != LOCKACQUIRE_NOT_AVAIL;
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
	return claimed;
}

void
dyn_job_release(const DynJob *job)
{
	LOCKTAG		tag;

	job_lock_tag(job, &tag);
	LockRelease(&tag, ExclusiveLock, true);
}

/* Any index of the table, of any kind, by name. */
static const DynIndex *
find_index(const DynTable *table, const char *name)
{
	for (int i = 0; i < table->nindexes; i++)
		if (strcmp(table->indexes[i].definition.name, name) == 0)
			return &table->indexes[i];
	return NULL;
}

static Oid
owner_of(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

static const DynTable *
begin_as_owner(const DynJob *job, LOCKMODE mode, const DynIndex **index,
			   int security_context)
{
	const DynTable *table;

	caller_context = CurrentMemoryContext;
	begin();
	if (mode != NoLock)
		LockRelationOid(job->relation, mode);

	/* The lock may have been held by a transaction that dropped the table. */
	AcceptInvalidationMessages();
	table = dyn_table_find(job->table_name, strlen(job->table_name));
	if (table != NULL && table->relation != job->relation)
		table = NULL;
	if (table != NULL && index != NULL)
	{
		*index = find_index(table, job->index_name);
		if (*index == NULL)
			table = NULL;
	}
	if (table == NULL)
	{
		CommitTransactionCommand();
		MemoryContextSwitchTo(caller_context);
		return NULL;
	}
	GetUserIdAndSecContext(&own_user, &own_context);
	SetUserIdAndSecContext(owner_of(table->relation),
						   own_context | security_context);
	settings_level = NewGUCNestLevel();
	PushActiveSnapshot(GetTransactionSnapshot());
	return table;
}

const DynTable *
dyn_job_begin(const DynJob *job, LOCKMODE mode, const DynIndex **index)
{
	return begin_as_owner(job, mode, index, SECURITY_RESTRICTED_OPERATION);
}

const DynTable *
dyn_job_begin_writing(const DynJob *job, const DynIndex **index)
{
	return begin_as_owner(job, NoLock, index, SECURITY_LOCAL_USERID_CHANGE);
}

void
dyn_job_commit(bool durable)
{
	int			save;

	AfterTriggerFireDeferred();
	if (IsBackgroundWorker)
		dyn_process_forget_session();
	AtEOXact_GUC(false, settings_level);
	PopActiveSnapshot();

	/* The variable and not the setting: for this one call. */
	save = synchronous_commit;
	if (!durable)
		synchronous_commit = SYNCHRONOUS_COMMIT_OFF;
	PG_TRY();
	{
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		synchronous_commit = save;
		PG_RE_THROW();
	}
	PG_END_TRY();
	synchronous_commit = save;
	SetUserIdAndSecContext(own_user, own_context);
	MemoryContextSwitchTo(caller_context);
	pgstat_report_stat(false);
}

void
dyn_job_wait_for_writers(const DynJob *job)
{
	MemoryContext context = CurrentMemoryContext;
	LOCKTAG		tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, job->relation);
	StartTransactionCommand();
	WaitForLockers(tag, ShareLock, false);
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
}

void
dyn_job_execute(const char *statement)
{
	MemoryContext context = CurrentMemoryContext;
	MemoryContext parse_context = AllocSetContextCreate(context, "dynamo job statement",
														ALLOCSET_DEFAULT_SIZES);
	PlannedStmt *planned;

	/* Longer than any of the transactions. */
	MemoryContextSwitchTo(parse_context);
	planned = makeNode(PlannedStmt);
	planned->commandType = CMD_UTILITY;
	planned->canSetTag = true;
	planned->utilityStmt = linitial_node(RawStmt, pg_parse_query(statement))->stmt;
	planned->stmt_location = -1;

	begin();
	PushActiveSnapshot(GetTransactionSnapshot());
	MemoryContextSwitchTo(parse_context);
	ProcessUtility(planned, statement, false, PROCESS_UTILITY_TOPLEVEL, NULL, NULL,
				   None_Receiver, NULL);
	if (ActiveSnapshotSet())
		PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
	MemoryContextDelete(parse_context);
	pgstat_report_stat(false);
}

void
dyn_job_sleep(long milliseconds)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 milliseconds, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	if (IsBackgroundWorker && ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
}

int64
dyn_job_clock_us(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return (int64) INSTR_TIME_GET_MICROSEC(now);
}

void
dyn_job_pace(int64 worked_us)
{
	static int64 owed_us = 0;

	CHECK_FOR_INTERRUPTS();
	if (!IsBackgroundWorker)
		return;
	owed_us += worked_us * (100 - dyn_background_share) / dyn_background_share;
	if (owed_us >= 1000)
	{
		int64		start = dyn_job_clock_us();

		dyn_job_sleep(owed_us / 1000);

		/* A latch may have ended it; and a long debt is forgotten. */
		owed_us = Max(0, Min(owed_us - (dyn_job_clock_us() - start), 100000));
	}
}
