"""A consumer of a stream keeps a copy of a table while everything happens that can:
shards roll over, the server crashes and comes back, a standby takes its place.

The standby is a synchronous one: what a reader has seen is there, too.  So the
consumer goes on with what it has in hand, its iterators.  Each record must tell
what the copy has as what was before.
"""
import json
import random
import re
import threading
import time

import psycopg2
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from conftest import wait_for

pytestmark = pytest.mark.not_aws
LIFETIME = 'dynamo.stream_shard_lifetime=2'
SHARDS = 4                      # the default of dynamo.stream_shards
DOWN = ('ServiceUnavailable', 'ThrottlingException')    # what a server may say that comes or goes


class Place:
    """Where the clients are: the server that is the primary now."""

    def __init__(self, server):
        self.move(server)

    def move(self, server):
        self.server = server
        self.client, self.streams = server.client(), server.client('dynamodbstreams')

    def patiently(self, call):
        """call(), until there is an answer that is not that of a server going down;
        and how often it was tried."""
        for tries in range(1, 300):
            try:
                return call(), tries
            except ClientError as e:
                if e.response['Error']['Code'] not in DOWN:
                    raise
            except BotoCoreError:
                pass
            time.sleep(0.1)
        raise AssertionError('the server does not come back')


class Worker(threading.Thread):
    """step() again and again, until stopped; join() tells what was wrong."""

    def __init__(self, step):
        super().__init__(daemon=True)
        self.step, self.stopped, self.steps, self.wrong = step, False, 0, None

    def run(self):
        try:
            while not self.stopped:
                self.step()
                self.steps += 1
        except BaseException as e:
            self.wrong = e

    def stop(self):
        self.stopped = True
        self.join(60)
        assert not self.is_alive()
        if self.wrong:
            raise self.wrong


class Writer(Worker):
    """Changes of all kinds to few keys.  Whether one that got no answer was made
    does not matter: it is in the stream or it isn't in the table either."""

    def __init__(self, place, number):
        super().__init__(self.write)
        self.place, self.number, self.rng = place, number, random.Random(number)

    def write(self):
        rng, n, table = self.rng, self.steps, 'source'
        key = {'p': {'S': f'p{rng.randrange(12)}'}, 's': {'N': str(rng.randrange(3))}}
        item = {**key, 'n': {'N': str(n)}, 'w': {'N': str(self.number)}, 'm': {'M': {'b': {'B': b'\0\xff'}}},
                'filler': {'S': '\u00e4' * rng.randrange(1500)}}
        other = {'p': {'S': f'other{rng.randrange(4)}'}, 's': {'N': '0'}}
        calls = [
            lambda c: c.put_item(TableName=table, Item=item),
            lambda c: c.delete_item(TableName=table, Key=key),
            lambda c: c.update_item(TableName=table, Key=key, UpdateExpression='ADD n :n SET u = :u',
                                    ExpressionAttributeValues={':n': {'N': '0.5'}, ':u': {'S': str(n)}}),
            lambda c: c.batch_write_item(RequestItems={table: [
                {'PutRequest': {'Item': item}}, {'DeleteRequest': {'Key': other}}]}),
            lambda c: c.transact_write_items(TransactItems=[
                {'Put': {'TableName': table, 'Item': item}},
                {'Put': {'TableName': table, 'Item': {**other, 'n': {'N': str(n)}}}}]),
        ]
        call = rng.choice(calls)

        def send():
            try:
                call(self.place.client)
            except ClientError as e:
                # The other writer has the item.
                if e.response['Error']['Code'] not in ('TransactionConflictException', 'TransactionCanceledException'):
                    raise

        self.place.patiently(send)
        time.sleep(0.01)        # or one consumer does not keep up with them


class SqlWriter(Worker):
    """Transactions that stay open for a while, and end in either way: a reader must
    not pass what it does not see of them yet."""

    def __init__(self, place):
        super().__init__(self.write)
        self.place, self.rng, self.connection = place, random.Random(3), None

    def write(self):
        try:
            if self.connection is None:
                self.connection = psycopg2.connect(host=self.place.server.socket, port=5432, user='postgres',
                                                   dbname='postgres')
            with self.connection.cursor() as cursor:
                for _ in range(3):
                    item = {'p': {'S': f'sql{self.rng.randrange(9)}'}, 's': {'N': '0'}, 'n': {'N': str(self.steps)}}
                    cursor.execute('SELECT dynamo.put_item(%s)',
                                   [json.dumps({'TableName': 'source', 'Item': item})])
                    time.sleep(0.03)
            if self.rng.randrange(4):
                self.connection.commit()
            else:
                self.connection.rollback()
        except psycopg2.Error as e:
            if e.pgcode and not e.pgcode.startswith('57P'):
                raise
            self.connection = None      # the server is gone, or going
            time.sleep(0.1)


