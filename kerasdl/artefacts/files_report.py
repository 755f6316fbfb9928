"""What files are worth beside one another: a table, a drawing, and what went wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from kerasdl import plots
from kerasdl._atomic import write_json

REPORT, PICTURE = "export_report.json", "export_report.png"
ERRORS = "quantization_errors.csv"  # of an int8 file that loses too much


class Report(Protocol):
    """What a domain makes of the rows of its files."""

    @property
    def failures(self) -> list[str]:
        """What is wrong, a sentence a file that begins with the format."""
        ...

    def save(self, folder: Path) -> None:
        """Write `export_report.json` and `export_report.png`."""


class ExportError(RuntimeError):
    """An exported file does not answer as it should.

    Attributes:
        report: the whole report; None for a file that could not be run at all.
    """

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


def files_table(
    rows: Mapping[str, Mapping[str, Any]], measures: Mapping[str, str]
) -> pd.DataFrame:
    """A row for each format, with its numbers in units that a reader compares.

    Args:
        rows: what was judged and measured of each.
        measures: key in the rows, by heading, of what the domain judges by, which not
            all need to have.
    """
    found = []
    for name, row in rows.items():
        two = row["latency"]["2 threads"]
        batch = row["latency"]["1 thread"]
        found.append(
            {"format": name, "MB": row["bytes"] / 1e6}
            | {heading: row.get(key) for heading, key in measures.items()}
            | {
                "p50 ms": row["p50_ms"],
                "p95 ms": row["p95_ms"],
                "2 threads": two["1"]["p50_ms"],
                "batch of 8": batch.get("8", {}).get("p50_ms"),
            }
        )
    return pd.DataFrame(found)


def save_rows(
    rows: Mapping[str, Mapping[str, Any]], folder: Path, measure: str, sample: str
) -> None:
    """Write `export_report.json` and `export_report.png`.

    Args:
        rows: by format.
        folder: where to write.
        measure: key in the rows of the number that stands behind a format's name.
        sample: what a sample is called.
    """
    write_json(folder / REPORT, rows)
    plots.save_scatter(
        [f"{name} ({row[measure]:.3f})" for name, row in rows.items()],
        [row["p50_ms"] for row in rows.values()],
        [row["bytes"] / 1e6 for row in rows.values()],
        folder / PICTURE,
        xlabel=f"milliseconds for one {sample} on one thread (median)",
        ylabel=f"size in MB, and {measure} behind the name",
    )
