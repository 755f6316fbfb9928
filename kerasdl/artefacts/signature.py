"""What is exported: named arrays in, named arrays out, as one TensorFlow function."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from kerasdl._layer_walks import layers_in_order
from kerasdl.models import fold_batch_norm

from .keras_file import inference_model

Arrays = dict[str, np.ndarray]  # by name; the first axis counts samples
Runner = Callable[[Arrays], Arrays]


class Input(NamedTuple):
    """What a file takes under one name: the shape of a sample, and its dtype."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Signature:
    """What the files of a model take and return, by name.

    Attributes:
        inputs: for each of `model.inputs`, in their order. Its dtype is that of the
            files; numbers are cast to what the model takes.
        outputs: a name for each of `model.outputs`, in their order, which for a dict is
            that of its sorted keys.
    """

    inputs: Mapping[str, Input]
    outputs: tuple[str, ...]

    def check(self, model: keras.Model) -> None:
        """Raise ValueError unless it is one of `model`."""
        if not getattr(model, "inputs", None):  # subclassed, or not built
            raise ValueError(
                "`model` must be functional, or a Sequential with an Input. Received: "
                f"a {type(model).__name__} whose inputs are not known"
            )
        taken = [tuple(tensor.shape[1:]) for tensor in model.inputs]
        given = [tuple(spec.shape) for spec in self.inputs.values()]
        fits = len(taken) == len(given) and all(
            len(one) == len(other)
            and all(a in (None, b) for a, b in zip(one, other, strict=True))
            for one, other in zip(taken, given, strict=True)
        )
        if not fits or len(model.outputs) != len(self.outputs):
            raise ValueError(
                "`signature` must name each input and output of the model, with shapes "
                f"that fit. Received: inputs {given} and outputs {self.outputs} for a "
                f"model of {taken} and {len(model.outputs)} outputs"
            )

    def cast(self, inputs: Arrays, byte: str = "uint8") -> Arrays:
        """`inputs` in the dtypes of the files, but `byte` in place of uint8."""
        found = {}
        for name, spec in self.inputs.items():
            dtype = byte if spec.dtype == "uint8" else spec.dtype
            values = inputs[name]
            found[name] = (np.rint(values) if dtype == "uint8" else values).astype(
                dtype
            )
        return found


def arranged(model: keras.Model, arrays: Sequence[Any]) -> Any:
    """Arrays in the order of `model.inputs`, cast and nested as `model` takes them."""
    values = [
        value if tensor.dtype == "string" else tf.cast(value, tensor.dtype)
        for value, tensor in zip(arrays, model.inputs, strict=True)
    ]
    return keras.tree.pack_sequence_as(model.input, values)


def run_model(model: keras.Model, signature: Signature) -> Runner:
    """`model` itself, asked as its files are."""

    def run(inputs: Arrays) -> Arrays:
        arrays = [tf.constant(inputs[name]) for name in signature.inputs]
        outputs = model.predict_on_batch(arranged(model, arrays))
        return dict(zip(signature.outputs, keras.tree.flatten(outputs), strict=True))

    return run


class ServedModule(tf.Module):
    """What exporters are given: the function `serve`, and what it holds."""

    serve: Any
    weights: list[Any]
    tables: list[Any]
    assets: list[Any]


def as_module(
    model: keras.Model,
    signature: Signature,
    batch_size: int | None = None,
    *,
    widened: bool = False,
) -> ServedModule:
    """Wrap a trained model for exporters, which see nothing of Keras.

    Args:
        model: functional or Sequential, of Keras's own layers.
        signature: of it.
        batch_size: of the inputs; None for any.
        widened: take inputs of uint8 as float32.

    Returns:
        A module whose function `serve` takes and returns what `signature` names.
        Augmentation and dropout are gone, BatchNormalization is folded.

    Raises:
        ValueError: `signature` is not one of `model`, or plain Keras could not load it.
    """
    signature.check(model)
    network = fold_batch_norm(inference_model(model))
    module = ServedModule()
    # Of the model only its variables: with its layers this takes twice as long.
    module.weights = [variable.value for variable in network.variables]
    module.tables = [
        layer.lookup_table
        for layer in layers_in_order(network)
        if hasattr(layer, "lookup_table")
    ]
    specs = [
        tf.TensorSpec(
            (batch_size, *spec.shape),
            "float32" if widened and spec.dtype == "uint8" else spec.dtype,
            name=name,
        )
        for name, spec in signature.inputs.items()
    ]

    @tf.function(input_signature=specs)
    def serve(*arrays: Any) -> dict[str, Any]:
        outputs = network(arranged(network, arrays), training=False)
        return dict(zip(signature.outputs, keras.tree.flatten(outputs), strict=True))

    module.serve = serve
    return module


@contextmanager
def as_saved_model(module: ServedModule) -> Iterator[str]:
    """A temporary SavedModel of `as_module`, which TensorFlow's converters read."""
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, module.serve.get_concrete_function())
        yield folder
