"""Work that may end the process it runs in: here if it is known not to, else apart."""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from .signature import as_saved_model

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
_RUN = "from kerasdl.artefacts._own_process import _main; _main()"


def is_known(module: tf.Module) -> bool:
    """Whether converters are known to take all operations of an `as_module`."""
    graph = module.serve.get_concrete_function().graph.as_graph_def()
    inner = (node for function in graph.library.function for node in function.node_def)
    return {node.op for node in (*graph.node, *inner)} <= _KNOWN


def convert_guarded(module: tf.Module, convert: Callable[[str], Any]) -> Any:
    """Return `convert(folder)` of the SavedModel of an `as_module`.

    A module whose operations are not all known is converted in a process of its own.

    Args:
        module: of `as_module`.
        convert: a function that a module holds under its name, or a partial of one,
            which can be pickled.

    Raises:
        ValueError: `convert` raises one, or the process ends by a signal.
    """
    with as_saved_model(module) as folder:
        if is_known(module):
            return convert(folder)
        return _apart(convert, folder)


def _apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """`function(*arguments)` in a process that begins, and may end, for it."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "asked", Path(folder) / "answered"
        asked.write_bytes(pickle.dumps((function, arguments)))
        ended = subprocess.run(
            [sys.executable, "-P", "-c", _RUN, str(asked), str(answered)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        if ended.returncode < 0:
            ending = signal.Signals(-ended.returncode).name
            raise ValueError(
                "`model` must have operations that the converter can take. Received: a "
                f"model that ends the converter's process by {ending}. Leave out int8 "
                "where that was asked for, or build the model of other layers."
            )
        if ended.returncode:
            raise RuntimeError(f"A process of its own failed:\n{ended.stderr[-2000:]}")
        result, error = pickle.loads(answered.read_bytes())
        if error is not None:
            raise error
        return result


def _main() -> None:
    """What the process runs: a pickled call, whose result or ValueError it pickles."""
    asked, answered = map(Path, sys.argv[1:])
    function, arguments = pickle.loads(asked.read_bytes())
    result = error = None
    try:
        result = function(*arguments)
    except ValueError as raised:
        error = raised
    answered.write_bytes(pickle.dumps((result, error)))
