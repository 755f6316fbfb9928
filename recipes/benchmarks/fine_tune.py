r"""What `fine_tune` is worth beside `fit` alone, at equal minutes.

    python recipes/benchmarks/fine_tune.py --data data/cats_dogs --max-train 200

DIR holds train/, valid/ and test/ with a folder per class. `fine_tune` trains first.
Then `fit` alone trains the same network from the same seed, of a frozen trunk and of
all layers, for as many epochs as take about the same time, by the seconds of its own
first epochs. All answer the test photos.
"""

import argparse
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
    data = kd.ImageData.from_folder(
        args.data,
        test="test",
        image_size=args.image_size,
        batch_size=32,
        augment="side_on",
        max_train=args.max_train,
        seed=args.seed,
    )
    began = time.perf_counter()
    learn = kd.fine_tune(args.backbone, data, args.epochs, RATE, seed=args.seed)
    seconds = time.perf_counter() - began
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

    # The first epoch of a network is also that in which it is traced.
    first, *later = learner().fit(RATE, 2, verbose=0)["seconds"]
    epochs = max(round((seconds - first) / min(later)) + 1, 1)
    learn = learner()
    began = time.perf_counter()
    learn.fit(RATE, cycle_len=epochs)
    return row(name, learn, epochs, time.perf_counter() - began)


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
