"""Proof that a SavedModel reads image files itself as they were read in training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasdl.artefacts import Arrays, Entries, check_same, enough

from .check_photos import CheckPhotos, upright_files

_ENTRY = "serve_bytes"
# What resizing by TensorFlow instead of OpenCV may change of a probability, in the
# mean of some photos: a wrong one changes far more.
_RESIZED = 0.1


def serve_bytes_entries(model: keras.Model, photos: CheckPhotos) -> Entries:
    """Ask for pictures of the model's size as PNG, and for files as they are.

    The row of the SavedModel gains `serve_bytes_difference`, the mean one of a
    probability between files that it reads and their photos as resized here.
    """
    pixels = enough({"pixels": photos.pixels})["pixels"]
    expected = {"probabilities": model.predict_on_batch(pixels.astype("float32"))}
    upright = upright_files(photos, len(pixels))
    places = list(upright)
    encoded = [tf.io.encode_png(picture).numpy() for picture in pixels]
    calls = {_ENTRY: (_ENTRY, {"images": np.array(encoded, object)})}
    if places:
        files = [Path(file).read_bytes() for file in upright.values()]
        calls["files"] = _ENTRY, {"images": np.array(files, object)}

    def judge(answers: Mapping[str, Arrays]) -> dict[str, Any]:
        row = {}
        if places:
            resized = model.predict_on_batch(photos.pixels[places].astype("float32"))
            found = answers["files"]["probabilities"]
            row["serve_bytes_difference"] = float(np.abs(found - resized).mean())
            if not row["serve_bytes_difference"] <= _RESIZED:
                raise ValueError(f"serve_bytes answers {len(places)} photos otherwise")
        check_same(_ENTRY, answers[_ENTRY], expected)
        return row

    return Entries(calls, judge)
