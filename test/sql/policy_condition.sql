-- Conditions: when each operator holds.
\pset format unaligned
\pset tuples_only on

-- t, f or u (for unknown): does a statement with the condition apply?  Context: null is not known yet, a list a list.
CREATE FUNCTION pg_temp.holds(condition text, context text, effect text DEFAULT 'Allow') RETURNS text LANGUAGE sql AS $$
	SELECT CASE split_part(dynamo_internal.evaluate_policy(
		'{"Version": "2012-10-17", "Statement": {"Effect": "' || effect || '", "Action": "*", "Resource": "*", "Condition": ' || condition || '}}',
		'identity', ('{"context": ' || context || '}')::json), ' ', 1)
	WHEN 'none' THEN 'f' WHEN 'depends' THEN 'u' ELSE 't' END
$$;

-- What every operator does with a key that is there, absent, unknown; with several values of its own, or none; with IfExists; and with lists.
-- The columns after the operator: a value that it fits, one that it doesn't.
CREATE TEMP TABLE operators (op text, negated boolean, own text, fits text, other text);
INSERT INTO operators VALUES
('StringEquals', false, '"a"', '"a"', '"b"'),
('StringNotEquals', true, '"a"', '"a"', '"b"'),
('StringEqualsIgnoreCase', false, '"aÉ"', '"Aé"', '"ae"'),
('StringNotEqualsIgnoreCase', true, '"aÉ"', '"Aé"', '"ae"'),
('StringLike', false, '"a*"', '"abc"', '"b"'),
('StringNotLike', true, '"a*"', '"abc"', '"b"'),
('NumericEquals', false, '10', '"1e1"', '"10.1"'),
('NumericNotEquals', true, '10', '"1e1"', '"10.1"'),
('NumericLessThan', false, '10', '"9.9"', '"10"'),
('NumericLessThanEquals', false, '10', '"10"', '"10.1"'),
('NumericGreaterThan', false, '10', '"10.1"', '"10"'),
('NumericGreaterThanEquals', false, '10', '"10"', '"9.9"'),
('DateEquals', false, '"2026-01-01T00:00:00Z"', '"2026"', '"2026-01-01T00:00:01Z"'),
('DateNotEquals', true, '"2026-01-01T00:00:00Z"', '"2026"', '"2026-01-01T00:00:01Z"'),
('DateLessThan', false, '"2026-01-01T00:00:00Z"', '"2025-12-31T23:59:59Z"', '"2026-01-01T00:00:00Z"'),
('DateLessThanEquals', false, '"2026-01-01T00:00:00Z"', '"2026-01-01T00:00:00Z"', '"2026-01-01T00:00:01Z"'),
('DateGreaterThan', false, '"2026-01-01T00:00:00Z"', '"2026-01-01T00:00:01Z"', '"2026-01-01T00:00:00Z"'),
('DateGreaterThanEquals', false, '"2026-01-01T00:00:00Z"', '"2026-01-01T00:00:00Z"', '"2025-12-31T23:59:59Z"'),
('Bool', false, '"True"', '"true"', '"false"'),
('BinaryEquals', false, '"QUI="', '"QUI="', '"qui="'),
('IpAddress', false, '"203.0.113.0/24"', '"203.0.113.77"', '"203.0.114.1"'),
('NotIpAddress', true, '"203.0.113.0/24"', '"203.0.113.77"', '"203.0.114.1"'),
('ArnEquals', false, '"arn:aws:iam::*:user/a"', '"arn:aws:iam::1:user/a"', '"arn:aws:iam::1:user/b"'),
('ArnNotEquals', true, '"arn:aws:iam::*:user/a"', '"arn:aws:iam::1:user/a"', '"arn:aws:iam::1:user/b"'),
('ArnLike', false, '"arn:aws:iam::*:user/a"', '"arn:aws:iam::1:user/a"', '"arn:aws:iam::1:user/b"'),
('ArnNotLike', true, '"arn:aws:iam::*:user/a"', '"arn:aws:iam::1:user/a"', '"arn:aws:iam::1:user/b"');

-- fits other absent unknown [] | the same with IfExists
SELECT op || (SELECT string_agg(' ' || pg_temp.holds(format('{"%s%s": {"aws:username": %s}}', op, suffix, own), context), '' ORDER BY s, c)
	FROM unnest(ARRAY['', 'IfExists']) WITH ORDINALITY AS suffixes(suffix, s),
	unnest(ARRAY[format('{"aws:username": %s}', fits), format('{"aws:username": %s}', other), '{}', '{"aws:username": null}', '{"aws:username": []}'])
	WITH ORDINALITY AS contexts(context, c)) FROM operators;
