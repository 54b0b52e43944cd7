"""HTTP itself, spoken over raw sockets: framing, limits, bad clients.

GET / needs no signature and echoes the Host header, so most messages here are
checked by the Host they carry.  The service answers the same to what is well
formed; how it treats malformed bytes is not documented, so those tests are not
for AWS.
"""
import concurrent.futures
import contextlib
import gzip
import json
import random
import socket
import struct
import time
import urllib.parse
import zlib

import botocore.auth
import botocore.awsrequest
import boto3
import pytest

import tls_client
from conftest import ENDPOINT, Reply, wait_for

pytestmark = pytest.mark.not_aws

MB = 1024 * 1024


class Connection:
    """A raw socket to an endpoint, or TLS on it if the URL says https."""

    def __init__(self, endpoint=None, **options):
        parts = urllib.parse.urlsplit(endpoint or ENDPOINT)
        if parts.scheme == 'https':
            self.socket = tls_client.connect(parts.hostname, parts.port, **options)
        else:
            self.socket = socket.create_connection((parts.hostname, parts.port), timeout=30)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile('rb')

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def end(self):
        """Nothing more is sent."""
        self.socket.shutdown(socket.SHUT_WR)

    def reply(self, body=True):
        """The next answer, or None at the end of the stream."""
        line = self.file.readline()
        if not line:
            return None
        assert line.endswith(b'\r\n') and line.startswith(b'HTTP/1.1 '), line
        headers = {}
        while (header := self.file.readline()) != b'\r\n':
            name, value = header.decode('latin-1').rstrip('\r\n').split(': ', 1)
            headers[name.lower()] = value
        status = int(line.split()[1])
        if status == 100:
            return Reply(status, headers, b'')
        content = self.file.read(int(headers['content-length'])) if body else b''
        if body:
            assert int(headers['x-amz-crc32']) == zlib.crc32(content)
        assert headers['server'] == 'Server' and headers['date'].endswith(' GMT')
        assert len(headers['x-amzn-requestid']) == 52
        return Reply(status, headers, content)

    def closed(self):
        """Is the stream at its end (by a FIN or a reset)?"""
        try:
            return self.file.read(1) == b''
        except ConnectionResetError:
            return True


def get(host='x', headers=b'', version=b'1.1'):
    return b'GET / HTTP/%s\r\nHost: %s\r\n%s\r\n' % (version, host.encode(), headers)


def healthy(host):
    return b'healthy: %s ' % host.encode()


def ask(data, half_close=False):
    """All answers to some bytes, up to the end of the stream or silence."""
    with Connection() as connection:
        connection.send(data)
        if half_close:
            connection.end()
        replies = []
        while (reply := connection.reply()) is not None:
            replies.append(reply)
            if 'connection' not in reply.headers and not half_close:
                break
        return replies


def ask_one(data):
    replies = ask(data)
    assert len(replies) == 1
    return replies[0]


def signed(body=b'{}', operation='DescribeEndpoints', headers=None, framing=None):
    """A signed request as bytes.  framing replaces Content-Length and body."""
    session = boto3.Session()
    request = botocore.awsrequest.AWSRequest(
        'POST', ENDPOINT + '/', data=body, headers={
            'Content-Type': 'application/x-amz-json-1.0',
            'X-Amz-Target': f'DynamoDB_20120810.{operation}', **(headers or {})})
    botocore.auth.SigV4Auth(session.get_credentials(), 'dynamodb',
                            session.region_name or 'us-east-1').add_auth(request)
    head = ''.join(f'{k}: {v}\r\n' for k, v in
                   {'Host': urllib.parse.urlsplit(ENDPOINT).netloc,
                    **request.headers}.items()).encode()
    if framing is None:
        framing = b'Content-Length: %d\r\n\r\n' % len(body) + body
    return b'POST / HTTP/1.1\r\n' + head + framing


def chunks(*parts, end=b'0\r\n\r\n'):
    return b'Transfer-Encoding: chunked\r\n\r\n' + \
        b''.join(b'%x\r\n%s\r\n' % (len(p), p) for p in parts) + end


