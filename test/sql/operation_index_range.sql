-- Every operator on sort keys of a secondary index, for every operand over an alphabet
-- that has the escape bytes, against PostgreSQL's comparison of bytea.
SET search_path = dynamo, public;
\pset format unaligned
\pset tuples_only on
SELECT create_table('{"TableName": "index-range", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"},
		{"AttributeName": "a", "AttributeType": "B"}, {"AttributeName": "b", "AttributeType": "B"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
	"GlobalSecondaryIndexes": [{"IndexName": "one", "Projection": {"ProjectionType": "KEYS_ONLY"},
		"KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "a", "KeyType": "RANGE"}]},
		{"IndexName": "two", "Projection": {"ProjectionType": "KEYS_ONLY"},
		"KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "a", "KeyType": "RANGE"}, {"AttributeName": "b", "KeyType": "RANGE"}]}]}')
	-> 'TableDescription' ->> 'TableStatus';
CREATE TEMP TABLE bytes AS
	WITH RECURSIVE words(v, n) AS (SELECT ''::bytea, 0 UNION ALL SELECT v || c, n + 1 FROM words, unnest('{"\\x00","\\x01","\\x61","\\xff"}'::bytea[]) c WHERE n < 3)
	SELECT v, n FROM words WHERE n > 0;
CREATE FUNCTION pg_temp.b(v bytea) RETURNS json LANGUAGE sql AS $$ SELECT json_build_object('B', encode(v, 'base64')) $$;
-- Under "x": each value of a, with a few of b.  Neighbours of it, to see where a range ends.
CREATE TEMP TABLE items AS
	SELECT 'x' AS g, a.v AS a, b.v AS b, row_number() OVER () AS p FROM bytes a, bytes b WHERE b.n = 1 OR (a.n = 1 AND b.n = 2)
	UNION ALL SELECT g, '\x61', '\x61', -row_number() OVER () FROM unnest('{w,y,"",xx}'::text[]) g WHERE g <> '';
SELECT count(put_item('index-range', json_build_object('p', json_build_object('S', p::text), 'g', json_build_object('S', g),
	'a', pg_temp.b(a), 'b', pg_temp.b(b))::text::item)) FROM items;

-- The numbers of the items, in the answer's order, must have the wanted ones' keys in order.
CREATE FUNCTION pg_temp.agrees(index_name text, condition text, "values" json, wanted bytea[]) RETURNS boolean LANGUAGE sql AS $$
	SELECT coalesce(array_agg(CASE index_name WHEN 'one' THEN i.a ELSE i.b END ORDER BY n), '{}') = wanted
	FROM query('index-range', condition, "values", index_name => index_name) WITH ORDINALITY q(item, n)
		JOIN items i ON i.p = (item ->> 'p')::int $$;
CREATE FUNCTION pg_temp.matches(value bytea, operator text, low bytea, high bytea) RETURNS boolean LANGUAGE sql AS $$
	SELECT CASE operator WHEN '=' THEN value = low WHEN '<' THEN value < low WHEN '<=' THEN value <= low WHEN '>' THEN value > low
		WHEN '>=' THEN value >= low WHEN 'BETWEEN' THEN value BETWEEN low AND high ELSE substr(value, 1, length(low)) = low END $$;
CREATE FUNCTION pg_temp.condition(attribute text, operator text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE operator WHEN 'BETWEEN' THEN attribute || ' BETWEEN :l AND :h' WHEN 'begins_with' THEN 'begins_with(' || attribute || ', :l)'
		ELSE attribute || ' ' || operator || ' :l' END $$;

-- One sort attribute.
SELECT operator, count(*), count(*) FILTER (WHERE NOT pg_temp.agrees('one', 'g = :g AND ' || pg_temp.condition('a', operator),
		json_strip_nulls(json_build_object(':g', '{"S": "x"}'::json, ':l', pg_temp.b(l.v), ':h', CASE operator WHEN 'BETWEEN' THEN pg_temp.b(h) END)),
		ARRAY(SELECT a FROM items WHERE g = 'x' AND pg_temp.matches(a, operator, l.v, h) ORDER BY a))) AS wrong
FROM unnest('{=,<,<=,>,>=,BETWEEN,begins_with}'::text[]) operator, bytes l,
	LATERAL (SELECT greatest(l.v, h.v) FROM bytes h ORDER BY md5(l.v || h.v) LIMIT CASE operator WHEN 'BETWEEN' THEN 3 ELSE 1 END) h(h)
GROUP BY operator ORDER BY operator;
-- Two: equality of the first, anything of the second.
SELECT operator, count(*), count(*) FILTER (WHERE NOT pg_temp.agrees('two', 'g = :g AND a = :a AND ' || pg_temp.condition('b', operator),
		json_strip_nulls(json_build_object(':g', '{"S": "x"}'::json, ':a', pg_temp.b(a.v), ':l', pg_temp.b(l.v), ':h', CASE operator WHEN 'BETWEEN' THEN pg_temp.b(h) END)),
		ARRAY(SELECT b FROM items WHERE g = 'x' AND a = a.v AND pg_temp.matches(b, operator, l.v, h) ORDER BY b))) AS wrong
FROM unnest('{=,<,<=,>,>=,BETWEEN,begins_with}'::text[]) operator, bytes l, bytes a,
	LATERAL (SELECT greatest(l.v, '\x61') WHERE l.n < 3 AND a.n = 1) h(h)
GROUP BY operator ORDER BY operator;
SELECT delete_table('{"TableName": "index-range"}') IS NOT NULL;
