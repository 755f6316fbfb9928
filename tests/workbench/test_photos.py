"""What recipes read of a folder of photos."""

import pytest

from kerasdl.data import cifar10
from kerasdl.workbench import PhotoOptions, max_images, read_photos


def options(root, **changed):
    return PhotoOptions(str(root), batch_size=4, resize="crop", **changed)


@pytest.mark.parametrize(
    ("folders", "counts"),
    [
        (("training_set", "test_set"), {"train": 8, "valid": 2, "test": 10}),
        (("Training", "Validation"), {"train": 10, "valid": 10}),
        (
            ("images/train", "images/val", "images/eval"),
            dict.fromkeys(("train", "valid", "test"), 10),
        ),
        (("training",), {"train": 8, "valid": 2}),
        (("",), {"train": 8, "valid": 2}),
    ],
)
def test_splits_of_any_usual_names_are_trained_as_splits(
    tmp_path, folders, counts, write_photos
):
    write_photos(tmp_path, dict.fromkeys(folders, 5), ("cat", "dog"))
    data, check = read_photos(options(tmp_path), 8, None, seed=0)
    assert data.class_names == check.counts.columns.tolist() == ["cat", "dog"]
    assert {split: len(data.files(split)) for split in data.splits} == counts


def test_small_images_in_splits_of_any_usual_names(tmp_path, write_photos):
    write_photos(tmp_path, {"Training": 5, "Test": 5}, ("cat", "dog"))
    data = cifar10(tmp_path, seed=0)
    assert data.class_names == ["cat", "dog"]
    assert data.splits == ["train", "valid", "test"]


@pytest.fixture(scope="module")
def many(tmp_path_factory, write_photos):
    """201 classes of three photos, and of one for the test."""
    root = tmp_path_factory.mktemp("many")
    classes = [f"{number:03}" for number in range(201)]
    return write_photos(root, {"train": 3, "test": 1}, classes, (4, 4))


@pytest.mark.parametrize(
    ("changed", "count"),
    [
        ({"quick": True}, 201),
        ({"quick": True, "max_train": 300}, 201),
        ({"max_train": 300}, 300),
        ({}, 402),
    ],
)
def test_quick_takes_a_photo_of_each_class(many, changed, count):
    data, _ = read_photos(options(many, **changed), 8, None, seed=0)
    assert len(data.files("train")) == count
    assert (data.counts().loc["train"] > 0).all()


def test_quick_takes_fewer_if_asked(tmp_path, write_photos):
    write_photos(tmp_path, {"": 5}, ("cat", "dog"))
    few = options(tmp_path, quick=True, max_train=3)
    data, _ = read_photos(few, 8, None, seed=0)
    assert len(data.files("train")) == 3
    again = data.with_max_train(2)
    assert set(again.files("train")) < set(data.files("train"))
    assert again.files("valid") == data.files("valid")


def test_too_few_of_many_classes_is_an_error_of_who_asked(many):
    with pytest.raises(ValueError, match=r"max_train=200 \(201 classes\)"):
        read_photos(options(many, quick=True, max_train=200), 8, None, seed=0)


def test_quick_takes_small_images_of_each_class(many):
    for quick, count in ((True, 402), (False, None)):
        assert max_images(str(many), quick) == count
    data = cifar10(many, 0.34, max_images=402, seed=0)
    assert (data.counts().loc["valid"] == 1).all()
    assert max_images(None, quick=True) == 200


def test_one_class_is_refused_before_photos_are_looked_at(
    write_photos, tmp_path, capsys
):
    write_photos(tmp_path, {"": 3}, "a")
    for folder in (tmp_path, tmp_path / "a"):
        with pytest.raises(ValueError, match="at least two folders"):
            read_photos(options(folder), 8, None, seed=0)
    assert capsys.readouterr() == ("", "")
