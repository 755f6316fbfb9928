"""What a `.tflite` file holds beside its computation, and how it is put right."""

import copy
import io
import itertools
import zipfile
from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from kerasdl._file_names import LABELS

from .packing import pack

# Of the format's metadata, https://ai.google.dev/edge/litert/models/metadata.
_METADATA_NAME, _IDENTIFIER, _MIN_PARSER = "TFLITE_METADATA", b"M001", "1.0.0"
_AXIS_LABELS, _IMAGE, _RGB = 2, 2, 1
_NAMES = {
    value: name
    for name, value in vars(schema.BuiltinOperator).items()
    if not name.startswith("_")
}
_WEIGHING = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"}
_SCALING = {
    *("ADD", "SUB", "MUL", "CAST", "QUANTIZE", "DEQUANTIZE", "CONCATENATION", "PAD"),
    *("PACK", "STRIDED_SLICE", "REVERSE_V2", "RESHAPE", "EXPAND_DIMS", "TRANSPOSE"),
    *("AVERAGE_POOL_2D", "MEAN", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"),
    *("SLICE", "SPLIT", "MIRROR_PAD", "PADV2"),
}
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


def with_pixel_input(content: bytes) -> bytes:
    """Let the uint8 input of an int8 file be pixels: of scale 1 and zero point 0.

    The converter gives it the range of what comes next, such as [-124, 255] behind a
    subtraction of means. The operation that brings it to int8 takes any scale.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    (graph, *_) = model.subgraphs
    (index,) = graph.inputs
    readers = {_code(model, op) for op in graph.operators if index in op.inputs}
    if others := readers - _TAKE_ANY_SCALE:
        raise ValueError(
            "`model` must begin with what int8 pixels can be given to. Received: a "
            f"model whose first operation is {_NAMES[min(others)]}. A "
            "Rescaling or a convolution comes first in most."
        )
    pixels = schema.QuantizationParametersT()
    pixels.scale, pixels.zeroPoint = [1.0], [0]
    graph.tensors[index].quantization = pixels
    return pack(model)


def begins_with_scaling(content: bytes) -> bool:
    """Whether pixels are only scaled, offset and moved before the first weights."""
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
                    _narrow(model, graph, index, widened, operators, narrowed)
                operator.inputs[place] = widened.get(index, index)
            operators.append(operator)
        graph.operators = operators
    return pack(model)


def with_labels(content: bytes, class_names: Sequence[str], name: str) -> bytes:
    """Add class names to a file: as its metadata, and to be unzipped from it.

    Args:
        content: the file, of one input picture and one output.
        class_names: in output order; two for one output.
        name: of the model.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    buffer = schema.BufferT()
    buffer.data = bytearray(_metadata(name))
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = _METADATA_NAME, len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    file = io.BytesIO(pack(model))
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(LABELS, "\n".join(class_names))
    return file.getvalue()


def operators(content: bytes) -> list[str]:
    """Names of the operators of a `.tflite` file, in their order."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    return [
        _NAMES[_code(model, operator)]
        for graph in model.subgraphs
        for operator in graph.operators
    ]


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


def _metadata(name: str) -> bytes:
    """A `ModelMetadata` of RGB pixels in and a probability for each label out."""
    builder = flatbuffers.Builder()

    def table(size: int, **slots: int) -> int:
        """A table of `size` fields: `_3` is an offset in the third, `b3` a byte."""
        builder.StartObject(size)
        for key, value in slots.items():
            if key[0] == "b":
                builder.PrependInt8Slot(int(key[1:]), value, 0)
            else:
                builder.PrependUOffsetTRelativeSlot(int(key[1:]), value, 0)
        return builder.EndObject()

    def vector(offset: int) -> int:
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()

    text = builder.CreateString
    image = table(2, b0=_RGB)  # ImageProperties
    content = table(3, b0=_IMAGE, _1=image)  # Content
    pixels = table(7, _0=text("pixels"), _1=text("RGB in [0, 255]"), _3=content)
    labels = table(5, _0=text(LABELS), b2=_AXIS_LABELS)  # AssociatedFile
    answers = table(7, _0=text("probabilities"), _6=vector(labels))
    graph = table(10, _2=vector(pixels), _3=vector(answers))  # SubGraphMetadata
    whole = table(8, _0=text(name), _3=vector(graph), _7=text(_MIN_PARSER))
    builder.Finish(whole, _IDENTIFIER)
    return bytes(builder.Output())
