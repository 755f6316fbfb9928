"""Look at photos before training: damaged files, duplicates, sizes, counts by class.

    python recipes/check_photos.py DIR

DIR is a folder as cats_dogs_finetune.py takes it: splits of class folders, class
folders alone, or photos. --picture draws the counts, widths and heights.

Exit code 1: a photo is damaged. 2: a bad argument.
"""

import kerasdl as kd


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("data", metavar="DIR", help="folder of photos")
    add(
        "--max-pixels",
        type=kd.workbench.positive_int,
        metavar="N",
        default=64_000_000,
        help="of a photo that is decoded",
    )
    add(
        "--picture",
        type=kd.workbench.writable_picture,
        metavar="PNG",
        help="draw counts and sizes; default: no picture",
    )
    add("--verbose", action="store_true", help="show TensorFlow's start-up lines")
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    kd.runtime.start(verbose=args.verbose)
    check = kd.data.check_images(args.data, args.max_pixels)
    print(check)
    if args.picture:
        check.plot(args.picture)
        print(f"\n{args.picture} shows counts and sizes")
    return 1 if check.damaged else 0


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
