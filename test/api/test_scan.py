"""Scan: paging, segments, filters, Select, capacity, legacy, error texts."""
import concurrent.futures

import pytest

from conftest import raises, unique

VALIDATION = 'ValidationException'
COUNT = 60


@pytest.fixture(scope='module')
def table(client, make_table):
    """60 items in 20 partitions; a is the number, b its parity, odd ones have c."""
    name = make_table('S', 'N')
    items = [{'p': {'S': f'p{n % 20}'}, 's': {'N': str(n)}, 'a': {'N': str(n)},
              'b': {'S': 'even' if n % 2 == 0 else 'odd'},
              **({'c': {'M': {'d': {'L': [{'N': str(n)}]}}}} if n % 2 else {})} for n in range(COUNT)]
    for start in range(0, COUNT, 20):
        client.batch_write_item(RequestItems={
            name: [{'PutRequest': {'Item': item}} for item in items[start:start + 20]]})
    return name


@pytest.fixture
def scan(unchecked_client, table):
    def scan(**parameters):
        return unchecked_client.scan(**{'TableName': table, 'ConsistentRead': True, **parameters})
    return scan


def numbers(reply):
    return [int(item['s']['N']) for item in reply['Items']]


def all_pages(scan, **parameters):
    found, pages = [], 0
    while True:
        reply = scan(**parameters)
        assert reply['Count'] == len(reply['Items'])
        found += numbers(reply)
        pages += 1
        if 'LastEvaluatedKey' not in reply:
            return found, pages
        parameters['ExclusiveStartKey'] = reply['LastEvaluatedKey']


def test_everything(scan):
    reply = scan()
    assert sorted(numbers(reply)) == list(range(COUNT))
    assert reply['Count'] == reply['ScannedCount'] == COUNT
    assert 'LastEvaluatedKey' not in reply


def test_an_empty_table(client, make_table):
    reply = client.scan(TableName=make_table(), ConsistentRead=True, ReturnConsumedCapacity='TOTAL')
    assert (reply['Items'], reply['Count'], reply['ScannedCount']) == ([], 0, 0)
    assert reply['ConsumedCapacity']['CapacityUnits'] == 1


@pytest.mark.parametrize('limit', [1, 7, 20, 60])
def test_pages(scan, limit):
    found, pages = all_pages(scan, Limit=limit)
    assert sorted(found) == list(range(COUNT))
    # A page that ends exactly at Limit says that there may be more.
    assert pages == COUNT // limit + 1


def test_start_key_without_an_item(scan):
    """Whatever its place, the items before and after it are all."""
    first = scan(Limit=30)
    start = {**first['LastEvaluatedKey'], 's': {'N': first['LastEvaluatedKey']['s']['N'] + '.5'}}
    rest = scan(ExclusiveStartKey=start)
    assert sorted(numbers(first) + numbers(rest)) == list(range(COUNT))


def test_pages_over_the_longest_keys(client, make_table):
    """Partition keys that differ behind their 1600th byte, one item a page."""
    import random
    random.seed(11)
    name = make_table('B', 'B')
    start = random.randbytes(2040)
    keys = {(start + random.randbytes(8), random.randbytes(1024)) for _ in range(5)}
    keys |= {(start + b'12345678', random.randbytes(1024)) for _ in range(5)}
    for p, s in keys:
        client.put_item(TableName=name, Item={'p': {'B': p}, 's': {'B': s}})
    found, parameters = [], {}
    while True:
        reply = client.scan(TableName=name, Limit=1, ConsistentRead=True, **parameters)
        found += [(item['p']['B'], item['s']['B']) for item in reply['Items']]
        if 'LastEvaluatedKey' not in reply:
            break
        parameters['ExclusiveStartKey'] = reply['LastEvaluatedKey']
    assert sorted(found) == sorted(keys)


def test_items_of_a_partition_stand_together_in_order(scan):
    seen = {}
    for item in scan()['Items']:
        seen.setdefault(item['p']['S'], []).append(int(item['s']['N']))
    assert all(values == sorted(values) for values in seen.values())
    assert len(seen) == 20


