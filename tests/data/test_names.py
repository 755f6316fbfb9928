"""File names that are no UTF-8, as old archives bring them, at every door."""

import io
import json
import os
import runpy
import shutil
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image

from kerasdl import data as kdata
from kerasdl import runs, runtime
from kerasdl._atomic import write_json
from kerasdl.classification import Predictor, Submission, predict_split
from kerasdl.workbench import remember_photos

SIZE = 8
ODD = os.fsdecode(b"caf\xe9.png")
SHOWN = r"caf\udce9.png"
RECIPES = Path(__file__).parents[2] / "recipes"


def model():
    layers = [keras.Input((SIZE, SIZE, 3)), keras.layers.GlobalAveragePooling2D()]
    return keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Four photos of each class a split; the fourth cat of each has an odd name."""
    root = tmp_path_factory.mktemp("odd")
    for split in ("train", "valid", "test"):
        for name in ("cat", "dog"):
            (root / split / name).mkdir(parents=True)
            for number in range(4):
                photo = Image.new("RGB", (SIZE, SIZE), (40 * number, 0, 0))
                photo.save(root / split / name / f"{number}.png")
        os.rename(root / split / "cat" / "3.png", root / split / "cat" / ODD)
    return root


@pytest.fixture
def data(root):
    return kdata.ImageData.from_folder(root, test="test", image_size=SIZE, seed=0)


def test_photos_are_read_and_named_in_utf_8(root, data):
    for split in data.splits:
        assert data.files(split)[3] == f"{split}/cat/{SHOWN}"
        assert data.paths(split)[3] == root / split / "cat" / ODD
        assert sum(len(labels) for _, labels in getattr(data, split)) == 8
        "\n".join(data.files(split)).encode()
    sizes = kdata.photo_statistics(data, verbose=0).sizes
    assert len(sizes) == 24
    left = kdata.ImageData.from_folder(
        root, image_size=SIZE, exclude=[f"train/cat/{SHOWN}"], seed=0
    )
    assert len(left.files("train")) == 7


def test_checks_and_fingerprints(root):
    check = kdata.check_images(root, verbose=0)
    assert f"train/cat/{SHOWN}" in check.sizes.index
    assert len(check.sizes) == 24
    assert len(check.fingerprint) == 64
    str(check).encode()


def test_a_damaged_one_is_left_out_by_its_name(root, tmp_path):
    shutil.copytree(root, tmp_path / "odd")
    (tmp_path / "odd" / "train" / "cat" / ODD).write_bytes(b"")
    check = kdata.check_images(tmp_path / "odd", verbose=0)
    assert check.damaged == {f"train/cat/{SHOWN}": "empty file"}
    data = kdata.ImageData.from_folder(
        tmp_path / "odd", image_size=SIZE, exclude=check.damaged, seed=0
    )
    assert len(data.files("train")) == 7


def test_a_damaged_one_stops_a_pass_by_its_name(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ODD).write_bytes(b"")
    dataset, _ = kdata.image_folder(tmp_path, SIZE, on_error="raise", seed=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"caf\\udce9\.png: empty"):
        next(iter(dataset))
    with pytest.raises(kdata.ImageError, match="unreadable: embedded null byte"):
        Predictor(model(), ["a", "b"], SIZE).predict("a\0b.png")


def test_copies(root, tmp_path):
    path = root / "train" / "cat" / ODD
    for _ in range(2):
        (copy,) = kdata.resize_photos([path], 4, cache_dir=tmp_path, verbose=0)
    assert kdata.read_image(copy).shape == (4, 4, 3)
    assert len(list(tmp_path.rglob("*.jpg"))) == 1


def test_a_table_and_a_pattern(root):
    folder = root / "train" / "cat"
    rows = [("0", "a"), ("1", "b"), ("2", "a"), (ODD.removesuffix(".png"), "b")]
    table = pd.DataFrame(rows, columns=["id", "label"], dtype=object)
    options = {"image_size": SIZE, "valid_fraction": 0.5, "seed": 0}
    data = kdata.ImageData.from_table(table, folder, suffix=".png", **options)
    assert SHOWN in [file for split in data.splits for file in data.files(split)]
    data = kdata.ImageData.from_name(folder.parent, r"^(\w+)/", **options)
    assert f"cat/{SHOWN}" in data.files("train") + data.files("valid")


def test_the_manifest_of_a_run(root, data, tmp_path):
    check = kdata.check_images(root, verbose=0)
    arguments = {"data": str(root / "train" / "cat" / ODD)}
    with runs.run_folder(tmp_path / "run", arguments, seed=0) as run:
        remember_photos(run, data, check)
    found = json.loads((tmp_path / "run" / runs.MANIFEST).read_text(encoding="utf-8"))
    assert found["arguments"] == arguments
    write_json(tmp_path / "name.json", {ODD: 1})
    assert json.loads((tmp_path / "name.json").read_text()) == {ODD: 1}


def test_predictions_and_submissions(root, data, tmp_path):
    found = predict_split(model(), data, "test", verbose=0)
    assert found.files == data.files("test")
    path = tmp_path / "submission.csv"
    data = kdata.ImageData.from_table(
        pd.DataFrame({"id": ["0", "1", "2", "3"], "label": ["a", "b"] * 2}),
        root / "train" / "dog",
        suffix=".png",
        valid_fraction=0.5,
        test=root / "test" / "cat",
        image_size=SIZE,
        seed=0,
    )
    found = predict_split(model(), data, "test", verbose=0)
    Submission(data, found.probabilities, found.files).write(path)
    ids = pd.read_csv(path, dtype=str)["id"].tolist()
    assert ids == ["0", "1", "2", SHOWN.removesuffix(".png")]


def test_answers_of_the_recipe_are_all_there(root, tmp_path, monkeypatch):
    with runs.run_folder(tmp_path / "run", {}, seed=0) as run:
        run.manifest |= {"image_size": [SIZE, SIZE], "resize": "crop"}
        run.save_labels(["chat", "été"])
        model().save(run.path / runs.MODEL)
    shutil.copytree(root / "test", tmp_path / "photos")
    (tmp_path / "photos" / "dog" / ODD).write_bytes(b"")
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    recipe = runpy.run_path(str(RECIPES / "predict.py"))["main"]
    answers = tmp_path / "answers.csv"
    argv = [str(tmp_path / "run"), str(tmp_path / "photos"), "--csv", str(answers)]
    assert recipe(argv) == 1  # one is damaged
    terminal.seek(0)
    lines = terminal.read().splitlines()
    assert sum(SHOWN in line for line in lines) == 1
    files = pd.read_csv(answers)["file"].tolist()
    assert len(files) == len(lines) == 8
    assert str(tmp_path / "photos" / "cat" / SHOWN) in files


def test_names_are_printed_to_any_terminal(tmp_path, monkeypatch):
    for name in ("été", "hiver"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (SIZE, SIZE)).save(tmp_path / name / "1.png")
    for start in (lambda: None, runtime.start):
        terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        monkeypatch.setattr(sys, "stdout", terminal)
        start()
        kdata.image_folder(tmp_path, SIZE, seed=0)
        terminal.seek(0)
        assert "2 classes: hiver, \\xe9t\\xe9\n" in terminal.read()


@pytest.mark.parametrize("name", ["a\nb", "a\0b", "caf\udce9", "", "a\x85b"])
def test_classes_that_files_cannot_hold_are_refused_before_training(name, tmp_path):
    images = np.zeros((4, SIZE, SIZE, 3), np.uint8)
    table = pd.DataFrame(
        {"id": ["0", "1"], "label": [f"{name} x", "dog"]}, dtype=object
    )
    for number in range(2):
        Image.new("RGB", (SIZE, SIZE)).save(tmp_path / f"{number}.jpg")
    doors = [
        lambda: kdata.ImageData.from_arrays(images, [0, 1] * 2, 0.5, None, [name, "b"]),
        lambda: Predictor(model(), [name, "dog"], SIZE),
    ]
    if name:
        doors.append(lambda: kdata.ImageData.from_table(table, tmp_path))
    for door in doors:
        with pytest.raises(ValueError, match="must be non-empty names of one line"):
            door()
