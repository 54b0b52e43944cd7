-- Transactions within SQL's: savepoints, errors, tokens.  Their rules are in
-- test/api/test_transact_write_items.py.
SET search_path = public, dynamo;
SELECT dynamo.create_table('{"TableName": "transact", "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}') \g /dev/null

-- Relational rows and items of several calls commit together.
CREATE TABLE ledger (item text, n int);
BEGIN;
INSERT INTO ledger VALUES ('a', 1);
SELECT dynamo.transact_write_items('{"TransactItems": [
    {"Put": {"TableName": "transact", "Item": {"p": {"S": "a"}, "n": {"N": "1"}}}},
    {"Put": {"TableName": "transact", "Item": {"p": {"S": "b"}, "n": {"N": "1"}}}}]}');
SELECT dynamo.put_item('transact', '{"p": {"S": "c"}}');
COMMIT;
SELECT * FROM ledger;
SELECT item FROM dynamo.scan('transact', NULL) item ORDER BY item->>'p';

-- They roll back together, too, and a savepoint is rolled back to.
BEGIN;
INSERT INTO ledger VALUES ('b', 2);
SAVEPOINT s;
SELECT dynamo.transact_write_items('{"TransactItems": [
    {"Delete": {"TableName": "transact", "Key": {"p": {"S": "a"}}}},
    {"Update": {"TableName": "transact", "Key": {"p": {"S": "b"}}, "UpdateExpression": "SET n = n + n"}},
    {"Put": {"TableName": "transact", "Item": {"p": {"S": "d"}}}}]}');
ROLLBACK TO s;
SELECT dynamo.transact_get_items('{"TransactItems": [{"Get": {"TableName": "transact", "Key": {"p": {"S": "a"}}}},
    {"Get": {"TableName": "transact", "Key": {"p": {"S": "d"}}}}]}');
-- What was locked and rolled back can be locked again.
SELECT dynamo.transact_write_items('{"TransactItems": [
    {"Update": {"TableName": "transact", "Key": {"p": {"S": "b"}}, "UpdateExpression": "SET n = n + n"}},
    {"Put": {"TableName": "transact", "Item": {"p": {"S": "d"}}}}]}');
ROLLBACK;
SELECT count(*) FROM ledger;
SELECT item FROM dynamo.scan('transact', NULL) item ORDER BY item->>'p';

-- A cancelled transaction aborts SQL's; the reasons are its detail.
BEGIN;
SELECT dynamo.put_item('transact', '{"p": {"S": "e"}}');
SAVEPOINT s;
SELECT dynamo.transact_write_items('{"TransactItems": [
    {"Put": {"TableName": "transact", "Item": {"p": {"S": "f"}}}},
    {"ConditionCheck": {"TableName": "transact", "Key": {"p": {"S": "a"}}, "ConditionExpression": "n > p",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}]}');
SELECT 1;
ROLLBACK TO s;
SELECT dynamo.delete_item('transact', '{"p": {"S": "e"}}');
COMMIT;
\set VERBOSITY sqlstate
SELECT dynamo.transact_write_items('{"TransactItems": [
    {"Update": {"TableName": "transact", "Key": {"p": {"S": "f"}}, "UpdateExpression": "SET n = n + n"}}]}');
SELECT dynamo.transact_get_items('{"TransactItems": [{"Get": {"TableName": "transact", "Key": {"p": {"N": "1"}}}}]}');
\set VERBOSITY default

-- An item that the same transaction has just written, checked, or made and
-- taken away.
BEGIN;
SELECT dynamo.put_item('transact', '{"p": {"S": "g"}}');
SELECT dynamo.transact_write_items('{"TransactItems": [
    {"ConditionCheck": {"TableName": "transact", "Key": {"p": {"S": "g"}}, "ConditionExpression": "attribute_exists(p)"}},
    {"ConditionCheck": {"TableName": "transact", "Key": {"p": {"S": "h"}}, "ConditionExpression": "attribute_not_exists(p)"}}]}');
SELECT dynamo.transact_write_items('{"TransactItems": [
    {"Delete": {"TableName": "transact", "Key": {"p": {"S": "g"}}}},
    {"Put": {"TableName": "transact", "Item": {"p": {"S": "h"}}}}]}');
