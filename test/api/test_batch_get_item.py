"""BatchGetItem: several tables, duplicates, limits, capacity, error texts."""
import json

import pytest

from conftest import raises, unique

VALIDATION = 'ValidationException'


@pytest.fixture(scope='module')
def keys(client, table_ss):
    """Five items with a number in a, in one partition."""
    p = unique()
    keys = [{'p': {'S': p}, 's': {'S': str(n)}} for n in range(5)]
    client.batch_write_item(RequestItems={table_ss: [
        {'PutRequest': {'Item': {**key, 'a': {'N': key['s']['S']}, 'm': {'M': {'x': {'S': 'y'}}}}}} for key in keys]})
    return keys


@pytest.fixture
def get(unchecked_client, table_ss, keys):
    """get(...) of those keys; members are those of the table's block."""
    def get(parameters=None, **members):
        return unchecked_client.batch_get_item(
            RequestItems={table_ss: {'Keys': keys, 'ConsistentRead': True, **members}}, **(parameters or {}))
    return get


def by_number(items):
    return sorted(items, key=lambda item: int(item['a']['N']))


def test_items(get, keys, table_ss):
    reply = get()
    items = by_number(reply['Responses'][table_ss])
    assert [{'p': item['p'], 's': item['s']} for item in items] == keys
    assert reply['UnprocessedKeys'] == {}


def test_missing_items_are_left_out(get, keys, table_ss):
    reply = get(Keys=[keys[0], {**keys[0], 's': {'S': 'none'}}])
    assert len(reply['Responses'][table_ss]) == 1
    assert get(Keys=[{**keys[0], 's': {'S': 'none'}}])['Responses'] == {table_ss: []}


def test_several_tables(client, table_ss, table_n, keys):
    client.put_item(TableName=table_n, Item={'p': {'N': '424242'}, 'a': {'S': 'x'}})
    reply = client.batch_get_item(RequestItems={
        table_ss: {'Keys': keys[:2], 'ConsistentRead': True, 'ProjectionExpression': '#a',
                   'ExpressionAttributeNames': {'#a': 'a'}},
        table_n: {'Keys': [{'p': {'N': '4.24242e5'}}], 'ConsistentRead': True}})
    assert by_number(reply['Responses'][table_ss]) == [{'a': {'N': '0'}}, {'a': {'N': '1'}}]
    assert reply['Responses'][table_n] == [{'p': {'N': '424242'}, 'a': {'S': 'x'}}]


def test_projections(get, keys, table_ss):
    reply = get(Keys=keys[:1], ProjectionExpression='m.x, zz')
    assert reply['Responses'][table_ss] == [{'m': {'M': {'x': {'S': 'y'}}}}]
    assert get(Keys=keys[:1], AttributesToGet=['a'])['Responses'][table_ss] == [{'a': {'N': '0'}}]


def test_duplicates(get, keys, client, table_n):
    with raises(VALIDATION, 'Provided list of item keys contains duplicates'):
        get(Keys=[keys[0], keys[1], keys[0]])
    with raises(VALIDATION, 'Provided list of item keys contains duplicates'):
        get(Keys=[keys[0], dict(reversed(keys[0].items()))])
    # The service compares the spelling; the item comes once.
    client.put_item(TableName=table_n, Item={'p': {'N': '1000'}})
    reply = client.batch_get_item(RequestItems={table_n: {
        'Keys': [{'p': {'N': '1000'}}, {'p': {'N': '1e3'}}, {'p': {'N': '1000.0'}}], 'ConsistentRead': True}})
    assert reply['Responses'][table_n] == [{'p': {'N': '1000'}}]


def test_too_many(unchecked_client, table_ss, table_s):
    def keys(count):
        return [{'p': {'S': 'x'}, 's': {'S': str(n)}} for n in range(count)]

    assert unchecked_client.batch_get_item(RequestItems={table_ss: {'Keys': keys(100)}})['UnprocessedKeys'] == {}
    with raises(VALIDATION, f"1 validation error detected: Value at 'RequestItems.{table_ss}.member.Keys' failed to "
                            'satisfy constraint: Member must have length less than or equal to 100'):
        unchecked_client.batch_get_item(RequestItems={table_ss: {'Keys': keys(101)}})
    with raises(VALIDATION, 'Too many items requested for the BatchGetItem call'):
        unchecked_client.batch_get_item(RequestItems={
            table_ss: {'Keys': keys(60)}, table_s: {'Keys': [{'p': {'S': str(n)}} for n in range(60)]}})


