"""Streams: what gives a record, what is in it, and how shards are read."""
import datetime
import re
import threading
import time
import urllib.request

import botocore.exceptions
import pytest

from conftest import ENDPOINT, ON_AWS, raises, records_of, shards_of, unique, wait_for

VALIDATION = 'ValidationException'
NOT_FOUND = 'ResourceNotFoundException'
ONE = '1 validation error detected: '
INVALID = 'One or more parameter values were invalid: '
VIEWS = ['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES']


def with_stream(view='NEW_AND_OLD_IMAGES'):
    return {'StreamSpecification': {'StreamEnabled': True, 'StreamViewType': view}}


def arn_of(client, table):
    return client.describe_table(TableName=table)['Table']['LatestStreamArn']


class Streamed:
    """A table with a stream, and what its stream says since the last look."""

    def __init__(self, client, streams, make_table, view='NEW_AND_OLD_IMAGES', sort=None, **parameters):
        self.client, self.streams = client, streams
        self.name = make_table(sort=sort, **with_stream(view), **parameters)
        self.arn = arn_of(client, self.name)
        self.seen = 0

    def put(self, p, **item):
        self.client.put_item(TableName=self.name, Item={'p': {'S': p}, **item})

    def update(self, p, expression, **parameters):
        self.client.update_item(TableName=self.name, Key={'p': {'S': p}}, UpdateExpression=expression,
                                **parameters)

    def delete(self, p, **parameters):
        self.client.delete_item(TableName=self.name, Key={'p': {'S': p}}, **parameters)

    def records(self):
        found = records_of(self.streams, self.arn)[self.seen:]
        self.seen += len(found)
        return found

    def changes(self):
        """(event, key, old image, new image) of each new record."""
        return [(r['eventName'], r['dynamodb']['Keys']['p']['S'], r['dynamodb'].get('OldImage'),
                 r['dynamodb'].get('NewImage')) for r in self.records()]


@pytest.fixture(scope='module')
def table(client, streams, make_table):
    return Streamed(client, streams, make_table)


# ----- enabling -----

def test_a_table_without_a_stream(client, streams, table_s):
    description = client.describe_table(TableName=table_s)['Table']
    assert not {'StreamSpecification', 'LatestStreamArn', 'LatestStreamLabel'} & set(description)
    assert streams.list_streams(TableName=table_s)['Streams'] == []


@pytest.mark.parametrize('view', VIEWS)
def test_create_table_with_a_stream(client, streams, make_table, view):
    name = make_table(sort='N', **with_stream(view))
    table = client.describe_table(TableName=name)['Table']
    assert table['StreamSpecification'] == {'StreamEnabled': True, 'StreamViewType': view}
    label = table['LatestStreamLabel']
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}', label)
    assert table['LatestStreamArn'] == f"{table['TableArn']}/stream/{label}"
    stream = streams.describe_stream(StreamArn=table['LatestStreamArn'])['StreamDescription']
    shards, created = stream.pop('Shards'), stream.pop('CreationRequestDateTime')
    assert abs(datetime.datetime.now(datetime.timezone.utc) - created) < datetime.timedelta(minutes=5)
    assert stream == {'StreamArn': table['LatestStreamArn'], 'StreamLabel': label, 'TableName': name,
                      'StreamStatus': 'ENABLED', 'StreamViewType': view,
                      'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'},
                                    {'AttributeName': 's', 'KeyType': 'RANGE'}]}
    for shard in shards:
        assert 28 <= len(shard['ShardId']) <= 65
        assert set(shard) == {'ShardId', 'SequenceNumberRange'}
        assert set(shard['SequenceNumberRange']) == {'StartingSequenceNumber'}
        assert re.fullmatch(r'\d{21,40}', shard['SequenceNumberRange']['StartingSequenceNumber'])


@pytest.mark.parametrize('specification,message', [
    ({}, ONE + "Value null at 'streamSpecification.streamEnabled' failed to satisfy constraint: Member must not be null"),
    ({'StreamEnabled': False, 'StreamViewType': 'NEW_IMAGE'},
     INVALID + 'Table is being created with a stream disabled, UpdateViewType should not be specified'),
    ({'StreamEnabled': True}, re.compile('StreamViewType')),
    ({'StreamEnabled': True, 'StreamViewType': 'new_image'},
     re.compile("^1 validation error detected: Value 'new_image' at 'streamSpecification.streamViewType' failed to "
                'satisfy constraint: Member must satisfy enum value set: ')),
])
def test_bad_specifications(unchecked_client, specification, message):
    with raises(VALIDATION, message):
        unchecked_client.create_table(
            TableName=unique('dynamo-test-'), BillingMode='PAY_PER_REQUEST',
            KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}],
            AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'}],
            StreamSpecification=specification)


