import json
import os
import runpy
import shutil
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def photos(tmp_path_factory, write_photos):
    """Dark, middling and bright images in three classes."""

    def pixels(rng, place, _):
        return rng.integers(0, 60, (16, 16, 3)) + 90 * place

    root = tmp_path_factory.mktemp("photos")
    return write_photos(root, {"train": 30, "test": 8}, "abc", pixels)


def train(photos, out, *more):
    argv = ["--data", str(photos), "--out", str(out), "--seed", "3"]
    main = runpy.run_path(str(RECIPES / "cifar10_train.py"))["main"]
    main([*argv, "--batch-size", "16", *more])


def predict(*argv):
    main = runpy.run_path(str(RECIPES / "cifar10_predict.py"))["main"]
    return main([str(arg) for arg in argv])


@pytest.fixture(scope="module")
def run(photos, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    train(photos, out, "--epochs", "3", "--schedule", "sgdr", "--rate", "0.01")
    return out


def test_a_run_leaves_a_whole_folder(run, photos, keeps_promises):
    keeps_promises(run, of_photos=False)
    assert sorted(path.name for path in run.iterdir()) == (
        "README.md augmented.png confusion.png curves.png history.csv "
        "labels.txt last.keras manifest.json model.keras model.tflite "
        "rates.png report.html tensorboard".split()
    )
    assert {path.name for path in (run / "tensorboard").iterdir()} == {
        "images",
        "train",
        "validation",
    }
    manifest = json.loads((run / "manifest.json").read_text())
    counts = manifest["data"]["counts"]
    assert counts["train"] == {"a": 27, "b": 27, "c": 27}
    assert counts["valid"] == {"a": 3, "b": 3, "c": 3}
    (row,) = manifest["results"]
    history = pd.read_csv(run / "history.csv")
    assert row["valid_accuracy"] == history["val_accuracy"].max()
    assert row["best_epoch"] == history["val_accuracy"].argmax() + 1
    # Cycles of one and of two epochs: what an epoch's last batch has tells the place.
    rates = history["learning_rate"]
    assert rates[0] < rates[1] > rates[2]

    # Both files, in plain Keras, do as well as the table says.
    for file, column in (("model", "test_accuracy"), ("last", "last_test_accuracy")):
        model = keras.saving.load_model(run / f"{file}.keras")
        right = []
        for label, name in enumerate("abc"):
            folder = photos / "test" / name
            images = np.stack([np.asarray(Image.open(p)) for p in folder.iterdir()])
            answers = model.predict(images.astype("float32"), verbose=0)
            right += (answers.argmax(axis=1) == label).tolist()
        assert np.mean(right) == pytest.approx(row[column])


def test_labels_of_images(run, photos, tmp_path, capsys):
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"no image")
    grid = tmp_path / "grid.png"
    folder = photos / "test" / "a"
    assert predict(run, folder, "--out", grid) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert lines[0].startswith(f"{folder / '0.png'}: ")
    values = [float(part.split()[-1]) for part in lines[0].split(": ")[1].split(", ")]
    assert values == sorted(values, reverse=True)
    assert sum(values) == pytest.approx(1, abs=0.002)  # there are three classes
    assert Image.open(grid).width > 1000

    best = keras.saving.load_model(run / "model.keras")
    image = np.asarray(Image.open(folder / "0.png"), "float32")
    assert values[0] == pytest.approx(best(image[None]).numpy().max(), abs=0.001)
    assert predict(run, damaged, folder / "1.png", "--checkpoint", "last") == 1
    assert "damaged.png: not an image" in capsys.readouterr().err


def test_a_name_that_is_no_text_is_answered_and_not_drawn(run, photos, tmp_path):
    odd = tmp_path / os.fsdecode(b"\xff.png")
    shutil.copy(photos / "test" / "a" / "0.png", odd)
    grid = tmp_path / "grid.png"
    assert predict(run, odd, "--out", grid) == 0
    assert grid.is_file()


@pytest.mark.slow  # beside runs of three
def test_two_classes_are_a_softmax_too(photos, tmp_path):
    for split in ("train", "test"):
        for name in "ab":
            shutil.copytree(photos / split / name, tmp_path / "two" / split / name)
    train(tmp_path / "two", tmp_path / "run", "--quick")
    model = keras.saving.load_model(tmp_path / "run" / "model.keras")
    assert model.output_shape == (None, 2)


@pytest.fixture(scope="module")
def lesson(photos, tmp_path_factory):
    """The course's smallest network, two epochs, all that can be kept."""
    out = tmp_path_factory.mktemp("lesson") / "run"
    argv = ("--lesson", "--model", "course_mobilenet", "--epochs", "2")
    train(photos, out, *argv, "--keep", "all", "--tensorboard", "step")
    return out


