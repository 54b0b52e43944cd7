-- Secondary indexes and writes: what is refused, what it costs, item collections.
SET search_path = dynamo, public;
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;

SELECT create_table('{"TableName": "index-write", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "s", "AttributeType": "N"},
		{"AttributeName": "g", "AttributeType": "S"}, {"AttributeName": "b", "AttributeType": "B"}, {"AttributeName": "t", "AttributeType": "N"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
	"LocalSecondaryIndexes": [{"IndexName": "local", "Projection": {"ProjectionType": "ALL"},
		"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "t", "KeyType": "RANGE"}]}],
	"GlobalSecondaryIndexes": [
		{"IndexName": "global", "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]},
			"KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "b", "KeyType": "RANGE"}]},
		{"IndexName": "keys", "Projection": {"ProjectionType": "KEYS_ONLY"}, "KeySchema": [{"AttributeName": "t", "KeyType": "HASH"}]}]}')
	-> 'TableDescription' ->> 'TableStatus';

-- writes(operation, request without TableName): what was charged, or the error's text.
CREATE FUNCTION pg_temp.writes(operation text, request jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	whole json := ('{"TableName": "index-write", "ReturnConsumedCapacity": "INDEXES"}'::jsonb || request)::json;
	reply json;
BEGIN
	reply := CASE operation WHEN 'put' THEN put_item(whole) WHEN 'update' THEN update_item(whole)
		WHEN 'delete' THEN delete_item(whole) WHEN 'batch' THEN batch_write_item(whole)
		ELSE transact_write_items(whole) END;
	RETURN regexp_replace(reply::text, '"TableName":"index-write",?', '');
EXCEPTION WHEN OTHERS THEN
	RETURN '! ' || sqlstate || ' ' || sqlerrm || COALESCE(' ' || (SELECT NULL::text), '');
END
$$;
CREATE FUNCTION pg_temp.item(rest jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('Item', '{"p": {"S": "a"}, "s": {"N": "1"}}'::jsonb || rest)
$$;
CREATE FUNCTION pg_temp.change(expression text, value json DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.writes('update', jsonb_strip_nulls(jsonb_build_object('Key', '{"p": {"S": "a"}, "s": {"N": "1"}}'::jsonb,
		'UpdateExpression', expression, 'ExpressionAttributeValues', CASE WHEN value IS NOT NULL THEN jsonb_build_object(':v', value) END)))
$$;

-- PutItem: type, emptiness, size, of any index; a missing attribute is fine.
SELECT pg_temp.writes('put', pg_temp.item('{"g": {"N": "1"}}'));
SELECT pg_temp.writes('put', pg_temp.item('{"g": {"NULL": true}}'));
SELECT pg_temp.writes('put', pg_temp.item('{"g": {"S": ""}}'));
SELECT pg_temp.writes('put', pg_temp.item('{"b": {"B": ""}}'));
SELECT pg_temp.writes('put', pg_temp.item(format('{"g": {"S": "%s"}}', repeat('x', 2049))::jsonb));
SELECT pg_temp.writes('put', pg_temp.item(format('{"b": {"B": "%s"}}', repeat('AAAA', 342))::jsonb));
SELECT pg_temp.writes('put', pg_temp.item('{"t": {"S": "1"}}'));
SELECT pg_temp.writes('batch', '{"RequestItems": {"index-write": [{"PutRequest": {"Item": {"p": {"S": "a"}, "s": {"N": "1"}, "g": {"N": "1"}}}}]}}');
SELECT pg_temp.writes('transact', '{"TransactItems": [{"Delete": {"TableName": "index-write", "Key": {"p": {"S": "a"}, "s": {"N": "2"}}}},
	{"Put": {"TableName": "index-write", "Item": {"p": {"S": "a"}, "s": {"N": "1"}, "g": {"N": "1"}}}}]}');

-- The charge: new entries, the same, another with the same key, another key, none.
SELECT pg_temp.writes('put', pg_temp.item('{"u": {"S": "1"}}'));
SELECT pg_temp.writes('put', pg_temp.item('{"u": {"S": "1"}, "t": {"N": "5"}}'));
SELECT pg_temp.writes('put', pg_temp.item('{"u": {"S": "2"}, "t": {"N": "5.0"}}'));
SELECT pg_temp.writes('put', pg_temp.item('{"u": {"S": "2"}, "t": {"N": "6"}, "g": {"S": "g"}, "b": {"B": "AA=="}}'));
SELECT pg_temp.change('SET u = :v', '{"S": "3"}');
SELECT pg_temp.change('SET x = :v', '{"SS": ["a", "b"]}');
SELECT pg_temp.change('SET x = :v', '{"SS": ["b", "a"]}');
SELECT pg_temp.change('SET x = :v', json_build_object('S', repeat('x', 3000)));
SELECT pg_temp.change('SET b = :v', '{"B": "AQ=="}');
SELECT pg_temp.change('REMOVE g');
SELECT pg_temp.writes('transact', '{"TransactItems": [{"Update": {"TableName": "index-write", "Key": {"p": {"S": "a"}, "s": {"N": "1"}},
	"UpdateExpression": "SET g = :v", "ExpressionAttributeValues": {":v": {"S": "h"}}}},
	{"ConditionCheck": {"TableName": "index-write", "Key": {"p": {"S": "a"}, "s": {"N": "9"}}, "ConditionExpression": "attribute_not_exists(p)"}}]}');
SELECT pg_temp.writes('batch', '{"RequestItems": {"index-write": [{"PutRequest": {"Item": {"p": {"S": "a"}, "s": {"N": "2"}, "t": {"N": "1"}}}},
	{"DeleteRequest": {"Key": {"p": {"S": "a"}, "s": {"N": "1"}}}}]}}');
SELECT pg_temp.writes('delete', '{"Key": {"p": {"S": "a"}, "s": {"N": "2"}}, "ReturnConsumedCapacity": "TOTAL"}');
SELECT pg_temp.writes('delete', '{"Key": {"p": {"S": "a"}, "s": {"N": "2"}}}');

-- UpdateItem has words of its own, and looks at what it changes alone.
SELECT pg_temp.change('SET g = :v', '{"N": "1"}');
SELECT pg_temp.change('SET g = :v', '{"S": ""}');
SELECT pg_temp.change('SET b = :v', '{"B": ""}');
SELECT pg_temp.change('SET g = :v', json_build_object('S', repeat('x', 2049)));
SELECT pg_temp.change('SET g.h = :v', '{"N": "1"}');
SELECT pg_temp.writes('update', '{"Key": {"p": {"S": "a"}, "s": {"N": "1"}}, "AttributeUpdates": {"g": {"Value": {"N": "1"}, "Action": "PUT"}}}');
BEGIN;
UPDATE indexes SET status = 'DELETING' WHERE table_name = 'index-write' AND name = 'global';
SELECT pg_temp.writes('put', pg_temp.item('{"g": {"N": "1"}, "b": {"B": ""}}'));
UPDATE indexes SET status = 'ACTIVE' WHERE table_name = 'index-write' AND name = 'global';
SELECT pg_temp.change('SET u = :v', '{"N": "1"}');
SELECT pg_temp.change('SET b = :v', '{"B": "AA=="}');
SELECT pg_temp.change('SET g = :v', '{"N": "2"}');
SELECT pg_temp.change('SET g = :v', '{"S": "2"}');
SELECT verify_table('index-write');
COMMIT;

-- Item collections.
SELECT pg_temp.writes('put', '{"Item": {"p": {"S": "c"}, "s": {"N": "1"}}, "ReturnItemCollectionMetrics": "SIZE", "ReturnConsumedCapacity": "NONE"}');
SELECT pg_temp.writes('update', '{"Key": {"p": {"S": "c"}, "s": {"N": "1"}}, "ReturnItemCollectionMetrics": "SIZE", "ReturnConsumedCapacity": "NONE"}');
SELECT pg_temp.writes('delete', '{"Key": {"p": {"S": "c"}, "s": {"N": "1"}}, "ReturnItemCollectionMetrics": "SIZE", "ReturnConsumedCapacity": "NONE"}');
SELECT pg_temp.writes('batch', '{"RequestItems": {"index-write": [{"PutRequest": {"Item": {"p": {"S": "c"}, "s": {"N": "1"}}}},
	{"PutRequest": {"Item": {"p": {"S": "c"}, "s": {"N": "2"}}}}, {"DeleteRequest": {"Key": {"p": {"S": "d"}, "s": {"N": "1"}}}}]},
	"ReturnItemCollectionMetrics": "SIZE", "ReturnConsumedCapacity": "NONE"}');
