"""An `.onnx` file of a model."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasdl._atomic import write_bytes
from kerasdl._checks import check_suffix, check_writable
from kerasdl._optional import require
from kerasdl.runtime import silenced

from ._own_process import convert_guarded
from .signature import Signature, as_module

OPSET = 18


def write_onnx(
    model: keras.Model,
    path: str | Path,
    signature: Signature,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a trained model as an `.onnx` file, whole or not at all.

    ONNX Runtime has run it before it is written.

    Args:
        model: functional or Sequential, of Keras's own layers.
        path: the file, ending in `.onnx`.
        signature: what the file takes, in batches of any size, and returns.
        metadata: texts by name to write into the file.

    Raises:
        ImportError: the extra `export` is not installed.
        ValueError: `path` ends otherwise, `signature` is not one of `model`, or ONNX
            Runtime cannot load what was made of it.
    """
    check_writable("path", check_suffix("path", path, ".onnx"))
    signature.check(model)
    require("tf2onnx", "export")
    require("onnxruntime", "export")
    module = as_module(model, signature)
    convert = partial(_to_onnx, metadata=dict(metadata or {}))
    write_bytes(path, convert_guarded(module, convert, in_float32=True))


def _to_onnx(folder: str, metadata: dict[str, str]) -> bytes:
    """Convert the SavedModel in `folder`; ONNX Runtime has run what comes of it."""
    import onnxruntime
    import tf2onnx

    module = tf.saved_model.load(folder)  # its functions keep no variables alive
    serve = module.serve
    with silenced():
        proto, _ = tf2onnx.convert.from_function(
            serve, input_signature=serve.input_signature, opset=OPSET
        )
    for key, value in metadata.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    content = proto.SerializeToString()
    try:
        session = onnxruntime.InferenceSession(
            content, providers=["CPUExecutionProvider"]
        )
        zeros = {
            spec.name: np.zeros((1, *spec.shape[1:]), spec.dtype.as_numpy_dtype)
            for spec in serve.input_signature
        }
        session.run(None, zeros)
    except Exception as error:  # of a class that is not public
        raise ValueError(
            "`model` must have operations that ONNX Runtime can run. Received: "
            f"{str(error).splitlines()[0]}"
        ) from error
    return content
