"""Query and Scan of secondary indexes: projections, Select, capacity, filters, keys
of several attributes, start keys, error texts.  Paging itself is in
test_index_paging.py."""
import pytest

from conftest import ON_AWS, raises, unique, wait_for

VALIDATION = 'ValidationException'
INVALID = 'One or more parameter values were invalid: '
START_INVALID = 'The provided starting key is invalid'
NOT_SCHEMA = 'The provided key element does not match the schema'
OUTSIDE = 'The provided starting key is outside query boundaries based on provided conditions'

KEYS = ('p', 's')


def index(name, partition, sort, projection, *included):
    return {'IndexName': name,
            'KeySchema': [{'AttributeName': a, 'KeyType': 'HASH'} for a in partition] +
                         [{'AttributeName': a, 'KeyType': 'RANGE'} for a in sort],
            'Projection': {'ProjectionType': projection, **({'NonKeyAttributes': list(included)} if included else {})}}


@pytest.fixture(scope='module')
def table(make_table, client):
    """A table with an index of each sort, and eight items in all of them."""
    name = make_table(
        AttributeDefinitions=[{'AttributeName': a, 'AttributeType': t}
                              for a, t in zip('psgtabc', 'SNSNSNB')],
        KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}, {'AttributeName': 's', 'KeyType': 'RANGE'}],
        GlobalSecondaryIndexes=[index('all', 'g', 't', 'ALL'), index('keys', 'g', '', 'KEYS_ONLY'),
                                index('some', 't', 'p', 'INCLUDE', 'x'), index('many', 'gt', 'abc', 'ALL')],
        LocalSecondaryIndexes=[index('local', 'p', 't', 'INCLUDE', 'x'), index('local-all', 'p', 'a', 'ALL')])
    for n in range(8):
        client.put_item(TableName=name, Item=make_item(n))
    # In the local index alone, for want of the others' keys; and in no index.
    client.put_item(TableName=name, Item={'p': {'S': 'p2'}, 's': {'N': '1'}, 'a': {'S': 'a'}})
    client.put_item(TableName=name, Item={'p': {'S': 'p3'}, 's': {'N': '1'}, 'x': {'S': 'x'}})
    for i in ('all', 'keys', 'some', 'many'):
        wait_for(lambda: client.scan(TableName=name, IndexName=i)['Count'] == 8, 60 if ON_AWS else 1)
    return name


