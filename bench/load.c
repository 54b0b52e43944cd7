/*-------------------------------------------------------------------------
 *
 * load.c
 *		Send DynamoDB requests as fast as they are answered, and time them.
 *
 * It shares the machine with the server it measures, so it has to be light:
 * requests are made and signed before the clock starts (a signature is good for
 * fifteen minutes), one thread polls all connections, and a reply is read only
 * as far as its length.  Each connection has one request under way at a time,
 * as an SDK's and as pgbench's have.
 *
 * Without a rate the loop is closed: a connection's next request goes when its
 * reply is here, and a server that stalls is asked less.  With one it is open:
 * requests are due at random moments (exponential gaps, as many independent
 * clients make them) that no reply can move.  One that finds all connections
 * busy waits, and its latency counts from when it was due; else a stall of a
 * second would be one slow request instead of a thousand ("coordinated
 * omission").  (-f: from when it was sent, as the server sees it, where it is
 * asked for more than it can do.)
 *
 * What is refused with ThrottlingException is counted by itself.
 *
 * bench/load.c
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_SIGNING_AGE 800		/* seconds; the service allows 900 */

typedef struct Request
{
	char	   *data;
	size_t		len;
} Request;

typedef struct Connection
{
	int			fd;
	SSL		   *ssl;			/* NULL: in the clear */
	const Request *request;		/* under way, or NULL */
	size_t		sent;
	uint64_t	started;		/* with a rate: when it was due */
	char	   *reply;
	size_t		reply_len;
	size_t		reply_room;
	size_t		reply_end;		/* its whole length once known, else 0 */
	size_t		body_len;		/* of that */
} Connection;

static const char *operation = "get";
static const char *host = "127.0.0.1";
static int	port = 8000;
static int	connections = 1;
static double seconds = 5;
static long max_requests;		/* 0: until the time is up */
static double rate;				/* requests due a second, all in all; 0: closed
								 * loop */
static int	idle;				/* connections that only stay open */
static int	items = 100000;
static int	item_size = 1024;
static int	pool_size = 8192;
static bool from_sent;			/* count latency from when it was sent */
static bool tls;				/* the certificate is not looked at */
static bool any_reply;			/* of bench/echo.c: all are right */
static const char *iterators;	/* file of them, for records; of requests, for lines */
static bool once;				/* each request of the pool is sent once only */
static int	next_request;

static Request *pool;
static Connection *all;
static int	epoll_fd;
static long done,
			errors,
			refused,			/* by ThrottlingException */
			unsent;				/* due, but no connection was free until the end */
static long long request_bytes,
			reply_bytes,
			body_bytes;			/* of replies */
static uint64_t longest;		/* request so far, in microseconds */

/* Connections whose next request is not due yet, and when it is. */
static Connection **parked;
static int	nparked;
static uint64_t due;
static uint64_t over_at;		/* 0: not yet */

static volatile sig_atomic_t stopped;	/* by SIGINT: end as if the time were up */

/*
 * Latencies in microseconds: exact below 64, then 32 steps for each doubling,
 * which keeps a percentile within 3%.
 */
#define HISTOGRAM_STEPS 32
static long histogram[40 * HISTOGRAM_STEPS];
static long refused_histogram[40 * HISTOGRAM_STEPS];

static void
stop(int signal_number)
{
	(void) signal_number;
	stopped = 1;
}

static void
die(const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static uint32_t
random_number(void)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 16;
}

static int
bucket_of(uint64_t us)
{
	int			shift;

	if (us < 2 * HISTOGRAM_STEPS)
		return us;
	shift = 63 - __builtin_clzll(us) - 5;
	return shift * HISTOGRAM_STEPS + (us >> shift);
}

static double
bucket_value(int bucket)
{
	int			shift;

	if (bucket < 2 * HISTOGRAM_STEPS)
		return bucket;
	shift = bucket / HISTOGRAM_STEPS - 1;
	return (double) ((uint64_t) (bucket - shift * HISTOGRAM_STEPS) << shift);
}

static double
percentile_of(const long *counts, long total, double part)
{
	long		below = 0;
	int			i;

	for (i = 0; i < 40 * HISTOGRAM_STEPS; i++)
	{
		below += counts[i];
		if (below >= part * total)
			break;
	}
	return bucket_value(i);
}

static double
percentile(double part)
{
	return percentile_of(histogram, done + unsent, part);
}

