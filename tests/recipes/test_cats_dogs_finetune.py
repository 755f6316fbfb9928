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
RECIPE = REPOSITORY / "recipes" / "cats_dogs_finetune.py"

# Runs the recipe and kills it at call number N of a method; writes down how many photos
# went through the trunk.
KILLER = """
import importlib, os, runpy, signal, sys
counter, module, name, method, calls, recipe, *arguments = sys.argv[1:]
import kerasdl
from kerasdl.train import features
append = features._RowFile.append
def counting(self, rows):
    append(self, rows)
    if self.path.name == "output-1.npy":  # the last one: a batch is finished
        with open(counter, "a") as file:
            file.write(f"{len(rows)}\\n")
features._RowFile.append = counting
owner = getattr(importlib.import_module(module), name)
original, count = getattr(owner, method), 0
def dying(*args, **kwargs):
    global count
    count += 1
    if count > int(calls):
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*args, **kwargs)
setattr(owner, method, dying)
sys.argv = [recipe, *arguments]
sys.path.insert(0, os.path.dirname(recipe))  # as `python RECIPE` does
runpy.run_path(recipe, run_name="__main__")
"""
NEVER = 10**9

# Loads both models of a run where kerasdl cannot be imported.
PLAIN = """
import sys
sys.modules["kerasdl"] = None  # an import of it fails
import keras, numpy as np, tensorflow as tf
folder, pixels, out = sys.argv[1:]
pixels = np.load(pixels)
by_keras = keras.saving.load_model(folder + "/model.keras").predict(pixels, verbose=0)
lite = tf.lite.Interpreter(folder + "/model.tflite").get_signature_runner()
by_lite = [lite(pixels=p[None].astype("uint8"))["probabilities"][0] for p in pixels]
np.savez(out, by_keras=by_keras, by_lite=by_lite)
"""


COLOURS = {"blue": (30, 30, 200), "green": (30, 160, 30), "red": (200, 30, 30)}


def write_photos(folder, splits, names=("blue", "red"), seed=0):
    """Classes that differ in the colour of a square on noise."""
    rng = np.random.default_rng(seed)
    for split, count in splits.items():
        for name in names:
            directory = folder / split / name
            directory.mkdir(parents=True)
            for number in range(count):
                image = rng.integers(0, 256, (40, 48, 3), "uint8")
                image[8:32, 8:32] = COLOURS[name]
                Image.fromarray(image).save(directory / f"{number}.png")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    write_photos(folder, {"train": 24, "valid": 8, "test": 8})
    return folder


def arguments(photos, tmp_path, out, *more):
    return [
        *("--data", str(photos), "--out", str(tmp_path / out)),
        *("--cache", str(tmp_path / f"cache-{out}"), "--image-size", "32"),
        *("--batch-size", "8", "--epochs", "2", "--seed", "5", *more),
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
        command = ["-c", KILLER, counter, *where, str(calls), RECIPE]
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
            *(130, "interrupted"),
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
    recipe, tmp_path, capsys, tiny_backbone, keeps_promises
):
    photos, out = tmp_path / "photos", tmp_path / "run"
    write_photos(photos, {".": 10}, COLOURS)
    (photos / "green" / "3.png").write_bytes(b"no image")
    argv = ["--data", str(photos), "--out", str(out), "--stages", "chapter", "--quick"]
    argv += ["--cache", str(tmp_path / "cache"), "--image-size", "48", "--seed", "1"]
    argv += ["--backbone", tiny_backbone]
    recipe(argv)
    assert sorted(path.name for path in out.iterdir()) == [
        *("README.md", "confusion.png", "curves.png", "history.csv", "labels.txt"),
        *("manifest.json", "mistakes.png", "model.keras", "model.tflite"),
        "report.html",
    ]
    keeps_promises(out, of_photos=True)
    assert (out / "labels.txt").read_text().split() == list(COLOURS)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["task"] == "image_classification"
    assert list(manifest["data"]["damaged"]) == ["green/3.png"]
    # A fifth of 10, 9 and 10 photos is kept for validation; there is no test split.
    assert sum(manifest["data"]["counts"]["valid"].values()) == 6
    stages = manifest["results"]["stages"]
    assert [stage["stage"] for stage in stages] == [
        *("scratch", "scratch_augmented", "features", "frozen", "fine_tuned")
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
    np.save(tmp_path / "pixels.npy", np.stack(pixels).astype("float32"))
    command = ["-c", PLAIN, out, tmp_path / "pixels.npy", tmp_path / "plain.npz"]
    result = run(command)
    assert result.returncode == 0, result.stderr
    plain = np.load(tmp_path / "plain.npz")
    np.testing.assert_allclose(plain["by_keras"], ours.probabilities, atol=1e-5)
    np.testing.assert_allclose(plain["by_lite"], ours.probabilities, atol=1e-4)


def empty_class(folder):
    write_photos(folder, {"train": 2, "valid": 2})
    for file in (folder / "train" / "red").iterdir():
        file.write_bytes(b"")


def one_class(folder):
    write_photos(folder, {"train": 2, "valid": 2})
    for split in ("train", "valid"):
        (folder / split / "red").rename(folder / f"{split}-red")


def other_classes(folder):
    write_photos(folder, {"train": 2, "valid": 2})
    (folder / "valid" / "red").rename(folder / "valid" / "green")


def damaged(folder):
    write_photos(folder, {"train": 3, "valid": 2})
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
            "max_pixels= (--max-pixels) allows more",
        ),
        (damaged, ["--image-size", "8"], "at least 32"),
        (damaged, ["--weights", "none.h5"], "none.h5"),
        (damaged, ["--backbone", "vgg17"], "`backbone` must be one of"),
        (damaged, ["--stages", "d"], "must hold 'c' before 'd'"),
        (damaged, ["--stages", "x"], "`stages` must be"),
        (damaged, ["--stages", "a", "--image-size", "40"], "at least 46"),
        (damaged, ["--epochs", "0"], "--epochs: must be at least 1"),
        (damaged, ["--image-size", "0"], "--image-size: must be at least 1"),
        (damaged, ["--resume"], "needs a partial run"),
    ],
)
def test_bad_input_leaves_no_folder(make, more, message, recipe, tmp_path, capsys):
    folder = tmp_path / "photos"
    if make:
        make(folder)
    argv = ["--data", str(folder), "--out", str(tmp_path / "runs" / "out"), *more]
    with pytest.raises(SystemExit) as stopped:
        run_recipe(lambda: recipe([*argv, "--seed", "1"]))
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
