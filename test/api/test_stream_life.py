"""How a stream's shards and records come and go: roll-over, retention, size; crash and restart."""
import base64
import json
import os
import re
import time
import urllib.request

import boto3
import pytest

from conftest import b64, raises, records_of, shards_of, wait_for

pytestmark = pytest.mark.not_aws

NEW_IMAGE = {'StreamSpecification': {'StreamEnabled': True, 'StreamViewType': 'NEW_IMAGE'}}
TRIMMED = 'TrimmedDataAccessException'


class Setup:
    """A server of its own, a table with a stream on it, and both clients."""

    def __init__(self, server, name='streamed'):
        self.server, self.name = server, name
        self.client = server.client()
        self.streams = boto3.client(
            'dynamodbstreams', endpoint_url=server.endpoint, region_name=server.credentials['AWS_DEFAULT_REGION'],
            aws_access_key_id=server.credentials['AWS_ACCESS_KEY_ID'],
            aws_secret_access_key=server.credentials['AWS_SECRET_ACCESS_KEY'])
        self.arn = self.client.create_table(
            TableName=name, BillingMode='PAY_PER_REQUEST', **NEW_IMAGE,
            KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}],
            AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'}])['TableDescription']['LatestStreamArn']

    def put(self, p, **item):
        self.client.put_item(TableName=self.name, Item={'p': {'S': p}, **item})

    def iterator(self, shard, kind, **more):
        return self.streams.get_shard_iterator(StreamArn=self.arn, ShardId=shard['ShardId'],
                                               ShardIteratorType=kind, **more)['ShardIterator']

    def shards(self):
        return shards_of(self.streams, self.arn)


def test_roll_over(own_server):
    """Shards are closed and have children; nothing is lost or read twice, and parents come first."""
    setup = Setup(own_server('dynamo.stream_shard_lifetime=1', 'dynamo.stream_shards=2'))
    written, deadline = [], time.monotonic() + 4
    while time.monotonic() < deadline:
        written.append({'p': {'S': f'k{len(written)}'}, 'b': {'B': b'\0'}, 'n': {'NS': ['1']}, 'bs': {'BS': [b'x']}})
        setup.client.put_item(TableName=setup.name, Item=written[-1])
        time.sleep(0.01)
    time.sleep(2)               # once they have got no change, shards are not rolled over
    shards = setup.shards()
    by_id = {shard['ShardId']: shard for shard in shards}
    parents = [shard.get('ParentShardId') for shard in shards]
    assert sum(p is None for p in parents) == 2 and len(shards) >= 4
    for place, (shard, parent) in enumerate(zip(shards, parents)):
        numbers = shard['SequenceNumberRange']
        if parent:
            assert parent in [s['ShardId'] for s in shards[:place]]
            assert int(by_id[parent]['SequenceNumberRange']['EndingSequenceNumber']) + 1 \
                == int(numbers['StartingSequenceNumber'])
        children = setup.streams.describe_stream(StreamArn=setup.arn, ShardFilter={
            'Type': 'CHILD_SHARDS', 'ShardId': shard['ShardId']})['StreamDescription']['Shards']
        assert [c['ShardId'] for c in children] == [s['ShardId'] for s, p in zip(shards, parents)
                                                    if p == shard['ShardId']]
        assert ('EndingSequenceNumber' in numbers) == bool(children)
        if children:            # its end can be reached, and stood at
            reply = setup.streams.get_records(ShardIterator=setup.iterator(
                shard, 'AFTER_SEQUENCE_NUMBER', SequenceNumber=numbers['EndingSequenceNumber']))
            assert reply['Records'] == [] and 'NextShardIterator' not in reply
    images = [record['dynamodb']['NewImage'] for record in records_of(setup.streams, setup.arn)]
    assert images == written


