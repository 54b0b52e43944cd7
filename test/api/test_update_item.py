"""UpdateItem: creation, ReturnValues, order of checks, legacy AttributeUpdates."""
import concurrent.futures
import re

import pytest

from conftest import raises, unique

VALIDATION = 'ValidationException'
INVALID = 'One or more parameter values were invalid: '


class Target:
    """One item of a table, to be updated."""

    def __init__(self, client, table, attributes=None):
        self.client, self.table = client, table
        self.key = {'p': {'S': unique()}}
        if attributes is not None:
            client.put_item(TableName=table, Item={**self.key, **attributes})

    def update(self, expression=None, values=None, names=None, **parameters):
        if expression is not None:
            parameters['UpdateExpression'] = expression
        if values is not None:
            parameters['ExpressionAttributeValues'] = values
        if names is not None:
            parameters['ExpressionAttributeNames'] = names
        return self.client.update_item(TableName=self.table, Key=self.key, **parameters)

    def item(self):
        """The stored attributes but for the key, or None."""
        item = self.client.get_item(TableName=self.table, Key=self.key,
                                    ConsistentRead=True).get('Item')
        if item is not None:
            del item['p']
        return item


@pytest.fixture
def target(client, table_s):
    return lambda attributes=None: Target(client, table_s, attributes)


def N(number):
    return {'N': str(number)}


def test_creates_the_item(target):
    t = target()
    t.update('SET a = :v', {':v': {'S': 'x'}})
    assert t.item() == {'a': {'S': 'x'}}


def test_without_expression_creates_the_bare_item(target):
    t = target()
    reply = t.update(ReturnValues='ALL_NEW')
    assert reply['Attributes'] == t.key
    assert t.item() == {}


@pytest.mark.parametrize('expression,values', [
    ('REMOVE a', None), ('DELETE a :v', {':v': {'SS': ['x']}})])
def test_only_taking_away_creates_nothing(target, expression, values):
    t = target()
    reply = t.update(expression, values, ReturnValues='ALL_NEW')
    assert 'Attributes' not in reply
    assert t.item() is None


def test_operands_read_the_old_item(target):
    t = target({'a': N(1), 'b': N(2)})
    t.update('SET a = b, b = a')
    assert t.item() == {'a': N(2), 'b': N(1)}


def test_all_sections(target):
    t = target({'n': N(1), 'gone': N(1), 'tags': {'SS': ['x', 'y']},
                'l': {'L': [N(1)]}, 'm': {'M': {}}})
    t.update('SET m.a = :one, l = list_append(l, :l), c = if_not_exists(c, :one) + n '
             'REMOVE gone ADD n :one DELETE tags :x',
             {':one': N(1), ':l': {'L': [N(2)]}, ':x': {'SS': ['x']}})
    assert t.item() == {'n': N(2), 'tags': {'SS': ['y']}, 'l': {'L': [N(1), N(2)]},
                        'm': {'M': {'a': N(1)}}, 'c': N(2)}


def test_return_values(target):
    old = {'a': N(1), 'm': {'M': {'x': N(1), 'y': N(2)}}, 'gone': N(9)}
    new = {'a': N(2), 'm': {'M': {'x': N(5), 'y': N(2)}}}
    for mode, expected in (
            ('NONE', None),
            ('ALL_OLD', old),
            ('UPDATED_OLD', {'a': N(1), 'm': {'M': {'x': N(1)}}, 'gone': N(9)}),
            ('ALL_NEW', new),
            ('UPDATED_NEW', {'a': N(2), 'm': {'M': {'x': N(5)}}})):
        t = target(old)
        reply = t.update('SET a = :two, m.x = :five REMOVE gone',
                         {':two': N(2), ':five': N(5)}, ReturnValues=mode)
        if mode.startswith('ALL'):
            expected = {**t.key, **expected}
        assert reply.get('Attributes') == expected, mode
        assert t.item() == new


@pytest.mark.parametrize('mode', ['ALL_OLD', 'UPDATED_OLD'])
def test_return_values_without_an_old_item(target, mode):
    assert 'Attributes' not in target().update('SET a = :v', {':v': N(1)}, ReturnValues=mode)


def test_updated_new_of_removals_is_absent(target):
    reply = target({'a': N(1)}).update('REMOVE a', ReturnValues='UPDATED_NEW')
    assert 'Attributes' not in reply


