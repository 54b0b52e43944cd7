-- Keys: messages of both families, sizes, the stable hash.

CREATE FUNCTION pg_temp.put_key(i text, VARIADIC s text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN dynamo_internal.key_from_item(i::dynamo.item, s[1], s[2], s[3], s[4])::text;
EXCEPTION WHEN SQLSTATE 'KV001' THEN
	RETURN sqlerrm;
END $$;
CREATE FUNCTION pg_temp.get_key(i text, VARIADIC s text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN dynamo_internal.key_from_argument(i::dynamo.item, s[1], s[2], s[3], s[4])::text;
EXCEPTION WHEN SQLSTATE 'KV001' THEN
	RETURN sqlerrm;
END $$;

-- From an item: the other attributes do not matter.
SELECT pg_temp.put_key('{"p": {"S": "x"}, "s": {"N": "1.0"}, "z": {"NULL": true}}', 'p', 'S', 's', 'N');
SELECT pg_temp.put_key('{"p": {"B": "AA=="}, "s": {"N": "1.0"}}', 'p', 'B');
SELECT pg_temp.put_key('{"s": {"N": "1"}}', 'p', 'S', 's', 'N');
SELECT pg_temp.put_key('{"p": {"S": "x"}}', 'p', 'S', 's', 'N');
SELECT pg_temp.put_key('{"p": {"N": "1"}}', 'p', 'S');
SELECT pg_temp.put_key('{"p": {"NULL": true}}', 'p', 'S');
SELECT pg_temp.put_key('{"p": {"S": "x"}, "s": {"L": []}}', 'p', 'S', 's', 'N');
SELECT pg_temp.put_key('{"p": {"S": ""}}', 'p', 'S');
SELECT pg_temp.put_key('{"p": {"S": "x"}, "s": {"B": ""}}', 'p', 'S', 's', 'B');

-- From a Key argument: exactly the key attributes.
SELECT pg_temp.get_key('{"p": {"S": "x"}, "s": {"N": "1.0"}}', 'p', 'S', 's', 'N');
SELECT pg_temp.get_key('{}', 'p', 'S');
SELECT pg_temp.get_key('{"q": {"S": "x"}}', 'p', 'S');
SELECT pg_temp.get_key('{"p": {"N": "1"}}', 'p', 'S');
SELECT pg_temp.get_key('{"p": {"S": "x"}, "s": {"N": "1"}}', 'p', 'S');
SELECT pg_temp.get_key('{"p": {"S": "x"}}', 'p', 'S', 's', 'N');
SELECT pg_temp.get_key('{"p": {"S": "x"}, "s": {"S": "1"}}', 'p', 'S', 's', 'N');
SELECT pg_temp.get_key('{"p": {"S": ""}}', 'p', 'S');
SELECT pg_temp.get_key('{"p": {"S": "x"}, "s": {"S": ""}}', 'p', 'S', 's', 'S');

-- Sizes: bytes, not characters and not base64.
SELECT n, left(pg_temp.get_key(format('{"p": {"S": "%s"}}', repeat('x', n)), 'p', 'S'), 130) AS s,
       left(pg_temp.get_key(format('{"p": {"B": "%s"}}', translate(encode(convert_to(repeat('x', n), 'UTF8'), 'base64'), E'\n', '')), 'p', 'B'), 130) AS b
FROM unnest(ARRAY[2048, 2049]) AS n;
SELECT left(pg_temp.put_key(format('{"p": {"S": "%s"}}', repeat('é', 1025)), 'p', 'S'), 130);
SELECT n, left(pg_temp.put_key(format('{"p": {"S": "x"}, "s": {"S": "%s"}}', repeat('x', n)), 'p', 'S', 's', 'S'), 130) FROM unnest(ARRAY[1024, 1025]) AS n;

-- The hash is stored: these values may never change.
SELECT v, dynamo_internal.key_hash(v) FROM unnest(ARRAY['{"S": "a"}', '{"S": "b"}', '{"S": "abcdefgh"}', '{"S": "abcdefghi"}', '{"N": "1"}', '{"N": "1000"}', '{"N": "1e3"}', '{"B": "AAAA"}', '{"B": "AAA="}']) AS v;
-- It spreads: each of 16 ranges of the hash space gets its share of sequential keys.
SELECT count(*) AS ranges, min(n) > 5500 AND max(n) < 7000 AS even
FROM (SELECT dynamo_internal.key_hash(format('{"S": "user#%s"}', i)) >> 60 AS range, count(*) AS n FROM generate_series(1, 100000) AS i GROUP BY 1) x;
