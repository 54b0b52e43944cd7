"""Fixtures of the API tests.

The tests speak to the endpoint named by DYNAMO_ENDPOINT, with the credentials
and the region of the environment (scripts/test provides all of it).  With
DYNAMO_ENDPOINT=aws they run, unchanged, against the service itself: that is how
a claim about the service is proven.  It costs money, so it has to be said.

Tests share tables (table_s, table_ss, ...) and use unique keys (unique()).
A test that needs a table of its own calls make_table().
"""
import base64
import contextlib
import http.client
import itertools
import json
import os
import pathlib
import re
import sys
import time
import urllib.parse
import uuid
import zlib
from dataclasses import dataclass

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.exceptions
import pytest

import member_coverage

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'scripts'))
from private_cluster import Cluster  # noqa: E402

ENDPOINT = os.environ.get('DYNAMO_ENDPOINT')
ON_AWS = ENDPOINT == 'aws'
RUN = uuid.uuid4().hex[:8]
_numbers = itertools.count(1)

# The operators on items are found without naming their schema.
SEARCH_PATH = "options='-c search_path=public,dynamo'"

# One try: a retry would hide the first answer.  The service itself throttles.
CONFIG = botocore.config.Config(
    retries={'mode': 'standard', 'total_max_attempts': 4 if ON_AWS else 1},
    read_timeout=60, max_pool_connections=100)


def pytest_addoption(parser):
    parser.addoption('--seconds', type=float, default=9, help='how long test_bank runs')


    parser.addoption('--encrypted', action='store_true',
                     help='every table is made with SSESpecification')


def encrypt(params, **_):
    """Have CreateTable make an encrypted table, unless the test says something about it."""
    params.setdefault('SSESpecification', {'Enabled': True})


def pytest_configure(config):
    config.addinivalue_line(
        'markers', 'not_aws: uses what only this server has (SQL, its processes)')
    if not ENDPOINT:
        pytest.exit('DYNAMO_ENDPOINT is not set: "make test SUITES=api" sets '
                    'it; "aws" runs the tests against the service, at its '
                    'prices.', returncode=2)
    member_coverage.record_sdk()


def pytest_unconfigure():
    member_coverage.save()


def pytest_collection_modifyitems(items):
    if ON_AWS:
        for item in items:
            if item.get_closest_marker('not_aws'):
                item.add_marker(pytest.mark.skip(reason='not on AWS'))


def options():
    return {'config': CONFIG} if ON_AWS else \
        {'config': CONFIG, 'endpoint_url': ENDPOINT}


@pytest.fixture(scope='session')
def client(request):
    """The boto3 client."""
    client = boto3.client('dynamodb', **options())
    if request.config.getoption('--encrypted'):
        client.meta.events.register('provide-client-params.dynamodb.CreateTable', encrypt)
    return client


@pytest.fixture(scope='session')
def unchecked_client():
    """A client that sends parameters without checking them first."""
    return boto3.client('dynamodb', **{
        **options(),
        'config': CONFIG.merge(botocore.config.Config(parameter_validation=False))})


@pytest.fixture(scope='session')
def streams():
    """The boto3 client of streams, which sends parameters without checking them."""
    return boto3.client('dynamodbstreams', **{
        **options(),
        'config': CONFIG.merge(botocore.config.Config(parameter_validation=False))})


def shards_of(streams, arn):
    """All shards of a stream."""
    description = streams.describe_stream(StreamArn=arn)['StreamDescription']
    found = description['Shards']
    while 'LastEvaluatedShardId' in description:
        description = streams.describe_stream(
            StreamArn=arn, ExclusiveStartShardId=description['LastEvaluatedShardId'])['StreamDescription']
        found += description['Shards']
    return found


def records_of(streams, arn):
    """What a stream has, in the order of sequence numbers; and each shard's apart."""
    found = []
    for shard in shards_of(streams, arn):
        iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard['ShardId'],
                                              ShardIteratorType='TRIM_HORIZON')['ShardIterator']
        empty = 0
        while iterator and empty < (3 if ON_AWS else 1):
            reply = streams.get_records(ShardIterator=iterator)
            found += reply['Records']
            empty += not reply['Records']
            iterator = reply.get('NextShardIterator')
    return sorted(found, key=lambda record: record['dynamodb']['SequenceNumber'])