/* Nanoseconds that a request has taken. */
static void
record(uint64_t ns)
{
	uint64_t	us = ns / 1000;

	histogram[bucket_of(us)]++;
	if (us > longest)
		longest = us;
}

static void
hex(const unsigned char *bytes, int n, char *out)
{
	int			i;

	for (i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
}

static void
sha256_hex(const char *data, size_t len, char *out)
{
	unsigned char digest[32];

	EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL);
	hex(digest, 32, out);
}

static void
hmac(const void *key, int key_len, const char *text, unsigned char *out)
{
	HMAC(EVP_sha256(), key, key_len, (const unsigned char *) text, strlen(text), out, NULL);
}

static const char *
environment(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		die("%s is not set", name);
	return value;
}

/* One whole HTTP request with its signature. */
static Request
make_request(const char *target, const char *body)
{
	static char stamp[32],
				day[16],
				scope[128];
	static unsigned char signing_key[32];
	static const char *access_key,
			   *token;			/* of a session, or NULL */
	static char token_line[10240] = "";
	const char *service = strcmp(target, "GetRecords") == 0 ? "DynamoDBStreams" : "DynamoDB";
	static char canonical[sizeof(token_line) + 1024];
	char		hash[65],
				to_sign[512],
				signature[65];
	unsigned char mac[32];
	Request		request;
	int			len;

	if (access_key == NULL)
	{
		const char *region = environment("AWS_DEFAULT_REGION");
		char		first[256];
		time_t		t = time(NULL);
		unsigned char k[32];

		access_key = environment("AWS_ACCESS_KEY_ID");
		token = getenv("AWS_SESSION_TOKEN");
		if (token != NULL)
			snprintf(token_line, sizeof(token_line), "x-amz-security-token:%s\n", token);
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime(&t));
		strftime(day, sizeof(day), "%Y%m%d", gmtime(&t));
		snprintf(scope, sizeof(scope), "%s/%s/dynamodb/aws4_request", day, region);
		snprintf(first, sizeof(first), "AWS4%s", environment("AWS_SECRET_ACCESS_KEY"));
		hmac(first, strlen(first), day, k);
		hmac(k, 32, region, k);
		hmac(k, 32, "dynamodb", k);
		hmac(k, 32, "aws4_request", signing_key);
	}
	sha256_hex(body, strlen(body), hash);
	len = snprintf(canonical, sizeof(canonical),
				   "POST\n/\n\ncontent-type:application/x-amz-json-1.0\n"
				   "host:%s:%d\nx-amz-date:%s\n%sx-amz-target:%s_20120810.%s\n\n"
				   "content-type;host;x-amz-date;%sx-amz-target\n%s",
				   host, port, stamp, token_line, service, target,
				   token ? "x-amz-security-token;" : "", hash);
	sha256_hex(canonical, len, hash);
	snprintf(to_sign, sizeof(to_sign), "AWS4-HMAC-SHA256\n%s\n%s\n%s", stamp, scope, hash);
	hmac(signing_key, 32, to_sign, mac);
	hex(mac, 32, signature);
	request.len = asprintf(&request.data,
						   "POST / HTTP/1.1\r\nHost: %s:%d\r\n"
						   "Content-Type: application/x-amz-json-1.0\r\n"
						   "X-Amz-Date: %s\r\nX-Amz-Target: %s_20120810.%s\r\n"
						   "Authorization: AWS4-HMAC-SHA256 Credential=%s/%s, "
						   "SignedHeaders=content-type;host;x-amz-date;%sx-amz-target, "
						   "Signature=%s\r\n%s%s%sContent-Length: %zu\r\n\r\n%s",
						   host, port, stamp, service, target, access_key, scope,
						   token ? "x-amz-security-token;" : "", signature,
						   token ? "X-Amz-Security-Token: " : "", token ? token : "", token ? "\r\n" : "",
						   strlen(body), body);
	return request;
}

/* An item of item_size bytes as the service counts: names and values. */
static int
print_item(char *out, int number)
{
	int			padding = item_size - (int) strlen("pk00000000v");
	int			len = sprintf(out, "{\"p\":{\"S\":\"k%08d\"},\"v\":{\"S\":\"", number);

	/* Bytes that neither repeat much nor need an escape. */
	while (padding-- > 0)
		out[len++] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"[random_number() & 63];
	return len + sprintf(out + len, "\"}}");
}

