import numpy as np
import pytest

from kerasdl import ImageData
from kerasdl.export import calibration_photos

SIDE = 4


def data_of(labels, **arguments):
    """Photos that are all of the number of their place."""
    pixels = np.arange(len(labels), dtype="uint8")[:, None, None, None]
    pixels = np.broadcast_to(pixels, (len(labels), SIDE, SIDE, 3)).copy()
    return ImageData.from_arrays(
        pixels,
        np.array(labels),
        valid=(pixels[:3], np.array(labels)[:3]),
        **{"image_size": SIDE, "seed": 0, **arguments},
    )


def drawn(*arguments, **keywords):
    return calibration_photos(*arguments, **keywords)[:, 0, 0, 0].tolist()


def test_each_class_comes_as_often():
    labels = [0] * 40 + [1] * 10 + [2] * 5
    data = data_of(labels, class_names=["a", "b", "c"])
    for count, expected in ((9, [3, 3, 3]), (10, {3, 4}), (30, [15, 10, 5])):
        found = np.bincount(np.array(labels)[drawn(data, "train", count, seed=1)])
        assert found.sum() == count
        if isinstance(expected, set):
            assert set(found.tolist()) == expected
        else:
            assert found.tolist() == expected


def test_of_many_classes_each_comes():
    labels = list(range(30)) * 2
    data = data_of(labels, class_names=[str(i) for i in range(30)])
    assert sorted(np.array(labels)[drawn(data, count=9, seed=1)]) == list(range(30))


def test_a_damaged_photo_is_left_out(colours, write_colours, tmp_path):
    photos = write_colours(tmp_path / "photos", count=4)
    (photos / "train" / "red" / "0.png").write_bytes(b"not a picture")
    with pytest.warns(UserWarning, match="0.png"):
        found = calibration_photos(colours.read_photos(photos), seed=1)
    assert len(found) == 11


def test_a_draw_is_repeated_by_its_seed():
    data = data_of([0, 1] * 30)
    first = drawn(data, count=20, seed=1)
    assert drawn(data, count=20, seed=1) == first
    assert drawn(data, count=20, seed=2) != first
    assert len(set(first)) == 20


def test_all_photos_if_there_are_no_more(capsys):
    found = calibration_photos(data_of([0, 1, 0]), "valid")
    assert found.shape == (3, SIDE, SIDE, 3)
    assert found.dtype == np.uint8
    assert "seed" in capsys.readouterr().out


def test_wrong_arguments():
    with pytest.raises(ValueError, match="`count` must be an integer of at least 1"):
        calibration_photos(data_of([0, 1, 0]), count=0)
    with pytest.raises(ValueError, match="`split` must be one of"):
        calibration_photos(data_of([0, 1, 0]), "all", seed=1)
