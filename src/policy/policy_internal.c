/*-------------------------------------------------------------------------
 *
 * policy_internal.c
 *		Policies as SQL functions, for tests and measurements.
 *
 * A request is JSON: action, resource, account, principal, role, and context,
 * whose members are condition keys: null is not known yet, an array a list, and
 * what isn't there is absent.
 *
 * src/policy/policy_internal.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/json.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "policy/decision.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(dyn_internal_policy_problem);
PG_FUNCTION_INFO_V1(dyn_internal_policy_keys);
PG_FUNCTION_INFO_V1(dyn_internal_evaluate_policy);
PG_FUNCTION_INFO_V1(dyn_internal_decide);
PG_FUNCTION_INFO_V1(dyn_internal_decide_cost);

typedef struct ContextKey
{
	DynPolicyKey key;
	DynPolicyAnswer answer;
	DynPolicyValues values;
} ContextKey;

typedef struct RequestContext
{
	int			count;
	ContextKey *keys;
} RequestContext;

static DynPolicyKind
policy_kind(const char *name)
{
	if (strcmp(name, "identity") == 0)
		return DYN_POLICY_IDENTITY;
	if (strcmp(name, "resource") == 0)
		return DYN_POLICY_RESOURCE;
	if (strcmp(name, "trust") == 0)
		return DYN_POLICY_TRUST;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("not a kind of policy: %s", name)));
}

static const DynJson *
json_argument(FunctionCallInfo fcinfo, int n)
{
	text	   *t = PG_GETARG_TEXT_PP(n);
	const DynJson *json = dyn_json_parse(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));

	if (json == NULL || dyn_json_kind(json) != DYN_JSON_OBJECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not a JSON object")));
	return json;
}

static const char *
string_member(const DynJson *json, const char *name, const char *fallback)
{
	const DynJson *member = dyn_json_present(json, name);
	uint32		len;

	if (member == NULL)
		return fallback;
	if (dyn_json_kind(member) != DYN_JSON_STRING)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not a string: %s", name)));
	return dyn_json_string(member, &len);
}

static DynPolicyAnswer
lookup(void *arg, const DynPolicyKey *key, DynPolicyValues *values)
{
	RequestContext *context = arg;

	for (int i = 0; i < context->count; i++)
	{
		if (dyn_policy_key_equal(&context->keys[i].key, key))
		{
			*values = context->keys[i].values;
			return context->keys[i].answer;
		}
	}
	return DYN_ANSWER_ABSENT;
}

static void
read_context_key(const DynJson *member, ContextKey *key)
{
	uint32		len;
	const char *name = dyn_json_name(member, &len);
	bool		is_list = dyn_json_kind(member) == DYN_JSON_ARRAY;
	const DynJson *value = is_list ? dyn_json_first(member) : member;
	DynPolicyText *texts;

	dyn_policy_key_parse(name, len, &key->key);
	key->answer = dyn_json_kind(member) == DYN_JSON_NULL ?
		DYN_ANSWER_UNKNOWN : DYN_ANSWER_PRESENT;
	if (key->answer == DYN_ANSWER_UNKNOWN)
		return;
	key->values.multivalued = is_list;
	key->values.count = is_list ? dyn_json_count(member) : 1;
	texts = palloc0((key->values.count + 1) * sizeof(DynPolicyText));
	key->values.values = texts;
	for (int i = 0; i < key->values.count; i++)
	{
		if (dyn_json_kind(value) != DYN_JSON_STRING)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("not a string: %s", name)));
		texts[i].data = dyn_json_string(value, &texts[i].len);
		value = dyn_json_next(value);
	}
}

static void
request_argument(FunctionCallInfo fcinfo, int n, DynPolicyContext *context,
				 RequestContext *arg)
{
	const DynJson *json = json_argument(fcinfo, n);
	const DynJson *keys = dyn_json_present(json, "context");

	context->action = string_member(json, "action", "dynamodb:GetItem");
	context->resource = string_member(json, "resource",
									  "arn:aws:dynamodb:us-east-1:000000000000:table/t");
	context->account = string_member(json, "account", "000000000000");
	context->principal_arn = string_member(json, "principal",
										   "arn:aws:iam::000000000000:user/alice");
	context->role_arn = string_member(json, "role", NULL);
	context->lookup = lookup;
	context->arg = arg;

	arg->count = 0;
	if (keys == NULL)
		return;
	arg->keys = palloc0((dyn_json_count(keys) + 1) * sizeof(ContextKey));
	for (const DynJson *member = dyn_json_first(keys); member != NULL;
		 member = dyn_json_next(member))
		read_context_key(member, &arg->keys[arg->count++]);
}

static DynPolicy *
parse_document(const char *document, size_t len, DynPolicyKind kind)
{
	const char *problem;
	DynPolicy  *policy = dyn_policy_parse(document, len, kind, &problem);

	if (policy == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg_internal("%s", problem)));
	return policy;
}

static const char *
effect_name(DynEffect effect)
{
	static const char *const names[] = {"none", "allow", "deny", "depends"};

	return names[effect];
}

/* (document, kind): what is wrong with it, or NULL. */
Datum
dyn_internal_policy_problem(PG_FUNCTION_ARGS)
{
	text	   *document = PG_GETARG_TEXT_PP(0);
	const char *problem;

	if (dyn_policy_parse(VARDATA_ANY(document), VARSIZE_ANY_EXHDR(document),
						 policy_kind(text_to_cstring(PG_GETARG_TEXT_PP(1))),
						 &problem) != NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(problem));
}

