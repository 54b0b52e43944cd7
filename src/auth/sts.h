/*-------------------------------------------------------------------------
 *
 * sts.h
 *		STS: AssumeRole, GetCallerIdentity, GetSessionToken.
 *
 * Knows no HTTP.  A request is what the AWS Query protocol sends: names and
 * values, "Tags.member.1.Key"; the reply is two levels of names.
 *
 * src/auth/sts.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_STS_H
#define DYN_STS_H

#include "lib/stringinfo.h"

#include "auth/caller.h"
#include "base/json.h"

typedef struct DynStsParameter
{
	const char *name;
	const char *value;
} DynStsParameter;

typedef struct DynStsRequest
{
	const char *action;
	int			nparameters;
	const DynStsParameter *parameters;
	DynCaller	caller;			/* identity is set by dyn_sts_run() */
} DynStsRequest;

typedef struct DynStsField
{
	const char *group;			/* "Credentials", or NULL */
	const char *name;
	const char *value;
	bool		is_number;
} DynStsField;

#define DYN_STS_MAX_FIELDS 8

typedef struct DynStsReply
{
	int			nfields;		/* those of a group stand together, and have
								 * the same pointer for it */
	DynStsField fields[DYN_STS_MAX_FIELDS];
} DynStsReply;

/* Is it one of the three? */
extern bool dyn_sts_knows(const char *action);

/*
 * Run it, in a transaction; the reply is in CurrentMemoryContext.  Raises
 * VALIDATION, ACCESS_DENIED, MALFORMED_POLICY_DOCUMENT, PACKED_POLICY_TOO_LARGE.
 */
extern void dyn_sts_run(DynStsRequest *request, DynStsReply *reply);

/*
 * The same with JSON, for a call by SQL: the caller is the current user.  Raises
 * VALIDATION if the request is no object.
 */
extern void dyn_sts_run_json(const char *action, const DynJson *request,
							 StringInfo reply);

#endif							/* DYN_STS_H */
