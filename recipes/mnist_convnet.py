"""The Keras book's first convnet, on handwritten digits.

    python recipes/mnist_convnet.py --data data/mnist

Three convolutions, two halvings and two dense layers, 93,322 parameters; RMSprop, 5
epochs, batches of 64; here the rate falls to 0 along a cosine. The test images serve
for validation too, as nothing is chosen by them. Reference: Chollet, Deep Learning
with Python, first edition, section 5.1.
"""

import kerasdl as kd

NAME = "mnist_convnet"
NEXT_STEP = """{out}/ holds the model and report.html; on an image of your own:
  python recipes/predict.py {out} IMAGE"""


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    kd.workbench.add_array_arguments(parser, "MNIST's four IDX files", 5, 64)
    parser.add_float("--rate", 1e-3, "highest; default: %(default)s")
    return parser.parse_run(argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    with kd.workbench.training_run(args, NEXT_STEP) as run:
        max_images = kd.workbench.max_images(args.data, args.quick)
        digits = kd.data.mnist(
            args.data, batch_size=args.batch_size, max_images=max_images, seed=run.seed
        )
        kd.workbench.remember_images(run, digits, "mnist", max_images=max_images)
        history, model = train(digits, args, run)
        row = kd.workbench.write_network(run, model, digits, history)
        run.manifest["results"] = [row]


def train(digits, args, run):
    """Build the network and train it; returns the history and the network."""
    import keras

    model = kd.models.with_rgb_input(kd.models.mnist_convnet(seed=run.seed))
    loss = kd.classification.classification_loss(model, digits)
    model.compile(keras.optimizers.RMSprop(args.rate), loss=loss, metrics=["accuracy"])
    epochs = 1 if args.quick else args.epochs
    # A rate that stays as it is, the book's, leaves the last mistakes to chance.
    cosine = kd.callbacks.CosineRestarts(cycle_len=epochs)
    history = kd.workbench.fit_arrays(model, digits, epochs, cosine, run.path)
    return history, model


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
