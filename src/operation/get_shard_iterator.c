/*-------------------------------------------------------------------------
 *
 * get_shard_iterator.c
 *		GetShardIterator.
 *
 * src/operation/get_shard_iterator.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "operation/stream_request.h"
#include "stream/change_log.h"

typedef enum IteratorType
{
	TRIM_HORIZON,
	LATEST,
	AT_SEQUENCE_NUMBER,
	AFTER_SEQUENCE_NUMBER,
	AT_TIMESTAMP
} IteratorType;

static const char *const type_values[] = {
	"TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER",
	"AT_TIMESTAMP", NULL
};
static const DynEnum iterator_type = {
	"[TRIM_HORIZON, LATEST, AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER, AT_TIMESTAMP]",
	type_values
};

/* Refuse what the type has no use for, and miss what it needs. */
static void
check_needs(const DynJson *member, bool needed, const char *name, const char *type)
{
	if (needed && member == NULL)
		dyn_raise(VALIDATION, "%s is required for ShardIteratorType %s", name, type);
	if (!needed && member != NULL)
		dyn_raise(VALIDATION, "%s must not be specified for ShardIteratorType %s",
				  name, type);
}

static int64
number_in_shard(const DynJson *member, const DynShard *shard)
{
	uint32		len;
	const char *text = dyn_json_string(member, &len);
	int64		number;

	if (!dyn_sequence_number_parse(text, len, &number) ||
		number < shard->first_number ||
		(shard->end_number != 0 && number >= Max(shard->end_number,
												 shard->first_number + 1)))
		dyn_raise(VALIDATION, "Invalid SequenceNumber: %s", text);
	if (number < dyn_change_log_oldest())
		dyn_raise(TRIMMED_DATA_ACCESS,
				  "The operation attempted to read past the oldest stream record in a shard.");
	return number;
}

/* The number of the first change that is not older than a time. */
static int64
number_at(DynShardKey key, int64 from, int64 until, TimestampTz time)
{
	DynChangeReader *reader = dyn_change_reader_open(key, from, until);
	DynChange	change;
	int64		result = until;

	while (dyn_change_reader_next(reader, &change))
	{
		CHECK_FOR_INTERRUPTS();
		if (change.time < time)
			continue;
		result = change.number;
		break;
	}
	dyn_change_reader_close(reader);
	return result;
}

static TimestampTz
read_time(const DynJson *member)
{
	double		seconds = dyn_json_number(member);
	const double epoch = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (double) SECS_PER_DAY;

	/* Beyond what a timestamp can be is before all changes, or behind them. */
	if (!(seconds > 0))
		return DT_NOBEGIN;
	if (seconds > 1e12)
		return DT_NOEND;
	return (TimestampTz) ((seconds - epoch) * USECS_PER_SEC);
}

DynOutcome
dyn_get_shard_iterator(DynOperationContext *context, const DynJson *request,
					   StringInfo reply)
{
	const DynJson *arn = dyn_request_member(request, "StreamArn");
	const DynJson *shard_id = dyn_request_member(request, "ShardId");
	const DynJson *type_member = dyn_request_member(request, "ShardIteratorType");
	const DynJson *number = dyn_request_member(request, "SequenceNumber");
	const DynJson *time = dyn_request_member(request, "Timestamp");
	DynViolations v = {0};
	IteratorType type;
	DynStreamInfo info;
	DynShardIterator iterator;
	DynShard	shard;
	DynShardKey key;
	int64		settled;
	const char *id;
	uint32		len;
	DynJsonWriter w;

	if (dyn_member_require(&v, arn, "streamArn"))
		dyn_stream_arn_check(&v, arn, "streamArn");
	if (dyn_member_require(&v, shard_id, "shardId"))
		dyn_member_length(&v, shard_id, 28, 65, "shardId");
	dyn_member_require(&v, type_member, "shardIteratorType");
	type = dyn_member_enum(&v, type_member, &iterator_type, TRIM_HORIZON,
						   "shardIteratorType");
	dyn_member_length(&v, number, 21, 40, "sequenceNumber");
	dyn_violations_raise(&v);
	check_needs(number, type == AT_SEQUENCE_NUMBER || type == AFTER_SEQUENCE_NUMBER,
				"SequenceNumber", type_values[type]);
	check_needs(time, type == AT_TIMESTAMP, "Timestamp", type_values[type]);

	dyn_stream_of_arn(context, arn, DYN_MAY_GetShardIterator, &info);
	dyn_shard_id_parse(shard_id, &shard);
	iterator.stream = info.stream.id;
	iterator.bucket = shard.bucket;
	iterator.first_number = shard.first_number;
	key = dyn_shard_key(iterator.stream, iterator.bucket);
	settled = dyn_change_number_settled(key);
	id = dyn_json_string(shard_id, &len);
	if (!dyn_shard_get(iterator.stream, iterator.bucket, iterator.first_number,
					   context->may_wait, &shard) ||
		strcmp(id, dyn_shard_id(&shard)) != 0)
		dyn_raise(RESOURCE_NOT_FOUND,
				  "Requested resource not found: Shard: %s not found", id);
	if (shard.end_number != 0)
		settled = Min(settled, shard.end_number);
	iterator.position = Max(shard.first_number, dyn_change_log_oldest());
	switch (type)
	{
		case TRIM_HORIZON:
			break;
		case LATEST:
			iterator.position = Max(shard.first_number, settled);
			break;
		case AT_SEQUENCE_NUMBER:
			iterator.position = number_in_shard(number, &shard);
			break;
		case AFTER_SEQUENCE_NUMBER:
			iterator.position = number_in_shard(number, &shard) + 1;
			break;
		case AT_TIMESTAMP:
			iterator.position = number_at(key, iterator.position,
										  Max(iterator.position, settled), read_time(time));
			break;
	}
	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_text(&w, "ShardIterator", dyn_shard_iterator_text(&iterator));
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}
