"""PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy, and what a policy is good for."""
import json
import re

import pytest

from access import Denied, allow, deny, policy, principals, table_arn
from conftest import raises, unique, wait_for

pytestmark = pytest.mark.not_aws
VALIDATION = 'ValidationException'
NO_POLICY = 'PolicyNotFoundException'


@pytest.fixture
def make(sql):
    with principals(sql) as make:
        yield make


@pytest.fixture
def guest(make):
    return make(unique('guest').replace('-', '_'))


def granted(principal, *actions, resource='*'):
    return policy({**allow(list(actions), resource), 'Principal': {'AWS': principal.arn}})


def test_put_get_delete(client, make_table, guest):
    arn = table_arn(make_table())
    with raises(NO_POLICY, f'Resource-based policy not found for the provided ResourceArn: {arn}'):
        client.get_resource_policy(ResourceArn=arn)
    first = client.put_resource_policy(ResourceArn=arn, Policy=granted(guest, 'dynamodb:GetItem'))['RevisionId']
    assert re.fullmatch(r'\d+', first)
    # The same again changes nothing; another document has another revision.
    assert client.put_resource_policy(ResourceArn=arn, Policy=granted(guest, 'dynamodb:GetItem'))['RevisionId'] == first
    document = granted(guest, 'dynamodb:PutItem') + '\n  '
    second = client.put_resource_policy(ResourceArn=arn, Policy=document)['RevisionId']
    assert second != first
    reply = client.get_resource_policy(ResourceArn=arn)
    assert (reply['Policy'], reply['RevisionId']) == (document, second)
    assert client.delete_resource_policy(ResourceArn=arn)['RevisionId'] == second
    assert 'RevisionId' not in client.delete_resource_policy(ResourceArn=arn)
    with raises(NO_POLICY):
        client.get_resource_policy(ResourceArn=arn)


def test_expected_revision(client, make_table, guest):
    arn = table_arn(make_table())
    missing = f'Resource-based policy not found for the provided ResourceArn: {arn}'
    document, other = granted(guest, 'dynamodb:GetItem'), granted(guest, 'dynamodb:Query')
    with raises(NO_POLICY, missing):
        client.put_resource_policy(ResourceArn=arn, Policy=document, ExpectedRevisionId='1')
    with raises(NO_POLICY, missing):
        client.delete_resource_policy(ResourceArn=arn, ExpectedRevisionId='1')
    first = client.put_resource_policy(ResourceArn=arn, Policy=document, ExpectedRevisionId='NO_POLICY')['RevisionId']
    with raises(NO_POLICY, missing):
        client.put_resource_policy(ResourceArn=arn, Policy=other, ExpectedRevisionId='NO_POLICY')
    second = client.put_resource_policy(ResourceArn=arn, Policy=other, ExpectedRevisionId=first)['RevisionId']
    with raises(NO_POLICY, missing):
        client.put_resource_policy(ResourceArn=arn, Policy=document, ExpectedRevisionId=first)
    with raises(NO_POLICY, missing):
        client.delete_resource_policy(ResourceArn=arn, ExpectedRevisionId=first)
    assert client.delete_resource_policy(ResourceArn=arn, ExpectedRevisionId=second)['RevisionId'] == second


@pytest.mark.parametrize('document,problem', [
    ('', 'This policy contains invalid Json'),
    ('{', 'This policy contains invalid Json'),
    ('[]', ''),
    ('{"Version": "2012-10-17"}', 'Missing required field Statement'),
    (policy(allow()), 'Missing required field Principal'),
    (policy({**allow(), 'Principal': '*', 'Effect': 'Maybe'}), ''),
    (policy({**allow(), 'Principal': '*', 'Action': 'Fly'}), ''),
    (policy({**allow(), 'Principal': '*'}).replace('"Effect"', '"effect"'), ''),
    (policy({**allow(), 'Principal': '*', 'Sid': 'x' * 20500}), 'The policy exceeds the maximum size of 20 KB'),
    (policy({**allow(), 'Principal': '*'}) + ' ' * 20480, 'The policy exceeds the maximum size of 20 KB'),
])
def test_what_is_no_policy(client, make_table, document, problem):
    arn = table_arn(make_table())
    with raises(VALIDATION, re.compile(
            '^One or more parameter values were invalid: Invalid policy document: .*' + problem, re.S)):
        client.put_resource_policy(ResourceArn=arn, Policy=document)
    with raises(NO_POLICY):
        client.get_resource_policy(ResourceArn=arn)


