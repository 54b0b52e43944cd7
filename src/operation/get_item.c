/*-------------------------------------------------------------------------
 *
 * get_item.c
 *		GetItem: read one item by its key.
 *
 * src/operation/get_item.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression/legacy.h"
#include "item/item_json.h"
#include "operation/capacity.h"
#include "operation/request.h"
#include "store/store.h"

static const char *const legacy_members[] = {"AttributesToGet", NULL};
static const char *const expression_members[] = {"ProjectionExpression", NULL};

static DynProjection *
create_projection(const DynJson *request)
{
	const DynJson *names = dyn_request_member(request, "AttributesToGet");
	DynPlaceholders *placeholders;
	DynProjection *projection;

	if (names != NULL)
		return dyn_legacy_attributes_to_get(names);
	placeholders = dyn_request_placeholders(request, false);
	projection = dyn_request_projection(request, placeholders);
	dyn_placeholders_check_used(placeholders);
	return projection;
}

DynOutcome
dyn_get_item(DynOperationContext *context, const DynJson *request,
			 StringInfo reply)
{
	const DynJson *key_member = dyn_request_member(request, "Key");
	DynReturnCapacity return_capacity;
	DynProjection *projection;
	DynViolations v = {0};
	const DynTable *table;
	DynItem    *argument;
	DynItem    *item;
	DynKey		key;
	DynAuthorization authorization = {.permission = DYN_MAY_GetItem};
	DynJsonWriter w;

	return_capacity = dyn_request_return_capacity(&v, request);
	dyn_request_check_attributes_to_get(&v, request);
	dyn_request_check_table_name(&v, request);
	dyn_member_require(&v, key_member, "key");
	dyn_violations_raise(&v);

	dyn_request_check_mix(request, legacy_members, expression_members, false);
	argument = dyn_item_from_json(key_member);
	projection = create_projection(request);

	authorization.select = dyn_authorization_select(projection);
	table = dyn_request_table(context, request, &authorization);
	dyn_key_from_argument(&table->schema, argument, &key);
	dyn_authorization_get(&authorization, &key, argument, projection);
	dyn_authorization_finish(&authorization);
	dyn_request_check_key_paths(table, NULL, projection);
	item = dyn_store_get(table, &key);

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	/* A missing item is an empty reply, not an error. */
	if (item != NULL)
	{
		dyn_json_write_key(&w, "Item");
		if (projection == NULL)
			dyn_json_write_item(&w, item);
		else
			dyn_projection_write(&w, projection, item);
	}
	/* Charged on the stored item: a projection does not make a read cheaper. */
	if (return_capacity != DYN_RETURN_CAPACITY_NONE)
	{
		DynCapacity capacity = {0};

		capacity.table_units =
			dyn_read_units(item == NULL ? 0 : dyn_item_size(item),
						   dyn_request_bool(request, "ConsistentRead", false));
		dyn_capacity_write(&w, return_capacity, request, &capacity);
	}
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}
