/*-------------------------------------------------------------------------
 *
 * table_operations.c
 *		CreateTable, DescribeTable, UpdateTable, DeleteTable, ListTables.
 *
 * All of them are done when they answer.  CreateTable, UpdateTable and
 * DeleteTable still say CREATING, UPDATING and DELETING, as the service does:
 * clients poll DescribeTable for what they wait for, and find it at once.
 *
 * src/operation/table_operations.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "operation/request.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#define INVALID "One or more parameter values were invalid: "

/* Above this the service does not even look at the account's quota. */
#define MAX_CAPACITY_UNITS INT64CONST(1000000000000)

/* What the service can serve at once from a new on-demand table. */
#define ON_DEMAND_READ_UNITS 12000
#define ON_DEMAND_WRITE_UNITS 4000

#define DEFAULT_LIST_LIMIT 100

typedef enum TableClass
{
	TABLE_CLASS_STANDARD,
	TABLE_CLASS_INFREQUENT_ACCESS
} TableClass;

typedef enum KeyRole
{
	KEY_HASH,
	KEY_RANGE
} KeyRole;

#define ENUM(name, text, ...) \
	static const char *const name##_values[] = {__VA_ARGS__, NULL}; \
	static const DynEnum name##_enum = {text, name##_values}

/* In the order of DynBillingMode, TableClass, KeyRole. */
ENUM(billing_mode, "[PROVISIONED, PAY_PER_REQUEST]",
	 "PROVISIONED", "PAY_PER_REQUEST");
ENUM(table_class, "[STANDARD, STANDARD_INFREQUENT_ACCESS]",
	 "STANDARD", "STANDARD_INFREQUENT_ACCESS");
ENUM(key_type, "[HASH, RANGE]", "HASH", "RANGE");
ENUM(attribute_type, "[B, N, S]", "B", "N", "S");
ENUM(stream_view_type, "[NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY]",
	 "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY");

/* ----- descriptions ----- */

static void
write_time(DynJsonWriter *w, const char *key, TimestampTz time)
{
	int64		ms = time / 1000 +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * INT64CONST(86400000);
	char		text[32];
	int			len;

	len = snprintf(text, sizeof(text), INT64_FORMAT ".%03d", ms / 1000,
				   (int) (ms % 1000));
	dyn_json_write_key(w, key);
	dyn_json_write_raw(w, text, len);
}

static void
write_text(DynJsonWriter *w, const char *key, const char *text)
{
	dyn_json_write_key(w, key);
	dyn_json_write_cstring(w, text);
}

static void
write_number(DynJsonWriter *w, const char *key, int64 number)
{
	dyn_json_write_key(w, key);
	dyn_json_write_int(w, number);
}

static void
write_attribute_definition(DynJsonWriter *w, const DynKeyAttribute *attribute)
{
	if (attribute->name == NULL)
		return;
	dyn_json_begin_object(w);
	dyn_json_write_key(w, "AttributeName");
	dyn_json_write_string(w, attribute->name, attribute->name_len);
	write_text(w, "AttributeType", dyn_type_name(attribute->type));
	dyn_json_end_object(w);
}

static void
write_key_schema_element(DynJsonWriter *w, const DynKeyAttribute *attribute,
						 const char *key_type)
{
	if (attribute->name == NULL)
		return;
	dyn_json_begin_object(w);
	dyn_json_write_key(w, "AttributeName");
	dyn_json_write_string(w, attribute->name, attribute->name_len);
	write_text(w, "KeyType", key_type);
	dyn_json_end_object(w);
}

