from types import SimpleNamespace

import keras
import numpy as np
import pytest

from kerasdl.train import classification_loss

BINARY = keras.losses.BinaryCrossentropy
CATEGORICAL = keras.losses.CategoricalCrossentropy
SPARSE = keras.losses.SparseCategoricalCrossentropy


def network(outputs):
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(outputs)])


def photos(columns, label_mode=None):
    shape = (4,) if columns is None else (4, columns)
    return SimpleNamespace(
        encoded_labels=lambda split: np.zeros(shape), label_mode=label_mode
    )


@pytest.mark.parametrize(
    ("columns", "outputs", "label_mode", "expected"),
    [
        (1, 1, "binary", BINARY),
        (None, 1, "int", BINARY),
        (3, 3, "categorical", CATEGORICAL),
        (2, 2, "categorical", CATEGORICAL),
        (None, 3, "int", SPARSE),
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
    ("columns", "outputs", "smoothing"), [(1, 3, 0), (3, 1, 0), (None, 3, 0.1)]
)
def test_labels_and_outputs_that_do_not_match(columns, outputs, smoothing):
    with pytest.raises(ValueError, match="`model` must have an output for each column"):
        classification_loss(network(outputs), photos(columns), smoothing)
