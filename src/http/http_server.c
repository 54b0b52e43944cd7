/*-------------------------------------------------------------------------
 *
 * http_server.c
 *		The event loop of one worker: ready sockets, new ones, timeouts.
 *
 * src/http/http_server.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "storage/fd.h"
#include "storage/ipc.h"
#include "utils/memutils.h"

#include "http/http_private.h"
#include "http/tls.h"

#define MAX_EVENTS			256

/*
 * So many in one turn.  What is read stays in the processor's caches then until
 * it is answered: with 4,000 busy connections a GetItem takes a quarter less
 * than if all that is ready is read first.
 */
#define TURN_EVENTS			32

/* What epoll says of server->lap; no pointer is that. */
#define LAP_MARK			PG_UINT64_MAX

#define MAX_ACCEPTS			64	/* per socket and round */
#define MAX_HANDSHAKES		4	/* steps of them a round; one may take 1 ms */
#define LISTEN_PAUSE		100 /* ms without accepting after EMFILE */
#define LINGER_TIMEOUT		5000	/* ms */
#define SLOW_TIME			1000	/* ms */

/* Descriptors left for everything that is no connection of ours. */
#define SPARE_DESCRIPTORS	64

/* Microseconds of the monotonic clock, which is the same in all processes. */
static int64
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* The same in milliseconds. */
int64
dyn_http_now(void)
{
	return now_us() / 1000;
}

/*
 * PostgreSQL keeps max_safe_fds descriptors for its files, and panics if it
 * cannot open a WAL segment.  What lies above may be sockets.
 */
static int
connections_allowed(int wanted)
{
	struct rlimit limit;
	int64		allowed;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return wanted;
	if (limit.rlim_cur < limit.rlim_max)
	{
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur == RLIM_INFINITY)
		return wanted;
	/* Where the limit is low, share: PostgreSQL closes files it can reopen. */
	allowed = Max((int64) limit.rlim_cur - max_safe_fds,
				  (int64) limit.rlim_cur / 2);
	allowed -= SPARE_DESCRIPTORS + DYN_HTTP_OVER_LIMIT;
	if (allowed >= wanted)
		return wanted;
	ereport(LOG,
			(errmsg("HTTP worker can keep only %d of dynamo.max_connections = %d connections",
					(int) Max(allowed, 1), wanted),
			 errhint("Raise the limit of open files (ulimit -n) of the server.")));
	return Max(allowed, 1);
}

/* Watch the listening sockets and the inbox, or stop to. */
static void
set_listening(DynHttpServer *server, bool listening)
{
	if (server->listening == listening)
		return;
	server->listening = listening;
	for (int i = 0; i < dyn_http_listener_count(); i++)
	{
		/* The lowest addresses are no connections. */
		struct epoll_event event = {
			.events = EPOLLIN,.data.u64 = i + 1
		};

		if (epoll_ctl(server->epoll,
					  listening ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
					  dyn_http_listener_fd(i), &event) < 0)
			ereport(LOG, (errmsg("could not watch listening socket: %m")));
	}
}

/* Do not accept for a moment; the backlog waits. */
static void
pause_listening(DynHttpServer *server)
{
	set_listening(server, false);
	server->listen_again_at = server->now + LISTEN_PAUSE;
	dyn_http_server_wake(server, server->listen_again_at);
}

/* Come in: accept connections, or soon. */
static void
open_doors(DynHttpServer *server)
{
	if (dyn_http_listener_listen())
		set_listening(server, true);
	else
		pause_listening(server);
}

/* Load what TLS needs; if that is no good, what there is stays in force. */
static void
load_tls(DynHttpServer *server)
{
	const DynTlsOptions *options = &server->options.tls;
	DynTlsContext *tls = options->enabled ? dyn_tls_load(options) : NULL;

	if (tls == NULL && options->enabled)
	{
		if (server->tls != NULL)
			ereport(LOG,
					(errmsg("the DynamoDB endpoint goes on with the certificate it has")));
		return;
	}
	if (server->tls != NULL)
		dyn_tls_free(server->tls);
	server->tls = tls;
	server->tickets_due = 0;
	server->statistics.certificate_expires = tls != NULL ? tls->expires : 0;
}