static bool
is(const char *name)
{
	return strcmp(operation, name) == 0;
}

static bool
is_get(void)
{
	return is("get") || is("sealed_get");
}

/* Requests that depend on those before them go in the pool's order. */
static bool
in_order(void)
{
	return is("put") || is("stream") || is("sealed_put") || is("delete") || is("lines");
}

/* Of GetItem, PutItem and DeleteItem. */
static const char *
table_name(void)
{
	if (is("stream"))
		return "bench_stream";
	if (is("delete"))
		return "bench_churn";
	return strncmp(operation, "sealed", 6) == 0 ? "bench_sealed" : "bench";
}

/*
 * The number of the item that request i of the pool is about.  Puts repeat the
 * keys of the pool's first half with other values: each changes its item.
 * Deletes (even requests) and the puts that bring the items back (odd ones) go
 * around all items, half of them apart, so that two of one item never meet.
 */
static int
draw_number(int i)
{
	static int	drawn[1 << 16];

	if (is("delete"))
	{
		int			distance = items / (pool_size / 2);

		return (i / 2 + i % 2 * (pool_size / 4)) % (pool_size / 2) *
			(distance > 0 ? distance : 1) % items;
	}
	if (!in_order())
		return random_number() % items;
	if (i < pool_size / 2)
		drawn[i] = random_number() % items;
	return drawn[i % (pool_size / 2)];
}

/* Of keys that lie apart, from a random one on. */
static char *
print_keys(char *p, int number, int n, const char *before, const char *after)
{
	int			i;

	for (i = 0; i < n; i++)
		p += sprintf(p, "%s%s{\"p\":{\"S\":\"k%08d\"}}%s", i == 0 ? "" : ",", before,
					 (int) ((number + (long) i * items / n) % items), after);
	return p;
}