def test_condition(target):
    t = target({'n': N(1)})
    t.update('SET n = :two', {':one': N(1), ':two': N(2)}, ConditionExpression='n = :one')
    with raises('ConditionalCheckFailedException', 'The conditional request failed') as e:
        t.update('SET n = :two', {':one': N(1), ':two': N(2)}, ConditionExpression='n = :one',
                 ReturnValuesOnConditionCheckFailure='ALL_OLD')
    assert e.value.response['Item'] == {**t.key, 'n': N(2)}


def test_false_condition_leaves_no_ghost(target):
    t = target()
    with raises('ConditionalCheckFailedException'):
        t.update('SET n = :v', {':v': N(1)}, ConditionExpression='attribute_exists(p)')
    assert t.item() is None


def test_condition_comes_before_what_goes_wrong_at_run_time(target):
    t = target({'s': {'S': 'x'}})
    with raises('ConditionalCheckFailedException'):
        t.update('SET n = nothing', ConditionExpression='attribute_not_exists(s)')
    with raises(VALIDATION, 'The provided expression refers to an attribute that does not exist in the item'):
        t.update('SET n = nothing')
    with raises(VALIDATION, 'An operand in the update expression has an incorrect data type'):
        t.update('SET s = s + :v', {':v': N(1)})
    with raises(VALIDATION, 'The document path provided in the update expression is invalid for update'):
        t.update('SET s.a = :v', {':v': N(1)})
    assert t.item() == {'s': {'S': 'x'}}


@pytest.fixture(scope='module')
def by_g(client, make_table):
    """A table with an index of g, a string, and the item x."""
    name = make_table(AttributeDefinitions=[{'AttributeName': n, 'AttributeType': 'S'} for n in 'pg'],
                      GlobalSecondaryIndexes=[{'IndexName': 'by-g', 'KeySchema': [{'AttributeName': 'g', 'KeyType': 'HASH'}],
                                               'Projection': {'ProjectionType': 'ALL'}}])
    client.put_item(TableName=name, Item={'p': {'S': 'x'}, 'n': N(1)})
    return name


def test_order_of_checks(check_order, by_g):
    one, invalid = '1 validation error detected: ', 'One or more parameter values were invalid: '
    values, scalars = 'ExpressionAttributeValues', re.compile('^Key attributes must be scalars; .*: Key: p$')
    check_order('UpdateItem', {'TableName': by_g, 'Key': {'p': {'S': 'x'}}, 'UpdateExpression': 'SET a = :v', values: {':v': {'N': '1'}}},
                ({'TableName': ''}, one + "Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1"),
                ({'ReturnValues': 'X', 'ReturnConsumedCapacity': 'Y'}, re.compile("^2 validation errors detected: Value 'X' at 'returnValues' .*; Value 'Y' at 'returnConsumedCapacity' ")),
                ({'AttributeUpdates': {'a': {}}}, 'Can not use both expression and non-expression parameters in the same request: '
                 'Non-expression parameters: {AttributeUpdates} Expression parameters: {UpdateExpression, ConditionExpression}'),
                ({'Key': {'p': {'S': 'x'}, 'q': {'SS': []}}}, invalid + 'An string set  may not be empty'),
                ({'ExpressionAttributeNames': {}}, 'ExpressionAttributeNames must not be empty'),
                ({values: {}}, values + ' must not be empty'),
                ({values: {'v': {}}}, values + ' contains invalid key: Syntax error; key: "v"'),
                ({values: {':v': {'BS': []}}}, values + f' contains invalid value: {invalid}Binary sets should not be empty for key :v'),
                ({'UpdateExpression': 'SET'}, 'Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "SET"'),
                ({'ConditionExpression': 'a ='}, 'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "="'),
                ({'ExpressionAttributeNames': {'#u': 'u'}, values: {':v': {'N': '1'}, ':u': {'N': '1'}}},
                 'Value provided in ExpressionAttributeNames unused in expressions: keys: {#u}'),
                ({values: {':v': {'N': '1'}, ':u': {'N': '1'}}}, f'Value provided in {values} unused in expressions: keys: {{:u}}'),
                ({'TableName': 'no-such-table'}, 'Requested resource not found'),
                ({'Key': {'q': {'S': 'x'}}}, 'The provided key element does not match the schema'),
                ({'UpdateExpression': 'SET p = :v'}, invalid + 'Cannot update attribute p. This attribute is part of the key'),
                ({'UpdateExpression': 'SET p.x = :v'}, scalars),
                ({'ConditionExpression': 'p[0] = :v'}, scalars),
                ({'UpdateExpression': 'SET g = :v'}, 'The update expression attempted to update the secondary index key to unsupported type'),
                ({'ConditionExpression': 'b = :v'}, 'The conditional request failed'),
                ({'UpdateExpression': 'SET a = b + :v'}, 'The provided expression refers to an attribute that does not exist in the item'))


