-- Query and Scan of secondary indexes: what they answer, what it costs, what they refuse.
SET search_path = dynamo, public;
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;

-- index(name, partition keys, sort keys, projection, attributes included): its definition.
CREATE FUNCTION pg_temp.index(name text, partition text[], sort text[], projection text, included text[] DEFAULT NULL) RETURNS json LANGUAGE sql AS $$
	SELECT json_strip_nulls(json_build_object('IndexName', name,
		'KeySchema', (SELECT json_agg(json_build_object('AttributeName', a, 'KeyType', CASE WHEN n <= cardinality(partition) THEN 'HASH' ELSE 'RANGE' END) ORDER BY n)
			FROM unnest(partition || sort) WITH ORDINALITY AS k(a, n)),
		'Projection', json_build_object('ProjectionType', projection, 'NonKeyAttributes', included))) $$;
SELECT create_table(json_build_object('TableName', 'index-query', 'BillingMode', 'PAY_PER_REQUEST',
	'AttributeDefinitions', (SELECT json_agg(json_build_object('AttributeName', a, 'AttributeType', t))
		FROM unnest('{p,s,g,t,a,b,c}'::text[], '{S,N,S,N,S,N,B}'::text[]) d(a, t)),
	'KeySchema', '[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}]'::json,
	'LocalSecondaryIndexes', json_build_array(pg_temp.index('local', '{p}', '{t}', 'INCLUDE', '{x}')),
	'GlobalSecondaryIndexes', json_build_array(pg_temp.index('all', '{g}', '{t}', 'ALL'), pg_temp.index('keys', '{g}', '{}', 'KEYS_ONLY'),
		pg_temp.index('some', '{t}', '{p}', 'INCLUDE', '{x}'), pg_temp.index('many', '{g,t}', '{a,b,c}', 'ALL'))))
	-> 'TableDescription' ->> 'TableStatus';
-- What lasts for moments only.
INSERT INTO dynamo.indexes (table_name, name, kind, slot, partition_keys, partition_types, sort_keys, sort_types,
		projection, non_key_attributes, status, read_units, write_units)
	VALUES ('index-query', 'filling', 'GLOBAL', 20, '{g}', '{S}', '{}', '{}', 'ALL', '{}', 'CREATING', 0, 0),
	('index-query', 'going', 'GLOBAL', 21, '{g}', '{S}', '{}', '{}', 'ALL', '{}', 'DELETING', 0, 0),
	('index-query', 'time to live', 'TIME_TO_LIVE', 26, '{}', '{}', '{ttl}', '{N}', 'ALL', '{}', 'ACTIVE', 0, 0);
SELECT count(put_item('index-query', format('{"p": {"S": "p%s"}, "s": {"N": "%s"}, "g": {"S": "g"}, "t": {"N": "%s"},
	"a": {"S": "a%s"}, "b": {"N": "%s"}, "c": {"B": "YQ=="}, "x": {"S": "x%s"}, "y": {"S": "y%s"}}',
	n % 2, n, n / 4, n % 3, n % 2, n, n)::item)) FROM generate_series(0, 7) n;
-- In no index: each lacks a key of each, but the local one.
SELECT put_item('index-query', '{"p": {"S": "p0"}, "s": {"N": "100"}, "x": {"S": "none"}}');
SELECT put_item('index-query', '{"p": {"S": "p2"}, "s": {"N": "100"}, "g": {"S": "h"}}');

