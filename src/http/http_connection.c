/*-------------------------------------------------------------------------
 *
 * http_connection.c
 *		One connection: bytes in, requests out, answers in order.
 *
 * All connections of a worker read into the server's one scratch buffer; what
 * is left there behind the last whole request is kept with the connection, so
 * that one that sends whole requests never owns a buffer.  Large bodies are
 * read straight into the request's memory, which grows with what arrives, not
 * with what the client says will come.
 *
 * A connection is never freed below a function that still uses it: sending
 * only marks it broken, and closing happens in the loop (timeouts), at the end
 * of handling an event and at the end of a flush.
 *
 * src/http/http_connection.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "utils/memutils.h"

#include "http/compression.h"
#include "http/http_private.h"

/* The first piece of memory for a body that has not arrived yet. */
#define FIRST_BODY_SIZE		(64 * 1024)
/* Output sent in one WRITING period for the client to be given another. */
#define WRITE_PROGRESS		(256 * 1024)

static const char continue_line[] = "HTTP/1.1 100 Continue\r\n\r\n";

/* The first byte of TLS, which is none of a method. */
#define TLS_HANDSHAKE	0x16

/* To a client that speaks in the clear where it must not. */
static const char plain_refused[] =
"HTTP/1.1 400 Bad Request\r\n"
"Server: Server\r\n"
"Content-Type: text/plain; charset=utf-8\r\n"
"Content-Length: 52\r\n"
"Connection: close\r\n"
"\r\n"
"This endpoint takes requests by TLS (https://) only\n";

static bool
would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK;
}

/* Who is at the other end? */
static void
note_peer(DynHttpConnection *connection)
{
	struct sockaddr_storage peer;
	socklen_t	peer_len = sizeof(peer);
	const struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) &peer;
	struct in_addr v4;

	if (getpeername(connection->fd, (struct sockaddr *) &peer, &peer_len) < 0)
		return;
	if (peer.ss_family == AF_INET)
		v4 = ((struct sockaddr_in *) &peer)->sin_addr;
	else if (peer.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		memcpy(&v4, &v6->sin6_addr.s6_addr[12], sizeof(v4));
	else
	{
		if (peer.ss_family != AF_INET6)
			return;
		connection->address = dyn_address_key_v6(&v6->sin6_addr);
		connection->peer_is_loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
		(void) inet_ntop(AF_INET6, &v6->sin6_addr, connection->peer_address,
						 sizeof(connection->peer_address));
		return;
	}
	connection->address = dyn_address_key_v4(&v4);
	connection->peer_is_loopback = ntohl(v4.s_addr) >> 24 == 127;
	(void) inet_ntop(AF_INET, &v4, connection->peer_address,
					 sizeof(connection->peer_address));
}

/*
 * Take over a connected socket.  One that has moved was another worker's, and
 * is known to be in the clear.
 */
void
dyn_http_connection_open(DynHttpServer *server, int fd, bool over_limit,
						 bool moved)
{
	DynHttpConnection *connection;
	struct epoll_event event;
	int			one = 1;

	connection = MemoryContextAllocZero(server->memory,
										sizeof(DynHttpConnection));
	connection->server = server;
	connection->fd = fd;
	connection->undecided = server->options.tls.enabled && !moved;
	connection->since = server->now;
	dlist_init(&connection->pipeline);

	note_peer(connection);
	if (!dyn_address_connected(&connection->address,
							   server->options.max_connections_per_address,
							   server->now, &connection->slowed))
	{
		server->statistics.refused_address++;
		over_limit = true;
	}
	if (connection->slowed)
		server->statistics.slowed++;
	connection->state = connection->slowed ? DYN_HTTP_SLOWED : DYN_HTTP_IDLE;
	connection->events = connection->slowed ? 0 : EPOLLIN;
	dlist_push_tail(&server->connections[connection->state], &connection->node);
	if (over_limit)
	{
		connection->over_limit = true;
		/* More of them would be in the way of those who may come in. */
		if (server->over_limit++ >= DYN_HTTP_OVER_LIMIT)
		{
			dyn_http_connection_close(connection);
			return;
		}
	}
	(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	/* A vanished client is noticed at last even while we owe it an answer. */
	(void) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));

	event.events = connection->events;
	event.data.u64 = (uintptr_t) connection;
	if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		dyn_http_connection_close(connection);
}

