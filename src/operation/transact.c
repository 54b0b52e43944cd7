/*-------------------------------------------------------------------------
 *
 * transact.c
 *		What transactions have in common: reasons, order, all-or-nothing.
 *
 * A transaction must be able to fail without an error: it shares PostgreSQL's
 * transaction with other requests, which an error would take with it.  So all
 * that can go wrong goes wrong before anything is written.  Every item is
 * locked, also where there is none and where it is only looked at; then all
 * conditions are evaluated and all new items made; then they are written, and
 * nothing but a real error can happen any more.
 *
 * That is strict two-phase locking: whatever writes or checks items holds their
 * locks until it commits, and commits become visible before locks are let go.
 * So transactions and single writes are serialisable in the order of their
 * commits, and every snapshot is a state between two of them.
 *
 * Everybody locks in the order of tables and keys.  Who must not wait can't
 * run into a deadlock, but the order makes most of those who must give way do
 * so at their first item, holding nothing.
 *
 * src/operation/transact.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"

#include "base/limits.h"
#include "item/item_json.h"
#include "operation/batch.h"
#include "operation/transact.h"

void
dyn_transact_check_items(DynViolations *v, const DynJson *items)
{
	if (dyn_member_require(v, items, "transactItems"))
		dyn_member_length(v, items, 1, DYN_MAX_TRANSACT_ACTIONS, "transactItems");
}

bool
dyn_transact_try(DynReason *reason, void (*check) (void *arg), void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool passed = true;

	PG_TRY();
	{
		check(arg);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		if (geterrcode() != dyn_errcode(VALIDATION))
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		reason->code = DYN_REASON_VALIDATION_ERROR;
		reason->message = error->message;
		passed = false;
	}
	PG_END_TRY();
	return passed;
}

typedef struct KeyCheck
{
	const DynTable *table;
	const DynItem *item;
	bool		is_argument;
	DynKey	   *key;
} KeyCheck;

static void
check_key(void *arg)
{
	KeyCheck   *check = arg;

	if (check->is_argument)
		dyn_key_from_argument(&check->table->schema, check->item, check->key);
	else
		dyn_key_from_item(&check->table->schema, check->item, check->key);
}

bool
dyn_transact_key(DynReason *reason, const DynTable *table, const DynItem *item,
				 bool is_argument, DynKey *key)
{
	KeyCheck	check = {table, item, is_argument, key};

	dyn_key_refuse_empty(&table->schema, item);
	return dyn_transact_try(reason, check_key, &check);
}

static int
compare_keys(const void *a, const void *b)
{
	const DynTransactKey *x = a;
	const DynTransactKey *y = b;

	if (x->table->relation != y->table->relation)
		return x->table->relation < y->table->relation ? -1 : 1;
	return dyn_batch_compare_keys(x->key, y->key);
}

void
dyn_transact_sort(DynTransactKey *keys, int nkeys)
{
	qsort(keys, nkeys, sizeof(DynTransactKey), compare_keys);
	for (int i = 1; i < nkeys; i++)
		if (compare_keys(&keys[i - 1], &keys[i]) == 0)
			dyn_raise(VALIDATION,
					  "Transaction request cannot include multiple operations on one item");
}

/* ----- cancellation ----- */

static const char *
reason_name(const DynReason *reason)
{
	switch (reason->code)
	{
		case DYN_REASON_NONE:
			return "None";
		case DYN_REASON_CONDITIONAL_CHECK_FAILED:
			return "ConditionalCheckFailed";
		case DYN_REASON_DUPLICATE_ITEM:
			return "DuplicateItem";
		case DYN_REASON_ITEM_COLLECTION_SIZE_LIMIT_EXCEEDED:
			return "ItemCollectionSizeLimitExceeded";
		case DYN_REASON_TRANSACTION_CONFLICT:
			return "TransactionConflict";
		case DYN_REASON_VALIDATION_ERROR:
			return "ValidationError";
	}
	elog(ERROR, "unrecognized reason code: %d", (int) reason->code);
}

