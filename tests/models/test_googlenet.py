import keras
import numpy as np
import pytest

from kerasdl.models import googlenet

# Table 1 of the paper: name, output, and its parameters in units of 1024. Left out are
# those of the first convolution (2.7 units stand there, a fourth of what 7x7 filters
# have) and the blocks' that differ by up to 8 % from what their filters give.
TABLE = {
    "conv1": ((112, 112, 64), None),
    "pool1": ((56, 56, 64), 0),
    "conv2": ((56, 56, 192), None),
    "pool2": ((28, 28, 192), 0),
    "inception_3a": ((28, 28, 256), 159),
    "inception_3b": ((28, 28, 480), 379),  # 380 in the paper
    "pool3": ((14, 14, 480), 0),
    "inception_4a": ((14, 14, 512), None),
    "inception_4b": ((14, 14, 512), 438),  # 437 in the paper
    "inception_4c": ((14, 14, 512), None),
    "inception_4d": ((14, 14, 528), None),
    "inception_4e": ((14, 14, 832), None),
    "pool4": ((7, 7, 832), 0),
    "inception_5a": ((7, 7, 832), None),
    "inception_5b": ((7, 7, 1024), None),
    "avg_pool": ((1024,), 0),
    "predictions": ((1000,), 1000),
}
# Dive into Deep Learning, section 8.4: what its five blocks give for 96x96 pixels.
LESSON = {
    "pool1": (24, 24, 64),
    "pool2": (12, 12, 192),
    "pool3": (6, 6, 480),
    "pool4": (3, 3, 832),
    "avg_pool": (1024,),
    "predictions": (10,),
}
# torchvision's googlenet has BatchNorm, and by mistake 3x3 filters for the 5x5 ones.
TORCHVISION = 6_624_904
FIVES = (
    (16, 32),
    (32, 96),
    (16, 48),
    (24, 64),
    (24, 64),
    (32, 64),
    (32, 128),
    (32, 128),
    (48, 128),
)
SMALL = {"input_shape": (65, 67, 3), "classes": 3}


@pytest.fixture(scope="module")
def with_aux():
    return googlenet(**SMALL, aux_heads=True, seed=1)


@pytest.fixture(scope="module")
def without_aux():
    return googlenet(**SMALL, seed=1)


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).uniform(0, 255, (2, 65, 67, 3)).astype("float32")


def kernels(layer):
    return sum(int(np.prod(w.shape)) for w in layer.weights if len(w.shape) > 1)


@pytest.mark.usefixtures("without_values")
def test_the_paper_s_table():
    model = googlenet(build="sequential", seed=1)
    for name, (shape, units) in TABLE.items():
        layer = model.get_layer(name)
        assert tuple(layer.output.shape[1:]) == shape
        if units is not None:
            assert kernels(layer) // 1024 == units
    # As counted for the reference model of the Caffe zoo, which has biases.
    assert model.count_params() == 6_998_552


@pytest.mark.usefixtures("without_values")
def test_the_lesson_s_shapes():
    model = googlenet(input_shape=(96, 96, 1), classes=10, seed=1)
    for name, shape in LESSON.items():
        assert tuple(model.get_layer(name).output.shape[1:]) == shape


@pytest.mark.usefixtures("without_values")
def test_batch_norm_has_torchvision_s_parameters():
    model = googlenet(batch_norm=True, seed=1)
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trained - 16 * sum(a * b for a, b in FIVES) == TORCHVISION
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            assert not layer.use_bias


@pytest.mark.parametrize("variant", [{"batch_norm": True}, {"dropout": 0.0}])
def test_variants_are_the_same_in_both_builds(variant, pixels):
    functional = googlenet(**SMALL, **variant, seed=1)
    sequential = googlenet(**SMALL, **variant, build="sequential", seed=1)
    np.testing.assert_allclose(sequential(pixels), functional(pixels), atol=1e-5)
    assert functional.count_params() == sequential.count_params()


@pytest.mark.usefixtures("without_values")
def test_aux_heads():
    """Section 5 of the paper: averages of 4x4 pixels, 128 filters, 1024 units."""
    model = googlenet(aux_heads=True, seed=1)
    assert model.output_shape == [(None, 1000)] * 3
    for block, channels in (("4a", 512), ("4d", 528)):
        pool = model.get_layer(f"aux_{block}_pool")
        assert tuple(pool.output.shape[1:]) == (4, 4, channels)
        assert model.get_layer(f"aux_{block}_dropout").rate == 0.7
    assert model.count_params() == 6_998_552 + sum(
        (channels + 1) * 128 + (4 * 4 * 128 + 1) * 1024 + (1024 + 1) * 1000
        for channels in (512, 528)
    )


def test_aux_heads_leave_the_network_as_it_is(with_aux, without_aux, pixels):
    outputs = with_aux(pixels)
    np.testing.assert_array_equal(outputs[0], without_aux(pixels))
    np.testing.assert_allclose(np.sum(outputs, axis=-1), 1, atol=1e-5)


def test_a_file_with_aux_heads_fits_with_and_without(
    with_aux, without_aux, pixels, tmp_path
):
    path = tmp_path / "trained.weights.h5"
    with_aux.save_weights(path)
    outputs = googlenet(**SMALL, aux_heads=True, weights=path, seed=2)(pixels)
    for output, expected in zip(outputs, with_aux(pixels), strict=True):
        np.testing.assert_array_equal(output, expected)
    deployed = googlenet(**SMALL, weights=path, build="sequential", seed=2)
    np.testing.assert_allclose(deployed(pixels), outputs[0], atol=1e-5)
    trunk = googlenet(**SMALL, include_top=False, weights=path, seed=2)
    np.testing.assert_array_equal(trunk.get_weights()[0], with_aux.get_weights()[0])
    without_aux.save_weights(path)
    with pytest.raises(ValueError, match="layer 'aux_4a_conv' is missing"):
        googlenet(**SMALL, aux_heads=True, weights=path, seed=2)


def test_aux_heads_train_beside_the_network(pixels):
    model = googlenet(**SMALL, aux_heads=True, batch_norm=True, seed=1)
    before = {weight.path: weight.numpy() for weight in model.trainable_weights}
    model.compile(
        optimizer=keras.optimizers.SGD(0.1),
        loss=["sparse_categorical_crossentropy"] * 3,
        loss_weights=[1, 0.3, 0.3],
        run_eagerly=True,
    )
    labels = np.array([0, 1])
    model.train_on_batch(pixels, [labels] * 3)
    for weight in model.trainable_weights:
        assert not np.array_equal(weight.numpy(), before[weight.path]), weight.path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"build": "sequential"},
            "`aux_heads=True` needs build='functional' and ",
        ),
        ({"include_top": False}, ".* include_top=True. .* include_top=False"),
        ({"input_shape": (64, 65, 3)}, r"at least 65, .*\(64, 65, 3\)"),
        ({"input_shape": (None, 65, 3)}, "height and width integers of at least 65"),
        ({"weights": "missing.h5"}, "`weights` must be None or an existing file"),
    ],
)
def test_wrong_arguments_with_aux_heads(arguments, message, capsys):
    with pytest.raises(ValueError, match=message):
        googlenet(aux_heads=True, **arguments)
    assert capsys.readouterr().out == ""
