"""Bytes, operators and times of exported files."""

from collections import Counter
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import ExifTags, Image

from kerasdl._layer_walks import layers_in_order
from kerasdl._optional import require
from kerasdl.data import ImageData
from kerasdl.predict.predict_split import photos_in_order, read_rows

from .formats import FILES, QUANTIZE
from .latency import BATCH_SIZES, bare_process, onnx_latency, tflite_latency
from .tflite_file import operators

_SAME = 1e-4  # by which a process of its own may answer otherwise
# What resizing by TensorFlow instead of OpenCV may change of a probability, in the
# mean of some photos: a wrong one changes far more.
_RESIZED = 0.1


def measure(
    rows: dict[str, dict[str, Any]],
    model: keras.Model,
    folder: Path,
    check: ImageData,
    split: str,
) -> None:
    """Add what each file of `folder` is like to its row.

    `bytes`; `operators`, their number by name; `latency`, by threads and by pictures in
    a batch; `p50_ms` and `p95_ms`, those of one picture on one thread. The Keras file
    is run by `predict_on_batch`; its `predict_ms` is the median of `predict`, its
    operators are layers. `serve_bytes_difference` is the mean one of a probability when
    the SavedModel gets image files of the split as they are.

    Raises:
        ValueError: a process without kerasdl cannot load a file, or gets other answers.
    """
    pixels = first_pixels(check, split)
    files, resized = [], None
    if "saved_model" in rows:
        files, resized = _image_files(check, split)
    by_way, answers = {}, {}
    if rows.keys() & {"keras", "saved_model"}:
        print("measuring keras, saved_model", flush=True)
        paths = (
            folder / FILES[name] if name in rows else None
            for name in ("keras", "saved_model")
        )
        by_way, answers = bare_process(*paths, pixels, files)
    if by_files := answers.pop("files", None):
        expected = model.predict_on_batch(resized)
        difference = float(np.abs(np.array(by_files) - expected).mean())
        rows["saved_model"]["serve_bytes_difference"] = difference
        if not difference <= _RESIZED:
            raise ValueError(f"serve_bytes answers {len(files)} photos otherwise")
    expected = model.predict_on_batch(pixels.astype("float32"))
    for way, outputs in answers.items():
        if not np.allclose(outputs, expected, atol=_SAME):
            raise ValueError(f"{way} answers otherwise without kerasdl")
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
                row["latency"] = tflite_latency(path, pixels)
                row["operators"] = dict(Counter(operators(path.read_bytes())))
            else:
                row["latency"] = onnx_latency(path, pixels)
                nodes = require("onnx", "export").load(path).graph.node
                row["operators"] = dict(Counter(node.op_type for node in nodes))
        row |= row["latency"]["1 thread"]["1"]


def first_pixels(check: ImageData, split: str) -> np.ndarray:
    """Photos of a split's beginning, again if they are few: as many as a batch has."""
    photos = photos_in_order(check, split)
    read = (read_rows(photos, 0, index) for index in range(photos.stream.num_batches))
    pixels = next(images for rows, images in read if len(rows))
    pixels = np.clip(np.rint(pixels), 0, 255).astype("uint8")
    return np.resize(pixels, (max(BATCH_SIZES), *pixels.shape[1:]))


def _image_files(check: ImageData, split: str) -> tuple[list[str], np.ndarray]:
    """JPEG and PNG files among the first photos, and their pixels as resized here.

    Those that are turned by EXIF data are left out: TensorFlow does not turn them.
    """
    photos = photos_in_order(check, split)
    rows, pixels = read_rows(photos, 0, 0)
    places = []
    for place, picture in enumerate(photos.pictures[row] for row in rows):
        if not isinstance(picture, str):
            continue
        with Image.open(picture) as image:
            upright = image.getexif().get(ExifTags.Base.Orientation, 1) == 1
            if image.format in ("JPEG", "PNG") and upright:
                places.append(place)
    places = places[: max(BATCH_SIZES)]
    return [photos.pictures[rows[place]] for place in places], pixels[places]


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
