-- ExecuteStatement: what statements do, and what they refuse.
SET search_path = dynamo, public;
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;

SELECT create_table('{"TableName": "Music", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "artist", "AttributeType": "S"}, {"AttributeName": "song", "AttributeType": "S"},
		{"AttributeName": "genre", "AttributeType": "S"}, {"AttributeName": "year", "AttributeType": "N"}],
	"KeySchema": [{"AttributeName": "artist", "KeyType": "HASH"}, {"AttributeName": "song", "KeyType": "RANGE"}],
	"LocalSecondaryIndexes": [{"IndexName": "by-year", "Projection": {"ProjectionType": "KEYS_ONLY"},
		"KeySchema": [{"AttributeName": "artist", "KeyType": "HASH"}, {"AttributeName": "year", "KeyType": "RANGE"}]}],
	"GlobalSecondaryIndexes": [{"IndexName": "by-genre", "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["awards"]},
		"KeySchema": [{"AttributeName": "genre", "KeyType": "HASH"}, {"AttributeName": "year", "KeyType": "RANGE"}]}]}')
	-> 'TableDescription' ->> 'TableStatus';

-- run(statement, parameters, further members): the reply, or the error's text.
CREATE FUNCTION pg_temp.run(statement text, parameters jsonb DEFAULT NULL, more jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN regexp_replace(execute_statement((jsonb_strip_nulls(jsonb_build_object('Statement', statement, 'Parameters', parameters)) || more)::json)::text,
		'"NextToken":"[^"]*"', '"NextToken":"..."');
EXCEPTION WHEN OTHERS THEN
	RETURN '! ' || sqlstate || ' ' || sqlerrm;
END
$$;

-- INSERT.
SELECT pg_temp.run($$INSERT INTO "Music" VALUE {'artist': 'Acme', 'song': 'Happy Day', 'year': 1999, 'genre': 'folk', 'awards': ['a', {'b': [1, 2]}], 'tags': <<'x', 'y'>>}$$);
SELECT pg_temp.run($$INSERT INTO "Music" VALUE {'artist': 'Acme', 'song': 'Happy Day'}$$);
SELECT pg_temp.run($$INSERT INTO "Music" VALUE {'artist': ?, 'song': ?, 'year': ?, 'genre': ?}$$, '[{"S": "Acme"}, {"S": "PartiQL Rocks"}, {"N": "2001"}, {"S": "rock"}]');
SELECT pg_temp.run($$INSERT INTO "Music" VALUE ?$$, '[{"M": {"artist": {"S": "Blue"}, "song": {"S": "One"}, "year": {"N": "2001"}, "genre": {"S": "rock"}, "n": {"N": "1"}}}]');
SELECT pg_temp.run($$INSERT INTO "Music" VALUE {'artist': 'Blue', 'song': 'Two', 'year': 1998}$$, NULL, '{"ReturnConsumedCapacity": "INDEXES"}');
SELECT pg_temp.run($$INSERT INTO "Music" VALUE {'artist': 'Blue'}$$);
SELECT pg_temp.run($$INSERT INTO "Music" VALUE {'artist': 1, 'song': 'x'}$$);
SELECT pg_temp.run($$INSERT INTO "Music" VALUE {'artist': 'x', 'song': ''}$$);
SELECT pg_temp.run($$INSERT INTO "Music" VALUE {'artist': 'x', 'song': 'x', 'genre': 1}$$);
SELECT pg_temp.run($$INSERT INTO "Music"."by-year" VALUE {'artist': 'x', 'song': 'x'}$$);
SELECT pg_temp.run($$INSERT INTO "music" VALUE {'artist': 'x', 'song': 'x'}$$);
SELECT pg_temp.run(format($$INSERT INTO "Music" VALUE {'artist': 'x', 'song': 'x', 'deep': %s1%s}$$, repeat('{''m'': ', n), repeat('}', n)))
	FROM unnest(ARRAY[31, 32]) n;
SELECT pg_temp.run($$DELETE FROM Music WHERE artist = 'x' AND song = 'x'$$);
SELECT pg_temp.run($$INSERT INTO Music VALUE {'artist': 'x', 'song': 'x', 'twice': <<'a', 'b', 'a'>>}$$);
SELECT pg_temp.run($$INSERT INTO Music VALUE {'artist': 'x', 'song': 'x', 'twice': <<1, 1.0>>}$$);
SELECT pg_temp.run($$INSERT INTO Music VALUE {'artist': 'x', 'song': 'x', 'twice': <<?, ?>>}$$, '[{"B": "AQ=="}, {"B": "AQ=="}]');

-- SELECT: by key, by partition, everything; columns, conditions.
SELECT pg_temp.run($$SELECT * FROM "Music" WHERE artist = 'Acme' AND song = 'Happy Day'$$);
SELECT pg_temp.run($$SELECT song, awards[1].b[0], awards[0], nothing FROM Music WHERE artist = 'Acme'$$);
SELECT pg_temp.run($$SELECT song FROM Music WHERE artist = 'Acme' AND begins_with(song, 'P')$$);
SELECT pg_temp.run($$SELECT song FROM Music WHERE artist = ? AND song BETWEEN ? AND ?$$, '[{"S": "Acme"}, {"S": "A"}, {"S": "I"}]');
SELECT pg_temp.run($$SELECT song FROM Music WHERE 'Q' > song AND artist = 'Acme'$$);
SELECT pg_temp.run($$SELECT artist, song FROM Music WHERE artist IN ('Blue', 'None', 'Acme', 'Blue') ORDER BY song DESC$$, NULL, '{"ReturnConsumedCapacity": "TOTAL"}');
SELECT pg_temp.run($$SELECT song FROM Music WHERE year = 2001 ORDER BY song$$);
SELECT pg_temp.run($$SELECT song FROM Music WHERE artist = 'Blue' ORDER BY year$$);
SELECT pg_temp.run($$SELECT song FROM Music WHERE artist = 1$$);
SELECT pg_temp.run($$SELECT song FROM Music WHERE artist = 'Acme' OR artist = 'Blue' AND song = 'One'$$) LIKE '%Happy%One%';
SELECT count(*) FROM json_array_elements(execute_statement('{"Statement": "SELECT * FROM Music"}') -> 'Items');
SELECT count(*) FROM json_array_elements(execute_statement('{"Statement": "SELECT * FROM Music WHERE genre <> ''folk''"}') -> 'Items');
SELECT count(*) FROM json_array_elements(execute_statement('{"Statement": "SELECT * FROM Music WHERE NOT genre = ''folk''"}') -> 'Items');
SELECT count(*) FROM json_array_elements(execute_statement('{"Statement": "SELECT * FROM Music WHERE genre IS MISSING"}') -> 'Items');
SELECT count(*) FROM json_array_elements(execute_statement('{"Statement": "SELECT * FROM Music WHERE tags = <<''y'', ''x''>> AND contains(tags, ''x'') AND size(awards) = 2"}') -> 'Items');

-- Indexes.
SELECT pg_temp.run($$SELECT * FROM "Music"."by-genre" WHERE genre = 'rock' AND year >= 2001$$, NULL, '{"ReturnConsumedCapacity": "INDEXES"}');
SELECT pg_temp.run($$SELECT * FROM "Music"."by-year" WHERE artist = 'Acme' ORDER BY year DESC$$, NULL, '{"ReturnConsumedCapacity": "INDEXES"}');
SELECT pg_temp.run($$SELECT song FROM "Music"."by-genre"$$) LIKE '%Happy%';
SELECT pg_temp.run($$SELECT n FROM "Music"."by-genre" WHERE genre = 'rock'$$);
SELECT pg_temp.run($$SELECT song FROM "Music"."by-genre" WHERE genre = 'rock' AND n = 1$$);
SELECT pg_temp.run($$SELECT * FROM "Music"."by-genre" WHERE genre = 'rock'$$, NULL, '{"ConsistentRead": true}');
SELECT pg_temp.run($$SELECT * FROM "Music"."nothing" WHERE genre = 'rock'$$);

-- Pages: one row each, over partitions, and back to the whole.
CREATE FUNCTION pg_temp.pages(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	reply json;
	token text;
BEGIN
	LOOP
		reply := execute_statement(jsonb_strip_nulls(jsonb_build_object('Statement', statement, 'Limit', 1, 'NextToken', token))::json);
		RETURN QUERY SELECT i ->> 'song' FROM json_array_elements(reply -> 'Items') i;
		token := reply ->> 'NextToken';
		EXIT WHEN token IS NULL;
	END LOOP;
END
$$;
SELECT pg_temp.pages($$SELECT song FROM Music WHERE artist IN ('Blue', 'Acme')$$);
SELECT pg_temp.pages($$SELECT song FROM Music WHERE artist = 'Blue' ORDER BY song DESC$$);
SELECT pg_temp.pages($$SELECT song FROM "Music"."by-genre" WHERE genre = 'rock'$$);
SELECT count(*) FROM pg_temp.pages('SELECT * FROM Music WHERE year > 1998');
SELECT pg_temp.run('SELECT song FROM Music', NULL, '{"Limit": 1, "NextToken": "x"}');
SELECT pg_temp.run('SELECT song FROM Music', NULL, jsonb_build_object('NextToken', execute_statement('{"Statement": "SELECT * FROM Music", "Limit": 1}') -> 'NextToken'));
SELECT pg_temp.run('SELECT song FROM Music', NULL, jsonb_build_object('NextToken', encode('{"Statement": 1}', 'base64')));
SELECT pg_temp.run('DELETE FROM Music WHERE artist = 1', NULL, '{"NextToken": "x"}');
SELECT pg_temp.run('SELECT song FROM Music', NULL, '{"Limit": 0}');

-- UPDATE.
SELECT pg_temp.run($$UPDATE Music SET year = year + 1 SET awards = list_append(awards, ['z']) REMOVE nothing SET tags = set_add(tags, <<'z'>>)
	WHERE artist = 'Acme' AND song = 'Happy Day' RETURNING ALL NEW *$$);
SELECT pg_temp.run($$UPDATE Music SET tags = set_delete(tags, <<'x'>>), n = ? WHERE artist = 'Acme' AND song = 'Happy Day' AND year = 2000 RETURNING MODIFIED OLD *$$, '[{"N": "5"}]');
SELECT pg_temp.run($$UPDATE Music SET n = n - 7 WHERE artist = 'Acme' AND song = 'Happy Day' RETURNING MODIFIED NEW *$$);
SELECT pg_temp.run($$UPDATE Music SET n = 1 WHERE artist = 'Acme' AND song = 'Happy Day' AND year = 5$$, NULL, '{"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}');
SELECT pg_temp.run($$UPDATE Music SET n = 1 WHERE artist = 'Acme' AND song = 'Nothing'$$);
SELECT pg_temp.run($$UPDATE Music SET n = 1 WHERE artist = 'Acme'$$);
SELECT pg_temp.run($$UPDATE Music SET n = 1 WHERE artist = 'Acme' AND song IN ('a', 'b')$$);
SELECT pg_temp.run($$UPDATE Music SET song = 'x' WHERE artist = 'Acme' AND song = 'Happy Day'$$);
SELECT pg_temp.run($$UPDATE Music SET genre = 1 WHERE artist = 'Acme' AND song = 'Happy Day'$$);
SELECT pg_temp.run($$UPDATE Music SET x.y = 1 WHERE artist = 'Acme' AND song = 'Happy Day'$$);
SELECT pg_temp.run($$UPDATE Music SET n = 1 WHERE artist = 1 AND song = 'Happy Day'$$);

-- DELETE.
SELECT pg_temp.run($$DELETE FROM Music WHERE artist = 'Blue' AND song = 'Two' AND year = 5$$);
SELECT pg_temp.run($$DELETE FROM Music WHERE artist = 'Blue' AND song = 'Two' AND year = 1998 RETURNING ALL OLD *$$);
SELECT pg_temp.run($$DELETE FROM Music WHERE artist = 'Blue' AND song = 'Two' AND year = 1998 RETURNING ALL OLD *$$);
SELECT pg_temp.run($$DELETE FROM Music WHERE artist = 'Blue'$$);

-- Members.
SELECT execute_statement('{}');
SELECT execute_statement('{"Statement": ""}');
SELECT execute_statement('{"Statement": "SELECT * FROM Music", "Parameters": []}');
SELECT length(sqlerrm) FROM (SELECT pg_temp.run(repeat('x', 8193))) r(sqlerrm);
SELECT pg_temp.run('EXISTS(SELECT * FROM Music WHERE artist = 1)');

-- It is part of the transaction around it.
BEGIN;
SELECT pg_temp.run($$INSERT INTO Music VALUE {'artist': 'Rolled', 'song': 'Back'}$$);
ROLLBACK;
SELECT pg_temp.run($$SELECT * FROM Music WHERE artist = 'Rolled'$$);

-- A read-only transaction may read.
BEGIN READ ONLY;
SELECT pg_temp.run($$ /* it */ select song FROM Music WHERE artist = 'Blue'$$);
SELECT batch_execute_statement('{"Statements": [{"Statement": "SELECT song FROM Music WHERE artist = ''Blue'' AND song = ''One''"}]}');
SELECT execute_transaction('{"TransactStatements": [{"Statement": "SELECT song FROM Music WHERE artist = ''Blue'' AND song = ''One''"}]}');
SELECT pg_temp.run($$DELETE FROM Music WHERE artist = 'Blue' AND song = 'One'$$);
SELECT pg_temp.run($$ -- SELECT$$);
ROLLBACK;
SELECT verify_table('Music');
SELECT delete_table('{"TableName": "Music"}') IS NOT NULL;
