"""Table class, ceilings, warm throughput, decreases: CreateTable and UpdateTable."""
import re

import pytest

from conftest import ON_AWS, raises, unique, wait_for

VALIDATION = 'ValidationException'
INVALID = 'One or more parameter values were invalid: '
INFREQUENT = 'STANDARD_INFREQUENT_ACCESS'


def describe(client, name):
    return client.describe_table(TableName=name)['Table']


@pytest.fixture
def update(client):
    """UpdateTable; the description once the table is ACTIVE again."""
    def update(name, **parameters):
        client.update_table(TableName=name, **parameters)
        return wait_for(lambda: (t := describe(client, name))['TableStatus'] == 'ACTIVE' and t,
                        1800 if ON_AWS else 10)
    return update


# ----- table class -----

def test_standard_says_nothing(client, table_s):
    assert 'TableClassSummary' not in describe(client, table_s)


def test_class_of_a_new_table(client, make_table):
    summary = describe(client, make_table(TableClass=INFREQUENT))['TableClassSummary']
    assert summary == {'TableClass': INFREQUENT}


def test_two_changes_of_class(client, make_table, update):
    name = make_table()
    # The class it has is no change.
    update(name, TableClass='STANDARD')
    assert 'TableClassSummary' not in describe(client, name)
    summary = update(name, TableClass=INFREQUENT)['TableClassSummary']
    assert summary['TableClass'] == INFREQUENT
    assert 'LastUpdateDateTime' in summary
    assert update(name, TableClass='STANDARD')['TableClassSummary']['TableClass'] == 'STANDARD'
    with raises('LimitExceededException'):
        update(name, TableClass=INFREQUENT)
    update(name, TableClass='STANDARD')


def test_class_may_change_again_after_a_month(make_table, update, sql):
    name = make_table()
    update(name, TableClass=INFREQUENT)
    update(name, TableClass='STANDARD')
    sql("UPDATE dynamo.tables SET class_changed_before = now() - interval '30 days' WHERE name = %s", name)
    update(name, TableClass=INFREQUENT)
    # The one before last is now the one that was last.
    with raises('LimitExceededException'):
        update(name, TableClass='STANDARD')


def options(sql, name):
    return dict(option.split('=') for option in sql(
        "SELECT reloptions FROM pg_class c, dynamo.tables t WHERE c.oid = t.relation AND name = %s",
        name)[0][0])


def test_class_is_how_items_are_stored(client, make_table, update, sql):
    # Encrypted, they could not be compressed.
    names = {kind: make_table(TableClass=kind, SSESpecification={'Enabled': False}) for kind in ('STANDARD', INFREQUENT)}
    sizes = {}
    for kind, name in names.items():
        for i in range(100):
            client.put_item(TableName=name, Item={'p': {'S': str(i)}, 'v': {'S': 'easy to compress ' * 300}})
        sizes[kind], = sql('SELECT pg_table_size(relation) FROM dynamo.tables WHERE name = %s', name)[0]
        assert client.get_item(TableName=name, Key={'p': {'S': '7'}})['Item']['v']['S'] == 'easy to compress ' * 300
    assert sizes[INFREQUENT] < sizes['STANDARD'] / 3
    standard = options(sql, names['STANDARD'])
    assert options(sql, names[INFREQUENT]) != standard
    # And what is written after a change, which leaves alone how the table is vacuumed: somebody may have tuned that.
    assert standard['autovacuum_vacuum_scale_factor'] == '0.05' and standard['autovacuum_vacuum_cost_limit'] == '2000'
    sql(f'ALTER TABLE dynamo_data."{names[INFREQUENT]}" SET (autovacuum_vacuum_scale_factor = 0.5)')
    update(names[INFREQUENT], TableClass='STANDARD')
    assert options(sql, names[INFREQUENT]) == {**standard, 'autovacuum_vacuum_scale_factor': '0.5'}
    assert client.get_item(TableName=names[INFREQUENT], Key={'p': {'S': '7'}})['Item']


@pytest.mark.not_aws
def test_change_of_class_stops_nobody(client, make_table, update, sql):
    name = make_table()
    client.put_item(TableName=name, Item={'p': {'S': 'a'}})
    sql(f'BEGIN; SELECT * FROM dynamo_data."{name}"; INSERT INTO dynamo_data."{name}" (item)'
        """ VALUES ('{"p": {"S": "b"}}')""")
    try:
        # Neither a reader nor a writer is in its way.
        update(name, TableClass=INFREQUENT)
        client.put_item(TableName=name, Item={'p': {'S': 'a'}, 'v': {'S': 'x'}})
        # Somebody who vacuums it, or makes an index, is.
        sql(f'LOCK dynamo_data."{name}" IN SHARE UPDATE EXCLUSIVE MODE')
        with raises('ResourceInUseException'):
            client.update_table(TableName=name, TableClass='STANDARD')
    finally:
        sql('ROLLBACK')


