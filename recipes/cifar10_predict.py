"""Label small images with a network that cifar10_train.py trained.

    python recipes/cifar10_predict.py saved_models/cifar10 IMAGE --out grid.png

The three most probable classes of each image; a folder stands for all images below it.
--checkpoint last takes the weights of the last epoch in place of the best ones, and
--checkpoint 137 those of epoch 137 of a run with --keep all. --out draws the first 40
images with their labels.

Exit code 1: an image is damaged (it is named, the others go on). 2: a bad argument.
"""

import sys
from pathlib import Path

import kerasdl as kd

TOP = 3
DRAWN = 40
FILES = {"best": "model.keras", "last": "last.keras"}


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("run", metavar="RUN", type=Path, help="folder that cifar10_train.py made")
    add("images", metavar="IMAGE", nargs="+", help="images, or folders of them")
    add("--checkpoint", default="best", metavar="best|last|N", help="of which epoch")
    add(
        "--out",
        type=kd.workbench.writable_picture,
        metavar="PNG",
        help="draw the images with their labels",
    )
    add("--verbose", action="store_true", help="show TensorFlow's lines")
    args = parser.parse_args(argv)
    missing = [image for image in args.images if not Path(image).exists()]
    if missing:
        parser.error(f"IMAGE must exist. Received: {', '.join(missing)}")
    try:
        info = kd.runs.read_run(args.run)
    except ValueError as error:
        parser.error(str(error))
    file = checkpoint(args)
    if not (info.path / file).is_file():
        parser.error(f"RUN must hold {file}. Received: {args.run}")
    return args


def main(argv=None):
    args = parse_args(argv)
    kd.runtime.start(verbose=args.verbose)
    try:
        result = load(args).predict(args.images, on_error="skip")
    except ValueError as error:
        kd.workbench.say_error(error)
        return 2
    shown = {}
    for file, row in zip(result.files, result.probabilities, strict=True):
        best = row.argsort()[::-1][:TOP]
        names = [f"{result.class_names[place]} {row[place]:.3f}" for place in best]
        if Path(file).is_file():  # not where the name had bytes that are no text
            shown[file] = names[0]
        print(f"{file}: {', '.join(names)}")
    for file, reason in result.damaged.items():
        print(f"{file}: {reason}", file=sys.stderr)
    if args.out:
        images = [kd.data.read_image(file) for file in list(shown)[:DRAWN]]
        titles = list(shown.values())[:DRAWN]
        kd.plots.save_gallery(images, titles, args.out, columns=8)
    return 1 if result.damaged else 0


def checkpoint(args):
    """The file of --checkpoint in the run."""
    return FILES.get(args.checkpoint, f"epochs/{args.checkpoint}.keras")


def load(args):
    info = kd.runs.read_run(args.run)
    path = info.path / checkpoint(args)
    return kd.Predictor(
        kd.models.load_model(path),
        info.labels,
        info.manifest["image_size"],
        info.manifest["resize"],
    )


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
