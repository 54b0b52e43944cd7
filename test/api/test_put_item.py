"""PutItem: order of checks, error texts, ReturnValues, conditions, capacity."""
import concurrent.futures
import re

import pytest

from conftest import raises, unique

VALIDATION = 'ValidationException'
ONE = '1 validation error detected: '


def put(client, table, attributes=None, **parameters):
    item = {'p': {'S': unique()}, **(attributes or {})}
    return client.put_item(TableName=table, Item=item, **parameters), item


def stored(client, table, item):
    return client.get_item(TableName=table, Key={'p': item['p']},
                           ConsistentRead=True).get('Item')


def test_all_types_survive(client, table_s):
    _, item = put(client, table_s, {
        's': {'S': 'x \x00 \u00e9 \U0001f600'}, 'n': {'N': '-12.5'},
        'b': {'B': b'\x00\xff'}, 'bool': {'BOOL': False}, 'null': {'NULL': True},
        'empty': {'S': ''}, 'nothing': {'B': b''},
        'm': {'M': {'a': {'L': [{'N': '1'}, {'S': ''}, {'M': {}}, {'L': []}]}}}})
    assert stored(client, table_s, item) == item


def test_sets(client, table_s):
    _, item = put(client, table_s, {
        'ss': {'SS': ['b', 'a']}, 'ns': {'NS': ['10', '9']},
        'bs': {'BS': [b'\x02', b'\x01']}})
    found = stored(client, table_s, item)
    assert sorted(found['ss']['SS']) == ['a', 'b']
    assert sorted(found['ns']['NS']) == ['10', '9']
    assert sorted(found['bs']['BS']) == [b'\x01', b'\x02']


@pytest.mark.parametrize('given,canonical', [
    ('007', '7'), ('1e3', '1000'), ('+1.50', '1.5'), ('-0', '0'), ('.5', '0.5'),
    ('1e-3', '0.001')])
def test_numbers_are_canonical(client, table_s, given, canonical):
    _, item = put(client, table_s, {'n': {'N': given}})
    assert stored(client, table_s, item)['n'] == {'N': canonical}


def test_equal_numbers_are_one_key(client, table_n):
    number = str(abs(hash(unique())) % 10 ** 12 * 1000)
    client.put_item(TableName=table_n, Item={'p': {'N': number}, 'a': {'S': 'x'}})
    item = client.get_item(TableName=table_n, Key={'p': {'N': number + '.0'}},
                           ConsistentRead=True)['Item']
    assert item['a'] == {'S': 'x'}


def test_replaces_the_whole_item(client, table_s):
    _, item = put(client, table_s, {'a': {'S': 'old'}})
    client.put_item(TableName=table_s, Item={'p': item['p'], 'b': {'S': 'new'}})
    assert stored(client, table_s, item) == {'p': item['p'], 'b': {'S': 'new'}}


def test_return_values(client, table_s):
    reply, item = put(client, table_s, {'a': {'N': '1'}}, ReturnValues='ALL_OLD')
    assert 'Attributes' not in reply
    reply = client.put_item(TableName=table_s, Item={'p': item['p']},
                            ReturnValues='ALL_OLD')
    assert reply['Attributes'] == item
    reply = client.put_item(TableName=table_s, Item={'p': item['p']},
                            ReturnValues='NONE')
    assert 'Attributes' not in reply


@pytest.mark.parametrize('mode', ['ALL_NEW', 'UPDATED_OLD', 'UPDATED_NEW'])
def test_return_values_of_updates_are_refused(client, table_s, mode):
    with raises(VALIDATION, 'ReturnValues can only be ALL_OLD or NONE'):
        put(client, table_s, ReturnValues=mode)


def test_condition(client, table_s):
    _, item = put(client, table_s, {'n': {'N': '1'}},
                  ConditionExpression='attribute_not_exists(p)')
    with raises('ConditionalCheckFailedException', 'The conditional request failed') as e:
        client.put_item(TableName=table_s, Item={'p': item['p']},
                        ConditionExpression='attribute_not_exists(p)')
    assert 'Item' not in e.value.response
    assert stored(client, table_s, item) == item
    client.put_item(TableName=table_s, Item={'p': item['p'], 'n': {'N': '2'}},
                    ConditionExpression='#n = :one',
                    ExpressionAttributeNames={'#n': 'n'},
                    ExpressionAttributeValues={':one': {'N': '1.0'}})
    assert stored(client, table_s, item)['n'] == {'N': '2'}


