-- What the planner makes of a dynamo_key index over (hash, partition, sort).
SET search_path = dynamo, public;
CREATE SCHEMA keyindex_plan;
CREATE TABLE keyindex_plan.t (hash int8 NOT NULL, partition bytea NOT NULL, sort bytea, filler text);
INSERT INTO keyindex_plan.t
	SELECT p * 1000003, ('p' || p)::bytea, ('s' || to_char(s, 'FM000'))::bytea, repeat('x', 50)
	FROM generate_series(1, 50) p, generate_series(1, 100) s;
CREATE UNIQUE INDEX t_key ON keyindex_plan.t USING dynamo_key (hash, partition, sort);
VACUUM ANALYZE keyindex_plan.t;
SET enable_bitmapscan = off;

-- Partition equality (an int4 literal) and a sort range, in both directions.
EXPLAIN (COSTS OFF) SELECT filler FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort > 's003' AND sort <= 's006' ORDER BY sort;
SELECT convert_from(sort, 'UTF8') FROM (SELECT sort, filler FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort > 's003' AND sort <= 's006' ORDER BY sort) x;
EXPLAIN (COSTS OFF) SELECT filler FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' ORDER BY sort DESC LIMIT 3;
SELECT convert_from(sort, 'UTF8') FROM (SELECT sort, filler FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' ORDER BY sort DESC LIMIT 3) x;

-- A range of the hash space, one segment of a parallel Scan.
EXPLAIN (COSTS OFF) SELECT filler FROM keyindex_plan.t
	WHERE hash BETWEEN 3000009 AND 4000012 ORDER BY hash, partition, sort;
SELECT hash, count(*) FROM keyindex_plan.t WHERE hash BETWEEN 3000009 AND 4000012 GROUP BY 1 ORDER BY 1;

-- An index-only scan.
EXPLAIN (COSTS OFF) SELECT sort FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort < 's003';
SELECT convert_from(sort, 'UTF8') FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort < 's003' ORDER BY 1;

-- begins_with as operator and as function.
EXPLAIN (COSTS OFF) SELECT filler FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort ^@ 's09' ORDER BY sort DESC;
SELECT convert_from(sort, 'UTF8') FROM (SELECT sort, filler FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort ^@ 's09' ORDER BY sort DESC) x;
EXPLAIN (COSTS OFF) SELECT filler FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND begins_with(sort, 's10');
SELECT convert_from(sort, 'UTF8'), filler = repeat('x', 50) FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND begins_with(sort, 's10');

-- Both bounds of begins_with beside a range of the same column.
SELECT convert_from(sort, 'UTF8') FROM (SELECT sort, filler FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort ^@ 's0' AND sort >= 's098' AND sort < 's1' ORDER BY sort) x;

-- Equality with any of several, and any of several prefixes.
SELECT count(*), count(filler) FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort = ANY ('{s001,s099,nothing}'::bytea[]);
SELECT string_agg(convert_from(sort, 'UTF8'), ' ' ORDER BY sort), count(filler) FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort ^@ ANY ('{s100,NULL,s00}'::bytea[]);
SELECT count(filler) FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort ^@ ANY ('{NULL}'::bytea[]);
SELECT count(filler) FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort ^@ ANY ('{s100,""}'::bytea[]);

-- The same in bitmap scans.
SET enable_bitmapscan = on;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT count(filler) FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort ^@ 's09';
SELECT count(filler) FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort ^@ 's09';
SELECT count(filler) FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort ^@ ANY ('{s100,NULL,s00}'::bytea[]);
RESET enable_indexscan;
RESET enable_indexonlyscan;
SET enable_bitmapscan = off;

-- A prefix from the other side of a join: parameterised rescans, among them NULL.
CREATE TABLE keyindex_plan.prefixes (id int, prefix bytea);
INSERT INTO keyindex_plan.prefixes VALUES (1, 's00'), (2, NULL), (3, 's1'), (4, 'nothing'), (5, 's09');
SET enable_seqscan = on;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SET enable_memoize = off;
EXPLAIN (COSTS OFF) SELECT id, count(filler) FROM keyindex_plan.prefixes
	LEFT JOIN keyindex_plan.t ON hash = 7000021 AND partition = 'p7' AND sort ^@ prefix GROUP BY id ORDER BY id;
SELECT id, count(filler) FROM keyindex_plan.prefixes
	LEFT JOIN keyindex_plan.t ON hash = 7000021 AND partition = 'p7' AND sort ^@ prefix GROUP BY id ORDER BY id;

-- A merge join marks and restores the inner scan, here in the middle of begins_with.
RESET enable_mergejoin;
SET enable_nestloop = off;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT count(*), count(DISTINCT a.sort) FROM
	(SELECT hash, sort, filler FROM keyindex_plan.t WHERE hash < 5000000 AND sort ^@ 's0') a
	JOIN (SELECT hash, partition, sort, filler FROM keyindex_plan.t WHERE hash < 5000000 AND sort ^@ 's09') b USING (hash)
	WHERE a.filler = b.filler;
SELECT count(*), count(DISTINCT a.sort) FROM
	(SELECT hash, sort, filler FROM keyindex_plan.t WHERE hash < 5000000 AND sort ^@ 's0') a
	JOIN (SELECT hash, partition, sort, filler FROM keyindex_plan.t WHERE hash < 5000000 AND sort ^@ 's09') b USING (hash)
	WHERE a.filler = b.filler;
RESET enable_nestloop;
RESET enable_sort;
RESET enable_hashjoin;

-- A scrollable cursor goes back and forth over the bounds.
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT convert_from(sort, 'UTF8'), filler IS NULL FROM keyindex_plan.t
	WHERE hash = 7000021 AND partition = 'p7' AND sort ^@ 's09' ORDER BY sort;
FETCH 2 FROM c;
FETCH BACKWARD 2 FROM c;
FETCH LAST FROM c;
FETCH FORWARD 1 FROM c;
FETCH BACKWARD 2 FROM c;
COMMIT;

-- Parallel index scans.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_index_scan_size = 0;
SET min_parallel_table_scan_size = 0;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT count(filler) FROM keyindex_plan.t WHERE hash >= 1000003 AND sort ^@ 's0';
SELECT count(filler) FROM keyindex_plan.t WHERE hash >= 1000003 AND sort ^@ 's0';

-- The least key comes from one end of the index.
RESET parallel_setup_cost;
SELECT min(hash), max(hash) FROM keyindex_plan.t;

-- The estimate for a prefix comes from the histogram: close to 500 of 5000.
CREATE FUNCTION keyindex_plan.rows(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Plan Rows')::numeric;
END $$;
SELECT keyindex_plan.rows('SELECT 1 FROM keyindex_plan.t WHERE sort ^@ ''s09''') BETWEEN 400 AND 600 AS good_estimate;

SET client_min_messages = warning;
DROP SCHEMA keyindex_plan CASCADE;
