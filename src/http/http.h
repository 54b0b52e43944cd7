/*-------------------------------------------------------------------------
 *
 * http.h
 *		An HTTP/1.1 server as an event loop; knows no DynamoDB.
 *
 * One DynHttpServer per process: one listening socket (SO_REUSEPORT), one
 * epoll instance, any number of connections.  Requests are handed over whole
 * (headers and decoded body) and answered later, in any order; the server
 * sends the answers of one connection in the order of its requests
 * (pipelining).  Nothing here waits or raises, except for out of memory at
 * start-up; sockets are non-blocking throughout.
 *
 * Memory: each connection and each request has a context of its own, children
 * of the server's, none of them under a transaction.
 *
 * src/http/http.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_HTTP_H
#define DYN_HTTP_H

#include "lib/stringinfo.h"
#include "lib/ilist.h"

typedef struct DynHttpServer DynHttpServer;
typedef struct DynHttpConnection DynHttpConnection;

typedef struct DynHttpHeader
{
	const char *name;			/* as sent; compare without case */
	uint32		name_len;
	const char *value;			/* outer blanks trimmed */
	uint32		value_len;
} DynHttpHeader;

typedef struct DynHttpRequest
{
	MemoryContext memory;		/* everything of this request; reset with it */
	DynHttpConnection *connection;
	dlist_node	node;			/* free for the server/ layer's queues */
	void	   *work;			/* free for the server/ layer */

	const char *method;			/* NUL-terminated */
	const char *path;			/* without the query string */
	const char *query;			/* after '?', "" if none */
	int			nheaders;
	DynHttpHeader *headers;
	const char *body;			/* decoded: after chunked and gzip/deflate */
	uint32		body_len;
	bool		peer_is_loopback;

	/*
	 * Non-zero when the message was refused before it was complete: the status
	 * to answer (413, 400, ...); body is then empty and the connection closes
	 * after the answer.
	 */
	int			refused;
} DynHttpRequest;

/* A header's value by name (any case), or NULL. */
extern const DynHttpHeader *dyn_http_header(const DynHttpRequest *request,
											const char *name);

/* Called for each complete request, in order of arrival. */
typedef void (*DynHttpRequestCallback) (DynHttpRequest *request, void *arg);

typedef struct DynHttpOptions
{
	const char *listen_addresses;
	int			port;
	int			max_connections;
	int			idle_timeout;	/* seconds */
	int			request_timeout;	/* seconds */
	uint32		max_body;		/* bytes after decoding */
	DynHttpRequestCallback on_request;
	void	   *arg;
} DynHttpOptions;

/*
 * Bind and listen.  Returns NULL and logs at LOG level if no address could be
 * bound.  memory outlives the server.
 */
extern DynHttpServer *dyn_http_create(MemoryContext memory,
									  const DynHttpOptions *options);

/* Settings that may change while running. */
extern void dyn_http_set_timeouts(DynHttpServer *server, int idle_timeout,
								  int request_timeout);

/*
 * The descriptor to put into a WaitEventSet: readable when dyn_http_poll()
 * has something to do.
 */
extern int	dyn_http_fd(const DynHttpServer *server);

/*
 * Handle whatever is ready now, without waiting: accept, read, parse (calling
 * on_request), write, and close what has been idle for too long.  Reads at
 * most a bounded amount per connection and call, so that no client starves
 * the others.
 */
extern void dyn_http_poll(DynHttpServer *server);

/*
 * Answer a request and free it.  headers: further header lines, each with
 * CRLF, or NULL.  The server adds Date, Server, Content-Length, x-amz-crc32
 * (of the body bytes as sent) and, if the client allows and the body is over
 * 4096 bytes, compresses it.  The body is copied or taken before the call
 * returns.  A reply for a connection that has gone is dropped silently.
 */
extern void dyn_http_reply(DynHttpRequest *request, int status,
						   const char *content_type, const char *headers,
						   const char *body, size_t body_len);

/* Flush what was queued by dyn_http_reply() to the sockets, once a round. */
extern void dyn_http_flush(DynHttpServer *server);

typedef struct DynHttpStatistics
{
	int			connections;
	uint64		accepted;
	uint64		refused;		/* over max_connections, malformed */
	uint64		bytes_in;
	uint64		bytes_out;
} DynHttpStatistics;

extern void dyn_http_statistics(const DynHttpServer *server,
								DynHttpStatistics *statistics);

/* Stop accepting, announce close on the next answers; then destroy. */
extern void dyn_http_stop_accepting(DynHttpServer *server);
extern void dyn_http_destroy(DynHttpServer *server);

#endif							/* DYN_HTTP_H */
