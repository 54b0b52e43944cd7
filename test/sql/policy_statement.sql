-- Which statements are about a request: its action, its resource, who asks; and what a policy says of it.
\pset format unaligned
\pset tuples_only on

-- Actions: what a statement says, what is asked for, whether that is meant.
CREATE FUNCTION pg_temp.action_meant(part text, action text) RETURNS boolean LANGUAGE sql AS $$
	SELECT dynamo_internal.evaluate_policy('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Resource": "*", ' || part || '}}',
		'identity', json_build_object('action', action)) <> 'none'
$$;
CREATE TEMP TABLE actions (part text, action text, expected boolean);
INSERT INTO actions VALUES
('"Action": "dynamodb:GetItem"', 'dynamodb:GetItem', true),
('"Action": "dynamodb:GetItem"', 'dynamodb:GetItems', false),
('"Action": "dynamodb:GetItem"', 'dynamodb:BatchGetItem', false),
('"Action": "DYNAMODB:getITEM"', 'dynamodb:GetItem', true),
('"Action": "*"', 'dynamodb:GetItem', true),
('"Action": "dynamodb:*"', 'dynamodb:GetItem', true),
('"Action": "dynamodb:*"', 'sts:AssumeRole', false),
('"Action": "dynamodb:get*"', 'dynamodb:GetItem', true),
('"Action": "dynamodb:*Item"', 'dynamodb:BatchGetItem', true),
('"Action": "dynamodb:*Item"', 'dynamodb:Query', false),
('"Action": "dynamodb:?etItem"', 'dynamodb:GetItem', true),
('"Action": "dynamodb:?etItem"', 'dynamodb:BatchGetItem', false),
('"Action": "dynamodb:*e*t*m"', 'dynamodb:GetItem', true),
('"Action": "dynamodb:"', 'dynamodb:GetItem', false),
('"Action": "s3:GetItem"', 'dynamodb:GetItem', false),
('"Action": ["dynamodb:Query", "dynamodb:Scan", "dynamodb:G*"]', 'dynamodb:GetItem', true),
('"Action": ["dynamodb:Query", "dynamodb:Scan"]', 'dynamodb:Scan', true),
('"Action": ["dynamodb:Query", "dynamodb:Scan"]', 'dynamodb:GetItem', false),
('"NotAction": "dynamodb:GetItem"', 'dynamodb:GetItem', false),
('"NotAction": "dynamodb:GetItem"', 'dynamodb:PutItem', true),
('"NotAction": ["dynamodb:Put*", "dynamodb:GetItem"]', 'dynamodb:PutItem', false),
('"NotAction": "*"', 'dynamodb:PutItem', false);
SELECT meant, expected, part, action FROM actions, pg_temp.action_meant(part, action) meant WHERE meant IS DISTINCT FROM expected;
-- Every action beside every other: each means itself only.
WITH all_actions AS (SELECT 'dynamodb:' || unnest(ARRAY['BatchGetItem', 'BatchWriteItem', 'ConditionCheckItem', 'CreateBackup', 'CreateTable', 'DeleteItem', 'DeleteResourcePolicy',
	'DeleteTable', 'DescribeStream', 'DescribeTable', 'DescribeTimeToLive', 'GetItem', 'GetRecords', 'GetResourcePolicy', 'GetShardIterator', 'ListStreams', 'ListTables',
	'ListTagsOfResource', 'PartiQLDelete', 'PartiQLInsert', 'PartiQLSelect', 'PartiQLUpdate', 'PutItem', 'PutResourcePolicy', 'Query', 'Scan', 'TagResource', 'UntagResource',
	'UpdateItem', 'UpdateTable', 'UpdateTimeToLive']) AS action)
SELECT a.action, b.action FROM all_actions a, all_actions b
WHERE pg_temp.action_meant(format('"Action": "%s"', a.action), b.action) <> (a.action = b.action);

-- Resources, for a request of user bob.
CREATE FUNCTION pg_temp.resource_meant(part text, resource text, effect text DEFAULT 'Allow') RETURNS text LANGUAGE sql AS $$
	SELECT split_part(dynamo_internal.evaluate_policy('{"Version": "2012-10-17", "Statement": {"Effect": "' || effect || '", "Action": "*", ' || part || '}}',
		'identity', json_build_object('resource', resource, 'context', '{"aws:username": "bob", "aws:PrincipalTag/star": "*", "aws:PrincipalAccount": "1", "aws:userid": null}'::json)), ' ', 1)
