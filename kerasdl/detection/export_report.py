"""What an export of a detector is worth: average precision beside the Keras model's."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasdl.artefacts import EXACT, Arrays, files_table, save_rows
from kerasdl.tables import as_texts

from .annotations import Annotations
from .measures import average_precision
from .mediapipe import LOCATION, SCORE
from .views import COLUMNS, Geometry, View, in_photos, joined

_MOST_DIFFERENCE = 0.002  # of the mAP of a file whose numbers are not rounded
_ROUNDING = 1e-6
_KINDS = {"": False, "mask_": True}  # of measures in a row, and whether of masks


@dataclass(frozen=True)
class DetectionExportReport:
    """The measurements of an export.

    Attributes:
        rows: by format `bytes`, `photos`, `map`, `map_drop` (below the model's),
            `ap50`, and where there are masks the same of them, `mask_map` and so on;
            `p50_ms` and `p95_ms` (one picture, one thread), `latency` and `operators`;
            of int8 `calibration_photos`; `seed`, None if nothing was drawn.
        map: of the Keras model on the same photos.
        max_drop: mAP that a file may lose.
    """

    rows: dict[str, dict[str, Any]]
    map: float
    max_drop: float

    def table(self) -> pd.DataFrame:
        """A row for each format, with its numbers in units that a reader compares."""
        measures = {"mAP": "map", "AP50": "ap50", "drop": "map_drop"}
        if any("mask_map" in row for row in self.rows.values()):
            measures |= {"mask mAP": "mask_map", "mask drop": "mask_map_drop"}
        return files_table(self.rows, measures)

    @property
    def failures(self) -> list[str]:
        """What is wrong, a sentence a file; none if all is well."""
        found = []
        for name, row in self.rows.items():
            photos = f"on {row['photos']} photos"
            for kind in _KINDS:
                drop = row.get(f"{kind}map_drop", 0.0)
                measure = f"{kind.replace('_', ' ')}mAP"
                if drop > self.max_drop + _ROUNDING:
                    found.append(
                        f"{name} loses {drop:.4f} of {measure} {photos}; "
                        f"{self.max_drop} is allowed"
                    )
                elif name in EXACT and abs(drop) > _MOST_DIFFERENCE:
                    found.append(
                        f"{name} has a {measure} {abs(drop):.4f} from the Keras "
                        f"model's {photos}; {_MOST_DIFFERENCE} is expected"
                    )
        return found

    def save(self, folder: Path) -> None:
        """Write `export_report.json` and `export_report.png`."""
        save_rows(self.rows, folder, "map", "picture")

    def __str__(self) -> str:
        numbers = as_texts(self.table()).to_string(index=False)
        photos = next(iter(self.rows.values()))["photos"]
        return (
            f"{numbers}\n{photos} photos; the Keras model's mAP is {self.map:.4f}. ms: "
            "one picture on one thread."
        )


def in_tables(
    found: Arrays,
    photos: Sequence[View],
    geometry: Geometry,
    class_names: Sequence[str],
) -> Arrays:
    """Answers as tables in pixels of the photos: of masks a hundredth of the bytes.

    Args:
        found: final answers, or those as MediaPipe reads them.
        photos: that were answered.
        geometry: of the model.
        class_names: in the order of its classes.

    Returns:
        `tables`, `(n,)` of objects.
    """
    named = [(view.file, view.size) for view in photos]
    final = _final(found, geometry)
    tables = np.empty(len(named), object)
    for place, table in enumerate(in_photos(final, named, geometry, class_names)):
        tables[place] = table
    return {"tables": tables}


def judge(
    expected: Arrays, found: Arrays, photos: Sequence[View], truth: Annotations
) -> dict[str, Any]:
    """The row of a file in the report.

    Args:
        expected: answers of the Keras model, as of `in_tables`.
        found: those of the file.
        photos: that were answered.
        truth: photos and boxes.
    """
    known = truth.take([view.file for view in photos])
    row = {"photos": len(photos)}
    # What MediaPipe gets has no masks.
    has_masks = all("mask" in table for table in found["tables"])
    for kind, masks in _KINDS.items() if has_masks else [("", False)]:
        ours, theirs = (
            _precision(known, list(answers["tables"]), masks)
            for answers in (found, expected)
        )
        row |= {
            f"{kind}map": float(ours["map"]),
            f"{kind}map_drop": float(theirs["map"] - ours["map"]),
            f"{kind}ap50": float(ours["ap50"]),
        }
    return row


def _precision(
    known: Annotations, tables: Sequence[pd.DataFrame], masks: bool
) -> pd.Series:
    """Means of all classes; 0 for photos without objects."""
    answers = joined(tables)
    if masks:
        answers = answers.reindex(columns=[*COLUMNS, "mask"])
    return average_precision(known, answers, masks=masks).iloc[-1].fillna(0)


def _final(found: Arrays, geometry: Geometry) -> Arrays:
    """`found`, of MediaPipe in pixels and by label."""
    if LOCATION not in found:
        return found
    height, width = geometry.image_size
    middle, sides = found[LOCATION][..., 1::-1], found[LOCATION][..., 3:1:-1]
    boxes = np.concatenate([middle - sides / 2, middle + sides / 2], axis=-1)
    scores = found[SCORE].max(axis=2)
    return {
        "boxes": boxes * np.array([width, height] * 2, "float32"),
        "scores": scores,
        "labels": found[SCORE].argmax(axis=2),
        "count": (scores > 0).sum(axis=1),
    }