def test_nobody_has_to_wait_for_who_looks_at_shards(own_server):
    setup = Setup(own_server('dynamo.stream_shard_lifetime=1', 'dynamo.stream_shards=1'))
    import psycopg2
    session = psycopg2.connect(host=setup.server.socket, port=5432, user='postgres', dbname='postgres')
    session.cursor().execute('SELECT * FROM dynamo.stream_shards')     # and leaves its transaction open
    setup.put('a')
    wait_for(lambda: len(setup.shards()) > 1)
    assert len(records_of(setup.streams, setup.arn)) == 1
    session.close()


def test_nobody_has_to_wait_for_who_disables_a_stream(own_server):
    """Whose transaction may stay open: other streams are read and rolled over.  Its
    own stream has no open shard once it is disabled."""
    server = own_server('dynamo.stream_shard_lifetime=1', 'dynamo.stream_shards=1')
    setup, other = Setup(server), Setup(server, 'other')
    import psycopg2
    session = psycopg2.connect(host=server.socket, port=5432, user='postgres', dbname='postgres')
    for stream in (setup, other):
        stream.put('a')
    session.cursor().execute('SELECT dynamo.update_table(%s)', (json.dumps(
        {'TableName': setup.name, 'StreamSpecification': {'StreamEnabled': False}}),))
    for n in range(2, 4):
        other.put(f'b{n}')
        wait_for(lambda: len(other.shards()) >= n)
        assert len(records_of(other.streams, other.arn)) == n
    session.commit()
    session.close()
    assert all('EndingSequenceNumber' in shard['SequenceNumberRange'] for shard in setup.shards())
    assert len(records_of(setup.streams, setup.arn)) == 1


def readable(setup):
    """How many records there are; None if some were dropped while they were read."""
    try:
        return len(records_of(setup.streams, setup.arn))
    except setup.streams.exceptions.TrimmedDataAccessException:
        return None


def test_retention(own_server):
    """What is older than the retention goes: records, closed shards, disabled streams."""
    setup = Setup(own_server('dynamo.stream_retention=2', 'dynamo.stream_shards=1'))
    setup.put('old')
    setup.put('older than the next')
    [shard] = setup.shards()
    oldest = setup.iterator(shard, 'TRIM_HORIZON')
    number = setup.streams.get_records(ShardIterator=oldest)['Records'][0]['dynamodb']['SequenceNumber']
    # A new relation is begun when there is something in the old one.
    wait_for(lambda: readable(setup) == 0, 20)
    setup.put('new')
    with raises(TRIMMED):
        setup.streams.get_records(ShardIterator=oldest)
    with raises(TRIMMED):
        setup.iterator(shard, 'AT_SEQUENCE_NUMBER', SequenceNumber=number)
    with pytest.raises(Exception, match='past the oldest stream record'):
        setup.server.sql('SELECT * FROM dynamo.stream_records(%s, %s)', setup.name, number)
    assert [r['dynamodb']['Keys']['p']['S'] for r in records_of(setup.streams, setup.arn)] == ['new']

    place = setup.iterator(shard, 'LATEST')
    setup.client.update_table(TableName=setup.name, StreamSpecification={'StreamEnabled': False})
    assert setup.streams.get_records(ShardIterator=place)['Records'] == []
    wait_for(lambda: setup.streams.list_streams()['Streams'] == [], 20)
    with raises('ResourceNotFoundException'):
        setup.streams.describe_stream(StreamArn=setup.arn)
    with raises('ResourceNotFoundException'):
        setup.streams.get_records(ShardIterator=place)
    # What the table's stream was called is known all the same.
    assert setup.client.describe_table(TableName=setup.name)['Table']['LatestStreamArn'] == setup.arn


