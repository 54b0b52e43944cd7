"""Secondary indexes in CreateTable, UpdateTable and DescribeTable."""
import re

import pytest

from conftest import ON_AWS, raises, unique, wait_for

VALIDATION = 'ValidationException'
INVALID = 'One or more parameter values were invalid: '
ONE = '1 validation error detected: '
UNITS = {'ReadCapacityUnits': 1, 'WriteCapacityUnits': 1}
ALL = {'ProjectionType': 'ALL'}


def keys(hash, *ranges):
    return [{'AttributeName': hash, 'KeyType': 'HASH'}] + \
        [{'AttributeName': name, 'KeyType': 'RANGE'} for name in ranges]


def schema(text):
    """'a b / c' is two HASH and one RANGE attribute."""
    hashes, _, ranges = text.partition('/')
    return [{'AttributeName': n, 'KeyType': 'HASH'} for n in hashes.split()] + \
        [{'AttributeName': n, 'KeyType': 'RANGE'} for n in ranges.split()]


def definitions(types):
    """'p:S n:N'"""
    return [{'AttributeName': d.split(':')[0], 'AttributeType': d.split(':')[1]}
            for d in types.split()]


def index(name, key, projection=ALL, **more):
    return {'IndexName': name, 'KeySchema': schema(key), 'Projection': projection, **more}


def request(key='p / s', types='p:S s:S a:S b:N', local=None, global_=None, **more):
    return {'TableName': 'dynamo-test-never-made', 'BillingMode': 'PAY_PER_REQUEST',
            'KeySchema': schema(key), 'AttributeDefinitions': definitions(types),
            **({} if local is None else {'LocalSecondaryIndexes': local}),
            **({} if global_ is None else {'GlobalSecondaryIndexes': global_}), **more}


PROVISIONED = {'BillingMode': 'PROVISIONED', 'ProvisionedThroughput': UNITS}


@pytest.fixture
def make(client, make_table):
    def make(**parameters):
        return make_table(**{**request(**parameters), 'TableName': unique('dynamo-test-')})
    return make


def describe(client, name):
    return client.describe_table(TableName=name)['Table']


def named(table, name):
    return next((i for i in table.get('GlobalSecondaryIndexes', [])
                 if i['IndexName'] == name), None)


def settle(client, name):
    """Wait until table and indexes are ACTIVE."""
    def ready():
        table = describe(client, name)
        return table['TableStatus'] == 'ACTIVE' and all(
            i['IndexStatus'] == 'ACTIVE' for i in table.get('GlobalSecondaryIndexes', [])) and table
    return wait_for(ready, 1800 if ON_AWS else 60)


def update_indexes(client, name, *updates, types='', **more):
    return client.update_table(TableName=name, GlobalSecondaryIndexUpdates=list(updates),
                               **({'AttributeDefinitions': definitions(types)} if types else {}),
                               **more)['TableDescription']


# ----- descriptions -----

def test_described_as_created(client):
    name = unique('dynamo-test-')
    made = client.create_table(**{**request(
        local=[index('local', 'p / a', {'ProjectionType': 'KEYS_ONLY'})],
        global_=[index('wide', 'a / b'), index('some', 'b', {
            'ProjectionType': 'INCLUDE', 'NonKeyAttributes': ['x', 'y']})]),
        'TableName': name})['TableDescription']
    assert made['TableStatus'] == 'CREATING'
    assert {i['IndexStatus'] for i in made['GlobalSecondaryIndexes']} == {'CREATING'}
    table = settle(client, name)
    assert sorted(d['AttributeName'] for d in table['AttributeDefinitions']) == ['a', 'b', 'p', 's']
    local, = table['LocalSecondaryIndexes']
    assert local == {
        'IndexName': 'local', 'KeySchema': schema('p / a'),
        'Projection': {'ProjectionType': 'KEYS_ONLY'}, 'IndexSizeBytes': 0, 'ItemCount': 0,
        'IndexArn': table['TableArn'] + '/index/local'}
    some = named(table, 'some')
    assert sorted(some['Projection'].pop('NonKeyAttributes')) == ['x', 'y']
    assert some.pop('WarmThroughput')['Status'] == 'ACTIVE'
    assert some == {
        'IndexName': 'some', 'KeySchema': schema('b'),
        'Projection': {'ProjectionType': 'INCLUDE'}, 'IndexStatus': 'ACTIVE',
        'IndexSizeBytes': 0, 'ItemCount': 0, 'IndexArn': table['TableArn'] + '/index/some',
        'ProvisionedThroughput': {'NumberOfDecreasesToday': 0, 'ReadCapacityUnits': 0,
                                  'WriteCapacityUnits': 0}}
    gone = client.delete_table(TableName=name)['TableDescription']
    assert not {'LocalSecondaryIndexes', 'GlobalSecondaryIndexes', 'AttributeDefinitions'} & set(gone)


