/*-------------------------------------------------------------------------
 *
 * gateway.c
 *		From an HTTP request to an operation, and from its reply to HTTP.
 *
 * The order of the checks is the service's: size, request id, CORS, health,
 * method and content type, JSON, target, signature, empty body.  What comes
 * after is the operation's.
 *
 * src/server/gateway.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "common/pg_prng.h"
#include "utils/memutils.h"

#include "auth/sts.h"
#include "base/clock.h"
#include "base/fiber.h"
#include "base/settings.h"
#include "base/shared_state.h"
#include "console/metrics_page.h"
#include "operation/audit.h"
#include "server/exception.h"
#include "server/gateway.h"
#include "server/sts_door.h"

#define AMZ_JSON "application/x-amz-json-1.0"
#define PLAIN_JSON "application/json"

/* A body of up to this size is read, and its faults told, before the signature
 * is checked, as the service does. */
#define UNCHECKED_BODY (256 * 1024)

/* A reply of up to this size is compressed when it is sent. */
#define UNCOMPRESSED_REPLY (64 * 1024)

/* A body of up to this size is no work to speak of. */
#define READ_AT_ONCE 1024

/* With this much memory in the hands of large requests no more are begun. */
#define MAX_LARGE_REQUESTS ((Size) 512 * 1024 * 1024)

static Size large_requests = 0;
static bool had_large = false;

static bool
header_is(const DynHttpHeader *header, const char *value)
{
	return header->value_len == strlen(value) &&
		pg_strncasecmp(header->value, value, header->value_len) == 0;
}

static char *
header_copy(const DynHttpHeader *header)
{
	return pnstrdup(header->value, header->value_len);
}

/* 52 characters of [0-9A-Z]: an id, not a secret. */
static void
make_request_id(char *id)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	uint64		random = 0;

	for (int i = 0; i < DYN_REQUEST_ID_LENGTH; i++)
	{
		/* 36^12 < 2^64: twelve digits of one number. */
		if (i % 12 == 0)
			random = pg_prng_uint64(&pg_global_prng_state);
		id[i] = digits[random % 36];
		random /= 36;
	}
	id[DYN_REQUEST_ID_LENGTH] = '\0';
}

/*
 * The headers every answer carries, the request's id first.  Control characters can't come back in the
 * echoed values: of a refused message http/ gives us the headers before the
 * one it refused.
 */
static void
append_headers(StringInfo headers, const DynHttpRequest *http,
			   const char *request_id)
{
	const DynHttpHeader *header;

	appendStringInfo(headers, "x-amzn-RequestId: %s\r\n", request_id);
	if (dyn_http_header(http, "Origin") == NULL)
		return;

	appendStringInfoString(headers,
						   "Access-Control-Allow-Origin: *\r\n"
						   "Access-Control-Expose-Headers: x-amzn-RequestId,"
						   "x-amzn-ErrorType,x-amzn-ErrorMessage,x-amz-crc32,"
						   "Date\r\n");
	if (strcmp(http->method, "OPTIONS") != 0)
		return;
	header = dyn_http_header(http, "Access-Control-Request-Headers");
	if (header != NULL)
		appendStringInfo(headers, "Access-Control-Allow-Headers: %.*s\r\n",
						 (int) header->value_len, header->value);
	header = dyn_http_header(http, "Access-Control-Request-Method");
	if (header != NULL)
		appendStringInfo(headers, "Access-Control-Allow-Methods: %.*s\r\n",
						 (int) header->value_len, header->value);
	appendStringInfoString(headers, "Access-Control-Max-Age: 172800\r\n");
}

/*
 * Is this the name of the local machine, "localhost:8000" or
 * "http://127.0.0.1"?  A web page from elsewhere that a browser on this machine
 * shows can reach a loopback port, by its own name that suddenly resolves to
 * 127.0.0.1, too; but it can't make the browser send these names.
 */
