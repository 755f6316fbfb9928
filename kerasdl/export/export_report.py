"""What an export is worth: a JSON file, a table, a picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kerasdl import plots
from kerasdl._atomic import write_json

REPORT, PICTURE = "export_report.json", "export_report.png"
ERRORS = "quantization_errors.csv"  # of an int8 file that loses too much
# Files whose numbers are not rounded: they answer as the Keras model does.
_EXACT = ("keras", "saved_model", "tflite", "onnx")
_LEAST_AGREEMENT = 0.999
_MOST_DIFFERENCE = 1e-3  # of a probability
_ROUNDING = 1e-6  # of the difference of two accuracies


class ExportError(RuntimeError):
    """An exported file does not answer as it should.

    Attributes:
        report: the whole report; None for a file that could not be run at all.
    """

    def __init__(self, message: str, report: "ExportReport | None" = None) -> None:
        super().__init__(message)
        self.report = report


@dataclass(frozen=True)
class ExportReport:
    """The measurements of an export.

    Attributes:
        rows: by format `bytes`, `photos`, `accuracy`, `accuracy_drop`, `agreement`,
            `max_difference`, `mean_difference`, `p50_ms` and `p95_ms` (one picture, one
            thread), `latency` (by threads and batch) and `operators`; of the Keras
            file `predict_ms`, of the SavedModel `serve_bytes_difference` (mean, on
            image files as they are), of int8 `calibration_photos` and
            `calibration_seed`.
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
        rows = []
        for name, row in self.rows.items():
            two = row["latency"]["2 threads"]
            batch = row["latency"]["1 thread"]
            rows.append(
                {
                    "format": name,
                    "MB": row["bytes"] / 1e6,
                    "accuracy": row["accuracy"],
                    "agreement": row["agreement"],
                    "max diff": row["max_difference"],
                    "mean diff": row["mean_difference"],
                    "p50 ms": row["p50_ms"],
                    "p95 ms": row["p95_ms"],
                    "2 threads": two["1"]["p50_ms"],
                    "batch of 8": batch.get("8", {}).get("p50_ms"),
                }
            )
        return pd.DataFrame(rows)

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
            elif name in _EXACT and row["agreement"] < _LEAST_AGREEMENT:
                found.append(
                    f"{name} answers {row['agreement']:.4f} of {self.photos} photos as "
                    f"the Keras model does; {_LEAST_AGREEMENT} is expected"
                )
            elif name in _EXACT and row["max_difference"] > _MOST_DIFFERENCE:
                found.append(
                    f"{name} gives a probability that is {row['max_difference']:.4f} "
                    f"from the Keras model's; {_MOST_DIFFERENCE} is expected"
                )
        return found

    def save(self, folder: Path) -> None:
        """Write `export_report.json` and `export_report.png`."""
        write_json(folder / REPORT, self.rows)
        plots.save_scatter(
            [f"{name} ({row['accuracy']:.3f})" for name, row in self.rows.items()],
            [row["p50_ms"] for row in self.rows.values()],
            [row["bytes"] / 1e6 for row in self.rows.values()],
            folder / PICTURE,
            "milliseconds for one picture on one thread (median)",
            "size in MB, and accuracy behind the name",
        )

    def __str__(self) -> str:
        numbers = self.table().to_string(
            index=False, float_format="{:.4g}".format, na_rep="-"
        )
        return (
            f"{numbers}\n{self.photos} photos; the Keras model's accuracy is "
            f"{self.accuracy:.4f}. ms: one picture on one thread."
        )