def make_item(n):
    return {'p': {'S': f'p{n % 2}'}, 's': {'N': str(n)}, 'g': {'S': 'g'}, 't': {'N': str(n // 4)},
            'a': {'S': f'a{n % 3}'}, 'b': {'N': str(n % 2)}, 'c': {'B': b'c'},
            'x': {'S': f'x{n}'}, 'y': {'S': f'y{n}'}}


VALUES = {':g': {'S': 'g'}, ':t': {'N': '0'}, ':p': {'S': 'p1'}, ':one': {'N': '1'}, ':a': {'S': 'a0'}, ':c': {'B': b'c'},
          ':x': {'S': 'x3'}, ':y': {'S': 'y3'}}
PARTITION = {'all': 'g = :g', 'keys': 'g = :g', 'some': 't = :t', 'many': 'g = :g AND t = :t',
             'local': 'p = :p', 'local-all': 'p = :p'}


@pytest.fixture
def query(client, table):
    """query(index, condition, ...): the values the condition and the filter use are added."""
    def query(index, condition=None, **parameters):
        condition = condition or PARTITION[index]
        text = condition + ' ' + parameters.get('FilterExpression', '')
        values = {k: v for k, v in VALUES.items() if k in text.replace('=', ' ').replace('(', ' ').replace(')', ' ').replace(',', ' ').split()}
        return client.query(TableName=table, IndexName=index, KeyConditionExpression=condition,
                            ExpressionAttributeValues=values, **parameters)
    return query


@pytest.fixture
def scan(client, table):
    def scan(index, **parameters):
        return client.scan(TableName=table, IndexName=index, **parameters)
    return scan


def numbers(reply):
    return sorted(int(item['s']['N']) for item in reply['Items'])


# ----- what an index shows -----

@pytest.mark.parametrize('name,attributes,expected', [
    ('all', 'psgtabcxy', range(8)), ('keys', 'psg', range(8)), ('some', 'pstx', range(4)), ('many', 'psgtabcxy', range(4)),
    ('local', 'pstx', (1, 3, 5, 7)), ('local-all', 'psgtabcxy', (1, 3, 5, 7))])
def test_projections(query, scan, name, attributes, expected):
    reply = query(name)
    assert numbers(reply) == list(expected)
    for item in reply['Items']:
        assert item == {a: v for a, v in make_item(int(item['s']['N'])).items() if a in attributes}
    for item in scan(name)['Items']:
        if item['p']['S'] in ('p0', 'p1'):
            assert item == {a: v for a, v in make_item(int(item['s']['N'])).items() if a in attributes}


def test_an_index_is_sparse(scan):
    assert numbers(scan('all')) == numbers(scan('keys')) == numbers(scan('many')) == list(range(8))
    assert scan('local-all')['Count'] == 9


def test_order(query):
    """By sort key; equal ones in an order that is the same both ways."""
    forward = query('all')['Items']
    assert [item['t']['N'] for item in forward] == ['0'] * 4 + ['1'] * 4
    assert query('all', ScanIndexForward=False)['Items'] == forward[::-1]
    assert [item['a']['S'] for item in query('local-all')['Items']] == ['a0', 'a1', 'a1', 'a2']


def test_writes_move_entries(client, make_table):
    """An entry follows its item: made, moved, changed, gone."""
    name = make_table(
        AttributeDefinitions=[{'AttributeName': a, 'AttributeType': 'S'} for a in 'pg'],
        KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}],
        GlobalSecondaryIndexes=[index('by-g', 'g', '', 'ALL')])

    def shows(g, *items):
        wait_for(lambda: client.query(
            TableName=name, IndexName='by-g', KeyConditionExpression='g = :g',
            ExpressionAttributeValues={':g': {'S': g}})['Items'] == list(items), 10 if ON_AWS else 0.1)

    client.put_item(TableName=name, Item={'p': {'S': '1'}})
    shows('a')
    client.update_item(TableName=name, Key={'p': {'S': '1'}}, UpdateExpression='SET g = :g',
                       ExpressionAttributeValues={':g': {'S': 'a'}})
    shows('a', {'p': {'S': '1'}, 'g': {'S': 'a'}})
    client.put_item(TableName=name, Item={'p': {'S': '1'}, 'g': {'S': 'b'}, 'n': {'N': '1'}})
    shows('a')
    shows('b', {'p': {'S': '1'}, 'g': {'S': 'b'}, 'n': {'N': '1'}})
    client.batch_write_item(RequestItems={name: [{'DeleteRequest': {'Key': {'p': {'S': '1'}}}}]})
    shows('b')


# ----- Select -----

def test_select_of_a_global_index(query, scan):
    assert query('all', Select='ALL_ATTRIBUTES')['Items'][0].keys() == make_item(0).keys()
    assert query('keys', Select='ALL_PROJECTED_ATTRIBUTES')['Items'][0].keys() == {'p', 's', 'g'}
    counted = query('keys', Select='COUNT')
    assert counted['Count'] == 8 and 'Items' not in counted
    assert query('some', ProjectionExpression='x', Select='SPECIFIC_ATTRIBUTES')['Items'][0] == {'x': {'S': 'x0'}}
    for read in (lambda **p: query('some', **p), lambda **p: scan('some', **p)):
        with raises(VALIDATION, INVALID + 'Select type ALL_ATTRIBUTES is not supported for global secondary index '
                    'some because its projection type is not ALL'):
            read(Select='ALL_ATTRIBUTES')
        with raises(VALIDATION, INVALID + 'Global secondary index some does not project [y]'):
            read(ProjectionExpression='x, y.z')
        with raises(VALIDATION, INVALID + 'Global secondary index some does not project [y, a]'):
            read(ProjectionExpression='x, y, a')


