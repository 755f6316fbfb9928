from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from keras import layers

from kerasdl import serving
from kerasdl.classification import Likeness, Predictor, with_features
from kerasdl.export import save_tflite
from kerasdl.models import pooled_head
from kerasdl.serving.keras_graph import keras_graph


def test_litert_answers_as_the_model(predictor, lite_model_of, rng):
    pixels = rng.integers(0, 256, (5, 8, 12, 3), "uint8")
    expected = predictor.model.predict_on_batch(pixels.astype("float32"))
    (found,) = lite_model_of(predictor)(pixels)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(("labels", "bias"), [("abc", 0), ("abc", 0.5), ("ab", 0.5)])
def test_one_pass_answers_and_compares(labels, bias, rng, lite_model_of):
    """Behind a BatchNorm, which the converter folds into a last layer with a bias."""
    inputs = keras.Input((6, 6, 3))
    x = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(inputs))
    model = keras.Model(inputs, pooled_head(x, len(labels), seed=1))
    norm = model.get_layer("head_bn")
    norm.set_weights([rng.uniform(0.5, 2, 4) for _ in range(4)])
    last = model.layers[-1].bias
    last.assign(np.full(last.shape, bias))
    likeness = Likeness(np.ones((1, 4), "float16") / 2, 0.1)
    known = Predictor(model, [*labels], 6, likeness=likeness)
    pixels = rng.integers(0, 256, (5, 6, 6, 3), "uint8")
    expected = with_features(model).predict_on_batch(pixels.astype("float32"))
    for run in (keras_graph(known, 5), lite_model_of(known)):
        for ours, theirs in zip(run(pixels), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_many_threads_get_what_each_gets_alone(predictor, lite_model_of, rng):
    lite = lite_model_of(predictor)
    pictures = rng.integers(0, 256, (64, 1, 8, 12, 3), "uint8")
    alone = [lite(picture) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lite, pictures))
    np.testing.assert_array_equal(together, alone)


def network(outputs, height=8):
    """Another model, and its file."""
    return keras.Sequential(
        [
            keras.Input((height, 12, 3)),
            layers.Flatten(),
            layers.Dense(outputs, activation="softmax"),
        ]
    )


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, r"takes one picture, uint8 \(1, 8, 12, 3\)"),
        (lambda path: path.write_bytes(b"text"), "must be a .tflite file"),
        (lambda path: save_tflite(network(6), path), r"a number is 0\.\d+ from"),
        (lambda path: save_tflite(network(5), path), "answers as the Keras model"),
        (lambda path: save_tflite(network(6, 6), path), "must be a .tflite file"),
    ],
    ids=["absent", "text", "other", "outputs", "size"],
)
def test_a_file_that_answers_otherwise_is_refused(predictor, tmp_path, write, message):
    path = tmp_path / "model.tflite"
    write(path)
    with pytest.raises(ValueError, match=message):
        serving.LiteModel(path, predictor)


def test_litert_waits_for_no_batch(predictor):
    with pytest.raises(ValueError, match="`max_wait_ms` must be 0 with `lite`"):
        serving.ServedModel(predictor, "animals", max_wait_ms=1, lite=lambda x: x)


def test_features_of_another_size_are_of_another_model(tmp_path):
    likeness = Likeness(np.ones((1, 7), "float16"), 0.1)
    compared = Predictor(headed(7), [*"abcdef"], (8, 12), likeness=likeness)
    path = tmp_path / "model.tflite"
    save_tflite(headed(9), path)
    with pytest.raises(ValueError, match="answers as the Keras model"):
        serving.LiteModel(path, compared)


def headed(features):
    inputs = keras.Input((8, 12, 3))
    x = layers.Conv2D(features, 3, activation="relu")(inputs)
    return keras.Model(inputs, pooled_head(x, 6, seed=1))
