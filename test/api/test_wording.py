"""dynamo.validation_wording, over HTTP; base_wording.sql has the texts."""
import pytest

from conftest import raises

pytestmark = pytest.mark.not_aws


def test_newer(unchecked_client, table_s, own_setting):
    def put(**parameters):
        unchecked_client.put_item(TableName=table_s, **parameters)

    bad = {'Item': {'p': {'S': 'a'}, 'x': {'NS': []}}}
    invalid = 'One or more parameter values were invalid: An number set  may not be empty'
    one = '1 validation error detected: '
    with raises('ValidationException', one + "Value null at 'item' failed to satisfy constraint: Member must not be null"):
        put()
    with raises('ValidationException', invalid):
        put(**bad)
    own_setting('dynamo.validation_wording', 'newer')
    with raises('ValidationException', one + "Value at 'Item' failed to satisfy constraint: Member must not be null"):
        put()
    with raises('ValidationException', one + invalid):
        put(**bad)
    # The next operation is another one.
    with raises('ValidationException', invalid):
        unchecked_client.get_item(TableName=table_s, Key=bad['Item'])
    put(Item={'p': {'S': 'a'}})