static void
write_throughput(DynJsonWriter *w, const DynTable *table)
{
	dyn_json_write_key(w, "ProvisionedThroughput");
	dyn_json_begin_object(w);
	if (table->last_increase != 0)
		write_time(w, "LastIncreaseDateTime", table->last_increase);
	if (table->last_decrease != 0)
		write_time(w, "LastDecreaseDateTime", table->last_decrease);
	write_number(w, "NumberOfDecreasesToday", table->decreases_today);
	write_number(w, "ReadCapacityUnits", table->read_units);
	write_number(w, "WriteCapacityUnits", table->write_units);
	dyn_json_end_object(w);

	/* Infrastructure tools wait until this says ACTIVE. */
	dyn_json_write_key(w, "WarmThroughput");
	dyn_json_begin_object(w);
	if (table->billing_mode == DYN_BILLING_PAY_PER_REQUEST)
	{
		write_number(w, "ReadUnitsPerSecond", ON_DEMAND_READ_UNITS);
		write_number(w, "WriteUnitsPerSecond", ON_DEMAND_WRITE_UNITS);
	}
	else
	{
		write_number(w, "ReadUnitsPerSecond", table->read_units);
		write_number(w, "WriteUnitsPerSecond", table->write_units);
	}
	write_text(w, "Status", "ACTIVE");
	dyn_json_end_object(w);
}

/* Only for tables that are or once were on demand. */
static void
write_billing_mode(DynJsonWriter *w, const DynTable *table)
{
	const char *mode = billing_mode_values[table->billing_mode];

	if (table->billing_mode == DYN_BILLING_PROVISIONED && table->on_demand_since == 0)
		return;
	dyn_json_write_key(w, "BillingModeSummary");
	dyn_json_begin_object(w);
	write_text(w, "BillingMode", mode);
	write_time(w, "LastUpdateToPayPerRequestDateTime", table->on_demand_since);
	dyn_json_end_object(w);
	dyn_json_write_key(w, "TableThroughputModeSummary");
	dyn_json_begin_object(w);
	write_text(w, "TableThroughputMode", mode);
	write_time(w, "LastUpdateToPayPerRequestDateTime", table->on_demand_since);
	dyn_json_end_object(w);
}

static void
write_description(DynJsonWriter *w, const DynTable *table, const char *status)
{
	bool		deleting = strcmp(status, "DELETING") == 0;
	int64		items;
	int64		bytes;

	dyn_json_begin_object(w);
	/* The service leaves it out of DeleteTable's answer. */
	if (!deleting)
	{
		dyn_json_write_key(w, "AttributeDefinitions");
		dyn_json_begin_array(w);
		write_attribute_definition(w, &table->schema.partition);
		write_attribute_definition(w, &table->schema.sort);
		dyn_json_end_array(w);
	}
	write_text(w, "TableName", table->name);
	dyn_json_write_key(w, "KeySchema");
	dyn_json_begin_array(w);
	write_key_schema_element(w, &table->schema.partition, "HASH");
	write_key_schema_element(w, &table->schema.sort, "RANGE");
	dyn_json_end_array(w);
	write_text(w, "TableStatus", status);
	write_time(w, "CreationDateTime", table->created);
	write_throughput(w, table);
	dyn_table_estimate(table, &items, &bytes);
	write_number(w, "TableSizeBytes", bytes);
	write_number(w, "ItemCount", items);
	write_text(w, "TableArn", dyn_table_arn(table->name));
	write_text(w, "TableId", DatumGetCString(DirectFunctionCall1(uuid_out,
																  UUIDPGetDatum(&table->table_id))));
	write_billing_mode(w, table);
	dyn_json_write_key(w, "DeletionProtectionEnabled");
	dyn_json_write_bool(w, table->deletion_protection);
	dyn_json_end_object(w);
}

static void
reply_description(StringInfo reply, const char *member, const DynTable *table,
				  const char *status)
{
	DynJsonWriter w;

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, member);
	write_description(&w, table, status);
	dyn_json_end_object(&w);
}

/* ----- parts of requests ----- */

static const DynJson *
require_table_name(const DynJson *request)
{
	const DynJson *value = dyn_request_member(request, "TableName");

	if (value == NULL)
		dyn_raise(VALIDATION,
				  "The parameter 'TableName' is required but was not present in the request");
	return value;
}

/*
 * TableName of DescribeTable, UpdateTable and DeleteTable: a name or an ARN.
 * Its length is reported alone, its characters with the other violations.
 */
