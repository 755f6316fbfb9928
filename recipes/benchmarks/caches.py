r"""What is kept on disk saves: activations of a frozen trunk, and smaller photos.

    python recipes/benchmarks/caches.py --data data/cats_dogs --backbone vgg16 \
        --weights vgg16_imagenet_notop.weights.h5

DIR holds train/ and valid/ with a folder per class. First a head trains on the frozen
trunk, an epoch through the trunk and some on cached activations, from the same weights
and on the same photos: look at the ratio, and at how far the answers differ. Then the
training photos are read for the first step of progressive resizing, as they are and as
copies that `resize_to` makes, in turns.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

GOAL = 50
VERDICT = {True: "reached", False: "MISSED"}
RATE = 1e-3


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR")
    add("--backbone", default="efficientnet_lite0", metavar="NAME")
    add("--weights", default="imagenet", metavar="FILE")
    add("--image-size", type=int, default=150, metavar="PIXELS", help="of the trunk")
    add("--small-size", type=int, default=64, metavar="PIXELS", help="of the copies")
    add("--epochs", type=int, default=5, metavar="N", help="on cached activations")
    add("--rounds", type=int, default=5, metavar="N", help="of reading the photos")
    add("--max-train", type=int, metavar="N", help="at most so many training photos")
    add("--seed", type=int, default=0, metavar="N")
    args = parser.parse_args(argv)
    for name in ("epochs", "rounds"):
        if getattr(args, name) < 1:
            parser.error(f"--{name} must be at least 1")
    return args


def main(argv=None):
    args = parse_args(argv)
    kerasdl.runtime.start()
    data = kerasdl.ImageData.from_folder(
        args.data,
        image_size=args.image_size,
        resize="squash",
        max_train=args.max_train,
        seed=args.seed,
    )
    with tempfile.TemporaryDirectory() as cache:
        head_epochs(args, data, cache)
        smaller_photos(args, data.with_image_size(args.small_size), cache)


def head_epochs(args, data, cache):
    """An epoch of the head through the frozen trunk, and on cached activations."""
    import numpy as np

    def learner(precompute):
        return kerasdl.Learner.pretrained(
            args.backbone,
            data,
            precompute=precompute,
            weights=args.weights,
            cache_dir=cache,
            optimizer="adam",
            seed=args.seed,
        )

    through, cached = learner(False), learner(True)
    answers = []
    for learn in (through, cached):
        learn.fit(RATE, 2)
        answers.append(learn.predict().probabilities)
    start = time.perf_counter()
    learner(True).fit(RATE, 1)
    again = time.perf_counter() - start
    cached.fit(RATE, args.epochs)
    trunk = through.history["seconds"].iloc[-1]  # the first one traces
    head = median(cached.history["seconds"][-args.epochs :])
    ratio = trunk / head
    print(f"\nan epoch of the head of {args.backbone}, {args.image_size} pixels")
    print(f"  through the trunk        {trunk:8.2f} s")
    print(f"  on cached activations    {head:8.2f} s")
    print(f"  a new model, cache found {again:8.2f} s")
    print(f"  ratio {ratio:.0f}, goal {GOAL} {VERDICT[ratio >= GOAL]}")
    print(
        f"  largest difference of answers {np.abs(np.subtract(*answers)).max():.1e}\n"
    )


def smaller_photos(args, data, cache):
    """Photos a second of the training split, as they are and as small copies."""
    count = sum(data.counts().loc["train"])
    start = time.perf_counter()
    copies = data.resize_to(args.small_size, cache_dir=cache)
    making = time.perf_counter() - start
    rates = {"as they are": [], "as copies": []}
    for number in range(args.rounds + 1):
        for name, photos in zip(rates, (data, copies), strict=True):
            start = time.perf_counter()
            for _ in photos.train:
                pass
            if number:  # the first round fills the system's file cache
                rates[name].append(count / (time.perf_counter() - start))
    print(f"\ntraining photos read at {args.small_size} pixels, images a second")
    for name, values in rates.items():
        print(f"  {name:12}{median(values):8.0f} ({min(values):.0f}-{max(values):.0f})")
    ratio = median(b / a for a, b in zip(*rates.values(), strict=True))
    print(f"  ratio {ratio:.2f}; making the copies of all splits took {making:.1f} s")


if __name__ == "__main__":
    kerasdl.workbench.run_recipe(main)
