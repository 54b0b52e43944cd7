"""README's first command: what make run prints works, its data and its key stay,
and make env prints nothing but the export lines."""
import os
import pathlib
import re
import stat
import subprocess
import sys
import tempfile

import pytest

from private_cluster import free_port

pytestmark = pytest.mark.not_aws
ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def make():
    """make(target, ...) with a cluster and a port of its own; what it prints."""
    directory = tempfile.mkdtemp(prefix='dynamo-test-')
    os.chmod(directory, 0o755)
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(('AWS_', 'PG', 'MAKE', 'DYNAMO')) or name == 'PG_CONFIG'}
    environment.update(CLUSTER=directory, AWS_PAGER='', AWS_CONFIG_FILE=os.devnull, AWS_MAX_ATTEMPTS='1',
                       PATH=f'{pathlib.Path(sys.executable).parent}:{os.environ["PATH"]}')
    port = f'PORT={free_port()}'

    def run(*arguments, succeeds=True):
        result = subprocess.run(['make', '-s', port, *arguments], cwd=ROOT, env=environment, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=300)
        assert (result.returncode == 0) == succeeds
        return result.stdout

    def shell(command):
        result = subprocess.run(['bash', '-ec', command], cwd=ROOT, env=environment, text=True,
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        assert result.returncode == 0, result.stderr
        return result.stdout

    run.shell, run.directory = shell, directory
    yield run
    run('reset')


def test_make_run(make):
    assert make('env', succeeds=False) == ''
    printed = make('run')
    exports = make('env')
    assert re.sub(r'^export AWS_\w+=\S+\n', '', exports, flags=re.M) == ''
    assert exports in printed
    assert re.findall(r'^export (\w+)=', exports, re.M) == [
        'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_DEFAULT_REGION', 'AWS_REGION', 'AWS_ENDPOINT_URL',
        'AWS_ENDPOINT_URL_DYNAMODB', 'AWS_ENDPOINT_URL_DYNAMODB_STREAMS']
    mode = os.stat(f'{make.directory}/access-key').st_mode
    assert stat.S_IMODE(mode) == 0o600

    # The lines to paste, pasted.  An old AWS CLI goes by --endpoint-url alone.
    lines = re.findall(r'^aws .*$', printed, re.M)
    assert len(lines) == 2 and all('--endpoint-url' in line for line in lines)
    keys = '\n'.join(exports.splitlines()[:4])
    make.shell('\n'.join([keys, *lines]))
    scan = 'aws dynamodb scan --table-name Music --query Items[].Year.N --output text'
    assert make.shell(f'eval "$(make -s env)"; {scan}') == '1965\n'

    # Again: harmless.  After a stop: the same data, the same key.
    assert make('run') == printed
    make('stop')
    make('stop')
    make('env', succeeds=False)
    assert make('run') == printed
    assert make.shell(f'{exports}{scan}') == '1965\n'
    assert make('psql', 'ARGS=-Atc "SELECT count(*) FROM dynamo_data.\\"Music\\""') == '1\n'


def test_make_run_by_tls(make):
    printed = make('run', 'SSL=1')
    exports = make('env')
    assert exports in printed
    assert re.findall(r'^export (\w+)=', exports, re.M)[-3:] == ['AWS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE']
    assert len(re.findall(r'^export AWS_ENDPOINT_URL\w*=https://localhost:\d+$', exports, re.M)) == 3
    lines = re.findall(r'^aws .*$', printed, re.M)
    make.shell('\n'.join([exports, *lines]))
    scan = 'aws dynamodb scan --table-name Music --query Items[].Year.N --output text'
    assert make.shell(f'eval "$(make -s env)"; {scan}') == '1965\n'
    # The certificate is what makes it work, and no request goes in the clear.
    assert make.shell(f'{exports} unset AWS_CA_BUNDLE; {scan} 2>&1 | grep -o "certificate verify failed"') == 'certificate verify failed\n'
    assert make.shell(f'{exports} {scan} --endpoint-url http://localhost:${{AWS_ENDPOINT_URL##*:}} 2>&1 | grep -o "(400)"') == '(400)\n'
    # Again: the same one, which clients have been told to trust.
    assert make('run', 'SSL=1') == printed
    make('stop')
    assert make('run', 'SSL=1') == printed
    assert make.shell(f'{exports}{scan}') == '1965\n'
