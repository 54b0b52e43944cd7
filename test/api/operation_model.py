#!/usr/bin/env python3
"""A slow model of whole operations: HTTP, SQL and plain Python must agree.

Every request is sent twice, by HTTP to one table and through the SQL function to
another; both answers must be the same, byte for byte but for the table's name, and
what the model says: items, conditions, images, counts, pages, prices.  Where the
words of an error are the parser's the model only knows that there must be one; the
two ways must still agree on them.

The expressions come from expression_model.py, and so does what they mean.

usage: operation_model.py [--cases N] [--seed N] [--processes N]
starts a server of its own; without a seed, a new one.
"""
import argparse
import collections
import hashlib
import hmac
import http.client
import json
import math
import multiprocessing
import os
import pathlib
import random
import re
import sys
import time
import urllib.parse
from decimal import Decimal

import psycopg2

from expression_model import (SETS, Maker, Malformed, Refused, apply, check_condition,
                              check_paths, constant_in_term, evaluate, from_json, map_to_json,
                              project, to_json)

BATCH = 100                     # requests for one call of SQL
FALSE = 'The conditional request failed'
CANCELLED = 'Transaction cancelled, please refer cancellation reasons for specific reasons [%s]'


# --- sizes and prices ---

def number_size(number):
    if not number:
        return 1
    whole, _, fraction = format(number.copy_abs(), 'f').partition('.')
    fraction = fraction.rstrip('0')
    if not whole.strip('0'):
        whole, fraction = '', fraction.lstrip('0')
    elif not fraction:
        whole = whole.rstrip('0')
    return 1 + math.ceil(len(whole) / 2) + math.ceil(len(fraction) / 2) + (number < 0)


def size(value):
    kind, data = value
    if kind in ('BOOL', 'NULL'):
        return 1
    if kind == 'N':
        return number_size(data)
    if kind in ('S', 'B'):
        return len(data.encode() if kind == 'S' else data)
    if kind in SETS:
        return sum(size((SETS[kind], member)) for member in data)
    if kind == 'L':
        return 3 + len(data) + sum(map(size, data))
    return 3 + len(data) + item_size(data)


def item_size(item):
    return sum(len(name.encode()) + size(value) for name, value in item.items())


def units(amount, unit):
    return max(1, math.ceil(amount / unit))


def write_price(old, new):
    """Of the table and of the index, where items have an entry with a g and an n."""
    table = units(max(item_size(i) if i else 0 for i in (old, new)), 1024)
    before, after = (i if i and 'g' in i and 'n' in i else None for i in (old, new))
    if before == after:
        return table, 0
    if before and after and (before['g'], before['n']) == (after['g'], after['n']):
        return table, units(max(item_size(before), item_size(after)), 1024)
    return table, sum(units(item_size(i), 1024) for i in (before, after) if i)


def read_price(amount, request):
    return units(amount, 4096) * (1 if request.get('ConsistentRead') else .5), 0


# --- the table ---

class Table:
    """Items by key, as DynamoDB would have them."""

    def __init__(self):
        self.items = {}

    def get(self, key):
        return self.items.get(self.place(key))

    def put(self, item):
        self.items[self.place(item)] = item

    def delete(self, key):
        self.items.pop(self.place(key), None)

    @staticmethod
    def place(item):
        return item['p'][1], item['s'][1]

    def partition(self, p):
        return sorted((i for (q, _), i in self.items.items() if q == p), key=lambda i: i['s'][1])

    def index(self, g):
        return [i for i in self.items.values() if i.get('g') == ('S', g) and 'n' in i]


class Answer:
    """What an answer must be.  None of a member: it must not be there.

    price is that of the table and of the index, or None if it is not said."""

    def __init__(self, error=None, message=None, price=None, **members):
        self.error, self.message, self.price, self.members = error, message, price, members


def invalid(error):
    """A ValidationException of the model's."""
    if isinstance(error, Malformed):
        return Answer('ValidationException', re.compile('^Invalid '))
    return Answer('ValidationException', error.args)


# --- random requests ---

def plain(item):
    """Without what has a meaning for the table."""
    return {k: v for k, v in item.items() if k not in ('p', 's', 'g', 'n')}


