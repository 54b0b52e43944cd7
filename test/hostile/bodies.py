"""Requests: valid ones of every operation, and what can be done to them.

A body is a tree of Python values with two more kinds of node: Raw is written as
it is, Pairs is an object that may have a name twice.  mutated() turns a valid
tree into a hostile one, body() into bytes, and scratched() damages those.
"""
import copy
import json
import pathlib
import re

import soup
from soup import Raw

TABLES = {      # name: (partition key's type, sort key's type)
    'hostile-s': ('S', None), 'hostile-ss': ('S', 'S'), 'hostile-sn': ('S', 'N'),
    'hostile-nb': ('N', 'B'), 'hostile-b': ('B', None)}


# Every operation of the server, also those that are still to come.
LISTED = re.findall(r'^DYN_OPERATION\((\w+)', (pathlib.Path(__file__).resolve().parents[2] / 'src/operation/operation_list.h').read_text(), re.M)

INDEXES = ['by-a', 'by-n', 'local-b']


class Pairs(list):
    """An object as a list of (name, value)."""


def body(node):
    if isinstance(node, Raw):
        return bytes(node)
    if isinstance(node, Pairs):
        return b'{' + b','.join(body(k) + b':' + body(v) for k, v in node) + b'}'
    if isinstance(node, dict):
        return b'{' + b','.join(body(k) + b':' + body(v) for k, v in node.items()) + b'}'
    if isinstance(node, (list, tuple)):
        return b'[' + b','.join(map(body, node)) + b']'
    if isinstance(node, str):
        return json.dumps(node, ensure_ascii=len(node) % 2 == 0).encode('utf-8', 'surrogatepass')
    return json.dumps(node).encode()


# Valid requests

def key_value(r, kind):
    """One of few keys, so that requests meet."""
    return {'S': {'S': f'key{r.randrange(20)}'}, 'N': {'N': str(r.randrange(20))},
            'B': {'B': 'a2V5' + 'ABCD'[r.randrange(4)] * 4}}[kind]


def key(r, table):
    partition, sort = TABLES[table]
    found = {'p': key_value(r, partition)}
    if sort:
        found['s'] = key_value(r, sort)
    return found


def item(r, table):
    found = {**key(r, table), **{name: soup.value(r) for name in r.sample(soup.NAMES, r.randrange(6))}}
    for name, value in (('a', {'S': r.choice(['x', 'hello'])}), ('n', {'N': soup.number(r)}), ('b', {'B': 'AQID'})):
        if name in found and r.random() < 0.8:      # what an index's key has to be
            found[name] = value
    return found


def common(r, **members):
    """What is not given but may be, sometimes."""
    return {name: r.choice(values) for name, values in members.items() if r.random() < 0.3}


CAPACITY = {'ReturnConsumedCapacity': ['TOTAL', 'INDEXES', 'NONE']}
ON_FAILURE = {'ReturnValuesOnConditionCheckFailure': ['ALL_OLD', 'NONE']}
METRICS = {'ReturnItemCollectionMetrics': ['SIZE', 'NONE']}


def expressions(r, *parameters):
    """Expressions for these parameters, with the placeholders they use."""
    texts = {name: soup.expression(r, name) for name in parameters}
    names, values = soup.placeholders(r, ' '.join(texts.values()))
    if names:
        texts['ExpressionAttributeNames'] = names
    if values:
        texts['ExpressionAttributeValues'] = values
    return texts


def condition(r):
    kind = r.randrange(3)
    if kind == 0:
        return {}
    if kind == 1:
        return {**expressions(r, 'ConditionExpression'), **common(r, **ON_FAILURE)}
    return {'Expected': soup.conditions(r, expected=True), **common(r, ConditionalOperator=['AND', 'OR'])}


def projection(r):
    kind = r.randrange(3)
    if kind == 0:
        return {}
    if kind == 1:
        return expressions(r, 'ProjectionExpression')
    return {'AttributesToGet': r.sample(soup.NAMES, r.randrange(1, 4))}


def put_item(r, t):
    return {'TableName': t, 'Item': item(r, t), **condition(r), **common(r, ReturnValues=['NONE', 'ALL_OLD'], **CAPACITY, **METRICS)}


