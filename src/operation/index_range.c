/*-------------------------------------------------------------------------
 *
 * index_range.c
 *		Where in a secondary index a Query or Scan walks, as bounds of bytes.
 *
 * Entries with the same values in front start with the same bytes (see
 * item/index_key.c), so each operator is a lower bound, inclusive, and an
 * upper one, exclusive.  Q: partition and all sort values asked for by "=" but
 * the last condition's; v: its operand, ended, so that neither is a prefix of
 * longer values' bytes; next(): the least string above all that start so.
 *
 *		OPERATOR		FROM			TO
 *		none			Q				next(Q)
 *		= v				Q v				next(Q v)
 *		< v				Q				Q v
 *		<= v			Q				next(Q v)
 *		> v				next(Q v)		next(Q)
 *		>= v			Q v				next(Q)
 *		BETWEEN v, w	Q v				next(Q w)
 *		begins_with v	Q v, not ended	next() of that
 *
 * src/operation/index_range.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "item/index_key.h"
#include "operation/index_range.h"

static DynValue
to_value(const StringInfoData *bytes)
{
	DynValue	value = {.type = DYN_TYPE_B};

	value.size = bytes->len;
	value.data = bytes->data;
	return value;
}

/* Q, then value (NULL: none), and past all that start with that. */
static DynValue
make_bound(const StringInfoData *q, const DynValue *value, bool whole, bool past)
{
	StringInfoData bytes;
	DynValue	none = {0};

	initStringInfo(&bytes);
	appendBinaryStringInfo(&bytes, q->data, q->len);
	if (value != NULL)
		dyn_index_key_append_sort(&bytes, value, whole);
	if (past && !dyn_index_key_successor(&bytes))
		return none;
	return to_value(&bytes);
}

void
dyn_index_range_query(DynStoreIndexRange *range, const DynIndexSchema *schema,
					  const DynKeyCondition *condition)
{
	DynSortOperator operator = condition->sort_operator;
	const DynValue *low = NULL;
	const DynValue *high = NULL;
	StringInfoData q;

	initStringInfo(&q);
	dyn_index_key_append_partition(&q, condition->partition, schema->npartition);
	for (int i = 0; i + 1 < condition->nsort; i++)
		dyn_index_key_append_sort(&q, &condition->sort[i], true);

	if (operator != DYN_SORT_NONE)
	{
		const DynValue *operand = &condition->sort[condition->nsort - 1];

		if (operator != DYN_SORT_LT && operator != DYN_SORT_LE)
			low = operand;
		if (operator == DYN_SORT_BETWEEN)
			high = &condition->sort_upper;
		else if (operator != DYN_SORT_GT && operator != DYN_SORT_GE)
			high = operand;
	}
	range->low = make_bound(&q, low, operator != DYN_SORT_BEGINS_WITH,
							operator == DYN_SORT_GT || condition->lower_open);
	range->low_inclusive = true;
	range->high = make_bound(&q, high, operator != DYN_SORT_BEGINS_WITH,
							 operator != DYN_SORT_LT && !condition->upper_open);
	range->high_inclusive = false;
}

void
dyn_index_range_scan(DynStoreIndexRange *range, int64 hash_low, int64 hash_high)
{
	StringInfoData low;
	StringInfoData high;

	initStringInfo(&low);
	dyn_index_key_append_hash(&low, hash_low);
	range->low = to_value(&low);
	range->low_inclusive = true;

	initStringInfo(&high);
	dyn_index_key_append_hash(&high, hash_high);
	if (dyn_index_key_successor(&high))
		range->high = to_value(&high);
	range->high_inclusive = false;
}

bool
dyn_index_range_start(DynStoreIndexRange *range, const DynIndexSchema *schema,
					  const DynItem *start, const DynKey *key)
{
	StringInfoData bytes;
	DynValue	entry;

	initStringInfo(&bytes);
	if (!dyn_index_key_append(&bytes, schema, start, key))
		elog(ERROR, "start key of an index has no entry in it");
	entry = to_value(&bytes);
	if (dyn_value_compare(&entry, &range->low) < 0 ||
		(range->high.data != NULL && dyn_value_compare(&entry, &range->high) >= 0))
		return false;
	if (range->backward)
		range->high = entry;
	else
	{
		range->low = entry;
		range->low_inclusive = false;
	}
	return true;
}
