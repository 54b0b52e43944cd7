/*-------------------------------------------------------------------------
 *
 * http_listener.c
 *		The endpoint's listening sockets, and connections spread evenly.
 *
 * The postmaster binds the sockets and forks; all HTTP workers accept from the
 * same ones.  So the port is held for as long as the server runs, whatever
 * happens to a worker, and a client never waits for a busy worker while another
 * is idle.  SO_REUSEPORT would give neither, and it would let another server of
 * the same user bind the same port unnoticed and take half of the requests.
 *
 * Whoever happens to accept a connection gives it to the worker that has the
 * fewest: each worker has an inbox, a pair of Unix sockets made by the
 * postmaster, through which descriptors travel.  The numbers of connections lie
 * in memory that all workers share.  Not in PostgreSQL's shared memory: like
 * the inboxes, the numbers have to live through a restart after a crash.
 *
 * src/http/http_listener.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "port/atomics.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

#include "http/http_private.h"
#include "http/http_shared.h"

#define BACKLOG 1024
#define MAX_SOCKETS 64
#define NOT_SERVING PG_UINT32_MAX

/* What comes with a descriptor. */
#define NEW_CONNECTION 'n'
#define MOVED_CONNECTION 'm'

/*
 * How long the postmaster waits for a port: after a crash of a whole server its
 * last processes may outlive it by moments, holding the inherited sockets.
 */
#define BIND_TRIES 10
#define BIND_WAIT 100000L		/* us */

typedef struct Inbox
{
	int			receive;
	int			send;
} Inbox;

static int	nsockets;
static int	sockets[MAX_SOCKETS];
static int	ninboxes;
static Inbox *inboxes;

/* What the workers tell each other, one of these for each. */
typedef struct Seat
{
	/* Its connections, those in its inbox too, or NOT_SERVING. */
	pg_atomic_uint32 connections;

	/* For http_balance.c and http_sleep.c; what a worker says of itself. */
	pg_atomic_uint32 asleep;
	pg_atomic_uint32 load;
	pg_atomic_uint64 reported;	/* ms of the monotonic clock */
} Seat;

static Seat *seats;
static int	own = -1;			/* the worker this process is */

/*
 * Bind one address.  Returns the socket, or -1 with errno set.
 */
static int
bind_address(const struct addrinfo *address)
{
	int			one = 1;
	int			save_errno;
	int			fd;

	fd = socket(address->ai_family,
				SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
		(address->ai_family != AF_INET6 ||
		 setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) == 0))
	{
		for (int i = 0; i < BIND_TRIES; i++)
		{
			if (i > 0)
				pg_usleep(BIND_WAIT);
			if (bind(fd, address->ai_addr, address->ai_addrlen) == 0)
				return fd;
			if (errno != EADDRINUSE)
				break;
		}
	}
	save_errno = errno;
	close(fd);
	errno = save_errno;
	return -1;
}

/* Has an earlier name, or this one before, meant the same address? */
static bool
is_bound(const struct addrinfo *address)
{
	for (int i = 0; i < nsockets; i++)
	{
		struct sockaddr_storage bound;
		socklen_t	len = sizeof(bound);

		if (getsockname(sockets[i], (struct sockaddr *) &bound, &len) == 0 &&
			len == address->ai_addrlen &&
			memcmp(&bound, address->ai_addr, len) == 0)
			return true;
	}
	return false;
}

