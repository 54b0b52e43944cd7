-- Background jobs, done here in the session: indexes made and deleted, expired items deleted.
SET search_path = public, dynamo;
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;

SELECT create_table('{"TableName": "jobs", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}') -> 'TableDescription' ->> 'TableName';
CREATE FUNCTION add_index(name text, slot int, attribute text, kind text DEFAULT 'GLOBAL') RETURNS void LANGUAGE sql AS $$
	INSERT INTO dynamo.indexes (table_name, name, kind, slot, partition_keys, partition_types, sort_keys, sort_types,
			projection, non_key_attributes, status, read_units, write_units)
		SELECT 'jobs', name, kind, slot, CASE kind WHEN 'GLOBAL' THEN array[attribute] ELSE '{}' END,
			CASE kind WHEN 'GLOBAL' THEN array['S'] ELSE '{}' END,
			CASE kind WHEN 'GLOBAL' THEN '{}' ELSE array[attribute] END, CASE kind WHEN 'GLOBAL' THEN '{}' ELSE array['N'] END,
			'ALL', '{}', 'CREATING', 0, 0 $$;
-- What is in the slot but not what a new version of the item would have there.
CREATE FUNCTION wrong(slot text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
	CREATE TEMP TABLE before AS SELECT partition_key, to_jsonb(t) ->> slot AS entry FROM dynamo_data.jobs t;
	UPDATE dynamo_data.jobs SET item = item;
	SELECT count(*) INTO n FROM before b JOIN dynamo_data.jobs t USING (partition_key) WHERE to_jsonb(t) ->> slot IS DISTINCT FROM entry;
	DROP TABLE before;
	RETURN n;
END $$;

-- Items of all sizes; some have no g, some one the index can't take.
INSERT INTO dynamo_data.jobs (item) SELECT format('{"p": {"S": "%s"}, "g": {"S": "g%s"}, "v": {"S": "%s"}}',
		i, i % 7, repeat(md5(i::text), (i % 10) * (i % 10) * 10 / 3))::item FROM generate_series(1, 300) i;
INSERT INTO dynamo_data.jobs (item) SELECT format('{"p": {"S": "none %s"}}', i)::item FROM generate_series(1, 20) i;
INSERT INTO dynamo_data.jobs (item) VALUES ('{"p": {"S": "number"}, "g": {"N": "1"}}'), ('{"p": {"S": "empty"}, "g": {"S": ""}}');
INSERT INTO dynamo_data.jobs (item) SELECT format('{"p": {"S": "long"}, "g": {"S": "%s"}}', repeat('x', 3000))::item;
INSERT INTO dynamo_data.jobs (item) SELECT format('{"p": {"S": "in toast"}, "g": {"S": "x"}, "v": {"S": "%s"}}',
	string_agg(md5(i::text), ''))::item FROM generate_series(1, 3000) i;

SELECT add_index('by-g', 1, 'g');
SELECT table_name, index_name, phase FROM stat_jobs;
CALL run_jobs();
SELECT name, status, backfilling, blocks_done = blocks_total AND blocks_total > 0 FROM indexes;
SELECT count(*), count(index_key_1), count(DISTINCT substr(index_key_1, 1, 8)) FROM dynamo_data.jobs;
SELECT heap_tuples FROM verify_index('dynamo_data.jobs_index_key_1_idx');
DELETE FROM dynamo_data.jobs WHERE item ->> 'p' IN ('number', 'empty', 'long');
SELECT wrong('index_key_1');

-- The next index in the slot finds the bytes of this one, and of no other.
UPDATE indexes SET status = 'DELETING';
SELECT phase FROM stat_jobs;
CALL run_jobs();
SELECT count(*) FROM indexes;
SELECT count(index_key_1) > 0 FROM dynamo_data.jobs;
SELECT add_index('by-p', 1, 'p'), add_index('sparse', 2, 'absent');
CALL run_jobs();
SELECT count(index_key_1), count(index_key_2) FROM dynamo_data.jobs;
SELECT a.heap_tuples, b.heap_tuples FROM verify_index('dynamo_data.jobs_index_key_1_idx') a, verify_index('dynamo_data.jobs_index_key_2_idx') b;
SELECT wrong('index_key_1'), wrong('index_key_2');

-- What a crash leaves behind: an unfinished index of PostgreSQL's; or a finished one that the catalog does not know of.
SELECT add_index('again', 3, 'g');
CREATE INDEX half ON dynamo_data.jobs USING dynamo_key (index_key_3) WHERE index_key_3 IS NOT NULL;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'dynamo_data.half'::regclass;
CALL run_jobs();
SELECT to_regclass('dynamo_data.half'), heap_tuples FROM verify_index('dynamo_data.jobs_index_key_3_idx');
UPDATE indexes SET status = 'CREATING', backfilling = true WHERE name = 'again';
CALL run_jobs();
SELECT count(*) FROM pg_index WHERE indrelid = 'dynamo_data.jobs'::regclass AND indkey[0] = 7;

-- An index that is to be deleted before it was made.
SELECT add_index('never', 4, 'g');
UPDATE indexes SET status = 'DELETING' WHERE name = 'never';
CALL run_jobs();
SELECT name, status FROM indexes ORDER BY 1;

-- Time to live: what has expired goes, but not what is no time, or too long ago to be one.
DELETE FROM dynamo_data.jobs;
SELECT add_index('time to live', 26, 't', 'TIME_TO_LIVE');
CREATE FUNCTION ago(seconds numeric) RETURNS text LANGUAGE sql AS 'SELECT (floor(extract(epoch FROM now())) - seconds)::text';
INSERT INTO dynamo_data.jobs (item) SELECT format('{"p": {"S": "%s"}, "t": %s}', p, t)::item FROM (VALUES
	('now + 1000 stays', format('{"N": "%s"}', ago(-1000))), ('ago 1', format('{"N": "%s"}', ago(1))),
	('ago 1.5', format('{"N": "%s"}', ago(1.5))), ('exponent', format('{"N": "%se-3"}', ago(1) || '000')),
	('4 years', format('{"N": "%s"}', ago(4 * 365 * 86400))), ('5 years stays', format('{"N": "%s"}', ago(5 * 365 * 86400 + 10))),
	('milliseconds stay', format('{"N": "%s000"}', ago(1))), ('string stays', format('{"S": "%s"}', ago(1))),
	('set stays', format('{"NS": ["%s"]}', ago(1))), ('negative stays', '{"N": "-1"}'), ('zero stays', '{"N": "0"}')) v(p, t);
INSERT INTO dynamo_data.jobs (item) VALUES ('{"p": {"S": "without stays"}}');
-- More than a batch at one time.
INSERT INTO dynamo_data.jobs (item) SELECT format('{"p": {"S": "many %s"}, "t": {"N": "%s"}}', i, ago(100))::item FROM generate_series(1, 250) i;
SELECT count(*) FROM dynamo_data.jobs;
CALL run_jobs();
SELECT item ->> 'p' FROM dynamo_data.jobs ORDER BY 1;
SELECT status FROM indexes WHERE kind = 'TIME_TO_LIVE';

-- By itself only.
\set VERBOSITY terse
BEGIN;
CALL run_jobs();
ROLLBACK;
DO 'BEGIN CALL dynamo.run_jobs(); END';

-- Only the tables of the caller.
SELECT add_index('not mine', 5, 'g');
CREATE ROLE regress_jobs;
GRANT USAGE ON SCHEMA dynamo TO regress_jobs;
SET ROLE regress_jobs;
CALL run_jobs();
RESET ROLE;
SELECT status FROM indexes WHERE name = 'not mine';
REVOKE USAGE ON SCHEMA dynamo FROM regress_jobs;
DROP ROLE regress_jobs;

-- Not DeleteTable: one of the indexes is about to be filled.
DROP TABLE dynamo_data.jobs;
DROP FUNCTION add_index, wrong, ago;
