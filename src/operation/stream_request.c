/*-------------------------------------------------------------------------
 *
 * stream_request.c
 *		What requests and answers name streams, shards and places in them by.
 *
 * src/operation/stream_request.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/base64.h"
#include "port/pg_crc32c.h"
#include "utils/timestamp.h"

#include "base/limits.h"
#include "operation/arn.h"
#include "operation/stream_request.h"
#include "operation/table_request.h"

#define ITERATOR_LIFETIME (15 * 60 * USECS_PER_SEC)

static const char *const view_values[] = {
	"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", NULL
};
const DynEnum dyn_enum_stream_view = {
	"[NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY]", view_values
};

void
dyn_stream_request_check(DynViolations *v, const DynJson *request)
{
	const DynJson *specification = dyn_request_member(request, "StreamSpecification");

	if (specification == NULL)
		return;
	dyn_member_require(v, dyn_request_member(specification, "StreamEnabled"),
					   "streamSpecification.streamEnabled");
	dyn_member_enum(v, dyn_request_member(specification, "StreamViewType"),
					&dyn_enum_stream_view, 0, "streamSpecification.streamViewType");
}

bool
dyn_stream_request_enables(const DynJson *specification, DynStreamView *view,
						   const char *doing)
{
	const DynJson *member = dyn_request_member(specification, "StreamViewType");
	DynViolations v = {0};

	if (!dyn_request_bool(specification, "StreamEnabled", false))
	{
		if (member != NULL)
			dyn_raise(VALIDATION,
					  DYN_INVALID_VALUES "Table is being %s with a stream disabled, UpdateViewType should not be specified",
					  doing);
		return false;
	}
	if (member == NULL)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Table is being %s with a stream enabled, StreamViewType must be specified",
				  doing);
	*view = dyn_member_enum(&v, member, &dyn_enum_stream_view, 0,
							"streamSpecification.streamViewType");
	return true;
}

/* ----- streams ----- */

void
dyn_stream_arn_check(DynViolations *v, const DynJson *arn, const char *path)
{
	dyn_member_length(v, arn, DYN_MIN_STREAM_ARN_LENGTH, DYN_MAX_STREAM_ARN_LENGTH,
					  "%s", path);
}

bool
dyn_stream_arn_parts(const char *arn, uint32 len, char **table_name, char **label)
{
	const char *prefix = dyn_table_arn("");
	size_t		prefix_len = strlen(prefix);
	char	   *rest;
	char	   *slash;

	if (dyn_arn_kind(arn, len) != DYN_ARN_STREAM || len <= prefix_len ||
		memcmp(arn, prefix, prefix_len) != 0)
		return false;
	rest = pnstrdup(arn + prefix_len, len - prefix_len);
	slash = strchr(rest, '/');
	*slash = '\0';
	*table_name = rest;
	*label = slash + strlen("/stream/");
	return true;
}

void
dyn_stream_authorize(DynOperationContext *context, const DynStreamInfo *info,
					 DynPermission permission)
{
	DynAuthorization authorization = {.permission = permission};

	dyn_authorization_stream(&authorization, context, info->table_name,
							 info->stream.label, info);
	dyn_authorization_finish(&authorization);
}

void
dyn_stream_of_arn(DynOperationContext *context, const DynJson *arn,
				  DynPermission permission, DynStreamInfo *info)
{
	DynAuthorization authorization = {.permission = permission};
	uint32		len;
	const char *text = dyn_json_string(arn, &len);
	char	   *table_name;
	char	   *label;
	bool		found = false;

	if (dyn_arn_kind(text, len) != DYN_ARN_STREAM)
		dyn_raise(VALIDATION, "Invalid StreamArn");
	if (dyn_stream_arn_parts(text, len, &table_name, &label))
	{
		found = dyn_stream_find(table_name, label, info);
		dyn_authorization_stream(&authorization, context, table_name, label,
								 found ? info : NULL);
		dyn_authorization_finish(&authorization);
	}
	if (!found)
		dyn_raise(RESOURCE_NOT_FOUND,
				  "Requested resource not found: Stream: %s not found", text);
	context->table_name = info->table_name;
}

DynStreamKeys
dyn_stream_keys(const DynStreamInfo *info)
{
	DynStreamKeys keys = {.count = 1};
	bool		first = info->sort_key == NULL ||
	strcmp(info->partition_key, info->sort_key) < 0;

	keys.names[first ? 0 : 1].name = info->partition_key;
	if (info->sort_key != NULL)
		keys.names[first ? 1 : 0].name = info->sort_key;
	if (info->sort_key != NULL)
		keys.count = 2;
	for (int i = 0; i < keys.count; i++)
		keys.names[i].name_len = strlen(keys.names[i].name);
	return keys;
}

