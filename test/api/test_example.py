"""The example program's answers are those of SQL over the same relation, here
and on a streaming standby's data."""
import os
import pathlib
import subprocess
import sys

import boto3
import pytest

from conftest import ENDPOINT, unique, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'examples/debian-packages'))
import packages  # noqa: E402

SLICE = 4000
pytestmark = pytest.mark.not_aws


def section_with_most(sql, relation):
    """(section, first letters of its first .deb): a question with an answer."""
    section, = sql(f"SELECT item ->> 'Section' FROM {relation} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")[0]
    first, = sql(f"SELECT left(item ->> 'Deb', 2) FROM {relation} WHERE item ->> 'Section' = %s"
                 f" GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1", section)[0]
    return section, first


def by_sql(sql, relation, section, letters):
    """The same questions, asked of the relation."""
    def column(statement, *parameters):
        return [row[0] for row in sql(statement.format(relation), *parameters)]

    return {
        'count': column('SELECT count(*) FROM {}')[0],
        'names': column("SELECT item ->> 'Package' FROM {} WHERE item ->> 'Section' = %s"
                        " AND starts_with(item ->> 'Deb', %s) ORDER BY item ->> 'Deb' COLLATE \"C\"",
                        section, letters),
        'last': column("SELECT item ->> 'Deb' FROM {} WHERE item ->> 'Section' = %s"
                       " ORDER BY item ->> 'Deb' COLLATE \"C\" DESC LIMIT 7", section),
        'largest': [tuple(r) for r in sql(
            f"SELECT (item ->> 'InstalledSize')::bigint, item ->> 'Deb' FROM {relation}"
            " WHERE (item ->> 'InstalledSize')::numeric >= 5000"
            " ORDER BY 1 DESC, item ->> 'Deb' COLLATE \"C\" LIMIT 10")],
        'tag': column("SELECT count(*) FROM {} WHERE item::jsonb -> 'Tags' -> 'SS' ? 'implemented-in::c'")[0],
        'homepage': column("SELECT count(*) FROM {} WHERE item::jsonb -> 'Homepage' ? 'NULL'")[0],
        'choices': [tuple(r) for r in sql(
            "SELECT package, count(*) FROM (SELECT DISTINCT hash, partition_key, sort_key,"
            "  g -> 'L' -> 0 -> 'M' -> 'Package' ->> 'S' AS package"
            f"  FROM {relation}, jsonb_array_elements(item::jsonb -> 'Depends' -> 'L') g) d"
            " GROUP BY package ORDER BY 2 DESC, package COLLATE \"C\" LIMIT 5")],
    }


def by_api(table, section, letters):
    return {
        'count': packages.count_in_segments(table),
        'names': packages.names_in_section(table, section, letters),
        'last': packages.last_of_section(table, section, 7),
        'largest': packages.largest(table, 5000, 10),
        'tag': packages.with_tag(table, 'implemented-in::c'),
        'homepage': packages.without_homepage(table),
        'choices': packages.first_choices(table),
    }


def compare(table, sql):
    relation = f'dynamo_data."{table.name}"'
    question = section_with_most(sql, relation)
    answers = by_api(table, *question)
    assert answers == by_sql(sql, relation, *question)
    # An answer of nothing would agree with anything.
    assert all(answers[name] for name in ('count', 'names', 'last', 'choices'))
    return answers


def test_example(resource, sql):
    table = packages.create_table(resource, unique('Debian'))
    try:
        loaded = packages.load(table, SLICE)
        assert compare(table, sql)['count'] == loaded == len(list(packages.records(SLICE)))
        # One record in full, as the program had it.
        record = next(iter(packages.records(1)))
        key = {name: record[name] for name in ('Section', 'Deb')}
        assert table.get_item(Key=key)['Item'] == record
        assert packages.review(table, key) is True
        assert packages.review(table, key) is False
        reviewed = packages.add_step(table, key, 'built')
        assert reviewed['Review'] == {'Steps': ['read', 'built']} and reviewed['Tries'] == 2
        assert {n: v for n, v in reviewed.items() if n not in ('Review', 'Tries')} == record
    finally:
        table.delete()


def test_program():
    """From the command line, as make demo runs it."""
    table = unique('Debian')
    try:
        result = subprocess.run(
            [sys.executable, packages.__file__, '--limit', '600', '--table', table], capture_output=True,
            text=True, timeout=300, env={**os.environ, 'AWS_ENDPOINT_URL': ENDPOINT})
        assert result.returncode == 0, result.stderr
        assert '600 items in ' in result.stdout and "'Steps': ['read', 'built']" in result.stdout
    finally:
        boto3.client('dynamodb', endpoint_url=ENDPOINT).delete_table(TableName=table)


def test_example_on_a_standby(own_server):
    """What streaming replication copied answers alike: by SQL while it is a
    standby, by the API once it is promoted, and it takes writes then."""
    primary = own_server()
    standby = own_server(standby_of=primary)

    def resource_of(server):
        primary.client()
        return boto3.resource(
            'dynamodb', endpoint_url=server.endpoint, region_name=primary.credentials['AWS_DEFAULT_REGION'],
            aws_access_key_id=primary.credentials['AWS_ACCESS_KEY_ID'],
            aws_secret_access_key=primary.credentials['AWS_SECRET_ACCESS_KEY'])

    table = packages.create_table(resource_of(primary), 'Debian')
    packages.load(table, SLICE // 2)
    answers = compare(table, primary.sql)
    end, = primary.sql('SELECT pg_current_wal_flush_lsn()')[0]
    wait_for(lambda: standby.sql('SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn', end)[0][0], 60)
    question = section_with_most(primary.sql, 'dynamo_data."Debian"')
    assert by_sql(standby.sql, 'dynamo_data."Debian"', *question) == answers

    primary.stop('immediate')
    standby.sql('SELECT pg_promote()')
    standby.wait()
    promoted = resource_of(standby).Table('Debian')
    assert compare(promoted, standby.sql) == answers
    record = next(iter(packages.records(1)))
    key = {name: record[name] for name in ('Section', 'Deb')}
    assert packages.review(promoted, key) is True
