"""The examples in the documentation work.

Of each page, the fenced blocks marked sh and sql are run from top to bottom,
against the endpoint and its database; each must succeed.  A block marked text
or json right after one is what it prints: compared as JSON where both are, else
as words, with ... for anything.  Other blocks are for reading.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from conftest import ENDPOINT
from private_cluster import pg_config

pytestmark = pytest.mark.not_aws
ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r'^```(\w*)\n(.*?)^```$', re.M | re.S)


def examples(page):
    """(language, code, expected or None) of what is to be run."""
    blocks = list(BLOCK.finditer(page))
    for block, following in zip(blocks, blocks[1:] + [None]):
        if block[1] in ('sh', 'sql'):
            expected = None
            if following and following[1] in ('text', 'json') and \
                    not page[block.end():following.start()].strip():
                expected = following[2]
            yield block[1], block[2], expected


PAGES = [p for p in sorted([ROOT / 'README.md', *ROOT.glob('docs/**/*.md')])
         if any(True for _ in examples(p.read_text()))]


def run(language, code, environment):
    if language == 'sql':
        command = [f'{pg_config("bindir")}/psql', '-X', '-v', 'ON_ERROR_STOP=1', '-f', '-']
    else:
        command = ['bash', '-e']
        code = code.replace('eval "$(make -s env)"', '')
    return subprocess.run(command, input=code, capture_output=True, text=True, timeout=60, env=environment,
                          cwd=ROOT)


def as_json(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def agrees(output, expected):
    if as_json(expected) is not None:
        return as_json(output) == as_json(expected)
    pattern = r'\s+'.join('.*' if word == '...' else re.escape(word) for word in expected.split())
    return re.fullmatch(r'\s*' + pattern + r'\s*', output, re.S) is not None


@pytest.mark.parametrize('page', PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_page(page, client):
    def tables():
        return {n for answer in client.get_paginator('list_tables').paginate() for n in answer['TableNames']}

    environment = {**os.environ, 'AWS_ENDPOINT_URL': ENDPOINT, 'AWS_PAGER': '', 'AWS_CONFIG_FILE': os.devnull,
                   'PATH': f'{pathlib.Path(sys.executable).parent}:{os.environ["PATH"]}'}
    before = tables()
    try:
        for language, code, expected in examples(page.read_text()):
            result = run(language, code, environment)
            assert result.returncode == 0, f'{code}\n{result.stdout}{result.stderr}'
            if expected is not None:
                assert agrees(result.stdout, expected), f'{code}\nprinted\n{result.stdout}'
    finally:
        for name in tables() - before:
            client.delete_table(TableName=name)
