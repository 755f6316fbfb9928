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

import argparse
import json
import shutil

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

NAME = "cats_dogs"
BOOK_SIZE = 150  # pixels, the side of the book's photos


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    kerasdl.recipe.photos.add_photo_arguments(parser)
    add("--stages", default="practice", help="chapter, practice, or a list: a,b,c,d")
    add(
        "--image-size",
        type=kerasdl.cli.positive_int,
        metavar="PIXELS",
        help=f"side; default: {BOOK_SIZE} for the chapter's stages, else 224 (288 for "
        "efficientnet_lite0)",
    )
    add(
        "--epochs",
        type=kerasdl.cli.positive_int,
        metavar="N",
        help="of each stage but the practice's head; default: its own",
    )
    add(
        "--baseline",
        action="store_true",
        help="show beside it scikit-learn's logistic regression on the same features",
    )
    kerasdl.cli.add_run_arguments(parser)
    return kerasdl.cli.parse_run_arguments(parser, argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    kerasdl.runtime.start(
        args.precision,
        args.deterministic,
        args.gpu_memory_growth,
        args.verbose,
        args.strategy,
    )
    if kerasdl.recipe.photos.clear_cache(args):
        return
    from kerasdl import models, train

    names = stage_names(args.stages)
    backbone = models.backbone(args.backbone)
    of_book = not any(name.startswith("practice") for name in names)
    size = args.image_size
    if size is None:
        size = BOOK_SIZE if of_book else backbone.practice_size
    with kerasdl.runs.run_folder(
        args.out,
        kerasdl.cli.recorded(args),
        seed=args.seed,
        resume=args.resume,
        overwrite=args.overwrite,
    ) as run:
        # A size or weights that do not fit are found before any work.
        if "scratch" in names:
            models.convnet(input_shape=(size, size, 3), seed=run.seed)
        if not set(names) <= {"scratch", "scratch_augmented"}:
            models.build_trunk(args.backbone, args.weights, size, seed=run.seed)
        data, check = kerasdl.recipe.photos.read_photos(
            args, size, "chapter", seed=run.seed
        )
        trainings = train.Stages(
            data,
            run.path / "state",
            args.backbone,
            args.weights,
            1 if args.quick else args.epochs,
            args.cache,
            seed=run.seed,
        )
        kerasdl.recipe.photos.remember_photos(run, data, check)
        stages = list(trainings.run(names))
        with train.without_strategy():
            baseline = trainings.baseline() if args.baseline else {}
            write_results(run, data, stages, baseline)
    if not run.is_chief:
        return
    shutil.rmtree(args.out / "state")  # not before: a kill would lose it all
    kerasdl.recipe.photos.print_cache_size(args)
    if args.data == "sample":
        print(
            "\nThese were drawings that come with kerasdl, not photos. On photos:\n"
            "  python recipes/cats_dogs_finetune.py --data DIR\n"
            "DIR holds train/ and valid/, or just one folder per class."
        )
    print(f"\n{args.out}/ holds the model and report.html; on a photo of your own:")
    print(f"  python recipes/predict.py {args.out} PHOTO")


def stage_names(stages):
    """The trainings of `--stages`."""
    from kerasdl import train

    letters = {"chapter": "a,b,c,d"}.get(stages, stages).split(",")
    if not set(letters) <= set(train.STAGES):
        raise ValueError(
            "`stages` must be chapter, practice, or letters among a,b,c,d. "
            f"Received: stages={stages!r}"
        )
    names = [name for letter in letters for name in train.STAGES[letter]]
    train.check_stages(names)
    return names


def write_results(run, data, stages, baseline):
    """The files of the run folder, and the table on the screen."""
    import pandas as pd

    from kerasdl import export, plots

    table = pd.DataFrame([summarise(stage, data) for stage in stages])
    history = pd.concat(
        [stage.history.assign(stage=stage.name) for stage in stages], ignore_index=True
    )
    # Of few photos the loss tells more than the accuracy. Two equal ones: the later
    # stage, which has seen more.
    best = stages[::-1][int(table["valid loss"][::-1].to_numpy().argmin())]
    model = best.load_model()
    export.save_inference_model(model, run.path / "model.keras")
    export.save_tflite(model, run.path / "model.tflite")
    plots.save_curves(history, run.path / "curves.png")
    history.to_csv(run.path / "history.csv", index=False)
    title = f"{run.out.name}: {best.name}"
    kept = table.set_index("stage").loc[best.name, ["valid", "test"]].dropna()
    readme = export.run_readme(
        *(data.class_names, data.image_size, data.resize, title),
        facts=kerasdl.recipe.model_card.model_card(run, data, model, kept),
    )
    (run.path / "README.md").write_text(readme, encoding="utf-8")
    run.record(
        stages=json.loads(table.to_json(orient="records")),  # NaN as null
        best=best.name,
        activations={stage.name: stage.activations for stage in stages},
        choices={stage.name: stage.choices for stage in stages},
        **({"baseline": baseline} if baseline else {}),
    )
    save_looks(best, data, run, title, history)
    if baseline:
        row = {"stage": "logistic regression", **baseline}
        table = pd.concat([table, pd.DataFrame([row]).drop(columns="C")])
    print(f"\n{table.to_string(index=False, na_rep='', float_format='{:.4g}'.format)}")
    print(f"\nkept: {best.name}, of the lowest loss on the validation photos")


def summarise(stage, data):
    """A row of the table."""
    from kerasdl import train

    row = {
        "stage": stage.name,
        "parameters trained": stage.trained_parameters,
        "epochs": len(stage.history),
        "minutes": stage.minutes,
    }
    for split in ("valid", "test"):
        known = split in stage.predictions
        row[split] = (
            train.accuracy(stage.predictions[split], data.labels(split))
            if known
            else float("nan")
        )
    losses = train.cross_entropy(stage.predictions["valid"], data.labels("valid"))
    return row | {"valid loss": float(losses.mean())}


def save_looks(stage, data, run, title, history):
    """report.html, and of it confusion.png and mistakes.png, the worst photos."""
    from kerasdl import interpret

    split = "test" if "test" in data.splits else "valid"
    report = interpret.ClassificationReport.from_predictions(
        stage.predictions[split],
        data.labels(split),
        data.class_names,
        data.files(split),
        lambda row: data.read(split, row),
        split=split,
    )
    kerasdl.recipe.looks.save_looks(report, run.path)
    page = run.path / "report.html"
    interpret.save_report(report, page, title, run.manifest, history, seed=run.seed)


if __name__ == "__main__":
    kerasdl.cli.run_recipe(main)