def get_item(r, t):
    return {'TableName': t, 'Key': key(r, t), **projection(r), **common(r, ConsistentRead=[True, False], **CAPACITY)}


def delete_item(r, t):
    return {'TableName': t, 'Key': key(r, t), **condition(r), **common(r, ReturnValues=['NONE', 'ALL_OLD'], **CAPACITY, **METRICS)}


RETURN_VALUES = ['NONE', 'ALL_OLD', 'ALL_NEW', 'UPDATED_OLD', 'UPDATED_NEW']


def update_item(r, t):
    if r.random() < 0.3:
        change = {'AttributeUpdates': soup.updates(r),
                  **({'Expected': soup.conditions(r, expected=True)} if r.random() < 0.5 else {})}
    else:
        change = expressions(r, *['UpdateExpression', 'ConditionExpression'][:r.randint(1, 2)])
    return {'TableName': t, 'Key': key(r, t), **change, **common(r, ReturnValues=RETURN_VALUES, **CAPACITY, **METRICS, **ON_FAILURE)}


def page(r, t):
    return {'TableName': t, **common(r, Limit=[1, 3, 1000], ConsistentRead=[True, False], ExclusiveStartKey=[key(r, t)],
                                     Select=['ALL_ATTRIBUTES', 'COUNT'], **CAPACITY)}


def query(r, t):
    partition, sort = TABLES[t]
    if r.random() < 0.3:
        request = {'KeyConditions': {'p': {'ComparisonOperator': 'EQ', 'AttributeValueList': [key_value(r, partition)]}}}
        if sort and r.random() < 0.5:
            request['KeyConditions']['s'] = {
                'ComparisonOperator': r.choice(['EQ', 'LT', 'GE', 'BEGINS_WITH']), 'AttributeValueList': [key_value(r, sort)]}
        if r.random() < 0.5:
            request['QueryFilter'] = soup.conditions(r)
    else:
        request = expressions(r, *r.choice([[], ['FilterExpression'], ['FilterExpression', 'ProjectionExpression']]))
        request['KeyConditionExpression'] = 'p = :pk' + r.choice(['', *([' AND s > :sk', ' AND begins_with(s, :sk)', ' AND s BETWEEN :sk AND :sk'] if sort else [])])
        values = request.setdefault('ExpressionAttributeValues', {})
        values[':pk'] = key_value(r, partition)
        if ':sk' in request['KeyConditionExpression']:
            values[':sk'] = key_value(r, sort)
    if r.random() < 0.3:
        of_index(r, request)
    return {**page(r, t), **request, **common(r, ScanIndexForward=[True, False])}


def of_index(r, request):
    """Make it a query of an index, which the table may have or not."""
    name = r.choice(INDEXES)
    request['IndexName'] = name
    if 'KeyConditionExpression' in request and name != 'local-b':
        attribute, value = ('a', {'S': r.choice(['x', 'hello'])}) if name == 'by-a' else ('n', {'N': soup.number(r)})
        request['KeyConditionExpression'] = f'{attribute} = :pk'
        request['ExpressionAttributeValues'][':pk'] = value
        request['ExpressionAttributeValues'].pop(':sk', None)


def scan(r, t):
    if r.random() < 0.4:
        request = {'ScanFilter': soup.conditions(r)}
    else:
        request = expressions(r, *r.choice([[], ['FilterExpression'], ['FilterExpression', 'ProjectionExpression']]))
    if r.random() < 0.3:
        request['IndexName'] = r.choice(INDEXES)
    if r.random() < 0.3:
        request.update(TotalSegments=4, Segment=r.randrange(4))
    return {**page(r, t), **request}


def batch_get_item(r, t):
    tables = {}
    for name in {t, r.choice(list(TABLES))}:
        keys = []
        for _ in range(r.randint(1, 10)):
            one = key(r, name)
            if one not in keys:
                keys.append(one)
        tables[name] = {'Keys': keys, **projection(r), **common(r, ConsistentRead=[True, False])}
    return {'RequestItems': tables, **common(r, **CAPACITY)}


