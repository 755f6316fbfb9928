"""Breeds of dogs from a table of labels, after fast.ai's second lesson.

    python recipes/dog_breeds.py --data data/dog_breeds

DIR is Kaggle's dog-breed-identification, unpacked: labels.csv, train/ and test/. The
head trains on cached activations, then with augmentation, then the whole goes on with
larger images: a network that knows small ones learns little that is wrong from large
ones. Accuracy and log loss, which the contest counts, are printed after each step, and
test-time augmentation answers for the test photos: submission.csv.gz.
"""

import argparse
import json
import shutil

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

NAME = "dog_breeds"
CONTEST = kerasdl.contest_recipe.Contest(
    name="dog-breed-identification",
    table="labels.csv",
    image="id",
    label="breed",
    train="train",
    test="test",
)


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kerasdl.contest_recipe.add_contest_arguments(parser, CONTEST, [224, 299])
    add = parser.add_argument
    add("--rate", type=float, default=1e-3, metavar="RATE", help="of the head")
    add("--cycles", type=int, default=3, metavar="N", help="of each step")
    add("--n-aug", type=int, default=4, metavar="N", help="augmented views at the end")
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
            args, CONTEST, "side_on", seed=run.seed
        )
        learn = kerasdl.Learner.pretrained(
            args.backbone,
            data,
            precompute=True,
            weights=args.weights,
            folder=run.path / "state",
            cache_dir=args.cache,
            seed=run.seed,
        )
        kerasdl.photo_recipe.remember_photos(run, data, check)
        finish(learn, practise(learn, args), args, run)
    shutil.rmtree(args.out / "state")
    print(f"\n{args.out}/ holds the model and report.html; on a photo of your own:")
    print(f"  python recipes/predict.py {args.out} PHOTO")


def practise(learn, args):
    """Train at one size after the other; returns a row for each step."""
    cycles = 1 if args.quick else args.cycles
    rows = []

    def fit(step, **cycle):
        print(f"\n{step}")
        history = learn.fit(args.rate, cycles, **cycle, resume=True)
        minutes = history["seconds"].sum() / 60
        found = learn.predict()
        facts = {"step": step, "epochs": len(history), "minutes": minutes}
        rows.append(facts | measure(found))

    first, *others = args.image_sizes
    # Seconds an epoch, as the trunk does not run.
    fit(f"head_cached_{first}", cycle_len=2, cycle_mult=2)
    learn.precompute = False
    fit(f"augmented_{first}")
    for size in others:
        learn.set_data(learn.data.with_image_size(size))
        fit(f"augmented_{size}")
    return rows


def measure(found):
    """Accuracy and log loss of the validation photos."""
    from sklearn.metrics import log_loss

    classes = range(found.probabilities.shape[1])
    loss = log_loss(found.labels, found.probabilities, labels=classes)
    return {"valid": found.accuracy, "log loss": loss}


def finish(learn, rows, args, run):
    """Test-time augmentation, the files of the run folder, and the table."""
    import pandas as pd

    from kerasdl import predict

    print("\ntest-time augmentation")
    rows.append({"step": "tta", **measure(learn.tta(args.n_aug, seed=0))})
    if "test" in learn.data.splits:
        found = learn.tta(args.n_aug, split="test", seed=0)
        answers = predict.Submission(learn.data, found.probabilities, found.files)
        answers.write(
            run.path / "submission.csv.gz", compression="gzip", overwrite=True
        )
    title = f"{len(learn.data.class_names)} breeds of dogs"
    kerasdl.photo_recipe.write_learner(learn, run, title)
    table = pd.DataFrame(rows)
    run.record(steps=json.loads(table.to_json(orient="records")))
    learn.report(run.path / "report.html")
    print(f"\n{table.to_string(index=False, na_rep='', float_format='{:.4g}'.format)}")


if __name__ == "__main__":
    kerasdl.cli.run_recipe(main)