def test_throughput_of_an_index(client, make):
    name = make(types='p:S s:S a:S', global_=[index('abc', 'a', ProvisionedThroughput={
        'ReadCapacityUnits': 3, 'WriteCapacityUnits': 2})], **PROVISIONED)
    throughput = named(describe(client, name), 'abc')['ProvisionedThroughput']
    assert (throughput['ReadCapacityUnits'], throughput['WriteCapacityUnits']) == (3, 2)

    def change(read, write):
        return update_indexes(client, name, {'Update': {'IndexName': 'abc', 'ProvisionedThroughput': {
            'ReadCapacityUnits': read, 'WriteCapacityUnits': write}}})

    with raises(VALIDATION, re.compile('^The provisioned throughput for the index abc will not change')):
        change(3, 2)
    change(4, 1)
    throughput = named(settle(client, name), 'abc')['ProvisionedThroughput']
    assert (throughput['ReadCapacityUnits'], throughput['WriteCapacityUnits'],
            throughput['NumberOfDecreasesToday']) == (4, 1, 1)
    assert {'LastIncreaseDateTime', 'LastDecreaseDateTime'} <= set(throughput)


# Legal, and odd.
@pytest.mark.parametrize('parameters', [
    {'key': 'p', 'types': 'p:S', 'global_': [index('same-as-table', 'p')]},
    {'types': 'p:S s:S', 'local': [index('same-as-table', 'p / s')]},
    {'types': 'p:S s:S a:S', 'global_': [index('one', 'a'), index('two', 'a')]},
    {'types': 'p:S s:S', 'global_': [index('.-_', 's / p'), index('x' * 255, 's')]},
    {'types': 'p:S s:S a:B', 'local': [index(f'local-{i}', 'p / a') for i in range(5)],
     'global_': [index(f'global-{i}', 'a / p') for i in range(20)]},
    {'key': 'p', 'types': 'p:S a:S b:N c:B d:S e:S f:N g:B h:S',
     'global_': [index('many', 'a b c d / e f g h')]},
    {'key': 'p', 'types': 'p:S a:S b:S', 'global_': [index('two-hashes', 'a b')]},
])
def test_legal(client, make, parameters):
    table = describe(client, make(**parameters))
    for member, given in (('LocalSecondaryIndexes', 'local'), ('GlobalSecondaryIndexes', 'global_')):
        assert {(i['IndexName'], str(i['KeySchema'])) for i in table.get(member, [])} == \
            {(i['IndexName'], str(i['KeySchema'])) for i in parameters.get(given, [])}


# ----- CreateTable: one mistake each -----

UNDEFINED = 'Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: [{}]'
FIRST = 'Invalid KeySchema: The first KeySchemaElement is not a HASH key type'
SECOND = 'Invalid KeySchema: The second KeySchemaElement is not a RANGE key type'
SAME = 'Both the Hash Key and the Range Key element in the KeySchema have the same name'
PROJECTIONS = [
    ({}, INVALID + 'Unknown ProjectionType: null'),
    ({'NonKeyAttributes': ['x']}, INVALID + 'Unknown ProjectionType: null'),
    ({'ProjectionType': 'ALL', 'NonKeyAttributes': ['x']}, INVALID + 'ProjectionType is ALL, but NonKeyAttributes is specified'),
    ({'ProjectionType': 'KEYS_ONLY', 'NonKeyAttributes': ['x']}, INVALID + 'ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified'),
    ({'ProjectionType': 'INCLUDE'}, INVALID + 'ProjectionType is INCLUDE, but NonKeyAttributes is not specified'),
    ({'ProjectionType': 'INCLUDE', 'NonKeyAttributes': ['x', 'y', 'x']}, re.compile('[Dd]uplicate')),
    ({'ProjectionType': 'INCLUDE', 'NonKeyAttributes': []}, re.compile("nonKeyAttributes' failed to satisfy constraint: Member must have length greater than or equal to 1")),
    ({'ProjectionType': 'INCLUDE', 'NonKeyAttributes': [str(i) for i in range(21)]}, re.compile("nonKeyAttributes' failed to satisfy constraint: Member must have length less than or equal to 20")),
    ({'ProjectionType': 'SOME'}, re.compile(r"^1 validation error detected: Value 'SOME' at '\w+SecondaryIndexes.1.member.projection.projectionType' failed to satisfy constraint: Member must satisfy enum value set: \[ALL, INCLUDE, KEYS_ONLY\]")),
]


