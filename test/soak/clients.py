"""The clients of the soak.  Each knows what it may find, and says when it finds
something else.

What an item is has one owner, who writes it by every way there is, one request
after the other, and keeps a copy.  A request without an answer may have been done
or not: its owner looks at once which it is, of all of its items at one moment, and
from then on that is what has to be there.  Counters and accounts belong to all.
"""
import base64
import collections
import contextlib
import json
import random
import time
import traceback

import psycopg2

import bodies
import database
import hostile
import stream_replay
import wire
from stream_replay import GONE, Client

CLOSED = 'connection closed'
SLOW = 'slow'
SLOW_SECONDS = 4
PATIENCE = 60                   # seconds that any answer may take
CONFLICTS = ('TransactionConflictException', 'TransactionCanceledException', 'TransactionInProgressException')

ITEMS, COUNTERS, LEDGER, EXPIRING = 'soak-items', 'soak-counters', 'soak-ledger', 'soak-expiring'
ACCOUNTS = [('soak-accounts', {'p': {'S': f'a{i}'}}) for i in range(12)]
BALANCE = 1000
NCOUNTERS = 8


def schema(*names):
    return [{'AttributeName': n, 'KeyType': k} for n, k in zip(names, ('HASH', 'RANGE'))]


def table(name, keys, attributes=None, **more):
    return {'TableName': name, 'BillingMode': 'PAY_PER_REQUEST', 'KeySchema': schema(*keys),
            'AttributeDefinitions': [{'AttributeName': n, 'AttributeType': t}
                                     for n, t in (attributes or dict.fromkeys(keys, 'S')).items()], **more}


def index(name, *keys, projection='ALL'):
    return {'IndexName': name, 'KeySchema': schema(*keys), 'Projection': {'ProjectionType': projection}}


TABLES = [
    table(ITEMS, ('p', 's'), {'p': 'S', 's': 'S', 'g': 'S', 'v': 'N', 'f': 'S', 'l': 'N'},
          GlobalSecondaryIndexes=[index('by-group', 'g', 'v'), index('by-flag', 'f', projection='KEYS_ONLY')],
          LocalSecondaryIndexes=[index('local', 'p', 'l')]),
    table(COUNTERS, ('p',), SSESpecification={'Enabled': True}), table('soak-accounts', ('p',)), table(LEDGER, ('p', 's')), table(EXPIRING, ('p',))]


def normal(item):
    """With sets in order."""
    return {n: {'SS': sorted(v['SS'])} if 'SS' in v else v for n, v in item.items()}


def brief(item):
    return None if item is None else {n: v if len(str(v)) < 60 else f'{len(str(v))} characters' for n, v in item.items()}


