"""Query: key conditions, filters, Select, paging, capacity, legacy, error texts."""
import re

import pytest

from conftest import raises, unique

VALIDATION = 'ValidationException'
NAMES = [f'{n:03}' for n in range(1, 21)]


@pytest.fixture(scope='module')
def partition(client, table_ss):
    """A partition with the sort keys 001 .. 020; a is the number, b its parity."""
    p = unique()
    for start in range(0, 20, 10):
        client.batch_write_item(RequestItems={table_ss: [
            {'PutRequest': {'Item': {'p': {'S': p}, 's': {'S': s}, 'a': {'N': s},
                                     'b': {'S': 'even' if int(s) % 2 == 0 else 'odd'}}}}
            for s in NAMES[start:start + 10]]})
    return p


@pytest.fixture
def query(unchecked_client, table_ss, partition):
    """query(...) on that partition; condition and values add to p = :p."""
    def query(condition='', values=None, **parameters):
        return unchecked_client.query(**{
            'TableName': table_ss, 'ConsistentRead': True,
            'KeyConditionExpression': 'p = :p' + condition,
            'ExpressionAttributeValues': {':p': {'S': partition}, **(values or {})},
            **parameters})
    return query


def sorts(reply):
    return [item['s'].get('S', item['s'].get('N')) for item in reply['Items']]


# ----- key conditions -----

@pytest.mark.parametrize('condition,expected', [
    ('', NAMES),
    (' AND s = :a', ['005']),
    (' AND s < :a', NAMES[:4]),
    (' AND s <= :a', NAMES[:5]),
    (' AND s > :b', NAMES[8:]),
    (' AND s >= :b', NAMES[7:]),
    (' AND s BETWEEN :a AND :b', NAMES[4:8]),
    (' AND begins_with(s, :z)', NAMES[9:19]),
    (' AND :a >= s', NAMES[:5]),
    (' AND :b < s', NAMES[8:]),
    (' AND :a = s', ['005']),
    (' AND (s = :a)', ['005']),
])
def test_sort_conditions(query, condition, expected):
    values = {k: {'S': v} for k, v in ((':a', '005'), (':b', '008'), (':z', '01')) if k in condition}
    reply = query(condition, values)
    assert sorts(reply) == expected
    assert reply['Count'] == reply['ScannedCount'] == len(expected)
    assert 'LastEvaluatedKey' not in reply
    assert sorts(query(condition, values, ScanIndexForward=False)) == expected[::-1]


def test_clauses_in_any_order(query, partition):
    reply = query(KeyConditionExpression='s < :a AND #p = :p', ExpressionAttributeNames={'#p': 'p'},
                  values={':a': {'S': '003'}})
    assert sorts(reply) == ['001', '002']


def test_nothing_there(query):
    reply = query(values={':p': {'S': unique()}})
    assert (reply['Items'], reply['Count'], reply['ScannedCount']) == ([], 0, 0)


def test_numbers_are_ordered_as_numbers(client, table_sn):
    p = {'S': unique()}
    numbers = ['-1000', '-7.5', '-0.001', '0', '0.00000001', '2', '10', '99.9', '1000000000000000000000']
    for n in reversed(numbers):
        client.put_item(TableName=table_sn, Item={'p': p, 's': {'N': n}})

    def run(condition='', **values):
        return sorts(client.query(
            TableName=table_sn, KeyConditionExpression='p = :p' + condition, ConsistentRead=True,
            ExpressionAttributeValues={':p': p, **{f':{k}': {'N': v} for k, v in values.items()}}))

    assert run() == numbers
    assert run(' AND s BETWEEN :a AND :b', a='-7.50', b='2e0') == numbers[1:6]
    assert run(' AND s > :a', a='10.0') == numbers[7:]
    assert run(' AND s = :a', a='1e21') == numbers[-1:]