def batch_write_item(r, t):
    tables = {}
    for name in {t, r.choice(list(TABLES))}:
        requests, seen = [], []
        for _ in range(r.randint(1, 12)):
            one = item(r, name)
            its_key = {k: v for k, v in one.items() if k in 'ps'}
            if its_key in seen:
                continue
            seen.append(its_key)
            requests.append(r.choice([{'PutRequest': {'Item': one}}, {'DeleteRequest': {'Key': its_key}}]))
        tables[name] = requests
    return {'RequestItems': tables, **common(r, **CAPACITY, **METRICS)}


VIEWS = ['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES', 'NEW_AND_OLD_IMAGES']


def create_table(r, t):
    partition, sort = TABLES[t]
    keys = [('p', partition, 'HASH')] + ([('s', sort, 'RANGE')] if sort else [])
    billing = r.choice([{'BillingMode': 'PAY_PER_REQUEST'},
                        {'ProvisionedThroughput': {'ReadCapacityUnits': 5, 'WriteCapacityUnits': 5}}])
    indexes = {}
    if r.random() < 0.7:
        keys_of = [('by-a', [('a', 'S', 'HASH')]), ('by-n', [('n', 'N', 'HASH'), ('a', 'S', 'RANGE')])]
        indexes['GlobalSecondaryIndexes'] = [global_index(r, name, of, billing) for name, of in keys_of[:r.randint(1, 2)]]
        if sort:
            indexes['LocalSecondaryIndexes'] = [index(r, 'local-b', [keys[0], ('b', 'B', 'RANGE')])]
    used = {e['AttributeName'] for definitions in indexes.values() for i in definitions for e in i['KeySchema']} | {n for n, _, _ in keys}
    types = {**{n: k for n, k, _ in keys}, 'a': 'S', 'n': 'N', 'b': 'B'}
    return {'TableName': t, 'AttributeDefinitions': [{'AttributeName': n, 'AttributeType': types[n]} for n in sorted(used)],
            'KeySchema': key_schema(keys), **billing, **indexes,
            **common(r, DeletionProtectionEnabled=[False], TableClass=['STANDARD'],
                     StreamSpecification=[{'StreamEnabled': True, 'StreamViewType': v} for v in VIEWS])}


def key_schema(keys):
    return [{'AttributeName': n, 'KeyType': k} for n, _, k in keys]


def index(r, name, keys):
    return {'IndexName': name, 'KeySchema': key_schema(keys),
            'Projection': r.choice([{'ProjectionType': 'ALL'}, {'ProjectionType': 'KEYS_ONLY'}, {'ProjectionType': 'INCLUDE', 'NonKeyAttributes': ['c', 'x-y']}])}


def global_index(r, name, keys, billing):
    return {**index(r, name, keys), **{k: v for k, v in billing.items() if k == 'ProvisionedThroughput'}}


def update_table(r, t):
    return {'TableName': t, **r.choice([
        {'BillingMode': 'PAY_PER_REQUEST'}, {'DeletionProtectionEnabled': False},
        {'GlobalSecondaryIndexUpdates': [{'Delete': {'IndexName': r.choice(INDEXES)}}]},
        {'AttributeDefinitions': [{'AttributeName': 'a', 'AttributeType': 'S'}, {'AttributeName': 'n', 'AttributeType': 'N'}],
         'GlobalSecondaryIndexUpdates': [{'Create': index(r, 'by-n', [('n', 'N', 'HASH'), ('a', 'S', 'RANGE')])}]},
        {'BillingMode': 'PROVISIONED', 'ProvisionedThroughput': {'ReadCapacityUnits': r.randint(1, 9), 'WriteCapacityUnits': r.randint(1, 9)}}])}


def transact_write_items(r, t):
    actions, seen = [], []
    for _ in range(r.choice([1, 2, 2, 5, 20])):
        name = r.choice([t, t, r.choice(list(TABLES))])
        its_key = key(r, name)
        if (name, its_key) in seen and r.random() < 0.95:
            continue
        seen.append((name, its_key))
        actions.append(r.choice([
            {'Put': {'TableName': name, 'Item': {**item(r, name), **its_key}, **expressions(r, *['ConditionExpression'][:r.randrange(2)])}},
            {'Delete': {'TableName': name, 'Key': its_key, **expressions(r, *['ConditionExpression'][:r.randrange(2)])}},
            {'Update': {'TableName': name, 'Key': its_key, **expressions(r, *['UpdateExpression', 'ConditionExpression'][:r.randint(1, 2)]), **common(r, **ON_FAILURE)}},
            {'ConditionCheck': {'TableName': name, 'Key': its_key, **expressions(r, 'ConditionExpression'), **common(r, **ON_FAILURE)}}]))
    return {'TransactItems': actions, **common(r, ClientRequestToken=[f'token{r.randrange(50)}'], **CAPACITY, **METRICS)}


