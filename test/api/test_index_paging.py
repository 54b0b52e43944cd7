"""Property test: whatever the table, the index and the question, the pages of a
Query or Scan together are the unpaged answer, and that is what a slow model of
the index says.

Shapes, items and questions are drawn from a seed, which a failure shows and
DYNAMO_TEST_SEED repeats.  On AWS an index follows its table with a delay, so
this runs here alone.
"""
import concurrent.futures
import os
import random
import threading
from decimal import Decimal

import pytest

from conftest import unique

pytestmark = pytest.mark.not_aws

SEED = int(os.environ.get('DYNAMO_TEST_SEED', random.randrange(10 ** 9)))
TABLES = int(os.environ.get('DYNAMO_TEST_TABLES', 12))
QUERIES = 12        # of each index

# Attributes that may be keys, and what they may be: few values, so that many
# items share them; zeros, prefixes of each other and the ends of the range.
TYPES = {'p': 'S', 's': 'N', 'a': 'S', 'b': 'B', 'c': 'N', 'd': 'S', 'e': 'B', 'f': 'N'}
VALUES = {
    'S': ['a', 'a\0', 'a\0\1', 'a\0\0', '\0', 'ab', 'b', '\x7f', '\u00ff', 'a' * 200, 'a' * 200 + '\0'],
    'B': [b'\0', b'\0\0', b'\0\1', b'\0\xff', b'a', b'a\0', b'\xff', b'\xff\xff', b'\xff\0', b'\0' * 100],
    'N': [Decimal(n) for n in ('-1E20', '-2', '-1.5', '0', '0.5', '1', '1.5', '2', '10', '1E20')],
}
PLAIN = 'vwxy'      # attributes that are in no key
OPERATORS = ('=', '<', '<=', '>', '>=', 'BETWEEN', 'begins_with')


def wire(value):
    """A value as the API has it."""
    if isinstance(value, str):
        return {'S': value}
    return {'B': value} if isinstance(value, bytes) else {'N': f'{value:f}'}


def unwire(attributes):
    return {name: Decimal(v['N']) if 'N' in v else next(iter(v.values()))
            for name, v in attributes.items()}


def order(value):
    """What the service compares."""
    return value.encode() if isinstance(value, str) else value


class Index:
    """What a secondary index, or the table itself, has to answer."""

    def __init__(self, rng, table_keys, name, kind):
        self.name, self.kind = name, kind
        self.table_keys = table_keys
        if kind == 'table':
            self.partition, self.sort = table_keys[:1], table_keys[1:]
        elif kind == 'LOCAL':
            self.partition = table_keys[:1]
            self.sort = [rng.choice([a for a in TYPES if a != table_keys[0]])]
        else:
            several = rng.random() < .5
            count = rng.randint(1, 4 if several else 1)
            drawn = rng.sample(list(TYPES), count + rng.randint(0, 4 if several else 1))
            self.partition, self.sort = drawn[:count], drawn[count:]
        self.keys = list(dict.fromkeys(self.partition + self.sort + table_keys))
        self.projection = 'ALL' if kind == 'table' else rng.choice(('ALL', 'KEYS_ONLY', 'INCLUDE'))
        self.included = rng.sample(PLAIN, 2) if self.projection == 'INCLUDE' else []

    def definition(self):
        return {'IndexName': self.name,
                'KeySchema': [{'AttributeName': a, 'KeyType': 'HASH'} for a in self.partition] +
                             [{'AttributeName': a, 'KeyType': 'RANGE'} for a in self.sort],
                'Projection': {'ProjectionType': self.projection,
                               **({'NonKeyAttributes': self.included} if self.included else {})}}

    def shows(self, item):
        """An entry, as the index shows it."""
        if self.projection == 'ALL':
            return item
        return {a: v for a, v in item.items() if a in self.keys or a in self.included}

    def entries(self, items):
        return [item for item in items if all(a in item for a in self.partition + self.sort)]

    def position(self, item):
        return [order(item[a]) for a in self.sort]