def test_select_of_a_local_index(query, scan):
    """What it does not project is fetched from the table."""
    assert query('local', Select='ALL_ATTRIBUTES')['Items'][0] == make_item(1)
    assert query('local', Select='ALL_PROJECTED_ATTRIBUTES')['Items'][0].keys() == {'p', 's', 't', 'x'}
    assert query('local', ProjectionExpression='y, c')['Items'][0] == {'y': {'S': 'y1'}, 'c': {'B': b'c'}}
    assert {'S': 'y5'} in [item['y'] for item in scan('local', ProjectionExpression='y')['Items']]


def test_consistent_reads(query, scan):
    assert query('local', ConsistentRead=True)['Count'] == 4
    for read in (query, scan):
        with raises(VALIDATION, 'Consistent reads are not supported on global secondary indexes'):
            read('all', ConsistentRead=True)


# ----- capacity -----

def units(reply):
    capacity = reply['ConsumedCapacity']
    arms = {**capacity.get('GlobalSecondaryIndexes', {}), **capacity.get('LocalSecondaryIndexes', {})}
    assert len(arms) == 1
    return (capacity['CapacityUnits'], capacity['Table']['CapacityUnits'],
            *(arm['CapacityUnits'] for arm in arms.values()))


def test_capacity(query, scan):
    wanted = {'ReturnConsumedCapacity': 'INDEXES'}
    assert units(query('all', **wanted)) == (0.5, 0, 0.5)
    assert query('all', **wanted)['ConsumedCapacity'].keys() == {
        'TableName', 'CapacityUnits', 'Table', 'GlobalSecondaryIndexes'}
    assert units(query('local', **wanted)) == (0.5, 0, 0.5)
    assert units(query('local', ConsistentRead=True, **wanted)) == (1, 0, 1)
    assert query('all', ReturnConsumedCapacity='TOTAL')['ConsumedCapacity'].keys() == {'TableName', 'CapacityUnits'}
    # A fetch costs a read of each item.
    assert units(query('local', 'p = :p AND t = :t', Select='ALL_ATTRIBUTES', **wanted)) == (1.5, 1, 0.5)
    assert units(query('local', ProjectionExpression='y', **wanted)) == (2.5, 2, 0.5)
    assert units(query('local', ProjectionExpression='y', ConsistentRead=True, **wanted)) == (5, 4, 1)
    assert units(scan('keys', **wanted)) == (0.5, 0, 0.5)


@pytest.fixture(scope='module')
def large(client, make_table):
    """Ten items of some 200 KB under one key of each index."""
    name = make_table(
        AttributeDefinitions=[{'AttributeName': a, 'AttributeType': t} for a, t in zip('psg', 'SNS')],
        KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}, {'AttributeName': 's', 'KeyType': 'RANGE'}],
        GlobalSecondaryIndexes=[index('all', 'g', 's', 'ALL'), index('keys', 'g', 's', 'KEYS_ONLY')],
        LocalSecondaryIndexes=[index('local', 'p', 'g', 'KEYS_ONLY')])
    for n in range(10):
        client.put_item(TableName=name, Item={'p': {'S': 'p'}, 's': {'N': str(n)}, 'g': {'S': 'g'},
                                              'v': {'S': 'v' * 200_000}})
    for i in ('all', 'keys'):
        wait_for(lambda: client.scan(TableName=name, IndexName=i, Select='COUNT')['Count'] > 5, 60 if ON_AWS else 1)
    return name


def test_pages_and_prices_are_of_entries(client, large):
    """1 MB and the 4 KB steps count what the index projects."""
    wanted = {'TableName': large, 'KeyConditionExpression': 'g = :g', 'ReturnConsumedCapacity': 'INDEXES',
              'ExpressionAttributeValues': {':g': {'S': 'g'}}, 'Select': 'COUNT'}
    whole = client.query(IndexName='all', **wanted)
    assert whole['Count'] == 6 and whole['LastEvaluatedKey']['s'] == {'N': '5'}
    assert units(whole) == (146.5, 0, 146.5)        # 6 * (200,000 + 8) bytes, rounded once
    keys = client.query(IndexName='keys', **wanted)
    assert keys['Count'] == 10 and 'LastEvaluatedKey' not in keys
    assert units(keys) == (0.5, 0, 0.5)


