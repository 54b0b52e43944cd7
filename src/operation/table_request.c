/*-------------------------------------------------------------------------
 *
 * table_request.c
 *		Parts of requests that the operations on tables share.
 *
 * src/operation/table_request.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "operation/table_request.h"

/* Above this the service does not even look at the account's quota. */
#define MAX_CAPACITY_UNITS INT64CONST(1000000000000)

#define ENUM(name, text, ...) \
	static const char *const name##_values[] = {__VA_ARGS__, NULL}; \
	const DynEnum dyn_enum_##name = {text, name##_values}

ENUM(billing_mode, "[PROVISIONED, PAY_PER_REQUEST]",
	 "PROVISIONED", "PAY_PER_REQUEST");
ENUM(table_class, "[STANDARD, STANDARD_INFREQUENT_ACCESS]",
	 "STANDARD", "STANDARD_INFREQUENT_ACCESS");
ENUM(attribute_type, "[B, N, S]", "B", "N", "S");
ENUM(stream_view_type, "[NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY]",
	 "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY");

const DynJson *
dyn_table_request_require_name(const DynJson *request)
{
	const DynJson *value = dyn_request_member(request, "TableName");

	if (value == NULL)
		dyn_raise(VALIDATION,
				  "The parameter 'TableName' is required but was not present in the request");
	return value;
}

const DynJson *
dyn_table_request_name(DynViolations *v, const DynJson *request)
{
	const DynJson *value = dyn_table_request_require_name(request);
	uint32		len;
	const char *name = dyn_json_string(value, &len);

	if (strncmp(name, "arn:", 4) == 0)
	{
		dyn_member_length(v, value, 1, DYN_MAX_TABLE_ARN_LENGTH, "tableName");
		return value;
	}
	if (len < DYN_MIN_TABLE_NAME_LENGTH || len > DYN_MAX_TABLE_NAME_LENGTH)
		dyn_raise(VALIDATION,
				  "TableName must be at least 3 characters long and at most 255 characters long");
	dyn_member_name_pattern(v, value, "tableName");
	return value;
}

const DynTable *
dyn_table_request_find(DynOperationContext *context, const DynJson *name_value)
{
	uint32		len;
	const char *name = dyn_json_string(name_value, &len);
	const DynTable *table = dyn_table_find(name, len);

	if (table == NULL)
		dyn_raise(RESOURCE_NOT_FOUND,
				  "Requested resource not found: Table: %s not found", name);
	context->table_name = pstrdup(table->name);
	return table;
}

static int64
check_units(DynViolations *v, const DynJson *member, const char *name,
			const char *path)
{
	const DynJson *units = dyn_request_member(member, name);

	if (!dyn_member_require(v, units, "provisionedThroughput.%s", path))
		return 0;
	dyn_member_range(v, units, 1, DYN_UNBOUNDED, "provisionedThroughput.%s", path);
	return dyn_json_to_integer(units);
}

void
dyn_table_request_throughput(DynViolations *v, const DynJson *request, DynThroughputRequest *result)
{
	result->member = dyn_request_member(request, "ProvisionedThroughput");
	if (result->member == NULL)
		return;
	result->write_units = check_units(v, result->member, "WriteCapacityUnits",
									  "writeCapacityUnits");
	result->read_units = check_units(v, result->member, "ReadCapacityUnits",
									 "readCapacityUnits");
}

void
dyn_table_request_billing(DynViolations *v, const DynJson *request, DynThroughputRequest *result)
{
	const DynJson *mode = dyn_request_member(request, "BillingMode");

	result->billing_given = mode != NULL;
	result->billing_mode = dyn_member_enum(v, mode, &dyn_enum_billing_mode,
										   DYN_BILLING_PROVISIONED, "billingMode");
}

void
dyn_throughput_check_bounds(const DynThroughputRequest *throughput)
{
	if (throughput->read_units > MAX_CAPACITY_UNITS)
		dyn_raise(VALIDATION,
				  "Given value " INT64_FORMAT " for ReadCapacityUnits is out of bounds",
				  throughput->read_units);
	if (throughput->write_units > MAX_CAPACITY_UNITS)
		dyn_raise(VALIDATION,
				  "Given value " INT64_FORMAT " for WriteCapacityUnits is out of bounds",
				  throughput->write_units);
}

