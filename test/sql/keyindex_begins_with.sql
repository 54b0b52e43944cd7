-- begins_with by index against begins_with by looking at every value.
SET search_path = dynamo, public;
CREATE SCHEMA keyindex_begins_with;
CREATE TABLE keyindex_begins_with.t (id int, v bytea);
-- Everything of up to four bytes out of 00, 61, FE, FF: the edges of "next prefix".
INSERT INTO keyindex_begins_with.t
	WITH RECURSIVE words(w, n) AS (
		SELECT ''::bytea, 0
		UNION ALL
		SELECT w || b, n + 1 FROM words, unnest('{"\\x00","\\x61","\\xfe","\\xff"}'::bytea[]) b WHERE n < 4)
	SELECT row_number() OVER (), w FROM words
	UNION ALL SELECT 0, NULL;
CREATE INDEX t_up ON keyindex_begins_with.t USING dynamo_key (v);
CREATE FUNCTION keyindex_begins_with.differences() RETURNS TABLE (prefix bytea, way text, by_index bigint, by_hand bigint)
LANGUAGE plpgsql AS $$
BEGIN
	FOR prefix IN SELECT v FROM keyindex_begins_with.t LOOP
		SELECT count(*) INTO by_hand FROM keyindex_begins_with.t
			WHERE length(prefix) <= length(v) AND substr(v, 1, length(prefix)) = prefix;
		way := 'index';
		SELECT count(*), count(x.id) INTO by_index FROM (SELECT id FROM keyindex_begins_with.t WHERE v ^@ prefix ORDER BY v) x;
		IF by_index <> by_hand THEN RETURN NEXT; END IF;
		way := 'backward';
		SELECT count(*), count(x.id) INTO by_index FROM (SELECT id FROM keyindex_begins_with.t WHERE v ^@ prefix ORDER BY v DESC) x;
		IF by_index <> by_hand THEN RETURN NEXT; END IF;
		way := 'array';
		SELECT count(x.id) INTO by_index FROM (SELECT id FROM keyindex_begins_with.t WHERE v ^@ ANY (ARRAY[prefix, prefix || '\x61'])) x;
		IF by_index <> by_hand THEN RETURN NEXT; END IF;
	END LOOP;
END $$;
SET enable_seqscan = off;
SET enable_sort = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM keyindex_begins_with.t WHERE v ^@ 'a' ORDER BY v DESC;
EXPLAIN (COSTS OFF) SELECT id FROM keyindex_begins_with.t WHERE v ^@ ANY ('{a,b}');
SELECT * FROM keyindex_begins_with.differences();
SELECT pg_stat_force_next_flush();
SELECT idx_scan > 1000 AS used_the_index FROM pg_stat_user_indexes WHERE indexrelname = 't_up';
-- Bitmap scans.
SET enable_bitmapscan = on;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SET enable_sort = on;
SELECT * FROM keyindex_begins_with.differences();
RESET enable_indexscan;
RESET enable_indexonlyscan;
-- Descending columns.
DROP INDEX keyindex_begins_with.t_up;
CREATE INDEX t_down ON keyindex_begins_with.t USING dynamo_key (v DESC NULLS LAST);
SET enable_bitmapscan = off;
SELECT * FROM keyindex_begins_with.differences();
-- Two prefixes, of which the longer or the shorter or none decides.
SELECT count(id) FROM keyindex_begins_with.t WHERE v ^@ '\xff' AND v ^@ '\xff61';
SELECT count(id) FROM keyindex_begins_with.t WHERE v ^@ '\xffff' AND v ^@ '\xff';
SELECT count(id) FROM keyindex_begins_with.t WHERE v ^@ '\xff' AND v ^@ '\x61';
SELECT count(id) FROM keyindex_begins_with.t WHERE v ^@ NULL;
-- A prefix out of a table, compressed and out of line.
CREATE TABLE keyindex_begins_with.long (v bytea);
INSERT INTO keyindex_begins_with.long VALUES ('\x61'::bytea || convert_to(repeat('a', 100000), 'UTF8'));
SELECT count(t.id) FROM keyindex_begins_with.long LEFT JOIN keyindex_begins_with.t ON t.v ^@ long.v;
-- The function alone, without an index.
SELECT begins_with('abc', 'ab'), begins_with('abc', ''), begins_with('ab', 'abc'), begins_with('abc', 'b'), begins_with('abc', NULL);
SET client_min_messages = warning;
DROP SCHEMA keyindex_begins_with CASCADE;
