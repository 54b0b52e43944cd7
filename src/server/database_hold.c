/*-------------------------------------------------------------------------
 *
 * database_hold.c
 *		Let go of a database somebody is about to drop, rename or copy.
 *
 * DROP DATABASE, ALTER DATABASE ... RENAME / SET TABLESPACE and CREATE DATABASE
 * ... TEMPLATE refuse a database that other sessions are connected to, and
 * wait for at most five seconds for them to leave by themselves.  Ours would
 * never leave.  So in the session that is about to run such a command for
 * dynamo.database, a hook raises database_holds, wakes the HTTP workers, which
 * exit, waits for that, and lets the command go on.  When its transaction has
 * ended, well or not, the hold is lifted and the launcher looks whether there
 * is a database to serve.
 *
 * Only somebody who may do such things to the database can cause that: the
 * owner is asked for here, before PostgreSQL checks the rest.
 *
 * src/server/database_hold.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/procarray.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "base/settings.h"
#include "base/shared_state.h"
#include "server/database_hold.h"

/* A worker that is busy longer than this makes the command fail, as usual. */
#define LONGEST_WAIT_MS 10000

static ProcessUtility_hook_type previous_process_utility;
static bool holding = false;	/* this session does */

bool
dyn_database_is_held(void)
{
	return pg_atomic_read_u32(&dyn_shared->database_holds) > 0;
}

/* The database a command needs for itself, or NULL. */
static const char *
database_needed_alone(Node *statement)
{
	ListCell   *cell;

	switch (nodeTag(statement))
	{
		case T_DropdbStmt:
			return ((DropdbStmt *) statement)->dbname;

		case T_RenameStmt:
			if (((RenameStmt *) statement)->renameType == OBJECT_DATABASE)
				return ((RenameStmt *) statement)->subname;
			return NULL;

		case T_AlterDatabaseStmt:
			foreach(cell, ((AlterDatabaseStmt *) statement)->options)
			{
				if (strcmp(lfirst_node(DefElem, cell)->defname, "tablespace") == 0)
					return ((AlterDatabaseStmt *) statement)->dbname;
			}
			return NULL;

		case T_CreatedbStmt:
			foreach(cell, ((CreatedbStmt *) statement)->options)
			{
				DefElem    *option = lfirst_node(DefElem, cell);

				if (strcmp(option->defname, "template") == 0 && option->arg)
					return defGetString(option);
			}
			return "template1";

		default:
			return NULL;
	}
}

static bool
must_let_go(Node *statement, ProcessUtilityContext context)
{
	const char *name;
	Oid			database;

	if (dyn_shared == NULL || holding || context != PROCESS_UTILITY_TOPLEVEL ||
		IsTransactionBlock() || !IsTransactionState())
		return false;
	name = database_needed_alone(statement);
	if (name == NULL || strcmp(name, dyn_database) != 0)
		return false;
	database = get_database_oid(name, true);
	return OidIsValid(database) && database != MyDatabaseId &&
		pg_database_ownercheck(database, GetUserId());
}

/*
 * The hold lasts until the transaction has ended: before that, nobody else can
 * see what became of the database.
 */
static void
end_hold(XactEvent event, void *arg)
{
	if (!holding || (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT))
		return;
	holding = false;
	pg_atomic_fetch_sub_u32(&dyn_shared->database_holds, 1);
	dyn_process_wake(&dyn_shared->launcher);
}

/*
 * Have a background job leave, in the middle of a statement if need be.  True if
 * it is still there.
 */
static bool
job_is_alive(DynProcess *process)
{
	pid_t		pid = pg_atomic_read_u32(&process->pid);

	if (pid != 0 && BackendPidGetProc(pid) != NULL)
		(void) kill(pid, SIGTERM);
	return pid != 0;
}

/*
 * Wait until no process of ours is left.  They don't tell us: commands like these
 * are too rare for that to be worth anything, so look every few milliseconds.
 */
static void
wait_for_workers(void)
{
	TimestampTz start = GetCurrentTimestamp();

	for (;;)
	{
		bool		alive = job_is_alive(&dyn_shared->scheduler) |
		job_is_alive(&dyn_shared->index_job);

		for (int i = 0; i < dyn_shared->nworkers; i++)
		{
			DynProcess *process = &dyn_shared->workers[i].process;

			if (pg_atomic_read_u32(&process->pid) != 0)
			{
				dyn_process_wake(process);
				alive = true;
			}
		}
		if (!alive ||
			TimestampDifferenceExceeds(start, GetCurrentTimestamp(),
									   LONGEST_WAIT_MS))
			return;
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 5, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
process_utility(PlannedStmt *pstmt, const char *query, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *environment, DestReceiver *dest,
				QueryCompletion *qc)
{
	if (must_let_go(pstmt->utilityStmt, context))
	{
		holding = true;
		pg_atomic_fetch_add_u32(&dyn_shared->database_holds, 1);
		pg_atomic_fetch_add_u32(&dyn_shared->database_holds_begun, 1);
		wait_for_workers();
	}

	if (previous_process_utility)
		previous_process_utility(pstmt, query, read_only_tree, context, params,
								 environment, dest, qc);
	else
		standard_ProcessUtility(pstmt, query, read_only_tree, context, params,
								environment, dest, qc);
}

void
dyn_database_hold_install(void)
{
	previous_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
	RegisterXactCallback(end_hold, NULL);
}
