"""No text of a client's becomes a part of a statement.

Names and values that would end a quotation, open a comment or fill a place in
a format go in by every way there is; each must come out as it was or be
refused, and nothing else may have happened.  And no operator or function of
somebody else's is taken for PostgreSQL's own, where SQL runs with more rights
than its caller has.
"""
import pytest

from conftest import raises, unique

pytestmark = pytest.mark.not_aws

HOSTILE = [
    "'; DROP TABLE canary; --",
    '"; DROP TABLE canary; --',
    "x' OR '1'='1",
    "'); DELETE FROM canary; SELECT ('",
    '$1', '$$; DROP TABLE canary; $$', '%s%s%n%I%L', '%1$s', '\\', "\\'", "E'\\''",
    '/* */', '--', ';', '{}', '":"', '\u2019', '\ufeff', '\x00', 'a\x00b', '\r\n', '${aws:username}',
    'UNION SELECT secret_access_key FROM dynamo.access_keys',
    'dynamo.access_keys', '../../../etc/passwd', '`id`', '$(id)', '|| pg_sleep(10)',
]
# What table names and the like may not have is refused; this is what reaches the catalog.
QUOTED = ['evil"; DROP TABLE canary; --', "evil'; DROP TABLE canary; --", 'evil $$ %s \\', 'evil.x', 'SELECT']


@pytest.fixture
def canary(sql):
    """Nothing that goes on may touch this table, nor make or drop another."""
    def relations():
        return sql("SELECT relname FROM pg_class WHERE relnamespace::regnamespace::text NOT IN ('pg_toast', 'dynamo_internal')"
                   " AND relnamespace <> 'dynamo_data'::regnamespace ORDER BY 1")

    sql('DROP TABLE IF EXISTS public.canary')
    sql('CREATE TABLE public.canary AS SELECT 1 AS sings')
    before = relations()
    yield
    assert sql('SELECT sings FROM public.canary') == [(1,)]
    assert relations() == before
    sql('DROP TABLE public.canary')


@pytest.mark.parametrize('text', HOSTILE)
def test_values_and_names_of_attributes(client, canary, table_ss, text):
    key = {'p': {'S': unique() + text}, 's': {'S': text}}
    item = {**key, text: {'S': text}, 'm': {'M': {text: {'SS': [text]}}}}
    client.put_item(TableName=table_ss, Item=item)
    assert client.get_item(TableName=table_ss, Key=key)['Item'] == item
    reply = client.update_item(
        TableName=table_ss, Key=key, UpdateExpression='SET #n = :v',
        ConditionExpression='begins_with(#n, :v)', ExpressionAttributeNames={'#n': text},
        ExpressionAttributeValues={':v': {'S': text}}, ReturnValues='ALL_NEW')
    assert reply['Attributes'] == item
    found = client.query(TableName=table_ss, KeyConditionExpression='p = :p AND begins_with(s, :s)',
                         FilterExpression='contains(#n, :s)', ExpressionAttributeNames={'#n': text},
                         ExpressionAttributeValues={':p': key['p'], ':s': {'S': text}})['Items']
    assert found == [item]
    client.transact_write_items(ClientRequestToken=unique()[-20:] + "'\"$", TransactItems=[
        {'Delete': {'TableName': table_ss, 'Key': key}}])
    assert 'Item' not in client.get_item(TableName=table_ss, Key=key)


@pytest.mark.parametrize('text', HOSTILE)
def test_statements(client, canary, table_ss, text):
    key = {'p': {'S': unique() + text}, 's': {'S': text}}
    client.put_item(TableName=table_ss, Item={**key, 'a': {'S': text}})
    by_parameter = client.execute_statement(
        Statement=f'SELECT a FROM "{table_ss}" WHERE p = ? AND s = ?', Parameters=[key['p'], key['s']])
    assert by_parameter['Items'] == [{'a': {'S': text}}]
    quoted = {name: value['S'].replace("'", "''") for name, value in key.items()}
    by_literal = client.execute_statement(
        Statement=f"SELECT a FROM \"{table_ss}\" WHERE p = '{quoted['p']}' AND s = '{quoted['s']}'")
    assert by_literal['Items'] == [{'a': {'S': text}}]
    # Pasted in without quoting it is the client's own PartiQL at worst: never SQL.
    try:
        client.execute_statement(Statement=f"SELECT a FROM \"{table_ss}\" WHERE p = '{text}'")
        client.execute_statement(Statement=f'SELECT {text} FROM "{table_ss}" WHERE p = ?', Parameters=[key['p']])
    except client.exceptions.ClientError as error:
        assert error.response['Error']['Code'] in ('ValidationException', 'ResourceNotFoundException')


