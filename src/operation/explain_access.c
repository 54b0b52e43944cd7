/*-------------------------------------------------------------------------
 *
 * explain_access.c
 *		dynamo.explain_access(): who may do what, and because of which policy.
 *
 * A request is run by its own operation up to the point where all is decided,
 * and then ended by an error; so what is explained is what would be done.  Of an
 * action without a request only that is known which the caller says: the answer
 * may be that it depends.
 *
 * src/operation/explain_access.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/resowner.h"

#include "auth/caller.h"
#include "base/settings.h"
#include "operation/arn.h"
#include "operation/request.h"
#include "operation/stream_request.h"

typedef struct Fact
{
	const char *key;
	DynPolicyAnswer answer;
	DynPolicyValues values;
} Fact;

struct DynExplanation
{
	MemoryContext memory;		/* of all that is noted */
	bool		of_request;
	bool		ended;
	const DynJson *context;		/* what the caller says of condition keys */
	ReturnSetInfo *result;
	List	   *facts;			/* Fact, since the last decision */
};

static char *
copy_text(const char *data, size_t len)
{
	return pnstrdup(data, len);
}

static const char *
key_text(const DynPolicyKey *key)
{
	const char *name = dyn_policy_key_name(key->kind);

	if (name == NULL)
		return copy_text(key->name.data, key->name.len);
	return key->kind >= DYN_KEY_PRINCIPAL_TAG && key->kind < DYN_KEY_OTHER ?
		psprintf("%s%.*s", name, (int) key->name.len, key->name.data) : name;
}

/* ----- what the caller says ----- */

static DynPolicyText
text_of_json(const DynJson *json)
{
	DynPolicyText text = {"", 0};

	switch (dyn_json_kind(json))
	{
		case DYN_JSON_STRING:
			text.data = dyn_json_string(json, &text.len);
			return text;
		case DYN_JSON_TRUE:
			text.data = "true";
			break;
		case DYN_JSON_FALSE:
			text.data = "false";
			break;
		case DYN_JSON_NUMBER:
			text.data = psprintf("%.15g", dyn_json_number(json));
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("context must be a JSON object of strings, numbers, booleans, and lists of them")));
	}
	text.len = strlen(text.data);
	return text;
}

static DynPolicyAnswer
take_values(const DynJson *json, DynPolicyValues *values)
{
	bool		is_list = dyn_json_kind(json) == DYN_JSON_ARRAY;
	DynPolicyText *texts = palloc(sizeof(DynPolicyText) *
								  (is_list ? Max(dyn_json_count(json), 1) : 1));

	values->values = texts;
	values->count = 0;
	values->multivalued = is_list;
	if (dyn_json_kind(json) == DYN_JSON_NULL)
		return DYN_ANSWER_ABSENT;
	if (!is_list)
		texts[values->count++] = text_of_json(json);
	else
		for (const DynJson *element = dyn_json_first(json); element;
			 element = dyn_json_next(element))
			texts[values->count++] = text_of_json(element);
	return values->count == 0 ? DYN_ANSWER_ABSENT : DYN_ANSWER_PRESENT;
}

bool
dyn_explanation_says(const DynExplanation *explanation, const DynPolicyKey *key,
					 DynPolicyValues *values, DynPolicyAnswer *answer)
{
	if (explanation->context == NULL)
		return false;
	for (const DynJson *member = dyn_json_first(explanation->context); member;
		 member = dyn_json_next(member))
	{
		DynPolicyKey said;
		uint32		len;
		const char *name = dyn_json_name(member, &len);

		dyn_policy_key_parse(name, len, &said);
		if (!dyn_policy_key_equal(&said, key))
			continue;
		*answer = take_values(member, values);
		return true;
	}
	return false;
}

/* ----- what is decided ----- */

void
dyn_explanation_fact(DynExplanation *explanation, const DynPolicyKey *key,
					 DynPolicyAnswer answer, const DynPolicyValues *values)
{
	MemoryContext caller = MemoryContextSwitchTo(explanation->memory);
	Fact	   *fact = palloc0(sizeof(Fact));
	ListCell   *cell;

	fact->key = key_text(key);
	fact->answer = answer;
	if (answer == DYN_ANSWER_PRESENT)
	{
		DynPolicyText *texts = palloc(sizeof(DynPolicyText) * values->count);

		for (int i = 0; i < values->count; i++)
		{
			texts[i].data = copy_text(values->values[i].data, values->values[i].len);
			texts[i].len = values->values[i].len;
		}
		fact->values = *values;
		fact->values.values = texts;
	}
	foreach(cell, explanation->facts)
	{
		Fact	   *known = lfirst(cell);

		if (strcmp(known->key, fact->key) == 0)
		{
			*known = *fact;
			break;
		}
	}
	if (cell == NULL)
		explanation->facts = lappend(explanation->facts, fact);
	MemoryContextSwitchTo(caller);
}

