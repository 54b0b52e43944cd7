/*-------------------------------------------------------------------------
 *
 * http.h
 *		An HTTP/1.1 server as an event loop; knows no DynamoDB.
 *
 * The postmaster binds the endpoint's sockets once; every HTTP worker inherits
 * them and runs one DynHttpServer: an epoll instance and any number of
 * connections.  A worker that accepts a connection gives it to the worker that
 * has the fewest, so a few connections are spread as evenly as many.
 *
 * Requests are handed over whole (headers and decoded body) and answered later,
 * in any order; the server sends the answers of one connection in the order of
 * its requests (pipelining).  Nothing here waits, and nothing a client sends
 * raises an error; only running out of memory does.
 *
 * Memory: each request has a context of its own, a child of the server's and
 * not under a transaction.  A connection between two requests holds only its
 * struct.
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
	int64		arrived;		/* us of the monotonic clock, at the earliest */

	const char *method;			/* NUL-terminated */
	const char *path;			/* without the query string */
	const char *query;			/* after '?', "" if none */
	int			nheaders;
	DynHttpHeader *headers;
	const char *raw_body;		/* after chunked only: what the client signed */
	uint32		raw_body_len;
	const char *body;			/* by dyn_http_decode(): after gzip/deflate, too */
	uint32		body_len;
	bool		peer_is_loopback;
	bool		secure;			/* came over TLS */
	const char *peer_address;	/* "127.0.0.1", "::1"; IPv4 in IPv6 as IPv4; ""
								 * if it is not known */

	/*
	 * Non-zero when the message was refused: the status to answer.  400
	 * malformed, 413 too large, 417 unknown expectation, 501 unknown transfer
	 * coding, 503 too many connections or too little memory, 505 not HTTP/1.
	 * raw_body is then empty, method and path may be, and the
	 * connection closes after the answer.
	 */
	int			refused;
} DynHttpRequest;

/* A header's value by name (any case), or NULL. */
extern const DynHttpHeader *dyn_http_header(const DynHttpRequest *request,
											const char *name);

/* Is the body compressed, so that it may become a thousand times larger? */
extern bool dyn_http_is_compressed(const DynHttpRequest *request);

/*
 * Fill in the body, once.  pause: called every few microseconds, or NULL.  Returns 0, or the status to answer: 400 for an
 * unknown coding, 413 if it is larger than max_body, 500 for a broken stream.
 */
extern int	dyn_http_decode(DynHttpRequest *request, void (*pause) (void));

/* Does the client take compressed answers? */
extern bool dyn_http_takes_compressed(const DynHttpRequest *request);

/*
 * Compress the body of the answer to come, if the client allows and it is over
 * 4096 bytes: dyn_http_reply(), called with the same body, sends that instead.
 * It would do so itself, but for a large one it takes long.  pause: called every few
 * microseconds.
 */
extern void dyn_http_compress(DynHttpRequest *request, const char *body,
							  size_t body_len, void (*pause) (void));

/* Called for each complete request, in order of arrival. */
typedef void (*DynHttpRequestCallback) (DynHttpRequest *request, void *arg);

/*
 * In the postmaster, while it loads the library: bind port on each of
 * listen_addresses ("*" is all, a list is separated by commas) for up to
 * nworkers workers, and ask for the shared memory they need.  An address that cannot be bound is logged and left out;
 * returns false, logged, if none is left.
 */
extern bool dyn_http_bind(const char *listen_addresses, int port,
						  int nworkers);

typedef struct DynTlsOptions
{
	bool		enabled;
	bool		required;		/* no request in the clear */
	const char *cert_file;
	const char *key_file;
	const char *ca_file;		/* of clients' certificates; "": none asked for */
	bool		client_certificate_required;
	bool		only_1_3;		/* not TLS 1.2 */
} DynTlsOptions;

typedef struct DynHttpOptions
{
	int			worker;			/* 0 .. nworkers - 1; one process each */
	int			max_connections;
	int			max_connections_per_address;	/* over all workers; 0: no limit */
	int			max_failures;	/* per address and minute; 0: no limit */
	int			idle_timeout;	/* seconds */
	int			request_timeout;	/* seconds */
	DynTlsOptions tls;
	uint32		max_body;		/* bytes after decoding */
	DynHttpRequestCallback on_request;
	void	   *arg;
} DynHttpOptions;

/*
 * Start serving in a worker.  Returns NULL if dyn_http_bind() has bound nothing
 * or was not called.  memory outlives the server, which leaves by itself when
 * the process exits.
 */
extern DynHttpServer *dyn_http_create(MemoryContext memory,
									  const DynHttpOptions *options);

/*
 * The settings may have changed: all but max_connections and max_body are taken
 * over, and the files
 * of TLS are read again.  If these don't do, that is logged and what was loaded
 * last stays in force.  A server that has none at all does not serve while TLS
 * is enabled; connections that are open go on.
 */
extern void dyn_http_reload(DynHttpServer *server,
							const DynHttpOptions *options);

