-- Numbers: DynamoDB's decimals, one encoding for items and keys.

-- Canonical text: plain decimal, never an exponent.
SELECT t AS text, dynamo_internal.number_decode(dynamo_internal.number_encode(t)) AS canonical
FROM unnest(ARRAY['007', '001.23', '+1.5', '1.10', '100.000', '-0', '-0.0', '0e5',
                  '0e126', '0e-131', '1e-20', '1e3', '1E+3', '1.5e2', '1e-3', '123e-2', '.5', '-.5',
                  '5.', '9.9e10', '0.1e126', '100e-2', '-7', '000', '0.00010e2']) AS t;
SELECT dynamo_internal.number_decode(dynamo_internal.number_encode('1e125')) = '1' || repeat('0', 125) AS largest_power,
       dynamo_internal.number_decode(dynamo_internal.number_encode('-1e-130')) = '-0.' || repeat('0', 129) || '1' AS smallest;

-- Limits: 38 digits once leading and trailing zeros are gone.
SELECT dynamo_internal.number_decode(dynamo_internal.number_encode(repeat('9', 38) || 'e88')) = repeat('9', 38) || repeat('0', 88) AS largest;
SELECT dynamo_internal.number_decode(dynamo_internal.number_encode(repeat('0', 200) || '.' || repeat('9', 38) || repeat('0', 500)));
SELECT dynamo_internal.number_encode(repeat('9', 39));
SELECT dynamo_internal.number_encode('1' || repeat('0', 37) || '1');
SELECT dynamo_internal.number_encode('1e126');
SELECT dynamo_internal.number_encode('-1e126');
SELECT dynamo_internal.number_encode('1e2147483647');
SELECT dynamo_internal.number_encode('1e99999999999999999999999999');
SELECT dynamo_internal.number_encode('1e-131');
SELECT dynamo_internal.number_encode('1e-99999999999999999999999999');
-- Out of range is found before too many digits.
SELECT dynamo_internal.number_encode(repeat('9', 200));

-- Not numbers.
CREATE FUNCTION pg_temp.encode_error(t text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM dynamo_internal.number_encode(t);
	RETURN 'accepted';
EXCEPTION WHEN SQLSTATE 'KV001' THEN
	RETURN sqlerrm;
END $$;
SELECT quote_literal(t) AS text, pg_temp.encode_error(t) AS error
FROM unnest(ARRAY['dog', '', ' 3', '3 ', '1.2.3', '1e', '1e+', '--1', '+-1', 'NaN', 'Infinity', '0x10',
                  '1_000', '.', '-', 'e5', '.e5', '1e1.5', '1e5x', '１']) AS t;

-- Size: 1 + pairs of integer digits + pairs of fraction digits + 1 if negative.
SELECT t AS text, dynamo_internal.number_size(t) AS size
FROM unnest(ARRAY['0', '-0', '7', '100', '12', '123', '1.5', '0.15', '3.14159', '-7', '1E125',
                  repeat('9', 38), '10.5', '100.5', '1.005', '0.0015', '1001000', '-1E-130']) AS t;

-- The bytes order as the numbers do.
WITH numbers AS (
	SELECT t::numeric AS value, dynamo_internal.number_encode(t) AS encoded
	FROM unnest(ARRAY['0', '1', '-1', '1.5', '-1.5', '10', '-10', '9', '99', '100', '101', '-99', '-100', '-101',
	                  '1e-130', '-1e-130', '1e125', '-1e125', '9.9e125', '-9.9e125', '0.01', '0.011', '-0.01',
	                  '-0.011', '0.1', '1.01', '1.0001', '-1.0001', '123456789', '12345678.9', '1234567.89']) AS t)
SELECT count(*) AS wrong
FROM numbers a, numbers b
WHERE sign(a.value - b.value) <>
      CASE WHEN a.encoded > b.encoded THEN 1 WHEN a.encoded = b.encoded THEN 0 ELSE -1 END;
SELECT t, dynamo_internal.number_encode(t) FROM unnest(ARRAY['0', '1', '-1', '1.5', '-1.5', '100', '1e-130', '-9.9e125']) AS t;

-- Equal numbers have equal bytes.
SELECT count(DISTINCT dynamo_internal.number_encode(t)) FROM unnest(ARRAY['1000', '1e3', '1000.0', '+01000', '0.1e4', '10E2']) AS t;

-- Arithmetic with 38 digits: exact where it fits, rounded where not.
SELECT dynamo_internal.number_add('0.1', '0.2'), dynamo_internal.number_subtract('1', '1'),
       dynamo_internal.number_add('-5', '3.5'), dynamo_internal.number_add('999', '1'),
       dynamo_internal.number_subtract('100', '0.01');
SELECT dynamo_internal.number_add(repeat('9', 38), '1') AS carry,
       dynamo_internal.number_add(repeat('9', 38), '0.4') AS down,
       dynamo_internal.number_add(repeat('9', 38), '0.5') AS up,
       dynamo_internal.number_add('1e125', '1e-130') = '1' || repeat('0', 125) AS lost;
SELECT dynamo_internal.number_add(repeat('9', 38) || 'e88', '1e88');
SELECT dynamo_internal.number_subtract('-9e125', '9e125');
SELECT dynamo_internal.number_subtract('1.1e-130', '1e-130');

-- A sample of random sums against numeric; the API tests hold a longer run.
SELECT setseed(0.5);
WITH pairs AS MATERIALIZED (
	SELECT round((random() * 2 - 1)::numeric * 10::numeric ^ (random() * 18)::int, (random() * 18)::int) AS a,
	       round((random() * 2 - 1)::numeric * 10::numeric ^ (random() * 18)::int, (random() * 18)::int) AS b
	FROM generate_series(1, 5000))
SELECT count(*) AS sums,
       count(*) FILTER (WHERE dynamo_internal.number_add(a::text, b::text)::numeric <> a + b) AS wrong_sums,
       count(*) FILTER (WHERE dynamo_internal.number_subtract(a::text, b::text)::numeric <> a - b) AS wrong_differences,
       count(*) FILTER (WHERE (dynamo_internal.number_encode(a::text) < dynamo_internal.number_encode(b::text)) <> (a < b)) AS wrong_order
FROM pairs;

-- Bytes that are not an encoding are refused, not read.
CREATE FUNCTION pg_temp.decode_error(b bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN dynamo_internal.number_decode(b);
EXCEPTION WHEN data_corrupted THEN
	RETURN sqlerrm;
END $$;
SELECT b, pg_temp.decode_error(b)
FROM unnest(ARRAY['', '\x80', '\xc1', '\xc102', '\xc101', '\xc10201', '\xc100', '\xc1ff', '\x3e64', '\x3eff', '\x3e64ff',
                  '\x3e6401ff', '\x7f', '\x8065', ('\xc1' || repeat('02', 19) || '0b')::bytea::text,
                  ('\xc1' || repeat('65', 22))::text, '\xc1' || repeat('64', 30)]::bytea[]) AS b;
