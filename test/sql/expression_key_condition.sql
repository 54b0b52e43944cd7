-- KeyConditionExpression: what an index is asked for, and what it is not.
SET search_path = public, dynamo, dynamo_internal;
\pset format unaligned
\pset tuples_only on
\pset fieldsep ' -> '

CREATE FUNCTION pg_temp.check(expression text, "values" json, names json DEFAULT NULL, sort_name text DEFAULT 's', sort_type text DEFAULT 'S', partition_type text DEFAULT 'S') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN key_condition(expression, names, "values", 'p', partition_type, sort_name, sort_type);
EXCEPTION WHEN sqlstate 'KV001' THEN
	RETURN '! ' || sqlerrm;
END $$;

SELECT e, pg_temp.check(e, v::json) FROM (VALUES
	('p = :p', '{":p": {"S": "a"}}'), (':p = p', '{":p": {"S": "a"}}'), ('(p = :p)', '{":p": {"S": "a"}}'), ('(p) = (:p)', '{":p": {"S": "a"}}'),
	('p = :p AND s = :s', '{":p": {"S": "a"}, ":s": {"S": "b"}}'), ('s = :s AND p = :p', '{":p": {"S": "a"}, ":s": {"S": "b"}}'), ('(p = :p) AND (s = :s)', '{":p": {"S": "a"}, ":s": {"S": "b"}}'), ('(p = :p AND s = :s)', '{":p": {"S": "a"}, ":s": {"S": "b"}}'),
	('p = :p AND s < :s', '{":p": {"S": "a"}, ":s": {"S": "b"}}'), ('p = :p AND s <= :s', '{":p": {"S": "a"}, ":s": {"S": "b"}}'), ('p = :p AND s > :s', '{":p": {"S": "a"}, ":s": {"S": "b"}}'), ('p = :p AND s >= :s', '{":p": {"S": "a"}, ":s": {"S": "b"}}'),
	(':s < s AND p = :p', '{":p": {"S": "a"}, ":s": {"S": "b"}}'), ('p = :p AND :s <= s', '{":p": {"S": "a"}, ":s": {"S": "b"}}'), ('p = :p AND :s > s', '{":p": {"S": "a"}, ":s": {"S": "b"}}'), ('p = :p AND :s >= s', '{":p": {"S": "a"}, ":s": {"S": "b"}}'), ('p = :p AND :s = s', '{":p": {"S": "a"}, ":s": {"S": "b"}}'),
	('p = :p AND s BETWEEN :s AND :t', '{":p": {"S": "a"}, ":s": {"S": "b"}, ":t": {"S": "c"}}'), ('s BETWEEN :s AND :t AND p = :p', '{":p": {"S": "a"}, ":s": {"S": "b"}, ":t": {"S": "b"}}'), ('p = :p AND begins_with(s, :s)', '{":p": {"S": "a"}, ":s": {"S": "b"}}'), ('begins_with(s, :p) and p = :p', '{":p": {"S": "a"}}')) AS t(e, v);
SELECT pg_temp.check('#p = :p AND #s > :s', '{":p": {"S": "a"}, ":s": {"S": "b"}}', '{"#p": "p", "#s": "s"}'), pg_temp.check('p = :p', '{":p": {"S": "a"}}', sort_name => NULL);
SELECT pg_temp.check('p = :p AND s > :s', '{":p": {"N": "1"}, ":s": {"N": "-2.50"}}', sort_type => 'N', partition_type => 'N'), pg_temp.check('p = :p AND begins_with(s, :s)', '{":p": {"B": "AQ=="}, ":s": {"B": "AgM="}}', sort_type => 'B', partition_type => 'B');

-- What no key condition has, and what each may compare.
SELECT e, pg_temp.check(e, '{":p": {"S": "a"}, ":s": {"S": "b"}}') FROM unnest(ARRAY[
	'p = :p OR s = :s', 'NOT p = :p AND s = :s', 'p = :p AND NOT s = :s', 'p = :p AND (s = :s OR s = :p)', 'p IN (:p, :s)', 'p <> :p AND s = :s', 'p = :p AND s <> :s',
	'attribute_exists(p) AND s = :s AND p = :p', 'p = :p AND s = :s AND attribute_not_exists(x)', 'p = :p AND contains(s, :s)', 'p = :p AND attribute_type(s, :t)', 'size(p) = :p AND s = :s', 'p = :p AND :s = size(s)', 'p = :p AND s BETWEEN size(x) AND :s',
	'p = :p AND :s BETWEEN s AND :p', 'p = :p AND :s BETWEEN :p AND :s', 'p = :p AND begins_with(:s, s)', 'p = :p AND begins_with(:s, :p)', 'p = s AND p = :p AND s = :s', 'p = :p AND s BETWEEN :s AND x', 'p = :p AND begins_with(s, x)', 'p.x = :p AND s = :s', 'p = :p AND s[0] = :s', 'p = :p AND begins_with(s.x, :s)', 'p = :p AND :s = :p', 'p = :p AND p = :s', 'p = :p AND s > :s AND s < :p',
	'p = :p AND s = :s AND x = :p', '((p = :p)) AND s = :s', 'p = :p AND s = :s AND', 'p = :p, s = :s', 'key = :p AND s = :s', 'foo(p) AND p = :p AND s = :s', 'p = :p AND s = :x AND s = :s', 'p = :p AND size(s)', 'p = p AND s = :s AND p = :p']) AS e;
