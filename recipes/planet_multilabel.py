"""Kaggle's Amazon from space: the tags of satellite photos, several a photo.

    python recipes/planet_multilabel.py --data data/planet

DIR is the contest's download, unpacked: train_v2.csv, with the columns image_name and
tags (spaces between them), and train-jpg/*.jpg; for a submission test-jpg/*.jpg too,
with the photos of test-jpg-additional among them. sample_submission_v2.csv, if it is
there, is what the submission's ids are compared with.

The photos grow from 64 to 128 to 256 pixels, read from copies that are made once for
each size, a third larger; at each size a head is trained on cached
activations, then all layers with augmentation, turned and mirrored. The contest counts
F2, each photo by itself. Of the photos held out, one half chooses: the step that is
kept, by its loss, and a threshold for each tag. The other half reports. Reference:
fast.ai, lesson 3.
"""

import functools

import kerasdl as kd

NAME = "planet_multilabel"
TITLE = "Tags of satellite photos"
CONTEST = kd.workbench.Contest(
    name="planet-understanding-the-amazon-from-space",
    unpack="""and unpack into that folder:
  train_v2.csv, and for a submission sample_submission_v2.csv
  train-jpg.tar.7z, which makes train-jpg/*.jpg
  test-jpg.tar.7z for a submission, which makes test-jpg/*.jpg; the photos of
  test-jpg-additional.tar.7z go there too""",
    table="train_v2.csv",
    image="image_name",
    label="tags",
    photos="train-jpg",
    test="test-jpg",
    sample="sample_submission_v2.csv",
    label_delimiter=" ",
)


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    kd.workbench.add_contest_arguments(parser, "data/planet", [64, 128, 256])
    parser.add_float("--head-rate", 1e-3, "of the head")
    # Closer together than for photos like ImageNet's: early layers have more to learn.
    parser.add_argument(
        "--rates",
        type=kd.workbench.positive_float,
        nargs=2,
        default=[3e-5, 3e-4],
        metavar=("FIRST", "LAST"),
        help="of the first and the last layer group, when all layers train",
    )
    parser.add_int("--cycles", 3, "of each step")
    parser.add_int("--n-aug", 4, "augmented views at the end")
    return parser.parse_run(argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    with kd.workbench.training_run(args, check=kd.workbench.check_backbone) as run:
        options = kd.workbench.PhotoOptions.of(args)
        # Little zoom: a tag may hang on what is seen at the edge.
        augment = kd.data.top_down(max_zoom=1.05)
        photos, check = kd.workbench.read_contest(
            CONTEST, options, args.image_sizes[0], augment, seed=run.seed
        )
        data = at_size(photos, args.image_sizes[0], args)
        steps = kd.workbench.LearnerSteps.pretrained(
            run,
            args.backbone,
            data,
            measure,
            weights=args.weights,
            cache_dir=args.cache,
        )
        learn = steps.learn
        kd.workbench.remember_photos(run, photos, check)
        practise(learn, steps, photos, args)
        with kd.train.without_strategy():
            finish(learn, steps, args, run)


def at_size(photos, size, args):
    """The photos at `size`, from copies that are a third larger."""
    copies = int(1.3 * size)
    return photos.with_image_size(size).resize_to(copies, cache_dir=args.cache)


def practise(learn, steps, photos, args):
    """At each size: the head on cached activations, then all layers."""
    cycles = 1 if args.quick else args.cycles
    for size in args.image_sizes:
        is_first = size == args.image_sizes[0]
        if not is_first:
            learn.set_data(at_size(photos, size, args))
        learn.freeze()
        learn.precompute = True
        if is_first:
            steps.find_rate("lr_find_head", 20 if args.quick else 100)
        steps.fit(f"head_{size}", args.head_rate, cycles, cycle_mult=2)
        learn.precompute = False
        learn.unfreeze()
        if is_first:
            kd.train.set_layer_rates(learn.model, slice(*args.rates))
            steps.find_rate("lr_find_all", 20)
        steps.fit(f"all_{size}", slice(*args.rates), cycles, cycle_mult=2)


def halves(found):
    """Predictions of two halves of the photos: one chooses, the other reports."""
    return [
        kd.predict.SplitPredictions(
            found.files[i::2], found.labels[i::2], found.probabilities[i::2]
        )
        for i in (0, 1)
    ]


def measure(predict):
    """F2 with thresholds of 0.5 on the half that reports, the loss of the other."""
    choose, report = halves(predict("valid"))
    f2 = kd.classification.FBeta(beta=2)
    f2.update_state(report.labels, report.probabilities)
    return {"F2": float(f2.result()), "valid loss": choose.log_loss}


def fit_thresholds(found, class_names):
    """Thresholds fitted on the half that chooses, and a table of the other half."""
    choose, report = halves(found)
    thresholds = kd.predict.fit_thresholds(choose.probabilities, choose.labels)
    return thresholds, kd.predict.threshold_report(
        report.probabilities, report.labels, thresholds, class_names
    )


def finish(learn, steps, args, run):
    """Thresholds, test-time augmentation, the files of the run folder, and answers."""

    @functools.cache
    def tta(split):
        return learn.tta(args.n_aug, split=split, seed=0)

    best = steps.keep_best()
    names = learn.data.class_names
    plain = learn.predict("valid")
    thresholds, table = fit_thresholds(plain, names)
    steps.add(f"{best} + thresholds", {"F2": table.loc["samples", "fitted"]})
    steps.measure(f"{best} + tta", tta)
    # The mean of several views is less sure of itself than the model alone.
    of_tta, of_views = fit_thresholds(tta("valid"), names)
    steps.add(f"{best} + tta + thresholds", {"F2": of_views.loc["samples", "fitted"]})

    run.manifest["thresholds"] = thresholds
    table.to_csv(run.path / "thresholds.csv", index_label="class")
    if "test" in learn.data.splits:
        found = tta("test")
        kd.predict.Submission(learn.data, found.probabilities, found.files).write(
            run.path / "submission.csv.gz",
            answer="tags",
            compression="gzip",
            id_column=CONTEST.image,
            label_column=CONTEST.label,
            thresholds=of_tta,
            overwrite=True,
        )
    print(f"\nF2 of each tag, and of all, on the half that reports:\n{table}")
    _, half = halves(plain)
    report = kd.interpret.ClassificationReport.from_predictions(
        half.probabilities,
        half.labels,
        names,
        half.files,
        images=lambda row: learn.data.read("valid", 2 * row + 1),
        threshold=thresholds,
        split="valid (the half that reports)",
    )
    steps.write(TITLE, best, report)


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