def test_filter(scan):
    reply = scan(FilterExpression='b = :b', ExpressionAttributeValues={':b': {'S': 'odd'}})
    assert sorted(numbers(reply)) == list(range(1, COUNT, 2))
    assert (reply['Count'], reply['ScannedCount']) == (30, COUNT)
    # Unlike Query, Scan may filter on keys.
    reply = scan(FilterExpression='p = :p AND s > :s',
                 ExpressionAttributeValues={':p': {'S': 'p7'}, ':s': {'N': '10'}})
    assert sorted(numbers(reply)) == [27, 47]
    reply = scan(FilterExpression='c.d[0] IN (:a, :b)', ExpressionAttributeValues={':a': {'N': '3'}, ':b': {'N': '4'}})
    assert numbers(reply) == [3]


def test_filter_after_limit(scan):
    reply = scan(FilterExpression='attribute_exists(zz)', Limit=10)
    assert (reply['Items'], reply['Count'], reply['ScannedCount']) == ([], 0, 10)
    assert 'LastEvaluatedKey' in reply


def test_projection_and_select(scan):
    reply = scan(ProjectionExpression='c.d[0], #a', ExpressionAttributeNames={'#a': 'zz'})
    assert sorted(len(item) for item in reply['Items']) == [0] * 30 + [1] * 30
    reply = scan(Select='COUNT', FilterExpression='b = :b', ExpressionAttributeValues={':b': {'S': 'odd'}})
    assert 'Items' not in reply and (reply['Count'], reply['ScannedCount']) == (30, COUNT)
    assert scan(Select='ALL_ATTRIBUTES')['Count'] == COUNT
    assert scan(Select='SPECIFIC_ATTRIBUTES', AttributesToGet=['s'])['Items'][0].keys() == {'s'}


@pytest.mark.parametrize('parameters,message', [
    ({'Select': 'SPECIFIC_ATTRIBUTES'},
     'Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES'),
    ({'Select': 'ALL_PROJECTED_ATTRIBUTES'},
     'ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName'),
    ({'Select': 'COUNT', 'AttributesToGet': ['a']},
     'Cannot specify the AttributesToGet when choosing to get COUNT'),
    ({'IndexName': 'nothing'}, 'The table does not have the specified index: nothing'),
    ({'ProjectionExpression': 's[0]'},
     "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: s"),
    ({'FilterExpression': 'attribute_exists(p.x)'},
     "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: p"),
    ({'Limit': 0},
     "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: "
     'Member must have value greater than or equal to 1'),
    ({'FilterExpression': ''}, 'Invalid FilterExpression: The expression can not be empty;'),
    ({'FilterExpression': 'a = :zz'},
     'Invalid FilterExpression: An expression attribute value used in expression is not defined; attribute value: :zz'),
    ({'ExpressionAttributeValues': {':a': {'S': 'x'}}},
     'ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null'),
    ({'ExpressionAttributeNames': {'#a': 'x'}},
     'ExpressionAttributeNames can only be specified when using expressions'),
    ({'ScanFilter': {}, 'ProjectionExpression': 'a'},
     'Can not use both expression and non-expression parameters in the same request: '
     'Non-expression parameters: {ScanFilter} Expression parameters: {ProjectionExpression}'),
    ({'AttributesToGet': ['a'], 'ScanFilter': {}, 'ConditionalOperator': 'OR', 'FilterExpression': 'a = a'},
     'Can not use both expression and non-expression parameters in the same request: '
     'Non-expression parameters: {AttributesToGet, ScanFilter, ConditionalOperator} '
     'Expression parameters: {FilterExpression}'),
])
def test_errors(scan, parameters, message):
    with raises(VALIDATION, message):
        scan(**parameters)


@pytest.mark.parametrize('parameters', [{'Limit': 2 ** 31 - 1}, {'Segment': 999999, 'TotalSegments': 1000000}, {'Segment': 0, 'TotalSegments': 1}])
def test_largest_numbers(scan, parameters):
    assert scan(**parameters)['Count'] in (0, COUNT)


def test_missing_table(scan):
    with raises('ResourceNotFoundException', 'Requested resource not found'):
        scan(TableName=unique('absent-'))
    with raises(VALIDATION, 'Invalid FilterExpression: Syntax error; token: "!", near: "!"'):
        scan(TableName=unique('absent-'), FilterExpression='!')


def test_member_constraints_are_collected(unchecked_client):
    with raises(VALIDATION, '4 validation errors detected: '
                "Value 'x' at 'select' failed to satisfy constraint: Member must satisfy enum value set: "
                '[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]; '
                "Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1; "
                "Value '-1' at 'segment' failed to satisfy constraint: Member must have value greater than or equal to 0; "
                "Value '-1' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"):
        unchecked_client.scan(TableName='', Select='x', Segment=-1, Limit=-1)


