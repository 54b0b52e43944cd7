-- The parameters from before expressions.
SET search_path = public, dynamo, dynamo_internal;
\pset format unaligned
\pset tuples_only on
\pset fieldsep ' -> '

CREATE TEMP TABLE sample AS SELECT '{"s": {"S": "hello"}, "n": {"N": "5"}, "b": {"B": "AQID"}, "t": {"BOOL": true}, "z": {"NULL": true}, "ss": {"SS": ["a", "bc"]}, "ns": {"NS": ["1", "2"]},
	"l": {"L": [{"S": "x"}, {"N": "7"}]}, "m": {"M": {"k": {"S": "v"}}}}'::dynamo.item AS i;
CREATE FUNCTION pg_temp.check(conditions text, or_operator boolean DEFAULT false, is_filter boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN coalesce((SELECT legacy_condition(conditions::json, i, or_operator, is_filter) FROM sample)::text, 'no condition');
EXCEPTION WHEN sqlstate 'KV001' THEN
	RETURN regexp_replace(sqlerrm, '^One or more parameter values were invalid: ', '! ...: ');
END $$;

-- Expected: Value and Exists, and what cannot stand together.
SELECT e, pg_temp.check('{"a": ' || e || '}') FROM unnest(ARRAY[
	'{"Value": {"S": "x"}, "AttributeValueList": [{"S": "x"}], "ComparisonOperator": "EQ"}', '{"Exists": true, "ComparisonOperator": "EQ", "Value": {"S": "x"}}', '{"Exists": false, "ComparisonOperator": "NULL"}', '{"ComparisonOperator": "EQ"}', '{"ComparisonOperator": "BETWEEN"}', '{"ComparisonOperator": "IN"}',
	'{"AttributeValueList": [{"S": "x"}]}', '{"AttributeValueList": [{"S": "x"}], "Exists": true}', '{}', '{"Exists": true}', '{"Exists": "true"}', '{"Exists": false, "Value": {"S": "x"}}', '{"Exists": null}', '{"Value": {"S": "x"}, "Exists": null}', '{"Value": {}}', '{"Value": {"N": "x"}}', '{"Value": {"SS": []}}', '{"ComparisonOperator": "EQ", "AttributeValueList": []}']) AS e;
SELECT e, pg_temp.check(e) FROM unnest(ARRAY['{"s": {"Value": {"S": "hello"}}}', '{"s": {"Value": {"S": "x"}}}', '{"s": {"Value": {"S": "hello"}, "Exists": true}}', '{"x": {"Value": {"S": "hello"}}}', '{"x": {"Exists": false}}', '{"s": {"Exists": false}}', '{"x": {"Exists": "no"}}', '{"s": {"ComparisonOperator": "EQ", "Value": {"S": "hello"}}}', '{"n": {"ComparisonOperator": "GT", "Value": {"N": "4.9"}}}', '{"m": {"Value": {"M": {"k": {"S": "v"}}}}}', '{}', '{"": {"Exists": false}}']) AS e;

-- How many arguments, of which types.
SELECT o, string_agg(n || ' ' || pg_temp.check(json_build_object('a', json_build_object('ComparisonOperator', o, 'AttributeValueList', (SELECT coalesce(json_agg(json_build_object('S', 'x')), '[]') FROM generate_series(1, n))))::text, is_filter => true), ', ' ORDER BY n)
FROM unnest(ARRAY['EQ', 'NE', 'LE', 'LT', 'GE', 'GT', 'NOT_NULL', 'NULL', 'CONTAINS', 'NOT_CONTAINS', 'BEGINS_WITH', 'IN', 'BETWEEN']) AS o, generate_series(0, 3) AS n GROUP BY o ORDER BY o;
SELECT o, string_agg(v, ' ' ORDER BY v COLLATE "C") FILTER (WHERE r !~ '^!'), string_agg(DISTINCT regexp_replace(r, 'for .*', 'for ...'), ' ') FILTER (WHERE r ~ '^!')
FROM (SELECT o, k AS v, pg_temp.check(json_build_object('a', json_build_object('ComparisonOperator', o, 'AttributeValueList', (SELECT json_agg(CASE WHEN g > 0 THEN json_build_object(k, e.value) END) FROM generate_series(1, CASE o WHEN 'BETWEEN' THEN 2 ELSE 1 END) AS g)))::text, is_filter => true) AS r
	FROM unnest(ARRAY['EQ', 'NE', 'LE', 'LT', 'GE', 'GT', 'CONTAINS', 'NOT_CONTAINS', 'BEGINS_WITH', 'IN', 'BETWEEN']) AS o, json_each('{"S": "x", "N": "1", "B": "AA==", "SS": ["x"], "NS": ["1"], "BS": ["AA=="], "BOOL": true, "NULL": true, "L": [], "M": {}}') AS e(k, value)) AS t
GROUP BY o ORDER BY o;
SELECT e, pg_temp.check('{"a": ' || e || '}', is_filter => true) FROM unnest(ARRAY[
	'{"ComparisonOperator": "IN", "AttributeValueList": [{"S": "x"}, {"N": "1"}]}', '{"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"S": "x"}, {"N": "1"}]}', '{"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "2"}, {"N": "1"}]}', '{"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"S": "b"}, {"S": "a"}]}', '{"ComparisonOperator": "LT", "AttributeValueList": [{"SS": ["x"]}]}', '{"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "x"}, {"S": "y"}]}', '{"ComparisonOperator": "EQ", "AttributeValueList": [{"N": "1e999"}]}', '{"ComparisonOperator": "IN", "AttributeValueList": [{"BOOL": true}, {"S": "x"}]}']) AS e;

-- Results.  CONTAINS and NOT_CONTAINS are both false of an attribute that is missing; NULL tells nothing about the type.
SELECT a, o, v, pg_temp.check(json_build_object(a, json_build_object('ComparisonOperator', o, 'AttributeValueList', v::json))::text, is_filter => true) FROM (VALUES
	('s', 'EQ', '[{"S": "hello"}]'), ('n', 'EQ', '[{"N": "5.0"}]'), ('ss', 'EQ', '[{"SS": ["bc", "a"]}]'), ('l', 'EQ', '[{"L": [{"S": "x"}, {"N": "7"}]}]'), ('x', 'EQ', '[{"S": "hello"}]'), ('s', 'NE', '[{"S": "hello"}]'), ('s', 'NE', '[{"N": "1"}]'), ('x', 'NE', '[{"S": "hello"}]'),
	('n', 'LT', '[{"N": "5"}]'), ('n', 'LE', '[{"N": "5"}]'), ('n', 'GE', '[{"N": "5"}]'), ('n', 'GT', '[{"N": "4"}]'), ('s', 'GT', '[{"N": "4"}]'), ('x', 'LT', '[{"N": "4"}]'), ('x', 'GE', '[{"N": "4"}]'), ('b', 'LT', '[{"B": "Ag=="}]'),
	('s', 'NULL', '[]'), ('x', 'NULL', '[]'), ('z', 'NULL', '[]'), ('s', 'NOT_NULL', '[]'), ('x', 'NOT_NULL', '[]'), ('z', 'NOT_NULL', '[]'),
	('s', 'CONTAINS', '[{"S": "ell"}]'), ('ss', 'CONTAINS', '[{"S": "bc"}]'), ('ns', 'CONTAINS', '[{"N": "2.0"}]'), ('l', 'CONTAINS', '[{"N": "7"}]'), ('b', 'CONTAINS', '[{"B": "AgM="}]'), ('n', 'CONTAINS', '[{"N": "5"}]'), ('x', 'CONTAINS', '[{"S": "ell"}]'),
	('s', 'NOT_CONTAINS', '[{"S": "ell"}]'), ('s', 'NOT_CONTAINS', '[{"S": "x"}]'), ('ss', 'NOT_CONTAINS', '[{"S": "bc"}]'), ('ss', 'NOT_CONTAINS', '[{"S": "b"}]'), ('n', 'NOT_CONTAINS', '[{"S": "x"}]'), ('x', 'NOT_CONTAINS', '[{"S": "ell"}]'),
	('s', 'BEGINS_WITH', '[{"S": "he"}]'), ('s', 'BEGINS_WITH', '[{"S": "el"}]'), ('b', 'BEGINS_WITH', '[{"B": "AQ=="}]'), ('x', 'BEGINS_WITH', '[{"S": "he"}]'), ('n', 'BEGINS_WITH', '[{"S": "5"}]'),
	('n', 'IN', '[{"N": "4"}, {"N": "5.00"}]'), ('n', 'IN', '[{"N": "4"}]'), ('x', 'IN', '[{"N": "4"}]'), ('n', 'BETWEEN', '[{"N": "4"}, {"N": "5"}]'), ('n', 'BETWEEN', '[{"N": "6"}, {"N": "7"}]'), ('x', 'BETWEEN', '[{"N": "6"}, {"N": "7"}]'), ('s', 'BETWEEN', '[{"N": "0"}, {"N": "9"}]'), ('m.k', 'NOT_NULL', '[]')) AS t(a, o, v);
-- AND, OR; none of none.
SELECT e, pg_temp.check(e), pg_temp.check(e, true) FROM unnest(ARRAY['{"s": {"Value": {"S": "hello"}}, "n": {"Value": {"N": "5"}}}', '{"s": {"Value": {"S": "x"}}, "n": {"Value": {"N": "5"}}}', '{"s": {"Value": {"S": "x"}}, "n": {"Value": {"N": "1"}}}', '{"s": {"Value": {"S": "hello"}}}', '{}']) AS e;
SELECT legacy_condition('{"x": {"Exists": false}}', NULL), legacy_condition('{"x": {"Value": {"S": ""}}}', NULL);

-- No more than an expression could say.
SELECT n, pg_temp.check(json_build_object('n', json_build_object('ComparisonOperator', 'IN', 'AttributeValueList', json_agg(json_build_object('N', i::text))))::text) FROM unnest(ARRAY[100, 101]) AS n, generate_series(1, n) AS i GROUP BY n ORDER BY n;
SELECT n, pg_temp.check(json_object_agg('a' || i, '{"ComparisonOperator": "NULL"}'::json)::text, is_filter => true) FROM unnest(ARRAY[300, 301]) AS n, generate_series(1, n) AS i GROUP BY n ORDER BY n;

-- KeyConditions.
CREATE FUNCTION pg_temp.key(conditions text, sort_name text DEFAULT 's') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN legacy_key_conditions(conditions::json, 'p', 'S', sort_name, 'N');
EXCEPTION WHEN sqlstate 'KV001' THEN
	RETURN regexp_replace('! ' || sqlerrm, '^! One or more parameter values were invalid: ', '! ...: ');
END $$;
SELECT e, pg_temp.key('{"p": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}, ' || e || '}') FROM unnest(ARRAY[
	'"s": {"ComparisonOperator": "EQ", "AttributeValueList": [{"N": "1"}]}', '"s": {"ComparisonOperator": "LT", "AttributeValueList": [{"N": "1"}]}', '"s": {"ComparisonOperator": "LE", "AttributeValueList": [{"N": "1"}]}', '"s": {"ComparisonOperator": "GT", "AttributeValueList": [{"N": "1"}]}', '"s": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "1"}]}', '"s": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "1"}, {"N": "2"}]}', '"s": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "2"}, {"N": "1"}]}',
	'"s": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"S": "1"}]}', '"s": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"N": "1"}]}', '"s": {"ComparisonOperator": "NE", "AttributeValueList": [{"N": "1"}]}', '"s": {"ComparisonOperator": "IN", "AttributeValueList": [{"N": "1"}]}', '"s": {"ComparisonOperator": "NULL"}', '"s": {"ComparisonOperator": "NOT_NULL"}', '"s": {"ComparisonOperator": "CONTAINS", "AttributeValueList": [{"N": "1"}]}', '"s": {"ComparisonOperator": "NOT_CONTAINS", "AttributeValueList": [{"N": "1"}]}',
	'"s": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "1"}]}', '"s": {"ComparisonOperator": "EQ", "AttributeValueList": []}', '"x": {"ComparisonOperator": "EQ", "AttributeValueList": [{"N": "1"}]}', '"s": {"ComparisonOperator": "EQ", "AttributeValueList": [{"N": "1"}]}, "x": {"ComparisonOperator": "EQ", "AttributeValueList": [{"N": "1"}]}']) AS e;
SELECT pg_temp.key('{}'), pg_temp.key('{"s": {"ComparisonOperator": "EQ", "AttributeValueList": [{"N": "1"}]}}'), pg_temp.key('{"p": {"ComparisonOperator": "GT", "AttributeValueList": [{"S": "a"}]}}'), pg_temp.key('{"p": {"ComparisonOperator": "EQ", "AttributeValueList": [{"N": "1"}]}}'), pg_temp.key('{"p": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": ""}]}}'),
	pg_temp.key('{"p": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}}'), pg_temp.key('{"p": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}, "x": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}}', NULL);

-- AttributeUpdates.
CREATE FUNCTION pg_temp.apply(updates text, item dynamo.item) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	r := legacy_update(updates::json, item, '{"p": {"S": "k"}}');
	RETURN concat(coalesce(r.new_item::text, 'no item'), '; old ' || r.updated_old::text, '; new ' || r.updated_new::text);
EXCEPTION WHEN sqlstate 'KV001' THEN
	RETURN regexp_replace('! ' || sqlerrm, '^! One or more parameter values were invalid: ', '! ...: ');
END $$;
SELECT e, pg_temp.apply('{"a": ' || e || '}', i::dynamo.item) FROM (VALUES
	('{"Value": {"S": "x"}}', '{"a": {"N": "1"}}'), ('{"Action": "PUT", "Value": {"M": {}}}', '{"b": {"N": "1"}}'), ('{"Action": "DELETE"}', '{"a": {"N": "1"}}'), ('{"Action": "DELETE"}', '{"b": {"N": "1"}}'),
	('{"Action": "ADD", "Value": {"N": "2"}}', '{"a": {"N": "1"}}'), ('{"Action": "ADD", "Value": {"N": "2"}}', '{"b": {"N": "1"}}'), ('{"Action": "ADD", "Value": {"SS": ["x"]}}', '{"a": {"SS": ["y"]}}'), ('{"Action": "ADD", "Value": {"L": [{"N": "1"}]}}', '{"a": {"L": [{"N": "0"}]}}'), ('{"Action": "ADD", "Value": {"L": [{"N": "1"}]}}', '{}'),
	('{"Action": "DELETE", "Value": {"NS": ["1"]}}', '{"a": {"NS": ["1", "2"]}}'), ('{"Action": "DELETE", "Value": {"NS": ["1"]}}', '{"a": {"NS": ["1"]}}'), ('{"Action": "DELETE", "Value": {"NS": ["1"]}}', '{}'),
	('{"Action": "ADD", "Value": {"N": "2"}}', '{"a": {"S": "1"}}'), ('{"Action": "ADD", "Value": {"SS": ["x"]}}', '{"a": {"NS": ["1"]}}'), ('{"Action": "ADD", "Value": {"L": []}}', '{"a": {"S": "1"}}'), ('{"Action": "DELETE", "Value": {"NS": ["1"]}}', '{"a": {"SS": ["1"]}}'),
	('{}', '{}'), ('{"Action": "PUT"}', '{}'), ('{"Action": "ADD"}', '{}'), ('{"Action": "DELETE", "Value": {"N": "1"}}', '{}'), ('{"Action": "DELETE", "Value": {"L": []}}', '{}'), ('{"Action": "ADD", "Value": {"S": "1"}}', '{}'), ('{"Action": "ADD", "Value": {"B": "AA=="}}', '{}'), ('{"Action": "ADD", "Value": {"BOOL": true}}', '{}'), ('{"Action": "ADD", "Value": {"NULL": true}}', '{}'), ('{"Action": "ADD", "Value": {"M": {}}}', '{}'), ('{"Value": {}}', '{}'), ('{"Value": {"N": "x"}}', '{}'),
	('{"Value": {"S": "x"}}', NULL), ('{"Action": "DELETE"}', NULL), ('{"Action": "DELETE", "Value": {"SS": ["a"]}}', NULL), ('{"Action": "ADD", "Value": {"N": "2"}}', NULL)) AS t(e, i);
SELECT pg_temp.apply('{}', NULL), pg_temp.apply('{}', '{"a": {"N": "1"}}'), pg_temp.apply('{"": {"Value": {"S": ""}}}', '{}'), pg_temp.apply('{"a.b": {"Value": {"S": "x"}}, "#n": {"Value": {"S": "y"}}, "a": {"Action": "DELETE"}}', '{"a": {"M": {"b": {"N": "1"}}}}');
-- As many as anyone may send, and names as long.
SELECT (SELECT count(*) FROM jsonb_object_keys((r).new_item::jsonb)) FROM (SELECT legacy_update(json_object_agg('a' || i, '{"Value": {"N": "1"}}'::json), '{}') AS r FROM generate_series(1, 50000) AS i) AS x;
SELECT n, left(pg_temp.apply(json_build_object(repeat('x', n), '{"Value": {"S": ""}}'::json)::text, '{}'), 100) FROM unnest(ARRAY[65535, 65536]) AS n;

-- AttributesToGet.
CREATE FUNCTION pg_temp.get(names text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT legacy_project(json_build_object('AttributesToGet', names::json), i) FROM sample);
EXCEPTION WHEN sqlstate 'KV001' THEN
	RETURN '! ' || sqlerrm;
END $$;
SELECT e, pg_temp.get(e) FROM unnest(ARRAY['["s"]', '["n", "s", "x"]', '["x"]', '["m.k", "l[0]"]', '["m"]', '["s", "n", "s"]', '["b", "a", "a", "b"]']) AS e;
SELECT length(pg_temp.get(json_agg('a' || i)::text)) FROM generate_series(1, 50000) AS i;
