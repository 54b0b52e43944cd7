-- The stored form: sizes, canonical bytes, damaged bytes.
SET search_path = public, dynamo;

-- Sizes as the service counts them.
SELECT v AS "AttributeValue", dynamo.item_size(('{"name": ' || v || '}')::dynamo.item) - 4 AS size FROM unnest(ARRAY[
	'{"S": ""}', '{"S": "abc"}', '{"S": "é€😀"}', '{"S": "a\u0000"}', '{"B": ""}', '{"B": "AAEC"}',
	'{"N": "0"}', '{"N": "-0"}', '{"N": "7"}', '{"N": "100"}', '{"N": "12"}', '{"N": "123"}', '{"N": "1.5"}', '{"N": "0.15"}',
	'{"N": "3.14159"}', '{"N": "-7"}', '{"N": "1E125"}', '{"N": "99999999999999999999999999999999999999"}',
	'{"BOOL": true}', '{"NULL": true}', '{"SS": ["a", "bc"]}', '{"NS": ["1", "-2.5"]}', '{"BS": ["AA==", "AAEC"]}',
	'{"L": []}', '{"L": [{"S": "a"}, {"N": "1"}]}', '{"M": {}}', '{"M": {"ab": {"S": "c"}, "d": {"L": [{"NULL": true}]}}}']) AS v;
SELECT dynamo.item_size('{}'), dynamo.item_size('{"é": {"S": "x"}, "b": {"NULL": true}}');

-- One value, one form: order, exponents and blanks leave no trace.
SELECT dynamo.item_send('{"b": {"NS": ["10", "9"]}, "a": {"M": {"y": {"BOOL": true}, "x": {"S": "v"}}}}');
SELECT dynamo.item_send('{"a": {"M": {"x": {"S": "v"}, "y": {"BOOL": true}}}, "b": {"NS": ["9.0", "1e1"]}}');
-- A name twice: the last value counts, also nested.
SELECT '{"a": {"N": "1"}, "b": {"M": {"x": {"N": "1"}, "w": {"N": "3"}, "x": {"N": "2"}}}, "a": {"N": "4"}}'::dynamo.item;

-- Offsets of 1, 2 and 4 bytes.
SELECT n, get_byte(dynamo.item_send(i), 1) AS width, i ->> 'k1' AS first, i ->> ('k' || n) AS last, i ? 'k0' AS absent,
       dynamo_internal.item_from_bytes(dynamo.item_send(i)) = i AS same
FROM (SELECT n, (SELECT ('{' || string_agg(format('"k%s": {"N": "%s"}', k, k), ',' ORDER BY md5(k::text)) || '}')::dynamo.item
                 FROM generate_series(1, n) AS k) AS i
      FROM unnest(ARRAY[10, 1000, 20000]) AS n) x;

-- Every prefix, and every item with one byte changed, is either refused or a good item; nothing crashes.
CREATE FUNCTION pg_temp.read(b bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	i dynamo.item;
BEGIN
	i := dynamo_internal.item_from_bytes(b);
	IF dynamo.item_send(i) <> b OR dynamo.item_send(i::text::dynamo.item) <> b THEN
		RETURN 'accepted, not canonical';
	END IF;
	RETURN 'accepted';
EXCEPTION WHEN data_corrupted THEN
	RETURN 'refused';
END $$;
CREATE TEMP TABLE sample AS
SELECT dynamo.item_send('{"a": {"S": "éx"}, "b": {"N": "-1.5"}, "c": {"BOOL": true}, "d": {"L": [{"NULL": true}, {"M": {"x": {"B": "AAEC"}}}]},
	"e": {"SS": ["a", "b"]}, "f": {"NS": ["1", "-2"]}, "g": {"BS": ["AA==", ""]}, "h": {"M": {}}}') AS b;
SELECT pg_temp.read(b) FROM sample;
SELECT pg_temp.read(substr(b, 1, n)), count(*) FROM sample, generate_series(0, length(b) - 1) AS n GROUP BY 1;
SELECT pg_temp.read(b || '\x00') FROM sample;
SELECT pg_temp.read(set_byte(b, n, v)) AS result, count(*) > 0 AS any
FROM sample, generate_series(0, length(b) - 1) AS n, generate_series(0, 255) AS v
WHERE get_byte(b, n) <> v GROUP BY 1 ORDER BY 1;
-- By hand: wrong magic, unsorted names, wide offsets, an empty set, an empty name, overlong name length, bad number, bad UTF-8.
SELECT b, pg_temp.read(b) FROM unnest(ARRAY[
	'\xd10100', '\xd20100', '\xd00100', '\xd1', '',
	'\xd10102030601610561026205', '\xd1010203060161050162 05', '\xd101020306016205016105', '\xd101020306016105016105',
	'\xd102010003000161 05', '\xd1010105016108 0100', '\xd101010200 05', '\xd1010105ff01006105', '\xd1010104 016102c1', '\xd101010401610180',
	'\xd10101 03016114', '\xd101010301 6115', '\xd1010103016124', '\xd10101030161 0b', '\xd10101030161 00']::bytea[]) AS b;
