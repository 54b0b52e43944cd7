-- The SQL type dynamo.item: casts, operators, storage.
SET search_path = public, dynamo;

CREATE TABLE item_type (id int PRIMARY KEY, item dynamo.item);
INSERT INTO item_type VALUES
	(1, '{"s": {"S": "text"}, "n": {"N": "1.50"}, "b": {"B": "AAEC"}, "t": {"BOOL": true}, "z": {"NULL": true}, "l": {"L": [{"N": "1"}, {"M": {"k": {"S": "deep"}}}]}, "ss": {"SS": ["b", "a"]}}'),
	(2, '{"s": {"S": "other"}, "n": {"N": "15e-1"}, "0": {"S": "zero"}}'),
	(3, '{}'),
	(4, NULL);

-- Attributes, as AttributeValue and as text.
SELECT id, item -> 's' AS s, item ->> 's' AS s_text, item ->> 'n' AS n, item ->> 'b' AS b, item ->> 't' AS t, item ->> 'z' AS z, item ->> 'l' AS l, item ->> 'ss' AS ss FROM item_type ORDER BY id;
SELECT item -> 'l' -> 'L' -> 1 -> 'M' -> 'k' ->> 'S' AS with_json_operators FROM item_type WHERE id = 1;
SELECT item #> '{l,1,k}' AS a, item #>> '{l,1,k}' AS b, item #>> '{l,0}' AS c, item #> '{l,2}' AS d, item #> '{l,x}' AS e, item #> '{s,x}' AS f,
       item #> '{l,-1}' AS g, item #> '{l,99999999999}' AS h, item #> ARRAY['l', NULL] AS i FROM item_type WHERE id = 1;
SELECT item #> '{0}' AS name_of_digits, item #> '{}' AS whole FROM item_type WHERE id = 2;
SELECT id, item ? 's' AS has_s, item ? 'l' AS has_l FROM item_type ORDER BY id;

-- Containment: maps by entry, sets by member, lists by element.
SELECT id FROM item_type WHERE item @> '{"n": {"N": "1.5"}}' ORDER BY id;
SELECT id FROM item_type WHERE item @> '{}' ORDER BY id;
SELECT c, item @> c::dynamo.item AS contains, c::dynamo.item <@ item AS contained FROM item_type, unnest(ARRAY[
	'{"ss": {"SS": ["a"]}}', '{"ss": {"SS": ["c"]}}', '{"ss": {"L": []}}', '{"l": {"L": []}}', '{"l": {"L": [{"M": {}}]}}',
	'{"l": {"L": [{"M": {"k": {"S": "deep"}}}, {"N": "1.0"}]}}', '{"l": {"L": [{"N": "2"}]}}', '{"t": {"BOOL": false}}', '{"t": {"BOOL": true}}', '{"z": {"NULL": true}}', '{"x": {"S": "x"}}']) AS c WHERE id = 1;

-- Equality is by value, so is everything built on the hash.
SELECT '{"a": {"N": "1e3"}, "b": {"SS": ["x", "y"]}}'::dynamo.item = '{"b": {"SS": ["y", "x"]}, "a": {"N": "1000"}}' AS equal,
       '{"a": {"N": "1"}}'::dynamo.item <> '{"a": {"S": "1"}}' AS differ,
       '{"a": {"BOOL": true}}'::dynamo.item = '{"a": {"BOOL": false}}' AS booleans,
       '{"a": {"L": [{"N": "1"}, {"N": "2"}]}}'::dynamo.item = '{"a": {"L": [{"N": "2"}, {"N": "1"}]}}' AS lists;
SELECT count(DISTINCT item::text) AS texts, count(*) AS groups FROM (
	SELECT item FROM unnest(ARRAY['{"a": {"N": "1"}}', '{"a": {"N": "1.0"}}', '{"a": {"N": "2"}}']::dynamo.item[]) AS item GROUP BY item) x;
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT * FROM item_type a JOIN item_type b ON a.item = b.item;
SELECT a.id, b.id FROM item_type a JOIN item_type b ON a.item = b.item ORDER BY 1, 2;
RESET enable_nestloop;
CREATE INDEX item_type_hash ON item_type USING hash (item);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM item_type WHERE item = '{"n": {"N": "1.5"}, "0": {"S": "zero"}, "s": {"S": "other"}}';
SELECT id FROM item_type WHERE item = '{"n": {"N": "1.5"}, "0": {"S": "zero"}, "s": {"S": "other"}}';
RESET enable_seqscan;

-- Casts.
SELECT item::json, item::jsonb, item::json::dynamo.item = item AS by_json, item::jsonb::dynamo.item = item AS by_jsonb,
       item::text::dynamo.item = item AS by_text FROM item_type WHERE id = 1;
SELECT dynamo.to_plain_json('{"s": {"S": "x\"y"}, "n": {"N": "1e20"}, "b": {"B": "AAEC"}, "t": {"BOOL": true}, "z": {"NULL": true}, "l": {"L": [{"N": "1"}, {"M": {"k": {"NS": ["2", "1"]}}}]}, "bs": {"BS": ["AA=="]}}');
INSERT INTO item_type VALUES (5, '{"a": {"S": "assigned"}}'::json), (6, '{"a": {"S": "assigned"}}'::jsonb);
SELECT count(*) FROM item_type WHERE item ->> 'a' = 'assigned';
SELECT '[]'::json::dynamo.item;
SELECT 'x'::dynamo.item;

-- NUL characters live in items and in json; text and jsonb cannot hold them.
SELECT i, i::json, dynamo.item_size(i), i = i::json::dynamo.item AS same, dynamo.to_plain_json(i) FROM CAST('{"a": {"S": "x\u0000y"}, "\u0000": {"L": []}}' AS dynamo.item) AS i;
SELECT '{"a": {"S": "x\u0000y"}}'::dynamo.item ->> 'a';
SELECT '{"a": {"L": [{"SS": ["x\u0000y"]}]}}'::dynamo.item::jsonb;
SELECT '{"a\u0000": {"N": "1"}}'::dynamo.item::jsonb;

-- Toasted, compressed, and read again.
INSERT INTO item_type SELECT 100, format('{"big": {"S": "%s"}, "flat": {"S": "%s"}, "small": {"N": "7"}}',
	string_agg(md5(i::text), ''), repeat('x', 100000))::dynamo.item FROM generate_series(1, 3000) AS i;
SELECT pg_column_size(item) < dynamo.item_size(item) AS compressed, dynamo.item_size(item), item ->> 'small' AS small, md5(item ->> 'big') FROM item_type WHERE id = 100;
SELECT pg_relation_size(reltoastrelid) > 0 AS toasted FROM pg_class WHERE oid = 'item_type'::regclass;

-- The binary form.
SELECT dynamo_internal.item_from_bytes(dynamo.item_send(item)) = item AS same FROM item_type WHERE id IN (1, 100);
SELECT dynamo_internal.item_from_bytes('\xd1010203');

-- Everything has a comment.
SELECT 'function ' || p.oid::regprocedure AS uncommented FROM pg_proc p WHERE pronamespace = 'dynamo'::regnamespace AND proname ~ '^(item|to)_' AND obj_description(p.oid, 'pg_proc') IS NULL
UNION ALL
SELECT 'operator ' || o.oid::regoperator FROM pg_operator o WHERE oprnamespace = 'dynamo'::regnamespace AND obj_description(o.oid, 'pg_operator') IS NULL;
DROP TABLE item_type;
