"""pg_dump | psql into a new database gives the same answers, and so does
pg_dump -Fc | pg_restore."""
import json
import os
import subprocess

import pytest

from conftest import unique, wait_for
from private_cluster import pg_config

pytestmark = pytest.mark.not_aws

QUESTIONS = (
    ('get_item', {'Key': {'p': {'S': 'a'}, 's': {'N': '3'}}}),
    ('get_item', {'Key': {'p': {'S': 'all'}, 's': {'N': '0'}}}),
    ('query', {'KeyConditionExpression': 'p = :p AND s BETWEEN :a AND :b', 'ScanIndexForward': False,
               'ExpressionAttributeValues': {':p': {'S': 'a'}, ':a': {'N': '-3.5'}, ':b': {'N': '77'}}}),
    ('scan', {}),
    ('query', {'IndexName': 'by-s', 'KeyConditionExpression': 's = :s',
               'ExpressionAttributeValues': {':s': {'N': '7'}}}),
    ('describe_time_to_live', {}),
    ('scan', {'Segment': 1, 'TotalSegments': 3}),
)


@pytest.fixture(scope='module')
def table(client, make_table):
    import psycopg2
    name = make_table(
        KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}, {'AttributeName': 's', 'KeyType': 'RANGE'}],
        AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'},
                              {'AttributeName': 's', 'AttributeType': 'N'}],
        GlobalSecondaryIndexes=[{
            'IndexName': 'by-s', 'KeySchema': [{'AttributeName': 's', 'KeyType': 'HASH'}],
            'Projection': {'ProjectionType': 'INCLUDE', 'NonKeyAttributes': ['x', 'y']}}],
        TableClass='STANDARD_INFREQUENT_ACCESS', OnDemandThroughput={'MaxReadRequestUnits': 5},
        WarmThroughput={'ReadUnitsPerSecond': 13000},
        Tags=[{'Key': 'owner', 'Value': 'me'}, {'Key': 'Größe', 'Value': ''}])
    client.update_time_to_live(TableName=name, TimeToLiveSpecification={
        'AttributeName': 'expires', 'Enabled': True})
    with_all_types = {
        'p': {'S': 'all'}, 's': {'N': '0'}, 'nul': {'S': 'a\0b'}, 'b': {'B': b'\0\xff\n\\'},
        'n': {'N': '1.2345678901234567890123456789012345678E+125'}, 'ss': {'SS': ['x', "y'\\"]},
        'l': {'L': [{'M': {'k': {'NULL': True}}}, {'BOOL': False}]}}
    client.put_item(TableName=name, Item=with_all_types)
    for i in range(-10, 90):
        client.put_item(TableName=name, Item={
            'p': {'S': 'a'}, 's': {'N': str(i)}, 'v': {'S': 'long ' * (i % 7) * 300}})
    # The background job changes the row until it is done.
    with psycopg2.connect('') as connection, connection.cursor() as cursor:
        connection.autocommit = True

        def is_filled():
            cursor.execute("SELECT status FROM dynamo.indexes WHERE kind = 'TIME_TO_LIVE'"
                           ' AND table_name = %s', (name,))
            return cursor.fetchall() == [('ACTIVE',)]
        wait_for(is_filled, 60)
    return name


