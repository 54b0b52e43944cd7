"""What operations have in common, through each of them: attribute values of all
types, comparison operators, capacities, collections, and who is in the way.

member_coverage.py says which member no test has touched; those that no test of
one operation has a use for are here.
"""
import json

import pytest

from conftest import raises, unique, wait_for

# One value of each type, which SDKs send and show as it is stored.
VALUES = {
    'S': 'x', 'N': '1', 'B': b'\0\1', 'SS': ['a', 'b'], 'NS': ['1', '2'], 'BS': [b'a', b'b'],
    'M': {'k': {'S': 'v'}}, 'L': [{'N': '1'}], 'NULL': True, 'BOOL': False,
}
ALL = {f'v{type_}': {type_: value} for type_, value in VALUES.items()}
EQUAL_ALL = ' AND '.join(f'{name} = :{name}' for name in ALL)
ARGUMENTS = {f':{name}': value for name, value in ALL.items()}
STATEMENT_ITEM = ', '.join(f"'{name}': ?" for name in ALL)

FALSE = 'attribute_not_exists(p)'
CHANGED = {'S': 'changed'}
FAILED = 'ConditionalCheckFailedException'


def plain(item):
    """Sets have no order."""
    return {name: {t: sorted(v) if t in ('SS', 'NS', 'BS') else v for t, v in value.items()}
            for name, value in item.items()}


@pytest.fixture(scope='module')
def wide(make_table):
    """A table with a local and a global index."""
    return make_table('S', 'S', AttributeDefinitions=[
        {'AttributeName': n, 'AttributeType': 'S'} for n in ('p', 's', 'a', 'g')],
        LocalSecondaryIndexes=[{
            'IndexName': 'local', 'Projection': {'ProjectionType': 'ALL'},
            'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'},
                          {'AttributeName': 'a', 'KeyType': 'RANGE'}]}],
        GlobalSecondaryIndexes=[{
            'IndexName': 'global', 'Projection': {'ProjectionType': 'ALL'},
            'KeySchema': [{'AttributeName': 'g', 'KeyType': 'HASH'}]}])


@pytest.fixture
def stored(client, wide):
    """The key of an item that has all of ALL."""
    key = {'p': {'S': unique()}, 's': {'S': 's'}}
    client.put_item(TableName=wide, Item={**key, **ALL})
    return key


# Each calls one operation and returns the items it answers with.
READS = {
    'get_item': lambda c, t, k: [c.get_item(TableName=t, Key=k)['Item']],
    'query': lambda c, t, k: c.query(
        TableName=t, KeyConditionExpression='p = :p', FilterExpression=EQUAL_ALL,
        ExpressionAttributeValues={**ARGUMENTS, ':p': k['p']})['Items'],
    'scan': lambda c, t, k: c.scan(
        TableName=t, FilterExpression=f'p = :p AND {EQUAL_ALL}', ConsistentRead=True,
        ExpressionAttributeValues={**ARGUMENTS, ':p': k['p']})['Items'],
    'batch_get_item': lambda c, t, k: c.batch_get_item(
        RequestItems={t: {'Keys': [k]}})['Responses'][t],
    'transact_get_items': lambda c, t, k: [r['Item'] for r in c.transact_get_items(
        TransactItems=[{'Get': {'TableName': t, 'Key': k}}])['Responses']],
    'execute_statement': lambda c, t, k: c.execute_statement(
        Statement=f'SELECT * FROM "{t}" WHERE p = ? AND s = ?', Parameters=[k['p'], k['s']],
        ConsistentRead=True)['Items'],
    'batch_execute_statement': lambda c, t, k: [r['Item'] for r in c.batch_execute_statement(
        Statements=[{'Statement': f'SELECT * FROM "{t}" WHERE p = ? AND s = ?',
                     'Parameters': [k['p'], k['s']], 'ConsistentRead': True}])['Responses']],
    'execute_transaction': lambda c, t, k: [r['Item'] for r in c.execute_transaction(
        TransactStatements=[{'Statement': f'SELECT * FROM "{t}" WHERE p = ? AND s = ?',
                             'Parameters': [k['p'], k['s']]}])['Responses']],
    'put_item': lambda c, t, k: [c.put_item(
        TableName=t, Item={**k, **ALL}, ReturnValues='ALL_OLD')['Attributes']],
    'update_item': lambda c, t, k: [c.update_item(
        TableName=t, Key=k, ReturnValues='ALL_NEW', UpdateExpression='SET ' + ', '.join(
            f'{name} = :{name}' for name in ALL),
        ExpressionAttributeValues=ARGUMENTS)['Attributes']],
    'delete_item': lambda c, t, k: [c.delete_item(
        TableName=t, Key=k, ReturnValues='ALL_OLD', ConditionExpression=EQUAL_ALL,
        ExpressionAttributeValues=ARGUMENTS)['Attributes']],
}


