"""A finished run teaches a small network: a MobileNet, trained by distillation.

    python recipes/distill_to_mobile.py saved_models/cats_dogs
    python recipes/distill_to_mobile.py saved_models/cats_dogs --sparsity 0.8 --alone

The teacher answers some augmented views of each training photo of its run, once; the
student learns from these answers and the labels, from random weights, and then from
new views with the mean answer for their photo. --sparsity sets that share of its
weights to 0, little by little; --alone trains the same network on the labels alone too.
The last lines show all side by side: accuracy, size, time.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

NAME = "distilled"
STUDENTS = ("mobilenet_v1", "mobilenet_v2")


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, cli = parser.add_argument, kerasdl.workbench
    add("teacher", nargs="?", metavar="TEACHER_RUN", help="folder of a finished run")
    add("--data", metavar="DIR", help="photos of the same classes; default: the run's")
    default = STUDENTS[0]
    add("--student", default=default, choices=STUDENTS, help=f"default: {default}")
    add("--alpha", type=float, default=0.5, choices=(0.25, 0.5), help="width; 0.5")
    for name, kind, default, text in (
        ("--image-size", cli.positive_int, 96, "side for the student, in pixels"),
        ("--epochs", cli.positive_int, 150, "how often it sees all photos"),
        ("--rate", cli.positive_float, 0.01, "the highest learning rate"),
        ("--temperature", cli.positive_float, 4.0, "by which answers are softened"),
        ("--label-weight", float, 0.1, "share of the loss that is by the labels"),
        ("--views", cli.positive_int, 16, "of each photo, that the teacher answers"),
        ("--augment", str, "chapter", "side_on, top_down, chapter or none"),
    ):
        text = f"{text}; default: {default}"
        add(name, type=kind, default=default, metavar="X", help=text)
    add("--sparsity", type=float, metavar="SHARE", help="of the weights, that end as 0")
    add("--alone", action="store_true", help="train on the labels alone too")
    cli.add_run_arguments(parser)
    args = cli.parse_run_arguments(parser, argv, NAME)
    if args.teacher is None:
        parser.error("TEACHER_RUN must be the folder of a finished run")
    return args


def main(argv=None):
    args = parse_args(argv)
    info = kerasdl.runs.read_run(args.teacher)
    kerasdl.runtime.start(
        args.precision,
        args.deterministic,
        args.gpu_memory_growth,
        args.verbose,
        args.strategy,
    )
    from kerasdl import models, train

    read = kerasdl.workbench
    with kerasdl.runs.run_folder(
        args.out,
        kerasdl.workbench.recorded(args),
        seed=args.seed,
        resume=args.resume,
        overwrite=args.overwrite,
    ) as run:
        # What does not fit is found before any work.
        student = build_student(args, info, run.seed)
        distiller = train.distiller(student, args.temperature, args.label_weight)
        pruning(args)
        reading = read.photo_reading(info, args.data, args.quick)
        data, check = read.read_again(info, reading)
        data = data.with_augment(args.augment)
        small = data.with_image_size(args.image_size)
        with train.without_strategy():
            teacher = models.load_model(info.path / "model.keras")
            costs = {"teacher": costs_of_run(info, teacher)}
        run.manifest["reading"] = reading
        kerasdl.workbench.remember_photos(run, small, check)

        state = run.path / "state"
        state.mkdir(exist_ok=True)
        with train.without_strategy():
            taught = train.TaughtPhotos(
                *(data, args.image_size, teacher),
                *(number(args, min(args.views, args.epochs)), state),
                seed=run.seed,
            )
        networks, histories = {"teacher": (teacher, data)}, []
        histories.append(fit("student", distiller, student, taught, small, args, run))
        networks["student"] = (student, small)
        if args.alone:
            alone = build_student(args, info, run.seed)
            photos = train.TaughtPhotos(data, args.image_size, seed=run.seed)
            histories.append(fit("alone", alone, alone, photos, small, args, run))
            networks["alone"] = (alone, small)
        with train.without_strategy():
            write_results(run, info, networks, histories, costs, args)
    if not run.is_chief:
        return
    shutil.rmtree(args.out / "state")  # not before: a kill would lose it all
    print(f"\n{args.out}/ holds the student and report.html; on a photo of your own:")
    print(f"  python recipes/predict.py {args.out} PHOTO")


def number(args, count):
    """`count` of epochs or views, or 1 with --quick."""
    return 1 if args.quick else count


def build_student(args, info, seed):
    """A network for the classes of the teacher, with weights as `seed` draws them."""
    from kerasdl import models, train

    student = getattr(models, args.student)(
        input_shape=(args.image_size, args.image_size, 3),
        classes=len(info.labels),
        alpha=args.alpha,
        seed=seed,
    )
    return train.distributed(student)  # it predicts while the Distiller trains


def pruning(args):
    """The callbacks of --sparsity: from half to four fifths of the epochs."""
    from kerasdl import callbacks

    if args.sparsity is None:
        return []
    epochs = number(args, args.epochs)
    begin = epochs // 2
    end = max(begin + 1, epochs * 4 // 5)
    return [callbacks.MagnitudePruning(args.sparsity, begin, end)]


def fit(name, model, student, photos, data, args, run):
    """Train `model`, of which `student` is a part or all; returns the history."""
    import keras

    from kerasdl import callbacks, models, train

    print(f"\n{name}")
    optimizer = keras.optimizers.AdamW(args.rate, weight_decay=0.01)
    # A decayed scale or bias only changes what a normalisation undoes.
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    history = train.resumable_fit(
        model,
        photos.train,
        number(args, args.epochs),
        run.path / "state" / f"{name}.npz",
        callbacks=[
            callbacks.StopOnBadLoss(photos),
            *pruning(args),
            callbacks.SplitEvaluation(student, data),
            callbacks.OneCycle(),
        ],
        start_epoch=photos.start_epoch,
    )
    is_taught = model is not student
    # Moving statistics lag behind the weights when there are few batches.
    photos.start_epoch(0)
    images = photos.train.map(lambda x, labels: x[0] if is_taught else x)
    models.recompute_batch_norm(student, images)
    if is_taught:
        # Of the labels alone, as that of the validation photos is.
        names = {"loss": "total_loss", "student_loss": "loss"}
        history = history.drop(columns="total_loss").rename(columns=names)
    return history.assign(stage=name)


def costs_of_run(info, model):
    """What the files of a finished run cost."""
    from kerasdl import export

    with tempfile.TemporaryDirectory() as folder:
        tflite = info.path / "model.tflite"
        if not tflite.exists():
            tflite = Path(folder) / "model.tflite"
            export.save_tflite(model, tflite)
        return export.file_costs(info.path / "model.keras", tflite)


def write_results(run, info, networks, histories, costs, args):
    """The files of the run folder, and the table on the screen."""
    import pandas as pd

    from kerasdl import export, models, plots, predict

    student, data = networks["student"]
    for name in networks.keys() - {"teacher"}:
        folder = run.path if name == "student" else run.path / name
        folder.mkdir(exist_ok=True)
        model = networks[name][0]
        export.save_inference_model(model, folder / "model.keras")
        export.save_tflite(model, folder / "model.tflite")
        costs[name] = export.file_costs(folder / "model.keras", folder / "model.tflite")
    splits = [split for split in data.splits[1:] if data.has_labels(split)]
    answers = {
        name: {split: predict.predict_split(model, own, split) for split in splits}
        for name, (model, own) in networks.items()
    }
    rows = [
        {"network": name, **accuracies(answers[name], answers["teacher"])} | costs[name]
        for name in networks
    ]
    history = pd.concat(histories, ignore_index=True)
    history.to_csv(run.path / "history.csv", index=False)
    plots.save_curves(history, run.path / "curves.png")
    title = f"{run.out.name}: {student.name} taught by {info.path.name}"
    kept = {split: found.accuracy for split, found in answers["student"].items()}
    facts = kerasdl.workbench.model_card(run, data, student, kept)
    taught = f"{networks['teacher'][0].name} ({rows[0][splits[-1]]:.4f} {splits[-1]})"
    readme = export.run_readme(
        *(data.class_names, data.image_size, data.resize, title),
        facts=facts | {"taught by": taught},
    )
    (run.path / "README.md").write_text(readme, encoding="utf-8")
    run.record(networks=rows)
    save_looks(answers["student"], splits[-1], data, run, title, history)
    if args.sparsity is not None:
        table = models.sparsity_table(student)
        table.to_csv(run.path / "sparsity.csv", index=False)
        print(f"\n{table.to_string(index=False, float_format='{:.4f}'.format)}")
    print(f"\n{side_by_side(rows)}")


def accuracies(found, teacher):
    """By split, and how often the answer is the teacher's, on the last split."""
    row = {split: answers.accuracy for split, answers in found.items()}
    split = list(found)[-1]
    ours, theirs = (one[split].probabilities.argmax(axis=1) for one in (found, teacher))
    return row | {"agreement": float((ours == theirs).mean())}


def side_by_side(rows):
    """The table to read, a column for each network."""
    import pandas as pd

    table = pd.DataFrame(rows).set_index("network").T
    units = {"parameters": "M", "multiply_adds": "M", "keras_bytes": "MB"}
    units |= {"tflite_bytes": "MB", "zipped_bytes": "MB"}
    table.loc[list(units)] /= 1e6
    names = {
        name: f"{name.removesuffix('_bytes')}, {unit}" for name, unit in units.items()
    }
    table = table.rename(
        {**names, "zipped_bytes": "tflite zipped, MB", "p50_ms": "p50, ms"}
    )
    return table.to_string(float_format="{:.4g}".format)


def save_looks(found, split, data, run, title, history):
    """report.html, confusion.png and mistakes.png of the student."""
    from kerasdl import interpret

    report = interpret.ClassificationReport.from_predictions(
        found[split].probabilities,
        found[split].labels,
        data.class_names,
        found[split].files,
        lambda row: data.read(split, row),
        split=split,
    )
    kerasdl.workbench.save_looks(report, run.path)
    page = run.path / "report.html"
    interpret.save_report(report, page, title, run.manifest, history, seed=run.seed)


if __name__ == "__main__":
    kerasdl.workbench.run_recipe(main)
