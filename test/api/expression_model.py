"""A slow model of expressions, and random cases for it.

It shares nothing with the server: cases are made as trees and only then
written as text, values are plain Python, numbers are decimal.  run() compares
the two, thousands of cases at a time, through the SQL functions for tests.

A value is a pair of its type's letters and what Python has for it; a path is a
tuple of names and indexes.
"""
import base64
import copy
import decimal
import itertools
import json
import random
from decimal import Decimal

CONTEXT = decimal.Context(prec=38, rounding=decimal.ROUND_HALF_UP, Emax=10**6, Emin=-10**6)
NAMES = ['ka', 'kb', 'kc', 'kd', 'ke', 'kf']
ORDERED = ('S', 'N', 'B')
SETS = {'SS': 'S', 'NS': 'N', 'BS': 'B'}
MISSING = None
REMOVED = ('removed', None)

NO_ATTRIBUTE = 'The provided expression refers to an attribute that does not exist in the item'
WRONG_TYPE = 'An operand in the update expression has an incorrect data type'
WRONG_PATH = 'The document path provided in the update expression is invalid for update'
OVERFLOW = 'Number overflow. Attempting to store a number with magnitude larger than supported range'


class Refused(Exception):
    """An error for an item; its args are the messages that may be the answer."""


class Malformed(Exception):
    """An error whatever the item: "Invalid ...Expression: ..." """


# --- values ---

def to_json(value):
    kind, data = value
    if kind == 'N':
        data = str(data)
    elif kind == 'B':
        data = base64.b64encode(data).decode()
    elif kind == 'L':
        data = [to_json(v) for v in data]
    elif kind == 'M':
        data = map_to_json(data)
    elif kind in SETS:
        data = [to_json((SETS[kind], member))[SETS[kind]] for member in data]
    return {kind: data}


def map_to_json(entries):
    return {name: to_json(value) for name, value in entries.items()}


def from_json(attribute):
    (kind, data), = attribute.items()
    if kind == 'N':
        data = Decimal(data)
    elif kind == 'B':
        data = base64.b64decode(data)
    elif kind == 'L':
        data = [from_json(v) for v in data]
    elif kind == 'M':
        data = map_from_json(data)
    elif kind in SETS:
        data = frozenset(from_json({SETS[kind]: member})[1] for member in data)
    return kind, data


def map_from_json(entries):
    return {name: from_json(value) for name, value in entries.items()}


def compare(a, b):
    """-1, 0, 1 for two values of one ordered type."""
    x, y = (v[1].encode() if v[0] == 'S' else v[1] for v in (a, b))
    return (x > y) - (x < y)


def find(item, path):
    """The value at a path; a path's first step is the name of an attribute."""
    value = ('M', item)
    for step in path:
        kind, data = value
        if isinstance(step, str):
            if kind != 'M' or step not in data:
                return MISSING
        elif kind != 'L' or step >= len(data):
            return MISSING
        value = data[step]
    return value


# --- conditions ---

