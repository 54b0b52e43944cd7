/*-------------------------------------------------------------------------
 *
 * stream_request.h
 *		What requests and answers name streams, shards and places in them by.
 *
 * src/operation/stream_request.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_STREAM_REQUEST_H
#define DYN_STREAM_REQUEST_H

#include "operation/request.h"
#include "stream/change_log.h"
#include "stream/shard.h"

#define DYN_MIN_STREAM_ARN_LENGTH 37
#define DYN_MAX_STREAM_ARN_LENGTH 1024

/* In the order of DynStreamView. */
extern const DynEnum dyn_enum_stream_view;

/*
 * StreamSpecification of CreateTable and UpdateTable: its constraints, and then
 * what it asks for.  There is one, and it has StreamEnabled.
 */
extern void dyn_stream_request_check(DynViolations *v, const DynJson *request);
extern bool dyn_stream_request_enables(const DynJson *specification,
									   DynStreamView *view, const char *doing);

/* StreamArn or the like, at path; may be absent. */
extern void dyn_stream_arn_check(DynViolations *v, const DynJson *arn,
								 const char *path);

/*
 * The stream of a checked StreamArn, for who has the permission.  Raises
 * ValidationException for an ARN of something else, AccessDeniedException,
 * ResourceNotFoundException.  Sets context->table_name.
 */
extern void dyn_stream_of_arn(DynOperationContext *context, const DynJson *arn,
							  DynPermission permission, DynStreamInfo *info);

/* The table's name and the label in an ARN of a stream of ours; false for others. */
extern bool dyn_stream_arn_parts(const char *arn, uint32 len, char **table_name,
								 char **label);

/* Raise unless the caller has the permission on the stream. */
extern void dyn_stream_authorize(DynOperationContext *context,
								 const DynStreamInfo *info,
								 DynPermission permission);

/* The names of a stream's key attributes, sorted. */
typedef struct DynStreamKeys
{
	DynAttributeName names[2];
	int			count;
} DynStreamKeys;

extern DynStreamKeys dyn_stream_keys(const DynStreamInfo *info);

/* The item of just the key attributes of what has changed. */
extern DynItem *dyn_change_keys(const DynStreamKeys *keys, const DynChange *change);

/*
 * "shardId-<20 digits>-<first number and bucket, 18 hexadecimal digits>".  The
 * digits are, as the service's, the time the shard was made at in milliseconds:
 * the Kinesis Client Library keeps what it knows of a shard for six hours from
 * then, and of one from the future for ever.
 */
extern const char *dyn_shard_id(const DynShard *shard);
extern const char *dyn_shard_parent_id(const DynShard *shard);

/*
 * The shard's bucket and first_number.  Raises ResourceNotFoundException for
 * what is not of that form.
 */
extern void dyn_shard_id_parse(const DynJson *id, DynShard *shard);

/* 21 digits, as many as clients want at least; false if it is none of ours. */
extern const char *dyn_sequence_number(int64 number);
extern bool dyn_sequence_number_parse(const char *text, uint32 len, int64 *number);

/* Where a consumer stands in a shard. */
typedef struct DynShardIterator
{
	int32		stream;
	int			bucket;
	int64		first_number;	/* of the shard */
	int64		position;		/* of what comes next, at least */
} DynShardIterator;

extern const char *dyn_shard_iterator_text(const DynShardIterator *iterator);

/* Raises ValidationException or ExpiredIteratorException. */
extern void dyn_shard_iterator_parse(const DynJson *text, DynShardIterator *iterator);

#endif							/* DYN_STREAM_REQUEST_H */