@pytest.mark.parametrize('operation', READS)
def test_all_types_come_back(client, wide, stored, operation):
    assert [plain(i) for i in READS[operation](client, wide, stored)] == [{**stored, **ALL}]


def parameters():
    return list(ALL.values())


# Each writes ALL under a new key.
WRITES = {
    'batch_write_item': lambda c, t, k: c.batch_write_item(
        RequestItems={t: [{'PutRequest': {'Item': {**k, **ALL}}}]}),
    'transact_write_items': lambda c, t, k: c.transact_write_items(
        TransactItems=[{'Put': {'TableName': t, 'Item': {**k, **ALL}}}]),
    'execute_statement': lambda c, t, k: c.execute_statement(
        Statement=f"INSERT INTO \"{t}\" VALUE {{'p': ?, 's': ?, {STATEMENT_ITEM}}}",
        Parameters=[k['p'], k['s'], *parameters()]),
    'batch_execute_statement': lambda c, t, k: c.batch_execute_statement(Statements=[
        {'Statement': f"INSERT INTO \"{t}\" VALUE {{'p': ?, 's': ?, {STATEMENT_ITEM}}}",
         'Parameters': [k['p'], k['s'], *parameters()]}]),
    'execute_transaction': lambda c, t, k: c.execute_transaction(TransactStatements=[
        {'Statement': f"INSERT INTO \"{t}\" VALUE {{'p': ?, 's': ?, {STATEMENT_ITEM}}}",
         'Parameters': [k['p'], k['s'], *parameters()]}]),
}


@pytest.mark.parametrize('operation', WRITES)
def test_all_types_are_stored(client, wide, operation):
    key = {'p': {'S': unique()}, 's': {'S': 's'}}
    WRITES[operation](client, wide, key)
    assert plain(client.get_item(TableName=wide, Key=key)['Item']) == {**key, **ALL}


STATEMENT = "UPDATE \"%s\" SET x = 1 WHERE p = ? AND s = ? AND vS = 'no'"

# Each fails for the item that is there, and is asked to show it or (None) not.
FAILURES = {
    'put_item': lambda c, t, k, r: c.put_item(
        TableName=t, Item=k, ConditionExpression=FALSE, **r),
    'update_item': lambda c, t, k, r: c.update_item(
        TableName=t, Key=k, ConditionExpression=FALSE, UpdateExpression='REMOVE x', **r),
    'delete_item': lambda c, t, k, r: c.delete_item(
        TableName=t, Key=k, ConditionExpression='attribute_not_exists(#p)',
        ExpressionAttributeNames={'#p': 'p'}, **r),
    'execute_statement': lambda c, t, k, r: c.execute_statement(
        Statement=STATEMENT % t, Parameters=[k['p'], k['s']], **r),
}
SHOW = {'ALL_OLD': True, 'NONE': False}


@pytest.mark.parametrize('show', SHOW)
@pytest.mark.parametrize('operation', FAILURES)
def test_failed_condition_shows_item(client, wide, stored, operation, show):
    with raises(FAILED, 'The conditional request failed') as caught:
        FAILURES[operation](client, wide, stored, {'ReturnValuesOnConditionCheckFailure': show})
    reply = caught.value.response
    assert plain(reply.get('Item', {})) == ({**stored, **ALL} if SHOW[show] else {})


# The same as actions of a transaction.
CANCELLERS = {
    'Put': lambda k: {'Item': k, 'ConditionExpression': 'vS <> :v',
                      'ExpressionAttributeValues': {':v': {'S': 'x'}}},
    'Delete': lambda k: {'Key': k, 'ConditionExpression': '#v <> :v',
                         'ExpressionAttributeNames': {'#v': 'vS'},
                         'ExpressionAttributeValues': {':v': {'S': 'x'}}},
    'ConditionCheck': lambda k: {'Key': k, 'ConditionExpression': 'attribute_not_exists(#v)',
                                 'ExpressionAttributeNames': {'#v': 'vS'}},
    'Update': lambda k: {'Key': k, 'ConditionExpression': 'attribute_not_exists(#v)',
                         'UpdateExpression': 'REMOVE x', 'ExpressionAttributeNames': {'#v': 'vS'}},
}


def reasons(caught):
    return [(r['Code'], plain(r.get('Item', {})))
            for r in caught.value.response['CancellationReasons']]


