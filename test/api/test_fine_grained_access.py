"""Fine-grained access, attacked: who may see only items whose partition key is his
own name (or, of a session, a tag's value), and of them only one attribute besides the
key, gets nothing more, whatever he asks for, by HTTP, as a session, or in SQL."""
import base64
import json

import boto3
import pytest

from access import (ACCOUNT, REGION, STREAM_OPERATIONS, Denied, Failed, allow, policy, principals,
                    table_arn)
from conftest import CONFIG, ENDPOINT, shards_of, unique

pytestmark = pytest.mark.not_aws

ACTIONS = ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem',
           'ConditionCheckItem', 'PartiQLSelect', 'PartiQLInsert', 'PartiQLUpdate', 'PartiQLDelete']


def own_items(table, owner):
    """The policy that docs/access_control.md recommends, with the table's indexes, too."""
    return policy(allow([f'dynamodb:{a}' for a in ACTIONS], [table_arn(table), table_arn(table) + '/index/*'],
                        Condition={
        'ForAllValues:StringEquals': {'dynamodb:LeadingKeys': [owner],
                                      'dynamodb:Attributes': ['p', 's', 'shown']},
        'StringEqualsIfExists': {'dynamodb:Select': 'SPECIFIC_ATTRIBUTES',
                                 'dynamodb:ReturnValues': ['NONE', 'UPDATED_OLD', 'UPDATED_NEW']},
        'BoolIfExists': {'dynamodb:FullTableScan': 'false'}}))


def s(text):
    return {'S': text}


class World:
    def __init__(self, sql, make):
        self.sql = sql
        self.me = unique('fine').replace('-', '_')
        self.table = unique('fine-')
        self.user = make(self.me, own_items(self.table, '${aws:username}'))
        self.role = make(self.me + '_role', own_items(self.table, '${aws:PrincipalTag/owner}'))
        self.sql('SELECT dynamo.put_trust_policy(%s, %s)', self.role.role, policy(
            {'Effect': 'Allow', 'Action': ['sts:AssumeRole', 'sts:TagSession'],
             'Principal': {'AWS': self.user.arn}}))
        self.call('create_table', {
            'TableName': self.table, 'BillingMode': 'PAY_PER_REQUEST',
            'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'}, {'AttributeName': 's', 'KeyType': 'RANGE'}],
            'AttributeDefinitions': [{'AttributeName': n, 'AttributeType': 'S'} for n in ('p', 's', 'g', 'masked')],
            'LocalSecondaryIndexes': [{'IndexName': 'by_masked', 'Projection': {'ProjectionType': 'ALL'},
                                       'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'},
                                                     {'AttributeName': 'masked', 'KeyType': 'RANGE'}]}],
            'GlobalSecondaryIndexes': [{'IndexName': 'by_g', 'Projection': {'ProjectionType': 'ALL'},
                                        'KeySchema': [{'AttributeName': 'g', 'KeyType': 'HASH'}]}],
            'StreamSpecification': {'StreamEnabled': True, 'StreamViewType': 'NEW_AND_OLD_IMAGES'},
            'Tags': [{'Key': 'secret', 'Value': 'SECRET-tag'}]})
        for owner in (self.me, 'other'):
            self.call('put_item', {'TableName': self.table, 'Item': {
                'p': s(owner), 's': s('1'), 'g': s(self.me), 'masked': s('SECRET-masked'), 'list': {'L': [s('SECRET-list')]},
                'shown': s('mine' if owner == self.me else 'SECRET-shown')}})
        self.stream = self.call('describe_table', {'TableName': self.table})['Table']['LatestStreamArn']
        shard = self.call('describe_stream', {'StreamArn': self.stream})['StreamDescription']['Shards'][0]['ShardId']
        self.shard = {'StreamArn': self.stream, 'ShardId': shard, 'ShardIteratorType': 'TRIM_HORIZON'}
        self.iterator = self.call('get_shard_iterator', self.shard)['ShardIterator']

    def call(self, function, request):
        return self.sql(f'SELECT dynamo.{function}(%s)', json.dumps(request))[0][0]

    def session(self):
        """by_http() of a session of the role, with the tag."""
        options = {'endpoint_url': ENDPOINT, 'region_name': REGION}
        sts = boto3.client('sts', **options, aws_access_key_id=self.user.client._request_signer._credentials.access_key,
                           aws_secret_access_key=self.user.client._request_signer._credentials.secret_key)
        credentials = sts.assume_role(
            RoleArn=f'arn:aws:iam::{ACCOUNT}:role/{self.role.role}', RoleSessionName='attack',
            Tags=[{'Key': 'owner', 'Value': self.me}])['Credentials']
        options.update(config=CONFIG.merge(type(CONFIG)(parameter_validation=False)),
                       aws_access_key_id=credentials['AccessKeyId'],
                       aws_secret_access_key=credentials['SecretAccessKey'],
                       aws_session_token=credentials['SessionToken'])
        session = type(self.user).__new__(type(self.user))
        session.client = boto3.client('dynamodb', **options)
        session.streams = boto3.client('dynamodbstreams', **options)
        return session.by_http

    def way(self, name):
        return {'HTTP': lambda: self.user.by_http, 'SQL': lambda: self.user.by_sql, 'session': self.session}[name]()


