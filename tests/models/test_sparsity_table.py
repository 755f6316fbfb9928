import keras
import numpy as np
import pytest
from keras import layers

from kerasdl import models


def test_zeros_of_models_in_models_in_order():
    inner = keras.Sequential(
        [keras.Input((6, 6, 3)), layers.DepthwiseConv2D(3), layers.Conv2D(4, 1)],
        name="inner",
    )
    names = [layer.name for layer in inner.layers]
    model = keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            inner,
            layers.BatchNormalization(),
            layers.PReLU(),  # its slopes are no kernel
            layers.Flatten(),
            layers.Dense(2, name="last"),
        ]
    )
    kernel = np.arange(12, dtype="float32").reshape(1, 1, 3, 4) % 3
    inner.layers[1].kernel.assign(kernel)
    model.get_layer("last").kernel.assign(np.eye(64, 2))
    table = models.sparsity_table(model)
    assert table["layer"].tolist() == [*names, "last"]
    assert table["parameters"].tolist() == [27, 12, 128]
    assert table["zeros"].tolist() == [0, 4, 126]
    assert table["sparsity"].tolist() == [0, 4 / 12, 126 / 128]


def test_a_model_without_kernels():
    model = keras.Sequential([keras.Input((3,)), layers.Dropout(0.5)])
    assert models.sparsity_table(model).empty


def test_a_model_that_is_not_built():
    with pytest.raises(ValueError, match="`model` must be built"):
        models.sparsity_table(keras.Sequential([layers.Dense(2)]))
