"""How good a detector is on a split, in training and after."""

from collections.abc import Callable
from functools import cache

import keras

from .data import BoxData
from .detections import Detections
from .detector import Detector
from .measures import average_precision
from .with_answers import with_answers


def detect_split(model: keras.Model, data: BoxData, split: str = "valid") -> Detections:
    """Boxes that a detector finds in the photos of a split.

    Args:
        model: gives raw answers, such as `fcos`, or final ones, as of `with_answers`.
        data: of its training.
        split: one of its splits.
    """
    if not isinstance(model.output, dict):
        model = with_answers(model)
    detector = Detector(model, data.class_names, data.resize)
    return detector.predict(
        data.files(split),
        data.annotations.root,
        on_error=data.on_error,
        max_pixels=data.max_pixels,
    )


def validation_map(data: BoxData) -> Callable[[keras.Model], dict[str, float]]:
    """What `callbacks.Evaluation` takes to put COCO's measures into the history.

    Returns:
        A function of a detector that gives `val_map` and `val_ap50` of the validation
        photos.
    """
    answering = cache(with_answers)  # once for a model: a trace takes seconds

    def measure(model: keras.Model) -> dict[str, float]:
        boxes = detect_split(answering(model), data).boxes
        found = average_precision(data.of_split("valid"), boxes).iloc[-1]
        return {"val_map": found["map"], "val_ap50": found["ap50"]}

    return measure
