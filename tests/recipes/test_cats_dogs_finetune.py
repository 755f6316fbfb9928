"""The main recipe, as a process: whole, killed and resumed, and given bad input."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasdl.cli import run_recipe

REPOSITORY = Path(__file__).parents[2]
RECIPE = REPOSITORY / "recipes" / "cats_dogs_finetune.py"

# Runs the recipe and kills it at call number N of a function, half-way through.
KILLER = """
import importlib, os, runpy, signal, sys
module, name, method, calls, recipe, *arguments = sys.argv[1:]
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
runpy.run_path(recipe, run_name="__main__")
"""


def write_photos(folder, splits, seed=0):
    """Two classes that differ in the colour of a square on noise."""
    rng = np.random.default_rng(seed)
    for split, count in splits.items():
        for label, name in enumerate(("blue", "red")):
            directory = folder / split / name
            directory.mkdir(parents=True)
            for number in range(count):
                image = rng.integers(0, 256, (40, 48, 3), "uint8")
                image[8:32, 8:32] = (200, 30, 30) if label else (30, 30, 200)
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


def test_killed_three_times_ends_like_an_unbroken_run(photos, tmp_path):
    whole = run([RECIPE], *arguments(photos, tmp_path, "whole", "--deterministic"))
    assert whole.returncode == 0, whole.stderr
    killed = arguments(photos, tmp_path, "killed", "--deterministic")
    deaths = [
        ("kerasdl.train.features", "_RowFile", "append", 3),
        ("kerasdl.train.resumable_fit", "_SaveState", "on_epoch_begin", 1),
        ("kerasdl.train.resumable_fit", "_SaveState", "on_epoch_begin", 2),
    ]
    for resume, (*where, calls) in enumerate(deaths):
        more = ["--resume"] if resume else []
        command = ["-c", KILLER, *where, str(calls), str(RECIPE)]
        result = run(command, *killed, *more)
        assert result.returncode == -signal.SIGKILL, result.stderr
        assert not (tmp_path / "killed").exists()
    result = run([RECIPE], *killed, "--resume")
    assert result.returncode == 0, result.stderr
    expected, found = tmp_path / "whole", tmp_path / "killed"
    assert history_of(found) == history_of(expected)
    assert not (tmp_path / "killed.partial").exists()

    import keras

    models = [keras.saving.load_model(f / "model.keras") for f in (expected, found)]
    for ours, wanted in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(ours, wanted)
    # 3 splits and the mirrored training photos: each went through the trunk once.
    results = json.loads((found / "manifest.json").read_text())["results"]
    counted = results["activations"]["practice_head"]
    assert counted["computed"] + counted["reused"] == 2 * 48 + 16 + 16
    assert counted["reused"] > 0


def test_run_folder_is_complete_and_loads_without_kerasdl(photos, tmp_path):
    result = run([RECIPE], *arguments(photos, tmp_path, "run", "--quick"))
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        *("README.md", "confusion.png", "curves.png", "history.csv", "labels.txt"),
        *("manifest.json", "mistakes.png", "model.keras", "model.tflite"),
    ]
    photo = photos / "test" / "red" / "0.png"
    shown = run([REPOSITORY / "recipes" / "predict.py"], tmp_path / "run", photo)
    assert shown.returncode == 0, shown.stderr
    assert "0.png" in shown.stdout
    again = run([RECIPE], *arguments(photos, tmp_path, "run", "--quick"))
    assert again.returncode == 2
    assert "`out` must not exist" in again.stderr


@pytest.fixture
def recipe():
    """The recipe's `main` in this process, which has TensorFlow already."""
    sys.path.insert(0, str(RECIPE.parent))
    try:
        import cats_dogs_finetune
    finally:
        sys.path.remove(str(RECIPE.parent))
    return cats_dogs_finetune.main


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
        (damaged, ["--image-size", "8"], "at least 32"),
        (damaged, ["--weights", "none.h5"], "none.h5"),
        (damaged, ["--backbone", "vgg17"], "`backbone` must be one of"),
        (damaged, ["--stages", "d"], "must hold 'frozen' before 'fine_tuned'"),
        (damaged, ["--stages", "x"], "`stages` must be"),
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