/* Serve, or don't: plain text is no substitute for TLS that can't be had. */
static void
set_serving(DynHttpServer *server)
{
	bool		serving = server->tls != NULL || !server->options.tls.enabled;

	if (!serving)
		ereport(LOG,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("HTTP worker %d accepts no connections: dynamo.ssl is on and there is no certificate to use",
						server->options.worker + 1),
				 errhint("Repair what is told above and reload the configuration.")));
	if (serving == server->serving)
		return;
	server->serving = serving;
	if (serving)
	{
		(void) dyn_http_listener_join(server->options.worker,
									  server->statistics.connections);
		open_doors(server);
	}
	else
	{
		set_listening(server, false);
		dyn_http_listener_leave();
	}
}

static void
leave_at_exit(int code, Datum arg)
{
	dyn_http_listener_leave();
}

/* The server of a process that may end before it destroys it. */
static DynHttpServer *serving = NULL;

/* Then its connections are no longer counted for their addresses. */
static void
disconnect_at_exit(int code, Datum arg)
{
	DynHttpServer *server = serving;
	dlist_iter	iter;

	if (server == NULL)
		return;
	for (int state = 0; state < DYN_HTTP_STATES; state++)
		dlist_foreach(iter, &server->connections[state])
			dyn_address_disconnected(dlist_container(DynHttpConnection, node,
													 iter.cur)->address,
									 server->now);
}

DynHttpServer *
dyn_http_create(MemoryContext memory, const DynHttpOptions *options)
{
	static bool exit_registered = false;
	MemoryContext own;
	DynHttpServer *server;
	struct epoll_event event = {.events = EPOLLIN,.data.u64 = 0};
	struct epoll_event lap_event = {.events = 0,.data.u64 = LAP_MARK};

	if (!dyn_http_listener_join(options->worker, 0))
		return NULL;
	if (!exit_registered)
	{
		on_proc_exit(leave_at_exit, (Datum) 0);
		before_shmem_exit(disconnect_at_exit, (Datum) 0);
		exit_registered = true;
	}
	own = AllocSetContextCreate(memory, "dynamo HTTP server",
								ALLOCSET_DEFAULT_SIZES);
	server = MemoryContextAllocZero(own, sizeof(DynHttpServer));
	server->memory = own;
	server->options = *options;
	server->max_connections = connections_allowed(options->max_connections);
	server->now = dyn_http_now();
	server->window = 1;
	server->window_since = server->now;
	server->timer_at = PG_INT64_MAX;
	for (int i = 0; i < DYN_HTTP_STATES; i++)
		dlist_init(&server->connections[i]);
	dlist_init(&server->dirty);
	dlist_init(&server->resumed);
	serving = server;

	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	server->lap = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	if (server->epoll < 0 || server->timer < 0 || server->lap < 0 ||
		epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->timer, &event) < 0 ||
		epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->lap, &lap_event) < 0)
		ereport(ERROR, (errmsg("could not create event loop: %m")));

	server->serving = true;
	load_tls(server);
	set_serving(server);
	if (server->serving)
		open_doors(server);
	return server;
}

void
dyn_http_reload(DynHttpServer *server, const DynHttpOptions *options)
{
	server->options.idle_timeout = options->idle_timeout;
	server->options.request_timeout = options->request_timeout;
	server->options.max_connections_per_address =
		options->max_connections_per_address;
	server->options.max_failures = options->max_failures;
	server->options.tls = options->tls;
	load_tls(server);
	set_serving(server);
	dyn_http_server_wake(server, server->now);
}

void
dyn_http_set_busy(DynHttpServer *server, bool busy)
{
	/* Who is paused for it goes on with its next answer. */
	server->busy = busy;
}

int
dyn_http_fd(const DynHttpServer *server)
{
	return server->epoll;
}

void
dyn_http_statistics(const DynHttpServer *server, DynHttpStatistics *statistics)
{
	*statistics = server->statistics;
}

/*
 * Make the loop run at a time (or now, if that is past).  Sets the timer only
 * if it would ring later: it may ring for nothing, but is rarely set.
 */
