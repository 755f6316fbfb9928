"""fast.ai's eight steps to a strong classifier of photos, and what each of them gains.

    python recipes/cats_dogs_world_class.py --data data/cats_dogs

1 augmentation; 2 a learning rate, by looking; 3 the head on cached activations; 4 the
head with augmentation, in cycles of an epoch; 5 all layers, BatchNorm held still; 6 a
learning rate again; 7 rates by depth, each cycle twice as long as the last; 8 test-time
augmentation.

The accuracy after each step is printed. The weights of the step whose validation loss
is lowest are kept. Reference: fast.ai, lesson 1.
"""

import argparse
import shutil

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

NAME = "cats_dogs_world_class"


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kerasdl.recipe.photos.add_photo_arguments(parser)
    add = parser.add_argument
    add(
        "--image-size",
        type=kerasdl.cli.positive_int,
        metavar="PIXELS",
        help="side; default: by backbone",
    )
    add(
        "--head-rate",
        type=kerasdl.cli.positive_float,
        default=1e-3,
        metavar="RATE",
        help="steps 3 and 4",
    )
    add(
        "--rates",
        type=kerasdl.cli.positive_float,
        nargs=2,
        default=[1e-7, 1e-5],
        metavar=("FIRST", "LAST"),
        help="of the first and the last layer group in step 7",
    )
    add(
        "--cycles",
        type=kerasdl.cli.positive_int,
        default=3,
        metavar="N",
        help="of steps 3, 4 and 7 each",
    )
    add(
        "--n-aug",
        type=kerasdl.cli.positive_int,
        default=4,
        metavar="N",
        help="augmented views in step 8",
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
    from kerasdl import models

    size = args.image_size or models.backbone(args.backbone).practice_size
    with kerasdl.runs.run_folder(
        args.out,
        kerasdl.cli.recorded(args),
        seed=args.seed,
        resume=args.resume,
        overwrite=args.overwrite,
    ) as run:
        data, check = kerasdl.recipe.photos.read_photos(
            args, size, "side_on", seed=run.seed
        )
        learn = kerasdl.Learner.from_model(
            build_model(args, data, run.seed),
            data,
            precompute=True,
            folder=run.path / "state",
            cache_dir=args.cache,
            optimizer="adam",
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


def build_model(args, data, seed):
    """The frozen trunk and a head."""
    import keras

    from kerasdl import models, train

    trunk = models.build_trunk(args.backbone, args.weights, data.image_size, seed=seed)
    # Pooled features are many for a small set of photos: a strong L2 holds them.
    outputs = models.pooled_head(trunk.output, len(data.class_names), l2=0.1, seed=seed)
    model = keras.Model(trunk.input, outputs, name=trunk.name)
    train.freeze(model)
    return model


def practise(learn, steps, args):
    """Steps 1 to 7."""
    cycles = 1 if args.quick else args.cycles
    steps.find_rate("lr_find_head", 20 if args.quick else 100)
    # Seconds an epoch, as the trunk does not run.
    cycle_len = 1 if args.quick else 3
    steps.fit("head_cached", args.head_rate, cycles, cycle_len, cycle_mult=2)
    learn.precompute = False
    steps.fit("head_augmented", args.head_rate, cycles)
    learn.unfreeze()
    learn.bn_freeze()
    kerasdl.train.set_layer_rates(learn.model, slice(*args.rates))
    steps.find_rate("lr_find_all", 20)
    steps.fit("all_layers", slice(*args.rates), cycles, cycle_mult=2)


def finish(learn, steps, args, run):
    """Step 8, and the files of the run folder."""
    best = steps.keep_best()
    steps.measure(
        f"{best} + tta", lambda split: learn.tta(args.n_aug, split=split, seed=0)
    )
    title = run.out.name
    steps.write(title, best)
    labelled = [split for split in learn.data.splits if learn.data.has_labels(split)]
    page = run.path / "report.html"
    report = learn.report(page, labelled[-1], title, run.manifest)
    kerasdl.recipe.looks.save_looks(report, run.path)


if __name__ == "__main__":
    kerasdl.cli.run_recipe(main)
