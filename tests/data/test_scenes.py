import json

import cv2
import numpy as np
import pytest

from kerasdl.data import write_scenes

SMALL = {"train": 6, "valid": 3, "image_size": 96}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return write_scenes(tmp_path_factory.mktemp("sample") / "scenes", **SMALL)


def read(folder, split):
    return json.loads((folder / f"{split}.json").read_text())


def test_files_are_as_the_json_says(scenes):
    for split in ("train", "valid"):
        content = read(scenes, split)
        assert len(content["images"]) == SMALL[split]
        for image in content["images"]:
            pixels = cv2.imread(str(scenes / image["file_name"]))
            assert pixels.shape[:2] == (image["height"], image["width"])


def test_boxes_are_those_of_the_polygons_within_the_scene(scenes):
    content = read(scenes, "train")
    sizes = {i["id"]: (i["width"], i["height"]) for i in content["images"]}
    assert len(content["annotations"]) > 5
    for head in content["annotations"]:
        points = np.concatenate([np.reshape(p, (-1, 2)) for p in head["segmentation"]])
        x, y, width, height = head["bbox"]
        assert points.min(axis=0).tolist() == [x, y]
        assert points.max(axis=0).tolist() == [x + width - 1, y + height - 1]
        assert 0 < head["area"] <= width * height
        assert (np.array([x + width, y + height]) <= sizes[head["image_id"]]).all()


def test_scenes_of_the_splits_differ_and_repeat(scenes, tmp_path):
    again = write_scenes(tmp_path / "scenes", **SMALL | {"train": 3})
    first = again / "images/train.0001.jpg"
    assert first.read_bytes() == (scenes / "images/train.0001.jpg").read_bytes()
    assert first.read_bytes() != (again / "images/valid.0001.jpg").read_bytes()
    other = write_scenes(tmp_path / "other", train=1, valid=1, image_size=96, seed=1)
    assert first.read_bytes() != (other / "images/train.0001.jpg").read_bytes()


def test_the_same_scenes_are_not_drawn_again(scenes):
    before = (scenes / "train.json").stat().st_mtime_ns
    assert write_scenes(scenes, **SMALL) == scenes
    assert (scenes / "train.json").stat().st_mtime_ns == before
    with pytest.raises(ValueError, match="must not exist, or hold the same sample"):
        write_scenes(scenes, **SMALL | {"train": 7})


def test_counts_are_checked(tmp_path):
    with pytest.raises(ValueError, match="`valid` must be an integer of at least 1"):
        write_scenes(tmp_path / "scenes", valid=0)
    assert not list(tmp_path.iterdir())
