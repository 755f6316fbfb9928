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

import argparse
import shutil

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

NAME = "cifar10"
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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--model", default="vgg_small", choices=tuple(MODELS))
    kerasdl.workbench.add_array_arguments(
        parser, "train/ and test/, a folder of images per class in each"
    )
    add("--schedule", default="step", choices=("step", "sgdr", "one_cycle"))
    add(
        "--rate",
        type=kerasdl.workbench.positive_float,
        default=1e-3,
        metavar="RATE",
        help="highest",
    )
    add("--weight-decay", type=float, default=0.02, metavar="SHARE", help="of AdamW")
    add(
        "--cycle-len",
        type=kerasdl.workbench.positive_int,
        default=1,
        metavar="N",
        help="epochs, of sgdr",
    )
    parser.set_defaults(epochs=15, batch_size=64)
    kerasdl.workbench.add_run_arguments(parser)
    return kerasdl.workbench.parse_run_arguments(parser, argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    kerasdl.runtime.start(
        args.precision,
        args.deterministic,
        args.gpu_memory_growth,
        args.verbose,
        args.strategy,
    )
    from kerasdl import data, models

    if not 0 <= args.weight_decay < 1:
        raise ValueError(
            "--weight-decay must be at least 0 and below 1. Received: "
            f"{args.weight_decay}"
        )
    epochs = 1 if args.quick else args.epochs
    schedule = learning_rates(args, epochs)
    with kerasdl.runs.run_folder(
        args.out,
        kerasdl.workbench.recorded(args),
        seed=args.seed,
        resume=args.resume,
        overwrite=args.overwrite,
    ) as run:
        max_images = kerasdl.workbench.max_images(args)
        photos = data.cifar10(
            args.data,
            VALID_FRACTION,
            batch_size=args.batch_size,
            augment=data.Augment(
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
        model = getattr(models, args.model)(
            input_shape=(*photos.image_size, 3),
            classes=len(photos.class_names),
            pixels="cifar",
            seed=run.seed,
            **MODELS[args.model],
        )
        kerasdl.workbench.remember_images(
            run, photos, "cifar10", VALID_FRACTION, max_images
        )
        photos.preview(run.path / "augmented.png")
        train(model, photos, epochs, schedule, args, run)
    if not run.is_chief:
        return
    shutil.rmtree(args.out / "state")
    print(f"\n{args.out}/ holds the models and report.html; on images of your own:")
    print(f"  python recipes/cifar10_predict.py {args.out} IMAGE")


def learning_rates(args, epochs):
    """The schedule of `--schedule`, checked against the number of epochs."""
    from kerasdl import callbacks, schedules

    if args.schedule == "step":
        return callbacks.StepDecay(decay_len=5, factor=0.9)
    if args.schedule == "one_cycle":
        return callbacks.OneCycle()
    ends = [schedules.total_epochs(n, args.cycle_len, 2) for n in range(1, 12)]
    if epochs not in ends and not args.quick:
        raise ValueError(
            "`epochs` must be the end of a cycle with --schedule sgdr: "
            f"{', '.join(map(str, ends))}. Received: epochs={epochs}"
        )
    return callbacks.CosineRestarts(args.cycle_len, 2)


def train(model, photos, epochs, schedule, args, run):
    """Train, and write the files of the run folder and the table."""
    import keras
    import pandas as pd

    from kerasdl import callbacks, export, predict
    from kerasdl import train as ktrain

    optimizer = keras.optimizers.AdamW(args.rate, weight_decay=args.weight_decay)
    # A decayed scale or bias only changes what a normalisation undoes.
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = ktrain.classification_loss(model, photos)
    model.compile(optimizer, loss=loss, metrics=["accuracy"])
    logs = run.path / "tensorboard"
    (run.path / "state").mkdir(exist_ok=True)
    best = callbacks.BestWeights(run.path / "state" / "best.weights.h5")
    history = kerasdl.workbench.fit_arrays(
        *(model, photos, epochs, schedule, run.path),
        [
            best,
            callbacks.TensorBoardImages(logs, photos),
            keras.callbacks.TensorBoard(logs, write_graph=False),
        ],
    )
    with ktrain.on_one_device(model) as alone:
        kerasdl.workbench.settle_batch_norm(alone, photos, history)
        export.save_inference_model(alone, run.path / "last.keras")
        last = predict.predict_split(alone, photos, "test").accuracy
    model.load_weights(best.path)
    row = kerasdl.workbench.write_network(
        model, photos, history, run, run.path, "cifar10"
    )
    row |= {"best_epoch": best.epoch, "valid_accuracy": best.best}
    row |= {"last_test_accuracy": last}
    run.manifest["results"] = [row]
    table = pd.DataFrame([row]).drop(columns="dataset")
    print(f"\n{table.T.to_string(header=False, float_format='{:.4g}'.format)}")


if __name__ == "__main__":
    kerasdl.workbench.run_recipe(main)