def test_enable_disable_enable(client, streams, make_table):
    """Enabled again it is another stream; the one before can still be read."""
    name = make_table()
    off = {'StreamSpecification': {'StreamEnabled': False}}
    with raises(VALIDATION, f'Table has no stream to disable: TableName: {name}'):
        client.update_table(TableName=name, **off)
    client.put_item(TableName=name, Item={'p': {'S': 'before'}})
    reply = client.update_table(TableName=name, **with_stream('NEW_IMAGE'))['TableDescription']
    assert reply['TableStatus'] == 'UPDATING'
    first = reply['LatestStreamArn']
    client.get_waiter('table_exists').wait(TableName=name, WaiterConfig={'Delay': 1})
    for view in VIEWS:
        with raises(VALIDATION, f'Table already has an enabled stream: TableName: {name}'):
            client.update_table(TableName=name, **with_stream(view))
    client.put_item(TableName=name, Item={'p': {'S': 'during'}})
    assert [r['dynamodb']['NewImage'] for r in records_of(streams, first)] == [{'p': {'S': 'during'}}]

    reply = client.update_table(TableName=name, **off)['TableDescription']
    assert 'StreamSpecification' not in reply and reply['LatestStreamArn'] == first
    with raises(VALIDATION, f'Table has no stream to disable: TableName: {name}'):
        client.update_table(TableName=name, **off)
    client.put_item(TableName=name, Item={'p': {'S': 'between'}})
    description = streams.describe_stream(StreamArn=first)['StreamDescription']
    assert description['StreamStatus'] in ('DISABLED', 'DISABLING')
    if not ON_AWS:
        assert all('EndingSequenceNumber' in shard['SequenceNumberRange'] for shard in description['Shards'])
    # A shard that has ended: all of it, and then no iterator.
    assert [r['dynamodb']['Keys']['p']['S'] for r in records_of(streams, first)] == ['during']

    second = client.update_table(TableName=name, **with_stream('KEYS_ONLY'))['TableDescription']['LatestStreamArn']
    assert second != first
    client.put_item(TableName=name, Item={'p': {'S': 'after'}})
    assert [r['dynamodb']['Keys']['p']['S'] for r in records_of(streams, second)] == ['after']
    assert [s['StreamArn'] for s in streams.list_streams(TableName=name)['Streams']] == [first, second]


def test_a_deleted_tables_stream_can_be_read(client, streams, make_table):
    table = Streamed(client, streams, make_table)
    table.put('a')
    client.delete_table(TableName=table.name)
    client.get_waiter('table_not_exists').wait(TableName=table.name, WaiterConfig={'Delay': 1})
    assert streams.describe_stream(StreamArn=table.arn)['StreamDescription']['StreamStatus'] == 'DISABLED'
    assert table.changes() == [('INSERT', 'a', None, {'p': {'S': 'a'}})]
    assert [s['StreamArn'] for s in streams.list_streams(TableName=table.name)['Streams']] == [table.arn]

    # The next table of the name has nothing to do with it.
    make_table(TableName=table.name)
    assert 'LatestStreamArn' not in client.describe_table(TableName=table.name)['Table']
    table.put('b')
    assert table.changes() == []


# ----- records -----

@pytest.mark.parametrize('view', VIEWS)
def test_views(client, streams, make_table, view):
    table = Streamed(client, streams, make_table, view, sort='S')
    key = {'p': {'S': 'x'}, 's': {'S': 'y'}}
    one, two = {**key, 'n': {'N': '1'}}, {**key, 'n': {'N': '2'}, 'l': {'L': [{'NULL': True}]}}
    for item in one, two:
        client.put_item(TableName=table.name, Item=item)
    client.delete_item(TableName=table.name, Key=key)
    records = table.records()
    for record, (event, old, new) in zip(records, [('INSERT', None, one), ('MODIFY', one, two),
                                                   ('REMOVE', two, None)], strict=True):
        change = record['dynamodb']
        assert set(record) == {'eventID', 'eventName', 'eventVersion', 'eventSource', 'awsRegion', 'dynamodb'}
        assert (record['eventName'], record['eventVersion'], record['eventSource']) == (event, '1.1', 'aws:dynamodb')
        assert re.fullmatch('[0-9a-f]{32}', record['eventID'])
        assert record['awsRegion'] == client.meta.region_name
        assert change['Keys'] == key and change['StreamViewType'] == view
        assert change.get('OldImage') == (old if 'OLD' in view else None)
        assert change.get('NewImage') == (new if 'NEW' in view else None)
        assert abs(change['ApproximateCreationDateTime'].timestamp() - time.time()) < 60
        assert change['ApproximateCreationDateTime'].microsecond == 0
        assert re.fullmatch(r'\d{21,40}', change['SequenceNumber'])
    assert len({r['eventID'] for r in records}) == 3
    numbers = [r['dynamodb']['SequenceNumber'] for r in records]
    assert numbers == sorted(set(numbers), key=int)
    # Keys, and the images there are: p x s y is 4 bytes, n and its number 3.
    old, new = 'OLD' in view, 'NEW' in view
    assert [r['dynamodb']['SizeBytes'] for r in records] == [4 + new * 7, 4 + old * 7 + new * 13, 4 + old * 13]