SELECT pg_temp.check('p = :p', '{":p": {"S": "a"}, ":s": {"S": "b"}}'), pg_temp.check('p = :p', '{":p": {"S": "a"}}', '{"#s": "s"}'), pg_temp.check('', NULL), pg_temp.check(repeat('p', 4097), NULL);
-- The first condition that is wrong is reported, whatever is wrong with it.
SELECT e, pg_temp.check(e, '{":p": {"S": "a"}}') FROM unnest(ARRAY['p.x = :p AND contains(s, :p)', 'contains(s, :p) AND p.x = :p', 'p = :p AND p = :p AND x.y = :p', 'p = :p AND (s = :p AND (x = :p AND s IN (:p)))']) AS e;

-- Against the key schema.
SELECT e, t, pg_temp.check(e, v::json, sort_name => t) FROM (VALUES
	('s = :s', 's', '{":s": {"S": "b"}}'), ('x = :s AND s = :s', 's', '{":s": {"S": "b"}}'), ('p = :s AND x = :s', 's', '{":s": {"S": "b"}}'), ('p = :s AND x = :s', NULL, '{":s": {"S": "b"}}'),
	('p > :s', 's', '{":s": {"S": "b"}}'), ('p < :s AND s = :s', 's', '{":s": {"S": "b"}}'), ('begins_with(p, :s)', 's', '{":s": {"S": "b"}}'), ('p BETWEEN :s AND :s', 's', '{":s": {"S": "b"}}'), ('p = :n', 's', '{":n": {"N": "1"}}'), ('p = :n', 's', '{":n": {"BOOL": true}}'), ('p = :n', 's', '{":n": {"L": []}}'), ('p = :s AND s = :n', 's', '{":s": {"S": "b"}, ":n": {"N": "1"}}'), ('p = :s AND s BETWEEN :n AND :n', 's', '{":s": {"S": "b"}, ":n": {"N": "1"}}'),
	('p = :s', 's', '{":s": {"S": ""}}'), ('p = :p AND s > :s', 's', '{":p": {"S": "a"}, ":s": {"S": ""}}'), ('p = :p AND s BETWEEN :s AND :p', 's', '{":p": {"S": "a"}, ":s": {"S": ""}}'), ('p = :b', 's', '{":b": {"B": ""}}')) AS t(e, t, v);
SELECT pg_temp.check('p = :b', '{":b": {"B": ""}}', partition_type => 'B'), pg_temp.check('p = :p AND begins_with(s, :n)', '{":p": {"S": "a"}, ":n": {"N": "1"}}', sort_type => 'N'), pg_temp.check('p = :p AND begins_with(s, :n)', '{":p": {"S": "a"}, ":n": {"S": "1"}}', sort_type => 'N');
SELECT pg_temp.check('p = :p AND s BETWEEN :x AND :y', '{":p": {"S": "a"}, ":x": {"S": "b"}, ":y": {"S": "a"}}'), pg_temp.check('p = :p AND s BETWEEN :x AND :y', '{":p": {"S": "a"}, ":x": {"S": "b"}, ":y": {"N": "1"}}'), pg_temp.check('p = :p AND s > :x', '{":p": {"S": "a"}, ":x": {"M": {}}}');
-- Keys are no longer here than in an item.
SELECT n, left(pg_temp.check('p = :p', json_build_object(':p', json_build_object('S', repeat('x', n)))), 100) FROM unnest(ARRAY[2048, 2049]) AS n;
SELECT n, left(pg_temp.check('p = :p AND begins_with(s, :s)', json_build_object(':p', '{"S": "a"}'::json, ':s', json_build_object('S', repeat('x', n)))), 110) FROM unnest(ARRAY[1024, 1025]) AS n;

-- Keys of several attributes: all of the partition, the sort attributes from the left, one range at the end.
CREATE FUNCTION pg_temp.several(expression text, "values" json) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN key_condition(expression, NULL, "values", 'p,q', 'S,N', 'a,b,c', 'S,N,B');
EXCEPTION WHEN sqlstate 'KV001' THEN
	RETURN '! ' || sqlerrm;
END $$;
SELECT e, pg_temp.several(e, (SELECT json_object_agg(k, v) FROM json_each('{":p": {"S": "p"}, ":q": {"N": "1"}, ":c": {"B": "YQ=="}}') j(k, v)
	WHERE e ~ (k || '\M'))) FROM unnest(ARRAY[
	'p = :p AND q = :q', 'q = :q AND p = :p', 'p = :p AND q = :q AND a > :p', 'p = :p AND q = :q AND begins_with(a, :p)',
	'b BETWEEN :q AND :q AND q = :q AND p = :p AND a = :p', 'p = :p AND q = :q AND a = :p AND b = :q AND c <= :c', ':c > c AND p = :p AND q = :q AND a = :p AND b = :q',
	'p = :p', 'q = :q AND a = :p', 'p = :p AND q > :q', 'p = :p AND q = :p', 'p = :p AND q = :q AND b = :q', 'p = :p AND q = :q AND c = :c', 'p = :p AND q = :q AND a = :p AND c = :c',
	'p = :p AND q = :q AND a < :p AND b = :q', 'p = :p AND q = :q AND x = :p', 'p = :p AND q = :q AND a = :p AND x = :p', 'p = :p AND q = :q AND a = :q',
	'p = :p AND q = :q AND a = :p AND b = :q AND c = :c AND x = :p', 'p = :p AND q = :q AND a = :p AND a = :p', 'p = :p AND q = :q AND (a = :p OR b = :q)']) e;
-- Their parts have one limit together.
SELECT n, left(pg_temp.several('p = :p AND q = :q AND a = :a AND b = :q AND c > :c', json_build_object(':p', '{"S": "p"}'::json, ':q', '{"N": "1"}'::json,
	':a', json_build_object('S', repeat('a', 1000)), ':c', json_build_object('B', encode(repeat('c', n)::bytea, 'base64')))), 110) FROM unnest(ARRAY[24, 25]) n;
