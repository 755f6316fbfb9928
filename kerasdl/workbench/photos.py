"""What recipes that train on a folder of photos share; heavy imports come late."""

import argparse
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Self

from .arguments import RecipeParser
from .messages import told_of
from .remember import remember

if TYPE_CHECKING:
    from kerasdl.data import Augment, ImageCheck, ImageData
    from kerasdl.runs import Run

CACHE_HELP = "of activations and samples; default: the user's, ~/.cache/kerasdl"
QUICK_TRAIN = 200  # training photos of --quick
VALID_FRACTION = 0.2  # where there are no photos for validation


@dataclass(frozen=True)
class PhotoOptions:
    """How photos are read: the values of the arguments of `add_photo_arguments`.

    Those from `labels` on are of `add_label_arguments`, which not all recipes have.
    """

    data: str
    cache: Path | None = None
    batch_size: int = 32
    resize: str = "squash"
    max_train: int | None = None
    on_error: str = "skip"
    max_pixels: int | None = None
    quick: bool = False
    labels: Path | None = None
    image_column: str | None = None
    label_column: Sequence[str] | None = None
    delimiter: str | None = None
    suffix: str | None = None
    on_missing: str = "raise"

    @classmethod
    def of(cls, args: argparse.Namespace) -> Self:
        """Those of `args`, and the defaults of those that it has not."""
        names = {field.name for field in fields(cls)}
        return cls(
            **{name: value for name, value in vars(args).items() if name in names}
        )

    @property
    def most_pixels(self) -> int:
        """The largest photo that is decoded."""
        from kerasdl.data import MAX_PIXELS

        return self.max_pixels or MAX_PIXELS


def add_photo_arguments(
    parser: RecipeParser,
    data: str = "sample",
    data_help: str = "folder of photos, tfds:NAME, or sample (default: drawings)",
) -> None:
    """Add --data, --backbone, --batch-size and others that say what is trained on what.

    Args:
        parser: of the recipe.
        data: default of --data.
        data_help: what --data is.
    """
    add = parser.add_argument
    add("--data", default=data, metavar="DIR", help=data_help)
    add(
        "--backbone",
        default="efficientnet_lite0",
        metavar="NAME",
        help="efficientnet_lite0 (its weights are installed), vgg16, vgg19, resnet50, "
        "densenet121, xception, inception_v3, mobilenet, mobilenet_v2, "
        "mobilenet_v3_small, mobilenet_v3_large, efficientnet_b0",
    )
    add(
        "--weights",
        default="imagenet",
        metavar="FILE",
        help="of the backbone: .keras, .h5 or .weights.h5; default: imagenet",
    )
    parser.add_int("--batch-size", 32, "photos in a batch; default: 32")
    add(
        "--resize",
        default="squash",
        choices=("crop", "squash", "pad"),
        help="of photos to a square; default: squash, which shows all of each",
    )
    parser.add_int("--max-train", None, "at most so many training photos; default: all")
    add(
        "--on-error",
        default="skip",
        choices=("skip", "raise"),
        help="leave damaged files out, or stop",
    )
    parser.add_int(
        "--max-pixels", None, "of a photo that is decoded; default: 64 million"
    )
    add("--cache", type=Path, metavar="DIR", help=CACHE_HELP)
    add("--clear-cache", action="store_true", help="remove cached activations, exit")


def add_label_arguments(parser: RecipeParser) -> None:
    """Add --labels and what says how that file is read."""
    add = parser.add_argument
    add(
        "--labels",
        type=Path,
        metavar="FILE.csv",
        help="names the photos of --data and their labels; default: folders do",
    )
    text = "of the photos' names; default: the first that names some"
    add("--image-column", metavar="NAME", help=text)
    add(
        "--label-column",
        nargs="+",
        metavar="NAME",
        help="of the labels, or one of 0 and 1 for each class; default: guessed",
    )
    text = "between several labels of a photo; default: one label, or a list as text"
    add("--delimiter", metavar="TEXT", help=text)
    text = "what the names lack, such as .jpg; default: found"
    add("--suffix", metavar="TEXT", help=text)
    add(
        "--on-missing",
        default="raise",
        choices=("raise", "skip"),
        help="rows whose photo is not there: stop, or leave them out",
    )


