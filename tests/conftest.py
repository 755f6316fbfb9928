import os
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def real_data():
    """The folder that holds data/ and weights/, named by KERASDL_DATA."""
    if "KERASDL_DATA" not in os.environ:
        pytest.skip("real data is found by the environment variable KERASDL_DATA")
    return Path(os.environ["KERASDL_DATA"])


def pytest_collection_modifyitems(items):
    """The recipes first: they take longest, so that workers end together."""
    items.sort(key=lambda item: "recipes" not in item.path.parts)
