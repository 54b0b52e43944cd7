// A library of books, as DynamoDB-Toolbox models it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { Entity } from 'dynamodb-toolbox/entity';
import { Table } from 'dynamodb-toolbox/table';
import { item } from 'dynamodb-toolbox/schema/item';
import { list } from 'dynamodb-toolbox/schema/list';
import { map } from 'dynamodb-toolbox/schema/map';
import { number } from 'dynamodb-toolbox/schema/number';
import { set } from 'dynamodb-toolbox/schema/set';
import { string } from 'dynamodb-toolbox/schema/string';
import { DeleteItemCommand } from 'dynamodb-toolbox/entity/actions/delete';
import { GetItemCommand } from 'dynamodb-toolbox/entity/actions/get';
import { PutItemCommand } from 'dynamodb-toolbox/entity/actions/put';
import { $add, $append, $remove, UpdateItemCommand } from 'dynamodb-toolbox/entity/actions/update';
import { BatchPutRequest } from 'dynamodb-toolbox/entity/actions/batchPut';
import { BatchWriteCommand, execute as executeBatch } from 'dynamodb-toolbox/table/actions/batchWrite';
import { ConditionCheck } from 'dynamodb-toolbox/entity/actions/transactCheck';
import { PutTransaction } from 'dynamodb-toolbox/entity/actions/transactPut';
import { UpdateTransaction } from 'dynamodb-toolbox/entity/actions/transactUpdate';
import { execute as executeTransaction } from 'dynamodb-toolbox/entity/actions/transactWrite';
import { QueryCommand } from 'dynamodb-toolbox/table/actions/query';
import { ScanCommand } from 'dynamodb-toolbox/table/actions/scan';

const name = 'clients-toolbox';
const client = new DynamoDBClient({});
const table = new Table({
  name,
  documentClient: DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }),
  partitionKey: { name: 'pk', type: 'string' },
  sortKey: { name: 'sk', type: 'string' },
  indexes: { byYear: { type: 'global', partitionKey: { name: 'shelf', type: 'string' }, sortKey: { name: 'year', type: 'number' } } },
});
const Book = new Entity({
  name: 'Book',
  table,
  schema: item({
    author: string().key().savedAs('pk'),
    title: string().key().savedAs('sk'),
    shelf: string().enum('a', 'b').default('a'),
    year: number(),
    copies: number().optional(),
    tags: set(string()).optional(),
    loans: list(map({ reader: string(), days: number() })).optional(),
  }),
});

before(async () => {
  await client.send(new CreateTableCommand({
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [['pk', 'S'], ['sk', 'S'], ['shelf', 'S'], ['year', 'N']].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
    GlobalSecondaryIndexes: [{
      IndexName: 'byYear',
      KeySchema: [{ AttributeName: 'shelf', KeyType: 'HASH' }, { AttributeName: 'year', KeyType: 'RANGE' }],
      Projection: { ProjectionType: 'ALL' },
    }],
  }));
  await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName: name });
});

after(() => client.send(new DeleteTableCommand({ TableName: name })));

const key = { author: 'Codd', title: 'Relations' };

test('put, get, update, delete', async () => {
  await Book.build(PutItemCommand).item({ ...key, year: 1970, copies: 1, tags: new Set(['old']), loans: [{ reader: 'Ada', days: 3 }] })
    .options({ condition: { attr: 'title', exists: false } }).send();
  const { Item } = await Book.build(GetItemCommand).key(key).options({ consistent: true, capacity: 'TOTAL' }).send();
  assert.deepEqual([Item.year, Item.shelf, Item.loans[0].reader], [1970, 'a', 'Ada']);
  const { Attributes } = await Book.build(UpdateItemCommand).item({
    ...key, copies: $add(2), tags: $add(new Set(['classic'])), loans: $append([{ reader: 'Bob', days: 1 }]), shelf: 'b',
  }).options({ returnValues: 'ALL_NEW', condition: { attr: 'copies', lt: 10 } }).send();
  assert.equal(Attributes.copies, 3);
  assert.deepEqual([...Attributes.tags].sort(), ['classic', 'old']);
  assert.equal(Attributes.loans.length, 2);
  const removed = await Book.build(UpdateItemCommand).item({ ...key, tags: $remove() }).options({ returnValues: 'UPDATED_OLD' }).send();
  assert.deepEqual([...removed.Attributes.tags].sort(), ['classic', 'old']);
  await assert.rejects(Book.build(DeleteItemCommand).key(key).options({ condition: { attr: 'copies', eq: 1 } }).send(), { name: 'ConditionalCheckFailedException' });
  const deleted = await Book.build(DeleteItemCommand).key(key).options({ returnValues: 'ALL_OLD' }).send();
  assert.equal(deleted.Attributes.copies, 3);
});

test('batches, queries and scans', async () => {
  const books = Array.from({ length: 20 }, (_, n) => ({ author: 'Date', title: `t${String(n).padStart(2, '0')}`, year: 1980 + n, shelf: n % 2 ? 'b' : 'a' }));
  await executeBatch(table.build(BatchWriteCommand).requests(...books.map((b) => Book.build(BatchPutRequest).item(b))));
  const { Items, Count } = await table.build(QueryCommand).query({ partition: 'Date', range: { gte: 't10' } }).entities(Book)
    .options({ reverse: true, filters: { Book: { attr: 'year', lt: 1998 } } }).send();
  assert.equal(Count, 8);
  assert.equal(Items[0].title, 't17');
  const indexed = await table.build(QueryCommand).query({ index: 'byYear', partition: 'b', range: { between: [1983, 1989] } }).entities(Book).send();
  assert.deepEqual(indexed.Items.map((b) => b.year), [1983, 1985, 1987, 1989]);

  let pages = 0;
  let exclusiveStartKey;
  const titles = new Set();
  do {
    const page = await table.build(ScanCommand).entities(Book).options({ limit: 6, exclusiveStartKey, consistent: true }).send();
    page.Items.forEach((b) => titles.add(b.title));
    exclusiveStartKey = page.LastEvaluatedKey;
    pages += 1;
  } while (exclusiveStartKey);
  assert.equal(titles.size, 20);
  assert.equal(pages, 4);
});

test('transactions', async () => {
  const lend = () => executeTransaction(
    Book.build(UpdateTransaction).item({ author: 'Date', title: 't00', copies: $add(-1) }).options({ condition: { or: [{ attr: 'copies', exists: false }, { attr: 'copies', gt: 0 }] } }),
    Book.build(PutTransaction).item({ author: 'log', title: 'lent', year: 2000 }),
    Book.build(ConditionCheck).key({ author: 'Date', title: 't01' }).condition({ attr: 'title', exists: true }),
  );
  await lend();
  await assert.rejects(lend(), (e) => e.name === 'TransactionCanceledException' && e.CancellationReasons[0].Code === 'ConditionalCheckFailed');
  const { Item } = await Book.build(GetItemCommand).key({ author: 'Date', title: 't00' }).send();
  assert.equal(Item.copies, -1);
});
