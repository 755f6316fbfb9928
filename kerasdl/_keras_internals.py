"""All that kerasdl uses of Keras and that Keras calls private, in one place.

Each part names the file of Keras that it mirrors; `MIRRORED` lists the names by file.
A test says which of them a new Keras has moved.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

import keras
from keras.optimizers import Optimizer
from keras.src.backend.common import global_state
from keras.src.trainers.data_adapters.data_adapter import DataAdapter
from keras.src.trainers.data_adapters.tf_dataset_adapter import make_class_weight_map_fn
from keras.src.trainers.epoch_iterator import EpochIterator

__all__ = ["DataAdapter", "EpochIterator", "make_class_weight_map_fn"]

MIRRORED = {
    "activations/activations.py": ("_keras_logits",),
    "backend/common/global_state.py": ("get_global_attribute", "set_global_attribute"),
    "backend/common/variables.py": ("uninitialized_variables",),
    "backend/tensorflow/optimizer.py": ("_all_reduce_sum_gradients",),
    "backend/tensorflow/trainer.py": ("_maybe_symbolic_build", "_symbolic_build"),
    "layers/layer.py": (
        "_layers",
        "_trainable_variables",
        "_non_trainable_variables",
        "current_call_ctx",
    ),
    "losses/losses.py": ("_fn_kwargs",),
    "models/sequential.py": ("_functional",),
    "ops/function.py": ("_nodes_by_depth", "_run_through_graph"),
    "ops/node.py": ("_keras_history",),
    "optimizers/base_optimizer.py": (
        "_apply_weight_decay",
        "_iterations",
        "_learning_rate",
        "_model_variables_moving_average",
        "_trainable_variables_indices",
        "_untrack_variable",
        "_var_key",
    ),
    "trainers/data_adapters/data_adapter.py": ("DataAdapter",),
    "trainers/data_adapters/tf_dataset_adapter.py": ("make_class_weight_map_fn",),
    "trainers/epoch_iterator.py": ("EpochIterator", "steps_per_epoch"),
    "trainers/trainer.py": (
        "_compile_config",
        "_compile_metrics",
        "_compute_loss",
        "_loss_tracker",
    ),
}

# layers/layer.py


def inner_layers(layer: keras.Layer) -> Sequence[keras.Layer]:
    """The layers that `layer` holds itself."""
    return layer._layers


def trainable_of(layer: keras.Layer) -> list[keras.Variable]:
    """The variables of `layer` itself that may train, also while it is frozen."""
    return layer._trainable_variables


def non_trainable_of(layer: keras.Layer) -> list[keras.Variable]:
    """The variables of `layer` itself that never train, such as statistics."""
    return layer._non_trainable_variables


# models/sequential.py, ops/function.py, ops/node.py, activations/activations.py


def graph_of(model: keras.Model) -> Any:
    """The graph of a functional or Sequential model; None of another."""
    graph = model._functional if isinstance(model, keras.Sequential) else model
    return graph if hasattr(graph, "_nodes_by_depth") else None


def nodes_of(graph: Any) -> Iterator[Any]:
    """The calls of layers in a graph, with `operation` and `input_tensors`."""
    return chain.from_iterable(graph._nodes_by_depth.values())


def run_through(graph: Any, inputs: Any, call: Callable[..., Any]) -> Any:
    """Keras's own walk over a graph, each layer replaced by `call`."""
    return graph._run_through_graph(inputs, call_fn=call)


def made_by(tensor: keras.KerasTensor) -> Any:
    """The layer or operation that gives `tensor`."""
    return tensor._keras_history.operation


def logits_of(outputs: Any) -> Any:
    """What a softmax or sigmoid that gave `outputs` was given, else `outputs`."""
    return getattr(outputs, "_keras_logits", outputs)


# trainers/trainer.py, backend/tensorflow/trainer.py

SYMBOLIC_BUILD = "_maybe_symbolic_build"


def compile_arguments(model: keras.Model) -> dict[str, Any]:
    """What `model` was compiled with, the objects themselves; {} before."""
    return getattr(getattr(model, "_compile_config", None), "config", {})


def compile_metrics(model: keras.Model) -> Any:
    """What holds the metrics of a compiled `model` and is not built yet, else None."""
    metrics = model._compile_metrics
    return None if metrics is None or metrics.built else metrics


def loss_of(model: keras.Model, *of_batch: Any, training: bool) -> Any:
    """The loss of a batch: inputs, targets, outputs and weights of examples."""
    return model._compute_loss(*of_batch, training=training)


def loss_tracker(model: keras.Model) -> keras.metrics.Mean:
    """The metric that `fit` logs as the loss."""
    return model._loss_tracker


def symbolic_build(model: keras.Model, batch: Any) -> None:
    """Build what `model` was compiled with for batches like `batch`."""
    model._symbolic_build(data_batch=batch)


# optimizers/base_optimizer.py, backend/tensorflow/optimizer.py

WEIGHT_DECAY = "_apply_weight_decay"
SUM_GRADIENTS = "_all_reduce_sum_gradients"
BOOKS = {"_variables", "_trainable_variables"}  # lists of an optimizer, not its state


def built_for(optimizer: Optimizer) -> list[keras.Variable]:
    """The variables that `optimizer` was built for, in its order."""
    return optimizer._trainable_variables


def averages_of(optimizer: Optimizer) -> list[keras.Variable]:
    """With `use_ema`, the average of each variable that it was built for."""
    return optimizer._model_variables_moving_average


def key_of(optimizer: Optimizer, variable: Any) -> Any:
    """What `optimizer` tells variables apart by."""
    return optimizer._var_key(variable)


def given_rate(optimizer: Optimizer) -> Any:
    """Its learning rate as it was given: a variable, a schedule or a function."""
    return optimizer._learning_rate


def forget_state(optimizer: Optimizer) -> None:
    """Take `optimizer` for not built; its rate and its count of steps stay."""
    kept = {id(optimizer._iterations), id(optimizer._learning_rate)}
    for variable in optimizer.variables:
        if id(variable) not in kept:
            optimizer._untrack_variable(variable)
    optimizer._trainable_variables_indices.clear()
    optimizer.built = False


# losses/losses.py, backend/common/global_state.py, backend/common/variables.py


def arguments_of_loss(loss: Any) -> dict[str, Any]:
    """What a loss hands to its function, which not all put into their configuration."""
    return getattr(loss, "__dict__", {}).get("_fn_kwargs", {})


@contextmanager
def without_values() -> Iterator[None]:
    """Variables that are made within have a shape and no value, now and later."""
    name = "uninitialized_variables"
    before = [*global_state.get_global_attribute(name, [])]
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:  # else Keras makes the values at the end of the next scope without state
        global_state.set_global_attribute(name, before)


def is_training_call() -> bool:
    """Whether the call trains that a layer is part of, which it is not told itself."""
    context = global_state.get_global_attribute("current_call_ctx")
    return bool(getattr(context, "training", False))
