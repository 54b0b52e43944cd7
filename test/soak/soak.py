#!/usr/bin/env python3
"""The soak: mixed load for as long as wanted, while all sorts of things befall the
server.  It must lose nothing, answer correctly, come back and not grow.

usage: soak.py [--minutes N] [--seed N] [--rate FACTOR] [--gap SECONDS]
               [--faults NAME,...] [--no-standby] [--keep]

It starts a cluster of its own with the build that is installed, and a synchronous
standby.  Clients (clients.py) make some 150 requests a second at --rate 1, and know
what they may find.  Meanwhile faults (faults.py) come one after the other, chosen by
the seed, --gap seconds apart.  After each, as soon as the server answers again,

* all that was acknowledged is there, and what was not is there whole or not at all,
* nothing that was seen is gone again, no counter has gone back, balances add up,
* indexes say what their tables say (dynamo.verify_table, dynamo.verify_index),
* every answer but the right one is explained by a fault: InternalServerError by none.

Once in a while pg_amcheck looks at everything.  In the first half of the run no fault
ends the endpoint's processes, so that their memory can be seen to be flat.  At the
end the primary is killed, the standby is promoted, and all of it has to hold there;
the stream, read all the time, has had each change once, in order.

Two directories of the server get small file systems of their own, to be full now and
then.  That takes root; without it these faults are left out, which is said.
"""
import argparse
import collections
import contextlib
import ctypes
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / path) for path in ('test/soak', 'test/api', 'test/hostile', 'scripts')]

import psycopg2  # noqa: E402

import clients  # noqa: E402
import stream_replay  # noqa: E402
import watch  # noqa: E402
from faults import FAULTS, SmallDisk  # noqa: E402
from private_cluster import Cluster, pg_config  # noqa: E402

SETTINGS = (
    'dynamo.workers=2', 'dynamo.lock_timeout=2s', 'dynamo.max_failed_signatures=0', 'max_worker_processes=16',
    'max_connections=60', 'max_wal_senders=4', 'max_wal_size=96MB', 'min_wal_size=32MB', 'wal_keep_size=128MB',
    'shared_buffers=64MB', 'wal_retrieve_retry_interval=200ms', 'deadlock_timeout=200ms', 'autovacuum_naptime=5s',
    'allow_in_place_tablespaces=on', 'log_line_prefix=%m [%p] %b| %e ', 'log_timezone=UTC',
    *stream_replay.settings(lifetime=20, shards=4)[len(stream_replay.SETTINGS):])
WAL_DISK_MB, ITEM_DISK_MB = 448, 320
# After a fault: until everything that it has held up has come to its end.
AFTERWARDS = 3
RECOVERY_SECONDS = 90
AMCHECK_EVERY = 15              # faults

multiprocessing = multiprocessing.get_context('fork')


class Counter(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ('sent', 'acknowledged', 'seen')]


class Places(stream_replay.Places):
    def port(self):
        return int(self.endpoints[self.current.value].rpartition(':')[2])


@dataclass
class Window:
    """A fault, and until when it excuses what."""
    name: str
    explains: frozenset
    begun: float
    ended: float = float('inf')