@pytest.fixture(scope='session')
def resource():
    """The boto3 resource."""
    return boto3.resource('dynamodb', **options())


def unique(prefix=''):
    """A string no other test of this or another run uses, as a key or name."""
    return f'{prefix}{RUN}-{next(_numbers)}'


@pytest.fixture(scope='session')
def make_table(client):
    """make_table(partition='S', sort=None, **parameters) -> name.

    partition and sort are key types (S, N, B); the attributes are p and s.
    parameters go to CreateTable and may replace what is made here."""
    names = []

    def make(partition='S', sort=None, **parameters):
        name = parameters.get('TableName', unique('dynamo-test-'))
        keys = [('p', partition, 'HASH')] + ([('s', sort, 'RANGE')] if sort else [])
        client.create_table(**{
            'TableName': name,
            'AttributeDefinitions': [{'AttributeName': n, 'AttributeType': t}
                                     for n, t, _ in keys],
            'KeySchema': [{'AttributeName': n, 'KeyType': k} for n, _, k in keys],
            'BillingMode': 'PAY_PER_REQUEST',
            **parameters})
        names.append(name)
        client.get_waiter('table_exists').wait(
            TableName=name, WaiterConfig={'Delay': 5 if ON_AWS else 1})
        return name

    yield make
    for name in names:
        with contextlib.suppress(botocore.exceptions.ClientError):
            client.delete_table(TableName=name)


def _shared_table(partition, sort=None):
    @pytest.fixture(scope='session')
    def table(make_table):
        return make_table(partition, sort)
    return table


# The tables that tests share: the name of one with these key types.
table_s = _shared_table('S')
table_n = _shared_table('N')
table_b = _shared_table('B')
table_ss = _shared_table('S', 'S')
table_sn = _shared_table('S', 'N')
table_sb = _shared_table('S', 'B')
table_nn = _shared_table('N', 'N')


@contextlib.contextmanager
def raises(code, message=None):
    """The block's SDK call fails with this exception and message.

    message is the exact text, or a compiled regular expression to search."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        yield caught
    error = caught.value.response['Error']
    assert error['Code'] == code, error
    if isinstance(message, re.Pattern):
        assert message.search(error['Message']), error
    elif message is not None:
        assert error['Message'] == message


@dataclass
class Reply:
    status: int
    headers: dict       # names in lower case
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def type(self):
        """The exception's name without its prefix."""
        return self.json['__type'].partition('#')[2]

    @property
    def message(self):
        body = self.json
        return body.get('message', body.get('Message'))


@pytest.fixture(scope='session')
def raw():
    """raw(operation, body, headers={}, sign=True, connection=None) -> Reply.

    One HTTP request, just as given: body is bytes, text or something to dump
    as JSON; headers add to or (with None) remove the usual ones, before
    signing.  Every answer's x-amz-crc32 is checked."""
    session = boto3.Session()
    region = session.region_name or 'us-east-1'
    url = ENDPOINT if not ON_AWS else f'https://dynamodb.{region}.amazonaws.com'
    parts = urllib.parse.urlsplit(url)

    def send(operation, body=b'{}', headers=None, sign=True, connection=None,
             method='POST', path='/'):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode('utf-8', 'surrogatepass')
        wanted = {'Content-Type': 'application/x-amz-json-1.0',
                  'X-Amz-Target': f'DynamoDB_20120810.{operation}',
                  **(headers or {})}
        request = botocore.awsrequest.AWSRequest(
            method, url + path, data=body,
            headers={k: v for k, v in wanted.items() if v is not None})
        if sign:
            botocore.auth.SigV4Auth(session.get_credentials(), 'dynamodb',
                                    region).add_auth(request)
        own = connection is None
        if own:
            connection = connect()
        try:
            connection.request(method, path, body, dict(request.headers.items()))
            response = connection.getresponse()
            reply = Reply(response.status,
                          {k.lower(): v for k, v in response.getheaders()},
                          response.read())
        finally:
            if own:
                connection.close()
        if 'x-amz-crc32' in reply.headers:
            assert int(reply.headers['x-amz-crc32']) == zlib.crc32(reply.body)
        member_coverage.record(operation, body, reply.body)
        return reply

    def connect():
        kind = http.client.HTTPSConnection if parts.scheme == 'https' \
            else http.client.HTTPConnection
        return kind(parts.hostname, parts.port, timeout=60)

    send.connect = connect
    return send


