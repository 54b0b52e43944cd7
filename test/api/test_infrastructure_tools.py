"""What infrastructure tools and inventories call: the sequences of Terraform's
provider, and descriptions of features no table has yet."""
import re

import pytest

from conftest import ON_AWS, raises, unique, wait_for

VALIDATION = 'ValidationException'
PATIENCE = 1800 if ON_AWS else 60


class Terraform:
    """An aws_dynamodb_table: the calls of the provider, in its order."""

    def __init__(self, client, name):
        self.client = client
        self.name = name

    def wait_active(self):
        def ready():
            table = self.client.describe_table(TableName=self.name)['Table']
            return table['TableStatus'] == 'ACTIVE' and \
                all(i['IndexStatus'] == 'ACTIVE' for i in table.get('GlobalSecondaryIndexes', [])) and \
                table['WarmThroughput']['Status'] == 'ACTIVE'
        wait_for(ready, PATIENCE)

    def create(self, **definition):
        ttl = definition.pop('ttl', None)
        self.arn = self.client.create_table(TableName=self.name, **definition)['TableDescription']['TableArn']
        self.wait_active()
        if ttl:
            self.update_ttl(ttl, True)

    def update_ttl(self, attribute, enabled):
        self.client.update_time_to_live(TableName=self.name, TimeToLiveSpecification={
            'AttributeName': attribute, 'Enabled': enabled})
        wanted = 'ENABLED' if enabled else 'DISABLED'
        wait_for(lambda: self.client.describe_time_to_live(TableName=self.name)[
            'TimeToLiveDescription']['TimeToLiveStatus'] == wanted, PATIENCE)

    def read(self):
        """The state a plan compares with the configuration."""
        table = self.client.describe_table(TableName=self.name)['Table']
        backups = self.client.describe_continuous_backups(TableName=self.name)['ContinuousBackupsDescription']
        ttl = self.client.describe_time_to_live(TableName=self.name)['TimeToLiveDescription']
        tags = self.client.list_tags_of_resource(ResourceArn=self.arn)
        for status in ('TableStatus', 'ItemCount', 'TableSizeBytes'):
            table.pop(status)
        return {
            'table': table,
            'recovery': backups['PointInTimeRecoveryDescription']['PointInTimeRecoveryStatus'],
            'ttl': (ttl['TimeToLiveStatus'], ttl.get('AttributeName')),
            'tags': {t['Key']: t['Value'] for t in tags['Tags']}}

    def destroy(self):
        self.client.delete_table(TableName=self.name)

        def gone():
            try:
                self.client.describe_table(TableName=self.name)
            except self.client.exceptions.ResourceNotFoundException:
                return True
            return False
        wait_for(gone, PATIENCE)


DEFINITION = {
    'BillingMode': 'PAY_PER_REQUEST', 'TableClass': 'STANDARD',
    'DeletionProtectionEnabled': False,
    'AttributeDefinitions': [{'AttributeName': n, 'AttributeType': 'S'} for n in ('p', 's', 'g')],
    'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'}, {'AttributeName': 's', 'KeyType': 'RANGE'}],
    'GlobalSecondaryIndexes': [{
        'IndexName': 'by-g', 'KeySchema': [{'AttributeName': 'g', 'KeyType': 'HASH'}],
        'Projection': {'ProjectionType': 'INCLUDE', 'NonKeyAttributes': ['x']}}],
    'Tags': [{'Key': 'Name', 'Value': 'orders'}, {'Key': 'stage', 'Value': 'test'}]}


@pytest.fixture
def terraform(client):
    made = Terraform(client, unique('dynamo-test-'))
    yield made
    try:
        client.delete_table(TableName=made.name)
    except client.exceptions.ClientError:
        pass


def test_apply_apply_destroy(terraform):
    terraform.create(**DEFINITION, ttl='expires')
    state = terraform.read()
    assert state['ttl'] == ('ENABLED', 'expires')
    assert state['tags'] == {'Name': 'orders', 'stage': 'test'}
    assert state['recovery'] == 'DISABLED'
    assert [i['IndexName'] for i in state['table']['GlobalSecondaryIndexes']] == ['by-g']
    # A second apply finds nothing to do: the state is the same, read by read.
    assert terraform.read() == state
    terraform.destroy()


def test_changes_of_an_apply(terraform, client):
    terraform.create(**DEFINITION)
    client.tag_resource(ResourceArn=terraform.arn, Tags=[{'Key': 'stage', 'Value': 'live'}])
    client.untag_resource(ResourceArn=terraform.arn, TagKeys=['Name'])
    terraform.update_ttl('expires', True)
    # One kind of change per UpdateTable, waiting after each.
    client.update_table(TableName=terraform.name, DeletionProtectionEnabled=True)
    terraform.wait_active()
    client.update_table(TableName=terraform.name, TableClass='STANDARD_INFREQUENT_ACCESS')
    terraform.wait_active()
    client.update_table(
        TableName=terraform.name, AttributeDefinitions=DEFINITION['AttributeDefinitions'],
        GlobalSecondaryIndexUpdates=[{'Create': {
            'IndexName': 'by-s', 'KeySchema': [{'AttributeName': 's', 'KeyType': 'HASH'}],
            'Projection': {'ProjectionType': 'ALL'}}}])
    terraform.wait_active()
    client.update_table(TableName=terraform.name,
                        GlobalSecondaryIndexUpdates=[{'Delete': {'IndexName': 'by-g'}}])
    wait_for(lambda: len(client.describe_table(TableName=terraform.name)['Table'][
        'GlobalSecondaryIndexes']) == 1, PATIENCE)
    terraform.wait_active()
    state = terraform.read()
    assert state['tags'] == {'stage': 'live'}
    assert state['table']['DeletionProtectionEnabled'] is True
    assert state['table']['TableClassSummary']['TableClass'] == 'STANDARD_INFREQUENT_ACCESS'
    assert [i['IndexName'] for i in state['table']['GlobalSecondaryIndexes']] == ['by-s']
    with raises(VALIDATION):
        terraform.destroy()
    client.update_table(TableName=terraform.name, DeletionProtectionEnabled=False)
    terraform.wait_active()
    terraform.destroy()


