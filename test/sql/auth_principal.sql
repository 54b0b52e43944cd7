-- Principals: roles with policies, a boundary, tags; inherited as privileges are.
SET client_min_messages = warning;
DROP ROLE IF EXISTS auth_alice, auth_bob, auth_readers, auth_staff, auth_root, auth_admin, auth_loner, "auth ""Odd"" Name";
RESET client_min_messages;
CREATE ROLE auth_alice;
CREATE ROLE auth_bob;
CREATE ROLE auth_readers;
CREATE ROLE auth_staff;
CREATE ROLE auth_root SUPERUSER;
CREATE ROLE auth_loner NOINHERIT;
CREATE ROLE auth_admin;
CREATE ROLE "auth ""Odd"" Name";

-- What is cached of a role, without what differs from run to run.
CREATE FUNCTION pg_temp.identity(role regrole) RETURNS jsonb LANGUAGE sql AS
	$$ SELECT dynamo_internal.identity(role)::jsonb - 'user_id' $$;
SELECT pg_temp.identity('auth_alice');
SELECT pg_temp.identity('"auth ""Odd"" Name"')->>'arn' AS arn;
SELECT dynamo_internal.identity('auth_alice')->>'user_id' ~ '^AIDA[A-Z2-7]{17}$' AS alice,
	dynamo_internal.identity('auth_alice')->>'user_id' <> dynamo_internal.identity('auth_bob')->>'user_id' AS another;

-- Policies are checked on their way in, in IAM's words.
\set read '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}]}'
SELECT dynamo.put_policy('read', :'read');
SELECT dynamo.put_policy('write', replace(:'read', 'GetItem', 'PutItem'));
\set VERBOSITY terse
SELECT dynamo.put_policy('broken', '{"Version": "2012-10-17"');
SELECT dynamo.put_policy('broken', replace(:'read', 'Allow', 'Maybe'));
SELECT dynamo.put_policy('a/b', :'read');
SELECT dynamo.put_policy('large', replace(:'read', 'GetItem', repeat('x', 6144)));
-- White space is not counted.
SELECT dynamo.put_policy('spacious', :'read' || repeat(' ', 7000));
SELECT dynamo.delete_policy('spacious');
SELECT dynamo.delete_policy('spacious');

SELECT dynamo.attach_policy('auth_readers', 'read');
SELECT dynamo.attach_policy('auth_readers', 'read');
SELECT dynamo.attach_policy('auth_alice', 'write');
SELECT dynamo.attach_policy('auth_alice', 'absent');
SELECT dynamo.attach_policy('auth_absent', 'read');
SELECT dynamo.detach_policy('auth_bob', 'read');
SELECT dynamo.delete_policy('read');
\set VERBOSITY default

-- Memberships count at once, also of members of members, and end with REVOKE.
GRANT auth_staff TO auth_alice;
SELECT pg_temp.identity('auth_alice')->'policies' AS policies;
GRANT auth_readers TO auth_staff;
SELECT pg_temp.identity('auth_alice')->'policies' AS policies;
-- Asked once, however it is attached.
SELECT dynamo.attach_policy('auth_staff', 'read');
SELECT pg_temp.identity('auth_alice')->'policies' AS policies;
SELECT dynamo.detach_policy('auth_staff', 'read');
-- Who doesn't inherit privileges doesn't inherit policies.
GRANT auth_readers TO auth_loner;
SELECT pg_temp.identity('auth_loner')->'policies' AS policies;
ALTER ROLE auth_loner INHERIT;
SELECT pg_temp.identity('auth_loner')->'policies' AS policies;
-- Superusers belong where they were put.
SELECT pg_temp.identity('auth_root')->'policies' AS policies, pg_temp.identity('auth_root')->'is_superuser' AS is_superuser;
GRANT auth_readers TO auth_root;
SELECT pg_temp.identity('auth_root')->'policies' AS policies;
REVOKE auth_readers FROM auth_staff;
SELECT pg_temp.identity('auth_alice')->'policies' AS policies;

-- In the transaction that changes something the change counts; rolled back, it doesn't.
BEGIN;
SELECT dynamo.detach_policy('auth_alice', 'write');
SELECT pg_temp.identity('auth_alice')->'policies' AS policies;
ROLLBACK;
SELECT pg_temp.identity('auth_alice')->'policies' AS policies;