@pytest.mark.not_aws
def test_a_fetching_page_is_bounded(client, large):
    """What is fetched counts against 1 MB, too: a page must fit into memory."""
    page = client.query(TableName=large, IndexName='local', KeyConditionExpression='p = :p', Select='ALL_ATTRIBUTES',
                        ExpressionAttributeValues={':p': {'S': 'p'}}, ReturnConsumedCapacity='INDEXES')
    assert page['Count'] == 6 and page['LastEvaluatedKey'].keys() == {'p', 's', 'g'}
    assert units(page) == (6 * 24.5 + 0.5, 6 * 24.5, 0.5)


# ----- filters -----

KEY_IN_FILTER = 'Filter Expression can only contain non-primary key attributes: Primary key attribute: '


@pytest.mark.parametrize('name,filter,expected', [
    ('all', 'x = :x', [3]), ('all', 'p = :p', [1, 3, 5, 7]), ('keys', 's = :one', [1]),
    ('local', 's = :one', [1]), ('local', 'x = :x', [3]), ('local-all', 'y = :y', [3]),
    ('all', 'g = :g', KEY_IN_FILTER + 'g'), ('all', 'x = :x OR y = t', KEY_IN_FILTER + 't'),
    ('many', 'c = :c', KEY_IN_FILTER + 'c'), ('local', 't = :t', KEY_IN_FILTER + 't'),
    ('keys', 'x = :x AND y = :y', INVALID + 'Secondary index keys does not project one or more filter attributes: [x, y]')])
def test_filters_of_query(query, name, filter, expected):
    if isinstance(expected, str):
        with raises(VALIDATION, expected):
            query(name, FilterExpression=filter)
    else:
        assert numbers(query(name, FilterExpression=filter)) == expected


def test_filters_of_scan(scan):
    """May name keys; what the index does not project is absent."""
    assert numbers(scan('all', FilterExpression='g = :g AND t = :t', ExpressionAttributeValues={
        ':g': {'S': 'g'}, ':t': {'N': '1'}})) == [4, 5, 6, 7]
    assert scan('some', FilterExpression='attribute_exists(y)')['Count'] == 0
    assert scan('some', FilterExpression='attribute_exists(x)')['Count'] == 8


def test_nested_paths_into_index_keys(query, scan, client, table):
    text = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: t"
    for call in (lambda: query('keys', ProjectionExpression='t.x'), lambda: scan('all', FilterExpression='attribute_exists(t[0])'),
                 lambda: client.get_item(TableName=table, Key={k: make_item(0)[k] for k in KEYS}, ProjectionExpression='t.x')):
        with raises(VALIDATION, text):
            call()


# ----- order of checks -----

def test_order_of_checks_of_query(check_order, table):
    good = {'TableName': table, 'IndexName': 'some', 'KeyConditionExpression': 't = :t', 'ExpressionAttributeValues': {':t': {'N': '0'}}}
    first = (({'TableName': 'no-such-table'}, 'Requested resource not found'),
             ({'IndexName': 'absent'}, 'The table does not have the specified index: absent'),
             ({'ConsistentRead': True}, 'Consistent reads are not supported on global secondary indexes'),
             ({'ExclusiveStartKey': {'t': {'N': '9'}}}, START_INVALID),
             ({'KeyConditionExpression': 'g = :t'}, 'Query condition missed key schema element: t'),
             ({'ExclusiveStartKey': {'t': {'N': '9'}, 'p': {'S': 'p'}, 's': {'N': '1'}}}, OUTSIDE))
    scalars = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: s"
    check_order('Query', good, *first, ({'ProjectionExpression': 's.x'}, scalars), ({'FilterExpression': 't = :t'}, KEY_IN_FILTER + 't'),
                ({'ProjectionExpression': 'y'}, INVALID + 'Global secondary index some does not project [y]'),
                ({'FilterExpression': 's.x = :t'}, scalars))
    check_order('Query', good, *first, ({'FilterExpression': 't = :t'}, KEY_IN_FILTER + 't'),
                ({'Select': 'ALL_ATTRIBUTES'}, INVALID + 'Select type ALL_ATTRIBUTES is not supported for global secondary index some '
                 'because its projection type is not ALL'),
                ({'FilterExpression': 's.x = :t'}, scalars))


