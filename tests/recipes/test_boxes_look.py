"""coco_look.py and pets_to_coco.py on drawn pictures."""

import json
import runpy
from dataclasses import replace

import cv2
import numpy as np
import pytest

from kerasdl.detection import as_pixels, read_coco, write_coco


@pytest.fixture
def main_of(recipes_path):
    return lambda name: runpy.run_path(str(recipes_path / f"{name}.py"))["main"]


def test_photos_of_a_category_are_drawn(main_of, draw_scenes, tmp_path, capsys):
    scenes = draw_scenes(tmp_path / "data", count=6)
    write_coco(scenes, scenes.root / "instances.json")
    out = tmp_path / "look"
    arguments = [str(scenes.root), "--category", "red", "--photos", "2"]
    main_of("coco_look")([*arguments, "--out", str(out)])
    printed = capsys.readouterr().out
    assert "6 photos, 8 annotations" in printed
    assert "red: 4 annotations in 4 photos" in printed
    files = sorted(path.name for path in out.iterdir())
    assert files == ["001.png", "002.png"]
    drawn, photo = (
        cv2.imread(str(path))
        for path in (out / "001.png", scenes.root / "images" / "001.png")
    )
    assert drawn.shape == photo.shape and (drawn != photo).any()
    with pytest.raises(ValueError, match=r"must not hold .*001\.png.* --overwrite rep"):
        main_of("coco_look")([*arguments, "--out", str(out)])
    main_of("coco_look")([*arguments, "--out", str(out), "--overwrite"])
    with pytest.raises(ValueError, match="--category must be one of blue, red"):
        main_of("coco_look")([str(scenes.root), "--category", "green"])


def test_files_without_annotations_can_be_looked_at(
    main_of, draw_scenes, tmp_path, capsys
):
    scenes = draw_scenes(tmp_path / "data", count=3)
    file = scenes.root / "instances.json"
    empty = replace(scenes, boxes=scenes.boxes[:0])
    write_coco(empty, file)
    out = tmp_path / "look"
    main_of("coco_look")([str(file), "--out", str(out)])
    printed = capsys.readouterr().out
    assert "3 photos, 0 annotations" in printed
    assert "blue: 0 annotations in 0 photos" in printed and not out.exists()
    write_coco(replace(empty, class_names=[]), file)
    with pytest.raises(
        ValueError, match="--category must be one of none. Received: ''"
    ):
        main_of("coco_look")([str(file), "--out", str(out)])
    write_coco(scenes, file)
    content = json.loads(file.read_text())
    content["annotations"][0]["category_id"] = 9  # which the categories do not have
    file.write_text(json.dumps(content))
    main_of("coco_look")([str(file), "--out", str(out)])
    assert sorted(path.name for path in out.iterdir()) == ["001.png", "002.png"]


def test_trimaps_become_masks_of_cats_and_dogs(main_of, tmp_path, capsys):
    for name in ("train/Bengal_1", "train/american_1", "valid/Bengal_2"):
        trimap = np.full((20, 30), 2, np.uint8)
        if name != "valid/Bengal_2":
            trimap[4:12, 5:20] = 3
            trimap[6:10, 7:18] = 1
        for folder, suffix, image in (
            ("images", "jpg", np.zeros((20, 30, 3), np.uint8)),
            ("trimaps", "png", trimap),
        ):
            path = tmp_path / folder / f"{name}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), image)
    main_of("pets_to_coco")([str(tmp_path)])
    printed = capsys.readouterr().out
    assert "train: {'cat': 1, 'dog': 1}; 0 photos without pet" in printed
    assert "valid: {}; 1 photos without pet" in printed
    found = read_coco(tmp_path / "train.json")
    assert found.class_names == ["cat", "dog"]
    assert sorted(found.boxes["label"]) == ["cat", "dog"]
    row = found.boxes.iloc[0]
    assert row[["x1", "y1", "x2", "y2"]].tolist() == [7, 6, 18, 10]
    pixels = as_pixels(row["mask"], (20, 30))
    assert pixels.sum() == 44 and pixels[6:10, 7:18].all()
    void = as_pixels(row["void"], (20, 30))
    assert void.sum() == 8 * 15 - 44 and not (void & pixels).any()
    with pytest.raises(ValueError, match="must not exist. --overwrite replaces it"):
        main_of("pets_to_coco")([str(tmp_path)])
    main_of("pets_to_coco")([str(tmp_path), "--overwrite"])
    for split in ("train", "valid"):
        (tmp_path / f"{split}.json").unlink()
    (tmp_path / "trimaps/valid/Bengal_2.png").write_bytes(b"half")
    with pytest.raises(ValueError, match="Bengal_2.png: not an image"):
        main_of("pets_to_coco")([str(tmp_path)])
    assert not list(tmp_path.glob("*.json"))


def test_folders_must_be_there(main_of, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main_of("pets_to_coco")([str(tmp_path)])
    assert "DIR must hold images and trimaps" in capsys.readouterr().err
    for folder in ("images/new", "trimaps"):
        (tmp_path / folder).mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "images" / "new" / "a.png"), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="`images` must have folders train"):
        main_of("pets_to_coco")([str(tmp_path)])
