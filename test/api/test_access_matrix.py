"""Who may do what: every action, asked for by principals with all kinds of policies
and privileges, by HTTP and in SQL alike; then every condition key.

A column of MATRIX is a principal:

nobody    has no policy and no privilege
all       Allow of every action on everything
this      Allow of just this action on just this resource
other     Allow of every action but this
elsewhere Allow of every action on other tables
deny      all, and a Deny of this action
bound     all, within a permissions boundary that allows another action
group     a member of a role with all
reader    SELECT on the table's relation
writer    SELECT, INSERT, UPDATE and DELETE
owner     owns the relation, and has CREATE on the schema
tamed     the same, with a Deny of this action
guest     allowed this action by the resource's policy
barred    all, with a Deny in the resource's policy

and a cell what it is told:

+         it may
-         no identity-based policy allows it
!         with an explicit deny in an identity-based policy
b         no permissions boundary allows it
r         with an explicit deny in a resource-based policy
"""
import itertools
import json

import pytest

from access import Denied, Failed, allow, deny, policy, principals, table_arn
from conftest import unique

pytestmark = pytest.mark.not_aws

MATRIX = """
                                     nobody all this other elsewhere deny bound group reader writer owner tamed guest barred
BatchGetItem                            -    +   +     -       -       !    b     +     +      +      +     !     +     r
BatchWriteItem                          -    +   +     -       -       !    b     +     -      +      +     !     +     r
BatchExecuteStatement:SELECT            -    +   +     -       -       !    b     +     +      +      +     !     +     r
BatchExecuteStatement:INSERT            -    +   +     -       -       !    b     +     -      +      +     !     +     r
BatchExecuteStatement:UPDATE            -    +   +     -       -       !    b     +     -      +      +     !     +     r
BatchExecuteStatement:DELETE            -    +   +     -       -       !    b     +     -      +      +     !     +     r
CreateTable                             -    +   +     -       -       !    b     +     -      -      +     !     -     +
DeleteItem                              -    +   +     -       -       !    b     +     -      +      +     !     +     r
DeleteResourcePolicy                    -    +   +     -       -       !    b     +     -      -      +     !     +     r
DeleteTable                             -    +   +     -       -       !    b     +     -      -      +     !     +     r
DescribeContinuousBackups               -    +   +     -       -       !    b     +     +      +      +     !     +     r
DescribeContributorInsights             -    +   +     -       -       !    b     +     +      +      +     !     +     r
DescribeContributorInsights:index       -    +   +     -       -       !    b     +     +      +      +     !     +     r
DescribeEndpoints                       +    +   +     +       +       !    b     +     +      +      +     !     +     +
DescribeKinesisStreamingDestination     -    +   +     -       -       !    b     +     +      +      +     !     +     r
DescribeLimits                          +    +   +     +       +       !    b     +     +      +      +     !     +     +
DescribeStream                          -    +   +     -       -       !    b     +     +      +      +     !     +     r
DescribeTable                           -    +   +     -       -       !    b     +     +      +      +     !     +     r
DescribeTableReplicaAutoScaling         -    +   +     -       -       !    b     +     +      +      +     !     +     r
DescribeTimeToLive                      -    +   +     -       -       !    b     +     +      +      +     !     +     r
ExecuteStatement:SELECT                 -    +   +     -       -       !    b     +     +      +      +     !     +     r
ExecuteStatement:SELECT of index        -    +   +     -       -       !    b     +     +      +      +     !     +     r
ExecuteStatement:INSERT                 -    +   +     -       -       !    b     +     -      +      +     !     +     r
ExecuteStatement:UPDATE                 -    +   +     -       -       !    b     +     -      +      +     !     +     r
ExecuteStatement:DELETE                 -    +   +     -       -       !    b     +     -      +      +     !     +     r
ExecuteTransaction:SELECT               -    +   +     -       -       !    b     +     +      +      +     !     +     r
ExecuteTransaction:EXISTS               -    +   +     -       -       !    b     +     +      +      +     !     +     r
ExecuteTransaction:INSERT               -    +   +     -       -       !    b     +     -      +      +     !     +     r
ExecuteTransaction:UPDATE               -    +   +     -       -       !    b     +     -      +      +     !     +     r
ExecuteTransaction:DELETE               -    +   +     -       -       !    b     +     -      +      +     !     +     r
GetItem                                 -    +   +     -       -       !    b     +     +      +      +     !     +     r
GetRecords                              -    +   +     -       -       !    b     +     +      +      +     !     +     r
GetResourcePolicy                       -    +   +     -       -       !    b     +     -      -      +     !     +     r
GetShardIterator                        -    +   +     -       -       !    b     +     +      +      +     !     +     r
ListBackups                             +    +   +     +       +       !    b     +     +      +      +     !     +     +
ListContributorInsights                 +    +   +     +       +       !    b     +     +      +      +     !     +     +
ListExports                             +    +   +     +       +       !    b     +     +      +      +     !     +     +
ListGlobalTables                        +    +   +     +       +       !    b     +     +      +      +     !     +     +
ListImports                             +    +   +     +       +       !    b     +     +      +      +     !     +     +
ListStreams                             -    +   +     -       -       !    b     +     +      +      +     !     -     +
ListTables                              -    +   +     -       -       !    b     +     +      +      +     !     -     +
ListTagsOfResource                      -    +   +     -       -       !    b     +     +      +      +     !     +     r
PutItem                                 -    +   +     -       -       !    b     +     -      +      +     !     +     r
PutResourcePolicy                       -    +   +     -       -       !    b     +     -      -      +     !     +     r
Query                                   -    +   +     -       -       !    b     +     +      +      +     !     +     r
Query:index                             -    +   +     -       -       !    b     +     +      +      +     !     +     r
Scan                                    -    +   +     -       -       !    b     +     +      +      +     !     +     r
Scan:index                              -    +   +     -       -       !    b     +     +      +      +     !     +     r
TagResource                             -    +   +     -       -       !    b     +     -      -      +     !     +     r
TransactGetItems                        -    +   +     -       -       !    b     +     +      +      +     !     +     r
TransactWriteItems:ConditionCheck       -    +   +     -       -       !    b     +     +      +      +     !     +     r
TransactWriteItems:Delete               -    +   +     -       -       !    b     +     -      +      +     !     +     r
TransactWriteItems:Put                  -    +   +     -       -       !    b     +     -      +      +     !     +     r
TransactWriteItems:Update               -    +   +     -       -       !    b     +     -      +      +     !     +     r
UntagResource                           -    +   +     -       -       !    b     +     -      -      +     !     +     r
UpdateItem                              -    +   +     -       -       !    b     +     -      +      +     !     +     r
UpdateTable                             -    +   +     -       -       !    b     +     -      -      +     !     +     r
UpdateTimeToLive                        -    +   +     -       -       !    b     +     -      -      +     !     +     r
"""