static bool
names_local_machine(const DynHttpHeader *header)
{
	char	   *name = header_copy(header);
	char	   *scheme = strstr(name, "://");
	char	   *end;
	size_t		len;

	if (scheme != NULL)
		name = scheme + 3;
	if (name[0] == '[')
		return strncmp(name, "[::1]", 5) == 0 &&
			(name[5] == '\0' || name[5] == ':');

	end = strchr(name, ':');
	if (end != NULL)
		*end = '\0';
	len = strlen(name);
	if (pg_strcasecmp(name, "localhost") == 0)
		return true;
	if (len > 10 && pg_strcasecmp(name + len - 10, ".localhost") == 0)
		return true;
	return strncmp(name, "127.", 4) == 0 &&
		strspn(name, "0123456789.") == len;
}

/* From this machine, and not at the bidding of a web page from elsewhere. */
static bool
is_local(const DynHttpRequest *http)
{
	const DynHttpHeader *host = dyn_http_header(http, "Host");
	const DynHttpHeader *origin = dyn_http_header(http, "Origin");

	return http->peer_is_loopback && host != NULL && names_local_machine(host) &&
		(origin == NULL || names_local_machine(origin));
}

static bool
may_accept_any_credentials(const DynHttpRequest *http)
{
	return dyn_accept_any_credentials && is_local(http);
}

/* What GET answers: health for every path that is not a page of ours. */
static void
accept_get(DynWork *work)
{
	const DynHttpHeader *host;

	work->content_type = "text/plain; charset=utf-8";
	if (strcmp(work->http->path, "/ready") == 0)
	{
		work->kind = DYN_WORK_READINESS;
		return;
	}
	work->status = 200;
	if (strcmp(work->http->path, "/metrics") == 0)
	{
		if (!dyn_public_metrics && !is_local(work->http))
		{
			/* It names tables. */
			work->status = 403;
			appendStringInfoString(&work->reply,
								   "Metrics are for this machine only; see dynamo.public_metrics.\n");
			return;
		}
		work->content_type = DYN_METRICS_PAGE_TYPE;
		dyn_metrics_page(&work->reply);
		return;
	}
	host = dyn_http_header(work->http, "Host");
	appendStringInfo(&work->reply, "healthy: %.*s ",
					 host ? (int) host->value_len : 0,
					 host ? host->value : "");
}

/*
 * Is the body's content type one of the two?  Parameters don't count.  Sets the
 * type of the answer, too.
 */
static bool
accept_content_type(DynWork *work)
{
	const DynHttpHeader *header = dyn_http_header(work->http, "Content-Type");
	DynHttpHeader type;
	const char *semicolon;

	work->content_type = AMZ_JSON;
	if (header == NULL)
		return false;
	type = *header;
	semicolon = memchr(type.value, ';', type.value_len);
	if (semicolon)
		type.value_len = semicolon - type.value;
	while (type.value_len > 0 &&
		   (type.value[type.value_len - 1] == ' ' ||
			type.value[type.value_len - 1] == '\t'))
		type.value_len--;

	if (header_is(&type, PLAIN_JSON))
	{
		work->content_type = PLAIN_JSON;
		return true;
	}
	return header_is(&type, AMZ_JSON);
}

static const DynOperation *
find_operation(const DynHttpRequest *http)
{
	static const char *const prefixes[] = {
		"DynamoDB_20120810.",
		"DynamoDBStreams_20120810."
	};
	const DynHttpHeader *target = dyn_http_header(http, "X-Amz-Target");

	if (target == NULL)
		return NULL;
	for (int i = 0; i < lengthof(prefixes); i++)
	{
		size_t		len = strlen(prefixes[i]);

		if (target->value_len > len &&
			memcmp(target->value, prefixes[i], len) == 0)
		{
			const DynOperation *operation =
				dyn_operation_find(target->value + len, target->value_len - len);

			return operation != NULL && dyn_operation_is_of_streams(operation) == (i == 1) ?
				operation : NULL;
		}
	}
	return NULL;
}

