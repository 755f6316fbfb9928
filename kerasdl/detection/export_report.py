"""What an export of a detector is worth: average precision beside the Keras model's."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasdl.artefacts import EXACT, Arrays, files_table, save_rows

from .annotations import Annotations
from .measures import ALL, average_precision
from .mediapipe import LOCATION, SCORE
from .suppression import suppressed
from .views import Geometry, View, in_photos, joined

_MOST_DIFFERENCE = 0.002  # of the mAP of a file whose numbers are not rounded
_ROUNDING = 1e-6
_AT_ONCE = 8  # photos


@dataclass(frozen=True)
class DetectionExportReport:
    """The measurements of an export.

    Attributes:
        rows: by format `bytes`, `photos`, `map`, `map_drop` (below the model's),
            `ap50`, `p50_ms` and `p95_ms` (one picture, one thread), `latency` and
            `operators`; of int8 `calibration_photos`; `seed`, None if nothing was
            drawn.
        map: of the Keras model on the same photos.
        max_drop: mAP that a file may lose.
    """

    rows: dict[str, dict[str, Any]]
    map: float
    max_drop: float

    def table(self) -> pd.DataFrame:
        """A row for each format, with its numbers in units that a reader compares."""
        measures = {"mAP": "map", "AP50": "ap50", "drop": "map_drop"}
        return files_table(self.rows, measures)

    @property
    def failures(self) -> list[str]:
        """What is wrong, a sentence a file; none if all is well."""
        found = []
        for name, row in self.rows.items():
            drop, exact = row["map_drop"], name in EXACT
            if drop > self.max_drop + _ROUNDING:
                found.append(
                    f"{name} loses {drop:.4f} of mAP on {row['photos']} photos; "
                    f"{self.max_drop} is allowed"
                )
            elif exact and abs(drop) > _MOST_DIFFERENCE:
                found.append(
                    f"{name} has a mAP {abs(drop):.4f} from the Keras model's on "
                    f"{row['photos']} photos; {_MOST_DIFFERENCE} is expected"
                )
        return found

    def save(self, folder: Path) -> None:
        """Write `export_report.json` and `export_report.png`."""
        save_rows(self.rows, folder, "map", "picture")

    def __str__(self) -> str:
        numbers = self.table().to_string(
            index=False, float_format="{:.4g}".format, na_rep="-"
        )
        photos = next(iter(self.rows.values()))["photos"]
        return (
            f"{numbers}\n{photos} photos; the Keras model's mAP is {self.map:.4f}. ms: "
            "one picture on one thread."
        )


def judge(
    expected: Arrays,
    found: Arrays,
    photos: Sequence[View],
    truth: Annotations,
    geometry: Geometry,
) -> dict[str, Any]:
    """The row of a file in the report.

    Args:
        expected: final answers of the Keras model.
        found: those of the file; or raw boxes, as MediaPipe gets them, which are
            suppressed as those were.
        photos: that were answered.
        truth: photos and boxes.
        geometry: of the model.
    """
    known = truth.take([view.file for view in photos])
    named = [(view.file, view.size) for view in photos]
    ours, theirs = (
        average_precision(
            known, joined(in_photos(answers, named, geometry, truth.class_names))
        ).loc[ALL]
        for answers in (_final(found, expected, geometry), expected)
    )
    ours, theirs = ours.fillna(0), theirs.fillna(0)  # photos without objects
    return {
        "photos": len(photos),
        "map": float(ours["map"]),
        "map_drop": float(theirs["map"] - ours["map"]),
        "ap50": float(ours["ap50"]),
    }


def _final(found: Arrays, expected: Arrays, geometry: Geometry) -> Arrays:
    """`found`, suppressed if it is raw."""
    if LOCATION not in found:
        return found
    height, width = geometry.image_size
    middle, sides = found[LOCATION][..., 1::-1], found[LOCATION][..., 3:1:-1]
    boxes = np.concatenate([middle - sides / 2, middle + sides / 2], axis=-1)
    boxes = np.clip(boxes, 0, 1) * np.array([width, height] * 2, "float32")
    parts = [
        suppressed(
            boxes[start : start + _AT_ONCE],
            found[SCORE][start : start + _AT_ONCE],
            max_answers=expected["scores"].shape[1],
        )
        for start in range(0, len(boxes), _AT_ONCE)
    ]
    return {
        name: np.concatenate([np.array(part[name]) for part in parts])
        for name in parts[0]
    }
