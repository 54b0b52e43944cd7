/*-------------------------------------------------------------------------
 *
 * update_item.c
 *		UpdateItem: change attributes of one item, creating it if need be.
 *
 * src/operation/update_item.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "item/item_json.h"
#include "operation/item_write.h"

/* The item itself is a level of dyn_value_depth() that the service doesn't count. */
#define MAX_ITEM_DEPTH (DYN_MAX_NESTING_DEPTH + 1)

static const char *const actions[] = {"PUT", "ADD", "DELETE", NULL};
static const DynEnum action_enum = {"[ADD, PUT, DELETE]", actions};

DynItem *
dyn_update_item_apply(const DynItemWrite *write)
{
	DynItem    *result;
	DynValue	attributes;

	/* An update that only takes away makes no item. */
	if (write->old == NULL && write->update != NULL &&
		dyn_update_only_deletes(write->update))
		return NULL;

	result = dyn_update_apply(write->update, write->old,
							  dyn_key_item(&write->table->schema, &write->key));
	attributes = dyn_item_value(result);
	if (dyn_value_depth(&attributes) > MAX_ITEM_DEPTH)
		dyn_raise(VALIDATION, DYN_NESTED_TOO_DEEP);
	if (dyn_item_size(result) > DYN_MAX_ITEM_SIZE)
		dyn_raise(VALIDATION,
				  "Item size to update has exceeded the maximum allowed size");
	dyn_index_write_check_update(write->table, write->old, result);
	return result;
}

static void
check_attribute_updates(DynViolations *v, const DynJson *request)
{
	const DynJson *updates = dyn_request_member(request, "AttributeUpdates");
	const DynJson *entry;
	uint32		len;

	if (updates == NULL)
		return;
	for (entry = dyn_json_first(updates); entry; entry = dyn_json_next(entry))
		dyn_member_enum(v, dyn_request_member(entry, "Action"), &action_enum, 0,
						"attributeUpdates.%s.member.action",
						dyn_json_name(entry, &len));
}

/* What ReturnValues shows, or NULL for nothing. */
static const DynItem *
returned_attributes(const DynItemWrite *write)
{
	switch (write->return_values)
	{
		case DYN_RETURN_NONE:
			return NULL;
		case DYN_RETURN_ALL_OLD:
			return write->old;
		case DYN_RETURN_ALL_NEW:
			return write->new_item;
		case DYN_RETURN_UPDATED_OLD:
			if (write->update == NULL || write->old == NULL)
				return NULL;
			return dyn_update_touched(write->update, write->old);
		case DYN_RETURN_UPDATED_NEW:
			if (write->update == NULL || write->new_item == NULL)
				return NULL;
			return dyn_update_touched(write->update, write->new_item);
	}
	return NULL;
}

DynOutcome
dyn_update_item(DynOperationContext *context, const DynJson *request,
				StringInfo reply)
{
	const DynJson *key = dyn_request_member(request, "Key");
	DynItemWrite write = {.apply = dyn_update_item_apply};
	DynViolations v = {0};
	DynItem    *argument;
	DynOutcome	outcome;

	/* A bad table name is reported alone. */
	dyn_request_check_table_name(&v, request);
	dyn_violations_raise(&v);
	dyn_member_require(&v, key, "key");
	write.return_values =
		dyn_member_enum(&v, dyn_request_member(request, "ReturnValues"),
						&dyn_enum_return_values, DYN_RETURN_NONE, "returnValues");
	write.return_capacity = dyn_request_return_capacity(&v, request);
	write.return_collections = dyn_request_item_collection_metrics(&v, request);
	check_attribute_updates(&v, request);
	dyn_item_write_check_members(&write, &v, request);
	dyn_violations_raise(&v);

	dyn_item_write_check_mix(request, true);
	argument = dyn_item_from_json(key);
	dyn_item_write_expressions(&write, request, true);

	dyn_item_write_ask(&write, DYN_MAY_UpdateItem);
	write.table = dyn_request_table(context, request, &write.authorization);
	dyn_key_from_argument(&write.table->schema, argument, &write.key);
	dyn_item_write_decide(&write, argument);
	dyn_authorization_finish(&write.authorization);
	dyn_item_write_check_paths(&write);

	outcome = dyn_item_write_run(context, &write);
	if (outcome == DYN_OUTCOME_DONE)
		dyn_item_write_reply(&write, request, returned_attributes(&write), reply);
	return outcome;
}
