"""Convolution shown: cell by cell, its kinds and costs, pooling, norms, attention.

    python recipes/convolution_tour.py

A convolution, ReLU, pooling and a dense layer by hand and by Keras; sizes, parameters,
multiply-adds and receptive fields by formula and by layer; activations, normalisation
and attention from first principles; over- and underfitting on a small task. `--list`
names the sections, `--section` runs some of them. With `--data data/cifar10` four
networks with and without attention are trained too, which takes minutes:
`--section attention_on_cifar` does that alone.
"""

from pathlib import Path

from _tour import parse_tour, sample_photo, tour_parser, walk

import kerasdl as kd

NAME = "convolution_tour"
PARTS = ("convolution", "units", "normalisation", "fitting", "attention")
APART = "attention_on_cifar"


def main(argv=None):
    parser = tour_parser(__doc__)
    parser.add_argument("--image", type=Path, help="a photo; default: a flower")
    parser.add_argument("--data", metavar="DIR", help=f"CIFAR-10, for {APART}")
    options = {"image": "photo", "data": "cifar"}
    args, sections = parse_tour(parser, argv, NAME, PARTS, options)
    if not args.section and args.data is None:  # in a minute
        sections = [section for section in sections if section.name != APART]
    elif args.data is None and APART in args.section:
        raise ValueError(
            f"`data` must be a folder of CIFAR-10 for {APART}. Received: data=None"
        )
    return walk(
        args,
        sections,
        title="Convolution shown",
        photo=lambda: sample_photo(args.image, "flower.jpg"),
        cifar=lambda: read_cifar(args.data),
    )


def read_cifar(folder):
    """10,000 pictures to train on, all to test on: pixels and labels of both."""
    import numpy as np

    arrays = []
    data = kd.data.cifar10(folder, max_images=10_000, seed=0)
    for split in ("train", "test"):
        arrays += [np.stack(data.pictures(split)), data.labels(split)]
    return arrays


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