-- reads(operation, request without TableName): the reply, or the error's text.
CREATE FUNCTION pg_temp.reads(operation text, request jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	whole json := (request || '{"TableName": "index-query", "ReturnConsumedCapacity": "INDEXES"}')::json;
BEGIN
	RETURN CASE operation WHEN 'query' THEN query(whole) ELSE scan(whole) END;
EXCEPTION WHEN sqlstate 'KV001' THEN
	RETURN '! ' || sqlerrm;
END $$;
CREATE FUNCTION pg_temp.query(index_name text, condition text, "values" jsonb, more jsonb DEFAULT '{}') RETURNS text LANGUAGE sql
	AS $$ SELECT pg_temp.reads('query', jsonb_build_object('IndexName', index_name, 'KeyConditionExpression', condition,
		'ExpressionAttributeValues', "values") || more) $$;
CREATE FUNCTION pg_temp.scan(index_name text, more jsonb DEFAULT '{}') RETURNS text LANGUAGE sql
	AS $$ SELECT pg_temp.reads('scan', jsonb_build_object('IndexName', index_name) || more) $$;

-- Projections.  What is in the answer, and in the price.
SELECT pg_temp.query('all', 'g = :g AND t > :t', '{":g": {"S": "g"}, ":t": {"N": "0"}}');
SELECT pg_temp.query('keys', 'g = :g', '{":g": {"S": "g"}}');
SELECT pg_temp.query('some', 't = :t', '{":t": {"N": "1"}}');
SELECT pg_temp.query('local', 'p = :p', '{":p": {"S": "p1"}}');
SELECT pg_temp.query('local', 'p = :p', '{":p": {"S": "p1"}}', '{"ConsistentRead": true}');
SELECT pg_temp.query('keys', 'g = :g', '{":g": {"S": "absent"}}');
SELECT pg_temp.scan('keys', '{"Select": "COUNT"}');
SELECT pg_temp.scan('some', '{"ProjectionExpression": "x, p"}');

-- Select.  A local index fetches what it does not project, for a price.
SELECT s, pg_temp.query(i, 'g = :g', '{":g": {"S": "h"}}', jsonb_build_object('Select', s))
	FROM unnest(ARRAY['all', 'keys']) i, unnest(ARRAY['ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES', 'SPECIFIC_ATTRIBUTES', 'COUNT']) s;
SELECT s, pg_temp.query('local', 'p = :p AND t = :t', '{":p": {"S": "p1"}, ":t": {"N": "0"}}', jsonb_build_object('Select', s))
	FROM unnest(ARRAY['ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES', 'COUNT']) s;
SELECT pg_temp.query('local', 'p = :p AND t = :t', '{":p": {"S": "p1"}, ":t": {"N": "0"}}', '{"ProjectionExpression": "y"}');
SELECT pg_temp.query('local', 'p = :p AND t = :t', '{":p": {"S": "p1"}, ":t": {"N": "0"}}', '{"ProjectionExpression": "y", "ConsistentRead": true}');
SELECT pg_temp.query('local', 'p = :p AND t = :t', '{":p": {"S": "p1"}, ":t": {"N": "0"}}', '{"ProjectionExpression": "x, s"}');
SELECT pg_temp.query('some', 't = :t', '{":t": {"N": "1"}}', '{"ProjectionExpression": "y.a, x, y.c, #b", "ExpressionAttributeNames": {"#b": "b"}}');
SELECT pg_temp.scan('some', '{"Select": "ALL_ATTRIBUTES"}');
SELECT pg_temp.scan('some', '{"AttributesToGet": ["x", "y", "b"]}');
SELECT pg_temp.scan('local', '{"Select": "ALL_ATTRIBUTES", "Limit": 1}');

-- Filters: of Query not on the keys of what is queried, nor on what a global index does not project; to Scan that is absent.
SELECT i, f, pg_temp.query(i, 'g = :g', '{":g": {"S": "g"}, ":v": {"S": "x3"}}', jsonb_build_object('FilterExpression', f, 'Select', 'COUNT'))
	FROM (VALUES ('all', 'x = :v'), ('all', 'g = :v'), ('all', 'x = :v OR x = t'), ('all', 'p = :v'), ('keys', 'p <> :v'),
		('keys', 'x = :v'), ('keys', 'x = :v OR x > y'), ('keys', 'g = :v')) f(i, f);
SELECT pg_temp.query('all', 'g = :g', '{":g": {"S": "g"}, ":v": {"S": "g"}}', '{"FilterExpression": "#t.z = :v", "ExpressionAttributeNames": {"#t": "t"}}');
SELECT pg_temp.query('all', 'g = :g', '{":g": {"S": "g"}, ":v": {"S": "g"}}', '{"FilterExpression": "#a.z = :v", "ExpressionAttributeNames": {"#a": "a"}}');
SELECT pg_temp.query('all', 'g = :g', '{":g": {"S": "g"}}', '{"ProjectionExpression": "p[0]"}');
SELECT pg_temp.query('local', 'p = :p', '{":p": {"S": "p1"}, ":v": {"S": "y3"}}', '{"FilterExpression": "y = :v"}');
SELECT pg_temp.query('local', 'p = :p', '{":p": {"S": "p1"}, ":v": {"N": "3"}}', '{"FilterExpression": "s = :v"}');
SELECT pg_temp.query('local', 'p = :p', '{":p": {"S": "p1"}, ":v": {"N": "3"}}', '{"FilterExpression": "t = :v"}');
SELECT pg_temp.scan('some', '{"FilterExpression": "attribute_exists(y)", "Select": "COUNT"}');
SELECT pg_temp.scan('some', '{"FilterExpression": "attribute_not_exists(y) AND x = :x AND t = :t", "ExpressionAttributeValues": {":x": {"S": "x5"}, ":t": {"N": "1"}}}');
SELECT pg_temp.scan('local', '{"FilterExpression": "y = :y", "ExpressionAttributeValues": {":y": {"S": "y5"}}}');
SELECT pg_temp.reads('query', '{"IndexName": "all", "KeyConditions": {"g": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "g"}]},
	"t": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "1"}]}}, "QueryFilter": {"x": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "x6"}]}}, "AttributesToGet": ["y"]}');
