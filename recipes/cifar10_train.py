"""Small networks on CIFAR-10, or on other small images in a folder for each class.

    python recipes/cifar10_train.py --data data/cifar10 --model vgg_small
    tensorboard --logdir saved_models/cifar10.partial/tensorboard

DIR holds train/ and test/, each with a folder of images per class, all of one size, or
CIFAR-10's own files. Images are decoded once and stay in memory; each epoch crops,
mirrors and colours them anew; CIFAR-10's mean and deviation are taken inside the model.

A tenth of the training images is kept for validation: the weights that are best on it
become model.keras, those of the last epoch last.keras. The test images are looked at in
the end alone. Schedules: step, times 0.9 every 5 epochs; sgdr, cosine cycles of 1, 2, 4
... times --cycle-len epochs; one_cycle. AdamW.

--lesson is the course's: one of its networks, crops of 28 of 32 pixels, mirrors,
colours with hue, one view in five grey, Adam, batches of 128, the rate times 0.9 every
5 epochs. Pictures of validation and test, and those of cifar10_predict.py, are resized
to 28. The course's rate of 0.1 does not train with Adam, 1e-3 does; its 200 epochs are
--epochs 200.

--backbone efficientnet_lite0 --image-size 128 trains all of a pretrained trunk.
"""

import kerasdl as kd

NAME = "cifar10"
NEXT_STEP = """{out}/ holds the models and report.html; on images of your own:
  python recipes/cifar10_predict.py {out} IMAGE"""
VALID_FRACTION = 0.1
EPOCHS = "epochs"  # folder of --keep all
# Builders of kerasdl.models, and what small images want of them.
MODELS = {
    "vgg_small": {"dropout": 0.2},  # with 0.5 it learns too slowly for 15 epochs
    "mobilenet_small": {},
    "inception_small": {},
    "resnet18": {"stem": "cifar"},
    "densenet_small": {"stem": "cifar"},
    "course_vgg": {},
    "course_resnet18": {},
    "course_mobilenet": {},
    "course_inception": {},
}
PLAIN = {"batch_size": 64, "weight_decay": 0.02, "image_size": None}
LESSON = {"batch_size": 128, "weight_decay": 0.0, "image_size": 28}


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add(
        "--model",
        choices=tuple(MODELS),
        help="default: vgg_small; with --lesson course_vgg",
    )
    add("--backbone", metavar="NAME", help="a pretrained trunk in place of --model")
    add("--lesson", action="store_true", help="the course's pictures and optimizer")
    kd.workbench.add_array_arguments(
        parser, "train/ and test/, a folder of images per class in each", 15
    )
    parser.add_int("--image-size", None, "side, in pixels; default: as they are")
    parser.add_int("--max-images", None, "at most so many of each split; default: all")
    rates = ("step", "sgdr", "one_cycle")
    add("--schedule", default="step", choices=rates, help="of the learning rate")
    parser.add_float("--rate", 1e-3, "highest")
    add(
        "--weight-decay",
        type=float,
        metavar="SHARE",
        help="of AdamW, which is Adam without it; default: 0.02, with --lesson 0",
    )
    parser.add_int("--cycle-len", 1, "epochs, of sgdr")
    add(
        "--tensorboard",
        default="epoch",
        choices=("epoch", "step"),
        help="step: loss and accuracy of each batch too",
    )
    add(
        "--keep",
        default="best",
        choices=("best", "all"),
        help=f"all: each epoch's network too, in {EPOCHS}/",
    )
    args = parser.parse_run(argv, NAME)
    for name, value in (LESSON if args.lesson else PLAIN).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    if not args.backbone:
        args.model = args.model or ("course_vgg" if args.lesson else "vgg_small")
    return args


def main(argv=None):
    args = parse_args(argv)
    with kd.workbench.training_run(args, NEXT_STEP, check) as run:
        max_images = kd.workbench.max_images(args.data, args.quick) or args.max_images
        photos = kd.data.cifar10(
            args.data,
            VALID_FRACTION,
            args.image_size,
            args.batch_size,
            lesson_views() if args.lesson else views(),
            max_images=max_images,
            seed=run.seed,
        )
        model = build(args, photos, run.seed)
        kd.workbench.remember_images(run, photos, NAME, VALID_FRACTION, max_images)
        photos.preview(run.path / "augmented.png")
        train(model, photos, args, run)


