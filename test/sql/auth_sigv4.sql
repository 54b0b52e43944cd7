-- Signature Version 4: canonical forms as in AWS's public test suite, and every
-- way to be wrong with the service's words, in its order of checks.
INSERT INTO dynamo.access_keys VALUES
	('AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', current_user::regrole);

-- The error of a request, or "accepted".
CREATE FUNCTION pg_temp.verify(method text, path text, query text, headers text,
	body text DEFAULT '', now timestamptz DEFAULT '2015-08-30 12:36:00+00')
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM dynamo_internal.verify_signature(method, path, query, headers, convert_to(body, 'UTF8'), now);
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate || ' ' || sqlerrm;
END $$;

-- The canonical request, without the body's hash: that of a wrong signature.
CREATE FUNCTION pg_temp.canonical(method text, path text, query text, signed text, headers text)
RETURNS text LANGUAGE sql AS $$
	SELECT substring(pg_temp.verify(method, path, query,
		'Host:example.amazonaws.com' || E'\nX-Amz-Date:20150830T123600Z\n' || headers
		|| E'\nAuthorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20150830/us-east-1/dynamodb/aws4_request,'
		|| ' SignedHeaders=' || signed || ', Signature=0')
		from E'have been\n''(.*)\n[0-9a-f]{64}''\n\nThe String')
$$;
\pset format unaligned
\pset tuples_only on

-- Paths: "." and ".." and doubled slashes are resolved, bytes encoded.
SELECT path || ' -> ' || split_part(pg_temp.canonical('GET', path, '', 'host', ''), E'\n', 2)
FROM unnest(ARRAY['/', '//', '/./', '/example/..', '/example1/example2/../..', '/./example', '//example//',
	'/example space/', '/-._~0123456789ABCxyz', '/ሴ', '/a%20b', '/..', '/../../a', '/a/../../b/', '/a/.', '*']) path;

-- Parameters: sorted by name, then value, after decoding and encoding anew.
SELECT query || ' -> ' || split_part(pg_temp.canonical('GET', '/', query, 'host', ''), E'\n', 3)
FROM unnest(ARRAY['Param1=value1', 'Param2=value2&Param1=value1', 'Param1=Value1&Param1=value2&Param1=value1',
	'Param1=value2&Param1=value1', '-._~0123456789=-._~abc', 'ሴ=bar', 'a=1&ab=2&a%20=3&a-=4', 'empty', 'a=&a',
	'x=%7e%2F%zz%', 'a=b=c', '&&a=1&']) query;

-- Headers: names in lower case and sorted, values trimmed, inner blanks made one.
SELECT pg_temp.canonical('GET', '/', '', 'host;my-header1;x-amz-date', E'My-Header1:value2\nMy-Header1:value2\nMy-Header1:value1');
SELECT pg_temp.canonical('GET', '/', '', 'host;my-header1;my-header2;x-amz-date', E'My-Header1: value1  \nMy-Header2: "a   b   c" ');
SELECT pg_temp.canonical('POST', '/', '', 'X-Amz-Date;HOST;My-Header1', E'MY-HEADER1:VALUE1');
SELECT pg_temp.canonical('POST', '/', '', 'host;absent', '');

