-- PartiQL: text to trees.
SET search_path = dynamo_internal, public, dynamo;
\pset format unaligned
\pset tuples_only on
\set VERBOSITY terse

CREATE FUNCTION pg_temp.parse(statements text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	statement text;
BEGIN
	FOREACH statement IN ARRAY statements LOOP
		BEGIN
			RETURN NEXT parse_statement(statement);
		EXCEPTION WHEN OTHERS THEN
			RETURN NEXT statement || '  --> ' || SQLERRM;
		END;
	END LOOP;
END
$$;

SELECT pg_temp.parse(ARRAY[
	$$SELECT * FROM "Music"$$,
	$$select * from Music.byYear where "a" = 'it''s' and B >= -1.5e2 order by a desc$$,
	$$SELECT a, b.c, d[0], e."f-g"[1][2], a FROM "t"."i"$$,
	$$SELECT * FROM t WHERE NOT (a = 1 OR NOT NOT b = 2) AND c <> 3$$,
	$$SELECT * FROM t WHERE 1 < a AND b BETWEEN 1 AND 2 AND c IN (1, 'x') AND d IN ['y'] AND e NOT IN (1) AND f NOT BETWEEN 'a' AND 'b'$$,
	$$SELECT * FROM t WHERE a IS MISSING AND b IS NOT MISSING AND c IS NULL AND d IS NOT NULL AND e IS NUMBER$$,
	$$SELECT * FROM t WHERE BEGINS_WITH(a, 'x') AND contains("b", 1) AND size(c) > 3 AND attribute_type(d, 'S') AND attribute_exists(e)$$,
	$$SELECT * FROM t WHERE (a) = (1) AND (((b = 2)))$$,
	$$SELECT * -- all of it
	FROM /* the */ t;$$,
	$$SELECT "select" FROM "t" WHERE "where" = TRUE AND x.from = FALSE AND "a""b" = .5$$,
	$$SELECT * FROM t WHERE a = {'x': [1, <<'a', 'b'>>, {}], 'y': NULL} AND b != <<1, 2>>$$,
	$$INSERT INTO "t" VALUE {'p': 'x', 'n': -1, 'l': [1, 'a', true, null]}$$,
	$$UPDATE "t" SET a = 1 SET b.c = b.c + 1, d = list_append(d, [1]) REMOVE e, f[1] SET s = set_add(s, <<1>>) SET u = set_delete(u, <<'x'>>) WHERE p = 'x' RETURNING ALL NEW *$$,
	$$UPDATE t REMOVE a WHERE p = 1 AND q = 2 RETURNING MODIFIED OLD *$$,
	$$DELETE FROM t WHERE p = 'x' RETURNING ALL OLD *$$,
	$$EXISTS(SELECT * FROM t WHERE p = 'x')$$]);

-- Parameters are counted, in the order of the text.
SELECT parse_statement('SELECT * FROM t WHERE a = ? AND b IN ? AND c = [?, 1]', '[{"S": "x"}, {"L": [{"N": "1"}, {"N": "2"}]}, {"B": "AAA="}]');
SELECT parse_statement('SELECT * FROM t WHERE a = ?', '[]');
SELECT parse_statement('SELECT * FROM t', '[{"S": "x"}]');

-- What is not well formed.
SELECT pg_temp.parse(ARRAY['', 'SELEC', 'SELECT', 'SELECT *', 'SELECT * FROM', 'SELECT FROM t', 'SELECT * FROM t WHERE', 'SELECT * FROM t t2',
	'SELECT * FROM t AS x', 'SELECT a AS b FROM t', 'SELECT COUNT(*) FROM t', E'SELECT\n  count(a) FROM t', 'SELECT * FROM a.b.c', 'SELECT * FROM a, b',
	'SELECT * FROM t WHERE a', 'SELECT * FROM t WHERE size(a)', 'SELECT * FROM t WHERE a = 1 = 2', 'SELECT * FROM t WHERE a = ', 'SELECT * FROM t WHERE (a = 1',
	'SELECT * FROM t WHERE a = 1e', 'SELECT * FROM t WHERE a = 1x', 'SELECT * FROM t WHERE a = #', 'SELECT * FROM t WHERE a = ''x', 'SELECT * FROM "t', '/* SELECT',
	'SELECT * FROM t WHERE a[1', 'SELECT * FROM t WHERE a[1.5] = 1', 'SELECT * FROM t WHERE a[x] = 1', 'SELECT * FROM t WHERE a[4294967296] = 1',
	'SELECT * FROM t WHERE nothing(a)', 'SELECT * FROM t WHERE begins_with(a)', 'SELECT * FROM t WHERE begins_with(a, 1)', 'SELECT * FROM t WHERE a < {}',
	'SELECT * FROM t WHERE a BETWEEN 2 AND 1', 'SELECT * FROM t WHERE a BETWEEN 1', 'SELECT * FROM t WHERE a IN ()', 'SELECT * FROM t WHERE a IS', 'SELECT * FROM t WHERE 1 IS NULL',
	'SELECT * FROM t WHERE a = a', 'SELECT * FROM t ORDER BY', 'SELECT * FROM t ORDER BY a, b, c', 'SELECT * FROM t ORDER BY a.b', 'SELECT * FROM t WHERE attribute_type(a, ''X'')',
	'SELECT * FROM t; SELECT * FROM t', 'SELECT * FROM t WHERE EXISTS (SELECT * FROM t)',
	'INSERT INTO t VALUE 1', 'INSERT INTO t VALUES {}', 'INSERT INTO t VALUE {1: 2}', 'INSERT INTO t VALUE {''a'' 2}', 'INSERT INTO t VALUE {''a'': b}',
	'INSERT INTO t VALUE {''a'': <<>>}', 'INSERT INTO t VALUE {''a'': <<1, ''x''>>}', 'INSERT INTO t VALUE {''a'': <<1, 1.0>>}', 'INSERT INTO t VALUE {''a'': <<[]>>}',
	'INSERT INTO t VALUE {''a'': 1e999}', 'INSERT INTO t VALUE {''a'': {''b'': [1, 1e-999]}}', 'SELECT * FROM t WHERE a = 123456789012345678901234567890123456789',
	'UPDATE t WHERE a = 1', 'UPDATE t SET a = 1', 'UPDATE t SET a = 1 SET a = 2 WHERE p = 1', 'UPDATE t SET a = set_add(b, <<1>>) WHERE p = 1', 'UPDATE t SET a = set_add(a, 1) WHERE p = 1',
	'UPDATE t SET a = ''x'' + 1 WHERE p = 1', 'UPDATE t SET a = list_append(a, 1) WHERE p = 1', 'UPDATE t SET a = 1 WHERE p = 1 RETURNING SOME',
	'UPDATE t SET a = contains("b", 1) WHERE p = 1', 'UPDATE t SET a = 1 + size(b) WHERE p = 1', 'UPDATE t SET a = list_append((size(b)), [1]) WHERE p = 1',
	'DELETE t WHERE a = 1', 'DELETE FROM t', 'DELETE FROM t WHERE p = 1 RETURNING MODIFIED OLD *', 'EXISTS(DELETE FROM t WHERE p = 1)']);

-- However deep, it is refused in words.
SELECT parse_statement('SELECT * FROM t WHERE ' || repeat('(', 4000) || 'a = 1' || repeat(')', 4000));
SELECT parse_statement('SELECT * FROM t WHERE a = ' || repeat('[', 4000) || repeat(']', 4000));
SELECT parse_statement('SELECT * FROM t WHERE a = ' || repeat('<<', 2000) || repeat('>>', 2000));
SELECT length(parse_statement('SELECT * FROM t WHERE ' || repeat('NOT ', 2000) || 'a = 1'));
