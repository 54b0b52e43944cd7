/*-------------------------------------------------------------------------
 *
 * fuzz_connection.c
 *		src/http as a whole, with a client that does anything.
 *
 * The input is a program for both sides of a socket pair: send some bytes,
 * read some, answer the oldest or the newest request, poll, close.  At the
 * end every request has been answered or dropped, and no memory is left.
 *
 * test/fuzz/fuzz_connection.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "storage/fd.h"
#include "storage/ipc.h"
#include "utils/memutils.h"

#include "http/http_private.h"
#include "http/tls.h"
#include "pg_shim.h"

int			max_safe_fds = 100;

static dlist_head requests;
static int	ncounted;

/* The listener is not under test. */
bool
dyn_http_listener_join(int worker, int connections)
{
	return true;
}

void
dyn_http_listener_leave(void)
{
}

int
dyn_http_listener_count(void)
{
	return 0;
}

int
dyn_http_listener_fd(int i)
{
	return -1;
}

bool
dyn_http_listener_listen(void)
{
	return true;
}

DynHttpAccept
dyn_http_listener_accept(int i, int *fd)
{
	return DYN_HTTP_NONE;
}

void
dyn_http_listener_closed(void)
{
	ncounted--;
}

void
dyn_http_listener_sleep(bool asleep)
{
}

int
dyn_http_listener_awake(void)
{
	return 1;
}

void
dyn_http_listener_report(int load, int64 now)
{
}

int
dyn_http_listener_least_loaded(int64 since, int max_connections, int *load)
{
	return -1;
}

int
dyn_http_listener_fewest(int max_connections)
{
	return -1;
}

bool
dyn_http_listener_move(int worker, int fd)
{
	return false;
}

/* TLS without a certificate: handshakes fail, but not before they are read. */
DynTlsContext *
dyn_tls_load(const DynTlsOptions *options)
{
	DynTlsContext *tls = palloc0(sizeof(DynTlsContext));

	tls->ssl = SSL_CTX_new(TLS_server_method());
	return tls;
}

void
dyn_tls_free(DynTlsContext *tls)
{
	SSL_CTX_free(tls->ssl);
	pfree(tls);
}

int64
dyn_tls_refresh_tickets(DynTlsContext *tls, int64 now)
{
	return now + DYN_TLS_TICKET_PERIOD;
}

const char *
dyn_tls_error(void)
{
	return "error";
}

/* Nor is who has how many connections, or failures: each one is one too many. */
DynAddressKey
dyn_address_key_v4(const struct in_addr *address)
{
	return 1;
}

DynAddressKey
dyn_address_key_v6(const struct in6_addr *address)
{
	return 1;
}

bool
dyn_address_connected(DynAddressKey *key, int max, int64 now, bool *slow)
{
	*slow = max == 's';
	return max != 'a';
}

void
dyn_address_disconnected(DynAddressKey key, int64 now)
{
}

bool
dyn_address_failed(DynAddressKey key, int per_minute, int64 now)
{
	return true;
}

void
before_shmem_exit(pg_on_exit_callback function, Datum arg)
{
}

void
on_proc_exit(pg_on_exit_callback function, Datum arg)
{
}

static void
on_request(DynHttpRequest *request, void *arg)
{
	FUZZ_REQUIRE(request->raw_body[request->raw_body_len] == '\0');
	FUZZ_REQUIRE(request->refused == 0 || request->raw_body_len == 0);
	if (request->refused == 0)
		request->refused = dyn_http_decode(request, NULL);
	FUZZ_REQUIRE(request->body[request->body_len] == '\0');
	FUZZ_REQUIRE(strlen(request->method) < DYN_HTTP_MAX_REQUEST_LINE);
	dlist_push_tail(&requests, &request->node);
}

static void
answer(bool newest, size_t len)
{
	static char body[512 * 1024];
	dlist_node *node;
	DynHttpRequest *request;

	if (dlist_is_empty(&requests))
		return;
	node = newest ? dlist_tail_node(&requests) : dlist_head_node(&requests);
	dlist_delete(node);
	request = dlist_container(DynHttpRequest, node, node);
	if (len == 254)
		dyn_http_failed(request);
	dyn_http_reply(request, request->refused != 0 ? request->refused : 200,
				   "text/plain", len % 2 ? "X: y\r\n" : NULL,
				   len == 255 ? body : request->body,
				   len == 255 ? sizeof(body) : request->body_len);
}

void
fuzz_one(const uint8 *data, size_t size)
{
	DynHttpOptions options = {
		.max_connections = 10,.idle_timeout = 100,.request_timeout = 100,
		.max_body = 20000,.on_request = on_request
	};
	DynHttpServer *server;
	int			pair[2];
	size_t		i = 0;
	char		buffer[65536];
	DynHttpStatistics statistics;

	/* The first byte: TLS, or TLS only, and how the address stands. */
	options.max_connections_per_address = size > 0 ? data[0] : 0;
	options.tls.enabled = size > 0 && (data[0] == 't' || data[0] == 'T');
	options.tls.required = size > 0 && data[0] == 'T';
	dlist_init(&requests);
	server = dyn_http_create(CurrentMemoryContext, &options);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
				   pair) < 0)
		abort();
	ncounted = 1;
	server->statistics.connections = 1;
	dyn_http_connection_open(server, pair[0], size > 0 && data[0] == 'o', false);

	while (i + 1 < size)
	{
		size_t		n = data[i + 1];

		switch (data[i] % 8)
		{
			case 0:
			case 1:
				n = Min(n, size - i - 2);
				if (pair[1] >= 0)
					(void) !send(pair[1], data + i + 2, n, MSG_NOSIGNAL);
				i += n;
				dyn_http_poll(server, data[0] % 2 == 0);
				break;
			case 2:
				if (pair[1] >= 0)
					(void) !recv(pair[1], buffer, n * 256, 0);
				dyn_http_poll(server, data[0] % 2 == 0);
				break;
			case 3:
				answer(false, n);
				break;
			case 4:
				answer(true, n);
				break;
			case 5:
				dyn_http_flush(server);
				break;
			case 6:
				if (pair[1] >= 0)
					shutdown(pair[1], SHUT_WR);
				dyn_http_poll(server, data[0] % 2 == 0);
				break;
			case 7:
				if (n < 8)
					dyn_http_stop_accepting(server);
				else if (n > 240 && pair[1] >= 0)
				{
					close(pair[1]);
					pair[1] = -1;
				}
				else
					server->options.idle_timeout = server->options.request_timeout = n > 200 ? 0 : 100;
				dyn_http_poll(server, data[0] % 2 == 0);
				break;
		}
		i += 2;
	}

	/* The client goes; what it asked for is answered for nobody. */
	if (pair[1] >= 0)
		close(pair[1]);
	server->options.idle_timeout = server->options.request_timeout = 0;
	for (i = 0; i < 3; i++)
	{
		dyn_http_poll(server, true);
		while (!dlist_is_empty(&requests))
			answer(false, 0);
		dyn_http_flush(server);
	}
	dyn_http_statistics(server, &statistics);
	FUZZ_REQUIRE(statistics.connections == 0 && ncounted == 0);
	FUZZ_REQUIRE(server->body_bytes == 0);
	FUZZ_REQUIRE(server->memory->firstchild == NULL);
	dyn_http_destroy(server);
}
