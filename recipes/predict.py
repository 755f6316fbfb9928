"""Classify photos with a finished run: label and probability for each file.

    python recipes/predict.py saved_models/cats_dogs photo.jpg another.png

Exit code 1: a photo is damaged (it is named, the others go on). 2: a bad argument.
"""

import argparse
import sys
from pathlib import Path

import kerasdl


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", metavar="MODEL", help="run folder, or its model.keras")
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="photos")
    parser.add_argument(
        "--verbose", action="store_true", help="show TensorFlow's lines"
    )
    args = parser.parse_args(argv)
    missing = [image for image in args.images if not Path(image).is_file()]
    if missing:
        parser.error(f"IMAGE must be an existing file. Received: {', '.join(missing)}")
    try:
        kerasdl.runs.read_run(args.model)
    except ValueError as error:
        parser.error(str(error))
    return args


def main(argv=None):
    args = parse_args(argv)
    kerasdl.runtime.start(verbose=args.verbose)
    try:
        predictor = kerasdl.Predictor.load(args.model)
    except ValueError as error:
        print(f"predict.py: error: {error}", file=sys.stderr)
        return 2
    exit_code = 0
    for image in args.images:
        try:
            result = predictor.predict(image)
        except kerasdl.data.ImageError as error:
            print(error, file=sys.stderr)
            exit_code = 1
        else:
            print(f"{image}: {result.labels[0]} {result.probabilities.max():.4f}")
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