/* Bind every address of one name; log those that fail. */
static void
bind_name(const char *name, int port)
{
	struct addrinfo hint = {.ai_socktype = SOCK_STREAM,.ai_flags = AI_PASSIVE};
	struct addrinfo *addresses;
	char		service[16];
	int			rc;

	snprintf(service, sizeof(service), "%d", port);
	rc = getaddrinfo(strcmp(name, "*") == 0 ? NULL : name, service, &hint,
					 &addresses);
	if (rc != 0)
	{
		ereport(LOG,
				(errmsg("could not translate dynamo.listen_addresses entry \"%s\" to an address: %s",
						name, gai_strerror(rc))));
		return;
	}
	for (struct addrinfo *a = addresses; a != NULL; a = a->ai_next)
	{
		char		host[NI_MAXHOST] = "?";
		int			fd;
		bool		in_use;

		if ((a->ai_family != AF_INET && a->ai_family != AF_INET6) ||
			is_bound(a))
			continue;
		getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), NULL, 0,
					NI_NUMERICHOST);
		if (nsockets == MAX_SOCKETS)
		{
			ereport(LOG,
					(errmsg("could not listen on \"%s\": dynamo.listen_addresses names more than %d addresses",
							host, MAX_SOCKETS)));
			break;
		}
		fd = bind_address(a);
		in_use = fd < 0 && errno == EADDRINUSE;
		if (fd >= 0)
			sockets[nsockets++] = fd;
		/* A machine without IPv6 is not worth a message about "localhost". */
		else if (addresses->ai_next == NULL ||
				 (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
			ereport(LOG,
					(errcode_for_socket_access(),
					 errmsg("could not bind the DynamoDB endpoint to \"%s\", port %d: %m",
							host, port),
					 in_use ? errhint("Is another server using the port?  Set dynamo.port to a free one and restart.") : 0));
	}
	freeaddrinfo(addresses);
}

/* The inboxes and the shared numbers.  Returns false, logged, on failure. */
static bool
make_inboxes(int nworkers)
{
	seats = mmap(NULL, sizeof(Seat) * nworkers,
				 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seats == MAP_FAILED)
	{
		ereport(LOG, (errmsg("could not map memory for %d HTTP workers: %m",
							 nworkers)));
		return false;
	}
	inboxes = MemoryContextAlloc(TopMemoryContext, sizeof(Inbox) * nworkers);
	for (ninboxes = 0; ninboxes < nworkers; ninboxes++)
	{
		int			pair[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
					   0, pair) < 0)
		{
			ereport(LOG, (errmsg("could not create socket pair for HTTP worker: %m")));
			return false;
		}
		inboxes[ninboxes].receive = pair[0];
		inboxes[ninboxes].send = pair[1];
		pg_atomic_init_u32(&seats[ninboxes].connections, NOT_SERVING);
		pg_atomic_init_u32(&seats[ninboxes].asleep, 0);
		pg_atomic_init_u32(&seats[ninboxes].load, 0);
		pg_atomic_init_u64(&seats[ninboxes].reported, 0);
	}
	return true;
}

bool
dyn_http_bind(const char *listen_addresses, int port, int nworkers)
{
	char	   *names = pstrdup(listen_addresses);
	List	   *list;
	ListCell   *cell;

	if (!SplitGUCList(names, ',', &list))
	{
		ereport(LOG,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid list syntax in parameter \"%s\"",
						"dynamo.listen_addresses")));
		return false;
	}
	foreach(cell, list)
		bind_name(lfirst(cell), port);
	list_free(list);
	pfree(names);

	if (nsockets == 0)
	{
		ereport(LOG, (errmsg("the DynamoDB endpoint is off: no address to listen on")));
		return false;
	}
	if (!make_inboxes(nworkers))
	{
		while (nsockets > 0)
			close(sockets[--nsockets]);
		return false;
	}
	dyn_http_shared_request();
	return true;
}

/* Count one connection less, unless the worker has stopped serving. */
static void
release(int worker)
{
	uint32		count = pg_atomic_read_u32(&seats[worker].connections);

	while (count != NOT_SERVING && count > 0)
		if (pg_atomic_compare_exchange_u32(&seats[worker].connections, &count, count - 1))
			return;
}

/*
 * Take a descriptor out of a worker's inbox.  It was counted by who sent it,
 * who says with a byte whether it has served the connection.
 */
