/*-------------------------------------------------------------------------
 *
 * http_reply.c
 *		Answers: status line, headers, checksum, compression.
 *
 * src/http/http_reply.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <libdeflate.h>
#include <time.h>

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "http/compression.h"
#include "http/http_private.h"

/* Smaller bodies are not worth the time (the service's own bound). */
#define COMPRESS_ABOVE	4096

static const char *
reason_phrase(int status)
{
	switch (status)
	{
		case 200:
			return "OK";
		case 204:
			return "No Content";
		case 400:
			return "Bad Request";
		case 403:
			return "Forbidden";
		case 404:
			return "Not Found";
		case 405:
			return "Method Not Allowed";
		case 413:
			return "Request Entity Too Large";
		case 417:
			return "Expectation Failed";
		case 500:
			return "Internal Server Error";
		case 501:
			return "Not Implemented";
		case 503:
			return "Service Unavailable";
		case 505:
			return "HTTP Version Not Supported";
	}
	return "Status";
}

/* Today's Date header value, made once a second. */
static const char *
date_text(DynHttpServer *server)
{
	time_t		now = time(NULL);

	if (now != server->date_second)
	{
		static const char *const days[] =
		{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
		static const char *const months[] =
		{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
		struct tm	tm;

		gmtime_r(&now, &tm);
		/* strftime() would speak the language of lc_time. */
		snprintf(server->date, sizeof(server->date),
				 "%s, %02d %s %04d %02d:%02d:%02d GMT",
				 days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
				 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
		server->date_second = now;
	}
	return server->date;
}

static inline char *
put_text(char *p, const char *text)
{
	size_t		len = strlen(text);

	memcpy(p, text, len);
	return p + len;
}

/* Take the message out of its connection's pipeline. */
static void
take_out(DynHttpMessage *message)
{
	DynHttpConnection *connection = message->request.connection;

	dlist_delete(&message->pipeline);
	connection->pipelined--;
	connection->kept -= message->reply_len;
	connection->server->body_bytes -= message->body_size;
}

/* The same, and free it. */
void
dyn_http_message_free(DynHttpMessage *message)
{
	take_out(message);
	MemoryContextDelete(message->request.memory);
}

/*
 * Send an answer whose turn has come, and free its request.
 */
static void
send_reply(DynHttpMessage *message, const struct iovec *parts, int nparts)
{
	DynHttpConnection *connection = message->request.connection;
	MemoryContext memory = message->request.memory;

	if (connection->fd >= 0 && !connection->broken && !connection->close)
	{
		if (!dyn_http_connection_append(connection, parts, nparts, &memory))
			connection->broken = true;
		if (message->close)
		{
			connection->close = true;
			connection->expect = DYN_HTTP_EXPECT_NOTHING;
		}
	}
	take_out(message);
	if (memory != NULL)
		MemoryContextDelete(memory);
}

/*
 * Keep an answer until those before it are there.
 */
static void
keep_reply(DynHttpMessage *message, const struct iovec *parts, int nparts)
{
	DynHttpConnection *connection = message->request.connection;
	size_t		len = 0;
	char	   *p;

	for (int i = 0; i < nparts; i++)
		len += parts[i].iov_len;
	p = MemoryContextAllocExtended(message->request.memory, len,
								   MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE);
	message->answered = true;
	if (p == NULL)
	{
		connection->broken = true;
		return;
	}
	message->reply = p;
	message->reply_len = len;
	connection->kept += len;
	for (int i = 0; i < nparts; i++)
	{
		memcpy(p, parts[i].iov_base, parts[i].iov_len);
		p += parts[i].iov_len;
	}
}

static DynCoding
accepted_coding(const DynHttpRequest *request)
{
	return dyn_accepted_coding(dyn_http_header(request, "accept-encoding"));
}

bool
dyn_http_takes_compressed(const DynHttpRequest *request)
{
	return accepted_coding(request) != DYN_CODING_IDENTITY;
}

void
dyn_http_compress(DynHttpRequest *request, const char *body, size_t body_len,
				  void (*pause) (void))
{
	DynHttpMessage *message = (DynHttpMessage *) request;
	DynCoding	coding = DYN_CODING_IDENTITY;

	message->was_compressed = true;
	message->coding = DYN_CODING_IDENTITY;
	if (body_len > COMPRESS_ABOVE)
		coding = accepted_coding(request);
	if (coding != DYN_CODING_IDENTITY &&
		dyn_compress_body(request->memory, coding, body, body_len, pause,
						  &message->compressed, &message->compressed_len))
		message->coding = coding;
}

void
dyn_http_reply(DynHttpRequest *request, int status, const char *content_type,
			   const char *headers, const char *body, size_t body_len)
{
	DynHttpMessage *message = (DynHttpMessage *) request;
	DynHttpConnection *connection = request->connection;
	DynHttpServer *server = connection->server;
	const char *coding_header = "";
	struct iovec parts[2];
	char		fixed[512];
	char	   *head = fixed;
	char	   *p;
	size_t		head_size;

	if (connection->fd < 0)
	{
		dyn_http_message_free(message);
		dyn_http_connection_answered(connection);
		return;
	}
	if (server->stopping)
		message->close = true;

	if (!message->was_compressed)
		dyn_http_compress(request, body, body_len, NULL);
	if (message->coding != DYN_CODING_IDENTITY)
	{
		body = message->compressed;
		body_len = message->compressed_len;
		coding_header = message->coding == DYN_CODING_GZIP ?
			"Content-Encoding: gzip\r\n" : "Content-Encoding: deflate\r\n";
	}

	if (content_type == NULL)
		content_type = "";
	if (headers == NULL)
		headers = "";
	/* All that is not the caller's takes less than 300 bytes. */
	head_size = 300 + strlen(content_type) + strlen(headers);
	if (head_size > sizeof(fixed))
		head = MemoryContextAlloc(request->memory, head_size);
	p = put_text(head, "HTTP/1.1 ");
	p += pg_ultoa_n(status, p);
	*p++ = ' ';
	p = put_text(p, reason_phrase(status));
	p = put_text(p, "\r\nServer: Server\r\nDate: ");
	p = put_text(p, date_text(server));
	if (content_type[0] != '\0')
	{
		p = put_text(p, "\r\nContent-Type: ");
		p = put_text(p, content_type);
	}
	p = put_text(p, "\r\nContent-Length: ");
	p += pg_ulltoa_n(body_len, p);
	/* zlib has it, too, but takes an eighth of the time of a page of 100 KB. */
	p = put_text(p, "\r\nx-amz-crc32: ");
	p += pg_ultoa_n(libdeflate_crc32(0, body, body_len), p);
	p = put_text(p, "\r\n");
	p = put_text(p, coding_header);
	p = put_text(p, headers);
	if (message->close)
		p = put_text(p, "Connection: close\r\n");
	else if (message->http10)
		p = put_text(p, "Connection: keep-alive\r\n");
	p = put_text(p, "\r\n");

	parts[0].iov_base = head;
	parts[0].iov_len = p - head;
	parts[1].iov_base = unconstify(char *, body);
	parts[1].iov_len = message->head_only ? 0 : body_len;

	if (connection->pipeline.head.next != &message->pipeline)
	{
		keep_reply(message, parts, 2);
		dyn_http_connection_mark_dirty(connection);
		return;
	}
	send_reply(message, parts, 2);
	while (!dlist_is_empty(&connection->pipeline))
	{
		message = dlist_head_element(DynHttpMessage, pipeline,
									 &connection->pipeline);
		if (!message->answered)
			break;
		parts[0].iov_base = message->reply;
		parts[0].iov_len = message->reply_len;
		send_reply(message, parts, 1);
	}
	dyn_http_connection_answered(connection);
}