@pytest.mark.parametrize('show', SHOW)
@pytest.mark.parametrize('action', CANCELLERS)
def test_cancellation_shows_item(client, wide, stored, action, show):
    with raises('TransactionCanceledException') as caught:
        client.transact_write_items(TransactItems=[{action: {
            'TableName': wide, **CANCELLERS[action](stored),
            'ReturnValuesOnConditionCheckFailure': show}}])
    assert reasons(caught) == [('ConditionalCheckFailed', {**stored, **ALL} if SHOW[show] else {})]


@pytest.mark.parametrize('show', SHOW)
def test_failed_statements_show_item(client, wide, stored, show):
    statement = {'Statement': STATEMENT % wide, 'Parameters': [stored['p'], stored['s']],
                 'ReturnValuesOnConditionCheckFailure': show}
    [response] = client.batch_execute_statement(Statements=[statement])['Responses']
    assert response['Error']['Code'] == 'ConditionalCheckFailed'
    assert 'Item' not in response['Error']      # in a batch never
    with raises('TransactionCanceledException') as caught:
        client.execute_transaction(TransactStatements=[statement])
    assert reasons(caught) == [('ConditionalCheckFailed', {**stored, **ALL} if SHOW[show] else {})]


KEYED = {
    'get_item': lambda c, t, k: c.get_item(TableName=t, Key=k),
    'delete_item': lambda c, t, k: c.delete_item(TableName=t, Key=k),
    'update_item': lambda c, t, k: c.update_item(TableName=t, Key=k),
    'batch_get_item': lambda c, t, k: c.batch_get_item(RequestItems={t: {'Keys': [k]}}),
    'batch_write_item': lambda c, t, k: c.batch_write_item(
        RequestItems={t: [{'DeleteRequest': {'Key': k}}]}),
    'transact_get_items': lambda c, t, k: c.transact_get_items(
        TransactItems=[{'Get': {'TableName': t, 'Key': k}}]),
    'transact_write_items': lambda c, t, k: c.transact_write_items(
        TransactItems=[{'Delete': {'TableName': t, 'Key': k}}]),
    'query': lambda c, t, k: c.query(
        TableName=t, KeyConditionExpression='p = :p', ExpressionAttributeValues={':p': {'S': 'a'}},
        ExclusiveStartKey=k),
    'scan': lambda c, t, k: c.scan(TableName=t, ExclusiveStartKey=k),
}
NOT_A_KEY = 'The provided key element does not match the schema'
OTHER_WORDS = dict.fromkeys(('query', 'scan'), f'The provided starting key is invalid: {NOT_A_KEY}')


@pytest.mark.parametrize('type_', [t for t in VALUES if t != 'S'])
@pytest.mark.parametrize('operation', KEYED)
def test_key_of_another_type(client, wide, operation, type_):
    with pytest.raises(client.exceptions.ClientError) as caught:
        KEYED[operation](client, wide, {'p': {type_: VALUES[type_]}, 's': {'S': 's'}})
    error = caught.value.response
    if operation.startswith('transact'):
        assert error['CancellationReasons'] == [{'Code': 'ValidationError', 'Message': NOT_A_KEY}]
    else:
        assert error['Error'] == {'Code': 'ValidationException',
                                  'Message': OTHER_WORDS.get(operation, NOT_A_KEY)}


# Of an item {'p', 's', 'n': 5, 't': 'abc', 'l': ['abc']}: what holds, and what doesn't.
COMPARISONS = {
    'EQ': (('n', '5'), ('n', '6')), 'NE': (('n', '6'), ('n', '5')),
    'LE': (('n', '5'), ('n', '4')), 'LT': (('n', '6'), ('n', '5')),
    'GE': (('n', '5'), ('n', '6')), 'GT': (('n', '4'), ('n', '5')),
    'BETWEEN': (('n', '4', '6'), ('n', '6', '7')), 'IN': (('n', '1', '5'), ('n', '1', '2')),
    'NULL': (('x',), ('n',)), 'NOT_NULL': (('n',), ('x',)),
    'CONTAINS': (('t', 'b'), ('t', 'x')), 'NOT_CONTAINS': (('t', 'x'), ('t', 'b')),
    'BEGINS_WITH': (('t', 'ab'), ('t', 'b')),
}


def comparison(operator, attribute, *arguments):
    condition = {'ComparisonOperator': operator}
    if arguments:
        condition['AttributeValueList'] = [
            {'N' if attribute == 'n' else 'S': a} for a in arguments]
    return {attribute: condition}


