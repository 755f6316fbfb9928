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
"""

import kerasdl as kd

NAME = "cifar10"
NEXT_STEP = """{out}/ holds the models and report.html; on images of your own:
  python recipes/cifar10_predict.py {out} IMAGE"""
VALID_FRACTION = 0.1
# Builders of kerasdl.models, and what small images want of them.
MODELS = {
    "vgg_small": {"dropout": 0.2},  # with 0.5 it learns too slowly for 15 epochs
    "mobilenet_small": {},
    "inception_small": {},
    "resnet18": {"stem": "cifar"},
    "densenet_small": {"stem": "cifar"},
}


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("--model", default="vgg_small", choices=tuple(MODELS))
    kd.workbench.add_array_arguments(
        parser, "train/ and test/, a folder of images per class in each", 15, 64
    )
    add("--schedule", default="step", choices=("step", "sgdr", "one_cycle"))
    parser.add_float("--rate", 1e-3, "highest")
    add("--weight-decay", type=float, default=0.02, metavar="SHARE", help="of AdamW")
    parser.add_int("--cycle-len", 1, "epochs, of sgdr")
    return parser.parse_run(argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    check(args)
    with kd.workbench.training_run(args, NEXT_STEP) as run:
        max_images = kd.workbench.max_images(args.data, args.quick)
        photos = kd.data.cifar10(
            args.data,
            VALID_FRACTION,
            batch_size=args.batch_size,
            augment=kd.data.Augment(
                width_shift_range=0.125,  # four of 32 pixels
                height_shift_range=0.125,
                horizontal_flip=True,
                brightness=0.1,
                contrast=0.2,
                saturation=0.2,
                fill_mode="constant",
                whole_pixels=True,
            ),
            max_images=max_images,
            seed=run.seed,
        )
        model = getattr(kd.models, args.model)(
            input_shape=(*photos.image_size, 3),
            classes=len(photos.class_names),
            pixels="cifar",
            seed=run.seed,
            **MODELS[args.model],
        )
        kd.workbench.remember_images(run, photos, NAME, VALID_FRACTION, max_images)
        photos.preview(run.path / "augmented.png")
        train(model, photos, args, run)


def check(args):
    """What the parser cannot tell of single arguments."""
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
    print(f"\n{table.T.to_string(header=False, float_format='{:.4g}'.format)}")


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
