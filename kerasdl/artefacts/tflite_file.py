"""What a `.tflite` file holds beside its computation, and how it is put right."""

import copy
import itertools
from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from .packing import pack

FEATURES = "features"
_NAMES = {
    value: name
    for name, value in vars(schema.BuiltinOperator).items()
    if not name.startswith("_")
}
_WEIGHING = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"}
_SCALING = set(
    "ADD SUB MUL CAST QUANTIZE DEQUANTIZE CONCATENATION PAD PADV2 MIRROR_PAD PACK "
    "SLICE STRIDED_SLICE SPLIT REVERSE_V2 RESHAPE EXPAND_DIMS TRANSPOSE MEAN "
    "AVERAGE_POOL_2D RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR".split()
)
_TAKE_ANY_SCALE = {
    schema.BuiltinOperator.QUANTIZE,
    schema.BuiltinOperator.DEQUANTIZE,
    schema.BuiltinOperator.CAST,
}


def with_true_reversals(content: bytes) -> bytes:
    """Give what REVERSE_V2 returns in int8 the scale of what it takes.

    It copies bytes, but the converter (of TensorFlow 2.21) writes down another scale
    for its output, so that a model which turns RGB into BGR, or a mirrored view, would
    see other colours.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    changed = False
    for graph in model.subgraphs:
        for operator in graph.operators:
            if _code(model, operator) == schema.BuiltinOperator.REVERSE_V2:
                taken = graph.tensors[operator.inputs[0]]
                graph.tensors[operator.outputs[0]].quantization = taken.quantization
                changed = True
    return pack(model) if changed else content


def with_byte_inputs(content: bytes) -> bytes:
    """Let the uint8 inputs of an int8 file be bytes: of scale 1 and zero point 0.

    The converter gives one the range of what comes next, such as [-124, 255] behind a
    subtraction of means. The operation that brings it to int8 takes any scale.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    (graph, *_) = model.subgraphs
    for index in graph.inputs:
        if graph.tensors[index].type != schema.TensorType.UINT8:
            continue
        readers = {_code(model, op) for op in graph.operators if index in op.inputs}
        if others := readers - _TAKE_ANY_SCALE:
            raise ValueError(
                "`model` must begin with what int8 bytes can be given to. Received: a "
                f"model whose first operation is {_NAMES[min(others)]}. A "
                "Rescaling or a convolution comes first in most."
            )
        plain = schema.QuantizationParametersT()
        plain.scale, plain.zeroPoint = [1.0], [0]
        graph.tensors[index].quantization = plain
    return pack(model)


def begins_with_scaling(content: bytes) -> bool:
    """Whether inputs are only scaled, offset and moved before the first weights."""
    begin = itertools.takewhile(lambda name: name not in _WEIGHING, operators(content))
    return _SCALING.issuperset(begin)


def with_half_weights(content: bytes) -> bytes:
    """Store weights that are float32 as float16; they are widened when it runs."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    narrowed: set[int] = set()
    for graph in model.subgraphs:
        widened: dict[int, int] = {}
        operators = []
        for operator in graph.operators:
            for place, index in enumerate(operator.inputs):
                if index >= 0 and index not in widened:
                    _narrow(
                        model,
                        graph,
                        index,
                        widened=widened,
                        operators=operators,
                        narrowed=narrowed,
                    )
                operator.inputs[place] = widened.get(index, index)
            operators.append(operator)
        graph.operators = operators
    return pack(model)


def operator_name(model: Any, operator: Any) -> str:
    """What an operator of a model that was read is called."""
    return _NAMES[_code(model, operator)]


def operators(content: bytes) -> list[str]:
    """Names of the operators of a `.tflite` file, in their order."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    return [
        operator_name(model, operator)
        for graph in model.subgraphs
        for operator in graph.operators
    ]