# ----- start keys -----

@pytest.mark.parametrize('start,message', [
    ({}, 'The provided key element does not match the schema'),
    ({'p': {'S': 'x'}}, 'The provided key element does not match the schema'),
    ({'p': {'S': 'x'}, 's': {'S': '1'}}, 'The provided key element does not match the schema'),
    ({'p': {'S': 'x'}, 's': {'N': '1'}, 'x': {'N': '1'}}, 'The provided key element does not match the schema'),
    ({'p': {'S': 'x'}, 's': {}},
     'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes'),
])
def test_start_key_errors(scan, start, message):
    with raises(VALIDATION, 'The provided starting key is invalid: ' + message):
        scan(ExclusiveStartKey=start)


@pytest.mark.parametrize('value,message', [
    ({'N': 'dog'}, 'The parameter cannot be converted to a numeric value: dog'),
    ({'NS': []}, 'One or more parameter values were invalid: An number set  may not be empty'),
    ({'SS': ['a', 'a']},
     'One or more parameter values were invalid: Input collection [a, a] contains duplicates.'),
    ({'BS': [b'b', b'b']},
     'One or more parameter values were invalid: Input collection [Yg==, Yg==]of type BS contains duplicates.'),
])
def test_start_key_errors_without_prefix(scan, value, message):
    with raises(VALIDATION, message):
        scan(ExclusiveStartKey={'p': {'S': 'x'}, 's': value})


# ----- segments -----

@pytest.mark.parametrize('total', [1, 2, 3, 7, 100])
def test_segments_are_disjoint_and_complete(scan, total):
    found = []
    for segment in range(total):
        part, _ = all_pages(scan, Segment=segment, TotalSegments=total, Limit=5)
        found += part
    assert sorted(found) == list(range(COUNT))


def test_the_most_segments(scan):
    assert scan(Segment=999_999, TotalSegments=1_000_000)['Count'] >= 0


def test_segments_in_parallel(client, make_table):
    name = make_table()
    keys = {unique('k') for _ in range(200)}
    batches = sorted(keys)
    for start in range(0, len(batches), 25):
        client.batch_write_item(RequestItems={name: [
            {'PutRequest': {'Item': {'p': {'S': key}}}} for key in batches[start:start + 25]]})

    def one(segment):
        pages = client.get_paginator('scan').paginate(
            TableName=name, ConsistentRead=True, Segment=segment, TotalSegments=8,
            PaginationConfig={'PageSize': 10})
        return [item['p']['S'] for page in pages for item in page['Items']]

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        parts = list(threads.map(one, range(8)))
    assert sorted(key for part in parts for key in part) == batches
    # A hash spreads: of 200 keys no segment has nothing, none has half.
    assert all(0 < len(part) < 100 for part in parts)


@pytest.mark.parametrize('parameters,message', [
    ({'Segment': 0}, 'The TotalSegments parameter is required but was not present in the request when Segment '
                     'parameter is present'),
    ({'TotalSegments': 2}, 'The Segment parameter is required but was not present in the request when parameter '
                           'TotalSegments is present'),
    ({'Segment': 5, 'TotalSegments': 5},
     'The Segment parameter is zero-based and must be less than parameter TotalSegments: '
     'Segment: 5 is not less than TotalSegments: 5'),
    ({'Segment': -1, 'TotalSegments': 5},
     "1 validation error detected: Value '-1' at 'segment' failed to satisfy constraint: "
     'Member must have value greater than or equal to 0'),
    ({'Segment': 0, 'TotalSegments': 0},
     "1 validation error detected: Value at 'totalSegments' failed to satisfy constraint: "
     'Member must have value between 1 and 1000000'),
    ({'Segment': 0, 'TotalSegments': 1000001},
     "1 validation error detected: Value at 'totalSegments' failed to satisfy constraint: "
     'Member must have value between 1 and 1000000'),
])
def test_segment_errors(scan, parameters, message):
    with raises(VALIDATION, message):
        scan(**parameters)