$$;
CREATE TEMP TABLE resources (part text, resource text, expected text);
INSERT INTO resources VALUES
('"Resource": "*"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": "*"', '*', 'allow'),
('"Resource": "arn:aws:dynamodb:us-east-1:1:table/t"', '*', 'none'),
('"Resource": "arn:aws:dynamodb:*:*:*"', '*', 'none'),
('"Resource": "arn:aws:dynamodb:us-east-1:1:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": "arn:aws:dynamodb:us-east-1:1:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/tt', 'none'),
('"Resource": "arn:aws:dynamodb:us-east-1:1:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/T', 'none'),
('"Resource": "arn:aws:dynamodb:us-east-1:1:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/t/index/i', 'none'),
('"Resource": "arn:aws:dynamodb:us-east-1:1:table/t*"', 'arn:aws:dynamodb:us-east-1:1:table/t/index/i', 'allow'),
('"Resource": "arn:aws:dynamodb:us-east-1:1:table/*"', 'arn:aws:dynamodb:us-east-1:1:table/t/stream/2026-01-01T00:00:00.000', 'allow'),
('"Resource": "arn:aws:dynamodb:us-east-1:1:table/*/index/i"', 'arn:aws:dynamodb:us-east-1:1:table/t/index/i', 'allow'),
('"Resource": "arn:aws:dynamodb:us-east-1:1:table/*/index/i"', 'arn:aws:dynamodb:us-east-1:1:table/t/index/j', 'none'),
('"Resource": "arn:aws:dynamodb:us-east-1:1:table/t?"', 'arn:aws:dynamodb:us-east-1:1:table/t1', 'allow'),
('"Resource": "arn:aws:dynamodb:us-east-1:1:table/t?"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none'),
-- before the fifth colon, wildcards stay in their segment, unless a "*" ends it
('"Resource": "arn:aws:dynamodb:*:*:table/t"', 'arn:aws:dynamodb:eu-west-1:2:table/t', 'allow'),
('"Resource": "arn:aws:dynamodb:*:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": "arn:aws:dynamodb:us-*:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": "arn:aws:dynamodb:us-**:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": "arn:aws:dynamodb:us-*1:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none'),
('"Resource": "arn:aws:dynamodb:us-*1:*:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": "arn:aws:dynamodb:us-*t"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none'),
('"Resource": "arn:aws:dynamodb:us-east-1?1:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none'),
('"Resource": "arn:aws:dynamodb:*:b*c:table/t"', 'arn:aws:dynamodb:x:bz:bc:table/t', 'allow'),
('"Resource": "arn:aws:dynamodb:us-east-1:1:table/t*x"', 'arn:aws:dynamodb:us-east-1:1:table/t:a:x', 'allow'),
('"Resource": "arn:aws:dynamodb:us-east-1:1:table/t?x"', 'arn:aws:dynamodb:us-east-1:1:table/t:x', 'allow'),
('"Resource": "arn:aws:dynamodb:us-*-1:1:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": "arn:aws:dynamodb:us-east-1:?:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": "arn:aws:dynamodb:us-east-1:?:table/t"', 'arn:aws:dynamodb:us-east-1:11:table/t', 'none'),
('"Resource": "arn:*:dynamodb:us-east-1:1:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": "arn:aws:s3:*:*:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none'),
-- segments left out at the end are any
('"Resource": "arn:aws:dynamodb"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": "arn:aws:dynamodb:us-east-1"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": "arn:aws:dynamodb:us-east"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none'),
('"Resource": "arn:aws:dynamodb:us-west-1:*"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none'),
-- several; and all others
('"Resource": ["arn:aws:dynamodb:*:*:table/a", "arn:aws:dynamodb:*:*:table/t"]', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": ["arn:aws:dynamodb:*:*:table/a", "arn:aws:dynamodb:*:*:table/b"]', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none'),
('"NotResource": ["arn:aws:dynamodb:*:*:table/a", "arn:aws:dynamodb:*:*:table/t"]', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none'),
('"NotResource": ["arn:aws:dynamodb:*:*:table/a", "arn:aws:dynamodb:*:*:table/b"]', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"NotResource": "*"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none'),
-- variables
('"Resource": "arn:aws:dynamodb:*:*:table/${aws:username}"', 'arn:aws:dynamodb:us-east-1:1:table/bob', 'allow'),
('"Resource": "arn:aws:dynamodb:*:*:table/${aws:username}"', 'arn:aws:dynamodb:us-east-1:1:table/bobby', 'none'),
('"Resource": "arn:aws:dynamodb:*:*:table/${aws:username}-*"', 'arn:aws:dynamodb:us-east-1:1:table/bob-1', 'allow'),
('"Resource": "arn:aws:dynamodb:*:${aws:PrincipalAccount}:table/t"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": "arn:aws:dynamodb:*:${aws:PrincipalAccount}:table/t"', 'arn:aws:dynamodb:us-east-1:2:table/t', 'none'),
('"Resource": "arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/star}"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none'),
('"Resource": "arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/none}"', 'arn:aws:dynamodb:us-east-1:1:table/', 'none'),
('"Resource": ["arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/none}", "*"]', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": "arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/none, ''t''}"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
('"Resource": "arn:aws:dynamodb:*:*:table/${aws:userid}"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'depends'),
('"Resource": "arn:aws:dynamodb:us-west-1:*:table/${aws:userid}"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none'),
('"Resource": ["arn:aws:dynamodb:*:*:table/${aws:userid}", "arn:aws:dynamodb:*:*:table/t"]', 'arn:aws:dynamodb:us-east-1:1:table/t', 'allow'),
-- a variable without a value: nobody knows what is left out
('"NotResource": "arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/none}"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none'),
('"NotResource": ["arn:aws:dynamodb:*:*:table/a", "arn:aws:dynamodb:us-west-1:*:table/${aws:PrincipalTag/none}"]', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none'),
('"NotResource": "arn:aws:dynamodb:*:*:table/${aws:userid}"', 'arn:aws:dynamodb:us-east-1:1:table/t', 'depends'),
('"NotResource": ["arn:aws:dynamodb:*:*:table/${aws:userid}", "arn:aws:dynamodb:*:*:table/t"]', 'arn:aws:dynamodb:us-east-1:1:table/t', 'none');
SELECT meant, expected, part, resource FROM resources, pg_temp.resource_meant(part, resource) meant WHERE meant IS DISTINCT FROM expected;

-- Who asks: user a, role r by itself (in SQL), and session s of role r, all of account 000000000001, here 1.
CREATE FUNCTION pg_temp.named(part text, who text) RETURNS text LANGUAGE sql AS $$
	SELECT split_part(dynamo_internal.evaluate_policy('{"Version": "2012-10-17", "Statement": {"Action": "*", "Resource": "*", ' || replace(part, '::1:', '::000000000001:') || '}}', 'resource',
		replace(CASE who WHEN 'user' THEN '{"account": "000000000001", "principal": "arn:aws:iam::1:user/a"}'
		WHEN 'role' THEN '{"account": "000000000001", "principal": "arn:aws:iam::1:role/r"}'
		ELSE '{"account": "000000000001", "principal": "arn:aws:sts::1:assumed-role/r/s", "role": "arn:aws:iam::1:role/r"}' END, '::1:', '::000000000001:')::json), ' ', 1)
$$;
CREATE TEMP TABLE principals (part text, by_user text, by_role text, by_session text);
INSERT INTO principals VALUES
('"Effect": "Allow", "Principal": "*"', 'allow', 'allow', 'allow'),
('"Effect": "Allow", "Principal": {"AWS": "*"}', 'allow', 'allow', 'allow'),
('"Effect": "Allow", "Principal": {"AWS": "000000000001"}', 'allow', 'allow', 'allow'),
('"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}', 'allow', 'allow', 'allow'),
('"Effect": "Allow", "Principal": {"AWS": "000000000002"}', 'none', 'none', 'none'),
('"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:user/a"}', 'allow', 'none', 'none'),
('"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:user/A"}', 'none', 'none', 'none'),
('"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:role/r"}', 'none', 'allow', 'allow'),
('"Effect": "Allow", "Principal": {"AWS": "arn:aws:sts::1:assumed-role/r/s"}', 'none', 'none', 'allow'),
('"Effect": "Allow", "Principal": {"AWS": "arn:aws:sts::1:assumed-role/r/t"}', 'none', 'none', 'none'),
('"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::1:user/b", "arn:aws:iam::1:user/a"]}', 'allow', 'none', 'none'),
('"Effect": "Allow", "Principal": {"Service": "*"}', 'none', 'none', 'none'),
('"Effect": "Allow", "Principal": {"Service": "arn:aws:iam::1:user/a", "Federated": "000000000001"}', 'none', 'none', 'none'),
('"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::1:role/r"}', 'none', 'deny', 'deny'),
('"Effect": "Deny", "Principal": {"AWS": "000000000001"}', 'deny', 'deny', 'deny'),
-- who is exempt must be named himself
('"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::1:user/a"}', 'none', 'deny', 'deny'),
('"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::1:root"}', 'deny', 'deny', 'deny'),
('"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::1:role/r"}', 'deny', 'none', 'deny'),
('"Effect": "Deny", "NotPrincipal": {"AWS": ["arn:aws:sts::1:assumed-role/r/s", "arn:aws:iam::1:role/r"]}', 'deny', 'none', 'none'),
('"Effect": "Deny", "NotPrincipal": {"Service": "*"}', 'deny', 'deny', 'deny'),
('"Effect": "Deny", "NotPrincipal": "*"', 'none', 'none', 'none');
SELECT part, by_user, a, by_role, r, by_session, s
FROM principals, pg_temp.named(part, 'user') a, pg_temp.named(part, 'role') r, pg_temp.named(part, 'session') s
WHERE (a, r, s) IS DISTINCT FROM (by_user, by_role, by_session);
SELECT (SELECT count(*) FROM actions) + (SELECT count(*) FROM resources) + (SELECT count(*) FROM principals) * 3 || ' rows';

-- Several statements: "allow", "deny" and "depends" apply; the number is that of the statement that decides.
CREATE FUNCTION pg_temp.statements(VARIADIC effects text[]) RETURNS text LANGUAGE sql AS $$
	SELECT dynamo_internal.evaluate_policy('{"Version": "2012-10-17", "Statement": [' || string_agg('{"Action": "*", "Resource": "*", ' || CASE effect
		WHEN 'allow' THEN '"Effect": "Allow"' WHEN 'deny' THEN '"Effect": "Deny"' WHEN 'nothing' THEN '"Effect": "Deny", "Condition": {"Null": {"aws:username": "false"}}'
		WHEN 'allow?' THEN '"Effect": "Allow", "Condition": {"StringEquals": {"aws:userid": "x"}}' WHEN 'deny?' THEN '"Effect": "Deny", "Condition": {"StringEquals": {"aws:userid": "x"}}'
		END || '}', ', ' ORDER BY n) || ']}', 'identity', '{"context": {"aws:userid": null}}') FROM unnest(effects) WITH ORDINALITY AS x(effect, n)
$$;
SELECT array_to_string(effects, ' ') || ': ' || pg_temp.statements(VARIADIC effects) FROM (VALUES
	(1, ARRAY['nothing']), (2, ARRAY['allow']), (3, ARRAY['deny']), (4, ARRAY['allow?']), (5, ARRAY['deny?']),
	(6, ARRAY['allow', 'deny']), (7, ARRAY['deny', 'allow']), (8, ARRAY['nothing', 'allow', 'allow']), (9, ARRAY['allow?', 'allow']), (10, ARRAY['allow', 'allow?']),
	(11, ARRAY['deny?', 'allow']), (12, ARRAY['allow', 'deny?']), (13, ARRAY['deny?', 'deny']), (14, ARRAY['deny', 'deny?']), (15, ARRAY['allow?', 'deny']),
	(16, ARRAY['allow', 'allow?', 'deny?', 'nothing', 'deny', 'deny'])) v(n, effects) ORDER BY n;

-- Which keys a policy looks at: in conditions and in variables, of patterns, ARNs and resources.
SELECT dynamo_internal.policy_keys('{"Version": "2012-10-17", "Statement": ' || statement || '}', 'identity') FROM (VALUES
	('{"Effect": "Allow", "Action": "*", "Resource": "*"}'),
	('{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"dynamodb:leadingkeys": "x", "aws:PrincipalTag/a": "y"}, "Null": {"s3:prefix": "true"}}}'),
	('{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:dynamodb:*:${aws:PrincipalAccount}:table/${aws:username, ''x''}", "Condition": {"StringNotLike": {"aws:userid": "${aws:ResourceTag/x}"}}}'),
	('[{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEqualsIgnoreCase": {"aws:userid": "${aws:Referer}"}}}, {"Effect": "Deny", "Action": "*", "NotResource": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:ResourceAccount}:root"}}}]'),
	('{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:userid": "${*}"}}}')) v(statement);
-- Many wildcards in a resource take no longer than few, wherever they may go.
CREATE TEMP TABLE timing AS SELECT clock_timestamp() AS start;
SELECT pg_temp.resource_meant(format('"Resource": "arn:aws:dynamodb:%s"', pattern), 'arn:aws:dynamodb:' || repeat('a', 1000) || ':' || repeat('a:', 500) || repeat('a', 1000))
FROM unnest(ARRAY[repeat('*a', 500) || 'b*a', repeat('a*', 500) || ':b*a', '*:*:*' || repeat('*a', 300) || 'b*a', repeat('*:', 400) || 'b*a', '*:a*a*a*a*:a*:a*a*:' || repeat('a*:', 100) || 'b*a']) pattern;
SELECT clock_timestamp() - start < interval '1 s' FROM timing;
-- A long action is no other.
SELECT dynamo_internal.evaluate_policy('{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:' || repeat('x', 100) || '", "Resource": "*"}, {"Effect": "Deny", "Action": "dynamodb:x*y", "Resource": "*"}]}',
	'identity', json_build_object('action', 'dynamodb:' || repeat('X', n))) FROM unnest(ARRAY[99, 100, 101]) n;
