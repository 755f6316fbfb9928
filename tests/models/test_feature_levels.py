import keras
import numpy as np
import pytest
from keras import layers

from kerasdl.models import BACKBONES, build_trunk, convnet, feature_levels

# Read from the networks' own lists of layers, as FPNs and U-Nets on them are published.
LEVELS = {
    "vgg16": {
        1: ("block1_conv2", 64),
        2: ("block2_conv2", 128),
        4: ("block3_conv3", 256),
        8: ("block4_conv3", 512),
        16: ("block5_conv3", 512),
        32: ("block5_pool", 512),
    },
    "vgg19": {
        1: ("block1_conv2", 64),
        2: ("block2_conv2", 128),
        4: ("block3_conv4", 256),
        8: ("block4_conv4", 512),
        16: ("block5_conv4", 512),
        32: ("block5_pool", 512),
    },
    "resnet50": {
        2: ("conv1_relu", 64),
        4: ("conv2_block3_out", 256),
        8: ("conv3_block4_out", 512),
        16: ("conv4_block6_out", 1024),
        32: ("conv5_block3_out", 2048),
    },
    "densenet121": {
        2: ("conv1_relu", 64),
        4: ("pool2_relu", 256),
        8: ("pool3_relu", 512),
        16: ("pool4_relu", 1024),
        32: ("relu", 1024),
    },
    "xception": {
        2: ("block1_conv2_act", 64),
        4: ("block3_sepconv2_act", 256),
        8: ("block4_sepconv2_act", 728),
        16: ("block13_sepconv2_act", 728),
        32: ("block14_sepconv2_act", 2048),
    },
    "inception_v3": {
        2: ("activation_2", 64),
        4: ("activation_4", 192),
        8: ("mixed2", 288),
        16: ("mixed7", 768),
        32: ("mixed10", 2048),
    },
    "mobilenet": {
        2: ("conv_pw_1_relu", 64),
        4: ("conv_pw_3_relu", 128),
        8: ("conv_pw_5_relu", 256),
        16: ("conv_pw_11_relu", 512),
        32: ("conv_pw_13_relu", 1024),
    },
    "mobilenet_v2": {
        2: ("block_1_expand_relu", 96),
        4: ("block_3_expand_relu", 144),
        8: ("block_6_expand_relu", 192),
        16: ("block_13_expand_relu", 576),
        32: ("out_relu", 1280),
    },
    # Its activations have numbers for names: what gives them their input.
    "mobilenet_v3_small": {
        2: ("conv_bn", 16),
        4: ("expanded_conv_1_expand_bn", 72),
        8: ("expanded_conv_3_expand_bn", 96),
        16: ("expanded_conv_8_expand_bn", 288),
        32: ("conv_1_bn", 576),
    },
    "mobilenet_v3_large": {
        2: ("expanded_conv_1_expand_bn", 64),
        4: ("expanded_conv_3_expand_bn", 72),
        8: ("expanded_conv_6_expand_bn", 240),
        16: ("expanded_conv_12_expand_bn", 672),
        32: ("conv_1_bn", 960),
    },
    **dict.fromkeys(
        ["efficientnet_b0", "efficientnet_lite0"],
        {
            2: ("block2a_expand_activation", 96),
            4: ("block3a_expand_activation", 144),
            8: ("block4a_expand_activation", 240),
            16: ("block6a_expand_activation", 672),
            32: ("top_activation", 1280),
        },
    ),
}
QUICK = ("vgg16", "mobilenet_v2", "mobilenet_v3_small")


def test_every_trunk_is_listed():
    assert set(LEVELS) == set(BACKBONES)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
        for name in LEVELS
    ],
)
def test_the_last_activation_at_each_stride(name):
    # Convolutions without borders lose some places, too.
    loses = name in ("xception", "inception_v3")
    height, width = (299, 331) if loses else (64, 96)
    trunk = build_trunk(name, None, (height, width), seed=1)
    found = feature_levels(trunk)
    assert list(found) == list(LEVELS[name])
    for stride, (layer, channels) in LEVELS[name].items():
        taken, *_ = keras.tree.flatten(found[stride].input)
        assert layer in (found[stride].name, taken._keras_history.operation.name)
        shape = (height // stride, width // stride, channels)
        np.testing.assert_allclose(
            found[stride].output.shape[1:], shape, atol=4 if loses else 0
        )


def small(size, pad=False):
    """Halves three times; a side branch of one pixel in the middle of each level."""
    x = inputs = keras.Input((*size, 3))
    for number in (1, 2, 3):
        if pad:
            x = layers.ZeroPadding2D(2)(x)
        x = layers.Conv2D(4, 3, 2, "valid" if pad else "same")(x)
        x = layers.ReLU(name=f"relu_{number}")(x)
        side = layers.GlobalAveragePooling2D(keepdims=True)(x)
        side = layers.Conv2D(4, 1, activation="sigmoid")(side)
        x = layers.Conv2D(4, 3, padding="same")(x * side)
    return keras.Model(inputs, x)


@pytest.mark.parametrize("pad", [False, True])
@pytest.mark.parametrize("size", [(16, 16), (17, 31), (33, 47), (100, 64)])
def test_sizes_that_do_not_halve_evenly(size, pad):
    found = feature_levels(small(size, pad))
    names = {stride: layer.name for stride, layer in found.items()}
    assert names == {2: "relu_1", 4: "relu_2", 8: "relu_3"}


def test_the_levels_are_the_outputs_of_one_model():
    trunk = small((32, 32))
    levels = feature_levels(trunk).values()
    model = keras.Model(trunk.input, [layer.output for layer in levels])
    shapes = [output.shape for output in model(np.zeros((2, 32, 32, 3)))]
    assert shapes == [(2, 16, 16, 4), (2, 8, 8, 4), (2, 4, 4, 4)]


def test_a_stride_without_an_activation_is_left_out():
    x = inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, 2, "same")(x)
    x = layers.Conv2D(4, 3, 2, "same", activation="relu", name="mine")(x)
    trunk = keras.Model(inputs, layers.MaxPooling2D(name="last")(x))
    names = {stride: layer.name for stride, layer in feature_levels(trunk).items()}
    assert names == {4: "mine", 8: "last"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: convnet(input_shape=(64, 64, 3), seed=0),
        lambda: keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(2, 3)]),
        lambda: keras.Sequential([keras.Input((5,)), layers.Dense(2)]),
    ],
)
def test_what_is_no_trunk_is_refused(make):
    with pytest.raises(ValueError, match="`trunk` must take images of a fixed size"):
        feature_levels(make())
