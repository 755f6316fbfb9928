import json
import runpy
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

import kerasdl

RECIPE = Path(__file__).parents[2] / "recipes" / "mnist_convnet.py"
EPOCHS = ("--epochs", "3", "--batch-size", "100")
FILES = (
    "README.md confusion.png curves.png history.csv labels.txt "
    "manifest.json model.keras model.tflite rates.png report.html".split()
)


@pytest.fixture(scope="module")
def digits(tmp_path_factory, write_digits):
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder, train=300, test=100)
    return folder


def main(digits, tmp_path, *more):
    argv = ["--data", str(digits), "--out", str(tmp_path / "run"), "--seed", "3"]
    runpy.run_path(str(RECIPE))["main"]([*argv, *more])


@pytest.fixture(scope="module")
def run(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    main(digits, folder, *EPOCHS)
    return folder / "run"


def test_a_run_leaves_a_whole_folder(run, digits, keeps_promises):
    keeps_promises(run, of_photos=False)
    assert sorted(path.name for path in run.iterdir()) == FILES
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["task"] == "image_classification"
    (row,) = manifest["results"]
    assert (row["network"], row["dataset"]) == ("mnist_convnet", "mnist")
    assert (row["epochs"], row["parameters"]) == (3, 93_322)
    assert manifest["arguments"]["batch_size"] == 100
    card = (run / "README.md").read_text()
    assert "| images | 300 train, 100 test, which are valid too;" in card

    # The saved model, in plain Keras, is the one that was measured.
    data = kerasdl.data.mnist(digits, seed=0)
    model = keras.saving.load_model(run / "model.keras")
    answers = model.predict(data.test, verbose=0).argmax(axis=1)
    assert np.mean(answers == data.labels("test")) == pytest.approx(
        row["test_accuracy"]
    )
    predictor = kerasdl.Predictor.load(run)
    assert predictor.class_names == list("0123456789")


def test_a_cut_run_goes_on_to_the_same_end(run, digits, tmp_path, monkeypatch):
    ended = kerasdl.callbacks.ExamplesPerSecond.on_epoch_end

    def cut(callback, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt
        ended(callback, epoch, logs)

    monkeypatch.setattr(kerasdl.callbacks.ExamplesPerSecond, "on_epoch_end", cut)
    with pytest.raises(KeyboardInterrupt):
        main(digits, tmp_path, *EPOCHS)
    monkeypatch.undo()
    assert (tmp_path / "run.partial" / "state" / "fit.npz").exists()
    main(digits, tmp_path, "--resume")
    last = []
    for folder in (run, tmp_path / "run"):
        table = pd.read_csv(folder / "history.csv")
        assert table["epoch"].tolist() == [1, 2, 3]
        last.append(table[["loss", "val_loss", "accuracy"]].iloc[-1])
    np.testing.assert_allclose(*last, rtol=1e-3)


def test_the_course_s_network_trains_as_its_lesson_does(digits, tmp_path):
    main(digits, tmp_path, "--network", "course_convnet", "--quick")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["results"][0]["network"] == "course_convnet"
    assert manifest["results"][0]["parameters"] == 63_626 + 64  # moving averages
    lesson = runpy.run_path(str(RECIPE))["LESSONS"]["course_convnet"]
    assert lesson == ("Adam", 0.01, 10)


def test_bad_input_leaves_no_folder(digits, tmp_path, capsys):
    with pytest.raises(ValueError, match="`directory` must be an existing directory"):
        main(digits / "nothing", tmp_path)
    with pytest.raises(SystemExit):
        main(digits, tmp_path, "--epochs", "0")
    assert "must be at least 1. Received: 0" in capsys.readouterr().err
    assert not list(tmp_path.glob("run*"))


def test_a_resumed_run_needs_its_images(digits, tmp_path):
    data = kerasdl.data.mnist(digits, max_images=20, seed=0)
    other = kerasdl.data.mnist(digits, max_images=30, seed=0)
    with kerasdl.runs.run_folder(tmp_path / "run", {}, seed=1) as run:
        kerasdl.workbench.remember_images(run, data, "mnist")
        kerasdl.workbench.remember_images(run, data, "mnist")
        with pytest.raises(ValueError, match="`data` must be the images and labels"):
            kerasdl.workbench.remember_images(run, other, "mnist")
