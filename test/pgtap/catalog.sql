-- The shape of what the extension makes: complete, described, and closed to those who have no business with it.
BEGIN;
CREATE ROLE public_reader;
GRANT USAGE ON SCHEMA dynamo TO public_reader;
SELECT plan(20);

SELECT has_schema('dynamo');
SELECT has_schema('dynamo_data');
SELECT has_schema('dynamo_internal');
SELECT has_type('dynamo', 'item', 'the type of items');

-- The members of the extension, by what kind of object they are.
CREATE TEMP VIEW members AS
	SELECT classid, objid, (pg_identify_object(classid, objid, objsubid)).*
	FROM pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
		AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'dynamo');
CREATE TEMP VIEW functions AS
	SELECT p.* FROM pg_proc p JOIN members m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid;

SELECT is_empty(
	$$SELECT identity FROM members WHERE type IN ('function', 'aggregate', 'view', 'table', 'type', 'access method', 'operator')
		AND schema IS DISTINCT FROM 'dynamo_internal'
		AND NOT (type = 'type' AND name LIKE '\_%')
		AND obj_description(objid, classid::regclass::name) IS NULL
		-- What a type, an operator or an index needs is described there.
		AND NOT (type = 'function' AND objid IN (
			SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend]) FROM pg_type
			UNION SELECT oprcode FROM pg_operator UNION SELECT amproc FROM pg_amproc
			UNION SELECT castfunc FROM pg_cast UNION SELECT amhandler FROM pg_am
			UNION SELECT tgfoid FROM pg_trigger))
		-- A table's row type is described with the table.
		AND NOT (type = 'type' AND objid IN (SELECT reltype FROM pg_class))$$,
	'every public object has a comment');

SELECT is_empty(
	$$SELECT identity FROM members WHERE schema NOT IN ('dynamo', 'dynamo_internal', 'dynamo_data') AND schema <> 'pg_catalog'$$,
	'nothing is made outside our schemas');

-- Each operation is a function of its name, from json to json.
SELECT is_empty(
	$$SELECT name FROM unnest(ARRAY['batch_get_item', 'batch_write_item', 'create_table', 'delete_item', 'delete_table',
			'describe_endpoints', 'describe_limits', 'describe_table', 'get_item', 'list_tables', 'put_item', 'query',
			'scan', 'update_item', 'update_table']) name
		WHERE NOT EXISTS (SELECT FROM functions WHERE proname = name AND pronamespace = 'dynamo'::regnamespace
			AND proargtypes = ARRAY['json'::regtype]::oidvector AND prorettype = 'json'::regtype)$$,
	'every operation is an SQL function');

SELECT is_empty(
	$$SELECT oid::regprocedure FROM functions WHERE prosecdef
		AND NOT coalesce(proconfig, '{}') && ARRAY['search_path=pg_catalog, pg_temp', 'search_path=pg_catalog,pg_temp',
			'search_path=pg_catalog', 'search_path=""']$$,
	'a function that runs as its owner has a search path of its own');

SELECT is_empty(
	$$SELECT oid::regprocedure FROM functions
		WHERE prolang IN (SELECT oid FROM pg_language WHERE lanname IN ('sql', 'plpgsql'))
		AND NOT coalesce(proconfig, '{}') && ARRAY['search_path=pg_catalog, pg_temp']$$,
	'and so has any that is written in SQL');

-- Those that run as their owner are for administrators; triggers need no privilege.
SELECT is_empty(
	$$SELECT oid::regprocedure FROM functions WHERE prosecdef AND has_function_privilege('public_reader', oid, 'EXECUTE')$$,
	'an ordinary role can call none of those that run as their owner');

SELECT set_eq(
	$$SELECT DISTINCT proname::text FROM functions WHERE pronamespace = 'dynamo'::regnamespace
		AND NOT has_function_privilege('public_reader', oid, 'EXECUTE')$$,
	ARRAY['assume_role', 'attach_policy', 'create_access_key', 'delete_permissions_boundary', 'delete_policy', 'delete_trust_policy',
		'detach_policy', 'explain_access', 'get_session_token', 'put_permissions_boundary', 'put_policy', 'put_trust_policy',
		'revoke_sessions', 'rewrap_data_keys', 'rotate_access_key', 'rotate_session_key', 'set_max_session_duration', 'stat_reset',
		'tag_role', 'untag_role'],
	'what is for administrators, PUBLIC may not call');

SELECT is_empty(
	$$SELECT objid::regclass FROM members JOIN pg_class c ON c.oid = objid
		WHERE classid = 'pg_class'::regclass AND has_table_privilege('public_reader', c.oid, 'SELECT')
		AND NOT (relkind = 'r' AND relrowsecurity OR relkind = 'v' AND reloptions && '{security_barrier=true}')$$,
	'of what PUBLIC may read, everybody sees his own rows');

SELECT ok(NOT has_schema_privilege('public_reader', 'dynamo_internal', 'USAGE')
	AND NOT has_schema_privilege('public_reader', 'dynamo_data', 'CREATE')
	AND NOT has_schema_privilege('public_reader', 'dynamo', 'CREATE'), 'PUBLIC has no business in our schemas but to use two of them');

SELECT is_empty(
	$$SELECT objid::regclass FROM members JOIN pg_class c ON c.oid = objid CROSS JOIN aclexplode(c.relacl) a
		WHERE classid = 'pg_class'::regclass AND a.grantee = 0 AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')$$,
	'PUBLIC may write none of our tables');

-- Whoever may read the keys' secrets may sign as anybody.
SELECT is_empty(
	$$SELECT attrelid::regclass, attname FROM pg_attribute JOIN members ON classid = 'pg_class'::regclass AND objid = attrelid
		WHERE attname ~ 'secret' AND has_column_privilege('public_reader', attrelid, attnum, 'SELECT')$$,
	'an ordinary role can read no secret');

SELECT access_key_id FROM dynamo.create_access_key() \gset
SET ROLE public_reader;
SELECT throws_ok('SELECT * FROM dynamo.create_access_key()', '42501', NULL, 'an ordinary role makes no access key');
SELECT throws_ok(format('SELECT dynamo.update_access_key(%L, false)', :'access_key_id'), NULL, NULL,
	'and switches none off that is not its own');
SELECT throws_ok(format('SELECT dynamo.delete_access_key(%L)', :'access_key_id'), NULL, NULL, 'nor deletes it');
SELECT is_empty('SELECT * FROM dynamo.my_access_keys', 'nor sees it');
RESET ROLE;

SELECT is_empty(
	$$SELECT oid::regprocedure FROM functions WHERE pronamespace = 'dynamo'::regnamespace
		AND provolatile <> 'v' AND proname IN ('put_item', 'update_item', 'delete_item', 'batch_write_item', 'create_table',
			'update_table', 'delete_table')$$,
	'what writes is volatile');

SELECT * FROM finish();
ROLLBACK;
