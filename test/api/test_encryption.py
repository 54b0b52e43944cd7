"""SSESpecification: what may be asked for, how a table is described, and that nothing else is different."""
import base64
import json
import os
import pathlib
import re
import time

import pytest

from conftest import raises, records_of, unique, wait_for

VALIDATION = 'ValidationException'
INVALID = 'One or more parameter values were invalid: '
STILL_IN_USE = 'Attempt to change a resource which is still in use: '
ENCRYPTED = {'Enabled': True}


def describe(client, name):
    return client.describe_table(TableName=name)['Table']


def settled(client, name):
    """The SSEDescription once nothing is being changed."""
    wait_for(lambda: describe(client, name).get('SSEDescription', {}).get('Status') != 'UPDATING', 60)
    return describe(client, name).get('SSEDescription')


# The service's answers to each shape.
@pytest.mark.parametrize('specification, message', [
    ({'Enabled': False, 'SSEType': 'KMS'}, INVALID + 'SSEType can not be specified if Enabled is false'),
    ({'Enabled': False, 'SSEType': 'AES256'}, INVALID + 'SSEType can not be specified if Enabled is false'),
    ({'Enabled': False, 'KMSMasterKeyId': 'x'}, INVALID + 'KMSMasterKeyId can not be specified if Enabled is false'),
    ({'Enabled': False, 'SSEType': 'KMS', 'KMSMasterKeyId': 'x'},
     INVALID + 'SSEType can not be specified if Enabled is false'),
    ({'Enabled': True, 'SSEType': 'AES256'}, INVALID + 'SSEType AES256 is not supported'),
    ({'Enabled': True, 'KMSMasterKeyId': 'alias/aws/dynamodb'},
     INVALID + 'SSEType KMS is required if KMSMasterKeyId is specified'),
    ({'SSEType': 'kms'}, "1 validation error detected: Value 'kms' at 'sSESpecification.sSEType' failed to "
     'satisfy constraint: Member must satisfy enum value set: [AES256, KMS]'),
    ({'Enabled': True, 'SSEType': 'KMS', 'KMSMasterKeyId': 'no-such-key'},
     re.compile('^KMS validation error: com.amazonaws.services.kms.model.NotFoundException: .*no-such-key')),
    ({'Enabled': True, 'SSEType': 'KMS', 'KMSMasterKeyId': 'alias/no-such-alias'},
     re.compile('^KMS validation error: com.amazonaws.services.kms.model.NotFoundException: .*no-such-alias')),
    ({'Enabled': True, 'SSEType': 'KMS', 'KMSMasterKeyId': 'arn:aws:kms:xx-north-9:999999999999:key/first'},
     re.compile('^KMS validation error: com.amazonaws.services.kms.model.NotFoundException: Invalid arn')),
])
def test_what_is_refused(client, make_table, table_s, specification, message):
    name = unique('dynamo-test-')
    with raises(VALIDATION, message):
        make_table(TableName=name, SSESpecification=specification)
    with raises('ResourceNotFoundException'):
        client.describe_table(TableName=name)
    before = describe(client, table_s).get('SSEDescription')
    with raises(VALIDATION, message):
        client.update_table(TableName=table_s, SSESpecification=specification)
    assert describe(client, table_s).get('SSEDescription') == before


@pytest.mark.parametrize('specification, encrypted', [
    ({}, False), ({'Enabled': False}, False), ({'Enabled': True}, True), ({'SSEType': 'KMS'}, True),
    ({'Enabled': True, 'SSEType': 'KMS'}, True),
    ({'Enabled': True, 'SSEType': 'KMS', 'KMSMasterKeyId': 'alias/aws/dynamodb'}, True),
    ({'SSEType': 'KMS', 'KMSMasterKeyId': 'alias/aws/dynamodb'}, True),
])
def test_create(client, make_table, specification, encrypted):
    name = make_table(SSESpecification=specification)
    description = describe(client, name).get('SSEDescription')
    if not encrypted:
        assert description is None
        return
    assert description == {'Status': 'ENABLED', 'SSEType': 'KMS', 'KMSMasterKeyArn': description['KMSMasterKeyArn']}
    assert re.fullmatch(r'arn:aws:kms:[\w-]+:\d{12}:key/[\w.-]+', description['KMSMasterKeyArn'])


