"""Connections that take whatever comes, signatures, and broken HTTP."""
import datetime
import gzip
import hashlib
import hmac
import socket
import zlib


class Broken(Exception):
    """The endpoint did not do what it has to do."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


class Connection:
    def __init__(self, port, patience):
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b''

    def close(self):
        self.socket.close()

    def send(self, data):
        """Send as much as is taken: a refused message is not read to its end."""
        try:
            self.socket.sendall(data)
        except (ConnectionError, TimeoutError):
            pass

    def end(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def fill(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            return False
        except TimeoutError:
            raise Broken(f'neither an answer nor a closed connection within {self.socket.gettimeout()} s') from None
        self.buffer += data
        return bool(data)

    def answer(self, to_head=False):
        """The next answer, or None at the end of the stream."""
        while b'\r\n\r\n' not in self.buffer:
            if not self.fill():
                return None
        head, _, rest = self.buffer.partition(b'\r\n\r\n')
        lines = head.split(b'\r\n')
        status = lines[0].split(b' ', 2)
        if len(status) != 3 or status[0] != b'HTTP/1.1' or not status[1].isdigit():
            raise Broken(f'not a status line: {lines[0]!r}')
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(b': ')
            if not colon:
                raise Broken(f'not a header: {line!r}')
            headers[name.lower().decode()] = value.decode('latin-1')
        status = int(status[1])
        self.buffer = rest
        if status == 100:
            return self.answer(to_head)
        if len(headers.get('x-amzn-requestid', '')) != 52:
            raise Broken('an answer without request id')
        length = 0 if to_head else int(headers['content-length'])
        while len(self.buffer) < length:
            if not self.fill():
                return None
        content, self.buffer = self.buffer[:length], self.buffer[length:]
        if not to_head and int(headers['x-amz-crc32']) != zlib.crc32(content):
            raise Broken('wrong x-amz-crc32')
        if 'content-encoding' in headers and not to_head:
            content = {'gzip': gzip, 'deflate': zlib}[headers['content-encoding']].decompress(content)
        return Answer(status, headers, content)


def hmac256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def post(operation, content, access_key, host='localhost', headers=(), framing=None):
    """A signed request.  framing replaces Content-Length and the body."""
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime('%Y%m%dT%H%M%SZ'), now.strftime('%Y%m%d')
    streams = operation in ('ListStreams', 'DescribeStream', 'GetShardIterator', 'GetRecords')
    target = f'DynamoDB{"Streams" if streams else ""}_20120810.{operation}'
    signed = 'host;x-amz-date;x-amz-target'
    canonical = (f'POST\n/\n\nhost:{host}\nx-amz-date:{stamp}\nx-amz-target:{target}\n\n{signed}\n'
                 + hashlib.sha256(content).hexdigest())
    scope = f'{day}/us-east-1/dynamodb/aws4_request'
    signature_key = ('AWS4' + access_key[1]).encode()
    for part in scope.split('/'):
        signature_key = hmac256(signature_key, part)
    signature = hmac256(signature_key, f'AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}').hex()
    lines = [f'POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: {target}\r\nX-Amz-Date: {stamp}\r\n'
             f'Authorization: AWS4-HMAC-SHA256 Credential={access_key[0]}/{scope}, SignedHeaders={signed}, Signature={signature}\r\n',
             *(f'{name}: {value}\r\n' for name, value in headers)]
    if framing is None:
        framing = b'Content-Length: %d\r\n\r\n%s' % (len(content), content)
    return ''.join(lines).encode() + framing


def chunked(r, content):
    parts = []
    while content:
        n = r.choice([1, 7, 100, 5000, 70000])
        parts.append(b'%x%s\r\n%s\r\n' % (len(content[:n]), r.choice([b'', b'', b';a=b', b' ;x']), content[:n]))
        content = content[n:]
    return b'Transfer-Encoding: chunked\r\n\r\n' + b''.join(parts) + b'0\r\n' + r.choice([b'', b'A: b\r\n']) + b'\r\n'


def compressed(r, content):
    """(name of the coding, bytes)"""
    raw = zlib.compressobj(wbits=-15)
    return r.choice([('gzip', gzip.compress(content, 1)), ('deflate', zlib.compress(content, 1)), ('deflate', raw.compress(content) + raw.flush()),
                     ('gzip', b''.join(gzip.compress(content[i:i + 100], 1) for i in range(0, len(content), 100)) if len(content) < 5000 else gzip.compress(content, 1))])


def bombs():
    """Compressed bodies that want to be large: (coding, bytes)."""
    zeros = zlib.compressobj(9, wbits=31)
    bomb = b''.join(zeros.compress(bytes(1 << 20)) for _ in range(256)) + zeros.flush()
    deep = b'[' * (16 << 20)
    return [('gzip', bomb), ('gzip', bomb[:len(bomb) // 2]), ('gzip', gzip.compress(b'', 1) * 50000), ('gzip', gzip.compress(deep, 1)),
            ('deflate', zlib.compress(b'{"a":' * (3 << 20), 1)), ('gzip', gzip.compress(gzip.compress(bytes(1 << 24)), 1)), ('gzip', bomb[:-8] + bytes(8)),
            ('deflate', b'\x78\x9c' + b'\xff' * 1000), ('gzip', b'\x1f\x8b\x08\xff' + b'a' * 100000)]


def samples(r, access_key):
    """Small valid messages for damage at each of their bytes."""
    content = b'{"TableName": "hostile-s", "Key": {"p": {"S": "key1"}}}'
    return [post('GetItem', content, access_key),
            post('GetItem', content, access_key, framing=chunked(r, content)),
            post('GetItem', content, access_key, headers=[('Content-Encoding', 'gzip')], framing=(lambda z: b'Content-Length: %d\r\n\r\n%s' % (len(z), z))(gzip.compress(content))),
            post('GetItem', content, access_key, headers=[('Expect', '100-continue'), ('Accept-Encoding', 'gzip;q=0.5, deflate'), ('Connection', 'keep-alive'), ('Origin', 'http://a')]),
            b'GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&a=%41%zz HTTP/1.1\r\nHost: localhost\r\n\r\n',
            b'GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n',
            b'GET /ready HTTP/1.0\r\n\r\n',
            b'OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nAccess-Control-Request-Headers: a\r\nAccess-Control-Request-Method: POST\r\n\r\n',
            post('GetItem', content, access_key) + b'GET / HTTP/1.1\r\nHost: x\r\n\r\n' + post('ListTables', b'{}', access_key)]


def damaged(r, message, at, kind):
    """The message with one thing wrong at one place."""
    if kind == 0:
        return message[:at]
    if kind == 1:
        return message[:at] + bytes([message[at] ^ (1 << r.randrange(8))]) + message[at + 1:]
    if kind == 2:
        return message[:at] + r.choice([b'\0', b'\r', b'\n', b'\r\n', b' ', b'\t', b':', b',', b';', b'\x7f', b'\xff', b'%', b'"', r.randbytes(3)]) + message[at:]
    return message[:at] + message[at + 1:]


def malformed(r, access_key):
    """A message in which much is wrong."""
    kind = r.randrange(8)
    if kind == 0:
        return b'POST / HTTP/1.1\r\nHost: x\r\n' + b''.join(b'%s: %s\r\n' % (r.choice([b'A', b'X-Amz-Target', b'Authorization', b'Content-Encoding']), b'a' * r.choice([0, 1, 1000, 9000]))
                                                            for _ in range(r.choice([1, 5, 99, 101, 500]))) + b'\r\n'
    if kind == 1:
        return r.randbytes(r.choice([1, 10, 1000, 100000]))
    if kind == 2:
        return b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %s\r\n\r\n{}' % r.choice([b'-1', b'+2', b'99999999999999999999', b'2, 2', b'0x2', b'16777217', b' 2', b'\xb2', b'2\r\nContent-Length: 3'])
    if kind == 3:
        return b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n{}\r\n0\r\n\r\n' % r.choice([b'ffffffffffffffff', b'ffffffffffffffffff', b'-1', b'', b'g', b'2;' + b'a' * 20000, b'7fffffff'])
    if kind == 4:
        return b''.join(r.choice(samples(r, access_key))[:r.randrange(800)] for _ in range(30))
    if kind == 5:
        header = r.choice(['Authorization', 'X-Amz-Date', 'X-Amz-Target', 'X-Amz-Security-Token', 'Content-Type', 'X-Amz-Content-Sha256'])
        return post('GetItem', b'{}', access_key, headers=[(header, r.choice(['', 'a', 'AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=', '=' * 5000, ',' * 5000, '20261121T000000Z']))])
    if kind == 6:
        query = '&'.join(r.choice(['X-Amz-Algorithm=AWS4-HMAC-SHA256', 'X-Amz-Credential=a%2Fb%2Fc%2Fd%2Fe', 'X-Amz-Signature=' + 'a' * 64, 'X-Amz-Expires=99999999999999999999', '%', '%0', '%00', '=', 'a' * 3000,
                                   'X-Amz-Date=20260230T999999Z', 'X-Amz-SignedHeaders=host%3Bhost']) for _ in range(r.randrange(12)))
        return f'POST /{r.choice(["", "%2e%2e/", "//", "a" * 10000])}?{query} HTTP/1.1\r\nHost: x\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\nContent-Length: 2\r\n\r\n{{}}'.encode()
    return bytes(r.choice(b'GET POST/ HTTP/1.1\r\n: ;,chunked0123\0') for _ in range(r.randrange(2000)))