SELECT dynamo.transact_write_items('{"TransactItems": [
    {"ConditionCheck": {"TableName": "transact", "Key": {"p": {"S": "g"}}, "ConditionExpression": "attribute_not_exists(p)"}},
    {"Delete": {"TableName": "transact", "Key": {"p": {"S": "h"}}}}]}');
COMMIT;

-- A token belongs to the transaction that it came with.
BEGIN;
SELECT dynamo.transact_write_items('{"ClientRequestToken": "t", "TransactItems": [
    {"Update": {"TableName": "transact", "Key": {"p": {"S": "i"}}, "UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}}]}');
ROLLBACK;
BEGIN;
SELECT dynamo.transact_write_items('{"ClientRequestToken": "t", "TransactItems": [
    {"Update": {"TableName": "transact", "Key": {"p": {"S": "i"}}, "UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": "2"}}}}]}');
SELECT dynamo.transact_write_items('{"ClientRequestToken": "t", "TransactItems": [
    {"Update": {"TableName": "transact", "Key": {"p": {"S": "i"}}, "UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": "2"}}}}]}');
COMMIT;
SELECT dynamo.transact_write_items('{"ClientRequestToken": "t", "TransactItems": [
    {"Update": {"TableName": "transact", "Key": {"p": {"S": "i"}}, "UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": "3"}}}}]}');
SELECT dynamo.get_item('transact', '{"p": {"S": "i"}}');

-- Each role has tokens of its own, and none can read the others'.
CREATE ROLE regress_transact;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA dynamo_data TO regress_transact;
SET ROLE regress_transact;
SELECT dynamo.transact_write_items('{"ClientRequestToken": "t", "TransactItems": [
    {"Delete": {"TableName": "transact", "Key": {"p": {"S": "i"}}}}]}');
SELECT * FROM dynamo_internal.request_tokens;
RESET ROLE;
REVOKE ALL ON ALL TABLES IN SCHEMA dynamo_data FROM regress_transact;
SET ROLE regress_transact;
SELECT dynamo.transact_write_items('{"TransactItems": [
    {"ConditionCheck": {"TableName": "transact", "Key": {"p": {"S": "a"}}, "ConditionExpression": "attribute_exists(p)"}}]}');
RESET ROLE;
DROP ROLE regress_transact;

-- Triggers and constraints of the relation see what is written; their errors
-- undo all of it.
DO $$ BEGIN
    EXECUTE format('ALTER TABLE %s ADD CHECK (item->>''n'' IS DISTINCT FROM ''13'')',
                   (SELECT relation FROM dynamo.tables WHERE name = 'transact'));
END $$;
\set VERBOSITY sqlstate
SELECT dynamo.transact_write_items('{"TransactItems": [
    {"Put": {"TableName": "transact", "Item": {"p": {"S": "x"}, "n": {"N": "12"}}}},
    {"Put": {"TableName": "transact", "Item": {"p": {"S": "y"}, "n": {"N": "13"}}}}]}');
\set VERBOSITY default
SELECT dynamo.transact_write_items('{"TransactItems": [
    {"Put": {"TableName": "transact", "Item": {"p": {"S": "x"}, "n": {"N": "12"}}}},
    {"Delete": {"TableName": "transact", "Key": {"p": {"S": "a"}}}},
    {"Update": {"TableName": "transact", "Key": {"p": {"S": "b"}}, "UpdateExpression": "SET n = n + n"}}]}');
SELECT item FROM dynamo.scan('transact', NULL) item ORDER BY item->>'p';

-- Nothing is written in a read-only transaction.
BEGIN READ ONLY;
SELECT dynamo.transact_get_items('{"TransactItems": [{"Get": {"TableName": "transact", "Key": {"p": {"S": "x"}}}}]}');
SELECT dynamo.transact_write_items('{"TransactItems": [{"Delete": {"TableName": "transact", "Key": {"p": {"S": "x"}}}}]}');
ROLLBACK;

DROP TABLE ledger;
SELECT dynamo.delete_table('{"TableName": "transact"}') \g /dev/null
