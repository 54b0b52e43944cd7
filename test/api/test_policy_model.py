"""Random policies and requests against a model in plain Python (policy_model.py)."""
import os
import random

import pytest

import policy_model

pytestmark = pytest.mark.not_aws


def test_model(sql):
    """SEED and CASES of the environment repeat a run, or make it longer."""
    seed = int(os.environ.get('SEED') or random.randrange(10**9))
    count = int(os.environ.get('CASES') or 15000)
    print(f'SEED={seed}')
    effects = policy_model.run(sql, count, seed)
    # No answer may be all there is.
    assert all(n > count * .05 for n in effects.values()), effects
