"""What recipes read of a folder of photos."""

import argparse

import pytest
from PIL import Image

from kerasdl.data import cifar10
from kerasdl.recipe import photos


def write_photos(root, *splits):
    for split in splits:
        for name in ("cat", "dog"):
            (root / split / name).mkdir(parents=True)
            for number in range(5):
                image = Image.new("RGB", (8, 8), (40 * number, 0, 0))
                image.save(root / split / name / f"{number}.png")


def arguments(root, **changed):
    args = {"data": str(root), "cache": None, "batch_size": 4, "resize": "crop"}
    args |= {"max_train": None, "on_error": "skip", "quick": False}
    return argparse.Namespace(**(args | changed))


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
def test_splits_of_any_usual_names_are_trained_as_splits(tmp_path, folders, counts):
    write_photos(tmp_path, *folders)
    data, check = photos.read_photos(arguments(tmp_path), 8, None, seed=0)
    assert data.class_names == check.counts.columns.tolist() == ["cat", "dog"]
    assert {split: len(data.files(split)) for split in data.splits} == counts


def test_small_images_in_splits_of_any_usual_names(tmp_path):
    write_photos(tmp_path, "Training", "Test")
    data = cifar10(tmp_path, seed=0)
    assert data.class_names == ["cat", "dog"]
    assert data.splits == ["train", "valid", "test"]
