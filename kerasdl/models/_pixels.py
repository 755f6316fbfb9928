"""Pixel rules: how RGB in [0, 255] becomes what a network's weights expect.

Every rule is made of built-in layers and keras ops, so that a saved model carries it.
"""

from typing import Any

import numpy as np
from keras import layers, ops

from kerasdl._checks import check_one_of

from ._stages import Block, Stage, run

# name -> (scale, offset)
_SCALES = {
    "unit": (1 / 255, 0.0),
    "tf": (1 / 127.5, -1.0),
    "lite": (1 / 128, -127 / 128),
}
# name -> mean and deviation of each channel, for pixels in [0, 1]: ImageNet's RGB and
# BGR (not divided by its deviation), and the RGB of CIFAR-10's training images.
_STATISTICS = {
    "torch": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "caffe": ((103.939 / 255, 116.779 / 255, 123.68 / 255), (1 / 255,) * 3),
    "cifar": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
}
PIXEL_RULES = ("none", *_SCALES, *_STATISTICS)


def scale_pixels(x: Any, rule: str) -> Any:
    """Scale pixels in [0, 255] by `rule`, inside a functional model.

    Args:
        x: a KerasTensor or tensor `(batch, height, width, 3)`, RGB, or gray
            `(batch, height, width, 1)`.
        rule: `"none"` (left as they are), `"unit"` ([0, 1]), `"tf"` ([-1, 1]),
            `"torch"` ([0, 1] minus ImageNet's mean, over its deviation), `"caffe"`
            (BGR minus ImageNet's mean), `"lite"` (minus 127, over 128) or `"cifar"`
            ([0, 1] minus CIFAR-10's mean, over its deviation). Gray pixels take the
            mean of the three channels' means and of their deviations.

    Returns:
        The scaled pixels, float32, in the shape of `x`.

    Raises:
        ValueError: `rule` is none of `PIXEL_RULES`.
    """
    return run(pixel_stages(rule, x.shape[-1]), x)


def pixel_stages(rule: str, channels: int) -> list[Stage]:
    """Return what scales pixels of `channels` by `rule`; see `scale_pixels`."""
    check_one_of("pixels", rule, PIXEL_RULES)
    if rule == "none":
        return []
    scale, offset = _scale(rule, channels)
    # float32 under every precision policy: half precision would round the pixels.
    rescaling = layers.Rescaling(scale, offset, dtype="float32", name="scale_pixels")
    if rule == "caffe" and channels == 3:
        return [Block("rgb_to_bgr", lambda x: ops.flip(x, axis=-1)), rescaling]
    return [rescaling]


def _scale(rule: str, channels: int) -> tuple[float | list, float | list]:
    """Return scale and offset, a number or one per channel."""
    if rule in _SCALES:
        return _SCALES[rule]
    mean, deviation = np.array(_STATISTICS[rule])
    if channels == 1:
        mean, deviation = mean.mean(keepdims=True), deviation.mean(keepdims=True)
    return (1 / (255 * deviation)).tolist(), (-mean / deviation).tolist()
