-- JSON and the AttributeValue shapes made of it.
SET search_path = public, dynamo;

-- What base/json.c takes for JSON, and what it gives back.
CREATE FUNCTION pg_temp.norm(t text) RETURNS text
	RETURN dynamo_internal.json_normalize(convert_to(t, 'UTF8'));
SELECT t, pg_temp.norm(t) FROM unnest(ARRAY[
	'{}', '[]', ' [ 1 , 2.5 , -3e2 ] ', '"x"', 'true', 'null', '0', '-0', '1e400', '{"a":{"b":[null,true,false]}}',
	'"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC"', '"\ud83d\ude00"', '"é€😀"', '"a\u0000b"', '{"\u0000":"\u0000\u0000"}',
	'{"a":1,"b":2,"a":3}', '{"a":1,"a":2,"a":3}', '"\u0001\u001f\u007f"',
	'123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890']) AS t;
-- Not JSON; cJSON alone would let pass about half of these.
SELECT t, pg_temp.norm(t) IS NULL AS refused FROM unnest(ARRAY[
	'', ' ', '{', '}', '[1,]', '{"a":1,}', '{"a"}', '{"a":}', '{a:1}', '[1 2]', 'nul', 'truex', 'True', '01', '-', '+1', '.5', '5.',
	'1e', '1.e5', '0x10', '--1', 'NaN', '{} x', '{}{}', '"', '"\', '"\x"', '"\u12"', '"\u12G4"', '"\ud800"', '"\udc00"',
	'"\ud800\u0041"', '"\ud800x"', E'"\t"', E'"\n"', E'"\x01"', E'\x01{}', E'{}\x01', '[,1]', '{,}', '[}', '''a''', '/**/1',
	E'\uFEFF{}', '"a" "b"', ',', ':', '[1,2', '{"a":1', '[[]', 'é']) AS t
WHERE pg_temp.norm(t) IS NOT NULL;
-- Bytes that are not UTF-8: stray and cut sequences, overlong forms, surrogates, beyond Unicode, C0 80 itself.
SELECT b FROM unnest(ARRAY['\x2280 22', '\x22c222', '\x22e28222', '\x22c08022', '\x22c1bf22', '\x22e0808022', '\x22eda08022',
	'\x22f4908080 22', '\x22f880808080 22', '\x22ff22', '\x22e2', '\x22f09f9880', '\x6e756c6c00', '\x00', '\x225c7530303022', '\xefbbbf7b7d']::bytea[]) AS b
WHERE dynamo_internal.json_normalize(b) IS NOT NULL;
-- A NUL in a string comes back as an escape, also next to what C0 80 might be confused with.
SELECT pg_temp.norm('["\u0000À\u0000", "À", "Ā\u0000"]');
-- Nesting: 1000 levels and no more, however deep.
SELECT length(pg_temp.norm(repeat('[', 1000) || repeat(']', 1000))) AS deepest,
       pg_temp.norm(repeat('[', 1001) || repeat(']', 1001)) IS NULL AS deeper,
       pg_temp.norm(repeat('[', 1000000)) IS NULL AS hostile,
       pg_temp.norm(repeat('{"a":', 500000)) IS NULL AS hostile_objects;
-- Of duplicates the last one counts, in objects of any size.
SELECT md5(pg_temp.norm('{' || string_agg(format('"k%s":%s', i % 5000, i), ',' ORDER BY i) || '}')) =
       md5('{' || (SELECT string_agg(format('"k%s":%s', i % 5000, i), ',' ORDER BY i) FROM generate_series(15000, 19999) i) || '}')
FROM generate_series(0, 19999) i;

-- Strings are looked at many bytes at a time, and long ones do not go through cJSON: names and values of any length stay where they are.
SELECT n, t, pg_temp.norm(t) FROM generate_series(2, 140) n, LATERAL (SELECT format('{"%s":["%s",{"%s":"%s","":[]}],"x":"%s","y":["%s"]}',
	repeat('a', n), repeat('b', n + 1), repeat('é', n / 2), repeat('c', n - 1), repeat('d', n + 40), repeat('e', n)) AS t) AS one
