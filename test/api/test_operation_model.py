"""Random operations by HTTP, through SQL and in a model (operation_model.py)."""
import os
import random

import boto3
import pytest

import operation_model
from conftest import ENDPOINT

pytestmark = pytest.mark.not_aws


def test_model(sql):
    """SEED and CASES of the environment repeat a run, or make it longer."""
    seed = int(os.environ.get('SEED') or random.randrange(10**9))
    count = int(os.environ.get('CASES') or 6000)
    print(f'SEED={seed}')
    session = boto3.Session()
    keys = session.get_credentials()
    way = operation_model.Http(ENDPOINT, session.region_name, keys.access_key, keys.secret_key)
    refused = operation_model.run(way, sql.connection, count, seed)
    # Neither side may be all there is.
    assert count * .1 < refused < count * .7