def operand(item, node):
    kind, what = node
    if kind == 'value':
        return what
    if kind == 'path':
        return find(item, what)
    kind, data = operand(item, what) or (None, None)
    if kind == 'S':
        return 'N', Decimal(len(data.encode('utf-16-le')) // 2)
    if kind == 'B' or kind in SETS or kind in ('L', 'M'):
        return 'N', Decimal(len(data))
    return MISSING


def ordered(op, a, b):
    if a[0] != b[0] or a[0] not in ORDERED:
        return False
    order = compare(a, b)
    return {'<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0}[op]


def contains(container, member):
    kind, data = container
    if kind in ('S', 'B'):
        return member[0] == kind and member[1] in data
    if kind in SETS:
        return member[0] == SETS[kind] and member[1] in data
    return kind == 'L' and member in data


def evaluate(item, node):
    kind, *parts = node
    if kind == 'AND':
        return all([evaluate(item, part) for part in parts])
    if kind == 'OR':
        return any([evaluate(item, part) for part in parts])
    if kind == 'NOT':
        return not evaluate(item, parts[0])
    values = [operand(item, part) for part in parts]
    if kind == 'attribute_exists':
        return values[0] is not MISSING
    if kind == 'attribute_not_exists':
        return values[0] is MISSING
    # No comparison with the size of what has none is true.
    if kind not in ('IN',) and any(
            value is MISSING and part[0] == 'size' for value, part in zip(values, parts)):
        return False
    if kind == '<>':
        return MISSING in values or values[0] != values[1]
    if kind == 'IN':
        return values[0] is not MISSING and values[0] in values[1:]
    if MISSING in values:
        return False
    if kind == '=':
        return values[0] == values[1]
    if kind == 'BETWEEN':
        return ordered('>=', values[0], values[1]) and ordered('<=', values[0], values[2])
    if kind == 'attribute_type':
        return values[0][0] == values[1][1]
    if kind == 'begins_with':
        return values[0][0] == values[1][0] and values[0][0] in ('S', 'B') and \
            values[0][1].startswith(values[1][1])
    if kind == 'contains':
        return contains(*values)
    return ordered(kind, *values)


def check_condition(node):
    """Raise for what is wrong with a condition whatever the item is."""
    kind, *parts = node
    if kind in ('AND', 'OR', 'NOT'):
        for part in parts:
            check_condition(part)
        return
    if parts[0][0] == 'path' and parts[0] in parts[1:]:
        raise Malformed('same operand')
    types = [part[1][0] if part[0] == 'value' else None for part in parts]
    for part in parts:
        if part[0] == 'size' and part[1][0] == 'value' and part[1][1][0] in ('N', 'BOOL', 'NULL'):
            raise Malformed('size of a constant')
    if kind in ('<', '<=', '>', '>=', 'BETWEEN'):
        if any(t is not None and t not in ORDERED for t in types):
            raise Malformed('no order')
    if kind == 'BETWEEN' and types[1] and types[2]:
        if types[1] != types[2] or compare(parts[1][1], parts[2][1]) > 0:
            raise Malformed('bounds')
    if kind == 'begins_with' and any(t not in (None, 'S', 'B') for t in types):
        raise Malformed('no prefix')
    if kind == 'contains' and types[0] in ('N', 'BOOL', 'NULL', 'M'):
        raise Malformed('no container')


# --- projections ---

def check_paths(paths):
    """No path leads through another's end, none takes for a map what is a list."""
    for a, b in itertools.combinations(paths, 2):
        for x, y in itertools.zip_longest(a, b):
            if x is None or y is None:
                raise Malformed('overlap')
            if isinstance(x, str) != isinstance(y, str):
                raise Malformed('conflict')
            if x != y:
                break
        else:
            raise Malformed('overlap')


def project(value, paths):
    """What is at the paths, in the shape of value; MISSING if nothing is."""
    if () in paths:
        return value
    kind, data = value
    steps = sorted({path[0] for path in paths})
    found = {}
    for step in steps:
        member = find({'': value}, ('', step))
        if member is not MISSING:
            member = project(member, [path[1:] for path in paths if path[0] == step])
        if member is not MISSING:
            found[step] = member
    if not found:
        return MISSING
    return kind, found if kind == 'M' else [found[step] for step in sorted(found)]


# --- updates ---

def in_range(number):
    number = CONTEXT.plus(number)
    if number and number.adjusted() > 125:
        raise Refused(OVERFLOW)
    return 'N', number


def term(item, node):
    kind, *parts = node
    if kind == 'value':
        return parts[0]
    if kind == 'path':
        value = find(item, parts[0])
        if value is MISSING:
            raise Refused(NO_ATTRIBUTE)
        return value
    if kind == 'if_not_exists':
        value = find(item, parts[0][1])
        return term(item, parts[1]) if value is MISSING else value
    a, b = (term(item, part) for part in parts)
    if kind == 'list_append':
        if a[0] != 'L' or b[0] != 'L':
            raise Refused(WRONG_TYPE)
        return 'L', a[1] + b[1]
    if a[0] != 'N' or b[0] != 'N':
        raise Refused(WRONG_TYPE)
    return in_range((CONTEXT.add if kind == '+' else CONTEXT.subtract)(a[1], b[1]))


def outcome(item, clause):
    """What a clause leaves at its target."""
    action, path, node = clause
    if action == 'SET':
        return term(item, node)
    if action == 'REMOVE':
        return REMOVED
    current, given = find(item, path), node[1]
    if action == 'ADD':
        if current is MISSING:
            return given
        if current[0] != given[0]:
            raise Refused(WRONG_TYPE)
        if given[0] == 'N':
            return in_range(CONTEXT.add(current[1], given[1]))
        return given[0], current[1] | given[1]
    if current is MISSING:
        return REMOVED
    if current[0] != given[0]:
        raise Refused(WRONG_TYPE)
    rest = current[1] - given[1]
    return (given[0], rest) if rest else REMOVED


def close_up(value):
    """Drop what is removed."""
    kind, data = value
    if kind == 'L':
        return kind, [close_up(v) for v in data if v is not REMOVED]
    if kind == 'M':
        return kind, {name: close_up(v) for name, v in data.items() if v is not REMOVED}
    return value


def apply(item, key, clauses):
    """The new item, or None where none is made; raises with all that is wrong."""
    takes_away = all(action in ('REMOVE', 'DELETE') for action, _, _ in clauses)
    if item is None and takes_away:
        return None
    old = item or {}
    new = ('M', copy.deepcopy(item if item is not None else key))
    errors, appended = [], []
    for clause in clauses:
        action, path, _ = clause
        try:
            value = outcome(old, clause)
        except Refused as refused:
            errors += refused.args
            value = REMOVED
        parent = find({'': new}, ('',) + path[:-1])
        wanted = 'M' if isinstance(path[-1], str) else 'L'
        if parent is MISSING or parent[0] != wanted:
            if item is not None or action not in ('REMOVE', 'DELETE'):
                errors.append(WRONG_PATH)
            continue
        if wanted == 'M':
            parent[1][path[-1]] = value
        elif path[-1] < len(parent[1]):
            parent[1][path[-1]] = value
        elif value is not REMOVED:
            appended.append((path, parent[1], value))
    if errors:
        raise Refused(*errors)
    for _, elements, value in sorted(appended, key=lambda a: a[0][-1]):
        elements.append(value)
    return close_up(new)[1]


# --- random cases ---

class Maker:
    def __init__(self, rng):
        self.rng = rng
        self.names, self.values = {}, {}

    def number(self):
        return self.rng.choice([
            Decimal(self.rng.randint(-3, 9)), Decimal(self.rng.randint(-10**6, 10**6)).scaleb(-3),
            Decimal(self.rng.randint(1, 10**20)).scaleb(self.rng.randint(-60, 60)), Decimal('9e125')])

    def string(self):
        return ''.join(self.rng.choice(['a', 'b', 'ab', '\x01', 'é', '\U0001f600', '"\\'])
                       for _ in range(self.rng.randint(0, 4)))

    def value(self, depth=3):
        kind = self.rng.choice(['S', 'S', 'N', 'N', 'N', 'B', 'BOOL', 'NULL', 'SS', 'NS', 'BS'] +
                               ['L', 'L', 'M', 'M', 'M'] * (depth > 0))
        if kind == 'S':
            return kind, self.string()
        if kind == 'N':
            return kind, self.number()
        if kind == 'B':
            return kind, self.string().encode()
        if kind == 'BOOL':
            return kind, self.rng.random() < .5
        if kind == 'NULL':
            return kind, True
        if kind == 'L':
            return kind, [self.value(depth - 1) for _ in range(self.rng.randint(0, 4))]
        if kind == 'M':
            return kind, self.entries(depth - 1)
        make = {'SS': self.string, 'NS': self.number, 'BS': lambda: self.string().encode()}[kind]
        return kind, frozenset(make() for _ in range(self.rng.randint(1, 3)))

    def value_of(self, kind):
        while True:
            value = self.value(0)
            if value[0] == kind:
                return value[1]

    def entries(self, depth=3):
        return {name: self.value(depth) for name in NAMES if self.rng.random() < .6}

    def path(self, item):
        """Mostly one that leads somewhere."""
        path, value = (), ('M', item or {})
        while True:
            if value is not MISSING and value[0] == 'M' and value[1] and self.rng.random() < .93:
                step = self.rng.choice(sorted(value[1]))
            elif value is not MISSING and value[0] == 'L' and path and self.rng.random() < .9:
                step = self.rng.randint(0, len(value[1]) + (self.rng.random() < .2))
            else:
                step = self.rng.choice(NAMES + [0, 1] * (path != ()))
            path += (step,)
            value = find({'': value}, ('', step)) if value is not MISSING else MISSING
            deeper = value is not MISSING and value[0] in ('L', 'M')
            if len(path) > 5 or self.rng.random() < (.45 if deeper else .93):
                return path

    def some_value(self, item):
        """Mostly one that stands in the item, or a part of one."""
        value = find(item or {}, self.path(item)) if self.rng.random() < .5 else MISSING
        if value is MISSING:
            value = self.value(1)
        if value[0] in SETS and self.rng.random() < .5:
            value = SETS[value[0]], self.rng.choice(sorted(value[1]))
        if value[0] in ('S', 'B') and self.rng.random() < .3:
            value = value[0], value[1][:self.rng.randint(0, 3)]
        return value

    def operand(self, item, size=True):
        chance = self.rng.random()
        if chance < .5:
            return 'path', self.path(item)
        if chance < .85 or not size:
            return 'value', self.some_value(item)
        return 'size', self.operand(item, False)

    def condition(self, item, depth=3):
        chance = self.rng.random()
        if depth > 0 and chance < .35:
            kind = self.rng.choice(['AND', 'OR', 'NOT'])
            count = 1 if kind == 'NOT' else self.rng.randint(2, 3)
            return (kind, *(self.condition(item, depth - 1) for _ in range(count)))
        kind = self.rng.choice(['=', '<>', '<', '<=', '>', '>=', '=', 'BETWEEN', 'IN', 'contains', 'contains',
                                'begins_with', 'attribute_type', 'attribute_exists', 'attribute_not_exists'])
        if kind in ('attribute_exists', 'attribute_not_exists'):
            return kind, ('path', self.path(item))
        if kind == 'attribute_type':
            return kind, self.operand(item, False), ('value', ('S', self.rng.choice(
                ['S', 'N', 'B', 'BOOL', 'NULL', 'L', 'M', *SETS])))
        if kind in ('contains', 'begins_with'):
            return kind, self.operand(item, False), self.operand(item, False)
        count = {'BETWEEN': 3, 'IN': self.rng.randint(2, 5)}.get(kind, 2)
        return (kind, *(self.operand(item) for _ in range(count)))

    def term(self, item, depth=2):
        chance = self.rng.random()
        if depth == 2 and chance < .3:
            return (self.rng.choice('+-'), self.term_of(item, 'N', 1), self.term_of(item, 'N', 1))
        if depth == 2 and chance < .5:
            return ('list_append', self.term_of(item, 'L', 0), self.term_of(item, 'L', 0))
        if depth > 0 and chance < .65:
            return ('if_not_exists', ('path', self.path(item)), self.term(item, 0))
        if chance < .8:
            return 'path', self.path(item)
        return 'value', self.some_value(item)

    def term_of(self, item, kind, depth):
        """Mostly one of a type."""
        for _ in range(12):
            node = self.term(item, depth)
            try:
                if term(item or {}, node)[0] == kind:
                    break
            except Refused:
                pass
        return node

    def paths(self, item, count):
        """Mostly some that get on with each other."""
        paths = []
        careful = self.rng.random() < .9
        for _ in range(count):
            path = self.path(item)
            try:
                check_paths(paths + [path])
            except Malformed:
                if careful:
                    continue
            paths.append(path)
        return paths

    def clauses(self, item):
        clauses = []
        for path in self.paths(item, self.rng.choice([1, 1, 2, 3, 4, 6])):
            action = self.rng.choice(['SET', 'SET', 'REMOVE', 'ADD', 'DELETE'])
            current = find(item or {}, path)
            if current is not MISSING and current[0] not in ('N', *SETS) and self.rng.random() < .9:
                action = self.rng.choice(['SET', 'REMOVE'])
            node = None
            if action == 'SET':
                node = self.term(item)
            elif action != 'REMOVE':
                value = self.value(0) if current is MISSING or self.rng.random() < .3 else current
                if value[0] in SETS and self.rng.random() < .5:
                    value = value[0], frozenset(list(value[1])[:1]) | self.value_of(value[0])
                while value[0] not in (('N', *SETS) if action == 'ADD' else SETS):
                    value = self.value(0)
                node = 'value', value
            clauses.append((action, path, node))
        # A section stands once.
        return sorted(clauses, key=lambda c: ['SET', 'REMOVE', 'ADD', 'DELETE'].index(c[0]))

    # --- as text ---

    def path_text(self, path):
        text = ''
        for step in path:
            if isinstance(step, int):
                text += f'[{step}]'
                continue
            if self.rng.random() < .5:
                key = f'#{step[::-1]}'
                self.names[key] = step
                step = key
            text += ('.' if text else '') + step
        return text

    def text(self, node):
        kind, *parts = node
        if kind == 'path':
            return self.path_text(parts[0])
        if kind == 'value':
            key = f':v{len(self.values)}'
            self.values[key] = to_json(parts[0])
            return key
        texts = [self.text(part) for part in parts]
        if kind in ('AND', 'OR', 'NOT', '+', '-'):
            texts = [f'({text})' if part[0] in ('AND', 'OR', 'NOT', '+', '-') else text
                     for part, text in zip(parts, texts)]
            return f'NOT {texts[0]}' if kind == 'NOT' else f' {kind} '.join(texts)
        if kind == 'BETWEEN':
            return '{} BETWEEN {} AND {}'.format(*texts)
        if kind == 'IN':
            return f'{texts[0]} IN ({", ".join(texts[1:])})'
        if kind in ('=', '<>', '<', '<=', '>', '>='):
            return f' {kind} '.join(texts)
        return f'{kind}({", ".join(texts)})'

    def update_text(self, clauses):
        text = ''
        for action, group in itertools.groupby(clauses, key=lambda c: c[0]):
            parts = []
            for _, path, node in group:
                part = self.path_text(path)
                if node:
                    part += (' = ' if action == 'SET' else ' ') + self.text(node)
                parts.append(part)
            text += f' {action} ' + ', '.join(parts)
        return text


def constant_in_term(node):
    """Is there a constant that + - or list_append can never take?"""
    kind, *parts = node
    if kind in ('path', 'value'):
        return False
    wanted = {'list_append': 'L', '+': 'N', '-': 'N'}.get(kind)
    return any(constant_in_term(part) or (wanted and part[0] == 'value' and part[1][0] != wanted)
               for part in parts)


def make_case(rng):
    """A case for the server and what it should answer."""
    make = Maker(rng)
    item = None if rng.random() < .05 else make.entries()
    key = {'key': ('S', 'k')}
    kind = rng.choice(['condition', 'update', 'update', 'projection'])
    try:
        if kind == 'condition':
            node = make.condition(item)
            text = make.text(node)
            check_condition(node)
            expected = evaluate(item or {}, node)
        elif kind == 'projection':
            item = item or {}
            paths = make.paths(item, rng.choice([1, 2, 3, 5]))
            text = ', '.join(make.path_text(path) for path in paths)
            check_paths(paths)
            expected = (project(('M', item), paths) or ('M', {}))[1]
        else:
            clauses = make.clauses(item)
            text = make.update_text(clauses)
            paths = [path for _, path, _ in clauses]
            check_paths(paths)
            if any(node and constant_in_term(node) for _, _, node in clauses):
                raise Malformed('constant')
            new = apply(item, key, clauses)
            expected = [new] + [(project(('M', image or {}), paths) or (None, None))[1]
                                for image in (item, new)]
    except (Malformed, Refused) as error:
        expected = error
    return {'kind': kind, 'expression': text, 'names': make.names or None, 'values': make.values or None,
            'item': None if item is None else map_to_json(item)}, expected


FUNCTION = """
CREATE OR REPLACE FUNCTION pg_temp.run(kind text, expression text, names json, "values" json, item json)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    IF kind = 'condition' THEN
        RETURN to_json(dynamo_internal.evaluate_condition(expression, names, "values", item::dynamo.item));
    ELSIF kind = 'projection' THEN
        RETURN dynamo_internal.project(expression, names, "values", item::dynamo.item)::json;
    END IF;
    r := dynamo_internal.apply_update(expression, names, "values", item::dynamo.item, '{"key": {"S": "k"}}');
    RETURN json_build_array(r.new_item::json, r.updated_old::json, r.updated_new::json);
EXCEPTION WHEN sqlstate 'KV001' THEN
    RETURN json_build_object('error', json_build_object('S', sqlerrm));
END $$"""
CALL = """
SELECT pg_temp.run(kind, expression, names, "values", item)::text FROM ROWS FROM (
    json_to_recordset(%s) AS (kind text, expression text, names json, "values" json, item json)) WITH ORDINALITY ORDER BY ordinality"""


def agrees(case, expected, answer):
    if isinstance(expected, Exception):
        if not isinstance(answer, dict) or set(answer) != {'error'}:
            return False
        message = answer['error']['S']
        return message.startswith('Invalid ') if isinstance(expected, Malformed) else \
            message in expected.args
    if case['kind'] == 'condition':
        return answer is expected
    if isinstance(answer, dict) and 'error' in answer:
        return False
    if case['kind'] == 'projection':
        return map_from_json(answer) == expected
    return [image if image is None else map_from_json(image) for image in answer] == expected


def run(sql, count, seed, batch=1000):
    """Compare; sql(statement, *parameters) returns rows.  Returns how many were errors."""
    rng = random.Random(seed)
    errors = 0
    sql(FUNCTION)
    for start in range(0, count, batch):
        cases = [make_case(rng) for _ in range(min(batch, count - start))]
        rows = sql(CALL, json.dumps([case for case, _ in cases]))
        assert len(rows) == len(cases)
        for (case, expected), (answer,) in zip(cases, rows):
            errors += isinstance(expected, Exception)
            assert agrees(case, expected, json.loads(answer)), \
                f'seed {seed}\n{json.dumps(case)}\nexpected {expected!r}\nanswered {answer}'
    return errors
