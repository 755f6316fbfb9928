"""What a network costs, layer by layer: multiply-adds, memory, receptive field."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers

from kerasdl._keras_internals import graph_of, run_through

if TYPE_CHECKING:
    import pandas as pd

_CONVS = (
    layers.Conv1D,
    layers.Conv2D,
    layers.Conv3D,
    layers.DepthwiseConv1D,
    layers.DepthwiseConv2D,
)
_SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
_POOLS = (
    layers.MaxPooling1D,
    layers.MaxPooling2D,
    layers.MaxPooling3D,
    layers.AveragePooling1D,
    layers.AveragePooling2D,
    layers.AveragePooling3D,
)
_COUNTED = (*_CONVS, *_SEPARABLE, *_TRANSPOSED, layers.Dense)
_VIEWS = (layers.Flatten, layers.Reshape)  # hold no values of their own
_MARGINS = (
    layers.ZeroPadding1D,
    layers.ZeroPadding2D,
    layers.ZeroPadding3D,
    layers.Cropping1D,
    layers.Cropping2D,
    layers.Cropping3D,
)
_Sides = tuple[float, ...]


@dataclass(frozen=True)
class _Value:
    """A tensor on its way through the model.

    Attributes:
        spec: its shape and dtype.
        field: pixels that one place depends on, by side; None: the whole image.
        strides: pixels between two neighbouring places, by side.
        start: pixel where the field of the first place begins, by side.
        depth: counted layers on the longest way to it.
    """

    spec: keras.KerasTensor
    field: _Sides | None
    strides: _Sides
    start: _Sides
    depth: int


def layer_costs(model: keras.Model) -> "pd.DataFrame":
    """List the layers of a model, those of the models inside it too, with their costs.

    Computed from shapes, for one image; nothing runs. A multiply-add is counted once,
    as papers do, and only those of convolutions and dense layers: what biases,
    normalisation, activations, pooling and the operations of `keras.ops` add is left
    out.

    Args:
        model: functional or Sequential, with an input of known size.

    Returns:
        One row for each call of a layer or operation, in the order of computation:
        `layer` (its name), `kind` (its class), `output_shape` (without the batch),
        `parameters` (0 where a layer is called again), `multiply_adds`, `activations`
        (values it gives, which training keeps; none for a flattened view of others),
        `receptive_field` (pixels by side that one place of the output depends on; None
        for the whole image), `strides` (pixels between two places), `start` (the pixel
        by side where the field of the first place begins, below 0 in a margin; where
        pictures are enlarged, as it is on the average of neighbours) and `depth`
        (layers that are counted on the longest way from the input).

    Raises:
        ValueError: the model or a model in it is a subclass, its input has no known
            size, or it has a layer with a matrix of weights whose multiply-adds are
            not known here.

    Reference:
        https://distill.pub/2019/computing-receptive-fields

    Example:
        ```
        kd.models.layer_costs(model).sum(numeric_only=True)
        ```
    """
    import pandas as pd

    if not isinstance(model, keras.Model) or graph_of(model) is None:
        raise ValueError(
            "`model` must be a functional or Sequential model that is built. Received: "
            f"model={model!r}"
        )
    shapes = [tuple(tensor.shape[1:]) for tensor in model.inputs]
    if any(None in shape for shape in shapes):
        raise ValueError(
            f"`model` must have an input of known size. Received: {model.name!r} with "
            f"{', '.join(map(str, shapes))}. Give it one with `with_input_size`."
        )
    rows: list[dict[str, Any]] = []
    _run(model, [_start(tensor) for tensor in model.inputs], rows, set())
    return pd.DataFrame(rows)


def _start(tensor: keras.KerasTensor) -> _Value:
    sides = len(tensor.shape) - 2
    spec = keras.KerasTensor(tensor.shape, tensor.dtype)
    return _Value(spec, (1,) * sides, (1,) * sides, (0,) * sides, 0)


def _run(
    model: keras.Model, inputs: list[_Value], rows: list[dict[str, Any]], seen: set[int]
) -> Any:
    """Send `inputs` through `model`; add a row for each call on the way."""

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        values = [
            value
            for value in keras.tree.flatten((args, kwargs))
            if isinstance(value, _Value)
        ]
        if isinstance(operation, keras.Model):
            return _run(operation, values, rows, seen)
        if isinstance(operation, layers.Layer):
            _check_known(operation)
        args, kwargs = keras.tree.map_structure(
            lambda value: value.spec if isinstance(value, _Value) else value,
            (args, kwargs),
        )
        specs = operation.compute_output_spec(*args, **kwargs)
        outputs = keras.tree.map_structure(
            lambda spec: _after(operation, values, spec), specs
        )
        rows.append(_row(operation, values, keras.tree.flatten(outputs), seen))
        return outputs

    graph = graph_of(model)
    if graph is None:
        raise ValueError(
            "`model` must hold functional and Sequential models only. Received: "
            f"{model.name!r}, a {type(model).__name__}"
        )
    return run_through(graph, inputs, call)


def _row(
    operation: Any, inputs: list[_Value], outputs: list[_Value], seen: set[int]
) -> dict[str, Any]:
    output = outputs[0]
    is_layer = isinstance(operation, layers.Layer)
    parameters = operation.count_params() if is_layer else 0
    row = {
        "layer": operation.name,
        "kind": type(operation).__name__,
        "output_shape": tuple(output.spec.shape[1:]),
        "parameters": 0 if id(operation) in seen else parameters,
        "multiply_adds": _multiply_adds(operation, inputs, output),
        "activations": 0
        if isinstance(operation, _VIEWS)
        else sum(math.prod(value.spec.shape[1:]) for value in outputs),
        "receptive_field": output.field,
        "strides": output.strides,
        "start": output.start,
        "depth": output.depth,
    }
    seen.add(id(operation))
    return row


def _check_known(layer: layers.Layer) -> None:
    # Vectors scale or shift: normalisation, PReLU, and the state of Dropout.
    is_matrix = any(len(weight.shape) > 1 for weight in layer.weights)
    if is_matrix and not isinstance(layer, _COUNTED):
        raise ValueError(
            "`model` must have its weights in convolutions, dense and normalisation "
            f"layers. Received: layer {layer.name!r}, a {type(layer).__name__}"
        )


def _multiply_adds(operation: Any, inputs: list[_Value], output: _Value) -> int:
    places = math.prod(output.spec.shape[1:-1])
    if isinstance(operation, _SEPARABLE):
        kernels = (operation.depthwise_kernel, operation.pointwise_kernel)
        return places * sum(math.prod(kernel.shape) for kernel in kernels)
    if isinstance(operation, _TRANSPOSED):
        places = math.prod(inputs[0].spec.shape[1:-1])
    if isinstance(operation, _COUNTED):
        return places * math.prod(operation.kernel.shape)
    return 0


def _after(operation: Any, inputs: list[_Value], spec: keras.KerasTensor) -> _Value:
    """What `operation` makes of `inputs`: a tensor of `spec`."""
    counted = isinstance(operation, _COUNTED)
    depth = max((value.depth for value in inputs), default=0) + counted
    sides = len(spec.shape) - 2
    fields = [value.field for value in inputs if value.field is not None]
    ranks = {len(value.spec.shape) for value in inputs}
    if not fields or len(fields) < len(inputs) or ranks != {len(spec.shape)}:
        return _Value(spec, None, (), (), depth)
    field = tuple(max(each[i] for each in fields) for i in range(sides))
    strides = tuple(max(value.strides[i] for value in inputs) for i in range(sides))
    begins = _begins(operation, inputs[0].spec.shape[1:-1], spec.shape[1:-1])
    start = tuple(
        min(value.start[i] + begins[i] * value.strides[i] for value in inputs)
        for i in range(sides)
    )
    window = _window(operation)
    if window:
        field = tuple(
            reach + (size - 1) * stride
            for reach, size, stride in zip(field, window[0], strides, strict=True)
        )
        strides = tuple(a * b for a, b in zip(strides, window[1], strict=True))
    elif not isinstance(operation, _MARGINS) and not _keeps_places(inputs, spec):
        return _Value(spec, None, (), (), depth)
    return _Value(spec, field, strides, start, depth)


def _window(operation: Any) -> tuple[_Sides, _Sides] | None:
    """Places of the input that one of the output takes, and their strides, by side."""
    if isinstance(operation, (*_CONVS, *_SEPARABLE)):
        sizes = zip(operation.kernel_size, operation.dilation_rate, strict=True)
        return tuple((k - 1) * rate + 1 for k, rate in sizes), operation.strides
    if isinstance(operation, _POOLS):
        return operation.pool_size, operation.strides
    if isinstance(operation, _TRANSPOSED):
        sizes = zip(operation.kernel_size, operation.strides, strict=True)
        return (
            tuple(math.ceil(size / stride) for size, stride in sizes),
            tuple(1 / stride for stride in operation.strides),
        )
    if isinstance(operation, layers.UpSampling2D):
        size = 1 if operation.interpolation == "nearest" else 2
        return (size, size), tuple(1 / factor for factor in operation.size)
    return None


def _begins(operation: Any, before: _Sides, after: _Sides) -> _Sides:
    """Place of the input where what the first one of the output takes begins, by side.

    Args:
        operation: of the model.
        before: places of its input, by side.
        after: those of its output.
    """
    if isinstance(operation, _MARGINS):
        is_padding = hasattr(operation, "padding")
        margins = operation.padding if is_padding else operation.cropping
        sign = -1 if is_padding else 1
        return tuple(
            sign * margin for margin, _ in np.reshape(margins, (-1, 2)).tolist()
        )
    if isinstance(operation, _TRANSPOSED):
        sides = zip(operation.kernel_size, operation.strides, strict=True)
        is_same = operation.padding == "same"
        return tuple(
            # The mean of neighbours, which begin at one place in turns.
            ((max(size - stride, 0) // 2 if is_same else 0) - size + (stride + 1) / 2)
            / stride
            for size, stride in sides
        )
    if isinstance(operation, layers.UpSampling2D):
        least = 1 if operation.interpolation == "bilinear" else 0.5
        return tuple(1 / (2 * factor) - least for factor in operation.size)
    window = _window(operation)
    if not window or operation.padding == "valid":
        return (0,) * len(before)
    if operation.padding == "causal":
        return (1 - window[0][0],)
    return tuple(
        -(max((made - 1) * stride + size - given, 0) // 2)
        for given, made, size, stride in zip(before, after, *window, strict=True)
    )


def _keeps_places(inputs: list[_Value], spec: keras.KerasTensor) -> bool:
    places = tuple(spec.shape[1:-1])
    return all(tuple(value.spec.shape[1:-1]) == places for value in inputs)
