"""Kaggle's dog breeds: a classifier of 120 breeds, and a submission to the contest.

    python recipes/dog_breeds.py --data data/dog-breed-identification

DIR is the contest's download, unpacked: labels.csv, with the columns id and breed, and
train/*.jpg; for a submission test/*.jpg too. sample_submission.csv, if it is there, is
what the submission's ids and columns are compared with.

A head is trained on cached activations, then with augmentation, then goes on with
larger photos; test-time augmentation answers. All read smaller copies of the photos,
made once. The contest counts the log loss. The weights of the step whose validation
loss is lowest are kept. --all-data is for the last fit, when nothing is left to choose:
the validation photos train too. Then nothing is measured, the last step is kept, and
there is no report. Reference: fast.ai, lesson 2.
"""

import kerasdl as kd

NAME = "dog_breeds"
NOT_MEASURED = """{out}/ holds the model; how good it is was not measured. On a photo:
  python recipes/predict.py {out} PHOTO"""
COPIES = 340  # pixels of their shorter side
CONTEST = kd.workbench.Contest(
    name="dog-breed-identification",
    unpack="and unzip dog-breed-identification.zip into that folder.",
    table="labels.csv",
    image="id",
    label="breed",
    photos="train",
    test="test",
    sample="sample_submission.csv",
)


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    kd.workbench.add_contest_arguments(parser, f"data/{CONTEST.name}", [224, 299])
    parser.add_float("--head-rate", 1e-3, "of all steps")
    parser.add_int("--cycles", 3, "of each step")
    parser.add_int("--n-aug", 4, "augmented views at the end")
    help = "hold no photo out: for the final fit"
    parser.add_argument("--all-data", action="store_true", help=help)
    return parser.parse_run(argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    next_step = NOT_MEASURED if args.all_data else kd.workbench.PREDICT
    check = kd.workbench.check_backbone
    with kd.workbench.training_run(args, next_step, check) as run:
        options = kd.workbench.PhotoOptions.of(args)
        data, check = kd.workbench.read_contest(
            CONTEST,
            options,
            args.image_sizes[0],
            "side_on",
            all_train=args.all_data,
            seed=run.seed,
        )
        copies = max(COPIES, *args.image_sizes)
        data = data.resize_to(copies, cache_dir=args.cache)
        steps = kd.workbench.LearnerSteps.pretrained(
            run,
            args.backbone,
            data,
            precompute=True,
            weights=args.weights,
            cache_dir=args.cache,
        )
        learn = steps.learn
        kd.workbench.remember_photos(run, data, check)
        practise(learn, steps, args)
        with kd.train.without_strategy():
            finish(learn, steps, args, run)


def practise(learn, steps, args):
    """Train the head: without augmentation, with it, and on larger photos."""
    cycles = 1 if args.quick else args.cycles
    steps.find_rate("lr_find", 20 if args.quick else 100)
    # Seconds an epoch, as the trunk does not run.
    steps.fit("head_cached", args.head_rate, cycles, cycle_mult=2)
    learn.precompute = False
    for size in args.image_sizes:
        learn.set_data(learn.data.with_image_size(size))
        cycle_mult = 2 if size == args.image_sizes[-1] else 1
        name = f"head_augmented_{size}"
        steps.fit(name, args.head_rate, cycles, cycle_mult=cycle_mult)


def finish(learn, steps, args, run):
    """Test-time augmentation, the files of the run folder, and the submission."""

    def tta(split):
        return learn.tta(args.n_aug, split=split, seed=0)

    best = steps.keep_best()
    if not args.all_data:
        steps.measure(f"{best} + tta", tta)
    if "test" in learn.data.splits:
        found = tta("test")
        kd.predict.Submission(learn.data, found.probabilities, found.files).write(
            run.path / "submission.csv.gz", compression="gzip", overwrite=True
        )
    report = None
    if not args.all_data:
        report = kd.interpret.ClassificationReport.from_model(learn.model, learn.data)
    steps.write("Dog breeds", best, report)


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
