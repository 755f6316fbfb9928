"""Photos that are unlike the training photos, and answers that are unsure."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasdl.classification import Likeness, Predictions, Predictor
from kerasdl.data import ImageData

SIDE = 8


def of_colour(rng, count, channel):
    """Noise, and one channel brighter."""
    pixels = rng.integers(0, 60, (count, SIDE, SIDE, 3), dtype="uint8")
    pixels[..., channel] += 150
    return pixels


@pytest.fixture(scope="module")
def model():
    """Mean colours, and from them red or green."""
    inputs = keras.Input((SIDE, SIDE, 3))
    x = layers.GlobalAveragePooling2D()(inputs)
    outputs = layers.Dense(2, activation="softmax", name="top")(x)
    network = keras.Model(inputs, outputs)
    kernel = np.array([[0.05, -0.05], [-0.05, 0.05], [0, 0]])
    network.get_layer("top").set_weights([kernel, np.zeros(2)])
    return network


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    images = np.concatenate([of_colour(rng, 60, 0), of_colour(rng, 60, 1)])
    labels = ["red"] * 60 + ["green"] * 60
    return ImageData.from_arrays(images, labels, 0.5, batch_size=16, seed=1)


@pytest.fixture(scope="module")
def likeness(model, data):
    return Likeness.measure(model, data)


def test_blue_is_unlike_red_and_green(model, data, likeness, rng):
    predictor = Predictor(model, data.class_names, SIDE, likeness=likeness)
    strange = predictor.predict(of_colour(rng, 9, 2))
    assert strange.unlike.all()
    assert "unlike the training photos" in strange.remark(0)
    usual = predictor.predict(np.concatenate([of_colour(rng, 9, c) for c in (0, 1)]))
    assert usual.unlike.mean() < 0.2
    plain = Predictor(model, data.class_names, SIDE).predict(of_colour(rng, 9, 0))
    assert plain.unlike is None
    np.testing.assert_array_equal(plain.unsure, False)
    assert plain.remark(0) == ""


def test_distances_are_those_to_the_nearest_centre(likeness, rng):
    features = rng.uniform(0, 255, (5, 3))
    expected = []
    for row in features:
        cosines = [
            row @ centre / np.linalg.norm(row) / np.linalg.norm(centre)
            for centre in likeness.centres.astype("float64")
        ]
        expected.append(1 - max(cosines))
    np.testing.assert_allclose(likeness.distances(features), expected, atol=1e-3)


def test_a_manifest_keeps_it(likeness, rng):
    again = Likeness.from_json(likeness.to_json())
    features = rng.uniform(0, 255, (5, 3))
    np.testing.assert_array_equal(
        again.are_unlike(features), likeness.are_unlike(features)
    )
    for damaged in ({}, {"limit": 1, "count": 7, "centres": "AAAA"}):
        with pytest.raises(ValueError, match="`likeness` of a manifest must be as a"):
            Likeness.from_json(damaged)


def test_a_model_without_a_dense_layer_or_few_photos_tell_nothing(data, model):
    inputs = keras.Input((SIDE, SIDE, 3))
    x = layers.GlobalAveragePooling2D()(inputs)
    assert Likeness.measure(keras.Model(inputs, layers.Softmax()(x)), data) is None
    assert Likeness.measure(model, data.with_max_train(8)) is None


@pytest.mark.parametrize(
    ("row", "several", "unsure"),
    [
        ([0.6, 0.4], False, True),
        ([0.7, 0.3], False, False),
        ([0.4, 0.15, 0.15, 0.3], False, True),
        ([0.5, 0.2, 0.2, 0.1], False, False),
        ([0.9, 0.4, 0.1], True, True),
        ([0.9, 0.8, 0.1], True, False),
    ],
)
def test_an_answer_is_unsure_at_odds_under_two_to_one(row, several, unsure):
    names = [*"abcd"][: len(row)]
    labels = [names[:1]] if several else names[:1]
    found = Predictions(["x"], labels, np.array([row]), names, {}, several)
    assert found.unsure.tolist() == [unsure]
    assert found.remark(0) == ("unsure" if unsure else "")
    assert ("(unsure)" in repr(found)) == unsure