static const char *
reason_message(const DynReason *reason)
{
	switch (reason->code)
	{
		case DYN_REASON_NONE:
			return NULL;
		case DYN_REASON_CONDITIONAL_CHECK_FAILED:
			return "The conditional request failed";
		case DYN_REASON_DUPLICATE_ITEM:
			return "Duplicate primary key exists in table";
		case DYN_REASON_ITEM_COLLECTION_SIZE_LIMIT_EXCEEDED:
			return "Collection size exceeded.";
		case DYN_REASON_TRANSACTION_CONFLICT:
			return "Transaction is ongoing for the item.";
		case DYN_REASON_VALIDATION_ERROR:
			return reason->message;
	}
	return NULL;
}

static void
write_reason(DynJsonWriter *w, const DynReason *reason)
{
	dyn_json_begin_object(w);
	dyn_json_write_key(w, "Code");
	dyn_json_write_cstring(w, reason_name(reason));
	if (reason->code != DYN_REASON_NONE)
	{
		dyn_json_write_key(w, "Message");
		dyn_json_write_cstring(w, reason_message(reason));
	}
	if (reason->item != NULL)
	{
		dyn_json_write_key(w, "Item");
		dyn_json_write_item(w, reason->item);
	}
	dyn_json_end_object(w);
}

DynOutcome
dyn_transact_cancel(DynOperationContext *context, const DynReason *reasons,
					int nreasons)
{
	StringInfoData message;
	StringInfoData members;
	DynJsonWriter w;

	initStringInfo(&message);
	initStringInfo(&members);
	appendStringInfoString(&message,
						   "Transaction cancelled, please refer cancellation reasons for specific reasons [");
	dyn_json_writer_init(&w, &members);
	dyn_json_write_key(&w, "CancellationReasons");
	dyn_json_begin_array(&w);
	for (int i = 0; i < nreasons; i++)
	{
		appendStringInfo(&message, "%s%s", i == 0 ? "" : ", ",
						 reason_name(&reasons[i]));
		write_reason(&w, &reasons[i]);
	}
	dyn_json_end_array(&w);
	appendStringInfoChar(&message, ']');

	context->failure.exception = DYN_EXCEPTION_TRANSACTION_CANCELED;
	context->failure.message = message.data;
	context->failure.members = members.data;
	return DYN_OUTCOME_FAILED;
}

/* ----- writing ----- */

/* A transaction while it runs. */
typedef struct Run
{
	DynOperationContext *context;
	DynTransaction *transaction;
	DynReason  *reasons;		/* one for each action */
	DynTransactKey *order;		/* of locking */
} Run;

/* What can be said of an action's key and paths once its table is known. */
static void
check_action(void *arg)
{
	DynAction  *action = arg;

	if (action->kind == DYN_ACTION_PUT)
		dyn_index_write_check_put(action->write.table, action->write.new_item);
	dyn_item_write_check_paths(&action->write);
}

/*
 * False if an action's key is wrong.  Only the first such action is told, and
 * nothing is locked for it; but what is wrong with the request as a whole goes
 * before.
 */
static bool
set_keys(Run *run)
{
	DynTransaction *transaction = run->transaction;
	bool		valid = true;
	int			nkeys = 0;

	for (int i = 0; i < transaction->nactions; i++)
	{
		DynAction  *action = &transaction->actions[i];
		DynReason	reason = {0};
		bool		has_key = dyn_transact_key(&reason, action->write.table,
											   action->argument,
											   action->kind != DYN_ACTION_PUT,
											   &action->write.key);

		if (has_key)
		{
			run->order[nkeys].table = action->write.table;
			run->order[nkeys].key = &action->write.key;
			run->order[nkeys].position = i;
			nkeys++;
			dyn_item_write_decide(&action->write, action->argument);
			dyn_authorization_check(&action->write.authorization);
		}
		if ((!has_key || !dyn_transact_try(&reason, check_action, action)) && valid)
		{
			run->reasons[i] = reason;
			valid = false;
		}
	}
	dyn_transact_sort(run->order, nkeys);
	return valid;
}

