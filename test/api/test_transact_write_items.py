"""TransactWriteItems: all or nothing, and why nothing."""
import threading
import time

import pytest
from botocore.exceptions import ClientError

from conftest import raises, unique, wait_for

PREFIX = 'Transaction cancelled, please refer cancellation reasons for specific reasons '
CONFLICT = 'Transaction is ongoing for the item.'
PATH = "1 validation error detected: Value %s at 'transactItems.%d.member.%s' failed to satisfy constraint: %s"


def key(value=None, attribute='p'):
    return {attribute: {'S': unique() if value is None else value}}


def put(table, item, **more):
    return {'Put': {'TableName': table, 'Item': item, **more}}


def delete(table, key, **more):
    return {'Delete': {'TableName': table, 'Key': key, **more}}


def update(table, key, expression='SET n = :n', n='1', **more):
    values = {'ExpressionAttributeValues': {':n': {'N': n}}} if ':n' in expression else {}
    return {'Update': {'TableName': table, 'Key': key, 'UpdateExpression': expression, **values, **more}}


def check(table, key, condition='attribute_exists(p)', **more):
    return {'ConditionCheck': {'TableName': table, 'Key': key, 'ConditionExpression': condition, **more}}


@pytest.fixture
def get(client):
    def item(table, key):
        return client.get_item(TableName=table, Key=key, ConsistentRead=True).get('Item')
    return item


def reasons_of(call, *actions, **parameters):
    """The reasons for which the transaction is cancelled."""
    with raises('TransactionCanceledException') as caught:
        call(TransactItems=list(actions), **parameters)
    response = caught.value.response
    reasons = response['CancellationReasons']
    assert response['Error']['Message'] == PREFIX + f'[{", ".join(r["Code"] for r in reasons)}]'
    assert len(reasons) == len(actions)
    return reasons


@pytest.fixture
def cancelled(client):
    return lambda *actions, **parameters: reasons_of(client.transact_write_items, *actions, **parameters)


# ----- what it does -----

def test_all_kinds(client, table_s, table_ss, get):
    a, b, c, d = key(), key(), key(), {**key(), 's': {'S': 'x'}}
    client.put_item(TableName=table_s, Item={**b, 'n': {'N': '1'}})
    client.put_item(TableName=table_s, Item=c)
    reply = client.transact_write_items(TransactItems=[
        put(table_s, {**a, 'v': {'S': 'new'}}, ConditionExpression='attribute_not_exists(p)'),
        update(table_s, b, 'SET n = n + :n'),
        delete(table_s, c, ConditionExpression='attribute_exists(p)'),
        put(table_ss, d),
        check(table_s, key(), 'attribute_not_exists(p)')])
    assert 'ConsumedCapacity' not in reply and 'ItemCollectionMetrics' not in reply
    assert get(table_s, a) == {**a, 'v': {'S': 'new'}}
    assert get(table_s, b) == {**b, 'n': {'N': '2'}}
    assert get(table_s, c) is None
    assert get(table_ss, d) == d


def test_nothing(client, table_s, table_ss, get, cancelled):
    """One false condition: nothing of the rest is done."""
    a, b, c, d = key(), key(), key(), {**key(), 's': {'S': 'x'}}
    client.put_item(TableName=table_s, Item={**b, 'n': {'N': '1'}})
    client.put_item(TableName=table_s, Item=c)
    reasons = cancelled(put(table_s, a), update(table_s, b, 'SET n = n + :n'), delete(table_s, c),
                        put(table_ss, d), check(table_s, key()))
    assert reasons == [{'Code': 'None'}] * 4 + [
        {'Code': 'ConditionalCheckFailed', 'Message': 'The conditional request failed'}]
    assert get(table_s, a) is None and get(table_ss, d) is None
    assert get(table_s, b)['n'] == {'N': '1'} and get(table_s, c) == c


def test_update_makes_the_item(client, table_s, get):
    a = key()
    client.transact_write_items(TransactItems=[update(table_s, a, n='7')])
    assert get(table_s, a) == {**a, 'n': {'N': '7'}}


def test_failed_update_leaves_no_ghost(client, table_s, get, cancelled):
    a = key()
    cancelled(update(table_s, a, ConditionExpression='attribute_exists(p)'))
    assert get(table_s, a) is None


def test_delete_of_nothing(client, table_s):
    client.transact_write_items(TransactItems=[delete(table_s, key())])


def test_hundred(client, table_s, get):
    keys = [key() for _ in range(100)]
    client.transact_write_items(TransactItems=[put(table_s, k) for k in keys])
    assert all(get(table_s, k) for k in (keys[0], keys[50], keys[99]))
    client.transact_write_items(TransactItems=[delete(table_s, k) for k in keys])
    client.transact_write_items(TransactItems=[check(table_s, k, 'attribute_not_exists(p)') for k in keys])


