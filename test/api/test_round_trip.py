"""Every operation once, as a program would use them, through each client."""
import decimal
import json
import os
import pathlib
import subprocess
import sys

import pytest
from boto3.dynamodb.conditions import Attr, Key

from conftest import ENDPOINT, ON_AWS, raises, unique

ALL_TYPES = {
    'str': {'S': 'text \u00e4\u20ac\U0001f600 with NUL \0 in it'}, 'n': {'N': '-12345678901234567890.123'},
    'b': {'B': bytes(range(256))}, 'bool': {'BOOL': True}, 'null': {'NULL': True},
    'ss': {'SS': ['a', 'b']}, 'ns': {'NS': ['1', '2.5']}, 'bs': {'BS': [b'\0', b'\xff']},
    'l': {'L': [{'S': 'x'}, {'L': []}, {'M': {}}]}, 'm': {'M': {'k': {'M': {'l': {'N': '1'}}}}},
    'empty': {'S': ''}, 'emptyb': {'B': b''},
}


def sorted_sets(item):
    """Sets have no order."""
    return {name: {t: sorted(v) if t in ('SS', 'NS', 'BS') else v for t, v in value.items()}
            for name, value in item.items()}


def test_client(client):
    """boto3's low-level client."""
    name = unique('dynamo-test-')
    made = client.create_table(
        TableName=name, BillingMode='PAY_PER_REQUEST',
        AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'},
                              {'AttributeName': 's', 'AttributeType': 'N'}],
        KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'},
                   {'AttributeName': 's', 'KeyType': 'RANGE'}])['TableDescription']
    assert made['TableName'] == name and made['TableArn'].endswith(f':table/{name}')
    client.get_waiter('table_exists').wait(TableName=name, WaiterConfig={'Delay': 1})
    try:
        table = client.describe_table(TableName=name)['Table']
        assert table['TableStatus'] == 'ACTIVE'
        assert table['BillingModeSummary']['BillingMode'] == 'PAY_PER_REQUEST'
        assert name in [n for page in client.get_paginator('list_tables').paginate()
                        for n in page['TableNames']]

        key = {'p': {'S': 'a'}, 's': {'N': '1'}}
        assert 'Attributes' not in client.put_item(TableName=name, Item={**key, **ALL_TYPES})
        got = client.get_item(TableName=name, Key=key, ConsistentRead=True)['Item']
        assert sorted_sets(got) == sorted_sets({**key, **ALL_TYPES})
        updated = client.update_item(
            TableName=name, Key=key, UpdateExpression='SET #n = #n + :one REMOVE l ADD ss :c DELETE ns :two',
            ExpressionAttributeNames={'#n': 'n'},
            ExpressionAttributeValues={':one': {'N': '1'}, ':c': {'SS': ['c']}, ':two': {'NS': ['2.5']}},
            ReturnValues='UPDATED_NEW', ReturnConsumedCapacity='TOTAL')
        assert sorted_sets(updated['Attributes']) == {
            'n': {'N': '-12345678901234567889.123'}, 'ss': {'SS': ['a', 'b', 'c']}, 'ns': {'NS': ['1']}}
        assert updated['ConsumedCapacity'] == {'TableName': name, 'CapacityUnits': 1.0}
        with raises('ConditionalCheckFailedException', 'The conditional request failed'):
            client.put_item(TableName=name, Item=key, ConditionExpression='attribute_not_exists(p)')

        written = client.batch_write_item(RequestItems={name: [
            {'PutRequest': {'Item': {'p': {'S': 'a'}, 's': {'N': str(i)}, 'v': {'N': str(i * i)}}}}
            for i in range(2, 27)]})
        assert written['UnprocessedItems'] == {}
        batch = client.batch_get_item(RequestItems={name: {'Keys': [
            {'p': {'S': 'a'}, 's': {'N': str(i)}} for i in (3, 5, 99)]}})
        assert sorted(i['v']['N'] for i in batch['Responses'][name]) == ['25', '9']
        assert batch['UnprocessedKeys'] == {}

        pages = list(client.get_paginator('query').paginate(
            TableName=name, KeyConditionExpression='p = :p AND s BETWEEN :low AND :high',
            FilterExpression='v > :v', ScanIndexForward=False, PaginationConfig={'PageSize': 4},
            ExpressionAttributeValues={':p': {'S': 'a'}, ':low': {'N': '5'}, ':high': {'N': '20'},
                                       ':v': {'N': '50'}}))
        assert [int(i['s']['N']) for page in pages for i in page['Items']] == list(range(20, 7, -1))
        assert sum(page['ScannedCount'] for page in pages) == 16

        seen = [int(i['s']['N']) for segment in range(3) for page in client.get_paginator('scan').paginate(
            TableName=name, Segment=segment, TotalSegments=3) for i in page['Items']]
        assert sorted(seen) == list(range(1, 27))

        old = client.delete_item(TableName=name, Key=key, ReturnValues='ALL_OLD')['Attributes']
        assert old['s'] == {'N': '1'}
        assert 'Item' not in client.get_item(TableName=name, Key=key)

        changed = client.update_table(TableName=name, BillingMode='PROVISIONED', ProvisionedThroughput={
            'ReadCapacityUnits': 5, 'WriteCapacityUnits': 6})['TableDescription']
        assert changed['ProvisionedThroughput']['WriteCapacityUnits'] == 6
        client.get_waiter('table_exists').wait(TableName=name, WaiterConfig={'Delay': 1})
    finally:
        client.delete_table(TableName=name)
    client.get_waiter('table_not_exists').wait(TableName=name, WaiterConfig={'Delay': 1})
    with raises('ResourceNotFoundException', f'Requested resource not found: Table: {name} not found'):
        client.describe_table(TableName=name)

    limits = client.describe_limits()
    assert limits['AccountMaxReadCapacityUnits'] >= limits['TableMaxReadCapacityUnits'] > 0
    endpoint = client.describe_endpoints()['Endpoints'][0]
    assert endpoint['CachePeriodInMinutes'] == 1440
    if not ON_AWS:
        assert endpoint['Address'] == ENDPOINT.partition('//')[2]


