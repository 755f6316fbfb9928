import pandas as pd
import pytest


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
