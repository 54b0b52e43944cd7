"""CreateTable, DescribeTable, UpdateTable, DeleteTable, ListTables, limits."""
import datetime
import re
import uuid

import pytest

from conftest import ON_AWS, raises, unique

VALIDATION = 'ValidationException'
INVALID = 'One or more parameter values were invalid: '
ONE = '1 validation error detected: '

KEYS = {'AttributeDefinitions': [{'AttributeName': 'p', 'AttributeType': 'S'}],
        'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'}]}
GOOD = {'TableName': 'dynamo-test-never-made', 'BillingMode': 'PAY_PER_REQUEST', **KEYS}


def definition(name, kind='S'):
    return {'AttributeName': name, 'AttributeType': kind}


def element(name, kind='HASH'):
    return {'AttributeName': name, 'KeyType': kind}


@pytest.fixture
def wait(client):
    def wait(name):
        client.get_waiter('table_exists').wait(TableName=name,
                                               WaiterConfig={'Delay': 5 if ON_AWS else 1})
    return wait


def describe(client, name):
    return client.describe_table(TableName=name)['Table']


def test_on_demand_table(client, make_table):
    table = describe(client, make_table('S', 'N', SSESpecification={'Enabled': False}))
    assert uuid.UUID(table['TableId'])
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs((now - table['CreationDateTime']).total_seconds()) < 120
    assert re.fullmatch(r'arn:aws:dynamodb:[^:]+:\d{12}:table/' + table['TableName'],
                        table['TableArn'])
    assert table['TableStatus'] == 'ACTIVE'
    assert table['KeySchema'] == [element('p'), element('s', 'RANGE')]
    assert sorted(table['AttributeDefinitions'], key=lambda d: d['AttributeName']) == \
        [definition('p'), definition('s', 'N')]
    assert table['ProvisionedThroughput'] == {
        'NumberOfDecreasesToday': 0, 'ReadCapacityUnits': 0, 'WriteCapacityUnits': 0}
    assert table['BillingModeSummary']['BillingMode'] == 'PAY_PER_REQUEST'
    assert table['WarmThroughput']['Status'] == 'ACTIVE'
    assert (table['ItemCount'], table['TableSizeBytes']) == (0, 0)
    assert table['DeletionProtectionEnabled'] is False
    for absent in ('GlobalSecondaryIndexes', 'LocalSecondaryIndexes', 'StreamSpecification',
                   'SSEDescription', 'Replicas', 'RestoreSummary'):
        assert absent not in table


def test_provisioned_table(client, make_table):
    table = describe(client, make_table(
        BillingMode='PROVISIONED',
        ProvisionedThroughput={'ReadCapacityUnits': 3, 'WriteCapacityUnits': 2}))
    throughput = table['ProvisionedThroughput']
    assert (throughput['ReadCapacityUnits'], throughput['WriteCapacityUnits'],
            throughput['NumberOfDecreasesToday']) == (3, 2, 0)
    assert 'BillingModeSummary' not in table
    assert table['WarmThroughput']['Status'] == 'ACTIVE'


def test_answers_of_creation_and_deletion(client, wait):
    name = unique('dynamo-test-')
    made = client.create_table(**{**GOOD, 'TableName': name})['TableDescription']
    assert (made['TableName'], made['TableStatus']) == (name, 'CREATING')
    with raises('ResourceInUseException', f'Table already exists: {name}'):
        client.create_table(**{**GOOD, 'TableName': name})
    wait(name)
    assert describe(client, name)['TableId'] == made['TableId']
    gone = client.delete_table(TableName=name)['TableDescription']
    assert (gone['TableName'], gone['TableStatus']) == (name, 'DELETING')
    assert 'AttributeDefinitions' not in gone
    client.get_waiter('table_not_exists').wait(TableName=name,
                                               WaiterConfig={'Delay': 5 if ON_AWS else 1})
    with raises('ResourceNotFoundException',
                f'Requested resource not found: Table: {name} not found'):
        client.delete_table(TableName=name)


def test_a_recreated_table_is_another_one(client, make_table, wait):
    name = make_table()
    key = {'p': {'S': 'x'}}
    client.put_item(TableName=name, Item=key)
    first = describe(client, name)['TableId']
    client.delete_table(TableName=name)
    client.get_waiter('table_not_exists').wait(TableName=name)
    client.create_table(**{**GOOD, 'TableName': name})
    wait(name)
    assert describe(client, name)['TableId'] != first
    assert 'Item' not in client.get_item(TableName=name, Key=key, ConsistentRead=True)


def test_describe_by_arn(client, table_s):
    table = describe(client, table_s)
    assert describe(client, table['TableArn'])['TableId'] == table['TableId']


