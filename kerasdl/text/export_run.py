"""Files of a finished run of texts, each proved on the run's own check texts."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from kerasdl.artefacts import (
    check_formats,
    export_proved,
    run_onnx,
    run_saved_model,
    run_tflite,
)
from kerasdl.models import load_model
from kerasdl.runs import read_run

from .files import save_inference_model, save_onnx, save_saved_model, save_tflite
from .predictor import TASK
from .run_files import CHECK_TEXTS
from .strings import network_of
from .tokenizer import FILE, pad, read_tokenizer

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
        By format: `file`, `megabytes`, and `difference`, the largest one of a
        probability of the check texts.

    Raises:
        ValueError: an argument is none of these.
        ImportError: the extra `export` is not installed.
        ExportError: a file cannot be written or run, or answers otherwise.
    """
    info = read_run(run)
    info.of_task({TASK: True})
    check_formats(formats, FORMATS)
    tokenizer, facts = read_tokenizer(info.path / FILE)
    checked = json.loads((info.path / CHECK_TEXTS).read_text(encoding="utf-8"))
    expected = np.array(checked["probability"])
    texts = np.array(checked["text"], dtype=object)
    tokens = {"tokens": pad(tokenizer.encode(texts), tokenizer.max_len)}
    network = network_of(load_model(info.model_path))

    def answers(name: str, path: Path) -> np.ndarray:
        if name == "keras":
            return load_model(path).predict(texts, verbose=0)
        if name == "saved_model":
            return run_saved_model(path)({"text": texts})["probability"]
        run_file = run_onnx(path) if name == "onnx" else run_tflite(path, 1)
        return run_file(tokens)["probability"]

    return export_proved(
        Path(out) if out else info.path / "export",
        writers={
            name: lambda path, write=_WRITERS[name]: write(network, path, tokenizer)
            for name in formats
        },
        answer=answers,
        expected=expected,
        what="texts",
        beside={FILE: partial(tokenizer.save, **facts)},
        overwrite=overwrite,
    )
