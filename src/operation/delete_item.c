/*-------------------------------------------------------------------------
 *
 * delete_item.c
 *		DeleteItem: delete one item by its key.
 *
 * src/operation/delete_item.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "item/item_json.h"
#include "operation/item_write.h"

static DynItem *
apply_delete(const DynItemWrite *write)
{
	return NULL;
}

DynOutcome
dyn_delete_item(DynOperationContext *context, const DynJson *request,
				StringInfo reply)
{
	const DynJson *key = dyn_request_member(request, "Key");
	const DynJson *return_values = dyn_request_member(request, "ReturnValues");
	DynItemWrite write = {.apply = apply_delete};
	DynViolations v = {0};
	DynItem    *argument;
	DynOutcome	outcome;

	write.return_capacity = dyn_request_return_capacity(&v, request);
	dyn_request_check_table_name(&v, request);
	write.return_values = dyn_member_enum(&v, return_values,
										  &dyn_enum_return_values,
										  DYN_RETURN_NONE, "returnValues");
	write.return_collections = dyn_request_item_collection_metrics(&v, request);
	dyn_member_require(&v, key, "key");
	dyn_item_write_check_members(&write, &v, request);
	dyn_violations_raise(&v);

	dyn_item_write_check_mix(request, false);
	argument = dyn_item_from_json(key);
	/* Same texts as PutItem's ReturnValuesOnConditionCheckFailure. */
	if (write.return_values != DYN_RETURN_NONE &&
		write.return_values != DYN_RETURN_ALL_OLD)
	{
		dyn_member_enum(&v, return_values, &dyn_enum_return_on_failure, 0,
						"returnValues");
		dyn_violations_raise(&v);
	}
	dyn_item_write_expressions(&write, request, false);

	dyn_item_write_ask(&write, DYN_MAY_DeleteItem);
	write.table = dyn_request_table(context, request, &write.authorization);
	dyn_key_from_argument(&write.table->schema, argument, &write.key);
	dyn_item_write_decide(&write, argument);
	dyn_authorization_finish(&write.authorization);
	dyn_item_write_check_paths(&write);

	outcome = dyn_item_write_run(context, &write);
	if (outcome == DYN_OUTCOME_DONE)
		dyn_item_write_reply(&write, request,
							 write.return_values == DYN_RETURN_ALL_OLD ?
							 write.old : NULL, reply);
	return outcome;
}