COLUMNS = MATRIX.split('\n')[1].split()
ROWS = {line[:36].strip(): line[36:].split() for line in MATRIX.split('\n')[2:] if line}

REASONS = {
    '-': 'because no identity-based policy allows the {} action',
    '!': 'with an explicit deny in an identity-based policy',
    'b': 'because no permissions boundary allows the {} action',
    'r': 'with an explicit deny in a resource-based policy',
}

# The action, where it is not the operation.
ACTIONS = {
    'SELECT': 'PartiQLSelect', 'SELECT of index': 'PartiQLSelect', 'EXISTS': 'PartiQLSelect',
    'INSERT': 'PartiQLInsert', 'UPDATE': 'PartiQLUpdate', 'DELETE': 'PartiQLDelete',
    'ConditionCheck': 'ConditionCheckItem', 'Delete': 'DeleteItem', 'Put': 'PutItem',
    'Update': 'UpdateItem', 'TransactGetItems': 'GetItem',
}
NO_RESOURCE = ('DescribeEndpoints', 'DescribeLimits', 'ListBackups', 'ListContributorInsights',
               'ListExports', 'ListGlobalTables', 'ListImports', 'ListStreams', 'ListTables')
OF_STREAM = ('DescribeStream', 'GetRecords', 'GetShardIterator')

A = {'S': 'a'}
KEY = {'p': A, 's': A}
EXISTS = 'EXISTS(SELECT * FROM "{t}" WHERE p = \'a\' AND s = \'a\' AND n = 1)'
KEYS = [{'AttributeName': 'p', 'KeyType': 'HASH'}, {'AttributeName': 's', 'KeyType': 'RANGE'}]
TYPES = [{'AttributeName': n, 'AttributeType': 'S'} for n in 'psg']
numbers = itertools.count(1)


def statement(kind, t):
    new = f'x{next(numbers)}'
    return {
        'SELECT': f"SELECT * FROM \"{t}\" WHERE p = 'a' AND s = 'a'",
        'SELECT of index': f"SELECT * FROM \"{t}\".\"by_g\" WHERE g = 'a'",
        'EXISTS': f"EXISTS(SELECT * FROM \"{t}\" WHERE p = 'a' AND s = 'a' AND g = 'a')",
        'INSERT': f"INSERT INTO \"{t}\" VALUE {{'p': 'a', 's': '{new}'}}",
        'UPDATE': f"UPDATE \"{t}\" SET n = 1 WHERE p = 'a' AND s = 'a'",
        'DELETE': f"DELETE FROM \"{t}\" WHERE p = 'a' AND s = '{new}'",
    }[kind]