SELECT pg_temp.writes('transact', '{"TransactItems": [{"Put": {"TableName": "index-write", "Item": {"p": {"S": "c"}, "s": {"N": "1"}}}},
	{"ConditionCheck": {"TableName": "index-write", "Key": {"p": {"S": "e"}, "s": {"N": "1"}}, "ConditionExpression": "attribute_not_exists(p)"}}],
	"ReturnItemCollectionMetrics": "SIZE", "ReturnConsumedCapacity": "NONE"}');

-- Their limit: of a table that is large, and a partition that ANALYZE found to be most of it.
INSERT INTO dynamo_data."index-write" (item)
	SELECT format('{"p": {"S": "large"}, "s": {"N": "%s"}, "x": {"S": "%s"}}', n, repeat('x', 1000))::item FROM generate_series(1, 2000) n;
ANALYZE dynamo_data."index-write";
ALTER SYSTEM SET dynamo.item_collection_limit = '1MB';
SELECT pg_reload_conf();
-- A session reads the files between two statements only: none may wait for it.
DO 'BEGIN PERFORM pg_sleep(1); END';
SELECT pg_temp.writes('put', '{"Item": {"p": {"S": "large"}, "s": {"N": "0"}}}');
SELECT pg_temp.writes('put', '{"Item": {"p": {"S": "small"}, "s": {"N": "0"}}, "ReturnConsumedCapacity": "NONE"}');
SELECT pg_temp.writes('put', '{"Item": {"p": {"S": "large"}, "s": {"N": "1"}}, "ReturnConsumedCapacity": "NONE"}');
SELECT pg_temp.writes('update', '{"Key": {"p": {"S": "large"}, "s": {"N": "1"}}, "UpdateExpression": "SET y = s", "ReturnConsumedCapacity": "NONE"}');
SELECT pg_temp.writes('delete', '{"Key": {"p": {"S": "large"}, "s": {"N": "1"}}, "ReturnConsumedCapacity": "NONE"}');
SELECT pg_temp.writes('transact', '{"TransactItems": [{"Put": {"TableName": "index-write", "Item": {"p": {"S": "large"}, "s": {"N": "0"}}}}]}');
ALTER SYSTEM RESET dynamo.item_collection_limit;
SELECT pg_reload_conf();

