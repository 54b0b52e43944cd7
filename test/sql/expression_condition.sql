-- Conditions: trees, texts of errors, results.
SET search_path = public, dynamo, dynamo_internal;
\pset format unaligned
\pset tuples_only on
\pset fieldsep ' -> '

-- The tree, or the error without the words all of them begin with.
CREATE FUNCTION pg_temp.parse(expression text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN parse_condition(expression);
EXCEPTION WHEN sqlstate 'KV001' THEN
	RETURN regexp_replace(sqlerrm, '^Invalid ConditionExpression: ', '! ');
END $$;
-- What a condition says of an item, or the error.
CREATE FUNCTION pg_temp.check(expression text, item dynamo.item DEFAULT '{}', names json DEFAULT NULL, "values" json DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE WHEN evaluate_condition(expression, names, "values", item) THEN 'true' ELSE 'false' END;
EXCEPTION WHEN sqlstate 'KV001' THEN
	RETURN regexp_replace(sqlerrm, '^Invalid ConditionExpression: ', '! ');
END $$;

-- Precedence, associativity, groups that are operands and groups that are conditions.
SELECT e, pg_temp.parse(e) FROM unnest(ARRAY[
	'a = :b', 'a=:b', E' \t\r\na\t<>\n:b ', 'a < :b', 'a <= :b', 'a > :b', 'a >= :b', ':a = :b', 'a = b', '#n = :v1_2', '#1_a = :2',
	'a = :x AND b = :y OR c = :z', 'a = :x OR b = :y AND c = :z', '(a = :x OR b = :y) AND c = :z',
	'a = :x AND b = :y AND c = :z', 'NOT a = :x AND b = :y', 'NOT NOT a = :x', 'NOT (a = :x AND b = :y)',
	'a = :b and b = :c Or nOt c = :d', 'a BETWEEN :x AND :y AND b = :z', 'a between b and c', 'a IN (:x)', 'a in (:x, b, size(c))',
	'size(a) > :b', ':b < size(a)', 'size(a) BETWEEN size(b) AND :c', 'attribute_exists(a)', 'NOT attribute_exists(a)',
	'begins_with(a, :b) OR contains(c, d)', 'attribute_type(a, :t)', 'attribute_exists ( a )',
	'(a) = :b', 'a = (:b)', '(a) = (:b)', '(a = :b)', '((a = :b) AND c = :d)', '((a) = :b)', '(a = :b) AND (c = :d)', '(size(a)) > :b', '(attribute_exists(a))',
	'(a = :b) OR NOT (c = :d)', 'size((a)) > :b', '(((a) = :b) AND c = :d)', 'a.b.c = :x', 'a[0][1].b[2] = :x', 'a [ 1 ] . b = :x', '#a.#b[7] = :x', 'a[007] = :x', 'a[2147483647] = :x',
	'set = :x', 'add = :x', 'remove = :x', 'a.between = :x']) AS e;

-- Syntax errors: the token, and the text from the token before it to the one behind it.
SELECT e, pg_temp.parse(e) FROM unnest(ARRAY[
	'!!!', 'INVALID SYNTAX HERE', 'user-id = :x', 'a = :b AND', 'a =', 'a', ':a', '(a)', '(:a)', 'a AND b = :c', 'a = :b AND c', '(a = :b AND c)', 'NOT a', '(NOT a)',
	'a != :b', 'a == :b', 'a = = :b', 'a = b = c', '(a = :b) = :c', 'a = :b)', '(a = :b', '()', '', ' ', 'a < > :b', 'a IN ()', 'a IN :x', 'a IN (:x', 'a IN (:x,)', 'a NOT IN (:x)',
	'a BETWEEN :x', 'a BETWEEN :x AND', 'a BETWEEN :x OR :y', 'a BETWEEN :x, :y', '_a = :b', '1a = :b', 'a.1 = :b', 'a.[1] = :b', 'a[-1] = :b', 'a[+1] = :b', 'a[:i] = :b', 'a[b] = :c', 'a[] = :b', 'a[1 = :b', '[1] = :b', '.a = :b', 'a. = :b', 'a..b = :c',
	'# = :b', 'a = :', '#-a = :b', 'a = "b"', 'a = ''b''', 'a = 5', 'é = :b', 'a = :b €', 'a = :b ; drop', 'attribute_exists()', 'attribute_exists(a', 'attribute_exists(a,)', 'attribute_exists a', '#f(a)', 'a.b(c)', ':f(a)',
	'f(a = b)', 'f(a AND b)', 'a + b = :c', 'a = :b, c = :d', 'AND = :x', 'a = not', 'or', 'not', 'between = :x', 'a = in', 'a[0]b = :c']) AS e;

-- Redundant parentheses.
SELECT e, pg_temp.parse(e) FROM unnest(ARRAY[
	'((a = :b))', '((a)) = :b', 'a = ((:b))', '(((a = :b)))', '((a = :b) AND ((c = :d)))', 'size(((a))) > :b', '((a = :b)) AND c = :d', '((size(a))) = :b', '((a = :b)) AND', '((a)']) AS e;

-- Sizes and counts.  Blanks count; size comes before syntax, syntax before the number of operators, that before parentheses.
SELECT left(pg_temp.parse(repeat(' ', 4090) || 'a = :b'), 20);
SELECT pg_temp.parse(repeat(' ', 4091) || 'a = :b'), pg_temp.parse(repeat('!', 4109)), pg_temp.parse(repeat('é', 2049));
SELECT left(pg_temp.parse('NOT NOT a = :b' || repeat(' OR a=:b', 149) || ' OR NOT a'), 90), left(pg_temp.parse('a = :b' || repeat(' OR a=:b', 149)), 20);
SELECT pg_temp.parse('NOT NOT a = :b' || repeat(' OR a=:b', 149)), left(pg_temp.parse('NOT a = :b' || repeat(' OR a=:b', 149)), 20);
SELECT pg_temp.parse('NOT NOT ((a = :b))' || repeat(' OR a=:b', 149));
SELECT pg_temp.parse('a BETWEEN :x AND :y' || repeat(' AND size(a) IN(:b)', 150)), left(pg_temp.parse('size(a)=:b' || repeat(' AND size(a)=:b', 149)), 20);
-- However deep it nests, it is no more than an error.
SELECT left(pg_temp.parse(repeat('(', 4000)), 60), left(pg_temp.parse(repeat('NOT ', 1000) || 'a=:b'), 70), left(pg_temp.parse(repeat('f(', 1300) || 'a' || repeat(')', 1300)), 60);
SELECT e, pg_temp.parse(e) FROM unnest(ARRAY['a[2147483648] = :x', 'a[99999999999999] = :x', 'a[99999999999999999999999999999999999999] = :x']) AS e;
SELECT pg_temp.parse('a' || repeat('.a', 32) || ' = :x'), pg_temp.parse('a' || repeat('[0]', 32) || ' = :x'), left(pg_temp.parse('a' || repeat('.a', 31) || ' = :x'), 20);

-- Names and values that are not defined, or not used.
SELECT e, pg_temp.check(e, names => n, "values" => v) FROM (VALUES
	('#a = :a', NULL::json, NULL::json), ('#a = :a', '{"#a": "x"}', NULL), ('#a = :a', '{"#a": "x"}', '{":b": {"S": ""}}'), ('a.#b.c = :a', '{"#a": "x"}', '{":a": {"S": ""}}'),
	('a = :a', '{"#a": "x"}', '{":a": {"S": ""}}'), ('a = :a', '{"#a": "x", "#b": "y"}', '{":a": {"S": ""}, ":b": {"S": ""}}'), ('a = :b OR b = :a', NULL, '{":c": {"S": ""}, ":b": {"S": ""}, ":a": {"S": ""}, ":d": {"N": "1"}}'),
	('a = :a', '{}', NULL), ('a = :a', NULL, '{}'), ('a = :a', '{}', '{}'), ('a = :a', '{"a": "x"}', '{}'),
	('a = :a', '{"a": "x"}', NULL), ('a = :a', '{"#": "x"}', NULL), ('a = :a', '{"#a-b": "x"}', NULL), ('a = :a', '{"#é": "x"}', NULL), ('a = :a', '{"": "x"}', NULL), ('a = :a', '{":a": "x"}', NULL),
	('a = :a', NULL, '{"a": {"S": ""}}'), ('a = :a', NULL, '{":": {"S": ""}}'), ('a = :a', NULL, '{"#a": {"S": ""}}'), ('a = :a', NULL, '{":a b": {"S": ""}}'),
	('a = :a', '{"#a": "", "b": "x"}', '{":a": {"S": ""}}'), ('a = :a', '{"#a": ""}', '{":a": {}}'),
	('a = :a', NULL, '{":a": {}}'), ('a = :a', NULL, '{":b": {"S": ""}, ":a": {"S": "", "N": "1"}}'), ('a = :a', NULL, '{":a": {"N": "x"}}'), ('a = :a', NULL, '{":a": {"SS": []}}'), ('a = :a', NULL, '{":a": {"NULL": false}}'),
	('a = :a', NULL, '{":a": {"M": {"x": {"L": [{"SS": ["a", "a"]}]}}}}'), ('!', NULL, '{":a": {"N": "1e400"}}'), ('a = :A', NULL, '{":a": {"S": ""}}')) AS t(e, n, v);
SELECT pg_temp.check('a = :a', "values" => json_build_object(':a', (repeat('{"L": [', 32) || '{"S": ""}' || repeat(']}', 32))::json)),
       pg_temp.check('a = :a', "values" => json_build_object(':a', (repeat('{"L": [', 31) || '{"S": ""}' || repeat(']}', 31))::json));
-- 255 bytes with the marker, 2 MB in all.
SELECT pg_temp.check('a = :' || repeat('v', n), "values" => json_build_object(':' || repeat('v', n), '{"S": ""}'::json)) FROM unnest(ARRAY[254, 255]) AS n;
SELECT left(pg_temp.check('#' || repeat('n', n) || ' = a', names => json_build_object('#' || repeat('n', n), 'b')), 200) FROM unnest(ARRAY[254, 255]) AS n;
SELECT n, pg_temp.check('a = :a', "values" => json_build_object(':a', json_build_object('S', repeat('x', n)))) FROM unnest(ARRAY[2 * 1024 * 1024 - 2, 2 * 1024 * 1024 - 1]) AS n;
SELECT n, pg_temp.check('a = :a', names => (SELECT json_object_agg('#' || to_char(i, 'FM000'), repeat('x', 65532)) FROM generate_series(1, n) AS i)) FROM unnest(ARRAY[31, 33]) AS n;
SELECT n, pg_temp.check('#a = #b', '{"x": {"S": ""}}', json_build_object('#a', repeat('x', n), '#b', 'y')) FROM unnest(ARRAY[65535, 65536]) AS n;
-- Names: a name that looks like a path or a placeholder is one name.
SELECT pg_temp.check('#a = :v AND #b = :v AND #c = :v', '{"a.b": {"N": "1"}, "#b": {"N": "1"}, "size": {"N": "1"}}', '{"#a": "a.b", "#b": "#b", "#c": "size"}', '{":v": {"N": "1"}}');

-- Reserved words, in any case and place; not behind #, not where a keyword or a function's name stands.
SELECT e, pg_temp.check(e, "values" => '{":v": {"S": ""}}') FROM unnest(ARRAY[
	'size = :v', 'Name = :v', 'x.yEaR = :v', 'a[1].abort = :v', 'x = :v AND status = zone', 'attribute_exists(data.x)', 'attribute_exists(x.data)', 'size(size) = :v', 'a IN (b, :v, c.d.user)', 'a BETWEEN b AND counter', 'abort_ = :v', 'aborted = :v', 'function(a)', 'NOT item = :v']) AS e;
SELECT count(*) FROM (SELECT pg_temp.check(w || ' = :v', "values" => '{":v": {"S": ""}}') AS r FROM unnest(ARRAY['abort', 'zone', 'ZONE', 'Flattern', 'INNTER', 'subpartition', 'TTL', 'localtimestamp', 'by', 'go']) AS w) x WHERE r ~ '^! Attribute name is a reserved keyword';
-- Each of them, in either case.
SELECT count(*), string_agg(word, ' ') FILTER (WHERE pg_temp.check(format('a.%s = b', word)) <> '! Attribute name is a reserved keyword; reserved keyword: ' || word) AS others FROM (
	SELECT unnest(ARRAY[word, lower(word)]) AS word FROM regexp_split_to_table(trim(E' \t\n' FROM '
	ABORT ABSOLUTE ACTION ADD AFTER AGENT AGGREGATE ALL ALLOCATE ALTER ANALYZE AND ANY ARCHIVE ARE ARRAY AS ASC ASCII ASENSITIVE ASSERTION ASYMMETRIC AT ATOMIC ATTACH ATTRIBUTE AUTH AUTHORIZATION AUTHORIZE AUTO AVG BACK
	BACKUP BASE BATCH BEFORE BEGIN BETWEEN BIGINT BINARY BIT BLOB BLOCK BOOLEAN BOTH BREADTH BUCKET BULK BY BYTE CALL CALLED CALLING CAPACITY CASCADE CASCADED CASE CAST CATALOG CHAR CHARACTER CHECK CLASS CLOB CLOSE CLUSTER
	CLUSTERED CLUSTERING CLUSTERS COALESCE COLLATE COLLATION COLLECTION COLUMN COLUMNS COMBINE COMMENT COMMIT COMPACT COMPILE COMPRESS CONDITION CONFLICT CONNECT CONNECTION CONSISTENCY CONSISTENT CONSTRAINT CONSTRAINTS
	CONSTRUCTOR CONSUMED CONTINUE CONVERT COPY CORRESPONDING COUNT COUNTER CREATE CROSS CUBE CURRENT CURSOR CYCLE DATA DATABASE DATE DATETIME DAY DEALLOCATE DEC DECIMAL DECLARE DEFAULT DEFERRABLE DEFERRED DEFINE DEFINED
	DEFINITION DELETE DELIMITED DEPTH DEREF DESC DESCRIBE DESCRIPTOR DETACH DETERMINISTIC DIAGNOSTICS DIRECTORIES DISABLE DISCONNECT DISTINCT DISTRIBUTE DO DOMAIN DOUBLE DROP DUMP DURATION DYNAMIC EACH ELEMENT ELSE ELSEIF
	EMPTY ENABLE END EQUAL EQUALS ERROR ESCAPE ESCAPED EVAL EVALUATE EXCEEDED EXCEPT EXCEPTION EXCEPTIONS EXCLUSIVE EXEC EXECUTE EXISTS EXIT EXPLAIN EXPLODE EXPORT EXPRESSION EXTENDED EXTERNAL EXTRACT FAIL FALSE FAMILY FETCH
	FIELDS FILE FILTER FILTERING FINAL FINISH FIRST FIXED FLATTERN FLOAT FOR FORCE FOREIGN FORMAT FORWARD FOUND FREE FROM FULL FUNCTION FUNCTIONS GENERAL GENERATE GET GLOB GLOBAL GO GOTO GRANT GREATER GROUP GROUPING HANDLER
	HASH HAVE HAVING HEAP HIDDEN HOLD HOUR IDENTIFIED IDENTITY IF IGNORE IMMEDIATE IMPORT IN INCLUDING INCLUSIVE INCREMENT INCREMENTAL INDEX INDEXED INDEXES INDICATOR INFINITE INITIALLY INLINE INNER INNTER INOUT INPUT
	INSENSITIVE INSERT INSTEAD INT INTEGER INTERSECT INTERVAL INTO INVALIDATE IS ISOLATION ITEM ITEMS ITERATE JOIN KEY KEYS LAG LANGUAGE LARGE LAST LATERAL LEAD LEADING LEAVE LEFT LENGTH LESS LEVEL LIKE LIMIT LIMITED LINES
	LIST LOAD LOCAL LOCALTIME LOCALTIMESTAMP LOCATION LOCATOR LOCK LOCKS LOG LOGED LONG LOOP LOWER MAP MATCH MATERIALIZED MAX MAXLEN MEMBER MERGE METHOD METRICS MIN MINUS MINUTE MISSING MOD MODE MODIFIES MODIFY MODULE MONTH
	MULTI MULTISET NAME NAMES NATIONAL NATURAL NCHAR NCLOB NEW NEXT NO NONE NOT NULL NULLIF NUMBER NUMERIC OBJECT OF OFFLINE OFFSET OLD ON ONLINE ONLY OPAQUE OPEN OPERATOR OPTION OR ORDER ORDINALITY OTHER OTHERS OUT OUTER
	OUTPUT OVER OVERLAPS OVERRIDE OWNER PAD PARALLEL PARAMETER PARAMETERS PARTIAL PARTITION PARTITIONED PARTITIONS PATH PERCENT PERCENTILE PERMISSION PERMISSIONS PIPE PIPELINED PLAN POOL POSITION PRECISION PREPARE PRESERVE
	PRIMARY PRIOR PRIVATE PRIVILEGES PROCEDURE PROCESSED PROJECT PROJECTION PROPERTY PROVISIONING PUBLIC PUT QUERY QUIT QUORUM RAISE RANDOM RANGE RANK RAW READ READS REAL REBUILD RECORD RECURSIVE REDUCE REF REFERENCE
	REFERENCES REFERENCING REGEXP REGION REINDEX RELATIVE RELEASE REMAINDER RENAME REPEAT REPLACE REQUEST RESET RESIGNAL RESOURCE RESPONSE RESTORE RESTRICT RESULT RETURN RETURNING RETURNS REVERSE REVOKE RIGHT ROLE ROLES
	ROLLBACK ROLLUP ROUTINE ROW ROWS RULE RULES SAMPLE SATISFIES SAVE SAVEPOINT SCAN SCHEMA SCOPE SCROLL SEARCH SECOND SECTION SEGMENT SEGMENTS SELECT SELF SEMI SENSITIVE SEPARATE SEQUENCE SERIALIZABLE SESSION SET SETS SHARD
	SHARE SHARED SHORT SHOW SIGNAL SIMILAR SIZE SKEWED SMALLINT SNAPSHOT SOME SOURCE SPACE SPACES SPARSE SPECIFIC SPECIFICTYPE SPLIT SQL SQLCODE SQLERROR SQLEXCEPTION SQLSTATE SQLWARNING START STATE STATIC STATUS STORAGE
	STORE STORED STREAM STRING STRUCT STYLE SUB SUBMULTISET SUBPARTITION SUBSTRING SUBTYPE SUM SUPER SYMMETRIC SYNONYM SYSTEM TABLE TABLESAMPLE TEMP TEMPORARY TERMINATED TEXT THAN THEN THROUGHPUT TIME TIMESTAMP TIMEZONE
	TINYINT TO TOKEN TOTAL TOUCH TRAILING TRANSACTION TRANSFORM TRANSLATE TRANSLATION TREAT TRIGGER TRIM TRUE TRUNCATE TTL TUPLE TYPE UNDER UNDO UNION UNIQUE UNIT UNKNOWN UNLOGGED UNNEST UNPROCESSED UNSIGNED UNTIL UPDATE
	UPPER URL USAGE USE USER USERS USING UUID VACUUM VALUE VALUED VALUES VARCHAR VARIABLE VARIANCE VARINT VARYING VIEW VIEWS VIRTUAL VOID WAIT WHEN WHENEVER WHERE WHILE WINDOW WITH WITHIN WITHOUT WORK WRAPPED WRITE YEAR ZONE'), '\s+') AS word) AS words;

-- Functions: their names, where they may stand, how many operands, of which types.
SELECT e, pg_temp.check(e, "values" => v) FROM (VALUES
	('foo(a)', NULL::json), ('SIZE(a) > b', NULL), ('Attribute_Exists(a)', NULL), ('if_not_exists(a, b)', NULL), ('list_append(a, b) = c', NULL), ('foo(a) = b', NULL), ('a = foo(b, c)', NULL), ('size(foo(a)) = b', NULL),
	('size(a)', NULL), ('NOT size(a)', NULL), ('a = b AND size(a)', NULL), ('(size(a))', NULL), ('attribute_exists(a) = b', NULL), ('a < attribute_exists(a)', NULL), ('a IN (contains(b, c))', NULL), ('a BETWEEN begins_with(b, c) AND d', NULL),
	('size(size(a)) = b', NULL), ('contains(a, size(b))', NULL), ('attribute_exists(size(a))', NULL), ('(attribute_exists(a)) = b', NULL),
	('attribute_exists(a, b)', NULL), ('attribute_not_exists(a, b, c)', NULL), ('attribute_type(a)', NULL), ('begins_with(a)', NULL), ('contains(a, b, c)', NULL), ('size(a, b) = c', NULL),
	('attribute_exists(:v)', '{":v": {"S": "a"}}'), ('attribute_not_exists(:v)', '{":v": {"S": "a"}}'),
	('attribute_type(a, b)', NULL), ('attribute_type(a, :v)', '{":v": {"N": "1"}}'), ('attribute_type(a, :v)', '{":v": {"S": "X"}}'), ('attribute_type(a, :v)', '{":v": {"S": "s"}}'), ('attribute_type(a, :v)', '{":v": {"S": ""}}'), ('attribute_type(a, :v)', '{":v": {"SS": ["S"]}}'),
	('begins_with(a, :v)', '{":v": {"N": "1"}}'), ('begins_with(:v, a)', '{":v": {"N": "1"}}'), ('begins_with(a, :v)', '{":v": {"SS": ["x"]}}'), ('begins_with(a, :v)', '{":v": {"NULL": true}}'), ('begins_with(a, :v)', '{":v": {"BOOL": true}}'), ('begins_with(a, :v)', '{":v": {"L": []}}'), ('begins_with(a, :v)', '{":v": {"M": {}}}'), ('begins_with(a, :v)', '{":v": {"NS": ["1"]}}'), ('begins_with(a, :v)', '{":v": {"BS": ["AA=="]}}'),
	('contains(:v, a)', '{":v": {"N": "1"}}'), ('contains(:v, a)', '{":v": {"M": {}}}'), ('contains(:v, a)', '{":v": {"BOOL": false}}'), ('contains(:v, a)', '{":v": {"NULL": true}}'),
	('size(:v) = a', '{":v": {"N": "1"}}'), ('size(:v) = a', '{":v": {"BOOL": true}}'), ('size(:v) = a', '{":v": {"NULL": true}}'),
	('a < :v', '{":v": {"SS": ["x"]}}'), ('a <= :v', '{":v": {"BOOL": true}}'), (':v > a', '{":v": {"NULL": true}}'), ('a >= :v', '{":v": {"L": []}}'), ('a BETWEEN :v AND b', '{":v": {"M": {}}}'), (':v BETWEEN a AND b', '{":v": {"NS": ["1"]}}')) AS t(e, v);

-- The first operand again.
SELECT e, pg_temp.check(e, names => n) FROM (VALUES
	('a = a', NULL::json), ('a <> a', NULL), ('a < a', NULL), ('a.b[0] >= a.b[0]', NULL), ('a BETWEEN b AND a', NULL), ('a BETWEEN b AND b', NULL), ('a IN (b, c, a)', NULL), ('contains(a, a)', NULL), ('begins_with(a[0].b, a[0].b)', NULL), ('#x = a', '{"#x": "a"}'), ('a[0] = a[1]', NULL), ('a = a.b', NULL), ('size(a) = size(a)', NULL)) AS t(e, n);

-- Bounds.
SELECT e, pg_temp.check(e, "values" => v) FROM (VALUES
	('a BETWEEN :x AND :y', '{":x": {"S": "a"}, ":y": {"N": "1"}}'::json), ('a BETWEEN :x AND :y', '{":x": {"N": "3"}, ":y": {"N": "1"}}'), ('a BETWEEN :x AND :y', '{":x": {"S": "b"}, ":y": {"S": "a"}}'), ('a BETWEEN :x AND :y', '{":x": {"B": "/w=="}, ":y": {"B": "AA=="}}'),
	('a BETWEEN :x AND :y', '{":x": {"N": "1"}, ":y": {"N": "1.0"}}'), ('a BETWEEN :x AND b', '{":x": {"N": "1"}}'), ('size(a) BETWEEN :x AND :x', '{":x": {"N": "1"}}'), ('a BETWEEN :x AND :y', '{":x": {"L": []}, ":y": {"N": "1"}}')) AS t(e, v);
SELECT n, pg_temp.check('a IN (:v' || repeat(',:v', n - 1) || ')', "values" => '{":v": {"S": ""}}') FROM unnest(ARRAY[99, 100, 101]) AS n;

-- Which error of several: redundant parentheses, unknown function, misused function, reserved word, in the whole text;
-- then condition by condition: not defined, number of operands, same operand, type.
SELECT e, pg_temp.check(e, "values" => '{":n": {"N": "1"}, ":unused": {"N": "1"}}') FROM unnest(ARRAY[
	'size(abort) AND foo(a) AND ((a = :x))', 'size(abort) AND foo(a)', 'abort = a AND size(a)', 'a = :x AND abort = a', 'a = :x AND begins_with(a, :n)', 'begins_with(a, :n) AND a = :x', 'size(a, b) = :x', 'size(a, b, :n) = #q', 'contains(a, a, :n)', 'begins_with(b, :n) AND a = a', 'a = a AND begins_with(b, :n)', ':n BETWEEN #x AND :y', 'a = :n AND']) AS e;

-- Comparisons.  Types that differ are never equal and in no order; numbers compare by value, sets and maps without order.
CREATE FUNCTION pg_temp.compare(a json, b json) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(o, ' ' ORDER BY n) FROM unnest(ARRAY['=', '<>', '<', '<=', '>', '>=']) WITH ORDINALITY AS t(o, n)
	WHERE evaluate_condition(format('a %s b', o), NULL, NULL, json_build_object('a', a, 'b', b)::dynamo.item)
$$;
SELECT a, b, pg_temp.compare(a::json, b::json) FROM (VALUES
	('{"N": "1"}', '{"N": "1.0"}'), ('{"N": "9"}', '{"N": "10"}'), ('{"N": "-1"}', '{"N": "-2"}'), ('{"N": "0"}', '{"N": "-0"}'), ('{"S": "9"}', '{"S": "10"}'), ('{"S": "a"}', '{"S": "ab"}'), ('{"S": ""}', '{"S": "\u0000"}'), ('{"S": "é"}', '{"S": "z"}'), ('{"S": "\uffff"}', '{"S": "\ud83d\ude00"}'), ('{"B": "AA=="}', '{"B": "/w=="}'), ('{"S": "1"}', '{"N": "1"}'), ('{"S": "a"}', '{"B": "YQ=="}'),
	('{"BOOL": true}', '{"BOOL": true}'), ('{"BOOL": true}', '{"BOOL": false}'), ('{"NULL": true}', '{"NULL": true}'), ('{"NULL": true}', '{"BOOL": true}'),
	('{"SS": ["a", "b"]}', '{"SS": ["b", "a"]}'), ('{"NS": ["1", "2"]}', '{"NS": ["2.0", "1e0"]}'), ('{"SS": ["a"]}', '{"SS": ["a", "b"]}'), ('{"BS": ["AA=="]}', '{"BS": ["AA=="]}'), ('{"SS": ["a"]}', '{"L": [{"S": "a"}]}'),
	('{"L": [{"N": "1"}, {"S": "a"}]}', '{"L": [{"N": "1.0"}, {"S": "a"}]}'), ('{"L": [{"N": "1"}, {"N": "2"}]}', '{"L": [{"N": "2"}, {"N": "1"}]}'), ('{"L": []}', '{"L": []}'), ('{"L": []}', '{"M": {}}'),
	('{"M": {"x": {"N": "1"}, "y": {"M": {"z": {"SS": ["p", "q"]}}}}}', '{"M": {"y": {"M": {"z": {"SS": ["q", "p"]}}}, "x": {"N": "1"}}}'), ('{"M": {"x": {"N": "1"}}}', '{"M": {"x": {"N": "1"}, "y": {"N": "1"}}}')) AS t(a, b);

CREATE TEMP TABLE sample AS SELECT '{
	"s": {"S": "hello"}, "e": {"S": ""}, "n": {"N": "5"}, "b": {"B": "AQID"}, "t": {"BOOL": true}, "z": {"NULL": true},
	"ss": {"SS": ["a", "bc"]}, "ns": {"NS": ["1", "22"]}, "bs": {"BS": ["AQ==", "AgM="]}, "u": {"S": "aé€\ud83d\ude00"},
	"l": {"L": [{"S": "x"}, {"N": "7"}, {"L": [{"M": {"deep": {"S": "in"}}}]}, {"NULL": true}, {"SS": ["q", "r"]}]},
	"m": {"M": {"k": {"S": "v"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}, "m": {"M": {"x": {"BOOL": false}}}}}}'::dynamo.item AS i;
CREATE FUNCTION pg_temp.sample(e text, v json DEFAULT NULL) RETURNS text LANGUAGE sql AS 'SELECT pg_temp.check(e, i, NULL, v) FROM sample';

-- What is missing: only "<>" is true of it.
SELECT e, pg_temp.sample(e, '{":v": {"N": "1"}}') FROM unnest(ARRAY[
	'x = :v', 'x <> :v', 'x < :v', 'x <= :v', 'x > :v', 'x >= :v', 'x BETWEEN :v AND :v', ':v BETWEEN x AND :v', 'x IN (:v)', ':v IN (x)', 'x = y AND :v = :v', 'x <> y AND :v = :v', 'NOT x = :v', 'NOT x <> :v',
	'size(x) <> :v', 'size(n) <> :v', 'size(x) = :v', 'NOT size(x) = :v', 'm.x.y <> :v', 'n.x <> :v', 'n[0] <> :v', 'l.x <> :v', 'm[0] <> :v', 'l[5] <> :v']) AS e;
-- Without an item there are no attributes.
SELECT e, pg_temp.check(e, NULL, NULL, '{":v": {"N": "1"}}') FROM unnest(ARRAY['x = :v', 'x <> :v', 'attribute_exists(p) AND :v <> x', 'attribute_not_exists(p) AND :v <> x', 'NOT contains(x, :v)', ':v = :v']) AS e;

SELECT e, pg_temp.sample(e) FROM unnest(ARRAY[
	'attribute_exists(s)', 'attribute_exists(z)', 'attribute_exists(x)', 'attribute_not_exists(x)', 'attribute_not_exists(e)', 'attribute_exists(m.k)', 'attribute_exists(m.x)', 'attribute_exists(l[4])', 'attribute_exists(l[5])', 'attribute_exists(l[2][0].deep)', 'attribute_exists(l[2][0].deep.er)', 'attribute_exists(s[0])', 'attribute_exists(ss[0])', 'attribute_exists(m[0])', 'attribute_exists(l.k)', 'attribute_not_exists(l[2147483647])']) AS e;
SELECT a, (SELECT string_agg(t, ' ') FROM unnest(ARRAY['S', 'N', 'B', 'BOOL', 'NULL', 'M', 'L', 'SS', 'NS', 'BS']) AS t
           WHERE pg_temp.sample('attribute_type(' || a || ', :t)', json_build_object(':t', json_build_object('S', t))) = 'true')
FROM unnest(ARRAY['s', 'n', 'b', 't', 'z', 'm', 'l', 'ss', 'ns', 'bs', 'x', 'm.m.x', 'l[1]']) AS a;
SELECT pg_temp.sample('attribute_type(:v, :t)', '{":v": {"SS": ["a"]}, ":t": {"S": "SS"}}'), pg_temp.sample('attribute_type(:v, :t)', '{":v": {"SS": ["a"]}, ":t": {"S": "S"}}');
SELECT e, v, pg_temp.sample(e, json_build_object(':v', v::json)) FROM (VALUES
	('begins_with(s, :v)', '{"S": "he"}'), ('begins_with(s, :v)', '{"S": "hello"}'), ('begins_with(s, :v)', '{"S": "hellos"}'), ('begins_with(s, :v)', '{"S": "ello"}'), ('begins_with(s, :v)', '{"S": ""}'), ('begins_with(b, :v)', '{"B": "AQ=="}'), ('begins_with(b, :v)', '{"B": "Ag=="}'), ('begins_with(s, :v)', '{"B": "aGU="}'), ('begins_with(n, :v)', '{"S": "5"}'), ('begins_with(ss, :v)', '{"S": "a"}'), ('begins_with(x, :v)', '{"S": ""}'), ('begins_with(:v, s)', '{"S": "hello world"}'), ('begins_with(:v, e)', '{"S": "hello world"}'), ('begins_with(:v, n)', '{"S": "5"}'),
	('contains(s, :v)', '{"S": "ell"}'), ('contains(s, :v)', '{"S": ""}'), ('contains(s, :v)', '{"S": "x"}'), ('contains(s, :v)', '{"N": "1"}'), ('contains(b, :v)', '{"B": "AgM="}'), ('contains(b, :v)', '{"B": "AwI="}'), ('contains(ss, :v)', '{"S": "bc"}'), ('contains(ss, :v)', '{"S": "b"}'), ('contains(ss, :v)', '{"SS": ["a"]}'), ('contains(ns, :v)', '{"N": "22.0"}'), ('contains(ns, :v)', '{"S": "22"}'), ('contains(bs, :v)', '{"B": "AgM="}'),
	('contains(l, :v)', '{"S": "x"}'), ('contains(l, :v)', '{"N": "7.0"}'), ('contains(l, :v)', '{"NULL": true}'), ('contains(l, :v)', '{"SS": ["r", "q"]}'), ('contains(l, :v)', '{"L": [{"M": {"deep": {"S": "in"}}}]}'), ('contains(l, :v)', '{"M": {"deep": {"S": "in"}}}'), ('contains(l, :v)', '{"BOOL": true}'), ('contains(m, :v)', '{"S": "k"}'), ('contains(n, :v)', '{"N": "5"}'), ('contains(x, :v)', '{"S": ""}'), ('contains(:v, s)', '{"L": [{"S": "hello"}]}'), ('contains(:v, s)', '{"SS": ["hello"]}'), ('contains(:v, s)', '{"S": "oh, hello"}'),
	('n IN (:v, s)', '{"N": "5.0"}'), ('s IN (:v, n)', '{"S": "hell"}'), ('ss IN (x, :v)', '{"SS": ["bc", "a"]}'), (':v IN (n, s)', '{"S": "hello"}'),
	('n BETWEEN :v AND n', '{"N": "4"}'), ('n BETWEEN :v AND s', '{"N": "4"}'), ('s BETWEEN :v AND u', '{"S": "a"}'), ('s BETWEEN e AND :v', '{"S": "hello"}'), ('s BETWEEN :v AND e', '{"S": "hello"}'), ('size(l) BETWEEN :v AND n', '{"N": "5"}'), (':v BETWEEN ns AND n', '{"N": "5"}')) AS t(e, v);
-- size(): UTF-16 units, bytes, members.
SELECT a, (SELECT n FROM generate_series(0, 9) AS n WHERE pg_temp.sample('size(' || a || ') = :n', json_build_object(':n', json_build_object('N', n::text))) = 'true')
FROM unnest(ARRAY['s', 'e', 'u', 'b', 'ss', 'ns', 'bs', 'l', 'm', 'm.l', 'l[2]', 'n', 't', 'z', 'x']) AS a;
SELECT pg_temp.sample('size(:v) = :n', '{":v": {"S": "abc"}, ":n": {"N": "3"}}'), pg_temp.sample('size(s) > size(l[0]) AND size(s) IN (n, size(l))'), pg_temp.sample('size(s) = s'), pg_temp.sample('size(s) <> s');
SELECT e, pg_temp.sample(e, '{":t": {"BOOL": true}, ":f": {"BOOL": false}}') FROM unnest(ARRAY[
	't = :t AND t = :f', 't = :t OR t = :f', 'NOT t = :f AND :t = t', 't = :f OR t = :f AND t = :t', 't = :t OR t = :f AND t = :f', '(t = :t OR t = :f) AND t = :f', 'NOT t = :t OR t = :f', 'NOT (t = :t OR t = :f)', 'NOT NOT t = :t AND t <> :f']) AS e;

-- The paths a filter mentions, and another kind's name in the text of an error.
SELECT condition_paths('a.#b[1] = :v AND contains(c, d) OR NOT size(e) IN (:v, f) OR attribute_exists(a)', '{"#b": "x.y"}', '{":v": {"S": ""}}');
SELECT evaluate_condition('a = ', NULL, NULL, '{}', 'FilterExpression');
SELECT evaluate_condition('a = :v', NULL, NULL, '{}', 'KeyConditionExpression');
