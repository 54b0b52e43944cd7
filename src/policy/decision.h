/*-------------------------------------------------------------------------
 *
 * decision.h
 *		One decision from all the policies that have a say.
 *
 * The order is IAM's: an explicit denial anywhere refuses.  Then it takes an
 * allowance, by an identity policy, by SQL's privileges or by the resource's
 * policy; and, where there is a permissions boundary or a session policy, one
 * by each of these too.  What a resource's policy allows counts by whom it names:
 *
 *	a user, a session, everybody	allowed, whatever boundary and session policy say
 *	a role							as an identity policy of the role
 *	the account						nothing yet: it leaves it to identity policies
 *
 * A role's trust policy stands for its resource policy; without its allowance
 * nobody assumes the role, and one to the account takes an identity policy's or
 * SQL's as well.
 *
 * src/policy/decision.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_DECISION_H
#define DYN_DECISION_H

#include "policy/policy.h"

typedef struct DynNamedPolicy
{
	const char *name;
	const char *attached_to;	/* whose it is: a role's name, a resource's ARN */
	const DynPolicy *policy;
} DynNamedPolicy;

typedef struct DynPolicySet
{
	int			nidentity;
	const DynNamedPolicy *identity;
	const DynNamedPolicy *boundary; /* or NULL */
	const DynNamedPolicy *session;	/* or NULL */
	const DynNamedPolicy *resource; /* or NULL; a trust policy for AssumeRole */
	bool		granted;		/* SQL's privileges allow it */
} DynPolicySet;

/* Which kind of policy decided; the order is that of the messages' texts. */
typedef enum DynPolicySource
{
	DYN_SOURCE_NONE,			/* nobody allows it */
	DYN_SOURCE_GRANT,
	DYN_SOURCE_IDENTITY,
	DYN_SOURCE_BOUNDARY,
	DYN_SOURCE_SESSION,
	DYN_SOURCE_RESOURCE,
	DYN_SOURCE_TRUST
} DynPolicySource;

typedef struct DynDecision
{
	DynEffect	effect;			/* ALLOW, DENY or DEPENDS; never NONE */
	bool		is_explicit;	/* a DENY that a statement says */

	/*
	 * Who allowed it, or denied it; of an implicit DENY, who failed to allow it
	 * (NONE: neither identity policy nor resource policy nor grant).  Of DEPENDS
	 * who is not sure.
	 */
	DynPolicySource source;
	const DynNamedPolicy *policy;	/* or NULL */
	int			statement;		/* in it, or -1 */
} DynDecision;

extern void dyn_decide(const DynPolicySet *policies,
					   const DynPolicyContext *context, DynDecision *decision);

/*
 * What AccessDeniedException says, in CurrentMemoryContext: "User: ... is not
 * authorized to perform: ... on resource: ... because no identity-based policy
 * allows the dynamodb:GetItem action".
 */
extern char *dyn_decision_message(const DynDecision *decision,
								  const DynPolicyContext *context);

#endif							/* DYN_DECISION_H */
