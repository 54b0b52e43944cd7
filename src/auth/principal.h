/*-------------------------------------------------------------------------
 *
 * principal.h
 *		Who asks: a PostgreSQL role, with IAM's policies attached to it.
 *
 * IAM's users, groups and roles are PostgreSQL roles.  A role with an access
 * key is a user; a role that has others as members is a group, and the policies
 * attached to it are its members', too (as far as they inherit its privileges);
 * a role with a trust policy can be assumed, for credentials that expire.  So
 * DROP ROLE, GRANT and SET ROLE mean what an administrator expects, and a call
 * by SQL has the same principal as one by HTTP: the current role.
 *
 * src/auth/principal.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_PRINCIPAL_H
#define DYN_PRINCIPAL_H

#include "datatype/timestamp.h"

#include "policy/decision.h"

typedef struct DynPrincipalTag
{
	DynPolicyText key;
	DynPolicyText value;
} DynPrincipalTag;

/*
 * What a role is as a principal.  Cached per process, and valid to the end of
 * the transaction.
 */
typedef struct DynIdentity
{
	Oid			role;
	bool		is_superuser;
	const char *name;			/* the PostgreSQL role's */
	const char *arn;			/* "arn:aws:iam::<account>:user/<name>", or
								 * ".../role/<name>" if it can be assumed */
	const char *user_id;		/* aws:userid: "AIDA..." or "AROA..." */
	bool		is_role;		/* it has a trust policy */

	/* Of the role itself and of all it is a member of. */
	int			npolicies;
	const DynNamedPolicy *policies;
	const DynNamedPolicy *boundary; /* or NULL */
	int			ntags;
	const DynPrincipalTag *tags;
} DynIdentity;

/*
 * Temporary credentials: an assumed role's, or a user's own (GetSessionToken);
 * as their token says.
 */
typedef struct DynSession
{
	Oid			role;
	const char *name;			/* NULL: a user's own */
	const char *arn;			/* "arn:aws:sts::<account>:assumed-role/<role>/<name>",
								 * or the user's */
	const char *user_id;		/* aws:userid: "AROA...:<name>", or the user's */
	const char *source_identity;	/* or NULL */
	int64		issued;			/* Unix seconds */
	int64		expires;
	const DynNamedPolicy *policy;	/* session policy, or NULL */
	int			ntags;			/* before the role's own */
	const DynPrincipalTag *tags;
	int			ntransitive;	/* the first of them go on to further roles */
} DynSession;

typedef struct DynPrincipal
{
	const char *access_key_id;	/* NULL: a call by SQL */
	Oid			role;			/* whose privileges count in SQL */
	const DynSession *session;	/* or NULL; lives as long as the principal */
	bool		is_unproven;	/* dynamo.accept_any_credentials let him in */
} DynPrincipal;

/*
 * The identity of a role.  Needs a transaction; raises if the role does not
 * exist.
 */
extern const DynIdentity *dyn_identity(Oid role);

/*
 * A number that changes with everything dyn_identity() says: policies,
 * attachments, memberships, roles, tags.
 */
extern uint64 dyn_identity_generation(void);

#endif							/* DYN_PRINCIPAL_H */