DynItem *
dyn_change_keys(const DynStreamKeys *keys, const DynChange *change)
{
	if (change->keys != NULL)
		return change->keys;
	return dyn_item_subset(change->new_item != NULL ? change->new_item : change->old_item,
						   keys->names, keys->count);
}

/* ----- shards ----- */

static const char *
shard_id(long long milliseconds, int64 first_number, int bucket)
{
	return psprintf("shardId-%020lld-%016llx%02x", milliseconds,
					(unsigned long long) first_number, bucket);
}

static long long
unix_milliseconds(TimestampTz time)
{
	return time / 1000 +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * INT64CONST(86400) * 1000;
}

const char *
dyn_shard_id(const DynShard *shard)
{
	return shard_id(unix_milliseconds(shard->created), shard->first_number,
					shard->bucket);
}

const char *
dyn_shard_parent_id(const DynShard *shard)
{
	return shard_id(unix_milliseconds(shard->parent_created), shard->parent,
					shard->bucket);
}

void
dyn_shard_id_parse(const DynJson *id, DynShard *shard)
{
	uint32		len;
	const char *text = dyn_json_string(id, &len);
	long long	milliseconds;
	unsigned long long number;
	unsigned int bucket;

	if (sscanf(text, "shardId-%20lld-%16llx%2x", &milliseconds, &number, &bucket) != 3 ||
		number > PG_INT64_MAX ||
		strcmp(text, shard_id(milliseconds, number, bucket)) != 0)
		dyn_raise(RESOURCE_NOT_FOUND,
				  "Requested resource not found: Shard: %s not found", text);
	shard->bucket = bucket;
	shard->first_number = number;
}

const char *
dyn_sequence_number(int64 number)
{
	return psprintf("1%020lld", (long long) number);
}

bool
dyn_sequence_number_parse(const char *text, uint32 len, int64 *number)
{
	long long	value;

	if (len != 21 || strspn(text, "0123456789") != len ||
		sscanf(text + 1, "%lld", &value) != 1 ||
		strcmp(text, dyn_sequence_number(value)) != 0)
		return false;
	*number = value;
	return true;
}

/* ----- iterators ----- */

static uint32
checksum(const char *text)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, text, strlen(text));
	FIN_CRC32C(crc);
	return crc;
}

static const char *
iterator_fields(const DynShardIterator *iterator, TimestampTz made)
{
	return psprintf("1|%d|%d|%lld|%lld|%lld", iterator->stream, iterator->bucket,
					(long long) iterator->first_number, (long long) iterator->position,
					(long long) made);
}

static const char *
iterator_text(const DynShardIterator *iterator, TimestampTz made)
{
	const char *fields = iterator_fields(iterator, made);
	char	   *plain = psprintf("%s|%08x", fields, checksum(fields));
	int			len = strlen(plain);
	int			size = pg_b64_enc_len(len);
	char	   *text = palloc(size + 1);

	len = pg_b64_encode(plain, len, text, size);
	text[len] = '\0';
	return text;
}

const char *
dyn_shard_iterator_text(const DynShardIterator *iterator)
{
	return iterator_text(iterator, GetCurrentTimestamp());
}

void
dyn_shard_iterator_parse(const DynJson *value, DynShardIterator *iterator)
{
	uint32		len;
	const char *text = dyn_json_string(value, &len);
	char		plain[256];
	int			size = len > sizeof(plain) ? -1 :
	pg_b64_decode(text, len, plain, sizeof(plain) - 1);
	long long	first_number,
				position,
				made;

	if (size < 0)
		dyn_raise(VALIDATION, "Invalid ShardIterator");
	plain[size] = '\0';

	/* Written again it must be the same: nothing but ours passes. */
	if (sscanf(plain, "1|%d|%d|%lld|%lld|%lld|", &iterator->stream, &iterator->bucket,
			   &first_number, &position, &made) != 5)
		dyn_raise(VALIDATION, "Invalid ShardIterator");
	iterator->first_number = first_number;
	iterator->position = position;
	if (strcmp(text, iterator_text(iterator, made)) != 0 ||
		iterator->bucket < 0 || iterator->bucket >= DYN_MAX_STREAM_SHARDS)
		dyn_raise(VALIDATION, "Invalid ShardIterator");
	if (made + ITERATOR_LIFETIME < GetCurrentTimestamp())
		dyn_raise(EXPIRED_ITERATOR,
				  "Iterator expired. The iterator was created at time %s while right now it is %s which is further in the future than the tolerated delay of 900000 milliseconds.",
				  pstrdup(timestamptz_to_str(made)),
				  pstrdup(timestamptz_to_str(GetCurrentTimestamp())));
}
