"""The shop of examples/single-table answers what plain Python does."""
import pathlib
import sys

import botocore.exceptions
import pytest

from conftest import unique

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'examples/single-table'))
import shop  # noqa: E402

CUSTOMERS, PRODUCTS, SEED = 40, 15, 7


@pytest.fixture(scope='module')
def loaded(resource):
    table = shop.create(resource, unique('shop'))
    yield table, shop.load(table, CUSTOMERS, PRODUCTS, SEED)
    table.delete()


def test_reads(loaded):
    table, orders = loaded
    assert shop.customer_by_email(table, 'c3@example.com') == 'CUSTOMER#3'
    assert shop.customer_by_email(table, 'nobody@example.com') is None
    for customer in range(CUSTOMERS):
        own = [o for o in orders if o['customer'] == customer]
        key = f'CUSTOMER#{customer}'
        keys = sorted((f"ORDER#{o['date']}#{o['id']}" for o in own), reverse=True)
        assert shop.latest_orders(table, key, 3) == keys[:3]
        large = [(o['total'], o['state']) for o in own if o['total'] >= 100]
        assert sorted(shop.largest_orders(table, key, 100)) == sorted(large)
        totals = [total for total, _ in shop.largest_orders(table, key, 0)]
        assert totals == sorted((o['total'] for o in own), reverse=True)
    for state in shop.STATES:
        wanted = sorted(f"ORDER#{o['id']}" for o in orders
                        if o['state'] == state and '2026-03-01' <= o['date'] <= '2026-07-15')
        assert shop.orders_in_state(table, state, '2026-03-01', '2026-07-15') == wanted
    for product in range(PRODUCTS):
        assert shop.sales_of(table, product) == sorted(o['date'] for o in orders if product in o['lines'])
    for order in orders[:20]:
        assert shop.lines_of(table, order['id']) == order['lines']


def test_cheapest(loaded):
    table, _ = loaded
    products = [i for i in shop.all_pages(table.scan) if i['PK'].startswith('PRODUCT#')]
    for category in shop.CATEGORIES:
        of_it = sorted((i['Price'], i['PK']) for i in products if i['GSI1PK'] == f'CATEGORY#{category}')
        assert sorted(shop.cheapest_of(table, category, 100)) == sorted(pk for _, pk in of_it)
        prices = {pk: price for price, pk in of_it}
        assert [prices[pk] for pk in shop.cheapest_of(table, category, 3)] == [price for price, _ in of_it[:3]]


def test_shipping_moves_the_order_in_the_index(loaded):
    table, orders = loaded
    order = next(o for o in orders if o['state'] == 'PAID')
    customer, key = f"CUSTOMER#{order['customer']}", f"ORDER#{order['date']}#{order['id']}"

    def stock():
        return [table.get_item(Key={'PK': f'PRODUCT#{p}', 'SK': 'INFO'})['Item']['Stock'] for p in order['lines']]

    def shipped():
        return f"ORDER#{order['id']}" in shop.orders_in_state(table, 'SHIPPED', '2026-01-01', '2026-12-31')

    before = stock()
    assert not shipped()
    shop.ship(table, customer, key, order['lines'])
    assert shipped()
    assert f"ORDER#{order['id']}" not in shop.orders_in_state(table, 'PAID', '2026-01-01', '2026-12-31')
    assert stock() == [n - 1 for n in before]

    # A second time nothing changes at all.
    with pytest.raises(botocore.exceptions.ClientError) as error:
        shop.ship(table, customer, key, order['lines'])
    assert [r['Code'] for r in error.value.response['CancellationReasons']][0] == 'ConditionalCheckFailed'
    assert stock() == [n - 1 for n in before]
