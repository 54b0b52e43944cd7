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
#include "operation/table_description.h"
#include "operation/table_request.h"

typedef enum KeyRole
{
	KEY_HASH,
	KEY_RANGE
} KeyRole;

static const char *const key_type_values[] = {"HASH", "RANGE", NULL};
static const DynEnum key_type_enum = {"[HASH, RANGE]", key_type_values};

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
					  DYN_INVALID_VALUES "Some index key attributes are not defined in AttributeDefinitions. Keys: %s, AttributeDefinitions: %s",
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
					  DYN_INVALID_VALUES "Duplicate AttributeName in AttributeDefinitions: %s",
					  dyn_json_string(name, &len));
	}
	if (dyn_json_count(elements) != dyn_json_count(definitions))
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions");

	fill_key_attribute(&schema->partition, first, definitions);
	if (second != NULL)
		fill_key_attribute(&schema->sort, second, definitions);
}

DynOutcome
dyn_create_table(DynOperationContext *context, const DynJson *request,
				 StringInfo reply)
{
	const DynJson *name = dyn_table_request_require_name(request);
	const DynJson *definitions = dyn_request_member(request, "AttributeDefinitions");
	const DynJson *key_schema = dyn_request_member(request, "KeySchema");
	const DynJson *stream = dyn_request_member(request, "StreamSpecification");
	const DynJson *tags = dyn_request_member(request, "Tags");
	DynTableDefinition table = {0};
	DynThroughputRequest	throughput = {0};
	DynViolations v = {0};
	uint32		len;

	dyn_table_request_definitions(&v, definitions, true);
	dyn_member_length(&v, name, DYN_MIN_TABLE_NAME_LENGTH,
					  DYN_MAX_TABLE_NAME_LENGTH, "tableName");
	dyn_member_name_pattern(&v, name, "tableName");
	dyn_table_request_billing(&v, request, &throughput);
	dyn_table_request_throughput(&v, request, &throughput);
	check_key_schema(&v, key_schema);
	dyn_table_request_options(&v, request);
	dyn_violations_raise(&v);

	if (throughput.billing_mode == DYN_BILLING_PAY_PER_REQUEST)
	{
		if (throughput.member != NULL)
			dyn_throughput_refuse_on_demand();
	}
	else if (throughput.member == NULL)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED");
	dyn_throughput_check_bounds(&throughput);
	resolve_key_schema(key_schema, definitions, &table.schema);
	dyn_on_demand_throughput_check(request, throughput.billing_mode, true);
	dyn_table_options_check(request);
	if (stream != NULL && dyn_request_member(stream, "StreamViewType") != NULL)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Table is being created with a stream disabled, UpdateViewType should not be specified");
	if (tags != NULL && dyn_json_first(tags) != NULL)
		dyn_refuse_option("Tags");

	table.name = dyn_json_string(name, &len);
	table.billing_mode = throughput.billing_mode;
	table.read_units = throughput.read_units;
	table.write_units = throughput.write_units;
	table.deletion_protection = dyn_request_bool(request, "DeletionProtectionEnabled",
												 false);
	context->table_name = table.name;
	dyn_reply_table_description(reply, "TableDescription", dyn_table_create(&table),
					  "CREATING");
	return DYN_OUTCOME_DONE;
}
