"""Limits against abuse: what one client address may take, and what is observable.

Clients of several addresses are one machine's: all of 127.0.0.0/8 leads here.
"""
import contextlib
import re
import socket
import struct
import time
import urllib.parse

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.exceptions
import pytest

from conftest import CONFIG, wait_for
from test_http import Connection, get, healthy

pytestmark = pytest.mark.not_aws


class ConnectionFrom(Connection):
    """A connection of a client at some address."""

    def __init__(self, server, address):
        self.socket = socket.create_connection(('127.0.0.1', server.port), timeout=30, source_address=(address, 0))
        self.file = self.socket.makefile('rb')

    def ask(self, message=get('a')):
        """(status, seconds)"""
        begun = time.monotonic()
        self.send(message)
        reply = self.reply()
        return reply and reply.status, time.monotonic() - begun


def signed(server, secret=None, key=None):
    """ListTables; secret, or key: another one than the right one."""
    found = server.sdk_environment()
    credentials = botocore.credentials.Credentials(key or found['AWS_ACCESS_KEY_ID'], secret or found['AWS_SECRET_ACCESS_KEY'])
    request = botocore.awsrequest.AWSRequest('POST', server.endpoint + '/', data=b'{}', headers={
        'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'DynamoDB_20120810.ListTables'})
    botocore.auth.SigV4Auth(credentials, 'dynamodb', 'us-east-1').add_auth(request)
    headers = {'Host': urllib.parse.urlsplit(server.endpoint).netloc, **request.headers}
    return b'POST / HTTP/1.1\r\n' + ''.join(f'{k}: {v}\r\n' for k, v in headers.items()).encode() + b'Content-Length: 2\r\n\r\n{}'


def figure(server, name):
    return server.sql(f'SELECT sum({name})::int8 FROM dynamo.stat_limits')[0][0]


def addresses(server):
    return {address: (connections, slow) for address, connections, slow in
            server.sql('SELECT host(address), connections, slow FROM dynamo.stat_addresses')}


def test_connections_of_an_address(own_server):
    server = own_server('dynamo.workers=2', 'dynamo.max_connections_per_address=10')
    with contextlib.ExitStack() as stack:
        def connect(address):
            return stack.enter_context(ConnectionFrom(server, address))
        served = [connect('127.0.0.3') for _ in range(10)]
        # Whichever worker they are with.
        assert [c.ask()[0] for c in served] == [200] * 10
        for _ in range(3):
            excess = connect('127.0.0.3')
            assert excess.ask()[0] == 503 and excess.closed()
            excess.close()
        assert connect('127.0.0.4').ask()[0] == 200
        assert addresses(server)['127.0.0.4'] == (1, False)
        wait_for(lambda: addresses(server)['127.0.0.3'] == (10, False))
        assert figure(server, 'refused_address') == 3

        # A great many, silent ones: most are closed at once, and none is in the way of others.
        crowd = [connect('127.0.0.3') for _ in range(300)]
        wait_for(lambda: addresses(server)['127.0.0.3'][0] <= 10 + 2 * 64)
        assert [connect('127.0.0.4').ask()[0] for _ in range(5)] == [200] * 5
        assert [c.ask()[0] for c in served] == [200] * 10
        for connection in crowd:
            connection.close()
        wait_for(lambda: addresses(server)['127.0.0.3'] == (10, False))

        served.pop().close()
        wait_for(lambda: addresses(server)['127.0.0.3'] == (9, False))
        assert connect('127.0.0.3').ask()[0] == 200

        # Counted until they are gone, however they go.
        pid, = server.sql('SELECT min(pid) FROM dynamo.stat_workers')[0]
        left = server.sql('SELECT connections FROM dynamo.stat_workers WHERE pid <> %s', pid)[0][0]
        server.sql('SELECT pg_terminate_backend(%s)', pid)
        wait_for(lambda: sum(n for n, _ in addresses(server).values()) == left)

        server.sql('ALTER SYSTEM SET dynamo.max_connections_per_address = 0')
        server.sql('SELECT pg_reload_conf()')
        time.sleep(1)
        wait_for(lambda: server.sql('SELECT count(*) FROM dynamo.stat_workers') == [(2,)])
        many = [connect('127.0.0.5') for _ in range(30)]
        assert [c.ask()[0] for c in many] == [200] * 30
    wait_for(lambda: addresses(server) == {})


def test_failed_signatures(own_server):
    """Who fails too often waits; who can sign does not, whatever others at the address do."""
    server = own_server('dynamo.workers=2', 'dynamo.max_failed_signatures=60')
    good, bad, unknown = signed(server), signed(server, secret='wrong'), signed(server, key='AKIDUNKNOWN')
    with contextlib.ExitStack() as stack:
        def connect(address):
            return stack.enter_context(ConnectionFrom(server, address))
        guesser, neighbour, stranger = connect('127.0.0.3'), connect('127.0.0.3'), connect('127.0.0.4')
        assert neighbour.ask(good)[0] == stranger.ask(good)[0] == 200
        begun = time.monotonic()
        for n in range(60):
            status, seconds = guesser.ask(bad if n % 2 else unknown)
            assert status == 400 and seconds < 0.9
        took = time.monotonic() - begun
        assert took < 10 and figure(server, 'slowed') == 0
        # A second's worth has been forgotten each second.
        for _ in range(int(took) + 2):
            assert guesser.ask(bad)[0] == 400
        wait_for(lambda: figure(server, 'slowed') >= 1)
        assert addresses(server)['127.0.0.3'] == (2, True)

        # More of them, each from a connection of its own; some don't wait for the answer.
        for _ in range(3):
            with ConnectionFrom(server, '127.0.0.3') as hasty:
                hasty.send(bad)
        crowd = [connect('127.0.0.3') for _ in range(8)]
        for connection in crowd:
            connection.send(bad)
        assert [c.reply().status for c in crowd] == [400] * 8
        for connection in crowd:
            connection.close()

        # Each answer comes at once, and the next request is read a second later.
        assert guesser.ask(bad)[0] == 400
        begun = time.monotonic()
        assert guesser.ask(bad)[0] == 400
        assert 0.7 < time.monotonic() - begun < 3
        # So is the right key if it is tried on this connection.
        status, seconds = guesser.ask(good)
        assert status == 200 and 0.7 < seconds < 3
        # Open connections of the address go on as ever, and so does everybody else.
        for connection in neighbour, stranger, connect('127.0.0.4'):
            for _ in range(5):
                status, seconds = connection.ask(good)
                assert status == 200 and seconds < 0.5
        # New ones from the address are served after a second, and then as fast as any.
        late = connect('127.0.0.3')
        status, seconds = late.ask(good)
        assert status == 200 and 0.7 < seconds < 3
        status, seconds = late.ask(good)
        assert status == 200 and seconds < 0.5
        # Pipelined guesses are not read, either.
        late.send(bad * 20)
        begun = time.monotonic()
        for _ in range(20):
            assert late.reply().status == 400
        assert time.monotonic() - begun > 0.7

        wait_for(lambda: addresses(server)['127.0.0.3'][1] is False, 90)
        assert connect('127.0.0.3').ask(good)[1] < 0.5
    assert figure(server, 'failed_signatures') > 80
    # It is only who can't say who he is that counts.
    with ConnectionFrom(server, '127.0.0.5') as connection:
        for _ in range(100):
            connection.ask(good.replace(b'ListTables', b'NoOperation'))
            connection.ask(get())
    assert '127.0.0.5' not in addresses(server)


def test_sdk_of_a_slow_address(own_server):
    """What an SDK makes of it: its own error at once, and no error with the right key."""
    server = own_server('dynamo.max_failed_signatures=5')
    found = server.sdk_environment()

    def client(secret):
        return boto3.client('dynamodb', endpoint_url=server.endpoint, config=CONFIG, region_name='us-east-1',
                            aws_access_key_id=found['AWS_ACCESS_KEY_ID'], aws_secret_access_key=secret)
    wrong = client('wrong')
    for _ in range(8):
        with pytest.raises(botocore.exceptions.ClientError, match='signature'):
            wrong.list_tables()
    assert [slow for _, slow in addresses(server).values()] == [True]
    begun = time.monotonic()
    assert client(found['AWS_SECRET_ACCESS_KEY']).list_tables()['TableNames'] == []
    assert 0.7 < time.monotonic() - begun < 4


def test_slow_clients_are_counted(own_server):
    server = own_server('dynamo.idle_timeout=2s', 'dynamo.request_timeout=1s', 'dynamo.workers=1')
    client = server.client()
    client.create_table(TableName='large', BillingMode='PAY_PER_REQUEST', KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}],
                        AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'}])
    for n in range(3):
        client.put_item(TableName='large', Item={'p': {'S': str(n)}, 'v': {'S': 'x' * 300000}})
    scan = signed(server).replace(b'ListTables', b'Scan')
    client.close()
    head = get('x' * 8000)

    def until_closed(connection, pace=None):
        begun = time.monotonic()
        connection.socket.settimeout(20)
        with contextlib.suppress(ConnectionError):
            while connection.socket.recv(1024):
                if pace:
                    time.sleep(pace)
        return time.monotonic() - begun

    for message, name, low, high in ((b'', 'timeouts_idle', 1.5, 4), (b'GET / HT', 'timeouts_request', 0.5, 3),
                                     (b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na', 'timeouts_request', 0.5, 3),
                                     (b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n', 'timeouts_request', 0.5, 3)):
        before = figure(server, name)
        with Connection(server.endpoint) as connection:
            connection.send(message)
            assert low < until_closed(connection) < high, message
        wait_for(lambda: figure(server, name) == before + 1)

    # A kilobyte each 10 ms, of megabytes; and one who never reads.
    for pace in 0.01, None:
        before = figure(server, 'timeouts_answer')
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(('127.0.0.1', server.port))
            slow.settimeout(2)
            with contextlib.suppress(TimeoutError, ConnectionError):
                for _ in range(3000):
                    slow.sendall(head)
                    if pace:
                        slow.recv(1024)
                        time.sleep(pace / 10)
            wait_for(lambda: figure(server, 'timeouts_answer') == before + 1)
    with Connection(server.endpoint) as connection:
        connection.send(get('b'))
        assert connection.reply().body == healthy('b')


def test_limits_on_the_metrics_page(own_server):
    server = own_server()
    with Connection(server.endpoint) as connection:
        connection.send(b'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n')
        page = connection.reply().body.decode()
    for name in ('refused', 'refused_address', 'timeouts_idle', 'timeouts_request', 'timeouts_answer', 'failed_signatures',
                 'slowed', 'tls_handshakes', 'tls_resumed', 'tls_failed_protocol', 'tls_failed_plain'):
        assert re.search(rf'^dynamo_worker_{name}_total\{{worker="1"\}} \d+$', page, re.M), name
