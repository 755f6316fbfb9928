"""Grad-CAM: where in a picture a network finds a class."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasdl._checks import check_writable
from kerasdl._notebook import wants_picture
from kerasdl.inside.capture import find_map_layer, map_layers, run_captured
from kerasdl.inside.picture import check_images, save_overlay, stretch

from .outputs import check_numbers, names_of, resolve_classes


def grad_cam(
    model: keras.Model,
    image: np.ndarray,
    layer: str | None = None,
    class_index: int | Sequence[int] | None = None,
    path: str | Path | None = None,
) -> np.ndarray:
    """Weigh a layer's feature maps by the gradient of a class's score.

    A map's weight is the mean of the gradient over its places; the weighted sum's
    positive part is the heat. The score is the class's logit where the model ends in a
    softmax or sigmoid, else its output.

    Args:
        model: functional or Sequential, flat or with models nested in it; takes pixels
            `(batch, height, width, channels)` and returns probabilities `(batch,
            classes)`, or that of the second of two classes alone.
        image: `(height, width, channels)` in [0, 255], of the model's size; or a batch
            of such, `(n, height, width, channels)`, which takes one call of the model.
        layer: name of a layer that gives feature maps, in a nested model too; None is
            the last one.
        class_index: the class to look for, or one for each of a batch; None is the most
            probable one of each.
        path: of a .png, .svg or .pdf with the picture and, beside it, the heat over it;
            of a batch the pictures are below one another. None shows it in a notebook.

    Returns:
        Heat `(height, width)` of the picture, float32 in [0, 1]: the largest value is
        1, or all are 0 where nothing speaks for the class. Of a batch, `(n, height,
        width)`.

    Raises:
        ValueError: an argument is not one of these.

    Reference:
        https://arxiv.org/abs/1610.02391, equations 1 and 2

    Example:
        ```
        heat = kd.interpret.grad_cam(model, photo, path="heat.png")
        ```
    """
    if path is not None:
        check_writable("path", path)
    pixels = check_images(model, image)
    heats = heats_of(model, pixels, layer, class_index)
    if wants_picture(path):
        save_overlay(pixels, heats, path)
    return heats if np.ndim(image) == 4 else heats[0]


def heats_of(
    model: keras.Model,
    pixels: np.ndarray,
    layer: str | None,
    class_index: int | Sequence[int] | None,
) -> np.ndarray:
    """The heats of `grad_cam`, `(n, height, width)`, of a batch that is checked."""
    if layer is None:
        candidates = map_layers(model)
        if not candidates:
            raise ValueError(
                "`model` must have a layer that gives feature maps (batch, height, "
                f"width, channels). Received: model={model.name!r}"
            )
        target = candidates[-1]
    else:
        target = find_map_layer(model, layer)
    classes = resolve_classes(model, pixels, class_index)
    with tf.GradientTape() as tape:
        inputs = tf.convert_to_tensor(pixels)
        tape.watch(inputs)  # and so all that is computed from it
        _, maps, scores = run_captured(model, target, inputs)
        if scores.shape[-1] == 1:
            chosen = tf.where(classes == 1, scores[:, 0], -scores[:, 0])
        else:
            chosen = tf.gather(scores, classes, batch_dims=1)
    # A picture's score depends on its own maps alone, so that their sum will do.
    gradient = tape.gradient(chosen, maps)
    if gradient is None:
        raise ValueError(
            "`layer` must be one that the score of a class depends on, with a "
            f"gradient. Received: layer={target.name!r}, of which no score does"
        )
    count = len(pixels)
    check_numbers(np.reshape(gradient, (count, -1)), names_of(count))
    weights = tf.reduce_mean(gradient, axis=(1, 2))
    maps = tf.nn.relu(tf.einsum("bhwc,bc->bhw", maps, weights))
    heats = [
        stretch(heat, pixels.shape[1:3]) for heat in tf.cast(maps, tf.float32).numpy()
    ]
    return np.stack([np.maximum(heat / (heat.max() or 1), 0) for heat in heats])