static const DynJson *
check_table_name(DynViolations *v, const DynJson *request)
{
	const DynJson *value = require_table_name(request);
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

static const DynTable *
find_table(DynOperationContext *context, const DynJson *name_value)
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

/* Throughput and billing of CreateTable and UpdateTable. */
typedef struct Throughput
{
	const DynJson *member;		/* ProvisionedThroughput, or NULL */
	int64		read_units;
	int64		write_units;
	bool		billing_given;
	DynBillingMode billing_mode;
} Throughput;

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

static void
check_throughput_member(DynViolations *v, const DynJson *request, Throughput *result)
{
	result->member = dyn_request_member(request, "ProvisionedThroughput");
	if (result->member == NULL)
		return;
	result->write_units = check_units(v, result->member, "WriteCapacityUnits",
									  "writeCapacityUnits");
	result->read_units = check_units(v, result->member, "ReadCapacityUnits",
									 "readCapacityUnits");
}

static void
check_billing_member(DynViolations *v, const DynJson *request, Throughput *result)
{
	const DynJson *mode = dyn_request_member(request, "BillingMode");

	result->billing_given = mode != NULL;
	result->billing_mode = dyn_member_enum(v, mode, &billing_mode_enum,
										   DYN_BILLING_PROVISIONED, "billingMode");
}

static void
check_units_in_bounds(const Throughput *throughput)
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

static void
refuse_units_on_demand(void)
{
	dyn_raise(VALIDATION,
			  INVALID "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST");
}

/* Constraints of the members that CreateTable and UpdateTable share. */
static void
check_option_members(DynViolations *v, const DynJson *request)
{
	const DynJson *stream = dyn_request_member(request, "StreamSpecification");

	dyn_member_enum(v, dyn_request_member(request, "TableClass"),
					&table_class_enum, TABLE_CLASS_STANDARD, "tableClass");
	if (stream == NULL)
		return;
	dyn_member_require(v, dyn_request_member(stream, "StreamEnabled"),
					   "streamSpecification.streamEnabled");
	dyn_member_enum(v, dyn_request_member(stream, "StreamViewType"),
					&stream_view_type_enum, 0, "streamSpecification.streamViewType");
}

static void
refuse_option(const char *what)
{
	dyn_raise(VALIDATION, INVALID "%s is not supported by this server", what);
}

/*
 * Ceilings of on-demand throughput: -1, "none", is what every table has.  The
 * texts of CreateTable and UpdateTable differ.
 */
static void
check_on_demand_throughput(const DynJson *request, DynBillingMode mode, bool create)
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
					  INVALID "%s for OnDemandThroughput cannot be specified when %stable BillingMode is PROVISIONED%s",
					  names[i], create ? "" : "the ", create ? "." : "");
		number = dyn_json_to_integer(units);
		if (number == -1)
			continue;
		if (number < 1)
			dyn_raise(VALIDATION,
					  INVALID "Requested %s for OnDemandThroughput for table is outside of valid range",
					  names[i]);
		refuse_option("OnDemandThroughput");
	}
}

/*
 * Refuse what this server does not have; accept what asks for the state every
 * table is in.
 */
static void
check_options(const DynJson *request)
{
	const DynJson *sse = dyn_request_member(request, "SSESpecification");
	const DynJson *stream = dyn_request_member(request, "StreamSpecification");
	uint32		len;
	const char *table_class = dyn_request_string(request, "TableClass", &len);

	if (stream != NULL && dyn_request_bool(stream, "StreamEnabled", false))
		refuse_option("StreamSpecification");
	if (sse != NULL && (dyn_request_bool(sse, "Enabled", false) ||
						dyn_request_member(sse, "SSEType") != NULL ||
						dyn_request_member(sse, "KMSMasterKeyId") != NULL))
		refuse_option("SSESpecification");
	if (table_class != NULL &&
		strcmp(table_class, table_class_values[TABLE_CLASS_STANDARD]) != 0)
		refuse_option("TableClass STANDARD_INFREQUENT_ACCESS");
}

/* ----- CreateTable ----- */

static void
check_attribute_definitions(DynViolations *v, const DynJson *list, bool required)
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
			dyn_member_enum(v, type, &attribute_type_enum, 0,
							"attributeDefinitions.%d.member.attributeType", n);
	}
}

