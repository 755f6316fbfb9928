"""`ImageDataGenerator.flow`: images that are in memory."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasdl.batches import Batch

from ._flow import Flow
from ._image_transforms import ImageTransforms
from ._listing import rows_between


class ArrayFlow(Flow):
    """Batches of an array; `ImageDataGenerator.flow` has the arguments.

    Attributes:
        x: the images as they were given, `(n, height, width, channels)`.
        x_misc: further inputs, each with n rows.
        y: targets, or None.
        sample_weight: `(n,)`, or None.
    """

    def __init__(
        self,
        generator: ImageTransforms,
        x: Any,
        y: Any,
        batch_size: int,
        shuffle: bool,
        sample_weight: Any,
        seed: int | None,
        saving: tuple[str | Path | None, str, str],
        ignore_class_split: bool,
        bounds: tuple[float, float],
    ) -> None:
        x, misc = _split_inputs(x)
        named = {"x": np.asarray(x)}
        named |= {f"x[1][{i}]": np.asarray(extra) for i, extra in enumerate(misc)}
        if y is not None:
            named["y"] = np.asarray(y)
        if sample_weight is not None:
            named["sample_weight"] = np.asarray(sample_weight)
        _check_arrays(named)
        rows = rows_between(bounds, len(named["x"]))
        if bounds != (0, 1) and y is not None and not ignore_class_split:
            _check_same_classes(named["y"], rows)
        named = {name: array[rows] for name, array in named.items()}

        self.x, *self.x_misc = (a for name, a in named.items() if name.startswith("x"))
        self.y = named.get("y")
        self.sample_weight = named.get("sample_weight")
        super().__init__(
            generator,
            len(self.x),
            self.x.shape[1:],
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            saving=saving,
        )

    def _put_image(
        self, index: int, transform: Mapping[str, Any], out: np.ndarray
    ) -> None:
        out[...] = self.x[index]
        self._finish(out, transform)

    def _beside(self, indices: np.ndarray, images: np.ndarray) -> Batch:
        arrays = [*self.x_misc, self.y, self.sample_weight]
        return tuple(array[indices] for array in arrays if array is not None)

    def _nest(self, arrays: tuple[Any, ...]) -> Any:
        inputs = [0] * (1 + len(self.x_misc)) if self.x_misc else 0
        targets = [0 for array in (self.y, self.sample_weight) if array is not None]
        structure = (inputs, *targets) if targets else inputs
        return keras.tree.pack_sequence_as(structure, arrays)


def _split_inputs(x: Any) -> tuple[Any, Sequence[Any]]:
    """`x`, or the pair (images, further inputs)."""
    if not isinstance(x, (tuple, list)):
        return x, []
    images, extras = x
    return images, extras if isinstance(extras, list) else [extras]


def _check_arrays(named: Mapping[str, np.ndarray]) -> None:
    images = named["x"]
    if images.ndim != 4 or not len(images):
        raise ValueError(
            "`x` must be images (n, height, width, channels), at least one. Received: "
            f"x of shape {images.shape}"
        )
    for name, array in named.items():
        if array.ndim == 0 or len(array) != len(images):
            raise ValueError(
                f"`{name}` must have one row per image ({len(images)}). Received: "
                f"{name} of shape {array.shape}"
            )
        is_beside = name in ("y", "sample_weight") and array.dtype.kind == "f"
        if is_beside and not np.isfinite(array).all():
            row = np.argwhere(~np.isfinite(array))[0, 0]
            raise ValueError(
                f"`{name}` must be finite. Received: {name} with "
                f"{array[row]} in row {row} (from 0)"
            )
    if "sample_weight" in named and "y" not in named:
        raise ValueError(
            "`sample_weight` must come with `y`. Received: y=None, sample_weight of "
            f"shape {named['sample_weight'].shape}"
        )


def _check_same_classes(y: np.ndarray, rows: slice) -> None:
    """`rows` is one end of `y`: both it and the rest must hold every class."""
    cut = rows.start or rows.stop
    if not np.array_equal(np.unique(y[:cut]), np.unique(y[cut:])):
        raise ValueError(
            "`y` must have every class on both sides of `validation_split`. Received: "
            f"{len(np.unique(y[:cut]))} classes in the validation part, "
            f"{len(np.unique(y[cut:]))} in the training part. Shuffle `x` and `y` "
            "together first, or pass `ignore_class_split=True`."
        )
