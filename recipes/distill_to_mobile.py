"""A finished run teaches a small network: a MobileNet, trained by distillation.

    python recipes/distill_to_mobile.py saved_models/cats_dogs
    python recipes/distill_to_mobile.py saved_models/cats_dogs --sparsity 0.8 --alone

The teacher answers some augmented views of each training photo of its run, once; the
student learns from these answers and the labels, from random weights, and then from
new views with the mean answer for their photo. --sparsity sets that share of its
weights to 0, little by little; --alone trains the same network on the labels alone too.
The last lines show all side by side: accuracy, size, time.
"""

import tempfile
from pathlib import Path

import kerasdl as kd

NAME = "distilled"
NEXT_STEP = """{out}/ holds the student and report.html; on a photo of your own:
  python recipes/predict.py {out} PHOTO"""
STUDENTS = ("mobilenet_v1", "mobilenet_v2")


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("teacher", nargs="?", metavar="TEACHER_RUN", help="folder of a finished run")
    add("--data", metavar="DIR", help="photos of the same classes; default: the run's")
    default = STUDENTS[0]
    add("--student", default=default, choices=STUDENTS, help=f"default: {default}")
    add("--alpha", type=float, default=0.5, choices=(0.25, 0.5), help="width; 0.5")
    whole, number = kd.workbench.positive_int, kd.workbench.positive_float
    for name, kind, default, text in (
        ("--image-size", whole, 96, "side for the student, in pixels"),
        ("--epochs", whole, 150, "how often it sees all photos"),
        ("--rate", number, 0.01, "the highest learning rate"),
        ("--temperature", number, 4.0, "by which answers are softened"),
        ("--label-weight", float, 0.1, "share of the loss that is by the labels"),
        ("--views", whole, 16, "of each photo, that the teacher answers"),
        ("--augment", str, "chapter", "side_on, top_down, chapter or none"),
    ):
        text = f"{text}; default: {default}"
        add(name, type=kind, default=default, metavar="X", help=text)
    add(
        "--sparsity",
        type=float,
        metavar="SHARE",
        help="of weights that end as 0; default: 0",
    )
    add("--alone", action="store_true", help="train on the labels alone too")
    args = parser.parse_run(argv, NAME)
    if args.teacher is None:
        parser.error("TEACHER_RUN must be the folder of a finished run")
    return args


def main(argv=None):
    args = parse_args(argv)
    info = kd.runs.read_run(args.teacher)
    with kd.workbench.training_run(args, NEXT_STEP) as run:
        # What does not fit is found before any work.
        student = build_student(args, info, run.seed)
        distiller = kd.classification.distiller(
            student, args.temperature, args.label_weight
        )
        pruning(args)
        reading = kd.workbench.photo_reading(info, args.data, args.quick)
        data, check = kd.workbench.read_again(info, reading)
        data = data.with_augment(args.augment)
        small = data.with_image_size(args.image_size)
        with kd.train.without_strategy():
            teacher = kd.models.load_model(info.model_path)
            costs = {"teacher": costs_of_run(info, teacher)}
        run.manifest["reading"] = reading
        kd.workbench.remember_photos(run, small, check)

        state = run.path / kd.workbench.STATE
        state.mkdir(exist_ok=True)
        with kd.train.without_strategy():
            taught = kd.classification.TaughtPhotos(
                data,
                args.image_size,
                teacher,
                number(args, min(args.views, args.epochs)),
                state,
                seed=run.seed,
            )
        networks, histories = {"teacher": (teacher, data)}, []
        histories.append(
            fit("student", distiller, student, taught, data=small, args=args, run=run)
        )
        networks["student"] = (student, small)
        if args.alone:
            alone = build_student(args, info, run.seed)
            photos = kd.classification.TaughtPhotos(
                data, args.image_size, seed=run.seed
            )
            histories.append(
                fit("alone", alone, alone, photos, data=small, args=args, run=run)
            )
            networks["alone"] = (alone, small)
        with kd.train.without_strategy():
            write_results(run, info, networks, histories, costs=costs, args=args)


def number(args, count):
    """`count` of epochs or views, or 1 with --quick."""
    return 1 if args.quick else count


