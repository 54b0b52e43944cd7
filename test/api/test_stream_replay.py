"""A short run of stream_replay.py: a stream read while servers die is the table.

"make test-streams" is the long one: a million changes.
"""
import contextlib
import os
import random
import signal

import pytest

import stream_replay

pytestmark = pytest.mark.not_aws


def test_replay(own_server):
    """SEED of the environment repeats a run's requests."""
    seed = int(os.environ.get('SEED') or random.randrange(10**9))
    print(f'SEED={seed}')
    settings = (*stream_replay.settings(lifetime=1, shards=12), 'fsync=off')
    primary = own_server(*settings)
    standby = own_server(*settings, standby_of=primary)
    soak = stream_replay.Soak([primary, standby], changes=12000, items=1500, writers=8, kills=2,
                              seed=seed, settings=settings)
    figures = soak.run()
    print(figures)
    assert figures['records'] >= figures['acknowledged'] >= 12000
    assert figures['shards'] > 24, 'no shard was rolled over'
    assert figures["writers' errors"]['(changes in SQL)'] > 100
    assert figures["writers' errors"]['no answer'] > 0


def test_iterator_over_lost_numbers(own_server):
    """Numbers of changes that were rolled back, and of which a crash left nothing in
    WAL, are taken again: no iterator may have passed them."""
    settings = ('wal_buffers=64MB', 'bgwriter_lru_maxpages=0', 'autovacuum=off')
    server = own_server(*settings)
    places = stream_replay.Places([server])
    client = stream_replay.Client(places)
    arn = stream_replay.make_table(client, 'lost')

    def ask(operation, **request):
        return client.must(f'DynamoDBStreams_20120810.{operation}', request)

    # The first numbers of a server, before there is any WAL to flush.
    server.kill()
    server.recover(*settings)
    [[writer]] = server.sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
    os.kill(writer, signal.SIGSTOP)
    connection = stream_replay.connect(places)
    connection.autocommit = False
    with connection.cursor() as cursor:
        cursor.execute('INSERT INTO dynamo_data.lost (item) SELECT json_build_object('
                       "'p', json_build_object('S', n::text))::dynamo.item FROM generate_series(1, 20000) n")
    connection.rollback()
    iterators = {shard['ShardId']: ask('GetRecords', ShardIterator=ask(
        'GetShardIterator', StreamArn=arn, ShardId=shard['ShardId'],
        ShardIteratorType='TRIM_HORIZON')['ShardIterator'])['NextShardIterator']
        for shard in ask('DescribeStream', StreamArn=arn)['StreamDescription']['Shards']}
    server.kill()
    with contextlib.suppress(ProcessLookupError):
        os.kill(writer, signal.SIGKILL)
    server.recover(*settings)
    client.must('BatchWriteItem', {'RequestItems': {'lost': [
        {'PutRequest': {'Item': {'p': {'S': str(n)}}}} for n in range(25)]}})
    assert sum(len(ask('GetRecords', ShardIterator=iterator)['Records'])
               for iterator in iterators.values()) == 25
