"""TLS: versions, certificates, sessions, reload, and clients that misbehave.

That everything else is the same by TLS as in the clear is the suite "tls" of
scripts/test, which runs other files of this directory once more.
"""
import contextlib
import os
import pathlib
import random
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import boto3
import botocore.exceptions
import pytest

import tls_client
from certificates import Authority
from conftest import CONFIG, OwnServer, wait_for
from test_http import Connection, get, healthy

pytestmark = pytest.mark.not_aws
ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def authority():
    # Not pytest's own directory, which is nobody else's: the server is another user.
    with tempfile.TemporaryDirectory(prefix='dynamo-test-') as directory:
        os.chmod(directory, 0o755)
        yield Authority(f'{directory}/ca')


@pytest.fixture(scope='module')
def stranger(authority):
    """Another authority, whom nobody trusts."""
    return Authority(authority.directory.parent / 'stranger', 'Stranger')


def trusting(authority, **settings):
    context = ssl.create_default_context(cafile=authority.file)
    for name, value in settings.items():
        setattr(context, name, value)
    return context


class Server:
    """An own_server that speaks TLS."""

    def __init__(self, own_server, authority, *settings, wait=True, **options):
        self.authority = authority
        # Two workers: a session has to be good at the other one, too.
        self.server = own_server(*authority.settings(**options), 'dynamo.workers=2', *settings, wait=wait)
        self.log = pathlib.Path(self.server.directory) / 'log/postgres.log'
        self.url = f'https://localhost:{self.server.port}'

    def connect(self, **options):
        options.setdefault('context', trusting(self.authority))
        return Connection(self.url, **options)

    def ask(self, **options):
        with self.connect(**options) as connection:
            connection.send(get('a'))
            assert connection.reply().body == healthy('a')
            return connection.socket.tls

    def change(self, **settings):
        for name, value in settings.items():
            self.server.sql(f"ALTER SYSTEM SET dynamo.{name} = '{value}'")
        self.reload()

    def reload(self):
        self.server.sql('SELECT pg_reload_conf()')
        time.sleep(1)

    def figure(self, name):
        return self.server.sql(f'SELECT sum({name})::int8 FROM dynamo.stat_ssl')[0][0]

    def told(self, text):
        wait_for(lambda: re.search(text, self.log.read_text()))


CRASH = re.compile('TRAP:|PANIC|terminated by signal|terminating any other active server processes')


@pytest.fixture
def tls_server(own_server, authority):
    """tls_server(*settings, mode='required', ...) -> Server; options are those of Authority.issue()."""
    servers = []

    def make(*settings, **options):
        servers.append(Server(own_server, authority, *settings, **options))
        return servers[-1]

    yield make
    for server in servers:
        assert not CRASH.search(server.log.read_text())


@pytest.fixture(scope='module')
def server(authority):
    """One for the tests that leave it as it is; its certificate has a name and no address."""
    def make(*settings, wait):
        own = OwnServer()
        own.start(*settings)
        own.wait()
        return own
    shared = Server(make, authority, name='shared', hosts=['DNS:localhost'])
    yield shared
    assert not CRASH.search(shared.log.read_text())
    shared.server.reset()


def certificate_of(tls):
    return tls.getpeercert(binary_form=True)


# Clients as their users have them