def test_start_key_of_another_segment(scan):
    for segment in range(4):
        reply = scan(Segment=segment, TotalSegments=4, Limit=1)
        if 'LastEvaluatedKey' not in reply:
            continue
        other = (segment + 1) % 4
        with raises(VALIDATION, 'The provided starting key is invalid: Invalid ExclusiveStartKey. Please use '
                                'ExclusiveStartKey with correct Segment. '
                                f'TotalSegments: 4 Segment: {other}'):
            scan(Segment=other, TotalSegments=4, ExclusiveStartKey=reply['LastEvaluatedKey'])


# ----- sizes and capacity -----

def test_a_page_is_one_megabyte(client, make_table):
    name = make_table()
    for n in range(5):
        client.put_item(TableName=name, Item={'p': {'S': f'{n}'}, 'a': {'S': 'x' * 299_997}})
    parameters = {'TableName': name, 'ConsistentRead': True, 'ReturnConsumedCapacity': 'TOTAL'}
    first = client.scan(**parameters)
    assert first['Count'] == 4 and 'LastEvaluatedKey' in first
    assert first['ConsumedCapacity']['CapacityUnits'] == -(-4 * 300_000 // 4096)
    counted = client.scan(**parameters, Select='COUNT', FilterExpression='attribute_not_exists(p)')
    assert (counted['Count'], counted['ScannedCount']) == (0, 4)
    assert counted['ConsumedCapacity'] == first['ConsumedCapacity']
    second = client.scan(**parameters, ExclusiveStartKey=first['LastEvaluatedKey'])
    assert second['Count'] == 1 and 'LastEvaluatedKey' not in second


def test_capacity(client, scan, make_table, table):
    assert scan(ReturnConsumedCapacity='TOTAL')['ConsumedCapacity'] == {'TableName': table, 'CapacityUnits': 1}
    reply = scan(ReturnConsumedCapacity='INDEXES', ConsistentRead=False)
    assert reply['ConsumedCapacity'] == {'TableName': table, 'CapacityUnits': 0.5, 'Table': {'CapacityUnits': 0.5}}
    # The service charges the Scan of a table with one item more.
    name = make_table()
    client.put_item(TableName=name, Item={'p': {'S': 'x'}})
    for consistent, units in ((False, 2), (True, 4)):
        reply = client.scan(TableName=name, ConsistentRead=consistent, ReturnConsumedCapacity='TOTAL')
        assert reply['ConsumedCapacity']['CapacityUnits'] == units


# ----- legacy -----

@pytest.mark.parametrize('filter,operator,expected', [
    ({'b': ('EQ', {'S': 'odd'})}, None, range(1, COUNT, 2)),
    ({'a': ('LT', {'N': '5'}), 'b': ('EQ', {'S': 'odd'})}, None, [1, 3]),
    ({'a': ('LT', {'N': '5'}), 'b': ('EQ', {'S': 'odd'})}, 'OR', [0, 2, 4, *range(1, COUNT, 2)]),
    ({'s': ('GE', {'N': '58'})}, None, [58, 59]),
    ({'p': ('BEGINS_WITH', {'S': 'p19'})}, None, [19, 39, 59]),
    ({'c': ('NULL',)}, None, range(0, COUNT, 2)),
    ({'c': ('NOT_NULL',)}, None, range(1, COUNT, 2)),
    ({'a': ('IN', {'N': '3'}, {'N': '4.0'})}, None, [3, 4]),
    ({'a': ('BETWEEN', {'N': '3'}, {'N': '5'})}, None, [3, 4, 5]),
    ({'a': ('NE', {'N': '3'}), 's': ('LE', {'N': '4'})}, 'AND', [0, 1, 2, 4]),
    ({}, None, range(COUNT)),
])
def test_scan_filter(scan, filter, operator, expected):
    conditions = {name: {'ComparisonOperator': op, **({'AttributeValueList': values} if values else {})}
                  for name, (op, *values) in filter.items()}
    reply = scan(ScanFilter=conditions, **({'ConditionalOperator': operator} if operator else {}))
    assert sorted(numbers(reply)) == sorted(expected)
    assert reply['ScannedCount'] == COUNT


def test_attributes_to_get(scan):
    assert all(item.keys() == {'a'} for item in scan(AttributesToGet=['a', 'zz'])['Items'])


def test_conditional_operator_needs_a_filter(scan):
    for more in ({}, {'ScanFilter': {}}):
        with raises(VALIDATION) as caught:
            scan(ConditionalOperator='OR', **more)
        assert 'ConditionalOperator' in caught.value.response['Error']['Message']