void
dyn_http_server_wake(DynHttpServer *server, int64 at)
{
	struct itimerspec when = {{0}};

	if (at >= server->timer_at)
		return;
	server->timer_at = at;
	at = Max(at, 1);
	when.it_value.tv_sec = at / 1000;
	when.it_value.tv_nsec = at % 1000 * 1000000;
	timerfd_settime(server->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* How long a connection may stay in a state, in ms; PG_INT64_MAX: for ever. */
int64
dyn_http_state_timeout(const DynHttpServer *server, DynHttpState state)
{
	switch (state)
	{
		case DYN_HTTP_IDLE:
			return (int64) server->options.idle_timeout * 1000;
		case DYN_HTTP_HANDSHAKE:
		case DYN_HTTP_READING:
		case DYN_HTTP_WRITING:
			return (int64) server->options.request_timeout * 1000;
		case DYN_HTTP_SLOWED:
			return SLOW_TIME;
		case DYN_HTTP_LINGERING:
			return LINGER_TIMEOUT;
		case DYN_HTTP_ANSWERING:
			break;
	}
	return PG_INT64_MAX;
}

static void
count_timeout(DynHttpStatistics *statistics, DynHttpState state)
{
	switch (state)
	{
		case DYN_HTTP_IDLE:
			statistics->timeouts_idle++;
			break;
		case DYN_HTTP_HANDSHAKE:
			statistics->handshakes_failed[DYN_TLS_FAILED_TIMEOUT]++;
			break;
		case DYN_HTTP_READING:
			statistics->timeouts_request++;
			break;
		case DYN_HTTP_WRITING:
			statistics->timeouts_answer++;
			break;
		default:
			break;
	}
}

/* See to what has been in its state for too long; set the timer for the rest. */
static void
close_expired(DynHttpServer *server)
{
	for (int state = 0; state < DYN_HTTP_STATES; state++)
	{
		int64		timeout = dyn_http_state_timeout(server, state);

		if (timeout == PG_INT64_MAX)
			continue;
		while (!dlist_is_empty(&server->connections[state]))
		{
			DynHttpConnection *oldest =
			dlist_head_element(DynHttpConnection, node,
							   &server->connections[state]);

			if (oldest->since + timeout > server->now)
			{
				dyn_http_server_wake(server, oldest->since + timeout);
				break;
			}
			if (state == DYN_HTTP_SLOWED)
			{
				dyn_http_connection_quicken(oldest);
				continue;
			}
			count_timeout(&server->statistics, state);
			dyn_http_connection_close(oldest);
		}
	}
}

/* Change the key of session tickets when its time is over. */
static void
refresh_tickets(DynHttpServer *server)
{
	if (server->tls == NULL)
		return;
	if (server->now >= server->tickets_due)
		server->tickets_due = dyn_tls_refresh_tickets(server->tls, server->now);
	dyn_http_server_wake(server, server->tickets_due);
}

static void
open_connection(DynHttpServer *server, int fd, bool moved)
{
	server->statistics.connections++;
	dyn_http_connection_open(server, fd,
							 server->statistics.connections >
							 server->max_connections, moved);
}

/* Accept from one socket what waits there, as far as there is room. */
static void
accept_connections(DynHttpServer *server, int listener, uint32 events)
{
	if (events & (EPOLLHUP | EPOLLERR))
	{
		if (!dyn_http_listener_listen())
			pause_listening(server);
		return;
	}
	for (int i = 0; i < MAX_ACCEPTS; i++)
	{
		int			fd;

		if (server->statistics.connections >=
			server->max_connections + DYN_HTTP_OVER_LIMIT)
		{
			pause_listening(server);
			return;
		}
		switch (dyn_http_listener_accept(listener, &fd))
		{
			case DYN_HTTP_ACCEPTED:
				server->statistics.accepted++;
				open_connection(server, fd, false);
				break;
			case DYN_HTTP_MOVED:
				open_connection(server, fd, true);
				break;
			case DYN_HTTP_GIVEN_AWAY:
				break;
			case DYN_HTTP_NO_DESCRIPTORS:
				pause_listening(server);
				return;
			case DYN_HTTP_NONE:
				return;
		}
	}
}

/* A connection's descriptor is closed. */
void
dyn_http_server_closed(DynHttpServer *server)
{
	server->statistics.connections--;
	dyn_http_listener_closed();
}

/*
 * What is ready and has not been read yet waits in the kernel, where nothing
 * says since when.  But epoll takes the ready ones in turns, so no request waits
 * for longer than one turn of all: that is what is measured, by a descriptor
 * that is always ready and stands in line like the others.  It does so while a
 * poll finds as many as it may take.
 */
static void
begin_lap(DynHttpServer *server)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLONESHOT,
		.data.u64 = LAP_MARK
	};

	if (epoll_ctl(server->epoll, EPOLL_CTL_MOD, server->lap, &event) == 0)
		server->lap_since = now_us();
}

