--
-- The type conversion of requests: a wrong JSON type anywhere is reported
-- before everything else.
--
\set VERBOSITY terse

-- Strings.
SELECT dynamo.get_item('{"TableName": true}');
SELECT dynamo.get_item('{"TableName": 1}');
SELECT dynamo.get_item('{"TableName": 1.5}');
SELECT dynamo.get_item('{"TableName": ["a"]}');
SELECT dynamo.get_item('{"TableName": {"a": 1}}');

-- Booleans; words count.
SELECT dynamo.get_item('{"ConsistentRead": 1}');
SELECT dynamo.get_item('{"ConsistentRead": 0.5}');
SELECT dynamo.get_item('{"ConsistentRead": "maybe"}');
SELECT dynamo.get_item('{"ConsistentRead": []}');
SELECT dynamo.get_item('{"ConsistentRead": "YES"}');

-- Integers.
SELECT dynamo.scan('{"Limit": true}');
SELECT dynamo.scan('{"Limit": "5"}');
SELECT dynamo.scan('{"Limit": [5]}');
SELECT dynamo.scan('{"Limit": {}}');
SELECT dynamo.create_table('{"ProvisionedThroughput": {"ReadCapacityUnits": "5"}}');
-- A fraction is rounded down, towards minus infinity.
SELECT dynamo.list_tables('{"Limit": 0.9}');
SELECT dynamo.list_tables('{"Limit": -0.1}');
-- Out of every range.
SELECT dynamo.list_tables('{"Limit": 1e300}');
SELECT dynamo.list_tables('{"Limit": -1e300}');

-- Lists.
SELECT dynamo.get_item('{"AttributesToGet": "a"}');
SELECT dynamo.get_item('{"AttributesToGet": {}}');
SELECT dynamo.get_item('{"AttributesToGet": [1]}');

-- Maps.
SELECT dynamo.get_item('{"Key": "a"}');
SELECT dynamo.get_item('{"Key": []}');
SELECT dynamo.get_item('{"ExpressionAttributeNames": []}');
SELECT dynamo.get_item('{"ExpressionAttributeNames": {"#a": {}}}');
SELECT dynamo.batch_write_item('{"RequestItems": []}');
SELECT dynamo.batch_get_item('{"RequestItems": []}');

-- Structs, as a member and inside a list or map.
SELECT dynamo.create_table('{"ProvisionedThroughput": 1}');
SELECT dynamo.create_table('{"ProvisionedThroughput": []}');
SELECT dynamo.create_table('{"KeySchema": ["p"]}');
SELECT dynamo.create_table('{"KeySchema": [[]]}');
SELECT dynamo.query('{"KeyConditions": {"a": 1}}');
SELECT dynamo.query('{"KeyConditions": {"a": []}}');

-- Attribute values.
SELECT dynamo.put_item('{"Item": {"a": "x"}}');
SELECT dynamo.put_item('{"Item": {"a": []}}');
SELECT dynamo.put_item('{"Item": {"a": {"S": 1}}}');
SELECT dynamo.put_item('{"Item": {"a": {"N": 3}}}');
SELECT dynamo.put_item('{"Item": {"a": {"B": "abc"}}}');
SELECT dynamo.put_item('{"Item": {"a": {"L": [{"M": {"b": {"BOOL": 1}}}]}}}');
SELECT dynamo.put_item('{"Expected": {"a": {"Value": "x"}}}');
SELECT dynamo.put_item('{"Expected": {"a": {"AttributeValueList": ["x"]}}}');

-- The order is the payload's.
SELECT dynamo.put_item('{"ReturnValues": 1, "TableName": []}');
SELECT dynamo.put_item('{"TableName": [], "ReturnValues": 1}');

-- A request that is no object.
SELECT dynamo.get_item('[]');
SELECT dynamo.get_item('"x"');

-- Absent: null, and what the operation does not know.
SELECT dynamo.list_tables('{"Limit": null, "TableName": 7, "ExclusiveStartTableName": null}') IS NOT NULL AS answered;

-- Known, but not there: refused, whatever the value.
SELECT dynamo.create_table('{"VectorIndexes": []}');
SELECT dynamo.create_table('{"GlobalTableSourceArn": ""}');
SELECT dynamo.create_table('{"GlobalTableSourceArn": "x"}');
SELECT dynamo.create_table('{"GlobalTableSettingsReplicationMode": "x"}');
SELECT dynamo.update_table('{"VectorIndexUpdates": []}');
SELECT dynamo.update_table('{"ReplicaUpdates": []}');
SELECT dynamo.update_table('{"MultiRegionConsistency": "STRONG"}');
SELECT dynamo.update_table('{"GlobalTableWitnessUpdates": []}');
-- A wrong type comes first all the same.
SELECT dynamo.create_table('{"VectorIndexes": [], "TableName": 1}');
