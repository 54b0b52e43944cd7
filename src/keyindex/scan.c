/*-------------------------------------------------------------------------
 *
 * scan.c
 *		Scans of a dynamo_key index: conditions in nbtree's terms.
 *
 * "sort ^@ prefix" holds exactly for the values from prefix up to, and not
 * including, the next value of the same length: the prefix with its trailing
 * 0xFF bytes removed and its last byte one higher.  A prefix of nothing but
 * 0xFF has no such value, and needs none: nothing above it starts otherwise.
 * So nbtree gets ">= prefix" and "< next", and knows no sixth strategy.
 *
 * "sort ^@ ANY (prefixes)" is a union of ranges, which one descent can't walk
 * in order.  It becomes the range from the lowest prefix to the highest next
 * value, and the executor checks each tuple again.
 *
 * A column with a short form for long values (long_key.c) is searched for the
 * form that is stored.
 *
 * A scan needs up to two keys for each of its own.  ambeginscan asks nbtree
 * for that room; but scan->numberOfKeys must be the executor's number whenever
 * the executor looks (index_rescan() asserts it) and nbtree's while nbtree
 * works.  One key slot behind the rest holds our state, so that a scan costs
 * no allocation more than nbtree's.
 *
 * src/keyindex/scan.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relscan.h"
#include "miscadmin.h"
#include "nodes/tidbitmap.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

#include "keyindex/keyindex.h"

typedef struct ScanState
{
	int			nkeys;			/* the executor's */
	int			nexpanded;		/* nbtree's */
	bool		recheck;		/* the bounds are wider than the condition */
	MemoryContext arguments;	/* made for nbtree, or NULL: none so far */
} ScanState;

StaticAssertDecl(sizeof(ScanState) <= sizeof(ScanKeyData),
				 "ScanState must fit into the slot of one scan key");

#define SCAN_STATE(scan, nkeys) ((ScanState *) &(scan)->keyData[2 * (nkeys)])

IndexScanDesc
dyn_key_beginscan(Relation index, int nkeys, int norderbys)
{
	IndexScanDesc scan = btbeginscan(index, 2 * nkeys + 1, norderbys);
	ScanState  *state = SCAN_STATE(scan, nkeys);

	scan->numberOfKeys = nkeys;
	memset(state, 0, sizeof(ScanState));
	state->nkeys = nkeys;
	return scan;
}

/* The least value above all that begin with prefix; NULL if there is none. */
static bytea *
next_prefix(bytea *prefix)
{
	int			len = VARSIZE_ANY_EXHDR(prefix);
	const unsigned char *data = (unsigned char *) VARDATA_ANY(prefix);
	bytea	   *next;

	while (len > 0 && data[len - 1] == 0xFF)
		len--;
	if (len == 0)
		return NULL;
	next = (bytea *) palloc(VARHDRSZ + len);
	SET_VARSIZE(next, VARHDRSZ + len);
	memcpy(VARDATA(next), data, len);
	((unsigned char *) VARDATA(next))[len - 1]++;
	return next;
}

static int
compare(Datum a, Datum b)
{
	return DatumGetInt32(DirectFunctionCall2(byteacmp, a, b));
}

/*
 * Make key a comparison.  nbtree takes a key without function as its operator
 * class's member would be; bytea is the only type with begins_with, so the
 * functions are known.
 */
static void
set_bound(ScanKey key, StrategyNumber strategy, Datum argument)
{
	key->sk_flags &= ~SK_SEARCHARRAY;
	key->sk_strategy = strategy;
	key->sk_subtype = InvalidOid;
	key->sk_argument = argument;
	fmgr_info(strategy == BTLessStrategyNumber ? F_BYTEALT : F_BYTEAGE,
			  &key->sk_func);
}

/*
 * Write the bounds for a begins_with key to out, which has room for two.
 * Returns how many.
 */
