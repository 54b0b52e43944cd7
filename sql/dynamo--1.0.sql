/* dynamo--1.0.sql: the objects of extension dynamo, in the order of src/LAYERS */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION dynamo" to load this file. \quit

-- Everything a user calls is in schema dynamo.  dynamo_data holds one relation
-- for each DynamoDB table; dynamo_internal what only our own code and tests call.
CREATE SCHEMA dynamo_data;
CREATE SCHEMA dynamo_internal;
COMMENT ON SCHEMA dynamo_data IS 'one relation for each DynamoDB table';
-- What anybody may do there, the privileges on the objects decide.
GRANT USAGE ON SCHEMA dynamo, dynamo_data TO PUBLIC;
COMMENT ON SCHEMA dynamo_internal IS 'internals of extension dynamo; subject to change';

---------------------------------------------------------------------------
-- base: what several layers use
---------------------------------------------------------------------------
CREATE FUNCTION dynamo_internal.invalidate_relation() RETURNS trigger
	AS 'MODULE_PATHNAME', 'dyn_invalidate_relation' LANGUAGE C;
COMMENT ON FUNCTION dynamo_internal.invalidate_relation() IS
	'trigger: all backends drop what they have cached of the table';

---------------------------------------------------------------------------
-- item: the types
---------------------------------------------------------------------------
CREATE TYPE dynamo.item;

CREATE FUNCTION dynamo.item_in(cstring) RETURNS dynamo.item
    AS 'MODULE_PATHNAME', 'dyn_item_in' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_in(cstring) IS 'I/O';
CREATE FUNCTION dynamo.item_out(dynamo.item) RETURNS cstring
    AS 'MODULE_PATHNAME', 'dyn_item_out' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_out(dynamo.item) IS 'I/O';
CREATE FUNCTION dynamo.item_recv(internal) RETURNS dynamo.item
    AS 'MODULE_PATHNAME', 'dyn_item_recv' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_recv(internal) IS 'I/O';
CREATE FUNCTION dynamo.item_send(dynamo.item) RETURNS bytea
    AS 'MODULE_PATHNAME', 'dyn_item_send' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_send(dynamo.item) IS 'I/O';
CREATE FUNCTION dynamo.item_typanalyze(internal) RETURNS boolean
    AS 'MODULE_PATHNAME', 'dyn_item_typanalyze' LANGUAGE c STABLE STRICT;
COMMENT ON FUNCTION dynamo.item_typanalyze(internal) IS 'ANALYZE: items are all different';

CREATE TYPE dynamo.item (
    INPUT = dynamo.item_in,
    OUTPUT = dynamo.item_out,
    RECEIVE = dynamo.item_recv,
    SEND = dynamo.item_send,
    ANALYZE = dynamo.item_typanalyze,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = extended
);
COMMENT ON TYPE dynamo.item IS 'a DynamoDB item; its text form is DynamoDB JSON, or where it is sealed the encrypted bytes';

CREATE FUNCTION dynamo.to_json(dynamo.item) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_item_to_json' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.to_json(dynamo.item) IS 'item as DynamoDB JSON';
CREATE FUNCTION dynamo.to_jsonb(dynamo.item) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'dyn_item_to_jsonb' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.to_jsonb(dynamo.item) IS 'item as DynamoDB JSON; fails for NUL characters, which jsonb cannot hold';
CREATE FUNCTION dynamo.to_item(json) RETURNS dynamo.item
    AS 'MODULE_PATHNAME', 'dyn_json_to_item' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.to_item(json) IS 'DynamoDB JSON as an item';
CREATE FUNCTION dynamo.to_item(jsonb) RETURNS dynamo.item
    AS 'MODULE_PATHNAME', 'dyn_jsonb_to_item' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.to_item(jsonb) IS 'DynamoDB JSON as an item';
CREATE FUNCTION dynamo.to_plain_json(dynamo.item) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_item_to_plain_json' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.to_plain_json(dynamo.item)
    IS 'item as JSON without type letters: numbers as numbers, binaries in base64, sets as arrays';

CREATE CAST (dynamo.item AS json) WITH FUNCTION dynamo.to_json(dynamo.item) AS ASSIGNMENT;
COMMENT ON CAST (dynamo.item AS json) IS 'item as DynamoDB JSON';
CREATE CAST (dynamo.item AS jsonb) WITH FUNCTION dynamo.to_jsonb(dynamo.item) AS ASSIGNMENT;
COMMENT ON CAST (dynamo.item AS jsonb) IS 'item as DynamoDB JSON';
CREATE CAST (json AS dynamo.item) WITH FUNCTION dynamo.to_item(json) AS ASSIGNMENT;
COMMENT ON CAST (json AS dynamo.item) IS 'DynamoDB JSON as an item';
CREATE CAST (jsonb AS dynamo.item) WITH FUNCTION dynamo.to_item(jsonb) AS ASSIGNMENT;
COMMENT ON CAST (jsonb AS dynamo.item) IS 'DynamoDB JSON as an item';

CREATE FUNCTION dynamo.item_size(dynamo.item) RETURNS integer
    AS 'MODULE_PATHNAME', 'dyn_item_size_sql' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_size(dynamo.item)
    IS 'the item''s size as DynamoDB counts it against 400 KB and in capacity units';

CREATE FUNCTION dynamo.item_attribute(dynamo.item, text) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_item_attribute' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_attribute(dynamo.item, text) IS 'implementation of -> operator';
CREATE OPERATOR dynamo.-> (LEFTARG = dynamo.item, RIGHTARG = text, FUNCTION = dynamo.item_attribute);
COMMENT ON OPERATOR dynamo.-> (dynamo.item, text) IS 'get attribute as a json AttributeValue';

CREATE FUNCTION dynamo.item_attribute_text(dynamo.item, text) RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_item_attribute_text' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_attribute_text(dynamo.item, text) IS 'implementation of ->> operator';
CREATE OPERATOR dynamo.->> (LEFTARG = dynamo.item, RIGHTARG = text, FUNCTION = dynamo.item_attribute_text);
COMMENT ON OPERATOR dynamo.->> (dynamo.item, text) IS 'get attribute as plain text';

CREATE FUNCTION dynamo.item_path(dynamo.item, text[]) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_item_path' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_path(dynamo.item, text[]) IS 'implementation of #> operator';
CREATE OPERATOR dynamo.#> (LEFTARG = dynamo.item, RIGHTARG = text[], FUNCTION = dynamo.item_path);
COMMENT ON OPERATOR dynamo.#> (dynamo.item, text[]) IS 'get value at document path as a json AttributeValue';

CREATE FUNCTION dynamo.item_path_text(dynamo.item, text[]) RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_item_path_text' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_path_text(dynamo.item, text[]) IS 'implementation of #>> operator';
CREATE OPERATOR dynamo.#>> (LEFTARG = dynamo.item, RIGHTARG = text[], FUNCTION = dynamo.item_path_text);
COMMENT ON OPERATOR dynamo.#>> (dynamo.item, text[]) IS 'get value at document path as plain text';