@pytest.mark.parametrize('text', HOSTILE + QUOTED)
def test_names_of_tables_and_indexes(unchecked_client, canary, table_ss, text):
    client = unchecked_client
    schema = {'AttributeDefinitions': [{'AttributeName': 'p', 'AttributeType': 'S'}],
              'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'}], 'BillingMode': 'PAY_PER_REQUEST'}
    if text not in ('evil.x', 'SELECT', 'dynamo.access_keys', '--'):
        with raises('ValidationException'):
            client.create_table(TableName=text, **schema)
        with raises('ValidationException'):
            client.update_table(TableName=table_ss, AttributeDefinitions=schema['AttributeDefinitions'],
                                GlobalSecondaryIndexUpdates=[{'Create': {
                                    'IndexName': text, 'KeySchema': schema['KeySchema'],
                                    'Projection': {'ProjectionType': 'ALL'}}}])
    for call in (lambda: client.describe_table(TableName=text),
                 lambda: client.delete_table(TableName=text),
                 lambda: client.get_item(TableName=text, Key={'p': {'S': 'x'}}),
                 lambda: client.query(TableName=table_ss, IndexName=text, KeyConditionExpression='p = :p',
                                      ExpressionAttributeValues={':p': {'S': 'x'}}),
                 lambda: client.list_tags_of_resource(ResourceArn=text),
                 lambda: client.describe_table(TableName='arn:aws:dynamodb:us-east-1:000000000000:table/' + text)):
        try:
            call()
            raise AssertionError('not refused')
        except client.exceptions.ClientError as error:
            assert error.response['Error']['Code'] in (
                'ValidationException', 'ResourceNotFoundException', 'AccessDeniedException')
    client.list_tables(ExclusiveStartTableName='abc')


@pytest.mark.parametrize('name', ['evil.x', 'SELECT', 'a--', 'pg_catalog.pg_class'])
def test_table_names_that_mean_something_in_sql(client, canary, make_table, name):
    """Legal names: a table of that name works, and PostgreSQL's own is not touched."""
    name = make_table(TableName=name)
    client.update_table(TableName=name, TableClass='STANDARD_INFREQUENT_ACCESS')
    client.put_item(TableName=name, Item={'p': {'S': name}})
    assert client.scan(TableName=name)['Items'] == [{'p': {'S': name}}]
    client.delete_table(TableName=name)


@pytest.mark.parametrize('text', QUOTED)
def test_tags_and_attributes_of_keys(client, canary, make_table, text):
    name = make_table(
        AttributeDefinitions=[{'AttributeName': text, 'AttributeType': 'S'}, {'AttributeName': text + '2', 'AttributeType': 'N'}],
        KeySchema=[{'AttributeName': text, 'KeyType': 'HASH'}],
        GlobalSecondaryIndexes=[{'IndexName': 'index', 'KeySchema': [{'AttributeName': text + '2', 'KeyType': 'HASH'}],
                                 'Projection': {'ProjectionType': 'INCLUDE', 'NonKeyAttributes': [text + '3']}}])
    arn = client.describe_table(TableName=name)['Table']['TableArn']
    client.put_item(TableName=name, Item={text: {'S': text}, text + '2': {'N': '1'}, text + '3': {'S': text}})
    assert client.scan(TableName=name, IndexName='index')['Count'] == 1
    client.update_time_to_live(TableName=name, TimeToLiveSpecification={'Enabled': True, 'AttributeName': text + '4'})
    try:
        client.tag_resource(ResourceArn=arn, Tags=[{'Key': text, 'Value': text}])
        assert client.list_tags_of_resource(ResourceArn=arn)['Tags'] == [{'Key': text, 'Value': text}]
        client.untag_resource(ResourceArn=arn, TagKeys=[text])
    except client.exceptions.ClientError as error:
        assert error.response['Error']['Code'] == 'ValidationException'