static void
write_fact(DynJsonWriter *w, const Fact *fact)
{
	dyn_json_write_key(w, fact->key);
	if (fact->answer == DYN_ANSWER_ABSENT)
	{
		dyn_json_write_null(w);
		return;
	}
	if (fact->values.multivalued)
		dyn_json_begin_array(w);
	for (int i = 0; i < fact->values.count; i++)
		dyn_json_write_string(w, fact->values.values[i].data, fact->values.values[i].len);
	if (fact->values.multivalued)
		dyn_json_end_array(w);
}

static Datum
server_text(const char *utf8)
{
	return CStringGetTextDatum(pg_any_to_server(utf8, strlen(utf8), PG_UTF8));
}

/* NULL in place of a NULL. */
static void
set_text(Datum *values, bool *nulls, int column, const char *utf8)
{
	nulls[column] = utf8 == NULL;
	values[column] = utf8 == NULL ? (Datum) 0 : server_text(utf8);
}

static const char *const source_names[] = {
	[DYN_SOURCE_NONE] = NULL,
	[DYN_SOURCE_GRANT] = "SQL privilege",
	[DYN_SOURCE_IDENTITY] = "identity policy",
	[DYN_SOURCE_BOUNDARY] = "permissions boundary",
	[DYN_SOURCE_SESSION] = "session policy",
	[DYN_SOURCE_RESOURCE] = "resource policy",
	[DYN_SOURCE_TRUST] = "trust policy"
};

static const char *
statement_name(const DynDecision *decision)
{
	const char *sid;

	if (decision->policy == NULL || decision->statement < 0)
		return NULL;
	sid = dyn_policy_sid(decision->policy->policy, decision->statement);
	return sid != NULL ? sid : psprintf("%d", decision->statement + 1);
}

static void
store_decision(DynExplanation *explanation, const DynPolicyContext *context,
			   const DynDecision *decision)
{
	Datum		values[10];
	bool		nulls[10] = {false};
	StringInfoData facts;
	StringInfoData unknown;
	DynJsonWriter w;
	ListCell   *cell;

	initStringInfo(&facts);
	initStringInfo(&unknown);
	dyn_json_writer_init(&w, &facts);
	dyn_json_begin_object(&w);
	foreach(cell, explanation->facts)
	{
		const Fact *fact = lfirst(cell);

		if (fact->answer == DYN_ANSWER_UNKNOWN)
			appendStringInfo(&unknown, "%s%s", unknown.len > 0 ? ", " : "", fact->key);
		else
			write_fact(&w, fact);
	}
	dyn_json_end_object(&w);

	set_text(values, nulls, 0, context->action);
	set_text(values, nulls, 1, context->resource);
	set_text(values, nulls, 2, decision->effect == DYN_EFFECT_ALLOW ? "ALLOW" :
			 decision->effect == DYN_EFFECT_DENY ? "DENY" : "DEPENDS");
	set_text(values, nulls, 3, source_names[decision->source]);
	set_text(values, nulls, 4, decision->policy == NULL ? NULL : decision->policy->name);
	set_text(values, nulls, 5, decision->policy == NULL ? NULL :
			 decision->policy->attached_to);
	set_text(values, nulls, 6, statement_name(decision));
	set_text(values, nulls, 7, facts.data);
	set_text(values, nulls, 8, decision->effect == DYN_EFFECT_DEPENDS ? unknown.data : NULL);
	set_text(values, nulls, 9, decision->effect == DYN_EFFECT_DENY ?
			 dyn_decision_message(decision, context) : NULL);
	tuplestore_putvalues(explanation->result->setResult, explanation->result->setDesc,
						 values, nulls);
}

void
dyn_explanation_note(DynExplanation *explanation, const DynPolicyContext *context,
					 const DynDecision *decision)
{
	/* What a request's first look can't say, its second will. */
	if (decision->effect != DYN_EFFECT_DEPENDS || !explanation->of_request)
		store_decision(explanation, context, decision);
	explanation->facts = NIL;
}

void
dyn_explanation_end(DynExplanation *explanation)
{
	explanation->ended = true;
	ereport(ERROR,
			(errcode(ERRCODE_SUCCESSFUL_COMPLETION),
			 errmsg_internal("the request has been explained")));
}

/* ----- the question ----- */

