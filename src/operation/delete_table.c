/*-------------------------------------------------------------------------
 *
 * delete_table.c
 *		DeleteTable.
 *
 * The table is gone when the call returns, though the answer says DELETING.
 *
 * src/operation/delete_table.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "operation/table_description.h"
#include "operation/table_request.h"

DynOutcome
dyn_delete_table(DynOperationContext *context, const DynJson *request,
				 StringInfo reply)
{
	DynViolations v = {0};
	const DynJson *name = dyn_table_request_name(&v, request);
	const DynTable *table;

	dyn_violations_raise(&v);
	table = dyn_table_request_find(context, name, DYN_MAY_DeleteTable);
	if (table->deletion_protection)
		dyn_raise(VALIDATION,
				  "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.");
	dyn_table_check_not_updating(table);
	if (dyn_table_is_being_sealed(table))
		dyn_raise(RESOURCE_IN_USE,
				  DYN_STILL_IN_USE "Table: %s is in the process of being updated.",
				  table->name);
	dyn_reply_table_description(reply, "TableDescription", table, "DELETING", NULL,
								false);
	dyn_table_drop(table, context->may_wait);
	return DYN_OUTCOME_DONE;
}
