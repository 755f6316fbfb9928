"""Predict with a finished run: photos in, class names and probabilities out."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import pandas as pd

from kerasdl._atomic import write_text
from kerasdl._checks import (
    check_one_of,
    check_positive_int,
    check_writable,
    size_pair,
)
from kerasdl._described import Described, named_network, some
from kerasdl._names import as_text
from kerasdl._parallel import map_ahead
from kerasdl._pixels import check_pixels
from kerasdl._run_info import IMAGE_CLASSIFICATION
from kerasdl.data import (
    MAX_PIXELS,
    RESIZE_MODES,
    ImageError,
    list_images,
    read_image,
    warp_image,
)
from kerasdl.models import load_model
from kerasdl.models.picture_shape import picture_shape
from kerasdl.runs import LABELS, MANIFEST, read_run

from .likeness import Likeness, with_features
from .outputs import (
    are_unsure,
    check_numbers,
    check_outputs,
    class_probabilities,
    num_outputs,
    rows_without_numbers,
)

_SHOWN = 12  # photos that `repr` names


@dataclass(frozen=True, eq=False, repr=False)
class Predictions(Described):
    """What a model says of some pictures, in the order they were given.

    Attributes:
        files: the files, in UTF-8 whatever the bytes on disk; for an array "0", "1",
            ...
        labels: the most probable class of each; with several labels a picture, a list
            of all classes whose probability is above their threshold, the most probable
            first.
        probabilities: `(pictures, classes)`, also for a one-unit sigmoid.
        class_names: in the order of the columns of `probabilities`.
        damaged: reason by file of what was left out.
        is_multi_label: whether a picture may have several labels, or none.
        unlike: whether each picture is unlike the training photos, as `Likeness` has
            it; none of them where that is not known.
    """

    files: list[str]
    labels: list[str] | list[list[str]]
    probabilities: np.ndarray
    class_names: list[str]
    damaged: dict[str, str] = field(default_factory=dict)
    is_multi_label: bool = False
    unlike: np.ndarray | None = None

    @property
    def unsure(self) -> np.ndarray:
        """Whether each answer is less than twice as probable as another one, `(n,)`.

        With several labels a picture, whether that holds of a label and its absence.
        """
        return are_unsure(self.probabilities, self.is_multi_label)

    def remark(self, row: int) -> str:
        """What to mind about a picture's answer: nothing, "unsure", "unlike ..."."""
        own = self.probabilities[row : row + 1]
        remarks = ["unsure"] if are_unsure(own, self.is_multi_label)[0] else []
        if self.unlike is not None and self.unlike[row]:
            remarks.append("unlike the training photos")
        return ", ".join(remarks)

    def to_frame(self) -> pd.DataFrame:
        """Table with a row for each file.

        Columns `file`, `label` and `probability` (of that label), then the probability
        of each class under its name. With several labels a picture, `file` and `labels`
        (with ";" between them), then the classes.
        """
        if self.is_multi_label:
            labels = [";".join(names) for names in self.labels]
            table = pd.DataFrame({"file": self.files, "labels": labels})
        else:
            table = pd.DataFrame({"file": self.files, "label": self.labels})
            table["probability"] = self.probabilities.max(axis=1, initial=0)
        classes = pd.DataFrame(self.probabilities, columns=self.class_names)
        return pd.concat([table, classes], axis=1)

    def _headline(self) -> str:
        left_out = f", {len(self.damaged)} left out" if self.damaged else ""
        photos = "photo" if len(self.files) == 1 else "photos"
        return f"Predictions of {len(self.files):,} {photos}{left_out}"

    def _facts(self) -> dict[str, str]:
        facts = {}
        for row, file in enumerate(self.files[:_SHOWN]):
            own = self.labels[row]
            labels = [own] if isinstance(own, str) else own
            given = dict(zip(self.class_names, self.probabilities[row], strict=True))
            named = [f"{label} {given[label]:.4f}" for label in labels]
            remark = self.remark(row)
            answer = ", ".join(named) or "no label"
            facts[file] = f"{answer} ({remark})" if remark else answer
        more = len(self.files) - _SHOWN
        return facts | ({"...": f"{more:,} more"} if more > 0 else {})

    def to_csv(self, path: str | Path) -> None:
        """Write `to_frame()` as CSV, whole or not at all.

        Raises:
            ValueError: `path` is a folder, or in none.
        """
        check_writable("path", path)
        write_text(path, self.to_frame().to_csv(index=False))


