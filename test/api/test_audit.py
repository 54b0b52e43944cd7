"""dynamo.audit: a line of JSON in the server's log for each request."""
import json
import re

import boto3
import psycopg2
import pytest

from conftest import CONFIG, raises

pytestmark = pytest.mark.not_aws

TABLE = {'TableName': 'watched', 'BillingMode': 'PAY_PER_REQUEST',
         'AttributeDefinitions': [{'AttributeName': 'p', 'AttributeType': 'S'}],
         'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'}]}
SECRET = 'nobody-logs-this-\u2019'


class Log:
    """The lines the audit has added since the last look."""

    def __init__(self, server):
        self.file = open(f'{server.directory}/log/postgres.log', encoding='utf-8', errors='replace')
        self.server = server
        self.text = ''

    def events(self):
        self.text = self.file.read()
        return [json.loads(line) for line in re.findall(r'dynamo audit: (\{.*\})$', self.text, re.M)]

    def names(self):
        return [event['eventName'] for event in self.events()]

    def setting(self, **values):
        for name, value in values.items():
            self.server.sql(f"ALTER SYSTEM SET dynamo.{name} = '{value}'")
        self.server.sql('SELECT pg_reload_conf(), pg_sleep(0.6)')
        self.events()


@pytest.fixture
def log(own_server):
    server = own_server()
    server.client().create_table(**TABLE)
    return Log(server)


def key(text='x'):
    return {'p': {'S': text}}


def strange_client(server, key_id='AKIAXXXXXXXXXXXXXXXX'):
    return boto3.client('dynamodb', endpoint_url=server.endpoint, config=CONFIG, region_name='us-east-1',
                        aws_access_key_id=key_id, aws_secret_access_key='wrong')


def use(server):
    """Some requests of each kind."""
    client = server.client()
    client.put_item(TableName='watched', Item=key())
    client.get_item(TableName='watched', Key=key())
    client.describe_table(TableName='watched')
    with raises('ConditionalCheckFailedException'):
        client.delete_item(TableName='watched', Key=key(), ConditionExpression='p = :p',
                           ExpressionAttributeValues={':p': {'S': 'y'}})
    with raises('UnrecognizedClientException'):
        strange_client(server).scan(TableName='watched')


def test_what_is_logged(log):
    expected = {'off': [], 'denied': ['Scan'], 'writes': ['PutItem', 'DeleteItem', 'Scan'],
                'all': ['PutItem', 'GetItem', 'DescribeTable', 'DeleteItem', 'Scan']}
    for level, names in expected.items():
        log.setting(audit=level)
        use(log.server)
        assert log.names() == names, level


def test_a_line(log):
    log.setting(audit='all')
    reply = log.server.client().put_item(TableName='watched', Item={**key(SECRET), 'a': {'S': SECRET}})
    event, = log.events()
    identity = event.pop('userIdentity')
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z', event.pop('eventTime'))
    assert event.pop('durationMicroseconds') > 0
    assert event.pop('userAgent').startswith('Boto3/')
    assert event.pop('requestBytes') > 0
    assert event == {
        'eventSource': 'dynamodb.amazonaws.com', 'eventName': 'PutItem', 'awsRegion': 'us-east-1',
        'requestID': reply['ResponseMetadata']['RequestId'], 'sourceIPAddress': '127.0.0.1',
        'secureTransport': False, 'readOnly': False,
        'resources': [{'ARN': 'arn:aws:dynamodb:us-east-1:000000000000:table/watched'}]}
    assert identity['accessKeyId'] == log.server.credentials['AWS_ACCESS_KEY_ID']
    assert (identity['type'], identity['accountId'], identity['userName']) == ('IAMUser', '000000000000', 'postgres')
    assert identity['arn'].startswith('arn:aws:iam::000000000000:')
    # Nothing of the item, and no signature.
    assert SECRET not in log.text and 'nobody' not in log.text and 'Signature' not in log.text


def test_whose_signature_is_wrong(log):
    log.setting(audit='denied')
    with raises('InvalidSignatureException'):
        strange_client(log.server, log.server.credentials['AWS_ACCESS_KEY_ID']).get_item(TableName='watched', Key=key())
    event, = log.events()
    # The key is the one that is named, which proves nothing: so no name goes with it.
    assert event['userIdentity'] == {'type': 'Unknown', 'accessKeyId': log.server.credentials['AWS_ACCESS_KEY_ID']}
    assert event['errorCode'] == 'InvalidSignatureException'
    # That exception's message has the headers that were signed, a session's token among them.
    assert 'errorMessage' not in event and 'Canonical' not in log.text


