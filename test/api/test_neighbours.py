"""Requests that take long run in slices: they get the same answers, and others get theirs meanwhile.

One worker, so that whoever has to wait for somebody shows it.
"""
import concurrent.futures
import gzip
import json
import urllib.parse
import zlib

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import psycopg2
import pytest

from conftest import OwnServer, wait_for
from test_http import Connection

pytestmark = pytest.mark.not_aws

ITEMS = 3000


@pytest.fixture(scope='module')
def server():
    server = OwnServer()
    try:
        server.start('dynamo.workers=1', 'dynamo.time_slice=0.1ms', 'fsync=off')
        server.wait()
        for name, key in ('wide', [('p', 'HASH'), ('s', 'RANGE')]), ('large', [('p', 'HASH')]):
            server.client().create_table(
                TableName=name, BillingMode='PAY_PER_REQUEST',
                AttributeDefinitions=[{'AttributeName': a, 'AttributeType': 'S'} for a, _ in key] +
                                     ([{'AttributeName': 'g', 'AttributeType': 'N'}] if name == 'wide' else []),
                KeySchema=[{'AttributeName': a, 'KeyType': kind} for a, kind in key],
                **({'GlobalSecondaryIndexes': [{
                    'IndexName': 'by_g', 'KeySchema': [{'AttributeName': 'g', 'KeyType': 'HASH'}, {'AttributeName': 's', 'KeyType': 'RANGE'}],
                    'Projection': {'ProjectionType': 'INCLUDE', 'NonKeyAttributes': ['n']}}]} if name == 'wide' else {}))
        server.sql(f"""SELECT count(dynamo.put_item(json_build_object('TableName', 'wide', 'Item', json_build_object(
            'p', json_build_object('S', 'p' || i % 2), 's', json_build_object('S', lpad(i::text, 5, '0')),
            'g', json_build_object('N', '1'), 'n', json_build_object('N', (i % 7)::text),
            'v', json_build_object('S', repeat(chr(97 + i % 26), 900)))))) FROM generate_series(1, {ITEMS}) i""")
        server.sql("""SELECT count(dynamo.put_item(json_build_object('TableName', 'large', 'Item', json_build_object(
            'p', json_build_object('S', 'l' || i), 'v', json_build_object('S', repeat(md5(i::text), 12000)))))) FROM generate_series(0, 44) i""")
        yield server
    finally:
        server.reset()


def message(server, operation, content, **headers):
    """A signed request's bytes."""
    credentials = botocore.credentials.Credentials(server.credentials['AWS_ACCESS_KEY_ID'], server.credentials['AWS_SECRET_ACCESS_KEY'])
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    request = botocore.awsrequest.AWSRequest('POST', server.endpoint + '/', data=data, headers={
        'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': f'DynamoDB_20120810.{operation}', **headers})
    botocore.auth.SigV4Auth(credentials, 'dynamodb', 'us-east-1').add_auth(request)
    headers = {'Host': urllib.parse.urlsplit(server.endpoint).netloc, **request.headers}
    return b'POST / HTTP/1.1\r\n' + ''.join(f'{k}: {v}\r\n' for k, v in headers.items()).encode() + \
        b'Content-Length: %d\r\n\r\n%s' % (len(data), data)


def ask(server, operation, content):
    with Connection(server.endpoint) as connection:
        connection.send(message(server, operation, content))
        reply = connection.reply()
        return reply.status, json.loads(reply.body)


def figure(server, name):
    return server.sql(f'SELECT sum({name})::int8 FROM dynamo.stat_workers')[0][0]


GET = {'TableName': 'wide', 'Key': {'p': {'S': 'p1'}, 's': {'S': '00001'}}}
WIDE = {'TableName': 'wide', 'ReturnConsumedCapacity': 'TOTAL'}
QUERY = {**WIDE, 'KeyConditionExpression': 'p = :p', 'ExpressionAttributeValues': {':p': {'S': 'p1'}}}


