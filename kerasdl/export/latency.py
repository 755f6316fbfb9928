"""How long exported files take for one picture and for a batch, by threads."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import _bare_process
from ._bare_process import milliseconds
from .runners import run_onnx, run_tflite

THREADS = (1, 2)
BATCH_SIZES = (1, 8)


def tflite_latency(path: Path, pixels: np.ndarray) -> dict[str, Any]:
    """Percentiles of a `.tflite` file: `{"1 thread": {"1": {"p50_ms": ...}}}`.

    A batch size that the file cannot take is left out.

    Args:
        path: the file.
        pixels: uint8 `(8, height, width, 3)`.
    """
    found: dict[str, Any] = {}
    for threads in THREADS:
        times = {}
        for size in BATCH_SIZES:
            try:
                run = run_tflite(path, threads, size)
                times[size] = milliseconds(lambda: run(pixels[:size]))  # noqa: B023
            except (RuntimeError, ValueError):
                if size == 1:
                    raise
        found[_name(threads)] = _percentiles(times)
    return found


def onnx_latency(path: Path, pixels: np.ndarray) -> dict[str, Any]:
    """Percentiles of an `.onnx` file, as `tflite_latency` gives them."""
    found = {}
    for threads in THREADS:
        run = run_onnx(path, threads)
        times = {
            size: milliseconds(lambda: run(pixels[:size]))  # noqa: B023
            for size in BATCH_SIZES
        }
        found[_name(threads)] = _percentiles(times)
    return found


def bare_process(
    keras_path: Path | None,
    saved_model: Path | None,
    pixels: np.ndarray,
    files: Sequence[str],
) -> tuple[dict[str, Any], dict[str, list[list[float]]]]:
    """Load files in processes without kerasdl, one for each number of threads.

    TensorFlow takes the number of its threads for a whole process.

    Args:
        keras_path: a `.keras` file, or None.
        saved_model: a SavedModel folder, or None.
        pixels: uint8 `(n, height, width, 3)`.
        files: images, for the signature `serve_bytes` of the SavedModel.

    Returns:
        Percentiles by way ("predict_on_batch", "predict", "saved_model"), threads and
        batch size; what "model.keras" and "serve_bytes" answer for `pixels`, of which
        the latter gets PNG files; and what it answers for "files".

    Raises:
        ValueError: such a process cannot load a file, or the model is compiled.
    """
    found: dict[str, Any] = {}
    answers: dict[str, list[list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pixels.npy"
        np.save(path, pixels)
        for threads in THREADS:
            answer = _ask(
                threads=threads,
                keras=keras_path and str(keras_path),
                saved_model=saved_model and str(saved_model),
                pixels=str(path),
                files=[str(Path(file).resolve()) for file in files],
                sizes=BATCH_SIZES,
            )
            answers |= answer["answers"]
            if answer.get("compiled"):
                raise ValueError(f"{keras_path} must not be compiled")
            for way, times in answer["times"].items():
                found.setdefault(way, {})[_name(threads)] = _percentiles(times)
    return found, answers


def _ask(**asked: Any) -> dict[str, Any]:
    """Run the script; returns what it writes."""
    ended = subprocess.run(
        # Without the script's own folder on the path, whose names may be packages'.
        [sys.executable, "-P", _bare_process.__file__],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        env=os.environ | {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    if ended.returncode:
        raise ValueError(
            "Exported files must load where kerasdl cannot be imported. Received:\n"
            f"{ended.stderr[-2000:]}"
        )
    return json.loads(ended.stdout)


def _name(threads: int) -> str:
    return f"{threads} thread{'s' if threads > 1 else ''}"


def _percentiles(times: dict[Any, Sequence[float]]) -> dict[str, dict[str, float]]:
    return {
        str(size): {
            f"p{share}_ms": round(float(np.percentile(numbers, share)), 3)
            for share in (50, 95)
        }
        for size, numbers in times.items()
    }