-- Right signatures, computed by an independent implementation.
SELECT pg_temp.verify('GET', '/', '', E'Host:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\nAuthorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20150830/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=ec25d3e73c6db7065ea3e0ab894b99284ebcf8db0c94a1bb1771c8960147b6a8');
SELECT pg_temp.verify('POST', '/', '', E'x-amz-target:DynamoDB_20120810.DescribeTable\nhost:example.amazonaws.com\nx-unsigned:1\ncontent-type: application/x-amz-json-1.0\nx-amz-date:20150830T123600Z\nauthorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20150830/us-east-1/dynamodb/aws4_request,SignedHeaders=content-type;host;x-amz-date;x-amz-target   Signature=7b420cf9b11cc886b95e150d8f5d4d8ec35962bfdc4eb01d766ea5a1104d1818', '{"TableName": "t"}');
-- By query string, and good for the minute it asks for, no longer.
SELECT pg_temp.verify('GET', '/', 'X-Amz-Expires=60&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20150830%2Fus-east-1%2Fdynamodb%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Signature=3359447ac6c8212255cba6b3a4bc2c3e31577f7da1a838bdfd1345ffe2724ef8', 'Host:example.amazonaws.com', '', now)
FROM unnest(ARRAY['2015-08-30 12:37:00+00', '2015-08-30 12:37:01+00']::timestamptz[]) now;
-- With a Date header of the HTTP form.
SELECT pg_temp.verify('GET', '/', '', E'Host:example.amazonaws.com\nDate:Sun, 30 Aug 2015 12:36:00 GMT\nAuthorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20150830/us-east-1/dynamodb/aws4_request, SignedHeaders=date;host, Signature=101ae973a177b50a7032e77c56e865c74080998b7524b648abb921b34ec66f20');

-- The same date in other forms: the date is read, the signature is another.
SELECT date || ': ' || split_part(pg_temp.verify('GET', '/', '', E'Host:h\nDate:' || date || E'\nAuthorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20150830/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0'), ' Check', 1)
FROM unnest(ARRAY['20150830T123600Z', 'Sunday, 30-Aug-15 12:36:00 GMT', 'Sun Aug 30 12:36:00 2015', 'Sun, 31 Feb 2015 12:36:00 GMT',
	'20150830T123660Z', '20150830T126000Z', '2015-08-30T12:36:00Z', '20150830T123600', '20150830T123600Z ', 'today', repeat('9', 1000), 'Sun, 30 Aug 2015 12:36:00 CET']) date;

-- Row by row.
CREATE FUNCTION pg_temp.authorization(value text, headers text DEFAULT E'X-Amz-Date:20150830T123600Z', query text DEFAULT '')
RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.verify('POST', '/', query, headers || E'\nHost:h\nAuthorization:' || value)
$$;
SELECT pg_temp.authorization('AWS4-HMAC-SHA256 x', query => 'X-Amz-Algorithm=AWS4-HMAC-SHA256');
SELECT pg_temp.verify('POST', '/', '', 'Host:h');
SELECT pg_temp.authorization('');
SELECT pg_temp.authorization('Basic YTpi');
SELECT pg_temp.authorization('AWS4-HMAC-SHA256');
SELECT pg_temp.authorization('AWS4-HMAC-SHA256 Credential=, SignedHeaders=host', 'X-None:1');
SELECT pg_temp.authorization('AWS4-HMAC-SHA256 Signature=a, Credential=b');
SELECT pg_temp.verify('GET', '/', 'X-Amz-Algorithm=', 'Host:h');
SELECT pg_temp.verify('GET', '/', 'X-Amz-Algorithm=a&X-Amz-Date=b&X-Amz-Credential=c', 'Host:h');
SELECT pg_temp.authorization('AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c', 'X-Amz-Date:now');
-- The date comes before all that follows; 15 minutes each way are right still.
SELECT pg_temp.verify('POST', '/', '', E'X-Amz-Date:20150830T123600Z\nHost:h\nAuthorization:AWS4-X Credential=a, SignedHeaders=b, Signature=c', '', now)
FROM unnest(ARRAY['2015-08-30 12:51:01+00', '2015-08-30 12:51:00+00', '2015-08-30 12:21:00+00', '2015-08-30 12:20:59+00']::timestamptz[]) now;
SELECT pg_temp.authorization('AWS4-X Credential=a, SignedHeaders=b;x-amz-date, Signature=c');
SELECT pg_temp.authorization('AWS4-X Credential=a, SignedHeaders=host, Signature=c');
SELECT pg_temp.authorization('AWS4-HMAC-SHA256 Credential=a/b/c/d//, SignedHeaders=host, Signature=c');
SELECT pg_temp.authorization('AWS4-HMAC-SHA256 Credential=a/b/c/d/e/f, SignedHeaders=host, Signature=c');
SELECT pg_temp.authorization('AWS4-HMAC-SHA256 Credential=a/20150830/us-east-1/dynamodb/AWS4_request/, SignedHeaders=host, Signature=c');
SELECT pg_temp.authorization('AWS4-HMAC-SHA256 Credential=a/20150829/US-EAST-1/s3/x, SignedHeaders=host, Signature=c');
SELECT pg_temp.authorization('AWS4-HMAC-SHA256 Credential=alternator/20150830/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=c');
SELECT pg_temp.authorization('AWS4-HMAC-SHA256 Credential=' || repeat('A', 1000) || '/20150830/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=c');
SELECT pg_temp.authorization('AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20150830/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=c');
-- A session token: there are none.
SELECT pg_temp.verify('GET', '/', '', E'Host:example.amazonaws.com\nX-Amz-Security-Token:token\nX-Amz-Date:20150830T123600Z\nAuthorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20150830/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=ec25d3e73c6db7065ea3e0ab894b99284ebcf8db0c94a1bb1771c8960147b6a8');
-- What is quoted is made harmless.
SELECT pg_temp.authorization(E'AWS4-HMAC-SHA256 Credential=\u00e9\x01"<');
-- More signed headers than anybody sends.
SELECT pg_temp.authorization('AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host' || repeat(';a', 10000) || ', Signature=c');

