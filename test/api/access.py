"""Principals for tests of who may do what: PostgreSQL roles with access keys, and
requests sent as one of them by HTTP or called in SQL."""
import contextlib
import json
import re

import boto3
import botocore.exceptions

from conftest import CONFIG, ENDPOINT, b64

ACCOUNT = '000000000000'
REGION = 'us-east-1'
STREAM_OPERATIONS = ('DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams')


def table_arn(name):
    return f'arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}'


def policy(*statements):
    return json.dumps({'Version': '2012-10-17', 'Statement': list(statements)})


def allow(action='dynamodb:*', resource='*', **more):
    return {'Effect': 'Allow', 'Action': action, 'Resource': resource, **more}


def deny(action, resource='*', **more):
    return {'Effect': 'Deny', 'Action': action, 'Resource': resource, **more}


def function_of(operation):
    return 'dynamo.' + re.sub(r'(?<!^)(?=[A-Z])', '_', operation).lower()


class Denied(Exception):
    """AccessDeniedException, or AccessDenied in a part of a reply."""


class Failed(Exception):
    """Any other answer that is no success."""


class Principal:
    """A role with an access key.  Every call returns the reply or raises Denied or Failed."""

    def __init__(self, sql, role, *policies, member_of=None):
        self.sql, self.role, self.policies = sql, role, 0
        sql(f'CREATE ROLE "{role}"' + (f' IN ROLE "{member_of}"' if member_of else ''))
        sql(f'GRANT USAGE ON SCHEMA dynamo TO "{role}"')
        key, secret = sql('SELECT * FROM dynamo.create_access_key(%s)', role)[0]
        options = {'endpoint_url': ENDPOINT, 'region_name': REGION, 'config': CONFIG.merge(
                       type(CONFIG)(parameter_validation=False)),
                   'aws_access_key_id': key, 'aws_secret_access_key': secret}
        self.client = boto3.client('dynamodb', **options)
        self.streams = boto3.client('dynamodbstreams', **options)
        for document in policies:
            self.attach(document)

    @property
    def arn(self):
        return f'arn:aws:iam::{ACCOUNT}:user/{self.role}'

    def attach(self, document):
        name = f'{self.role}-{self.policies}'
        self.policies += 1
        self.sql('SELECT dynamo.put_policy(%s, %s)', name, document)
        self.sql('SELECT dynamo.attach_policy(%s, %s)', self.role, name)
        return name

    def replace(self, number, document):
        self.sql('SELECT dynamo.put_policy(%s, %s)', f'{self.role}-{number}', document)

    def drop(self):
        for name, in self.sql('SELECT policy FROM dynamo.attached_policies'
                              ' WHERE role = quote_ident(%s)::regrole', self.role):
            self.sql('SELECT dynamo.detach_policy(%s, %s)', self.role, name)
        self.sql('DELETE FROM dynamo.access_keys WHERE role = quote_ident(%s)::regrole', self.role)
        self.sql('DELETE FROM dynamo.principals WHERE role = quote_ident(%s)::regrole', self.role)
        self.sql(f'DROP OWNED BY "{self.role}" CASCADE')
        self.sql(f'DROP ROLE "{self.role}"')

    def by_http(self, operation, request):
        client = self.streams if operation in STREAM_OPERATIONS else self.client
        try:
            reply = client._make_api_call(operation, request)
        except botocore.exceptions.ClientError as error:
            told = error.response['Error']
            kind = Denied if told['Code'] == 'AccessDeniedException' else Failed
            raise kind(told['Message'], told['Code'],
                       json.dumps(error.response, default=repr)) from None
        reply.pop('ResponseMetadata')
        return check_parts(reply)

    def by_sql(self, operation, request):
        """Rolled back."""
        return self.in_sql(f'SELECT {function_of(operation)}(%s)',
                           json.dumps(request, default=b64), operation)

    def in_sql(self, statement, *parameters):
        import psycopg2
        connection = self.sql.connection
        connection.autocommit = False
        try:
            with connection.cursor() as cursor:
                cursor.execute(f'SET LOCAL ROLE "{self.role}"')
                cursor.execute(statement, parameters[:statement.count('%s')] or None)
                rows = cursor.fetchall() if cursor.description else []
        except psycopg2.Error as error:
            kind = Denied if error.pgcode in ('KV013', '42501') else Failed
            raise kind(error.diag.message_primary, error.pgcode, str(error)) from None
        finally:
            connection.rollback()
            connection.autocommit = True
        return check_parts(rows[0][0]) if statement.startswith('SELECT dynamo.') else rows


def check_parts(reply):
    """What batches tell of one of their statements."""
    if isinstance(reply, dict):
        for part in reply.get('Responses') or []:
            if isinstance(part, dict) and part.get('Error', {}).get('Code') == 'AccessDenied':
                raise Denied(part['Error']['Message'], 'AccessDenied', json.dumps(part))
    return reply


@contextlib.contextmanager
def principals(sql):
    """make(role, *policies) -> Principal; all are gone in the end."""
    made = []

    def make(role, *policies, **options):
        made.append(Principal(sql, role, *policies, **options))
        return made[-1]

    try:
        yield make
    finally:
        for principal in reversed(made):
            principal.drop()