def test_operands_are_the_old_items(client, table_s, get):
    """Conditions see the state before the transaction, not its own writes."""
    a, b = key(), key()
    client.transact_write_items(TransactItems=[
        put(table_s, a), put(table_s, b, ConditionExpression='attribute_not_exists(p)')])
    assert get(table_s, a) and get(table_s, b)


# ----- the request: exceptions of its own -----

def test_number_of_actions(unchecked_client, table_s):
    with raises('ValidationException', "1 validation error detected: Value '[]' at 'transactItems' failed to "
                "satisfy constraint: Member must have length greater than or equal to 1"):
        unchecked_client.transact_write_items(TransactItems=[])
    with raises('ValidationException', "1 validation error detected: Value null at 'transactItems' failed to "
                "satisfy constraint: Member must not be null"):
        unchecked_client.transact_write_items()
    with raises('ValidationException') as caught:
        unchecked_client.transact_write_items(TransactItems=[put(table_s, key()) for _ in range(101)])
    message = caught.value.response['Error']['Message']
    assert message.startswith("1 validation error detected: Value '[")
    assert message.endswith("]' at 'transactItems' failed to satisfy constraint: "
                            "Member must have length less than or equal to 100")


def test_one_action_an_element(unchecked_client, table_s):
    for element in ({}, {**put(table_s, key()), **delete(table_s, key())}):
        with raises('ValidationException', 'TransactItems can only contain one of Check, Put, Update or Delete'):
            unchecked_client.transact_write_items(TransactItems=[element])


@pytest.mark.parametrize('action, member, text', [
    ({'ConditionCheck': {'TableName': 'abc', 'Key': key('a')}}, 'conditionCheck.conditionExpression',
     'Member must not be null'),
    ({'ConditionCheck': {'TableName': 'abc', 'ConditionExpression': 'p = q'}}, 'conditionCheck.key',
     'Member must not be null'),
    ({'Put': {'TableName': 'abc'}}, 'put.item', 'Member must not be null'),
    ({'Put': {'Item': key('a')}}, 'put.tableName', 'Member must not be null'),
    ({'Update': {'TableName': 'abc', 'Key': key('a')}}, 'update.updateExpression', 'Member must not be null'),
    ({'Delete': {'TableName': 'abc'}}, 'delete.key', 'Member must not be null'),
])
def test_missing_members(unchecked_client, table_s, action, member, text):
    with raises('ValidationException', PATH % ('null', 2, member, text)):
        unchecked_client.transact_write_items(TransactItems=[put(table_s, key()), action])


def test_constraints_are_collected(unchecked_client):
    """In the service's order: the token's first."""
    with raises('ValidationException') as caught:
        unchecked_client.transact_write_items(
            ClientRequestToken='t' * 37, ReturnConsumedCapacity='X', ReturnItemCollectionMetrics='Y',
            TransactItems=[{'Put': {'TableName': 'abc'}}, {'Delete': {'TableName': '', 'Key': key()}}])
    message = caught.value.response['Error']['Message']
    assert message.startswith('5 validation errors detected: ')
    places = [message.index(p) for p in (
        f"Value '{'t' * 37}' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36",
        "at 'returnConsumedCapacity'", "at 'returnItemCollectionMetrics'",
        "at 'transactItems.1.member.put.item'", "at 'transactItems.2.member.delete.tableName'")]
    assert places == sorted(places)


def test_on_failure_enum(unchecked_client, table_s):
    with raises('ValidationException', PATH % (
            "'NEW'", 1, 'put.returnValuesOnConditionCheckFailure',
            'Member must satisfy enum value set: [ALL_OLD, NONE]')):
        unchecked_client.transact_write_items(
            TransactItems=[put(table_s, key(), ReturnValuesOnConditionCheckFailure='NEW')])


@pytest.mark.parametrize('actions, message', [
    (lambda t: [update(t, key(), 'SET n =')], 'Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "="'),
    (lambda t: [check(t, key(), 'size(')], 'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("'),
    (lambda t: [check(t, key(), '#a = :v')],
     'Invalid ConditionExpression: An expression attribute name used in the document path is not defined; '
     'attribute name: #a'),
    (lambda t: [put(t, key(), ConditionExpression='attribute_exists(p)',
                    ExpressionAttributeNames={'#unused': 'x'})],
     'Value provided in ExpressionAttributeNames unused in expressions: keys: {#unused}'),
    (lambda t: [put(t, key(), ExpressionAttributeNames={'#a': 'x'})],
     'ExpressionAttributeNames can only be specified when using expressions'),
    (lambda t: [put(t, {**key(), 'v': {'S': 'x' * 410000}})], 'Item size has exceeded the maximum allowed size'),
    (lambda t: [put(t, key(''))],
     'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an '
     'empty string value. Key: p'),
    (lambda t: [delete(t, key(''))],
     'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an '
     'empty string value. Key: p'),
])
def test_actions_checked_first(client, table_s, actions, message):
    """Top-level, also behind an action that would cancel the transaction."""
    with raises('ValidationException', message):
        client.transact_write_items(TransactItems=[check(table_s, key()), *actions(table_s)])