@pytest.mark.not_aws
def test_a_key_by_each_of_its_names(client, make_table):
    arn = describe(client, make_table(SSESpecification=ENCRYPTED))['SSEDescription']['KMSMasterKeyArn']
    key = arn.rpartition('/')[2]
    for named in (key, f'alias/{key}', arn, arn.replace(':key/', ':alias/')):
        name = make_table(SSESpecification={'Enabled': True, 'SSEType': 'KMS', 'KMSMasterKeyId': named})
        assert describe(client, name)['SSEDescription']['KMSMasterKeyArn'] == arn


def items_of(client, name):
    return sorted(json.dumps(item, sort_keys=True, default=str)
                  for page in client.get_paginator('scan').paginate(TableName=name) for item in page['Items'])


def test_switch_on_and_off(client, make_table):
    name = make_table('S', 'N', SSESpecification={'Enabled': False})
    for i in range(60):
        client.put_item(TableName=name, Item={'p': {'S': str(i % 7)}, 's': {'N': str(i)},
                                              'v': {'S': 'value ' * (i % 10) ** 4}})
    items = items_of(client, name)
    with raises(VALIDATION, INVALID + 'Table is already encrypted by default'):
        client.update_table(TableName=name, SSESpecification={'Enabled': False})
    with raises(VALIDATION, INVALID + 'Table is already encrypted by default'):
        client.update_table(TableName=name, SSESpecification={})

    answer = client.update_table(TableName=name, SSESpecification=ENCRYPTED)['TableDescription']
    assert answer['TableStatus'] == 'ACTIVE'
    assert answer['SSEDescription']['Status'] == 'UPDATING'
    client.put_item(TableName=name, Item={'p': {'S': 'x'}, 's': {'N': '0'}})
    client.delete_item(TableName=name, Key={'p': {'S': 'x'}, 's': {'N': '0'}})
    assert items_of(client, name) == items
    arn = settled(client, name)['KMSMasterKeyArn']
    assert settled(client, name) == {'Status': 'ENABLED', 'SSEType': 'KMS', 'KMSMasterKeyArn': arn}
    assert items_of(client, name) == items

    # The same once more is accepted, but not by ARN.
    answer = client.update_table(TableName=name, SSESpecification=ENCRYPTED)['TableDescription']
    assert answer['SSEDescription'] == {'Status': 'UPDATING', 'SSEType': 'KMS', 'KMSMasterKeyArn': arn}
    assert settled(client, name)['Status'] == 'ENABLED'
    with raises(VALIDATION, INVALID + 'Table is already encrypted with given KMSMasterKeyId. '
                                      'Use KMSMasterKeyId parameter if you want to change Master Key'):
        client.update_table(TableName=name, SSESpecification={
            'Enabled': True, 'SSEType': 'KMS', 'KMSMasterKeyId': arn})

    answer = client.update_table(TableName=name, SSESpecification={'Enabled': False})['TableDescription']
    assert answer['SSEDescription']['Status'] == 'UPDATING'
    assert settled(client, name) is None
    assert items_of(client, name) == items


