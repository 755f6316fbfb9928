"""Several labels on each satellite image, after fast.ai's third lesson.

    python recipes/planet_multilabel.py --data data/planet

DIR is Kaggle's planet-understanding-the-amazon-from-space, unpacked: train_v2.csv,
train-jpg/ and test-jpg/. From small images to large ones, at each size the head trains,
then all layers, with rates by depth; there is no up in a picture from above, so that
all eight symmetries of the square augment it. F2, which the contest counts, is printed
after each step. Each label's threshold is fitted on one half of the validation images
and reported on the other; the tags of the test images are in submission.csv.gz.
"""

import argparse
import json
import shutil

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

NAME = "planet_multilabel"
CONTEST = kerasdl.contest_recipe.Contest(
    name="planet-understanding-the-amazon-from-space",
    table="train_v2.csv",
    image="image_name",
    label="tags",
    train="train-jpg",
    test="test-jpg",
    label_delimiter=" ",
)


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kerasdl.contest_recipe.add_contest_arguments(parser, CONTEST, [64, 128, 256])
    add = parser.add_argument
    add("--head-rate", type=float, default=1e-3, metavar="RATE")
    add(
        "--rates",
        type=float,
        nargs=2,
        default=[1e-5, 1e-4],
        metavar=("FIRST", "LAST"),
        help="of the first and the last layer group, when all train",
    )
    add("--cycles", type=int, default=3, metavar="N", help="of each step")
    kerasdl.cli.add_run_arguments(parser)
    return kerasdl.cli.parse_run_arguments(parser, argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    kerasdl.runtime.start(
        args.precision, args.deterministic, args.gpu_memory_growth, args.verbose
    )
    with kerasdl.runs.run_folder(
        args.out,
        kerasdl.cli.recorded(args),
        seed=args.seed,
        resume=args.resume,
        overwrite=args.overwrite,
    ) as run:
        data, check = kerasdl.contest_recipe.read_contest(
            args, CONTEST, "top_down", seed=run.seed
        )
        learn = kerasdl.Learner.pretrained(
            args.backbone,
            data,
            weights=args.weights,
            folder=run.path / "state",
            cache_dir=args.cache,
            seed=run.seed,
        )
        kerasdl.photo_recipe.remember_photos(run, data, check)
        rows = practise(learn, args)
        finish(learn, rows, run)
    shutil.rmtree(args.out / "state")
    print(f"\n{args.out}/ holds the model and report.html; on a photo of your own:")
    print(f"  python recipes/predict.py {args.out} PHOTO")


def practise(learn, args):
    """Train at one size after the other; returns a row for each step."""
    cycles = 1 if args.quick else args.cycles
    rows = []

    def fit(step, learning_rate, cycle_mult=1):
        print(f"\n{step}")
        history = learn.fit(learning_rate, cycles, cycle_mult=cycle_mult, resume=True)
        minutes = history["seconds"].sum() / 60
        facts = {"step": step, "epochs": len(history), "minutes": minutes}
        rows.append(facts | {"F2": f2(learn.predict())})

    for size in args.image_sizes:
        learn.set_data(learn.data.with_image_size(size))
        learn.freeze()
        fit(f"head_{size}", args.head_rate)
        learn.unfreeze()
        fit(f"all_layers_{size}", slice(*args.rates), cycle_mult=2)
    return rows


def f2(found, thresholds=0.5):
    """Mean over images of F2 of their labels."""
    from sklearn.metrics import fbeta_score

    answers = found.probabilities > thresholds
    return fbeta_score(
        found.labels, answers, beta=2, average="samples", zero_division=0
    )


def finish(learn, rows, run):
    """Thresholds, the files of the run folder, and the tables."""
    import numpy as np
    import pandas as pd

    from kerasdl import predict

    print("\ntest-time augmentation")
    found = learn.tta(augment="dihedral")
    rows.append({"step": "tta", "F2": f2(found)})
    order = np.random.default_rng(run.seed).permutation(len(found.files))
    fitted, reported = np.array_split(order, 2)
    thresholds = predict.fit_thresholds(
        found.probabilities[fitted], found.labels[fitted]
    )
    report = predict.threshold_report(
        found.probabilities[reported],
        found.labels[reported],
        thresholds,
        learn.data.class_names,
    )
    rows.append({"step": "tta + thresholds", "F2": report.loc["samples", "fitted"]})
    report.to_csv(run.path / "thresholds.csv", index_label="label")
    run.manifest["thresholds"] = thresholds.tolist()
    if "test" in learn.data.splits:
        answers = learn.tta(augment="dihedral", split="test")
        predict.Submission(learn.data, answers.probabilities, answers.files).write(
            *(run.path / "submission.csv.gz", "tags", "gzip", "image_name", "tags"),
            thresholds=thresholds,
            overwrite=True,
        )
    kerasdl.photo_recipe.write_learner(learn, run, "Satellite images")
    table = pd.DataFrame(rows)
    run.record(steps=json.loads(table.to_json(orient="records")))
    learn.report(run.path / "report.html")
    number = "{:.4g}".format
    print(f"\nthresholds, on the half they were not fitted on\n{report.to_string()}")
    print(f"\n{table.to_string(index=False, na_rep='', float_format=number)}")


if __name__ == "__main__":
    kerasdl.cli.run_recipe(main)
