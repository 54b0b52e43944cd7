"""BatchWriteItem: several tables, all-or-none validation, duplicates, capacity, error texts."""
import concurrent.futures
import json
import threading

import psycopg2
import pytest

from conftest import raises, unique, wait_for

VALIDATION = 'ValidationException'


def put(**item):
    return {'PutRequest': {'Item': item}}


def delete(**key):
    return {'DeleteRequest': {'Key': key}}


@pytest.fixture
def write(unchecked_client, table_ss):
    def write(*requests, **parameters):
        return unchecked_client.batch_write_item(RequestItems={table_ss: list(requests)}, **parameters)
    return write


@pytest.fixture
def read(client, table_ss):
    def read(p, s):
        return client.get_item(TableName=table_ss, Key={'p': {'S': p}, 's': {'S': s}}, ConsistentRead=True).get('Item')
    return read


def test_puts_and_deletes(write, read, client, table_ss):
    p = unique()
    reply = write(*(put(p={'S': p}, s={'S': str(n)}, a={'N': str(n)}) for n in range(25)))
    assert reply['UnprocessedItems'] == {}
    reply = write(delete(p={'S': p}, s={'S': '3'}), put(p={'S': p}, s={'S': '4'}, b={'S': 'new'}),
                  delete(p={'S': p}, s={'S': 'absent'}))
    assert reply['UnprocessedItems'] == {}
    assert read(p, '3') is None
    assert read(p, '4') == {'p': {'S': p}, 's': {'S': '4'}, 'b': {'S': 'new'}}
    reply = client.query(TableName=table_ss, KeyConditionExpression='p = :p', Select='COUNT', ConsistentRead=True,
                         ExpressionAttributeValues={':p': {'S': p}})
    assert reply['Count'] == 24


def test_several_tables(client, table_ss, table_s):
    p = {'S': unique()}
    client.batch_write_item(RequestItems={table_ss: [put(p=p, s={'S': 'x'})], table_s: [put(p=p)]})
    assert 'Item' in client.get_item(TableName=table_s, Key={'p': p}, ConsistentRead=True)
    assert 'Item' in client.get_item(TableName=table_ss, Key={'p': p, 's': {'S': 'x'}}, ConsistentRead=True)


KEY = 'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty '
SCHEMA = 'The provided key element does not match the schema'
EXACTLY_ONE = ('Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported '
               'datatypes')


@pytest.mark.parametrize('bad,message', [
    (put(p={'S': 'x'}), SCHEMA),
    (put(p={'S': 'x'}, s={'N': '1'}), SCHEMA),
    (delete(p={'S': 'x'}), SCHEMA),
    (delete(p={'S': 'x'}, s={'S': 'x'}, x={'S': 'x'}), SCHEMA),
    (put(p={'S': 'x'}, s={'S': ''}), KEY + 'string value. Key: s'),
    (delete(p={'S': ''}, s={'S': 'x'}), KEY + 'string value. Key: p'),
    (put(p={'S': 'x' * 2049}, s={'S': 'x'}),
     'One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes'),
    (put(p={'S': 'x'}, s={'S': 'x' * 1025}),
     'One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of '
     '1024 bytes'),
    (put(p={'S': 'x'}, s={'S': 'x'}, a={'S': 'x' * 409_600}), 'Item size has exceeded the maximum allowed size'),
    (put(p={'S': 'x'}, s={'S': 'x'}, a={'N': 'dog'}), 'The parameter cannot be converted to a numeric value: dog'),
    (put(p={'S': 'x'}, s={'S': 'x'}, a={}),
     'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes'),
    (put(p={'S': 'x'}, s={'S': 'x'}, a={'SS': ['x', 'x']}),
     'One or more parameter values were invalid: Input collection [x, x] contains duplicates.'),
    (put(p={'S': 'x'}, s={'S': 'x'}, a={'NULL': False}),
     'One or more parameter values were invalid: Null attribute value types must have the value of true'),
    ({}, EXACTLY_ONE),
    ({**put(p={'S': 'x'}, s={'S': 'x'}), **delete(p={'S': 'x'}, s={'S': 'x'})}, EXACTLY_ONE),
])
def test_one_bad_request_rejects_the_batch(write, read, bad, message):
    p = unique()
    for batch in ((put(p={'S': p}, s={'S': 'x'}), bad), (bad, put(p={'S': p}, s={'S': 'x'}))):
        with raises(VALIDATION, message):
            write(*batch)
    assert read(p, 'x') is None


