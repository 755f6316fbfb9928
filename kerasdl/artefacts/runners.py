"""Exported files as functions from named arrays to named arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kerasdl._optional import require
from kerasdl.models import load_model
from kerasdl.runtime import silenced

from .signature import Arrays, Runner, Signature, run_model


def run_keras(path: Path, signature: Signature) -> Runner:
    """A `.keras` file, which knows no names of its own."""
    return run_model(load_model(path), signature)


def run_saved_model(path: Path, entry: str = "serve") -> Runner:
    """A signature of a SavedModel."""
    loaded = tf.saved_model.load(str(path))

    def run(inputs: Arrays) -> Arrays:
        # Not its signature alone: tables of words live as long as the whole.
        serve = loaded.signatures[entry]
        found = serve(**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: tensor.numpy() for name, tensor in found.items()}

    return run


def run_onnx(path: Path, num_threads: int = 0) -> Runner:
    """An `.onnx` file; 0 threads are as many as there are cores."""
    runtime = require("onnxruntime", "export")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = num_threads
    session = runtime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, inputs), strict=True))


def run_tflite(path: Path, num_threads: int, batch_size: int = 1) -> Runner:
    """A `.tflite` file, which takes `batch_size` samples at a time.

    Args:
        path: the file.
        num_threads: threads of the interpreter.
        batch_size: samples that it computes at once.

    Raises:
        RuntimeError: it cannot take so many at once, or has operations that only
            TensorFlow itself can run.
    """
    litert = require("ai_edge_litert.interpreter", "export")
    with silenced():  # it says by which delegate it computes
        return run_interpreter(
            litert.Interpreter(str(path), num_threads=num_threads), batch_size
        )


def run_interpreter(interpreter: Any, batch_size: int = 1) -> Runner:
    """An interpreter of a `.tflite` file, LiteRT's or TensorFlow's own.

    What it returns in uint8 or int8 is multiplied by the scale the file gives.
    """
    taken, given = tensors(interpreter)
    if batch_size > 1:
        for tensor in taken.values():
            shape = (batch_size, *tensor["shape"][1:])
            interpreter.resize_tensor_input(tensor["index"], shape, strict=False)
    interpreter.allocate_tensors()

    def run(inputs: Arrays) -> Arrays:
        outputs: dict[str, list[np.ndarray]] = {name: [] for name in given}
        for start in range(0, len(next(iter(inputs.values()))), batch_size):
            for name, tensor in taken.items():
                part = inputs[name][start : start + batch_size]
                interpreter.set_tensor(tensor["index"], part)
            interpreter.invoke()
            for name, tensor in given.items():
                outputs[name].append(interpreter.get_tensor(tensor["index"]))
        whole = {}
        for name, parts in outputs.items():
            scale, zero = given[name]["quantization"]
            stack = np.concatenate(parts)
            whole[name] = (stack.astype("float32") - zero) * scale if scale else stack
        return whole

    return run


def tensors(interpreter: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Details of inputs and of outputs, by their names in the file's signature."""
    runner = interpreter.get_signature_runner()
    return runner.get_input_details(), runner.get_output_details()
