"""What recipes that train on a folder of photos share; heavy imports come late."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kerasdl.data import Augment, ImageCheck, ImageData
    from kerasdl.learner import Learner
    from kerasdl.runs import Run

QUICK_TRAIN = 200  # training photos of --quick


def add_photo_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data, --max-train, and what `add_backbone_arguments` adds.

    To be followed by `cli.add_run_arguments`.
    """
    parser.add_argument(
        "--data",
        default="sample",
        metavar="DIR",
        help="folder of photos, tfds:NAME, or sample (default: drawings)",
    )
    add_backbone_arguments(parser)
    parser.add_argument(
        "--max-train", type=int, metavar="N", help="at most so many training photos"
    )


def add_backbone_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --backbone, --batch-size and others that say what is trained, and how fed."""
    add = parser.add_argument
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
    add("--batch-size", type=int, default=32, metavar="N")
    add(
        "--resize",
        default="squash",
        choices=("crop", "squash", "pad"),
        help="of photos to a square; default: squash, which shows all of each",
    )
    add(
        "--on-error",
        default="skip",
        choices=("skip", "raise"),
        help="leave damaged files out, or stop",
    )
    add("--cache", type=Path, metavar="DIR", help="of activations and the sample")


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
    check = check_photos(folder, args.on_error)
    has_splits = (folder / "train").is_dir()
    max_train = args.max_train
    if args.quick:
        max_train = QUICK_TRAIN if max_train is None else min(QUICK_TRAIN, max_train)
    data = kdata.ImageData.from_folder(
        folder,
        test="test" if has_splits and (folder / "test").is_dir() else None,
        valid_fraction=None if has_splits else 0.2,
        image_size=image_size,
        batch_size=args.batch_size,
        augment=augment,
        resize=args.resize,
        exclude=check.damaged,
        max_train=max_train,
        on_error="raise",
        seed=seed,
    )
    return data, check


def check_photos(folder: Path, on_error: str) -> "ImageCheck":
    """Look at all photos below `folder`, and print what was found.

    Raises:
        ValueError: there are none, or with `on_error="raise"` a damaged one.
    """
    from kerasdl.data import check_images

    check = check_images(folder)
    print(check)
    if check.damaged and on_error == "raise":
        name, reason = next(iter(check.damaged.items()))
        raise ValueError(
            "Images must be undamaged with --on-error raise. Received: "
            f"{name} ({reason}), {len(check.damaged)} damaged in all. "
            "Remove them, or leave them out with --on-error skip."
        )
    return check


def remember_photos(run: "Run", data: "ImageData", check: "ImageCheck") -> None:
    """Write down what `run` works on; a resumed run must find the same.

    Raises:
        ValueError: it finds other files.
    """
    found = {
        "fingerprint": check.fingerprint,
        "damaged": check.damaged,
        "counts": data.counts().to_dict("index"),
    }
    before = run.manifest.get("data")
    if before and before["fingerprint"] != check.fingerprint:
        raise ValueError(
            "`data` must be the files that the run began with. Received: other files "
            "than recorded. Restore them, or start anew with --overwrite."
        )
    run.manifest["data"] = found
    run.manifest["image_size"] = list(data.image_size)
    run.manifest["resize"] = data.resize
    run.manifest["label_mode"] = data.label_mode
    run.save_labels(data.class_names)
    run.save_manifest()


def write_learner(learn: "Learner", run: "Run", title: str) -> None:
    """Write a trained Learner's files: models, curves, history, and how to use them."""
    from kerasdl import export

    learn.export(run.path / "model.keras")
    learn.export(run.path / "model.tflite")
    learn.plot_losses(run.path / "curves.png")
    learn.plot_lr(run.path / "rates.png")
    learn.history.to_csv(run.path / "history.csv", index=False)
    data = learn.data
    run.manifest["image_size"] = list(data.image_size)
    readme = export.run_readme(
        *(data.class_names, data.image_size, data.resize, title),
        thresholds=run.manifest.get("thresholds"),
    )
    (run.path / "README.md").write_text(readme, encoding="utf-8")