/*
 * Lock and read all items.  BUSY: an item is held by somebody else.  At the
 * last try all of them are tried, to say which ones are.
 */
static DynOutcome
lock_items(Run *run)
{
	DynOperationContext *context = run->context;
	bool		busy = false;

	for (int i = 0; i < run->transaction->nactions; i++)
	{
		int			position = run->order[i].position;
		DynAction  *action = &run->transaction->actions[position];

		Assert(action->write.authorization.effect == DYN_EFFECT_ALLOW);
		if (dyn_store_lock(action->write.table, &action->write.key,
						   action->kind != DYN_ACTION_CHECK, context->may_wait,
						   &action->store) == DYN_STORE_OK)
		{
			action->write.old = action->store.old;
			continue;
		}
		run->reasons[position].code = DYN_REASON_TRANSACTION_CONFLICT;
		busy = true;
		if (!context->last_try)
		{
			context->holds_locks = i > 0;
			break;
		}
	}
	return busy ? DYN_OUTCOME_BUSY : DYN_OUTCOME_DONE;
}

/* Make the item an action leaves behind. */
static void
apply_action(void *arg)
{
	DynAction  *action = arg;

	if (action->kind == DYN_ACTION_UPDATE)
		action->write.new_item = dyn_update_item_apply(&action->write);
}

/*
 * Evaluate the conditions, make the new items.  False if the transaction is to
 * be cancelled: for the first action that can't be applied, which is then told
 * alone, or for all false conditions.
 */
static bool
evaluate(Run *run)
{
	DynTransaction *transaction = run->transaction;
	bool		passed = true;

	for (int i = 0; i < transaction->nactions; i++)
	{
		DynAction  *action = &transaction->actions[i];
		DynItemWrite *write = &action->write;
		DynReason  *reason = &run->reasons[i];

		if (write->condition != NULL &&
			!dyn_condition_evaluate(write->condition, write->old))
		{
			reason->code = action->is_insert ? DYN_REASON_DUPLICATE_ITEM :
				DYN_REASON_CONDITIONAL_CHECK_FAILED;
			reason->item = write->return_old_on_failure ? write->old : NULL;
			passed = false;
		}
		else if (!dyn_transact_try(reason, apply_action, action))
		{
			memset(run->reasons, 0, sizeof(DynReason) * i);
			return false;
		}
		else if (action->kind != DYN_ACTION_CHECK &&
				 dyn_collection_is_full(write->table, &write->key, write->old,
										write->new_item))
		{
			reason->code = DYN_REASON_ITEM_COLLECTION_SIZE_LIMIT_EXCEEDED;
			passed = false;
		}
	}
	return passed;
}

/* ----- capacity ----- */

static uint32
item_size(const DynItem *item)
{
	return item == NULL ? 0 : dyn_item_size(item);
}

/* One entry for each table, in the order in which the request names them. */
static int
init_capacities(const DynTransaction *transaction, DynCapacity *capacities,
				int *table_of)
{
	int			ntables = 0;

	for (int i = 0; i < transaction->nactions; i++)
	{
		const DynAction *action = &transaction->actions[i];
		int			j;

		for (j = 0; j < i; j++)
			if (transaction->actions[j].write.table->relation ==
				action->write.table->relation)
				break;
		if (j < i)
		{
			table_of[i] = table_of[j];
			continue;
		}
		table_of[i] = ntables;
		capacities[ntables].table_name = action->table_name;
		capacities[ntables].table_name_len = action->table_name_len;
		ntables++;
	}
	return ntables;
}

/*
 * What a repeated call will be charged for each table: reading the larger
 * image of each item, as it was in the first call.
 */