SELECT pg_temp.reads('query', '{"IndexName": "all", "KeyConditions": {"g": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "g"}]}},
	"QueryFilter": {"t": {"ComparisonOperator": "NOT_NULL"}}}');

-- Indexes that can't be read, or not so.
SELECT i, pg_temp.query(i, 'g = :g', '{":g": {"S": "g"}}'), pg_temp.scan(i) FROM unnest(ARRAY['absent', 'filling', 'going', 'time-to-live']) i;
SELECT pg_temp.query('all', 'g = :g', '{":g": {"S": "g"}}', '{"ConsistentRead": true}'), pg_temp.scan('all', '{"ConsistentRead": true}');
SELECT pg_temp.query('absent', 'g = :g', '{":g": {"S": "g"}}', '{"ConsistentRead": true}'), pg_temp.query('all', 'x = :g', '{":g": {"S": "g"}}', '{"ConsistentRead": true}');

-- Several attributes in a key.
SELECT pg_temp.query('many', c, v || '{":g": {"S": "g"}, ":t": {"N": "0"}}', '{"ProjectionExpression": "s"}') FROM (VALUES
	('g = :g AND t = :t', '{}'::jsonb), ('g = :g AND t = :t AND a = :a', '{":a": {"S": "a0"}}'), ('a > :a AND t = :t AND :g = g', '{":a": {"S": "a0"}}'),
	('g = :g AND t = :t AND a = :a AND b = :b', '{":a": {"S": "a0"}, ":b": {"N": "1"}}'),
	('g = :g AND t = :t AND a = :a AND b BETWEEN :t AND :b', '{":a": {"S": "a0"}, ":b": {"N": "1"}}'),
	('g = :g AND t = :t AND a = :a AND b = :b AND begins_with(c, :c)', '{":a": {"S": "a0"}, ":b": {"N": "1"}, ":c": {"B": "YQ=="}}'),
	('g = :g AND t = :t AND a = :a AND b = :b AND c < :c', '{":a": {"S": "a0"}, ":b": {"N": "1"}, ":c": {"B": "YQ=="}}')) c(c, v);
SELECT c, pg_temp.query('many', c, v || '{":g": {"S": "g"}}') FROM (VALUES
	('g = :g', '{}'::jsonb), ('g = :g AND t > :t', '{":t": {"N": "0"}}'), ('g = :g AND t = :t AND b = :t', '{":t": {"N": "0"}}'),
	('g = :g AND t = :t AND c = :c', '{":t": {"N": "0"}, ":c": {"B": "YQ=="}}'),
	('g = :g AND t = :t AND a = :g AND c = :c', '{":t": {"N": "0"}, ":c": {"B": "YQ=="}}'),
	('g = :g AND t = :t AND a > :g AND b = :t', '{":t": {"N": "0"}}'), ('g = :g AND t = :t AND begins_with(a, :g) AND b = :t AND c > :c', '{":t": {"N": "0"}, ":c": {"B": "YQ=="}}'),
	('g = :g AND t = :t AND x = :t', '{":t": {"N": "0"}}'), ('g = :g AND t = :t AND a = :g AND b = :t AND x = :t', '{":t": {"N": "0"}}'),
	('g = :g AND t = :t AND a = :g AND b = :t AND c = :c AND x = :t', '{":t": {"N": "0"}, ":c": {"B": "YQ=="}}'),
	('g = :g AND t = :t AND a = :t', '{":t": {"N": "0"}}'), ('g = :g AND t = :g', '{}'), ('g = :g AND t = :t AND a = :e', '{":t": {"N": "0"}, ":e": {"S": ""}}')) c(c, v);
SELECT c, pg_temp.query('all', c, '{":g": {"S": "g"}, ":t": {"N": "0"}}') FROM unnest(ARRAY['g = :g AND t = :t AND x = :t', 't = :t AND p = :g', 'g = :g AND p = :t', 'g > :g AND t = :t']) c;
SELECT c, pg_temp.query('keys', c, '{":g": {"S": "g"}, ":t": {"N": "0"}}') FROM unnest(ARRAY['g = :g AND t = :t', 'g = :g AND t = :t AND x = :t']) c;
-- The parts of a key have one limit together.
SELECT left(pg_temp.query('many', 'g = :g AND t = :t AND a = :a AND b = :t AND c = :c',
	jsonb_build_object(':g', '{"S": "g"}'::json, ':t', '{"N": "0"}'::json, ':a', json_build_object('S', repeat('a', 1000)),
		':c', json_build_object('B', encode(repeat('c', n)::bytea, 'base64')))), 120) FROM unnest(ARRAY[24, 25]) n;

