"""A model that answers photos with boxes, in the photos' own pixels."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Self

import keras
import numpy as np
import pandas as pd

from kerasdl._checks import check_one_of
from kerasdl._described import Described, named_network, some
from kerasdl.data import MAX_PIXELS
from kerasdl.models import load_model
from kerasdl.runs import LABELS, MANIFEST, read_run

from .detections import Detections, photo_files
from .views import Geometry, View, in_photos, joined, views

TASK = "detection"
_BATCH = 8


class Detector(Described):
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
        self.geometry = Geometry(self.image_size, resize)

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

    def _facts(self) -> dict[str, str]:
        height, width = self.image_size
        return {
            "network": named_network(self.model),
            "classes": f"{len(self.class_names)}: {some(self.class_names)}",
            "photos": f"{height} x {width} pixels, {self.resize}",
            "threshold": f"{self.threshold:.4g}",
        }

    def predict(
        self,
        photos: str | Path | Sequence[str | Path],
        root: str | Path = "",
        *,
        on_error: str = "raise",
        max_pixels: int = MAX_PIXELS,
        threshold: float = 0.0,
    ) -> Detections:
        """Find boxes in photos.

        Args:
            photos: a file, a folder (all photos below it), or a list of such.
            root: folder that they are relative to.
            on_error: "raise" stops at a photo that cannot be read, "skip" leaves it out
                and notes it in `damaged`.
            max_pixels: of a photo that is decoded.
            threshold: score from which on answers are kept; 0 keeps all, as measures
                need them.

        Raises:
            ImageError: a photo cannot be read; the message names it.
            ValueError: no photos, or an argument outside its range.
        """
        check_one_of("on_error", on_error, ("raise", "skip"))
        if not 0 <= threshold <= 1:
            raise ValueError(
                f"`threshold` must be from 0 to 1. Received: threshold={threshold}"
            )
        files = photo_files(photos, Path(root))
        if not files:
            raise ValueError(
                f"`photos` must hold photos. Received: photos={photos!r:.200}"
            )
        damaged: dict[str, str] = {}
        usable = views(
            files,
            Path(root),
            self.geometry,
            max_pixels,
            damaged if on_error == "skip" else None,
        )
        sizes: dict[str, tuple[int, int]] = {}
        tables = []
        while batch := list(islice(usable, _BATCH)):
            sizes |= {view.file: view.size for view in batch}
            tables += self.answers(batch, _BATCH, threshold=threshold)
        known = [file for file in files if file in sizes]
        return Detections(
            root=Path(root),
            photos=pd.DataFrame(
                [sizes[file] for file in known], known, ["height", "width"]
            ),
            boxes=joined(tables),
            class_names=self.class_names,
            damaged=damaged,
            max_pixels=max_pixels,
        )

    def answers(
        self,
        photos: Sequence[View],
        batch_size: int | None = None,
        *,
        threshold: float = 0.0,
    ) -> list[pd.DataFrame]:
        """A table for each view, boxes in pixels of its photo.

        Args:
            photos: views in the model's geometry.
            batch_size: to fill up to: the model is traced once for each.
            threshold: score from which on answers are given.
        """
        count = batch_size or len(photos)
        pixels = np.zeros((count, *self.image_size, 3), "float32")
        pixels[: len(photos)] = [view.pixels for view in photos]
        found = self.model.predict_on_batch(pixels)
        named = [(view.file, view.size) for view in photos]
        return in_photos(
            found, named, self.geometry, self.class_names, threshold=threshold
        )