static int
expand_begins_with(ScanKey key, ScanState *state, ScanKey out)
{
	Datum		single = key->sk_argument;
	Datum	   *prefixes = &single;
	int			nprefixes = 1;
	Datum		low = (Datum) 0;
	bytea	   *high = NULL;
	bool		bounded = true;

	if (key->sk_flags & SK_ISNULL)
		nprefixes = 0;
	else if (key->sk_flags & SK_SEARCHARRAY)
	{
		bool	   *nulls;
		int			n = 0;

		deconstruct_array(DatumGetArrayTypeP(single), BYTEAOID, -1, false,
						  TYPALIGN_INT, &prefixes, &nulls, &nprefixes);
		for (int i = 0; i < nprefixes; i++)
		{
			if (!nulls[i])
				prefixes[n++] = prefixes[i];
		}
		nprefixes = n;
		state->recheck = true;
	}

	*out = *key;
	if (nprefixes == 0)
	{
		/* True of nothing, as is every comparison with NULL. */
		set_bound(out, BTGreaterEqualStrategyNumber, (Datum) 0);
		out->sk_flags |= SK_ISNULL;
		return 1;
	}

	for (int i = 0; i < nprefixes; i++)
	{
		bytea	   *prefix = DatumGetByteaPP(prefixes[i]);
		bytea	   *next = next_prefix(prefix);

		if (i == 0 || compare(PointerGetDatum(prefix), low) < 0)
			low = PointerGetDatum(prefix);
		if (next == NULL)
			bounded = false;
		else if (high == NULL ||
				 compare(PointerGetDatum(next), PointerGetDatum(high)) > 0)
			high = next;
	}
	set_bound(out, BTGreaterEqualStrategyNumber, low);
	if (!bounded)
		return 1;
	out[1] = *key;
	set_bound(&out[1], BTLessStrategyNumber, PointerGetDatum(high));
	return 2;
}

/*
 * The longest of the values a key compares with; 0 if it compares with none,
 * as IS NULL does.
 */
static uint32
longest_argument(ScanKey key)
{
	Datum	   *values;
	bool	   *nulls;
	int			nvalues;
	uint32		longest = 0;

	if (key->sk_flags & SK_ISNULL)
		return 0;
	if ((key->sk_flags & SK_SEARCHARRAY) == 0)
		return dyn_key_value_size(key->sk_argument);
	deconstruct_array(DatumGetArrayTypeP(key->sk_argument), BYTEAOID, -1, false,
					  TYPALIGN_INT, &values, &nulls, &nvalues);
	for (int i = 0; i < nvalues; i++)
	{
		if (!nulls[i])
			longest = Max(longest, dyn_key_value_size(values[i]));
	}
	return longest;
}

/* The argument of an equality with the form in which values are stored. */
static Datum
shorten_argument(ScanKey key)
{
	Datum	   *values;
	bool	   *nulls;
	int			nvalues;
	int			lower_bound = 1;

	if ((key->sk_flags & SK_SEARCHARRAY) == 0)
		return dyn_key_shorten(key->sk_argument);
	deconstruct_array(DatumGetArrayTypeP(key->sk_argument), BYTEAOID, -1, false,
					  TYPALIGN_INT, &values, &nulls, &nvalues);
	for (int i = 0; i < nvalues; i++)
	{
		if (!nulls[i])
			values[i] = dyn_key_shorten(values[i]);
	}
	return PointerGetDatum(construct_md_array(values, nulls, 1, &nvalues,
											  &lower_bound, BYTEAOID, -1, false,
											  TYPALIGN_INT));
}

/*
 * A row comparison follows the index's order, whatever that is: its members
 * take the stored form.
 */
static Datum
shorten_row(Relation index, ScanKey header)
{
	ScanKey		members = (ScanKey) DatumGetPointer(header->sk_argument);
	ScanKey		result;
	int			n = 1;

	while ((members[n - 1].sk_flags & SK_ROW_END) == 0)
		n++;
	result = palloc(n * sizeof(ScanKeyData));
	memcpy(result, members, n * sizeof(ScanKeyData));
	for (int i = 0; i < n; i++)
	{
		if ((result[i].sk_flags & SK_ISNULL) == 0 &&
			dyn_key_shortens(index, result[i].sk_attno))
			result[i].sk_argument = dyn_key_shorten(result[i].sk_argument);
	}
	return PointerGetDatum(result);
}

/*
 * Write what nbtree needs for a key to out, which has room for two keys.
 * Returns how many.
 */