/* (document, kind): the condition keys it looks at. */
Datum
dyn_internal_policy_keys(PG_FUNCTION_ARGS)
{
	text	   *document = PG_GETARG_TEXT_PP(0);
	DynPolicyKind kind = policy_kind(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	uint64		keys = dyn_policy_keys(parse_document(VARDATA_ANY(document),
													  VARSIZE_ANY_EXHDR(document),
													  kind));
	StringInfoData out;

	initStringInfo(&out);
	for (DynPolicyKeyKind key = 0; key <= DYN_KEY_OTHER; key++)
	{
		if ((keys & UINT64CONST(1) << key) != 0)
			appendStringInfo(&out, "%s%s", out.len > 0 ? " " : "",
							 key < DYN_KEY_OTHER ? dyn_policy_key_name(key) : "other");
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* (document, kind, request): the effect and the number of the statement. */
Datum
dyn_internal_evaluate_policy(PG_FUNCTION_ARGS)
{
	text	   *document = PG_GETARG_TEXT_PP(0);
	DynPolicyKind kind = policy_kind(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	DynPolicy  *policy;
	DynPolicyContext context;
	RequestContext arg;
	DynEffect	effect;
	int			statement;

	policy = parse_document(VARDATA_ANY(document), VARSIZE_ANY_EXHDR(document), kind);
	request_argument(fcinfo, 2, &context, &arg);
	effect = dyn_policy_evaluate(policy, &context, &statement);
	if (effect == DYN_EFFECT_NONE)
		PG_RETURN_TEXT_P(cstring_to_text(effect_name(effect)));
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s %d", effect_name(effect), statement)));
}

static DynNamedPolicy *
named_policy(const DynJson *document, const char *name, DynPolicyKind kind)
{
	DynNamedPolicy *named = palloc0(sizeof(DynNamedPolicy));
	uint32		len;
	const char *string;

	/* Documents are strings, so that they are read as clients send them. */
	if (dyn_json_kind(document) != DYN_JSON_STRING)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not a string: %s", name)));
	string = dyn_json_string(document, &len);
	named->name = name;
	named->attached_to = "";
	named->policy = parse_document(string, len, kind);
	return named;
}

static const DynNamedPolicy *
policy_member(const DynJson *json, const char *name, DynPolicyKind kind)
{
	const DynJson *document = dyn_json_present(json, name);

	return document == NULL ? NULL : named_policy(document, name, kind);
}

static void
policies_argument(FunctionCallInfo fcinfo, int n, DynPolicySet *policies)
{
	const DynJson *json = json_argument(fcinfo, n);
	const DynJson *list = dyn_json_present(json, "identity");
	const DynJson *granted = dyn_json_present(json, "granted");

	memset(policies, 0, sizeof(DynPolicySet));
	if (list != NULL && dyn_json_kind(list) == DYN_JSON_ARRAY)
	{
		DynNamedPolicy *identity = palloc((dyn_json_count(list) + 1) * sizeof(DynNamedPolicy));

		for (const DynJson *document = dyn_json_first(list); document != NULL;
			 document = dyn_json_next(document))
		{
			int			i = policies->nidentity++;

			identity[i] = *named_policy(document, psprintf("identity %d", i),
										DYN_POLICY_IDENTITY);
		}
		policies->identity = identity;
	}
	policies->boundary = policy_member(json, "boundary", DYN_POLICY_IDENTITY);
	policies->session = policy_member(json, "session", DYN_POLICY_IDENTITY);
	policies->resource = policy_member(json, "resource", DYN_POLICY_RESOURCE);
	if (policies->resource == NULL)
		policies->resource = policy_member(json, "trust", DYN_POLICY_TRUST);
	policies->granted = granted != NULL && dyn_json_is_true(granted);
}

/* (policies, request): the decision and, of a denial, its message. */
Datum
dyn_internal_decide(PG_FUNCTION_ARGS)
{
	static const char *const sources[] = {"nobody", "privileges", "identity",
	"boundary", "session", "resource", "trust"};
	DynPolicySet policies;
	DynPolicyContext context;
	RequestContext arg;
	DynDecision decision;
	StringInfoData out;

	policies_argument(fcinfo, 0, &policies);
	request_argument(fcinfo, 1, &context, &arg);
	dyn_decide(&policies, &context, &decision);

	initStringInfo(&out);
	appendStringInfo(&out, "%s by %s", effect_name(decision.effect),
					 decision.policy != NULL ? decision.policy->name :
					 sources[decision.source]);
	if (decision.statement >= 0)
		appendStringInfo(&out, " statement %d", decision.statement);
	if (decision.effect == DYN_EFFECT_DENY)
		appendStringInfo(&out, ": %s", dyn_decision_message(&decision, &context));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* (policies, request, count): microseconds that a decision takes. */
Datum
dyn_internal_decide_cost(PG_FUNCTION_ARGS)
{
	int			count = PG_GETARG_INT32(2);
	DynPolicySet policies;
	DynPolicyContext context;
	RequestContext arg;
	DynDecision decision;
	instr_time	start;
	instr_time	end;

	policies_argument(fcinfo, 0, &policies);
	request_argument(fcinfo, 1, &context, &arg);
	INSTR_TIME_SET_CURRENT(start);
	for (int i = 0; i < count; i++)
	{
		dyn_decide(&policies, &context, &decision);
		CHECK_FOR_INTERRUPTS();
	}
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	PG_RETURN_FLOAT8(INSTR_TIME_GET_DOUBLE(end) * 1e6 / Max(count, 1));
}