EMPTY_KEY = 'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p'


def test_actions_are_checked_in_order(client, table_s):
    """Each of these rules for one action before the next; then that tables are missing, then duplicates."""
    a, syntax = key(), 'Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "="'
    bad, twice = update(table_s, key(), 'SET n ='), [put(table_s, a), put(table_s, a)]
    for actions, message in [
            ([put(table_s, key('')), bad], EMPTY_KEY), ([delete(table_s, key('')), bad], EMPTY_KEY), ([bad, put(table_s, key(''))], syntax),
            ([delete(table_s, {**key(''), 'q': {'S': 'x'}})], EMPTY_KEY),
            ([{}, bad], 'TransactItems can only contain one of Check, Put, Update or Delete'), ([bad, {}], syntax),
            ([put(table_s, {**key(), 'v': {'S': 'x' * 410000}}), bad], 'Item size has exceeded the maximum allowed size'),
            ([put(table_s, key(), ReturnValuesOnConditionCheckFailure='X'), bad],
             PATH % ("'X'", 1, 'put.returnValuesOnConditionCheckFailure', 'Member must satisfy enum value set: [ALL_OLD, NONE]')),
            ([put('dynamo-no-such-table', key()), *twice, put(table_s, key(''))], EMPTY_KEY), ([*twice, bad], syntax), (twice, DUPLICATE)]:
        with raises('ValidationException', message):
            client.transact_write_items(TransactItems=actions)
    with raises('ResourceNotFoundException'):
        client.transact_write_items(TransactItems=[*twice, put('dynamo-no-such-table', key())])


def test_nesting(client, table_s, cancelled):
    """Of an item it is the request's error, of what an update makes of one its action's."""
    def nested(levels):
        return {'M': {'m': nested(levels - 1)}} if levels else {'S': 'x'}

    a, text = key(), 'Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit'
    client.put_item(TableName=table_s, Item={**a, 'deep': nested(30)})
    with raises('ValidationException', text):
        client.transact_write_items(TransactItems=[check(table_s, key()), put(table_s, {**key(), 'v': nested(32)})])
    assert cancelled({'Update': {'TableName': table_s, 'Key': a, 'UpdateExpression': 'SET deep.m.m.v = :v',
                                 'ExpressionAttributeValues': {':v': nested(29)}}}) == [{'Code': 'ValidationError', 'Message': text}]


def test_first_bad_action(client, table_s):
    with raises('ValidationException', 'Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "="'):
        client.transact_write_items(TransactItems=[
            update(table_s, key(), 'SET n ='), check(table_s, key(), 'size(')])


DUPLICATE = 'Transaction request cannot include multiple operations on one item'


def test_duplicates(client, table_s, table_n, table_ss):
    a, n = key(), {'p': {'N': '100'}}
    for actions in ([put(table_s, a), put(table_s, a)],
                    [put(table_s, a), put(table_s, key()), check(table_s, a)],
                    [update(table_s, a), delete(table_s, a)],
                    [delete(table_n, n), delete(table_n, {'p': {'N': '1e2'}})]):
        with raises('ValidationException', DUPLICATE):
            client.transact_write_items(TransactItems=actions)
    client.transact_write_items(TransactItems=[
        delete(table_s, a), delete(table_ss, {**a, 's': {'S': 'x'}}), delete(table_ss, {**a, 's': {'S': 'y'}})])


def test_duplicates_before_cancellation(client, table_s):
    a = key()
    with raises('ValidationException', DUPLICATE):
        client.transact_write_items(TransactItems=[
            delete(table_s, {'p': {'N': '1'}}), put(table_s, a), check(table_s, a)])


def test_missing_table(client, table_s):
    with raises('ResourceNotFoundException', 'Requested resource not found'):
        client.transact_write_items(TransactItems=[put(table_s, key()), put('dynamo-no-such-table', key())])


def test_expression_before_missing_table(client):
    with raises('ValidationException', 'Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "="'):
        client.transact_write_items(TransactItems=[
            put('dynamo-no-such-table', key()), update('dynamo-no-such-table', key(), 'SET n =')])


def test_request_size(client, table_s):
    """What the request brings counts, not what it takes away."""
    keys = [key() for _ in range(12)]
    for part in (keys[:6], keys[6:]):
        client.transact_write_items(TransactItems=[put(table_s, {**k, 'v': {'S': 'x' * 390000}}) for k in part])
    with raises('ValidationException') as caught:
        client.transact_write_items(TransactItems=[put(table_s, {**k, 'v': {'S': 'x' * 390000}}) for k in keys])
    assert 'size cannot exceed' in caught.value.response['Error']['Message']
    client.transact_write_items(TransactItems=[delete(table_s, k) for k in keys])
    with raises('ValidationException') as caught:
        client.transact_write_items(TransactItems=[
            {'Update': {'TableName': table_s, 'Key': k, 'UpdateExpression': 'SET v = :v',
                        'ExpressionAttributeValues': {':v': {'S': 'x' * 390000}}}} for k in keys])
    assert 'size cannot exceed' in caught.value.response['Error']['Message']


