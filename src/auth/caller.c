/*-------------------------------------------------------------------------
 *
 * caller.c
 *		What policies' conditions may ask of who asks: the keys aws:*.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 *
 * src/auth/caller.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "auth/caller.h"
#include "base/settings.h"

static const char *
iso_time(int64 seconds, char *buffer, size_t size)
{
	time_t		time = (time_t) seconds;
	struct tm	tm;

	if (gmtime_r(&time, &tm) == NULL ||
		strftime(buffer, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return NULL;
	return buffer;
}

/* A tag's key is compared without case, as condition keys are. */
static const DynPolicyText *
find_tag(int ntags, const DynPrincipalTag *tags, DynPolicyText key)
{
	for (int i = 0; i < ntags; i++)
		if (tags[i].key.len == key.len &&
			pg_strncasecmp(tags[i].key.data, key.data, key.len) == 0)
			return &tags[i].value;
	return NULL;
}

static const DynPolicyText *
principal_tag(const DynCaller *caller, DynPolicyText key)
{
	const DynSession *session = caller->principal->session;
	const DynPolicyText *value = NULL;

	if (session != NULL)
		value = find_tag(session->ntags, session->tags, key);
	if (value == NULL)
		value = find_tag(caller->identity->ntags, caller->identity->tags, key);
	return value;
}

/* The text of a key that has at most one value; NULL: absent. */
static const char *
key_text(DynCaller *caller, DynPolicyKeyKind kind)
{
	const DynIdentity *identity = caller->identity;
	const DynSession *session = caller->principal->session;

	switch (kind)
	{
		case DYN_KEY_CURRENT_TIME:
			return iso_time(time(NULL), caller->times[0],
							sizeof(caller->times[0]));
		case DYN_KEY_EPOCH_TIME:
			snprintf(caller->times[1], sizeof(caller->times[1]), INT64_FORMAT,
					 (int64) time(NULL));
			return caller->times[1];
		case DYN_KEY_TOKEN_ISSUE_TIME:
			return session == NULL ? NULL :
				iso_time(session->issued, caller->times[2],
						 sizeof(caller->times[2]));
		case DYN_KEY_MULTI_FACTOR_AUTH_PRESENT:
			/* Temporary credentials always say; long-term ones never do. */
			return session == NULL ? NULL : "false";
		case DYN_KEY_PRINCIPAL_ACCOUNT:
			return dyn_account_id;
		case DYN_KEY_PRINCIPAL_ARN:
			/* Of a session, the role's. */
			return identity->arn;
		case DYN_KEY_PRINCIPAL_TYPE:
			return identity->is_role ? "AssumedRole" : "User";
		case DYN_KEY_USER_ID:
			return session != NULL ? session->user_id : identity->user_id;
		case DYN_KEY_USER_NAME:
			return identity->is_role ? NULL : identity->name;
		case DYN_KEY_SOURCE_IDENTITY:
			return session == NULL ? NULL : session->source_identity;
		case DYN_KEY_SOURCE_IP:
			return caller->source_address != NULL &&
				caller->source_address[0] != '\0' ?
				caller->source_address : NULL;
		case DYN_KEY_SECURE_TRANSPORT:
			return caller->source_address == NULL ? NULL :
				caller->secure_transport ? "true" : "false";
		case DYN_KEY_USER_AGENT:
			return caller->user_agent;
		case DYN_KEY_REFERER:
			return caller->referer;
		case DYN_KEY_REQUESTED_REGION:
			return dyn_region;
		default:
			return NULL;
	}
}

DynPolicyAnswer
dyn_caller_key(DynCaller *caller, const DynPolicyKey *key,
			   DynPolicyValues *values)
{
	const DynPolicyText *found;

	if (key->kind == DYN_KEY_PRINCIPAL_TAG)
		found = principal_tag(caller, key->name);
	else
	{
		DynPolicyText *text = &caller->texts[key->kind];

		text->data = key_text(caller, key->kind);
		text->len = text->data != NULL ? strlen(text->data) : 0;
		found = text->data != NULL ? text : NULL;
	}
	if (found == NULL)
		return DYN_ANSWER_ABSENT;
	values->count = 1;
	values->values = found;
	values->multivalued = false;
	return DYN_ANSWER_PRESENT;
}

void
dyn_caller_context(const DynCaller *caller, DynPolicyContext *context)
{
	const DynSession *session = caller->principal->session;

	context->account = dyn_account_id;
	context->principal_arn = session != NULL ? session->arn :
		caller->identity->arn;
	context->role_arn = caller->identity->is_role ? caller->identity->arn :
		NULL;
}