class Load:
    """One process that makes requests at a steady rate."""

    pace = 10                   # steps a second

    def __init__(self, run, number):
        self.run, self.number = run, number
        self.place = None       # in run.checked
        self.client = Client(run.places)
        self.answered = 0       # when there was an answer: since then the connection may have closed
        self.count = collections.Counter()

    def work(self):
        self.r = random.Random(f'{self.run.seed} {type(self).__name__} {self.number}')
        checked = 0
        try:
            self.prepare()
            due = time.monotonic()
            while not self.run.stop.is_set():
                if checked < self.run.epoch.value:
                    checked = self.run.epoch.value
                    self.check()
                    self.run.checked[self.place] = checked
                due = max(due + self.r.expovariate(self.pace * self.run.rate), time.monotonic() - 1)
                if due > time.monotonic():
                    self.run.stop.wait(min(due - time.monotonic(), 1))
                if self.r.random() < .01:
                    self.client.close()
                self.step()
            self.finish()
        except Exception:
            self.problem(traceback.format_exc())
        self.run.results.put((type(self).__name__, self.count))

    def prepare(self):
        pass

    def check(self):
        """Is everything there that has to be?  Asked when the server is well."""

    def finish(self):
        pass

    def problem(self, text):
        self.run.problem(f'{type(self).__name__} {self.number}: {text}')

    def trouble(self, begun, what, text=''):
        """Something that needs a fault to explain it."""
        self.run.troubles.put((begun, time.monotonic(), f'{type(self).__name__} {self.number}', what, text))

    def ask(self, operation, request, *, normal=()):
        """(exception, answer).  exception is None if it was done, and CLOSED if nobody knows."""
        begun = time.monotonic()
        answer = None
        try:
            error, message, answer = self.client.run(operation, request)
        except TimeoutError:
            self.problem(f'{operation}: no answer within {PATIENCE} s')
            error, message = CLOSED, ''
        except GONE as e:
            error, message, begun = CLOSED, f'{type(e).__name__}: {e}', min(begun, self.answered or begun)
        else:
            self.answered = time.monotonic()
        self.count[operation, error or 'done'] += 1
        if error is not None and error not in normal:
            self.trouble(begun, error, f'{operation}: {message} {str(answer)[:1500] if error in CONFLICTS else ""}')
            time.sleep(.05)
        elif time.monotonic() > begun + SLOW_SECONDS:
            self.trouble(begun, SLOW, operation)
        return error, answer

    def insist(self, operation, request):
        """The answer, however long it takes to get one."""
        deadline = time.monotonic() + PATIENCE
        while True:
            error, answer = self.ask(operation, request)
            if error is None:
                return answer
            if time.monotonic() > deadline:
                raise AssertionError(f'{operation} was never answered: {error}')
            time.sleep(.1)

    def execute(self, statement):
        """The rows of a query in SQL, however long it takes to get them."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return stream_replay.execute(self.run.places, self.run.places.current.value, statement)
            except psycopg2.Error:
                if time.monotonic() > deadline:
                    raise
                time.sleep(.1)

    def pages(self, operation, request, ask=None):
        """All items; None if a page could not be had."""
        found, start = [], {}
        while start is not None:
            answer = (ask or self.insist)(operation, {**request, **start})
            if answer is None:
                return None
            found += answer['Items']
            start = {'ExclusiveStartKey': answer['LastEvaluatedKey']} if 'LastEvaluatedKey' in answer else None
        return found

    def try_to(self, operation, request):
        error, answer = self.ask(operation, request)
        return answer if error is None else None


class Items(Load):
    """The owner of some partitions of ITEMS."""

    pace = 25
    PARTITIONS, SORTS = 12, 25

    def prepare(self):
        self.items = {}         # (p, s) -> item
        self.rows = set()       # of soak_rows
        self.version = 0
        self.sql, self.sql_answered = None, 0
        self.steps = [(self.put, 12), (self.update, 14), (self.delete, 5), (self.batch_write, 3), (self.transact, 6),
                      (self.statement, 5), (self.in_sql, 3), (self.get, 14), (self.batch_get, 4), (self.transact_get, 3),
                      (self.query, 8), (self.query_index, 6), (self.scan, 1)]

    # ----- what is written -----

    def some_key(self):
        return (f'{self.number}-{self.r.randrange(self.PARTITIONS)}', f's{self.r.randrange(self.SORTS):02}')

    def some_keys(self, most):
        return sorted({self.some_key() for _ in range(self.r.randint(2, most))})

    def of_key(self, key):
        return {'p': {'S': key[0]}, 's': {'S': key[1]}}

    def text(self, key):
        r = self.r
        size = r.choices([r.randrange(50, 1500), r.randrange(8000), r.randrange(60000)], [90, 9, 1])[0]
        if key[1] == 's00' and key[0].endswith(('-0', '-1', '-2')) and r.random() < .3:
            size = r.randrange(100000, 390000)      # few may be so large
        return {'S': r.choice([lambda: r.randbytes(size // 2).hex(), lambda: 'xyz' * (size // 3)])()}

    def make(self, key):
        r = self.r
        self.version += 1
        item = {**self.of_key(key), 'v': {'N': str(self.version)}, 'g': {'S': f'{self.number}-{r.randrange(6)}'},
                'l': {'N': str(r.randrange(1000))}, 'd': self.text(key)}
        if r.random() < .3:
            item['f'] = {'S': str(self.number)}
        if r.random() < .3:
            item['m'] = {'M': {'a': {'L': [{'N': '1.5'}, {'BOOL': True}, {'NULL': True}]},
                               'b': {'B': base64.b64encode(r.randbytes(30)).decode()}, 'ü': {'S': '\0"\\'}}}
        if r.random() < .3:
            item['ss'] = {'SS': sorted({str(r.randrange(100)) for _ in range(r.randint(1, 9))})}
        return item

    def did(self, changes):
        for key, item in changes.items():
            if item is None:
                self.items.pop(key, None)
            else:
                self.items[key] = item

    def settle(self, changes, atomic=True):
        """Nobody knows whether it was done: look.  None: that can't be seen."""
        keys = list(changes)
        answer = self.insist('TransactGetItems', {'TransactItems': [
            {'Get': {'TableName': ITEMS, 'Key': self.of_key(key)}} for key in keys]})
        done = []
        for key, response in zip(keys, answer['Responses']):
            found = normal(response['Item']) if 'Item' in response else None
            before, after = self.items.get(key), changes[key]
            if found not in (before, after):
                self.problem(f'{key} is {brief(found)}: it was {brief(before)} or has become {brief(after)}')
            elif before != after:
                done.append(found == after)
            self.did({key: found})
        if atomic and len(set(done)) > 1:
            self.problem(f'half of it was done: {dict(zip(keys, done))}')
        self.count['without an answer', 'found done' if any(done) else 'found undone'] += 1
        return any(done) if done else None

    def write(self, operation, request, changes, refused=None):
        """The answer, or None.  refused: the exception it must be answered with."""
        error, answer = self.ask(operation, request, normal=(refused,))
        if error is None:
            if refused is not None:
                self.problem(f'{operation} was done, but {refused} was due: {str(request)[:500]}')
            self.did(changes)
        elif error != refused:
            if 'ConditionalCheckFailed' in f'{error} {answer}':
                self.problem(f'{operation}: {error}: {str(request)[:500]}, with {[brief(self.items.get(k)) for k in changes]}')
            if error not in CONFLICTS:
                self.settle(changes)
        return answer if error is None else None

    def condition(self, key):
        """(members of the request, whether it holds)."""
        item, kind = self.items.get(key), self.r.randrange(6)
        if kind == 0:
            return {'ConditionExpression': 'attribute_exists(p)'}, item is not None
        if kind == 1:
            return {'ConditionExpression': 'attribute_not_exists(p)'}, item is None
        if kind == 2:
            version = item['v'] if item and self.r.random() < .7 else {'N': '0'}
            return {'ConditionExpression': 'v = :seen', 'ExpressionAttributeValues': {':seen': version}}, \
                bool(item) and version == item['v']
        return {}, True

    def put(self):
        key = self.some_key()
        item = self.make(key)
        condition, holds = self.condition(key)
        before = self.items.get(key)
        answer = self.write('PutItem', {'TableName': ITEMS, 'Item': item, 'ReturnValues': 'ALL_OLD', **condition}, {key: item},
                            None if holds else 'ConditionalCheckFailedException')
        if answer is not None and normal(answer.get('Attributes', {})) != (before or {}):
            self.problem(f'PutItem replaced {brief(answer.get("Attributes"))}, not {brief(before)}')

    def update(self):
        key = self.some_key()
        request = {'TableName': ITEMS, 'Key': self.of_key(key), 'ReturnValues': 'ALL_NEW'}
        condition, holds = self.condition(key)
        item = dict(self.items.get(key) or self.of_key(key))
        self.version += 1
        item.update(v={'N': str(self.version)}, n={'N': str(int(item.get('n', {'N': '0'})['N']) + 7)})
        values = {':v': item['v'], ':7': {'N': '7'}}
        expression = 'SET v = :v'
        if self.r.random() < .3:
            item['d'] = values[':d'] = self.text(key)
            expression += ', d = :d'
        if self.r.random() < .3:
            item['g'] = values[':g'] = {'S': f'{self.number}-{self.r.randrange(6)}'}
            expression += ', g = :g'
        if self.r.random() < .2:
            item.pop('f', None)
            expression += ' REMOVE f'
        condition.setdefault('ExpressionAttributeValues', {}).update(values)
        answer = self.write('UpdateItem', {**request, **condition, 'UpdateExpression': expression + ' ADD n :7'}, {key: item},
                            None if holds else 'ConditionalCheckFailedException')
        if answer is not None and normal(answer['Attributes']) != item:
            self.problem(f'UpdateItem made {brief(answer["Attributes"])}, not {brief(item)}')

    def delete(self):
        key = self.some_key()
        condition, holds = self.condition(key)
        before = self.items.get(key)
        answer = self.write('DeleteItem', {'TableName': ITEMS, 'Key': self.of_key(key), 'ReturnValues': 'ALL_OLD', **condition},
                            {key: None}, None if holds else 'ConditionalCheckFailedException')
        if answer is not None and normal(answer.get('Attributes', {})) != (before or {}):
            self.problem(f'DeleteItem deleted {brief(answer.get("Attributes"))}, not {brief(before)}')

    def batch_write(self):
        changes = {key: self.make(key) if self.r.random() < .8 else None for key in self.some_keys(12)}
        error, answer = self.ask('BatchWriteItem', {'RequestItems': {ITEMS: [
            {'DeleteRequest': {'Key': self.of_key(key)}} if item is None else {'PutRequest': {'Item': item}}
            for key, item in changes.items()]}})
        if error is not None:
            self.settle(changes, atomic=False)
            return
        left = [request.get('DeleteRequest', {}).get('Key') or request['PutRequest']['Item']
                for request in answer['UnprocessedItems'].get(ITEMS, [])]
        for item in left:
            changes.pop((item['p']['S'], item['s']['S']))
        self.did(changes)

    def transact(self):
        changes, actions, holds = {}, [], True
        for key in self.some_keys(6):
            condition, its = self.condition(key) if self.r.random() < .2 else ({}, True)
            holds &= its
            kind = self.r.random()
            if kind < .2:
                changes[key] = None
                actions.append({'Delete': {'TableName': ITEMS, 'Key': self.of_key(key), **condition}})
            elif kind < .3 and condition:
                actions.append({'ConditionCheck': {'TableName': ITEMS, 'Key': self.of_key(key), **condition}})
            else:
                changes[key] = self.make(key)
                actions.append({'Put': {'TableName': ITEMS, 'Item': changes[key], **condition}})
        if changes:
            self.write('TransactWriteItems', {'TransactItems': actions}, changes,
                       None if holds else 'TransactionCanceledException')

    def statement(self):
        key = self.some_key()
        item = self.items.get(key)
        where = {'Parameters': [{'S': key[0]}, {'S': key[1]}]}
        if item is None:
            new = {**self.of_key(key), 'v': {'N': str(self.version)}, 'd': {'S': "it's"}}
            self.write('ExecuteStatement', {
                'Statement': f"""INSERT INTO "{ITEMS}" VALUE {{'p': ?, 's': ?, 'v': {self.version}, 'd': 'it''s'}}""", **where}, {key: new})
        elif self.r.random() < .3:
            self.write('ExecuteStatement', {'Statement': f'DELETE FROM "{ITEMS}" WHERE p = ? AND s = ?', **where}, {key: None})
        else:
            self.version += 1
            new = {**item, 'v': {'N': str(self.version)}}
            self.write('ExecuteStatement', {
                'Statement': f'UPDATE "{ITEMS}" SET v = {self.version} WHERE p = ? AND s = ?', **where}, {key: new})

    def in_sql(self):
        """Items and a row of a relation in one transaction of SQL."""
        changes = {key: self.make(key) if self.r.random() < .8 else None for key in self.some_keys(4)}
        self.version += 1
        begun = time.monotonic()
        committing = False
        try:
            if self.sql is None:
                self.sql = stream_replay.connect(self.run.places)
                self.sql.autocommit = False
            with self.sql.cursor() as cursor:
                for key, item in changes.items():
                    if item is None:
                        cursor.execute('SELECT dynamo.delete_item(%s)', (json.dumps({'TableName': ITEMS, 'Key': self.of_key(key)}),))
                    else:
                        cursor.execute('SELECT dynamo.put_item(%s)', (json.dumps({'TableName': ITEMS, 'Item': item}),))
                cursor.execute('INSERT INTO soak_rows VALUES (%s, %s)', (self.number, self.version))
            committing = True
            self.sql.commit()
            self.did(changes)
            self.rows.add(self.version)
            self.sql_answered = time.monotonic()
            self.count['SQL transaction', 'done'] += 1
        except psycopg2.Error as error:
            state = error.pgcode or ''
            self.count['SQL transaction', state or CLOSED] += 1
            # Who can't have a connection, or room, in SQL is not the endpoint's business.
            if self.sql is None:
                return
            self.sql.close()
            self.sql = None
            begun = min(begun, self.sql_answered or begun)
            conflict = state in ('40001', '40P01', '55P03', 'KV006')
            if state[:2] not in ('53', '57') and state != '25006':
                self.trouble(begun, CONFLICTS[0] if conflict else CLOSED, f'SQL: {state} {error}')
            if committing or not state:
                done = self.settle(changes)
                there = bool(self.execute(f'SELECT 1 FROM soak_rows WHERE load = {self.number} AND version = {self.version}'))
                if done not in (None, there):
                    self.problem(f'row {self.version} is there: {there}, its items are done: {done}')
                if there:
                    self.rows.add(self.version)
            time.sleep(.1)
            return
        # Now and then it ends with its connection.
        if self.r.random() < .1:
            self.sql.close()
            self.sql = None

    # ----- what is read -----

    def compare(self, what, found, expected):
        found = [normal(item) for item in found]
        if found == expected:
            return
        def by_key(items):
            return {(item['p']['S'], item['s']['S']): item for item in items}
        there, due = by_key(found), by_key(expected)
        for key in sorted(there.keys() | due.keys()):
            if there.get(key) != due.get(key):
                self.problem(f'{what}: {key} is {brief(there.get(key))}, not {brief(due.get(key))}')
                break
        else:
            self.problem(f'{what}: the same items, but in another order or twice: {[i["v"]["N"] for i in found]}')

    def get(self):
        key = self.some_key()
        answer = self.try_to('GetItem', {'TableName': ITEMS, 'Key': self.of_key(key), 'ConsistentRead': self.r.random() < .5})
        if answer is not None:
            self.compare('GetItem', [answer['Item']] if 'Item' in answer else [], [self.items[key]] if key in self.items else [])

    def batch_get(self):
        keys = self.some_keys(20)
        answer = self.try_to('BatchGetItem', {'RequestItems': {ITEMS: {'Keys': [self.of_key(key) for key in keys]}}})
        if answer is not None:
            left = {(key['p']['S'], key['s']['S']) for key in answer['UnprocessedKeys'].get(ITEMS, {}).get('Keys', [])}
            found = sorted(answer['Responses'].get(ITEMS, []), key=lambda i: (i['p']['S'], i['s']['S']))
            self.compare('BatchGetItem', found, [self.items[key] for key in keys if key in self.items and key not in left])

    def transact_get(self):
        keys = self.some_keys(8)
        answer = self.try_to('TransactGetItems', {'TransactItems': [
            {'Get': {'TableName': ITEMS, 'Key': self.of_key(key)}} for key in keys]})
        if answer is not None:
            self.compare('TransactGetItems', [r['Item'] for r in answer['Responses'] if 'Item' in r],
                         [self.items[key] for key in keys if key in self.items])

    def partition(self, p):
        return [item for key, item in sorted(self.items.items()) if key[0] == p]

    def query(self, ask=None, p=None):
        forward = True
        request = {'TableName': ITEMS, 'KeyConditionExpression': 'p = :p', 'ConsistentRead': True}
        values = {':p': {'S': p or self.some_key()[0]}}
        expected = self.partition(values[':p']['S'])
        if p is None:
            forward = self.r.random() < .6
            if self.r.random() < .5:
                values[':s'] = {'S': self.some_key()[1]}
                request['KeyConditionExpression'] += ' AND s >= :s'
                expected = [item for item in expected if item['s']['S'] >= values[':s']['S']]
            if self.r.random() < .3:
                request['Limit'] = self.r.randint(3, 20)
        found = self.pages('Query', {**request, 'ExpressionAttributeValues': values, 'ScanIndexForward': forward},
                           ask or self.try_to)
        if found is not None:
            self.compare('Query', found, expected if forward else expected[::-1])

    def query_index(self, ask=None, group=None):
        kind = 'group' if group else self.r.choice(['group', 'flag', 'local'])
        if kind == 'group':
            group = group or f'{self.number}-{self.r.randrange(6)}'
            request = {'IndexName': 'by-group', 'KeyConditionExpression': 'g = :k', 'ExpressionAttributeValues': {':k': {'S': group}}}
            expected = sorted((item for item in self.items.values() if item.get('g') == {'S': group}),
                              key=lambda item: int(item['v']['N']))
        elif kind == 'flag':
            request = {'IndexName': 'by-flag', 'KeyConditionExpression': 'f = :k', 'ExpressionAttributeValues': {':k': {'S': str(self.number)}}}
            expected = [{n: item[n] for n in ('p', 's', 'f')} for item in self.items.values() if 'f' in item]
        else:
            p = self.some_key()[0]
            request = {'IndexName': 'local', 'KeyConditionExpression': 'p = :k', 'ExpressionAttributeValues': {':k': {'S': p}}, 'ConsistentRead': True}
            expected = sorted((item for item in self.partition(p) if 'l' in item), key=lambda item: int(item['l']['N']))
        found = self.pages('Query', {'TableName': ITEMS, **request}, ask or self.try_to)
        if found is not None:
            if kind != 'group':     # equal sort keys are in any order
                def order(item):
                    return int(item.get('l', {'N': '0'})['N']), item['p']['S'], item['s']['S']
                places = [int(item['l']['N']) for item in found] if kind == 'local' else []
                if places != sorted(places):
                    self.problem(f'the local index is not in order: {places}')
                found, expected = sorted(found, key=order), sorted(expected, key=order)
            self.compare(f'Query of {kind}', found, expected)

    def scan(self):
        """The whole table in segments; the others' items change meanwhile."""
        segments, found = self.r.randint(1, 4), []
        for segment in range(segments):
            part = self.pages('Scan', {'TableName': ITEMS, 'ConsistentRead': True, 'Segment': segment, 'TotalSegments': segments}, self.try_to)
            if part is None:
                return
            found += [item for item in part if item['p']['S'].startswith(f'{self.number}-')]
        found.sort(key=lambda item: (item['p']['S'], item['s']['S']))
        self.compare('Scan', found, [item for _, item in sorted(self.items.items())])

    def step(self):
        self.r.choices([step for step, _ in self.steps], [weight for _, weight in self.steps])[0]()

    def check(self):
        for n in range(self.PARTITIONS):
            self.query(self.insist, f'{self.number}-{n}')
        for n in range(6):
            self.query_index(self.insist, f'{self.number}-{n}')
        rows = {row[0] for row in self.execute(f'SELECT version FROM soak_rows WHERE load = {self.number}')}
        if rows != self.rows:
            self.problem(f'rows of SQL: {sorted(self.rows - rows)[:10]} are not there, {sorted(rows - self.rows)[:10]} are')


