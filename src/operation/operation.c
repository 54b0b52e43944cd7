/*-------------------------------------------------------------------------
 *
 * operation.c
 *		The table of operations, and running one.
 *
 * src/operation/operation.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/wording.h"
#include "operation/operation.h"
#include "operation/shape.h"
#include "store/store.h"

/* Sorted by name in strcmp order, as dyn_operation_find() expects. */
static const DynOperation operations[] = {
#define DYN_OPERATION(name, handler, access) \
	{#name, handler, DYN_ACCESS_##access, "dynamodb:" #name, &dyn_shape_##name},
#include "operation/operation_list.h"
#undef DYN_OPERATION
};

const DynOperation *
dyn_operation_find(const char *name, uint32 len)
{
	int			low = 0;
	int			high = lengthof(operations) - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		const char *candidate = operations[middle].name;
		int			order = strncmp(name, candidate, len);

		/* A prefix of a name sorts before it. */
		if (order == 0 && candidate[len] != '\0')
			order = -1;
		if (order == 0)
			return &operations[middle];
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return NULL;
}

int
dyn_operation_count(void)
{
	return lengthof(operations);
}

int
dyn_operation_number(const DynOperation *operation)
{
	return operation - operations;
}

const DynOperation *
dyn_operation_at(int number)
{
	Assert(number >= 0 && number < lengthof(operations));
	return &operations[number];
}

bool
dyn_operation_is_of_streams(const DynOperation *operation)
{
	return operation->handler == dyn_list_streams ||
		operation->handler == dyn_describe_stream ||
		operation->handler == dyn_get_shard_iterator ||
		operation->handler == dyn_get_records;
}

bool
dyn_operation_is_read_only(const DynOperation *operation, DynAccess access)
{
	/* By the service's names: an operation that only looks says so. */
	static const char *const words[] = {
		"Describe", "Get", "List"
	};

	if (access == DYN_ACCESS_CONTROL)
	{
		for (int i = 0; i < lengthof(words); i++)
			if (strncmp(operation->name, words[i], strlen(words[i])) == 0)
				return true;
		return false;
	}
	return access != DYN_ACCESS_WRITE;
}

DynException
dyn_operation_conflict(const DynOperation *operation, DynAccess access,
					   const DynOperationContext *context, const char **message)
{
	const char *doing = "Table is being updated";

	switch (access)
	{
		case DYN_ACCESS_WRITE:
			*message = "Transaction is ongoing for the item";
			return DYN_EXCEPTION_TRANSACTION_CONFLICT;
		case DYN_ACCESS_READ:
			/* No item is in a reader's way; of the service's, none conflicts. */
			*message = "The table is locked at the moment.";
			return DYN_EXCEPTION_SERVICE_UNAVAILABLE;
		default:
			break;
	}
	if (operation->handler == dyn_create_table)
		doing = "Table is being created";
	else if (operation->handler == dyn_tag_resource ||
			 operation->handler == dyn_untag_resource)
		doing = "Table tags are being updated";
	*message = psprintf(DYN_STILL_IN_USE "%s%s%s", doing,
						context->table_name != NULL ? ": " : "",
						context->table_name != NULL ? context->table_name : "");
	return DYN_EXCEPTION_RESOURCE_IN_USE;
}

static DynReworded
reworded(const DynOperation *operation)
{
	if (!dyn_wording_is_newer())
		return DYN_REWORDED_NOTHING;
	return operation->handler == dyn_put_item ||
		operation->handler == dyn_update_item ? DYN_REWORDED_REQUESTS :
		operation->handler == dyn_delete_item ? DYN_REWORDED_VALUES :
		operation->handler == dyn_get_item ||
		operation->handler == dyn_query ? DYN_REWORDED_DUPLICATES :
		DYN_REWORDED_NOTHING;
}

void
dyn_operation_check_shape(DynOperationContext *context,
						  const DynOperation *operation, const DynJson *request)
{
	if (context->shape_checked)
		return;
	dyn_shape_check(operation->shape, request);
	context->shape_checked = true;
}

DynOutcome
dyn_operation_run(DynOperationContext *context, const DynOperation *operation,
				  const DynJson *request, StringInfo reply)
{
	bool		outer_nowait = dyn_store_nowait;
	bool		outer_ran_code = dyn_store_ran_code;
	DynStorePermit *outer_permits = dyn_store_permits;
	DynReworded outer_reworded = dyn_reworded;
	volatile DynOutcome outcome = DYN_OUTCOME_FAILED;
	Oid			user;
	int			security;

	dyn_operation_check_shape(context, operation, request);

	/*
	 * A trigger's call of an operation may be inside of another's: what that one
	 * was allowed is not this one's.  An error takes it all back, too.
	 */
	GetUserIdAndSecContext(&user, &security);
	PG_TRY();
	{
		dyn_store_nowait = !context->may_wait;
		dyn_store_ran_code = false;
		dyn_store_permits = NULL;
		dyn_reworded = reworded(operation);
		outcome = operation->handler(context, request, reply);
		/* DDL has event triggers. */
		context->ran_code = dyn_store_ran_code || operation->access == DYN_ACCESS_CONTROL;
	}
	PG_FINALLY();
	{
		dyn_store_nowait = outer_nowait;
		dyn_store_ran_code = outer_ran_code;
		dyn_store_permits = outer_permits;
		dyn_reworded = outer_reworded;
		SetUserIdAndSecContext(user, security);
	}
	PG_END_TRY();
	return outcome;
}
