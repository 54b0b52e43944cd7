"""A round with the AWS CLI: shorthand, files, --query, its own paging, waiters."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

TABLE = 'clients-cli'
AWS = pathlib.Path(sys.executable).with_name('aws')


def aws(*arguments, ok=True):
    done = subprocess.run([AWS, 'dynamodb', *arguments, '--output', 'json'], text=True, capture_output=True,
                          env={**os.environ, 'AWS_PAGER': ''})
    assert (done.returncode == 0) == ok, done.stderr
    return (json.loads(done.stdout) if done.stdout.strip() else None) if ok else done.stderr


@pytest.fixture(scope='module', autouse=True)
def table():
    made = aws('create-table', '--table-name', TABLE, '--billing-mode', 'PAY_PER_REQUEST',
               '--attribute-definitions', 'AttributeName=artist,AttributeType=S', 'AttributeName=song,AttributeType=S',
               '--key-schema', 'AttributeName=artist,KeyType=HASH', 'AttributeName=song,KeyType=RANGE',
               '--tags', 'Key=team,Value=music')
    assert made['TableDescription']['TableName'] == TABLE
    aws('wait', 'table-exists', '--table-name', TABLE)
    yield made['TableDescription']['TableArn']
    aws('delete-table', '--table-name', TABLE)
    aws('wait', 'table-not-exists', '--table-name', TABLE)


def test_items(tmp_path):
    item = tmp_path / 'item.json'
    item.write_text(json.dumps({'artist': {'S': 'Acme'}, 'song': {'S': 'Happy Day'}, 'year': {'N': '2015'}, 'tags': {'SS': ['a', 'b']}}))
    assert not aws('put-item', '--table-name', TABLE, '--item', f'file://{item}')
    got = aws('get-item', '--table-name', TABLE, '--key', '{"artist": {"S": "Acme"}, "song": {"S": "Happy Day"}}', '--consistent-read',
              '--query', 'Item.{year: year.N, tags: tags.SS}')
    assert got == {'year': '2015', 'tags': ['a', 'b']}
    updated = aws('update-item', '--table-name', TABLE, '--key', 'artist={S=Acme},song={S=Happy Day}',
                  '--update-expression', 'SET #y = #y + :one', '--expression-attribute-names', '{"#y": "year"}',
                  '--expression-attribute-values', '{":one": {"N": "1"}}', '--return-values', 'UPDATED_NEW')
    assert updated == {'Attributes': {'year': {'N': '2016'}}}
    said = aws('put-item', '--table-name', TABLE, '--item', f'file://{item}', '--condition-expression', 'attribute_not_exists(artist)', ok=False)
    assert 'An error occurred (ConditionalCheckFailedException) when calling the PutItem operation: The conditional request failed' in said


def test_batches_and_pages(tmp_path):
    for start in range(0, 50, 25):
        requests = tmp_path / 'batch.json'
        requests.write_text(json.dumps({TABLE: [{'PutRequest': {'Item': {'artist': {'S': 'Many'}, 'song': {'S': f's{n:02}'}}}}
                                                for n in range(start, start + 25)]}))
        assert aws('batch-write-item', '--request-items', f'file://{requests}') == {'UnprocessedItems': {}}
    query = ('query', '--table-name', TABLE, '--key-condition-expression', 'artist = :a', '--expression-attribute-values', '{":a": {"S": "Many"}}')
    first = aws(*query, '--page-size', '7', '--max-items', '20')
    assert len(first['Items']) == 20
    rest = aws(*query, '--starting-token', first['NextToken'])
    assert [i['song']['S'] for i in rest['Items']] == [f's{n}' for n in range(20, 50)]
    assert aws('scan', '--table-name', TABLE, '--select', 'COUNT', '--filter-expression', 'begins_with(song, :s)',
               '--expression-attribute-values', '{":s": {"S": "s1"}}', '--query', 'Count') == 10
    skeleton = {'TransactItems': [{'Delete': {'TableName': TABLE, 'Key': {'artist': {'S': 'Many'}, 'song': {'S': f's{n:02}'}}}} for n in range(10)]}
    aws('transact-write-items', '--cli-input-json', json.dumps(skeleton))
    assert aws('execute-statement', '--statement', f"SELECT song FROM \"{TABLE}\" WHERE artist = 'Many' AND song < 's12'")['Items'] == [
        {'song': {'S': 's10'}}, {'song': {'S': 's11'}}]


def test_tables(table):
    assert TABLE in aws('list-tables')['TableNames']
    aws('tag-resource', '--resource-arn', table, '--tags', 'Key=stage,Value=test')
    assert {t['Key'] for t in aws('list-tags-of-resource', '--resource-arn', table)['Tags']} == {'team', 'stage'}
    aws('update-time-to-live', '--table-name', TABLE, '--time-to-live-specification', 'Enabled=true,AttributeName=expires')
    assert aws('describe-time-to-live', '--table-name', TABLE, '--query', 'TimeToLiveDescription.TimeToLiveStatus') == 'ENABLED'
    said = aws('describe-table', '--table-name', 'absent', ok=False)
    assert '(ResourceNotFoundException) when calling the DescribeTable operation: Requested resource not found: Table: absent not found' in said
