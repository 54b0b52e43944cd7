/*-------------------------------------------------------------------------
 *
 * operation.c
 *		The table of operations, and running one.
 *
 * src/operation/operation.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

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

DynOutcome
dyn_operation_run(DynOperationContext *context, const DynOperation *operation,
				  const DynJson *request, StringInfo reply)
{
	bool		outer_nowait = dyn_store_nowait;
	DynOutcome	outcome;

	dyn_shape_check(operation->shape, request);

	/* A trigger's call of an operation may be inside of another's. */
	dyn_store_nowait = !context->may_wait;
	outcome = operation->handler(context, request, reply);
	dyn_store_nowait = outer_nowait;
	return outcome;
}