-- Pages: every key once, and on behind it, both ways.
SELECT pg_temp.query('all', 'g = :g', '{":g": {"S": "g"}}', '{"Limit": 3, "ProjectionExpression": "s"}');
SELECT pg_temp.query('all', 'g = :g', '{":g": {"S": "g"}}', '{"Limit": 3, "ProjectionExpression": "s", "ExclusiveStartKey": {"g": {"S": "g"}, "t": {"N": "0"}, "p": {"S": "p1"}, "s": {"N": "1"}}}');
SELECT pg_temp.query('all', 'g = :g', '{":g": {"S": "g"}}', '{"Limit": 3, "ProjectionExpression": "s", "ScanIndexForward": false, "ExclusiveStartKey": {"g": {"S": "g"}, "t": {"N": "1.0"}, "p": {"S": "p0"}, "s": {"N": "6"}}}');
SELECT pg_temp.query('local', 'p = :p', '{":p": {"S": "p0"}}', '{"Limit": 3}');
SELECT pg_temp.query('some', 't = :t', '{":t": {"N": "0"}}', '{"Limit": 1}');
SELECT pg_temp.query('many', 'g = :g AND t = :t', '{":g": {"S": "g"}, ":t": {"N": "0"}}', '{"Limit": 1, "Select": "COUNT"}');
SELECT pg_temp.query('keys', 'g = :g', '{":g": {"S": "g"}}', '{"Limit": 3, "Select": "COUNT"}');
SELECT pg_temp.scan('keys', '{"Limit": 1, "Segment": 1, "TotalSegments": 2}'), pg_temp.scan('keys', '{"Limit": 1, "Segment": 0, "TotalSegments": 2}');

-- Start keys.
SELECT k, pg_temp.query('all', 'g = :g AND t > :t', '{":g": {"S": "g"}, ":t": {"N": "0"}}', jsonb_build_object('Select', 'COUNT', 'ExclusiveStartKey', k)),
	pg_temp.scan('all', jsonb_build_object('Select', 'COUNT', 'ExclusiveStartKey', k))
FROM (VALUES ('{"g": {"S": "g"}, "t": {"N": "1"}, "p": {"S": "p0"}, "s": {"N": "5"}}'::jsonb),
	('{}'), ('{"g": {"S": "g"}, "t": {"N": "1"}, "p": {"S": "p0"}}'), ('{"p": {"S": "g"}, "s": {"N": "1"}}'),
	('{"g": {"S": "g"}, "t": {"N": "1"}, "p": {"S": "p0"}, "x": {"N": "5"}}'), ('{"g": {"S": "g"}, "t": {"N": "1"}, "p": {"S": "p0"}, "s": {"N": "5"}, "x": {"N": "5"}}'),
	('{"g": {"N": "1"}, "t": {"N": "1"}, "p": {"S": "p0"}, "s": {"N": "5"}}'), ('{"g": {"S": "g"}, "t": {"S": "1"}, "p": {"N": "0"}, "s": {"N": "5"}}'),
	('{"g": {"S": "g"}, "t": {"N": "1"}, "p": {"N": "0"}, "s": {"N": "5"}}'), ('{"g": {"S": "g"}, "t": {"N": "1"}, "p": {"S": ""}, "s": {"N": "5"}}'),
	('{"g": {"S": ""}, "t": {"N": "1"}, "p": {"S": "p"}, "s": {"N": "5"}}'),
	('{"g": {"S": "h"}, "t": {"N": "1"}, "p": {"S": "p0"}, "s": {"N": "5"}}'), ('{"g": {"S": "g"}, "t": {"N": "0"}, "p": {"S": "p0"}, "s": {"N": "5"}}'),
	('{"g": {"S": "g"}, "t": {"N": "x"}, "p": {"S": "p0"}, "s": {"N": "5"}}'), ('{"g": {}, "t": {"N": "1"}, "p": {"S": "p0"}, "s": {"N": "5"}}')) k(k);
