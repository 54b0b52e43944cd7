-- A sparse index holds the items that have all its keys, and no others: an index
-- with a WHERE clause, which PostgreSQL's planner knows how to prove.
SET search_path = dynamo, public;
CREATE SCHEMA keyindex_sparse;
CREATE TABLE keyindex_sparse.t (id int, hash int8, partition bytea, sort bytea);
INSERT INTO keyindex_sparse.t SELECT n,
	CASE WHEN n % 3 = 0 THEN n END,
	CASE WHEN n % 3 = 0 THEN 'p'::bytea END,
	CASE WHEN n % 6 = 0 THEN ('s' || n)::bytea END
	FROM generate_series(1, 6000) n;
CREATE UNIQUE INDEX t_sparse ON keyindex_sparse.t USING dynamo_key (hash, partition, sort)
	WHERE hash IS NOT NULL AND partition IS NOT NULL AND sort IS NOT NULL;
ANALYZE keyindex_sparse.t;
SELECT * FROM verify_index('keyindex_sparse.t_sparse');
SET enable_seqscan = off;
SET enable_bitmapscan = off;
-- A strict condition on each column is enough; nothing else has to be said.
EXPLAIN (COSTS OFF) SELECT id FROM keyindex_sparse.t WHERE hash = 12 AND partition = 'p' AND sort >= 's';
SELECT id FROM keyindex_sparse.t WHERE hash = 12 AND partition = 'p' AND sort >= 's';
EXPLAIN (COSTS OFF) SELECT id FROM keyindex_sparse.t WHERE hash = 12 AND partition = 'p' AND sort ^@ 's';
SELECT id FROM keyindex_sparse.t WHERE hash = 12 AND partition = 'p' AND sort ^@ 's';
-- Whoever might need the others does not get the index.
EXPLAIN (COSTS OFF) SELECT id FROM keyindex_sparse.t WHERE hash = 9 AND partition = 'p';
SELECT id FROM keyindex_sparse.t WHERE hash = 9 AND partition = 'p';
EXPLAIN (COSTS OFF) SELECT id FROM keyindex_sparse.t WHERE hash = 9 AND partition = 'p' AND sort IS NULL;
EXPLAIN (COSTS OFF) SELECT id FROM keyindex_sparse.t ORDER BY hash, partition, sort LIMIT 1;
SELECT count(*) FROM (SELECT hash FROM keyindex_sparse.t ORDER BY hash, partition, sort) x;
-- Items come and go as their attributes do.
UPDATE keyindex_sparse.t SET sort = NULL WHERE id % 12 = 0;
SELECT heap_tuples FROM verify_index('keyindex_sparse.t_sparse');
UPDATE keyindex_sparse.t SET sort = 's' WHERE id % 12 = 3;
SELECT heap_tuples FROM verify_index('keyindex_sparse.t_sparse');
INSERT INTO keyindex_sparse.t VALUES (-1, NULL, NULL, NULL), (-2, NULL, NULL, NULL), (-3, 6, 'p', 's6');
VACUUM keyindex_sparse.t;
SELECT heap_tuples FROM verify_index('keyindex_sparse.t_sparse');
REINDEX INDEX CONCURRENTLY keyindex_sparse.t_sparse;
SELECT * FROM verify_index('keyindex_sparse.t_sparse');
CLUSTER keyindex_sparse.t USING t_sparse;
SET client_min_messages = warning;
DROP SCHEMA keyindex_sparse CASCADE;
