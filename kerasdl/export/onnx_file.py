"""An `.onnx` file that takes the pixels of pictures."""

import json
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasdl._atomic import write_bytes
from kerasdl._checks import check_suffix, check_writable
from kerasdl._optional import require
from kerasdl.runtime import silenced

from ._own_process import convert_guarded
from .pixel_function import check_pixel_model, pixel_module

OPSET = 18


def save_onnx(
    model: keras.Model, path: str | Path, class_names: Sequence[str] | None = None
) -> None:
    """Write a trained model as an `.onnx` file, whole or not at all.

    The file takes `pixels`, uint8 `(batch, height, width, 3)`, and returns
    `probabilities`, float32. ONNX Runtime has run it before it is written.

    Args:
        model: functional or Sequential, of Keras's own layers, with one input of
            `(batch, height, width, 3)` whose height and width are fixed.
        path: the file, ending in `.onnx`.
        class_names: in output order; in the file's metadata then, as a JSON list under
            `class_names`.

    Raises:
        ImportError: the extra `export` is not installed.
        ValueError: `path` ends otherwise, `model` is not such a model, or ONNX Runtime
            cannot load what was made of it.
    """
    check_writable("path", check_suffix("path", path, ".onnx"))
    check_pixel_model(model, class_names)
    require("tf2onnx", "export")
    require("onnxruntime", "export")
    content = convert_guarded(pixel_module(model), _to_onnx, class_names)
    write_bytes(path, content)


def _to_onnx(folder: str, class_names: Sequence[str] | None) -> bytes:
    """Convert the SavedModel in `folder`; ONNX Runtime has run what comes of it."""
    import onnxruntime
    import tf2onnx

    module = tf.saved_model.load(folder)  # its functions keep no variables alive
    serve = module.serve
    (spec,) = serve.input_signature
    with silenced():
        proto, _ = tf2onnx.convert.from_function(
            serve, input_signature=serve.input_signature, opset=OPSET
        )
    if class_names is not None:
        entry = proto.metadata_props.add()
        entry.key, entry.value = "class_names", json.dumps(list(class_names))
    content = proto.SerializeToString()
    try:
        session = onnxruntime.InferenceSession(
            content, providers=["CPUExecutionProvider"]
        )
        session.run(None, {"pixels": np.zeros((1, *spec.shape[1:]), "uint8")})
    except Exception as error:  # of a class that is not public
        raise ValueError(
            "`model` must have operations that ONNX Runtime can run. Received: "
            f"{str(error).splitlines()[0]}"
        ) from error
    return content
