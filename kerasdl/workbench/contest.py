"""What recipes on the photos of a Kaggle contest share; heavy imports come late."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from .arguments import RecipeParser, positive_int
from .photos import PhotoOptions, add_photo_arguments, check_photos, fewer

if TYPE_CHECKING:
    from kerasdl.data import Augment, ImageCheck, ImageData


@dataclass(frozen=True)
class Contest:
    """A contest on photos, and where its download has what.

    Attributes:
        name: in Kaggle's addresses.
        unpack: which files go where, for whoever has not got them.
        table: CSV file of labels.
        image: its column of photos' names, without `.jpg`.
        label: its column of labels.
        photos: folder of the photos that the table names.
        test: folder of photos to answer for; it may be missing.
        sample: CSV file of a submission; it may be missing.
        label_delimiter: between the labels of a photo that has several.
    """

    name: str
    unpack: str
    table: str
    image: str
    label: str
    photos: str
    test: str
    sample: str
    label_delimiter: str | None = None


def add_contest_arguments(
    parser: RecipeParser, directory: str, image_sizes: Sequence[int]
) -> None:
    """Add what `add_photo_arguments` does, and --image-sizes.

    Args:
        parser: of the recipe.
        directory: default of --data.
        image_sizes: default of --image-sizes.
    """
    add_photo_arguments(
        parser, directory, f"the contest's download; default: {directory}"
    )
    parser.add_argument(
        "--image-sizes",
        type=positive_int,
        nargs="+",
        default=list(image_sizes),
        metavar="PIXELS",
        help=f"sides, one after the other; default: {' '.join(map(str, image_sizes))}",
    )


def read_contest(
    contest: Contest,
    options: PhotoOptions,
    image_size: int,
    augment: "str | Augment",
    *,
    all_train: bool = False,
    seed: int,
) -> "tuple[ImageData, ImageCheck]":
    """Read the photos of a contest, a fifth of those with labels for validation.

    Args:
        contest: whose download they are.
        options: where they are, and how they are read.
        image_size: side in pixels.
        augment: of the training photos, as in `image_folder`.
        all_train: hold none out.
        seed: of split, order and augmentation.

    Returns:
        The photos, and what is wrong with the files of those with labels.

    Raises:
        ValueError: something is missing, a photo to answer for is damaged, or the
            sample has other photos or classes.
    """
    from kerasdl.data import ImageData

    folder = check_download(Path(options.data), contest)
    check = check_photos(options, folder / contest.photos)
    data = ImageData.from_table(
        folder / contest.table,
        folder / contest.photos,
        image=contest.image,
        label=contest.label,
        suffix=".jpg",
        valid=None if all_train else "drawn",
        test=check_test_photos(folder / contest.test, options.most_pixels),
        label_delimiter=contest.label_delimiter,
        image_size=image_size,
        batch_size=options.batch_size,
        augment=augment,
        resize=options.resize,
        on_error="raise",
        exclude=check.damaged,
        max_pixels=options.most_pixels,
        seed=seed,
    )
    check_sample(folder / contest.sample, data)
    return fewer(options, data), check


def check_download(folder: Path, contest: Contest) -> Path:
    """Return `folder`, which holds what a recipe needs of a contest.

    Raises:
        ValueError: something is missing; the message says how to get it.
    """
    needed = (contest.table, f"{contest.photos}/*.jpg")
    missing = [one for one in needed if next(folder.glob(one), None) is None]
    if missing:
        raise ValueError(
            f"`data` must be a folder with {' and '.join(needed)} of a Kaggle contest. "
            f"Received: data={str(folder)!r} (without {' and '.join(missing)}).\n"
            f"The contest is https://www.kaggle.com/competitions/{contest.name}; with "
            "an account that has accepted its rules there, download it by\n"
            f"  kaggle competitions download -c {contest.name}\n{contest.unpack}"
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
