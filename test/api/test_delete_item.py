"""DeleteItem: conditions, ReturnValues, capacity, order of checks."""
import re

import pytest

from conftest import raises, unique

VALIDATION = 'ValidationException'


@pytest.fixture
def item(client, table_s):
    item = {'p': {'S': unique()}, 'n': {'N': '1'}, 'a': {'S': 'x' * 1500}}
    client.put_item(TableName=table_s, Item=item)
    return item


def key(item):
    return {'p': item['p']}


def exists(client, table, item):
    return 'Item' in client.get_item(TableName=table, Key=key(item), ConsistentRead=True)


def test_deletes(client, table_s, item):
    reply = client.delete_item(TableName=table_s, Key=key(item))
    assert set(reply) == {'ResponseMetadata'}
    assert not exists(client, table_s, item)


def test_missing_item_is_no_error(client, table_s):
    reply = client.delete_item(TableName=table_s, Key={'p': {'S': unique()}},
                               ReturnValues='ALL_OLD', ReturnConsumedCapacity='TOTAL')
    assert 'Attributes' not in reply
    assert reply['ConsumedCapacity'] == {'TableName': table_s, 'CapacityUnits': 1.0}


def test_return_values_and_capacity(client, table_s, item):
    reply = client.delete_item(TableName=table_s, Key=key(item), ReturnValues='ALL_OLD',
                               ReturnConsumedCapacity='INDEXES')
    assert reply['Attributes'] == item
    assert reply['ConsumedCapacity'] == {'TableName': table_s, 'CapacityUnits': 2.0,
                                         'Table': {'CapacityUnits': 2.0}}


def test_condition(client, table_s, item):
    with raises('ConditionalCheckFailedException', 'The conditional request failed') as e:
        client.delete_item(TableName=table_s, Key=key(item), ConditionExpression='n = :v',
                           ExpressionAttributeValues={':v': {'N': '2'}},
                           ReturnValuesOnConditionCheckFailure='ALL_OLD')
    assert e.value.response['Item'] == item
    assert exists(client, table_s, item)
    client.delete_item(TableName=table_s, Key=key(item), ConditionExpression='n = :v',
                       ExpressionAttributeValues={':v': {'N': '1'}})
    assert not exists(client, table_s, item)


def test_condition_on_a_missing_item(client, table_s):
    with raises('ConditionalCheckFailedException') as e:
        client.delete_item(TableName=table_s, Key={'p': {'S': unique()}},
                           ConditionExpression='attribute_exists(p)',
                           ReturnValuesOnConditionCheckFailure='ALL_OLD')
    assert 'Item' not in e.value.response
    client.delete_item(TableName=table_s, Key={'p': {'S': unique()}},
                       ConditionExpression='attribute_not_exists(p)')


def test_expected(client, table_s, item):
    with raises('ConditionalCheckFailedException'):
        client.delete_item(TableName=table_s, Key=key(item),
                           Expected={'n': {'Value': {'N': '2'}}})
    client.delete_item(TableName=table_s, Key=key(item), Expected={'n': {'Value': {'N': '1'}}})
    assert not exists(client, table_s, item)


def test_deleted_item_can_come_back(client, table_s, item):
    client.delete_item(TableName=table_s, Key=key(item))
    client.put_item(TableName=table_s, Item=item,
                    ConditionExpression='attribute_not_exists(p)')
    assert exists(client, table_s, item)


def test_constraints_are_collected(unchecked_client):
    with raises(VALIDATION, '5 validation errors detected: '
                "Value 'a' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; "
                "Value null at 'tableName' failed to satisfy constraint: Member must not be null; "
                "Value 'b' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; "
                "Value 'c' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]; "
                "Value null at 'key' failed to satisfy constraint: Member must not be null"):
        unchecked_client.delete_item(ReturnConsumedCapacity='a', ReturnValues='b',
                                     ReturnItemCollectionMetrics='c')


# In the order of the checks; each request has all later mistakes too.
@pytest.mark.parametrize('change,code,message', [
    ({'Expected': {'a': {'Exists': False}}}, VALIDATION,
     'Can not use both expression and non-expression parameters in the same request: '
     'Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}'),
    ({}, VALIDATION, 'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes'),
    ({'Key': {'x': {'S': 'a'}}}, VALIDATION,
     re.compile("'returnValues' failed to satisfy constraint: Member must satisfy enum value set: \\[ALL_OLD, NONE\\]")),
    ({'Key': {'x': {'S': 'a'}}, 'ReturnValues': 'NONE'}, VALIDATION,
     'ExpressionAttributeValues must not be empty'),
    ({'Key': {'x': {'S': 'a'}}, 'ReturnValues': 'NONE', 'ExpressionAttributeValues': {':a': {}}},
     VALIDATION, re.compile('^ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes for key :a')),
    ({'Key': {'x': {'S': 'a'}}, 'ReturnValues': 'NONE',
      'ExpressionAttributeValues': {':a': {'S': 'a'}}}, VALIDATION,
     re.compile('Invalid ConditionExpression: The expression has redundant parentheses;')),
    ({'Key': {'x': {'S': 'a'}}, 'ReturnValues': 'NONE', 'ConditionExpression': 'a = :a',
      'ExpressionAttributeValues': {':a': {'S': 'a'}}},
     'ResourceNotFoundException', 'Requested resource not found'),
])
def test_order_of_checks(unchecked_client, change, code, message):
    with raises(code, message):
        unchecked_client.delete_item(**{
            'TableName': 'no-such-table', 'Key': {'x': {}}, 'ReturnValues': 'ALL_NEW',
            'ExpressionAttributeValues': {}, 'ConditionExpression': '((a = :a))', **change})


@pytest.mark.parametrize('expected,message', [
    ({'Value': {'S': 'a'}, 'AttributeValueList': [{'S': 'a'}]}, 'Value and AttributeValueList cannot be used together for Attribute: a'),
    ({'Exists': True, 'ComparisonOperator': 'EQ'}, 'Exists and ComparisonOperator cannot be used together for Attribute: a'),
    ({'ComparisonOperator': 'EQ'}, 'Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: a'),
    ({'AttributeValueList': [{'S': 'a'}]}, 'AttributeValueList can only be used with a ComparisonOperator for Attribute: a'),
    ({}, 'Value must be provided when Exists is null for Attribute: a'),
    ({'Exists': True}, 'Value must be provided when Exists is true for Attribute: a'),
    ({'Exists': False, 'Value': {'S': 'a'}}, 'Value cannot be used when Exists is false for Attribute: a'),
    ({'ComparisonOperator': 'EQ', 'AttributeValueList': [{'S': 'a'}, {'S': 'b'}]}, 'Invalid number of argument(s) for the EQ ComparisonOperator'),
])
def test_bad_expected(client, expected, message):
    with raises(VALIDATION, 'One or more parameter values were invalid: ' + message):
        client.delete_item(TableName='no-such-table', Key={'x': {'S': 'a'}},
                           Expected={'a': expected})


def test_unknown_comparison(client):
    with raises(VALIDATION, re.compile("^1 validation error detected: Value 'LIKE' at 'expected.a.member.comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: ")):
        client.delete_item(TableName='no-such-table', Key={'x': {'S': 'a'}},
                           Expected={'a': {'ComparisonOperator': 'LIKE'}})
