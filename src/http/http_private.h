/*-------------------------------------------------------------------------
 *
 * http_private.h
 *		What the files of src/http share; nobody else includes it.
 *
 * A connection's life, with what moves it:
 *
 *	accept -> IDLE -> HANDSHAKE -> IDLE		where TLS is enabled
 *	accept -> IDLE -> READING -> (request handed over) -> ANSWERING -> IDLE
 *	   ANSWERING -> WRITING		the client reads slower than we answer
 *	   any -> SLOWED -> IDLE	too many failures: not read from for a second
 *	   any -> LINGERING			we have said "close": what still arrives is
 *								thrown away, so that a reset does not take
 *								our last answer from the client
 *	   any -> closed			end of stream, an error, or the state's timeout
 *
 * Each state has a list ordered by when its connections entered it, so the
 * only connections ever looked at for a timeout are those at the heads.
 *
 * src/http/http_private.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_HTTP_PRIVATE_H
#define DYN_HTTP_PRIVATE_H

#include <netinet/in.h>
#include <sys/uio.h>

#include "portability/instr_time.h"

#include "http/client_address.h"
#include "http/compression.h"
#include "http/http.h"
#include "http/http_parser.h"

typedef struct ssl_st DynTls;	/* OpenSSL's SSL */
struct DynTlsContext;			/* http/tls.h */

/* Requests of one connection that are read and not yet answered. */
#define DYN_HTTP_MAX_PIPELINED	16
/* With this much to be sent a connection's next request is not read. */
#define DYN_HTTP_MAX_UNSENT		(256 * 1024)
/* Read from one connection per round, so that nobody starves the others. */
#define DYN_HTTP_READ_SIZE		(64 * 1024)
/* The same of the rest of a large body, and of what is sent. */
#define DYN_HTTP_TURN_SIZE		(256 * 1024)
/* All request bodies of a worker, arriving or waiting for an answer, together. */
#define DYN_HTTP_MAX_BODIES		(512 * 1024 * 1024)

/*
 * Beyond the limits of connections this many more are let in, to be told 503
 * once their request is read: an SDK retries that soon and elsewhere, and a
 * silent backlog only after its timeout.
 */
#define DYN_HTTP_OVER_LIMIT		64

typedef enum DynHttpState
{
	DYN_HTTP_IDLE,				/* between requests: idle_timeout */
	DYN_HTTP_HANDSHAKE,			/* of TLS: request_timeout for the whole */
	DYN_HTTP_READING,			/* within one: request_timeout for the whole */
	DYN_HTTP_ANSWERING,			/* the server's turn: no timeout */
	DYN_HTTP_WRITING,			/* request_timeout for each 256 KB */
	DYN_HTTP_SLOWED,			/* SLOW_TIME, and then it goes on */
	DYN_HTTP_LINGERING			/* LINGER_TIMEOUT */
} DynHttpState;

#define DYN_HTTP_STATES (DYN_HTTP_LINGERING + 1)

typedef enum DynHttpExpect
{
	DYN_HTTP_EXPECT_HEAD,
	DYN_HTTP_EXPECT_BODY,		/* content_length bytes */
	DYN_HTTP_EXPECT_CHUNKS,
	DYN_HTTP_EXPECT_NOTHING		/* we shall close: what comes is ignored */
} DynHttpExpect;

/* A request and what the answer to it depends on. */
typedef struct DynHttpMessage
{
	DynHttpRequest request;		/* first: the same pointer */
	dlist_node	pipeline;
	bool		answered;		/* reply holds it until its turn */
	bool		head_only;		/* HEAD: an answer without its body */
	bool		http10;
	bool		close;			/* close the connection behind the answer */
	char	   *reply;			/* in request.memory */
	size_t		reply_len;
	bool		was_compressed; /* by dyn_http_compress(), if there is a gain */
	char	   *compressed;		/* the reply's body */
	size_t		compressed_len;
	DynCoding	coding;			/* of it; IDENTITY: it is not */

	/* While the body arrives, in request.memory. */
	char	   *body;
	uint32		body_len;
	uint32		body_size;
	uint32		content_length;
	DynChunkDecoder chunks;
} DynHttpMessage;

