"""What the state of a training was made with."""

import base64
import dataclasses
import functools
import hashlib
import inspect
import marshal
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePath
from types import CodeType, FunctionType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasdl._keras_internals import (
    arguments_of_loss,
    compile_arguments,
    inner_layers,
)
from kerasdl._layer_walks import layers_in_order
from kerasdl._optimizer import has_settable_rate, optimizers_of, plain
from kerasdl.callbacks import compiled_rate
from kerasdl.models.adapted import adapted_state

from .layer_rates import rate_ratios

# Names are counted up by Keras, and what a resumed run draws at first is replaced.
_LEFT_OUT = ("name", "seed")


def made_with(
    model: keras.Model,
    x: Any,
    callbacks: Sequence[keras.callbacks.Callback],
    class_weight: Mapping[int, float] | None,
    more: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What decides a training, as JSON can hold it.

    Args:
        model: compiled and built, before a state is read.
        x: as `fit` takes it; nothing is read from it.
        callbacks: those whose arguments count.
        class_weight: as `fit` takes it.
        more: what else decides it.
    """
    compiled = compile_arguments(model)
    optimizers = optimizers_of(model)
    return {
        **{f"optimizer{of}": _optimizer(one) for of, one in optimizers.items()},
        "loss": _plain(compiled.get("loss"), _LEFT_OUT),
        "loss_weights": _plain(compiled.get("loss_weights")),
        "layers": [_layer(layer) for layer in _layers(model)],
        "callbacks": [_arguments(callback, optimizers) for callback in callbacks],
        "class_weight": _plain(class_weight),
        "data": _stream(x),
        **_plain(more or {}),
    }


def _optimizer(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    config = _plain(plain(optimizer), _LEFT_OUT)
    if has_settable_rate(optimizer):
        config["learning_rate"] = rounded(compiled_rate(optimizer))
        config["ratios_by_depth"] = rate_ratios(optimizer)
    return config | {"loss_scaling": plain(optimizer) is not optimizer}


def rounded(rate: float) -> float:
    """A rate as it was given, before it became a float32."""
    return float(f"{rate:.7g}")


def _layers(model: keras.Model) -> Iterator[keras.Layer]:
    for layer in layers_in_order(model):
        if not isinstance(layer, keras.Model):
            yield layer


def _layer(layer: keras.Layer) -> dict[str, Any]:
    found = _plain(layer, _LEFT_OUT)
    found = {k: v for k, v in found.items() if not k.endswith("_initializer")}
    if inner_layers(layer):  # they speak for themselves
        found = {k: v for k, v in found.items() if not isinstance(v, (dict, list))}
    more = {"trainable": layer.trainable, "dtype": layer.dtype_policy.name}
    return found | more | {"adapted": adapted_state(layer)}


def _arguments(
    callback: keras.callbacks.Callback, optimizers: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of a callback that are plain, which it keeps by their names."""
    names = inspect.signature(type(callback).__init__).parameters
    values = {name: getattr(callback, name, None) for name in names}
    found = {k: v for k, v in values.items() if isinstance(v, (str, int, float))}
    sets = [of for of, one in optimizers.items() if one is values.get("optimizer")]
    if sets and len(optimizers) > 1:
        found["optimizer"] = sets[0].removeprefix("_")
    return {"class": type(callback).__name__, **found}


def _stream(x: Any) -> dict[str, Any]:
    """What can be told of data without reading it."""
    if isinstance(x, tf.data.Dataset):
        spec = str(tf.nest.flatten(x.element_spec))
        return {
            "batches": int(x.cardinality()),
            "elements": spec,
            "source": list(_sources(x)),
        }
    if isinstance(x, keras.utils.PyDataset):
        return {
            "batches": x.num_batches,
            "batch_size": _plain(getattr(x, "batch_size", None)),
        }
    return {}


def _sources(dataset: tf.data.Dataset) -> Iterator[str]:
    """Arrays in memory that a dataset is made of, and how many make a batch."""
    for attribute in ("_tensors", "_batch_size"):
        for tensor in tf.nest.flatten(getattr(dataset, attribute, ())):
            if isinstance(tensor, tf.Tensor) and hasattr(tensor, "numpy"):
                content = tf.io.serialize_tensor(tensor).numpy()
                is_small = tensor.shape.rank == 0
                digest = hashlib.sha256(content).hexdigest()[:16]
                yield f"{attribute}={tensor.numpy() if is_small else digest}"
    for other in dataset._inputs():
        yield from _sources(other)


def _plain(value: Any, left_out: Collection[str] = ()) -> Any:
    """`value` as JSON can hold it; of objects, their class and configuration."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (np.generic, np.ndarray)):
        return _plain(value.tolist())
    if tf.is_tensor(value) and hasattr(value, "numpy"):
        return _plain(value.numpy())
    if isinstance(value, Mapping):
        if value.get("class_name") == "__lambda__":  # as Keras writes it
            return _plain(_lambda_in(value["config"]))
        kept = {str(key): inner for key, inner in value.items()}
        return {k: _plain(v, left_out) for k, v in kept.items() if k not in left_out}
    if isinstance(value, (list, tuple)):
        return [_plain(part, left_out) for part in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    if isinstance(value, (bytes, PurePath)):
        return str(value)
    if dataclasses.is_dataclass(value):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {"class": type(value).__name__, **_plain(fields, left_out)}
    if isinstance(value, functools.partial):
        given = [value.func, value.args, value.keywords]
        return {"class": "partial", "of": _plain(given, left_out)}
    if inspect.isfunction(value):
        return _function(value)
    if inspect.isclass(value):
        return value.__qualname__
    try:
        config = dict(value.get_config())
    # Keras looks for the source of a lambda, which a session of Python has not.
    except (AttributeError, NotImplementedError, OSError, TypeError, ValueError):
        config = {}
    # Some losses of Keras, such as Huber, leave their arguments out of it.
    config |= arguments_of_loss(value)
    return {"class": type(value).__name__, **_plain(config, left_out)}


def _function(function: FunctionType) -> Any:
    """Its name, and the numbers and texts that it encloses; of a lambda its code too.

    Nothing that differs from one process to the next, such as an address.
    """
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    found = {name: cell.cell_contents for name, cell in cells}
    found = {k: v for k, v in found.items() if isinstance(v, (bool, int, float, str))}
    if function.__name__ == "<lambda>":
        found |= {"code": _digest(function.__code__)}
    name = function.__qualname__
    return {"function": name, **found} if found else name


def _lambda_in(config: Mapping[str, Any]) -> list[Any]:
    """What counts of a lambda in a configuration, but for its place in the script."""
    given = config.get("value")
    if not given:
        given = config["code"], config.get("defaults"), config.get("closure")
    code, *enclosed = given
    return [_digest(marshal.loads(base64.b64decode(code))), *enclosed]


def _digest(code: CodeType) -> str:
    def content(part: Any) -> Any:
        if not isinstance(part, CodeType):
            return repr(part)
        return part.co_code, part.co_names, [content(c) for c in part.co_consts]

    return hashlib.sha256(repr(content(code)).encode()).hexdigest()[:16]
