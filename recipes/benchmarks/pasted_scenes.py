"""How well a run with masks tells objects apart that stand in one another's way.

    python recipes/benchmarks/pasted_scenes.py RUN --data data/pets_coco --out scenes

Each scene is a photo of one object of the validation split, into which one to three of
other such photos are pasted by their masks, some mirrored, so that at least half of
every object is seen. --out gets images/ and valid.json in COCO's form, which
`recipes/coco_look.py` draws; the last lines are the average precision of the run's
boxes and masks on them.
"""

import argparse
from pathlib import Path

import numpy as np

import kerasdl as kd

MOST = 4  # objects in a scene
SIDES = (0.3, 0.6)  # of a pasted object, as a share of the scene's shorter side
LEAST_SEEN = 0.5
TRIES = 50  # of a place for an object, before it is left out
QUALITY = 95


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="of detect_finetune.py, with masks")
    add("--data", type=Path, required=True, metavar="DIR", help="COCO with masks")
    add("--scenes", type=int, default=100, metavar="N")
    add("--seed", type=int, default=0, metavar="N")
    add("--out", type=Path, required=True, metavar="DIR", help="new folder of scenes")
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    import cv2

    if args.out.exists():
        raise SystemExit(f"--out must be new. Received: {args.out}")
    kd.runtime.start()
    source = kd.detection.read_coco(args.data).of_split("valid")
    alone = source.boxes.drop_duplicates("file", keep=False)
    usable = alone["mask"].notna() & ~alone["difficult"] & ~alone["crowd"]
    things = [(row, *thing(source, row)) for row in alone[usable].itertuples()]
    if len(things) < MOST:
        raise SystemExit(
            f"--data must have {MOST} photos of one object with a mask for validation, "
            f"at least. Received: {len(things)}"
        )
    rng = np.random.default_rng(args.seed)
    (args.out / "images").mkdir(parents=True)
    photos, boxes = {}, []
    for number in range(args.scenes):
        file = f"images/{number:04}.jpg"
        pixels, found = scene(things, rng)
        quality = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        cv2.imwrite(str(args.out / file), pixels[..., ::-1], quality)
        height, width = pixels.shape[:2]
        photos[file] = {"split": "valid", "height": height, "width": width}
        boxes += [{"file": file, **box} for box in found]
    truth = kd.detection.Annotations.of(args.out, source.class_names, photos, boxes)
    kd.detection.write_coco(truth, args.out / "valid.json")
    print(f"{len(photos)} scenes, {len(boxes)} objects")
    detector = kd.detection.Detector.load(args.run)
    answers = detector.predict(list(photos), args.out).boxes
    for name, masks in (("boxes", False), ("masks", True)):
        table = kd.detection.average_precision(truth, answers, masks=masks)
        print(f"{name}:\n{table[['map', 'ap50', 'ap75']].round(3)}")


def thing(source, row):
    """Pixels of the photo of a box; which of them are the object's, which may be."""
    pixels = kd.data.read_image(source.root / row.file)
    size = pixels.shape[:2]
    own = kd.detection.as_pixels(row.mask, size) > 0
    nothing = np.zeros(size, bool)
    void = nothing if row.void is None else kd.detection.as_pixels(row.void, size) > 0
    return pixels, own, void


def scene(things, rng):
    """Pixels, and what stands in them."""
    count = rng.integers(2, MOST + 1)
    first, *others = rng.choice(len(things), count, replace=False)
    row, pixels, own, void = things[first]
    pixels = pixels.copy()
    placed = [(row.label, own, void, own.sum())]
    for number in others:
        row, source, mask, _ = things[number]
        for _ in range(TRIES):
            part, covers = moved(source, mask, pixels.shape[:2], rng)
            left = [own & ~covers for _, own, _, _ in placed]
            pairs = list(zip(left, placed, strict=True))
            if all(own.sum() >= LEAST_SEEN * whole for own, (*_, whole) in pairs):
                pixels[covers] = part[covers]
                placed = [
                    (label, own, void & ~covers, whole)
                    for own, (label, _, void, whole) in pairs
                ]
                nothing = np.zeros_like(covers)
                placed.append((row.label, covers, nothing, covers.sum()))
                break
    return pixels, [described(label, own, void) for label, own, void, _ in placed]


def moved(source, mask, size, rng):
    """An object smaller, at a drawn place of a picture of `size`, and its pixels."""
    import cv2

    x1, y1, x2, y2 = kd.detection.box_of(mask.astype("uint8"))
    part, own = source[y1:y2, x1:x2], mask[y1:y2, x1:x2].astype("uint8")
    if rng.random() < 0.5:
        part, own = part[:, ::-1], own[:, ::-1]
    scale = rng.uniform(*SIDES) * min(size) / max(own.shape)
    height, width = (max(round(side * scale), 1) for side in own.shape)
    part = cv2.resize(
        np.ascontiguousarray(part), (width, height), interpolation=cv2.INTER_AREA
    )
    own = cv2.resize(
        np.ascontiguousarray(own), (width, height), interpolation=cv2.INTER_NEAREST
    )
    y, x = (
        rng.integers(have - take + 1)
        for have, take in zip(size, own.shape, strict=True)
    )
    pixels, covers = np.zeros((*size, 3), "uint8"), np.zeros(size, bool)
    pixels[y : y + height, x : x + width] = part
    covers[y : y + height, x : x + width] = own > 0
    return pixels, covers


def described(label, own, void):
    """A box of COCO's form."""
    x1, y1, x2, y2 = kd.detection.box_of(own.astype("uint8"))
    rle = kd.detection.as_rle
    masks = {"mask": rle(own.astype("uint8")), "void": rle(void)}
    return {"label": label, "x1": x1, "y1": y1, "x2": x2, "y2": y2, **masks}


if __name__ == "__main__":
    main()