/* Account for room given to (or, negative, taken from) a body. */
static void
account_body(DynHttpConnection *connection, int64 bytes)
{
	connection->server->body_bytes += bytes;
}

/* Forget the request whose body is arriving, if any. */
static void
drop_incoming(DynHttpConnection *connection)
{
	DynHttpMessage *message = connection->incoming;

	if (message == NULL)
		return;
	account_body(connection, -(int64) message->body_size);
	connection->incoming = NULL;
	MemoryContextDelete(message->request.memory);
}

static void
drop_input(DynHttpConnection *connection)
{
	if (connection->input != NULL)
		pfree(connection->input);
	connection->input = NULL;
	connection->input_len = 0;
}

static void
drop_output(DynHttpConnection *connection)
{
	if (connection->output_owner != NULL)
		MemoryContextDelete(connection->output_owner);
	else if (connection->output != NULL)
		pfree(connection->output);
	connection->output = NULL;
	connection->output_owner = NULL;
	connection->output_start = connection->output_end = 0;
	connection->output_size = 0;
}

/* Forget the answers that wait for those before them. */
static void
drop_kept_replies(DynHttpConnection *connection)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &connection->pipeline)
	{
		DynHttpMessage *message = dlist_container(DynHttpMessage, pipeline,
												  iter.cur);

		if (message->answered)
			dyn_http_message_free(message);
	}
}

/*
 * Close.  The struct is freed now, or with the last answer that is still owed:
 * the requests point to it.
 */
void
dyn_http_connection_close(DynHttpConnection *connection)
{
	DynHttpServer *server = connection->server;

	if (connection->fd < 0)
		return;

	/*
	 * The worker that gave us the connection may not have closed its descriptor
	 * yet; until then epoll would go on to report this one.
	 */
	(void) epoll_ctl(server->epoll, EPOLL_CTL_DEL, connection->fd, NULL);
	dyn_transport_end(connection);
	close(connection->fd);
	connection->fd = -1;
	dlist_delete(&connection->node);
	if (connection->dirty)
		dlist_delete(&connection->dirty_node);
	if (connection->resumed)
		dlist_delete(&connection->resume_node);
	connection->dirty = connection->resumed = false;
	drop_incoming(connection);
	drop_kept_replies(connection);
	drop_input(connection);
	drop_output(connection);
	if (connection->over_limit)
		server->over_limit--;
	dyn_address_disconnected(connection->address, server->now);
	dyn_http_server_closed(server);
	if (connection->pipelined == 0)
		pfree(connection);
}

/*
 * Give an idle connection to another worker.  Returns false if that takes none
 * now; then nothing has changed.
 */
bool
dyn_http_connection_move(DynHttpConnection *connection, int worker)
{
	DynHttpServer *server = connection->server;
	DynAddressKey address = connection->address;
	bool		slow;

	/* Not counted twice: at the limit of its address it would be refused. */
	dyn_address_disconnected(address, server->now);
	connection->address = 0;
	if (!dyn_http_listener_move(worker, connection->fd))
	{
		connection->address = address;
		if (address != 0)
			(void) dyn_address_connected(&connection->address, 0, server->now,
										 &slow);
		return false;
	}
	server->statistics.moved++;
	dyn_http_connection_close(connection);
	return true;
}

/* Have the connection looked at by the next flush. */
void
dyn_http_connection_mark_dirty(DynHttpConnection *connection)
{
	if (connection->dirty || connection->fd < 0)
		return;
	connection->dirty = true;
	dlist_push_tail(&connection->server->dirty, &connection->dirty_node);
}

static size_t
unsent(const DynHttpConnection *connection)
{
	return connection->output_end - connection->output_start;
}

/*
 * Queue bytes to be sent.  Returns false if there is no memory for them.
 */
