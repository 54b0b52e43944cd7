-- UpdateExpression: clauses, texts of errors, the item afterwards and what ReturnValues shows.
SET search_path = public, dynamo, dynamo_internal;
\pset format unaligned
\pset tuples_only on
\pset fieldsep ' -> '

CREATE FUNCTION pg_temp.parse(expression text, "values" json DEFAULT NULL, names json DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN parse_update(expression, names, "values");
EXCEPTION WHEN sqlstate 'KV001' THEN
	RETURN regexp_replace(sqlerrm, '^Invalid UpdateExpression: ', '! ');
END $$;
-- The new item, then UPDATED_OLD and UPDATED_NEW.
CREATE FUNCTION pg_temp.apply(expression text, item dynamo.item, "values" json DEFAULT NULL, names json DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	r := apply_update(expression, names, "values", item, '{"p": {"S": "k"}}');
	RETURN concat(coalesce(r.new_item::text, 'no item'), E'\n  old ' || r.updated_old::text, E'\n  new ' || r.updated_new::text);
EXCEPTION WHEN sqlstate 'KV001' THEN
	RETURN '! ' || sqlerrm;
END $$;

SELECT e, pg_temp.parse(e, v::json) FROM (VALUES
	('SET a = b', NULL), ('set a=:n', '{":n": {"N": "1"}}'), ('SET a = b + :n, c = :n - d', '{":n": {"N": "1"}}'), ('SET a = (b + c) - (d + e)', NULL), ('SET a = (b), c = (d + e)', NULL), ('SET a = ((b) + c)', NULL), ('SET a.b[1] = b[0].c', NULL),
	('SET a = if_not_exists(a, b) + if_not_exists(c, d)', NULL), ('SET a = list_append(if_not_exists(a, b), c)', NULL), ('SET a = if_not_exists(b, if_not_exists(c, d))', NULL), ('SET a = list_append((b), (c))', NULL),
	('REMOVE a, b.c, d[1]', NULL), ('ADD a :n, b.c :n DELETE s :ss', '{":n": {"N": "1"}, ":ss": {"SS": ["a"]}}'), ('DELETE a :ss ADD b :ss REMOVE c SET d = :ss', '{":ss": {"SS": ["a"]}}'), ('remove a Set b = c aDD d :n', '{":n": {"N": "1"}}'),
	(E'SET\ta\r\n=\nb', NULL), ('SET b = not_a_keyword, c = c1', NULL)) AS t(e, v);

-- Syntax errors.
SELECT e, pg_temp.parse(e) FROM unnest(ARRAY['', ' ', '!!!', 'INVALID SYNTAX HERE', 'SET _123 = :v', 'SET', 'SET a', 'SET a =', 'SET a = b,', 'SET a = b c', 'SET a = b + c + d', 'SET a = b + c - d', 'SET a = b +', 'SET a = + b', 'SET a = -:v', 'SET a = b * c', 'SET a = f(x+y)', 'SET a = f((x+y))', 'SET a = f()', 'SET a = f(x', 'SET a = ()', 'SET :v = a', 'SET a, b', 'SET a :v', 'SET a = b; SET c = d', 'SET a == b', 'SET a < b', 'SET f(a) = b', 'SET (a) = b', 'SET a = 5', 'SET a = "x"', 'SET a[b] = c', 'SET a[-1] = c', 'SET a..b = c',
	'REMOVE', 'REMOVE a b', 'REMOVE a,', 'REMOVE :v', 'REMOVE a = b', 'REMOVE f(a)', 'ADD a', 'ADD a b', 'ADD a = :v', 'ADD a :v b', 'ADD a :v,', 'ADD a (:v)', 'ADD :v a', 'DELETE a', 'DELETE a b', 'DELETE a :v :w', 'DELETE', 'SET a = b REMOVE', 'SET a = b, REMOVE c', 'SET REMOVE a', 'a = b', 'PUT a = b', 'SET a = b AND c = d', 'SETa = b', 'ADD', 'SET a = (b', 'SET a = b)', 'SET set = a', 'SET a = b é', 'SET a[1 = b', 'REMOVE a.1']) AS e;
SELECT pg_temp.parse('SET a = ' || repeat('b', 4088)) ~ '^!', pg_temp.parse('SET a = ' || repeat('b', 4089)), pg_temp.parse('SET a = ((b))'), pg_temp.parse('SET a = ((b + c))'), pg_temp.parse('SET a = f(((b)))'), pg_temp.parse('SET a[99999999999999] = b'), pg_temp.parse('REMOVE a' || repeat('.b', 32));
SELECT n, left(pg_temp.parse('SET ' || string_agg('a' || i || '=b+c', ',' ORDER BY i)), 80) FROM unnest(ARRAY[300, 301]) AS n, generate_series(1, n) AS i GROUP BY n ORDER BY n;
SELECT left(pg_temp.parse('SET a = ' || repeat('(', 4000)), 60), left(pg_temp.parse('SET a = ' || repeat('if_not_exists(b,', 240) || 'c' || repeat(')', 240)), 20);

-- Each static error.
SELECT e, pg_temp.parse(e, v::json) FROM (VALUES
	('SET size = b', NULL), ('SET a = abort', NULL), ('SET a = f(Year)', NULL), ('REMOVE x.name', NULL), ('ADD counter :v', NULL),
	('SET a = foo(b)', NULL), ('SET a = size(b)', NULL), ('SET a = attribute_exists(b)', NULL), ('SET a = IF_NOT_EXISTS(b, c)', NULL), ('SET a = list_append(foo(b), c)', NULL),
	('SET a = b SET c = d', NULL), ('REMOVE a REMOVE b', NULL), ('ADD a :v ADD b :v', NULL), ('DELETE a :v SET b = c delete d :v', NULL), ('SET a = b REMOVE c SET d = e REMOVE f', NULL),
	('SET #a = b', NULL), ('SET a = b.#c', NULL), ('SET a = :v', NULL), ('ADD a :v', NULL), ('REMOVE a.#b', NULL),
	('SET a = b, a = c', NULL), ('SET a = b, a.b = c', NULL), ('SET a.b.c = x REMOVE a.b', NULL), ('SET a = b REMOVE a', NULL), ('REMOVE a[1], a[1].b', NULL), ('SET a = a', NULL), ('ADD a :n DELETE a :n', '{":n": {"N": "1"}}'),
	('SET a.b = x, a[1] = y', NULL), ('REMOVE a[0].b, a[0][0]', NULL), ('SET a[0] = x, a[1] = y, a[2].b = z', NULL),
	('ADD a :v', '{":v": {"S": "x"}}'), ('ADD a :v', '{":v": {"B": "AA=="}}'), ('ADD a :v', '{":v": {"BOOL": true}}'), ('ADD a :v', '{":v": {"NULL": true}}'), ('ADD a :v', '{":v": {"L": []}}'), ('ADD a :v', '{":v": {"M": {}}}'),
	('DELETE a :v', '{":v": {"S": "x"}}'), ('DELETE a :v', '{":v": {"N": "1"}}'), ('DELETE a :v', '{":v": {"B": "AA=="}}'), ('DELETE a :v', '{":v": {"BOOL": true}}'), ('DELETE a :v', '{":v": {"NULL": true}}'), ('DELETE a :v', '{":v": {"L": []}}'), ('DELETE a :v', '{":v": {"M": {}}}'),
	('SET a = b + :v', '{":v": {"S": "x"}}'), ('SET a = :v - b', '{":v": {"SS": ["x"]}}'), ('SET a = list_append(a, :v)', '{":v": {"S": "x"}}'), ('SET a = list_append(:v, a)', '{":v": {"NS": ["1"]}}'),
	('SET a = list_append(b)', NULL), ('SET a = list_append(b, c, d)', NULL), ('SET a = if_not_exists(b)', NULL), ('SET a = if_not_exists(b, c, d)', NULL), ('SET a = if_not_exists(:v, b)', '{":v": {"S": "x"}}'), ('SET a = if_not_exists(:v, b)', NULL), ('SET a = if_not_exists(if_not_exists(a, b), c)', NULL), ('SET a = list_append(list_append(b, c), d)', NULL), ('SET a = list_append(b, list_append(c, d))', NULL), ('SET a = if_not_exists(b, list_append(c, d))', NULL), ('SET a = list_append(b, c) + d', NULL)) AS t(e, v);
SELECT pg_temp.parse('SET #a = b, a = c', names => '{"#a": "a"}'), pg_temp.parse('SET #a = b', names => '{"#a": "a", "#b": "b"}'), pg_temp.parse('SET a = :v', '{":v": {"S": ""}, ":w": {"S": ""}}'), pg_temp.parse('SET a = :v', '{":v": {}}');
-- Which error of several.
SELECT e, pg_temp.parse(e, '{":s": {"S": "x"}}') FROM unnest(ARRAY[
	'SET a = ((b)), abort = foo(c) SET', 'SET a = ((b)), abort = foo(c)', 'SET a = foo(b), abort = c SET d = e', 'SET a = foo(b) SET d = #e', 'SET a = :v, b = #n SET c = d', 'SET a = :v, b = #n', 'SET a = :v, a = c', 'SET a.b = x, a[0] = y, c = d, c = e', 'SET a.b = x, a[0] = y ADD c :s', 'SET a = :s + b ADD c :s', 'SET a = list_append(:s, b, c)', 'SET a = if_not_exists(:s, b) + :s']) AS e;

CREATE TEMP TABLE sample AS SELECT '{"p": {"S": "k"}, "s": {"S": "text"}, "n": {"N": "5"}, "z": {"NULL": true}, "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2"]}, "bs": {"BS": ["AQ=="]}, "one": {"SS": ["x"]},
	"l": {"L": [{"S": "0"}, {"S": "1"}, {"S": "2"}, {"S": "3"}]}, "e": {"L": []}, "ll": {"L": [{"L": [{"N": "1"}]}, {"M": {"k": {"S": "v"}, "l": {"L": [{"N": "7"}]}}}]},
	"m": {"M": {"b": {"N": "1"}, "c": {"L": [{"N": "10"}, {"N": "11"}, {"N": "12"}]}, "m": {"M": {"x": {"BOOL": false}}}}}}'::dynamo.item AS i;
-- Only what differs from the item before: what is left of it, and what is new.
CREATE FUNCTION pg_temp.sample(e text, v json DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	i jsonb;
	j jsonb;
BEGIN
	SELECT apply_update.*, s.i::jsonb AS before INTO r FROM sample s, apply_update(e, NULL, v, s.i, '{"p": {"S": "k"}}');
	i := r.before;
	j := r.new_item::jsonb;
	RETURN concat_ws('; ',
		(SELECT 'gone ' || string_agg(k, ' ') FROM jsonb_object_keys(i) AS k WHERE NOT j ? k),
		(SELECT string_agg(k || ' ' || (r.new_item -> k), ', ') FROM jsonb_object_keys(j) AS k WHERE i -> k IS DISTINCT FROM j -> k),
		'old ' || r.updated_old::text, 'new ' || r.updated_new::text);
EXCEPTION WHEN sqlstate 'KV001' THEN
	RETURN '! ' || sqlerrm;
END $$;

-- SET.
SELECT e, pg_temp.sample(e, v::json) FROM (VALUES
	('SET x = :v', '{":v": {"S": "new"}}'), ('SET s = :v', '{":v": {"S": "new"}}'), ('SET s = :v', '{":v": {"S": "text"}}'), ('SET x = m, y = m.c[1]', NULL), ('SET s = n, n = s', NULL), ('SET x = :v, y = s', '{":v": {"M": {"a": {"L": [{"SS": ["q"]}]}}}}'), ('SET m.z = :v', '{":v": {"N": "2"}}'), ('SET m.b = :v', '{":v": {"N": "2"}}'), ('SET m.m.y = m.b, m.c[0] = m.m', NULL), ('SET ll[1].k = s, ll[1].l[0] = n', NULL), ('SET ll[0][0] = s', NULL),
	('SET n = n + :v', '{":v": {"N": "2.5"}}'), ('SET n = n - :v', '{":v": {"N": "7"}}'), ('SET n = :v - n', '{":v": {"N": "7"}}'), ('SET x = (n + n) - (n - :v)', '{":v": {"N": "1"}}'), ('SET n = m.c[0] + m.c[1]', NULL), ('SET x = :v + n', '{":v": {"N": "1e-30"}}'), ('SET x = :v + :v', '{":v": {"N": "9e125"}}'), ('SET x = n - n', NULL),
	('SET x = if_not_exists(x, :v)', '{":v": {"N": "1"}}'), ('SET n = if_not_exists(n, :v)', '{":v": {"N": "1"}}'), ('SET n = if_not_exists(n, nothing)', NULL), ('SET x = if_not_exists(m.q, n)', NULL), ('SET x = if_not_exists(x, :v) + :v', '{":v": {"N": "1"}}'), ('SET n = if_not_exists(n, :v) + :v', '{":v": {"N": "1"}}'), ('SET x = if_not_exists(q, if_not_exists(r, s))', NULL),
	('SET l = list_append(l, :v)', '{":v": {"L": [{"N": "1"}]}}'), ('SET l = list_append(:v, l)', '{":v": {"L": [{"N": "1"}]}}'), ('SET x = list_append(if_not_exists(x, :v), l)', '{":v": {"L": []}}'), ('SET x = list_append(e, e)', NULL), ('SET m.c = list_append(m.c, ll)', NULL),
	('SET l[1] = :v', '{":v": {"N": "1"}}'), ('SET l[4] = :v', '{":v": {"N": "1"}}'), ('SET l[9] = :a, l[7] = :b, l[0] = :c', '{":a": {"S": "nine"}, ":b": {"S": "seven"}, ":c": {"S": "zero"}}'), ('SET e[0] = :v', '{":v": {"N": "1"}}'), ('SET e[5] = :v', '{":v": {"N": "1"}}'), ('SET m.c[100] = :v', '{":v": {"N": "1"}}')) AS t(e, v);
-- REMOVE.
SELECT e, pg_temp.sample(e) FROM unnest(ARRAY['REMOVE s', 'REMOVE nothing', 'REMOVE s, nothing, n', 'REMOVE m.b', 'REMOVE m.q', 'REMOVE l[0]', 'REMOVE l[0], l[2]', 'REMOVE l[2], l[0], l[9]', 'REMOVE l[0], l[1], l[2], l[3]', 'REMOVE l[9]', 'REMOVE m.c[1]', 'REMOVE m.c[2]', 'REMOVE m.b, m.c, m.m', 'REMOVE ll[1].l[0], ll[0][0]', 'REMOVE ll[1].q', 'REMOVE s SET n = s', 'REMOVE l[0] SET l[1] = s, l[8] = n', 'REMOVE l[3] SET l[4] = n']) AS e;
-- ADD and DELETE.
SELECT e, pg_temp.sample(e, v::json) FROM (VALUES
	('ADD n :v', '{":v": {"N": "2"}}'), ('ADD n :v', '{":v": {"N": "-5"}}'), ('ADD x :v', '{":v": {"N": "2"}}'), ('ADD m.b :v, m.c[1] :v, m.x :v', '{":v": {"N": "2"}}'), ('ADD l[9] :v', '{":v": {"N": "2"}}'), ('ADD ss :v', '{":v": {"SS": ["c", "a"]}}'), ('ADD ns :v', '{":v": {"NS": ["2.0", "10"]}}'), ('ADD bs :v', '{":v": {"BS": ["AA==", "AQ=="]}}'), ('ADD x :v', '{":v": {"SS": ["c", "a"]}}'), ('ADD ss :v', '{":v": {"SS": ["a"]}}'),
	('DELETE ss :v', '{":v": {"SS": ["a", "q"]}}'), ('DELETE ns :v', '{":v": {"NS": ["1.0"]}}'), ('DELETE ss :v', '{":v": {"SS": ["a", "b", "c"]}}'), ('DELETE one :v', '{":v": {"SS": ["x"]}}'), ('DELETE x :v', '{":v": {"SS": ["x"]}}'), ('DELETE m.q :v', '{":v": {"SS": ["x"]}}'), ('DELETE ss :v', '{":v": {"SS": ["q"]}}'), ('DELETE bs :v', '{":v": {"BS": ["AQ=="]}}')) AS t(e, v);
-- Errors of the item.
SELECT e, pg_temp.sample(e, v::json) FROM (VALUES
	('SET x = y', NULL), ('SET x = m.q', NULL), ('SET x = l[4]', NULL), ('SET x = s.y', NULL), ('SET x = y + n', NULL), ('SET x = list_append(y, l)', NULL), ('SET x = if_not_exists(y, q)', NULL),
	('SET x = s + n', NULL), ('SET x = n - l', NULL), ('SET x = list_append(l, s)', NULL), ('SET x = list_append(ss, l)', NULL), ('SET x = if_not_exists(s, n) + n', NULL),
	('ADD s :n', '{":n": {"N": "1"}}'), ('ADD z :n', '{":n": {"N": "1"}}'), ('ADD n :v', '{":v": {"SS": ["a"]}}'), ('ADD ss :v', '{":v": {"NS": ["1"]}}'), ('ADD l :v', '{":v": {"SS": ["a"]}}'), ('DELETE ss :v', '{":v": {"NS": ["1"]}}'), ('DELETE s :v', '{":v": {"SS": ["a"]}}'), ('DELETE l :v', '{":v": {"SS": ["a"]}}'),
	('SET x.y = n', NULL), ('SET s.y = n', NULL), ('SET l.y = n', NULL), ('SET m[0] = n', NULL), ('SET s[0] = n', NULL), ('SET x[0] = n', NULL), ('SET ss[0] = n', NULL), ('SET m.q.r = n', NULL), ('SET l[9].x = n', NULL), ('SET l[0].x = n', NULL), ('REMOVE x.y', NULL), ('REMOVE s.y', NULL), ('REMOVE m[0]', NULL), ('REMOVE l.y', NULL), ('REMOVE x[0]', NULL), ('REMOVE m.q.r', NULL), ('ADD x.y :n', '{":n": {"N": "1"}}'), ('DELETE x.y :v', '{":v": {"SS": ["a"]}}'),
	('SET x = n + :v', '{":v": {"N": "9.9999999999999999999999999999999999999e125"}}'), ('SET x = :v + :v', '{":v": {"N": "9.9999999999999999999999999999999999999e125"}}'), ('ADD n :v SET x = :v + :v', '{":v": {"N": "-6e125"}}')) AS t(e, v);
-- A missing item starts from its key; what only takes away makes none.
SELECT e, pg_temp.apply(e, NULL, v::json) FROM (VALUES
	('SET x = :v', '{":v": {"N": "1"}}'), ('ADD x :v', '{":v": {"N": "1"}}'), ('REMOVE x', NULL), ('DELETE x :v', '{":v": {"SS": ["a"]}}'), ('REMOVE x DELETE y :v', '{":v": {"SS": ["a"]}}'), ('REMOVE x.y', NULL), ('REMOVE x.y, z[0].q SET a = :v', '{":v": {"N": "1"}}'), ('DELETE x.y :v ADD a :v', '{":v": {"SS": ["a"]}}'), ('SET x = y', NULL), ('SET x.y = :v', '{":v": {"N": "1"}}'), ('SET x.y = :v REMOVE x.z', '{":v": {"N": "1"}}'), ('SET x = p', NULL), ('SET x = if_not_exists(x, :v)', '{":v": {"N": "1"}}'), ('SET x = list_append(if_not_exists(x, :v), :v)', '{":v": {"L": [{"N": "1"}]}}')) AS t(e, v);
SELECT pg_temp.apply('SET #x = :v, a.#y = :v', '{"p": {"S": "k"}, "a": {"M": {}}}', '{":v": {"S": "\u0000"}}', '{"#x": "a.b", "#y": "q\"\n"}');
-- Nesting: 32 levels are an item, 33 are none.
SELECT n, left(pg_temp.apply('SET x.y = :v', '{"x": {"M": {}}}', json_build_object(':v', (repeat('{"L": [', n) || '{"N": "1"}' || repeat(']}', n))::json)), 60) FROM unnest(ARRAY[30, 31]) AS n;
-- Every attribute of a wide item in turn: names of all lengths are where they belong.
CREATE TEMP TABLE wide AS SELECT json_object_agg(repeat('k', i % 300 + 1) || i, json_build_object('N', i::text))::dynamo.item AS i FROM generate_series(1, 400) AS i;
SELECT count(*) FROM wide, generate_series(1, 400, 7) AS n, LATERAL (SELECT (apply_update('SET #n = :v', json_build_object('#n', repeat('k', n % 300 + 1) || n), '{":v": {"S": "new"}}', i)).new_item AS j) AS x
WHERE item_from_bytes(item_send(j)) = j AND j::jsonb = i::jsonb || jsonb_build_object(repeat('k', n % 300 + 1) || n, '{"S": "new"}'::jsonb);
SELECT count(*) FROM wide, generate_series(1, 400, 7) AS n, LATERAL (SELECT (apply_update('REMOVE #n', json_build_object('#n', repeat('k', n % 300 + 1) || n), NULL, i)).new_item AS j) AS x
WHERE item_from_bytes(item_send(j)) = j AND j::jsonb = i::jsonb - (repeat('k', n % 300 + 1) || n);