@pytest.mark.not_aws
def test_tablespace_of_rarely_read_tables(own_server):
    server = own_server()
    server.sql('ALTER SYSTEM SET allow_in_place_tablespaces = on')
    server.sql("ALTER SYSTEM SET dynamo.infrequent_access_tablespace = 'slow disk'")
    server.sql('SELECT pg_reload_conf()')
    wait_for(lambda: server.sql('SHOW allow_in_place_tablespaces') == [('on',)])
    server.sql("""CREATE TABLESPACE "slow disk" LOCATION ''""")
    client = server.client()

    def create(name, **more):
        client.create_table(TableName=name, BillingMode='PAY_PER_REQUEST',
                            AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'}],
                            KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}], **more)
        client.put_item(TableName=name, Item={'p': {'S': 'a'}})
        return server.sql('SELECT spcname FROM dynamo.tables t JOIN pg_class c ON c.oid = t.relation'
                          ' LEFT JOIN pg_tablespace s ON s.oid = reltablespace WHERE name = %s', name)[0][0]

    def made():
        name = unique('rarely-')
        return create(name, TableClass=INFREQUENT) == 'slow disk'
    wait_for(made)      # the reload takes a moment
    assert create('often') is None


# ----- ceilings -----

def test_ceilings(client, make_table, update):
    name = make_table(OnDemandThroughput={'MaxReadRequestUnits': 5})
    ceilings = describe(client, name)['OnDemandThroughput']
    assert ceilings['MaxReadRequestUnits'] == 5
    assert ceilings.get('MaxWriteRequestUnits', -1) == -1
    # Member by member.
    assert update(name, OnDemandThroughput={'MaxWriteRequestUnits': 6})['OnDemandThroughput'] == {
        'MaxReadRequestUnits': 5, 'MaxWriteRequestUnits': 6}
    # -1 is echoed, then gone.
    echo = client.update_table(TableName=name, OnDemandThroughput={'MaxReadRequestUnits': -1})
    assert echo['TableDescription']['OnDemandThroughput']['MaxReadRequestUnits'] == -1
    ceilings = update(name, OnDemandThroughput={'MaxWriteRequestUnits': 7})['OnDemandThroughput']
    assert ceilings['MaxWriteRequestUnits'] == 7
    assert ceilings.get('MaxReadRequestUnits', -1) == -1


def test_no_ceilings(client, make_table, update):
    name = make_table(OnDemandThroughput={'MaxReadRequestUnits': -1, 'MaxWriteRequestUnits': -1})
    assert set(describe(client, name).get('OnDemandThroughput', {}).values()) <= {-1}
    update(name, OnDemandThroughput={'MaxReadRequestUnits': 1})
    update(name, OnDemandThroughput={'MaxReadRequestUnits': -1})
    assert set(describe(client, name).get('OnDemandThroughput', {}).values()) <= {-1}


@pytest.mark.not_aws    # a day between the switches
def test_provisioned_tables_have_no_ceilings(client, make_table, update):
    name = make_table(OnDemandThroughput={'MaxReadRequestUnits': 5})
    units = {'ReadCapacityUnits': 5, 'WriteCapacityUnits': 5}
    with raises(VALIDATION, INVALID + 'MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED'):
        update(name, BillingMode='PROVISIONED', ProvisionedThroughput=units,
               OnDemandThroughput={'MaxReadRequestUnits': 6})
    assert 'OnDemandThroughput' not in update(name, BillingMode='PROVISIONED', ProvisionedThroughput=units)
    with raises(VALIDATION, INVALID + 'MaxWriteRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED'):
        update(name, OnDemandThroughput={'MaxWriteRequestUnits': 6})
    assert 'OnDemandThroughput' not in update(name, BillingMode='PAY_PER_REQUEST')


@pytest.mark.parametrize('value', [0, -2])
def test_ceilings_out_of_range(client, table_s, value):
    with raises(VALIDATION, INVALID + 'Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid range'):
        client.update_table(TableName=table_s, OnDemandThroughput={'MaxWriteRequestUnits': value})


# ----- warm throughput -----

def warm(table):
    return (table['WarmThroughput']['ReadUnitsPerSecond'], table['WarmThroughput']['WriteUnitsPerSecond'])


def test_warm_throughput_only_grows(client, make_table, update):
    name = make_table()
    assert warm(describe(client, name)) == (12000, 4000)
    assert warm(update(name, WarmThroughput={'WriteUnitsPerSecond': 4001})) == (12000, 4001)
    assert describe(client, name)['WarmThroughput']['Status'] == 'ACTIVE'
    with raises(VALIDATION, INVALID + 'Requested WriteUnitsPerSecond for WarmThroughput for table is lower than current WarmThroughput, decreasing WarmThroughput is not supported'):
        client.update_table(TableName=name, WarmThroughput={'WriteUnitsPerSecond': 4000})
    with raises(VALIDATION):
        client.update_table(TableName=name, WarmThroughput={'ReadUnitsPerSecond': 10 ** 12 + 1})


