/*-------------------------------------------------------------------------
 *
 * transact_get_items.c
 *		TransactGetItems: up to 100 items as they were at one moment.
 *
 * All are read from one snapshot, so nothing that is being written is in the
 * way.  The service, which has no snapshots, cancels the transaction then.
 *
 * src/operation/transact_get_items.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/snapmgr.h"

#include "base/limits.h"
#include "item/item_json.h"
#include "operation/transact.h"

static const char *const legacy_members[] = {NULL};
static const char *const expression_members[] = {"ProjectionExpression", NULL};

static void
check_members(DynViolations *v, const DynJson *items)
{
	const DynJson *element;
	int			number = 0;

	for (element = dyn_json_first(items); element; element = dyn_json_next(element))
	{
		const DynJson *json = dyn_request_member(element, "Get");

		number++;
		if (!dyn_member_require(v, json, "transactItems.%d.member.get", number))
			continue;
		v->prefix = psprintf("transactItems.%d.member.get.", number);
		dyn_member_require(v, dyn_request_member(json, "Key"), "key");
		dyn_request_check_table_name(v, json);
		v->prefix = NULL;
	}
}

static void
read_get(DynTransactGet *get, const DynJson *json)
{
	DynPlaceholders *placeholders;

	get->table_name = dyn_request_string(json, "TableName", &get->table_name_len);
	dyn_request_check_mix(json, legacy_members, expression_members, false);
	get->argument = dyn_item_from_json(dyn_request_member(json, "Key"));
	placeholders = dyn_request_placeholders(json, false);
	get->projection = dyn_request_projection(json, placeholders);
	dyn_placeholders_check_used(placeholders);
}

static void
check_paths(void *arg)
{
	DynTransactGet *get = arg;

	dyn_request_check_key_paths(get->table, NULL, get->projection);
}

static void
authorize(DynTransactGet *get)
{
	DynAuthorization *a = &get->authorization;

	if (dyn_authorization_depends(a))
		dyn_authorization_condition(a, get->filter);
	dyn_authorization_get(a, &get->key, get->argument, get->projection);
	dyn_authorization_decide(a);
	dyn_authorization_check(a);
}

/* False if a key is wrong; the first such one is told. */
static bool
set_keys(DynTransactGet *gets, int ngets, DynReason *reasons)
{
	DynTransactKey *order = palloc(sizeof(DynTransactKey) * ngets);
	bool		valid = true;
	int			nkeys = 0;

	for (int i = 0; i < ngets; i++)
	{
		DynTransactGet *get = &gets[i];
		DynReason	reason = {0};
		bool		has_key = dyn_transact_key(&reason, get->table, get->argument,
											   true, &get->key);

		if (has_key)
		{
			order[nkeys].table = get->table;
			order[nkeys].key = &get->key;
			order[nkeys].position = i;
			nkeys++;
			authorize(get);
		}
		if ((!has_key || !dyn_transact_try(&reason, check_paths, get)) && valid)
		{
			reasons[i] = reason;
			valid = false;
		}
	}
	dyn_transact_sort(order, nkeys);
	return valid;
}

/* BUSY: a table is being altered. */
static DynOutcome
read_items(DynOperationContext *context, DynTransactGet *gets, int ngets, DynReason *reasons)
{
	Snapshot	snapshot = RegisterSnapshot(GetTransactionSnapshot());
	DynOutcome	outcome = DYN_OUTCOME_DONE;
	uint64		size = 0;

	for (int i = 0; i < ngets; i++)
	{
		DynTransactGet *get = &gets[i];

		CHECK_FOR_INTERRUPTS();
		Assert(get->authorization.effect == DYN_EFFECT_ALLOW);
		if (dyn_store_get_at(get->table, &get->key, snapshot,
							 &get->item) == DYN_STORE_BUSY)
		{
			reasons[i].code = DYN_REASON_TRANSACTION_CONFLICT;
			outcome = DYN_OUTCOME_BUSY;
		}
		else if (get->item != NULL)
			size += dyn_item_size(get->item);
	}
	UnregisterSnapshot(snapshot);
	if (size > DYN_MAX_TRANSACT_SIZE)
		dyn_raise(VALIDATION,
				  "Collection size of items exceeded, which can also be caused by the aggregate size of the items in the transaction exceeding the 4MB limit");
	if (outcome == DYN_OUTCOME_BUSY && context->last_try)
		return dyn_transact_cancel(context, reasons, ngets);
	return outcome;
}

