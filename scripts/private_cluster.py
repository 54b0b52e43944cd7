"""A private cluster with the endpoint, for tests and measurements.

The work is done by scripts/cluster; see there.
"""
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PG_CONFIG = os.environ.setdefault('PG_CONFIG', '/usr/lib/postgresql/15/bin/pg_config')


def pg_config(what):
    return subprocess.run([PG_CONFIG, '--' + what], check=True, capture_output=True,
                          text=True).stdout.strip()


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def own_user():
    """The user servers run as; not root."""
    return subprocess.run([ROOT / 'scripts/cluster', 'user'], check=True,
                          capture_output=True, text=True).stdout.strip()


class Cluster:
    """One cluster in a directory of its own, below /tmp unless one is given; of the
    PostgreSQL of $PG_CONFIG unless another is given."""

    def __init__(self, directory=None, pg_config=PG_CONFIG):
        self.pg_config = pg_config
        self.directory = str(directory or tempfile.mkdtemp(prefix='dynamo-test-'))
        if directory is None:
            os.chmod(self.directory, 0o755)
        self.port = free_port()

    def _run(self, *arguments):
        return subprocess.run([ROOT / 'scripts/cluster', *map(str, arguments)], check=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, 'CLUSTER': self.directory,
                                   'PG_CONFIG': self.pg_config}).stdout

    def start(self, *settings):
        self._run('start', self.port, *settings)

    def wait(self):
        """Until the endpoint answers."""
        self._run('wait')

    def stop(self, mode='fast'):
        self._run('stop', mode)

    def reset(self):
        self._run('reset')

    def make_standby_of(self, primary):
        self._run('standby', primary.directory)

    @property
    def socket(self):
        return self._run('socket').strip()

    @property
    def endpoint(self):
        return f'http://localhost:{self.port}'

    def sql_environment(self):
        """What libpq needs to find it."""
        return {'PGHOST': self.socket, 'PGPORT': '5432', 'PGUSER': 'postgres',
                'PGDATABASE': 'postgres'}

    def sdk_environment(self):
        """An access key and the region, without where the endpoint is."""
        self._run('key')
        return {name: value for name, value in
                re.findall(r'^export (\w+)=(.*)$', self._run('env'), re.M)
                if not name.startswith('AWS_ENDPOINT')}

    def kill(self):
        """SIGKILL the postmaster: what a machine's crash leaves, save the disk."""
        with open(f'{self.directory}/data/postmaster.pid') as f:
            pid = int(f.readline())
        os.kill(pid, signal.SIGKILL)
        # A dead one may stay a zombie for a while, which the next one takes for a
        # server; for how long depends on who has to see to it.
        deadline = time.monotonic() + 3
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):    # it is gone
            while True:
                state = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
                if state in 'ZX' and time.monotonic() > deadline:
                    break
                time.sleep(0.01)

    def recover(self, *settings):
        """Start again after kill(): its orphans need a moment to notice."""
        for _ in range(100):
            try:
                self.start(*settings)
                break
            except subprocess.CalledProcessError:
                time.sleep(0.2)
        else:
            self.start(*settings)
        self.wait()