SELECT pg_temp.query('local', 'p = :p AND t = :t', '{":p": {"S": "p0"}, ":t": {"N": "0"}}', '{"ExclusiveStartKey": {"p": {"S": "p1"}, "t": {"N": "0"}, "s": {"N": "0"}}}');
SELECT pg_temp.query('local', 'p = :p AND t = :t', '{":p": {"S": "p0"}, ":t": {"N": "0"}}', '{"Select": "COUNT", "ExclusiveStartKey": {"p": {"S": "p0"}, "t": {"N": "0"}, "s": {"N": "0"}}}');
SELECT pg_temp.query('keys', 'g = :g', '{":g": {"S": "g"}}', '{"Select": "COUNT", "ExclusiveStartKey": {"g": {"S": "g"}, "p": {"S": "p1"}, "s": {"N": "7"}}}');
SELECT pg_temp.query('keys', 'g = :g', '{":g": {"S": "g"}}', '{"ExclusiveStartKey": {"g": {"S": "x"}, "p": {"S": "p1"}, "s": {"N": "7"}}}');
SELECT pg_temp.query('many', 'g = :g AND t = :t AND a = :a AND b > :t', '{":g": {"S": "g"}, ":t": {"N": "0"}, ":a": {"S": "a0"}}', jsonb_build_object('Select', 'COUNT', 'ExclusiveStartKey', k))
FROM (VALUES ('{"g": {"S": "g"}, "t": {"N": "0"}, "a": {"S": "a0"}, "b": {"N": "0.5"}, "c": {"B": "YQ=="}, "p": {"S": "p0"}, "s": {"N": "0"}}'::jsonb),
	('{"g": {"S": "g"}, "t": {"N": "1"}, "a": {"S": "a0"}, "b": {"N": "0.5"}, "c": {"B": "YQ=="}, "p": {"S": "p0"}, "s": {"N": "0"}}'),
	('{"g": {"S": "g"}, "t": {"N": "0"}, "a": {"S": "a1"}, "b": {"N": "0.5"}, "c": {"B": "YQ=="}, "p": {"S": "p0"}, "s": {"N": "0"}}'),
	('{"g": {"S": "g"}, "t": {"N": "0"}, "a": {"S": "a0"}, "b": {"N": "0"}, "c": {"B": "YQ=="}, "p": {"S": "p0"}, "s": {"N": "0"}}'),
	('{"g": {"S": "g"}, "t": {"N": "0"}, "a": {"S": "a0"}, "b": {"N": "0.5"}, "c": {"S": "YQ=="}, "p": {"S": "p0"}, "s": {"N": "0"}}')) k(k);
SELECT n, pg_temp.scan('keys', jsonb_build_object('Segment', n, 'TotalSegments', 2, 'Select', 'COUNT', 'ExclusiveStartKey',
	'{"g": {"S": "g"}, "p": {"S": "p1"}, "s": {"N": "7"}}'::json)) FROM generate_series(0, 1) n;

-- All pages at once.
SELECT item ->> 's' FROM query('index-query', 'g = :g AND t = :t', '{":g": {"S": "g"}, ":t": {"N": "1"}}', index_name => 'all') item;
SELECT count(*) FROM scan('index-query', NULL, index_name => 'keys');

-- Who may not read the table may not read its indexes.
CREATE ROLE regress_index_reader;
SET ROLE regress_index_reader;
SELECT count(*) FROM scan('index-query', NULL, index_name => 'keys');
RESET ROLE;
GRANT SELECT ON dynamo_data."index-query" TO regress_index_reader;
SET ROLE regress_index_reader;
SELECT count(*) FROM scan('index-query', NULL, index_name => 'keys');
RESET ROLE;
REVOKE ALL ON dynamo_data."index-query" FROM regress_index_reader;
DROP ROLE regress_index_reader;

-- Somebody dropped PostgreSQL's index.
SELECT slot FROM dynamo.indexes WHERE table_name = 'index-query' AND name = 'local' \gset
SELECT indexrelid::regclass AS index FROM pg_index WHERE indrelid = 'dynamo_data."index-query"'::regclass
	AND pg_get_indexdef(indexrelid) ~ ('\(index_key_' || :slot || '\)') \gset
DROP INDEX :index;
\set VERBOSITY sqlstate
SELECT pg_temp.query('local', 'p = :p', '{":p": {"S": "p0"}}');
\set VERBOSITY default
SELECT format('CREATE INDEX CONCURRENTLY ON dynamo_data."index-query" USING dynamo_key (index_key_%s) WHERE index_key_%1$s IS NOT NULL', :slot) \gexec
SELECT pg_temp.query('local', 'p = :p', '{":p": {"S": "p0"}}', '{"Select": "COUNT"}');

-- Not DeleteTable: one of the indexes is about to be filled.
DROP TABLE dynamo_data."index-query";
