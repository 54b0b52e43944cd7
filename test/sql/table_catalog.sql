-- Tables: catalog rows, relations behind them, and descriptors that follow every change.
SET search_path = public, dynamo;
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;

-- What CreateTable and describe_table say, in short.
CREATE FUNCTION pg_temp.make(name text, sort text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT dynamo.create_table(json_build_object('TableName', name, 'BillingMode', 'PAY_PER_REQUEST',
		'AttributeDefinitions', CASE WHEN sort IS NULL THEN '[{"AttributeName": "p", "AttributeType": "S"}]'::json
			ELSE json_build_array('{"AttributeName": "p", "AttributeType": "S"}'::json,
				json_build_object('AttributeName', sort, 'AttributeType', 'N')) END,
		'KeySchema', CASE WHEN sort IS NULL THEN '[{"AttributeName": "p", "KeyType": "HASH"}]'::json
			ELSE json_build_array('{"AttributeName": "p", "KeyType": "HASH"}'::json,
				json_build_object('AttributeName', sort, 'KeyType', 'RANGE')) END))
		-> 'TableDescription' ->> 'TableName'
$$;
CREATE FUNCTION pg_temp.describe(name text) RETURNS json LANGUAGE sql AS $$
	SELECT dynamo.describe_table(json_build_object('TableName', name)) -> 'Table'
$$;

SELECT pg_temp.make('table-one');
SELECT pg_temp.make('table-two', 's');
SELECT name, relation, partition_key, partition_type, sort_key, sort_type, billing_mode, table_class
	FROM tables WHERE name LIKE 'table-%' ORDER BY name;
\pset tuples_only off
\d dynamo_data."table-one"
\d dynamo_data."table-two"
\pset tuples_only on

-- A name is taken, whoever asks.
SELECT pg_temp.make('table-one');

-- By ARN; one of another account is not ours.
SELECT pg_temp.describe(pg_temp.describe('table-one') ->> 'TableArn') ->> 'TableName';
SELECT pg_temp.describe('arn:aws:dynamodb:us-east-1:999999999999:table/table-one');

-- Names are case sensitive.  One that PostgreSQL has no room for, or that an
-- ordinary relation has taken, gets a relation of another name.
SELECT pg_temp.make('Table-One');
SELECT length(pg_temp.make(repeat('long-name.', 25) || 'a')), length(pg_temp.make(repeat('long-name.', 25) || 'b'));
CREATE TABLE dynamo_data."table-taken" (a int);
SELECT pg_temp.make('table-taken');
SELECT relation FROM tables WHERE name ~ '^(Table-|long-|table-taken)' ORDER BY name;
SELECT put_item(repeat('long-name.', 25) || 'a', '{"p": {"S": "x"}}');
SELECT get_item(repeat('long-name.', 25) || 'a', '{"p": {"S": "x"}}'), get_item(repeat('long-name.', 25) || 'b', '{"p": {"S": "x"}}');
SELECT list_tables('{"ExclusiveStartTableName": "table-one", "Limit": 2}');

-- The name of a key attribute is any text but one with a NUL.
SELECT create_table('{"TableName": "table-nul", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p\u0000q", "AttributeType": "S"}],
	"KeySchema": [{"AttributeName": "p\u0000q", "KeyType": "HASH"}]}');
SELECT create_table('{"TableName": "table-unicode", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "schlüssel \"1\"", "AttributeType": "B"}],
	"KeySchema": [{"AttributeName": "schlüssel \"1\"", "KeyType": "HASH"}]}') -> 'TableDescription' -> 'KeySchema';
SELECT put_item('table-unicode', '{"schlüssel \"1\"": {"B": "AA=="}}');
SELECT get_item('table-unicode', '{"schlüssel \"1\"": {"B": "AA=="}}');

-- DDL is transactional, with savepoints.
BEGIN;
SELECT pg_temp.make('table-rolled-back');
SELECT put_item('table-rolled-back', '{"p": {"S": "x"}}');
ROLLBACK;
SELECT pg_temp.describe('table-rolled-back');
BEGIN;
SAVEPOINT s;
SELECT pg_temp.make('table-savepoint');
ROLLBACK TO s;
SELECT pg_temp.make('table-savepoint', 's');
SAVEPOINT s;
SELECT length(delete_table('{"TableName": "table-savepoint"}')::text) > 0;
ROLLBACK TO s;
SELECT put_item('table-savepoint', '{"p": {"S": "x"}, "s": {"N": "1"}}');
COMMIT;
SELECT get_item('table-savepoint', '{"p": {"S": "x"}, "s": {"N": "1"}}');

-- DeleteTable drops the relation, DROP TABLE deletes the table.
SELECT relation::oid AS relation FROM tables WHERE name = 'Table-One' \gset
SELECT length(delete_table('{"TableName": "Table-One"}')::text) > 0;
SELECT count(*) FROM pg_class WHERE oid = :relation;
DROP TABLE dynamo_data."table-savepoint";
SELECT count(*) FROM tables WHERE name = 'table-savepoint';
SELECT pg_temp.describe('table-savepoint');
SELECT pg_temp.make('table-savepoint');
SELECT put_item('table-savepoint', '{"p": {"S": "x"}}');

-- The relation may be altered, renamed and moved; descriptors notice.
SELECT put_item('table-one', '{"p": {"S": "a"}, "n": {"N": "1"}}');
ALTER TABLE dynamo_data."table-one" RENAME TO renamed;
SELECT get_item('table-one', '{"p": {"S": "a"}}');
ALTER TABLE dynamo_data.renamed SET SCHEMA public;
SELECT get_item('table-one', '{"p": {"S": "a"}}');
ALTER TABLE public.renamed ADD COLUMN note text DEFAULT 'none';
SELECT put_item('table-one', '{"p": {"S": "a"}, "n": {"N": "2"}}');
UPDATE public.renamed SET note = 'mine';
SELECT put_item('table-one', '{"p": {"S": "a"}, "n": {"N": "3"}}');
SELECT note, item FROM public.renamed;
ALTER TABLE public.renamed DROP COLUMN note;
SELECT put_item('table-one', '{"p": {"S": "a"}, "n": {"N": "4"}}');
VACUUM FULL public.renamed;
REINDEX TABLE CONCURRENTLY public.renamed;
SELECT get_item('table-one', '{"p": {"S": "a"}}');
TRUNCATE public.renamed;
SELECT get_item('table-one', '{"p": {"S": "a"}}') IS NULL;

-- Without its index, or with other columns, it is refused until it is whole again.
DROP INDEX public."table-one_hash_partition_key_idx";
SELECT get_item('table-one', '{"p": {"S": "a"}}');
CREATE UNIQUE INDEX ON public.renamed USING dynamo_key (hash, partition_key dynamo.partition_ops);
SELECT put_item('table-one', '{"p": {"S": "a"}}');
SELECT get_item('table-one', '{"p": {"S": "a"}}');
BEGIN;
ALTER TABLE public.renamed DROP COLUMN sort_key;
SELECT get_item('table-one', '{"p": {"S": "a"}}');
ROLLBACK;
SELECT get_item('table-one', '{"p": {"S": "a"}}');

-- What depends on the relation keeps it.
CREATE VIEW public.dependent AS SELECT item FROM dynamo_data."table-two";
SELECT delete_table('{"TableName": "table-two"}');
DROP VIEW public.dependent;

-- Items are counted by the statistics; a crash loses those, but not what the last ANALYZE has found.
SELECT put_item('table-two', json_build_object('p', '{"S": "a"}'::json, 's', json_build_object('N', n::text))::item)
	FROM generate_series(1, 7) n;
SELECT pg_stat_force_next_flush();
ANALYZE dynamo_data."table-two";
SELECT pg_temp.describe('table-two') ->> 'ItemCount';
SELECT pg_stat_reset_single_table_counters('dynamo_data."table-two"'::regclass);
SELECT pg_temp.describe('table-two') ->> 'ItemCount';
TRUNCATE dynamo_data."table-two";
SELECT pg_stat_force_next_flush();
SELECT pg_temp.describe('table-two') ->> 'ItemCount';

-- Decreases are counted by the day.
SELECT update_table('{"TableName": "table-two", "BillingMode": "PROVISIONED",
	"ProvisionedThroughput": {"ReadCapacityUnits": 9, "WriteCapacityUnits": 9}}') -> 'TableDescription' -> 'ProvisionedThroughput';
SELECT update_table('{"TableName": "table-two", "ProvisionedThroughput": {"ReadCapacityUnits": 8, "WriteCapacityUnits": 9}}')
	-> 'TableDescription' -> 'ProvisionedThroughput' ->> 'NumberOfDecreasesToday';
SELECT update_table('{"TableName": "table-two", "ProvisionedThroughput": {"ReadCapacityUnits": 7, "WriteCapacityUnits": 10}}')
	-> 'TableDescription' -> 'ProvisionedThroughput' ->> 'NumberOfDecreasesToday';
UPDATE tables SET last_decrease = last_decrease - interval '1 day' WHERE name = 'table-two';
SELECT pg_temp.describe('table-two') -> 'ProvisionedThroughput' ->> 'NumberOfDecreasesToday';
SELECT update_table('{"TableName": "table-two", "ProvisionedThroughput": {"ReadCapacityUnits": 6, "WriteCapacityUnits": 10}}')
	-> 'TableDescription' -> 'ProvisionedThroughput' ->> 'NumberOfDecreasesToday';

-- The extension may go and come back in one session.
SELECT current_database() AS test_database \gset
CREATE DATABASE regression_table_extension;
\c regression_table_extension
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on
CREATE EXTENSION dynamo;
CREATE FUNCTION pg_temp.make() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
	RETURN dynamo.create_table('{"TableName": "Music", "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
		"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}') -> 'TableDescription' ->> 'TableName'; END $$;
SELECT pg_temp.make();
SELECT dynamo.put_item('{"TableName": "Music", "Item": {"p": {"S": "x"}}}');
DROP EXTENSION dynamo;
DROP EXTENSION dynamo CASCADE;
SELECT count(*) FROM pg_class WHERE relname = 'Music';
CREATE EXTENSION dynamo;
SELECT dynamo.get_item('{"TableName": "Music", "Key": {"p": {"S": "x"}}}');
SELECT pg_temp.make();
SELECT dynamo.get_item('{"TableName": "Music", "Key": {"p": {"S": "x"}}}');
\c :test_database
SET client_min_messages = warning;
DROP DATABASE regression_table_extension;

DROP TABLE public.renamed, dynamo_data."table-two", dynamo_data."table-taken", dynamo_data."table-savepoint", dynamo_data."table-unicode";
DO $$ DECLARE r regclass; BEGIN
	FOR r IN SELECT relation FROM dynamo.tables WHERE name LIKE 'long-name.%' OR name = 'table-taken' LOOP
		EXECUTE 'DROP TABLE ' || r;
	END LOOP;
END $$;
SELECT name FROM dynamo.tables WHERE name ~ '^(table-|long-)';
