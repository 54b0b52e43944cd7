-- Sealed items in SQL: on the way in, where they lie, and on the way out.  Needs a master key: without one there is nothing to see.
SET search_path = public, dynamo;
\pset format unaligned
\pset tuples_only on
SELECT dynamo_internal.first_master_key() IS NULL AS skip \gset
\if :skip
\quit
\endif
CREATE FUNCTION pg_temp.make(name text, encrypted boolean) RETURNS text LANGUAGE sql AS $$
SELECT create_table(json_build_object('TableName', name, 'BillingMode', 'PAY_PER_REQUEST',
	'AttributeDefinitions', '[{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "s", "AttributeType": "N"}, {"AttributeName": "g", "AttributeType": "S"}]'::json,
	'KeySchema', '[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}]'::json,
	'GlobalSecondaryIndexes', '[{"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}]'::json,
	'SSESpecification', json_build_object('Enabled', encrypted))) -> 'TableDescription' -> 'SSEDescription' ->> 'Status' $$;
SELECT pg_temp.make('seal-sealed', true), pg_temp.make('seal-other', true), pg_temp.make('seal-plain', false);
CREATE VIEW t AS SELECT * FROM dynamo_data."seal-sealed";

-- What SQL writes is sealed, by whatever statement; what is not changed keeps its bytes.
INSERT INTO t (item) SELECT format('{"p": {"S": "a"}, "s": {"N": "%s"}, "g": {"S": "g%s"}, "v": {"S": "value %s"}}', i, i % 2, i)::item FROM generate_series(1, 4) i;
\copy dynamo_data."seal-sealed" (item) FROM STDIN
{"p": {"S": "a"}, "s": {"N": "5"}, "v": {"S": "copied"}}
\.
UPDATE t SET item = '{"p": {"S": "a"}, "s": {"N": "1"}, "v": {"S": "updated"}}' WHERE item ->> 's' = '1';
SELECT is_sealed(item), item::text LIKE '{"sealed":"%"}', length(item_send(item)) - 37 - item_size(item) BETWEEN 0 AND 40, item ->> 's', item ->> 'v', index_key_1 IS NOT NULL FROM t ORDER BY sort_key;
CREATE TEMPORARY TABLE before AS SELECT sort_key, item::text FROM t;
UPDATE t SET item = item;
SELECT count(*) FROM t JOIN before USING (sort_key) WHERE t.item::text = before.item;
SELECT verify_table('seal-sealed'), (scan('{"TableName": "seal-sealed"}') ->> 'Count');

-- An update by the operations touches no index.
BEGIN;
SELECT pg_stat_get_xact_tuples_updated(oid) AS updated, pg_stat_get_xact_tuples_hot_updated(oid) AS hot FROM pg_class WHERE relname = 'seal-sealed' \gset
SELECT count(put_item('seal-sealed', format('{"p": {"S": "hot"}, "s": {"N": "1"}, "v": {"N": "%s"}}', i)::item)) FROM generate_series(1, 5) i;
SELECT pg_stat_get_xact_tuples_updated(oid) - :updated, pg_stat_get_xact_tuples_hot_updated(oid) - :hot FROM pg_class WHERE relname = 'seal-sealed';
COMMIT;

-- From one table to another: under the other's key, or none.
INSERT INTO dynamo_data."seal-other" (item) SELECT item FROM t WHERE item ->> 's' = '2';
INSERT INTO dynamo_data."seal-plain" (item) SELECT item FROM t WHERE item ->> 's' = '2';
INSERT INTO dynamo_data."seal-other" (item) SELECT jsonb_set(item::jsonb, '{s,N}', '"7"')::item FROM dynamo_data."seal-plain";
SELECT (SELECT count(DISTINCT substr(item_send(item), 2, 8)) FROM (SELECT item FROM dynamo_data."seal-other" UNION ALL SELECT item FROM t) x),
	(SELECT bool_or(is_sealed(item)) FROM dynamo_data."seal-plain"), verify_table('seal-other'), verify_table('seal-plain');
SELECT get_item('seal-other', '{"p": {"S": "a"}, "s": {"N": "2"}}') = get_item('seal-plain', '{"p": {"S": "a"}, "s": {"N": "2"}}'),
	a.item = b.item, a.item <> b.item, a.item @> b.item, a.item <@ b.item, item_hash(a.item) = item_hash(b.item), item_hash_extended(a.item, 1) = item_hash_extended(b.item, 1)
	FROM dynamo_data."seal-other" a, dynamo_data."seal-plain" b WHERE a.item ->> 's' = '2';

-- A value that was copied stays sealed, and can be opened where it is.
CREATE TABLE seal_copy AS SELECT item FROM t WHERE item ->> 's' = '3';
SELECT is_sealed(item), item ->> 'v' FROM seal_copy;

-- Triggers of one's own see the item, and may change it; a message about a row shows what is stored.
CREATE FUNCTION pg_temp.shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	NEW.item = jsonb_set(NEW.item::jsonb, '{v,S}', to_jsonb(upper(NEW.item ->> 'v')))::item;
	RETURN NEW; END $$;
CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON dynamo_data."seal-sealed" FOR EACH ROW EXECUTE FUNCTION pg_temp.shout();
ALTER TABLE dynamo_data."seal-sealed" ADD CHECK (item ->> 'v' <> 'FORBIDDEN');
INSERT INTO t (item) VALUES ('{"p": {"S": "trigger"}, "s": {"N": "1"}, "v": {"S": "by sql"}}');
SELECT put_item('seal-sealed', '{"p": {"S": "trigger"}, "s": {"N": "2"}, "v": {"S": "by put_item"}}');
SELECT update_item('{"TableName": "seal-sealed", "Key": {"p": {"S": "trigger"}, "s": {"N": "2"}}, "UpdateExpression": "SET v = :v", "ExpressionAttributeValues": {":v": {"S": "by update_item"}}}');
SELECT is_sealed(item), item ->> 'v' FROM t WHERE item ->> 'p' = 'trigger' ORDER BY sort_key;
DO $$
DECLARE detail text;
BEGIN
	PERFORM put_item('seal-sealed', '{"p": {"S": "trigger"}, "s": {"N": "3"}, "v": {"S": "forbidden"}}');
EXCEPTION WHEN check_violation THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RAISE NOTICE 'names the item: %', lower(detail) LIKE '%forbidden%';
	RAISE NOTICE 'shows it sealed: %', detail LIKE '%{"sealed":"%';
END $$;
DROP TRIGGER shout ON dynamo_data."seal-sealed";
ALTER TABLE dynamo_data."seal-sealed" DROP CONSTRAINT "seal-sealed_item_check";

-- ANALYZE opens nothing: it notes sizes alone.
ANALYZE dynamo_data."seal-sealed";
SELECT attname, n_distinct, most_common_vals IS NULL, avg_width > 60 FROM pg_stats WHERE tablename = 'seal-sealed' AND attname = 'item';

-- What is not an item's or a sealed item's text.
\set VERBOSITY terse
SELECT '{"sealed": {"S": "an attribute"}}'::item;
SELECT '{"sealed":"AAAA"}'::item;
SELECT '{"sealed":"!"}'::item;
SELECT '{"sealed":"0iczpXcLuH5VZvcul7bIuzMw5TVphv7BfSd"}'::item;
SELECT '{"sealed":"0gEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=="}'::item IS NOT NULL;
SELECT '{"sealed":"0gEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=="}'::item ->> 'v';
SELECT dynamo_internal.item_from_bytes('\xd2010101010101010101010101010101010101010101010101010101010101010101010101010101');

-- Keys: generations are the table's, and only its owner's to begin.
SELECT rotate_data_key('seal-sealed'), rotate_data_key('seal-sealed');
SELECT rotate_data_key('seal-plain');
SELECT rotate_data_key('seal-absent');
INSERT INTO t (item) VALUES ('{"p": {"S": "late"}, "s": {"N": "1"}}');
SELECT generation FROM data_keys k JOIN tables USING (table_id) WHERE name = 'seal-sealed' ORDER BY generation;
SELECT count(DISTINCT substr(item_send(item), 2, 8)), verify_table('seal-sealed') FROM t;
CREATE ROLE regress_seal;
GRANT SELECT ON dynamo_data."seal-sealed" TO regress_seal;
SET ROLE regress_seal;
SELECT count(item ->> 'p') > 0 FROM dynamo_data."seal-sealed";
SELECT rotate_data_key('seal-sealed');
SELECT rewrap_data_keys();
SELECT count(*) FROM data_keys;
SELECT dynamo_internal.rewrap_data_key(1, 'x');
RESET ROLE;
DROP OWNED BY regress_seal;
DROP ROLE regress_seal;

-- An ordinary role makes and uses an encrypted table without seeing a key.
CREATE ROLE regress_seal;
GRANT CREATE ON SCHEMA dynamo_data TO regress_seal;
SET ROLE regress_seal;
SELECT pg_temp.make('seal-role', true), put_item('seal-role', '{"p": {"S": "a"}, "s": {"N": "1"}, "v": {"S": "x"}}');
SELECT get_item('seal-role', '{"p": {"S": "a"}, "s": {"N": "1"}}') ->> 'v', rotate_data_key('seal-role');
INSERT INTO dynamo_data."seal-role" (item) VALUES ('{"p": {"S": "a"}, "s": {"N": "2"}}');
SELECT update_table('{"TableName": "seal-role", "SSESpecification": {"Enabled": false}}') -> 'TableDescription' -> 'SSEDescription' ->> 'Status';
RESET ROLE;
SELECT table_name, kind, phase FROM stat_jobs WHERE table_name = 'seal-role';
CALL run_jobs();
SELECT sealing, data_key, (SELECT bool_or(is_sealed(item)) FROM dynamo_data."seal-role"), verify_table('seal-role') FROM tables WHERE name = 'seal-role';
SET ROLE regress_seal;
SELECT update_table('{"TableName": "seal-role", "SSESpecification": {"Enabled": true}}') -> 'TableDescription' -> 'SSEDescription' ->> 'Status';
CALL run_jobs();
SELECT sealing, (SELECT bool_and(is_sealed(item)) FROM dynamo_data."seal-role"), verify_table('seal-role') FROM tables WHERE name = 'seal-role';
RESET ROLE;
SELECT delete_table('{"TableName": "seal-role"}') IS NULL;
DROP OWNED BY regress_seal;
DROP ROLE regress_seal;

-- The keys of a table that goes stay, so that copies can be read; without them nothing can.
DROP VIEW t;
SELECT delete_table('{"TableName": "seal-sealed"}') -> 'TableDescription' ->> 'TableStatus', delete_table('{"TableName": "seal-other"}') IS NULL, delete_table('{"TableName": "seal-plain"}') IS NULL;
SELECT item ->> 'v' FROM seal_copy;
SELECT count(*) >= 7 FROM data_keys WHERE dropped > now() - interval '1 minute';
DELETE FROM data_keys WHERE dropped IS NOT NULL;
\set VERBOSITY sqlstate
SELECT item ->> 'v' FROM seal_copy;
SELECT is_sealed(item) FROM seal_copy;