def test_sixteen_megabytes(client, table_ss):
    """What does not fit into one answer can be asked for as it is returned."""
    p = unique()
    keys = [{'p': {'S': p}, 's': {'S': str(n)}} for n in range(50)]
    for n in range(50):
        client.put_item(TableName=table_ss, Item={**keys[n], 'a': {'N': str(n)}, 'x': {'S': 'x' * 400_000}})
    block = {'Keys': keys, 'ConsistentRead': True, 'ProjectionExpression': '#a, s',
             'ExpressionAttributeNames': {'#a': 'a'}}
    reply = client.batch_get_item(RequestItems={table_ss: block}, ReturnConsumedCapacity='TOTAL')
    left = reply['UnprocessedKeys'][table_ss]
    count = len(reply['Responses'][table_ss])
    # A projection does not make room: sizes are those of the whole items.
    assert 40 <= count <= 42 and count + len(left['Keys']) == 50
    assert {k: v for k, v in left.items() if k != 'Keys'} == {k: v for k, v in block.items() if k != 'Keys'}
    assert reply['ConsumedCapacity'][0]['CapacityUnits'] == count * 98
    rest = client.batch_get_item(RequestItems=reply['UnprocessedKeys'])
    assert rest['UnprocessedKeys'] == {}
    assert [int(item['a']['N']) for item in by_number(
        reply['Responses'][table_ss] + rest['Responses'][table_ss])] == list(range(50))
    older = client.batch_get_item(RequestItems={table_ss: {'Keys': keys, 'AttributesToGet': ['a']}})
    assert older['UnprocessedKeys'][table_ss]['AttributesToGet'] == ['a']


def test_capacity(client, get, table_ss, table_s, keys):
    p = unique()
    client.put_item(TableName=table_s, Item={'p': {'S': p}, 'a': {'S': 'x' * 5000}})
    request = {table_ss: {'Keys': keys, 'ConsistentRead': True},
               table_s: {'Keys': [{'p': {'S': p}}, {'p': {'S': unique()}}]}}
    for mode, table in (('TOTAL', None), ('INDEXES', True)):
        reply = client.batch_get_item(RequestItems=request, ReturnConsumedCapacity=mode)
        # Each item is rounded by itself; a missing one costs the least.
        expected = {table_ss: 5, table_s: 1 + 0.5}
        assert {c['TableName']: c['CapacityUnits'] for c in reply['ConsumedCapacity']} == expected
        assert all(c.get('Table', {}).get('CapacityUnits') == (c['CapacityUnits'] if table else None)
                   for c in reply['ConsumedCapacity'])
    assert 'ConsumedCapacity' not in get()


def test_missing_table(client, table_ss, keys):
    with raises('ResourceNotFoundException', 'Requested resource not found'):
        client.batch_get_item(RequestItems={table_ss: {'Keys': keys},
                                            unique('absent-'): {'Keys': [{'p': {'S': 'x'}}]}})


@pytest.mark.parametrize('members,message', [
    ({'Keys': [{'p': {'S': 'x'}}]}, 'The provided key element does not match the schema'),
    ({'Keys': [{'p': {'S': 'x'}, 's': {'N': '1'}}]}, 'The provided key element does not match the schema'),
    ({'Keys': [{'p': {'S': ''}, 's': {'S': 'x'}}]},
     'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty '
     'string value. Key: p'),
    ({'Keys': [{'p': {}, 's': {'S': 'x'}}]},
     'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes'),
    ({'ProjectionExpression': '!'}, 'Invalid ProjectionExpression: Syntax error; token: "!", near: "!"'),
    ({'ProjectionExpression': 'a', 'AttributesToGet': ['a']},
     'Can not use both expression and non-expression parameters in the same request: '
     'Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}'),
    ({'ExpressionAttributeNames': {'#a': 'a'}},
     'ExpressionAttributeNames can only be specified when using expressions'),
    ({'ProjectionExpression': 'a', 'ExpressionAttributeNames': {'#a': 'a'}},
     'Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}'),
    ({'ProjectionExpression': 'a, s.x'},
     "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: s"),
    ({'AttributesToGet': ['a', 'a']},
     'One or more parameter values were invalid: Duplicate value in attribute name: a'),
])
def test_errors(get, members, message):
    with raises(VALIDATION, message):
        get(**members)


