/*-------------------------------------------------------------------------
 *
 * shape.c
 *		The request shape of every operation, and the walk that checks one.
 *
 * The texts are those of the service's Java front end, which names its own
 * classes.  Conversion follows the order of the payload, not of the shape.
 * Unknown members are ignored, null ones are absent, as the service does.
 *
 * src/operation/shape.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/error.h"
#include "base/fiber.h"
#include "item/item_json.h"
#include "miscadmin.h"
#include "operation/shape.h"

/* ----- the shapes ----- */

#define SHAPE_PACKAGE "com.amazonaws.dynamodb.v20120810."

#define MEMBER(name, shape) {name, sizeof(name) - 1, &shape, false}
#define REFUSED(name) {name, sizeof(name) - 1, &any, true}
#define LIST(name, of) \
	static const DynShape name = {DYN_SHAPE_LIST, NULL, &of, NULL}
#define MAP(name, value_name, of) \
	static const DynShape name = {DYN_SHAPE_MAP, value_name, &of, NULL}
#define MEMBERS(name, ...) \
	static const DynShapeMember name##_members[] = {__VA_ARGS__, {NULL}}
#define STRUCT(name, java_name, ...) \
	MEMBERS(name, __VA_ARGS__); \
	static const DynShape name = {DYN_SHAPE_STRUCT, SHAPE_PACKAGE java_name, NULL, name##_members}
#define REQUEST(name, ...) \
	MEMBERS(name, __VA_ARGS__); \
	extern const DynShape dyn_shape_##name; \
	const DynShape dyn_shape_##name = {DYN_SHAPE_STRUCT, SHAPE_PACKAGE #name "Input", NULL, name##_members}

static const DynShape any = {DYN_SHAPE_ANY};
static const DynShape string = {DYN_SHAPE_STRING};
static const DynShape boolean = {DYN_SHAPE_BOOLEAN};
static const DynShape integer = {DYN_SHAPE_INTEGER};
static const DynShape long_integer = {DYN_SHAPE_LONG};
static const DynShape attribute_value = {
	DYN_SHAPE_ATTRIBUTE_VALUE, SHAPE_PACKAGE "AttributeValue"
};

LIST(strings, string);
LIST(attribute_values, attribute_value);
MAP(attribute_map, SHAPE_PACKAGE "AttributeValue", attribute_value);
MAP(string_map, "java.lang.String", string);

/* Expressions and their legacy forms. */
STRUCT(expected_value, "ExpectedAttributeValue",
	   MEMBER("Value", attribute_value),
	   MEMBER("Exists", boolean),
	   MEMBER("ComparisonOperator", string),
	   MEMBER("AttributeValueList", attribute_values));
MAP(expected_map, SHAPE_PACKAGE "ExpectedAttributeValue", expected_value);

STRUCT(condition, "Condition",
	   MEMBER("ComparisonOperator", string),
	   MEMBER("AttributeValueList", attribute_values));
MAP(condition_map, SHAPE_PACKAGE "Condition", condition);

STRUCT(value_update, "AttributeValueUpdate",
	   MEMBER("Action", string),
	   MEMBER("Value", attribute_value));
MAP(value_update_map, SHAPE_PACKAGE "AttributeValueUpdate", value_update);

#define WRITE_MEMBERS \
	MEMBER("TableName", string), \
	MEMBER("ConditionExpression", string), \
	MEMBER("ExpressionAttributeNames", string_map), \
	MEMBER("ExpressionAttributeValues", attribute_map), \
	MEMBER("ReturnValues", string), \
	MEMBER("ReturnConsumedCapacity", string), \
	MEMBER("ReturnItemCollectionMetrics", string), \
	MEMBER("ReturnValuesOnConditionCheckFailure", string), \
	MEMBER("Expected", expected_map), \
	MEMBER("ConditionalOperator", string)

#define READ_MEMBERS \
	MEMBER("ConsistentRead", boolean), \
	MEMBER("ProjectionExpression", string), \
	MEMBER("ExpressionAttributeNames", string_map), \
	MEMBER("AttributesToGet", strings)

REQUEST(PutItem, MEMBER("Item", attribute_map), WRITE_MEMBERS);
REQUEST(DeleteItem, MEMBER("Key", attribute_map), WRITE_MEMBERS);
REQUEST(UpdateItem,
		MEMBER("Key", attribute_map),
		MEMBER("UpdateExpression", string),
		MEMBER("AttributeUpdates", value_update_map),
		WRITE_MEMBERS);
REQUEST(GetItem,
		MEMBER("TableName", string),
		MEMBER("Key", attribute_map),
		MEMBER("ReturnConsumedCapacity", string),
		READ_MEMBERS);

REQUEST(Query,
		MEMBER("TableName", string),
		MEMBER("IndexName", string),
		MEMBER("Select", string),
		MEMBER("Limit", integer),
		MEMBER("KeyConditionExpression", string),
		MEMBER("FilterExpression", string),
		MEMBER("ExpressionAttributeValues", attribute_map),
		MEMBER("ScanIndexForward", boolean),
		MEMBER("ExclusiveStartKey", attribute_map),
		MEMBER("ReturnConsumedCapacity", string),
		MEMBER("KeyConditions", condition_map),
		MEMBER("QueryFilter", condition_map),
		MEMBER("ConditionalOperator", string),
		READ_MEMBERS);
REQUEST(Scan,
		MEMBER("TableName", string),
		MEMBER("IndexName", string),
		MEMBER("Select", string),
		MEMBER("Limit", integer),
		MEMBER("FilterExpression", string),
		MEMBER("ExpressionAttributeValues", attribute_map),
		MEMBER("Segment", integer),
		MEMBER("TotalSegments", integer),
		MEMBER("ExclusiveStartKey", attribute_map),
		MEMBER("ReturnConsumedCapacity", string),
		MEMBER("ScanFilter", condition_map),
		MEMBER("ConditionalOperator", string),
		READ_MEMBERS);

LIST(keys, attribute_map);
STRUCT(keys_and_attributes, "KeysAndAttributes",
	   MEMBER("Keys", keys),
	   READ_MEMBERS);
MAP(keys_by_table, SHAPE_PACKAGE "KeysAndAttributes", keys_and_attributes);
REQUEST(BatchGetItem,
		MEMBER("RequestItems", keys_by_table),
		MEMBER("ReturnConsumedCapacity", string));

STRUCT(put_request, "PutRequest", MEMBER("Item", attribute_map));
STRUCT(delete_request, "DeleteRequest", MEMBER("Key", attribute_map));
STRUCT(write_request, "WriteRequest",
	   MEMBER("PutRequest", put_request),
	   MEMBER("DeleteRequest", delete_request));
LIST(write_requests, write_request);
MAP(writes_by_table, "java.util.List<" SHAPE_PACKAGE "WriteRequest>",
	write_requests);
REQUEST(BatchWriteItem,
		MEMBER("RequestItems", writes_by_table),
		MEMBER("ReturnConsumedCapacity", string),
		MEMBER("ReturnItemCollectionMetrics", string));

#define TRANSACT_MEMBERS \
	MEMBER("TableName", string), \
	MEMBER("ConditionExpression", string), \
	MEMBER("ExpressionAttributeNames", string_map), \
	MEMBER("ExpressionAttributeValues", attribute_map), \
	MEMBER("ReturnValuesOnConditionCheckFailure", string)

STRUCT(transact_check, "ConditionCheck",
	   MEMBER("Key", attribute_map), TRANSACT_MEMBERS);
STRUCT(transact_put, "Put", MEMBER("Item", attribute_map), TRANSACT_MEMBERS);
STRUCT(transact_delete, "Delete", MEMBER("Key", attribute_map), TRANSACT_MEMBERS);
STRUCT(transact_update, "Update",
	   MEMBER("Key", attribute_map),
	   MEMBER("UpdateExpression", string),
	   TRANSACT_MEMBERS);
STRUCT(transact_write_item, "TransactWriteItem",
	   MEMBER("ConditionCheck", transact_check),
	   MEMBER("Put", transact_put),
	   MEMBER("Delete", transact_delete),
	   MEMBER("Update", transact_update));
LIST(transact_write_items, transact_write_item);
REQUEST(TransactWriteItems,
		MEMBER("TransactItems", transact_write_items),
		MEMBER("ClientRequestToken", string),
		MEMBER("ReturnConsumedCapacity", string),
		MEMBER("ReturnItemCollectionMetrics", string));

STRUCT(transact_get, "Get",
	   MEMBER("Key", attribute_map),
	   MEMBER("TableName", string),
	   MEMBER("ProjectionExpression", string),
	   MEMBER("ExpressionAttributeNames", string_map));
STRUCT(transact_get_item, "TransactGetItem", MEMBER("Get", transact_get));
LIST(transact_get_items, transact_get_item);
REQUEST(TransactGetItems,
		MEMBER("TransactItems", transact_get_items),
		MEMBER("ReturnConsumedCapacity", string));

/* PartiQL. */
STRUCT(batch_statement, "BatchStatementRequest",
	   MEMBER("Statement", string),
	   MEMBER("Parameters", attribute_values),
	   MEMBER("ConsistentRead", boolean),
	   MEMBER("ReturnValuesOnConditionCheckFailure", string));
LIST(batch_statements, batch_statement);
REQUEST(BatchExecuteStatement,
		MEMBER("Statements", batch_statements),
		MEMBER("ReturnConsumedCapacity", string));
STRUCT(transact_statement, "ParameterizedStatement",
	   MEMBER("Statement", string),
	   MEMBER("Parameters", attribute_values),
	   MEMBER("ReturnValuesOnConditionCheckFailure", string));
LIST(transact_statements, transact_statement);
REQUEST(ExecuteTransaction,
		MEMBER("TransactStatements", transact_statements),
		MEMBER("ClientRequestToken", string),
		MEMBER("ReturnConsumedCapacity", string));
REQUEST(ExecuteStatement,
		MEMBER("Statement", string),
		MEMBER("Parameters", attribute_values),
		MEMBER("ConsistentRead", boolean),
		MEMBER("NextToken", string),
		MEMBER("ReturnConsumedCapacity", string),
		MEMBER("Limit", integer),
		MEMBER("ReturnValuesOnConditionCheckFailure", string));

/* Tables. */
STRUCT(attribute_definition, "AttributeDefinition",
	   MEMBER("AttributeName", string),
	   MEMBER("AttributeType", string));
LIST(attribute_definitions, attribute_definition);
STRUCT(key_schema_element, "KeySchemaElement",
	   MEMBER("AttributeName", string),
	   MEMBER("KeyType", string));
LIST(key_schema, key_schema_element);
STRUCT(provisioned_throughput, "ProvisionedThroughput",
	   MEMBER("ReadCapacityUnits", long_integer),
	   MEMBER("WriteCapacityUnits", long_integer));
STRUCT(on_demand_throughput, "OnDemandThroughput",
	   MEMBER("MaxReadRequestUnits", long_integer),
	   MEMBER("MaxWriteRequestUnits", long_integer));
STRUCT(stream_specification, "StreamSpecification",
	   MEMBER("StreamEnabled", boolean),
	   MEMBER("StreamViewType", string));
STRUCT(sse_specification, "SSESpecification",
	   MEMBER("Enabled", boolean),
	   MEMBER("SSEType", string),
	   MEMBER("KMSMasterKeyId", string));
STRUCT(warm_throughput, "WarmThroughput",
	   MEMBER("ReadUnitsPerSecond", long_integer),
	   MEMBER("WriteUnitsPerSecond", long_integer));
STRUCT(projection, "Projection",
	   MEMBER("ProjectionType", string),
	   MEMBER("NonKeyAttributes", strings));
STRUCT(local_index, "LocalSecondaryIndex",
	   MEMBER("IndexName", string),
	   MEMBER("KeySchema", key_schema),
	   MEMBER("Projection", projection));
LIST(local_indexes, local_index);

#define INDEX_THROUGHPUT_MEMBERS \
	MEMBER("IndexName", string), \
	MEMBER("ProvisionedThroughput", provisioned_throughput), \
	MEMBER("OnDemandThroughput", on_demand_throughput), \
	MEMBER("WarmThroughput", warm_throughput)

STRUCT(global_index, "GlobalSecondaryIndex",
	   MEMBER("KeySchema", key_schema),
	   MEMBER("Projection", projection),
	   INDEX_THROUGHPUT_MEMBERS);
LIST(global_indexes, global_index);
STRUCT(create_index, "CreateGlobalSecondaryIndexAction",
	   MEMBER("KeySchema", key_schema),
	   MEMBER("Projection", projection),
	   INDEX_THROUGHPUT_MEMBERS);
STRUCT(update_index, "UpdateGlobalSecondaryIndexAction",
	   INDEX_THROUGHPUT_MEMBERS);
STRUCT(delete_index, "DeleteGlobalSecondaryIndexAction",
	   MEMBER("IndexName", string));
STRUCT(index_update, "GlobalSecondaryIndexUpdate",
	   MEMBER("Create", create_index),
	   MEMBER("Update", update_index),
	   MEMBER("Delete", delete_index));
LIST(index_updates, index_update);
STRUCT(tag, "Tag", MEMBER("Key", string), MEMBER("Value", string));
LIST(tags, tag);

#define TABLE_MEMBERS \
	MEMBER("TableName", string), \
	MEMBER("AttributeDefinitions", attribute_definitions), \
	MEMBER("BillingMode", string), \
	MEMBER("ProvisionedThroughput", provisioned_throughput), \
	MEMBER("OnDemandThroughput", on_demand_throughput), \
	MEMBER("StreamSpecification", stream_specification), \
	MEMBER("SSESpecification", sse_specification), \
	MEMBER("TableClass", string), \
	MEMBER("DeletionProtectionEnabled", boolean), \
	MEMBER("WarmThroughput", warm_throughput), \
	REFUSED("GlobalTableSettingsReplicationMode")

REQUEST(CreateTable,
		MEMBER("KeySchema", key_schema),
		MEMBER("Tags", tags),
		MEMBER("LocalSecondaryIndexes", local_indexes),
		MEMBER("GlobalSecondaryIndexes", global_indexes),
		REFUSED("VectorIndexes"),
		MEMBER("ResourcePolicy", string),
		REFUSED("GlobalTableSourceArn"),
		TABLE_MEMBERS);
REQUEST(UpdateTable,
		MEMBER("GlobalSecondaryIndexUpdates", index_updates),
		REFUSED("VectorIndexUpdates"),
		REFUSED("ReplicaUpdates"),
		REFUSED("MultiRegionConsistency"),
		REFUSED("GlobalTableWitnessUpdates"),
		REFUSED("DisassociationProtectionEnabled"),
		TABLE_MEMBERS);
REQUEST(DescribeTable, MEMBER("TableName", string));
REQUEST(DeleteTable, MEMBER("TableName", string));
REQUEST(ListTables,
		MEMBER("ExclusiveStartTableName", string),
		MEMBER("Limit", integer));
REQUEST(TagResource,
		MEMBER("ResourceArn", string),
		MEMBER("Tags", tags));
REQUEST(UntagResource,
		MEMBER("ResourceArn", string),
		MEMBER("TagKeys", strings));
REQUEST(ListTagsOfResource,
		MEMBER("ResourceArn", string),
		MEMBER("NextToken", string));
STRUCT(time_to_live_specification, "TimeToLiveSpecification",
	   MEMBER("AttributeName", string),
	   MEMBER("Enabled", boolean));
REQUEST(UpdateTimeToLive,
		MEMBER("TableName", string),
		MEMBER("TimeToLiveSpecification", time_to_live_specification));
REQUEST(DescribeTimeToLive, MEMBER("TableName", string));

/* Streams. */
REQUEST(ListStreams,
		MEMBER("TableName", string),
		MEMBER("Limit", integer),
		MEMBER("ExclusiveStartStreamArn", string));
STRUCT(shard_filter, "ShardFilter",
	   MEMBER("Type", string),
	   MEMBER("ShardId", string));
REQUEST(DescribeStream,
		MEMBER("StreamArn", string),
		MEMBER("Limit", integer),
		MEMBER("ExclusiveStartShardId", string),
		MEMBER("ShardFilter", shard_filter));
REQUEST(GetShardIterator,
		MEMBER("StreamArn", string),
		MEMBER("ShardId", string),
		MEMBER("ShardIteratorType", string),
		MEMBER("SequenceNumber", string),
		MEMBER("Timestamp", long_integer));
REQUEST(GetRecords,
		MEMBER("ShardIterator", string),
		MEMBER("Limit", integer));

/* Of what no table has yet. */
REQUEST(DescribeContinuousBackups, MEMBER("TableName", string));
REQUEST(DescribeContributorInsights,
		MEMBER("TableName", string),
		MEMBER("IndexName", string));
REQUEST(DescribeKinesisStreamingDestination, MEMBER("TableName", string));
REQUEST(DescribeTableReplicaAutoScaling, MEMBER("TableName", string));
REQUEST(GetResourcePolicy, MEMBER("ResourceArn", string));
REQUEST(PutResourcePolicy,
		MEMBER("ResourceArn", string),
		MEMBER("Policy", string),
		MEMBER("ExpectedRevisionId", string),
		MEMBER("ConfirmRemoveSelfResourceAccess", boolean));
REQUEST(DeleteResourcePolicy,
		MEMBER("ResourceArn", string),
		MEMBER("ExpectedRevisionId", string));
REQUEST(ListBackups,
		MEMBER("TableName", string),
		MEMBER("Limit", integer),
		MEMBER("ExclusiveStartBackupArn", string),
		MEMBER("BackupType", string));
REQUEST(ListContributorInsights,
		MEMBER("TableName", string),
		MEMBER("NextToken", string),
		MEMBER("MaxResults", integer));
REQUEST(ListExports,
		MEMBER("TableArn", string),
		MEMBER("MaxResults", integer),
		MEMBER("NextToken", string));
REQUEST(ListImports,
		MEMBER("TableArn", string),
		MEMBER("PageSize", integer),
		MEMBER("NextToken", string));
REQUEST(ListGlobalTables,
		MEMBER("ExclusiveStartGlobalTableName", string),
		MEMBER("Limit", integer),
		MEMBER("RegionName", string));
REQUEST(DescribeLimits, {NULL});
REQUEST(DescribeEndpoints, {NULL});

/* ----- the walk ----- */

/* Where a value stands; the service's wording differs. */
typedef enum Place
{
	PLACE_FIELD,
	PLACE_ELEMENT
} Place;

typedef struct Walk
{
	const char *refused;		/* first member this server cannot honour */
} Walk;

static void check(const DynShape *shape, const DynJson *value, Place place,
				  Walk *walk);

/* As the Java parser calls a scalar token. */
static const char *
token_name(const DynJson *value)
{
	switch (dyn_json_kind(value))
	{
		case DYN_JSON_TRUE:
			return "TRUE_VALUE";
		case DYN_JSON_FALSE:
			return "FALSE_VALUE";
		case DYN_JSON_NUMBER:
			return dyn_json_number_is_integer(value) ?
				"NUMBER_VALUE" : "DECIMAL_VALUE";
		case DYN_JSON_STRING:
			return "STRING_VALUE";
		default:
			return "NULL_VALUE";
	}
}

/* Refuse an array, an object or a scalar of the wrong kind for java_class. */
static void
refuse_scalar(const DynJson *value, const char *java_class)
{
	DynJsonKind kind = dyn_json_kind(value);

	if (kind == DYN_JSON_ARRAY)
		dyn_raise(SERIALIZATION, "Unrecognized collection type class java.lang.%s",
				  java_class);
	if (kind == DYN_JSON_OBJECT)
		dyn_raise(SERIALIZATION,
				  "Start of structure or map found where not expected");
	dyn_raise(SERIALIZATION, "%s cannot be converted to %s",
			  token_name(value), java_class);
}

static void
refuse_container(const DynShape *shape, const DynJson *value, Place place)
{
	DynJsonKind kind = dyn_json_kind(value);

	if (kind == DYN_JSON_OBJECT)
		dyn_raise(SERIALIZATION,
				  "Start of structure or map found where not expected");
	if (kind == DYN_JSON_ARRAY && shape->type == DYN_SHAPE_MAP)
		dyn_raise(SERIALIZATION,
				  "Unrecognized collection type java.util.Map<java.lang.String, %s>",
				  shape->java_name);
	if (kind == DYN_JSON_ARRAY)
		dyn_raise(SERIALIZATION, "Unrecognized collection type class %s",
				  shape->java_name);
	if (place == PLACE_ELEMENT)
		dyn_raise(SERIALIZATION, "Unexpected value type in payload");
	dyn_raise(SERIALIZATION, "Unexpected field type");
}

static bool
is_boolean_word(const DynJson *value)
{
	static const char *const words[] = {"true", "1", "yes", "false", "0", "no"};
	uint32		len;
	const char *word = dyn_json_string(value, &len);

	for (int i = 0; i < lengthof(words); i++)
		if (pg_strcasecmp(word, words[i]) == 0)
			return true;
	return false;
}

static void
check_boolean(const DynJson *value)
{
	switch (dyn_json_kind(value))
	{
		case DYN_JSON_TRUE:
		case DYN_JSON_FALSE:
			return;
		case DYN_JSON_STRING:
			if (!is_boolean_word(value))
				dyn_raise(SERIALIZATION, "Unexpected token received from parser");
			return;
		default:
			refuse_scalar(value, "Boolean");
	}
}

static void
check_members(const DynShape *shape, const DynJson *object, Walk *walk)
{
	const DynJson *value;

	for (value = dyn_json_first(object); value; value = dyn_json_next(value))
	{
		uint32		len;
		const char *name = dyn_json_name(value, &len);
		const DynShapeMember *member;

		if (dyn_json_kind(value) == DYN_JSON_NULL)
			continue;
		for (member = shape->members; member->name != NULL; member++)
			if (member->name_len == len && memcmp(member->name, name, len) == 0)
				break;
		if (member->name == NULL)
			continue;
		if (member->refused && walk->refused == NULL)
			walk->refused = member->name;
		check(member->shape, value, PLACE_FIELD, walk);
	}
}

static void
check_elements(const DynShape *shape, const DynJson *container, Walk *walk)
{
	const DynJson *value;

	for (value = dyn_json_first(container); value; value = dyn_json_next(value))
	{
		CHECK_FOR_INTERRUPTS();
		dyn_fiber_pause();
		check(shape->element, value, PLACE_ELEMENT, walk);
	}
}

static void
check(const DynShape *shape, const DynJson *value, Place place, Walk *walk)
{
	DynJsonKind kind = dyn_json_kind(value);

	switch (shape->type)
	{
		case DYN_SHAPE_ANY:
			return;
		case DYN_SHAPE_STRING:
			if (kind != DYN_JSON_STRING)
				refuse_scalar(value, "String");
			return;
		case DYN_SHAPE_BOOLEAN:
			check_boolean(value);
			return;
		case DYN_SHAPE_INTEGER:
			if (kind != DYN_JSON_NUMBER)
				refuse_scalar(value, "Integer");
			return;
		case DYN_SHAPE_LONG:
			if (kind != DYN_JSON_NUMBER)
				refuse_scalar(value, "Long");
			return;
		case DYN_SHAPE_LIST:
			if (kind != DYN_JSON_ARRAY)
				refuse_container(shape, value, PLACE_FIELD);
			check_elements(shape, value, walk);
			return;
		case DYN_SHAPE_MAP:
			if (kind != DYN_JSON_OBJECT)
				refuse_container(shape, value, place);
			check_elements(shape, value, walk);
			return;
		case DYN_SHAPE_STRUCT:
			if (kind != DYN_JSON_OBJECT)
				refuse_container(shape, value, place);
			check_members(shape, value, walk);
			return;
		case DYN_SHAPE_ATTRIBUTE_VALUE:
			if (kind != DYN_JSON_OBJECT)
				refuse_container(shape, value, place);
			dyn_json_check_attribute_value(value);
			return;
	}
	elog(ERROR, "unrecognized shape type: %d", (int) shape->type);
}

void
dyn_shape_check(const DynShape *shape, const DynJson *request)
{
	Walk		walk = {NULL};

	check(shape, request, PLACE_ELEMENT, &walk);
	if (walk.refused != NULL)
		dyn_raise(VALIDATION,
				  "One or more parameter values were invalid: %s is not supported by this server",
				  walk.refused);
}
