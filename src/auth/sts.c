/*-------------------------------------------------------------------------
 *
 * sts.c
 *		STS: AssumeRole, GetCallerIdentity, GetSessionToken.
 *
 * Who may assume a role is said by its trust policy, which must name him, and
 * then is enough; if it names the account, it leaves it to the caller's own
 * policies, or to PostgreSQL's privileges: whoever may SET ROLE to it.
 * That goes for superusers, too.
 *
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 *
 * src/auth/sts.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "auth/principal_settings.h"
#include "auth/session.h"
#include "auth/sts.h"
#include "base/compat.h"
#include "base/error.h"
#include "base/json.h"
#include "base/settings.h"

#define MAX_SESSION_DURATION	43200
#define MAX_CHAINED_DURATION	3600
#define MAX_TOKEN_DURATION		129600	/* of GetSessionToken */
#define DEFAULT_TOKEN_DURATION	43200
#define MAX_TAGS				50
#define MAX_TAG_KEY				128
#define MAX_TAG_VALUE			256

/* What both names and source identities consist of. */
#define NAME_PATTERN			"[\\w+=,.@-]*"

typedef struct AssumeRole
{
	DynStsRequest *request;
	const char *role_arn;
	const char *session_name;
	const char *external_id;
	const char *source_identity;	/* asked for, or the caller's own */
	int			ntags;			/* asked for */
	DynPrincipalTag tags[MAX_TAGS];
	bool		is_transitive[MAX_TAGS];

	/* Answers to conditions. */
	const DynIdentity *target;
	DynPolicyText tag_keys[MAX_TAGS];
	DynPolicyText external_id_text;
	DynPolicyText session_name_text;
	DynPolicyText source_identity_text;
	DynPolicyText duration_text;
	DynPolicyText account_text;
	DynPolicyText transitive_keys[MAX_TAGS];
	int			ntransitive;
} AssumeRole;

/*---- parameters ----*/

static const char *
parameter(const DynStsRequest *request, const char *name)
{
	for (int i = 0; i < request->nparameters; i++)
		if (strcmp(request->parameters[i].name, name) == 0)
			return request->parameters[i].value;
	return NULL;
}

/* The n-th of a list, from 1; member: of its elements, or "". */
static const char *
list_parameter(const DynStsRequest *request, const char *list, int n,
			   const char *member)
{
	return parameter(request, psprintf("%s.member.%d%s", list, n, member));
}

/* What is wrong with the parameters, to be said all at once. */
typedef struct Problems
{
	int			count;
	StringInfoData text;
} Problems;

static void
add_problem(Problems *problems, const char *member, const char *value,
			const char *constraint)
{
	if (problems->count++ == 0)
		initStringInfo(&problems->text);
	else
		appendStringInfoString(&problems->text, "; ");
	if (value == NULL)
		appendStringInfo(&problems->text, "Value null at '%s'", member);
	else
		appendStringInfo(&problems->text, "Value '%s' at '%s'", value, member);
	appendStringInfo(&problems->text, " failed to satisfy constraint: %s",
					 constraint);
}

static void
raise_problems(const Problems *problems)
{
	if (problems->count > 0)
		dyn_raise(VALIDATION, "%d validation error%s detected: %s",
				  problems->count, problems->count == 1 ? "" : "s",
				  problems->text.data);
}

static bool
consists_of(const char *text, const char *others)
{
	for (const char *p = text; *p != '\0'; p++)
		if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') &&
			!(*p >= '0' && *p <= '9') && *p != '_' && strchr(others, *p) == NULL)
			return false;
	return true;
}

/*
 * Check a text's length in characters and, if others is not NULL, that it has
 * only letters, digits, '_' and these.
 */
static void
check_text(Problems *problems, const char *member, const char *value,
		   int min, int max, const char *others, const char *pattern)
{
	int			len = 0;

	if (value == NULL)
		return;
	for (const char *p = value; *p != '\0'; len++)
		p += pg_utf_mblen((const unsigned char *) p);
	if (others != NULL && !consists_of(value, others))
		add_problem(problems, member, value,
					psprintf("Member must satisfy regular expression pattern: %s",
							 pattern));
	if (len > max)
		add_problem(problems, member, value,
					psprintf("Member must have length less than or equal to %d",
							 max));
	if (len < min)
		add_problem(problems, member, value,
					psprintf("Member must have length greater than or equal to %d",
							 min));
}

