-- Sessions: what a token is good for, to the last bit.
SET client_min_messages = warning;
DROP ROLE IF EXISTS auth_session_user, auth_session_role;
RESET client_min_messages;
CREATE ROLE auth_session_user;
CREATE ROLE auth_session_role;
SELECT dynamo.put_trust_policy('auth_session_role', '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
	"Principal": {"AWS": "arn:aws:iam::000000000000:user/auth_session_user"}, "Action": "sts:AssumeRole"}]}');
GRANT EXECUTE ON FUNCTION dynamo.assume_role, dynamo.get_session_token TO auth_session_user;

-- RFC 2104; PostgreSQL itself has none for SQL.
CREATE FUNCTION pg_temp.hmac(key bytea, message bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	"inner" bytea := decode(repeat('36', 64), 'hex');
	"outer" bytea := decode(repeat('5c', 64), 'hex');
BEGIN
	FOR i IN 0 .. length(key) - 1 LOOP
		"inner" := set_byte("inner", i, get_byte("inner", i) # get_byte(key, i));
		"outer" := set_byte("outer", i, get_byte("outer", i) # get_byte(key, i));
	END LOOP;
	RETURN sha256("outer" || sha256("inner" || message));
END $$;

-- The role that signs an empty request with credentials, or the service's error.
CREATE FUNCTION pg_temp.signed(credentials json, at timestamptz DEFAULT now(), token text DEFAULT NULL, id text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	time text := to_char(at AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"');
	scope text := left(time, 8) || '/eu-central-1/dynamodb/aws4_request';
	key bytea := convert_to('AWS4' || (credentials->>'SecretAccessKey'), 'UTF8');
	request text := format(E'POST\n/\n\nhost:h\nx-amz-date:%s\n\nhost;x-amz-date\n%s', time, encode(sha256(''), 'hex'));
BEGIN
	FOR i IN 1 .. 4 LOOP
		key := pg_temp.hmac(key, convert_to(split_part(scope, '/', i), 'UTF8'));
	END LOOP;
	RETURN dynamo_internal.verify_signature('POST', '/', '', format(E'Host:h\nX-Amz-Date:%s\nX-Amz-Security-Token:%s\nAuthorization:'
		'AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=host;x-amz-date, Signature=%s', time, coalesce(token, credentials->>'SessionToken'),
		coalesce(id, credentials->>'AccessKeyId'), scope,
		encode(pg_temp.hmac(key, convert_to(format(E'AWS4-HMAC-SHA256\n%s\n%s\n%s', time, scope,
			encode(sha256(convert_to(request, 'UTF8')), 'hex')), 'UTF8')), 'hex')), '', at);
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate || ' ' || split_part(sqlerrm, E'\n', 1);
END $$;

\set request '{"RoleArn": "arn:aws:iam::000000000000:role/auth_session_role", "RoleSessionName": "test", "DurationSeconds": 900}'
SET ROLE auth_session_user;
SELECT dynamo.assume_role(:'request')->'Credentials' AS one, dynamo.assume_role(:'request')->'Credentials' AS another,
	dynamo.get_session_token('{"DurationSeconds": 900}')->'Credentials' AS own \gset
RESET ROLE;
SELECT pg_temp.signed(:'one') AS one, pg_temp.signed(:'another') AS another, pg_temp.signed(:'own') AS own;

-- To the second, also where it has been cached.
SELECT pg_temp.signed(:'one', (:'one'::json->>'Expiration')::timestamptz - interval '1 s');
SELECT pg_temp.signed(:'one', (:'one'::json->>'Expiration')::timestamptz);
SELECT pg_temp.signed(:'own', (:'own'::json->>'Expiration')::timestamptz + interval '1 day');
SELECT pg_temp.signed(:'one');

-- Each byte of the token counts, and its length.
CREATE FUNCTION pg_temp.altered(token text, byte int) RETURNS text LANGUAGE sql AS $$
	SELECT replace(encode(set_bit(t, byte * 8 + byte % 8, 1 - get_bit(t, byte * 8 + byte % 8)), 'base64'), E'\n', '')
	FROM decode(token, 'base64') t $$;
SELECT pg_temp.signed(:'one', now(), pg_temp.altered(:'one'::json->>'SessionToken', byte)) AS answer, count(*) > 50 AS many
FROM generate_series(0, length(decode(:'one'::json->>'SessionToken', 'base64')) - 1) byte GROUP BY 1;
SELECT pg_temp.signed(:'one', now(), left(:'one'::json->>'SessionToken', len)) AS answer, count(*) > 20 AS many
FROM generate_series(1, length(:'one'::json->>'SessionToken') - 4) len GROUP BY 1;
-- Another's token, another's id; an id that nobody was given.
SELECT pg_temp.signed(:'one', now(), :'another'::json->>'SessionToken');
SELECT pg_temp.signed(:'one', now(), NULL, :'another'::json->>'AccessKeyId');
SELECT pg_temp.signed(:'one', now(), NULL, left(:'one'::json->>'AccessKeyId', 6) || 'AAAAAAAAAAAAAA');
SELECT pg_temp.signed(:'one', now(), NULL, 'ASIA77AAAAAAAAAAAAAA');
SELECT pg_temp.signed(:'one', now(), '');
SELECT pg_temp.signed(:'one');

-- After a rotation the old ones count to their end; the new ones have another key.
SELECT dynamo.rotate_session_key();
SET ROLE auth_session_user;
SELECT dynamo.assume_role(:'request')->'Credentials' AS new \gset
RESET ROLE;
SELECT pg_temp.signed(:'one') AS one, pg_temp.signed(:'new') AS new,
	left(:'one'::json->>'AccessKeyId', 6) <> left(:'new'::json->>'AccessKeyId', 6) AS other_key;
-- A key is forgotten when nothing that was sealed with it can count any more.
BEGIN;
UPDATE dynamo.session_keys SET created_at = created_at - interval '47 hours';
SELECT dynamo.rotate_session_key();
SELECT pg_temp.signed(:'one');
UPDATE dynamo.session_keys SET created_at = created_at - interval '2 hours';
SELECT dynamo.rotate_session_key();
SELECT pg_temp.signed(:'one'), pg_temp.signed(:'new');
ROLLBACK;
SELECT pg_temp.signed(:'one');
-- With a secret that is somebody else's, the same number is of no use.
BEGIN;
UPDATE dynamo.session_keys SET secret = sha256(secret);
SELECT pg_temp.signed(:'one');
ROLLBACK;
BEGIN;
SELECT dynamo.rotate_session_key(true);
SELECT pg_temp.signed(:'one'), pg_temp.signed(:'new');
ROLLBACK;
BEGIN;
DELETE FROM dynamo.session_keys;
SELECT pg_temp.signed(:'one');
SAVEPOINT s;
SELECT dynamo.get_session_token();
ROLLBACK;

-- Who may not be assumed any more has no sessions; nor has who may be has one of his own.
BEGIN;
SELECT dynamo.delete_trust_policy('auth_session_role');
SELECT pg_temp.signed(:'one'), pg_temp.signed(:'own');
ROLLBACK;
BEGIN;
SELECT dynamo.put_trust_policy('auth_session_user', '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}');
SELECT pg_temp.signed(:'one'), pg_temp.signed(:'own');
ROLLBACK;
BEGIN;
SELECT dynamo.revoke_sessions('auth_session_role');
SELECT pg_temp.signed(:'one'), pg_temp.signed(:'own');
ROLLBACK;
SELECT pg_temp.signed(:'one'), pg_temp.signed(:'own');

-- Session ids are not for access keys.
\set VERBOSITY terse
INSERT INTO dynamo.access_keys VALUES (:'one'::json->>'AccessKeyId', 'x', 'auth_session_user');
\set VERBOSITY default

-- Requests that make no sense.
SELECT dynamo.assume_role('[]');
SELECT dynamo.assume_role('{}');
SELECT dynamo.assume_role('{"RoleArn": {"a": 1}, "RoleSessionName": null}');
SELECT dynamo.assume_role(json_build_object('Tags', (SELECT json_agg(n) FROM generate_series(1, 300) n)));
SELECT dynamo.assume_role('{"RoleArn": "arn:aws:iam::000000000000:role/nobody", "RoleSessionName": "x-x"}');
SELECT dynamo.assume_role('{"RoleArn": "arn:aws:iam::111111111111:role/auth_session_role", "RoleSessionName": "x-x"}');

DROP OWNED BY auth_session_user;
DROP ROLE auth_session_user, auth_session_role;
CALL dynamo.run_jobs();
