r"""What `fine_tune` is worth beside `fit` alone, at equal minutes.

    python recipes/benchmarks/fine_tune.py --data data/cats_dogs --max-train 200

DIR holds train/ and test/ with a folder per class. `fine_tune` trains first. Then `fit`
alone trains the same network from the same seed, with the head alone and with all
layers, for as many epochs as take about the same time, by those of two first ones that
are thrown away. Times are of the processor, which other work does not change. All
answer the test photos.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import kerasdl as kd  # light, and first: it switches oneDNN on before TensorFlow loads

RATE = 1e-2


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR")
    add("--backbone", default="efficientnet_lite0", metavar="NAME")
    add("--image-size", type=int, default=160, metavar="PIXELS")
    add("--max-train", type=int, default=200, metavar="N", help="training photos")
    add("--epochs", type=int, default=3, metavar="N", help="of all layers")
    add("--seed", type=int, default=1, metavar="N", help="of data and head")
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    kd.runtime.start()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache  # activations of another run would be free
        compare(args)


def compare(args):
    data = kd.ImageData.from_folder(
        args.data,
        valid=None,
        test="test",
        image_size=args.image_size,
        batch_size=32,
        augment="side_on",
        max_train=args.max_train,
        seed=args.seed,
    )
    began = time.process_time()
    learn = kd.fine_tune(args.backbone, data, args.epochs, RATE, seed=args.seed)
    seconds = time.process_time() - began
    rows = [row("fine_tune", learn, len(learn.history), seconds)]
    for name, unfrozen in (("fit, head alone", False), ("fit, all layers", True)):
        rows.append(alone(name, unfrozen, args, data, seconds))
    import pandas as pd

    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.4f}".format))


def alone(name, unfrozen, args, data, seconds):
    """`fit` for about so many seconds."""

    def learner():
        learn = kd.Learner.pretrained(args.backbone, data, seed=args.seed)
        if unfrozen:
            learn.unfreeze()
        return learn

    began, trial = time.process_time(), learner()
    trial.fit(RATE, verbose=0)  # that in which it is traced
    first = time.process_time() - began
    trial.fit(RATE, verbose=0)
    another = time.process_time() - began - first
    epochs = max(round((seconds - first) / another) + 1, 1)
    began, learn = time.process_time(), learner()
    learn.fit(RATE, cycle_len=epochs)
    return row(name, learn, epochs, time.process_time() - began)


def row(name, learn, epochs, seconds):
    found = learn.predict("test")
    return {
        "training": name,
        "epochs": epochs,
        "seconds": round(seconds, 1),
        "accuracy": found.accuracy,
        "log loss": found.log_loss,
    }


if __name__ == "__main__":
    main()