def test_who_may_not(log):
    server = log.server
    server.sql('CREATE ROLE nobody')
    (key_id, secret), = server.sql("SELECT * FROM dynamo.create_access_key('nobody')")
    log.setting(audit='denied')
    client = boto3.client('dynamodb', endpoint_url=server.endpoint, config=CONFIG, region_name='us-east-1',
                          aws_access_key_id=key_id, aws_secret_access_key=secret)
    with raises('AccessDeniedException') as caught:
        client.get_item(TableName='watched', Key=key())
    event, = log.events()
    assert event['errorCode'] == 'AccessDeniedException'
    assert event['errorMessage'] == caught.value.response['Error'].get('Message')
    assert (event['userIdentity']['userName'], event['userIdentity']['accessKeyId']) == ('nobody', key_id)
    assert secret not in log.text
    # The same by SQL.
    with pytest.raises(Exception):
        server.sql("SET ROLE nobody; SELECT dynamo.get_item('{\"TableName\":\"watched\",\"Key\":{\"p\":{\"S\":\"x\"}}}')")
    event, = log.events()
    assert (event['errorCode'], event['userIdentity']['userName']) == ('AccessDeniedException', 'nobody')
    # A key that is gone is nobody's, but is named.
    server.sql('SELECT dynamo.delete_access_key(%s)', key_id)
    with raises('UnrecognizedClientException'):
        client.get_item(TableName='watched', Key=key())
    assert [event['userIdentity'] for event in log.events()] == [{'type': 'Unknown', 'accessKeyId': key_id}]


def test_resources(log):
    client = log.server.client()
    arn = client.create_table(**{**TABLE, 'TableName': 'other'})['TableDescription']['TableArn']
    log.setting(audit='all')
    client.batch_write_item(RequestItems={name: [{'PutRequest': {'Item': key()}}] for name in ('watched', 'other')})
    client.transact_get_items(TransactItems=[
        {'Get': {'TableName': name, 'Key': key(str(n))}} for n, name in enumerate(('watched', 'watched', 'other'))])
    client.list_tags_of_resource(ResourceArn=arn)
    client.execute_statement(Statement="SELECT * FROM other WHERE p = 'x'")
    client.list_tables()
    watched = arn.replace('other', 'watched')
    assert [sorted(resource['ARN'] for resource in event['resources']) for event in log.events()] == \
        [[arn, watched], [arn, watched], [arn], [arn], []]


def test_returned_items_are_not_logged(log):
    """In SQL an error's detail has what ReturnValuesOnConditionCheckFailure asks for: for the caller alone."""
    log.setting(audit='all')
    server = log.server
    server.client().put_item(TableName='watched', Item={**key(), 'a': {'S': SECRET}})
    delete = {'TableName': 'watched', 'Key': key(), 'ConditionExpression': 'attribute_not_exists(p)',
              'ReturnValuesOnConditionCheckFailure': 'ALL_OLD'}
    for name, request in ('delete_item', delete), ('transact_write_items', {'TransactItems': [{'Delete': delete}]}):
        with pytest.raises(psycopg2.Error) as raised:
            server.sql(f'SELECT dynamo.{name}(%s)', json.dumps(request))
        assert SECRET in raised.value.diag.message_detail
        log.events()
        assert 'is not logged' in log.text and SECRET not in log.text and 'nobody-logs' not in log.text


def test_stream_records_is_a_read(log):
    server = log.server
    server.client().create_table(**{**TABLE, 'TableName': 'streamed'},
                                 StreamSpecification={'StreamEnabled': True, 'StreamViewType': 'KEYS_ONLY'})
    server.sql('CREATE ROLE curious; GRANT USAGE ON SCHEMA dynamo TO curious')
    log.setting(audit='all')
    server.sql("SELECT * FROM dynamo.stream_records('streamed')")
    with pytest.raises(psycopg2.Error):
        server.sql("SET ROLE curious; SELECT * FROM dynamo.stream_records('streamed')")
    assert [(e['eventName'], e['userIdentity']['userName'], e.get('errorCode'), [r['ARN'][-8:] for r in e['resources']])
            for e in log.events()] == [('GetRecords', 'postgres', None, ['streamed']),
                                       ('GetRecords', 'curious', 'AccessDeniedException', ['streamed'])]


