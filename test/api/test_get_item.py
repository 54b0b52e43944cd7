"""GetItem: projections, capacity, order of checks, error texts."""
import re

import pytest

from conftest import raises, unique

VALIDATION = 'ValidationException'


@pytest.fixture(scope='module')
def item(client, table_ss):
    item = {'p': {'S': unique()}, 's': {'S': 's'}, 'a': {'S': 'x'}, 'n': {'N': '1'},
            'm': {'M': {'x': {'N': '1'}, 'y': {'M': {'z': {'S': 'deep'}}}}},
            'l': {'L': [{'S': 'zero'}, {'S': 'one'}, {'M': {'b': {'N': '1'}, 'c': {'N': '2'}}}]}}
    client.put_item(TableName=table_ss, Item=item)
    return item


@pytest.fixture
def get(client, table_ss, item):
    def get(**parameters):
        return client.get_item(TableName=table_ss, ConsistentRead=True,
                               Key={'p': item['p'], 's': item['s']}, **parameters)
    return get


def test_item(get, item):
    assert get()['Item'] == item


def test_missing_item(client, table_ss):
    reply = client.get_item(TableName=table_ss, Key={'p': {'S': unique()}, 's': {'S': 'x'}})
    assert 'Item' not in reply


@pytest.mark.parametrize('expression,expected', [
    ('a', {'a': {'S': 'x'}}),
    ('a, n', {'a': {'S': 'x'}, 'n': {'N': '1'}}),
    ('m.x', {'m': {'M': {'x': {'N': '1'}}}}),
    ('m.y.z', {'m': {'M': {'y': {'M': {'z': {'S': 'deep'}}}}}}),
    ('l[2].c, l[0]', {'l': {'L': [{'S': 'zero'}, {'M': {'c': {'N': '2'}}}]}}),
    ('l[2].c, l[2].b', {'l': {'L': [{'M': {'b': {'N': '1'}, 'c': {'N': '2'}}}]}}),
    ('zz, m.zz, l[9], a.b', {}),
])
def test_projection(get, expression, expected):
    assert get(ProjectionExpression=expression)['Item'] == expected


def test_projection_with_names(get, item):
    reply = get(ProjectionExpression='#a, m.#y', ExpressionAttributeNames={'#a': 'a', '#y': 'x'})
    assert reply['Item'] == {'a': item['a'], 'm': {'M': {'x': {'N': '1'}}}}


def test_attributes_to_get(get, item):
    assert get(AttributesToGet=['a', 'zz'])['Item'] == {'a': item['a']}
    assert get(AttributesToGet=['zz'])['Item'] == {}
    with raises(VALIDATION, 'One or more parameter values were invalid: Duplicate value in attribute name: a'):
        get(AttributesToGet=['a', 'a'])


@pytest.mark.parametrize('size,units', [(0, 1), (4000, 1), (4200, 2), (9000, 3)])
def test_capacity(client, table_s, size, units):
    key = {'p': {'S': unique()}}
    client.put_item(TableName=table_s, Item={**key, 'a': {'S': 'x' * size}})
    for consistent, factor in ((True, 1), (False, 0.5)):
        reply = client.get_item(TableName=table_s, Key=key, ConsistentRead=consistent,
                                ReturnConsumedCapacity='TOTAL', ProjectionExpression='p')
        assert reply['ConsumedCapacity'] == {'TableName': table_s,
                                             'CapacityUnits': units * factor}
    reply = client.get_item(TableName=table_s, Key=key, ReturnConsumedCapacity='INDEXES')
    assert reply['ConsumedCapacity'] == {
        'TableName': table_s, 'CapacityUnits': units * 0.5,
        'Table': {'CapacityUnits': units * 0.5}}


def test_a_miss_costs_half_a_unit(client, table_s):
    reply = client.get_item(TableName=table_s, Key={'p': {'S': unique()}},
                            ReturnConsumedCapacity='TOTAL')
    assert reply['ConsumedCapacity']['CapacityUnits'] == 0.5


