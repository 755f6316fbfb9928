"""What kerasdl builds, saved, loads where kerasdl cannot be imported."""

import keras
import numpy as np
import pytest

from kerasdl.models import blocks
from kerasdl.models._pixels import PIXEL_RULES, scale_pixels
from kerasdl.models.backbones import build_trunk
from kerasdl.models.heads import classifier
from kerasdl.models.lenet import lenet5
from kerasdl.models.rgb_input import with_rgb_input


def pixel_rule(rule):
    inputs = keras.Input((48, 48, 3))
    return keras.Model(inputs, keras.layers.Identity()(scale_pixels(inputs, rule)))


FEW = ("lenet5", "googlenet", "densenet_small", "mobilenet_v3_small", "resnet18_v2")


@pytest.mark.parametrize(
    ("build", "names"),
    [
        ("sequential", FEW),
        pytest.param("sequential", None, marks=pytest.mark.slow),
        pytest.param("functional", None, marks=pytest.mark.slow),
    ],
)
def test_saved_models_load_without_kerasdl(build, names, networks, tmp_path, elsewhere):
    models = {rule: pixel_rule(rule) for rule in PIXEL_RULES}
    trunk = build_trunk("efficientnet_lite0", None, 48, seed=1)
    models["pooled head"] = classifier(trunk, 3, "pooled", seed=1)
    trunk = pixel_rule("caffe")
    models["flatten head"] = classifier(trunk, 3, "flatten", seed=1)
    models["rgb input"] = with_rgb_input(lenet5(seed=1))
    models["blocks"] = keras.Sequential(
        [
            keras.Input((9, 8, 3)),
            blocks.vgg_block(1, 4, seed=1),
            blocks.residual(6, 2, seed=1),
            blocks.preactivation_bottleneck(2, seed=1),
            blocks.dense_block(2, 10, seed=1),
            blocks.inverted_residual(8, squeeze=True, seed=1),
        ]
    )
    for network in networks(names):
        models[network.name] = getattr(network, build)
    generator = np.random.default_rng(0)
    for name, model in models.items():
        shape = (2, *model.input_shape[1:])
        pixels = generator.uniform(0, 255, shape).astype("float32")
        model.save(tmp_path / f"{name}.keras")
        np.savez(tmp_path / f"{name}.npz", pixels=pixels, outputs=model(pixels))
    found = elsewhere("same_outputs.py", tmp_path).splitlines()
    assert sorted(found) == sorted(models)