def test_order_of_checks(raw, table_ss):
    """Of two mistakes the first is told."""
    bad, nothing = {'p': {'S': 'x'}}, unique('absent-')
    missing = {nothing: {'Keys': [bad]}}
    for request, message in [
            ({'RequestItems': {}, 'ReturnConsumedCapacity': 'x'}, "1 validation error detected: Value 'x' at 'returnConsumedCapacity' failed to satisfy "
             'constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]'),
            ({'RequestItems': {nothing: {'Keys': [{'p': {'S': str(n)}} for n in range(101)], 'ProjectionExpression': '!'}}},
             f"1 validation error detected: Value at 'RequestItems.{nothing}.member.Keys' failed to satisfy constraint: Member must have length less than or equal to 100"),
            ({'RequestItems': {**missing, table_ss: {'Keys': [{'p': {'SS': []}}]}}}, 'One or more parameter values were invalid: An string set  may not be empty'),
            ({'RequestItems': {**missing, table_ss: {'Keys': [bad], 'ProjectionExpression': '!'}}}, 'Invalid ProjectionExpression: Syntax error; token: "!", near: "!"'),
            ({'RequestItems': {table_ss: {'Keys': [bad], 'ProjectionExpression': 's.x'}, **missing}}, 'Requested resource not found'),
            ({'RequestItems': {table_ss: {'Keys': [bad], 'ProjectionExpression': 's.x'}}}, 'The provided key element does not match the schema')]:
        assert raw('BatchGetItem', request).message == message


def test_request_items(unchecked_client, raw, table_ss, table_s, keys):
    with raises(VALIDATION, 'The requestItems parameter is required for BatchGetItem'):
        unchecked_client.batch_get_item(RequestItems={})
    assert raw('BatchGetItem').message == (
        "1 validation error detected: Value null at 'requestItems' failed to satisfy constraint: "
        'Member must not be null')
    with raises(VALIDATION, f"1 validation error detected: Value '[]' at 'requestItems.{table_ss}.member.keys' failed "
                            'to satisfy constraint: Member must have length greater than or equal to 1'):
        unchecked_client.batch_get_item(RequestItems={table_ss: {'Keys': []}})
    with raises(VALIDATION, f"1 validation error detected: Value null at 'requestItems.{table_ss}.member.keys' failed "
                            'to satisfy constraint: Member must not be null'):
        unchecked_client.batch_get_item(RequestItems={table_ss: {}})
    # One form on one table, the other on another: refused too.
    with raises(VALIDATION, 'Can not use both expression and non-expression parameters in the same request: '
                            'Non-expression parameters: {AttributesToGet} Expression parameters: '
                            '{ProjectionExpression}'):
        unchecked_client.batch_get_item(RequestItems={
            table_ss: {'Keys': keys, 'ProjectionExpression': 'a'},
            table_s: {'Keys': [{'p': {'S': 'x'}}], 'AttributesToGet': ['a']}})
    with raises(VALIDATION) as caught:
        unchecked_client.batch_get_item(RequestItems={'a': {'Keys': [{'p': {'S': 'x'}}]}})
    assert 'Map keys must satisfy constraint' in caught.value.response['Error']['Message']


def test_shape(raw, table_ss):
    for body in ({'RequestItems': 'x'}, {'RequestItems': []}, {'RequestItems': {table_ss: 'x'}},
                 {'RequestItems': {table_ss: {'Keys': 'x'}}},
                 {'RequestItems': {table_ss: {'Keys': [{'p': {'S': 1}}]}}}):
        reply = raw('BatchGetItem', json.dumps(body))
        assert (reply.status, reply.type) == (400, 'SerializationException')
