"""Files of a run in a folder, each proved on answers that the run has kept."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasdl._atomic import write_json
from kerasdl._atomic_folder import (
    check_free,
    check_name,
    claimed,
    empty_partial,
    publish,
)

from .files_report import REPORT, ExportError
from .formats import FILES

_ALLOWED = 1e-4  # difference, as a share of the scale


def export_proved(
    out: Path,
    *,
    writers: Mapping[str, Callable[[Path], Any]],
    answer: Callable[[str, Path], np.ndarray],
    expected: np.ndarray,
    what: str,
    beside: Mapping[str, Callable[[Path], Any]],
    scale: float = 1.0,
    overwrite: bool = False,
) -> pd.DataFrame:
    """Write files into a folder that is there once all answer alike.

    Args:
        out: the folder.
        writers: of a file at a path, by format, one of `FILES`.
        answer: from a format and its file to answers, as `expected` has them.
        expected: answers of the run, a row for each sample.
        what: the samples are, such as "rows".
        beside: writers of further files, of what these do not hold, by name.
        scale: of which a difference is a share.
        overwrite: replace an existing folder.

    Returns:
        By format: `file`, `megabytes` and `difference`.

    Raises:
        ValueError: the folder exists.
        ImportError: a package is not installed.
        ExportError: a file cannot be written or run, or answers otherwise; what was
            written stays in `<out>.partial`.
    """
    check_name(out)
    table = {}
    with claimed(out):
        check_free(out, REPORT, overwrite)
        folder = empty_partial(out, (*FILES.values(), *beside, REPORT))
        for name, write in beside.items():
            write(folder / name)
        for name, write in writers.items():
            path = folder / FILES[name]
            try:
                write(path)
                off = float(np.abs(answer(name, path) - expected).max() / scale)
            except (OSError, MemoryError, ImportError):
                raise
            # Those of ONNX Runtime and LiteRT are not public.
            except Exception as error:
                text = str(error).rstrip(".")
                raise ExportError(f"{name}: {text}. Kept {folder}.") from error
            table[name] = {
                "file": FILES[name],
                "megabytes": _size(path) / 1e6,
                "difference": off,
            }
            if not off <= _ALLOWED:
                raise ExportError(
                    f"`{name}` must answer the check {what} as the run does. Received: "
                    f"a difference of {off:.3g}. Kept {folder}."
                )
        write_json(folder / REPORT, {what: len(expected), "formats": table})
        publish(out)
    return pd.DataFrame.from_dict(table, orient="index").rename_axis("format")


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