class World:
    """A table with everything, and the principals of the columns."""

    def __init__(self, sql, make):
        self.sql = sql
        name = unique('m').replace('-', '_')
        self.table = f'{name}_table'
        self.owner = make(f'{name}_owner')
        sql(f'GRANT CREATE ON SCHEMA dynamo_data TO "{self.owner.role}"')
        self.create(self.table)
        sql('SELECT dynamo.put_item(%s, %s)', self.table, json.dumps({**KEY, 'g': A, 'n': {'N': '1'}}))
        self.stream = self.describe()['LatestStreamArn']
        group = make(f'{name}_group', policy(allow()))
        everything = policy(allow())
        self.principals = {
            'nobody': make(f'{name}_nobody'),
            'all': make(f'{name}_all', everything),
            'this': make(f'{name}_this', everything),
            'other': make(f'{name}_other', everything),
            'elsewhere': make(f'{name}_elsewhere', policy(allow(resource=table_arn('elsewhere*')))),
            'deny': make(f'{name}_deny', everything, everything),
            'bound': make(f'{name}_bound', everything),
            'group': make(f'{name}_member', member_of=group.role),
            'reader': make(f'{name}_reader'),
            'writer': make(f'{name}_writer'),
            'owner': self.owner,
            'tamed': make(f'{name}_tamed', everything, member_of=self.owner.role),
            'guest': make(f'{name}_guest'),
            'barred': make(f'{name}_barred', everything),
        }
        sql('SELECT dynamo.put_policy(%s, %s)', f'{name}-boundary', policy(allow('dynamodb:Nothing')))
        sql('SELECT dynamo.put_permissions_boundary(%s, %s)', f'{name}_bound', f'{name}-boundary')
        self.grant(self.table)

    def grant(self, table):
        sql, of = self.sql, self.principals
        sql(f'GRANT SELECT ON dynamo_data."{table}" TO "{of["reader"].role}"')
        sql(f'GRANT SELECT, INSERT, UPDATE, DELETE ON dynamo_data."{table}" TO "{of["writer"].role}"')

    def create(self, table):
        request = {
            'TableName': table, 'BillingMode': 'PAY_PER_REQUEST', 'KeySchema': KEYS,
            'AttributeDefinitions': TYPES,
            'GlobalSecondaryIndexes': [{'IndexName': 'by_g', 'KeySchema': [
                {'AttributeName': 'g', 'KeyType': 'HASH'}], 'Projection': {'ProjectionType': 'ALL'}}],
            'StreamSpecification': {'StreamEnabled': True, 'StreamViewType': 'NEW_IMAGE'}}
        cursor = self.sql.connection.cursor()
        cursor.execute(f'SET ROLE "{self.owner.role}"')
        cursor.execute('SELECT dynamo.create_table(%s)', (json.dumps(request),))
        cursor.execute('RESET ROLE')

    def describe(self):
        return self.sql('SELECT dynamo.describe_table(%s)',
                        json.dumps({'TableName': self.table}))[0][0]['Table']

    def iterator(self):
        call = self.sql
        shards = call('SELECT dynamo.describe_stream(%s)', json.dumps(
            {'StreamArn': self.stream}))[0][0]['StreamDescription']['Shards']
        self.shard = shards[0]['ShardId']
        return call('SELECT dynamo.get_shard_iterator(%s)', json.dumps(
            {'StreamArn': self.stream, 'ShardId': self.shard,
             'ShardIteratorType': 'TRIM_HORIZON'}))[0][0]['ShardIterator']

    def request(self, row, table):
        """The request of a row, its action and its resource."""
        operation, _, variant = row.partition(':')
        arn = table_arn(table)
        named = {'TableName': table}
        keyed = {**named, 'Key': KEY}
        iterator = self.iterator()
        condition = {'ConditionExpression': 'attribute_exists(p)'}
        requests = {
            'BatchGetItem': {'RequestItems': {table: {'Keys': [KEY]}}},
            'BatchWriteItem': {'RequestItems': {table: [{'PutRequest': {'Item': {'p': A, 's': {'S': 'b'}}}}]}},
            'BatchExecuteStatement': {'Statements': [{'Statement': statement(variant, table)}]}
            if 'Execute' in row else None,
            'CreateTable': {'TableName': f'{self.table}_{next(numbers)}', 'BillingMode': 'PAY_PER_REQUEST',
                            'KeySchema': KEYS[:1], 'AttributeDefinitions': TYPES[:1]},
            'DeleteItem': {**named, 'Key': {'p': A, 's': {'S': 'gone'}}},
            'DeleteResourcePolicy': {'ResourceArn': arn},
            'DeleteTable': named,
            'DescribeContributorInsights': {**named, **({'IndexName': 'by_g'} if variant else {})},
            'DescribeStream': {'StreamArn': self.stream},
            'ExecuteStatement': {'Statement': statement(variant, table)} if 'Execute' in row else None,
            'ExecuteTransaction': {'TransactStatements': [{'Statement': statement(variant, table)}]}
            if 'Execute' in row else None,
            'GetItem': keyed,
            'GetRecords': {'ShardIterator': iterator},
            'GetResourcePolicy': {'ResourceArn': arn},
            'GetShardIterator': {'StreamArn': self.stream, 'ShardId': self.shard,
                                 'ShardIteratorType': 'LATEST'},
            'ListTagsOfResource': {'ResourceArn': arn},
            'PutItem': {**named, 'Item': {**KEY, 'g': A}},
            'PutResourcePolicy': {'ResourceArn': arn, 'Policy': policy(
                {**deny('dynamodb:DescribeLimits', arn), 'Principal': {'AWS': self.owner.arn}}),
                'ConfirmRemoveSelfResourceAccess': True},
            'Query': {**named, 'IndexName': 'by_g', 'KeyConditionExpression': 'g = :a',
                      'ExpressionAttributeValues': {':a': A}} if variant else
                     {**named, 'KeyConditionExpression': 'p = :a', 'ExpressionAttributeValues': {':a': A}},
            'Scan': {**named, 'IndexName': 'by_g'} if variant else named,
            'TagResource': {'ResourceArn': arn, 'Tags': [{'Key': 'k', 'Value': 'v'}]},
            'TransactGetItems': {'TransactItems': [{'Get': keyed}]},
            'TransactWriteItems': {'TransactItems': [{variant: {
                **named, **({'Item': KEY} if variant == 'Put' else {'Key': KEY}),
                **({'UpdateExpression': 'SET n = p'} if variant == 'Update' else {}),
                **(condition if variant == 'ConditionCheck' else {})}}]},
            'UntagResource': {'ResourceArn': arn, 'TagKeys': ['k']},
            'UpdateItem': keyed,
            'UpdateTable': {**named, 'DeletionProtectionEnabled': False},
            'UpdateTimeToLive': {**named, 'TimeToLiveSpecification': {'AttributeName': 't', 'Enabled': True}},
        }
        request = requests.get(operation, {} if operation in NO_RESOURCE else named)
        action = ACTIONS.get(variant) or ACTIONS.get(operation) or operation
        resource = '*' if operation in NO_RESOURCE else \
            self.stream if operation in OF_STREAM else \
            table_arn(request['TableName']) if operation == 'CreateTable' else \
            f'{arn}/index/by_g' if 'index' in variant else arn
        return operation, request, 'dynamodb:' + action, resource

    def prepare(self, column, operation, action, resource, table):
        """The policies of a column that depend on the action."""
        of = self.principals
        if column == 'this':
            of[column].replace(0, policy(allow(action, resource)))
        elif column == 'other':
            of[column].replace(0, policy({'Effect': 'Allow', 'NotAction': action, 'Resource': '*'}))
        elif column == 'deny':
            of[column].replace(1, policy(deny(action)))
        elif column == 'tamed':
            of[column].replace(0, policy(deny(action)))
        elif column in ('guest', 'barred') and resource != '*' and operation != 'CreateTable':
            effect = 'Allow' if column == 'guest' else 'Deny'
            self.sql('SELECT dynamo.put_resource_policy(%s)', json.dumps({
                'ResourceArn': self.stream if operation in OF_STREAM else table_arn(table),
                'Policy': policy({'Effect': effect, 'Action': action, 'Resource': resource,
                                  'Principal': {'AWS': of[column].arn}})}))

    def restore(self, column):
        if column in ('guest', 'barred'):
            for arn in (table_arn(self.table), self.stream):
                self.sql('SELECT dynamo.delete_resource_policy(%s)', json.dumps({'ResourceArn': arn}))


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
        sql(f"SELECT dynamo.delete_table(json_build_object('TableName', name)) FROM dynamo.tables"
            f" WHERE starts_with(name, '{world.table}')")
    connection.close()


