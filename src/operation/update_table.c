/*-------------------------------------------------------------------------
 *
 * update_table.c
 *		UpdateTable.
 *
 * The change is made when the call returns, though the answer says UPDATING.
 *
 * src/operation/update_table.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "operation/table_description.h"
#include "operation/table_request.h"

static void
refuse_redefinition(const DynKeyAttribute *attribute, const char *key_type,
					const DynJson *definitions)
{
	const DynJson *definition;

	if (attribute->name == NULL || definitions == NULL)
		return;
	for (definition = dyn_json_first(definitions); definition;
		 definition = dyn_json_next(definition))
	{
		uint32		name_len;
		uint32		type_len;
		const char *name = dyn_request_string(definition, "AttributeName", &name_len);
		const char *type = dyn_request_string(definition, "AttributeType", &type_len);

		if (name_len == attribute->name_len &&
			memcmp(name, attribute->name, name_len) == 0 &&
			dyn_type_from_name(type, type_len) != attribute->type)
			dyn_raise(VALIDATION,
					  DYN_INVALID_VALUES "Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. "
					  "Existing schema: Schema:[SchemaElement: key{%s:%s:%s}] New schema: Schema:[SchemaElement: key{%s:%s:%s}]",
					  name, dyn_type_name(attribute->type), key_type,
					  name, type, key_type);
	}
}

/* Refuse a change of throughput that changes nothing. */
static void
refuse_same_throughput(const DynTable *table, const DynThroughputRequest *throughput)
{
	if (table->read_units == throughput->read_units &&
		table->write_units == throughput->write_units)
		dyn_raise(VALIDATION,
				  "The provisioned throughput for the table will not change. The requested value equals the current value. "
				  "Current ReadCapacityUnits provisioned for the table: " INT64_FORMAT ". "
				  "Requested ReadCapacityUnits: " INT64_FORMAT ". "
				  "Current WriteCapacityUnits provisioned for the table: " INT64_FORMAT ". "
				  "Requested WriteCapacityUnits: " INT64_FORMAT ". "
				  "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
				  table->read_units, throughput->read_units,
				  table->write_units, throughput->write_units);
}

static bool
asks_for_something(const DynJson *request)
{
	static const char *const members[] = {
		"ProvisionedThroughput", "BillingMode", "StreamSpecification",
		"SSESpecification", "TableClass", "OnDemandThroughput",
		"DeletionProtectionEnabled"
	};

	for (int i = 0; i < lengthof(members); i++)
		if (dyn_request_member(request, members[i]) != NULL)
			return true;
	return false;
}

/* The billing mode the table will have. */
static DynBillingMode
billing_mode_after(const DynTable *table, const DynThroughputRequest *throughput)
{
	return throughput->billing_given ? throughput->billing_mode : table->billing_mode;
}

/* Returns whether anything was to be changed. */
static bool
update_throughput(const DynTable *table, const DynThroughputRequest *throughput)
{
	DynBillingMode mode = billing_mode_after(table, throughput);

	if (mode == DYN_BILLING_PAY_PER_REQUEST)
	{
		if (throughput->member != NULL)
			dyn_throughput_refuse_on_demand();
		if (table->billing_mode == mode)
			return false;
	}
	else if (throughput->member == NULL)
	{
		if (table->billing_mode == mode)
			return false;
		dyn_raise(VALIDATION,
				  "ProvisionedThroughput must be specified when BillingMode is PROVISIONED");
	}
	else if (table->billing_mode == mode)
		refuse_same_throughput(table, throughput);

	dyn_table_alter_throughput(table, mode, throughput->read_units,
							   throughput->write_units);
	return true;
}

DynOutcome
dyn_update_table(DynOperationContext *context, const DynJson *request,
				 StringInfo reply)
{
	const DynJson *definitions = dyn_request_member(request, "AttributeDefinitions");
	const DynJson *protection = dyn_request_member(request, "DeletionProtectionEnabled");
	DynThroughputRequest	throughput = {0};
	DynViolations v = {0};
	const DynJson *name = dyn_table_request_name(&v, request);
	const DynTable *table;
	bool		updating;

	dyn_table_request_throughput(&v, request, &throughput);
	dyn_table_request_billing(&v, request, &throughput);
	dyn_table_request_definitions(&v, definitions, false);
	dyn_table_request_options(&v, request);
	dyn_violations_raise(&v);

	if (!asks_for_something(request))
		dyn_raise(VALIDATION,
				  "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required");
	if (throughput.billing_given && throughput.member != NULL &&
		throughput.billing_mode == DYN_BILLING_PAY_PER_REQUEST)
		dyn_throughput_refuse_on_demand();
	dyn_throughput_check_bounds(&throughput);
	dyn_table_options_check(request);

	table = dyn_table_request_find(context, name);
	refuse_redefinition(&table->schema.partition, "HASH", definitions);
	refuse_redefinition(&table->schema.sort, "RANGE", definitions);
	if (dyn_request_member(request, "StreamSpecification") != NULL)
		dyn_raise(VALIDATION, "Table has no stream to disable: TableName: %s",
				  table->name);
	dyn_on_demand_throughput_check(request, billing_mode_after(table, &throughput), false);

	updating = update_throughput(table, &throughput);
	if (protection != NULL)
		dyn_table_alter_protection(table,
								   dyn_request_bool(request, "DeletionProtectionEnabled",
													false));
	dyn_reply_table_description(reply, "TableDescription", dyn_table_request_find(context, name),
					  updating ? "UPDATING" : "ACTIVE");
	return DYN_OUTCOME_DONE;
}
