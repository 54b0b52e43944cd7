-- Who may do what to a table: SQL's privileges, for SQL and the operations alike.
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_maker;
CREATE ROLE regress_reader;
GRANT CREATE ON SCHEMA dynamo_data TO regress_maker;

-- CREATE on the schema is enough to make a table, which then is one's own.
-- (Which compression there is depends on the build.)
\set VERBOSITY terse
SET ROLE regress_reader;
SELECT dynamo.create_table('{"TableName": "table-privileges", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}');
\set VERBOSITY default
SET ROLE regress_maker;
SELECT dynamo.create_table('{"TableName": "table-privileges", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}')
	-> 'TableDescription' ->> 'TableStatus';
SELECT dynamo.put_item('table-privileges', '{"p": {"S": "a"}}');
INSERT INTO dynamo_data."table-privileges" (item) VALUES ('{"p": {"S": "b"}}');
SELECT item FROM dynamo_data."table-privileges" ORDER BY partition_key;
SELECT relowner::regrole FROM pg_class WHERE oid = 'dynamo_data."table-privileges"'::regclass;
DELETE FROM dynamo.tables;

-- Others need SELECT to read, and besides it INSERT, UPDATE or DELETE by what a write does.
SET ROLE regress_reader;
SELECT dynamo.list_tables('{"ExclusiveStartTableName": "table-p", "Limit": 1}') ->> 'TableNames';
SELECT dynamo.get_item('table-privileges', '{"p": {"S": "a"}}');
SELECT * FROM dynamo.scan('table-privileges', NULL);
SELECT dynamo.put_item('table-privileges', '{"p": {"S": "a"}}');
RESET ROLE;
GRANT SELECT ON dynamo_data."table-privileges" TO regress_reader;
SET ROLE regress_reader;
SELECT dynamo.get_item('table-privileges', '{"p": {"S": "a"}}');
SELECT dynamo.put_item('table-privileges', '{"p": {"S": "a"}}');
SELECT dynamo.put_item('table-privileges', '{"p": {"S": "c"}}');
SELECT dynamo.delete_item('table-privileges', '{"p": {"S": "a"}}');
RESET ROLE;
GRANT INSERT ON dynamo_data."table-privileges" TO regress_reader;
SET ROLE regress_reader;
SELECT dynamo.put_item('table-privileges', '{"p": {"S": "c"}}');
SELECT dynamo.put_item('table-privileges', '{"p": {"S": "c"}}');
RESET ROLE;
GRANT UPDATE ON dynamo_data."table-privileges" TO regress_reader;
SET ROLE regress_reader;
SELECT dynamo.put_item('table-privileges', '{"p": {"S": "c"}, "n": {"N": "1"}}');
SELECT dynamo.delete_item('table-privileges', '{"p": {"S": "c"}}');

-- Only the owner changes or drops it.
SELECT dynamo.update_table('{"TableName": "table-privileges", "DeletionProtectionEnabled": true}');
SELECT dynamo.delete_table('{"TableName": "table-privileges"}');
SELECT dynamo.update_time_to_live('{"TableName": "table-privileges", "TimeToLiveSpecification": {"AttributeName": "t", "Enabled": true}}');
SELECT dynamo.tag_resource('{"ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/table-privileges", "Tags": [{"Key": "k", "Value": "v"}]}');
SELECT dynamo.untag_resource('{"ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/table-privileges", "TagKeys": ["k"]}');
INSERT INTO dynamo.tags VALUES ('table-privileges', 'k', 'v');
SET ROLE regress_maker;
SELECT dynamo.tag_resource('{"ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/table-privileges", "Tags": [{"Key": "k", "Value": "v"}]}');
SELECT dynamo.update_time_to_live('{"TableName": "table-privileges", "TimeToLiveSpecification": {"AttributeName": "t", "Enabled": true}}');
-- Who has a privilege on it may see.
SET ROLE regress_reader;
SELECT dynamo.list_tags_of_resource('{"ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/table-privileges"}');
SELECT dynamo.describe_time_to_live('{"TableName": "table-privileges"}');
SET ROLE regress_maker;
SELECT dynamo.update_table('{"TableName": "table-privileges", "DeletionProtectionEnabled": true}')
	-> 'TableDescription' ->> 'DeletionProtectionEnabled';
SELECT dynamo.delete_table('{"TableName": "table-privileges"}');

-- Policies can't be honoured, so whom they apply to is refused.
ALTER TABLE dynamo_data."table-privileges" ENABLE ROW LEVEL SECURITY;
SELECT dynamo.get_item('table-privileges', '{"p": {"S": "a"}}');
SET ROLE regress_reader;
SELECT dynamo.get_item('table-privileges', '{"p": {"S": "a"}}');
SELECT dynamo.put_item('table-privileges', '{"p": {"S": "d"}}');
RESET ROLE;
ALTER TABLE dynamo_data."table-privileges" DISABLE ROW LEVEL SECURITY;

-- The catalog is written with its owner's rights: nothing of the caller's may run then.
CREATE SCHEMA regress_evil AUTHORIZATION regress_maker;
SET ROLE regress_maker;
CREATE FUNCTION regress_evil.equal(text, text) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN RAISE EXCEPTION 'running as %', current_user; END $$;
CREATE OPERATOR regress_evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = regress_evil.equal);
CREATE DOMAIN regress_evil.bytea AS text;
SET search_path = regress_evil, pg_catalog;
SELECT dynamo.update_table('{"TableName": "table-privileges", "DeletionProtectionEnabled": false}')
	-> 'TableDescription' ->> 'DeletionProtectionEnabled';
SELECT dynamo.create_table('{"TableName": "table-evil", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}')
	-> 'TableDescription' ->> 'TableStatus';
SELECT atttypid::regtype FROM pg_attribute WHERE attrelid = 'dynamo_data."table-evil"'::regclass AND attnum = 2;
SELECT dynamo.tag_resource('{"ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/table-evil", "Tags": [{"Key": "a", "Value": ""}, {"Key": "b", "Value": ""}]}');
SELECT dynamo.untag_resource('{"ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/table-evil", "TagKeys": ["a"]}');
SELECT dynamo.list_tags_of_resource('{"ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/table-evil"}');
SELECT dynamo.update_time_to_live('{"TableName": "table-evil", "TimeToLiveSpecification": {"AttributeName": "t", "Enabled": true}}');
SELECT dynamo.update_table('{"TableName": "table-evil", "TableClass": "STANDARD_INFREQUENT_ACCESS", "OnDemandThroughput": {"MaxReadRequestUnits": 1}}')
	-> 'TableDescription' ->> 'TableStatus';
SELECT dynamo.delete_table('{"TableName": "table-evil"}') -> 'TableDescription' ->> 'TableStatus';
SHOW search_path;
RESET search_path;
SELECT dynamo.delete_table('{"TableName": "table-privileges"}') -> 'TableDescription' ->> 'TableStatus';
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA regress_evil CASCADE;
REVOKE CREATE ON SCHEMA dynamo_data FROM regress_maker;
DROP ROLE regress_maker, regress_reader;

-- What is for our own code and tests is nobody's, not even where the schema is open, as it is for pg_monitor.
-- A key index is made with the one.
SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'dynamo_internal'::regnamespace AND has_function_privilege('public', oid, 'EXECUTE');
