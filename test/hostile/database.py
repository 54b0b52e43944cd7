"""What other sessions do to the tables while requests come in."""
import contextlib
import threading
import time

import psycopg2

import bodies


class Session:
    """A superuser's session that does not wait long for anything."""

    def __init__(self, server):
        self.connection = psycopg2.connect(host=server.socket, port=5432, user='postgres', dbname='postgres',
                                           options='-c lock_timeout=2s -c statement_timeout=20s -c client_min_messages=error -c search_path=public,dynamo')
        self.connection.autocommit = True

    def run(self, statement):
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def close(self):
        self.connection.close()


def disturb(r, session, access_keys):
    """One disturbance.  Raises psycopg2.Error if something else was in the way."""
    table = r.choice(list(bodies.TABLES))
    found = session.run(f"SELECT relation::text FROM dynamo.tables WHERE name = '{table}'")
    if not found:
        return 'no table'
    relation = found[0][0]
    n = r.randrange(3)
    statements = {
        'VACUUM FULL': [f'VACUUM FULL {relation}'],
        'VACUUM': [f'VACUUM (FREEZE, ANALYZE) {relation}'],
        'TRUNCATE': [f'TRUNCATE {relation}'],
        'DELETE': [f'DELETE FROM {relation}'],
        'REINDEX': [f'REINDEX TABLE {relation}'],
        'REINDEX CONCURRENTLY': [f'REINDEX TABLE CONCURRENTLY {relation}'],
        'ADD COLUMN': [f'ALTER TABLE {relation} ADD COLUMN c{n} int DEFAULT 1'],
        'ADD VOLATILE COLUMN': [f'ALTER TABLE {relation} ADD COLUMN c{n} timestamptz DEFAULT clock_timestamp()'],
        'ADD GENERATED COLUMN': [f"ALTER TABLE {relation} ADD COLUMN c{n} int GENERATED ALWAYS AS (octet_length(partition_key)) STORED"],
        'DROP COLUMN': [f'ALTER TABLE {relation} DROP COLUMN IF EXISTS c{n}'],
        'CREATE INDEX': [f"CREATE INDEX IF NOT EXISTS hostile_{table.replace('-', '_')}_{n} ON {relation} ((md5((item ->> 'a'))))"],
        'CREATE INDEX CONCURRENTLY': [f"CREATE INDEX CONCURRENTLY IF NOT EXISTS hostile_{table.replace('-', '_')}_{n} ON {relation} ((item ->> 'b')) WHERE length(item ->> 'b') < 2000"],
        'DROP INDEX': [f"DROP INDEX IF EXISTS dynamo_data.hostile_{table.replace('-', '_')}_{n}"],
        'DROP INDEX CONCURRENTLY': [f"DROP INDEX CONCURRENTLY IF EXISTS dynamo_data.hostile_{table.replace('-', '_')}_{n}"],
        'CREATE TRIGGER': [f'CREATE OR REPLACE TRIGGER hostile{n} {("BEFORE", "AFTER", "BEFORE")[n]} INSERT OR UPDATE OR DELETE ON {relation} FOR EACH ROW EXECUTE FUNCTION hostile_trigger{n}()'],
        'DROP TRIGGER': [f'DROP TRIGGER IF EXISTS hostile{n} ON {relation}'],
        'ADD CONSTRAINT': [f"ALTER TABLE {relation} DROP CONSTRAINT IF EXISTS hostile, ADD CONSTRAINT hostile CHECK (NOT item ? 'c') NOT VALID"],
        'DROP CONSTRAINT': [f'ALTER TABLE {relation} DROP CONSTRAINT IF EXISTS hostile'],
        'SET UNLOGGED': [f'ALTER TABLE {relation} SET UNLOGGED', f'ALTER TABLE {relation} SET LOGGED'],
        'RENAME': [f'ALTER TABLE {relation} RENAME TO hostile_renamed', f'ALTER TABLE dynamo_data.hostile_renamed RENAME TO {relation.partition(".")[2]}'],
        'STORAGE': [f'ALTER TABLE {relation} ALTER item SET STORAGE {r.choice(["EXTERNAL", "EXTENDED", "MAIN", "PLAIN"])}'],
        'ROW SECURITY': [f'ALTER TABLE {relation} ENABLE ROW LEVEL SECURITY', f'ALTER TABLE {relation} DISABLE ROW LEVEL SECURITY'],
        'PRIVILEGES': [f'GRANT SELECT ON {relation} TO hostile_reader', f'REVOKE ALL ON {relation} FROM hostile_reader'],
        'OWNER': [f'ALTER TABLE {relation} OWNER TO {r.choice(["postgres", "hostile_owner"])}'],
        'VIEW': [f'CREATE OR REPLACE VIEW hostile_view AS SELECT * FROM {relation}', 'DROP VIEW IF EXISTS hostile_view'],
        'DROP TABLE': [f'DROP TABLE {relation} CASCADE'],
        'REPLICA IDENTITY': [f'ALTER TABLE {relation} REPLICA IDENTITY {r.choice(["FULL", "DEFAULT"])}'],
        'CANCEL': ["SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type LIKE 'dynamo http%'"],
        'ALTER EXTENSION': ['ALTER EXTENSION dynamo UPDATE'],
        'CHECKPOINT': ['CHECKPOINT'],
        'ACCESS KEY': [f"SELECT dynamo.update_access_key('{access_keys['flickering'][0]}', {r.choice(['true', 'false'])})"],
        'ROLE': [f'ALTER ROLE hostile_reader {r.choice(["LOGIN", "NOLOGIN", "BYPASSRLS", "NOBYPASSRLS"])}'],
    }
    kind = r.choice([*statements, 'LOCK', 'ROWS', 'SQL WRITE', 'ROLLBACK'])
    if kind in statements:
        for statement in statements[kind]:
            session.run(statement)
            if len(statements[kind]) > 1:
                time.sleep(r.random() * 0.05)
        return kind
    try:
        session.run('BEGIN ISOLATION LEVEL ' + r.choice(['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE']))
        if kind == 'LOCK':
            session.run(f'LOCK TABLE {relation} IN {r.choice(["ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE"])} MODE')
        elif kind == 'ROWS':
            session.run(f'SELECT FROM {relation} LIMIT 10 {r.choice(["FOR UPDATE", "FOR SHARE", "FOR KEY SHARE", "FOR NO KEY UPDATE"])}')
        elif kind == 'SQL WRITE':
            session.run(f"UPDATE {relation} SET item = item WHERE ctid IN (SELECT ctid FROM {relation} LIMIT 10)")
        else:
            session.run(f'TRUNCATE {relation}')
            session.run('ROLLBACK')
            return kind
        time.sleep(r.random() * 0.2)
        session.run(r.choice(['COMMIT', 'ROLLBACK']))
    finally:
        if session.connection.info.transaction_status:
            session.run('ROLLBACK')
    return kind


