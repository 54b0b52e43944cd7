"""What the programs of bench/ share: a server under measurement, its tables, the
operations, and what is measured in turns with them.

PG_CONFIG chooses the PostgreSQL, unless a Server is told another.
"""
import collections
import contextlib
import dataclasses
import glob
import json
import os
import pathlib
import random
import re
import signal
import statistics
import string
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'scripts'))
from private_cluster import PG_CONFIG, Cluster, free_port  # noqa: E402

# Room for 256 clients of pgbench.
SETTINGS = ('shared_buffers=1GB', 'max_wal_size=8GB', 'max_connections=300',
            'checkpoint_timeout=30min', 'autovacuum_naptime=10s')

TEXT = "(SELECT string_agg(md5(i::text || j::text), '') FROM generate_series(1, 32) j)"


# pgbench's tables have the columns of ours, a btree on the same key, and the item as
# 1 KB of text, so that it does not pay for decoding it.
def plain(name, n):
    """A table whose partitions have n items each."""
    sort = 'NULL' if n == 1 else f'int8send(i % {n})'
    return f"""
        CREATE TABLE {name} (hash int8 NOT NULL, partition bytea NOT NULL, sort bytea, item text NOT NULL);
        INSERT INTO {name} SELECT hashint8extended(i / {n}, 0), int8send(i / {n}), {sort}, {TEXT}
            FROM generate_series(0, {{items}} - 1) i;
        CREATE UNIQUE INDEX ON {name} (hash, partition{'' if n == 1 else ', sort'})"""


def upsert(key):
    return f"""
INSERT INTO plain VALUES (hashint8extended({key}, 0), int8send({key}), NULL, '{{value}}')
ON CONFLICT (hash, partition) DO UPDATE SET item = excluded.item;
"""


def select_partition(table, n):
    return f"""
\\set i random(0, {{items}} / {n} - 1)
SELECT item FROM {table} WHERE hash = hashint8extended(:i, 0) AND partition = int8send(:i)
ORDER BY sort LIMIT {n};
"""


def select_keys(n):
    return f"""
\\set i random(0, {{items}} - 1)
SELECT item FROM generate_series(0, {n - 1}) j, LATERAL (SELECT (:i + j * {{items}} / {n}) % {{items}} AS k) k
JOIN plain ON hash = hashint8extended(k, 0) AND partition = int8send(k);
"""


RANDOM = '\\set i random(0, {items} - 1)\n'
NUMBER = '\\set n random(1000000000, 2000000000)\n'

# What pgbench runs, one script for each request save those of REQUESTS_OF_SCRIPT.
PGBENCH = {
    'select': RANDOM + "SELECT item FROM plain WHERE hash = hashint8extended(:i, 0) AND partition = int8send(:i);\n",
    'select 10': select_partition('plain_sorted', 10),
    'select 100': select_partition('plain_hundred', 100),
    'select page': RANDOM + r"""
SELECT item FROM plain WHERE (hash, partition) > (hashint8extended(:i, 0), int8send(:i))
ORDER BY hash, partition LIMIT 100;
""",
    'select 25 keys': select_keys(25),
    'select 4 keys': select_keys(4),
    'upsert': RANDOM + upsert(':i'),
    'update': RANDOM + NUMBER + r"""
UPDATE plain SET item = overlay(item PLACING :n::text FROM 500)
WHERE hash = hashint8extended(:i, 0) AND partition = int8send(:i);
""",
    'update if': RANDOM + NUMBER + r"""
UPDATE plain SET item = overlay(item PLACING :n::text FROM 500)
WHERE hash = hashint8extended(:i, 0) AND partition = int8send(:i) AND item <> 'none';
""",
    'delete, insert': RANDOM + r"""
DELETE FROM plain WHERE hash = hashint8extended(:i, 0) AND partition = int8send(:i);
INSERT INTO plain VALUES (hashint8extended(:i, 0), int8send(:i), NULL, '{value}') ON CONFLICT DO NOTHING;
""",
    'upsert 25': RANDOM + r"""
INSERT INTO plain SELECT hashint8extended(i, 0), int8send(i), NULL, '{value}'
FROM (SELECT (:i + j) % {items} AS i FROM generate_series(0, 24) j ORDER BY 1) k
ON CONFLICT (hash, partition) DO UPDATE SET item = excluded.item;
""",
    'upsert 4 times': '\\set i random(0, {items} / 4 - 1)\nBEGIN;'
                      + ''.join(upsert(f':i + {n} * ({{items}} / 4)') for n in range(4)) + 'COMMIT;\n',
}