def test_what_changes_nothing_gives_no_record(table):
    table.put('same', n={'N': '1'}, m={'M': {'a': {'S': 'x'}, 'b': {'SS': ['p', 'q']}}}, l={'L': []})
    assert len(table.changes()) == 1
    table.put('same', l={'L': []}, m={'M': {'b': {'SS': ['q', 'p']}, 'a': {'S': 'x'}}}, n={'N': '1.0'})
    table.update('same', 'SET n = :n', ExpressionAttributeValues={':n': {'N': '1e0'}})
    table.update('same', 'REMOVE nothing, m.c')
    table.update('same', 'DELETE m.b :s', ExpressionAttributeValues={':s': {'SS': ['r']}})
    table.update('same', 'ADD n :zero', ExpressionAttributeValues={':zero': {'N': '0'}})
    table.update('nobody', 'REMOVE nothing')
    table.delete('nobody')
    with raises('ConditionalCheckFailedException'):
        table.delete('same', ConditionExpression='attribute_not_exists(p)')
    with raises('ConditionalCheckFailedException'):
        table.update('same', 'SET n = :n', ConditionExpression='n > :n',
                     ExpressionAttributeValues={':n': {'N': '5'}})
    with raises('TransactionCanceledException'):
        table.client.transact_write_items(TransactItems=[
            {'Put': {'TableName': table.name, 'Item': {'p': {'S': 'other'}}}},
            {'ConditionCheck': {'TableName': table.name, 'Key': {'p': {'S': 'same'}},
                                'ConditionExpression': 'attribute_not_exists(p)'}}])
    assert table.changes() == []


def test_update_item(table):
    p = unique()
    key = {'p': {'S': p}}
    table.update(p, 'SET a = :a', ExpressionAttributeValues={':a': {'S': 'x'}})
    table.update(p, 'REMOVE a')
    table.client.update_item(TableName=table.name, Key={'p': {'S': p + 'bare'}})
    assert table.changes() == [('INSERT', p, None, {**key, 'a': {'S': 'x'}}),
                               # An item without other attributes has an image all the same.
                               ('MODIFY', p, {**key, 'a': {'S': 'x'}}, key),
                               ('INSERT', p + 'bare', None, {'p': {'S': p + 'bare'}})]


def test_batches_and_transactions(table):
    a, b, c = (unique() for _ in range(3))
    table.put(a)
    table.client.batch_write_item(RequestItems={table.name: [
        {'DeleteRequest': {'Key': {'p': {'S': a}}}},
        {'PutRequest': {'Item': {'p': {'S': b}}}}]})
    assert {(event, p) for event, p, _, _ in table.changes()} == {('INSERT', a), ('REMOVE', a), ('INSERT', b)}
    table.client.transact_write_items(TransactItems=[
        {'Put': {'TableName': table.name, 'Item': {'p': {'S': a}}}},
        {'Update': {'TableName': table.name, 'Key': {'p': {'S': b}}, 'UpdateExpression': 'SET n = :n',
                    'ExpressionAttributeValues': {':n': {'N': '1'}}}},
        {'Delete': {'TableName': table.name, 'Key': {'p': {'S': c}}}},
        {'ConditionCheck': {'TableName': table.name, 'Key': {'p': {'S': c + '?'}},
                            'ConditionExpression': 'attribute_not_exists(p)'}}])
    assert {(event, p) for event, p, _, _ in table.changes()} == {('INSERT', a), ('MODIFY', b)}


def test_partiql(table):
    p = unique()
    for statement in (f"INSERT INTO \"{table.name}\" VALUE {{'p': '{p}', 'n': 1}}",
                      f"UPDATE \"{table.name}\" SET n = 2 WHERE p = '{p}'",
                      f"UPDATE \"{table.name}\" SET n = 2 WHERE p = '{p}'",
                      f"DELETE FROM \"{table.name}\" WHERE p = '{p}'"):
        table.client.execute_statement(Statement=statement)
    assert [(event, key) for event, key, _, _ in table.changes()] == [('INSERT', p), ('MODIFY', p), ('REMOVE', p)]


