"""Fold BatchNormalization into the convolution or dense layer before it."""

from collections import Counter
from typing import Any

import keras
import numpy as np
from keras import layers

from kerasdl._keras_internals import graph_of, made_by, nodes_of

from .uncompiled import uncompiled

_FOLDABLE = (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)


def fold_batch_norm(model: keras.Model) -> keras.Model:
    """Copy a trained model for prediction, with fewer layers to compute.

    A BatchNormalization whose only input is a linear Conv2D, DepthwiseConv2D or Dense
    that nothing else reads becomes part of that layer's weights. Converters do this for
    some layers only; `model` itself is left as it is, so that it can train on.

    Args:
        model: functional or Sequential; models inside it are folded too. One of
            another kind is returned as it is.

    Returns:
        A functional model that computes the same (to 1e-5 of float32); layers that
        nothing was folded into are shared with `model`.

    Reference:
        Jacob et al., 2017, https://arxiv.org/abs/1712.05877, section 3.2

    Example:
        ```
        faster = kd.models.fold_batch_norm(model)
        ```
    """
    if isinstance(model, keras.Sequential):
        (inputs,), (outputs,) = model.inputs, model.outputs
        model = keras.Model(inputs, outputs, name=model.name)
    if graph_of(model) is None:
        return model  # what its own `call` does is not known layer by layer
    pairs = _pairs(model)
    norms = set(map(id, pairs.values()))
    copies = []

    def clone(layer: Any) -> Any:
        if isinstance(layer, keras.Model):
            return fold_batch_norm(layer)
        if id(layer) not in pairs:
            return layer
        config = {**layer.get_config(), "use_bias": True}
        copies.append((layer, pairs[id(layer)], type(layer).from_config(config)))
        return copies[-1][-1]

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        return args[0] if id(layer) in norms else layer(*args, **kwargs)

    with uncompiled(model):
        folded = keras.models.clone_model(
            model, clone_function=clone, call_function=call
        )
    for layer, norm, copy in copies:
        copy.set_weights(_folded_weights(layer, norm))
    return folded


def _pairs(model: keras.Model) -> dict[int, layers.BatchNormalization]:
    """By the id of a layer the normalisation that can be folded into it."""
    # Only calls that are in the model: `Sequential.add` calls all layers again.
    calls: dict[int, list[Any]] = {}
    readers: Counter[int] = Counter(id(tensor) for tensor in model.outputs)
    for node in nodes_of(model):
        calls.setdefault(id(node.operation), []).append(node)
        readers.update(id(tensor) for tensor in node.input_tensors)
    found = {}
    for norm in model.layers:
        if not isinstance(norm, layers.BatchNormalization):
            continue
        ((taken, *_), *others) = (node.input_tensors for node in calls[id(norm)])
        if others or norm.axis not in (-1, taken.ndim - 1):
            continue
        before = made_by(taken)
        if (
            type(before) in _FOLDABLE
            and len(calls[id(before)]) == 1
            and before.activation is keras.activations.linear
            and len(before.weights) == 1 + before.use_bias  # no LoRA, not quantised
            and readers[id(taken)] == 1
        ):
            found[id(before)] = norm
    return found


def _folded_weights(
    layer: keras.Layer, norm: layers.BatchNormalization
) -> list[np.ndarray]:
    """Kernel and bias that compute what `layer` and `norm` do one after the other."""
    kernel, *bias = (weight.astype("float64") for weight in layer.get_weights())
    factor = 1 / np.sqrt(norm.moving_variance.numpy().astype("float64") + norm.epsilon)
    if norm.scale:
        factor = factor * norm.gamma.numpy()
    shift = (bias[0] if bias else 0.0) - norm.moving_mean.numpy()
    shift = factor * shift + (norm.beta.numpy() if norm.center else 0.0)
    is_depthwise = isinstance(layer, layers.DepthwiseConv2D)
    by_output = factor.reshape(kernel.shape[-2:]) if is_depthwise else factor
    return [kernel * by_output, shift]