void
dyn_throughput_refuse_on_demand(void)
{
	dyn_raise(VALIDATION,
			  DYN_INVALID_VALUES "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST");
}

void
dyn_table_request_options(DynViolations *v, const DynJson *request)
{
	const DynJson *stream = dyn_request_member(request, "StreamSpecification");

	dyn_member_enum(v, dyn_request_member(request, "TableClass"),
					&dyn_enum_table_class, DYN_TABLE_CLASS_STANDARD, "tableClass");
	if (stream == NULL)
		return;
	dyn_member_require(v, dyn_request_member(stream, "StreamEnabled"),
					   "streamSpecification.streamEnabled");
	dyn_member_enum(v, dyn_request_member(stream, "StreamViewType"),
					&dyn_enum_stream_view_type, 0, "streamSpecification.streamViewType");
}

void
dyn_refuse_option(const char *what)
{
	dyn_raise(VALIDATION, DYN_INVALID_VALUES "%s is not supported by this server", what);
}

void
dyn_on_demand_throughput_check(const DynJson *request, DynBillingMode mode, bool create)
{
	static const char *const names[] = {"MaxReadRequestUnits", "MaxWriteRequestUnits"};
	const DynJson *member = dyn_request_member(request, "OnDemandThroughput");

	if (member == NULL)
		return;
	for (int i = 0; i < lengthof(names); i++)
	{
		const DynJson *units = dyn_request_member(member, names[i]);
		int64		number;

		if (units == NULL)
			continue;
		if (mode == DYN_BILLING_PROVISIONED)
			dyn_raise(VALIDATION,
					  DYN_INVALID_VALUES "%s for OnDemandThroughput cannot be specified when %stable BillingMode is PROVISIONED%s",
					  names[i], create ? "" : "the ", create ? "." : "");
		number = dyn_json_to_integer(units);
		if (number == -1)
			continue;
		if (number < 1)
			dyn_raise(VALIDATION,
					  DYN_INVALID_VALUES "Requested %s for OnDemandThroughput for table is outside of valid range",
					  names[i]);
		dyn_refuse_option("OnDemandThroughput");
	}
}

void
dyn_table_options_check(const DynJson *request)
{
	const DynJson *sse = dyn_request_member(request, "SSESpecification");
	const DynJson *stream = dyn_request_member(request, "StreamSpecification");
	uint32		len;
	const char *table_class = dyn_request_string(request, "TableClass", &len);

	if (stream != NULL && dyn_request_bool(stream, "StreamEnabled", false))
		dyn_refuse_option("StreamSpecification");
	if (sse != NULL && (dyn_request_bool(sse, "Enabled", false) ||
						dyn_request_member(sse, "SSEType") != NULL ||
						dyn_request_member(sse, "KMSMasterKeyId") != NULL))
		dyn_refuse_option("SSESpecification");
	if (table_class != NULL &&
		strcmp(table_class, dyn_enum_table_class.values[DYN_TABLE_CLASS_STANDARD]) != 0)
		dyn_refuse_option("TableClass STANDARD_INFREQUENT_ACCESS");
}

void
dyn_table_request_definitions(DynViolations *v, const DynJson *list, bool required)
{
	const DynJson *element;
	int			n = 0;

	if (list == NULL)
	{
		if (required)
			dyn_member_require(v, NULL, "attributeDefinitions");
		return;
	}
	for (element = dyn_json_first(list); element; element = dyn_json_next(element))
	{
		const DynJson *name = dyn_request_member(element, "AttributeName");
		const DynJson *type = dyn_request_member(element, "AttributeType");

		n++;
		if (dyn_member_require(v, name, "attributeDefinitions.%d.member.attributeName", n))
			dyn_member_length(v, name, 1, DYN_MAX_KEY_NAME_SIZE,
							  "attributeDefinitions.%d.member.attributeName", n);
		if (dyn_member_require(v, type, "attributeDefinitions.%d.member.attributeType", n))
			dyn_member_enum(v, type, &dyn_enum_attribute_type, 0,
							"attributeDefinitions.%d.member.attributeType", n);
	}
}
