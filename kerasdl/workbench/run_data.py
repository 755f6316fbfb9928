"""The images of a finished run, found again; heavy imports come late."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import arrays, photos
from .messages import told_of

if TYPE_CHECKING:
    from kerasdl.data import ImageCheck, ImageData
    from kerasdl.runs import RunInfo

BATCH_SIZE = 32
_LABELS = (  # arguments of `photos.add_label_arguments`
    "labels",
    "image_column",
    "label_column",
    "delimiter",
    "suffix",
    "on_missing",
)
_DATASETS = ("mnist", "fashion_mnist", "cifar10")  # functions of kerasdl.data


def recorded_data(run: "RunInfo") -> "ImageData":
    """Read what `run` trained on and was tested with, from where its manifest says.

    Raises:
        ValueError: it is not there, or not what the run found there; or the run's
            images have several labels, and not by `--labels`.
    """
    if not _reading(run).get("labels"):
        _check_single_label(run)
    if "fingerprint" not in run.manifest.get("data", {}):
        raise _missing(run, "a manifest without data")
    try:
        reading = _reading(run)
        return read_again(run, reading)[0] if "resize" in reading else _arrays(run)
    except (ValueError, KeyError) as error:
        raise _missing(run, str(error)) from error


def photo_reading(
    run: "RunInfo", directory: str | Path | None = None, quick: bool = False
) -> dict[str, Any]:
    """How the photos of `run` are read, for `read_again`.

    A run that reads photos as another one did keeps it in its manifest, as `reading`.

    Args:
        run: one of a folder of photos with a label each.
        directory: of other photos; None is where the manifest says.
        quick: whether to take as few as `--quick` does.

    Raises:
        ValueError: `run` is another.
    """
    reading = _reading(run)
    is_photos = {"data", "resize", "max_train", "on_error"} <= reading.keys()
    if not is_photos or "fingerprint" not in run.manifest.get("data", {}):
        raise ValueError(
            "The run must be one of a folder of photos. Received: "
            f"{run.path}, whose manifest names none"
        )
    _check_single_label(run)
    reading["quick"] = quick or reading["quick"]
    if directory is not None:
        reading["data"] = str(directory)
    names = (
        "data",
        "resize",
        "max_train",
        "on_error",
        "max_pixels",
        "quick",
        "cache",
        "seed",
        *_LABELS,
    )
    return {name: reading[name] for name in names if name in reading}


def read_again(
    run: "RunInfo", reading: dict[str, Any]
) -> "tuple[ImageData, ImageCheck]":
    """Read photos in the geometry of `run`, in the splits that `reading` says.

    Returns:
        The photos, and what is wrong with their files.

    Raises:
        ValueError: they are not there, have other classes, or are not what `run` found
            at the place its manifest names.
    """
    cache = reading.get("cache")
    options = photos.PhotoOptions(
        data=reading["data"],
        cache=cache and Path(cache),
        batch_size=BATCH_SIZE,
        resize=reading["resize"],
        max_train=reading["max_train"],
        on_error=reading["on_error"],
        max_pixels=reading.get("max_pixels"),
        quick=reading["quick"],
        **{name: reading[name] for name in _LABELS if name in reading},
    )
    size = run.manifest["image_size"]
    data, check = photos.read_photos(options, size, None, seed=reading["seed"])
    is_own = reading["data"] == _reading(run)["data"]
    if is_own and check.fingerprint != run.manifest["data"]["fingerprint"]:
        what = f"photos at {reading['data']}"
        if reading.get("labels"):
            what += f", or other labels in {reading['labels']},"
        raise ValueError(f"other {what} than {run.path} found")
    if list(data.class_names) != run.labels:
        raise ValueError(
            f"The photos must have the classes of {run.path}, {run.labels}. Received: "
            f"{list(data.class_names)} at {reading['data']}"
        )
    return data, check


def class_folders(
    name: str,
    directory: str | Path,
    run: "RunInfo",
    max_pixels: int | None = None,
) -> "ImageData":
    """Read a folder of photos per class, in the geometry of `run`; all its splits.

    Args:
        name: of the argument, for its errors.
        directory: holds a folder for each class.
        run: whose classes they are.
        max_pixels: of a photo that is decoded; None takes the default.

    Raises:
        ValueError: `directory` has other classes, or the run's images have several
            labels.
    """
    _check_single_label(run)
    from kerasdl.data import MAX_PIXELS, ImageData

    path = Path(directory).resolve()
    if not path.is_dir():
        raise ValueError(f"`{name}` must be a folder. Received: {name}={directory}")
    try:
        data = ImageData.from_folder(
            path.parent,
            train=path.name,
            valid=path.name,
            test=path.name,
            image_size=run.manifest["image_size"],
            batch_size=BATCH_SIZE,
            resize=run.manifest["resize"],
            on_error="skip",
            max_pixels=max_pixels or MAX_PIXELS,
            seed=0,
        )
    except ValueError as error:
        raise told_of(error, "directory", name) from error
    if list(data.class_names) != run.labels:
        raise ValueError(
            f"`{name}` must hold a folder for each class of the run, {run.labels}. "
            f"Received: {list(data.class_names)}"
        )
    return data


def _check_single_label(run: "RunInfo") -> None:
    if run.manifest.get("multi_label"):
        raise ValueError(
            f"The run must have one label a photo. Received: {run.path}, with several. "
            "`kerasdl.export.export_run(run, check=data)` takes any `ImageData`."
        )


def _reading(run: "RunInfo") -> dict[str, Any]:
    own = run.manifest["arguments"] | {"seed": run.manifest["seed"]}
    return dict(run.manifest.get("reading", own))


def _arrays(run: "RunInfo") -> "ImageData":
    from kerasdl import data as kdata

    recorded = run.manifest["data"]
    if recorded["dataset"] not in _DATASETS:
        raise ValueError(f"dataset {recorded['dataset']!r}")
    data = getattr(kdata, recorded["dataset"])(
        run.manifest["arguments"]["data"],
        recorded["valid_fraction"],
        run.manifest["image_size"],
        batch_size=BATCH_SIZE,
        max_images=recorded["max_images"],
        seed=run.manifest["seed"],
    )
    if arrays.fingerprint(data) != recorded["fingerprint"]:
        raise ValueError("other images")
    if list(data.class_names) != run.labels:
        raise ValueError(f"classes {list(data.class_names)}")
    return data


def _missing(run: "RunInfo", received: str) -> ValueError:
    return ValueError(
        f"The images that {run.path} was made of must be where its manifest says. "
        f"Received: {received}. Name folders with a folder per class by --check and "
        "--calibration."
    )