# ----- cancellation -----

@pytest.mark.parametrize('action, message', [
    (lambda t: delete(t, {'p': {'N': '1'}}), 'The provided key element does not match the schema'),
    (lambda t: check(t, {'q': {'S': 'a'}}, 'attribute_exists(q)'), 'The provided key element does not match the schema'),
    (lambda t: put(t, {'q': {'S': 'a'}}), 'One or more parameter values were invalid: Missing the key p in the item'),
    (lambda t: put(t, {'p': {'N': '1'}}),
     'One or more parameter values were invalid: Type mismatch for key p expected: S actual: N'),
    (lambda t: put(t, key('x' * 2049)),
     'One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes'),
    (lambda t: update(t, key(), 'SET p = :n'),
     'One or more parameter values were invalid: Cannot update attribute p. This attribute is part of the key'),
    (lambda t: update(t, key(), 'SET n = n + :n'),
     'The provided expression refers to an attribute that does not exist in the item'),
    (lambda t: update(t, key(), 'SET a.b = :n'),
     'The document path provided in the update expression is invalid for update'),
    (lambda t: {'Update': {'TableName': t, 'Key': key(), 'UpdateExpression': 'SET a = :a, b = :a',
                           'ExpressionAttributeValues': {':a': {'S': 'x' * 250000}}}},
     'Item size to update has exceeded the maximum allowed size'),
])
def test_validation_error(table_s, cancelled, action, message):
    """The only reason that is told, though the first condition is false, too."""
    assert cancelled(check(table_s, key()), action(table_s), check(table_s, key())) == [
        {'Code': 'None'}, {'Code': 'ValidationError', 'Message': message}, {'Code': 'None'}]


def test_first_validation_error(table_s, cancelled):
    reasons = cancelled(check(table_s, key()), update(table_s, key(), 'SET n = n + :n'),
                        update(table_s, key(), 'SET a.b = :n'))
    assert [r['Code'] for r in reasons] == ['None', 'ValidationError', 'None']


def test_every_false_condition(client, table_s, cancelled):
    a = {**key(), 'n': {'N': '1'}}
    client.put_item(TableName=table_s, Item=a)
    old = {'ReturnValuesOnConditionCheckFailure': 'ALL_OLD'}
    failed = {'Code': 'ConditionalCheckFailed', 'Message': 'The conditional request failed'}
    assert cancelled(check(table_s, key(), **old),
                     put(table_s, key()),
                     put(table_s, {'p': a['p']}, ConditionExpression='attribute_not_exists(p)', **old),
                     delete(table_s, key(), ConditionExpression='attribute_exists(p)',
                            ReturnValuesOnConditionCheckFailure='NONE')) == [
        failed, {'Code': 'None'}, {**failed, 'Item': a}, failed]


def test_body(raw, table_s):
    """Message in capitals, reasons beside it; a reason that is none has no message."""
    reply = raw('TransactWriteItems', {'TransactItems': [put(table_s, key()), check(table_s, key())]})
    assert reply.status == 400
    assert reply.json == {
        '__type': 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
        'Message': PREFIX + '[None, ConditionalCheckFailed]',
        'CancellationReasons': [{'Code': 'None'}, {'Code': 'ConditionalCheckFailed',
                                                   'Message': 'The conditional request failed'}]}


def test_cancelled_disturbs_nobody(client, table_s):
    """Cancelled transactions among single writes, which share the server's."""
    a = key()
    client.put_item(TableName=table_s, Item={**a, 'n': {'N': '0'}})
    failures = []

    def cancel():
        for _ in range(40):
            try:
                client.transact_write_items(TransactItems=[
                    update(table_s, a, 'ADD n :n', n='1000'), check(table_s, key('never'))])
                failures.append('done')
            except ClientError as e:
                if e.response['Error']['Code'] != 'TransactionCanceledException':
                    failures.append(e)

    def add():
        for _ in range(40):
            try:
                client.update_item(TableName=table_s, Key=a, UpdateExpression='ADD n :n',
                                   ExpressionAttributeValues={':n': {'N': '1'}})
            except ClientError as e:
                failures.append(e)

    threads = [threading.Thread(target=t) for t in [cancel, add] * 4]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    assert client.get_item(TableName=table_s, Key=a, ConsistentRead=True)['Item']['n'] == {'N': '160'}


# ----- capacity -----