def test_waiters(client, terraform):
    client.create_table(TableName=terraform.name, **DEFINITION)
    client.get_waiter('table_exists').wait(TableName=terraform.name)
    client.delete_table(TableName=terraform.name)
    client.get_waiter('table_not_exists').wait(TableName=terraform.name)


# ----- features no table has -----

def without_metadata(reply):
    reply.pop('ResponseMetadata')
    return reply


def test_descriptions_of_what_a_table_does_not_have(client, table_s):
    arn = client.describe_table(TableName=table_s)['Table']['TableArn']
    assert without_metadata(client.describe_continuous_backups(TableName=table_s)) == {
        'ContinuousBackupsDescription': {
            'ContinuousBackupsStatus': 'ENABLED',
            'PointInTimeRecoveryDescription': {'PointInTimeRecoveryStatus': 'DISABLED'}}}
    assert without_metadata(client.describe_kinesis_streaming_destination(TableName=table_s)) == {
        'TableName': table_s, 'KinesisDataStreamDestinations': []}
    assert client.describe_contributor_insights(TableName=table_s)['ContributorInsightsStatus'] == 'DISABLED'
    assert client.describe_table_replica_auto_scaling(TableName=table_s)[
        'TableAutoScalingDescription']['TableName'] == table_s
    assert client.list_backups(TableName=table_s)['BackupSummaries'] == []
    assert client.list_contributor_insights(TableName=table_s)['ContributorInsightsSummaries'] == []
    with raises('PolicyNotFoundException', None if ON_AWS else
                f'Resource-based policy not found for the provided ResourceArn: {arn}'):
        client.get_resource_policy(ResourceArn=arn)


@pytest.mark.not_aws
def test_lists_of_nothing(client):
    assert client.list_global_tables()['GlobalTables'] == []
    assert client.list_exports()['ExportSummaries'] == []
    assert client.list_imports()['ImportSummaryList'] == []


@pytest.mark.parametrize('operation,member,path,value', [
    ('list_backups', 'Limit', 'limit', 0),
    ('list_exports', 'MaxResults', 'maxResults', 26),
    ('list_imports', 'PageSize', 'pageSize', 26),
    ('list_contributor_insights', 'MaxResults', 'maxResults', 101),
])
def test_limits_of_lists(unchecked_client, operation, member, path, value):
    with raises(VALIDATION, re.compile(f"Value '{value}' at '{path}' failed to satisfy constraint: Member must have value")):
        getattr(unchecked_client, operation)(**{member: value})


@pytest.mark.parametrize('operation,code,message', [
    ('describe_continuous_backups', 'TableNotFoundException', 'Table not found: no-such-table'),
    ('describe_kinesis_streaming_destination', 'ResourceNotFoundException', None),
    ('describe_contributor_insights', 'ResourceNotFoundException', None),
    ('describe_table_replica_auto_scaling', 'ResourceNotFoundException', None),
    ('list_contributor_insights', 'ResourceNotFoundException', None),
])
def test_descriptions_of_absent_tables(client, operation, code, message):
    with raises(code, message):
        getattr(client, operation)(TableName='no-such-table')


def test_insights_of_an_index(client, make_table):
    name = make_table(**DEFINITION)
    reply = client.describe_contributor_insights(TableName=name, IndexName='by-g')
    assert (reply['IndexName'], reply['ContributorInsightsStatus']) == ('by-g', 'DISABLED')
    with raises('ResourceNotFoundException'):
        client.describe_contributor_insights(TableName=name, IndexName='absent')


def test_policies_of_what_is_not_there(unchecked_client):
    with raises(VALIDATION):
        unchecked_client.get_resource_policy()
    with raises(VALIDATION):
        unchecked_client.get_resource_policy(ResourceArn='no-such-table')
    with raises('ResourceNotFoundException'):
        unchecked_client.get_resource_policy(
            ResourceArn='arn:aws:dynamodb:us-east-1:000000000000:table/no-such-table')


# What would switch them on is refused openly.
@pytest.mark.not_aws
@pytest.mark.parametrize('operation', [
    'UpdateContinuousBackups', 'EnableKinesisStreamingDestination', 'UpdateContributorInsights',
    'CreateBackup', 'CreateGlobalTable', 'UpdateTableReplicaAutoScaling'])
def test_mutating_operations_are_unknown(raw, table_s, operation):
    assert raw(operation, {'TableName': table_s}).type == 'UnknownOperationException'