static bool
append_output(DynHttpConnection *connection, const char *bytes, size_t len)
{
	if (connection->output_end + len > connection->output_size)
	{
		size_t		have = unsent(connection);
		size_t		size = Max(have + len, 1024);
		char	   *output;

		size = Max(size, Min(connection->output_size * 2,
							 DYN_HTTP_MAX_UNSENT));
		output = MemoryContextAllocExtended(connection->server->memory, size,
											MCXT_ALLOC_NO_OOM |
											MCXT_ALLOC_HUGE);
		if (output == NULL)
			return false;
		if (have > 0)
			memcpy(output, connection->output + connection->output_start, have);
		drop_output(connection);
		connection->output = output;
		connection->output_size = size;
		connection->output_end = have;
	}
	memcpy(connection->output + connection->output_end, bytes, len);
	connection->output_end += len;
	return true;
}

/*
 * May the next request be parsed?  Not while too many wait for their answers,
 * or too many answers for the client.
 */
static bool
may_begin(const DynHttpConnection *connection)
{
	return !connection->slowed &&
		connection->pipelined < (connection->server->busy ? 1 :
								 DYN_HTTP_MAX_PIPELINED) &&
		unsent(connection) + connection->kept <= DYN_HTTP_MAX_UNSENT;
}

/* Does the connection wait for bytes of the client? */
static bool
may_read(const DynHttpConnection *connection)
{
	return !connection->input_ended && !connection->paused &&
		!connection->slowed &&
		connection->expect != DYN_HTTP_EXPECT_NOTHING;
}

/* Have it looked at in the next poll even if its socket stays silent. */
static void
queue_resume(DynHttpConnection *connection)
{
	DynHttpServer *server = connection->server;

	if (connection->resumed)
		return;
	connection->resumed = true;
	dlist_push_tail(&server->resumed, &connection->resume_node);
	dyn_http_server_wake(server, server->now);
}

/* Enter a state, unless the connection is in it already. */
static void
enter_state(DynHttpConnection *connection, DynHttpState state)
{
	DynHttpServer *server = connection->server;
	int64		timeout;

	if (connection->state == state)
		return;
	connection->state = state;
	connection->since = server->now;
	connection->progress = 0;
	dlist_delete(&connection->node);
	dlist_push_tail(&server->connections[state], &connection->node);

	/* The loop may sleep next: a flush is not followed by a poll. */
	timeout = dyn_http_state_timeout(server, state);
	if (timeout != PG_INT64_MAX)
		dyn_http_server_wake(server, server->now + timeout);
}

/*
 * Bring the state and what epoll watches into line with what the connection
 * waits for now.
 */
static void
settle(DynHttpConnection *connection)
{
	bool		lingering = connection->state == DYN_HTTP_LINGERING;
	uint32		events = 0;

	if (lingering)
		events = EPOLLIN;
	else if (connection->state == DYN_HTTP_HANDSHAKE)
		events = connection->read_wants_write ? EPOLLOUT : EPOLLIN;
	else
	{
		if (unsent(connection) > 0)
		{
			enter_state(connection, DYN_HTTP_WRITING);
			events |= EPOLLOUT;
		}
		else if (connection->slowed)
			enter_state(connection, DYN_HTTP_SLOWED);
		else if (connection->incoming != NULL ||
				 (connection->input_len > 0 && !connection->paused))
			enter_state(connection, DYN_HTTP_READING);
		else if (connection->pipelined > 0)
			enter_state(connection, DYN_HTTP_ANSWERING);
		else
			enter_state(connection, DYN_HTTP_IDLE);

		if (may_read(connection))
			events |= connection->read_wants_write ? EPOLLOUT : EPOLLIN;
	}
	if (events != connection->events)
	{
		struct epoll_event event = {
			.events = events,.data.u64 = (uintptr_t) connection
		};

		connection->events = events;
		if (epoll_ctl(connection->server->epoll, EPOLL_CTL_MOD,
					  connection->fd, &event) < 0)
			connection->broken = true;
	}
}

/*
 * Give the message that is complete (or refused) to whoever answers it.
 */
