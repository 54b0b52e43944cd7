-- What PostgreSQL does to an index in its life.
SET search_path = dynamo, public;
CREATE SCHEMA keyindex_maintenance;
CREATE TABLE keyindex_maintenance.t (hash int8, partition bytea, sort bytea, filler int) WITH (autovacuum_enabled = false);
CREATE UNIQUE INDEX t_key ON keyindex_maintenance.t USING dynamo_key (hash, partition, sort) WITH (fillfactor = 80);
SELECT pg_get_indexdef('keyindex_maintenance.t_key'::regclass);
-- Insertion, with page splits, in random order.
INSERT INTO keyindex_maintenance.t
	SELECT hashint8extended(n % 500, 0), ('p' || n % 500)::bytea, ('s' || n)::bytea, n FROM generate_series(1, 20000) n;
SELECT * FROM verify_index('keyindex_maintenance.t_key');
-- The same key again, with the service's SQLSTATE left to upper layers.
INSERT INTO keyindex_maintenance.t VALUES (hashint8extended(7, 0), 'p7', 's7', 0);
UPDATE keyindex_maintenance.t SET sort = 's507' WHERE filler = 7;
-- NULLs do not collide.
INSERT INTO keyindex_maintenance.t VALUES (1, 'p', NULL, 0), (1, 'p', NULL, 0);
SELECT count(*) FROM keyindex_maintenance.t WHERE sort IS NULL;
-- An update of another column is a HOT update.
UPDATE keyindex_maintenance.t SET filler = -filler WHERE filler % 100 = 0;
SELECT heap_tuples FROM verify_index('keyindex_maintenance.t_key');
-- VACUUM takes away the entries of the dead, whole pages of them.  In a temporary
-- table nobody else's snapshot keeps them.
CREATE TEMP TABLE keyindex_vacuum AS SELECT * FROM keyindex_maintenance.t;
CREATE INDEX keyindex_vacuum_key ON keyindex_vacuum USING dynamo_key (hash, partition, sort);
DELETE FROM keyindex_vacuum WHERE filler % 10 <> 0;
VACUUM (INDEX_CLEANUP ON) keyindex_vacuum;
SELECT * FROM verify_index('pg_temp.keyindex_vacuum_key');
DELETE FROM keyindex_maintenance.t WHERE filler % 10 <> 0;
VACUUM (INDEX_CLEANUP ON) keyindex_maintenance.t;
SELECT heap_tuples FROM verify_index('keyindex_maintenance.t_key');
INSERT INTO keyindex_maintenance.t SELECT -n, 'q', 's', n FROM generate_series(1, 5000) n;
SELECT heap_tuples FROM verify_index('keyindex_maintenance.t_key');
-- A build, sorted, of every kind.
REINDEX INDEX keyindex_maintenance.t_key;
SELECT heap_tuples FROM verify_index('keyindex_maintenance.t_key');
REINDEX INDEX CONCURRENTLY keyindex_maintenance.t_key;
SELECT heap_tuples FROM verify_index('keyindex_maintenance.t_key');
CREATE INDEX CONCURRENTLY t_more ON keyindex_maintenance.t USING dynamo_key (partition DESC, (filler::int8) NULLS FIRST) INCLUDE (sort);
SELECT heap_tuples FROM verify_index('keyindex_maintenance.t_more');
VACUUM FULL keyindex_maintenance.t;
SELECT heap_tuples FROM verify_index('keyindex_maintenance.t_key');
-- Parallel workers would refuse a foreign access method: none is planned.
SET min_parallel_table_scan_size = 0;
CREATE INDEX t_text ON keyindex_maintenance.t USING dynamo_key (encode(sort, 'escape'), hash);
RESET min_parallel_table_scan_size;
SELECT heap_tuples FROM verify_index('keyindex_maintenance.t_text');
-- Parallel VACUUM works through several indexes at once.
DELETE FROM keyindex_maintenance.t WHERE filler % 20 = 0;
SET min_parallel_index_scan_size = 0;
VACUUM (PARALLEL 2, INDEX_CLEANUP ON) keyindex_maintenance.t;
RESET min_parallel_index_scan_size;
SELECT heap_tuples FROM verify_index('keyindex_maintenance.t_key');
SELECT heap_tuples FROM verify_index('keyindex_maintenance.t_more');
-- A build that finds duplicates; the index's entry in the relation cache is whole after it.
CREATE UNIQUE INDEX t_bad ON keyindex_maintenance.t USING dynamo_key ((filler::int8 % 10));
CREATE UNIQUE INDEX CONCURRENTLY t_bad ON keyindex_maintenance.t USING dynamo_key ((filler::int8 % 10));
SELECT indisvalid FROM pg_index WHERE indexrelid = 'keyindex_maintenance.t_bad'::regclass;
SELECT verify_index('keyindex_maintenance.t_bad');
DROP INDEX keyindex_maintenance.t_bad;
-- A build in a subtransaction that fails, then one that works, in one session.
DO $$ BEGIN
	CREATE UNIQUE INDEX t_bad ON keyindex_maintenance.t USING dynamo_key ((filler::int8 % 10));
EXCEPTION WHEN unique_violation THEN RAISE NOTICE 'not unique';
END $$;
CREATE INDEX t_good ON keyindex_maintenance.t USING dynamo_key ((filler::int8 % 10));
SELECT heap_tuples FROM verify_index('keyindex_maintenance.t_good');
-- CLUSTER puts each partition's items together.
CLUSTER keyindex_maintenance.t USING t_key;
SELECT heap_tuples FROM verify_index('keyindex_maintenance.t_key');
SELECT count(*) FROM (SELECT ctid, lag(ctid) OVER (ORDER BY hash, partition, sort, ctid) AS before FROM keyindex_maintenance.t) x WHERE ctid < before;
-- Unlogged and temporary tables.
CREATE UNLOGGED TABLE keyindex_maintenance.u (hash int8);
CREATE INDEX u_key ON keyindex_maintenance.u USING dynamo_key (hash);
INSERT INTO keyindex_maintenance.u SELECT generate_series(1, 1000);
SELECT * FROM verify_index('keyindex_maintenance.u_key');
CREATE TEMP TABLE keyindex_temp (hash int8);
CREATE INDEX keyindex_temp_key ON keyindex_temp USING dynamo_key (hash);
INSERT INTO keyindex_temp SELECT generate_series(1, 1000);
TRUNCATE keyindex_temp;
SELECT * FROM verify_index('pg_temp.keyindex_temp_key');
-- What is refused.
CREATE INDEX ON keyindex_maintenance.t USING dynamo_key (filler);
CREATE INDEX ON keyindex_maintenance.t USING dynamo_key (hash) WITH (fillfactor = 5);
ALTER TABLE keyindex_maintenance.t ADD PRIMARY KEY USING INDEX t_key;
-- Each operator class is sound; a wrong one is told.
SELECT opcname, amvalidate(pg_opclass.oid) FROM pg_opclass JOIN pg_am ON pg_am.oid = opcmethod WHERE amname = 'dynamo_key' ORDER BY 1;
CREATE OPERATOR CLASS keyindex_maintenance.broken FOR TYPE text USING dynamo_key AS
	OPERATOR 1 <, OPERATOR 6 ^@ (text, text), FUNCTION 1 bttextcmp(text, text);
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'broken';
DROP INDEX keyindex_maintenance.t_more;
SET client_min_messages = warning;
DROP SCHEMA keyindex_maintenance CASCADE;