WHERE pg_temp.norm(t) IS DISTINCT FROM t;
-- So does what needs an escape, wherever it is; what must not be there is found there.
SELECT i, t, pg_temp.norm(t) FROM generate_series(0, 70) i, unnest(ARRAY['"', '\', E'\n', E'\x01', 'é', '😀']) AS c,
	LATERAL (SELECT format('[%s,"%s"]', to_json(repeat('a', i) || c || repeat('b', 70 - i)), repeat('c', i)) AS t) AS one
WHERE pg_temp.norm(t) IS DISTINCT FROM t;
SELECT i, c FROM generate_series(0, 70) i, unnest(ARRAY['01', '1f', '0a', '80', 'c0', 'ff']) AS c
WHERE dynamo_internal.json_normalize(convert_to('"' || repeat('a', i), 'UTF8') || decode(c, 'hex') || convert_to(repeat('b', 70 - i) || '"', 'UTF8')) IS NOT NULL;
-- Of long duplicates the last one counts, too.
SELECT pg_temp.norm(format('{"a":"%1$s","a":"%2$s","%1$s":1,"%2$s":"%3$s","%1$s":"%2$s"}', repeat('1', 60), repeat('2', 60), repeat('3', 60)));

-- Damaged texts: taken or refused, and read, as PostgreSQL's own strict parser does.
CREATE FUNCTION pg_temp.judge(t text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	ours text := pg_temp.norm(t);
	theirs jsonb;
BEGIN
	BEGIN
		theirs := t::jsonb;
	EXCEPTION WHEN untranslatable_character THEN
		-- jsonb cannot hold a NUL; look at the rest of the text.
		ours := replace(ours, '\u0000', 'A');
		theirs := replace(t, '\u0000', '\u0041')::jsonb;
	END;
	IF ours IS NULL THEN
		RETURN 'refused: ' || t;
	END IF;
	RETURN CASE WHEN ours::jsonb = theirs THEN 'same' ELSE 'differs: ' || t END;
EXCEPTION
	WHEN invalid_text_representation OR invalid_parameter_value THEN
		RETURN CASE WHEN ours IS NULL THEN 'same' ELSE 'taken: ' || t END;
END $$;
SELECT setseed(0.25);
WITH texts AS MATERIALIZED (
	SELECT overlay(base placing
				   (ARRAY['', '"', '\', '{', '}', '[', ']', ',', ':', '0', '1', '-', '+', '.', 'e', ' ', E'\n', E'\x01', E'\x7f', 'u', 'é', '\u0041',
						  '\ud83d', '\ude00', '\u0000', 't', 'null', '/', 'x', '"a":'])[1 + floor(random() * 30)::int]
				   from 1 + floor(random() * length(base))::int for floor(random() * 3)::int) AS t
	FROM generate_series(1, 20000),
		 unnest(ARRAY['{"a": [1, 2.5, -3e2, "x\"\\\u00e9\ud83d\ude00"], "b": {"c": null, "a": true}, "a": false}']) AS base)
SELECT pg_temp.judge(t), count(*) FROM texts GROUP BY 1 ORDER BY 1;

-- Every type there and back.
SELECT '{"s": {"S": "x"}, "n": {"N": "1e3"}, "b": {"B": "AAEC"}, "t": {"BOOL": true}, "f": {"BOOL": false}, "z": {"NULL": true},
         "ss": {"SS": ["b", "a"]}, "ns": {"NS": ["10", "9", "-1"]}, "bs": {"BS": ["/w==", "AA=="]},
         "l": {"L": [{"S": "x"}, {"L": []}, {"M": {}}]}, "m": {"M": {"y": {"N": "1"}, "x": {"M": {"é": {"S": ""}}}}}}'::dynamo.item;
-- Empty strings and binaries, NUL, Unicode, names of every length class.
SELECT '{"e": {"S": ""}, "eb": {"B": ""}, "nul": {"S": "a\u0000b"}, "\u0000": {"SS": ["\u0000", ""]}, "u": {"S": "\ud83d\ude00 \"\\ \u001f"}}'::dynamo.item;
SELECT n, i = (i::text)::dynamo.item AS same, octet_length(i::text)
FROM (SELECT n, format('{"%s": {"N": "1"}, "a": {"S": "%s"}}', repeat('n', n), repeat('v', n))::dynamo.item AS i
      FROM unnest(ARRAY[1, 254, 255, 256, 65535]) AS n) x;
SELECT format('{"%s": {"N": "1"}}', repeat('n', 65536))::dynamo.item;
SELECT '{"": {"N": "1"}}'::dynamo.item;
-- Booleans as strings, as the service takes them; a null member is absent.
SELECT '{"a": {"BOOL": "TRUE"}, "b": {"BOOL": "no"}, "c": {"NULL": "1"}, "d": {"S": "x", "N": null}, "e": {"S": "x", "dog": 1}}'::dynamo.item;

-- Errors: shapes.
CREATE FUNCTION pg_temp.item_error(t text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN t::dynamo.item::text;
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate || ' ' || sqlerrm;
END $$;
SELECT v AS "AttributeValue", pg_temp.item_error('{"a": ' || v || '}') AS error FROM unnest(ARRAY[
	'3', '"x"', 'true', '[]',
	'{"S": true}', '{"S": false}', '{"S": 1}', '{"S": 1.5}', '{"S": []}', '{"S": {}}',
	'{"N": 3}', '{"N": 3.5}', '{"N": true}', '{"N": []}',
	'{"B": true}', '{"B": 1}', '{"B": []}', '{"B": {}}', '{"B": "abc"}', '{"B": "ab=c"}', '{"B": "a==="}', '{"B": "ab*d"}', '{"B": "AB=="}', '{"B": "AAB="}',
	'{"BOOL": 1}', '{"BOOL": 1.5}', '{"BOOL": "maybe"}', '{"BOOL": []}', '{"BOOL": {}}', '{"NULL": 0}',
	'{"SS": "a"}', '{"SS": {}}', '{"SS": [1]}', '{"SS": [["a"]]}', '{"SS": [{}]}', '{"NS": [1]}', '{"BS": [1]}', '{"BS": ["abc"]}',
	'{"L": 1}', '{"L": {}}', '{"L": ["a"]}', '{"L": [[]]}', '{"L": [1]}',
	'{"M": 1}', '{"M": []}', '{"M": {"x": 1}}', '{"M": {"x": []}}']) AS v;
-- Errors: rules.
SELECT v AS "AttributeValue", pg_temp.item_error('{"a": ' || v || '}') AS error FROM unnest(ARRAY[
	'{}', 'null', '{"dog": "cat"}', '{"S": null}', '{"S": "a", "N": "1"}', '{"NULL": false}', '{"L": [{}]}', '{"L": [null]}', '{"M": {"x": {}}}',
	'{"SS": []}', '{"NS": []}', '{"BS": []}', '{"L": [{"SS": []}]}', '{"SS": [null]}',
	'{"SS": ["a", "a"]}', '{"SS": ["b", "a", "b"]}', '{"NS": ["1", "1.0"]}', '{"BS": ["Yg==", "Yg=="]}',
	'{"N": "dog"}', '{"N": ""}', '{"N": "1e126"}', '{"N": "1e-131"}', '{"N": "123456789012345678901234567890123456789"}', '{"NS": ["1", "x"]}', '{"N": "1\u00002"}']) AS v;
-- All shapes are looked at before any rule; then the first problem wins, depth first.
SELECT pg_temp.item_error('{"a": {}, "b": {"S": 1}}'), pg_temp.item_error('{"a": {"L": [{"N": "x"}]}, "b": {}}');
SELECT pg_temp.item_error('[]'), pg_temp.item_error('{"a"'), pg_temp.item_error('1');

-- Nesting: 31 maps or lists around a scalar, no more.
CREATE FUNCTION pg_temp.nested(open text, close text, n int) RETURNS text
	RETURN pg_temp.item_error('{"a": ' || repeat(open, n) || '{"S": "x"}' || repeat(close, n) || '}');
SELECT length(pg_temp.nested('{"M": {"m": ', '}}', 31)) AS maps, pg_temp.nested('{"M": {"m": ', '}}', 32);
SELECT length(pg_temp.nested('{"L": [', ']}', 31)) AS lists, pg_temp.nested('{"L": [', ']}', 32), pg_temp.nested('{"L": [', ']}', 400);

-- As the service's messages quote a value.
SELECT v, dynamo_internal.value_describe(v) FROM unnest(ARRAY['{"S": "a"}', '{"N": "1.50"}', '{"BOOL": true}', '{"NULL": true}', '{"SS": ["b", "a"]}',
	'{"NS": ["2", "1"]}', '{"L": [{"S": "a"}, {"N": "1"}]}', '{"M": {"k": {"S": "v"}, "j": {"N": "1"}}}']) AS v;
