-- Access keys: made by functions, seen without their secrets, closed to others.
SET client_min_messages = warning;
DROP ROLE IF EXISTS auth_key_owner, auth_key_other;
RESET client_min_messages;
CREATE ROLE auth_key_owner;
CREATE ROLE auth_key_other;
GRANT USAGE ON SCHEMA dynamo TO auth_key_owner, auth_key_other;

-- The form of an id and a secret; of a thousand none is like another.
CREATE TEMP TABLE made AS
	SELECT k.* FROM generate_series(1, 1000) n, LATERAL dynamo.create_access_key(CASE WHEN n > 0 THEN current_user END) k;
SELECT count(DISTINCT access_key_id), count(DISTINCT secret_access_key),
	bool_and(access_key_id ~ '^AKIA[A-Z2-7]{16}$') AS id_ok,
	bool_and(secret_access_key ~ '^[A-Za-z0-9+/]{40}$') AS secret_ok
FROM made;

-- By default a key acts as who made it.
SELECT role = current_user::regrole AS own, enabled
FROM dynamo.my_access_keys WHERE access_key_id = (SELECT min(access_key_id) FROM made);
SELECT count(dynamo.delete_access_key(access_key_id)) FROM made;
SELECT count(*) FROM dynamo.my_access_keys JOIN made USING (access_key_id);

-- A superuser may make a key for anybody, but not for nobody.
SELECT access_key_id AS key FROM dynamo.create_access_key('auth_key_owner') \gset
SELECT dynamo.create_access_key('auth_key_nobody');

-- Making keys is a privilege, and the role must be one the caller may become.
SET ROLE auth_key_owner;
SELECT dynamo.create_access_key();
RESET ROLE;
GRANT EXECUTE ON FUNCTION dynamo.create_access_key TO auth_key_owner;
SET ROLE auth_key_owner;
SELECT count(*) FROM dynamo.create_access_key();
SELECT dynamo.create_access_key('auth_key_other');
SELECT role, enabled FROM dynamo.my_access_keys;

-- Nobody reads secrets, or writes the table itself.
SELECT secret_access_key FROM dynamo.access_keys;
UPDATE dynamo.access_keys SET role = 'auth_key_owner';

-- One's own key is switched off and on, and deleted.
SELECT dynamo.update_access_key(:'key', false);
SELECT enabled FROM dynamo.my_access_keys WHERE access_key_id = :'key';
SELECT dynamo.update_access_key(:'key', true);
SELECT enabled FROM dynamo.my_access_keys WHERE access_key_id = :'key';

-- Another's key looks as if it were not there.
SET ROLE auth_key_other;
SELECT * FROM dynamo.my_access_keys;
\set VERBOSITY sqlstate
SELECT dynamo.update_access_key(:'key', false);
SELECT dynamo.delete_access_key(:'key');
\set VERBOSITY default
SELECT dynamo.delete_access_key('AKIAIOSFODNN7EXAMPLE');

SET ROLE auth_key_owner;
SELECT dynamo.delete_access_key(:'key');
RESET ROLE;
SELECT count(*) FROM dynamo.access_keys WHERE access_key_id = :'key';

-- Keys from elsewhere can be brought along by a superuser; these can't be.
\set VERBOSITY terse
INSERT INTO dynamo.access_keys VALUES ('alternator', 'x', 'auth_key_owner');
INSERT INTO dynamo.access_keys VALUES ('AKIA/0000000000000000', 'x', 'auth_key_owner');
INSERT INTO dynamo.access_keys VALUES ('AKIAIOSFODNN7EXAMPLE', '', 'auth_key_owner');

DELETE FROM dynamo.access_keys WHERE role = 'auth_key_owner'::regrole;
REVOKE EXECUTE ON FUNCTION dynamo.create_access_key FROM auth_key_owner;
REVOKE USAGE ON SCHEMA dynamo FROM auth_key_owner, auth_key_other;
DROP ROLE auth_key_owner, auth_key_other;