/* DurationSeconds, or what counts without it. */
static int
duration(const DynStsRequest *request, Problems *problems, int max,
		 int otherwise)
{
	const char *text = parameter(request, "DurationSeconds");
	char	   *end;
	long		value;

	if (text == NULL)
		return otherwise;
	errno = 0;
	value = strtol(text, &end, 10);
	if (text[0] == '\0' || *end != '\0')
		add_problem(problems, "durationSeconds", text,
					"Member must be an integer");
	else if (errno != 0 || value > max)
		add_problem(problems, "durationSeconds", text,
					psprintf("Member must have value less than or equal to %d",
							 max));
	else if (value < DYN_MIN_SESSION_DURATION)
		add_problem(problems, "durationSeconds", text,
					psprintf("Member must have value greater than or equal to %d",
							 DYN_MIN_SESSION_DURATION));
	return (int) Max(Min(value, max), 0);
}

static DynPolicyText
text_of(const char *text)
{
	return (DynPolicyText) {text, strlen(text)};
}

static bool
same_key(DynPolicyText a, DynPolicyText b)
{
	return a.len == b.len && pg_strncasecmp(a.data, b.data, a.len) == 0;
}

static void
read_tags(AssumeRole *call, Problems *problems)
{
	const char *key;

	for (int n = 1; (key = list_parameter(call->request, "Tags", n, ".Key")) != NULL; n++)
	{
		const char *value = list_parameter(call->request, "Tags", n, ".Value");

		if (n > MAX_TAGS)
		{
			add_problem(problems, "tags", "[...]",
						psprintf("Member must have length less than or equal to %d",
								 MAX_TAGS));
			return;
		}
		if (value == NULL)
			value = "";
		check_text(problems, psprintf("tags.%d.member.key", n), key, 1,
				   MAX_TAG_KEY, NULL, NULL);
		check_text(problems, psprintf("tags.%d.member.value", n), value, 0,
				   MAX_TAG_VALUE, NULL, NULL);
		for (int i = 0; i < call->ntags; i++)
			if (same_key(call->tags[i].key, text_of(key)))
				dyn_raise(VALIDATION, "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
		call->tags[call->ntags].key = text_of(key);
		call->tags[call->ntags].value = text_of(value);
		call->tag_keys[call->ntags] = text_of(key);
		call->ntags++;
	}
}

static void
read_transitive_keys(AssumeRole *call)
{
	const char *key;

	for (int n = 1; (key = list_parameter(call->request, "TransitiveTagKeys", n, "")) != NULL; n++)
	{
		bool		found = false;

		for (int i = 0; i < call->ntags; i++)
			if (same_key(call->tags[i].key, text_of(key)))
			{
				found = true;
				if (!call->is_transitive[i])
					call->transitive_keys[call->ntransitive++] = call->tags[i].key;
				call->is_transitive[i] = true;
			}
		if (!found)
			dyn_raise(VALIDATION, "The specified transitive tag key must be included in the requested tags.");
	}
}

/* An extra policy for the session: one, by text or by name. */
static void
check_session_policy(const DynStsRequest *request)
{
	const char *policy = parameter(request, "Policy");
	const char *problem;

	if (list_parameter(request, "PolicyArns", policy != NULL ? 1 : 2, ".arn") != NULL)
		dyn_raise(VALIDATION, "This server takes one session policy: Policy, or one of PolicyArns.");
	if (policy != NULL &&
		dyn_policy_parse(policy, strlen(policy), DYN_POLICY_IDENTITY,
						 &problem) == NULL)
		dyn_raise(MALFORMED_POLICY_DOCUMENT, "%s", problem);
}

/* Its text.  Which names there are is not told to who may not assume the role. */
static const char *
session_policy(const DynStsRequest *request)
{
	const char *arn = list_parameter(request, "PolicyArns", 1, ".arn");
	const char *prefix = psprintf("arn:aws:iam::%s:policy/", dyn_account_id);
	const char *policy = NULL;

	if (arn == NULL)
		return parameter(request, "Policy");
	if (strncmp(arn, prefix, strlen(prefix)) == 0)
		policy = dyn_policy_document(arn + strlen(prefix));
	if (policy == NULL)
		dyn_raise(VALIDATION, "ARN %s is not valid.", arn);
	return policy;
}

/* There are no second factors here, so a code for one is wrong. */
static void
refuse_second_factor(const DynStsRequest *request)
{
	if (parameter(request, "SerialNumber") != NULL ||
		parameter(request, "TokenCode") != NULL)
		dyn_raise(ACCESS_DENIED, "MultiFactorAuthentication failed with invalid MFA one time pass code. ");
}

/*---- replies ----*/

static const char credentials_group[] = "Credentials";
static const char user_group[] = "AssumedRoleUser";

static void
add_field(DynStsReply *reply, const char *group, const char *name,
		  const char *value)
{
	Assert(reply->nfields < DYN_STS_MAX_FIELDS);
	reply->fields[reply->nfields++] = (DynStsField) {group, name, value, false};
}

static void
add_credentials(DynStsReply *reply, const DynSessionCredentials *credentials)
{
	char	   *expiration = palloc(32);
	time_t		expires = (time_t) credentials->expires;
	struct tm	tm;

	strftime(expiration, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&expires, &tm));
	add_field(reply, credentials_group, "AccessKeyId",
			  pstrdup(credentials->access_key_id));
	add_field(reply, credentials_group, "SecretAccessKey",
			  pstrdup(credentials->secret));
	add_field(reply, credentials_group, "SessionToken", credentials->token);
	add_field(reply, credentials_group, "Expiration", expiration);
}

