"""Photos of pets with trimaps become COCO's JSON: masks and boxes of cat and dog.

    python recipes/pets_to_coco.py data/pets_trimaps

The folder has images/ and trimaps/ (1 pet, 2 background, 3 border), named alike, in
folders train, valid and test; breeds of cats begin with a capital letter, as the Oxford
pets have them. It gets train.json and so on, which `recipes/detect_finetune.py --data
DIR --masks` reads. A mask is what is pet for sure; the border is its `void`, which
measures of masks leave out. Photos without pet are left out, and counted. Exit code 2:
a bad argument.
"""

from pathlib import Path

import kerasdl as kd

CLASSES = ["cat", "dog"]
PET, BORDER = 1, 3


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("data", type=Path, metavar="DIR", help="images and trimaps")
    add("--overwrite", action="store_true", help="replace JSON files")
    add("--verbose", action="store_true", help="show TensorFlow's start-up lines")
    args = parser.parse_args(argv)
    missing = [
        name for name in ("images", "trimaps") if not (args.data / name).is_dir()
    ]
    if missing:
        parser.error(f"DIR must hold images and trimaps. Received: {args.data}")
    return args


def main(argv=None):
    args = parse_args(argv)
    kd.runtime.start(verbose=args.verbose)
    files, _ = kd.data.list_images(args.data / "images")
    by_split = {}
    for file in files:
        split = kd.data.split_role(Path(file).parts[0])
        if split is None:
            raise ValueError(
                "`images` must have folders train, valid and test. Received: "
                f"{file!r} in {args.data / 'images'}"
            )
        by_split.setdefault(split, []).append(file)
    for split in by_split:
        path = args.data / f"{split}.json"
        if path.exists() and not args.overwrite:
            raise ValueError(f"{path} must not exist. --overwrite replaces it.")
    # All are read before the first is written: what is damaged leaves nothing behind.
    every = {split: read(args.data, own, split) for split, own in by_split.items()}
    for split, found in every.items():
        own = by_split[split]
        kd.detection.write_coco(found, args.data / f"{split}.json")
        counts = found.boxes["label"].value_counts().to_dict()
        print(f"{split}: {counts}; {len(own) - len(found.photos)} photos without pet")


def read(folder, files, split):
    """Photos of a split, each with one box and mask."""
    photos, boxes = {}, []
    for name in files:
        path = (folder / "trimaps" / name).with_suffix(".png")
        trimap = kd.data.read_image(path)[..., 0]
        pet = (trimap == PET).astype("uint8")
        x1, y1, x2, y2 = kd.detection.box_of(pet)
        if x2 <= x1:
            continue
        file = f"images/{name}"
        height, width = pet.shape
        photos[file] = {"split": split, "height": height, "width": width}
        boxes.append(
            {"file": file, "label": CLASSES[Path(name).name[0].islower()]}
            | {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
            | {"mask": kd.detection.as_rle(pet)}
            | {"void": kd.detection.as_rle(trimap == BORDER)}
        )
    return kd.detection.Annotations.of(folder, CLASSES, photos, boxes)


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