def prepare(server):
    """Roles, trigger functions and access keys: {name: (id, secret)}."""
    session = Session(server)
    for n, statement in enumerate(["IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;",
                                   "IF TG_OP <> 'DELETE' AND NEW.item OPERATOR(dynamo.?) 'n' AND random() < 0.1 THEN RAISE EXCEPTION 'not today'; END IF; RETURN NULL;",
                                   "IF random() < 0.1 THEN RETURN NULL; END IF; IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;"]):
        session.run(f'CREATE FUNCTION hostile_trigger{n}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement} END $$')
    keys = {}
    for name, role in (('owner', 'postgres'), ('flickering', 'postgres'), ('reader', 'hostile_reader'), ('nobody', 'hostile_nobody'), ('maker', 'hostile_owner')):
        if role != 'postgres':
            session.run(f"DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN END $$")
        keys[name] = session.run(f"SELECT access_key_id, secret_access_key FROM dynamo.create_access_key('{role}')")[0]
    session.run('GRANT CREATE, USAGE ON SCHEMA dynamo_data TO hostile_owner')
    session.close()
    return keys


class Disturber(threading.Thread):
    """Disturbs until it is told to stop; counts what it did."""

    def __init__(self, server, r, access_keys, stop):
        super().__init__(daemon=True)
        self.server, self.r, self.access_keys, self.stop = server, r, access_keys, stop
        self.done = {}
        self.failure = None

    def run(self):
        session = Session(self.server)
        try:
            while not self.stop.is_set():
                try:
                    kind = disturb(self.r, session, self.access_keys)
                except psycopg2.Error as error:
                    kind = f'failed: {error.pgcode}'
                    if session.connection.closed:
                        raise
                    with contextlib.suppress(psycopg2.Error):
                        session.run('ROLLBACK')
                self.done[kind] = self.done.get(kind, 0) + 1
                self.stop.wait(self.r.random() * 0.1)
        except Exception as error:  # the server is down, which others tell better
            self.failure = error
        finally:
            session.close()