@pytest.mark.parametrize('text', QUOTED)
def test_a_relation_with_another_name(client, sql, canary, make_table, text):
    """An administrator may rename relations; statements about them quote what they find."""
    name = make_table()
    quote = '"' + text.replace('"', '""') + '"'
    sql(f'ALTER TABLE dynamo_data."{name}" RENAME TO {quote}')
    client.put_item(TableName=name, Item={'p': {'S': 'x'}, 'g': {'S': 'y'}})
    client.update_table(TableName=name, TableClass='STANDARD_INFREQUENT_ACCESS')
    client.update_table(TableName=name, AttributeDefinitions=[
        {'AttributeName': 'p', 'AttributeType': 'S'}, {'AttributeName': 'g', 'AttributeType': 'S'}],
        GlobalSecondaryIndexUpdates=[{'Create': {
            'IndexName': 'made-later', 'KeySchema': [{'AttributeName': 'g', 'KeyType': 'HASH'}],
            'Projection': {'ProjectionType': 'ALL'}}}])
    client.get_waiter('table_exists').wait(TableName=name, WaiterConfig={'Delay': 1})
    sql('CALL dynamo.run_jobs()')
    assert client.scan(TableName=name, IndexName='made-later')['Count'] == 1
    client.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{'Delete': {'IndexName': 'made-later'}}])
    sql('CALL dynamo.run_jobs()')
    client.delete_table(TableName=name)


@pytest.mark.parametrize('text', QUOTED)
def test_a_role_with_such_a_name(sql, canary, text):
    quote = '"' + text.replace('"', '""') + '"'
    sql(f'CREATE ROLE {quote}')
    try:
        (key,), = sql('SELECT access_key_id FROM dynamo.create_access_key(%s)', text)
        sql(f'SET ROLE {quote}')
        assert sql('SELECT count(*) FROM dynamo.my_access_keys') == [(1,)]
        sql('SELECT dynamo.update_access_key(%s, false)', key)
        sql('SELECT dynamo.delete_access_key(%s)', key)
        sql('RESET ROLE')
    finally:
        sql('RESET ROLE')
        sql(f'DROP OWNED BY {quote}')
        sql(f'DROP ROLE {quote}')


# Operators and functions that are preferred to PostgreSQL's own, by a search path
# that says so, wherever a statement leaves its names to the caller's.
TRAP = '''
CREATE SCHEMA evil;
CREATE TABLE evil.caught (what text, who name, stack text);
GRANT USAGE ON SCHEMA evil TO PUBLIC;
GRANT INSERT ON evil.caught TO PUBLIC;
CREATE FUNCTION evil.catch(what text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE stack text;
BEGIN
	GET DIAGNOSTICS stack = PG_CONTEXT;
	INSERT INTO evil.caught VALUES (what, current_user, stack);
END $$;
'''
TYPES = ('text', 'name', 'oid', 'int4', 'int8', 'bool', 'bytea', 'timestamptz', '"char"', 'uuid')
OPERATORS = {'=': 'OPERATOR(pg_catalog.=)', '<>': 'OPERATOR(pg_catalog.<>)', '<': 'OPERATOR(pg_catalog.<)',
             '>=': 'OPERATOR(pg_catalog.>=)', '<=': 'OPERATOR(pg_catalog.<=)', '>': 'OPERATOR(pg_catalog.>)'}
FUNCTIONS = ('clock_timestamp() RETURNS timestamptz', 'now() RETURNS timestamptz')


def set_trap(server):
    server.sql(TRAP)
    for number, kind in enumerate(TYPES):
        for operator, own in OPERATORS.items():
            function = f'evil.trap_{number}_{list(OPERATORS).index(operator)}'
            server.sql(f"CREATE FUNCTION {function}(a {kind}, b {kind}) RETURNS bool LANGUAGE plpgsql AS"
                       f" $$BEGIN PERFORM evil.catch('{operator} {kind}'); RETURN a {own} b; END$$")
            server.sql(f'CREATE OPERATOR evil.{operator} (LEFTARG = {kind}, RIGHTARG = {kind}, FUNCTION = {function})')
    for function in FUNCTIONS:
        name = function.partition('(')[0]
        server.sql(f"CREATE FUNCTION evil.{function} LANGUAGE plpgsql AS"
                   f" $$BEGIN PERFORM evil.catch('{name}'); RETURN pg_catalog.{name}(); END$$")