def test_a_limit_of_size_drops_the_oldest(own_server):
    """Loud, and no write is stopped."""
    setup = Setup(own_server('dynamo.change_log_limit=2MB', 'dynamo.stream_shard_lifetime=2',
                             'dynamo.stream_shards=1'))
    for n in range(40):
        setup.put('k', n={'N': str(n)}, v={'B': os.urandom(100_000)})
    wait_for(lambda: (count := readable(setup)) is not None and count < 30, 30)
    assert setup.server.sql('SELECT sum(bytes) FROM dynamo.stat_change_log')[0][0] < 6e6
    setup.put('last')
    assert records_of(setup.streams, setup.arn)[-1]['dynamodb']['Keys'] == {'p': {'S': 'last'}}
    with open(f'{setup.server.directory}/log/postgres.log') as log:
        assert 'the change log is larger than dynamo.change_log_limit' in log.read()
    page = urllib.request.urlopen(f'{setup.server.endpoint}/metrics').read().decode()
    assert int(re.search(r'^dynamo_change_log_dropped_early_total (\d+)$', page, re.M)[1]) > 0
    assert 0 < int(re.search(r'^dynamo_change_log_bytes (\d+)$', page, re.M)[1]) < 6e6


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def test_iterators_expire(own_server):
    setup = Setup(own_server('dynamo.stream_shards=1'))
    fields = base64.b64decode(setup.iterator(setup.shards()[0], 'LATEST')).decode().split('|')[:-1]

    def made(minutes_ago):
        text = '|'.join([*fields[:-1], str(int(fields[-1]) - int(minutes_ago * 60e6))])
        return b64(f'{text}|{crc32c(text.encode()):08x}'.encode())

    assert setup.streams.get_records(ShardIterator=made(14))['Records'] == []
    with raises('ExpiredIteratorException'):
        setup.streams.get_records(ShardIterator=made(16))
    with raises('ValidationException', 'Invalid ShardIterator'):
        setup.streams.get_records(ShardIterator=made(16)[:-8] + 'AAAAAAA=')


@pytest.mark.parametrize('stop', ['fast', 'immediate', 'kill'])
def test_restarts(own_server, stop):
    """Whatever ends the server, iterators and numbers go on behind what was read."""
    server = own_server('dynamo.stream_shards=1')
    setup = Setup(server)
    for n in range(5):
        setup.put(f'before{n}')
    [shard] = setup.shards()
    page = setup.streams.get_records(ShardIterator=setup.iterator(shard, 'TRIM_HORIZON'))
    # Numbers that a rolled back transaction took are no reason to skip others.
    server.sql("BEGIN; SELECT dynamo.put_item('streamed', '{\"p\": {\"S\": \"never\"}}'); ROLLBACK")
    place = setup.streams.get_records(ShardIterator=page['NextShardIterator'])['NextShardIterator']
    server.kill() if stop == 'kill' else server.stop(stop)
    server.start()
    server.wait()
    for n in range(5):
        setup.put(f'after{n}')
    found = setup.streams.get_records(ShardIterator=place)['Records']
    assert [r['dynamodb']['Keys']['p']['S'] for r in found] == [f'after{n}' for n in range(5)]
    numbers = [int(r['dynamodb']['SequenceNumber']) for r in page['Records'] + found]
    assert numbers == sorted(set(numbers))


def test_without_preloading(own_server):
    """A stream goes on where the server does: without, writes are refused rather than lost."""
    server = own_server('dynamo.stream_shards=1')
    Setup(server)
    server.sql("ALTER SYSTEM SET shared_preload_libraries = 'plpgsql'")
    server.stop('fast')
    server.start()
    with pytest.raises(Exception, match='streams need "dynamo" in shared_preload_libraries'):
        server.sql("SELECT dynamo.put_item('streamed', '{\"p\": {\"S\": \"x\"}}')")
    assert server.sql("SELECT dynamo.get_item('streamed', '{\"p\": {\"S\": \"x\"}}') IS NULL") == [(True,)]
    server.sql('CALL dynamo.run_jobs()')
    server.sql("""SELECT dynamo.update_table('{"TableName": "streamed", "StreamSpecification": {"StreamEnabled": false}}')""")
    server.sql("SELECT dynamo.put_item('streamed', '{\"p\": {\"S\": \"x\"}}')")
    server.sql('DROP TABLE dynamo_data.streamed')
