import json
from dataclasses import replace

import cv2
import keras
import numpy as np
import pytest

from kerasdl.detection import Detector, picture_paths, read_coco, write_coco
from kerasdl.detection.annotations import BOX
from kerasdl.runs import run_folder


def perfect(size, photos):
    """A model of final answers that says what is in `photos`, whatever it sees."""
    pixels = keras.Input((*size, 3))
    zero = keras.ops.sum(pixels, axis=(1, 2, 3)) * 0
    rows = {
        "boxes": np.array(photos, "f"),
        "scores": np.full(np.shape(photos)[:2], 0.9, "f"),
        "labels": np.zeros(np.shape(photos)[:2], "int32"),
        "count": np.full(len(photos), np.shape(photos)[1], "int32"),
    }
    found = {
        name: keras.ops.cast(
            keras.ops.reshape(zero, (-1, *[1] * (value.ndim - 1))) + value, value.dtype
        )
        for name, value in rows.items()
    }
    return keras.Model(pixels, found)


NINE = np.tile([[0, 20, 9, 29.0]], (8, 1, 1))


def test_answers_are_in_pixels_of_the_photo(scenes):
    """A photo of 60 x 80 lies in 160 x 160 twice as large, 20 rows down."""
    file = scenes.photos.index[1]
    true = scenes.boxes[scenes.boxes["file"] == file]
    boxes = np.array([true[BOX]] * 8) * 2 + [0, 20, 0, 20]
    detector = Detector(perfect((160, 160), boxes), ["any"])
    found = detector.predict([file], scenes.root).boxes
    np.testing.assert_allclose(found[BOX], true[BOX], atol=1e-3)
    assert found["file"].tolist() == [file, file]


def test_it_says_what_it_is():
    told = repr(Detector(perfect((160, 160), NINE), ["cat", "dog"]))
    assert told.startswith("Detector\n  network    functional")
    assert told.endswith(
        "  classes    2: cat, dog\n  photos     160 x 160 pixels, pad\n  threshold  0.5"
    )


def test_answers_are_cut_to_the_photo(scenes):
    file = scenes.photos.index[1]
    boxes = np.tile([[0, 0, 160, 160.0]], (8, 1, 1))
    found = (
        Detector(perfect((160, 160), boxes), ["any"]).predict(file, scenes.root).boxes
    )
    np.testing.assert_allclose(found[BOX], [[0, 0, 80, 60]], atol=1e-3)


def test_a_damaged_photo_is_named_or_stops(scenes):
    files = list(scenes.photos.index[:2])
    (scenes.root / files[0]).write_bytes(b"")
    detector = Detector(perfect((160, 160), NINE), ["any"])
    found = detector.predict(files, scenes.root, on_error="skip")
    assert found.damaged == {files[0]: "empty file"}
    assert found.boxes["file"].tolist() == list(found.photos.index) == files[1:]
    with pytest.raises(ValueError, match="empty file"):
        detector.predict(files, scenes.root)


def test_a_photo_whose_name_is_no_utf8_is_damaged(scenes):
    files = list(scenes.photos.index[:2])
    (scenes.root / files[0]).rename(scenes.root / "caf\udce9.png")
    detector = Detector(perfect((160, 160), NINE), ["any"])
    files[0] = "caf\udce9.png"
    found = detector.predict(files, scenes.root, on_error="skip")
    assert found.damaged == {r"caf\udce9.png": "its name is no UTF-8"}
    assert list(found.photos.index) == files[1:]
    with pytest.raises(ValueError, match=r"caf\\udce9\.png: its name is no UTF-8"):
        detector.predict(files, scenes.root)


def test_a_photo_of_one_pixel_and_none_that_can_be_read(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((1, 1, 3), np.uint8))
    detector = Detector(perfect((160, 160), NINE), ["any"])
    found = detector.predict(tmp_path)
    assert found.photos.to_numpy().tolist() == [[1, 1]]
    assert found.boxes[BOX].to_numpy().max() <= 1
    (tmp_path / "a.png").write_bytes(b"")
    nothing = detector.predict(tmp_path, on_error="skip")
    assert len(nothing.boxes) == len(nothing.photos) == 0
    nothing.to_json(tmp_path / "none.json")
    assert json.loads((tmp_path / "none.json").read_text()) == []


