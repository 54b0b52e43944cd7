"""Many clients create and change one and the same item at once.

No answer but success and a failed condition is right: nobody may be told of an
internal error, and nobody's change may be lost.
"""
import concurrent.futures
import contextlib
import json
import threading

import pytest
from botocore.exceptions import ClientError

from conftest import unique

CLIENTS = 64


@pytest.fixture(scope='module')
def race():
    """race(function) calls function(0..63), all at one moment; the results."""
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        def run(function):
            barrier = threading.Barrier(CLIENTS)

            def call(i):
                barrier.wait()
                return function(i)

            return list(pool.map(call, range(CLIENTS)))
        yield run


def succeeded(call, **parameters):
    """Whether the condition held; anything but that is a failure."""
    try:
        call(**parameters)
        return True
    except ClientError as e:
        assert e.response['Error']['Code'] == 'ConditionalCheckFailedException', e.response
        return False


def test_add(client, table_s, race):
    for _ in range(5):
        key = {'p': {'S': unique()}}
        race(lambda i: client.update_item(
            TableName=table_s, Key=key, UpdateExpression='ADD n :n, members :m',
            ExpressionAttributeValues={':n': {'N': str(i)}, ':m': {'SS': [str(i)]}}))
        item = client.get_item(TableName=table_s, Key=key, ConsistentRead=True)['Item']
        assert item['n'] == {'N': str(sum(range(CLIENTS)))}
        assert sorted(item['members']['SS'], key=int) == [str(i) for i in range(CLIENTS)]


def test_set_distinct_attributes(client, table_s, race):
    for _ in range(5):
        key = {'p': {'S': unique()}}
        race(lambda i: client.update_item(
            TableName=table_s, Key=key, UpdateExpression='SET #a = :v',
            ExpressionAttributeNames={'#a': f'a{i}'}, ExpressionAttributeValues={':v': {'N': str(i)}}))
        item = client.get_item(TableName=table_s, Key=key, ConsistentRead=True)['Item']
        assert item == {**key, **{f'a{i}': {'N': str(i)} for i in range(CLIENTS)}}


def test_put_one_winner(client, table_s, race):
    """attribute_not_exists on the key: exactly one creates the item."""
    for _ in range(5):
        key = {'p': {'S': unique()}}
        won = race(lambda i: succeeded(
            client.put_item, TableName=table_s, Item={**key, 'by': {'N': str(i)}},
            ConditionExpression='attribute_not_exists(p)'))
        assert won.count(True) == 1
        item = client.get_item(TableName=table_s, Key=key, ConsistentRead=True)['Item']
        assert item['by'] == {'N': str(won.index(True))}


def test_put_without_condition(client, table_s, race):
    """One of them is the last; each other one was told what it replaced."""
    key = {'p': {'S': unique()}}
    old = race(lambda i: client.put_item(
        TableName=table_s, Item={**key, 'by': {'N': str(i)}}, ReturnValues='ALL_OLD').get('Attributes'))
    last = client.get_item(TableName=table_s, Key=key, ConsistentRead=True)['Item']
    assert old.count(None) == 1
    seen = [int(o['by']['N']) for o in old if o] + [int(last['by']['N'])]
    assert sorted(seen) == list(range(CLIENTS))