def test_order_of_checks_of_scan(check_order, table):
    segments = {'TotalSegments': 1000000, 'Segment': 0}
    check_order('Scan', {'TableName': table, 'IndexName': 'some', 'ExpressionAttributeValues': {':t': {'N': '0'}}, 'FilterExpression': 'x = :t'},
                ({'TableName': 'no-such-table'}, 'Requested resource not found'),
                ({'IndexName': 'absent'}, 'The table does not have the specified index: absent'),
                ({'ConsistentRead': True}, 'Consistent reads are not supported on global secondary indexes'),
                ({'ExclusiveStartKey': {'t': {'N': '9'}}}, START_INVALID),
                ({'Select': 'ALL_ATTRIBUTES'}, INVALID + 'Select type ALL_ATTRIBUTES is not supported for global secondary index some '
                 'because its projection type is not ALL'),
                ({**segments, 'ExclusiveStartKey': {'t': {'N': '9'}, 'p': {'S': 'p'}, 's': {'N': '1'}}}, f'{START_INVALID}: Invalid '
                 'ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: 1000000 Segment: 0'),
                ({'FilterExpression': 's.x = :t'},
                 "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: s"))


# ----- indexes that are not there -----

def test_absent_index(query, scan):
    for read in (lambda: query('absent', 'x = :x', ConsistentRead=True), lambda: scan('absent')):
        with raises(VALIDATION, 'The table does not have the specified index: absent'):
            read()


# ----- key conditions -----

@pytest.mark.parametrize('condition,expected', [
    ('g = :g AND t = :t', [0, 1, 2, 3]), (':t = t AND a = :a AND g = :g', [0, 3]), ('g = :g AND t = :t AND a > :a', [1, 2]),
    ('g = :g AND t = :t AND a = :a AND b = :one', [3]), ('g = :g AND t = :t AND a = :a AND b BETWEEN :t AND :one', [0, 3]),
    ('g = :g AND t = :t AND a = :a AND b = :one AND begins_with(c, :c)', [3]),
    ('g = :g AND t = :t AND a = :a AND b = :one AND c < :c', [])])
def test_several_attributes(query, condition, expected):
    assert numbers(query('many', condition)) == expected


@pytest.mark.parametrize('name,condition,message', [
    ('many', 'g = :g', 'Query condition missed key schema element: t'),
    ('many', 'g = :g AND t > :t', 'Query key condition not supported'),
    ('many', 'g = :g AND t = :t AND b = :t', 'RANGE key attributes a must have equality conditions specified in the query '
     'because a condition is present on key attribute b'),
    ('many', 'g = :g AND t = :t AND c = :c', 'RANGE key attributes a, b must have equality conditions specified in the query '
     'because a condition is present on key attribute c'),
    ('many', 'g = :g AND t = :t AND a > :a AND b = :t', 'RANGE key attributes a must have equality conditions specified in '
     'the query because a condition is present on key attribute b'),
    ('many', 'g = :g AND t = :t AND x = :t', 'Query condition missed key schema element: a'),
    ('many', 'g = :g AND t = :t AND a = :a AND b = :t AND c = :c AND x = :t',
     'The number of query conditions (6) exceeds the number of key attributes defined in the schema (5)'),
    ('all', 'g = :g AND t = :t AND p = :p',
     'The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)'),
    ('all', 'p = :p AND t = :t', 'Query condition missed key schema element: g'),
    ('all', 'g = :g AND p = :p', 'Query condition missed key schema element: t'),
    ('all', 'g = :t', INVALID + 'Condition parameter type does not match schema type'),
    ('keys', 'g = :g AND t = :t', 'Query key condition not supported')])
def test_key_conditions_that_do_not_fit(query, name, condition, message):
    with raises(VALIDATION, message):
        query(name, condition)


