/*-------------------------------------------------------------------------
 *
 * access.c
 *		What a request needs of the server that runs it: to write, to see the
 *		newest state, or much time.
 *
 * Asked before the request is checked in any way.
 *
 * src/operation/access.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "operation/operation.h"
#include "partiql/statement.h"

/* A Scan of up to so many items is no more than a Query. */
#define CHEAP_SCAN_ITEMS 25

/* A member of an object, or NULL. */
static const DynJson *
member_of(const DynJson *json, const char *name, DynJsonKind kind)
{
	const DynJson *member;

	if (json == NULL || dyn_json_kind(json) != DYN_JSON_OBJECT)
		return NULL;
	member = dyn_json_member(json, name);
	return member != NULL && dyn_json_kind(member) == kind ? member : NULL;
}

/*
 * The statements of a batch or a transaction, or NULL.  By the operation: in
 * others, members of these names mean nothing.
 */
static const DynJson *
statements_of(const DynOperation *operation, const DynJson *request)
{
	if (operation->handler == dyn_batch_execute_statement)
		return member_of(request, "Statements", DYN_JSON_ARRAY);
	if (operation->handler == dyn_execute_transaction)
		return member_of(request, "TransactStatements", DYN_JSON_ARRAY);
	return NULL;
}

static bool
is_select(const DynJson *block)
{
	const DynJson *statement = member_of(block, "Statement", DYN_JSON_STRING);
	const char *text;
	uint32		len;

	if (statement == NULL)
		return false;
	text = dyn_json_string(statement, &len);
	return dyn_statement_is_select(text, len);
}

DynAccess
dyn_operation_access(const DynOperation *operation, const DynJson *request)
{
	const DynJson *list;

	if (operation->access != DYN_ACCESS_STATEMENT)
		return operation->access;
	if (operation->handler == dyn_execute_statement)
		return is_select(request) ? DYN_ACCESS_READ : DYN_ACCESS_WRITE;
	list = statements_of(operation, request);
	if (list == NULL)
		return DYN_ACCESS_READ;	/* it will be refused */
	for (const DynJson *block = dyn_json_first(list); block; block = dyn_json_next(block))
		if (!is_select(block))
			return DYN_ACCESS_WRITE;
	return DYN_ACCESS_READ;
}

bool
dyn_operation_reads_one_moment(const DynOperation *operation, DynAccess access)
{
	return operation->handler == dyn_transact_get_items ||
		(operation->handler == dyn_execute_transaction && access == DYN_ACCESS_READ);
}

/* Blocks say it in the member that requests have. */
static bool
asks_for_newest(const DynJson *block)
{
	const DynJson *member;

	if (block == NULL || dyn_json_kind(block) != DYN_JSON_OBJECT)
		return false;
	member = dyn_json_member(block, "ConsistentRead");
	return member != NULL && dyn_json_is_true(member);
}

static bool
any_asks_for_newest(const DynJson *blocks)
{
	if (blocks == NULL)
		return false;
	for (const DynJson *block = dyn_json_first(blocks); block; block = dyn_json_next(block))
		if (asks_for_newest(block))
			return true;
	return false;
}

bool
dyn_operation_is_whole(const DynOperation *operation)
{
	return operation->access == DYN_ACCESS_CONTROL ||
		operation->handler == dyn_transact_get_items ||
		operation->handler == dyn_transact_write_items ||
		operation->handler == dyn_execute_transaction;
}

bool
dyn_operation_reads_newest(const DynOperation *operation, const DynJson *request)
{
	/* A replica may show commits in another order. */
	if (operation->handler == dyn_transact_get_items ||
		operation->handler == dyn_execute_transaction)
		return true;
	return asks_for_newest(request) ||
		any_asks_for_newest(member_of(request, "RequestItems", DYN_JSON_OBJECT)) ||
		any_asks_for_newest(statements_of(operation, request));
}

bool
dyn_operation_is_costly(const DynOperation *operation, const DynJson *request)
{
	const DynJson *limit;

	/* They may wait for a lock, for a moment. */
	if (operation->access == DYN_ACCESS_CONTROL)
		return true;
	/* Whether others are, shows when they are run. */
	if (operation->handler != dyn_scan)
		return false;
	limit = member_of(request, "Limit", DYN_JSON_NUMBER);
	return limit == NULL || dyn_json_number(limit) > CHEAP_SCAN_ITEMS;
}