class Predictor(Described):
    """A classifier, its class names, and the geometry its pictures were trained in.

    Args:
        model: takes pixels `(batch, height, width, 3)` in [0, 255] and returns one
            probability a class, or for two classes that of the second alone.
        class_names: in output order.
        image_size: one side or (height, width), in pixels.
        resize: "crop", "squash" or "pad", the rule of the training.
        thresholds: None for one label a picture; for several, the probability above
            which each is an answer, one or `(classes,)`, as `fit_thresholds` finds.
        likeness: tells photos that are unlike the training ones; None tells none.

    Raises:
        ValueError: an argument outside its range, or a model of other pictures, or with
            another number of outputs than class names.
    """

    def __init__(
        self,
        model: keras.Model,
        class_names: Sequence[str],
        image_size: int | tuple[int, int],
        resize: str = "crop",
        thresholds: float | Sequence[float] | None = None,
        likeness: Likeness | None = None,
    ) -> None:
        check_one_of("resize", resize, RESIZE_MODES)
        check_outputs(model, class_names)
        self.model = model
        self.class_names = list(class_names)
        self.image_size = size_pair("image_size", image_size)
        _check_inputs(model, self.image_size)
        self.resize = resize
        self.thresholds = None
        if thresholds is not None:
            outputs = num_outputs(model)
            self.thresholds = _thresholds(thresholds, outputs, class_names)
        self.likeness = likeness
        self._both = None if likeness is None else with_features(model)

    @classmethod
    def load(cls, run_folder: str | Path) -> Self:
        """Load the model of a finished run.

        Where its manifest says `multi_label`, a picture has all labels whose
        probability is above their `thresholds`, or above 0.5 without such.

        Args:
            run_folder: the folder, or the `model.keras` in it.

        Raises:
            ValueError: it is no finished run of a classifier of pictures.
        """
        run = read_run(run_folder)
        run.of_task({IMAGE_CLASSIFICATION: cls})
        missing = [key for key in ("image_size", "resize") if key not in run.manifest]
        if missing or not run.labels or not run.model_path.is_file():
            raise ValueError(
                f"`run_folder` must hold {run.model_path.name}, and its {MANIFEST} "
                f"image_size and resize, and {LABELS}. "
                f"Received: run_folder={str(run_folder)!r}"
            )
        return cls(
            load_model(run.model_path),
            run.labels,
            run.manifest["image_size"],
            run.manifest["resize"],
            run.manifest.get("thresholds", 0.5)
            if run.manifest.get("multi_label")
            else None,
            likeness=_likeness(run.manifest),
        )

    def predict(
        self,
        images: str | Path | Sequence[str | Path] | np.ndarray,
        batch_size: int = 32,
        *,
        on_error: str = "raise",
        max_pixels: int = MAX_PIXELS,
    ) -> Predictions:
        """Classify pictures; they are brought to the model's size as in training.

        Args:
            images: a file, a folder (all images below it, by folder, then by name), a
                list of such, or RGB pixels in [0, 255], `(height, width, 3)` or `(n,
                height, width, 3)`, uint8 or float.
            batch_size: pictures in a batch.
            on_error: "raise" stops at a damaged file, "skip" leaves it out and notes it
                in `damaged`; likewise a picture to which the model's answer is no
                number.
            max_pixels: largest height * width of a file that is decoded, a JPEG's after
                it was reduced towards the model's size.

        Raises:
            ImageError: a file cannot be used; the message names it.
            ValueError: no pictures, an array that holds something else, or a model
                whose answers are no numbers.
        """
        check_positive_int("batch_size", batch_size)
        check_one_of("on_error", on_error, ("raise", "skip"))
        check_positive_int("max_pixels", max_pixels)
        if isinstance(images, np.ndarray):
            pictures = _pictures(images)
            files = [str(number) for number in range(len(pictures))]
        else:
            pictures = _files(images)
            files = list(map(as_text, pictures))
        if not pictures:
            raise ValueError(
                "`images` must hold pictures. Received: "
                f"{'an empty array' if isinstance(images, np.ndarray) else images!r}"
            )
        damaged: dict[str, str] = {}

        def ready(picture: str | Path | np.ndarray) -> np.ndarray | None:
            try:
                return self._ready(picture, max_pixels)
            except ImageError as error:
                if on_error == "raise":
                    raise
                damaged[as_text(error.path)] = error.reason
                return None

        usable = (pixels for pixels in map_ahead(ready, pictures) if pixels is not None)
        outputs = [np.empty((0, self.model.output_shape[-1]), "float32")]
        unlike = [np.empty(0, bool)]
        while batch := list(islice(usable, batch_size)):
            if self._both is None or self.likeness is None:
                outputs.append(self.model.predict_on_batch(np.stack(batch)))
                continue
            features, answers = self._both.predict_on_batch(np.stack(batch))
            outputs.append(answers)
            unlike.append(self.likeness.are_unlike(features))
        strange = None if self._both is None else np.concatenate(unlike)
        probabilities = class_probabilities(np.concatenate(outputs))
        answered = [file for file in files if file not in damaged]
        bad = rows_without_numbers(probabilities)
        if bad.any():
            if on_error == "raise":
                check_numbers(probabilities, answered)
            unknown = [answered[row] for row in np.flatnonzero(bad)]
            damaged |= dict.fromkeys(unknown, "the model's answer is no number")
            answered = [file for file in answered if file not in damaged]
            probabilities = probabilities[~bad]
            strange = None if strange is None else strange[~bad]
        return Predictions(
            files=answered,
            labels=self.labels(probabilities),
            probabilities=probabilities,
            class_names=self.class_names,
            damaged={file: damaged[file] for file in files if file in damaged},
            is_multi_label=self.thresholds is not None,
            unlike=strange,
        )

    def labels(self, probabilities: np.ndarray) -> list[str] | list[list[str]]:
        """Answers of rows `(n, classes)`, as `Predictions.labels` holds them."""
        names = self.class_names
        if self.thresholds is None:
            return [names[best] for best in probabilities.argmax(axis=1)]
        falling = np.argsort(-probabilities, axis=1, kind="stable")
        above = probabilities > self.thresholds
        return [
            [names[label] for label in order if row[label]]
            for order, row in zip(falling, above, strict=True)
        ]

    def _facts(self) -> dict[str, str]:
        height, width = self.image_size
        facts = {
            "network": named_network(self.model),
            "classes": f"{len(self.class_names)}: {some(self.class_names)}",
            "photos": f"{height} x {width} pixels, {self.resize}",
        }
        if self.thresholds is not None:
            facts["thresholds"] = some(self.thresholds.round(3).ravel().tolist())
        return facts

    def _ready(self, picture: str | Path | np.ndarray, max_pixels: int) -> np.ndarray:
        """Pixels of a file or an array, float32 `(*image_size, 3)`."""
        if not isinstance(picture, np.ndarray):
            picture = read_image(picture, self.image_size, max_pixels)
        return warp_image(picture, self.image_size, self.resize).astype("float32")


