"""Kaggle's Amazon from space: the tags of satellite photos, several a photo.

    python recipes/planet_multilabel.py --data data/planet

DIR is the contest's download, unpacked: train_v2.csv, with the columns image_name and
tags (spaces between them), and train-jpg/*.jpg; for a submission test-jpg/*.jpg too,
with the photos of test-jpg-additional among them. sample_submission_v2.csv, if it is
there, is what the submission's ids are compared with.

The photos grow from 64 to 128 to 256 pixels; at each size a head is trained on cached
activations, then all layers with augmentation, turned and mirrored. The contest counts
F2, each photo by itself. Of the photos held out, one half chooses: the step that is
kept, by its loss, and a threshold for each tag. The other half reports. Reference:
fast.ai, lesson 2.
"""

import argparse
import functools
import shutil

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

NAME = "planet_multilabel"
TITLE = "Tags of satellite photos"
CONTEST = "planet-understanding-the-amazon-from-space"
UNPACK = """and unpack into that folder:
  train_v2.csv, and for a submission sample_submission_v2.csv
  train-jpg.tar.7z, which makes train-jpg/*.jpg
  test-jpg.tar.7z for a submission, which makes test-jpg/*.jpg; the photos of
  test-jpg-additional.tar.7z go there too"""


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kerasdl.recipe.photos.add_photo_arguments(
        *(parser, "data/planet", "the contest's download; default: %(default)s")
    )
    add = parser.add_argument
    add(
        "--image-sizes",
        type=kerasdl.cli.positive_int,
        nargs="+",
        default=[64, 128, 256],
        metavar="PIXELS",
        help="sides, one after the other; default: 64 128 256",
    )
    add(
        "--head-rate",
        type=kerasdl.cli.positive_float,
        default=1e-3,
        metavar="RATE",
        help="of the head",
    )
    # Closer together than for photos like ImageNet's: early layers have more to learn.
    add(
        "--rates",
        type=kerasdl.cli.positive_float,
        nargs=2,
        default=[3e-5, 3e-4],
        metavar=("FIRST", "LAST"),
        help="of the first and the last layer group, when all layers train",
    )
    add(
        "--cycles",
        type=kerasdl.cli.positive_int,
        default=3,
        metavar="N",
        help="of each step",
    )
    add(
        "--n-aug",
        type=kerasdl.cli.positive_int,
        default=4,
        metavar="N",
        help="augmented views at the end",
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
    kerasdl.recipe.photos.check_image_sizes(args.image_sizes, args.backbone)
    with kerasdl.runs.run_folder(
        args.out,
        kerasdl.cli.recorded(args),
        seed=args.seed,
        resume=args.resume,
        overwrite=args.overwrite,
    ) as run:
        data, check = read_photos(args, run.seed)
        learn = kerasdl.Learner.pretrained(
            args.backbone,
            data,
            weights=args.weights,
            folder=run.path / "state",
            cache_dir=args.cache,
            optimizer="adam",
            seed=run.seed,
        )
        kerasdl.recipe.photos.remember_photos(run, data, check)
        steps = kerasdl.recipe.steps.Steps(learn, run, measure)
        practise(learn, steps, args)
        with kerasdl.train.without_strategy():
            finish(learn, steps, args, run)
    if not run.is_chief:
        return
    shutil.rmtree(args.out / "state")
    kerasdl.recipe.photos.print_cache_size(args)
    print(f"\n{args.out}/ holds the model and report.html; on a photo of your own:")
    print(f"  python recipes/predict.py {args.out} PHOTO")


def read_photos(args, seed):
    """The photos of train_v2.csv, and what is wrong with their files."""
    folder = kerasdl.recipe.contest.check_download(
        args.data, CONTEST, ("train_v2.csv", "train-jpg/*.jpg"), UNPACK
    )
    check = kerasdl.recipe.photos.check_photos(args, folder / "train-jpg")
    max_pixels = kerasdl.recipe.photos.max_pixels(args)
    data = kerasdl.ImageData.from_table(
        folder / "train_v2.csv",
        folder / "train-jpg",
        image="image_name",
        label="tags",
        suffix=".jpg",
        valid_fraction=0.2,
        test=kerasdl.recipe.contest.check_test_photos(folder / "test-jpg", max_pixels),
        label_delimiter=" ",
        image_size=args.image_sizes[0],
        batch_size=args.batch_size,
        augment="top_down",
        resize=args.resize,
        on_error="raise",
        exclude=check.damaged,
        max_pixels=max_pixels,
        seed=seed,
    )
    kerasdl.recipe.contest.check_sample(folder / "sample_submission_v2.csv", data)
    return kerasdl.recipe.photos.fewer(args, data), check


def practise(learn, steps, args):
    """At each size: the head on cached activations, then all layers."""
    cycles = 1 if args.quick else args.cycles
    for size in args.image_sizes:
        is_first = size == args.image_sizes[0]
        learn.set_data(learn.data.with_image_size(size))
        learn.freeze()
        learn.precompute = True
        if is_first:
            steps.find_rate("lr_find_head", 20 if args.quick else 100)
        steps.fit(f"head_{size}", args.head_rate, cycles, cycle_mult=2)
        learn.precompute = False
        learn.unfreeze()
        if is_first:
            kerasdl.train.set_layer_rates(learn.model, slice(*args.rates))
            steps.find_rate("lr_find_all", 20)
        steps.fit(f"all_{size}", slice(*args.rates), cycles, cycle_mult=2)


def halves(found):
    """Predictions of two halves of the photos: one chooses, the other reports."""
    from kerasdl.predict import SplitPredictions

    return [
        SplitPredictions(
            found.files[i::2], found.labels[i::2], found.probabilities[i::2]
        )
        for i in (0, 1)
    ]


def measure(predict):
    """F2 with thresholds of 0.5 on the half that reports, the loss of the other."""
    from kerasdl import metrics

    choose, report = halves(predict("valid"))
    f2 = metrics.FBeta(beta=2)
    f2.update_state(report.labels, report.probabilities)
    return {"F2": float(f2.result()), "valid loss": choose.log_loss}


def fit_thresholds(found, class_names):
    """Thresholds fitted on the half that chooses, and a table of the other half."""
    from kerasdl import predict

    choose, report = halves(found)
    thresholds = predict.fit_thresholds(choose.probabilities, choose.labels)
    return thresholds, predict.threshold_report(
        report.probabilities, report.labels, thresholds, class_names
    )


def finish(learn, steps, args, run):
    """Thresholds, test-time augmentation, the files of the run folder, and answers."""
    from kerasdl import predict

    @functools.cache
    def tta(split):
        return learn.tta(args.n_aug, split=split, seed=0)

    best = steps.keep_best()
    names = learn.data.class_names
    plain = learn.predict("valid")
    thresholds, table = fit_thresholds(plain, names)
    f2 = table.loc["samples", "fitted"]
    steps.rows.append({"step": f"{best} + thresholds", "F2": f2})
    steps.measure(f"{best} + tta", tta)
    # The mean of several views is less sure of itself than the model alone.
    of_tta, table_of_tta = fit_thresholds(tta("valid"), names)
    f2 = table_of_tta.loc["samples", "fitted"]
    steps.rows.append({"step": f"{best} + tta + thresholds", "F2": f2})

    run.manifest["thresholds"] = thresholds
    table.to_csv(run.path / "thresholds.csv", index_label="class")
    if "test" in learn.data.splits:
        found = tta("test")
        submission = predict.Submission(learn.data, found.probabilities, found.files)
        submission.write(
            run.path / "submission.csv.gz",
            answer="tags",
            compression="gzip",
            id_column="image_name",
            label_column="tags",
            thresholds=of_tta,
            overwrite=True,
        )
    print(f"\nF2 of each tag, and of all, on the half that reports:\n{table}")
    steps.write(TITLE, best)
    save_report(learn, plain, thresholds, run)


def save_report(learn, found, thresholds, run):
    """report.html and mistakes.png, of the half that reports."""
    from kerasdl import interpret

    _, half = halves(found)
    report = interpret.ClassificationReport.from_predictions(
        *(half.probabilities, half.labels, learn.data.class_names, half.files),
        images=lambda row: learn.data.read("valid", 2 * row + 1),
        threshold=thresholds,
        split="valid (the half that reports)",
    )
    interpret.save_report(
        report,
        run.path / "report.html",
        TITLE,
        run.manifest,
        history=learn.history,
        seed=run.seed,
    )
    kerasdl.recipe.looks.save_looks(report, run.path)


if __name__ == "__main__":
    kerasdl.cli.run_recipe(main)
