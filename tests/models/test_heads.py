import keras
import numpy as np
import pytest

from kerasdl.models import copy_weights
from kerasdl.models.backbones import build_trunk
from kerasdl.models.heads import (
    HEADS,
    classifier,
    flatten_head,
    head_layers,
    pooled_head,
)


def head_model(build, shape, *args, **kwargs):
    inputs = keras.Input(shape)
    return keras.Model(inputs, build(inputs, *args, **kwargs, seed=1))


@pytest.fixture(scope="module")
def trunk():
    return build_trunk("mobilenet_v3_small", None, 32, seed=1)


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(3, 2, 2, 8)).astype("float32")


def test_flatten_head_has_the_books_parameters():
    """Listing 5.20: 2,097,408 and 257 on VGG16's features of 150x150 photos."""
    model = head_model(flatten_head, (4, 4, 512), 2)
    assert [layer.count_params() for layer in model.layers if layer.weights] == [
        2_097_408,
        257,
    ]


@pytest.mark.parametrize("build", [flatten_head, pooled_head])
def test_probabilities(build, features):
    two = head_model(build, (2, 2, 8), 2)(features).numpy()
    assert two.shape == (3, 1)
    assert ((two > 0) & (two < 1)).all()
    five = head_model(build, (2, 2, 8), 5)(features).numpy()
    assert five.shape == (3, 5)
    np.testing.assert_allclose(five.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("build", [flatten_head, pooled_head])
@pytest.mark.parametrize("classes", [2, 5])
def test_several_labels_have_a_probability_each(build, classes, features):
    model = head_model(build, (2, 2, 8), classes, multi_label=True)
    outputs = model(features).numpy()
    assert outputs.shape == (3, classes)
    kernel, bias = model.layers[-1].get_weights()
    before = keras.Model(model.input, model.layers[-1].input)(features).numpy()
    expected = 1 / (1 + np.exp(-(before @ kernel + bias)))
    np.testing.assert_allclose(outputs, expected, atol=1e-6)


def test_a_classifier_of_several_labels(trunk):
    model = classifier(trunk, 2, multi_label=True, seed=1)
    assert model.output_shape == (None, 2)
    assert model.layers[-1].activation is keras.activations.sigmoid


def test_pooled_head_sees_averages_and_maxima(features):
    model = head_model(pooled_head, (2, 2, 8), 2, "avg_max", batch_norm=False)
    pooled = np.hstack([features.mean(axis=(1, 2)), features.max(axis=(1, 2))])
    kernel, bias = model.layers[-1].get_weights()
    expected = 1 / (1 + np.exp(-(pooled @ kernel + bias)))
    np.testing.assert_allclose(model(features), expected, atol=1e-5)


def test_batch_norm_is_optional():
    plain = head_model(pooled_head, (2, 2, 8), 2, batch_norm=False)
    normal = head_model(pooled_head, (2, 2, 8), 2)
    assert normal.count_params() - plain.count_params() == 4 * 8


@pytest.mark.parametrize("head", HEADS)
def test_a_head_on_cached_activations_moves_to_its_trunk(head, trunk):
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    build = pooled_head if head == "pooled" else flatten_head
    cached = head_model(build, trunk.output.shape[1:], 3)
    cached.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    activations = trunk(pixels).numpy()
    cached.fit(activations, np.array([0, 1]), verbose=0)
    whole = classifier(trunk, 3, head, seed=2)
    copy_weights(cached, whole)
    np.testing.assert_allclose(whole(pixels), cached(activations), atol=1e-5)


def test_classifier_is_flat_and_shares_the_trunk(trunk):
    model = classifier(trunk, 2, seed=1)
    assert model.name == trunk.name
    assert model.layers[: len(trunk.layers)] == trunk.layers
    assert model.layers[len(trunk.layers) :] == head_layers(model)


def test_dropout_rate(trunk):
    assert classifier(trunk, 2, "flatten", seed=1).get_layer("head_dropout").rate == 0.5
    model = classifier(trunk, 2, "flatten", 0.1, seed=1)
    assert model.get_layer("head_dropout").rate == 0.1


@pytest.mark.parametrize("build", [flatten_head, pooled_head])
def test_seed_repeats_weights_and_dropout(build, features):
    models = [head_model(build, (2, 2, 8), 3) for _ in range(2)]
    first, second = (model(features, training=True) for model in models)
    np.testing.assert_array_equal(first, second)


def test_probabilities_are_float32_in_mixed_precision(features):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = head_model(pooled_head, (2, 2, 8), 2)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.get_layer("head_bn").compute_dtype == "float16"
    assert model(features).dtype == "float32"


def test_errors(trunk):
    x = keras.Input((2, 2, 8))
    for build in (flatten_head, pooled_head):
        for classes in (1, True, 2.0):
            with pytest.raises(ValueError, match=f"least 2. .*classes={classes}"):
                build(x, classes)
        with pytest.raises(ValueError, match="`dropout` must be .* dropout=1.0"):
            build(x, 2, dropout=1.0)
        with pytest.raises(ValueError, match=r"`x` must be a feature map.*\(None, 8\)"):
            build(keras.Input((8,)), 2)
    with pytest.raises(ValueError, match="`units` must be"):
        flatten_head(x, 2, units=0)
    with pytest.raises(ValueError, match="`pooling` must be one of 'avg', 'avg_max'"):
        pooled_head(x, 2, "max")
    with pytest.raises(ValueError, match="`head` must be one of 'pooled', 'flatten'"):
        classifier(trunk, 2, "linear")