class Requests:
    """Random requests, their meaning applied to a model."""

    def __init__(self, rng, table):
        self.rng, self.table = rng, table

    # What the table is called is put in where the request is sent.
    NAME = '@table@'

    def key(self):
        return {'p': ('S', self.rng.choice('abc')), 's': ('N', Decimal(self.rng.randint(0, 12)) / 4)}

    def item(self, make, key):
        item = {**key, **make.entries(2)}
        if self.rng.random() < .6:
            item['g'] = 'S', self.rng.choice('xy')
        if self.rng.random() < .6:
            item['n'] = 'N', Decimal(self.rng.randint(-2, 2))
        if self.rng.random() < .1:
            item['kf'] = 'S', self.rng.choice('xé') * self.rng.randint(500, 6000)
        return item

    def with_condition(self, make, request, old):
        """A condition, sometimes; returns whether it holds."""
        if self.rng.random() < .5:
            return True
        item = plain(old) if old else None
        node = make.condition(item)
        request['ConditionExpression'] = make.text(node)
        check_condition(node)
        return evaluate(plain(old or {}), node)

    def placeholders(self, make, request):
        if make.names:
            request['ExpressionAttributeNames'] = make.names
        if make.values:
            request['ExpressionAttributeValues'] = make.values

    def failed(self, request, old):
        members = {}
        if request.get('ReturnValuesOnConditionCheckFailure') == 'ALL_OLD':
            members['Item'] = old
        return Answer('ConditionalCheckFailedException', (FALSE,), **members)

    def show_failures(self, request):
        if self.rng.random() < .5:
            request['ReturnValuesOnConditionCheckFailure'] = self.rng.choice(['ALL_OLD', 'NONE'])

    def put(self):
        make, key = Maker(self.rng), self.key()
        item = self.item(make, key)
        old = self.table.get(key)
        request = {'TableName': self.NAME, 'Item': map_to_json(item)}
        if self.rng.random() < .5:
            request['ReturnValues'] = self.rng.choice(['ALL_OLD', 'NONE'])
        self.show_failures(request)
        try:
            holds = self.with_condition(make, request, old)
        except Malformed as error:
            self.placeholders(make, request)
            return 'PutItem', request, invalid(error)
        self.placeholders(make, request)
        if not holds:
            return 'PutItem', request, self.failed(request, old)
        self.table.put(item)
        return 'PutItem', request, Answer(
            price=write_price(old, item), Attributes=old if request.get('ReturnValues') == 'ALL_OLD' else None)

    def delete(self):
        make, key = Maker(self.rng), self.key()
        old = self.table.get(key)
        request = {'TableName': self.NAME, 'Key': map_to_json(key)}
        if self.rng.random() < .5:
            request['ReturnValues'] = self.rng.choice(['ALL_OLD', 'NONE'])
        self.show_failures(request)
        try:
            holds = self.with_condition(make, request, old)
        except Malformed as error:
            self.placeholders(make, request)
            return 'DeleteItem', request, invalid(error)
        self.placeholders(make, request)
        if not holds:
            return 'DeleteItem', request, self.failed(request, old)
        self.table.delete(key)
        return 'DeleteItem', request, Answer(
            price=write_price(old, None), Attributes=old if request.get('ReturnValues') == 'ALL_OLD' else None)

    def update(self):
        make, key = Maker(self.rng), self.key()
        old = self.table.get(key)
        request = {'TableName': self.NAME, 'Key': map_to_json(key)}
        self.show_failures(request)
        wanted = self.rng.choice(['NONE', 'ALL_OLD', 'ALL_NEW', 'UPDATED_OLD', 'UPDATED_NEW'])
        if wanted != 'NONE' or self.rng.random() < .5:
            request['ReturnValues'] = wanted
        clauses = make.clauses(plain(old) if old else None)
        # The index's keys change, too, to values of their types.
        if self.rng.random() < .3:
            name = self.rng.choice('gn')
            clauses.insert(0, self.rng.choice([
                ('SET', (name,), ('value', ('S', self.rng.choice('xy')) if name == 'g' else
                                  ('N', Decimal(self.rng.randint(-2, 2)))))]))
        paths = [path for _, path, _ in clauses]
        holds, error, new = True, None, None
        if clauses:
            request['UpdateExpression'] = make.update_text(clauses)
        try:
            # What is wrong with any expression is said before anything is read.
            check_paths(paths)
            if any(node and constant_in_term(node) for _, _, node in clauses):
                raise Malformed('constant')
        except Malformed as e:
            error = e
        try:
            holds = self.with_condition(make, request, old)
        except Malformed as e:
            error = error or e
        self.placeholders(make, request)
        if error is not None:
            return 'UpdateItem', request, invalid(error)
        if not holds:
            return 'UpdateItem', request, self.failed(request, old)
        try:
            new = apply(old, key, clauses) if clauses else (old or dict(key))
        except Refused as e:
            return 'UpdateItem', request, invalid(e)
        if new is not None:
            self.table.put(new)
        images = {'ALL_OLD': old, 'ALL_NEW': new}
        for name, image in ('UPDATED_OLD', old), ('UPDATED_NEW', new):
            images[name] = (project(('M', image or {}), paths) or (None, None))[1] if paths else None
        return 'UpdateItem', request, Answer(price=write_price(old, new), Attributes=images.get(wanted))

    def projection(self, make, request, item):
        """Sometimes; returns the paths, or None for everything."""
        if self.rng.random() < .6:
            return None
        paths = make.paths(plain(item or {}) or None, self.rng.choice([1, 2, 3]))
        if not paths:
            return None
        request['ProjectionExpression'] = ', '.join(make.path_text(path) for path in paths)
        check_paths(paths)
        return paths

    @staticmethod
    def shown(item, paths):
        if paths is None:
            return item
        return (project(('M', item), paths) or ('M', {}))[1]

    def get(self):
        make, key = Maker(self.rng), self.key()
        item = self.table.get(key)
        request = {'TableName': self.NAME, 'Key': map_to_json(key)}
        if self.rng.random() < .5:
            request['ConsistentRead'] = self.rng.random() < .5
        try:
            paths = self.projection(make, request, item)
        except Malformed as error:
            self.placeholders(make, request)
            return 'GetItem', request, invalid(error)
        self.placeholders(make, request)
        return 'GetItem', request, Answer(
            price=read_price(item_size(item or {}), request), Item=None if item is None else self.shown(item, paths))

    # A page: what is evaluated, what of it shows, where the next one begins.

    def filter(self, make, request, some):
        if self.rng.random() < .5:
            return None
        node = make.condition(plain(some) if some else None)
        request['FilterExpression'] = make.text(node)
        check_condition(node)
        return node

    def page(self, request, items, node, paths, key_of):
        """The answer for a page of items, all that are there from its start on."""
        limit = request.get('Limit')
        evaluated = items if limit is None else items[:limit]
        passed = [i for i in evaluated if node is None or evaluate(plain(i), node)]
        members = {'Count': len(passed), 'ScannedCount': len(evaluated), 'Items': None,
                   'LastEvaluatedKey': None}
        if request.get('Select') != 'COUNT':
            members['Items'] = [self.shown(i, paths) for i in passed]
        if limit is not None and len(evaluated) == limit:
            members['LastEvaluatedKey'] = key_of(evaluated[-1])
        amount = sum(map(item_size, evaluated))
        return Answer(price=read_price(amount, request), **members)

    def query(self):
        make = Maker(self.rng)
        p = self.rng.choice('abc')
        items = self.table.partition(p)
        some = self.rng.choice(items) if items else None
        request = {'TableName': self.NAME}
        conditions = ['p = :p']
        values = {':p': {'S': p}}
        bound = self.key()['s'][1]
        kind = self.rng.choice(['', '', '=', '<', '<=', '>', '>=', 'BETWEEN'])
        if kind == 'BETWEEN':
            other = self.key()['s'][1]
            low, high = sorted((bound, other))
            conditions.append('s BETWEEN :low AND :high')
            values |= {':low': {'N': str(low)}, ':high': {'N': str(high)}}
            items = [i for i in items if low <= i['s'][1] <= high]
        elif kind:
            conditions.append(f's {kind} :bound')
            values[':bound'] = {'N': str(bound)}
            items = [i for i in items if {
                '=': i['s'][1] == bound, '<': i['s'][1] < bound, '<=': i['s'][1] <= bound,
                '>': i['s'][1] > bound, '>=': i['s'][1] >= bound}[kind]]
        self.rng.shuffle(conditions)
        request['KeyConditionExpression'] = ' AND '.join(conditions)
        if self.rng.random() < .5:
            request['ScanIndexForward'] = self.rng.random() < .5
            if not request['ScanIndexForward']:
                items = items[::-1]
        if self.rng.random() < .5:
            request['Limit'] = self.rng.choice([1, 2, 3, 5, 100])
        # A start need not be an item, but it must lie where the query goes.
        if items and kind != '=' and self.rng.random() < .3:
            start = self.rng.randrange(len(items))
            request['ExclusiveStartKey'] = map_to_json({k: items[start][k] for k in 'ps'})
            items = items[start + 1:]
        paths = node = None
        try:
            if self.rng.random() < .2:
                request['Select'] = 'COUNT'
            else:
                paths = self.projection(make, request, some)
            node = self.filter(make, request, some)
        except Malformed as error:
            make.values |= values
            self.placeholders(make, request)
            return 'Query', request, invalid(error)
        make.values |= values
        self.placeholders(make, request)
        return 'Query', request, self.page(request, items, node, paths,
                                           lambda i: {k: i[k] for k in 'ps'})

    def query_index(self):
        """Ties have an order of their own: whole groups are asked for."""
        g = self.rng.choice('xy')
        make = Maker(self.rng)
        n = Decimal(self.rng.randint(-2, 2))
        kind = self.rng.choice(['', '=', '<', '>='])
        items = [i for i in self.table.index(g) if {
            '': True, '=': i['n'][1] == n, '<': i['n'][1] < n, '>=': i['n'][1] >= n}[kind]]
        request = {'TableName': self.NAME, 'IndexName': 'by_g', 'KeyConditionExpression': 'g = :g'}
        make.values[':g'] = {'S': g}
        if kind:
            request['KeyConditionExpression'] += f' AND n {kind} :n'
            make.values[':n'] = {'N': str(n)}
        try:
            node = self.filter(make, request, self.rng.choice(items) if items else None)
        except Malformed as error:
            self.placeholders(make, request)
            return 'Query', request, invalid(error)
        self.placeholders(make, request)
        answer = self.page(request, items, node, None, None)
        answer.price = answer.price[::-1]
        answer.members['Items'] = Sorted(answer.members['Items'])
        return 'Query', request, answer

    def scan(self):
        make = Maker(self.rng)
        items = list(self.table.items.values())
        request = {'TableName': self.NAME}
        try:
            node = self.filter(make, request, self.rng.choice(items) if items else None)
            paths = self.projection(make, request, self.rng.choice(items) if items else None)
        except Malformed as error:
            self.placeholders(make, request)
            return 'Scan', request, invalid(error)
        self.placeholders(make, request)
        answer = self.page(request, items, node, paths, None)
        if len(items) < 2:
            answer.price = None         # the service has a price of its own for these
        answer.members['Items'] = Sorted(answer.members['Items'])
        return 'Scan', request, answer

    def keys(self, count):
        keys = {}
        for _ in range(count):
            key = self.key()
            keys[self.table.place(key)] = key
        return list(keys.values())

    def batch_get(self):
        keys = self.keys(self.rng.randint(1, 10))
        make = Maker(self.rng)
        block = {'Keys': [map_to_json(k) for k in keys]}
        items = [i for i in map(self.table.get, keys) if i is not None]
        try:
            paths = self.projection(make, block, items[0] if items else None)
        except Malformed as error:
            self.placeholders(make, block)
            return 'BatchGetItem', {'RequestItems': {self.NAME: block}}, invalid(error)
        self.placeholders(make, block)
        return 'BatchGetItem', {'RequestItems': {self.NAME: block}}, Answer(
            price=(sum(read_price(item_size(self.table.get(k) or {}), block)[0] for k in keys), 0),
            Responses={self.NAME: Sorted([self.shown(i, paths) for i in items])}, UnprocessedKeys={})

    def batch_write(self):
        make = Maker(self.rng)
        requests, prices = [], []
        for key in self.keys(self.rng.randint(1, 8)):
            old = self.table.get(key)
            if self.rng.random() < .3:
                self.table.delete(key)
                requests.append({'DeleteRequest': {'Key': map_to_json(key)}})
            else:
                item = self.item(make, key)
                self.table.put(item)
                requests.append({'PutRequest': {'Item': map_to_json(item)}})
            prices.append(write_price(old, self.table.get(key)))
        return 'BatchWriteItem', {'RequestItems': {self.NAME: requests}}, Answer(
            price=tuple(map(sum, zip(*prices))), UnprocessedItems={})

    def transact_get(self):
        keys = self.keys(self.rng.randint(1, 6))
        return 'TransactGetItems', {'TransactItems': [
            {'Get': {'TableName': self.NAME, 'Key': map_to_json(k)}} for k in keys]}, Answer(
                price=(sum(2 * units(item_size(self.table.get(k) or {}), 4096) for k in keys), 0),
                Responses=[{} if i is None else {'Item': i} for i in map(self.table.get, keys)])

    def transact_write(self):
        """Actions on different items; all of them, or the reasons why not."""
        actions, reasons, effects = [], [], []
        keys = self.keys(self.rng.randint(1, 5))
        for key in keys:
            make = Maker(self.rng)
            old = self.table.get(key)
            kind = self.rng.choice(['Put', 'Update', 'Delete', 'ConditionCheck'])
            action = {'TableName': self.NAME}
            effect = None
            if kind == 'Put':
                item = self.item(make, key)
                action['Item'] = map_to_json(item)
                effect = (self.table.put, item)
            else:
                action['Key'] = map_to_json(key)
            if kind == 'Delete':
                effect = (self.table.delete, key)
            if kind == 'Update':
                value = 'N', Decimal(self.rng.randint(-5, 5))
                action['UpdateExpression'] = f'SET ka = {make.text(("value", value))}'
                effect = (self.table.put, {**(old or key), 'ka': value})
            node = make.condition(plain(old) if old else None)
            try:
                check_condition(node)
            except Malformed:
                node = ('attribute_exists', ('path', ('ka',)))
            holds = True
            if kind == 'ConditionCheck' or self.rng.random() < .4:
                action['ConditionExpression'] = make.text(node)
                holds = evaluate(plain(old or {}), node)
            self.show_failures(action)
            self.placeholders(make, action)
            actions.append({kind: action})
            reason = {'Code': 'None'}
            if not holds:
                reason = {'Code': 'ConditionalCheckFailed', 'Message': FALSE}
                if old and action.get('ReturnValuesOnConditionCheckFailure') == 'ALL_OLD':
                    reason['Item'] = old
            reasons.append(reason)
            effects.append(effect)
        request = {'TransactItems': actions}
        codes = [r['Code'] for r in reasons]
        if any(code != 'None' for code in codes):
            return 'TransactWriteItems', request, Answer(
                'TransactionCanceledException', (CANCELLED % ', '.join(codes),),
                CancellationReasons=reasons)
        table = index = 0
        for key, effect in zip(keys, effects):
            old = self.table.get(key)
            if effect:
                effect[0](effect[1])
            price = write_price(old, self.table.get(key))
            table += 2 * price[0]
            index += price[1]
        return 'TransactWriteItems', request, Answer(price=(table, index))

    def statement(self):
        key = self.key()
        old = self.table.get(key)
        parameters = [to_json(key['p']), to_json(key['s'])]
        kind = self.rng.choice(['SELECT', 'INSERT', 'UPDATE', 'DELETE'])
        if kind == 'SELECT':
            text = f'SELECT * FROM "{self.NAME}" WHERE p = ? AND s = ?'
            answer = Answer(Items=[old] if old else [])
        elif kind == 'INSERT':
            value = Maker(self.rng).value(2)
            text = f'INSERT INTO "{self.NAME}" VALUE {{\'p\': ?, \'s\': ?, \'ka\': ?}}'
            parameters.append(to_json(value))
            if old:
                answer = Answer('DuplicateItemException', ('Duplicate primary key exists in table',))
            else:
                self.table.put({**key, 'ka': value})
                answer = Answer(Items=[])
        elif kind == 'UPDATE':
            value = Maker(self.rng).value(2)
            text = f'UPDATE "{self.NAME}" SET kb = ? WHERE p = ? AND s = ?'
            parameters.insert(0, to_json(value))
            if old:
                self.table.put({**old, 'kb': value})
                answer = Answer(Items=[])
            else:
                answer = Answer('ConditionalCheckFailedException', (FALSE,))
        else:
            text = f'DELETE FROM "{self.NAME}" WHERE p = ? AND s = ? RETURNING ALL OLD *'
            self.table.delete(key)
            answer = Answer(Items=[old] if old else [])
        return 'ExecuteStatement', {'Statement': text, 'Parameters': parameters}, answer

    OLDER = {'EQ': '=', 'LT': '<', 'LE': '<=', 'GT': '>', 'GE': '>=', 'NULL': 'attribute_not_exists',
             'NOT_NULL': 'attribute_exists', 'BEGINS_WITH': 'begins_with', 'IN': 'IN', 'BETWEEN': 'BETWEEN'}

    def older_conditions(self, item):
        """Conditions as they were before there were expressions, and what they mean."""
        make = Maker(self.rng)
        conditions, nodes = {}, []
        for name in self.rng.sample(['ka', 'kb', 'kc', 'kd'], self.rng.randint(1, 2)):
            operator = self.rng.choice(list(self.OLDER))
            count = {'NULL': 0, 'NOT_NULL': 0, 'BETWEEN': 2, 'IN': 3}.get(operator, 1)
            kind = self.rng.choice('SS' if operator == 'BEGINS_WITH' else 'SN')
            current = (item or {}).get(name)
            values = [(kind, make.value_of(kind)) for _ in range(count)]
            if values and current and current[0] == kind and self.rng.random() < .5:
                values[0] = current
            if operator == 'BETWEEN':
                values.sort(key=lambda v: v[1].encode() if kind == 'S' else v[1])
            conditions[name] = {'ComparisonOperator': operator}
            if values:
                conditions[name]['AttributeValueList'] = [to_json(v) for v in values]
            nodes.append((self.OLDER[operator], ('path', (name,)), *(('value', v) for v in values)))
        return conditions, nodes

    def older_update(self):
        """AttributeUpdates with Expected."""
        key, make = self.key(), Maker(self.rng)
        old = self.table.get(key)
        request = {'TableName': self.NAME, 'Key': map_to_json(key)}
        holds = True
        if self.rng.random() < .6:
            request['Expected'], nodes = self.older_conditions(old)
            join = self.rng.choice(['AND', 'OR'])
            if join == 'OR' or self.rng.random() < .5:
                request['ConditionalOperator'] = join
            holds = (any if join == 'OR' else all)([evaluate(plain(old or {}), n) for n in nodes])
        updates, clauses = {}, []
        for name in self.rng.sample(['ka', 'kb', 'kc', 'kd'], self.rng.randint(1, 3)):
            current = (old or {}).get(name)
            action = self.rng.choice(['PUT', 'DELETE', 'ADD'])
            value = 'N', make.value_of('N')
            if action == 'PUT':
                value = make.value(1)
                clauses.append(('SET', (name,), ('value', value)))
            elif action == 'DELETE':
                value = None
                clauses.append(('REMOVE', (name,), None))
            elif current is None or current[0] == 'N':
                clauses.append(('ADD', (name,), ('value', value)))
            else:
                continue
            updates[name] = {'Action': action}
            if value:
                updates[name]['Value'] = to_json(value)
        if updates:
            request['AttributeUpdates'] = updates
        if not holds:
            return 'UpdateItem', request, self.failed(request, old)
        try:
            new = apply(old, key, clauses) if clauses else (old or dict(key))
        except Refused as error:
            return 'UpdateItem', request, invalid(error)
        if new is not None:
            self.table.put(new)
        return 'UpdateItem', request, Answer(price=write_price(old, new))

    def older_query(self):
        """KeyConditions with a QueryFilter."""
        p = self.rng.choice('abc')
        items = self.table.partition(p)
        request = {'TableName': self.NAME, 'KeyConditions': {
            'p': {'ComparisonOperator': 'EQ', 'AttributeValueList': [{'S': p}]}}}
        nodes, join = [], all
        if self.rng.random() < .7:
            request['QueryFilter'], nodes = self.older_conditions(self.rng.choice(items) if items else None)
            if self.rng.random() < .5:
                request['ConditionalOperator'], join = 'OR', any
        node = ('AND' if join is all else 'OR', *nodes) if nodes else None
        return 'Query', request, self.page(request, items, node, None, lambda i: {k: i[k] for k in 'ps'})

    KINDS = [('put', 20), ('update', 30), ('delete', 8), ('get', 10), ('query', 14),
             ('query_index', 5), ('scan', 2), ('batch_get', 3), ('batch_write', 2),
             ('transact_get', 2), ('transact_write', 6), ('statement', 6),
             ('older_update', 5), ('older_query', 3)]

    def next(self):
        [kind] = self.rng.choices([k for k, _ in self.KINDS], [w for _, w in self.KINDS])
        return getattr(self, kind)()


