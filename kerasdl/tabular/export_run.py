"""Files of a finished run of a table, each proved on the run's own check rows."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf

from kerasdl.artefacts import (
    check_formats,
    export_proved,
    run_onnx,
    run_saved_model,
    run_tflite,
)
from kerasdl.models import load_model
from kerasdl.runs import read_run

from .data import CATEGORIES, NUMBERS
from .files import (
    TABLES,
    input_names,
    read_tables,
    save_inference_model,
    save_onnx,
    save_saved_model,
    save_tables,
    save_tflite,
)
from .predictor import TASK, frame_of_rows, raw_rows
from .raw_model import network_of
from .run_files import CHECK_ROWS

FORMATS = ("keras", "saved_model", "tflite", "onnx")
_WRITERS = {
    "keras": save_inference_model,
    "saved_model": save_saved_model,
    "tflite": save_tflite,
    "onnx": save_onnx,
}


def export_run(
    run: str | Path,
    formats: Sequence[str] = FORMATS,
    out: str | Path | None = None,
    *,
    overwrite: bool = False,
) -> pd.DataFrame:
    """Write files of a run into a folder that is there once all answer alike.

    Args:
        run: its folder.
        formats: of `FORMATS`.
        out: the folder; None is `RUN/export`.
        overwrite: replace an existing export.

    Returns:
        By format: `file`, `megabytes`, and `difference`, the largest one of an answer
        to the check rows, as a share of the largest answer.

    Raises:
        ValueError: an argument is none of these.
        ImportError: the extra `export` is not installed.
        ExportError: a file cannot be written or run, or answers otherwise.
    """
    info = read_run(run)
    info.of_task({TASK: True})
    check_formats(formats, FORMATS)
    columns, target = read_tables(info.path / TABLES)
    checked = json.loads((info.path / CHECK_ROWS).read_text(encoding="utf-8"))
    expected = np.array(checked.pop("prediction")).reshape(-1, target.num_outputs)
    values = zip(*checked.values(), strict=True)
    rows = [dict(zip(checked, row, strict=True)) for row in values]
    frame = frame_of_rows(rows, columns)
    codes, numbers = columns.encode(frame)
    network = network_of(load_model(info.model_path))
    taken = {tensor.name for tensor in network.inputs}
    encoded = {CATEGORIES: codes, NUMBERS: numbers}
    encoded = {name: array for name, array in encoded.items() if name in taken}
    raw = raw_rows(frame, columns)

    def answers(name: str, path: Path) -> np.ndarray:
        if name == "keras":
            tensors = {key: tf.constant(value) for key, value in raw.items()}
            return load_model(path).predict_on_batch(tensors)
        if name == "saved_model":
            names = input_names(columns.names)
            by_input = {names[key]: value for key, value in raw.items()}
            return run_saved_model(path)(by_input)["prediction"]
        run_file = run_onnx(path) if name == "onnx" else run_tflite(path, 1)
        return run_file(encoded)["prediction"]

    return export_proved(
        Path(out) if out else info.path / "export",
        writers={
            name: lambda path, write=_WRITERS[name]: write(
                network, path, columns, target
            )
            for name in formats
        },
        answer=answers,
        expected=expected,
        what="rows",
        beside={TABLES: partial(save_tables, columns=columns, target=target)},
        scale=np.abs(expected).max(),
        overwrite=overwrite,
    )