def matches(value, operator, operand, upper):
    v, o = order(value), order(operand)
    return {'=': lambda: v == o, '<': lambda: v < o, '<=': lambda: v <= o, '>': lambda: v > o,
            '>=': lambda: v >= o, 'BETWEEN': lambda: o <= v <= order(upper),
            'begins_with': lambda: v[:len(o)] == o}[operator]()


class Question:
    """A key condition, perhaps with a filter, and what it means."""

    def __init__(self, rng, index, entries):
        example = rng.choice(entries) if entries and rng.random() < .9 else \
            {a: rng.choice(VALUES[t]) for a, t in TYPES.items()}
        self.index = index
        self.partition = {a: example[a] for a in index.partition}
        self.sorts = []
        for i, attribute in enumerate(index.sort[:rng.randint(0, len(index.sort))]):
            self.sorts.append([attribute, '=', example[attribute], None])
        if self.sorts:
            attribute, _, value, _ = self.sorts[-1]
            kind = TYPES[attribute]
            operator = rng.choice(OPERATORS[:-1] if kind == 'N' else OPERATORS)
            if rng.random() < .5:
                value = rng.choice(VALUES[kind])
            upper = None
            if operator == 'BETWEEN':
                value, upper = sorted((value, rng.choice(VALUES[kind])), key=order)
            elif operator == 'begins_with' and len(value) > 1 and rng.random() < .5:
                value = value[:-1]
            self.sorts[-1] = [attribute, operator, value, upper]
        # Of a table and a local index, any attribute; of a global one, what it has.
        may = [a for a in PLAIN if index.kind != 'GLOBAL' or index.projection == 'ALL' or
               a in index.included]
        self.filter = rng.choice(may) if may and rng.random() < .4 else None

    def selects(self, item):
        return all(item[a] == v for a, v in self.partition.items()) and \
            all(matches(item[a], o, v, u) for a, o, v, u in self.sorts)

    def passes(self, item):
        return self.filter is None or item.get(self.filter) == Decimal(1)

    def parameters(self):
        terms, values = [], {}
        for a, v in self.partition.items():
            terms.append(f'{a} = :{a}')
            values[f':{a}'] = wire(v)
        for a, o, v, u in self.sorts:
            terms.append(f'begins_with({a}, :{a})' if o == 'begins_with' else
                         f'{a} BETWEEN :{a} AND :{a}2' if o == 'BETWEEN' else f'{a} {o} :{a}')
            values[f':{a}'] = wire(v)
            if u is not None:
                values[f':{a}2'] = wire(u)
        if self.filter:
            values[':one'] = {'N': '1'}
        return {'KeyConditionExpression': ' AND '.join(terms), 'ExpressionAttributeValues': values,
                **({'FilterExpression': f'{self.filter} = :one'} if self.filter else {})}

    def __repr__(self):
        return repr((self.index.definition(), self.parameters()))


