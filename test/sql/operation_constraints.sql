--
-- Member constraints: their texts, and the order of members each operation
-- reports them in.
--
\set VERBOSITY terse

-- Everything absent.
SELECT dynamo.put_item('{}');
SELECT dynamo.get_item('{}');
SELECT dynamo.update_item('{}');
SELECT dynamo.delete_item('{}');
SELECT dynamo.create_table('{}');
SELECT dynamo.describe_table('{}');
SELECT dynamo.update_table('{}');
SELECT dynamo.delete_table('{}');

-- Every enum wrong.
SELECT dynamo.put_item('{"TableName": "t", "ReturnItemCollectionMetrics": "c", "ReturnValues": "b", "ReturnConsumedCapacity": "a",
	"ConditionalOperator": "f", "Expected": {"x": {"ComparisonOperator": "e"}}, "ReturnValuesOnConditionCheckFailure": "d"}');
SELECT dynamo.update_item('{"TableName": "t", "ReturnItemCollectionMetrics": "c", "ReturnValues": "b", "ReturnConsumedCapacity": "a",
	"AttributeUpdates": {"x": {"Action": "put"}}}');
SELECT dynamo.delete_item('{"ReturnItemCollectionMetrics": "c", "ReturnValues": "b", "ReturnConsumedCapacity": "a"}');
SELECT dynamo.get_item('{"ReturnConsumedCapacity": "total", "AttributesToGet": []}');

-- Table names of item operations: any length from 1, characters checked.
SELECT dynamo.get_item('{"TableName": "", "Key": {}}');
SELECT dynamo.get_item('{"TableName": "a b", "Key": {}}');
SELECT dynamo.get_item('{"TableName": "ab", "Key": {}}');
SELECT dynamo.get_item(format('{"TableName": "%s", "Key": {}}', repeat('x', 256))::json);
-- Of tables that are to be made.
SELECT dynamo.create_table('{"TableName": "", "AttributeDefinitions": [], "KeySchema": []}');
SELECT dynamo.create_table('{"TableName": "a%", "AttributeDefinitions": [], "KeySchema": [{}, {}, {}]}');
-- ARNs may be longer, and are no names to create.
SELECT dynamo.get_item(format('{"TableName": "arn:aws:dynamodb:x:0:table/%s", "Key": {}}', repeat('x', 1000))::json);
SELECT dynamo.describe_table('{"TableName": "arn:aws:dynamodb:nowhere:000000000000:table/abc"}');
SELECT dynamo.create_table('{"TableName": "arn:aws:dynamodb:us-east-1:000000000000:table/abc", "AttributeDefinitions": [], "KeySchema": []}');

-- Elements of lists.
SELECT dynamo.create_table('{"TableName": "abc",
	"AttributeDefinitions": [{}, {"AttributeName": "", "AttributeType": "s"}],
	"KeySchema": [{"AttributeName": "a", "KeyType": "hash"}, {"KeyType": "RANGE"}]}');
SELECT dynamo.create_table('{"TableName": "abc", "AttributeDefinitions": [],
	"KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}, {"AttributeName": "b", "KeyType": "RANGE"}, {"AttributeName": "c", "KeyType": "RANGE"}]}');

-- Not more than ten are listed.
SELECT dynamo.create_table('{"TableName": "abc", "KeySchema": [], "AttributeDefinitions": [{}, {}, {}, {}, {}, {}]}');

-- Throughput, writes first.
SELECT dynamo.create_table('{"TableName": "abc", "KeySchema": [], "AttributeDefinitions": [],
	"ProvisionedThroughput": {"ReadCapacityUnits": 0}}');
SELECT dynamo.create_table('{"TableName": "abc", "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
	"KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
	"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1000000000001}}');
SELECT dynamo.create_table('{"TableName": "abc", "AttributeDefinitions": [], "KeySchema": [],
	"StreamSpecification": {"StreamViewType": "x"}}');

-- Values with quotes in them.
SELECT dynamo.get_item('{"TableName": "a''b\"c\\d", "Key": {}}');

-- ListTables.
SELECT dynamo.list_tables('{"Limit": 101, "ExclusiveStartTableName": "a b"}');
SELECT dynamo.list_tables('{"Limit": 0}');