def test_the_largest(client, make_table, guest):
    arn = table_arn(make_table())
    document = granted(guest, 'dynamodb:GetItem')
    document += ' ' * (20480 - len(document))
    client.put_resource_policy(ResourceArn=arn, Policy=document)
    assert client.get_resource_policy(ResourceArn=arn)['Policy'] == document


def test_arns(unchecked_client, table_s, guest):
    client, document = unchecked_client, granted(guest, 'dynamodb:GetItem')
    calls = [lambda **of: client.put_resource_policy(**of, Policy=document),
             client.get_resource_policy, client.delete_resource_policy]
    for call in calls:
        with raises(VALIDATION, "1 validation error detected: Value null at 'resourceArn' failed to satisfy "
                    'constraint: Member must not be null'):
            call()
        for wrong in ('x', table_arn('no/thing/else'), table_arn(table_s) + '/index/abc', 'arn:aws:s3:::x'):
            with raises(VALIDATION, f'Invalid TableArn: Invalid ResourceArn provided as input {wrong}'):
                call(ResourceArn=wrong)
        for missing in (table_arn('no-such-table'), table_arn(table_s) + '/stream/2020-01-01T00:00:00.000'):
            with raises('ResourceNotFoundException', f'Requested resource not found: ResourcArn: {missing} not found'):
                call(ResourceArn=missing)
        with raises(VALIDATION, re.compile('less than or equal to 1283')):
            call(ResourceArn='x' * 1284)
    for call in calls[::2]:
        with raises(VALIDATION, re.compile("'expectedRevisionId' failed .* less than or equal to 255")):
            call(ResourceArn=table_arn(table_s), ExpectedRevisionId='1' * 256)
    with raises(VALIDATION, re.compile("Value null at 'policy'")):
        client.put_resource_policy(ResourceArn=table_arn(table_s))


def test_it_counts_at_once_for_table_and_indexes(client, make_table, guest):
    table = make_table(GlobalSecondaryIndexes=[{
        'IndexName': 'by_g', 'KeySchema': [{'AttributeName': 'g', 'KeyType': 'HASH'}],
        'Projection': {'ProjectionType': 'ALL'}}], AttributeDefinitions=[
            {'AttributeName': n, 'AttributeType': 'S'} for n in 'pg'])
    arn = table_arn(table)
    query = {'TableName': table, 'IndexName': 'by_g', 'KeyConditionExpression': 'g = :g',
             'ExpressionAttributeValues': {':g': {'S': 'x'}}}
    get = {'TableName': table, 'Key': {'p': {'S': 'x'}}}
    for _ in range(8):          # on whatever worker the connections are
        with pytest.raises(Denied):
            guest.by_http('GetItem', get)
        client.put_resource_policy(ResourceArn=arn, Policy=granted(
            guest, 'dynamodb:GetItem', 'dynamodb:Query', resource=[arn, arn + '/index/by_g']))
        guest.by_http('GetItem', get)
        guest.by_sql('Query', query)
        guest.by_http('Query', query)
        with pytest.raises(Denied, match='because no identity-based policy allows the dynamodb:PutItem action'):
            guest.by_http('PutItem', {'TableName': table, 'Item': {'p': {'S': 'x'}}})
        client.put_resource_policy(ResourceArn=arn, Policy=granted(guest, 'dynamodb:GetItem', resource=arn))
        with pytest.raises(Denied):
            guest.by_http('Query', query)
        client.delete_resource_policy(ResourceArn=arn)


def test_a_stream_has_its_own(client, make_table, guest):
    table = make_table(StreamSpecification={'StreamEnabled': True, 'StreamViewType': 'KEYS_ONLY'})
    stream = client.describe_table(TableName=table)['Table']['LatestStreamArn']
    describe = ('DescribeStream', {'StreamArn': stream})
    client.put_resource_policy(ResourceArn=table_arn(table), Policy=granted(guest, 'dynamodb:*'))
    with pytest.raises(Denied):
        guest.by_http(*describe)
    client.delete_resource_policy(ResourceArn=table_arn(table))
    client.put_resource_policy(ResourceArn=stream, Policy=granted(guest, 'dynamodb:DescribeStream', resource=stream))
    assert client.get_resource_policy(ResourceArn=stream)['Policy']
    guest.by_http(*describe)
    guest.by_sql(*describe)
    with pytest.raises(Denied):
        guest.by_http('GetItem', {'TableName': table, 'Key': {'p': {'S': 'x'}}})
    client.delete_resource_policy(ResourceArn=stream)
    with pytest.raises(Denied):
        guest.by_http(*describe)