/* Hand the parts of the message to auth/, which knows no HTTP. */
static void
collect_signed_parts(DynWork *work)
{
	const DynHttpRequest *http = work->http;
	DynSignedHeader *headers;

	headers = palloc(sizeof(DynSignedHeader) * Max(http->nheaders, 1));
	for (int i = 0; i < http->nheaders; i++)
	{
		headers[i].name = http->headers[i].name;
		headers[i].name_len = http->headers[i].name_len;
		headers[i].value = http->headers[i].value;
		headers[i].value_len = http->headers[i].value_len;
	}
	work->signed_parts.method = http->method;
	work->signed_parts.path = http->path;
	work->signed_parts.query = http->query;
	work->signed_parts.headers = headers;
	work->signed_parts.nheaders = http->nheaders;
	work->signed_parts.body = http->raw_body;
	work->signed_parts.body_len = http->raw_body_len;
	work->signed_parts.service = "dynamodb";
	work->signed_parts.memory = http->memory;
}

/* A header's value for a policy's condition, or NULL. */
static const char *
header_text(const DynHttpRequest *http, const char *name)
{
	const DynHttpHeader *header = dyn_http_header(http, name);

	return header != NULL ? header_copy(header) : NULL;
}

/* What policies' conditions may ask of how the request came. */
static void
describe_caller(DynWork *work)
{
	const DynHttpRequest *http = work->http;

	work->context.source_address = http->peer_address;
	work->context.secure_transport = http->secure;
	work->context.user_agent = header_text(http, "User-Agent");
	work->context.referer = header_text(http, "Referer");
}

/* True if it is a request to STS; whatever it is, it is prepared here. */
static bool
accept_sts(DynWork *work)
{
	describe_caller(work);
	collect_signed_parts(work);
	return dyn_sts_accept(work);
}

/*
 * Would it take much time or memory to read the body?  Then its sender must show
 * who he is before that is done: a compressed one of 16 KB may hold 16 MB, and
 * JSON takes up to twenty times its size and a tenth of a second.
 */
static bool
is_costly(const DynHttpRequest *http)
{
	return http->raw_body_len > UNCHECKED_BODY || dyn_http_is_compressed(http);
}

/* The body's JSON; NULL if it is none. */
static const DynJson *
parse_body(DynWork *work)
{
	const DynHttpRequest *http = work->http;
	const DynJson *json = dyn_json_parse(http->body, http->body_len);

	if (http->body_len > UNCHECKED_BODY)
	{
		large_requests -= work->memory;
		work->memory = MemoryContextMemAllocated(http->memory, true);
		large_requests += work->memory;
	}
	return json;
}

static void
pause_fiber(void)
{
	dyn_fiber_pause();
}

static void
hash_body(void *arg)
{
	DynWork    *work = arg;

	dyn_sigv4_hash_body(&work->signed_parts);
}

bool
dyn_gateway_hash_body(DynWork *work, int us)
{
	return work->signed_parts.body_hash != NULL ||
		dyn_fiber_run(hash_body, work, us);
}

static void
read_body(void *arg)
{
	DynWork    *work = arg;

	if (large_requests > MAX_LARGE_REQUESTS)
	{
		dyn_gateway_refuse(work, DYN_EXCEPTION_SERVICE_UNAVAILABLE,
						   "Too many large requests at once.", NULL);
		return;
	}
	work->status = dyn_http_decode(work->http, pause_fiber);
	if (work->status == 500)
	{
		/* Broken compression. */
		dyn_gateway_refuse(work, DYN_EXCEPTION_INTERNAL_SERVER_ERROR,
						   "Internal server error", NULL);
		return;
	}
	if (work->status != 0)
		return;
	work->json = parse_body(work);
	if (work->json == NULL)
	{
		dyn_gateway_refuse(work, DYN_EXCEPTION_SERIALIZATION, NULL, NULL);
		return;
	}
	dyn_operation_check_shape(&work->context, work->operation, work->json);
	work->access = dyn_operation_access(work->operation, work->json);
	work->body_unread = false;
}

