/*-------------------------------------------------------------------------
 *
 * list_streams.c
 *		ListStreams.
 *
 * In the order of tables' names and streams' labels, so the cookie is right
 * whatever becomes of the stream it names.
 *
 * src/operation/list_streams.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/limits.h"
#include "operation/stream_request.h"

#define MAX_LIST_LIMIT 100

/* Whom it is not a policy that lets list sees the streams he may read. */
static List *
list_streams(const char *table_name, const char *after_table,
			 const char *after_label, int limit, bool readable_only)
{
	List	   *result = NIL;
	List	   *streams;

	do
	{
		ListCell   *cell;

		CHECK_FOR_INTERRUPTS();
		streams = dyn_stream_list(table_name, after_table, after_label, limit);
		foreach(cell, streams)
		{
			DynStreamInfo *info = lfirst(cell);

			after_table = info->table_name;
			after_label = info->stream.label;
			if (list_length(result) < limit &&
				(!readable_only || dyn_stream_is_readable(info)))
				result = lappend(result, info);
		}
	} while (list_length(result) < limit && list_length(streams) == limit);
	return result;
}

static bool
is_known(const char *table_name, bool is_any)
{
	const DynTable *table = dyn_table_find(table_name, strlen(table_name));

	return table != NULL && (is_any || dyn_relation_is_visible(table->relation));
}

DynOutcome
dyn_list_streams(DynOperationContext *context, const DynJson *request,
				 StringInfo reply)
{
	const DynJson *table = dyn_request_member(request, "TableName");
	const DynJson *limit_member = dyn_request_member(request, "Limit");
	const DynJson *start = dyn_request_member(request, "ExclusiveStartStreamArn");
	int			limit = MAX_LIST_LIMIT;
	const char *table_name = NULL;
	char	   *after_table = "";
	char	   *after_label = "";
	DynAuthorization authorization = {.permission = DYN_MAY_ListStreams};
	DynViolations v = {0};
	List	   *streams;
	DynJsonWriter w;
	uint32		len;

	dyn_member_length(&v, table, DYN_MIN_TABLE_NAME_LENGTH, DYN_MAX_TABLE_NAME_LENGTH,
					  "tableName");
	dyn_member_name_pattern(&v, table, "tableName");
	dyn_member_range(&v, limit_member, 1, MAX_LIST_LIMIT, "limit");
	dyn_stream_arn_check(&v, start, "exclusiveStartStreamArn");
	dyn_violations_raise(&v);
	if (limit_member != NULL)
		limit = dyn_json_to_integer(limit_member);
	if (table != NULL)
		table_name = dyn_json_string(table, &len);
	if (start != NULL)
	{
		const char *arn = dyn_json_string(start, &len);

		if (!dyn_stream_arn_parts(arn, len, &after_table, &after_label))
			dyn_raise(VALIDATION, "Invalid StreamArn");
	}

	dyn_authorization_account(&authorization, context);
	dyn_authorization_finish(&authorization);

	/* One more than asked for tells whether there are more. */
	streams = list_streams(table_name, after_table, after_label, limit + 1,
						   !authorization.by_policy);
	if (table_name != NULL && streams == NIL && start == NULL &&
		!is_known(table_name, authorization.by_policy))
		dyn_raise(RESOURCE_NOT_FOUND,
				  "Requested resource not found: Table: %s not found", table_name);
	context->table_name = table_name;
	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "Streams");
	dyn_json_begin_array(&w);
	for (int i = 0; i < Min(limit, list_length(streams)); i++)
	{
		const DynStreamInfo *info = list_nth(streams, i);

		dyn_json_begin_object(&w);
		dyn_json_write_text(&w, "StreamArn",
							dyn_stream_arn(info->table_name, info->stream.label));
		dyn_json_write_text(&w, "TableName", info->table_name);
		dyn_json_write_text(&w, "StreamLabel", info->stream.label);
		dyn_json_end_object(&w);
	}
	dyn_json_end_array(&w);
	if (list_length(streams) > limit)
	{
		const DynStreamInfo *last = list_nth(streams, limit - 1);

		dyn_json_write_text(&w, "LastEvaluatedStreamArn",
							dyn_stream_arn(last->table_name, last->stream.label));
	}
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}
