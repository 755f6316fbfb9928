"""Look at a COCO file: its categories, photos of one, and what is drawn on them.

    python recipes/coco_look.py data/coco128 --category person

DIR holds photos and JSON files of COCO's "instances" form, or is one such file; nothing
is downloaded. Categories and the photos of one are printed; saved_models/coco_look (or
--out) gets a figure for each photo, annotations drawn: masks, boxes and names. Exit
code 2: a bad argument, a photo or mask that cannot be read, or a figure that is there
already, without --overwrite.
"""

from pathlib import Path

import kerasdl as kd

NAME = "coco_look"


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("data", type=Path, metavar="DIR", help="photos and JSON, or one JSON file")
    add("--category", metavar="NAME", help="default: person, or the most frequent")
    add(
        "--photos",
        type=kd.workbench.positive_int,
        default=8,
        metavar="N",
        help="that are drawn; default: %(default)s",
    )
    out = Path("saved_models") / NAME
    where = "of the figures; default: %(default)s"
    add("--out", type=Path, default=out, metavar="DIR", help=where)
    add("--overwrite", action="store_true", help="replace figures")
    add("--verbose", action="store_true", help="show TensorFlow's start-up lines")
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    kd.runtime.start(verbose=args.verbose)
    found = kd.detection.read_coco(args.data)
    counts = found.boxes["label"].value_counts()
    print(f"{len(found.photos)} photos, {len(found.boxes)} annotations")
    print(counts.rename_axis("category").to_string())
    known = [*counts.index, *found.class_names]
    usual = "person" if "person" in counts else next(iter(known), "")
    category = args.category or usual
    if category not in known:
        raise ValueError(
            f"--category must be one of {', '.join(found.class_names) or 'none'}. "
            f"Received: {category!r}"
        )
    own = found.boxes[found.boxes["label"] == category]
    files = list(dict.fromkeys(own["file"]))
    print(f"{category}: {len(own)} annotations in {len(files)} photos")
    for file in files:
        print(f"  {file}")
    shown = files[: args.photos]
    if not shown:
        return
    figures = kd.detection.picture_paths(args.out, shown, ".png")
    there = [str(path) for path in figures.values() if path.exists()]
    if there and not args.overwrite:
        raise ValueError(
            f"--out must not hold {', '.join(there)}. --overwrite replaces them."
        )
    kd.detection.make_pictures_folder(args.out, shown, found.root)
    for file, path in figures.items():
        kd.plots.save_grid([draw(found, file)], path, columns=1)
        print(path)


def draw(found, file):
    """A photo with all of its annotations."""
    photo = kd.data.read_image(found.root / file)
    rows = found.boxes[found.boxes["file"] == file]
    # Labels of ids that the file's categories do not have come last.
    names = list(dict.fromkeys([*found.class_names, *found.boxes["label"]]))
    classes = [names.index(label) for label in rows["label"]]
    masks = [
        (kd.detection.as_pixels(mask, photo.shape[:2]), number)
        for mask, number in zip(rows["mask"], classes, strict=True)
        if mask is not None
    ]
    photo = kd.detection.with_masks(
        photo, [mask for mask, _ in masks], [number for _, number in masks]
    )
    boxes = rows[["x1", "y1", "x2", "y2"]].to_numpy()
    return kd.detection.with_boxes(photo, boxes, rows["label"].tolist(), classes)


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