def refused(client, message, code=VALIDATION, **parameters):
    with raises(code, message):
        client.create_table(**request(**parameters))


@pytest.mark.parametrize('local,message', [
    ([], INVALID + 'List of LocalSecondaryIndexes is empty'),
    ([index('abc', 'p / z')], INVALID + UNDEFINED.format('p, z', 'p, s, a')),
    ([index('abc', 'p / p')], SAME),
    ([{**index('abc', 'p'), 'KeySchema': keys('p')[:0] + [{'AttributeName': 'p', 'KeyType': 'RANGE'}]}], FIRST),
    ([{**index('abc', 'p'), 'KeySchema': keys('p') + keys('a')}], SECOND),
    ([index('abc', 'p')], INVALID + 'Index KeySchema does not have a range key for index: abc'),
    ([index('abc', 'a / p')], INVALID + 'Index KeySchema does not have the same leading hash key as table KeySchema for index: abc. index hash key: a, table hash key: p'),
    ([index('abc', 'p / a'), index('abc', 'p / s')], INVALID + 'Duplicate index name: abc'),
    ([index(f'abc{i}', 'p / a') for i in range(6)], INVALID + 'Number of LocalSecondaryIndexes exceeds per-table limit of 5'),
    ([index('ab', 'p / a')], ONE + "Value 'ab' at 'localSecondaryIndexes.1.member.indexName' failed to satisfy constraint: Member must have length greater than or equal to 3"),
    ([index('a c', 'p / a')], ONE + "Value 'a c' at 'localSecondaryIndexes.1.member.indexName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
    ([index('abc', 'p / a s')], re.compile("at 'localSecondaryIndexes.1.member.keySchema' failed to satisfy constraint: Member must have length less than or equal to 2")),
    ([{'IndexName': 'abc', 'KeySchema': schema('p / a')}], ONE + "Value null at 'localSecondaryIndexes.1.member.projection' failed to satisfy constraint: Member must not be null"),
    ([{'IndexName': 'abc', 'Projection': ALL}], ONE + "Value null at 'localSecondaryIndexes.1.member.keySchema' failed to satisfy constraint: Member must not be null"),
    ([{'KeySchema': schema('p / a'), 'Projection': ALL}], ONE + "Value null at 'localSecondaryIndexes.1.member.indexName' failed to satisfy constraint: Member must not be null"),
])
def test_bad_local_indexes(unchecked_client, local, message):
    refused(unchecked_client, message, types='p:S s:S a:S', local=local)


@pytest.mark.parametrize('projection,message', PROJECTIONS)
def test_bad_projections(unchecked_client, projection, message):
    refused(unchecked_client, message, types='p:S s:S a:S', local=[index('abc', 'p / a', projection)])
    refused(unchecked_client, message, types='p:S s:S a:S', global_=[index('abc', 'a', projection)])


def test_order_of_checks(client, check_order, make):
    """Each index that is wrong is wrong in all the ways that come later, too."""
    name = make(types='p:S s:S')
    wrong = lambda key, projection={}: index('abc', key, projection)
    key, types = 'KeySchema', 'AttributeDefinitions'
    local, global_ = 'LocalSecondaryIndexes', 'GlobalSecondaryIndexes'
    undefined = INVALID + UNDEFINED
    check_order('CreateTable', {**request(types='p:S s:S a:S b:N', local=[index('abl', 'p / a')], global_=[index('abg', 'b')]), 'TableName': name},
                ({'ProvisionedThroughput': UNITS}, INVALID + 'Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST'),
                ({key: schema('z / z'), types: definitions('p:S')}, 'Invalid KeySchema: Some index key attribute have no definition'),
                ({key: schema('z / z')}, undefined.format('z, z', 'p, s, a, b')),
                ({key: schema('/ p p')}, SAME),
                ({key: schema('/ p s')}, FIRST),
                ({key: schema('p s')}, SECOND),
                ({local: [], key: schema('p')}, INVALID + 'List of LocalSecondaryIndexes is empty'),
                ({local: [wrong('z / z')], key: schema('p')}, INVALID + 'Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex'),
                ({local: [wrong('z / z')]}, undefined.format('z, z', 'p, s, a, b')),
                ({local: [wrong('/ a a')]}, SAME),
                ({local: [wrong('/ a p')]}, FIRST),
                ({local: [wrong('a p')]}, SECOND),
                ({local: [wrong('a')]}, INVALID + 'Index KeySchema does not have a range key for index: abc'),
                ({local: [wrong('a / p')]}, INVALID + 'Index KeySchema does not have the same leading hash key as table KeySchema for index: abc. index hash key: a, table hash key: p'),
                ({local: [index('abc', 'p / a'), wrong('p / a')]}, INVALID + 'Unknown ProjectionType: null'),
                ({local: [index('abc', 'p / a')] * 6}, INVALID + 'Duplicate index name: abc'),
                ({local: [index(f'abc{i}', 'p / a') for i in range(6)]}, INVALID + 'Number of LocalSecondaryIndexes exceeds per-table limit of 5'),
                ({local: [index('abl', 'p / a')], global_: []}, INVALID + 'List of GlobalSecondaryIndexes is empty'),
                ({global_: [wrong('/ z z')]}, undefined.format('z, z', 'p, s, a, b')),
                ({global_: [wrong('/ a a')]}, SAME),
                ({global_: [wrong('/ a p')]}, FIRST),
                ({global_: [index('abl', 'a', {}, ProvisionedThroughput=UNITS)]}, INVALID + 'Unknown ProjectionType: null'),
                ({global_: [index('abl', 'a', ProvisionedThroughput=UNITS)]}, INVALID + 'ProvisionedThroughput should not be specified for index: abl when BillingMode is PAY_PER_REQUEST'),
                ({global_: [index('abl', 'a')] * 21}, INVALID + 'Duplicate index name: abl'),
                ({global_: [index(f'abc{i}', 'a') for i in range(21)]}, INVALID + 'GlobalSecondaryIndex count exceeds the per-table limit of 20'),
                ({global_: [index('abg', 'a')]}, INVALID + 'Some AttributeDefinitions are not used. AttributeDefinitions: [p, s, a, b], keys used: [p, s, a]'),
                ({global_: [index('abg', 'b')], 'OnDemandThroughput': {'MaxReadRequestUnits': 0, 'MaxWriteRequestUnits': 0}},
                 INVALID + 'Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range'),
                ({'StreamSpecification': {'StreamEnabled': False, 'StreamViewType': 'KEYS_ONLY'}},
                 INVALID + 'Table is being created with a stream disabled, UpdateViewType should not be specified'),
                ({'Tags': [{'Key': str(i), 'Value': ''} for i in range(51)]}, re.compile('50')),
                ({'TableName': name}, f'Table already exists: {name}'))


def test_local_index_of_a_table_without_range_key(client):
    refused(client, INVALID + 'Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex',
            key='p', types='p:S a:S', local=[index('abc', 'p / a')])


@pytest.mark.parametrize('global_,message', [
    ([], INVALID + 'List of GlobalSecondaryIndexes is empty'),
    ([index('abc', 'z')], INVALID + UNDEFINED.format('z', 'p, s, a')),
    ([index('abc', 'a / a')], SAME),
    ([index('abc', 'a b a / p')], INVALID + UNDEFINED.format('a, b, a, p', 'p, s, a')),
    ([index('abc', 'a s a / p')], SAME),
    ([index('abc', '/ a')], FIRST),
    ([{**index('abc', 'a'), 'KeySchema': keys('a', 's') + keys('p')}], re.compile('HASH.*precede.*RANGE')),
    ([index('abc', 'a'), index('abc', 's')], INVALID + 'Duplicate index name: abc'),
    ([index('abc', 'a', ProvisionedThroughput=UNITS)], INVALID + 'ProvisionedThroughput should not be specified for index: abc when BillingMode is PAY_PER_REQUEST'),
    ([index(f'abc{i}', 'a') for i in range(21)], INVALID + 'GlobalSecondaryIndex count exceeds the per-table limit of 20'),
    ([index('abc', 'a', ProvisionedThroughput={'ReadCapacityUnits': 0, 'WriteCapacityUnits': 1})], ONE + "Value '0' at 'globalSecondaryIndexes.1.member.provisionedThroughput.readCapacityUnits' failed to satisfy constraint: Member must have value greater than or equal to 1"),
    ([index('abc', 'a'), {'IndexName': 'x'}], '3 validation errors detected: '
     "Value null at 'globalSecondaryIndexes.2.member.projection' failed to satisfy constraint: Member must not be null; "
     "Value 'x' at 'globalSecondaryIndexes.2.member.indexName' failed to satisfy constraint: Member must have length greater than or equal to 3; "
     "Value null at 'globalSecondaryIndexes.2.member.keySchema' failed to satisfy constraint: Member must not be null"),
])
def test_bad_global_indexes(unchecked_client, global_, message):
    refused(unchecked_client, message, types='p:S s:S a:S', global_=global_)


@pytest.mark.parametrize('key', ['a b c d e', 'a / b c d e f', 'a b c d e / f'])
def test_too_many_key_attributes(unchecked_client, key):
    refused(unchecked_client, None, key='p', types='p:S a:S b:S c:S d:S e:S f:S',
            global_=[index('abc', key)])


def test_provisioned_tables(unchecked_client):
    refused(unchecked_client, re.compile('ProvisionedThroughput.*abc'), types='p:S s:S a:S',
            global_=[index('abc', 'a')], **PROVISIONED)
    refused(unchecked_client, 'Given value 1000000000001 for WriteCapacityUnits is out of bounds for index abc',
            types='p:S s:S a:S', global_=[index('abc', 'a', ProvisionedThroughput={
                'ReadCapacityUnits': 1, 'WriteCapacityUnits': 10 ** 12 + 1})], **PROVISIONED)


def test_local_and_global_share_names(client):
    refused(client, INVALID + 'Duplicate index name: abc', types='p:S s:S a:S',
            local=[index('abc', 'p / a')], global_=[index('abc', 'a')])


def test_local_before_global(client):
    refused(client, INVALID + 'Index KeySchema does not have a range key for index: abc',
            types='p:S s:S', local=[index('abc', 'p')], global_=[index('def', 'z')])


# Member constraints go the other way round.
def test_constraints_of_global_first(unchecked_client):
    refused(unchecked_client, re.compile('^2 validation errors detected: .*globalSecondaryIndexes.*; .*localSecondaryIndexes'),
            local=[index('l', 'p / a')], global_=[index('g', 'a')])


def test_unused_definitions(client):
    refused(client, INVALID + 'Some AttributeDefinitions are not used. AttributeDefinitions: [p, s, a, b], keys used: [p, s, a]',
            global_=[index('abc', 'a')])


def test_too_many_projected_attributes(client):
    def including(n):
        return {'ProjectionType': 'INCLUDE', 'NonKeyAttributes': [f'x{i}' for i in range(n)]}
    refused(client, None, types='p:S s:S a:S', global_=[
        *(index(f'abc{i}', 'a', including(20)) for i in range(5)), index('abc5', 'a', including(1))])


@pytest.mark.parametrize('member', ['LocalSecondaryIndexes', 'GlobalSecondaryIndexes'])
@pytest.mark.parametrize('value,message', [
    ('x', 'Unexpected field type'),
    ({}, 'Start of structure or map found where not expected'),
    (['x'], 'Unexpected value type in payload'),
    ([{'IndexName': 1}], 'NUMBER_VALUE cannot be converted to String'),
    ([{'Projection': []}], 'Unrecognized collection type class com.amazonaws.dynamodb.v20120810.Projection'),
])
def test_shapes(raw, member, value, message):
    reply = raw('CreateTable', {**request(), member: value})
    assert (reply.type, reply.message) == ('SerializationException', message)


def test_ceilings_of_an_index(client, make):
    with raises(VALIDATION, re.compile('MaxReadRequestUnits for OnDemandThroughput cannot be specified.*abc.*PROVISIONED')):
        client.create_table(**request(types='p:S s:S a:S', global_=[index(
            'abc', 'a', ProvisionedThroughput=UNITS, OnDemandThroughput={'MaxReadRequestUnits': 5})],
            **PROVISIONED))
    name = make(types='p:S s:S a:S', global_=[index('abc', 'a', OnDemandThroughput={
        'MaxReadRequestUnits': 5, 'MaxWriteRequestUnits': 6})])
    assert named(describe(client, name), 'abc')['OnDemandThroughput'] == {
        'MaxReadRequestUnits': 5, 'MaxWriteRequestUnits': 6}
    update_indexes(client, name, {'Update': {'IndexName': 'abc', 'OnDemandThroughput': {
        'MaxReadRequestUnits': 7}}})
    assert named(settle(client, name), 'abc')['OnDemandThroughput'] == {
        'MaxReadRequestUnits': 7, 'MaxWriteRequestUnits': 6}


def test_warm_throughput_of_an_index(client, make):
    name = make(types='p:S s:S a:S', global_=[index('abc', 'a', WarmThroughput={
        'ReadUnitsPerSecond': 13000})])
    warm = named(describe(client, name), 'abc')['WarmThroughput']
    assert (warm['ReadUnitsPerSecond'], warm['WriteUnitsPerSecond']) == (13000, 4000)
    with raises(VALIDATION, re.compile('lower than current WarmThroughput')):
        update_indexes(client, name, {'Update': {'IndexName': 'abc', 'WarmThroughput': {
            'ReadUnitsPerSecond': 12999}}})


# ----- UpdateTable: one mistake each -----

ONE_ONLINE = 'Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table'


@pytest.fixture(scope='module')
def table(make_table):
    """An on-demand table with a local index, abl, and two global ones, abg, abh."""
    return make_table(**{**request(
        types='p:S s:S a:S b:N', local=[index('abl', 'p / a')],
        global_=[index('abg', 'a'), index('abh', 'b')]), 'TableName': unique('dynamo-test-')})


def create(name='new', key='a', **more):
    return {'Create': index(name, key, **more)}


def delete(name):
    return {'Delete': {'IndexName': name}}


@pytest.mark.parametrize('updates,types,code,message', [
    ([], '', VALIDATION, 'At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required'),
    ([{}], '', VALIDATION, INVALID + 'One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null'),
    ([{**create(), **delete('abg')}], 'a:S', VALIDATION, None),
    ([delete('abg'), {'Update': {'IndexName': 'abg'}}], '', VALIDATION, INVALID + 'Only one global secondary index update per index is allowed simultaneously. Index: abg'),
    ([create('new'), create('other')], 'a:S', 'LimitExceededException', ONE_ONLINE),
    ([delete('abg'), delete('abh')], '', 'LimitExceededException', ONE_ONLINE),
    ([create('new'), delete('abh')], 'a:S', 'LimitExceededException', ONE_ONLINE),
    ([delete('absent')], '', 'ResourceNotFoundException', None),
    ([{'Update': {'IndexName': 'absent', 'ProvisionedThroughput': UNITS}}], '', 'ResourceNotFoundException', None),
    ([delete('abl')], '', VALIDATION, None),
    ([create('abg')], 'a:S', VALIDATION, re.compile('exists')),
    ([create('abl')], 'a:S', VALIDATION, re.compile('exists')),
    ([create(key='a')], '', VALIDATION, INVALID + UNDEFINED.format('a', '')),
    ([create(key='z')], 'a:S', VALIDATION, INVALID + UNDEFINED.format('z', 'a')),
    ([create(key='a / a')], 'a:S', VALIDATION, SAME),
    ([create(projection={})], 'a:S', VALIDATION, INVALID + 'Unknown ProjectionType: null'),
    ([create(key='a')], 'a:N', VALIDATION, INVALID + 'Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. '
     'Existing schema: Schema:[SchemaElement: key{a:S:HASH}] New schema: Schema:[SchemaElement: key{a:N:HASH}]'),
    ([create(ProvisionedThroughput=UNITS)], 'a:S', VALIDATION, INVALID + 'ProvisionedThroughput should not be specified for index: new when BillingMode is PAY_PER_REQUEST'),
    ([{'Update': {'IndexName': 'abg', 'ProvisionedThroughput': UNITS}}], '', VALIDATION, re.compile('abg')),
    ([{'Update': {'IndexName': 'abg', 'ProvisionedThroughput': {'ReadCapacityUnits': 0, 'WriteCapacityUnits': 1}}}], '', VALIDATION, ONE + "Value '0' at 'globalSecondaryIndexUpdates.1.member.update.provisionedThroughput.readCapacityUnits' failed to satisfy constraint: Member must have value greater than or equal to 1"),
    ([{'Update': {}}], '', VALIDATION, ONE + "Value null at 'globalSecondaryIndexUpdates.1.member.update.indexName' failed to satisfy constraint: Member must not be null"),
    ([{'Delete': {}}], '', VALIDATION, ONE + "Value null at 'globalSecondaryIndexUpdates.1.member.delete.indexName' failed to satisfy constraint: Member must not be null"),
    ([{'Create': {'IndexName': 'new', 'Projection': ALL}}], '', VALIDATION, ONE + "Value null at 'globalSecondaryIndexUpdates.1.member.create.keySchema' failed to satisfy constraint: Member must not be null"),
])
def test_bad_updates(unchecked_client, table, updates, types, code, message):
    with raises(code, message):
        update_indexes(unchecked_client, table, *updates, types=types)
    description = describe(unchecked_client, table)
    assert description['TableStatus'] == 'ACTIVE'
    assert len(description['GlobalSecondaryIndexes']) == 2


def test_switching_needs_throughput_of_every_index(client, table):
    with raises(VALIDATION, 'ProvisionedThroughput must be specified for index: abg,abh'):
        client.update_table(TableName=table, **PROVISIONED)
    with raises(VALIDATION, 'ProvisionedThroughput must be specified for index: abg'):
        update_indexes(client, table, {'Update': {'IndexName': 'abh', 'ProvisionedThroughput': UNITS}},
                       **PROVISIONED)


@pytest.mark.not_aws    # a day between the switches
def test_switching_with_indexes(client, make):
    name = make(types='p:S s:S a:S', global_=[index('abc', 'a', OnDemandThroughput={
        'MaxReadRequestUnits': 5})])
    update_indexes(client, name, {'Update': {'IndexName': 'abc', 'ProvisionedThroughput': UNITS}},
                   **PROVISIONED)
    described = named(settle(client, name), 'abc')
    assert described['ProvisionedThroughput']['ReadCapacityUnits'] == 1
    assert 'OnDemandThroughput' not in described
    client.update_table(TableName=name, BillingMode='PAY_PER_REQUEST')
    assert named(settle(client, name), 'abc')['ProvisionedThroughput']['ReadCapacityUnits'] == 0


def test_twenty_indexes_are_the_limit(client, make):
    name = make(types='p:S s:S a:S', global_=[index(f'abc{i}', 'a') for i in range(20)])
    with raises('LimitExceededException'):
        update_indexes(client, name, create('one-more'), types='a:S')


# ----- online -----

def test_an_index_comes_and_goes(client, make):
    name = make(key='p', types='p:S')
    client.put_item(TableName=name, Item={'p': {'S': '1'}, 'a': {'S': 'x'}, 'b': {'N': '1'}})
    client.put_item(TableName=name, Item={'p': {'S': '2'}, 'a': {'N': '3'}})
    # The unused definition of z is ignored.
    made = update_indexes(client, name, create('by-a', 'a / b'), types='a:S b:N z:B')
    assert made['TableStatus'] == 'UPDATING'
    assert named(made, 'by-a')['IndexStatus'] == 'CREATING'
    assert named(made, 'by-a')['Backfilling'] is False
    table = settle(client, name)
    assert 'Backfilling' not in named(table, 'by-a')
    assert sorted(d['AttributeName'] for d in table['AttributeDefinitions']) == ['a', 'b', 'p']
    found = client.query(TableName=name, IndexName='by-a', KeyConditionExpression='a = :a',
                         ExpressionAttributeValues={':a': {'S': 'x'}})['Items']
    assert [i['p']['S'] for i in found] == ['1']
    # What the backfill skipped can't be written any more.
    with raises(VALIDATION, re.compile('Type mismatch for Index Key a')):
        client.put_item(TableName=name, Item={'p': {'S': '2'}, 'a': {'N': '3'}})

    gone = update_indexes(client, name, delete('by-a'))
    assert named(gone, 'by-a')['IndexStatus'] == 'DELETING'
    table = wait_for(lambda: 'GlobalSecondaryIndexes' not in (t := describe(client, name)) and t,
                     1800 if ON_AWS else 60)
    assert [d['AttributeName'] for d in table['AttributeDefinitions']] == ['p']
    wait_for(lambda: describe(client, name)['TableStatus'] == 'ACTIVE', 60)
    client.put_item(TableName=name, Item={'p': {'S': '2'}, 'a': {'N': '3'}})
    # The same name, another key, another type.
    update_indexes(client, name, create('by-a', 'a'), types='a:N')
    settle(client, name)
    found = client.query(TableName=name, IndexName='by-a', KeyConditionExpression='a = :a',
                         ExpressionAttributeValues={':a': {'N': '3'}})['Items']
    assert [i['p']['S'] for i in found] == ['2']


@pytest.mark.not_aws
def test_states(client, make, sql):
    """What may be asked of a table while an index is in each of its states: in a
    transaction, where no background job sees them."""
    name = make(types='p:S s:S a:S', global_=[index('abc', 'a'), index('other', 'a')])
    busy = f'Attempt to change a resource which is still in use: Table is being updated: {name}'
    read = "SELECT dynamo.scan(json_build_object('TableName', %s::text, 'IndexName', 'abc'))"

    sql('BEGIN')
    try:
        for status in ('CREATING', 'DELETING'):
            sql("UPDATE dynamo.indexes SET status = %s WHERE table_name = %s AND name = 'abc'", status, name)
            description, = sql("SELECT dynamo.describe_table(json_build_object('TableName', %s::text)) -> 'Table'", name)[0]
            assert description['TableStatus'] == 'UPDATING'
            for call in ('dynamo.delete_table(json_build_object(\'TableName\', %s::text))',
                         'dynamo.update_table(json_build_object(\'TableName\', %s::text, \'TableClass\', \'STANDARD\'))'):
                sql('SAVEPOINT a')
                with pytest.raises(Exception, match=busy):
                    sql('SELECT ' + call, name)
                sql('ROLLBACK TO a')
            sql('SAVEPOINT a')
            with pytest.raises(Exception, match='Cannot read from backfilling global secondary index: abc' if status == 'CREATING' else
                               'The table does not have the specified index: abc'):
                sql(read, name)
            sql('ROLLBACK TO a')
        # While it is filled the table is free, but for another index.
        sql("UPDATE dynamo.indexes SET status = 'CREATING', backfilling = true"
            " WHERE table_name = %s AND name = 'abc'", name)
        description, = sql("SELECT dynamo.describe_table(json_build_object('TableName', %s::text)) -> 'Table'", name)[0]
        assert description['TableStatus'] == 'ACTIVE'
        assert named(description, 'abc')['Backfilling'] is True
        sql('SAVEPOINT a')
        with pytest.raises(Exception, match=ONE_ONLINE):
            sql("SELECT dynamo.update_table(json_build_object('TableName', %s::text,"
                " 'GlobalSecondaryIndexUpdates', json_build_array(json_build_object('Delete',"
                " json_build_object('IndexName', 'other')))))", name)
        sql('ROLLBACK TO a')
        sql('SAVEPOINT a')
        with pytest.raises(Exception, match=busy):
            sql("SELECT dynamo.update_table(json_build_object('TableName', %s::text,"
                " 'TableClass', 'STANDARD_INFREQUENT_ACCESS'))", name)
        sql('ROLLBACK TO a')
        # It may be called off.
        sql("SELECT dynamo.update_table(json_build_object('TableName', %s::text,"
            " 'GlobalSecondaryIndexUpdates', json_build_array(json_build_object('Delete',"
            " json_build_object('IndexName', 'abc')))))", name)
    finally:
        sql('ROLLBACK')