def answer(call, operation, request, action):
    """A cell of the matrix: what a call was told."""
    try:
        call(operation, request)
    except Denied as denied:
        message = denied.args[0]
        assert f'is not authorized to perform: {action} on resource: ' in message
        for letter, reason in REASONS.items():
            if message.endswith(reason.format(action)):
                return letter
        return message
    except Failed:
        return '+'
    return '+'


@pytest.mark.parametrize('row', ROWS)
def test_action(world, row):
    told = {'HTTP': [], 'SQL': []}
    for column in COLUMNS:
        principal = world.principals[column]
        for way, call in (('SQL', principal.by_sql), ('HTTP', principal.by_http)):
            table = world.table
            if row == 'DeleteTable' and way == 'HTTP':
                table = f'{world.table}_{next(numbers)}'
                world.create(table)
                world.grant(table)
            operation, request, action, resource = world.request(row, table)
            world.prepare(column, operation, action, resource, table)
            told[way].append(answer(call, operation, request, action))
            world.restore(column)
    assert told['HTTP'] == ROWS[row], dict(zip(COLUMNS, told['HTTP']))
    assert told['SQL'] == ROWS[row], dict(zip(COLUMNS, told['SQL']))


def test_the_matrix_has_every_operation(sql):
    """And so no operation is left without a permission."""
    operations = {name for name, in sql(
        "SELECT split_part(obj_description(p.oid), ':', 1) FROM pg_proc p"
        " WHERE pronamespace = 'dynamo'::regnamespace AND pronargs = 1"
        " AND prosrc LIKE 'dyn\\_sql\\_%'") if not name.startswith('STS ')}
    assert {row.partition(':')[0] for row in ROWS} == operations


# ----- conditions -----