def input_names(content: bytes) -> list[str]:
    """Names that the signature gives the inputs, in the order of the file."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    (signature,) = model.signatureDefs
    names = {entry.tensorIndex: entry.name.decode() for entry in signature.inputs}
    return [names[index] for index in model.subgraphs[0].inputs]


def after_convolutions(content: bytes) -> list[str]:
    """Names of what no convolution is computed of, such as the decoding of boxes.

    And of the last convolutions themselves, as 256 values are few for how far the sides
    of a box are; and all from the first choice of the best on: what a detector of two
    stages computes of its proposals. `write_tflite(keep_float=...)` takes them for
    answers that int8 would spoil.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    (graph,) = model.subgraphs
    chosen: set[int] = set()  # tensors that are computed of a choice
    for operator in graph.operators:
        is_choice = operator_name(model, operator) == "TOPK_V2"
        if is_choice or chosen.intersection(operator.inputs):
            chosen.update(operator.outputs)
    leads_on: set[int] = set()  # tensors that a convolution is computed of
    names = []
    for operator in reversed(graph.operators):
        is_before = not chosen.intersection(operator.outputs)
        is_weighing = operator_name(model, operator) in _WEIGHING
        leads = bool(leads_on.intersection(operator.outputs))
        if is_before and (is_weighing or leads):
            leads_on.update(operator.inputs)
        if not is_before or not leads:
            names.append(graph.tensors[operator.outputs[0]].name.decode())
    return names


def result_names(content: bytes) -> list[str]:
    """Names that the signature gives the outputs, in the order of the file."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    (signature,) = model.signatureDefs
    names = {entry.tensorIndex: entry.name.decode() for entry in signature.outputs}
    return [names[index] for index in model.subgraphs[0].outputs]


def with_dense_input(content: bytes) -> bytes:
    """Let what the last dense layer takes be an output too, before those there are.

    Returns:
        The file, whose signature calls it `FEATURES`; `content` without a dense layer.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    (graph, *_), (signature, *_) = model.subgraphs, model.signatureDefs
    dense = [
        operator
        for operator in graph.operators
        if _code(model, operator) == schema.BuiltinOperator.FULLY_CONNECTED
    ]
    if not dense:
        return content
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = FEATURES.encode(), dense[-1].inputs[0]
    signature.outputs = [entry, *signature.outputs]
    graph.outputs = [entry.tensorIndex, *graph.outputs]
    return pack(model)


def output_names(content: bytes) -> list[str]:
    """Name of the first output of each operator, in their order."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    return [
        graph.tensors[operator.outputs[0]].name.decode()
        for graph in model.subgraphs
        for operator in graph.operators
    ]


def _narrow(
    model: Any,
    graph: Any,
    index: int,
    widened: dict[int, int],
    operators: list[Any],
    narrowed: set[int],
) -> None:
    """Make the weights in tensor `index` float16, and add what widens them.

    Several tensors may share a buffer: `narrowed` has those that are float16 already.
    """
    tensor = graph.tensors[index]
    buffer = model.buffers[tensor.buffer]
    if tensor.type != schema.TensorType.FLOAT32 or buffer.data is None:
        return
    if not len(buffer.data):
        return
    if tensor.buffer not in narrowed:
        narrowed.add(tensor.buffer)
        halves = np.frombuffer(bytes(buffer.data), "<f4").astype("<f2")
        buffer.data = np.frombuffer(halves.tobytes(), np.uint8)
    wide = copy.copy(tensor)
    wide.buffer = 0  # the empty one: it is computed
    graph.tensors.append(wide)
    widened[index] = len(graph.tensors) - 1
    tensor.type, tensor.name = schema.TensorType.FLOAT16, tensor.name + b"_half"
    operator = schema.OperatorT()
    operator.opcodeIndex = _opcode(model, schema.BuiltinOperator.DEQUANTIZE)
    operator.inputs, operator.outputs = [index], [widened[index]]
    operators.append(operator)


def _opcode(model: Any, code: int) -> int:
    """Place of `code` among the operator codes of `model`; it is added if need be."""
    for place, known in enumerate(model.operatorCodes):
        if max(known.builtinCode, known.deprecatedBuiltinCode) == code:
            return place
    new = schema.OperatorCodeT()
    new.builtinCode = new.deprecatedBuiltinCode = code
    new.version = 3  # of float16
    model.operatorCodes.append(new)
    return len(model.operatorCodes) - 1


def _code(model: Any, operator: Any) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)  # as its readers do
