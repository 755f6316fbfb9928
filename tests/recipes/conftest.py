import keras
import pytest
from keras import layers

from kerasdl.models import backbones


def _tiny(include_top, weights, input_shape=None, input_tensor=None, name="tiny"):
    """Three convolutions; its only weights are those it begins with."""
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


@pytest.fixture
def tiny_backbone(monkeypatch):
    """The name of a backbone that is quick to build, for recipes of many steps."""
    row = backbones.Backbone(
        *("tiny", _tiny, "tf", "conv2", "conv3", None),
        image_size=32,
        min_image_size=8,
    )
    monkeypatch.setattr(backbones, "_ROWS", (*backbones._ROWS, row))
    monkeypatch.setattr(backbones, "BACKBONES", (*backbones.BACKBONES, "tiny"))
    return "tiny"
