/*-------------------------------------------------------------------------
 *
 * batch_execute_statement.c
 *		BatchExecuteStatement: up to 25 PartiQL statements on one item each.
 *
 * Each stands alone: what is wrong with one is told in its response, and the
 * others are done.
 *
 * src/operation/batch_execute_statement.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "item/item_json.h"
#include "operation/batch.h"
#include "operation/statement_run.h"
#include "operation/transact.h"

#define MAX_STATEMENTS 25

typedef struct Member
{
	DynOperationContext *context;
	const DynJson *request;		/* all of it */
	const DynJson *block;
	DynStatement *statement;	/* NULL: not well formed */
	const DynTable *table;		/* NULL: not looked up, or not there */
	DynItemWrite write;
	DynItem    *argument;		/* Key, or the item of an INSERT */
	DynKey		key;
	bool		executed;		/* beyond all that can be checked before */
	bool		done;
	DynItem    *item;			/* to be shown */
	const char *error_code;		/* or NULL */
	const char *error_message;
	DynCapacity capacity;
} Member;

typedef struct Batch
{
	int			count;
	Member	   *members;
	bool		want_capacity;
} Batch;

static void
fail(Member *member, const char *code, const char *message)
{
	member->error_code = code;
	member->error_message = message;
	member->done = true;
}

/* Call check(member); what it raises is the member's error. */
static bool
try(Member *member, void (*check) (void *member))
{
	DynReason	reason = {0};

	if (dyn_transact_try(&reason, check, member))
		return true;
	fail(member, "ValidationError", reason.message);
	return false;
}

static void
parse(void *arg)
{
	Member	   *member = arg;

	member->statement = dyn_statement_read(member->block);
}

static bool
is_read(const Member *member)
{
	return dyn_statement_reads(member->statement);
}

/* Everything that can be said without reading an item. */
static void
prepare(void *arg)
{
	Member	   *member = arg;
	const DynStatement *statement = member->statement;

	if (statement->kind == DYN_STATEMENT_EXISTS)
		dyn_raise(VALIDATION, "EXISTS is only supported in ExecuteTransaction");
	if (!is_read(member))
	{
		if (statement->index != NULL)
			dyn_raise(VALIDATION, "This operation is not supported on an index");
		dyn_statement_prepare(statement, member->table, &member->write, &member->argument);
		if (statement->kind == DYN_STATEMENT_INSERT)
		{
			dyn_key_from_item(&member->table->schema, member->argument, &member->key);
			dyn_index_write_check_put(member->table, member->argument);
			return;
		}
	}
	else
	{
		member->argument = statement->index != NULL ? NULL :
			dyn_statement_key(statement, member->table);
		if (member->argument == NULL)
			dyn_raise(VALIDATION,
					  "Select statements within BatchExecuteStatement must specify the primary key in the where clause.");
		dyn_request_check_key_paths(member->table, statement->where,
									statement->projection);
	}
	dyn_key_from_argument(&member->table->schema, member->argument, &member->key);
}

static void
refuse(Member *member)
{
	fail(member, "AccessDenied", member->write.authorization.refusal);
}

static void
find_table(Member *member)
{
	const DynStatement *statement = member->statement;
	DynAuthorization *a = &member->write.authorization;

	dyn_statement_ask(a, statement, member->request, NULL, false);
	dyn_authorization_begin(a, member->context, statement->table, statement->table_len);
	member->table = a->table;
	if (a->effect == DYN_EFFECT_DENY)
		refuse(member);
	else if (member->table == NULL)
		fail(member, "ResourceNotFound", "Requested resource not found");
	else if (member->context->table_name == NULL)
		member->context->table_name = pstrdup(member->table->name);
}

static void
authorize(Member *member)
{
	DynItemWrite *write = &member->write;

	if (is_read(member) && dyn_authorization_depends(&write->authorization))
	{
		dyn_authorization_condition(&write->authorization, member->statement->where);
		dyn_authorization_projection(&write->authorization, member->statement->projection);
	}
	write->key = member->key;
	dyn_item_write_decide(write, member->argument);
	if (write->authorization.effect == DYN_EFFECT_DENY)
		refuse(member);
}

/* Look the table up and make ready what depends on it. */
static void
open_member(Member *member)
{
	find_table(member);
	if (!member->done && try(member, prepare))
		authorize(member);
}