static void
deliver(DynHttpConnection *connection, DynHttpMessage *message)
{
	DynHttpServer *server = connection->server;

	connection->incoming = NULL;
	connection->send_continue = false;
	if (message->request.refused != 0)
	{
		server->statistics.refused++;
		message->request.body = message->request.raw_body = "";
		message->request.body_len = message->request.raw_body_len = 0;
		message->close = true;
	}
	connection->expect = message->close ? DYN_HTTP_EXPECT_NOTHING :
		DYN_HTTP_EXPECT_HEAD;
	dlist_push_tail(&connection->pipeline, &message->pipeline);
	connection->pipelined++;
	/* The next request has its own time. */
	enter_state(connection, DYN_HTTP_ANSWERING);
	message->request.arrived = dyn_http_arrival(server);
	server->options.on_request(&message->request, server->options.arg);
}

static DynHttpMessage *
new_message(DynHttpConnection *connection)
{
	MemoryContext memory;
	DynHttpMessage *message;

	memory = AllocSetContextCreate(connection->server->memory,
								   "dynamo HTTP request",
								   ALLOCSET_DEFAULT_SIZES);
	message = MemoryContextAllocZero(memory, sizeof(DynHttpMessage));
	message->request.memory = memory;
	message->request.connection = connection;
	message->request.method = message->request.path =
		message->request.query = "";
	message->request.body = message->request.raw_body = "";
	message->request.peer_is_loopback = connection->peer_is_loopback;
	message->request.secure = connection->tls != NULL;
	message->request.peer_address = connection->peer_address;
	return message;
}

/* Refuse what is arriving with a status; no more is read then. */
static void
refuse(DynHttpConnection *connection, DynHttpMessage *message, int status)
{
	if (message == NULL)
		message = new_message(connection);
	account_body(connection, -(int64) message->body_size);
	message->body_size = 0;
	message->request.refused = status;
	deliver(connection, message);
}

/* The whole body is here. */
static void
finish_body(DynHttpConnection *connection, DynHttpMessage *message)
{
	DynHttpRequest *request = &message->request;

	/* It is accounted for as long as the request lives. */
	if (message->body != NULL)
	{
		message->body[message->body_len] = '\0';
		request->raw_body = message->body;
		request->raw_body_len = message->body_len;
	}
	deliver(connection, message);
}

bool
dyn_http_is_compressed(const DynHttpRequest *request)
{
	return dyn_http_header(request, "content-encoding") != NULL;
}

int
dyn_http_decode(DynHttpRequest *request, void (*pause) (void))
{
	return dyn_decompress_body(request->memory,
							   dyn_http_header(request, "content-encoding"),
							   request->raw_body, request->raw_body_len,
							   request->connection->server->options.max_body,
							   pause, &request->body, &request->body_len);
}

/*
 * Make room for need more bytes of body and a NUL.  Returns 0 or the status to
 * refuse the request with.
 */
static int
reserve_body(DynHttpConnection *connection, DynHttpMessage *message,
			 size_t need)
{
	DynHttpServer *server = connection->server;
	uint32		max_body = server->options.max_body;
	size_t		size;
	char	   *body;

	if (message->body_len + need > max_body)
		return 413;
	if (message->body_len + need < message->body_size)
		return 0;
	/* Not twice: what is there is copied. */
	size = Max(message->body_len + need, (size_t) message->body_size * 4);
	size = Min(size, (size_t) max_body) + 1;
	/* Small bodies always have room: their number is bounded. */
	if (size > FIRST_BODY_SIZE + 1 &&
		server->body_bytes + size > DYN_HTTP_MAX_BODIES)
		return 503;
	body = MemoryContextAllocExtended(message->request.memory, size,
									  MCXT_ALLOC_NO_OOM);
	if (body == NULL)
		return 503;
	if (message->body != NULL)
	{
		memcpy(body, message->body, message->body_len);
		pfree(message->body);
	}
	account_body(connection, (int64) size - message->body_size);
	message->body = body;
	message->body_size = size;
	return 0;
}

/* Fill in a request from its head. */
static void
take_head(DynHttpMessage *message, const DynHttpHead *head)
{
	DynHttpRequest *request = &message->request;

	request->method = head->method;
	request->path = head->path;
	request->query = head->query;
	request->nheaders = head->nheaders;
	request->headers = MemoryContextAlloc(request->memory,
										  sizeof(DynHttpHeader) *
										  Max(head->nheaders, 1));
	memcpy(request->headers, head->headers,
		   sizeof(DynHttpHeader) * head->nheaders);
	message->head_only = strcmp(head->method, "HEAD") == 0;
	message->http10 = head->http10;
	message->close = !head->keep_alive;
}