def test_time_to_live_says_who_it_is(client, streams, make_table):
    table = Streamed(client, streams, make_table)
    client.update_time_to_live(TableName=table.name, TimeToLiveSpecification={
        'AttributeName': 'e', 'Enabled': True})
    table.put('gone', e={'N': str(int(time.time()) - 100)})
    table.put('deleted')
    table.delete('deleted')

    if ON_AWS:
        pytest.skip('takes days')
    wait_for(lambda: 'Item' not in client.get_item(TableName=table.name, Key={'p': {'S': 'gone'}}), 60)
    records = {(r['eventName'], r['dynamodb']['Keys']['p']['S']): r for r in table.records()}
    service = {'PrincipalId': 'dynamodb.amazonaws.com', 'Type': 'Service'}
    assert records['REMOVE', 'gone']['userIdentity'] == service
    assert 'OldImage' in records['REMOVE', 'gone']['dynamodb']
    assert 'userIdentity' not in records['REMOVE', 'deleted']


def test_items_of_any_size(table):
    p = unique()
    for size in 3000, 9000, 100_000, 409_500 - len(p):
        table.put(p, v={'S': 'x' * size})
    changes = table.changes()
    assert [len(new['v']['S']) for _, _, _, new in changes] == [3000, 9000, 100_000, 409_500 - len(p)]
    assert [old and len(old['v']['S']) for _, _, old, _ in changes] == [None, 3000, 9000, 100_000]


@pytest.mark.not_aws
def test_sql(table, sql):
    """Plain SQL on the relation is in the stream, too."""
    relation = f'dynamo_data."{table.name}"'
    a, b = unique(), unique()
    item = lambda p, n: f'{{"p": {{"S": "{p}"}}, "n": {{"N": "{n}"}}}}'
    sql(f'INSERT INTO {relation} (item) VALUES (%s), (%s)', item(a, 1), item(b, 1))
    sql(f"UPDATE {relation} SET item = %s WHERE item->>'p' = %s", item(a, 2), a)
    sql(f"UPDATE {relation} SET item = item WHERE item->>'p' = %s", a)
    sql(f"UPDATE {relation} SET item = %s WHERE item->>'p' = %s", item(a + '!', 3), a)
    sql(f"DELETE FROM {relation} WHERE item->>'p' = %s", b)
    image = lambda p, n: {'p': {'S': p}, 'n': {'N': str(n)}}
    assert table.changes() == [
        ('INSERT', a, None, image(a, 1)), ('INSERT', b, None, image(b, 1)),
        ('MODIFY', a, image(a, 1), image(a, 2)),
        # Another key is another item.
        ('REMOVE', a, image(a, 2), None), ('INSERT', a + '!', None, image(a + '!', 3)),
        ('REMOVE', b, image(b, 1), None)]


@pytest.mark.not_aws
def test_a_relation_with_triggers(client, streams, make_table, sql):
    """What a user's trigger makes of an item is what the stream has, once."""
    table = Streamed(client, streams, make_table)
    sql('CREATE FUNCTION pg_temp.mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN '
        "NEW.item := (NEW.item::jsonb || '{\"t\": {\"BOOL\": true}}')::dynamo.item; RETURN NEW; END $$")
    sql(f'CREATE TRIGGER mark BEFORE INSERT OR UPDATE ON dynamo_data."{table.name}" '
        'FOR EACH ROW EXECUTE FUNCTION pg_temp.mark()')
    sql("SELECT dynamo.put_item(%s, '{\"p\": {\"S\": \"a\"}}')", table.name)
    sql("SELECT dynamo.put_item(%s, '{\"p\": {\"S\": \"a\"}, \"n\": {\"N\": \"1\"}}')", table.name)
    sql("SELECT dynamo.delete_item(%s, '{\"p\": {\"S\": \"a\"}}')", table.name)
    one = {'p': {'S': 'a'}, 't': {'BOOL': True}}
    two = {**one, 'n': {'N': '1'}}
    assert table.changes() == [('INSERT', 'a', None, one), ('MODIFY', 'a', one, two), ('REMOVE', 'a', two, None)]


@pytest.mark.not_aws
def test_truncate(client, streams, make_table, sql):
    table = Streamed(client, streams, make_table)
    for p in 'abc':
        table.put(p, v={'S': p * 3000})
    table.changes()
    sql(f'TRUNCATE dynamo_data."{table.name}"')
    assert {(event, p, len(old['v']['S'])) for event, p, old, _ in table.changes()} == \
        {('REMOVE', p, 3000) for p in 'abc'}


# ----- order and visibility -----