-- Boundary, trust policy, tags.
SELECT dynamo.put_permissions_boundary('auth_alice', 'read');
SELECT dynamo.tag_role('auth_alice', 'team', 'red'), dynamo.tag_role('auth_alice', 'team', 'blue'), dynamo.tag_role('auth_alice', 'level', '');
SELECT pg_temp.identity('auth_alice');
SELECT dynamo.untag_role('auth_alice', 'level'), dynamo.delete_permissions_boundary('auth_alice');
\set trust '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:user/auth_bob"}, "Action": "sts:AssumeRole"}]}'
SELECT dynamo.put_trust_policy('auth_alice', :'trust');
SELECT pg_temp.identity('auth_alice');
SELECT dynamo_internal.identity('auth_alice')->>'user_id' ~ '^AROA[A-Z2-7]{17}$' AS role_id;
SELECT * FROM dynamo.principals WHERE role = 'auth_alice'::regrole;
SELECT dynamo.delete_trust_policy('auth_alice');
SELECT pg_temp.identity('auth_alice')->'is_role' AS is_role;
\set VERBOSITY terse
SELECT dynamo.put_trust_policy('auth_alice', :'read');
SELECT dynamo.put_permissions_boundary('auth_alice', 'absent');
SELECT dynamo.tag_role('auth_alice', '', 'x');
SELECT dynamo.tag_role('auth_alice', repeat('k', 129), 'x');
SELECT dynamo.tag_role('auth_alice', 'x', repeat('v', 257));
SELECT count(dynamo.tag_role('auth_bob', 'k' || n, 'v')) FROM generate_series(1, 50) n;
SELECT dynamo.tag_role('auth_bob', 'k51', 'v');
SELECT dynamo.set_max_session_duration('auth_bob', 3599);
SELECT dynamo.set_max_session_duration('auth_bob', 43201);
SELECT dynamo.set_max_session_duration('auth_bob', 7200);
\set VERBOSITY default

-- Names may change: they are roles'.
ALTER ROLE auth_alice RENAME TO auth_alicia;
SELECT pg_temp.identity('auth_alicia')->>'arn' AS arn;
ALTER ROLE auth_alicia RENAME TO auth_alice;

-- A document that came past the functions and makes no sense is not left out.
UPDATE dynamo.policies SET document = '{}' WHERE name = 'write';
SELECT pg_temp.identity('auth_alice')->'policies' AS policies;
SELECT dynamo.put_policy('write', :'read');
SELECT pg_temp.identity('auth_alice')->'policies' AS policies;

-- An ordinary role sees what holds for it, and changes nothing.
GRANT auth_readers TO auth_bob;
SET ROLE auth_bob;
SELECT role, kind, name FROM dynamo.my_policies;
\set VERBOSITY terse
SELECT * FROM dynamo.policies;
SELECT * FROM dynamo.attached_policies;
SELECT * FROM dynamo.principals;
SELECT * FROM dynamo.session_keys;
SELECT dynamo.put_policy('mine', '{}');
SELECT dynamo.delete_policy('read');
SELECT dynamo.attach_policy('auth_bob', 'write');
SELECT dynamo.detach_policy('auth_readers', 'read');
SELECT dynamo.put_permissions_boundary('auth_bob', 'read');
SELECT dynamo.delete_permissions_boundary('auth_bob');
SELECT dynamo.put_trust_policy('auth_bob', '{}');
SELECT dynamo.delete_trust_policy('auth_bob');
SELECT dynamo.tag_role('auth_bob', 'a', 'b');
SELECT dynamo.untag_role('auth_bob', 'k1');
SELECT dynamo.set_max_session_duration('auth_bob', 3600);
SELECT dynamo.revoke_sessions('auth_bob');
SELECT dynamo.rotate_session_key();
SELECT dynamo.assume_role('{}');
SELECT dynamo.get_session_token();
SELECT dynamo_internal.identity('auth_bob');
RESET ROLE;
\set VERBOSITY default

