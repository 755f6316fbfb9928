r"""Photos of two or more classes become a classifier: .keras, .tflite and a report.

    python recipes/cats_dogs_finetune.py
    python recipes/cats_dogs_finetune.py --data data/cats_dogs
    python recipes/cats_dogs_finetune.py --data photos --labels labels.csv
    python recipes/cats_dogs_finetune.py --data data/cats_dogs --stages chapter \
        --backbone vgg16

Without --data it runs on drawings that come with it, not photos. DIR holds train/ and
valid/ (or val/, validation/, dev/; test/ too, if there is one), each with a folder per
class, or train/ or those class folders alone, of which a fifth is then kept for
validation. Or --labels names the photos and their labels, as text, several in a text
(--delimiter), as lists, or in a column of 0 and 1 for each class; its columns are found
unless they are given. Photos with several labels take a way of their own: a head, then
all layers, and a threshold for each label.

Stages: a, the Keras book's small convnet from scratch, without and with augmentation;
b, a head on cached activations; c, a head on the frozen trunk with augmentation; d,
the late layers too (needs c). `chapter` is a to d; --book takes the book's own settings
for them: RMSprop at constant rates, batches of 20, its epochs, no Dropout on the frozen
trunk. `practice`: a linear
head on cached activations of the photos and their mirror images, with the L2 that suits
them, then the late layers, if these lower the loss on the validation photos.
"""

import _chapter
import _practice
import _several_labels

import kerasdl as kd

NAME = "cats_dogs"
BOOK_SIZE = 150  # pixels, the side of the book's photos
DRAWINGS = """These were drawings that come with kerasdl, not photos. On photos:
  python recipes/cats_dogs_finetune.py --data DIR
DIR holds train/ and valid/, or just one folder per class.

"""
# Trainings by the letter of their stage; some continue another one.
STAGES = {
    "a": {
        "scratch": _chapter.scratch,
        "scratch_augmented": _chapter.scratch_augmented,
    },
    "b": {"features": _chapter.features},
    "c": {"frozen": _chapter.frozen},
    "d": {"fine_tuned": _chapter.fine_tuned},
    "practice": {
        "practice_head": _practice.practice_head,
        "practice": _practice.practice,
    },
}


def parse_args(argv=None, name=NAME):
    parser = kd.workbench.RecipeParser(__doc__)
    parser.add_argument("folder", nargs="?", metavar="DIR", help="the same as --data")
    kd.workbench.add_photo_arguments(parser)
    kd.workbench.add_label_arguments(parser)
    stages = "chapter, practice, or a list: a,b,c,d"
    parser.add_argument("--stages", default="practice", help=stages)
    parser.add_int(
        "--image-size",
        None,
        f"side; default: {BOOK_SIZE} for the chapter's stages, else 224 (288 for "
        "efficientnet_lite0, 299 for xception and inception_v3)",
        "PIXELS",
    )
    help = "the chapter's stages by the book's settings; --batch-size is then 20"
    parser.add_argument("--book", action="store_true", help=help)
    epochs = "of each stage but the practice's head; default: its own"
    parser.add_int("--epochs", None, epochs)
    parser.add_argument(
        "--baseline",
        action="store_true",
        help="show beside it scikit-learn's logistic regression on the same features",
    )
    parser.set_defaults(batch_size=None)
    args = parser.parse_run(argv, name or kd.workbench.name_of_data)
    if args.folder and args.data not in (args.folder, parser.get_default("data")):
        parser.error(
            "DIR and --data must not both be given. Received: "
            f"{args.folder} --data {args.data}. Leave one of them out."
        )
    args.data = args.folder or args.data
    del args.folder
    args.batch_size = args.batch_size or (20 if args.book else 32)
    return args


def main(argv=None, name=NAME):
    """Train; a run without `--out` is called `name`, or after its data if that is None.

    Args:
        argv: of the command line.
        name: of the run.
    """
    args = parse_args(argv, name)
    trainings = trainings_of(args.stages)
    if args.book and "practice" in trainings:
        raise ValueError(
            "`stages` must be chapter, or letters, with --book. Received: "
            f"stages={args.stages!r}"
        )
    next_step = (DRAWINGS if args.data == "sample" else "") + kd.workbench.PREDICT
    check = kd.workbench.check_backbone
    with kd.workbench.training_run(args, next_step, check) as run:
        size = size_of(trainings, args)
        # A size or weights that do not fit are found before any work.
        if "scratch" in trainings:
            kd.models.convnet(input_shape=(size, size, 3), seed=run.seed)
        if args.baseline or not trainings.keys() <= {"scratch", "scratch_augmented"}:
            kd.models.build_trunk(args.backbone, args.weights, size, seed=run.seed)
        options = kd.workbench.PhotoOptions.of(args)
        data, found = kd.workbench.read_photos(options, size, "chapter", seed=run.seed)
        if data.label_mode == "multi_label":
            kd.workbench.remember_photos(run, data, found)
            _several_labels.train(data, args, run)
            return
        setting = _chapter.Setting(
            data=data,
            folder=run.path / kd.workbench.STATE,
            backbone=args.backbone,
            weights=args.weights,
            epochs=1 if args.quick else args.epochs,
            cache_dir=args.cache,
            seed=run.seed,
            book=args.book,
        )
        kd.workbench.remember_photos(run, data, found)
        steps = _chapter.run_all(trainings, setting, run)
        with kd.train.without_strategy():
            write_results(run, setting, steps, args)


def trainings_of(stages):
    """The trainings of `--stages`, in their order."""
    letters = {"chapter": "a,b,c,d"}.get(stages, stages).split(",")
    if not set(letters) <= STAGES.keys():
        raise ValueError(
            "`stages` must be chapter, practice, or letters among a,b,c,d. "
            f"Received: stages={stages!r}"
        )
    if "d" in letters and "c" not in letters[: letters.index("d")]:
        raise ValueError(
            "`stages` must hold 'c' before 'd', which continues it. Received: "
            f"stages={stages!r}"
        )
    return {name: f for letter in letters for name, f in STAGES[letter].items()}


def size_of(trainings, args):
    """The side of the photos, in pixels."""
    of_book = "practice" not in trainings
    own = BOOK_SIZE if of_book else kd.models.backbone(args.backbone).practice_size
    return args.image_size or own


def write_results(run, setting, steps, args):
    """The files of the run folder, and the table on the screen."""
    import pandas as pd

    data, best = setting.data, steps.best()
    name = best["stage"]
    title = f"{run.out.name}: {name}"
    facts = {
        key: {stage: found[key] for stage, found in setting.done.items()}
        for key in ("activations", "choices")
    }
    beside = []
    if args.baseline:
        found = _practice.baseline(setting)
        facts["baseline"] = dict(found)
        del found["C"]
        beside = [{"stage": "logistic regression", **found}]
    steps.record(beside, best=name, **facts)
    histories = [
        pd.DataFrame(found["history"]).assign(stage=stage)
        for stage, found in setting.done.items()
    ]
    model = kd.models.load_model(setting.folder / f"{name}.keras")
    split = "test" if "test" in data.splits else "valid"
    outputs = kd.workbench.read_predictions(setting.folder, name)[split]
    found = kd.predict.SplitPredictions(
        data.files(split), data.labels(split), kd.predict.class_probabilities(outputs)
    )
    kd.workbench.write_run_files(
        run,
        model=model,
        history=pd.concat(histories, ignore_index=True),
        report=kd.workbench.report_on(found, data, split),
        title=title,
        data=data,
        card=kd.workbench.model_card(run, data, model, best, title),
    )
    print(f"\nkept: {name}, of the lowest loss on the validation photos")


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