@pytest.fixture(scope='module')
def world():
    import psycopg2
    connection = psycopg2.connect('')
    connection.autocommit = True

    def sql(text, *parameters):
        with connection.cursor() as cursor:
            cursor.execute(text, parameters or None)
            return cursor.fetchall() if cursor.description else []

    sql.connection = connection
    with principals(sql) as make:
        world = World(sql, make)
        yield world
        world.call('delete_table', {'TableName': world.table})
    connection.close()


# ----- what he may do, and what not: name -> (operation, request) -----

def requests(world):
    t, me = world.table, world.me
    named = {'TableName': t}
    mine = {**named, 'Key': {'p': s(me), 's': s('1')}}
    others = {**named, 'Key': {'p': s('other'), 's': s('1')}}
    nobodys = {**named, 'Key': {'p': s('other'), 's': s('2')}}
    query = {**named, 'KeyConditionExpression': 'p = :p', 'ExpressionAttributeValues': {':p': s(me)},
             'ProjectionExpression': 'shown'}
    on_failure = {'ReturnValuesOnConditionCheckFailure': 'ALL_OLD'}

    def condition(text, **more):
        return {'ConditionExpression': text, **({'ExpressionAttributeValues': {':h': s('SECRET-masked')}}
                                                if ':h' in text else {}), **more}

    def execute(text, **more):
        return 'ExecuteStatement', {'Statement': text.format(t=t, me=me), **more}

    def batch(text):
        return 'BatchExecuteStatement', {'Statements': [{'Statement': text.format(t=t, me=me)}]}

    def transaction(*texts, **more):
        return 'ExecuteTransaction', {'TransactStatements': [
            {'Statement': text.format(t=t, me=me), **more} for text in texts]}

    def write(*actions):
        return 'TransactWriteItems', {'TransactItems': [{kind: body} for kind, body in actions]}

    def get(*gets):
        return 'TransactGetItems', {'TransactItems': [{'Get': body} for body in gets]}

    set_shown = {**mine, 'UpdateExpression': 'SET shown = :v', 'ExpressionAttributeValues': {':v': s('mine')}}
    put = {**named, 'Item': {'p': s(me), 's': s('new'), 'shown': s('x')}}
    one = "WHERE p = '{me}' AND s = '1'"
    may = {
        'get': ('GetItem', {**mine, 'ProjectionExpression': 'shown'}),
        'get, older': ('GetItem', {**mine, 'AttributesToGet': ['shown', 'p']}),
        'get by ARN': ('GetItem', {**mine, 'TableName': table_arn(t), 'ProjectionExpression': 'shown'}),
        'batch get': ('BatchGetItem', {'RequestItems': {t: {'Keys': [mine['Key']], 'ProjectionExpression': 'shown'}}}),
        'query': ('Query', query),
        'query from': ('Query', {**query, 'ExclusiveStartKey': {'p': s(me), 's': s('0')}}),
        'query filter': ('Query', {**query, 'FilterExpression': 'attribute_exists(shown)'}),
        'transact get': get({**mine, 'ProjectionExpression': 'shown'}),
        'check': write(('ConditionCheck', {**mine, **condition('attribute_exists(shown)')})),
        'put': ('PutItem', put),
        'put if not there': ('PutItem', {**put, **condition('attribute_not_exists(p) OR shown <> p')}),
        'update': ('UpdateItem', set_shown),
        'update for updated': ('UpdateItem', {**set_shown, 'ReturnValues': 'UPDATED_OLD'}),
        'delete': ('DeleteItem', {**named, 'Key': {'p': s(me), 's': s('new')}}),
        'batch write': ('BatchWriteItem', {'RequestItems': {t: [{'PutRequest': {'Item': put['Item']}}]}}),
        'select': execute('SELECT shown FROM "{t}" ' + one),
        'set': execute('UPDATE "{t}" SET shown = \'mine\' ' + one),
        'batch select': batch('SELECT shown FROM "{t}" ' + one),
        'transaction': transaction('EXISTS(SELECT shown FROM "{t}" ' + one + ' AND shown <> \'x\')'),
    }
    may_not = {
        # Others' items.
        "get another's": ('GetItem', {**others, 'ProjectionExpression': 'shown'}),
        "get another's, older": ('GetItem', {**others, 'AttributesToGet': ['shown']}),
        "get another's key": ('GetItem', {**others, 'ProjectionExpression': 'p'}),
        "get another's by ARN": ('GetItem', {**others, 'TableName': table_arn(t), 'ProjectionExpression': 'shown'}),
        'get what is not there': ('GetItem', {**nobodys, 'ProjectionExpression': 'shown'}),
        "batch get another's": ('BatchGetItem', {'RequestItems': {t: {
            'Keys': [others['Key']], 'ProjectionExpression': 'shown'}}}),
        "batch get mine and another's": ('BatchGetItem', {'RequestItems': {t: {
            'Keys': [mine['Key'], others['Key']], 'ProjectionExpression': 'shown'}}}),
        "batch get by name and by ARN": ('BatchGetItem', {'RequestItems': {
            t: {'Keys': [mine['Key']], 'ProjectionExpression': 'shown'},
            table_arn(t): {'Keys': [others['Key']], 'ProjectionExpression': 'shown'}}}),
        "query another's": ('Query', {**query, 'ExpressionAttributeValues': {':p': s('other')}}),
        "query another's, older": ('Query', {**named, 'AttributesToGet': ['shown'], 'KeyConditions': {'p': {
            'ComparisonOperator': 'EQ', 'AttributeValueList': [s('other')]}}}),
        "count another's": ('Query', {**{k: v for k, v in query.items() if 'Projection' not in k},
                                      'Select': 'COUNT', 'ExpressionAttributeValues': {':p': s('other')}}),
        'scan': ('Scan', {**named, 'ProjectionExpression': 'shown'}),
        'scan, older': ('Scan', {**named, 'AttributesToGet': ['shown']}),
        'scan a segment': ('Scan', {**named, 'ProjectionExpression': 'shown', 'Segment': 0, 'TotalSegments': 4}),
        'scan from my item': ('Scan', {**named, 'ProjectionExpression': 'shown', 'ExclusiveStartKey': mine['Key']}),
        'scan count': ('Scan', {**named, 'Select': 'COUNT'}),
        'scan index': ('Scan', {**named, 'IndexName': 'by_g', 'ProjectionExpression': 'shown'}),
        "transact get another's": get({**others, 'ProjectionExpression': 'shown'}),
        "transact get mine and another's": get({**mine, 'ProjectionExpression': 'shown'},
                                               {**others, 'ProjectionExpression': 'shown'}),
        "is another's there?": write(('ConditionCheck', {**others, **condition('attribute_exists(p)')})),
        'is it not there?': write(('ConditionCheck', {**nobodys, **condition('attribute_not_exists(p)')})),
        'put mine if another is there': write(('Put', put), ('ConditionCheck', {
            **others, **condition('attribute_exists(p)')})),
        "put another's": ('PutItem', {**named, 'Item': {**others['Key'], 'shown': s('x')}}),
        "update another's": ('UpdateItem', {**set_shown, 'Key': others['Key']}),
        "update nobody's": ('UpdateItem', {**set_shown, 'Key': nobodys['Key']}),
        "delete another's": ('DeleteItem', others),
        "delete another's if": ('DeleteItem', {**others, **condition('attribute_not_exists(p)')}),
        "batch delete another's": ('BatchWriteItem', {'RequestItems': {t: [
            {'PutRequest': {'Item': put['Item']}}, {'DeleteRequest': {'Key': others['Key']}}]}}),
        "transact update another's": write(('Update', {**set_shown, 'Key': others['Key']})),
        "transact delete another's": write(('Delete', others)),
        "select another's": execute("SELECT shown FROM \"{t}\" WHERE p = 'other' AND s = '1'"),
        "select another's by parameter": execute('SELECT shown FROM "{t}" WHERE p = ?', Parameters=[s('other')]),
        "select mine or another's": execute("SELECT shown FROM \"{t}\" WHERE p IN ['{me}', 'other']"),
        'select mine OR ...': execute("SELECT shown FROM \"{t}\" WHERE p = '{me}' OR p = 'other'"),
        'select not mine': execute("SELECT shown FROM \"{t}\" WHERE NOT p = '{me}'"),
        'select what begins': execute("SELECT shown FROM \"{t}\" WHERE begins_with(p, 'o')"),
        'select by sort key': execute("SELECT shown FROM \"{t}\" WHERE s = '1'"),
        'select all': execute('SELECT shown FROM "{t}"'),
        'select all of index': execute('SELECT shown FROM "{t}"."by_g"'),
        'select of ARN': execute(f"SELECT shown FROM \"{table_arn(t)}\" WHERE p = 'other'"),
        "insert another's": execute("INSERT INTO \"{t}\" VALUE {{'p': 'other', 's': '3', 'shown': 'x'}}"),
        "is it taken?": execute("INSERT INTO \"{t}\" VALUE {{'p': 'other', 's': '1', 'shown': 'x'}}"),
        "set another's": execute("UPDATE \"{t}\" SET shown = 'x' WHERE p = 'other' AND s = '1'"),
        "remove another's": execute("DELETE FROM \"{t}\" WHERE p = 'other' AND s = '1'"),
        "batch select another's": batch("SELECT shown FROM \"{t}\" WHERE p = 'other' AND s = '1'"),
        "batch remove another's": batch("DELETE FROM \"{t}\" WHERE p = 'other' AND s = '1'"),
        "transaction select another's": transaction("SELECT shown FROM \"{t}\" WHERE p = 'other' AND s = '1'"),
        "transaction: is it there?": transaction("EXISTS(SELECT shown FROM \"{t}\" WHERE p = 'other' AND s = '1' AND shown <> 'x')"),
        "transaction set mine if another": transaction(
            'UPDATE "{t}" SET shown = \'mine\' ' + one,
            "EXISTS(SELECT shown FROM \"{t}\" WHERE p = 'other' AND s = '1' AND shown <> 'x')"),
        "transaction insert another's for old": transaction(
            "INSERT INTO \"{t}\" VALUE {{'p': 'other', 's': '1'}}", **on_failure),
        # Masked attributes of his own.
        'get all': ('GetItem', mine),
        'get masked': ('GetItem', {**mine, 'ProjectionExpression': 'masked'}),
        'get shown, masked': ('GetItem', {**mine, 'ProjectionExpression': 'shown, masked'}),
        'get #h': ('GetItem', {**mine, 'ProjectionExpression': '#h', 'ExpressionAttributeNames': {'#h': 'masked'}}),
        'get list[0]': ('GetItem', {**mine, 'ProjectionExpression': '#l[0]', 'ExpressionAttributeNames': {'#l': 'list'}}),
        'get masked, older': ('GetItem', {**mine, 'AttributesToGet': ['masked']}),
        'batch get all': ('BatchGetItem', {'RequestItems': {t: {'Keys': [mine['Key']]}}}),
        'batch get masked': ('BatchGetItem', {'RequestItems': {t: {
            'Keys': [mine['Key']], 'ProjectionExpression': 'masked'}}}),
        'batch get masked, older': ('BatchGetItem', {'RequestItems': {t: {
            'Keys': [mine['Key']], 'AttributesToGet': ['masked']}}}),
        'transact get all': get(mine),
        'transact get masked': get({**mine, 'ProjectionExpression': 'masked'}),
        'query all': ('Query', {k: v for k, v in query.items() if 'Projection' not in k}),
        'query ALL_ATTRIBUTES': ('Query', {**{k: v for k, v in query.items() if 'Projection' not in k},
                                           'Select': 'ALL_ATTRIBUTES'}),
        'query masked': ('Query', {**query, 'ProjectionExpression': 'masked'}),
        'query where masked': ('Query', {**query, 'FilterExpression': 'masked = :h', 'ExpressionAttributeValues': {
            ':p': s(me), ':h': s('SECRET-masked')}}),
        'count where masked': ('Query', {**{k: v for k, v in query.items() if 'Projection' not in k}, 'Select': 'COUNT',
                                         'FilterExpression': 'attribute_exists(masked)'}),
        'query where masked, older': ('Query', {**named, 'AttributesToGet': ['shown'], 'KeyConditions': {'p': {
            'ComparisonOperator': 'EQ', 'AttributeValueList': [s(me)]}}, 'QueryFilter': {'masked': {
                'ComparisonOperator': 'BEGINS_WITH', 'AttributeValueList': [s('S')]}}}),
        'query index by masked': ('Query', {**query, 'IndexName': 'by_masked'}),
        'query index where masked': ('Query', {**query, 'IndexName': 'by_masked', 'KeyConditionExpression':
                                               'p = :p AND masked > :h', 'ExpressionAttributeValues': {
                                                   ':p': s(me), ':h': s('S')}}),
        'query index from masked': ('Query', {**query, 'IndexName': 'by_masked', 'ExclusiveStartKey': {
            **mine['Key'], 'masked': s('T')}}),
        "query others' items by an index": ('Query', {**named, 'IndexName': 'by_g', 'KeyConditionExpression': 'g = :p',
                                                      'ExpressionAttributeValues': {':p': s(me)}, 'ProjectionExpression': 'shown'}),
        "select others' items by an index": execute("SELECT shown FROM \"{t}\".\"by_g\" WHERE g = '{me}'"),
        'select index by masked': execute("SELECT shown FROM \"{t}\".\"by_masked\" WHERE p = '{me}' AND masked > 'S'"),
        'check masked': write(('ConditionCheck', {**mine, **condition('masked = :h')})),
        'check masked is there': write(('ConditionCheck', {**mine, **condition('attribute_exists(masked)')})),
        'check its size': write(('ConditionCheck', {**mine, 'ConditionExpression': 'size(masked) > :n',
                                                    'ExpressionAttributeValues': {':n': {'N': '3'}}})),
        'check shown = masked': write(('ConditionCheck', {**mine, **condition('shown <> masked')})),
        'check for old': write(('ConditionCheck', {**mine, **condition('attribute_not_exists(p)', **on_failure)})),
        'put if masked': ('PutItem', {**put, **condition('masked = :h')}),
        'put expecting masked': ('PutItem', {**put, 'Expected': {'masked': {'Value': s('SECRET-masked')}}}),
        'put for old': ('PutItem', {**named, 'Item': mine['Key'], 'ReturnValues': 'ALL_OLD'}),
        'put for old on failure': ('PutItem', {**named, 'Item': mine['Key'],
                                               **condition('attribute_not_exists(p)', **on_failure)}),
        'put masked': ('PutItem', {**named, 'Item': {**put['Item'], 'masked': s('x')}}),
        'update if masked': ('UpdateItem', {**mine, 'UpdateExpression': 'REMOVE shown', **condition('masked = :h')}),
        'update shown = masked': ('UpdateItem', {**mine, 'UpdateExpression': 'SET shown = masked'}),
        'update shown = if_not_exists': ('UpdateItem', {**mine, 'UpdateExpression': 'SET shown = if_not_exists(masked, p)'}),
        'update shown = #h': ('UpdateItem', {**mine, 'UpdateExpression': 'SET shown = #h',
                                             'ExpressionAttributeNames': {'#h': 'masked'}}),
        'update shown = list[0]': ('UpdateItem', {**mine, 'UpdateExpression': 'SET shown = #l[0]',
                                                  'ExpressionAttributeNames': {'#l': 'list'}}),
        'update shown by list_append': ('UpdateItem', {**mine, 'UpdateExpression': 'SET shown = list_append(#l, #l)',
                                                       'ExpressionAttributeNames': {'#l': 'list'}}),
        'remove masked': ('UpdateItem', {**mine, 'UpdateExpression': 'REMOVE masked'}),
        'remove list[0], for updated': ('UpdateItem', {**mine, 'UpdateExpression': 'REMOVE #l[0]', 'ReturnValues': 'UPDATED_OLD',
                                                       'ExpressionAttributeNames': {'#l': 'list'}}),
        'add to masked': ('UpdateItem', {**mine, 'UpdateExpression': 'ADD masked :n',
                                         'ExpressionAttributeValues': {':n': {'N': '1'}}}),
        'update masked, older': ('UpdateItem', {**mine, 'AttributeUpdates': {'masked': {'Action': 'DELETE'}},
                                                'ReturnValues': 'UPDATED_OLD'}),
        'update expecting masked': ('UpdateItem', {**mine, 'AttributeUpdates': {'shown': {'Action': 'DELETE'}},
                                                   'Expected': {'masked': {'Exists': False}}}),
        'update for new': ('UpdateItem', {**set_shown, 'ReturnValues': 'ALL_NEW'}),
        'update for old': ('UpdateItem', {**set_shown, 'ReturnValues': 'ALL_OLD'}),
        'update for old on failure': ('UpdateItem', {**set_shown, 'ConditionExpression': 'attribute_not_exists(p)',
                                                     'ReturnValues': 'UPDATED_NEW', **on_failure}),
        'update nothing for all': ('UpdateItem', {**mine, 'ReturnValues': 'ALL_NEW'}),
        'delete for old': ('DeleteItem', {**mine, 'ReturnValues': 'ALL_OLD'}),
        'delete if masked': ('DeleteItem', {**mine, **condition('masked = :h')}),
        'delete expecting masked': ('DeleteItem', {**mine, 'Expected': {'masked': {'Exists': False}}}),
        'transact put for old': write(('Put', {**named, 'Item': mine['Key'],
                                               **condition('attribute_not_exists(p)', **on_failure)})),
        'transact update if masked': write(('Update', {**mine, 'UpdateExpression': 'REMOVE shown', **condition('masked = :h')})),
        'transact delete if masked': write(('Delete', {**mine, **condition('masked = :h')})),
        'batch put masked': ('BatchWriteItem', {'RequestItems': {t: [{'PutRequest': {'Item': {**put['Item'], 'masked': s('x')}}}]}}),
        'select *': execute('SELECT * FROM "{t}" ' + one),
        'select masked': execute('SELECT masked FROM "{t}" ' + one),
        'select list[0]': execute('SELECT list[0] FROM "{t}" ' + one),
        'select where masked': execute('SELECT shown FROM "{t}" ' + one + " AND masked = 'SECRET-masked'"),
        'select where begins': execute('SELECT shown FROM "{t}" ' + one + " AND begins_with(masked, 'S')"),
        'select where missing': execute('SELECT shown FROM "{t}" ' + one + ' AND masked IS MISSING'),
        'select where its size': execute('SELECT shown FROM "{t}" ' + one + ' AND size(masked) > 3'),
        'set shown = masked': execute('UPDATE "{t}" SET shown = masked ' + one),
        'set where masked': execute('UPDATE "{t}" SET shown = \'mine\' ' + one + " AND masked = 'SECRET-masked'"),
        'set for all old': execute('UPDATE "{t}" SET shown = \'mine\' ' + one + ' RETURNING ALL OLD *'),
        'set for all new': execute('UPDATE "{t}" SET shown = \'mine\' ' + one + ' RETURNING ALL NEW *'),
        'set for old on failure': execute('UPDATE "{t}" SET shown = \'mine\' ' + one + " AND shown = 'x'", **on_failure),
        'remove for old': execute('DELETE FROM "{t}" ' + one + ' RETURNING ALL OLD *'),
        'remove where masked': execute('DELETE FROM "{t}" ' + one + " AND masked = 'x'"),
        'insert masked': execute("INSERT INTO \"{t}\" VALUE {{'p': '{me}', 's': '9', 'masked': 'x'}}"),
        'batch select masked': batch('SELECT masked FROM "{t}" ' + one),
        'batch select *': batch('SELECT * FROM "{t}" ' + one),
        'batch set shown = masked': batch('UPDATE "{t}" SET shown = masked ' + one + ' RETURNING MODIFIED NEW *'),
        'transaction select *': transaction('SELECT * FROM "{t}" ' + one),
        'transaction exists masked': transaction('EXISTS(SELECT * FROM "{t}" ' + one + " AND masked = 'SECRET-masked')"),
        'transaction exists for old': transaction('EXISTS(SELECT * FROM "{t}" ' + one + " AND shown = 'x')", **on_failure),
        'transaction insert for old': transaction("INSERT INTO \"{t}\" VALUE {{'p': '{me}', 's': '1'}}", **on_failure),
        # What is around.
        'list tables': ('ListTables', {}),
        'describe': ('DescribeTable', named),
        'describe what is not there': ('DescribeTable', {'TableName': t + '-not'}),
        'get of what is not there': ('GetItem', {**mine, 'TableName': t + '-not'}),
        'delete the table': ('DeleteTable', named),
        'update the table': ('UpdateTable', {**named, 'StreamSpecification': {'StreamEnabled': False}}),
        'tags': ('ListTagsOfResource', {'ResourceArn': table_arn(t)}),
        'tag': ('TagResource', {'ResourceArn': table_arn(t), 'Tags': [{'Key': 'a', 'Value': 'b'}]}),
        'time to live': ('DescribeTimeToLive', named),
        'the policy': ('GetResourcePolicy', {'ResourceArn': table_arn(t)}),
        'a policy of his own': ('PutResourcePolicy', {'ResourceArn': table_arn(t), 'Policy': policy(
            {**allow(), 'Principal': '*'})}),
        'insights': ('DescribeContributorInsights', named),
        'list streams': ('ListStreams', {}),
        'list its streams': ('ListStreams', named),
        'describe stream': ('DescribeStream', {'StreamArn': world.stream}),
        'an iterator': ('GetShardIterator', world.shard),
        "another's iterator": ('GetRecords', {'ShardIterator': world.iterator}),
    }
    return may, may_not