@pytest.fixture(scope='session')
def check_order(raw):
    """check_order(operation, good, (members, message), ...): the order of checks.

    Each fault is members that spoil a good request (None: it is left out) and the
    message it is answered with, exact or a compiled regular expression.  The first
    request has all of them, then one after the other is mended: each time the first
    that is left must be told.  Of two faults in one member the first hides the second."""
    def check(operation, good, *faults):
        for i, (_, message) in enumerate(faults):
            request = dict(good)
            for members, _ in reversed(faults[i:]):
                request.update(members)
            reply = raw(operation, {k: v for k, v in request.items() if v is not None})
            told = reply.message or reply.type
            assert message.search(told) if isinstance(message, re.Pattern) else told == message, told
    return check


@pytest.fixture
def sql():
    """sql(statement, *parameters) -> list of tuples; not on AWS."""
    if ON_AWS:
        pytest.skip('no SQL on AWS')
    import psycopg2
    connection = psycopg2.connect(SEARCH_PATH)  # PGHOST and friends say where
    connection.autocommit = True

    def run(statement, *parameters):
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    run.connection = connection
    yield run
    connection.close()


@pytest.fixture
def own_setting(sql):
    """own_setting(name, value): for the whole server, until the test is over."""
    changed = []

    def change(name, value):
        changed.append(name)
        sql(f"ALTER SYSTEM SET {name} = '{value}'")
        sql('SELECT pg_reload_conf()')
        wait_for(lambda: sql('SELECT current_setting(%s)', name) == [(value,)])
        time.sleep(0.5)         # workers look between two rounds

    yield change
    for name in changed:
        sql(f'ALTER SYSTEM RESET {name}')
    sql('SELECT pg_reload_conf()')
    time.sleep(0.5)


class OwnServer(Cluster):
    """A server that a test may break: clusters with an SDK client and SQL."""

    def client(self, service='dynamodb', **parameters):
        if not hasattr(self, 'credentials'):
            self.credentials = self.sdk_environment()
        return boto3.client(
            service, endpoint_url=self.endpoint, config=CONFIG,
            region_name=self.credentials['AWS_DEFAULT_REGION'],
            aws_access_key_id=self.credentials['AWS_ACCESS_KEY_ID'],
            aws_secret_access_key=self.credentials['AWS_SECRET_ACCESS_KEY'], **parameters)

    def sql(self, statement, *parameters, database='postgres'):
        import psycopg2
        connection = psycopg2.connect(SEARCH_PATH, host=self.socket, port=5432, user='postgres',
                                      dbname=database)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


@pytest.fixture
def own_server():
    """own_server(*settings, standby_of=None, wait=True) -> a running OwnServer, gone
    after the test; wait: until its endpoint answers."""
    if ON_AWS:
        pytest.skip('starts servers of its own')
    servers = []

    def make(*settings, standby_of=None, wait=True):
        server = OwnServer()
        servers.append(server)
        if standby_of:
            server.make_standby_of(standby_of)
        server.start(*settings)
        if wait and not standby_of:
            server.wait()
        return server

    yield make
    for server in reversed(servers):
        server.reset()


def wait_for(condition, seconds=10):
    """Wait until condition() is true; fail if it never is."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f'not within {seconds} s'
        time.sleep(0.05)
    return result


def b64(data):
    return base64.b64encode(data).decode()


@pytest.fixture(scope='session', autouse=True)
def server_stays_up():
    """No test may crash the server: the postmaster started once, its workers'
    deaths would show in a restart of all of them."""
    if ON_AWS or 'PGHOST' not in os.environ:
        yield
        return
    import psycopg2

    def started():
        with psycopg2.connect('') as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_postmaster_start_time(), (SELECT min(backend_start)"
                           " FROM pg_stat_activity WHERE backend_type = 'checkpointer')")
            return cursor.fetchone()

    before = started()
    yield
    assert started() == before, 'a server process crashed during the tests'