class Consumer(Worker):
    """Hands on what is in a stream's shards, of each when its parent has been read
    to its end."""

    def __init__(self, place, arn, take):
        super().__init__(self.look)
        self.place, self.arn, self.take = place, arn, take
        self.iterators, self.last, self.done, self.records = {}, {}, set(), 0

    def shards(self):
        found, start = [], {}
        while True:
            description = self.place.streams.describe_stream(
                StreamArn=self.arn, Limit=7, **start)['StreamDescription']
            found += description['Shards']
            if 'LastEvaluatedShardId' not in description:
                return found
            start = {'ExclusiveStartShardId': description['LastEvaluatedShardId']}

    def look(self):
        shards, _ = self.place.patiently(self.shards)
        there = {shard['ShardId'] for shard in shards}
        for shard in shards:
            name, parent = shard['ShardId'], shard.get('ParentShardId')
            if name not in self.done and (parent not in there or parent in self.done):
                self.read(name)
        time.sleep(0.02)

    def read(self, shard):
        if shard not in self.iterators:
            self.iterators[shard] = self.place.patiently(lambda: self.place.streams.get_shard_iterator(
                StreamArn=self.arn, ShardId=shard, ShardIteratorType='TRIM_HORIZON')['ShardIterator'])[0]
        reply, _ = self.place.patiently(lambda: self.place.streams.get_records(
            ShardIterator=self.iterators[shard], Limit=100))
        for record in reply['Records']:
            number = int(record['dynamodb']['SequenceNumber'])
            assert number > self.last.get(shard, 0)
            self.last[shard] = number
            self.take(record)
            self.records += 1
        self.iterators[shard] = reply.get('NextShardIterator')
        if self.iterators[shard] is None:
            self.done.add(shard)


def key_of(item):
    return item['p']['S'], item['s']['N']


def checked(record, before, tries):
    """That a record fits what was there before it; if the change was sent twice, it
    may have been made by the first."""
    change = record['dynamodb']
    old, new = change.get('OldImage'), change.get('NewImage')
    assert old == before or tries > 1 and new == before, (record, before)
    assert record['eventName'] == ('INSERT' if old is None else 'REMOVE' if new is None else 'MODIFY')
    assert key_of(change['Keys']) == key_of(new or old)


def items(client, table):
    return {key_of(item): item for page in client.get_paginator('scan').paginate(TableName=table, ConsistentRead=True)
            for item in page['Items']}


def test_copy(own_server):
    begun = time.time()
    primary = own_server(LIFETIME)
    standby = own_server(LIFETIME, 'wal_retrieve_retry_interval=100ms', standby_of=primary)
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.sql('SELECT pg_reload_conf()')

    def is_synchronous():
        return primary.sql("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'")

    place = Place(primary)
    standby.credentials = primary.credentials
    for name, stream in (('source', {'StreamEnabled': True, 'StreamViewType': 'NEW_AND_OLD_IMAGES'}),
                         ('copy', {'StreamEnabled': False})):
        place.client.create_table(
            TableName=name, BillingMode='PAY_PER_REQUEST', StreamSpecification=stream,
            AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'},
                                  {'AttributeName': 's', 'AttributeType': 'N'}],
            KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}, {'AttributeName': 's', 'KeyType': 'RANGE'}])
    arn = place.client.describe_table(TableName='source')['Table']['LatestStreamArn']
    wait_for(is_synchronous)

    def copy(record):
        change = record['dynamodb']
        if 'NewImage' in change:
            reply, tries = place.patiently(lambda: place.client.put_item(
                TableName='copy', Item=change['NewImage'], ReturnValues='ALL_OLD'))
        else:
            reply, tries = place.patiently(lambda: place.client.delete_item(
                TableName='copy', Key=change['Keys'], ReturnValues='ALL_OLD'))
        checked(record, reply.get('Attributes'), tries)

    consumer = Consumer(place, arn, copy)
    writers = [Writer(place, 1), Writer(place, 2), SqlWriter(place)]
    workers = [*writers, consumer]

    def roll_over():
        """Shards have been read to their end that are open now, and some of their children."""
        ended, copied = len(consumer.done), consumer.records
        wait_for(lambda: len(consumer.done) >= ended + SHARDS and consumer.records > copied + 50
                 or any(worker.wrong for worker in workers), 20)

    for worker in workers:
        worker.start()
    try:
        roll_over()

        primary.stop('immediate')
        primary.start(LIFETIME)
        primary.wait()
        wait_for(is_synchronous)
        roll_over()

        primary.stop('immediate')
        standby.sql('SELECT pg_promote()')
        standby.wait()
        place.move(standby)
        roll_over()
    finally:
        for writer in writers:
            writer.stop()
    source = items(place.client, 'source')
    wait_for(lambda: items(place.client, 'copy') == source or consumer.wrong)
    consumer.stop()
    assert items(place.client, 'copy') == source and len(source) > 10

    # What was logged on either server, from the beginning, gives the same.
    model = {}

    def play(record):
        change = record['dynamodb']
        checked(record, model.pop(key_of(change['Keys']), None), 1)
        if 'NewImage' in change:
            model[key_of(change['Keys'])] = change['NewImage']

    replay = Consumer(place, arn, play)
    wait_for(lambda: replay.look() or model == source and replay.records >= consumer.records)
    assert replay.records == consumer.records

    # A shard's id tells when it was made, as the service's do; by that the Kinesis
    # Client Library deletes what it knows of shards that are gone.
    shards = replay.shards()
    ids = [shard['ShardId'] for shard in shards]
    made = [int(re.fullmatch(r'shardId-(\d{20})-[0-9a-f]+', i)[1]) / 1000 for i in ids]
    assert made == sorted(made) and begun - 1 <= made[0] and made[-1] <= time.time() + 1
    assert [shard['ParentShardId'] for shard in shards[SHARDS:]] == ids[:-SHARDS]
