// A shop on the AWS SDK's document client: paginators, transactions, batches, statements.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient, TransactionCanceledException, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand, BatchWriteCommand, DynamoDBDocumentClient, ExecuteStatementCommand, GetCommand, NumberValue, PutCommand, QueryCommand,
  TransactGetCommand, TransactWriteCommand, UpdateCommand, paginateQuery, paginateScan,
} from '@aws-sdk/lib-dynamodb';

const TableName = 'clients-shop';
const client = new DynamoDBClient({});
const shop = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true, convertEmptyValues: false } });

before(async () => {
  await client.send(new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk', 'status'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
    GlobalSecondaryIndexes: [{
      IndexName: 'by-status',
      KeySchema: [{ AttributeName: 'status', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
      Projection: { ProjectionType: 'ALL' },
    }],
  }));
  await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName });
});

after(() => client.send(new DeleteTableCommand({ TableName })));

test('values come back as JavaScript has them', async () => {
  const item = {
    pk: 'customer#1', sk: 'profile', name: 'Ada', tags: new Set(['new', 'vip']), scores: new Set([1, 2.5]), photo: Uint8Array.from([1, 2, 3]),
    address: { street: 'High St', numbers: [1, 'two', null, true] }, nothing: undefined, empty: '', big: 12345678901234567890n,
  };
  await shop.send(new PutCommand({ TableName, Item: item }));
  const { Item } = await shop.send(new GetCommand({ TableName, Key: { pk: 'customer#1', sk: 'profile' } }));
  const { nothing, ...rest } = item;
  assert.deepEqual(Item, rest);

  // More digits than a double has.
  const exact = '0.12345678901234567890123456789012345678';
  await shop.send(new UpdateCommand({
    TableName, Key: { pk: 'customer#1', sk: 'profile' }, UpdateExpression: 'SET balance = :b', ExpressionAttributeValues: { ':b': NumberValue.from(exact) },
  }));
  const exactly = DynamoDBDocumentClient.from(new DynamoDBClient({}), { unmarshallOptions: { wrapNumbers: true } });
  const read = await exactly.send(new GetCommand({ TableName, Key: { pk: 'customer#1', sk: 'profile' } }));
  assert.equal(read.Item.balance.value, exact);
});

test('a batch is written until nothing is left, and read page by page', async () => {
  let requests = Array.from({ length: 60 }, (_, n) => ({
    PutRequest: { Item: { pk: 'customer#2', sk: `order#${String(n).padStart(3, '0')}`, amount: n, status: n % 3 ? 'open' : 'paid' } },
  }));
  while (requests.length) {
    const { UnprocessedItems } = await shop.send(new BatchWriteCommand({ RequestItems: { [TableName]: requests.slice(0, 25) } }));
    requests = [...(UnprocessedItems[TableName] ?? []), ...requests.slice(25)];
  }
  const orders = [];
  let pages = 0;
  for await (const page of paginateQuery({ client: shop, pageSize: 17 }, {
    TableName, KeyConditionExpression: 'pk = :p AND begins_with(sk, :o)', FilterExpression: 'amount BETWEEN :low AND :high',
    ExpressionAttributeValues: { ':p': 'customer#2', ':o': 'order#', ':low': 10, ':high': 49 }, ScanIndexForward: false,
  })) {
    pages += 1;
    orders.push(...page.Items.map((i) => i.amount));
  }
  assert.deepEqual(orders, Array.from({ length: 40 }, (_, i) => 49 - i));
  assert.equal(pages, 4);

  const paid = await shop.send(new QueryCommand({
    TableName, IndexName: 'by-status', KeyConditionExpression: '#s = :s', ExpressionAttributeNames: { '#s': 'status' },
    ExpressionAttributeValues: { ':s': 'paid' }, Select: 'COUNT',
  }));
  assert.equal(paid.Count, 20);

  let scanned = 0;
  for (const Segment of [0, 1, 2]) {
    for await (const page of paginateScan({ client: shop, pageSize: 10 }, {
      TableName, Segment, TotalSegments: 3, FilterExpression: 'begins_with(sk, :o)', ExpressionAttributeValues: { ':o': 'order#' },
    })) scanned += page.Count;
  }
  assert.equal(scanned, 60);

  const { Responses } = await shop.send(new BatchGetCommand({
    RequestItems: { [TableName]: { Keys: [{ pk: 'customer#2', sk: 'order#001' }, { pk: 'customer#2', sk: 'absent' }] } },
  }));
  assert.deepEqual(Responses[TableName].map((i) => i.amount), [1]);
});

test('a transaction is all or nothing, and says why', async () => {
  await shop.send(new PutCommand({ TableName, Item: { pk: 'stock', sk: 'book', left: 2 } }));
  const buy = (customer) => shop.send(new TransactWriteCommand({
    TransactItems: [
      { Update: {
        TableName, Key: { pk: 'stock', sk: 'book' }, UpdateExpression: 'SET #left = #left - :one', ConditionExpression: '#left >= :one',
        ExpressionAttributeNames: { '#left': 'left' }, ExpressionAttributeValues: { ':one': 1 }, ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      } },
      { Put: { TableName, Item: { pk: customer, sk: 'order#book' }, ConditionExpression: 'attribute_not_exists(pk)' } },
    ],
  }));
  await buy('customer#3');
  await assert.rejects(buy('customer#3'), (e) => e instanceof TransactionCanceledException &&
    assert.deepEqual(e.CancellationReasons.map((r) => r.Code), ['None', 'ConditionalCheckFailed']) === undefined);
  await buy('customer#4');
  await assert.rejects(buy('customer#5'), (e) => e.CancellationReasons[0].Item.left.N === '0' || e.CancellationReasons[0].Item.left === 0);
  const { Responses } = await shop.send(new TransactGetCommand({
    TransactItems: ['customer#3', 'customer#4', 'customer#5'].map((pk) => ({ Get: { TableName, Key: { pk, sk: 'order#book' } } })),
  }));
  assert.deepEqual(Responses.map((r) => r.Item?.pk), ['customer#3', 'customer#4', undefined]);
});

test('a stale version is refused', async () => {
  const Key = { pk: 'document', sk: 'v' };
  const save = (text, version) => shop.send(new UpdateCommand({
    TableName, Key, UpdateExpression: 'SET body = :t, version = :next', ReturnValues: 'ALL_NEW', ConditionExpression: 'attribute_not_exists(version) OR version = :now',
    ExpressionAttributeValues: { ':t': text, ':now': version, ':next': version + 1 },
  }));
  assert.equal((await save('one', 0)).Attributes.version, 1);
  assert.equal((await save('two', 1)).Attributes.body, 'two');
  await assert.rejects(save('late', 1), { name: 'ConditionalCheckFailedException' });
});

test('statements', async () => {
  const run = (Statement, ...Parameters) => shop.send(new ExecuteStatementCommand({ Statement, ...(Parameters.length ? { Parameters } : {}) }));
  await run(`INSERT INTO "${TableName}" VALUE {'pk': ?, 'sk': ?, 'list': ?}`, 'statement', 'a', [1, { two: 2 }]);
  await assert.rejects(run(`INSERT INTO "${TableName}" VALUE {'pk': 'statement', 'sk': 'a'}`), { name: 'DuplicateItemException' });
  const { Items } = await run(`SELECT "list" FROM "${TableName}" WHERE pk = ? AND sk = ?`, 'statement', 'a');
  assert.deepEqual(Items, [{ list: [1, { two: 2 }] }]);
});