@pytest.mark.parametrize('length', [3, 255])
def test_shortest_and_longest_name(client, wait, length):
    name = (unique('.-_')[-3:] if length == 3 else unique('dynamo-test-')).ljust(length, 'x')
    client.create_table(**{**GOOD, 'TableName': name})
    try:
        wait(name)
        client.put_item(TableName=name, Item={'p': {'S': 'a'}})
        assert describe(client, name)['TableName'] == name
    finally:
        client.delete_table(TableName=name)


# Names that PostgreSQL would fold, cut or quote.
def test_names_are_exact(client, make_table):
    tail = 'x' * 60
    names = [make_table(TableName=unique('dynamo-test-') + kind)
             for kind in ('Case', 'case', tail + 'a', tail + 'b', '.a-b_c')]
    for i, name in enumerate(names):
        client.put_item(TableName=name, Item={'p': {'S': 'k'}, 'i': {'N': str(i)}})
    for i, name in enumerate(names):
        assert client.get_item(TableName=name, Key={'p': {'S': 'k'}},
                               ConsistentRead=True)['Item']['i'] == {'N': str(i)}


# Each change to a good request is one mistake.
@pytest.mark.parametrize('change,message', [
    ({'TableName': None}, "The parameter 'TableName' is required but was not present in the request"),
    ({'TableName': 'ab'}, ONE + "Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"),
    ({'TableName': 'a' * 256}, re.compile("at 'tableName' failed to satisfy constraint: Member must have length less than or equal to 255")),
    ({'TableName': 'a/bc'}, ONE + "Value 'a/bc' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
    ({'AttributeDefinitions': None}, ONE + "Value null at 'attributeDefinitions' failed to satisfy constraint: Member must not be null"),
    ({'KeySchema': None}, ONE + "Value null at 'keySchema' failed to satisfy constraint: Member must not be null"),
    ({'KeySchema': []}, ONE + "Value '[]' at 'keySchema' failed to satisfy constraint: Member must have length greater than or equal to 1"),
    ({'KeySchema': [element('p')] * 3}, re.compile("at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2")),
    ({'KeySchema': [element('p', 'SORT')]}, ONE + "Value 'SORT' at 'keySchema.1.member.keyType' failed to satisfy constraint: Member must satisfy enum value set: [HASH, RANGE]"),
    ({'AttributeDefinitions': [definition('p', 'BOOL')]}, ONE + "Value 'BOOL' at 'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: Member must satisfy enum value set: [B, N, S]"),
    ({'AttributeDefinitions': [definition('')], 'KeySchema': [element('p')]}, ONE + "Value '' at 'attributeDefinitions.1.member.attributeName' failed to satisfy constraint: Member must have length greater than or equal to 1"),
    ({'BillingMode': 'FREE'}, ONE + "Value 'FREE' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]"),
    ({'BillingMode': 'PROVISIONED'}, INVALID + 'ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED'),
    ({'BillingMode': None}, INVALID + 'ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED'),
    ({'ProvisionedThroughput': {'ReadCapacityUnits': 1, 'WriteCapacityUnits': 1}}, INVALID + 'Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST'),
    ({'BillingMode': 'PROVISIONED', 'ProvisionedThroughput': {'ReadCapacityUnits': 0, 'WriteCapacityUnits': 1}}, ONE + "Value '0' at 'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: Member must have value greater than or equal to 1"),
    ({'BillingMode': 'PROVISIONED', 'ProvisionedThroughput': {'ReadCapacityUnits': 10 ** 12 + 1, 'WriteCapacityUnits': 1}}, 'Given value 1000000000001 for ReadCapacityUnits is out of bounds'),
    ({'KeySchema': [element('p'), element('p', 'RANGE')]}, 'Invalid KeySchema: Some index key attribute have no definition'),
    ({'KeySchema': [element('q')]}, INVALID + 'Some index key attributes are not defined in AttributeDefinitions. Keys: [q], AttributeDefinitions: [p]'),
    ({'KeySchema': [element('p'), element('p', 'RANGE')], 'AttributeDefinitions': [definition('p'), definition('q')]}, 'Both the Hash Key and the Range Key element in the KeySchema have the same name'),
    ({'KeySchema': [element('p', 'RANGE')]}, 'Invalid KeySchema: The first KeySchemaElement is not a HASH key type'),
    ({'KeySchema': [element('p'), element('q')], 'AttributeDefinitions': [definition('p'), definition('q')]}, 'Invalid KeySchema: The second KeySchemaElement is not a RANGE key type'),
    ({'AttributeDefinitions': [definition('p'), definition('q')]}, INVALID + 'Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions'),
    ({'AttributeDefinitions': [definition('p'), definition('p')]}, re.compile('Duplicate.*p')),
    ({'TableClass': 'CHEAP'}, ONE + "Value 'CHEAP' at 'tableClass' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, STANDARD_INFREQUENT_ACCESS]"),
    ({'StreamSpecification': {'StreamEnabled': False, 'StreamViewType': 'NEW_IMAGE'}}, INVALID + 'Table is being created with a stream disabled, UpdateViewType should not be specified'),
    ({'BillingMode': 'PROVISIONED', 'ProvisionedThroughput': {'ReadCapacityUnits': 1, 'WriteCapacityUnits': 1}, 'OnDemandThroughput': {'MaxReadRequestUnits': 1}}, INVALID + 'MaxReadRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.'),
    ({'OnDemandThroughput': {'MaxWriteRequestUnits': 0}}, INVALID + 'Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid range'),
])
def test_bad_definitions(unchecked_client, change, message):
    request = {k: v for k, v in {**GOOD, **change}.items() if v is not None}
    with raises(VALIDATION, message):
        unchecked_client.create_table(**request)


def test_constraints_are_collected(unchecked_client):
    with raises(VALIDATION, '6 validation errors detected: '
                "Value null at 'attributeDefinitions' failed to satisfy constraint: Member must not be null; "
                "Value 'a' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3; "
                "Value 'x' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]; "
                "Value '-1' at 'provisionedThroughput.writeCapacityUnits' failed to satisfy constraint: Member must have value greater than or equal to 1; "
                "Value null at 'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: Member must not be null; "
                "Value null at 'keySchema' failed to satisfy constraint: Member must not be null"):
        unchecked_client.create_table(TableName='a', BillingMode='x',
                                      ProvisionedThroughput={'WriteCapacityUnits': -1})


# What is not there is said to be not there.  (The service has all of it.)
@pytest.mark.not_aws
@pytest.mark.parametrize('member,value', [
    ('GlobalTableSourceArn', 'arn:aws:dynamodb:eu-west-1:000000000000:table/abc'),
])
def test_what_is_not_supported_is_refused(client, member, value):
    with raises(VALIDATION, re.compile(f'{member}.* is not supported by this server')):
        client.create_table(**{**GOOD, member: value})


def test_members_that_ask_for_what_every_table_has(client, make_table):
    name = make_table(TableClass='STANDARD', DeletionProtectionEnabled=False,
                      StreamSpecification={'StreamEnabled': False},
                      SSESpecification={'Enabled': False})
    assert describe(client, name)['TableStatus'] == 'ACTIVE'


def test_switch_of_billing_mode(client, make_table, wait):
    name = make_table()
    with raises(VALIDATION, 'ProvisionedThroughput must be specified when BillingMode is PROVISIONED'):
        client.update_table(TableName=name, BillingMode='PROVISIONED')
    with raises(VALIDATION, INVALID + 'Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST'):
        client.update_table(TableName=name, BillingMode='PAY_PER_REQUEST',
                            ProvisionedThroughput={'ReadCapacityUnits': 1, 'WriteCapacityUnits': 1})
    # Asking for the mode it has is accepted.
    client.update_table(TableName=name, BillingMode='PAY_PER_REQUEST')
    wait(name)
    client.update_table(TableName=name, BillingMode='PROVISIONED',
                        ProvisionedThroughput={'ReadCapacityUnits': 5, 'WriteCapacityUnits': 6})
    wait(name)
    table = describe(client, name)
    assert table['BillingModeSummary']['BillingMode'] == 'PROVISIONED'
    assert 'LastUpdateToPayPerRequestDateTime' in table['BillingModeSummary']
    assert table['ProvisionedThroughput']['ReadCapacityUnits'] == 5
    assert table['ProvisionedThroughput']['WriteCapacityUnits'] == 6


def test_change_of_throughput(client, make_table, wait):
    name = make_table(BillingMode='PROVISIONED', ProvisionedThroughput={
        'ReadCapacityUnits': 5, 'WriteCapacityUnits': 5})

    def change(read, write):
        client.update_table(TableName=name, ProvisionedThroughput={
            'ReadCapacityUnits': read, 'WriteCapacityUnits': write})
        wait(name)
        return describe(client, name)['ProvisionedThroughput']

    with raises(VALIDATION, 'The provisioned throughput for the table will not change. The requested value equals the current value. '
                'Current ReadCapacityUnits provisioned for the table: 5. Requested ReadCapacityUnits: 5. '
                'Current WriteCapacityUnits provisioned for the table: 5. Requested WriteCapacityUnits: 5. '
                'Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.'):
        change(5, 5)
    throughput = change(6, 5)
    assert (throughput['ReadCapacityUnits'], throughput['NumberOfDecreasesToday']) == (6, 0)
    assert 'LastIncreaseDateTime' in throughput
    throughput = change(6, 4)
    assert (throughput['WriteCapacityUnits'], throughput['NumberOfDecreasesToday']) == (4, 1)
    assert 'LastDecreaseDateTime' in throughput


def test_deletion_protection(client, make_table, wait):
    name = make_table(DeletionProtectionEnabled=True)
    assert describe(client, name)['DeletionProtectionEnabled'] is True
    with raises(VALIDATION, 'Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.'):
        client.delete_table(TableName=name)
    client.update_table(TableName=name, DeletionProtectionEnabled=False)
    wait(name)
    assert describe(client, name)['DeletionProtectionEnabled'] is False
    client.delete_table(TableName=name)


def test_update_of_nothing(client):
    with raises(VALIDATION, 'At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required'):
        client.update_table(TableName='no-such-table')


@pytest.mark.not_aws
@pytest.mark.parametrize('member,value', [
    ('ReplicaUpdates', [{'Create': {'RegionName': 'eu-west-1'}}]),
])
def test_unsupported_updates_are_refused(client, table_s, member, value):
    with raises(VALIDATION, re.compile(f'{member} is not supported by this server')):
        client.update_table(**{'TableName': table_s, member: value})


def test_attributes_cannot_be_redefined(client, table_s):
    with raises(VALIDATION, re.compile('Attributes cannot be redefined')):
        client.update_table(TableName=table_s, DeletionProtectionEnabled=False,
                            AttributeDefinitions=[definition('p', 'N')])


@pytest.mark.parametrize('operation', ['describe_table', 'delete_table', 'update_table'])
def test_table_names(unchecked_client, operation):
    call = getattr(unchecked_client, operation)
    more = {'BillingMode': 'PAY_PER_REQUEST'} if operation == 'update_table' else {}
    with raises(VALIDATION, "The parameter 'TableName' is required but was not present in the request"):
        call(**more)
    for name in ('', 'ab', 'a' * 256):
        with raises(VALIDATION, 'TableName must be at least 3 characters long and at most 255 characters long'):
            call(TableName=name, **more)
    with raises(VALIDATION, ONE + "Value 'a/bc' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"):
        call(TableName='a/bc', **more)
    with raises('ResourceNotFoundException', 'Requested resource not found: Table: no-such-table not found'):
        call(TableName='no-such-table', **more)


def test_list_tables(client, make_table):
    prefix = unique('dynamo-list-')
    names = [make_table(TableName=prefix + end) for end in ('b', 'a', 'c', 'B')]
    found = [name for page in client.get_paginator('list_tables').paginate(
                 PaginationConfig={'PageSize': 2}) for name in page['TableNames']]
    assert found == sorted(found)
    assert [name for name in found if name.startswith(prefix)] == sorted(names)
    # A start that does not exist, and a page that ends before the end.
    page = client.list_tables(ExclusiveStartTableName=prefix + 'B0', Limit=2)
    assert page['TableNames'] == [prefix + 'a', prefix + 'b']
    assert page['LastEvaluatedTableName'] == prefix + 'b'


def test_list_tables_constraints(unchecked_client):
    with raises(VALIDATION, '2 validation errors detected: '
                "Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100; "
                "Value 'ab' at 'exclusiveStartTableName' failed to satisfy constraint: Member must have length greater than or equal to 3"):
        unchecked_client.list_tables(Limit=101, ExclusiveStartTableName='ab')
    with raises(VALIDATION, ONE + "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"):
        unchecked_client.list_tables(Limit=0)


def test_describe_limits(client):
    limits = client.describe_limits()
    assert limits['AccountMaxReadCapacityUnits'] >= limits['TableMaxReadCapacityUnits'] > 0
    assert limits['AccountMaxWriteCapacityUnits'] >= limits['TableMaxWriteCapacityUnits'] > 0


def test_describe_endpoints(client):
    endpoint, = client.describe_endpoints()['Endpoints']
    assert endpoint['CachePeriodInMinutes'] == 1440
    assert endpoint['Address']


@pytest.mark.parametrize('body,message', [
    ({'KeySchema': {}}, 'Start of structure or map found where not expected'),
    ({'KeySchema': 'x'}, 'Unexpected field type'),
    ({'KeySchema': ['x']}, 'Unexpected value type in payload'),
    ({'KeySchema': [[]]}, 'Unrecognized collection type class com.amazonaws.dynamodb.v20120810.KeySchemaElement'),
    ({'ProvisionedThroughput': 'x'}, 'Unexpected field type'),
    ({'ProvisionedThroughput': {'ReadCapacityUnits': '5'}}, 'STRING_VALUE cannot be converted to Long'),
    ({'ProvisionedThroughput': {'ReadCapacityUnits': True}}, 'TRUE_VALUE cannot be converted to Long'),
    ({'DeletionProtectionEnabled': 'maybe'}, 'Unexpected token received from parser'),
])
def test_serialization_errors(raw, body, message):
    reply = raw('CreateTable', body)
    assert (reply.status, reply.type, reply.message) == \
        (400, 'SerializationException', message)