def test_condition_failure_shows_the_item(client, table_s):
    _, item = put(client, table_s, {'n': {'N': '1'}})
    with raises('ConditionalCheckFailedException') as e:
        client.put_item(TableName=table_s, Item={'p': item['p']},
                        ConditionExpression='n > :n',
                        ExpressionAttributeValues={':n': {'N': '5'}},
                        ReturnValuesOnConditionCheckFailure='ALL_OLD')
    assert e.value.response['Item'] == item


def test_condition_failure_without_an_item(client, table_s):
    with raises('ConditionalCheckFailedException') as e:
        put(client, table_s, ConditionExpression='attribute_exists(p)',
            ReturnValuesOnConditionCheckFailure='ALL_OLD')
    assert 'Item' not in e.value.response


def test_one_of_many_creators_wins(client, table_s):
    key = unique()

    def create(i):
        try:
            client.put_item(TableName=table_s,
                            Item={'p': {'S': key}, 'i': {'N': str(i)}},
                            ConditionExpression='attribute_not_exists(p)')
            return 1
        except client.exceptions.ConditionalCheckFailedException:
            return 0

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(create, range(32))) == 1


def test_expected(client, table_s):
    _, item = put(client, table_s, {'n': {'N': '1'}},
                  Expected={'p': {'Exists': False}})
    with raises('ConditionalCheckFailedException'):
        client.put_item(TableName=table_s, Item=item,
                        Expected={'p': {'Exists': False}})
    client.put_item(TableName=table_s, Item=item,
                    Expected={'n': {'Value': {'N': '1'}}})
    client.put_item(TableName=table_s, Item=item, ConditionalOperator='OR',
                    Expected={'n': {'ComparisonOperator': 'GT',
                                    'AttributeValueList': [{'N': '1'}]},
                              'p': {'ComparisonOperator': 'NOT_NULL'}})
    with raises('ConditionalCheckFailedException'):
        client.put_item(TableName=table_s, Item=item, ConditionalOperator='AND',
                        Expected={'n': {'ComparisonOperator': 'GT',
                                        'AttributeValueList': [{'N': '1'}]},
                                  'p': {'ComparisonOperator': 'NOT_NULL'}})


def test_conditional_operator_needs_expected(client, table_s):
    with raises(VALIDATION, re.compile('ConditionalOperator')):
        put(client, table_s, ConditionalOperator='OR')


@pytest.mark.parametrize('size,units', [(0, 1), (900, 1), (1100, 2), (5000, 5)])
def test_capacity(client, table_s, size, units):
    reply, item = put(client, table_s, {'a': {'S': 'x' * size}},
                      ReturnConsumedCapacity='TOTAL')
    assert reply['ConsumedCapacity'] == {'TableName': table_s,
                                         'CapacityUnits': float(units)}
    # The larger of the two images counts.
    reply = client.put_item(TableName=table_s, Item={'p': item['p']},
                            ReturnConsumedCapacity='INDEXES')
    assert reply['ConsumedCapacity'] == {'TableName': table_s,
                                         'CapacityUnits': float(units),
                                         'Table': {'CapacityUnits': float(units)}}


def test_nothing_is_returned_unless_asked_for(client, table_s):
    reply, _ = put(client, table_s, ReturnConsumedCapacity='NONE',
                   ReturnItemCollectionMetrics='SIZE')
    assert set(reply) == {'ResponseMetadata'}


def test_table_by_arn(client, table_s):
    arn = client.describe_table(TableName=table_s)['Table']['TableArn']
    reply, item = put(client, arn, ReturnConsumedCapacity='TOTAL')
    assert reply['ConsumedCapacity']['TableName'] in (arn, table_s)
    assert stored(client, table_s, item) == item


