"""The small convolutional network of the Keras book's cats-and-dogs chapter."""

import itertools

import keras
from keras import initializers, layers

from kerasdl._seeds import resolve_seed

from ._pixels import scale_pixels
from .heads import check_classes, check_dropout, predictions

_FILTERS = (32, 64, 128, 128)  # listing 5.5 of the book
_UNITS = 512
_MIN_SIDE = 46  # the smallest of which four 3x3 convolutions and halvings leave a pixel


def convnet(
    input_shape: tuple[int, int, int] = (150, 150, 3),
    classes: int = 2,
    dropout: float = 0.0,
    *,
    pixels: str = "unit",
    seed: int | None = None,
) -> keras.Model:
    """Four 3x3 convolutions, each with 2x2 max pooling, and two dense layers.

    Input: RGB pixels in [0, 255], `(batch, height, width, 3)`; scaling is in the model.
    Output: `(batch, 1)`, the probability of the second of two classes, or
    `(batch, classes)` probabilities.
    Parameters: 3,453,121 at the defaults.

    Args:
        input_shape: height and width of at least 46.
        classes: number of classes, at least 2.
        dropout: fraction in [0, 1) before the dense layers; the book takes 0.5 with
            augmentation.
        pixels: one of `PIXEL_RULES`.
        seed: of initial weights and dropout.

    Raises:
        ValueError: an argument is not one of these.

    Reference:
        Chollet, Deep Learning with Python, 2017, section 5.2
    """
    if len(input_shape) != 3 or min(input_shape[:2]) < _MIN_SIDE:
        raise ValueError(
            "`input_shape` must be (height, width, channels) with sides of at least "
            f"{_MIN_SIDE}. Received: input_shape={input_shape!r}"
        )
    check_classes(classes)
    check_dropout(dropout)
    seeds = itertools.count(resolve_seed(seed)).__next__

    inputs = keras.Input(input_shape, name="pixels")
    x = scale_pixels(inputs, pixels)
    for number, filters in enumerate(_FILTERS, start=1):
        x = layers.Conv2D(
            filters,
            3,
            activation="relu",
            kernel_initializer=initializers.GlorotUniform(seed=seeds()),
            name=f"conv{number}",
        )(x)
        x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    if dropout:
        x = layers.Dropout(dropout, seed=seeds(), name="dropout")(x)
    x = layers.Dense(
        _UNITS,
        activation="relu",
        kernel_initializer=initializers.GlorotUniform(seed=seeds()),
        name="dense",
    )(x)
    outputs = predictions(x, classes, "predictions", seed=seeds())
    return keras.Model(inputs, outputs, name="convnet")
