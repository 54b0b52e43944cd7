/*-------------------------------------------------------------------------
 *
 * audit.h
 *		The audit: who did what, when, from where, and was it allowed.
 *
 * One line of JSON in the server's log for each request, as dynamo.audit says,
 * in the words of AWS CloudTrail.  It holds no secret, and of the request's own
 * contents nothing but names of tables unless dynamo.audit_requests is on.
 *
 * src/operation/audit.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_AUDIT_H
#define DYN_AUDIT_H

#include "base/settings.h"
#include "operation/operation.h"

typedef struct DynAuditEvent
{
	const char *source;			/* "dynamodb.amazonaws.com" */
	const char *name;			/* "PutItem" */
	bool		read_only;
	const char *request_id;		/* or NULL */

	/*
	 * Who: what dyn_audit_identity() has made of a principal, or NULL for one
	 * that has not proved to be who he says; then the key that he names, or NULL.
	 */
	const char *identity;
	const char *claimed_key;

	const char *source_address; /* or NULL */
	const char *user_agent;		/* or NULL */
	bool		secure_transport;

	const DynJson *request;		/* or NULL */
	const char *text;			/* the same as it was sent; or NULL */
	uint32		text_len;
	const char *table_name;		/* what the operation found to be the table, or NULL */

	int			exception;		/* a DynException; -1: it succeeded */
	const char *error_code;		/* in its place, if it is none of ours */
	const char *denial;			/* the message of an AccessDeniedException, or NULL */
	int64		microseconds;
} DynAuditEvent;

/* Is an event of this kind to be logged?  exception as in the event. */
extern bool dyn_audit_wants(bool read_only, int exception);

/*
 * What the audit says of a principal, as JSON.  Needs a transaction.  NULL stands
 * for the current user of a call by SQL.
 */
extern char *dyn_audit_identity(const DynPrincipal *principal);

/* Log it.  Needs no transaction. */
extern void dyn_audit_log(const DynAuditEvent *event);

#endif							/* DYN_AUDIT_H */
