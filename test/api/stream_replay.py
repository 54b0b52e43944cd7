#!/usr/bin/env python3
"""The soak of streams: who replays a stream has the table, whatever happens.

Writers change items by every way there is: operations by HTTP, alone, in batches
and in transactions; statements of SQL on the relation, operations in transactions
of SQL's, some of them rolled back.  A consumer replays the stream meanwhile.  The
postmaster is killed again and again; one time it stays dead, and a synchronous
standby is promoted in its place.  Shards live for seconds.

Each change gives its item a unique w; a deletion is named by the w it deletes.  So
what has to hold can be seen:

* sequence numbers rise within a shard, and over all of an item's records,
* each record's OldImage is the NewImage of the item's record before it: together
  with unique images this is the order of the commits, without a gap,
* every acknowledged change is there once, none that was refused or rolled back is,
  and those whose outcome nobody knows are there once or not at all,
* what the consumer has in the end is what a Scan finds.

Before that it measures how long it takes from the acknowledgement of a write until
a consumer has the record.

usage: stream_replay.py [--changes N] [--items N] [--writers N] [--kills N]
                        [--lifetime SECONDS] [--shards N] [--seed N] [--keep]
starts servers of its own.  The same seed makes the same requests, but not the same
meetings.
"""
import argparse
import collections
import ctypes
import http.client
import itertools
import json
import multiprocessing
import pathlib
import random
import shutil
import statistics
import sys
import tempfile
import time

import psycopg2
import psycopg2.errors

from operation_model import Http

TABLE = 'soak'
HOT = 50                        # items that get a tenth of the changes
BEHIND = 3000                   # records: writers wait, so that a kill meets the end of the log
SETTINGS = ('max_connections=60', 'max_wal_senders=4', 'wal_retrieve_retry_interval=200ms',
            'deadlock_timeout=200ms', 'log_min_messages=fatal')
# What a server that goes down, comes back or has a hot item may say: nothing was done ...
REFUSED = {'ConditionalCheckFailedException', 'TransactionCanceledException',
           'TransactionConflictException', 'TransactionInProgressException'}
# ... or nobody knows.
UNKNOWN = {'ServiceUnavailable', 'ThrottlingException'}
GONE = (OSError, http.client.HTTPException)

multiprocessing = multiprocessing.get_context('fork')


class Places:
    """Where the servers are, and which of them is in charge; for all processes."""

    def __init__(self, servers):
        keys = servers[0].sdk_environment()
        self.credentials = (keys['AWS_DEFAULT_REGION'], keys['AWS_ACCESS_KEY_ID'],
                            keys['AWS_SECRET_ACCESS_KEY'])
        self.endpoints = [server.endpoint for server in servers]
        self.sockets = [server.socket for server in servers]
        self.current = multiprocessing.Value('i', 0, lock=False)


