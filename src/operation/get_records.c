/*-------------------------------------------------------------------------
 *
 * get_records.c
 *		GetRecords.
 *
 * Consumers ask again and again, and mostly there is nothing new: then no
 * relation is looked at but the catalog.
 *
 * src/operation/get_records.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/limits.h"
#include "base/settings.h"
#include "item/item_json.h"
#include "operation/slice.h"
#include "operation/stream_request.h"
#include "stream/change_log.h"

#define MAX_RECORDS 1000

/* What all records of an answer have in common. */
typedef struct Page
{
	const DynStreamInfo *info;
	DynStreamKeys keys;
	uint64		event_prefix;	/* of event ids: the stream's */
} Page;

static void
begin_page(Page *page, const DynStreamInfo *info)
{
	page->info = info;
	page->keys = dyn_stream_keys(info);
	page->event_prefix = DatumGetUInt64(hash_any_extended((const unsigned char *) info->stream.label,
														  strlen(info->stream.label),
														  info->stream.id));
}

static uint32
image_size(const DynItem *item)
{
	return item == NULL ? 0 : dyn_item_size(item);
}

static void
write_image(DynJsonWriter *w, const char *name, const DynItem *item)
{
	if (item == NULL)
		return;
	dyn_json_write_key(w, name);
	dyn_json_write_item(w, item);
}

static void
write_record(DynJsonWriter *w, const Page *page, const DynChange *change,
			 const DynItem *keys, uint32 size)
{
	static const char service[] =
	"{\"PrincipalId\":\"dynamodb.amazonaws.com\",\"Type\":\"Service\"}";

	dyn_json_begin_object(w);
	dyn_json_write_text(w, "eventID",
						psprintf("%016llx%016llx", (unsigned long long) page->event_prefix,
								 (unsigned long long) change->number));
	dyn_json_write_text(w, "eventName",
						change->event == DYN_CHANGE_INSERT ? "INSERT" :
						change->event == DYN_CHANGE_MODIFY ? "MODIFY" : "REMOVE");
	dyn_json_write_text(w, "eventVersion", "1.1");
	dyn_json_write_text(w, "eventSource", "aws:dynamodb");
	dyn_json_write_text(w, "awsRegion", dyn_region);
	dyn_json_write_key(w, "dynamodb");
	dyn_json_begin_object(w);

	/* Whole seconds, as the service's. */
	dyn_json_write_key(w, "ApproximateCreationDateTime");
	dyn_json_write_int(w, change->time / USECS_PER_SEC +
					   (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * INT64CONST(86400));
	write_image(w, "Keys", keys);
	write_image(w, "NewImage", change->new_item);
	write_image(w, "OldImage", change->old_item);
	dyn_json_write_text(w, "SequenceNumber", dyn_sequence_number(change->number));
	dyn_json_write_key(w, "SizeBytes");
	dyn_json_write_int(w, size);
	dyn_json_write_text(w, "StreamViewType", dyn_stream_view_names[page->info->stream.view]);
	dyn_json_end_object(w);
	if (change->event == DYN_CHANGE_EXPIRE)
	{
		dyn_json_write_key(w, "userIdentity");
		dyn_json_write_raw(w, service, sizeof(service) - 1);
	}
	dyn_json_end_object(w);
}

/* What has been read; the progress of an unfinished call. */
typedef struct Reading
{
	int64		next;			/* where it goes on, or where the next page begins */
	int			count;
	int64		bytes;
	bool		unfinished;		/* only the slice of time is over */
	DynPartialReply reply;
} Reading;

/* Write the records in [reading->next, until), as many as fit. */
static void
write_records(DynJsonWriter *w, const DynStreamInfo *info, DynShardKey key,
			  Reading *reading, int64 until, int limit, DynSlice *slice)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "dynamo record",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context;
	DynChangeReader *reader = dyn_change_reader_open(key, reading->next, until);
	DynChange	change;
	Page		page;

	begin_page(&page, info);
	reading->next = until;
	old_context = MemoryContextSwitchTo(context);
	for (; dyn_change_reader_next(reader, &change); reading->count++)
	{
		DynItem    *keys;
		uint32		size;

		CHECK_FOR_INTERRUPTS();
		keys = dyn_change_keys(&page.keys, &change);
		size = image_size(keys) + image_size(change.new_item) + image_size(change.old_item);
		if (reading->unfinished || reading->count == limit ||
			(reading->count > 0 && reading->bytes + size > DYN_MAX_PAGE_SIZE))
		{
			reading->next = change.number;
			break;
		}
		reading->bytes += size;
		reading->unfinished = dyn_slice_is_over(slice, size);
		write_record(w, &page, &change, keys, size);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old_context);
	dyn_change_reader_close(reader);
	MemoryContextDelete(context);
	/* Over with the last record, or with the page: then it is finished. */
	if (reading->next == until || reading->count == limit)
		reading->unfinished = false;
}

