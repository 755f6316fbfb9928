"""Converters that make activations int8."""

import string
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import tensorflow as tf

from kerasdl._pixels import check_pixels

from .tflite_file import output_names


def check_calibration(pixels: np.ndarray | None, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless `pixels` are photos of `shape`, of more than one."""
    if (
        not isinstance(pixels, np.ndarray)
        or pixels.shape[1:] != tuple(shape)
        or len(pixels) < 2
        or pixels.min() == pixels.max()
    ):
        received = (
            f"an array {pixels.shape} from {pixels.min()} to {pixels.max()}"
            if isinstance(pixels, np.ndarray) and pixels.size
            else repr(pixels)
        )
        raise ValueError(
            f"`calibration` must be pixels (n, {', '.join(map(str, shape))}) in [0, "
            f"255] of photos of all classes for int8. Received: {received}"
        )
    check_pixels("calibration", pixels)


def int8_converter(folder: str, calibration: np.ndarray) -> tf.lite.TFLiteConverter:
    """A converter of the SavedModel in `folder`, of float32 `pixels` to int8.

    What it makes takes and returns uint8.
    """
    converter = _converter(folder, calibration.astype("float32"))
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.uint8
    return converter


def convert_mixed(
    folder: str, calibration: np.ndarray, keep_float: Sequence[str]
) -> bytes:
    """Convert the SavedModel in `folder`, of uint8 `pixels`, to int8 in part.

    What is made takes uint8 and returns float32; the operators whose outputs
    `keep_float` names stay float32.

    Raises:
        ValueError: a name is none of its tensors', or nothing is left to become int8.
    """
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=_converter(folder, np.rint(calibration).astype("uint8"))
    )
    # The numbers at the end of names are not the same in all of its models.
    kept = {name.rstrip(string.digits) for name in keep_float}
    names = output_names(debugger.calibrated_model)
    if unknown := kept - {name.rstrip(string.digits) for name in names}:
        raise ValueError(
            "`keep_float` must be names of tensors as `quantization_errors` has them. "
            f"Received: {', '.join(sorted(unknown))}"
        )
    options = tf.lite.experimental.QuantizationDebugOptions(
        denylisted_nodes=[name for name in names if name.rstrip(string.digits) in kept]
    )
    try:
        debugger.options = options
    except ValueError as error:
        raise ValueError(
            "`keep_float` must leave an operator that becomes int8. Received: "
            f"keep_float={list(keep_float)!r}"
        ) from error
    return debugger.get_nondebug_quantized_model()


def _converter(folder: str, calibration: np.ndarray) -> tf.lite.TFLiteConverter:
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = partial(_one_by_one, calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter


def _one_by_one(pixels: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    """Batches of one, of which the first has a black and a white corner.

    So the range of the input is [0, 255], and its uint8 values are pixels.
    """
    for number, picture in enumerate(pixels.copy()):
        if number == 0:
            picture[0, 0], picture[-1, -1] = 0, 255
        yield {"pixels": picture[None]}
