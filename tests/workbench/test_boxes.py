"""What a finished run of boxes was made of, found again."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from kerasdl import workbench
from kerasdl.detection import FINGERPRINTS, BoxData, read_annotations, write_coco


@pytest.fixture
def made(draw_scenes, tmp_path):
    """A function that writes boxes, of the first of which some values are given."""
    scenes = draw_scenes(tmp_path / "boxes")

    def write(**values):
        boxes = scenes.boxes.copy()
        for name, value in values.items():
            boxes.at[0, name] = value
        for split in ("train", "valid"):
            own = replace(scenes, boxes=boxes).of_split(split)
            write_coco(own, scenes.root / f"{split}.json")
        return scenes.root

    return write


def square(side):
    return [[9, 9, 9 + side, 9, 9 + side, 9 + side, 9, 9 + side]]


FIRST = {"x1": 5.0, "x2": 80.0, "y1": 0.0, "y2": 60.0, "void": square(6)}
FIRST["mask"] = {"size": [60, 80], "counts": [0, 4800]}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({}, None),
        ({"crowd": True}, "difficult boxes or crowds"),
        ({"void": square(7)}, "masks"),
        ({"x1": 1.0}, "photos or boxes"),
    ],
    ids=["same", "crowd", "void", "corner"],
)
def test_what_a_run_was_made_of_must_be_the_same(made, tmp_path, values, kind):
    root = made(**FIRST)
    data = BoxData(read_annotations(root), 64, 4, masks=True, seed=0)
    manifest = {"arguments": {"data": str(root)}, "data": data.facts()}
    run = SimpleNamespace(path=tmp_path / "run", manifest=manifest)
    made(**{**FIRST, **values})
    if kind is None:
        valid, train = workbench.recorded_boxes(run)
        assert list(train.photos.index) == data.files("train")
        assert list(valid.photos.index) == data.files("valid")
        return
    with pytest.raises(ValueError, match=f"Received: other {kind}. Name a"):
        workbench.recorded_boxes(run)
    # An older run knows less.
    for name in list(FINGERPRINTS)[1:]:
        del manifest["data"][name]
    if kind != "photos or boxes":
        assert len(workbench.recorded_boxes(run)[1].photos) == 8
