/*-------------------------------------------------------------------------
 *
 * sts_door.c
 *		STS at the same endpoint: the AWS Query protocol.
 *
 * https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 *
 * src/server/sts_door.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "auth/sts.h"
#include "server/sts_door.h"

#define API_VERSION		"2011-06-15"
#define NAMESPACE		"https://sts.amazonaws.com/doc/2011-06-15/"

/* More than fifty tags with their keys named again, and the rest. */
#define MAX_PARAMETERS	256
#define MAX_FORM		(256 * 1024)

/* What an exception is called here. */
static const struct
{
	DynException exception;
	int			status;
	const char *code;
}			codes[] = {
	{DYN_EXCEPTION_ACCESS_DENIED, 403, "AccessDenied"},
	{DYN_EXCEPTION_EXPIRED_TOKEN, 403, "ExpiredToken"},
	{DYN_EXCEPTION_INCOMPLETE_SIGNATURE, 400, "IncompleteSignature"},
	{DYN_EXCEPTION_INVALID_SIGNATURE, 403, "SignatureDoesNotMatch"},
	{DYN_EXCEPTION_MALFORMED_POLICY_DOCUMENT, 400, "MalformedPolicyDocument"},
	{DYN_EXCEPTION_MISSING_AUTHENTICATION_TOKEN, 403, "MissingAuthenticationToken"},
	{DYN_EXCEPTION_PACKED_POLICY_TOO_LARGE, 400, "PackedPolicyTooLarge"},
	{DYN_EXCEPTION_SERVICE_UNAVAILABLE, 503, "ServiceUnavailable"},
	{DYN_EXCEPTION_THROTTLING, 400, "Throttling"},
	{DYN_EXCEPTION_UNRECOGNIZED_CLIENT, 403, "InvalidClientTokenId"},
	{DYN_EXCEPTION_VALIDATION, 400, "ValidationError"}
};

/*---- the form ----*/

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * Decode a name or a value; NULL if what comes out is no text: UTF-8 without
 * NUL.
 */
static char *
form_text(const char *from, const char *end)
{
	char	   *text = palloc(end - from + 1);
	int			n = 0;

	for (; from < end; from++)
	{
		if (*from == '+')
			text[n++] = ' ';
		else if (*from == '%' && end - from > 2 &&
				 hex_value(from[1]) >= 0 && hex_value(from[2]) >= 0)
		{
			text[n++] = hex_value(from[1]) * 16 + hex_value(from[2]);
			from += 2;
		}
		else
			text[n++] = *from;
	}
	text[n] = '\0';
	return pg_encoding_verifymbstr(PG_UTF8, text, n) == n &&
		strlen(text) == n ? text : NULL;
}

/* Returns the number of parameters, -1 if they are too many or no texts. */
static int
parse_form(const char *form, size_t len, DynStsParameter *parameters)
{
	const char *end = form + len;
	int			n = 0;

	while (form < end)
	{
		const char *stop = memchr(form, '&', end - form);
		const char *equals;

		if (stop == NULL)
			stop = end;
		equals = memchr(form, '=', stop - form);
		if (equals != NULL)
		{
			if (n == MAX_PARAMETERS)
				return -1;
			parameters[n].name = form_text(form, equals);
			parameters[n].value = form_text(equals + 1, stop);
			if (parameters[n].name == NULL || parameters[n].value == NULL)
				return -1;
			n++;
		}
		form = Min(stop + 1, end);
	}
	return n;
}

/* Does a form have an Action?  Only then is it STS's. */
static bool
has_action(const char *form, size_t len)
{
	const char *end = form + len;

	while (form < end)
	{
		const char *stop = memchr(form, '&', end - form);

		if (end - form > 7 && memcmp(form, "Action=", 7) == 0)
			return true;
		if (stop == NULL)
			return false;
		form = stop + 1;
	}
	return false;
}

static bool
is_form(const DynHttpRequest *http)
{
	static const char type[] = "application/x-www-form-urlencoded";
	const DynHttpHeader *header = dyn_http_header(http, "Content-Type");

	return header != NULL && header->value_len >= strlen(type) &&
		pg_strncasecmp(header->value, type, strlen(type)) == 0 &&
		(header->value_len == strlen(type) ||
		 strchr("; \t", header->value[strlen(type)]) != NULL);
}

/*---- XML ----*/

static void
append_escaped(StringInfo out, const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
	{
		switch (*p)
		{
			case '&':
				appendStringInfoString(out, "&amp;");
				break;
			case '<':
				appendStringInfoString(out, "&lt;");
				break;
			case '>':
				appendStringInfoString(out, "&gt;");
				break;
			default:
				/* XML has no other control characters. */
				if ((unsigned char) *p < ' ' && strchr("\t\n\r", *p) == NULL)
					appendStringInfoString(out, "\xEF\xBF\xBD");
				else
					appendStringInfoCharMacro(out, *p);
		}
	}
}

