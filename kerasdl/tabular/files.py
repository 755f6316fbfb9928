"""What leaves: files of a trained network of tables, and its tables as JSON."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from kerasdl import artefacts
from kerasdl._atomic import write_json
from kerasdl.artefacts import Input, Signature

from .columns import Columns
from .raw_model import with_own_unit, with_raw_columns
from .target import Target

TABLES = "tables.json"
_LEGAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.]*")


def save_inference_model(
    model: keras.Model, path: str | Path, columns: Columns, target: Target
) -> None:
    """Write a `.keras` file that takes raw columns and answers in the target's unit.

    See `with_raw_columns`; it loads in plain Keras.

    Args:
        model: takes what `TableData` gives.
        path: the file.
        columns: of that data.
        target: of that data.
    """
    artefacts.save_inference_model(with_raw_columns(model, columns, target), path)


def save_saved_model(
    model: keras.Model,
    path: str | Path,
    columns: Columns,
    target: Target,
    *,
    overwrite: bool = False,
) -> None:
    """Write a SavedModel whose signature takes the raw columns.

    Their names are those of `input_names`, since TensorFlow does not take all.

    Args:
        model: takes what `TableData` gives.
        path: the folder.
        columns: of that data.
        target: of that data.
        overwrite: replace a SavedModel at `path`.
    """
    raw = with_raw_columns(model, columns, target)
    artefacts.write_saved_model(raw, path, raw_signature(raw), overwrite=overwrite)


def save_tflite(
    model: keras.Model,
    path: str | Path,
    columns: Columns,
    target: Target,
    raw: bool = False,
) -> None:
    """Write a `.tflite` file.

    Args:
        model: takes what `TableData` gives.
        path: the file. It takes one encoded row, "categories" and "numbers", as
            tables.json beside it says; `save_tables` writes that.
        columns: of that data.
        target: of that data.
        raw: take the raw columns instead. Text then needs TensorFlow's own operations
            (Flex), which the plain interpreter does not have.
    """
    if raw:
        whole = with_raw_columns(model, columns, target)
        signature = raw_signature(whole)
        artefacts.write_tflite(whole, path, signature, select_tf_ops=True)
        return
    whole = with_own_unit(model, target)
    artefacts.write_tflite(whole, path, encoded_signature(whole))


def save_onnx(
    model: keras.Model, path: str | Path, columns: Columns, target: Target
) -> None:
    """Write an `.onnx` file of encoded rows, as `save_tflite` does.

    Its metadata holds what is in tables.json, under the name "tables".

    Args:
        model: takes what `TableData` gives.
        path: the file.
        columns: of that data.
        target: of that data.
    """
    whole = with_own_unit(model, target)
    texts = {"tables": json.dumps(tables_json(columns, target), ensure_ascii=False)}
    artefacts.write_onnx(whole, path, encoded_signature(whole), texts)


def save_tables(path: str | Path, columns: Columns, target: Target) -> None:
    """Write vocabularies, fill values, scales, and names in a SavedModel, as JSON.

    Args:
        path: the file.
        columns: of the data.
        target: of the data.
    """
    write_json(path, tables_json(columns, target))


def tables_json(columns: Columns, target: Target) -> dict[str, Any]:
    """What `save_tables` writes."""
    return {
        "columns": columns.to_json(),
        "target": target.to_json(),
        "inputs": input_names(columns.names),
    }


def input_names(names: Sequence[str]) -> dict[str, str]:
    """What each column is called in the signature of a SavedModel.

    TensorFlow takes names of letters of ASCII, digits, "_" and "."; of two that differ
    in capitals alone it takes one. In any other name "_" stands for what it does not
    take, and a number behind it tells it from the rest.

    Args:
        names: of columns.
    """
    taken = {"self"}  # which is TensorFlow's own
    found = {}
    # Those that may stay come first; Keras has the others in an order of its own.
    for name in sorted(names, key=lambda name: (not _LEGAL.fullmatch(name), name)):
        legal = re.sub("[^A-Za-z0-9_.]", "_", name)
        base = legal if _LEGAL.fullmatch(legal) else f"column{legal}"
        legal, number = base, 1
        while legal.lower() in taken:
            number += 1
            legal = f"{base}_{number}"
        taken.add(legal.lower())
        found[name] = legal
    return {name: found[name] for name in names}


def read_tables(path: str | Path) -> tuple[Columns, Target]:
    """What `save_tables` wrote.

    Raises:
        ValueError: it is not there, or damaged.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        columns, target = found["columns"], found["target"]
        return Columns.from_json(columns), Target.from_json(target)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"`path` must be a {TABLES} as `save_tables` wrote it. Received: "
            f"path={str(path)!r} ({error})"
        ) from error


def raw_signature(model: keras.Model) -> Signature:
    """What the SavedModel of a model with raw columns takes and returns."""
    names = input_names([tensor.name for tensor in model.inputs])
    inputs = {names[tensor.name]: Input((1,), tensor.dtype) for tensor in model.inputs}
    return Signature(inputs, ("prediction",))


def encoded_signature(model: keras.Model) -> Signature:
    """What a file that takes encoded rows takes and returns."""
    inputs = {
        tensor.name: Input(tuple(tensor.shape[1:]), tensor.dtype)
        for tensor in model.inputs
    }
    return Signature(inputs, ("prediction",))
