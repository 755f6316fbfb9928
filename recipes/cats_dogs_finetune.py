"""Photos of two or more classes become a classifier: .keras, .tflite and a report.

    python recipes/cats_dogs_finetune.py
    python recipes/cats_dogs_finetune.py --data data/cats_dogs
    python recipes/cats_dogs_finetune.py --data data/cats_dogs --stages chapter \
        --backbone vgg16

Without --data it runs on drawings that come with it, not photos. DIR holds train/ and
valid/ (test/ too, if there is one), each with a folder per class, or those class
folders alone, of which a fifth is then kept for validation.

Stages: a, the Keras book's small convnet from scratch, without and with augmentation;
b, a head on cached activations; c, a head on the frozen trunk with augmentation; d,
the late layers too (needs c). `chapter` is a to d. `practice`: a linear
head on cached activations of the photos and their mirror images, with the L2 that suits
them, then the late layers, if these lower the loss on the validation photos.
"""

import json

import kerasdl as kd

NAME = "cats_dogs"
BOOK_SIZE = 150  # pixels, the side of the book's photos
DRAWINGS = """These were drawings that come with kerasdl, not photos. On photos:
  python recipes/cats_dogs_finetune.py --data DIR
DIR holds train/ and valid/, or just one folder per class.

"""


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    kd.workbench.add_photo_arguments(parser)
    stages = "chapter, practice, or a list: a,b,c,d"
    parser.add_argument("--stages", default="practice", help=stages)
    parser.add_int(
        "--image-size",
        None,
        f"side; default: {BOOK_SIZE} for the chapter's stages, else 224 (288 for "
        "efficientnet_lite0)",
        "PIXELS",
    )
    epochs = "of each stage but the practice's head; default: its own"
    parser.add_int("--epochs", None, epochs)
    parser.add_argument(
        "--baseline",
        action="store_true",
        help="show beside it scikit-learn's logistic regression on the same features",
    )
    return parser.parse_run(argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    next_step = (DRAWINGS if args.data == "sample" else "") + kd.workbench.PREDICT
    with kd.workbench.training_run(args, next_step, check) as run:
        names = stage_names(args.stages)
        size = size_of(names, args)
        # A size or weights that do not fit are found before any work.
        if "scratch" in names:
            kd.models.convnet(input_shape=(size, size, 3), seed=run.seed)
        if not set(names) <= {"scratch", "scratch_augmented"}:
            kd.models.build_trunk(args.backbone, args.weights, size, seed=run.seed)
        options = kd.workbench.PhotoOptions.of(args)
        data, found = kd.workbench.read_photos(options, size, "chapter", seed=run.seed)
        trainings = kd.train.Stages(
            data,
            run.path / kd.workbench.STATE,
            args.backbone,
            args.weights,
            1 if args.quick else args.epochs,
            args.cache,
            seed=run.seed,
        )
        kd.workbench.remember_photos(run, data, found)
        stages = list(trainings.run(names))
        with kd.train.without_strategy():
            baseline = trainings.baseline() if args.baseline else {}
            write_results(run, data, stages, baseline)


def check(args):
    """What takes TensorFlow to be told of the arguments."""
    kd.workbench.check_backbone(args)
    stage_names(args.stages)


def size_of(names, args):
    """The side of the photos, in pixels."""
    of_book = not any(name.startswith("practice") for name in names)
    own = BOOK_SIZE if of_book else kd.models.backbone(args.backbone).practice_size
    return args.image_size or own


def stage_names(stages):
    """The trainings of `--stages`."""
    letters = {"chapter": "a,b,c,d"}.get(stages, stages).split(",")
    if not set(letters) <= set(kd.train.STAGES):
        raise ValueError(
            "`stages` must be chapter, practice, or letters among a,b,c,d. "
            f"Received: stages={stages!r}"
        )
    names = [name for letter in letters for name in kd.train.STAGES[letter]]
    kd.train.check_stages(names)
    return names


def write_results(run, data, stages, baseline):
    """The files of the run folder, and the table on the screen."""
    import pandas as pd

    table = pd.DataFrame([summarise(stage, data) for stage in stages])
    history = pd.concat(
        [stage.history.assign(stage=stage.name) for stage in stages], ignore_index=True
    )
    # Of few photos the loss tells more than the accuracy. Two equal ones: the later
    # stage, which has seen more.
    best = stages[::-1][int(table["valid loss"][::-1].to_numpy().argmin())]
    model = best.load_model()
    title = f"{run.out.name}: {best.name}"
    kept = table.set_index("stage").loc[best.name, ["valid", "test"]].dropna()
    run.record(
        stages=json.loads(table.to_json(orient="records")),  # NaN as null
        best=best.name,
        activations={stage.name: stage.activations for stage in stages},
        choices={stage.name: stage.choices for stage in stages},
        **({"baseline": baseline} if baseline else {}),
    )
    split = "test" if "test" in data.splits else "valid"
    found = kd.predict.SplitPredictions(
        data.files(split), data.labels(split), best.predictions[split]
    )
    kd.workbench.write_run_files(
        run,
        model=model,
        history=history,
        report=kd.workbench.report_on(found, data, split),
        title=title,
        card=kd.workbench.model_card(run, data, model, kept, title),
    )
    if baseline:
        row = {"stage": "logistic regression", **baseline}
        table = pd.concat([table, pd.DataFrame([row]).drop(columns="C")])
    print(f"\n{table.to_string(index=False, na_rep='', float_format='{:.4g}'.format)}")
    print(f"\nkept: {best.name}, of the lowest loss on the validation photos")


def summarise(stage, data):
    """A row of the table."""
    row = {
        "stage": stage.name,
        "parameters trained": stage.trained_parameters,
        "epochs": len(stage.history),
        "minutes": stage.minutes,
    }
    for split in ("valid", "test"):
        known = split in stage.predictions
        row[split] = (
            kd.train.accuracy(stage.predictions[split], data.labels(split))
            if known
            else float("nan")
        )
    losses = kd.train.cross_entropy(stage.predictions["valid"], data.labels("valid"))
    return row | {"valid loss": float(losses.mean())}


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