static DynHttpAccept
take(int worker, int *fd)
{
	union
	{
		char		buffer[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	}			control;
	char		byte;
	struct iovec part = {.iov_base = &byte,.iov_len = 1};
	struct msghdr message = {
		.msg_iov = &part,.msg_iovlen = 1,
		.msg_control = control.buffer,.msg_controllen = sizeof(control.buffer)
	};
	struct cmsghdr *header;

	if (recvmsg(inboxes[worker].receive, &message,
				MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return DYN_HTTP_NONE;
	header = CMSG_FIRSTHDR(&message);
	if (header == NULL || header->cmsg_len != CMSG_LEN(sizeof(int)))
	{
		/* No descriptor was left for it: the kernel has closed it. */
		release(worker);
		return DYN_HTTP_NO_DESCRIPTORS;
	}
	memcpy(fd, CMSG_DATA(header), sizeof(int));
	return byte == NEW_CONNECTION ? DYN_HTTP_ACCEPTED : DYN_HTTP_MOVED;
}

/*
 * Close what was given to this worker and not taken.  Their clients see a
 * connection closed before it was used, and try again.
 */
static void
empty_inbox(int worker)
{
	int			fd;

	for (;;)
	{
		switch (take(worker, &fd))
		{
			case DYN_HTTP_ACCEPTED:
			case DYN_HTTP_MOVED:
				close(fd);
				break;
			case DYN_HTTP_NONE:
				return;
			default:
				break;
		}
	}
}

/*
 * Start to serve as a worker, with so many connections from before.
 */
bool
dyn_http_listener_join(int worker, int connections)
{
	if (nsockets == 0 || worker >= ninboxes)
		return false;
	empty_inbox(worker);
	own = worker;
	pg_atomic_write_u32(&seats[own].connections, connections);
	return true;
}

/*
 * (Re-)open the sockets.  Bound but not listening they refuse clients, who
 * then know at once what else they would learn from a timeout.
 */
bool
dyn_http_listener_listen(void)
{
	static bool complained = false;
	bool		good = true;

	for (int i = 0; i < nsockets; i++)
	{
		if (listen(sockets[i], BACKLOG) == 0)
			continue;
		if (!complained)
			ereport(LOG,
					(errcode_for_socket_access(),
					 errmsg("could not listen on a socket of the DynamoDB endpoint: %m")));
		good = false;
	}
	complained = !good;
	return good;
}

/*
 * Stop listening, so that clients are refused.  Several workers may do so at the
 * same time, and shutdown() of a socket that no longer listens would mark it for
 * good: once it listens again, the kernel hands out connections that are shut
 * down already.  Dissolving its association is the same, but may be repeated.
 */
static void
close_doors(void)
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	for (int i = 0; i < nsockets; i++)
		(void) connect(sockets[i], &nowhere, sizeof(nowhere));
}

/*
 * No longer serve.  The last worker to leave closes the doors; a worker that
 * has just come in sees EPOLLHUP and opens them again.
 */
void
dyn_http_listener_leave(void)
{
	int			worker = own;

	if (worker < 0)
		return;
	own = -1;
	pg_atomic_write_u32(&seats[worker].connections, NOT_SERVING);
	empty_inbox(worker);
	for (int i = 0; i < ninboxes; i++)
		if (pg_atomic_read_u32(&seats[i].connections) != NOT_SERVING)
			return;
	close_doors();
}

int
dyn_http_listener_count(void)
{
	return nsockets + 1;
}

int
dyn_http_listener_fd(int i)
{
	return i < nsockets ? sockets[i] : inboxes[own].receive;
}

/*
 * Of the other workers the one that has the fewest connections, if that is fewer
 * than *fewest, which becomes its number; else best.
 */
static int
other_with_fewest(int best, uint32 *fewest)
{
	for (int i = 0; i < ninboxes; i++)
	{
		/* NOT_SERVING is more than any number. */
		uint32		count = pg_atomic_read_u32(&seats[i].connections);

		if (i != own && count < *fewest)
		{
			*fewest = count;
			best = i;
		}
	}
	return best;
}

/*
 * Count a new connection for the worker that has the fewest, and return that;
 * among equals this one.
 */
static int
reserve(void)
{
	for (;;)
	{
		uint32		fewest = pg_atomic_read_u32(&seats[own].connections);
		int			best = other_with_fewest(own, &fewest);

		/* Others accept at the same time: look again if one was faster. */
		if (pg_atomic_compare_exchange_u32(&seats[best].connections, &fewest, fewest + 1))
			return best;
	}
}

/* Send a descriptor to a worker's inbox.  False if that is full. */
static bool
give_away(int worker, int fd, char what)
{
	union
	{
		char		buffer[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	}			control = {{0}};
	struct iovec part = {.iov_base = &what,.iov_len = 1};
	struct msghdr message = {
		.msg_iov = &part,.msg_iovlen = 1,
		.msg_control = control.buffer,.msg_controllen = sizeof(control.buffer)
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	return sendmsg(inboxes[worker].send, &message,
				   MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

/*
 * Accept one connection from socket i, or take one from the inbox.
 */
DynHttpAccept
dyn_http_listener_accept(int i, int *fd)
{
	int			worker;

	if (i == nsockets)
		return take(own, fd);

	*fd = accept4(sockets[i], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (*fd < 0)
		return errno == EMFILE || errno == ENFILE ||
			errno == ENOBUFS || errno == ENOMEM ?
			DYN_HTTP_NO_DESCRIPTORS : DYN_HTTP_NONE;

	worker = reserve();
	if (worker == own)
		return DYN_HTTP_ACCEPTED;
	if (give_away(worker, *fd, NEW_CONNECTION))
	{
		close(*fd);
		return DYN_HTTP_GIVEN_AWAY;
	}
	release(worker);
	pg_atomic_fetch_add_u32(&seats[own].connections, 1);
	return DYN_HTTP_ACCEPTED;
}

/* One of this worker's connections is closed. */
void
dyn_http_listener_closed(void)
{
	if (own >= 0)
		release(own);
}

bool
dyn_http_listener_move(int worker, int fd)
{
	uint32		count = pg_atomic_read_u32(&seats[worker].connections);

	do
	{
		if (count == NOT_SERVING)
			return false;
	} while (!pg_atomic_compare_exchange_u32(&seats[worker].connections,
											 &count, count + 1));
	if (give_away(worker, fd, MOVED_CONNECTION))
		return true;
	release(worker);
	return false;
}

void
dyn_http_listener_sleep(bool asleep)
{
	if (own >= 0)
		pg_atomic_write_u32(&seats[own].asleep, asleep);
}

int
dyn_http_listener_awake(void)
{
	int			n = 0;

	for (int i = 0; i < ninboxes; i++)
		if (pg_atomic_read_u32(&seats[i].connections) != NOT_SERVING &&
			!pg_atomic_read_u32(&seats[i].asleep))
			n++;
	return n;
}

void
dyn_http_listener_report(int load, int64 now)
{
	if (own < 0)
		return;
	pg_atomic_write_u32(&seats[own].load, load);
	pg_atomic_write_u64(&seats[own].reported, now);
}

int
dyn_http_listener_least_loaded(int64 since, int max_connections, int *load)
{
	int			best = -1;

	for (int i = 0; i < ninboxes; i++)
	{
		/* NOT_SERVING is more than any maximum. */
		int			its_load = pg_atomic_read_u32(&seats[i].load);

		if (i == own || own < 0 ||
			pg_atomic_read_u32(&seats[i].connections) >= (uint32) max_connections)
			continue;
		if ((int64) pg_atomic_read_u64(&seats[i].reported) < since)
			its_load = pg_atomic_read_u32(&seats[i].asleep) ? 0 : 1000;
		if (best < 0 || its_load < *load)
		{
			best = i;
			*load = its_load;
		}
	}
	return best;
}

int
dyn_http_listener_fewest(int max_connections)
{
	uint32		fewest = max_connections;

	return other_with_fewest(-1, &fewest);
}