-- [fits] [other] [fits, other] absent unknown [] of ForAllValues | the same of ForAnyValue
SELECT op || (SELECT string_agg(' ' || pg_temp.holds(format('{"%s%s": {"aws:TagKeys": %s}}', prefix, op, own), context), '' ORDER BY p, c)
	FROM unnest(ARRAY['ForAllValues:', 'ForAnyValue:']) WITH ORDINALITY AS prefixes(prefix, p),
	unnest(ARRAY[format('{"aws:TagKeys": [%s]}', fits), format('{"aws:TagKeys": [%s]}', other), format('{"aws:TagKeys": [%s, %s]}', fits, other),
		'{}', '{"aws:TagKeys": null}', '{"aws:TagKeys": []}'])
	WITH ORDINALITY AS contexts(context, c)) FROM operators;
-- and with IfExists: absent unknown []
SELECT op || (SELECT string_agg(' ' || pg_temp.holds(format('{"%s%sIfExists": {"aws:TagKeys": %s}}', prefix, op, own), context), '' ORDER BY p, c)
	FROM unnest(ARRAY['ForAllValues:', 'ForAnyValue:']) WITH ORDINALITY AS prefixes(prefix, p),
	unnest(ARRAY['{}', '{"aws:TagKeys": null}', '{"aws:TagKeys": []}']) WITH ORDINALITY AS contexts(context, c)) FROM operators;
-- No operator holds for a value that it has none to compare with, save for the negated ones.
SELECT string_agg(op, ' ') FILTER (WHERE pg_temp.holds(format('{"%s": {"aws:username": []}}', op), format('{"aws:username": %s}', fits)) <> CASE WHEN negated THEN 't' ELSE 'f' END)
FROM operators;