# Keep-alive, pipelining, pieces

def test_keep_alive():
    with Connection() as connection:
        for n in range(10):
            connection.send(get(f'h{n}'))
            reply = connection.reply()
            assert reply.body == healthy(f'h{n}')
            assert 'connection' not in reply.headers


def test_pipelining_keeps_the_order():
    with Connection() as connection:
        connection.send(b''.join(get(f'h{n}') for n in range(1000)))
        for n in range(1000):
            assert connection.reply().body == healthy(f'h{n}')


def test_pipelined_operations_and_pages():
    """Answers that are ready at once wait for slower ones before them."""
    with Connection() as connection:
        connection.send(b''.join(signed() + get(f'h{n}') for n in range(20)))
        for n in range(20):
            assert 'Endpoints' in connection.reply().json
            assert connection.reply().body == healthy(f'h{n}')


@pytest.mark.parametrize('message', [
    get('a'), signed(), signed(framing=chunks(b'{', b'}')),
    signed(framing=chunks(b'{}', end=b'0\r\nTrailer: x\r\nOther: y\r\n\r\n'))])
def test_split_at_every_byte(message):
    with Connection() as connection:
        for n in range(1, len(message)):
            connection.send(message[:n])
            time.sleep(0.0005)
            connection.send(message[n:])
            assert connection.reply().status == 200


def test_byte_by_byte():
    with Connection() as connection:
        for byte in signed(b'{ }', framing=chunks(b'{', b' ', b'}')) + b'\r\n\r\n' + get('b'):
            connection.send(bytes([byte]))
        assert connection.reply().status == 200
        assert connection.reply().body == healthy('b')


def test_random_pieces():
    """However a stream of requests is cut, the answers are the same."""
    generator = random.Random(20261120)
    stream = b''.join(
        generator.choice([get(f'h{n}'), signed(), signed(framing=chunks(b'{', b'}'))])
        for n in range(200))
    def answers(cut):
        with Connection() as connection, concurrent.futures.ThreadPoolExecutor(1) as reader:
            replies = reader.submit(lambda: [connection.reply().status for _ in range(200)])
            position = 0
            while position < len(stream):
                step = cut()
                connection.send(stream[position:position + step])
                position += step
            return replies.result()
    whole = answers(lambda: len(stream))
    assert answers(lambda: generator.randint(1, 3000)) == whole == [200] * 200