def test_capacity(client, table_s, table_ss):
    a, b = key(), key()
    client.put_item(TableName=table_s, Item={**a, 'v': {'S': 'x' * 3000}})
    reply = client.transact_write_items(ReturnConsumedCapacity='INDEXES', TransactItems=[
        check(table_s, a),                                      # 3 KB image: 2 * 3
        put(table_s, {**b, 'v': {'S': 'x' * 1500}}),            # 2 * 2
        check(table_ss, {**b, 's': {'S': 's'}}, 'attribute_not_exists(p)')])
    assert reply['ConsumedCapacity'] == [
        {'TableName': table_s, 'CapacityUnits': 10.0, 'WriteCapacityUnits': 10.0,
         'Table': {'CapacityUnits': 10.0, 'WriteCapacityUnits': 10.0}},
        {'TableName': table_ss, 'CapacityUnits': 2.0, 'WriteCapacityUnits': 2.0,
         'Table': {'CapacityUnits': 2.0, 'WriteCapacityUnits': 2.0}}]
    reply = client.transact_write_items(ReturnConsumedCapacity='TOTAL', TransactItems=[delete(table_s, a)])
    assert reply['ConsumedCapacity'] == [
        {'TableName': table_s, 'CapacityUnits': 6.0, 'WriteCapacityUnits': 6.0}]


# ----- secondary indexes -----

@pytest.fixture(scope='module')
def indexed(make_table):
    """A table with the local index local (p, t) and the global one global (g)."""
    def index(name, *keys):
        return {'IndexName': name, 'Projection': {'ProjectionType': 'ALL'},
                'KeySchema': [{'AttributeName': k, 'KeyType': t} for k, t in zip(keys, ('HASH', 'RANGE'))]}
    return make_table('S', 'S', LocalSecondaryIndexes=[index('local', 'p', 't')],
                      GlobalSecondaryIndexes=[index('global', 'g')],
                      AttributeDefinitions=[{'AttributeName': n, 'AttributeType': 'S'} for n in 'pstg'])


def test_index_entries(client, indexed):
    p, g = unique(), unique()
    keys = [{'p': {'S': p}, 's': {'S': s}} for s in 'abc']
    client.put_item(TableName=indexed, Item={**keys[0], 'g': {'S': g}})
    client.transact_write_items(TransactItems=[
        update(indexed, keys[0], 'REMOVE g SET t = s'),
        put(indexed, {**keys[1], 'g': {'S': g}}), put(indexed, {**keys[2], 'g': {'S': g}, 't': {'S': '0'}})])

    def found(index, condition, value):
        reply = client.query(TableName=indexed, IndexName=index, KeyConditionExpression=condition,
                             ExpressionAttributeValues={':v': {'S': value}})
        return [item['s']['S'] for item in reply['Items']]
    wait_for(lambda: sorted(found('global', 'g = :v', g)) == ['b', 'c'])
    assert found('local', 'p = :v', p) == ['c', 'a']


def test_index_keys(client, indexed, cancelled):
    a = {'p': {'S': unique()}, 's': {'S': 'x'}}
    for item in ({**a, 'g': {'N': '1'}}, {**a, 't': {'BOOL': True}}, {**a, 'g': {'S': 'x' * 2049}}):
        with pytest.raises(ClientError) as caught:
            client.put_item(TableName=indexed, Item=item)
        assert cancelled(check(indexed, a), put(indexed, item | {'s': {'S': 'y'}})) == [
            {'Code': 'None'},
            {'Code': 'ValidationError', 'Message': caught.value.response['Error']['Message']}]
    assert cancelled(update(indexed, a, 'SET g = :n'), check(indexed, {**a, 's': {'S': 'y'}})) == [
        {'Code': 'ValidationError',
         'Message': 'The update expression attempted to update the secondary index key to unsupported type'},
        {'Code': 'None'}]


def test_index_capacity(client, indexed):
    """Indexes are charged once, the table twice."""
    a = {'p': {'S': unique()}, 's': {'S': 'x'}}
    write = dict(TransactItems=[put(indexed, {**a, 'g': {'S': 'g'}, 'v': {'S': 'x' * 1500}}),
                                check(indexed, {**a, 's': {'S': 'y'}}, 'attribute_not_exists(p)')],
                 ReturnConsumedCapacity='INDEXES')
    assert client.transact_write_items(**write)['ConsumedCapacity'] == [
        {'TableName': indexed, 'CapacityUnits': 8.0, 'WriteCapacityUnits': 8.0,
         'Table': {'CapacityUnits': 6.0, 'WriteCapacityUnits': 6.0},
         'GlobalSecondaryIndexes': {'global': {'CapacityUnits': 2.0}}}]
    # Looked at, or put as it was: no entry changes.
    assert client.transact_write_items(
        TransactItems=[check(indexed, a)], ReturnConsumedCapacity='INDEXES')['ConsumedCapacity'] == [
        {'TableName': indexed, 'CapacityUnits': 4.0, 'WriteCapacityUnits': 4.0,
         'Table': {'CapacityUnits': 4.0, 'WriteCapacityUnits': 4.0}}]


