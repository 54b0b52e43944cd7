/*-------------------------------------------------------------------------
 *
 * describe_stream.c
 *		DescribeStream.
 *
 * src/operation/describe_stream.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "operation/stream_request.h"
#include "operation/table_description.h"

#define MAX_SHARDS 100

static const char *const filter_values[] = {"CHILD_SHARDS", NULL};
static const DynEnum filter_type = {"[CHILD_SHARDS]", filter_values};

static void
check_shard_id(DynViolations *v, const DynJson *id, const char *path)
{
	dyn_member_length(v, id, 28, 65, "%s", path);
}

static void
write_key(DynJsonWriter *w, const char *name, const char *key_type)
{
	if (name == NULL)
		return;
	dyn_json_begin_object(w);
	dyn_json_write_text(w, "AttributeName", name);
	dyn_json_write_text(w, "KeyType", key_type);
	dyn_json_end_object(w);
}

static void
write_shard(DynJsonWriter *w, const DynShard *shard)
{
	dyn_json_begin_object(w);
	dyn_json_write_text(w, "ShardId", dyn_shard_id(shard));
	dyn_json_write_key(w, "SequenceNumberRange");
	dyn_json_begin_object(w);
	dyn_json_write_text(w, "StartingSequenceNumber",
						dyn_sequence_number(shard->first_number));
	if (shard->end_number != 0)
		dyn_json_write_text(w, "EndingSequenceNumber",
							dyn_sequence_number(Max(shard->first_number,
													shard->end_number - 1)));
	dyn_json_end_object(w);
	if (shard->parent != 0)
		dyn_json_write_text(w, "ParentShardId", dyn_shard_parent_id(shard));
	dyn_json_end_object(w);
}

DynOutcome
dyn_describe_stream(DynOperationContext *context, const DynJson *request,
					StringInfo reply)
{
	const DynJson *arn = dyn_request_member(request, "StreamArn");
	const DynJson *limit_member = dyn_request_member(request, "Limit");
	const DynJson *start = dyn_request_member(request, "ExclusiveStartShardId");
	const DynJson *filter = dyn_request_member(request, "ShardFilter");
	DynShard	after;
	DynShard	parent;
	int			limit = MAX_SHARDS;
	DynViolations v = {0};
	DynStreamInfo info;
	List	   *shards;
	DynJsonWriter w;

	if (dyn_member_require(&v, arn, "streamArn"))
		dyn_stream_arn_check(&v, arn, "streamArn");
	dyn_member_range(&v, limit_member, 1, MAX_SHARDS, "limit");
	check_shard_id(&v, start, "exclusiveStartShardId");
	if (filter != NULL)
	{
		const DynJson *type = dyn_request_member(filter, "Type");
		const DynJson *id = dyn_request_member(filter, "ShardId");

		if (dyn_member_require(&v, type, "shardFilter.type"))
			dyn_member_enum(&v, type, &filter_type, 0, "shardFilter.type");
		if (dyn_member_require(&v, id, "shardFilter.shardId"))
			check_shard_id(&v, id, "shardFilter.shardId");
	}
	dyn_violations_raise(&v);
	if (limit_member != NULL)
		limit = dyn_json_to_integer(limit_member);
	dyn_stream_of_arn(context, arn, DYN_MAY_DescribeStream, &info);
	if (start != NULL)
		dyn_shard_id_parse(start, &after);
	if (filter != NULL)
		dyn_shard_id_parse(dyn_request_member(filter, "ShardId"), &parent);

	shards = dyn_shard_list(info.stream.id, start == NULL ? NULL : &after,
							filter == NULL ? NULL : &parent, limit + 1);
	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "StreamDescription");
	dyn_json_begin_object(&w);
	dyn_json_write_text(&w, "StreamArn",
						dyn_stream_arn(info.table_name, info.stream.label));
	dyn_json_write_text(&w, "StreamLabel", info.stream.label);
	dyn_json_write_text(&w, "StreamStatus", info.stream.enabled ? "ENABLED" : "DISABLED");
	dyn_json_write_text(&w, "StreamViewType", dyn_stream_view_names[info.stream.view]);
	dyn_json_write_time(&w, "CreationRequestDateTime", info.created);
	dyn_json_write_text(&w, "TableName", info.table_name);
	dyn_json_write_key(&w, "KeySchema");
	dyn_json_begin_array(&w);
	write_key(&w, info.partition_key, "HASH");
	write_key(&w, info.sort_key, "RANGE");
	dyn_json_end_array(&w);
	dyn_json_write_key(&w, "Shards");
	dyn_json_begin_array(&w);
	for (int i = 0; i < Min(limit, list_length(shards)); i++)
		write_shard(&w, list_nth(shards, i));
	dyn_json_end_array(&w);
	if (list_length(shards) > limit)
	{
		dyn_json_write_text(&w, "LastEvaluatedShardId",
							dyn_shard_id(list_nth(shards, limit - 1)));
	}
	dyn_json_end_object(&w);
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}