@pytest.mark.not_aws
def test_while_it_is_switched_on(client, sql, make_table):
    """Neither the other way, nor DeleteTable; everything else goes on."""
    name = make_table(SSESpecification={'Enabled': False})
    client.put_item(TableName=name, Item={'p': {'S': 'a'}, 'v': {'S': 'before'}})
    # The job waits for whoever may still write as before.
    sql.connection.autocommit = False
    sql(f'LOCK TABLE dynamo_data."{name}" IN ROW EXCLUSIVE MODE')
    client.update_table(TableName=name, SSESpecification=ENCRYPTED)
    with raises('ResourceInUseException', STILL_IN_USE + 'Server-Side Encryption is still being updated'):
        client.update_table(TableName=name, SSESpecification={'Enabled': False})
    with raises('ResourceInUseException', STILL_IN_USE + f'Table: {name} is in the process of being updated.'):
        client.delete_table(TableName=name)
    client.update_table(TableName=name, SSESpecification=ENCRYPTED)
    client.update_table(TableName=name, DeletionProtectionEnabled=False)
    client.put_item(TableName=name, Item={'p': {'S': 'b'}, 'v': {'S': 'after'}})
    client.update_item(TableName=name, Key={'p': {'S': 'a'}}, UpdateExpression='SET v = :v',
                       ExpressionAttributeValues={':v': {'S': 'changed'}})
    assert describe(client, name)['TableStatus'] == 'ACTIVE'
    assert describe(client, name)['SSEDescription']['Status'] == 'UPDATING'
    sql.connection.rollback()
    sql.connection.autocommit = True
    assert settled(client, name)['Status'] == 'ENABLED'
    assert sql(f'SELECT bool_and(dynamo.is_sealed(item)), count(*) FROM dynamo_data."{name}"') == [(True, 2)]
    assert client.get_item(TableName=name, Key={'p': {'S': 'a'}})['Item']['v'] == {'S': 'changed'}


def test_a_stream_shows_what_was_written(client, streams, make_table):
    name = make_table(SSESpecification=ENCRYPTED, StreamSpecification={
        'StreamEnabled': True, 'StreamViewType': 'NEW_AND_OLD_IMAGES'})
    arn = describe(client, name)['LatestStreamArn']
    for v in ('1', '2'):
        client.put_item(TableName=name, Item={'p': {'S': 'a'}, 'v': {'N': v}})
    client.delete_item(TableName=name, Key={'p': {'S': 'a'}})
    wait_for(lambda: len(records_of(streams, arn)) == 3)
    assert [(r['eventName'], r['dynamodb'].get('OldImage', {}).get('v'), r['dynamodb'].get('NewImage', {}).get('v'))
            for r in records_of(streams, arn)] == [
        ('INSERT', None, {'N': '1'}), ('MODIFY', {'N': '1'}, {'N': '2'}), ('REMOVE', {'N': '2'}, None)]


def test_a_largest_item(client, make_table):
    """400 KB count without what encryption adds."""
    name = make_table(SSESpecification=ENCRYPTED)
    item = {'p': {'S': 'a'}, 'v': {'B': os.urandom(400 * 1024 - 3)}}
    client.put_item(TableName=name, Item=item)
    assert client.get_item(TableName=name, Key={'p': {'S': 'a'}})['Item'] == item
    item['v']['B'] += b'x'
    with raises(VALIDATION, 'Item size has exceeded the maximum allowed size'):
        client.put_item(TableName=name, Item=item)


# ----- SQL -----

@pytest.fixture
def sealed(client, make_table):
    """A table with two items of equal size, and another table."""
    name = make_table('S', 'N', SSESpecification=ENCRYPTED)
    for s in ('1', '2'):
        client.put_item(TableName=name, Item={'p': {'S': 'p'}, 's': {'N': s}, 'v': {'S': 'secret' + s}})
    return name


@pytest.mark.not_aws
def test_sql_sees_items(sql, sealed):
    relation = f'dynamo_data."{sealed}"'
    assert sql(f"SELECT item ->> 'v', item -> 'v', item #>> '{{v}}', item ? 'v', item::json ->> 'v',"
               f" item::jsonb -> 'v' ->> 'S', (dynamo.to_plain_json(item)) ->> 'v', dynamo.item_size(item)"
               f" FROM {relation} WHERE item @> '{{\"s\": {{\"N\": \"1\"}}}}'") == [
        ('secret1', {'S': 'secret1'}, 'secret1', True, '{"S":"secret1"}', 'secret1', 'secret1', 13)]
    # Equality is that of items, sealed or not, however often they were sealed.
    item = '{"p": {"S": "p"}, "s": {"N": "1.0"}, "v": {"S": "secret1"}}'
    assert sql(f"SELECT count(*) FROM {relation} WHERE item = %s::dynamo.item", item) == [(1,)]
    assert sql(f"SELECT count(*) FROM {relation} WHERE item <> %s::dynamo.item", item) == [(1,)]
    assert sql(f"SELECT count(DISTINCT h) FROM (SELECT dynamo.item_hash(item) h FROM {relation}"
               f" WHERE item ->> 's' = '1' UNION ALL SELECT dynamo.item_hash(%s::dynamo.item)) x", item) == [(1,)]
    assert sql(f"WITH x AS (SELECT item FROM {relation} UNION ALL SELECT %s::dynamo.item)"
               f" SELECT count(*) FROM (SELECT item FROM x GROUP BY item) y", item) == [(2,)]
    assert sql(f"SELECT count(*) FROM {relation} a JOIN {relation} b USING (item)") == [(2,)]


