/*-------------------------------------------------------------------------
 *
 * sql_functions.c
 *		The API as SQL functions: datum -> operation -> datum.
 *
 * dynamo.put_item(json) and its like take the request the HTTP endpoint takes
 * and return its reply; they run in the caller's transaction and wait for row
 * locks as SQL does.  The overloads for people who write SQL by hand make the
 * same request of their arguments, so there is one set of rules.
 *
 * JSON is UTF-8 here as everywhere in the project; a database in another
 * encoding has it converted at this door.
 *
 * src/sql_functions.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <netdb.h>

#include "common/ip.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "auth/sts.h"
#include "item/item_json.h"
#include "operation/audit.h"
#include "operation/operation.h"
#include "operation/stream_request.h"

/*
 * Turn a failure that aborted nothing into an error, which does.  The item is the
 * caller's to see, and not the server log's.
 */
static void
raise_failure(const DynOperationContext *context)
{
	const DynExceptionInfo *info = dyn_exception_info(context->failure.exception);
	const char *members = context->failure.members;

	ereport(ERROR,
			(errcode(info->sqlstate),
			 errmsg_internal("%s", context->failure.message),
			 members ? errdetail_internal("{%s}", members) : 0,
			 members ? errdetail_log("What was returned of items is not logged.") : 0,
			 context->failure.exception == DYN_EXCEPTION_CONDITIONAL_CHECK_FAILED ?
			 errhint("The stored item does not meet the condition; \"ReturnValuesOnConditionCheckFailure\": \"ALL_OLD\" shows it in the detail.") : 0));
}

/* The address a session's client has, or NULL if that is a Unix socket. */
static const char *
session_address(void)
{
	char		address[NI_MAXHOST];
	SockAddr   *client;

	if (MyBEEntry == NULL)
		return NULL;
	client = &MyBEEntry->st_clientaddr;
	if ((client->addr.ss_family != AF_INET && client->addr.ss_family != AF_INET6) ||
		pg_getnameinfo_all(&client->addr, client->salen, address, sizeof(address),
						   NULL, 0, NI_NUMERICHOST) != 0)
		return NULL;
	return pstrdup(address);
}

/*
 * Log what came of a call by SQL, if that is wanted.  Of the caller the audit says
 * from where the session came and what the application calls itself.  error: what
 * the call raises, or NULL.
 */
static void
log_event(DynAuditEvent *event, const ErrorData *error, instr_time began)
{
	instr_time	now;

	event->source_address = session_address();
	event->user_agent = application_name;
	event->secure_transport = MyBEEntry != NULL && MyBEEntry->st_ssl;
	if (error != NULL)
	{
		event->exception = dyn_exception_of_sqlstate(error->sqlerrcode);
		if (error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE)
			event->exception = DYN_EXCEPTION_ACCESS_DENIED;
		event->error_code = unpack_sql_state(error->sqlerrcode);
		event->denial = error->message;
	}
	if (!dyn_audit_wants(event->read_only, event->exception))
		return;
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, began);
	event->microseconds = INSTR_TIME_GET_MICROSEC(now);
	dyn_audit_log(event);
}

static void
audit(const DynOperation *operation, const DynOperationContext *context,
	  const char *identity, const DynJson *request, const char *text, size_t len,
	  DynOutcome outcome, const ErrorData *error, instr_time began)
{
	DynAuditEvent event = {
		.source = "dynamodb.amazonaws.com",
		.name = operation->name,
		.read_only =
		dyn_operation_is_read_only(operation, dyn_operation_access(operation, request)),
		.identity = identity,
		.request = request,
		.text = text,
		.text_len = len,
		.table_name = context->table_name,
		.exception = -1
	};

	if (error == NULL && outcome == DYN_OUTCOME_FAILED)
		event.exception = context->failure.exception;
	log_event(&event, error, began);
}

