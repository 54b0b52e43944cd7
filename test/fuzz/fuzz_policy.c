/*-------------------------------------------------------------------------
 *
 * fuzz_policy.c
 *		policy: a document is refused or asked; what is certain stays so.
 *
 * What follows a NUL is the value of the request's keys.
 *
 * test/fuzz/fuzz_policy.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "pg_shim.h"
#include "policy/decision.h"

typedef struct Input
{
	const char *document;
	size_t		len;
	DynPolicyText value;

	/* In which world: 0, some keys are unknown; else, as its bits say. */
	int			world;
} Input;

static const DynPolicyText texts[] = {{"a", 1}, {"203.0.113.7", 11}, {"2026-01-01T00:00:00Z", 20}, {"5", 1},
{"arn:aws:iam::000000000000:user/a", 32}};

static DynPolicyAnswer
lookup(void *arg, const DynPolicyKey *key, DynPolicyValues *values)
{
	const Input *input = arg;
	bool		is_unknown = key->kind % 3 == 0;

	FUZZ_REQUIRE(key->kind < DYN_KEY_OTHER);
	if (is_unknown && input->world == 0)
		return DYN_ANSWER_UNKNOWN;
	if (is_unknown && (input->world & (key->kind % 2 == 0 ? 2 : 4)) != 0)
		return DYN_ANSWER_ABSENT;
	if (key->kind % 7 == 1)
		return DYN_ANSWER_ABSENT;
	values->multivalued = key->kind == DYN_KEY_LEADING_KEYS ||
		key->kind == DYN_KEY_ATTRIBUTES || key->kind == DYN_KEY_TAG_KEYS;
	if (values->multivalued)
	{
		values->values = texts;
		values->count = is_unknown && input->world < 8 ? 0 : 3;
	}
	else
	{
		values->values = key->kind % 2 == 0 ? &input->value : &texts[key->kind % lengthof(texts)];
		values->count = 1;
	}
	return DYN_ANSWER_PRESENT;
}

static void
ask(void *argument)
{
	Input	   *input = argument;

	for (DynPolicyKind kind = DYN_POLICY_IDENTITY; kind <= DYN_POLICY_TRUST; kind++)
	{
		const char *problem = NULL;
		DynPolicy  *policy = dyn_policy_parse(input->document, input->len, kind, &problem);
		DynPolicyContext context = {
			.action = kind == DYN_POLICY_TRUST ? "sts:AssumeRole" : "dynamodb:GetItem",
			.resource = "arn:aws:dynamodb:us-east-1:000000000000:table/a/index/b:c",
			.account = "000000000000",
			.principal_arn = "arn:aws:sts::000000000000:assumed-role/r/s",
			.role_arn = "arn:aws:iam::000000000000:role/r",
			.lookup = lookup,
			.arg = input,
		};
		DynNamedPolicy named = {"p", "r", policy};
		DynPolicySet set = {.granted = input->len % 2 == 0};
		DynEffect	before = DYN_EFFECT_DEPENDS;
		DynEffect	decided = DYN_EFFECT_DEPENDS;

		FUZZ_REQUIRE((policy == NULL) == (problem != NULL));
		if (policy == NULL)
		{
			FUZZ_REQUIRE(pg_encoding_verifymbstr(PG_UTF8, problem, strlen(problem)) == strlen(problem));
			continue;
		}
		if (kind == DYN_POLICY_IDENTITY)
		{
			set.identity = set.boundary = &named;
			set.nidentity = 1;
		}
		else
			set.resource = &named;

		for (input->world = 0; input->world < 16; input->world++)
		{
			int			statement;
			DynEffect	effect = dyn_policy_evaluate(policy, &context, &statement);
			DynDecision decision;

			FUZZ_REQUIRE((effect == DYN_EFFECT_NONE) == (statement < 0));
			(void) dyn_policy_sid(policy, statement);
			dyn_decide(&set, &context, &decision);
			(void) dyn_decision_message(&decision, &context);
			FUZZ_REQUIRE(decision.effect != DYN_EFFECT_NONE);
			FUZZ_REQUIRE(before == DYN_EFFECT_DEPENDS || effect == before);
			FUZZ_REQUIRE(decided == DYN_EFFECT_DEPENDS || decision.effect == decided);
			if (input->world == 0)
			{
				before = effect;
				decided = decision.effect;
			}
			else
				FUZZ_REQUIRE(effect != DYN_EFFECT_DEPENDS && decision.effect != DYN_EFFECT_DEPENDS);
		}
	}
}

void
fuzz_one(const uint8 *data, size_t size)
{
	const uint8 *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	Input		input = {.document = (const char *) data, .len = nul != NULL ? nul - data : size};

	input.value.data = nul != NULL ? (const char *) nul + 1 : "";
	input.value.len = nul != NULL ? data + size - nul - 1 : 0;
	FUZZ_REQUIRE(fuzz_try(ask, &input));
}