def test_item_collections(client, indexed, table_s):
    p, q = unique(), unique()
    metrics = client.transact_write_items(ReturnItemCollectionMetrics='SIZE', TransactItems=[
        put(indexed, {'p': {'S': p}, 's': {'S': 'a'}}), put(indexed, {'p': {'S': p}, 's': {'S': 'b'}}),
        update(indexed, {'p': {'S': q}, 's': {'S': 'a'}}), put(table_s, key()),
        check(indexed, {'p': {'S': unique()}, 's': {'S': 'a'}}, 'attribute_not_exists(p)')])['ItemCollectionMetrics']
    assert list(metrics) == [indexed]
    assert sorted(m['ItemCollectionKey']['p']['S'] for m in metrics[indexed]) == sorted([p, q])
    assert all(m['SizeEstimateRangeGB'] == [0.0, 1.0] for m in metrics[indexed])


# ----- ClientRequestToken -----

def test_token(client, table_s, get):
    """The same call again succeeds and does nothing, whatever has changed."""
    a, token = key(), unique('t')
    call = dict(ClientRequestToken=token, TransactItems=[
        update(table_s, a, 'ADD n :n'), put(table_s, key(), ConditionExpression='attribute_not_exists(p)')])
    client.transact_write_items(**call)
    client.transact_write_items(**call)
    assert get(table_s, a)['n'] == {'N': '1'}
    client.delete_item(TableName=table_s, Key=a)
    client.transact_write_items(**call)
    assert get(table_s, a) is None


def test_token_other_content(client, table_s, get):
    a, token = key(), unique('t')
    client.transact_write_items(ClientRequestToken=token, TransactItems=[update(table_s, a, 'ADD n :n')])
    for other in ([update(table_s, a, 'ADD n :n', n='2')], [delete(table_s, a)],
                  [update(table_s, a, 'ADD n :n'), put(table_s, key())],
                  [check(table_s, key())], [delete(table_s, {'p': {'N': '1'}})]):
        with raises('IdempotentParameterMismatchException'):
            client.transact_write_items(ClientRequestToken=token, TransactItems=other)
    assert get(table_s, a)['n'] == {'N': '1'}


def test_token_content_is_the_actions(client, raw, table_s, get):
    """What is to be returned, and the order of JSON's members, is not content."""
    a, token = key(), unique('t')
    client.transact_write_items(ClientRequestToken=token, TransactItems=[update(table_s, a, 'ADD n :n')])
    client.transact_write_items(ClientRequestToken=token, TransactItems=[update(table_s, a, 'ADD n :n')],
                                ReturnConsumedCapacity='TOTAL', ReturnItemCollectionMetrics='SIZE')
    action = dict(reversed(update(table_s, a, 'ADD n :n')['Update'].items()))
    reply = raw('TransactWriteItems', {'TransactItems': [{'Put': None, 'Update': action}], 'ClientRequestToken': token})
    assert reply.status == 200, reply.body
    assert get(table_s, a)['n'] == {'N': '1'}


def test_token_of_cancelled(client, table_s, cancelled):
    """A cancelled transaction does not occupy its token."""
    a, b, token = key(), key(), unique('t')
    actions = [check(table_s, a), put(table_s, b)]
    cancelled(*actions, ClientRequestToken=token)
    client.put_item(TableName=table_s, Item=a)
    client.transact_write_items(TransactItems=actions, ClientRequestToken=token)
    client.delete_item(TableName=table_s, Key=a)
    client.transact_write_items(TransactItems=actions, ClientRequestToken=token)


def test_token_capacity(client, table_s):
    """A repeated call is charged for reading the images of the first one."""
    a, token = key(), unique('t')
    call = dict(ClientRequestToken=token, ReturnConsumedCapacity='TOTAL', TransactItems=[
        put(table_s, {**a, 'v': {'S': 'x' * 9000}}), check(table_s, key(), 'attribute_not_exists(p)')])
    first = client.transact_write_items(**call)['ConsumedCapacity']
    assert first == [{'TableName': table_s, 'CapacityUnits': 20.0, 'WriteCapacityUnits': 20.0}]
    client.delete_item(TableName=table_s, Key=a)
    again = client.transact_write_items(**call)['ConsumedCapacity']
    assert again == [{'TableName': table_s, 'CapacityUnits': 8.0, 'ReadCapacityUnits': 8.0}]