CONDITIONAL = {
    'put_item': lambda c, t, k, e: c.put_item(
        TableName=t, Item={**k, 'n': {'N': '5'}, 't': {'S': 'abc'}}, **e),
    'update_item': lambda c, t, k, e: c.update_item(
        TableName=t, Key=k, AttributeUpdates={'y': {'Action': 'PUT', 'Value': {'N': '1'}}}, **e),
    'delete_item': lambda c, t, k, e: c.delete_item(TableName=t, Key=k, **e),
}


@pytest.mark.parametrize('operator', COMPARISONS)
@pytest.mark.parametrize('operation', CONDITIONAL)
def test_expected(client, wide, operation, operator):
    key = {'p': {'S': unique()}, 's': {'S': 's'}}
    client.put_item(TableName=wide, Item={**key, 'n': {'N': '5'}, 't': {'S': 'abc'}})
    holds, fails = (comparison(operator, *c) for c in COMPARISONS[operator])
    call = CONDITIONAL[operation]
    with raises(FAILED):
        call(client, wide, key, {'Expected': fails})
    # Of one attribute there can be one condition only.
    other = {'p': {'ComparisonOperator': 'NULL'}}
    with raises(FAILED):
        call(client, wide, key, {'Expected': {**holds, **other}, 'ConditionalOperator': 'AND'})
    call(client, wide, key, {'Expected': {**holds, **other}, 'ConditionalOperator': 'OR'})


@pytest.mark.parametrize('operator', COMPARISONS)
def test_filters(client, wide, operator):
    key = {'p': {'S': unique()}, 's': {'S': 's'}}
    client.put_item(TableName=wide, Item={**key, 'n': {'N': '5'}, 't': {'S': 'abc'}})
    equal = {'p': {'ComparisonOperator': 'EQ', 'AttributeValueList': [key['p']]}}
    holds, fails = (comparison(operator, *c) for c in COMPARISONS[operator])
    for filter_, count in (holds, 1), (fails, 0):
        assert client.scan(TableName=wide, ScanFilter={**equal, **filter_})['Count'] == count
        assert client.query(TableName=wide, KeyConditions=equal, QueryFilter=filter_)['Count'] == count


@pytest.mark.parametrize('type_', VALUES)
def test_equal_to_each_type(client, wide, stored, type_):
    """The older conditions take all types, too."""
    name = f'v{type_}'
    condition = {name: {'ComparisonOperator': 'EQ', 'AttributeValueList': [ALL[name]]}}
    equal = {'p': {'ComparisonOperator': 'EQ', 'AttributeValueList': [stored['p']]}}
    assert client.query(TableName=wide, KeyConditions=equal, QueryFilter=condition)['Count'] == 1
    client.update_item(TableName=wide, Key=stored, Expected={name: {'Value': ALL[name]}},
                       AttributeUpdates={name: {'Action': 'PUT', 'Value': ALL[name]}})
    client.delete_item(TableName=wide, Key=stored, Expected={name: {'Value': ALL[name], 'Exists': True}})


# Reads and writes with their price: what the whole costs, and by table and index.
KEY = {'p': {'S': 'price'}, 's': {'S': 's'}}
INDEXED = {**KEY, 'a': {'S': 'a'}, 'g': {'S': 'g'}}
WHERE = 'WHERE p = \'price\' AND s = \'s\''


def index_query(c, t, more, index, attribute):
    return c.query(TableName=t, IndexName=index, KeyConditionExpression=f'{attribute} = :v',
                   ExpressionAttributeValues={':v': INDEXED[attribute]}, **more)


