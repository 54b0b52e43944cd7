-- The trigger that keeps the key columns right for plain SQL.
SET search_path = public, dynamo;
\pset format unaligned
\pset tuples_only on
SELECT create_table('{"TableName": "table-trigger", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "s", "AttributeType": "N"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}]}')
	-> 'TableDescription' ->> 'TableStatus';
CREATE VIEW t AS SELECT * FROM dynamo_data."table-trigger";

-- The key columns follow from the item, whatever is given for them.
INSERT INTO t (item) VALUES ('{"p": {"S": "a"}, "s": {"N": "1"}}');
INSERT INTO t VALUES (7, 'wrong', 'wrong', '{"p": {"S": "a"}, "s": {"N": "2"}}');
UPDATE t SET hash = 0, partition_key = '', sort_key = '' WHERE item ->> 's' = '1';
SELECT hash = dynamo_internal.key_hash('{"S": "a"}'), partition_key, sort_key, item FROM t ORDER BY sort_key;
SELECT get_item('table-trigger', '{"p": {"S": "a"}, "s": {"N": "1"}}');

-- An item may be moved to another key, but not onto another item.
UPDATE t SET item = '{"p": {"S": "b"}, "s": {"N": "1"}}' WHERE item ->> 's' = '1';
SELECT get_item('table-trigger', '{"p": {"S": "a"}, "s": {"N": "1"}}') IS NULL, get_item('table-trigger', '{"p": {"S": "b"}, "s": {"N": "1"}}');
UPDATE t SET item = '{"p": {"S": "b"}, "s": {"N": "1"}}' WHERE item ->> 's' = '2';
INSERT INTO t (item) VALUES ('{"p": {"S": "b"}, "s": {"N": "1"}}');

-- An item must be one that PutItem would take.
INSERT INTO t (item) VALUES ('{"p": {"S": "a"}}');
INSERT INTO t (item) VALUES ('{"p": {"S": "a"}, "s": {"S": "1"}}');
INSERT INTO t (item) VALUES ('{"p": {"S": ""}, "s": {"N": "1"}}');
INSERT INTO t (item) VALUES (NULL);
INSERT INTO t (item) SELECT json_build_object('p', json_build_object('S', repeat('x', 2049)), 's', '{"N": "1"}'::json)::dynamo.item;
INSERT INTO t (item) SELECT json_build_object('p', '{"S": "a"}'::json, 's', '{"N": "1"}'::json,
	'd', json_build_object('S', repeat('x', 409595)))::dynamo.item;
INSERT INTO t (item) SELECT json_build_object('p', '{"S": "a"}'::json, 's', '{"N": "1"}'::json,
	'd', json_build_object('S', repeat('x', 409594)))::dynamo.item;
SELECT item_size(get_item('table-trigger', '{"p": {"S": "a"}, "s": {"N": "1"}}'));

-- It comes after triggers of one's own, which may change the item.
CREATE FUNCTION pg_temp.upper_key() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	NEW.item = json_build_object('p', json_build_object('S', upper(NEW.item ->> 'p')), 's', NEW.item -> 's')::dynamo.item;
	RETURN NEW; END $$;
CREATE TRIGGER upper_key BEFORE INSERT ON dynamo_data."table-trigger" FOR EACH ROW EXECUTE FUNCTION pg_temp.upper_key();
INSERT INTO t (item) VALUES ('{"p": {"S": "low"}, "s": {"N": "1"}}');
SELECT get_item('table-trigger', '{"p": {"S": "LOW"}, "s": {"N": "1"}}');

-- It belongs to tables only.
CREATE TABLE other (LIKE dynamo_data."table-trigger");
CREATE TRIGGER k BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION set_key_columns();
INSERT INTO other (item) VALUES ('{"p": {"S": "a"}}');
DROP TABLE other;
SELECT verify_index('dynamo_data."table-trigger_hash_partition_key_sort_key_idx"');
DROP VIEW t;
DROP TABLE dynamo_data."table-trigger";