def test_item_size_limit(client, table_s):
    key = unique()
    room = 409600 - len('p') - len(key) - len('a')
    client.put_item(TableName=table_s, Item={'p': {'S': key}, 'a': {'S': 'x' * room}})
    with raises(VALIDATION, 'Item size has exceeded the maximum allowed size'):
        client.put_item(TableName=table_s,
                        Item={'p': {'S': key}, 'a': {'S': 'x' * (room + 1)}})


# Each case is one wrong thing; the table does not matter before it.
@pytest.mark.parametrize('attribute,message', [
    ({}, 'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes'),
    ({'S': 'a', 'N': '1'}, 'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes'),
    ({'NULL': False}, re.compile('Null attribute value types must have the value of true')),
    ({'SS': []}, re.compile('An string set  may not be empty')),
    ({'NS': []}, re.compile('An number set  may not be empty')),
    ({'BS': []}, re.compile('Binary sets should not be empty')),
    ({'SS': ['a', 'a']}, re.compile('contains duplicates')),
    ({'NS': ['1', '1.0']}, re.compile('Input collection contains duplicates')),
    ({'N': 'dog'}, re.compile('The parameter cannot be converted to a numeric value: dog')),
    ({'N': '1e126'}, re.compile('Number overflow. Attempting to store a number with magnitude larger than supported range')),
    ({'N': '1e-131'}, re.compile('Number underflow. Attempting to store a number with magnitude smaller than supported range')),
    ({'N': '1' * 39}, re.compile('Attempting to store more than 38 significant digits in a Number')),
])
def test_bad_values(unchecked_client, attribute, message):
    for value in (attribute, {'L': [{'M': {'x': attribute}}]}):
        with raises(VALIDATION, message):
            unchecked_client.put_item(TableName='no-such-table',
                                      Item={'p': {'S': 'a'}, 'a': value})


def nested(levels):
    value = {'S': 'x'}
    for _ in range(levels):
        value = {'M': {'m': value}}
    return value


def test_nesting_limit(client, table_s):
    put(client, table_s, {'a': nested(31)})
    with raises(VALIDATION, re.compile('Nesting Levels have exceeded supported limits')):
        put(client, table_s, {'a': nested(32)})


@pytest.mark.parametrize('item,message', [
    ({'a': {'S': 'x'}}, 'One or more parameter values were invalid: Missing the key p in the item'),
    ({'p': {'S': 'a'}}, 'One or more parameter values were invalid: Missing the key s in the item'),
    ({'p': {'N': '1'}, 's': {'S': 'a'}}, 'One or more parameter values were invalid: Type mismatch for key p expected: S actual: N'),
    ({'p': {'S': 'a'}, 's': {'BOOL': True}}, 'One or more parameter values were invalid: Type mismatch for key s expected: S actual: BOOL'),
    ({'p': {'S': ''}, 's': {'S': 'a'}}, 'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p'),
    ({'p': {'S': 'a'}, 's': {'S': ''}}, 'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: s'),
    ({'p': {'S': 'a' * 2049}, 's': {'S': 'a'}}, 'One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes'),
    ({'p': {'S': 'a'}, 's': {'S': 'a' * 1025}}, 'One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes'),
])
def test_bad_keys(client, table_ss, item, message):
    with raises(VALIDATION, message):
        client.put_item(TableName=table_ss, Item=item)


def test_largest_keys(client, table_ss):
    key = {'p': {'S': unique().ljust(2048, 'x')}, 's': {'S': 's' * 1024}}
    client.put_item(TableName=table_ss, Item=key)
    assert client.get_item(TableName=table_ss, Key=key, ConsistentRead=True)['Item'] == key


def test_table_name_is_reported_alone(unchecked_client):
    with raises(VALIDATION, ONE + "Value null at 'tableName' failed to satisfy constraint: Member must not be null"):
        unchecked_client.put_item(ReturnValues='x')
    with raises(VALIDATION, re.compile("'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: \\[a-zA-Z0-9_.-\\]\\+")):
        unchecked_client.put_item(TableName='a/b', Item={})
    with raises(VALIDATION, re.compile("'tableName' failed to satisfy constraint: Member must have length less than or equal to 255")):
        unchecked_client.put_item(TableName='a' * 256, Item={})


