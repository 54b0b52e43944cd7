"""A forum on boto3's resource interface: batch_writer, conditions, paginators, waiters."""
from decimal import Decimal

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

NAME = 'clients-forum'


@pytest.fixture(scope='module')
def forum():
    table = boto3.resource('dynamodb').create_table(
        TableName=NAME, BillingMode='PAY_PER_REQUEST',
        AttributeDefinitions=[{'AttributeName': n, 'AttributeType': t}
                              for n, t in (('thread', 'S'), ('posted', 'N'), ('author', 'S'))],
        KeySchema=[{'AttributeName': 'thread', 'KeyType': 'HASH'}, {'AttributeName': 'posted', 'KeyType': 'RANGE'}],
        GlobalSecondaryIndexes=[{
            'IndexName': 'by_author', 'Projection': {'ProjectionType': 'INCLUDE', 'NonKeyAttributes': ['title']},
            'KeySchema': [{'AttributeName': 'author', 'KeyType': 'HASH'}, {'AttributeName': 'posted', 'KeyType': 'RANGE'}]}],
        LocalSecondaryIndexes=[{
            'IndexName': 'by_thread_author', 'Projection': {'ProjectionType': 'KEYS_ONLY'},
            'KeySchema': [{'AttributeName': 'thread', 'KeyType': 'HASH'}, {'AttributeName': 'author', 'KeyType': 'RANGE'}]}])
    table.wait_until_exists()
    yield table
    table.delete()
    table.wait_until_not_exists()


def test_description(forum):
    forum.load()
    assert (forum.table_status, forum.item_count, len(forum.attribute_definitions)) == ('ACTIVE', 0, 3)
    assert forum.billing_mode_summary['BillingMode'] == 'PAY_PER_REQUEST'
    assert NAME in [t.name for t in boto3.resource('dynamodb').tables.all()]


def test_python_values(forum):
    item = {'thread': 'values', 'posted': Decimal(1), 'title': 'x', 'likes': Decimal('1.10'), 'raw': b'\0\1', 'tags': {'a', 'b'},
            'ids': {Decimal(1), Decimal('2.5')}, 'parts': [None, True, {'deep': ['x', Decimal(3)]}], 'blobs': {b'a', b'b'}}
    forum.put_item(Item=item)
    got = forum.get_item(Key={'thread': 'values', 'posted': 1}, ConsistentRead=True)['Item']
    assert got == {**item, 'raw': Binary(b'\0\1'), 'blobs': {Binary(b'a'), Binary(b'b')}}
    wire = {k: TypeSerializer().serialize(v) for k, v in item.items()}
    assert {k: TypeDeserializer().deserialize(v) for k, v in wire.items()} == got


def test_batch_writer(forum):
    with forum.batch_writer(overwrite_by_pkeys=['thread', 'posted']) as batch:
        for n in range(120):
            batch.put_item(Item={'thread': 'long', 'posted': n, 'author': 'ada' if n % 2 else 'bob', 'title': f't{n}', 'votes': n * 2})
        batch.put_item(Item={'thread': 'long', 'posted': 0, 'author': 'bob', 'title': 'again', 'votes': 0})
        batch.delete_item(Key={'thread': 'long', 'posted': 119})
    assert forum.query(KeyConditionExpression=Key('thread').eq('long'), Select='COUNT')['Count'] == 119
    assert forum.get_item(Key={'thread': 'long', 'posted': 0})['Item']['title'] == 'again'


