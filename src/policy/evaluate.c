/*-------------------------------------------------------------------------
 *
 * evaluate.c
 *		Ask a policy about one request.
 *
 * Nothing is allocated but for values of variables.  A statement is left at the
 * first part that does not fit; actions come before resources because most
 * statements are about other actions.
 *
 * A condition whose key has no value is true of negated operators and false of
 * others; ForAllValues is true of no values, ForAnyValue false.  A key may be a
 * list where the operator says nothing of lists.  IAM leaves open what that
 * means; here an allowance asks it of all the members and a denial of any, so
 * that neither can be had, or got around, by adding one.  In the same spirit
 * what a variable without a value stands in equals nothing, which is enough for
 * a denial of all but that, and not for an allowance.
 *
 * src/policy/evaluate.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "policy/policy_tree.h"

void
dyn_policy_prepare(const DynPolicyContext *context, DynPolicyRequest *request)
{
	char	   *action = request->buffer;

	request->context = context;
	request->action_len = strlen(context->action);
	if (request->action_len > sizeof(request->buffer))
		action = palloc(request->action_len);
	for (uint32 i = 0; i < request->action_len; i++)
	{
		char		c = context->action[i];

		action[i] = c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
	}
	request->action = action;
	request->action_bit = dyn_action_bit(action, request->action_len);
	request->resource_len = strlen(context->resource);
}

static bool
is_same(const DynPolicyText *text, const char *other)
{
	return other != NULL && strncmp(text->data, other, text->len) == 0 &&
		other[text->len] == '\0';
}

/*
 * Whom the statement is about.  NotPrincipal exempts who is named himself: IAM
 * denies a user whose account is named, and a session whose role is.
 */
static DynNamed
named(const DynPolicyStatement *statement, const DynPolicyContext *context)
{
	DynNamed	result = DYN_NAMED_NOT;

	if (statement->nprincipals == 0)
		return DYN_NAMED_DIRECTLY;
	for (uint32 i = 0; i < statement->nprincipals; i++)
	{
		const DynPolicyPrincipal *principal = &statement->principals[i];
		DynNamed	by = DYN_NAMED_NOT;

		switch (principal->kind)
		{
			case DYN_PRINCIPAL_EVERYBODY:
				by = DYN_NAMED_DIRECTLY;
				break;
			case DYN_PRINCIPAL_DIRECT:
				if (is_same(&principal->text, context->principal_arn))
					by = DYN_NAMED_DIRECTLY;
				break;
			case DYN_PRINCIPAL_ROLE:
				if (is_same(&principal->text, context->principal_arn))
					by = statement->not_principal ? DYN_NAMED_DIRECTLY :
						DYN_NAMED_BY_ROLE;
				else if (is_same(&principal->text, context->role_arn))
					by = DYN_NAMED_BY_ROLE;
				break;
			case DYN_PRINCIPAL_ACCOUNT:
				if (is_same(&principal->text, context->account))
					by = DYN_NAMED_BY_ACCOUNT;
				break;
			case DYN_PRINCIPAL_ELSEWHERE:
				break;
		}
		result = Min(result, by);
	}
	if (statement->not_principal)
		return result == DYN_NAMED_DIRECTLY ? DYN_NAMED_NOT : DYN_NAMED_DIRECTLY;
	return result;
}

static bool
action_matches(const DynPolicyStatement *statement, const DynPolicyRequest *request)
{
	const DynPattern *pattern = statement->actions;
	const DynPattern *end = pattern + statement->nwildcards;
	DynTruth	lacking = DYN_FALSE;

	if (statement->any_action)
		return true;
	for (; pattern < end; pattern++)
	{
		if (dyn_pattern_match(pattern, request->context, request->action,
							  request->action_len, false, &lacking) == DYN_TRUE)
			return true;
	}
	if ((statement->action_bits & request->action_bit) == 0)
		return false;
	end = statement->actions + statement->nactions;
	for (; pattern < end; pattern++)
	{
		if (pattern->parts[0].len == request->action_len &&
			memcmp(pattern->parts[0].u.text, request->action,
				   request->action_len) == 0)
			return true;
	}
	return false;
}

