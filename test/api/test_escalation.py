"""Ways to more than one may do that lead by what one may do: each is closed."""
import json

import pytest

from access import Denied, allow, deny, policy, principals, table_arn
from conftest import unique

pytestmark = pytest.mark.not_aws


@pytest.fixture
def make(sql):
    with principals(sql) as make:
        yield make


def named():
    return unique('escalate_').replace('-', '_')


@pytest.mark.parametrize('action,member', [
    ('TagResource', {'Tags': [{'Key': 'team', 'Value': 'red'}]}),
    ('PutResourcePolicy', {'ResourcePolicy': policy(allow(Principal='*'))})], ids=lambda value: str(value)[:12])
def test_a_new_table_has_only_what_one_may_give_it(make, sql, action, member):
    """Policies go by tags, and a resource policy is one: who may not put them on a
    table that is there may not make one with them."""
    user = make(named(), policy(allow('dynamodb:CreateTable')))
    request = {'TableName': user.role, 'BillingMode': 'PAY_PER_REQUEST',
               'AttributeDefinitions': [{'AttributeName': 'p', 'AttributeType': 'S'}],
               'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'}]}
    for call in user.by_http, user.by_sql:
        with pytest.raises(Denied, match=f'perform: dynamodb:{action} on resource: {table_arn(user.role)}'):
            call('CreateTable', {**request, **member})
    user.attach(policy(allow(f'dynamodb:{action}')))
    user.by_sql('CreateTable', {**request, **member})
    user.by_http('CreateTable', {**request, **member})
    sql('SELECT dynamo.delete_table(%s)', json.dumps({'TableName': user.role}))
    user.by_http('CreateTable', request)
    sql('SELECT dynamo.delete_table(%s)', json.dumps({'TableName': user.role}))
    user.attach(policy(deny(f'dynamodb:{action}')))
    with pytest.raises(Denied, match='explicit deny'):
        user.by_http('CreateTable', {**request, **member})


def with_trigger(sql, user, body):
    """Have the user own a table with a trigger, and a log; all have the role's name."""
    sql(f'GRANT CREATE ON SCHEMA dynamo_data, public TO "{user.role}"')
    user.client.create_table(TableName=user.role, BillingMode='PAY_PER_REQUEST',
                             AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'}],
                             KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}])
    with sql.connection.cursor() as cursor:
        cursor.execute(f'SET ROLE "{user.role}"')
        cursor.execute(f"""
            CREATE TABLE public."{user.role}_log" (who text);
            CREATE FUNCTION public."{user.role}_it"() RETURNS trigger LANGUAGE plpgsql
                SET search_path = public AS $$ BEGIN {body} RETURN NEW; END $$;
            CREATE TRIGGER it BEFORE INSERT ON dynamo_data."{user.role}"
                FOR EACH ROW EXECUTE FUNCTION public."{user.role}_it"()""")
        cursor.execute('RESET ROLE')


def put(user, count=20):
    for n in range(count):
        user.by_http('PutItem', {'TableName': user.role, 'Item': {'p': {'S': str(n)}}})


def with_trigger(sql, user, body):
    """Have the user own a table with a trigger, and a log; all have the role's name."""
    sql(f'GRANT CREATE ON SCHEMA dynamo_data, public TO "{user.role}"')
    user.client.create_table(TableName=user.role, BillingMode='PAY_PER_REQUEST',
                             AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'}],
                             KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}])
    with sql.connection.cursor() as cursor:
        cursor.execute(f'SET ROLE "{user.role}"')
        cursor.execute(f"""
            CREATE TABLE public."{user.role}_log" (who text);
            CREATE FUNCTION public."{user.role}_it"() RETURNS trigger LANGUAGE plpgsql
                SET search_path = public AS $$ BEGIN {body} RETURN NEW; END $$;
            CREATE TRIGGER it BEFORE INSERT ON dynamo_data."{user.role}"
                FOR EACH ROW EXECUTE FUNCTION public."{user.role}_it"()""")
        cursor.execute('RESET ROLE')


def put(user, count=20):
    for n in range(count):
        user.by_http('PutItem', {'TableName': user.role, 'Item': {'p': {'S': str(n)}}})


def test_what_a_trigger_leaves_in_the_worker_is_nobodys(make, sql):
    """A worker serves everybody: a temporary table that one role's trigger makes would
    be found before another role's table by a function that names it without a schema,
    and the trigger on it would run as that other role.  So would prepared statements."""
    mallory, victim = make(named()), make(named())
    log = f'{victim.role}_log'
    sql('CREATE TABLE public.escalated (who text)')
    sql('GRANT ALL ON public.escalated TO PUBLIC')
    try:
        with_trigger(sql, victim, f"""
            INSERT INTO "{log}" VALUES (current_user);
            EXECUTE 'PREPARE same AS INSERT INTO public."{log}" VALUES (''prepared'')';
            EXECUTE 'EXECUTE same';""")
        with_trigger(sql, mallory, f"""
            EXECUTE 'PREPARE same AS INSERT INTO public.escalated VALUES (current_user)';
            PERFORM pg_advisory_lock(4711);
            EXECUTE 'CREATE FUNCTION pg_temp.trap() RETURNS trigger LANGUAGE plpgsql AS '
                '$t$ BEGIN INSERT INTO public.escalated VALUES (current_user); RETURN NEW; END $t$';
            CREATE TEMP TABLE "{log}" (who text);
            GRANT ALL ON "{log}" TO PUBLIC;
            EXECUTE 'CREATE TRIGGER trap BEFORE INSERT ON pg_temp."{log}" FOR EACH ROW EXECUTE FUNCTION pg_temp.trap()';""")
        put(mallory)
        put(victim)
        assert sql('SELECT * FROM public.escalated') == []
        assert sql(f'SELECT who, count(*) FROM public."{log}" GROUP BY 1 ORDER BY 1') == [(victim.role, 20), ('prepared', 20)]
        assert sql('SELECT pg_try_advisory_lock(4711), pg_advisory_unlock(4711)') == [(True, True)]
    finally:
        sql('DROP TABLE public.escalated')


def test_a_web_page_reads_no_metrics(raw):
    """They name tables.  A page from elsewhere in a browser on this machine may read what
    localhost answers, as our answers allow it; or has a name of its own that leads here."""
    def status(**headers):
        return raw('GetItem', b'', method='GET', path='/metrics', sign=False, headers=headers).status

    assert status() == status(Origin='http://localhost:3000') == 200
    assert status(Origin='https://evil.example') == status(Origin='null') == 403
    assert status(Host='evil.example:8000') == 403
