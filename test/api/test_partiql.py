"""PartiQL as boto3 sends it: ExecuteStatement, BatchExecuteStatement, ExecuteTransaction."""
import random
import threading
import time

import boto3.dynamodb.types
import pytest

from conftest import raises
from test_transact_write_items import holder, key  # noqa: F401

serializer = boto3.dynamodb.types.TypeSerializer()


def value(python):
    return serializer.serialize(python)


def execute(client, statement, *parameters, **more):
    if parameters:
        more['Parameters'] = [value(p) for p in parameters]
    return client.execute_statement(Statement=statement, **more)


def test_round_trip(client, table_s):
    p = key()['p']['S']
    assert execute(client, f'INSERT INTO "{table_s}" VALUE {{\'p\': ?, \'n\': ?, \'s\': <<\'a\', \'b\'>>}}', p, 5)['Items'] == []
    with raises('DuplicateItemException', 'Duplicate primary key exists in table'):
        execute(client, f'INSERT INTO "{table_s}" VALUE {{\'p\': ?}}', p)
    stored = {'p': {'S': p}, 'n': {'N': '5'}, 's': {'SS': ['a', 'b']}}
    assert client.get_item(TableName=table_s, Key={'p': {'S': p}})['Item'] == stored
    assert execute(client, f'SELECT * FROM "{table_s}" WHERE p = ?', p)['Items'] == [stored]
    reply = execute(client, f'UPDATE "{table_s}" SET n = n + ? WHERE p = ? RETURNING ALL NEW *', 2, p)
    assert reply['Items'] == [{**stored, 'n': {'N': '7'}}]
    with raises('ConditionalCheckFailedException', 'The conditional request failed') as caught:
        execute(client, f'DELETE FROM "{table_s}" WHERE p = ? AND n = 1', p, ReturnValuesOnConditionCheckFailure='ALL_OLD')
    assert caught.value.response['Item'] == {**stored, 'n': {'N': '7'}}
    assert execute(client, f'DELETE FROM "{table_s}" WHERE p = ? AND n = 7 RETURNING ALL OLD *', p)['Items']
    assert execute(client, f'SELECT * FROM "{table_s}" WHERE p = ?', p)['Items'] == []


def test_pages_are_the_whole(client, table_ss):
    """Random conditions, limits and orders; the model is a list."""
    seed = random.randrange(2 ** 32)
    print('seed', seed)
    chance = random.Random(seed)
    partitions = [key()['p']['S'] for _ in range(3)]
    items = [{'p': p, 's': f'{s:03}', 'n': chance.randrange(5)} for p in partitions for s in range(25)]
    for start in range(0, len(items), 25):
        client.batch_write_item(RequestItems={table_ss: [
            {'PutRequest': {'Item': {k: value(v) for k, v in i.items()}}} for i in items[start:start + 25]]})
    for _ in range(25):
        chosen = chance.sample(partitions, chance.randint(1, 3))
        low, high, n = f'{chance.randrange(25):03}', f'{chance.randrange(25):03}', chance.randrange(5)
        low, high = min(low, high), max(low, high)
        condition, parameters, keep = chance.choice([
            ('s >= ?', [low], lambda i: i['s'] >= low), ('s < ? AND n <> ?', [high, n], lambda i: i['s'] < high and i['n'] != n),
            ('s BETWEEN ? AND ?', [low, high], lambda i: low <= i['s'] <= high),
            ('begins_with(s, ?)', ['01'], lambda i: i['s'].startswith('01')),
            ('(n = ? OR s = ?)', [n, low], lambda i: i['n'] == n or i['s'] == low),
            ('NOT n IN [?, 4]', [n], lambda i: i['n'] not in (n, 4)), ('x IS MISSING', [], lambda i: True)])
        down = chance.choice([True, False])
        statement = (f'SELECT s, p FROM "{table_ss}" WHERE p IN ({", ".join("?" * len(chosen))}) AND {condition}'
                     f' ORDER BY s {"DESC" if down else "ASC"}')
        wanted = [(i['p'], i['s']) for p in chosen
                  for i in sorted((i for i in items if i['p'] == p and keep(i)), key=lambda i: i['s'], reverse=down)]
        found, token = [], {}
        while True:
            reply = execute(client, statement, *chosen, *parameters, Limit=chance.randint(1, 30), **token)
            found += [(i['p']['S'], i['s']['S']) for i in reply['Items']]
            if 'NextToken' not in reply:
                break
            assert reply['LastEvaluatedKey']
            token = {'NextToken': reply['NextToken']}
        assert found == wanted, statement