struct DynHttpConnection
{
	DynHttpServer *server;
	int			fd;				/* -1: closed, waits for its answers */
	uint32		events;			/* what epoll watches for */
	DynHttpState state;
	int64		since;			/* ms; when it entered the state */
	uint32		window;			/* the last in which a request began */
	dlist_node	node;			/* in server->connections[state] */
	dlist_node	dirty_node;		/* in server->dirty */
	dlist_node	resume_node;	/* in server->resumed */
	DynHttpExpect expect;
	uint16		pipelined;		/* length of pipeline */
	bool		dirty;			/* has output or a change to act on */
	bool		paused;			/* input holds what may be a whole request */
	bool		resumed;		/* no longer paused, input to be looked at */
	bool		peer_is_loopback;
	bool		undecided;		/* TLS or not: its first byte will tell */
	bool		over_limit;		/* one too many: its request gets a 503 */
	bool		slowed;			/* not read from for now */
	bool		input_ended;	/* the client sends no more */
	bool		broken;			/* no more can be sent */
	bool		send_continue;	/* 100 Continue is due before any answer */
	bool		close;			/* close when all output is sent */

	DynTls	   *tls;			/* NULL: in the clear */
	bool		would_block;	/* the socket had nothing, or took nothing */
	bool		socket_ended;	/* no more bytes of TLS come */
	bool		read_wants_write;	/* TLS has to write before it reads on */

	dlist_head	pipeline;		/* of DynHttpMessage, oldest first */
	DynHttpMessage *incoming;	/* whose body is arriving, or NULL */

	/* Bytes of an incomplete head, or of what waits while paused; or NULL. */
	char	   *input;
	uint32		input_len;

	size_t		kept;			/* bytes of answers that wait for earlier ones */

	/* Unsent output; or NULL.  A large answer stays in its request's memory. */
	char	   *output;
	MemoryContext output_owner; /* that memory, or NULL: output is palloc'd */
	size_t		output_start;
	size_t		output_end;
	size_t		output_size;
	size_t		progress;		/* bytes sent in this WRITING period */

	DynAddressKey address;		/* what it is counted for; 0: not counted */
	char		peer_address[INET6_ADDRSTRLEN];
};

struct DynHttpServer
{
	MemoryContext memory;
	DynHttpOptions options;
	int			epoll;
	int			timer;			/* a timerfd inside epoll */
	int64		timer_at;		/* ms; when it fires, PG_INT64_MAX: never */
	int			lap;			/* an eventfd inside epoll: see begin_lap() */
	int64		lap_since;		/* us; 0: nobody waits */
	int64		lap_us;			/* how long the last one took */
	int64		waited_us;		/* what is read in this poll, at most */
	int64		now;			/* ms, monotonic, of this round */
	bool		serving;		/* takes part; not without a certificate */
	bool		listening;		/* the listening sockets are in epoll */
	bool		stopping;
	bool		busy;			/* takes one request at a time of each */
	int64		listen_again_at;	/* ms; out of descriptors until then */
	int			max_connections;	/* as far as descriptors allow */
	uint64		body_bytes; /* room for bodies */
	int			over_limit;		/* connections that are */
	struct DynTlsContext *tls;	/* NULL: none could be loaded, or TLS is off */
	int64		tickets_due;	/* ms; when their key is to be changed */
	int			handshakes_left;	/* steps of handshakes in this poll */
	dlist_head	connections[DYN_HTTP_STATES];
	dlist_head	dirty;
	dlist_head	resumed;
	uint32		window;			/* of http_balance.c, counted from 1 */
	int64		window_since;	/* ms */
	int			active;			/* connections that began a request in it */
	int64		slept_us;		/* in it */
	instr_time	asleep_since;
	int			short_sleeps;	/* in a row, with nothing to be answered */
	DynHttpStatistics statistics;
	time_t		date_second;	/* what date says */
	char		date[32];
	char		scratch[DYN_HTTP_MAX_HEAD + DYN_HTTP_READ_SIZE];
};

/* http_listener.c: sockets inherited from the postmaster, even spread */
extern bool dyn_http_listener_join(int worker, int connections);
extern void dyn_http_listener_leave(void);
extern int	dyn_http_listener_count(void);
extern int	dyn_http_listener_fd(int i);	/* the last one is the inbox */
extern bool dyn_http_listener_listen(void);