/*
 * Who was let in by dynamo.accept_any_credentials gets what only that accepts:
 * a session of nobody.  It must not outlast the setting.
 */
static void
issue(const DynStsRequest *request, DynSessionTerms *terms,
	  DynSessionCredentials *credentials)
{
	if (request->caller.principal->is_unproven)
		terms->role = InvalidOid;
	dyn_session_issue(terms, credentials);
}

/*---- AssumeRole ----*/

static DynPolicyAnswer
answer(DynPolicyValues *values, const DynPolicyText *texts, int count,
	   bool multivalued)
{
	if (count == 0)
		return DYN_ANSWER_ABSENT;
	values->count = count;
	values->values = texts;
	values->multivalued = multivalued;
	return DYN_ANSWER_PRESENT;
}

/* A text of the request; NULL: it has none. */
static DynPolicyAnswer
answer_text(DynPolicyValues *values, DynPolicyText *room, const char *text)
{
	if (text == NULL)
		return DYN_ANSWER_ABSENT;
	*room = text_of(text);
	return answer(values, room, 1, false);
}

static DynPolicyAnswer
answer_tag(DynPolicyValues *values, int ntags, const DynPrincipalTag *tags,
		   DynPolicyText key)
{
	for (int i = 0; i < ntags; i++)
		if (same_key(tags[i].key, key))
			return answer(values, &tags[i].value, 1, false);
	return DYN_ANSWER_ABSENT;
}

static DynPolicyAnswer
lookup(void *arg, const DynPolicyKey *key, DynPolicyValues *values)
{
	AssumeRole *call = arg;

	switch (key->kind)
	{
		case DYN_KEY_EXTERNAL_ID:
			return answer_text(values, &call->external_id_text,
							   call->external_id);
		case DYN_KEY_ROLE_SESSION_NAME:
			return answer_text(values, &call->session_name_text,
							   call->session_name);
		case DYN_KEY_REQUEST_TAG:
			return answer_tag(values, call->ntags, call->tags, key->name);
		case DYN_KEY_TAG_KEYS:
			return answer(values, call->tag_keys, call->ntags, true);
		case DYN_KEY_RESOURCE_TAG:
			return answer_tag(values, call->target->ntags, call->target->tags,
							  key->name);
		case DYN_KEY_RESOURCE_ACCOUNT:
			return answer_text(values, &call->account_text, dyn_account_id);
		case DYN_KEY_SESSION_SOURCE_IDENTITY:
			return answer_text(values, &call->source_identity_text,
							   call->source_identity);
		case DYN_KEY_DURATION_SECONDS:
			return answer_text(values, &call->duration_text,
							   parameter(call->request, "DurationSeconds"));
		case DYN_KEY_TRANSITIVE_TAG_KEYS:
			return answer(values, call->transitive_keys, call->ntransitive,
						  true);
		default:
			return dyn_caller_key(&call->request->caller, key, values);
	}
}

static void
refuse(const AssumeRole *call)
{
	const DynSession *session = call->request->caller.principal->session;

	dyn_raise(ACCESS_DENIED,
			  "User: %s is not authorized to perform: sts:AssumeRole on resource: %s",
			  session != NULL ? session->arn : call->request->caller.identity->arn,
			  call->role_arn);
}

