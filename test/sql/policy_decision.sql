-- One decision from all policies, and the message of a denial.
\pset format unaligned
\pset tuples_only on

-- What each policy says: "+" allows, "-" denies, "0" says nothing, "+?" and "-?" depend on what is not known yet; NULL: there is no such policy.
CREATE FUNCTION pg_temp.document(says text, names text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT json_build_object('Version', '2012-10-17', 'Statement', jsonb_strip_nulls(jsonb_build_object(
		'Effect', CASE WHEN says LIKE '-%' THEN 'Deny' ELSE 'Allow' END,
		'Action', CASE WHEN says = '0' THEN 'sts:TagSession' WHEN names LIKE 'trust %' THEN 'sts:AssumeRole' ELSE '*' END,
		'Resource', CASE WHEN names LIKE 'trust %' THEN NULL ELSE '*' END,
		'Condition', CASE WHEN says LIKE '%?' THEN '{"StringEquals": {"dynamodb:LeadingKeys": "x"}}'::json END,
		'Principal', CASE WHEN names IS NOT NULL THEN json_build_object('AWS', CASE replace(names, 'trust ', '')
			WHEN 'user' THEN 'arn:aws:iam::000000000000:user/alice'
			WHEN 'role' THEN 'arn:aws:iam::000000000000:role/r'
			WHEN 'session' THEN 'arn:aws:sts::000000000000:assumed-role/r/s'
			WHEN 'account' THEN '000000000000'
			WHEN 'everybody' THEN '*' END) END)))::text
	WHERE says IS NOT NULL
$$;
CREATE FUNCTION pg_temp.decide(identity text, granted boolean, boundary text, session text, resource text, names text) RETURNS text LANGUAGE sql AS $$
	SELECT dynamo_internal.decide(json_build_object('identity', CASE WHEN identity IS NULL THEN '[]'::json ELSE json_build_array(pg_temp.document('0'), pg_temp.document(identity)) END,
		'granted', granted, 'boundary', pg_temp.document(boundary), 'session', pg_temp.document(session),
		CASE WHEN names LIKE 'trust %' THEN 'trust' ELSE 'resource' END, pg_temp.document(resource, COALESCE(names, 'user'))),
		(CASE WHEN names ~ 'role|session' THEN '{"principal": "arn:aws:sts::000000000000:assumed-role/r/s", "role": "arn:aws:iam::000000000000:role/r"}'::jsonb ELSE '{}'::jsonb END ||
		CASE WHEN names LIKE 'trust %' THEN '{"action": "sts:AssumeRole"}'::jsonb ELSE '{}'::jsonb END || '{"context": {"dynamodb:LeadingKeys": null}}'::jsonb)::json)
$$;

CREATE TEMP TABLE decisions (n serial, identity text, granted boolean, boundary text, session text, resource text, names text, expected text);
INSERT INTO decisions (identity, granted, boundary, session, resource, names, expected) VALUES
-- identity policies and SQL's privileges: either is enough
(NULL, false, NULL, NULL, NULL, NULL, 'deny by nobody'),
('0', false, NULL, NULL, NULL, NULL, 'deny by nobody'),
('+', false, NULL, NULL, NULL, NULL, 'allow by identity 1 statement 0'),
(NULL, true, NULL, NULL, NULL, NULL, 'allow by privileges'),
('0', true, NULL, NULL, NULL, NULL, 'allow by privileges'),
('+', true, NULL, NULL, NULL, NULL, 'allow by identity 1 statement 0'),
('-', false, NULL, NULL, NULL, NULL, 'deny by identity 1 statement 0'),
('-', true, NULL, NULL, NULL, NULL, 'deny by identity 1 statement 0'),
-- a boundary limits both
('+', false, '+', NULL, NULL, NULL, 'allow by identity 1 statement 0'),
('+', false, '0', NULL, NULL, NULL, 'deny by boundary'),
('+', false, '-', NULL, NULL, NULL, 'deny by boundary statement 0'),
('0', false, '+', NULL, NULL, NULL, 'deny by nobody'),
('0', false, '0', NULL, NULL, NULL, 'deny by nobody'),
('0', false, '-', NULL, NULL, NULL, 'deny by boundary statement 0'),
('0', true, '+', NULL, NULL, NULL, 'allow by privileges'),
('0', true, '0', NULL, NULL, NULL, 'deny by boundary'),
-- and so does a session policy
('+', false, NULL, '+', NULL, NULL, 'allow by identity 1 statement 0'),
('+', false, NULL, '0', NULL, NULL, 'deny by session'),
('+', false, NULL, '-', NULL, NULL, 'deny by session statement 0'),
('0', false, NULL, '+', NULL, NULL, 'deny by nobody'),
('+', false, '+', '+', NULL, NULL, 'allow by identity 1 statement 0'),
('+', false, '+', '0', NULL, NULL, 'deny by session'),
('+', false, '0', '+', NULL, NULL, 'deny by boundary'),
('+', false, '0', '0', NULL, NULL, 'deny by boundary'),
('+', false, '0', '-', NULL, NULL, 'deny by session statement 0'),
-- a denial has the message of the first in the order identity, boundary, session, resource
('-', false, '-', '-', '-', 'user', 'deny by identity 1 statement 0'),
('+', false, '-', '-', '-', 'user', 'deny by boundary statement 0'),
('+', false, '+', '-', '-', 'user', 'deny by session statement 0'),
('+', false, '+', '+', '-', 'user', 'deny by resource statement 0'),
-- a resource's policy that names the user: enough, and no boundary limits it
('0', false, NULL, NULL, '+', 'user', 'allow by resource statement 0'),
('+', false, NULL, NULL, '+', 'user', 'allow by identity 1 statement 0'),
('+', false, NULL, NULL, '0', 'user', 'allow by identity 1 statement 0'),
('0', false, NULL, NULL, '0', 'user', 'deny by nobody'),
('-', false, NULL, NULL, '+', 'user', 'deny by identity 1 statement 0'),
('+', false, NULL, NULL, '-', 'user', 'deny by resource statement 0'),
('0', true, NULL, NULL, '-', 'user', 'deny by resource statement 0'),
('0', false, '0', NULL, '+', 'user', 'allow by resource statement 0'),
('+', false, '0', NULL, '+', 'user', 'allow by resource statement 0'),
('0', false, '-', NULL, '+', 'user', 'deny by boundary statement 0'),
-- everybody: as if named
('0', false, '0', NULL, '+', 'everybody', 'allow by resource statement 0'),
-- a session: as a user
('0', false, '0', '0', '+', 'session', 'allow by resource statement 0'),
('0', false, '0', '-', '+', 'session', 'deny by session statement 0'),
-- the session's role: as if an identity policy of the role allowed it
('0', false, NULL, NULL, '+', 'role', 'allow by resource statement 0'),
('0', false, '+', '+', '+', 'role', 'allow by resource statement 0'),
('0', false, '0', NULL, '+', 'role', 'deny by boundary'),
('0', false, NULL, '0', '+', 'role', 'deny by session'),
('0', false, '+', '+', '-', 'role', 'deny by resource statement 0'),
-- the account: it leaves it to identity policies
('0', false, NULL, NULL, '+', 'account', 'deny by nobody'),
('+', false, NULL, NULL, '+', 'account', 'allow by identity 1 statement 0'),
('+', false, NULL, NULL, '-', 'account', 'deny by resource statement 0'),
-- AssumeRole: the trust policy must allow it; if it names the account, somebody else as well
('+', false, NULL, NULL, '0', 'trust user', 'deny by trust'),
('+', true, NULL, NULL, '0', 'trust account', 'deny by trust'),
('0', false, NULL, NULL, '+', 'trust user', 'allow by trust statement 0'),
('0', false, '0', NULL, '+', 'trust user', 'allow by trust statement 0'),
('-', false, NULL, NULL, '+', 'trust user', 'deny by identity 1 statement 0'),
('+', false, NULL, NULL, '-', 'trust user', 'deny by trust statement 0'),
('0', false, NULL, NULL, '+', 'trust account', 'deny by nobody'),
('+', false, NULL, NULL, '+', 'trust account', 'allow by trust statement 0'),
('0', true, NULL, NULL, '+', 'trust account', 'allow by trust statement 0'),
('+', false, '0', NULL, '+', 'trust account', 'deny by boundary'),
('0', false, '+', NULL, '+', 'trust role', 'allow by trust statement 0'),
('0', false, '0', NULL, '+', 'trust role', 'deny by boundary'),
('+', false, '+', '0', '+', 'trust role', 'deny by session'),
-- what is not known yet counts only where it would change something
('+?', false, NULL, NULL, NULL, NULL, 'depends by identity 1 statement 0'),
('-?', false, NULL, NULL, NULL, NULL, 'deny by nobody'),
('-?', true, NULL, NULL, NULL, NULL, 'depends by identity 1 statement 0'),
('+?', true, NULL, NULL, NULL, NULL, 'allow by privileges'),
('+?', false, '0', NULL, NULL, NULL, 'deny by boundary'),
('+?', false, '-', NULL, NULL, NULL, 'deny by boundary statement 0'),
('+?', false, NULL, '-', '+', 'session', 'deny by session statement 0'),
('+', false, '+?', NULL, NULL, NULL, 'depends by boundary statement 0'),
('0', false, '+?', NULL, NULL, NULL, 'deny by nobody'),
('+', false, '-?', NULL, NULL, NULL, 'deny by boundary'),
('+', false, '+?', '0', NULL, NULL, 'deny by session'),
('+', false, '+', '+?', NULL, NULL, 'depends by session statement 0'),
('+?', false, NULL, NULL, '+', 'user', 'allow by resource statement 0'),
('0', false, NULL, NULL, '+?', 'user', 'depends by resource statement 0'),
('+', false, NULL, NULL, '+?', 'user', 'allow by identity 1 statement 0'),
('+', false, NULL, NULL, '-?', 'user', 'depends by resource statement 0'),
('0', false, NULL, NULL, '-?', 'user', 'deny by nobody'),
('+', false, '0', NULL, '+?', 'user', 'depends by resource statement 0'),
('0', false, '0', NULL, '+?', 'role', 'deny by boundary'),
('+?', false, NULL, NULL, '+', 'trust account', 'depends by identity 1 statement 0'),
('+', false, NULL, NULL, '+?', 'trust account', 'depends by trust statement 0'),
('0', false, NULL, NULL, '+?', 'trust account', 'deny by nobody');
SELECT decision, expected, identity, granted, boundary, session, resource, names
FROM decisions, split_part(pg_temp.decide(identity, granted, boundary, session, resource, names), ': ', 1) decision
WHERE decision IS DISTINCT FROM expected ORDER BY n;
SELECT count(*) || ' decisions' FROM decisions;

-- The messages.
SELECT DISTINCT ON (d[1] COLLATE "C") d[2] FROM decisions, regexp_match(pg_temp.decide(identity, granted, boundary, session, resource, names), '^(deny by [^:]*): (.*)$') d
WHERE d IS NOT NULL ORDER BY d[1] COLLATE "C", n;

-- Of several identity policies any may allow, and any deny.
SELECT a || ' ' || b || ' ' || c || ': ' || split_part(dynamo_internal.decide(json_build_object('identity', json_build_array(pg_temp.document(a), pg_temp.document(b), pg_temp.document(c))),
	'{"context": {"dynamodb:LeadingKeys": null}}'), ': ', 1)
FROM unnest(ARRAY['0', '+', '-', '+?', '-?']) WITH ORDINALITY AS x(a, i), unnest(ARRAY['0', '+', '-', '+?', '-?']) WITH ORDINALITY AS y(b, j), unnest(ARRAY['0', '-?']) WITH ORDINALITY AS z(c, k)
ORDER BY i, j, k;
-- It takes a time that can be measured.
SELECT dynamo_internal.decide_cost('{"granted": true}', '{}', 1000) BETWEEN 0 AND 1000;