class Sorted(list):
    """Items whose order is not the model's to know."""


# --- comparing ---

def same(expected, given):
    """Is the JSON given what is expected, in values of the model?"""
    if isinstance(expected, tuple) and len(expected) == 2 and isinstance(given, dict):
        return list(given) == [expected[0]] and from_json(given) == expected and canonical(given)
    if isinstance(expected, dict):
        return isinstance(given, dict) and set(expected) == set(given) and all(
            same(v, given[k]) for k, v in expected.items())
    if isinstance(expected, Sorted):
        left = list(given)
        for value in expected:
            for i, other in enumerate(left):
                if same(value, other):
                    del left[i]
                    break
            else:
                return False
        return not left
    if isinstance(expected, list):
        return isinstance(given, list) and len(expected) == len(given) and all(map(same, expected, given))
    return expected == given


def canonical(attribute):
    """Numbers have one text: plain, nothing that could be left out."""
    (kind, data), = attribute.items()
    if kind in ('N', 'NS'):
        return all(re.fullmatch(r'0|-?(0\.\d*[1-9]|[1-9]\d*(\.\d*[1-9])?)', n)
                   for n in ([data] if kind == 'N' else data))
    if kind == 'L':
        return all(map(canonical, data))
    if kind == 'M':
        return all(map(canonical, data.values()))
    return True