def test_decoys(log):
    """Members that mean nothing to the operation hide no table."""
    log.setting(audit='all')
    server = log.server
    key_of = {'TableName': 'watched', 'Key': key()}
    for name, request in (
            ('execute_statement', {'Statement': "SELECT * FROM watched WHERE p = 'x'", 'TableName': 'harmless'}),
            ('execute_statement', {'Statement': "SELECT * FROM watched WHERE p = 'x'",
                                   'TableArn': 'arn:aws:dynamodb:us-east-1:000000000000:table/watched2'}),
            ('transact_get_items', {'TransactItems': [{'Nothing': {'TableName': 'harmless'}, 'Get': key_of}]}),
            ('transact_write_items', {'TransactItems': [{'Put': None, 'Delete': key_of}]}),
            ('transact_write_items', {'TransactItems': [{'Delete': key_of}], 'RequestItems': {'harmless': []}})):
        server.sql(f'SELECT dynamo.{name}(%s)', json.dumps(request))
        event, = log.events()
        assert 'arn:aws:dynamodb:us-east-1:000000000000:table/watched' in [r['ARN'] for r in event['resources']], request


def test_requests_whole(log):
    log.setting(audit='all', audit_requests='on')
    client = log.server.client()
    item = {**key(), 'a': {'S': SECRET + '\n"\x07'}}
    client.put_item(TableName='watched', Item=item)
    event, = log.events()
    assert event['requestParameters'] == {'TableName': 'watched', 'Item': item}
    # What would break a terminal or the server's encoding is escaped.
    assert re.search(r'dynamo audit: .*\\u2019', log.text) and '\u2019' not in log.text and '\x07' not in log.text
    client.put_item(TableName='watched', Item={**key('big'), 'a': {'S': 'x' * 200000}})
    event, = log.events()
    assert 'requestParameters' not in event and event['requestBytes'] > 200000


def test_pretty_json_stays_on_one_line(log):
    log.setting(audit='all', audit_requests='on')
    log.server.sql('SELECT dynamo.get_item(%s)', '{\n\t"TableName": "watched",\r\n "Key": {"p": {"S": "x"}}\n}')
    event, = log.events()
    assert event['requestParameters'] == {'TableName': 'watched', 'Key': key()}
    assert event['eventName'] == 'GetItem' and 'accessKeyId' not in event['userIdentity']


def test_sql_may_not_switch_it_off(log):
    log.setting(audit='all')
    log.server.sql('CREATE ROLE sly')
    with pytest.raises(Exception, match='permission denied to set parameter'):
        log.server.sql('SET ROLE sly; SET dynamo.audit = off')


def test_sts(log):
    """Who asks for credentials is logged as one who changes something; the credentials are not."""
    log.setting(audit='writes')
    server = log.server
    sts = boto3.client('sts', endpoint_url=server.endpoint, config=CONFIG, region_name='us-east-1',
                       aws_access_key_id=server.credentials['AWS_ACCESS_KEY_ID'],
                       aws_secret_access_key=server.credentials['AWS_SECRET_ACCESS_KEY'])
    given = sts.get_session_token()['Credentials']
    event, = log.events()
    assert (event['eventSource'], event['eventName'], event['readOnly']) == ('sts.amazonaws.com', 'GetSessionToken', False)
    assert given['SecretAccessKey'] not in log.text and given['SessionToken'] not in log.text
    log.setting(audit='all')
    boto3.client('dynamodb', endpoint_url=server.endpoint, config=CONFIG, region_name='us-east-1',
                 aws_access_key_id=given['AccessKeyId'], aws_secret_access_key=given['SecretAccessKey'],
                 aws_session_token=given['SessionToken']).describe_table(TableName='watched')
    event, = log.events()
    assert event['userIdentity']['accessKeyId'] == given['AccessKeyId']
    assert given['SecretAccessKey'] not in log.text and given['SessionToken'] not in log.text


def test_sts_by_sql(log):
    log.setting(audit='writes')
    server = log.server
    given = server.sql('SELECT dynamo.get_session_token()')[0][0]['Credentials']
    event, = log.events()
    assert (event['eventSource'], event['eventName'], event['readOnly']) == ('sts.amazonaws.com', 'GetSessionToken', False)
    assert event['userIdentity']['userName'] == 'postgres'
    assert given['SecretAccessKey'] not in log.text and given['SessionToken'] not in log.text
    with pytest.raises(Exception, match='not authorized'):
        server.sql("""SELECT dynamo.assume_role('{"RoleArn": "arn:aws:iam::000000000000:role/none", "RoleSessionName": "me"}')""")
    event, = log.events()
    assert (event['eventName'], event['errorCode']) == ('AssumeRole', 'AccessDeniedException')
