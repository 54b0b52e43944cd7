"""Signature Version 4 at the endpoint: every way to be wrong, in the service's
words and order of checks; and access keys, made and revoked while it serves."""
import datetime
import hashlib
import http.client
import pathlib
import re
import threading
import time
import urllib.parse

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from conftest import CONFIG, ENDPOINT, ON_AWS, Reply, unique, wait_for

SESSION = boto3.Session()
REGION = SESSION.region_name or 'us-east-1'
URL = f'https://dynamodb.{REGION}.amazonaws.com' if ON_AWS else ENDPOINT
HOST = urllib.parse.urlsplit(URL).netloc
UTC = datetime.timezone.utc


def iso(seconds=0):
    then = datetime.datetime.now(UTC) + datetime.timedelta(seconds=seconds)
    return then.strftime('%Y%m%dT%H%M%SZ')


def send(headers, query='', body=b'{}'):
    """Just these headers and the usual ones; returns the reply."""
    parts = urllib.parse.urlsplit(URL)
    kind = http.client.HTTPSConnection if parts.scheme == 'https' else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=60)
    connection.putrequest('POST', '/' + query, skip_accept_encoding=True)
    for name, value in {'Content-Type': 'application/x-amz-json-1.0',
                        'X-Amz-Target': 'DynamoDB_20120810.DescribeLimits',
                        'Content-Length': str(len(body)), **headers}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    reply = Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    connection.close()
    return reply


class QueryAuth(botocore.auth.SigV4QueryAuth):
    """botocore's drops the body."""
    def payload(self, request):
        return hashlib.sha256(b'{}').hexdigest()


def sign(body=b'{}', credentials=None, region=REGION, service='dynamodb', query='', headers=None,
         by_query=False):
    """The headers (and, by_query, the query string) of a signed request."""
    request = botocore.awsrequest.AWSRequest(
        'POST', URL + '/' + query, data=body, headers={
            'Content-Type': 'application/x-amz-json-1.0',
            'X-Amz-Target': 'DynamoDB_20120810.DescribeLimits', **(headers or {})})
    kind = QueryAuth if by_query else botocore.auth.SigV4Auth
    kind(credentials or SESSION.get_credentials(), service, region).add_auth(request)
    signed = dict(request.headers.items())
    return (signed, '?' + urllib.parse.urlsplit(request.url).query) if by_query else signed


def authorization(credential=None, signed_headers='host;x-amz-date', signature='0' * 64,
                  algorithm='AWS4-HMAC-SHA256'):
    if credential is None:
        key = SESSION.get_credentials().access_key
        credential = f'{key}/{iso()[:8]}/{REGION}/dynamodb/aws4_request'
    return f'{algorithm} Credential={credential}, SignedHeaders={signed_headers}, Signature={signature}'


def refused(reply, exception, message):
    assert reply.status == 400
    assert reply.json['__type'] == 'com.amazon.coral.service#' + exception
    if isinstance(message, re.Pattern):
        assert message.search(reply.json['message']), reply.json
    else:
        assert reply.json['message'] == message


def test_signed():
    assert send(sign()).status == 200


def test_signed_by_query():
    headers, query = sign(by_query=True)
    assert send(headers, query).status == 200


@pytest.mark.not_aws
def test_any_region():
    """The region `local` of SDKs signs as us-east-1; tools write what they like."""
    for region in 'us-east-1', 'eu-central-1', 'local', 'xx-west-1':
        assert send(sign(region=region)).status == 200


def test_blanks_and_extra_headers():
    headers = sign()
    headers['Authorization'] = headers['Authorization'].replace(', ', '  ,   ').replace(' C', '    C')
    headers['X-Not-Signed'] = 'x'
    assert send(headers).status == 200
    headers['Authorization'] = re.sub(' *, *', ',', headers['Authorization'])
    assert send(headers).status == 200