/* Member Item, if there is anything to show. */
static void
write_response(DynJsonWriter *w, const DynTransactGet *get)
{
	StringInfoData text;
	DynJsonWriter item;

	if (get->item == NULL ||
		(get->filter != NULL && !dyn_condition_evaluate(get->filter, get->item)))
		return;
	initStringInfo(&text);
	dyn_json_writer_init(&item, &text);
	if (get->write_item != NULL)
		get->write_item(&item, get->item, get->write_item_arg);
	else if (get->projection == NULL)
		dyn_json_write_item(&item, get->item);
	else
		dyn_projection_write(&item, get->projection, get->item);

	/* Unlike GetItem, the service shows no item of which nothing is shown. */
	if (text.len > strlen("{}"))
	{
		dyn_json_write_key(w, "Item");
		dyn_json_write_raw(w, text.data, text.len);
	}
}

static void
write_capacity(DynJsonWriter *w, DynReturnCapacity mode, const DynTransactGet *gets, int ngets)
{
	DynCapacity capacities[DYN_MAX_TRANSACT_ACTIONS] = {0};
	int			table_of[DYN_MAX_TRANSACT_ACTIONS];
	int			ntables = 0;

	for (int i = 0; i < ngets; i++)
	{
		const DynTransactGet  *get = &gets[i];
		int			j;

		for (j = 0; j < i; j++)
			if (gets[j].table->relation == get->table->relation)
				break;
		table_of[i] = j < i ? table_of[j] : ntables++;
		if (j == i)
		{
			capacities[table_of[i]].table_name = get->table_name;
			capacities[table_of[i]].table_name_len = get->table_name_len;
			capacities[table_of[i]].of_transaction = "ReadCapacityUnits";
		}
		capacities[table_of[i]].table_units +=
			2 * dyn_read_units(get->item == NULL ? 0 : dyn_item_size(get->item), true);
	}
	dyn_capacity_write_array(w, mode, capacities, ntables);
}

DynOutcome
dyn_transact_read(DynOperationContext *context, DynTransactGet *gets, int ngets,
				  DynReturnCapacity return_capacity, StringInfo reply)
{
	DynReason  *reasons = palloc0(sizeof(DynReason) * ngets);
	DynOutcome	outcome;
	bool		valid;
	DynJsonWriter w;

	valid = set_keys(gets, ngets, reasons);
	dyn_authorization_end(context);
	if (!valid)
		return dyn_transact_cancel(context, reasons, ngets);
	outcome = read_items(context, gets, ngets, reasons);
	if (outcome != DYN_OUTCOME_DONE)
		return outcome;

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "Responses");
	dyn_json_begin_array(&w);
	for (int i = 0; i < ngets; i++)
	{
		dyn_json_begin_object(&w);
		write_response(&w, &gets[i]);
		dyn_json_end_object(&w);
	}
	dyn_json_end_array(&w);
	if (return_capacity != DYN_RETURN_CAPACITY_NONE)
		write_capacity(&w, return_capacity, gets, ngets);
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}

/*
 * Run TransactGetItems.  Raises ValidationException,
 * ResourceNotFoundException; a key that doesn't fit its table cancels the
 * transaction.
 */
DynOutcome
dyn_transact_get_items(DynOperationContext *context, const DynJson *request,
					   StringInfo reply)
{
	const DynJson *items = dyn_request_member(request, "TransactItems");
	DynReturnCapacity return_capacity;
	DynViolations v = {0};
	const DynJson *element;
	DynTransactGet *gets;
	int			ngets;
	int			i = 0;

	return_capacity = dyn_request_return_capacity(&v, request);
	dyn_transact_check_items(&v, items);
	if (items != NULL && dyn_json_count(items) <= DYN_MAX_TRANSACT_ACTIONS)
		check_members(&v, items);
	dyn_violations_raise(&v);

	ngets = dyn_json_count(items);
	gets = palloc0(sizeof(DynTransactGet) * ngets);
	for (element = dyn_json_first(items); element; element = dyn_json_next(element))
		read_get(&gets[i++], dyn_request_member(element, "Get"));
	for (i = 0; i < ngets; i++)
	{
		DynAuthorization *a = &gets[i].authorization;

		a->permission = DYN_MAY_GetItem;
		a->request = request;
		a->enclosing_operation = "TransactGetItems";
		a->select = dyn_authorization_select(gets[i].projection);
		gets[i].table = dyn_operation_table(context, gets[i].table_name,
											gets[i].table_name_len, a);
	}
	return dyn_transact_read(context, gets, ngets, return_capacity, reply);
}
