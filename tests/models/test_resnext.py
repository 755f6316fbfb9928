import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdl.models import resnext50

SMALL = {"input_shape": (16, 16, 3), "classes": 3, "stem": "cifar", "seed": 1}


def trained(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_parameters():
    with keras.StatelessScope(initialize_variables=False):  # no values of weights
        model, trunk = resnext50(seed=1), resnext50(include_top=False, seed=1)
    assert trained(model) == 25_028_904  # the table of torchvision
    assert model.count_params() == 25_097_128
    assert trunk.count_params() == 23_048_128
    assert trunk.output_shape == (None, 7, 7, 2048)
    multiply_adds = 2_048_000 + sum(
        int(np.prod(layer.kernel.shape)) * int(np.prod(layer.output.shape[1:3]))
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    )
    # Table 1 of the paper: 4.2 * 10^9; torchvision: 4.23 with biases
    assert multiply_adds / 1e9 == pytest.approx(4.2, rel=0.02)


@pytest.mark.parametrize(
    ("cardinality", "width"), [(1, 64), (2, 40), (4, 24), (8, 14), (32, 4)]
)
def test_complexity_does_not_depend_on_cardinality(cardinality, width):
    """Equation 4 and table 2 of the paper: about 70,000 weights in a block."""
    with keras.StatelessScope(initialize_variables=False):
        model = resnext50(
            input_shape=(32, 32, 3), cardinality=cardinality, width=width, seed=1
        )
    weights = sum(
        int(np.prod(layer.kernel.shape))
        for layer in model.layers
        if layer.name.startswith("conv2_block2") and "_conv" in layer.name
    )
    expected = cardinality * (256 * width + 3 * 3 * width * width + width * 256)
    assert weights == expected
    assert weights == pytest.approx(70_000, rel=0.03)
    if cardinality == 1:
        assert trained(model) == 25_557_032  # torchvision's ResNet-50


@pytest.mark.parametrize("strides", [1, 2])
def test_paths_are_a_grouped_convolution(strides):
    """As Keras's own layer computes it, and torchvision's with its strides and pads."""
    model = resnext50(**{**SMALL, "cardinality": 4, "width": 2}, build="sequential")
    stage = model.get_layer("conv3" if strides == 2 else "conv2")
    name = f"{stage.name}_block1_2"
    squeezed = stage.get_layer(f"{stage.name}_block1_1_relu").output
    paths = keras.Model(squeezed, stage.get_layer(f"{name}_concat").output)
    kernels = [
        stage.get_layer(f"{name}_conv{number}").get_weights()[0]
        for number in range(1, 5)
    ]
    filters = 4 * kernels[0].shape[-1]
    grouped = keras.Sequential(
        [
            keras.Input(squeezed.shape[1:]),
            keras.layers.ZeroPadding2D(1),
            keras.layers.Conv2D(filters, 3, strides, groups=4, use_bias=False),
        ]
    )
    grouped.set_weights([np.concatenate(kernels, axis=-1)])
    features = np.random.default_rng(0).normal(size=(2, *squeezed.shape[1:]))
    np.testing.assert_allclose(paths(features), grouped(features), atol=1e-5)


def test_every_weight_gets_a_gradient():
    model = resnext50(**SMALL, cardinality=3, width=2)
    pixels = np.random.default_rng(0).uniform(0, 255, (4, 16, 16, 3))
    with tf.GradientTape() as tape:
        losses = keras.losses.sparse_categorical_crossentropy(
            np.arange(4) % 3, model(pixels, training=True)
        )
    gradients = tape.gradient(losses, model.trainable_weights)
    norms = [float(tf.norm(gradient)) for gradient in gradients]
    assert np.all(np.isfinite(norms))
    assert min(norms) > 1e-4


def test_thirty_two_paths_of_sides_that_are_not_known():
    model = resnext50(input_shape=(None, None, 3), classes=3, seed=1)
    probabilities = model(np.full((1, 33, 40, 3), 100.0))
    np.testing.assert_allclose(np.sum(probabilities), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stem": None}, "`stem` must be one of 'imagenet', 'cifar'"),
        ({"cardinality": 0}, "`cardinality` must be an integer of at least 1. .*=0"),
        ({"cardinality": 2.0}, "`cardinality` must be an integer of at least 1"),
        ({"width": -1}, "`width` must be an integer of at least 1"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        resnext50(**arguments)
