--
-- The operations as SQL functions: transactions, errors, overloads.
--
\pset null '(null)'

SELECT dynamo.create_table('{"TableName": "operation-functions", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "s", "AttributeType": "N"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}]}')
	-> 'TableDescription' ->> 'TableStatus' AS status;

-- A round through the plain forms.
SELECT dynamo.put_item('{"TableName": "operation-functions", "Item": {"p": {"S": "a"}, "s": {"N": "1"}, "n": {"N": "1"}}}');
SELECT dynamo.get_item('{"TableName": "operation-functions", "Key": {"p": {"S": "a"}, "s": {"N": "1.0"}}}');
SELECT dynamo.update_item('{"TableName": "operation-functions", "Key": {"p": {"S": "a"}, "s": {"N": "1"}},
	"UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": "2"}}, "ReturnValues": "UPDATED_NEW"}');
SELECT dynamo.delete_item('{"TableName": "operation-functions", "Key": {"p": {"S": "a"}, "s": {"N": "1"}}, "ReturnValues": "ALL_OLD"}');
SELECT dynamo.get_item('{"TableName": "operation-functions", "Key": {"p": {"S": "a"}, "s": {"N": "1"}}}');

-- And through the overloads.
SELECT dynamo.put_item('operation-functions', '{"p": {"S": "a"}, "s": {"N": "1"}, "n": {"N": "1"}}');
SELECT dynamo.put_item('operation-functions', '{"p": {"S": "a"}, "s": {"N": "1"}, "n": {"N": "2"}}',
	condition => '#n = :n', expression_values => '{":n": {"N": "1"}}', expression_names => '{"#n": "n"}');
SELECT dynamo.get_item('operation-functions', '{"p": {"S": "a"}, "s": {"N": "1"}}');
SELECT dynamo.get_item('operation-functions', '{"p": {"S": "b"}, "s": {"N": "1"}}');
SELECT dynamo.update_item('operation-functions', '{"p": {"S": "a"}, "s": {"N": "1"}}', 'SET x = :x',
	'{":x": {"S": "é\u0000"}}', condition => 'attribute_not_exists(x)');
SELECT dynamo.delete_item('operation-functions', '{"p": {"S": "a"}, "s": {"N": "1"}}', 'attribute_exists(x)');
SELECT dynamo.delete_item('operation-functions', '{"p": {"S": "a"}, "s": {"N": "1"}}');

-- Query and Scan go through all pages.  These are 3 MB.
SELECT count(*) FROM (SELECT dynamo.put_item('operation-functions', format('{"p": {"S": "big"}, "s": {"N": "%s"}, "x": {"S": "%s"}}',
	i, repeat('x', 100000))::dynamo.item) FROM generate_series(1, 30) i) puts;
SELECT count(*), min(item::json -> 's' ->> 'N'), max((item::json -> 's' ->> 'N')::int)
	FROM dynamo.query('operation-functions', 'p = :p AND s > :s', '{":p": {"S": "big"}, ":s": {"N": "5"}}') item;
SELECT array_agg((item::json -> 's' ->> 'N')::int)
	FROM dynamo.query('operation-functions', 'p = :p', '{":p": {"S": "big"}, ":s": {"N": "27"}}', filter => 's2 > :s OR attribute_exists(x)') item;
SELECT array_agg((item::json -> 's' ->> 'N')::int)
	FROM dynamo.query('operation-functions', 'p = :p AND s BETWEEN :s AND :t', '{":p": {"S": "big"}, ":s": {"N": "9"}, ":t": {"N": "11"}}') item;
SELECT count(*) FROM dynamo.scan('operation-functions', NULL);
SELECT count(*) FROM dynamo.scan('operation-functions', 's > :s', '{":s": {"N": "20"}}');