@pytest.mark.parametrize('operation, content', [
    ('Scan', WIDE),
    ('Scan', {**WIDE, 'Limit': 777, 'ConsistentRead': True}),
    ('Scan', {**WIDE, 'Select': 'COUNT'}),
    ('Scan', {**WIDE, 'FilterExpression': 'n = :n AND contains(v, :v)', 'ExpressionAttributeValues': {':n': {'N': '3'}, ':v': {'S': 'd'}}}),
    ('Scan', {**WIDE, 'ProjectionExpression': 'n, s'}),
    ('Scan', {**WIDE, 'IndexName': 'by_g', 'ReturnConsumedCapacity': 'INDEXES'}),
    ('Scan', {**WIDE, 'Segment': 0, 'TotalSegments': 1}),
    ('Scan', {**WIDE, 'ExclusiveStartKey': {'p': {'S': 'p1'}, 's': {'S': '00777'}}}),
    ('Query', QUERY),
    ('Query', {**QUERY, 'ScanIndexForward': False}),
    ('Query', {**QUERY, 'KeyConditionExpression': 'p = :p AND s BETWEEN :a AND :b',
               'ExpressionAttributeValues': {':p': {'S': 'p0'}, ':a': {'S': '00500'}, ':b': {'S': '02500'}}}),
    ('Query', {**WIDE, 'IndexName': 'by_g', 'KeyConditionExpression': 'g = :g', 'ExpressionAttributeValues': {':g': {'N': '1'}}}),
    ('Query', {**WIDE, 'IndexName': 'by_g', 'KeyConditionExpression': 'g = :g', 'ScanIndexForward': False,
               'FilterExpression': 'n < :n', 'ExpressionAttributeValues': {':g': {'N': '1'}, ':n': {'N': '3'}}}),
    ('ExecuteStatement', {'Statement': "SELECT * FROM wide", 'ReturnConsumedCapacity': 'TOTAL'}),
    ('ExecuteStatement', {'Statement': "SELECT s, n FROM wide WHERE p IN ['p0', 'p1'] AND s > '00100'", 'ReturnConsumedCapacity': 'TOTAL'}),
    ('BatchGetItem', {'RequestItems': {'large': {'Keys': [{'p': {'S': f'l{i}'}} for i in range(45)], 'ProjectionExpression': 'p, v'},
                                       'wide': {'Keys': [{'p': {'S': f'p{i % 2}'}, 's': {'S': f'{i:05}'}} for i in range(1, 50)], 'ConsistentRead': True}},
                      'ReturnConsumedCapacity': 'TOTAL'}),
])
def test_same_answer(server, operation, content):
    """All pages, as SQL's functions write them, which know no slices."""
    function = ''.join('_' + c.lower() if c.isupper() else c for c in operation)[1:]
    before = figure(server, 'slices')
    while True:
        expected = server.sql(f'SELECT dynamo.{function}(%s)', json.dumps(content))[0][0]
        status, answer = ask(server, operation, content)
        assert status == 200
        # A token need not have the same bytes.
        assert {k: v for k, v in answer.items() if k != 'NextToken'} == {k: v for k, v in expected.items() if k != 'NextToken'}
        follow = answer.get('NextToken') if operation == 'ExecuteStatement' else answer.get('LastEvaluatedKey')
        if not follow:
            break
        content = {**content, 'NextToken' if operation == 'ExecuteStatement' else 'ExclusiveStartKey': follow}
    assert wait_for(lambda: figure(server, 'slices') > before)


def answered_between(server, heavy):
    """Send a message that takes long; how many GetItem are answered before it, and its answer."""
    with Connection(server.endpoint) as one, Connection(server.endpoint) as other, concurrent.futures.ThreadPoolExecutor(1) as pool:
        get = message(server, 'GetItem', GET)
        other.send(get)
        assert other.reply().status == 200
        one.send(heavy)
        answer = pool.submit(one.reply)
        count = 0
        while not answer.done():
            other.send(get)
            assert other.reply().status == 200
            count += 1
        return count, answer.result()


