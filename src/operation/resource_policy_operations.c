/*-------------------------------------------------------------------------
 *
 * resource_policy_operations.c
 *		PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy.
 *
 * A policy counts from the transaction's end on; the service takes a while.
 *
 * src/operation/resource_policy_operations.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "operation/arn.h"
#include "operation/resource_policy_request.h"
#include "operation/stream_request.h"
#include "operation/table_request.h"
#include "table/resource_policy.h"

#define MAX_ARN_LENGTH 1283
#define MAX_REVISION_ID_LENGTH 255
#define NO_POLICY "NO_POLICY"

/* What a request is about: a table, or a stream of a table that is there. */
typedef struct Resource
{
	const char *arn;
	uint32		arn_len;
	const char *label;			/* "" for the table itself */
	const DynTable *table;
	DynStreamInfo stream;
} Resource;

static void
check_members(const DynJson *request, DynViolations *v)
{
	const DynJson *arn = dyn_request_member(request, "ResourceArn");

	if (dyn_member_require(v, arn, "resourceArn"))
		dyn_member_length(v, arn, 1, MAX_ARN_LENGTH, "resourceArn");
	dyn_member_length(v, dyn_request_member(request, "ExpectedRevisionId"), 1,
					  MAX_REVISION_ID_LENGTH, "expectedRevisionId");
}

static void
read_arn(const DynJson *request, Resource *resource)
{
	resource->arn = dyn_request_string(request, "ResourceArn", &resource->arn_len);
	switch (dyn_arn_kind(resource->arn, resource->arn_len))
	{
		case DYN_ARN_NONE:
		case DYN_ARN_MALFORMED:
		case DYN_ARN_INDEX:
			dyn_raise(VALIDATION,
					  "Invalid TableArn: Invalid ResourceArn provided as input %s",
					  resource->arn);
			break;
		case DYN_ARN_TABLE:
		case DYN_ARN_STREAM:
			break;
	}
}

/* Set table unless there is none, or none that the stream is of. */
static void
find(Resource *resource)
{
	char	   *table_name;
	char	   *label;

	resource->label = "";
	if (dyn_arn_kind(resource->arn, resource->arn_len) == DYN_ARN_TABLE)
	{
		resource->table = dyn_table_find(resource->arn, resource->arn_len);
		return;
	}
	if (!dyn_stream_arn_parts(resource->arn, resource->arn_len, &table_name, &label) ||
		!dyn_stream_find(table_name, label, &resource->stream))
		return;
	resource->label = label;
	resource->table = dyn_table_find(table_name, strlen(table_name));
	if (resource->table != NULL &&
		memcmp(&resource->table->table_id, &resource->stream.table_id,
			   sizeof(pg_uuid_t)) != 0)
		resource->table = NULL;
}

/* Finish asking, and refuse what is not there. */
static void
open_resource(DynOperationContext *context, Resource *resource,
			  DynAuthorization *authorization)
{
	dyn_authorization_finish(authorization);
	if (resource->table == NULL)
		dyn_raise(RESOURCE_NOT_FOUND,
				  "Requested resource not found: ResourcArn: %s not found",
				  resource->arn);
	context->table_name = pstrdup(resource->table->name);
}

/* Ask; of a stream's policy it is the table's owner, too, who may do this. */
static void
ask(DynOperationContext *context, const Resource *resource,
	DynAuthorization *authorization)
{
	dyn_authorization_policy(authorization, context, resource->arn, resource->arn_len,
							 resource->table, resource->label);
}

static void pg_attribute_noreturn()
refuse_no_policy(const Resource *resource)
{
	dyn_raise(POLICY_NOT_FOUND,
			  "Resource-based policy not found for the provided ResourceArn: %s",
			  resource->arn);
}

/*
 * Lock what is to be changed, and refuse if it isn't what the caller expects.
 * Returns the policy there is, or NULL.
 */
static const DynResourcePolicy *
begin_change(const DynJson *request, Resource *resource)
{
	const DynResourcePolicy *policy;
	uint32		len;
	const char *expected = dyn_request_string(request, "ExpectedRevisionId", &len);

	resource->table = dyn_table_lock_row(resource->table);
	policy = dyn_resource_policy(resource->table, resource->label);
	if (expected == NULL)
		return policy;
	if (strcmp(expected, NO_POLICY) == 0 ? policy != NULL :
		policy == NULL || strcmp(expected, policy->revision_id) != 0)
		refuse_no_policy(resource);
	return policy;
}

