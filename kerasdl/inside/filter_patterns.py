"""What filters look for: pictures that a gradient ascent makes them answer to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasdl import plots
from kerasdl._checks import check_positive_int, check_writable
from kerasdl._notebook import wants_picture
from kerasdl._seeds import resolve_seed
from kerasdl.models.picture_shape import picture_shape

from .capture import find_map_layer, run_captured
from .picture import as_rgb

_GREY, _NOISE = 128.0, 20.0  # listing 5.34 of the book
_NUM_FILTERS = 16
_CONTRAST = 40.0  # standard deviation of a saved picture's pixels


def filter_patterns(
    model: keras.Model,
    layer: str,
    filters: Sequence[int] | None = None,
    steps: int = 40,
    step_size: float = 1.0,
    path: str | Path | None = None,
    columns: int = 4,
    *,
    seed: int | None = None,
) -> np.ndarray:
    """Change grey noise until the mean activation of each filter is large.

    A filter behind a ReLU that answers nothing at all to the noise gives the ascent no
    direction, and keeps it: name the layer before the ReLU.

    Args:
        model: functional or Sequential, flat or with models nested in it, with an input
            of a fixed size.
        layer: name of a layer that gives feature maps, in a nested model too.
        filters: its channels; None takes the first 16.
        steps: number of gradient steps.
        step_size: root mean square of a step's changes, in pixel values.
        path: of a PNG with the patterns in order, row by row, each brought to the same
            contrast; None shows it in a notebook.
        columns: patterns in a row of it.
        seed: of the noise, which depends on the number of the filter alone; None draws
            one and prints it.

    Returns:
        Patterns `(filters, height, width, channels)`, float32 in [0, 255].

    Raises:
        ValueError: an argument is not one of these.

    Reference:
        Chollet, Deep Learning with Python, 2017, section 5.4.2
    """
    if path is not None:
        check_writable("path", path)
    size: Any = picture_shape(model)[1:]
    if None in size:
        raise ValueError(
            "`model` must have an input of a fixed size. Received: input shape "
            f"{model.input_shape}"
        )
    target = find_map_layer(model, layer)
    channels = target.output.shape[-1]
    filters = list(range(min(channels, _NUM_FILTERS)) if filters is None else filters)
    if not filters or not set(filters) <= set(range(channels)):
        raise ValueError(
            f"`filters` must be None or some of 0 to {channels - 1}. "
            f"Received: filters={filters!r}"
        )
    check_positive_int("steps", steps)
    if not step_size > 0:
        raise ValueError(f"`step_size` must be above 0. Received: {step_size=}")
    seed = resolve_seed(seed)
    noise = [np.random.default_rng([seed, number]).random(size) for number in filters]
    start = _GREY + _NOISE * (np.stack(noise) - 0.5)

    # As a graph, which leaves out what comes after the layer.
    @tf.function(autograph=False)  # which would wrap errors
    def ascend(pictures: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            _, maps, _ = run_captured(model, target, pictures)
            chosen = tf.gather(maps, filters, axis=-1)
            score = tf.linalg.trace(tf.reduce_mean(chosen, axis=(1, 2)))
        gradient = tf.convert_to_tensor(tape.gradient(score, pictures))
        scale = tf.sqrt(tf.reduce_mean(gradient**2, axis=(1, 2, 3), keepdims=True))
        moved = pictures + step_size * gradient / (scale + 1e-5)
        return tf.clip_by_value(moved, 0.0, 255.0)

    patterns = tf.constant(start, tf.float32)
    for _ in range(steps):
        patterns = ascend(patterns)
    patterns = patterns.numpy()
    if wants_picture(path):
        plots.save_grid([_visible(pattern) for pattern in patterns], path, columns)
    return patterns


def _visible(pattern: np.ndarray) -> np.ndarray:
    """RGB of `pattern` about mid-grey, with the contrast of all."""
    deviation = pattern.std() or 1
    return as_rgb(_GREY + _CONTRAST * (pattern - pattern.mean()) / deviation)
