"""What a filter answers to most: parts of the photos of a data set."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import keras
import numpy as np

from kerasdl import plots
from kerasdl._checks import check_positive_int, check_writable
from kerasdl._notebook import wants_picture
from kerasdl._parallel import map_ahead
from kerasdl.data import ImageData, check_image_data
from kerasdl.models import layer_costs

from .capture import find_map_layer, run_captured

_BATCH_SIZE = 32
_MIN_SIDE = 64  # of a patch in the picture, in pixels


class Patch(NamedTuple):
    """A part of a photo that a filter answers to.

    Attributes:
        file: the photo's name.
        activation: the filter's answer.
        box: (top, left, bottom, right) in pixels of the photo at the model's size, the
            last two outside.
        image: the part, `(height, width, 3)` uint8.
    """

    file: str
    activation: float
    box: tuple[int, int, int, int]
    image: np.ndarray


def top_patches(
    model: keras.Model,
    data: ImageData,
    layer: str,
    filter_index: int,
    split: str = "valid",
    count: int = 9,
    path: str | Path | None = None,
) -> list[Patch]:
    """Find the parts of photos that excite a filter most, one a photo.

    Of each photo the place with the filter's largest answer counts; its part is what
    that place depends on, its receptive field, as far as it lies in the photo.

    Args:
        model: functional or Sequential, flat or with models nested in it, of the data's
            size.
        data: the photos.
        layer: name of a layer that gives feature maps, in a nested model too.
        filter_index: its channel.
        split: "train", "valid" or "test", seen without augmentation.
        count: at most so many.
        path: of a PNG with the parts in order, row by row, at one size; None shows it
            in a notebook.

    Returns:
        The parts, that of the largest answer first.

    Raises:
        ImageError: a damaged photo.
        ValueError: an argument is not one of these, or the model's layers have no
            receptive field that is known; see `models.layer_costs`.

    Reference:
        Zeiler & Fergus, 2013, https://arxiv.org/abs/1311.2901, figure 2
    """
    if path is not None:
        check_writable("path", path)
    check_image_data(data)
    check_positive_int("count", count)
    target = find_map_layer(model, layer)
    if filter_index not in range(target.output.shape[-1]):
        raise ValueError(
            f"`filter_index` must be from 0 to {target.output.shape[-1] - 1}. "
            f"Received: filter_index={filter_index!r}"
        )
    costs = layer_costs(model).set_index("layer").loc[layer]
    files, strongest, places = data.files(split), [], []
    photos = map_ahead(lambda row: data.read(split, row), range(len(files)))
    while batch := list(islice(photos, _BATCH_SIZE)):
        _, maps, _ = run_captured(model, target, np.stack(batch).astype("float32"))
        answers = np.asarray(maps[..., filter_index])
        flat = answers.reshape(len(answers), -1)
        strongest += flat.max(axis=1).tolist()
        places += zip(
            *np.unravel_index(flat.argmax(axis=1), answers.shape[1:]), strict=True
        )
    best = np.argsort(strongest)[::-1][:count]
    patches = []
    for row in best:
        box = _box(places[row], costs, data.image_size)
        top, left, bottom, right = box
        part = data.read(split, row)[top:bottom, left:right]
        patches.append(Patch(files[row], strongest[row], box, part))
    if wants_picture(path):
        side = max(_MIN_SIDE, *(max(patch.image.shape[:2]) for patch in patches))
        shown = [
            cv2.resize(patch.image, (side, side), interpolation=cv2.INTER_NEAREST)
            for patch in patches
        ]
        plots.save_grid(shown, path, columns=3)
    return patches


def _box(
    place: tuple[int, int], costs: Mapping[str, Any], size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """The receptive field of `place` of a layer of these `costs`, in the photo."""
    if costs["receptive_field"] is None:
        return 0, 0, *size
    edges = []
    for at, start, stride, reach, side in zip(
        place,
        costs["start"],
        costs["strides"],
        costs["receptive_field"],
        size,
        strict=True,
    ):
        begin = round(start + at * stride)
        edges.append((max(begin, 0), min(begin + round(reach), side)))
    (top, bottom), (left, right) = edges
    return top, left, bottom, right