/* One of the iterators in the file, a line each, in turn. */
static const char *
next_iterator(void)
{
	static char line[4096];
	static FILE *file = NULL;

	if (file == NULL && (file = fopen(iterators, "r")) == NULL)
		die("cannot open %s: %s", iterators, strerror(errno));
	if (fgets(line, sizeof(line), file) == NULL)
	{
		rewind(file);
		if (fgets(line, sizeof(line), file) == NULL)
			die("no iterators in %s", iterators);
	}
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* Requests as they stand in a file, each in a line: its target, a space, its body. */
static void
read_requests(void)
{
	FILE	   *file = fopen(iterators, "r");
	char	   *line = NULL;
	size_t		room = 0;
	ssize_t		len;

	if (file == NULL)
		die("cannot open %s: %s", iterators, strerror(errno));
	for (pool_size = 0; (len = getline(&line, &room, file)) > 0; pool_size++)
	{
		char	   *body = strchr(line, ' ');

		if (body == NULL)
			die("not a request: %.200s", line);
		line[len - 1] = '\0';
		*body++ = '\0';
		if ((pool_size & (pool_size - 1)) == 0)
			pool = realloc(pool, (pool_size == 0 ? 1 : 2 * pool_size) * sizeof(Request));
		pool[pool_size] = make_request(line, body);
	}
	free(line);
	fclose(file);
}

static Request
make_operation(int i_of_pool)
{
	char	   *body = malloc(26 * (item_size + 256));
	char	   *p = body;
	int			number = draw_number(i_of_pool);
	const char *target;
	Request		request;
	int			i;

	if (is_get())
	{
		target = "GetItem";
		sprintf(p, "{\"TableName\":\"%s\",\"Key\":{\"p\":{\"S\":\"k%08d\"}}}",
				table_name(), number);
	}
	else if (is("records"))
	{
		target = "GetRecords";
		sprintf(p, "{\"ShardIterator\":\"%s\"}", next_iterator());
	}
	else if (is("delete") && i_of_pool % 2 == 0)
	{
		target = "DeleteItem";
		sprintf(p, "{\"TableName\":\"%s\",\"Key\":{\"p\":{\"S\":\"k%08d\"}}}", table_name(), number);
	}
	else if (in_order())
	{
		target = "PutItem";
		p += sprintf(p, "{\"TableName\":\"%s\",\"Item\":", table_name());
		p += print_item(p, number);
		sprintf(p, "}");
	}
	else if (is("update"))
	{
		target = "UpdateItem";
		sprintf(p, "{\"TableName\":\"bench\",\"Key\":{\"p\":{\"S\":\"k%08d\"}},"
				"\"UpdateExpression\":\"SET n = :n\","
				"\"ExpressionAttributeValues\":{\":n\":{\"N\":\"%u\"}}}",
				number, random_number());
	}
	else if (is("condition"))
	{
		target = "UpdateItem";
		sprintf(p, "{\"TableName\":\"bench\",\"Key\":{\"p\":{\"S\":\"k%08d\"}},"
				"\"UpdateExpression\":\"SET n = :n\","
				"\"ConditionExpression\":\"attribute_exists(p) AND v <> :v\","
				"\"ExpressionAttributeValues\":{\":n\":{\"N\":\"%u\"},\":v\":{\"S\":\"none\"}}}",
				number, random_number());
	}
	else if (is("partiql"))
	{
		target = "ExecuteStatement";
		sprintf(p, "{\"Statement\":\"SELECT * FROM \\\"bench\\\" WHERE p = ?\","
				"\"Parameters\":[{\"S\":\"k%08d\"}]}", number);
	}
	else if (is("scan"))
	{
		target = "Scan";
		sprintf(p, "{\"TableName\":\"bench\",\"Limit\":100,"
				"\"ExclusiveStartKey\":{\"p\":{\"S\":\"k%08d\"}}}", number);
	}
	else if (is("query100"))
	{
		target = "Query";
		sprintf(p, "{\"TableName\":\"bench_hundred\",\"KeyConditionExpression\":\"p = :p\","
				"\"ExpressionAttributeValues\":{\":p\":{\"S\":\"k%08d\"}},\"Limit\":100}",
				number % (items / 100));
	}
	else if (is("batchget"))
	{
		target = "BatchGetItem";
		p += sprintf(p, "{\"RequestItems\":{\"bench\":{\"Keys\":[");
		p = print_keys(p, number, 25, "", "");
		sprintf(p, "]}}}");
	}
	else if (is("transactget"))
	{
		target = "TransactGetItems";
		p += sprintf(p, "{\"TransactItems\":[");
		p = print_keys(p, number, 4, "{\"Get\":{\"TableName\":\"bench\",\"Key\":", "}}");
		sprintf(p, "]}");
	}
	else if (is("move"))
	{
		target = "UpdateItem";
		sprintf(p, "{\"TableName\":\"bench\",\"Key\":{\"p\":{\"S\":\"k%08d\"}},"
				"\"UpdateExpression\":\"SET g = :g\","
				"\"ExpressionAttributeValues\":{\":g\":{\"S\":\"g%u\"}}}",
				number, random_number() % 1000);
	}
	else if (is("query"))
	{
		target = "Query";
		sprintf(p, "{\"TableName\":\"bench_sorted\",\"KeyConditionExpression\":\"p = :p\","
				"\"ExpressionAttributeValues\":{\":p\":{\"S\":\"k%08d\"}},\"Limit\":10}",
				number % (items / 10));
	}
	else if (is("index") || is("apart"))
	{
		bool		apart = is("apart");

		target = "Query";
		sprintf(p, "{\"TableName\":\"bench_sorted\",\"IndexName\":\"%s\","
				"\"KeyConditionExpression\":\"%c = :v\","
				"\"ExpressionAttributeValues\":{\":v\":{\"S\":\"k%08d\"}},\"Limit\":10}",
				apart ? "by_group" : "by_block", apart ? 'g' : 'b', number % (items / 10));
	}
	else if (is("batch"))
	{
		target = "BatchWriteItem";
		p += sprintf(p, "{\"RequestItems\":{\"bench\":[");
		/* The keys of one call must differ: 25 in a row from a random start. */
		for (i = 0; i < 25; i++)
		{
			p += sprintf(p, "%s{\"PutRequest\":{\"Item\":", i == 0 ? "" : ",");
			p += print_item(p, (number + i) % items);
			p += sprintf(p, "}}");
		}
		sprintf(p, "]}}");
	}
	else if (is("transact"))
	{
		static int	token;

		/* As SDKs do, with a token for each call. */
		target = "TransactWriteItems";
		p += sprintf(p, "{\"ClientRequestToken\":\"%08x-%08x-%08x-%07d\",\"TransactItems\":[",
					 (unsigned) time(NULL), (unsigned) getpid(), random_number(), token++);
		for (i = 0; i < 4; i++)
		{
			p += sprintf(p, "%s{\"Put\":{\"TableName\":\"bench\",\"Item\":", i == 0 ? "" : ",");
			p += print_item(p, number % (items / 4) + i * (items / 4));
			p += sprintf(p, "}}");
		}
		sprintf(p, "]}");
	}
	else
		die("unknown operation: %s", operation);
	request = make_request(target, body);
	free(body);
	return request;
}

/* Shake hands while the socket still blocks: nobody is timed yet. */
static SSL *
open_tls(int fd)
{
	static SSL_CTX *context;
	SSL		   *ssl;

	if (context == NULL)
	{
		context = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
		SSL_CTX_set_read_ahead(context, 1);
	}
	ssl = SSL_new(context);
	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1)
		die("no TLS with %s:%d", host, port);
	return ssl;
}

