#!/usr/bin/env python3
"""Hostile input: clients that send whatever they like, while other sessions do
to the tables whatever they may.

usage: hostile.py [--seconds N] [--seed N] [--threads N] [--patience SECONDS]
       hostile.py --replay FILE ...

It starts a server of its own with the build that is installed.  What has to hold:

* every request gets an answer or a closed connection, within --patience,
* no answer is InternalServerError, and each is well formed,
* no process crashes or ends, and no internal error or sanitizer speaks in the log,
* a well-behaved client is answered correctly and within a second all the while,
* the workers' memory stays where it was.

A request that broke one of these is kept in .build/hostile; --replay sends such
files again.  The same seed makes the same requests, but not the same meetings.
"""
import argparse
import collections
import json
import multiprocessing
import pathlib
import random
import re
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'test/hostile'), str(ROOT / 'scripts')]

import botocore.session  # noqa: E402

import bodies  # noqa: E402
import database  # noqa: E402
import wire  # noqa: E402
from private_cluster import Cluster  # noqa: E402

# In the log, wherever: something crashed or is about to.
CRASH = re.compile(r'TRAP: |PANIC|Sanitizer|runtime error: |terminated by signal|terminating any other active server processes'
                   r'|exited with exit code [1-9]|TopMemoryContext: |stack smashing|resource leak|leaked|snapshot \S+ still active')
# By one of our processes: an error nobody foresaw.
INTERNAL = re.compile(r'^\S+ \S+ \S+ \[\d+\] dynamo[^|]*\| (XX\d{3}|58\w{3})')
SETTINGS = ('log_line_prefix=%m [%p] %b| %e ', 'dynamo.workers=2', 'dynamo.lock_timeout=500ms', 'dynamo.request_timeout=5s', 'dynamo.max_failed_signatures=0', 'max_worker_processes=16',
            'deadlock_timeout=100ms', 'fsync=off', 'autovacuum_naptime=1s')