@pytest.mark.not_aws
def test_an_open_transaction_holds_back_its_shards_only(client, streams, make_table, sql):
    """A reader never passes a transaction that is open, and never misses one."""
    table = Streamed(client, streams, make_table)
    other = Streamed(client, streams, make_table)
    sql('BEGIN')
    sql('SELECT dynamo.put_item(%s, %s)', table.name, '{"p": {"S": "held"}}')
    # In the same shard, by another: it is not overtaken.
    table.put('held2')
    keys = [f'k{i}' for i in range(40)]
    for p in keys:
        table.put(p)
        other.put(p)
    assert len(other.changes()) == len(keys)
    seen = {p for _, p, _, _ in table.changes()}
    assert 'held' not in seen and 10 < len(seen) < len(keys) + 2
    page = urllib.request.urlopen(f'{ENDPOINT}/metrics').read().decode()
    assert float(re.search(r'^dynamo_stream_lag_seconds (\S+)$', page, re.M)[1]) > 0
    [(name, lag)] = sql('SELECT table_name, lag < interval \'1 hour\' FROM dynamo.stat_stream_lag')
    assert (name, lag) == (table.name, True)
    sql('COMMIT')
    table.seen = 0
    assert {p for _, p, _, _ in table.changes()} == {'held', 'held2', *keys}
    assert sql('SELECT count(*) FROM dynamo.stat_stream_lag') == [(0,)]


@pytest.mark.not_aws
def test_rolled_back_changes_are_none(table, sql):
    p = unique()
    sql('BEGIN')
    sql('SELECT dynamo.put_item(%s, %s)', table.name, f'{{"p": {{"S": "{p}"}}}}')
    sql('SAVEPOINT s')
    sql('SELECT dynamo.delete_item(%s, %s::dynamo.item)', table.name, f'{{"p": {{"S": "{p}"}}}}')
    sql('ROLLBACK TO s')
    sql('COMMIT')
    sql('BEGIN')
    sql('SELECT dynamo.put_item(%s, %s)', table.name, f'{{"p": {{"S": "{p}!"}}}}')
    sql('ROLLBACK')
    assert [(event, key) for event, key, _, _ in table.changes()] == [('INSERT', p)]


@pytest.mark.not_aws
def test_prepared_transactions_are_refused(table, sql):
    import psycopg2
    sql('BEGIN')
    sql('SELECT dynamo.put_item(%s, \'{"p": {"S": "prepared"}}\')', table.name)
    with pytest.raises(psycopg2.Error, match='cannot PREPARE a transaction'):
        sql("PREPARE TRANSACTION 'streams'")
    sql('ROLLBACK')


def test_order_under_concurrency(client, streams, make_table):
    """Eight writers add to the same few items: each record follows from the one before."""
    table = Streamed(client, streams, make_table)
    items, rounds = ['a', 'b', 'c'], 40

    def write():
        for i in range(rounds):
            table.update(items[i % 3], 'ADD n :one', ExpressionAttributeValues={':one': {'N': '1'}})

    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    last = dict.fromkeys(items)
    for _, p, old, new in table.changes():
        assert old == last[p]
        last[p] = new
    assert sum(int(image['n']['N']) for image in last.values()) == 8 * rounds


# ----- reading -----

def iterator(table, shard, kind, **parameters):
    return table.streams.get_shard_iterator(StreamArn=table.arn, ShardId=shard, ShardIteratorType=kind,
                                            **parameters)['ShardIterator']


@pytest.fixture(scope='module')
def filled(client, streams, make_table):
    """A table with 30 records in the shard that is .shard."""
    table = Streamed(client, streams, make_table)
    for n in range(30):
        table.put('x', n={'N': str(n)})
    for shard in shards_of(streams, table.arn):
        records = streams.get_records(ShardIterator=iterator(table, shard['ShardId'], 'TRIM_HORIZON'))['Records']
        if records:
            table.shard, table.all = shard, records
    return table


def numbers(records):
    return [r['dynamodb']['SequenceNumber'] for r in records]


def test_get_records_in_pages(filled):
    place, found = iterator(filled, filled.shard['ShardId'], 'TRIM_HORIZON'), []
    while len(found) < 30:
        reply = filled.streams.get_records(ShardIterator=place, Limit=7)
        assert len(reply['Records']) <= 7
        found += reply['Records']
        place = reply['NextShardIterator']
    assert found == filled.all
    # Nothing more, but the shard is open.
    reply = filled.streams.get_records(ShardIterator=place)
    assert reply['Records'] == [] and reply['NextShardIterator']


def test_iterators(filled):
    shard, all_numbers = filled.shard['ShardId'], numbers(filled.all)
    at = lambda kind, **more: numbers(filled.streams.get_records(
        ShardIterator=iterator(filled, shard, kind, **more))['Records'])
    assert at('TRIM_HORIZON') == all_numbers
    assert at('AT_SEQUENCE_NUMBER', SequenceNumber=all_numbers[10]) == all_numbers[10:]
    assert at('AFTER_SEQUENCE_NUMBER', SequenceNumber=all_numbers[10]) == all_numbers[11:]
    assert at('AFTER_SEQUENCE_NUMBER', SequenceNumber=all_numbers[-1]) == []
    start = filled.shard['SequenceNumberRange']['StartingSequenceNumber']
    assert at('AT_SEQUENCE_NUMBER', SequenceNumber=start) == all_numbers
    assert at('AT_TIMESTAMP', Timestamp=time.time() - 3600) == all_numbers
    assert at('AT_TIMESTAMP', Timestamp=time.time() + 3600) == []
    assert at('LATEST') == []