def test_conditions(forum):
    page = forum.query(
        KeyConditionExpression=Key('thread').eq('long') & Key('posted').between(10, 29), ScanIndexForward=False, Limit=15,
        FilterExpression=Attr('author').eq('ada') & (Attr('votes').lt(50) | ~Attr('title').begins_with('t')) & Attr('votes').is_in([22, 26, 40, 58, 46]),
        ProjectionExpression='#t, posted', ExpressionAttributeNames={'#t': 'title'})
    assert page['ScannedCount'] == 15
    assert [(i['title'], int(i['posted'])) for i in page['Items']] == [('t23', 23)]
    assert page['LastEvaluatedKey'] == {'thread': 'long', 'posted': 15}
    rest = forum.query(KeyConditionExpression=Key('thread').eq('long') & Key('posted').gte(10), ScanIndexForward=False,
                       ExclusiveStartKey=page['LastEvaluatedKey'])
    assert [int(i['posted']) for i in rest['Items']] == [14, 13, 12, 11, 10]
    index = forum.query(IndexName='by_author', KeyConditionExpression=Key('author').eq('ada') & Key('posted').lt(6))
    assert [set(i) for i in index['Items']] == [{'thread', 'posted', 'author', 'title'}] * 3
    local = forum.query(IndexName='by_thread_author', KeyConditionExpression=Key('thread').eq('long') & Key('author').begins_with('a'),
                        ConsistentRead=True)
    assert local['Count'] == 59
    scan = forum.scan(FilterExpression=Attr('votes').exists() & Attr('votes').attribute_type('N') & Attr('title').contains('11'))
    assert {i['title'] for i in scan['Items']} == {'t11', *(f't11{n}' for n in range(9))}


def test_updates(forum):
    key = {'thread': 'long', 'posted': 1}
    updated = forum.update_item(Key=key, UpdateExpression='SET seen = list_append(if_not_exists(seen, :none), :who) ADD votes :one',
                                ConditionExpression=Attr('author').eq('ada'), ReturnValues='UPDATED_NEW',
                                ExpressionAttributeValues={':none': [], ':who': ['bob'], ':one': 1})
    assert updated['Attributes'] == {'seen': ['bob'], 'votes': 3}
    with pytest.raises(ClientError) as caught:
        forum.put_item(Item=key, ConditionExpression=Attr('thread').not_exists(), ReturnValuesOnConditionCheckFailure='ALL_OLD')
    assert caught.value.response['Error']['Code'] == 'ConditionalCheckFailedException'
    assert caught.value.response['Item']['title'] == {'S': 't1'}
    old = forum.delete_item(Key=key, ReturnValues='ALL_OLD')['Attributes']
    assert old['seen'] == ['bob']


def test_paginators_and_batches(forum):
    client = boto3.client('dynamodb')
    pages = list(client.get_paginator('query').paginate(
        TableName=NAME, KeyConditionExpression='thread = :t', ExpressionAttributeValues={':t': {'S': 'long'}},
        PaginationConfig={'PageSize': 50}))
    assert [p['Count'] for p in pages] == [50, 50, 18]
    limited = client.get_paginator('scan').paginate(TableName=NAME, PaginationConfig={'PageSize': 10, 'MaxItems': 25}).build_full_result()
    assert len(limited['Items']) == 25
    rest = client.get_paginator('scan').paginate(
        TableName=NAME, PaginationConfig={'StartingToken': limited['NextToken']}).build_full_result()
    assert len(rest['Items']) == 119 - 25
    keys = [{'thread': 'long', 'posted': n} for n in (2, 3, 500)]
    got = boto3.resource('dynamodb').batch_get_item(RequestItems={NAME: {'Keys': keys}})
    assert {int(i['posted']) for i in got['Responses'][NAME]} == {2, 3}


def test_transaction(forum):
    client = forum.meta.client
    check = {'ConditionCheck': {'TableName': NAME, 'Key': {'thread': 'long', 'posted': 2}, 'ConditionExpression': 'author = :a'}}
    put = {'Put': {'TableName': NAME, 'Item': {'thread': 'new', 'posted': 1}}}
    check['ConditionCheck']['ExpressionAttributeValues'] = {':a': 'ada'}
    with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
        client.transact_write_items(TransactItems=[put, check])
    assert [r['Code'] for r in caught.value.response['CancellationReasons']] == ['None', 'ConditionalCheckFailed']
    check['ConditionCheck']['ExpressionAttributeValues'] = {':a': 'bob'}
    client.transact_write_items(TransactItems=[put, check])
    assert 'Item' in forum.get_item(Key={'thread': 'new', 'posted': 1})