class Trial:
    """One random table with its indexes and items."""

    def __init__(self, client, make_table, seed):
        self.client = client
        self.rng = rng = random.Random(seed)
        self.keys = ['p', 's'] if rng.random() < .7 else ['p']
        kinds = ['table'] + ['GLOBAL'] * rng.randint(1, 3)
        if len(self.keys) > 1:
            kinds += ['LOCAL'] * rng.randint(0, 2)
        self.indexes = [Index(rng, self.keys, f'{kind.lower()}-{i}', kind)
                        for i, kind in enumerate(kinds)]
        used = {a for index in self.indexes for a in index.partition + index.sort}
        schema = {}
        for kind in ('LOCAL', 'GLOBAL'):
            found = [index.definition() for index in self.indexes if index.kind == kind]
            if found:
                schema[f'{kind.capitalize()}SecondaryIndexes'] = found
        self.name = make_table(
            AttributeDefinitions=[{'AttributeName': a, 'AttributeType': t}
                                  for a, t in TYPES.items() if a in used],
            KeySchema=[{'AttributeName': a, 'KeyType': k} for a, k in zip(self.keys, ('HASH', 'RANGE'))],
            **schema)
        self.items = list(self.make_items().values())
        for start in range(0, len(self.items), 25):
            client.batch_write_item(RequestItems={self.name: [
                {'PutRequest': {'Item': {a: wire(v) for a, v in item.items()}}}
                for item in self.items[start:start + 25]]})

    def make_items(self):
        """By key, so that each is there once."""
        rng = self.rng
        values = {a: rng.sample(VALUES[t], rng.randint(1, 4)) for a, t in TYPES.items()}
        items = {}
        for n in range(rng.randint(10, 60)):
            item = {a: rng.choice(values[a]) for a in TYPES if rng.random() < .9}
            item['p'] = rng.choice(values['p']) if len(self.keys) > 1 else f'p{n}' + rng.choice(values['p'])
            if len(self.keys) > 1:
                item['s'] = Decimal(n)
            item.update({a: Decimal(rng.randint(0, 1)) for a in PLAIN if rng.random() < .8})
            items[tuple(item[a] for a in self.keys)] = item
        return items

    def identity(self, item):
        return tuple(item[a] for a in self.keys)

    def pages(self, operation, index, start=None, **parameters):
        """All items, page after page; checks what each page says of itself."""
        found, scanned = [], 0
        if index.kind != 'table':
            parameters['IndexName'] = index.name
        while True:
            reply = operation(TableName=self.name, **parameters,
                              **({'ExclusiveStartKey': start} if start else {}))
            assert reply['Count'] == len(reply['Items']) <= reply['ScannedCount']
            found += [unwire(item) for item in reply['Items']]
            scanned += reply['ScannedCount']
            start = reply.get('LastEvaluatedKey')
            assert (start is not None) == (reply['ScannedCount'] == parameters.get('Limit'))
            if start is None:
                return found, scanned
            assert sorted(start) == sorted(index.keys)

    def start_key(self, index, item):
        return {a: wire(item[a]) for a in index.keys}

    def check_query(self, index):
        rng = self.rng
        entries = index.entries(self.items)
        question = Question(rng, index, entries)
        print(question)
        selected = [item for item in entries if question.selects(item)]
        parameters = question.parameters()
        query = self.client.query

        forward, scanned = self.pages(query, index, **parameters)
        assert scanned == len(selected)
        wanted = [item for item in selected if question.passes(item)]
        assert sorted(map(repr, map(self.identity, forward))) == sorted(map(repr, map(self.identity, wanted)))
        by_key = {self.identity(item): item for item in wanted}
        assert all(item == index.shows(by_key[self.identity(item)]) for item in forward)
        positions = [index.position(item) for item in forward]
        assert positions == sorted(positions)

        # A partition that is one item can't be gone on with: the service refuses.
        single = index.kind == 'table' and not index.sort
        for ahead in (True, False):
            limit = rng.randint(2 if single else 1, 7)
            paged, scanned = self.pages(query, index, Limit=limit, ScanIndexForward=ahead, **parameters)
            assert paged == (forward if ahead else forward[::-1])
            assert scanned == len(selected)

        # From the middle, where an item is or (a key never seen) none.
        if not forward or single:
            return
        middle = rng.randrange(len(forward))
        whole = by_key[self.identity(forward[middle])]
        rest, _ = self.pages(query, index, self.start_key(index, whole), Limit=2, **parameters)
        assert rest == forward[middle + 1:]
        back, _ = self.pages(query, index, self.start_key(index, whole), ScanIndexForward=False, **parameters)
        assert back == forward[:middle][::-1]
        if index.kind == 'GLOBAL' and 'p' not in index.partition + index.sort:
            stranger = {**whole, 'p': whole['p'] + '?'}
            after, _ = self.pages(query, index, self.start_key(index, stranger), **parameters)
            before, _ = self.pages(query, index, self.start_key(index, stranger), ScanIndexForward=False, **parameters)
            assert before[::-1] + after == forward

    def check_scan(self, index):
        rng = self.rng
        entries = index.entries(self.items)
        scan = self.client.scan
        whole, scanned = self.pages(scan, index)
        assert scanned == len(entries)
        wanted = {self.identity(item): index.shows(item) for item in entries}
        assert len(whole) == len(wanted) and {self.identity(item): item for item in whole} == wanted

        paged, _ = self.pages(scan, index, Limit=rng.randint(1, 7))
        assert paged == whole
        total = rng.randint(2, 5)
        parts = [self.pages(scan, index, Segment=n, TotalSegments=total, Limit=rng.randint(1, 7))[0]
                 for n in range(total)]
        assert [item for part in parts for item in part] == whole
        # A filter sees what the index shows; a local index fetches what it does not.
        attribute = rng.choice(PLAIN)
        sees = (lambda item: item) if index.kind == 'LOCAL' else index.shows
        filtered, scanned = self.pages(scan, index, Limit=rng.randint(1, 7), FilterExpression=f'{attribute} = :one',
                                       ExpressionAttributeValues={':one': {'N': '1'}})
        assert scanned == len(entries)
        assert {self.identity(item) for item in filtered} == {
            self.identity(item) for item in entries if sees(item).get(attribute) == Decimal(1)}


