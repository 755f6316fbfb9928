import cv2
import numpy as np
import pandas as pd
import pytest

COLOURS = {"red": (220, 20, 20), "blue": (20, 20, 220)}


@pytest.fixture(scope="session")
def draw_scenes():
    """A function that draws photos with rectangles of two colours into a folder.

    Each photo has one rectangle of each class but those whose number is divisible by 5,
    which show nothing. It returns their annotations.
    """
    from kerasdl.detection import Annotations

    def draw(root, count=12, size=(60, 80), splits=("train", "train", "valid"), seed=0):
        rng = np.random.default_rng(seed)
        photos, boxes = {}, []
        (root / "images").mkdir(parents=True, exist_ok=True)
        for number in range(count):
            file = f"images/{number:03}.png"
            pixels = np.full((*size, 3), 120 + number, np.uint8)
            for label, colour in COLOURS.items() if number % 5 else ():
                x, y = rng.integers(0, (size[1] // 2, size[0] // 2))
                w, h = rng.integers(12, (size[1] // 2, size[0] // 2))
                pixels[y : y + h, x : x + w] = colour
                corners = {"x1": x, "y1": y, "x2": x + w, "y2": y + h}
                boxes.append({"file": file, "label": label, **corners})
            cv2.imwrite(str(root / file), pixels[..., ::-1])
            split = splits[number % len(splits)]
            photos[file] = {"split": split, "height": size[0], "width": size[1]}
        return Annotations.of(root, ["blue", "red"], photos, boxes)

    return draw


@pytest.fixture
def scenes(draw_scenes, tmp_path):
    return draw_scenes(tmp_path / "scenes")


@pytest.fixture(scope="session")
def with_box():
    """A function that replaces numbers, flags or labels of one box."""
    from dataclasses import replace

    def change(annotations, row, **values):
        boxes = annotations.boxes.copy()
        for name, value in values.items():
            boxes[name] = pd.Series(
                [value if place == row else old for place, old in boxes[name].items()],
                boxes.index,
            )
        return replace(annotations, boxes=boxes)

    return change
