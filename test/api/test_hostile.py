"""A few seconds of hostile input; "make test-hostile" runs it for longer."""
import pathlib
import random
import re
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'test/hostile'))
import bodies  # noqa: E402
import hostile  # noqa: E402

pytestmark = pytest.mark.not_aws


def test_hostile_input(own_server):
    run = hostile.Run(own_server(*hostile.SETTINGS), seed=random.randrange(1 << 30), threads=2, second=10)
    run.go(9)
    print('\n'.join(run.report))
    assert not run.failures


def test_every_operation_is_attacked():
    listed = (ROOT / 'src/operation/operation_list.h').read_text()
    assert set(bodies.OPERATIONS) == set(re.findall(r'^DYN_OPERATION\((\w+)', listed, re.M))
