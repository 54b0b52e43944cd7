/*-------------------------------------------------------------------------
 *
 * sigv4.h
 *		AWS Signature Version 4: verify one request's signature.
 *
 * Knows no HTTP: the caller hands over the parts that were signed.  Raises
 * the service's error for each way to be wrong, in its order of checks.
 *
 * src/auth/sigv4.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_SIGV4_H
#define DYN_SIGV4_H

#include "lib/stringinfo.h"

#include "auth/principal.h"

typedef struct DynSignedHeader
{
	const char *name;
	uint32		name_len;
	const char *value;
	uint32		value_len;
} DynSignedHeader;

typedef struct DynSignedRequest
{
	const char *method;
	const char *path;
	const char *query;			/* raw, without '?' */
	const DynSignedHeader *headers;
	int			nheaders;
	const char *body;
	uint32		body_len;
	const char *body_hash;		/* by dyn_sigv4_hash_body(), or NULL */
	const char *service;		/* whose request it is: "dynamodb" or "sts" */
	MemoryContext memory;		/* lives as long as the request */
	const struct DynCredentials *credentials;	/* NULL until they have been read */
} DynSignedRequest;

/*
 * Verify.  now: Unix seconds.  Fills *principal (memory: CurrentMemoryContext)
 * or raises one of MISSING_AUTHENTICATION_TOKEN, INCOMPLETE_SIGNATURE,
 * INVALID_SIGNATURE, UNRECOGNIZED_CLIENT, EXPIRED_TOKEN.
 *
 * any_credentials: check only that credentials are there (development
 * setting; the role is then the bootstrap superuser).
 *
 * Needs a transaction if dyn_sigv4_needs_catalog() says so.
 */
extern void dyn_sigv4_verify(DynSignedRequest *request, int64 now,
							 bool any_credentials, DynPrincipal *principal);

/*
 * Compute the body's hash beforehand, for which a large one takes long: it pauses,
 * see base/fiber.h.
 */
extern void dyn_sigv4_hash_body(DynSignedRequest *request);

/*
 * True if verifying this request would read the catalog.  Processes pending
 * invalidation messages first: call it just before dyn_sigv4_verify(), so that
 * a key revoked a moment ago is not taken from the cache.
 */
extern bool dyn_sigv4_needs_catalog(DynSignedRequest *request);

/*
 * The access key that a request names, whether it is the signer's or not; NULL
 * if it names none.  Of printable characters.
 */
extern const char *dyn_sigv4_claimed_key(DynSignedRequest *request);

#endif							/* DYN_SIGV4_H */
