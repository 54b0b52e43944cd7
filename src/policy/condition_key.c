/*-------------------------------------------------------------------------
 *
 * condition_key.c
 *		The names of condition keys.
 *
 * src/policy/condition_key.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "policy/policy.h"

static const char *const names[DYN_KEY_OTHER] = {
	[DYN_KEY_ATTRIBUTES] = "dynamodb:Attributes",
	[DYN_KEY_ENCLOSING_OPERATION] = "dynamodb:EnclosingOperation",
	[DYN_KEY_FULL_TABLE_SCAN] = "dynamodb:FullTableScan",
	[DYN_KEY_LEADING_KEYS] = "dynamodb:LeadingKeys",
	[DYN_KEY_RETURN_CONSUMED_CAPACITY] = "dynamodb:ReturnConsumedCapacity",
	[DYN_KEY_RETURN_VALUES] = "dynamodb:ReturnValues",
	[DYN_KEY_SELECT] = "dynamodb:Select",
	[DYN_KEY_FIRST_PARTITION_KEY_VALUES] = "dynamodb:FirstPartitionKeyValues",
	[DYN_KEY_SECOND_PARTITION_KEY_VALUES] = "dynamodb:SecondPartitionKeyValues",
	[DYN_KEY_THIRD_PARTITION_KEY_VALUES] = "dynamodb:ThirdPartitionKeyValues",
	[DYN_KEY_FOURTH_PARTITION_KEY_VALUES] = "dynamodb:FourthPartitionKeyValues",
	[DYN_KEY_CURRENT_TIME] = "aws:CurrentTime",
	[DYN_KEY_EPOCH_TIME] = "aws:EpochTime",
	[DYN_KEY_MULTI_FACTOR_AUTH_PRESENT] = "aws:MultiFactorAuthPresent",
	[DYN_KEY_PRINCIPAL_ACCOUNT] = "aws:PrincipalAccount",
	[DYN_KEY_PRINCIPAL_ARN] = "aws:PrincipalArn",
	[DYN_KEY_PRINCIPAL_TYPE] = "aws:PrincipalType",
	[DYN_KEY_REFERER] = "aws:Referer",
	[DYN_KEY_REQUESTED_REGION] = "aws:RequestedRegion",
	[DYN_KEY_RESOURCE_ACCOUNT] = "aws:ResourceAccount",
	[DYN_KEY_SECURE_TRANSPORT] = "aws:SecureTransport",
	[DYN_KEY_SOURCE_IDENTITY] = "aws:SourceIdentity",
	[DYN_KEY_SOURCE_IP] = "aws:SourceIp",
	[DYN_KEY_TAG_KEYS] = "aws:TagKeys",
	[DYN_KEY_TOKEN_ISSUE_TIME] = "aws:TokenIssueTime",
	[DYN_KEY_USER_AGENT] = "aws:UserAgent",
	[DYN_KEY_USER_ID] = "aws:userid",
	[DYN_KEY_USER_NAME] = "aws:username",
	[DYN_KEY_DURATION_SECONDS] = "sts:DurationSeconds",
	[DYN_KEY_EXTERNAL_ID] = "sts:ExternalId",
	[DYN_KEY_ROLE_SESSION_NAME] = "sts:RoleSessionName",
	[DYN_KEY_SESSION_SOURCE_IDENTITY] = "sts:SourceIdentity",
	[DYN_KEY_TRANSITIVE_TAG_KEYS] = "sts:TransitiveTagKeys",
	[DYN_KEY_PRINCIPAL_TAG] = "aws:PrincipalTag/",
	[DYN_KEY_REQUEST_TAG] = "aws:RequestTag/",
	[DYN_KEY_RESOURCE_TAG] = "aws:ResourceTag/",
};

StaticAssertDecl(DYN_KEY_OTHER < 64, "dyn_policy_keys() has 64 bits");

static inline char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static bool
equal_ignoring_case(const char *a, const char *b, uint32 len)
{
	for (uint32 i = 0; i < len; i++)
	{
		if (lower(a[i]) != lower(b[i]))
			return false;
	}
	return true;
}

void
dyn_policy_key_parse(const char *text, uint32 len, DynPolicyKey *key)
{
	for (DynPolicyKeyKind kind = 0; kind < DYN_KEY_OTHER; kind++)
	{
		uint32		name_len = strlen(names[kind]);
		bool		is_tag = kind >= DYN_KEY_PRINCIPAL_TAG;

		/* A tag without a key is nobody's. */
		if ((is_tag ? len > name_len : len == name_len) &&
			equal_ignoring_case(text, names[kind], name_len))
		{
			key->kind = kind;
			key->name.data = text + name_len;
			key->name.len = len - name_len;
			return;
		}
	}
	key->kind = DYN_KEY_OTHER;
	key->name.data = text;
	key->name.len = len;
}

bool
dyn_policy_key_equal(const DynPolicyKey *a, const DynPolicyKey *b)
{
	return a->kind == b->kind && a->name.len == b->name.len &&
		equal_ignoring_case(a->name.data, b->name.data, a->name.len);
}

const char *
dyn_policy_key_name(DynPolicyKeyKind kind)
{
	return kind < DYN_KEY_OTHER ? names[kind] : NULL;
}