static int
compare_members(const void *a, const void *b)
{
	const Member *x = *(Member *const *) a;
	const Member *y = *(Member *const *) b;

	if (x->table->relation != y->table->relation)
		return x->table->relation < y->table->relation ? -1 : 1;
	return dyn_batch_compare_keys(&x->key, &y->key);
}

/* Those that will be run, in the order in which everybody locks. */
static int
sort_members(Batch *batch, Member **order)
{
	int			n = 0;

	for (int i = 0; i < batch->count; i++)
		if (!batch->members[i].done)
			order[n++] = &batch->members[i];
	qsort(order, n, sizeof(Member *), compare_members);
	return n;
}

static Batch *
read_batch(DynOperationContext *context, const DynJson *request, const DynJson *list)
{
	Batch	   *batch = palloc0(sizeof(Batch));
	Member	   *order[MAX_STATEMENTS];
	const Member *first = NULL;
	int			n;

	batch->members = palloc0(sizeof(Member) * dyn_json_count(list));
	for (const DynJson *block = dyn_json_first(list); block; block = dyn_json_next(block))
	{
		Member	   *member = &batch->members[batch->count++];

		member->context = context;
		member->request = request;
		member->block = block;
		if (!try(member, parse))
			continue;
		if (first == NULL)
			first = member;
		if (is_read(member) != is_read(first))
			dyn_raise(VALIDATION,
					  "Read and write requests together in the same batch is not supported.");
	}
	for (int i = 0; i < batch->count; i++)
		if (!batch->members[i].done)
			open_member(&batch->members[i]);
	dyn_authorization_end(context);
	n = sort_members(batch, order);
	for (int i = 1; i < n; i++)
		if (compare_members(&order[i - 1], &order[i]) == 0)
			dyn_raise(VALIDATION, "Provided list of item keys contains duplicates");
	return batch;
}

/* What earlier runs have done stays as it is, should this one be rolled back. */
static Batch *
copy_batch(const Batch *progress)
{
	Batch	   *batch = palloc(sizeof(Batch));

	*batch = *progress;
	batch->members = palloc(sizeof(Member) * batch->count);
	memcpy(batch->members, progress->members, sizeof(Member) * batch->count);
	return batch;
}

static void
run_read(Member *member)
{
	const DynStatement *statement = member->statement;
	DynItem    *item;

	Assert(member->write.authorization.effect == DYN_EFFECT_ALLOW);
	item = dyn_store_get(member->table, &member->key);

	member->capacity.table_units =
		dyn_read_units(item == NULL ? 0 : dyn_item_size(item),
					   dyn_request_bool(member->block, "ConsistentRead", false));
	if (item != NULL && dyn_condition_evaluate(statement->where, item))
		member->item = item;
	member->executed = member->done = true;
}

/*
 * In a later transaction the descriptors of tables are others, and so is what
 * points into them.
 */
static void
open_again(DynOperationContext *context, Batch *batch)
{
	for (int i = 0; i < batch->count; i++)
	{
		Member	   *member = &batch->members[i];

		if (member->done)
			continue;
		memset(&member->write, 0, sizeof(member->write));
		member->context = context;
		open_member(member);
	}
}

/* What an update's evaluation raises is its own error. */
static void
apply(void *arg)
{
	Member	   *member = arg;
	DynItemWrite *write = &member->write;

	write->new_item = write->apply(write);
	dyn_collection_check(write->table, &write->key, write->old, write->new_item);
}

/* A false condition and a failed update are charged as if nothing changed. */
static void
charge(const Batch *batch, Member *member)
{
	const DynItemWrite *write = &member->write;

	if (batch->want_capacity)
		dyn_write_charge(&member->capacity, member->table, &member->key, write->old,
						 member->error_code == NULL ? write->new_item : write->old, 1);
}

/* BUSY: somebody else's transaction holds the item. */
static DynOutcome
run_write(const Batch *batch, Member *member)
{
	DynItemWrite *write = &member->write;
	DynStoreWrite store = {0};
	DynStoreResult result;

	Assert(write->authorization.effect == DYN_EFFECT_ALLOW);
	write->key = member->key;
	do
	{
		CHECK_FOR_INTERRUPTS();
		result = dyn_store_begin(write->table, &write->key,
								 member->context->may_wait, &store);
		if (result != DYN_STORE_OK)
			break;
		write->old = store.old;
		member->executed = true;
		if (!dyn_condition_evaluate(write->condition, write->old))
		{
			bool		is_insert = member->statement->kind == DYN_STATEMENT_INSERT;

			fail(member, is_insert ? "DuplicateItem" : "ConditionalCheckFailed",
				 is_insert ? "Duplicate primary key exists in table" :
				 "The conditional request failed");
		}
		else
			(void) try(member, apply);
		if (member->done)
		{
			charge(batch, member);
			return DYN_OUTCOME_DONE;
		}
		result = dyn_store_finish(&store, write->new_item);
	} while (result == DYN_STORE_CHANGED);
	if (result == DYN_STORE_BUSY)
		return DYN_OUTCOME_BUSY;
	member->item = (DynItem *) dyn_statement_returned(member->statement, write);
	member->done = true;
	charge(batch, member);
	return DYN_OUTCOME_DONE;
}

