"""An `.onnx` file that takes the pixels of pictures."""

import json
from collections.abc import Sequence
from pathlib import Path

import keras

from kerasdl._atomic import write_bytes
from kerasdl._optional import require
from kerasdl.runtime import silenced

from .pixel_function import check_pixel_model, pixel_module

OPSET = 18


def save_onnx(
    model: keras.Model, path: str | Path, class_names: Sequence[str] | None = None
) -> None:
    """Write a trained model as an `.onnx` file, whole or not at all.

    The file takes `pixels`, uint8 `(batch, height, width, 3)`, and returns
    `probabilities`, float32. ONNX Runtime has loaded it before it is written.

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
    if Path(path).suffix != ".onnx":
        raise ValueError(f"`path` must end in .onnx. Received: path={str(path)!r}")
    check_pixel_model(model, class_names)
    tf2onnx = require("tf2onnx", "export")
    runtime = require("onnxruntime", "export")
    with silenced():
        serve = pixel_module(model).serve
        proto, _ = tf2onnx.convert.from_function(
            serve, input_signature=serve.input_signature, opset=OPSET
        )
    if class_names is not None:
        entry = proto.metadata_props.add()
        entry.key, entry.value = "class_names", json.dumps(list(class_names))
    content = proto.SerializeToString()
    try:
        runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:  # of a class that is not public
        raise ValueError(
            "`model` must have operations that ONNX Runtime can run. Received: "
            f"{str(error).splitlines()[0]}"
        ) from error
    write_bytes(path, content)