def test_resource(resource):
    """boto3's resource, with Python's own types."""
    table = resource.create_table(
        TableName=unique('dynamo-test-'), BillingMode='PAY_PER_REQUEST',
        AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'},
                              {'AttributeName': 's', 'AttributeType': 'S'}],
        KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'},
                   {'AttributeName': 's', 'KeyType': 'RANGE'}])
    table.wait_until_exists()
    try:
        item = {'p': 'a', 's': 'b', 'n': decimal.Decimal('1.5'), 'list': [1, 'two', None, True, {'x': []}],
                'set': {'x', 'y'}, 'numbers': {decimal.Decimal(1), decimal.Decimal(2)}, 'bytes': b'\0\1'}
        table.put_item(Item=item)
        assert table.get_item(Key={'p': 'a', 's': 'b'})['Item'] == item
        answer = table.update_item(
            Key={'p': 'a', 's': 'b'}, UpdateExpression='SET #l[1] = :v, fresh = if_not_exists(fresh, :v)',
            ExpressionAttributeNames={'#l': 'list'},
            ConditionExpression=Attr('set').contains('x') & Attr('n').between(1, 2),
            ExpressionAttributeValues={':v': {'deep': {'er': decimal.Decimal('1E-100')}}}, ReturnValues='ALL_NEW')
        assert answer['Attributes']['fresh']['deep']['er'] == decimal.Decimal('1E-100')
        assert answer['Attributes']['list'][1] == answer['Attributes']['fresh']
        with table.batch_writer() as batch:
            for i in range(60):
                batch.put_item(Item={'p': 'many', 's': f'{i:03}', 'n': i})
            batch.delete_item(Key={'p': 'many', 's': '007'})
        found = table.query(KeyConditionExpression=Key('p').eq('many') & Key('s').begins_with('00'))
        assert [int(i['n']) for i in found['Items']] == [0, 1, 2, 3, 4, 5, 6, 8, 9]
        found = table.scan(FilterExpression=Attr('n').gte(55) | Attr('bytes').exists(),
                           ProjectionExpression='n')
        assert sorted(i['n'] for i in found['Items']) == [decimal.Decimal('1.5'), 55, 56, 57, 58, 59]
        answer = resource.batch_get_item(RequestItems={table.name: {
            'Keys': [{'p': 'many', 's': '001'}, {'p': 'a', 's': 'b'}], 'ConsistentRead': True}})
        assert len(answer['Responses'][table.name]) == 2
        assert table.delete_item(Key={'p': 'a', 's': 'b'}, ReturnValues='ALL_OLD')['Attributes']['p'] == 'a'
        table.update(BillingMode='PROVISIONED',
                     ProvisionedThroughput={'ReadCapacityUnits': 1, 'WriteCapacityUnits': 1})
        table.wait_until_exists()
        table.reload()
        assert table.provisioned_throughput['ReadCapacityUnits'] == 1
        assert table.name in [t.name for t in resource.tables.all()]
    finally:
        table.delete()
    table.wait_until_not_exists()