class Client:
    """Requests to the server in charge."""

    def __init__(self, places):
        self.places, self.number, self.http = places, None, None

    def run(self, operation, request):
        """(exception, message, answer); raises one of GONE."""
        number = self.places.current.value
        if self.number != number or self.http is None:
            self.close()
            self.number = number
            self.http = Http(self.places.endpoints[number], *self.places.credentials)
        try:
            return self.http.run(operation, json.dumps(request))
        except GONE:
            self.close()
            raise

    def must(self, operation, request, seconds=60):
        """The answer, however long the server takes to come back."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                error, message, answer = self.run(operation, request)
                if error is None:
                    return answer
                if error not in UNKNOWN or time.monotonic() > deadline:
                    raise AssertionError(f'{operation}: {error}: {message}')
            except GONE:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.05)

    def close(self):
        if self.http:
            self.http.connection.close()
        self.http = None


def make_table(client, name):
    """The ARN of its stream."""
    answer = client.must('CreateTable', {
        'TableName': name, 'BillingMode': 'PAY_PER_REQUEST',
        'AttributeDefinitions': [{'AttributeName': 'p', 'AttributeType': 'S'}],
        'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'}],
        'StreamSpecification': {'StreamEnabled': True, 'StreamViewType': 'NEW_AND_OLD_IMAGES'}})
    client.close()
    return answer['TableDescription']['LatestStreamArn']


def connect(places, number=None):
    socket = places.sockets[places.current.value if number is None else number]
    connection = psycopg2.connect(host=socket, port=5432, user='postgres', dbname='postgres',
                                  options='-c search_path=public,dynamo')
    connection.autocommit = True
    return connection


def execute(places, number, statement):
    connection = connect(places, number)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


class Writer:
    """One process that makes changes, and writes down what became of them."""

    def __init__(self, soak, number):
        self.soak, self.number = soak, number
        self.rng = random.Random(f'{soak.seed} {number}')
        self.client = Client(soak.places)
        self.ids = itertools.count(1)
        self.known = {}         # key -> w that this writer gave it
        self.errors = collections.Counter()
        self.log = open(soak.log_of(number), 'w')

    # ----- what is written -----

    def key(self):
        if self.rng.random() < .1:
            return f'i{self.rng.randrange(min(HOT, self.soak.items))}'
        return f'i{self.rng.randrange(self.soak.items)}'

    def keys(self, low, high):
        return list({self.key() for _ in range(self.rng.randint(low, high))})

    def id(self):
        return f'{self.number}.{next(self.ids)}'

    def item(self, key, w):
        length = self.rng.randrange(5000, 12000) if self.rng.random() < .01 else self.rng.randrange(200)
        return {'p': {'S': key}, 'w': {'S': w}, 'v': {'N': '1'},
                'filler': {'S': chr(self.rng.randrange(97, 123)) * length}}

    @staticmethod
    def update(key, w, table=TABLE):
        return {'TableName': table, 'Key': {'p': {'S': key}}, 'UpdateExpression': 'SET w = :w ADD v :one',
                'ExpressionAttributeValues': {':w': {'S': w}, ':one': {'N': '1'}}}

    def put(self, key, w):
        return {'TableName': TABLE, 'Item': self.item(key, w)}

    # ----- what became of it -----

    def did(self, *changes):
        """Acknowledged: changes are (key, w), or (key, None, w) of a deletion."""
        for change in changes:
            if change[1] is None:
                self.log.write(f'+D{change[2]}\n')
                self.known.pop(change[0], None)
            else:
                self.log.write(f'+{change[1]}\n')
                self.known[change[0]] = change[1]
        self.soak.counts[self.number] += len(changes)

    def did_not(self, ids):
        for w in ids:
            self.log.write(f'-{w}\n')

    def run(self):
        step = self.sql_steps() if self.number >= self.soak.http_writers else self.http_step
        while not self.soak.stop.is_set():
            if sum(self.soak.counts) > self.soak.records.value + BEHIND:
                time.sleep(0.01)
                continue
            try:
                step()
            except GONE:
                self.errors['no answer'] += 1
                time.sleep(0.05)
        self.log.write('e' + json.dumps(self.errors) + '\n')
        self.log.close()

    # ----- HTTP -----

    def send(self, operation, request, ids):
        """The answer, or None: if it was refused for certain that is noted."""
        error, message, answer = self.client.run(operation, request)
        if error is None:
            return answer
        self.errors[error] += 1
        if error in REFUSED:
            self.did_not(ids)
        elif error in UNKNOWN:
            time.sleep(0.05)
        else:
            raise AssertionError(f'{operation}: {error}: {message}')
        return None

    def http_step(self):
        step = self.rng.choices(
            [self.do_update, self.do_put, self.do_delete, self.do_statement, self.do_batch, self.do_transaction],
            [35, 15, 8, 6, 14, 22])[0]
        step()

    def do_update(self):
        key, w = self.key(), self.id()
        request = self.update(key, w)
        if self.rng.random() < .3:
            request['ConditionExpression'] = 'attribute_exists(p)'
        if self.send('UpdateItem', request, [w]) is not None:
            self.did((key, w))

    def do_put(self):
        key, w = self.key(), self.id()
        request = self.put(key, w)
        if self.rng.random() < .3:
            request['ConditionExpression'] = 'attribute_not_exists(p)'
        if self.send('PutItem', request, [w]) is not None:
            self.did((key, w))

    def do_delete(self):
        key = self.key()
        answer = self.send('DeleteItem', {'TableName': TABLE, 'Key': {'p': {'S': key}},
                                          'ReturnValues': 'ALL_OLD'}, [])
        if answer and 'Attributes' in answer:
            self.did((key, None, answer['Attributes']['w']['S']))

    def do_statement(self):
        key, w = self.key(), self.id()
        answer = self.send('ExecuteStatement', {
            'Statement': f'UPDATE "{TABLE}" SET w = ? SET v = v + 1 WHERE p = ?',
            'Parameters': [{'S': w}, {'S': key}]}, [w])
        if answer is not None:
            self.did((key, w))

    def do_batch(self):
        changes = [(key, self.id()) for key in self.keys(5, 25)]
        deleted = [key for key, _ in changes if self.rng.random() < .05]
        changes = [c for c in changes if c[0] not in deleted]
        answer = self.send('BatchWriteItem', {'RequestItems': {TABLE: [
            *({'PutRequest': {'Item': self.item(*c)}} for c in changes),
            *({'DeleteRequest': {'Key': {'p': {'S': key}}}} for key in deleted)]}}, [w for _, w in changes])
        if answer is None:
            return
        left = {r['PutRequest']['Item']['w']['S'] for r in answer['UnprocessedItems'].get(TABLE, [])
                if 'PutRequest' in r}
        self.did_not(left)
        self.did(*(c for c in changes if c[1] not in left))

    def do_transaction(self):
        changes, actions = [], []
        for key in self.keys(2, 8):
            kind = self.rng.random()
            if kind < .15 and key in self.known:
                w = self.known[key]
                changes.append((key, None, w))
                actions.append({'Delete': {
                    'TableName': TABLE, 'Key': {'p': {'S': key}}, 'ConditionExpression': 'w = :w',
                    'ExpressionAttributeValues': {':w': {'S': w}}}})
            elif kind < .2:
                actions.append({'ConditionCheck': {
                    'TableName': TABLE, 'Key': {'p': {'S': key}}, 'ConditionExpression': 'attribute_exists(p)'}})
            else:
                w = self.id()
                changes.append((key, w))
                actions.append({'Update': self.update(key, w)} if kind < .7 else {'Put': self.put(key, w)})
        if not changes:
            return
        request = {'TransactItems': actions, 'ClientRequestToken': f'{self.soak.seed}-{self.id()}'}
        # With its token it can be sent until there is an answer, and is done once.
        while not self.soak.stop.is_set():
            try:
                error, message, _ = self.client.run('TransactWriteItems', request)
            except GONE:
                self.errors['no answer'] += 1
                time.sleep(0.05)
                continue
            if error is None:
                self.did(*changes)
                return
            self.errors[error] += 1
            if error in UNKNOWN or error == 'TransactionInProgressException':
                time.sleep(0.02)
                continue
            if error not in REFUSED:
                raise AssertionError(f'TransactWriteItems: {error}: {message}')
            # It can't have been done and be refused for its conditions afterwards.
            self.did_not(c[1] for c in changes if c[1])
            for change in changes:
                self.known.pop(change[0], None)
            return

    # ----- SQL -----

    WHERE = "WHERE hash = dynamo_internal.key_hash(%(key)s) AND partition_key = %(place)s"

    def sql_steps(self):
        connection = None

        def step():
            nonlocal connection
            try:
                if connection is None or connection.closed:
                    connection = connect(self.soak.places)
                    connection.autocommit = False
                self.do_sql_transaction(connection)
            except psycopg2.Error as error:
                state = error.pgcode or ''
                self.errors[f'SQL {state or "no answer"}'] += 1
                # Going down, in recovery, not there, or out of something.
                if state and not state.startswith(('57P', '25006', '53')):
                    raise
                if connection:
                    connection.close()
                connection = None
                time.sleep(0.05)
        return step

    def do_sql_transaction(self, connection):
        done, undone = [], []
        roll_back = self.rng.random() < .1
        try:
            with connection.cursor() as cursor:
                # In order, against deadlocks; some twice.
                for key in sorted(self.key() for _ in range(self.rng.choice((1, 1, 2, 5, 12)))):
                    cursor.execute('SAVEPOINT s')
                    try:
                        changes = self.do_sql_change(cursor, key, undone)
                    except (psycopg2.errors.UniqueViolation, psycopg2.errors.lookup('40001')) as error:
                        self.errors[f'SQL {error.pgcode}'] += 1
                        cursor.execute('ROLLBACK TO s')
                        continue
                    if self.rng.random() < .1:
                        cursor.execute('ROLLBACK TO s')
                        undone += [c[1] for c in changes if c[1]]
                    else:
                        done += changes
                    if self.rng.random() < .02:
                        time.sleep(self.rng.random() * .1)
            if roll_back:
                connection.rollback()
                undone += [c[1] for c in done if c[1]]
            else:
                connection.commit()
                self.did(*done)
                self.errors['(changes in SQL)'] += len(done)
            self.did_not(undone)
        except (psycopg2.errors.DeadlockDetected, psycopg2.errors.lookup('55P03')) as error:
            self.errors[f'SQL {error.pgcode}'] += 1
            connection.rollback()
            self.did_not([*undone, *(c[1] for c in done if c[1])])

    def do_sql_change(self, cursor, key, undone):
        w = self.id()
        names = {'key': json.dumps({'S': key}), 'place': self.soak.place(key), 'w': json.dumps({'w': {'S': w}})}
        kind = self.rng.random()
        if kind < .5:
            cursor.execute(
                f"UPDATE dynamo_data.{TABLE} SET item = (item::jsonb || %(w)s || jsonb_build_object('v',"
                f" jsonb_build_object('N', (coalesce((item ->> 'v')::int, 0) + 1)::text)))::dynamo.item {self.WHERE}", names)
            if cursor.rowcount == 1:
                return [(key, w)]
        elif kind < .6:
            cursor.execute(f"DELETE FROM dynamo_data.{TABLE} {self.WHERE} RETURNING item ->> 'w'", names)
            undone.append(w)
            return [(key, None, row[0]) for row in cursor.fetchall()]
        elif kind < .7:
            undone.append(w)    # unless it works
            cursor.execute(f'INSERT INTO dynamo_data.{TABLE} (item) VALUES (%s)',
                           (json.dumps(self.item(key, w)),))
            undone.pop()
            return [(key, w)]
        else:
            cursor.execute('SELECT dynamo.update_item(%s)', (json.dumps(self.update(key, w)),))
            return [(key, w)]
        undone.append(w)
        return []


class Consumer:
    """Replays a stream: parents before children, from where it was."""

    def __init__(self, places, arn, seed=0, restarts=True, count=None):
        self.client, self.arn = Client(places), arn
        self.count = count      # where to say how many records there were
        self.rng = random.Random(f'{seed} consumer')
        self.restarts = restarts
        self.shards = {}        # id -> {parent, iterator, last, closed}
        self.open = []          # ids of those that are being read
        self.waiting = []       # whose parents have not been read to their end
        self.latest = None
        self.items = {}         # key -> (image, sequence number of its latest record)
        self.seen = set()
        self.arrived = None     # w -> time, where that is wanted
        self.records = 0
        self.problems = []
        self.errors = collections.Counter()

    def problem(self, text):
        if len(self.problems) < 20:
            print(f'PROBLEM: {text}', flush=True)
        self.problems.append(text)

    def ask(self, operation, request):
        """The answer, or None if there was none."""
        try:
            error, message, answer = self.client.run(f'DynamoDBStreams_20120810.{operation}', request)
        except GONE:
            self.errors['no answer'] += 1
            time.sleep(0.02)
            return None
        if error is None:
            return answer
        self.errors[error] += 1
        if error not in UNKNOWN:
            raise AssertionError(f'{operation}: {error}: {message}: {request}')
        time.sleep(0.02)
        return None

    def find_shards(self):
        """Learn of new shards.  False if there was no answer."""
        while True:
            request = {'StreamArn': self.arn}
            if self.latest:
                request['ExclusiveStartShardId'] = self.latest
            answer = self.ask('DescribeStream', request)
            if answer is None:
                return False
            for shard in answer['StreamDescription']['Shards']:
                self.latest = shard['ShardId']
                if self.latest in self.shards:
                    self.problem(f'shard {self.latest} twice')
                parent = shard.get('ParentShardId')
                if parent and parent not in self.shards:
                    self.problem(f'shard {self.latest} comes before its parent {parent}')
                self.shards[self.latest] = {
                    'parent': parent, 'iterator': None, 'last': None, 'closed': False,
                    'first': int(shard['SequenceNumberRange']['StartingSequenceNumber'])}
                self.waiting.append(self.latest)
            if 'LastEvaluatedShardId' not in answer['StreamDescription']:
                break
        ready = [i for i in self.waiting
                 if self.shards[i]['parent'] is None or self.shards[self.shards[i]['parent']]['closed']]
        self.waiting = [i for i in self.waiting if i not in ready]
        self.open += ready
        return True

    def poll(self, id):
        """One page of a shard: how many records; None if there was no answer."""
        shard = self.shards[id]
        again = False
        if self.restarts and self.rng.random() < .01:
            shard['iterator'] = None
        if shard['iterator'] is None:
            request = {'StreamArn': self.arn, 'ShardId': id, 'ShardIteratorType': 'TRIM_HORIZON'}
            if shard['last']:
                again = self.rng.random() < .3
                request['ShardIteratorType'] = 'AT_SEQUENCE_NUMBER' if again else 'AFTER_SEQUENCE_NUMBER'
                request['SequenceNumber'] = shard['last']
            answer = self.ask('GetShardIterator', request)
            if answer is None:
                return None
            shard['iterator'] = answer['ShardIterator']
        request = {'ShardIterator': shard['iterator']}
        if self.rng.random() < .1:
            request['Limit'] = self.rng.randint(2, 50)
        answer = self.ask('GetRecords', request)
        if answer is None:
            # What was got from a server that is no more is good on another.
            if again or self.rng.random() < .5:
                shard['iterator'] = None
            return None
        now = time.monotonic()
        records = answer['Records']
        if again:
            first = records.pop(0) if records else {'dynamodb': {}}
            if first['dynamodb'].get('SequenceNumber') != shard['last']:
                self.problem(f'AT_SEQUENCE_NUMBER {shard["last"]} begins with {first}')
        for record in records:
            self.take(record, shard, now)
        if self.count is not None:
            self.count.value = self.records
        shard['iterator'] = answer.get('NextShardIterator')
        if shard['iterator'] is None:
            shard['closed'] = True
            self.open.remove(id)
        return len(records)

    def take(self, record, shard, now):
        data = record['dynamodb']
        number = data['SequenceNumber']
        key = data['Keys']['p']['S']
        old, new = data.get('OldImage'), data.get('NewImage')
        self.records += 1
        if shard['last'] and int(number) <= int(shard['last']) or int(number) < shard['first']:
            self.problem(f'{number} comes after {shard["last"]} in a shard from {shard["first"]}')
        shard['last'] = number
        before, before_number = self.items.get(key, (None, 0))
        if int(number) <= before_number:
            self.problem(f'{key}: {number} comes after {before_number}')
        if old != before:
            self.problem(f'{key}: {number} changes {json.dumps(old)[:200]}, but there was {json.dumps(before)[:200]}')
        event = 'INSERT' if old is None else 'REMOVE' if new is None else 'MODIFY'
        if record['eventName'] != event or old is None and new is None:
            self.problem(f'{number} is {record["eventName"]}, not {event}')
        if any(image and image['p']['S'] != key for image in (old, new)):
            self.problem(f'{number} of {key} has an image of another item')
        self.items[key] = new, int(number)
        w = new['w']['S'] if new else 'D' + old['w']['S'] if old else None
        if w in self.seen:
            self.problem(f'{key}: {w} is there again, as {number}')
        self.seen.add(w)
        if self.arrived is not None:
            self.arrived[w] = now

    def round(self):
        """All shards once: True if everybody answered and there was nothing new."""
        quiet = self.find_shards()
        for id in list(self.open):
            quiet &= self.poll(id) == 0
        return quiet and not self.waiting

    def check(self, logs):
        """Compare with what writers noted and with the table; returns figures."""
        acknowledged = refused = 0
        errors = collections.Counter()
        written = set()
        for log in logs:
            with open(log) as lines:
                for line in lines:
                    kind, w = line[0], line[1:-1]
                    if kind == 'e':
                        errors.update(json.loads(w))
                    elif kind == '+':
                        acknowledged += 1
                        written.add(w)
                        if w not in self.seen:
                            self.problem(f'{w} was acknowledged and is not there')
                    else:
                        refused += 1
                        if w in self.seen:
                            self.problem(f'{w} was refused or rolled back and is there')
        table, start = {}, {}
        while start is not None:
            answer = self.client.must('Scan', {'TableName': TABLE, 'ConsistentRead': True, **start})
            table.update((item['p']['S'], item) for item in answer['Items'])
            start = {'ExclusiveStartKey': answer['LastEvaluatedKey']} if 'LastEvaluatedKey' in answer else None
        replayed = {key: image for key, (image, _) in self.items.items() if image is not None}
        for key in table.keys() | replayed.keys():
            if table.get(key) != replayed.get(key):
                self.problem(f'{key}: the table has {json.dumps(table.get(key))[:200]},'
                             f' the replay {json.dumps(replayed.get(key))[:200]}')
        return {'acknowledged': acknowledged, 'refused': refused, 'records': self.records,
                'unacknowledged, but there': len(self.seen - written), 'items': len(table),
                'shards': len(self.shards), "writers' errors": dict(errors), "consumer's errors": dict(self.errors)}


class Soak:
    """A run: servers is the primary and its standby, both with SETTINGS."""

    def __init__(self, servers, changes, items=100000, writers=16, kills=3, seed=0, settings=()):
        self.servers, self.changes, self.items = servers, changes, items
        self.writers, self.http_writers = writers, writers - max(1, writers // 4)
        self.kills, self.seed, self.settings = kills, seed, settings
        self.places = Places(servers)
        self.stop = multiprocessing.Event()
        self.drained = multiprocessing.Event()
        self.counts = multiprocessing.Array(ctypes.c_int64, writers, lock=False)
        self.records = multiprocessing.Value(ctypes.c_int64, 0, lock=False)
        self.directory = tempfile.mkdtemp(prefix='dynamo-soak-')

    def log_of(self, number):
        return f'{self.directory}/writer-{number}'

    @staticmethod
    def place(key):
        """A string's encoding in partition_key."""
        return key.encode()

    def replicate(self):
        """From now on nothing is acknowledged that the standby has not got."""
        execute(self.places, 0, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        execute(self.places, 0, 'SELECT pg_reload_conf()')
        deadline = time.monotonic() + 30
        while execute(self.places, 0, 'SELECT sync_state FROM pg_stat_replication') != [('sync',)]:
            assert time.monotonic() < deadline, 'there is no synchronous standby'
            time.sleep(0.1)

    # ----- what happens to the servers -----

    def kill(self):
        server = self.servers[self.places.current.value]
        server.kill()
        server.recover(*self.settings)

    def promote(self):
        self.servers[0].kill()
        execute(self.places, 1, 'SELECT pg_promote()')
        self.servers[1].wait()
        self.places.current.value = 1

    def consume(self, arn, queue):
        consumer = Consumer(self.places, arn, self.seed, count=self.records)
        quiet = 0
        try:
            # Twice, as an SDK does: shards may have been opened in between.
            while quiet < 2:
                over = self.drained.is_set()
                quiet = quiet + 1 if consumer.round() and over else 0
            figures = consumer.check([self.log_of(n) for n in range(self.writers)])
        except Exception as error:
            consumer.problem(f'{type(error).__name__}: {error}')
            figures = {'records': consumer.records}
        queue.put((figures, len(consumer.problems), consumer.problems[:20]))

    def run(self):
        """Figures; raises AssertionError if anything is wrong."""
        arn = make_table(Client(self.places), TABLE)
        self.replicate()
        queue = multiprocessing.Queue()
        consumer = multiprocessing.Process(target=self.consume, args=(arn, queue), daemon=True)
        writers = [multiprocessing.Process(target=lambda n=n: Writer(self, n).run(), daemon=True)
                   for n in range(self.writers)]
        try:
            return self.watch(queue, consumer, writers)
        finally:
            for process in [consumer, *writers]:
                if process.is_alive():
                    process.kill()

    def watch(self, queue, consumer, writers):
        begun = time.monotonic()
        for process in [consumer, *writers]:
            process.start()
        events = [self.kill] * self.kills
        events.insert(-1, self.promote)
        marks = [(i + 1) / (len(events) + 1) for i in range(len(events))]
        told = begun
        away = 0
        while (count := sum(self.counts)) < self.changes:
            time.sleep(0.1)
            assert all(process.is_alive() for process in [consumer, *writers]), 'a process has failed'
            if events and count >= marks[0] * self.changes:
                marks.pop(0)
                event, start = events.pop(0), time.monotonic()
                event()
                away += time.monotonic() - start
                print(f'{event.__name__} at {count} changes: {time.monotonic() - start:.1f} s', flush=True)
            if time.monotonic() > told + 10:
                told = time.monotonic()
                print(f'{told - begun:.0f} s: {count} changes acknowledged,'
                      f' {self.records.value} records read', flush=True)
        writing = time.monotonic() - begun
        self.stop.set()
        for process in writers:
            process.join(90)
            assert process.exitcode == 0, 'a writer hangs or has failed'
        self.drained.set()
        figures, count, problems = queue.get(timeout=600)
        consumer.join(30)
        assert not problems, f'{count} problems: ' + '\n'.join(problems)
        shutil.rmtree(self.directory)
        return {'seconds of writing': round(writing), 'seconds without a server': round(away, 1),
                'changes/s': round(figures['acknowledged'] / writing),
                'seconds until all is checked': round(time.monotonic() - begun), **figures}


def measure_delay(places, rate=1000, seconds=6, processes=4):
    """From the acknowledgement of a write until a consumer has its record, in ms."""
    table = 'delay'
    arn = make_table(Client(places), table)
    queue = multiprocessing.Queue()
    start = time.monotonic() + 1

    def write(number):
        client, rng, times = Client(places), random.Random(number), {}
        for i in range(rate * seconds // processes):
            time.sleep(max(0, start + i * processes / rate - time.monotonic()))
            w = f'{number}.{i}'
            client.must('UpdateItem', Writer.update(f'i{rng.randrange(10000)}', w, table))
            times[w] = time.monotonic()
        queue.put(times)

    writers = [multiprocessing.Process(target=write, args=(n,), daemon=True) for n in range(processes)]
    for process in writers:
        process.start()
    consumer = Consumer(places, arn, restarts=False)
    consumer.arrived = {}
    while len(consumer.arrived) < rate * seconds // processes * processes:
        consumer.round()
        assert time.monotonic() < start + seconds + 60, 'records are missing'
    acknowledged = {}
    for _ in writers:
        acknowledged.update(queue.get())
    for process in writers:
        process.join()
    assert not consumer.problems, consumer.problems[:5]
    took = max(acknowledged.values()) - start
    delays = sorted((consumer.arrived[w] - when) * 1000 for w, when in acknowledged.items())
    return {'writes/s': round(len(delays) / took), 'median ms': round(statistics.median(delays), 1),
            '99 % ms': round(delays[len(delays) * 99 // 100], 1), 'worst ms': round(delays[-1], 1)}


def settings(lifetime, shards):
    # The log's pieces are a 24th of the retention.
    return (*SETTINGS, f'dynamo.stream_shard_lifetime={lifetime}s', f'dynamo.stream_retention={200 * lifetime}s',
            f'dynamo.stream_shards={shards}')


def main():
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'scripts'))
    from private_cluster import Cluster

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--changes', type=int, default=1000000)
    parser.add_argument('--items', type=int, default=100000)
    parser.add_argument('--writers', type=int, default=16)
    parser.add_argument('--kills', type=int, default=3)
    parser.add_argument('--lifetime', type=int, default=3, help="of shards, in seconds")
    # A transaction can hold more than it can name.
    parser.add_argument('--shards', type=int, default=12, help='that are open at a time')
    parser.add_argument('--seed', type=int, default=random.randrange(10**9))
    parser.add_argument('--keep', action='store_true', help='leave the servers where they are')
    options = parser.parse_args()
    print(f'seed {options.seed}', flush=True)
    wanted = settings(options.lifetime, options.shards)
    servers = [Cluster(), Cluster()]
    failed = True
    try:
        servers[0].start()
        servers[0].wait()
        delay = measure_delay(Places(servers[:1]))
        print('from acknowledged to read, without a standby:', json.dumps(delay), flush=True)
        servers[0].start(*wanted)
        servers[0].wait()
        servers[1].make_standby_of(servers[0])
        servers[1].start(*wanted)
        figures = Soak(servers, options.changes, options.items, options.writers, options.kills,
                       options.seed, wanted).run()
        print(json.dumps(figures, indent=1), flush=True)
        failed = False
    finally:
        for server in reversed(servers):
            if options.keep:
                print(f'left in {server.directory}')
            else:
                server.reset()
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