-- Case by case: the condition, the request, whether it holds.
CREATE TEMP TABLE cases (condition text, context text, expected text);
INSERT INTO cases VALUES
-- several values: any of them; of a negated operator, none
('{"StringEquals": {"aws:username": ["a", "b"]}}', '{"aws:username": "b"}', 't'),
('{"StringEquals": {"aws:username": ["a", "b"]}}', '{"aws:username": "c"}', 'f'),
('{"StringNotEquals": {"aws:username": ["a", "b"]}}', '{"aws:username": "b"}', 'f'),
('{"StringNotEquals": {"aws:username": ["a", "b"]}}', '{"aws:username": "c"}', 't'),
-- several keys, several operators: all of them
('{"StringEquals": {"aws:username": "a", "aws:userid": "1"}}', '{"aws:username": "a", "aws:userid": "1"}', 't'),
('{"StringEquals": {"aws:username": "a", "aws:userid": "1"}}', '{"aws:username": "a", "aws:userid": "2"}', 'f'),
('{"StringEquals": {"aws:username": "a", "aws:userid": "1"}}', '{"aws:username": "a"}', 'f'),
('{"StringEquals": {"aws:username": "a"}, "Bool": {"aws:SecureTransport": "true"}}', '{"aws:username": "a", "aws:SecureTransport": "true"}', 't'),
('{"StringEquals": {"aws:username": "a"}, "Bool": {"aws:SecureTransport": "true"}}', '{"aws:username": "a", "aws:SecureTransport": "false"}', 'f'),
('{}', '{}', 't'),
-- what is unknown does not matter where something else is false
('{"StringEquals": {"aws:username": "a", "aws:userid": "1"}}', '{"aws:username": null, "aws:userid": "1"}', 'u'),
('{"StringEquals": {"aws:username": "a", "aws:userid": "1"}}', '{"aws:username": null, "aws:userid": "2"}', 'f'),
('{"StringEquals": {"aws:username": "a", "aws:userid": "1"}}', '{"aws:username": "b", "aws:userid": null}', 'f'),
-- keys in any case; keys nobody knows are absent
('{"StringEquals": {"AWS:USERNAME": "a"}}', '{"aws:username": "a"}', 't'),
('{"StringEquals": {"DynamoDB:leadingkeys": "a"}}', '{"dynamodb:LeadingKeys": ["a"]}', 't'),
('{"StringEquals": {"aws:PrincipalTag/Dept": "a"}}', '{"aws:principaltag/dEPT": "a"}', 't'),
('{"StringEquals": {"aws:PrincipalTag/Dept": "a"}}', '{"aws:PrincipalTag/Depts": "a"}', 'f'),
('{"StringEquals": {"aws:PrincipalTag/Dept": "a"}}', '{"aws:ResourceTag/Dept": "a"}', 'f'),
('{"StringEquals": {"aws:PrincipalTag/": "a"}}', '{"aws:PrincipalTag/": "a"}', 'f'),
('{"StringEquals": {"s3:prefix": "a"}}', '{"s3:prefix": "a"}', 'f'),
('{"StringNotEquals": {"s3:prefix": "a"}}', '{"s3:prefix": "a"}', 't'),
('{"StringEquals": {"": ""}}', '{}', 'f'),
-- strings
('{"StringEquals": {"aws:username": "a*"}}', '{"aws:username": "abc"}', 'f'),
('{"StringEquals": {"aws:username": "a*"}}', '{"aws:username": "a*"}', 't'),
('{"StringEquals": {"aws:username": ""}}', '{"aws:username": ""}', 't'),
('{"StringEquals": {"aws:username": ""}}', '{"aws:username": "a"}', 'f'),
('{"StringEquals": {"aws:username": "A"}}', '{"aws:username": "a"}', 'f'),
('{"StringEquals": {"aws:username": 10}}', '{"aws:username": "10"}', 't'),
('{"StringEquals": {"aws:username": true}}', '{"aws:username": "true"}', 't'),
('{"StringEquals": {"aws:username": "a"}}', '{"aws:username": "a\u0000"}', 'f'),
('{"StringEqualsIgnoreCase": {"aws:username": "ÀÖØÞ"}}', '{"aws:username": "àöøþ"}', 't'),
('{"StringEqualsIgnoreCase": {"aws:username": "×"}}', '{"aws:username": "÷"}', 'f'),
('{"StringEqualsIgnoreCase": {"aws:username": "@["}}', '{"aws:username": "`{"}', 'f'),
('{"StringEqualsIgnoreCase": {"aws:username": "a*"}}', '{"aws:username": "AB"}', 'f'),
('{"StringLike": {"aws:username": "*"}}', '{"aws:username": ""}', 't'),
('{"StringLike": {"aws:username": "*"}}', '{}', 'f'),
('{"StringLike": {"aws:username": "?"}}', '{"aws:username": ""}', 'f'),
('{"StringLike": {"aws:username": "?"}}', '{"aws:username": "é"}', 't'),
('{"StringLike": {"aws:username": "?"}}', '{"aws:username": "😀"}', 't'),
('{"StringLike": {"aws:username": "??"}}', '{"aws:username": "é"}', 'f'),
('{"StringLike": {"aws:username": "a?c"}}', '{"aws:username": "abc"}', 't'),
('{"StringLike": {"aws:username": "a?c"}}', '{"aws:username": "ac"}', 'f'),
('{"StringLike": {"aws:username": "a*c"}}', '{"aws:username": "ac"}', 't'),
('{"StringLike": {"aws:username": "a*c"}}', '{"aws:username": "abcbc"}', 't'),
('{"StringLike": {"aws:username": "a*c"}}', '{"aws:username": "abcb"}', 'f'),
('{"StringLike": {"aws:username": "*b*"}}', '{"aws:username": "abc"}', 't'),
('{"StringLike": {"aws:username": "**a**?**"}}', '{"aws:username": "xay"}', 't'),
('{"StringLike": {"aws:username": "**a**?**"}}', '{"aws:username": "xa"}', 'f'),
('{"StringLike": {"aws:username": "*aab"}}', '{"aws:username": "aaaab"}', 't'),
('{"StringLike": {"aws:username": "*a?b*c"}}', '{"aws:username": "aaxabxcaybc"}', 't'),
('{"StringLike": {"aws:username": "a:b*"}}', '{"aws:username": "a:b:c"}', 't'),
('{"StringLike": {"aws:username": "a"}}', '{"aws:username": "ab"}', 'f'),
('{"StringLike": {"aws:username": "A*"}}', '{"aws:username": "ab"}', 'f'),
-- numbers are decimal, to 48 digits
('{"NumericEquals": {"aws:username": "12345678901234567890123456789012345678"}}', '{"aws:username": "12345678901234567890123456789012345678"}', 't'),
('{"NumericEquals": {"aws:username": "12345678901234567890123456789012345678"}}', '{"aws:username": "12345678901234567890123456789012345679"}', 'f'),
('{"NumericLessThan": {"aws:username": "12345678901234567890123456789012345679"}}', '{"aws:username": "12345678901234567890123456789012345678"}', 't'),
('{"NumericEquals": {"aws:username": "0.1"}}', '{"aws:username": "1e-1"}', 't'),
('{"NumericEquals": {"aws:username": "100"}}', '{"aws:username": "0000100.000"}', 't'),
('{"NumericEquals": {"aws:username": 0}}', '{"aws:username": "-0.0e7"}', 't'),
('{"NumericEquals": {"aws:username": "-5"}}', '{"aws:username": "5"}', 'f'),
('{"NumericLessThan": {"aws:username": "-5"}}', '{"aws:username": "-5.5"}', 't'),
('{"NumericLessThan": {"aws:username": "-5"}}', '{"aws:username": "-4"}', 'f'),
('{"NumericLessThan": {"aws:username": "0"}}', '{"aws:username": "-1e-130"}', 't'),
('{"NumericGreaterThan": {"aws:username": "9"}}', '{"aws:username": "10"}', 't'),
('{"NumericGreaterThan": {"aws:username": "1e2"}}', '{"aws:username": "99"}', 'f'),
('{"NumericLessThan": {"aws:username": ["1", "10"]}}', '{"aws:username": "5"}', 't'),
('{"NumericEquals": {"aws:username": "5"}}', '{"aws:username": "five"}', 'f'),
('{"NumericLessThan": {"aws:username": "5"}}', '{"aws:username": ""}', 'f'),
('{"NumericNotEquals": {"aws:username": "5"}}', '{"aws:username": "five"}', 't'),
('{"NumericLessThan": {"aws:EpochTime": "2000000000"}}', '{"aws:EpochTime": "1800000000"}', 't'),
-- times
('{"DateLessThan": {"aws:CurrentTime": "2026-06-30T12:00:00Z"}}', '{"aws:CurrentTime": "2026-06-30T11:59:59Z"}', 't'),
('{"DateLessThan": {"aws:CurrentTime": "2026-06-30T12:00:00+02:00"}}', '{"aws:CurrentTime": "2026-06-30T10:00:00Z"}', 'f'),
('{"DateEquals": {"aws:CurrentTime": "2026-06-30T12:00:00+02:00"}}', '{"aws:CurrentTime": "2026-06-30T10:00:00Z"}', 't'),
('{"DateEquals": {"aws:CurrentTime": "2026-06-30T12:00:00-0130"}}', '{"aws:CurrentTime": "2026-06-30T13:30Z"}', 't'),
('{"DateEquals": {"aws:CurrentTime": "2026-06-30"}}', '{"aws:CurrentTime": "2026-06-30T00:00:00.000Z"}', 't'),
('{"DateEquals": {"aws:CurrentTime": "2026-06"}}', '{"aws:CurrentTime": "2026-06-01t00:00z"}', 't'),
('{"DateEquals": {"aws:CurrentTime": "2024-02-29T00:00:00Z"}}', '{"aws:CurrentTime": "1709164800"}', 't'),
('{"DateEquals": {"aws:EpochTime": "2001-09-09T01:46:40Z"}}', '{"aws:EpochTime": "1000000000"}', 't'),
('{"DateEquals": {"aws:EpochTime": "1969-12-31T23:59:59Z"}}', '{"aws:EpochTime": "0"}', 'f'),
('{"DateLessThan": {"aws:EpochTime": "0"}}', '{"aws:EpochTime": "1969-12-31T23:59:59.999999999Z"}', 't'),
('{"DateGreaterThan": {"aws:CurrentTime": "2026-06-30T12:00:00.5Z"}}', '{"aws:CurrentTime": "2026-06-30T12:00:00.500000001Z"}', 't'),
('{"DateGreaterThan": {"aws:CurrentTime": "2026"}}', '{"aws:CurrentTime": "2025-12-31T23:59:59Z"}', 'f'),
('{"DateGreaterThan": {"aws:CurrentTime": "-0044-03-15"}}', '{"aws:CurrentTime": "2026-01-01"}', 't'),
('{"DateGreaterThan": {"aws:CurrentTime": "2026-01-01"}}', '{"aws:CurrentTime": "tomorrow"}', 'f'),
('{"DateNotEquals": {"aws:CurrentTime": "2026-01-01"}}', '{"aws:CurrentTime": "tomorrow"}', 't'),
-- Bool
('{"Bool": {"aws:SecureTransport": true}}', '{"aws:SecureTransport": "true"}', 't'),
('{"Bool": {"aws:SecureTransport": "false"}}', '{"aws:SecureTransport": "true"}', 'f'),
('{"Bool": {"aws:SecureTransport": "false"}}', '{}', 'f'),
('{"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}', '{}', 't'),
('{"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}', '{"aws:MultiFactorAuthPresent": "false"}', 'f'),
-- binary
('{"BinaryEquals": {"dynamodb:LeadingKeys": "AQI="}}', '{"dynamodb:LeadingKeys": ["AQI="]}', 't'),
('{"BinaryEquals": {"dynamodb:LeadingKeys": "AQI="}}', '{"dynamodb:LeadingKeys": ["AQIA"]}', 'f'),
-- addresses
('{"IpAddress": {"aws:SourceIp": "203.0.113.7"}}', '{"aws:SourceIp": "203.0.113.7"}', 't'),
('{"IpAddress": {"aws:SourceIp": "203.0.113.7"}}', '{"aws:SourceIp": "203.0.113.8"}', 'f'),
('{"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/25"]}}', '{"aws:SourceIp": "203.0.113.127"}', 't'),
('{"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/25"]}}', '{"aws:SourceIp": "203.0.113.128"}', 'f'),
('{"IpAddress": {"aws:SourceIp": "203.0.113.9/24"}}', '{"aws:SourceIp": "203.0.113.1"}', 't'),
('{"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}', '{"aws:SourceIp": "203.0.113.1"}', 't'),
('{"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}', '{"aws:SourceIp": "2001:db8::1"}', 'f'),
('{"IpAddress": {"aws:SourceIp": "::/0"}}', '{"aws:SourceIp": "2001:db8::1"}', 't'),
('{"IpAddress": {"aws:SourceIp": "2001:DB8:1234:5678::/64"}}', '{"aws:SourceIp": "2001:db8:1234:5678:9::"}', 't'),
('{"IpAddress": {"aws:SourceIp": "2001:DB8:1234:5678::/64"}}', '{"aws:SourceIp": "2001:db8:1234:5679::"}', 'f'),
('{"IpAddress": {"aws:SourceIp": "2001:db8::/33"}}', '{"aws:SourceIp": "2001:db8:7fff::"}', 't'),
('{"IpAddress": {"aws:SourceIp": "2001:db8::/33"}}', '{"aws:SourceIp": "2001:db8:8000::"}', 'f'),
('{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}', '{"aws:SourceIp": "::ffff:203.0.113.7"}', 't'),
('{"IpAddress": {"aws:SourceIp": "::ffff:203.0.113.0/120"}}', '{"aws:SourceIp": "203.0.113.7"}', 't'),
('{"IpAddress": {"aws:SourceIp": "fe80::/10"}}', '{"aws:SourceIp": "fe80::1%eth0"}', 't'),
('{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}', '{"aws:SourceIp": "203.0.113.0/16"}', 'f'),
('{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}', '{"aws:SourceIp": "203.0.113.7\u0000"}', 'f'),
('{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}', '{"aws:SourceIp": ""}', 'f'),
('{"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/25"]}}', '{"aws:SourceIp": "10.1.2.3"}', 'f'),
('{"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/25"]}}', '{"aws:SourceIp": "192.0.2.1"}', 't'),
-- ARNs: six segments, a wildcard stays in its own
('{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}', '{"aws:PrincipalArn": "arn:aws:iam::1:user/a/b"}', 't'),
('{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam:*:user/*"}}', '{"aws:PrincipalArn": "arn:aws:iam::1:user/a"}', 'f'),
('{"StringLike": {"aws:PrincipalArn": "arn:aws:iam:*:user/*"}}', '{"aws:PrincipalArn": "arn:aws:iam::1:user/a"}', 't'),
('{"ArnLike": {"aws:PrincipalArn": "arn:aws:s:*:1:f/*"}}', '{"aws:PrincipalArn": "arn:aws:s:us-east-2:9:store/abc:1:f/doc"}', 'f'),
('{"ArnLike": {"aws:PrincipalArn": "arn:aws:s:*:*:log:*:x"}}', '{"aws:PrincipalArn": "arn:aws:s:r:1:log:a:b:x"}', 't'),
('{"ArnLike": {"aws:PrincipalArn": "*"}}', '{"aws:PrincipalArn": "arn:aws:iam::1:user/a"}', 't'),
('{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::1:*"}}', '{"aws:PrincipalArn": "arn:aws:iam::1:user/a"}', 't'),
('{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*"}}', '{"aws:PrincipalArn": "arn:aws:iam::1:user/a"}', 'f'),
('{"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::1:user/A"}}', '{"aws:PrincipalArn": "arn:aws:iam::1:user/a"}', 'f'),
('{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::1:user/a"}}', '{"aws:PrincipalArn": "alice"}', 'f'),
('{"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::1:user/a"}}', '{"aws:PrincipalArn": "alice"}', 't'),
-- Null: is the key absent?
('{"Null": {"aws:TokenIssueTime": "true"}}', '{}', 't'),
('{"Null": {"aws:TokenIssueTime": "true"}}', '{"aws:TokenIssueTime": "2026-01-01"}', 'f'),
('{"Null": {"aws:TokenIssueTime": "false"}}', '{}', 'f'),
('{"Null": {"aws:TokenIssueTime": false}}', '{"aws:TokenIssueTime": "2026-01-01"}', 't'),
('{"Null": {"aws:TokenIssueTime": "true"}}', '{"aws:TokenIssueTime": null}', 'u'),
('{"Null": {"aws:TokenIssueTime": ["true", "false"]}}', '{"aws:TokenIssueTime": null}', 't'),
('{"Null": {"aws:TokenIssueTime": []}}', '{}', 'f'),
('{"Null": {"dynamodb:LeadingKeys": "true"}}', '{"dynamodb:LeadingKeys": []}', 't'),
('{"Null": {"aws:username": "false"}}', '{"aws:username": ""}', 't'),
('{"Null": {"s3:prefix": "true"}}', '{}', 't'),
-- sets
('{"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["a", "b"]}}', '{"dynamodb:LeadingKeys": ["a", "b", "a"]}', 't'),
('{"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["a", "b"]}}', '{"dynamodb:LeadingKeys": ["a", "c"]}', 'f'),
('{"ForAllValues:StringNotEquals": {"dynamodb:LeadingKeys": ["a", "b"]}}', '{"dynamodb:LeadingKeys": ["c", "d"]}', 't'),
('{"ForAllValues:StringNotEquals": {"dynamodb:LeadingKeys": ["a", "b"]}}', '{"dynamodb:LeadingKeys": ["c", "b"]}', 'f'),
('{"ForAnyValue:StringEquals": {"dynamodb:Attributes": ["a", "b"]}}', '{"dynamodb:Attributes": ["x", "b"]}', 't'),
('{"ForAnyValue:StringEquals": {"dynamodb:Attributes": ["a", "b"]}}', '{"dynamodb:Attributes": ["x", "y"]}', 'f'),
('{"ForAnyValue:StringNotEquals": {"dynamodb:Attributes": ["a", "b"]}}', '{"dynamodb:Attributes": ["a", "x"]}', 't'),
('{"ForAnyValue:StringNotEquals": {"dynamodb:Attributes": ["a", "b"]}}', '{"dynamodb:Attributes": ["a", "b"]}', 'f'),
('{"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "user-*"}}', '{"dynamodb:LeadingKeys": ["user-1", "user-2"]}', 't'),
('{"ForAnyValue:StringEquals": {"aws:username": "a"}}', '{"aws:username": "a"}', 't'),
-- variables
('{"StringEquals": {"aws:PrincipalTag/owner": "${aws:username}"}}', '{"aws:PrincipalTag/owner": "a", "aws:username": "a"}', 't'),
('{"StringEquals": {"aws:PrincipalTag/owner": "${aws:username}"}}', '{"aws:PrincipalTag/owner": "a", "aws:username": "b"}', 'f'),
('{"StringEquals": {"aws:PrincipalTag/owner": "x-${AWS:UserName}-${aws:userid}"}}', '{"aws:PrincipalTag/owner": "x-a-1", "aws:username": "a", "aws:userid": "1"}', 't'),
('{"StringEquals": {"aws:PrincipalTag/owner": "${aws:ResourceTag/owner}"}}', '{"aws:PrincipalTag/owner": "a", "aws:ResourceTag/Owner": "a"}', 't'),
('{"StringLike": {"aws:PrincipalTag/owner": "${aws:username}*"}}', '{"aws:PrincipalTag/owner": "a*b", "aws:username": "a*"}', 't'),
('{"StringLike": {"aws:PrincipalTag/owner": "${aws:username}*"}}', '{"aws:PrincipalTag/owner": "axb", "aws:username": "a*"}', 'f'),
('{"StringLike": {"aws:PrincipalTag/owner": "${aws:username}"}}', '{"aws:PrincipalTag/owner": "${aws:userid}", "aws:username": "${aws:userid}", "aws:userid": "1"}', 't'),
('{"StringLike": {"aws:PrincipalTag/owner": "*${aws:username}*"}}', '{"aws:PrincipalTag/owner": "ananas", "aws:username": "nas"}', 't'),
('{"StringEqualsIgnoreCase": {"aws:PrincipalTag/owner": "X${aws:username}"}}', '{"aws:PrincipalTag/owner": "xÄb", "aws:username": "äB"}', 't'),
('{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:user/${aws:username}"}}', '{"aws:PrincipalArn": "arn:aws:iam::1:user/a", "aws:PrincipalAccount": "1", "aws:username": "a"}', 't'),
('{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:user/${aws:username}"}}', '{"aws:PrincipalArn": "arn:aws:iam::2:user/a", "aws:PrincipalAccount": "1", "aws:username": "a"}', 'f'),
('{"Bool": {"aws:SecureTransport": "${aws:MultiFactorAuthPresent}"}}', '{"aws:SecureTransport": "true", "aws:MultiFactorAuthPresent": "true"}', 't'),
-- characters that would be others
('{"StringLike": {"aws:username": "${*}"}}', '{"aws:username": "*"}', 't'),
('{"StringLike": {"aws:username": "${*}"}}', '{"aws:username": "a"}', 'f'),
('{"StringLike": {"aws:username": "a${?}${$}{x}"}}', '{"aws:username": "a?${x}"}', 't'),
('{"StringEquals": {"aws:username": "$x$"}}', '{"aws:username": "$x$"}', 't'),
-- a variable without a value: what it stands in makes nothing true
('{"StringEquals": {"aws:PrincipalTag/owner": "${aws:username}"}}', '{"aws:PrincipalTag/owner": ""}', 'f'),
('{"StringEquals": {"aws:PrincipalTag/owner": ["${aws:username}", "a"]}}', '{"aws:PrincipalTag/owner": "a"}', 't'),
('{"StringNotEquals": {"aws:PrincipalTag/owner": "${aws:username}"}}', '{"aws:PrincipalTag/owner": "a"}', 'f'),
('{"StringNotEquals": {"aws:PrincipalTag/owner": ["b", "${aws:username}"]}}', '{"aws:PrincipalTag/owner": "a"}', 'f'),
('{"StringNotEquals": {"aws:PrincipalTag/owner": "${aws:username}"}}', '{}', 't'),
('{"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:user/b"}}', '{"aws:PrincipalArn": "arn:aws:iam::1:user/a"}', 'f'),
('{"StringEquals": {"aws:PrincipalTag/owner": "${s3:prefix}"}}', '{"aws:PrincipalTag/owner": "a", "s3:prefix": "a"}', 'f'),
('{"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "${aws:username}"}}', '{"dynamodb:LeadingKeys": ["a"]}', 'f'),
('{"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "${aws:username}"}}', '{}', 't'),
-- nor has a list one, of whatever length
('{"StringEquals": {"aws:PrincipalTag/owner": "${dynamodb:LeadingKeys}"}}', '{"aws:PrincipalTag/owner": "a", "dynamodb:LeadingKeys": ["a"]}', 'f'),
-- unless there is a default
('{"StringEquals": {"aws:PrincipalTag/owner": "${aws:username, ''nobody''}"}}', '{"aws:PrincipalTag/owner": "nobody"}', 't'),
('{"StringEquals": {"aws:PrincipalTag/owner": "${aws:username, ''nobody''}"}}', '{"aws:PrincipalTag/owner": "nobody", "aws:username": "a"}', 'f'),
('{"StringLike": {"aws:PrincipalTag/owner": "${aws:username,''*''}"}}', '{"aws:PrincipalTag/owner": "a"}', 'f'),
('{"StringLike": {"aws:PrincipalTag/owner": "${aws:username,''*''}"}}', '{"aws:PrincipalTag/owner": "*"}', 't'),
('{"StringEquals": {"aws:PrincipalTag/owner": "${aws:username, ''''}x"}}', '{"aws:PrincipalTag/owner": "x"}', 't'),
('{"StringNotEquals": {"aws:PrincipalTag/owner": "${aws:username, ''}''}"}}', '{"aws:PrincipalTag/owner": "}"}', 'f'),
-- a variable whose value is unknown
('{"StringEquals": {"aws:PrincipalTag/owner": "${aws:username}"}}', '{"aws:PrincipalTag/owner": "a", "aws:username": null}', 'u'),
('{"StringEquals": {"aws:PrincipalTag/owner": "x${aws:username}"}}', '{"aws:PrincipalTag/owner": "a", "aws:username": null}', 'f'),
('{"StringEquals": {"aws:PrincipalTag/owner": "${aws:username}x${aws:username}y"}}', '{"aws:PrincipalTag/owner": "axaxy", "aws:username": null}', 'u'),
('{"StringNotEquals": {"aws:PrincipalTag/owner": "x${aws:username}"}}', '{"aws:PrincipalTag/owner": "a", "aws:username": null}', 'u'),
('{"StringNotEquals": {"aws:PrincipalTag/owner": "x${aws:username, ''''}"}}', '{"aws:PrincipalTag/owner": "a", "aws:username": null}', 't'),
('{"StringEquals": {"aws:PrincipalTag/owner": ["${aws:username}", "a"]}}', '{"aws:PrincipalTag/owner": "a", "aws:username": null}', 't'),
('{"StringNotEquals": {"aws:PrincipalTag/owner": ["${aws:username}", "a"]}}', '{"aws:PrincipalTag/owner": "a", "aws:username": null}', 'f'),
('{"StringNotEquals": {"aws:PrincipalTag/owner": ["${aws:username}", "b"]}}', '{"aws:PrincipalTag/owner": "a", "aws:username": null}', 'u'),
('{"StringEquals": {"aws:PrincipalTag/owner": "${aws:username}${aws:userid}"}}', '{"aws:PrincipalTag/owner": "a", "aws:username": null}', 'f'),
('{"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": ["${aws:username}", "b"]}}', '{"dynamodb:LeadingKeys": ["a", "b"], "aws:username": null}', 't');