static void
end_lap(DynHttpServer *server)
{
	server->lap_us = now_us() - server->lap_since;
	server->lap_since = 0;
}

/* For how long may what is read now have waited? */
static int64
waited_us(const DynHttpServer *server)
{
	if (server->lap_since == 0)
		return 0;
	return Max(server->lap_us, now_us() - server->lap_since);
}

int64
dyn_http_arrival(const DynHttpServer *server)
{
	return now_us() - server->waited_us;
}

void
dyn_http_poll(DynHttpServer *server, bool all)
{
	struct epoll_event events[MAX_EVENTS];
	int			max_events = all ? MAX_EVENTS : TURN_EVENTS;
	dlist_head	resumed;
	int			nevents;

	server->now = dyn_http_now();
	server->waited_us = waited_us(server);
	dyn_http_balance(server);
	server->handshakes_left = MAX_HANDSHAKES;
	refresh_tickets(server);

	/* Those that are paused again by what they do now wait for next time. */
	dlist_init(&resumed);
	while (!dlist_is_empty(&server->resumed))
		dlist_push_tail(&resumed, dlist_pop_head_node(&server->resumed));
	while (!dlist_is_empty(&resumed))
		dyn_http_connection_resume(dlist_container(DynHttpConnection,
												   resume_node,
												   dlist_pop_head_node(&resumed)));

	nevents = epoll_wait(server->epoll, events, max_events, 0);
	for (int i = 0; i < nevents; i++)
	{
		uint64		what = events[i].data.u64;

		if (what == 0)
		{
			uint64		times;

			if (read(server->timer, &times, sizeof(times)) > 0)
				server->timer_at = PG_INT64_MAX;
		}
		else if (what == LAP_MARK)
			end_lap(server);
		else if (what <= dyn_http_listener_count())
		{
			if (server->listening)
				accept_connections(server, what - 1, events[i].events);
		}
		else
			dyn_http_connection_ready((DynHttpConnection *) (uintptr_t) what,
									  events[i].events);
	}
	if (nevents < max_events)
		server->lap_us = 0;
	else if (server->lap_since == 0)
		begin_lap(server);
	dyn_http_flush(server);

	if (!server->listening && server->serving && !server->stopping &&
		server->now >= server->listen_again_at)
		open_doors(server);
	close_expired(server);
	/* The timer may have rung after it was set for these. */
	if (!dlist_is_empty(&server->resumed))
		dyn_http_server_wake(server, server->now);
	if (!server->listening && server->serving && !server->stopping)
		dyn_http_server_wake(server, server->listen_again_at);
}

void
dyn_http_flush(DynHttpServer *server)
{
	server->now = dyn_http_now();
	while (!dlist_is_empty(&server->dirty))
		dyn_http_connection_flush(dlist_container(DynHttpConnection,
												  dirty_node,
												  dlist_pop_head_node(&server->dirty)));
}

void
dyn_http_stop_accepting(DynHttpServer *server)
{
	server->stopping = true;
	set_listening(server, false);
	dyn_http_listener_leave();
}

void
dyn_http_destroy(DynHttpServer *server)
{
	dyn_http_stop_accepting(server);
	for (int state = 0; state < DYN_HTTP_STATES; state++)
		while (!dlist_is_empty(&server->connections[state]))
			dyn_http_connection_close(dlist_head_element(DynHttpConnection, node,
														 &server->connections[state]));
	if (server->tls != NULL)
		dyn_tls_free(server->tls);
	close(server->lap);
	close(server->timer);
	close(server->epoll);
	serving = NULL;
	MemoryContextDelete(server->memory);
}
