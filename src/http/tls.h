/*-------------------------------------------------------------------------
 *
 * tls.h
 *		The endpoint's certificate and how TLS is spoken: one context a worker.
 *
 * Each worker loads the files itself, at its start and at each reload.  A
 * connection keeps the context it was begun with, so a reload changes nothing
 * for those that are open.  The keys of session tickets are the one thing that
 * has to be the same in all workers: they lie in shared memory.
 *
 * OpenSSL's memory is not palloc's: contexts and sessions are freed by hand,
 * and nothing between their making and that raises an error.
 *
 * src/http/tls.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_TLS_H
#define DYN_TLS_H

#include <openssl/ssl.h>

#include "http/http.h"

/* How long a ticket can be used, and its key is: an hour, in ms. */
#define DYN_TLS_TICKET_PERIOD	(60 * 60 * 1000)

typedef struct DynTlsContext
{
	SSL_CTX    *ssl;
	uint32		ticket_generation;	/* of the key it makes tickets with */
	int64		expires;		/* seconds since 1970: the certificate's end */
} DynTlsContext;

/*
 * Read the files and make a context of them, in TopMemoryContext; NULL, with the
 * reason logged, if they don't do.
 */
extern DynTlsContext *dyn_tls_load(const DynTlsOptions *options);

/* Free it; connections that use it go on. */
extern void dyn_tls_free(DynTlsContext *tls);

/*
 * Make tickets with the key of the hour, which this makes a new one if it is
 * time.  now: ms of the monotonic clock.  Returns when to call again at the
 * latest.
 */
extern int64 dyn_tls_refresh_tickets(DynTlsContext *tls, int64 now);

/* The reason OpenSSL gives for the failure it has just reported. */
extern const char *dyn_tls_error(void);

/*
 * PostgreSQL's own check of a private key's owner and mode, which logs what is
 * wrong.  Its header, libpq/libpq.h, wants those of GSSAPI, which need not be
 * there where an extension is built.
 */
extern bool check_ssl_key_file_permissions(const char *ssl_key_file,
										   bool isServerStart);

#endif							/* DYN_TLS_H */
