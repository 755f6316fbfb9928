"""Image processing on one photo: colours, filters, edges, features, as pictures.

    python recipes/image_basics.py --image PHOTO

Five greys, brightness and contrast, four filters against two kinds of noise, edges,
histograms, morphology, HOG, LBP and ORB, by OpenCV and scikit-image as they are. Each
linear filter is also a `Conv2D` with a fixed kernel, and gives the same. `--list` names
the sections, `--section` runs some of them.
"""

from pathlib import Path

from _tour import parse_tour, sample_photo, tour_parser, walk

import kerasdl as kd

NAME = "image_basics"
PARTS = ("colours", "filters", "features")


def main(argv=None):
    parser = tour_parser(__doc__)
    parser.add_argument("--image", type=Path, help="a photo; default: a palace")
    args, sections = parse_tour(parser, argv, NAME, PARTS, {"image": "photo"})
    kd.workbench.require("skimage", "tours")
    return walk(
        args,
        sections,
        title="Image processing",
        photo=lambda: sample_photo(args.image, "china.jpg"),
    )


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