typedef enum DynHttpAccept
{
	DYN_HTTP_ACCEPTED,			/* *fd is ours */
	DYN_HTTP_MOVED,				/* the same, and another worker has served it */
	DYN_HTTP_GIVEN_AWAY,		/* to a worker with fewer */
	DYN_HTTP_NONE,				/* nobody waits */
	DYN_HTTP_NO_DESCRIPTORS
} DynHttpAccept;

extern DynHttpAccept dyn_http_listener_accept(int i, int *fd);
extern void dyn_http_listener_closed(void);

/*
 * What http_balance.c and http_sleep.c have to know of the workers.  asleep: with
 * nothing to answer.  A load is in parts of 1,000 of the time awake.  awake(): how
 * many are.  least_loaded(): another worker that has room for more connections, or
 * -1; who last reported before a time sleeps all the time, or does one thing all
 * the time.  fewest(): the same by the number of connections.
 */
extern void dyn_http_listener_sleep(bool asleep);
extern int	dyn_http_listener_awake(void);
extern void dyn_http_listener_report(int load, int64 now);
extern int	dyn_http_listener_least_loaded(int64 since, int max_connections,
										   int *load);
extern int	dyn_http_listener_fewest(int max_connections);

/* Give a worker a connection of this one.  False: its inbox is full. */
extern bool dyn_http_listener_move(int worker, int fd);

/* http_balance.c: once in a poll, before the sockets are looked at */
extern void dyn_http_balance(DynHttpServer *server);

/* http_server.c */
extern int64 dyn_http_now(void);
/* Us: when did what is read just now come, at the earliest? */
extern int64 dyn_http_arrival(const DynHttpServer *server);
extern int64 dyn_http_state_timeout(const DynHttpServer *server,
									DynHttpState state);
extern void dyn_http_server_wake(DynHttpServer *server, int64 at);
extern void dyn_http_server_closed(DynHttpServer *server);

/*
 * transport.c: bytes from and to a client, in the clear or through TLS
 *
 * Reading and writing are as read(2) and writev(2), with EAGAIN for "not now";
 * they never block, raise no error and no SIGPIPE.  dyn_transport_has_more():
 * bytes are here that epoll knows nothing of.
 */
extern ssize_t dyn_transport_read(DynHttpConnection *connection, char *buffer,
								  size_t len);
extern ssize_t dyn_transport_writev(DynHttpConnection *connection,
									const struct iovec *parts, int nparts);
extern bool dyn_transport_has_more(const DynHttpConnection *connection);

/* Throw away what arrives.  False at the end of the stream, or on an error. */
extern bool dyn_transport_discard(DynHttpConnection *connection);

/* Say that we send no more; free what TLS needs. */
extern void dyn_transport_end(DynHttpConnection *connection);
extern void dyn_transport_free(DynHttpConnection *connection);

/* Begin TLS.  False if there is no memory for it. */
extern bool dyn_transport_begin_tls(DynHttpConnection *connection,
									struct DynTlsContext *tls);

typedef enum DynHandshake
{
	DYN_HANDSHAKE_DONE,
	DYN_HANDSHAKE_READ,			/* goes on when the socket can be read */
	DYN_HANDSHAKE_WRITE,		/* ... or written */
	DYN_HANDSHAKE_FAILED		/* counted; the client may have been told why */
} DynHandshake;

extern DynHandshake dyn_transport_handshake(DynHttpConnection *connection);

/* http_connection.c */
extern void dyn_http_connection_open(DynHttpServer *server, int fd,
									 bool over_limit, bool moved);
extern bool dyn_http_connection_move(DynHttpConnection *connection, int worker);
extern void dyn_http_connection_quicken(DynHttpConnection *connection);
extern void dyn_http_connection_ready(DynHttpConnection *connection,
									  uint32 events);
extern void dyn_http_connection_resume(DynHttpConnection *connection);
extern void dyn_http_connection_flush(DynHttpConnection *connection);
extern void dyn_http_connection_close(DynHttpConnection *connection);
extern bool dyn_http_connection_append(DynHttpConnection *connection,
									   const struct iovec *parts, int nparts,
									   MemoryContext *owner);
extern void dyn_http_connection_mark_dirty(DynHttpConnection *connection);
extern void dyn_http_connection_answered(DynHttpConnection *connection);

/* http_reply.c */
extern void dyn_http_message_free(DynHttpMessage *message);

#endif							/* DYN_HTTP_PRIVATE_H */
