"""The PyTorch side of a benchmark computes what the Keras side does."""

import sys
from pathlib import Path

import numpy as np
import pytest

from kerasdl import models

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[2] / "recipes" / "benchmarks"))
from _torch_twin import TorchTwin  # noqa: E402

NETWORKS = {  # none pads a strided convolution more on one side
    "lenet5": {"input_shape": (28, 28, 1)},
    "alexnet": {"input_shape": (67, 67, 1), "units": 8},
    "vgg11": {"input_shape": (32, 32, 3), "ratio": 16, "units": 8},
    "nin": {"input_shape": (67, 67, 3)},
    "googlenet": {"input_shape": (33, 33, 1)},
    "resnet18": {"input_shape": (40, 33, 1)},
    "densenet_small": {"input_shape": (33, 40, 1)},
    "squeezenet": {"input_shape": (35, 37, 3)},
    "mobilenet_v1": {"input_shape": (33, 33, 3), "alpha": 0.25},
    "mobilenet_v2": {"input_shape": (33, 33, 3), "alpha": 0.25},
    "mobilenet_v3_small": {"input_shape": (33, 33, 3), "alpha": 0.25},
    "convnet": {"input_shape": (46, 50, 3)},
    "vgg_small": {"input_shape": (32, 32, 3), "ratio": 4},
    "inception_small": {"input_shape": (13, 9, 3)},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_same_weights_same_outputs(name):
    shape = NETWORKS[name]["input_shape"]
    model = getattr(models, name)(
        **{"classes": 5, "pixels": "unit", "seed": 1, **NETWORKS[name]}
    )
    pixels = np.random.default_rng(0).uniform(0, 255, (2, *shape)).astype("float32")
    twin = TorchTwin(model).eval()
    with torch.no_grad():
        logits = twin(torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()))
    found = torch.softmax(logits, 1).numpy()
    np.testing.assert_allclose(found, model.predict_on_batch(pixels), atol=1e-5)
    count = sum(p.numel() for p in twin.parameters() if p.requires_grad)
    assert count == sum(np.prod(w.shape) for w in model.trainable_weights)
