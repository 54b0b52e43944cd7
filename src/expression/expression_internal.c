/*-------------------------------------------------------------------------
 *
 * expression_internal.c
 *		The expression languages one by one, as SQL functions for tests.
 *
 * src/expression/expression_internal.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression/legacy.h"
#include "expression/tree.h"
#include "fmgr.h"
#include "funcapi.h"
#include "item/item_json.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(dyn_internal_parse_condition);
PG_FUNCTION_INFO_V1(dyn_internal_evaluate_condition);
PG_FUNCTION_INFO_V1(dyn_internal_condition_paths);
PG_FUNCTION_INFO_V1(dyn_internal_key_condition);
PG_FUNCTION_INFO_V1(dyn_internal_parse_projection);
PG_FUNCTION_INFO_V1(dyn_internal_project);
PG_FUNCTION_INFO_V1(dyn_internal_parse_update);
PG_FUNCTION_INFO_V1(dyn_internal_apply_update);
PG_FUNCTION_INFO_V1(dyn_internal_legacy_condition);
PG_FUNCTION_INFO_V1(dyn_internal_legacy_key_conditions);
PG_FUNCTION_INFO_V1(dyn_internal_legacy_update);
PG_FUNCTION_INFO_V1(dyn_internal_legacy_project);

static DynExpressionKind
condition_kind(text *name)
{
	char	   *kind = text_to_cstring(name);

	for (DynExpressionKind k = DYN_EXPRESSION_CONDITION;
		 k <= DYN_EXPRESSION_KEY_CONDITION; k++)
	{
		if (k != DYN_EXPRESSION_UPDATE &&
			strcmp(psprintf("Invalid %s: ", kind), dyn_expression_prefix(k)) == 0)
			return k;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("not a kind of condition: %s", kind)));
}

static const DynJson *
json_argument(FunctionCallInfo fcinfo, int n)
{
	text	   *t;
	const DynJson *json;

	if (PG_ARGISNULL(n))
		return NULL;
	t = PG_GETARG_TEXT_PP(n);
	json = dyn_json_parse(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
	if (json == NULL || dyn_json_kind(json) != DYN_JSON_OBJECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not a JSON object")));
	return json;
}

/* Arguments 1 and 2 of all that resolve. */
static DynPlaceholders *
placeholders_argument(FunctionCallInfo fcinfo)
{
	return dyn_placeholders_create(json_argument(fcinfo, 1),
								   json_argument(fcinfo, 2));
}

static const DynItem *
item_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_DYN_ITEM(n);
}

static Datum
text_result(StringInfo out)
{
	return PointerGetDatum(cstring_to_text_with_len(out->data, out->len));
}