static void
check_key_schema(DynViolations *v, const DynJson *list)
{
	const DynJson *element;
	int			n = 0;

	if (!dyn_member_require(v, list, "keySchema"))
		return;
	v->element = "KeySchemaElement";
	dyn_member_length(v, list, 1, 2, "keySchema");
	v->element = NULL;
	for (element = dyn_json_first(list); element; element = dyn_json_next(element))
	{
		const DynJson *name = dyn_request_member(element, "AttributeName");
		const DynJson *type = dyn_request_member(element, "KeyType");

		n++;
		if (dyn_member_require(v, name, "keySchema.%d.member.attributeName", n))
			dyn_member_length(v, name, 1, DYN_MAX_KEY_NAME_SIZE,
							  "keySchema.%d.member.attributeName", n);
		if (dyn_member_require(v, type, "keySchema.%d.member.keyType", n))
			dyn_member_enum(v, type, &key_type_enum, 0,
							"keySchema.%d.member.keyType", n);
	}
}

static bool
same_string(const DynJson *a, const DynJson *b)
{
	uint32		a_len;
	uint32		b_len;
	const char *a_bytes = dyn_json_string(a, &a_len);
	const char *b_bytes = dyn_json_string(b, &b_len);

	return a_len == b_len && memcmp(a_bytes, b_bytes, a_len) == 0;
}

/* The definition of an attribute name, or NULL. */
static const DynJson *
find_definition(const DynJson *definitions, const DynJson *name)
{
	const DynJson *definition;

	for (definition = dyn_json_first(definitions); definition;
		 definition = dyn_json_next(definition))
		if (same_string(dyn_request_member(definition, "AttributeName"), name))
			return definition;
	return NULL;
}

/* "[a, b]" of the AttributeName members. */
static const char *
attribute_names(const DynJson *list)
{
	StringInfoData out;
	const DynJson *element;

	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (element = dyn_json_first(list); element; element = dyn_json_next(element))
	{
		uint32		len;
		const char *name = dyn_request_string(element, "AttributeName", &len);

		appendBinaryStringInfo(&out, name, len);
		if (dyn_json_next(element) != NULL)
			appendStringInfoString(&out, ", ");
	}
	appendStringInfoChar(&out, ']');
	return out.data;
}

static bool
has_key_type(const DynJson *element, KeyRole role)
{
	uint32		len;

	return strcmp(dyn_request_string(element, "KeyType", &len),
				  key_type_values[role]) == 0;
}

static void
fill_key_attribute(DynKeyAttribute *attribute, const DynJson *element,
				   const DynJson *definitions)
{
	const DynJson *definition =
	find_definition(definitions, dyn_request_member(element, "AttributeName"));
	uint32		len;
	const char *type = dyn_request_string(definition, "AttributeType", &len);

	attribute->name = dyn_request_string(element, "AttributeName",
										 &attribute->name_len);
	attribute->type = dyn_type_from_name(type, len);
}

