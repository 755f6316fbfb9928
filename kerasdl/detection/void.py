"""Masks for COCO's measure, of objects and of answers, without what is void."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from kerasdl._optional import require

from .annotations import Annotations
from .formats.coco import MASK
from .masks import as_rle, corners_of, encoded

_LEFT = 0.1  # of an object, up to which void has nearly all of it


def without_void(
    truth: Annotations,
    known: dict[str, Any],
    given: list[dict[str, Any]],
    masks: Iterable[Any],
) -> list[dict[str, Any]]:
    """The answers with their masks, cut to what is not void in their photos.

    The objects' are cut as well, and one that is (nearly) all void becomes a crowd, so
    that nobody need find it. An answer that is all void is left out.

    Args:
        truth: photos and boxes.
        known: what `as_coco` makes of it; gets the masks. An object without one has its
            box for it, as in training.
        given: answers as COCO has them.
        masks: of the answers.

    Raises:
        ImportError: the extra `detection` is not installed.
        ValueError: a mask or a void is none, or of another size than its photo.
    """
    tools = require("faster_coco_eval.core.mask", "detection")
    images = {image["id"]: image for image in known["images"]}
    seen = _seen(truth, known)
    for one in known["annotations"]:
        number = one["image_id"]
        x, y, w, h = one["bbox"]
        corners = corners_of((x, y, x + w, y + h))
        with _named("truth", "mask", images[number]) as size:
            one[MASK] = encoded(one.get(MASK, [corners]), size)
        if number in seen:
            whole = tools.area(one[MASK])
            one[MASK] = tools.merge([one[MASK], seen[number]], intersect=True)
            if tools.area(one[MASK]) <= _LEFT * whole:
                one["iscrowd"] = 1
    kept = []
    for one, mask in zip(given, masks, strict=True):
        number = one["image_id"]
        with _named("answers", "mask", images[number]) as size:
            rle = encoded(mask, size)
        if number in seen:
            rle = tools.merge([rle, seen[number]], intersect=True)
            if not tools.area(rle):
                continue
        kept.append({**one, MASK: rle})
    return kept


def _seen(truth: Annotations, known: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The RLE of what is not void, by the number of each photo that has void."""
    tools = require("faster_coco_eval.core.mask", "detection")
    of_files = truth.boxes.dropna(subset="void").groupby("file")["void"].agg(list)
    found = {}
    for image in known["images"]:
        if image["file_name"] not in of_files:
            continue
        with _named("truth", "void", image) as size:
            is_void = np.zeros(size, np.uint8)
            for void in of_files[image["file_name"]]:
                is_void |= tools.decode(encoded(void, size))
        found[image["id"]] = as_rle(1 - is_void)
    return found


@contextlib.contextmanager
def _named(name: str, column: str, image: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """The (height, width) of a photo; what is wrong with a shape on it is told."""
    height, width = image["height"], image["width"]
    try:
        yield height, width
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"`{name}` must have each `{column}` in the size of its photo. Received: "
            f"a {column} {error}, on {image['file_name']} of {width} x {height}"
        ) from error