def names():
    class Nothing:
        table, me, stream, iterator, shard = 't', 'me', 'x', 'x', {}
    may, may_not = requests(Nothing)
    return [(name, True) for name in may] + [(name, False) for name in may_not]


@pytest.mark.parametrize('way', ['HTTP', 'SQL', 'session'])
@pytest.mark.parametrize('name,allowed', names())
def test_request(world, way, name, allowed):
    operation, request = requests(world)[not allowed][name]
    call = world.way(way)
    if allowed:
        assert 'SECRET' not in json.dumps(call(operation, request), default=repr)
        return
    with pytest.raises(Denied) as denied:
        call(operation, request)
    assert 'SECRET' not in repr(denied.value.args)
    # What there is has not changed.
    items = world.call('scan', {'TableName': world.table})['Items']
    assert [i['shown']['S'] for i in items if i['s']['S'] == '1' and i['p']['S'] == 'other'] == ['SECRET-shown']
    assert all(i['masked']['S'] == 'SECRET-masked' for i in items if i['s']['S'] == '1')


@pytest.mark.parametrize('way', ['HTTP', 'SQL', 'session'])
def test_forged_next_token(world, way):
    call = world.way(way)
    for i in range(3):
        world.call('put_item', {'TableName': world.table, 'Item': {
            'p': s(world.me), 's': s(f'token-{i}'), 'shown': s('mine')}})
    statement = {'Statement': f"SELECT shown FROM \"{world.table}\" WHERE p = '{world.me}'", 'Limit': 1}
    token = json.loads(base64.b64decode(call('ExecuteStatement', statement)['NextToken']))
    token['Key'] = {'p': s('other'), 's': s('0')}
    with pytest.raises(Failed) as failed:
        call('ExecuteStatement', {**statement, 'NextToken': base64.b64encode(json.dumps(token).encode()).decode()})
    assert 'SECRET' not in repr(failed.value.args)