def build_student(args, info, seed):
    """A network for the classes of the teacher, with weights as `seed` draws them."""
    student = getattr(kd.models, args.student)(
        input_shape=(args.image_size, args.image_size, 3),
        classes=len(info.labels),
        alpha=args.alpha,
        seed=seed,
    )
    return kd.train.distributed(student)  # it predicts while the Distiller trains


def pruning(args):
    """The callbacks of --sparsity: from half to four fifths of the epochs."""
    if args.sparsity is None:
        return []
    epochs = number(args, args.epochs)
    begin = epochs // 2
    end = max(begin + 1, epochs * 4 // 5)
    return [kd.callbacks.MagnitudePruning(args.sparsity, begin, end)]


def fit(name, model, student, photos, data, args, run):
    """Train `model`, of which `student` is a part or all; returns the history."""
    import keras

    print(f"\n{name}")
    optimizer = kd.workbench.adamw(args.rate, weight_decay=0.01)
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    history = kd.train.resumable_fit(
        model,
        photos.train,
        number(args, args.epochs),
        run.path / kd.workbench.STATE / f"{name}.npz",
        callbacks=[
            kd.callbacks.StopOnBadLoss(photos),
            *pruning(args),
            kd.classification.SplitEvaluation(student, data),
            kd.callbacks.OneCycle(),
        ],
        start_epoch=photos.start_epoch,
    )
    is_taught = model is not student
    # Moving statistics lag behind the weights when there are few batches.
    photos.start_epoch(0)
    images = photos.train.map(lambda x, labels: x[0] if is_taught else x)
    kd.models.recompute_batch_norm(student, images)
    if is_taught:
        # Of the labels alone, as that of the validation photos is.
        names = {"loss": "total_loss", "student_loss": "loss"}
        history = history.drop(columns="total_loss").rename(columns=names)
    return history.assign(stage=name)


def costs_of_run(info, model):
    """What the files of a finished run cost."""
    with tempfile.TemporaryDirectory() as folder:
        tflite = info.path / "model.tflite"
        if not tflite.exists():
            tflite = Path(folder) / "model.tflite"
            kd.export.save_tflite(model, tflite)
        return kd.export.file_costs(info.model_path, tflite)


def write_results(run, info, networks, histories, costs, args):
    """The files of the run folder, and the table on the screen."""
    import pandas as pd

    student, data = networks["student"]
    for name in networks.keys() - {"teacher"}:
        folder = run.path if name == "student" else run.path / name
        folder.mkdir(exist_ok=True)
        costs[name] = kd.export.file_costs(
            *kd.workbench.write_model(folder, networks[name][0])
        )
    splits = [split for split in data.splits[1:] if data.has_labels(split)]
    answers = {
        name: {split: kd.predict.predict_split(model, own, split) for split in splits}
        for name, (model, own) in networks.items()
    }
    rows = [
        {"network": name, **accuracies(answers[name], answers["teacher"])} | costs[name]
        for name in networks
    ]
    run.record(networks=rows)
    last = splits[-1]
    title = f"{run.out.name}: {student.name} taught by {info.path.name}"
    taught = f"{networks['teacher'][0].name} ({rows[0][last]:.4f} {last})"
    card = kd.workbench.model_card(
        run,
        data,
        student,
        measured=rows[1],
        title=title,
        facts={"taught by": taught},
    )
    kd.workbench.write_run_files(
        run,
        model=None,  # it is there already
        history=pd.concat(histories, ignore_index=True),
        report=kd.workbench.report_on(answers["student"][last], data, last),
        title=title,
        card=card,
    )
    if args.sparsity is not None:
        table = kd.models.sparsity_table(student)
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

    table = pd.DataFrame(rows).set_index("network")
    units = {"parameters": "M", "multiply_adds": "M", "keras_bytes": "MB"}
    units |= {"tflite_bytes": "MB", "zipped_bytes": "MB"}
    table[list(units)] /= 1e6
    names = {
        name: f"{name.removesuffix('_bytes')}, {unit}" for name, unit in units.items()
    }
    names |= {"zipped_bytes": "tflite zipped, MB", "p50_ms": "p50, ms"}
    return kd.tables.as_texts(table.rename(columns=names)).T.to_string()


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
