"""How long exported files take for one sample and for a batch, by threads."""

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import _bare_process
from ._bare_process import milliseconds
from .runners import run_onnx, run_tflite
from .signature import Arrays, Signature

THREADS = (1, 2)
BATCH_SIZES = (1, 8)
SECONDS = 2.0  # of each measurement, unless that has its calls before

# A signature of a SavedModel, and what it is asked.
Call = tuple[str, Arrays]


def tflite_latency(path: Path, samples: Arrays) -> dict[str, Any]:
    """Percentiles of a `.tflite` file: `{"1 thread": {"1": {"p50_ms": ...}}}`.

    A batch size that the file cannot take is left out.

    Args:
        path: the file.
        samples: of its inputs, as many as the largest batch has.
    """
    found: dict[str, Any] = {}
    for threads in THREADS:
        times = {}
        for size in BATCH_SIZES:
            try:
                run, part = run_tflite(path, threads, size), first(samples, size)
                times[size] = milliseconds(lambda: run(part), SECONDS)  # noqa: B023
            except (RuntimeError, ValueError):
                if size == 1:
                    raise
        found[_name(threads)] = _percentiles(times)
    return found


def onnx_latency(path: Path, samples: Arrays) -> dict[str, Any]:
    """Percentiles of an `.onnx` file, as `tflite_latency` gives them."""
    found = {}
    for threads in THREADS:
        run = run_onnx(path, threads)
        times = {}
        for size in BATCH_SIZES:
            part = first(samples, size)
            times[size] = milliseconds(lambda: run(part), SECONDS)  # noqa: B023
        found[_name(threads)] = _percentiles(times)
    return found


def bare_process(
    keras_path: Path | None,
    saved_model: Path | None,
    signature: Signature,
    samples: Arrays,
    calls: Mapping[str, Call],
) -> tuple[dict[str, Any], dict[str, Arrays]]:
    """Load files in processes without kerasdl, one for each number of threads.

    TensorFlow takes the number of its threads for a whole process.

    Args:
        keras_path: a `.keras` file, or None.
        saved_model: a SavedModel folder, or None.
        signature: of both.
        samples: as many as the largest batch has.
        calls: of signatures of the SavedModel, by any name.

    Returns:
        Percentiles by way ("predict_on_batch", "predict", "saved_model"), threads and
        batch size; what "model.keras" answers for `samples`, and what each call does.

    Raises:
        ValueError: such a process cannot load a file, or the model is compiled.
    """
    found: dict[str, Any] = {}
    answers: dict[str, Any] = {}  # of Keras in order, of the others by name
    for threads in THREADS:
        answer = _ask(
            threads=threads,
            keras=keras_path and str(keras_path),
            saved_model=saved_model and str(saved_model),
            order=list(signature.inputs),
            samples=samples,
            calls=dict(calls),
            sizes=BATCH_SIZES,
            seconds=SECONDS,
        )
        if answer.get("compiled"):
            raise ValueError(f"{keras_path} must not be compiled")
        answers |= answer["answers"]
        for way, times in answer["times"].items():
            found.setdefault(way, {})[_name(threads)] = _percentiles(times)
    if "model.keras" in answers:
        outputs = zip(signature.outputs, answers["model.keras"], strict=True)
        answers["model.keras"] = dict(outputs)
    return found, answers


def first(samples: Arrays, count: int) -> Arrays:
    """The first of each array."""
    return {name: values[:count] for name, values in samples.items()}


def _ask(**asked: Any) -> dict[str, Any]:
    """Run the script; returns what it writes."""
    ended = subprocess.run(
        # Without the script's own folder on the path, whose names may be packages'.
        [sys.executable, "-P", _bare_process.__file__],
        input=pickle.dumps(asked),
        capture_output=True,
        env=os.environ | {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    if ended.returncode:
        said = ended.stderr.decode(errors="replace")
        raise ValueError(
            "Exported files must load where kerasdl cannot be imported. Received:\n"
            f"{said[-2000:]}"
        )
    return pickle.loads(ended.stdout)


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
