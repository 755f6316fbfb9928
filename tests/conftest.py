import importlib.util
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[1]
COLOURS = Path(__file__).with_name("colours.py")


@pytest.fixture(autouse=True)
def seeded():
    """What is drawn without a seed of its own, such as weights, repeats too."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def left_by_a_kill(monkeypatch):
    """A function that leaves half of a file, as a killed writer of `path` does."""
    from kerasdl._atomic import replacing

    child = subprocess.Popen([sys.executable, "-S", "-c", ""])
    child.wait()  # its number is nobody's now

    def leave(path):
        with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
            patch.setattr(os, "getpid", lambda: child.pid)
            patch.setattr(Path, "unlink", lambda *args, **kwargs: None)
            with replacing(path) as beside:
                beside.write_bytes(b"half")
                raise KeyboardInterrupt
        return beside

    return leave


@pytest.fixture
def real_data():
    """The folder that holds data/ and weights/, named by KERASDL_DATA."""
    if "KERASDL_DATA" not in os.environ:
        pytest.skip("real data is found by the environment variable KERASDL_DATA")
    return Path(os.environ["KERASDL_DATA"])


@pytest.fixture(scope="session")
def colours():
    """The module `colours.py`: photos of three colours and a model that knows them."""
    spec = importlib.util.spec_from_file_location("colours", COLOURS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tiny_backbone(monkeypatch):
    """The name of a backbone that is quick to build and to run."""
    from kerasdl.models import backbones

    row = backbones.Backbone(
        *("tiny", _tiny_trunk, "tf", "conv2", "conv3", None),
        image_size=32,
        min_image_size=8,
    )
    monkeypatch.setattr(backbones, "_ROWS", (*backbones._ROWS, row))
    monkeypatch.setattr(backbones, "BACKBONES", (*backbones.BACKBONES, "tiny"))
    return "tiny"


def _tiny_trunk(include_top, weights, input_shape=None, input_tensor=None, name="tiny"):
    """Three convolutions; its only weights are those it begins with."""
    import keras
    from keras import layers

    inputs = keras.Input(input_shape) if input_tensor is None else input_tensor
    x = inputs
    for number, filters in enumerate((4, 8, 16), 1):
        init = keras.initializers.HeNormal(seed=number)
        x = layers.Conv2D(
            *(filters, 3, 2, "same"),
            activation="relu",
            kernel_initializer=init,
            name=f"conv{number}",
        )(x)
        x = layers.BatchNormalization(name=f"bn{number}")(x)
    return keras.Model(keras.utils.get_source_inputs(inputs), x, name=name)


def pytest_configure():
    """Ctrl-C works in tests of it, also where a shell runs pytest in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """What takes longest first, recipes and strategies: so workers end together."""
    long = {"recipes", "test_strategies_fit.py"}
    items.sort(key=lambda item: long.isdisjoint(item.path.parts))
