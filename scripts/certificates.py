"""Certificates for tests and measurements, made by the openssl command."""
import os
import pathlib
import shutil
import subprocess

from private_cluster import own_user


class Authority:
    """A certificate authority in a directory of its own; .file is what clients trust."""

    def __init__(self, directory, name='Test CA'):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o755)
        self.file = f'{self.directory}/ca.crt'
        self._openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
                      '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', f'/CN={name}',
                      '-addext', 'keyUsage=critical,keyCertSign,cRLSign')

    def _openssl(self, *arguments, **options):
        subprocess.run(['openssl', *arguments], cwd=self.directory, check=True, stdin=subprocess.DEVNULL,
                       capture_output=True, **options)

    def issue(self, name, hosts=('DNS:localhost', 'IP:127.0.0.1', 'IP:::1'), rsa=False, days=30, passphrase=None):
        """Make NAME.crt and NAME.key; returns their paths.  The key belongs to the user servers run as."""
        key = ['-newkey', 'rsa:2048'] if rsa else ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
        key += ['-passout', f'pass:{passphrase}'] if passphrase else ['-nodes']
        (self.directory / 'extensions').write_text(f'subjectAltName={",".join(hosts)}\n')
        self._openssl('req', *key, '-keyout', f'{name}.key', '-out', f'{name}.csr', '-subj', f'/CN={name}')
        self._openssl('x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial',
                      '-out', f'{name}.crt', '-days', str(days), '-extfile', 'extensions')
        certificate, private_key = (f'{self.directory}/{name}.{kind}' for kind in ('crt', 'key'))
        os.chmod(private_key, 0o600)
        if os.getuid() == 0:
            shutil.chown(private_key, own_user())
        return certificate, private_key

    def settings(self, mode='required', name='server', **options):
        """What a server needs that is to use a certificate of this authority."""
        certificate, key = self.issue(name, **options)
        return (f'dynamo.ssl={mode}', f'dynamo.ssl_cert_file={certificate}', f'dynamo.ssl_key_file={key}')