def test_it_goes_with_the_table(client, make_table, guest, sql):
    table = make_table()
    client.put_resource_policy(ResourceArn=table_arn(table), Policy=granted(guest, 'dynamodb:*'))
    client.delete_table(TableName=table)
    assert sql('SELECT count(*) FROM dynamo.resource_policies WHERE table_name = %s', table) == [(0,)]
    make_table(TableName=table)
    with pytest.raises(Denied):
        guest.by_http('DescribeTable', {'TableName': table})
    with raises(NO_POLICY):
        client.get_resource_policy(ResourceArn=table_arn(table))


def test_create_table_with_it(client, make_table, guest):
    document = granted(guest, 'dynamodb:DescribeTable')
    table = make_table(ResourcePolicy=document)
    assert client.get_resource_policy(ResourceArn=table_arn(table))['Policy'] == document
    guest.by_http('DescribeTable', {'TableName': table})
    with raises(VALIDATION, re.compile('Invalid policy document: Missing required field Statement')):
        make_table(ResourcePolicy='{}')


def test_lockout(client, make_table, make, raw):
    """Who would lock himself out has to say so; the account's own superuser is never locked out."""
    arn = table_arn(make_table())
    owner = make(unique('owner').replace('-', '_'), policy(allow(resource=arn)))
    locking = policy({**deny('dynamodb:PutResourcePolicy'), 'Principal': {'AWS': owner.arn}})
    for call in (owner.by_http, owner.by_sql):
        with pytest.raises(Exception, match='With this policy you could not change it any more'):
            call('PutResourcePolicy', {'ResourceArn': arn, 'Policy': locking})
    owner.by_sql('PutResourcePolicy', {'ResourceArn': arn, 'Policy': locking, 'ConfirmRemoveSelfResourceAccess': True})
    owner.by_http('PutResourcePolicy', {'ResourceArn': arn, 'Policy': locking, 'ConfirmRemoveSelfResourceAccess': True})
    with pytest.raises(Denied, match='with an explicit deny in a resource-based policy'):
        owner.by_http('PutResourcePolicy', {'ResourceArn': arn, 'Policy': locking + ' '})
    client.put_resource_policy(ResourceArn=arn, Policy=locking + ' ')
    client.delete_resource_policy(ResourceArn=arn)

    # SDKs that know the member as a header send it as one.
    request = {'ResourceArn': arn, 'Policy': locking}
    reply = raw('PutResourcePolicy', request, {'x-amz-confirm-remove-self-resource-access': 'true'})
    assert reply.status == 200


def test_who_is_allowed_nothing_more_learns_nothing(client, make_table, guest):
    arn = table_arn(make_table())
    client.put_resource_policy(ResourceArn=arn, Policy=granted(guest, 'dynamodb:GetItem'))
    for operation, more in (('GetResourcePolicy', {}), ('DeleteResourcePolicy', {}),
                            ('PutResourcePolicy', {'Policy': granted(guest, 'dynamodb:*')})):
        for of in (arn, table_arn('no-such-table')):
            with pytest.raises(Denied):
                guest.by_http(operation, {'ResourceArn': of, **more})


def test_revoked_at_once(make_table, make):
    """A policy that is detached, changed or denied counts for the next request on every connection."""
    table = make_table()
    user = make(unique('user').replace('-', '_'), policy(allow('dynamodb:GetItem', table_arn(table))))
    get = ('GetItem', {'TableName': table, 'Key': {'p': {'S': 'x'}}})
    for _ in range(10):
        user.by_http(*get)
        user.replace(0, policy(deny('dynamodb:GetItem')))
        with pytest.raises(Denied):
            user.by_http(*get)
        user.replace(0, policy(allow('dynamodb:GetItem', table_arn(table))))


def test_a_role_with_one_table(client, make_table, make, sql):
    """USAGE on the schema and privileges on one table: just that is to be used, and seen."""
    mine, other = make_table(), make_table()
    user = make(unique('one').replace('-', '_'))
    sql(f'GRANT SELECT, INSERT, UPDATE, DELETE ON dynamo_data."{mine}" TO "{user.role}"')
    for call in (user.by_http, user.by_sql):
        call('PutItem', {'TableName': mine, 'Item': {'p': {'S': 'x'}}})
        call('GetItem', {'TableName': mine, 'Key': {'p': {'S': 'x'}}})
        call('DescribeTable', {'TableName': mine})
        assert call('ListTables', {})['TableNames'] == [mine]
        for operation in ('DescribeTable', 'Scan', 'DescribeTimeToLive'):
            with pytest.raises(Denied):
                call(operation, {'TableName': other})
        with pytest.raises(Denied):
            call('UpdateTable', {'TableName': mine, 'DeletionProtectionEnabled': True})
    assert user.in_sql('SELECT name FROM dynamo.tables') == [(mine,)]


