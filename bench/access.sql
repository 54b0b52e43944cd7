-- What it costs to ask whether a GetItem is allowed: microseconds of dynamo.get_item() as a role with a privilege and no policy,
-- with a policy of ten statements that a plain one of allows it, with both, and with ten of which the one that allows it has
-- conditions on LeadingKeys, Attributes and Select (so it is decided anew each time).  The smallest of many rounds in turns:
-- the others on the machine only add.  In a database without tables of this name; as a superuser.
\set QUIET on
\pset footer off
SET client_min_messages = warning;
BEGIN;
CREATE ROLE bench_granted;
CREATE ROLE bench_policy;
CREATE ROLE bench_both;
CREATE ROLE bench_conditions;
SELECT dynamo.create_table('{"TableName": "bench-access", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}') \g /dev/null
SELECT dynamo.put_item('bench-access', '{"p": {"S": "bench_conditions"}, "n": {"N": "1"}}') \g /dev/null
GRANT SELECT ON dynamo_data."bench-access" TO bench_granted, bench_both;
SELECT dynamo.put_policy(name, '{"Version": "2012-10-17", "Statement": [
	{"Effect": "Allow", "Action": ["dynamodb:ListTables", "dynamodb:DescribeTable"], "Resource": "*"},
	{"Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:UpdateItem"], "Resource": "arn:aws:dynamodb:*:*:table/orders"},
	{"Effect": "Allow", "Action": "dynamodb:Query", "Resource": ["arn:aws:dynamodb:*:*:table/orders", "arn:aws:dynamodb:*:*:table/orders/index/*"]},
	{"Effect": "Deny", "Action": "dynamodb:DeleteTable", "Resource": "*"},
	{"Effect": "Allow", "Action": "dynamodb:Batch*", "Resource": "arn:aws:dynamodb:*:*:table/shop-*"},
	{"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": "arn:aws:dynamodb:*:*:table/shop-*"},
	{"Effect": "Deny", "Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:*:*:table/secret-*"},
	{"Effect": "Allow", "Action": "dynamodb:Describe*", "Resource": "*"},
	{"Effect": "Allow", "Action": "dynamodb:GetRecords", "Resource": "*"},
	{"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": "arn:aws:dynamodb:*:*:table/bench-access"' || condition || '}]}')
FROM (VALUES ('bench-plain', ''), ('bench-conditions', ', "Condition": {
	"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["${aws:username}"], "dynamodb:Attributes": ["p", "n"]},
	"StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}}')) policies(name, condition) \g /dev/null
SELECT dynamo.attach_policy('bench_policy', 'bench-plain'), dynamo.attach_policy('bench_both', 'bench-plain'),
	dynamo.attach_policy('bench_conditions', 'bench-conditions') \g /dev/null
CREATE FUNCTION pg_temp.gets(n integer) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	begun timestamptz := clock_timestamp();
	request json := '{"TableName": "bench-access", "Key": {"p": {"S": "bench_conditions"}}, "ProjectionExpression": "n"}';
BEGIN
	FOR i IN 1..n LOOP
		PERFORM dynamo.get_item(request);
	END LOOP;
	RETURN extract(epoch FROM clock_timestamp() - begun) * 1e6 / n;
END $$;
CREATE TEMP TABLE measured (who name, cost float8);
DO $$
DECLARE
	who name;
	cost float8;
BEGIN
	FOR round IN 1..40 LOOP
		FOREACH who IN ARRAY '{bench_granted,bench_policy,bench_both,bench_conditions}'::name[] LOOP
			EXECUTE format('SET LOCAL ROLE %I', who);
			PERFORM pg_temp.gets(100);
			cost := pg_temp.gets(5000);
			RESET ROLE;
			INSERT INTO measured VALUES (who, cost);
		END LOOP;
	END LOOP;
END $$;
SELECT who, round(min(cost)::numeric, 2) AS microseconds,
	round((min(cost) - first_value(min(cost)) OVER (ORDER BY who = 'bench_granted' DESC))::numeric, 2) AS more
FROM measured GROUP BY who ORDER BY who = 'bench_granted' DESC, 2;
ROLLBACK;
