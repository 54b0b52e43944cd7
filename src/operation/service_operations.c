/*-------------------------------------------------------------------------
 *
 * service_operations.c
 *		Operations about the service itself: DescribeEndpoints, DescribeLimits.
 *
 * src/operation/service_operations.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "operation/table_request.h"

/* Minutes; what the service answers. */
#define ENDPOINT_CACHE_PERIOD 1440

DynOutcome
dyn_describe_endpoints(DynOperationContext *context, const DynJson *request,
					   StringInfo reply)
{
	DynJsonWriter w;

	dyn_request_authorize_account(context, DYN_MAY_DescribeEndpoints);

	/* Through SQL there is no endpoint to describe. */
	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "Endpoints");
	dyn_json_begin_array(&w);
	if (context->endpoint != NULL)
	{
		dyn_json_begin_object(&w);
		dyn_json_write_key(&w, "Address");
		dyn_json_write_cstring(&w, context->endpoint);
		dyn_json_write_key(&w, "CachePeriodInMinutes");
		dyn_json_write_int(&w, ENDPOINT_CACHE_PERIOD);
		dyn_json_end_object(&w);
	}
	dyn_json_end_array(&w);
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}

/*
 * The service's default quotas, which clients plan with.  Nothing enforces
 * them: a machine has no account to share.
 */
DynOutcome
dyn_describe_limits(DynOperationContext *context, const DynJson *request,
					StringInfo reply)
{
	DynJsonWriter w;

	dyn_request_authorize_account(context, DYN_MAY_DescribeLimits);
	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "AccountMaxReadCapacityUnits");
	dyn_json_write_int(&w, DYN_MAX_ACCOUNT_UNITS);
	dyn_json_write_key(&w, "AccountMaxWriteCapacityUnits");
	dyn_json_write_int(&w, DYN_MAX_ACCOUNT_UNITS);
	dyn_json_write_key(&w, "TableMaxReadCapacityUnits");
	dyn_json_write_int(&w, DYN_MAX_TABLE_UNITS);
	dyn_json_write_key(&w, "TableMaxWriteCapacityUnits");
	dyn_json_write_int(&w, DYN_MAX_TABLE_UNITS);
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}
