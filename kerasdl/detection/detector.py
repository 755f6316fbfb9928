"""A model that answers photos with boxes, in the photos' own pixels."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Self

import keras
import numpy as np
import pandas as pd

from kerasdl._checks import check_one_of
from kerasdl._names import as_text
from kerasdl._parallel import map_ahead
from kerasdl.data import (
    MAX_PIXELS,
    ImageError,
    image_size,
    read_image,
    warp_image,
)
from kerasdl.models import load_model
from kerasdl.runs import LABELS, MANIFEST, read_run

from .annotations import BOX
from .detections import Detections, photo_files
from .geometry import moved, to_view

TASK = "detection"
COLUMNS = ["file", "label", "score", *BOX]
_BATCH = 8


class Detector:
    """A model of final answers, and what is known of it.

    Args:
        model: takes pixels and answers as `with_answers` has it.
        class_names: in the order of its classes.
        resize: how photos were placed in its training.
        threshold: score from which on an answer is shown.
    """

    def __init__(
        self,
        model: keras.Model,
        class_names: Sequence[str],
        resize: str = "pad",
        threshold: float = 0.5,
    ) -> None:
        self.model, self.class_names = model, list(class_names)
        self.resize, self.threshold = resize, threshold
        self.image_size: tuple[int, int] = tuple(model.input_shape[1:3])

    @classmethod
    def load(cls, run: str | Path) -> Self:
        """Read a finished run of a detector.

        Raises:
            ValueError: `run` is none, or its files are damaged.
        """
        info = read_run(run)
        info.of_task({TASK: cls})
        known = info.manifest
        if not info.labels or not {"resize", "threshold"} <= known.keys():
            raise ValueError(
                f"`run` must hold {LABELS}, and its {MANIFEST} resize and threshold. "
                f"Received: run={str(run)!r}"
            )
        model = load_model(info.model_path)
        return cls(model, info.labels, known["resize"], known["threshold"])

    def predict(
        self,
        photos: str | Path | Sequence[str | Path],
        root: str | Path = "",
        *,
        on_error: str = "raise",
        max_pixels: int = MAX_PIXELS,
    ) -> Detections:
        """Find boxes in photos.

        Args:
            photos: a file, a folder (all photos below it), or a list of such.
            root: folder that they are relative to.
            on_error: "raise" stops at a photo that cannot be read, "skip" leaves it out
                and notes it in `damaged`.
            max_pixels: of a photo that is decoded.

        Raises:
            ImageError: a photo cannot be read; the message names it.
            ValueError: no photos, or an `on_error` that is none.
        """
        check_one_of("on_error", on_error, ("raise", "skip"))
        files = photo_files(photos, Path(root))
        if not files:
            raise ValueError(
                f"`photos` must hold photos. Received: photos={photos!r:.200}"
            )
        sizes: dict[str, tuple[int, int]] = {}
        damaged: dict[str, str] = {}

        def read(file: str) -> tuple[str, np.ndarray] | None:
            path = Path(root) / file
            try:
                size = image_size(path)
                photo = read_image(path, self.image_size, max_pixels)
            except ImageError as error:
                if on_error == "raise":
                    raise
                damaged[as_text(file)] = error.reason
                return None
            sizes[file] = size
            return file, warp_image(photo, self.image_size, self.resize)

        tables = [pd.DataFrame(columns=COLUMNS)]
        usable = filter(None, map_ahead(read, files))
        while batch := list(islice(usable, _BATCH)):
            tables += self._answered(batch, sizes)
        known = [file for file in files if file in sizes]
        boxes = pd.concat([t for t in tables if len(t)] or tables, ignore_index=True)
        return Detections(
            root=Path(root),
            photos=pd.DataFrame(
                [sizes[file] for file in known], known, ["height", "width"]
            ),
            boxes=boxes[COLUMNS],
            class_names=self.class_names,
            damaged=damaged,
            max_pixels=max_pixels,
        )

    def _answered(
        self,
        batch: Sequence[tuple[str, np.ndarray]],
        sizes: dict[str, tuple[int, int]],
    ) -> list[pd.DataFrame]:
        """A table for each photo of a batch of views."""
        views = np.zeros((_BATCH, *self.image_size, 3), "float32")
        views[: len(batch)] = [view for _, view in batch]
        found = self.model.predict_on_batch(views)  # of one shape: traced once
        names = np.array(self.class_names, object)
        tables = []
        for place, (file, _) in enumerate(batch):
            count = int(found["count"][place])
            height, width = sizes[file]
            matrix = to_view((height, width), self.image_size, self.resize)
            boxes = moved(found["boxes"][place, :count], np.linalg.inv(matrix))
            boxes = np.clip(boxes, 0, [width, height, width, height])
            table = pd.DataFrame(boxes, columns=BOX).assign(
                file=file,
                label=names[found["labels"][place, :count]],
                score=found["scores"][place, :count],
            )
            tables.append(table)
        return tables