@pytest.mark.parametrize('key', [
    {'p': {'S': 'a'}},
    {'p': {'S': 'a'}, 's': {'S': 'a'}, 'x': {'S': 'a'}},
    {'p': {'S': 'a'}, 'x': {'S': 'a'}},
    {'p': {'S': 'a'}, 's': {'N': '1'}},
    {},
])
def test_key_does_not_match(client, table_ss, key):
    with raises(VALIDATION, 'The provided key element does not match the schema'):
        client.get_item(TableName=table_ss, Key=key)


def test_bad_key_values(client, table_ss):
    with raises(VALIDATION, 'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: s'):
        client.get_item(TableName=table_ss, Key={'p': {'S': 'a'}, 's': {'S': ''}})
    with raises(VALIDATION, 'One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes'):
        client.get_item(TableName=table_ss, Key={'p': {'S': 'a' * 2049}, 's': {'S': 'a'}})


def test_constraints_are_collected(unchecked_client):
    with raises(VALIDATION, '4 validation errors detected: '
                "Value 'a' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; "
                "Value '[]' at 'attributesToGet' failed to satisfy constraint: Member must have length greater than or equal to 1; "
                "Value null at 'tableName' failed to satisfy constraint: Member must not be null; "
                "Value null at 'key' failed to satisfy constraint: Member must not be null"):
        unchecked_client.get_item(ReturnConsumedCapacity='a', AttributesToGet=[])


# In the order of the checks; each request has all later mistakes too.
@pytest.mark.parametrize('change,code,message', [
    ({'AttributesToGet': ['a']}, VALIDATION,
     'Can not use both expression and non-expression parameters in the same request: '
     'Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}'),
    ({}, VALIDATION, 'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes'),
    ({'Key': {'x': {'S': 'a'}}}, VALIDATION, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"'),
    ({'Key': {'x': {'S': 'a'}}, 'ExpressionAttributeNames': {'#a': 'a'}}, VALIDATION,
     re.compile('Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: abort')),
    ({'Key': {'x': {'S': 'a'}}, 'ExpressionAttributeNames': {'#a': 'a'},
      'ProjectionExpression': 'b'}, VALIDATION,
     re.compile('Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}')),
    ({'Key': {'x': {'S': 'a'}}, 'ExpressionAttributeNames': {'#a': 'a'},
      'ProjectionExpression': '#a'}, 'ResourceNotFoundException', 'Requested resource not found'),
])
def test_order_of_checks(unchecked_client, change, code, message):
    with raises(code, message):
        unchecked_client.get_item(**{
            'TableName': 'no-such-table', 'Key': {'x': {}},
            'ExpressionAttributeNames': {'a': 'a'}, 'ProjectionExpression': 'abort', **change})


def test_names_need_an_expression(client):
    with raises(VALIDATION, 'ExpressionAttributeNames can only be specified when using expressions'):
        client.get_item(TableName='no-such-table', Key={},
                        ExpressionAttributeNames={'#a': 'a'})


def test_projection_into_a_key(get):
    with raises(VALIDATION, re.compile("Key attributes must be scalars; list random access '\\[\\]' and map lookup '.' are not allowed: Key: p")):
        get(ProjectionExpression='p[0]')


def test_members_of_other_operations_are_ignored(raw, table_ss):
    reply = raw('GetItem', {'TableName': table_ss, 'Key': {'p': {'S': 'a'}, 's': {'S': 'a'}},
                            'ExpressionAttributeValues': 7, 'ConsistentRead': 'yes'})
    assert (reply.status, reply.json) == (200, {})


def test_binary_keys(client, table_b):
    key = {'p': {'B': unique().encode() + b'\x00\xff'}}
    client.put_item(TableName=table_b, Item=key)
    assert client.get_item(TableName=table_b, Key=key, ConsistentRead=True)['Item'] == key
