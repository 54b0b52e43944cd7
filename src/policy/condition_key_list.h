/*-------------------------------------------------------------------------
 *
 * condition_key_list.h
 *		Every condition key that a request may have, one line each.
 *
 * DYN_CONDITION_KEY(kind, name)
 *
 * Those of tags come last: the tag's key follows their slash.
 *
 * No include guard: included several times with other definitions of
 * DYN_CONDITION_KEY.
 *
 * src/policy/condition_key_list.h
 *-------------------------------------------------------------------------
 */
DYN_CONDITION_KEY(ATTRIBUTES, "dynamodb:Attributes")
DYN_CONDITION_KEY(ENCLOSING_OPERATION, "dynamodb:EnclosingOperation")
DYN_CONDITION_KEY(FULL_TABLE_SCAN, "dynamodb:FullTableScan")
DYN_CONDITION_KEY(LEADING_KEYS, "dynamodb:LeadingKeys")
DYN_CONDITION_KEY(RETURN_CONSUMED_CAPACITY, "dynamodb:ReturnConsumedCapacity")
DYN_CONDITION_KEY(RETURN_VALUES, "dynamodb:ReturnValues")
DYN_CONDITION_KEY(SELECT, "dynamodb:Select")
DYN_CONDITION_KEY(FIRST_PARTITION_KEY_VALUES, "dynamodb:FirstPartitionKeyValues")
DYN_CONDITION_KEY(SECOND_PARTITION_KEY_VALUES, "dynamodb:SecondPartitionKeyValues")
DYN_CONDITION_KEY(THIRD_PARTITION_KEY_VALUES, "dynamodb:ThirdPartitionKeyValues")
DYN_CONDITION_KEY(FOURTH_PARTITION_KEY_VALUES, "dynamodb:FourthPartitionKeyValues")
DYN_CONDITION_KEY(CURRENT_TIME, "aws:CurrentTime")
DYN_CONDITION_KEY(EPOCH_TIME, "aws:EpochTime")
DYN_CONDITION_KEY(MULTI_FACTOR_AUTH_PRESENT, "aws:MultiFactorAuthPresent")
DYN_CONDITION_KEY(PRINCIPAL_ACCOUNT, "aws:PrincipalAccount")
DYN_CONDITION_KEY(PRINCIPAL_ARN, "aws:PrincipalArn")
DYN_CONDITION_KEY(PRINCIPAL_TYPE, "aws:PrincipalType")
DYN_CONDITION_KEY(REFERER, "aws:Referer")
DYN_CONDITION_KEY(REQUESTED_REGION, "aws:RequestedRegion")
DYN_CONDITION_KEY(RESOURCE_ACCOUNT, "aws:ResourceAccount")
DYN_CONDITION_KEY(SECURE_TRANSPORT, "aws:SecureTransport")
DYN_CONDITION_KEY(SOURCE_IDENTITY, "aws:SourceIdentity")
DYN_CONDITION_KEY(SOURCE_IP, "aws:SourceIp")
DYN_CONDITION_KEY(TAG_KEYS, "aws:TagKeys")
DYN_CONDITION_KEY(TOKEN_ISSUE_TIME, "aws:TokenIssueTime")
DYN_CONDITION_KEY(USER_AGENT, "aws:UserAgent")
DYN_CONDITION_KEY(USER_ID, "aws:userid")
DYN_CONDITION_KEY(USER_NAME, "aws:username")
DYN_CONDITION_KEY(DURATION_SECONDS, "sts:DurationSeconds")
DYN_CONDITION_KEY(EXTERNAL_ID, "sts:ExternalId")
DYN_CONDITION_KEY(ROLE_SESSION_NAME, "sts:RoleSessionName")
DYN_CONDITION_KEY(SESSION_SOURCE_IDENTITY, "sts:SourceIdentity")
DYN_CONDITION_KEY(TRANSITIVE_TAG_KEYS, "sts:TransitiveTagKeys")
DYN_CONDITION_KEY(PRINCIPAL_TAG, "aws:PrincipalTag/")
DYN_CONDITION_KEY(REQUEST_TAG, "aws:RequestTag/")
DYN_CONDITION_KEY(RESOURCE_TAG, "aws:ResourceTag/")