def views():
    """How training images are changed."""
    return kd.data.Augment(
        width_shift_range=0.125,  # four of 32 pixels
        height_shift_range=0.125,
        horizontal_flip=True,
        brightness=0.1,
        contrast=0.2,
        saturation=0.2,
        fill_mode="constant",
        whole_pixels=True,
    )


def lesson_views():
    """The course's, which also turns cars and ships upside down: not so here."""
    return kd.data.Augment(
        crop=28 / 32,
        horizontal_flip=True,
        brightness=0.1,
        contrast=0.1,
        saturation=0.1,
        hue=0.1,
        grey=0.2,
        whole_pixels=True,
    )


def build(args, photos, seed):
    """The network of --model or --backbone."""
    classes = len(photos.class_names)
    if args.backbone:
        size = photos.image_size
        trunk = kd.models.build_trunk(args.backbone, image_size=size, seed=seed)
        return kd.models.classifier(trunk, classes, seed=seed)
    return getattr(kd.models, args.model)(
        input_shape=(*photos.image_size, 3),
        classes=classes,
        pixels="cifar",
        seed=seed,
        **MODELS[args.model],
    )


def check(args):
    """What the parser cannot tell of single arguments."""
    if args.backbone and args.model:
        raise ValueError(
            f"`model` must be left out with --backbone. Received: model={args.model!r}"
        )
    if args.backbone:
        least = kd.models.backbone(args.backbone).min_image_size
        if (args.image_size or 0) < least:
            raise ValueError(
                f"`image_size` must be at least {least} for --backbone {args.backbone}."
                f" Received: image_size={args.image_size}. Pass --image-size 128."
            )
    if not 0 <= args.weight_decay < 1:
        raise ValueError(
            "--weight-decay must be at least 0 and below 1. Received: "
            f"{args.weight_decay}"
        )
    ends = [kd.schedules.total_epochs(n, args.cycle_len, 2) for n in range(1, 12)]
    if args.schedule == "sgdr" and args.epochs not in ends and not args.quick:
        raise ValueError(
            "`epochs` must be the end of a cycle with --schedule sgdr: "
            f"{', '.join(map(str, ends))}. Received: epochs={args.epochs}"
        )


def learning_rates(args):
    """The schedule of `--schedule`."""
    if args.schedule == "step":
        return kd.callbacks.StepDecay(decay_len=5, factor=0.9)
    if args.schedule == "one_cycle":
        return kd.callbacks.OneCycle()
    return kd.callbacks.CosineRestarts(args.cycle_len, 2)


def keep_all(model, folder):
    """A callback that writes the network after each epoch."""
    import keras

    folder.mkdir(exist_ok=True)

    def keep(epoch, logs):
        with kd.train.on_one_device(model) as alone:
            kd.export.save_inference_model(alone, folder / f"{epoch + 1}.keras")

    return keras.callbacks.LambdaCallback(on_epoch_end=keep)


def train(model, photos, args, run):
    """Train, and write the files of the run folder and the table."""
    import keras
    import pandas as pd

    model.compile(
        optimizer=kd.workbench.adamw(args.rate, args.weight_decay),
        loss=kd.classification.classification_loss(model, photos),
        metrics=["accuracy"],
    )
    logs = run.path / "tensorboard"
    state = run.path / kd.workbench.STATE
    state.mkdir(exist_ok=True)
    best = kd.callbacks.BestWeights(state / "best.weights.h5")
    chosen = []
    if args.tensorboard == "step":
        chosen.append(kd.callbacks.TensorBoardSteps(logs))
    if args.keep == "all":
        chosen.append(keep_all(model, run.path / EPOCHS))
    history = kd.workbench.fit_arrays(
        model,
        photos,
        epochs=1 if args.quick else args.epochs,
        schedule=learning_rates(args),
        folder=run.path,
        callbacks=[
            best,
            kd.classification.TensorBoardImages(logs, photos),
            keras.callbacks.TensorBoard(logs, write_graph=False),
            *chosen,
        ],
    )
    with kd.train.on_one_device(model) as alone:
        kd.workbench.settle_batch_norm(alone, photos, history)
        kd.export.save_inference_model(alone, run.path / "last.keras")
        last = kd.predict.predict_split(alone, photos, "test").accuracy
    model.load_weights(best.path)
    row = kd.workbench.write_network(run, model, photos, history)
    row |= {"best_epoch": best.epoch, "valid_accuracy": best.best}
    row |= {"last_test_accuracy": last}
    run.manifest["results"] = [row]
    table = pd.DataFrame([row]).drop(columns="dataset")
    print(f"\n{kd.tables.as_texts(table).T.to_string(header=False)}")


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