static void
set_token_units(const DynTransaction *transaction)
{
	DynToken   *token = transaction->token;
	DynCapacity capacities[DYN_MAX_TRANSACT_ACTIONS] = {0};
	int			table_of[DYN_MAX_TRANSACT_ACTIONS];

	token->nunits = init_capacities(transaction, capacities, table_of);
	token->units = palloc0(sizeof(int32) * token->nunits);
	for (int i = 0; i < transaction->nactions; i++)
	{
		const DynItemWrite *write = &transaction->actions[i].write;
		uint32		size = Max(item_size(write->old), item_size(write->new_item));

		token->units[table_of[i]] += 2 * (int32) dyn_read_units(size, true);
	}
}

static void
write_collections(DynJsonWriter *w, const DynTransaction *transaction)
{
	DynCollectionWrite writes[DYN_MAX_TRANSACT_ACTIONS];
	int			count = 0;

	for (int i = 0; i < transaction->nactions; i++)
	{
		const DynAction *action = &transaction->actions[i];

		if (action->kind != DYN_ACTION_CHECK)
			writes[count++] = (DynCollectionWrite)
			{
				action->table_name, action->table_name_len,
				action->write.table, &action->write.key
			};
	}
	dyn_collection_write_all(w, writes, count);
}

/* repeated: the token as the first call stored it, or NULL. */
static void
write_reply(const DynTransaction *transaction, const DynToken *repeated,
			StringInfo reply)
{
	DynJsonWriter w;

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	if (transaction->write_responses)
	{
		dyn_json_write_key(&w, "Responses");
		dyn_json_begin_array(&w);
		dyn_json_end_array(&w);
	}
	if (transaction->return_collections && repeated == NULL)
		write_collections(&w, transaction);
	if (transaction->return_capacity != DYN_RETURN_CAPACITY_NONE)
	{
		DynCapacity capacities[DYN_MAX_TRANSACT_ACTIONS] = {0};
		int			table_of[DYN_MAX_TRANSACT_ACTIONS];
		int			ntables = init_capacities(transaction, capacities, table_of);

		for (int i = 0; i < transaction->nactions && repeated == NULL; i++)
		{
			const DynItemWrite *write = &transaction->actions[i].write;

			/* A check is charged as a write that changes nothing. */
			dyn_write_charge(&capacities[table_of[i]], write->table, &write->key,
							 write->old,
							 transaction->actions[i].kind == DYN_ACTION_CHECK ?
							 write->old : write->new_item, 2);
		}
		for (int i = 0; i < ntables; i++)
		{
			capacities[i].of_transaction = repeated == NULL ?
				"WriteCapacityUnits" : "ReadCapacityUnits";
			if (repeated != NULL && i < repeated->nunits)
				capacities[i].table_units = repeated->units[i];
		}
		dyn_capacity_write_array(&w, transaction->return_capacity, capacities,
								 ntables);
	}
	dyn_json_end_object(&w);
}

/* ----- tokens ----- */

/*
 * What to say in place of outcome, given what was found under the token: the
 * call may be the repetition of one that was done.
 */
static DynOutcome
token_outcome(Run *run, DynStoreResult result, const DynToken *found,
			  DynOutcome outcome, StringInfo reply)
{
	DynOperationContext *context = run->context;

	switch (result)
	{
		case DYN_STORE_OK:
			return outcome;
		case DYN_STORE_BUSY:
			if (!context->last_try)
			{
				context->holds_locks = true;
				return DYN_OUTCOME_BUSY;
			}
			context->failure.exception = DYN_EXCEPTION_TRANSACTION_IN_PROGRESS;
			context->failure.message =
				"The transaction with the given request token is already in progress.";
			context->failure.members = NULL;
			return DYN_OUTCOME_FAILED;
		case DYN_STORE_CHANGED:
			if (found->content == run->transaction->token->content)
			{
				write_reply(run->transaction, found, reply);
				return DYN_OUTCOME_DONE;
			}
			context->failure.exception = DYN_EXCEPTION_IDEMPOTENT_PARAMETER_MISMATCH;
			context->failure.message =
				"The request uses a ClientRequestToken that was used with other parameters.";
			context->failure.members = NULL;
			return DYN_OUTCOME_FAILED;
	}
	return outcome;
}

