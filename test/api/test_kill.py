"""SIGKILL under load, again and again: every acknowledged write is there.

32 writers, each with keys of its own, write numbered values and note which were
acknowledged.  The postmaster is killed in the middle.  After recovery each
item is at least as new as its last acknowledged write, and not newer than the
last one sent; no index disagrees with its heap.  KILLS says how often; "make
test-kill" does it twenty times.
"""
import os
import random
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

WRITERS = 32
KEYS = 8                        # of each writer
KILLS = int(os.environ.get('KILLS', '3'))


class Writer(threading.Thread):
    def __init__(self, client, number, state):
        super().__init__(daemon=True)
        self.client, self.number, self.state = client, number, state
        self.writes, self.stopped, self.unexpected = 0, False, None

    def run(self):
        rng = random.Random()
        while not self.stopped:
            key = f'w{self.number}-{rng.randrange(KEYS)}'
            entry = self.state[key]
            value = entry['sent'] + 1
            entry['sent'] = value
            try:
                kind = rng.randrange(4)
                if kind == 0:
                    self.client.update_item(
                        TableName='kill', Key={'p': {'S': key}}, UpdateExpression='SET v = :v',
                        ExpressionAttributeValues={':v': {'N': str(value)}})
                elif kind == 1:
                    self.client.batch_write_item(RequestItems={'kill': [
                        {'PutRequest': {'Item': {'p': {'S': key}, 'v': {'N': str(value)}}}},
                        {'PutRequest': {'Item': {'p': {'S': f'{key}-new-{value}'}, 'v': {'N': '0'}}}}]})
                    entry['new'].append(value)
                else:
                    self.client.put_item(TableName='kill', Item={
                        'p': {'S': key}, 'v': {'N': str(value)}, 'filler': {'S': 'x' * rng.randrange(3000)}})
            except ClientError as e:
                # Going down, the server may say so; it may not lose its head.
                if e.response['Error']['Code'] not in ('ServiceUnavailable', 'ThrottlingException'):
                    self.unexpected = e
                return
            except BotoCoreError:
                return          # the server is gone: this write's outcome is unknown
            entry['acknowledged'] = value
            self.writes += 1


def kill_now(server, client, state):
    """One round of load that ends with a SIGKILL; how many were acknowledged."""
    writers = [Writer(client, n, state) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    time.sleep(random.uniform(0.5, 2.0))
    server.kill()
    for writer in writers:
        writer.stopped = True
    for writer in writers:
        writer.join(90)
        assert not writer.is_alive(), 'a request got no answer and no closed connection'
        assert writer.unexpected is None, writer.unexpected
    return sum(writer.writes for writer in writers)


def test_kill(own_server):
    server = own_server()
    client = server.client()
    client.create_table(TableName='kill', BillingMode='PAY_PER_REQUEST',
                        AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'}],
                        KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}])
    state = {f'w{n}-{k}': {'sent': 0, 'acknowledged': 0, 'new': []}
             for n in range(WRITERS) for k in range(KEYS)}
    for kill in range(KILLS):
        writes = kill_now(server, client, state)
        server.recover()
        assert writes > WRITERS, f'only {writes} writes before kill {kill + 1}'
        items = {}
        for page in client.get_paginator('scan').paginate(TableName='kill', ConsistentRead=True):
            for item in page['Items']:
                assert item['p']['S'] not in items, 'one key twice'
                items[item['p']['S']] = int(item['v']['N'])
        for key, entry in state.items():
            value = items.get(key, 0)
            assert entry['acknowledged'] <= value <= entry['sent'], (key, value, entry)
            # What is there now has been seen, so it must stay.
            entry['acknowledged'] = value
            for new in entry['new']:
                assert f'{key}-new-{new}' in items, (key, new)
        for (index,) in server.sql(
                "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indrelid"
                " WHERE relnamespace = 'dynamo_data'::regnamespace"):
            server.sql('SELECT dynamo.verify_index(%s::regclass)', index)
        print(f'kill {kill + 1}: {writes} writes acknowledged before it')
