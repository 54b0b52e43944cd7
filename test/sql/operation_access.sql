-- Who may do what: what a policy allows and SQL's privileges don't, and how far that goes.
-- (Operations, conditions and policies: test/api/test_access_matrix.py.)
\pset format unaligned
\pset tuples_only on
\set VERBOSITY terse
CREATE ROLE regress_access_owner;
CREATE ROLE regress_access_user;
GRANT CREATE ON SCHEMA dynamo_data TO regress_access_owner;
SET ROLE regress_access_owner;
SELECT dynamo.create_table('{"TableName": "access", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}')
	-> 'TableDescription' ->> 'TableStatus';
SELECT dynamo.put_item('access', '{"p": {"S": "a"}, "n": {"N": "1"}}');
RESET ROLE;
SELECT dynamo.put_policy('regress-access', '{"Version": "2012-10-17", "Statement": [
	{"Sid": "Items", "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": "arn:aws:dynamodb:*:*:table/access"}]}');
SELECT dynamo.attach_policy('regress_access_user', 'regress-access');

-- A policy is enough for an operation, and nothing for plain SQL.
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "a"}}');
SELECT dynamo.put_item('access', '{"p": {"S": "b"}}');
SELECT count(*) FROM dynamo_data.access;
SELECT dynamo.delete_item('access', '{"p": {"S": "b"}}');
SELECT count(*) FROM dynamo.tables;
SELECT dynamo.verify_table('access');
RESET ROLE;

-- A trigger has no part in it: neither in SQL, nor for an operation of another kind.
SET ROLE regress_access_owner;
CREATE FUNCTION pg_temp.peek() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	CASE dynamo.item_attribute_text(NEW.item, 'by')
		WHEN 'sql' THEN PERFORM FROM dynamo_data.access;
		WHEN 'get' THEN RAISE NOTICE 'got %', dynamo.get_item('access', '{"p": {"S": "a"}}');
		WHEN 'scan' THEN PERFORM dynamo.scan('access', NULL);
		WHEN 'delete' THEN PERFORM dynamo.delete_item('access', '{"p": {"S": "a"}}');
		WHEN 'verify' THEN PERFORM dynamo.verify_table('access');
		WHEN 'error' THEN
			BEGIN PERFORM dynamo.scan('access', NULL); EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'refused'; END;
		ELSE NULL;
	END CASE;
	RETURN NEW;
END $$;
CREATE TRIGGER peek AFTER INSERT ON dynamo_data.access FOR EACH ROW EXECUTE FUNCTION pg_temp.peek();
SET ROLE regress_access_user;
SELECT dynamo.put_item('access', '{"p": {"S": "1"}, "by": {"S": "sql"}}');
SELECT dynamo.put_item('access', '{"p": {"S": "2"}, "by": {"S": "get"}}');
SELECT dynamo.put_item('access', '{"p": {"S": "3"}, "by": {"S": "scan"}}');
SELECT dynamo.put_item('access', '{"p": {"S": "4"}, "by": {"S": "delete"}}');
SELECT dynamo.put_item('access', '{"p": {"S": "4"}, "by": {"S": "verify"}}');
-- What the outer operation was allowed is back when the inner one has failed.
SELECT dynamo.batch_write_item('{"RequestItems": {"access": [{"PutRequest": {"Item": {"p": {"S": "5"}, "by": {"S": "error"}}}}]}}');
RESET ROLE;
SELECT dynamo.put_policy('regress-access', '{"Version": "2012-10-17", "Statement": [
	{"Sid": "Items", "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:BatchWriteItem"], "Resource": "arn:aws:dynamodb:*:*:table/access"}]}');
SET ROLE regress_access_user;
SELECT dynamo.batch_write_item('{"RequestItems": {"access": [{"PutRequest": {"Item": {"p": {"S": "6"}, "by": {"S": "error"}}}},
	{"PutRequest": {"Item": {"p": {"S": "7"}, "by": {"S": "error"}}}}, {"DeleteRequest": {"Key": {"p": {"S": "b"}}}}]}}');
-- Nor does anything of it stay behind.
SELECT count(*) FROM dynamo_data.access;
SELECT dynamo.verify_table('access');
RESET ROLE;
DROP TRIGGER peek ON dynamo_data.access;