def test_others_are_answered_during_a_page(server):
    names = [f':v{i}' for i in range(60)]
    content = {**WIDE, 'FilterExpression': ' OR '.join(f'contains(v, {name})' for name in names),
               'ExpressionAttributeValues': {name: {'S': 'never'} for name in names}}
    count, answer = answered_between(server, message(server, 'Scan', content))
    assert answer.status == 200 and json.loads(answer.body)['ScannedCount'] > 1000 and count >= 10


def many_attributes(items, attributes):
    return {'RequestItems': {'large': [{'PutRequest': {'Item': {'p': {'S': f'm{i}'}, **{f'a{j}': {'N': str(j)} for j in range(attributes)}}}}
                                       for i in range(items)]}}


def test_others_are_answered_while_a_body_is_read(server):
    content = many_attributes(20, 4000)
    count, answer = answered_between(server, message(server, 'BatchWriteItem', content))
    assert answer.status == 200 and json.loads(answer.body) == {'UnprocessedItems': {}} and count >= 10
    for request in content['RequestItems']['large']:
        item = request['PutRequest']['Item']
        assert ask(server, 'GetItem', {'TableName': 'large', 'Key': {'p': item['p']}})[1]['Item'] == item


def test_large_bodies_that_are_wrong(server):
    """Told as of small ones."""
    good = json.dumps(many_attributes(20, 4000)).encode()
    for bad in (good[:-1], good + b'}', good.replace(b'"a3999"', b'"a\x01"', 1), good.replace(b'{"N": "3999"}', b'{"N": 3999}'),
                good.replace(b'{"N": "3998"}', b'[1]'), good.replace(b'"PutRequest"', b'"PutRequest": 1, "x"', 1)):
        with Connection(server.endpoint) as connection:
            connection.send(message(server, 'BatchWriteItem', bad))
            reply = connection.reply()
            assert reply.status == 400 and json.loads(reply.body)['__type'].endswith('#SerializationException'), reply.body
    with Connection(server.endpoint) as connection:
        connection.send(message(server, 'BatchWriteItem', good).replace(b'"a7"', b'"b7"', 1))
        reply = connection.reply()
        assert reply.status == 400 and json.loads(reply.body)['__type'].endswith('#InvalidSignatureException')


def test_several_large_bodies_at_once(server):
    """One is read at a time; clients that leave in the middle don't disturb that."""
    bodies = [message(server, 'BatchWriteItem', many_attributes(10, 4000)) for _ in range(6)]
    connections = [Connection(server.endpoint) for _ in bodies]
    try:
        with concurrent.futures.ThreadPoolExecutor(len(bodies)) as pool:
            list(pool.map(lambda c, b: c.send(b), connections, bodies))
        connections.pop(0).close()
        connections.pop(2).close()
        for connection in connections:
            assert connection.reply().status == 200
    finally:
        for connection in connections:
            connection.close()
    assert ask(server, 'GetItem', GET)[0] == 200


def test_large_answers_to_a_slow_reader(server):
    """Whole, in order, with the small ones between them."""
    batch = message(server, 'BatchGetItem', {'RequestItems': {'large': {'Keys': [{'p': {'S': f'l{i}'}} for i in range(30)]}}})
    get = message(server, 'GetItem', GET)
    with Connection(server.endpoint) as slow, Connection(server.endpoint) as other:
        slow.send(batch + get + batch + get)
        for kind in (batch, get, batch, get):
            for _ in range(5):
                other.send(get)
                assert other.reply().status == 200
            reply = slow.reply()
            assert reply.status == 200 and zlib.crc32(reply.body) == int(reply.headers['x-amz-crc32'])
            assert len(reply.body) > 10_000_000 if kind is batch else json.loads(reply.body)['Item']['n'] == {'N': '1'}


@pytest.mark.parametrize('coding', ['gzip', 'deflate'])
def test_large_answers_compressed(server, coding):
    content = {'RequestItems': {'large': {'Keys': [{'p': {'S': f'l{i}'}} for i in range(30)]}}}
    heavy = message(server, 'BatchGetItem', content).replace(b'\r\n', f'\r\nAccept-Encoding: {coding}\r\n'.encode(), 1)
    count, reply = answered_between(server, heavy)
    assert reply.headers['content-encoding'] == coding and count >= 10
    body = gzip.decompress(reply.body) if coding == 'gzip' else zlib.decompress(reply.body)
    assert json.loads(body) == ask(server, 'BatchGetItem', content)[1]


