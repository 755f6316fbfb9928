"""Files of a model in a folder of their own, each proved on the same samples."""

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import keras
import pandas as pd

from kerasdl._atomic import write_text
from kerasdl._atomic_folder import (
    check_free,
    check_name,
    claimed,
    empty_partial,
    publish,
)

from .answers import Batch, Keep, answers
from .files_report import ERRORS, PICTURE, REPORT, ExportError, Report
from .formats import FILES, run_format
from .measurements import Entries, measure
from .operator_errors import save_worst
from .signature import Arrays, Signature, run_model

# Writes a file at a path.
Writer = Callable[[Path], None]
# From what the model says, what a file says and what is true to a row of the report.
Row = dict[str, Any]
Judge = Callable[[Arrays, Arrays, list[Any]], Row]
AnyReport = TypeVar("AnyReport", bound=Report)
_MODEL = "the Keras model"


def export_files(
    model: keras.Model,
    signature: Signature,
    out: Path,
    *,
    writers: Mapping[str, Writer],
    batches: Iterable[Batch],
    samples: Arrays,
    judge: Judge,
    conclude: Callable[[dict[str, Row], Row], AnyReport],
    texts: Mapping[str, str] | None = None,
    entries: Entries | None = None,
    errors: Callable[[], pd.DataFrame] | None = None,
    compared: Collection[str] | None = None,
    keep: Keep | None = None,
    overwrite: bool = False,
) -> AnyReport:
    """Write files, let each answer the same samples, and publish what is good.

    Nothing here knows what the arrays mean: a domain hands over what it alone knows,
    which is why there are so many arguments.

    Args:
        model: what was exported, whose answers are expected.
        signature: of it and of the files.
        out: the folder, in which nothing is until all is well.
        writers: by format, one of `FILES`.
        batches: samples with what is true of them, read once.
        samples: a few, to measure times on.
        judge: makes the row of a file.
        conclude: makes the report of the rows by format, with what was measured, and of
            the row that the model itself has.
        texts: further files by name.
        entries: how further signatures of the SavedModel are proved.
        errors: makes the `operator_errors` that explain an int8 file which fails.
        compared: outputs that must be equal in a process without kerasdl; None for all.
        keep: what is kept of outputs for the judge; see `answers`.
        overwrite: replace an existing export.

    Returns:
        The report.

    Raises:
        ExportError: a file cannot be written or run, or the report names failures; what
            was written stays in `<out>.partial`.
        ValueError: `out` is no place for a folder.
    """
    texts = texts or {}
    check_name(out)
    with claimed(out):
        check_free(out, REPORT, overwrite)
        ours = [*FILES.values(), *texts, REPORT, PICTURE, ERRORS]
        folder = empty_partial(out, ours)
        try:
            for name, write in writers.items():
                print(f"writing {FILES[name]}", flush=True)
                write(folder / FILES[name])
            for name, text in texts.items():
                write_text(folder / name, text)
            ways = {_MODEL: run_model(model, signature)}
            for name in writers:
                ways[name] = run_format(name, folder / FILES[name], signature)
            found, truth = answers(ways, batches, keep)
            expected = found.pop(_MODEL)
            rows = {name: judge(expected, found[name], truth) for name in writers}
            measure(
                rows,
                model,
                signature,
                folder=folder,
                samples=samples,
                entries=entries or Entries(),
                compared=compared,
            )
        except (OSError, MemoryError):
            raise
        except Exception as error:  # those of ONNX Runtime and LiteRT are not public
            text = str(error).rstrip(".")
            raise ExportError(f"{text}. Kept {folder}.") from error
        report = conclude(rows, judge(expected, expected, truth))
        report.save(folder)
        if report.failures:
            text = f"{'; '.join(report.failures)}. Kept {folder}."
            is_int8 = any(text.startswith("tflite_int8") for text in report.failures)
            if errors and is_int8:
                text += _advice(save_worst(errors(), folder / ERRORS))
            raise ExportError(text, report)
        publish(out)
    return report


def _advice(worst: str) -> str:
    return (
        " In int8 these lose most, in steps of their scale (rounding alone loses 0.29):"
        f"\n{worst}\nThe format tflite_mixed keeps such operators in float."
    )
