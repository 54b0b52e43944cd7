/*-------------------------------------------------------------------------
 *
 * transact_write_items.c
 *		TransactWriteItems: up to 100 puts, updates, deletes and checks, all
 *		or none.
 *
 * What is wrong with the request itself is an exception of its own; what is
 * wrong with an action in view of its table or its item cancels the
 * transaction (transact.c).
 *
 * src/operation/transact_write_items.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "item/item_json.h"
#include "operation/transact.h"

/* The members of an action's wrapper, by DynActionKind. */
static const struct
{
	const char *member;
	const char *path;			/* as constraints name it */
	const char *argument;		/* Key or Item */
	const char *argument_path;
	DynPermission permission;
}			kinds[] = {
	[DYN_ACTION_CHECK] = {"ConditionCheck", "conditionCheck", "Key", "key", DYN_MAY_ConditionCheckItem},
	[DYN_ACTION_PUT] = {"Put", "put", "Item", "item", DYN_MAY_PutItem},
	[DYN_ACTION_UPDATE] = {"Update", "update", "Key", "key", DYN_MAY_UpdateItem},
	[DYN_ACTION_DELETE] = {"Delete", "delete", "Key", "key", DYN_MAY_DeleteItem},
};

/* The one action of an element; NULL and kind is open unless it is exactly one. */
static const DynJson *
single_action(const DynJson *element, DynActionKind *kind)
{
	const DynJson *found = NULL;

	for (int i = 0; i < lengthof(kinds); i++)
	{
		const DynJson *member = dyn_request_member(element, kinds[i].member);

		if (member == NULL)
			continue;
		if (found != NULL)
			return NULL;
		found = member;
		*kind = (DynActionKind) i;
	}
	return found;
}

static void
check_action_members(DynViolations *v, const DynJson *action, int kind, int number)
{
	v->prefix = psprintf("transactItems.%d.member.%s.", number, kinds[kind].path);
	dyn_member_require(v, dyn_request_member(action, kinds[kind].argument), "%s",
					   kinds[kind].argument_path);
	if (kind == DYN_ACTION_UPDATE)
		dyn_member_require(v, dyn_request_member(action, "UpdateExpression"),
						   "updateExpression");
	if (kind == DYN_ACTION_CHECK)
		dyn_member_require(v, dyn_request_member(action, "ConditionExpression"),
						   "conditionExpression");
	dyn_request_check_table_name(v, action);
	v->prefix = NULL;
}

static void
check_members(DynViolations *v, const DynJson *items)
{
	const DynJson *element;
	int			number = 0;

	for (element = dyn_json_first(items); element; element = dyn_json_next(element))
	{
		number++;
		for (int i = 0; i < lengthof(kinds); i++)
		{
			const DynJson *action = dyn_request_member(element, kinds[i].member);

			if (action != NULL)
				check_action_members(v, action, i, number);
		}
	}
}

/*
 * One action, as far as it can be checked before the others.  Returns what it
 * counts of the request's size: item or key, and expression values.
 */
static uint64
read_action(DynOperationContext *context, const DynJson *request,
			DynAction *action, const DynJson *element, int number)
{
	DynViolations v = {0};
	DynAuthorization *a = &action->write.authorization;
	uint64		size;
	const DynJson *json = single_action(element, &action->kind);
	DynItemWrite *write = &action->write;

	if (json == NULL)
		dyn_raise(VALIDATION,
				  "TransactItems can only contain one of Check, Put, Update or Delete");
	action->table_name = dyn_request_string(json, "TableName",
											&action->table_name_len);

	dyn_item_write_check_action_mix(json, action->kind == DYN_ACTION_UPDATE);
	action->argument = dyn_item_from_json(dyn_request_member(json,
															 kinds[action->kind].argument));
	v.prefix = psprintf("transactItems.%d.member.%s.", number,
						kinds[action->kind].path);
	dyn_item_write_check_on_failure(write, &v, json);
	dyn_violations_raise(&v);
	if (action->kind == DYN_ACTION_PUT)
	{
		write->new_item = action->argument;
		if (dyn_item_size(write->new_item) > DYN_MAX_ITEM_SIZE)
			dyn_raise(VALIDATION, "Item size has exceeded the maximum allowed size");
	}
	size = dyn_item_size(action->argument) +
		dyn_item_write_action_expressions(write, json,
										  action->kind == DYN_ACTION_UPDATE);

	/* Told with the action; that there is no table is told after all actions. */
	a->request = request;
	a->enclosing_operation = "TransactWriteItems";
	dyn_item_write_ask(write, kinds[action->kind].permission);
	dyn_authorization_begin(a, context, action->table_name, action->table_name_len);
	dyn_authorization_check(a);
	if (a->table != NULL)
		dyn_key_refuse_empty(&a->table->schema, action->argument);
	return size;
}

/*
 * Run TransactWriteItems.  Raises ValidationException,
 * ResourceNotFoundException; a cancellation is an outcome.
 */
DynOutcome
dyn_transact_write_items(DynOperationContext *context, const DynJson *request,
						 StringInfo reply)
{
	const DynJson *items = dyn_request_member(request, "TransactItems");
	const DynJson *token_member = dyn_request_member(request, "ClientRequestToken");
	DynTransaction transaction = {0};
	DynToken	token = {DYN_TOKEN_TRANSACT_WRITE_ITEMS};
	DynViolations v = {0};
	const DynJson *element;
	uint64		size = 0;
	int			i = 0;

	dyn_member_length(&v, token_member, 1, DYN_MAX_REQUEST_TOKEN_LENGTH,
					  "clientRequestToken");
	transaction.return_capacity = dyn_request_return_capacity(&v, request);
	transaction.return_collections = dyn_request_item_collection_metrics(&v, request);
	dyn_transact_check_items(&v, items);
	if (items != NULL && dyn_json_count(items) <= DYN_MAX_TRANSACT_ACTIONS)
		check_members(&v, items);
	dyn_violations_raise(&v);

	transaction.nactions = dyn_json_count(items);
	transaction.actions = palloc0(sizeof(DynAction) * transaction.nactions);
	for (element = dyn_json_first(items); element; element = dyn_json_next(element), i++)
		size += read_action(context, request, &transaction.actions[i], element, i + 1);
	/* What the request brings, not what it meets. */
	if (size > DYN_MAX_TRANSACT_SIZE)
		dyn_raise(VALIDATION, "Transaction request size cannot exceed 4 MB");

	for (i = 0; i < transaction.nactions; i++)
	{
		DynAction  *action = &transaction.actions[i];

		action->write.table = dyn_authorized_table(&action->write.authorization);
	}
	if (token_member != NULL)
	{
		token.text = dyn_json_string(token_member, &token.len);
		token.content = dyn_transact_content(items);
		transaction.token = &token;
	}
	return dyn_transact_write(context, &transaction, reply);
}
