/*-------------------------------------------------------------------------
 *
 * transport.c
 *		Bytes from and to a client, in the clear or through TLS.
 *
 * OpenSSL reads and writes sockets through a BIO of ours: the same recv() and
 * send() as in the clear, so that what passes is counted in one place.  It notes
 * whether the socket would have blocked: only then does epoll report the
 * connection again, since OpenSSL reads ahead and may hold whole requests.
 *
 * Errors of other users of OpenSSL in this process may still be in its queue,
 * and SSL_get_error() looks there.  So it is emptied before a handshake; reading
 * and writing look into the connection instead, since to empty a queue for each
 * request would be a tenth of what TLS costs.
 *
 * src/http/transport.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http_private.h"
#include "http/tls.h"

static bool
would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK;
}

static ssize_t
socket_read(DynHttpConnection *connection, char *buffer, size_t len)
{
	ssize_t		n;

	do
		n = recv(connection->fd, buffer, len, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		connection->server->statistics.bytes_in += n;
	return n;
}

static ssize_t
socket_writev(DynHttpConnection *connection, const struct iovec *parts,
			  int nparts)
{
	struct msghdr message = {
		.msg_iov = unconstify(struct iovec *, parts),.msg_iovlen = nparts
	};
	ssize_t		n;

	do
		n = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		connection->server->statistics.bytes_out += n;
	return n;
}

/* The BIO */

static int
bio_read(BIO *bio, char *buffer, int len)
{
	DynHttpConnection *connection = BIO_get_data(bio);
	ssize_t		n = socket_read(connection, buffer, len);

	BIO_clear_retry_flags(bio);
	if (n == 0)
		connection->socket_ended = true;
	else if (n < 0 && would_block())
	{
		connection->would_block = true;
		BIO_set_retry_read(bio);
	}
	return n;
}

static int
bio_write(BIO *bio, const char *buffer, int len)
{
	DynHttpConnection *connection = BIO_get_data(bio);
	struct iovec part = {.iov_base = unconstify(char *, buffer),.iov_len = len};
	ssize_t		n = socket_writev(connection, &part, 1);

	BIO_clear_retry_flags(bio);
	if (n < 0 && would_block())
	{
		connection->would_block = true;
		BIO_set_retry_write(bio);
	}
	return n;
}

static long
bio_control(BIO *bio, int command, long number, void *pointer)
{
	DynHttpConnection *connection = BIO_get_data(bio);

	switch (command)
	{
		case BIO_CTRL_EOF:
			return connection->socket_ended;
		case BIO_CTRL_FLUSH:
			return 1;
	}
	return 0;
}

/* The BIO's kind, made once a process; NULL without memory. */
static BIO_METHOD *
bio_method(void)
{
	static BIO_METHOD *method = NULL;

	if (method == NULL)
	{
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
							  "dynamo connection");
		if (method == NULL)
			return NULL;
		BIO_meth_set_read(method, bio_read);
		BIO_meth_set_write(method, bio_write);
		BIO_meth_set_ctrl(method, bio_control);
	}
	return method;
}

bool
dyn_transport_begin_tls(DynHttpConnection *connection, DynTlsContext *tls)
{
	BIO_METHOD *method = bio_method();
	BIO		   *bio = NULL;
	SSL		   *ssl = NULL;

	ERR_clear_error();
	if (method == NULL || (ssl = SSL_new(tls->ssl)) == NULL ||
		(bio = BIO_new(method)) == NULL)
	{
		SSL_free(ssl);
		return false;
	}
	BIO_set_data(bio, connection);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_accept_state(ssl);
	connection->tls = ssl;
	return true;
}

/* Why a handshake has failed; the error is still in the queue. */
static DynTlsFailure
handshake_failure(const DynHttpConnection *connection)
{
	unsigned long code = ERR_peek_error();

	if (code == 0 || connection->socket_ended)
		return DYN_TLS_FAILED_CLOSED;
	if (ERR_GET_LIB(code) == ERR_LIB_SSL)
		switch (ERR_GET_REASON(code))
		{
			case SSL_R_CERTIFICATE_VERIFY_FAILED:
			case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
				return DYN_TLS_FAILED_CERTIFICATE;
			case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
			case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
			case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
			case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
			case SSL_R_TLSV1_ALERT_USER_CANCELLED:
				return DYN_TLS_FAILED_CLOSED;
		}
	return DYN_TLS_FAILED_PROTOCOL;
}

