/*-------------------------------------------------------------------------
 *
 * describe_table.c
 *		DescribeTable.
 *
 * src/operation/describe_table.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "operation/table_description.h"
#include "operation/table_request.h"

DynOutcome
dyn_describe_table(DynOperationContext *context, const DynJson *request,
				   StringInfo reply)
{
	DynViolations v = {0};
	const DynJson *name = dyn_table_request_name(&v, request);
	const DynTable *table;

	dyn_violations_raise(&v);
	table = dyn_table_request_find(context, name, DYN_MAY_DescribeTable);
	dyn_reply_table_description(reply, "Table", table, dyn_table_status(table), NULL, false);
	return DYN_OUTCOME_DONE;
}
