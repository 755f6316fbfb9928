r"""fast.ai's first lesson with fast.ai's rates: the accuracy after each of its steps.

    python recipes/benchmarks/lesson.py --data data/cats_dogs --photos 400 800 \
        --seeds 1 2 3

DIR holds train/ and valid/ with a folder per class. The steps, on EfficientNet-Lite0 at
224 pixels: lr_find; the head on cached activations at 1e-2 for 3 epochs; the same
through the trunk, augmented; all layers at 1e-4, 1e-3 and 1e-2 by depth, for a cycle of
one epoch; the same for cycles of 1, 2 and 4; test-time augmentation; the report. The
Learner's own optimizer trains, or `--optimizer`, by the rates that are given.
"""

import argparse
import tempfile
import time
from pathlib import Path

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

HEAD_RATE = 1e-2
RATES = [1e-4, 1e-3, 1e-2]
STEPS = ["head", "augmented", "unfrozen", "cycles", "tta"]


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    positive = kerasdl.workbench.positive_int
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR")
    add("--photos", type=positive, nargs="+", default=[400, 800], metavar="N")
    add("--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="N")
    add("--optimizer", metavar="NAME", help="of Keras, such as adam")
    add("--image-size", type=positive, default=224, metavar="PIXELS")
    add("--n-aug", type=positive, default=4, metavar="N", help="views of the last step")
    add("--cache", type=Path, metavar="DIR", help="of activations; default: none kept")
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    kerasdl.runtime.start()
    import pandas as pd

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for count in args.photos:
            for seed in args.seeds:
                rows.append(walk(args, count, seed, Path(folder)))
                print(shown(pd.DataFrame(rows[-1:])))
    table = pd.DataFrame(rows)
    means = table.groupby("photos", as_index=False)[[*STEPS, "minutes"]].mean()
    print(f"\n{shown(table)}\n\nmeans of the seeds\n{shown(means)}")


def walk(args, count, seed, folder):
    """The accuracy on the validation photos after each step of the lesson."""
    data = kerasdl.ImageData.from_folder(
        args.data,
        image_size=args.image_size,
        augment="side_on",
        max_train=count,
        seed=seed,
    )
    began = time.monotonic()
    learn = kerasdl.Learner.pretrained(
        "efficientnet_lite0",
        data,
        precompute=True,
        cache_dir=args.cache or folder,
        optimizer=args.optimizer,
        seed=seed,
    )
    valley = learn.lr_find().suggestions["valley"]
    row = {"photos": count, "seed": seed, "valley": valley}

    def fit(*arguments, **cycles):
        return learn.fit(*arguments, **cycles)["val_accuracy"].iloc[-1]

    row["head"] = fit(HEAD_RATE, 3)
    learn.precompute = False
    row["augmented"] = fit(HEAD_RATE, 3)
    learn.unfreeze()
    row["unfrozen"] = fit(RATES, cycle_len=1)
    row["cycles"] = fit(RATES, 3, cycle_mult=2)
    row["tta"] = learn.tta(args.n_aug, seed=seed).accuracy
    learn.report(folder / "report.html")
    return row | {"minutes": (time.monotonic() - began) / 60}


def shown(table):
    formats = {"valley": "{:.1e}".format, "minutes": "{:.1f}".format}
    return table.to_string(
        index=False, float_format="{:.4f}".format, formatters=formats
    )


if __name__ == "__main__":
    kerasdl.workbench.run_recipe(main)