def test_warm_throughput_of_a_new_table(client, make_table):
    assert warm(describe(client, make_table(WarmThroughput={
        'ReadUnitsPerSecond': 12100, 'WriteUnitsPerSecond': 4100}))) == (12100, 4100)
    with raises(VALIDATION, re.compile('ReadUnitsPerSecond')):
        make_table(TableName=unique('dynamo-test-'), WarmThroughput={'ReadUnitsPerSecond': 11999})


def test_warm_throughput_of_a_provisioned_table(client, make_table, update):
    name = make_table(BillingMode='PROVISIONED', ProvisionedThroughput={
        'ReadCapacityUnits': 5, 'WriteCapacityUnits': 5})
    assert warm(describe(client, name))[0] >= 5
    assert warm(update(name, WarmThroughput={'ReadUnitsPerSecond': 13000}))[0] == 13000


# ----- decreases -----

@pytest.mark.not_aws
def test_decreases_of_a_day(client, make_table, update, sql):
    name = make_table(BillingMode='PROVISIONED', ProvisionedThroughput={
        'ReadCapacityUnits': 100, 'WriteCapacityUnits': 100})

    def change(read):
        return update(name, ProvisionedThroughput={'ReadCapacityUnits': read, 'WriteCapacityUnits': 100})[
            'ProvisionedThroughput']['NumberOfDecreasesToday']

    def last(interval, number):
        # Not in the first hours of a day, or it would be the day before.
        sql("UPDATE dynamo.tables SET last_decrease = date_trunc('day', now() AT TIME ZONE 'UTC')"
            " AT TIME ZONE 'UTC', decreases_today = %s WHERE name = %s", number, name)
        if interval:
            sql("UPDATE dynamo.tables SET last_decrease = greatest(last_decrease, now() - %s::interval)"
                " WHERE name = %s", interval, name)

    assert [change(read) for read in (99, 98, 97, 96)] == [1, 2, 3, 4]
    with raises('LimitExceededException', re.compile('^Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day.*Number of decreases today: 4')):
        change(95)
    # An increase is none, and does not make room for one.
    assert change(97) == 4
    with raises('LimitExceededException'):
        change(96)
    late, = sql("SELECT extract(hour FROM now() AT TIME ZONE 'UTC') >= 1")[0]
    if late:
        last('61 min', 4)
        assert change(96) == 5
        last('61 min', 27)
        with raises('LimitExceededException'):
            change(95)
    # Another day.
    sql("UPDATE dynamo.tables SET last_decrease = now() - interval '1 day' WHERE name = %s", name)
    assert change(94) == 1


# ----- ARNs in place of names -----

ITEM = {'p': {'S': 'arn'}}


def test_arns_in_place_of_names(client, make_table):
    name = make_table()
    arn = describe(client, name)['TableArn']
    client.put_item(TableName=arn, Item=ITEM)
    assert client.get_item(TableName=arn, Key=ITEM)['Item'] == ITEM
    assert client.query(TableName=arn, KeyConditionExpression='p = :p',
                        ExpressionAttributeValues={':p': ITEM['p']})['Count'] == 1
    assert client.scan(TableName=arn)['Count'] == 1
    assert client.batch_get_item(RequestItems={arn: {'Keys': [ITEM]}})['Responses']
    client.update_item(TableName=arn, Key=ITEM)
    client.transact_write_items(TransactItems=[{'Delete': {'TableName': arn, 'Key': ITEM}}])
    client.update_table(TableName=arn, DeletionProtectionEnabled=False)
    assert client.describe_continuous_backups(TableName=arn)
    client.delete_table(TableName=arn)
    client.get_waiter('table_not_exists').wait(TableName=arn)


@pytest.mark.parametrize('change', [
    lambda arn: arn.replace(':table/', ':chair/'),
    lambda arn: arn + '/index/abc',
    lambda arn: arn + '/stream/2026-11-21T00:00:00.000',
    lambda arn: arn.replace(':dynamodb:', ':s3:'),
    lambda arn: 'arn:aws:dynamodb',
])
def test_arns_of_something_else(client, table_s, change):
    arn = change(describe(client, table_s)['TableArn'])
    message = None if ON_AWS else 'Invalid TableArn: Invalid ResourceArn provided as input ' + arn
    with raises(VALIDATION, message):
        describe(client, arn)
    with raises(VALIDATION, message):
        client.get_item(TableName=arn, Key=ITEM)
    with raises(VALIDATION, message):
        client.update_table(TableName=arn, DeletionProtectionEnabled=False)


@pytest.mark.not_aws
@pytest.mark.parametrize('change', [
    lambda arn: arn.replace('us-east-1', 'eu-west-1'),
    lambda arn: re.sub(r':\d{12}:', ':123456789012:', arn),
    lambda arn: arn + 'x',
])
def test_arns_of_tables_of_others(client, table_s, change):
    arn = change(describe(client, table_s)['TableArn'])
    with raises('ResourceNotFoundException', f'Requested resource not found: Table: {arn} not found'):
        describe(client, arn)
    with raises('ResourceNotFoundException', 'Requested resource not found'):
        client.put_item(TableName=arn, Item=ITEM)
