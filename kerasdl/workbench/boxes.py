"""Photos with boxes of a recipe and of its finished run; heavy imports come late."""

from pathlib import Path
from typing import TYPE_CHECKING

from kerasdl._checks import check_directory

if TYPE_CHECKING:
    from kerasdl.detection import Annotations
    from kerasdl.runs import RunInfo

QUICK_BOXES = 16  # training photos of --quick


def box_folder(data: str, cache: Path | None) -> Path:
    """The folder that `--data` names; "sample", drawn scenes, is made below `cache`."""
    from kerasdl import data as kdata
    from kerasdl import train

    if data != "sample":
        return Path(data)
    cache = cache or train.default_cache_dir()
    return kdata.write_scenes(cache / f"scenes-{kdata.samples.DRAWING}")


def recorded_boxes(run: "RunInfo") -> "tuple[Annotations, Annotations]":
    """Read what `run` was tested with and trained on, from where its manifest says.

    Raises:
        ValueError: it is not there, or not what the run found there.
    """
    from kerasdl import detection

    made, known = run.manifest["arguments"], run.manifest["data"]
    try:
        cache = made.get("cache")
        folder = box_folder(made["data"], cache and Path(cache))
        data = detection.BoxData(
            detection.read_annotations(folder),
            tuple(known["image_size"]),
            resize=known["resize"],
            on_error=known["on_error"],
            masks=known.get("masks", False),
            exclude=run.manifest.get("damaged", ()),
            max_train=QUICK_BOXES if made.get("quick") else made.get("max_train"),
            seed=known["seed"],
        )
        facts = data.facts()
        for name, kind in detection.FINGERPRINTS.items():
            if name in known and facts.get(name) != known[name]:
                raise ValueError(f"other {kind}")
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"The photos that {run.path} was made of must be where its manifest says. "
            f"Received: {error}. Name a folder of photos with boxes by --check and "
            "--calibration."
        ) from error
    held_out = "test" if "test" in data.splits else "valid"
    return data.of_split(held_out), data.of_split("train")


def checked_boxes(
    name: str, directory: str | Path, masks: bool = False
) -> "Annotations":
    """Photos with boxes in a folder, all of them or those held out, without faults.

    Args:
        name: of the argument, for its errors.
        directory: the folder.
        masks: whether masks are looked at.

    Raises:
        ValueError: they cannot be read.
    """
    from kerasdl import detection

    found = detection.read_annotations(check_directory(name, directory))
    splits = set(found.photos["split"])
    for split in ("test", "valid"):
        if split in splits:
            found = found.of_split(split)
            break
    return detection.without_faults(found, masks=masks)
