"""What the common builder does, seen on one small network."""

import keras
import numpy as np
import pytest

from kerasdl.models import mobilenet_v2

SMALL = {"input_shape": (45, 64, 3), "alpha": 0.25, "classes": 4, "seed": 1}


@pytest.mark.parametrize("build", ["functional", "sequential"])
@pytest.mark.parametrize(("pooling", "reduce"), [("avg", np.mean), ("max", np.max)])
def test_pooling(build, pooling, reduce):
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 45, 64, 3))
    features = mobilenet_v2(False, **SMALL, build=build)(pixels)
    pooled = mobilenet_v2(False, **SMALL, build=build, pooling=pooling)(pixels)
    assert features.shape == (2, 2, 2, 1280)
    np.testing.assert_allclose(pooled, reduce(features, axis=(1, 2)), atol=1e-5)


def test_pooling_is_not_used_with_the_top():
    assert mobilenet_v2(**SMALL, pooling="max").output_shape == (None, 4)


def test_a_seed_gives_the_trunk_the_same_weights_with_and_without_top():
    whole, trunk = mobilenet_v2(**SMALL), mobilenet_v2(False, **SMALL)
    for ours, theirs in zip(trunk.weights, whole.weights, strict=False):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    other = mobilenet_v2(**{**SMALL, "seed": 2})
    assert not np.array_equal(other.get_weights()[0], whole.get_weights()[0])


def test_no_seed_is_drawn_and_printed(capsys):
    mobilenet_v2(**{**SMALL, "seed": None})
    assert capsys.readouterr().out.startswith("seed=")


@pytest.mark.parametrize("build", ["functional", "sequential"])
def test_half_precision_computes_in_both_builds(build):
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 45, 64, 3))
    exact = mobilenet_v2(**SMALL, build=build)(pixels)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = mobilenet_v2(**SMALL, build=build)
    finally:
        keras.config.set_dtype_policy("float32")
    assert "bfloat16" in {layer.compute_dtype for layer in model.layers}
    probabilities = model(pixels)
    assert probabilities.dtype == "float32"
    np.testing.assert_allclose(probabilities, exact, atol=0.05)


def test_both_builds_train_to_the_same_weights():
    rng = np.random.default_rng(0)
    pixels, labels = rng.uniform(0, 255, (8, 45, 64, 3)), np.arange(8) % 4
    before = mobilenet_v2(**SMALL).get_weights()
    trained = []
    for build in ("functional", "sequential"):
        model = mobilenet_v2(**SMALL, build=build)
        model.compile(
            optimizer=keras.optimizers.SGD(0.1),
            loss="sparse_categorical_crossentropy",
            run_eagerly=True,
        )
        model.train_on_batch(pixels, labels)
        trained.append(model.get_weights())
    for start, one, other in zip(before, *trained, strict=True):
        assert not np.array_equal(start, one)  # moving statistics as well
        np.testing.assert_allclose(one, other, atol=1e-5)