class Attack(threading.Thread):
    """One hostile client."""

    def __init__(self, run, seed):
        super().__init__(daemon=True)
        self.run_, self.r = run, random.Random(seed)
        self.connection = None
        self.count = collections.Counter()

    def run(self):
        try:
            while not self.run_.stop.is_set():
                self.step()
        except Exception as error:
            self.run_.fail(f'{type(error).__name__}: {error}')
        if self.connection:
            self.connection.close()

    def connect(self):
        return wire.Connection(self.run_.server.port, self.run_.patience)

    def step(self):
        r = self.r
        kind = r.random()
        try:
            if self.run_.bytes_left:
                self.damaged(*self.run_.bytes_left.pop())
            elif kind < 0.70:
                self.request()
            elif kind < 0.85:
                message = r.choice(wire.samples(r, self.key()))
                self.damaged(message, r.randrange(len(message)), r.randrange(4))
            elif kind < 0.92:
                self.alone('malformed', wire.malformed(r, self.key()))
            elif kind < 0.995:
                self.pipelined()
            else:
                coding, bomb = r.choice(self.run_.bombs)
                self.alone('bomb', wire.post('PutItem', bomb, self.key(), headers=[('Content-Encoding', coding)]))
        except wire.Broken as error:
            self.run_.fail(str(error), self.sent)
            self.drop()
        except ConnectionError:     # closed while we were sending
            self.drop()

    def drop(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def key(self):
        return self.run_.access_keys[self.r.choice(['owner'] * 12 + ['flickering', 'reader', 'nobody', 'maker'])]

    def message(self):
        r = self.r
        operation, content = bodies.random_request(r, self.run_.models)
        content = content[:17 << 20]
        way = r.randrange(20)
        if way == 0:
            return operation, wire.post(operation, content, self.key(), framing=wire.chunked(r, content))
        if way == 1:
            coding, content = wire.compressed(r, content)
            return operation, wire.post(operation, content, self.key(), headers=[('Content-Encoding', coding)])
        if way == 2:
            return operation, wire.post(operation, content, self.key(), headers=[('Accept-Encoding', 'gzip')])
        return operation, wire.post(operation, content, self.key())

    def request(self):
        operation, self.sent = self.message()
        if self.connection is None:
            self.connection = self.connect()
        self.connection.send(self.sent)
        answer = self.connection.answer()
        self.judge(operation, answer)
        if answer is None or 'connection' in answer.headers:
            self.drop()

    def alone(self, what, message):
        """On a connection of its own, up to the end."""
        self.sent = message
        connection = self.connect()
        try:
            connection.send(message)
            connection.end()
            while (answer := connection.answer(to_head=message.startswith(b'HEAD'))) is not None:
                self.judge(what, answer)
        finally:
            connection.close()

    def damaged(self, message, at, kind):
        self.alone('damaged', wire.damaged(self.r, message, at, kind))

    def pipelined(self):
        messages = [self.message()[1] for _ in range(self.r.randint(2, 30))]
        if self.r.random() < 0.3:       # gone before the answers
            self.sent = b''.join(messages)
            connection = self.connect()
            connection.socket.setblocking(False)
            try:
                connection.socket.send(self.sent)
            except BlockingIOError:
                pass
            connection.close()
            self.count['pipelined', 'left'] += 1
        else:
            self.alone('pipelined', b''.join(messages))

    def judge(self, what, answer):
        if answer is None:
            self.count[what, 'closed'] += 1
            return
        name = ''
        if answer.body and 'json' in answer.headers.get('content-type', ''):
            try:
                content = json.loads(answer.body)
            except ValueError as error:
                raise wire.Broken(f'an answer that is not JSON: {error}: {answer.body[:500]!r}') from None
            name = content.get('__type', '').partition('#')[2]
            if answer.status != 200 and not name:
                raise wire.Broken(f'status {answer.status} without an exception')
        self.count[what, f'{answer.status} {name}'] += 1
        # The service's own answer to broken compression.
        if answer.status == 500 and b'content-encoding' not in self.sent.lower():
            raise wire.Broken(f'{what}: {answer.body[:300]!r}')
        if b'stack depth' in answer.body:
            raise wire.Broken(f'{what}: {answer.body[:300]!r}')


def behave(port, access_key, stopped, results):
    """The well-behaved client: a process of its own, so that it times truly."""
    times, troubles, slowest = [], [], 0
    connection = wire.Connection(port, 30)
    n = 0

    def ask(operation, request, expected):
        nonlocal connection, slowest
        start = time.monotonic()
        connection.send(wire.post(operation, json.dumps(request).encode(), access_key))
        answer = connection.answer()
        times.append(time.monotonic() - start)
        if answer is None:
            troubles.append(f'{operation}: connection closed')
            connection.close()
            connection = wire.Connection(port, 30)
        elif answer.status == 503:      # cancelled from outside: any SDK tries again
            pass
        elif answer.status != 200 or expected is not None and expected not in answer.body:
            troubles.append(f'{operation}: {answer.status} {answer.body[:300]!r}')

    try:
        while not stopped.is_set():
            n += 1
            key = {'p': {'S': f'k{n % 7}'}, 's': {'S': 'x'}}
            ask('PutItem', {'TableName': 'well-behaved', 'Item': {**key, 'n': {'N': str(n)}}}, None)
            ask('GetItem', {'TableName': 'well-behaved', 'Key': key}, b'"n":{"N":')
            ask('Query', {'TableName': 'well-behaved', 'KeyConditionExpression': 'p = :p', 'ExpressionAttributeValues': {':p': key['p']}}, b'"Count":1')
            time.sleep(0.01)
    except Exception as error:
        troubles.append(f'{type(error).__name__}: {error}')
    results.put((sorted(times), troubles[:10]))


class Run:
    """One run against one server; failures is empty if all is well."""

    def __init__(self, server, seed=1, threads=4, patience=30.0, second=1.0):
        self.server, self.seed, self.threads, self.patience, self.second = server, seed, threads, patience, second
        self.stop = threading.Event()
        self.failures, self.report = [], []
        self.findings = ROOT / '.build/hostile'
        self.models = [botocore.session.get_session().get_service_model(name)
                       for name in ('dynamodb', 'dynamodbstreams')]
        self.bytes_left = []
        self.bombs = wire.bombs()
        self.log = pathlib.Path(server.directory) / 'log/postgres.log'

    def fail(self, text, sent=None):
        if sent is not None:
            self.findings.mkdir(parents=True, exist_ok=True)
            path = self.findings / f'{self.seed}-{len(self.failures)}'
            path.write_bytes(sent)
            text = f'{text}\n    sent: {path.relative_to(ROOT)}: {sent[:3000]!r}'
        self.failures.append(text)
        print(f'FAILED: {text}', flush=True)
        if len(self.failures) >= 20:
            self.stop.set()

    def prepare(self):
        self.access_keys = database.prepare(self.server)
        r = random.Random(self.seed)
        connection = wire.Connection(self.server.port, self.patience)
        for name in [*bodies.TABLES, 'well-behaved']:
            for _ in range(50):     # one may ask for something that is not there yet
                request = bodies.create_table(r, name if name in bodies.TABLES else 'hostile-ss')
                connection.send(wire.post('CreateTable', json.dumps({**request, 'TableName': name}).encode(), self.access_keys['owner']))
                answer = connection.answer()
                if answer is not None and answer.status == 200:
                    break
            else:
                raise wire.Broken(f'CreateTable: {answer and answer.body!r}')
        connection.close()
        bodies.PLACES[:] = self.sql("""
            SELECT stream->>'StreamArn', shard->>'ShardId', shard->'SequenceNumberRange'->>'StartingSequenceNumber',
                dynamo.get_shard_iterator(json_build_object('StreamArn', stream->>'StreamArn', 'ShardId', shard->>'ShardId',
                    'ShardIteratorType', 'TRIM_HORIZON'))->>'ShardIterator'
            FROM json_array_elements(dynamo.list_streams('{}')->'Streams') stream,
                json_array_elements(dynamo.describe_stream(json_build_object(
                    'StreamArn', stream->>'StreamArn'))->'StreamDescription'->'Shards') shard""")

    def sql(self, statement):
        session = database.Session(self.server)
        try:
            return session.run(statement)
        finally:
            session.close()

    def workers(self):
        """{pid: anonymous memory in MB} of the HTTP workers."""
        memory = {}
        for pid, in self.sql("SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'dynamo http%'"):
            status = pathlib.Path(f'/proc/{pid}/status').read_text()
            memory[pid] = int(re.search(r'^RssAnon:\s+(\d+)', status, re.M)[1]) / 1024
        return memory

    def recreate(self):
        """Tables that were dropped come back."""
        r = random.Random(self.seed)
        connection = None
        while not self.stop.wait(0.2):
            try:
                connection = connection or wire.Connection(self.server.port, self.patience)
                for name in bodies.TABLES:
                    connection.send(wire.post('CreateTable', json.dumps(bodies.create_table(r, name)).encode(), self.access_keys['owner']))
                    answer = connection.answer()
                    if answer is None:
                        connection = None
                        break
                    if answer.status == 500:
                        self.fail(f'CreateTable: {answer.body!r}')
            except wire.Broken as error:
                self.fail(f'CreateTable: {error}')
                connection = None
            except ConnectionError:
                connection = None

    def phase(self, part, seconds):
        attacks = [Attack(self, f'{self.seed} {part} {i}') for i in range(self.threads)]
        for attack in attacks:
            attack.start()
        deadline = time.monotonic() + seconds
        while (time.monotonic() < deadline or self.bytes_left) and not self.stop.is_set():
            time.sleep(0.1)
        return attacks

    def go(self, seconds, every_byte=False):
        started = self.sql('SELECT pg_postmaster_start_time()')
        self.prepare()
        log_from = self.log.stat().st_size
        results, stopped = multiprocessing.Queue(), multiprocessing.Event()
        behaving = multiprocessing.Process(target=behave, args=(self.server.port, self.access_keys['owner'], stopped, results), daemon=True)
        behaving.start()
        if every_byte:
            r = random.Random(self.seed)
            self.bytes_left = [(m, at, kind) for m in wire.samples(r, self.access_keys['owner']) for at in range(len(m)) for kind in range(4)]
        count, memory, done, disturber = collections.Counter(), [], {}, None
        begun = time.monotonic()
        for part in range(3):
            self.stop.clear()
            disturber = database.Disturber(self.server, random.Random(self.seed + part), self.access_keys, self.stop)
            recreate = threading.Thread(target=self.recreate, daemon=True)
            disturber.start()
            recreate.start()
            attacks = self.phase(part, seconds / 3)
            self.stop.set()
            for thread in [*attacks, recreate, disturber]:
                thread.join(self.patience + 30)
                if thread.is_alive():
                    self.fail(f'{thread} does not end')
            for attack in attacks:
                count += attack.count
            for kind, n in disturber.done.items():
                done[kind] = done.get(kind, 0) + n
            if disturber.failure:
                self.fail(f'the session beside: {disturber.failure}')
            time.sleep(0.5)
            memory.append(self.workers())
            if len(self.failures) >= 20:
                break
        elapsed = time.monotonic() - begun
        stopped.set()
        times, troubles = results.get(timeout=60)
        self.failures += [f'the well-behaved client: {t}' for t in troubles]
        if times and times[-1] > self.second:
            self.fail(f'the well-behaved client waited {times[-1]:.2f} s')
        if self.sql('SELECT pg_postmaster_start_time()') != started:
            self.fail('the server crashed')
        if set(memory[0]) != set(memory[-1]):
            self.fail(f'workers came and went: {memory}')
        for pid, after in memory[-1].items():
            before = memory[0].get(pid, after)
            if after > before + 64:
                self.fail(f'worker {pid} grew from {before:.0f} to {after:.0f} MB')
        self.read_log(log_from)
        self.summary(count, done, times, memory, elapsed)

    def read_log(self, start):
        with self.log.open('rb') as f:
            f.seek(start)
            lines = f.read().decode('utf-8', 'replace').split('\n')
        for i, line in enumerate(lines):
            if CRASH.search(line) or INTERNAL.search(line):
                self.fail('log: ' + '\n    '.join(lines[i:i + 6])[:3000])

    def summary(self, count, done, times, memory, elapsed):
        by_kind = {}
        for (what, how), n in sorted(count.items()):
            by_kind.setdefault(what, []).append(f'{how} {n}')
        self.report = [f'seed {self.seed}: {sum(count.values())} answers in {elapsed:.0f} s, {len(self.failures)} failures',
                       *(f'  {what}: {", ".join(how)}' for what, how in by_kind.items()),
                       '  beside: ' + ', '.join(f'{k} {n}' for k, n in sorted(done.items())),
                       f'  well-behaved: {len(times)} requests, median {times[len(times) // 2] * 1000:.1f} ms, 99.9% {times[int(len(times) * 0.999)] * 1000:.0f} ms, slowest {times[-1] * 1000:.0f} ms' if times else '  well-behaved: none',
                       '  worker memory (MB): ' + ' -> '.join(str({p: round(m) for p, m in part.items()}) for part in memory)]


def replay(server, paths):
    database.prepare(server)
    for path in paths:
        connection = wire.Connection(server.port, 30)
        connection.send(pathlib.Path(path).read_bytes())
        connection.end()
        while (answer := connection.answer()) is not None:
            print(path, answer.status, answer.body[:1000])
        connection.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--seconds', type=float, default=120)
    parser.add_argument('--seed', type=int, default=None)
    parser.add_argument('--threads', type=int, default=4)
    parser.add_argument('--patience', type=float, default=30, help='seconds a hostile request may take')
    parser.add_argument('--second', type=float, default=1, help='seconds a well-behaved one may take')
    parser.add_argument('--replay', nargs='+', metavar='FILE')
    arguments = parser.parse_args()
    server = Cluster()
    failed = True
    try:
        # A kept request's signature is old: take it all the same.
        server.start(*SETTINGS, *(['dynamo.accept_any_credentials=on'] if arguments.replay else []))
        server.wait()
        if arguments.replay:
            replay(server, arguments.replay)
            failed = False
            return 0
        seed = arguments.seed if arguments.seed is not None else random.randrange(1 << 30)
        run = Run(server, seed, arguments.threads, arguments.patience, arguments.second)
        run.go(arguments.seconds, every_byte=arguments.seconds >= 60)
        print('\n'.join(run.report))
        failed = bool(run.failures)
        if failed:
            print(f'The server of this run is kept in {server.directory}')
        return failed
    finally:
        if failed:
            server.stop('immediate')
        else:
            server.reset()


if __name__ == '__main__':
    sys.exit(main())