-- A changed key counts at once, for this session too.
CREATE FUNCTION pg_temp.signed() RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.verify('GET', '/', '', E'Host:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\nAuthorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20150830/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=ec25d3e73c6db7065ea3e0ab894b99284ebcf8db0c94a1bb1771c8960147b6a8')
$$;
SELECT pg_temp.signed();
SELECT dynamo.update_access_key('AKIAIOSFODNN7EXAMPLE', false);
SELECT pg_temp.signed();
SELECT dynamo.update_access_key('AKIAIOSFODNN7EXAMPLE', true);
SELECT pg_temp.signed();
-- Its role is the one that counts, and must be there.
CREATE ROLE auth_sigv4_role;
UPDATE dynamo.access_keys SET role = 'auth_sigv4_role' WHERE access_key_id = 'AKIAIOSFODNN7EXAMPLE';
SELECT dynamo_internal.verify_signature('GET', '/', '', E'Host:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\nAuthorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20150830/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=ec25d3e73c6db7065ea3e0ab894b99284ebcf8db0c94a1bb1771c8960147b6a8', '', '2015-08-30 12:36:00+00');
DROP ROLE auth_sigv4_role;
SELECT pg_temp.signed();
UPDATE dynamo.access_keys SET role = current_user::regrole WHERE access_key_id = 'AKIAIOSFODNN7EXAMPLE';
SELECT pg_temp.signed();
BEGIN;
TRUNCATE dynamo.access_keys CASCADE;
SELECT pg_temp.signed();
ROLLBACK;
SELECT pg_temp.signed();
DELETE FROM dynamo.access_keys WHERE access_key_id = 'AKIAIOSFODNN7EXAMPLE';
SELECT pg_temp.signed();

-- More signers than the cache has places: each is right all the same.
SELECT access_key_id AS key FROM dynamo.create_access_key() \gset
SELECT split_part(pg_temp.verify('GET', '/', '', format(E'Host:h\nX-Amz-Date:20150830T123600Z\nAuthorization:AWS4-HMAC-SHA256 Credential=%s/20150830/r-%s/dynamodb/aws4_request, SignedHeaders=host, Signature=0', :'key', n)), ' Check', 1), count(*)
FROM generate_series(1, 2000) n GROUP BY 1;
SELECT dynamo.delete_access_key(:'key');