@pytest.mark.parametrize('way', ['HTTP', 'SQL', 'session'])
def test_start_key_elsewhere(world, way):
    with pytest.raises(Failed) as failed:
        world.way(way)('Query', {
            'TableName': world.table, 'KeyConditionExpression': 'p = :p', 'ProjectionExpression': 'shown',
            'ExpressionAttributeValues': {':p': s(world.me)}, 'ExclusiveStartKey': {'p': s('other'), 's': s('0')}})
    assert 'SECRET' not in repr(failed.value.args)


# ----- SQL -----

@pytest.mark.parametrize('statement', [
    'SELECT * FROM dynamo_data."{t}"',
    'SELECT count(*) FROM dynamo_data."{t}"',
    'SELECT partition_key FROM dynamo_data."{t}"',
    'COPY dynamo_data."{t}" TO STDOUT',
    'UPDATE dynamo_data."{t}" SET hash = hash',
    'DELETE FROM dynamo_data."{t}"',
    "INSERT INTO dynamo_data.\"{t}\" (item) VALUES ('{{}}')",
    'TRUNCATE dynamo_data."{t}"',
    'LOCK dynamo_data."{t}"',
    'EXPLAIN ANALYZE SELECT * FROM dynamo_data."{t}"',
    'ANALYZE dynamo_data."{t}"; SELECT 1/0',
    'CREATE TRIGGER spy BEFORE INSERT ON dynamo_data."{t}" FOR EACH ROW EXECUTE FUNCTION dynamo.set_key_columns()',
    'CREATE TABLE dynamo_data.mine (a int)',
    'ALTER TABLE dynamo_data."{t}" OWNER TO "{me}"',
    'TABLE dynamo.access_keys', 'TABLE dynamo.policies', 'TABLE dynamo.attached_policies',
    'TABLE dynamo.principals', 'TABLE dynamo.resource_policies', 'TABLE dynamo.data_keys',
    'TABLE dynamo_internal.change_segments', 'TABLE dynamo_internal.request_tokens',
    'TABLE dynamo.stat_operations', 'TABLE dynamo.stat_change_log', 'TABLE dynamo.stat_stream_lag',
    'TABLE dynamo.stat_time_to_live',
    "UPDATE dynamo.tables SET relation = 'pg_class'",
    "SELECT * FROM dynamo.explain_access('{me}', 'GetItem')",
    "SELECT dynamo.attach_policy('{me}', '{me}-0')",
    "SELECT dynamo.put_policy('{me}-0', '{{}}')",
    "SELECT dynamo.create_access_key('{me}')",
    "SELECT dynamo.notify_stream('{t}')",
    "SELECT dynamo.verify_table('{t}')",
    "SELECT * FROM dynamo.stream_records('{t}')",
])
def test_sql_is_closed(world, statement):
    text = statement.format(t=world.table, me=world.me).replace('%', '%%')
    with pytest.raises((Denied, Failed)) as refused:
        world.user.in_sql(text)
    assert refused.value.args[1] in ('42501', 'KV013', '22012'), refused.value.args
    assert 'SECRET' not in repr(refused.value.args)