PRICES = {
    # operation: (call, kind of units, its factor, table, local, global)
    'get_item': (lambda c, t, r: c.get_item(TableName=t, Key=KEY, **r), 0.5, None, None),
    'query local': (lambda c, t, r: index_query(c, t, r, 'local', 'p'), 0, 0.5, None),
    'query global': (lambda c, t, r: index_query(c, t, r, 'global', 'g'), 0, None, 0.5),
    'scan local': (lambda c, t, r: c.scan(TableName=t, IndexName='local', **r), 0, 'some', None),
    'put_item': (lambda c, t, r: c.put_item(TableName=t, Item={**INDEXED, 'x': {'S': unique()}}, **r), 1, 1, 1),
    'update_item': (lambda c, t, r: c.update_item(
        TableName=t, Key=KEY, UpdateExpression='SET x = :x',
        ExpressionAttributeValues={':x': {'S': unique()}}, **r), 1, 1, 1),
    'delete_item': (lambda c, t, r: c.delete_item(TableName=t, Key=KEY, **r), 1, 1, 1),
    'batch_get_item': (lambda c, t, r: c.batch_get_item(RequestItems={t: {'Keys': [KEY]}}, **r), 0.5, None, None),
    'batch_write_item': (lambda c, t, r: c.batch_write_item(
        RequestItems={t: [{'DeleteRequest': {'Key': KEY}}]}, **r), 1, 1, 1),
    'transact_get_items': (lambda c, t, r: c.transact_get_items(
        TransactItems=[{'Get': {'TableName': t, 'Key': KEY}}], **r), 2, None, None),
    'transact_write_items': (lambda c, t, r: c.transact_write_items(
        TransactItems=[{'Delete': {'TableName': t, 'Key': KEY}}], **r), 2, 1, 1),
    'execute_statement': (lambda c, t, r: c.execute_statement(
        Statement=f'DELETE FROM "{t}" {WHERE}', **r), 1, 1, 1),
    'batch_execute_statement': (lambda c, t, r: c.batch_execute_statement(
        Statements=[{'Statement': f'DELETE FROM "{t}" {WHERE}'}], **r), 1, 1, 1),
    'execute_transaction': (lambda c, t, r: c.execute_transaction(
        TransactStatements=[{'Statement': f'DELETE FROM "{t}" {WHERE}'}], **r), 2, 1, 1),
    'execute_transaction of reads': (lambda c, t, r: c.execute_transaction(
        TransactStatements=[{'Statement': f'SELECT * FROM "{t}" {WHERE}'}], **r), 2, None, None),
}


@pytest.mark.parametrize('operation', PRICES)
def test_consumed_capacity(client, wide, operation):
    call, table, local, global_ = PRICES[operation]

    def price(detail):
        client.put_item(TableName=wide, Item=INDEXED)
        capacity = call(client, wide, {'ReturnConsumedCapacity': detail}).get('ConsumedCapacity')
        return capacity[0] if isinstance(capacity, list) else capacity

    assert not price('NONE')
    total, detailed = price('TOTAL'), price('INDEXES')
    assert total['TableName'] == wide
    assert {k: v for k, v in detailed.items() if k in total} == total
    arms = [detailed['Table']['CapacityUnits'],
            *(detailed.get(f'{kind}SecondaryIndexes', {}).get(kind.lower(), {}).get('CapacityUnits')
              for kind in ('Local', 'Global'))]
    if local == 'some':
        assert arms[1] >= 0.5
    else:
        assert arms == [table, local, global_]
    assert total['CapacityUnits'] == sum(arm or 0 for arm in arms)
    # Transactions alone say which units these are.
    if 'transact' in operation:
        kind = 'ReadCapacityUnits' if operation in (
            'transact_get_items', 'execute_transaction of reads') else 'WriteCapacityUnits'
        assert detailed[kind] == detailed['CapacityUnits']
        assert detailed['Table'][kind] == table
    else:
        assert set(total) == {'TableName', 'CapacityUnits'}


COLLECTIONS = {
    'put_item': lambda c, t, k, r: c.put_item(TableName=t, Item={**k, 'x': {'S': 'x' * 100}}, **r),
    'update_item': lambda c, t, k, r: c.update_item(
        TableName=t, Key=k, UpdateExpression='SET x = :x',
        ExpressionAttributeValues={':x': {'S': 'x' * 100}}, **r),
    'delete_item': lambda c, t, k, r: c.delete_item(TableName=t, Key=k, **r),
    'batch_write_item': lambda c, t, k, r: c.batch_write_item(
        RequestItems={t: [{'PutRequest': {'Item': {**k, 'x': {'S': 'x' * 100}}}}]}, **r),
    'transact_write_items': lambda c, t, k, r: c.transact_write_items(
        TransactItems=[{'Put': {'TableName': t, 'Item': {**k, 'x': {'S': 'x' * 100}}}}], **r),
}


@pytest.mark.parametrize('operation', COLLECTIONS)
def test_item_collection_metrics(client, wide, operation):
    key = {'p': {'S': unique()}, 's': {'S': 's'}}
    call = COLLECTIONS[operation]
    metrics = call(client, wide, key, {'ReturnItemCollectionMetrics': 'SIZE'})['ItemCollectionMetrics']
    if wide in metrics:
        [metrics] = metrics[wide]
    assert metrics == {'ItemCollectionKey': {'p': key['p']}, 'SizeEstimateRangeGB': [0.0, 1.0]}
    assert 'ItemCollectionMetrics' not in call(client, wide, key, {'ReturnItemCollectionMetrics': 'NONE'})


