"""The embedded sample: cats and dogs drawn by code, so that nothing is downloaded."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kerasdl._atomic import write_json
from kerasdl._atomic_folder import claimed, new_folder
from kerasdl._checks import check_positive_int
from kerasdl._parallel import map_ahead
from kerasdl._seeds import resolve_seed

from ._faces import draw_face

SPLITS = ("train", "valid", "test")
ANIMALS = ("cat", "dog")
MANIFEST = "sample.json"
# To be raised when a drawing changes: folders drawn before are then refused.
DRAWING = 1


def write_sample(
    directory: str | Path,
    train: int = 120,
    valid: int = 60,
    test: int = 60,
    image_size: int = 224,
    *,
    seed: int | None = 0,
) -> Path:
    """Draw `directory/{train,valid,test}/{cats,dogs}/cat.0001.jpg` and so on.

    Cats and dogs differ in the parts of their faces. Everything else (pose, fur,
    light, background, height and width, JPEG quality) comes from one distribution for
    both. An image is a function of the seed, its split, its class, its number and
    `image_size` alone: a larger sample begins with a smaller one.

    The folder appears whole or not at all; one that holds this sample already is
    left as it is.

    Args:
        directory: folder to make.
        train: training images per class.
        valid: validation images per class.
        test: test images per class.
        image_size: typical side in pixels, at least 64; heights and widths are within
            20 % of it.
        seed: another seed draws other images; None draws one and prints it.

    Returns:
        `directory`.

    Raises:
        ValueError: an argument is not one of these, or `directory` exists and is not
            this sample, whole.

    Example:
        ```
        kd.data.write_sample("drawings", train=2, valid=2, test=2, image_size=64)
        ```
    """
    directory = Path(directory)
    counts = {"train": train, "valid": valid, "test": test}
    for name, value in {**counts, "image_size": image_size}.items():
        check_positive_int(name, value)
    if image_size < 64:
        raise ValueError(
            f"`image_size` must be at least 64. Received: image_size={image_size}"
        )
    seed = resolve_seed(seed)
    manifest = {"drawing": DRAWING, **counts, "image_size": image_size, "seed": seed}
    # One of each in turn: the order of writing must not tell them apart.
    images = [
        (split, number, animal)
        for split, count in counts.items()
        for number in range(1, count + 1)
        for animal in ANIMALS
    ]
    names = [
        f"{split}/{animal}s/{animal}.{number:04}.jpg"
        for split, number, animal in images
    ]

    def write(beside: Path) -> None:
        for folder in {Path(name).parent for name in names}:
            (beside / folder).mkdir(parents=True, exist_ok=True)
        drawn = map_ahead(lambda image: _draw_jpeg(seed, image_size, *image), images)
        for name, content in zip(names, drawn, strict=True):
            (beside / name).write_bytes(content)

    return written_once(directory, names, manifest, write)


def written_once(
    directory: Path,
    names: list[str],
    manifest: dict[str, Any],
    write: Callable[[Path], None],
) -> Path:
    """Let `write` fill `directory` and add `manifest`, unless that was done before.

    Args:
        directory: of the sample.
        names: of its photos, relative to it.
        manifest: what decides it.
        write: fills a folder beside it, which then takes its name.

    Raises:
        ValueError: `directory` is something else.
    """
    if _holds(directory, names, manifest):
        return directory
    with claimed(directory, "directory", wait=True):
        if _holds(directory, names, manifest):  # another process was first
            return directory
        with new_folder(directory) as beside:
            write(beside)
            write_json(beside / MANIFEST, manifest)
    return directory


def _draw_jpeg(
    seed: int, image_size: int, split: str, number: int, animal: str
) -> bytes:
    rng = np.random.default_rng(
        [seed, SPLITS.index(split), number, ANIMALS.index(animal)]
    )
    height, width = (image_size * rng.uniform(0.8, 1.2, 2)).astype(int).tolist()
    quality = int(rng.integers(80, 96))
    image = draw_face(rng, animal, height, width)
    bgr = np.ascontiguousarray(image[..., ::-1])
    _, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return content.tobytes()


def _holds(directory: Path, names: list[str], manifest: dict[str, Any]) -> bool:
    """Whether `directory` is the sample of `manifest`; ValueError if something else."""
    if not directory.exists():
        return False
    try:
        found = json.loads((directory / MANIFEST).read_text())
    except (OSError, ValueError):
        found = None
    files = {
        path.relative_to(directory).as_posix() for path in directory.rglob("*.jpg")
    }
    if found != manifest or files != set(names):
        raise ValueError(
            "`directory` must not exist, or hold the same sample, whole. Received: "
            f"directory={str(directory)!r}. Pass another one, or remove it."
        )
    return True