# A script for each of these, drawn at random: an update that changes nothing of a row has
# next to no WAL, and ours have other content each time.
VALUES = [''.join(random.Random(n).choices(string.ascii_letters + string.digits, k=1024)) for n in range(16)]

REQUESTS_OF_SCRIPT = {'delete, insert': 2}


@dataclasses.dataclass(frozen=True)
class Operation:
    """One row: what the load generator calls it, its title, what it is measured in turns
    with (a script of PGBENCH, or another operation), and the tables of both."""
    name: str
    title: str
    beside: str
    tables: tuple = ('bench', 'plain')
    writes: bool = False


SORTED = ('bench_sorted', 'plain_sorted')
OPERATIONS = {o.name: o for o in (
    Operation('get', 'GetItem', 'select'),
    Operation('query', 'Query, 10 items', 'select 10', SORTED),
    Operation('query100', 'Query, 100 items', 'select 100', ('bench_hundred', 'plain_hundred')),
    Operation('index', 'Query, 10, index', 'select 10', SORTED),
    Operation('apart', 'Query, 10, apart', 'select 10', SORTED),
    Operation('scan', 'Scan, 100 items', 'select page'),
    Operation('batchget', 'BatchGetItem, 25', 'select 25 keys'),
    Operation('transactget', 'TransactGetItems, 4', 'select 4 keys'),
    Operation('partiql', 'ExecuteStatement', 'select'),
    Operation('put', 'PutItem, overwrite', 'upsert', writes=True),
    Operation('stream', 'PutItem, stream', 'upsert', ('bench_stream', 'plain'), writes=True),
    Operation('update', 'UpdateItem', 'update', writes=True),
    Operation('condition', 'UpdateItem, condition', 'update if', writes=True),
    Operation('delete', 'DeleteItem, PutItem', 'delete, insert', ('bench_churn', 'plain'), writes=True),
    Operation('batch', 'BatchWriteItem, 25', 'upsert 25', writes=True),
    Operation('transact', 'TransactWriteItems, 4', 'upsert 4 times', writes=True),
    # Beside ours that are not encrypted.
    Operation('sealed_get', 'GetItem, encrypted', 'get', ('bench_sealed', 'bench')),
    Operation('sealed_put', 'PutItem, encrypted', 'put', ('bench_sealed', 'bench'), writes=True),
)}

SIMPLE_TABLE = """"BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]"""
SORTED_TABLE = """"BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"},
                             {"AttributeName": "s", "AttributeType": "N"}%s],
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"},
                  {"AttributeName": "s", "KeyType": "RANGE"}]"""
INDEX_ATTRIBUTES = """, {"AttributeName": "b", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}"""
INDEXES = """, "GlobalSecondaryIndexes": [
    {"IndexName": "by_block", "Projection": {"ProjectionType": "ALL"},
     "KeySchema": [{"AttributeName": "b", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}]},
    {"IndexName": "by_group", "Projection": {"ProjectionType": "ALL"},
     "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}]}]"""
STREAM = """, "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}"""
SEALED = """, "SSESpecification": {"Enabled": true}"""


def key(expression):
    return f"json_build_object('S', 'k' || lpad(({expression})::text, 8, '0'))"


def number(expression):
    return f"json_build_object('N', ({expression})::text)"


def ours(name, definition, keys, rest):
    """A table with items of 1 KB, as print_item() of load.c makes them: "p" and the key, "v"
    and the rest.  One with a stream has it from the start, so it is filled before what is
    measured."""
    item = ', '.join(f"'{attribute}', {value}" for attribute, value in keys.items())
    return f"""
        SELECT dynamo.create_table('{{{{"TableName": "{name}", {definition.replace('{', '{{').replace('}', '}}')}}}}}');
        SELECT count(dynamo.put_item(json_build_object('TableName', '{name}', 'Item', json_build_object({item},
            'v', json_build_object('S', left({TEXT}, {rest})))))) FROM generate_series(0, {{items}} - 1) i"""