-- They are part of the transaction.
BEGIN;
SELECT dynamo.put_item('operation-functions', '{"p": {"S": "gone"}, "s": {"N": "1"}}');
SELECT dynamo.get_item('operation-functions', '{"p": {"S": "gone"}, "s": {"N": "1"}}');
SAVEPOINT s;
SELECT dynamo.update_item('operation-functions', '{"p": {"S": "gone"}, "s": {"N": "1"}}', 'SET x = :x', '{":x": {"N": "1"}}');
ROLLBACK TO s;
SELECT dynamo.get_item('operation-functions', '{"p": {"S": "gone"}, "s": {"N": "1"}}');
ROLLBACK;
SELECT dynamo.get_item('operation-functions', '{"p": {"S": "gone"}, "s": {"N": "1"}}');

-- A table too.
BEGIN;
SELECT dynamo.create_table('{"TableName": "operation-rolled-back", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}') -> 'TableDescription' ->> 'TableStatus' AS status;
SELECT dynamo.put_item('operation-rolled-back', '{"p": {"S": "a"}}');
ROLLBACK;
SELECT dynamo.get_item('operation-rolled-back', '{"p": {"S": "a"}}');

-- Errors: our SQLSTATE, the service's text; what else it says is the detail.
\set SHOW_CONTEXT never
DO $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	PERFORM dynamo.put_item('operation-functions', '{"p": {"S": "a"}, "s": {"N": "1"}}');
	BEGIN
		PERFORM dynamo.put_item('{"TableName": "operation-functions", "Item": {"p": {"S": "a"}, "s": {"N": "1"}},
			"ConditionExpression": "attribute_not_exists(p)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}');
	EXCEPTION WHEN SQLSTATE 'KV005' THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
		RAISE NOTICE '% | % | % | %', state, message, detail, hint;
	END;
END $$;
\set VERBOSITY sqlstate
SELECT dynamo.get_item('{"TableName": "absent", "Key": {"p": {"S": "a"}}}');
SELECT dynamo.get_item('{"TableName": 1}');
SELECT dynamo.get_item('{}');
SELECT dynamo.create_table('{"TableName": "operation-functions", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}');
\set VERBOSITY default

-- What json lets pass and the service does not.
SELECT dynamo.get_item((repeat('[', 2000) || repeat(']', 2000))::json);

-- A transaction that may not write.
BEGIN READ ONLY;
SELECT dynamo.get_item('operation-functions', '{"p": {"S": "a"}, "s": {"N": "1"}}');
SELECT dynamo.put_item('operation-functions', '{"p": {"S": "a"}, "s": {"N": "1"}}');
ROLLBACK;

-- Privileges are the caller's.
CREATE ROLE regress_dynamo_reader;
GRANT USAGE ON SCHEMA dynamo TO regress_dynamo_reader;
SET ROLE regress_dynamo_reader;
\set VERBOSITY sqlstate
SELECT dynamo.get_item('operation-functions', '{"p": {"S": "a"}, "s": {"N": "1"}}');
SELECT dynamo.put_item('operation-functions', '{"p": {"S": "a"}, "s": {"N": "1"}}');
SELECT dynamo.delete_table('{"TableName": "operation-functions"}');
SELECT dynamo.create_table('{"TableName": "operation-denied", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}');
\set VERBOSITY default
RESET ROLE;
DROP OWNED BY regress_dynamo_reader;
DROP ROLE regress_dynamo_reader;

-- Two requests of one statement see each other.
SELECT dynamo.put_item('operation-functions', '{"p": {"S": "same"}, "s": {"N": "1"}}'),
	dynamo.get_item('operation-functions', '{"p": {"S": "same"}, "s": {"N": "1"}}');

-- NULL in, NULL out; and what a request needs is the operation's to say.
SELECT dynamo.get_item(NULL::json);
SELECT dynamo.get_item('operation-functions', NULL);

SELECT dynamo.delete_table('{"TableName": "operation-functions"}') -> 'TableDescription' ->> 'TableStatus' AS status;
SELECT dynamo.describe_table('{"TableName": "operation-functions"}');
