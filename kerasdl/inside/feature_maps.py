"""What each channel of a layer answers to a picture."""

from pathlib import Path

import keras
import numpy as np

from kerasdl import plots
from kerasdl._checks import check_writable
from kerasdl._notebook import wants_picture

from .capture import find_map_layer, run_captured
from .picture import as_rgb, check_image, enlarge, enlargement

_MIN_SIDE = 64  # of a channel's picture, in pixels


def feature_maps(
    model: keras.Model,
    image: np.ndarray,
    layer: str,
    path: str | Path | None = None,
    columns: int = 8,
) -> np.ndarray:
    """Run a layer on a picture and return its channels.

    Args:
        model: functional or Sequential, flat or with models nested in it.
        image: `(height, width, channels)` in [0, 255], of the model's size.
        layer: name of a layer that gives feature maps, in a nested model too.
        path: of a PNG with the channels in order, row by row, each from its smallest
            value in black to its largest in white; one that is the same everywhere is
            black. None shows it in a notebook.
        columns: channels in a row of it.

    Returns:
        Activations `(height, width, channels)` of the layer.

    Raises:
        ValueError: an argument is not one of these.

    Reference:
        Chollet, Deep Learning with Python, 2017, section 5.4.1
    """
    if path is not None:
        check_writable("path", path)
    pixels = check_image(model, image)
    target = find_map_layer(model, layer)
    _, outputs, _ = run_captured(model, target, pixels)
    maps = np.asarray(outputs[0])
    if wants_picture(path):
        low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
        shades = 255 * (maps - low) / np.where(high > low, high - low, 1)
        shades = enlarge(shades, enlargement(maps.shape[:2], _MIN_SIDE))
        channels = [as_rgb(shades[..., i : i + 1]) for i in range(maps.shape[-1])]
        plots.save_grid(channels, path, columns)
    return maps