def test_legacy_parameters(client, table):
    equal = lambda v: {'ComparisonOperator': 'EQ', 'AttributeValueList': [v]}
    reply = client.query(TableName=table, IndexName='all', AttributesToGet=['s'],
                         KeyConditions={'g': equal({'S': 'g'}), 't': equal({'N': '1'})},
                         QueryFilter={'x': {'ComparisonOperator': 'GT', 'AttributeValueList': [{'S': 'x5'}]}})
    assert numbers(reply) == [6, 7] and reply['Items'][0].keys() == {'s'}
    with raises(VALIDATION, 'QueryFilter can only contain non-primary key attributes: Primary key attribute: t'):
        client.query(TableName=table, IndexName='all', KeyConditions={'g': equal({'S': 'g'})}, QueryFilter={'t': equal({'N': '1'})})
    with raises(VALIDATION, INVALID + 'Global secondary index some does not project [y]'):
        client.query(TableName=table, IndexName='some', KeyConditions={'t': equal({'N': '1'})}, AttributesToGet=['x', 'y'])


# ----- start keys -----

def start(n=5, **changes):
    item = {**make_item(n), **changes}
    return {a: item[a] for a in (*KEYS, 'g', 't') if item[a] is not None}


@pytest.mark.parametrize('key,of_query,of_scan', [
    (start(s=None), START_INVALID, START_INVALID),
    ({**start(), 'x': {'S': 'x'}}, START_INVALID, START_INVALID),
    ({**start(s=None), 'x': {'S': 'x'}}, START_INVALID, START_INVALID),
    (start(g={'N': '1'}), NOT_SCHEMA, NOT_SCHEMA),
    (start(t={'S': '1'}), NOT_SCHEMA, NOT_SCHEMA),
    (start(s={'S': '1'}), f'{START_INVALID}: {NOT_SCHEMA}', f'{START_INVALID}: {NOT_SCHEMA}'),
    (start(g={'S': 'other'}), OUTSIDE, None),
    (start(t={'N': '0'}), 'The provided starting key does not match the range key predicate', None)])
def test_start_keys_that_do_not_fit(query, scan, key, of_query, of_scan):
    with raises(VALIDATION, of_query):
        query('all', 'g = :g AND t > :t', ExclusiveStartKey=key)
    if of_scan:
        with raises(VALIDATION, of_scan):
            scan('all', ExclusiveStartKey=key)
    else:
        scan('all', ExclusiveStartKey=key)


def test_start_key_need_not_exist(query):
    after = query('all', ExclusiveStartKey=start(t={'N': '0.5'}, p={'S': unique()}))
    assert numbers(after) == [4, 5, 6, 7]
    before = query('all', ExclusiveStartKey=start(t={'N': '0.5'}, p={'S': unique()}), ScanIndexForward=False)
    assert numbers(before) == [0, 1, 2, 3]


def test_last_evaluated_key(query):
    """The index's and the table's keys, each once; also of COUNT and of empty pages."""
    assert query('all', Limit=1)['LastEvaluatedKey'].keys() == {'g', 't', 'p', 's'}
    assert query('some', Limit=1)['LastEvaluatedKey'].keys() == {'t', 'p', 's'}
    assert query('many', Limit=1, Select='COUNT')['LastEvaluatedKey'].keys() == set('gtabcps')
    assert query('local', Limit=4)['LastEvaluatedKey'].keys() == {'p', 't', 's'}
    page = query('all', Limit=3, FilterExpression='x = :p')
    assert page['Items'] == [] and page['ScannedCount'] == 3 and 'LastEvaluatedKey' in page
    assert query('all', ExclusiveStartKey=query('all', Limit=8)['LastEvaluatedKey'])['Count'] == 0


def test_start_key_of_another_segment(scan):
    total = 2
    pages = [scan('keys', Segment=n, TotalSegments=total, Limit=1) for n in range(total)]
    for n, page in enumerate(pages):
        if 'LastEvaluatedKey' not in page:
            continue
        key = page['LastEvaluatedKey']
        scan('keys', Segment=n, TotalSegments=total, ExclusiveStartKey=key)
        with raises(VALIDATION, f'{START_INVALID}: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct '
                    f'Segment. TotalSegments: {total} Segment: {1 - n}'):
            scan('keys', Segment=1 - n, TotalSegments=total, ExclusiveStartKey=key)
