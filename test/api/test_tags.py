"""TagResource, UntagResource, ListTagsOfResource, and Tags of CreateTable."""
import concurrent.futures
import re

import pytest

from conftest import raises, unique

VALIDATION = 'ValidationException'
INVALID = 'One or more parameter values were invalid: '
ONE = '1 validation error detected: '


def arn_of(client, name):
    return client.describe_table(TableName=name)['Table']['TableArn']


def tags_of(client, arn):
    """All tags, over all pages."""
    return {tag['Key']: tag['Value'] for page in
            client.get_paginator('list_tags_of_resource').paginate(ResourceArn=arn)
            for tag in page['Tags']}


@pytest.fixture
def arn(client, make_table):
    return arn_of(client, make_table())


def tag(key, value=''):
    return {'Key': key, 'Value': value}


def test_tags_come_and_go(client, arn):
    assert tags_of(client, arn) == {}
    client.tag_resource(ResourceArn=arn, Tags=[tag('a', '1'), tag('b', '2')])
    client.tag_resource(ResourceArn=arn, Tags=[tag('b', '3'), tag('c')])
    assert tags_of(client, arn) == {'a': '1', 'b': '3', 'c': ''}
    # One that is not there is no error.
    client.untag_resource(ResourceArn=arn, TagKeys=['a', 'never'])
    assert tags_of(client, arn) == {'b': '3', 'c': ''}


def test_bodies_are_empty(raw, arn):
    for operation, more in (('TagResource', {'Tags': [tag('a')]}),
                            ('UntagResource', {'TagKeys': ['a']})):
        reply = raw(operation, {'ResourceArn': arn, **more})
        assert (reply.status, reply.body) == (200, b'')


def test_tags_of_a_new_table(client, make_table):
    arn = arn_of(client, make_table(Tags=[tag('owner', 'me'), tag('empty')]))
    assert tags_of(client, arn) == {'owner': 'me', 'empty': ''}


def test_tags_go_with_the_table(client, make_table):
    name = make_table(Tags=[tag('a')])
    arn = arn_of(client, name)
    client.delete_table(TableName=name)
    client.get_waiter('table_not_exists').wait(TableName=name)
    with raises('ResourceNotFoundException',
                f'Requested resource not found: ResourcArn: {arn} not found'):
        client.list_tags_of_resource(ResourceArn=arn)
    make_table(TableName=name)
    assert tags_of(client, arn) == {}


def test_pages(client, arn):
    wanted = {f'k{i:02}': str(i) for i in range(25)}
    client.tag_resource(ResourceArn=arn, Tags=[tag(k, v) for k, v in wanted.items()])
    sizes = []
    token = {}
    while True:
        page = client.list_tags_of_resource(ResourceArn=arn, **token)
        sizes.append(len(page['Tags']))
        if 'NextToken' not in page:
            break
        token = {'NextToken': page['NextToken']}
    assert sizes == [10, 10, 5]
    assert tags_of(client, arn) == wanted


@pytest.mark.not_aws
@pytest.mark.parametrize('token', ['', 'x', '6', '6G', 'ff', '00'])
def test_bad_token(client, arn, token):
    with raises(VALIDATION, re.compile('Invalid NextToken')):
        client.list_tags_of_resource(ResourceArn=arn, NextToken=token)


def test_fifty_tags(client, arn):
    client.tag_resource(ResourceArn=arn, Tags=[tag(f'k{i}') for i in range(50)])
    # One that is there may change, another one is too many.
    client.tag_resource(ResourceArn=arn, Tags=[tag('k0', 'new')])
    with raises(VALIDATION):
        client.tag_resource(ResourceArn=arn, Tags=[tag('one more')])
    with raises(VALIDATION):
        client.tag_resource(ResourceArn=arn, Tags=[tag(f'n{i}') for i in range(51)])
    tags = tags_of(client, arn)
    assert len(tags) == 50 and tags['k0'] == 'new'


def test_too_many_tags_make_no_table(client, make_table):
    name = unique('dynamo-test-')
    with raises(VALIDATION):
        make_table(TableName=name, Tags=[tag(f'k{i}') for i in range(51)])
    with raises('ResourceNotFoundException'):
        client.describe_table(TableName=name)


# Lengths count characters, not bytes; letters are those of any script.
def test_longest_tags(client, arn):
    wanted = {'k' * 128: 'v' * 256, 'Ü' * 128: '漢' * 256, 'a b+-=._:/@9': 'Ωω'}
    client.tag_resource(ResourceArn=arn, Tags=[tag(k, v) for k, v in wanted.items()])
    assert tags_of(client, arn) == wanted


