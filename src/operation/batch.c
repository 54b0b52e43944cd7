/*-------------------------------------------------------------------------
 *
 * batch.c
 *		What BatchGetItem and BatchWriteItem share: tables and equal keys.
 *
 * src/operation/batch.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "operation/batch.h"

static bool
is_table_name(const char *name, uint32 len)
{
	if (len >= 4 && memcmp(name, "arn:", 4) == 0)
		return len <= DYN_MAX_TABLE_ARN_LENGTH;
	return len >= DYN_MIN_TABLE_NAME_LENGTH && len <= DYN_MAX_TABLE_NAME_LENGTH &&
		dyn_name_is_well_formed(name, len);
}

void
dyn_batch_check_tables(DynViolations *v, const DynJson *items)
{
	const DynJson *block;

	if (!dyn_member_require(v, items, "requestItems"))
		return;
	for (block = dyn_json_first(items); block; block = dyn_json_next(block))
	{
		uint32		len;
		const char *name = dyn_json_name(block, &len);

		if (!is_table_name(name, len))
		{
			dyn_violations_add(v, items,
							   "Map keys must satisfy constraint: "
							   "[Member must have length less than or equal to 255, "
							   "Member must have length greater than or equal to 3, "
							   "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]",
							   "requestItems");
			return;
		}
	}
}

void
dyn_batch_check_empty(const DynJson *items, const char *operation)
{
	if (dyn_json_first(items) == NULL)
		dyn_raise(VALIDATION, "The requestItems parameter is required for %s",
				  operation);
}

void
dyn_batch_open_table(DynOperationContext *context, const DynJson *request,
					 DynBatchTable *table)
{
	table->authorization.request = request;
	table->table = dyn_operation_table(context, table->name, table->name_len,
									   &table->authorization);
}

static int
compare_bytes(const char *a, uint32 a_len, const char *b, uint32 b_len)
{
	int			order = memcmp(a, b, Min(a_len, b_len));

	if (order != 0)
		return order;
	return a_len < b_len ? -1 : a_len > b_len;
}

/* The stored form is canonical: equal items have equal bytes. */
int
dyn_batch_compare_items(const DynItem *a, const DynItem *b)
{
	return compare_bytes(VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a),
						 VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b));
}

int
dyn_batch_compare_keys(const DynKey *a, const DynKey *b)
{
	int			order;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	order = compare_bytes(a->partition.data, a->partition.size,
						  b->partition.data, b->partition.size);
	if (order != 0 || a->sort.type == 0)
		return order;
	return compare_bytes(a->sort.data, a->sort.size, b->sort.data, b->sort.size);
}