# The ten items of a group ("g") lie apart in the table, those of a partition or block together.
TABLES = {
    'bench': ours('bench', SIMPLE_TABLE, {'p': key('i')}, 1013),
    'bench_stream': ours('bench_stream', SIMPLE_TABLE + STREAM, {'p': key('i')}, 1013),
    'bench_churn': ours('bench_churn', SIMPLE_TABLE, {'p': key('i')}, 1013),
    'bench_sealed': ours('bench_sealed', SIMPLE_TABLE + SEALED, {'p': key('i')}, 1013),
    'bench_sorted': ours('bench_sorted', SORTED_TABLE % INDEX_ATTRIBUTES + INDEXES,
                         {'p': key('i / 10'), 's': number('i % 10'), 'b': key('i / 10'),
                          'g': key('i % ({items} / 10)')}, 991),
    'bench_hundred': ours('bench_hundred', SORTED_TABLE % '', {'p': key('i / 100'), 's': number('i % 100')}, 1011),
    'plain': plain('plain', 1),
    'plain_sorted': plain('plain_sorted', 10),
    'plain_hundred': plain('plain_hundred', 100),
}


class Server:
    """A private cluster and its load."""

    def __init__(self, directory, items, pg_config=PG_CONFIG, pgbench_host=None):
        self.cluster = Cluster(directory, pg_config)
        self.items = items
        self.pgbench_host = pgbench_host
        self.bin = subprocess.run([pg_config, '--bindir'], check=True, capture_output=True,
                                  text=True).stdout.strip()
        self.environment = {}
        self.reply_bytes = {}
        subprocess.run(['make', '-s', '-C', ROOT / 'bench'], check=True)
        # However this program ends, the server is removed.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit('terminated'))

    def start(self, *settings):
        self.cluster.start(*settings)
        self.environment = {**os.environ, **self.cluster.sql_environment()}
        self.cluster.wait()
        self.environment.update(self.cluster.sdk_environment())

    def remove(self):
        self.cluster.reset()

    def psql(self, *statements):
        commands = [word for statement in statements for word in ('-c', statement)]
        return subprocess.run([f'{self.bin}/psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', *commands],
                              check=True, text=True, stdout=subprocess.PIPE, env=self.environment).stdout.strip()

    def prepare(self, tables=TABLES):
        for table in TABLES:
            if table in tables:
                self.psql(*TABLES[table].format(items=self.items).split(';'))
        self.psql('VACUUM ANALYZE')

    def pids(self, kind='dynamo%'):
        """Of everything of ours that runs: HTTP workers and the flusher."""
        return [int(pid) for pid in self.psql(
            f"SELECT pid FROM pg_stat_activity WHERE backend_type LIKE '{kind}'").split()]

    def memory(self):
        """Private memory of all our processes in MB; shared buffers are not theirs."""
        kilobytes = 0
        for pid in self.pids():
            status = pathlib.Path(f'/proc/{pid}/status').read_text()
            kilobytes += int(re.search(r'^RssAnon:\s+(\d+)', status, re.M).group(1))
        return kilobytes / 1024

    def cpu(self):
        """Seconds on a processor so far, of all our processes."""
        return seconds_run(self.pids())

    def transaction_ids(self):
        return int(self.psql('SELECT pg_snapshot_xmax(pg_current_snapshot())'))

    def load_command(self, operation, *arguments):
        return [str(ROOT / '.build/load'), '-o', operation, '-p', str(self.cluster.port),
                '-k', str(self.items), *map(str, arguments)]

    def load(self, operation, *arguments):
        result = subprocess.run(self.load_command(operation, *arguments), text=True,
                                stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=self.environment)
        if not result.stdout:
            sys.exit('the load generator failed')
        r = json.loads(result.stdout)
        if r['errors']:
            print(f'{operation}: {r["errors"]} of {r["requests"]} failed', flush=True)
        if r['refused']:
            print(f'{operation}: {r["refused"]} beside {r["requests"]} were refused', flush=True)
        if not r['requests']:
            sys.exit(f'{operation}: no answer')
        r['rate'] = r['requests'] / r['seconds']
        r['client'] = r.pop('client_cpu') / r['requests'] * 1e6
        return r

    def measure(self, operation, connections, seconds, *arguments):
        """Run one operation; with processor time and transaction ids of a request."""
        time.sleep(0.5)             # statistics of the run before are flushed
        self.psql('CHECKPOINT')
        cpu, ids = self.cpu(), self.transaction_ids()
        r = self.load(operation, '-c', connections, '-t', seconds, *arguments)
        r['cpu'] = (self.cpu() - cpu) / r['requests'] * 1e6
        # Looking takes none: these are ids of the writes alone.
        r['ids'] = (self.transaction_ids() - ids) / r['requests']
        self.reply_bytes[operation] = round(r['reply_bytes'])
        return r

    @contextlib.contextmanager
    def echo(self, operation):
        """Its port and pids while it answers as the operation does."""
        if operation not in self.reply_bytes:
            self.reply_bytes[operation] = round(self.load(operation, '-n', 10)['reply_bytes'])
        port = free_port()
        workers = len(self.pids('dynamo http worker'))
        process = subprocess.Popen([ROOT / '.build/echo', str(port), str(workers), str(self.reply_bytes[operation])],
                                   stdout=subprocess.PIPE, text=True)
        try:
            if process.stdout.readline() != 'ready\n':
                sys.exit('the echo failed')
            children = pathlib.Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text()
            yield port, [int(pid) for pid in children.split()]
        finally:
            process.kill()
            process.wait()

    def measure_echo(self, operation, connections, seconds, *arguments):
        """The same requests, to the echo."""
        with self.echo(operation) as (port, pids):
            before = seconds_run(pids)
            r = self.load(operation, '-c', connections, '-t', seconds, '-p', port, '-e', *arguments)
            r['cpu'] = (seconds_run(pids) - before) / r['requests'] * 1e6
        return r

    def measure_pgbench(self, name, connections, seconds):
        self.psql('CHECKPOINT')
        with tempfile.TemporaryDirectory() as directory:
            scripts = []
            for n, value in enumerate(VALUES if '{value}' in PGBENCH[name] else VALUES[:1]):
                scripts.append(pathlib.Path(directory, f'{n}.sql'))
                scripts[-1].write_text(PGBENCH[name].format(items=self.items, value=value))
            output = subprocess.run(
                [f'{self.bin}/pgbench', '-n', '-M', 'prepared', *(f'-f{script}' for script in scripts), '-c', str(connections),
                 '-j', '1', '-T', str(max(1, round(seconds))), '-l', '--sampling-rate=0.1',
                 '--log-prefix', f'{directory}/log', *([f'--host={self.pgbench_host}'] if self.pgbench_host else [])],
                check=True, text=True, capture_output=True, env=self.environment).stdout
            latencies = sorted(int(line.split()[2]) for file in glob.glob(f'{directory}/log.*')
                               for line in open(file))
        rate = float(re.search(r'^tps = ([\d.]+)', output, re.M).group(1)) * REQUESTS_OF_SCRIPT.get(name, 1)
        at = lambda part: latencies[min(len(latencies) - 1, int(part * len(latencies)))] \
            if latencies else float('nan')
        return {'rate': rate, 'p50': at(.5), 'p99': at(.99), 'p999': at(.999),
                'histogram': sorted(collections.Counter(map(rounded, latencies)).items())}


