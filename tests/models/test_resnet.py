import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdl import models
from kerasdl.models._resnet_parts import he_conv

# Documentation of keras.applications and, for 18 and 34, the table of Gluon's model
# zoo; its second version normalises the input (12 parameters) and the stem (256) too.
PARAMETERS = {
    "resnet18": 11_699_112,
    "resnet34": 21_814_696,
    "resnet50": 25_636_712,
    "resnet101": 44_707_176,
    "resnet152": 60_419_944,
    "resnet18_v2": 11_695_796 - 268,
    "resnet34_v2": 21_811_380 - 268,
    "resnet50_v2": 25_613_800,
    "resnet101_v2": 44_675_560,
    "resnet152_v2": 60_380_648,
}
# The table of torchvision: what is trained, where convolutions have no biases.
TRAINED = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
}
# Table 1 of the paper, last row: 10^9 multiply-adds.
MULTIPLY_ADDS = {
    "resnet18": 1.8,
    "resnet34": 3.6,
    "resnet50": 3.8,
    "resnet101": 7.6,
    "resnet152": 11.3,
}
LESSON = {  # Dive into Deep Learning, section 8.6, at 96x96
    "pool1_pool": (24, 24, 64),
    "conv2": (24, 24, 64),
    "conv3": (12, 12, 128),
    "conv4": (6, 6, 256),
    "conv5": (3, 3, 512),
    "avg_pool": (512,),
    "predictions": (10,),
}
SMALL = {"input_shape": (16, 16, 3), "classes": 3, "stem": "cifar", "seed": 1}


def convolutions(model):
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_depth_and_multiply_adds(name, shaped):
    model = shaped(name)
    assert model.count_params() == PARAMETERS[name]
    # The name counts convolutions and the dense layer, without the projections.
    depth = 1 + sum(not c.name.endswith("_0_conv") for c in convolutions(model))
    assert name.removesuffix("_v2") == f"resnet{depth}"
    if name in TRAINED:
        biases = sum(conv.filters for conv in convolutions(model) if conv.use_bias)
        trained = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
        assert trained - biases == TRAINED[name]
        multiply_adds = model.layers[-1].kernel.shape[0] * 1000 + sum(
            int(np.prod(conv.kernel.shape)) * int(np.prod(conv.output.shape[1:3]))
            for conv in convolutions(model)
        )
        assert multiply_adds / 1e9 == pytest.approx(MULTIPLY_ADDS[name], rel=0.025)


@pytest.mark.usefixtures("without_values")
@pytest.mark.parametrize("name", ["resnet18", "resnet18_v2"])
def test_the_lesson_s_shapes(name):
    model = getattr(models, name)(
        input_shape=(96, 96, 1), classes=10, build="sequential", seed=1
    )
    for layer, shape in LESSON.items():
        assert tuple(model.get_layer(layer).output.shape[1:]) == shape


@pytest.mark.parametrize("name", ["resnet18", "resnet18_v2", "resnet50", "resnet50_v2"])
def test_a_stem_for_small_images(name):
    with keras.StatelessScope(initialize_variables=False):
        large, small = (
            getattr(models, name)(input_shape=(32, 32, 3), stem=stem, seed=1)
            for stem in ("imagenet", "cifar")
        )
    first = small.get_layer("conv1_conv")
    assert first.output.shape[1:] == (32, 32, 64)
    assert small.get_layer("avg_pool").input.shape[1:3] == (4, 4)
    # 3x3 weights of three channels, in place of 7x7
    assert large.count_params() - small.count_params() == (49 - 9) * 3 * 64
    assert not any("pool1" in layer.name for layer in small.layers)


def test_strides_pad_both_sides():
    """At the positions of the paper's Caffe and of torchvision, not Keras's "same"."""
    image = np.arange(16.0, dtype="float32").reshape(1, 4, 4, 1)
    inputs = keras.Input((4, 4, 1))
    outputs = inputs
    for layer in he_conv(1, 3, "a", lambda: 1, strides=2):
        outputs = layer(outputs)
    model = keras.Model(inputs, outputs)
    model.set_weights([np.ones((3, 3, 1, 1))])
    padded = np.pad(image[0, :, :, 0], 1)
    expected = [[padded[y : y + 3, x : x + 3].sum() for x in (0, 2)] for y in (0, 2)]
    np.testing.assert_allclose(model(image)[0, :, :, 0], expected)


@pytest.mark.parametrize("name", ["resnet18", "resnet18_v2"])
def test_a_block_that_adds_nothing_is_the_identity(name):
    model = getattr(models, name)(**SMALL, build="sequential")
    stage = model.get_layer("conv2")
    features = np.random.default_rng(0).normal(size=(2, 16, 16, 64)).astype("float32")
    for block in (1, 2):
        last = "conv" if name == "resnet18_v2" else "bn"
        layer = stage.get_layer(f"conv2_block{block}_2_{last}")
        layer.set_weights([np.zeros(weight.shape) for weight in layer.weights])
    # Nothing follows the addition of version 2, which keeps negative values.
    expected = features if name == "resnet18_v2" else np.maximum(features, 0)
    np.testing.assert_array_equal(stage(features), expected)


def test_version_2_ends_in_normalisation_and_relu():
    model = models.resnet18_v2(**SMALL, include_top=False)
    last = [type(layer) for layer in model.layers[-3:]]
    assert last == [
        keras.layers.Add,
        keras.layers.BatchNormalization,
        keras.layers.ReLU,
    ]
    first_norm = next(
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    )
    assert first_norm.name == "conv2_block1_preact_bn"  # none in the stem


@pytest.mark.parametrize("name", ["resnet18", "resnet18_v2"])
def test_every_weight_gets_a_gradient(name):
    model = getattr(models, name)(**SMALL)
    pixels = np.random.default_rng(0).uniform(0, 255, (4, 16, 16, 3))
    with tf.GradientTape() as tape:
        losses = keras.losses.sparse_categorical_crossentropy(
            np.arange(4) % 3, model(pixels, training=True)
        )
    gradients = tape.gradient(losses, model.trainable_weights)
    norms = [float(tf.norm(gradient)) for gradient in gradients]
    assert np.all(np.isfinite(norms))
    assert min(norms) > 1e-4


@pytest.mark.parametrize("name", ["resnet18", "resnet50_v2"])
def test_wrong_stem(name):
    with pytest.raises(
        ValueError,
        match="`stem` must be one of 'imagenet', 'cifar'. Received: stem='s'",
    ):
        getattr(models, name)(stem="s")
