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
        " AND prosrc LIKE 'dyn\\_sql\\_%'")}
    assert {row.partition(':')[0] for row in ROWS} == operations
