"""Temporary credentials: STS at the same endpoint, as SDKs use it; what a
session's token is good for, and when it stops to be."""
import concurrent.futures
import datetime
import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.session
import pytest

from conftest import CONFIG, ENDPOINT, raises, unique

pytestmark = pytest.mark.not_aws
REGION = boto3.Session().region_name or 'us-east-1'
ACCOUNT = '000000000000'


def policy(action, resource='*', effect='Allow', **more):
    return json.dumps({'Version': '2012-10-17',
                       'Statement': [{'Effect': effect, 'Action': action, 'Resource': resource, **more}]})


def trust(principal, action=('sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'), effect='Allow', **more):
    return json.dumps({'Version': '2012-10-17', 'Statement': [
        {'Effect': effect, 'Principal': {'AWS': principal}, 'Action': list(action), **more}]})


def user_arn(role):
    return f'arn:aws:iam::{ACCOUNT}:user/{role}'


def role_arn(role):
    return f'arn:aws:iam::{ACCOUNT}:role/{role}'


def aws(service, credentials, **parameters):
    """A client with an access key (id, secret) or what STS has answered."""
    if isinstance(credentials, dict):
        credentials = [credentials[name] for name in ('AccessKeyId', 'SecretAccessKey', 'SessionToken')]
    return boto3.client(service, endpoint_url=ENDPOINT, region_name=REGION, config=CONFIG,
                        aws_access_key_id=credentials[0], aws_secret_access_key=credentials[1],
                        aws_session_token=credentials[2] if len(credentials) > 2 else None, **parameters)


@pytest.fixture
def roles(sql):
    """roles(name) -> a new PostgreSQL role; gone after the test."""
    made = []

    def make(name):
        made.append(f'test_{name}_{unique()}'.replace('-', '_'))
        sql(f'CREATE ROLE {made[-1]}')
        return made[-1]

    yield make
    for role in made:
        sql(f'DROP OWNED BY {role}')
        sql(f'DROP ROLE {role}')
    sql('CALL dynamo.run_jobs()')


@pytest.fixture
def user(sql, roles):
    """(role, (access key id, secret)) of somebody who may do nothing."""
    role = roles('user')
    return role, sql('SELECT * FROM dynamo.create_access_key(%s)', role)[0]


@pytest.fixture
def reader(sql, roles, user, table_s):
    """A role that the user may assume, and that may read a table."""
    role = roles('reader')
    relation = sql('SELECT relation::text FROM dynamo.tables WHERE name = %s', table_s)[0][0]
    sql(f'GRANT SELECT ON {relation} TO {role}')
    sql('SELECT dynamo.put_trust_policy(%s, %s)', role, trust(user_arn(user[0])))
    return role


def assume(user, role, name='session', **parameters):
    return aws('sts', user[1]).assume_role(RoleArn=role_arn(role), RoleSessionName=name, **parameters)


def can_read(credentials, table):
    try:
        aws('dynamodb', credentials).get_item(TableName=table, Key={'p': {'S': 'x'}})
        return True
    except botocore.exceptions.ClientError as error:
        return error.response['Error']['Code']


def test_caller_identity(user):
    answer = aws('sts', user[1]).get_caller_identity()
    assert answer['Arn'] == user_arn(user[0])
    assert answer['Account'] == ACCOUNT
    assert re.fullmatch('AIDA[A-Z2-7]{17}', answer['UserId'])
    # The global endpoint signs as us-east-1; any region will do.
    client = boto3.client('sts', endpoint_url=ENDPOINT, region_name='eu-west-3', config=CONFIG,
                          aws_access_key_id=user[1][0], aws_secret_access_key=user[1][1])
    assert client.get_caller_identity()['Arn'] == answer['Arn']


