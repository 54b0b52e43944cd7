-- Secondary indexes: the row in the catalog, the slot, PostgreSQL's index on it.
SET search_path = public, dynamo;
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;

SELECT create_table('{"TableName": "slots", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "s", "AttributeType": "N"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}]}')
	-> 'TableDescription' ->> 'TableName';
INSERT INTO dynamo.indexes (table_name, name, kind, slot, partition_keys, partition_types, sort_keys, sort_types,
		projection, non_key_attributes, status, read_units, write_units)
	VALUES ('slots', 'by-g', 'GLOBAL', 2, '{g}', '{S}', '{t}', '{B}', 'ALL', '{}', 'CREATING', 0, 0),
	('slots', 'many', 'GLOBAL', 3, '{g,n}', '{S,N}', '{t,p}', '{B,S}', 'KEYS_ONLY', '{}', 'CREATING', 0, 0),
	('slots', 'time to live', 'TIME_TO_LIVE', 26, '{}', '{}', '{ttl}', '{N}', 'ALL', '{}', 'ACTIVE', 0, 0);

-- Entries: of items that have all of the keys, by an operation and by SQL alike.
SELECT put_item('slots', '{"p": {"S": "a"}, "s": {"N": "1"}, "g": {"S": "x"}, "t": {"B": "AAD/"}, "n": {"N": "7"}}');
INSERT INTO dynamo_data.slots (item) VALUES ('{"p": {"S": "a"}, "s": {"N": "2"}, "g": {"S": "x"}, "t": {"B": "AAD/"}, "n": {"N": "7"}, "ttl": {"N": "17"}}');
SELECT put_item('slots', '{"p": {"S": "a"}, "s": {"N": "3"}, "g": {"S": "x"}, "ttl": {"S": "17"}}');
SELECT item ->> 's', index_key_1, index_key_2, index_key_3, index_key_26 FROM dynamo_data.slots ORDER BY 1;

-- What an index cannot take is refused.
INSERT INTO dynamo_data.slots (item) VALUES ('{"p": {"S": "a"}, "s": {"N": "4"}, "g": {"N": "1"}}');
INSERT INTO dynamo_data.slots (item) VALUES ('{"p": {"S": "a"}, "s": {"N": "4"}, "g": {"S": ""}}');
INSERT INTO dynamo_data.slots (item) SELECT format('{"p": {"S": "a"}, "s": {"N": "4"}, "g": {"S": "%s"}}', repeat('x', 2049))::item;
INSERT INTO dynamo_data.slots (item) SELECT format('{"p": {"S": "a"}, "s": {"N": "4"}, "t": {"B": "%s"}}', repeat('AAAA', 342))::item;

-- Order and size: zeros, prefixes and the longest keys.
DELETE FROM dynamo_data.slots;
INSERT INTO dynamo_data.slots (item)
	SELECT format('{"p": {"S": "%s"}, "s": {"N": "%s"}, "g": {"S": "%s"}, "t": {"B": "%s"}, "n": {"N": "1"}}',
		repeat('p', p), n, repeat('g', g), replace(encode(t, 'base64'), E'\n', ''))::item
	FROM (VALUES (1, 1, 1, '\x00'::bytea), (1, 2, 1, '\x0000'), (1, 3, 1, '\x0001'), (1, 4, 1, '\x01'), (1, 5, 1, '\x00ff'),
		(1, 6, 1, '\xff'), (1, 7, 1, '\xffff'), (1, 8, 1, '\xff00'), (1000, 9, 2040, decode(repeat('00', 24), 'hex')),
		(1, 11, 2040, decode(repeat('00', 1023), 'hex')),
		(1, 10, 1, '\xff00')) v(p, n, g, t);
CREATE INDEX slots_2 ON dynamo_data.slots USING dynamo_key (index_key_2) WHERE index_key_2 IS NOT NULL;
CREATE INDEX slots_3 ON dynamo_data.slots USING dynamo_key (index_key_3) WHERE index_key_3 IS NOT NULL;
SELECT item ->> 's', encode(substr(index_key_2, 13, 12), 'hex'), length(index_key_2) FROM dynamo_data.slots
	WHERE length(item ->> 'g') = 1 ORDER BY index_key_2;
SELECT max(length(index_key_2)), max(length(index_key_3)) FROM dynamo_data.slots;
SELECT a.heap_tuples, b.heap_tuples FROM verify_index('dynamo_data.slots_2') a, verify_index('dynamo_data.slots_3') b;

-- Every write keeps them, HOT or not.
SELECT update_item('slots', '{"p": {"S": "p"}, "s": {"N": "1"}}', 'SET u = :u', '{":u": {"N": "1"}}') IS NOT NULL;
SELECT update_item('slots', '{"p": {"S": "p"}, "s": {"N": "2"}}', 'SET t = :t', '{":t": {"B": "cQ=="}}') IS NOT NULL;
SELECT update_item('slots', '{"p": {"S": "p"}, "s": {"N": "3"}}', 'REMOVE g') IS NOT NULL;
SELECT delete_item('slots', '{"p": {"S": "p"}, "s": {"N": "4"}}') IS NOT NULL;
SELECT a.heap_tuples, b.heap_tuples FROM verify_index('dynamo_data.slots_2') a, verify_index('dynamo_data.slots_3') b;
SET enable_seqscan = off;
SELECT item ->> 's', index_key_2 IS NULL FROM dynamo_data.slots WHERE index_key_2 IS NOT NULL AND length(item ->> 'g') = 1
	ORDER BY index_key_2;
RESET enable_seqscan;

-- What is being deleted gets no more entries.
UPDATE dynamo.indexes SET status = 'DELETING' WHERE name = 'by-g';
SELECT update_item('slots', '{"p": {"S": "p"}, "s": {"N": "1"}}', 'SET u = :u', '{":u": {"N": "2"}}') IS NOT NULL;
SELECT index_key_2 IS NULL, index_key_3 IS NULL FROM dynamo_data.slots WHERE item ->> 's' = '1';

-- The rows go with the table, which cannot go while an index is about to be filled.
SELECT delete_table('{"TableName": "slots"}');
UPDATE dynamo.indexes SET status = 'ACTIVE' WHERE table_name = 'slots';
SELECT delete_table('{"TableName": "slots"}') IS NOT NULL;
SELECT count(*) FROM dynamo.indexes WHERE table_name = 'slots';