def test_binaries_are_ordered_as_unsigned_bytes(client, table_sb):
    p = {'S': unique()}
    keys = [b'\x00', b'\x00\x00', b'\x01', b'a', b'a\x00', b'a\xff', b'b', b'\x7f', b'\x80', b'\xfe\xff',
            b'\xff', b'\xff\x00', b'\xff\xff', b'\xff\xff\x01']
    for key in reversed(keys):
        client.put_item(TableName=table_sb, Item={'p': p, 's': {'B': key}})

    def run(condition, *values):
        reply = client.query(
            TableName=table_sb, KeyConditionExpression='p = :p' + condition, ConsistentRead=True,
            ExpressionAttributeValues={':p': p, **{f':{i}': {'B': v} for i, v in enumerate(values)}})
        return [item['s']['B'] for item in reply['Items']]

    assert run('') == keys
    for prefix in (b'a', b'\x00', b'\xff', b'\xff\xff', b'\xfe', b'c'):
        assert run(' AND begins_with(s, :0)', prefix) == [k for k in keys if k.startswith(prefix)]
    assert run(' AND s > :0', b'a\xff') == keys[6:]


def test_strings_are_ordered_as_utf8(client, table_ss):
    p = {'S': unique()}
    keys = ['A', 'Z', 'a', 'a\0', 'a b', 'z', 'é', 'é!', '€', '豈', '\U0001f600']
    for key in reversed(keys):
        client.put_item(TableName=table_ss, Item={'p': p, 's': {'S': key}})
    reply = client.query(TableName=table_ss, KeyConditionExpression='p = :p', ConsistentRead=True,
                         ExpressionAttributeValues={':p': p})
    assert sorts(reply) == keys == sorted(keys, key=lambda k: k.encode())


def test_the_longest_keys(client, table_sb):
    """Keys of 2048 and 1024 bytes that no compression makes shorter."""
    import random
    random.seed(7)
    p = ''.join(random.choice('abcdefghijklmnopqrstuvwxyz0123456789') for _ in range(2048))
    twin = p[:-1] + '!'
    s = [bytes([i]) + random.randbytes(1023) for i in range(5)]
    for key in s:
        for partition in (p, twin):
            client.put_item(TableName=table_sb, Item={'p': {'S': partition}, 's': {'B': key}})
    reply = client.query(TableName=table_sb, KeyConditionExpression='p = :p AND s >= :s', ConsistentRead=True,
                         ExpressionAttributeValues={':p': {'S': p}, ':s': {'B': s[1]}}, Limit=2)
    assert [item['s']['B'] for item in reply['Items']] == s[1:3]
    assert reply['Items'][0]['p']['S'] == p
    reply = client.query(TableName=table_sb, KeyConditionExpression='p = :p AND s >= :s', ConsistentRead=True,
                         ExpressionAttributeValues={':p': {'S': p}, ':s': {'B': s[1]}},
                         ExclusiveStartKey=reply['LastEvaluatedKey'])
    assert [item['s']['B'] for item in reply['Items']] == s[3:]
    assert client.get_item(TableName=table_sb, ConsistentRead=True,
                           Key={'p': {'S': twin}, 's': {'B': s[0]}})['Item']['p']['S'] == twin


S, N, B = {'S': 'x'}, {'N': '1'}, {'B': b'x'}
KIND = 'Invalid KeyConditionExpression: '
CONDITION = 'Invalid condition in KeyConditionExpression: '