CREATE FUNCTION dynamo.item_exists(dynamo.item, text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'dyn_item_exists' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_exists(dynamo.item, text) IS 'implementation of ? operator';
CREATE OPERATOR dynamo.? (
    LEFTARG = dynamo.item, RIGHTARG = text, FUNCTION = dynamo.item_exists,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR dynamo.? (dynamo.item, text) IS 'attribute exists';

CREATE FUNCTION dynamo.item_contains(dynamo.item, dynamo.item) RETURNS boolean
    AS 'MODULE_PATHNAME', 'dyn_item_contains' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_contains(dynamo.item, dynamo.item) IS 'implementation of @> operator';
CREATE FUNCTION dynamo.item_contained(dynamo.item, dynamo.item) RETURNS boolean
    AS 'MODULE_PATHNAME', 'dyn_item_contained' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_contained(dynamo.item, dynamo.item) IS 'implementation of <@ operator';
CREATE OPERATOR dynamo.@> (
    LEFTARG = dynamo.item, RIGHTARG = dynamo.item, FUNCTION = dynamo.item_contains,
    COMMUTATOR = OPERATOR(dynamo.<@), RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR dynamo.@> (dynamo.item, dynamo.item) IS 'contains';
CREATE OPERATOR dynamo.<@ (
    LEFTARG = dynamo.item, RIGHTARG = dynamo.item, FUNCTION = dynamo.item_contained,
    COMMUTATOR = OPERATOR(dynamo.@>), RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR dynamo.<@ (dynamo.item, dynamo.item) IS 'is contained by';

CREATE FUNCTION dynamo.item_eq(dynamo.item, dynamo.item) RETURNS boolean
    AS 'MODULE_PATHNAME', 'dyn_item_eq' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_eq(dynamo.item, dynamo.item) IS 'implementation of = operator';
CREATE FUNCTION dynamo.item_ne(dynamo.item, dynamo.item) RETURNS boolean
    AS 'MODULE_PATHNAME', 'dyn_item_ne' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_ne(dynamo.item, dynamo.item) IS 'implementation of <> operator';
CREATE FUNCTION dynamo.item_hash(dynamo.item) RETURNS integer
    AS 'MODULE_PATHNAME', 'dyn_item_hash' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_hash(dynamo.item) IS 'hash';
CREATE FUNCTION dynamo.item_hash_extended(dynamo.item, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'dyn_item_hash_extended' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.item_hash_extended(dynamo.item, bigint) IS 'hash';
CREATE OPERATOR dynamo.= (
    LEFTARG = dynamo.item, RIGHTARG = dynamo.item, FUNCTION = dynamo.item_eq,
    COMMUTATOR = OPERATOR(dynamo.=), NEGATOR = OPERATOR(dynamo.<>),
    RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR dynamo.= (dynamo.item, dynamo.item) IS 'equal: numbers by value, maps and sets without order';
CREATE OPERATOR dynamo.<> (
    LEFTARG = dynamo.item, RIGHTARG = dynamo.item, FUNCTION = dynamo.item_ne,
    COMMUTATOR = OPERATOR(dynamo.<>), NEGATOR = OPERATOR(dynamo.=),
    RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR dynamo.<> (dynamo.item, dynamo.item) IS 'not equal';
CREATE OPERATOR CLASS dynamo.item_ops DEFAULT FOR TYPE dynamo.item USING hash AS
    OPERATOR 1 dynamo.= (dynamo.item, dynamo.item),
    FUNCTION 1 dynamo.item_hash(dynamo.item),
    FUNCTION 2 dynamo.item_hash_extended(dynamo.item, bigint);
COMMENT ON OPERATOR CLASS dynamo.item_ops USING hash IS 'whole items: GROUP BY, DISTINCT, hash joins';

-- The parts of the layer one by one, for its tests.
CREATE FUNCTION dynamo_internal.json_normalize(bytea) RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_internal_json_normalize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.json_normalize(bytea) IS 'JSON text as base/json.c reads and writes it; NULL if it is not JSON';
CREATE FUNCTION dynamo_internal.number_encode(text) RETURNS bytea
    AS 'MODULE_PATHNAME', 'dyn_internal_number_encode' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.number_encode(text) IS 'stored form of a number';
CREATE FUNCTION dynamo_internal.number_decode(bytea) RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_internal_number_decode' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.number_decode(bytea) IS 'text of a stored number';
CREATE FUNCTION dynamo_internal.number_size(text) RETURNS integer
    AS 'MODULE_PATHNAME', 'dyn_internal_number_size' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.number_size(text) IS 'size the service charges for a number';
CREATE FUNCTION dynamo_internal.number_add(text, text) RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_internal_number_add' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.number_add(text, text) IS 'sum with 38 digits';
CREATE FUNCTION dynamo_internal.number_subtract(text, text) RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_internal_number_subtract' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.number_subtract(text, text) IS 'difference with 38 digits';
CREATE FUNCTION dynamo_internal.item_from_bytes(bytea) RETURNS dynamo.item
    AS 'MODULE_PATHNAME', 'dyn_internal_item_from_bytes' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.item_from_bytes(bytea) IS 'item from its binary form';
CREATE FUNCTION dynamo_internal.item_subset(item dynamo.item, names text[]) RETURNS dynamo.item
    AS 'MODULE_PATHNAME', 'dyn_internal_item_subset' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.item_subset(dynamo.item, text[]) IS 'item of some attributes, whose names are sorted; NULL: of all';
CREATE FUNCTION dynamo_internal.item_subset_size(item dynamo.item, names text[]) RETURNS integer
    AS 'MODULE_PATHNAME', 'dyn_internal_item_subset_size' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.item_subset_size(dynamo.item, text[]) IS 'size of that';
CREATE FUNCTION dynamo_internal.value_describe(text) RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_internal_value_describe' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.value_describe(text) IS 'AttributeValue as error messages quote it';
CREATE FUNCTION dynamo_internal.key_hash(text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'dyn_internal_key_hash' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.key_hash(text) IS 'hash of the partition key that an AttributeValue is';
CREATE FUNCTION dynamo_internal.key_from_item(item dynamo.item, partition_name text, partition_type text,
    sort_name text DEFAULT NULL, sort_type text DEFAULT NULL) RETURNS dynamo.item
    AS 'MODULE_PATHNAME', 'dyn_internal_key_from_item' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.key_from_item(dynamo.item, text, text, text, text) IS 'key of an item to be stored';
CREATE FUNCTION dynamo_internal.key_from_argument(argument dynamo.item, partition_name text, partition_type text,
    sort_name text DEFAULT NULL, sort_type text DEFAULT NULL) RETURNS dynamo.item
    AS 'MODULE_PATHNAME', 'dyn_internal_key_from_argument' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.key_from_argument(dynamo.item, text, text, text, text) IS 'key a Key argument names';

---------------------------------------------------------------------------
-- policy: for tests
---------------------------------------------------------------------------
-- kind is identity, resource or trust; a request is {"action": ..., "resource":
-- ..., "principal": ..., "role": ..., "account": ..., "context": {key: value}},
-- where null is not known yet; policies are {"identity": [document, ...],
-- "boundary": document, "session": ..., "resource" or "trust": ..., "granted": true}.
CREATE FUNCTION dynamo_internal.policy_problem(document text, kind text) RETURNS text
	AS 'MODULE_PATHNAME', 'dyn_internal_policy_problem' LANGUAGE C IMMUTABLE STRICT;
CREATE FUNCTION dynamo_internal.policy_keys(document text, kind text) RETURNS text
	AS 'MODULE_PATHNAME', 'dyn_internal_policy_keys' LANGUAGE C IMMUTABLE STRICT;
CREATE FUNCTION dynamo_internal.evaluate_policy(document text, kind text, request json) RETURNS text
	AS 'MODULE_PATHNAME', 'dyn_internal_evaluate_policy' LANGUAGE C IMMUTABLE STRICT;
CREATE FUNCTION dynamo_internal.decide(policies json, request json) RETURNS text
	AS 'MODULE_PATHNAME', 'dyn_internal_decide' LANGUAGE C IMMUTABLE STRICT;
-- Microseconds a decision takes.
CREATE FUNCTION dynamo_internal.decide_cost(policies json, request json, count integer) RETURNS float8
	AS 'MODULE_PATHNAME', 'dyn_internal_decide_cost' LANGUAGE C VOLATILE STRICT;
REVOKE ALL ON FUNCTION dynamo_internal.policy_problem, dynamo_internal.policy_keys,
	dynamo_internal.evaluate_policy, dynamo_internal.decide, dynamo_internal.decide_cost FROM PUBLIC;

---------------------------------------------------------------------------
-- auth: principals, their policies, access keys and sessions
---------------------------------------------------------------------------

-- Each of these tables is cached by every process; their columns' order is
-- known to src/auth.  Rows that arrive by logical replication count as well.
-- A role that is dropped leaves rows behind, which count for nobody, go soon
-- (long before its OID can be another's) and never come into a dump.

CREATE TABLE policies (
	name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-zA-Z0-9_+=,.@-]{1,128}$'),
	document text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
REVOKE ALL ON policies FROM PUBLIC;
COMMENT ON TABLE policies IS 'IAM policies, to be attached to roles; changed by dynamo.put_policy() and dynamo.delete_policy()';
SELECT pg_catalog.pg_extension_config_dump('policies', '');
CREATE TRIGGER invalidate
	AFTER INSERT OR UPDATE OR DELETE ON policies
	FOR EACH ROW EXECUTE FUNCTION dynamo_internal.invalidate_relation();
ALTER TABLE policies ENABLE ALWAYS TRIGGER invalidate;

CREATE TABLE attached_policies (
	role regrole,
	policy text COLLATE "C" REFERENCES policies ON UPDATE CASCADE,
	PRIMARY KEY (role, policy)
);
REVOKE ALL ON attached_policies FROM PUBLIC;
COMMENT ON TABLE attached_policies IS 'which policies are attached to which roles; they hold for roles that inherit their privileges, too';
SELECT pg_catalog.pg_extension_config_dump('attached_policies', 'WHERE role IN (SELECT oid FROM pg_catalog.pg_roles)');
CREATE INDEX ON attached_policies (policy);
CREATE TRIGGER invalidate
	AFTER INSERT OR UPDATE OR DELETE ON attached_policies
	FOR EACH ROW EXECUTE FUNCTION dynamo_internal.invalidate_relation();
ALTER TABLE attached_policies ENABLE ALWAYS TRIGGER invalidate;

CREATE TABLE principals (
	role regrole PRIMARY KEY,
	boundary text COLLATE "C" REFERENCES policies ON UPDATE CASCADE,
	trust_policy text,
	max_session_duration integer NOT NULL DEFAULT 3600 CHECK (max_session_duration BETWEEN 3600 AND 43200),
	tags jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(tags) = 'object'),
	sessions_revoked_at timestamptz
);
REVOKE ALL ON principals FROM PUBLIC;
COMMENT ON TABLE principals IS 'what roles are to IAM beside their policies; absent roles have the defaults';
COMMENT ON COLUMN principals.boundary IS 'the policy that is the permissions boundary';
COMMENT ON COLUMN principals.trust_policy IS 'who may assume the role; NULL: nobody';
COMMENT ON COLUMN principals.max_session_duration IS 'seconds';
COMMENT ON COLUMN principals.tags IS 'condition key aws:PrincipalTag';
COMMENT ON COLUMN principals.sessions_revoked_at IS 'sessions issued before that have ended';
SELECT pg_catalog.pg_extension_config_dump('principals', 'WHERE role IN (SELECT oid FROM pg_catalog.pg_roles)');
CREATE TRIGGER invalidate
	AFTER INSERT OR UPDATE OR DELETE ON principals
	FOR EACH ROW EXECUTE FUNCTION dynamo_internal.invalidate_relation();
ALTER TABLE principals ENABLE ALWAYS TRIGGER invalidate;

CREATE VIEW my_policies WITH (security_barrier) AS
	SELECT a.role, 'identity' AS kind, p.name, p.document
	FROM attached_policies a JOIN policies p ON p.name = a.policy
	WHERE pg_has_role(a.role, 'USAGE')
	UNION ALL
	SELECT b.role, 'boundary', p.name, p.document
	FROM principals b JOIN policies p ON p.name = b.boundary
	WHERE pg_has_role(b.role, 'USAGE')
	UNION ALL
	SELECT t.role, 'trust', NULL, t.trust_policy
	FROM principals t
	WHERE t.trust_policy IS NOT NULL AND pg_has_role(t.role, 'USAGE');
GRANT SELECT ON my_policies TO PUBLIC;
COMMENT ON VIEW my_policies IS 'policies that hold for the roles whose privileges one has';

-- Policies say what may be done by whom: an administrator's decision.  Whoever
-- may execute these functions may give himself anything the endpoint offers.
CREATE FUNCTION dynamo_internal.check_policy(document text, is_trust boolean) RETURNS text
	AS 'MODULE_PATHNAME', 'dyn_internal_check_policy'
	LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION dynamo_internal.check_policy(text, boolean) IS 'a policy''s document, or MalformedPolicyDocument';

CREATE FUNCTION put_policy(name text, document text) RETURNS void
	LANGUAGE sql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO dynamo.policies (name, document)
	VALUES ($1, dynamo_internal.check_policy($2, false))
	ON CONFLICT ON CONSTRAINT policies_pkey DO UPDATE SET document = excluded.document, updated_at = now()
$$;
REVOKE ALL ON FUNCTION put_policy FROM PUBLIC;
COMMENT ON FUNCTION put_policy(text, text) IS 'make a policy, or give it a new document';

CREATE FUNCTION delete_policy(name text) RETURNS void
	LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM dynamo.policies p WHERE p.name = $1;
	IF NOT FOUND THEN
		RAISE undefined_object USING MESSAGE = format('policy "%s" does not exist', $1);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION delete_policy FROM PUBLIC;
COMMENT ON FUNCTION delete_policy(text) IS 'delete a policy that is attached to no role';

CREATE FUNCTION attach_policy(role name, policy text) RETURNS void
	LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM dynamo.policies p WHERE p.name = $2) THEN
		RAISE undefined_object USING MESSAGE = format('policy "%s" does not exist', $2);
	END IF;
	INSERT INTO dynamo.attached_policies VALUES (quote_ident($1)::regrole, $2) ON CONFLICT DO NOTHING;
END
$$;
REVOKE ALL ON FUNCTION attach_policy FROM PUBLIC;
COMMENT ON FUNCTION attach_policy(name, text) IS 'have a policy hold for a role and the roles that inherit its privileges';

CREATE FUNCTION detach_policy(role name, policy text) RETURNS void
	LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM dynamo.attached_policies a WHERE a.role = quote_ident($1)::regrole AND a.policy = $2;
	IF NOT FOUND THEN
		RAISE undefined_object USING MESSAGE = format('policy "%s" is not attached to role "%s"', $2, $1);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION detach_policy FROM PUBLIC;
COMMENT ON FUNCTION detach_policy(name, text) IS 'have a policy hold for a role no longer';

CREATE FUNCTION put_permissions_boundary(role name, policy text) RETURNS void
	LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM dynamo.policies p WHERE p.name = $2) THEN
		RAISE undefined_object USING MESSAGE = format('policy "%s" does not exist', $2);
	END IF;
	INSERT INTO dynamo.principals (role, boundary) VALUES (quote_ident($1)::regrole, $2)
	ON CONFLICT ON CONSTRAINT principals_pkey DO UPDATE SET boundary = excluded.boundary;
END
$$;
REVOKE ALL ON FUNCTION put_permissions_boundary FROM PUBLIC;
COMMENT ON FUNCTION put_permissions_boundary(name, text) IS 'let a role do no more than a policy allows';

CREATE FUNCTION delete_permissions_boundary(role name) RETURNS void
	LANGUAGE sql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	UPDATE dynamo.principals SET boundary = NULL WHERE role = quote_ident($1)::regrole
$$;
REVOKE ALL ON FUNCTION delete_permissions_boundary FROM PUBLIC;
COMMENT ON FUNCTION delete_permissions_boundary(name) IS 'take a role''s permissions boundary away';

CREATE FUNCTION put_trust_policy(role name, document text) RETURNS void
	AS 'MODULE_PATHNAME', 'dyn_put_trust_policy'
	LANGUAGE C VOLATILE STRICT;
REVOKE ALL ON FUNCTION put_trust_policy FROM PUBLIC;
COMMENT ON FUNCTION put_trust_policy(name, text) IS 'say who may assume a role that one may become';

CREATE FUNCTION delete_trust_policy(role name) RETURNS void
	LANGUAGE sql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	UPDATE dynamo.principals SET trust_policy = NULL WHERE role = quote_ident($1)::regrole
$$;
REVOKE ALL ON FUNCTION delete_trust_policy FROM PUBLIC;
COMMENT ON FUNCTION delete_trust_policy(name) IS 'have a role be assumed no longer; its sessions end';

CREATE FUNCTION set_max_session_duration(role name, seconds integer) RETURNS void
	LANGUAGE sql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO dynamo.principals (role, max_session_duration) VALUES (quote_ident($1)::regrole, $2)
	ON CONFLICT ON CONSTRAINT principals_pkey DO UPDATE SET max_session_duration = excluded.max_session_duration
$$;
REVOKE ALL ON FUNCTION set_max_session_duration FROM PUBLIC;
COMMENT ON FUNCTION set_max_session_duration(name, integer) IS 'how long a session of a role may last: 3600 to 43200 seconds';

CREATE FUNCTION tag_role(role name, key text, value text) RETURNS void
	LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF length(key) NOT BETWEEN 1 AND 128 OR length(value) > 256 THEN
		RAISE string_data_right_truncation USING
			MESSAGE = 'a tag has a key of 1 to 128 characters and a value of at most 256';
	END IF;
	INSERT INTO dynamo.principals AS p (role, tags) VALUES (quote_ident($1)::regrole, jsonb_build_object($2, $3))
	ON CONFLICT ON CONSTRAINT principals_pkey DO UPDATE SET tags = p.tags || excluded.tags;
	IF (SELECT count(*) FROM dynamo.principals p, jsonb_object_keys(p.tags) WHERE p.role = quote_ident($1)::regrole) > 50 THEN
		RAISE program_limit_exceeded USING MESSAGE = 'a role has at most 50 tags';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION tag_role FROM PUBLIC;
COMMENT ON FUNCTION tag_role(name, text, text) IS 'set a tag of a role, for conditions on aws:PrincipalTag';

CREATE FUNCTION untag_role(role name, key text) RETURNS void
	LANGUAGE sql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	UPDATE dynamo.principals SET tags = tags - $2 WHERE role = quote_ident($1)::regrole
$$;
REVOKE ALL ON FUNCTION untag_role FROM PUBLIC;
COMMENT ON FUNCTION untag_role(name, text) IS 'take a tag of a role away';

-- Secrets are stored as they are: verifying a signature takes the secret itself.
-- Nobody but superusers reads this table, and pg_dump leaves its contents out.
CREATE TABLE access_keys (
	access_key_id text COLLATE "C" PRIMARY KEY
		-- Clients test with the id "alternator" that an unknown key is refused.
		-- The ids of sessions begin with ASIA.
		CHECK (access_key_id ~ '^\w{16,128}$' AND access_key_id <> 'alternator' AND access_key_id !~ '^ASIA'),
	secret_access_key text NOT NULL CHECK (secret_access_key <> ''),
	role regrole NOT NULL,
	enabled boolean NOT NULL DEFAULT true,
	created_at timestamptz NOT NULL DEFAULT now(),
	valid_until timestamptz
);
REVOKE ALL ON access_keys FROM PUBLIC;
COMMENT ON TABLE access_keys IS 'access keys of the DynamoDB endpoint, with their secrets';
COMMENT ON COLUMN access_keys.valid_until IS 'when the key stops to count; NULL: never';
CREATE TRIGGER invalidate
	AFTER INSERT OR UPDATE OR DELETE ON access_keys
	FOR EACH ROW EXECUTE FUNCTION dynamo_internal.invalidate_relation();
ALTER TABLE access_keys ENABLE ALWAYS TRIGGER invalidate;

-- A table of its own, because it is written all the time.
CREATE TABLE dynamo_internal.access_key_uses (
	access_key_id text COLLATE "C" PRIMARY KEY REFERENCES access_keys ON DELETE CASCADE ON UPDATE CASCADE,
	last_used_at timestamptz NOT NULL,
	region text NOT NULL,
	service text NOT NULL
);
REVOKE ALL ON dynamo_internal.access_key_uses FROM PUBLIC;
COMMENT ON TABLE dynamo_internal.access_key_uses IS 'when access keys were last used, as far as it has been written down';

CREATE VIEW my_access_keys WITH (security_barrier) AS
	SELECT k.access_key_id, k.role, k.enabled, k.created_at, k.valid_until, u.last_used_at, u.region AS last_used_region,
		u.service AS last_used_service
	FROM access_keys k LEFT JOIN dynamo_internal.access_key_uses u USING (access_key_id)
	WHERE pg_has_role(k.role, 'MEMBER');
GRANT SELECT ON my_access_keys TO PUBLIC;
COMMENT ON VIEW my_access_keys IS 'access keys that act as a role one is a member of';

CREATE FUNCTION create_access_key(role name DEFAULT current_user,
		OUT access_key_id text, OUT secret_access_key text)
	AS 'MODULE_PATHNAME', 'dyn_create_access_key'
	LANGUAGE C VOLATILE STRICT;
-- A key opens a way into the server past pg_hba.conf: not everybody's decision.
REVOKE ALL ON FUNCTION create_access_key(name) FROM PUBLIC;
COMMENT ON FUNCTION create_access_key(name) IS 'make an access key that acts as a role; the secret is shown once';

CREATE FUNCTION rotate_access_key(INOUT access_key_id text, overlap interval DEFAULT '1 day',
		OUT secret_access_key text)
	AS 'MODULE_PATHNAME', 'dyn_rotate_access_key'
	LANGUAGE C VOLATILE STRICT;
REVOKE ALL ON FUNCTION rotate_access_key(text, interval) FROM PUBLIC;
COMMENT ON FUNCTION rotate_access_key(text, interval) IS
	'make a key for the role of another one, which stops to count after a while';

CREATE FUNCTION update_access_key(access_key_id text, enabled boolean) RETURNS void
	AS 'MODULE_PATHNAME', 'dyn_update_access_key'
	LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION update_access_key(text, boolean) IS 'switch an access key on or off';

CREATE FUNCTION delete_access_key(access_key_id text) RETURNS void
	AS 'MODULE_PATHNAME', 'dyn_delete_access_key'
	LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION delete_access_key(text) IS 'delete an access key';

-- What session tokens are sealed with.  The number is part of the sessions'
-- access key ids, which have room for 1024.
CREATE TABLE session_keys (
	number integer PRIMARY KEY CHECK (number BETWEEN 0 AND 1023),
	secret bytea NOT NULL CHECK (length(secret) = 32),
	created_at timestamptz NOT NULL DEFAULT now()
);
REVOKE ALL ON session_keys FROM PUBLIC;
COMMENT ON TABLE session_keys IS 'secrets that session tokens are sealed with; the newest is used for new ones';
CREATE TRIGGER invalidate
	AFTER INSERT OR UPDATE OR DELETE ON session_keys
	FOR EACH ROW EXECUTE FUNCTION dynamo_internal.invalidate_relation();
ALTER TABLE session_keys ENABLE ALWAYS TRIGGER invalidate;

CREATE FUNCTION rotate_session_key(end_sessions boolean DEFAULT false) RETURNS void
	AS 'MODULE_PATHNAME', 'dyn_rotate_session_key'
	LANGUAGE C VOLATILE STRICT;
REVOKE ALL ON FUNCTION rotate_session_key FROM PUBLIC;
COMMENT ON FUNCTION rotate_session_key(boolean) IS
	'seal new session tokens with a new secret; the old ones count to their end, or end now';
SELECT rotate_session_key();

CREATE FUNCTION revoke_sessions(role name) RETURNS void
	LANGUAGE sql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO dynamo.principals (role, sessions_revoked_at) VALUES (quote_ident($1)::regrole, clock_timestamp())
	ON CONFLICT ON CONSTRAINT principals_pkey DO UPDATE SET sessions_revoked_at = excluded.sessions_revoked_at
$$;
REVOKE ALL ON FUNCTION revoke_sessions FROM PUBLIC;
COMMENT ON FUNCTION revoke_sessions(name) IS 'end all sessions of a role that were issued so far';

-- STS's operations.  They give out credentials for the endpoint, as access keys are.
CREATE FUNCTION assume_role(request json) RETURNS json
	AS 'MODULE_PATHNAME', 'dyn_sql_AssumeRole'
	LANGUAGE C VOLATILE STRICT;
REVOKE ALL ON FUNCTION assume_role FROM PUBLIC;
COMMENT ON FUNCTION assume_role(json) IS 'STS AssumeRole: temporary credentials of a role, if its trust policy allows it';
CREATE FUNCTION get_session_token(request json DEFAULT '{}') RETURNS json
	AS 'MODULE_PATHNAME', 'dyn_sql_GetSessionToken'
	LANGUAGE C VOLATILE STRICT;
REVOKE ALL ON FUNCTION get_session_token FROM PUBLIC;
COMMENT ON FUNCTION get_session_token(json) IS 'STS GetSessionToken: temporary credentials of one''s own';
CREATE FUNCTION get_caller_identity(request json DEFAULT '{}') RETURNS json
	AS 'MODULE_PATHNAME', 'dyn_sql_GetCallerIdentity'
	LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION get_caller_identity(json) IS 'STS GetCallerIdentity: who one is to policies';

-- For tests: the role that signed a request, or the service's error.
-- headers: one per line, "name:value".
CREATE FUNCTION dynamo_internal.verify_signature(method text, path text,
		query text, headers text, body bytea, now timestamptz, service text DEFAULT 'dynamodb') RETURNS regrole
	AS 'MODULE_PATHNAME', 'dyn_verify_signature'
	LANGUAGE C VOLATILE STRICT;
REVOKE ALL ON FUNCTION dynamo_internal.verify_signature FROM PUBLIC;
-- What a role is as a principal.
CREATE FUNCTION dynamo_internal.identity(role regrole) RETURNS json
	AS 'MODULE_PATHNAME', 'dyn_internal_identity'
	LANGUAGE C STABLE STRICT;
REVOKE ALL ON FUNCTION dynamo_internal.identity FROM PUBLIC;

---------------------------------------------------------------------------
-- expression: trees for tests
---------------------------------------------------------------------------
-- names and values are ExpressionAttributeNames and ExpressionAttributeValues.
CREATE FUNCTION dynamo_internal.parse_condition(expression text, kind text DEFAULT 'ConditionExpression') RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_internal_parse_condition' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.parse_condition(text, text) IS 'tree of a condition';
CREATE FUNCTION dynamo_internal.evaluate_condition(expression text, names json, "values" json, item dynamo.item,
    kind text DEFAULT 'ConditionExpression') RETURNS boolean
    AS 'MODULE_PATHNAME', 'dyn_internal_evaluate_condition' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.evaluate_condition(text, json, json, dynamo.item, text)
    IS 'whether a condition is true of an item; NULL is no item';
CREATE FUNCTION dynamo_internal.condition_paths(expression text, names json DEFAULT NULL, "values" json DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_internal_condition_paths' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.condition_paths(text, json, json) IS 'document paths a condition mentions';
CREATE FUNCTION dynamo_internal.key_condition(expression text, names json, "values" json,
    partition_name text, partition_type text, sort_name text DEFAULT NULL, sort_type text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_internal_key_condition' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.key_condition(text, json, json, text, text, text, text)
    IS 'what a key condition asks of a key schema';
CREATE FUNCTION dynamo_internal.parse_projection(expression text, names json DEFAULT NULL, "values" json DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_internal_parse_projection' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.parse_projection(text, json, json) IS 'document paths of a projection';
CREATE FUNCTION dynamo_internal.project(expression text, names json, "values" json, item dynamo.item) RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_internal_project' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.project(text, json, json, dynamo.item) IS 'the part of an item a projection shows';
CREATE FUNCTION dynamo_internal.parse_update(expression text, names json DEFAULT NULL, "values" json DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_internal_parse_update' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.parse_update(text, json, json) IS 'clauses of an update';
CREATE FUNCTION dynamo_internal.apply_update(expression text, names json, "values" json, item dynamo.item, key dynamo.item DEFAULT '{}',
    OUT new_item dynamo.item, OUT updated_old dynamo.item, OUT updated_new dynamo.item)
    AS 'MODULE_PATHNAME', 'dyn_internal_apply_update' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.apply_update(text, json, json, dynamo.item, dynamo.item)
    IS 'an item after an update, NULL being no item; and what ReturnValues shows';
CREATE FUNCTION dynamo_internal.legacy_condition(conditions json, item dynamo.item,
    or_operator boolean DEFAULT false, is_filter boolean DEFAULT false) RETURNS boolean
    AS 'MODULE_PATHNAME', 'dyn_internal_legacy_condition' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.legacy_condition(json, dynamo.item, boolean, boolean)
    IS 'whether Expected, or a QueryFilter, is true of an item; NULL if it has no condition';
CREATE FUNCTION dynamo_internal.legacy_key_conditions(conditions json,
    partition_name text, partition_type text, sort_name text DEFAULT NULL, sort_type text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_internal_legacy_key_conditions' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.legacy_key_conditions(json, text, text, text, text)
    IS 'what KeyConditions ask of a key schema';
CREATE FUNCTION dynamo_internal.legacy_update(updates json, item dynamo.item, key dynamo.item DEFAULT '{}',
    OUT new_item dynamo.item, OUT updated_old dynamo.item, OUT updated_new dynamo.item)
    AS 'MODULE_PATHNAME', 'dyn_internal_legacy_update' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.legacy_update(json, dynamo.item, dynamo.item) IS 'an item after AttributeUpdates';
CREATE FUNCTION dynamo_internal.legacy_project(names json, item dynamo.item) RETURNS text
    AS 'MODULE_PATHNAME', 'dyn_internal_legacy_project' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.legacy_project(json, dynamo.item) IS 'the part of an item that {"AttributesToGet": [...]} shows';

---------------------------------------------------------------------------
-- keyindex: the access method
---------------------------------------------------------------------------

CREATE FUNCTION dynamo.begins_with_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'dynamo_begins_with_support'
	LANGUAGE C STRICT;
COMMENT ON FUNCTION dynamo.begins_with_support(internal) IS 'planner support for begins_with';

CREATE FUNCTION dynamo.begins_with(value bytea, prefix bytea) RETURNS boolean
	AS 'MODULE_PATHNAME', 'dynamo_begins_with'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
	SUPPORT dynamo.begins_with_support;
COMMENT ON FUNCTION dynamo.begins_with(bytea, bytea) IS 'does value begin with prefix?';

-- prefixsel knows bytea: it looks the prefix up in the column's histogram.
CREATE OPERATOR dynamo.^@ (
	FUNCTION = dynamo.begins_with, LEFTARG = bytea, RIGHTARG = bytea,
	RESTRICT = prefixsel, JOIN = prefixjoinsel
);
COMMENT ON OPERATOR dynamo.^@ (bytea, bytea) IS 'begins with';

CREATE FUNCTION dynamo.dynamo_key_handler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION dynamo.dynamo_key_handler(internal) IS 'handler of access method dynamo_key';

CREATE ACCESS METHOD dynamo_key TYPE INDEX HANDLER dynamo.dynamo_key_handler;
COMMENT ON ACCESS METHOD dynamo_key IS 'ordered index for partition and sort keys, with begins_with';

-- The integers are one family, or "hash = 1" would not use an index on int8.
CREATE OPERATOR FAMILY dynamo.integer_ops USING dynamo_key;
COMMENT ON OPERATOR FAMILY dynamo.integer_ops USING dynamo_key IS 'int8, compared with every integer type';

CREATE OPERATOR CLASS dynamo.int8_ops DEFAULT FOR TYPE int8 USING dynamo_key
	FAMILY dynamo.integer_ops AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 btint8cmp(int8, int8),
	FUNCTION 2 btint8sortsupport(internal),
	FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS dynamo.int8_ops USING dynamo_key IS 'hashes of partition keys';

ALTER OPERATOR FAMILY dynamo.integer_ops USING dynamo_key ADD
	OPERATOR 1 < (int8, int4), OPERATOR 2 <= (int8, int4), OPERATOR 3 = (int8, int4),
	OPERATOR 4 >= (int8, int4), OPERATOR 5 > (int8, int4),
	FUNCTION 1 (int8, int4) btint84cmp(int8, int4),
	OPERATOR 1 < (int8, int2), OPERATOR 2 <= (int8, int2), OPERATOR 3 = (int8, int2),
	OPERATOR 4 >= (int8, int2), OPERATOR 5 > (int8, int2),
	FUNCTION 1 (int8, int2) btint82cmp(int8, int2);

CREATE OPERATOR CLASS dynamo.bytea_ops DEFAULT FOR TYPE bytea USING dynamo_key AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	OPERATOR 6 dynamo.^@,
	FUNCTION 1 byteacmp(bytea, bytea),
	FUNCTION 2 bytea_sortsupport(internal),
	FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS dynamo.bytea_ops USING dynamo_key IS 'sort keys, with begins_with';
COMMENT ON OPERATOR FAMILY dynamo.bytea_ops USING dynamo_key IS 'sort keys, with begins_with';

-- A partition key of 2048 bytes and a sort key of 1024 are more than the index
-- has room for: this class keeps long values in a short form.  For a column
-- that is asked for equality; other conditions on long values read everything.
CREATE FUNCTION dynamo_internal.shorten_key(bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'dynamo_shorten_key'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo_internal.shorten_key(bytea) IS 'the form in which partition_ops keeps a value';

CREATE OPERATOR CLASS dynamo.partition_ops FOR TYPE bytea USING dynamo_key AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	OPERATOR 6 dynamo.^@,
	FUNCTION 1 byteacmp(bytea, bytea),
	FUNCTION 2 bytea_sortsupport(internal),
	FUNCTION 4 btequalimage(oid),
	FUNCTION 6 dynamo_internal.shorten_key(bytea);
COMMENT ON OPERATOR CLASS dynamo.partition_ops USING dynamo_key IS 'partition keys of any legal length, behind their hash';
COMMENT ON OPERATOR FAMILY dynamo.partition_ops USING dynamo_key IS 'partition keys of any legal length, behind their hash';

-- For columns of one's own beside the keys.
CREATE OPERATOR CLASS dynamo.text_ops DEFAULT FOR TYPE text USING dynamo_key AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 bttextcmp(text, text),
	FUNCTION 2 bttextsortsupport(internal),
	FUNCTION 4 btvarstrequalimage(oid);
COMMENT ON OPERATOR CLASS dynamo.text_ops USING dynamo_key IS 'text, in the order of its collation';
COMMENT ON OPERATOR FAMILY dynamo.text_ops USING dynamo_key IS 'text, in the order of its collation';

CREATE FUNCTION dynamo.verify_index(index regclass, OUT index_tuples bigint, OUT heap_tuples bigint)
	AS 'MODULE_PATHNAME', 'dynamo_verify_index'
	LANGUAGE C STRICT;
COMMENT ON FUNCTION dynamo.verify_index(regclass) IS
	'check a dynamo_key index against its table; counts what it saw, raises index_corrupted on a problem';

---------------------------------------------------------------------------
-- table: the catalog
---------------------------------------------------------------------------

-- The columns' order is known to src/table/catalog.h.
CREATE TABLE dynamo.tables (
	name text COLLATE "C" PRIMARY KEY CHECK (length(name) BETWEEN 3 AND 255 AND name !~ '[^a-zA-Z0-9_.-]'),
	relation regclass NOT NULL UNIQUE,
	table_id uuid NOT NULL DEFAULT gen_random_uuid(),
	created timestamptz NOT NULL,
	partition_key text NOT NULL,
	partition_type text NOT NULL CHECK (partition_type IN ('S', 'N', 'B')),
	sort_key text,
	sort_type text CHECK (sort_type IN ('S', 'N', 'B')),
	billing_mode text NOT NULL CHECK (billing_mode IN ('PROVISIONED', 'PAY_PER_REQUEST')),
	read_units bigint NOT NULL,
	write_units bigint NOT NULL,
	on_demand_since timestamptz,
	last_increase timestamptz,
	last_decrease timestamptz,
	decreases_today integer NOT NULL DEFAULT 0,
	deletion_protection boolean NOT NULL,
	table_class text NOT NULL CHECK (table_class IN ('STANDARD', 'STANDARD_INFREQUENT_ACCESS')),
	class_changed timestamptz,
	class_changed_before timestamptz,
	max_read_units bigint,
	max_write_units bigint,
	warm_read_units bigint,
	warm_write_units bigint,
	time_to_live_changed timestamptz,
	sealing text CHECK (sealing IN ('ENABLING', 'ENABLED', 'DISABLING')),
	data_key bigint,
	master_key text COLLATE "C",
	CHECK ((sort_key IS NULL) = (sort_type IS NULL))
);
COMMENT ON TABLE dynamo.tables IS 'the DynamoDB tables of this database; changed through CreateTable and the like only';
COMMENT ON COLUMN dynamo.tables.relation IS 'where the items are';
COMMENT ON COLUMN dynamo.tables.class_changed_before IS 'the change of class before the last one; only two are allowed in 30 days';
COMMENT ON COLUMN dynamo.tables.max_read_units IS 'ceiling of on-demand throughput; NULL: none';
COMMENT ON COLUMN dynamo.tables.warm_read_units IS 'warm throughput asked for; NULL: what a table has anyway';
COMMENT ON COLUMN dynamo.tables.sealing IS 'encryption at rest; NULL: none';
COMMENT ON COLUMN dynamo.tables.data_key IS 'which of dynamo.data_keys new items are sealed with; NULL: they are not';
COMMENT ON COLUMN dynamo.tables.master_key IS 'the master key asked for; NULL: the first one there is';
-- Everybody sees what concerns the tables on which he has any privilege.  Our own
-- code reads past this, and so do the catalog's owner and pg_dump.
ALTER TABLE dynamo.tables ENABLE ROW LEVEL SECURITY;
CREATE POLICY visible ON dynamo.tables FOR SELECT USING (pg_catalog.has_table_privilege(relation,
	'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'));
GRANT SELECT ON dynamo.tables TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('dynamo.tables', '');

-- The columns' order is known to src/table/catalog.h.
CREATE TABLE dynamo.indexes (
	table_name text COLLATE "C" NOT NULL REFERENCES dynamo.tables ON DELETE CASCADE ON UPDATE CASCADE,
	name text COLLATE "C" NOT NULL,
	kind text NOT NULL CHECK (kind IN ('LOCAL', 'GLOBAL', 'TIME_TO_LIVE')),
	slot integer NOT NULL CHECK (slot BETWEEN 1 AND 26),
	partition_keys text[] NOT NULL,
	partition_types text[] NOT NULL,
	sort_keys text[] NOT NULL,
	sort_types text[] NOT NULL,
	projection text NOT NULL CHECK (projection IN ('ALL', 'KEYS_ONLY', 'INCLUDE')),
	non_key_attributes text[] NOT NULL,
	status text NOT NULL CHECK (status IN ('CREATING', 'ACTIVE', 'DELETING')),
	backfilling boolean NOT NULL DEFAULT false,
	created timestamptz NOT NULL DEFAULT clock_timestamp(),
	read_units bigint NOT NULL,
	write_units bigint NOT NULL,
	last_increase timestamptz,
	last_decrease timestamptz,
	decreases_today integer NOT NULL DEFAULT 0,
	max_read_units bigint,
	max_write_units bigint,
	warm_read_units bigint,
	warm_write_units bigint,
	blocks_total bigint NOT NULL DEFAULT 0,
	blocks_done bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (table_name, name),
	UNIQUE (table_name, slot)
);
COMMENT ON TABLE dynamo.indexes IS 'the secondary indexes of the DynamoDB tables of this database, and what their time to live goes by; changed through CreateTable and the like only';
COMMENT ON COLUMN dynamo.indexes.slot IS 'the entries are in column index_key_<slot> of the table''s relation';
COMMENT ON COLUMN dynamo.indexes.blocks_done IS 'of blocks_total of the relation, how many a backfill has seen';
ALTER TABLE dynamo.indexes ENABLE ROW LEVEL SECURITY;
CREATE POLICY visible ON dynamo.indexes FOR SELECT USING (
	EXISTS (SELECT FROM dynamo.tables t WHERE t.name = table_name));
GRANT SELECT ON dynamo.indexes TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('dynamo.indexes', '');

CREATE TABLE dynamo.tags (
	table_name text COLLATE "C" NOT NULL REFERENCES dynamo.tables ON DELETE CASCADE ON UPDATE CASCADE,
	key text COLLATE "C" NOT NULL,
	value text NOT NULL,
	PRIMARY KEY (table_name, key)
);
COMMENT ON TABLE dynamo.tags IS 'the tags of the DynamoDB tables of this database; changed through TagResource and the like only';
ALTER TABLE dynamo.tags ENABLE ROW LEVEL SECURITY;
CREATE POLICY visible ON dynamo.tags FOR SELECT USING (
	EXISTS (SELECT FROM dynamo.tables t WHERE t.name = table_name));
GRANT SELECT ON dynamo.tags TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('dynamo.tags', '');

-- The columns' order is known to src/table/catalog.h.  Streams are not dumped, and
-- so their policies are not.
CREATE TABLE dynamo.resource_policies (
	table_name text COLLATE "C" NOT NULL REFERENCES dynamo.tables ON DELETE CASCADE ON UPDATE CASCADE,
	stream_label text COLLATE "C" NOT NULL DEFAULT '',
	document text NOT NULL,
	revision_id text NOT NULL,
	PRIMARY KEY (table_name, stream_label)
);
REVOKE ALL ON dynamo.resource_policies FROM PUBLIC;
COMMENT ON TABLE dynamo.resource_policies IS 'the resource policies of tables (stream_label is empty) and of their streams; changed through PutResourcePolicy and the like only';
SELECT pg_catalog.pg_extension_config_dump('dynamo.resource_policies', $$WHERE stream_label = ''$$);

-- The columns' order is known to src/table/catalog.h.  Neither these rows nor
-- the change log are dumped: the copy of a table is another table, whose changes
-- nobody has asked for yet.
CREATE TABLE dynamo.streams (
	stream_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	table_name text COLLATE "C" NOT NULL,
	table_id uuid NOT NULL,
	label text COLLATE "C" NOT NULL,
	view_type text NOT NULL CHECK (view_type IN ('KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES')),
	shards integer NOT NULL,
	partition_key text NOT NULL,
	sort_key text,
	owner oid NOT NULL,
	created timestamptz NOT NULL,
	disabled timestamptz,
	notify boolean NOT NULL DEFAULT false,
	UNIQUE (table_name, label)
);
COMMENT ON TABLE dynamo.streams IS 'the streams of the DynamoDB tables of this database, also those that were disabled lately; changed through CreateTable and the like only';
COMMENT ON COLUMN dynamo.streams.shards IS 'among how many the items are divided by the hash of their partition key';
COMMENT ON COLUMN dynamo.streams.disabled IS 'NULL: changes are being logged';
COMMENT ON COLUMN dynamo.streams.notify IS 'activity is told on channel dynamo_stream; see dynamo.notify_stream()';
-- As for reading one: a stream outlives its table, and is its owner's then.
ALTER TABLE dynamo.streams ENABLE ROW LEVEL SECURITY;
CREATE POLICY visible ON dynamo.streams FOR SELECT USING (
	EXISTS (SELECT FROM dynamo.tables t WHERE t.table_id = streams.table_id)
	OR pg_catalog.pg_has_role(owner, 'USAGE') IS TRUE);
GRANT SELECT ON dynamo.streams TO PUBLIC;

-- The columns' order is known to src/stream/shard.c.
CREATE TABLE dynamo.stream_shards (
	stream_id integer NOT NULL REFERENCES dynamo.streams ON DELETE CASCADE,
	first_number bigint NOT NULL,
	bucket integer NOT NULL,
	parent bigint,
	end_number bigint,
	created timestamptz NOT NULL DEFAULT clock_timestamp(),
	closed timestamptz,
	parent_created timestamptz,
	PRIMARY KEY (stream_id, first_number, bucket)
);
COMMENT ON TABLE dynamo.stream_shards IS 'the shards of streams: a bucket of the items for a range of change numbers';
COMMENT ON COLUMN dynamo.stream_shards.parent IS 'first_number of the shard whose bucket this one goes on with';
COMMENT ON COLUMN dynamo.stream_shards.parent_created IS 'when the parent was: its id tells, and outlives it in this shard''s description';
COMMENT ON COLUMN dynamo.stream_shards.end_number IS 'all changes of the shard are below; NULL: it is open';
ALTER TABLE dynamo.stream_shards ENABLE ROW LEVEL SECURITY;
CREATE POLICY visible ON dynamo.stream_shards FOR SELECT USING (
	EXISTS (SELECT FROM dynamo.streams s WHERE s.stream_id = stream_shards.stream_id));
GRANT SELECT ON dynamo.stream_shards TO PUBLIC;

CREATE TRIGGER invalidate
	AFTER INSERT OR UPDATE OR DELETE ON dynamo.tables
	FOR EACH ROW EXECUTE FUNCTION dynamo_internal.invalidate_relation();
CREATE TRIGGER invalidate
	AFTER INSERT OR UPDATE OR DELETE ON dynamo.resource_policies
	FOR EACH ROW EXECUTE FUNCTION dynamo_internal.invalidate_relation();
CREATE TRIGGER invalidate
	AFTER INSERT OR UPDATE OR DELETE ON dynamo.tags
	FOR EACH ROW EXECUTE FUNCTION dynamo_internal.invalidate_relation();
CREATE TRIGGER invalidate
	AFTER INSERT OR UPDATE OR DELETE ON dynamo.streams
	FOR EACH ROW EXECUTE FUNCTION dynamo_internal.invalidate_relation();
CREATE TRIGGER invalidate
	AFTER INSERT OR DELETE ON dynamo.indexes
	FOR EACH ROW EXECUTE FUNCTION dynamo_internal.invalidate_relation();
-- Not for the report of a backfill's progress, which changes all the time.
CREATE TRIGGER invalidate_update
	AFTER UPDATE ON dynamo.indexes
	FOR EACH ROW WHEN ((OLD.blocks_total, OLD.blocks_done) = (NEW.blocks_total, NEW.blocks_done))
	EXECUTE FUNCTION dynamo_internal.invalidate_relation();
-- Rows that arrive by logical replication count as well.
ALTER TABLE dynamo.tables ENABLE ALWAYS TRIGGER invalidate;
ALTER TABLE dynamo.streams ENABLE ALWAYS TRIGGER invalidate;
ALTER TABLE dynamo.resource_policies ENABLE ALWAYS TRIGGER invalidate;
ALTER TABLE dynamo.tags ENABLE ALWAYS TRIGGER invalidate;
ALTER TABLE dynamo.indexes ENABLE ALWAYS TRIGGER invalidate;
ALTER TABLE dynamo.indexes ENABLE ALWAYS TRIGGER invalidate_update;

-- In schema dynamo, because whoever makes a table or restores a dump names it.
CREATE FUNCTION dynamo.set_key_columns() RETURNS trigger
	AS 'MODULE_PATHNAME', 'dynamo_set_key_columns' LANGUAGE C;
COMMENT ON FUNCTION dynamo.set_key_columns() IS
	'trigger of every table''s relation: computes the key columns of plain INSERTs and UPDATEs from the item';

CREATE FUNCTION dynamo.log_change() RETURNS trigger
	AS 'MODULE_PATHNAME', 'dynamo_log_change' LANGUAGE C;
COMMENT ON FUNCTION dynamo.log_change() IS
	'trigger of every table''s relation: what plain SQL changes is in the table''s stream, too';
CREATE FUNCTION dynamo.log_truncate() RETURNS trigger
	AS 'MODULE_PATHNAME', 'dynamo_log_truncate' LANGUAGE C;
COMMENT ON FUNCTION dynamo.log_truncate() IS
	'trigger of every table''s relation: TRUNCATE deletes each item for the table''s stream';

-- DROP TABLE on a relation is DeleteTable.
CREATE FUNCTION dynamo_internal.forget_dropped_tables() RETURNS event_trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- Against a roll-over of their shards.
	PERFORM FROM dynamo.tables t, pg_event_trigger_dropped_objects() d
	WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND t.relation = d.objid FOR UPDATE OF t;
	WITH ended AS (
		UPDATE dynamo.streams s SET disabled = clock_timestamp()
		FROM dynamo.tables t, pg_event_trigger_dropped_objects() d
		WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND t.relation = d.objid
			AND s.table_id = t.table_id AND s.disabled IS NULL
		RETURNING s.stream_id
	)
	UPDATE dynamo.stream_shards s
	SET end_number = dynamo_internal.next_change_number(), closed = clock_timestamp()
	FROM ended WHERE s.stream_id = ended.stream_id AND s.end_number IS NULL;
	DELETE FROM dynamo.tables t USING pg_event_trigger_dropped_objects() d
	WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND t.relation = d.objid;
END
$$;
COMMENT ON FUNCTION dynamo_internal.forget_dropped_tables() IS
	'event trigger: removes dropped relations from dynamo.tables; their streams end';
CREATE EVENT TRIGGER dynamo_forget_dropped_tables ON sql_drop
	WHEN TAG IN ('DROP TABLE', 'DROP SCHEMA', 'DROP OWNED')
	EXECUTE FUNCTION dynamo_internal.forget_dropped_tables();

---------------------------------------------------------------------------
-- encryption: the keys that items are sealed with
---------------------------------------------------------------------------

CREATE FUNCTION dynamo.is_sealed(item dynamo.item) RETURNS boolean
	AS 'MODULE_PATHNAME', 'dyn_item_is_sealed' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dynamo.is_sealed(dynamo.item) IS
	'is the item encrypted as it lies there; whatever else one asks of it opens it';

-- The first columns' order is known to src/encryption/data_key.c.  Keys stay when
-- their table goes: values of its items may have been copied elsewhere.
CREATE TABLE dynamo.data_keys (
	key_id bigint PRIMARY KEY,
	table_id uuid NOT NULL,
	generation integer NOT NULL,
	master_key text COLLATE "C" NOT NULL,
	wrapped bytea NOT NULL,
	created timestamptz NOT NULL DEFAULT clock_timestamp(),
	dropped timestamptz,
	writes bigint NOT NULL DEFAULT 0,
	counted bigint NOT NULL DEFAULT 0,
	UNIQUE (table_id, generation)
);
REVOKE ALL ON dynamo.data_keys FROM PUBLIC;
GRANT SELECT (key_id, table_id, generation, master_key, created, dropped, writes) ON dynamo.data_keys TO pg_monitor;
COMMENT ON TABLE dynamo.data_keys IS 'the keys that items of encrypted tables are sealed with, each wrapped by a master key that is not in the database';
COMMENT ON COLUMN dynamo.data_keys.generation IS 'items may be sealed with any of a table''s; new ones are with the latest';
COMMENT ON COLUMN dynamo.data_keys.dropped IS 'when the table was; without this row nothing that was sealed can ever be opened';
COMMENT ON COLUMN dynamo.data_keys.writes IS 'about how many items were sealed; after 2^30 there is a new generation';
COMMENT ON COLUMN dynamo.data_keys.counted IS 'the table''s statistics when writes was computed';
SELECT pg_catalog.pg_extension_config_dump('dynamo.data_keys', '');

CREATE TRIGGER invalidate
	AFTER INSERT OR DELETE ON dynamo.data_keys
	FOR EACH ROW EXECUTE FUNCTION dynamo_internal.invalidate_relation();
-- Not when writes are counted, which is all the time.
CREATE TRIGGER invalidate_update
	AFTER UPDATE ON dynamo.data_keys
	FOR EACH ROW WHEN ((OLD.key_id, OLD.table_id, OLD.generation, OLD.master_key, OLD.wrapped) IS DISTINCT FROM
		(NEW.key_id, NEW.table_id, NEW.generation, NEW.master_key, NEW.wrapped))
	EXECUTE FUNCTION dynamo_internal.invalidate_relation();
-- Rows that arrive by logical replication count as well.
ALTER TABLE dynamo.data_keys ENABLE ALWAYS TRIGGER invalidate;
ALTER TABLE dynamo.data_keys ENABLE ALWAYS TRIGGER invalidate_update;

CREATE FUNCTION dynamo_internal.note_dropped_data_keys() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE dynamo.data_keys SET dropped = clock_timestamp() WHERE table_id = OLD.table_id;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION dynamo_internal.note_dropped_data_keys() IS 'trigger: the keys of a table that has gone are of no more use to it';
CREATE TRIGGER note_dropped_data_keys
	AFTER DELETE ON dynamo.tables
	FOR EACH ROW WHEN (OLD.sealing IS NOT NULL OR OLD.data_key IS NOT NULL)
	EXECUTE FUNCTION dynamo_internal.note_dropped_data_keys();

-- In SQL, as the statistics are asked for in statements only.
CREATE FUNCTION dynamo_internal.writes_so_far(relation oid) RETURNS bigint
	LANGUAGE sql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
	RETURN pg_stat_get_tuples_inserted(relation) + pg_stat_get_tuples_updated(relation);
COMMENT ON FUNCTION dynamo_internal.writes_so_far(oid) IS 'what the statistics have counted';
CREATE FUNCTION dynamo_internal.first_master_key() RETURNS text
	AS 'MODULE_PATHNAME', 'dyn_internal_first_master_key' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION dynamo_internal.first_master_key() IS 'id of the master key that wraps; NULL: there is none';
CREATE FUNCTION dynamo_internal.rewrap_data_key(key_id bigint, master_key text) RETURNS bytea
	AS 'MODULE_PATHNAME', 'dyn_internal_rewrap_data_key' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION dynamo_internal.rewrap_data_key(bigint, text) IS 'a data key, wrapped by another master key';
REVOKE ALL ON FUNCTION dynamo_internal.first_master_key(), dynamo_internal.rewrap_data_key(bigint, text) FROM PUBLIC;

CREATE FUNCTION dynamo.rewrap_data_keys() RETURNS bigint
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH wanted AS (
		SELECT k.key_id, coalesce(t.master_key, f.master_key) AS master_key
		FROM dynamo.data_keys k LEFT JOIN dynamo.tables t USING (table_id),
			(SELECT dynamo_internal.first_master_key() AS master_key) f
	), changed AS (
		UPDATE dynamo.data_keys k
		SET wrapped = dynamo_internal.rewrap_data_key(k.key_id, w.master_key), master_key = w.master_key
		FROM wanted w WHERE w.key_id = k.key_id AND w.master_key <> k.master_key
		RETURNING k.key_id
	)
	SELECT count(*) FROM changed;
END;
REVOKE ALL ON FUNCTION dynamo.rewrap_data_keys() FROM PUBLIC;
COMMENT ON FUNCTION dynamo.rewrap_data_keys() IS
	'wrap all data keys by the first master key, or the one their table asks for; counts those that were not. No item is written';

CREATE FUNCTION dynamo.rotate_data_key(table_name text) RETURNS void
	AS 'MODULE_PATHNAME', 'dynamo_rotate_data_key' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION dynamo.rotate_data_key(text) IS
	'seal a table''s items with a new data key from now on; those it has keep theirs. For the table''s owner';

---------------------------------------------------------------------------
-- stream: the change log
---------------------------------------------------------------------------

-- The columns' order is known to src/stream/segment.c.
CREATE TABLE dynamo_internal.change_segments (
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	relation regclass NOT NULL,
	first_number bigint NOT NULL,
	end_number bigint,
	created timestamptz NOT NULL,
	sealed timestamptz
);
REVOKE ALL ON dynamo_internal.change_segments FROM PUBLIC;
COMMENT ON TABLE dynamo_internal.change_segments IS 'the relations that the change log consists of; the newest is written to';
CREATE TRIGGER invalidate
	AFTER INSERT OR UPDATE OR DELETE ON dynamo_internal.change_segments
	FOR EACH ROW EXECUTE FUNCTION dynamo_internal.invalidate_relation();

CREATE FUNCTION dynamo_internal.next_change_number() RETURNS bigint
	AS 'MODULE_PATHNAME', 'dyn_internal_next_change_number' LANGUAGE C;
COMMENT ON FUNCTION dynamo_internal.next_change_number() IS 'what changes from now on will have at least';

CREATE FUNCTION dynamo_internal.stat_change_holders(
	OUT pid int4, OUT since timestamptz, OUT first_number int8, OUT streams int4[], OUT others boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'dyn_stat_change_holders' LANGUAGE C STRICT VOLATILE;
REVOKE ALL ON FUNCTION dynamo_internal.stat_change_holders() FROM PUBLIC;
CREATE VIEW dynamo.stat_stream_lag AS
	SELECT t.table_name, h.pid, a.usename, a.application_name, a.state, a.xact_start,
		h.since AS holds_since, clock_timestamp() - h.since AS lag
	FROM dynamo_internal.stat_change_holders() h
	JOIN dynamo.streams t ON t.stream_id = ANY (h.streams) OR h.others
	LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = h.pid
	WHERE t.disabled IS NULL;
COMMENT ON VIEW dynamo.stat_stream_lag IS
	'open transactions that hold back streams: what others have changed in the same shards since then is readable when they end';

CREATE VIEW dynamo.stat_change_log AS
	SELECT relation, created, sealed, first_number, end_number,
		pg_catalog.pg_total_relation_size(relation) AS bytes
	FROM dynamo_internal.change_segments;
COMMENT ON VIEW dynamo.stat_change_log IS 'the relations of the change log, and how large they are';
GRANT EXECUTE ON FUNCTION dynamo_internal.stat_change_holders() TO pg_monitor;
GRANT SELECT ON dynamo.stat_stream_lag, dynamo.stat_change_log TO pg_monitor;

---------------------------------------------------------------------------
-- store: checking a table
---------------------------------------------------------------------------

CREATE FUNCTION dynamo.verify_table(table_name text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'dynamo_verify_table' LANGUAGE C STRICT;
COMMENT ON FUNCTION dynamo.verify_table(text) IS
	'check that the key columns and index entries of a table are what its items say; counts the items, raises data_corrupted on a problem';

---------------------------------------------------------------------------
-- store: client request tokens
---------------------------------------------------------------------------
-- Which transactions were done in the last ten minutes.  The columns' order is
-- known to src/store/token.c.  Nothing that a copy of the database needs: not
-- dumped.
CREATE TABLE dynamo_internal.request_tokens (
	token bytea NOT NULL,
	role oid NOT NULL,
	space "char" NOT NULL,
	content bigint NOT NULL,
	units integer[] NOT NULL,
	completed timestamptz NOT NULL,
	PRIMARY KEY (token, role, space)
);
REVOKE ALL ON dynamo_internal.request_tokens FROM PUBLIC;
COMMENT ON TABLE dynamo_internal.request_tokens IS 'client request tokens of transactions that were done';

---------------------------------------------------------------------------
-- partiql: for tests
---------------------------------------------------------------------------

CREATE FUNCTION dynamo_internal.parse_statement(statement text, parameters json DEFAULT '[]') RETURNS text
	AS 'MODULE_PATHNAME', 'dyn_internal_parse_statement' LANGUAGE C STRICT;
COMMENT ON FUNCTION dynamo_internal.parse_statement(text, json) IS 'the tree of a PartiQL statement, printed';

---------------------------------------------------------------------------
-- operation: the API as SQL functions
---------------------------------------------------------------------------
-- Each takes the operation's request and returns its reply, in the caller's
-- transaction.  Anyone may call them: what counts are the caller's privileges on
-- the relation behind the table, and CREATE on schema dynamo_data.
CREATE FUNCTION dynamo.batch_execute_statement(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_BatchExecuteStatement' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.batch_execute_statement(json)
    IS 'BatchExecuteStatement: run up to 25 PartiQL statements on one item each, all reading or all writing.
In: {"Statements": [{"Statement", "Parameters", ...}, ...]}
Out: {"Responses": [{"TableName", "Item" | "Error"}, ...]}
Errors: ValidationException (KV001), SerializationException (KV002); those of a statement are in its response';

CREATE FUNCTION dynamo.batch_get_item(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_BatchGetItem' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.batch_get_item(json)
    IS 'BatchGetItem: read up to 100 items of one or more tables by key.
In: {"RequestItems": {table: {"Keys": [key, ...], ...}}}
Out: {"Responses": {table: [item, ...]}, "UnprocessedKeys": {...}}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.batch_write_item(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_BatchWriteItem' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.batch_write_item(json)
    IS 'BatchWriteItem: put or delete up to 25 items of one or more tables.
In: {"RequestItems": {table: [{"PutRequest": {"Item": item}} | {"DeleteRequest": {"Key": key}}, ...]}}
Out: {"UnprocessedItems": {...}}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.create_table(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_CreateTable' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.create_table(json)
    IS 'CreateTable: create a table.
In: {"TableName", "KeySchema", "AttributeDefinitions", "BillingMode" | "ProvisionedThroughput", ...}
Out: {"TableDescription": {...}}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceInUseException (KV004)';

CREATE FUNCTION dynamo.delete_item(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_DeleteItem' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.delete_item(json)
    IS 'DeleteItem: delete the item under a key.
In: {"TableName", "Key", "ConditionExpression", ...}
Out: {"Attributes": item, ...} as ReturnValues asks
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003), ConditionalCheckFailedException (KV005)';

CREATE FUNCTION dynamo.delete_resource_policy(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_DeleteResourcePolicy' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.delete_resource_policy(json)
    IS 'DeleteResourcePolicy: delete the policy of a table or a stream.
In: {"ResourceArn", "ExpectedRevisionId"}
Out: {"RevisionId"}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003), PolicyNotFoundException (KV025)';

CREATE FUNCTION dynamo.delete_table(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_DeleteTable' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.delete_table(json)
    IS 'DeleteTable: drop a table and its items.
In: {"TableName"}
Out: {"TableDescription": {...}}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003), ResourceInUseException (KV004)';

CREATE FUNCTION dynamo.describe_continuous_backups(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_DescribeContinuousBackups' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.describe_continuous_backups(json)
    IS 'DescribeContinuousBackups: whether a table can be restored; no table can yet.
In: {"TableName"}
Out: {"ContinuousBackupsDescription": {...}}
Errors: ValidationException (KV001), SerializationException (KV002), TableNotFoundException (KV024)';

CREATE FUNCTION dynamo.describe_contributor_insights(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_DescribeContributorInsights' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.describe_contributor_insights(json)
    IS 'DescribeContributorInsights: whether insights are enabled; they never are.
In: {"TableName", "IndexName"}
Out: {"TableName", "ContributorInsightsStatus"}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.describe_endpoints(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_DescribeEndpoints' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.describe_endpoints(json)
    IS 'DescribeEndpoints: the endpoint a client should use; none through SQL.
In: {}
Out: {"Endpoints": [...]}
Errors: SerializationException (KV002)';

CREATE FUNCTION dynamo.describe_kinesis_streaming_destination(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_DescribeKinesisStreamingDestination' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.describe_kinesis_streaming_destination(json)
    IS 'DescribeKinesisStreamingDestination: where changes are sent; nowhere.
In: {"TableName"}
Out: {"TableName", "KinesisDataStreamDestinations": []}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.describe_limits(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_DescribeLimits' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.describe_limits(json)
    IS 'DescribeLimits: throughput quotas as the service states them.
In: {}
Out: {"AccountMaxReadCapacityUnits", ...}
Errors: SerializationException (KV002)';

CREATE FUNCTION dynamo.describe_stream(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_DescribeStream' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.describe_stream(json)
    IS 'DescribeStream: the shards of a stream.
In: {"StreamArn", "Limit", "ExclusiveStartShardId", "ShardFilter"}
Out: {"StreamDescription": {...}}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.describe_table(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_DescribeTable' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.describe_table(json)
    IS 'DescribeTable: everything known about a table.
In: {"TableName"}
Out: {"Table": {...}}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.describe_table_replica_auto_scaling(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_DescribeTableReplicaAutoScaling' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.describe_table_replica_auto_scaling(json)
    IS 'DescribeTableReplicaAutoScaling: the replicas of a table; none.
In: {"TableName"}
Out: {"TableAutoScalingDescription": {...}}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.describe_time_to_live(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_DescribeTimeToLive' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.describe_time_to_live(json)
    IS 'DescribeTimeToLive: whether items expire, and by which attribute.
In: {"TableName"}
Out: {"TimeToLiveDescription": {"TimeToLiveStatus", "AttributeName"}}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.execute_statement(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_ExecuteStatement' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.execute_statement(json)
    IS 'ExecuteStatement: run one PartiQL statement.
In: {"Statement", "Parameters": [value, ...], "Limit", "NextToken", ...}
Out: {"Items": [item, ...], "NextToken", "LastEvaluatedKey"}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003), ConditionalCheckFailedException (KV005), DuplicateItemException (KV026)';

CREATE FUNCTION dynamo.execute_transaction(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_ExecuteTransaction' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.execute_transaction(json)
    IS 'ExecuteTransaction: run up to 100 PartiQL statements on one item each, all or none of them.
In: {"TransactStatements": [{"Statement", "Parameters", ...}, ...], "ClientRequestToken"}
Out: {"Responses": [{"Item": item}, ...]}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003), TransactionCanceledException (KV021), TransactionInProgressException (KV022), IdempotentParameterMismatchException (KV023)';

CREATE FUNCTION dynamo.get_item(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_GetItem' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.get_item(json)
    IS 'GetItem: read the item under a key.
In: {"TableName", "Key", "ProjectionExpression", ...}
Out: {"Item": item}, without Item if there is none
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.get_records(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_GetRecords' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.get_records(json)
    IS 'GetRecords: the next changes of a shard; up to 1,000, up to 1 MB. Reads what is committed now, whatever the isolation level.
In: {"ShardIterator", "Limit"}
Out: {"Records": [...], "NextShardIterator"}; without NextShardIterator the shard has ended
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003), ExpiredIteratorException (KV027), TrimmedDataAccessException (KV028)';

CREATE FUNCTION dynamo.get_resource_policy(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_GetResourcePolicy' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.get_resource_policy(json)
    IS 'GetResourcePolicy: the policy of a table or a stream, and its revision.
In: {"ResourceArn"}
Out: {"Policy", "RevisionId"}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003), PolicyNotFoundException (KV025)';

CREATE FUNCTION dynamo.get_shard_iterator(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_GetShardIterator' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.get_shard_iterator(json)
    IS 'GetShardIterator: where to begin to read a shard; good for 15 minutes.
In: {"StreamArn", "ShardId", "ShardIteratorType", "SequenceNumber", "Timestamp"}
Out: {"ShardIterator"}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003), TrimmedDataAccessException (KV028)';

CREATE FUNCTION dynamo.list_backups(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_ListBackups' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.list_backups(json)
    IS 'ListBackups: backups; there are none.
In: {"TableName", "Limit", ...}
Out: {"BackupSummaries": []}
Errors: ValidationException (KV001), SerializationException (KV002)';

CREATE FUNCTION dynamo.list_contributor_insights(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_ListContributorInsights' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.list_contributor_insights(json)
    IS 'ListContributorInsights: tables with insights; there are none.
In: {"TableName", ...}
Out: {"ContributorInsightsSummaries": []}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.list_exports(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_ListExports' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.list_exports(json)
    IS 'ListExports: exports; there are none.
In: {"TableArn", "MaxResults", ...}
Out: {"ExportSummaries": []}
Errors: ValidationException (KV001), SerializationException (KV002)';

CREATE FUNCTION dynamo.list_global_tables(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_ListGlobalTables' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.list_global_tables(json)
    IS 'ListGlobalTables: global tables; there are none.
In: {"Limit", ...}
Out: {"GlobalTables": []}
Errors: ValidationException (KV001), SerializationException (KV002)';

CREATE FUNCTION dynamo.list_imports(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_ListImports' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.list_imports(json)
    IS 'ListImports: imports; there are none.
In: {"TableArn", "PageSize", ...}
Out: {"ImportSummaryList": []}
Errors: ValidationException (KV001), SerializationException (KV002)';

CREATE FUNCTION dynamo.list_streams(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_ListStreams' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.list_streams(json)
    IS 'ListStreams: the streams that can be read, of all tables or of one.
In: {"TableName", "Limit", "ExclusiveStartStreamArn"}
Out: {"Streams": [...], "LastEvaluatedStreamArn"}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.list_tables(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_ListTables' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.list_tables(json)
    IS 'ListTables: table names in byte order, up to 100 a call.
In: {"ExclusiveStartTableName", "Limit"}
Out: {"TableNames": [...], "LastEvaluatedTableName"}
Errors: ValidationException (KV001), SerializationException (KV002)';

CREATE FUNCTION dynamo.list_tags_of_resource(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_ListTagsOfResource' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.list_tags_of_resource(json)
    IS 'ListTagsOfResource: the tags of a table, 10 a call.
In: {"ResourceArn", "NextToken"}
Out: {"Tags": [...], "NextToken"}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.put_item(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_PutItem' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.put_item(json)
    IS 'PutItem: insert or replace an item.
In: {"TableName", "Item", "ConditionExpression", ...}
Out: {"Attributes": item, ...} as ReturnValues asks
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003), ConditionalCheckFailedException (KV005)';

CREATE FUNCTION dynamo.put_resource_policy(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_PutResourcePolicy' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.put_resource_policy(json)
    IS 'PutResourcePolicy: say who else may do what with a table or a stream.
In: {"ResourceArn", "Policy", "ExpectedRevisionId", "ConfirmRemoveSelfResourceAccess"}
Out: {"RevisionId"}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003), PolicyNotFoundException (KV025)';

CREATE FUNCTION dynamo.query(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_Query' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.query(json)
    IS 'Query: one page of a partition of a table or an index in sort-key order.
In: {"TableName", "KeyConditionExpression", "ExpressionAttributeValues", ...}
Out: {"Items": [...], "Count", "ScannedCount", "LastEvaluatedKey"}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.scan(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_Scan' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.scan(json)
    IS 'Scan: one page of a table or an index, or of one segment of it.
In: {"TableName", "FilterExpression", "Segment", "TotalSegments", ...}
Out: {"Items": [...], "Count", "ScannedCount", "LastEvaluatedKey"}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.tag_resource(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_TagResource' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.tag_resource(json)
    IS 'TagResource: add tags to a table, or change their values.
In: {"ResourceArn", "Tags": [{"Key", "Value"}, ...]}
Out: nothing
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.transact_get_items(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_TransactGetItems' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.transact_get_items(json)
    IS 'TransactGetItems: read up to 100 items of one or more tables as of one moment.
In: {"TransactItems": [{"Get": {"TableName", "Key", "ProjectionExpression"}}, ...]}
Out: {"Responses": [{"Item": item} | {}, ...]}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003), TransactionCanceledException (KV021)';

CREATE FUNCTION dynamo.transact_write_items(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_TransactWriteItems' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.transact_write_items(json)
    IS 'TransactWriteItems: up to 100 writes and checks of one or more tables, all or none.
In: {"TransactItems": [{"Put" | "Update" | "Delete" | "ConditionCheck": {...}}, ...], "ClientRequestToken"}
Out: {}, with ConsumedCapacity if asked for
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003), TransactionCanceledException (KV021), IdempotentParameterMismatchException (KV023)';

CREATE FUNCTION dynamo.untag_resource(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_UntagResource' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.untag_resource(json)
    IS 'UntagResource: remove tags from a table.
In: {"ResourceArn", "TagKeys": [...]}
Out: nothing
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

CREATE FUNCTION dynamo.update_item(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_UpdateItem' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.update_item(json)
    IS 'UpdateItem: change attributes of an item, creating it if need be.
In: {"TableName", "Key", "UpdateExpression", ...}
Out: {"Attributes": item, ...} as ReturnValues asks
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003), ConditionalCheckFailedException (KV005)';

CREATE FUNCTION dynamo.update_table(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_UpdateTable' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.update_table(json)
    IS 'UpdateTable: change billing, throughput, class, protection, global secondary indexes.
In: {"TableName", "BillingMode", "ProvisionedThroughput", "GlobalSecondaryIndexUpdates", ...}
Out: {"TableDescription": {...}}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003), ResourceInUseException (KV004), LimitExceededException (KV007)';

CREATE FUNCTION dynamo.update_time_to_live(request json) RETURNS json
    AS 'MODULE_PATHNAME', 'dyn_sql_UpdateTimeToLive' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.update_time_to_live(json)
    IS 'UpdateTimeToLive: let items expire by an attribute, or no longer.
In: {"TableName", "TimeToLiveSpecification": {"AttributeName", "Enabled"}}
Out: {"TimeToLiveSpecification": {...}}
Errors: ValidationException (KV001), SerializationException (KV002), ResourceNotFoundException (KV003)';

-- Who may do what, and why.  A row for each decision: of a request (action is the
-- operation's name) or of an action on a resource.  It tells of others' policies
-- and tables, so it is for administrators.
CREATE FUNCTION dynamo.explain_access(
    role name,
    action text,
    resource text DEFAULT '*',
    request json DEFAULT NULL,
    context json DEFAULT NULL,
    session_policy text DEFAULT NULL,
    OUT action text,
    OUT resource text,
    OUT decision text,
    OUT decided_by text,
    OUT policy text,
    OUT attached_to text,
    OUT statement text,
    OUT facts json,
    OUT depends_on text,
    OUT message text
) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'dyn_explain_access' LANGUAGE c VOLATILE;
REVOKE ALL ON FUNCTION dynamo.explain_access FROM PUBLIC;
COMMENT ON FUNCTION dynamo.explain_access(name, text, text, json, json, text)
    IS 'may a role do this, which policy says so, and by which facts: of a request of an operation, or of an action on a resource';

-- The same for SQL written by hand.  Expression values and names are the JSON
-- of the request: '{":v": {"S": "x"}}', '{"#n": "name"}'.
CREATE FUNCTION dynamo.put_item(
    table_name text,
    item dynamo.item,
    condition text DEFAULT NULL,
    expression_values json DEFAULT NULL,
    expression_names json DEFAULT NULL
) RETURNS dynamo.item
    AS 'MODULE_PATHNAME', 'dyn_sql_put_item_by_value' LANGUAGE c;
COMMENT ON FUNCTION dynamo.put_item(text, dynamo.item, text, json, json)
    IS 'insert or replace an item; returns the one it replaced, or NULL.
Errors: as put_item(json)';

CREATE FUNCTION dynamo.get_item(
    table_name text,
    key dynamo.item
) RETURNS dynamo.item
    AS 'MODULE_PATHNAME', 'dyn_sql_get_item_by_key' LANGUAGE c;
COMMENT ON FUNCTION dynamo.get_item(text, dynamo.item)
    IS 'the item under a key, or NULL.
Errors: as get_item(json)';

CREATE FUNCTION dynamo.update_item(
    table_name text,
    key dynamo.item,
    update_expression text,
    expression_values json DEFAULT NULL,
    expression_names json DEFAULT NULL,
    condition text DEFAULT NULL
) RETURNS dynamo.item
    AS 'MODULE_PATHNAME', 'dyn_sql_update_item_by_key' LANGUAGE c;
COMMENT ON FUNCTION dynamo.update_item(text, dynamo.item, text, json, json, text)
    IS 'change attributes of an item, creating it if need be; returns the new item.
Errors: as update_item(json)';

CREATE FUNCTION dynamo.delete_item(
    table_name text,
    key dynamo.item,
    condition text DEFAULT NULL,
    expression_values json DEFAULT NULL,
    expression_names json DEFAULT NULL
) RETURNS dynamo.item
    AS 'MODULE_PATHNAME', 'dyn_sql_delete_item_by_key' LANGUAGE c;
COMMENT ON FUNCTION dynamo.delete_item(text, dynamo.item, text, json, json)
    IS 'delete the item under a key; returns it, or NULL if there was none.
Errors: as delete_item(json)';

CREATE FUNCTION dynamo.query(
    table_name text,
    key_condition text,
    expression_values json DEFAULT NULL,
    expression_names json DEFAULT NULL,
    filter text DEFAULT NULL,
    index_name text DEFAULT NULL
) RETURNS SETOF dynamo.item
    AS 'MODULE_PATHNAME', 'dyn_sql_query_by_condition' LANGUAGE c;
COMMENT ON FUNCTION dynamo.query(text, text, json, json, text, text)
    IS 'all items of a partition of a table or an index that meet a key condition, in sort-key order, however many pages they are.
Errors: as query(json)';

CREATE FUNCTION dynamo.scan(
    table_name text,
    filter text,
    expression_values json DEFAULT NULL,
    expression_names json DEFAULT NULL,
    index_name text DEFAULT NULL
) RETURNS SETOF dynamo.item
    AS 'MODULE_PATHNAME', 'dyn_sql_scan_by_filter' LANGUAGE c;
COMMENT ON FUNCTION dynamo.scan(text, text, json, json, text)
    IS 'all items of a table or an index that meet a filter (NULL: all), however many pages they are.
Errors: as scan(json)';

CREATE FUNCTION dynamo.stream_records(
    table_name text,
    after text DEFAULT NULL,
    max_records integer DEFAULT 1000,
    OUT sequence_number text,
    OUT shard_id text,
    OUT event_name text,
    OUT created timestamptz,
    OUT keys dynamo.item,
    OUT new_image dynamo.item,
    OUT old_image dynamo.item,
    OUT by_time_to_live boolean
) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'dyn_sql_stream_records' LANGUAGE c VOLATILE;
COMMENT ON FUNCTION dynamo.stream_records(text, text, integer)
    IS 'the changes in a table''s latest stream behind a sequence number (NULL: all that are kept), in their order; what is behind a transaction that is still open comes later. max_records NULL: all.
Errors: ResourceNotFoundException (KV003), ValidationException (KV001), TrimmedDataAccessException (KV028)';

CREATE FUNCTION dynamo.notify_stream(table_name text, enabled boolean DEFAULT true) RETURNS void
    AS 'MODULE_PATHNAME', 'dyn_sql_notify_stream' LANGUAGE c STRICT;
COMMENT ON FUNCTION dynamo.notify_stream(text, boolean)
    IS 'let a table''s stream tell of new changes, by NOTIFY dynamo_stream with its ARN, or no longer; takes the table''s owner.
Errors: ResourceNotFoundException (KV003)';

---------------------------------------------------------------------------
-- worker: background jobs
---------------------------------------------------------------------------

CREATE PROCEDURE dynamo.run_jobs() LANGUAGE C AS 'MODULE_PATHNAME', 'dynamo_run_jobs';
COMMENT ON PROCEDURE dynamo.run_jobs() IS
	'do what background jobs would do: make and delete indexes, delete expired items; of the tables the caller owns';

CREATE VIEW dynamo.stat_jobs WITH (security_barrier) AS
	SELECT table_name, name AS index_name, kind, created,
		CASE WHEN status = 'DELETING' THEN 'deleting'
			WHEN NOT backfilling THEN 'waiting for writers'
			WHEN blocks_done < blocks_total THEN 'backfilling'
			ELSE 'building' END AS phase,
		blocks_total, blocks_done
	FROM dynamo.indexes i WHERE status <> 'ACTIVE'
	AND (pg_catalog.pg_has_role('pg_monitor', 'USAGE') OR EXISTS (
		SELECT FROM dynamo.tables t WHERE t.name = i.table_name AND
		pg_catalog.has_table_privilege(t.relation,
			'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')))
	UNION ALL SELECT name, NULL, 'ENCRYPTION', created,
		CASE sealing WHEN 'ENABLING' THEN 'sealing' ELSE 'opening' END, NULL, NULL
	FROM dynamo.tables WHERE sealing <> 'ENABLED'
	AND (pg_catalog.pg_has_role('pg_monitor', 'USAGE') OR
		pg_catalog.has_table_privilege(relation,
			'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'));
COMMENT ON VIEW dynamo.stat_jobs IS 'indexes that are being made or deleted, and tables whose encryption is being switched on or off';
GRANT SELECT ON dynamo.stat_jobs TO PUBLIC;

---------------------------------------------------------------------------
-- server: statistics
---------------------------------------------------------------------------

CREATE FUNCTION dynamo_internal.stat_operations(
  OUT operation text, OUT table_name text, OUT calls int8, OUT errors int8,
  OUT total_ms float8, OUT mean_ms float8,
  OUT p50_ms float8, OUT p90_ms float8, OUT p99_ms float8)
RETURNS SETOF record
LANGUAGE C STRICT VOLATILE AS 'MODULE_PATHNAME', 'dyn_stat_operations';

CREATE VIEW dynamo.stat_operations AS
  SELECT * FROM dynamo_internal.stat_operations();
COMMENT ON VIEW dynamo.stat_operations IS
  'requests to the endpoint and their latency, by operation and table';

CREATE FUNCTION dynamo_internal.stat_exceptions(OUT exception text, OUT answers int8)
RETURNS SETOF record
LANGUAGE C STRICT VOLATILE AS 'MODULE_PATHNAME', 'dyn_stat_exceptions';

CREATE VIEW dynamo.stat_exceptions AS
  SELECT * FROM dynamo_internal.stat_exceptions();
COMMENT ON VIEW dynamo.stat_exceptions IS
  'answers of the endpoint that were exceptions';

CREATE FUNCTION dynamo_internal.stat_workers(
  OUT worker int4, OUT pid int4, OUT started timestamptz, OUT requests int8,
  OUT rounds int8, OUT writes int8, OUT transactions int8,
  OUT transaction_ids int8, OUT reruns int8, OUT busy int8,
  OUT connections int8, OUT accepted int8, OUT refused int8,
  OUT bytes_received int8, OUT bytes_sent int8, OUT queued int8,
  OUT retrying int8, OUT held int8, OUT slices int8, OUT throttled int8,
  OUT moved int8)
RETURNS SETOF record
LANGUAGE C STRICT VOLATILE AS 'MODULE_PATHNAME', 'dyn_stat_workers';

CREATE VIEW dynamo.stat_workers AS
  SELECT * FROM dynamo_internal.stat_workers();
COMMENT ON VIEW dynamo.stat_workers IS
  'the HTTP workers that run, and what they have done since they started';

CREATE FUNCTION dynamo_internal.stat_ssl(
  OUT worker int4, OUT pid int4, OUT certificate_expires timestamptz,
  OUT handshakes int8, OUT resumed int8, OUT failed_protocol int8,
  OUT failed_certificate int8, OUT failed_closed int8, OUT failed_timeout int8,
  OUT failed_plain int8)
RETURNS SETOF record
LANGUAGE C STRICT VOLATILE AS 'MODULE_PATHNAME', 'dyn_stat_ssl';

CREATE VIEW dynamo.stat_ssl AS
  SELECT * FROM dynamo_internal.stat_ssl();
COMMENT ON VIEW dynamo.stat_ssl IS
  'TLS of each HTTP worker since it started: handshakes, and why others failed';

CREATE FUNCTION dynamo_internal.stat_limits(
  OUT worker int4, OUT pid int4, OUT refused int8, OUT refused_address int8,
  OUT timeouts_idle int8, OUT timeouts_request int8, OUT timeouts_answer int8,
  OUT failed_signatures int8, OUT slowed int8)
RETURNS SETOF record
LANGUAGE C STRICT VOLATILE AS 'MODULE_PATHNAME', 'dyn_stat_limits';

CREATE VIEW dynamo.stat_limits AS
  SELECT * FROM dynamo_internal.stat_limits();
COMMENT ON VIEW dynamo.stat_limits IS
  'how often each HTTP worker has refused, closed or slowed down a client since it started';

CREATE FUNCTION dynamo_internal.stat_addresses(
  OUT address inet, OUT connections int4, OUT slow bool)
RETURNS SETOF record
LANGUAGE C STRICT VOLATILE AS 'MODULE_PATHNAME', 'dyn_stat_addresses';

CREATE VIEW dynamo.stat_addresses AS
  SELECT * FROM dynamo_internal.stat_addresses();
COMMENT ON VIEW dynamo.stat_addresses IS
  'addresses of clients (a /64 of IPv6 is one): connections, and whether they are slowed down for failed signatures';

CREATE FUNCTION dynamo_internal.stat_flush(
  OUT flusher_pid int4, OUT wanted_lsn pg_lsn, OUT done_lsn pg_lsn,
  OUT flushes int8, OUT flush_ms float8, OUT flush_p99_ms float8,
  OUT inline_flushes int8, OUT held_replies int8, OUT held_ms float8,
  OUT held_p99_ms float8)
RETURNS SETOF record
LANGUAGE C STRICT VOLATILE AS 'MODULE_PATHNAME', 'dyn_stat_flush';

CREATE VIEW dynamo.stat_flush AS
  SELECT * FROM dynamo_internal.stat_flush();
COMMENT ON VIEW dynamo.stat_flush IS
  'the group flush: how often, how long, and the replies that waited for it';

CREATE FUNCTION dynamo_internal.stat_time_to_live(
  OUT table_name text, OUT deleted int8, OUT lag_seconds int8, OUT swept timestamptz)
RETURNS SETOF record
LANGUAGE C STRICT VOLATILE AS 'MODULE_PATHNAME', 'dyn_stat_time_to_live';

CREATE VIEW dynamo.stat_time_to_live AS
  SELECT * FROM dynamo_internal.stat_time_to_live();
COMMENT ON VIEW dynamo.stat_time_to_live IS
  'tables with time to live: items deleted, how long ago the oldest expired item that is still there expired, and when that was looked at';

CREATE FUNCTION dynamo.stat_reset() RETURNS void
LANGUAGE C STRICT VOLATILE AS 'MODULE_PATHNAME', 'dyn_stat_reset';
COMMENT ON FUNCTION dynamo.stat_reset() IS
  'set the figures of stat_operations, stat_exceptions and stat_flush to zero';

REVOKE ALL ON FUNCTION dynamo_internal.stat_operations(), dynamo_internal.stat_exceptions(),
  dynamo_internal.stat_workers(), dynamo_internal.stat_ssl(), dynamo_internal.stat_limits(),
  dynamo_internal.stat_addresses(), dynamo_internal.stat_flush(),
  dynamo_internal.stat_time_to_live(), dynamo.stat_reset()
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dynamo_internal.stat_operations(), dynamo_internal.stat_exceptions(),
  dynamo_internal.stat_workers(), dynamo_internal.stat_ssl(), dynamo_internal.stat_limits(),
  dynamo_internal.stat_addresses(), dynamo_internal.stat_flush(),
  dynamo_internal.stat_time_to_live()
  TO pg_monitor;
GRANT SELECT ON dynamo.stat_operations, dynamo.stat_exceptions,
  dynamo.stat_workers, dynamo.stat_ssl, dynamo.stat_limits, dynamo.stat_addresses, dynamo.stat_flush, dynamo.stat_time_to_live TO pg_monitor;
GRANT USAGE ON SCHEMA dynamo, dynamo_internal TO pg_monitor;

-- What is for our own code and tests does not check what it is given.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA dynamo_internal FROM PUBLIC;
-- But this one runs wherever a table's key index is made.
GRANT EXECUTE ON FUNCTION dynamo_internal.shorten_key(bytea) TO PUBLIC;
