-- Writing items: transactions, HOT, TOAST, and relations that have more than what we gave them.
SET search_path = public, dynamo;
\pset format unaligned
\pset tuples_only on
SELECT create_table('{"TableName": "store-write", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}')
	-> 'TableDescription' ->> 'TableStatus';
CREATE FUNCTION pg_temp.put(key text, n int, filler int DEFAULT 0) RETURNS dynamo.item LANGUAGE sql AS $$
	SELECT dynamo.put_item('store-write', json_build_object('p', json_build_object('S', key), 'n', json_build_object('N', n::text),
		'f', json_build_object('S', repeat('x', filler)))::dynamo.item)
$$;
CREATE FUNCTION pg_temp.get(key text) RETURNS text LANGUAGE sql AS $$
	SELECT dynamo.get_item('store-write', json_build_object('p', json_build_object('S', key))::dynamo.item) ->> 'n'
$$;
CREATE FUNCTION pg_temp.del(key text) RETURNS text LANGUAGE sql AS $$
	SELECT dynamo.delete_item('store-write', json_build_object('p', json_build_object('S', key))::dynamo.item) ->> 'n'
$$;

-- A transaction sees its own writes, one after the other.
BEGIN;
SELECT pg_temp.put('a', 1), pg_temp.get('a'), pg_temp.put('a', 2) ->> 'n', pg_temp.get('a'), pg_temp.del('a'), pg_temp.get('a'), pg_temp.del('a');
SELECT pg_temp.put('a', 3), pg_temp.put('b', 1);
SELECT item ->> 'n' FROM dynamo_data."store-write" ORDER BY partition_key;
SAVEPOINT s;
SELECT pg_temp.put('a', 4) ->> 'n', pg_temp.del('b'), pg_temp.put('c', 1);
ROLLBACK TO s;
SELECT pg_temp.get('a'), pg_temp.get('b'), pg_temp.get('c');
SELECT pg_temp.put('c', 2), pg_temp.del('b');
COMMIT;
SELECT pg_temp.get('a'), pg_temp.get('b'), pg_temp.get('c');
BEGIN;
SELECT pg_temp.del('a'), pg_temp.put('d', 1);
ROLLBACK;
SELECT pg_temp.get('a'), pg_temp.get('d');
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT pg_temp.put('a', 5) ->> 'n', pg_temp.get('a'), pg_temp.put('e', 1), pg_temp.del('e'), pg_temp.put('e', 2), pg_temp.get('e');
COMMIT;
BEGIN READ ONLY;
SELECT pg_temp.get('a');
SELECT pg_temp.put('a', 6);
ROLLBACK;

-- Each write counts once, a replacement is a HOT update and adds to no index.
BEGIN;
SELECT n_tup_ins AS i, n_tup_upd AS u, n_tup_hot_upd AS h, n_tup_del AS d FROM pg_stat_xact_user_tables WHERE relname = 'store-write' \gset
SELECT pg_temp.put('a', 6) ->> 'n', pg_temp.put('a', 7) ->> 'n', pg_temp.del('c'), pg_temp.put('f', 1);
SELECT n_tup_ins - :i, n_tup_upd - :u, n_tup_hot_upd - :h, n_tup_del - :d FROM pg_stat_xact_user_tables WHERE relname = 'store-write';
COMMIT;

-- Items of every size, in the page, compressed and beside it; replaced by others.
SELECT count(pg_temp.put('size' || s, s, s)), count(pg_temp.put('size' || s, s, 409500 - s)), count(pg_temp.put('size' || s, -s, s))
	FROM unnest(ARRAY[0, 100, 2000, 8000, 8200, 100000, 400000]) s;
SELECT s, pg_temp.get('size' || s) = (-s)::text, item_size(get_item('store-write', json_build_object('p', json_build_object('S', 'size' || s))::item))
	FROM unnest(ARRAY[0, 100, 2000, 8000, 8200, 100000, 400000]) s;

-- More than fits one page, and non-HOT updates: the index stays right.
SELECT count(pg_temp.put('many' || n, n, 700)) FROM generate_series(1, 500) n;
SELECT count(pg_temp.put('many' || n, n + 1, 1500)) FROM generate_series(1, 500) n;
SELECT count(pg_temp.del('many' || n)) FROM generate_series(1, 500, 2) n;
SELECT count(pg_temp.put('many' || n, n)) FROM generate_series(1, 500, 3) n;
SELECT count(*), sum(pg_temp.get('many' || n)::int) FROM generate_series(1, 500) n WHERE pg_temp.get('many' || n) IS NOT NULL;
SELECT heap_tuples FROM verify_index('dynamo_data."store-write_hash_partition_key_idx"');

-- The relation is the user's: triggers, columns, constraints, indexes are honoured.
CREATE TABLE log (at serial, what text, old text, new text);
CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	INSERT INTO public.log (what, old, new) VALUES (TG_WHEN || ' ' || TG_OP,
		CASE WHEN TG_OP <> 'INSERT' THEN OLD.item ->> 'n' END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.item ->> 'n' END);
	IF TG_WHEN = 'BEFORE' AND TG_OP = 'DELETE' THEN RETURN OLD; END IF;
	RETURN NEW; END $$;
CREATE TRIGGER before_log BEFORE INSERT OR UPDATE OR DELETE ON dynamo_data."store-write" FOR EACH ROW EXECUTE FUNCTION log_it();
CREATE TRIGGER after_log AFTER INSERT OR UPDATE OR DELETE ON dynamo_data."store-write" FOR EACH ROW EXECUTE FUNCTION log_it();
ALTER TABLE dynamo_data."store-write" ADD COLUMN n text GENERATED ALWAYS AS (item OPERATOR(dynamo.->>) 'n') STORED,
	ADD CONSTRAINT positive CHECK (item OPERATOR(dynamo.->>) 'n' <> '-1');
CREATE INDEX ON dynamo_data."store-write" (n);
SELECT pg_temp.put('t', 1);
SELECT pg_temp.put('t', 2) ->> 'n', pg_temp.get('t'), pg_temp.del('t');
SELECT what, old, new FROM log ORDER BY at;
SELECT pg_temp.put('t', -1);
SELECT pg_temp.put('a', -1);
SELECT pg_temp.get('a'), pg_temp.get('t');
SET enable_seqscan = off;
SELECT pg_temp.put('a', 4711) ->> 'n';
SELECT partition_key FROM dynamo_data."store-write" WHERE n = '4711';
RESET enable_seqscan;
CREATE UNIQUE INDEX one_n ON dynamo_data."store-write" (n) WHERE n > '9999';
SELECT pg_temp.put('u1', 99991);
SELECT pg_temp.put('u2', 99991);
SELECT pg_temp.put('a', 99991);
SELECT pg_temp.get('u2'), pg_temp.get('a');

-- A BEFORE trigger may drop a write.
CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER skip BEFORE INSERT OR UPDATE OR DELETE ON dynamo_data."store-write" FOR EACH ROW EXECUTE FUNCTION skip();
SELECT pg_temp.put('skipped', 1), pg_temp.get('skipped'), pg_temp.put('a', 1) ->> 'n', pg_temp.get('a'), pg_temp.del('a'), pg_temp.get('a');
SELECT index_tuples >= heap_tuples FROM verify_index('dynamo_data."store-write_hash_partition_key_idx"');
DROP TABLE dynamo_data."store-write", log;
DROP FUNCTION log_it(), skip();