SELECT holds, expected, condition, context FROM cases, pg_temp.holds(condition, context) holds WHERE holds IS DISTINCT FROM expected;
SELECT count(*) || ' cases' FROM cases;

-- A list where the operator says nothing of lists: all of it to allow, any of it to deny.
SELECT pg_temp.holds(condition, context), pg_temp.holds(condition, context, 'Deny'), condition, context FROM (VALUES
	('{"StringEquals": {"dynamodb:LeadingKeys": "a"}}', '{"dynamodb:LeadingKeys": ["a"]}'),
	('{"StringEquals": {"dynamodb:LeadingKeys": "a"}}', '{"dynamodb:LeadingKeys": ["a", "b"]}'),
	('{"StringEquals": {"dynamodb:LeadingKeys": "a"}}', '{"dynamodb:LeadingKeys": ["b", "c"]}'),
	('{"StringNotEquals": {"dynamodb:LeadingKeys": "a"}}', '{"dynamodb:LeadingKeys": ["a", "b"]}'),
	('{"StringNotEquals": {"dynamodb:LeadingKeys": "a"}}', '{"dynamodb:LeadingKeys": ["b", "c"]}'),
	('{"StringEquals": {"dynamodb:LeadingKeys": "a"}}', '{"dynamodb:LeadingKeys": []}')) v(condition, context);