/* Run it, and log it. */
static DynOutcome
run_audited(DynOperationContext *context, const DynOperation *operation,
			const DynJson *request, const char *text, size_t len,
			StringInfo reply)
{
	MemoryContext caller = CurrentMemoryContext;
	const char *identity = dyn_audit_identity(NULL);
	volatile DynOutcome outcome = DYN_OUTCOME_FAILED;
	instr_time	began;

	INSTR_TIME_SET_CURRENT(began);
	PG_TRY();
	{
		outcome = dyn_operation_run(context, operation, request, reply);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		audit(operation, context, identity, request, text, len, outcome,
			  CopyErrorData(), began);
		PG_RE_THROW();
	}
	PG_END_TRY();
	audit(operation, context, identity, request, text, len, outcome, NULL, began);
	return outcome;
}

static DynJson *
parse_request(const char *text, size_t len)
{
	DynJson    *request = dyn_json_parse(text, len);

	if (request == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("request is not valid JSON"),
				 errhint("A request is one JSON object, nested at most 1000 levels.")));
	return request;
}

/* Run an operation on a request in UTF-8; the reply is UTF-8 too. */
static void
run_text(const DynOperation *operation, const char *text, size_t len,
		 StringInfo reply)
{
	DynOperationContext context = {.may_wait = true};
	DynJson    *request = parse_request(text, len);
	DynOutcome	outcome;

	if (dyn_operation_access(operation, request) == DYN_ACCESS_WRITE)
		PreventCommandIfReadOnly(operation->name);

	initStringInfo(reply);
	outcome = dyn_audit == DYN_AUDIT_OFF ?
		dyn_operation_run(&context, operation, request, reply) :
		run_audited(&context, operation, request, text, len, reply);
	if (outcome == DYN_OUTCOME_FAILED)
		raise_failure(&context);
	if (reply->len == 0)
		appendStringInfoString(reply, "{}");
}

/* The same for STS. */
static void
run_sts(const char *action, const char *text, size_t len, StringInfo reply)
{
	DynJson    *request = parse_request(text, len);
	MemoryContext caller = CurrentMemoryContext;
	instr_time	began;

	/* Without the request, as by HTTP: it is not worth an exception. */
	DynAuditEvent event = {
		.source = "sts.amazonaws.com",
		.name = action,
		.text_len = len,
		.exception = -1
	};

	initStringInfo(reply);
	if (dyn_audit == DYN_AUDIT_OFF)
	{
		dyn_sts_run_json(action, request, reply);
		return;
	}
	event.identity = dyn_audit_identity(NULL);
	INSTR_TIME_SET_CURRENT(began);
	PG_TRY();
	{
		dyn_sts_run_json(action, request, reply);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		log_event(&event, CopyErrorData(), began);
		PG_RE_THROW();
	}
	PG_END_TRY();
	log_event(&event, NULL, began);
}

/* Run an operation or, if that is NULL, STS. */
static Datum
run_json(FunctionCallInfo fcinfo, const DynOperation *operation,
		 const char *sts_action)
{
	text	   *argument = PG_GETARG_TEXT_PP(0);
	int			len = VARSIZE_ANY_EXHDR(argument);
	char	   *utf8 = pg_server_to_any(VARDATA_ANY(argument), len, PG_UTF8);
	StringInfoData reply;
	char	   *result;

	if (utf8 != VARDATA_ANY(argument))
		len = strlen(utf8);
	if (operation != NULL)
		run_text(operation, utf8, len, &reply);
	else
		run_sts(sts_action, utf8, len, &reply);
	result = pg_any_to_server(reply.data, reply.len, PG_UTF8);
	PG_RETURN_TEXT_P(cstring_to_text(result));
}

