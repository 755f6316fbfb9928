"""The runs in saved_models/ are what their cards say, and work without kerasdl."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kerasdl
from kerasdl.classification import Predictor
from kerasdl.runs import read_run

FOLDER = Path(__file__).parents[1] / "saved_models"
RUNS = {
    "lenet5_fashion_mnist": 62_610,
    "mnist_convnet": 93_322,
    "mobilenet_v1_cats_dogs": 219_058,  # of alpha 0.25
}
BARE = """
import json, sys

sys.modules["kerasdl"] = None
import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

found = {}
for folder in sys.argv[1:]:
    model = keras.saving.load_model(f"{folder}/model.keras")
    shape = (4, *model.input_shape[1:])
    pixels = np.random.default_rng(0).integers(0, 256, shape, "uint8")
    lite = Interpreter(f"{folder}/model.tflite")
    run = lite.get_signature_runner()
    found[folder] = [
        model.predict_on_batch(pixels.astype("float32")).tolist(),
        [run(pixels=picture[None])["probabilities"][0].tolist() for picture in pixels],
    ]
print(json.dumps(found))
"""


def stroke(points):
    """A white line through `points`, (column, row) of 28x28 pixels, on black."""
    import cv2

    pixels = np.zeros((28, 28), "uint8")
    cv2.polylines(pixels, [np.array(points, "int32")], False, 255, 3, cv2.LINE_AA)
    return np.repeat(pixels[..., None], 3, axis=-1)


def accuracy(run):
    """That on the test images, as the recipe wrote it down."""
    results = run.manifest["results"]
    if isinstance(results, list):
        return results[0]["test_accuracy"]
    student = next(row for row in results["networks"] if row["network"] == "student")
    return student["test"]


def test_all_that_are_in_git_are_tested():
    ignored = (FOLDER.parent / ".gitignore").read_text().splitlines()
    folders = {line.split("/")[1] for line in ignored if line.startswith("!saved_mod")}
    assert folders == RUNS.keys() | {"README.md"}


@pytest.mark.parametrize("name", RUNS)
def test_small_and_with_a_card(name):
    folder = FOLDER / name
    assert sum(file.stat().st_size for file in folder.iterdir()) < 3e6
    run = read_run(folder)
    card = (folder / "README.md").read_text()
    assert f"{RUNS[name]:,} parameters" in card
    assert f"{accuracy(run):.4f} test" in card
    page = (FOLDER / "README.md").read_text()
    assert f"| `{name}` " in page
    assert f"| {accuracy(run):.4f} |" in page
    assert Predictor.load(folder).model.count_params() == RUNS[name]


def test_they_agree_without_kerasdl():
    folders = [FOLDER / name for name in RUNS]
    command = [sys.executable, "-c", BARE, *folders]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    for by_keras, by_lite in json.loads(done.stdout).values():
        np.testing.assert_allclose(by_lite, by_keras, atol=1e-4)
        np.testing.assert_allclose(np.sum(by_keras, axis=1), 1, atol=1e-5)


def test_digits_that_are_drawn_by_lines():
    digits = {
        "0": [
            (14, 5),
            (9, 9),
            (8, 15),
            (10, 21),
            (14, 23),
            (18, 20),
            (20, 14),
            (18, 8),
        ],
        "1": [(14, 5), (14, 23)],
        "4": [(9, 5), (8, 14), (19, 14), (19, 5), (19, 23)],
        "7": [(7, 6), (20, 6), (12, 23)],
    }
    digits["0"] += [(18, 8), (14, 5)]
    pixels = np.stack([stroke(points) for points in digits.values()])
    predictor = Predictor.load(FOLDER / "mnist_convnet")
    assert predictor.predict(pixels).labels == list(digits)


@pytest.mark.parametrize("name", RUNS)
def test_on_real_data(name, real_data, tmp_path):
    """The accuracy is the one of the card, in int8 too."""
    run = read_run(FOLDER / name)
    if dataset := run.manifest["data"].get("dataset"):
        images = real_data / "data" / dataset
        data = getattr(kerasdl.data, dataset)(images, batch_size=256, seed=0)
    else:
        photos = kerasdl.workbench
        reading = photos.photo_reading(run, real_data / "data" / "cats_dogs")
        data, _ = photos.read_again(run, reading)
    model = Predictor.load(FOLDER / name).model
    found = kerasdl.classification.predict_split(model, data, "test", verbose=0)
    assert found.accuracy == pytest.approx(accuracy(run), abs=2e-4)
    if "dataset" in run.manifest["data"]:
        return
    report = kerasdl.export.export_run(
        FOLDER / name, ["tflite", "tflite_int8"], check=data, out=tmp_path / "a", seed=1
    )
    assert report.rows["tflite"]["agreement"] >= 0.999
    assert report.rows["tflite_int8"]["accuracy_drop"] <= 0.01