static DynTruth
resource_matches(const DynPolicyStatement *statement,
				 const DynPolicyRequest *request)
{
	DynTruth	result = DYN_FALSE;
	DynTruth	lacking = DYN_FALSE;

	if (statement->nresources == 0)
		return DYN_TRUE;
	if (statement->any_resource)
		return statement->not_resource ? DYN_FALSE : DYN_TRUE;
	for (uint32 i = 0; i < statement->nresources && result != DYN_TRUE; i++)
		result = dyn_truth_or(result,
							  dyn_pattern_match(&statement->resources[i],
												request->context,
												request->context->resource,
												request->resource_len, false,
												&lacking));
	if (!statement->not_resource)
		return result;

	/* Without the value of a variable an allowance leaves out everything. */
	return dyn_truth_not(statement->deny ? result :
						 dyn_truth_or(result, lacking));
}

static DynTruth
compared(const DynPolicyCondition *condition, int cmp)
{
	switch (condition->comparison)
	{
		case DYN_COMPARE_EQUAL:
			return dyn_truth(cmp == 0);
		case DYN_COMPARE_LESS:
			return dyn_truth(cmp < 0);
		case DYN_COMPARE_LESS_EQUAL:
			return dyn_truth(cmp <= 0);
		case DYN_COMPARE_GREATER:
			return dyn_truth(cmp > 0);
		case DYN_COMPARE_GREATER_EQUAL:
			return dyn_truth(cmp >= 0);
	}
	return DYN_FALSE;
}

/*
 * Does one value of the request fit any of the condition's?  One that is no
 * number, time, network or ARN fits none of these.
 */
static DynTruth
value_fits(const DynPolicyCondition *condition, const DynPolicyContext *context,
		   const DynPolicyText *value, DynTruth *lacking)
{
	DynTruth	result = DYN_FALSE;
	union
	{
		DynDecimal	number;
		DynInstant	instant;
		DynNetwork	network;
		DynArn		arn;
	}			own;
	bool		is_one = true;

	if (condition->family == DYN_OPERATOR_NUMERIC)
		is_one = dyn_decimal_parse(value->data, value->len, &own.number);
	else if (condition->family == DYN_OPERATOR_DATE)
		is_one = dyn_instant_parse(value->data, value->len, &own.instant);
	else if (condition->family == DYN_OPERATOR_IP)
		is_one = dyn_network_parse(value->data, value->len, &own.network);
	else if (condition->family == DYN_OPERATOR_ARN)
		dyn_arn_split(value->data, value->len, false, &own.arn);
	if (!is_one)
		return DYN_FALSE;

	for (uint32 i = 0; i < condition->nvalues && result != DYN_TRUE; i++)
	{
		DynTruth	fits = DYN_FALSE;

		switch (condition->family)
		{
			case DYN_OPERATOR_STRING:
			case DYN_OPERATOR_STRING_FOLDED:
				fits = dyn_pattern_match(&condition->u.patterns[i], context,
										 value->data, value->len,
										 condition->family == DYN_OPERATOR_STRING_FOLDED,
										 lacking);
				break;
			case DYN_OPERATOR_NUMERIC:
				fits = compared(condition,
								dyn_decimal_compare(&own.number,
													&condition->u.numbers[i]));
				break;
			case DYN_OPERATOR_DATE:
				fits = compared(condition,
								dyn_instant_compare(&own.instant,
													&condition->u.instants[i]));
				break;
			case DYN_OPERATOR_IP:
				fits = dyn_truth(dyn_network_contains(&condition->u.networks[i],
													  &own.network));
				break;
			case DYN_OPERATOR_ARN:
				fits = dyn_arn_pattern_match(&condition->u.arns[i], context,
											 &own.arn, lacking);
				break;
			case DYN_OPERATOR_NULL:
				break;
		}
		result = dyn_truth_or(result, fits);
	}
	return result;
}

static DynTruth
value_holds(const DynPolicyCondition *condition, const DynPolicyContext *context,
			const DynPolicyText *value, bool deny)
{
	DynTruth	lacking = DYN_FALSE;
	DynTruth	fits = value_fits(condition, context, value, &lacking);

	if (!condition->negated)
		return fits;

	/* Not to be what nobody knows is nothing to be allowed by. */
	return dyn_truth_not(deny ? fits : dyn_truth_or(fits, lacking));
}

