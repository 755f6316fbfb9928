"""What this library's way to train adds to the time of a bare `model.fit`.

    python recipes/benchmarks/fit_overhead.py

Both train the small convnet of the Keras book's chapter with the same optimizer on the
same random pixels in memory, in turns, in one run: the machine is the same for both, so
look at the ratio. Ours has learning rates by depth, a callback that sets the rate of
each batch, one that looks at each loss, and metrics; the bare one has none of them.
"""

import argparse
import csv
import time
from pathlib import Path
from statistics import median

from _training_steps import one_batch

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

GOAL = 1.03
VERDICT = {True: "reached", False: "MISSED"}


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--rounds", type=int, default=15, metavar="N", help="epochs of each")
    add("--batches", type=int, default=30, metavar="N", help="of an epoch")
    add("--batch-size", type=int, default=32, metavar="N")
    add("--image-size", type=int, default=150, metavar="PIXELS", help="one side")
    add("--seed", type=int, default=0, metavar="N")
    add("--csv", type=Path, metavar="FILE", help="write the seconds of each round")
    args = parser.parse_args(argv)
    least = {"rounds": 1, "batches": 1, "batch_size": 1, "image_size": 46}
    for name, number in least.items():
        if getattr(args, name) < number:
            parser.error(f"--{name.replace('_', '-')} must be at least {number}")
    return args


def main(argv=None):
    args = parse_args(argv)
    kerasdl.runtime.start()
    import numpy as np

    rng = np.random.default_rng(args.seed)
    shape = (args.batch_size, args.image_size, args.image_size, 3)
    pixels = rng.uniform(0, 255, shape).astype("float32")
    labels = rng.integers(0, 2, (args.batch_size, 1)).astype("float32")
    # One batch, again and again: its making takes no time from either.
    dataset = one_batch(pixels, labels).repeat(args.batches)

    fits = {"bare": bare(shape[1:], args.seed), "ours": ours(shape[1:], args.seed)}
    seconds = {name: [] for name in fits}
    for number in range(args.rounds + 1):
        order = list(fits) if number % 2 else list(fits)[::-1]
        for name in order:
            start = time.perf_counter()
            fits[name](dataset)
            if number:  # the first epoch compiles
                seconds[name].append(time.perf_counter() - start)

    print(f"\n{'':6}{'ms a batch':>12}{'min - max':>19}")
    for name, values in seconds.items():
        each = [1000 * value / args.batches for value in values]
        low, middle, high = min(each), median(each), max(each)
        print(f"{name:6}{middle:12.2f}{low:11.2f} - {high:.2f}")
    pairs = zip(seconds["ours"], seconds["bare"], strict=True)
    ratio = median(mine / plain for mine, plain in pairs)
    print(f"ratio {ratio:.3f}, goal {GOAL} {VERDICT[ratio <= GOAL]}")
    if args.csv:
        with args.csv.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["round", *seconds])
            rows = zip(*seconds.values(), strict=True)
            writer.writerows((number, *row) for number, row in enumerate(rows, 1))


def bare(shape, seed):
    model = kerasdl.models.convnet(input_shape=shape, seed=seed)
    model.compile(optimizer=optimizer(), loss="binary_crossentropy")
    return lambda dataset: model.fit(dataset, shuffle=False, verbose=0)


def ours(shape, seed):
    model = kerasdl.models.convnet(input_shape=shape, seed=seed)
    model.compile(
        optimizer=optimizer(), loss="binary_crossentropy", metrics=["accuracy"]
    )
    kerasdl.train.set_layer_rates(model, [1e-5, 1e-4, 1e-3])
    restarts = kerasdl.callbacks.CosineRestarts(cycle_len=1, cycle_mult=2)
    stop = kerasdl.callbacks.StopOnBadLoss()
    return lambda dataset: model.fit(
        dataset, callbacks=[restarts, stop], shuffle=False, verbose=0
    )


def optimizer():
    import keras

    return keras.optimizers.Adam(1e-3)


if __name__ == "__main__":
    main()