static void
write_response(DynJsonWriter *w, const Member *member)
{
	dyn_json_begin_object(w);
	if (member->error_code != NULL)
	{
		dyn_json_write_key(w, "Error");
		dyn_json_begin_object(w);
		dyn_json_write_key(w, "Code");
		dyn_json_write_cstring(w, member->error_code);
		dyn_json_write_key(w, "Message");
		dyn_json_write_cstring(w, member->error_message);
		dyn_json_end_object(w);
	}
	if (member->executed)
	{
		dyn_json_write_key(w, "TableName");
		dyn_json_write_string(w, member->statement->table, member->statement->table_len);
	}
	if (member->item != NULL)
	{
		dyn_json_write_key(w, "Item");
		if (is_read(member))
			dyn_statement_write_item(w, member->item, member->statement);
		else
			dyn_json_write_item(w, member->item);
	}
	dyn_json_end_object(w);
}

/* One element for each table; none at all if nothing was done. */
static void
write_capacity(DynJsonWriter *w, DynReturnCapacity mode, const Batch *batch)
{
	DynCapacity capacities[MAX_STATEMENTS] = {0};
	int			ntables = 0;
	bool		any = false;

	for (int i = 0; i < batch->count; i++)
	{
		const Member *member = &batch->members[i];
		int			t;

		if (!member->executed)
			continue;
		any = any || member->error_code == NULL;
		for (t = 0; t < ntables; t++)
			if (capacities[t].table_name_len == member->statement->table_len &&
				memcmp(capacities[t].table_name, member->statement->table,
					   member->statement->table_len) == 0)
				break;
		if (t == ntables)
		{
			capacities[t].table_name = member->statement->table;
			capacities[t].table_name_len = member->statement->table_len;
			ntables++;
		}
		dyn_capacity_add(&capacities[t], &member->capacity);
	}
	if (any)
		dyn_capacity_write_array(w, mode, capacities, ntables);
}

/*
 * Run BatchExecuteStatement.  Raises ValidationException for what concerns the
 * whole batch.
 */
DynOutcome
dyn_batch_execute_statement(DynOperationContext *context, const DynJson *request,
							StringInfo reply)
{
	const DynJson *list = dyn_request_member(request, "Statements");
	DynReturnCapacity return_capacity;
	DynViolations v = {0};
	Batch	   *batch = context->progress == NULL ? NULL : copy_batch(context->progress);
	Member	   *order[MAX_STATEMENTS];
	DynJsonWriter w;
	bool		busy = false;
	int			n;

	dyn_statement_check_list(&v, list, "statements", MAX_STATEMENTS);
	return_capacity = dyn_request_return_capacity(&v, request);
	dyn_violations_raise(&v);

	if (batch == NULL)
	{
		batch = read_batch(context, request, list);
		batch->want_capacity = return_capacity != DYN_RETURN_CAPACITY_NONE;
	}
	else
		open_again(context, batch);
	n = sort_members(batch, order);
	for (int i = 0; i < n; i++)
	{
		if (is_read(order[i]))
			run_read(order[i]);
		else if (run_write(batch, order[i]) == DYN_OUTCOME_BUSY)
		{
			busy = true;
			if (context->last_try)
				fail(order[i], "TransactionConflict",
					 "Transaction is ongoing for the item.");
		}
	}
	if (busy && !context->last_try)
	{
		context->new_progress = batch;
		return DYN_OUTCOME_BUSY;
	}

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "Responses");
	dyn_json_begin_array(&w);
	for (int i = 0; i < batch->count; i++)
		write_response(&w, &batch->members[i]);
	dyn_json_end_array(&w);
	if (return_capacity != DYN_RETURN_CAPACITY_NONE)
		write_capacity(&w, return_capacity, batch);
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}
