-- Which documents are policies, and IAM's words for those that are not.
\pset format unaligned
\pset tuples_only on

-- Whole documents, as identity policies.
CREATE TEMP TABLE documents (document text, expected text);
INSERT INTO documents VALUES
('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}}', NULL),
('{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}]}', NULL),
('{"Statement": [{"Resource": "*", "Action": "dynamodb:GetItem", "Effect": "Allow"}], "Id": "x", "Version": "2012-10-17"}', NULL),
(E' \n\t{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}\n', NULL),
('{"\u0056ersion": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "dynamodb:\u0047etItem", "Resource": "*"}}', NULL),
-- not JSON, or not what IAM takes for it
('', 'Syntax errors in policy.'),
('This is not a json document', 'Syntax errors in policy.'),
('null', 'Syntax errors in policy.'),
('[]', 'Syntax errors in policy.'),
('"Version"', 'Syntax errors in policy.'),
('{}', 'Syntax errors in policy.'),
('{"Version": "2012-10-17"}', 'Syntax errors in policy.'),
('{"Version": "2012-10-17", "Statement": []}', 'Syntax errors in policy.'),
('{"Version": "2012-10-17", "Statement": ["afd"]}', 'Syntax errors in policy.'),
('{"Version": "2012-10-17", "Statement": "afd"}', 'Syntax errors in policy.'),
('{"Version": "2012-10-17", "Statement": null}', 'Syntax errors in policy.'),
('{"Version": "2012-10-17", "Statement": [[{"Effect": "Allow", "Action": "*", "Resource": "*"}]]}', 'Syntax errors in policy.'),
('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}, "Extra field": "value"}', 'Syntax errors in policy.'),
('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}} x', 'Syntax errors in policy.'),
('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},}', 'Syntax errors in policy.'),
('{"Version": "2012-10-17", "Id": ["cd3a324d"], "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}', 'Syntax errors in policy.'),
('{"Version": "2012-10-17", "statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}', 'Syntax errors in policy.'),
-- a member twice
('{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}', 'Syntax errors in policy.'),
('{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Effect": "Allow", "Action": "*", "Resource": "*"}}', 'Syntax errors in policy.'),
('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:x": "true", "aws:x": "false"}}}}', 'Syntax errors in policy.'),
-- versions
('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}', 'Policy document must be version 2012-10-17 or greater.'),
('{"Version": "2008-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}', 'Policy document must be version 2012-10-17 or greater.'),
('{"Version": "2013-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}', 'Syntax errors in policy.'),
('{"Version": 2012, "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}', 'Syntax errors in policy.'),
-- Sids
('{"Version": "2012-10-17", "Statement": [{"Sid": "a", "Effect": "Allow", "Action": "*", "Resource": "*"}, {"Sid": "b", "Effect": "Deny", "Action": "*", "Resource": "*"}]}', NULL),
('{"Version": "2012-10-17", "Statement": [{"Sid": "a", "Effect": "Allow", "Action": "*", "Resource": "*"}, {"Sid": "a", "Effect": "Deny", "Action": "*", "Resource": "*"}]}', 'Statement IDs (SID) in a single policy must be unique.'),
('{"Version": "2012-10-17", "Statement": [{"Sid": "", "Effect": "Allow", "Action": "*", "Resource": "*"}, {"Sid": "", "Effect": "Deny", "Action": "*", "Resource": "*"}]}', NULL),
-- several mistakes: which is told depends on their kinds, not on their places
('{"Version": "2012-10-17", "Statement": [{"Sid": "a", "Effect": "Allow", "Action": "*", "Resource": "*"}, {"Sid": "a", "Effect": "Allow"}]}', 'Statement IDs (SID) in a single policy must be unique.'),
('{"Version": "2012-10-17", "Statement": [{"Sid": "a", "Effect": "aLLow", "Action": "*", "Resource": "*"}, {"Sid": "a", "Effect": "Allow"}]}', 'The policy failed legacy parsing'),
('{"Statement": [{"Sid": "a", "Effect": "aLLow", "Action": "*", "Resource": "*"}, {"Sid": "a", "Effect": "Allow"}]}', 'Policy document must be version 2012-10-17 or greater.'),
('{"Version": "2012-10-17", "Statement": [{"Effect": "Deny"}, {"Effect": "Allow", "Action": "s3", "Resource": "x"}]}', 'Policy statement must contain actions.'),
('{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3", "Resource": "*"}, {"Effect": "Allow", "Action": "s3:List:Bucket", "Resource": "*"}]}', 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.');

SELECT problem, expected, document FROM documents, dynamo_internal.policy_problem(document, 'identity') problem
WHERE problem IS DISTINCT FROM expected;
SELECT count(*) || ' documents' FROM documents;

-- Statements: what is given is merged with {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}, and null takes away.
CREATE FUNCTION pg_temp.problem(part json, kind text DEFAULT 'identity', version text DEFAULT '2012-10-17') RETURNS text LANGUAGE sql AS $$
	SELECT dynamo_internal.policy_problem(json_build_object('Version', version, 'Statement',
		jsonb_strip_nulls('{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}'::jsonb || part::jsonb))::text, kind)
$$;
CREATE TEMP TABLE statements (part json, expected text);
INSERT INTO statements VALUES
-- Effect
('{"Effect": "Deny"}', NULL),
('{"Effect": null}', 'Syntax errors in policy.'),
('{"Effect": "invalid"}', 'Syntax errors in policy.'),
('{"Effect": ["Allow"]}', 'Syntax errors in policy.'),
('{"Effect": "denY"}', 'The policy failed legacy parsing'),
('{"Effect": "allow", "Resource": "arn:aws:s3:us-east-1::example"}', 'The policy failed legacy parsing'),
-- Sid
('{"Sid": "dsfsdfsdfsdfsdfsadfsd"}', NULL),
('{"Sid": {}}', 'Syntax errors in policy.'),
('{"Sid": []}', 'Syntax errors in policy.'),
('{"Sid": 1}', 'Syntax errors in policy.'),
('{"Sid": "with-dash"}', 'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*'),
-- other members
('{"Extra field": "value"}', 'Syntax errors in policy.'),
('{"action": "s3:ListBucket"}', 'Syntax errors in policy.'),
-- Principal
('{"Principal": "*"}', 'Policy document should not specify a principal.'),
('{"NotPrincipal": {"AWS": "*"}}', 'Policy document should not specify a principal.'),
-- Action
('{"Action": "*"}', NULL),
('{"Action": ["s3:ListBucket", "dynamodb:*", "*"]}', NULL),
('{"Action": null, "NotAction": "s3:ListBucket"}', NULL),
('{"Action": "iam: asdf safdsf af "}', NULL),
('{"Action": "service-prefix:action-name"}', NULL),
('{"Action": "s3.s:ListBucket"}', NULL),
('{"Action": "DynamoDB:getitem"}', NULL),
('{"Action": "invalid"}', 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'),
('{"Action": "invalid", "Resource": null}', 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'),
('{"Action": null, "NotAction": ""}', 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'),
('{"Action": "**"}', 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'),
('{"Action": "a a:ListBucket"}', 'Vendor a a is not valid'),
('{"Action": "A_b:ListBucket"}', 'Vendor A_b is not valid'),
('{"Action": "dynamo*:GetItem"}', 'Vendor dynamo* is not valid'),
('{"Action": "s3:List:Bucket"}', 'Actions/Condition can contain only one colon.'),
('{"Action": ["s3s:ListBucket", "s:3s:ListBucket"]}', 'Actions/Condition can contain only one colon.'),
('{"Action": []}', 'Policy statement must contain actions.'),
('{"Action": null}', 'Policy statement must contain actions.'),
('{"Action": null, "Resource": null}', 'Policy statement must contain actions.'),
('{"Action": {}}', 'Syntax errors in policy.'),
('{"Action": [[]]}', 'Syntax errors in policy.'),
('{"Action": 1}', 'Syntax errors in policy.'),
('{"NotAction": "iam:dsf"}', 'Syntax errors in policy.'),
('{"NotAction": "s3s:ListBucket", "Action": []}', 'Syntax errors in policy.'),
-- Resource
('{"Resource": ["arn:aws:s3:::example"]}', NULL),
('{"Resource": ["arn:aws:s3:::example", "*"]}', NULL),
('{"Resource": "arn:aws:s33:::example"}', NULL),
('{"Resource": "arn:aws:fdsasf"}', NULL),
('{"Resource": "arn:aws:dynamodb:*"}', NULL),
('{"Resource": "arn:*:dynamodb:*:*:table/*"}', NULL),
('{"Resource": "arn:aws-cn:dynamodb:*:*:table/*"}', NULL),
('{"Resource": "arn:aws:dynamodb:us-east-1:123456789012:table/t/index/i"}', NULL),
('{"Resource": "arn:aws:dynamodb:*:*:table/${aws:username}"}', NULL),
('{"Resource": "arn:aws:dynamodb:*:*:table/${aws:username, ''nobody''}-${aws:PrincipalTag/a b}${*}${$}"}', NULL),
('{"Resource": null, "NotResource": ["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"]}', NULL),
('{"Resource": null, "NotResource": "*"}', NULL),
('{"Resource": "invalid resource"}', 'Resource invalid resource must be in ARN format or "*".'),
('{"Resource": ""}', 'Resource  must be in ARN format or "*".'),
('{"Resource": "**"}', 'Resource ** must be in ARN format or "*".'),
('{"Resource": ["adf"]}', 'Resource adf must be in ARN format or "*".'),
('{"Action": "s:3:ListBucket", "Resource": "sdfsadf"}', 'Resource sdfsadf must be in ARN format or "*".'),
('{"Resource": "a:bsdfdsafsad"}', 'Partition "bsdfdsafsad" is not valid for resource "arn:bsdfdsafsad:*:*:*:*".'),
('{"Resource": "a:b:cadfsdf"}', 'Partition "b" is not valid for resource "arn:b:cadfsdf:*:*:*".'),
('{"Resource": "a:b:c:d:e:f:g:h"}', 'Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".'),
('{"Resource": "aws:s3:::example_bucket"}', 'Partition "s3" is not valid for resource "arn:s3:::example_bucket:*".'),
('{"Resource": ["arn:error:s3:::example", "arn:error:s3::example"]}', 'Partition "error" is not valid for resource "arn:error:s3:::example".'),
('{"Resource": "arn:aws"}', 'Resource vendor must be fully qualified and cannot contain regexes.'),
('{"Resource": "arn:aws:dynamo*:*:*:*"}', 'Resource vendor must be fully qualified and cannot contain regexes.'),
('{"Resource": "arn:aws:*"}', 'Resource vendor must be fully qualified and cannot contain regexes.'),
('{"Resource": "arn:aws:s3::example"}', 'The policy failed legacy parsing'),
('{"Resource": "arn:aws::::example"}', 'The policy failed legacy parsing'),
('{"Resource": "arn:aws::fdsasf"}', 'The policy failed legacy parsing'),
('{"Action": null, "Resource": "arn:aws:s3::example"}', 'The policy failed legacy parsing'),
('{"Resource": null, "NotResource": "arn:aws:s3::example"}', 'The policy failed legacy parsing'),
('{"Resource": null}', 'Policy statement must contain resources.'),
('{"Resource": []}', 'Policy statement must contain resources.'),
('{"Resource": {"a": "arn:aws:s3:::example"}}', 'Syntax errors in policy.'),
('{"Resource": ["adfdf", {}]}', 'Syntax errors in policy.'),
('{"NotResource": []}', 'Syntax errors in policy.'),
('{"NotResource": "*"}', 'Syntax errors in policy.'),
('{"Resource": "arn:aws:dynamodb:*:*:table/${aws:username"}', 'Syntax errors in policy.'),
('{"Resource": "arn:aws:dynamodb:*:*:table/${}"}', 'Syntax errors in policy.'),
('{"Resource": "arn:aws:dynamodb:*:*:table/${aws:username, nobody}"}', 'Syntax errors in policy.'),
('{"Resource": "arn:aws:dynamodb:*:*:table/${aws:username, ''nobody}"}', 'Syntax errors in policy.'),
('{"Resource": "arn:aws:dynamodb:*:*:table/${a${b}}"}', 'Syntax errors in policy.'),
-- Condition
('{"Condition": {}}', NULL),
('{"Condition": {"DateGreaterThan": {}}}', NULL),
('{"Condition": {"DateGreaterThan": {"a": []}}}', NULL),
('{"Condition": {"a": {}}}', NULL),
('{"Condition": {"x": {}, "y": {}}}', NULL),
('{"Condition": {"StringEqualsIfExists": {"a": "asf"}}}', NULL),
('{"Condition": {"ForAnyValue:StringEqualsIfExists": {"a": "asf"}}}', NULL),
('{"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "Department"}}}', NULL),
('{"Condition": {"StringEquals": {"a": ["x", 1, 1.5, true]}}}', NULL),
('{"Condition": "a"}', 'Syntax errors in policy.'),
('{"Condition": []}', 'Syntax errors in policy.'),
('{"Condition": [{"ForAllValues:StringEquals": {"aws:TagKeys": "Department"}}]}', 'Syntax errors in policy.'),
('{"Condition": {"a": "b"}}', 'Syntax errors in policy.'),
('{"Condition": {"DateGreaterThan": "b"}}', 'Syntax errors in policy.'),
('{"Condition": {"DateGreaterThan": []}}', 'Syntax errors in policy.'),
('{"Condition": {"DateGreaterThan": {"a": {}}}}', 'Syntax errors in policy.'),
('{"Condition": {"StringEquals": {"a": [["x"]]}}}', 'Syntax errors in policy.'),
('{"Condition": {"StringEquals": {"a": [null]}}}', 'Syntax errors in policy.'),
('{"Condition": {"x": {"a": "1"}}}', 'Syntax errors in policy.'),
('{"Condition": {"stringequals": {"a": "1"}}}', 'Syntax errors in policy.'),
('{"Condition": {"StringEquals ": {"a": "1"}}}', 'Syntax errors in policy.'),
('{"Condition": {"IfExists": {"a": "1"}}}', 'Syntax errors in policy.'),
('{"Condition": {"ForAnyValue:": {"a": "1"}}}', 'Syntax errors in policy.'),
('{"Condition": {"ForAnyValue::StringEqualsIfExists": {"a": "asf"}}}', 'Syntax errors in policy.'),
('{"Condition": {"ForAllValues:ForAnyValue:StringEquals": {"a": "asf"}}}', 'Syntax errors in policy.'),
('{"Condition": {"StringEqualsIfExistsIfExists": {"a": "asf"}}}', 'Syntax errors in policy.'),
('{"Condition": {"NullIfExists": {"a": "true"}}}', 'Syntax errors in policy.'),
('{"Condition": {"ForAnyValue:Null": {"a": "true"}}}', 'Syntax errors in policy.'),
('{"Condition": {"StringLike": {"a": "${b"}}}', 'Syntax errors in policy.'),
('{"Condition": {"StringLike": {"a": "${ aws:username}"}}}', 'Syntax errors in policy.'),
('{"Condition": {"StringLike": {"a": "${aws:username }"}}}', 'Syntax errors in policy.'),
('{"Action": null, "Condition": {"DateGreaterThan": {"a": {}}}}', 'Syntax errors in policy.'),
-- values that are none of the operator's
('{"Condition": {"DateGreaterThan": {"a": "01T"}}}', NULL),
('{"Condition": {"DateLessThanEquals": {"a": "2019-07-01T13:20:15Z"}}}', NULL),
('{"Condition": {"DateLessThanEquals": {"a": "2016-12-13T21:20:37.593194+00:00"}}}', NULL),
('{"Condition": {"DateLessThanEquals": {"a": "2016-12-13t2:00:00.593194+23"}}}', NULL),
('{"Condition": {"DateLessThan": {"a": "-292275054"}}}', NULL),
('{"Condition": {"DateLessThan": {"a": "9223372036854775807"}}}', NULL),
('{"Condition": {"DateLessThan": {"a": 1500000000}}}', NULL),
('{"Condition": {"DateLessThan": {"a": "9223372036854775808"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"DateGreaterThan": {"a": "sdfdsf"}}}', 'The policy failed legacy parsing'),
('{"Action": null, "Resource": null, "Condition": {"DateGreaterThan": {"a": "sdfdsf"}}}', 'The policy failed legacy parsing'),
('{"Resource": "arn:error:s3:::example", "Condition": {"DateGreaterThan": {"a": "sdfdsf"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"DateLessThanEquals": {"a": "234-13"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"DateLessThanEquals": {"a": "2016-12-13t2:00:00.593194+1"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"DateLessThanEquals": {"a": "2016-12-13t2:00:00.1999999999+10:59"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"DateLessThanEquals": {"a": "2016-12-32"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"DateLessThanEquals": {"a": ""}}}', 'The policy failed legacy parsing'),
('{"Condition": {"DateLessThanEquals": {"a": "${aws:CurrentTime}"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"NumericEquals": {"a": [10, "10", "-1.5e-3", "+0.5"]}}}', NULL),
('{"Condition": {"NumericEquals": {"a": "ten"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"NumericEquals": {"a": ""}}}', 'The policy failed legacy parsing'),
('{"Condition": {"NumericEquals": {"a": "1."}}}', 'The policy failed legacy parsing'),
('{"Condition": {"NumericEquals": {"a": ".5"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"NumericEquals": {"a": "1e"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"NumericEquals": {"a": "1e100001"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"NumericEquals": {"a": "0x10"}}}', 'The policy failed legacy parsing'),
-- as JSON's it would be 12345678901234567000
('{"Condition": {"NumericEquals": {"a": 12345678901234567890}}}', 'Syntax errors in policy.'),
('{"Condition": {"IpAddress": {"a": ["203.0.113.0/24", "203.0.113.7", "2001:DB8:1234:5678::/64", "::1", "0.0.0.0/0"]}}}', NULL),
('{"Condition": {"IpAddress": {"a": "203.0.113"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"IpAddress": {"a": "203.0.113.256"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"IpAddress": {"a": "203.0.113.0/33"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"IpAddress": {"a": "203.0.113.0/"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"IpAddress": {"a": "203.0.113.*"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"NotIpAddress": {"a": "2001:db8::/129"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"BinaryEquals": {"a": "QmluYXJ5"}}}', NULL),
('{"Condition": {"BinaryEquals": {"a": "not base64"}}}', 'The policy failed legacy parsing'),
('{"Condition": {"Null": {"a": ["true", "FALSE", true]}}}', NULL),
('{"Condition": {"Null": {"a": "yes"}}}', 'The policy failed legacy parsing');

SELECT problem, expected, part FROM statements, pg_temp.problem(part) problem
WHERE problem IS DISTINCT FROM expected;
SELECT count(*) || ' statements' FROM statements;

-- Every operator in every form, by name.
SELECT string_agg(name, ' ') AS refused
FROM (SELECT prefix || op || suffix AS name FROM unnest(ARRAY['', 'ForAllValues:', 'ForAnyValue:']) prefix,
	unnest(ARRAY['', 'IfExists']) suffix,
	unnest(ARRAY['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', 'StringLike', 'StringNotLike',
	'NumericEquals', 'NumericNotEquals', 'NumericLessThan', 'NumericLessThanEquals', 'NumericGreaterThan', 'NumericGreaterThanEquals',
	'DateEquals', 'DateNotEquals', 'DateLessThan', 'DateLessThanEquals', 'DateGreaterThan', 'DateGreaterThanEquals',
	'Bool', 'BinaryEquals', 'IpAddress', 'NotIpAddress', 'ArnEquals', 'ArnLike', 'ArnNotEquals', 'ArnNotLike']) op) names
WHERE pg_temp.problem(json_build_object('Condition', json_build_object(name, '{"aws:x": []}'::json))) IS NOT NULL;

-- Policies of resources and of roles have another parser in IAM, with other words.
CREATE TEMP TABLE others (kind text, part json, expected text);
INSERT INTO others VALUES
('resource', '{"Principal": "*"}', NULL),
('resource', '{"Principal": {"AWS": "*"}, "Sid": "with blank", "Resource": "arn:aws:dynamodb:*:*:table/t"}', NULL),
('resource', '{"Principal": {"AWS": ["123456789012", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:user/a/b", "arn:aws:iam::123456789012:role/r"]}}', NULL),
('resource', '{"Principal": {"AWS": "arn:aws:sts::123456789012:assumed-role/r/s", "Service": "dynamodb.amazonaws.com", "Federated": "accounts.google.com"}}', NULL),
('resource', '{"Principal": {"AWS": "arn:aws:sts::123456789012:federated-user/x"}}', NULL),
('resource', '{"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::123456789012:user/a"}}', NULL),
('resource', '{}', 'Missing required field Principal'),
('resource', '{"Principal": {}}', 'Missing required field Principal cannot be empty!'),
('resource', '{"Principal": {"AWS": []}}', 'Missing required field Principal cannot be empty!'),
('resource', '{"Principal": "*", "NotPrincipal": "*"}', 'Syntax errors in policy.'),
('resource', '{"Principal": []}', 'Syntax errors in policy.'),
('resource', '{"Principal": {"AWS": 1}}', 'Syntax errors in policy.'),
('resource', '{"Principal": "alice"}', 'Invalid principal in policy: "alice"'),
('resource', '{"Principal": {"AWS": "alice"}}', 'Invalid principal in policy: "AWS":"alice"'),
('resource', '{"Principal": {"AWS": "12345678901"}}', 'Invalid principal in policy: "AWS":"12345678901"'),
('resource', '{"Principal": {"AWS": "arn:aws:iam::123456789012:user/*"}}', 'Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/*"'),
('resource', '{"Principal": {"AWS": "arn:aws:iam::123456789012:user/"}}', 'Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/"'),
('resource', '{"Principal": {"AWS": "arn:aws:iam::123456789012:group/g"}}', 'Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:group/g"'),
('resource', '{"Principal": {"AWS": "arn:aws:iam:us-east-1:123456789012:user/a"}}', 'Invalid principal in policy: "AWS":"arn:aws:iam:us-east-1:123456789012:user/a"'),
('resource', '{"Principal": {"AWS": "arn:aws:sts::123456789012:assumed-role/r"}}', 'Invalid principal in policy: "AWS":"arn:aws:sts::123456789012:assumed-role/r"'),
('resource', '{"Principal": {"AWS": "arn:aws:sts::123456789012:assumed-role/r/*"}}', 'Invalid principal in policy: "AWS":"arn:aws:sts::123456789012:assumed-role/r/*"'),
('resource', '{"Principal": {"AWS": "arn:aws:iam::${aws:PrincipalAccount}:root"}}', 'Invalid principal in policy: "AWS":"arn:aws:iam::${aws:PrincipalAccount}:root"'),
('resource', '{"Principal": {"User": "a"}}', 'Unknown field User'),
('resource', '{"NotPrincipal": {"AWS": "arn:aws:iam::123456789012:user/a"}}', 'Allow with NotPrincipal is not allowed.'),
('resource', '{"Principal": "*", "Effect": null}', 'Missing required field Effect'),
('resource', '{"Principal": "*", "Action": null}', 'Missing required field Action'),
('resource', '{"Principal": "*", "Resource": null}', 'Missing required field Resource'),
('resource', '{"Principal": "*", "Resource": "t"}', 'Resource t must be in ARN format or "*".'),
('trust', '{"Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole", "Resource": null}', NULL),
('trust', '{"Principal": {"AWS": "123456789012"}, "Action": ["sts:AssumeRole", "sts:TagSession", "STS:SetSourceIdentity"], "Resource": null}', NULL),
('trust', '{"Action": "sts:AssumeRole", "Resource": null}', 'Missing required field Principal'),
('trust', '{"Principal": {"AWS": "*"}, "Action": "*", "Resource": null}', 'AssumeRole policy may only specify STS AssumeRole actions.'),
('trust', '{"Principal": {"AWS": "*"}, "Action": "dynamodb:GetItem", "Resource": null}', 'AssumeRole policy may only specify STS AssumeRole actions.'),
('trust', '{"Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}', 'Has prohibited field Resource'),
('trust', '{"Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Resource": null, "NotResource": "*"}', 'AssumeRole policy must not contain resources.');

SELECT problem, expected, kind, part FROM others, pg_temp.problem(part, kind) problem
WHERE problem IS DISTINCT FROM expected;
SELECT count(*) || ' others' FROM others;
-- The older version is as good for them, or none.
SELECT pg_temp.problem('{"Principal": "*"}', 'resource', '2008-10-17') IS NULL;
SELECT kind, document, dynamo_internal.policy_problem(document, kind) FROM (VALUES
	('resource', '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}'),
	('resource', '{invalid'), ('trust', '{"Version": "2012-10-17", "Statement": []}'), ('trust', '{"Version": "2012-10-17"}')) v(kind, document);

-- Documents that mean harm are refused as quickly as others.
CREATE FUNCTION pg_temp.hostile(document text) RETURNS text LANGUAGE sql AS $$
	SELECT left(dynamo_internal.policy_problem(document, 'identity'), 100)
$$;
SELECT pg_temp.hostile(repeat('x', 16000000));
SELECT pg_temp.hostile(repeat('[', 131072));
SELECT pg_temp.hostile(repeat('{"Statement":', 900) || '1' || repeat('}', 900));
SELECT pg_temp.hostile('{"Version": "2012-10-17", "Statement": [' || repeat('{"Effect":"Allow","Action":"*","Resource":"*"},', 2700) || '1]}');
SELECT pg_temp.hostile('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "' || repeat('é', 60000) || '"}}');
SELECT pg_temp.hostile('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:dynamodb:*:*:table/\u0000"}}');
SELECT pg_temp.hostile('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Null\u0000": {"a": "true"}}}}');
SELECT pg_temp.hostile('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Null": {"a\u0000": "true"}}}}');
-- one that is large and good
SELECT pg_temp.hostile('{"Version": "2012-10-17", "Statement": [' || string_agg(format('{"Sid":"s%s","Effect":"Allow","Action":"*","Resource":"*"}', i), ',') || ']}')
FROM generate_series(1, 2000) i;
SELECT dynamo_internal.policy_problem('{}', 'group');
-- nobody else's functions
CREATE ROLE regress_policy;
SET ROLE regress_policy;
SELECT dynamo_internal.policy_problem('{}', 'identity');
RESET ROLE;
DROP ROLE regress_policy;