# What is asked for, in CONDITIONS' first column.  {t} is the table, with tag team = red;
# {n} and {b} have a partition key that is a number, or binary; {m} has an index whose
# partition key has two attributes.
def requests_of(t):
    n, b, m = t + '_n', t + '_b', t + '_m'
    named = {'TableName': t}
    key = {**named, 'Key': KEY}
    value = {'ExpressionAttributeValues': {':a': A}}
    partition = {**named, 'KeyConditionExpression': 'p = :a', **value}
    index = {**named, 'IndexName': 'by_g', 'KeyConditionExpression': 'g = :a', **value}
    update = {**key, 'UpdateExpression': 'SET n = :a', **value}
    on_failure = {'ReturnValuesOnConditionCheckFailure': 'ALL_OLD'}
    other = {'p': {'S': 'b'}, 's': A}
    put = {**named, 'Item': {**KEY, 'n': A}}
    check = {**key, 'ConditionExpression': 'n = :a', **value}
    create = {'TableName': t + '_new', 'BillingMode': 'PAY_PER_REQUEST', 'KeySchema': KEYS[:1],
              'AttributeDefinitions': TYPES[:1]}

    def execute(text, **more):
        return 'ExecuteStatement', {'Statement': text.format(t=t), **more}

    def transaction(text, **more):
        return 'ExecuteTransaction', {'TransactStatements': [{'Statement': text.format(t=t), **more}]}

    def batch(text):
        return 'BatchExecuteStatement', {'Statements': [{'Statement': text.format(t=t)}]}

    one = "WHERE p = 'a' AND s = 'a'"
    return {
        'get': ('GetItem', key),
        'get of b': ('GetItem', {**named, 'Key': other}),
        'get n': ('GetItem', {**key, 'ProjectionExpression': 'n'}),
        'get #n.x': ('GetItem', {**key, 'ProjectionExpression': '#n.x', 'ExpressionAttributeNames': {'#n': 'n'}}),
        'get, older': ('GetItem', {**key, 'AttributesToGet': ['n']}),
        'get for capacity': ('GetItem', {**key, 'ReturnConsumedCapacity': 'TOTAL'}),
        'get 1.50': ('GetItem', {'TableName': n, 'Key': {'p': {'N': '1.50'}}}),
        'get 1e20': ('GetItem', {'TableName': n, 'Key': {'p': {'N': '1e20'}}}),
        'get binary': ('GetItem', {'TableName': b, 'Key': {'p': {'B': b'\x00\xff'}}}),
        'batch get a': ('BatchGetItem', {'RequestItems': {t: {'Keys': [KEY]}}}),
        'batch get a, b': ('BatchGetItem', {'RequestItems': {t: {'Keys': [KEY, other]}}}),
        'batch get n': ('BatchGetItem', {'RequestItems': {t: {'Keys': [KEY], 'ProjectionExpression': 'n'}}}),
        'batch put a': ('BatchWriteItem', {'RequestItems': {t: [{'PutRequest': {'Item': {**KEY, 'n': A}}}]}}),
        'batch put a, delete b': ('BatchWriteItem', {'RequestItems': {t: [
            {'PutRequest': {'Item': KEY}}, {'DeleteRequest': {'Key': other}}]}}),
        'query': ('Query', partition),
        'query n': ('Query', {**partition, 'ProjectionExpression': 'n'}),
        'query count': ('Query', {**partition, 'Select': 'COUNT'}),
        'query filter n': ('Query', {**partition, 'FilterExpression': 'n = :a', 'ProjectionExpression': 's'}),
        'query, older': ('Query', {**named, 'KeyConditions': {'p': {
            'ComparisonOperator': 'EQ', 'AttributeValueList': [A]}}, 'QueryFilter': {'n': {
                'ComparisonOperator': 'NOT_NULL'}}, 'AttributesToGet': ['s']}),
        'query index': ('Query', index),
        'query index n': ('Query', {**index, 'ProjectionExpression': 'n'}),
        'query two parts': ('Query', {'TableName': m, 'IndexName': 'by_gh', 'KeyConditionExpression':
                                      'g = :a AND h = :b', 'ExpressionAttributeValues': {':a': A, ':b': {'N': '2'}}}),
        'scan': ('Scan', named),
        'scan n': ('Scan', {**named, 'ProjectionExpression': 'n'}),
        'scan filter n': ('Scan', {**named, 'FilterExpression': 'n = :a', 'ProjectionExpression': 's', **value}),
        'scan, older': ('Scan', {**named, 'ScanFilter': {'n': {'ComparisonOperator': 'NOT_NULL'}},
                                 'AttributesToGet': ['s']}),
        'put': ('PutItem', put),
        'put if n': ('PutItem', {**named, 'Item': KEY, 'ConditionExpression': 'n = :a', **value}),
        'put expecting n': ('PutItem', {**named, 'Item': KEY, 'Expected': {'n': {'Exists': False}}}),
        'put for old': ('PutItem', {**put, 'ReturnValues': 'ALL_OLD'}),
        'put for old on failure': ('PutItem', {**put, 'ConditionExpression': 'n = :a', **value, **on_failure}),
        'update': ('UpdateItem', update),
        'update by n': ('UpdateItem', {**key, 'UpdateExpression': 'SET g = n'}),
        'update by n or so': ('UpdateItem', {**key, 'UpdateExpression': 'SET g = if_not_exists(n, :a)', **value}),
        'update remove n': ('UpdateItem', {**key, 'UpdateExpression': 'REMOVE n.x'}),
        'update, older': ('UpdateItem', {**key, 'AttributeUpdates': {'n': {'Action': 'DELETE'}}}),
        'update for new': ('UpdateItem', {**update, 'ReturnValues': 'ALL_NEW'}),
        'update for updated': ('UpdateItem', {**update, 'ReturnValues': 'UPDATED_NEW'}),
        'update for updated, old on failure': ('UpdateItem', {**update, 'ReturnValues': 'UPDATED_NEW', **on_failure}),
        'delete': ('DeleteItem', key),
        'delete for old': ('DeleteItem', {**key, 'ReturnValues': 'ALL_OLD'}),
        'delete if n': ('DeleteItem', check),
        'transact get': ('TransactGetItems', {'TransactItems': [{'Get': key}]}),
        'transact get n': ('TransactGetItems', {'TransactItems': [{'Get': {**key, 'ProjectionExpression': 'n'}}]}),
        'transact get a, b': ('TransactGetItems', {'TransactItems': [{'Get': key}, {'Get': {**named, 'Key': other}}]}),
        'transact put': ('TransactWriteItems', {'TransactItems': [{'Put': put}]}),
        'transact update': ('TransactWriteItems', {'TransactItems': [{'Update': update}]}),
        'transact delete': ('TransactWriteItems', {'TransactItems': [{'Delete': key}]}),
        'transact check n': ('TransactWriteItems', {'TransactItems': [{'ConditionCheck': check}]}),
        'transact check n for old': ('TransactWriteItems', {'TransactItems': [{'ConditionCheck': {**check, **on_failure}}]}),
        'transact put a, check b': ('TransactWriteItems', {'TransactItems': [
            {'Put': put}, {'ConditionCheck': {**check, 'Key': other}}]}),
        'select *': execute('SELECT * FROM "{t}" ' + one),
        'select n': execute('SELECT n FROM "{t}" ' + one),
        'select p': execute('SELECT p FROM "{t}" ' + one),
        'select p where n': execute('SELECT p FROM "{t}" ' + one + " AND n = 'x'"),
        'select in a, b': execute('SELECT p FROM "{t}" WHERE p IN [\'a\', \'b\']'),
        'select all': execute('SELECT p FROM "{t}"'),
        'select index': execute('SELECT p FROM "{t}"."by_g" WHERE g = \'a\''),
        'insert': execute("INSERT INTO \"{t}\" VALUE {{'p': 'a', 's': 'new', 'n': 'x'}}"),
        'set n': execute('UPDATE "{t}" SET n = \'x\' ' + one),
        'set g by n': execute('UPDATE "{t}" SET g = n ' + one),
        'set n for old': execute('UPDATE "{t}" SET n = \'x\' ' + one + ' RETURNING ALL OLD *'),
        'set n for modified': execute('UPDATE "{t}" SET n = \'x\' ' + one + ' RETURNING MODIFIED NEW *'),
        'set n for old on failure': execute('UPDATE "{t}" SET n = \'x\' ' + one, **on_failure),
        'remove': execute('DELETE FROM "{t}" ' + one),
        'remove where n': execute('DELETE FROM "{t}" ' + one + " AND n = 'x'"),
        'batch select n': batch('SELECT n FROM "{t}" ' + one),
        'batch set n': batch('UPDATE "{t}" SET n = \'x\' ' + one),
        'transaction select n': transaction('SELECT n FROM "{t}" ' + one),
        'transaction set n': transaction('UPDATE "{t}" SET n = \'x\' ' + one),
        'transaction exists n': transaction('EXISTS(SELECT * FROM "{t}" ' + one + " AND n = 'x')"),
        'transaction exists n for old': transaction('EXISTS(SELECT * FROM "{t}" ' + one + " AND n = 'x')", **on_failure),
        'describe': ('DescribeTable', named),
        'create': ('CreateTable', create),
        'create with team': ('CreateTable', {**create, 'Tags': [{'Key': 'team', 'Value': 'red'}]}),
        'tag team red': ('TagResource', {'ResourceArn': table_arn(t), 'Tags': [{'Key': 'team', 'Value': 'red'}]}),
        'tag team blue': ('TagResource', {'ResourceArn': table_arn(t), 'Tags': [{'Key': 'team', 'Value': 'blue'}]}),
        'untag team': ('UntagResource', {'ResourceArn': table_arn(t), 'TagKeys': ['team']}),
    }


