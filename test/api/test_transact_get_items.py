"""TransactGetItems: items as they were at one moment."""
import threading
import time

import pytest

from conftest import raises
from test_transact_write_items import key, put, reasons_of, update


def get(table, key, **more):
    return {'Get': {'TableName': table, 'Key': key, **more}}


def test_items(client, table_s, table_ss):
    a, b = {**key(), 'n': {'N': '1'}, 'm': {'M': {'x': {'S': 'y'}}}}, {**key(), 's': {'S': 'x'}}
    client.put_item(TableName=table_s, Item=a)
    client.put_item(TableName=table_ss, Item=b)
    reply = client.transact_get_items(TransactItems=[
        get(table_ss, b), get(table_s, key()), get(table_s, {'p': a['p']}, ProjectionExpression='#m.x, zz',
                                                    ExpressionAttributeNames={'#m': 'm'})])
    assert reply['Responses'] == [{'Item': b}, {}, {'Item': {'m': {'M': {'x': {'S': 'y'}}}}}]
    assert 'ConsumedCapacity' not in reply


def test_an_item_of_which_nothing_is_shown(client, table_s):
    """Is not in the answer; GetItem's is."""
    a = {**key(), 'n': {'N': '1'}, 'l': {'L': []}}
    client.put_item(TableName=table_s, Item=a)
    asked = {'Key': {'p': a['p']}, 'ProjectionExpression': 'zz, l[1]'}
    assert client.transact_get_items(TransactItems=[{'Get': {'TableName': table_s, **asked}}])['Responses'] == [{}]
    assert client.get_item(TableName=table_s, **asked)['Item'] == {}


def test_hundred(client, table_s):
    keys = [key() for _ in range(100)]
    client.transact_write_items(TransactItems=[put(table_s, k) for k in keys])
    reply = client.transact_get_items(TransactItems=[get(table_s, k) for k in keys[::-1]])
    assert reply['Responses'] == [{'Item': k} for k in keys[::-1]]


def test_number_of_gets(unchecked_client, table_s):
    with raises('ValidationException', "1 validation error detected: Value '[]' at 'transactItems' failed to "
                "satisfy constraint: Member must have length greater than or equal to 1"):
        unchecked_client.transact_get_items(TransactItems=[])
    with raises('ValidationException') as caught:
        unchecked_client.transact_get_items(TransactItems=[get(table_s, key()) for _ in range(101)])
    assert caught.value.response['Error']['Message'].endswith(
        "at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100")


@pytest.mark.parametrize('element, member', [
    ({}, 'get'), ({'Get': {'TableName': 'abc'}}, 'get.key'), ({'Get': {'Key': key('a')}}, 'get.tableName')])
def test_missing_members(unchecked_client, element, member):
    with raises('ValidationException', "1 validation error detected: Value null at 'transactItems.1.member."
                f"{member}' failed to satisfy constraint: Member must not be null"):
        unchecked_client.transact_get_items(TransactItems=[element])


def test_duplicates(client, table_s, table_n):
    a = key()
    for gets in ([get(table_s, a), get(table_s, a)],
                 [get(table_n, {'p': {'N': '1'}}), get(table_n, {'p': {'N': '1.0'}})]):
        with raises('ValidationException', 'Transaction request cannot include multiple operations on one item'):
            client.transact_get_items(TransactItems=gets)


def test_order_of_checks(client, table_s):
    with raises('ValidationException', 'Invalid ProjectionExpression: Syntax error; token: "<EOF>", near: ","'):
        client.transact_get_items(TransactItems=[
            get('dynamo-no-such-table', key()), get(table_s, key(), ProjectionExpression='a,')])
    with raises('ResourceNotFoundException', 'Requested resource not found'):
        client.transact_get_items(TransactItems=[get(table_s, {'p': {'N': '1'}}), get('dynamo-no-such-table', key())])


def test_wrong_key(client, table_s):
    assert reasons_of(client.transact_get_items, get(table_s, key()), get(table_s, {'q': {'S': 'x'}}),
                      get(table_s, {'p': {'N': '1'}})) == [
        {'Code': 'None'},
        {'Code': 'ValidationError', 'Message': 'The provided key element does not match the schema'},
        {'Code': 'None'}]


