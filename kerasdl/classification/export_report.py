"""What an export of a classifier is worth: a JSON file, a table, a picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kerasdl.artefacts import EXACT, files_table, save_rows
from kerasdl.tables import as_texts

_LEAST_AGREEMENT = 0.999
_MOST_DIFFERENCE = 1e-3  # of a probability
_ROUNDING = 1e-6  # of the difference of two accuracies


@dataclass(frozen=True, repr=False)
class ExportReport:
    """The measurements of an export.

    Attributes:
        rows: by format `bytes`, `photos`, `accuracy`, `accuracy_drop`, `agreement`,
            `max_difference`, `mean_difference`, `p50_ms` and `p95_ms` (one picture, one
            thread), `latency` (by threads and batch) and `operators`; of the Keras
            file `predict_ms`, of the SavedModel `serve_bytes_difference` (mean, on
            image files as they are), of int8 `calibration_photos` and
            `calibration_seed`; `seed` of the whole, None if nothing was drawn.
        accuracy: of the Keras model on the same photos.
        max_drop: accuracy that a file may lose.
    """

    rows: dict[str, dict[str, Any]]
    accuracy: float
    max_drop: float

    @property
    def photos(self) -> int:
        """How many photos every file answered."""
        return next(iter(self.rows.values()))["photos"]

    def table(self) -> pd.DataFrame:
        """A row for each format, with its numbers in units that a reader compares."""
        measures = {
            "accuracy": "accuracy",
            "agreement": "agreement",
            "max diff": "max_difference",
            "mean diff": "mean_difference",
        }
        return files_table(self.rows, measures)

    @property
    def failures(self) -> list[str]:
        """What is wrong, a sentence a file; none if all is well."""
        found = []
        for name, row in self.rows.items():
            if row["accuracy_drop"] > self.max_drop + _ROUNDING:
                found.append(
                    f"{name} loses {row['accuracy_drop']:.4f} of accuracy on "
                    f"{self.photos} photos; {self.max_drop} is allowed"
                )
            elif name in EXACT and row["agreement"] < _LEAST_AGREEMENT:
                found.append(
                    f"{name} answers {row['agreement']:.4f} of {self.photos} photos as "
                    f"the Keras model does; {_LEAST_AGREEMENT} is expected"
                )
            elif name in EXACT and row["max_difference"] > _MOST_DIFFERENCE:
                found.append(
                    f"{name} gives a probability that is {row['max_difference']:.4f} "
                    f"from the Keras model's; {_MOST_DIFFERENCE} is expected"
                )
        return found

    def save(self, folder: Path) -> None:
        """Write `export_report.json` and `export_report.png`."""
        save_rows(self.rows, folder, "accuracy", "picture")

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return as_texts(self.table()).to_html(index=False, border=0)

    def __str__(self) -> str:
        numbers = as_texts(self.table()).to_string(index=False)
        return (
            f"{numbers}\n{self.photos} photos; the Keras model's accuracy is "
            f"{self.accuracy:.4f}. ms: one picture on one thread."
        )
