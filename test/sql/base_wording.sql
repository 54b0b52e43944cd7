-- Both generations of the texts that the service has worded anew.
SET search_path = public, dynamo;
SELECT create_table('{"TableName": "wording", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}') IS NOT NULL;

CREATE FUNCTION pg_temp.said(operation text, request json) RETURNS TABLE (wording text, message text) LANGUAGE plpgsql AS $$
BEGIN
	FOREACH wording IN ARRAY ARRAY['older', 'newer'] LOOP
		PERFORM set_config('dynamo.validation_wording', wording, true);
		BEGIN
			EXECUTE format('SELECT dynamo.%I($1)', operation) USING request;
			message := 'no error';
		EXCEPTION WHEN OTHERS THEN
			message := SQLERRM;
		END;
		RETURN NEXT;
	END LOOP;
	PERFORM set_config('dynamo.validation_wording', 'older', true);
END;
$$;
\pset tuples_only on
\pset format unaligned

-- Constraints of members: paths, values, how many.
SELECT * FROM pg_temp.said('put_item', '{"TableName": "", "ReturnValues": "x"}');
SELECT * FROM pg_temp.said('get_item', '{"TableName": "wording", "ReturnConsumedCapacity": "x"}');
SELECT * FROM pg_temp.said('update_item', '{"TableName": "wording", "Key": {"p": {"S": "a"}}, "ReturnValues": "x", "ReturnConsumedCapacity": "y"}');
SELECT * FROM pg_temp.said('create_table', '{"TableName": "abc", "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "x"}], "BillingMode": "PAY_PER_REQUEST"}');
SELECT * FROM pg_temp.said('query', '{"TableName": "wording", "KeyConditions": {"memory": {"ComparisonOperator": "x"}}}');
SELECT * FROM pg_temp.said('batch_get_item', '{"RequestItems": {"wording": {}}}');
SELECT * FROM pg_temp.said('transact_write_items', '{"TransactItems": [{"Put": {"TableName": "wording"}}]}');

-- What is wrong with a request has a prefix in some operations, whatever it meets has none.
SELECT operation, said.* FROM unnest(ARRAY['put_item', 'update_item', 'delete_item', 'get_item']) operation,
	pg_temp.said(operation, '{"TableName": "wording", "Item": {"p": {"S": "a"}, "x": {"SS": []}}, "Key": {"p": {"S": "a"}, "x": {"SS": []}}}') said;
SELECT operation, said.* FROM unnest(ARRAY['put_item', 'update_item', 'delete_item']) operation,
	pg_temp.said(operation, '{"TableName": "wording", "Item": {"p": {"S": "a"}}, "Key": {"p": {"S": "a"}}, "ConditionExpression": "a = "}') said;
SELECT value, said.* FROM unnest(ARRAY['{"SS": ["b", "a", "b"]}', '{"NS": ["1", "1"]}', '{"BS": ["AA==", "AA=="]}', '{"BS": []}', '{"NULL": false}', '{"N": "1", "S": "x"}', '{"N": ""}', '{"N": "x"}']) value,
	pg_temp.said('put_item', format('{"TableName": "wording", "Item": {"p": {"S": "a"}, "x": %s}}', value)::json) said;
-- Reads show duplicates alike, without a prefix; batches do not.
SELECT operation, said.* FROM unnest(ARRAY['get_item', 'delete_item', 'batch_write_item', 'scan']) operation,
	pg_temp.said(operation, '{"TableName": "wording", "Key": {"p": {"SS": ["b", "a", "b"]}}, "RequestItems": {"wording": [{"PutRequest": {"Item": {"p": {"S": "a"}, "x": {"NS": ["1", "1.0"]}}}}]},
		"ExclusiveStartKey": {"p": {"BS": ["AA==", "/w==", "AA=="]}}}') said;
SELECT members, said.* FROM unnest(ARRAY['"ReturnValues": "ALL_NEW"', '"ExpressionAttributeNames": {"#a": "a"}', '"ExpressionAttributeValues": {":a": {"S": "a"}}',
	'"ConditionExpression": "a = a", "Expected": {"a": {"Exists": false}}', '"ConditionExpression": "attribute_exists(p)", "ExpressionAttributeNames": {}',
	'"ConditionExpression": "contains(a, a)"', '"ConditionExpression": "attribute_exists(#a)"', '"ConditionExpression": "((attribute_exists(p)))"']) members,
	pg_temp.said('put_item', format('{"TableName": "wording", "Item": {"p": {"S": "a"}}, %s}', members)::json) said;
SELECT * FROM pg_temp.said('put_item', '{"TableName": "wording", "Item": {"p": {"N": "1"}}}');
SELECT * FROM pg_temp.said('put_item', '{"TableName": "wording", "Item": {"p": {"S": ""}}}');
SELECT * FROM pg_temp.said('put_item', json_build_object('TableName', 'wording', 'Item', json_build_object('p', '{"S": "a"}'::json, 'x', json_build_object('S', repeat('x', 409600)))));
SELECT * FROM pg_temp.said('put_item', json_build_object('TableName', 'wording', 'Item', '{"p": {"S": "a"}}'::json, 'ConditionExpression', repeat('x', 4097)));
SELECT * FROM pg_temp.said('update_item', '{"TableName": "wording", "Key": {"p": {"S": "a"}}, "UpdateExpression": "REMOVE p"}');
SELECT * FROM pg_temp.said('put_item', '{"TableName": "absent", "Item": {"p": {"S": "a"}}}');
SELECT * FROM pg_temp.said('update_item', '{"TableName": "wording", "Key": {"p": {"S": "a"}}, "UpdateExpression": "SET a.b = :b", "ExpressionAttributeValues": {":b": {"S": "b"}}}');

-- An operation's error leaves no prefix behind.
SET dynamo.validation_wording = newer;
SELECT put_item('{"TableName": "wording", "Item": {"p": {"S": "a"}, "x": {"SS": []}}}');
SELECT '{"p": {"SS": []}}'::item;
RESET dynamo.validation_wording;

-- Values that no expression uses.
SELECT * FROM pg_temp.said('update_item', '{"TableName": "wording", "Key": {"p": {"S": "a"}}, "ExpressionAttributeValues": {":a": {"S": "a"}}}');
SELECT * FROM pg_temp.said('scan', '{"TableName": "wording", "ExpressionAttributeValues": {":a": {"S": "a"}}}');

-- Conditions on a key: the newer generation looks at the table first.
SELECT table_name, said.* FROM unnest(ARRAY['wording', 'absent']) table_name, pg_temp.said('query', json_build_object('TableName', table_name,
	'KeyConditionExpression', 'p = :a AND a = :a AND b = :a', 'ExpressionAttributeValues', '{":a": {"S": "a"}}'::json)) said;
SELECT * FROM pg_temp.said('query', '{"TableName": "wording", "KeyConditions": {"p": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]},
	"a": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}, "b": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}}}');

SET dynamo.validation_wording = newest;
SELECT delete_table('{"TableName": "wording"}') IS NOT NULL;