/*
 * Begin a request with its head.  more: bytes of the body are here already.
 */
static void
begin_request(DynHttpConnection *connection, const char *data, size_t head_len,
			  bool more)
{
	DynHttpServer *server = connection->server;
	DynHttpMessage *message = new_message(connection);
	DynHttpHead head;
	char	   *copy;
	int			status;

	if (connection->window != server->window)
	{
		connection->window = server->window;
		server->active++;
	}
	copy = MemoryContextAlloc(message->request.memory, head_len);
	memcpy(copy, data, head_len);
	status = dyn_http_head_parse(copy, head_len, &head);
	take_head(message, &head);
	if (status == 0 && connection->over_limit)
		status = 503;
	if (status == 0 && head.content_length > server->options.max_body)
		status = 413;
	if (status != 0)
	{
		refuse(connection, message, status);
		return;
	}
	if (!head.chunked && head.content_length == 0)
	{
		finish_body(connection, message);
		return;
	}
	message->content_length = head.content_length;
	connection->incoming = message;
	connection->expect = head.chunked ? DYN_HTTP_EXPECT_CHUNKS :
		DYN_HTTP_EXPECT_BODY;
	if (!more && head.expect_continue)
	{
		connection->send_continue = true;
		dyn_http_connection_mark_dirty(connection);
	}
}

/* Take body bytes of a known length.  Returns how many. */
static size_t
consume_body(DynHttpConnection *connection, const char *data, size_t len)
{
	DynHttpMessage *message = connection->incoming;
	size_t		missing = message->content_length - message->body_len;
	size_t		n = Min(len, missing);
	int			status;

	/* What is not here yet gets room as it comes. */
	status = reserve_body(connection, message,
						  Max(n, Min(missing, FIRST_BODY_SIZE)));
	if (status != 0)
	{
		refuse(connection, message, status);
		return n;
	}
	memcpy(message->body + message->body_len, data, n);
	message->body_len += n;
	if (n == missing)
		finish_body(connection, message);
	return n;
}

/* Take chunks.  Returns how many bytes. */
static size_t
consume_chunks(DynHttpConnection *connection, const char *data, size_t len)
{
	DynHttpMessage *message = connection->incoming;
	size_t		total = 0;

	for (;;)
	{
		size_t		used;
		const char *piece;
		size_t		piece_len;
		int			status = 0;

		switch (dyn_chunk_decode(&message->chunks, data + total, len - total,
								 &used, &piece, &piece_len))
		{
			case DYN_CHUNK_NEED_MORE:
				return len;
			case DYN_CHUNK_PIECE:
				status = reserve_body(connection, message, piece_len);
				if (status == 0)
				{
					memcpy(message->body + message->body_len, piece, piece_len);
					message->body_len += piece_len;
				}
				break;
			case DYN_CHUNK_END:
				finish_body(connection, message);
				return total + used;
			case DYN_CHUNK_MALFORMED:
				status = 400;
				break;
		}
		total += used;
		if (status != 0)
		{
			refuse(connection, message, status);
			return total;
		}
	}
}

/*
 * Parse as many requests as data holds and may be begun.  Returns how many
 * bytes are done with; the rest is an incomplete head, or the connection is
 * paused.
 */
static size_t
consume(DynHttpConnection *connection, const char *data, size_t len)
{
	size_t		used = 0;

	connection->paused = false;
	while (used < len)
	{
		int			head_len;

		switch (connection->expect)
		{
			case DYN_HTTP_EXPECT_NOTHING:
				return len;
			case DYN_HTTP_EXPECT_BODY:
				used += consume_body(connection, data + used, len - used);
				continue;
			case DYN_HTTP_EXPECT_CHUNKS:
				used += consume_chunks(connection, data + used, len - used);
				continue;
			case DYN_HTTP_EXPECT_HEAD:
				break;
		}
		if (!may_begin(connection))
		{
			connection->paused = true;
			return used;
		}
		/* Empty lines before a request are tolerated (RFC 9112 2.2). */
		if (data[used] == '\r')
		{
			if (len - used < 2)
				return used;
			if (data[used + 1] == '\n')
			{
				used += 2;
				continue;
			}
		}
		head_len = dyn_http_head_length(data + used, len - used);
		if (head_len == 0)
			return used;
		if (head_len < 0)
		{
			refuse(connection, NULL, -head_len);
			return len;
		}
		begin_request(connection, data + used, head_len,
					  used + head_len < len);
		used += head_len;
	}
	return used;
}