bool
dyn_gateway_read_body(DynWork *work, int us)
{
	return dyn_fiber_run(read_body, work, us);
}

static void
compress_reply(void *arg)
{
	DynWork    *work = arg;

	dyn_http_compress(work->http, work->reply.data, work->reply.len, pause_fiber);
}

bool
dyn_gateway_wants_compression(const DynWork *work)
{
	return work->reply.len > UNCOMPRESSED_REPLY &&
		dyn_http_takes_compressed(work->http);
}

bool
dyn_gateway_compress(DynWork *work, int us)
{
	return dyn_fiber_run(compress_reply, work, us);
}

bool
dyn_gateway_needs_fiber(const DynWork *work)
{
	return work->body_unread || work->executed;
}

static void
accept_post(DynWork *work)
{
	DynHttpRequest *http = work->http;
	const DynHttpHeader *host;

	if (accept_sts(work))
		return;
	if (!accept_content_type(work) && http->raw_body_len > 0)
	{
		work->status = 404;
		work->content_type = NULL;
		appendStringInfoString(&work->reply, "<UnknownOperationException/>\n");
		return;
	}
	work->body_unread = is_costly(http);
	if (!work->body_unread)
	{
		(void) dyn_http_decode(http, NULL);
		if (http->body_len > 0)
		{
			work->json = parse_body(work);
			if (work->json == NULL)
			{
				dyn_gateway_refuse(work, DYN_EXCEPTION_SERIALIZATION, NULL, NULL);
				return;
			}
		}
	}
	work->operation = find_operation(http);
	if (work->operation == NULL)
	{
		dyn_gateway_refuse(work, DYN_EXCEPTION_UNKNOWN_OPERATION, NULL, NULL);
		return;
	}
	work->kind = DYN_WORK_OPERATION;
	work->access = work->body_unread && work->operation->access == DYN_ACCESS_STATEMENT ?
		DYN_ACCESS_WRITE : dyn_operation_access(work->operation, work->json);
	work->costly = work->body_unread ||
		dyn_operation_is_costly(work->operation, work->json);
	host = dyn_http_header(http, "Host");
	if (work->operation->handler == dyn_put_resource_policy)
	{
		const DynHttpHeader *confirm =
			dyn_http_header(http, "x-amz-confirm-remove-self-resource-access");

		work->context.confirm_remove_self_resource_access =
			confirm != NULL && header_is(confirm, "true");
	}
	work->context.endpoint = host ? header_copy(host) : "localhost";
}

/* The headers of its answer, the request's id in them. */
static void
identify_answer(DynWork *work)
{
	StringInfoData headers;

	initStringInfo(&headers);
	make_request_id(work->request_id);
	append_headers(&headers, work->http, work->request_id);
	work->headers = headers.data;
}

static void
accept_request(DynWork *work)
{
	DynHttpRequest *http = work->http;

	identify_answer(work);
	if (http->refused != 0)
	{
		work->status = http->refused;
		return;
	}

	if (strcmp(http->method, "OPTIONS") == 0)
		work->status = 200;
	else if (strcmp(http->method, "GET") == 0 && http->query[0] != '\0' &&
			 accept_sts(work))
		;
	else if (strcmp(http->method, "GET") == 0 ||
			 strcmp(http->method, "HEAD") == 0)
		accept_get(work);
	else if (strcmp(http->method, "POST") == 0)
		accept_post(work);
	else
	{
		work->status = 404;
		work->content_type = NULL;
		appendStringInfoString(&work->reply, "<UnknownOperationException/>\n");
	}
}