@pytest.mark.parametrize('expression,values,message', [
    ('p = :p OR s = :a', {':a': S}, 'Invalid operator used in KeyConditionExpression: OR'),
    ('p = :p AND NOT s = :a', {':a': S}, 'Invalid operator used in KeyConditionExpression: NOT'),
    ('p = :p AND s IN (:a)', {':a': S}, 'Invalid operator used in KeyConditionExpression: IN'),
    ('p = :p AND s <> :a', {':a': S}, 'Invalid operator used in KeyConditionExpression: <>'),
    ('p = :p AND contains(s, :a)', {':a': S}, 'Invalid operator used in KeyConditionExpression: contains'),
    ('p = :p AND attribute_exists(s)', {}, 'Invalid operator used in KeyConditionExpression: attribute_exists'),
    ('p = :p AND size(s) = :a', {':a': N}, 'KeyConditionExpressions cannot contain nested operations'),
    ('p = :p AND :a BETWEEN s AND :b', {':a': S, ':b': S},
     CONDITION + 'BETWEEN operator must have the key attribute as its first operand'),
    ('p = :p AND begins_with(:a, s)', {':a': S},
     CONDITION + 'begins_with operator must have the key attribute as its first operand'),
    ('p = :p AND s = p', {}, CONDITION + 'Multiple attribute names used in one condition'),
    ('p = :p AND s.x = :a', {':a': S},
     KIND + 'KeyConditionExpressions cannot have conditions on nested attributes'),
    ('p = :p AND :a = :b', {':a': S, ':b': S}, CONDITION + 'No key attribute specified'),
    ('p = :p AND p = :a', {':a': S}, 'KeyConditionExpressions must only contain one condition per key'),
    ('p = :p AND begins_with(s, :a)', {':a': N},
     KIND + 'Incorrect operand type for operator or function; operator or function: begins_with, operand type: N'),
    ('p = :p AND s BETWEEN :a AND :b', {':a': {'S': 'b'}, ':b': {'S': 'a'}},
     KIND + 'The BETWEEN operator requires upper bound to be greater than or equal to lower bound; '
     'lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}'),
    ('p = :p AND s = :a AND x = :a', {':a': S}, 'Conditions can be of length 1 or 2 only'),
    ('s = :p', {}, 'Query condition missed key schema element: p'),
    ('p = :p AND x = :a', {':a': S}, 'Query condition missed key schema element: s'),
    ('p > :p', {}, 'Query key condition not supported'),
    ('begins_with(p, :p)', {}, 'Query key condition not supported'),
    ('p = :p AND s = :a', {':a': N},
     'One or more parameter values were invalid: Condition parameter type does not match schema type'),
    ('p = :p AND s = :zz', {},
     KIND + 'An expression attribute value used in expression is not defined; attribute value: :zz'),
    ('p = :p AND #n = :p', {},
     KIND + 'An expression attribute name used in the document path is not defined; attribute name: #n'),
    ('', {}, KIND + 'The expression can not be empty;'),
    ('p = :p AND', {}, KIND + 'Syntax error; token: "<EOF>", near: "AND"'),
    ('((p = :p))', {}, KIND + 'The expression has redundant parentheses;'),
])
def test_key_condition_errors(query, expression, values, message):
    with raises(VALIDATION, message):
        query(values=values, KeyConditionExpression=expression)


def test_hash_only_table(client, table_s):
    p = {'S': unique()}
    client.put_item(TableName=table_s, Item={'p': p, 'a': {'N': '1'}})
    parameters = {'TableName': table_s, 'ConsistentRead': True}
    reply = client.query(KeyConditionExpression='p = :p', ExpressionAttributeValues={':p': p}, **parameters)
    assert reply['Count'] == 1
    with raises(VALIDATION, 'Query key condition not supported'):
        client.query(KeyConditionExpression='p = :p AND a = :a', **parameters,
                     ExpressionAttributeValues={':p': p, ':a': {'N': '1'}})
    with raises(VALIDATION, 'The provided exclusive start key is invalid: ExclusiveStartKey: '
                            '{p=AttributeValue: {S:%s}}' % p['S']):
        client.query(KeyConditionExpression='p = :p', ExpressionAttributeValues={':p': p},
                     ExclusiveStartKey={'p': p}, **parameters)


def test_no_key_condition(unchecked_client, table_ss):
    with raises(VALIDATION,
                'Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.'):
        unchecked_client.query(TableName=table_ss)


def test_a_number_key_in_another_spelling(client, table_n):
    client.put_item(TableName=table_n, Item={'p': {'N': '7010'}, 'a': {'S': 'x'}})
    reply = client.query(TableName=table_n, KeyConditionExpression='p = :p', ConsistentRead=True,
                         ExpressionAttributeValues={':p': {'N': '7.010e3'}})
    assert reply['Items'][0]['p'] == {'N': '7010'}


# ----- filters, projections, Select -----

def test_filter(query):
    reply = query(values={':even': {'S': 'even'}}, FilterExpression='b = :even')
    assert sorts(reply) == NAMES[1::2]
    assert (reply['Count'], reply['ScannedCount']) == (10, 20)
    reply = query(values={':n': {'N': '3'}}, FilterExpression='a <= :n', Limit=4)
    assert (sorts(reply), reply['ScannedCount'], reply['LastEvaluatedKey']['s']) == (
        ['001', '002', '003'], 4, {'S': '004'})


