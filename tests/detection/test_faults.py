import cv2
import numpy as np
import pytest
from PIL import Image

from kerasdl.detection import BoxData, check_boxes, without_faults
from kerasdl.detection.annotations import BOX


def faults(annotations):
    return check_boxes(annotations, verbose=0).faults["fault"].tolist()


def turned(scenes):
    """The first photo lies on its side and says so, as a telephone's does."""
    path = scenes.root / scenes.photos.index[0]
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(np.zeros((60, 80, 3), np.uint8)).save(path, "PNG", exif=exif)
    return scenes


def other_size(scenes):
    scenes.photos.loc["images/001.png", ["height", "width"]] = 600, 800
    return scenes


def gone(scenes):
    (scenes.root / "images/001.png").unlink()
    return scenes


def damaged(scenes):
    (scenes.root / "images/001.png").write_bytes(b"no photo")
    return scenes


OF_PHOTOS = {
    "turned": (turned, r"its boxes are of 80 x 60 pixels, it has 60 x 80 as EXIF tur"),
    "size": (other_size, "its boxes are of 800 x 600 pixels, it has 80 x 60"),
    "gone": (gone, "there is no such photo"),
    "damaged": (damaged, "not an image"),
}
OF_BOXES = {
    "outside": ({"x2": 90.0}, "reaches outside the photo"),
    "beyond": ({"x1": 95.0, "x2": 99.0}, "has no area in the photo"),
    "area": ({"x1": 20.0, "x2": 20.0}, "has no area in the photo"),
    "nan": ({"y1": np.nan}, "has no area in the photo"),
    "class": ({"label": "green"}, "is of an unknown class"),
}
OF_MASKS = {
    "size": (
        {"size": [80, 60], "counts": [4800]},
        "has a mask of 60 x 80 pixels, on a photo of 80 x 60",
    ),
    "empty": ({"size": [60, 80], "counts": [4800]}, "has an empty mask"),
    "beyond": ([[90, 9, 99, 9, 99, 20]], "has an empty mask"),
    "points": ([[35, 22, 71, 40]], "has a mask with a polygon that is not three"),
    "odd": ([[35, 22, 71, 22, 71]], "has a mask with a polygon that is not three"),
    "nested": ([35, 22, 71, 22, 71, 40], "has a mask with a polygon that is not three"),
    "counts": (
        {"size": [60, 80], "counts": "h4"},
        "has a mask whose counts are not those of its pixels",
    ),
    "sum": (
        {"size": [60, 80], "counts": [9, 9]},
        "has a mask whose counts are not those of its pixels",
    ),
    "kind": ({"rle": []}, "has a mask that is neither polygons nor an RLE"),
    "outside": ([[1, 1, 9, 1, 9, 9]], "has a mask that lies outside of it"),
}


def test_good_boxes_have_no_faults(scenes):
    found = check_boxes(scenes, verbose=0)
    assert len(found.faults) == 0
    assert found.counts.loc["train"].tolist() == [6, 6]
    assert (found.photos["boxes"] == 0).sum() == 3
    shown = str(found)
    assert "12 usable photos, 3 without boxes; 18 good boxes; 0 faults" in shown
    assert "boxes a photo: 2 in 9, 0 in 3" in shown
    red = found.boxes[found.boxes["label"] == "red"]
    widest = (red["width"] / red["height"]).max()
    assert f"{widest:.2f}" in shown.splitlines()[-1] and "max w:h" in shown


@pytest.mark.parametrize(("harm", "fault"), OF_PHOTOS.values(), ids=OF_PHOTOS)
def test_a_photo_that_is_wrong_is_named_and_left_out(scenes, harm, fault):
    harm(scenes)
    found = check_boxes(scenes, verbose=0).faults
    assert len(found) == 1 and found["box"].tolist() == [-1]
    with pytest.warns(UserWarning, match=f"{found['file'][0]}: {fault}"):
        data = BoxData(scenes, 64, seed=0)
    assert found["file"][0] not in data.annotations.photos.index
    assert len(data.annotations.photos) == 11
    with pytest.raises(ValueError, match=f"with on_error='raise'.*{fault}"):
        BoxData(scenes, 64, on_error="raise", seed=0)


