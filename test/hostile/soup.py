"""Attribute values, expressions and legacy conditions: good, and as soups of tokens."""

import json


class Raw(bytes):
    """Bytes for a body, as they are."""


NAMES = ['a', 'b', 'c', 'list', 'map', 'n', 'ss', 'é', 'a.b', 'x-y', 'size_']
PLAIN = ['a', 'b', 'c', 'n', 'ss', 'size_']         # names that need no placeholder


def number(r):
    return r.choice([str(r.randrange(-50, 50)), '1.5', '-0', '1e10', '9.9e125', '-1e-130', '12345678901234567890123456789012345678', '0.1'])


def value(r, depth=0):
    """A valid attribute value."""
    kind = r.randrange(10 if depth < 4 else 7)
    if kind == 0:
        return {'S': r.choice(['', 'x', 'hello', 'é\0\U0001F600', 'x' * r.choice([10, 3000])])}
    if kind in (1, 2):
        return {'N': number(r)}
    if kind == 3:
        return {'B': r.choice(['', 'AA==', 'AQID', '////'])}
    if kind == 4:
        return r.choice([{'BOOL': True}, {'BOOL': False}, {'NULL': True}])
    if kind == 5:
        return {'SS': r.sample(['a', 'b', 'c', ''], r.randint(1, 4))}
    if kind == 6:
        return r.choice([{'NS': r.sample(['1', '2', '3.5', '-4'], r.randint(1, 4))}, {'BS': r.sample(['AA==', 'AQID', ''], r.randint(1, 3))}])
    if kind in (7, 8):
        return {'L': [value(r, depth + 1) for _ in range(r.randrange(4))]}
    return {'M': {name: value(r, depth + 1) for name in r.sample(NAMES, r.randrange(4))}}


# Attribute values with something wrong about them, mostly.
HOSTILE = [Raw(json.dumps(one).encode('utf-8', 'surrogatepass')) for one in [
    {}, {'S': None}, {'S': 1}, {'S': ['x']}, {'X': 'x'}, {'s': 'x'}, {'S': 'x', 'N': '1'}, {'S': 'x', 'S ': 'x'}, {'SS': []}, {'SS': ['a', 'a']},
    {'SS': 'a'}, {'SS': [None]}, {'SS': [1]}, {'NS': ['1', '1.0']}, {'NS': ['x']}, {'BS': ['AA==', 'AA==']}, {'BS': ['A']}, {'NULL': False},
    {'NULL': None}, {'NULL': 'true'}, {'BOOL': 'maybe'}, {'BOOL': 1}, {'L': {}}, {'L': [None]}, {'L': [{}]}, {'L': ['x']}, {'M': []}, {'M': {'': {}}},
    {'M': {'a': None}}, {'M': {'a': {'M': {'a': {'X': 1}}}}},
    *({'B': b} for b in ['A', '=', 'AA', 'AA=', 'AB==', 'A A=', 'AA==AA==', '!', '\0', 'é', 'A' * 1000001]),
    *({'N': n} for n in ['', ' 1', '1 ', '+1', '1e', '1e1e1', 'NaN', 'Infinity', '0x10', '1_0', '1.2.3', '--1', '1e126', '1e-131', '9' * 39, '9' * 100000,
                         '0' * 100000, '1e99999999999999999999', '1e-99999999999999999999', '.', '-', '٣', '1\0', '1.' + '0' * 5000]),
    *({'S': 'x' * n} for n in [1025, 2049, 409600, 500000]), {'L': [{'S': ''}] * 1000}, {'L': [{'S': ''}] * 100000}, {'M': {f'{n}': {'N': '1'} for n in range(20000)}},
    {'SS': [f'{n}' for n in range(20000)]}, {'NS': [f'{n}' for n in range(20000)]}]]


def hostile_attribute(r):
    one = r.choice(HOSTILE)
    for _ in range(r.choice([0, 0, 0, 0, 1, 30, 31, 32, 33])):
        one = r.choice([{'L': [one]}, {'M': {'a': one}}])
    return one


# Expressions

