/*-------------------------------------------------------------------------
 *
 * fuzz_sts.c
 *		server/sts_door.c and auth/sts.c: any form, from somebody who is trusted.
 *
 * What is no call of STS is left to others.  What is one has an answer, which is
 * well-formed as far as texts go: nothing that was sent can look like an element.
 *
 * test/fuzz/fuzz_sts.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "auth/principal_settings.h"
#include "auth/session.h"
#include "auth/sts.h"
#include "server/sts_door.h"
#include "pg_shim.h"

/* The file itself: server/ is not among what targets are linked with. */
#include "server/sts_door.c"

#define ACCOUNT "000000000000"

char	   *dyn_account_id = ACCOUNT;
char	   *dyn_region = "us-east-1";

static const DynIdentity caller = {
	.role = 10,.name = "caller",.arn = "arn:aws:iam::" ACCOUNT ":user/caller",
	.user_id = "AIDAAAAAAAAAAAAAAAAAA"
};
static const DynIdentity target = {
	.role = 20,.name = "r",.arn = "arn:aws:iam::" ACCOUNT ":role/r",
	.user_id = "AROAAAAAAAAAAAAAAAAAA",.is_role = true
};

bool
dyn_http_is_compressed(const DynHttpRequest *request)
{
	return false;
}

char *
pg_any_to_server(const char *s, int len, int encoding)
{
	return unconstify(char *, s);
}

const DynIdentity *
dyn_identity(Oid role)
{
	return role == 20 ? &target : &caller;
}

Oid
get_role_oid(const char *name, bool missing_ok)
{
	return strcmp(name, "r") == 0 ? 20 : InvalidOid;
}

bool
is_member_of_role(Oid member, Oid role)
{
	return false;
}

Oid
GetUserId(void)
{
	return 10;
}

void
dyn_principal_settings(Oid role, DynPrincipalSettings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->max_session_duration = 43200;
	settings->trust_policy = pstrdup("{\"Statement\": {\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"sts:*\","
									 " \"Condition\": {\"StringNotLike\": {\"aws:RequestTag/x\": \"${sts:ExternalId}*\"}}}}");
}

char *
dyn_policy_document(const char *name)
{
	return strcmp(name, "p") == 0 ? pstrdup("{}") : NULL;
}

void
dyn_session_issue(const DynSessionTerms *terms, DynSessionCredentials *credentials)
{
	FUZZ_REQUIRE(terms->seconds >= 900 && terms->seconds <= 129600);
	FUZZ_REQUIRE(terms->ntags <= 50 && terms->ntransitive <= terms->ntags);
	for (int i = 0; i < terms->ntags; i++)
		FUZZ_REQUIRE(terms->tags[i].key.len > 0);
	if (terms->role == 20)
		FUZZ_REQUIRE(strlen(terms->name) >= 2 && strlen(terms->name) <= 64);
	memset(credentials, 0, sizeof(*credentials));
	credentials->token = pstrdup("token");
}

static void
execute(void *argument)
{
	dyn_sts_execute(argument);
}

/* Each '<' begins an element of ours. */
static void
check_reply(const DynWork *work)
{
	FUZZ_REQUIRE(work->reply.len > 0 && strlen(work->reply.data) == work->reply.len);
	FUZZ_REQUIRE(pg_encoding_verifymbstr(PG_UTF8, work->reply.data, work->reply.len) == work->reply.len);
	for (const char *p = strchr(work->reply.data, '<'); p != NULL; p = strchr(p + 1, '<'))
		FUZZ_REQUIRE(p[1] == '/' || (p[1] >= 'A' && p[1] <= 'Z'));
}

void
fuzz_one(const uint8 *data, size_t size)
{
	static DynHttpHeader header = {"Content-Type", 12, "application/x-www-form-urlencoded", 33};
	DynHttpRequest *http = palloc0(sizeof(DynHttpRequest));
	DynWork    *work = palloc0(sizeof(DynWork));
	bool		is_get = size > 0 && (data[0] & 1);
	char	   *text = palloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	http->method = is_get ? "GET" : "POST";
	http->query = is_get ? text : "";
	http->raw_body = text;
	http->raw_body_len = size;
	http->headers = &header;
	http->nheaders = 1;
	http->peer_address = "127.0.0.1";
	work->http = http;
	work->principal.role = 10;
	work->context.source_address = http->peer_address;
	initStringInfo(&work->reply);
	if (!dyn_sts_accept(work))
		return;
	if (work->kind == DYN_WORK_STS && !fuzz_try(execute, work))
		dyn_sts_refuse(work, DYN_EXCEPTION_VALIDATION, fuzz_message);
	check_reply(work);
}
