"""A client that is near and asks one thing after the other doesn't wait for the worker to be woken."""
import os
import pathlib
import re
import socket
import time

import pytest

from test_neighbours import message

pytestmark = pytest.mark.not_aws


@pytest.mark.skipif(os.cpu_count() < 2, reason='a processor for the client, and one for the worker')
def test_lone_client_is_waited_for(own_server):
    server = own_server('dynamo.workers=2', 'fsync=off')
    server.client().list_tables()
    request = message(server, 'DescribeLimits', {})
    pids = [pid for pid, in server.sql('SELECT pid FROM dynamo.stat_workers')]

    def sleeps():
        return sum(int(re.search(r'^voluntary_ctxt_switches:\s+(\d+)', pathlib.Path(f'/proc/{pid}/status').read_text(), re.M)[1])
                   for pid in pids)

    def ask(connection, n, pause=0):
        for _ in range(n):
            connection.send(request)
            assert b'200 OK' in connection.recv(65536)
            if pause:
                time.sleep(pause)

    with socket.create_connection(('127.0.0.1', server.port)) as connection:
        # Others may have needed the processors.
        for _ in range(10):
            before = sleeps()
            ask(connection, 2000)
            each = (sleeps() - before) / 2000
            print(f'{each:.2f} sleeps a request')
            if each < 0.5:
                break
        assert each < 0.5

        # One who takes longer is not: where the worker has nothing to do it sleeps.
        before = sleeps()
        ask(connection, 300, 0.002)
        assert sleeps() - before >= 290
