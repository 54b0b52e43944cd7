// Dynamoose: makes its tables itself, and talks in models.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import dynamoose from 'dynamoose';
import { DynamoDBClient, DeleteTableCommand, DescribeTableCommand, DescribeTimeToLiveCommand } from '@aws-sdk/client-dynamodb';

const client = new DynamoDBClient({});
const options = { initialize: false, throughput: 'ON_DEMAND', create: true, update: true, waitForActive: { enabled: true, check: { timeout: 60000, frequency: 100 } } };

const schema = new dynamoose.Schema({
  room: { type: String, hashKey: true },
  at: { type: Number, rangeKey: true },
  from: { type: String, index: { name: 'byAuthor', type: 'global', rangeKey: 'at' } },
  text: { type: String, required: true },
  likes: { type: Number, default: 0 },
  tags: { type: Set, schema: [String] },
  meta: { type: Object, schema: { edited: Boolean, history: { type: Array, schema: [String] } } },
  sent: { type: Date, default: () => new Date(0) },
}, { timestamps: false });
const Message = dynamoose.model('clients-dynamoose-message', schema);
const Session = dynamoose.model('clients-dynamoose-session', new dynamoose.Schema({ id: String, user: String }));
const messages = new dynamoose.Table('clients-dynamoose-message', [Message], options);
const sessions = new dynamoose.Table('clients-dynamoose-session', [Session], { ...options, expires: { ttl: 3600000, attribute: 'ttl' } });

after(() => Promise.all([messages, sessions].map((t) => client.send(new DeleteTableCommand({ TableName: t.name })))));

test('tables are made', async () => {
  await messages.initialize();
  await sessions.initialize();
  const { Table } = await client.send(new DescribeTableCommand({ TableName: messages.name }));
  assert.deepEqual(Table.KeySchema.map((k) => k.AttributeName), ['room', 'at']);
  assert.equal(Table.GlobalSecondaryIndexes[0].IndexName, 'byAuthor');
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: sessions.name }));
  assert.equal(TimeToLiveDescription.AttributeName, 'ttl');
});

test('documents', async () => {
  const made = await Message.create({ room: 'a', at: 1, from: 'ada', text: 'hi', tags: new Set(['x']), meta: { edited: false, history: [] } });
  assert.equal(made.likes, 0);
  await assert.rejects(Message.create({ room: 'a', at: 1, from: 'ada', text: 'again' }), { name: 'ConditionalCheckFailedException' });
  const updated = await Message.update({ room: 'a', at: 1 }, { $ADD: { likes: 2 }, $SET: { text: 'hello' } });
  assert.deepEqual([updated.likes, updated.text], [2, 'hello']);
  const got = await Message.get({ room: 'a', at: 1 });
  assert.deepEqual([...got.tags], ['x']);
  assert.equal(got.sent.getTime(), 0);
  await got.delete();
  assert.equal(await Message.get({ room: 'a', at: 1 }), undefined);
  const session = await Session.create({ id: 's', user: 'ada' });
  assert.ok((await Session.get(session.id)).user === 'ada');
});

test('batches, queries, scans', async () => {
  const all = Array.from({ length: 40 }, (_, n) => ({ room: 'b', at: n, from: n % 4 ? 'bob' : 'ada', text: `m${n}`, likes: n }));
  for (let i = 0; i < 40; i += 25) {
    const { unprocessedItems } = await Message.batchPut(all.slice(i, i + 25));
    assert.deepEqual(unprocessedItems, []);
  }
  const some = await Message.query('room').eq('b').where('at').between(10, 19).filter('likes').gt(14).sort('descending').exec();
  assert.deepEqual(some.map((m) => m.at), [19, 18, 17, 16, 15]);
  const byAda = await Message.query('from').eq('ada').using('byAuthor').all().exec();
  assert.equal(byAda.length, 10);
  const { count } = await Message.query('room').eq('b').count().exec();
  assert.equal(count, 40);
  let last;
  const seen = [];
  do {
    let page = Message.scan('text').beginsWith('m').limit(9);
    if (last) page = page.startAt(last);
    const found = await page.exec();
    seen.push(...found.map((m) => m.at));
    last = found.lastKey;
  } while (last);
  assert.equal(new Set(seen).size, 40);
  const got = await Message.batchGet([{ room: 'b', at: 0 }, { room: 'b', at: 99 }]);
  assert.equal(got.length, 1);
});

test('transactions', async () => {
  const move = () => dynamoose.transaction([
    Message.transaction.update({ room: 'b', at: 1 }, { $ADD: { likes: -1 } }),
    Message.transaction.create({ room: 'c', at: 1, from: 'bob', text: 'moved' }),
    Message.transaction.condition({ room: 'b', at: 2 }, new dynamoose.Condition('likes').ge(0)),
  ]);
  await move();
  await assert.rejects(move(), { name: 'TransactionCanceledException' });
  assert.equal((await Message.get({ room: 'b', at: 1 })).likes, 0);
});
