"""Photos and the boxes that were drawn on them, as two tables."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from kerasdl._names import as_text

BOX = ["x1", "y1", "x2", "y2"]
FLAGS = ["difficult", "truncated", "occluded", "crowd"]
_PHOTO = {"split": "", "height": 0, "width": 0}
_BOX = {"file": "", "label": "", **dict.fromkeys(BOX, 0.0)}
SHAPES = ["mask", "void"]
_BOX |= {**dict.fromkeys(FLAGS, False), **dict.fromkeys(SHAPES)}


@dataclass(frozen=True, eq=False)
class Annotations:
    """Photos, the boxes on them, and the names of the classes.

    Attributes:
        root: folder that the names of photos are relative to.
        class_names: in the order of a model's classes.
        photos: a row for each photo by its file, a POSIX path below `root`. Columns
            `split`, one of "train", "valid", "test", or "" where none is said, and
            `height` and `width` in pixels as the annotations have them, 0 where they do
            not.
        boxes: a row for each box. Columns `file`, `label` (a name), `x1`, `y1`, `x2`,
            `y2` in pixels of the upright photo, of whose left upper corner 0, 0 is the
            outer edge; `difficult`, `truncated`, `occluded`, `crowd`; `mask`, a
            polygon or RLE as COCO has it, or None; and `void`, the same of what may or
            may not be of the object, as the border of a trimap: measures of masks leave
            it out.
    """

    root: Path
    class_names: list[str]
    photos: pd.DataFrame
    boxes: pd.DataFrame

    @classmethod
    def of(
        cls,
        root: Path,
        class_names: Iterable[str] | None,
        photos: Mapping[str, Mapping[str, Any]],
        boxes: Sequence[Mapping[str, Any]],
    ) -> Self:
        """Annotations of what a reader found; what it did not is by default.

        Args:
            root: folder of the photos.
            class_names: None takes the labels in the order of their names.
            photos: what is known of each, by its file.
            boxes: what is known of each, `file` among it.

        Raises:
            ValueError: a photo or a label has a name that is no UTF-8.
        """
        names = [*photos, *{box["label"] for box in boxes}]
        if odd := [as_text(name) for name in names if as_text(name) != name]:
            raise ValueError(
                "Photos and labels must have names in UTF-8, as tables hold no others. "
                f"Received: {', '.join(odd[:5])}. Rename them, or move them away."
            )
        if class_names is None:
            class_names = sorted({box["label"] for box in boxes})
        rows = [{**_PHOTO, **known} for known in photos.values()]
        return cls(
            root,
            list(class_names),
            pd.DataFrame(rows, index=list(photos), columns=list(_PHOTO)),
            _typed(pd.DataFrame([{**_BOX, **box} for box in boxes], columns=[*_BOX])),
        )

    def of_split(self, split: str) -> Self:
        """The photos of `split` and their boxes."""
        return self.take(self.photos.index[self.photos["split"] == split])

    def take(self, files: Collection[str]) -> Self:
        """The photos `files`, in their order, and their boxes."""
        boxes = self.boxes[self.boxes["file"].isin(set(files))]
        return replace(self, photos=self.photos.loc[list(files)], boxes=boxes)

    def labels(self) -> np.ndarray:
        """Number of the class of each box, int64; -1 of a class that is not known."""
        return pd.Index(self.class_names).get_indexer(self.boxes["label"])

    def multi_hot(self) -> np.ndarray:
        """Which classes each photo shows, `(photos, classes)` float32."""
        shown = pd.crosstab(self.boxes["file"], self.boxes["label"])
        shown = shown.reindex(index=self.photos.index, columns=self.class_names)
        return (shown.fillna(0).to_numpy() > 0).astype("float32")

    def counts(self) -> pd.DataFrame:
        """Boxes of each class, a row for each split, a column for each class."""
        splits = self.photos["split"].reindex(self.boxes["file"]).to_numpy()
        counts = pd.crosstab(
            splits,
            self.boxes["label"].to_numpy(),
            rownames=["split"],
            colnames=["class"],
        )
        there = set(self.photos["split"])
        rows = [s for s in ("train", "valid", "test", "") if s in there]
        return counts.reindex(index=rows, columns=self.class_names, fill_value=0)


def are_ignored(boxes: pd.DataFrame) -> pd.Series:
    """Which boxes are difficult or crowds: neither to be found nor wrong to find."""
    return boxes[["difficult", "crowd"]].any(axis=1)


def _typed(boxes: pd.DataFrame) -> pd.DataFrame:
    kinds = dict.fromkeys(BOX, "float64") | dict.fromkeys(FLAGS, bool)
    return boxes.astype(kinds)