def seconds_run(pids):
    """Seconds on a processor so far."""
    return sum(int(pathlib.Path(f'/proc/{pid}/schedstat').read_text().split()[0]) for pid in pids) / 1e9


def rounded(us):
    """As coarse as the load generator's histogram."""
    shift = max(0, us.bit_length() - 6)
    return us >> shift << shift


def combine(rounds):
    """Several runs of one thing: medians of the figures, histograms added."""
    histogram = collections.Counter()
    for r in rounds:
        histogram.update(dict(r['histogram']))
    return {**{name: statistics.median(r[name] for r in rounds)
               for name in rounds[0] if name != 'histogram'},
            'histogram': sorted(histogram.items())}


def some_of(known):
    """For argparse: names of known, separated by commas."""
    def parse(text):
        for name in text.split(','):
            if name not in known:
                raise ValueError(f'{name} is none of {", ".join(known)}')
        return text.split(',')
    return parse


def describe_machine(pg_config=PG_CONFIG):
    """Where a result comes from."""
    cpu = re.search(r'^model name\s*: (.*)$', pathlib.Path('/proc/cpuinfo').read_text(), re.M)
    run = lambda *command: subprocess.run(command, text=True, capture_output=True).stdout.strip()
    git = lambda *arguments: run('git', '-C', str(ROOT), *arguments)
    return {'time': time.strftime('%Y-%m-%dT%H:%M:%S%z'), 'commit': git('rev-parse', 'HEAD') or 'unknown',
            'changed': git('status', '--porcelain', '--untracked-files=no') != '',
            'cores': os.cpu_count(), 'cpu': cpu.group(1) if cpu else '', 'kernel': os.uname().release,
            'postgresql': run(pg_config, '--version'), 'settings': list(SETTINGS)}