/*
 * The descriptor to put into a WaitEventSet: readable when dyn_http_poll()
 * has something to do.
 */
extern int	dyn_http_fd(const DynHttpServer *server);

/*
 * To be called around every sleep: connections are moved from a worker that is
 * always awake to one that sleeps (http_balance.c).  Before it begins the sockets
 * may be watched for a moment (http_sleep.c); false: don't sleep, there is
 * something to do.
 */
extern bool dyn_http_sleep_begins(DynHttpServer *server);
extern void dyn_http_sleep_ends(DynHttpServer *server);

/*
 * Before something that takes milliseconds and can't be cut: give connections that
 * have asked lately, and ask for nothing just now, to other workers.
 */
extern void dyn_http_make_way(DynHttpServer *server);

/*
 * Handle what is ready now, without waiting: accept, read, parse (calling
 * on_request), write, and close what has been idle for too long.  Reads at
 * most a bounded amount per connection and call, so that no client starves
 * the others; and of a few connections, unless all is wanted: what waits then
 * is best answered before more is read.
 */
extern void dyn_http_poll(DynHttpServer *server, bool all);

/*
 * Answer a request and free it.  headers: further header lines, each with
 * CRLF, or NULL.  The server adds Date, Server, Content-Length, x-amz-crc32
 * (of the body bytes as sent) and, if the client allows and the body is over
 * 4096 bytes, compresses it.  The body is in the request's memory, or stays for
 * ever.  A reply for a connection that has gone is dropped silently.
 */
extern void dyn_http_reply(DynHttpRequest *request, int status,
						   const char *content_type, const char *headers,
						   const char *body, size_t body_len);

/*
 * Has the client closed the connection?  Or it has said that it sends no more,
 * which some do that still want their answers.
 */
extern bool dyn_http_has_left(const DynHttpRequest *request);

/*
 * While there is much to do, take one request at a time from a connection: the
 * rest of a pipeline waits in the client's socket.
 */
extern void dyn_http_set_busy(DynHttpServer *server, bool busy);

/*
 * Before the answer to a request that could not prove whose it is: count that
 * against the client's address.  If there have been too many of these, the
 * connection is not read from for a second; and for a minute after the last of
 * them, new connections from the address begin with such a second.  Others from
 * there that are open notice nothing.
 */
extern void dyn_http_failed(DynHttpRequest *request);

/*
 * Send what dyn_http_reply() has queued, once a round.  (A large answer may
 * have been sent at once, and dyn_http_poll() ends with a flush.)
 */
extern void dyn_http_flush(DynHttpServer *server);

typedef enum DynTlsFailure
{
	DYN_TLS_FAILED_PROTOCOL,	/* nothing in common, or no TLS at all */
	DYN_TLS_FAILED_CERTIFICATE, /* the client's is missing or not good */
	DYN_TLS_FAILED_CLOSED,		/* the client left, as one does that does not
								 * trust our certificate */
	DYN_TLS_FAILED_TIMEOUT,
	DYN_TLS_FAILED_PLAIN		/* a request in the clear where TLS is required */
} DynTlsFailure;

#define DYN_TLS_FAILURES (DYN_TLS_FAILED_PLAIN + 1)

typedef struct DynHttpStatistics
{
	int			connections;
	uint64		accepted;
	uint64		moved;			/* given to a worker with more time */
	uint64		refused;		/* over max_connections, malformed */
	uint64		bytes_in;		/* on the wire: TLS's own included */
	uint64		bytes_out;
	uint64		handshakes;		/* of TLS, completed */
	uint64		resumed;		/* of these, of a session there was before */
	uint64		handshakes_failed[DYN_TLS_FAILURES];
	int64		certificate_expires;	/* seconds since 1970; 0: none loaded */
	uint64		refused_address;	/* connections: their address has too many */
	uint64		timeouts_idle;
	uint64		timeouts_request;	/* the client sent too slowly */
	uint64		timeouts_answer;	/* or read too slowly */
	uint64		failures;		/* told by dyn_http_failed() */
	uint64		slowed;			/* connections not read from for a while */
} DynHttpStatistics;

extern void dyn_http_statistics(const DynHttpServer *server,
								DynHttpStatistics *statistics);

/* What dynamo.stat_addresses shows; in any process. */
typedef struct DynHttpAddress
{
	char		address[64];	/* "192.0.2.1", "2001:db8::/64" */
	int			connections;
	bool		slow;			/* has had too many failures lately */
} DynHttpAddress;

extern DynHttpAddress *dyn_http_addresses(int *n);

/*
 * Stop accepting, announce close on the next answers; then destroy.  Where no
 * other worker serves, new clients are refused from then on instead of waiting
 * in the backlog.  After dyn_http_destroy() no request may be answered.
 */
extern void dyn_http_stop_accepting(DynHttpServer *server);
extern void dyn_http_destroy(DynHttpServer *server);

#endif							/* DYN_HTTP_H */