@pytest.mark.parametrize(("values", "fault"), OF_BOXES.values(), ids=OF_BOXES)
def test_a_box_that_is_wrong_is_named(scenes, with_box, values, fault):
    wrong = with_box(scenes, 3, **values)
    found = check_boxes(wrong, verbose=0).faults
    assert found["box"].tolist() == [3] and found["fault"].tolist() == [fault]
    with pytest.warns(UserWarning, match=f"a box {fault}"):
        kept = BoxData(wrong, 64, seed=0).annotations.boxes
    is_cut = "outside" in fault
    assert len(kept) == 17 + is_cut
    assert not is_cut or kept["x2"].max() == 80
    with pytest.raises(ValueError, match=f"with on_error='raise'.*a box {fault}"):
        BoxData(wrong, 64, on_error="raise", seed=0)


@pytest.mark.parametrize(("mask", "fault"), OF_MASKS.values(), ids=OF_MASKS)
def test_a_mask_that_is_wrong_is_named_and_left_out(scenes, with_box, mask, fault):
    x1, y1, x2, y2 = scenes.boxes[BOX].iloc[1]
    good = with_box(scenes, 1, mask=[[x1, y1, x2, y1, x2, y2]])
    assert faults(good) == []
    wrong = with_box(good, 0, mask=mask)
    found = check_boxes(wrong, verbose=0).faults
    assert found["box"].tolist() == [0] and found["fault"][0].startswith(fault)
    assert len(check_boxes(wrong, verbose=0, masks=False).faults) == 0
    with pytest.warns(UserWarning, match=f"001.png: a box {fault}"):
        kept = BoxData(wrong, 64, masks=True, seed=0).annotations.boxes
    # The box stays, and stands for its mask.
    assert len(kept) == 18 and kept["mask"].notna().sum() == 1
    assert kept["mask"][0] is None and kept["mask"][1] == good.boxes["mask"][1]
    with pytest.raises(ValueError, match=f"with on_error='raise'.*a box {fault}"):
        BoxData(wrong, 64, masks=True, on_error="raise", seed=0)
    assert len(BoxData(wrong, 64, on_error="raise", seed=0).annotations.boxes) == 18


@pytest.mark.parametrize("name", ["size", "points", "sum"])
def test_a_void_that_is_wrong_is_left_out_alone(scenes, with_box, name):
    shape, fault = OF_MASKS[name]
    fault = fault.replace("mask", "void")
    x1, y1, x2, y2 = scenes.boxes[BOX].iloc[1]
    mask = [[x1, y1, x2, y1, x2, y2]]
    wrong = with_box(scenes, 0, void=shape)  # without a mask
    wrong = with_box(with_box(wrong, 1, mask=mask), 1, void=shape)
    found = check_boxes(wrong, verbose=0).faults
    assert found["box"].tolist() == [0, 1]
    assert found["fault"].str.startswith(fault).all()
    with pytest.raises(ValueError, match=f"with on_error='raise'.*a box {fault}"):
        without_faults(wrong, "raise", masks=True)
    with pytest.warns(UserWarning, match=f"001.png: a box {fault}"):
        kept = without_faults(wrong, masks=True).boxes
    assert len(kept) == 18 and kept["void"].isna().all() and kept["mask"][1] == mask


def test_a_box_that_is_there_twice_is_left_out_once(scenes, with_box):
    same = scenes.boxes.iloc[0]
    values = {name: same[name] for name in ("file", "label", *BOX)}
    twice = with_box(scenes, 1, **values)
    assert faults(twice) == ["stands there twice"]
    with pytest.warns(UserWarning, match="a box stands there twice"):
        assert len(BoxData(twice, 64, seed=0).annotations.boxes) == 17


def test_rounding_of_corners_is_no_fault(scenes, with_box):
    rounded = with_box(scenes, 0, x1=-1.0)
    assert faults(rounded) == []
    assert BoxData(rounded, 64, seed=0).annotations.boxes["x1"][0] == 0


def test_photos_that_are_in_two_splits_are_named(scenes):
    pixels = cv2.imread(str(scenes.root / "images/001.png"))
    cv2.imwrite(str(scenes.root / "images/002.png"), pixels)
    found = check_boxes(scenes, verbose=0)
    assert found.across_splits == [["images/001.png", "images/002.png"]]
    assert "across splits: images/001.png, images/002.png" in str(found)


def test_what_was_found_can_be_seen(scenes, tmp_path):
    check_boxes(scenes, verbose=0).plot(tmp_path / "boxes.png")
    assert cv2.imread(str(tmp_path / "boxes.png")).shape[1] > 1000


def test_photos_of_which_none_can_be_used_can_be_seen(scenes, tmp_path):
    scenes.photos["height"] = 600
    found = check_boxes(scenes, verbose=0)
    found.plot(tmp_path / "boxes.png")
    assert "0 usable photos" in str(found)
    assert cv2.imread(str(tmp_path / "boxes.png")).shape[1] > 1000