@pytest.mark.parametrize('update,message', [
    ('SET a = :v, g = :v', 'The update expression attempted to update the secondary index key to unsupported type'),
    ('ADD g :v', 'The update expression attempted to update the secondary index key to unsupported type'),
    ('SET g = :empty', re.compile('^One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported')),
    ('SET g = :long', 'The update expression attempted to update the secondary index key beyond allowed size limits'),
    ('SET g = n', None)])
def test_what_no_index_takes_is_told_before_the_condition(unchecked_client, by_g, update, message):
    """If it does not depend on the item."""
    values = {':v': {'N': '1'}, ':empty': {'S': ''}, ':long': {'S': 'x' * 2049}}
    used = {k: v for k, v in values.items() if k in update.split()}
    request = {'TableName': by_g, 'Key': {'p': {'S': 'x'}}, 'UpdateExpression': update, 'ConditionExpression': 'attribute_exists(z)',
               **({'ExpressionAttributeValues': used} if used else {})}
    with raises(VALIDATION if message else 'ConditionalCheckFailedException', message):
        unchecked_client.update_item(**request)
    with raises('TransactionCanceledException', re.compile(r'\[ValidationError]$' if message else r'\[ConditionalCheckFailed]$')):
        unchecked_client.transact_write_items(TransactItems=[{'Update': request}])


def test_sums_are_exact_under_concurrency(target):
    t = target()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda i: t.update('ADD n :one SET a = :i', {':one': N(1), ':i': N(i)}),
                      range(200)))
    assert t.item()['n'] == N(200)


def test_capacity(target, table_s):
    t = target({'a': {'S': 'x' * 3000}})
    reply = t.update('SET a = :v', {':v': {'S': 'y'}}, ReturnConsumedCapacity='INDEXES')
    assert reply['ConsumedCapacity'] == {'TableName': table_s, 'CapacityUnits': 3.0,
                                         'Table': {'CapacityUnits': 3.0}}
    reply = t.update('SET a = :v', {':v': {'S': 'y' * 1100}}, ReturnConsumedCapacity='TOTAL')
    assert reply['ConsumedCapacity'] == {'TableName': table_s, 'CapacityUnits': 2.0}


def test_item_size_limit(target):
    t = target({'a': {'S': 'x' * 300000}})
    with raises(VALIDATION, 'Item size to update has exceeded the maximum allowed size'):
        t.update('SET b = :v', {':v': {'S': 'x' * 110000}})
    assert 'b' not in t.item()


def test_nesting_limit(target):
    value = {'S': 'x'}
    for _ in range(31):
        value = {'M': {'m': value}}
    t = target({'m': {'M': {}}})
    t.update('SET a = :v', {':v': value})
    with raises(VALIDATION, re.compile('Nesting Levels have exceeded supported limits')):
        t.update('SET m.a = :v', {':v': value})


def test_key_attributes_cannot_change(client, table_ss):
    def update(expression):
        client.update_item(TableName=table_ss, Key={'p': {'S': 'a'}, 's': {'S': 'b'}},
                           UpdateExpression=expression,
                           **({'ExpressionAttributeValues': {':v': N(1)}}
                              if ':v' in expression else {}))

    for attribute in 'ps':
        for expression in (f'SET {attribute} = :v', f'REMOVE {attribute}',
                           f'ADD {attribute} :v', f'SET x = :v REMOVE {attribute}'):
            with raises(VALIDATION, INVALID + f'Cannot update attribute {attribute}. This attribute is part of the key'):
                update(expression)
        with raises(VALIDATION, re.compile("Key attributes must be scalars; list random access '\\[\\]' and map lookup '.' are not allowed: Key: " + attribute)):
            update(f'SET {attribute}.x = :v')


def test_bad_key(client, table_s):
    with raises(VALIDATION, 'The provided key element does not match the schema'):
        client.update_item(TableName=table_s, Key={'p': N(1)})
    # The table comes before the key, the expression before the table.
    with raises('ResourceNotFoundException', 'Requested resource not found'):
        client.update_item(TableName='no-such-table', Key={'p': N(1)})
    with raises(VALIDATION, re.compile('Invalid UpdateExpression: Syntax error')):
        client.update_item(TableName='no-such-table', Key={'p': N(1)}, UpdateExpression='!!')