def test_a_filtered_page_may_be_empty(query):
    reply = query(values={':n': {'N': '3'}}, FilterExpression='a > :n', Limit=3)
    assert (reply['Items'], reply['Count'], reply['ScannedCount']) == ([], 0, 3)
    assert reply['LastEvaluatedKey']['s'] == {'S': '003'}


@pytest.mark.parametrize('filter,key', [('s = :a', 's'), ('p = :a', 'p'), (':a < s', 's'),
                                        ('b = :a AND attribute_exists(p)', 'p')])
def test_filter_on_keys_is_refused(query, filter, key):
    with raises(VALIDATION, 'Filter Expression can only contain non-primary key attributes: '
                            f'Primary key attribute: {key}'):
        query(values={':a': {'S': 'x'}}, FilterExpression=filter)


def test_projection(query):
    reply = query(' AND s = :s', {':s': {'S': '003'}}, ProjectionExpression='a, zz')
    assert reply['Items'] == [{'a': {'N': '3'}}]
    reply = query(' AND s = :s', {':s': {'S': '003'}}, ProjectionExpression='zz')
    assert reply['Items'] == [{}]
    with raises(VALIDATION, "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
                            'allowed: Key: p'):
        query(ProjectionExpression='p.x')


def test_select(query):
    reply = query(Select='COUNT')
    assert 'Items' not in reply and reply['Count'] == 20
    reply = query(Select='COUNT', Limit=5)
    assert reply['Count'] == 5 and reply['LastEvaluatedKey']['s'] == {'S': '005'}
    assert len(query(Select='ALL_ATTRIBUTES')['Items'][0]) == 4
    assert query(Select='SPECIFIC_ATTRIBUTES', ProjectionExpression='s')['Items'][0] == {'s': {'S': '001'}}


@pytest.mark.parametrize('parameters,message', [
    ({'Select': 'ALL_PROJECTED_ATTRIBUTES'},
     'ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName'),
    ({'Select': 'SPECIFIC_ATTRIBUTES'},
     '1 validation error detected: Must specify the AttributesToGet or ProjectionExpression when choosing to get '
     'SPECIFIC_ATTRIBUTES'),
    ({'Select': 'COUNT', 'ProjectionExpression': 'a'},
     'Cannot specify the ProjectionExpression when choosing to get COUNT'),
    ({'Select': 'ALL_ATTRIBUTES', 'ProjectionExpression': 'a'},
     'Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES'),
    ({'Select': 'count'},
     "1 validation error detected: Value 'count' at 'select' failed to satisfy constraint: Member must satisfy enum "
     'value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]'),
])
def test_select_errors(query, parameters, message):
    with raises(VALIDATION, message):
        query(**parameters)


# ----- paging -----

@pytest.mark.parametrize('limit', [1, 3, 7, 20])
@pytest.mark.parametrize('forward', [True, False])
def test_pages(query, limit, forward):
    found, start, pages = [], {}, 0
    while True:
        reply = query(Limit=limit, ScanIndexForward=forward, **start)
        assert len(reply['Items']) <= limit
        found += sorts(reply)
        pages += 1
        if 'LastEvaluatedKey' not in reply:
            break
        assert reply['LastEvaluatedKey'] == {k: reply['Items'][-1][k] for k in ('p', 's')}
        start = {'ExclusiveStartKey': reply['LastEvaluatedKey']}
    assert found == NAMES[::1 if forward else -1]
    # A page that ends exactly at Limit says that there may be more.
    assert pages == 20 // limit + 1


def test_a_limit_above_what_is_there(query):
    assert 'LastEvaluatedKey' not in query(Limit=21)
    assert 'LastEvaluatedKey' not in query(Limit=2**31 - 1)


def test_start_key_without_an_item(query, partition):
    start = {'p': {'S': partition}, 's': {'S': '0055'}}
    assert sorts(query(ExclusiveStartKey=start)) == NAMES[5:]
    assert sorts(query(ExclusiveStartKey=start, ScanIndexForward=False)) == NAMES[:5][::-1]
    assert sorts(query(' AND s BETWEEN :a AND :b', {':a': {'S': '003'}, ':b': {'S': '007'}},
                       ExclusiveStartKey=start)) == ['006', '007']
    assert sorts(query(' AND begins_with(s, :a)', {':a': {'S': '00'}}, ExclusiveStartKey=start,
                       ScanIndexForward=False)) == NAMES[:5][::-1]


