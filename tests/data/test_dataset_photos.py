"""A plain tf.data.Dataset at the doors that take an ImageData."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from kerasdl.classification import (
    ClassificationReport,
    SplitEvaluation,
    ensemble,
    predict_split,
    save_report,
    tta,
)
from kerasdl.data import DatasetPhotos
from kerasdl.train import cached_activations

SIDE, COUNT = 8, 10
CLASSES = np.arange(COUNT) % 3


@pytest.fixture(scope="module")
def images():
    """Pixels that are no whole numbers, as Keras's own resizing makes them."""
    return np.random.default_rng(0).uniform(0, 255, (COUNT, SIDE, SIDE, 3))


def model_of(outputs, activation="softmax"):
    inputs = keras.Input((SIDE, SIDE, 3))
    x = layers.Flatten()(layers.Rescaling(1 / 255)(inputs))
    init = keras.initializers.GlorotUniform(seed=1)
    dense = layers.Dense(outputs, activation, kernel_initializer=init)
    return keras.Model(inputs, dense(x))


def dataset(images, labels=CLASSES, batch_size=4):
    slices = tf.data.Dataset.from_tensor_slices((images.astype("float32"), labels))
    return slices.batch(batch_size) if batch_size else slices


SEVERAL = np.array([[1, 1, 0], [0, 0, 1]] * 5)


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        (CLASSES, CLASSES),
        (CLASSES[:, None].astype("float32"), CLASSES),
        (np.eye(3)[CLASSES], CLASSES),
        (SEVERAL, SEVERAL),
    ],
)
@pytest.mark.parametrize("batch_size", [4, None])
def test_the_same_answers_as_of_the_model(images, labels, wanted, batch_size):
    model = model_of(3, "sigmoid" if labels is SEVERAL else "softmax")
    data = dataset(images, labels, batch_size)
    expected = model.predict_on_batch(images.astype("float32"))
    report = ClassificationReport.from_model(model, data, verbose=0)
    np.testing.assert_allclose(report.probabilities, expected, atol=1e-6)
    np.testing.assert_array_equal(report.labels, wanted)
    assert report.files == [str(number) for number in range(COUNT)]
    assert report.class_names == ["0", "1", "2"]
    np.testing.assert_array_equal(report.image(7), images[7].astype("float32"))


def test_a_sigmoid_and_names(images, tmp_path):
    model, data = model_of(1, "sigmoid"), dataset(images, CLASSES > 0)
    data.class_names = ["cat", "dog"]
    report = ClassificationReport.from_model(model, data, verbose=0)
    assert report.class_names == ["cat", "dog"]
    right = (report.probabilities[:, 1] > 0.5) == (CLASSES > 0)
    assert report.summary["accuracy"] == pytest.approx(right.mean())
    save_report(report, tmp_path / "report.html", seed=0)


def test_dark_pictures_of_a_bright_dataset_are_shown(images):
    images = images.copy()
    images[:-1] /= 255
    report = ClassificationReport.from_model(model_of(3), dataset(images), verbose=0)
    np.testing.assert_array_equal(report.image(0), images[0].astype("float32"))


def test_fixed_and_random_views(images):
    model, data = model_of(3), dataset(images)
    found = tta(model, data, augment="flip", verbose=0)
    pixels = images.astype("float32")
    views = [pixels, np.ascontiguousarray(pixels[:, :, ::-1])]
    expected = np.mean([model.predict_on_batch(view) for view in views], axis=0)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    assert found.accuracy == np.mean(expected.argmax(axis=1) == CLASSES)
    once, again = (
        tta(model, data, 2, "side_on", verbose=0, seed=3).probabilities for _ in "ab"
    )
    np.testing.assert_array_equal(once, again)
    with pytest.raises(ValueError, match="`augment` must be given"):
        tta(model, data)


def test_activations(images, tmp_path):
    model = model_of(3)
    found = cached_activations(model, dataset(images), cache_dir=tmp_path, verbose=0)
    expected = model.predict_on_batch(np.rint(images).astype("float32"))
    np.testing.assert_allclose(found.arrays[0], expected, atol=1e-6)
    alone = dataset(images).map(lambda pixels, label: pixels)
    again = cached_activations(model, alone, cache_dir=tmp_path, verbose=0)
    assert (again.computed, again.reused) == (0, COUNT)


def test_images_alone_have_answers_but_no_report(images):
    data = dataset(images).map(lambda pixels, label: pixels)
    assert predict_split(model_of(3), data, verbose=0).labels is None
    with pytest.raises(ValueError, match=r"`data` must yield \(images, labels\)"):
        ClassificationReport.from_model(model_of(3), data, verbose=0)


DOORS = {
    "predict_split": predict_split,
    "report": ClassificationReport.from_model,
    "tta": lambda model, data: tta(model, data, augment="flip"),
    "activations": cached_activations,
    "ensemble": lambda model, data: ensemble(model, [model], data),
    "evaluation": SplitEvaluation,
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.repeat(), "must end. Received: .* repeats for ever"),
        (lambda data: data.take(0), "must hold images. Received: an empty"),
        (lambda data: data.map(lambda x, y: {"x": x}), "must yield .images, labels."),
        (lambda data: data.map(lambda x, y: (x[..., 0, 0], y)), "must yield .images"),
        (lambda data: data.map(lambda x, y: (x[..., :1], y)), "RGB images of one size"),
        (lambda data: data.map(lambda x, y: (x / 255, y)), r"pixels in \[0, 255\]"),
    ],
)
def test_what_is_no_data(door, change, message, images):
    with pytest.raises(ValueError, match=f"`data` must .*{message}|`data` .*{message}"):
        DOORS[door](model_of(3), change(dataset(images)))


@pytest.mark.parametrize(
    "labels",
    [CLASSES + 1, CLASSES / 2, np.full((COUNT, 3), 1 / 3), CLASSES.astype(str)],
)
def test_labels_that_are_none(labels, images):
    with pytest.raises(ValueError, match="`data` must have labels from 0 to 2"):
        predict_split(model_of(3), dataset(images, labels))


def test_images_of_another_size(images):
    data = dataset(images).map(lambda x, y: (ops.image.resize(x, (4, 4)), y))
    with pytest.raises(ValueError, match="`data` must have images of the model's size"):
        predict_split(model_of(3), data)
    assert DatasetPhotos(data, 3).image_size == (4, 4)


def test_a_mean_of_models_and_an_epoch(images):
    model, data = model_of(3), dataset(images)
    found = ensemble(model, [model, model], data, verbose=0)
    expected = predict_split(model, data, verbose=0)
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-6)
    logs = {}
    SplitEvaluation(model, data).on_epoch_end(0, logs)
    assert logs["val_accuracy"] == expected.accuracy


@pytest.mark.parametrize("door", sorted({*DOORS} - {"activations"}))
def test_arrays_are_no_data(door, images):
    with pytest.raises(ValueError, match="`data` must be an ImageData.*type tuple"):
        DOORS[door](model_of(3), (images, CLASSES))


@pytest.mark.parametrize("door", DOORS)
def test_a_model_of_two_inputs(door, images):
    model, other = model_of(3), keras.Input((3,))
    two = keras.Model([model.input, other], model.output + other)
    with pytest.raises(ValueError, match="`model` must be .*one batch of pictures"):
        DOORS[door](two, dataset(images))
