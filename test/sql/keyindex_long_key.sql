-- Keys of the longest legal size, of bytes that don't compress, in an index whose
-- pages have no room for them: partition_ops keeps a short form.
SET search_path = dynamo, public;
CREATE SCHEMA keyindex_long_key;
CREATE FUNCTION keyindex_long_key.bytes(n int, seed text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(substr(string_agg(sha256((seed || i)::bytea), '' ORDER BY i), 1, n), '') FROM generate_series(0, n / 32) i $$;
CREATE TABLE keyindex_long_key.t (id int, hash int8 NOT NULL, partition bytea NOT NULL, sort bytea);
CREATE UNIQUE INDEX t_key ON keyindex_long_key.t USING dynamo_key (hash, partition partition_ops, sort);
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'partition_ops';

-- The longest pair, and every size around the limits; 40 bytes and more of the start are the same.
INSERT INTO keyindex_long_key.t VALUES (0, 1, keyindex_long_key.bytes(2048, 'p'), keyindex_long_key.bytes(1024, 's'));
INSERT INTO keyindex_long_key.t
	SELECT n, 1, keyindex_long_key.bytes(n, 'q'), 's' FROM unnest('{1,40,1567,1568,1569,1570,1599,1600,1601,1632,2047,2048}'::int[]) n;
-- Values that differ in the last byte only.
INSERT INTO keyindex_long_key.t
	SELECT 10000 + b, 1, set_byte(keyindex_long_key.bytes(2048, 'q'), 2047, b), 's' FROM generate_series(0, 9) b;
-- One that is, byte for byte, the short form of another.
INSERT INTO keyindex_long_key.t
	VALUES (3000, 1, dynamo_internal.shorten_key(keyindex_long_key.bytes(2048, 'q')), 's');
SELECT length(partition) FROM keyindex_long_key.t WHERE id = 3000;
SELECT * FROM verify_index('keyindex_long_key.t_key');

-- Unique means the whole value.
\set VERBOSITY terse
INSERT INTO keyindex_long_key.t SELECT -1, 1, keyindex_long_key.bytes(2048, 'q'), 's';
INSERT INTO keyindex_long_key.t SELECT -1, 1, keyindex_long_key.bytes(1600, 'q'), 's';
INSERT INTO keyindex_long_key.t SELECT -1, 1, dynamo_internal.shorten_key(keyindex_long_key.bytes(2048, 'q')), 's';
\set VERBOSITY default

-- Each row is found by its own key; each condition gives what a sequential scan gives.
CREATE FUNCTION keyindex_long_key.differences() RETURNS TABLE (condition text, size int, by_index bigint[], by_hand bigint[])
LANGUAGE plpgsql AS $$
DECLARE
	v bytea;
BEGIN
	FOR v, size IN SELECT partition, length(partition) FROM keyindex_long_key.t
		UNION ALL SELECT keyindex_long_key.bytes(n, 'q') || '\x00', n + 1 FROM unnest('{0,1566,1567,1568,1569,1598,1599,1600,2040}'::int[]) n
	LOOP
		FOREACH condition IN ARRAY '{partition = $1,partition < $1,partition <= $1,partition > $1,partition >= $1,partition ^@ $1,
			"partition = ANY (ARRAY[$1, NULL, ''\\x71''])","partition > ANY (ARRAY[$1])","partition ^@ ANY (ARRAY[$1])",partition IS NULL,
			partition > $1 AND partition IS NOT NULL}'::text[]
		LOOP
			PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'on', true);
			EXECUTE 'SELECT array_agg(id ORDER BY id) FROM keyindex_long_key.t WHERE hash = 1 AND ' || condition INTO by_index USING v;
			PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_indexscan', 'off', true);
			EXECUTE 'SELECT array_agg(id ORDER BY id) FROM keyindex_long_key.t WHERE hash + 0 = 1 AND ' || condition INTO by_hand USING v;
			IF by_index IS DISTINCT FROM by_hand THEN RETURN NEXT; END IF;
		END LOOP;
	END LOOP;
END $$;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM keyindex_long_key.t WHERE hash = 1 AND partition = 'x' AND sort ^@ 's' ORDER BY sort;
SELECT * FROM keyindex_long_key.differences();
SET enable_bitmapscan = on;
SELECT * FROM keyindex_long_key.differences();
SELECT count(*) FROM keyindex_long_key.t;

-- No index-only scan of the column: a short form is not the value.
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT partition FROM keyindex_long_key.t WHERE hash = 1;
EXPLAIN (COSTS OFF) SELECT hash, sort FROM keyindex_long_key.t WHERE hash = 1;

RESET enable_bitmapscan;

-- A build makes the same forms as insertion, from columns and from expressions.
REINDEX INDEX keyindex_long_key.t_key;
SELECT heap_tuples FROM verify_index('keyindex_long_key.t_key');
SELECT * FROM keyindex_long_key.differences();
REINDEX INDEX CONCURRENTLY keyindex_long_key.t_key;
SELECT heap_tuples FROM verify_index('keyindex_long_key.t_key');
CREATE INDEX t_expression ON keyindex_long_key.t USING dynamo_key ((id::int8), (partition || sort) partition_ops, (hash + 1), sort);
INSERT INTO keyindex_long_key.t VALUES (-2, 2, keyindex_long_key.bytes(2000, 'z'), 's');
SELECT heap_tuples FROM verify_index('keyindex_long_key.t_expression');
SELECT id FROM keyindex_long_key.t WHERE id::int8 = -2 AND partition || sort = keyindex_long_key.bytes(2000, 'z') || 's';

-- The default class does not shorten: nbtree's limit is told.
\set VERBOSITY sqlstate
CREATE INDEX t_default ON keyindex_long_key.t USING dynamo_key (hash, partition, sort);
SET client_min_messages = warning;
DROP SCHEMA keyindex_long_key CASCADE;
