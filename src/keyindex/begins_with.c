/*-------------------------------------------------------------------------
 *
 * begins_with.c
 *		dynamo.begins_with(bytea, bytea), the function behind operator ^@.
 *
 * src/keyindex/begins_with.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"

#include "keyindex/keyindex.h"

PG_FUNCTION_INFO_V1(dynamo_begins_with);
PG_FUNCTION_INFO_V1(dynamo_begins_with_support);

Datum
dynamo_begins_with(PG_FUNCTION_ARGS)
{
	bytea	   *value = PG_GETARG_BYTEA_PP(0);
	bytea	   *prefix = PG_GETARG_BYTEA_PP(1);
	Size		len = VARSIZE_ANY_EXHDR(prefix);
	bool		result = VARSIZE_ANY_EXHDR(value) >= len &&
		memcmp(VARDATA_ANY(value), VARDATA_ANY(prefix), len) == 0;

	PG_FREE_IF_COPY(value, 0);
	PG_FREE_IF_COPY(prefix, 1);
	PG_RETURN_BOOL(result);
}

/*
 * Lets the planner use an index for the call as for the operator: a WHERE
 * clause may say dynamo.begins_with(sort, 'x').
 */
Datum
dynamo_begins_with_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestIndexCondition *condition;
	List	   *args;
	Oid			operator;

	if (!IsA(request, SupportRequestIndexCondition))
		PG_RETURN_POINTER(NULL);
	condition = (SupportRequestIndexCondition *) request;

	/* An operator clause matches the index by itself. */
	if (!IsA(condition->node, FuncExpr) || condition->indexarg != 0)
		PG_RETURN_POINTER(NULL);
	operator = get_opfamily_member(condition->opfamily, BYTEAOID, BYTEAOID,
								   DYN_BEGINS_WITH_STRATEGY);
	if (!OidIsValid(operator) ||
		get_opcode(operator) != ((FuncExpr *) condition->node)->funcid)
		PG_RETURN_POINTER(NULL);
	args = ((FuncExpr *) condition->node)->args;
	if (!is_pseudo_constant_for_index(condition->root, lsecond(args),
									  condition->index))
		PG_RETURN_POINTER(NULL);

	condition->lossy = false;
	PG_RETURN_POINTER(list_make1(make_opclause(operator, BOOLOID, false,
											   linitial(args), lsecond(args),
											   InvalidOid, InvalidOid)));
}
