/*-------------------------------------------------------------------------
 *
 * put_item.c
 *		PutItem: insert or replace one item.
 *
 * src/operation/put_item.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "base/wording.h"
#include "item/item_json.h"
#include "operation/item_write.h"

static DynItem *
apply_put(const DynItemWrite *write)
{
	return write->new_item;
}

DynOutcome
dyn_put_item(DynOperationContext *context, const DynJson *request,
			 StringInfo reply)
{
	const DynJson *item = dyn_request_member(request, "Item");
	DynItemWrite write = {.apply = apply_put};
	DynViolations v = {0};
	DynOutcome	outcome;

	/* A bad table name is reported alone. */
	dyn_request_check_table_name(&v, request);
	dyn_violations_raise(&v);
	dyn_member_require(&v, item, "item");
	write.return_capacity = dyn_request_return_capacity(&v, request);
	write.return_values =
		dyn_member_enum(&v, dyn_request_member(request, "ReturnValues"),
						&dyn_enum_return_values, DYN_RETURN_NONE, "returnValues");
	write.return_collections = dyn_request_item_collection_metrics(&v, request);
	dyn_item_write_check_members(&write, &v, request);
	dyn_violations_raise(&v);

	dyn_item_write_check_mix(request, false);
	write.new_item = dyn_item_from_json(item);
	if (write.return_values != DYN_RETURN_NONE &&
		write.return_values != DYN_RETURN_ALL_OLD)
		dyn_raise_request("ReturnValues can only be ALL_OLD or NONE");
	if (dyn_item_size(write.new_item) > DYN_MAX_ITEM_SIZE)
		dyn_raise(VALIDATION, "Item size has exceeded the maximum allowed size");
	dyn_item_write_expressions(&write, request, false);

	dyn_item_write_ask(&write, DYN_MAY_PutItem);
	write.table = dyn_request_table(context, request, &write.authorization);
	dyn_key_from_item(&write.table->schema, write.new_item, &write.key);
	dyn_item_write_decide(&write, write.new_item);
	dyn_authorization_finish(&write.authorization);
	dyn_index_write_check_put(write.table, write.new_item);
	dyn_item_write_check_paths(&write);

	outcome = dyn_item_write_run(context, &write);
	if (outcome == DYN_OUTCOME_DONE)
		dyn_item_write_reply(&write, request,
							 write.return_values == DYN_RETURN_ALL_OLD ?
							 write.old : NULL, reply);
	return outcome;
}