-- Not to be what a variable without a value stands for: enough to be denied, not to be allowed.
SELECT pg_temp.holds(condition, context), pg_temp.holds(condition, context, 'Deny'), condition FROM (VALUES
	('{"StringNotEquals": {"aws:userid": "${aws:PrincipalTag/owner}"}}', '{"aws:userid": "a"}'),
	('{"StringNotEquals": {"aws:userid": ["a", "${aws:PrincipalTag/owner}"]}}', '{"aws:userid": "a"}'),
	('{"StringEquals": {"aws:userid": "${aws:PrincipalTag/owner}"}}', '{"aws:userid": "a"}'),
	('{"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/${aws:PrincipalTag/owner}"}}', '{"aws:PrincipalArn": "arn:aws:iam::1:user/a"}'),
	('{"ForAnyValue:StringNotEquals": {"dynamodb:LeadingKeys": "${aws:username}"}}', '{"dynamodb:LeadingKeys": ["a"]}')) v(condition, context);
SELECT effect, dynamo_internal.evaluate_policy('{"Version": "2012-10-17", "Statement": {"Effect": "' || effect || '", "Action": "*",
	"NotResource": "arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/owner}"}}', 'identity', '{"resource": "arn:aws:dynamodb:us-east-1:1:table/t"}')