/* Not STS's, whose answers are of another form. */
static bool
may_be_read_later(const DynHttpRequest *http)
{
	return http->refused == 0 && http->raw_body_len > READ_AT_ONCE &&
		dyn_http_header(http, "X-Amz-Target") != NULL;
}

DynWork *
dyn_gateway_accept(DynHttpRequest *http, bool later)
{
	DynWork    *work = MemoryContextAllocZero(http->memory, sizeof(DynWork));

	work->http = http;
	http->work = work;
	work->content_type = AMZ_JSON;
	work->status = 200;
	work->exception = -1;
	if (later && may_be_read_later(http))
		work->kind = DYN_WORK_UNREAD;
	else
		dyn_gateway_read(work);
	return work;
}

void
dyn_gateway_read(DynWork *work)
{
	DynHttpRequest *http = work->http;
	MemoryContext old_context = MemoryContextSwitchTo(http->memory);

	work->kind = DYN_WORK_ANSWERED;
	initStringInfo(&work->reply);
	PG_TRY();
	{
		accept_request(work);
	}
	PG_CATCH();
	{
		/* Out of memory is all there can be; no transaction is open. */
		ErrorData  *error;

		MemoryContextSwitchTo(http->memory);
		error = CopyErrorData();
		EmitErrorReport();
		FlushErrorState();
		work->kind = DYN_WORK_ANSWERED;
		dyn_gateway_refuse_error(work, error);
	}
	PG_END_TRY();

	MemoryContextSwitchTo(old_context);
}

bool
dyn_gateway_needs_catalog(DynWork *work)
{
	return !may_accept_any_credentials(work->http) &&
		dyn_sigv4_needs_catalog(&work->signed_parts);
}

void
dyn_gateway_authenticate(DynWork *work)
{
	dyn_sigv4_verify(&work->signed_parts, (int64) time(NULL),
					 may_accept_any_credentials(work->http),
					 &work->principal);
	work->context.principal = &work->principal;

	if (work->json == NULL && !work->body_unread && work->kind == DYN_WORK_OPERATION)
		dyn_raise(SERIALIZATION, "%s", "");

	/* From here on it may be run, and run again, without coming by here. */
	work->authenticated = true;
}

void
dyn_gateway_identify(DynWork *work)
{
	if (dyn_audit != DYN_AUDIT_OFF && work->identity == NULL)
		work->identity = dyn_audit_identity(&work->principal);
}

/* The audit shows why somebody may not do what he tried. */
static void
note_denial(DynWork *work, const char *message)
{
	if (work->exception == DYN_EXCEPTION_ACCESS_DENIED &&
		dyn_audit != DYN_AUDIT_OFF && message != NULL)
		work->denial = MemoryContextStrdup(work->http->memory, message);
}

void
dyn_gateway_refuse(DynWork *work, DynException exception, const char *message,
				   const char *members)
{
	if (work->kind == DYN_WORK_UNREAD)
	{
		initStringInfo(&work->reply);
		identify_answer(work);
	}
	resetStringInfo(&work->reply);
	work->exception = exception;
	note_denial(work, message);
	if (work->kind == DYN_WORK_STS)
		dyn_sts_refuse(work, exception, message);
	else
		work->status = dyn_exception_body(&work->reply, exception, message,
										  members);
}

void
dyn_gateway_refuse_error(DynWork *work, const ErrorData *error)
{
	DynException exception = dyn_error_exception(error);

	if (work->kind == DYN_WORK_STS)
	{
		dyn_gateway_refuse(work, exception, dyn_error_message(error), NULL);
		return;
	}

	/*
	 * The developer who has just started this server and has no access key
	 * yet should not have to search for the way on.
	 */
	if (exception == DYN_EXCEPTION_UNRECOGNIZED_CLIENT &&
		error->hint != NULL && work->http->peer_is_loopback)
	{
		dyn_gateway_refuse(work, exception,
						   psprintf("%s (%s)", error->message, error->hint),
						   NULL);
		return;
	}
	resetStringInfo(&work->reply);
	work->status = dyn_error_body(&work->reply, error);
	work->exception = exception;
	note_denial(work, error->message);
}