static DynTruth
condition_holds(const DynPolicyCondition *condition,
				const DynPolicyContext *context, bool deny)
{
	DynPolicyValues values = {0};
	DynPolicyAnswer answer = DYN_ANSWER_ABSENT;
	DynQuantifier quantifier = condition->quantifier;
	DynTruth	result;
	bool		present;

	if (condition->key.kind != DYN_KEY_OTHER)
		answer = context->lookup(context->arg, &condition->key, &values);
	present = answer == DYN_ANSWER_PRESENT && values.count > 0;

	if (condition->family == DYN_OPERATOR_NULL)
	{
		bool		if_absent = condition->u.null.if_absent;
		bool		if_present = condition->u.null.if_present;

		if (answer == DYN_ANSWER_UNKNOWN && if_absent != if_present)
			return DYN_UNKNOWN;
		return dyn_truth(present ? if_present : if_absent);
	}
	if (answer == DYN_ANSWER_UNKNOWN)
		return DYN_UNKNOWN;
	if (!present)
	{
		if (condition->if_exists)
			return DYN_TRUE;
		if (quantifier == DYN_QUANTIFIER_NONE)
			return dyn_truth(condition->negated);
		return dyn_truth(quantifier == DYN_QUANTIFIER_ALL);
	}

	if (quantifier == DYN_QUANTIFIER_NONE)
		quantifier = deny ? DYN_QUANTIFIER_ANY : DYN_QUANTIFIER_ALL;
	if (quantifier == DYN_QUANTIFIER_ALL)
	{
		result = DYN_TRUE;
		for (int i = 0; i < values.count && result != DYN_FALSE; i++)
			result = dyn_truth_and(result, value_holds(condition, context,
													   &values.values[i], deny));
	}
	else
	{
		result = DYN_FALSE;
		for (int i = 0; i < values.count && result != DYN_TRUE; i++)
			result = dyn_truth_or(result, value_holds(condition, context,
													  &values.values[i], deny));
	}
	return result;
}

/* Does a statement apply to the request, all but its principals? */
static DynTruth
statement_applies(const DynPolicyStatement *statement,
				  const DynPolicyRequest *request)
{
	DynTruth	result;

	if (action_matches(statement, request) == statement->not_action)
		return DYN_FALSE;
	result = resource_matches(statement, request);
	for (uint32 i = 0; i < statement->nconditions && result != DYN_FALSE; i++)
		result = dyn_truth_and(result,
							   condition_holds(&statement->conditions[i],
											   request->context,
											   statement->deny));
	return result;
}

void
dyn_policy_judge(const DynPolicy *policy, const DynPolicyRequest *request,
				 DynVerdict *verdict)
{
	verdict->deny = DYN_FALSE;
	verdict->deny_statement = -1;
	for (int i = 0; i < DYN_NAMED_NOT; i++)
	{
		verdict->allow[i] = DYN_FALSE;
		verdict->allow_statement[i] = -1;
	}

	for (int i = 0; i < policy->nstatements; i++)
	{
		const DynPolicyStatement *statement = &policy->statements[i];
		DynNamed	by = named(statement, request->context);
		DynTruth   *known;
		DynTruth	applies;

		if (by == DYN_NAMED_NOT)
			continue;
		known = statement->deny ? &verdict->deny : &verdict->allow[by];
		if (*known == DYN_TRUE)
			continue;
		applies = statement_applies(statement, request);
		if (applies <= *known)
			continue;
		*known = applies;
		if (!statement->deny)
			verdict->allow_statement[by] = i;
		else
		{
			verdict->deny_statement = i;
			if (applies == DYN_TRUE)
				return;
		}
	}
}

DynEffect
dyn_policy_evaluate(const DynPolicy *policy, const DynPolicyContext *context,
					int *statement)
{
	DynPolicyRequest request;
	DynVerdict	verdict;
	DynEffect	effect = DYN_EFFECT_NONE;
	int			decided = -1;

	dyn_policy_prepare(context, &request);
	dyn_policy_judge(policy, &request, &verdict);
	if (verdict.deny != DYN_FALSE)
	{
		effect = verdict.deny == DYN_TRUE ? DYN_EFFECT_DENY : DYN_EFFECT_DEPENDS;
		decided = verdict.deny_statement;
	}
	else
	{
		DynTruth	allow = DYN_FALSE;

		for (int i = 0; i < DYN_NAMED_NOT; i++)
		{
			if (verdict.allow[i] > allow)
			{
				allow = verdict.allow[i];
				decided = verdict.allow_statement[i];
			}
		}
		if (allow != DYN_FALSE)
			effect = allow == DYN_TRUE ? DYN_EFFECT_ALLOW : DYN_EFFECT_DEPENDS;
	}
	if (statement != NULL)
		*statement = decided;
	return effect;
}