@pytest.mark.parametrize('tags,message', [
    (None, ONE + "Value null at 'tags' failed to satisfy constraint: Member must not be null"),
    ([], 'Atleast one Tag needs to be provided as Input.'),
    ([{'Value': 'v'}], ONE + "Value null at 'tags.1.member.key' failed to satisfy constraint: Member must not be null"),
    ([{'Key': 'k'}], ONE + "Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null"),
    ([tag('')], ONE + "Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1"),
    ([tag('a'), tag('k' * 129)], re.compile("at 'tags.2.member.key' failed to satisfy constraint: Member must have length less than or equal to 128")),
    ([tag('k', 'v' * 257)], re.compile("at 'tags.1.member.value' failed to satisfy constraint: Member must have length less than or equal to 256")),
    ([tag('aws:k')], re.compile('aws:')),
    ([tag('k#')], None),
    ([tag('k', 'v\n')], None),
    ([tag('k', '\u200b')], None),
    ([tag('k', '☃')], None),
    ([tag('k\0')], None),
])
def test_bad_tags(unchecked_client, arn, tags, message):
    parameters = {'ResourceArn': arn, **({} if tags is None else {'Tags': tags})}
    with raises(VALIDATION, message):
        unchecked_client.tag_resource(**parameters)
    assert tags_of(unchecked_client, arn) == {}


@pytest.mark.parametrize('keys,message', [
    (None, ONE + "Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"),
    ([], 'Atleast one Tag Key needs to be provided as Input.'),
    (['a', ''], ONE + "Value '' at 'tagKeys.2.member' failed to satisfy constraint: Member must have length greater than or equal to 1"),
])
def test_bad_keys(unchecked_client, arn, keys, message):
    parameters = {'ResourceArn': arn, **({} if keys is None else {'TagKeys': keys})}
    with raises(VALIDATION, message):
        unchecked_client.untag_resource(**parameters)


def test_order_of_checks(check_order):
    """What is wrong with the ARN itself, with the list, and last that there is no such table."""
    for operation, member, bad in (('TagResource', 'Tags', [{'Key': 'a'}]), ('UntagResource', 'TagKeys', [''])):
        check_order(operation, {'ResourceArn': TABLE, member: None},
                    ({member: bad}, re.compile('^1 validation error detected: ')),
                    ({'ResourceArn': None}, 'Invalid TableArn'),
                    ({'ResourceArn': 'arn:aws:x'}, MALFORMED.format('arn:aws:x')),
                    ({member: []}, re.compile('^Atleast one Tag .*needs to be provided as Input.$')),
                    ({'ResourceArn': TABLE, member: [tag('a')] if member == 'Tags' else ['a']}, UNKNOWN.format(TABLE)))


TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/no-such-table'
UNKNOWN = 'Requested resource not found: ResourcArn: {} not found'
MALFORMED = 'Invalid TableArn: Invalid ResourceArn provided as input {}'


@pytest.mark.parametrize('operation,more', [
    ('tag_resource', {'Tags': [tag('a')]}),
    ('untag_resource', {'TagKeys': ['a']}),
    ('list_tags_of_resource', {}),
])
@pytest.mark.parametrize('resource,code,message', [
    (None, VALIDATION, 'Invalid TableArn'),
    ('no-such-table', VALIDATION, None),
    (TABLE, 'ResourceNotFoundException', UNKNOWN),
    (TABLE + '/stream/2026-11-21T00:00:00.000', 'ResourceNotFoundException', UNKNOWN),
    (TABLE + '/index/abc', VALIDATION, None),
    ('arn:', VALIDATION, MALFORMED),
    ('arn:aws:dynamodb:us-east-1:000000000000:table/', VALIDATION, MALFORMED),
    ('arn:aws:dynamodb:us-east-1:000000000000:chair/a', VALIDATION, MALFORMED),
    ('arn:aws:dynamodb:us-east-1:12:table/abc', VALIDATION, MALFORMED),
    ('arn:aws:s3:us-east-1:000000000000:table/abc', VALIDATION, MALFORMED),
    (TABLE + '/else', VALIDATION, MALFORMED),
    (TABLE + '\0', VALIDATION, None),
])
def test_bad_arns(unchecked_client, operation, more, resource, code, message):
    parameters = {} if resource is None else {'ResourceArn': resource}
    with raises(code, message and message.format(resource)):
        getattr(unchecked_client, operation)(**parameters, **more)


def test_concurrent_changes_lose_nothing(client, arn):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: client.tag_resource(ResourceArn=arn, Tags=[tag(f'k{i}')]),
                      range(40)))
    assert set(tags_of(client, arn)) == {f'k{i}' for i in range(40)}


def test_tags_in_sql(client, make_table, sql):
    name = make_table(Tags=[tag('owner', 'me')])
    assert sql('SELECT key, value FROM dynamo.tags WHERE table_name = %s', name) == \
        [('owner', 'me')]
