"""UpdateTimeToLive, DescribeTimeToLive."""
import re
import time

import pytest

from conftest import ON_AWS, raises, unique, wait_for

VALIDATION = 'ValidationException'
ONE = '1 validation error detected: '

# On AWS the second change within an hour is refused.
changes_twice = pytest.mark.not_aws


def update(client, name, attribute, enabled):
    specification = {'AttributeName': attribute, 'Enabled': enabled}
    reply = client.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)
    assert reply['TimeToLiveSpecification'] == specification


def describe(client, name):
    return client.describe_time_to_live(TableName=name)['TimeToLiveDescription']


def test_a_new_table_has_none(client, table_s):
    assert describe(client, table_s) == {'TimeToLiveStatus': 'DISABLED'}


def test_enable(client, make_table):
    name = make_table()
    update(client, name, 'expires', True)
    description = describe(client, name)
    assert description['TimeToLiveStatus'] in (['ENABLED', 'ENABLING'] if ON_AWS else ['ENABLED'])
    assert description['AttributeName'] == 'expires'
    # Neither a key attribute nor an index of the table.
    table = client.describe_table(TableName=name)['Table']
    assert len(table['AttributeDefinitions']) == 1
    assert table['TableStatus'] == 'ACTIVE'
    assert 'GlobalSecondaryIndexes' not in table
    with raises(VALIDATION, 'TimeToLive is already enabled'):
        update(client, name, 'expires', True)
    with raises(VALIDATION, 'TimeToLive is active on a different AttributeName: current AttributeName is expires'):
        update(client, name, 'other', True)


def test_disable_what_is_disabled(client, table_s):
    with raises(VALIDATION, 'TimeToLive is already disabled'):
        update(client, table_s, 'expires', False)


@changes_twice
def test_disable(client, make_table):
    name = make_table()
    update(client, name, 'expires', True)
    with raises(VALIDATION, re.compile('different')):
        update(client, name, 'other', False)
    update(client, name, 'expires', False)
    assert describe(client, name) == {'TimeToLiveStatus': 'DISABLED'}
    with raises(VALIDATION, 'TimeToLive is already disabled'):
        update(client, name, 'expires', False)


# The index of the attribute before may still be on its way out.
@changes_twice
def test_one_attribute_after_another(client, make_table):
    name = make_table()
    for attribute in ('one', 'two', 'one', 'three'):
        update(client, name, attribute, True)
        assert describe(client, name)['AttributeName'] == attribute
        update(client, name, attribute, False)
    update(client, name, 'last', True)
    past = {'N': str(int(time.time()) - 10)}
    client.put_item(TableName=name, Item={'p': {'S': 'one'}, 'one': past})
    client.put_item(TableName=name, Item={'p': {'S': 'last'}, 'last': past})
    wait_for(lambda: 'Item' not in client.get_item(TableName=name, Key={'p': {'S': 'last'}},
                                                   ConsistentRead=True), 60)
    assert 'Item' in client.get_item(TableName=name, Key={'p': {'S': 'one'}}, ConsistentRead=True)


@pytest.mark.not_aws
def test_changes_too_soon(own_server):
    server = own_server('dynamo.time_to_live_change_interval=1h')
    client = server.client()
    for name in ('one', 'two'):
        client.create_table(TableName='table-' + name, BillingMode='PAY_PER_REQUEST',
                            AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'}],
                            KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}])
    update(client, 'table-one', 'expires', True)
    message = 'Time to live has been modified multiple times within a fixed interval'
    with raises(VALIDATION, message):
        update(client, 'table-one', 'expires', False)
    # What is wrong anyway is said first.
    with raises(VALIDATION, 'TimeToLive is already enabled'):
        update(client, 'table-one', 'expires', True)
    # A table's own changes count.
    update(client, 'table-two', 'expires', True)
    server.sql("UPDATE dynamo.tables SET time_to_live_changed = now() - interval '61 min'")
    update(client, 'table-one', 'expires', False)
    with raises(VALIDATION, message):
        update(client, 'table-one', 'expires', True)


def test_protection_is_about_tables(client, make_table):
    name = make_table(DeletionProtectionEnabled=True)
    update(client, name, 'expires', True)
    client.update_table(TableName=name, DeletionProtectionEnabled=False)


# Any attribute will do, a key or one that is no number, too.
@pytest.mark.parametrize('attribute', ['p', 's', 'aws:expires', 'x' * 255, 'Ü.[0] #'])
def test_any_attribute(client, make_table, attribute):
    name = make_table('S', 'N')
    update(client, name, attribute, True)
    assert describe(client, name)['AttributeName'] == attribute
    client.put_item(TableName=name, Item={'p': {'S': 'a'}, 's': {'N': '1e100'}})


@pytest.mark.parametrize('specification,message', [
    (None, ONE + "Value null at 'timeToLiveSpecification' failed to satisfy constraint: Member must not be null"),
    ({}, '2 validation errors detected: '
     "Value null at 'timeToLiveSpecification.attributeName' failed to satisfy constraint: Member must not be null; "
     "Value null at 'timeToLiveSpecification.enabled' failed to satisfy constraint: Member must not be null"),
    ({'AttributeName': '', 'Enabled': True}, ONE + "Value '' at 'timeToLiveSpecification.attributeName' failed to satisfy constraint: Member must have length greater than or equal to 1"),
    ({'AttributeName': 'a' * 256, 'Enabled': True}, re.compile('Member must have length less than or equal to 255')),
    ({'Enabled': True}, ONE + "Value null at 'timeToLiveSpecification.attributeName' failed to satisfy constraint: Member must not be null"),
    ({'AttributeName': 'a'}, ONE + "Value null at 'timeToLiveSpecification.enabled' failed to satisfy constraint: Member must not be null"),
])
def test_constraints(unchecked_client, table_s, specification, message):
    parameters = {} if specification is None else {'TimeToLiveSpecification': specification}
    with raises(VALIDATION, message):
        unchecked_client.update_time_to_live(TableName=table_s, **parameters)


@pytest.mark.parametrize('operation', ['update_time_to_live', 'describe_time_to_live'])
def test_table_names(unchecked_client, operation):
    more = {'TimeToLiveSpecification': {'AttributeName': 'a', 'Enabled': True}} \
        if operation == 'update_time_to_live' else {}
    call = getattr(unchecked_client, operation)
    with raises(VALIDATION, "The parameter 'TableName' is required but was not present in the request"):
        call(**more)
    with raises(VALIDATION, 'TableName must be at least 3 characters long and at most 255 characters long'):
        call(TableName='ab', **more)
    with raises('ResourceNotFoundException', 'Requested resource not found: Table: no-such-table not found'):
        call(TableName='no-such-table', **more)


def test_by_arn(client, make_table):
    arn = client.describe_table(TableName=make_table())['Table']['TableArn']
    update(client, arn, 'expires', True)
    assert describe(client, arn)['AttributeName'] == 'expires'


@pytest.mark.not_aws
def test_recreated_table_has_none(client, make_table):
    name = make_table(TableName=unique('dynamo-test-'))
    update(client, name, 'expires', True)
    client.delete_table(TableName=name)
    make_table(TableName=name)
    assert describe(client, name) == {'TimeToLiveStatus': 'DISABLED'}
