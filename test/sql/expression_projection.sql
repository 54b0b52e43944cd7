-- Projections: their paths, their errors, what they show.
SET search_path = public, dynamo, dynamo_internal;
\pset format unaligned
\pset tuples_only on
\pset fieldsep ' -> '

CREATE FUNCTION pg_temp.parse(expression text, names json DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN parse_projection(expression, names);
EXCEPTION WHEN sqlstate 'KV001' THEN
	RETURN regexp_replace(sqlerrm, '^Invalid ProjectionExpression: ', '! ');
END $$;

SELECT e, pg_temp.parse(e) FROM unnest(ARRAY['a', 'a, b,c', 'a.b[0].c', ' a . b [ 3 ] ', 'a[0], a[1]', 'a.b, a.c', 'a[0].x, a[0].y', E'a\n,\tb', 'ab, a_b, a1', 'remove']) AS e;
SELECT pg_temp.parse('#a, b.#c[2].#a', '{"#a": "x.y", "#c": "#c"}');

-- Errors of the text.
SELECT e, pg_temp.parse(e) FROM unnest(ARRAY['', ' ', 'a,', ',', ',a', 'a,,b', 'a b', 'a.', 'a[', 'a[1', 'a[]', 'a[-1]', 'a[x]', 'a.b.', '.a', '[0]', '_a', '1', ':v', 'a, :v', 'a-b', '(a)', 'a(b)', 'size(a)', 'a = b', '*', 'a.*', 'a[*]', '"a"', 'a[99999999999999]', 'a[2147483647]', 'é',
	'abort', 'Abort', 'a, b.size', 'a[0].year', 'set', 'a, and', 'a.#b', '#a', 'name, #x', '#x, name', 'a, a', 'a.b, a.b', 'a, a.b', 'a.b.c, a', 'a[1], a[1].b', 'a[0], b, a[0]', 'a.b, a[1]', 'a[1], a.b', 'a.b.c, a.b[0].d', 'a.b, a[1], c, c', 'b, a.b, c, a[1], a.b.c', 'a, #x, a', repeat('a', 4097), 'a,' || repeat(' ', 4095)]) AS e WHERE length(e) < 100 UNION ALL
SELECT left(e, 10), pg_temp.parse(e) FROM unnest(ARRAY[repeat('a', 4097), 'a' || repeat('.a', 32), 'a' || repeat('[0]', 32), 'a' || repeat('.a', 16) || repeat('[7]', 16)]) AS e;
SELECT length(pg_temp.parse('a' || repeat('.a', 31)));
SELECT pg_temp.parse('#a, b', '{"#a": "b"}'), pg_temp.parse('a', '{"#a": "b"}'), pg_temp.parse('#a', '{}'), pg_temp.parse('a', '{"a": "b"}'), pg_temp.parse('#a', '{"#a": "b", "#c": "d"}');
-- Hundreds of paths at once.
SELECT length(pg_temp.parse(string_agg('a' || i, ',' ORDER BY md5(i::text)))) FROM generate_series(1, 700) AS i;
SELECT right(pg_temp.parse(string_agg('a' || i % 698, ',' ORDER BY i)), 40) FROM generate_series(1, 700) AS i;

CREATE TEMP TABLE sample AS SELECT '{
	"s": {"S": "hello"}, "n": {"N": "5"}, "ss": {"SS": ["b", "a"]}, "z": {"NULL": true}, "e": {"L": []}, "em": {"M": {}}, "q\"\n": {"S": "quoted"}, "a.b": {"N": "1"},
	"l": {"L": [{"N": "0"}, {"M": {"x": {"S": "x1"}, "y": {"S": "y1"}, "w": {"L": [{"N": "1"}, {"N": "2"}]}}}, {"S": "two"}, {"L": [{"S": "deep"}, {"S": "er"}]}, {"N": "4"}]},
	"m": {"M": {"k": {"S": "v"}, "l": {"L": [{"N": "10"}, {"N": "11"}, {"N": "12"}]}, "m": {"M": {"x": {"BOOL": false}, "y": {"B": "AQ=="}}}}}}'::dynamo.item AS i;
SELECT e, project(e, NULL, NULL, i) FROM sample, unnest(ARRAY[
	's', 'n, s', 'ss, z', 'x', 's, x', 'e', 'em', 'e[0]', 'em.x', 'e[0], em.x, s',
	'm', 'm.k', 'm.k, m.m.x', 'm.x', 'm.m', 'm.m.y, m.k, m.m.x', 'm.l[1]', 'm.l[2], m.l[0]', 'm.l[2], m.l[9], m.m.z', 'm[0]', 'm.k.x', 'm.l.x',
	'l', 'l[2]', 'l[2], l[0]', 'l[4], l[1], l[2]', 'l[9]', 'l[9], l[0]', 'l[1].x', 'l[1].y, l[1].x', 'l[1].z', 'l[1].x, l[0]', 'l[1].w[1], l[3][0], l[1].x', 'l[3][1], l[3][0]', 'l[3][2]', 'l[0].x', 'l.x', 'l[2147483647]',
	's[0]', 's.x', 'n[0]', 'ss[0]', 'z.x', 's, m.l[0], l[1].w[0]']) AS e;
SELECT project('#a, #b', '{"#a": "q\"\n", "#b": "a.b"}', NULL, i) FROM sample;
SELECT project('a', NULL, NULL, '{}');
SELECT project('a', NULL, '{":v": {"S": ""}}', '{}');