@pytest.mark.not_aws
def test_sql_writes_sealed(client, sql, sealed):
    relation = f'dynamo_data."{sealed}"'
    sql(f"INSERT INTO {relation} (item) VALUES (%s)", '{"p": {"S": "p"}, "s": {"N": "3"}, "v": {"S": "inserted"}}')
    sql(f"UPDATE {relation} SET item = %s WHERE item ->> 's' = '1'",
        '{"p": {"S": "p"}, "s": {"N": "1"}, "v": {"S": "updated"}}')
    assert sql(f'SELECT bool_and(dynamo.is_sealed(item)) FROM {relation}') == [(True,)]
    found = client.query(TableName=sealed, KeyConditionExpression='p = :p',
                         ExpressionAttributeValues={':p': {'S': 'p'}})['Items']
    assert [i['v']['S'] for i in found] == ['updated', 'secret2', 'inserted']
    # What was not changed keeps its bytes.
    before = sql(f"SELECT item::text FROM {relation} ORDER BY sort_key")
    sql(f'UPDATE {relation} SET item = item')
    assert sql(f"SELECT item::text FROM {relation} ORDER BY sort_key") == before
    assert sql(f"SELECT dynamo.verify_table(%s)", sealed) == [(3,)]


@pytest.mark.not_aws
def test_text_form(sql, sealed):
    relation = f'dynamo_data."{sealed}"'
    (text,), _ = sql(f'SELECT item::text FROM {relation} ORDER BY sort_key')
    assert 'secret' not in text and list(json.loads(text)) == ['sealed']
    assert sql("SELECT %s::dynamo.item ->> 'v'", text) == [('secret1',)]
    # Any other byte is an error.
    sealed_bytes = base64.b64decode(json.loads(text)['sealed'])
    for i in range(len(sealed_bytes)):
        damaged = bytearray(sealed_bytes)
        damaged[i] ^= 1
        with pytest.raises(Exception) as error:
            sql("SELECT %s::dynamo.item ->> 'v'", json.dumps({'sealed': base64.b64encode(damaged).decode()},
                                                             separators=(',', ':')))
        assert error.value.pgcode in ('XX001', '22P02')
    for n in range(len(sealed_bytes)):
        with pytest.raises(Exception) as error:
            sql("SELECT %s::dynamo.item ->> 'v'", '{"sealed":"%s"}' % base64.b64encode(sealed_bytes[:n]).decode())
        assert error.value.pgcode in ('XX001', '22P02')


@pytest.mark.not_aws
def test_who_may_not_read_a_table_opens_none_of_its_items(sql, sealed):
    relation = f'dynamo_data."{sealed}"'
    (text,), _ = sql(f'SELECT item::text FROM {relation} ORDER BY sort_key')
    role = f'"{unique("reader-")}"'
    sql(f'CREATE ROLE {role}')
    try:
        sql(f'SET ROLE {role}')
        with pytest.raises(Exception, match='permission denied for sealed item'):
            sql("SELECT %s::dynamo.item ->> 'v'", text)
        sql('RESET ROLE')
        sql(f'GRANT SELECT ON {relation} TO {role}')
        sql(f'SET ROLE {role}')
        assert sql("SELECT %s::dynamo.item ->> 'v'", text) == [('secret1',)]
    finally:
        sql('RESET ROLE')
        sql(f'DROP OWNED BY {role}')
        sql(f'DROP ROLE {role}')


def without_triggers(sql, statement, *parameters):
    sql('SET session_replication_role = replica')
    sql(statement, *parameters)
    sql('RESET session_replication_role')