class Soak:
    def __init__(self, seconds, seed, rate=1.0, gap=15.0, faults=None, standby=True, first=()):
        self.seconds, self.seed, self.rate, self.gap = seconds, seed, rate, gap
        self.random = random.Random(seed)
        self.chosen, self.first = faults, list(first)
        self.settings = SETTINGS
        self.server = Cluster()
        self.standby = Cluster() if standby else None
        self.wal_disk = self.item_disk = None
        self.stop = multiprocessing.Event()
        self.problems_queue, self.troubles, self.results = (multiprocessing.SimpleQueue() for _ in range(3))
        self.epoch = multiprocessing.Value('i', 0, lock=False)
        self.counters = multiprocessing.Array(Counter, clients.NCOUNTERS)
        self.problems, self.windows, self.unjudged = [], [], []
        self.counts, self.recoveries = collections.Counter(), []
        self.excused = collections.Counter()
        self.done = collections.Counter()
        # Seconds of the log are those of the clock, the clients' are monotonic.
        self.clock = time.time() - time.monotonic()
        self.reader = None

    # ----- for faults and clients -----

    def problem(self, text):
        self.problems_queue.put(text)
        print(f'PROBLEM: {text}', flush=True)

    def floor(self, n):
        with self.counters.get_lock():
            return max(self.counters[n].acknowledged, self.counters[n].seen)

    def connect(self, options='-c statement_timeout=60s'):
        server = self.server if self.places.current.value == 0 else self.standby
        connection = psycopg2.connect(host=server.socket_directory, port=5432, user='postgres', dbname='postgres', options=options)
        connection.autocommit = True
        return connection

    def sql(self, statement, *parameters, options='-c statement_timeout=60s'):
        with contextlib.closing(self.connect(options)) as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def relation(self, table):
        return self.sql('SELECT relation::text FROM dynamo.tables WHERE name = %s', table)[0][0]

    @staticmethod
    def postmaster_of(server):
        try:
            return int(pathlib.Path(server.directory, 'data/postmaster.pid').read_text().split('\n')[0])
        except (OSError, ValueError):
            return None

    def postmaster(self):
        return self.postmaster_of(self.server if self.places.current.value == 0 else self.standby)

    def processes(self, title):
        return sorted(pid for pid, found in watch.children(self.postmaster()).items() if found.startswith(title))

    def together(self, function, arguments):
        threads = [threading.Thread(target=function, args=(a,)) for a in arguments]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def log_contexts(self, pid):
        with contextlib.suppress(psycopg2.Error):
            self.sql('SELECT pg_log_backend_memory_contexts(%s)', pid)

    def try_to_start(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.server.start(*self.settings)

    # ----- from nothing to a server under load -----

    def prepare(self):
        self.server.start(*self.settings)
        self.server.socket_directory = self.server.socket
        if self.standby:
            self.standby.socket_directory = self.standby.socket
        self.server.wait()
        self.places = Places([self.server, *([self.standby] if self.standby else [])])
        self.sql("CREATE TABLESPACE soak LOCATION ''")
        [[tablespace]] = self.sql("SELECT oid FROM pg_tablespace WHERE spcname = 'soak'")
        self.server.stop()
        data = f'{self.server.directory}/data'
        for name, directory, megabytes in (('wal_disk', 'pg_wal', WAL_DISK_MB), ('item_disk', f'pg_tblspc/{tablespace}', ITEM_DISK_MB)):
            try:
                setattr(self, name, SmallDisk(f'{data}/{directory}', f'{self.server.directory}/{name}', megabytes))
            except OSError as error:
                print(f'no file system of its own for {directory}, so nothing gets full: {error}')
        self.server.start(*self.settings)
        self.server.wait()
        client = stream_replay.Client(self.places)
        for table in clients.TABLES:
            client.must('CreateTable', table)
        for name in ('soak-probe', 'soak-large'):
            client.must('CreateTable', clients.table(name, ('p',)))
        client.must('UpdateTimeToLive', {'TableName': clients.EXPIRING, 'TimeToLiveSpecification': {'Enabled': True, 'AttributeName': 'e'}})
        for name, key in clients.ACCOUNTS:
            client.must('PutItem', {'TableName': name, 'Item': {**key, 'balance': {'N': str(clients.BALANCE)}}})
        self.sql('CREATE TABLE soak_rows (load int, version int, PRIMARY KEY (load, version))')
        for name in (clients.ITEMS, clients.LEDGER):
            relation = self.relation(name)
            self.sql(f'ALTER TABLE {relation} SET TABLESPACE soak')
            for index, in self.sql('SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass', relation):
                self.sql(f'ALTER INDEX {index} SET TABLESPACE soak')
        self.sql('CREATE EXTENSION amcheck')
        self.access_key = self.places.credentials[1:]
        self.hostile_keys = clients.hostile_keys(self.server)
        self.streams = stream_replay.Soak([self.server, *([self.standby] if self.standby else [])], 0, items=1500, writers=3, seed=self.seed)
        self.streams.places, self.streams.http_writers, self.streams.stop = self.places, 2, self.stop
        self.streams.TABLE = stream_replay.TABLE
        arn = stream_replay.make_table(client, stream_replay.TABLE)
        if self.standby:
            self.standby.make_standby_of(self.server)
            self.standby.start(*self.settings)
            self.streams.replicate()
        kinds = [(clients.Items, 3), (clients.Counters, 2), (clients.Bank, 2), (clients.Expiring, 1), (clients.Tables, 1),
                 (clients.Connections, 1), (clients.Hostile, 1)]
        loads = [kind(self, number) for kind, count in kinds for number in range(count)]
        for place, load in enumerate(loads):
            load.place = place
        self.checked = multiprocessing.Array('i', len(loads), lock=False)
        loads += [clients.StreamWriter(self, number) for number in range(self.streams.writers)]
        self.workers = [multiprocessing.Process(target=load.work, daemon=True) for load in loads]
        self.reader = multiprocessing.Process(target=clients.StreamConsumer(self, arn).work, daemon=True)
        self.log_begins = os.stat(f'{self.server.directory}/log/postgres.log').st_size
        self.watch = watch.Watch(self.postmaster, self.log_contexts)
        for process in [*self.workers, self.reader]:
            process.start()
        self.watch.start()

    # ----- a fault -----

    def candidates(self, half):
        wanted = [f for f in FAULTS.values()
                  if (self.chosen is None or f.name in self.chosen) and (f.needs is None or getattr(self, f.needs))]
        return [f for f in wanted if half == 2 or not f.ends_processes] or wanted

    def befall(self, fault):
        window = Window(fault.name, fault.explains, time.monotonic())
        self.windows.append(window)
        try:
            note = fault.run(self)
        except psycopg2.Error as error:
            note = f'{type(error).__name__} {error.pgcode}'
            if error.pgcode and error.pgcode.startswith('XX'):
                self.problem(f'{fault.name}: {error}')
        freed = time.monotonic()
        self.recover()
        window.ended = time.monotonic() + AFTERWARDS
        self.done[fault.name] += 1
        self.recoveries.append((time.monotonic() - freed, fault.name))
        print(f'{time.monotonic() - self.begun:6.0f} s: {fault.name} for {freed - window.begun:.1f} s, well again after '
              f'{time.monotonic() - freed:.2f} s; {note}', flush=True)

    def well(self):
        """Does everybody answer?"""
        if self.standby and self.places.current.value == 0 and \
                self.sql('SELECT sync_state FROM pg_stat_replication') != [('sync',)]:
            return False
        titles = collections.Counter(title.rstrip('0123456789 ') for title in watch.children(self.postmaster()).values())
        if [titles[f'dynamo {name}'] for name in ('http worker', 'flusher', 'scheduler', 'launcher')] != [2, 1, 1, 1]:
            return False
        for n in range(6):
            client = stream_replay.Client(self.places)
            for operation, request in (('PutItem', {'TableName': 'soak-probe', 'Item': {'p': {'S': str(n)}}}),
                                       ('GetItem', {'TableName': 'soak-probe', 'Key': {'p': {'S': str(n)}}, 'ConsistentRead': True})):
                if client.run(operation, request)[0] is not None:
                    return False
            client.close()
        return True

    def recover(self):
        deadline = time.monotonic() + RECOVERY_SECONDS
        while time.monotonic() < deadline:
            postmaster = self.postmaster()
            if postmaster is None or not os.path.exists(f'/proc/{postmaster}/stat') \
                    or open(f'/proc/{postmaster}/stat').read().rpartition(')')[2].split()[0] in 'ZX':
                self.try_to_start()
            with contextlib.suppress(psycopg2.Error, *stream_replay.GONE):
                if self.well():
                    return
            time.sleep(.05)
        raise AssertionError(f'the server is not well after {RECOVERY_SECONDS} s')

    # ----- what has to hold -----

    def check(self, amcheck=False):
        self.epoch.value += 1
        deadline = time.monotonic() + 2 * clients.PATIENCE
        while any(checked < self.epoch.value for checked in self.checked):
            self.drain()
            if not all(process.is_alive() for process in [*self.workers, self.reader]):
                raise AssertionError('a client has ended')
            if time.monotonic() > deadline:
                raise AssertionError(f'clients have not checked what they have: {list(self.checked)}')
            time.sleep(.05)
        self.check_in_sql()
        if amcheck:
            self.amcheck()
        self.judge()

    def check_in_sql(self):
        for name, in self.sql("SELECT name FROM dynamo.tables WHERE name LIKE 'soak%' AND name NOT LIKE 'soak-own-%'"):
            try:
                self.sql('SELECT dynamo.verify_table(%s)', name)
                for index, in self.sql(
                        "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam"
                        " WHERE indrelid = (SELECT relation FROM dynamo.tables WHERE name = %s) AND indisvalid AND amname = 'dynamo_key'", name):
                    with contextlib.suppress(psycopg2.errors.UndefinedTable):    # an index that was deleted just now
                        self.sql('SELECT dynamo.verify_index(%s::regclass)', index)
            except psycopg2.Error as error:
                self.problem(f'{name}: {error.pgcode} {error}')
        wrong = self.sql(f"""
            WITH entry AS (SELECT item -> 'payer' ->> 'S' payer, item -> 'payee' ->> 'S' payee, (item -> 'amount' ->> 'N')::int amount
                           FROM (SELECT item::jsonb FROM {self.relation(clients.LEDGER)}) l),
                account AS (SELECT item -> 'p' ->> 'S' name, (item -> 'balance' ->> 'N')::int balance
                            FROM (SELECT item::jsonb FROM {self.relation('soak-accounts')}) a)
            SELECT name, balance, due FROM (SELECT name, balance, {clients.BALANCE}
                + coalesce((SELECT sum(amount) FROM entry WHERE payee = name), 0)
                - coalesce((SELECT sum(amount) FROM entry WHERE payer = name), 0) due FROM account) a WHERE balance <> due""")
        if wrong:
            self.problem(f'accounts are not what the ledger says: {wrong}')

    def amcheck(self):
        server = self.server if self.places.current.value == 0 else self.standby
        done = subprocess.run([f'{pg_config("bindir")}/pg_amcheck', '-h', server.socket_directory, '-p', '5432', '-U', 'postgres',
                               '-d', 'postgres', '--heapallindexed'], capture_output=True, text=True)
        # What has been dropped meanwhile is no corruption.
        if done.returncode and not all('does not exist' in line or 'could not open relation' in line for line in done.stderr.splitlines()):
            self.problem(f'pg_amcheck: {done.stdout[-2000:]} {done.stderr[-2000:]}')

    def drain(self):
        while not self.problems_queue.empty():
            self.problems.append(self.problems_queue.get())
        while not self.troubles.empty():
            self.unjudged.append(self.troubles.get())
        while not self.results.empty():
            name, count = self.results.get()
            if name == 'StreamConsumer':
                self.stream = count
            else:
                for what, n in count.items():
                    self.counts[name, *(what if isinstance(what, tuple) else ('', what))] += n
        if len(self.problems) > 50:
            raise AssertionError('too many problems')

    def judge(self):
        """Is there a fault for every trouble of the clients?"""
        self.drain()
        for begun, ended, who, what, text in self.unjudged:
            kind = 'closed' if what == clients.CLOSED else 'slow' if what == clients.SLOW else \
                'unavailable' if what in ('ServiceUnavailable', 'ThrottlingException') else \
                'conflict' if what in (*clients.CONFLICTS, 'ResourceInUseException') else None
            window = next((w for w in self.windows if kind in w.explains and begun <= w.ended and ended >= w.begun), None)
            if window:
                self.excused[window.name, kind] += 1
            else:
                self.problem(f'{who}: {what} after {ended - begun:.2f} s, {ended - self.begun:.1f} s from the start, and nothing explains it: {text}')
        self.unjudged = []

    def explained(self, when, kind):
        return any(kind in w.explains and w.begun - .5 <= when - self.clock <= w.ended for w in self.windows)

    # ----- all of it -----

    def run(self):
        """True if all is well."""
        self.begun = time.monotonic()
        try:
            self.prepare()
            self.begun = time.monotonic()
            self.go()
        except Exception as error:
            self.problem(f'{type(error).__name__}: {error}')
        with contextlib.suppress(AssertionError):
            self.drain()
        return not self.problems

    def go(self):
        while (now := time.monotonic() - self.begun) < self.seconds or self.first:
            time.sleep(self.random.uniform(.5, 1.5) * self.gap)
            candidates = self.candidates(1 if now < self.seconds / 2 else 2)
            # Drawn always, so that the seed's other choices stay the same.
            drawn = self.random.choices(candidates, [f.weight for f in candidates])[0]
            fault = FAULTS[self.first.pop(0)] if self.first else drawn
            if fault.needs and not getattr(self, fault.needs):
                print(f'{fault.name} is left out')
                continue
            self.befall(fault)
            self.check(amcheck=sum(self.done.values()) % AMCHECK_EVERY == 0)
        self.check(amcheck=True)
        if self.standby:
            self.fail_over()
        self.finish()

    def fail_over(self):
        """Everything acknowledged is on the standby."""
        window = Window('failover', frozenset({'closed', 'unavailable', 'slow', 'conflict'}), time.monotonic())
        self.windows.append(window)
        self.streams.promote()
        self.recover()
        window.ended = time.monotonic() + AFTERWARDS
        print(f'{window.begun - self.begun:6.0f} s: failover, well again after {time.monotonic() - window.begun:.2f} s', flush=True)
        self.check(amcheck=True)

    def finish(self):
        self.stop.set()
        for process in self.workers:
            self.join(process, 2 * clients.PATIENCE)
        self.streams.drained.set()
        self.join(self.reader, 300)
        self.judge()
        self.check_in_sql()
        self.watch.stopped.set()
        lines, problems = self.watch.judge()
        for server in [self.server, *([self.standby] if self.standby else [])]:
            more, errors = watch.read_log(f'{server.directory}/log/postgres.log', *(
                [self.log_begins, self.explained] if server is self.server else [0, lambda *_: True]))
            problems += more
            lines.append(f'  in the log of {"the primary" if server is self.server else "the standby"}: {dict(errors.most_common())}')
        self.report(lines)
        for problem in problems:
            self.problem(problem)

    def join(self, process, seconds):
        """Queues have to be read for their writers to end."""
        deadline = time.monotonic() + seconds
        while process.is_alive():
            self.drain()
            if time.monotonic() > deadline:
                raise AssertionError('a client does not end')
            process.join(.1)

    def report(self, lines):
        by_kind = collections.defaultdict(collections.Counter)
        for (load, operation, outcome), n in self.counts.items():
            # What hostile requests are answered with is hostile.py's to tell.
            by_kind[f'{load} {operation}'.strip() if load != 'Hostile' else load][outcome] += n
        print(f'\nseed {self.seed}, {(time.monotonic() - self.begun) / 60:.1f} minutes, {sum(self.counts.values())} operations')
        for kind, outcomes in sorted(by_kind.items()):
            print(f'  {kind}: ' + ', '.join(f'{outcome} {n}' for outcome, n in outcomes.most_common()))
        print('stream: ' + json.dumps(getattr(self, 'stream', None)))
        print('counters: ' + ', '.join(f'{c.acknowledged} of {c.sent}' for c in self.counters))
        print(f'{sum(self.done.values())} faults: ' + ', '.join(f'{name} {n}' for name, n in self.done.most_common()))
        excused = collections.defaultdict(list)
        for (name, kind), n in sorted(self.excused.items()):
            excused[name].append(f'{n} {kind}')
        print('troubles they explain: ' + '; '.join(f'{name}: {", ".join(kinds)}' for name, kinds in excused.items()))
        worst = {}
        for seconds, name in self.recoveries:
            worst.setdefault(name, []).append(seconds)
        print('seconds until it was well again, median and worst: ' + ', '.join(
            f'{name} {sorted(s)[len(s) // 2]:.2f} {max(s):.2f}' for name, s in sorted(worst.items())))
        print('processes that lived for minutes, memory over time:', *lines, sep='\n', flush=True)

    def end(self, keep):
        for process in [*getattr(self, 'workers', []), self.reader]:
            if process and process.is_alive():
                process.kill()
        for server in [self.server, self.standby]:
            if server:
                server.stop('immediate')
        for disk in (self.wal_disk, self.item_disk):
            if disk:
                disk.remove(keep)
        for server in [self.server, self.standby]:
            if server and keep:
                print(f'kept: {server.directory}')
            elif server:
                server.reset()
        if hasattr(self, 'streams'):
            shutil.rmtree(self.streams.directory, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=float, default=60)
    parser.add_argument('--seed', type=int, default=random.randrange(10**9))
    parser.add_argument('--rate', type=float, default=1, help='1: about 150 requests a second')
    parser.add_argument('--gap', type=float, default=15, help='seconds between two faults')
    parser.add_argument('--faults', help='only these, separated by commas')
    parser.add_argument('--no-standby', action='store_true')
    parser.add_argument('--keep', action='store_true', help='leave the data where it is')
    options = parser.parse_args()
    chosen = options.faults and options.faults.split(',')
    if chosen and set(chosen) - FAULTS.keys():
        sys.exit(f'there are these faults: {", ".join(FAULTS)}')
    print(f'seed {options.seed}', flush=True)
    # File systems are not to be left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit('ended'))
    soak = Soak(options.minutes * 60, options.seed, options.rate, options.gap, chosen, not options.no_standby)
    well = False
    try:
        well = soak.run()
    finally:
        soak.end(keep=options.keep or not well)
    print(f'{len(soak.problems)} problems')
    sys.exit(0 if well else 1)


if __name__ == '__main__':
    main()
