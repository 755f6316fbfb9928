"""Tensors and autograd, each operation beside what it gives.

    python recipes/tensors_tour.py

Tensors are made, reckoned with, chosen from and taken apart; tapes take derivatives of
many kinds, each beside finite differences. Everything is TensorFlow as it is, or NumPy
where TensorFlow lacks it. `--list` names the sections, `--section` runs some of them.
"""

from pathlib import Path

from _tour import parse_tour, sample_photo, tour_parser, walk

import kerasdl as kd

NAME = "tensors_tour"
PARTS = (
    "tensors",
    "tensors_parts",
    "tensors_random",
    "tensors_decompose",
    "autograd",
    "layers",
)


def main(argv=None):
    parser = tour_parser(__doc__)
    parser.add_argument("--image", type=Path, help="default: a flower")
    args, sections = parse_tour(parser, argv, NAME, PARTS, {"image": "photo"})
    return walk(
        args,
        sections,
        title="Tensors and autograd",
        photo=lambda: sample_photo(args.image, "flower.jpg"),
    )


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