DynOutcome
dyn_get_records(DynOperationContext *context, const DynJson *request,
				StringInfo reply)
{
	const DynJson *iterator_member = dyn_request_member(request, "ShardIterator");
	const DynJson *limit_member = dyn_request_member(request, "Limit");
	const Reading *before = context->progress;
	int			limit = MAX_RECORDS;
	DynViolations v = {0};
	DynShardIterator iterator;
	DynStreamInfo info;
	DynShard	shard;
	DynShardKey key;
	int64		until;
	Reading		reading = {0};
	DynSlice	slice;
	DynJsonWriter w;

	if (dyn_member_require(&v, iterator_member, "shardIterator"))
		dyn_member_length(&v, iterator_member, 1, 2048, "shardIterator");
	dyn_member_range(&v, limit_member, 1, MAX_RECORDS, "limit");
	dyn_violations_raise(&v);
	if (limit_member != NULL)
		limit = dyn_json_to_integer(limit_member);
	dyn_shard_iterator_parse(iterator_member, &iterator);

	/*
	 * What is settled comes first: a shard that is closed later ends behind it.
	 */
	key = dyn_shard_key(iterator.stream, iterator.bucket);
	until = dyn_change_number_settled(key);
	if (!dyn_stream_get(iterator.stream, &info))
		dyn_raise(RESOURCE_NOT_FOUND, "Requested resource not found");
	context->table_name = info.table_name;
	dyn_stream_authorize(context, &info, DYN_MAY_GetRecords);
	if (!dyn_shard_get(iterator.stream, iterator.bucket, iterator.first_number,
					   context->may_wait, &shard))
		dyn_raise(RESOURCE_NOT_FOUND, "Requested resource not found");
	if (shard.end_number != 0)
		until = Min(until, shard.end_number);
	if (before == NULL &&
		iterator.position < dyn_change_log_oldest() && iterator.position < until)
		dyn_raise(TRIMMED_DATA_ACCESS,
				  "The operation attempted to read past the oldest stream record in a shard.");

	dyn_json_writer_init(&w, reply);
	if (before != NULL)
	{
		reading = *before;
		dyn_partial_reply_resume(&before->reply, &w);
	}
	else
	{
		reading.next = iterator.position;
		dyn_json_begin_object(&w);
		dyn_json_write_key(&w, "Records");
		dyn_json_begin_array(&w);
	}
	reading.unfinished = false;
	if (reading.next < until)
	{
		dyn_slice_begin(&slice, context);
		if (dyn_change_number_may_have(key, reading.next))
			write_records(&w, &info, key, &reading, until, limit, &slice);
		else
			reading.next = until;
	}
	if (reading.unfinished)
	{
		Reading    *now = palloc(sizeof(Reading));

		*now = reading;
		dyn_partial_reply_keep(&now->reply, before == NULL ? NULL : &before->reply, &w);
		context->new_progress = now;
		return DYN_OUTCOME_UNFINISHED;
	}
	dyn_partial_reply_finish(&w, reply);
	iterator.position = reading.next;
	dyn_json_end_array(&w);
	if (shard.end_number == 0 || iterator.position < shard.end_number)
		dyn_json_write_text(&w, "NextShardIterator", dyn_shard_iterator_text(&iterator));
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}