def test_constraints_are_collected(unchecked_client):
    with raises(VALIDATION, "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null"):
        unchecked_client.update_item(ReturnValues='x')
    with raises(VALIDATION, '5 validation errors detected: '
                "Value null at 'key' failed to satisfy constraint: Member must not be null; "
                "Value 'b' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; "
                "Value 'a' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; "
                "Value 'c' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]; "
                "Value 'd' at 'attributeUpdates.x.member.action' failed to satisfy constraint: Member must satisfy enum value set: [ADD, PUT, DELETE]"):
        unchecked_client.update_item(
            TableName='no-such-table', ReturnConsumedCapacity='a', ReturnValues='b',
            ReturnItemCollectionMetrics='c', AttributeUpdates={'x': {'Action': 'd'}})


def test_mix_of_old_and_new(client):
    with raises(VALIDATION,
                'Can not use both expression and non-expression parameters in the same request: '
                'Non-expression parameters: {AttributeUpdates, Expected} '
                'Expression parameters: {UpdateExpression, ConditionExpression}'):
        client.update_item(TableName='no-such-table', Key={'p': N(1)}, UpdateExpression='x',
                           ConditionExpression='y', AttributeUpdates={}, Expected={})
    with raises(VALIDATION, re.compile('^ExpressionAttributeValues can only be specified when using expressions')):
        client.update_item(TableName='no-such-table', Key={'p': N(1)},
                           ExpressionAttributeValues={':v': N(1)})


def test_attribute_updates(target):
    t = target({'n': N(1), 'gone': N(1), 'tags': {'SS': ['x', 'y']}, 'l': {'L': [N(1)]}})
    reply = t.update(ReturnValues='UPDATED_NEW', AttributeUpdates={
        'a': {'Value': {'S': 'put'}}, 'n': {'Action': 'ADD', 'Value': N(2)},
        'gone': {'Action': 'DELETE'}, 'tags': {'Action': 'DELETE', 'Value': {'SS': ['x']}},
        'l': {'Action': 'ADD', 'Value': {'L': [N(2)]}}})
    assert t.item() == {'a': {'S': 'put'}, 'n': N(3), 'tags': {'SS': ['y']},
                        'l': {'L': [N(1), N(2)]}}
    assert reply['Attributes'] == t.item()


def test_attribute_updates_on_a_missing_item(target):
    t = target()
    t.update(AttributeUpdates={'a': {'Action': 'DELETE'}})
    assert t.item() is None
    t.update(AttributeUpdates={})
    assert t.item() == {}


def test_attribute_updates_with_expected(target):
    t = target({'n': N(1)})
    with raises('ConditionalCheckFailedException'):
        t.update(AttributeUpdates={'n': {'Value': N(2)}}, Expected={'n': {'Value': N(7)}})
    t.update(AttributeUpdates={'n': {'Value': N(2)}}, Expected={'n': {'Value': N(1)}})
    assert t.item() == {'n': N(2)}


@pytest.mark.parametrize('update,message', [
    ({'Action': 'PUT'}, 'Only DELETE action is allowed when no attribute value is specified'),
    ({'Action': 'DELETE', 'Value': {'N': '1'}}, 'DELETE action with value is not supported for the type N'),
    ({'Action': 'ADD', 'Value': {'S': 'x'}}, 'ADD action is not supported for the type S'),
])
def test_bad_attribute_updates(client, update, message):
    with raises(VALIDATION, INVALID + message):
        client.update_item(TableName='no-such-table', Key={'p': N(1)},
                           AttributeUpdates={'a': update})


@pytest.mark.parametrize('body,message', [
    ({'UpdateExpression': 1}, 'NUMBER_VALUE cannot be converted to String'),
    ({'AttributeUpdates': {'a': {'Value': 'x'}}}, 'Unexpected field type'),
    ({'AttributeUpdates': {'a': []}}, 'Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValueUpdate'),
    ({'AttributeUpdates': []}, 'Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValueUpdate>'),
])
def test_serialization_errors(raw, body, message):
    reply = raw('UpdateItem', body)
    assert (reply.status, reply.type, reply.message) == \
        (400, 'SerializationException', message)
