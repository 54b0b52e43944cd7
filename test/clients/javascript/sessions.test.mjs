// Temporary credentials as the JavaScript SDK gets them: by a provider in code, and by a profile.
import assert from 'node:assert/strict';
import test from 'node:test';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ddb from '@aws-sdk/client-dynamodb';
import { fromIni, fromTemporaryCredentials } from '@aws-sdk/credential-providers';

const endpoint = process.env.AWS_ENDPOINT_URL_DYNAMODB;
const RoleArn = 'arn:aws:iam::000000000000:role/js_reporter';
const skip = !process.env.PGHOST && 'needs SQL to make a role';
const sql = (statement) => execFileSync('psql', ['-XAtqv', 'ON_ERROR_STOP=1', '-c', statement], { encoding: 'utf8' });

test('sessions', { skip }, async (t) => {
  const policy = (document) => JSON.stringify({ Version: '2012-10-17', Statement: [document] });
  sql(`DROP ROLE IF EXISTS js_reporter; CREATE ROLE js_reporter;
    SELECT dynamo.put_trust_policy('js_reporter', '${policy({ Effect: 'Allow', Principal: { AWS: '000000000000' }, Action: 'sts:AssumeRole' })}')`);
  const works = async (credentials) => {
    const client = new ddb.DynamoDBClient({ credentials, maxAttempts: 1 });
    await client.send(new ddb.DescribeLimitsCommand({}));
    // It is the role that asks.
    await assert.rejects(
      client.send(new ddb.CreateTableCommand({
        TableName: 'js-sessions', BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'p', AttributeType: 'S' }], KeySchema: [{ AttributeName: 'p', KeyType: 'HASH' }],
      })),
      { name: 'AccessDeniedException' });
  };

  await t.test('fromTemporaryCredentials', () => works(fromTemporaryCredentials({
    params: { RoleArn, RoleSessionName: 'js', DurationSeconds: 900 }, clientConfig: { endpoint },
  })));

  await t.test('fromIni', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dynamo-js-'));
    writeFileSync(join(directory, 'config'), `[profile reporter]
role_arn = ${RoleArn}
credential_source = Environment
region = us-east-1
`);
    process.env.AWS_ENDPOINT_URL_STS = endpoint;
    try {
      await works(fromIni({ profile: 'reporter', configFilepath: join(directory, 'config'), filepath: join(directory, 'none') }));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
  sql('DROP ROLE js_reporter');
});