def test_value_blanks_are_collapsed():
    headers = sign(headers={'X-Amz-Meta': '  a   b  c '})
    assert send({**headers, 'X-Amz-Meta': 'a b   c'}).status == 200


def test_query_is_signed():
    """A query string with odd characters, in another order than the canonical."""
    assert send(sign(query='?b=2&a=%2F&a=1&c'), '?b=2&a=%2F&a=1&c').status == 200
    refused(send(sign(query='?b=2&a=1'), '?b=2&a=3'), 'InvalidSignatureException', re.compile('^The request signature'))


def test_date_header():
    """Instead of X-Amz-Date, in the form of HTTP."""
    date = datetime.datetime.now(UTC).strftime('%a, %d %b %Y %H:%M:%S GMT')

    class DateAuth(botocore.auth.SigV4Auth):
        def _modify_request_before_signing(self, request):
            super()._modify_request_before_signing(request)
            del request.headers['X-Amz-Date']
            request.headers['Date'] = date
            request.context['timestamp'] = datetime.datetime.strptime(
                date, '%a, %d %b %Y %H:%M:%S GMT').strftime('%Y%m%dT%H%M%SZ')

    request = botocore.awsrequest.AWSRequest('POST', URL + '/', data=b'{}')
    DateAuth(SESSION.get_credentials(), 'dynamodb', REGION).add_auth(request)
    assert send(dict(request.headers.items())).status == 200


# The rows, in the order they are checked in

