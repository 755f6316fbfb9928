from types import SimpleNamespace

import keras
import numpy as np
import pytest

from kerasdl import Learner
from kerasdl.classification import classification_loss
from kerasdl.data import ImageData

BINARY = keras.losses.BinaryCrossentropy
CATEGORICAL = keras.losses.CategoricalCrossentropy
SPARSE = keras.losses.SparseCategoricalCrossentropy


def network(outputs):
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(outputs)])


def photos(columns, label_mode=None, classes=None):
    shape = (4,) if columns is None else (4, columns)
    classes = classes or (columns if columns and columns > 1 else 2)
    return SimpleNamespace(
        encoded_labels=lambda split: np.zeros(shape),
        label_mode=label_mode,
        class_names=[str(number) for number in range(classes)],
    )


@pytest.mark.parametrize(
    ("columns", "outputs", "label_mode", "expected"),
    [
        (1, 1, "binary", BINARY),
        (None, 1, "int", BINARY),
        (3, 3, "categorical", CATEGORICAL),
        (2, 2, "categorical", CATEGORICAL),
        (None, 2, "int", SPARSE),
        (1, 1, "multi_label", BINARY),
        (3, 3, "multi_label", BINARY),
    ],
)
def test_the_loss_fits_labels_and_outputs(columns, outputs, label_mode, expected):
    loss = classification_loss(network(outputs), photos(columns, label_mode))
    assert type(loss) is expected


def test_label_smoothing_reaches_keras():
    loss = classification_loss(network(3), photos(3), label_smoothing=0.3)
    truth, answer = np.array([[0.0, 1.0, 0.0]]), np.array([[0.2, 0.5, 0.3]])
    smoothed = np.array([[0.1, 0.8, 0.1]])
    expected = -(smoothed * np.log(answer)).sum()
    assert float(loss(truth, answer)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("columns", "classes", "outputs", "smoothing", "advice"),
    [
        (1, 2, 2, 0, """Pass `label_mode="categorical"` .*, or .* one sigmoid unit"""),
        (2, 2, 1, 0, """Pass `label_mode="binary"` .*, or give the model 2 outputs"""),
        (1, 2, 3, 0, "Give the model 2 outputs, or 1 sigmoid unit"),
        (3, 3, 1, 0, "Give the model 3 outputs"),
        (None, 3, 3, 0.1, """Pass `label_mode="categorical"` with the data"""),
        (None, 3, 1, 0, "Give the model 3 outputs"),
        (None, 3, 2, 0, "Give the model 3 outputs"),
        (None, 3, 1000, 0, "Give the model 3 outputs"),
    ],
)
def test_labels_and_outputs_that_do_not_match(
    columns, classes, outputs, smoothing, advice
):
    message = (
        f"`model` must have an output for each column.*{classes} classes. {advice}"
    )
    with pytest.raises(ValueError, match=message):
        classification_loss(
            network(outputs), photos(columns, classes=classes), smoothing
        )


def test_the_learner_says_which_labels_two_outputs_take(rng):
    images = rng.integers(0, 256, (8, 4, 4, 3), "uint8")
    pixels = keras.Input((4, 4, 3))
    outputs = keras.layers.Dense(2, "softmax")(keras.layers.Flatten()(pixels))
    model = keras.Model(pixels, outputs)
    options = {"batch_size": 4, "seed": 0}
    data = ImageData.from_arrays(images, np.arange(8) % 2, 0.5, **options)
    with pytest.raises(ValueError, match="""Pass `label_mode="categorical"`"""):
        Learner.from_model(model, data)
    options["label_mode"] = "categorical"
    data = ImageData.from_arrays(images, np.arange(8) % 2, 0.5, **options)
    assert len(Learner.from_model(model, data).fit(1e-3)) == 1
