-- verify_index finds what it is there to find.
SET search_path = dynamo, public;
CREATE SCHEMA keyindex_verify;
CREATE TABLE keyindex_verify.t (id int, hash int8, sort bytea) WITH (autovacuum_enabled = false);
CREATE INDEX t_key ON keyindex_verify.t USING dynamo_key (hash, sort);
INSERT INTO keyindex_verify.t SELECT n, n, 's' FROM generate_series(1, 1000) n;
SELECT * FROM verify_index('keyindex_verify.t_key');
-- An index that was not told of an insertion.
UPDATE pg_index SET indisready = false WHERE indexrelid = 'keyindex_verify.t_key'::regclass;
INSERT INTO keyindex_verify.t VALUES (1001, 1001, 's');
UPDATE pg_index SET indisready = true WHERE indexrelid = 'keyindex_verify.t_key'::regclass;
SELECT * FROM verify_index('keyindex_verify.t_key');
REINDEX INDEX keyindex_verify.t_key;
SELECT * FROM verify_index('keyindex_verify.t_key');
-- An entry whose tuple's place was given to another.  (In a temporary table
-- nobody else's snapshot keeps VACUUM from clearing the place.)
CREATE TEMP TABLE s (hash int8);
CREATE INDEX s_key ON pg_temp.s USING dynamo_key (hash);
INSERT INTO pg_temp.s SELECT generate_series(1, 10);
UPDATE pg_index SET indisready = false WHERE indexrelid = 'pg_temp.s_key'::regclass;
DELETE FROM pg_temp.s WHERE hash = 4;
VACUUM pg_temp.s;
INSERT INTO pg_temp.s VALUES (11);
UPDATE pg_index SET indisready = true WHERE indexrelid = 'pg_temp.s_key'::regclass;
SELECT * FROM verify_index('pg_temp.s_key');
REINDEX INDEX pg_temp.s_key;
SELECT * FROM verify_index('pg_temp.s_key');
-- An order that is no longer the operator class's.
UPDATE pg_index SET indoption = '1 0' WHERE indexrelid = 'keyindex_verify.t_key'::regclass;
SELECT * FROM verify_index('keyindex_verify.t_key');
UPDATE pg_index SET indoption = '0 0' WHERE indexrelid = 'keyindex_verify.t_key'::regclass;
-- Duplicates in a unique index.
INSERT INTO keyindex_verify.t VALUES (3001, 7, 's');
UPDATE pg_index SET indisunique = true WHERE indexrelid = 'keyindex_verify.t_key'::regclass;
SELECT * FROM verify_index('keyindex_verify.t_key');
DELETE FROM keyindex_verify.t WHERE id = 3001;
SELECT heap_tuples FROM verify_index('keyindex_verify.t_key');
-- An entry that a partial index must not have: its predicate has changed its mind.
CREATE FUNCTION keyindex_verify.is_kept(id int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN id < 2000; END $$;
DROP INDEX keyindex_verify.t_key;
CREATE INDEX t_key ON keyindex_verify.t USING dynamo_key (hash, sort) WHERE keyindex_verify.is_kept(id);
UPDATE keyindex_verify.t SET id = id + 5000 WHERE id = 1001;
SELECT heap_tuples FROM verify_index('keyindex_verify.t_key');
CREATE OR REPLACE FUNCTION keyindex_verify.is_kept(id int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN id <> 17; END $$;
SELECT heap_tuples FROM verify_index('keyindex_verify.t_key');
-- What it is not for, and for whom.
SELECT verify_index('keyindex_verify.t');
SELECT verify_index('pg_class_oid_index');
CREATE ROLE keyindex_verify_other;
GRANT USAGE ON SCHEMA keyindex_verify, dynamo TO keyindex_verify_other;
SET ROLE keyindex_verify_other;
SELECT verify_index('keyindex_verify.t_key');
RESET ROLE;
-- The index's own functions run as the owner of the table, not as who verifies.
CREATE FUNCTION keyindex_verify.who(int8) RETURNS int8 LANGUAGE plpgsql IMMUTABLE AS
	$$ BEGIN RAISE NOTICE 'as %', current_user; RETURN $1; END $$;
CREATE TABLE keyindex_verify.w (hash int8);
ALTER TABLE keyindex_verify.w OWNER TO keyindex_verify_other;
INSERT INTO keyindex_verify.w VALUES (1);
CREATE INDEX w_key ON keyindex_verify.w USING dynamo_key (keyindex_verify.who(hash));
SET client_min_messages = notice;
SELECT * FROM verify_index('keyindex_verify.w_key');
SET client_min_messages = warning;
DROP SCHEMA keyindex_verify CASCADE;
DROP OWNED BY keyindex_verify_other;
DROP ROLE keyindex_verify_other;
