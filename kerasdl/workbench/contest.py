"""What recipes on the photos of a Kaggle contest share; heavy imports come late."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kerasdl.data import ImageData


def check_download(
    folder: str | Path, contest: str, needed: Sequence[str], unpack: str
) -> Path:
    """Return `folder`, which holds what a recipe needs of a contest.

    Args:
        folder: of the contest's files.
        contest: its name in Kaggle's addresses.
        needed: patterns below `folder` that a file each must match.
        unpack: which files go where, for the error.

    Raises:
        ValueError: something is missing; the message says how to get it.
    """
    folder = Path(folder)
    missing = [one for one in needed if next(folder.glob(one), None) is None]
    if missing:
        raise ValueError(
            f"`data` must be a folder with {' and '.join(needed)} of a Kaggle contest. "
            f"Received: data={str(folder)!r} (without {' and '.join(missing)}).\n"
            f"The contest is https://www.kaggle.com/competitions/{contest}; with an "
            "account that has accepted its rules there, download it by\n"
            f"  kaggle competitions download -c {contest}\n{unpack}"
        )
    return folder


def check_test_photos(folder: Path, max_pixels: int) -> Path | None:
    """Return `folder`, of photos to answer for, or None if it holds none.

    Args:
        folder: of the photos.
        max_pixels: of a photo that is decoded.

    Raises:
        ValueError: a photo is damaged; a contest wants an answer for each.
    """
    from kerasdl import data as kdata

    if next(folder.glob("*.jpg"), None) is None:
        return None
    check = kdata.check_images(folder, max_pixels)
    print(check)
    if check.damaged:
        name, reason = next(iter(check.damaged.items()))
        raise ValueError(
            "Test photos must be undamaged, as the contest wants an answer for each. "
            f"Received: {kdata.ImageError(folder / name, reason)}; "
            f"{len(check.damaged)} damaged in all. Download them again, or move "
            f"{folder} away for no submission."
        )
    return folder


def check_sample(path: Path, data: "ImageData") -> None:
    """Compare the test photos and the classes with the contest's sample submission.

    Args:
        path: of the sample, a CSV file: an id, then a column for each class or, with
            several labels a photo, one for all. It may be missing.
        data: the photos; its test split may be missing.

    Raises:
        ValueError: they differ, or the sample is no such table.
    """
    from kerasdl.tables import read_csv

    if "test" not in data.splits or not path.is_file():
        return
    sample = read_csv("data", path, dtype=str, keep_default_na=False)
    ids = [PurePosixPath(file).stem for file in data.files("test")]
    pairs = [("test photos", set(ids), set(sample.iloc[:, 0]))]
    if data.label_mode != "multi_label":
        pairs.append(("classes", set(data.class_names), set(sample.columns[1:])))
    for what, ours, wanted in pairs:
        for problem, names in (("without", wanted - ours), ("more:", ours - wanted)):
            if names:
                few = ", ".join(map(repr, sorted(names)[:5]))
                raise ValueError(
                    f"The {what} must be those of {path.name}. Received: "
                    f"{problem} {few} ({len(names)} in all). Complete the data, or "
                    f"move {path} away."
                )
