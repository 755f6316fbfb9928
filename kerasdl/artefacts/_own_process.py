"""Work that may end the process it runs in: here if it is known not to, else apart."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ._apart import apart
from .signature import ServedModule, as_saved_model

# Of all networks of this library and of keras.applications, and of the views of
# test-time augmentation: TensorFlow's converters and interpreters take these. What
# else there is, such as loops and comparisons in int8, may end the process.
_KNOWN = frozenset(
    "Abs AddV2 AvgPool BiasAdd Cast ConcatV2 Const Conv2D DepthwiseConv2dNative Elu "
    "Erf Erfc Exp ExpandDims GatherV2 Identity IdentityN LeakyRelu Log MatMul "
    "Maximum MaxPool Mean Minimum Mul Neg NoOp Pack Pad PartitionedCall Placeholder "
    "Pow Prod ReadVariableOp RealDiv Relu Relu6 Reshape ResizeBilinear ReverseV2 "
    "Rsqrt Selu Shape Sigmoid Softmax Softplus Split Sqrt Square SquaredDifference "
    "Squeeze StatefulPartitionedCall StopGradient StridedSlice Sub Sum Tanh "
    "Transpose".split()
)
# Of numbers of rows, which nothing makes int8: `Embedding` counts from the end too.
_KNOWN_OF_INTEGERS = frozenset({"Less", "SelectV2"})
# Of networks of texts and tables besides, which are known to be taken as they are.
_KNOWN_IN_FLOAT32 = _KNOWN | frozenset(
    "All Any ArgMax BatchMatMulV2 Cos Cumsum Einsum Equal Fill FloorMod Less "
    "LogicalAnd LogicalNot LogicalOr Max NotEqual OneHot Range SelectV2 Sin "
    "TensorListFromTensor TensorListGetItem TensorListReserve TensorListSetItem "
    "TensorListStack Tile TopKV2 Unpack While".split()
)


def is_known(module: ServedModule, in_float32: bool = False) -> bool:
    """Whether converters are known to take all operations of an `as_module`.

    Args:
        module: of `as_module`.
        in_float32: nothing is made of another precision.
    """
    graph = module.serve.get_concrete_function().graph.as_graph_def()
    inner = (node for function in graph.library.function for node in function.node_def)
    nodes = (*graph.node, *inner)
    if in_float32:
        return all(node.op in _KNOWN_IN_FLOAT32 for node in nodes)
    return all(map(_is_known, nodes))


def _is_known(node: tf.compat.v1.NodeDef) -> bool:
    if node.op in _KNOWN_OF_INTEGERS:
        return tf.as_dtype(node.attr["T"].type).is_integer
    return node.op in _KNOWN


def convert_guarded(
    module: ServedModule, convert: Callable[[str], Any], in_float32: bool = False
) -> Any:
    """Return `convert(folder)` of the SavedModel of an `as_module`.

    A module whose operations are not all known is converted in a process of its own.

    Args:
        module: of `as_module`.
        convert: a function that a module holds under its name, or a partial of one,
            which can be pickled.
        in_float32: it makes nothing of another precision.

    Raises:
        ValueError: `convert` raises one, or the process ends by a signal.
    """
    with as_saved_model(module) as folder:
        if is_known(module, in_float32):
            return convert(folder)
        try:
            return apart(convert, folder)
        except ChildProcessError as error:
            raise ValueError(
                "`model` must have operations that the converter can take. Received: a "
                f"model that ends the converter. {error} Leave out int8 where that was "
                "asked for, or build the model of other layers."
            ) from error