def price_agrees(price, wanted, capacity):
    if isinstance(capacity, list):
        [capacity] = capacity
    if wanted not in ('TOTAL', 'INDEXES'):
        return capacity is None
    if capacity['CapacityUnits'] != sum(price):
        return False
    arms = capacity.get('Table', {}).get('CapacityUnits'), \
        capacity.get('GlobalSecondaryIndexes', {}).get('by_g', {}).get('CapacityUnits')
    if wanted == 'TOTAL':
        return arms == (None, None)
    return (arms[0] or 0, arms[1] or 0) == price


def agrees(expected, wanted, given):
    """given: (exception or None, message, JSON); wanted: ReturnConsumedCapacity."""
    error, message, body = given
    if expected.error != error:
        return False
    if error is None and expected.price is not None and \
            not price_agrees(expected.price, wanted, body.get('ConsumedCapacity')):
        return False
    if isinstance(expected.message, re.Pattern):
        if not expected.message.search(message):
            return False
    elif expected.message is not None and message not in expected.message:
        return False
    return all(name not in body if value is None else same(value, body.get(name))
               for name, value in expected.members.items())


# --- the two ways ---

class Http:
    def __init__(self, endpoint, region, key_id, secret):
        url = urllib.parse.urlsplit(endpoint)
        self.host = url.netloc
        self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        self.region, self.key_id, self.secret = region, key_id, secret
        self.signing_key = None, None

    def headers(self, operation, body):
        now = time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())
        scope = f'{now[:8]}/{self.region}/dynamodb/aws4_request'
        if self.signing_key[0] != now[:8]:
            key = ('AWS4' + self.secret).encode()
            for part in scope.split('/'):
                key = hmac.digest(key, part.encode(), 'sha256')
            self.signing_key = now[:8], key
        target = operation if '.' in operation else f'DynamoDB_20120810.{operation}'
        request = (f'POST\n/\n\nhost:{self.host}\nx-amz-date:{now}\nx-amz-target:{target}\n\n'
                   f'host;x-amz-date;x-amz-target\n{hashlib.sha256(body).hexdigest()}')
        text = f'AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}'
        signature = hmac.digest(self.signing_key[1], text.encode(), 'sha256').hex()
        return {'X-Amz-Date': now, 'X-Amz-Target': target, 'Content-Type': 'application/x-amz-json-1.0',
                'Authorization': f'AWS4-HMAC-SHA256 Credential={self.key_id}/{scope}, '
                                 f'SignedHeaders=host;x-amz-date;x-amz-target, Signature={signature}'}

    def run(self, operation, request):
        body = request.encode()
        self.connection.request('POST', '/', body, self.headers(operation, body))
        text = self.connection.getresponse().read().decode()
        answer = json.loads(text)
        if '__type' in answer:
            return (answer['__type'].partition('#')[2], answer.get('message', answer.get('Message')), answer)
        return None, None, answer


