"""Bytes, operators and times of exported files."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasdl._layer_walks import layers_in_order
from kerasdl._optional import require

from .formats import FILES, QUANTIZE
from .latency import (
    BATCH_SIZES,
    Call,
    bare_process,
    first,
    onnx_latency,
    tflite_latency,
)
from .signature import Arrays, Signature, run_model
from .tflite_file import operators

_SAME = 1e-4  # by which a process of its own may answer otherwise


@dataclass(frozen=True)
class Entries:
    """Calls of the further signatures of a SavedModel, and who judges the answers.

    Attributes:
        calls: by any name, the signature and what it is asked.
        judge: from the answers by the same names to what its row gains; raises
            ValueError where one is wrong.
    """

    calls: Mapping[str, Call] = field(default_factory=dict)
    judge: Callable[[Mapping[str, Arrays]], dict[str, Any]] = lambda answers: {}


def measure(
    rows: dict[str, dict[str, Any]],
    model: keras.Model,
    signature: Signature,
    folder: Path,
    samples: Arrays,
    entries: Entries,
    compared: Collection[str] | None = None,
) -> None:
    """Add what each file of `folder` is like to its row.

    `bytes`; `operators`, their number by name; `latency`, by threads and by samples in
    a batch; `p50_ms` and `p95_ms`, those of one sample on one thread. The Keras file is
    run by `predict_on_batch`; its `predict_ms` is the median of `predict`, its
    operators are layers.

    Raises:
        ValueError: a process without kerasdl cannot load a file, or gets other answers.
    """
    samples = enough(samples)
    by_way, answers = {}, {}
    if rows.keys() & {"keras", "saved_model"}:
        print("measuring keras, saved_model", flush=True)
        paths = {name: folder / FILES[name] if name in rows else None for name in FILES}
        by_way, answers = bare_process(
            paths["keras"], paths["saved_model"], signature, samples, entries.calls
        )
    if found := answers.pop("model.keras", None):
        expected = run_model(model, signature)(samples)
        names = expected if compared is None else compared
        check_same("model.keras", found, {name: expected[name] for name in names})
    if "saved_model" in rows:
        rows["saved_model"] |= entries.judge(answers)
    for name, row in rows.items():
        path = folder / FILES[name]
        row["bytes"] = _bytes(path)
        if name == "keras":
            row["latency"] = by_way["predict_on_batch"]
            kinds = (type(layer).__name__ for layer in layers_in_order(model))
            row["operators"] = dict(Counter(kinds))
            row["predict_ms"] = by_way["predict"]["1 thread"]["1"]["p50_ms"]
        elif name == "saved_model":
            row["latency"] = by_way["saved_model"]
            row["operators"] = _saved_model_operators(path)
        else:
            print(f"measuring {name}", flush=True)
            if name in QUANTIZE:
                row["latency"] = tflite_latency(path, samples)
                row["operators"] = dict(Counter(operators(path.read_bytes())))
            else:
                row["latency"] = onnx_latency(path, samples)
                nodes = require("onnx", "export").load(path).graph.node
                row["operators"] = dict(Counter(node.op_type for node in nodes))
        row |= row["latency"]["1 thread"]["1"]


def enough(samples: Arrays) -> Arrays:
    """The first samples, again if they are few: as many as the largest batch has."""
    count = max(BATCH_SIZES)
    some = first(samples, count)
    return {
        name: np.resize(values, (count, *values.shape[1:]))
        for name, values in some.items()
    }


def check_same(name: str, found: Arrays, expected: Arrays) -> None:
    """Raise ValueError where a process without kerasdl answers otherwise."""
    for key, wanted in expected.items():
        if not np.allclose(found[key], wanted, atol=_SAME):
            raise ValueError(f"{name} answers otherwise without kerasdl")


def _bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _saved_model_operators(path: Path) -> dict[str, int]:
    graph = tf.saved_model.load(str(path)).signatures["serve"].graph.as_graph_def()
    functions = (function.node_def for function in graph.library.function)
    names = Counter(node.op for node in graph.node)
    for nodes in functions:
        names.update(node.op for node in nodes)
    plumbing = {"Placeholder", "Const", "Identity", "NoOp", "ReadVariableOp"}
    return {name: count for name, count in names.items() if name not in plumbing}
