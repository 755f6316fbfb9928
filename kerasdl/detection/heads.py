"""What the heads of one-stage detectors share."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import initializers, layers, ops

from .pyramid import batch_norm

DEPTH = 2  # convolutions of a tower
PRIOR = 0.01  # of an object at a place, to begin with: focal loss, section 4.1
_RAW = "raw_"


def tower(x: Any, convolutions: Sequence[layers.Layer], name: str) -> Any:
    """Convolutions that all levels share, each with BatchNorm of its own, ReLU."""
    for number, convolution in enumerate(convolutions):
        x = batch_norm(f"{name}_{number}")(convolution(x))
        x = layers.ReLU(name=f"{name}_{number}_relu")(x)
    return x


def last(filters: int, name: str, bias: float, seed: int) -> layers.Layer:
    """The 1x1 convolution that answers, to begin with by its bias."""
    return layers.Conv2D(
        filters,
        1,
        kernel_initializer=initializers.RandomNormal(stddev=0.01, seed=seed),
        bias_initializer=initializers.Constant(bias),
        name=name,
    )


def rows_of(x: Any, count: int) -> Any:
    """A map `(batch, rows, columns, n * count)` as float32 `(batch, places, count)`."""
    places = x.shape[1] * x.shape[2] * x.shape[3] // count
    return ops.reshape(ops.cast(x, "float32"), (-1, places, count))


def raw_model(inputs: Any, parts: Mapping[str, list[Any]], name: str) -> keras.Model:
    """A model of raw answers: `parts` of all levels, beside one another.

    Args:
        inputs: of the model.
        parts: by name, `(batch, places, n)` of each level: "boxes", "places",
            "logits", in this order.
        name: of the model.
    """
    together = [
        layers.Concatenate(axis=1, name=part, dtype="float32")(levels)
        for part, levels in parts.items()
    ]
    raw = layers.Concatenate(axis=2, name="raw", dtype="float32")(together)
    return detector(inputs, raw, name)


def detector(inputs: Any, raw: Any, name: str) -> keras.Model:
    """A model of raw answers whose ops are called "raw_...".

    Keras counts the names of ops anew in each process: "cast" of a loaded model and the
    first cast that is put behind it would be two of a name, which it refuses.
    """
    model = keras.Model(inputs, raw, name=name)
    for operation in model.operations:
        is_layer = isinstance(operation, layers.Layer)
        if not is_layer and not operation.name.startswith(_RAW):
            operation.name = f"{_RAW}{operation.name}"
    return model