/* May the caller do this to the role, by its trust policy and his own? */
static void
authorize(AssumeRole *call, const char *action, const DynNamedPolicy *trust)
{
	const DynCaller *caller = &call->request->caller;
	const DynSession *session = caller->principal->session;
	DynPolicySet policies = {
		.session = session != NULL ? session->policy : NULL,
		.resource = trust,
		.granted = dyn_can_set_role(caller->principal->role, call->target->role)
	};
	DynPolicyContext context = {
		.action = action,
		.resource = call->target->arn,
		.lookup = lookup,
		.arg = call
	};
	DynDecision decision;

	/* As operations do: no policy of their own binds superusers. */
	if (!caller->identity->is_superuser)
	{
		policies.nidentity = caller->identity->npolicies;
		policies.identity = caller->identity->policies;
		policies.boundary = caller->identity->boundary;
	}
	dyn_caller_context(caller, &context);
	dyn_decide(&policies, &context, &decision);
	if (decision.effect != DYN_EFFECT_ALLOW)
		dyn_raise(ACCESS_DENIED, "%s", dyn_decision_message(&decision, &context));
}

/* The role that an ARN names; InvalidOid if there is none. */
static Oid
role_of_arn(const char *arn)
{
	char	   *prefix = psprintf("arn:aws:iam::%s:role/", dyn_account_id);
	const char *name = arn + strlen(prefix);

	if (strncmp(arn, prefix, strlen(prefix)) != 0)
		return InvalidOid;
	name = pg_any_to_server(name, strlen(name), PG_UTF8);
	return strlen(name) < NAMEDATALEN ? get_role_oid(name, true) : InvalidOid;
}

static bool
looks_like_arn(const char *text)
{
	int			colons = 0;

	for (const char *p = text; *p != '\0'; p++)
		colons += *p == ':';
	return strncmp(text, "arn:", 4) == 0 && colons >= 5;
}

/*
 * The session's tags: those that came along from the caller's session, then
 * those asked for, the transitive ones first.
 */
static void
collect_tags(const AssumeRole *call, DynSessionTerms *terms)
{
	const DynSession *session = call->request->caller.principal->session;
	int			inherited = session != NULL ? session->ntransitive : 0;
	DynPrincipalTag *tags = palloc(sizeof(DynPrincipalTag) *
								   (inherited + call->ntags + 1));

	for (int i = 0; i < inherited; i++)
	{
		for (int j = 0; j < call->ntags; j++)
			if (same_key(session->tags[i].key, call->tags[j].key))
				dyn_raise(VALIDATION, "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.");
		tags[terms->ntags++] = session->tags[i];
	}
	for (int pass = 1; pass >= 0; pass--)
	{
		for (int i = 0; i < call->ntags; i++)
			if (call->is_transitive[i] == pass)
				tags[terms->ntags++] = call->tags[i];
		if (pass == 1)
			terms->ntransitive = terms->ntags;
	}
	if (terms->ntags > MAX_TAGS)
		dyn_raise(VALIDATION, "A session can have at most %d tags.", MAX_TAGS);
	terms->tags = tags;
}

/* Someone who is somebody to begin with stays him. */
static void
set_source_identity(AssumeRole *call)
{
	const DynSession *session = call->request->caller.principal->session;

	call->source_identity = parameter(call->request, "SourceIdentity");
	if (session == NULL || session->source_identity == NULL)
		return;
	if (call->source_identity != NULL &&
		strcmp(call->source_identity, session->source_identity) != 0)
		dyn_raise(ACCESS_DENIED, "The source identity of a session can't be changed.");
	call->source_identity = session->source_identity;
}

static void
read_assume_role(AssumeRole *call, DynSessionTerms *terms)
{
	DynStsRequest *request = call->request;
	Problems	problems = {0};

	call->role_arn = parameter(request, "RoleArn");
	call->session_name = parameter(request, "RoleSessionName");
	call->external_id = parameter(request, "ExternalId");
	if (call->role_arn == NULL)
		add_problem(&problems, "roleArn", NULL, "Member must not be null");
	if (call->session_name == NULL)
		add_problem(&problems, "roleSessionName", NULL,
					"Member must not be null");
	check_text(&problems, "roleArn", call->role_arn, 20, 2048, NULL, NULL);
	check_text(&problems, "roleSessionName", call->session_name, 2, 64,
			   "+=,.@-", NAME_PATTERN);
	check_text(&problems, "externalId", call->external_id, 2, 1224,
			   "+=,.@:/-", "[\\w+=,.@:\\/-]*");
	check_text(&problems, "sourceIdentity",
			   parameter(request, "SourceIdentity"), 2, 64, "+=,.@-",
			   NAME_PATTERN);
	terms->seconds = duration(request, &problems, MAX_SESSION_DURATION, 0);
	check_text(&problems, "policy", parameter(request, "Policy"), 1, 2048,
			   NULL, NULL);
	read_tags(call, &problems);
	raise_problems(&problems);
	if (!looks_like_arn(call->role_arn))
		dyn_raise(VALIDATION, "%s is invalid", call->role_arn);
	read_transitive_keys(call);
	terms->name = call->session_name;
}

