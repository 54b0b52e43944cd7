"""What befalls the server.

A fault is a function of the run; what it returns is printed.  explains says which
troubles of clients, and which lines of the log, it excuses while it lasts and until
the server is well again:

    closed          connections that close without an answer, processes that end
    unavailable     ServiceUnavailable, ThrottlingException
    conflict        TransactionConflictException and its like
    slow            answers that take seconds
    panic, memory, sessions     what PostgreSQL writes to its log then; sessions of SQL
                    that it has no room for

What is not excused by any is a problem, and InternalServerError always is.
"""
import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

import psycopg2

import clients
import watch
import wire
from private_cluster import own_user

FAULTS = {}


@dataclass
class Fault:
    name: str
    run: object
    weight: int
    explains: frozenset
    ends_processes: bool
    needs: str                  # a member of the run that has to be there


def fault(weight, explains='', ends_processes=False, needs=None):
    def register(function):
        FAULTS[function.__name__] = Fault(function.__name__, function, weight, frozenset(explains.split()), ends_processes, needs)
        return function
    return register


# ----- processes end -----

CRASH = 'closed unavailable slow sessions'


def kill_one(run, title):
    pid = run.random.choice(run.processes(title))
    time.sleep(run.random.random() * .5)
    os.kill(pid, signal.SIGKILL)
    return ''


@fault(4, CRASH, ends_processes=True)
def kill_worker(run):
    return kill_one(run, 'dynamo http worker')


@fault(2, CRASH, ends_processes=True)
def kill_flusher(run):
    return kill_one(run, 'dynamo flusher')


@fault(2, CRASH, ends_processes=True)
def kill_other(run):
    title = run.random.choice(['dynamo scheduler', 'dynamo launcher', 'checkpointer', 'walwriter', 'autovacuum launcher'])
    kill_one(run, title)
    return title


@fault(4, CRASH, ends_processes=True)
def kill_postmaster(run):
    run.server.kill()
    return ''


@fault(2, CRASH, ends_processes=True)
def kill_in_recovery(run):
    """Dead again before it has come back."""
    times = run.random.randint(1, 3)
    for _ in range(times):
        with contextlib.suppress(OSError, ValueError):  # it has not come back at all
            run.server.kill()
        start = threading.Thread(target=run.try_to_start)
        start.start()
        time.sleep(run.random.uniform(.2, 1.2))
        with contextlib.suppress(OSError, ValueError):
            run.server.kill()
        start.join()
    return f'{times} times'


@fault(2, CRASH, ends_processes=True)
def restart(run):
    mode = run.random.choice(['fast', 'immediate'])
    run.server.stop(mode)
    return mode


@fault(2, 'closed unavailable', ends_processes=True)
def terminate(run):
    """pg_terminate_backend()."""
    title = run.random.choice(['http worker', 'http worker', 'flusher', 'scheduler', 'launcher'])
    pids = run.processes(f'dynamo {title}')
    run.sql('SELECT pg_terminate_backend(pid) FROM unnest(%s) pid', pids)
    deadline = time.monotonic() + 10
    while set(pids) & set(run.processes(f'dynamo {title}')):
        if time.monotonic() > deadline:
            run.problem(f'{title} does not end')
            break
        time.sleep(.01)
    return title


# ----- processes stand still -----