def read_photos(
    options: PhotoOptions,
    image_size: int | Sequence[int],
    augment: "str | Augment | None",
    *,
    seed: int,
) -> "tuple[ImageData, ImageCheck]":
    """Read the photos of `--data`, and find what is wrong with their files.

    Args:
        options: which photos, and how.
        image_size: side, or (height, width), in pixels.
        augment: of the training photos, as in `image_folder`.
        seed: of split, order and augmentation.

    Raises:
        ValueError: no such photos, or a damaged one with `--on-error raise`.
    """
    from kerasdl import data as kdata

    folder = photo_folder(options.data, options.cache)
    labels, splits = None, {}
    if options.labels:
        labels = kdata.read_labels(
            options.labels,
            folder,
            options.image_column,
            options.label_column,
            options.delimiter,
            suffix=options.suffix,
            on_missing=options.on_missing,
        )
    else:
        splits = kdata.split_folders(folder)
        _check_classes(folder / splits.get("train", ""), splits)
    check = check_photos(options, folder)
    if labels:  # they are among what a run found
        name = str(options.labels)
        check = replace(check, digests=check.digests | {name: labels.fingerprint})
    settings = {
        "image_size": image_size,
        "batch_size": options.batch_size,
        "augment": augment,
        "resize": options.resize,
        "exclude": check.damaged,
        "on_error": "raise",
        "max_pixels": options.most_pixels,
        "seed": seed,
    }
    if labels:
        data = kdata.ImageData.from_table(
            labels.table,
            folder,
            labels.image,
            labels.label,
            suffix="",
            label_delimiter=labels.label_delimiter,
            **settings,
        )
    else:
        data = kdata.ImageData.from_folder(
            folder,
            train=splits.get("train", "train"),
            valid=splits.get("valid", "valid"),
            test=splits.get("test"),
            valid_fraction=None if "valid" in splits else VALID_FRACTION,
            **settings,
        )
    if labels or "valid" not in splits:
        counts = [f"{len(data.files(split))} {split}" for split in data.splits]
        print(f"a fifth of each class is for validation: {', '.join(counts)}")
    return fewer(options, data), check


def _check_classes(folder: Path, splits: dict[str, str]) -> None:
    """Raise ValueError if `folder` has no classes, before each photo is looked at."""
    from kerasdl.data import list_classes, list_images

    images, _ = list_images(folder)
    if images and ("train" in splits or not splits):
        list_classes(folder, images)


def photo_folder(data: str, cache: Path | None) -> Path:
    """The folder that `--data` names, made below `cache` if it is no folder's path.

    Args:
        data: a folder; "tfds:NAME" of tensorflow-datasets; or "sample", drawings.
        cache: None is the user's cache folder.
    """
    from kerasdl import data as kdata
    from kerasdl import train

    cache = cache or train.default_cache_dir()
    if data == "sample":
        return kdata.write_sample(cache / f"sample-{kdata.samples.DRAWING}")
    if data.startswith("tfds:"):
        name = data.removeprefix("tfds:")
        try:
            return kdata.tfds_folder(name, cache / "tfds" / name.replace("/", "-"))
        except ValueError as error:
            raise told_of(error, "name", "data") from error
    return Path(data)


def name_of_data(args: argparse.Namespace) -> str:
    """What a run is called after its --data, or the folder that stands for it."""
    data = getattr(args, "folder", None) or args.data
    if data == "sample":
        return "drawings"
    path = Path(data.removeprefix("tfds:")).resolve()
    return re.sub(r"[^\w.-]+", "_", path.name, flags=re.ASCII).strip("._") or "photos"


def check_photos(options: PhotoOptions, folder: Path) -> "ImageCheck":
    """Find and print what is wrong with the photos below `folder`.

    Raises:
        ValueError: no photos, or a damaged one with `--on-error raise`.
    """
    from kerasdl import data as kdata

    check = kdata.check_images(folder, options.most_pixels)
    print(check)
    if check.damaged and options.on_error == "raise":
        name, reason = next(iter(check.damaged.items()))
        raise ValueError(
            "Images must be undamaged with --on-error raise. Received: "
            f"{kdata.ImageError(name, reason)}; {len(check.damaged)} damaged in all. "
            "Remove them, or leave them out with --on-error skip."
        )
    return check


def fewer(options: PhotoOptions, data: "ImageData") -> "ImageData":
    """`data` with the training photos that --max-train and --quick leave.

    With --quick that is one of each class at least, however many there are.

    Raises:
        ValueError: `--max-train` is below the number of classes.
    """
    limits = [] if options.max_train is None else [options.max_train]
    if options.quick:
        limits.append(max(QUICK_TRAIN, len(data.class_names)))
    return data.with_max_train(min(limits, default=None))


def check_backbone(args: argparse.Namespace) -> None:
    """Raise ValueError unless --backbone is one, and --image-sizes rise and suit it."""
    from kerasdl import models

    least = models.backbone(args.backbone).min_image_size
    sizes = getattr(args, "image_sizes", [least])
    if min(sizes) < least or any(a >= b for a, b in pairwise(sizes)):
        raise ValueError(
            f"`image_sizes` must rise, from {least} on for {args.backbone!r}. "
            f"Received: image_sizes={list(sizes)!r}"
        )


def remember_photos(run: "Run", data: "ImageData", check: "ImageCheck") -> None:
    """Write down what `run` works on; a resumed run must find the same.

    Raises:
        ValueError: it finds other files.
    """
    splits = hashlib.sha256()
    for split in data.splits:
        splits.update("\0".join([split, *data.files(split)]).encode())
        if data.has_labels(split):
            splits.update(data.labels(split).tobytes())
    found = {
        "fingerprint": check.fingerprint,
        "splits": splits.hexdigest(),
        "damaged": check.damaged,
    }
    run.manifest["multi_label"] = data.label_mode == "multi_label"
    remember(run, data, found, ["fingerprint", "splits"])