static const DynJson *
json_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	char	   *value;
	DynJson    *json;

	if (PG_ARGISNULL(n))
		return NULL;
	value = text_to_cstring(PG_GETARG_TEXT_PP(n));
	value = pg_server_to_any(value, strlen(value), PG_UTF8);
	json = dyn_json_parse(value, strlen(value));
	if (json == NULL || dyn_json_kind(json) != DYN_JSON_OBJECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a JSON object", name)));
	return json;
}

static char *
text_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	char	   *value;

	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	value = text_to_cstring(PG_GETARG_TEXT_PP(n));
	return pg_server_to_any(value, strlen(value), PG_UTF8);
}

/* Run the operation to the point where all is decided; nothing of it stays. */
static void
explain_request(DynOperationContext *context, const char *name, const DynJson *request)
{
	const char *bare = strncmp(name, "dynamodb:", 9) == 0 ? name + 9 : name;
	const DynOperation *operation = dyn_operation_find(bare, strlen(bare));
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;
	StringInfoData reply;

	if (operation == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is no operation", name)));
	initStringInfo(&reply);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		(void) dyn_operation_run(context, operation, request, &reply);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	if (error != NULL && !context->explanation->ended)
		ReThrowError(error);
}

static void
explain_action(DynOperationContext *context, const char *action, const char *resource)
{
	DynAuthorization authorization = {.name_only = true};
	const char *bare = strncmp(action, "dynamodb:", 9) == 0 ? action + 9 : action;
	const char *index = strstr(resource, "/index/");
	uint32		len = strlen(resource);
	DynStreamInfo stream;
	char	   *table_name;
	char	   *label;

	if (!dyn_permission_find(bare, &authorization.permission))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is no action of DynamoDB", action)));
	switch (dyn_arn_kind(resource, len))
	{
		case DYN_ARN_INDEX:
			authorization.index = index + strlen("/index/");
			authorization.index_len = strlen(authorization.index);
			len = index - resource;
			break;
		case DYN_ARN_STREAM:
			if (!dyn_stream_arn_parts(resource, len, &table_name, &label))
				break;
			dyn_authorization_stream(&authorization, context, table_name, label,
									 dyn_stream_find(table_name, label, &stream) ?
									 &stream : NULL);
			return;
		case DYN_ARN_TABLE:
		case DYN_ARN_MALFORMED:
			break;
		case DYN_ARN_NONE:
			if (strcmp(resource, "*") == 0)
			{
				dyn_authorization_account(&authorization, context);
				return;
			}
			break;
	}
	dyn_authorization_begin(&authorization, context, resource, len);
}

/*
 * explain_access(role, action, resource, request, context, session_policy): a row
 * for each decision.
 */
PG_FUNCTION_INFO_V1(dyn_explain_access);
Datum
dyn_explain_access(PG_FUNCTION_ARGS)
{
	DynExplanation explanation = {.memory = CurrentMemoryContext};
	DynOperationContext context = {.may_wait = true,.explanation = &explanation};
	DynPrincipal principal = {0};
	DynSession	session = {.name = "explain_access"};
	DynNamedPolicy session_policy = {"session policy", "explain_access"};
	char	   *action = text_argument(fcinfo, 1, "action");
	char	   *resource = text_argument(fcinfo, 2, "resource");
	const DynJson *request = json_argument(fcinfo, 3, "request");
	Oid			user;
	int			security;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("role must not be null")));
	principal.role = get_role_oid(NameStr(*PG_GETARG_NAME(0)), false);
	explanation.of_request = request != NULL;
	explanation.context = json_argument(fcinfo, 4, "context");
	InitMaterializedSRF(fcinfo, 0);
	explanation.result = (ReturnSetInfo *) fcinfo->resultinfo;
	if (!PG_ARGISNULL(5))
	{
		char	   *document = text_argument(fcinfo, 5, "session_policy");
		const char *problem;

		session_policy.policy = dyn_policy_parse(document, strlen(document),
												 DYN_POLICY_IDENTITY, &problem);
		if (session_policy.policy == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("session_policy is malformed: %s", problem)));
		session.policy = &session_policy;
		session.arn = psprintf("arn:aws:sts::%s:assumed-role/%s/%s", dyn_account_id,
							   NameStr(*PG_GETARG_NAME(0)), session.name);
		session.user_id = psprintf("%s:%s", dyn_identity(principal.role)->user_id,
								   session.name);
		principal.session = &session;
		context.principal = &principal;
	}

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(principal.role, security | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	if (request != NULL)
		explain_request(&context, action, request);
	else
		explain_action(&context, action, resource);
	SetUserIdAndSecContext(user, security);
	return (Datum) 0;
}
