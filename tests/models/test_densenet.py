import keras
import numpy as np
import pytest

from kerasdl import models

# Documentation of keras.applications; the table of torchvision: what is trained.
PARAMETERS = {
    "densenet121": (8_062_504, 7_978_856),
    "densenet169": (14_307_880, 14_149_480),
    "densenet201": (20_242_984, 20_013_928),
}
# Table 1 of the paper, at 224x224, and what leaves each dense block with k = 32.
MAPS = {
    "densenet121": (256, 512, 1024, 1024),
    "densenet169": (256, 512, 1280, 1664),
    "densenet201": (256, 512, 1792, 1920),
}
# Dive into Deep Learning, section 8.7, at 96x96: dense blocks, halved in between.
LESSON = {
    "pool1_pool": (24, 24, 64),
    "conv2": (24, 24, 192),
    "pool2_pool": (12, 12, 96),
    "conv3": (12, 12, 224),
    "pool3_pool": (6, 6, 112),
    "conv4": (6, 6, 240),
    "pool4_pool": (3, 3, 120),
    "conv5": (3, 3, 248),
    "avg_pool": (248,),
    "predictions": (10,),
}


def trained(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_and_shapes(name, shaped):
    model = shaped(name)
    with keras.StatelessScope(initialize_variables=False):  # no values of weights
        trunk = getattr(models, name)(
            include_top=False, build="sequential", pooling="avg", seed=1
        )
    assert (model.count_params(), trained(model)) == PARAMETERS[name]
    maps = MAPS[name][-1]
    assert trunk.count_params() == PARAMETERS[name][0] - 1000 * (maps + 1)
    assert trunk.output_shape == (None, maps)
    shapes = [trunk.get_layer(f"conv{n}").output.shape[1:] for n in range(2, 6)]
    sides = (56, 28, 14, 7)
    assert shapes == [(s, s, m) for s, m in zip(sides, MAPS[name], strict=True)]


def test_multiply_adds(shaped):
    multiply_adds = 1_024_000 + sum(
        int(np.prod(layer.kernel.shape)) * int(np.prod(layer.output.shape[1:3]))
        for layer in shaped("densenet121").layers
        if isinstance(layer, keras.layers.Conv2D)
    )
    assert multiply_adds / 1e9 == pytest.approx(2.834, abs=0.001)  # torchvision


@pytest.mark.usefixtures("without_values")
def test_the_lesson_s_network():
    model = models.densenet_small(build="sequential", seed=1)
    for name, shape in LESSON.items():
        assert tuple(model.get_layer(name).output.shape[1:]) == shape
    # Layer by layer: a stem, four blocks of BatchNorm and a 3x3 convolution, three
    # transitions, and the classifier; BatchNorm trains two numbers a map.
    parameters, maps = 7 * 7 * 64 + 2 * 64, 64
    for block in range(4):
        for _ in range(4):
            parameters += 2 * maps + 3 * 3 * maps * 32
            maps += 32
        if block < 3:
            parameters += 2 * maps + maps * maps // 2
            maps //= 2
    parameters += 2 * maps + 10 * (maps + 1)
    assert trained(model) == parameters


@pytest.mark.usefixtures("without_values")
def test_bottleneck():
    """DenseNet-BC, section 3: 4k maps enter each 3x3 convolution."""
    arguments = {"input_shape": (32, 32, 1), "seed": 1}
    plain = models.densenet_small(**arguments)
    narrow = models.densenet_small(**arguments, bottleneck=True)
    assert plain.count_params() == 763_930
    assert narrow.count_params() == 988_186
    for number, maps in ((1, 64), (4, 64 + 3 * 32)):
        block = f"conv2_block{number}"
        assert plain.get_layer(f"{block}_1_conv").kernel.shape == (3, 3, maps, 32)
        assert narrow.get_layer(f"{block}_1_conv").kernel.shape == (1, 1, maps, 128)
        assert narrow.get_layer(f"{block}_2_conv").kernel.shape == (3, 3, 128, 32)
    for one, other in ((plain, narrow), (narrow, plain)):
        assert one.get_layer("pool2_conv").filters == 96  # half of 64 + 4 * 32
        assert one.output_shape == other.output_shape


def test_a_dense_block_passes_on_all_maps():
    """Section 3: what leaves a block begins with what came in."""
    model = models.densenet_small(
        input_shape=(8, 8, 3), stem="cifar", build="sequential", seed=1
    )
    block = model.get_layer("conv2")
    features = np.random.default_rng(0).normal(size=(2, 8, 8, 64)).astype("float32")
    outputs = np.asarray(block(features))
    np.testing.assert_array_equal(outputs[..., :64], features)
    # The first four fifths depend on none of the later convolutions.
    layer = block.get_layer("conv2_block4_1_conv")
    layer.set_weights([np.zeros(weight.shape) for weight in layer.weights])
    changed = np.asarray(block(features))
    np.testing.assert_array_equal(changed[..., :160], outputs[..., :160])
    assert not changed[..., 160:].any()
    assert outputs[..., 160:].any()


def test_the_plain_network_in_both_builds():
    arguments = {"input_shape": (29, 40, 1), "seed": 1}
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 29, 40, 1))
    functional = models.densenet_small(**arguments)
    sequential = models.densenet_small(**arguments, build="sequential")
    np.testing.assert_allclose(sequential(pixels), functional(pixels), atol=1e-5)


def test_both_builds_train_to_the_same_weights():
    arguments = {"input_shape": (8, 8, 3), "stem": "cifar", "seed": 1}
    rng = np.random.default_rng(0)
    pixels, labels = rng.uniform(0, 255, (8, 8, 8, 3)), np.arange(8)
    before = models.densenet_small(**arguments).get_weights()
    after = []
    for build in ("functional", "sequential"):
        model = models.densenet_small(**arguments, build=build)
        model.compile(
            optimizer=keras.optimizers.SGD(0.1),
            loss="sparse_categorical_crossentropy",
            run_eagerly=True,
        )
        model.train_on_batch(pixels, labels)
        after.append(model.get_weights())
    for start, one, other in zip(before, *after, strict=True):
        assert not np.array_equal(start, one)
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.usefixtures("without_values")
def test_a_stem_for_small_images():
    model = models.densenet_small(
        include_top=False, input_shape=(32, 32, 3), stem="cifar", seed=1
    )
    assert model.get_layer("conv1_conv").output.shape[1:] == (32, 32, 64)
    assert model.output_shape == (None, 4, 4, 248)


@pytest.mark.parametrize("name", ["densenet121", "densenet_small"])
def test_wrong_arguments(name):
    builder = getattr(models, name)
    with pytest.raises(ValueError, match="`stem` must be one of 'imagenet', 'cifar'"):
        builder(stem="mnist")
    with pytest.raises(ValueError, match=r"of at least 29, .*\(28, 28, 1\)"):
        builder(input_shape=(28, 28, 1))
    with pytest.raises(ValueError, match=r"of at least 8, .*\(7, 8, 3\)"):
        builder(input_shape=(7, 8, 3), stem="cifar")