def test_what_an_index_cannot_take_rejects_the_batch(client, make_table, read, table_ss):
    name = make_table(AttributeDefinitions=[{'AttributeName': n, 'AttributeType': 'S'} for n in 'pg'],
                      GlobalSecondaryIndexes=[{'IndexName': 'by-g', 'KeySchema': [{'AttributeName': 'g', 'KeyType': 'HASH'}],
                                               'Projection': {'ProjectionType': 'ALL'}}])
    p = unique()
    for g, message in (({'N': '1'}, 'One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g'),
                       ({'S': ''}, 'One or more parameter values are not valid. A value specified for a secondary index key is not supported. '
                        'The AttributeValue for a key attribute cannot contain an empty string value. IndexName: by-g, IndexKey: g')):
        with raises(VALIDATION, message):
            client.batch_write_item(RequestItems={table_ss: [put(p={'S': p}, s={'S': 'x'})], name: [put(p={'S': 'a'}, g=g)]})
    assert read(p, 'x') is None


def test_a_missing_table_rejects_the_batch(client, table_ss, read):
    p = unique()
    with raises('ResourceNotFoundException', 'Requested resource not found'):
        client.batch_write_item(RequestItems={table_ss: [put(p={'S': p}, s={'S': 'x'})],
                                              unique('absent-'): [put(p={'S': p})]})
    assert read(p, 'x') is None


def test_duplicates(write, client, table_n, table_ss, table_s):
    p = {'S': unique()}
    duplicates = 'Provided list of item keys contains duplicates'
    with raises(VALIDATION, duplicates):
        write(put(p=p, s={'S': 'x'}), put(p=p, s={'S': 'y'}), put(p=p, s={'S': 'x'}, a={'S': 'other'}))
    with raises(VALIDATION, duplicates):
        write(put(p=p, s={'S': 'x'}), delete(p=p, s={'S': 'x'}))
    # Numbers are compared as numbers.
    with raises(VALIDATION, duplicates):
        client.batch_write_item(RequestItems={table_n: [put(p={'N': '1000'}), put(p={'N': '1e3'})]})
    # The same key in two tables is fine.
    client.batch_write_item(RequestItems={table_ss: [put(p=p, s={'S': 'x'})], table_s: [put(p=p)]})


def test_order_of_checks(raw, table_ss):
    """Of two mistakes the first is told."""
    missing = {unique('absent-'): [put(q={'S': 'x'})]}
    bad, twice = put(p={'S': 'x'}), [put(p={'S': 'x'}, s={'S': 'x'})] * 2
    for items, message in [
            ({**missing, table_ss: [{}]}, EXACTLY_ONE),
            ({**missing, table_ss: [put(p={'SS': []})]}, 'One or more parameter values were invalid: An string set  may not be empty'),
            ({**missing, table_ss: [put(p={'S': 'x'}, a={'S': 'x' * 409_600})]}, 'Item size has exceeded the maximum allowed size'),
            ({table_ss: [bad], **missing}, 'Requested resource not found'),
            ({table_ss: [*twice, bad]}, SCHEMA)]:
        assert raw('BatchWriteItem', {'RequestItems': items}).message == message


