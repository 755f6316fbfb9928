"""The zoo: every builder once, in both builds, as small as it goes."""

import functools
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from keras.src import random
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import draw_seed

from kerasdl import models

# name -> arguments that keep it small, the smallest side that works, and the pixel rule
# that its ImageNet weights were trained with ("unit" where there are none)
VGG = {"input_shape": (32, 32, 3), "ratio": 16, "units": 8}
MOBILENET = {"input_shape": (40, 32, 3), "alpha": 0.25}
RESNET = {"input_shape": (40, 32, 3)}
ZOO = {
    "alexnet": (
        {"input_shape": (67, 67, 3), "units": 8, "response_norm": True},
        67,
        "unit",
    ),
    "convnet": ({"input_shape": (50, 46, 3)}, 46, "unit"),
    "course_convnet": ({"input_shape": (10, 12, 1)}, 2, "unit"),
    "course_inception": ({"input_shape": (10, 12, 3)}, 5, "unit"),
    "course_mobilenet": ({"input_shape": (10, 12, 3)}, 1, "unit"),
    "course_resnet18": ({"input_shape": (10, 12, 3)}, 1, "unit"),
    "course_vgg": ({"input_shape": (13, 12, 3)}, 12, "unit"),
    "densenet_small": ({"input_shape": (37, 32, 3), "bottleneck": True}, 29, "unit"),
    "googlenet": ({"input_shape": (40, 33, 3)}, 1, "unit"),
    "inception_small": ({"input_shape": (12, 10, 3)}, 1, "unit"),
    "lenet5": ({"input_shape": (28, 28, 1)}, 12, "unit"),
    "mnist_convnet": ({"input_shape": (28, 28, 1)}, 18, "unit"),
    "mobilenet_small": ({"input_shape": (12, 10, 3), "alpha": 0.5}, 1, "unit"),
    "mobilenet_v1": (MOBILENET, 31, "tf"),
    "mobilenet_v2": (MOBILENET, 1, "tf"),
    "mobilenet_v3_large": (MOBILENET, 1, "tf"),
    "mobilenet_v3_small": (MOBILENET, 1, "tf"),
    "nin": ({"input_shape": (67, 67, 3)}, 67, "unit"),
    "resnet18": (RESNET, 1, "unit"),
    "resnet18_v2": (RESNET, 1, "unit"),
    "resnext50": ({**RESNET, "cardinality": 2}, 1, "unit"),
    "squeezenet": ({"input_shape": (35, 37, 3)}, 35, "unit"),
    "vgg11": (VGG, 32, "unit"),
    "vgg13": (VGG, 32, "unit"),
    "vgg16": (VGG, 32, "caffe"),
    "vgg19": (VGG, 32, "caffe"),
    "vgg_small": ({"input_shape": (32, 32, 3), "ratio": 4}, 8, "unit"),
}


@dataclass
class Network:
    name: str
    arguments: dict
    min_side: int
    rule: str
    functional: keras.Model
    sequential: keras.Model

    def build(self, **arguments):
        """Build it small, with `arguments` in place of its own."""
        builder = getattr(models, self.name)
        return builder(**{"classes": 3, "seed": 1, **self.arguments, **arguments})

    def pixels(self, seed=0):
        shape = (2, *self.arguments["input_shape"])
        return np.random.default_rng(seed).uniform(0, 255, shape).astype("float32")


def draw_uniform(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """As large as a truncated normal, which takes eight times as long."""
    values = np.random.default_rng(np.asarray(draw_seed(seed))).random(shape, "float32")
    values -= 0.5
    # Of a normal that is cut at two deviations, 0.88 of a deviation is left.
    values *= 0.88 * stddev * 12**0.5
    return keras.ops.convert_to_tensor(values + mean, dtype)


@pytest.fixture(scope="package", autouse=True)
def quick_values():
    """Initial weights are drawn quickly; the zoo goes when the package is over."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(random, "truncated_normal", draw_uniform)
        yield
    built.cache_clear()


@pytest.fixture(autouse=True)
def no_pending_values():
    """What a test built without values stays so: Keras would give them out later."""
    yield
    global_state.set_global_attribute("uninitialized_variables", [])


@pytest.fixture
def without_values():
    """Weights of networks have no values, which take long to draw."""
    with keras.StatelessScope(initialize_variables=False):
        yield


@pytest.fixture(scope="package")
def shaped():
    """A function of names: networks at their defaults, whose weights have no values."""

    @functools.cache
    def build(name):
        with keras.StatelessScope(initialize_variables=False):
            return getattr(models, name)(seed=1)

    return build


@functools.cache
def built(name):
    arguments, min_side, rule = ZOO[name]
    network = Network(name, arguments, min_side, rule, functional=None, sequential=None)
    network.functional = network.build()
    network.sequential = network.build(build="sequential")
    return network


@pytest.fixture(scope="package", params=ZOO)
def network(request):
    return built(request.param)


@pytest.fixture(scope="package")
def networks():
    """A function of names; None is all."""
    return lambda names=None: [built(name) for name in names or ZOO]


@pytest.fixture(scope="session")
def zoo():
    """The names of all."""
    return list(ZOO)