@pytest.mark.not_aws
@pytest.mark.parametrize('damage', [
    # Another row's item.
    "UPDATE {t} SET item = (SELECT item FROM {t} x WHERE x.item ->> 's' = '2') WHERE item ->> 's' = '1'",
    # The same item under other keys.
    "UPDATE {t} SET partition_key = 'q', hash = dynamo_internal.key_hash('{{\"S\": \"q\"}}') WHERE item ->> 's' = '1'",
    # Another table's item.
    "UPDATE {t} SET item = (SELECT item FROM {other} LIMIT 1) WHERE item ->> 's' = '1'",
    # An item that was never sealed.
    "UPDATE {t} SET item = '{{\"p\": {{\"S\": \"p\"}}, \"s\": {{\"N\": \"1\"}}}}' WHERE item ->> 's' = '1'",
])
def test_what_was_moved_is_no_item(client, sql, make_table, sealed, damage):
    relation = f'dynamo_data."{sealed}"'
    other = make_table('S', 'N', SSESpecification=ENCRYPTED)
    client.put_item(TableName=other, Item={'p': {'S': 'p'}, 's': {'N': '1'}, 'v': {'S': 'forged!'}})
    key = {'p': {'S': 'q' if "'q'" in damage else 'p'}, 's': {'N': '1'}}
    without_triggers(sql, damage.format(t=relation, other=f'dynamo_data."{other}"'))
    for operation, parameters in (
            ('get_item', {'Key': key}), ('scan', {}), ('update_item', {'Key': key}), ('delete_item', {'Key': key}),
            ('put_item', {'Item': key}),
            ('query', {'KeyConditionExpression': 'p = :p', 'ExpressionAttributeValues': {':p': key['p']}})):
        with raises('InternalServerError', 'Internal server error'):
            getattr(client, operation)(TableName=sealed, **parameters)
    with raises('InternalServerError'):
        client.transact_get_items(TransactItems=[{'Get': {'TableName': sealed, 'Key': key}}])
    with pytest.raises(Exception) as error:
        sql('SELECT dynamo.verify_table(%s)', sealed)
    assert error.value.pgcode == 'XX001'
    # The other item is not concerned.
    other_key = {'p': {'S': 'p'}, 's': {'N': '2'}}
    assert client.get_item(TableName=sealed, Key=other_key)['Item']['v'] == {'S': 'secret2'}


@pytest.mark.not_aws
def test_images_belong_to_their_place(client, streams, sql, make_table):
    """In the change log, an image can be read as none other, and not in SQL."""
    name = make_table(SSESpecification=ENCRYPTED, StreamSpecification={
        'StreamEnabled': True, 'StreamViewType': 'NEW_IMAGE'})
    arn = describe(client, name)['LatestStreamArn']
    for i in range(2):
        client.put_item(TableName=name, Item={'p': {'S': 'a'}, 'v': {'N': str(i)}})
    wait_for(lambda: len(records_of(streams, arn)) == 2)
    (segment,), = sql('SELECT relation::regclass::text FROM dynamo.stat_change_log ORDER BY created DESC LIMIT 1')
    columns = sql("SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute"
                  f" WHERE attrelid = '{segment}'::regclass AND attnum > 0")[0][0].split()
    number, image = columns[1], columns[6]
    rows = sql(f'SELECT {number} FROM {segment} ORDER BY {number} DESC LIMIT 2')
    with pytest.raises(Exception) as error:
        sql(f"SELECT {image} ->> 'v' FROM {segment} WHERE {number} = %s", rows[0][0])
    assert error.value.pgcode == 'XX001'
    (text,), = sql(f'SELECT {image}::text FROM {segment} WHERE {number} = %s', rows[0][0])
    assert text.startswith('{"sealed":')
    with pytest.raises(Exception, match='invalid sealed item'):
        sql('SELECT %s::dynamo.item', text)
    sql(f'UPDATE {segment} SET {image} = (SELECT {image} FROM {segment} WHERE {number} = %s) WHERE {number} = %s',
        rows[0][0], rows[1][0])
    with raises('InternalServerError'):
        records_of(streams, arn)


