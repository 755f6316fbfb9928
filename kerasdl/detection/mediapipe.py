"""A `.tflite` file that MediaPipe Tasks' ObjectDetector takes as it is."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras import ops

from kerasdl import artefacts
from kerasdl._file_names import LABELS
from kerasdl.artefacts import Input, Signature, Tables, with_metadata
from kerasdl.artefacts.tflite_file import result_names

from .with_answers import PARTS, check_detector, with_answers

LOCATION, SCORE = "location", "score"
# Of the schemas in mediapipe/tasks/metadata.
_AXIS_LABELS, _FEATURES, _IMAGE, _BOX, _RGB, _BOUNDARIES = 2, 1, 2, 3, 1, 1
_NORMALIZATION = 1
_DETECTOR, _DETECTOR_IDENTIFIER, _MIN_PARSER = "DETECTOR_METADATA", b"V001", "1.0.0"


def save_mediapipe(
    model: keras.Model, path: str | Path, class_names: Sequence[str]
) -> None:
    """Write a `.tflite` file for MediaPipe's ObjectDetector, on phones and in browsers.

    It takes one picture, float32 `(1, height, width, 3)` in [0, 255], and returns its
    answers as MediaPipe reads them, `location` `(1, n, 4)` as y x h w of the middle, in
    shares of the sides, and `score` `(1, n, classes)`, 0 of other classes; of rows
    beyond the last answer -1 and 0. Class names and how boxes are read are in its
    metadata. MediaPipe suppresses once more, by a threshold of its own, and stretches
    photos.

    Args:
        model: a detector with layers "boxes" and "logits", or what `with_answers` made
            of it.
        path: the file.
        class_names: in the order of its classes.

    Raises:
        ValueError: `model` is no such detector.

    Reference:
        https://ai.google.dev/edge/mediapipe/solutions/vision/object_detector
    """
    shares = as_shares(model)
    places, classes = shares.output[SCORE].shape[1:]
    finish = partial(
        _described, class_names=list(class_names), places=places, classes=classes
    )
    artefacts.write_tflite(shares, path, shares_signature(shares), finish=finish)


def as_shares(model: keras.Model) -> keras.Model:
    """The model of that file; it shares the weights of `model`."""
    check_detector(model)
    classes = model.get_layer(PARTS[1]).output.shape[2]
    final = model if isinstance(model.output, dict) else with_answers(model)
    # Called, as an op behind those of a loaded model may have the name of one.
    pixels = keras.Input(model.input_shape[1:], name="pixels")
    answers = final(pixels)
    boxes, scores, labels = (answers[name] for name in ("boxes", "scores", "labels"))
    height, width = model.input_shape[1:3]
    sides = np.array([height, width], "float32")
    low, high = boxes[..., 1::-1], boxes[..., 3:1:-1]  # y x
    middle = (low + high) / (2 * sides)
    location = ops.concatenate([middle, (high - low) / sides], axis=-1)
    scores = ops.expand_dims(scores, 2)
    outputs = {
        # MediaPipe passes over boxes of negative sides, not over scores of 0.
        LOCATION: ops.where(scores > 0, location, -1.0),
        SCORE: ops.one_hot(labels, classes) * scores,
    }
    return keras.Model(pixels, outputs, name=f"{model.name}_shares")


def shares_signature(shares: keras.Model) -> Signature:
    """What that file takes and returns."""
    pixels = Input(tuple(shares.input_shape[1:]), "float32")
    return Signature({"pixels": pixels}, (LOCATION, SCORE))


def _described(
    content: bytes, class_names: Sequence[str], places: int, classes: int
) -> bytes:
    made = Tables()
    table, text, vector = made.table, made.text, made.vector
    one, zero = made.numbers([1], "f4"), made.numbers([0], "f4")
    normal = table(2, _0=zero, _1=one)  # NormalizationOptions: mean and std
    unit = table(2, b0=_NORMALIZATION, _1=normal)  # ProcessUnit
    image = table(3, b0=_IMAGE, _1=table(2, b0=_RGB))  # Content of ImageProperties
    pixels = table(7, _0=text("image"), _3=image, _4=vector(unit))
    order = made.numbers([0, 1, 2, 3], "u4")
    box = table(3, _0=order, b1=_BOUNDARIES)  # BoundingBoxProperties, as shares
    boxes = table(7, _0=text(LOCATION), _3=table(3, b0=_BOX, _1=box))
    labels = table(5, _0=text(LABELS), b2=_AXIS_LABELS)  # AssociatedFile
    features = table(3, b0=_FEATURES, _1=table(0))
    scores = table(7, _0=text(SCORE), _3=features, _6=vector(labels))
    outputs = {LOCATION: boxes, SCORE: scores}
    given = vector(*(outputs[name] for name in result_names(content)))
    detector = made.numbers(list(_detector(places, classes)), "u1")
    custom = table(2, _0=text(_DETECTOR), _1=detector)  # CustomMetadata
    graph = table(10, _2=vector(pixels), _3=given, _9=vector(custom))
    metadata = made.model("ObjectDetector", graph)
    return with_metadata(content, metadata, {LABELS: "\n".join(class_names)})


def _detector(places: int, classes: int) -> bytes:
    """`ObjectDetectorOptions`: boxes are shares as they stand, scores are final."""
    made = Tables()
    anchor = made.table(4, f2=1.0, f3=1.0)  # FixedAnchor of middle 0, 0 and sides 1, 1
    anchors = made.table(1, _0=made.vector(*[anchor] * places))  # FixedAnchorsSchema
    ssd = made.table(1, _0=anchors)  # SsdAnchorsOptions
    scales = dict.fromkeys(("f6", "f7", "f8", "f9"), 1.0)
    # There are no key points; MediaPipe refuses to read them of other than two values.
    decoding = made.table(12, i0=classes, i1=places, i2=4, i5=2, **scales)
    version = made.text(_MIN_PARSER)
    root = made.table(3, _0=version, _1=ssd, _2=decoding)
    return made.finished(root, _DETECTOR_IDENTIFIER)