def test_sdks(server, authority, stranger):
    client = server.server.client
    with contextlib.closing(boto3.client('dynamodb', endpoint_url=server.url, config=CONFIG, verify=authority.file,
                                         **credentials(server))) as trusting_client:
        assert trusting_client.list_tables()['TableNames'] == []
    for verify in stranger.file, True:
        with pytest.raises(botocore.exceptions.SSLError, match='certificate verify failed'):
            boto3.client('dynamodb', endpoint_url=server.url, config=CONFIG, verify=verify, **credentials(server)).list_tables()
    # Not by the name in the certificate.
    with pytest.raises(botocore.exceptions.SSLError, match="doesn't match|mismatch|not valid for"):
        boto3.client('dynamodb', endpoint_url=f'https://127.0.0.1:{server.server.port}', config=CONFIG,
                     verify=authority.file, **credentials(server)).list_tables()
    # In the clear: told so, in words.
    with pytest.raises(botocore.exceptions.ClientError, match='400'):
        client().list_tables()
    wait_for(lambda: server.figure('failed_closed') >= 2)

    environment = {**os.environ, **server.server.sdk_environment(), 'AWS_PAGER': '', 'AWS_CONFIG_FILE': os.devnull, 'AWS_MAX_ATTEMPTS': '1',
                   'AWS_REGION': 'us-east-1', 'AWS_ENDPOINT_URL_DYNAMODB': server.url}
    cli = [pathlib.Path(sys.executable).parent / 'aws', 'dynamodb', 'list-tables', '--endpoint-url', server.url]
    script = """
        import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
        console.log(JSON.stringify((await new DynamoDBClient({ maxAttempts: 1 }).send(new ListTablesCommand({}))).TableNames));"""
    node = ['node', '--input-type=module', '-e', script]
    for command, variable in (cli, 'AWS_CA_BUNDLE'), (node, 'NODE_EXTRA_CA_CERTS'):
        for file, good in (authority.file, True), (stranger.file, False):
            result = subprocess.run(command, env={**environment, variable: file}, cwd=ROOT / 'test/clients/javascript',
                                    capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
            assert (result.returncode == 0) == good, result.stderr
            if good:
                assert '[]' in result.stdout
            else:
                assert re.search('certificate verify failed|unable to verify|self.signed certificate', result.stderr), result.stderr


def credentials(server):
    found = server.server.sdk_environment()
    return {'region_name': 'us-east-1', 'aws_access_key_id': found['AWS_ACCESS_KEY_ID'],
            'aws_secret_access_key': found['AWS_SECRET_ACCESS_KEY']}


# What is spoken

def test_both_on_one_port(tls_server):
    server = tls_server(mode='optional')
    server.ask()
    with Connection(server.server.endpoint) as connection:
        connection.send(get('a'))
        assert connection.reply().body == healthy('a')


def test_required(server):
    server.ask()
    for message in get('a'), b'POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n' + b'x' * 100000, b'\0', b'\x80\x2e\x01\0\x02':
        with socket.create_connection(('localhost', server.server.port), timeout=10) as plain:
            plain.sendall(message)
            answer = b''
            while data := plain.recv(4096):
                answer += data
        assert answer.startswith(b'HTTP/1.1 400 ') and answer.endswith(b'\r\n\r\nThis endpoint takes requests by TLS (https://) only\n')
        assert b'\r\nContent-Type: text/plain' in answer and b'\r\nConnection: close\r\n' in answer
    wait_for(lambda: server.figure('failed_plain') >= 4)


def s_client(server, *arguments, text=(), seconds=10):
    """The openssl command's output."""
    process = subprocess.Popen(['openssl', 's_client', '-connect', f'localhost:{server.server.port}', *arguments],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for piece in text:
        time.sleep(0.5)
        process.stdin.write(piece)
        process.stdin.flush()
    time.sleep(0.5)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    process.stdin = None
    return process.communicate(timeout=seconds)[0]


def test_versions_and_ciphers(tls_server, authority):
    server = tls_server()
    v = ssl.TLSVersion
    tls = server.ask()
    assert tls.version() == 'TLSv1.3' and tls.cipher()[0] == 'TLS_AES_128_GCM_SHA256'
    tls = server.ask(context=trusting(authority, maximum_version=v.TLSv1_2))
    assert tls.version() == 'TLSv1.2' and tls.cipher()[0] == 'ECDHE-ECDSA-AES128-GCM-SHA256'
    assert tls.compression() is None

    def refused(**settings):
        ciphers = settings.pop('ciphers', None)
        context = trusting(authority, **settings)
        if ciphers:
            context.set_ciphers(ciphers)
        with pytest.raises(ssl.SSLError):
            server.connect(context=context)
    before = server.figure('failed_protocol')
    refused(minimum_version=v.TLSv1, maximum_version=v.TLSv1_1)
    # No forward secrecy; no authenticated cipher.
    refused(maximum_version=v.TLSv1_2, ciphers='AES128-GCM-SHA256:AES256-SHA:@SECLEVEL=0')
    refused(maximum_version=v.TLSv1_2, ciphers='ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES256-SHA:@SECLEVEL=0')
    wait_for(lambda: server.figure('failed_protocol') >= before + 3)

    server.change(ssl_min_protocol_version='TLSv1.3')
    assert server.ask().version() == 'TLSv1.3'
    refused(maximum_version=v.TLSv1_2)
    # A cipher that only clients without AES in hardware prefer.
    assert 'TLS_CHACHA20_POLY1305_SHA256' in s_client(
        server, '-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256')


def test_alpn(server, authority):
    for offered, chosen in (['h2', 'http/1.1'], 'http/1.1'), (['http/1.1'], 'http/1.1'), ([], None):
        context = trusting(authority)
        if offered:
            context.set_alpn_protocols(offered)
        assert server.ask(context=context).selected_alpn_protocol() == chosen
    for offered in ['h2'], ['imap', 'ftp']:
        context = trusting(authority)
        context.set_alpn_protocols(offered)
        with pytest.raises(ssl.SSLError, match='(?i)no.application.protocol'):
            server.connect(context=context)


def test_no_renegotiation(server):
    output = s_client(server, '-tls1_2', text=['R\n'])
    assert re.search('no renegotiation|NO_RENEGOTIATION', output), output
    server.ask()


def test_no_early_data(server, tmp_path):
    """A request that arrived as early data could be sent again by anybody."""
    session, early = tmp_path / 'session', tmp_path / 'early'
    early.write_bytes(get('early'))
    output = s_client(server, '-tls1_3', '-sess_out', session, text=[get('a').decode()])
    assert session.exists(), output
    output = s_client(server, '-tls1_3', '-sess_in', session, '-early_data', early)
    assert 'Early data was not sent' in output or 'Early data was rejected' in output, output
    assert 'Max Early Data: 0' in subprocess.run(
        ['openssl', 'sess_id', '-in', session, '-noout', '-text'], capture_output=True, text=True).stdout


@pytest.mark.parametrize('version', ['TLSv1_2', 'TLSv1_3'])
def test_sessions_are_resumed_by_all_workers(tls_server, authority, version):
    server = tls_server()
    context = trusting(authority, minimum_version=ssl.TLSVersion[version], maximum_version=ssl.TLSVersion[version])
    session = server.ask(context=context).session
    assert session.has_ticket and 0 < session.ticket_lifetime_hint <= 3600
    with contextlib.ExitStack() as stack:       # together, so that both workers get some
        for _ in range(10):
            connection = stack.enter_context(server.connect(context=context, session=session))
            connection.send(get('a'))
            assert connection.reply().body == healthy('a')
            assert connection.socket.tls.session_reused
        wait_for(lambda: all(n >= 5 for n, in server.server.sql('SELECT resumed FROM dynamo.stat_ssl')))
    # Ticket keys are in memory only.
    server.server.stop()
    server.server.start(*server.authority.settings(), 'dynamo.workers=2')
    server.server.wait()
    assert not server.ask(context=context, session=session).session_reused


# Certificates of clients

def test_client_certificates(tls_server, authority, stranger):
    server = tls_server(f'dynamo.ssl_ca_file={authority.file}')

    def ask(*chain, version=ssl.TLSVersion.TLSv1_3):
        context = trusting(authority, maximum_version=version)
        if chain:
            context.load_cert_chain(*chain)
        # In TLS 1.3 the client is done before the server has looked.
        return server.ask(context=context)

    good, strange = authority.issue('client'), stranger.issue('client')
    refused = pytest.raises((ssl.SSLError, ConnectionError, AttributeError))    # AttributeError: no reply
    for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
        ask(*good, version=version)
        with refused:
            ask(version=version)
        with refused:
            ask(*strange, version=version)
    wait_for(lambda: server.figure('failed_certificate') == 4)

    server.change(ssl_client_certificate='optional')
    ask()
    ask(*good)
    with refused:
        ask(*strange)

    # A session of a client whose authority is no longer trusted is not resumed.
    context = trusting(authority)
    context.load_cert_chain(*good)
    session = server.ask(context=context).session
    server.change(ssl_client_certificate='required')
    session = server.ask(context=context).session
    assert server.ask(context=context, session=session).session_reused
    server.change(ssl_ca_file=stranger.file)
    with refused:
        server.ask(context=context, session=session)
    ask(*strange)


# Files

def test_reload(tls_server, authority, tmp_path):
    """New files are used by new connections; bad ones by none."""
    server = tls_server()
    certificate, key = f'{authority.directory}/server.crt', f'{authority.directory}/server.key'
    with server.connect() as old:
        before = certificate_of(old.socket.tls)

        def works(expected):
            old.send(get('old'))
            assert old.reply().body == healthy('old')
            assert certificate_of(server.ask()) == expected

        authority.issue('server', rsa=True)
        works(before)
        server.reload()
        after = certificate_of(server.ask())
        assert after != before
        works(after)
        expires, = server.server.sql('SELECT DISTINCT certificate_expires > now() FROM dynamo.stat_ssl')
        assert expires == (True,)

        def bad(reason):
            with open(server.log) as log:
                log.seek(0, os.SEEK_END)
                server.reload()
                text = log.read()
            assert re.search(reason, text), text
            assert 'goes on with the certificate it has' in text
            works(after)
        os.chmod(key, 0o644)
        bad('private key file .* has group or world access')
        os.chmod(key, 0o600)
        os.rename(key, key + '.away')
        bad('could not access private key file')
        os.rename(key + '.away', key)
        other, other_key = authority.issue('other')
        shutil.copyfile(other, certificate)
        bad('private key file .* does not belong to certificate file')
        pathlib.Path(certificate).write_text('no certificate')
        bad('could not load certificate file')
        authority.issue('server', passphrase='secret')
        bad('is protected by a passphrase')
        authority.issue('server')
        server.change(ssl_ca_file='/absent')
        bad('could not load certificate authority file "/absent"')
        server.change(ssl_ca_file='')
        assert certificate_of(server.ask()) != after
        old.send(get('old'))
        assert old.reply().body == healthy('old')

        # Off, and on again; who is in stays in.
        server.change(ssl='off')
        with Connection(server.server.endpoint) as plain:
            plain.send(get('a'))
            assert plain.reply().body == healthy('a')
            with pytest.raises((ssl.SSLError, ConnectionError)):
                server.connect()
            server.change(ssl='required')
            plain.send(get('a'))
            assert plain.reply().body == healthy('a')
        server.ask()
        old.send(get('old'))
        assert old.reply().body == healthy('old')


@pytest.mark.parametrize('mode', ['optional', 'required'])
def test_no_certificate_at_start(tls_server, authority, mode):
    """No plain text in place of TLS that can't be had; and it says why."""
    server = tls_server(f'dynamo.ssl_cert_file=/absent', mode=mode, wait=False)
    server.told('could not load certificate file "/absent"')
    server.told('accepts no connections: dynamo.ssl is on and there is no certificate')
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(('localhost', server.server.port), timeout=5)
    assert server.server.sql('SELECT 1') == [(1,)]
    server.change(ssl_cert_file=f'{authority.directory}/server.crt')
    server.ask()

    # One that could not come back without a certificate does when there is none to be had.
    server.change(ssl='off', ssl_cert_file='/absent')
    with Connection(server.server.endpoint) as plain:
        server.change(ssl=mode)
        plain.send(get('a'))
        assert plain.reply().body == healthy('a')
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(('localhost', server.server.port), timeout=5)
    server.change(ssl='off')
    with Connection(server.server.endpoint) as plain:
        plain.send(get('a'))
        assert plain.reply().body == healthy('a')


# Clients that misbehave

def raw_connect(server):
    return socket.create_connection(('localhost', server.server.port), timeout=30)


def client_hello(authority):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trusting(authority).wrap_bio(incoming, outgoing, server_hostname='localhost')
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def test_slow_handshakes(tls_server, authority):
    server = tls_server('dynamo.request_timeout=1s', 'dynamo.idle_timeout=3s')
    hello = client_hello(authority)
    stalled = {'first byte': hello[:1], 'half': hello[:100], 'whole': hello}
    with contextlib.ExitStack() as stack:
        connections = {name: stack.enter_context(raw_connect(server)) for name in [*stalled, 'silent', 'dripping']}
        start = time.monotonic()
        for name, data in stalled.items():
            connections[name].sendall(data)

        def drip():
            with contextlib.suppress(ConnectionError):
                for byte in hello:
                    connections['dripping'].sendall(bytes([byte]))
                    time.sleep(0.05)
        dripping = threading.Thread(target=drip)
        dripping.start()
        # Others notice nothing of it.
        for _ in range(20):
            begun = time.monotonic()
            server.ask()
            assert time.monotonic() - begun < 0.5
        for name in *stalled, 'dripping':
            while connections[name].recv(65536):
                pass
            assert 0.8 < time.monotonic() - start < 2.8, name
        while connections['silent'].recv(1):
            pass
        assert 2.5 < time.monotonic() - start < 5
        dripping.join()
    wait_for(lambda: server.figure('failed_timeout') == 4)
    # The same once shaken hands.
    with server.connect() as connection:
        connection.send(b'GET / HT')
        start = time.monotonic()
        assert connection.closed() and time.monotonic() - start < 2.5


def test_many_handshakes_at_once(tls_server, authority):
    """They cost a signature each; requests of others go in between."""
    server = tls_server(rsa=True)
    slowest = 0
    done = threading.Event()
    context = trusting(authority)

    def storm():
        hello = client_hello(authority)
        while not done.is_set():
            with contextlib.ExitStack() as stack:
                for connection in [stack.enter_context(raw_connect(server)) for _ in range(100)]:
                    connection.sendall(hello)
                time.sleep(0.3)
    with server.connect(context=context) as connection:
        threads = [threading.Thread(target=storm) for _ in range(2)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 4
        while time.monotonic() < end:
            begun = time.monotonic()
            connection.send(get('a'))
            assert connection.reply().body == healthy('a')
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.01)
        done.set()
        for thread in threads:
            thread.join()
    assert slowest < 0.5
    wait_for(lambda: server.figure('failed_closed') > 100)


def test_garbage(server, authority):
    """Bytes that are no TLS, at every stage: closed, and life goes on."""
    r = random.Random(7)
    hello = client_hello(authority)
    for n in range(300):
        with raw_connect(server) as connection, contextlib.suppress(ConnectionError):
            data = bytearray(hello)
            for _ in range(r.randint(1, 8)):
                data[r.randrange(len(data))] = r.randrange(256)
            data[0] = 0x16
            connection.sendall(data[:r.randrange(1, len(data) + 1)] + r.randbytes(r.randrange(50)))
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(5)
            while connection.recv(65536):
                pass
    for garbage in b'\x17\x03\x03\x00\x20' + b'x' * 32, b'\x15\x03\x03\x00\x02\x02\x00', b'GET / HTTP/1.1\r\n\r\n', b'\x17\x03\x03\xff\xff':
        with server.connect() as connection:
            connection.send(get('a'))
            assert connection.reply().body == healthy('a')
            connection.socket.plain.sendall(garbage)
            with contextlib.suppress(ssl.SSLError):
                assert connection.closed()
    server.ask()
    assert server.figure('failed_protocol') > 0


@pytest.mark.parametrize('version', ['TLSv1_2', 'TLSv1_3'])
def test_close_notify(tls_server, authority, version):
    """A client may end its half and still gets its answers; and we say goodbye, too."""
    server = tls_server('dynamo.idle_timeout=1s')
    context = trusting(authority, maximum_version=ssl.TLSVersion[version])
    with server.connect(context=context) as connection:
        connection.send(get('a') + get('b', b'Connection: close\r\n'))
        assert connection.reply().body == healthy('a')
        assert connection.reply().body == healthy('b')
        assert connection.closed() and connection.socket.clean_end
    with server.connect(context=context) as idle:
        assert idle.closed() and idle.socket.clean_end
    if version == 'TLSv1_3':    # in 1.2 a close_notify ends both halves
        with server.connect(context=context) as connection:
            connection.send(get('a') + get('b'))
            connection.socket.end()
            assert connection.reply().body == healthy('a')
            assert connection.reply().body == healthy('b')
            assert connection.closed()
    with server.connect(context=context) as connection:     # without a word
        connection.send(get('a'))
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.reply().body == healthy('a')
        assert connection.closed()


def test_key_updates(server):
    """A client that changes keys."""
    # Lines with one of these letters are commands; K asks for ours, too.
    output = s_client(server, text=['K\n', 'K\n', 'k\n', get('updated').decode(), 'K\n', get('twice').decode()])
    assert output.count('KEYUPDATE') == 4, output
    assert 'healthy: updated ' in output and 'healthy: twice ' in output, output
    server.ask()


def test_idle_connections_are_small(tls_server, authority):
    server = tls_server('dynamo.workers=1')
    pid, = server.server.sql('SELECT pid FROM dynamo.stat_workers')[0]

    def memory():
        return int(re.search(r'^RssAnon:\s+(\d+)', pathlib.Path(f'/proc/{pid}/status').read_text(), re.M)[1])
    context = trusting(authority)
    with contextlib.ExitStack() as stack:
        def open_some(n):
            for _ in range(n):
                connection = stack.enter_context(server.connect(context=context))
                connection.send(get('a'))
                assert connection.reply().status == 200
        open_some(50)
        before = memory()
        open_some(300)
        each = (memory() - before) / 300
        print(f'{each:.1f} KB for an idle connection')
        assert each < 30
    # And they leave nothing behind.
    wait_for(lambda: server.server.sql('SELECT connections FROM dynamo.stat_workers') == [(0,)])
    for _ in range(5):
        with contextlib.ExitStack() as stack:
            open_some(300)
    settled = memory()
    for _ in range(5):
        with contextlib.ExitStack() as stack:
            open_some(300)
    assert memory() - settled < 500, 'KB of 1500 connections are left'
