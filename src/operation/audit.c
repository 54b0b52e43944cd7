/*-------------------------------------------------------------------------
 *
 * audit.c
 *		The audit: who did what, when, from where, and was it allowed.
 *
 * src/operation/audit.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/time.h>
#include <time.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "operation/audit.h"
#include "operation/request.h"

/* Of a request that is larger, only its size is logged. */
#define MAX_REQUEST_TEXT (100 * 1024)

/* Tables that are named; a transaction has up to a hundred, a batch as well. */
#define MAX_RESOURCES 200

bool
dyn_audit_wants(bool read_only, int exception)
{
	switch (dyn_audit)
	{
		case DYN_AUDIT_OFF:
			return false;
		case DYN_AUDIT_ALL:
			return true;
		case DYN_AUDIT_WRITES:
			if (!read_only)
				return true;
			break;
		default:
			break;
	}
	switch (exception)
	{
		case DYN_EXCEPTION_ACCESS_DENIED:
		case DYN_EXCEPTION_MISSING_AUTHENTICATION_TOKEN:
		case DYN_EXCEPTION_INCOMPLETE_SIGNATURE:
		case DYN_EXCEPTION_INVALID_SIGNATURE:
		case DYN_EXCEPTION_UNRECOGNIZED_CLIENT:
		case DYN_EXCEPTION_EXPIRED_TOKEN:
			return true;
		default:
			return false;
	}
}

char *
dyn_audit_identity(const DynPrincipal *principal)
{
	const DynSession *session = principal != NULL ? principal->session : NULL;
	const DynIdentity *identity =
		dyn_identity(principal != NULL ? principal->role : GetUserId());
	StringInfoData out;
	DynJsonWriter w;

	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	dyn_json_begin_object(&w);
	dyn_json_write_text(&w, "type", session != NULL ? "AssumedRole" : "IAMUser");
	dyn_json_write_text(&w, "principalId",
						session != NULL ? session->user_id : identity->user_id);
	dyn_json_write_text(&w, "arn", session != NULL ? session->arn : identity->arn);
	dyn_json_write_text(&w, "accountId", dyn_account_id);
	dyn_json_write_text(&w, "userName", identity->name);
	if (principal != NULL)
		dyn_json_write_text(&w, "accessKeyId", principal->access_key_id);
	if (session != NULL && session->source_identity != NULL)
		dyn_json_write_text(&w, "sourceIdentity", session->source_identity);
	dyn_json_end_object(&w);
	return out.data;
}

/* "2026-11-21T10:05:57.123456Z" */
static void
write_time(DynJsonWriter *w)
{
	struct timeval now;
	struct tm	fields;
	char		seconds[32];
	char		text[48];

	gettimeofday(&now, NULL);
	gmtime_r(&now.tv_sec, &fields);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &fields);
	snprintf(text, sizeof(text), "%s.%06dZ", seconds, (int) now.tv_usec);
	dyn_json_write_text(w, "eventTime", text);
}

static void
write_optional(DynJsonWriter *w, const char *key, const char *value)
{
	if (value != NULL)
		dyn_json_write_text(w, key, value);
}

/* A name that a request gives to a table: an ARN, or a bare name. */
static void
write_resource(DynJsonWriter *w, const char *name, uint32 len)
{
	dyn_json_begin_object(w);
	if (len > 4 && memcmp(name, "arn:", 4) == 0)
	{
		dyn_json_write_key(w, "ARN");
		dyn_json_write_string(w, name, Min(len, 2048));
	}
	else
		dyn_json_write_text(w, "ARN", dyn_table_arn(pnstrdup(name, Min(len, 255))));
	dyn_json_end_object(w);
}

/* A name that a request gives: is it the table that was really used? */
static bool
names_table(const DynAuditEvent *event, const char *name, uint32 len)
{
	const char *arn;
	size_t		arn_len;

	if (event->table_name == NULL)
		return false;
	if (len == strlen(event->table_name) && memcmp(name, event->table_name, len) == 0)
		return true;
	arn = dyn_table_arn(event->table_name);
	arn_len = strlen(arn);
	return len >= arn_len && memcmp(name, arn, arn_len) == 0 &&
		(len == arn_len || name[arn_len] == '/');
}

/* The text of a member, or NULL. */
static const char *
text_of(const DynJson *object, const char *member, uint32 *len)
{
	const DynJson *value = dyn_json_member(object, member);

	if (value == NULL || dyn_json_kind(value) != DYN_JSON_STRING)
		return NULL;
	return dyn_json_string(value, len);
}

/*
 * The tables of a transaction; of several in a row that are the same, one.  An
 * action may have members beside it that mean nothing.
 */
static bool
write_transaction(DynJsonWriter *w, const DynAuditEvent *event, const DynJson *items)
{
	const char *last = NULL;
	uint32		last_len = 0;
	int			n = 0;
	bool		named = false;

	for (const DynJson *item = dyn_json_first(items); item != NULL; item = dyn_json_next(item))
	{
		if (dyn_json_kind(item) != DYN_JSON_OBJECT)
			continue;
		for (const DynJson *action = dyn_json_first(item);
			 action != NULL && n < MAX_RESOURCES; action = dyn_json_next(action))
		{
			const char *name;
			uint32		len;

			if (dyn_json_kind(action) != DYN_JSON_OBJECT ||
				(name = text_of(action, "TableName", &len)) == NULL ||
				(last != NULL && len == last_len && memcmp(name, last, len) == 0))
				continue;
			write_resource(w, name, len);
			named |= names_table(event, name, len);
			last = name;
			last_len = len;
			n++;
		}
	}
	return named;
}