-- What is kept of an answer ends with what it was based on.
CREATE ROLE regress_access_group;
SELECT dynamo.attach_policy('regress_access_group', 'regress-access');
SELECT dynamo.detach_policy('regress_access_user', 'regress-access');
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "a"}}');
RESET ROLE;
GRANT regress_access_group TO regress_access_user;
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "a"}}');
RESET ROLE;
ALTER ROLE regress_access_user NOINHERIT;
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "a"}}');
RESET ROLE;
ALTER ROLE regress_access_user INHERIT;
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "a"}}');
RESET ROLE;
REVOKE regress_access_group FROM regress_access_user;
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "a"}}');
RESET ROLE;
GRANT SELECT ON dynamo_data.access TO regress_access_user;
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "a"}}');
RESET ROLE;
REVOKE SELECT ON dynamo_data.access FROM regress_access_user;
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "a"}}');
RESET ROLE;
ALTER ROLE regress_access_user SUPERUSER;
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "a"}}');
RESET ROLE;
ALTER ROLE regress_access_user NOSUPERUSER;
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "a"}}');
RESET ROLE;
BEGIN;
SELECT dynamo.attach_policy('regress_access_user', 'regress-access');
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "a"}}');
ROLLBACK;
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "a"}}');
RESET ROLE;
SELECT dynamo.detach_policy('regress_access_group', 'regress-access');
DROP ROLE regress_access_group;
SELECT dynamo.attach_policy('regress_access_user', 'regress-access');

-- Row-level security can't be honoured, whoever allows it.
ALTER TABLE dynamo_data.access ENABLE ROW LEVEL SECURITY;
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "a"}}');
RESET ROLE;
ALTER TABLE dynamo_data.access DISABLE ROW LEVEL SECURITY;

-- Who has INSERT may put what is not there; a policy that lets him update another
-- item does not let this one be replaced in the same transaction.
SELECT dynamo.detach_policy('regress_access_user', 'regress-access');
GRANT SELECT, INSERT ON dynamo_data.access TO regress_access_user;
SELECT dynamo.put_policy('regress-access-mine', '{"Version": "2012-10-17", "Statement": [
	{"Effect": "Allow", "Action": "dynamodb:UpdateItem", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "mine"}}}]}');
SELECT dynamo.attach_policy('regress_access_user', 'regress-access-mine');
SET ROLE regress_access_user;
SELECT dynamo.put_item('access', '{"p": {"S": "mine"}}');
SELECT dynamo.put_item('access', '{"p": {"S": "a"}}');
SELECT dynamo.update_item('access', '{"p": {"S": "mine"}}', 'SET n = :n', '{":n": {"N": "2"}}');
SELECT dynamo.update_item('access', '{"p": {"S": "a"}}', 'SET n = :n', '{":n": {"N": "2"}}');
SELECT dynamo.transact_write_items('{"TransactItems": [
	{"Update": {"TableName": "access", "Key": {"p": {"S": "mine"}}, "UpdateExpression": "REMOVE n"}},
	{"Put": {"TableName": "access", "Item": {"p": {"S": "a"}}}}]}');
SELECT dynamo.get_item('access', '{"p": {"S": "a"}}');
RESET ROLE;
SELECT dynamo.detach_policy('regress_access_user', 'regress-access-mine');
REVOKE ALL ON dynamo_data.access FROM regress_access_user;

-- What a policy lets make, change and drop: with the rights of whose it is.
SELECT dynamo.put_policy('regress-access', '{"Version": "2012-10-17", "Statement": [
	{"Sid": "Tables", "Effect": "Allow", "Action": ["dynamodb:*Table", "dynamodb:TagResource", "dynamodb:*TimeToLive", "dynamodb:ListTables"], "Resource": "*"}]}');
SELECT dynamo.attach_policy('regress_access_user', 'regress-access');
SET ROLE regress_access_user;
SELECT dynamo.create_table('{"TableName": "access-made", "BillingMode": "PAY_PER_REQUEST", "Tags": [{"Key": "a", "Value": "b"}],
	"StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"},
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}')
	-> 'TableDescription' ->> 'TableStatus';
SELECT current_user;
SELECT relowner = (SELECT extowner FROM pg_extension WHERE extname = 'dynamo') FROM pg_class WHERE oid = 'dynamo_data."access-made"'::regclass;
SELECT dynamo.update_table('{"TableName": "access", "DeletionProtectionEnabled": true}') -> 'TableDescription' ->> 'DeletionProtectionEnabled';
SELECT dynamo.update_time_to_live('{"TableName": "access", "TimeToLiveSpecification": {"AttributeName": "t", "Enabled": true}}') IS NOT NULL;
SELECT dynamo.tag_resource('{"ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/access", "Tags": [{"Key": "k", "Value": "v"}]}');
SELECT relowner::regrole FROM pg_class WHERE oid = 'dynamo_data.access'::regclass;
SELECT dynamo.list_tables('{"ExclusiveStartTableName": "acc", "Limit": 2}');
SELECT dynamo.get_item('access-made', '{"p": {"S": "a"}}');
SELECT dynamo.delete_table('{"TableName": "access-made"}') -> 'TableDescription' ->> 'TableStatus';
SELECT dynamo.delete_table('{"TableName": "access"}');
SELECT current_user;
RESET ROLE;