@pytest.mark.not_aws
def test_item_collection_limit(client, wide, sql, own_setting):
    """What makes a full collection larger is refused, by every way to write."""
    key = {'p': {'S': 'large'}, 's': {'S': 's'}}
    sql(f"""INSERT INTO dynamo_data."{wide}" (item)
        SELECT format('{{"p": {{"S": "large"}}, "s": {{"S": "%s"}}, "x": {{"S": "%s"}}}}', n, repeat('x', 1000))::dynamo.item
        FROM generate_series(1, 2000) n""")
    sql(f'ANALYZE dynamo_data."{wide}"')
    own_setting('dynamo.item_collection_limit', '1MB')
    exceeded = ('ItemCollectionSizeLimitExceededException', 'Collection size exceeded.')
    for operation, call in COLLECTIONS.items():
        if operation == 'transact_write_items':
            with raises('TransactionCanceledException') as caught:
                call(client, wide, key, {})
            assert caught.value.response['CancellationReasons'] == [
                {'Code': 'ItemCollectionSizeLimitExceeded', 'Message': 'Collection size exceeded.'}]
        elif operation != 'delete_item':
            with raises(*exceeded):
                call(client, wide, key, {})
    with raises(*exceeded):
        client.execute_statement(Statement=f"INSERT INTO \"{wide}\" VALUE {{'p': 'large', 's': 's'}}")


@pytest.fixture
def held(client, table_s, sql):
    """The key of an item that somebody else's transaction has."""
    key = {'p': {'S': unique()}}
    client.put_item(TableName=table_s, Item={**key, **ALL})
    sql.connection.autocommit = False
    sql(f"""SELECT 1 FROM dynamo_data."{table_s}" WHERE item ->> 'p' = %s FOR UPDATE""", key['p']['S'])
    yield key
    sql.connection.rollback()


@pytest.mark.not_aws
def test_conflict(client, table_s, held):
    conflict = ('TransactionConflictException', 'Transaction is ongoing for the item')
    with raises(*conflict):
        client.put_item(TableName=table_s, Item=held)
    with raises(*conflict):
        client.update_item(TableName=table_s, Key=held)
    with raises(*conflict):
        client.delete_item(TableName=table_s, Key=held)
    with raises(*conflict):
        client.execute_statement(Statement=f'DELETE FROM "{table_s}" WHERE p = ?', Parameters=[held['p']])


@pytest.mark.not_aws
def test_unprocessed_items(client, table_s, held):
    """A batch comes back without what somebody else has."""
    put = {'PutRequest': {'Item': {**held, **ALL}}}
    reply = client.batch_write_item(RequestItems={table_s: [
        put, {'PutRequest': {'Item': {'p': {'S': unique()}}}}]})
    [left] = reply['UnprocessedItems'][table_s]
    assert plain(left['PutRequest']['Item']) == put['PutRequest']['Item']
    delete = {'DeleteRequest': {'Key': held}}
    reply = client.batch_write_item(RequestItems={table_s: [delete]})
    assert reply['UnprocessedItems'] == {table_s: [delete]}


ATTRIBUTE = {'AttributeName': 'v'}
ALL_ATTRIBUTES = {'ProjectionType': 'ALL'}
NOT_SUPPORTED = 'One or more parameter values were invalid: %s is not supported by this server'


def vector_index(distance):
    return {'IndexName': 'vectors', 'VectorAttribute': ATTRIBUTE, 'Dimensions': 3,
            'SearchSchema': [{'AttributeName': 'p', 'SearchSchemaElementType': 'HASH'},
                             {'AttributeName': 'f', 'SearchSchemaElementType': 'INLINE_FILTER'}],
            'Projection': ALL_ATTRIBUTES, 'DistanceFunction': distance}


REPLICA = {
    'RegionName': 'eu-west-1', 'KMSMasterKeyId': 'key', 'TableClassOverride': 'STANDARD',
    'ProvisionedThroughputOverride': {'ReadCapacityUnits': 5},
    'OnDemandThroughputOverride': {'MaxReadRequestUnits': 5},
    'GlobalSecondaryIndexes': [{'IndexName': 'global',
                                'ProvisionedThroughputOverride': {'ReadCapacityUnits': 5},
                                'OnDemandThroughputOverride': {'MaxReadRequestUnits': 5}}],
}
DISTANCES = ('COSINE', 'DOT_PRODUCT', 'EUCLIDEAN')
MODES = ('ENABLED', 'DISABLED', 'ENABLED_WITH_OVERRIDES')