def test_token_at_once(client, table_s, get):
    """Many times the same call at one moment: done once, and all succeed."""
    a, token = key(), unique('t')
    failures = []

    def call():
        try:
            client.transact_write_items(ClientRequestToken=token,
                                        TransactItems=[update(table_s, a, 'ADD n :n'), put(table_s, key(token))])
        except ClientError as e:
            failures.append(e)

    threads = [threading.Thread(target=call) for _ in range(32)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    assert get(table_s, a)['n'] == {'N': '1'}


@pytest.mark.not_aws
def test_token_expires(client, sql, table_s, get):
    a, token = key(), unique('t')
    call = dict(ClientRequestToken=token, TransactItems=[update(table_s, a, 'ADD n :n')])
    client.transact_write_items(**call)
    for age, n in ((595, '1'), (605, '2')):
        sql("UPDATE dynamo_internal.request_tokens SET completed = now() - %s * interval '1 s' WHERE token = %s",
            age, token.encode())
        client.transact_write_items(**call)
        assert get(table_s, a)['n'] == {'N': n}
    client.transact_write_items(**call)
    assert get(table_s, a)['n'] == {'N': '2'}


@pytest.mark.not_aws
def test_expired_tokens_go(client, sql, table_s):
    """Old ones are deleted while new ones are stored."""
    def store():
        for _ in range(80):
            client.transact_write_items(TransactItems=[update(table_s, key('tokens'))])

    store()
    sql("UPDATE dynamo_internal.request_tokens SET completed = now() - interval '11 min'")

    def gone():
        store()
        return not sql("SELECT 1 FROM dynamo_internal.request_tokens WHERE completed < now() - interval '11 min'")
    wait_for(gone, 60)


# ----- conflicts with running transactions -----

@pytest.fixture
def holder(sql):
    """holder(table, key...): an open SQL transaction that has changed these items."""
    def hold(table, *keys):
        import json
        sql.connection.autocommit = False
        for k in keys:
            sql('SELECT dynamo.update_item(%s)', json.dumps({
                'TableName': table, 'Key': k, 'UpdateExpression': 'SET held = :h',
                'ExpressionAttributeValues': {':h': {'S': 'y'}}}))
        return sql.connection
    yield hold
    sql.connection.rollback()


@pytest.mark.not_aws
def test_conflict(client, table_s, holder, cancelled, get):
    """Told at the positions of the items that are held, and nothing is done."""
    a, b, c, d = key(), key(), key(), key()
    for k in (b, c):
        client.put_item(TableName=table_s, Item=k)
    connection = holder(table_s, b, d)
    start = time.monotonic()
    reasons = cancelled(put(table_s, a), update(table_s, b), delete(table_s, c), check(table_s, d, 'attribute_not_exists(p)'))
    assert time.monotonic() - start > 0.8       # dynamo.lock_timeout is 1s here
    conflict = {'Code': 'TransactionConflict', 'Message': CONFLICT}
    assert reasons == [{'Code': 'None'}, conflict, {'Code': 'None'}, conflict]
    assert get(table_s, a) is None and get(table_s, c) == c
    connection.rollback()


@pytest.mark.not_aws
def test_short_conflict(client, table_s, holder, get):
    """A transaction that ends soon is waited for."""
    a, b = key(), key()
    connection = holder(table_s, a)
    threading.Timer(0.3, connection.commit).start()
    client.transact_write_items(TransactItems=[update(table_s, a), put(table_s, b)])
    assert get(table_s, a) == {**a, 'held': {'S': 'y'}, 'n': {'N': '1'}}
    assert get(table_s, b)


@pytest.mark.not_aws
def test_conflict_keeps_nothing_locked(client, table_s, holder, get):
    """While a transaction waits for one item, its others are free."""
    a, b = key(), key()
    for k in (a, b):
        client.put_item(TableName=table_s, Item=k)
    connection = holder(table_s, b)
    waiter = threading.Thread(target=lambda: reasons_of(
        client.transact_write_items, update(table_s, a), update(table_s, b)))
    waiter.start()
    slowest = 0
    while waiter.is_alive():
        start = time.monotonic()
        client.update_item(TableName=table_s, Key=a, UpdateExpression='ADD x :n',
                           ExpressionAttributeValues={':n': {'N': '1'}})
        slowest = max(slowest, time.monotonic() - start)
    waiter.join()
    assert slowest < 1
    assert 'n' not in get(table_s, a)
    connection.rollback()


@pytest.mark.not_aws
def test_single_write_meets_transaction(client, table_s, sql):
    """A running transaction's items, also those it only checks."""
    import json
    a, b, c = key(), key(), key()
    client.put_item(TableName=table_s, Item=b)
    sql.connection.autocommit = False
    sql('SELECT dynamo.transact_write_items(%s)', json.dumps({'TransactItems': [
        put(table_s, a), check(table_s, b), check(table_s, c, 'attribute_not_exists(p)')]}))
    for k in (a, b, c):
        with raises('TransactionConflictException', 'Transaction is ongoing for the item'):
            client.put_item(TableName=table_s, Item=k)
    sql.connection.rollback()
    for k in (a, b, c):
        client.put_item(TableName=table_s, Item=k)


@pytest.mark.not_aws
def test_token_in_progress(client, table_s, sql):
    """The first call is not over: its transaction is open."""
    import json
    a, token = key(), unique('t')
    call = {'ClientRequestToken': token, 'TransactItems': [put(table_s, a)]}
    # The tokens of one role are apart from those of others.
    [(role,)] = sql('SELECT role::text FROM dynamo.my_access_keys WHERE access_key_id = %s',
                    client._request_signer._credentials.access_key)
    sql.connection.autocommit = False
    sql(f'SET LOCAL ROLE {role}')
    sql('SELECT dynamo.transact_write_items(%s)', json.dumps(call))
    with raises('TransactionInProgressException',
                'The transaction with the given request token is already in progress.'):
        client.transact_write_items(**call)
    sql.connection.commit()
    client.transact_write_items(**call)


@pytest.mark.not_aws
def test_hammer(client, table_s, get):
    """Two clients, the same five items: both get on, nobody sees an error."""
    keys = [key() for _ in range(5)]
    for k in keys:
        client.put_item(TableName=table_s, Item={**k, 'n': {'N': '0'}})
    done, failures, stop = [0, 0, 0], [], time.monotonic() + 4

    def hammer(i):
        order = keys if i == 0 else keys[::-1]
        while time.monotonic() < stop:
            try:
                client.transact_write_items(TransactItems=[update(table_s, k, 'ADD n :n') for k in order])
                done[i] += 1
            except ClientError as e:
                if e.response['Error']['Code'] != 'TransactionCanceledException' or \
                        {r['Code'] for r in e.response['CancellationReasons']} - {'None', 'TransactionConflict'}:
                    failures.append(e)

    def single():
        while time.monotonic() < stop:
            try:
                client.update_item(TableName=table_s, Key=keys[2], UpdateExpression='ADD single :n',
                                   ExpressionAttributeValues={':n': {'N': '1'}})
                done[2] += 1
            except ClientError as e:
                failures.append(e)

    threads = [threading.Thread(target=hammer, args=(i,)) for i in (0, 1)] + [threading.Thread(target=single)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    assert min(done) > 20, done
    assert {get(table_s, k)['n']['N'] for k in keys} == {str(done[0] + done[1])}
    assert get(table_s, keys[2])['single'] == {'N': str(done[2])}


def test_write_skew(client, table_s):
    """Each of two may go only while the other one stays: one of them must."""
    for _ in range(60):
        a, b = key(), key()
        client.transact_write_items(TransactItems=[put(table_s, a), put(table_s, b)])
        barrier, left = threading.Barrier(2), []

        def leave(mine, other):
            barrier.wait()
            try:
                client.transact_write_items(TransactItems=[delete(table_s, mine), check(table_s, other)])
                left.append(mine)
            except ClientError as e:
                assert e.response['Error']['Code'] == 'TransactionCanceledException'

        threads = [threading.Thread(target=leave, args=p) for p in ((a, b), (b, a))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(left) == 1


def test_write_skew_of_missing_items(client, table_s):
    """The same with what is not there: only one of two may come."""
    for _ in range(60):
        a, b = key(), key()
        barrier, came = threading.Barrier(2), []

        def come(mine, other):
            barrier.wait()
            try:
                client.transact_write_items(TransactItems=[
                    put(table_s, mine), check(table_s, other, 'attribute_not_exists(p)')])
                came.append(mine)
            except ClientError as e:
                assert e.response['Error']['Code'] == 'TransactionCanceledException'

        threads = [threading.Thread(target=come, args=p) for p in ((a, b), (b, a))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(came) == 1


@pytest.mark.not_aws
def test_check_on_table_under_ddl(client, make_table, sql, cancelled):
    table = make_table()
    [(relation,)] = sql('SELECT relation::regclass::text FROM dynamo.tables WHERE name = %s', table)
    sql.connection.autocommit = False
    sql(f'LOCK TABLE {relation}')
    reasons = cancelled(put(table, key()))
    assert reasons == [{'Code': 'TransactionConflict', 'Message': CONFLICT}]
    sql.connection.rollback()


@pytest.mark.not_aws
def test_many_missing_checks(client, table_s, sql):
    """Locks of missing keys do not fill the lock table."""
    failures = []

    def run():
        for _ in range(4):
            try:
                client.transact_write_items(TransactItems=[
                    check(table_s, key(), 'attribute_not_exists(p)') for _ in range(100)])
            except ClientError as e:
                failures.append(e)

    threads = [threading.Thread(target=run) for _ in range(32)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    assert sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


@pytest.mark.not_aws
def test_token_survives_crash(own_server):
    server = own_server()
    client = server.client()
    client.create_table(TableName='tokens', BillingMode='PAY_PER_REQUEST',
                        AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'}],
                        KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}])
    call = dict(ClientRequestToken='crash', TransactItems=[update('tokens', key('a'), 'ADD n :n')])
    client.transact_write_items(**call)
    server.kill()
    for _ in range(100):
        try:
            server.start()
            break
        except Exception:
            time.sleep(0.2)
    server.wait()
    client.transact_write_items(**call)
    assert client.get_item(TableName='tokens', Key=key('a'))['Item']['n'] == {'N': '1'}
    with raises('IdempotentParameterMismatchException'):
        client.transact_write_items(ClientRequestToken='crash', TransactItems=[delete('tokens', key('a'))])


