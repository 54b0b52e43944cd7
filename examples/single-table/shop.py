#!/usr/bin/python3
"""A shop in one table: customers, orders, products, and eight questions.

usage: shop.py [--table NAME] [--customers N] [--products N] [--seed N]

Endpoint, region and credentials come from the environment, as for any SDK.
Ordinary boto3; nothing in here is made for dynamo.

    PK              SK                       GSI1PK          GSI1SK       GSI2PK          GSI2SK
    CUSTOMER#id     PROFILE                  EMAIL#address   PROFILE
    CUSTOMER#id     ORDER#date#id            STATUS#state    date         ORDER#id        INFO
    ORDER#id        LINE#nnn                                              PRODUCT#id      date
    PRODUCT#id      INFO                     CATEGORY#name   price

The items under one PK are an item collection: a customer and his orders are one
Query.  GSI1 and GSI2 are overloaded: what they mean depends on the kind of item,
and an item without their attributes isn't in them.  The local index has a
customer's orders by total instead of by date.
"""
import argparse
import datetime
import decimal
import random

import boto3
from boto3.dynamodb.conditions import Attr, Key

STATES = ('OPEN', 'PAID', 'SHIPPED', 'RETURNED')
CATEGORIES = ('book', 'game', 'music', 'tool')


def create(dynamodb, name):
    def schema(partition, sort):
        return [{'AttributeName': partition, 'KeyType': 'HASH'}, {'AttributeName': sort, 'KeyType': 'RANGE'}]

    def index(number):
        return {'IndexName': f'GSI{number}', 'KeySchema': schema(f'GSI{number}PK', f'GSI{number}SK'),
                'Projection': {'ProjectionType': 'ALL'}}

    table = dynamodb.create_table(
        TableName=name, BillingMode='PAY_PER_REQUEST', KeySchema=schema('PK', 'SK'),
        AttributeDefinitions=[{'AttributeName': a, 'AttributeType': 'N' if a == 'Total' else 'S'}
                              for a in ('PK', 'SK', 'GSI1PK', 'GSI1SK', 'GSI2PK', 'GSI2SK', 'Total')],
        GlobalSecondaryIndexes=[index(1), index(2)],
        LocalSecondaryIndexes=[{'IndexName': 'ByTotal', 'KeySchema': schema('PK', 'Total'),
                                'Projection': {'ProjectionType': 'INCLUDE', 'NonKeyAttributes': ['Stage']}}])
    table.wait_until_exists()
    return table


def price_key(price):
    """Prices as text that sorts as numbers do."""
    return f'{price:012.2f}'


def load(table, customers, products, seed):
    """Write the shop; returns its orders, for whoever wants to check answers."""
    chance = random.Random(seed)
    day = datetime.date(2026, 1, 1)
    prices = {}
    orders = []
    with table.batch_writer() as batch:
        for p in range(products):
            prices[p] = decimal.Decimal(chance.randint(100, 20000)) / 100
            batch.put_item({'PK': f'PRODUCT#{p}', 'SK': 'INFO', 'GSI1PK': f'CATEGORY#{chance.choice(CATEGORIES)}',
                            'GSI1SK': price_key(prices[p]), 'Price': prices[p], 'Stock': chance.randint(50, 99)})
        for c in range(customers):
            batch.put_item({'PK': f'CUSTOMER#{c}', 'SK': 'PROFILE', 'GSI1PK': f'EMAIL#c{c}@example.com',
                            'GSI1SK': 'PROFILE', 'Name': f'Customer {c}'})
            for _ in range(chance.randint(0, 8)):
                order = {'id': len(orders), 'customer': c, 'state': chance.choice(STATES),
                         'date': str(day + datetime.timedelta(days=chance.randint(0, 300))),
                         'lines': chance.sample(range(products), chance.randint(1, 4))}
                order['total'] = sum(prices[p] for p in order['lines'])
                orders.append(order)
                batch.put_item({'PK': f'CUSTOMER#{c}', 'SK': f"ORDER#{order['date']}#{order['id']}",
                                'GSI1PK': f"STATUS#{order['state']}", 'GSI1SK': order['date'],
                                'GSI2PK': f"ORDER#{order['id']}", 'GSI2SK': 'INFO',
                                'Stage': order['state'], 'Total': order['total']})
                for n, p in enumerate(order['lines']):
                    batch.put_item({'PK': f"ORDER#{order['id']}", 'SK': f'LINE#{n:03}', 'GSI2PK': f'PRODUCT#{p}',
                                    'GSI2SK': order['date'], 'Product': p, 'Price': prices[p]})
    return orders


