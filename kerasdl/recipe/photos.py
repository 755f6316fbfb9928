"""What recipes that train on a folder of photos share; heavy imports come late."""

import argparse
import hashlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from kerasdl import strategies
from kerasdl._run_info import IMAGE_CLASSIFICATION
from kerasdl.cli import positive_int

if TYPE_CHECKING:
    from kerasdl.data import Augment, ImageCheck, ImageData
    from kerasdl.runs import Run

QUICK_TRAIN = 200  # training photos of --quick


def add_photo_arguments(
    parser: argparse.ArgumentParser,
    data: str = "sample",
    data_help: str = "folder of photos, tfds:NAME, or sample (default: drawings)",
) -> None:
    """Add --data, --backbone, --batch-size and others that say what is trained on what.

    To be followed by `cli.add_run_arguments`.

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
        "densenet121, mobilenet, mobilenet_v2, mobilenet_v3_small, mobilenet_v3_large, "
        "efficientnet_b0",
    )
    add(
        "--weights",
        default="imagenet",
        metavar="FILE",
        help="of the backbone: .keras, .h5 or .weights.h5; default: imagenet",
    )
    add("--batch-size", type=positive_int, default=32, metavar="N")
    add(
        "--resize",
        default="squash",
        choices=("crop", "squash", "pad"),
        help="of photos to a square; default: squash, which shows all of each",
    )
    add(
        "--max-train",
        type=positive_int,
        metavar="N",
        help="at most so many training photos",
    )
    add(
        "--on-error",
        default="skip",
        choices=("skip", "raise"),
        help="leave damaged files out, or stop",
    )
    add(
        "--max-pixels",
        type=positive_int,
        metavar="N",
        help="of a photo that is decoded; default: 64 million",
    )
    add("--cache", type=Path, metavar="DIR", help="of activations and the sample")
    add("--clear-cache", action="store_true", help="remove cached activations, exit")


def clear_cache(args: argparse.Namespace) -> bool:
    """Remove cached activations if --clear-cache asks for it; returns whether it did.

    They are those of all recipes with the same --cache.
    """
    from kerasdl import train

    if args.clear_cache:
        freed = train.clear_cache(args.cache)
        print(f"removed {freed / 1e6:.0f} MB of cached activations")
    return args.clear_cache


def print_cache_size(args: argparse.Namespace) -> None:
    """Say how much cached activations there are, if any."""
    from kerasdl import train

    if size := train.cache_size(args.cache):
        print(f"cached activations: {size / 1e6:.0f} MB (--clear-cache removes them)")


def read_photos(
    args: argparse.Namespace,
    image_size: int,
    augment: "str | Augment | None",
    *,
    seed: int,
) -> "tuple[ImageData, ImageCheck]":
    """Read the photos of `--data`, and find what is wrong with their files.

    Args:
        args: of `add_photo_arguments` and `cli.add_run_arguments`.
        image_size: side in pixels.
        augment: of the training photos, as in `image_folder`.
        seed: of split, order and augmentation.

    Raises:
        ValueError: no such photos, or a damaged one with `--on-error raise`.
    """
    from kerasdl import data as kdata
    from kerasdl import train

    cache = args.cache or train.default_cache_dir()
    if args.data == "sample":
        folder = kdata.write_sample(cache / f"sample-{kdata.samples.DRAWING}")
    elif args.data.startswith("tfds:"):
        name = args.data.removeprefix("tfds:")
        folder = kdata.tfds_folder(name, cache / "tfds" / name.replace("/", "-"))
    else:
        folder = Path(args.data)
    check = check_photos(args, folder)
    splits = kdata.split_folders(folder)
    data = kdata.ImageData.from_folder(
        folder,
        train=splits.get("train", "train"),
        valid=splits.get("valid", "valid"),
        test=splits.get("test"),
        valid_fraction=None if "valid" in splits else 0.2,
        image_size=image_size,
        batch_size=args.batch_size,
        augment=augment,
        resize=args.resize,
        exclude=check.damaged,
        on_error="raise",
        max_pixels=max_pixels(args),
        seed=seed,
    )
    return fewer(args, data), check


def check_photos(args: argparse.Namespace, folder: Path) -> "ImageCheck":
    """Find and print what is wrong with the photos below `folder`.

    Raises:
        ValueError: no photos, or a damaged one with `--on-error raise`.
    """
    from kerasdl import data as kdata

    check = kdata.check_images(folder, max_pixels(args))
    print(check)
    if check.damaged and args.on_error == "raise":
        name, reason = next(iter(check.damaged.items()))
        raise ValueError(
            "Images must be undamaged with --on-error raise. Received: "
            f"{kdata.ImageError(name, reason)}; {len(check.damaged)} damaged in all. "
            "Remove them, or leave them out with --on-error skip."
        )
    return check


def fewer(args: argparse.Namespace, data: "ImageData") -> "ImageData":
    """`data` with the training photos that --max-train and --quick leave.

    With --quick that is one of each class at least, however many there are.

    Raises:
        ValueError: `--max-train` is below the number of classes.
    """
    limits = [] if args.max_train is None else [args.max_train]
    if args.quick:
        limits.append(max(QUICK_TRAIN, len(data.class_names)))
    return data.with_max_train(min(limits, default=None))


def max_pixels(args: argparse.Namespace) -> int:
    """The largest photo that is decoded, by --max-pixels."""
    from kerasdl.data import MAX_PIXELS

    return args.max_pixels or MAX_PIXELS


def check_image_sizes(sizes: Sequence[int], backbone: str) -> None:
    """Raise ValueError unless `sizes`, of progressive resizing, rise and suit all."""
    from kerasdl import models

    least = models.backbone(backbone).min_image_size
    if min(sizes) < least or any(a >= b for a, b in pairwise(sizes)):
        raise ValueError(
            f"`image_sizes` must rise, from {least} on for {backbone!r}. Received: "
            f"image_sizes={list(sizes)!r}"
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
        "counts": data.counts().to_dict("index"),
    }
    before = run.manifest.get("data")
    if before and any(
        before.get(key) != found[key] for key in ("fingerprint", "splits")
    ):
        raise ValueError(
            "`data` must be the files and labels that the run began with. Received: "
            "others than recorded. Restore them, or start anew with --overwrite."
        )
    strategies.check_same("fingerprint", [found["fingerprint"], found["splits"]])
    run.manifest["data"] = found
    run.manifest["image_size"] = list(data.image_size)
    run.manifest["resize"] = data.resize
    run.manifest["multi_label"] = data.label_mode == "multi_label"
    run.manifest["task"] = IMAGE_CLASSIFICATION
    run.save_labels(data.class_names)
    run.save_manifest()
