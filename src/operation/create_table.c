/*-------------------------------------------------------------------------
 *
 * create_table.c
 *		CreateTable.
 *
 * The table is there when the call returns.  The answer says CREATING, as the
 * service's does: clients poll DescribeTable for what they wait for, and find it
 * at once.
 *
 * src/operation/create_table.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "operation/index_request.h"
#include "operation/key_schema_request.h"
#include "operation/resource_policy_request.h"
#include "operation/stream_request.h"
#include "operation/table_description.h"
#include "operation/table_request.h"
#include "operation/tag_request.h"
#include "table/resource_policy.h"

static void
check_members(const DynJson *request, DynBillingMode *mode)
{
	const DynJson *name = dyn_table_request_require_name(request);
	DynViolations v = {0};

	dyn_request_check_definitions(&v, dyn_request_member(request, "AttributeDefinitions"),
								  true);
	dyn_member_length(&v, name, DYN_MIN_TABLE_NAME_LENGTH,
					  DYN_MAX_TABLE_NAME_LENGTH, "tableName");
	dyn_member_name_pattern(&v, name, "tableName");
	dyn_request_billing_mode(&v, request, mode);
	dyn_throughput_check_members(&v, request, "");
	dyn_request_check_key_schema(&v, dyn_request_member(request, "KeySchema"), 2, "");
	dyn_request_check_indexes(&v, request);
	dyn_table_request_check_options(&v, request);
	dyn_request_check_tags(&v, request, false);
	dyn_violations_raise(&v);
}

static void
check_billing(const DynJson *request, const DynThroughputRequest *throughput,
			  DynBillingMode mode)
{
	if (mode == DYN_BILLING_PAY_PER_REQUEST && throughput->provisioned)
		dyn_throughput_refuse_on_demand();
	if (mode == DYN_BILLING_PROVISIONED && !throughput->provisioned)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED");
	dyn_throughput_check_bounds(throughput, NULL);
	dyn_request_check_index_bounds(request);
}

static void
read_keys_and_indexes(const DynJson *request, DynTableDefinition *table)
{
	const DynJson *definitions = dyn_request_member(request, "AttributeDefinitions");
	const DynJson *key_schema = dyn_request_member(request, "KeySchema");
	bool		has_indexes =
	dyn_request_member(request, "LocalSecondaryIndexes") != NULL ||
	dyn_request_member(request, "GlobalSecondaryIndexes") != NULL;

	dyn_key_schema_resolve(key_schema, definitions, &table->schema);
	dyn_definitions_check_duplicates(definitions);
	if (!has_indexes && dyn_json_count(key_schema) != dyn_json_count(definitions))
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions");
	dyn_request_indexes(request, table->billing_mode, table);
}

static void
read_throughput(const DynThroughputRequest *throughput, DynTableDefinition *table)
{
	table->read_units = throughput->units.read;
	table->write_units = throughput->units.write;
	dyn_throughput_merge_ceilings(throughput, NULL, table->billing_mode, true,
								  &table->max_units);
	dyn_throughput_increase_warm(throughput, NULL,
								 dyn_warm_units(table->billing_mode, throughput->units,
												table->warm_units),
								 &table->warm_units);
}

/*
 * With tags and a policy a table could get what other policies go by; so they
 * take the permissions they would take once the table is there.
 */
static void
ask_for(DynPermission permission, DynOperationContext *context, const char *name,
		const DynTag *tags, int ntags)
{
	DynAuthorization authorization = {
		.permission = permission,.tags = tags,.ntags = ntags
	};

	dyn_authorization_create(&authorization, context, name);
	dyn_authorization_check(&authorization);
}

DynOutcome
dyn_create_table(DynOperationContext *context, const DynJson *request,
				 StringInfo reply)
{
	const DynJson *stream = dyn_request_member(request, "StreamSpecification");
	DynAuthorization authorization = {.permission = DYN_MAY_CreateTable};
	DynTableDefinition definition = {0};
	DynThroughputRequest throughput;
	DynSealingRequest sealing;
	DynStreamView view;
	bool		has_stream;
	const DynTable *table;
	const char *policy = NULL;
	DynNamedPolicy parsed;
	DynTag	   *tags;
	int			ntags;
	uint32		len;

	check_members(request, &definition.billing_mode);
	throughput = dyn_throughput_read(request);
	check_billing(request, &throughput, definition.billing_mode);
	read_keys_and_indexes(request, &definition);
	read_throughput(&throughput, &definition);
	sealing = dyn_table_request_sealing(request);
	has_stream = stream != NULL && dyn_stream_request_enables(stream, &view, "created");
	tags = dyn_request_tags(request, &ntags);
	if (dyn_request_member(request, "ResourcePolicy") != NULL)
		policy = dyn_request_resource_policy(request, "ResourcePolicy", &parsed);

	definition.name = dyn_request_string(request, "TableName", &len);
	definition.deletion_protection =
		dyn_request_bool(request, "DeletionProtectionEnabled", false);
	definition.table_class = dyn_table_request_class(request, DYN_TABLE_CLASS_STANDARD);
	context->table_name = definition.name;
	authorization.tags = tags;
	authorization.ntags = ntags;
	dyn_authorization_create(&authorization, context, definition.name);
	dyn_authorization_check(&authorization);
	if (ntags > 0)
		ask_for(DYN_MAY_TagResource, context, definition.name, tags, ntags);
	if (policy != NULL)
		ask_for(DYN_MAY_PutResourcePolicy, context, definition.name, NULL, 0);
	dyn_authorization_finish(&authorization);
	dyn_table_request_check_master_key(&sealing);
	table = dyn_table_create(&definition);
	if (sealing.enabled)
	{
		dyn_table_seal(table, sealing.master_key, true);
		table = dyn_table_refresh(table);
	}
	if (has_stream)
	{
		dyn_stream_enable(table, view);
		table = dyn_table_refresh(table);
	}
	if (ntags > 0)
		dyn_tags_put(table, tags, ntags);
	if (policy != NULL)
		(void) dyn_resource_policy_put(table, "", policy);
	dyn_reply_table_description(reply, "TableDescription", table, "CREATING", NULL,
								false);
	return DYN_OUTCOME_DONE;
}