def transact_get_items(r, t):
    return {'TransactItems': [{'Get': {'TableName': name, 'Key': key(r, name), **expressions(r, *['ProjectionExpression'][:r.randrange(2)])}}
                              for name in (r.choice([t, r.choice(list(TABLES))]) for _ in range(r.choice([1, 2, 10, 100])))], **common(r, **CAPACITY)}


def arn(t):
    return f'arn:aws:dynamodb:us-east-1:000000000000:table/{t}'


# (stream ARN, shard id, a sequence number, iterator) of streams there were when the run began.
PLACES = []


def place(r):
    return r.choice(PLACES or [(arn('hostile-s') + '/stream/2026-01-01T00:00:00.000', 'shardId-00000000000000000001-00000000', '1' * 21, 'x')])


def describe_stream(r, t):
    stream, shard, _, _ = place(r)
    return {'StreamArn': stream, **common(r, Limit=[1, 100], ExclusiveStartShardId=[shard],
                                          ShardFilter=[{'Type': 'CHILD_SHARDS', 'ShardId': shard}])}


def get_shard_iterator(r, t):
    stream, shard, number, _ = place(r)
    kind = r.choice(['TRIM_HORIZON', 'LATEST', 'AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER', 'AT_TIMESTAMP'])
    more = {'SequenceNumber': number} if 'SEQUENCE' in kind else {'Timestamp': r.choice([0, 1.5, 1e9, 1e18])} if 'TIME' in kind else {}
    return {'StreamArn': stream, 'ShardId': shard, 'ShardIteratorType': kind, **more}


# The operations that are not here are attacked with what the SDK's model knows of them.
OPERATIONS = {
    'TransactWriteItems': transact_write_items, 'TransactGetItems': transact_get_items,
    'UpdateTimeToLive': lambda r, t: {'TableName': t, 'TimeToLiveSpecification': {'Enabled': r.random() < 0.5, 'AttributeName': r.choice(['n', 'c'])}},
    'TagResource': lambda r, t: {'ResourceArn': arn(t), 'Tags': [{'Key': r.choice(soup.NAMES), 'Value': 'x'} for _ in range(r.randint(1, 3))]},
    'UntagResource': lambda r, t: {'ResourceArn': arn(t), 'TagKeys': r.sample(soup.NAMES, 2)},
    'ListTagsOfResource': lambda r, t: {'ResourceArn': arn(t)},
    'BatchGetItem': batch_get_item, 'BatchWriteItem': batch_write_item, 'CreateTable': create_table,
    'ListStreams': lambda r, t: common(r, Limit=[1, 100], TableName=[t], ExclusiveStartStreamArn=[place(r)[0]]),
    'DescribeStream': describe_stream, 'GetShardIterator': get_shard_iterator,
    'GetRecords': lambda r, t: {'ShardIterator': place(r)[3], **common(r, Limit=[1, 1000])},
    'DeleteItem': delete_item, 'DeleteTable': lambda r, t: {'TableName': t},
    'DescribeEndpoints': lambda r, t: {}, 'DescribeLimits': lambda r, t: {},
    'DescribeTable': lambda r, t: {'TableName': t}, 'GetItem': get_item,
    'ListTables': lambda r, t: common(r, Limit=[1, 100], ExclusiveStartTableName=[t]),
    'PutItem': put_item, 'Query': query, 'Scan': scan, 'UpdateItem': update_item, 'UpdateTable': update_table}


