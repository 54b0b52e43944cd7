-- A relation's owner is master of it, but not of the server: whatever he does to
-- it, he gets errors.
SET search_path = public, dynamo;
\pset format unaligned
\pset tuples_only on
\set VERBOSITY terse
CREATE ROLE regress_table_owner;
GRANT CREATE ON SCHEMA dynamo_data TO regress_table_owner;
SET ROLE regress_table_owner;
SELECT create_table('{"TableName": "table-owner", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "N"}, {"AttributeName": "s", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}],
	"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
	"StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"},
	"GlobalSecondaryIndexes": [
		{"IndexName": "first", "Projection": {"ProjectionType": "ALL"}, "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}]},
		{"IndexName": "second", "Projection": {"ProjectionType": "ALL"}, "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "p", "KeyType": "RANGE"}]}]}')
	-> 'TableDescription' ->> 'TableStatus';
SELECT put_item('table-owner', '{"p": {"N": "1"}, "s": {"S": "a"}, "g": {"S": "b"}}');
ALTER TABLE dynamo_data."table-owner" DISABLE TRIGGER USER;

-- Without NOT NULL, or with other types, it is no table's relation any more.
CREATE FUNCTION pg_temp.look(change text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'ALTER TABLE dynamo_data."table-owner" ALTER COLUMN ' || change;
	BEGIN
		RETURN QUERY SELECT i::text FROM dynamo.scan('table-owner', NULL) i;
	EXCEPTION WHEN OTHERS THEN RETURN NEXT sqlerrm;
	END;
	BEGIN
		RETURN QUERY SELECT i::text FROM dynamo.scan('table-owner', NULL, index_name => 'second') i;
	EXCEPTION WHEN OTHERS THEN RETURN NEXT sqlerrm;
	END;
	RAISE EXCEPTION 'back';
EXCEPTION WHEN raise_exception THEN NULL;
END $$;
SELECT pg_temp.look(change) FROM unnest(ARRAY['hash DROP NOT NULL', 'partition_key DROP NOT NULL', 'sort_key DROP NOT NULL', 'item DROP NOT NULL',
	'index_key_2 TYPE int8 USING 4919', 'index_key_25 TYPE uuid USING NULL', 'index_key_1 SET STATISTICS 1']) change;

-- What he writes into the columns is not taken for what it should be: expired
-- items go by the number in their slot, and by their key.
SELECT update_time_to_live('{"TableName": "table-owner", "TimeToLiveSpecification": {"AttributeName": "t", "Enabled": true}}') IS NOT NULL;
CALL run_jobs();
SELECT 'index_key_' || slot AS slot FROM indexes WHERE table_name = 'table-owner' AND kind = 'TIME_TO_LIVE' \gset
SELECT put_item('table-owner', json_build_object('p', '{"N": "3"}'::json, 's', json_build_object('S', way), 't',
	json_build_object('N', floor(extract(epoch FROM now()) - 60)::text))::item) FROM unnest(ARRAY['long', 'short', 'key', 'left alone']) way;
UPDATE dynamo_data."table-owner" SET :slot = :slot || decode(repeat('41', 2000), 'hex') WHERE item ->> 's' = 'long';
UPDATE dynamo_data."table-owner" SET :slot = substr(:slot, 1, 1) WHERE item ->> 's' = 'short';
UPDATE dynamo_data."table-owner" SET partition_key = decode(repeat('ff', 100), 'hex') WHERE item ->> 's' = 'key';
CALL run_jobs();
SELECT item ->> 's' FROM dynamo_data."table-owner" ORDER BY 1;
SELECT keys FROM stream_records('table-owner');
RESET ROLE;
SELECT delete_table('{"TableName": "table-owner"}') IS NOT NULL;
DROP OWNED BY regress_table_owner;
DROP ROLE regress_table_owner;
