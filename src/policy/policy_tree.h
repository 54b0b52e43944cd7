/*-------------------------------------------------------------------------
 *
 * policy_tree.h
 *		What a policy document becomes; for this directory only.
 *
 * Everything that a document says is parsed once: numbers, times and networks
 * are values, patterns are cut into their parts, ARNs into their segments.  All
 * of it lies in the policy's memory context; texts lie in one piece there.
 *
 * src/policy/policy_tree.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_POLICY_TREE_H
#define DYN_POLICY_TREE_H

#include "common/hashfn.h"
#include "policy/policy.h"

/* So ordered that AND is the lesser, OR the greater, NOT the mirror image. */
typedef enum DynTruth
{
	DYN_FALSE,
	DYN_UNKNOWN,
	DYN_TRUE
} DynTruth;

static inline DynTruth
dyn_truth_not(DynTruth a)
{
	return (DynTruth) (DYN_TRUE - a);
}

static inline DynTruth
dyn_truth_and(DynTruth a, DynTruth b)
{
	return a < b ? a : b;
}

static inline DynTruth
dyn_truth_or(DynTruth a, DynTruth b)
{
	return a > b ? a : b;
}

static inline DynTruth
dyn_truth(bool known)
{
	return known ? DYN_TRUE : DYN_FALSE;
}

/*
 * A pattern: text, variables and wildcards in a row.
 */
typedef struct DynPolicyVariable
{
	DynPolicyKey key;
	bool		has_default;
	DynPolicyText fallback;
} DynPolicyVariable;

typedef enum DynPatternPartKind
{
	DYN_PART_TEXT,
	DYN_PART_VARIABLE,
	DYN_PART_ONE,				/* ? */
	DYN_PART_ANY,				/* *; never two in a row */
	DYN_PART_ONE_WITHIN,		/* the same within a segment of an ARN: no colon */
	DYN_PART_ANY_WITHIN
} DynPatternPartKind;

typedef struct DynPatternPart
{
	DynPatternPartKind kind;
	uint32		len;
	union
	{
		const char *text;
		const DynPolicyVariable *variable;
	}			u;
} DynPatternPart;

typedef struct DynPattern
{
	uint32		nparts;
	uint16		nvariables;
	bool		open;			/* segments at the end are left out: any will do */
	const DynPatternPart *parts;
} DynPattern;

/* What counts in a pattern's text. */
#define DYN_PATTERN_WILDCARDS	0x1
#define DYN_PATTERN_VARIABLES	0x2

/*
 * It is that of a resource: before its fifth colon, a "*" goes beyond a colon
 * only if it ends its segment, and a "?" never does.
 */
#define DYN_PATTERN_RESOURCE	0x4

/*
 * Compile a pattern into CurrentMemoryContext; its parts point into text.
 * Returns false, with the pattern useless, if a variable isn't one.
 */
extern bool dyn_pattern_compile(const char *text, uint32 len, int flags,
								DynPattern *pattern);

/*
 * Does the pattern match all of a text?  FALSE if a variable has no value;
 * UNKNOWN if it would take a value that is not known.  To *lacking is added (by OR) whether a variable
 * has no value.  With fold, capital letters are as small ones: the pattern's own
 * must have been folded.
 */
extern DynTruth dyn_pattern_match(const DynPattern *pattern,
								  const DynPolicyContext *context,
								  const char *text, uint32 len, bool fold,
								  DynTruth *lacking);

/* A to Z, and in UTF-8 those of Latin-1, which keeps the length. */
extern void dyn_policy_fold(char *text, uint32 len);

/*
 * For conditions on ARNs.  An ARN's segments are what is between its first five
 * colons, and the rest.
 */
#define DYN_ARN_SEGMENTS	6
#define DYN_ARN_RESOURCE	5	/* the last segment */

typedef struct DynArn
{
	int			count;			/* DYN_ARN_SEGMENTS, or it is no ARN */
	DynPolicyText segments[DYN_ARN_SEGMENTS];
} DynArn;

/* Compared segment by segment. */
typedef struct DynArnPattern
{
	bool		any;			/* "*" alone */
	bool		never;			/* too few segments to match any ARN */
	bool		has_variables;
	DynPattern	segments[DYN_ARN_SEGMENTS];
} DynArnPattern;

/* Colons within variables, if there are any, divide nothing. */
extern void dyn_arn_split(const char *text, uint32 len, bool variables,
						  DynArn *arn);

/* As dyn_pattern_compile() and dyn_pattern_match(). */
extern bool dyn_arn_pattern_compile(const char *text, uint32 len, int flags,
									DynArnPattern *pattern);
extern DynTruth dyn_arn_pattern_match(const DynArnPattern *pattern,
									  const DynPolicyContext *context,
									  const DynArn *arn, DynTruth *lacking);

/*
 * Values other than text.
 */
#define DYN_DECIMAL_DIGITS	48

/* sign * 0.digits * 10^magnitude; digits neither begin nor end with 0. */
typedef struct DynDecimal
{
	int			sign;			/* 0 of zero, which has no digits */
	int			magnitude;
	int			ndigits;
	char		digits[DYN_DECIMAL_DIGITS];
} DynDecimal;

extern bool dyn_decimal_parse(const char *text, uint32 len, DynDecimal *number);
extern int	dyn_decimal_compare(const DynDecimal *a, const DynDecimal *b);

