/*-------------------------------------------------------------------------
 *
 * invalidate.c
 *		A trigger for catalogs of ours: backends forget what they have cached.
 *
 * The cache registers a relcache callback and looks out for the catalog's OID.
 * Row triggers, as logical replication fires no others; TRUNCATE invalidates
 * the relation by itself.
 *
 * src/base/invalidate.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/inval.h"

#include "base/shared_state.h"

PG_FUNCTION_INFO_V1(dyn_invalidate_relation);

/* This transaction has changed a catalog. */
static bool changed = false;

/* Once others can see the change, there may be work for background jobs. */
static void
wake_scheduler(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT &&
		event != XACT_EVENT_PREPARE)
		return;
	if (changed && event == XACT_EVENT_COMMIT && dyn_shared != NULL)
		dyn_process_wake(&dyn_shared->scheduler);
	changed = false;
}

/*
 * dynamo_internal.invalidate_relation() returns trigger: every backend's
 * relcache entry of the trigger's table is invalidated when the change commits.
 */
Datum
dyn_invalidate_relation(PG_FUNCTION_ARGS)
{
	static bool registered = false;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						"dynamo_internal.invalidate_relation")));
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	if (!registered)
		RegisterXactCallback(wake_scheduler, NULL);
	registered = true;
	changed = true;
	return PointerGetDatum(NULL);
}
