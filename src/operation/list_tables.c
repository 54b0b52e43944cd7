/*-------------------------------------------------------------------------
 *
 * list_tables.c
 *		ListTables.
 *
 * src/operation/list_tables.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "operation/request.h"

#define DEFAULT_LIST_LIMIT 100

DynOutcome
dyn_list_tables(DynOperationContext *context, const DynJson *request,
				StringInfo reply)
{
	const DynJson *limit_member = dyn_request_member(request, "Limit");
	const DynJson *start_member = dyn_request_member(request, "ExclusiveStartTableName");
	int			limit = DEFAULT_LIST_LIMIT;
	const char *start = NULL;
	DynAuthorization authorization = {.permission = DYN_MAY_ListTables};
	DynViolations v = {0};
	DynJsonWriter w;
	List	   *names;
	uint32		len;

	dyn_member_range(&v, limit_member, 1, DEFAULT_LIST_LIMIT, "limit");
	dyn_member_length(&v, start_member, DYN_MIN_TABLE_NAME_LENGTH,
					  DYN_MAX_TABLE_NAME_LENGTH, "exclusiveStartTableName");
	dyn_member_name_pattern(&v, start_member, "exclusiveStartTableName");
	dyn_violations_raise(&v);
	if (limit_member != NULL)
		limit = dyn_json_to_integer(limit_member);
	if (start_member != NULL)
		start = dyn_json_string(start_member, &len);

	dyn_authorization_account(&authorization, context);
	dyn_authorization_finish(&authorization);

	/*
	 * One more than asked for tells whether there are more.  Whom it is not a
	 * policy that lets list sees what he has a privilege on.
	 */
	names = dyn_table_names(start, limit + 1, !authorization.by_policy);
	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "TableNames");
	dyn_json_begin_array(&w);
	for (int i = 0; i < Min(limit, list_length(names)); i++)
		dyn_json_write_cstring(&w, list_nth(names, i));
	dyn_json_end_array(&w);
	if (list_length(names) > limit)
			dyn_json_write_text(&w, "LastEvaluatedTableName", list_nth(names, limit - 1));
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}