/* dyn_sql_PutItem(json) and so on, one for each operation of the list. */
#define DYN_OPERATION(name, handler, access) \
	PG_FUNCTION_INFO_V1(dyn_sql_##name); \
	Datum \
	dyn_sql_##name(PG_FUNCTION_ARGS) \
	{ \
		return run_json(fcinfo, dyn_operation_find(#name, sizeof(#name) - 1), NULL); \
	}
#include "operation/operation_list.h"
#undef DYN_OPERATION

/* dynamo.assume_role(json) and so on. */
#define STS_ACTION(name) \
	PG_FUNCTION_INFO_V1(dyn_sql_##name); \
	Datum \
	dyn_sql_##name(PG_FUNCTION_ARGS) \
	{ \
		return run_json(fcinfo, NULL, #name); \
	}
STS_ACTION(AssumeRole)
STS_ACTION(GetCallerIdentity)
STS_ACTION(GetSessionToken)

/* ----- overloads for SQL ----- */

/*
 * A request made of a call's arguments.  The members are named in the order of
 * the arguments; NULL arguments are left out.
 */
typedef enum ArgumentKind
{
	ARGUMENT_TEXT,
	ARGUMENT_ITEM,
	ARGUMENT_JSON
} ArgumentKind;

typedef struct Argument
{
	const char *member;
	ArgumentKind kind;
} Argument;

static void
write_text_argument(DynJsonWriter *w, text *argument, bool is_json)
{
	char	   *bytes = text_to_cstring(argument);
	char	   *utf8 = pg_server_to_any(bytes, strlen(bytes), PG_UTF8);

	if (is_json)
		dyn_json_write_raw(w, utf8, strlen(utf8));
	else
		dyn_json_write_string(w, utf8, strlen(utf8));
}

/* Leaves the object open for more members. */
static void
begin_request(DynJsonWriter *w, StringInfo request, FunctionCallInfo fcinfo,
			  const Argument *arguments)
{
	initStringInfo(request);
	dyn_json_writer_init(w, request);
	dyn_json_begin_object(w);
	for (int i = 0; i < PG_NARGS(); i++)
	{
		if (PG_ARGISNULL(i))
			continue;
		dyn_json_write_key(w, arguments[i].member);
		if (arguments[i].kind == ARGUMENT_ITEM)
			dyn_json_write_item(w, PG_GETARG_DYN_ITEM(i));
		else
			write_text_argument(w, PG_GETARG_TEXT_PP(i),
								arguments[i].kind == ARGUMENT_JSON);
	}
}

static DynJson *
run_request(const char *name, StringInfo request)
{
	StringInfoData reply;

	run_text(dyn_operation_find(name, strlen(name)), request->data, request->len,
			 &reply);
	return dyn_json_parse(reply.data, reply.len);
}

/* Run and return one item of the reply, or SQL NULL. */
static Datum
return_item(FunctionCallInfo fcinfo, const char *name, StringInfo request,
			const char *member)
{
	const DynJson *item = dyn_json_member(run_request(name, request), member);

	if (item == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DYN_ITEM(dyn_item_from_json(item));
}

static void
write_option(DynJsonWriter *w, const char *member, const char *value)
{
	dyn_json_write_key(w, member);
	dyn_json_write_cstring(w, value);
}

PG_FUNCTION_INFO_V1(dyn_sql_put_item_by_value);
Datum
dyn_sql_put_item_by_value(PG_FUNCTION_ARGS)
{
	static const Argument arguments[] = {
		{"TableName", ARGUMENT_TEXT}, {"Item", ARGUMENT_ITEM},
		{"ConditionExpression", ARGUMENT_TEXT},
		{"ExpressionAttributeValues", ARGUMENT_JSON},
		{"ExpressionAttributeNames", ARGUMENT_JSON}
	};
	StringInfoData request;
	DynJsonWriter w;

	begin_request(&w, &request, fcinfo, arguments);
	write_option(&w, "ReturnValues", "ALL_OLD");
	dyn_json_end_object(&w);
	return return_item(fcinfo, "PutItem", &request, "Attributes");
}

PG_FUNCTION_INFO_V1(dyn_sql_get_item_by_key);
Datum
dyn_sql_get_item_by_key(PG_FUNCTION_ARGS)
{
	static const Argument arguments[] = {
		{"TableName", ARGUMENT_TEXT}, {"Key", ARGUMENT_ITEM}
	};
	StringInfoData request;
	DynJsonWriter w;

	begin_request(&w, &request, fcinfo, arguments);
	dyn_json_end_object(&w);
	return return_item(fcinfo, "GetItem", &request, "Item");
}

PG_FUNCTION_INFO_V1(dyn_sql_update_item_by_key);
Datum
dyn_sql_update_item_by_key(PG_FUNCTION_ARGS)
{
	static const Argument arguments[] = {
		{"TableName", ARGUMENT_TEXT}, {"Key", ARGUMENT_ITEM},
		{"UpdateExpression", ARGUMENT_TEXT},
		{"ExpressionAttributeValues", ARGUMENT_JSON},
		{"ExpressionAttributeNames", ARGUMENT_JSON},
		{"ConditionExpression", ARGUMENT_TEXT}
	};
	StringInfoData request;
	DynJsonWriter w;

	begin_request(&w, &request, fcinfo, arguments);
	write_option(&w, "ReturnValues", "ALL_NEW");
	dyn_json_end_object(&w);
	return return_item(fcinfo, "UpdateItem", &request, "Attributes");
}

PG_FUNCTION_INFO_V1(dyn_sql_delete_item_by_key);
Datum
dyn_sql_delete_item_by_key(PG_FUNCTION_ARGS)
{
	static const Argument arguments[] = {
		{"TableName", ARGUMENT_TEXT}, {"Key", ARGUMENT_ITEM},
		{"ConditionExpression", ARGUMENT_TEXT},
		{"ExpressionAttributeValues", ARGUMENT_JSON},
		{"ExpressionAttributeNames", ARGUMENT_JSON}
	};
	StringInfoData request;
	DynJsonWriter w;

	begin_request(&w, &request, fcinfo, arguments);
	write_option(&w, "ReturnValues", "ALL_OLD");
	dyn_json_end_object(&w);
	return return_item(fcinfo, "DeleteItem", &request, "Attributes");
}

/* Put one page's items into the result; returns where the next one starts. */
static DynItem *
store_page(ReturnSetInfo *result, const char *name, StringInfo request)
{
	const DynJson *reply = run_request(name, request);
	const DynJson *item = dyn_json_first(dyn_json_member(reply, "Items"));
	const DynJson *last_key = dyn_json_member(reply, "LastEvaluatedKey");

	for (; item; item = dyn_json_next(item))
	{
		Datum		value = PointerGetDatum(dyn_item_from_json(item));
		bool		isnull = false;

		tuplestore_putvalues(result->setResult, result->setDesc, &value, &isnull);
	}
	return last_key == NULL ? NULL : dyn_item_from_json(last_key);
}

/* Run Query or Scan page by page to the end. */
static Datum
return_pages(FunctionCallInfo fcinfo, const char *name, const Argument *arguments)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext page = AllocSetContextCreate(outer, "dynamo page",
											   ALLOCSET_DEFAULT_SIZES);
	DynItem    *start = NULL;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	do
	{
		StringInfoData request;
		DynJsonWriter w;
		DynItem    *last;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(page);
		begin_request(&w, &request, fcinfo, arguments);
		if (start != NULL)
		{
			dyn_json_write_key(&w, "ExclusiveStartKey");
			dyn_json_write_item(&w, start);
		}
		dyn_json_end_object(&w);
		last = store_page(result, name, &request);

		MemoryContextSwitchTo(outer);
		if (start != NULL)
			pfree(start);
		start = last == NULL ? NULL :
			(DynItem *) PG_DETOAST_DATUM_COPY(PointerGetDatum(last));
		MemoryContextReset(page);
	} while (start != NULL);
	MemoryContextDelete(page);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(dyn_sql_query_by_condition);
Datum
dyn_sql_query_by_condition(PG_FUNCTION_ARGS)
{
	static const Argument arguments[] = {
		{"TableName", ARGUMENT_TEXT}, {"KeyConditionExpression", ARGUMENT_TEXT},
		{"ExpressionAttributeValues", ARGUMENT_JSON},
		{"ExpressionAttributeNames", ARGUMENT_JSON},
		{"FilterExpression", ARGUMENT_TEXT},
		{"IndexName", ARGUMENT_TEXT}
	};

	return return_pages(fcinfo, "Query", arguments);
}

PG_FUNCTION_INFO_V1(dyn_sql_scan_by_filter);
Datum
dyn_sql_scan_by_filter(PG_FUNCTION_ARGS)
{
	static const Argument arguments[] = {
		{"TableName", ARGUMENT_TEXT}, {"FilterExpression", ARGUMENT_TEXT},
		{"ExpressionAttributeValues", ARGUMENT_JSON},
		{"ExpressionAttributeNames", ARGUMENT_JSON},
		{"IndexName", ARGUMENT_TEXT}
	};

	return return_pages(fcinfo, "Scan", arguments);
}

/* ----- streams ----- */

/* The table of a call's first argument. */
static const DynTable *
table_argument(FunctionCallInfo fcinfo)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const DynTable *table;

	name = pg_server_to_any(name, strlen(name), PG_UTF8);
	table = dyn_table_find(name, strlen(name));
	if (table == NULL)
		dyn_raise(RESOURCE_NOT_FOUND,
				  "Requested resource not found: Table: %s not found", name);
	return table;
}

PG_FUNCTION_INFO_V1(dyn_sql_notify_stream);
Datum
dyn_sql_notify_stream(PG_FUNCTION_ARGS)
{
	dyn_stream_set_notify(table_argument(fcinfo), PG_GETARG_BOOL(1));
	PG_RETURN_VOID();
}

/* The shards of a stream, each bucket's read from the same number on. */
typedef struct Merge
{
	int			nbuckets;
	DynChangeReader *readers[DYN_MAX_STREAM_SHARDS];
	MemoryContext contexts[DYN_MAX_STREAM_SHARDS];	/* of the change below */
	DynChange	changes[DYN_MAX_STREAM_SHARDS];
	bool		valid[DYN_MAX_STREAM_SHARDS];
} Merge;

static void
advance_merge(Merge *merge, int bucket)
{
	MemoryContext caller = MemoryContextSwitchTo(merge->contexts[bucket]);

	MemoryContextReset(merge->contexts[bucket]);
	merge->valid[bucket] = dyn_change_reader_next(merge->readers[bucket],
												  &merge->changes[bucket]);
	MemoryContextSwitchTo(caller);
}

/* False only if nothing has happened since. */
static bool
has_newer(const DynStream *stream, int64 from)
{
	for (int i = 0; i < stream->nshards; i++)
		if (dyn_change_number_may_have(dyn_shard_key(stream->id, i), from))
			return true;
	return false;
}

static void
open_merge(Merge *merge, const DynStream *stream, int64 from)
{
	int64		until = PG_INT64_MAX;

	/* All or nothing of what has one number or a higher one. */
	for (int i = 0; i < stream->nshards; i++)
		until = Min(until, dyn_change_number_settled(dyn_shard_key(stream->id, i)));
	merge->nbuckets = stream->nshards;
	for (int i = 0; i < stream->nshards; i++)
	{
		merge->readers[i] = dyn_change_reader_open(dyn_shard_key(stream->id, i), from, until);
		merge->contexts[i] = AllocSetContextCreate(CurrentMemoryContext, "dynamo change",
												   ALLOCSET_SMALL_SIZES);
		advance_merge(merge, i);
	}
}

/* The bucket that has the next change; -1 at the end. */
static int
next_bucket(const Merge *merge)
{
	int			result = -1;

	for (int i = 0; i < merge->nbuckets; i++)
		if (merge->valid[i] &&
			(result < 0 || merge->changes[i].number < merge->changes[result].number))
			result = i;
	return result;
}

static const char *
shard_of(List *shards, int bucket, int64 number)
{
	ListCell   *cell;

	foreach(cell, shards)
	{
		const DynShard *shard = lfirst(cell);

		if (shard->bucket == bucket && shard->first_number <= number &&
			(shard->end_number == 0 || number < shard->end_number))
			return dyn_shard_id(shard);
	}
	return NULL;				/* forgotten already */
}

static void
store_change(ReturnSetInfo *result, const DynStreamKeys *keys, const char *shard,
			 const DynChange *change)
{
	Datum		values[8];
	bool		nulls[8] = {false};

	values[0] = CStringGetTextDatum(dyn_sequence_number(change->number));
	nulls[1] = shard == NULL;
	values[1] = shard == NULL ? (Datum) 0 : CStringGetTextDatum(shard);
	values[2] = CStringGetTextDatum(change->event == DYN_CHANGE_INSERT ? "INSERT" :
									change->event == DYN_CHANGE_MODIFY ? "MODIFY" : "REMOVE");
	values[3] = TimestampTzGetDatum(change->time);
	values[4] = PointerGetDatum(dyn_change_keys(keys, change));
	values[5] = PointerGetDatum(change->new_item);
	nulls[5] = change->new_item == NULL;
	values[6] = PointerGetDatum(change->old_item);
	nulls[6] = change->old_item == NULL;
	values[7] = BoolGetDatum(change->event == DYN_CHANGE_EXPIRE);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
stream_records(FunctionCallInfo fcinfo, DynOperationContext *context)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Merge	   *merge = palloc0(sizeof(Merge));
	int64		from = 0;
	int			left;
	const DynTable *table;
	DynStreamInfo info;
	DynStreamKeys keys;
	List	   *shards;
	int			bucket;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("table_name must not be null")));
	table = table_argument(fcinfo);
	context->table_name = pstrdup(table->name);
	left = PG_ARGISNULL(2) ? INT_MAX : PG_GETARG_INT32(2);
	if (!PG_ARGISNULL(1))
	{
		char	   *after = text_to_cstring(PG_GETARG_TEXT_PP(1));

		if (!dyn_sequence_number_parse(after, strlen(after), &from))
			dyn_raise(VALIDATION, "Invalid SequenceNumber: %s", after);
		from++;
	}
	if (table->stream.id == 0 || !dyn_stream_get(table->stream.id, &info))
		dyn_raise(RESOURCE_NOT_FOUND, "Requested resource not found: Table %s has no stream",
				  table->name);
	dyn_stream_authorize(context, &info, DYN_MAY_GetRecords);
	if (from > 0 && from < dyn_change_log_oldest() && has_newer(&info.stream, from))
		dyn_raise(TRIMMED_DATA_ACCESS,
				  "The operation attempted to read past the oldest stream record in a shard.");

	InitMaterializedSRF(fcinfo, 0);
	keys = dyn_stream_keys(&info);
	shards = dyn_shard_list(info.stream.id, NULL, NULL, INT_MAX);
	open_merge(merge, &info.stream, from);
	for (; left > 0 && (bucket = next_bucket(merge)) >= 0; left--)
	{
		const DynChange *change = &merge->changes[bucket];
		MemoryContext caller = MemoryContextSwitchTo(merge->contexts[bucket]);

		CHECK_FOR_INTERRUPTS();
		store_change(result, &keys, shard_of(shards, bucket, change->number), change);
		MemoryContextSwitchTo(caller);
		advance_merge(merge, bucket);
	}
	for (int i = 0; i < merge->nbuckets; i++)
		dyn_change_reader_close(merge->readers[i]);
}

/* In the audit it is what it takes the permission of. */
PG_FUNCTION_INFO_V1(dyn_sql_stream_records);
Datum
dyn_sql_stream_records(PG_FUNCTION_ARGS)
{
	DynOperationContext context = {.may_wait = true};
	MemoryContext caller = CurrentMemoryContext;
	DynAuditEvent event = {
		.source = "dynamodb.amazonaws.com",
		.name = "GetRecords",
		.read_only = true,
		.exception = -1
	};
	instr_time	began;

	if (dyn_audit == DYN_AUDIT_OFF)
	{
		stream_records(fcinfo, &context);
		return (Datum) 0;
	}
	event.identity = dyn_audit_identity(NULL);
	INSTR_TIME_SET_CURRENT(began);
	PG_TRY();
	{
		stream_records(fcinfo, &context);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		event.table_name = context.table_name;
		log_event(&event, CopyErrorData(), began);
		PG_RE_THROW();
	}
	PG_END_TRY();
	event.table_name = context.table_name;
	log_event(&event, NULL, began);
	return (Datum) 0;
}
