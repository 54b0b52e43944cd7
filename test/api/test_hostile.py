"""A few seconds of hostile input; "make test-hostile" runs it for longer."""
import pathlib
import random
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'test/hostile'))
import hostile  # noqa: E402

pytestmark = pytest.mark.not_aws


def test_hostile_input(own_server):
    run = hostile.Run(own_server(*hostile.SETTINGS), seed=random.randrange(1 << 30), threads=2, second=10)
    run.go(9)
    print('\n'.join(run.report))
    assert not run.failures