@pytest.mark.not_aws
def test_generations(client, sql, make_table):
    name = make_table(SSESpecification=ENCRYPTED)
    for i in range(3):
        client.put_item(TableName=name, Item={'p': {'S': str(i)}, 'v': {'N': str(i)}})
        sql('SELECT dynamo.rotate_data_key(%s)', name)
    keys = "SELECT generation, writes FROM dynamo.data_keys JOIN dynamo.tables t USING (table_id) WHERE t.name = %s ORDER BY 1"
    assert [g for g, _ in sql(keys, name)] == [1, 2, 3, 4]
    assert sql(f'SELECT count(DISTINCT substr(dynamo.item_send(item), 2, 8)) FROM dynamo_data."{name}"') == [(3,)]
    for i in range(3):
        assert client.get_item(TableName=name, Key={'p': {'S': str(i)}})['Item']['v'] == {'N': str(i)}
    # When so much was sealed that nonces might meet, the next one begins.
    sql('UPDATE dynamo.data_keys SET writes = 1 << 30 WHERE key_id = (SELECT data_key FROM dynamo.tables WHERE name = %s)', name)
    sql('CALL dynamo.run_jobs()')
    assert [g for g, _ in sql(keys, name)] == [1, 2, 3, 4, 5]
    sql('CALL dynamo.run_jobs()')
    assert [g for g, _ in sql(keys, name)] == [1, 2, 3, 4, 5]
    assert sql('SELECT dynamo.verify_table(%s)', name) == [(3,)]


# ----- master keys -----

@pytest.fixture
def master_keys(sql, own_setting):
    """master_keys({id: hex, ...}): what the server has from now on, or None."""
    (file,), = sql('SHOW dynamo.master_key_file')
    path = pathlib.Path(file)
    text = path.read_text()

    def write(text):
        with open(path, 'w') as f:         # its owner and rights stay
            f.write(text)
        sql('SELECT pg_reload_conf()')
        time.sleep(0.5)

    def change(keys):
        write(text if keys is None else ''.join(f'{i} {k}\n' for i, k in keys.items()))

    change.original = dict(line.split() for line in text.splitlines())
    change.write = write
    yield change
    write(text)


@pytest.mark.not_aws
def test_rotation_of_the_master_key(client, sql, make_table, master_keys):
    name = make_table(SSESpecification=ENCRYPTED)
    client.put_item(TableName=name, Item={'p': {'S': 'a'}, 'v': {'S': 'x'}})
    bytes_before = sql(f'SELECT item::text, xmin FROM dynamo_data."{name}"')
    new = {'second': os.urandom(32).hex()}

    master_keys({**new, **master_keys.original})
    assert client.get_item(TableName=name, Key={'p': {'S': 'a'}})['Item']['v'] == {'S': 'x'}
    assert sql('SELECT dynamo.rewrap_data_keys() > 0') == [(True,)]
    assert sql('SELECT dynamo.rewrap_data_keys()') == [(0,)]
    assert describe(client, name)['SSEDescription']['KMSMasterKeyArn'].endswith(':key/second')
    master_keys(new)
    assert client.get_item(TableName=name, Key={'p': {'S': 'a'}})['Item']['v'] == {'S': 'x'}
    assert sql(f'SELECT item::text, xmin FROM dynamo_data."{name}"') == bytes_before

    # And back, by asking for one by name.
    master_keys({**new, **master_keys.original})
    first = next(iter(master_keys.original))
    client.update_table(TableName=name, SSESpecification={'Enabled': True, 'SSEType': 'KMS', 'KMSMasterKeyId': first})
    assert describe(client, name)['SSEDescription']['KMSMasterKeyArn'].endswith(f':key/{first}')
    sql('SELECT dynamo.rewrap_data_keys()')
    assert describe(client, name)['SSEDescription']['KMSMasterKeyArn'].endswith(f':key/{first}')
    master_keys({**master_keys.original, **new})
    sql('SELECT dynamo.rewrap_data_keys()')


DISABLED = re.compile('^KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: '
                      r'arn:aws:kms:[\w-]+:\d{12}:key/[\w.-]+ is disabled')