def test_latest(client, streams, make_table):
    table = Streamed(client, streams, make_table)
    table.put('a')
    places = [iterator(table, shard['ShardId'], 'LATEST') for shard in shards_of(streams, table.arn)]
    table.put('b')
    found = []
    for place in places:
        found += streams.get_records(ShardIterator=place)['Records']
    assert [r['dynamodb']['Keys']['p']['S'] for r in found] == ['b']


def test_a_page_is_one_megabyte(client, streams, make_table):
    table = Streamed(client, streams, make_table, 'NEW_IMAGE')
    for n in range(6):
        table.put('x', v={'S': str(n) * 300_000})
    pages = []
    for shard in shards_of(streams, table.arn):
        place = iterator(table, shard['ShardId'], 'TRIM_HORIZON')
        while True:
            reply = streams.get_records(ShardIterator=place)
            if not reply['Records']:
                break
            pages.append([r['dynamodb']['NewImage']['v']['S'][0] for r in reply['Records']])
            assert sum(r['dynamodb']['SizeBytes'] for r in reply['Records']) <= 2 ** 20
            place = reply['NextShardIterator']
    assert sum(pages, []) == list('012345') and len(pages) == 2


UNKNOWN = 'shardId-00000000000000000001-00000000'


@pytest.mark.parametrize('parameters,code,message', [
    ({'ShardId': None}, VALIDATION, ONE + "Value null at 'shardId' failed to satisfy constraint: Member must not be null"),
    ({'ShardId': 'short'}, VALIDATION, ONE + "Value 'short' at 'shardId' failed to satisfy constraint: "
     'Member must have length greater than or equal to 28'),
    ({'ShardIteratorType': None}, VALIDATION, re.compile("^1 validation error detected: Value null at 'shardIteratorType'")),
    ({'ShardIteratorType': 'latest'}, VALIDATION, re.compile(
        "^1 validation error detected: Value 'latest' at 'shardIteratorType' failed to satisfy constraint: "
        'Member must satisfy enum value set: ')),
    ({'StreamArn': None}, VALIDATION, re.compile("^1 validation error detected: Value null at 'streamArn'")),
    ({'StreamArn': 'x'}, VALIDATION, re.compile("Value 'x' at 'streamArn' failed to satisfy constraint: "
                                                'Member must have length greater than or equal to 37')),
    ({'StreamArn': 'x' * 40}, VALIDATION, 'Invalid StreamArn'),
    ({'StreamArn': 'arn:aws:dynamodb:us-east-1:000000000000:table/no-such-table'}, VALIDATION, 'Invalid StreamArn'),
    ({'StreamArn': 'arn:aws:dynamodb:us-east-1:000000000000:table/no-such-table/stream/2020-01-01T00:00:00.000'},
     NOT_FOUND, re.compile('^Requested resource not found: Stream: .* not found$')),
    ({'ShardId': UNKNOWN}, NOT_FOUND, None),
    ({'ShardId': 'x' * 30}, NOT_FOUND, None),
    ({'ShardIteratorType': 'AT_SEQUENCE_NUMBER'}, VALIDATION, re.compile('SequenceNumber')),
    ({'ShardIteratorType': 'AFTER_SEQUENCE_NUMBER'}, VALIDATION, re.compile('SequenceNumber')),
    ({'SequenceNumber': '1' * 21}, VALIDATION, re.compile('SequenceNumber')),
    ({'ShardIteratorType': 'LATEST', 'SequenceNumber': '1' * 21}, VALIDATION, re.compile('SequenceNumber')),
    ({'ShardIteratorType': 'AT_SEQUENCE_NUMBER', 'SequenceNumber': '1'}, VALIDATION, re.compile(
        "Value '1' at 'sequenceNumber' failed to satisfy constraint: Member must have length greater than or equal to 21")),
    ({'ShardIteratorType': 'AT_SEQUENCE_NUMBER', 'SequenceNumber': 'x' * 21}, VALIDATION, re.compile('SequenceNumber')),
    ({'ShardIteratorType': 'AT_TIMESTAMP'}, VALIDATION, re.compile('Timestamp')),
    ({'Timestamp': 1.5}, VALIDATION, re.compile('Timestamp')),
])
def test_bad_iterator_requests(filled, parameters, code, message):
    request = {'StreamArn': filled.arn, 'ShardId': filled.shard['ShardId'], 'ShardIteratorType': 'TRIM_HORIZON',
               **parameters}
    with raises(code, message):
        filled.streams.get_shard_iterator(**{k: v for k, v in request.items() if v is not None})