def test_tables_that_are_locked(server):
    """Who asks for the locked one waits and is told to try again, and is in nobody's way."""
    server.sql('ALTER SYSTEM SET dynamo.lock_timeout = 700')
    server.sql('SELECT pg_reload_conf()')
    get = message(server, 'GetItem', GET)
    holder = psycopg2.connect(host=server.socket, port=5432, user='postgres', dbname='postgres')
    try:
        holder.cursor().execute('LOCK TABLE dynamo_data.large IN ACCESS EXCLUSIVE MODE')
        with Connection(server.endpoint) as other, concurrent.futures.ThreadPoolExecutor(8) as pool:
            waiting = [pool.submit(ask, server, operation, content) for operation, content in (
                ('GetItem', {'TableName': 'large', 'Key': {'p': {'S': 'l1'}}}),
                ('PutItem', {'TableName': 'large', 'Item': {'p': {'S': 'l1'}}}),
                ('Scan', {'TableName': 'large'}),
                ('BatchWriteItem', many_attributes(5, 20000)))]
            count = 0
            while not all(w.done() for w in waiting):
                other.send(get)
                assert other.reply().status == 200
                count += 1
            assert count > 100
            kinds = [w.result()[1]['__type'].partition('#')[2] for w in waiting]
            assert kinds == ['ServiceUnavailable', 'TransactionConflictException', 'ServiceUnavailable', 'TransactionConflictException']
    finally:
        holder.close()
        server.sql('ALTER SYSTEM RESET dynamo.lock_timeout')
        server.sql('SELECT pg_reload_conf()')


@pytest.fixture
def impatient(server):
    """A request waits for 5 ms at most."""
    server.sql("ALTER SYSTEM SET dynamo.queue_timeout = '5ms'")
    server.sql('SELECT pg_reload_conf()')
    try:
        wait_for(lambda: server.sql('SHOW dynamo.queue_timeout') == [('5ms',)])
        yield
    finally:
        server.sql('ALTER SYSTEM RESET dynamo.queue_timeout')
        server.sql('SELECT pg_reload_conf()')


def keep_busy(server, connections, ahead, rounds):
    """Ask on all connections, always for so many batches ahead of the answers: how many were served and refused?"""
    batch = message(server, 'BatchWriteItem', {'RequestItems': {'large': [{'PutRequest': {'Item': {'p': {'S': f'o{i}'}}}} for i in range(25)]}})
    connections = [Connection(server.endpoint) for _ in range(connections)]
    served = refused = 0
    for connection in connections:
        connection.send(batch * ahead)
    for n in range(rounds):
        for connection in connections:
            for _ in range(ahead):
                reply = connection.reply()
                if reply.status == 200:
                    assert json.loads(reply.body) == {'UnprocessedItems': {}}
                    served += 1
                    continue
                assert reply.status == 400 and json.loads(reply.body) == {
                    '__type': 'com.amazon.coral.service#ThrottlingException',
                    'message': 'Rate of requests exceeds the allowed throughput.'}
                refused += 1
            if n < rounds - 1:
                connection.send(batch * ahead)
    for connection in connections:
        connection.close()
    return served, refused


# What has been read and waits in the worker, and what waits in its clients' sockets.
@pytest.mark.parametrize('connections, ahead, rounds', [(100, 16, 6), (200, 1, 40)])
def test_overload(server, impatient, connections, ahead, rounds):
    """More than can be done in time: the excess is refused, in the service's words, and counted; the rest is done."""
    before = figure(server, 'throttled')
    served, refused = keep_busy(server, connections, ahead, rounds)
    assert served > 0 and refused > 0
    wait_for(lambda: figure(server, 'throttled') == before + refused)
    # It is over as soon as there is less to do.
    assert ask(server, 'GetItem', GET)[0] == 200