@pytest.mark.parametrize('how', ['plain', 'custom'])
def test_dump_and_restore(table, sql, how):
    database = unique('restored-')
    path = pg_config('bindir')

    def ask(operation, request, connection=sql):
        return connection(f'SELECT dynamo.{operation}(%s)::text', json.dumps({'TableName': table, **request}))

    sql(f'CREATE DATABASE "{database}" TEMPLATE template0')
    try:
        dump = subprocess.Popen([f'{path}/pg_dump', '-F', how[0], 'postgres'], stdout=subprocess.PIPE)
        restore = [f'{path}/psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', database, '-o', os.devnull] \
            if how == 'plain' else [f'{path}/pg_restore', '--exit-on-error', '-d', database]
        restored = subprocess.run(restore, stdin=dump.stdout, capture_output=True, text=True)
        assert dump.wait() == 0
        assert restored.returncode == 0, restored.stderr
        import psycopg2
        connection = psycopg2.connect(dbname=database)
        connection.autocommit = True
        try:
            def there(statement, *parameters):
                with connection.cursor() as cursor:
                    cursor.execute(statement, parameters or None)
                    return cursor.fetchall()

            for operation, request in QUESTIONS:
                answer = ask(operation, request)
                assert ask(operation, request, there) == answer and 'S' in answer[0][0]
            assert there("SELECT dynamo.list_tables('{}')::text") == sql("SELECT dynamo.list_tables('{}')::text")
            here, restored = (json.loads(c("SELECT dynamo.describe_table(%s)::text",
                                           json.dumps({'TableName': table}))[0][0])['Table']
                              for c in (sql, there))
            # What the statistics say may differ, nothing else.
            for description in (here, restored):
                del description['ItemCount'], description['TableSizeBytes']
                for index in description['GlobalSecondaryIndexes']:
                    del index['ItemCount'], index['IndexSizeBytes']
            assert here == restored
            for catalog in ('tags', 'indexes'):
                rows = f'SELECT i::text FROM dynamo.{catalog} i WHERE table_name = %s ORDER BY 1'
                assert there(rows, table) == sql(rows, table) != []
            # The restored table takes writes, and its index knows them.
            ask('put_item', {'Item': {'p': {'S': 'new'}, 's': {'N': '1'}}}, there)
            assert 'Item' in json.loads(ask('get_item', {'Key': {'p': {'S': 'new'}, 's': {'N': '1'}}}, there)[0][0])
        finally:
            connection.close()
    finally:
        sql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def test_principals(sql):
    """Policies and what they are attached to come along, by the roles' names; secrets, and
    what dropped roles have left, don't."""
    import psycopg2
    path = pg_config('bindir')
    database, gone, role = unique('restored-'), *(unique(f'"Dump {n}" ').replace('"', '') for n in ('gone', 'role'))
    document = json.dumps({'Version': '2012-10-17', 'Statement': [
        {'Effect': 'Allow', 'Action': 'dynamodb:*', 'Resource': '*', 'Sid': 'x'}]})
    trust = json.dumps({'Version': '2012-10-17', 'Statement': [
        {'Effect': 'Allow', 'Action': 'sts:AssumeRole', 'Principal': {'AWS': '000000000000'}}]})
    policy = unique('policy-')
    sql('SELECT dynamo.put_policy(%s, %s)', policy, document)
    for name in gone, role:
        sql(f'CREATE ROLE "{name}"')
        sql('SELECT dynamo.attach_policy(%s, %s)', name, policy)
        sql('SELECT dynamo.put_permissions_boundary(%s, %s)', name, policy)
        sql('SELECT dynamo.put_trust_policy(%s, %s)', name, trust)
        sql('SELECT dynamo.tag_role(%s, %s, %s)', name, 'team', 'red')
    secret = sql('SELECT secret_access_key FROM dynamo.create_access_key(%s)', role)[0][0]
    oid = sql('SELECT oid FROM pg_roles WHERE rolname = %s', gone)[0][0]
    sql(f'DROP ROLE "{gone}"')
    sql(f'CREATE DATABASE "{database}" TEMPLATE template0')
    try:
        dump = subprocess.run([f'{path}/pg_dump', 'postgres'], capture_output=True, text=True, check=True).stdout
        assert secret not in dump
        assert sql("SELECT encode(secret, 'hex') FROM dynamo.session_keys")[0][0] not in dump
        assert not any(line.startswith(f'{oid}\t') for line in dump.splitlines())
        subprocess.run([f'{path}/psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', database, '-o', os.devnull],
                       input=dump, text=True, check=True)
        connection = psycopg2.connect(dbname=database)
        connection.autocommit = True
        with connection.cursor() as cursor:
            def ask(statement):
                cursor.execute(statement)
                return cursor.fetchall()

            ours = f"role = '\"{role}\"'::regrole"
            assert ask(f"SELECT policy FROM dynamo.attached_policies WHERE {ours}") == [(policy,)]
            assert ask(f"SELECT boundary, trust_policy, tags FROM dynamo.principals WHERE {ours}") == \
                [(policy, trust, {'team': 'red'})]
            assert ask(f"SELECT document FROM dynamo.policies WHERE name = '{policy}'") == [(document,)]
            assert ask(f"SELECT dynamo_internal.identity('\"{role}\"')->>'boundary'") == [(policy,)]
            assert ask('SELECT count(*) FROM dynamo.access_keys') == [(0,)]
            # What tokens are sealed with is made anew.
            assert ask('SELECT number, secret FROM dynamo.session_keys')[0][1].tobytes() != \
                sql('SELECT secret FROM dynamo.session_keys ORDER BY created_at DESC')[0][0].tobytes()
        connection.close()
    finally:
        sql(f'DROP DATABASE "{database}" WITH (FORCE)')
        sql(f'DROP ROLE "{role}"')
        sql('CALL dynamo.run_jobs()')
        sql('SELECT dynamo.delete_policy(%s)', policy)
