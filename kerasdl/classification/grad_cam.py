"""Grad-CAM: where in a picture a network finds a class."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasdl._checks import check_writable
from kerasdl.inside.capture import find_map_layer, map_layers, run_captured
from kerasdl.inside.picture import check_image, save_overlay, stretch

from .outputs import check_numbers, resolve_class


def grad_cam(
    model: keras.Model,
    image: np.ndarray,
    layer: str | None = None,
    class_index: int | None = None,
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
        image: `(height, width, channels)` in [0, 255], of the model's size.
        layer: name of a layer that gives feature maps, in a nested model too; None is
            the last one.
        class_index: the class to look for; None is the most probable one.
        path: of a PNG with the picture and, beside it, the heat over it; None saves
            none.

    Returns:
        Heat `(height, width)` of the picture, float32 in [0, 1]: the largest value is
        1, or all are 0 where nothing speaks for the class.

    Raises:
        ValueError: an argument is not one of these.

    Reference:
        https://arxiv.org/abs/1610.02391, equations 1 and 2
    """
    if path is not None:
        check_writable("path", path)
    pixels = check_image(model, image)
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
    class_index = resolve_class(model, pixels, class_index)
    with tf.GradientTape() as tape:
        inputs = tf.convert_to_tensor(pixels)
        tape.watch(inputs)  # and so all that is computed from it
        _, maps, scores = run_captured(model, target, inputs)
        if scores.shape[-1] == 1:
            score = scores[0, 0] if class_index else -scores[0, 0]
        else:
            score = scores[0, class_index]
    gradient = tape.gradient(score, maps)
    if gradient is None:
        raise ValueError(
            "`layer` must be one that the score of a class depends on, with a "
            f"gradient. Received: layer={target.name!r}, of which no score does"
        )
    check_numbers(np.reshape(gradient, (1, -1)), ["image"])
    weights = tf.reduce_mean(gradient, axis=(1, 2))
    heat = tf.nn.relu(tf.einsum("bhwc,bc->hw", maps, weights))
    heat = stretch(tf.cast(heat, tf.float32).numpy(), pixels.shape[1:3])
    heat = np.maximum(heat / (heat.max() or 1), 0)
    if path is not None:
        save_overlay(pixels[0], heat, path)
    return heat
