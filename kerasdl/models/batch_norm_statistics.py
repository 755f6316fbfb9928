"""BatchNorm statistics that belong to given weights, from one pass over data."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from keras.layers import BatchNormalization

from kerasdl._layer_walks import layers_in_order


def recompute_batch_norm(model: keras.Model, data: Iterable[Any]) -> None:
    """Set BatchNorm's moving statistics to mean and variance over all of `data`.

    Each layer's are those of everything that it is given, the layers below it
    normalising by the statistics of the batch as in training, and each batch counting
    by its size. Dropout is off. Frozen layers keep their statistics. Nothing is changed
    before the pass is over.

    Args:
        model: called on each batch; nested models are looked into.
        data: batches of inputs, or tuples that begin with them, such as a tf.data
            training dataset.

    Raises:
        ValueError: `data` holds no batch.

    Reference:
        Izmailov et al., 2018, https://arxiv.org/abs/1803.05407, section 3.2.

    Example:
        ```
        kd.models.recompute_batch_norm(model, data.train)
        ```
    """
    norms = moving_batch_norms(model)
    traced: list[tuple[BatchNormalization, list[tf.Tensor]]] = []

    @tf.function(reduce_retracing=True)
    def moments(inputs: Any) -> list[list[tf.Tensor]]:
        traced.clear()
        model(inputs, training=False)
        return [numbers for _, numbers in traced]

    seen: dict[BatchNormalization, list[list[np.ndarray]]] = {n: [] for n in norms}
    try:
        for norm in norms:
            norm.call = partial(_normalise_by_batch, norm, traced)
        for batch in data:
            found = moments(batch[0] if isinstance(batch, tuple) else batch)
            for (norm, _), numbers in zip(traced, found, strict=True):
                seen[norm].append([number.numpy() for number in numbers])
    finally:
        for norm in norms:
            del norm.call
    if norms and not seen[norms[0]]:
        raise ValueError("`data` must hold batches for the model. Received: none")
    for norm, batches in seen.items():
        counts, means, variances = (
            np.array(column, "float64") for column in zip(*batches, strict=True)
        )
        weights = (counts / counts.sum())[:, None]
        mean = (weights * means).sum(axis=0)
        spread = variances + (means - mean) ** 2
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign((weights * spread).sum(axis=0))


def moving_batch_norms(model: keras.Model) -> list[BatchNormalization]:
    """BatchNorm layers of `model`, nested ones too, whose statistics training moves."""
    return [
        layer
        for layer in layers_in_order(model)
        if isinstance(layer, BatchNormalization) and layer.trainable
    ]


def _normalise_by_batch(
    norm: BatchNormalization,
    traced: list[tuple[BatchNormalization, list[tf.Tensor]]],
    inputs: tf.Tensor,
    training: bool | None = None,
    mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """What `norm` does in training; number, mean and variance go to `traced`."""
    x = ops.cast(inputs, "float32")
    channels = norm.axis % len(x.shape)
    axes = [axis for axis in range(len(x.shape)) if axis != channels]
    mean, variance = ops.moments(x, axes)
    count = tf.size(x) // x.shape[channels]
    traced.append((norm, [count, mean, variance]))
    outputs = ops.batch_normalization(
        x,
        mean,
        variance,
        channels,
        offset=norm.beta,
        scale=norm.gamma,
        epsilon=norm.epsilon,
    )
    return ops.cast(outputs, norm.compute_dtype)
