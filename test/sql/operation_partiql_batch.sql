-- BatchExecuteStatement and ExecuteTransaction.
SET search_path = dynamo, public;
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;

SELECT create_table('{"TableName": "words", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "N"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
	"GlobalSecondaryIndexes": [{"IndexName": "by-g", "Projection": {"ProjectionType": "ALL"}, "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}]}]}')
	-> 'TableDescription' ->> 'TableStatus';

-- run(operation, statements, further members): the reply, or the error's text and detail.
CREATE FUNCTION pg_temp.run(operation text, statements text[], more jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	list jsonb := (SELECT jsonb_agg(jsonb_build_object('Statement', s)) FROM unnest(statements) s);
	detail text;
BEGIN
	RETURN CASE operation WHEN 'batch' THEN batch_execute_statement((jsonb_build_object('Statements', list) || more)::json)
		ELSE execute_transaction((jsonb_build_object('TransactStatements', list) || more)::json) END;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' ', '!', sqlstate, sqlerrm, detail);
END
$$;

-- A batch: each for itself.
SELECT pg_temp.run('batch', ARRAY['INSERT INTO words VALUE {''p'': ''a'', ''n'': 1, ''g'': 1}', 'INSERT INTO "words" VALUE {''p'': ''b'', ''s'': ''x''}',
	'INSERT INTO words VALUE {''p'': ''c'', ''g'': ''x''}', 'INSERT INTO none VALUE {''p'': ''c''}', 'INSERT', 'INSERT INTO words VALUE {''q'': 1}'],
	'{"ReturnConsumedCapacity": "INDEXES"}');
SELECT pg_temp.run('batch', ARRAY['INSERT INTO words VALUE {''p'': ''a''}', 'UPDATE words SET n = n + 1 WHERE p = ''b''', 'UPDATE words SET n = 1 WHERE p = ''z''',
	'DELETE FROM words WHERE p = ''y''', 'UPDATE words SET n = 1', 'UPDATE words."by-g" SET n = 1 WHERE p = ''x'''], '{"ReturnConsumedCapacity": "TOTAL"}');
SELECT pg_temp.run('batch', ARRAY['UPDATE words SET n = n + 1 WHERE p = ''a'' AND n = 1 RETURNING ALL NEW *', 'DELETE FROM words WHERE p = ''b'' RETURNING ALL OLD *']);
SELECT put_item('words', '{"p": {"S": "h"}, "n": {"N": "2"}}');
SELECT pg_temp.run('batch', ARRAY['SELECT * FROM words WHERE p = ''a''', 'SELECT n, nothing FROM words WHERE p = ''h'' AND n = 2', 'SELECT * FROM words WHERE p = ''z''']);
SELECT pg_temp.run('batch', ARRAY['SELECT * FROM words WHERE p = ''a''', 'SELECT n FROM words WHERE p = ''z'' AND n = 3', 'SELECT * FROM words WHERE n = 1',
	'SELECT * FROM words."by-g" WHERE g = 1', 'SELECT * FROM none WHERE p = ''a''', 'EXISTS(SELECT * FROM words WHERE p = ''q'')'], '{"ReturnConsumedCapacity": "TOTAL"}');
SELECT pg_temp.run('batch', ARRAY['SELECT * FROM words WHERE p = ''a''', 'DELETE FROM words WHERE p = ''b''']);
SELECT pg_temp.run('batch', ARRAY['DELETE FROM words WHERE p = ''a''', 'DELETE FROM words WHERE p = ''a''']);
SELECT pg_temp.run('batch', array_fill('SELECT * FROM words WHERE p = ''a'''::text, ARRAY[26])) LIKE '%statements%less than or equal to 25%';
SELECT batch_execute_statement('{"Statements": []}');
SELECT batch_execute_statement('{}');
SELECT batch_execute_statement('{"Statements": [{"Parameters": []}]}');

-- A transaction: all or none.
SELECT pg_temp.run('transaction', ARRAY['INSERT INTO words VALUE {''p'': ''d'', ''n'': 1}', 'UPDATE words SET n = 5 WHERE p = ''a''', 'EXISTS(SELECT * FROM words WHERE p = ''h'' AND n = 2)'],
	'{"ReturnConsumedCapacity": "TOTAL"}');
SELECT pg_temp.run('transaction', ARRAY['UPDATE words SET n = 5 WHERE p = ''a''', 'EXISTS(SELECT * FROM words WHERE p = ''i'')']);
SELECT pg_temp.run('transaction', ARRAY['INSERT INTO words VALUE {''p'': ''d'', ''n'': 1}', 'UPDATE words SET n = 7 WHERE p = ''a''', 'EXISTS(SELECT * FROM words WHERE p = ''h'')']);
SELECT pg_temp.run('transaction', ARRAY['UPDATE words SET n = s + 1 WHERE p = ''a''', 'EXISTS(SELECT * FROM words WHERE p = ''e'')']);
SELECT pg_temp.run('transaction', ARRAY['INSERT INTO words VALUE {''p'': ''f'', ''g'': ''x''}']);
SELECT pg_temp.run('transaction', ARRAY['SELECT n FROM words WHERE p = ''a''', 'SELECT * FROM words WHERE p = ''d'' AND n = 2', 'SELECT * FROM words WHERE p = ''e'''], '{"ReturnConsumedCapacity": "TOTAL"}');
SELECT pg_temp.run('transaction', ARRAY['SELECT n FROM words WHERE p = 1']);
SELECT pg_temp.run('transaction', ARRAY['SELECT n FROM words WHERE n = 1']);
SELECT pg_temp.run('transaction', ARRAY['SELECT n FROM words WHERE p = ''a''', 'SELECT n FROM words WHERE p = ''a''']);
SELECT pg_temp.run('transaction', ARRAY['SELECT n FROM words."by-g" WHERE g = 1']);
SELECT pg_temp.run('transaction', ARRAY['SELECT n FROM words WHERE p = ''a''', 'DELETE FROM words WHERE p = ''b''']);
SELECT pg_temp.run('transaction', ARRAY['DELETE FROM words WHERE p = ''b'' RETURNING ALL OLD *']);
SELECT pg_temp.run('transaction', ARRAY['DELETE FROM words WHERE p = ''b''', 'oops']);
SELECT pg_temp.run('transaction', ARRAY['DELETE FROM none WHERE p = ''b''']);
SELECT execute_transaction('{"TransactStatements": []}');

-- Tokens: a repetition does nothing; the spaces of the two operations are apart.
SELECT pg_temp.run('transaction', ARRAY['UPDATE words SET n = n + 1 WHERE p = ''a'''], '{"ClientRequestToken": "partiql"}');
SELECT pg_temp.run('transaction', ARRAY['UPDATE words SET n = n + 1 WHERE p = ''a'''], '{"ClientRequestToken": "partiql"}');
SELECT pg_temp.run('transaction', ARRAY['UPDATE words SET n = n + 2 WHERE p = ''a'''], '{"ClientRequestToken": "partiql"}');
SELECT transact_write_items('{"ClientRequestToken": "partiql", "TransactItems": [{"Delete": {"TableName": "words", "Key": {"p": {"S": "d"}}}}]}');
SELECT get_item('words', '{"p": {"S": "a"}}'), get_item('words', '{"p": {"S": "d"}}');
SELECT verify_table('words');
SELECT delete_table('{"TableName": "words"}') IS NOT NULL;