def test_nobody_elses_operators(own_server):
    server = own_server()
    client, streams = server.client(), server.client('dynamodbstreams')
    set_trap(server)
    # The trap works: what a session itself says falls into it.
    server.sql("SET search_path = evil, pg_catalog; SELECT 'a'::text = 'b'::text")
    assert server.sql("SELECT what, who FROM evil.caught") == [('= text', 'postgres')]
    server.sql('TRUNCATE evil.caught')
    server.sql('CREATE ROLE plain')
    server.sql('GRANT EXECUTE ON FUNCTION dynamo.create_access_key TO plain')
    server.sql('ALTER DATABASE postgres SET search_path = evil, pg_catalog, dynamo')
    server.stop()
    server.start()
    server.wait()

    table = {'AttributeDefinitions': [{'AttributeName': n, 'AttributeType': 'S'} for n in 'pg'],
             'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'}], 'BillingMode': 'PAY_PER_REQUEST',
             'GlobalSecondaryIndexes': [{'IndexName': 'one', 'KeySchema': [{'AttributeName': 'g', 'KeyType': 'HASH'}],
                                         'Projection': {'ProjectionType': 'ALL'}}]}
    arn = client.create_table(TableName='trapped', **table, Tags=[{'Key': 'a', 'Value': 'b'}], StreamSpecification={
        'StreamEnabled': True, 'StreamViewType': 'NEW_IMAGE'})['TableDescription']['TableArn']
    client.get_waiter('table_exists').wait(TableName='trapped', WaiterConfig={'Delay': 1})
    client.put_item(TableName='trapped', Item={'p': {'S': 'x'}, 'g': {'S': 'y'}, 'ttl': {'N': '1700000000'}})
    client.tag_resource(ResourceArn=arn, Tags=[{'Key': 'c', 'Value': 'd'}])
    client.list_tags_of_resource(ResourceArn=arn)
    client.untag_resource(ResourceArn=arn, TagKeys=['a'])
    client.update_time_to_live(TableName='trapped', TimeToLiveSpecification={'Enabled': True, 'AttributeName': 'ttl'})
    client.update_table(TableName='trapped', BillingMode='PROVISIONED',
                        ProvisionedThroughput={'ReadCapacityUnits': 5, 'WriteCapacityUnits': 5},
                        GlobalSecondaryIndexUpdates=[{'Update': {'IndexName': 'one', 'ProvisionedThroughput': {
                            'ReadCapacityUnits': 5, 'WriteCapacityUnits': 5}}}])
    client.update_table(TableName='trapped', TableClass='STANDARD_INFREQUENT_ACCESS')
    client.update_table(TableName='trapped', AttributeDefinitions=table['AttributeDefinitions'],
                        GlobalSecondaryIndexUpdates=[{'Create': {
                            'IndexName': 'two', 'KeySchema': table['GlobalSecondaryIndexes'][0]['KeySchema'],
                            'ProvisionedThroughput': {'ReadCapacityUnits': 5, 'WriteCapacityUnits': 5},
                            'Projection': {'ProjectionType': 'ALL'}}}])
    server.sql('CALL dynamo.run_jobs()')
    stream = client.describe_table(TableName='trapped')['Table']['LatestStreamArn']
    shard = streams.describe_stream(StreamArn=stream)['StreamDescription']['Shards'][0]['ShardId']
    iterator = streams.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType='TRIM_HORIZON')
    streams.get_records(ShardIterator=iterator['ShardIterator'])
    streams.list_streams()
    client.transact_write_items(ClientRequestToken='token', TransactItems=[
        {'Put': {'TableName': 'trapped', 'Item': {'p': {'S': 'z'}}}}])
    client.update_table(TableName='trapped', GlobalSecondaryIndexUpdates=[{'Delete': {'IndexName': 'two'}}])
    server.sql('CALL dynamo.run_jobs()')
    client.update_table(TableName='trapped', StreamSpecification={'StreamEnabled': False})
    server.sql("SET search_path = evil, pg_catalog, dynamo; SET ROLE plain; SELECT dynamo.update_access_key(k, false), dynamo.delete_access_key(k)"
               " FROM (SELECT access_key_id AS k FROM dynamo.create_access_key() OFFSET 0) key")
    client.delete_table(TableName='trapped')
    assert server.sql('SELECT DISTINCT what, who, stack FROM evil.caught') == []