def test_everything_at_once(client, table_s, race):
    """ADD, SET, PutItem with a condition and DeleteItem with one that fails."""
    for _ in range(5):
        key = {'p': {'S': unique()}}

        def call(i):
            kind = i % 4
            if kind == 0:
                client.update_item(TableName=table_s, Key=key, UpdateExpression='ADD n :one',
                                   ExpressionAttributeValues={':one': {'N': '1'}})
            elif kind == 1:
                client.update_item(TableName=table_s, Key=key, UpdateExpression='SET #a = :v',
                                   ExpressionAttributeNames={'#a': f'a{i}'},
                                   ExpressionAttributeValues={':v': {'S': 'x'}})
            elif kind == 2:
                return succeeded(client.put_item, TableName=table_s, Item={**key, 'n': {'N': '1000'}},
                                 ConditionExpression='attribute_not_exists(p)')
            else:
                assert not succeeded(client.delete_item, TableName=table_s, Key=key,
                                     ConditionExpression='n < :zero',
                                     ExpressionAttributeValues={':zero': {'N': '0'}})
            return None

        results = race(call)
        item = client.get_item(TableName=table_s, Key=key, ConsistentRead=True)['Item']
        created = results.count(True)
        assert created <= 1
        assert item['n'] == {'N': str(CLIENTS // 4 + 1000 * created)}
        assert sum(name.startswith('a') for name in item) == CLIENTS // 4


def test_conditional_counter(client, table_s, race):
    """Optimistic locking by version: each success is one step, none is lost."""
    key = {'p': {'S': unique()}}
    client.put_item(TableName=table_s, Item={**key, 'version': {'N': '0'}})

    def call(_):
        wins = 0
        for _ in range(10):
            version = client.get_item(TableName=table_s, Key=key, ConsistentRead=True)['Item']['version']['N']
            wins += succeeded(
                client.update_item, TableName=table_s, Key=key, UpdateExpression='SET version = :new',
                ConditionExpression='version = :old', ExpressionAttributeValues={
                    ':old': {'N': version}, ':new': {'N': str(int(version) + 1)}})
        return wins

    wins = sum(race(call))
    item = client.get_item(TableName=table_s, Key=key, ConsistentRead=True)['Item']
    assert item['version'] == {'N': str(wins)} and wins > 0


def test_batches_in_opposite_order(client, table_s, race):
    """BatchWriteItem calls over the same keys never wait for each other in a
    circle: all are done, each item is one that somebody wrote."""
    keys = [unique() for _ in range(20)]
    for _ in range(3):
        def call(i):
            order = keys if i % 2 else keys[::-1]
            answer = client.batch_write_item(RequestItems={table_s: [
                {'PutRequest': {'Item': {'p': {'S': k}, 'by': {'N': str(i)}}}} for k in order]})
            return answer['UnprocessedItems']

        assert all(u == {} for u in race(call))
    for k in keys:
        assert 'by' in client.get_item(TableName=table_s, Key={'p': {'S': k}}, ConsistentRead=True)['Item']


def test_transactions_read_one_history(make_table):
    """Of two transactions that read the same items, one doesn't see only the first of two
    writes, and the other only the second: also when each comes right behind its write, on
    one connection, and is run together with it."""
    import test_http

    table = make_table()

    def both(key, n):
        """A transaction that writes one item, and one that reads both."""
        write = {'TransactItems': [{'Update': {
            'TableName': table, 'Key': {'p': {'S': key}}, 'UpdateExpression': 'SET n = :n',
            'ExpressionAttributeValues': {':n': {'N': str(n)}}}}]}
        read = {'TransactItems': [{'Get': {'TableName': table, 'Key': {'p': {'S': k}}}} for k in 'xy']}
        return test_http.signed(json.dumps(write).encode(), 'TransactWriteItems') + \
            test_http.signed(json.dumps(read).encode(), 'TransactGetItems')

    seen = []
    with contextlib.ExitStack() as stack:
        connections = {key: [stack.enter_context(test_http.Connection()) for _ in range(3)] for key in 'xy'}
        for n in range(1, 301):
            requests = {key: both(key, n) for key in 'xy'}
            for i in range(3):
                for key in 'xy':
                    connections[key][i].send(requests[key])
            for i in range(3):
                for key in 'xy':
                    connection = connections[key][i]
                    connection.reply()
                    reply = connection.reply().json
                    if 'Responses' in reply:
                        seen.append(tuple(int(r.get('Item', {}).get('n', {'N': 0})['N']) for r in reply['Responses']))
    assert len(seen) > 300
    # Numbers only grow, so of any two of what was seen one is before the other.
    seen = sorted(set(seen))
    assert all(a[1] <= b[1] for a, b in zip(seen, seen[1:])), \
        [(a, b) for a, b in zip(seen, seen[1:]) if a[1] > b[1]]