/* Steps 2 to 6 of the service's order: KeySchema against AttributeDefinitions. */
static void
resolve_key_schema(const DynJson *elements, const DynJson *definitions,
				   DynKeySchema *schema)
{
	const DynJson *first = dyn_json_first(elements);
	const DynJson *second = dyn_json_next(first);
	const DynJson *element;

	if (dyn_json_count(elements) > dyn_json_count(definitions))
		dyn_raise(VALIDATION,
				  "Invalid KeySchema: Some index key attribute have no definition");
	for (element = first; element; element = dyn_json_next(element))
		if (find_definition(definitions,
							dyn_request_member(element, "AttributeName")) == NULL)
			dyn_raise(VALIDATION,
					  INVALID "Some index key attributes are not defined in AttributeDefinitions. Keys: %s, AttributeDefinitions: %s",
					  attribute_names(elements), attribute_names(definitions));
	if (second != NULL &&
		same_string(dyn_request_member(first, "AttributeName"),
					dyn_request_member(second, "AttributeName")))
		dyn_raise(VALIDATION,
				  "Both the Hash Key and the Range Key element in the KeySchema have the same name");
	if (!has_key_type(first, KEY_HASH))
		dyn_raise(VALIDATION,
				  "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
	if (second != NULL && !has_key_type(second, KEY_RANGE))
		dyn_raise(VALIDATION,
				  "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");

	for (element = dyn_json_first(definitions); element; element = dyn_json_next(element))
	{
		const DynJson *name = dyn_request_member(element, "AttributeName");
		uint32		len;

		if (find_definition(definitions, name) != element)
			dyn_raise(VALIDATION,
					  INVALID "Duplicate AttributeName in AttributeDefinitions: %s",
					  dyn_json_string(name, &len));
	}
	if (dyn_json_count(elements) != dyn_json_count(definitions))
		dyn_raise(VALIDATION,
				  INVALID "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions");

	fill_key_attribute(&schema->partition, first, definitions);
	if (second != NULL)
		fill_key_attribute(&schema->sort, second, definitions);
}

DynOutcome
dyn_create_table(DynOperationContext *context, const DynJson *request,
				 StringInfo reply)
{
	const DynJson *name = require_table_name(request);
	const DynJson *definitions = dyn_request_member(request, "AttributeDefinitions");
	const DynJson *key_schema = dyn_request_member(request, "KeySchema");
	const DynJson *stream = dyn_request_member(request, "StreamSpecification");
	const DynJson *tags = dyn_request_member(request, "Tags");
	DynTableDefinition table = {0};
	Throughput	throughput = {0};
	DynViolations v = {0};
	uint32		len;

	check_attribute_definitions(&v, definitions, true);
	dyn_member_length(&v, name, DYN_MIN_TABLE_NAME_LENGTH,
					  DYN_MAX_TABLE_NAME_LENGTH, "tableName");
	dyn_member_name_pattern(&v, name, "tableName");
	check_billing_member(&v, request, &throughput);
	check_throughput_member(&v, request, &throughput);
	check_key_schema(&v, key_schema);
	check_option_members(&v, request);
	dyn_violations_raise(&v);

	if (throughput.billing_mode == DYN_BILLING_PAY_PER_REQUEST)
	{
		if (throughput.member != NULL)
			refuse_units_on_demand();
	}
	else if (throughput.member == NULL)
		dyn_raise(VALIDATION,
				  INVALID "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED");
	check_units_in_bounds(&throughput);
	resolve_key_schema(key_schema, definitions, &table.schema);
	check_on_demand_throughput(request, throughput.billing_mode, true);
	check_options(request);
	if (stream != NULL && dyn_request_member(stream, "StreamViewType") != NULL)
		dyn_raise(VALIDATION,
				  INVALID "Table is being created with a stream disabled, UpdateViewType should not be specified");
	if (tags != NULL && dyn_json_first(tags) != NULL)
		refuse_option("Tags");

	table.name = dyn_json_string(name, &len);
	table.billing_mode = throughput.billing_mode;
	table.read_units = throughput.read_units;
	table.write_units = throughput.write_units;
	table.deletion_protection = dyn_request_bool(request, "DeletionProtectionEnabled",
												 false);
	table.options = "{}";
	context->table_name = table.name;
	reply_description(reply, "TableDescription", dyn_table_create(&table),
					  "CREATING");
	return DYN_OUTCOME_DONE;
}

/* ----- the others ----- */

DynOutcome
dyn_describe_table(DynOperationContext *context, const DynJson *request,
				   StringInfo reply)
{
	DynViolations v = {0};
	const DynJson *name = check_table_name(&v, request);

	dyn_violations_raise(&v);
	reply_description(reply, "Table", find_table(context, name), "ACTIVE");
	return DYN_OUTCOME_DONE;
}

DynOutcome
dyn_delete_table(DynOperationContext *context, const DynJson *request,
				 StringInfo reply)
{
	DynViolations v = {0};
	const DynJson *name = check_table_name(&v, request);
	const DynTable *table;

	dyn_violations_raise(&v);
	table = find_table(context, name);
	if (table->deletion_protection)
		dyn_raise(VALIDATION,
				  "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.");
	reply_description(reply, "TableDescription", table, "DELETING");
	dyn_table_drop(table, context->may_wait);
	return DYN_OUTCOME_DONE;
}

DynOutcome
dyn_list_tables(DynOperationContext *context, const DynJson *request,
				StringInfo reply)
{
	const DynJson *limit_member = dyn_request_member(request, "Limit");
	const DynJson *start_member = dyn_request_member(request, "ExclusiveStartTableName");
	int			limit = DEFAULT_LIST_LIMIT;
	const char *start = NULL;
	DynViolations v = {0};
	DynJsonWriter w;
	List	   *names;
	uint32		len;

	dyn_member_range(&v, limit_member, 1, DEFAULT_LIST_LIMIT, "limit");
	dyn_member_length(&v, start_member, DYN_MIN_TABLE_NAME_LENGTH,
					  DYN_MAX_TABLE_NAME_LENGTH, "exclusiveStartTableName");
	dyn_member_name_pattern(&v, start_member, "exclusiveStartTableName");
	dyn_violations_raise(&v);
	if (limit_member != NULL)
		limit = dyn_json_to_integer(limit_member);
	if (start_member != NULL)
		start = dyn_json_string(start_member, &len);

	/* One more than asked for tells whether there are more. */
	names = dyn_table_names(start, limit + 1);
	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "TableNames");
	dyn_json_begin_array(&w);
	for (int i = 0; i < Min(limit, list_length(names)); i++)
		dyn_json_write_cstring(&w, list_nth(names, i));
	dyn_json_end_array(&w);
	if (list_length(names) > limit)
		write_text(&w, "LastEvaluatedTableName", list_nth(names, limit - 1));
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}

