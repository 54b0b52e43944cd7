-- Walks over a partition and over a table, page by page, both ways, for keys of every length.
SET search_path = public, dynamo;
\pset format unaligned
\pset tuples_only on
SELECT create_table('{"TableName": "store-walk", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "s", "AttributeType": "B"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}]}')
	-> 'TableDescription' ->> 'TableStatus';

-- Partition keys that are equal but for their last byte; sort keys with zeros and 0xFF.
CREATE TABLE keys AS
	SELECT repeat('x', p) || q AS p, s FROM unnest(ARRAY[0, 1566, 1599, 2047]) p, unnest(ARRAY['a', 'b']) q,
		unnest(ARRAY['\x00', '\x0000', '\x01', '\x7f', '\xff', '\xff00', '\xffff', '\xffff01']::bytea[]
			|| decode(repeat('ff', 1023) || '00', 'hex') || decode(repeat('ff', 1024), 'hex')) s;
SELECT count(put_item(json_build_object('TableName', 'store-walk', 'Item', json_build_object(
	'p', json_build_object('S', p), 's', json_build_object('B', replace(encode(s, 'base64'), E'\n', '')))))) FROM keys;

-- All pages of a Query or Scan as one array of keys: what is in the request
-- goes into each page's, and each page goes on where the last one ended.
CREATE FUNCTION walk(operation text, request jsonb) RETURNS TABLE (page int, p text, s bytea) LANGUAGE plpgsql AS $$
DECLARE reply jsonb; item jsonb;
BEGIN
	page := 0;
	LOOP
		page := page + 1;
		EXECUTE format('SELECT dynamo.%I($1::json)::jsonb', operation) INTO reply USING request;
		FOR item IN SELECT * FROM jsonb_array_elements(reply -> 'Items') LOOP
			p := item -> 'p' ->> 'S'; s := decode(item -> 's' ->> 'B', 'base64');
			RETURN NEXT;
		END LOOP;
		EXIT WHEN NOT reply ? 'LastEvaluatedKey';
		request := request || jsonb_build_object('ExclusiveStartKey', reply -> 'LastEvaluatedKey');
	END LOOP;
END $$;
CREATE FUNCTION partition(p text, condition text, low bytea, high bytea, forward boolean, page int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('TableName', 'store-walk', 'ScanIndexForward', forward, 'Limit', page,
		'KeyConditionExpression', 'p = :p' || condition, 'ExpressionAttributeValues', jsonb_build_object('p', 1) - 'p'
		|| jsonb_build_object(':p', jsonb_build_object('S', p))
		|| CASE WHEN low IS NULL THEN '{}' ELSE jsonb_build_object(':low', jsonb_build_object('B', replace(encode(low, 'base64'), E'\n', ''))) END
		|| CASE WHEN high IS NULL THEN '{}' ELSE jsonb_build_object(':high', jsonb_build_object('B', replace(encode(high, 'base64'), E'\n', ''))) END)
$$;

-- Every condition on the sort key, every page size, both directions, against a filter in SQL.
CREATE TABLE conditions (condition text, low bytea, high bytea, holds text);
INSERT INTO conditions VALUES ('', NULL, NULL, 'true');
INSERT INTO conditions
	SELECT c, low, NULL, h FROM unnest(ARRAY['=', '<', '<=', '>', '>=', '^@'], ARRAY[' AND s = :low', ' AND s < :low', ' AND s <= :low',
		' AND s > :low', ' AND s >= :low', ' AND begins_with(s, :low)']) AS o (h, c),
		unnest(ARRAY['\x00', '\x7f', '\xff', '\xffff', '\xffff02']::bytea[] || decode(repeat('ff', 1024), 'hex')) low;
INSERT INTO conditions VALUES (' AND s BETWEEN :low AND :high', '\x0000', '\xff', 'between');
CREATE FUNCTION holds(s bytea, c conditions) RETURNS boolean LANGUAGE sql AS $$
	SELECT CASE c.holds WHEN 'true' THEN true WHEN '=' THEN s = c.low WHEN '<' THEN s < c.low WHEN '<=' THEN s <= c.low
		WHEN '>' THEN s > c.low WHEN '>=' THEN s >= c.low WHEN '^@' THEN substr(s, 1, length(c.low)) = c.low
		ELSE s BETWEEN c.low AND c.high END
$$;
SELECT count(*), count(DISTINCT holds), sum(cardinality(expected)),
	count(*) FILTER (WHERE got IS DISTINCT FROM expected) AS wrong
FROM (SELECT c.holds,
		(SELECT coalesce(array_agg(k.s ORDER BY CASE WHEN forward THEN k.s END, k.s DESC), '{}') FROM keys k WHERE k.p = one.p AND holds(k.s, c)) AS expected,
		(SELECT coalesce(array_agg(w.s ORDER BY n), '{}') FROM walk('query', partition(one.p, c.condition, c.low, c.high, forward, size))
			WITH ORDINALITY AS w (page, p, s, n)) AS got
	FROM conditions c, (SELECT DISTINCT p FROM keys) one, unnest(ARRAY[true, false]) forward, unnest(ARRAY[1, 3, 100]) size) t;

-- A Scan meets each item once, whatever the page size and the number of segments.
SELECT size, segments, count(*), count(DISTINCT (p, s))
	FROM (VALUES (1, 1), (7, 1), (100, 1), (3, 5)) v (size, segments), generate_series(0, segments - 1) segment,
		walk('scan', jsonb_build_object('TableName', 'store-walk', 'Limit', size)
			|| CASE WHEN segments = 1 THEN '{}' ELSE jsonb_build_object('Segment', segment, 'TotalSegments', segments) END)
	GROUP BY size, segments ORDER BY size, segments;

-- The start of a page need not exist any more.
SELECT count(delete_item(json_build_object('TableName', 'store-walk', 'Key', json_build_object(
	'p', json_build_object('S', p), 's', json_build_object('B', encode(s, 'base64')))))) FROM keys WHERE p = 'a' AND s = '\x7f';
SELECT s FROM walk('query', partition('a', '', NULL, NULL, true, 100)
	|| '{"ExclusiveStartKey": {"p": {"S": "a"}, "s": {"B": "fw=="}}}') LIMIT 1;
SELECT s FROM walk('query', partition('a', '', NULL, NULL, false, 100)
	|| '{"ExclusiveStartKey": {"p": {"S": "a"}, "s": {"B": "fw=="}}}') LIMIT 1;

-- A page sees its transaction's writes, and a snapshot of its own.
BEGIN;
SELECT count(put_item(json_build_object('TableName', 'store-walk', 'Item', item))) FROM unnest(ARRAY['{"p": {"S": "new"}, "s": {"B": "AA=="}}',
	'{"p": {"S": "new"}, "s": {"B": "AQ=="}}']::json[]) item;
SELECT count(*) FROM walk('query', partition('new', '', NULL, NULL, true, 1));
ROLLBACK;
SELECT count(*) FROM walk('query', partition('new', '', NULL, NULL, true, 1));
DROP TABLE dynamo_data."store-walk", keys, conditions CASCADE;
DROP FUNCTION walk, partition;
