/*-------------------------------------------------------------------------
 *
 * execute_transaction.c
 *		ExecuteTransaction: PartiQL statements, all or none of them.
 *
 * Statements that read are a TransactGetItems, those that write (and EXISTS) a
 * TransactWriteItems.
 *
 * src/operation/execute_transaction.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "operation/statement_run.h"
#include "operation/transact.h"

static void
check_statement(const DynStatement *statement, int number)
{
	if (statement->index != NULL && dyn_statement_reads(statement))
		dyn_raise(VALIDATION,
				  "Validation failed in TransactStatements[%d]: Reads on indices are not supported within transactions.",
				  number);
	if (statement->returning != DYN_RETURNING_NOTHING)
		dyn_raise(VALIDATION,
				  "Validation failed in TransactStatements[%d]: RETURNING clause is not supported in ExecuteTransaction.",
				  number);
}

static DynStatement **
read_statements(const DynJson *list)
{
	DynStatement **statements = palloc(sizeof(DynStatement *) * dyn_json_count(list));
	int			n = 0;

	for (const DynJson *block = dyn_json_first(list); block; block = dyn_json_next(block))
	{
		statements[n] = dyn_statement_read(block);
		check_statement(statements[n], n);
		n++;
	}
	for (int i = 1; i < n; i++)
		if ((statements[i]->kind == DYN_STATEMENT_SELECT) !=
			(statements[0]->kind == DYN_STATEMENT_SELECT))
			dyn_raise(VALIDATION,
					  "ExecuteTransaction API does not support both read and write operations in the same request.");
	return statements;
}

static DynItem *
require_key(const DynStatement *statement, const DynTable *table)
{
	DynItem    *key = dyn_statement_key(statement, table);

	if (key == NULL)
		dyn_raise(VALIDATION,
				  "Where clause does not contain a mandatory equality on all key attributes");
	return key;
}

static DynOutcome
run_reads(DynOperationContext *context, const DynJson *request,
		  DynStatement **statements, int count, DynReturnCapacity return_capacity,
		  StringInfo reply)
{
	DynTransactGet *gets = palloc0(sizeof(DynTransactGet) * count);

	for (int i = 0; i < count; i++)
	{
		const DynStatement *statement = statements[i];

		dyn_statement_ask(&gets[i].authorization, statement, request,
						  "ExecuteTransaction", false);
		gets[i].table = dyn_statement_table(context, statement, &gets[i].authorization);
		gets[i].table_name = statement->table;
		gets[i].table_name_len = statement->table_len;
		gets[i].argument = require_key(statement, gets[i].table);
		gets[i].projection = statement->projection;
		gets[i].filter = statement->where;
		gets[i].write_item = dyn_statement_write_item;
		gets[i].write_item_arg = statement;
	}
	return dyn_transact_read(context, gets, count, return_capacity, reply);
}

static void
set_action(DynOperationContext *context, const DynJson *request, DynAction *action,
		   const DynStatement *statement, const DynJson *block)
{
	const DynTable *table;
	DynViolations v = {0};

	action->table_name = statement->table;
	action->table_name_len = statement->table_len;
	action->write.return_old_on_failure =
		dyn_member_enum(&v, dyn_request_member(block, "ReturnValuesOnConditionCheckFailure"),
						&dyn_enum_return_on_failure, 0,
						"returnValuesOnConditionCheckFailure") == 1;
	dyn_statement_ask(&action->write.authorization, statement, request,
					  "ExecuteTransaction", action->write.return_old_on_failure);
	table = dyn_statement_table(context, statement, &action->write.authorization);
	switch (statement->kind)
	{
		case DYN_STATEMENT_INSERT:
			action->kind = DYN_ACTION_PUT;
			action->is_insert = true;
			break;
		case DYN_STATEMENT_UPDATE:
			action->kind = DYN_ACTION_UPDATE;
			break;
		case DYN_STATEMENT_DELETE:
			action->kind = DYN_ACTION_DELETE;
			break;
		default:
			action->kind = DYN_ACTION_CHECK;
			action->write.table = table;
			action->write.condition = statement->where;
			action->argument = require_key(statement, table);
			return;
	}
	dyn_statement_prepare(statement, table, &action->write, &action->argument);
}

/*
 * Run ExecuteTransaction.  Raises ValidationException or
 * ResourceNotFoundException; ends as TransactGetItems and TransactWriteItems do.
 */
DynOutcome
dyn_execute_transaction(DynOperationContext *context, const DynJson *request,
						StringInfo reply)
{
	const DynJson *list = dyn_request_member(request, "TransactStatements");
	const DynJson *token_member = dyn_request_member(request, "ClientRequestToken");
	DynReturnCapacity return_capacity;
	DynTransaction transaction = {.write_responses = true};
	DynToken	token = {DYN_TOKEN_EXECUTE_TRANSACTION};
	DynViolations v = {0};
	DynStatement **statements;
	const DynJson *block;

	dyn_member_length(&v, token_member, 1, DYN_MAX_REQUEST_TOKEN_LENGTH,
					  "clientRequestToken");
	return_capacity = dyn_request_return_capacity(&v, request);
	dyn_statement_check_list(&v, list, "transactStatements", DYN_MAX_TRANSACT_ACTIONS);
	dyn_violations_raise(&v);

	statements = read_statements(list);
	if (statements[0]->kind == DYN_STATEMENT_SELECT)
		return run_reads(context, request, statements, dyn_json_count(list),
						 return_capacity, reply);

	transaction.return_capacity = return_capacity;
	transaction.nactions = dyn_json_count(list);
	transaction.actions = palloc0(sizeof(DynAction) * transaction.nactions);
	block = dyn_json_first(list);
	for (int i = 0; i < transaction.nactions; i++, block = dyn_json_next(block))
		set_action(context, request, &transaction.actions[i], statements[i], block);
	if (token_member != NULL)
	{
		token.text = dyn_json_string(token_member, &token.len);
		token.content = dyn_transact_content(list);
		transaction.token = &token;
	}
	return dyn_transact_write(context, &transaction, reply);
}