class Counters(Load):
    """Few items that all clients count up.  What has been acknowledged or seen
    anywhere is the least that a read may find, what has been sent the most."""

    pace = 8

    def step(self):
        n = self.r.randrange(NCOUNTERS)
        key = {'p': {'S': f'c{n}'}}
        least = self.run.floor(n)
        if self.r.random() < .3:
            answer = self.try_to('GetItem', {'TableName': COUNTERS, 'Key': key, 'ConsistentRead': True})
            if answer is not None:
                self.saw(n, least, int(answer['Item']['n']['N']) if 'Item' in answer else 0)
            return
        with self.run.counters.get_lock():
            self.run.counters[n].sent += 1
        answer = self.try_to('UpdateItem', {
            'TableName': COUNTERS, 'Key': key, 'UpdateExpression': 'ADD n :1', 'ReturnValues': 'UPDATED_NEW',
            'ExpressionAttributeValues': {':1': {'N': '1'}}})
        if answer is not None:
            with self.run.counters.get_lock():
                self.run.counters[n].acknowledged += 1
            self.saw(n, least + 1, int(answer['Attributes']['n']['N']))

    def saw(self, n, least, value):
        with self.run.counters.get_lock():
            counter = self.run.counters[n]
            most = counter.sent
            counter.seen = max(counter.seen, value)
        if not least <= value <= most:
            self.problem(f'counter {n} is {value}, not {least} to {most}')

    def check(self):
        for n in range(NCOUNTERS):
            least = self.run.floor(n)
            answer = self.insist('GetItem', {'TableName': COUNTERS, 'Key': {'p': {'S': f'c{n}'}}, 'ConsistentRead': True})
            self.saw(n, least, int(answer['Item']['n']['N']) if 'Item' in answer else 0)


