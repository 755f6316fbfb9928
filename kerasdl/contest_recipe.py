"""What recipes for Kaggle's contests share: a table of labels, and where it comes from.

Heavy imports come late.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .photo_recipe import QUICK_TRAIN, add_backbone_arguments, check_photos

if TYPE_CHECKING:
    import pandas as pd

    from kerasdl.data import ImageCheck, ImageData


@dataclass(frozen=True)
class Contest:
    """The files of a contest, unpacked into one folder.

    Attributes:
        name: of its page, kaggle.com/c/NAME.
        table: CSV file of the labels.
        image: column of the photos' names, without suffix.
        label: column of the labels.
        train: folder of the photos that the table names.
        test: folder of the photos to answer for; it may be missing.
        label_delimiter: what stands between several labels of a photo.
    """

    name: str
    table: str
    image: str
    label: str
    train: str
    test: str
    label_delimiter: str | None = None


def add_contest_arguments(
    parser: argparse.ArgumentParser, contest: Contest, image_sizes: list[int]
) -> None:
    """Add --data, --image-sizes and what `add_backbone_arguments` adds.

    To be followed by `cli.add_run_arguments`.
    """
    add = parser.add_argument
    add(
        "--data",
        metavar="DIR",
        help=f"folder with {contest.table}, {contest.train}/ and {contest.test}/",
    )
    add(
        "--image-sizes",
        type=int,
        nargs="+",
        default=image_sizes,
        metavar="PIXELS",
        help=f"one after the other; default: {' '.join(map(str, image_sizes))}",
    )
    add_backbone_arguments(parser)


def read_contest(
    args: argparse.Namespace, contest: Contest, augment: str, *, seed: int
) -> "tuple[ImageData, ImageCheck]":
    """Read the photos of `--data` at the first of `--image-sizes`.

    A fifth of each class is for validation; the test photos have no labels.

    Args:
        args: of `add_contest_arguments` and `cli.add_run_arguments`.
        contest: its files.
        augment: of the training photos, as in `image_folder`.
        seed: of split, order and augmentation.

    Raises:
        ValueError: files are missing, in which case the message says where they are to
            be had; a damaged photo with `--on-error raise`; or the table names no
            photos (see `ImageData.from_table`).
    """
    import pandas as pd

    from kerasdl.data import ImageData

    needed = (contest.table, contest.train)
    folder = Path(args.data) if args.data else None
    missing = [part for part in needed if not (folder and (folder / part).exists())]
    if missing:
        raise ValueError(
            f"--data must be a folder with {contest.table} and {contest.train}/ (and "
            f"{contest.test}/ for a submission). Received: --data {args.data} (without "
            f"{', '.join(missing)}). Accept the rules at "
            f"https://www.kaggle.com/c/{contest.name}, run `kaggle competitions "
            f"download -c {contest.name}`, and unpack what it fetches into one folder."
        )
    check = check_photos(folder, args.on_error)
    table = pd.read_csv(folder / contest.table, dtype=str)
    if args.quick:
        table = _few(table, contest)
    inside = f"{contest.train}/"
    has_test = (folder / contest.test).is_dir()
    data = ImageData.from_table(
        table,
        folder / contest.train,
        contest.image,
        contest.label,
        test=folder / contest.test if has_test else None,
        label_delimiter=contest.label_delimiter,
        image_size=args.image_sizes[0],
        batch_size=args.batch_size,
        augment=augment,
        resize=args.resize,
        exclude=[
            name.removeprefix(inside)
            for name in check.damaged
            if name.startswith(inside)
        ],
        seed=seed,
    )
    return data, check


def _few(table: "pd.DataFrame", contest: Contest) -> "pd.DataFrame":
    """About `QUICK_TRAIN` rows, at least two of each label that stands alone."""
    if contest.label_delimiter:
        return table.head(QUICK_TRAIN)
    rows = max(2, QUICK_TRAIN // table[contest.label].nunique())
    return table.groupby(contest.label).head(rows)