FROM unnest(ARRAY['Allow', 'Deny']) effect;

-- Without the newer version there are no variables.
SELECT dynamo_internal.evaluate_policy('{"Version": "' || version || '", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
	"Condition": {"StringLike": {"aws:username": "${aws:userid}*"}}}}', 'resource', json_build_object('context', json_build_object('aws:username', name, 'aws:userid', '1')))
FROM unnest(ARRAY['2012-10-17', '2008-10-17']) version, unnest(ARRAY['12', '${aws:userid}2']) name;

-- Many wildcards take no longer than few: 10,000 characters, 30 stars, no match.
CREATE TEMP TABLE timing AS SELECT clock_timestamp() AS start;
SELECT pg_temp.holds(format('{"StringLike": {"aws:username": "%sb*a"}}', repeat('*a', 30)), format('{"aws:username": "%s"}', repeat('a', 10000)));
SELECT pg_temp.holds(format('{"StringLike": {"aws:username": "%sb*a"}}', repeat('*?', 30)), format('{"aws:username": "%s"}', repeat('a', 10000)));
SELECT pg_temp.holds(format('{"StringLike": {"aws:username": "*%sb*%s"}}', repeat('a', 1000), repeat('a', 1000)), format('{"aws:username": "%s"}', repeat('a', 10000)));
SELECT clock_timestamp() - start < interval '1 s' FROM timing;