/* Keep what consume() has left of data. */
static void
keep_input(DynHttpConnection *connection, const char *rest, size_t len)
{
	char	   *input = NULL;

	if (len > 0)
	{
		input = MemoryContextAlloc(connection->server->memory, len);
		memcpy(input, rest, len);
	}
	drop_input(connection);
	connection->input = input;
	connection->input_len = len;
}

/* Throw away what a client sends after we have said that we close. */
static void
read_lingering(DynHttpConnection *connection)
{
	if (!dyn_transport_discard(connection))
		dyn_http_connection_close(connection);
}

/*
 * Read once and parse what has come.
 */
static void
read_input(DynHttpConnection *connection)
{
	DynHttpServer *server = connection->server;
	DynHttpMessage *message = connection->incoming;
	ssize_t		n;

	if (connection->expect == DYN_HTTP_EXPECT_BODY && message->body != NULL)
	{
		/* The rest of a body goes to its place at once. */
		size_t		missing = message->content_length - message->body_len;
		int			status;

		status = reserve_body(connection, message,
							  Min(missing, FIRST_BODY_SIZE));
		if (status != 0)
		{
			refuse(connection, message, status);
			return;
		}
		n = dyn_transport_read(connection, message->body + message->body_len,
						   Min(Min(missing, DYN_HTTP_TURN_SIZE),
							   message->body_size - message->body_len - 1));
		if (n > 0)
		{
			message->body_len += n;
			if (n == missing)
				finish_body(connection, message);
		}
	}
	else
	{
		size_t		kept = connection->input_len;

		if (kept > 0)
			memcpy(server->scratch, connection->input, kept);
		n = dyn_transport_read(connection, server->scratch + kept,
						   sizeof(server->scratch) - kept);
		if (n > 0)
		{
			size_t		len = kept + n;
			size_t		used;

			drop_input(connection);
			used = consume(connection, server->scratch, len);
			keep_input(connection, server->scratch + used, len - used);
		}
	}
	if (n == 0)
		connection->input_ended = true;
	else if (n < 0 && !would_block())
		connection->broken = true;
	else if (may_read(connection) && dyn_transport_has_more(connection))
		queue_resume(connection);
}

/*
 * Is there anything left to do for a connection whose client is gone or has
 * finished sending?
 */
static bool
is_finished(const DynHttpConnection *connection)
{
	return connection->broken ||
		(connection->input_ended && connection->pipelined == 0 &&
		 unsent(connection) == 0 && !connection->paused);
}

/* Close the connection if it is finished, else see what it waits for. */
static void
conclude(DynHttpConnection *connection)
{
	if (!is_finished(connection))
		settle(connection);
	if (is_finished(connection))
		dyn_http_connection_close(connection);
}

/* Nothing more is read; the connection closes once all is sent. */
static void
close_when_sent(DynHttpConnection *connection)
{
	connection->close = true;
	connection->expect = DYN_HTTP_EXPECT_NOTHING;
	dyn_http_connection_mark_dirty(connection);
}

/*
 * TLS or not?  The first byte tells, and stays where it is.  Returns false if
 * there is nothing more to do for now.
 */
static bool
decide(DynHttpConnection *connection)
{
	DynHttpServer *server = connection->server;
	ssize_t		n;
	char		byte;

	n = recv(connection->fd, &byte, 1, MSG_PEEK);
	if (n < 0 && (would_block() || errno == EINTR))
		return false;
	connection->undecided = false;
	if (n <= 0)
		connection->broken = true;
	else if (byte == TLS_HANDSHAKE)
	{
		/* TLS may have been switched off since the connection was made. */
		if (server->tls == NULL ||
			!dyn_transport_begin_tls(connection, server->tls))
			connection->broken = true;
		else
			enter_state(connection, DYN_HTTP_HANDSHAKE);
	}
	else if (server->options.tls.required)
	{
		server->statistics.refused++;
		server->statistics.handshakes_failed[DYN_TLS_FAILED_PLAIN]++;
		if (!append_output(connection, plain_refused,
						   sizeof(plain_refused) - 1))
			connection->broken = true;
		close_when_sent(connection);
	}
	return !connection->broken && !connection->close;
}

