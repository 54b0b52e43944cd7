/*-------------------------------------------------------------------------
 *
 * decision.c
 *		One decision from all the policies that have a say.
 *
 * With what is not known yet, each policy's word is TRUE, FALSE or UNKNOWN, and
 * so is the whole.  It DEPENDS only if it is neither for certain: what an
 * unknown condition might deny does not matter where nobody allows anything.
 *
 * src/policy/decision.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "policy/decision.h"
#include "policy/policy_tree.h"
#include "utils/builtins.h"

/* Something that was said, and by whom. */
typedef struct Word
{
	DynTruth	truth;
	DynPolicySource source;
	const DynNamedPolicy *policy;
	int			statement;
} Word;

static const Word nothing = {DYN_FALSE, DYN_SOURCE_NONE, NULL, -1};

static Word
either(Word a, Word b)
{
	return b.truth > a.truth ? b : a;
}

static Word
both(Word a, Word b)
{
	return b.truth < a.truth ? b : a;
}

static Word
allowance(const DynVerdict *verdict, DynNamed by, DynPolicySource source,
		  const DynNamedPolicy *policy)
{
	return (Word) {verdict->allow[by], source, policy, verdict->allow_statement[by]};
}

static Word
denial(const DynVerdict *verdict, DynPolicySource source,
	   const DynNamedPolicy *policy)
{
	return (Word) {verdict->deny, source, policy, verdict->deny_statement};
}

static void
decide(DynDecision *decision, DynEffect effect, bool is_explicit, Word word)
{
	decision->effect = effect;
	decision->is_explicit = is_explicit;
	decision->source = word.source;
	decision->policy = word.policy;
	decision->statement = word.statement;
}

void
dyn_decide(const DynPolicySet *policies, const DynPolicyContext *context,
		   DynDecision *decision)
{
	static const Word unlimited = {DYN_TRUE, DYN_SOURCE_NONE, NULL, -1};
	DynPolicyRequest request;
	DynVerdict	verdict;
	Word		deny = nothing;
	Word		identity = nothing;
	Word		limit = unlimited;
	Word		base;
	Word		directly;
	Word		allow;
	const DynNamedPolicy *const limits[] = {policies->boundary, policies->session};
	bool		is_trust = policies->resource != NULL &&
	policies->resource->policy->kind == DYN_POLICY_TRUST;

	dyn_policy_prepare(context, &request);

	/* Who is first in this order gives a denial its message. */
	for (int i = 0; i < policies->nidentity; i++)
	{
		const DynNamedPolicy *policy = &policies->identity[i];

		dyn_policy_judge(policy->policy, &request, &verdict);
		deny = either(deny, denial(&verdict, DYN_SOURCE_IDENTITY, policy));
		if (deny.truth == DYN_TRUE)
		{
			decide(decision, DYN_EFFECT_DENY, true, deny);
			return;
		}
		identity = either(identity, allowance(&verdict, DYN_NAMED_DIRECTLY,
											  DYN_SOURCE_IDENTITY, policy));
	}
	if (policies->granted)
		identity = either(identity, (Word) {DYN_TRUE, DYN_SOURCE_GRANT, NULL, -1});

	for (int i = 0; i < lengthof(limits); i++)
	{
		DynPolicySource source = i == 0 ? DYN_SOURCE_BOUNDARY : DYN_SOURCE_SESSION;

		if (limits[i] == NULL)
			continue;
		dyn_policy_judge(limits[i]->policy, &request, &verdict);
		deny = either(deny, denial(&verdict, source, limits[i]));
		if (deny.truth == DYN_TRUE)
		{
			decide(decision, DYN_EFFECT_DENY, true, deny);
			return;
		}
		limit = both(limit, allowance(&verdict, DYN_NAMED_DIRECTLY, source,
									  limits[i]));
	}

	base = identity;
	directly = nothing;
	if (policies->resource != NULL)
	{
		DynPolicySource source = is_trust ? DYN_SOURCE_TRUST : DYN_SOURCE_RESOURCE;

		dyn_policy_judge(policies->resource->policy, &request, &verdict);
		deny = either(deny, denial(&verdict, source, policies->resource));
		if (deny.truth == DYN_TRUE)
		{
			decide(decision, DYN_EFFECT_DENY, true, deny);
			return;
		}

		/* Of all that lets a role be assumed, its trust policy is a part. */
		if (is_trust)
			base = both(allowance(&verdict, DYN_NAMED_BY_ACCOUNT, source,
								  policies->resource), identity);
		base = either(base, allowance(&verdict, DYN_NAMED_BY_ROLE, source,
									  policies->resource));
		directly = allowance(&verdict, DYN_NAMED_DIRECTLY, source,
							 policies->resource);
	}
	allow = either(both(base, limit), directly);

	if (allow.truth == DYN_FALSE)
		decide(decision, DYN_EFFECT_DENY, false, allow);
	else if (deny.truth == DYN_UNKNOWN)
		decide(decision, DYN_EFFECT_DEPENDS, false, deny);
	else
		decide(decision, allow.truth == DYN_TRUE ? DYN_EFFECT_ALLOW :
			   DYN_EFFECT_DEPENDS, false, allow);
}

char *
dyn_decision_message(const DynDecision *decision, const DynPolicyContext *context)
{
	/* The words of AWS's page on error messages about denied access. */
	static const struct
	{
		const char *explicitly;
		const char *implicitly;
	}			kinds[] =
	{
		[DYN_SOURCE_NONE] = {NULL, "identity-based policy"},
		[DYN_SOURCE_GRANT] = {NULL, "identity-based policy"},
		[DYN_SOURCE_IDENTITY] = {"an identity-based policy", "identity-based policy"},
		[DYN_SOURCE_BOUNDARY] = {"a permissions boundary", "permissions boundary"},
		[DYN_SOURCE_SESSION] = {"a session policy", "session policy"},
		[DYN_SOURCE_RESOURCE] = {"a resource-based policy", "resource-based policy"},
		[DYN_SOURCE_TRUST] = {"the role trust policy", "role trust policy"},
	};
	char	   *asked = psprintf("User: %s is not authorized to perform: %s on resource: %s",
								 context->principal_arn, context->action,
								 context->resource);

	if (decision->is_explicit)
		return psprintf("%s with an explicit deny in %s", asked,
						kinds[decision->source].explicitly);
	return psprintf("%s because no %s allows the %s action", asked,
					kinds[decision->source].implicitly, context->action);
}
