"""The main recipe, as a process: whole, killed and resumed, and given bad input."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image

import kerasdl
from kerasdl import _atomic
from kerasdl.callbacks import StopOnBadLoss
from kerasdl.workbench import run_recipe

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parents[1] / "programs"
RECIPE = REPOSITORY / "recipes" / "cats_dogs_finetune.py"


NEVER = 10**9


COLOURS = {"blue": (30, 30, 200), "green": (30, 160, 30), "red": (200, 30, 30)}


@pytest.fixture(scope="module")
def write_squares(write_photos):
    """A function that writes classes: the colour of a square on noise."""

    def write(folder, splits, names=("blue", "red")):
        def pixels(rng, place, _):
            image = rng.integers(0, 256, (40, 48, 3), "uint8")
            image[8:32, 8:32] = COLOURS[list(names)[place]]
            return image

        return write_photos(folder, splits, names, pixels)

    return write


@pytest.fixture(scope="module")
def photos(tmp_path_factory, write_squares):
    folder = tmp_path_factory.mktemp("photos")
    write_squares(folder, {"train": 24, "valid": 8, "test": 8})
    return folder


def arguments(photos, tmp_path, out, *more):
    return [
        "--data",
        str(photos),
        "--out",
        str(tmp_path / out),
        "--cache",
        str(tmp_path / f"cache-{out}"),
        "--image-size",
        "32",
        "--batch-size",
        "8",
        "--epochs",
        "2",
        "--seed",
        "5",
        *more,
    ]


def run(command, *arguments):
    return subprocess.run(
        [sys.executable, *command, *arguments],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        check=False,
    )


def history_of(folder):
    lines = (folder / "history.csv").read_text().splitlines()
    columns = lines[0].split(",")
    kept = [i for i, name in enumerate(columns) if name != "seconds"]
    return [[line.split(",")[i] for i in kept] for line in lines]


DEATHS = [
    ("kerasdl.train.features", "_RowFile", "append", 3),
    ("kerasdl.classification.linear_head", "_Path", "fit", 3),
    ("kerasdl.train.resumable_fit", "_SaveState", "on_epoch_begin", 1),
]


# Slow: tests/train/test_kill.py kills what trains here, test_mnist_convnet.py cuts a
# run that goes on to the same end.
@pytest.mark.slow
@pytest.mark.parametrize("deaths", [DEATHS[2:], DEATHS], ids=["once", "three times"])
def test_killed_it_ends_like_an_unbroken_run(deaths, photos, tmp_path):
    whole = run([RECIPE], *arguments(photos, tmp_path, "whole", "--deterministic"))
    assert whole.returncode == 0, whole.stderr
    killed = arguments(photos, tmp_path, "killed", "--deterministic")
    last = (*deaths[-1][:3], NEVER)
    counter = tmp_path / "counter"
    for number, (*where, calls) in enumerate([*deaths, last]):
        command = [PROGRAMS / "kill_recipe.py", counter, *where, str(calls), RECIPE]
        result = run(command, *killed, *(["--resume"] if number else []))
        if calls < NEVER:
            assert result.returncode == -signal.SIGKILL, result.stderr
            assert not (tmp_path / "killed").exists()
    assert result.returncode == 0, result.stderr
    expected, found = tmp_path / "whole", tmp_path / "killed"
    assert history_of(found) == history_of(expected)
    assert not (tmp_path / "killed.partial").exists()

    models = [keras.saving.load_model(f / "model.keras") for f in (expected, found)]
    for ours, wanted in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(ours, wanted)
    # Three splits and the mirrored training photos: each photo went through once.
    assert sum(map(int, counter.read_text().split())) == 2 * 48 + 16 + 16


@pytest.fixture
def recipe():
    """The recipe's `main` in this process, which has TensorFlow already."""
    sys.path.insert(0, str(RECIPE.parent))
    try:
        import cats_dogs_finetune
    finally:
        sys.path.remove(str(RECIPE.parent))
    return cats_dogs_finetune.main


