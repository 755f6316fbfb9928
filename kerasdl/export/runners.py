"""Exported files as functions from pixels to probabilities."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasdl._optional import require
from kerasdl.models import load_model

Runner = Callable[[np.ndarray], np.ndarray]


def run_keras(path: Path) -> Runner:
    """A `.keras` file: pixels `(n, height, width, 3)` to probabilities."""
    model = load_model(path)
    return lambda pixels: model.predict_on_batch(pixels.astype("float32"))


def run_saved_model(path: Path) -> Runner:
    """The signature `serve` of a SavedModel."""
    serve = tf.saved_model.load(str(path)).signatures["serve"]
    return lambda pixels: serve(pixels=tf.constant(pixels))["probabilities"].numpy()


def run_onnx(path: Path, num_threads: int = 0) -> Runner:
    """An `.onnx` file; 0 threads are as many as there are cores."""
    runtime = require("onnxruntime", "export")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = num_threads
    session = runtime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"]
    )
    return lambda pixels: session.run(["probabilities"], {"pixels": pixels})[0]


def run_tflite(path: Path, num_threads: int, batch_size: int = 1) -> Runner:
    """A `.tflite` file, which takes `batch_size` pictures at a time.

    Args:
        path: the file.
        num_threads: threads of the interpreter.
        batch_size: pictures that it computes at once.

    Raises:
        RuntimeError: it cannot take so many at once, or has operations that only
            TensorFlow itself can run.
    """
    litert = require("ai_edge_litert.interpreter", "export")
    interpreter = litert.Interpreter(str(path), num_threads=num_threads)
    (taken,), (given,) = (
        interpreter.get_input_details(),
        interpreter.get_output_details(),
    )
    if batch_size > 1:
        shape = (batch_size, *taken["shape"][1:])
        interpreter.resize_tensor_input(taken["index"], shape, strict=False)
    interpreter.allocate_tensors()
    scale, zero = given["quantization"]

    def run(pixels: np.ndarray) -> np.ndarray:
        outputs = []
        for start in range(0, len(pixels), batch_size):
            interpreter.set_tensor(taken["index"], pixels[start : start + batch_size])
            interpreter.invoke()
            outputs.append(interpreter.get_tensor(given["index"]))
        stack = np.concatenate(outputs)
        return (stack.astype("float32") - zero) * scale if scale else stack

    return run
