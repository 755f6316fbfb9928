"""The blocks alone: the lessons' shapes, and each way to use one."""

import keras
import numpy as np
import pytest

from kerasdl import models
from kerasdl._seeds import Seeds
from kerasdl.models import blocks, copy_weights

# function, its arguments, what comes in, what goes out: the numbers of Dive into Deep
# Learning (chapter 8) first, of the papers where the lesson has none
SHAPES = [
    ("residual", {"filters": 3}, (4, 6, 6, 3), (4, 6, 6, 3)),
    (
        "residual",
        {"filters": 6, "strides": 2, "projection": True},
        (4, 6, 6, 3),
        (4, 3, 3, 6),
    ),
    ("dense_block", {"convs": 2, "growth": 10}, (4, 8, 8, 3), (4, 8, 8, 23)),
    ("transition", {"filters": 10}, (4, 8, 8, 23), (4, 4, 4, 10)),
    ("vgg_block", {"convs": 2, "filters": 16}, (1, 12, 14, 3), (1, 6, 7, 16)),
    (
        "nin_block",
        {"filters": 8, "kernel_size": 11, "strides": 4, "padding": "valid"},
        (1, 67, 67, 1),
        (1, 15, 15, 8),
    ),
    (
        "inception",
        {"one": 64, "three": (96, 128), "five": (16, 32), "pool": 32},
        (1, 7, 7, 192),
        (1, 7, 7, 256),
    ),
    ("bottleneck", {"filters": 2, "strides": 2}, (2, 7, 6, 3), (2, 4, 3, 8)),
    ("preactivation", {"filters": 5, "strides": 2}, (2, 7, 6, 3), (2, 4, 3, 5)),
    ("preactivation", {"filters": 3, "strides": 2}, (2, 7, 6, 3), (2, 4, 3, 3)),
    ("preactivation_bottleneck", {"filters": 2}, (2, 7, 6, 3), (2, 7, 6, 8)),
    ("depthwise_separable", {"filters": 5, "strides": 2}, (2, 7, 6, 3), (2, 4, 3, 5)),
    ("inverted_residual", {"filters": 3}, (2, 7, 6, 3), (2, 7, 6, 3)),
    (
        "inverted_residual",
        {"filters": 5, "expand": 1, "strides": 2, "squeeze": True},
        (2, 7, 6, 3),
        (2, 4, 3, 5),
    ),
    ("squeeze_excitation", {"reduction": 2}, (2, 7, 6, 16), (2, 7, 6, 16)),
]