# What is asked for | the condition: operator, key (dynamodb: if it has no prefix),
# values; several of them joined by & | may it: by HTTP and SQL, or by HTTP / by SQL.
CONDITIONS = """
get                                | ForAllValues:StringEquals LeadingKeys a               | +
get of b                           | ForAllValues:StringEquals LeadingKeys a               | -
get                                | ForAllValues:StringLike LeadingKeys ?                 | +
get                                | ForAnyValue:StringEquals LeadingKeys b                | -
get 1.50                           | ForAllValues:StringEquals LeadingKeys 1.5             | +
get 1.50                           | ForAllValues:StringEquals LeadingKeys 1.50            | -
get 1.50                           | ForAllValues:NumericLessThan LeadingKeys 2            | +
get 1e20                           | ForAllValues:StringEquals LeadingKeys 100000000000000000000 | +
get binary                         | ForAllValues:StringEquals LeadingKeys AP8=            | +
get                                | ForAllValues:StringEquals FirstPartitionKeyValues a   | +
batch get a                        | ForAllValues:StringEquals LeadingKeys a               | +
batch get a, b                     | ForAllValues:StringEquals LeadingKeys a               | -
batch get a, b                     | ForAllValues:StringEquals LeadingKeys a b             | +
batch get a, b                     | ForAnyValue:StringEquals LeadingKeys a                | +
batch put a                        | ForAllValues:StringEquals LeadingKeys a               | +
batch put a, delete b              | ForAllValues:StringEquals LeadingKeys a               | -
query                              | ForAllValues:StringEquals LeadingKeys a               | +
query                              | ForAllValues:StringEquals LeadingKeys b               | -
query index                        | ForAllValues:StringEquals LeadingKeys a               | +
query two parts                    | ForAllValues:StringEquals LeadingKeys a               | +
query two parts                    | ForAllValues:StringEquals FirstPartitionKeyValues a & ForAllValues:StringEquals SecondPartitionKeyValues 2 | +
query two parts                    | ForAllValues:StringEquals SecondPartitionKeyValues 3  | -
query                              | Null SecondPartitionKeyValues true                    | +
scan                               | ForAllValues:StringEquals LeadingKeys a               | +
scan                               | ForAnyValue:StringEquals LeadingKeys a                | -
scan                               | Null LeadingKeys false                                | -
put                                | ForAllValues:StringEquals LeadingKeys a               | +
put                                | ForAllValues:StringEquals LeadingKeys b               | -
update                             | ForAllValues:StringEquals LeadingKeys a               | +
update                             | ForAllValues:StringEquals LeadingKeys b               | -
delete                             | ForAllValues:StringEquals LeadingKeys a               | +
delete                             | ForAllValues:StringEquals LeadingKeys b               | -
transact get                       | ForAllValues:StringEquals LeadingKeys a               | +
transact get a, b                  | ForAllValues:StringEquals LeadingKeys a               | -
transact put a, check b            | ForAllValues:StringEquals LeadingKeys a               | -
transact put a, check b            | ForAllValues:StringEquals LeadingKeys a b             | +
select *                           | ForAllValues:StringEquals LeadingKeys a               | +
select *                           | ForAllValues:StringEquals LeadingKeys b               | -
select in a, b                     | ForAllValues:StringEquals LeadingKeys a               | -
select in a, b                     | ForAllValues:StringEquals LeadingKeys a b             | +
select index                       | ForAllValues:StringEquals LeadingKeys a               | +
insert                             | ForAllValues:StringEquals LeadingKeys b               | -
set n                              | ForAllValues:StringEquals LeadingKeys a               | +
set n                              | ForAllValues:StringEquals LeadingKeys b               | -
remove                             | ForAllValues:StringEquals LeadingKeys b               | -
batch select n                     | ForAllValues:StringEquals LeadingKeys b               | -
transaction select n               | ForAllValues:StringEquals LeadingKeys b               | -
transaction set n                  | ForAllValues:StringEquals LeadingKeys b               | -
transaction exists n               | ForAllValues:StringEquals LeadingKeys b               | -
get n                              | ForAllValues:StringEquals Attributes p s n            | +
get n                              | ForAllValues:StringEquals Attributes p s              | -
get n                              | ForAllValues:StringEquals Attributes n                | -
get #n.x                           | ForAllValues:StringEquals Attributes p s n            | +
get #n.x                           | ForAllValues:StringEquals Attributes p s x            | -
get, older                         | ForAllValues:StringEquals Attributes p s              | -
get                                | ForAllValues:StringEquals Attributes p s              | +
batch get n                        | ForAllValues:StringEquals Attributes p s              | -
batch put a                        | ForAllValues:StringEquals Attributes p s              | -
query                              | ForAllValues:StringEquals Attributes p s              | +
query                              | ForAllValues:StringEquals Attributes p                | -
query n                            | ForAllValues:StringEquals Attributes p s              | -
query n                            | ForAllValues:StringEquals Attributes p s n            | +
query filter n                     | ForAllValues:StringEquals Attributes p s              | -
query, older                       | ForAllValues:StringEquals Attributes p s              | -
query, older                       | ForAllValues:StringEquals Attributes p s n            | +
query index                        | ForAllValues:StringEquals Attributes p s              | -
query index                        | ForAllValues:StringEquals Attributes p s g            | +
query index n                      | ForAllValues:StringEquals Attributes p s g            | -
scan n                             | ForAllValues:StringEquals Attributes p s              | -
scan filter n                      | ForAllValues:StringEquals Attributes p s              | -
scan, older                        | ForAllValues:StringEquals Attributes p s              | -
put                                | ForAllValues:StringEquals Attributes p s              | -
put                                | ForAllValues:StringEquals Attributes p s n            | +
put if n                           | ForAllValues:StringEquals Attributes p s              | -
put expecting n                    | ForAllValues:StringEquals Attributes p s              | -
update                             | ForAllValues:StringEquals Attributes p s              | -
update                             | ForAllValues:StringEquals Attributes p s n            | +
update by n                        | ForAllValues:StringEquals Attributes p s g            | -
update by n or so                  | ForAllValues:StringEquals Attributes p s g            | -
update by n                        | ForAllValues:StringEquals Attributes p s g n          | +
update remove n                    | ForAllValues:StringEquals Attributes p s              | -
update, older                      | ForAllValues:StringEquals Attributes p s              | -
delete if n                        | ForAllValues:StringEquals Attributes p s              | -
transact get n                     | ForAllValues:StringEquals Attributes p s              | -
transact put                       | ForAllValues:StringEquals Attributes p s              | -
transact update                    | ForAllValues:StringEquals Attributes p s              | -
transact check n                   | ForAllValues:StringEquals Attributes p s              | -
transact check n                   | ForAllValues:StringEquals Attributes p s n            | +
select n                           | ForAllValues:StringEquals Attributes p s              | -
select n                           | ForAllValues:StringEquals Attributes p s n            | +
select p where n                   | ForAllValues:StringEquals Attributes p s              | -
select index                       | ForAllValues:StringEquals Attributes p s              | -
insert                             | ForAllValues:StringEquals Attributes p s              | -
set n                              | ForAllValues:StringEquals Attributes p s              | -
set g by n                         | ForAllValues:StringEquals Attributes p s g            | -
remove where n                     | ForAllValues:StringEquals Attributes p s              | -
batch select n                     | ForAllValues:StringEquals Attributes p s              | -
batch set n                        | ForAllValues:StringEquals Attributes p s              | -
transaction select n               | ForAllValues:StringEquals Attributes p s              | -
transaction exists n               | ForAllValues:StringEquals Attributes p s              | -
get                                | StringEquals Select ALL_ATTRIBUTES                    | +
get                                | StringEquals Select SPECIFIC_ATTRIBUTES               | -
get n                              | StringEquals Select SPECIFIC_ATTRIBUTES               | +
get, older                         | StringEquals Select SPECIFIC_ATTRIBUTES               | +
batch get a                        | StringEquals Select SPECIFIC_ATTRIBUTES               | -
batch get n                        | StringEquals Select SPECIFIC_ATTRIBUTES               | +
transact get                       | StringEquals Select SPECIFIC_ATTRIBUTES               | -
query                              | StringEquals Select ALL_ATTRIBUTES                    | +
query n                            | StringEquals Select SPECIFIC_ATTRIBUTES               | +
query count                        | StringEquals Select COUNT                             | +
query count                        | StringEquals Select SPECIFIC_ATTRIBUTES               | -
query index                        | StringEquals Select ALL_PROJECTED_ATTRIBUTES          | +
scan                               | StringEquals Select SPECIFIC_ATTRIBUTES               | -
select *                           | StringEquals Select SPECIFIC_ATTRIBUTES               | -
select n                           | StringEquals Select SPECIFIC_ATTRIBUTES               | +
transaction exists n               | StringEquals Select SPECIFIC_ATTRIBUTES               | +
transaction exists n for old       | StringEquals Select SPECIFIC_ATTRIBUTES               | -
put                                | Null Select true                                      | +
put                                | StringEquals ReturnValues NONE                        | +
put for old                        | StringEquals ReturnValues NONE                        | -
put for old                        | StringEquals ReturnValues ALL_OLD                     | +
put for old on failure             | StringEquals ReturnValues NONE                        | -
put for old on failure             | StringEquals ReturnValues NONE ALL_OLD                | +
update for new                     | StringEquals ReturnValues NONE UPDATED_NEW            | -
update for updated                 | StringEquals ReturnValues UPDATED_NEW                 | +
update for updated, old on failure | StringEquals ReturnValues UPDATED_NEW                 | -
update for updated, old on failure | StringEquals ReturnValues ALL_OLD                     | -
delete for old                     | StringEquals ReturnValues NONE                        | -
transact check n                   | StringEquals ReturnValues NONE                        | +
transact check n for old           | StringEquals ReturnValues NONE                        | -
set n for old                      | StringEquals ReturnValues NONE UPDATED_NEW            | -
set n for modified                 | StringEquals ReturnValues UPDATED_NEW                 | +
set n for old on failure           | StringEquals ReturnValues NONE                        | -
get for capacity                   | StringEquals ReturnConsumedCapacity TOTAL             | +
get for capacity                   | StringEquals ReturnConsumedCapacity NONE              | -
get                                | StringEqualsIfExists ReturnConsumedCapacity NONE      | +
get                                | Null EnclosingOperation true                          | +
transact get                       | StringEquals EnclosingOperation TransactGetItems      | +
transact get                       | Null EnclosingOperation true                          | -
transact put                       | ForAnyValue:StringEquals EnclosingOperation TransactWriteItems TransactGetItems | +
put                                | ForAnyValue:StringEquals EnclosingOperation TransactWriteItems TransactGetItems | -
transaction set n                  | StringEquals EnclosingOperation ExecuteTransaction    | +
batch set n                        | Null EnclosingOperation true                          | +
select all                         | Bool FullTableScan false                              | -
select all                         | Bool FullTableScan true                               | +
select n                           | Bool FullTableScan false                              | +
select in a, b                     | Bool FullTableScan false                              | +
select index                       | Bool FullTableScan false                              | +
get                                | BoolIfExists FullTableScan false                      | +
get                                | StringEquals aws:ResourceTag/team red                 | +
get                                | StringEquals aws:ResourceTag/team blue                | -
get                                | StringEquals aws:resourcetag/TEAM red                 | +
get                                | Null aws:ResourceTag/other true                       | +
describe                           | StringEquals aws:ResourceTag/team red                 | +
create with team                   | StringEquals aws:RequestTag/team red                  | +
create                             | StringEquals aws:RequestTag/team red                  | -
create with team                   | ForAllValues:StringEquals aws:TagKeys team            | +
create with team                   | ForAllValues:StringEquals aws:TagKeys cost            | -
tag team red                       | StringEquals aws:RequestTag/team red                  | +
tag team blue                      | StringEquals aws:RequestTag/team red                  | -
untag team                         | ForAllValues:StringEquals aws:TagKeys cost            | -
untag team                         | ForAnyValue:StringEquals aws:TagKeys team             | +
get                                | StringEquals aws:username {user}                      | +
get                                | StringEquals aws:username somebody                    | -
get                                | ArnLike aws:PrincipalArn arn:aws:iam::*:user/{user}   | +
get                                | StringEquals aws:PrincipalAccount 000000000000        | +
get                                | StringEquals aws:PrincipalType User                   | +
get                                | StringEquals aws:PrincipalTag/team red                | +
get                                | StringEquals aws:PrincipalTag/team blue               | -
get                                | StringEquals aws:RequestedRegion us-east-1            | +
get                                | StringEquals aws:ResourceAccount 000000000000         | +
get                                | StringLike aws:userid AIDA*                           | +
get                                | IpAddress aws:SourceIp 127.0.0.0/8 ::1/128            | +/-
get                                | IpAddress aws:SourceIp 192.0.2.0/24                   | -
get                                | IpAddressIfExists aws:SourceIp 192.0.2.0/24           | -/+
get                                | Bool aws:SecureTransport false                        | +/-
get                                | Bool aws:SecureTransport true                         | -
get                                | StringLike aws:UserAgent *oto*                        | +/-
get                                | DateGreaterThan aws:CurrentTime 2020-01-01T00:00:00Z  | +
get                                | DateLessThan aws:CurrentTime 2020-01-01T00:00:00Z     | -
get                                | NumericGreaterThan aws:EpochTime 1577836800           | +
get                                | Bool aws:MultiFactorAuthPresent true                  | -
get                                | Null aws:TokenIssueTime true                          | +
get                                | Null aws:Nothing true                                 | +
"""
CONDITION_ROWS = [tuple(part.strip() for part in line.split(' | '))
                  for line in CONDITIONS.split('\n') if line]


