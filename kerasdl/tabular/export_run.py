"""Files of a finished run of a table, each proved on the run's own check rows."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf

from kerasdl._atomic import write_json
from kerasdl._atomic_folder import (
    check_free,
    check_name,
    claimed,
    empty_partial,
    publish,
)
from kerasdl._checks import check_one_of
from kerasdl.artefacts import FILES, run_onnx, run_saved_model, run_tflite
from kerasdl.models import load_model
from kerasdl.runs import read_run

from .data import CATEGORIES, NUMBERS
from .files import (
    TABLES,
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
REPORT = "export_report.json"
_ALLOWED = 1e-4  # difference of an answer, as a share of the largest
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
        ValueError: an argument is none of these, or a file answers otherwise.
    """
    info = read_run(run)
    info.of_task({TASK: True})
    for name in formats:
        check_one_of("formats", name, FORMATS)
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
            return run_saved_model(path)(raw)["prediction"]
        run_file = run_onnx(path) if name == "onnx" else run_tflite(path, 1)
        return run_file(encoded)["prediction"]

    out = Path(out) if out else info.path / "export"
    check_name(out)
    table = {}
    with claimed(out):
        check_free(out, REPORT, overwrite)
        folder = empty_partial(out, (*FILES.values(), TABLES, REPORT))
        save_tables(folder / TABLES, columns, target)
        for name in formats:
            path = folder / FILES[name]
            _WRITERS[name](network, path, columns, target)
            off = np.abs(answers(name, path) - expected).max()
            table[name] = {
                "file": FILES[name],
                "megabytes": _size(path) / 1e6,
                "difference": float(off / np.abs(expected).max()),
            }
            if not table[name]["difference"] <= _ALLOWED:
                raise ValueError(
                    f"`{name}` must answer the check rows as the run does. Received: a "
                    f"difference of {table[name]['difference']:.3g}. Kept {folder}."
                )
        write_json(folder / REPORT, {"rows": len(frame), "formats": table})
        publish(out)
    return pd.DataFrame.from_dict(table, orient="index").rename_axis("format")


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