static void
reply_revision(StringInfo reply, const char *document, const char *revision_id)
{
	DynJsonWriter w;

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	if (document != NULL)
		dyn_json_write_text(&w, "Policy", document);
	if (revision_id != NULL)
		dyn_json_write_text(&w, "RevisionId", revision_id);
	dyn_json_end_object(&w);
}

const char *
dyn_request_resource_policy(const DynJson *request, const char *name,
							DynNamedPolicy *policy)
{
	uint32		len;
	const char *document = dyn_request_string(request, name, &len);
	const char *problem;

	if (len > DYN_MAX_RESOURCE_POLICY_SIZE)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Invalid policy document: The policy exceeds the maximum size of 20 KB");
	policy->policy = dyn_policy_parse(document, len, DYN_POLICY_RESOURCE, &problem);
	if (policy->policy == NULL)
		dyn_raise(VALIDATION, DYN_INVALID_VALUES "Invalid policy document: %s", problem);

	/* The catalog's text has no NUL; in a JSON text it can't be either. */
	Assert(strlen(document) == len);
	return document;
}

/* May who puts the policy put another one afterwards?  If not, he must say so. */
static void
check_lockout(DynOperationContext *context, const DynJson *request,
			  const Resource *resource, const DynNamedPolicy *policy)
{
	DynAuthorization afterwards = {.permission = DYN_MAY_PutResourcePolicy,
	.replacement = policy};

	if (context->explanation != NULL || context->confirm_remove_self_resource_access ||
		dyn_request_bool(request, "ConfirmRemoveSelfResourceAccess", false))
		return;
	ask(context, resource, &afterwards);
	dyn_authorization_decide(&afterwards);
	if (afterwards.effect == DYN_EFFECT_DENY)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Invalid policy document: With this policy you could not change it any more. ConfirmRemoveSelfResourceAccess puts it all the same");
}

DynOutcome
dyn_put_resource_policy(DynOperationContext *context, const DynJson *request,
						StringInfo reply)
{
	DynAuthorization authorization = {.permission = DYN_MAY_PutResourcePolicy};
	DynNamedPolicy policy = {"resource policy"};
	DynViolations v = {0};
	Resource	resource = {0};
	const char *document;

	check_members(request, &v);
	dyn_member_require(&v, dyn_request_member(request, "Policy"), "policy");
	dyn_violations_raise(&v);
	read_arn(request, &resource);
	document = dyn_request_resource_policy(request, "Policy", &policy);
	policy.attached_to = resource.arn;

	find(&resource);
	ask(context, &resource, &authorization);
	dyn_authorization_check(&authorization);
	if (resource.table != NULL)
		check_lockout(context, request, &resource, &policy);
	open_resource(context, &resource, &authorization);
	(void) begin_change(request, &resource);
	reply_revision(reply, NULL, dyn_resource_policy_put(resource.table, resource.label,
														document));
	return DYN_OUTCOME_DONE;
}

DynOutcome
dyn_get_resource_policy(DynOperationContext *context, const DynJson *request,
						StringInfo reply)
{
	DynAuthorization authorization = {.permission = DYN_MAY_GetResourcePolicy};
	DynViolations v = {0};
	Resource	resource = {0};
	const DynResourcePolicy *policy;

	check_members(request, &v);
	dyn_violations_raise(&v);
	read_arn(request, &resource);
	find(&resource);
	ask(context, &resource, &authorization);
	open_resource(context, &resource, &authorization);
	policy = dyn_resource_policy(resource.table, resource.label);
	if (policy == NULL)
		refuse_no_policy(&resource);
	reply_revision(reply, policy->document, policy->revision_id);
	return DYN_OUTCOME_DONE;
}

DynOutcome
dyn_delete_resource_policy(DynOperationContext *context, const DynJson *request,
						   StringInfo reply)
{
	DynAuthorization authorization = {.permission = DYN_MAY_DeleteResourcePolicy};
	DynViolations v = {0};
	Resource	resource = {0};
	const DynResourcePolicy *policy;
	const char *revision_id = NULL;

	check_members(request, &v);
	dyn_violations_raise(&v);
	read_arn(request, &resource);
	find(&resource);
	ask(context, &resource, &authorization);
	open_resource(context, &resource, &authorization);
	policy = begin_change(request, &resource);
	if (policy != NULL)
	{
		revision_id = pstrdup(policy->revision_id);
		dyn_resource_policy_delete(resource.table, resource.label);
	}
	reply_revision(reply, NULL, revision_id);
	return DYN_OUTCOME_DONE;
}