static void
append_element(StringInfo out, const char *indent, const char *name,
			   const char *text)
{
	appendStringInfo(out, "%s<%s>", indent, name);
	append_escaped(out, text);
	appendStringInfo(out, "</%s>\n", name);
}

static void
refuse(DynWork *work, int status, const char *code, const char *message)
{
	StringInfo	out = &work->reply;

	resetStringInfo(out);
	work->content_type = "text/xml";
	work->status = status;
	appendStringInfoString(out, "<ErrorResponse xmlns=\"" NAMESPACE "\">\n  <Error>\n");
	append_element(out, "    ", "Type", status < 500 ? "Sender" : "Receiver");
	append_element(out, "    ", "Code", code);
	append_element(out, "    ", "Message", message != NULL ? message : "");
	appendStringInfoString(out, "  </Error>\n");
	append_element(out, "  ", "RequestId", work->request_id);
	appendStringInfoString(out, "</ErrorResponse>\n");
}

void
dyn_sts_refuse(DynWork *work, DynException exception, const char *message)
{
	for (int i = 0; i < lengthof(codes); i++)
		if (codes[i].exception == exception)
		{
			refuse(work, codes[i].status, codes[i].code, message);
			return;
		}
	refuse(work, 500, "InternalFailure",
		   "The request processing has failed because of an unknown error, exception or failure.");
}

static void
append_reply(StringInfo out, const char *action, const DynStsReply *reply)
{
	const char *group = NULL;

	appendStringInfo(out, "<%sResponse xmlns=\"" NAMESPACE "\">\n  <%sResult>\n",
					 action, action);
	for (int i = 0; i < reply->nfields; i++)
	{
		const DynStsField *field = &reply->fields[i];

		if (group != NULL && field->group != group)
			appendStringInfo(out, "    </%s>\n", group);
		if (field->group != NULL && field->group != group)
			appendStringInfo(out, "    <%s>\n", field->group);
		group = field->group;
		append_element(out, group != NULL ? "      " : "    ", field->name,
					   field->value);
	}
	if (group != NULL)
		appendStringInfo(out, "    </%s>\n", group);
	appendStringInfo(out, "  </%sResult>\n", action);
}

/*---- interface ----*/

bool
dyn_sts_accept(DynWork *work)
{
	const DynHttpRequest *http = work->http;
	bool		is_get = strcmp(http->method, "GET") == 0;
	const char *form = is_get ? http->query : http->raw_body;
	size_t		len = is_get ? strlen(http->query) : http->raw_body_len;
	DynStsParameter *parameters;
	DynStsRequest *request;
	const char *version = NULL;

	if ((!is_get && (!is_form(http) || dyn_http_is_compressed(http))) ||
		len > MAX_FORM || !has_action(form, len))
		return false;
	request = palloc0(sizeof(DynStsRequest));
	parameters = palloc(sizeof(DynStsParameter) * MAX_PARAMETERS);
	request->parameters = parameters;
	request->nparameters = parse_form(form, len, parameters);
	if (request->nparameters < 0)
	{
		refuse(work, 400, "MalformedInput", "The parameters are not texts, or too many.");
		return true;
	}
	for (int i = request->nparameters - 1; i >= 0; i--)
	{
		if (strcmp(parameters[i].name, "Action") == 0)
			request->action = parameters[i].value;
		if (strcmp(parameters[i].name, "Version") == 0)
			version = parameters[i].value;
	}
	if (version == NULL || strcmp(version, API_VERSION) != 0 ||
		!dyn_sts_knows(request->action))
	{
		refuse(work, 400, "InvalidAction",
			   psprintf("Could not find operation %s for version %s",
						request->action,
						version != NULL ? version : "NO_VERSION_SPECIFIED"));
		return true;
	}
	request->caller.source_address = work->context.source_address;
	request->caller.secure_transport = work->context.secure_transport;
	request->caller.user_agent = work->context.user_agent;
	request->caller.referer = work->context.referer;
	work->kind = DYN_WORK_STS;
	work->access = DYN_ACCESS_READ;
	work->sts = request;
	work->signed_parts.service = "sts";
	return true;
}

void
dyn_sts_execute(DynWork *work)
{
	StringInfo	out = &work->reply;
	DynStsReply reply;

	work->sts->caller.principal = &work->principal;
	dyn_sts_run(work->sts, &reply);
	work->outcome = DYN_OUTCOME_DONE;
	work->status = 200;
	work->content_type = "text/xml";
	append_reply(out, work->sts->action, &reply);
	appendStringInfoString(out, "  <ResponseMetadata>\n");
	append_element(out, "    ", "RequestId", work->request_id);
	appendStringInfo(out, "  </ResponseMetadata>\n</%sResponse>\n",
					 work->sts->action);
}
