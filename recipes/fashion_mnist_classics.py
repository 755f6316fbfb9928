r"""The classics on Fashion-MNIST, as Dive into Deep Learning trains them, or better.

    python recipes/fashion_mnist_classics.py --data data/fashion_mnist --model lenet5
    python recipes/fashion_mnist_classics.py --data data/fashion_mnist \
        --model lenet5 resnet18 --practice

The lesson: plain SGD at a constant rate, weights from Xavier's initialisation, images
enlarged for the networks of ImageNet, 10 epochs; the test accuracy that it reports
stands beside what is reached here. --practice: images of 28x28 where the network can
take them, its variant with BatchNorm, mirrored and shifted images, AdamW under one
cycle, weight decay and label smoothing.

All training images train. The test images serve for validation too, as in the lesson:
nothing is chosen by them. Several networks share OUT: each has a folder in it.
Reference: https://d2l.ai, chapters 7 and 8.
"""

import dataclasses
from typing import NamedTuple

import kerasdl as kd

NAME = "fashion_mnist_classics"
EPOCHS = 10


class Lesson(NamedTuple):
    """How the lesson trains a network, and what `--practice` changes."""

    builder: str  # in kerasdl.models
    options: dict
    image_size: int
    batch_size: int
    rate: float
    practice_options: dict
    practice_size: int
    practice_rate: float = 4e-3
    xavier: bool = True
    accuracy: float | None = None  # on the test images, as the lesson prints it