/*
 * What the request is about, as far as its JSON says so.  It may be of any
 * shape: the audit is of refused requests, too.  A member that means nothing to
 * the operation must not hide the table that was used.
 */
static void
write_resources(DynJsonWriter *w, const DynAuditEvent *event)
{
	static const char *const members[] = {
		"TableName", "ResourceArn", "StreamArn", "TableArn"
	};
	const DynJson *list;
	bool		named = false;
	int			n = 0;

	dyn_json_write_key(w, "resources");
	dyn_json_begin_array(w);
	if (event->request != NULL && dyn_json_kind(event->request) == DYN_JSON_OBJECT)
	{
		for (int i = 0; i < lengthof(members); i++)
		{
			uint32		len;
			const char *name = text_of(event->request, members[i], &len);

			if (name != NULL)
			{
				write_resource(w, name, len);
				named |= names_table(event, name, len);
			}
		}
		list = dyn_json_member(event->request, "RequestItems");
		if (list != NULL && dyn_json_kind(list) == DYN_JSON_OBJECT)
			for (const DynJson *table = dyn_json_first(list);
				 table != NULL && n < MAX_RESOURCES;
				 table = dyn_json_next(table), n++)
			{
				uint32		len;
				const char *name = dyn_json_name(table, &len);

				write_resource(w, name, len);
				named |= names_table(event, name, len);
			}
		list = dyn_json_member(event->request, "TransactItems");
		if (list != NULL && dyn_json_kind(list) == DYN_JSON_ARRAY)
			named |= write_transaction(w, event, list);
	}
	if (!named && event->table_name != NULL)
		write_resource(w, event->table_name, strlen(event->table_name));
	dyn_json_end_array(w);
}

/* The request as it was sent, on one line: what breaks lines is white space. */
static void
write_request(DynJsonWriter *w, const DynAuditEvent *event)
{
	char	   *text;

	if (!dyn_audit_requests || event->request == NULL || event->text == NULL ||
		event->text_len > MAX_REQUEST_TEXT)
		return;
	text = pnstrdup(event->text, event->text_len);
	for (char *c = text; c < text + event->text_len; c++)
		if (*c == '\n' || *c == '\r' || *c == '\t')
			*c = ' ';
	dyn_json_write_key(w, "requestParameters");
	dyn_json_write_raw(w, text, event->text_len);
}

/*
 * The same JSON in ASCII: so it is the server's encoding whichever that is, and
 * nothing in it can play tricks with a terminal.
 */
static char *
to_ascii(const char *text, int len)
{
	StringInfoData out;
	const char *end = text + len;

	initStringInfo(&out);
	enlargeStringInfo(&out, len);
	while (text < end)
	{
		unsigned char c = *text;
		int			size = pg_utf_mblen((const unsigned char *) text);
		pg_wchar	code;

		if (c < 0x80 || size > end - text ||
			!pg_utf8_islegal((const unsigned char *) text, size))
		{
			appendStringInfoChar(&out, c == 0x7f || c >= 0x80 ? '?' : c);
			text++;
			continue;
		}
		code = utf8_to_unicode((const unsigned char *) text);
		if (code < 0x10000)
			appendStringInfo(&out, "\\u%04x", code);
		else
			appendStringInfo(&out, "\\u%04x\\u%04x",
							 0xd800 + ((code - 0x10000) >> 10),
							 0xdc00 + ((code - 0x10000) & 0x3ff));
		text += size;
	}
	return out.data;
}

static void
write_error(DynJsonWriter *w, const DynAuditEvent *event)
{
	const char *code = event->exception >= 0 ?
		dyn_exception_info((DynException) event->exception)->name :
		event->error_code;

	write_optional(w, "errorCode", code);

	/* Others quote what was sent; a refused signature even its token. */
	if (event->exception == DYN_EXCEPTION_ACCESS_DENIED)
		write_optional(w, "errorMessage", event->denial);
}

void
dyn_audit_log(const DynAuditEvent *event)
{
	StringInfoData out;
	DynJsonWriter w;

	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	dyn_json_begin_object(&w);
	write_time(&w);
	dyn_json_write_text(&w, "eventSource", event->source);
	dyn_json_write_text(&w, "eventName", event->name);
	dyn_json_write_text(&w, "awsRegion", dyn_region);
	write_optional(&w, "requestID", event->request_id);
	dyn_json_write_key(&w, "userIdentity");
	if (event->identity != NULL)
		dyn_json_write_raw(&w, event->identity, strlen(event->identity));
	else
	{
		/* "Unknown" is no type of CloudTrail's: it logs none of these. */
		dyn_json_begin_object(&w);
		dyn_json_write_text(&w, "type", "Unknown");
		write_optional(&w, "accessKeyId", event->claimed_key);
		dyn_json_end_object(&w);
	}
	write_optional(&w, "sourceIPAddress", event->source_address);
	write_optional(&w, "userAgent", event->user_agent);
	dyn_json_write_key(&w, "secureTransport");
	dyn_json_write_bool(&w, event->secure_transport);
	dyn_json_write_key(&w, "readOnly");
	dyn_json_write_bool(&w, event->read_only);
	write_resources(&w, event);
	dyn_json_write_key(&w, "requestBytes");
	dyn_json_write_int(&w, event->text_len);
	write_request(&w, event);
	write_error(&w, event);
	dyn_json_write_key(&w, "durationMicroseconds");
	dyn_json_write_int(&w, event->microseconds);
	dyn_json_end_object(&w);

	ereport(LOG_SERVER_ONLY,
			(errmsg_internal("dynamo audit: %s", to_ascii(out.data, out.len)),
			 errhidestmt(true),
			 errhidecontext(true)));
}