/* How long the session lasts, by the role's settings. */
static void
limit_duration(const AssumeRole *call, const DynPrincipalSettings *settings,
			   DynSessionTerms *terms)
{
	const DynSession *session = call->request->caller.principal->session;

	if (terms->seconds == 0)
		terms->seconds = DYN_DEFAULT_SESSION_DURATION;
	if (session != NULL && session->name != NULL &&
		terms->seconds > MAX_CHAINED_DURATION)
		dyn_raise(VALIDATION, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.");
	if (terms->seconds > settings->max_session_duration)
		dyn_raise(VALIDATION, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
}

/* The role's trust policy, parsed; somebody else's role looks like none. */
static void
find_target(AssumeRole *call, DynPrincipalSettings *settings,
			DynNamedPolicy *trust)
{
	Oid			role = role_of_arn(call->role_arn);
	const char *problem;

	if (!OidIsValid(role))
		refuse(call);
	dyn_principal_settings(role, settings);
	if (settings->trust_policy == NULL)
		refuse(call);
	call->target = dyn_identity(role);
	trust->name = "trust policy";
	trust->attached_to = call->target->arn;
	trust->policy = dyn_policy_parse(settings->trust_policy,
									 strlen(settings->trust_policy),
									 DYN_POLICY_TRUST, &problem);
	if (trust->policy == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("trust policy of role \"%s\" is malformed: %s",
						call->target->name, problem)));
}

static void
assume_role(DynStsRequest *request, DynStsReply *reply)
{
	AssumeRole *call = palloc0(sizeof(AssumeRole));
	DynPrincipalSettings settings;
	DynNamedPolicy trust;
	DynSessionTerms terms = {0};
	DynSessionCredentials credentials;
	DynStsField *field;

	call->request = request;
	read_assume_role(call, &terms);
	refuse_second_factor(request);
	check_session_policy(request);
	set_source_identity(call);
	find_target(call, &settings, &trust);
	authorize(call, "sts:AssumeRole", &trust);
	if (call->ntags > 0)
		authorize(call, "sts:TagSession", &trust);
	if (call->source_identity != NULL)
		authorize(call, "sts:SetSourceIdentity", &trust);
	limit_duration(call, &settings, &terms);
	collect_tags(call, &terms);
	terms.policy = session_policy(request);
	terms.role = call->target->role;
	terms.source_identity = call->source_identity;
	issue(request, &terms, &credentials);

	add_field(reply, user_group, "AssumedRoleId",
			  psprintf("%s:%s", call->target->user_id, call->session_name));
	add_field(reply, user_group, "Arn",
			  psprintf("arn:aws:sts::%s:assumed-role/%s/%s", dyn_account_id,
					   call->target->name, call->session_name));
	add_credentials(reply, &credentials);
	if (terms.policy != NULL || terms.ntags > 0)
	{
		add_field(reply, NULL, "PackedPolicySize",
				  psprintf("%d", credentials.packed_percent));
		field = &reply->fields[reply->nfields - 1];
		field->is_number = true;
	}
	if (call->source_identity != NULL)
		add_field(reply, NULL, "SourceIdentity", call->source_identity);
}

/*---- GetSessionToken, GetCallerIdentity ----*/

static void
get_session_token(DynStsRequest *request, DynStsReply *reply)
{
	Problems	problems = {0};
	DynSessionTerms terms = {.role = request->caller.principal->role};
	DynSessionCredentials credentials;

	terms.seconds = duration(request, &problems, MAX_TOKEN_DURATION,
							 DEFAULT_TOKEN_DURATION);
	raise_problems(&problems);
	refuse_second_factor(request);
	if (request->caller.principal->session != NULL)
		dyn_raise(ACCESS_DENIED, "Cannot call GetSessionToken with session credentials");
	/* Its sessions are assumed, or they would outlast its trust policy. */
	if (request->caller.identity->is_role)
		dyn_raise(ACCESS_DENIED, "Cannot call GetSessionToken as a role");
	issue(request, &terms, &credentials);
	add_credentials(reply, &credentials);
}

static void
get_caller_identity(DynStsRequest *request, DynStsReply *reply)
{
	const DynSession *session = request->caller.principal->session;
	const DynIdentity *identity = request->caller.identity;

	add_field(reply, NULL, "Arn",
			  session != NULL ? session->arn : identity->arn);
	add_field(reply, NULL, "UserId",
			  session != NULL ? session->user_id : identity->user_id);
	add_field(reply, NULL, "Account", dyn_account_id);
}

/*---- interface ----*/

static const struct
{
	const char *name;
	void		(*run) (DynStsRequest *request, DynStsReply *reply);
}			actions[] = {
	{"AssumeRole", assume_role},
	{"GetCallerIdentity", get_caller_identity},
	{"GetSessionToken", get_session_token}
};

bool
dyn_sts_knows(const char *action)
{
	for (int i = 0; i < lengthof(actions); i++)
		if (strcmp(actions[i].name, action) == 0)
			return true;
	return false;
}

void
dyn_sts_run(DynStsRequest *request, DynStsReply *reply)
{
	reply->nfields = 0;
	request->caller.identity = dyn_identity(request->caller.principal->role);
	for (int i = 0; i < lengthof(actions); i++)
		if (strcmp(actions[i].name, request->action) == 0)
			actions[i].run(request, reply);
}

/*---- for SQL ----*/

/* Add a JSON value under its name in the Query protocol. */
static int
flatten(const DynJson *node, const char *name, DynStsParameter *parameters,
		int n, int room)
{
	const char *value = NULL;
	uint32		len;
	int			element = 0;

	check_stack_depth();
	switch (dyn_json_kind(node))
	{
		case DYN_JSON_OBJECT:
			for (const DynJson *child = dyn_json_first(node); child != NULL;
				 child = dyn_json_next(child))
			{
				const char *member = dyn_json_name(child, &len);

				n = flatten(child, name[0] == '\0' ? member :
							psprintf("%s.%s", name, member),
							parameters, n, room);
			}
			return n;
		case DYN_JSON_ARRAY:
			for (const DynJson *child = dyn_json_first(node); child != NULL;
				 child = dyn_json_next(child))
				n = flatten(child, psprintf("%s.member.%d", name, ++element),
							parameters, n, room);
			return n;
		case DYN_JSON_STRING:
			value = dyn_json_string(node, &len);
			break;
		case DYN_JSON_NUMBER:
			value = psprintf("%.0f", dyn_json_number(node));
			break;
		default:
			return n;
	}
	if (n == room)
		dyn_raise(VALIDATION, "The request has too many members");
	parameters[n] = (DynStsParameter) {name, value};
	return n + 1;
}

#define MAX_PARAMETERS 200

void
dyn_sts_run_json(const char *action, const DynJson *object, StringInfo out)
{
	DynStsParameter parameters[MAX_PARAMETERS];
	DynPrincipal principal = {.role = GetUserId()};
	DynStsRequest *request = palloc0(sizeof(DynStsRequest));
	DynStsReply reply;
	DynJsonWriter w;
	const char *group = NULL;

	if (dyn_json_kind(object) != DYN_JSON_OBJECT)
		dyn_raise(VALIDATION, "The request is not a JSON object");
	request->action = action;
	request->parameters = parameters;
	request->nparameters = flatten(object, "", parameters, 0, MAX_PARAMETERS);
	request->caller.principal = &principal;
	dyn_sts_run(request, &reply);

	dyn_json_writer_init(&w, out);
	dyn_json_begin_object(&w);
	for (int i = 0; i < reply.nfields; i++)
	{
		const DynStsField *field = &reply.fields[i];

		if (group != NULL && field->group != group)
			dyn_json_end_object(&w);
		if (field->group != NULL && field->group != group)
		{
			dyn_json_write_key(&w, field->group);
			dyn_json_begin_object(&w);
		}
		group = field->group;
		dyn_json_write_key(&w, field->name);
		if (field->is_number)
			dyn_json_write_raw(&w, field->value, strlen(field->value));
		else
			dyn_json_write_cstring(&w, field->value);
	}
	if (group != NULL)
		dyn_json_end_object(&w);
	dyn_json_end_object(&w);
}