class Bank(Load):
    """Transfers, each with an entry in the ledger; what had no answer is sent again
    with its token until there is one."""

    pace = 6
    BLOCK = 500                 # entries with one partition key

    def prepare(self):
        self.next = 0
        self.refused = set()

    def place_of(self, n):
        return {'p': {'S': f'{self.number}-{n // self.BLOCK}'}, 's': {'S': f'{n:09}'}}

    def step(self):
        if self.r.random() < .2:
            self.audit()
        else:
            self.transfer()

    def transfer(self):
        n = self.next
        (here, payer), (there, payee) = self.r.sample(ACCOUNTS, 2)
        amount = {'N': str(self.r.randrange(1, 300))}
        request = {'ClientRequestToken': f'{self.run.seed}-{self.number}-{n}', 'TransactItems': [
            {'Update': {'TableName': here, 'Key': payer, 'UpdateExpression': 'SET balance = balance - :a',
                        'ConditionExpression': 'balance >= :a', 'ExpressionAttributeValues': {':a': amount}}},
            {'Update': {'TableName': there, 'Key': payee, 'UpdateExpression': 'SET balance = balance + :a',
                        'ExpressionAttributeValues': {':a': amount}}},
            {'Put': {'TableName': LEDGER, 'Item': {**self.place_of(n), 'payer': payer['p'], 'payee': payee['p'], 'amount': amount}}}]}
        deadline = time.monotonic() + 2 * PATIENCE
        while True:
            error, _ = self.ask('TransactWriteItems', request, normal=CONFLICTS)
            if error is None or error == 'TransactionCanceledException':
                break
            if time.monotonic() > deadline:
                raise AssertionError(f'transfer {n} was never answered: {error}')
            time.sleep(.02)
        if error is not None:
            self.refused.add(n)
        self.next += 1

    def audit(self):
        error, answer = self.ask('TransactGetItems', {'TransactItems': [
            {'Get': {'TableName': name, 'Key': key}} for name, key in ACCOUNTS]}, normal=CONFLICTS)
        if error is None:
            balances = [int(r['Item']['balance']['N']) for r in answer['Responses']]
            if sum(balances) != BALANCE * len(ACCOUNTS) or min(balances) < 0:
                self.problem(f'balances are {balances}: their sum is {sum(balances)}')

    def check(self, blocks=2):
        last = self.next // self.BLOCK
        for block in range(max(0, last - blocks + 1), last + 1):
            found = self.pages('Query', {'TableName': LEDGER, 'KeyConditionExpression': 'p = :p', 'ConsistentRead': True,
                                         'ExpressionAttributeValues': {':p': {'S': f'{self.number}-{block}'}}})
            due = [f'{n:09}' for n in range(block * self.BLOCK, min(self.next, (block + 1) * self.BLOCK)) if n not in self.refused]
            there = [item['s']['S'] for item in found]
            if there != due:
                self.problem(f'the ledger lacks {sorted(set(due) - set(there))[:10]} and has {sorted(set(there) - set(due))[:10]}')

    def finish(self):
        self.check(1 + self.next // self.BLOCK)


class Expiring(Load):
    """Items with a time to live: there until then, and gone soon after."""

    pace = 4
    GRACE = 90                  # seconds: locks and crashes hold up the sweep

    def prepare(self):
        self.items = {}         # key -> when it expires, or None
        self.next = 0

    def step(self):
        now = time.time()
        kind = self.r.random()
        if kind < .3 or not self.items:
            self.next += 1
            key, expires = f'{self.number}-{self.next}', None
            if len(self.items) > 40 or self.r.random() < .6:
                expires = int(now) + self.r.choice([3, 6, 15])
            self.write(key, expires, lambda: self.ask('PutItem', {'TableName': EXPIRING, 'Item': {
                'p': {'S': key}, **({'e': {'N': str(expires)}} if expires else {})}}))
        elif kind < .5:         # one that lasts is given an end, or a later one
            key = self.r.choice(list(self.items))
            if self.items[key] is None or self.items[key] > now + 2:
                expires = int(now) + self.r.choice([8, 20])
                self.write(key, expires, lambda: self.ask('UpdateItem', {
                    'TableName': EXPIRING, 'Key': {'p': {'S': key}}, 'UpdateExpression': 'SET e = :e',
                    'ExpressionAttributeValues': {':e': {'N': str(expires)}}}))
        else:
            self.look(self.r.choice(list(self.items)), self.try_to)

    def write(self, key, expires, ask):
        error, _ = ask()
        if error is None:
            self.items[key] = expires
        elif error not in CONFLICTS:
            answer = self.insist('GetItem', {'TableName': EXPIRING, 'Key': {'p': {'S': key}}, 'ConsistentRead': True})
            if 'Item' in answer:
                self.items[key] = int(answer['Item']['e']['N']) if 'e' in answer['Item'] else None
            elif key in self.items and (self.items[key] is None or self.items[key] > time.time()):
                # It may have been given its end, and have come to it.
                if time.time() < expires:
                    self.problem(f'{key} is gone: {self.items[key]}')
                self.items.pop(key)

    def look(self, key, ask):
        expires = self.items[key]
        lasts = expires is None or expires > time.time() + 1
        answer = ask('GetItem', {'TableName': EXPIRING, 'Key': {'p': {'S': key}}, 'ConsistentRead': True})
        lasts &= expires is None or expires > time.time() + 1
        if answer is None:
            return
        if lasts and 'Item' not in answer:
            self.problem(f'{key} is gone, but lasts until {expires}')
            del self.items[key]
        elif 'Item' in answer and expires is not None and time.time() > expires + self.GRACE:
            self.problem(f'{key} is there {time.time() - expires:.0f} s after it has expired')
        elif 'Item' not in answer:
            del self.items[key]
        elif expires is not None and int(answer['Item']['e']['N']) != expires:
            self.problem(f'{key} is {answer["Item"]}, not {expires}')

    def check(self):
        for key in list(self.items):
            self.look(key, self.insist)


class Tables(Load):
    """Tables and indexes come and go."""

    pace = .2

    def step(self):
        self.own_table() if self.r.random() < .6 else self.extra_index()

    def index_status(self, name, index):
        """None if there is no such index."""
        answer = self.insist('DescribeTable', {'TableName': name})['Table']
        for found in answer.get('GlobalSecondaryIndexes', []):
            if found['IndexName'] == index:
                return found['IndexStatus']
        return None

    def until(self, name, index, wanted, seconds=150):
        deadline = time.monotonic() + seconds
        while (status := self.index_status(name, index)) != wanted:
            if time.monotonic() > deadline:
                raise AssertionError(f'{index} of {name} is {status}, not {wanted}, after {seconds} s')
            time.sleep(.3)

    def change(self, operation, request, done):
        """Until it is done, however often it takes."""
        deadline = time.monotonic() + 2 * PATIENCE
        while not done():
            self.ask(operation, request, normal=('ResourceInUseException', 'LimitExceededException', 'ResourceNotFoundException'))
            if time.monotonic() > deadline:
                raise AssertionError(f'{operation} is not done: {request}')

    def extra_index(self):
        extra = index('extra', 'g', 'l', projection='KEYS_ONLY')
        self.change('UpdateTable', {
            'TableName': ITEMS, 'AttributeDefinitions': [{'AttributeName': 'g', 'AttributeType': 'S'}, {'AttributeName': 'l', 'AttributeType': 'N'}],
            'GlobalSecondaryIndexUpdates': [{'Create': extra}]}, lambda: self.index_status(ITEMS, 'extra') is not None)
        self.until(ITEMS, 'extra', 'ACTIVE')
        self.pages('Query', {'TableName': ITEMS, 'IndexName': 'extra', 'KeyConditionExpression': 'g = :g',
                             'ExpressionAttributeValues': {':g': {'S': '0-0'}}})
        time.sleep(self.r.random() * 3)
        self.change('UpdateTable', {'TableName': ITEMS, 'GlobalSecondaryIndexUpdates': [{'Delete': {'IndexName': 'extra'}}]},
                    lambda: self.index_status(ITEMS, 'extra') in (None, 'DELETING'))
        self.until(ITEMS, 'extra', None)

    def exists(self, name):
        while True:
            error, _ = self.ask('DescribeTable', {'TableName': name}, normal=('ResourceNotFoundException',))
            if error in (None, 'ResourceNotFoundException'):
                return error is None
            time.sleep(.1)

    def own_table(self):
        name = f'soak-own-{self.number}-{self.r.randrange(10**9)}'
        self.change('CreateTable', table(name, ('p',), {'p': 'S', 'g': 'S'}, GlobalSecondaryIndexes=[index('by-g', 'g')]),
                    lambda: self.exists(name))
        for n in range(20):
            self.insist('PutItem', {'TableName': name, 'Item': {'p': {'S': str(n)}, 'g': {'S': 'x'}}})
        found = self.pages('Query', {'TableName': name, 'IndexName': 'by-g', 'KeyConditionExpression': 'g = :g',
                                     'ExpressionAttributeValues': {':g': {'S': 'x'}}})
        if sorted(int(item['p']['S']) for item in found) != list(range(20)):
            self.problem(f'{name} has {found}')
        self.change('DeleteTable', {'TableName': name}, lambda: not self.exists(name))


class Connections(Load):
    """Connections that come and go, with whole requests, half ones or none."""

    pace = 2

    def prepare(self):
        self.open = []

    def step(self):
        message = wire.post('GetItem', b'{"TableName": "soak-counters", "Key": {"p": {"S": "c0"}}}', self.run.access_key)
        try:
            connection = wire.Connection(self.run.places.port(), PATIENCE)
            connection.send(self.r.choice([b'', message[:self.r.randrange(len(message))], message, message * 5]))
            self.open.append(connection)
        except OSError as error:
            self.trouble(time.monotonic(), CLOSED, str(error))
        while len(self.open) > 30:
            self.open.pop(self.r.randrange(len(self.open))).close()

    def finish(self):
        for connection in self.open:
            connection.close()


class Hostile(Load):
    """Clients that send whatever they like, to tables of their own."""

    pace = 4

    class Attack(hostile.Attack):
        def connect(self):
            return wire.Connection(self.run_.server.port, PATIENCE)

    def prepare(self):
        self.server = self          # what an Attack wants to know of its run
        self.bytes_left, self.bombs, self.access_keys = [], wire.bombs(), self.run.hostile_keys
        import botocore.session
        self.models = [botocore.session.get_session().get_service_model(name) for name in ('dynamodb', 'dynamodbstreams')]
        self.attack = self.Attack(self, self.r.random())
        self.attack.count = self.count

    @property
    def port(self):
        return self.run.places.port()

    def fail(self, text, sent=b''):
        self.problem(f'{text}: {sent[:1000]!r}')

    def step(self):
        begun = time.monotonic()
        self.attack.step()
        if time.monotonic() > begun + SLOW_SECONDS:
            self.trouble(begun, SLOW, 'a hostile request')
        if self.r.random() < .02:
            name = self.r.choice(list(bodies.TABLES))
            self.ask('CreateTable', {**bodies.create_table(self.r, name), 'TableName': name},
                     normal=('ResourceInUseException', 'ValidationException', 'LimitExceededException'))


class StreamWriter(stream_replay.Writer):
    """One of stream_replay's, at a steady rate."""

    pace = 6

    def __init__(self, run, number):
        self.run_, self.place = run, None
        super().__init__(run.streams, number)

    def wait(self):
        self.run_.stop.wait(self.rng.expovariate(self.pace * self.run_.rate))

    def http_step(self):
        self.wait()
        super().http_step()

    def do_sql_transaction(self, connection):
        self.wait()
        super().do_sql_transaction(connection)

    def work(self):
        try:
            self.run()
        except Exception:
            self.run_.problem(f'StreamWriter {self.number}: {traceback.format_exc()}')
        self.run_.results.put(('StreamWriter', self.errors))


class StreamConsumer(stream_replay.Consumer):
    """Reads the stream all the time, and at the end compares with the table."""

    def __init__(self, run, arn):
        self.run_, self.place = run, None
        super().__init__(run.places, arn, run.seed, count=run.streams.records)

    def problem(self, text):
        self.problems.append(text)
        if len(self.problems) < 20:
            self.run_.problem(f'stream: {text}')

    def work(self):
        quiet, figures = 0, {}
        try:
            while quiet < 2:
                over = self.run_.streams.drained.is_set()
                quiet = quiet + 1 if self.round() and over else 0
                if not over:
                    time.sleep(.3)
            figures = self.check([self.run_.streams.log_of(n) for n in range(self.run_.streams.writers)])
        except Exception:
            self.run_.problem(f'StreamConsumer: {traceback.format_exc()}')
        self.run_.results.put(('StreamConsumer', figures))


def hostile_keys(server):
    keys = database.prepare(server)
    with contextlib.closing(database.Session(server)) as session:
        # Nothing of the others' is theirs.
        session.run('CREATE ROLE soak_hostile LOGIN')
        session.run('GRANT CREATE, USAGE ON SCHEMA dynamo_data TO soak_hostile')
        keys['owner'] = keys['flickering'] = session.run(
            "SELECT access_key_id, secret_access_key FROM dynamo.create_access_key('soak_hostile')")[0]
    return keys