@pytest.mark.parametrize('limit', [0, -1])
def test_bad_limit(query, limit):
    with raises(VALIDATION, "1 validation error detected: Value at 'Limit' failed to satisfy constraint: "
                            'Member must have value greater than or equal to 1'):
        query(Limit=limit)


def test_start_key_errors(query, partition):
    p, s = {'S': partition}, {'S': '005'}
    invalid = 'The provided starting key is invalid'
    schema = invalid + ': The provided key element does not match the schema'
    for start, message in [
            ({}, invalid), ({'p': p}, invalid), ({'p': p, 's': s, 'x': s}, invalid), ({'p': p, 'x': s}, invalid),
            ({'p': p, 's': {'N': '1'}}, schema), ({'p': {'B': b'x'}, 's': s}, schema),
            ({'p': {'S': unique()}, 's': s},
             'The provided starting key is outside query boundaries based on provided conditions')]:
        with raises(VALIDATION, message):
            query(ExclusiveStartKey=start)
    with raises(VALIDATION, 'The provided starting key does not match the range key predicate'):
        query(' AND s > :a', {':a': {'S': '010'}}, ExclusiveStartKey={'p': p, 's': s})
    with raises(VALIDATION, invalid + ': Supplied AttributeValue is empty, must contain exactly one of the supported '
                            'datatypes'):
        query(ExclusiveStartKey={'p': p, 's': {}})


