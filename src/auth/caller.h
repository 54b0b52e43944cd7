/*-------------------------------------------------------------------------
 *
 * caller.h
 *		What policies' conditions may ask of who asks: the keys aws:*.
 *
 * Of what he asks for (resource, tags of the request, dynamodb:*) whoever runs
 * the request knows more.
 *
 * src/auth/caller.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_CALLER_H
#define DYN_CALLER_H

#include "auth/principal.h"

typedef struct DynCaller
{
	/* Set by who makes it. */
	const DynPrincipal *principal;
	const DynIdentity *identity;	/* of the principal's role */
	const char *source_address; /* NULL: a call by SQL */
	bool		secure_transport;
	const char *user_agent;		/* or NULL */
	const char *referer;		/* or NULL */

	/*
	 * Room for answers; one for each key, as one may be compared with another.
	 * Need not be initialized.
	 */
	DynPolicyText texts[DYN_KEY_OTHER + 1];
	char		times[3][24];
} DynCaller;

/*
 * The value of a key; ABSENT for those that are not the caller's.  Valid as long
 * as *caller and what it points to.
 */
extern DynPolicyAnswer dyn_caller_key(DynCaller *caller,
									  const DynPolicyKey *key,
									  DynPolicyValues *values);

/*
 * How a policy names him: fills the context's account, principal_arn and
 * role_arn.
 */
extern void dyn_caller_context(const DynCaller *caller,
							   DynPolicyContext *context);

#endif							/* DYN_CALLER_H */