def features(shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_every_block_has_its_shapes():
    assert {name for name, *_ in SHAPES} == set(blocks.__all__)


@pytest.mark.parametrize(("name", "arguments", "before", "after"), SHAPES)
def test_shapes_and_ways_to_use_a_block(name, arguments, before, after):
    make, x = getattr(blocks, name), features(before)
    block = make(**arguments, seed=1)
    outputs = block(x)
    assert outputs.shape == after
    np.testing.assert_array_equal(block(x), outputs)  # with the layers it has
    assert len(block(x[:1, 1:]).shape) == 4  # of any size
    assert type(block) is keras.Sequential

    inputs = keras.Input(before[1:])
    functional = keras.Model(inputs, make(**arguments, seed=1)(inputs))
    begun = keras.Sequential([inputs, make(**arguments, seed=1)])
    waiting = keras.Sequential([make(**arguments, seed=1)])
    for model in (functional, begun, waiting):
        np.testing.assert_allclose(model(x), outputs, atol=1e-5)
        assert model.count_params() == block.count_params()
        assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {
            "keras"
        }
    assert functional.output_shape == (None, *after[1:])


def test_parameters_of_a_residual_block():
    """Nine weights a pair of maps, and four of each map that is normalised."""
    plain, projected = blocks.residual(3, seed=1), blocks.residual(6, 2, seed=1)
    plain(features((1, 6, 6, 3)))
    projected(features((1, 6, 6, 3)))
    assert plain.count_params() == 2 * (9 * 3 * 3 + 4 * 3)
    convolutions = 9 * 3 * 6 + 9 * 6 * 6 + 3 * 6
    assert projected.count_params() == convolutions + 3 * 4 * 6


def test_a_shortcut_of_1x1_though_the_shape_stays():
    x = features((1, 6, 6, 3))
    forced = blocks.residual(3, projection=True, name="a", seed=1)
    forced(x)
    graph = forced.layers[-1]
    for suffix in ("0", "2"):  # the input alone, times 2
        shape = graph.get_layer(f"a_{suffix}_conv").kernel.shape
        kernel = 2 * np.eye(3).reshape(1, 1, 3, 3) if suffix == "0" else np.zeros(shape)
        graph.get_layer(f"a_{suffix}_conv").set_weights([kernel])
    scale = np.sqrt(1 + 1.001e-5)  # of the normalisation, which has seen nothing
    np.testing.assert_allclose(forced(x), np.maximum(2 * x / scale, 0), atol=1e-5)


def test_squeeze_and_excitation_weighs_whole_channels():
    x = 1 + np.abs(features((2, 5, 4, 16)))
    factors = np.asarray(blocks.squeeze_excitation(seed=1)(x)) / x
    means = factors.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(factors, np.broadcast_to(means, x.shape), atol=1e-5)
    assert 0 < factors.min() < factors.max() < 1


@pytest.mark.parametrize(
    ("network", "arguments", "stage", "parts"),
    [
        (
            "resnet18",
            {"stem": "cifar"},
            "conv2",
            [blocks.residual(64, name=f"conv2_block{i}", seed=2) for i in (1, 2)],
        ),
        (
            "resnet18_v2",
            {"stem": "cifar"},
            "conv2",
            [blocks.preactivation(64, name=f"conv2_block{i}", seed=2) for i in (1, 2)],
        ),
        (
            "densenet_small",
            {"stem": "cifar"},
            "conv2",
            [blocks.dense_block(4, 32, name="conv2", seed=2)],
        ),
        (
            "googlenet",
            {},
            "inception_3a",
            [blocks.inception(64, (96, 128), (16, 32), 32, name="inception_3a")],
        ),
        (
            "mobilenet_v3_small",
            {},
            "expanded_conv",
            [
                blocks.inverted_residual(
                    16,
                    expand=1,
                    strides=2,
                    activation="relu",
                    squeeze=True,
                    name="expanded_conv",
                    seed=2,
                )
            ],
        ),
    ],
)
def test_the_networks_are_made_of_them(network, arguments, stage, parts):
    """With its weights they compute what stands in the network."""
    model = getattr(models, network)(
        input_shape=(8, 8, 3), build="sequential", seed=1, **arguments
    )
    stage = model.get_layer(stage)
    alone = keras.Sequential([keras.Input(stage.input_shape[1:]), *parts])
    copy_weights(stage, alone)
    x = features((2, *stage.input_shape[1:]))
    np.testing.assert_allclose(alone(x), stage(x), atol=1e-5)
    assert alone.count_params() == stage.count_params()


def test_names_are_numbered_and_may_be_given():
    one, other = blocks.residual(3), blocks.residual(3)
    assert one.name != other.name
    named = blocks.vgg_block(2, 4, name="first", seed=1)
    assert [layer.name for layer in named.layers] == [
        "first_conv1",
        "first_conv2",
        "first_pool",
    ]


def test_a_seed_gives_the_same_weights_and_none_is_drawn(capsys):
    x = features((1, 6, 6, 3))
    one, same, other = (blocks.residual(3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one(x), same(x))
    assert not np.array_equal(one(x), other(x))
    assert capsys.readouterr().out == ""
    blocks.residual(3)(x)
    assert capsys.readouterr().out.startswith("seed=")


def test_a_block_is_not_saved_before_it_has_layers(tmp_path):
    waiting = keras.Sequential([blocks.residual(3, name="early")])
    with pytest.raises(ValueError, match="must have met a tensor .*block='early'"):
        waiting.get_config()
    waiting(features((1, 6, 6, 3)))
    assert keras.Sequential.from_config(waiting.get_config()).count_params() == 186


def test_seeds_are_drawn_late_and_set_aside(capsys):
    seeds = Seeds(7)
    later = seeds.take(2)
    assert [seeds(), later(), later(), seeds()] == [9, 7, 8, 10]
    drawn = Seeds(None)
    assert capsys.readouterr().out == ""
    first = drawn()
    assert capsys.readouterr().out.startswith(f"seed={first} ")
    assert drawn() == first + 1


@pytest.mark.parametrize("name", blocks.__all__)
def test_wrong_sizes_and_seeds(name):
    arguments = next(given for function, given, *_ in SHAPES if function == name)
    make = getattr(blocks, name)
    with pytest.raises(ValueError, match="`seed` must be None or an integer"):
        make(**arguments, seed="1")
    sizes = {key for key, value in arguments.items() if isinstance(value, int)}
    for size in sizes:
        with pytest.raises(ValueError, match=f"`{size}` must be .* Received: {size}=0"):
            make(**{**arguments, size: 0}, seed=1)


def test_further_errors():
    x = features((1, 6, 6, 3))
    with pytest.raises(ValueError, match="`projection` must not be False .*channels"):
        blocks.residual(5, projection=False, seed=1)(x)
    with pytest.raises(ValueError, match="`padding` must be one of 'same', 'valid'"):
        blocks.nin_block(5, 3, padding="full", seed=1)
    with pytest.raises(ValueError, match="`padding` must be one of 'same', 'valid'"):
        blocks.depthwise_separable(5, padding="full", seed=1)
    with pytest.raises(ValueError, match="`expand` must be a number of at least 1"):
        blocks.inverted_residual(5, expand="6", seed=1)
    with pytest.raises(ValueError, match="`three` must be .* pair.*three=96"):
        blocks.inception(64, 96, (16, 32), 32, seed=1)
    with pytest.raises(ValueError, match=r"`five` must be .* pair.*five=\(0, 32\)"):
        blocks.inception(64, (96, 128), (0, 32), 32, seed=1)