def shortened(line):
    """Without the middle of long runs of one character."""
    return re.sub(r'(.)\1{30,}', lambda m: f'{m[1]}*{len(m[0])}', line)


RUN = """
CREATE OR REPLACE FUNCTION pg_temp.run(requests json) RETURNS json[] LANGUAGE plpgsql AS $$
DECLARE
    request json;
    answer json;
    answers json[] := '{}';
    detail text;
BEGIN
    FOR request IN SELECT * FROM json_array_elements(requests) LOOP
        BEGIN
            EXECUTE format('SELECT dynamo.%I($1)', request ->> 0) INTO answer USING (request ->> 1)::json;
            answers := answers || json_build_array(NULL, NULL, answer);
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
            answers := answers || json_build_array(sqlstate, sqlerrm, COALESCE(NULLIF(detail, ''), '{}')::json);
        END;
    END LOOP;
    RETURN answers;
END $$"""


def exceptions():
    """SQLSTATE -> exception, as the server's list has them."""
    root = pathlib.Path(__file__).resolve().parents[2]
    return dict(re.findall(r'^DYN_EXCEPTION\(\w+, "(\w+)", \d+, \w+, "(\w+)"\)',
                           (root / 'src/base/error_list.h').read_text(), re.M))


def snake(operation):
    return re.sub(r'(?<!^)(?=[A-Z])', '_', operation).lower()