# What no table here can have, member by member.
REFUSED_BY_BOTH = [
    *(('GlobalTableSettingsReplicationMode', mode) for mode in MODES),
]
REFUSED_BY_CREATE = [('VectorIndexes', [vector_index(d)]) for d in DISTANCES]
REFUSED_BY_UPDATE = [
    *(('VectorIndexUpdates', [{'Create': vector_index(d)}]) for d in DISTANCES),
    ('VectorIndexUpdates', [{'Delete': {'IndexName': 'vectors'}}]),
    ('ReplicaUpdates', [{'Create': REPLICA}]),
    ('ReplicaUpdates', [{'Update': REPLICA}]),
    ('ReplicaUpdates', [{'Delete': {'RegionName': 'eu-west-1'}}]),
    ('ReplicaUpdates', [{'Disassociate': {'RegionName': 'eu-west-1',
                                          'DisassociationMode': 'WAIT_FOR_REPLICATION'}}]),
    ('GlobalTableWitnessUpdates', [{'Create': {'RegionName': 'eu-west-1'}}]),
    ('GlobalTableWitnessUpdates', [{'Delete': {'RegionName': 'eu-west-1'}}]),
    ('MultiRegionConsistency', 'EVENTUAL'),
    ('MultiRegionConsistency', 'STRONG'),
    ('DisassociationProtectionEnabled', True),
]


@pytest.mark.not_aws
@pytest.mark.parametrize('member, value', REFUSED_BY_BOTH + REFUSED_BY_CREATE)
def test_create_table_refuses(client, make_table, member, value):
    name = unique('dynamo-test-')
    with raises('ValidationException', NOT_SUPPORTED % member):
        make_table(TableName=name, **{member: value})
    with raises('ResourceNotFoundException'):
        client.describe_table(TableName=name)


@pytest.mark.not_aws
@pytest.mark.parametrize('member, value', REFUSED_BY_BOTH + REFUSED_BY_UPDATE)
def test_update_table_refuses(client, wide, member, value):
    before = client.describe_table(TableName=wide)['Table']
    with raises('ValidationException', NOT_SUPPORTED % member):
        client.update_table(TableName=wide, **{member: value})
    assert client.describe_table(TableName=wide)['Table'] == before


PROJECTIONS = ({'ProjectionType': 'KEYS_ONLY'}, ALL_ATTRIBUTES,
               {'ProjectionType': 'INCLUDE', 'NonKeyAttributes': ['x']})


@pytest.mark.parametrize('projection', PROJECTIONS, ids=lambda p: p['ProjectionType'])
def test_descriptions_of_a_table_that_goes(client, make_table, wait_until_built, projection):
    """UpdateTable and DeleteTable show the whole table, as DescribeTable does."""
    name = make_table('S', 'S', AttributeDefinitions=[
        {'AttributeName': n, 'AttributeType': 'S'} for n in ('p', 's', 'a')],
        LocalSecondaryIndexes=[{
            'IndexName': 'local', 'Projection': projection,
            'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'},
                          {'AttributeName': 'a', 'KeyType': 'RANGE'}]}])
    create = {'IndexName': 'global', 'Projection': projection,
              'KeySchema': [{'AttributeName': 'g', 'KeyType': 'HASH'}],
              'OnDemandThroughput': {'MaxReadRequestUnits': 5, 'MaxWriteRequestUnits': 6},
              'WarmThroughput': {'ReadUnitsPerSecond': 15000, 'WriteUnitsPerSecond': 5000}}
    updated = client.update_table(
        TableName=name, AttributeDefinitions=[{'AttributeName': n, 'AttributeType': 'S'} for n in ('p', 's', 'a', 'g')],
        GlobalSecondaryIndexUpdates=[{'Create': create}])['TableDescription']
    [local] = updated['LocalSecondaryIndexes']
    assert (local['IndexName'], local['Projection']) == ('local', projection)
    wait_until_built(name)
    described = client.describe_table(TableName=name)['Table']
    assert described['LocalSecondaryIndexes'] == updated['LocalSecondaryIndexes']
    [index] = described['GlobalSecondaryIndexes']
    assert {k: index[k] for k in create if k != 'WarmThroughput'} == {
        k: v for k, v in create.items() if k != 'WarmThroughput'}
    assert create['WarmThroughput'].items() <= index['WarmThroughput'].items()
    deleted = client.delete_table(TableName=name)['TableDescription']
    assert deleted['TableStatus'] == 'DELETING'
    assert deleted['TableArn'] == described['TableArn']


