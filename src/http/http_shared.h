/*-------------------------------------------------------------------------
 *
 * http_shared.h
 *		What the HTTP workers share in PostgreSQL's shared memory.
 *
 * src/http/http_shared.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_HTTP_SHARED_H
#define DYN_HTTP_SHARED_H

/* As SSL_CTX_set_tlsext_ticket_keys() wants it: name, HMAC key, AES key. */
#define DYN_HTTP_TICKET_KEY_SIZE	80

/* Ask for the memory; in the postmaster, while it loads the library. */
extern void dyn_http_shared_request(void);

/*
 * The key of session tickets at a time (ms of the monotonic clock), copied to
 * *key unless have is its generation.  Makes a new one, with the next
 * generation, if the old one's time is over.  Returns when its time is.
 */
extern int64 dyn_http_ticket_key(int64 now, uint32 have, unsigned char *key,
								 uint32 *generation);

#endif							/* DYN_HTTP_SHARED_H */