FUNCTIONS = ['attribute_exists', 'attribute_not_exists', 'attribute_type', 'begins_with', 'contains', 'size', 'if_not_exists', 'list_append']
TOKENS = [*PLAIN, '#a', '#b', '#é', ':v', ':w', ':s', 'AND', 'OR', 'NOT', 'IN', 'BETWEEN', 'and', 'Or', '=', '<>', '<', '<=', '>', '>=', '(', ')', '(', ')', ',', '.', '[0]',
          '[', ']', '[99999999999999999999]', '[-1]', '[2147483648]', '0', '1', '+', '-', 'SET', 'REMOVE', 'ADD', 'DELETE', 'set', *FUNCTIONS,
          *[f + '(' for f in FUNCTIONS], '"', "'", '#', ':', '#:', '\0', '\u2028', '\t', '\n', '/*', '--', ';', '*', '!', '@', '\\', 'é', '\U0001F600', 'table', 'status',
          'x' * 300, '#' + 'x' * 300, ':' + 'x' * 300]


def path(r):
    name = r.choice(['#a', '#b', *PLAIN])
    for _ in range(r.choice([0, 0, 0, 1, 2, 10])):
        name += r.choice(['[0]', '[1]', '.c', '.#a', '[3]'])
    return name


def operand(r):
    return r.choice([path(r), ':v', ':w', ':s', f'size({path(r)})'])


def condition(r, depth=0):
    kind = r.randrange(9 if depth < 5 else 6)
    if kind < 2:
        return f'{operand(r)} {r.choice(["=", "<>", "<", "<=", ">", ">="])} {operand(r)}'
    if kind == 2:
        return f'{operand(r)} BETWEEN {operand(r)} AND {operand(r)}'
    if kind == 3:
        return f'{operand(r)} IN ({", ".join(operand(r) for _ in range(r.choice([1, 3, 100])))})'
    if kind == 4:
        return f'{r.choice(["attribute_exists", "attribute_not_exists"])}({path(r)})'
    if kind == 5:
        return f'{r.choice(["begins_with", "contains", "attribute_type"])}({path(r)}, :s)'
    if kind == 6:
        return f'NOT {condition(r, depth + 1)}'
    return f'({condition(r, depth + 1)} {r.choice(["AND", "OR"])} {condition(r, depth + 1)})'


def update(r):
    def right():
        return r.choice([':v', ':n', path(r), f'{path(r)} + :n', f'if_not_exists({path(r)}, :v)', f'list_append({path(r)}, :l)', f'if_not_exists({path(r)}, :n) - :n'])
    clauses = [f'SET {", ".join(f"{path(r)} = {right()}" for _ in range(r.choice([1, 2, 20])))}',
               f'REMOVE {", ".join(path(r) for _ in range(r.randint(1, 3)))}', f'ADD {path(r)} :n', f'DELETE {path(r)} :z']
    return ' '.join(r.sample(clauses, r.randint(1, 3)))


def expression(r, parameter):
    if parameter == 'UpdateExpression':
        return update(r)
    if parameter == 'ProjectionExpression':
        return ', '.join(path(r) for _ in range(r.randint(1, 4)))
    return condition(r)


def placeholders(r, text):
    """The names and values that a text uses, and nearly never another one."""
    names = {k: v for k, v in (('#a', 'a'), ('#b', 'a.b'), ('#é', 'é')) if k in text or r.random() < 0.01}
    values = {k: v for k, v in ((':v', value(r)), (':w', value(r)), (':s', {'S': r.choice(['a', 'SS', 'N', ''])}), (':n', {'N': number(r)}),
                                (':l', {'L': [value(r)]}), (':z', {'SS': ['a', 'b']})) if k in text or r.random() < 0.01}
    return names, values


def hostile_text(r):
    """What stands where an expression should."""
    kind = r.randrange(8)
    if kind == 0:
        n = r.choice([500, 501, 1000, 4096, 100000])
        return r.choice(['(', 'NOT ', 'size(', 'a.', 'a[0]', 'a AND ', '#a,', 'SET a = ', 'if_not_exists(a, ', 'list_append(:l, ', ')', ',', ' ', ':v IN (', '-']) * n
    if kind == 1:
        n = r.choice([100, 299, 300, 500, 2000])
        return '(' * n + 'a = :v' + ')' * n
    if kind == 2:
        good = r.choice([condition, update, path])(r)
        at = r.randrange(len(good) + 1)
        return good[:at] + r.choice(TOKENS) + good[at + r.randrange(4):]
    if kind == 3:
        return ' OR '.join(['a = :v'] * r.choice([2, 150, 301, 1000]))
    return r.choice([' ', '', '  ']).join(r.choice(TOKENS) for _ in range(r.choice([1, 3, 8, 20, 60, 400])))


