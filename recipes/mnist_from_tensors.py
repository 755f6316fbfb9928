"""Digits from tensors alone, then line by line what Keras has for it, up to `fit`.

    python recipes/mnist_from_tensors.py --data data/mnist

Logistic regression, then a network with a hidden layer: own batches, own softmax
cross-entropy, own steps. Each line is then replaced by its Keras piece, and the losses
of all batches stay the same. A perceptron learns AND and OR, and not XOR. Without
`--data` the digits are scikit-learn's, 8x8 pixels.
"""

from _tour import parse_tour, tour_parser, walk

import kerasdl as kd

NAME = "mnist_from_tensors"


def main(argv=None):
    parser = tour_parser(__doc__)
    parser.add_argument(
        "--data", metavar="DIR", help="folder of MNIST's four IDX files"
    )
    parser.add_int("--epochs", None, "of each; default: 3, of the small digits 20")
    parser.add_argument(
        "--quick", action="store_true", help="one epoch of 5,000 images, for trying"
    )
    options = {"data": "digits", "quick": "digits", "epochs": "epochs"}
    args, sections = parse_tour(parser, argv, NAME, ["mnist"], options)
    return walk(
        args,
        sections,
        title="Digits from tensors",
        digits=lambda: read_digits(args.data, 5000 if args.quick else None),
        epochs=lambda: 1 if args.quick else args.epochs or (3 if args.data else 20),
    )


def read_digits(folder, max_images):
    """Pixels in [0, 1] `(n, pixels)` and labels, to train on; the same to validate."""
    import numpy as np
    from sklearn.datasets import load_digits

    if folder is None:
        x, y = load_digits(return_X_y=True)
        return x[:1500] / 16, y[:1500], x[1500:] / 16, y[1500:]
    data = kd.data.mnist(folder, max_images=max_images, seed=0)
    arrays = []
    for split in ("train", "test"):
        pictures = np.stack(data.pictures(split))
        arrays += [pictures.reshape(len(pictures), -1) / 255, data.labels(split)]
    return arrays


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
