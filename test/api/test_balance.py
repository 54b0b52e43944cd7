"""Connections that are busy don't stay together at one worker while another sleeps."""
import json
import threading
import time

import pytest

from conftest import OwnServer, wait_for
from test_neighbours import message
from test_http import Connection

pytestmark = pytest.mark.not_aws


@pytest.fixture(scope='module')
def server():
    server = OwnServer()
    try:
        server.start('dynamo.workers=2', 'fsync=off')
        server.wait()
        server.client().create_table(
            TableName='wide', BillingMode='PAY_PER_REQUEST',
            AttributeDefinitions=[{'AttributeName': 'p', 'AttributeType': 'S'}],
            KeySchema=[{'AttributeName': 'p', 'KeyType': 'HASH'}])
        server.sql("""SELECT count(dynamo.put_item(json_build_object('TableName', 'wide', 'Item', json_build_object(
            'p', json_build_object('S', 'p' || i), 'v', json_build_object('S', repeat('v', 100)))))) FROM generate_series(1, 4000) i""")
        yield server
    finally:
        server.reset()


def figures(server, name):
    return dict(server.sql(f'SELECT worker, {name} FROM dynamo.stat_workers'))


def worker_of(server, connection, request):
    """The worker that answers on a connection."""
    before = figures(server, 'requests')
    connection.send(request)
    assert connection.reply().status == 200
    after = wait_for(lambda: (now := figures(server, 'requests')) != before and now)
    grown, = (worker for worker in after if after[worker] > before[worker])
    return grown


class Client(threading.Thread):
    """Asks on one connection, again and again."""

    def __init__(self, connection, request, pause=0):
        super().__init__(daemon=True)
        self.connection, self.request, self.pause = connection, request, pause
        self.wrong, self.done, self.stop = [], 0, False

    def run(self):
        while not self.stop:
            self.connection.send(self.request)
            reply = self.connection.reply()
            if reply is None or reply.status != 200 or json.loads(reply.body)['Count'] != 0:
                self.wrong.append(reply)
                return
            self.done += 1
            time.sleep(self.pause)


def test_busy_connections_move_to_the_worker_that_sleeps(server):
    request = message(server, 'Scan', {'TableName': 'wide', 'FilterExpression': 'v = p', 'ReturnConsumedCapacity': 'TOTAL'})
    connections = [Connection(server.endpoint) for _ in range(12)]
    places = [worker_of(server, connection, request) for connection in connections]
    assert sorted(places.count(worker) for worker in (1, 2)) == [6, 6]
    assert sum(figures(server, 'moved').values()) == 0, 'one request after the other keeps nobody busy'

    clients = [Client(connection, request) for connection, place in zip(connections, places) if place == 1]
    for client in clients:
        client.start()
    moved = wait_for(lambda: figures(server, 'moved')[1], 20)
    before = figures(server, 'requests')
    time.sleep(0.5)
    after = figures(server, 'requests')
    for client in clients:
        client.stop = True
    for client in clients:
        client.join()
    assert not [client.wrong for client in clients if client.wrong]
    assert all(client.done for client in clients)
    assert after[2] > before[2], 'what has moved is served there'
    assert 1 <= moved <= 5, 'not all of them'

    # Idle or busy, each connection goes on, and is counted where it is.
    for connection in connections:
        worker_of(server, connection, request)
    wait_for(lambda: sum(figures(server, 'connections').values()) == 12)
    assert figures(server, 'connections')[2] > 6
    for connection in connections:
        connection.close()
    wait_for(lambda: figures(server, 'connections') == {1: 0, 2: 0})
    assert server.sql('SELECT count(*) FROM dynamo.stat_addresses WHERE connections > 0')[0][0] == 0


def test_way_is_made_before_what_cannot_be_cut(server):
    """A transaction of 4 MB holds its worker for some 20 ms: nobody else has to wait there."""
    large = message(server, 'TransactWriteItems', {'TransactItems': [
        {'Put': {'TableName': 'wide', 'Item': {'p': {'S': f'large {i}'}, 'v': {'S': 'v' * 39000}}}} for i in range(100)]})
    small = message(server, 'Query', {
        'TableName': 'wide', 'KeyConditionExpression': 'p = :p', 'ExpressionAttributeValues': {':p': {'S': 'none'}}})
    connections = [Connection(server.endpoint) for _ in range(6)]
    heavy = Connection(server.endpoint)

    def are_apart():
        clients = [Client(connection, small, pause=0.01) for connection in connections]
        for client in clients:
            client.start()
        for _ in range(3):
            heavy.send(large)
            assert heavy.reply().status == 200
        for client in clients:
            client.stop = True
        for client in clients:
            client.join()
        assert not [client.wrong for client in clients if client.wrong]
        return worker_of(server, heavy, small) not in {worker_of(server, connection, small) for connection in connections}
    wait_for(are_apart, 30)
    for connection in (heavy, *connections):
        connection.close()
    wait_for(lambda: figures(server, 'connections') == {1: 0, 2: 0})