static int
expand_key(Relation index, ScanKey key, ScanState *state, ScanKey out)
{
	*out = *key;
	if (key->sk_flags & SK_ROW_HEADER)
		out->sk_argument = shorten_row(index, key);
	else if (dyn_key_shortens(index, key->sk_attno) &&
			 longest_argument(key) > DYN_KEY_EXACT_SIZE)
	{
		if (key->sk_strategy == BTEqualStrategyNumber)
			out->sk_argument = shorten_argument(key);
		else
		{
			/* Stored forms are not ordered as the values: look at all. */
			ScanKeyEntryInitialize(out, SK_ISNULL | SK_SEARCHNOTNULL,
								   key->sk_attno, InvalidStrategy, InvalidOid,
								   InvalidOid, InvalidOid, (Datum) 0);
			state->recheck = true;
		}
	}
	else if (key->sk_strategy == DYN_BEGINS_WITH_STRATEGY)
		return expand_begins_with(key, state, out);
	return 1;
}

/* Can a key go to nbtree as it is, at no cost?  So do nearly all. */
static bool
is_plain(Relation index, ScanKey key)
{
	if ((key->sk_flags & SK_ROW_HEADER) ||
		key->sk_strategy == DYN_BEGINS_WITH_STRATEGY)
		return false;
	if ((key->sk_flags & SK_ISNULL) || !dyn_key_shortens(index, key->sk_attno))
		return true;
	return (key->sk_flags & SK_SEARCHARRAY) == 0 &&
		dyn_key_value_size(key->sk_argument) <= DYN_KEY_EXACT_SIZE;
}

void
dyn_key_rescan(IndexScanDesc scan, ScanKey keys, int nkeys,
			   ScanKey orderbys, int norderbys)
{
	Relation	index = scan->indexRelation;
	ScanState  *state = SCAN_STATE(scan, scan->numberOfKeys);

	/* Without keys the previous ones stay. */
	if (keys != NULL)
	{
		state->nexpanded = 0;
		state->recheck = false;
		if (state->arguments != NULL)
			MemoryContextReset(state->arguments);
		for (int i = 0; i < state->nkeys; i++)
		{
			ScanKey		out = &scan->keyData[state->nexpanded];
			MemoryContext old;

			if (is_plain(index, &keys[i]))
			{
				*out = keys[i];
				state->nexpanded++;
				continue;
			}

			/* Arguments live as long as the scan, whoever rescans it. */
			if (state->arguments == NULL)
				state->arguments =
					AllocSetContextCreate(GetMemoryChunkContext(scan),
										  "dynamo_key arguments",
										  ALLOCSET_SMALL_SIZES);
			old = MemoryContextSwitchTo(state->arguments);
			state->nexpanded += expand_key(index, &keys[i], state, out);
			MemoryContextSwitchTo(old);
		}
	}

	scan->numberOfKeys = state->nexpanded;
	btrescan(scan, NULL, 0, orderbys, norderbys);
	scan->numberOfKeys = state->nkeys;
}

bool
dyn_key_gettuple(IndexScanDesc scan, ScanDirection direction)
{
	ScanState  *state = SCAN_STATE(scan, scan->numberOfKeys);
	bool		found;

	scan->numberOfKeys = state->nexpanded;
	found = btgettuple(scan, direction);
	scan->numberOfKeys = state->nkeys;
	scan->xs_recheck = state->recheck;
	return found;
}

int64
dyn_key_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap)
{
	ScanState  *state = SCAN_STATE(scan, scan->numberOfKeys);
	int64		ntids = 0;

	if (!state->recheck)
	{
		scan->numberOfKeys = state->nexpanded;
		ntids = btgetbitmap(scan, bitmap);
		scan->numberOfKeys = state->nkeys;
		return ntids;
	}

	/* btgetbitmap() can't ask for a recheck. */
	while (dyn_key_gettuple(scan, ForwardScanDirection))
	{
		CHECK_FOR_INTERRUPTS();
		tbm_add_tuples(bitmap, &scan->xs_heaptid, 1, true);
		ntids++;
	}
	return ntids;
}

void
dyn_key_endscan(IndexScanDesc scan)
{
	ScanState  *state = SCAN_STATE(scan, scan->numberOfKeys);

	if (state->arguments != NULL)
		MemoryContextDelete(state->arguments);
	btendscan(scan);
}