def parse_conditions(text, user):
    conditions = {}
    for condition in text.split(' & '):
        operator, key, *values = condition.format(user=user).split()
        key = key if ':' in key else 'dynamodb:' + key
        conditions.setdefault(operator, {})[key] = values
    return conditions


@pytest.fixture(scope='module')
def conditioned(world):
    """The world with the other tables, and a principal for conditions."""
    t, sql = world.table, world.sql
    user = world.principals['this']
    sql('SELECT dynamo.tag_resource(%s)', json.dumps({
        'ResourceArn': table_arn(t), 'Tags': [{'Key': 'team', 'Value': 'red'}]}))
    sql("SELECT dynamo.tag_role(%s, 'team', 'red')", user.role)
    for suffix, kind in (('n', 'N'), ('b', 'B'), ('m', 'S')):
        request = {'TableName': f'{t}_{suffix}', 'BillingMode': 'PAY_PER_REQUEST', 'KeySchema': KEYS[:1],
                   'AttributeDefinitions': [{'AttributeName': 'p', 'AttributeType': kind}]}
        if suffix == 'm':
            request['AttributeDefinitions'] += [{'AttributeName': 'g', 'AttributeType': 'S'},
                                                {'AttributeName': 'h', 'AttributeType': 'N'}]
            request['GlobalSecondaryIndexes'] = [{
                'IndexName': 'by_gh', 'Projection': {'ProjectionType': 'ALL'},
                'KeySchema': [{'AttributeName': n, 'KeyType': 'HASH'} for n in 'gh']}]
        sql('SELECT dynamo.create_table(%s)', json.dumps(request))
    return world


