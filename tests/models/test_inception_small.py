import keras
import numpy as np
import pytest

from kerasdl.models import inception_small

# Figure 3 of the paper, for 28x28 images.
SHAPES = {
    "conv1": (28, 28, 96),
    "inception1": (28, 28, 64),
    "inception2": (28, 28, 80),
    "downsample1": (14, 14, 160),
    "inception3": (14, 14, 160),
    "inception4": (14, 14, 160),
    "inception5": (14, 14, 160),
    "inception6": (14, 14, 144),
    "downsample2": (7, 7, 240),
    "inception7": (7, 7, 336),
    "inception8": (7, 7, 336),
    "avg_pool": (336,),
    "predictions": (10,),
}


def trained(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.usefixtures("without_values")
@pytest.mark.parametrize("batch_norm", [True, False])
def test_the_paper_s_parameters_and_shapes(batch_norm):
    """Table 1 of the paper counts as many without BatchNorm."""
    model = inception_small(build="sequential", batch_norm=batch_norm, seed=1)
    assert trained(model) == 1_649_402
    for name, shape in SHAPES.items():
        assert tuple(model.get_layer(name).output.shape[1:]) == shape
    names = {type(layer).__name__ for layer in model.get_layer("inception1").layers}
    assert ("BatchNormalization" in names) == batch_norm


@pytest.mark.usefixtures("without_values")
def test_whole_cifar_images():
    model = inception_small(include_top=False, input_shape=(32, 32, 3), seed=1)
    assert model.output_shape == (None, 8, 8, 336)
    assert trained(model) == 1_649_402 - 3_370


def test_a_downsampling_module_keeps_maxima_beside_the_convolution():
    model = inception_small(input_shape=(8, 8, 3), build="sequential", seed=1)
    module = model.get_layer("downsample1")
    x = np.random.default_rng(0).normal(size=(1, 8, 8, 80)).astype("float32")
    maxima = keras.layers.MaxPooling2D(3, strides=2, padding="same")(x)
    np.testing.assert_array_equal(module(x)[..., 80:], maxima)