@pytest.mark.parametrize('number', range(TABLES))
def test_pages_are_the_answer(client, make_table, number):
    seed = SEED + number
    print(f'DYNAMO_TEST_SEED={seed} DYNAMO_TEST_TABLES=1')
    trial = Trial(client, make_table, seed)
    for index in trial.indexes:
        print(index.kind, index.definition())
        trial.check_scan(index)
        for _ in range(QUERIES):
            trial.check_query(index)
    client.delete_table(TableName=trial.name)


def test_pages_under_writes(client, make_table):
    """Items that stay are on exactly one page, whatever happens around them: others
    come, go and move to other keys, and their own other attributes change."""
    name = make_table(
        AttributeDefinitions=[{'AttributeName': a, 'AttributeType': 'S'} for a in 'pgt'],
        KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}],
        GlobalSecondaryIndexes=[{'IndexName': 'by-g', 'Projection': {'ProjectionType': 'ALL'},
                                 'KeySchema': [{'AttributeName': 'g', 'KeyType': 'HASH'},
                                               {'AttributeName': 't', 'KeyType': 'RANGE'}]}])
    stay = {f'stay{n}': 'abc'[n % 3] for n in range(30)}
    for p, t in stay.items():
        client.put_item(TableName=name, Item={'p': {'S': p}, 'g': {'S': 'g'}, 't': {'S': t}})
    done = threading.Event()

    def write(seed):
        rng = random.Random(seed)
        while not done.is_set():
            p = f'move{rng.randrange(30)}' if rng.random() < .7 else rng.choice(list(stay))
            if p in stay:
                client.update_item(TableName=name, Key={'p': {'S': p}}, UpdateExpression='SET v = :v',
                                   ExpressionAttributeValues={':v': {'S': 'v' * rng.randrange(2000)}})
            elif rng.random() < .3:
                client.delete_item(TableName=name, Key={'p': {'S': p}})
            else:
                client.put_item(TableName=name, Item={'p': {'S': p}, 'g': {'S': rng.choice('gh')},
                                                      't': {'S': rng.choice('abc')}})

    def read(rng):
        found, key = [], {}
        ahead = rng.random() < .5
        scan = rng.random() < .3
        while True:
            parameters = {'TableName': name, 'IndexName': 'by-g', 'Limit': rng.randint(1, 7), **key}
            page = client.scan(**parameters) if scan else client.query(
                KeyConditionExpression='g = :g', ExpressionAttributeValues={':g': {'S': 'g'}},
                ScanIndexForward=ahead, **parameters)
            found += [item['p']['S'] for item in page['Items'] if item['p']['S'] in stay]
            if 'LastEvaluatedKey' not in page:
                break
            key = {'ExclusiveStartKey': page['LastEvaluatedKey']}
        assert sorted(found) == sorted(stay)
        order = [stay[p] for p in found]
        assert order == sorted(order, reverse=not ahead and not scan)

    print(f'DYNAMO_TEST_SEED={SEED}')
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, SEED + n) for n in range(3)]
        try:
            rng = random.Random(SEED)
            for _ in range(25):
                read(rng)
        finally:
            done.set()
        for writer in writers:
            writer.result()
