"""The bank: the sum never moves, and the history is strictly serialisable.

Eight writers, six by HTTP and two by SQL, transfer money between accounts of
two tables in transactions that also append to lists and check lists' lengths.
Four auditors, two by TransactGetItems and two by SQL in REPEATABLE READ, add up
all accounts and read the lists at one moment.  In between the postmaster is
killed twice; transfers whose answer got lost are sent again with their token.
In the end the history is checked by history.py.

--seconds says how long; "make test-bank ARGS='--seconds 60'" is the long run.
"""
import collections
import itertools
import json
import random
import threading
import time

import psycopg2
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from history import ABORTED, COMMITTED, Transaction, check

pytestmark = pytest.mark.not_aws

ACCOUNTS = [('bank-a', {'p': {'S': f'a{i}'}}) for i in range(8)] + \
           [('bank-b', {'p': {'S': f'b{i % 2}'}, 's': {'N': str(i)}}) for i in range(8)]
BALANCE = 100
LISTS = 6                       # in use at a time
LENGTH = 30                     # of a list before another one takes its place
KILLS = 2
# What a server that is being killed, or comes back, may say.
GOING_DOWN = {'ServiceUnavailable', 'ThrottlingException'}


class Bank:
    def __init__(self, server):
        self.server = server
        self.client = server.client()
        self.numbers = itertools.count(1)
        self.names = itertools.count(1)
        self.active = [f'list{next(self.names)}' for _ in range(LISTS)]
        self.lengths = collections.Counter()    # as last seen: a guess
        self.transactions = []
        self.sql_transfers = set()
        self.open = []          # (transaction, call) without an answer
        self.counts = collections.Counter()
        self.failures = []
        self.stopped = False

    def make(self):
        for name, sort in (('bank-a', None), ('bank-b', 'N'), ('lists', None)):
            keys = [('p', 'S', 'HASH')] + ([('s', sort, 'RANGE')] if sort else [])
            self.client.create_table(
                TableName=name, BillingMode='PAY_PER_REQUEST',
                AttributeDefinitions=[{'AttributeName': n, 'AttributeType': t} for n, t, _ in keys],
                KeySchema=[{'AttributeName': n, 'KeyType': k} for n, _, k in keys])
        for table, key in ACCOUNTS:
            self.client.put_item(TableName=table, Item={**key, 'balance': {'N': str(BALANCE)}})
        self.server.sql('CREATE TABLE ledger (id int PRIMARY KEY)')

    def note(self, name, length):
        """A list was seen to have a length; a long one retires."""
        self.lengths[name] = length
        if length >= LENGTH and name in self.active:
            try:
                self.active[self.active.index(name)] = f'list{next(self.names)}'
            except ValueError:
                pass            # another thread was faster

    def transfer(self):
        """A transaction and its call."""
        number = next(self.numbers)
        t = Transaction(time.monotonic())
        amount = {':a': {'N': str(random.randrange(1, 30))}}
        payer, payee = random.sample(ACCOUNTS, 2)
        lists = random.sample(list(self.active), random.choice((1, 2, 2, 3)))
        actions = [
            {'Update': {'TableName': payer[0], 'Key': payer[1], 'UpdateExpression': 'SET balance = balance - :a',
                        'ConditionExpression': 'balance >= :a', 'ExpressionAttributeValues': amount}},
            {'Update': {'TableName': payee[0], 'Key': payee[1], 'UpdateExpression': 'SET balance = balance + :a',
                        'ExpressionAttributeValues': amount}}]
        appends, looks = (lists[:-1], lists[-1:]) if len(lists) > 1 else (lists, [])
        for i, name in enumerate(appends):
            # Each element once in the whole history.
            t.appends[name] = number * 10 + i
            actions.append({'Update': {
                'TableName': 'lists', 'Key': {'p': {'S': name}},
                'UpdateExpression': 'SET l = list_append(if_not_exists(l, :none), :new)',
                'ExpressionAttributeValues': {':none': {'L': []}, ':new': {'L': [{'N': str(t.appends[name])}]}}}})
        for name in looks:
            t.reads[name] = length = self.lengths[name]
            actions.append({'ConditionCheck': {
                'TableName': 'lists', 'Key': {'p': {'S': name}}, 'ReturnValuesOnConditionCheckFailure': 'ALL_OLD',
                **({'ConditionExpression': 'attribute_not_exists(p)'} if length == 0 else
                   {'ConditionExpression': 'size(l) = :n', 'ExpressionAttributeValues': {':n': {'N': str(length)}}})}})
        random.shuffle(actions)
        self.transactions.append(t)
        return t, {'TransactItems': actions, 'ClientRequestToken': f'transfer-{number}'}

    def end(self, t, outcome, reasons=()):
        t.end = time.monotonic()
        t.outcome = outcome
        if outcome == COMMITTED:
            for name in t.appends:
                self.note(name, self.lengths[name] + 1)
        for reason in reasons:
            if 'l' in reason.get('Item', {}):
                self.note(reason['Item']['p']['S'], len(reason['Item']['l']['L']))
            if reason['Code'] not in ('None', 'ConditionalCheckFailed', 'TransactionConflict'):
                self.failures.append(reason)

    def http_transfer(self, t, call):
        try:
            self.client.transact_write_items(**call)
            self.end(t, COMMITTED)
        except self.client.exceptions.TransactionCanceledException as e:
            self.end(t, ABORTED, e.response['CancellationReasons'])

    def sql_transfer(self, connection, t, call):
        number = int(call['ClientRequestToken'].rpartition('-')[2])
        self.sql_transfers.add(number)
        with connection.cursor() as cursor:
            try:
                cursor.execute('SELECT dynamo.transact_write_items(%s)', (json.dumps(call),))
                cursor.execute('INSERT INTO ledger VALUES (%s) ON CONFLICT DO NOTHING', (number,))
                connection.commit()
                self.end(t, COMMITTED)
            except psycopg2.DatabaseError as e:
                if e.pgcode != 'KV021':
                    raise
                connection.rollback()
                self.end(t, ABORTED, json.loads(e.diag.message_detail)['CancellationReasons'])

    def saw(self, t, items):
        """An audit: balances and lists as they were at one moment."""
        t.end = time.monotonic()
        t.outcome = COMMITTED
        total = sum(int(item['balance']['N']) for item in items if 'balance' in item)
        if total != BALANCE * len(ACCOUNTS):
            self.failures.append(f'the sum is {total}')
        for item in items:
            if 'l' in item:
                t.reads[item['p']['S']] = [int(e['N']) for e in item['l']['L']]
                self.note(item['p']['S'], len(item['l']['L']))
        self.transactions.append(t)

    def http_audit(self):
        t, names = Transaction(time.monotonic()), list(self.active)
        t.reads = {name: [] for name in names}
        gets = [{'Get': {'TableName': table, 'Key': key}} for table, key in ACCOUNTS] + \
               [{'Get': {'TableName': 'lists', 'Key': {'p': {'S': name}}}} for name in names]
        reply = self.client.transact_get_items(TransactItems=gets)
        self.saw(t, [r['Item'] for r in reply['Responses'] if 'Item' in r])

    def sql_audit(self, connection):
        t, names = Transaction(time.monotonic()), list(self.active)
        t.reads = {name: [] for name in names}
        connection.set_session(isolation_level='REPEATABLE READ')
        items = []
        with connection.cursor() as cursor:
            # SQL's reads don't wait until what they see is durable: a commit
            # of their own after it does.
            cursor.execute("SELECT pg_logical_emit_message(true, 'bank', '')")
            for table in ('bank-a', 'bank-b'):
                cursor.execute("SELECT item::json FROM dynamo.scan(%s, NULL) item", (table,))
                items += [row[0] for row in cursor.fetchall()]
            for name in names:
                cursor.execute("SELECT dynamo.get_item(%s)", (json.dumps(
                    {'TableName': 'lists', 'Key': {'p': {'S': name}}}),))
                items += [row[0]['Item'] for row in cursor.fetchall() if 'Item' in row[0]]
        connection.commit()
        self.saw(t, items)

    # ----- threads -----

    def run(self, kind):
        """One client, until it is stopped or the server is gone."""
        connection = None
        try:
            if kind.startswith('sql'):
                connection = psycopg2.connect(host=self.server.socket, port=5432, user='postgres',
                                              dbname='postgres', options='-c search_path=public,dynamo')
            while not self.stopped:
                if kind == 'http audit':
                    self.http_audit()
                elif kind == 'sql audit':
                    self.sql_audit(connection)
                else:
                    t, call = self.transfer()
                    try:
                        if kind == 'http transfer':
                            self.http_transfer(t, call)
                        else:
                            self.sql_transfer(connection, t, call)
                    finally:
                        if t.end is None:
                            self.open.append((t, call))
                    kind_done = 'committed' if t.outcome == COMMITTED else 'cancelled'
                    self.counts[f'{kind} {kind_done}'] += 1
                    continue
                self.counts[kind] += 1
        except ClientError as e:
            if e.response['Error']['Code'] not in GOING_DOWN:
                self.failures.append(e)
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as e:
            if e.pgcode is not None and not e.pgcode.startswith('57P'):
                self.failures.append(e)
        except BotoCoreError:
            pass                # the server is gone
        except Exception as e:
            self.failures.append(e)
        finally:
            if connection:
                connection.close()

    def work(self, seconds, kill):
        self.stopped = False
        kinds = ['http transfer'] * 6 + ['sql transfer'] * 2 + ['http audit'] * 2 + ['sql audit'] * 2
        threads = [threading.Thread(target=self.run, args=(kind,), daemon=True) for kind in kinds]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        if kill:
            self.server.kill()
        self.stopped = True
        for thread in threads:
            thread.join(90)
            assert not thread.is_alive(), 'a client hangs'

    def repeat(self):
        """Send again what had no answer: with its token it is done once."""
        for t, call in self.open:
            if int(call['ClientRequestToken'].rpartition('-')[2]) in self.sql_transfers:
                connection = psycopg2.connect(host=self.server.socket, port=5432, user='postgres', dbname='postgres')
                self.sql_transfer(connection, t, call)
                connection.close()
            else:
                self.http_transfer(t, call)
        self.counts['repeated'] += len(self.open)
        self.open = []


def test_bank(own_server, pytestconfig):
    # Every cancelled transaction of SQL's would be in the log.
    bank = Bank(own_server('log_min_messages=fatal'))
    bank.make()
    seconds = pytestconfig.getoption('--seconds')
    for part in range(KILLS + 1):
        bank.work(seconds / (KILLS + 1), kill=part < KILLS)
        if part < KILLS:
            bank.server.recover()
        bank.repeat()
        bank.http_audit()
        assert not bank.failures, bank.failures[:5]

    final = {}
    for page in bank.client.get_paginator('scan').paginate(TableName='lists', ConsistentRead=True):
        for item in page['Items']:
            final[item['p']['S']] = [int(e['N']) for e in item['l']['L']]
    problems = check(bank.transactions, final)
    assert not problems, problems[:5]
    done = {e // 10 for elements in final.values() for e in elements}
    assert {row[0] for row in bank.server.sql('SELECT id FROM ledger')} == done & bank.sql_transfers
    print(f'{seconds} s: {dict(bank.counts)}, {len(bank.transactions)} transactions in the history')
    for kind in ('http transfer committed', 'sql transfer committed', 'http audit', 'sql audit'):
        assert bank.counts[kind] >= seconds, bank.counts