def cli(*arguments, succeeds=True):
    """The AWS CLI of the tests' own environment, with nothing of the user's."""
    command = [str(pathlib.Path(sys.executable).parent / 'aws'), 'dynamodb', *arguments,
               '--output', 'json']
    if not ON_AWS:
        command += ['--endpoint-url', ENDPOINT]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                            env={**os.environ, 'AWS_CONFIG_FILE': os.devnull, 'AWS_PAGER': ''})
    assert (result.returncode == 0) == succeeds, result.stderr
    if not succeeds:
        return result.stderr
    return json.loads(result.stdout) if result.stdout.strip() else {}


def test_aws_cli():
    name = unique('dynamo-test-')
    cli('create-table', '--table-name', name, '--billing-mode', 'PAY_PER_REQUEST',
        '--attribute-definitions', 'AttributeName=p,AttributeType=S', 'AttributeName=s,AttributeType=N',
        '--key-schema', 'AttributeName=p,KeyType=HASH', 'AttributeName=s,KeyType=RANGE')
    try:
        cli('wait', 'table-exists', '--table-name', name)
        assert cli('describe-table', '--table-name', name)['Table']['ItemCount'] == 0
        assert name in cli('list-tables')['TableNames']
        for i in range(3):
            cli('put-item', '--table-name', name, '--item', json.dumps(
                {'p': {'S': 'a'}, 's': {'N': str(i)}, 'b': {'B': 'AAEC'}, 'd': {'S': '\u00e4'}}))
        key = json.dumps({'p': {'S': 'a'}, 's': {'N': '1'}})
        assert cli('get-item', '--table-name', name, '--key', key)['Item']['d'] == {'S': '\u00e4'}
        answer = cli('update-item', '--table-name', name, '--key', key, '--update-expression', 'ADD n :n',
                     '--expression-attribute-values', '{":n": {"N": "5"}}', '--return-values', 'UPDATED_NEW')
        assert answer['Attributes'] == {'n': {'N': '5'}}
        answer = cli('query', '--table-name', name, '--key-condition-expression', 'p = :p AND s >= :s',
                     '--expression-attribute-values', '{":p": {"S": "a"}, ":s": {"N": "1"}}',
                     '--return-consumed-capacity', 'INDEXES', '--page-size', '1')
        assert [i['s']['N'] for i in answer['Items']] == ['1', '2']
        assert cli('scan', '--table-name', name, '--select', 'COUNT')['Count'] == 3
        cli('batch-write-item', '--request-items', json.dumps(
            {name: [{'DeleteRequest': {'Key': {'p': {'S': 'a'}, 's': {'N': '0'}}}}]}))
        answer = cli('batch-get-item', '--request-items', json.dumps(
            {name: {'Keys': [{'p': {'S': 'a'}, 's': {'N': str(i)}} for i in range(3)]}}))
        assert sorted(i['s']['N'] for i in answer['Responses'][name]) == ['1', '2']
        error = cli('delete-item', '--table-name', name, '--key', key, '--condition-expression',
                    'attribute_not_exists(n)', succeeds=False)
        assert 'ConditionalCheckFailedException' in error
        cli('delete-item', '--table-name', name, '--key', key)
        cli('update-table', '--table-name', name, '--billing-mode', 'PROVISIONED',
            '--provisioned-throughput', 'ReadCapacityUnits=1,WriteCapacityUnits=1')
        cli('wait', 'table-exists', '--table-name', name)
        assert cli('describe-limits')['TableMaxReadCapacityUnits'] > 0
        assert cli('describe-endpoints')['Endpoints'][0]['Address']
    finally:
        cli('delete-table', '--table-name', name)
    cli('wait', 'table-not-exists', '--table-name', name)


@pytest.mark.not_aws
def test_region_local(client, table_s, monkeypatch):
    """The region "local" means http://localhost:8000 to every SDK: what it
    signs with, us-east-1, is good here.  (Only the port is another one.)"""
    import boto3
    monkeypatch.setenv('AWS_DEFAULT_REGION', 'local')
    plain = boto3.client('dynamodb')
    assert plain.meta.endpoint_url == 'http://localhost:8000'
    local = boto3.client('dynamodb', endpoint_url=ENDPOINT)
    assert table_s in [n for page in local.get_paginator('list_tables').paginate()
                       for n in page['TableNames']]