def all_pages(read, **request):
    items = []
    while True:
        page = read(**request)
        items += page['Items']
        if 'LastEvaluatedKey' not in page:
            return items
        request['ExclusiveStartKey'] = page['LastEvaluatedKey']


# ----- the questions -----

def customer_by_email(table, address):
    found = table.query(IndexName='GSI1', KeyConditionExpression=Key('GSI1PK').eq(f'EMAIL#{address}'))['Items']
    return found[0]['PK'] if found else None


def latest_orders(table, customer, count):
    return [i['SK'] for i in table.query(
        KeyConditionExpression=Key('PK').eq(customer) & Key('SK').begins_with('ORDER#'),
        ScanIndexForward=False, Limit=count)['Items']]


def largest_orders(table, customer, at_least):
    return [(i['Total'], i['Stage']) for i in all_pages(
        table.query, IndexName='ByTotal', ScanIndexForward=False, ConsistentRead=True,
        KeyConditionExpression=Key('PK').eq(customer) & Key('Total').gte(at_least))]


def orders_in_state(table, state, first, last):
    return sorted(i['GSI2PK'] for i in all_pages(
        table.query, IndexName='GSI1', Limit=7,
        KeyConditionExpression=Key('GSI1PK').eq(f'STATUS#{state}') & Key('GSI1SK').between(first, last)))


def lines_of(table, order):
    return [i['Product'] for i in all_pages(table.query, KeyConditionExpression=Key('PK').eq(f'ORDER#{order}'))]


def sales_of(table, product):
    return [i['GSI2SK'] for i in all_pages(
        table.query, IndexName='GSI2', KeyConditionExpression=Key('GSI2PK').eq(f'PRODUCT#{product}'))]


def cheapest_of(table, category, count):
    return [i['PK'] for i in table.query(IndexName='GSI1', Limit=count,
                                         KeyConditionExpression=Key('GSI1PK').eq(f'CATEGORY#{category}'))['Items']]


def ship(table, customer, order_key, products):
    """An order leaves the house: its state, the stock and the customer change together, or nothing does."""
    def update(pk, sk, expression, condition, values):
        return {'Update': {'TableName': table.name, 'Key': {'PK': pk, 'SK': sk}, 'UpdateExpression': expression,
                           'ConditionExpression': condition, 'ExpressionAttributeValues': values}}

    table.meta.client.transact_write_items(TransactItems=[
        update(customer, order_key, 'SET GSI1PK = :index, Stage = :shipped', 'Stage = :paid',
               {':index': 'STATUS#SHIPPED', ':shipped': 'SHIPPED', ':paid': 'PAID'}),
        update(customer, 'PROFILE', 'ADD Shipped :one', 'attribute_exists(PK)', {':one': 1}),
        *(update(f'PRODUCT#{p}', 'INFO', 'ADD Stock :less', 'Stock > :none', {':less': -1, ':none': 0})
          for p in products)])



def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--table', default='shop')
    parser.add_argument('--customers', type=int, default=100)
    parser.add_argument('--products', type=int, default=50)
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    dynamodb = boto3.resource('dynamodb')
    table = create(dynamodb, options.table)
    orders = load(table, options.customers, options.products, options.seed)
    print(f'{options.customers} customers, {options.products} products, {len(orders)} orders')
    customer = customer_by_email(table, 'c1@example.com')
    print('c1@example.com is', customer)
    print('latest orders:', latest_orders(table, customer, 3))
    print('orders of 100 and more:', largest_orders(table, customer, 100))
    print('open in spring:', len(orders_in_state(table, 'OPEN', '2026-03-01', '2026-05-31')))
    print('sales of product 7:', sales_of(table, 7))
    print('cheapest books:', cheapest_of(table, 'book', 3))
    paid = next(o for o in orders if o['state'] == 'PAID')
    ship(table, f"CUSTOMER#{paid['customer']}", f"ORDER#{paid['date']}#{paid['id']}", lines_of(table, paid['id']))
    print('shipped: order', paid['id'])
    print('low on stock:', [i['PK'] for i in all_pages(table.scan, FilterExpression=Attr('Stock').lt(52))])


if __name__ == '__main__':
    main()
