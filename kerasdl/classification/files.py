"""Files of a classifier of pictures, with the names of its classes."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from kerasdl._checks import check_one_of, check_suffix, check_writable
from kerasdl._file_names import LABELS
from kerasdl._pixels import check_pixels
from kerasdl.artefacts import (
    QUANTIZE,
    Arrays,
    Input,
    operator_errors,
    save_inference_model,
    worst_tensors,
    write_onnx,
    write_saved_model,
    write_tflite,
)
from kerasdl.data.graph_decode import RESIZE, graph_decode

from .pixel_model import pixel_signature
from .tflite_labels import with_labels


def save_tflite(
    model: keras.Model,
    path: str | Path,
    quantize: str | None = None,
    calibration: np.ndarray | None = None,
    class_names: Sequence[str] | None = None,
    *,
    keep_float: Sequence[str] = (),
    select_tf_ops: bool = False,
) -> None:
    """Write a trained model as a `.tflite` file, whole or not at all.

    The file takes one picture, uint8 `(1, height, width, 3)`, and returns what the
    model returns for it: in float32, or with "int8" in uint8, to be multiplied by the
    scale that the file gives for its output (1/256 for softmax and sigmoid). An int8
    file has answered photos of the calibration as the model does before it is written.

    Args:
        model: functional or Sequential, of Keras's own layers, with one input of
            `(batch, height, width, 3)` whose height and width are fixed.
        path: the file, ending in `.tflite`.
        quantize: None; "float16" for weights of half the bytes; "dynamic" for int8
            weights; "int8" for int8 weights and activations.
        calibration: for "int8": pixels `(n, height, width, 3)` in [0, 255] of photos of
            all classes, on which the ranges of the activations are found; a hundred
            are enough.
        class_names: in output order; in the file's metadata then, and in a `labels.txt`
            that can be unzipped from it.
        keep_float: for "int8": names of the tensors, as `quantization_errors` has them,
            that stay float32, with weights in float16.
        select_tf_ops: let operations in that only TensorFlow itself can run: the plain
            interpreter then refuses the file.

    Raises:
        ValueError: an argument is none of these, `model` is not such a model, or it has
            operations that the converter or the plain interpreter cannot take.

    Example:
        ```
        kd.export.save_tflite(model, "model.tflite", class_names=data.class_names)
        ```
    """
    check_writable("path", check_suffix("path", path, ".tflite"))
    signature = pixel_signature(model, class_names)
    samples = None
    if quantize == "int8":
        samples = _samples(calibration, signature.inputs["pixels"])
    finish = None
    if class_names is not None:
        finish = partial(with_labels, class_names=class_names, name=model.name)
    write_tflite(
        model,
        path,
        signature,
        quantize,
        samples,
        keep_float=keep_float,
        select_tf_ops=select_tf_ops,
        finish=finish,
    )


def save_onnx(
    model: keras.Model, path: str | Path, class_names: Sequence[str] | None = None
) -> None:
    """Write a trained model as an `.onnx` file, whole or not at all.

    The file takes `pixels`, uint8 `(batch, height, width, 3)`, and returns
    `probabilities`, float32. ONNX Runtime has run it before it is written.

    Args:
        model: as `save_tflite` takes it.
        path: the file, ending in `.onnx`.
        class_names: in output order; in the file's metadata then, as a JSON list under
            `class_names`.

    Raises:
        ImportError: the extra `export` is not installed.
        ValueError: `path` ends otherwise, `model` is not such a model, or ONNX Runtime
            cannot load what was made of it.
    """
    check_writable("path", check_suffix("path", path, ".onnx"))
    signature = pixel_signature(model, class_names)
    metadata = None
    if class_names is not None:
        metadata = {"class_names": json.dumps(list(class_names))}
    write_onnx(model, path, signature, metadata)


def save_saved_model(
    model: keras.Model,
    path: str | Path,
    class_names: Sequence[str],
    resize: str = "crop",
    *,
    overwrite: bool = False,
) -> None:
    """Write a trained model as a SavedModel folder, whole or not at all.

    Its signatures return `probabilities`, float32 `(batch, classes)`, and take

    - `serve` (and the default one): `pixels`, uint8 `(batch, height, width, 3)`;
    - `serve_bytes`: `images`, strings `(batch,)`, each a JPEG or PNG file of at most
      64 million pixels, which is decoded (not turned by its EXIF data) and resized
      inside.

    `assets/labels.txt` has the class names, one a line, in output order.

    Args:
        model: as `save_tflite` takes it.
        path: the folder.
        class_names: in output order.
        resize: "crop", "squash" or "pad", the rule of the training.
        overwrite: replace a SavedModel at `path`.

    Raises:
        ValueError: an argument is none of these, or `path` exists.
    """
    check_one_of("resize", resize, RESIZE)
    signature = pixel_signature(model, class_names)
    height, width, _ = signature.inputs["pixels"].shape
    write_saved_model(
        model,
        path,
        signature,
        assets={LABELS: "\n".join(class_names)},
        entries={"serve_bytes": partial(_bytes_entry, (height, width), resize)},
        overwrite=overwrite,
    )


def quantization_errors(model: keras.Model, calibration: np.ndarray) -> pd.DataFrame:
    """Compare each operator's int8 output with what it gives in float32.

    Args:
        model: as `save_tflite` takes it.
        calibration: as `save_tflite` takes it.

    Returns:
        A row for each operator, the worst first: `operator`, `tensor` (the name of its
        output, by which `save_tflite(keep_float=...)` of the same model knows it),
        `values`, `rmse` and `max_error` (in units of the output), `scale` (a step of
        int8) and `steps` (`rmse / scale`; rounding alone gives 0.29).

    Raises:
        ValueError: as by `save_tflite`.
    """
    signature = pixel_signature(model)
    samples = _samples(calibration, signature.inputs["pixels"])
    return operator_errors(model, signature, samples)


def write_format(
    name: str,
    model: keras.Model,
    path: Path,
    class_names: Sequence[str],
    resize: str,
    calibration: np.ndarray | None,
    errors: Callable[[], pd.DataFrame] | None,
) -> None:
    """Write `model` to `path` in one of the formats of `artefacts.FILES`.

    Args:
        name: the format.
        model: as `save_tflite` takes it.
        path: file or folder.
        class_names: in output order.
        resize: as in `save_saved_model`.
        calibration: as in `save_tflite`, of formats in int8.
        errors: gives what each operator loses in int8, for "tflite_mixed"; None where
            no format is in int8.
    """
    if name == "keras":
        save_inference_model(model, path)
    elif name == "saved_model":
        save_saved_model(model, path, class_names, resize)
    elif name == "onnx":
        save_onnx(model, path, class_names)
    else:
        keep_float: Sequence[str] = ()
        if name == "tflite_mixed" and errors is not None:
            keep_float = worst_tensors(errors())
        save_tflite(
            model,
            path,
            QUANTIZE[name],
            calibration,
            class_names,
            keep_float=keep_float,
        )


def _samples(pixels: np.ndarray | None, spec: Input) -> Arrays:
    """Photos for the ranges of int8, checked."""
    is_array = isinstance(pixels, np.ndarray)
    if (
        not is_array
        or pixels.shape[1:] != tuple(spec.shape)
        or len(pixels) < 2
        or pixels.min() == pixels.max()
    ):
        received = repr(pixels)
        if is_array and pixels.size:
            received = f"an array {pixels.shape} from {pixels.min()} to {pixels.max()}"
        raise ValueError(
            f"`calibration` must be pixels (n, {', '.join(map(str, spec.shape))}) in "
            f"[0, 255] of photos of all classes for int8. Received: {received}"
        )
    check_pixels("calibration", pixels)
    return {"pixels": pixels}


def _bytes_entry(image_size: tuple[int, int], resize: str, serve: Any) -> Any:
    """`serve` for encoded images."""
    spec = tf.TensorSpec((*image_size, 3), tf.uint8)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="images")])
    def serve_bytes(images: Any) -> dict[str, Any]:
        decode = partial(graph_decode, image_size=image_size, resize=resize)
        return serve(tf.map_fn(decode, images, fn_output_signature=spec))

    return serve_bytes