def test_too_many(unchecked_client, raw, table_ss, table_s):
    def puts(count):
        return [put(p={'S': unique()}, s={'S': 'x'}) for _ in range(count)]

    with raises(VALIDATION) as caught:
        unchecked_client.batch_write_item(RequestItems={table_ss: puts(26)})
    message = caught.value.response['Error']['Message']
    assert message.startswith(f"1 validation error detected: Value '{{{table_ss}=[")
    assert message.endswith("' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: "
                            '[Member must have length less than or equal to 25, '
                            'Member must have length greater than or equal to 1]')
    with raises(VALIDATION, 'Too many items requested for the BatchWriteItem call'):
        unchecked_client.batch_write_item(RequestItems={table_ss: puts(13), table_s: puts(13)})
    with raises(VALIDATION) as caught:
        unchecked_client.batch_write_item(RequestItems={table_ss: []})
    assert 'Map value must satisfy constraint' in caught.value.response['Error']['Message']
    with raises(VALIDATION, 'The requestItems parameter is required for BatchWriteItem'):
        unchecked_client.batch_write_item(RequestItems={})
    assert raw('BatchWriteItem').message == (
        "1 validation error detected: Value null at 'requestItems' failed to satisfy constraint: "
        'Member must not be null')


def test_a_whole_request_of_large_items(write, read):
    p = unique()
    write(*(put(p={'S': p}, s={'S': str(n)}, a={'S': 'x' * 400_000}) for n in range(25)))
    assert all(len(read(p, str(n))['a']['S']) == 400_000 for n in range(25))


def test_capacity(write, client, table_ss, table_s):
    p = {'S': unique()}
    reply = write(put(p=p, s={'S': '1'}), put(p=p, s={'S': '2'}, a={'S': 'x' * 2000}), delete(p=p, s={'S': '3'}),
                  ReturnConsumedCapacity='TOTAL')
    assert reply['ConsumedCapacity'] == [{'TableName': table_ss, 'CapacityUnits': 1 + 2 + 1}]
    # A smaller item and a deletion are charged by what was there.
    reply = write(put(p=p, s={'S': '2'}), ReturnConsumedCapacity='INDEXES')
    assert reply['ConsumedCapacity'] == [
        {'TableName': table_ss, 'CapacityUnits': 2, 'Table': {'CapacityUnits': 2}}]
    reply = client.batch_write_item(
        RequestItems={table_ss: [delete(p=p, s={'S': '2'})], table_s: [put(p=p), put(p={'S': unique()})]},
        ReturnConsumedCapacity='TOTAL')
    assert {c['TableName']: c['CapacityUnits'] for c in reply['ConsumedCapacity']} == {table_ss: 1, table_s: 2}
    assert 'ConsumedCapacity' not in write(delete(p=p, s={'S': '1'}))
    assert 'ItemCollectionMetrics' not in write(put(p=p, s={'S': '1'}), ReturnItemCollectionMetrics='SIZE')


def test_member_constraints(unchecked_client, table_ss):
    with raises(VALIDATION, '2 validation errors detected: '
                "Value 'x' at 'returnConsumedCapacity' failed to satisfy constraint: "
                'Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; '
                "Value 'y' at 'returnItemCollectionMetrics' failed to satisfy constraint: "
                'Member must satisfy enum value set: [SIZE, NONE]'):
        unchecked_client.batch_write_item(RequestItems={table_ss: [put(p={'S': 'x'}, s={'S': 'x'})]},
                                          ReturnConsumedCapacity='x', ReturnItemCollectionMetrics='y')


def test_shape(raw, table_ss):
    for requests in ('x', {}, ['x'], [{'PutRequest': 'x'}], [{'PutRequest': {'Item': 'x'}}],
                     [{'PutRequest': {'Item': {'p': {'S': 1}}}}], [{'DeleteRequest': {'Key': []}}]):
        reply = raw('BatchWriteItem', json.dumps({'RequestItems': {table_ss: requests}}))
        assert (reply.status, reply.type) == (400, 'SerializationException'), requests


def test_crossing_batches(client, table_ss):
    """Batches that write the same items in opposite orders all succeed."""
    p = {'S': unique()}

    def run(n):
        keys = range(20) if n % 2 else range(19, -1, -1)
        for round in range(5):
            reply = client.batch_write_item(RequestItems={table_ss: [
                put(p=p, s={'S': str(k)}, by={'N': str(n)}, round={'N': str(round)}) for k in keys]})
            assert reply['UnprocessedItems'] == {}

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        list(threads.map(run, range(8)))
    reply = client.query(TableName=table_ss, KeyConditionExpression='p = :p', ConsistentRead=True,
                         ExpressionAttributeValues={':p': p})
    assert reply['Count'] == 20
    assert {item['round']['N'] for item in reply['Items']} == {'4'}


