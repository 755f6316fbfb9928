"""Pixel rules: how RGB in [0, 255] becomes what a network's weights expect.

Every rule is made of built-in layers and keras ops, so that a saved model carries it.
"""

from typing import Any

from keras import layers, ops

from kerasdl._checks import check_one_of

# Per-channel mean and deviation of ImageNet: RGB in [0, 1], and BGR in [0, 255].
_RGB_MEAN, _RGB_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_BGR_MEAN = (103.939, 116.779, 123.68)

# name -> (scale, offset), a number or one per channel.
_SCALES = {
    "unit": (1 / 255, 0.0),
    "tf": (1 / 127.5, -1.0),
    "torch": (
        [1 / (255 * s) for s in _RGB_STD],
        [-m / s for m, s in zip(_RGB_MEAN, _RGB_STD, strict=True)],
    ),
    "caffe": (1.0, [-m for m in _BGR_MEAN]),
    "lite": (1 / 128, -127 / 128),
}
PIXEL_RULES = ("none", *_SCALES)


def scale_pixels(x: Any, rule: str) -> Any:
    """Scale RGB pixels in [0, 255] by `rule`, inside a functional model.

    Args:
        x: a KerasTensor or tensor `(batch, height, width, 3)`.
        rule: `"none"` (left as they are), `"unit"` ([0, 1]), `"tf"` ([-1, 1]),
            `"torch"` ([0, 1] minus ImageNet's mean, over its deviation), `"caffe"`
            (BGR minus ImageNet's mean) or `"lite"` (minus 127, over 128).

    Returns:
        The scaled pixels, float32, in the shape of `x`.

    Raises:
        ValueError: `rule` is none of `PIXEL_RULES`.
    """
    check_one_of("pixels", rule, PIXEL_RULES)
    if rule == "none":
        return x
    if rule == "caffe":
        x = ops.flip(x, axis=-1)
    scale, offset = _SCALES[rule]
    # float32 under every precision policy: half precision would round the pixels.
    return layers.Rescaling(scale, offset, dtype="float32", name="scale_pixels")(x)