/*
 * Go on with the handshake.  Returns true when it is over and requests may be
 * read.
 */
static bool
shake_hands(DynHttpConnection *connection)
{
	DynHttpServer *server = connection->server;

	/* It takes as long as dozens of requests: let those have turns. */
	if (server->handshakes_left == 0)
		return false;
	server->handshakes_left--;

	connection->read_wants_write = false;
	switch (dyn_transport_handshake(connection))
	{
		case DYN_HANDSHAKE_DONE:
			enter_state(connection, DYN_HTTP_IDLE);
			return true;
		case DYN_HANDSHAKE_READ:
			break;
		case DYN_HANDSHAKE_WRITE:
			connection->read_wants_write = true;
			break;
		case DYN_HANDSHAKE_FAILED:
			/* The client is to read the alert that says why. */
			dyn_transport_free(connection);
			enter_state(connection, DYN_HTTP_IDLE);
			close_when_sent(connection);
			break;
	}
	return false;
}

/* epoll says that a connection is ready. */
void
dyn_http_connection_ready(DynHttpConnection *connection, uint32 events)
{
	bool		readable = (events & EPOLLIN) != 0;

	if (events & (EPOLLERR | EPOLLHUP))
	{
		if (connection->state == DYN_HTTP_HANDSHAKE)
			connection->server->statistics.handshakes_failed[DYN_TLS_FAILED_CLOSED]++;
		dyn_http_connection_close(connection);
		return;
	}
	if (connection->state == DYN_HTTP_LINGERING)
	{
		read_lingering(connection);
		return;
	}
	if (connection->undecided)
		readable = decide(connection);
	if (connection->state == DYN_HTTP_HANDSHAKE)
		readable = shake_hands(connection);
	if (events & EPOLLOUT)
	{
		dyn_http_connection_mark_dirty(connection);
		readable = readable || connection->read_wants_write;
	}
	if (readable && may_read(connection))
		read_input(connection);
	conclude(connection);
}

/*
 * Go on with input that was kept while the connection was paused, and with what
 * TLS has read ahead.
 */
void
dyn_http_connection_resume(DynHttpConnection *connection)
{
	connection->resumed = false;
	if (connection->paused)
	{
		char	   *input = connection->input;
		size_t		len = connection->input_len;
		size_t		used;

		connection->paused = false;
		connection->input = NULL;
		connection->input_len = 0;
		if (input != NULL)
		{
			used = consume(connection, input, len);
			keep_input(connection, input + used, len - used);
			pfree(input);
		}
	}
	if (connection->tls != NULL && may_read(connection))
		read_input(connection);
	conclude(connection);
}

/*
 * Send the parts of an answer: queue them for the next flush, or, if they are
 * large and nothing is before them, send now what the socket takes and spare
 * the copy.  If much is left of the last part, it stays where it is: in *owner,
 * which is set to NULL then and deleted when it is sent.
 */
bool
dyn_http_connection_append(DynHttpConnection *connection,
						   const struct iovec *parts, int nparts,
						   MemoryContext *owner)
{
	size_t		total = 0;
	size_t		skip = 0;

	for (int i = 0; i < nparts; i++)
		total += parts[i].iov_len;
	if (total > DYN_HTTP_READ_SIZE && unsent(connection) == 0)
	{
		struct iovec some[2];
		size_t		room = DYN_HTTP_TURN_SIZE;
		ssize_t		n;

		Assert(nparts <= lengthof(some));
		for (int i = 0; i < nparts; i++)
		{
			some[i] = parts[i];
			some[i].iov_len = Min(parts[i].iov_len, room);
			room -= some[i].iov_len;
		}
		n = dyn_transport_writev(connection, some, nparts);
		if (n >= 0)
			skip = n;
		else if (!would_block())
			return false;
	}
	for (int i = 0; i < nparts; i++)
	{
		char	   *rest = (char *) parts[i].iov_base + Min(skip, parts[i].iov_len);
		size_t		len = parts[i].iov_len - Min(skip, parts[i].iov_len);

		skip -= parts[i].iov_len - len;
		if (len > DYN_HTTP_READ_SIZE && i == nparts - 1 &&
			unsent(connection) == 0)
		{
			drop_output(connection);
			connection->output = rest;
			connection->output_end = len;
			connection->output_owner = *owner;
			*owner = NULL;
		}
		else if (len > 0 && !append_output(connection, rest, len))
			return false;
	}
	return true;
}