DynHandshake
dyn_transport_handshake(DynHttpConnection *connection)
{
	DynHttpStatistics *statistics = &connection->server->statistics;
	DynTlsFailure failure;
	int			result;

	ERR_clear_error();
	result = SSL_do_handshake(connection->tls);
	if (result == 1)
	{
		statistics->handshakes++;
		if (SSL_session_reused(connection->tls))
			statistics->resumed++;
		return DYN_HANDSHAKE_DONE;
	}
	switch (SSL_get_error(connection->tls, result))
	{
		case SSL_ERROR_WANT_READ:
			return DYN_HANDSHAKE_READ;
		case SSL_ERROR_WANT_WRITE:
			return DYN_HANDSHAKE_WRITE;
	}
	failure = handshake_failure(connection);
	statistics->handshakes_failed[failure]++;
	ereport(DEBUG1,
			(errmsg_internal("TLS handshake with %s failed: %s",
							 connection->peer_address,
							 failure == DYN_TLS_FAILED_CLOSED &&
							 ERR_peek_error() == 0 ? "connection closed" :
							 dyn_tls_error())));
	return DYN_HANDSHAKE_FAILED;
}

/*
 * What a call that has not succeeded waits for: SSL_READING, SSL_WRITING, or
 * SSL_NOTHING, because it has failed or the client has finished.
 */
static int
waits_for(const DynHttpConnection *connection)
{
	return BIO_should_retry(SSL_get_rbio(connection->tls)) ?
		SSL_want(connection->tls) : SSL_NOTHING;
}

/*
 * As read(2).  Fills the buffer as far as there is anything: OpenSSL gives at
 * most one record at a time.
 */
static ssize_t
tls_read(DynHttpConnection *connection, char *buffer, size_t len)
{
	size_t		total = 0;

	connection->would_block = connection->read_wants_write = false;
	/* Each round takes a record, of which a client may send empty ones. */
	for (int i = 0; i < 16 && total < len; i++)
	{
		int			n;

		n = SSL_read(connection->tls, buffer + total,
					 Min(len - total, INT_MAX));
		if (n > 0)
		{
			total += n;
			if (!SSL_has_pending(connection->tls))
				break;
			continue;
		}
		switch (waits_for(connection))
		{
			case SSL_READING:
				break;
			case SSL_WRITING:
				connection->read_wants_write = true;
				break;
			default:
				/* The end is told again when there is nothing before it. */
				if (SSL_get_shutdown(connection->tls) & SSL_RECEIVED_SHUTDOWN)
					return total;
				/* Nothing can be sent any more, either. */
				connection->broken = true;
				ERR_clear_error();
				if (total > 0)
					return total;
				errno = ECONNRESET;
				return -1;
		}
		if (connection->would_block)
			break;
	}
	if (total > 0)
		return total;
	errno = EAGAIN;
	return -1;
}

/* As writev(2). */
static ssize_t
tls_writev(DynHttpConnection *connection, const struct iovec *parts, int nparts)
{
	size_t		total = 0;

	for (int i = 0; i < nparts; i++)
	{
		size_t		done = 0;

		while (done < parts[i].iov_len)
		{
			int			n;

			n = SSL_write(connection->tls, (char *) parts[i].iov_base + done,
						  Min(parts[i].iov_len - done, INT_MAX));
			if (n > 0)
			{
				done += n;
				total += n;
				continue;
			}
			if (total > 0)
				return total;	/* a failure shows again the next time */
			errno = waits_for(connection) == SSL_WRITING ? EAGAIN : ECONNRESET;
			return -1;
		}
	}
	return total;
}

ssize_t
dyn_transport_read(DynHttpConnection *connection, char *buffer, size_t len)
{
	return connection->tls != NULL ? tls_read(connection, buffer, len) :
		socket_read(connection, buffer, len);
}

ssize_t
dyn_transport_writev(DynHttpConnection *connection, const struct iovec *parts,
					 int nparts)
{
	return connection->tls != NULL ? tls_writev(connection, parts, nparts) :
		socket_writev(connection, parts, nparts);
}

bool
dyn_transport_has_more(const DynHttpConnection *connection)
{
	if (connection->tls == NULL || connection->would_block)
		return false;
	return SSL_has_pending(connection->tls) ||
		(SSL_get_shutdown(connection->tls) & SSL_RECEIVED_SHUTDOWN) != 0;
}

bool
dyn_transport_discard(DynHttpConnection *connection)
{
	DynHttpServer *server = connection->server;
	ssize_t		n = socket_read(connection, server->scratch,
								sizeof(server->scratch));

	return n > 0 || (n < 0 && would_block());
}

/* Tell the client, if it can still be told. */
static void
notify_close(DynHttpConnection *connection)
{
	ERR_clear_error();
	if (connection->tls != NULL && !connection->broken &&
		SSL_is_init_finished(connection->tls))
		(void) SSL_shutdown(connection->tls);
}

void
dyn_transport_end(DynHttpConnection *connection)
{
	notify_close(connection);
	dyn_transport_free(connection);
}

void
dyn_transport_free(DynHttpConnection *connection)
{
	SSL_free(connection->tls);
	connection->tls = NULL;
	ERR_clear_error();
}