/* A point in time, since 1970 in UTC. */
typedef struct DynInstant
{
	int64		seconds;
	int32		nanoseconds;
} DynInstant;

extern bool dyn_instant_parse(const char *text, uint32 len, DynInstant *instant);
extern int	dyn_instant_compare(const DynInstant *a, const DynInstant *b);

/* An IPv4 address within IPv6 is the IPv4 address. */
typedef struct DynNetwork
{
	bool		is_ipv6;
	uint8		bits;
	uint8		address[16];
} DynNetwork;

/* With a prefix length or, for one address, without. */
extern bool dyn_network_parse(const char *text, uint32 len, DynNetwork *network);
extern bool dyn_network_contains(const DynNetwork *network,
								 const DynNetwork *address);

/*
 * Statements.
 */
typedef enum DynOperatorFamily
{
	DYN_OPERATOR_STRING,		/* Binary, too: base64 has one text for a value */
	DYN_OPERATOR_STRING_FOLDED, /* Bool, too */
	DYN_OPERATOR_NUMERIC,
	DYN_OPERATOR_DATE,
	DYN_OPERATOR_IP,
	DYN_OPERATOR_ARN,
	DYN_OPERATOR_NULL
} DynOperatorFamily;

typedef enum DynComparison
{
	DYN_COMPARE_EQUAL,
	DYN_COMPARE_LESS,
	DYN_COMPARE_LESS_EQUAL,
	DYN_COMPARE_GREATER,
	DYN_COMPARE_GREATER_EQUAL
} DynComparison;

typedef enum DynQuantifier
{
	DYN_QUANTIFIER_NONE,
	DYN_QUANTIFIER_ALL,
	DYN_QUANTIFIER_ANY
} DynQuantifier;

typedef struct DynPolicyCondition
{
	DynOperatorFamily family;
	DynComparison comparison;
	DynQuantifier quantifier;
	bool		negated;
	bool		if_exists;
	DynPolicyKey key;
	uint32		nvalues;
	union
	{
		const DynPattern *patterns;
		const DynDecimal *numbers;
		const DynInstant *instants;
		const DynNetwork *networks;
		const DynArnPattern *arns;
		struct
		{
			bool		if_absent;
			bool		if_present;
		}			null;
	}			u;
} DynPolicyCondition;

typedef enum DynPrincipalKind
{
	DYN_PRINCIPAL_EVERYBODY,
	DYN_PRINCIPAL_ACCOUNT,		/* its number, or its root's ARN */
	DYN_PRINCIPAL_ROLE,			/* by ARN */
	DYN_PRINCIPAL_DIRECT,		/* a user or a session, by ARN */
	DYN_PRINCIPAL_ELSEWHERE		/* a service, a federated user: nobody here */
} DynPrincipalKind;

typedef struct DynPolicyPrincipal
{
	DynPrincipalKind kind;
	DynPolicyText text;			/* ARN or account number */
} DynPolicyPrincipal;

typedef struct DynPolicyStatement
{
	const char *sid;			/* or NULL */
	bool		deny;
	bool		not_action;
	bool		not_resource;
	bool		not_principal;
	bool		any_action;		/* "*" is among them */
	bool		any_resource;

	/* Actions in lower case, those with wildcards first. */
	uint32		nactions;
	uint32		nwildcards;
	uint64		action_bits;	/* of the others, dyn_action_bit() */
	const DynPattern *actions;

	uint32		nresources;		/* 0 in a trust policy */
	const DynPattern *resources;
	uint32		nprincipals;	/* 0 in an identity policy */
	const DynPolicyPrincipal *principals;
	uint32		nconditions;
	const DynPolicyCondition *conditions;
} DynPolicyStatement;

struct DynPolicy
{
	DynPolicyKind kind;
	uint64		keys;			/* bits of DynPolicyKeyKind */
	int			nstatements;
	const DynPolicyStatement *statements;
};

/* Which of 64 bits stands for an action. */
static inline uint64
dyn_action_bit(const char *action, uint32 len)
{
	return UINT64CONST(1) << (hash_bytes((const unsigned char *) action, len) & 63);
}

/*
 * A request, prepared once for all policies that have a say.
 */
typedef struct DynPolicyRequest
{
	const DynPolicyContext *context;
	const char *action;			/* in lower case */
	uint32		action_len;
	uint64		action_bit;
	uint32		resource_len;
	char		buffer[64];		/* the action, if it fits */
} DynPolicyRequest;

extern void dyn_policy_prepare(const DynPolicyContext *context,
							   DynPolicyRequest *request);

/* How a statement names who asks. */
typedef enum DynNamed
{
	DYN_NAMED_DIRECTLY,			/* in an identity policy, too */
	DYN_NAMED_BY_ROLE,
	DYN_NAMED_BY_ACCOUNT,
	DYN_NAMED_NOT
} DynNamed;

/* What a policy says, and by which statements; these are -1 where none. */
typedef struct DynVerdict
{
	DynTruth	deny;
	int			deny_statement;
	DynTruth	allow[DYN_NAMED_NOT];
	int			allow_statement[DYN_NAMED_NOT];
} DynVerdict;

/* If it denies for certain, what it allows is left out. */
extern void dyn_policy_judge(const DynPolicy *policy,
							 const DynPolicyRequest *request,
							 DynVerdict *verdict);

#endif							/* DYN_POLICY_TREE_H */
