"""A SavedModel folder for TensorFlow Serving and other TensorFlow code."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from kerasdl._atomic import naming_full_folder
from kerasdl._atomic_folder import (
    check_free,
    check_name,
    claimed,
    empty_partial,
    publish,
)
from kerasdl._checks import check_one_of
from kerasdl._file_names import LABELS
from kerasdl.data import MAX_PIXELS
from kerasdl.runtime import silenced

from .pixel_function import check_pixel_model, pixel_module

_MARKER = "saved_model.pb"
_FILES = (_MARKER, LABELS, "assets", "variables", "fingerprint.pb")
_PNG = b"\x89PNG\r\n\x1a\n"
# How TensorFlow's resize does what each rule did in training.
_RESIZE = {
    "crop": {"crop_to_aspect_ratio": True},
    "squash": {},
    "pad": {"pad_to_aspect_ratio": True},
}


def save_saved_model(
    model: keras.Model,
    path: str | Path,
    class_names: Sequence[str],
    resize: str = "crop",
    *,
    overwrite: bool = False,
) -> None:
    """Write a trained model as a SavedModel folder, whole or not at all.

    Its signatures return `probabilities`, float32 `(batch, classes)`, and take

    - `serve` (and the default one): `pixels`, uint8 `(batch, height, width, 3)`;
    - `serve_bytes`: `images`, strings `(batch,)`, each a JPEG or PNG file of at most
      64 million pixels, which is decoded (not turned by its EXIF data) and resized
      inside.

    `assets/labels.txt` has the class names, one a line, in output order.

    Args:
        model: functional or Sequential, of Keras's own layers, with one input of
            `(batch, height, width, 3)` whose height and width are fixed.
        path: the folder.
        class_names: in output order.
        resize: "crop", "squash" or "pad", the rule of the training.
        overwrite: replace a SavedModel at `path`.

    Raises:
        ValueError: an argument is none of these, or `path` exists.
    """
    check_one_of("resize", resize, _RESIZE)
    path = Path(path)
    check_name(path)
    check_pixel_model(model, class_names)
    with claimed(path):
        check_free(path, _MARKER, overwrite)
        partial = empty_partial(path, _FILES)
        try:
            _save(model, partial, class_names, resize)
        except BaseException:
            shutil.rmtree(partial)
            raise
        publish(path)


def _save(
    model: keras.Model, folder: Path, class_names: Sequence[str], resize: str
) -> None:
    module = pixel_module(model)
    # The asset is copied from here; a temporary file would do as well.
    labels = folder / LABELS
    labels.write_text("\n".join(class_names), encoding="utf-8")
    module.labels = tf.saved_model.Asset(str(labels))
    height, width = model.input_shape[1:3]
    module.serve_bytes = _bytes_function(module.serve, height, width, resize)
    signatures = {"serve": module.serve, "serve_bytes": module.serve_bytes}
    signatures["serving_default"] = module.serve
    with silenced(), naming_full_folder(folder):
        tf.saved_model.save(module, str(folder), signatures)
    labels.unlink()


def _bytes_function(
    serve: Any, height: int, width: int, resize: str
) -> tf.types.experimental.PolymorphicFunction:
    """`serve` for encoded images."""

    def decode(encoded: Any) -> Any:
        message = f"an image must have at most {MAX_PIXELS:,} pixels"
        fits = tf.debugging.assert_less_equal(
            _num_pixels(encoded), tf.constant(MAX_PIXELS, tf.int64), message
        )
        with tf.control_dependencies([fits]):
            encoded = tf.identity(encoded)
        image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
        pixels = keras.ops.image.resize(
            tf.cast(image, tf.float32),
            (height, width),
            antialias=True,
            **_RESIZE[resize],
        )
        return tf.cast(tf.clip_by_value(tf.round(pixels), 0, 255), tf.uint8)

    spec = tf.TensorSpec((height, width, 3), tf.uint8)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="images")])
    def serve_bytes(images: Any) -> dict[str, Any]:
        return serve(tf.map_fn(decode, images, fn_output_signature=spec))

    return serve_bytes


def _num_pixels(encoded: Any) -> Any:
    """Pixels that a PNG or JPEG file declares, before any is decoded."""

    def of_png() -> Any:
        sides = tf.strings.substr(encoded, 16, 8)
        return tf.io.decode_raw(sides, tf.int32, little_endian=False)

    def of_jpeg() -> Any:
        return tf.image.extract_jpeg_shape(encoded)[:2]

    is_png = tf.equal(tf.strings.substr(encoded, 0, len(_PNG)), _PNG)
    is_whole = tf.strings.length(encoded) >= 24
    sides = tf.cond(is_png & is_whole, of_png, of_jpeg)
    return tf.reduce_prod(tf.cast(sides, tf.int64))