@pytest.mark.not_aws
def test_an_item_held_by_a_transaction_delays_its_batch_alone(client, sql, table_ss):
    """The batch waits for the item and is complete; other requests are served meanwhile."""
    p = {'S': unique()}
    client.put_item(TableName=table_ss, Item={'p': p, 's': {'S': '1'}, 'a': {'S': 'old'}})
    sql.connection.autocommit = False
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        sql('SELECT dynamo.put_item(%s::json)', json.dumps(
            {'TableName': table_ss, 'Item': {'p': p, 's': {'S': '1'}, 'a': {'S': 'by SQL'}}}))
        batch = threads.submit(client.batch_write_item, RequestItems={table_ss: [
            put(p=p, s={'S': str(n)}, a={'S': 'by batch'}) for n in range(3)]})
        for _ in range(20):
            client.get_item(TableName=table_ss, Key={'p': p, 's': {'S': '2'}})
            client.put_item(TableName=table_ss, Item={'p': p, 's': {'S': 'other'}})
        assert not batch.done()
        sql.connection.commit()
        assert batch.result(timeout=20)['UnprocessedItems'] == {}
    reply = client.query(TableName=table_ss, KeyConditionExpression='p = :p', ConsistentRead=True,
                         ExpressionAttributeValues={':p': p})
    assert [item.get('a') for item in reply['Items'][:3]] == [{'S': 'by batch'}] * 3


@pytest.mark.not_aws
@pytest.mark.parametrize('operation', ['BatchWriteItem', 'BatchExecuteStatement'])
def test_done_once(own_server, operation):
    """A batch that waits for one of its items is run again and again, next to requests
    that fail and take the transaction with them: what it has done stays done, once."""
    server = own_server('dynamo.workers=1', 'dynamo.lock_timeout=5s')
    client = server.client()
    client.create_table(TableName='once', BillingMode='PAY_PER_REQUEST',
                        AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'}],
                        KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}])
    for p in ('free', 'held'):
        client.put_item(TableName='once', Item={'p': {'S': p}, 'n': {'N': '0'}})

    def batch():
        if operation == 'BatchWriteItem':
            return client.batch_write_item(RequestItems={'once': [
                put(p={'S': p}, n={'N': '1000'}) for p in ('free', 'held')]})
        return client.batch_execute_statement(Statements=[
            {'Statement': f"UPDATE \"once\" SET n = n + 1000 WHERE p = '{p}'"} for p in ('free', 'held')])

    def add():
        return int(client.update_item(
            TableName='once', Key={'p': {'S': 'free'}}, UpdateExpression='ADD n :one',
            ExpressionAttributeValues={':one': {'N': '1'}}, ReturnValues='UPDATED_NEW')['Attributes']['n']['N'])

    def fail():
        with raises('ValidationException'):
            client.update_item(TableName='once', Key={'p': {'S': 'free'}}, UpdateExpression='SET x = y')

    def repeat(call):
        while not enough.is_set():
            call()

    enough = threading.Event()
    with psycopg2.connect(host=server.socket, port=5432, user='postgres', dbname='postgres') as holder, \
            concurrent.futures.ThreadPoolExecutor(8) as pool:
        holder.cursor().execute("UPDATE dynamo_data.once SET item = item WHERE partition_key = 'held'")
        waiting = pool.submit(batch)
        wait_for(lambda: add() >= 1000)
        others = [pool.submit(repeat, call) for call in (fail, fail, fail, add, add)]
        values = [add() for _ in range(60)]
        holder.rollback()
        enough.set()
        waiting.result()
        for other in others:
            other.result()
        assert all(0 < after - before < 900 for before, after in zip(values, values[1:])), values
