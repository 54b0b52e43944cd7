"""Random policies and requests against a model in plain Python (policy_model.py)."""
import os
import pathlib
import random
import re

import pytest

import policy_model

pytestmark = pytest.mark.not_aws


def test_model(sql):
    """SEED and CASES of the environment repeat a run, or make it longer."""
    seed = int(os.environ.get('SEED') or random.randrange(10**9))
    count = int(os.environ.get('CASES') or 15000)
    print(f'SEED={seed}')
    effects = policy_model.run(sql, count, seed)
    # No answer may be all there is, nor be missing.
    assert all(n > count * .02 for n in effects.values()), effects


def test_documented_policies(sql):
    """The policies in the documentation are policies."""
    page = (pathlib.Path(__file__).resolve().parents[2] / 'docs/policies.md').read_text()
    documents = [d for d in re.findall(r'^```json\n(.*?)^```$', page, re.M | re.S) if '"Statement"' in d]
    assert len(documents) > 1
    for document in documents:
        kind = 'trust' if 'sts:AssumeRole' in document else 'resource' if '"Principal"' in document else 'identity'
        assert sql('SELECT dynamo_internal.policy_problem(%s, %s)', document, kind) == [(None,)], document