void
dyn_gateway_refuse_conflict(DynWork *work)
{
	MemoryContext old_context = MemoryContextSwitchTo(work->http->memory);
	const char *message = NULL;
	DynException exception = DYN_EXCEPTION_SERVICE_UNAVAILABLE;

	if (work->kind == DYN_WORK_OPERATION)
		exception = dyn_operation_conflict(work->operation, work->access,
										   &work->context, &message);
	dyn_gateway_refuse(work, exception, message, NULL);
	MemoryContextSwitchTo(old_context);
}

/* STS gives out credentials, so it is never called a mere reader. */
static bool
is_read_only(const DynWork *work)
{
	return work->kind == DYN_WORK_OPERATION &&
		dyn_operation_is_read_only(work->operation, work->access);
}

static void
audit(DynWork *work, int64 microseconds)
{
	bool		is_sts = work->kind == DYN_WORK_STS;
	MemoryContext old_context;
	DynAuditEvent event;

	if (!dyn_audit_wants(is_read_only(work), work->exception))
		return;
	old_context = MemoryContextSwitchTo(work->http->memory);
	event = (DynAuditEvent)
	{
		.source = is_sts ? "sts.amazonaws.com" : "dynamodb.amazonaws.com",
		.name = is_sts ? work->sts->action : work->operation->name,
		.read_only = is_read_only(work),
		.request_id = work->request_id,
		.identity = work->identity,
		.claimed_key = work->identity == NULL ?
			dyn_sigv4_claimed_key(&work->signed_parts) : NULL,
		.source_address = work->context.source_address,
		.user_agent = work->context.user_agent,
		.secure_transport = work->context.secure_transport,
		.request = work->json,
		.text = work->json != NULL ? work->http->body : NULL,
		.text_len = work->json != NULL ? work->http->body_len :
		work->http->raw_body_len,
		.table_name = work->context.table_name,
		.exception = work->exception,
		.denial = work->denial,
		.microseconds = microseconds
	};
	dyn_audit_log(&event);
	MemoryContextSwitchTo(old_context);
}

/* Did the sender fail to prove who it is?  Who does so often is slowed down. */
static bool
is_unproven(const DynWork *work)
{
	return !work->authenticated &&
		(work->exception == DYN_EXCEPTION_INCOMPLETE_SIGNATURE ||
		 work->exception == DYN_EXCEPTION_INVALID_SIGNATURE ||
		 work->exception == DYN_EXCEPTION_MISSING_AUTHENTICATION_TOKEN ||
		 work->exception == DYN_EXCEPTION_UNRECOGNIZED_CLIENT);
}

void
dyn_gateway_answer(DynWork *work)
{
	int64		duration = dyn_clock_us() - work->http->arrived;

	if (dyn_audit != DYN_AUDIT_OFF &&
		(work->operation != NULL || work->kind == DYN_WORK_STS))
		audit(work, duration);
	if (work->operation != NULL)
		dyn_metrics_record(&dyn_shared->metrics, work->context.table_name,
						   work->status == 200,
						   dyn_operation_number(work->operation),
						   work->status != 200, duration);
	if (work->exception >= 0)
		dyn_metrics_record_error(&dyn_shared->metrics,
								 (DynException) work->exception);
	large_requests -= work->memory;
	had_large |= work->memory > 0 || work->reply.len > UNCHECKED_BODY;
	dyn_fiber_abandon(work);
	if (is_unproven(work))
		dyn_http_failed(work->http);
	dyn_http_reply(work->http, work->status, work->content_type, work->headers,
				   work->reply.data, work->reply.len);
}

bool
dyn_gateway_had_large(void)
{
	bool		had = had_large;

	had_large = false;
	return had;
}