-- An update of no key is HOT, whatever indexes there are.
SELECT create_table('{"TableName": "index-hot", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "a", "AttributeType": "S"},
		{"AttributeName": "b", "AttributeType": "S"}, {"AttributeName": "c", "AttributeType": "S"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
	"GlobalSecondaryIndexes": [
		{"IndexName": "by-a", "Projection": {"ProjectionType": "ALL"}, "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}]},
		{"IndexName": "by-b", "Projection": {"ProjectionType": "ALL"}, "KeySchema": [{"AttributeName": "b", "KeyType": "HASH"}]},
		{"IndexName": "by-c", "Projection": {"ProjectionType": "ALL"}, "KeySchema": [{"AttributeName": "c", "KeyType": "HASH"}]}]}') IS NOT NULL;
SELECT put_item('index-hot', '{"p": {"S": "x"}, "a": {"S": "1"}, "b": {"S": "2"}, "c": {"S": "3"}}');
SELECT count(update_item('index-hot', '{"p": {"S": "x"}}', 'SET n = if_not_exists(n, :one) + :one', '{":one": {"N": "1"}}')) FROM generate_series(1, 20);
SELECT update_item('index-hot', '{"p": {"S": "x"}}', 'SET c = :c', '{":c": {"S": "4"}}') IS NOT NULL;
SELECT pg_stat_force_next_flush();
SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_all_tables WHERE relname = 'index-hot';
SELECT verify_table('index-hot'), bool_and((SELECT heap_tuples FROM verify_index(indexrelid)) = 1)
	FROM pg_index i JOIN pg_class c ON c.oid = indexrelid
	WHERE indrelid = 'dynamo_data."index-hot"'::regclass GROUP BY 1;

-- verify_table() finds what a trigger that is off lets through.
ALTER TABLE dynamo_data."index-hot" DISABLE TRIGGER USER;
UPDATE dynamo_data."index-hot" SET index_key_2 = '\x00';
\set VERBOSITY terse
SELECT verify_table('index-hot');
UPDATE dynamo_data."index-hot" SET index_key_2 = NULL;
SELECT verify_table('index-hot');
ALTER TABLE dynamo_data."index-hot" ENABLE TRIGGER USER;
UPDATE dynamo_data."index-hot" SET item = item;
SELECT verify_table('index-hot'), verify_table('index-write');
SELECT verify_table('no-such-table');
SELECT delete_table('{"TableName": "index-write"}') IS NOT NULL, delete_table('{"TableName": "index-hot"}') IS NOT NULL;
