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
import json
import shutil
import time

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

NAME = "cats_dogs_world_class"


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kerasdl.photo_recipe.add_photo_arguments(parser)
    add = parser.add_argument
    add("--image-size", type=int, metavar="PIXELS", help="side; default: by backbone")
    add("--head-rate", type=float, default=1e-3, metavar="RATE", help="steps 3 and 4")
    add(
        "--rates",
        type=float,
        nargs=2,
        default=[1e-7, 1e-5],
        metavar=("FIRST", "LAST"),
        help="of the first and the last layer group in step 7",
    )
    add("--cycles", type=int, default=3, metavar="N", help="of steps 3, 4 and 7 each")
    add("--n-aug", type=int, default=4, metavar="N", help="augmented views in step 8")
    kerasdl.cli.add_run_arguments(parser)
    return kerasdl.cli.parse_run_arguments(parser, argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    kerasdl.runtime.start(
        args.precision, args.deterministic, args.gpu_memory_growth, args.verbose
    )
    from kerasdl import models

    size = args.image_size or models.backbone(args.backbone).practice_size
    with kerasdl.runs.run_folder(
        args.out,
        kerasdl.cli.recorded(args),
        seed=args.seed,
        resume=args.resume,
        overwrite=args.overwrite,
    ) as run:
        data, check = kerasdl.photo_recipe.read_photos(
            args, size, "side_on", seed=run.seed
        )
        learn = kerasdl.Learner.from_model(
            build_model(args, data, run.seed),
            data,
            precompute=True,
            folder=run.path / "state",
            cache_dir=args.cache,
        )
        kerasdl.photo_recipe.remember_photos(run, data, check)
        finish(learn, practise(learn, args, run), args, run)
    shutil.rmtree(args.out / "state")
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


def practise(learn, args, run):
    """Steps 1 to 7; returns a row for each that trained."""
    cycles = 1 if args.quick else args.cycles
    rows = []

    def fit(step, learning_rate, cycle_len=1, cycle_mult=1):
        print(f"\n{step}")
        history = learn.fit(learning_rate, cycles, cycle_len, cycle_mult, resume=True)
        learn.save(weights_of(step, run))
        minutes = history["seconds"].sum() / 60
        epochs = {"epochs": len(history), "minutes": minutes}
        rows.append({"step": step, **epochs, **measure(learn.predict, learn.data)})

    find_rate(learn, run.path / "lr_find_head.png", 20 if args.quick else 100)
    # Seconds an epoch, as the trunk does not run.
    fit("head_cached", args.head_rate, cycle_len=3, cycle_mult=2)
    learn.precompute = False
    fit("head_augmented", args.head_rate)
    learn.unfreeze()
    learn.bn_freeze()
    find_rate(learn, run.path / "lr_find_all.png", 20)
    fit("all_layers", slice(*args.rates), cycle_mult=2)
    return rows


def find_rate(learn, path, num_steps):
    """A picture for whoever chooses a rate."""
    found = learn.lr_find(1e-6, 1, num_steps)
    found.plot(path)
    names = ", ".join(f"{name} {rate:.1e}" for name, rate in found.suggestions.items())
    print(f"rates by {path.name}: {names}")


def weights_of(step, run):
    return run.path / "state" / f"{step}.weights.h5"


def measure(predict, data):
    """Accuracy of each split that is held out, and the validation loss."""
    import numpy as np

    row = {}
    for split in data.splits[1:]:
        found = predict(split=split)
        row[split] = found.accuracy
        if split == "valid":
            of_truth = found.probabilities[np.arange(len(found.labels)), found.labels]
            row["valid loss"] = -np.log(np.maximum(of_truth, 1e-7)).mean()
    return row


def finish(learn, rows, args, run):
    """Step 8, the files of the run folder, and the table on the screen."""
    import pandas as pd

    best = min(rows, key=lambda row: row["valid loss"])["step"]
    learn.load(weights_of(best, run))
    print("\ntest-time augmentation")
    began = time.monotonic()
    seen = measure(lambda split: learn.tta(args.n_aug, split=split, seed=0), learn.data)
    minutes = (time.monotonic() - began) / 60
    table = pd.DataFrame([*rows, {"step": f"{best} + tta", "minutes": minutes, **seen}])

    title = " or ".join(learn.data.class_names)
    kerasdl.photo_recipe.write_learner(learn, run, title)
    run.record(steps=json.loads(table.to_json(orient="records")), best=best)
    learn.report(run.path / "report.html", learn.data.splits[-1])
    print(f"\n{table.to_string(index=False, na_rep='', float_format='{:.4g}'.format)}")
    print(f"\nkept: {best}, whose loss on the validation photos is lowest")


if __name__ == "__main__":
    kerasdl.cli.run_recipe(main)
