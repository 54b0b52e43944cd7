// Every operation once through the JavaScript SDK: the client and the document client.
import assert from 'node:assert/strict';
import test from 'node:test';
import { randomUUID } from 'node:crypto';
import * as ddb from '@aws-sdk/client-dynamodb';
import * as doc from '@aws-sdk/lib-dynamodb';

// One try: a retry would hide the first answer.
const client = new ddb.DynamoDBClient({ maxAttempts: 1 });
const name = () => `dynamo-test-js-${randomUUID()}`;
const wait = { client, maxWaitTime: 60, minDelay: 0.1, maxDelay: 1 };
const table = (TableName) => ({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'p', AttributeType: 'S' }, { AttributeName: 's', AttributeType: 'N' }],
  KeySchema: [{ AttributeName: 'p', KeyType: 'HASH' }, { AttributeName: 's', KeyType: 'RANGE' }],
});

test('DynamoDBClient', async () => {
  const TableName = name();
  const made = await client.send(new ddb.CreateTableCommand(table(TableName)));
  assert.equal(made.TableDescription.TableName, TableName);
  await ddb.waitUntilTableExists(wait, { TableName });
  try {
    const described = await client.send(new ddb.DescribeTableCommand({ TableName }));
    assert.equal(described.Table.TableStatus, 'ACTIVE');
    assert.ok(described.Table.CreationDateTime instanceof Date);
    let listed = [];
    for await (const page of ddb.paginateListTables({ client }, {})) listed = listed.concat(page.TableNames);
    assert.ok(listed.includes(TableName));

    const Key = { p: { S: 'a' }, s: { N: '1' } };
    const Item = {
      ...Key,
      b: { B: Uint8Array.from([0, 255]) }, t: { S: 'nul \0 \u{1f600}' }, ss: { SS: ['x'] }, ns: { NS: ['1.5'] },
      bs: { BS: [Uint8Array.from([7])] }, l: { L: [{ NULL: true }, { BOOL: false }] }, m: { M: { k: { L: [] } } },
    };
    await client.send(new ddb.PutItemCommand({ TableName, Item }));
    const got = await client.send(new ddb.GetItemCommand({ TableName, Key, ConsistentRead: true }));
    assert.deepEqual(got.Item, Item);
    const updated = await client.send(new ddb.UpdateItemCommand({
      TableName, Key, UpdateExpression: 'ADD n :n SET m.k = list_append(m.k, :l)', ReturnValues: 'UPDATED_NEW',
      ExpressionAttributeValues: { ':n': { N: '0.1' }, ':l': { L: [{ S: 'z' }] } },
    }));
    assert.deepEqual(updated.Attributes, { n: { N: '0.1' }, m: { M: { k: { L: [{ S: 'z' }] } } } });
    await assert.rejects(
      client.send(new ddb.PutItemCommand({
        TableName, Item: Key, ConditionExpression: 'attribute_not_exists(p)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      })),
      (e) => e instanceof ddb.ConditionalCheckFailedException && e.Item.n.N === '0.1');

    const puts = Array.from({ length: 25 }, (_, i) => (
      { PutRequest: { Item: { p: { S: 'q' }, s: { N: String(i) } } } }));
    const written = await client.send(new ddb.BatchWriteItemCommand({ RequestItems: { [TableName]: puts } }));
    assert.deepEqual(written.UnprocessedItems, {});
    const batch = await client.send(new ddb.BatchGetItemCommand({
      RequestItems: { [TableName]: { Keys: [{ p: { S: 'q' }, s: { N: '3' } }, { p: { S: 'q' }, s: { N: '30' } }] } },
    }));
    assert.equal(batch.Responses[TableName].length, 1);

    const order = [];
    for await (const page of ddb.paginateQuery({ client, pageSize: 7 }, {
      TableName, KeyConditionExpression: 'p = :p AND s < :s', ScanIndexForward: false,
      ExpressionAttributeValues: { ':p': { S: 'q' }, ':s': { N: '20' } },
    })) order.push(...page.Items.map((i) => Number(i.s.N)));
    assert.deepEqual(order, Array.from({ length: 20 }, (_, i) => 19 - i));
    let count = 0;
    for (let Segment = 0; Segment < 4; Segment++) {
      for await (const page of ddb.paginateScan({ client, pageSize: 5 }, { TableName, Segment, TotalSegments: 4 })) {
        count += page.Count;
      }
    }
    assert.equal(count, 26);

    const deleted = await client.send(new ddb.DeleteItemCommand({ TableName, Key, ReturnValues: 'ALL_OLD' }));
    assert.equal(deleted.Attributes.n.N, '0.1');
    await client.send(new ddb.UpdateTableCommand({
      TableName, BillingMode: 'PROVISIONED', ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 2 },
    }));
    await ddb.waitUntilTableExists(wait, { TableName });
  } finally {
    await client.send(new ddb.DeleteTableCommand({ TableName }));
  }
  await ddb.waitUntilTableNotExists(wait, { TableName });
  await assert.rejects(client.send(new ddb.DescribeTableCommand({ TableName })), { name: 'ResourceNotFoundException' });
  assert.ok((await client.send(new ddb.DescribeLimitsCommand({}))).TableMaxWriteCapacityUnits > 0);
  assert.equal((await client.send(new ddb.DescribeEndpointsCommand({}))).Endpoints.length, 1);
});

test('DynamoDBDocumentClient', async () => {
  const documents = doc.DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  const TableName = name();
  await client.send(new ddb.CreateTableCommand(table(TableName)));
  await ddb.waitUntilTableExists(wait, { TableName });
  try {
    const Key = { p: 'a', s: 1 };
    const Item = {
      ...Key, text: '', list: [1, 'two', null, true, { x: [] }], set: new Set(['x', 'y']),
      bytes: Uint8Array.from([1, 2, 3]), price: 19.99, gone: undefined,
    };
    await documents.send(new doc.PutCommand({ TableName, Item }));
    const got = await documents.send(new doc.GetCommand({ TableName, Key }));
    delete Item.gone;
    assert.deepEqual(got.Item, Item);
    const updated = await documents.send(new doc.UpdateCommand({
      TableName, Key, UpdateExpression: 'SET #l[4].x = :x, price = price + :one', ReturnValues: 'ALL_NEW',
      ExpressionAttributeNames: { '#l': 'list' }, ExpressionAttributeValues: { ':x': { deep: [1.5] }, ':one': 1 },
    }));
    assert.deepEqual(updated.Attributes.list[4], { x: { deep: [1.5] } });
    assert.equal(updated.Attributes.price, 20.99);
    await documents.send(new doc.BatchWriteCommand({
      RequestItems: { [TableName]: [2, 3, 4].map((s) => ({ PutRequest: { Item: { p: 'a', s, even: s % 2 === 0 } } })) },
    }));
    const batch = await documents.send(new doc.BatchGetCommand({
      RequestItems: { [TableName]: { Keys: [2, 3].map((s) => ({ p: 'a', s })) } },
    }));
    assert.deepEqual(batch.Responses[TableName].map((i) => i.s).sort(), [2, 3]);
    const found = [];
    for await (const page of doc.paginateQuery({ client: documents, pageSize: 1 }, {
      TableName, KeyConditionExpression: 'p = :p AND s BETWEEN :a AND :b', FilterExpression: 'even = :t',
      ExpressionAttributeValues: { ':p': 'a', ':a': 2, ':b': 4, ':t': true },
    })) found.push(...page.Items.map((i) => i.s));
    assert.deepEqual(found, [2, 4]);
    const scanned = await documents.send(new doc.ScanCommand({ TableName, Select: 'COUNT' }));
    assert.equal(scanned.Count, 4);
    await assert.rejects(
      documents.send(new doc.DeleteCommand({ TableName, Key, ConditionExpression: 'attribute_exists(nothing)' })),
      { name: 'ConditionalCheckFailedException' });
    const deleted = await documents.send(new doc.DeleteCommand({ TableName, Key, ReturnValues: 'ALL_OLD' }));
    assert.deepEqual(deleted.Attributes.set, Item.set);
  } finally {
    await client.send(new ddb.DeleteTableCommand({ TableName }));
  }
});
