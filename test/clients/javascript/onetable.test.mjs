// OneTable: accounts and their users in a single table that it makes itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Table } from 'dynamodb-onetable';
import { Dynamo } from 'dynamodb-onetable/Dynamo';

const table = new Table({
  client: new Dynamo({ client: new DynamoDBClient({}) }),
  name: 'clients-onetable',
  partial: true,
  schema: {
    format: 'onetable:1.1.0',
    version: '0.0.1',
    indexes: {
      primary: { hash: 'pk', sort: 'sk' },
      gs1: { hash: 'gs1pk', sort: 'gs1sk', project: 'all' },
    },
    models: {
      Account: {
        pk: { type: String, value: 'account#${id}' },
        sk: { type: String, value: 'account#' },
        id: { type: String, generate: 'ulid' },
        name: { type: String, required: true, unique: true },
        balance: { type: Number, default: 0 },
        expires: { type: Date, ttl: true },
      },
      User: {
        pk: { type: String, value: 'account#${accountId}' },
        sk: { type: String, value: 'user#${email}' },
        gs1pk: { type: String, value: 'user#' },
        gs1sk: { type: String, value: 'user#${email}' },
        accountId: { type: String, required: true },
        email: { type: String, required: true },
        roles: { type: Array, items: { type: String } },
        address: { type: Object, schema: { street: { type: String }, zip: { type: String } } },
        visits: { type: Number, default: 0 },
      },
    },
    params: { isoDates: true, timestamps: true },
  },
});
const Account = table.getModel('Account');
const User = table.getModel('User');
let account;

before(async () => {
  assert.equal(await table.exists(), false);
  await table.createTable({ BillingMode: 'PAY_PER_REQUEST' });
  assert.equal(await table.exists(), true);
});

after(() => table.deleteTable('DeleteTableForever'));

test('unique attributes', async () => {
  account = await Account.create({ name: 'Acme' });
  assert.equal(account.balance, 0);
  await assert.rejects(Account.create({ name: 'Acme' }), /unique/);
  assert.equal((await Account.get({ id: account.id })).name, 'Acme');
});

test('users', async () => {
  for (let n = 0; n < 30; n += 1) {
    await User.create({ accountId: account.id, email: `u${String(n).padStart(2, '0')}@acme`, roles: ['user'], address: { street: 'High', zip: String(n) } });
  }
  await assert.rejects(User.create({ accountId: account.id, email: 'u00@acme' }), /Cannot create|exists|Conditional/i);
  const updated = await User.update({ accountId: account.id, email: 'u00@acme' }, { add: { visits: 1 }, set: { 'address.zip': '{"X1"}' }, push: { roles: ['admin'] } });
  assert.equal(updated.visits, 1);
  assert.equal(updated.address.zip, 'X1');
  assert.deepEqual(updated.roles, ['user', 'admin']);

  const seen = [];
  let next;
  do {
    const page = await User.find({ accountId: account.id }, { limit: 8, next });
    seen.push(...page.map((u) => u.email));
    next = page.next;
  } while (next);
  assert.equal(seen.length, 30);
  assert.deepEqual(seen, [...seen].sort());
  const some = await User.find({ gs1pk: 'user#', gs1sk: { between: ['user#u10', 'user#u19@zzz'] } }, { index: 'gs1', follow: false, parse: true });
  assert.equal(some.length, 10);
  assert.equal(await User.find({ accountId: account.id }, { where: '${visits} > {0}', count: true }).then((r) => r.count), 1);
  const all = await table.fetch(['Account', 'User'], { pk: `account#${account.id}` });
  assert.deepEqual([all.Account.length, all.User.length], [1, 30]);
});

test('batches and transactions', async () => {
  const batch = {};
  await User.remove({ accountId: account.id, email: 'u28@acme' }, { batch });
  await User.remove({ accountId: account.id, email: 'u29@acme' }, { batch });
  await table.batchWrite(batch);
  assert.equal(await User.get({ accountId: account.id, email: 'u29@acme' }), undefined);

  const transaction = {};
  await Account.update({ id: account.id, balance: 5 }, { transaction });
  await User.update({ accountId: account.id, email: 'u01@acme', visits: 7 }, { transaction });
  await table.transact('write', transaction);
  assert.equal((await Account.get({ id: account.id })).balance, 5);

  const doomed = {};
  await Account.update({ id: account.id, balance: 6 }, { transaction: doomed });
  await User.update({ accountId: account.id, email: 'absent@acme', visits: 7 }, { transaction: doomed });
  await assert.rejects(table.transact('write', doomed));
  assert.equal((await Account.get({ id: account.id })).balance, 5);
});