def test_client_that_does_not_read():
    """A client that asks and asks and does not read is not read from either;
    when it reads at last, every answer is there."""
    with Connection() as connection:
        message = get('x' * 8000)
        connection.socket.settimeout(1)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 200 * MB:
                sent += connection.socket.send(message[sent % len(message):])
        assert sent < 200 * MB, 'the server has buffered 200 MB for one client'
        connection.socket.settimeout(30)
        for _ in range(sent // len(message)):
            assert connection.reply().status == 200


def test_http_1_0():
    reply = ask_one(b'GET / HTTP/1.0\r\n\r\n')
    assert reply.status == 200 and reply.headers['connection'] == 'close'
    with Connection() as connection:
        for n in range(3):
            connection.send(get(f'h{n}', b'Connection: Keep-Alive\r\n', b'1.0'))
            reply = connection.reply()
            assert reply.body == healthy(f'h{n}')
            assert reply.headers['connection'] == 'keep-alive'


def test_connection_close():
    with Connection() as connection:
        connection.send(get('a', b'Connection: x, Close\r\n') + get('b'))
        assert connection.reply().headers['connection'] == 'close'
        assert connection.closed()


def test_half_closed():
    """A client that has shut down its side still gets its answers."""
    assert [r.body for r in ask(get('a') + get('b'), half_close=True)] == \
        [healthy('a'), healthy('b')]
    assert ask(get('a') + get('b')[:-1], half_close=True)[0].body == healthy('a')
    assert ask(signed()[:-1], half_close=True) == []


def test_head():
    with Connection() as connection:
        connection.send(b'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n')
        reply = connection.reply(body=False)
        assert reply.headers['content-length'] == str(len(healthy('a')))
        connection.send(get('b'))
        assert connection.reply().body == healthy('b')


def test_absolute_target():
    assert ask_one(b'GET http://h:1/ HTTP/1.1\r\nHost: a\r\n\r\n').status == 200


# Bodies

def test_expect_continue():
    body = b'{"Limit": 1}'
    message = signed(body, headers={'Expect': '100-continue'})
    with Connection() as connection:
        connection.send(message[:-len(body)])
        assert connection.reply().status == 100
        connection.send(body)
        assert 'Endpoints' in connection.reply().json
        # It waits for its turn, and is not sent for a body that is here.
        connection.send(get('a') + message)
        assert connection.reply().body == healthy('a')
        assert connection.reply().status == 200


def test_expect_continue_for_what_will_not_be_read():
    too_long = b'POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n'
    reply = ask_one(too_long % (16 * MB + 1))
    assert reply.status == 413 and reply.body == b''


def test_unknown_expectation():
    assert ask_one(b'POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 0\r\n\r\n').status == 417


@pytest.fixture
def too_large():
    """A request of 16 MB and a byte is refused, with an empty body."""
    def check(head, body):
        with Connection() as connection:
            with contextlib.suppress(ConnectionError):
                connection.send(head + body)
            reply = connection.reply()
            assert reply.status == 413 and reply.body == b''
            assert connection.closed()
    return check


def test_oversize(too_large):
    too_large(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n' % (16 * MB + 1), b'x' * (16 * MB + 1))
    too_large(b'POST / HTTP/1.1\r\nHost: x\r\n', chunks(b'x' * (16 * MB), b'x'))


def test_costly_bodies_are_read_when_the_sender_is_known():
    """What would cost much memory or time is no way to hurt without an access key."""
    broken = b'[' * (300 * 1024)
    bombs = [gzip.compress(b'x' * (16 * MB + 1)), gzip.compress(bytes(1000 * MB), 1),
             gzip.compress(b'[' + b'[],' * (16 * MB // 3 - 1) + b'[]]')]
    packed = {'Content-Encoding': 'gzip'}
    type_ = b'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.0\r\n' \
        b'X-Amz-Target: DynamoDB_20120810.DescribeEndpoints\r\nContent-Length: %d\r\n%s\r\n'
    for body, header in (broken, b''), *((bomb, b'Content-Encoding: gzip\r\n') for bomb in bombs):
        assert ask_one(type_ % (len(body), header) + body).type == 'MissingAuthenticationTokenException'
    assert ask_one(signed(broken)).type == 'SerializationException'
    for bomb in bombs[:2]:
        reply = ask_one(signed(bomb, headers=packed))
        assert reply.status == 413 and reply.body == b''
    assert ask_one(signed(bombs[2], headers=packed)).type == 'SerializationException'
    # Small ones are told that they are broken before who they are from, as the service does.
    assert ask_one(type_ % (1, b'') + b'{').type == 'SerializationException'


def test_largest():
    """16 MB sharp are read (and refused by the JSON parser's caller)."""
    body = b'{"x": "' + b'x' * (16 * MB - 9) + b'"}'
    assert len(body) == 16 * MB
    for framing in None, chunks(body[:5 * MB], body[5 * MB:]):
        reply = ask_one(signed(body, framing=framing))
        assert 'Endpoints' in reply.json


def test_compressed_requests():
    body = b'{"Limit": 1}'

    def send(data, encoding='gzip'):
        return ask_one(signed(data, headers={'Content-Encoding': encoding}))

    raw = zlib.compressobj(wbits=-15)
    for data, encoding in [
            (gzip.compress(body), 'gzip'), (gzip.compress(body), 'GZIP'), (gzip.compress(body), 'x-gzip'),
            (gzip.compress(body[:5]) + gzip.compress(b'') + gzip.compress(body[5:]), 'gzip'),
            (zlib.compress(body), 'deflate'), (raw.compress(body) + raw.flush(), 'deflate'),
            (body, 'identity')]:
        assert 'Endpoints' in send(data, encoding).json, encoding
    large = b'{"Limit": 1%s}' % (b' ' * (16 * MB - 12))
    assert 'Endpoints' in send(gzip.compress(large)).json


@pytest.mark.parametrize('operation, body, member, kind', [
    ('GetItem', {'TableName': 'a!', 'Key': {}}, 'message', 'com.amazon.coral.validate#ValidationException'),
    ('GetItem', {'TableName': 'absent', 'Key': {'p': {'S': 'a'}}}, 'message',
     'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException'),
    ('GetItem', {'TableName': 1}, 'Message', 'com.amazon.coral.service#SerializationException'),
    ('TransactGetItems', {'TransactItems': [{'Get': {'TableName': '@', 'Key': {'p': {'N': '1'}}}}]}, 'Message',
     'com.amazonaws.dynamodb.v20120810#TransactionCanceledException')])
def test_envelope(raw, table_s, operation, body, member, kind):
    """The type has a prefix by its kind, and the text one of two spellings."""
    reply = raw(operation, json.dumps(body).replace('@', table_s))
    assert reply.status == 400 and reply.json['__type'] == kind
    assert set(reply.json) - {'CancellationReasons'} == {'__type', member}


def test_broken_compression():
    good = gzip.compress(b'{"Limit": 1}')
    for data in b'', b'{}', good[:-1], good[:5], good + b'x', good[:20] + b'\xff' + good[21:]:
        reply = ask_one(signed(data, headers={'Content-Encoding': 'gzip'}))
        assert reply.status == 500 and reply.type == 'InternalServerError', data
        assert reply.message == 'Internal server error'
    for encoding in 'br', 'gzip, gzip', 'gzip, deflate':
        assert ask_one(signed(good, headers={'Content-Encoding': encoding})).status == 400


def long_reply(accept):
    """An error that quotes a long header: over 4096 bytes."""
    return ask_one(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.0\r\n'
                   b'X-Amz-Target: DynamoDB_20120810.ListTables\r\nAuthorization: AWS4-X %s\r\n'
                   b'%sContent-Length: 2\r\n\r\n{}' % (b'x' * 6000, accept))


@pytest.mark.parametrize('accept, coding', [
    ('gzip', 'gzip'), ('deflate', 'deflate'), ('gzip, deflate', 'gzip'), ('*', 'gzip'), ('GZip', 'gzip'),
    ('gzip;q=0.5, deflate;q=0.8', 'deflate'), ('br, gzip ; q=0.2', 'gzip'), ('identity;q=0.5, gzip', 'gzip'),
    ('gzip;q=0, *', 'deflate'), ('identity', None), ('gzip;q=0', None), ('*;q=0', None), ('br', None),
    ('identity;q=1, gzip;q=0.5', None), ('gzip;q=0.000', None), ('', None), (None, None)])
def test_compressed_replies(accept, coding):
    reply = long_reply(b'' if accept is None else b'Accept-Encoding: %s\r\n' % accept.encode())
    assert reply.headers.get('content-encoding') == coding
    text = zlib.decompress(reply.body, 47) if coding else reply.body
    assert json.loads(text)['__type'].endswith('IncompleteSignatureException')


def test_short_replies_are_not_compressed():
    assert 'content-encoding' not in ask_one(get('x', b'Accept-Encoding: gzip\r\n')).headers


# What is malformed, or looks different to different readers

REFUSED = {
    'bare LF': b'GET / HTTP/1.1\nHost: x\n\n',
    'bare LF in a header': b'GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n',
    'bare CR': b'GET / HTTP/1.1\r\nHost: x\ry\r\n\r\n',
    'NUL': b'GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n',
    'control character': b'GET / HTTP/1.1\r\nHost: x\x01\r\n\r\n',
    'folded header': b'GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n',
    'blank before the first header': b'GET / HTTP/1.1\r\n A: b\r\nHost: x\r\n\r\n',
    'blank before the colon': b'GET / HTTP/1.1\r\nHost : x\r\n\r\n',
    'no colon': b'GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n',
    'no name': b'GET / HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n',
    'no Host': b'GET / HTTP/1.1\r\n\r\n',
    'two Hosts': b'GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n',
    'no target': b'GET HTTP/1.1\r\nHost: x\r\n\r\n',
    'two blanks': b'GET  / HTTP/1.1\r\nHost: x\r\n\r\n',
    'leading blank': b' GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'lower-case version': b'GET / http/1.1\r\nHost: x\r\n\r\n',
    'long version': b'GET / HTTP/1.10\r\nHost: x\r\n\r\n',
    'no version': b'GET /\r\nHost: x\r\n\r\n',
    'authority': b'CONNECT h:1 HTTP/1.1\r\nHost: x\r\n\r\n',
    'bytes over 127 in the target': b'GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n',
    'Content-Length and chunked': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'chunked and Content-Length': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
    'two Content-Lengths': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    'equal Content-Lengths': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
    'list of Content-Lengths': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc',
    'signed Content-Length': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc',
    'negative Content-Length': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\nabc',
    'hexadecimal Content-Length': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc',
    'empty Content-Length': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\nabc',
    'endless Content-Length': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551619\r\n\r\nabc',
    'two Transfer-Encodings': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'chunked in HTTP/1.0': b'POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'no chunk size': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\r\n',
    'bad chunk size': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\ng\r\n',
    'signed chunk size': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n',
    'endless chunk size': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n' + b'0' * 17,
    'bare LF behind a chunk size': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n',
    'chunk longer than its size': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n',
    'endless chunk extension': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;' + b'x' * 17000,
    'endless trailer': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n' + b'A: b\r\n' * 5000,
    'NUL in a name': b'GET / HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n',
    'NUL in the target': b'GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n',
    'NUL in the method': b'G\0ET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'DEL': b'GET / HTTP/1.1\r\nHost: x\r\nA: \x7f\r\n\r\n',
    'byte over 127 in a name': b'GET / HTTP/1.1\r\nHost: x\r\nA\xa0: b\r\n\r\n',
    'separator in a name': b'GET / HTTP/1.1\r\nHost: x\r\nA(b): c\r\n\r\n',
    'CR before the colon': b'GET / HTTP/1.1\r\nHost: x\r\nA\r: b\r\n\r\n',
    'CR CR LF': b'GET / HTTP/1.1\r\nHost: x\r\r\n\r\n',
    'LF before the empty line': b'GET / HTTP/1.1\r\nHost: x\n\r\n',
    'bare LF at the end': b'GET / HTTP/1.1\r\nHost: x\r\n\n',
    'tab for a blank': b'GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n',
    'blank behind the version': b'GET / HTTP/1.1 \r\nHost: x\r\n\r\n',
    'blank in the target': b'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n',
    'fragment': b'GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n',
    'relative target': b'GET a HTTP/1.1\r\nHost: x\r\n\r\n',
    'authority as the target of GET': b'GET h:80 HTTP/1.1\r\nHost: x\r\n\r\n',
    'other scheme': b'GET ftp://h/ HTTP/1.1\r\nHost: x\r\n\r\n',
    'no host in the target': b'GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n',
    'two hosts in one': b'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n',
    'user in the host': b'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n',
    'path in the host': b'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n',
    'blank in the host': b'GET / HTTP/1.1\r\nHost: a b\r\n\r\n',
    'two Hosts, one in lower case': b'GET / HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n',
    'version 0.9': b'GET / HTTP/0.9x\r\nHost: x\r\n\r\n',
    'blank in Content-Length': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1 3\r\n\r\nabc',
    'Content-Length with a unit': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3b\r\n\r\nabc',
    'Content-Length with a point': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3.0\r\n\r\nabc',
    'quoted Content-Length': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "3"\r\n\r\nabc',
    'Content-Length in other digits': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \u0663\r\n\r\nabc'.encode(),
    'NUL in Content-Length': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\0\r\n\r\nabc',
    'blank before the colon of Content-Length': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\nabc',
    'Content-Lengths in two cases': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\ncontent-length: 4\r\n\r\nabcd',
    'blank before the colon of Transfer-Encoding': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
    'folded Transfer-Encoding': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n',
    'vertical tab before chunked': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n',
    'Transfer-Encoding behind a bare LF': b'POST / HTTP/1.1\r\nHost: x\r\nA: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'unknown coding and Content-Length': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
    'empty Transfer-Encoding and Content-Length': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
    'hexadecimal chunk size': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n',
    'blank before a chunk size': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n 2\r\n{}\r\n0\r\n\r\n',
    'blank behind a chunk size': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2 \r\n{}\r\n0\r\n\r\n',
    'text behind a chunk size': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2 x\r\n{}\r\n0\r\n\r\n',
    'chunk size over 64 bits': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n',
    'bare LF in a chunk extension': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;\n{}\r\n0\r\n\r\n',
    'bare CR in a chunk extension': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;\rx\r\n{}\r\n0\r\n\r\n',
    'bare CR behind a chunk': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r0\r\n\r\n',
    'bare LF behind a chunk': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n',
    'bare LF behind the last chunk': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\n\r\n',
    'bare LF behind a trailer': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\r\n',
    'trailer that is no header': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nGET / HTTP/1.1\r\n\r\n',
    'folded trailer': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n c\r\n\r\n',
    'trailer without a name': b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n: b\r\n\r\n',
    'TLS': bytes.fromhex('16030101fc010001f80303') + b'\x0a' * 16,
    'long request line': b'GET /' + b'a' * (16 * 1024),
    'long header': b'GET / HTTP/1.1\r\nHost: x\r\nA: ' + b'a' * (16 * 1024),
    'long headers': b'GET / HTTP/1.1\r\nHost: x\r\n' + b'A: %s\r\n' % (b'a' * 1000) * 17,
    'many headers': b'GET / HTTP/1.1\r\nHost: x\r\n' + b'A: b\r\n' * 100 + b'\r\n',
}


@pytest.mark.parametrize('name', REFUSED)
def test_malformed(name):
    """400, and the connection closes: what follows may not be a request."""
    with Connection() as connection:
        with contextlib.suppress(ConnectionError):
            connection.send(REFUSED[name] + get('smuggled') * 3)
        reply = connection.reply()
        assert reply.status == 400 and reply.headers['connection'] == 'close'
        assert connection.closed()


def test_refused_otherwise():
    assert ask_one(b'GET / HTTP/2.0\r\nHost: x\r\n\r\n').status == 505
    assert ask_one(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').status == 505
    smuggled = b'0\r\n\r\n' + get('smuggled')
    for coding in (b'gzip, chunked', b'chunked, identity', b'identity', b'xchunked', b'chunked;q=1', b'"chunked"', b'chunked,',
                   b'', b'identity\r\nTransfer-Encoding: chunked'):
        for rest in b'', smuggled:
            assert ask_one(b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: %s\r\n\r\n%s' % (coding, rest)).status == 501, coding
    for expectation in b'200-ok', b'100-continue, x', b'100-continue;x', b'':
        assert ask_one(b'POST / HTTP/1.1\r\nHost: x\r\nExpect: %s\r\nContent-Length: 3\r\n\r\nabc%s' % (expectation, get('smuggled'))).status == 417


@pytest.mark.parametrize('message', [
    b'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: %(len)d\r\n\r\n%(inner)s',
    b'HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: %(len)d\r\n\r\n%(inner)s',
    b'OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: %(len)d\r\n\r\n%(inner)s',
    b'DELETE / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%(len)x\r\n%(inner)s\r\n0\r\n\r\n',
    b'POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding:\tCHUNKED \r\n\r\n%(len)X;a="b";c\r\n%(inner)s\r\n000\r\n\r\n',
    b'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%(len)x\r\n%(inner)s\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\nHost: b\r\n\r\n',
    b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\t0%(len)d \r\n\r\n%(inner)s',
    # Not what they look like: only a name's very letters count.
    b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %(len)d\r\nContent_Length: 0\r\nTransfer_Encoding: chunked\r\n\r\n%(inner)s',
    b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %(len)d\r\nX-Transfer-Encoding: chunked\r\nTE: chunked\r\n\r\n%(inner)s',
    b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %(len)d\r\nConnection: Content-Length, Transfer-Encoding\r\n\r\n%(inner)s',
    b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %(len)d\r\nX-HTTP-Method-Override: GET\r\nX-Method-Override: GET\r\n\r\n%(inner)s',
    b'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: %(len)d\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n%(inner)s',
    b'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: %(len)d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n%(inner)s',
    b'GET http://other/ HTTP/1.1\r\nHost: a\r\nContent-Length: %(len)d\r\n\r\n%(inner)s',
    b'GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nContent-Length: %(len)d\r\n\r\n%(inner)s',
    b'\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nContent-Length: %(len)d\r\n\r\n%(inner)s'])
def test_bodies_are_bodies(message):
    """A request inside a body is none, whatever the method; what follows the body is the next one."""
    inner = get('smuggled') * 2
    with Connection() as connection:
        connection.send(message % {b'len': len(inner), b'inner': inner} + get('next'))
        reply = connection.reply(body=not message.startswith(b'HEAD'))
        assert reply.status in (200, 404) and b'smuggled' not in reply.body
        assert connection.reply().body == healthy('next')
        connection.send(get('last'))
        assert connection.reply().body == healthy('last')


def test_nothing_comes_back_as_a_header():
    """Values that are echoed can't end their line."""
    for value in b'a%0d%0aX-Injected: 1', b'a\\r\\nX-Injected: 1', b'a\xe5\x98\x8a\xe5\x98\x8dX-Injected: 1', b'a, b':
        replies = ask(b'OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nAccess-Control-Request-Headers: %s\r\n'
                      b'Access-Control-Request-Method: %s\r\n\r\n' % (value, value))
        assert [r.status for r in replies] == [200] and 'x-injected' not in replies[0].headers
    for bad in b'a\rX-Injected: 1', b'a\nX-Injected: 1', b'a\0X-Injected: 1':
        reply = ask_one(b'OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nAccess-Control-Request-Headers: %s\r\n\r\n' % bad)
        assert reply.status == 400 and 'x-injected' not in reply.headers
        assert 'access-control-allow-headers' not in reply.headers


def test_refused_behind_others():
    """The refusal waits for its turn, and nothing is read behind it."""
    for refused in REFUSED['two Content-Lengths'], REFUSED['bare LF behind a chunk'], REFUSED['bare LF']:
        with Connection() as connection:
            connection.send(get('a') + signed() + refused + get('smuggled'))
            assert connection.reply().body == healthy('a')
            assert 'Endpoints' in connection.reply().json
            assert connection.reply().status == 400
            assert connection.closed()


def test_limits_are_reached_only():
    """What just fits is served."""
    line = 16 * 1024 - len('GET / HTTP/1.1')
    assert ask_one(b'GET /?' + b'a' * (line - 1) + b' HTTP/1.1\r\nHost: x\r\n\r\n').status == 200
    assert ask_one(get('x', b'A: b\r\n' * 99)).status == 200
    assert ask_one(get('x', b'A: ' + b'a' * (16 * 1024 - 100) + b'\r\n')).status == 200


def test_garbage():
    """Whatever comes in: an answer or a closed connection, and life goes on."""
    generator = random.Random(42)
    samples = [signed(), get(), signed(framing=chunks(b'{', b'}'))] + list(REFUSED.values())
    for _ in range(500):
        data = bytearray(generator.choice(samples)[:5000])
        for _ in range(generator.randint(1, 5)):
            position = generator.randrange(len(data))
            kind = generator.randrange(3)
            if kind == 0:
                data[position] = generator.randrange(256)
            elif kind == 1:
                del data[position:position + generator.randint(1, 20)]
            else:
                data[position:position] = generator.randbytes(generator.randint(1, 20))
            if not data:
                data = bytearray(b'\0')
        with contextlib.suppress(ConnectionError):
            ask(bytes(data), half_close=True)
    assert ask_one(get('alive')).body == healthy('alive')


def test_reset():
    """Clients that vanish without a word, with answers under way."""
    for _ in range(200):
        connection = Connection()
        connection.send(signed() * 5 + get() * 5)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        connection.close()
    assert ask_one(get('alive')).body == healthy('alive')


# Slow clients and many of them: servers with settings of their own

def seconds_until_closed(connection):
    start = time.monotonic()
    assert connection.closed()
    return time.monotonic() - start


def test_slow_clients(own_server):
    server = own_server('dynamo.idle_timeout=2s', 'dynamo.request_timeout=1s')

    def connect():
        return Connection(server.endpoint)

    def drip(connection):
        for byte in get('x', b'A: b\r\n' * 100):
            connection.send(bytes([byte]))
            time.sleep(0.05)

    with connect() as idle, connect() as head, connect() as body, connect() as dripping, connect() as deaf, \
            concurrent.futures.ThreadPoolExecutor() as pool:
        head.send(b'GET / HT')
        body.send(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab')
        deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        def be_deaf():
            with contextlib.suppress(ConnectionError, TimeoutError):
                deaf.socket.settimeout(3)
                while True:
                    deaf.send(get('x' * 8000))
        deafness = pool.submit(be_deaf)
        dripped = pool.submit(drip, dripping)
        waits = [pool.submit(seconds_until_closed, c) for c in (idle, head, body, dripping)]
        times = [w.result() for w in waits]
        assert 1.5 < times[0] < 4, 'idle'
        for seconds in times[1:]:
            assert 0.5 < seconds < 2.5
        with pytest.raises(ConnectionError):
            dripped.result()
        deafness.result()
    # A client that is merely busy is let alone.
    with connect() as connection:
        for _ in range(6):
            connection.send(get('a'))
            assert connection.reply().status == 200
            time.sleep(0.5)


def test_even_spread(own_server):
    """Few or many connections: no worker has 1.5 times its share."""
    server = own_server('dynamo.workers=2')
    for number in (10, 32, 200):
        with contextlib.ExitStack() as stack:
            for _ in range(number):
                stack.enter_context(Connection(server.endpoint))
            def spread():
                counts = [row[0] for row in server.sql('SELECT connections FROM dynamo.stat_workers')]
                return counts if sum(counts) == number else None
            counts = wait_for(spread)
            assert len(counts) == 2 and max(counts) <= number / 2 * 1.2, counts
        wait_for(lambda: server.sql('SELECT sum(connections) FROM dynamo.stat_workers') == [(0,)])


def test_too_many_connections(own_server):
    """The excess is told 503, which SDKs retry; those who are in are served."""
    server = own_server('dynamo.workers=1', 'dynamo.max_connections=20')
    with contextlib.ExitStack() as stack:
        served = [stack.enter_context(Connection(server.endpoint)) for _ in range(20)]
        for connection in served:
            connection.send(get('a'))
            assert connection.reply().status == 200
        with Connection(server.endpoint) as excess:
            excess.send(get('a'))
            assert excess.reply().status == 503
            assert excess.closed()
        for connection in served:
            connection.send(get('a'))
            assert connection.reply().status == 200
    def free():
        with Connection(server.endpoint) as connection:
            connection.send(get('a'))
            return connection.reply().status == 200
    wait_for(free)


def test_worker_that_dies_keeps_the_port(own_server):
    """A connection made while no worker serves is answered by the next one."""
    server = own_server('dynamo.workers=1')
    pid = server.sql("SELECT pid FROM dynamo.stat_workers")[0][0]
    server.sql('SELECT pg_terminate_backend(%s)', pid)

    def served():
        try:
            with Connection(server.endpoint) as connection:
                connection.send(get('a'))
                reply = connection.reply()
                return reply is not None and reply.status == 200 and \
                    server.sql('SELECT pid FROM dynamo.stat_workers') not in ([], [(pid,)])
        except ConnectionError:
            return False
    wait_for(served)