def test_assume_role(user, reader, table_s):
    assert can_read(user[1], table_s) == 'AccessDeniedException'
    answer = assume(user, reader, 'anna@example.com')
    credentials = answer['Credentials']
    arn = f'arn:aws:sts::{ACCOUNT}:assumed-role/{reader}/anna@example.com'
    assert re.fullmatch('ASIA[A-Z2-7]{16}', credentials['AccessKeyId'])
    assert len(credentials['SecretAccessKey']) == 40
    seconds = (credentials['Expiration'] - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
    assert 3500 < seconds <= 3600
    assert answer['AssumedRoleUser']['Arn'] == arn
    assert re.fullmatch('AROA[A-Z2-7]{17}:anna@example.com', answer['AssumedRoleUser']['AssumedRoleId'])
    assert 'PackedPolicySize' not in answer
    for _ in range(20):         # by all workers
        assert can_read(credentials, table_s) is True
    with raises('AccessDeniedException'):
        aws('dynamodb', credentials).put_item(TableName=table_s, Item={'p': {'S': 'x'}})
    who = aws('sts', credentials).get_caller_identity()
    assert (who['Arn'], who['UserId']) == (arn, answer['AssumedRoleUser']['AssumedRoleId'])
    assert {name for name in answer if name != 'ResponseMetadata'} == {'AssumedRoleUser', 'Credentials'}


def test_each_session_has_its_own(user, reader, table_s):
    """Neither half of one's credentials goes with another's token."""
    a, b = assume(user, reader)['Credentials'], assume(user, reader)['Credentials']
    assert len({c[part] for c in (a, b) for part in ('AccessKeyId', 'SecretAccessKey', 'SessionToken')}) == 6
    for name in 'AccessKeyId', 'SecretAccessKey':
        assert can_read({**a, name: b[name]}, table_s) == 'InvalidSignatureException'
    assert can_read({**a, 'SessionToken': b['SessionToken']}, table_s) == 'UnrecognizedClientException'
    assert can_read(a, table_s) is True and can_read(b, table_s) is True


def test_wrong_tokens(user, reader, table_s):
    good = assume(user, reader)['Credentials']
    token = good['SessionToken']
    wrong = 'The security token included in the request is invalid'
    assert can_read(good, table_s) is True
    for other in (token[:-4], token[4:], token + 'AAAA', token[:50] + ('A' if token[50] != 'A' else 'B') + token[51:],
                  token.swapcase(), 'x', '=', 'A' * 9000, '!' * len(token)):
        with raises('UnrecognizedClientException', wrong):
            aws('dynamodb', {**good, 'SessionToken': other}).describe_limits()
        with raises('InvalidClientTokenId', wrong):
            aws('sts', {**good, 'SessionToken': other}).get_caller_identity()
    # An id of a session without a token is nobody's.  (What follows is for this machine only.)
    for missing in None, '':
        with raises('UnrecognizedClientException', re.compile('^' + wrong + r'\. ')):
            aws('dynamodb', (good['AccessKeyId'], good['SecretAccessKey'], missing)).describe_limits()
        with raises('InvalidClientTokenId', wrong + '.'):
            aws('sts', (good['AccessKeyId'], good['SecretAccessKey'], missing)).get_caller_identity()
    # A token with a key that is not a session's, and one that nobody has made.
    with raises('UnrecognizedClientException', re.compile(wrong)):
        aws('dynamodb', (*user[1], token)).describe_limits()
    with raises('InvalidSignatureException'):
        aws('dynamodb', ('ASIAAAAAAAAAAAAAAAAA', 'x', token)).describe_limits()
    with raises('UnrecognizedClientException'):
        aws('dynamodb', ('ASIA77AAAAAAAAAAAAAA', 'x', token)).describe_limits()
    assert can_read(good, table_s) is True


def test_service_of_the_signature(user, reader):
    """One service's signature is not the other's."""
    def send(service, body, headers):
        request = botocore.awsrequest.AWSRequest('POST', ENDPOINT + '/', data=body, headers=headers)
        botocore.auth.SigV4Auth(botocore.credentials.Credentials(*user[1]), service, REGION).add_auth(request)
        try:
            with urllib.request.urlopen(urllib.request.Request(ENDPOINT + '/', body, dict(request.headers.items()))) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    form = b'Action=GetCallerIdentity&Version=2011-06-15', {'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8'}
    call = b'{}', {'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'DynamoDB_20120810.DescribeLimits'}
    assert send('sts', *form)[0] == 200
    assert send('dynamodb', *call)[0] == 200
    status, body = send('dynamodb', *form)
    assert status == 403
    assert "<Code>SignatureDoesNotMatch</Code>" in body
    assert "Credential should be scoped to correct service: 'sts'. " in body
    status, body = send('sts', *call)
    assert status == 400
    assert json.loads(body)['message'] == "Credential should be scoped to correct service: 'dynamodb'. "


def test_refusals_are_the_services(user):
    """Form, status and code of errors, for those who parse them."""
    def send(body, kind='application/x-www-form-urlencoded'):
        try:
            request = urllib.request.Request(ENDPOINT + '/', body.encode(), {'Content-Type': kind})
            with urllib.request.urlopen(request) as reply:
                return reply.status, None, None
        except urllib.error.HTTPError as error:
            text = error.read()
            assert error.headers['Content-Type'] == 'text/xml'
            space = '{https://sts.amazonaws.com/doc/2011-06-15/}'
            tree = xml.etree.ElementTree.fromstring(text)
            assert tree.tag == space + 'ErrorResponse'
            assert tree.find(f'{space}Error/{space}Type').text == 'Sender'
            assert tree.find(f'{space}RequestId').text == error.headers['x-amzn-RequestId']
            return error.code, tree.find(f'{space}Error/{space}Code').text, tree.find(f'{space}Error/{space}Message').text

    assert send('Action=GetCallerIdentity&Version=2011-06-15') == \
        (403, 'MissingAuthenticationToken', 'Request is missing Authentication Token')
    assert send('Action=DecodeAuthorizationMessage&Version=2011-06-15') == \
        (400, 'InvalidAction', 'Could not find operation DecodeAuthorizationMessage for version 2011-06-15')
    assert send('Version=2011-06-15&Action=AssumeRole%3Cx%3E%26')[2] == \
        'Could not find operation AssumeRole<x>& for version 2011-06-15'
    assert send('Action=AssumeRole') == \
        (400, 'InvalidAction', 'Could not find operation AssumeRole for version NO_VERSION_SPECIFIED')
    assert send('Action=AssumeRole&Version=2010-05-08')[1] == 'InvalidAction'
    assert send('Action=AssumeRole&Version=2011-06-15&RoleArn=%ff')[1] == 'MalformedInput'
    assert send('Action=AssumeRole&Version=2011-06-15&RoleArn=a%00b')[1] == 'MalformedInput'
    assert send('Action=AssumeRole&Version=2011-06-15' + '&x=y' * 1000)[1] == 'MalformedInput'
    # Without an Action it is nothing that is known here.
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(
            ENDPOINT + '/', b'a=b', {'Content-Type': 'application/x-www-form-urlencoded'}))
    assert (caught.value.code, caught.value.read()) == (404, b'<UnknownOperationException/>\n')


def test_presigned_identity(user, reader):
    """Who has a presigned URL can prove to others who he is."""
    session = assume(user, reader)
    for credentials, arn in (user[1], user_arn(user[0])), (session['Credentials'], session['AssumedRoleUser']['Arn']):
        url = aws('sts', credentials).generate_presigned_url('get_caller_identity', HttpMethod='GET')
        with urllib.request.urlopen(url) as reply:
            assert f'<Arn>{arn}</Arn>' in reply.read().decode()
        for wrong in url + '0', url.replace('X-Amz-Security-Token=', 'X-Amz-Security-Token=A') + '&x=y':
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(wrong)
            assert caught.value.code == 403


def denied(user, role):
    return raises('AccessDenied', re.compile(
        f'^User: {user_arn(user[0])} is not authorized to perform: sts:AssumeRole on resource: {role_arn(role)}'))


def test_trust(sql, roles, user):
    """Who is trusted, and by whom it is to be said."""
    def trusts(document):
        sql('SELECT dynamo.put_trust_policy(%s, %s)', role, document)

    role, root = roles('role'), f'arn:aws:iam::{ACCOUNT}:root'
    with denied(user, role):
        assume(user, role)          # nobody is
    with denied(user, 'test_no_such_role'):
        assume(user, 'test_no_such_role')
    trusts(trust(user_arn('somebody_else')))
    with denied(user, role):
        assume(user, role)
    trusts(trust(user_arn(user[0])))
    assume(user, role)
    trusts(trust([user_arn('somebody_else'), user_arn(user[0])]))
    assume(user, role)
    trusts(trust('*'))
    assume(user, role)

    # The account leaves it to the user's own policies,
    trusts(trust(root))
    with denied(user, role):
        assume(user, role)
    sql('SELECT dynamo.put_policy(%s, %s)', role, policy('sts:AssumeRole', role_arn(role)))
    sql('SELECT dynamo.attach_policy(%s, %s)', user[0], role)
    assume(user, role)
    # but they alone are not enough, and what denies wins.
    trusts(trust(user_arn('somebody_else')))
    with denied(user, role):
        assume(user, role)
    trusts(trust(user_arn(user[0])))
    sql('SELECT dynamo.put_policy(%s, %s)', role, policy('sts:*', effect='Deny'))
    with denied(user, role):
        assume(user, role)
    sql('SELECT dynamo.detach_policy(%s, %s)', user[0], role)
    sql('SELECT dynamo.delete_policy(%s)', role)
    document = json.loads(trust(user_arn(user[0])))
    document['Statement'].append({'Effect': 'Deny', 'Principal': '*', 'Action': 'sts:*',
                                  'Condition': {'StringLike': {'sts:RoleSessionName': 'bad*'}}})
    trusts(json.dumps(document))
    assume(user, role, 'good')
    with denied(user, role):
        assume(user, role, 'bad-one')

    # or to PostgreSQL's privileges: who may SET ROLE to it.
    trusts(trust(root))
    sql(f'GRANT {role} TO {user[0]}')
    assume(user, role)
    sql(f'REVOKE {role} FROM {user[0]}')
    with denied(user, role):
        assume(user, role)


def test_superusers_are_trusted_too(sql, roles, client):
    """The policy need not name a superuser, but has to be there."""
    sts = boto3.client('sts', endpoint_url=ENDPOINT, config=CONFIG)
    role = roles('role')
    with raises('AccessDenied'):
        sts.assume_role(RoleArn=role_arn(role), RoleSessionName='session')
    sql('SELECT dynamo.put_trust_policy(%s, %s)', role, trust(ACCOUNT))
    sts.assume_role(RoleArn=role_arn(role), RoleSessionName='session')
    sql('SELECT dynamo.put_trust_policy(%s, %s)', role, trust(user_arn('somebody_else')))
    with raises('AccessDenied'):
        sts.assume_role(RoleArn=role_arn(role), RoleSessionName='session')


def test_external_id(sql, user, reader):
    sql('SELECT dynamo.put_trust_policy(%s, %s)', reader,
        trust(user_arn(user[0]), Condition={'StringEquals': {'sts:ExternalId': 'Project 1'.replace(' ', '-')}}))
    for wrong in {}, {'ExternalId': 'Project-2'}:
        with denied(user, reader):
            assume(user, reader, **wrong)
    assume(user, reader, ExternalId='Project-1')


def test_conditions_on_the_session(sql, user, reader):
    """What is asked for can be limited, each thing by its own key."""
    for condition, allowed, denied_ in [
            ({'StringEquals': {'sts:SourceIdentity': 'anna'}}, {'SourceIdentity': 'anna'}, {'SourceIdentity': 'bob'}),
            ({'NumericLessThanEquals': {'sts:DurationSeconds': '1800'}}, {'DurationSeconds': 1800}, {'DurationSeconds': 1801}),
            ({'StringLike': {'sts:RoleSessionName': '${aws:username}'}}, {'RoleSessionName': user[0]}, {'RoleSessionName': 'other'}),
            ({'StringEquals': {'sts:TransitiveTagKeys': ['a']}}, {'TransitiveTagKeys': ['a']}, {'TransitiveTagKeys': ['b']}),
            ({'Null': {'sts:TransitiveTagKeys': 'true'}}, {}, {'TransitiveTagKeys': ['b']})]:
        sql('SELECT dynamo.put_trust_policy(%s, %s)', reader, trust(user_arn(user[0]), Condition=condition))
        tags = [{'Key': 'a', 'Value': '1'}, {'Key': 'b', 'Value': '2'}]
        parameters = {'RoleArn': role_arn(reader), 'RoleSessionName': 'session', 'Tags': tags}
        aws('sts', user[1]).assume_role(**{**parameters, **allowed})
        with raises('AccessDenied'):
            aws('sts', user[1]).assume_role(**{**parameters, **denied_})


def test_conditions_on_the_caller(sql, user, reader):
    for condition, allowed in [
            ({'IpAddress': {'aws:SourceIp': '127.0.0.0/8'}}, True),
            ({'IpAddress': {'aws:SourceIp': '192.0.2.0/24'}}, False),
            ({'Bool': {'aws:SecureTransport': 'true'}}, False),
            ({'StringEquals': {'aws:username': user[0]}}, True),
            ({'StringLike': {'aws:userid': 'AIDA*'}}, True),
            ({'StringLike': {'aws:UserAgent': '*Boto3*'}}, True),
            ({'DateGreaterThan': {'aws:CurrentTime': '2020-01-01T00:00:00Z'}}, True),
            ({'DateGreaterThan': {'aws:CurrentTime': '2220-01-01T00:00:00Z'}}, False),
            ({'ArnLike': {'aws:PrincipalArn': f'arn:aws:iam::{ACCOUNT}:user/test_user_*'}}, True),
            ({'StringEquals': {'aws:PrincipalTag/team': 'red'}}, True),
            ({'StringEquals': {'aws:PrincipalTag/team': '${aws:ResourceTag/team}'}}, False),
            ({'Null': {'aws:TokenIssueTime': 'true'}}, True)]:
        sql('SELECT dynamo.tag_role(%s, %s, %s)', user[0], 'team', 'red')
        sql('SELECT dynamo.put_trust_policy(%s, %s)', reader, trust(user_arn(user[0]), Condition=condition))
        if allowed:
            assume(user, reader)
        else:
            with denied(user, reader):
                assume(user, reader)


INVALID = [
    ({'RoleArn': 'arn:aws:iam::1:r'}, "Value 'arn:aws:iam::1:r' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20"),
    ({'RoleArn': 'x' * 20}, 'x' * 20 + ' is invalid'),
    ({'RoleSessionName': 'x'}, "Value 'x' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2"),
    ({'RoleSessionName': 'x' * 65}, "Member must have length less than or equal to 64"),
    ({'RoleSessionName': 'a b'}, r"1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*"),
    ({'RoleSessionName': 'a/b', 'ExternalId': '#'}, '3 validation errors detected: '),
    ({'DurationSeconds': 899}, "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"),
    ({'DurationSeconds': 43201}, "Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200"),
    ({'DurationSeconds': 3601}, 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.'),
    ({'Policy': 'x' * 2049}, "at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048"),
    ({'SourceIdentity': 'a b'}, "at 'sourceIdentity'"),
    ({'Tags': [{'Key': 'a', 'Value': 'b'}, {'Key': 'A', 'Value': 'c'}]}, 'Duplicate tag keys found'),
    ({'Tags': [{'Key': 'k' * 129, 'Value': 'b'}]}, "at 'tags.1.member.key'"),
    ({'Tags': [{'Key': str(n), 'Value': 'v'} for n in range(51)]}, "at 'tags'"),
    ({'TransitiveTagKeys': ['a']}, 'The specified transitive tag key must be included in the requested tags.'),
    ({'PolicyArns': [{'arn': f'arn:aws:iam::{ACCOUNT}:policy/absent'}]}, f'ARN arn:aws:iam::{ACCOUNT}:policy/absent is not valid.'),
]


@pytest.mark.parametrize('parameters, message', INVALID, ids=lambda p: next(iter(p)) if isinstance(p, dict) else '')
def test_validation(user, reader, parameters, message):
    client = boto3.client('sts', endpoint_url=ENDPOINT, region_name=REGION,
                          config=CONFIG.merge(botocore.config.Config(parameter_validation=False)),
                          aws_access_key_id=user[1][0], aws_secret_access_key=user[1][1])
    with raises('ValidationError', re.compile(re.escape(message))):
        client.assume_role(**{'RoleArn': role_arn(reader), 'RoleSessionName': 'session', **parameters})


def test_missing_parameters(user):
    client = boto3.client('sts', endpoint_url=ENDPOINT, region_name=REGION,
                          config=CONFIG.merge(botocore.config.Config(parameter_validation=False)),
                          aws_access_key_id=user[1][0], aws_secret_access_key=user[1][1])
    with raises('ValidationError', "2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: "
                "Member must not be null; Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null"):
        client.assume_role()


def test_duration(sql, user, reader):
    sql('SELECT dynamo.set_max_session_duration(%s, 7200)', reader)
    for seconds in 900, 7200:
        expires = assume(user, reader, DurationSeconds=seconds)['Credentials']['Expiration']
        left = (expires - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
        assert seconds - 60 < left <= seconds
    with raises('ValidationError'):
        assume(user, reader, DurationSeconds=7201)


def test_session_policy(sql, user, reader, table_s):
    """It makes less of what the role may do, of this session only, and never more."""
    def session(**parameters):
        return assume(user, reader, **parameters)['Credentials']

    with raises('MalformedPolicyDocument'):
        session(Policy='{"Version": "2012-10-17"')
    answer = assume(user, reader, Policy=policy('dynamodb:*'))
    assert 0 < answer['PackedPolicySize'] < 10
    table = f'arn:aws:dynamodb:*:*:table/{table_s}'
    everything, reads, other = (session(Policy=policy(action, resource)) for action, resource in (
        ('dynamodb:*', '*'), ('dynamodb:GetItem', table), ('dynamodb:GetItem', table + 'x')))
    without = session()
    for _ in range(20):         # by all workers
        assert can_read(without, table_s) is True
        assert can_read(everything, table_s) is True
        assert can_read(reads, table_s) is True
        assert can_read(other, table_s) == 'AccessDeniedException'
    with raises('AccessDeniedException', re.compile('because no session policy allows the dynamodb:GetItem action')):
        aws('dynamodb', other).get_item(TableName=table_s, Key={'p': {'S': 'x'}})
    with raises('AccessDeniedException', re.compile('no identity-based policy')):
        aws('dynamodb', everything).put_item(TableName=table_s, Item={'p': {'S': 'x'}})
    for operation in (lambda c: c.query(TableName=table_s, KeyConditionExpression='p = :p', ExpressionAttributeValues={':p': {'S': 'x'}}),
                      lambda c: c.scan(TableName=table_s)):
        operation(aws('dynamodb', without))
        with raises('AccessDeniedException', re.compile('no session policy')):
            operation(aws('dynamodb', reads))

    # By name; and one is enough.
    name = unique('session-')
    sql('SELECT dynamo.put_policy(%s, %s)', name, policy('dynamodb:PutItem'))
    arns = [{'arn': f'arn:aws:iam::{ACCOUNT}:policy/{name}'}]
    assert can_read(session(PolicyArns=arns), table_s) == 'AccessDeniedException'
    with raises('ValidationError'):
        session(PolicyArns=arns, Policy=policy('dynamodb:*'))
    sql('SELECT dynamo.delete_policy(%s)', name)

    # Variables have the session's values.
    own = policy('dynamodb:GetItem', Condition={'StringEquals': {'aws:userid': '${aws:userid}', 'aws:PrincipalTag/team': 'red'},
                                                'DateGreaterThan': {'aws:TokenIssueTime': '2020-01-01T00:00:00Z'}})
    assert can_read(session(Policy=own), table_s) == 'AccessDeniedException'
    assert can_read(session(Policy=own, Tags=[{'Key': 'team', 'Value': 'red'}]), table_s) is True


def test_forgotten_while_a_request_waits(sql, user, reader, table_s):
    """What a token says is there as long as a request that came with it."""
    relation = sql('SELECT relation::text FROM dynamo.tables WHERE name = %s', table_s)[0][0]
    sql(f'GRANT INSERT, UPDATE ON {relation} TO {reader}')
    key = unique()
    sql('SELECT dynamo.put_item(%s, %s)', table_s, json.dumps({'p': {'S': key}}))
    client = aws('dynamodb', assume(user, reader, Tags=[{'Key': 'team', 'Value': 'red'}], Policy=policy(
        'dynamodb:UpdateItem', Condition={'StringEquals': {'aws:PrincipalTag/team': 'red'}}))['Credentials'])
    sql('BEGIN')
    sql('SELECT dynamo.put_item(%s, %s)', table_s, json.dumps({'p': {'S': key}, 'v': {'S': 'sql'}}))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = [pool.submit(client.update_item, TableName=table_s, Key={'p': {'S': key}}, UpdateExpression='ADD n :one',
                               ExpressionAttributeValues={':one': {'N': '1'}}) for _ in range(8)]
        time.sleep(0.2)
        import psycopg2
        with psycopg2.connect('') as connection, connection.cursor() as cursor:
            for n in range(5):      # all that is cached goes
                cursor.execute('SELECT dynamo.tag_role(%s, %s, %s)', (user[0], 'n', str(n)))
                connection.commit()
                with raises('AccessDeniedException'):
                    client.get_item(TableName=table_s, Key={'p': {'S': key}})
        sql('COMMIT')
        for future in waiting:
            future.result()
    assert sql('SELECT dynamo.get_item(%s, %s)::json', table_s, json.dumps({'p': {'S': key}}))[0][0]['n'] == {'N': '8'}


def test_session_of_a_superuser(sql, roles, user, table_s):
    """Nothing binds one but his session's policy; and only a superuser lets him be assumed."""
    role = roles('root')
    sql(f'ALTER ROLE {role} SUPERUSER')
    sql('SELECT dynamo.put_trust_policy(%s, %s)', role, trust(user_arn(user[0])))
    assert can_read(assume(user, role)['Credentials'], table_s) is True
    assert can_read(assume(user, role, Policy=policy('dynamodb:PutItem'))['Credentials'], table_s) == 'AccessDeniedException'
    sql('SELECT dynamo.put_policy(%s, %s)', role, policy('*', effect='Deny'))
    sql('SELECT dynamo.attach_policy(%s, %s)', role, role)
    credentials = assume(user, role)['Credentials']
    assert can_read(credentials, table_s) is True
    sql('SELECT dynamo.detach_policy(%s, %s)', role, role)
    sql('SELECT dynamo.delete_policy(%s)', role)


def test_packed_size(user, reader, table_s):
    tags = [{'Key': f'{n:0128}', 'Value': 'v' * 128} for n in range(50)]
    with raises('PackedPolicyTooLarge'):
        assume(user, reader, Tags=tags)
    answer = assume(user, reader, Tags=tags[:20])
    assert 50 < answer['PackedPolicySize'] <= 100
    assert can_read(answer['Credentials'], table_s) is True


def test_tags(sql, roles, user, reader):
    """Of a session they come before its role's, and go on only if they are transitive."""
    second, third = roles('second'), roles('third')
    sql('SELECT dynamo.tag_role(%s, %s, %s)', reader, 'team', 'red')
    sql('SELECT dynamo.tag_role(%s, %s, %s)', reader, 'level', '1')
    red = {'StringEquals': {'aws:PrincipalTag/team': 'red', 'aws:PrincipalTag/level': '1'}}
    blue = {'StringEquals': {'aws:PrincipalTag/team': 'blue', 'aws:PrincipalTag/level': '1'}}

    def chain(credentials, role, **parameters):
        return aws('sts', credentials).assume_role(
            RoleArn=role_arn(role), RoleSessionName='chained', **parameters)['Credentials']

    sql('SELECT dynamo.put_trust_policy(%s, %s)', second, trust(role_arn(reader), Condition=red))
    sql('SELECT dynamo.put_trust_policy(%s, %s)', third, trust(role_arn(second),
        Condition={'StringEquals': {'aws:PrincipalTag/team': 'blue'}, 'Null': {'aws:PrincipalTag/level': 'true'}}))
    sql('SELECT dynamo.put_policy(%s, %s)', reader, policy('sts:*'))
    sql('SELECT dynamo.attach_policy(%s, %s)', reader, reader)
    sql('SELECT dynamo.attach_policy(%s, %s)', second, reader)
    plain = assume(user, reader)['Credentials']
    tagged = assume(user, reader, Tags=[{'Key': 'team', 'Value': 'blue'}, {'Key': 'Project', 'Value': 'x'}],
                    TransitiveTagKeys=['TEAM'])['Credentials']
    chain(plain, second)
    with raises('AccessDenied'):
        chain(tagged, second)
    sql('SELECT dynamo.put_trust_policy(%s, %s)', second, trust(role_arn(reader), Condition=blue))
    with raises('AccessDenied'):
        chain(plain, second)
    onward = chain(tagged, second)
    with raises('ValidationError', re.compile('conflicts with a transitive tag key')):
        chain(tagged, second, Tags=[{'Key': 'Team', 'Value': 'green'}])
    # Two steps on, the transitive one is still there.
    chain(onward, third)
    with raises('AccessDenied'):
        chain(plain, third)
    # Tags are the trust policy's business.
    sql('SELECT dynamo.put_trust_policy(%s, %s)', reader, trust(user_arn(user[0]), ['sts:AssumeRole']))
    assume(user, reader)
    with raises('AccessDenied', re.compile('sts:TagSession')):
        assume(user, reader, Tags=[{'Key': 'a', 'Value': 'b'}])
    sql('SELECT dynamo.put_trust_policy(%s, %s)', reader, trust(
        user_arn(user[0]), Condition={'StringEquals': {'aws:RequestTag/a': 'b'}, 'ForAllValues:StringEquals': {'aws:TagKeys': ['a']}}))
    assume(user, reader, Tags=[{'Key': 'a', 'Value': 'b'}])
    with raises('AccessDenied'):
        assume(user, reader, Tags=[{'Key': 'a', 'Value': 'b'}, {'Key': 'c', 'Value': 'd'}])
    sql('SELECT dynamo.detach_policy(%s, %s)', reader, reader)
    sql('SELECT dynamo.detach_policy(%s, %s)', second, reader)
    sql('SELECT dynamo.delete_policy(%s)', reader)


def test_source_identity(sql, roles, user, reader):
    """It stays with a session and those it makes."""
    second = roles('second')
    sql('SELECT dynamo.put_trust_policy(%s, %s)', second, trust(
        f'arn:aws:sts::{ACCOUNT}:assumed-role/{reader}/session', Condition={'StringEquals': {'aws:SourceIdentity': 'anna'}}))
    answer = assume(user, reader, SourceIdentity='anna')
    assert answer['SourceIdentity'] == 'anna'
    chained = aws('sts', answer['Credentials']).assume_role(RoleArn=role_arn(second), RoleSessionName='chained')
    assert chained['SourceIdentity'] == 'anna'
    with raises('AccessDenied'):
        aws('sts', answer['Credentials']).assume_role(RoleArn=role_arn(second), RoleSessionName='chained', SourceIdentity='bob')
    with raises('AccessDenied'):
        aws('sts', assume(user, reader)['Credentials']).assume_role(RoleArn=role_arn(second), RoleSessionName='chained')
    sql('SELECT dynamo.put_trust_policy(%s, %s)', reader, trust(user_arn(user[0]), ['sts:AssumeRole']))
    with raises('AccessDenied', re.compile('sts:SetSourceIdentity')):
        assume(user, reader, SourceIdentity='anna')


def test_chaining_is_for_an_hour(sql, roles, user, reader):
    second = roles('second')
    sql('SELECT dynamo.put_trust_policy(%s, %s)', second, trust(f'arn:aws:sts::{ACCOUNT}:assumed-role/{reader}/session'))
    sql('SELECT dynamo.set_max_session_duration(%s, 43200)', second)
    sts = aws('sts', assume(user, reader)['Credentials'])
    sts.assume_role(RoleArn=role_arn(second), RoleSessionName='chained', DurationSeconds=3600)
    with raises('ValidationError', 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.'):
        sts.assume_role(RoleArn=role_arn(second), RoleSessionName='chained', DurationSeconds=3601)


def test_session_token(sql, user, reader, table_s):
    """A user's own temporary credentials."""
    sts = aws('sts', user[1])
    credentials = sts.get_session_token()['Credentials']
    seconds = (credentials['Expiration'] - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
    assert 43100 < seconds <= 43200
    assert aws('sts', credentials).get_caller_identity()['Arn'] == user_arn(user[0])
    assert can_read(credentials, table_s) == 'AccessDeniedException'
    relation = sql('SELECT relation::text FROM dynamo.tables WHERE name = %s', table_s)[0][0]
    sql(f'GRANT SELECT ON {relation} TO {user[0]}')
    assert can_read(credentials, table_s) is True
    aws('sts', credentials).assume_role(RoleArn=role_arn(reader), RoleSessionName='session')
    with raises('AccessDenied', 'Cannot call GetSessionToken with session credentials'):
        aws('sts', credentials).get_session_token()
    with raises('AccessDenied', re.compile('^MultiFactorAuthentication failed')):
        sts.get_session_token(SerialNumber='arn:aws:iam::000000000000:mfa/x', TokenCode='123456')
    with raises('ValidationError'):
        sts.get_session_token(DurationSeconds=129601)
    sql('SELECT dynamo.revoke_sessions(%s)', user[0])
    assert can_read(credentials, table_s) == 'UnrecognizedClientException'
    assert can_read(user[1], table_s) is True


@pytest.mark.parametrize('end', [
    'SELECT dynamo.revoke_sessions(%(role)s)', 'SELECT dynamo.delete_trust_policy(%(role)s)',
    'SELECT dynamo.rotate_session_key(true)'])
def test_ended_at_once(sql, user, reader, table_s, end):
    """By every worker, however warm its cache."""
    credentials = assume(user, reader)['Credentials']
    for _ in range(20):
        assert can_read(credentials, table_s) is True
    sql(end.replace('%(role)s', '%s'), *([reader] if '%' in end else []))
    for _ in range(20):
        assert can_read(credentials, table_s) == 'UnrecognizedClientException'
    sql('SELECT dynamo.put_trust_policy(%s, %s)', reader, trust(user_arn(user[0])))
    assert can_read(assume(user, reader)['Credentials'], table_s) is True


def test_ends_with_its_role(sql, roles, user, table_s):
    role = roles('role')
    sql('SELECT dynamo.put_trust_policy(%s, %s)', role, trust(user_arn(user[0])))
    credentials = assume(user, role)['Credentials']
    assert can_read(credentials, table_s) == 'AccessDeniedException'
    sql(f'DROP ROLE {role}')
    assert can_read(credentials, table_s) == 'UnrecognizedClientException'
    sql(f'CREATE ROLE {role}')      # for the fixture; it is another one
    sql('SELECT dynamo.put_trust_policy(%s, %s)', role, trust(user_arn(user[0])))
    assert can_read(credentials, table_s) == 'UnrecognizedClientException'


def test_rotation_of_the_session_key(sql, user, reader, table_s):
    """What was sealed with the old one counts to its end."""
    old = assume(user, reader)['Credentials']
    sql('SELECT dynamo.rotate_session_key()')
    new = assume(user, reader)['Credentials']
    assert old['AccessKeyId'][4:6] != new['AccessKeyId'][4:6]
    for _ in range(10):
        assert can_read(old, table_s) is True and can_read(new, table_s) is True


def test_last_used(sql, user, reader):
    """Of keys, to the minute; not of sessions."""
    def last_used():
        sql('CALL dynamo.run_jobs()')
        return sql('SELECT last_used_at, last_used_region, last_used_service FROM dynamo.my_access_keys'
                   ' WHERE access_key_id = %s', user[1][0])[0]

    assert last_used() == (None, None, None)
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    assume(user, reader)
    when, *where = last_used()
    assert before <= when <= datetime.datetime.now(datetime.timezone.utc)
    assert where == [REGION, 'sts']
    time.sleep(1.1)
    aws('dynamodb', user[1]).describe_limits()
    again, *where = last_used()
    assert again > when and where == [REGION, 'dynamodb']


def test_rotation_of_a_key(sql, user):
    """Two keys for a while, then one."""
    old = user[1]
    new = sql("SELECT * FROM dynamo.rotate_access_key(%s, '1.5 s')", old[0])[0]
    assert aws('sts', old).get_caller_identity()['Arn'] == aws('sts', new).get_caller_identity()['Arn']
    time.sleep(2)
    for _ in range(10):
        with raises('InvalidClientTokenId', 'The security token included in the request is invalid.'):
            aws('sts', old).get_caller_identity()
        aws('sts', new).get_caller_identity()
    sql("SELECT dynamo.rotate_access_key(%s, '0')", new[0])
    with raises('InvalidClientTokenId'):
        aws('sts', new).get_caller_identity()


# What SDKs and the AWS CLI do by themselves

@pytest.fixture
def profile(tmp_path, user, reader, monkeypatch):
    """A configuration file: a profile that assumes the role with another's key."""
    (tmp_path / 'config').write_text(f"""
[profile base]
aws_access_key_id = {user[1][0]}
aws_secret_access_key = {user[1][1]}
[profile reader]
role_arn = {role_arn(reader)}
source_profile = base
role_session_name = from-profile
region = {REGION}
endpoint_url = {ENDPOINT}
""")
    for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_ENDPOINT_URL',
                 'AWS_ENDPOINT_URL_DYNAMODB', 'AWS_ENDPOINT_URL_STS'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('AWS_CONFIG_FILE', str(tmp_path / 'config'))
    monkeypatch.setenv('AWS_SHARED_CREDENTIALS_FILE', str(tmp_path / 'none'))
    monkeypatch.setenv('AWS_REGION', REGION)
    return 'reader'


def test_profile_of_boto3(profile, reader, table_s):
    session = boto3.Session(profile_name=profile)
    assert session.client('sts').get_caller_identity()['Arn'] == \
        f'arn:aws:sts::{ACCOUNT}:assumed-role/{reader}/from-profile'
    assert session.get_credentials().method == 'assume-role'
    session.client('dynamodb', endpoint_url=ENDPOINT).get_item(TableName=table_s, Key={'p': {'S': 'x'}})


def test_profile_of_the_cli(profile, reader, table_s):
    def run(*arguments):
        tool = pathlib.Path(sys.executable).parent / 'aws'
        return subprocess.run([tool, '--profile', profile, '--output', 'json', *arguments], check=True,
                              capture_output=True, text=True, timeout=60).stdout

    assert json.loads(run('sts', 'get-caller-identity'))['Arn'] == \
        f'arn:aws:sts::{ACCOUNT}:assumed-role/{reader}/from-profile'
    run('dynamodb', 'get-item', '--table-name', table_s, '--key', '{"p": {"S": "x"}}')


def test_refreshed_before_they_expire(user, reader, table_s):
    """botocore asks for new credentials when the old ones are nearly over."""
    made = []

    def refresh():
        made.append(assume(user, reader, DurationSeconds=3600)['Credentials'])
        # As if they had only a moment left, the first time.
        expires = made[-1]['Expiration'] if len(made) > 1 else \
            datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=30)
        return {'access_key': made[-1]['AccessKeyId'], 'secret_key': made[-1]['SecretAccessKey'],
                'token': made[-1]['SessionToken'], 'expiry_time': expires.isoformat()}

    session = botocore.session.get_session()
    session._credentials = botocore.credentials.RefreshableCredentials.create_from_metadata(
        refresh(), refresh, 'assume-role')
    client = session.create_client('dynamodb', endpoint_url=ENDPOINT, region_name=REGION)
    for _ in range(3):
        client.get_item(TableName=table_s, Key={'p': {'S': 'x'}})
    assert len(made) == 2


def test_any_credentials_last_no_longer_than_the_setting(own_server):
    """Who is let in without proof gets nothing that lets him in later."""
    server = own_server('dynamo.accept_any_credentials=on')
    server.sql('CREATE ROLE reader; SELECT dynamo.put_trust_policy(%s, %s)', 'reader', trust(ACCOUNT))

    def client(service, credentials):
        return boto3.client(service, endpoint_url=server.endpoint, region_name=REGION, config=CONFIG, **dict(zip(
            ('aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'), credentials)))

    sts = client('sts', ('any', 'thing'))
    made = [sts.get_session_token()['Credentials'],
            sts.assume_role(RoleArn=role_arn('reader'), RoleSessionName='session')['Credentials']]
    made = [[c[name] for name in ('AccessKeyId', 'SecretAccessKey', 'SessionToken')] for c in made]
    for credentials in made:
        client('dynamodb', credentials).describe_limits()
    server.sql('ALTER SYSTEM SET dynamo.accept_any_credentials = off')
    server.sql('SELECT pg_reload_conf(), pg_sleep(0.6)')
    for credentials in made:
        with raises('UnrecognizedClientException', 'The security token included in the request is invalid'):
            client('dynamodb', credentials).describe_limits()


# The same in SQL

def test_sql(sql, user, reader, table_s):
    request = json.dumps({'RoleArn': role_arn(reader), 'RoleSessionName': 'sql', 'DurationSeconds': 900,
                          'Tags': [{'Key': 'team', 'Value': 'red'}]})
    sql(f'GRANT EXECUTE ON FUNCTION dynamo.assume_role, dynamo.get_session_token TO {user[0]}')
    sql(f'SET ROLE {user[0]}')
    answer = sql('SELECT dynamo.assume_role(%s)', request)[0][0]
    assert sql('SELECT dynamo.get_caller_identity()')[0][0]['Arn'] == user_arn(user[0])
    own = sql('SELECT dynamo.get_session_token()')[0][0]
    sql('RESET ROLE')
    assert answer['AssumedRoleUser']['Arn'] == f'arn:aws:sts::{ACCOUNT}:assumed-role/{reader}/sql'
    assert can_read(answer['Credentials'], table_s) is True
    assert aws('sts', own['Credentials']).get_caller_identity()['Arn'] == user_arn(user[0])


def test_other_encodings(sql):
    """Names and tags are what they are, also where the database is not in UTF-8."""
    import psycopg2
    database, role = unique('latin1-'), unique('test_größe_').replace('-', '_')
    sql(f"CREATE DATABASE \"{database}\" TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'")
    try:
        connection = psycopg2.connect(dbname=database, client_encoding='UTF8')
        connection.autocommit = True

        def there(statement, *parameters):
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall()[0][0] if cursor.description else None

        there('CREATE EXTENSION dynamo')
        # Roles are all databases', but their names have the encoding of the one they were made in.
        there(f'CREATE ROLE "{role}"')
        there('SELECT dynamo.put_policy(%s, %s)', 'e', policy('*', Condition={
            'StringEquals': {'aws:PrincipalTag/größe': 'groß'}}))
        there('SELECT dynamo.attach_policy(%s, %s)', role, 'e')
        there('SELECT dynamo.tag_role(%s, %s, %s)', role, 'größe', 'groß')
        there(f'GRANT EXECUTE ON FUNCTION dynamo.assume_role TO "{role}"')
        assert there('SELECT dynamo_internal.identity(%s::regrole)', role)['tags'] == [{'key': 'größe', 'value': 'groß'}]
        # The role may make a table by the policy, whose condition knows the tag.
        there(f'SET ROLE "{role}"')
        assert there('SELECT dynamo.get_caller_identity()')['Arn'] == user_arn(role)
        there('SELECT dynamo.create_table(%s)', json.dumps({
            'TableName': 'made-by-policy', 'BillingMode': 'PAY_PER_REQUEST',
            'AttributeDefinitions': [{'AttributeName': 'p', 'AttributeType': 'S'}], 'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'}]}))
        there('RESET ROLE')
        there('SELECT dynamo.put_trust_policy(%s, %s)', role, trust(ACCOUNT))
        answer = there('SELECT dynamo.assume_role(%s)', json.dumps({'RoleArn': role_arn(role), 'RoleSessionName': 'x-x'}))
        assert answer['AssumedRoleUser']['Arn'] == f'arn:aws:sts::{ACCOUNT}:assumed-role/{role}/x-x'
        there(f'DROP OWNED BY "{role}"')
        there(f'DROP ROLE "{role}"')
        connection.close()
    finally:
        sql(f'DROP DATABASE "{database}" WITH (FORCE)')
