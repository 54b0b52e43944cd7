/*-------------------------------------------------------------------------
 *
 * process.c
 *		What every background process of the endpoint does alike.
 *
 * src/base/process.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/prepare.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "storage/sinval.h"
#include "utils/guc.h"
#include "utils/portal.h"

#include "base/process.h"

static volatile sig_atomic_t stop_requested = false;

/*
 * SIGTERM: by a fast shutdown, DROP DATABASE ... WITH (FORCE) or
 * pg_terminate_backend().  PostgreSQL's own handler would end the process in
 * the middle of a request with a FATAL message and exit code 1, which looks
 * like a failure.  Ours cancels what is running, as SIGINT does, and the main
 * loop leaves in order.  A wait for a synchronous standby only ends for
 * QueryCancelPending (or ProcDiePending), so this reaches it too.
 */
static void
handle_sigterm(SIGNAL_ARGS)
{
	int			save_errno = errno;

	stop_requested = true;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
	errno = save_errno;
}

static void
override(const char *name, const char *value)
{
	SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE);
}

void
dyn_process_start(const char *name)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, handle_sigterm);

	/*
	 * What an administrator sets for all sessions, ours must not follow:
	 * operations are written for READ COMMITTED, and names in our own queries
	 * must mean what they say.  A lock that can't be had shortly makes a
	 * request wait in the retry queue, not the whole worker.  (Statement and
	 * idle timeouts are armed by PostgreSQL's main loop only, which we don't
	 * run.  default_transaction_read_only is honoured: see round.c.)
	 */
	override("default_transaction_isolation", "read committed");
	override("default_transaction_deferrable", "off");
	override("lock_timeout", "50ms");
	override("search_path", "pg_catalog, pg_temp");
	override("application_name", name);

	BackgroundWorkerUnblockSignals();
}

void
dyn_process_connect(Oid database)
{
	if (OidIsValid(database))
		BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	else
		BackgroundWorkerInitializeConnection(NULL, NULL, 0);
}

bool
dyn_process_interrupts(void)
{
	/*
	 * A cancel that comes when nothing is running has nothing to cancel, and
	 * must not hit the next request.  ProcDiePending is a conflict with
	 * recovery: it is not turned into an error but into an orderly exit.
	 */
	QueryCancelPending = false;
	if (dyn_process_must_stop())
		return false;

	CHECK_FOR_INTERRUPTS();
	ProcessCatchupInterrupt();
	if (!ConfigReloadPending)
		return false;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	return true;
}

bool
dyn_process_must_stop(void)
{
	return stop_requested || ProcDiePending;
}

void
dyn_process_forget_session(void)
{
	DropAllPreparedStatements();
	if (!IsTransactionState())
		return;
	PortalHashTableDeleteAll();

	/*
	 * By a name without a schema functions find a temporary table before any
	 * other, and its owner may have put a trigger on it.
	 */
	if ((MyXactFlags & XACT_FLAGS_ACCESSEDTEMPNAMESPACE) != 0)
		ResetTempTableNamespace();
}