def _likeness(manifest: dict[str, Any]) -> Likeness | None:
    """What a run knows of its training photos."""
    found = manifest.get("likeness")
    return None if found is None else Likeness.from_json(found)


def _check_inputs(model: keras.Model, image_size: tuple[int, int]) -> None:
    """Raise ValueError unless `model` takes RGB pictures of `image_size`."""
    taken = picture_shape(model)[1:]
    sides = zip(taken, (*image_size, 3), strict=True)
    if any(side not in (None, given) for side, given in sides):
        raise ValueError(
            "`image_size` must be that of the model's pictures, in RGB. Received: "
            f"image_size={image_size} for a model of {taken}. `models.with_input_size` "
            "and `models.with_rgb_input` make one of others."
        )


def _thresholds(
    thresholds: float | Sequence[float], outputs: int, class_names: Sequence[str]
) -> np.ndarray:
    """One threshold, or one for each class, checked."""
    found = np.asarray(thresholds, float)
    fits = found.shape in ((), (len(class_names),)) and outputs == len(class_names)
    if not fits or not np.isfinite(found).all():
        raise ValueError(
            "`thresholds` must be one, or one for each class, of a model with an "
            f"output for each. Received: thresholds={thresholds!r} for "
            f"{len(class_names)} classes ({outputs} outputs)"
        )
    return found


def _files(images: str | Path | Sequence[str | Path]) -> list[str | Path]:
    """The files that `images` names, a folder standing for all images below it."""
    files = []
    if isinstance(images, (str, os.PathLike)) or not isinstance(images, Iterable):
        images = [images]
    for path in images:
        if not isinstance(path, (str, os.PathLike)):
            raise ValueError(
                "`images` must be files or folders, or one array (n, height, width, 3) "
                f"of pixels. Received: {type(path).__name__} in place of a path. "
                "`np.stack` makes one array of several."
            )
        if Path(path).is_dir():
            files += [Path(path) / image for image in list_images(path)[0]]
        else:
            files.append(path)
    return files


def _pictures(images: np.ndarray) -> list[np.ndarray]:
    """The pictures in an array, uint8 or float32 as OpenCV wants them."""
    stack = images[None] if images.ndim == 3 else images
    if (
        stack.ndim != 4
        or stack.shape[-1] != 3
        or not (stack.dtype == np.uint8 or np.issubdtype(stack.dtype, np.floating))
    ):
        raise ValueError(
            "`images` must be files, or an array (n, height, width, 3) of uint8 or "
            f"float. Received: an array {images.shape} of {images.dtype}"
        )
    check_pixels("images", stack)
    return list(stack if stack.dtype == np.uint8 else stack.astype("float32"))
