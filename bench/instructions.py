"""Count the instructions of a request, by valgrind.

Neither the machine's load nor its speed makes a difference; bench/README.md says how
it is done and what is left out.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

from server import OPERATIONS, PG_CONFIG, ROOT, Server
from private_cluster import own_user

ITEMS = 2000
SECONDS = 60                    # to wait for anything

# Requests counted at a time: enough for the odd ones among them (a page is pruned, a buffer
# grows) to be the same part of them each time.  Nothing here takes so long that a worker
# would do it in slices: these end by the clock, which valgrind makes run fast.
REQUESTS = {'get': 300, 'query': 150, 'put': 200, 'update': 200, 'condition': 200,
            'transactget': 150, 'partiql': 200, 'transact': 100}

# One worker, and nothing beside it whose timing it could notice.
QUIET = ('dynamo.workers=1', 'dynamo.time_slice=0', 'autovacuum=off', 'fsync=off', 'full_page_writes=off', 'checkpoint_timeout=1d',
         'wal_writer_delay=10s', 'bgwriter_lru_maxpages=0', 'shared_buffers=64MB')


class Counter:
    """The server under valgrind.  Each time the worker is told to reload its configuration it
    writes what it has executed since the last time."""

    def __init__(self, server):
        self.server = server
        self.directory = pathlib.Path(server.cluster.directory).resolve()
        self.counted = 0
        self.process = None

    def start(self):
        if not shutil.which('valgrind'):
            sys.exit('There is no valgrind here; on Debian, scripts/needs cost installs it.')
        as_user = ['runuser', '-u', own_user(), '--'] if os.getuid() == 0 else []
        self.process = subprocess.Popen(
            [*as_user, shutil.which('valgrind'), '--tool=callgrind', '--dump-before=dyn_http_reload',
             f'--callgrind-out-file={self.directory}/log/callgrind.%p', '--log-file=/dev/null',
             f'{self.server.bin}/postgres', '-D', f'{self.directory}/data'],
            cwd='/', stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.directory / 'valgrind.log', 'w'))
        wait_for(self.answers)

    def answers(self):
        if self.process.poll() is not None:
            sys.exit((self.directory / 'valgrind.log').read_text()[-3000:])
        return subprocess.run(self.server.load_command('get', '-n', 1), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                              env=self.server.environment).returncode == 0

    def stop(self):
        if self.process and self.process.poll() is None:
            # Of what may be runuser, which hands it on: what has begun to start ends, too.
            self.process.terminate()
            self.process.wait(SECONDS)

    def postmaster(self):
        return int((self.directory / 'data/postmaster.pid').read_text().split()[0])

    def count(self):
        """Instructions of the worker since the last call, and the file that says of which functions."""
        self.counted += 1
        os.kill(self.postmaster(), signal.SIGHUP)
        file = wait_for(lambda: next((self.directory / 'log').glob(f'callgrind.*.{self.counted}'), None))
        # "totals" is the last line.
        total = wait_for(lambda: re.search(r'^totals: (\d+)', file.read_text(), re.M))
        return int(total.group(1)), file


def wait_for(condition):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    sys.exit('the server under valgrind does not do what it should')


def count_instructions(operations, pg_config=PG_CONFIG, name=''):
    """Of a request of each operation; .build/NAMEoperation.callgrind says of which functions."""
    server = Server(ROOT / '.build/cost', ITEMS, pg_config)
    counter = Counter(server)
    results = {}
    server.remove()
    try:
        server.start(*QUIET)
        server.prepare({'bench', *(table for operation in operations for table in OPERATIONS[operation].tables
                                   if table.startswith('bench'))})
        server.cluster.stop()
        counter.start()
        counter.count()
        nothing, _ = counter.count()
        for operation in operations:
            counts = []
            # The first is not counted.  With fewer items each time the keys are others, so
            # a write changes its item.
            for i in range(4):
                server.load(operation, '-n', REQUESTS[operation], '-k', ITEMS - i)
                total, file = counter.count()
                counts.append((total - nothing) / REQUESTS[operation])
            # Of three the most: for a part of the others some other process may have flushed.
            results[operation] = round(max(counts[1:]))
            shutil.copyfile(file, ROOT / f'.build/{name}{operation}.callgrind')
    finally:
        counter.stop()
        server.remove()
    return results
