"""Start TensorFlow the way every recipe does: quiet, precise, repeatable."""

import io
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import ModuleType

from kerasdl import strategies
from kerasdl._checks import check_one_of

# The x86 instructions that compute in each half precision.
_HALF_PRECISION = {
    "mixed_bfloat16": {"avx512_bf16", "amx_bf16"},
    "mixed_float16": {"avx512_fp16", "amx_fp16"},
}
PRECISIONS = ("float32", *_HALF_PRECISION)


def start(
    precision: str = "float32",
    deterministic: bool = False,
    gpu_memory_growth: bool = True,
    verbose: bool = False,
    strategy: str = "none",
) -> None:
    """Import TensorFlow and set it up; call it before anything else imports it.

    What a terminal cannot show, as names may hold it, it then shows as escapes.

    Args:
        precision: "float32", "mixed_bfloat16" or "mixed_float16", the global dtype
            policy of layers made from here on.
        deterministic: take operations that give the same bits in every run; slower.
        gpu_memory_growth: take a graphics card's memory as needed, not all at once.
        verbose: let TensorFlow's start-up lines through.
        strategy: "none", "mirrored" or "multi_worker"; see `strategies.use`.

    Raises:
        ValueError: `precision` or `strategy` is none of these, or the strategy cannot
            be used here.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name never ends a run
            stream.reconfigure(errors="backslashreplace")
    check_one_of("precision", precision, PRECISIONS)
    strategies.check(strategy, deterministic)
    if not verbose:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if strategy == "multi_worker":
        print("waiting for the other machines of TF_CONFIG", flush=True)
    with nullcontext() if verbose else silenced():
        import keras
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, gpu_memory_growth)
        if deterministic:
            tf.config.experimental.enable_op_determinism()
        if not verbose:
            hush(tf)
        strategies.use(strategy)  # before the first operation, which starts devices
        tf.zeros(1)  # ... and prints too
    strategies.announce(strategy)
    keras.config.set_dtype_policy(precision)
    if not gpus and not computes_in(precision):
        warnings.warn(
            f"This processor does not compute in {precision.removeprefix('mixed_')}: "
            f"precision={precision!r} is about six times slower than 'float32'.",
            stacklevel=2,
        )


def hush(tensorflow: ModuleType) -> None:
    """Let its logger pass over what is of no interest."""
    logger = tensorflow.get_logger()
    logger.setLevel(logging.WARNING)  # in a notebook it would be more
    logger.addFilter(_is_of_interest)


def _is_of_interest(record: logging.LogRecord) -> bool:
    """Whether it is no warning of models that are traced, one for each image size."""
    return "triggered tf.function retracing" not in record.getMessage()


@contextmanager
def silenced() -> Iterator[None]:
    """Swallow what this process writes to stdout and stderr, C++ libraries included.

    If the block raises an exception, what was swallowed goes to stderr. `sys.stdout`
    and `sys.stderr` are not replaced: loggers made in the block would keep the
    replacements.
    """
    with tempfile.TemporaryFile() as swallowed:
        outside = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
        failed = False
        try:
            _flush()
            for descriptor in outside:
                os.dup2(swallowed.fileno(), descriptor)
            yield
        except Exception:
            failed = True
            raise
        finally:
            _flush()
            for descriptor, copy in outside.items():
                os.dup2(copy, descriptor)
                os.close(copy)
            if failed:
                swallowed.seek(0)
                sys.stderr.write(swallowed.read().decode(errors="replace"))


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def computes_in(precision: str) -> bool:
    """Whether the processor has instructions for `precision`, as far as can be told."""
    flags = cpu_flags()
    return (
        precision == "float32" or not flags or bool(_HALF_PRECISION[precision] & flags)
    )


def cpu_flags() -> set[str]:
    """The words of /proc/cpuinfo, the processor's features among them; or none."""
    cpuinfo = Path("/proc/cpuinfo")
    return set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