/* (expression, kind): the tree. */
Datum
dyn_internal_parse_condition(PG_FUNCTION_ARGS)
{
	text	   *t = PG_GETARG_TEXT_PP(0);
	DynCondition *condition;
	StringInfoData out;

	condition = dyn_condition_parse(condition_kind(PG_GETARG_TEXT_PP(1)),
									VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
	initStringInfo(&out);
	dyn_condition_print(&out, condition);
	return text_result(&out);
}

static DynCondition *
condition_argument(FunctionCallInfo fcinfo, DynExpressionKind kind)
{
	text	   *t = PG_GETARG_TEXT_PP(0);
	DynPlaceholders *placeholders = placeholders_argument(fcinfo);
	DynCondition *condition;

	condition = dyn_condition_create(kind, VARDATA_ANY(t),
									 VARSIZE_ANY_EXHDR(t), placeholders);
	dyn_placeholders_check_used(placeholders);
	return condition;
}

/* (expression, names, values, item, kind): is it true? */
Datum
dyn_internal_evaluate_condition(PG_FUNCTION_ARGS)
{
	DynCondition *condition;

	condition = condition_argument(fcinfo, condition_kind(PG_GETARG_TEXT_PP(4)));
	PG_RETURN_BOOL(dyn_condition_evaluate(condition, item_argument(fcinfo, 3)));
}

static void
append_path(const DynDocumentPath *path, void *arg)
{
	StringInfo	out = arg;

	if (out->len > 0)
		appendStringInfoChar(out, ' ');
	dyn_path_describe(out, path);
}

/* (expression, names, values): the paths it mentions. */
Datum
dyn_internal_condition_paths(PG_FUNCTION_ARGS)
{
	DynCondition *condition = condition_argument(fcinfo, DYN_EXPRESSION_FILTER);
	StringInfoData out;

	initStringInfo(&out);
	dyn_condition_visit_paths(condition, append_path, &out);
	return text_result(&out);
}

/* Arguments n and n + 1: names and types, "a,b" for several; returns how many. */
static int
key_attributes_argument(FunctionCallInfo fcinfo, int n, DynKeyAttribute *attributes)
{
	char	   *names;
	char	   *types;
	int			count = 0;

	if (PG_ARGISNULL(n))
		return 0;
	names = text_to_cstring(PG_GETARG_TEXT_PP(n));
	types = text_to_cstring(PG_GETARG_TEXT_PP(n + 1));
	while (names != NULL && types != NULL && count < DYN_MAX_INDEX_KEY_PARTS)
	{
		DynKeyAttribute *attribute = &attributes[count++];
		const char *type = strsep(&types, ",");

		attribute->name = strsep(&names, ",");
		attribute->name_len = strlen(attribute->name);
		attribute->type = dyn_type_from_name(type, strlen(type));
	}
	return count;
}

/* The key schema whose four arguments start at n. */
static void
schema_argument(FunctionCallInfo fcinfo, int n, DynIndexSchema *schema)
{
	schema->npartition = key_attributes_argument(fcinfo, n, schema->partition);
	schema->nsort = key_attributes_argument(fcinfo, n + 2, schema->sort);
}

/* Bind and describe. */
static Datum
bind_result(const DynKeyConditionTree *tree, const DynIndexSchema *schema)
{
	static const char *const operators[] = {
		"", "=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"
	};
	DynKeyCondition condition;
	StringInfoData out;

	dyn_key_condition_bind(tree, schema, &condition);

	initStringInfo(&out);
	for (int i = 0; i < schema->npartition; i++)
	{
		appendStringInfoString(&out, i > 0 ? ", " : "");
		dyn_value_describe(&out, &condition.partition[i]);
	}
	for (int i = 0; i < condition.nsort; i++)
	{
		bool		last = i == condition.nsort - 1;

		appendStringInfo(&out, " %s ",
						 operators[last ? condition.sort_operator : DYN_SORT_EQ]);
		dyn_value_describe(&out, &condition.sort[i]);
	}
	if (condition.sort_operator == DYN_SORT_BETWEEN)
	{
		appendStringInfoString(&out, " AND ");
		dyn_value_describe(&out, &condition.sort_upper);
	}
	return text_result(&out);
}

/*
 * (expression, names, values, partition names, types, sort names, types): what
 * an index is asked for.
 */
Datum
dyn_internal_key_condition(PG_FUNCTION_ARGS)
{
	text	   *t = PG_GETARG_TEXT_PP(0);
	DynPlaceholders *placeholders = placeholders_argument(fcinfo);
	DynIndexSchema schema;
	DynKeyConditionTree *tree;

	schema_argument(fcinfo, 3, &schema);
	tree = dyn_key_condition_create(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t),
									placeholders,
									schema.npartition + schema.nsort > 2);
	dyn_placeholders_check_used(placeholders);
	return bind_result(tree, &schema);
}

static DynProjection *
projection_argument(FunctionCallInfo fcinfo)
{
	text	   *t = PG_GETARG_TEXT_PP(0);
	DynPlaceholders *placeholders = placeholders_argument(fcinfo);
	DynProjection *projection;

	projection = dyn_projection_create(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t),
									   placeholders);
	dyn_placeholders_check_used(placeholders);
	return projection;
}

