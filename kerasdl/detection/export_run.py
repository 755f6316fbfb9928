"""A trained detector becomes files for other programs, each proved on photos."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import ExifTags, Image

from kerasdl._atomic_folder import check_name
from kerasdl._checks import first_few
from kerasdl._file_names import LABELS
from kerasdl._progress import show_progress
from kerasdl._seeds import resolve_seed
from kerasdl.artefacts import (
    FORMATS,
    QUANTIZE,
    Arrays,
    Batch,
    Entries,
    check_formats,
    check_same,
    enough,
    export_files,
    inference_model,
    save_inference_model,
)
from kerasdl.data import MAX_PIXELS

from .annotations import Annotations
from .detector import Detector
from .export_report import DetectionExportReport, in_tables, judge
from .files import (
    COMPARED,
    save_onnx,
    save_saved_model,
    save_tflite,
    signature,
)
from .mediapipe import save_mediapipe
from .views import Geometry, View, views

DETECTION_FORMATS = (*FORMATS, "mediapipe")
_CALIBRATED = "tflite_int8"
_CALIBRATION = 100  # photos
_AT_ONCE = 8
_ENTRY = "serve_bytes"
# What resizing by TensorFlow instead of OpenCV may change of a score, in the mean of
# the best answers of some photos.
_RESIZED = 0.1


def export_run(
    run: str | Path,
    check: Annotations,
    formats: Sequence[str] = DETECTION_FORMATS,
    calibration: Annotations | None = None,
    max_drop: float = 0.01,
    *,
    out: str | Path | None = None,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
    seed: int | None = None,
) -> DetectionExportReport:
    """Write the files of a finished run, and prove each by the mAP of its answers.

    That of their masks, too, where the run has them.

    All take pixels in [0, 255], float32, and answer with boxes in them;
    `model_mediapipe.tflite` gives them as MediaPipe reads them.

    Args:
        run: folder of a finished run of a detector.
        check: photos with boxes that every file answers.
        formats: some of `DETECTION_FORMATS`.
        calibration: photos that int8 finds its ranges on; None takes those of `check`.
        max_drop: mAP, in [0, 1], that a file may lose.
        out: the folder to write; None is `export` in the run's folder.
        max_pixels: of a photo that is decoded.
        overwrite: replace an existing export.
        seed: of the calibration photos; None draws one and prints it.

    Returns:
        The report.

    Raises:
        ExportError: a format cannot be written, or its file does not run or loses more
            mAP; what was written stays in `<out>.partial`.
        ImportError: the extra `export` is not installed.
        ValueError: an argument is none of these, or no photo can be read.
    """
    detector = Detector.load(run)
    out = Path(run) / "export" if out is None else Path(out)
    check_name(out)
    formats = list(dict.fromkeys(formats))
    calibration = check if calibration is None else calibration
    _check(detector, formats, check, max_drop)
    truth = replace(check, class_names=detector.class_names)
    model = inference_model(detector.model)
    shown, batches = _photos(check, detector.geometry, max_pixels)
    ranges = None
    if _CALIBRATED in formats:
        seed = resolve_seed(seed)
        ranges = _calibration(calibration, detector.geometry, max_pixels, seed=seed)

    def conclude(
        rows: dict[str, dict[str, Any]], own: dict[str, Any]
    ) -> DetectionExportReport:
        for name, row in rows.items():
            row["seed"] = seed
            if ranges is not None and name == _CALIBRATED:
                row["calibration_photos"] = len(ranges)
        return DetectionExportReport(rows, own["map"], max_drop)

    pixels = np.stack([view.pixels for view in shown]).astype("float32")
    files = [check.root / view.file for view in shown]
    return export_files(
        model,
        signature(model),
        out,
        writers={name: _writer(name, model, detector, ranges) for name in formats},
        batches=batches,
        samples={"pixels": pixels},
        judge=partial(judge, truth=truth),
        keep=partial(
            in_tables,
            geometry=detector.geometry,
            class_names=detector.class_names,
        ),
        conclude=conclude,
        texts={LABELS: "".join(f"{name}\n" for name in detector.class_names)},
        entries=_bytes_entries(model, pixels, files)
        if "saved_model" in formats
        else None,
        compared=COMPARED,
        overwrite=overwrite,
    )


def _writer(
    name: str, model: keras.Model, detector: Detector, ranges: np.ndarray | None
) -> Callable[[Path], None]:
    """What writes a format."""
    names = detector.class_names
    if name in FORMATS and name in QUANTIZE:
        return lambda path: save_tflite(model, path, QUANTIZE[name], ranges)
    return {
        "keras": lambda path: save_inference_model(model, path),
        "onnx": lambda path: save_onnx(model, path, names),
        "saved_model": lambda path: save_saved_model(
            model, path, names, detector.resize
        ),
        "mediapipe": lambda path: save_mediapipe(model, path, names),
    }[name]


def _photos(
    check: Annotations, geometry: Geometry, max_pixels: int
) -> tuple[list[View], Iterator[Batch]]:
    """The first views, and batches of all of them, read once."""
    files = list(check.photos.index)
    every = views(files, check.root, geometry, max_pixels, {})
    first = list(islice(every, _AT_ONCE))
    if not first:
        raise ValueError(
            "`check` must have photos that can be read. Received: none of "
            f"{len(files)} below {str(check.root)!r}"
        )

    def batches() -> Iterator[Batch]:
        whole = chain(first, every)
        parts = iter(lambda: list(islice(whole, _AT_ONCE)), [])
        for part in show_progress(parts, len(files), "checking", step=_AT_ONCE):
            pixels = np.stack([view.pixels for view in part]).astype("float32")
            # Without their pixels, which would all be kept.
            yield {"pixels": pixels}, [view._replace(pixels=None) for view in part]

    return first, batches()


def _calibration(
    photos: Annotations, geometry: Geometry, max_pixels: int, *, seed: int
) -> np.ndarray:
    """Pixels of up to a hundred photos, float32."""
    files = np.random.default_rng(seed).permutation(photos.photos.index).tolist()
    every = views(files, photos.root, geometry, max_pixels, {})
    found = [view.pixels for view in islice(every, _CALIBRATION)]
    if len(found) < 2:
        raise ValueError(
            "`calibration` must have two photos or more that can be read for int8. "
            f"Received: {len(found)}"
        )
    return np.stack(found).astype("float32")


def _bytes_entries(
    model: keras.Model, pixels: np.ndarray, files: Sequence[Path]
) -> Entries:
    """Ask the SavedModel for pictures of the model's size as PNG, and for files.

    Its row gains `serve_bytes_difference`, the mean one of the best score between files
    that it reads and their photos as resized here.
    """
    samples = enough({"pixels": pixels})["pixels"]
    expected = model.predict_on_batch(samples)
    encoded = [tf.io.encode_png(p.astype("uint8")).numpy() for p in samples]
    calls = {_ENTRY: (_ENTRY, {"images": np.array(encoded, object)})}
    places = [place for place, file in enumerate(files) if _is_upright(file)]
    if places:
        contents = [files[place].read_bytes() for place in places]
        calls["files"] = _ENTRY, {"images": np.array(contents, object)}

    def judged(answers: Mapping[str, Arrays]) -> dict[str, Any]:
        row = {}
        if places:
            own = model.predict_on_batch(pixels[places])["scores"]
            off = np.abs(answers["files"]["scores"] - own)[:, 0].mean()
            row["serve_bytes_difference"] = float(off)
            if not off <= _RESIZED:
                raise ValueError(f"serve_bytes answers {len(places)} photos otherwise")
        same = {name: expected[name] for name in COMPARED}
        check_same(_ENTRY, answers[_ENTRY], same)
        return row

    return Entries(calls, judged)


def _is_upright(file: Path) -> bool:
    """Whether TensorFlow reads a file as it is read here."""
    with Image.open(file) as image:
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
        return image.format in ("JPEG", "PNG") and not turned


def _check(
    detector: Detector,
    formats: Sequence[str],
    check: Annotations,
    max_drop: float,
) -> None:
    """Raise before any work."""
    check_formats(formats, DETECTION_FORMATS)
    if not 0 <= max_drop <= 1:
        raise ValueError(f"`max_drop` must be in [0, 1]. Received: {max_drop=}")
    if unknown := set(check.boxes["label"]) - set(detector.class_names):
        raise ValueError(
            "`check` must have boxes of the run's classes alone, "
            f"{first_few(detector.class_names)}. Received: {first_few(sorted(unknown))}"
        )
