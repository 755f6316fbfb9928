import keras
import numpy as np
import pytest
from keras import layers

from kerasdl.models import lenet5


def shapes(model):
    return {layer.name: tuple(layer.output.shape[1:]) for layer in model.layers}


def test_shapes_and_parameters_of_the_lesson():
    model = lenet5(seed=1)
    found = shapes(model)
    assert found["conv1"] == (28, 28, 6)
    assert found["pool1"] == (14, 14, 6)
    assert found["conv2"] == (10, 10, 16)
    assert found["pool2"] == (5, 5, 16)
    assert found["flatten"] == (400,)
    assert found["dense3"] == (120,)
    assert found["dense4"] == (84,)
    parameters = (25 + 1) * 6 + (150 + 1) * 16 + 401 * 120 + 121 * 84 + 85 * 10
    assert model.count_params() == parameters == 61_706


def test_the_lesson_written_by_hand_gives_the_same_outputs():
    ours = lenet5(seed=1, pixels="none")
    lesson = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, activation="sigmoid", padding="same"),
            layers.AvgPool2D(2, strides=2),
            layers.Conv2D(16, 5, activation="sigmoid"),
            layers.AvgPool2D(2, strides=2),
            layers.Flatten(),
            layers.Dense(120, activation="sigmoid"),
            layers.Dense(84, activation="sigmoid"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    lesson.set_weights(ours.get_weights())
    pixels = np.random.default_rng(0).uniform(0, 1, (2, 28, 28, 1))
    np.testing.assert_allclose(ours(pixels), lesson(pixels), atol=1e-5)


@pytest.mark.parametrize("build", ["functional", "sequential"])
def test_variants(build):
    model = lenet5(
        build=build, activation="relu", subsampling="max", batch_norm=True, seed=1
    )
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("MaxPooling2D") == 2
    assert kinds.count("BatchNormalization") == 4
    activations = [x for x in model.layers if isinstance(x, layers.Activation)]
    assert [x.activation for x in activations] == [keras.activations.relu] * 4
    # Each normalisation has a scale, a shift, a moving mean and a moving variance.
    assert model.count_params() == 61_706 + 4 * (6 + 16 + 120 + 84)


@pytest.mark.parametrize("include_top", [True, False])
def test_weights_of_the_variant_with_batch_norm_are_refused(include_top, tmp_path):
    path = tmp_path / "bn.weights.h5"
    lenet5(batch_norm=True, seed=1).save_weights(path)
    with pytest.raises(ValueError, match="'lenet5'.* layer 'conv1' is missing"):
        lenet5(include_top, path, seed=1)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["AveragePooling2D"] * 2),
        ({"pooling": "max"}, ["MaxPooling2D"] * 2),
        ({"pooling": "max", "subsampling": "avg"}, ["AveragePooling2D"] * 2),
        (
            {"pooling": "max", "include_top": False},
            ["AveragePooling2D"] * 2 + ["GlobalMaxPooling2D"],
        ),
    ],
)
def test_pooling_is_the_lessons_with_the_top_and_keras_s_without(arguments, expected):
    kinds = [type(layer).__name__ for layer in lenet5(**arguments).layers]
    assert [kind for kind in kinds if "Pooling" in kind] == expected


def test_errors():
    with pytest.raises(ValueError, match="`activation` must be one of 'sigmoid'"):
        lenet5(activation="swish")
    with pytest.raises(ValueError, match="`weights` must be None or an existing file"):
        lenet5(weights=123)
    with pytest.raises(ValueError, match="`subsampling` must be one of 'avg', 'max'"):
        lenet5(subsampling="min")
    with pytest.raises(ValueError, match=r"integers of at least 12, .*\(None, 28, 1\)"):
        lenet5(input_shape=(None, 28, 1))
