"""Random expressions against a model in plain Python (expression_model.py)."""
import os
import random

import pytest

import expression_model

pytestmark = pytest.mark.not_aws


def test_model(sql):
    """SEED and CASES of the environment repeat a run, or make it longer."""
    seed = int(os.environ.get('SEED') or random.randrange(10**9))
    count = int(os.environ.get('CASES') or 4000)
    print(f'SEED={seed}')
    errors = expression_model.run(sql, count, seed)
    # Neither side may be all there is.
    assert count * .1 < errors < count * .7