@pytest.fixture
def wait_until_built(client):
    def wait(name):
        wait_for(lambda: all(i['IndexStatus'] == 'ACTIVE' and not i.get('Backfilling') for i in
                             client.describe_table(TableName=name)['Table']['GlobalSecondaryIndexes']))
    return wait


ARN = 'arn:aws:dynamodb:ddblocal:000000000000:table/t'

# Lists of what is not here are empty, whatever they are asked for.
LISTS = [
    *(('list_backups', {'BackupType': t}, 'BackupSummaries')
      for t in ('USER', 'SYSTEM', 'AWS_BACKUP', 'ALL')),
    ('list_backups', {'TimeRangeLowerBound': 1, 'TimeRangeUpperBound': 2, 'Limit': 1,
                      'ExclusiveStartBackupArn': ARN + '/backup/01489602797149-73d8d5bc'}, 'BackupSummaries'),
    ('list_contributor_insights', {'MaxResults': 1, 'NextToken': 'x'}, 'ContributorInsightsSummaries'),
    ('list_exports', {'TableArn': ARN, 'MaxResults': 1, 'NextToken': 'x'}, 'ExportSummaries'),
    ('list_imports', {'TableArn': ARN, 'PageSize': 1, 'NextToken': 'x' * 112}, 'ImportSummaryList'),
    ('list_global_tables', {'Limit': 1, 'RegionName': 'eu-west-1',
                            'ExclusiveStartGlobalTableName': 'abc'}, 'GlobalTables'),
]


@pytest.mark.not_aws
@pytest.mark.parametrize('operation, parameters, member', LISTS)
def test_empty_lists(client, operation, parameters, member):
    assert getattr(client, operation)(**parameters)[member] == []


@pytest.mark.parametrize('value', ('UPDATED_OLD', 'UPDATED_NEW', 'ALL_NEW'))
def test_return_values_of_delete(client, wide, stored, value):
    with raises('ValidationException', f"1 validation error detected: Value '{value}' at 'returnValues' failed"
                ' to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, NONE]'):
        client.delete_item(TableName=wide, Key=stored, ReturnValues=value)
    assert 'Item' in client.get_item(TableName=wide, Key=stored)


def test_expected_exists(client, wide, stored):
    with raises(FAILED):
        client.update_item(TableName=wide, Key=stored, Expected={'vS': {'Exists': False}})
    client.update_item(TableName=wide, Key=stored, Expected={'x': {'Exists': False}})


def test_statements_of_a_missing_table(client):
    with raises('ResourceNotFoundException', 'Requested resource not found'):
        client.execute_transaction(TransactStatements=[
            {'Statement': f'DELETE FROM "{unique()}" WHERE p = \'a\''}])


@pytest.mark.not_aws
def test_token_of_statements(client, table_s, sql):
    """ExecuteTransaction's tokens are those of TransactWriteItems."""
    p, token = unique(), unique()
    call = {'ClientRequestToken': token, 'TransactStatements': [
        {'Statement': f'INSERT INTO "{table_s}" VALUE {{\'p\': ?}}', 'Parameters': [{'S': p}]}]}
    [(role,)] = sql('SELECT role::text FROM dynamo.my_access_keys WHERE access_key_id = %s',
                    client._request_signer._credentials.access_key)
    sql.connection.autocommit = False
    sql(f'SET LOCAL ROLE {role}')
    sql('SELECT dynamo.execute_transaction(%s)', json.dumps(call))
    with raises('TransactionInProgressException',
                'The transaction with the given request token is already in progress.'):
        client.execute_transaction(**call)
    sql.connection.commit()
    client.execute_transaction(**call)
    other = {**call['TransactStatements'][0], 'Parameters': [{'S': 'other'}]}
    with raises('IdempotentParameterMismatchException'):
        client.execute_transaction(ClientRequestToken=token, TransactStatements=[other])


def test_price_of_a_call_done_before(client, wide):
    """It has been looked up: units of reading, at the table alone."""
    call = {'ClientRequestToken': unique(), 'ReturnConsumedCapacity': 'INDEXES',
            'TransactItems': [{'Put': {'TableName': wide, 'Item': {**INDEXED, 'p': {'S': unique()}}}}]}
    [first] = client.transact_write_items(**call)['ConsumedCapacity']
    [again] = client.transact_write_items(**call)['ConsumedCapacity']
    assert first['Table'] == {'CapacityUnits': 2, 'WriteCapacityUnits': 2}
    assert again['Table'] == {'CapacityUnits': 2, 'ReadCapacityUnits': 2}
    assert again['ReadCapacityUnits'] == again['CapacityUnits'] == 2
