import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers
from PIL import Image

from kerasdl.export import save_inference_model
from kerasdl.runs import run_folder

RECIPE = Path(__file__).parents[2] / "recipes" / "predict.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run that tells red from blue, two photos and a damaged one."""
    folder = tmp_path_factory.mktemp("predict")
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    weights = np.array([[0, 0.01], [0, 0], [0.01, 0]])
    model.layers[-1].set_weights([weights, np.zeros(2)])
    with run_folder(folder / "run", {}, seed=1) as run:
        save_inference_model(model, run.path / "model.keras")
        run.save_labels(["blue", "red"])
        run.manifest.update(image_size=(8, 8), resize="crop")
    Image.new("RGB", (20, 30), (200, 0, 0)).save(folder / "sun.png")
    Image.new("RGB", (30, 20), (0, 0, 100)).save(folder / "sea.png")
    (folder / "torn.jpg").write_bytes(b"\xff\xd8\xff half a photo")
    return folder


def main(*arguments):
    spec = importlib.util.spec_from_file_location("predict_recipe", RECIPE)
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    return recipe.main([str(argument) for argument in arguments])


def test_prints_label_and_probability_and_names_what_is_damaged(folder):
    (folder / "run").rename(folder / "moved")  # the run folder is all that counts
    command = [sys.executable, RECIPE, "moved", "sun.png", "torn.jpg", "sea.png"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    (folder / "moved").rename(folder / "run")
    # The classes' scores differ by 0.01 * 200 and by 0.01 * 100.
    sun, sea = 1 / (1 + np.exp([-2.0, -1.0]))
    assert result.stdout == f"sun.png: red {sun:.4f}\nsea.png: blue {sea:.4f}\n"
    assert result.stderr.startswith("torn.jpg: ")
    assert len(result.stderr.splitlines()) == 1
    assert result.returncode == 1


def test_takes_the_model_file_and_exits_with_zero(folder, capsys):
    assert main(folder / "run" / "model.keras", folder / "sun.png") == 0
    assert capsys.readouterr().out.startswith(f"{folder / 'sun.png'}: red ")


def test_a_folder_becomes_a_table(folder, tmp_path, capsys):
    photos = tmp_path / "photos"
    (photos / "below").mkdir(parents=True)
    for source, target in (("sun", "1"), ("sea", "below/2")):
        shutil.copy(folder / f"{source}.png", photos / f"{target}.png")
    assert main(folder / "run", photos, "--csv", tmp_path / "answers.csv") == 0
    lines = capsys.readouterr().out.splitlines()
    table = pd.read_csv(tmp_path / "answers.csv")
    files = [str(photos / "1.png"), str(photos / "below" / "2.png")]
    assert [line.split(": ")[0] for line in lines[-2:]] == files
    assert table.file.tolist() == files
    assert table.label.tolist() == ["red", "blue"]
    np.testing.assert_allclose(table.red + table.blue, 1, atol=1e-6)


def test_a_disk_that_is_full_loses_no_answer(folder, monkeypatch, tmp_path, capsys):
    def full(path, content, *, clean=True):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kerasdl._atomic.write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        main(folder / "run", folder / "sun.png", "--csv", tmp_path / "answers.csv")
    assert capsys.readouterr().out.startswith(f"{folder / 'sun.png'}: red ")


def test_a_folder_without_photos_exits_with_two(folder, tmp_path, capsys):
    assert main(folder / "run", tmp_path) == 2
    assert "error: FILE must hold pictures" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "images", "message"),
    [
        ("run", ["sun.png", "gone.png"], "gone.png"),
        (
            "run",
            ["sun.png", "--csv", "no/a.csv"],
            "--csv: must be in a folder that exists",
        ),
        ("run", ["sun.png", "--csv", "run"], "--csv: must be a file"),
        ("nowhere", ["sun.png"], "must be an existing run folder"),
        (".", ["sun.png"], "without labels.txt and manifest.json"),
    ],
)
def test_bad_arguments_exit_with_two(
    folder, capsys, monkeypatch, model, images, message
):
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as exit_:
        main(model, *images)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_a_run_without_a_model_exits_with_two(folder, tmp_path, capsys):
    with run_folder(tmp_path / "empty", {}, seed=1) as run:
        run.save_labels(["a", "b"])
    assert main(tmp_path / "empty", folder / "sun.png") == 2
    assert "error: MODEL must hold model.keras" in capsys.readouterr().err


def test_a_run_of_another_task_exits_with_two(tmp_path, folder, capsys):
    with run_folder(tmp_path / "boxes", {}, seed=1) as other:
        other.manifest["task"] = "segmentation"
    with pytest.raises(SystemExit, match="2"):
        main(tmp_path / "boxes", folder / "sun.png")
    assert (
        "must be one of image_classification, tabular, detection, text_cl"
        in capsys.readouterr().err
    )


def test_boxes_are_asked_of_detectors(folder, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(folder / "run", folder / "sun.png", "--json", tmp_path / "boxes.json")
    assert (
        "--json, --pictures and --threshold are for runs of" in capsys.readouterr().err
    )


def test_help_loads_no_tensorflow():
    code = (
        "import runpy, sys\nsys.argv = ['predict.py', '--help']\n"
        f"try: runpy.run_path({str(RECIPE)!r}, run_name='__main__')\n"
        "finally: print('tensorflow' in sys.modules)"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert "FILE" in out
    assert out.endswith("False\n")


def test_a_photo_above_the_limit_says_what_allows_more(folder, tmp_path, capsys):
    Image.new("RGB", (20, 30), (200, 0, 0)).save(tmp_path / "sun.png")
    assert main(folder / "run", tmp_path, "--max-pixels", 599) == 1
    said = capsys.readouterr()
    assert "sun.png: above the pixel limit (20 x 30)" in said.err
    assert "--max-pixels" in said.err
    assert main(folder / "run", tmp_path, "--max-pixels", 600) == 0
    with pytest.raises(SystemExit, match="2"):
        main(folder / "run", tmp_path, "--max-pixels", 0)