def test_empty_key(client, table_s):
    with raises('ValidationException', 'One or more parameter values are not valid. The AttributeValue for a key '
                'attribute cannot contain an empty string value. Key: p'):
        client.transact_get_items(TransactItems=[get(table_s, key(''))])


def test_capacity(client, table_s, table_ss):
    a = key()
    client.put_item(TableName=table_s, Item={**a, 'v': {'S': 'x' * 5000}})
    gets = [get(table_s, a, ProjectionExpression='p'), get(table_ss, {**key(), 's': {'S': 'x'}}), get(table_s, key())]
    reply = client.transact_get_items(TransactItems=gets, ReturnConsumedCapacity='TOTAL')
    assert reply['ConsumedCapacity'] == [
        {'TableName': table_s, 'CapacityUnits': 6.0, 'ReadCapacityUnits': 6.0},
        {'TableName': table_ss, 'CapacityUnits': 2.0, 'ReadCapacityUnits': 2.0}]
    reply = client.transact_get_items(TransactItems=gets[1:2], ReturnConsumedCapacity='INDEXES')
    assert reply['ConsumedCapacity'] == [
        {'TableName': table_ss, 'CapacityUnits': 2.0, 'ReadCapacityUnits': 2.0,
         'Table': {'CapacityUnits': 2.0, 'ReadCapacityUnits': 2.0}}]


def test_size(client, table_s):
    keys = [key() for _ in range(12)]
    for part in (keys[:6], keys[6:]):
        client.transact_write_items(TransactItems=[put(table_s, {**k, 'v': {'S': 'x' * 390000}}) for k in part])
    assert len(client.transact_get_items(TransactItems=[get(table_s, k) for k in keys[:10]])['Responses']) == 10
    with raises('ValidationException') as caught:
        client.transact_get_items(TransactItems=[get(table_s, k) for k in keys])
    assert '4MB limit' in caught.value.response['Error']['Message']


def test_one_moment(client, table_s):
    """Two items that are always written together are never seen apart."""
    a, b = key(), key()
    client.transact_write_items(TransactItems=[update(table_s, k, n='0') for k in (a, b)])
    stop = time.monotonic() + 2
    failures = []

    def write():
        n = 0
        while time.monotonic() < stop:
            n += 1
            client.transact_write_items(TransactItems=[update(table_s, k, n=str(n)) for k in (a, b)])

    def read():
        last = 0
        while time.monotonic() < stop:
            first, second = (int(r['Item']['n']['N']) for r in client.transact_get_items(
                TransactItems=[get(table_s, a), get(table_s, b)])['Responses'])
            if first != second or first < last:
                failures.append((last, first, second))
            last = first

    threads = [threading.Thread(target=t) for t in (write, read, read)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures


@pytest.mark.not_aws
def test_no_conflict(client, table_s, sql):
    """A running write is not in the way: the state before it is read at once."""
    import json
    a = {**key(), 'n': {'N': '1'}}
    client.put_item(TableName=table_s, Item=a)
    sql.connection.autocommit = False
    sql('SELECT dynamo.transact_write_items(%s)', json.dumps({'TransactItems': [update(table_s, {'p': a['p']}, n='2')]}))
    assert client.transact_get_items(TransactItems=[get(table_s, {'p': a['p']})])['Responses'] == [{'Item': a}]
    sql.connection.rollback()


@pytest.mark.not_aws
def test_table_under_ddl(client, make_table, sql):
    table = make_table()
    [(relation,)] = sql('SELECT relation::regclass::text FROM dynamo.tables WHERE name = %s', table)
    sql.connection.autocommit = False
    sql(f'LOCK TABLE {relation}')
    assert reasons_of(client.transact_get_items, get(table, key())) == [
        {'Code': 'TransactionConflict', 'Message': 'Transaction is ongoing for the item.'}]
    sql.connection.rollback()