@pytest.mark.parametrize('catalog', ['tables', 'indexes', 'tags', 'streams', 'stream_shards', 'stat_jobs',
                                     'my_access_keys', 'my_policies'])
def test_catalogs_show_nothing_of_it(world, catalog):
    rows = world.user.in_sql(f'TABLE dynamo.{catalog}')
    assert world.table not in repr(rows) or catalog == 'my_policies'
    assert 'SECRET' not in repr(rows)
    if not catalog.startswith('my_'):
        assert rows == []
    # Whoever has a privilege sees the table, and what is of it.
    if catalog in ('tables', 'indexes', 'tags', 'streams'):
        world.sql(f'GRANT SELECT ON dynamo_data."{world.table}" TO "{world.me}"')
        try:
            assert world.table in repr(world.user.in_sql(f'TABLE dynamo.{catalog}'))
        finally:
            world.sql(f'REVOKE SELECT ON dynamo_data."{world.table}" FROM "{world.me}"')


def test_every_function(world):
    """Called with what leads to the table and others' items, none gives them away."""
    functions = world.sql("""
        SELECT p.oid::regprocedure::text, p.proname, p.proargtypes::regtype[]::text[], p.proretset, p.prokind
        FROM pg_proc p WHERE pronamespace = 'dynamo'::regnamespace
        AND prorettype <> ALL ('{trigger,event_trigger,internal,index_am_handler}'::regtype[]) AND prokind = 'f'""")
    assert len(functions) > 90
    item = json.dumps({'p': s('other'), 's': s('1')})
    request = json.dumps({'TableName': world.table, 'Key': json.loads(item), 'ResourceArn': table_arn(world.table),
                          'StreamArn': world.stream, 'ShardIterator': world.iterator})
    values = {'text': world.table, 'json': request, 'jsonb': '{}', 'dynamo.item': item, 'name': world.me,
              'regclass': f'dynamo_data."{world.table}"', 'boolean': 'true', 'integer': '1', 'bigint': '1',
              'interval': '1 day', 'text[]': '{masked}', 'bytea': 'x', 'cstring': item}
    reached = 0
    for signature, name, types, _, _ in functions:
        if any(kind not in values for kind in types):
            assert 'internal' in types or '"any"' in types or 'oid' in types, signature
            continue
        arguments = ', '.join(f"{psycopg_literal(values[kind])}::{kind}" for kind in types)
        try:
            rows = world.user.in_sql(f'SELECT * FROM dynamo."{name}"({arguments})'.replace('%', '%%'))
            reached += 1
        except (Denied, Failed) as refused:
            rows = refused.args
        assert 'SECRET' not in repr(rows), signature
    assert reached > 20


def psycopg_literal(text):
    return "'" + text.replace("'", "''") + "'"
