/*-------------------------------------------------------------------------
 *
 * partiql_internal.c
 *		dynamo_internal.parse_statement(): for tests.
 *
 * src/partiql/partiql_internal.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "item/item_json.h"
#include "partiql/statement.h"

PG_FUNCTION_INFO_V1(dyn_internal_parse_statement);

/* (statement text, parameters json): the tree's printed form. */
Datum
dyn_internal_parse_statement(PG_FUNCTION_ARGS)
{
	text	   *statement = PG_GETARG_TEXT_PP(0);
	text	   *json = PG_GETARG_TEXT_PP(1);
	const DynJson *list = dyn_json_parse(VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json));
	const DynJson *element;
	DynValue   *parameters;
	int			n = 0;
	StringInfoData out;
	DynStatement *tree;

	if (list == NULL || dyn_json_kind(list) != DYN_JSON_ARRAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameters are not a JSON array")));
	parameters = palloc((dyn_json_count(list) + 1) * sizeof(DynValue));
	for (element = dyn_json_first(list); element; element = dyn_json_next(element))
		parameters[n++] = dyn_value_from_json(element);

	tree = dyn_statement_parse(VARDATA_ANY(statement), VARSIZE_ANY_EXHDR(statement),
							   parameters, n);
	initStringInfo(&out);
	dyn_statement_print(&out, tree);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
