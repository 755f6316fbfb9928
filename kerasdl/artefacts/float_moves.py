"""What moves numbers between operators in float moves them as they are."""

from typing import Any

from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from .packing import pack
from .tflite_file import operator_name

# What takes numbers, first of all, and returns some of them.
_MOVING = set(
    "EXPAND_DIMS GATHER GATHER_ND RESHAPE REVERSE_V2 SLICE SQUEEZE STRIDED_SLICE "
    "TOPK_V2 TRANSPOSE".split()
)
_ROUNDING = {"QUANTIZE", "DEQUANTIZE"}


def with_float_moves(content: bytes) -> bytes:
    """Leave out rounding to int8 of what is read in float again.

    The converter (of TensorFlow 2.21) keeps operators in float, but not those of two
    outputs, such as the choice of the best scores; and where a part is taken of what a
    float operator returns, it may round the whole, and take the part in int8.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    (graph,) = model.subgraphs
    names = [operator_name(model, operator) for operator in graph.operators]
    pairs = list(zip(names, graph.operators, strict=True))
    needed = _needed_in_int8(graph, pairs)
    exact: dict[int, int] = {}  # the float tensor that another is a copy of

    def is_float(index: int) -> bool:
        return graph.tensors[index].type == schema.TensorType.FLOAT32

    for name, operator in pairs:
        first: int = operator.inputs[0]
        source = exact.get(first, first)
        if name in _ROUNDING:
            if is_float(source):
                exact[operator.outputs[0]] = source
            continue
        operator.inputs = [
            exact.get(i, i) if is_float(i) else i for i in operator.inputs
        ]
        if name in _MOVING and is_float(source) and needed.isdisjoint(operator.outputs):
            operator.inputs[0] = source
            for tensor in (graph.tensors[index] for index in operator.outputs):
                if tensor.type == schema.TensorType.INT8:
                    tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
    graph.outputs = [exact.get(index, index) for index in graph.outputs]
    for output in (output for known in model.signatureDefs for output in known.outputs):
        output.tensorIndex = exact.get(output.tensorIndex, output.tensorIndex)
    _drop_unread(graph, pairs)
    return pack(model)


def _needed_in_int8(graph: Any, pairs: list[tuple[str, Any]]) -> set[int]:
    """Tensors of int8 that are read by more than what rounds and what moves."""
    rounded = {
        index
        for index, tensor in enumerate(graph.tensors)
        if tensor.type == schema.TensorType.INT8
    }
    needed = rounded.intersection(graph.outputs)
    for name, operator in reversed(pairs):
        is_free = name in _MOVING and needed.isdisjoint(operator.outputs)
        if name not in _ROUNDING and not is_free:
            needed |= rounded.intersection(operator.inputs)
    return needed


def _drop_unread(graph: Any, pairs: list[tuple[str, Any]]) -> None:
    """Take out what rounds for nobody."""
    read, kept = set(graph.outputs), []
    for name, operator in reversed(pairs):
        if name not in _ROUNDING or not read.isdisjoint(operator.outputs):
            read.update(operator.inputs)
            kept.append(operator)
    graph.operators = kept[::-1]
