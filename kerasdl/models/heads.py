"""Classifier heads: from a feature map to probabilities.

A head is a function of a tensor, so that one head can stand on a trunk or on an `Input`
of cached activations. Its layers have the same names in both places: `copy_weights`
takes them from one to the other. Two classes end in one sigmoid unit, the probability
of the second class; more end in a softmax; several labels an image (`multi_label`) in
a sigmoid unit for each class.
"""

from functools import partial
from typing import Any

import keras
from keras import initializers, layers, regularizers

from kerasdl._checks import check_one_of, check_positive_int
from kerasdl._seeds import Seeds

HEADS = ("pooled", "flatten")
_PREFIX = "head_"


def flatten_head(
    x: Any,
    classes: int,
    units: int = 256,
    dropout: float = 0.5,
    *,
    multi_label: bool = False,
    seed: int | None = None,
) -> Any:
    """Flatten, Dense(`units`, relu), Dropout, Dense: the head of the Keras book.

    Args:
        x: feature map `(batch, height, width, channels)` of a fixed size.
        classes: number of classes, at least 2.
        units: of the hidden layer.
        dropout: fraction in [0, 1).
        multi_label: an image may have several labels: each class has a probability of
            its own, for binary cross-entropy.
        seed: of initial weights and dropout.

    Returns:
        Probabilities: `(batch, 1)` of the second class for two classes without
        `multi_label`, else `(batch, classes)`.

    Raises:
        ValueError: an argument is not one of these.

    Reference:
        Chollet, Deep Learning with Python, 2017, section 5.3
    """
    _check_feature_map(x)
    check_classes(classes)
    check_positive_int("units", units)
    check_dropout(dropout)
    seeds = Seeds(seed)
    x = layers.Flatten(name=f"{_PREFIX}flatten")(x)
    x = layers.Dense(
        units,
        activation="relu",
        kernel_initializer=initializers.GlorotUniform(seed=seeds()),
        name=f"{_PREFIX}dense",
    )(x)
    x = layers.Dropout(dropout, seed=seeds(), name=f"{_PREFIX}dropout")(x)
    return predictions(
        x, classes, f"{_PREFIX}predictions", multi_label=multi_label, seed=seeds()
    )


def pooled_head(
    x: Any,
    classes: int,
    pooling: str = "avg",
    dropout: float = 0.25,
    batch_norm: bool = True,
    l2: float = 0.0,
    *,
    multi_label: bool = False,
    seed: int | None = None,
) -> Any:
    """Pool over all places, normalise, Dropout, Dense.

    Args:
        x: feature map `(batch, height, width, channels)`.
        classes: number of classes, at least 2.
        pooling: `"avg"`, or `"avg_max"` for averages and maxima side by side.
        dropout: fraction in [0, 1).
        batch_norm: normalise the pooled features.
        l2: factor of the last layer's squared weights in the loss, 0 or more.
        multi_label: an image may have several labels: each class has a probability of
            its own, for binary cross-entropy.
        seed: of initial weights and dropout.

    Returns:
        Probabilities: `(batch, 1)` of the second class for two classes without
        `multi_label`, else `(batch, classes)`.

    Raises:
        ValueError: an argument is not one of these.
    """
    _check_feature_map(x)
    check_classes(classes)
    check_one_of("pooling", pooling, ("avg", "avg_max"))
    check_dropout(dropout)
    if l2 < 0:
        raise ValueError(f"`l2` must be 0 or more. Received: l2={l2!r}")
    seeds = Seeds(seed)
    averages = layers.GlobalAveragePooling2D(name=f"{_PREFIX}avg_pool")(x)
    if pooling == "avg_max":
        maxima = layers.GlobalMaxPooling2D(name=f"{_PREFIX}max_pool")(x)
        x = layers.Concatenate(name=f"{_PREFIX}concat")([averages, maxima])
    else:
        x = averages
    if batch_norm:
        # A head trains for some hundred batches; Keras's 0.99 would lag behind them.
        x = layers.BatchNormalization(momentum=0.9, name=f"{_PREFIX}bn")(x)
    x = layers.Dropout(dropout, seed=seeds(), name=f"{_PREFIX}dropout")(x)
    return predictions(
        x, classes, f"{_PREFIX}predictions", l2, multi_label=multi_label, seed=seeds()
    )


def classifier(
    trunk: keras.Model,
    classes: int,
    head: str = "pooled",
    dropout: float | None = None,
    *,
    multi_label: bool = False,
    seed: int | None = None,
) -> keras.Model:
    """Put a head on `trunk`: one flat model from pixels to probabilities.

    Args:
        trunk: from `build_trunk`; its layers are shared, not copied.
        classes: number of classes, at least 2.
        head: `"pooled"` (see `pooled_head`) or `"flatten"` (see `flatten_head`).
        dropout: fraction in [0, 1); None is the head's own.
        multi_label: an image may have several labels, as in the heads.
        seed: of the head's initial weights and dropout.

    Returns:
        A model named as the trunk.

    Raises:
        ValueError: an argument is not one of these.

    Example:
        ```
        trunk = kd.models.build_trunk("efficientnet_lite0", image_size=64)
        flowers = kd.models.classifier(trunk, classes=5, seed=1)
        ```
    """
    check_one_of("head", head, HEADS)
    build = pooled_head if head == "pooled" else flatten_head
    if dropout is not None:
        build = partial(build, dropout=dropout)
    outputs = build(trunk.output, classes, multi_label=multi_label, seed=seed)
    return keras.Model(trunk.input, outputs, name=trunk.name)


def head_layers(model: keras.Model) -> list[layers.Layer]:
    """Return the layers of `model` that a head of this module added, in order."""
    return [layer for layer in model.layers if layer.name.startswith(_PREFIX)]


def predictions(
    x: Any,
    classes: int,
    name: str,
    l2: float = 0.0,
    *,
    multi_label: bool = False,
    seed: int,
) -> Any:
    """End in one sigmoid unit for two classes, in a softmax for more.

    With `multi_label` in a sigmoid unit for each class. float32 under every precision
    policy: half precision would round probabilities.
    """
    is_binary = classes == 2 and not multi_label
    return layers.Dense(
        1 if is_binary else classes,
        activation="sigmoid" if is_binary or multi_label else "softmax",
        kernel_initializer=initializers.GlorotUniform(seed=seed),
        kernel_regularizer=regularizers.L2(l2) if l2 else None,
        dtype="float32",
        name=name,
    )(x)


def check_classes(classes: int) -> None:
    """Raise ValueError unless `classes` is an integer of at least 2."""
    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 2:
        raise ValueError(
            f"`classes` must be an integer of at least 2. Received: classes={classes!r}"
        )


def check_dropout(dropout: float) -> None:
    """Raise ValueError unless `dropout` is in [0, 1)."""
    if not 0 <= dropout < 1:
        raise ValueError(
            f"`dropout` must be at least 0 and below 1. Received: dropout={dropout!r}"
        )


def _check_feature_map(x: Any) -> None:
    if len(x.shape) != 4:
        raise ValueError(
            "`x` must be a feature map (batch, height, width, channels). Received: "
            f"x.shape={tuple(x.shape)!r}. Give the trunk's output, not pooled."
        )
