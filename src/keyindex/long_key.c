/*-------------------------------------------------------------------------
 *
 * long_key.c
 *		Keys that are too long for a page of the index.
 *
 * A partition key may have 2048 bytes and a sort key 1024, more together than
 * the 2704 bytes nbtree has room for, and keys of random bytes don't compress.
 * A column whose operator class has support function 6 (partition_ops) keeps
 * a long value in a short form:
 *
 *		OFFSET	SIZE	MEANING
 *		0		1568	the value's first bytes
 *		1568	32		SHA-256 of the whole value
 *
 * Values of 1600 bytes and more take this form, so everything of 1600 bytes is
 * one: no value equals another's short form.  Equality and uniqueness are
 * exact.  Order is by the first 1568 bytes, then arbitrary but fixed: right
 * for a column that stands behind its own hash and is only asked for equality.
 *
 * src/keyindex/long_key.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "nodes/execnodes.h"
#include "nodes/makefuncs.h"
#include "utils/rel.h"

#include "keyindex/keyindex.h"

PG_FUNCTION_INFO_V1(dynamo_shorten_key);

StaticAssertDecl(DYN_KEY_EXACT_SIZE + PG_SHA256_DIGEST_LENGTH == DYN_KEY_SHORT_SIZE,
				 "a short form is the first bytes and a digest");

bool
dyn_key_shortens(Relation index, int attnum)
{
	return RegProcedureIsValid(index_getprocid(index, attnum,
											   DYN_KEY_SHORTEN_PROC));
}

uint32
dyn_key_value_size(Datum value)
{
	return toast_raw_datum_size(value) - VARHDRSZ;
}

Datum
dyn_key_shorten(Datum value)
{
	bytea	   *whole;
	bytea	   *shortened;
	char	   *digest;
	pg_cryptohash_ctx *context;

	if (dyn_key_value_size(value) < DYN_KEY_SHORT_SIZE)
		return value;
	whole = DatumGetByteaPP(value);
	shortened = palloc(VARHDRSZ + DYN_KEY_SHORT_SIZE);
	SET_VARSIZE(shortened, VARHDRSZ + DYN_KEY_SHORT_SIZE);
	memcpy(VARDATA(shortened), VARDATA_ANY(whole), DYN_KEY_EXACT_SIZE);
	digest = VARDATA(shortened) + DYN_KEY_EXACT_SIZE;
	context = pg_cryptohash_create(PG_SHA256);
	if (pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (uint8 *) VARDATA_ANY(whole),
							 VARSIZE_ANY_EXHDR(whole)) < 0 ||
		pg_cryptohash_final(context, (uint8 *) digest,
							PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not compute SHA-256: %s",
			 pg_cryptohash_error(context));
	pg_cryptohash_free(context);
	return PointerGetDatum(shortened);
}

Datum
dynamo_shorten_key(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(dyn_key_shorten(PG_GETARG_DATUM(0)));
}

IndexInfo *
dyn_key_index_info(Relation heap, Relation index, IndexInfo *info)
{
	IndexInfo  *result = palloc(sizeof(IndexInfo));
	ListCell   *next = list_head(info->ii_Expressions);

	*result = *info;
	result->ii_Expressions = NIL;
	result->ii_ExpressionsState = NIL;
	for (int i = 0; i < info->ii_NumIndexAttrs; i++)
	{
		AttrNumber	attnum = info->ii_IndexAttrNumbers[i];
		Node	   *expression = NULL;

		if (attnum == 0)
		{
			expression = lfirst(next);
			next = lnext(info->ii_Expressions, next);
		}
		if (i < info->ii_NumIndexKeyAttrs && dyn_key_shortens(index, i + 1))
		{
			if (expression == NULL)
				expression = (Node *)
					makeVar(1, attnum,
							TupleDescAttr(RelationGetDescr(heap), attnum - 1)->atttypid,
							-1, InvalidOid, 0);
			expression = (Node *)
				makeFuncExpr(index_getprocid(index, i + 1, DYN_KEY_SHORTEN_PROC),
							 BYTEAOID, list_make1(expression),
							 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
			result->ii_IndexAttrNumbers[i] = 0;
		}
		if (expression != NULL)
			result->ii_Expressions = lappend(result->ii_Expressions, expression);
	}
	return result;
}
