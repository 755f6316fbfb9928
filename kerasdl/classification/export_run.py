"""A trained classifier becomes files for other programs, each proved on photos."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasdl._atomic_folder import check_name
from kerasdl._checks import first_few
from kerasdl._file_names import LABELS
from kerasdl._seeds import resolve_seed
from kerasdl.artefacts import (
    CALIBRATED,
    FORMATS,
    check_formats,
    export_files,
    inference_model,
)
from kerasdl.data import ImageData

from .calibration import calibration_photos
from .check_photos import check_photos
from .export_judge import judge
from .export_report import ExportReport
from .files import quantization_errors, write_format
from .pixel_model import pixel_signature
from .predictor import Predictor
from .serve_bytes import serve_bytes_entries
from .split_photos import check_data
from .tta_model import tta_model


def export_run(
    run: str | Path | keras.Model,
    formats: Sequence[str] = FORMATS,
    calibration: ImageData | None = None,
    check: ImageData | None = None,
    max_drop: float = 0.01,
    tta: str | None = None,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    seed: int | None = None,
) -> ExportReport:
    """Write the files of a trained model, and prove each on photos.

    `model.keras` takes float32 in [0, 255]; every other file takes uint8 pixels as they
    are. All return probabilities, and bring the class names with them. Sizes, accuracy,
    agreement with the Keras model and times are in `export_report.json`, by format.

    Args:
        run: folder of a finished run, or a model of Keras's own layers that takes
            `(batch, height, width, 3)` of a fixed size.
        formats: some of `FORMATS`, or "tflite_mixed": int8 but for the operators that
            lose most by it.
        calibration: photos with the training split that int8 finds its ranges on; None
            takes those of `check`.
        check: photos whose test split, or validation split, is answered by every file.
        max_drop: accuracy, in [0, 1], that a file may lose.
        tta: views to average over, which the files then contain: "flip", "dihedral" or
            "five_crop" (see `predict.tta_model`); None for none.
        out: the folder to write; None is `export` in the run's folder. A model needs
            it.
        overwrite: replace an existing export.
        seed: of the calibration photos; None draws one and prints it.

    Returns:
        The report.

    Raises:
        ExportError: a format cannot be written, or its file does not run, loses more
            accuracy, or answers otherwise than it should; what was written stays in
            `<out>.partial`.
        ImportError: the extra `export` is not installed.
        ValueError: an argument is none of these, or the photos do not suit the model.
    """
    check = _with_labels(check)
    model, class_names, resize, out = _source(run, check, out)
    check_name(out)
    calibration = calibration or check
    check_data("calibration", calibration)
    formats = list(dict.fromkeys(formats))
    split = _check(
        model,
        class_names,
        resize,
        formats,
        calibration=calibration,
        check=check,
        max_drop=max_drop,
    )
    model = inference_model(model if tta is None else tta_model(model, tta))
    shown = check_photos(check, split)
    _check_probabilities(model, shown.pixels)
    calibrated = [name for name in formats if name in CALIBRATED]
    photos, errors = None, None
    if calibrated:
        seed = resolve_seed(seed)
        photos = calibration_photos(calibration, seed=seed)
        errors = cache(partial(quantization_errors, model, photos))

    def writer(name: str) -> Callable[[Path], None]:
        return lambda path: write_format(
            name,
            model,
            path,
            class_names=class_names,
            resize=resize,
            calibration=photos if name in calibrated else None,
            errors=errors,
        )

    def conclude(rows: dict[str, dict[str, Any]], own: dict[str, Any]) -> ExportReport:
        for name, row in rows.items():
            row["seed"] = seed
            if photos is not None and name in calibrated:
                row |= {"calibration_photos": len(photos), "calibration_seed": seed}
        return ExportReport(rows, own["accuracy"], max_drop)

    return export_files(
        model,
        pixel_signature(model, class_names),
        out,
        writers={name: writer(name) for name in formats},
        batches=shown.batches,
        samples={"pixels": shown.pixels},
        judge=judge,
        conclude=conclude,
        texts={LABELS: "".join(f"{name}\n" for name in class_names)},
        entries=(
            serve_bytes_entries(model, shown) if "saved_model" in formats else None
        ),
        errors=errors,
        overwrite=overwrite,
    )


def _with_labels(check: ImageData | None) -> ImageData:
    if check is None:
        raise ValueError(
            "`check` must be photos with labels, by which every file is proved. "
            "Received: check=None"
        )
    check_data("check", check)
    return check


def _source(
    run: str | Path | keras.Model, check: ImageData, out: str | Path | None
) -> tuple[keras.Model, list[str], str, Path]:
    """Model, class names, rule of resizing, and the folder to write."""
    if isinstance(run, keras.Model):
        if out is None:
            raise ValueError("`out` must name a folder for a model. Received: out=None")
        return run, check.class_names, check.resize, Path(out)
    predictor = Predictor.load(run)
    folder = Path(run).parent if Path(run).is_file() else Path(run)
    out = folder / "export" if out is None else Path(out)
    return predictor.model, predictor.class_names, predictor.resize, out


def _check(
    model: keras.Model,
    class_names: Sequence[str],
    resize: str,
    formats: Sequence[str],
    calibration: ImageData,
    check: ImageData,
    max_drop: float,
) -> str:
    """Raise before any work; returns the split to check with."""
    check_formats(formats, (*FORMATS, "tflite_mixed"))
    if not 0 <= max_drop <= 1:
        raise ValueError(f"`max_drop` must be in [0, 1]. Received: {max_drop=}")
    size = pixel_signature(model, class_names).inputs["pixels"].shape
    for name, data in (("check", check), ("calibration", calibration)):
        if list(data.class_names) != list(class_names):
            raise ValueError(
                f"`{name}` must have the classes of the model, "
                f"{first_few(class_names)}. Received: {name} with "
                f"{first_few(data.class_names)}"
            )
        if (*data.image_size, 3) != tuple(size):
            raise ValueError(
                f"`{name}` must have pictures as the model takes them, {tuple(size)}. "
                f"Received: image_size={data.image_size}. `with_image_size` makes them."
            )
        if data.resize != resize:
            raise ValueError(
                f"`{name}` must be resized as the photos of the training were, by "
                f"resize={resize!r}. Received: resize={data.resize!r}"
            )
    if set(CALIBRATED) & set(formats) and "train" not in calibration.splits:
        raise ValueError(
            "`calibration` must be photos with a training split for int8. Received: "
            f"splits {list(calibration.splits)}"
        )
    for split in ("test", "valid"):
        if split in check.splits and check.has_labels(split):
            return split
    raise ValueError("`check` must have labels in its test or validation split.")


def _check_probabilities(model: keras.Model, pixels: np.ndarray) -> None:
    outputs = model.predict_on_batch(pixels.astype("float32"))
    if not ((-1e-3 <= outputs) & (outputs <= 1.001)).all():
        raise ValueError(
            "`model` must return probabilities. Received: outputs from "
            f"{outputs.min():.4g} to {outputs.max():.4g}. A Softmax or a sigmoid at "
            "its end makes them of logits."
        )
