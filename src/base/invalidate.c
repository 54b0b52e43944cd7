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

#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/inval.h"

PG_FUNCTION_INFO_V1(dyn_invalidate_relation);

/*
 * dynamo_internal.invalidate_relation() returns trigger: every backend's
 * relcache entry of the trigger's table is invalidated when the change commits.
 */
Datum
dyn_invalidate_relation(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						"dynamo_internal.invalidate_relation")));
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	return PointerGetDatum(NULL);
}