TABLE = {
    'BillingMode': 'PAY_PER_REQUEST',
    'AttributeDefinitions': [{'AttributeName': n, 'AttributeType': t}
                             for n, t in (('p', 'S'), ('s', 'N'), ('g', 'S'), ('n', 'N'))],
    'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'}, {'AttributeName': 's', 'KeyType': 'RANGE'}],
    'GlobalSecondaryIndexes': [{
        'IndexName': 'by_g', 'Projection': {'ProjectionType': 'ALL'},
        'KeySchema': [{'AttributeName': 'g', 'KeyType': 'HASH'}, {'AttributeName': 'n', 'KeyType': 'RANGE'}]}],
}


def run(http_way, connection, count, seed):
    """Compare count requests; returns how many were refused."""
    rng = random.Random(seed)
    names = [f'model-{way}-{os.getpid()}-{seed}' for way in ('http', 'sql')]
    states = exceptions()
    refused = 0
    cursor = connection.cursor()
    cursor.execute(RUN)
    for name in names:
        cursor.execute('SELECT dynamo.create_table(%s)', (json.dumps({'TableName': name, **TABLE}),))
    try:
        requests = Requests(rng, Table())
        history = collections.deque(maxlen=30)
        for start in range(0, count, BATCH):
            batch = []
            for _ in range(min(BATCH, count - start)):
                operation, request, expected = requests.next()
                wanted = rng.choice([None, None, None, 'NONE', 'TOTAL', 'INDEXES'])
                if wanted:
                    request['ReturnConsumedCapacity'] = wanted
                batch.append((operation, json.dumps(request), wanted, expected))
            cursor.execute('SELECT to_json(pg_temp.run(%s))', (json.dumps(
                [[snake(operation), text.replace(Requests.NAME, names[1])]
                 for operation, text, *_ in batch]),))
            [answers] = cursor.fetchone()
            for (operation, text, wanted, expected), (state, message, body) in zip(batch, answers):
                by_sql = states.get(state, state), message, body
                by_http = http_way.run(operation, text.replace(Requests.NAME, names[0]))
                history.append((operation, text))
                refused += by_http[0] is not None
                told = [json.dumps([way[0], way[1], {
                    k: v for k, v in way[2].items() if k not in ('__type', 'message', 'Message')}]).replace(name, Requests.NAME)
                        for way, name in ((by_http, names[0]), (by_sql, names[1]))]
                error, message, body = json.loads(told[0])
                if told[0] != told[1] or not agrees(expected, wanted, (error, message, body)):
                    lines = [*(f'{o} {t}' for o, t in history), f'by HTTP  {told[0]}',
                             f'by SQL   {told[1]}', f'expected {vars(expected)}']
                    raise AssertionError('\n'.join([f'seed {seed}', *(shortened(l) for l in lines)]))
    finally:
        for name in names:
            cursor.execute('SELECT dynamo.delete_table(%s)', (json.dumps({'TableName': name}),))
    return refused


