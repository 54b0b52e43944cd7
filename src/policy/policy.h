/*-------------------------------------------------------------------------
 *
 * policy.h
 *		IAM policies: parse a document, ask it about one action.
 *
 * Knows no tables, no principals and no HTTP: who asks, what is asked for and
 * what is known of the request come through DynPolicyContext.
 *
 * src/policy/policy.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_POLICY_H
#define DYN_POLICY_H

/* Where a policy is attached decides what it may and must say. */
typedef enum DynPolicyKind
{
	DYN_POLICY_IDENTITY,		/* to a principal, a boundary, a session: no
								 * Principal */
	DYN_POLICY_RESOURCE,		/* to a table or a stream: with Principal */
	DYN_POLICY_TRUST			/* to a role: with Principal, no Resource */
} DynPolicyKind;

typedef struct DynPolicy DynPolicy;

/*
 * Parse and compile a document, in a context of its own under
 * CurrentMemoryContext, where it may stay for as long as that does.  Returns
 * NULL with *problem, in IAM's words, if it is not a policy of this kind.
 * Raises only for lack of memory.
 */
extern DynPolicy *dyn_policy_parse(const char *text, size_t len,
								   DynPolicyKind kind, const char **problem);

typedef struct DynPolicyText
{
	const char *data;			/* UTF-8, not NUL-terminated; never NULL */
	uint32		len;
} DynPolicyText;

/*
 * Condition keys.  Those with a name behind a slash are the last: the tag's key
 * is in DynPolicyKey.name.  Letters are the same in both cases, in tags' keys,
 * too: dyn_policy_key_equal().
 */
typedef enum DynPolicyKeyKind
{
#define DYN_CONDITION_KEY(kind, name) DYN_KEY_##kind,
#include "policy/condition_key_list.h"
#undef DYN_CONDITION_KEY
	DYN_KEY_OTHER				/* one that no request has */
} DynPolicyKeyKind;

typedef struct DynPolicyKey
{
	DynPolicyKeyKind kind;
	DynPolicyText name;			/* of a tag; or of OTHER, the whole key */
} DynPolicyKey;

/* The key that a text names; key->name points into it. */
extern void dyn_policy_key_parse(const char *text, uint32 len, DynPolicyKey *key);
extern bool dyn_policy_key_equal(const DynPolicyKey *a, const DynPolicyKey *b);

/* "dynamodb:LeadingKeys"; of tags what is before the key; NULL of OTHER. */
extern const char *dyn_policy_key_name(DynPolicyKeyKind kind);

/* What a request says of a condition key. */
typedef enum DynPolicyAnswer
{
	DYN_ANSWER_ABSENT,
	DYN_ANSWER_PRESENT,
	DYN_ANSWER_UNKNOWN			/* it isn't known yet: see DYN_EFFECT_DEPENDS */
} DynPolicyAnswer;

/*
 * Values are texts; numbers, times and booleans as JSON and IAM write them, and
 * binary as base64.  They must last as long as the context: while one key's are
 * looked at, others are asked for.
 */
typedef struct DynPolicyValues
{
	int			count;
	const DynPolicyText *values;
	bool		multivalued;	/* a list by nature, even of one: it can't be
								 * the value of a variable */
} DynPolicyValues;

typedef DynPolicyAnswer (*DynPolicyLookup) (void *arg, const DynPolicyKey *key,
											DynPolicyValues *values);

typedef struct DynPolicyContext
{
	const char *action;			/* "dynamodb:GetItem" */
	const char *resource;		/* an ARN, or "*" for an action without one */

	/*
	 * Who asks, for Principal and NotPrincipal: "arn:aws:iam::1:user/x"; of an
	 * assumed role the session's ARN and the role's.  role_arn may be NULL.
	 */
	const char *account;
	const char *principal_arn;
	const char *role_arn;
	DynPolicyLookup lookup;
	void	   *arg;
} DynPolicyContext;

typedef enum DynEffect
{
	DYN_EFFECT_NONE,			/* no statement says anything of it */
	DYN_EFFECT_ALLOW,
	DYN_EFFECT_DENY,
	DYN_EFFECT_DEPENDS			/* on what lookup called unknown */
} DynEffect;

/*
 * What a policy says, whatever kind of principal it says it of.  A denial that
 * is certain comes before what depends, and
 * that before an allowance.  *statement (may be NULL): the number of the
 * statement that decided, or -1.  Allocates little, raises nothing else.
 */
extern DynEffect dyn_policy_evaluate(const DynPolicy *policy,
									 const DynPolicyContext *context,
									 int *statement);

/* The Sid of a statement, or NULL. */
extern const char *dyn_policy_sid(const DynPolicy *policy, int statement);

/*
 * A number for each condition key a policy looks at, as bits of its kind: a
 * request need not collect what nobody asks for.
 */
extern uint64 dyn_policy_keys(const DynPolicy *policy);

#endif							/* DYN_POLICY_H */
