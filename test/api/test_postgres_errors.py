"""PostgreSQL's own errors as a client sees them: never an InternalServerError for
what it can try again or has done itself."""
import concurrent.futures
import contextlib
import json
import re
import time

import botocore.exceptions
import psycopg2
import pytest

from conftest import raises, unique
from test_http import Connection, signed

pytestmark = pytest.mark.not_aws

REFUSED = "The table's relation does not allow it: "


@pytest.fixture
def table(make_table, sql):
    """(table name, its relation), with one item p=a, n=1."""
    name = make_table()
    relation = sql('SELECT relation::text FROM dynamo.tables WHERE name = %s', name)[0][0]
    return name, relation


def put(client, table, **attributes):
    client.put_item(TableName=table, Item={'p': {'S': unique()}, **attributes})


def test_constraint(client, sql, table):
    """A constraint on the relation is a rule that a request can break."""
    name, relation = table
    sql(f"ALTER TABLE {relation} ADD CONSTRAINT has_n CHECK (item ? 'n')")
    put(client, name, n={'N': '1'})
    with raises('ValidationException', re.compile(REFUSED + '.*"has_n"')):
        put(client, name)
    # Among others in a round, too.
    with raises('ValidationException', re.compile(REFUSED + '.*"has_n"')):
        client.batch_write_item(RequestItems={name: [
            {'PutRequest': {'Item': {'p': {'S': 'x'}, 'n': {'N': '1'}}}},
            {'PutRequest': {'Item': {'p': {'S': 'y'}}}}]})
    assert client.scan(TableName=name)['Count'] == 1


def test_what_runs_again_is_still_refused(sql, table):
    """An error in a round has the others run again: a request without a body too."""
    name, relation = table
    sql(f"ALTER TABLE {relation} ADD CONSTRAINT has_n CHECK (item ? 'n')")

    def put(**attributes):
        return signed(json.dumps({'TableName': name, 'Item': {'p': {'S': unique()}, **attributes}}).encode(), 'PutItem')
    with Connection() as connection:
        for _ in range(20):
            connection.send(put(n={'N': '1'}) + signed(b'') + signed(b'', 'GetItem') + put() + put(n={'N': '2'}))
            replies = [connection.reply() for _ in range(5)]
            assert [r.status for r in replies] == [200, 400, 400, 400, 200]
            assert [r.type for r in replies[1:4]] == ['SerializationException', 'SerializationException', 'ValidationException']


def test_unique_index(client, sql, table):
    name, relation = table
    sql(f"CREATE UNIQUE INDEX ON {relation} ((item ->> 'n'))")
    put(client, name, n={'N': '1'})
    with raises('ValidationException', re.compile(REFUSED + 'duplicate key value')):
        put(client, name, n={'N': '1'})
    put(client, name, n={'N': '2'})


def test_index_that_cannot_take_the_item(client, sql, table):
    name, relation = table
    sql(f"CREATE INDEX ON {relation} (((item ->> 'n')::int))")
    put(client, name, n={'N': '1'})
    with raises('ValidationException', re.compile(REFUSED + 'invalid input syntax')):
        put(client, name, n={'S': 'one'})
    sql(f"CREATE INDEX ON {relation} ((item ->> 's'))")
    incompressible = unique() + ''.join(f'{i * 2654435761 % 2**32:x}' for i in range(3000))
    with raises('ValidationException', re.compile(REFUSED + 'index row requires')):
        put(client, name, s={'S': incompressible})


def test_trigger(client, sql, table):
    name, relation = table
    function = 'f' + unique().replace('-', '_')
    sql(f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.item OPERATOR(dynamo.?) 'bad' THEN RAISE EXCEPTION 'no bad items here'; END IF; RETURN NEW; END $$")
    try:
        sql(f'CREATE TRIGGER t BEFORE INSERT OR UPDATE ON {relation}'
            f' FOR EACH ROW EXECUTE FUNCTION {function}()')
        put(client, name)
        with raises('ValidationException', REFUSED + 'no bad items here'):
            put(client, name, bad={'S': 'x'})
    finally:
        sql(f'DROP FUNCTION {function} CASCADE')


def test_delete_table_with_dependents(client, sql, table):
    name, relation = table
    view = 'v' + unique().replace('-', '_')
    sql(f'CREATE VIEW {view} AS SELECT item FROM {relation}')
    with raises('ResourceInUseException', re.compile(
            '^Attempt to change a resource which is still in use: cannot drop table .*'
            ' because other objects depend on it$')):
        client.delete_table(TableName=name)
    put(client, name)
    sql(f'DROP VIEW {view}')
    client.delete_table(TableName=name)


def test_tables_that_sql_drops(client, sql):
    """Whoever comes while a relation goes finds no table, or the table; nobody meets an error of PostgreSQL's."""
    end = time.monotonic() + 3
    names = [unique('dynamo-drop-') for _ in range(3)]
    failures = []

    def drop(name):
        with contextlib.closing(psycopg2.connect('')) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while time.monotonic() < end:
                client.create_table(TableName=name, BillingMode='PAY_PER_REQUEST', KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}],
                                    AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'}])
                cursor.execute(f'ALTER TABLE dynamo_data."{name}" SET (fillfactor = 70)')
                cursor.execute(f'DROP TABLE dynamo_data."{name}"')

    def use(call):
        while time.monotonic() < end:
            for name in names:
                try:
                    call(name)
                except client.exceptions.ResourceNotFoundException:
                    pass
                except botocore.exceptions.ClientError as e:
                    failures.append(e)

    calls = [lambda n: client.describe_time_to_live(TableName=n), lambda n: client.get_item(TableName=n, Key={'p': {'S': 'x'}}),
             lambda n: client.put_item(TableName=n, Item={'p': {'S': 'x'}}), lambda n: client.scan(TableName=n)]
    with concurrent.futures.ThreadPoolExecutor(11) as threads:
        for done in [*[threads.submit(drop, n) for n in names], *[threads.submit(use, c) for c in calls * 2]]:
            done.result()
    assert not failures