@pytest.mark.parametrize('parameters,message', [
    ({'ShardIterator': None}, ONE + "Value null at 'shardIterator' failed to satisfy constraint: Member must not be null"),
    ({'ShardIterator': ''}, re.compile("Value '' at 'shardIterator' failed to satisfy constraint: "
                                       'Member must have length greater than or equal to 1')),
    ({'ShardIterator': 'x' * 2049}, re.compile('Member must have length less than or equal to 2048')),
    ({'ShardIterator': 'garbage'}, 'Invalid ShardIterator'),
    ({'ShardIterator': 'MXwxfDB8MXwxfDF8MDAwMDAwMDA='}, 'Invalid ShardIterator'),
    ({'Limit': 0}, ONE + "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"),
    ({'Limit': 1001}, ONE + "Value '1001' at 'limit' failed to satisfy constraint: "
     'Member must have value less than or equal to 1000'),
])
def test_bad_get_records(filled, parameters, message):
    request = {'ShardIterator': iterator(filled, filled.shard['ShardId'], 'LATEST'), **parameters}
    with raises(VALIDATION, message):
        filled.streams.get_records(**{k: v for k, v in request.items() if v is not None})
    assert filled.streams.get_records(ShardIterator=iterator(filled, filled.shard['ShardId'], 'LATEST'), Limit=1000)


@pytest.mark.parametrize('parameters,code,message', [
    ({'StreamArn': None}, VALIDATION, re.compile("Value null at 'streamArn'")),
    ({'Limit': 0}, VALIDATION, re.compile("Value '0' at 'limit'")),
    ({'Limit': 101}, VALIDATION, re.compile("Value '101' at 'limit'")),
    ({'ExclusiveStartShardId': 'x'}, VALIDATION, re.compile("at 'exclusiveStartShardId'")),
    ({'ShardFilter': {}}, VALIDATION, re.compile("at 'shardFilter.type'")),
    ({'ShardFilter': {'Type': 'CHILD_SHARDS'}}, VALIDATION, re.compile("at 'shardFilter.shardId'")),
    ({'ShardFilter': {'ShardId': UNKNOWN}}, VALIDATION, re.compile("at 'shardFilter.type'")),
    ({'ShardFilter': {'Type': 'ALL', 'ShardId': UNKNOWN}}, VALIDATION, re.compile("'ALL' at 'shardFilter.type'")),
    ({'ShardFilter': {'Type': 'CHILD_SHARDS', 'ShardId': 'x'}}, VALIDATION, re.compile("'x' at 'shardFilter.shardId'")),
])
def test_bad_describe_stream(filled, parameters, code, message):
    request = {'StreamArn': filled.arn, **parameters}
    with raises(code, message):
        filled.streams.describe_stream(**{k: v for k, v in request.items() if v is not None})


def test_describe_stream_in_pages(filled):
    whole = shards_of(filled.streams, filled.arn)
    found, start = [], {}
    while True:
        page = filled.streams.describe_stream(StreamArn=filled.arn, Limit=1, **start)['StreamDescription']
        assert len(page['Shards']) == 1
        found += page['Shards']
        if 'LastEvaluatedShardId' not in page:
            break
        assert page['LastEvaluatedShardId'] == found[-1]['ShardId']
        start = {'ExclusiveStartShardId': found[-1]['ShardId']}
    assert found == whole
    assert filled.streams.describe_stream(StreamArn=filled.arn, ShardFilter={
        'Type': 'CHILD_SHARDS', 'ShardId': whole[0]['ShardId']})['StreamDescription']['Shards'] == []


def test_list_streams(client, streams, make_table):
    names = sorted(make_table(**with_stream()) for _ in range(3))
    expected = {name: arn_of(client, name) for name in names}
    found, start = [], {}
    while True:
        page = streams.list_streams(Limit=2, **start)
        assert len(page['Streams']) <= 2
        found += page['Streams']
        if 'LastEvaluatedStreamArn' not in page:
            break
        assert page['LastEvaluatedStreamArn'] == found[-1]['StreamArn']
        start = {'ExclusiveStartStreamArn': page['LastEvaluatedStreamArn']}
    assert {s['TableName']: s['StreamArn'] for s in found if s['TableName'] in expected} == expected
    for entry in found:
        assert entry['StreamArn'].endswith(f"table/{entry['TableName']}/stream/{entry['StreamLabel']}")
    # The cookie is right even when its table is gone.
    client.delete_table(TableName=names[0])
    assert streams.list_streams(ExclusiveStartStreamArn=expected[names[0]], Limit=1)['Streams'] != []
    with raises(NOT_FOUND):
        streams.list_streams(TableName=unique('absent-'))
    for parameters in {'Limit': 0}, {'Limit': 101}, {'TableName': 'x'}, {'TableName': 'a b c'}, \
            {'ExclusiveStartStreamArn': 'x'}, {'ExclusiveStartStreamArn': 'x' * 40}:
        with raises(VALIDATION):
            streams.list_streams(**parameters)


