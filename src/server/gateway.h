/*-------------------------------------------------------------------------
 *
 * gateway.h
 *		From an HTTP request to an operation, and from its reply to HTTP.
 *
 * src/server/gateway.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_GATEWAY_H
#define DYN_GATEWAY_H

#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "portability/instr_time.h"

#include "access/xlogdefs.h"
#include "auth/sigv4.h"
#include "http/http.h"
#include "operation/operation.h"

#define DYN_REQUEST_ID_LENGTH 52

/* What is to be done for a request. */
typedef enum DynWorkKind
{
	DYN_WORK_UNREAD,			/* not known: dyn_gateway_read() tells */
	DYN_WORK_ANSWERED,			/* nothing: status and reply are set */
	DYN_WORK_READINESS,			/* GET /ready */
	DYN_WORK_OPERATION,
	DYN_WORK_STS				/* sts_door.h */
} DynWorkKind;

/*
 * One request on its way.  Lives in the request's memory, and so do the reply
 * and all an operation allocates for it: none of it is a transaction's.
 */
typedef struct DynWork
{
	dlist_node	node;			/* in exactly one of the worker's queues */
	DynHttpRequest *http;
	DynWorkKind kind;
	char		request_id[DYN_REQUEST_ID_LENGTH + 1];

	const DynOperation *operation;	/* NULL: none, or STS */
	struct DynStsRequest *sts;
	DynAccess	access;			/* of this request */
	const DynJson *json;		/* NULL: the body was empty, or is not read yet */
	bool		body_unread;	/* it is read when it is known who sends it */
	Size		memory;			/* of a large request, accounted for */
	DynSignedRequest signed_parts;
	bool		authenticated;
	DynPrincipal principal;
	DynOperationContext context;

	/* The reply. */
	int			status;
	int			exception;		/* DynException, or -1 */
	const char *content_type;
	const char *headers;		/* further header lines, or NULL */
	StringInfoData reply;

	/* For the audit. */
	const char *identity;		/* who asks, as JSON, once that is known */
	const char *denial;			/* an AccessDeniedException's message */

	/* How it goes. */
	bool		executed;		/* and committed; its reply is being compressed */
	bool		begun;			/* has been run, be it in part or in vain */
	bool		alone;			/* in a transaction of its own */
	bool		costly;			/* in slices of time, when nobody else waits */
	DynOutcome	outcome;
	XLogRecPtr	lsn;			/* WAL the reply waits for */
	instr_time	held_since;
	int			tries;			/* times it met a running transaction */
	int64		not_before;		/* us of the monotonic clock: next try */
	int64		give_up;		/* us: don't try again */
} DynWork;

/*
 * Take a request in: no transaction, no error is raised.  later: don't look into
 * it before dyn_gateway_read() if that is much work; it may never be run.
 */
extern DynWork *dyn_gateway_accept(DynHttpRequest *http, bool later);
extern void dyn_gateway_read(DynWork *work);

/*
 * Who asks, and is there a body?  Raises the service's errors.  If it needs the
 * catalog it must be called in a transaction, which an error leaves in need of
 * an abort; if not, it touches nothing that would have to be cleaned up.
 */
extern bool dyn_gateway_needs_catalog(DynWork *work);
extern void dyn_gateway_authenticate(DynWork *work);

/*
 * Compute the hash of a body that was left unread; before its sender is
 * authenticated.  For us microseconds at most: false if it has to be called
 * again.
 */
extern bool dyn_gateway_hash_body(DynWork *work, int us);

/*
 * Read such a body once its sender is known, in the same way.  If it is left
 * unread still, the work is refused with that.  Raises SerializationException,
 * and for lack of memory.
 */
extern bool dyn_gateway_read_body(DynWork *work, int us);

/* Is there a large reply to be compressed?  Do so, in the same way. */
extern bool dyn_gateway_wants_compression(const DynWork *work);
extern bool dyn_gateway_compress(DynWork *work, int us);

/* Does it use the fiber, or will it next? */
extern bool dyn_gateway_needs_fiber(const DynWork *work);

/* Note for the audit who asks, where that is wanted.  Needs a transaction. */
extern void dyn_gateway_identify(DynWork *work);

/* Set the reply to an exception, an error, or that others were in the way. */
extern void dyn_gateway_refuse(DynWork *work, DynException exception,
							   const char *message, const char *members);
extern void dyn_gateway_refuse_error(DynWork *work, const ErrorData *error);
extern void dyn_gateway_refuse_conflict(DynWork *work);

/* Send the reply; frees the request and the work. */
extern void dyn_gateway_answer(DynWork *work);

/* Has a large request or answer been done with since this was last asked? */
extern bool dyn_gateway_had_large(void);

#endif							/* DYN_GATEWAY_H */
