"""The filters of a first convolution, as pictures."""

from pathlib import Path

import keras
import numpy as np

from kerasdl import plots
from kerasdl._layer_walks import unnested_layers
from kerasdl._notebook import wants_picture
from kerasdl.models.picture_shape import picture_shape

from .capture import run_captured
from .picture import as_rgb, enlarge, enlargement

_MIN_SIDE = 48  # of a filter's picture, in pixels
_GREY = 127.5
_ANY_SIDE = 64  # of pictures for a model that takes any size


def first_layer_filters(
    model: keras.Model, path: str | Path | None = None, columns: int = 8
) -> np.ndarray:
    """Return what the filters of the first convolution weigh pixels by.

    The weights are those of the pixels that the model takes: where it scales its
    channels or reverses their order first, that is undone. So a filter that likes red
    is red.

    Args:
        model: functional or Sequential, flat or with models nested in it; before its
            first `Conv2D` are only layers that scale, offset, mix or pad pixels.
        path: of a PNG with the filters in order, row by row, weight 0 in grey and each
            filter's largest weight in black or white; None shows it in a notebook.
        columns: filters in a row of it.

    Returns:
        Weights `(filters, height, width, channels)`, each filter divided by its largest
        absolute weight: in [-1, 1].

    Raises:
        ValueError: `model` has no `Conv2D`, or one that takes something else.

    Reference:
        https://arxiv.org/abs/1311.2901, section 4
    """
    picture_shape(model)
    convolutions = [
        layer
        for layer in unnested_layers(model)
        if isinstance(layer, keras.layers.Conv2D)
    ]
    if not convolutions:
        raise ValueError(
            "`model` must have a Conv2D layer. Received: "
            f"model={model.name!r} without one"
        )
    layer = convolutions[0]
    kernel = layer.kernel.numpy()
    mixing = _pixels_to_inputs(model, layer)
    if mixing is None or len(mixing) != kernel.shape[2]:
        raise ValueError(
            "`model` must have a first Conv2D that takes all channels of the pixels, "
            f"scaled, offset or mixed. Received: {layer.name!r}, which does not"
        )
    weights = np.einsum("hwcf,cp->fhwp", kernel, mixing)
    largest = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
    weights = weights / np.where(largest, largest, 1)
    if wants_picture(path):
        factor = enlargement(weights.shape[1:3], _MIN_SIDE)
        pictures = [enlarge(as_rgb(_GREY * (1 + w)), factor) for w in weights]
        plots.save_grid(pictures, path, columns)
    return weights


def _pixels_to_inputs(
    model: keras.Model, layer: keras.layers.Layer
) -> np.ndarray | None:
    """Matrix from the channels of a pixel to what `layer` is given; None without one.

    Found by asking: plain black, each channel alone, and a mixture to check by.
    """
    height, width, channels = model.input_shape[1:]
    mixture = np.linspace(50, 200, channels)
    colours = np.stack([np.zeros(channels), *(255 * np.eye(channels)), mixture])
    size = (height or _ANY_SIDE, width or _ANY_SIDE)
    pictures = np.ones((1, *size, 1)) * colours[:, None, None]
    inputs, _, _ = run_captured(model, layer, pictures.astype("float32"))
    inputs = np.asarray(inputs, "float64")
    # In the middle, where no border is.
    black, *alone, mixed = inputs[:, inputs.shape[1] // 2, inputs.shape[2] // 2]
    matrix = np.stack([channel - black for channel in alone], axis=1) / 255
    is_affine = np.allclose(matrix @ mixture + black, mixed, rtol=1e-4, atol=1e-4)
    return matrix if is_affine else None