/* ----- UpdateTable ----- */

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
					  INVALID "Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. "
					  "Existing schema: Schema:[SchemaElement: key{%s:%s:%s}] New schema: Schema:[SchemaElement: key{%s:%s:%s}]",
					  name, dyn_type_name(attribute->type), key_type,
					  name, type, key_type);
	}
}

/* Refuse a change of throughput that changes nothing. */
static void
refuse_same_throughput(const DynTable *table, const Throughput *throughput)
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
billing_mode_after(const DynTable *table, const Throughput *throughput)
{
	return throughput->billing_given ? throughput->billing_mode : table->billing_mode;
}

/* Returns whether anything was to be changed. */
static bool
update_throughput(const DynTable *table, const Throughput *throughput)
{
	DynBillingMode mode = billing_mode_after(table, throughput);

	if (mode == DYN_BILLING_PAY_PER_REQUEST)
	{
		if (throughput->member != NULL)
			refuse_units_on_demand();
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
	Throughput	throughput = {0};
	DynViolations v = {0};
	const DynJson *name = check_table_name(&v, request);
	const DynTable *table;
	bool		updating;

	check_throughput_member(&v, request, &throughput);
	check_billing_member(&v, request, &throughput);
	check_attribute_definitions(&v, definitions, false);
	check_option_members(&v, request);
	dyn_violations_raise(&v);

	if (!asks_for_something(request))
		dyn_raise(VALIDATION,
				  "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required");
	if (throughput.billing_given && throughput.member != NULL &&
		throughput.billing_mode == DYN_BILLING_PAY_PER_REQUEST)
		refuse_units_on_demand();
	check_units_in_bounds(&throughput);
	check_options(request);

	table = find_table(context, name);
	refuse_redefinition(&table->schema.partition, "HASH", definitions);
	refuse_redefinition(&table->schema.sort, "RANGE", definitions);
	if (dyn_request_member(request, "StreamSpecification") != NULL)
		dyn_raise(VALIDATION, "Table has no stream to disable: TableName: %s",
				  table->name);
	check_on_demand_throughput(request, billing_mode_after(table, &throughput), false);

	updating = update_throughput(table, &throughput);
	if (protection != NULL)
		dyn_table_alter_protection(table,
								   dyn_request_bool(request, "DeletionProtectionEnabled",
													false));
	reply_description(reply, "TableDescription", find_table(context, name),
					  updating ? "UPDATING" : "ACTIVE");
	return DYN_OUTCOME_DONE;
}