/* As read(2) and write(2). */
static ssize_t
read_some(Connection *c, char *buffer, size_t len)
{
	int			n;

	if (c->ssl == NULL)
		return read(c->fd, buffer, len);
	n = SSL_read(c->ssl, buffer, len);
	if (n > 0)
		return n;
	errno = SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ ? EAGAIN : EIO;
	return -1;
}

static ssize_t
write_some(Connection *c, const char *bytes, size_t len)
{
	int			n;

	if (c->ssl == NULL)
		return write(c->fd, bytes, len);
	n = SSL_write(c->ssl, bytes, len);
	if (n > 0)
		return n;
	errno = SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
	return -1;
}

static void
open_connection(Connection *c)
{
	struct sockaddr_in address = {.sin_family = AF_INET,.sin_port = htons(port)};
	int			fd = socket(AF_INET, SOCK_STREAM, 0);
	int			on = 1;

	inet_pton(AF_INET, host, &address.sin_addr);
	if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
		die("cannot connect to %s:%d: %s", host, port, strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->fd = fd;
	if (tls)
		c->ssl = open_tls(fd);
	fcntl(fd, F_SETFL, O_NONBLOCK);
}

/* Send what is left of the request under way, as far as there is room. */
static void
send_more(Connection *c)
{
	while (c->sent < c->request->len)
	{
		ssize_t		n = write_some(c, c->request->data + c->sent, c->request->len - c->sent);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			die("the server closed a connection: %s", strerror(errno));
		c->sent += n;
	}
}

static void
send_next(Connection *c, uint64_t started)
{
	c->request = &pool[once || in_order() ? (uint32_t) next_request++ % pool_size :
					   random_number() % pool_size];
	c->sent = 0;
	c->reply_len = c->reply_end = 0;
	c->started = started;
	send_more(c);
}

/* The connection is free: its next request goes now, or when it is due. */
static void
go_on(Connection *c)
{
	if (rate == 0)
		send_next(c, now());
	else
	{
		c->request = NULL;
		parked[nparked++] = c;
	}
}

/* When the next request is due: the gaps of a Poisson process. */
static void
draw_due(void)
{
	due += (uint64_t) (-log((random_number() + 1.0) / 4294967297.0) / rate * 1e9);
}

/* Send what is due, if the requests are to go on.  Returns how many end here. */
static int
send_due(bool go)
{
	int			ended = 0;

	while (nparked > 0 && (!go || now() >= due))
	{
		Connection *c = parked[--nparked];

		if (go)
		{
			send_next(c, from_sent ? now() : due);
			draw_due();
		}
		else
			ended++;
	}
	return ended;
}

static bool
is_over(uint64_t deadline)
{
	if (over_at == 0 &&
		(stopped || now() >= deadline || (once && next_request >= pool_size) ||
		 (max_requests > 0 && done >= max_requests)))
		over_at = now();
	return over_at != 0;
}

/* Until something happens, or the next request is due. */
static int
wait_for_events(struct epoll_event *events, int size)
{
	struct timespec timeout = {.tv_sec = 10};
	uint64_t	t = now();
	int			n;

	if (nparked > 0)
	{
		timeout.tv_sec = 0;
		timeout.tv_nsec = due <= t ? 0 : due - t < 100000000 ? due - t : 100000000;
	}
	n = epoll_pwait2(epoll_fd, events, size, &timeout, NULL);

	return n < 0 && errno == EINTR ? 0 : n;
}

/* Where the reply ends, once its header is there. */
static void
find_end(Connection *c)
{
	char	   *end,
			   *length;

	c->reply[c->reply_len] = '\0';
	end = strstr(c->reply, "\r\n\r\n");
	if (end == NULL)
		return;
	length = strcasestr(c->reply, "\r\ncontent-length:");
	if (length == NULL || length > end)
		die("a reply without Content-Length: %s", c->reply);
	c->body_len = strtoul(length + 17, NULL, 10);
	c->reply_end = end + 4 - c->reply + c->body_len;
}

/* Returns true when the reply is complete. */
static bool
receive(Connection *c)
{
	for (;;)
	{
		ssize_t		n;

		if (c->reply_room - c->reply_len < 4096)
			c->reply = realloc(c->reply, c->reply_room = c->reply_room * 2 + 16384);
		n = read_some(c, c->reply + c->reply_len, c->reply_room - c->reply_len - 1);
		if (n == 0)
			die("the server closed a connection");
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0)
			die("read: %s", strerror(errno));
		c->reply_len += n;
		if (c->reply_end == 0)
			find_end(c);
		if (c->reply_end != 0 && c->reply_len >= c->reply_end)
			return true;
	}
}