@pytest.mark.slow  # as the runs that are killed
def test_faults_in_the_middle_of_an_epoch_leave_a_run_to_resume(
    photos, recipe, tmp_path, monkeypatch, capsys
):
    def fail_at_second_batch(fault):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                fault()

        return StopOnBadLoss, "on_train_batch_end", on_train_batch_end

    def full_disk(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def full_memory():
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    begun = arguments(photos, tmp_path, "run")
    for more, (owner, name, fault), code, message in (
        (
            [],
            fail_at_second_batch(lambda: signal.raise_signal(signal.SIGINT)),
            130,
            "interrupted",
        ),
        (["--resume"], fail_at_second_batch(full_memory), 1, "memory is full"),
        (["--resume"], (_atomic.os, "fsync", full_disk), 1, "No space left"),
    ):
        with monkeypatch.context() as patch, pytest.raises(SystemExit) as stopped:
            patch.setattr(owner, name, fault)
            run_recipe(lambda more=more: recipe([*begun, *more]))
        assert stopped.value.code == code
        assert message in capsys.readouterr().err
        assert (tmp_path / "run.partial").is_dir()
        assert not (tmp_path / "run").exists()
        assert not list(tmp_path.rglob("*.partial.*"))
    recipe([*begun, "--resume"])
    recipe(arguments(photos, tmp_path, "whole"))
    found, expected = (
        pd.read_csv(tmp_path / name / "history.csv").drop(columns="seconds")
        for name in ("run", "whole")
    )
    # Not to the bit, as the operations are not deterministic.
    pd.testing.assert_frame_equal(found, expected, rtol=1e-3, atol=1e-5)
    ours, wanted = (
        keras.saving.load_model(tmp_path / name / "model.keras").get_weights()
        for name in ("run", "whole")
    )
    for one, two in zip(ours, wanted, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-3)


def test_chapter_on_three_class_folders_one_photo_damaged(
    recipe, tmp_path, capsys, tiny_backbone, keeps_promises, write_squares, elsewhere
):
    photos, out = tmp_path / "photos", tmp_path / "run"
    write_squares(photos, {".": 10}, COLOURS)
    (photos / "green" / "3.png").write_bytes(b"no image")
    argv = ["--data", str(photos), "--out", str(out), "--stages", "chapter", "--quick"]
    argv += ["--cache", str(tmp_path / "cache"), "--image-size", "48", "--seed", "1"]
    argv += ["--backbone", tiny_backbone]
    recipe(argv)
    assert sorted(path.name for path in out.iterdir()) == (
        "README.md confusion.png curves.png history.csv labels.txt "
        "manifest.json mistakes.png model.keras model.tflite report.html".split()
    )
    keeps_promises(out, of_photos=True)
    assert (out / "labels.txt").read_text().split() == list(COLOURS)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["task"] == "image_classification"
    assert list(manifest["data"]["damaged"]) == ["green/3.png"]
    # A fifth of 10, 9 and 10 photos is kept for validation; there is no test split.
    assert sum(manifest["data"]["counts"]["valid"].values()) == 6
    stages = manifest["results"]["stages"]
    assert [stage["stage"] for stage in stages] == [
        "scratch",
        "scratch_augmented",
        "features",
        "frozen",
        "fine_tuned",
    ]
    assert all(stage["test"] is None for stage in stages)
    page = (out / "report.html").read_text(encoding="utf-8")
    for text in (
        "<h1>run: ",
        "split valid",
        "fine_tuned",
        "arguments.stages",
    ):
        assert text in page
    output = capsys.readouterr().out
    assert "nan" not in output.lower() and "None" not in output

    with pytest.raises(ValueError, match="`out` must not exist"):
        recipe(argv)

    pictures = [photos / name / "0.png" for name in COLOURS]
    ours = kerasdl.Predictor.load(out).predict(pictures)
    pixels = [
        kerasdl.data.warp_image(np.asarray(Image.open(picture)), (48, 48), "squash")
        for picture in pictures
    ]
    np.save(tmp_path / "pixels.npy", np.stack(pixels).astype("uint8"))
    printed = elsewhere("answers.py", tmp_path / "pixels.npy", out / "model")
    by_keras, by_lite = json.loads(printed)
    np.testing.assert_allclose(by_keras, ours.probabilities, atol=1e-5)
    np.testing.assert_allclose(by_lite, ours.probabilities, atol=1e-4)


def empty_class(folder):
    for file in (folder / "train" / "red").iterdir():
        file.write_bytes(b"")


def one_class(folder):
    for split in ("train", "valid"):
        (folder / split / "red").rename(folder / f"{split}-red")


def other_classes(folder):
    (folder / "valid" / "red").rename(folder / "valid" / "green")


def damaged(folder):
    (folder / "train" / "red" / "0.png").write_bytes(b"no image")


@pytest.mark.parametrize(
    ("make", "more", "message"),
    [
        (None, [], "must be an existing directory"),
        (empty_class, [], "none of 'red'"),
        (one_class, [], "at least two"),
        (other_classes, [], "same classes"),
        (damaged, ["--on-error", "raise"], "red/0.png"),
        (
            damaged,
            ["--on-error", "raise", "--max-pixels", "1"],
            "; --max-pixels allows more",
        ),
        (damaged, ["--image-size", "8"], "at least 32"),
        (damaged, ["--weights", "none.h5"], "none.h5"),
        (damaged, ["--backbone", "vgg17"], "--backbone must be one of"),
        (damaged, ["--stages", "d"], "must hold 'c' before 'd'"),
        (damaged, ["--stages", "x"], "--stages must be"),
        (damaged, ["--stages", "a", "--image-size", "40"], "at least 46"),
        (damaged, ["--epochs", "0"], "--epochs: must be at least 1"),
        (damaged, ["--image-size", "0"], "--image-size: must be at least 1"),
        (damaged, ["--resume"], "needs a partial run"),
    ],
)
def test_bad_input_leaves_no_folder(
    make, more, message, recipe, tmp_path, capsys, write_squares
):
    folder = tmp_path / "photos"
    if make:
        write_squares(folder, {"train": 3, "valid": 2})
        make(folder)
    argv = ["--data", str(folder), "--out", str(tmp_path / "runs" / "out"), *more]
    with pytest.raises(SystemExit) as stopped:
        run_recipe(lambda: recipe([*argv, "--seed", "1"]))
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
