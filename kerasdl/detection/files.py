"""What leaves: files of a detector that take pixels and answer with boxes."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasdl import artefacts
from kerasdl._checks import check_one_of
from kerasdl._file_names import LABELS
from kerasdl.artefacts import Input, Signature
from kerasdl.data.graph_decode import RESIZE, graph_decode, graph_size

# Boxes of hardly different scores change places.
COMPARED = ("scores",)


def signature(model: keras.Model) -> Signature:
    """What the files of a model of final answers take and return."""
    names = tuple(sorted(model.output))  # Keras orders a dict by its keys
    return Signature({"pixels": Input(tuple(model.input_shape[1:]), "float32")}, names)


def save_tflite(
    model: keras.Model,
    path: str | Path,
    quantize: str | None = None,
    calibration: np.ndarray | None = None,
) -> None:
    """Write a `.tflite` file of built-in operators that answers one picture.

    With "int8" the last convolutions and what follows stay float32: of boxes in steps
    of an int8 nothing would be left. Of two stages all that the second computes does.

    Args:
        model: as `with_answers` makes it.
        path: the file.
        quantize: None; "float16" for weights of half the bytes; "dynamic" for int8
            weights; "int8" for int8 weights and activations.
        calibration: for "int8": pixels `(n, height, width, 3)` in [0, 255] of photos.
    """
    is_int8 = quantize == "int8"
    artefacts.write_tflite(
        model,
        path,
        signature(model),
        quantize,
        {"pixels": calibration} if is_int8 and calibration is not None else None,
        keep_float=artefacts.after_convolutions if is_int8 else (),
        compared=COMPARED,
    )


def save_onnx(
    model: keras.Model, path: str | Path, class_names: Sequence[str] | None = None
) -> None:
    """Write an `.onnx` file that answers pictures in batches of any size.

    Args:
        model: as `with_answers` makes it.
        path: the file.
        class_names: in the file's metadata then, as a JSON list under `class_names`.
    """
    metadata = None
    if class_names is not None:
        metadata = {"class_names": json.dumps(list(class_names))}
    artefacts.write_onnx(model, path, signature(model), metadata)


def save_saved_model(
    model: keras.Model,
    path: str | Path,
    class_names: Sequence[str],
    resize: str = "pad",
    *,
    overwrite: bool = False,
) -> None:
    """Write a SavedModel folder, whole or not at all.

    Its signatures return the same answers, and take

    - `serve` (and the default one): `pixels`, float32 `(batch, height, width, 3)`;
      boxes are in their pixels;
    - `serve_bytes`: `images`, strings `(batch,)`, each a JPEG or PNG file of at most
      64 million pixels, which is decoded (not turned by its EXIF data) and resized
      inside; boxes are in pixels of each photo, masks in those of the model's picture.

    `assets/labels.txt` has the class names, one a line.

    Args:
        model: as `with_answers` makes it.
        path: the folder.
        class_names: in the order of the model's classes.
        resize: "crop", "squash" or "pad", the rule of the training.
        overwrite: replace a SavedModel at `path`.

    Raises:
        ValueError: an argument is none of these, or `path` exists.
    """
    check_one_of("resize", resize, RESIZE)
    artefacts.write_saved_model(
        model,
        path,
        signature(model),
        assets={LABELS: "\n".join(class_names)},
        entries={
            "serve_bytes": partial(_bytes_entry, model.input_shape[1:3], resize),
        },
        overwrite=overwrite,
    )


def _bytes_entry(image_size: tuple[int, int], resize: str, serve: Any) -> Any:
    """`serve` for encoded images, with boxes in the pixels of each."""
    pixels = tf.TensorSpec((*image_size, 3), tf.uint8)
    sides = tf.TensorSpec((2,), tf.int64)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="images")])
    def serve_bytes(images: Any) -> dict[str, Any]:
        decode = partial(graph_decode, image_size=image_size, resize=resize)
        decoded = tf.map_fn(decode, images, fn_output_signature=pixels)
        sizes = tf.map_fn(graph_size, images, fn_output_signature=sides)
        found = dict(serve(tf.cast(decoded, tf.float32)))
        found["boxes"] = _in_photos(found["boxes"], sizes, image_size, resize)
        return found

    return serve_bytes


def _in_photos(boxes: Any, sizes: Any, image_size: tuple[int, int], resize: str) -> Any:
    """Boxes `(batch, n, 4)` in views, in photos of (height, width) `(batch, 2)`."""
    sides = tf.cast(sizes, tf.float32)[:, ::-1]  # (width, height)
    view = tf.constant(image_size[::-1], tf.float32)
    scale = view / sides
    if resize != "squash":
        choose = tf.reduce_min if resize == "pad" else tf.reduce_max
        scale = choose(scale, axis=1, keepdims=True) * tf.ones_like(scale)
    begin = (view - scale * sides) / 2
    twice = [tf.concat([part, part], axis=1)[:, None] for part in (begin, scale, sides)]
    moved = (boxes - twice[0]) / twice[1]
    return tf.clip_by_value(moved, 0.0, twice[2])