@contextlib.contextmanager
def stopped(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


# One that stands still may hold whatever it had.
@fault(3, 'slow conflict unavailable')
def stop_worker(run):
    with stopped([run.random.choice(run.processes('dynamo http worker'))]):
        time.sleep(run.random.uniform(.5, 6))
    return ''


@fault(3, 'slow')
def stop_flusher(run):
    with stopped(run.processes('dynamo flusher')):
        time.sleep(run.random.uniform(.5, 6))
    return ''


@fault(1, 'slow conflict unavailable')
def stop_all(run):
    """As if the machine had slept."""
    postmaster = run.postmaster()
    with stopped([postmaster, *watch.children(postmaster)]):
        time.sleep(run.random.uniform(1, 5))
    return ''


@fault(1, 'unavailable conflict')
def cancel(run):
    for _ in range(20):
        run.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type LIKE 'dynamo%'")
        time.sleep(run.random.random() * .1)
    return ''


# ----- locks -----

def hold(run, statements, low, high):
    """Run statements in a transaction of SQL's and keep it open."""
    with contextlib.closing(run.connect()) as connection:
        connection.autocommit = False
        with connection.cursor() as cursor:
            try:
                for statement in statements:
                    cursor.execute(statement)
            except psycopg2.Error as error:
                return f'{error.pgcode}'
            time.sleep(run.random.uniform(low, high))
        run.random.choice([connection.commit, connection.rollback])()
    return ''


@fault(3, 'conflict')
def lock_rows(run):
    relation = run.relation(run.random.choice([clients.ITEMS, clients.COUNTERS, 'soak-accounts', clients.EXPIRING]))
    strength = run.random.choice(['UPDATE', 'NO KEY UPDATE', 'SHARE', 'KEY SHARE'])
    note = hold(run, [f'SELECT FROM {relation} WHERE random() < .3 FOR {strength}'], 1, 5)
    return f'{relation} FOR {strength} {note}'


@fault(2, 'conflict')
def write_rows(run):
    relation = run.relation(clients.ITEMS)
    return hold(run, [f'UPDATE {relation} SET item = item WHERE random() < .2'], 1, 4)


@fault(3, 'conflict unavailable')
def lock_tables(run):
    names = run.random.sample([clients.ITEMS, clients.COUNTERS, 'soak-accounts', clients.LEDGER, clients.EXPIRING], run.random.randint(1, 5))
    mode = run.random.choice(['ACCESS EXCLUSIVE', 'ACCESS EXCLUSIVE', 'EXCLUSIVE', 'SHARE ROW EXCLUSIVE', 'SHARE'])
    note = hold(run, [f'LOCK TABLE {run.relation(name)} IN {mode} MODE' for name in names], .5, 4)
    return f'{len(names)} IN {mode} MODE {note}'


@fault(1, 'conflict unavailable')
def lock_catalog(run):
    """What says which tables there are, and who may do what."""
    name = run.random.choice(['dynamo.tables', 'pg_class', 'pg_authid'])
    return name + ' ' + hold(run, [f'LOCK TABLE {name} IN {run.random.choice(["EXCLUSIVE", "SHARE ROW EXCLUSIVE"])} MODE'], .5, 2)


@fault(2, 'conflict')
def deadlocks(run):
    """Sessions that lock the same rows in different orders."""
    relation, found = run.relation(clients.ITEMS), []

    def session(seed):
        r = random.Random(seed)
        with contextlib.closing(run.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT ctid::text FROM {relation} WHERE random() < .1 LIMIT 10")
            places = [row[0] for row in cursor.fetchall()]
            for _ in range(6):
                r.shuffle(places)
                try:
                    cursor.execute('BEGIN')
                    for place in places:
                        cursor.execute(f"SELECT FROM {relation} WHERE ctid = '{place}' FOR UPDATE")
                        time.sleep(r.random() * .02)
                except psycopg2.Error as error:
                    found.append(error.pgcode)
                cursor.execute('ROLLBACK')

    run.together(session, [run.random.random() for _ in range(4)])
    return f'{found.count("40P01")} of them'


@fault(1, 'conflict unavailable sessions')
def lock_space(run):
    """All the room there is for locks."""
    with contextlib.closing(run.connect()) as connection, connection.cursor() as cursor:
        cursor.execute('BEGIN')
        locks = 0
        for step in (1000, 100, 10, 1):
            with contextlib.suppress(psycopg2.errors.OutOfMemory):
                while True:
                    cursor.execute('SAVEPOINT s')
                    cursor.execute(f'SELECT count(pg_advisory_xact_lock_shared(77, n)) FROM generate_series({locks}, {locks + step - 1}) n')
                    locks += step
                    cursor.execute('RELEASE s')
            cursor.execute('ROLLBACK TO s')
        time.sleep(run.random.uniform(.5, 2))
        cursor.execute('ROLLBACK')
    return f'{locks} locks'


@fault(2)
def snapshot(run):
    """An old snapshot: nothing can be removed."""
    return hold(run, ['SET TRANSACTION ISOLATION LEVEL REPEATABLE READ', f'SELECT count(*) FROM {run.relation(clients.ITEMS)}'], 4, 10)


@fault(4, 'conflict unavailable')
def maintenance(run):
    relation = run.relation(run.random.choice([clients.ITEMS, clients.COUNTERS, 'soak-accounts', clients.LEDGER, clients.EXPIRING, stream_table(run)]))
    done = []
    for statement in run.random.sample([
            'VACUUM FULL {0}', 'VACUUM (FREEZE, ANALYZE) {0}', 'REINDEX TABLE {0}', 'REINDEX TABLE CONCURRENTLY {0}', 'CHECKPOINT',
            'ALTER TABLE {0} ADD COLUMN soaked int DEFAULT 1; ALTER TABLE {0} DROP COLUMN soaked', 'ALTER TABLE {0} SET (fillfactor = 80)',
            'CREATE INDEX soaked ON {0} ((length(item::text))); DROP INDEX dynamo_data.soaked', 'REINDEX SYSTEM postgres',
            "ALTER TABLE {0} ALTER item SET STORAGE EXTERNAL"], 4):
        try:
            run.sql(statement.format(relation), options='-c lock_timeout=3s')
            done.append(statement.partition('{')[0].strip())
        except psycopg2.Error as error:
            done.append(f'{statement.partition("{")[0].strip()}: {error.pgcode}')
    return f'{relation}: {", ".join(done)}'


def stream_table(run):
    return run.streams.TABLE


# ----- no room -----

class SmallDisk:
    """A file system of its own for one directory of the server's."""

    def __init__(self, directory, image, megabytes):
        """OSError if there can be none."""
        self.directory, self.image, old = directory, image, directory + '.old'
        status = os.stat(directory)
        os.rename(directory, old)
        os.mkdir(directory)
        try:
            self.mount(megabytes)
        except OSError:
            os.rmdir(directory)
            os.rename(old, directory)
            raise
        shutil.copytree(old, directory, dirs_exist_ok=True, symlinks=True)
        for path, _, files in os.walk(directory):
            for name in [path, *(os.path.join(path, f) for f in files)]:
                os.chown(name, status.st_uid, status.st_gid)
        os.chmod(directory, status.st_mode)
        shutil.rmtree(old)

    def mount(self, megabytes):
        def run(*command):
            try:
                done = subprocess.run(command, capture_output=True, text=True)
            except FileNotFoundError as error:
                raise OSError(error) from None
            if done.returncode:
                raise OSError(f'{command[0]}: {done.stderr.strip()}')

        try:                    # on a disk, where a flush takes its time
            with open(self.image, 'wb') as f:
                f.truncate(megabytes << 20)
            run('mkfs.ext4', '-q', '-m', '0', self.image)
            run('mount', '-o', 'loop', self.image, self.directory)
            os.rmdir(self.directory + '/lost+found')
        except OSError:
            os.unlink(self.image)
            run('mount', '-t', 'tmpfs', '-o', f'size={megabytes}m', 'tmpfs', self.directory)

    def fill(self):
        with open(self.directory + '/filler', 'ab', buffering=0) as f:
            for size in (1 << 20, 4096):
                with contextlib.suppress(OSError):
                    while True:
                        f.write(bytes(size))

    def free(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.directory + '/filler')

    def remove(self, keep):
        """What is on it is kept, if wanted, in the directory itself."""
        self.free()
        copy = self.directory + '.old'
        if keep:
            shutil.copytree(self.directory, copy, symlinks=True)
        subprocess.run(['umount', self.directory], check=True)
        if keep:
            os.rmdir(self.directory)
            os.rename(copy, self.directory)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.image)


@fault(3, 'unavailable', needs='item_disk')
def disk_full(run):
    """Where the items are.  Errors, and what was there stays."""
    run.item_disk.fill()
    try:
        client = clients.Client(run.places)
        answers = []
        deadline = time.monotonic() + run.random.uniform(2, 7)
        while time.monotonic() < deadline:
            error, message, _ = client.run('PutItem', {'TableName': clients.ITEMS, 'Item': {
                'p': {'S': 'disk'}, 's': {'S': str(run.random.randrange(10))}, 'd': {'S': os.urandom(150000).hex()}}})
            answers.append(error)
            if error not in (None, 'ServiceUnavailable'):
                run.problem(f'with a full disk: {error}: {message}')
            time.sleep(.1)
    finally:
        run.item_disk.free()
    return f'{answers.count(None)} of {len(answers)} written'


@fault(2, CRASH + ' panic', ends_processes=True, needs='wal_disk')
def wal_full(run):
    """PostgreSQL can't go on without WAL: it ends, and comes back when there is room."""
    run.wal_disk.fill()
    begun = time.monotonic()
    segments = 0
    try:
        with contextlib.suppress(psycopg2.Error):
            # Each takes another of the segments that have been kept for use.
            while time.monotonic() < begun + 30:
                run.sql("SELECT pg_logical_emit_message(true, 'soak', ''), pg_switch_wal()")
                segments += 1
        time.sleep(run.random.uniform(0, 3))
    finally:
        run.wal_disk.free()
    return f'it went on for {segments} segments, {time.monotonic() - begun:.1f} s'


def send_large(run, seconds):
    """Bodies of up to 16 MB, from a few clients at a time: answers by status."""
    answers = {}
    item = 'x' * 390000
    contents = [
        ('BatchWriteItem', b'{"RequestItems": {"soak-large": [' + b','.join(
            b'{"PutRequest": {"Item": {"p": {"S": "%d"}, "d": {"S": "%s"}}}}' % (n, item.encode()) for n in range(25)) + b']}}'),
        ('PutItem', b'{"TableName": "soak-large", "Item": {"p": {"S": "a"}, "d": {"S": "%s"}}}' % (b'y' * (15 << 20))),
        ('PutItem', b'{"TableName": "soak-large", "Item": {"p": {"S": "a"}, "d": {"L": [%s{"N": "1"}]}}}' % (b'{"N": "1"},' * 1000000)),
        ('Scan', b'{"TableName": "soak-large"}')]
    deadline = time.monotonic() + seconds

    def client(seed):
        r = random.Random(seed)
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), contextlib.closing(wire.Connection(run.places.port(), clients.PATIENCE)) as connection:
                connection.send(wire.post(*r.choice(contents), run.access_key))
                answer = connection.answer()
                status = answer.status if answer else 'closed'
                answers[status] = answers.get(status, 0) + 1
                if status == 500:
                    run.problem(f'a large body: {answer.body[:300]!r}')
            time.sleep(r.random() * .3)

    run.together(client, [run.random.random() for _ in range(3)])
    return ', '.join(f'{status}: {n}' for status, n in sorted(answers.items(), key=str))


