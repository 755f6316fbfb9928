"""The recipe on a small run: where it finds photos, and what it says otherwise."""

import json
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

import kerasdl

RECIPE = Path(__file__).parents[2] / "recipes" / "export_model.py"


@pytest.fixture(scope="module")
def made(colours, write_colours, tmp_path_factory):
    """Photos, and a run of them."""
    folder = tmp_path_factory.mktemp("made")
    photos = write_colours(folder / "photos")
    return photos, colours.write_run(folder / "run", photos)


@pytest.fixture
def export(capsys):
    """The recipe in this process, which need not load TensorFlow again."""

    def recipe(*arguments):
        main = runpy.run_path(str(RECIPE))["main"]
        argv, code = [str(argument) for argument in arguments], 0
        capsys.readouterr()
        try:
            kerasdl.workbench.run_recipe(lambda: main(argv))
        except SystemExit as exit:
            code = exit.code
        return subprocess.CompletedProcess(argv, code, *capsys.readouterr())

    return recipe


def test_photos_are_found_by_the_manifest(made, tmp_path, export):
    _, run = made
    out = tmp_path / "files"
    done = export(run, "--formats", "tflite,tflite_int8", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "24 photos; the Keras model's accuracy is 1.0000" in done.stdout
    assert f"{out}/ holds the files" in done.stdout
    again = export(run, "--formats", "tflite", "--out", out)
    assert again.returncode == 2
    assert "must not exist" in again.stderr


def test_the_formats_are_those_of_the_library():
    names = runpy.run_path(str(RECIPE))
    assert tuple(names["FORMATS"].split(",")) == kerasdl.export.FORMATS
    assert names["CALIBRATED"] == set(kerasdl.artefacts.CALIBRATED)


def test_photos_of_a_folder(made, tmp_path, export):
    """Other photos at the place that the manifest names are refused."""
    photos, run = made
    moved = tmp_path / "run"
    shutil.copytree(run, moved)
    elsewhere = tmp_path / "photos"
    shutil.copytree(photos, elsewhere)
    manifest = moved / "manifest.json"
    manifest.write_text(manifest.read_text().replace(str(photos), str(elsewhere)))
    Image.new("RGB", (9, 9)).save(elsewhere / "test" / "red" / "new.png")
    refused = export(moved, "--formats", "keras")
    assert refused.returncode == 2
    assert "other photos" in refused.stderr
    assert "--check and --calibration" in refused.stderr
    done = export(moved, "--formats", "tflite", "--check", elsewhere / "valid")
    assert done.returncode == 0, done.stderr
    (elsewhere / "valid" / "red").rename(elsewhere / "valid" / "rose")
    other = export(
        moved,
        "--formats",
        "tflite",
        "--overwrite",
        "--check",
        elsewhere / "valid",
    )
    assert other.returncode == 2
    assert "--check must hold a folder for each class" in other.stderr


def test_several_labels_a_photo_are_refused(made, tmp_path, export):
    photos, run = made
    several = tmp_path / "run"
    shutil.copytree(run, several)
    manifest = json.loads((several / "manifest.json").read_text())
    (several / "manifest.json").write_text(json.dumps(manifest | {"multi_label": True}))
    for arguments in ([], ["--check", photos / "valid"]):
        refused = export(several, "--formats", "keras", *arguments)
        assert refused.returncode == 2
        assert "The run must have one label a photo" in refused.stderr


def test_a_file_that_loses_too_much_ends_with_1(
    made, tmp_path, colours, write_photos, export
):
    """Calibrated on nearly black photos, int8 cuts off all that is brighter."""
    photos, _ = made
    run = colours.write_run(tmp_path / "run", photos, colours.bright_model())
    dark = write_photos(tmp_path / "dark", {"": 1}, colours.NAMES, colours.dark_pixels)
    done = export(run, "--formats", "tflite_int8", "--calibration", dark)
    assert done.returncode == 1, done.stderr
    assert "error: tflite_int8 loses 0." in done.stderr
    assert "24 photos; the Keras model's accuracy" in done.stderr
    assert (run / "export.partial").is_dir()
    assert not (run / "export").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "RUN must be an existing run folder"),
        (
            ["RUN", "--formats", "core_ml"],
            "--formats must be of ['keras', 'mediapipe', 'onnx'",
        ),
        (["RUN", "--check", "nowhere"], "--check must be a folder"),
        (["RUN", "--max-drop", "-1"], "--max-drop must be in [0, 1]"),
    ],
)
def test_bad_input_is_an_error_before_any_work(made, arguments, message, export):
    _, run = made
    done = export(*(run if word == "RUN" else word for word in arguments))
    assert done.returncode == 2
    assert message in done.stderr
    assert not (run / "export").exists()


def test_a_run_of_another_task_is_refused(tmp_path, export):
    with kerasdl.runs.run_folder(tmp_path / "boxes", {}, seed=1) as other:
        other.manifest["task"] = "segmentation"
    done = export(tmp_path / "boxes")
    assert done.returncode == 2
    assert "must be one of image_classification, tabular, text_cl" in done.stderr
    assert not (tmp_path / "boxes" / "export").exists()


def test_a_photo_above_the_limit_is_named(made, tmp_path, export):
    photos, run = made
    shutil.copytree(photos / "valid", tmp_path / "valid")
    Image.new("RGB", (100, 100), "red").save(tmp_path / "valid" / "red" / "large.png")
    arguments = run, "--formats", "tflite", "--check", tmp_path / "valid"
    said = r"large\.png: above the pixel limit .* \(--max-pixels\)"
    with pytest.warns(UserWarning, match=said):
        done = export(*arguments, "--out", tmp_path / "out", "--max-pixels", 9999)
    assert done.returncode == 0, done.stderr