@pytest.mark.not_aws
@pytest.mark.parametrize('what', ['another one', 'another one of its id', 'nothing'])
def test_without_the_master_key(client, sql, make_table, master_keys, what):
    name = make_table(SSESpecification=ENCRYPTED)
    plain = make_table(SSESpecification={'Enabled': False})
    to_delete = make_table(SSESpecification=ENCRYPTED)
    for table in (name, plain, to_delete):
        client.put_item(TableName=table, Item={'p': {'S': 'a'}, 'v': {'S': 'x'}})
    before = describe(client, name)['SSEDescription']
    if what == 'nothing':
        master_keys.write('')
    else:
        master_keys({next(iter(master_keys.original)) if what.endswith('id') else 'other': os.urandom(32).hex()})

    key = {'p': {'S': 'a'}}
    for operation, parameters in (('get_item', {'Key': key}), ('put_item', {'Item': key}), ('scan', {}),
                                  ('update_item', {'Key': key}), ('delete_item', {'Key': key})):
        with raises(VALIDATION, DISABLED):
            getattr(client, operation)(TableName=name, **parameters)
    with pytest.raises(Exception, match='Master key'):
        sql(f"SELECT item ->> 'v' FROM dynamo_data.\"{name}\"")
    description = describe(client, name)
    assert description['TableStatus'] == 'INACCESSIBLE_ENCRYPTION_CREDENTIALS'
    assert description['SSEDescription'].pop('InaccessibleEncryptionDateTime')
    assert description['SSEDescription'] == before
    with raises(VALIDATION, DISABLED):
        client.update_table(TableName=name, SSESpecification={'Enabled': False})
    with raises(VALIDATION, DISABLED):
        client.update_time_to_live(TableName=name, TimeToLiveSpecification={'AttributeName': 'x', 'Enabled': True})
    client.update_table(TableName=name, DeletionProtectionEnabled=False)
    client.delete_table(TableName=to_delete)
    # Others are not concerned.
    assert client.get_item(TableName=plain, Key=key)['Item']['v'] == {'S': 'x'}
    # Sealed as it is, an item can be looked at and copied all the same.
    sql(f'SELECT item, dynamo.is_sealed(item) FROM dynamo_data."{name}"')
    sql(f'ANALYZE dynamo_data."{name}"')
    if what == 'nothing':
        with raises(VALIDATION, INVALID + 'SSESpecification needs a master key, and this server has none'):
            make_table(SSESpecification=ENCRYPTED)

    master_keys(None)
    assert client.get_item(TableName=name, Key=key)['Item']['v'] == {'S': 'x'}
    assert describe(client, name)['TableStatus'] == 'ACTIVE'
    assert describe(client, name)['SSEDescription'] == before


@pytest.mark.not_aws
@pytest.mark.parametrize('text', ['first 00', 'first ' + 'g' * 64, 'fi rst ' + '0' * 64, 'a ' + '0' * 64 + '\na ' + '1' * 64,
                                  '0' * 64, 'x' * 65 + ' ' + '0' * 64, 'a\0b ' + '0' * 64, 'first ' + '0' * 64 + '0',
                                  'first ' + '0' * 64 + '\n\0', 'x' * 70000])
def test_a_file_with_a_mistake(client, make_table, master_keys, text):
    """None of it is used, and none of it is quoted."""
    master_keys.write(text + '\n')
    with raises(VALIDATION, INVALID + 'SSESpecification needs a master key, and this server has none'):
        make_table(SSESpecification=ENCRYPTED)


@pytest.mark.not_aws
def test_a_command(client, sql, make_table, own_setting, master_keys):
    name = make_table(SSESpecification=ENCRYPTED)
    (file,), = sql('SHOW dynamo.master_key_file')
    own_setting('dynamo.master_key_command', f'cat {file}')
    # One of the two, not both.
    with raises(VALIDATION, DISABLED):
        client.put_item(TableName=name, Item={'p': {'S': 'a'}})
    own_setting('dynamo.master_key_file', '')
    client.put_item(TableName=name, Item={'p': {'S': 'a'}, 'v': {'S': 'x'}})
    own_setting('dynamo.master_key_command', f'cat {file}; exit 1')
    with raises(VALIDATION, DISABLED):
        client.get_item(TableName=name, Key={'p': {'S': 'a'}})