static bool
contains(const Connection *c, const char *text)
{
	return memmem(c->reply, c->reply_end, text, strlen(text)) != NULL;
}

/*
 * An item that is missing, or a write put off (UnprocessedItems), would make
 * the figure a lie as much as an error does.
 */
static bool
is_wanted(const Connection *c)
{
	if (strncmp(c->reply, "HTTP/1.1 200", 12) != 0)
		return false;
	if (any_reply)
		return true;
	if (is_get())
		return contains(c, "\"Item\"");
	if (is("partiql"))
		return contains(c, "\"p\":");
	if (is("query") || is("index") || is("apart"))
		return contains(c, "\"Count\":10,");
	if (is("query100"))
		return contains(c, "\"Count\":100,");
	if (is("scan"))
		return c->body_len > (size_t) item_size;
	if (is("batchget") || is("transactget"))
		return c->body_len > (size_t) (is("batchget") ? 25 : 4) * item_size;
	if (is("records"))
		return contains(c, "\"NextShardIterator\"");
	if (is("batch"))
		return !contains(c, "\"PutRequest\"");
	return true;
}

static void
account(Connection *c)
{
	static bool shown = false;

	c->reply[c->reply_end] = '\0';
	if (memmem(c->reply, c->reply_len < 1000 ? c->reply_len : 1000, "#ThrottlingException", 20) != NULL)
	{
		refused_histogram[bucket_of((now() - c->started) / 1000)]++;
		refused++;
		return;
	}
	if (!is_wanted(c))
	{
		errors++;
		if (!shown)
			fprintf(stderr, "not the answer wanted: %.600s\n", c->reply);
		shown = true;
	}
	record(now() - c->started);
	request_bytes += c->request->len;
	reply_bytes += c->reply_end;
	body_bytes += c->body_len;
	done++;
}