def worker(arguments):
    """One process of a long run."""
    cluster_values, count, seed = arguments
    connection = psycopg2.connect(cluster_values['dsn'])
    connection.autocommit = True
    way = Http(cluster_values['endpoint'], cluster_values['region'], cluster_values['key'],
               cluster_values['secret'])
    try:
        return count, run(way, connection, count, seed), None
    except AssertionError as error:
        return count, 0, str(error)


def main():
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'scripts'))
    from private_cluster import Cluster

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--cases', type=int, default=100000)
    parser.add_argument('--seed', type=int, default=random.randrange(10**9))
    parser.add_argument('--processes', type=int, default=2 * os.cpu_count())
    options = parser.parse_args()
    cluster = Cluster()
    cluster.start()
    try:
        cluster.wait()
        keys = cluster.sdk_environment()
        values = {'dsn': f'host={cluster.socket} port=5432 user=postgres dbname=postgres',
                  'endpoint': cluster.endpoint, 'region': keys['AWS_DEFAULT_REGION'],
                  'key': keys['AWS_ACCESS_KEY_ID'], 'secret': keys['AWS_SECRET_ACCESS_KEY']}
        # A seed is good for this many cases, so that each can be repeated.
        share = min(10000, options.cases)
        tasks = [(values, min(share, options.cases - i * share), options.seed + i)
                 for i in range(math.ceil(options.cases / share))]
        print(f'seeds {options.seed} to {tasks[-1][2]}, {share} cases each', flush=True)
        begun = time.monotonic()
        done = refused = 0
        differences = []
        with multiprocessing.Pool(options.processes) as pool:
            for count, errors, difference in pool.imap_unordered(worker, tasks):
                done, refused = done + count, refused + errors
                if difference:
                    print(difference, flush=True)
                    differences.append(difference)
                if done % 100000 == 0:
                    print(f'{done} cases, {time.monotonic() - begun:.0f} s', flush=True)
        print(f'{done} cases in {time.monotonic() - begun:.0f} s, {refused} refused, '
              f'{len(differences)} seeds with a difference')
    finally:
        cluster.reset()
    sys.exit(1 if differences else 0)


if __name__ == '__main__':
    main()