def from_model(r, shape, depth=0):
    """A value of a shape of the SDK's service model: any member it knows."""
    kind = shape.type_name
    if shape.name == 'AttributeValue':
        return soup.value(r)
    if kind == 'structure':
        chance = 0.3 if depth else 0.5
        return {name: from_model(r, member, depth + 1) for name, member in shape.members.items()
                if r.random() < (0.9 if name in shape.required_members else chance)}
    if kind == 'list':
        return [from_model(r, shape.member, depth + 1) for _ in range(r.randrange(3))]
    if kind == 'map':
        return {from_model(r, shape.key, depth + 1): from_model(r, shape.value, depth + 1) for _ in range(r.randrange(3))}
    if kind == 'string':
        if getattr(shape, 'enum', None):
            return r.choice(shape.enum)
        return r.choice([*TABLES, *soup.NAMES, '#n', ':v', 'no-such-table', 'arn:aws:dynamodb:us-east-1:000000000000:table/hostile-s'])
    if kind == 'boolean':
        return r.random() < 0.5
    if kind in ('integer', 'long'):
        return r.choice([0, 1, 2, 10, 100])
    return r.choice(['', 'AA==', 1.5, 0])


# Hostile ones

TEXTS = [       # written as they are: not all of them are JSON
    b'"\xff\xfe"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud83d\\u0041"',
    b'"\\u0000"', b'"a\\u0000b"', b'"\\q"', b'"\\u00"', b'"\x01"', b'"a\x00b"', b'"', b"'a'", b'NaN', b'Infinity', b'-', b'01', b'1.', b'.5',
    b'1e', b'1e999999999', b'-1e-999999999', b'1' * 400, b'1' * 100000, b'0.' + b'0' * 70000 + b'1', b'true1', b'nul', b'undefined', b'',
    b'/* */ 1', b'[1,]', b'{"a":1,}', b'{"a"}', b'{a:1}', b'[1 2]', b'\xef\xbb\xbf1', b'"\\uD83D\\uDE00"', b'9223372036854775808', b'-9223372036854775809',
    b'18446744073709551616', b'2147483648', b'1.7976931348623157e308', b'5e-324', b'-0', b'1E+2', b'{"\\u0000":1}', b'{"":{}}',
]


def nested(r):
    """Deeper than anything should be; often with no end."""
    depth = r.choice([20, 31, 32, 33, 40, 200, 999, 1000, 1001, 5000, 100000])
    left, right = r.choice([(b'[', b']'), (b'{"a":', b'}'), (b'{"L":[', b']}'), (b'{"M":{"a":', b'}}'), (b'{"S":', b'}'), (b'[{"a":', b'}]')])
    inner = r.choice([b'', b'1', b'null', b'{"S":"x"}', b'{"N":"1"}'])
    return Raw(left * depth + inner + (right * depth if r.random() < 0.8 else b''))


MANY = [Raw(body(many)) for one in ({}, [], '', None, 1, {'S': 'x'}, {'N': '1'}, 'a') for n in (3, 26, 101, 301, 20000)
        for many in ([one] * n, {f'a{i}': one for i in range(n)})]


def hostile_value(r, tree):
    """Something to stand where it does not belong."""
    kind = r.randrange(10)
    if kind == 0:
        return r.choice([None, True, False, 0, -1, 1, 1.5, 2 ** 31, 2 ** 63, -2 ** 63, 10 ** 30, '', '\0', '\ud800', 'a\0b', 'NONE', '0'])
    if kind == 1:
        return Raw(r.choice(TEXTS))
    if kind == 2:
        return nested(r)
    if kind == 3:
        return r.choice('xé\0"\\\U0001F600') * r.choice([2, 255, 256, 1024, 2049, 65536, 409601])
    if kind == 4:
        return r.choice([[], {}, [[]], [None], {'': ''}, {'': None}, [{}], [[], {}], {'a': {'b': []}}, [1, 'a', None, {}]])
    if kind == 5:
        return soup.hostile_attribute(r)
    if kind == 6:
        return r.choice(MANY)
    if kind == 7:
        return soup.hostile_text(r)
    if kind == 8:
        return copy.deepcopy(r.choice(list(nodes(tree)))[0][0])
    return soup.value(r)


