-- Query and Scan through SQL: pages, snapshots, transactions, and what the planner
-- makes of the relation below.  The rules are tested in test/api.
SET search_path = dynamo, public;
\pset format unaligned
\pset tuples_only on
SELECT (create_table('{"TableName": "operation-query", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "s", "AttributeType": "N"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}]}')
	-> 'TableDescription' ->> 'TableStatus');
SELECT count(put_item(json_build_object('TableName', 'operation-query', 'Item', json_build_object(
	'p', json_build_object('S', 'p' || n / 10), 's', json_build_object('N', (n % 10)::text),
	'n', json_build_object('N', n::text))))) FROM generate_series(0, 49) n;

-- One page, forward and backward, and the next one.
SELECT query('{"TableName": "operation-query", "KeyConditionExpression": "p = :p AND s >= :s", "Limit": 2,
	"ExpressionAttributeValues": {":p": {"S": "p3"}, ":s": {"N": "4"}}}');
SELECT query('{"TableName": "operation-query", "KeyConditionExpression": "p = :p AND s >= :s", "Limit": 2,
	"ExclusiveStartKey": {"p": {"S": "p3"}, "s": {"N": "5"}},
	"ExpressionAttributeValues": {":p": {"S": "p3"}, ":s": {"N": "4"}}}');
SELECT query('{"TableName": "operation-query", "KeyConditionExpression": "p = :p", "Limit": 2, "ScanIndexForward": false,
	"ExpressionAttributeValues": {":p": {"S": "p3"}}, "ProjectionExpression": "n", "ReturnConsumedCapacity": "TOTAL"}');

-- All pages.
SELECT item::json -> 'n' ->> 'N' FROM query('operation-query', 'p = :p AND s < :s',
	'{":p": {"S": "p1"}, ":s": {"N": "3"}}') AS item;
SELECT count(*), count(DISTINCT item::json -> 'n' ->> 'N') FROM scan('operation-query', NULL) AS item;

-- Segments are ranges of the hash: each partition is in one of them.
SELECT sum((page ->> 'Count')::int), count(*) FILTER (WHERE (page ->> 'Count')::int % 10 <> 0)
	FROM generate_series(0, 6) segment, LATERAL scan(json_build_object('TableName', 'operation-query', 'Select', 'COUNT',
		'Segment', segment, 'TotalSegments', 7)) AS page;

-- A transaction sees what it has written; above READ COMMITTED, pages read one snapshot.
BEGIN;
SELECT put_item('operation-query', '{"p": {"S": "mine"}, "s": {"N": "1"}}');
SELECT query('{"TableName": "operation-query", "KeyConditionExpression": "p = :p", "Select": "COUNT",
	"ExpressionAttributeValues": {":p": {"S": "mine"}}}');
ROLLBACK;
SELECT query('{"TableName": "operation-query", "KeyConditionExpression": "p = :p", "Select": "COUNT",
	"ExpressionAttributeValues": {":p": {"S": "mine"}}}');

-- A batch is part of the caller's transaction.
BEGIN;
SELECT batch_write_item('{"RequestItems": {"operation-query": [
	{"PutRequest": {"Item": {"p": {"S": "batch"}, "s": {"N": "1"}}}},
	{"DeleteRequest": {"Key": {"p": {"S": "p0"}, "s": {"N": "0.0"}}}}]}}');
SELECT batch_get_item('{"RequestItems": {"operation-query": {"Keys": [
	{"p": {"S": "batch"}, "s": {"N": "1"}}, {"p": {"S": "p0"}, "s": {"N": "0"}}]}}}');
ROLLBACK;
SELECT batch_get_item('{"RequestItems": {"operation-query": {"Keys": [
	{"p": {"S": "batch"}, "s": {"N": "1"}}, {"p": {"S": "p0"}, "s": {"N": "0"}}]}}}');

-- A walk over items between which others were deleted: the scan remembers the dead
-- ones, in memory that must outlive each item's.
SELECT count(delete_item(json_build_object('TableName', 'operation-query', 'Key', json_build_object(
	'p', json_build_object('S', 'p' || n / 10), 's', json_build_object('N', (n % 10)::text))))) FROM generate_series(0, 49, 2) n;
SELECT query('{"TableName": "operation-query", "KeyConditionExpression": "p = :p", "ProjectionExpression": "n",
	"ExpressionAttributeValues": {":p": {"S": "p1"}}}') FROM generate_series(1, 3);
SELECT scan('{"TableName": "operation-query", "Select": "COUNT"}') FROM generate_series(1, 3);

-- Errors are SQL errors.
\set VERBOSITY sqlstate
SELECT query('{"TableName": "operation-query", "KeyConditionExpression": "p > :p", "ExpressionAttributeValues": {":p": {"S": "x"}}}');
SELECT scan('{"TableName": "operation-absent"}');
SELECT batch_write_item('{"RequestItems": {"operation-query": [
	{"PutRequest": {"Item": {"p": {"S": "x"}, "s": {"N": "1"}}}}, {"PutRequest": {"Item": {"p": {"S": "x"}, "s": {"N": "1.0"}}}}]}}');
\set VERBOSITY default

-- The index agrees with the table.
SELECT relation AS items FROM dynamo.tables WHERE name = 'operation-query' \gset
SELECT indexrelid::regclass AS key FROM pg_index WHERE indrelid = :'items'::regclass \gset
SELECT heap_tuples FROM verify_index(:'key');
SELECT delete_table('{"TableName": "operation-query"}') -> 'TableDescription' ->> 'TableStatus';
