// Employees and tasks in one table, as ElectroDB models them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { Entity, Service } from 'electrodb';

const table = 'clients-electrodb';
const client = new DynamoDBClient({});

const employee = new Entity({
  model: { entity: 'employee', version: '1', service: 'work' },
  attributes: {
    team: { type: 'string', required: true },
    name: { type: 'string', required: true },
    office: { type: ['paris', 'rome'], default: () => 'paris' },
    skills: { type: 'set', items: 'string' },
    salary: { type: 'number' },
    history: { type: 'list', items: { type: 'map', properties: { at: { type: 'string' }, note: { type: 'string' } } } },
    updatedAt: { type: 'number', watch: '*', set: () => 1, readOnly: true },
  },
  indexes: {
    byTeam: { collection: 'assignments', pk: { field: 'pk', composite: ['team'] }, sk: { field: 'sk', composite: ['name'] } },
    byOffice: { index: 'gsi1', pk: { field: 'gsi1pk', composite: ['office'] }, sk: { field: 'gsi1sk', composite: ['team', 'name'] } },
  },
}, { client, table });

const task = new Entity({
  model: { entity: 'task', version: '1', service: 'work' },
  attributes: {
    team: { type: 'string', required: true },
    id: { type: 'string', required: true },
    points: { type: 'number', default: 0 },
    done: { type: 'boolean', default: false },
  },
  indexes: { byTeam: { collection: 'assignments', pk: { field: 'pk', composite: ['team'] }, sk: { field: 'sk', composite: ['id'] } } },
}, { client, table });

const work = new Service({ employee, task }, { client, table });

before(async () => {
  await client.send(new CreateTableCommand({
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk', 'gsi1pk', 'gsi1sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
    GlobalSecondaryIndexes: [{
      IndexName: 'gsi1',
      KeySchema: [{ AttributeName: 'gsi1pk', KeyType: 'HASH' }, { AttributeName: 'gsi1sk', KeyType: 'RANGE' }],
      Projection: { ProjectionType: 'ALL' },
    }],
  }));
  await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName: table });
});

after(() => client.send(new DeleteTableCommand({ TableName: table })));

test('create, get, patch, upsert, remove', async () => {
  const { data } = await employee.create({ team: 'db', name: 'ada', skills: ['c'], salary: 10, history: [{ at: 'now', note: 'hired' }] }).go();
  assert.equal(data.office, 'paris');
  await assert.rejects(employee.create({ team: 'db', name: 'ada' }).go(), /conditional request failed/);
  const { data: patched } = await employee.patch({ team: 'db', name: 'ada' })
    .set({ office: 'rome' }).add({ salary: 5, skills: ['sql'] }).append({ history: [{ at: 'later', note: 'moved' }] })
    .where(({ salary }, { lt }) => lt(salary, 100)).go({ response: 'all_new' });
  assert.equal(patched.salary, 15);
  assert.deepEqual([...patched.skills].sort(), ['c', 'sql']);
  assert.deepEqual(patched.history.map((h) => h.note), ['hired', 'moved']);
  await assert.rejects(employee.patch({ team: 'db', name: 'nobody' }).set({ salary: 1 }).go(), /conditional request failed/);
  const { data: upserted } = await employee.upsert({ team: 'db', name: 'bob', salary: 1 }).go({ response: 'all_new' });
  assert.equal(upserted.name, 'bob');
  const { data: gone } = await employee.remove({ team: 'db', name: 'bob' }).go({ response: 'all_old' });
  assert.equal(gone.salary, 1);
  assert.equal((await employee.get({ team: 'db', name: 'bob' }).go()).data, null);
});

test('queries of entities, indexes and collections', async () => {
  await employee.put(Array.from({ length: 30 }, (_, n) => ({ team: 'web', name: `e${String(n).padStart(2, '0')}`, office: n % 2 ? 'rome' : 'paris', salary: n }))).go();
  const { data: some } = await employee.query.byTeam({ team: 'web' }).between({ name: 'e05' }, { name: 'e14' })
    .where(({ salary }, { gte }) => gte(salary, 10)).go();
  assert.deepEqual(some.map((e) => e.salary), [10, 11, 12, 13, 14]);
  const { data: romans } = await employee.query.byOffice({ office: 'rome', team: 'web' }).go({ pages: 'all' });
  assert.equal(romans.length, 15);

  // A cursor leads from page to page.
  const seen = [];
  let cursor = null;
  do {
    const page = await employee.query.byTeam({ team: 'web' }).go({ cursor, limit: 7, order: 'desc' });
    seen.push(...page.data.map((e) => e.salary));
    cursor = page.cursor;
  } while (cursor);
  assert.deepEqual(seen, Array.from({ length: 30 }, (_, n) => 29 - n));

  await task.put([{ team: 'web', id: 't1', points: 3 }, { team: 'web', id: 't2' }]).go();
  const { data: all } = await work.collections.assignments({ team: 'web' }).go({ pages: 'all' });
  assert.deepEqual([all.employee.length, all.task.length], [30, 2]);
  const { data: found, unprocessed } = await employee.get([{ team: 'web', name: 'e01' }, { team: 'web', name: 'none' }]).go();
  assert.deepEqual([found.length, unprocessed.length], [1, 0]);
  await employee.delete(some.map(({ team, name }) => ({ team, name }))).go();
  const { data: rest } = await employee.scan.where(({ team }, { eq }) => eq(team, 'web')).go({ pages: 'all' });
  assert.equal(rest.length, 25);
});

test('transactions', async () => {
  const finish = () => work.transaction.write(({ employee: e, task: t }) => [
    t.patch({ team: 'web', id: 't1' }).set({ done: true }).where(({ done }, { eq }) => eq(done, false)).commit({ response: 'all_old' }),
    e.patch({ team: 'web', name: 'e01' }).add({ salary: 3 }).commit(),
    e.check({ team: 'web', name: 'e02' }).where(({ name }, { exists }) => exists(name)).commit(),
  ]).go();
  assert.equal((await finish()).canceled, false);
  const again = await finish();
  assert.equal(again.canceled, true);
  assert.deepEqual(again.data.map((d) => d.code), ['ConditionalCheckFailed', 'None', 'None']);
  assert.equal(again.data[0].item.done, true);
  const { data } = await work.transaction.get(({ employee: e, task: t }) => [
    e.get({ team: 'web', name: 'e01' }).commit(), t.get({ team: 'web', id: 't1' }).commit(),
  ]).go();
  assert.deepEqual(data.map((d) => d.item.salary ?? d.item.done), [4, true]);
});