def test_constraints_are_collected(unchecked_client):
    with raises(VALIDATION, '4 validation errors detected: '
                "Value null at 'item' failed to satisfy constraint: Member must not be null; "
                "Value 'a' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; "
                "Value 'b' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; "
                "Value 'c' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]"):
        unchecked_client.put_item(TableName='no-such-table', ReturnConsumedCapacity='a',
                                  ReturnValues='b', ReturnItemCollectionMetrics='c')


def test_missing_table(client):
    for name in ('no-such-table', 'ab'):
        with raises('ResourceNotFoundException', 'Requested resource not found'):
            client.put_item(TableName=name, Item={'x': {'S': 'a'}})


# In the order of the checks; each request has all later mistakes too.
@pytest.mark.parametrize('change,code,message', [
    ({'Expected': {'a': {'Exists': False}}}, VALIDATION,
     'Can not use both expression and non-expression parameters in the same request: '
     'Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}'),
    ({}, VALIDATION, 'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes'),
    ({'Item': {'x': {'S': 'a' * 409601}}}, VALIDATION, 'ReturnValues can only be ALL_OLD or NONE'),
    ({'Item': {'x': {'S': 'a' * 409601}}, 'ReturnValues': 'NONE'}, VALIDATION,
     'Item size has exceeded the maximum allowed size'),
    ({'Item': {'x': {'S': 'a'}}, 'ReturnValues': 'NONE'}, VALIDATION,
     'ExpressionAttributeNames must not be empty'),
    ({'Item': {'x': {'S': 'a'}}, 'ReturnValues': 'NONE', 'ExpressionAttributeNames': {'#a': 'a'}},
     VALIDATION, re.compile('Invalid ConditionExpression: Syntax error; token: ')),
    ({'Item': {'x': {'S': 'a'}}, 'ReturnValues': 'NONE', 'ExpressionAttributeNames': {'#a': 'a'},
      'ConditionExpression': 'attribute_exists(b)'}, VALIDATION,
     re.compile('Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}')),
    ({'Item': {'x': {'S': 'a'}}, 'ReturnValues': 'NONE', 'ExpressionAttributeNames': {'#a': 'a'},
      'ConditionExpression': 'attribute_exists(#a)'},
     'ResourceNotFoundException', 'Requested resource not found'),
])
def test_order_of_checks(unchecked_client, change, code, message):
    with raises(code, message):
        unchecked_client.put_item(**{
            'TableName': 'no-such-table', 'Item': {'x': {}}, 'ReturnValues': 'ALL_NEW',
            'ExpressionAttributeNames': {}, 'ConditionExpression': '!!', **change})


def test_order_of_checks_against_the_table(check_order, make_table):
    """The key, then the indexes' keys, then the condition's paths, and only then the item that is there."""
    name = make_table('S', 'N', AttributeDefinitions=[{'AttributeName': n, 'AttributeType': t} for n, t in zip('psg', 'SNS')],
                      GlobalSecondaryIndexes=[{'IndexName': 'by-g', 'KeySchema': [{'AttributeName': 'g', 'KeyType': 'HASH'}],
                                               'Projection': {'ProjectionType': 'ALL'}}])
    invalid, empty = 'One or more parameter values were invalid: ', 'One or more parameter values are not valid. '
    check_order('PutItem', {'TableName': name, 'ConditionExpression': 'attribute_exists(p)'},
                ({'Item': {'s': {'S': ''}, 'g': {'N': '1'}}}, invalid + 'Missing the key p in the item'),
                ({'Item': {'p': {'S': 'x'}, 's': {'S': ''}, 'g': {'N': '1'}}}, invalid + 'Type mismatch for key s expected: N actual: S'),
                ({'Item': {'p': {'S': 'x' * 2049}, 's': {'N': '1'}, 'g': {'N': '1'}}}, invalid + 'Size of hashkey has exceeded the maximum size limit of2048 bytes'),
                ({'Item': {'p': {'S': 'x'}, 's': {'N': '1'}, 'g': {'N': '1'}}}, invalid + 'Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g'),
                ({'Item': {'p': {'S': 'x'}, 's': {'N': '1'}, 'g': {'S': ''}}}, empty + 'A value specified for a secondary index key is not supported. '
                 'The AttributeValue for a key attribute cannot contain an empty string value. IndexName: by-g, IndexKey: g'),
                ({'ConditionExpression': 'attribute_exists(g.x)', 'Item': {'p': {'S': 'x'}, 's': {'N': '1'}}},
                 "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: g"),
                ({'Item': {'p': {'S': 'x'}, 's': {'N': '1'}}}, 'The conditional request failed'))