def test_the_prefix_belongs_to_the_operation(raw):
    target = 'DynamoDBStreams_20120810.'
    for operation in 'ListTables', 'GetItem':
        reply = raw(operation, headers={'X-Amz-Target': target + operation})
        assert (reply.status, reply.type) == (400, 'UnknownOperationException')
    reply = raw('ListStreams')
    assert (reply.status, reply.type) == (400, 'UnknownOperationException')
    reply = raw('ListStreams', headers={'X-Amz-Target': target + 'ListStreams'})
    assert reply.status == 200 and 'Streams' in reply.json


# ----- SQL -----

@pytest.mark.not_aws
def test_stream_records(client, streams, make_table, sql):
    table = Streamed(client, streams, make_table)
    for n in range(20):
        table.put(f'k{n}')
    table.delete('k3')
    records = table.records()
    rows = sql('SELECT sequence_number, shard_id, event_name, keys::json, new_image::json, old_image::json,'
               ' by_time_to_live, created > now() - interval \'1 hour\' FROM dynamo.stream_records(%s)', table.name)
    assert [(row[0], *row[2:6]) for row in rows] == [
        (r['dynamodb']['SequenceNumber'], r['eventName'], r['dynamodb']['Keys'], r['dynamodb'].get('NewImage'),
         r['dynamodb'].get('OldImage')) for r in records]
    assert {row[1] for row in rows} <= {shard['ShardId'] for shard in shards_of(streams, table.arn)}
    assert {row[6:] for row in rows} == {(False, True)}
    after = sql('SELECT sequence_number FROM dynamo.stream_records(%s, %s, 5)', table.name, rows[9][0])
    assert [row[0] for row in after] == [row[0] for row in rows[10:15]]
    assert sql('SELECT count(*) FROM dynamo.stream_records(%s, NULL, NULL)', table.name) == [(21,)]
    # The same answers by the operations' functions.
    [(reply,)] = sql('SELECT dynamo.list_streams(%s)', f'{{"TableName": "{table.name}"}}')
    assert reply['Streams'][0]['StreamArn'] == table.arn


@pytest.mark.not_aws
def test_notify(client, streams, make_table, sql):
    table = Streamed(client, streams, make_table)
    table.put('before')
    sql('LISTEN dynamo_stream')
    sql('SELECT dynamo.notify_stream(%s)', table.name)
    time.sleep(0.5)
    connection = sql.connection

    def told():
        connection.poll()
        found = [n.payload for n in connection.notifies if n.payload == table.arn]
        connection.notifies.clear()
        return found

    assert told() == []
    table.put('after')
    assert wait_for(told) == [table.arn]
    sql('SELECT dynamo.notify_stream(%s, false)', table.name)
    time.sleep(0.3)
    table.put('silent')
    time.sleep(0.5)
    assert told() == []


@pytest.mark.not_aws
def test_privileges(client, streams, make_table, sql):
    """Who may not read the table may not read its stream, nor log tables, nor enable one."""
    import psycopg2
    table = Streamed(client, streams, make_table)
    table.put('secret')
    role = unique('streams-').replace('-', '_')
    sql(f'CREATE ROLE {role}')
    try:
        sql(f'SET ROLE {role}')
        request = f'{{"StreamArn": "{table.arn}"}}'
        for statement, parameter in (('SELECT dynamo.describe_stream(%s)', request),
                                     ('SELECT * FROM dynamo.stream_records(%s)', table.name),
                                     ('SELECT dynamo.notify_stream(%s)', table.name),
                                     ('TABLE dynamo_internal.change_segments', None)):
            with pytest.raises(psycopg2.Error) as refused:
                sql(statement, *([parameter] if parameter else []))
            assert refused.value.pgcode in ('KV013', '42501')
        [(log,)] = sql('RESET ROLE; SELECT max(relation::text) FROM dynamo.stat_change_log')
        sql(f'SET ROLE {role}')
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            sql(f'TABLE {log}')
        sql(f'RESET ROLE; GRANT SELECT ON dynamo_data."{table.name}" TO {role}; SET ROLE {role}')
        assert sql('SELECT count(*) FROM dynamo.stream_records(%s)', table.name) == [(1,)]
        # After the table has gone, its owner's.
        sql('RESET ROLE')
        client.delete_table(TableName=table.name)
        sql(f'SET ROLE {role}')
        with pytest.raises(psycopg2.Error) as refused:
            sql('SELECT dynamo.describe_stream(%s)', request)
        assert refused.value.pgcode == 'KV013'
    finally:
        sql(f'RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}')
