/*-------------------------------------------------------------------------
 *
 * policy_functions.c
 *		SQL functions about policies that plain SQL can't be.
 *
 * src/auth/policy_functions.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "auth/auth_catalog.h"
#include "auth/principal.h"
#include "auth/principal_settings.h"
#include "base/compat.h"
#include "base/error.h"
#include "base/json.h"

/* IAM's quotas, in characters that are not white space. */
#define MAX_POLICY_SIZE			6144
#define MAX_TRUST_POLICY_SIZE	2048

PG_FUNCTION_INFO_V1(dyn_internal_check_policy);
PG_FUNCTION_INFO_V1(dyn_put_trust_policy);
PG_FUNCTION_INFO_V1(dyn_internal_identity);

static void
check_policy(const char *document, DynPolicyKind kind)
{
	bool		is_trust = kind == DYN_POLICY_TRUST;
	int			limit = is_trust ? MAX_TRUST_POLICY_SIZE : MAX_POLICY_SIZE;
	int			size = 0;
	const char *problem;

	document = pg_server_to_any(document, strlen(document), PG_UTF8);
	for (const char *p = document; *p != '\0'; p += pg_utf_mblen((const unsigned char *) p))
		size += strchr(" \t\r\n", *p) == NULL;
	if (size > limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg_internal("Cannot exceed quota for %s: %d",
								 is_trust ? "ACLSizePerRole" : "PolicySize",
								 limit)));
	if (dyn_policy_parse(document, strlen(document), kind, &problem) == NULL)
		dyn_raise(MALFORMED_POLICY_DOCUMENT, "%s", problem);
}

/* dynamo_internal.check_policy(document text, is_trust boolean) returns text */
Datum
dyn_internal_check_policy(PG_FUNCTION_ARGS)
{
	check_policy(text_to_cstring(PG_GETARG_TEXT_PP(0)),
				 PG_GETARG_BOOL(1) ? DYN_POLICY_TRUST : DYN_POLICY_IDENTITY);
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/*
 * dynamo.put_trust_policy(role name, document text) returns void
 *
 * Who says that somebody may become a role must be able to become it himself.
 */
Datum
dyn_put_trust_policy(PG_FUNCTION_ARGS)
{
	Oid			role = get_role_oid(NameStr(*PG_GETARG_NAME(0)), false);
	Oid			types[2] = {OIDOID, TEXTOID};
	Datum		values[2] = {ObjectIdGetDatum(role), PG_GETARG_DATUM(1)};

	dyn_check_can_set_role(GetUserId(), role);
	check_policy(text_to_cstring(PG_GETARG_TEXT_PP(1)), DYN_POLICY_TRUST);
	dyn_auth_execute("INSERT INTO dynamo.principals (role, trust_policy)"
					 " VALUES ($1, $2) ON CONFLICT (role)"
					 " DO UPDATE SET trust_policy = excluded.trust_policy",
					 2, types, values, NULL);
	PG_RETURN_VOID();
}

static void
write_text(DynJsonWriter *w, const char *key, DynPolicyText text)
{
	dyn_json_write_key(w, key);
	dyn_json_write_string(w, text.data, text.len);
}

/* dynamo_internal.identity(role) returns json: for tests. */
Datum
dyn_internal_identity(PG_FUNCTION_ARGS)
{
	const DynIdentity *identity = dyn_identity(PG_GETARG_OID(0));
	StringInfoData out;
	DynJsonWriter w;

	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	dyn_json_begin_object(&w);
	dyn_json_write_text(&w, "name", identity->name);
	dyn_json_write_text(&w, "arn", identity->arn);
	dyn_json_write_text(&w, "user_id", identity->user_id);
	dyn_json_write_key(&w, "is_superuser");
	dyn_json_write_bool(&w, identity->is_superuser);
	dyn_json_write_key(&w, "is_role");
	dyn_json_write_bool(&w, identity->is_role);
	dyn_json_write_key(&w, "policies");
	dyn_json_begin_array(&w);
	for (int i = 0; i < identity->npolicies; i++)
		dyn_json_write_cstring(&w, psprintf("%s of %s",
											identity->policies[i].name,
											identity->policies[i].attached_to));
	dyn_json_end_array(&w);
	if (identity->boundary != NULL)
		dyn_json_write_text(&w, "boundary", identity->boundary->name);
	dyn_json_write_key(&w, "tags");
	dyn_json_begin_array(&w);
	for (int i = 0; i < identity->ntags; i++)
	{
		dyn_json_begin_object(&w);
		write_text(&w, "key", identity->tags[i].key);
		write_text(&w, "value", identity->tags[i].value);
		dyn_json_end_object(&w);
	}
	dyn_json_end_array(&w);
	dyn_json_end_object(&w);
	PG_RETURN_TEXT_P(cstring_to_text(pg_any_to_server(out.data, out.len,
													  PG_UTF8)));
}