EXPRESSIONS = ['ConditionExpression', 'FilterExpression', 'KeyConditionExpression', 'ProjectionExpression', 'UpdateExpression']
LEGACY = ['Expected', 'AttributeUpdates', 'KeyConditions', 'QueryFilter', 'ScanFilter', 'AttributesToGet']


# Legacy parameters

OPERATORS = ['EQ', 'NE', 'IN', 'LE', 'LT', 'GE', 'GT', 'BETWEEN', 'NOT_NULL', 'NULL', 'CONTAINS', 'NOT_CONTAINS', 'BEGINS_WITH']
ARGUMENTS = {'IN': 3, 'BETWEEN': 2, 'NOT_NULL': 0, 'NULL': 0}


def conditions(r, expected=False):
    found = {}
    for name in r.sample(NAMES, r.randint(1, 3)):
        if expected and r.random() < 0.4:
            found[name] = r.choice([{'Exists': False}, {'Value': value(r)}, {'Value': value(r), 'Exists': True}])
            continue
        operator = r.choice(OPERATORS)
        scalar = r.choice(['S', 'N'])
        found[name] = {'ComparisonOperator': operator}
        arguments = sorted(str(r.randrange(10)) for _ in range(ARGUMENTS.get(operator, 1)))
        if arguments:
            found[name]['AttributeValueList'] = [{scalar if operator != 'BEGINS_WITH' else 'S': a} for a in arguments]
    return found


def updates(r):
    return {name: r.choice([{'Action': 'PUT', 'Value': value(r)}, {'Value': value(r)}, {'Action': 'DELETE'}, {'Action': 'ADD', 'Value': {'N': number(r)}},
                            {'Action': 'ADD', 'Value': {'SS': ['z']}}, {'Action': 'DELETE', 'Value': {'SS': ['a']}}])
            for name in r.sample(NAMES, r.randint(1, 4))}


def hostile_conditions(r):
    """A soup of the members of all legacy parameters."""
    def entry():
        made = {}
        for member in r.sample(['ComparisonOperator', 'AttributeValueList', 'Value', 'Exists', 'Action', 'Nonsense'], r.randrange(5)):
            made[member] = r.choice([
                r.choice(OPERATORS + ['PUT', 'ADD', 'DELETE', 'eq', '', 'NOPE']), [value(r) for _ in range(r.choice([0, 1, 2, 3] * 5 + [101]))], value(r), True, False, None,
                hostile_attribute(r), [hostile_attribute(r)], 1, [], {}])
        return made
    return {r.choice([*NAMES, 'p', 's', '', '\0', 'x' * 65536]): r.choice([entry(), entry(), entry(), None, [], 'x', 1]) for _ in range(r.choice([0, 1, 1, 2, 2, 3, 3, 4] * 5 + [301]))}


def spoil_expressions(r, request):
    """Put soups into expression and legacy parameters, the placeholders too."""
    for _ in range(r.randint(1, 2)):
        if r.random() < 0.6:
            request[r.choice(EXPRESSIONS)] = hostile_text(r)
        else:
            request[r.choice(LEGACY)] = hostile_conditions(r)
    if r.random() < 0.5:
        names, values = placeholders(r, '#a #b #é :v :w :s :n :l :z')
        if r.random() < 0.3:
            values[r.choice([':v', ':', 'v', '', ':' + 'x' * 256, ':é', ':v\0'])] = hostile_attribute(r)
        if r.random() < 0.3:
            names[r.choice(['#a', '#', 'a', '', '#' + 'x' * 256, '#é', '#a\0'])] = r.choice(['', 'x' * 65536, None, 1, {}, '\0', 'p', 's'])
        request['ExpressionAttributeNames'] = names
        request['ExpressionAttributeValues'] = values
    if r.random() < 0.1:
        request['ConditionalOperator'] = r.choice(['AND', 'OR', 'XOR', '', None, 1])