def test_legacy_order_of_checks(check_order):
    check_order('PutItem', {'TableName': 'no-such-table', 'Item': {'p': {'S': 'x'}}},
                ({'ReturnValues': 'ALL_NEW'}, 'ReturnValues can only be ALL_OLD or NONE'),
                ({'Item': {'p': {'S': 'x' * 409_601}}}, 'Item size has exceeded the maximum allowed size'),
                ({'Expected': {'a': {}}}, 'One or more parameter values were invalid: Value must be provided when Exists is null for Attribute: a'),
                ({'Expected': {'a': {'Exists': False}}}, 'Requested resource not found'))


def test_placeholders_need_expressions(client):
    with raises(VALIDATION, 'ExpressionAttributeNames can only be specified when using expressions'):
        client.put_item(TableName='no-such-table', Item={},
                        ExpressionAttributeNames={'#a': 'a'})
    with raises(VALIDATION, re.compile('^ExpressionAttributeValues can only be specified when using expressions')):
        client.put_item(TableName='no-such-table', Item={},
                        ExpressionAttributeValues={':a': {'S': 'a'}})


def test_nested_path_on_a_key(client, table_s):
    with raises(VALIDATION, re.compile("Key attributes must be scalars; list random access '\\[\\]' and map lookup '.' are not allowed: Key: p")):
        put(client, table_s, ConditionExpression='attribute_exists(p.x)')


@pytest.mark.parametrize('body,message', [
    ({'TableName': True}, 'TRUE_VALUE cannot be converted to String'),
    ({'TableName': 1}, 'NUMBER_VALUE cannot be converted to String'),
    ({'TableName': 1.5}, 'DECIMAL_VALUE cannot be converted to String'),
    ({'TableName': ['a']}, 'Unrecognized collection type class java.lang.String'),
    ({'TableName': {}}, 'Start of structure or map found where not expected'),
    ({'Item': 'x'}, 'Unexpected field type'),
    ({'Item': []}, 'Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>'),
    ({'Item': {'a': 'x'}}, 'Unexpected value type in payload'),
    ({'Item': {'a': []}}, 'Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue'),
    ({'Item': {'a': {'N': 3}}}, 'NUMBER_VALUE cannot be converted to String'),
    ({'Item': {'a': {'B': 3}}}, 'only base-64-encoded strings are convertible to bytes'),
    ({'Item': {'a': {'B': 'abc'}}}, 'Base64 encoded length is expected a multiple of 4 bytes but found: 3'),
    ({'Item': {'a': {'L': {}}}}, 'Start of structure or map found where not expected'),
    ({'Expected': {'a': 1}}, 'Unexpected value type in payload'),
    ({'Expected': {'a': {'Exists': 1}}}, 'NUMBER_VALUE cannot be converted to Boolean'),
    ({'Expected': {'a': {'Exists': 'maybe'}}}, 'Unexpected token received from parser'),
    ({'Expected': {'a': {'AttributeValueList': 1}}}, 'Unexpected field type'),
    ({'ExpressionAttributeNames': []}, 'Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>'),
])
def test_serialization_errors(raw, body, message):
    reply = raw('PutItem', body)
    assert (reply.status, reply.type, reply.message) == \
        (400, 'SerializationException', message)


def test_unknown_and_null_members_are_ignored(raw, client, table_s):
    item = {'p': {'S': unique()}}
    reply = raw('PutItem', {'TableName': table_s, 'Item': item, 'UpdateExpression': 7,
                            'ReturnValues': None, 'Whatever': {'x': [1]}})
    assert (reply.status, reply.json) == (200, {})
    assert stored(client, table_s, item) == item
