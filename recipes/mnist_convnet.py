"""The Keras book's first convnet, on handwritten digits.

    python recipes/mnist_convnet.py --data data/mnist

Three convolutions, two halvings and two dense layers, 93,322 parameters; RMSprop, 5
epochs, batches of 64; here the rate falls to 0 along a cosine. The test images serve
for validation too, as nothing is chosen by them. Reference: Chollet, Deep Learning
with Python, first edition, section 5.1.
"""

import argparse
import shutil

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

NAME = "mnist_convnet"


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kerasdl.workbench.add_array_arguments(parser, "MNIST's four IDX files")
    parser.add_argument(
        "--rate", type=kerasdl.workbench.positive_float, default=1e-3, metavar="RATE"
    )
    parser.set_defaults(epochs=5, batch_size=64)
    kerasdl.workbench.add_run_arguments(parser)
    return kerasdl.workbench.parse_run_arguments(parser, argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    kerasdl.runtime.start(
        args.precision,
        args.deterministic,
        args.gpu_memory_growth,
        args.verbose,
        args.strategy,
    )
    import keras

    from kerasdl import callbacks, data, models, train

    with kerasdl.runs.run_folder(
        args.out,
        kerasdl.workbench.recorded(args),
        seed=args.seed,
        resume=args.resume,
        overwrite=args.overwrite,
    ) as run:
        max_images = kerasdl.workbench.max_images(args)
        digits = data.mnist(
            args.data, batch_size=args.batch_size, max_images=max_images, seed=run.seed
        )
        kerasdl.workbench.remember_images(run, digits, "mnist", max_images=max_images)
        model = models.with_rgb_input(models.mnist_convnet(seed=run.seed))
        model.compile(
            keras.optimizers.RMSprop(args.rate),
            loss=train.classification_loss(model, digits),
            metrics=["accuracy"],
        )
        epochs = 1 if args.quick else args.epochs
        # A rate that stays as it is, the book's, leaves the last mistakes to chance.
        cosine = callbacks.CosineRestarts(cycle_len=epochs)
        history = kerasdl.workbench.fit_arrays(model, digits, epochs, cosine, run.path)
        row = kerasdl.workbench.write_network(
            model, digits, history, run, run.path, "mnist"
        )
        run.manifest["results"] = [row]
    if not run.is_chief:
        return
    shutil.rmtree(args.out / "state")
    print(f"\n{args.out}/ holds the model and report.html; on an image of your own:")
    print(f"  python recipes/predict.py {args.out} IMAGE")


if __name__ == "__main__":
    kerasdl.workbench.run_recipe(main)