def test_both_forms():
    headers, query = sign(by_query=True)
    refused(send({**headers, 'Authorization': authorization()}, query), 'InvalidSignatureException',
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")


@pytest.mark.parametrize('headers', [{}, {'Authorization': ''}, {'Authorization': 'Basic YTpi'},
                                     {'Authorization': 'aws4-hmac-sha256 x'}])
def test_missing_token(headers):
    refused(send(headers), 'MissingAuthenticationTokenException', 'Request is missing Authentication Token')


def test_incomplete_header():
    text = "Authorization header requires '%s' parameter. "
    date = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
    refused(send({'Authorization': 'AWS4-HMAC-SHA256 x=y'}), 'IncompleteSignatureException',
            ''.join(text % p for p in ('Credential', 'Signature', 'SignedHeaders')) + date
            + 'Authorization=AWS4-HMAC-SHA256 x=y')
    refused(send({'Authorization': 'AWS4-HMAC-SHA256 Credential=a, Signature=b', 'X-Amz-Date': iso()}),
            'IncompleteSignatureException',
            text % 'SignedHeaders' + 'Authorization=AWS4-HMAC-SHA256 Credential=a, Signature=b')


def test_incomplete_query():
    text = "AWS query-string parameters must include 'X-Amz-%s'. "
    refused(send({}, '?X-Amz-Algorithm=x'), 'IncompleteSignatureException',
            ''.join(text % p for p in ('Credential', 'Signature', 'SignedHeaders', 'Date'))
            + 'Re-examine the query-string parameters.')


def test_date_of_no_form():
    refused(send({'Authorization': authorization(), 'X-Amz-Date': 'yesterday'}), 'IncompleteSignatureException',
            "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601")


def test_expired():
    """Dates are checked before the credential: its date is wrong here, too."""
    date = iso(-16 * 60)
    refused(send({'Authorization': authorization('a/b/c'), 'X-Amz-Date': date}), 'InvalidSignatureException',
            re.compile(f'^Signature expired: {date} is now earlier than .* - 15 min\\.\\)'))


def test_not_yet_current():
    date = iso(16 * 60)
    refused(send({'Authorization': authorization('a/b/c'), 'X-Amz-Date': date}), 'InvalidSignatureException',
            re.compile(f'^Signature not yet current: {date} is still later than .* \\+ 15 min\\.\\)'))


def test_host_not_signed():
    refused(send({'Authorization': authorization('a/b/c', 'x-amz-date', algorithm='AWS4-X'), 'X-Amz-Date': iso()}),
            'InvalidSignatureException', "'Host' must be a 'SignedHeader' in the AWS Authorization.")


def test_algorithm():
    refused(send({'Authorization': authorization('a/b/c', algorithm='AWS4-HMAC-SHA1'), 'X-Amz-Date': iso()}),
            'IncompleteSignatureException',
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1' (only AWS4-HMAC-SHA256 for now). ")


@pytest.mark.parametrize('credential, shown', [('a/b/c', 'a/b/c'), ('a/b/c/d//', 'a/b/c/d'), ('a/b/c/d/e/f', 'a/b/c/d/e/f')])
def test_credential_parts(credential, shown):
    refused(send({'Authorization': authorization(credential), 'X-Amz-Date': iso()}), 'IncompleteSignatureException',
            f"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{shown}'")


def test_credential_scope():
    now = iso()
    reply = send({'Authorization': authorization('a/19700101/Region/s3/aws3_request'), 'X-Amz-Date': now})
    refused(reply, 'InvalidSignatureException',
            "Credential should be scoped to a valid region, not 'Region'. "
            "Credential should be scoped to correct service: 'dynamodb'. "
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws3_request'. "
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'19700101' != '{now[:8]}', from '{now}'.")


@pytest.mark.parametrize('key, secret', [('alternator', 'wrong_key'), ('whatever', 'x'), ('AKIAIOSFODNN7EXAMPLE', 'x')])
def test_unknown_key(key, secret):
    reply = send(sign(credentials=botocore.credentials.Credentials(key, secret)))
    # To clients on its own machine this server adds the way on in parentheses.
    refused(reply, 'UnrecognizedClientException', re.compile(r'^The security token included in the request is invalid\.'))
    if not ON_AWS:
        assert 'dynamo.accept_any_credentials' in reply.message


def test_wrong_signature():
    text = re.compile('^The request signature we calculated does not match the signature you provided. '
                      'Check your AWS Secret Access Key and signing method. '
                      'Consult the service documentation for details.')
    credentials = SESSION.get_credentials()
    wrong = botocore.credentials.Credentials(credentials.access_key, 'x', credentials.token)
    refused(send(sign(credentials=wrong)), 'InvalidSignatureException', text)
    headers = sign()
    refused(send(headers, body=b'{ }'), 'InvalidSignatureException', text)
    refused(send({**headers, 'X-Amz-Target': 'DynamoDB_20120810.ListTables'}), 'InvalidSignatureException', text)
    refused(send({**headers, 'X-Amz-Content-SHA256': 'UNSIGNED-PAYLOAD'}, body=b'{ }'), 'InvalidSignatureException', text)
    # In capitals, or cut, it is another signature.
    for change in str.upper, lambda s: s[:-1], lambda s: s + '0':
        signature = headers['Authorization'].rpartition('=')[2]
        if change(signature) == signature:
            continue
        refused(send({**headers, 'Authorization': headers['Authorization'].replace(signature, change(signature))}),
                'InvalidSignatureException', text)


@pytest.mark.not_aws
@pytest.mark.not_aws
def test_signatures_are_compared_in_constant_time():
    """Nanoseconds can't be measured through a network of tests: so by the source, which
    looks at a signature's bytes once, through OpenSSL's comparison."""
    source = (pathlib.Path(__file__).parents[2] / 'src/auth/sigv4.c').read_text()
    looks = [line.strip() for line in source.splitlines()
             if re.search(r'\bsignature\.(data|len)\b', line) and 'NULL' not in line]
    assert looks == ['if (c->signature.len == HEX_SIZE &&',
                     'CRYPTO_memcmp(hex, c->signature.data, HEX_SIZE) == 0)']


def test_session_token():
    """No session tokens are given out here, so one that comes is nobody's."""
    credentials = SESSION.get_credentials()
    tokened = botocore.credentials.Credentials(credentials.access_key, credentials.secret_key, 'token')
    refused(send(sign(credentials=tokened)), 'UnrecognizedClientException',
            re.compile('^The security token included in the request is invalid'))


def test_operation_and_json_come_first():
    """An unknown operation, or no JSON, is told without a signature."""
    assert send({'X-Amz-Target': 'DynamoDB_20120810.Nothing'}).json == \
        {'__type': 'com.amazon.coral.service#UnknownOperationException'}
    assert send({}, body=b'{').json == {'__type': 'com.amazon.coral.service#SerializationException'}


# Access keys of a running server

@pytest.fixture
def key(sql):
    """An access key of its own for a test."""
    access_key_id, secret = sql('SELECT * FROM dynamo.create_access_key()')[0]
    yield botocore.credentials.Credentials(access_key_id, secret)
    sql('DELETE FROM dynamo.access_keys WHERE access_key_id = %s', access_key_id)


def accepted(key):
    return send(sign(credentials=key)).status == 200


@pytest.mark.not_aws
def test_new_key_is_accepted_at_once(key):
    for _ in range(20):         # by all workers
        assert accepted(key)


@pytest.mark.not_aws
def test_revoked_key_is_refused_at_once(sql, key):
    """By every worker, however warm its cache: nothing is taken from before."""
    change = [('SELECT dynamo.update_access_key(%s, false)', False),
              ('SELECT dynamo.update_access_key(%s, true)', True),
              ('SELECT dynamo.delete_access_key(%s)', False)]
    for _ in range(20):
        assert accepted(key)
    for statement, expected in change:
        sql(statement, key.access_key)
        for _ in range(20):
            assert accepted(key) == expected, statement


@pytest.mark.not_aws
def test_revoked_under_load(sql, key):
    """Requests that come in all the while: none is accepted once the change
    has been made."""
    revoked = threading.Event()
    late = []

    def client():
        while not done.is_set():
            before = revoked.is_set()
            if accepted(key) and before:
                late.append(time.monotonic())

    done = threading.Event()
    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    sql('SELECT dynamo.update_access_key(%s, false)', key.access_key)
    revoked.set()
    time.sleep(0.5)
    done.set()
    for thread in threads:
        thread.join()
    assert late == []


@pytest.mark.not_aws
def test_key_of_dropped_role(sql):
    role = 'test_auth_' + unique().replace('-', '_')
    sql(f'CREATE ROLE {role}')
    key = botocore.credentials.Credentials(*sql('SELECT * FROM dynamo.create_access_key(%s)', role)[0])
    reply = send(sign(credentials=key))
    assert reply.status == 200, reply.body
    sql(f'DROP ROLE {role}')
    for _ in range(20):
        assert not accepted(key)
    sql('DELETE FROM dynamo.access_keys WHERE access_key_id = %s', key.access_key)


@pytest.mark.not_aws
def test_any_credentials(own_server):
    """The development setting takes all that look like credentials."""
    server = own_server('dynamo.accept_any_credentials=on')
    client = boto3.client('dynamodb', endpoint_url=server.endpoint, config=CONFIG, region_name='us-east-1',
                          aws_access_key_id='key', aws_secret_access_key='secret', aws_session_token='token')
    client.describe_limits()
    unsigned = http.client.HTTPConnection('localhost', server.port)
    unsigned.request('POST', '/', b'{}', {'Content-Type': 'application/x-amz-json-1.0',
                                          'X-Amz-Target': 'DynamoDB_20120810.DescribeLimits'})
    assert b'MissingAuthenticationTokenException' in unsigned.getresponse().read()
    server.sql('ALTER SYSTEM SET dynamo.accept_any_credentials = off')
    server.sql('SELECT pg_reload_conf()')

    def refuses():
        try:
            client.describe_limits()
        except client.exceptions.ClientError as error:
            return error.response['Error']['Code'] == 'UnrecognizedClientException'
    wait_for(refuses)