static void
print_result(double elapsed)
{
	struct rusage usage;
	bool		first = true;
	int			i;

	getrusage(RUSAGE_SELF, &usage);
	printf("{\"requests\": %ld, \"errors\": %ld, \"unsent\": %ld, \"refused\": %ld, "
		   "\"refused_p50\": %.0f, \"refused_p99\": %.0f, \"seconds\": %.6f, "
		   "\"p50\": %.0f, \"p95\": %.0f, \"p99\": %.0f, \"p999\": %.0f, \"longest\": %.0f, "
		   "\"client_cpu\": %.3f, \"request_bytes\": %.1f, \"reply_bytes\": %.1f, "
		   "\"body_bytes\": %.1f, \"histogram\": [",
		   done, errors, unsent, refused, percentile_of(refused_histogram, refused, 0.50),
		   percentile_of(refused_histogram, refused, 0.99), elapsed, percentile(0.50), percentile(0.95),
		   percentile(0.99), percentile(0.999), (double) longest,
		   usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
		   (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
		   (double) request_bytes / (done > 0 ? done : 1),
		   (double) reply_bytes / (done > 0 ? done : 1),
		   (double) body_bytes / (done > 0 ? done : 1));
	/* Microseconds and how many took so long, without the empty ones. */
	for (i = 0; i < 40 * HISTOGRAM_STEPS; i++)
		if (histogram[i] > 0)
		{
			printf("%s[%.0f, %ld]", first ? "" : ", ", bucket_value(i), histogram[i]);
			first = false;
		}
	puts("]}");
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	uint64_t	start,
				deadline;
	struct rlimit limit;
	double		elapsed;
	int			option,
				active,
				i;
	struct epoll_event events[256];

	while ((option = getopt(argc, argv, "o:h:p:c:t:n:i:k:r:s:I:Tef")) != -1)
		switch (option)
		{
			case 'o': operation = optarg; break;
			case 'h': host = optarg; break;
			case 'p': port = atoi(optarg); break;
			case 'c': connections = atoi(optarg); break;
			case 't': seconds = atof(optarg); break;
			case 'n': max_requests = atol(optarg); break;
			case 'i': idle = atoi(optarg); break;
			case 'k': items = atoi(optarg); break;
			case 'r': rate = atof(optarg); break;
			case 'I': iterators = optarg; break;
			case 'T': tls = true; break;
			case 'f': from_sent = true; break;
			case 'e': any_reply = true; break;
			case 's': item_size = atoi(optarg); break;
			default:
				die("usage: load [-o get|put|stream|sealed_get|sealed_put|records|update|condition|delete|move|query|\n"
					"query100|index|apart|scan|batch|batchget|transact|transactget|partiql|lines] [-h address] [-p port]\n"
					"[-c connections] [-t seconds] [-n requests] [-i idle connections] [-k items] [-s item size]\n"
					"[-r requests a second, open loop] [-I file] [-T by TLS] [-e server is an echo] [-f latency from sending]");
		}
	if (seconds > MAX_SIGNING_AGE)
		die("signatures are good for %d seconds", MAX_SIGNING_AGE);

	if (is("batch"))
		pool_size /= 16;
	/* A second call with a token does nothing: as many as there is time for. */
	once = is("transact");
	if (once)
		pool_size = connections + idle + (int) (seconds * 10000);
	if (is("lines"))
		read_requests();
	else
	{
		pool = calloc(pool_size, sizeof(Request));
		for (i = 0; i < pool_size; i++)
			pool[i] = make_operation(i);
	}

	/* The soft limit of open files is made for other programs. */
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);

	epoll_fd = epoll_create1(0);
	all = calloc(connections + idle, sizeof(Connection));
	for (i = 0; i < connections + idle; i++)
	{
		struct epoll_event event = {
			.events = EPOLLIN | EPOLLOUT | EPOLLET,.data.ptr = &all[i]
		};

		open_connection(&all[i]);
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, all[i].fd, &event);
	}

	signal(SIGINT, stop);
	parked = calloc(connections, sizeof(Connection *));
	start = due = now();
	deadline = start + (uint64_t) (seconds * 1e9);
	if (rate > 0)
		draw_due();
	for (i = 0; i < connections; i++)
		go_on(&all[i]);
	/* The idle ones are used once, as kept-alive connections have been. */
	for (; i < connections + idle; i++)
		send_next(&all[i], now());

	/* At the end each connection's last reply is waited for. */
	active = connections + idle;
	while (active > 0)
	{
		int			n = wait_for_events(events, 256);

		if (n == 0 && nparked == 0 && !stopped)
			die("no reply for ten seconds");
		for (i = 0; i < n; i++)
		{
			Connection *c = events[i].data.ptr;

			if (c->request == NULL)
			{
				if (events[i].events & EPOLLIN && c - all >= connections)
					die("the server closed an idle connection");
				continue;
			}
			send_more(c);
			/* One request at a time, so nothing can follow this reply. */
			if (!receive(c))
				continue;
			account(c);
			if (c - all < connections && !is_over(deadline))
				go_on(c);
			else
			{
				c->request = NULL;
				active--;
			}
		}
		active -= send_due(!is_over(deadline));
	}
	elapsed = (now() - start) / 1e9;

	/* Those whose turn never came have waited for at least this long. */
	for (; rate > 0 && !from_sent && due < over_at; draw_due())
	{
		record(over_at - due);
		unsent++;
	}
	print_result(elapsed);

	/* Hold the idle connections until whoever looks at the server is done. */
	if (idle > 0)
		while (getchar() != EOF)
			;
	return errors == 0 ? 0 : 1;
}