def alike(r, node):
    """Something of the same type: what comes behind the check of types sees it."""
    if isinstance(node, bool):
        return not node
    if isinstance(node, int):
        return r.choice([0, -1, 1, 2, 100, 1000001, 2 ** 31, 2 ** 40, -2 ** 31])
    if isinstance(node, str):
        return r.choice(['', '\0', node + '\0', node + ' ', node.swapcase(), node * 3, node[1:], 'x' * 256, 'p', 's', 'NONE', '0', '\U0001F600', soup.number(r),
                         *TABLES, 'arn:aws:dynamodb:us-east-1:000000000000:table/hostile-s', 'x' * 2049, soup.hostile_text(r)])
    if isinstance(node, list):
        return r.choice([[], node * 2, node[1:], node[::-1], node * 30])
    if isinstance(node, dict) and r.random() < 0.7 and len(node) == 1 and next(iter(node)) in ('S', 'N', 'B', 'BOOL', 'NULL', 'SS', 'NS', 'BS', 'L', 'M'):
        return r.choice([soup.value(r), soup.hostile_attribute(r)])
    return {}


def nodes(tree, holder=None, name=None):
    """(node, holder, name) of all nodes."""
    yield (tree,), holder, name
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for k, child in children:
        yield from nodes(child, tree, k)


def mutate_once(r, tree):
    (node,), holder, name = r.choice(list(nodes(tree))[:2000])
    if holder is None:
        return hostile_value(r, tree) if r.random() < 0.2 else tree
    kind = r.randrange(6)
    if kind == 0 and isinstance(holder, dict):
        del holder[name]
    elif kind == 1 and isinstance(name, str):
        # The same name twice, a strange name, or a name nobody knows.
        holder[r.choice([Raw(body(name) + b' '), Raw(b'"\\u00%02x%s' % (ord(name[0]) % 256, body(name[1:])[1:])) if name else 'x',
                         name + '\0', name.upper(), soup.hostile_text(r)[:300], ''])] = r.choice([node, hostile_value(r, tree)])
    elif kind == 2 and isinstance(holder, list):
        holder.append(node)
    else:
        holder[name] = alike(r, node) if r.random() < 0.6 else hostile_value(r, tree)
    return tree


def mutated(r, tree):
    tree = copy.deepcopy(tree)
    for _ in range(r.choice([1, 1, 1, 2, 3, 8])):
        if not isinstance(tree, (dict, list)):
            break
        tree = mutate_once(r, tree)
    return tree


def scratched(r, data):
    """Damage bytes."""
    data = bytearray(data)
    for _ in range(r.choice([1, 1, 2, 5])):
        at = r.randrange(len(data) + 1)
        kind = r.randrange(5)
        if kind == 0:
            del data[at:]
        elif kind == 1:
            data[at:at + 1] = bytes([r.randrange(256)])
        elif kind == 2:
            data[at:at] = r.choice([b'\0', b'"', b'{', b'}', b'[', b']', b',', b':', b'\\', b'\xff', b'\\u0000', b'\xef\xbb\xbf', b'\r\n', r.randbytes(4)])
        elif kind == 3:
            del data[at:at + r.randint(1, 30)]
        else:
            data += r.choice([b'x', b'\0', b'{}', b' ', b'\n', bytes(data[:50])])
    return bytes(data)


def random_request(r, models):
    """(operation, body) of a request, hostile in one way or the other, or not at all."""
    operation = r.choice(LISTED)
    table = r.choice(list(TABLES))
    if operation.startswith(('Describe', 'List', 'Delete')) and operation != 'DeleteItem' and r.random() < 0.8:
        operation = r.choice(['UpdateItem', 'Query', 'TransactWriteItems'])
    if operation not in OPERATIONS or r.random() < 0.15:
        model = next(m for m in models if operation in m.operation_names)
        shape = model.operation_model(operation).input_shape
        tree = from_model(r, shape)
        for name in shape.members:
            if name in ('TableName', 'ResourceArn') and r.random() < 0.8:
                tree[name] = table if name == 'TableName' else arn(table)
    else:
        tree = OPERATIONS[operation](r, table)
    way = r.random()
    if way < 0.25:
        return operation, body(tree)
    if way < 0.45:
        soup.spoil_expressions(r, tree)
        return operation, body(tree)
    data = body(mutated(r, tree))
    return operation, scratched(r, data) if way > 0.85 else data