-- dynamo.explain_access(): of a request, of an action, and of what is asked for in vain.
SELECT dynamo.put_policy('regress-access', '{"Version": "2012-10-17", "Statement": [
	{"Sid": "Mine", "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], "Resource": "arn:aws:dynamodb:*:*:table/access",
	 "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "${aws:username}"}}},
	{"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}]}');
\pset tuples_only off
\pset footer off
SELECT * FROM dynamo.explain_access('regress_access_user', 'GetItem', request => '{"TableName": "access", "Key": {"p": {"S": "regress_access_user"}}}');
SELECT * FROM dynamo.explain_access('regress_access_user', 'GetItem', request => '{"TableName": "access", "Key": {"p": {"S": "a"}}}');
SELECT decision, decided_by, policy, statement, facts FROM dynamo.explain_access('regress_access_user', 'GetItem',
	request => '{"TableName": "access", "Key": {"p": {"S": "regress_access_user"}}}', context => '{"aws:SourceIp": "192.0.2.7"}');
SELECT action, decision, decided_by FROM dynamo.explain_access('regress_access_user', 'TransactWriteItems', request => '{"TransactItems": [
	{"Put": {"TableName": "access", "Item": {"p": {"S": "regress_access_user"}}}}, {"Delete": {"TableName": "access", "Key": {"p": {"S": "a"}}}}]}');
SELECT decision, decided_by, depends_on FROM dynamo.explain_access('regress_access_user', 'dynamodb:Query', 'arn:aws:dynamodb:us-east-1:000000000000:table/access');
SELECT decision, message FROM dynamo.explain_access('regress_access_user', 'dynamodb:Query', 'arn:aws:dynamodb:us-east-1:000000000000:table/access/index/x',
	context => '{"aws:SourceIp": null}');
SELECT decision, decided_by, policy FROM dynamo.explain_access('regress_access_user', 'GetItem', request => '{"TableName": "access", "Key": {"p": {"S": "regress_access_user"}}}',
	session_policy => '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "dynamodb:Query", "Resource": "*"}}');
SELECT decision, decided_by FROM dynamo.explain_access('regress_access_owner', 'GetItem', request => '{"TableName": "access", "Key": {"p": {"S": "a"}}}');
SELECT decision, decided_by FROM dynamo.explain_access(current_user, 'DeleteTable', request => '{"TableName": "access"}');
-- Nothing was done.
SELECT dynamo.get_item('access', '{"p": {"S": "regress_access_user"}}') IS NULL AS untouched, current_user = session_user AS myself;
-- What is wrong with the question.
SELECT * FROM dynamo.explain_access('regress_access_user', 'GetItem', request => '{"TableName": "access"}');
SELECT * FROM dynamo.explain_access('regress_access_user', 'Fly');
SELECT * FROM dynamo.explain_access('regress_access_user', 'Fly', request => '{}');
SELECT * FROM dynamo.explain_access('regress_access_user', 'GetItem', 'x', NULL, '[]');
SELECT * FROM dynamo.explain_access('regress_access_user', 'GetItem', session_policy => '{}');
SELECT * FROM dynamo.explain_access('nobody at all', 'GetItem');
SET ROLE regress_access_user;
SELECT * FROM dynamo.explain_access('regress_access_user', 'GetItem');
RESET ROLE;
\pset tuples_only on

-- While policies are tried out, they refuse nothing that a privilege grants.
SELECT dynamo.put_policy('regress-access', '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "dynamodb:GetItem", "Resource": "*"}]}');
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "mine"}}');
SET dynamo.policy_enforcement = warn;
RESET ROLE;
SET dynamo.policy_enforcement = warn;
SET client_min_messages = log;
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "mine"}}');
RESET ROLE;
GRANT SELECT ON dynamo_data.access TO regress_access_user;
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "mine"}}');
RESET ROLE;
RESET client_min_messages;
RESET dynamo.policy_enforcement;
SET ROLE regress_access_user;
SELECT dynamo.get_item('access', '{"p": {"S": "mine"}}');
RESET ROLE;

SELECT dynamo.detach_policy('regress_access_user', 'regress-access');
SELECT dynamo.delete_policy('regress-access');
SELECT dynamo.delete_policy('regress-access-mine');
SELECT dynamo.update_table('{"TableName": "access", "DeletionProtectionEnabled": false}') IS NULL;
SELECT dynamo.delete_table('{"TableName": "access"}') IS NULL;
SET client_min_messages = warning;
REVOKE CREATE ON SCHEMA dynamo_data FROM regress_access_owner;
DROP OWNED BY regress_access_owner, regress_access_user CASCADE;
DROP ROLE regress_access_owner, regress_access_user;