def test_list_tables_page_by_page(make_table, make, sql):
    """Those that one may not see in between make no page shorter."""
    prefix = unique('pages-')
    tables = [make_table(TableName=f'{prefix}-{i:02}') for i in range(12)]
    seen = tables[1::3]
    user = make(unique('pages').replace('-', '_'))
    for table in seen:
        sql(f'GRANT SELECT ON dynamo_data."{table}" TO "{user.role}"')
    for call in (user.by_http, user.by_sql):
        found, start = [], {}
        while True:
            reply = call('ListTables', {'Limit': 2, **start})
            assert len(reply['TableNames']) <= 2
            found += reply['TableNames']
            if 'LastEvaluatedTableName' not in reply:
                break
            start = {'ExclusiveStartTableName': reply['LastEvaluatedTableName']}
        assert found == seen


def test_dump(own_server, tmp_path):
    """A dump has the policies of tables, and a role's view of the catalogs."""
    import subprocess
    from private_cluster import pg_config
    server = own_server()
    client = server.client()
    client.create_table(TableName='dumped', BillingMode='PAY_PER_REQUEST',
                        KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}],
                        AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'}],
                        ResourcePolicy=policy({**allow('dynamodb:GetItem'), 'Principal': '*'}))
    server.sql('CREATE ROLE reader')
    server.sql('GRANT SELECT ON dynamo_data.dumped TO reader')
    tools = pg_config('bindir')
    connection = ['-h', str(server.socket), '-p', '5432', '-U', 'postgres']
    subprocess.run([f'{tools}/pg_dump', *connection, '-Fc', '-f', tmp_path / 'dump', 'postgres'], check=True)
    server.sql('CREATE DATABASE copy')
    subprocess.run([f'{tools}/pg_restore', *connection, '-d', 'copy', tmp_path / 'dump'], check=True)
    [(document,)] = server.sql('SELECT document FROM dynamo.resource_policies', database='copy')
    assert json.loads(document)['Statement'][0]['Action'] == 'dynamodb:GetItem'
    assert server.sql("SELECT decision, decided_by FROM dynamo.explain_access('reader', 'GetItem',"
                      " request => '{\"TableName\": \"dumped\", \"Key\": {\"p\": {\"S\": \"x\"}}}')",
                      database='copy') == [('ALLOW', 'SQL privilege')]
    assert server.sql('SET ROLE reader; SELECT name FROM dynamo.tables', database='copy') == [('dumped',)]


def test_warnings_are_counted(sql, make_table, make, own_setting, raw):
    table = make_table()
    user = make(unique('warned').replace('-', '_'), policy(deny('dynamodb:GetItem')))
    sql(f'GRANT SELECT ON dynamo_data."{table}" TO "{user.role}"')
    get = ('GetItem', {'TableName': table, 'Key': {'p': {'S': 'x'}}})

    def warnings():
        reply = raw('GetItem', b'', method='GET', path='/metrics', sign=False)
        return int(re.search(rb'^dynamo_policy_warnings_total (\d+)$', reply.body, re.M)[1])

    with pytest.raises(Denied):
        user.by_http(*get)
    before = warnings()
    own_setting('dynamo.policy_enforcement', 'warn')
    user.by_http(*get)
    wait_for(lambda: warnings() == before + 1)


@pytest.mark.parametrize('way', ['by_http', 'by_sql'])
def test_encrypted_tables_are_no_different(client, make_table, make, way):
    """What a policy allows, the operation does, though the role could not open an item itself."""
    table = make_table(SSESpecification={'Enabled': True})
    user = make(unique('sealed').replace('-', '_'), policy(allow(
        ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Scan', 'dynamodb:UpdateItem'], table_arn(table))))
    call = getattr(user, way)
    client.put_item(TableName=table, Item={'p': {'S': 'x'}, 'n': {'N': '1'}})
    assert call('GetItem', {'TableName': table, 'Key': {'p': {'S': 'x'}}})['Item']['n'] == {'N': '1'}
    assert call('Scan', {'TableName': table})['Count'] == 1
    assert call('UpdateItem', {'TableName': table, 'Key': {'p': {'S': 'x'}}, 'UpdateExpression': 'SET n = n + :n',
                               'ExpressionAttributeValues': {':n': {'N': '1'}}, 'ReturnValues': 'ALL_NEW'})['Attributes']['n'] == {'N': '2'}
    call('PutItem', {'TableName': table, 'Item': {'p': {'S': 'y'}}})