@pytest.mark.parametrize('asked,condition,expected', CONDITION_ROWS,
                         ids=[f'{n}-{a}' for n, (a, _, _) in enumerate(CONDITION_ROWS)])
def test_condition(conditioned, asked, condition, expected):
    user = conditioned.principals['this']
    conditions = parse_conditions(condition, user.role)
    operation, request = requests_of(conditioned.table)[asked]
    user.replace(0, policy(allow(Condition=conditions)))
    by_http, _, by_sql = expected.partition('/')

    def told(call):
        try:
            call(operation, request)
        except Denied:
            return '-'
        except Failed as failed:
            # Only a condition of the request's own, and what is there already.
            assert failed.args[1] in ('ConditionalCheckFailedException', 'KV005', 'TransactionCanceledException',
                                      'KV021', 'DuplicateItemException', 'KV026'), failed.args
        return '+'
    assert told(user.by_sql) == (by_sql or by_http), 'in SQL'
    assert told(user.by_http) == by_http, 'by HTTP'
    if operation == 'CreateTable' and by_http == '+':
        conditioned.sql('SELECT dynamo.delete_table(%s)', json.dumps({'TableName': request['TableName']}))
    if operation == 'UntagResource':
        conditioned.sql('SELECT dynamo.tag_resource(%s)', json.dumps({
            'ResourceArn': table_arn(conditioned.table), 'Tags': [{'Key': 'team', 'Value': 'red'}]}))