RANGES = [('s > 2 AND s < 5', [3, 4]), ('5 > s AND 2 <= s', [2, 3, 4]), ('s >= 2 AND s > 2 AND s < 9 AND s <= 4 AND s < 5', [3, 4]),
          ('s BETWEEN 1 AND 6 AND s < 3', [1, 2]), ('s >= 4 AND s <= 4', [4]), ('s = 4 AND s > 1', [4]), ('s = 4 AND s = 5', []),
          ('s > 4 AND s < 4', []), ('s > 7 AND s < 2', []), ('s > 1 AND (s < 3 OR n = 8)', None)]


@pytest.mark.parametrize('source', ['', '."local"', '."global"'])
def test_conditions_of_the_sort_key_are_one_range(client, make_table, source):
    """What is outside of it is not walked: it uses up no Limit."""
    keys = [[{'AttributeName': p, 'KeyType': 'HASH'}, {'AttributeName': 's', 'KeyType': 'RANGE'}] for p in 'pg']
    table = make_table(sort='N' if not source else 'S', AttributeDefinitions=[
        {'AttributeName': n, 'AttributeType': t} for n, t in [('p', 'S'), ('s', 'N')] + [('g', 'S'), ('t', 'S')] * bool(source)],
        **({'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'}, {'AttributeName': 't', 'KeyType': 'RANGE'}],
            'LocalSecondaryIndexes': [{'IndexName': 'local', 'KeySchema': keys[0], 'Projection': {'ProjectionType': 'ALL'}}],
            'GlobalSecondaryIndexes': [{'IndexName': 'global', 'KeySchema': keys[1], 'Projection': {'ProjectionType': 'ALL'}}]} if source else {}))
    for s in range(10):
        client.put_item(TableName=table, Item={'p': value('x'), 'g': value('x'), 't': value(str(s)), 's': value(s), 'n': value(s)})
    for condition, wanted in RANGES:
        for order in 'ASC', 'DESC':
            statement = f'SELECT s FROM "{table}"{source} WHERE {"g" if "global" in source else "p"} = \'x\' AND {condition} ORDER BY s {order}'
            pages, token = [], {}
            while token is not None:
                reply = execute(client, statement, Limit=1, **token)
                pages.append([int(i['s']['N']) for i in reply['Items']])
                token = {'NextToken': reply['NextToken']} if 'NextToken' in reply else None
            if wanted is None:
                assert sorted(sum(pages, [])) == [2, 8] and len(pages) == 9, statement
            else:
                assert pages == [[s] for s in (wanted if order == 'ASC' else wanted[::-1])] + [[]], statement


def test_order_of_checks(check_order, table_s):
    at = lambda member, rule: f"Value {member} failed to satisfy constraint: Member must {rule}"
    check_order('ExecuteStatement', {'Statement': f'SELECT * FROM "{table_s}" WHERE p = ?', 'Parameters': [{'S': 'x'}]},
                ({'Parameters': [], 'ReturnConsumedCapacity': 'x', 'Limit': 0, 'NextToken': ''}, '4 validation errors detected: ' + '; '.join([
                    at("'[]' at 'parameters'", 'have length greater than or equal to 1'),
                    at("'x' at 'returnConsumedCapacity'", 'satisfy enum value set: [INDEXES, TOTAL, NONE]'),
                    at("'0' at 'limit'", 'have value greater than or equal to 1'),
                    at("'' at 'nextToken'", 'have length greater than or equal to 1')])),
                ({'NextToken': 'x' * 32769}, '1 validation error detected: ' + at(f"'{'x' * 32769}' at 'nextToken'", 'have length less than or equal to 32768')),
                ({'Parameters': [{'SS': []}]}, 'One or more parameter values were invalid: An string set  may not be empty'),
                ({'Statement': 'SELECT * FROM absent WHERE p = ? AND'}, "Statement wasn't well formed, can't be processed: Expected expression"),
                ({'Statement': 'SELECT * FROM absent WHERE p < {\'a\': ?}'}, 'Incorrect operand type for operator or function; operator or function: <, operand type: M'),
                ({'Parameters': [{'S': 'x'}] * 2}, "Number of parameters in request and statement don't match."),
                ({'Statement': 'SELECT * FROM absent WHERE p = ?'}, 'Requested resource not found'),
                ({'Statement': f'SELECT * FROM "{table_s}"."absent" WHERE p = ?'}, 'The table does not have the specified index'),
                ({'NextToken': 'x'}, 'Invalid NextToken'))


def test_a_page_is_one_megabyte(client, make_table):
    """Of what is walked, not of what is found."""
    name = make_table(sort='N')
    for n in range(4):
        client.put_item(TableName=name, Item={'p': value('x'), 's': value(n), 'a': value('x' * 399_000)})
    for where in ('', " WHERE p = 'x'"):
        reply = execute(client, f'SELECT s FROM "{name}"{where}', ReturnConsumedCapacity='TOTAL')
        assert [i['s']['N'] for i in reply['Items']] == ['0', '1', '2'] and reply['LastEvaluatedKey']['s'] == {'N': '2'}
        assert reply['ConsumedCapacity']['CapacityUnits'] == 146.5
        reply = execute(client, f'SELECT s FROM "{name}"{where}', NextToken=reply['NextToken'])
        assert [i['s']['N'] for i in reply['Items']] == ['3'] and 'NextToken' not in reply


