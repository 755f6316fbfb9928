"""fast.ai's eight steps to a strong classifier of photos, and what each of them gains.

    python recipes/cats_dogs_world_class.py --data data/cats_dogs

1 augmentation; 2 a learning rate, by looking; 3 the head on cached activations; 4 the
head with augmentation, in cycles of an epoch; 5 all layers, BatchNorm held still; 6 a
learning rate again; 7 rates by depth, each cycle twice as long as the last; 8 test-time
augmentation.

The accuracy after each step is printed. The weights of the step whose validation loss
is lowest are kept. Reference: fast.ai, lesson 1.
"""

import kerasdl as kd

NAME = "cats_dogs_world_class"


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    kd.workbench.add_photo_arguments(parser)
    parser.add_int("--image-size", None, "side; default: by backbone", "PIXELS")
    parser.add_float("--head-rate", 1e-3, "steps 3 and 4")
    parser.add_argument(
        "--rates",
        type=kd.workbench.positive_float,
        nargs=2,
        default=[1e-7, 1e-5],
        metavar=("FIRST", "LAST"),
        help="of the first and the last layer group in step 7",
    )
    parser.add_int("--cycles", 3, "of steps 3, 4 and 7 each")
    parser.add_int("--n-aug", 4, "augmented views in step 8")
    return parser.parse_run(argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    with kd.workbench.training_run(args, check=kd.workbench.check_backbone) as run:
        size = args.image_size or kd.models.backbone(args.backbone).practice_size
        options = kd.workbench.PhotoOptions.of(args)
        data, check = kd.workbench.read_photos(options, size, "side_on", seed=run.seed)
        learn = kd.Learner.from_model(
            build_model(args, data, run.seed),
            data,
            precompute=True,
            folder=run.path / kd.workbench.STATE,
            cache_dir=args.cache,
            optimizer="adam",
        )
        kd.workbench.remember_photos(run, data, check)
        steps = kd.workbench.LearnerSteps(learn, run)
        practise(learn, steps, args)
        with kd.train.without_strategy():
            finish(learn, steps, args, run)


def build_model(args, data, seed):
    """The frozen trunk and a head."""
    import keras

    size, classes = data.image_size, len(data.class_names)
    trunk = kd.models.build_trunk(args.backbone, args.weights, size, seed=seed)
    # Pooled features are many for a small set of photos: a strong L2 holds them.
    outputs = kd.models.pooled_head(trunk.output, classes, l2=0.1, seed=seed)
    model = keras.Model(trunk.input, outputs, name=trunk.name)
    kd.train.freeze(model)
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
    kd.train.set_layer_rates(learn.model, slice(*args.rates))
    steps.find_rate("lr_find_all", 20)
    steps.fit("all_layers", slice(*args.rates), cycles, cycle_mult=2)


def finish(learn, steps, args, run):
    """Step 8, and the files of the run folder."""
    best = steps.keep_best()
    steps.measure(
        f"{best} + tta", lambda split: learn.tta(args.n_aug, split=split, seed=0)
    )
    labelled = [split for split in learn.data.splits if learn.data.has_labels(split)]
    report = kd.interpret.ClassificationReport.from_model(
        learn.model, learn.data, labelled[-1]
    )
    steps.write(run.out.name, best, report)


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