/* (expression, names, values): its paths. */
Datum
dyn_internal_parse_projection(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	dyn_projection_visit_paths(projection_argument(fcinfo), append_path, &out);
	return text_result(&out);
}

static Datum
show_result(const DynProjection *projection, const DynItem *item)
{
	StringInfoData out;
	DynJsonWriter w;

	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	dyn_projection_write(&w, projection, item);
	return text_result(&out);
}

/* (expression, names, values, item): what it shows. */
Datum
dyn_internal_project(PG_FUNCTION_ARGS)
{
	return show_result(projection_argument(fcinfo), PG_GETARG_DYN_ITEM(3));
}

static DynUpdate *
update_argument(FunctionCallInfo fcinfo, DynPlaceholders *placeholders)
{
	text	   *t = PG_GETARG_TEXT_PP(0);
	DynUpdate  *update;

	update = dyn_update_create(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), placeholders);
	dyn_placeholders_check_used(placeholders);
	return update;
}

/* (expression, names, values): the clauses, resolved. */
Datum
dyn_internal_parse_update(PG_FUNCTION_ARGS)
{
	DynUpdate  *update = update_argument(fcinfo, placeholders_argument(fcinfo));
	StringInfoData out;

	initStringInfo(&out);
	dyn_update_print(&out, update);
	return text_result(&out);
}

/*
 * Arguments n and n + 1 are the old item and the key that stands in for it.
 * The result is (new item, old values touched, new values touched).
 */
static Datum
apply_result(FunctionCallInfo fcinfo, const DynUpdate *update, int n)
{
	const DynItem *old = item_argument(fcinfo, n);
	const DynItem *results[3] = {NULL, NULL, NULL};
	Datum		values[3];
	bool		nulls[3];
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	/* As UpdateItem does: what only takes away makes no item. */
	if (old != NULL || !dyn_update_only_deletes(update))
	{
		results[0] = dyn_update_apply(update, old, PG_GETARG_DYN_ITEM(n + 1));
		results[2] = dyn_update_touched(update, results[0]);
	}
	if (old != NULL)
		results[1] = dyn_update_touched(update, old);
	for (int i = 0; i < 3; i++)
	{
		nulls[i] = results[i] == NULL;
		values[i] = PointerGetDatum(results[i]);
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/* (expression, names, values, old item, key) */
Datum
dyn_internal_apply_update(PG_FUNCTION_ARGS)
{
	return apply_result(fcinfo,
						update_argument(fcinfo, placeholders_argument(fcinfo)), 3);
}

/* (Expected, item, or) and, with a fourth true, (QueryFilter, item, or). */
Datum
dyn_internal_legacy_condition(PG_FUNCTION_ARGS)
{
	const DynJson *json = json_argument(fcinfo, 0);
	bool		or_operator = PG_GETARG_BOOL(2);
	DynCondition *condition;

	condition = PG_GETARG_BOOL(3) ? dyn_legacy_filter(json, or_operator) :
		dyn_legacy_expected(json, or_operator);
	if (condition == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(dyn_condition_evaluate(condition, item_argument(fcinfo, 1)));
}

/* (KeyConditions, partition name, type, sort name, type) */
Datum
dyn_internal_legacy_key_conditions(PG_FUNCTION_ARGS)
{
	DynIndexSchema schema;

	schema_argument(fcinfo, 1, &schema);
	return bind_result(dyn_legacy_key_conditions(json_argument(fcinfo, 0)), &schema);
}

/* (AttributeUpdates, old item, key) */
Datum
dyn_internal_legacy_update(PG_FUNCTION_ARGS)
{
	return apply_result(fcinfo,
						dyn_legacy_attribute_updates(json_argument(fcinfo, 0)), 1);
}

/* (AttributesToGet in an object of one member, item) */
Datum
dyn_internal_legacy_project(PG_FUNCTION_ARGS)
{
	const DynJson *names = dyn_json_first(json_argument(fcinfo, 0));

	return show_result(dyn_legacy_attributes_to_get(names), PG_GETARG_DYN_ITEM(1));
}
