"""What decides the batches of a training, so that a resumed one can be held to it."""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

# Of a layer that mixes: its name is counted up, and the seeds are the data's.
_OF_NO_MATTER = dict.fromkeys(("name", "seed", "dtype"))


def photo_facts(data: Any) -> dict[str, Any]:
    """Settings and digests of an `ImageData`, as JSON can hold them.

    A split's digest is of file names, sizes and labels, or of pixels in memory. Where
    the folder lies is not in it: it may move.
    """
    names = ("batch_size", "resize", "label_mode", "oversample", "on_error", "seed")
    return {
        **{name: getattr(data, name) for name in names},
        "image_size": list(data.image_size),
        "class_names": list(data.class_names),
        "augment": _plain(data.augment),
        "mix": _plain(data.mix),
        **{split: _of_split(data, split) for split in data.splits},
    }


def _of_split(data: Any, split: str) -> dict[str, Any]:
    digest = hashlib.sha256("\0".join(data.files(split)).encode(errors="replace"))
    for part in _contents(data.pictures(split)):
        digest.update(part)
    if data.has_labels(split):
        digest.update(data.labels(split).tobytes())
    return {"count": len(data.files(split)), "sha256": digest.hexdigest()[:16]}


def _contents(pictures: Sequence[Path | np.ndarray]) -> Any:
    for picture in pictures:
        if isinstance(picture, np.ndarray):
            yield np.ascontiguousarray(picture)
        else:
            size = picture.stat().st_size if picture.exists() else -1
            yield size.to_bytes(8, "big", signed=True)


def _plain(value: Any) -> Any:
    if isinstance(value, keras.layers.Layer):
        return {"class": type(value).__name__, **value.get_config(), **_OF_NO_MATTER}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.asdict(value)
        named = {
            name: getattr(item, "__qualname__", type(item).__name__)
            for name, item in fields.items()
            if callable(item)
        }
        return {"class": type(value).__name__, **fields, **named}
    return value
