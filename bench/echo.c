/*-------------------------------------------------------------------------
 *
 * echo.c
 *		What a socket costs: an HTTP server that answers everything alike.
 *
 *		echo PORT PROCESSES REPLY_BYTES
 *
 * The endpoint's lower bound, so it does the least that a server can: it finds
 * the end of the request and writes a reply made in advance, with no copy of
 * either, no memory to allocate, no clock, no checksum.  It has as many
 * processes as the endpoint has workers, connections are dealt to them in
 * turns, and requests and replies are as long as the endpoint's.
 *
 * Only for bench/load.c: a request's header arrives whole, and nothing follows
 * a request before its reply.
 *
 * bench/echo.c
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* The header lines of the endpoint's own replies. */
#define HEADER \
	"HTTP/1.1 200 OK\r\n" \
	"Server: Server\r\n" \
	"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n" \
	"x-amzn-RequestId: 00000000000000000000000000000000000000000000AAAAAAAA\r\n" \
	"x-amz-crc32: 1234567890\r\n" \
	"Content-Type: application/x-amz-json-1.0\r\n" \
	"Content-Length: %-8zu\r\n\r\n"

typedef struct Connection
{
	int			fd;
	size_t		to_read;		/* of a request whose header has been seen */
	size_t		to_write;		/* of the reply */
} Connection;

static char *reply;
static size_t reply_len;

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
make_reply(size_t len)
{
	size_t		header_len = snprintf(NULL, 0, HEADER, len);

	if (len < header_len)
		len = header_len;
	reply = malloc(len + 1);
	memset(reply, 'x', len);
	sprintf(reply, HEADER, len - header_len);
	reply[header_len] = 'x';
	reply_len = len;
}

/* Returns false when the client has gone. */
static bool
serve(Connection *c)
{
	static char buffer[256 * 1024];

	for (;;)
	{
		ssize_t		n;

		if (c->to_write > 0)
		{
			n = write(c->fd, reply + reply_len - c->to_write, c->to_write);
			if (n < 0 && errno != EAGAIN)
				return false;
			if (n > 0)
				c->to_write -= n;
			/* The rest when there is room; until then nothing is to be read. */
			return true;
		}
		n = read(c->fd, buffer, sizeof(buffer) - 1);
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		if (c->to_read == 0)
		{
			char	   *end,
					   *length;

			buffer[n] = '\0';
			end = memmem(buffer, n, "\r\n\r\n", 4);
			length = strcasestr(buffer, "\r\nContent-Length:");
			if (end == NULL || length == NULL)
				return false;
			c->to_read = end + 4 - buffer + strtoul(length + 17, NULL, 10);
		}
		c->to_read -= n;
		if (c->to_read == 0)
			c->to_write = reply_len;
		else if ((size_t) n < sizeof(buffer) - 1)
			return true;
	}
}

/* One process; connections come as descriptors through a socket. */
static void
work(int source)
{
	int			epoll_fd = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN};
	struct epoll_event events[256];

	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, source, &event);
	for (;;)
	{
		int			n = epoll_wait(epoll_fd, events, 256, -1);

		for (int i = 0; i < n; i++)
		{
			Connection *c = events[i].data.ptr;

			if (c == NULL)
			{
				char		byte;
				char		control[CMSG_SPACE(sizeof(int))];
				struct iovec vector = {.iov_base = &byte,.iov_len = 1};
				struct msghdr message = {
					.msg_iov = &vector,.msg_iovlen = 1,
					.msg_control = control,.msg_controllen = sizeof(control)
				};

				if (recvmsg(source, &message, 0) <= 0)
					exit(0);
				c = calloc(1, sizeof(Connection));
				memcpy(&c->fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
				event.events = EPOLLIN | EPOLLOUT | EPOLLET;
				event.data.ptr = c;
				epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event);
			}
			else if (!serve(c))
			{
				close(c->fd);
				free(c);
			}
		}
	}
}

static void
hand_over(int target, int fd)
{
	char		control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec vector = {.iov_base = "",.iov_len = 1};
	struct msghdr message = {
		.msg_iov = &vector,.msg_iovlen = 1,
		.msg_control = control,.msg_controllen = sizeof(control)
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	if (sendmsg(target, &message, 0) < 0)
		die("sendmsg");
}

int
main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int			processes,
				listener = socket(AF_INET, SOCK_STREAM, 0),
				on = 1;
	int		   *targets;
	struct rlimit limit;

	if (argc != 4)
	{
		fprintf(stderr, "usage: echo PORT PROCESSES REPLY_BYTES\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	processes = atoi(argv[2]);
	make_reply(strtoul(argv[3], NULL, 10));
	targets = calloc(processes, sizeof(int));
	for (int i = 0; i < processes; i++)
	{
		int			pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
			die("socketpair");
		targets[i] = pair[0];
		if (fork() == 0)
		{
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			work(pair[1]);
		}
		close(pair[1]);
	}

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	address.sin_port = htons(atoi(argv[1]));
	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	if (bind(listener, (struct sockaddr *) &address, sizeof(address)) < 0 ||
		listen(listener, 1024) < 0)
		die("listen");
	puts("ready");
	fflush(stdout);
	for (int next = 0;; next = (next + 1) % processes)
	{
		int			fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

		if (fd < 0)
			die("accept");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		hand_over(targets[next], fd);
		close(fd);
	}
}