def test_a_page_is_one_megabyte(client, table_ss):
    """The item that crosses the line belongs to the page; nothing makes a page longer."""
    p = unique()
    for n in range(8):
        client.put_item(TableName=table_ss, Item={'p': {'S': p}, 's': {'S': str(n)}, 'a': {'S': 'x' * 300_000}})
    parameters = {'TableName': table_ss, 'ConsistentRead': True, 'KeyConditionExpression': 'p = :p',
                  'ExpressionAttributeValues': {':p': {'S': p}}, 'ReturnConsumedCapacity': 'TOTAL'}
    first = client.query(**parameters)
    assert sorts(first) == ['0', '1', '2', '3']
    assert first['LastEvaluatedKey'] == {'p': {'S': p}, 's': {'S': '3'}}
    # The sizes are added up, and rounded once.
    size = 4 * (1 + len(p) + 1 + 1 + 1 + 300_000)
    assert first['ConsumedCapacity']['CapacityUnits'] == -(-size // 4096)
    for narrower in ({'ProjectionExpression': 's'}, {'Select': 'COUNT'},
                     {'FilterExpression': 'attribute_not_exists(a)'}):
        page = client.query(**parameters, **narrower)
        assert page['ScannedCount'] == 4
        assert page['ConsumedCapacity'] == first['ConsumedCapacity']
        assert page['LastEvaluatedKey'] == first['LastEvaluatedKey']
    second = client.query(**parameters, ExclusiveStartKey=first['LastEvaluatedKey'])
    assert sorts(second) == ['4', '5', '6', '7']


# ----- capacity -----

def test_capacity(query, table_ss):
    for consistent, factor in ((True, 1), (False, 0.5)):
        reply = query(ReturnConsumedCapacity='TOTAL', ConsistentRead=consistent)
        assert reply['ConsumedCapacity'] == {'TableName': table_ss, 'CapacityUnits': factor}
        reply = query(ReturnConsumedCapacity='TOTAL', ConsistentRead=consistent, values={':p': {'S': unique()}})
        assert reply['ConsumedCapacity']['CapacityUnits'] == factor
    reply = query(ReturnConsumedCapacity='INDEXES')
    assert reply['ConsumedCapacity'] == {'TableName': table_ss, 'CapacityUnits': 1, 'Table': {'CapacityUnits': 1}}
    assert 'ConsumedCapacity' not in query(ReturnConsumedCapacity='NONE')
    assert 'ConsumedCapacity' not in query()


# ----- order of checks -----

def test_missing_table_and_index(client, query):
    with raises('ResourceNotFoundException', 'Requested resource not found'):
        query(TableName=unique('absent-'))
    with raises(VALIDATION, 'The table does not have the specified index: nothing'):
        query(IndexName='nothing')
    # Expressions are looked at before the table, key conditions against its schema after it.
    with raises(VALIDATION, 'Invalid FilterExpression: Syntax error; token: "!", near: "!"'):
        query(TableName=unique('absent-'), FilterExpression='!')
    with raises('ResourceNotFoundException'):
        query(TableName=unique('absent-'), KeyConditionExpression='x = :p')


def test_order_of_checks(check_order, table_ss):
    values = 'ExpressionAttributeValues'
    check_order('Query', {'TableName': table_ss, 'KeyConditionExpression': 'p = :p', values: {':p': {'S': 'x'}}},
                ({'Select': 'x'}, re.compile("^1 validation error detected: Value 'x' at 'select' ")),
                ({'Limit': 0}, "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1"),
                ({'AttributesToGet': ['a']}, re.compile('^Can not use both expression and non-expression parameters')),
                ({'ExclusiveStartKey': {'p': {'SS': []}}}, 'The provided starting key is invalid: One or more parameter values were invalid: An string set  may not be empty'),
                ({'Select': 'COUNT'}, 'Cannot specify the ProjectionExpression when choosing to get COUNT'),
                ({'Select': None, values: {}}, values + ' must not be empty'),
                ({values: {':p': {'SS': []}}}, re.compile(f'^{values} contains invalid value: ')),
                ({'KeyConditionExpression': 'p ='}, 'Invalid KeyConditionExpression: Syntax error; token: "<EOF>", near: "="'),
                ({'FilterExpression': 'a ='}, 'Invalid FilterExpression: Syntax error; token: "<EOF>", near: "="'),
                ({'ProjectionExpression': 'a,'}, 'Invalid ProjectionExpression: Syntax error; token: "<EOF>", near: ","'),
                ({values: {':p': {'S': 'x'}, ':u': {'S': 'x'}}}, f'Value provided in {values} unused in expressions: keys: {{:u}}'),
                ({'TableName': 'no-such-table'}, 'Requested resource not found'),
                ({'ProjectionExpression': 'p.x'}, re.compile('^Key attributes must be scalars; .*: Key: p$')),
                ({'FilterExpression': 'p = :p'}, 'Filter Expression can only contain non-primary key attributes: Primary key attribute: p'))


OUTSIDE = 'The provided starting key is outside query boundaries based on provided conditions'
NO_MATCH = 'The provided starting key does not match the range key predicate'


@pytest.mark.parametrize('condition,start,message', [
    ('p = :p AND s = :s', ('other', '3'), 'The query can return at most one row and cannot be restarted'),
    ('p = :p AND s = :s', ('other', '4'), OUTSIDE), ('p = :p AND s > :s', ('other', '4'), OUTSIDE), ('p = :p', ('other', '4'), OUTSIDE),
    ('p = :p AND s = :s', ('x', '4'), NO_MATCH), ('p = :p AND s > :s', ('x', '3'), NO_MATCH), ('p = :p AND begins_with(s, :s)', ('x', '2'), NO_MATCH),
    ('p = :p AND s = :s', ('x', '3'), None)])
def test_start_key_and_conditions(client, table_ss, condition, start, message):
    read = lambda: client.query(TableName=table_ss, KeyConditionExpression=condition,
                                ExclusiveStartKey={'p': {'S': start[0]}, 's': {'S': start[1]}},
                                ExpressionAttributeValues={':p': {'S': 'x'}, **({':s': {'S': '3'}} if ':s' in condition else {})})
    if message is None:
        assert read()['Items'] == []
    else:
        with raises(VALIDATION, message):
            read()


def test_member_constraints_are_collected(unchecked_client):
    with raises(VALIDATION, "5 validation errors detected: "
                "Value 'x' at 'select' failed to satisfy constraint: Member must satisfy enum value set: "
                '[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]; '
                "Value 'i' at 'indexName' failed to satisfy constraint: "
                'Member must have length greater than or equal to 3; '
                "Value 'x' at 'returnConsumedCapacity' failed to satisfy constraint: "
                'Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; '
                "Value null at 'tableName' failed to satisfy constraint: Member must not be null; "
                "Value 'x' at 'conditionalOperator' failed to satisfy constraint: "
                'Member must satisfy enum value set: [OR, AND]'):
        unchecked_client.query(Select='x', IndexName='i', ReturnConsumedCapacity='x', ConditionalOperator='x')


def test_placeholders(query):
    with raises(VALIDATION, 'Value provided in ExpressionAttributeValues unused in expressions: keys: {:unused}'):
        query(values={':unused': {'S': 'x'}})
    with raises(VALIDATION, 'Value provided in ExpressionAttributeNames unused in expressions: keys: {#unused}'):
        query(ExpressionAttributeNames={'#unused': 'x'})
    with raises(VALIDATION, 'ExpressionAttributeNames must not be empty'):
        query(ExpressionAttributeNames={})
    with raises(VALIDATION, 'ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must '
                            'contain exactly one of the supported datatypes for key :x'):
        query(values={':x': {}})


# ----- legacy -----

@pytest.fixture
def legacy(unchecked_client, table_ss, partition):
    def legacy(sort=None, **parameters):
        conditions = {'p': {'ComparisonOperator': 'EQ', 'AttributeValueList': [{'S': partition}]}}
        if sort:
            conditions['s'] = {'ComparisonOperator': sort[0], 'AttributeValueList': [{'S': v} for v in sort[1:]]}
        return unchecked_client.query(**{'TableName': table_ss, 'ConsistentRead': True,
                                         'KeyConditions': conditions, **parameters})
    return legacy


@pytest.mark.parametrize('sort,expected', [
    (None, NAMES), (('EQ', '005'), ['005']), (('LT', '003'), NAMES[:2]), (('LE', '003'), NAMES[:3]),
    (('GT', '018'), NAMES[18:]), (('GE', '018'), NAMES[17:]), (('BETWEEN', '003', '005'), NAMES[2:5]),
    (('BEGINS_WITH', '02'), ['020']),
])
def test_key_conditions(legacy, sort, expected):
    assert sorts(legacy(sort)) == expected
    assert sorts(legacy(sort, ScanIndexForward=False)) == expected[::-1]


def test_key_conditions_with_expressions(legacy):
    reply = legacy(FilterExpression='b = :b', ProjectionExpression='s',
                   ExpressionAttributeValues={':b': {'S': 'odd'}})
    assert sorts(reply) == NAMES[::2] and list(reply['Items'][0]) == ['s']


def test_query_filter(legacy):
    def condition(operator, *values):
        return {'ComparisonOperator': operator, **({'AttributeValueList': list(values)} if values else {})}

    odd = condition('EQ', {'S': 'odd'})
    small = condition('LT', {'N': '4'})
    assert sorts(legacy(QueryFilter={'b': odd})) == NAMES[::2]
    assert sorts(legacy(QueryFilter={'b': odd, 'a': small})) == ['001', '003']
    assert sorts(legacy(QueryFilter={'b': odd, 'a': small}, ConditionalOperator='AND')) == ['001', '003']
    assert sorts(legacy(QueryFilter={'b': odd, 'a': small}, ConditionalOperator='OR')) == sorted(NAMES[::2] + ['002'])
    assert sorts(legacy(QueryFilter={})) == NAMES
    # A missing attribute: only NE and NULL hold.
    for operator, values, all_of_them in [
            ('NE', [{'S': 'x'}], True), ('NULL', [], True), ('NOT_NULL', [], False), ('EQ', [{'S': 'x'}], False),
            ('CONTAINS', [{'S': 'x'}], False), ('NOT_CONTAINS', [{'S': 'x'}], False),
            ('LT', [{'S': 'x'}], False), ('IN', [{'S': 'x'}], False), ('BEGINS_WITH', [{'S': 'x'}], False),
            ('BETWEEN', [{'S': 'a'}, {'S': 'x'}], False)]:
        reply = legacy(QueryFilter={'zz': condition(operator, *values)})
        assert reply['Count'] == (20 if all_of_them else 0), operator
    assert sorts(legacy(QueryFilter={'b': condition('IN', {'S': 'odd'}, {'S': 'x'})})) == NAMES[::2]
    assert sorts(legacy(QueryFilter={'b': condition('CONTAINS', {'S': 'ven'})})) == NAMES[1::2]
    assert sorts(legacy(QueryFilter={'b': condition('NOT_CONTAINS', {'S': 'ven'})})) == NAMES[::2]
    assert sorts(legacy(QueryFilter={'a': condition('BETWEEN', {'N': '3'}, {'N': '4'})})) == NAMES[2:4]


def test_attributes_to_get(legacy):
    assert legacy(('EQ', '003'), AttributesToGet=['a', 'zz'])['Items'] == [{'a': {'N': '3'}}]
    assert legacy(('EQ', '003'), AttributesToGet=['a'], Select='SPECIFIC_ATTRIBUTES')['Count'] == 1


ONE_OR_MORE = 'One or more parameter values were invalid: '


@pytest.mark.parametrize('parameters,message', [
    ({'KeyConditionExpression': 'p = :p', 'ExpressionAttributeValues': {':p': {'S': 'x'}}},
     'Can not use both expression and non-expression parameters in the same request: '
     'Non-expression parameters: {KeyConditions} Expression parameters: {KeyConditionExpression}'),
    ({'QueryFilter': {}, 'ProjectionExpression': 'a'},
     'Can not use both expression and non-expression parameters in the same request: '
     'Non-expression parameters: {QueryFilter} Expression parameters: {ProjectionExpression}'),
    ({'AttributesToGet': ['a'], 'FilterExpression': 'attribute_exists(a)'},
     'Can not use both expression and non-expression parameters in the same request: '
     'Non-expression parameters: {AttributesToGet} Expression parameters: {FilterExpression}'),
    ({'QueryFilter': {'s': {'ComparisonOperator': 'NOT_NULL'}}},
     'QueryFilter can only contain non-primary key attributes: Primary key attribute: s'),
    ({'QueryFilter': {'a': {'ComparisonOperator': 'EQ', 'AttributeValueList': [N, N]}}},
     ONE_OR_MORE + 'Invalid number of argument(s) for the EQ ComparisonOperator'),
    ({'QueryFilter': {'a': {'ComparisonOperator': 'IN', 'AttributeValueList': [N, S]}}},
     ONE_OR_MORE + 'AttributeValues inside AttributeValueList must be of same type'),
    ({'QueryFilter': {'a': {'ComparisonOperator': 'LT', 'AttributeValueList': [{'SS': ['x']}]}}},
     ONE_OR_MORE + 'ComparisonOperator LT is not valid for SS AttributeValue type'),
    ({'AttributesToGet': ['a', 'a']}, ONE_OR_MORE + 'Duplicate value in attribute name: a'),
    ({'AttributesToGet': ['a'], 'Select': 'COUNT'}, 'Cannot specify the AttributesToGet when choosing to get COUNT'),
    ({'AttributesToGet': []},
     "1 validation error detected: Value '[]' at 'attributesToGet' failed to satisfy constraint: "
     'Member must have length greater than or equal to 1'),
    ({'KeyConditions': {'p': {'ComparisonOperator': 'XX', 'AttributeValueList': [S]}}},
     "1 validation error detected: Value 'XX' at 'keyConditions.p.member.comparisonOperator' failed to satisfy "
     'constraint: Member must satisfy enum value set: '
     '[IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]'),
    ({'KeyConditions': {}}, 'Conditions can be of length 1 or 2 only'),
    ({'KeyConditions': {'p': {'ComparisonOperator': 'NE', 'AttributeValueList': [S]}}},
     'Attempted conditional constraint is not an indexable operation'),
    ({'KeyConditions': {'p': {'ComparisonOperator': 'GT', 'AttributeValueList': [S]}}},
     'Query key condition not supported'),
    ({'KeyConditions': {'x': {'ComparisonOperator': 'EQ', 'AttributeValueList': [S]}}},
     'Query condition missed key schema element: p'),
    ({'KeyConditions': {'p': {'ComparisonOperator': 'EQ', 'AttributeValueList': [N]}}},
     ONE_OR_MORE + 'Condition parameter type does not match schema type'),
])
def test_legacy_errors(legacy, parameters, message):
    with raises(VALIDATION, message):
        legacy(**parameters)


def test_conditional_operator_needs_a_filter(legacy):
    for more in ({}, {'QueryFilter': {}}):
        with raises(VALIDATION) as caught:
            legacy(ConditionalOperator='OR', **more)
        assert 'ConditionalOperator' in caught.value.response['Error']['Message']
