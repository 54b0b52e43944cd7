-- What a decision costs: an identity policy of ten statements, asked of a table that a condition on LeadingKeys is about, of one
-- that a plain statement names, and of no policy at all.  Microseconds.
\pset footer off
CREATE TEMP TABLE asked AS SELECT name, json_build_object('identity', documents) AS policies, json_build_object('action', 'dynamodb:GetItem',
	'resource', 'arn:aws:dynamodb:us-east-1:000000000000:table/' || table_name, 'context', '{"aws:userid": "AIDAEXAMPLE", "dynamodb:LeadingKeys": ["AIDAEXAMPLE"]}'::json) AS request
FROM json_build_array('{"Version": "2012-10-17", "Statement": [
	{"Effect": "Allow", "Action": ["dynamodb:ListTables", "dynamodb:DescribeLimits", "dynamodb:DescribeEndpoints"], "Resource": "*"},
	{"Effect": "Allow", "Action": ["dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:ListTagsOfResource"], "Resource": "arn:aws:dynamodb:*:*:table/*"},
	{"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchGetItem"],
		"Resource": ["arn:aws:dynamodb:us-east-1:000000000000:table/orders", "arn:aws:dynamodb:us-east-1:000000000000:table/orders/index/*"]},
	{"Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"], "Resource": "arn:aws:dynamodb:*:*:table/orders*"},
	{"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"], "Resource": "arn:aws:dynamodb:us-east-1:*:table/profiles-*",
		"Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["${aws:userid}"]}}},
	{"Effect": "Allow", "Action": ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"], "Resource": "arn:aws:dynamodb:*:*:table/orders/stream/*"},
	{"Effect": "Deny", "Action": ["dynamodb:DeleteTable", "dynamodb:DeleteBackup"], "Resource": "*"},
	{"Effect": "Deny", "Action": "dynamodb:*", "Resource": ["arn:aws:dynamodb:*:*:table/audit", "arn:aws:dynamodb:*:*:table/audit/*"]},
	{"Effect": "Deny", "NotAction": "dynamodb:Describe*", "Resource": "arn:aws:dynamodb:*:*:table/secret-*"},
	{"Effect": "Allow", "Action": "dynamodb:*Get*", "Resource": "arn:aws:dynamodb:*:*:table/report-????"}]}') documents,
	(VALUES ('LeadingKeys', 'profiles-eu'), ('plain', 'orders')) tables(name, table_name)
UNION ALL SELECT 'no policies', '{}', '{}';
SELECT name, round(min(cost)::numeric, 3) AS microseconds, dynamo_internal.decide(policies, request) ~ '^allow' AS allowed
FROM asked, generate_series(1, 7) n, LATERAL (SELECT dynamo_internal.decide_cost(policies, request, 1000000 + n * 0) AS cost) c
GROUP BY name, 3 ORDER BY 2 DESC;
