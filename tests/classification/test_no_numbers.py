"""Answers and thresholds that are no numbers: named, and the others are not lost."""

import runpy
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kerasdl import runs
from kerasdl.classification import (
    Predictor,
    Submission,
    fit_thresholds,
    predict_split,
    threshold_report,
    tta,
)
from kerasdl.data import ImageData

SIZE = 4
RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture
def model():
    """0 / 0 for a black picture, 1 / 2 for each class of others."""
    pixels = keras.Input((SIZE, SIZE, 3))
    mean = keras.layers.Reshape((1,))(keras.ops.mean(pixels, axis=(1, 2, 3)))
    both = keras.layers.Concatenate()([mean, mean])
    return keras.Model(pixels, both / (mean + mean))


@pytest.fixture
def files(tmp_path):
    for number, value in enumerate((10, 0, 30)):
        Image.new("RGB", (SIZE, SIZE), (value,) * 3).save(tmp_path / f"{number}.png")
    return [str(tmp_path / f"{number}.png") for number in range(3)]


def test_a_predictor_names_the_picture_and_answers_for_the_others(model, files):
    predictor = Predictor(model, ["a", "b"], SIZE)
    with pytest.raises(ValueError, match=r"must answer with numbers.*1\.png"):
        predictor.predict(files)
    found = predictor.predict(files, on_error="skip")
    assert found.files == [files[0], files[2]]
    assert found.damaged == {files[1]: "the model's answer is no number"}
    np.testing.assert_array_equal(found.probabilities, np.full((2, 2), 0.5))
    assert len(found.labels) == 2


def test_the_recipe_writes_the_other_answers(model, files, tmp_path, capsys):
    with runs.run_folder(tmp_path / "run", {}, seed=0) as run:
        run.manifest |= {"image_size": [SIZE, SIZE], "resize": "crop"}
        run.save_labels(["a", "b"])
        model.save(run.path / runs.MODEL)
    recipe = runpy.run_path(str(RECIPES / "predict.py"))["main"]
    answers = tmp_path / "answers.csv"
    assert recipe([str(tmp_path / "run"), *files, "--csv", str(answers)]) == 1
    assert pd.read_csv(answers)["file"].tolist() == [files[0], files[2]]
    assert f"{files[1]}: the model's answer is no number" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        recipe([str(tmp_path / "run"), *files, "--csv", str(tmp_path)])
    assert "--csv: must be" in capsys.readouterr().err


def test_a_split_is_refused(model):
    images = np.full((8, SIZE, SIZE, 3), 9, np.uint8)
    images[5] = 0
    data = ImageData.from_arrays(images, [0, 1] * 4, 0.5, images, seed=0)
    for predict in (predict_split, partial(tta, augment="flip")):
        with pytest.raises(ValueError, match="must answer with numbers.*for '5'"):
            predict(model, data, split="test", verbose=0)


def test_a_split_of_damaged_photos_gives_nothing(model, files, tmp_path):
    table = pd.DataFrame({"id": [0, 1, 2, 0], "label": ["a", "a", "b", "b"]})
    table["id"] = [f"{n}" for n in range(4)]
    Image.new("RGB", (SIZE, SIZE), "red").save(tmp_path / "3.png")
    options = {"suffix": ".png", "valid_fraction": 0.5, "image_size": SIZE}
    data = ImageData.from_table(table, tmp_path, seed=0, **options)
    for path in data.paths("valid"):
        path.write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(
            ValueError, match="`split` must have a photo that is not damaged"
        ),
    ):
        predict_split(model, data, verbose=0)


def test_a_table_needs_a_place(model, files, tmp_path):
    images = np.full((4, SIZE, SIZE, 3), 9, np.uint8)
    data = ImageData.from_arrays(images, [0, 1] * 2, 0.5, images[:1], seed=0)
    submission = Submission(data, np.array([[0.5, 0.5]]))
    found = Predictor(model, ["a", "b"], SIZE).predict(files[0])
    for path in (tmp_path, tmp_path / "none" / "answers.csv"):
        for door in (submission.write, found.to_csv):
            with pytest.raises(ValueError, match="`path` must be (a file|in a folder)"):
                door(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_thresholds(model, value):
    probabilities, labels = np.array([[0.2, 0.8], [0.6, 0.4]]), np.eye(2)
    names = ["a", "b"]
    images = np.full((4, SIZE, SIZE, 3), 9, np.uint8)
    hot = [[1, 1], [0, 1], [1, 0], [1, 1]]
    data = ImageData.from_arrays(images, hot, 0.5, images[:2], names, seed=0)
    submission = Submission(data, probabilities)
    for door in (
        lambda: fit_thresholds([[0.1, value]], [[0, 1]]),
        lambda: threshold_report(probabilities, labels, [0.5, value], names),
        lambda: Predictor(model, names, SIZE, thresholds=[0.5, value]),
        lambda: submission.to_frame("tags", thresholds=[0.5, value]),
    ):
        with pytest.raises(ValueError, match="must be (one|numbers|in).*(nan|inf|no)"):
            door()
    with pytest.raises(ValueError, match="`beta` must be above 0"):
        fit_thresholds(probabilities, labels, beta=value)