def test_a_folder_stands_for_all_photos_below_it(scenes, tmp_path):
    detector = Detector(perfect((160, 160), NINE), ["any"], threshold=0.5)
    found = detector.predict(scenes.root)
    assert list(found.photos.index) == [
        str(scenes.root / f) for f in scenes.photos.index
    ]
    found.save_pictures(tmp_path / "drawn", 0.5)
    assert len(list((tmp_path / "drawn").glob("*.jpg"))) == 12
    found.to_csv(tmp_path / "boxes.csv")
    assert (tmp_path / "boxes.csv").read_text().count("any") == 12
    found.to_json(tmp_path / "boxes.json")
    rows = json.loads((tmp_path / "boxes.json").read_text())
    assert rows[0].keys() == {"file", "label", "box", "score"}
    assert rows[0]["score"] == pytest.approx(0.9)
    assert len(detector.predict(scenes.root, threshold=0.89).boxes) == 12
    assert len(detector.predict(scenes.root, threshold=0.95).boxes) == 0
    found.to_json(tmp_path / "boxes.json", threshold=0.95)
    assert json.loads((tmp_path / "boxes.json").read_text()) == []


def test_answers_are_written_as_annotations_are(scenes):
    detector = Detector(perfect((160, 160), NINE), ["any"])
    found = detector.predict(list(scenes.photos.index), scenes.root)
    write_coco(found.above(0.5), scenes.root / "found.json")
    again = read_coco(scenes.root / "found.json")
    np.testing.assert_allclose(again.boxes[BOX], found.boxes[BOX], atol=1e-4)
    assert len(found.above(0.95).boxes) == 0


@pytest.mark.parametrize("folder", ["images", "."])
def test_drawn_pictures_do_not_replace_photos(scenes, folder):
    detector = Detector(perfect((160, 160), NINE), ["any"])
    found = detector.predict(list(scenes.photos.index[:1]), scenes.root)
    photos = {path: path.read_bytes() for path in scenes.root.rglob("*.*")}
    with pytest.raises(ValueError, match=r"`folder` must hold none.*000\.png"):
        found.save_pictures(scenes.root / folder, 0.5)
    assert photos == {path: path.read_bytes() for path in scenes.root.rglob("*.*")}


def test_no_drawn_picture_replaces_another(tmp_path):
    files = ["x/a.jpg", "y/a.jpg", "z/a-2.jpg", "z/a.png", "A.jpg"]
    paths = picture_paths(tmp_path, files, ".jpg")
    names = [path.name for path in paths.values()]
    assert names == ["a.jpg", "a-2.jpg", "a-2-2.jpg", "a-3.jpg", "A-4.jpg"]


def test_photos_are_drawn_on_at_the_callers_limit(scenes):
    detector = Detector(perfect((160, 160), NINE), ["any"])
    file = scenes.photos.index[0]
    found = detector.predict(file, scenes.root, max_pixels=60 * 80)
    assert found.max_pixels == 60 * 80
    with pytest.raises(ValueError, match="above the pixel limit"):
        replace(found, max_pixels=60 * 80 - 1).drawn(file, 0.5)


def test_a_run_that_lacks_its_labels_is_refused(tmp_path):
    with run_folder(tmp_path / "run", {}, seed=1) as run:
        run.manifest["task"] = "detection"
        (run.path / "model.keras").write_bytes(b"")
    with pytest.raises(ValueError, match=r"`run` must hold labels\.txt, and its mani"):
        Detector.load(tmp_path / "run")


@pytest.mark.parametrize(
    ("photos", "options", "message"),
    [
        ([], {}, "`photos` must hold photos"),
        (["a"], {"on_error": "no"}, "`on_error` must be one of 'raise', 'skip'"),
        (["a"], {"threshold": np.nan}, "`threshold` must be from 0 to 1.*nan"),
    ],
)
def test_arguments_are_checked(photos, options, message):
    with pytest.raises(ValueError, match=message):
        Detector(perfect((160, 160), NINE), ["any"]).predict(photos, **options)
