"""The images of a finished run, found again; heavy imports come late."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from . import arrays, photos

if TYPE_CHECKING:
    from kerasdl.data import ImageData
    from kerasdl.runs import RunInfo

BATCH_SIZE = 32


def recorded_data(run: "RunInfo") -> "ImageData":
    """Read what `run` trained on and was tested with, from where its manifest says.

    Raises:
        ValueError: it is not there, or not what the run found there.
    """
    if "fingerprint" not in run.manifest.get("data", {}):
        raise _missing(run, "a manifest without data")
    try:
        is_photos = "resize" in run.manifest["arguments"]
        data = (_photos if is_photos else _arrays)(run)
    except (ValueError, KeyError) as error:
        raise _missing(run, str(error)) from error
    if list(data.class_names) != run.labels:
        raise _missing(run, f"classes {list(data.class_names)}")
    return data


def class_folders(name: str, directory: str | Path, run: "RunInfo") -> "ImageData":
    """Read a folder of photos per class, in the geometry of `run`; all its splits.

    Args:
        name: of the argument, for its errors.
        directory: holds a folder for each class.
        run: whose classes they are.

    Raises:
        ValueError: `directory` has other classes.
    """
    from kerasdl.data import ImageData

    path = Path(directory).resolve()
    if not path.is_dir():
        raise ValueError(f"`{name}` must be a folder. Received: {name}={directory}")
    data = ImageData.from_folder(
        path.parent,
        **{"train": path.name, "valid": path.name, "test": path.name},
        image_size=run.manifest["image_size"],
        batch_size=BATCH_SIZE,
        resize=run.manifest["resize"],
        on_error="raise",
        seed=0,
    )
    if list(data.class_names) != run.labels:
        raise ValueError(
            f"`{name}` must hold a folder for each class of the run, {run.labels}. "
            f"Received: {list(data.class_names)}"
        )
    return data


def _photos(run: "RunInfo") -> "ImageData":
    asked = run.manifest["arguments"]
    cache = asked.get("cache")
    args = argparse.Namespace(
        data=asked["data"],
        cache=cache and Path(cache),
        batch_size=BATCH_SIZE,
        resize=asked["resize"],
        max_train=asked["max_train"],
        on_error=asked["on_error"],
        quick=asked["quick"],
    )
    size = run.manifest["image_size"]
    data, check = photos.read_photos(args, size, None, seed=run.manifest["seed"])
    if check.fingerprint != run.manifest["data"]["fingerprint"]:
        raise ValueError(f"other photos at {asked['data']}")
    return data


def _arrays(run: "RunInfo") -> "ImageData":
    from kerasdl import data as kdata

    recorded = run.manifest["data"]
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
    return data


def _missing(run: "RunInfo", received: str) -> ValueError:
    return ValueError(
        f"The images that {run.path} was made of must be where its manifest says. "
        f"Received: {received}. Name folders with a folder per class by --check and "
        "--calibration."
    )
