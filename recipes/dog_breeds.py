"""Kaggle's dog breeds: a classifier of 120 breeds, and a submission to the contest.

    python recipes/dog_breeds.py --data data/dog-breed-identification

DIR is the contest's download, unpacked: labels.csv, with the columns id and breed, and
train/*.jpg; for a submission test/*.jpg too. sample_submission.csv, if it is there, is
what the submission's ids and columns are compared with.

A head is trained on cached activations, then with augmentation, then goes on with
larger photos; test-time augmentation answers. The contest counts the log loss. The
weights of the step whose validation loss is lowest are kept. Reference: fast.ai,
lesson 3.
"""

import argparse
import shutil

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

NAME = "dog_breeds"
CONTEST = "dog-breed-identification"
UNPACK = f"and unzip {CONTEST}.zip into that folder."


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kerasdl.recipe.photos.add_photo_arguments(
        *(parser, f"data/{CONTEST}", "the contest's download; default: %(default)s")
    )
    add = parser.add_argument
    add(
        "--image-sizes",
        type=kerasdl.cli.positive_int,
        nargs="+",
        default=[224, 299],
        metavar="PIXELS",
        help="sides, one after the other; default: 224 299",
    )
    add(
        "--head-rate",
        type=kerasdl.cli.positive_float,
        default=1e-3,
        metavar="RATE",
        help="of all steps",
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
            precompute=True,
            weights=args.weights,
            folder=run.path / "state",
            cache_dir=args.cache,
            optimizer="adam",
            seed=run.seed,
        )
        kerasdl.recipe.photos.remember_photos(run, data, check)
        steps = kerasdl.recipe.steps.Steps(learn, run)
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
    """The photos of labels.csv, and what is wrong with their files."""
    folder = kerasdl.recipe.contest.check_download(
        args.data, CONTEST, ("labels.csv", "train/*.jpg"), UNPACK
    )
    check = kerasdl.recipe.photos.check_photos(args, folder / "train")
    max_pixels = kerasdl.recipe.photos.max_pixels(args)
    data = kerasdl.ImageData.from_table(
        folder / "labels.csv",
        folder / "train",
        image="id",
        label="breed",
        suffix=".jpg",
        valid_fraction=0.2,
        test=kerasdl.recipe.contest.check_test_photos(folder / "test", max_pixels),
        image_size=args.image_sizes[0],
        batch_size=args.batch_size,
        augment="side_on",
        resize=args.resize,
        on_error="raise",
        exclude=check.damaged,
        max_pixels=max_pixels,
        seed=seed,
    )
    kerasdl.recipe.contest.check_sample(folder / "sample_submission.csv", data)
    return kerasdl.recipe.photos.fewer(args, data), check


def practise(learn, steps, args):
    """Train the head: without augmentation, with it, and on larger photos."""
    cycles = 1 if args.quick else args.cycles
    steps.find_rate("lr_find", 20 if args.quick else 100)
    # Seconds an epoch, as the trunk does not run.
    steps.fit("head_cached", args.head_rate, cycles, cycle_mult=2)
    learn.precompute = False
    for size in args.image_sizes:
        learn.set_data(learn.data.with_image_size(size))
        steps.fit(f"head_augmented_{size}", args.head_rate, cycles)


def finish(learn, steps, args, run):
    """Test-time augmentation, the files of the run folder, and the submission."""
    from kerasdl import predict

    def tta(split):
        return learn.tta(args.n_aug, split=split, seed=0)

    best = steps.keep_best()
    steps.measure(f"{best} + tta", tta)
    if "test" in learn.data.splits:
        found = tta("test")
        submission = predict.Submission(learn.data, found.probabilities, found.files)
        submission.write(
            run.path / "submission.csv.gz", compression="gzip", overwrite=True
        )
    steps.write("Dog breeds", best)
    page = run.path / "report.html"
    report = learn.report(page, "valid", "Dog breeds", run.manifest)
    kerasdl.recipe.looks.save_looks(report, run.path)


if __name__ == "__main__":
    kerasdl.cli.run_recipe(main)