/*
 * An answer has been queued and its request is out of the pipeline.
 */
void
dyn_http_connection_answered(DynHttpConnection *connection)
{
	if (connection->fd < 0)
	{
		if (connection->pipelined == 0)
			pfree(connection);
		return;
	}
	dyn_http_connection_mark_dirty(connection);
}

bool
dyn_http_has_left(const DynHttpRequest *request)
{
	return request->connection->fd < 0 || request->connection->input_ended;
}

void
dyn_http_failed(DynHttpRequest *request)
{
	DynHttpConnection *connection = request->connection;
	DynHttpServer *server = connection->server;

	server->statistics.failures++;
	if (dyn_address_failed(connection->address, server->options.max_failures,
						   server->now) &&
		connection->fd >= 0 && !connection->slowed)
	{
		connection->slowed = true;
		server->statistics.slowed++;
	}
}

/* It has been slow for long enough. */
void
dyn_http_connection_quicken(DynHttpConnection *connection)
{
	connection->slowed = false;
	enter_state(connection, DYN_HTTP_IDLE);
	if (connection->tls != NULL || connection->paused)
		queue_resume(connection);
	conclude(connection);
}

/* Say close to the client, and wait for it to notice. */
static void
begin_lingering(DynHttpConnection *connection)
{
	drop_input(connection);
	drop_incoming(connection);
	dyn_transport_end(connection);
	if (shutdown(connection->fd, SHUT_WR) < 0 || connection->input_ended)
	{
		dyn_http_connection_close(connection);
		return;
	}
	enter_state(connection, DYN_HTTP_LINGERING);
	conclude(connection);
}

/* Send what is queued, as far as the socket takes it. */
static void
send_output(DynHttpConnection *connection)
{
	struct iovec part;
	ssize_t		n;

	/* 100 Continue takes its turn behind the answers before it. */
	if (connection->send_continue && connection->pipelined == 0)
	{
		connection->send_continue = false;
		if (connection->incoming != NULL &&
			!append_output(connection, continue_line,
						   sizeof(continue_line) - 1))
			connection->broken = true;
	}
	if (unsent(connection) == 0 || connection->broken)
		return;
	part.iov_base = connection->output + connection->output_start;
	part.iov_len = Min(unsent(connection), DYN_HTTP_TURN_SIZE);
	n = dyn_transport_writev(connection, &part, 1);
	if (n < 0)
	{
		if (!would_block())
			connection->broken = true;
		return;
	}
	connection->output_start += n;
	connection->progress += n;
	if (unsent(connection) == 0)
		drop_output(connection);
	else if (connection->state == DYN_HTTP_WRITING &&
			 connection->progress >= WRITE_PROGRESS)
		enter_state(connection, DYN_HTTP_ANSWERING);	/* and back: anew */
}

/*
 * Send a dirty connection's output and see what comes next for it.
 */
void
dyn_http_connection_flush(DynHttpConnection *connection)
{
	connection->dirty = false;
	if (connection->state == DYN_HTTP_LINGERING)
		return;
	send_output(connection);
	if (is_finished(connection))
	{
		dyn_http_connection_close(connection);
		return;
	}
	if (connection->close && unsent(connection) == 0)
	{
		begin_lingering(connection);
		return;
	}
	if (connection->paused && !connection->resumed && may_begin(connection))
	{
		/* In the next round: here nobody is prepared for new requests. */
		queue_resume(connection);
	}
	conclude(connection);
}
