// A consumer of a stream by the JavaScript SDK: it walks the shards, parents first, and keeps a copy of a table while they roll over.
import assert from 'node:assert/strict';
import test from 'node:test';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as ddb from '@aws-sdk/client-dynamodb';
import * as streams from '@aws-sdk/client-dynamodb-streams';

// One try: a retry would hide the first answer.
const client = new ddb.DynamoDBClient({ maxAttempts: 1 });
const reader = new streams.DynamoDBStreamsClient({ maxAttempts: 1 });

async function createTable(TableName, more) {
  const { TableDescription } = await client.send(new ddb.CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'p', AttributeType: 'S' }, { AttributeName: 's', AttributeType: 'N' }],
    KeySchema: [{ AttributeName: 'p', KeyType: 'HASH' }, { AttributeName: 's', KeyType: 'RANGE' }],
    ...more,
  }));
  await ddb.waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 0.1, maxDelay: 1 }, { TableName });
  return TableDescription.LatestStreamArn;
}

async function items(TableName) {
  const found = new Map();
  for await (const page of ddb.paginateScan({ client }, { TableName, ConsistentRead: true })) {
    for (const item of page.Items) found.set(`${item.p.S} ${item.s.N}`, item);
  }
  return new Map([...found].sort());
}

// Changes of all kinds until told to stop.
async function write(TableName, state) {
  for (let n = 0; !state.stopped; n++) {
    const Key = { p: { S: `p${(n * 7) % 10}` }, s: { N: String(n % 3) } };
    const Item = {
      ...Key, n: { N: String(n) }, b: { B: Uint8Array.from([0, n % 256]) }, t: { S: 'ä\0\u{1f600}'.repeat(n % 40) }, ss: { SS: ['x', 'y'] },
      l: { L: [{ NULL: true }, { M: { k: { BOOL: n % 2 === 0 } } }] },
    };
    const commands = [
      () => new ddb.PutItemCommand({ TableName, Item }),
      () => new ddb.UpdateItemCommand({
        TableName, Key, UpdateExpression: 'ADD n :one SET #u = :u', ExpressionAttributeNames: { '#u': 'updated' },
        ExpressionAttributeValues: { ':one': { N: '0.5' }, ':u': { S: `${n}` } },
      }),
      () => new ddb.BatchWriteItemCommand({
        RequestItems: { [TableName]: [0, 1, 2].map((s) => ({ PutRequest: { Item: { p: Key.p, s: { N: String(s) }, n: { N: String(n) } } } })) },
      }),
      () => new ddb.DeleteItemCommand({ TableName, Key }),
      () => new ddb.TransactWriteItemsCommand({
        TransactItems: [
          { Put: { TableName, Item } },
          { Delete: { TableName, Key: { p: { S: `p${n % 10}` }, s: { N: String((n + 1) % 3) } } } },
        ].filter((_, i) => i === 0 || n % 10 !== (n * 7) % 10),
      }),
    ];
    await client.send(commands[n % commands.length]());
    state.written = n + 1;
  }
}

// Walks the shards of a stream and hands on their records, of a shard only when its parent has been read to its end.
// Stopped and run again it knows nothing but which shards are done and the last sequence number it has handed on of each.
class Consumer {
  constructor(arn, take) {
    Object.assign(this, { arn, take, done: new Set(), last: new Map() });
  }

  async shards() {
    const shards = [];
    let start;
    do {
      const { StreamDescription } = await reader.send(new streams.DescribeStreamCommand({
        StreamArn: this.arn, ExclusiveStartShardId: start, Limit: 5,
      }));
      shards.push(...StreamDescription.Shards);
      start = StreamDescription.LastEvaluatedShardId;
    } while (start);
    return shards;
  }

