"""A few faults of the soak; "make soak" is the long one.  SOAK says for how many
minutes it goes on after these."""
import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'test/soak'))
import soak  # noqa: E402

pytestmark = pytest.mark.not_aws

FIRST = ['no_memory', 'disk_full', 'kill_flusher', 'wal_full', 'kill_postmaster']


def test_soak():
    run = soak.Soak(float(os.environ.get('SOAK', '0')) * 60, seed=1, gap=.3, first=FIRST)
    well = False
    try:
        well = run.run()
    finally:
        run.end(keep=not well)
    assert well, run.problems[:5]
    assert sum(run.counts.values()) > 1000
    assert run.counts['Items', 'without an answer', 'found undone'] + run.counts['Items', 'without an answer', 'found done'] > 0