def test_the_lesson_trains_as_taught(lesson):
    manifest = json.loads((lesson / "manifest.json").read_text())
    arguments = manifest["arguments"]
    assert (arguments["weight_decay"], arguments["schedule"]) == (0, "step")
    assert manifest["image_size"] == [28, 28]
    # The counts of the course and moving averages of BatchNorm, of 3 classes for 10.
    (row,) = manifest["results"]
    assert row["parameters"] == 280_650 + 4_864 - 7 * 513
    assert (lesson / "tensorboard" / "steps").is_dir()


def test_defaults_are_the_recipe_s_or_the_lesson_s():
    parse = runpy.run_path(str(RECIPES / "cifar10_train.py"))["parse_args"]
    names = ("model", "batch_size", "weight_decay", "image_size", "rate")
    for argv, values in (
        ([], ("vgg_small", 64, 0.02, None, 1e-3)),
        (["--lesson"], ("course_vgg", 128, 0, 28, 1e-3)),
        (["--lesson", "--batch-size", "32"], ("course_vgg", 32, 0, 28, 1e-3)),
        (["--backbone", "vgg16"], (None, 64, 0.02, None, 1e-3)),
    ):
        args = parse([*argv, "--out", "run"])
        assert tuple(getattr(args, name) for name in names) == values


def test_the_lesson_s_rates_and_pictures():
    recipe = runpy.run_path(str(RECIPES / "cifar10_train.py"))
    rates = recipe["learning_rates"](recipe["parse_args"](["--lesson"]))
    assert (rates.decay_len, rates.factor) == (5, 0.9)
    views = recipe["lesson_views"]()
    assert views.crop * 32 == 28
    assert (views.horizontal_flip, views.vertical_flip) == (True, False)
    colours = (views.brightness, views.contrast, views.saturation, views.hue)
    assert colours == (0.1,) * 4
    assert views.grey == 0.2


def test_a_picture_is_predicted_as_it_was_tested(lesson, photos, capsys):
    """By one rule, and by the network of any epoch: the last one is `last`."""
    folder = photos / "test"
    assert predict(lesson, folder, "--checkpoint", "best") == 0
    lines = capsys.readouterr().out.splitlines()
    right = [
        Path(line.split(": ")[0]).parent.name == line.split(": ")[1][0]
        for line in lines
    ]
    (row,) = json.loads((lesson / "manifest.json").read_text())["results"]
    assert np.mean(right) == pytest.approx(row["test_accuracy"])
    assert sorted(path.name for path in (lesson / "epochs").iterdir()) == [
        "1.keras",
        "2.keras",
    ]
    assert predict(lesson, folder / "a" / "0.png", "--checkpoint", "1") == 0
    with pytest.raises(SystemExit):
        predict(lesson, folder, "--checkpoint", "3")
    assert "RUN must hold epochs/3.keras" in capsys.readouterr().err


def test_a_pretrained_trunk_takes_larger_pictures(photos, tmp_path, tiny_backbone):
    argv = ("--backbone", tiny_backbone, "--image-size", "32", "--quick")
    train(photos, tmp_path / "run", *argv)
    model = keras.saving.load_model(tmp_path / "run" / "model.keras")
    assert model.input_shape == (None, 32, 32, 3)
    assert model.output_shape == (None, 3)


def test_bad_input(run, photos, tmp_path, capsys):
    with pytest.raises(ValueError, match="end of a cycle.*1, 3, 7, 15.*epochs=4"):
        train(photos, tmp_path / "run", "--schedule", "sgdr", "--epochs", "4")
    with pytest.raises(ValueError, match="`directory` must be an existing directory"):
        train(photos / "nothing", tmp_path / "run")
    with pytest.raises(ValueError, match="--weight-decay must be at least 0"):
        train(photos, tmp_path / "run", "--weight-decay", "nan")
    with pytest.raises(ValueError, match="`model` must be left out with --backbone"):
        trunk = ("--backbone", "vgg16", "--model", "resnet18")
        train(photos, tmp_path / "run", *trunk)
    with pytest.raises(ValueError, match="`image_size` must be at least 32.*=None"):
        train(photos, tmp_path / "run", "--backbone", "vgg16")
    assert not list(tmp_path.iterdir())
    assert predict(run, tmp_path) == 2
    assert "error: IMAGE must" in capsys.readouterr().err
    for argv, message in (
        ((run, photos, "--out", tmp_path / "no" / "a.png"), "--out: must be"),
        ((run, tmp_path / "none.png"), "IMAGE must exist"),
        ((tmp_path, photos), "must be a run folder"),
    ):
        with pytest.raises(SystemExit):
            predict(*argv)
        assert message in capsys.readouterr().err