  async run() {
    const reading = new Map();
    for (this.stopped = false; !this.stopped;) {
      const shards = await this.shards();
      const ids = new Set(shards.map((s) => s.ShardId));
      assert.equal(ids.size, shards.length, 'a shard is told twice');
      for (const { ShardId, ParentShardId } of shards) {
        const ready = !ids.has(ParentShardId) || this.done.has(ParentShardId);
        if (ready && !this.done.has(ShardId) && !reading.has(ShardId)) reading.set(ShardId, this.read(ShardId));
      }
      await Promise.race([sleep(100), Promise.all(reading.values()).then(() => sleep(100))]);
    }
    await Promise.all(reading.values());
  }

  async read(ShardId) {
    const SequenceNumber = this.last.get(ShardId);
    let { ShardIterator } = await reader.send(new streams.GetShardIteratorCommand({
      StreamArn: this.arn, ShardId, SequenceNumber, ShardIteratorType: SequenceNumber ? 'AFTER_SEQUENCE_NUMBER' : 'TRIM_HORIZON',
    }));
    while (ShardIterator && !this.stopped) {
      const { Records, NextShardIterator } = await reader.send(new streams.GetRecordsCommand({ ShardIterator, Limit: 50 }));
      for (const record of Records) {
        await this.take(record);
        this.last.set(ShardId, record.dynamodb.SequenceNumber);
      }
      ShardIterator = NextShardIterator;
      if (Records.length === 0) await sleep(50);
    }
    if (!ShardIterator) this.done.add(ShardId);
  }
}

// Applies records to the copy, each of which must tell what the copy has as what was before.
function copier(TableName) {
  const last = new Map();
  const events = new Set();
  return async ({ eventID, eventName, dynamodb: { Keys, NewImage, OldImage, SequenceNumber } }) => {
    assert.ok(!events.has(eventID), 'a record twice');
    events.add(eventID);
    const key = `${Keys.p.S} ${Keys.s.N}`;
    assert.ok(!last.has(key) || BigInt(SequenceNumber) > BigInt(last.get(key)), `${key}: ${SequenceNumber} after ${last.get(key)}`);
    last.set(key, SequenceNumber);
    const { Attributes } = await client.send(eventName === 'REMOVE' ?
      new ddb.DeleteItemCommand({ TableName, Key: Keys, ReturnValues: 'ALL_OLD' }) :
      new ddb.PutItemCommand({ TableName, Item: NewImage, ReturnValues: 'ALL_OLD' }));
    assert.deepEqual(OldImage, Attributes);
    assert.equal(eventName, !OldImage ? 'INSERT' : !NewImage ? 'REMOVE' : 'MODIFY');
  };
}

test('a copy, live, while shards roll over and the consumer starts anew', async () => {
  const source = `dynamo-test-js-source-${randomUUID()}`;
  const copy = `dynamo-test-js-copy-${randomUUID()}`;
  const arn = await createTable(source, { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } });
  await createTable(copy);
  const state = {};
  const consumer = new Consumer(arn, copier(copy));
  try {
    const writing = write(source, state);
    for (let generation = 1; generation <= 3; generation++) {
      const running = consumer.run();
      const wanted = consumer.done.size + 4;
      for (const end = Date.now() + 20_000; consumer.done.size < wanted;) {
        assert.ok(Date.now() < end, 'no shard was closed: dynamo.stream_shard_lifetime should be some seconds');
        await Promise.race([sleep(50), running.then(() => sleep(50)), writing]);
      }
      consumer.stopped = true;
      await running;
    }
    state.stopped = true;
    await writing;
    const wanted = await items(source);
    const running = consumer.run();
    for (const end = Date.now() + 20_000; Date.now() < end;) {
      try {
        assert.deepEqual(await items(copy), wanted);
        break;
      } catch {
        await Promise.race([sleep(50), running]);
      }
    }
    consumer.stopped = true;
    await running;
    assert.deepEqual(await items(copy), wanted);
    assert.ok(wanted.size > 0 && state.written > 50, `${wanted.size} items, ${state.written} writes`);
  } finally {
    state.stopped = true;
    consumer.stopped = true;
    await Promise.all([source, copy].map((TableName) => client.send(new ddb.DeleteTableCommand({ TableName }))));
  }
});