@fault(2)
def large_bodies(run):
    return send_large(run, run.random.uniform(2, 4))


def limit_memory(pid, size):
    """As its own user: not every root may do it."""
    become = ['runuser', '-u', own_user(), '--'] if os.getuid() == 0 else []
    subprocess.run([*become, 'prlimit', '--pid', str(pid), f'--as={size}:unlimited'], check=True)


@fault(4, 'unavailable memory')
def no_memory(run):
    """The workers may have a little more than they have, and not what clients want."""
    pids = run.processes('dynamo http worker')
    room = run.random.randrange(2, 40) << 20
    for pid in pids:
        with open(f'/proc/{pid}/statm') as f:
            limit_memory(pid, int(f.read().split()[0]) * resource.getpagesize() + room)
    answers = send_large(run, run.random.uniform(2, 5))
    for pid in pids:
        limit_memory(pid, 'unlimited')
    if run.processes('dynamo http worker') != pids:
        run.problem('a worker that ran out of memory is gone')
    return f'{room >> 20} MB; {answers}'


# ----- too many -----

@fault(2, 'unavailable')
def connections(run):
    """Hundreds of connections at once, some of which don't read their answers."""
    message = wire.post('Query', b'{"TableName": "soak-items", "KeyConditionExpression": "p = :p",'
                        b' "ExpressionAttributeValues": {":p": {"S": "0-0"}}}', run.access_key)
    opened = []
    try:
        for n in range(600):
            connection = wire.Connection(run.places.port(), clients.PATIENCE)
            connection.socket.settimeout(.01)
            opened.append(connection)
            if n % 6 == 0:
                connection.send(message * 8)
            elif n % 6 == 1:
                connection.send(message[:run.random.randrange(len(message))])
        time.sleep(run.random.uniform(.5, 3))
    except OSError as error:
        return f'{len(opened)}, then {error}'
    finally:
        for connection in opened:
            connection.close()
    return str(len(opened))


@fault(1, 'sessions')
def sessions(run):
    """All of max_connections: not the endpoint's."""
    opened = []
    try:
        with contextlib.suppress(psycopg2.OperationalError):
            while True:
                opened.append(run.connect())
        time.sleep(run.random.uniform(1, 3))
    finally:
        for connection in opened:
            connection.close()
    return str(len(opened))


@fault(1)
def reload(run):
    """Settings that change back and forth."""
    for n in range(10):
        run.sql(f"ALTER SYSTEM SET dynamo.background_share = {20 + n}")
        run.sql('SELECT pg_reload_conf()')
        time.sleep(.1)
    return ''


@fault(2, 'slow', needs='standby')
def standby_away(run):
    """Nothing is acknowledged that it has not got."""
    if run.random.random() < .5:
        with stopped([pid for pid, title in watch.children(run.postmaster_of(run.standby)).items() if title.startswith('walreceiver')]):
            time.sleep(run.random.uniform(1, 8))
        return 'stopped'
    run.standby.stop(run.random.choice(['fast', 'immediate']))
    time.sleep(run.random.uniform(0, 3))
    run.standby.start(*run.settings)
    return 'restarted'
