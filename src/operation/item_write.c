/*-------------------------------------------------------------------------
 *
 * item_write.c
 *		What PutItem, UpdateItem and DeleteItem have in common.
 *
 * src/operation/item_write.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression/legacy.h"
#include "item/item_json.h"
#include "miscadmin.h"
#include "operation/item_write.h"
#include "store/store.h"

/* In the order in which the service's message names them. */
static const char *const legacy_members[] = {
	"Expected", "ConditionalOperator", NULL
};
static const char *const expression_members[] = {
	"ConditionExpression", NULL
};
static const char *const no_members[] = {NULL};
static const char *const update_legacy_members[] = {
	"AttributeUpdates", "Expected", "ConditionalOperator", NULL
};
static const char *const update_expression_members[] = {
	"UpdateExpression", "ConditionExpression", NULL
};

void
dyn_item_write_check_on_failure(DynItemWrite *write, DynViolations *v,
								const DynJson *request)
{
	const DynJson *on_failure = dyn_request_member(request,
												   "ReturnValuesOnConditionCheckFailure");

	write->return_old_on_failure =
		dyn_member_enum(v, on_failure, &dyn_enum_return_on_failure, 0,
						"returnValuesOnConditionCheckFailure") == 1;
}

void
dyn_item_write_check_members(DynItemWrite *write, DynViolations *v,
							 const DynJson *request)
{
	dyn_item_write_check_on_failure(write, v, request);
	dyn_request_check_conditions(v, request, "Expected");
	write->join_with_or = dyn_request_conditional_or(v, request);
}

void
dyn_item_write_check_mix(const DynJson *request, bool has_update)
{
	if (has_update)
		dyn_request_check_mix(request, update_legacy_members,
							  update_expression_members, true);
	else
		dyn_request_check_mix(request, legacy_members, expression_members, true);
}

void
dyn_item_write_check_action_mix(const DynJson *action, bool has_update)
{
	dyn_request_check_mix(action, no_members,
						  has_update ? update_expression_members :
						  expression_members, true);
}

void
dyn_item_write_expressions(DynItemWrite *write, const DynJson *request,
						   bool has_update)
{
	const DynJson *expected = dyn_request_member(request, "Expected");
	const DynJson *updates = !has_update ? NULL :
		dyn_request_member(request, "AttributeUpdates");

	if (updates != NULL)
		write->update = dyn_legacy_attribute_updates(updates);
	if (expected != NULL)
		write->condition = dyn_legacy_expected(expected, write->join_with_or);
	dyn_request_check_conditional_operator(request, "Expected");
	(void) dyn_item_write_action_expressions(write, request, has_update);
}

uint64
dyn_item_write_action_expressions(DynItemWrite *write, const DynJson *request,
								  bool has_update)
{
	DynPlaceholders *placeholders;
	const char *text;
	uint32		len;

	placeholders = dyn_request_placeholders(request, true);
	if (has_update &&
		(text = dyn_request_string(request, "UpdateExpression", &len)) != NULL)
		write->update = dyn_update_create(text, len, placeholders);
	if (dyn_request_member(request, "ConditionExpression") != NULL)
		write->condition = dyn_request_condition(request, "ConditionExpression",
												 DYN_EXPRESSION_CONDITION,
												 placeholders);
	dyn_placeholders_check_used(placeholders);
	return dyn_placeholders_values_size(placeholders);
}

void
dyn_item_write_ask(DynItemWrite *write, DynPermission permission)
{
	DynAuthorization *a = &write->authorization;

	a->permission = permission;
	if (a->return_values == NULL)
		a->return_values = dyn_enum_return_values.values[write->return_values];
	a->return_old_on_failure = write->return_old_on_failure;
}

void
dyn_item_write_decide(DynItemWrite *write, const DynItem *argument)
{
	DynAuthorization *a = &write->authorization;

	if (dyn_authorization_depends(a))
	{
		dyn_authorization_key(a, 0, &write->key.partition);
		dyn_authorization_item(a, argument);
		dyn_authorization_condition(a, write->condition);
		dyn_authorization_update(a, write->update);
	}
	dyn_authorization_decide(a);
}

void
dyn_item_write_check_paths(const DynItemWrite *write)
{
	if (write->update != NULL)
		dyn_request_check_update_targets(write->table, write->update);
	dyn_request_check_key_paths(write->table, write->condition, NULL);

	/* An index can't take it, whatever the item and the condition. */
	if (write->update != NULL && write->table->nindexes > 0)
		dyn_index_write_check_update(write->table, NULL,
									 dyn_update_constants(write->update));
}

static DynOutcome
condition_failed(DynOperationContext *context, const DynItemWrite *write)
{
	context->failure.exception = DYN_EXCEPTION_CONDITIONAL_CHECK_FAILED;
	context->failure.message = "The conditional request failed";
	context->failure.members = NULL;
	if (write->return_old_on_failure && write->old != NULL)
	{
		StringInfoData members;
		DynJsonWriter w;

		initStringInfo(&members);
		dyn_json_writer_init(&w, &members);
		dyn_json_write_key(&w, "Item");
		dyn_json_write_item(&w, write->old);
		context->failure.members = members.data;
	}
	return DYN_OUTCOME_FAILED;
}

DynOutcome
dyn_item_write_run(DynOperationContext *context, DynItemWrite *write)
{
	DynStoreWrite store = {0};

	Assert(write->authorization.effect == DYN_EFFECT_ALLOW);
	for (;;)
	{
		if (dyn_store_begin(write->table, &write->key, context->may_wait,
							&store) == DYN_STORE_BUSY)
			return DYN_OUTCOME_BUSY;
		write->old = store.old;
		if (write->condition != NULL &&
			!dyn_condition_evaluate(write->condition, write->old))
			return condition_failed(context, write);

		write->new_item = write->apply(write);
		dyn_collection_check(write->table, &write->key, write->old, write->new_item);
		switch (dyn_store_finish(&store, write->new_item))
		{
			case DYN_STORE_OK:
				return DYN_OUTCOME_DONE;
			case DYN_STORE_BUSY:
				return DYN_OUTCOME_BUSY;
			case DYN_STORE_CHANGED:
				CHECK_FOR_INTERRUPTS();
				break;
		}
	}
}

void
dyn_item_write_reply(const DynItemWrite *write, const DynJson *request,
					 const DynItem *attributes, StringInfo reply)
{
	DynJsonWriter w;

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	if (attributes != NULL)
	{
		dyn_json_write_key(&w, "Attributes");
		dyn_json_write_item(&w, attributes);
	}
	if (write->return_collections)
		dyn_collection_write(&w, write->table, &write->key);
	/* Sizes are computed only when asked for: they walk the whole item. */
	if (write->return_capacity != DYN_RETURN_CAPACITY_NONE)
	{
		DynCapacity capacity = {0};

		dyn_write_charge(&capacity, write->table, &write->key, write->old,
						 write->new_item, 1);
		dyn_capacity_write(&w, write->return_capacity, request, &capacity);
	}
	dyn_json_end_object(&w);
}