/* The transaction can't be done; but perhaps it has been done already. */
static DynOutcome
give_up(Run *run, DynOutcome outcome, StringInfo reply)
{
	DynOperationContext *context = run->context;
	DynToken	found;

	if (run->transaction->token != NULL)
	{
		DynStoreResult result = dyn_token_find(run->transaction->token,
											   context->may_wait, &found);

		if (result != DYN_STORE_OK)
			return token_outcome(run, result, &found, outcome, reply);
	}
	if (outcome == DYN_OUTCOME_BUSY && !context->last_try)
		return outcome;
	return dyn_transact_cancel(context, run->reasons, run->transaction->nactions);
}

/* What was locked can only fail to be written with an error. */
static void
write_items(Run *run)
{
	for (int i = 0; i < run->transaction->nactions; i++)
	{
		DynAction  *action = &run->transaction->actions[run->order[i].position];

		if (action->kind == DYN_ACTION_CHECK)
			continue;
		CHECK_FOR_INTERRUPTS();
		if (dyn_store_finish(&action->store, action->write.new_item) != DYN_STORE_OK)
			elog(ERROR, "a locked item could not be written");
	}
}

DynOutcome
dyn_transact_write(DynOperationContext *context, DynTransaction *transaction,
				   StringInfo reply)
{
	int			n = transaction->nactions;
	Run			run = {context, transaction};
	bool		valid;

	run.reasons = palloc0(sizeof(DynReason) * n);
	run.order = palloc0(sizeof(DynTransactKey) * n);
	context->holds_locks = false;

	valid = set_keys(&run);
	dyn_authorization_end(context);
	if (!valid)
		return give_up(&run, DYN_OUTCOME_FAILED, reply);
	if (lock_items(&run) == DYN_OUTCOME_BUSY)
		return give_up(&run, DYN_OUTCOME_BUSY, reply);
	if (!evaluate(&run))
		return give_up(&run, DYN_OUTCOME_FAILED, reply);

	if (transaction->token != NULL)
	{
		DynToken	found;
		DynStoreResult result;

		set_token_units(transaction);
		result = dyn_token_insert(transaction->token, context->may_wait, &found);
		if (result != DYN_STORE_OK)
			return token_outcome(&run, result, &found, DYN_OUTCOME_DONE, reply);
	}
	write_items(&run);
	write_reply(transaction, NULL, reply);
	return DYN_OUTCOME_DONE;
}

/* ----- content ----- */

uint64
dyn_transact_content(const DynJson *json)
{
	DynJsonKind kind = dyn_json_kind(json);
	uint64		hash = (uint64) kind;
	const DynJson *child;
	const char *bytes;
	uint32		len;
	double		number;

	check_stack_depth();
	switch (kind)
	{
		case DYN_JSON_NULL:
		case DYN_JSON_FALSE:
		case DYN_JSON_TRUE:
			return hash;
		case DYN_JSON_NUMBER:
			number = dyn_json_number(json);
			return hash_bytes_extended((const unsigned char *) &number,
									   sizeof(number), kind);
		case DYN_JSON_STRING:
			bytes = dyn_json_string(json, &len);
			return hash_bytes_extended((const unsigned char *) bytes, len, kind);
		case DYN_JSON_ARRAY:
			for (child = dyn_json_first(json); child; child = dyn_json_next(child))
				hash = hash_combine64(hash, dyn_transact_content(child));
			return hash;
		case DYN_JSON_OBJECT:
			for (child = dyn_json_first(json); child; child = dyn_json_next(child))
			{
				/* Null is absent; and a sum has no order. */
				if (dyn_json_kind(child) == DYN_JSON_NULL)
					continue;
				bytes = dyn_json_name(child, &len);
				hash += hash_bytes_extended((const unsigned char *) bytes, len,
											dyn_transact_content(child));
			}
			return hash;
	}
	return hash;
}
