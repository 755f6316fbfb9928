"""Encoded images to pixels inside a graph, where only TensorFlow runs."""

from typing import Any

import keras
import tensorflow as tf

from ._decode import MAX_PIXELS

_PNG = b"\x89PNG\r\n\x1a\n"
# How TensorFlow's resize does what each rule did in training.
RESIZE = {
    "crop": {"crop_to_aspect_ratio": True},
    "squash": {},
    "pad": {"pad_to_aspect_ratio": True},
}


def graph_decode(encoded: Any, image_size: tuple[int, int], resize: str) -> Any:
    """Decode a JPEG or PNG file and resize it, in a graph.

    It is not turned by its EXIF data.

    Args:
        encoded: its bytes, a string tensor `()`; of at most 64 million pixels.
        image_size: (height, width) in pixels.
        resize: "crop", "squash" or "pad".

    Returns:
        RGB pixels, uint8 `(height, width, 3)`.
    """
    message = f"an image must have at most {MAX_PIXELS:,} pixels"
    fits = tf.debugging.assert_less_equal(
        tf.reduce_prod(graph_size(encoded)), tf.constant(MAX_PIXELS, tf.int64), message
    )
    with tf.control_dependencies([fits]):
        encoded = tf.identity(encoded)
    image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    pixels = keras.ops.image.resize(
        tf.cast(image, tf.float32), image_size, antialias=True, **RESIZE[resize]
    )
    return tf.cast(tf.clip_by_value(tf.round(pixels), 0, 255), tf.uint8)


def graph_size(encoded: Any) -> Any:
    """Height and width that a PNG or JPEG file declares, int64 `(2,)`."""

    def of_png() -> Any:
        sides = tf.strings.substr(encoded, 16, 8)
        return tf.io.decode_raw(sides, tf.int32, little_endian=False)[::-1]

    def of_jpeg() -> Any:
        return tf.image.extract_jpeg_shape(encoded)[:2]

    is_png = tf.equal(tf.strings.substr(encoded, 0, len(_PNG)), _PNG)
    is_whole = tf.strings.length(encoded) >= 24
    sides = tf.cond(is_png & is_whole, of_png, of_jpeg)
    return tf.ensure_shape(tf.cast(sides, tf.int64), (2,))