_MODERN_LENET = {"activation": "relu", "subsampling": "max", "batch_norm": True}
_SMALL_VGG = {"ratio": 4, "units": 512}
LESSONS = {
    "lenet5": Lesson(
        "lenet5", {}, 28, 256, 0.9, _MODERN_LENET, 28, 1e-2, accuracy=0.779
    ),
    "lenet5_batch_norm": Lesson(
        "lenet5", {"batch_norm": True}, 28, 256, 1.0, _MODERN_LENET, 28, 1e-2
    ),
    "alexnet": Lesson("alexnet", {}, 224, 128, 0.01, {}, 96, 5e-4, accuracy=0.883),
    "vgg11": Lesson(
        "vgg11", {"ratio": 4}, 224, 128, 0.05, _SMALL_VGG, 32, 1e-3, accuracy=0.92
    ),
    "nin": Lesson("nin", {}, 224, 128, 0.1, {}, 96, 1e-3, accuracy=0.79),
    "googlenet": Lesson(
        "googlenet",
        {"dropout": 0.0},
        96,
        128,
        0.1,
        {"batch_norm": True},
        64,
        accuracy=0.886,
    ),
    "resnet18": Lesson(
        "resnet18", {}, 96, 256, 0.05, {"stem": "cifar"}, 28, accuracy=0.893
    ),
    "densenet": Lesson(
        "densenet_small", {}, 96, 256, 0.1, {"stem": "cifar"}, 28, accuracy=0.885
    ),
    "mobilenet_v1": Lesson("mobilenet_v1", {}, 96, 256, 0.1, {}, 64),
    # Not in the lesson: these begin with the weights of their papers.
    "mobilenet_small": Lesson(
        "mobilenet_small", {}, 28, 128, 0.1, {}, 28, xavier=False
    ),
    "vgg_small": Lesson("vgg_small", {}, 28, 128, 0.05, {}, 28, xavier=False),
}


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    parser.add_argument(
        "--model",
        nargs="+",
        default=["lenet5"],
        choices=tuple(LESSONS),
        metavar="NAME",
        help=f"one or several of {', '.join(LESSONS)}",
    )
    help = "this library's own schedule"
    parser.add_argument("--practice", action="store_true", help=help)
    kd.workbench.add_array_arguments(parser, "Fashion-MNIST's four IDX files")
    parser.add_int("--image-size", None, "side; default: by network", "PIXELS")
    parser.add_float("--rate", None, "highest; default: by network")
    return parser.parse_run(argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    names = list(dict.fromkeys(args.model))
    where = ["{out}"] if len(names) == 1 else [f"{{out}}/{name}" for name in names]
    pages = "".join(f"\n  {folder}/report.html" for folder in where)
    next_step = f"The models, and what they get wrong:{pages}"
    with kd.workbench.training_run(args, next_step) as run:
        # A network that does not fit is found before any work.
        for name in names:
            build(name, args, run.seed)
        rows = list(run.manifest["results"])  # of a run that goes on
        for name in names[len(rows) :]:
            rows.append(train_one(name, args, run, alone=len(names) == 1))
            run.manifest["results"] = rows
            run.save_manifest()
        compare(names, rows, run)


def train_one(name, args, run, alone):
    """Train one network and write its files; returns its row of the table."""
    print(f"\n{name}")
    lesson = LESSONS[name]
    max_images = kd.workbench.max_images(args.data, args.quick)
    batch_size = args.batch_size or lesson.batch_size
    data = kd.data.fashion_mnist(
        args.data,
        image_size=size_of(lesson, args),
        batch_size=batch_size,
        augment=kd.data.Augment(
            width_shift_range=0.08,  # two of 28 pixels
            height_shift_range=0.08,
            horizontal_flip=True,
            fill_mode="constant",
            whole_pixels=True,
        )
        if args.practice
        else None,
        max_images=max_images,
        seed=run.seed,
    )
    kd.workbench.remember_images(run, data, "fashion_mnist", max_images=max_images)
    own = run
    if not alone:
        folder = run.path / name
        folder.mkdir(exist_ok=True)
        own = dataclasses.replace(run, path=folder, manifest=dict(run.manifest))
        own.save_labels(data.class_names)
    model = build(name, args, run.seed)
    schedule = prepare(model, data, lesson, args)
    epochs = 1 if args.quick else args.epochs or EPOCHS
    history = kd.workbench.fit_arrays(model, data, epochs, schedule, own.path)
    row = kd.workbench.write_network(own, model, data, history)
    row |= {"network": name, "image_size": data.image_size[0]}
    row |= {"batch_size": batch_size, "rate": rate_of(lesson, args)}
    row["lesson_test_accuracy"] = lesson.accuracy
    own.manifest["results"] = [row]
    own.save_manifest()
    return row


def build(name, args, seed):
    """The network, which takes RGB images and sees gray ones."""
    import keras

    lesson = LESSONS[name]
    size = size_of(lesson, args)
    network = getattr(kd.models, lesson.builder)(
        input_shape=(size, size, 1),
        classes=10,
        pixels="unit",
        seed=seed,
        **(lesson.practice_options if args.practice else lesson.options),
    )
    if lesson.xavier and not args.practice:
        kernels = [v for v in network.trainable_variables if v.name == "kernel"]
        for number, kernel in enumerate(kernels):
            xavier = keras.initializers.GlorotUniform(seed=seed + number)
            kernel.assign(xavier(kernel.shape))
    return kd.models.with_rgb_input(network)


def size_of(lesson, args):
    default = lesson.practice_size if args.practice else lesson.image_size
    return args.image_size or default


def rate_of(lesson, args):
    return args.rate or (lesson.practice_rate if args.practice else lesson.rate)


def prepare(model, data, lesson, args):
    """Compile the network; returns the schedule of its learning rate."""
    import keras

    rate = rate_of(lesson, args)
    if args.practice:
        optimizer = kd.workbench.adamw(rate, weight_decay=0.02)
        smoothing, schedule = 0.1, kd.callbacks.OneCycle()
    else:
        optimizer = keras.optimizers.SGD(rate)
        smoothing, schedule = 0.0, kd.callbacks.WarmUp(0)  # a constant rate
    loss = kd.classification.classification_loss(model, data, smoothing)
    model.compile(optimizer, loss=loss, metrics=["accuracy"])
    return schedule


def compare(names, rows, run):
    """The table on the screen and as a file; a picture of several networks."""
    import pandas as pd

    table = pd.DataFrame(rows).drop(columns="dataset")
    table.to_csv(run.path / "networks.csv", index=False)
    if len(names) > 1:
        curves = {
            name: pd.read_csv(run.path / name / "history.csv")["val_accuracy"]
            for name in names
        }
        path = run.path / "curves.png"
        kd.plots.save_lines(curves, path, "epoch", "test accuracy", start=1)
        pd.concat(
            [pd.read_csv(run.path / name / "history.csv") for name in names]
        ).to_csv(run.path / "history.csv", index=False)
    print(f"\n{kd.tables.as_texts(table).to_string(index=False)}")


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
