"""What comes and goes leaves nothing in a worker."""
import pathlib
import re

import pytest

pytestmark = pytest.mark.not_aws


def test_tables_made_and_deleted_leave_nothing(own_server):
    server = own_server('dynamo.workers=1', 'fsync=off')
    client = server.client()
    pid, = server.sql('SELECT pid FROM dynamo.stat_workers')[0]

    def memory():
        return int(re.search(r'^RssAnon:\s+(\d+)', pathlib.Path(f'/proc/{pid}/status').read_text(), re.M)[1])

    def make_and_delete(first, n):
        for i in range(first, first + n):
            client.create_table(TableName=f'table-{i}', BillingMode='PAY_PER_REQUEST',
                                KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}],
                                AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'}])
            client.delete_table(TableName=f'table-{i}')

    make_and_delete(0, 1100)
    before = memory()
    make_and_delete(1100, 1000)
    each = (memory() - before) / 1000
    print(f'{each:.2f} KB for a table that was made and deleted')
    assert each < 0.3
