"""The recipe on a small run: its files, a run that was cut short, and bad input."""

import argparse
import json
import runpy
import shutil
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from kerasdl import models, runs, workbench
from kerasdl.classification import SplitEvaluation

RECIPE = Path(__file__).parents[2] / "recipes" / "distill_to_mobile.py"
ARGUMENTS = (
    "--image-size",
    "32",
    "--alpha",
    "0.25",
    "--epochs",
    "4",
    "--views",
    "2",
    "--sparsity",
    "0.5",
    "--seed",
    "1",
)


@pytest.fixture(scope="module")
def teacher(colours, write_colours, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    photos = write_colours(folder / "photos")
    return colours.write_run(folder / "run", photos)


def small_network(input_shape, classes, alpha, seed):
    """A network of the same kinds of layers that is quick to trace."""
    init = keras.initializers.HeNormal(seed=seed)
    pixels = keras.Input(input_shape)
    x = keras.layers.Rescaling(1 / 127.5, -1)(pixels)
    for number, filters in enumerate((8, 20, 32), 1):
        name = f"conv{number}"
        x = keras.layers.Conv2D(filters, 3, 2, kernel_initializer=init, name=name)(x)
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.ReLU()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(classes, kernel_initializer=init, name="last")(x)
    return keras.Model(pixels, keras.layers.Softmax()(x), name="small")


def distill(*arguments):
    main = runpy.run_path(str(RECIPE))["main"]
    main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def run(teacher, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "mobilenet_v1", small_network)
        distill(teacher, *ARGUMENTS, "--alone", "--out", out)
    return out


def test_a_run_leaves_a_whole_folder(run, keeps_promises):
    keeps_promises(run, of_photos=True)
    assert sorted(path.name for path in run.iterdir()) == (
        "README.md alone confusion.png curves.png history.csv labels.txt "
        "manifest.json mistakes.png model.keras model.tflite report.html "
        "sparsity.csv".split()
    )
    assert {path.name for path in (run / "alone").iterdir()} == {
        "model.keras",
        "model.tflite",
    }
    history = pd.read_csv(run / "history.csv")
    assert history["stage"].tolist() == ["student"] * 4 + ["alone"] * 4
    assert history["distillation_loss"].notna().tolist() == [True] * 4 + [False] * 4
    taught = history[:4]
    total = 0.1 * taught["loss"] + 0.9 * taught["distillation_loss"]
    np.testing.assert_allclose(taught["total_loss"], total, rtol=0.02)


def test_the_networks_side_by_side(run, teacher):
    rows = json.loads((run / "manifest.json").read_text())["results"]["networks"]
    assert [row["network"] for row in rows] == ["teacher", "student", "alone"]
    assert (rows[0]["valid"], rows[0]["test"], rows[0]["agreement"]) == (1, 1, 1)
    for row, path in zip(rows, (teacher, run, run / "alone"), strict=True):
        model = keras.saving.load_model(path / "model.keras")
        assert row["parameters"] == model.count_params()
        assert row["keras_bytes"] == (path / "model.keras").stat().st_size
        assert row["p50_ms"] > 0
        data = workbench.recorded_data(runs.read_run(teacher))
        data = data.with_image_size(model.input_shape[1])
        images = np.concatenate([x for x, _ in data.test.as_numpy_iterator()])
        answers = model.predict(images, verbose=0).argmax(axis=1)
        assert row["test"] == pytest.approx(np.mean(answers == data.labels("test")))
    # A teacher that is always right: its answers are the labels.
    assert all(row["agreement"] == row["test"] for row in rows)


def test_the_card_says_who_taught(run, teacher):
    card = (run / "README.md").read_text()
    photos = runs.read_run(teacher).manifest["arguments"]["data"]
    student = json.loads((run / "manifest.json").read_text())["results"]["networks"][1]
    assert f"valid, {student['test']:.4f} test |" in card
    assert f"test; {photos} |" in card
    assert "| taught by | colours (1.0000 test) |" in card


def test_the_student_is_sparse(run):
    for folder in (run, run / "alone"):
        model = keras.saving.load_model(folder / "model.keras")
        table = models.sparsity_table(model).set_index("layer")["sparsity"]
        assert table.to_dict() == {"conv1": 0, "conv2": 0.5, "conv3": 0.5, "last": 0}
    written = pd.read_csv(run / "sparsity.csv")
    assert written["sparsity"].max() == 0.5
    rows = json.loads((run / "manifest.json").read_text())["results"]["networks"]
    assert rows[1]["zipped_bytes"] < 0.65 * rows[1]["tflite_bytes"]


def test_a_student_is_a_run_like_others(run, teacher):
    """Its photos are found again, in the splits of the teacher."""
    data = workbench.recorded_data(runs.read_run(run))
    own = workbench.recorded_data(runs.read_run(teacher))
    assert data.image_size == (32, 32)
    for split in ("train", "valid", "test"):
        assert data.files(split) == own.files(split)


@pytest.mark.slow  # beside the cut runs of smaller recipes, by the same steps
def test_cut_short_and_resumed(run, teacher, tmp_path, monkeypatch):
    """Ctrl-C in the third epoch of the student, and in the second of `alone`."""
    monkeypatch.setattr(models, "mobilenet_v1", small_network)
    evaluate, calls = SplitEvaluation.on_epoch_end, []

    def interrupted(self, *arguments):
        calls.append(1)
        if len(calls) in (3, 7):  # two epochs are whole; then two and one more
            raise KeyboardInterrupt
        evaluate(self, *arguments)

    monkeypatch.setattr(SplitEvaluation, "on_epoch_end", interrupted)
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        distill(teacher, *ARGUMENTS, "--alone", "--out", out)
    with pytest.raises(KeyboardInterrupt):
        distill("--resume", "--out", out)
    distill("--resume", "--out", out)
    assert len(calls) == 3 + 2 + 2 + 3
    timed = ["seconds"]
    expected, found = (
        pd.read_csv(folder / "history.csv").drop(columns=timed) for folder in (run, out)
    )
    pd.testing.assert_frame_equal(found, expected, rtol=1e-3)
    for name in ("model.keras", "alone/model.keras"):
        weights = [models.load_model(path / name).get_weights() for path in (run, out)]
        for one, other in zip(*weights, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.slow  # beside the whole run
def test_quick_and_photos_elsewhere(teacher, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(models, "mobilenet_v1", small_network)
    photos = Path(runs.read_run(teacher).manifest["arguments"]["data"])
    shutil.copytree(photos, tmp_path / "photos")
    shutil.rmtree(tmp_path / "photos" / "test")
    out = tmp_path / "run"
    arguments = ("--image-size", "32", "--alpha", "0.25", "--seed", "1", "--quick")
    distill(teacher, *arguments, "--data", tmp_path / "photos", "--out", out)
    printed = capsys.readouterr().out
    assert "valid" in printed
    assert "agreement" in printed
    assert len(pd.read_csv(out / "history.csv")) == 1
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["reading"]["data"] == str(tmp_path / "photos")
    assert "test" not in manifest["results"]["networks"][1]


@pytest.mark.parametrize("student", ["mobilenet_v1", "mobilenet_v2"])
def test_the_students_are_the_classics(student, teacher):
    args = argparse.Namespace(student=student, alpha=0.5, image_size=32)
    build_student = runpy.run_path(str(RECIPE))["build_student"]
    model = build_student(args, runs.read_run(teacher), seed=1)
    applications = keras.applications
    classic = {
        "mobilenet_v1": applications.MobileNet,
        "mobilenet_v2": applications.MobileNetV2,
    }[student]((32, 32, 3), alpha=0.5, weights=None, classes=3)
    assert model.count_params() == classic.count_params()


def test_a_name_that_is_taken_is_an_exit(run, teacher, capsys):
    with pytest.raises(SystemExit, match="2"):
        workbench.run_recipe(lambda: distill(teacher, "--out", run))
    assert "--overwrite" in capsys.readouterr().err


def test_a_teacher_must_be_named(capsys):
    with pytest.raises(SystemExit, match="2"):
        distill()
    assert "TEACHER_RUN must be the folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sparsity", "80"], r"`final_sparsity` must be in \(0, 1\)"),
        (["--label-weight", "2"], "student_loss_weight must be between"),
        (["--image-size", "16"], "at least 31"),
        (["--augment", "strong"], "`augment` must be one of"),
        (["--data", "nowhere"], "nowhere"),
    ],
)
def test_bad_input_makes_nothing(teacher, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        distill(teacher, *arguments, "--out", tmp_path / "run")
    assert not list(tmp_path.iterdir())


def rewritten(teacher, folder, **changes):
    """A copy of a run with another manifest."""
    shutil.copytree(teacher, folder)
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return folder


def test_runs_that_are_no_teachers(teacher, write_colours, tmp_path):
    out = ("--out", tmp_path / "out")
    with pytest.raises(ValueError, match="`path` must be an existing run folder"):
        distill(tmp_path / "nothing", *out)
    several = rewritten(teacher, tmp_path / "several", multi_label=True)
    with pytest.raises(ValueError, match="must have one label a photo"):
        distill(several, *out)
    arrays = rewritten(teacher, tmp_path / "arrays", arguments={"data": None})
    with pytest.raises(ValueError, match="must be one of a folder of photos"):
        distill(arrays, *out)
    photos = Path(runs.read_run(teacher).manifest["arguments"]["data"])
    shutil.copytree(photos, tmp_path / "photos")
    for split in ("train", "valid", "test"):
        (tmp_path / "photos" / split / "red").rename(
            tmp_path / "photos" / split / "rose"
        )
    with pytest.raises(ValueError, match="must have the classes of"):
        distill(teacher, "--data", tmp_path / "photos", *out)
    shutil.rmtree(tmp_path / "photos")
    other = write_colours(tmp_path / "photos", count=2)
    arguments = json.loads((teacher / "manifest.json").read_text())["arguments"]
    moved = rewritten(
        teacher, tmp_path / "moved", arguments=arguments | {"data": str(other)}
    )
    with pytest.raises(ValueError, match="other photos at"):
        distill(moved, *out)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.partial").exists()