-- With the right to, an administrator of policies manages them, but lets nobody
-- become a role that he may not become himself.
GRANT EXECUTE ON FUNCTION dynamo.put_policy, dynamo.attach_policy, dynamo.put_trust_policy TO auth_admin;
GRANT auth_staff TO auth_admin;
SET ROLE auth_admin;
SELECT dynamo.put_policy('more', '{"Version": "2012-10-17", "Statement": []}');
SELECT dynamo.put_policy('more', :'read');
SELECT dynamo.attach_policy('auth_staff', 'more');
SELECT dynamo.put_trust_policy('auth_staff', :'trust');
SELECT dynamo.put_trust_policy('auth_root', :'trust');
SELECT dynamo.put_trust_policy('auth_bob', :'trust');
-- His operators and functions do not run as the owner of the tables.
RESET ROLE;
GRANT CREATE ON DATABASE contrib_regression TO auth_admin;
GRANT EXECUTE ON FUNCTION dynamo.create_access_key, dynamo.rotate_access_key, dynamo.tag_role, dynamo.detach_policy TO auth_admin;
SET ROLE auth_admin;
CREATE SCHEMA auth_evil;
CREATE TABLE auth_evil.ran (who name, what text);
GRANT ALL ON SCHEMA auth_evil TO PUBLIC;
GRANT ALL ON auth_evil.ran TO PUBLIC;
CREATE FUNCTION auth_evil.equal(text, text) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO auth_evil.ran VALUES (current_user, 'text'); RETURN true; END $$;
CREATE OPERATOR auth_evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = auth_evil.equal);
CREATE FUNCTION auth_evil.equal(oid, oid) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO auth_evil.ran VALUES (current_user, 'oid'); RETURN true; END $$;
CREATE OPERATOR auth_evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = auth_evil.equal);
CREATE FUNCTION auth_evil.now() RETURNS timestamptz LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO auth_evil.ran VALUES (current_user, 'now'); RETURN '2000-01-01'; END $$;
CREATE FUNCTION auth_evil.quote_ident(text) RETURNS text LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO auth_evil.ran VALUES (current_user, 'quote_ident'); RETURN $1; END $$;
-- (They do run where he calls them.)
SELECT 'a'::text OPERATOR(auth_evil.=) 'b', auth_evil.now() < now() AS long_ago;
SET search_path = auth_evil, pg_catalog;
SELECT access_key_id AS key FROM dynamo.create_access_key('auth_admin') \gset
SELECT dynamo.update_access_key(:'key', true);
SELECT access_key_id AS key2 FROM dynamo.rotate_access_key(:'key') \gset
SELECT dynamo.delete_access_key(:'key');
SELECT dynamo.delete_access_key(:'key2');
SELECT dynamo.put_policy('more', :'read');
SELECT dynamo.put_trust_policy('auth_staff', :'trust');
SELECT dynamo.tag_role('auth_staff', 'a', 'b');
SELECT dynamo.detach_policy('auth_staff', 'more');
RESET search_path;
SELECT * FROM auth_evil.ran;
DROP SCHEMA auth_evil CASCADE;
RESET ROLE;
REVOKE CREATE ON DATABASE contrib_regression FROM auth_admin;
REVOKE EXECUTE ON FUNCTION dynamo.put_policy, dynamo.attach_policy, dynamo.put_trust_policy, dynamo.create_access_key,
	dynamo.rotate_access_key, dynamo.tag_role, dynamo.detach_policy FROM auth_admin;

-- What a dropped role leaves behind counts for nobody, does not come into dumps, and goes.
SELECT dynamo.attach_policy('auth_bob', 'read');
SELECT count(*) FROM dynamo.create_access_key('auth_bob');
DROP ROLE auth_alice, auth_bob, auth_readers, auth_staff, auth_root, auth_admin, auth_loner, "auth ""Odd"" Name";
SELECT count(*) FROM dynamo.attached_policies WHERE role::text ~ '^\d+$';
CALL dynamo.run_jobs();
SELECT count(*) FROM dynamo.attached_policies WHERE role::text ~ '^\d+$';
SELECT count(*) FROM dynamo.principals WHERE role::text ~ '^\d+$';
SELECT count(*) FROM dynamo.access_keys WHERE role::text ~ '^\d+$';
SELECT dynamo.delete_policy('read'), dynamo.delete_policy('write'), dynamo.delete_policy('more');