def test_types(client, table_ss):
    p = key()['p']
    for s in range(5):
        client.put_item(TableName=table_ss, Item={'p': p, 's': {'S': str(s)}, 'b': {'B': b'\0\xff'}, 'e': {'S': ''}})
    reply = client.execute_statement(Statement=f'SELECT b, e FROM "{table_ss}" WHERE p = ?', Parameters=[p])
    assert reply['Items'] == [{'b': {'B': b'\0\xff'}, 'e': {'S': ''}}] * 5


def test_batch(client, table_s, table_ss):
    a, b = key(), key()
    reply = client.batch_execute_statement(Statements=[
        {'Statement': f'INSERT INTO "{table_s}" VALUE {{\'p\': ?, \'n\': 1}}', 'Parameters': [a['p']]},
        {'Statement': f'INSERT INTO "{table_ss}" VALUE {{\'p\': ?, \'s\': \'x\'}}', 'Parameters': [b['p']]},
        {'Statement': f'UPDATE "{table_s}" SET n = 1 WHERE p = ?', 'Parameters': [b['p']]}], ReturnConsumedCapacity='TOTAL')
    assert reply['Responses'] == [
        {'TableName': table_s}, {'TableName': table_ss},
        {'Error': {'Code': 'ConditionalCheckFailed', 'Message': 'The conditional request failed'}, 'TableName': table_s}]
    assert {c['TableName']: c['CapacityUnits'] for c in reply['ConsumedCapacity']} == {table_s: 2.0, table_ss: 1.0}
    reply = client.batch_execute_statement(Statements=[
        {'Statement': f'SELECT * FROM "{table_s}" WHERE p = ?', 'Parameters': [a['p']]},
        {'Statement': f'SELECT * FROM "{table_s}" WHERE p = ?', 'Parameters': [b['p']]}])
    assert reply['Responses'] == [{'TableName': table_s, 'Item': {**a, 'n': {'N': '1'}}}, {'TableName': table_s}]


def test_transaction(client, table_s):
    a, b = key(), key()
    insert = f'INSERT INTO "{table_s}" VALUE {{\'p\': ?}}'

    def run(*statements, **more):
        return client.execute_transaction(TransactStatements=[
            {'Statement': s, 'Parameters': [k['p']]} for s, k in statements], **more)

    assert run((insert, a), (insert, b))['Responses'] == []
    with raises('TransactionCanceledException') as caught:
        run((insert, a), (f'EXISTS(SELECT * FROM "{table_s}" WHERE p = ?)', b))
    assert [r['Code'] for r in caught.value.response['CancellationReasons']] == ['DuplicateItem', 'None']
    select = f'SELECT * FROM "{table_s}" WHERE p = ?'
    assert run((select, b), (select, key()), (select, a))['Responses'] == [{'Item': b}, {}, {'Item': a}]
    token = {'ClientRequestToken': key()['p']['S'][:36]}
    update = f'UPDATE "{table_s}" SET n = 1 WHERE p = ?'
    run((update, a), **token)
    client.delete_item(TableName=table_s, Key=a)
    run((update, a), **token)
    assert 'Item' not in client.get_item(TableName=table_s, Key=a)


def test_missing_table(client):
    with raises('ResourceNotFoundException', 'Requested resource not found'):
        execute(client, 'SELECT * FROM nothing')


@pytest.mark.not_aws
def test_row_that_somebody_holds(client, table_s, holder):
    """A batch does what it can, then the rest, and nothing twice."""
    a, b = key(), key()
    for k in (a, b):
        client.put_item(TableName=table_s, Item={**k, 'n': {'N': '0'}})
    connection = holder(table_s, a)
    threading.Timer(0.4, connection.commit).start()
    begin = time.monotonic()
    reply = client.batch_execute_statement(Statements=[
        {'Statement': f'UPDATE "{table_s}" SET n = n + 1 WHERE p = ? RETURNING ALL NEW *', 'Parameters': [k['p']]}
        for k in (a, b)], ReturnConsumedCapacity='TOTAL')
    assert time.monotonic() - begin > 0.2
    assert [r['Item'].get('n') for r in reply['Responses']] == [{'N': '1'}] * 2
    assert reply['Responses'][0]['Item']['held'] == {'S': 'y'}
    assert reply['ConsumedCapacity'][0]['CapacityUnits'] == 2.0
