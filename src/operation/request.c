/*-------------------------------------------------------------------------
 *
 * request.c
 *		Reading a request's members, and the parts that operations share.
 *
 * src/operation/request.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "base/limits.h"
#include "base/wording.h"
#include "expression/legacy.h"
#include "operation/arn.h"
#include "operation/request.h"

const DynJson *
dyn_request_member(const DynJson *request, const char *name)
{
	return dyn_json_present(request, name);
}

const char *
dyn_request_string(const DynJson *request, const char *name, uint32 *len)
{
	const DynJson *value = dyn_request_member(request, name);

	return value == NULL ? NULL : dyn_json_string(value, len);
}

bool
dyn_request_bool(const DynJson *request, const char *name, bool absent)
{
	const DynJson *value = dyn_request_member(request, name);

	return value == NULL ? absent : dyn_json_is_true(value);
}

int64
dyn_json_to_integer(const DynJson *value)
{
	double		number = floor(dyn_json_number(value));

	/* 2^63 itself is a double, the largest int64 is not. */
	if (number >= 9223372036854775808.0)
		return PG_INT64_MAX;
	if (number < -9223372036854775808.0)
		return PG_INT64_MIN;
	return (int64) number;
}

bool
dyn_name_is_well_formed(const char *name, uint32 len)
{
	for (uint32 i = 0; i < len; i++)
	{
		char		c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			  (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
			return false;
	}
	return true;
}

void
dyn_request_check_table_name(DynViolations *v, const DynJson *request)
{
	const DynJson *value = dyn_request_member(request, "TableName");
	const char *name;
	uint32		len;

	if (!dyn_member_require(v, value, "tableName"))
		return;
	name = dyn_json_string(value, &len);
	if (strncmp(name, "arn:", 4) == 0)
	{
		dyn_member_length(v, value, 1, DYN_MAX_TABLE_ARN_LENGTH, "tableName");
		return;
	}
	dyn_member_length(v, value, 1, DYN_MAX_TABLE_NAME_LENGTH, "tableName");
	dyn_member_name_pattern(v, value, "tableName");
}

DynReturnCapacity
dyn_request_return_capacity(DynViolations *v, const DynJson *request)
{
	return dyn_member_enum(v, dyn_request_member(request, "ReturnConsumedCapacity"),
						   &dyn_enum_return_capacity, DYN_RETURN_CAPACITY_NONE,
						   "returnConsumedCapacity");
}

/*
 * Only checked: the metrics exist for tables with a local secondary index, and
 * there are none of those.
 */
bool
dyn_request_item_collection_metrics(DynViolations *v, const DynJson *request)
{
	return dyn_member_enum(v, dyn_request_member(request, "ReturnItemCollectionMetrics"),
						   &dyn_enum_item_collection_metrics, 0,
						   "returnItemCollectionMetrics") == 1;
}

const DynTable *
dyn_authorized_table(const DynAuthorization *authorization)
{
	DynOperationContext *context = authorization->context;
	const DynTable *table = authorization->table;

	if (table == NULL)
		dyn_arn_check_table(authorization->name, authorization->name_len);
	dyn_authorization_check(authorization);
	if (table == NULL)
		dyn_raise(RESOURCE_NOT_FOUND, "Requested resource not found");

	/* The caller reads it after the transaction, the descriptor may be gone. */
	if (context->table_name == NULL)
		context->table_name = pstrdup(table->name);
	return table;
}

const DynTable *
dyn_operation_table(DynOperationContext *context, const char *name, uint32 len,
					DynAuthorization *authorization)
{
	dyn_authorization_begin(authorization, context, name, len);
	return dyn_authorized_table(authorization);
}

const DynTable *
dyn_request_table(DynOperationContext *context, const DynJson *request,
				  DynAuthorization *authorization)
{
	uint32		len;
	const char *name = dyn_request_string(request, "TableName", &len);

	authorization->request = request;
	return dyn_operation_table(context, name, len, authorization);
}

/* "A, B" of the members that are there; NULL if none is. */
static const char *
present_members(const DynJson *request, const char *const *names)
{
	StringInfoData list;
	bool		any = false;

	for (; *names != NULL; names++)
	{
		if (dyn_request_member(request, *names) == NULL)
			continue;
		if (!any)
			initStringInfo(&list);
		else
			appendStringInfoString(&list, ", ");
		appendStringInfoString(&list, *names);
		any = true;
	}
	return any ? list.data : NULL;
}

/*
 * ExpressionAttributeValues without an expression that could use them: a
 * projection can't.
 */
static void
check_values_have_expression(const DynJson *request, const char *const *expressions)
{
	StringInfoData list;
	int			count = 0;

	initStringInfo(&list);
	for (; *expressions != NULL; expressions++)
	{
		if (strcmp(*expressions, "ProjectionExpression") == 0)
			continue;
		if (dyn_request_member(request, *expressions) != NULL)
			return;
		if (count++ > 0)
			appendStringInfoString(&list, " and ");
		appendStringInfoString(&list, *expressions);
	}
	appendStringInfoString(&list, count == 1 ? " is null" : " are null");
	dyn_raise_request("%s", psprintf(dyn_wording(DYN_WORDING_VALUES_WITHOUT_EXPRESSION),
									 list.data));
}

void
dyn_request_check_mix(const DynJson *request, const char *const *legacy,
					  const char *const *expressions, bool has_values)
{
	const char *legacy_given = present_members(request, legacy);
	const char *expressions_given = present_members(request, expressions);

	if (legacy_given != NULL && expressions_given != NULL)
		dyn_raise_request("Can not use both expression and non-expression parameters in the same request: "
				  "Non-expression parameters: {%s} Expression parameters: {%s}",
				  legacy_given, expressions_given);

	if (expressions_given == NULL &&
		dyn_request_member(request, "ExpressionAttributeNames") != NULL)
		dyn_raise_request("ExpressionAttributeNames can only be specified when using expressions");
	if (has_values &&
		dyn_request_member(request, "ExpressionAttributeValues") != NULL)
		check_values_have_expression(request, expressions);
}

DynPlaceholders *
dyn_request_placeholders(const DynJson *request, bool has_values)
{
	const DynJson *names = dyn_request_member(request, "ExpressionAttributeNames");

	/* Without has_values the member is unknown, and of unchecked shape. */
	return dyn_placeholders_create(names, !has_values ? NULL :
								   dyn_request_member(request, "ExpressionAttributeValues"));
}

DynCondition *
dyn_request_condition(const DynJson *request, const char *name,
					  DynExpressionKind kind, DynPlaceholders *placeholders)
{
	uint32		len;
	const char *text = dyn_request_string(request, name, &len);

	return text == NULL ? NULL :
		dyn_condition_create(kind, text, len, placeholders);
}

DynProjection *
dyn_request_projection(const DynJson *request, DynPlaceholders *placeholders)
{
	uint32		len;
	const char *text = dyn_request_string(request, "ProjectionExpression", &len);

	return text == NULL ? NULL :
		dyn_projection_create(text, len, placeholders);
}

bool
dyn_path_starts_with(const DynDocumentPath *path, const DynKeyAttribute *attribute)
{
	return attribute->name != NULL &&
		path->steps[0].name_len == attribute->name_len &&
		memcmp(path->steps[0].name, attribute->name, attribute->name_len) == 0;
}

/* Which key attributes the visited paths name, or lead into. */
typedef struct KeyPaths
{
	const DynTable *table;
	const char *named;			/* of the table's key */
	const char *nested;
	const char *nested_in_index;	/* of an index's key */
} KeyPaths;

static const char *
find_index_key(const DynTable *table, const DynDocumentPath *path)
{
	for (int i = 0; i < table->nindexes; i++)
	{
		const DynIndexSchema *schema = &table->indexes[i].definition.schema;

		if (table->indexes[i].definition.kind == DYN_INDEX_TIME_TO_LIVE ||
			!dyn_index_is_kept(&table->indexes[i]))
			continue;
		for (int k = 0; k < schema->npartition; k++)
			if (dyn_path_starts_with(path, &schema->partition[k]))
				return schema->partition[k].name;
		for (int k = 0; k < schema->nsort; k++)
			if (dyn_path_starts_with(path, &schema->sort[k]))
				return schema->sort[k].name;
	}
	return NULL;
}

static void
note_key_path(const DynDocumentPath *path, void *arg)
{
	KeyPaths   *keys = arg;
	const DynKeySchema *schema = &keys->table->schema;
	const char **slot = path->nsteps == 1 ? &keys->named : &keys->nested;

	/* The partition key is reported before the sort key. */
	if (dyn_path_starts_with(path, &schema->partition))
		*slot = schema->partition.name;
	else if (*slot == NULL && dyn_path_starts_with(path, &schema->sort))
		*slot = schema->sort.name;
	else if (path->nsteps > 1 && keys->nested_in_index == NULL)
		keys->nested_in_index = find_index_key(keys->table, path);
}

static void
refuse_nested(const KeyPaths *keys)
{
	bool		in_index = keys->nested == NULL;

	if (keys->nested != NULL || keys->nested_in_index != NULL)
		dyn_raise(VALIDATION,
				  "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: %s: %s",
				  in_index ? "IndexKey" : "Key",
				  in_index ? keys->nested_in_index : keys->nested);
}

void
dyn_request_check_key_paths(const DynTable *table, const DynCondition *condition,
							const DynProjection *projection)
{
	KeyPaths	keys = {table};

	if (condition != NULL)
		dyn_condition_visit_paths(condition, note_key_path, &keys);
	if (projection != NULL)
		dyn_projection_visit_paths(projection, note_key_path, &keys);
	refuse_nested(&keys);
}

void
dyn_request_check_update_targets(const DynTable *table, const DynUpdate *update)
{
	KeyPaths	keys = {table};

	dyn_update_visit_targets(update, note_key_path, &keys);
	if (keys.named != NULL)
		dyn_raise(VALIDATION,
				  "One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key",
				  keys.named);
	refuse_nested(&keys);
}

void
dyn_request_check_conditions(DynViolations *v, const DynJson *request,
							 const char *name)
{
	const DynJson *map = dyn_request_member(request, name);
	const DynJson *entry;

	if (map == NULL)
		return;
	for (entry = dyn_json_first(map); entry; entry = dyn_json_next(entry))
	{
		const DynJson *operator = dyn_request_member(entry, "ComparisonOperator");
		uint32		len;

		dyn_member_enum(v, operator, &dyn_enum_comparison_operator, 0,
						"%c%s.%s.member.comparisonOperator",
						pg_tolower(name[0]), name + 1, dyn_json_name(entry, &len));
		/* Expected alone may compare without one. */
		if (operator == NULL && strcmp(name, "Expected") != 0)
			dyn_member_require(v, NULL, "%c%s.%s.member.comparisonOperator",
							   pg_tolower(name[0]), name + 1,
							   dyn_json_name(entry, &len));
	}
}

void
dyn_request_check_attributes_to_get(DynViolations *v, const DynJson *request)
{
	const DynJson *names = dyn_request_member(request, "AttributesToGet");

	dyn_member_length(v, names, 1, DYN_UNBOUNDED, "attributesToGet");
}

bool
dyn_request_conditional_or(DynViolations *v, const DynJson *request)
{
	return dyn_member_enum(v, dyn_request_member(request, "ConditionalOperator"),
						   &dyn_enum_conditional_operator, DYN_OPERATOR_AND,
						   "conditionalOperator") == DYN_OPERATOR_OR;
}

void
dyn_request_check_conditional_operator(const DynJson *request, const char *filter)
{
	const DynJson *conditions = dyn_request_member(request, filter);

	if (dyn_request_member(request, "ConditionalOperator") == NULL)
		return;
	if (conditions == NULL || dyn_json_first(conditions) == NULL)
		dyn_raise(VALIDATION,
				  "One or more parameter values were invalid: "
				  "ConditionalOperator cannot be used without Filter or Expected");
}
