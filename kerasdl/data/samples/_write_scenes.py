"""The embedded sample of detection: heads of cats and dogs in scenes, drawn by code."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kerasdl._atomic import write_json
from kerasdl._checks import check_positive_int
from kerasdl._parallel import map_ahead

from ._canvas import Canvas, photograph
from ._faces import draw_head
from ._write_sample import ANIMALS, DRAWING, SPLITS, written_once

_MOST = 4  # heads in a scene
_SIDES = (0.35, 0.8)  # of the square a head is drawn in, by the scene's shorter side
_HIDDEN = 0.5  # share of a head that may lie behind others


def write_scenes(
    directory: str | Path,
    train: int = 120,
    valid: int = 40,
    image_size: int = 256,
    *,
    seed: int = 0,
) -> Path:
    """Draw `directory/images/*.jpg` with `train.json` and `valid.json` as COCO has it.

    Each scene has none to four heads, in any place, partly behind one another; boxes
    and polygons are of what is seen of them. A scene is a function of the seed, its
    split and its number.

    The folder appears whole or not at all; one that holds this sample already is left
    as it is.

    Args:
        directory: folder to make.
        train: training scenes.
        valid: validation scenes.
        image_size: typical side in pixels; heights and widths are within 20 % of it.
        seed: another seed draws other scenes.

    Returns:
        `directory`.

    Raises:
        ValueError: an argument is not one of these, or `directory` exists and is not
            this sample, whole.
    """
    directory = Path(directory)
    counts = {"train": train, "valid": valid}
    for name, value in {**counts, "image_size": image_size}.items():
        check_positive_int(name, value)
    manifest = {"scenes": DRAWING, **counts, "image_size": image_size, "seed": seed}
    scenes = [
        (split, number) for split in counts for number in range(1, counts[split] + 1)
    ]
    names = [f"images/{split}.{number:04}.jpg" for split, number in scenes]

    def write(beside: Path) -> None:
        (beside / "images").mkdir()
        drawn = map_ahead(lambda scene: _draw(seed, image_size, *scene), scenes)
        found = {split: _Coco() for split in counts}
        for (split, _), name, (content, heads) in zip(
            scenes, names, drawn, strict=True
        ):
            (beside / name).write_bytes(content)
            found[split].add(name, *heads)
        for split, coco in found.items():
            write_json(beside / f"{split}.json", coco.content)

    return written_once(directory, names, manifest, write)


class _Coco:
    """The JSON of a split, photo after photo."""

    def __init__(self) -> None:
        categories = [{"id": n, "name": name} for n, name in enumerate(ANIMALS, 1)]
        self.content: dict[str, list[Any]] = {
            "images": [],
            "annotations": [],
            "categories": categories,
        }

    def add(
        self, name: str, size: tuple[int, int], heads: list[tuple[int, np.ndarray]]
    ) -> None:
        images, boxes = self.content["images"], self.content["annotations"]
        image = {"id": len(images) + 1, "file_name": name}
        images.append(image | {"height": size[0], "width": size[1]})
        for number, mask in heads:
            x, y, width, height = cv2.boundingRect(mask)
            outlines, _ = cv2.findContours(
                mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
            )
            boxes.append(
                {
                    "id": len(boxes) + 1,
                    "image_id": image["id"],
                    "category_id": number + 1,
                    "bbox": [x, y, width, height],
                    "area": int(mask.sum()),
                    "iscrowd": 0,
                    "segmentation": [
                        outline.ravel().tolist()
                        for outline in outlines
                        if len(outline) > 2
                    ],
                }
            )


def _draw(
    seed: int, image_size: int, split: str, number: int
) -> tuple[bytes, tuple[tuple[int, int], list[tuple[int, np.ndarray]]]]:
    """A scene as JPEG, its size, and class and mask of each head that is seen."""
    rng = np.random.default_rng([seed, SPLITS.index(split), number])
    height, width = (image_size * rng.uniform(0.8, 1.2, 2)).astype(int).tolist()
    canvas = Canvas(rng, height, width)
    heads: list[tuple[int, np.ndarray, int]] = []
    for _ in range(rng.integers(0, _MOST + 1)):
        side = int(min(height, width) * rng.uniform(*_SIDES))
        animal = int(rng.integers(len(ANIMALS)))
        colours, there = draw_head(rng, ANIMALS[animal], side)
        y = int(rng.integers(0, height - side + 1))
        x = int(rng.integers(0, width - side + 1))
        mask = np.zeros((height, width), np.uint8)
        mask[y : y + side, x : x + side] = there
        behind = [(own * (1 - mask), whole) for _, own, whole in heads]
        if any(own.sum() < (1 - _HIDDEN) * whole for own, whole in behind):
            continue
        window = canvas.planes[:, y : y + side, x : x + side]
        np.copyto(window, colours, where=there)
        heads = [
            (kind, own, whole)
            for (kind, _, _), (own, whole) in zip(heads, behind, strict=True)
        ]
        heads.append((animal, mask, int(mask.sum())))
    image = photograph(rng, canvas)
    bgr = np.ascontiguousarray(image[..., ::-1])
    _, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return content.tobytes(), ((height, width), [(kind, own) for kind, own, _ in heads])
