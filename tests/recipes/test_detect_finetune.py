"""The recipe of detectors on drawn rectangles, and what predict.py makes of its run."""

import json
import runpy

import numpy as np
import pandas as pd
import pytest

from kerasdl.detection import Detector, average_precision, read_coco, write_coco


@pytest.fixture(scope="module")
def photos(draw_scenes, tmp_path_factory):
    scenes = draw_scenes(tmp_path_factory.mktemp("scenes"))
    for split in ("train", "valid"):
        write_coco(scenes.of_split(split), scenes.root / f"{split}.json")
    return scenes.root


@pytest.fixture
def recipe(recipes_path):
    return runpy.run_path(str(recipes_path / "detect_finetune.py"))["main"]


@pytest.fixture
def predict(recipes_path):
    return runpy.run_path(str(recipes_path / "predict.py"))["main"]


@pytest.fixture
def unasked(here, monkeypatch):
    """No process is begun to convert a file, or to ask an exported one."""
    monkeypatch.setattr(
        "kerasdl.artefacts.measurements.bare_process",
        lambda *arguments, **options: (
            dict.fromkeys(("predict_on_batch", "predict"), TIMES),
            {},
        ),
    )


TIMES = {
    f"{count} thread{'s' * (count > 1)}": {"1": {"p50_ms": 1, "p95_ms": 1}}
    for count in (1, 2)
}


def test_a_run_has_what_it_says_and_answers_for_itself(
    recipe, predict, recipes_path, photos, tiny_backbone, unasked, tmp_path, capsys
):
    out = tmp_path / "run"
    arguments = ["--data", str(photos), "--backbone", "tiny"]
    arguments += ["--image-size", "64", "--quick", "--seed", "1", "--out", str(out)]
    recipe(arguments)
    printed = capsys.readouterr().out
    assert "COCO, 12 photos, 18 boxes of 2 classes" in printed
    assert "strides (4, 8, 16, 32)" in printed
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["task"] == "detection"
    page = (out / "report.html").read_text()
    assert "Worst false alarms" in page and "Average precision" in page
    assert (out / "labels.txt").read_text() == "blue\nred\n"
    assert (out / "boxes.png").stat().st_size > 1000

    boxes = tmp_path / "boxes.json"
    drawn = tmp_path / "drawn"
    assert not predict(
        [str(out), str(photos), "--json", str(boxes), "--pictures", str(drawn)]
    )
    assert predict([str(out), str(photos), "--pictures", str(photos)]) == 2
    assert "--pictures must hold none of the photos" in capsys.readouterr().err
    found = pd.DataFrame(json.loads(boxes.read_text()))
    assert len(list(drawn.iterdir())) == 12
    # The files' answers to the validation photos are worth what the manifest says.
    truth = read_coco(photos / "valid.json")
    corners = pd.DataFrame(found["box"].tolist(), columns=["x1", "y1", "x2", "y2"])
    found = pd.concat([found, corners], axis=1)
    found["file"] = found["file"].str.removeprefix(f"{photos}/")
    found = found[found["file"].isin(truth.photos.index)]
    expected = average_precision(truth, found).loc["all", "map"]
    assert manifest["results"]["map"] == pytest.approx(expected, abs=1e-4)
    assert Detector.load(out).threshold == manifest["threshold"]
    assert np.isfinite(found["score"]).all()

    export = runpy.run_path(str(recipes_path / "export_model.py"))["main"]
    arguments = [str(out), "--formats", "keras", "--max-drop", "0"]
    export(arguments)
    (row,) = json.loads((out / "export" / "export_report.json").read_text()).values()
    assert row["photos"] == len(truth.photos) and row["map_drop"] == 0
    with pytest.raises(ValueError, match="--tta is for runs of classifiers"):
        export([*arguments, "--tta", "flip", "--overwrite"])
    photos.rename(photos.with_name("moved"))
    with pytest.raises(ValueError, match="must be where its manifest says"):
        export([*arguments, "--overwrite"])
    folder = str(photos.with_name("moved"))
    photos.with_name("moved").rename(photos)
    with pytest.raises(ValueError, match="`check` must be an existing directory"):
        export([*arguments, "--overwrite", "--check", folder])


@pytest.mark.parametrize("threshold", ["-0.1", "1", "nan"])
def test_a_threshold_is_a_score(predict, photos, threshold, capsys):
    with pytest.raises(SystemExit, match="2"):
        predict([str(photos), str(photos), "--threshold", threshold])
    assert "--threshold: must be at least 0 and below 1" in capsys.readouterr().err


def test_what_is_refused_leaves_no_folder(recipe, draw_scenes, tmp_path):
    scenes = draw_scenes(tmp_path / "data")
    write_coco(scenes, scenes.root / "train.json")
    path = scenes.root / scenes.photos.index[1]
    path.write_bytes(path.read_bytes()[:-30])  # its header is whole
    arguments = ["--data", str(scenes.root), "--on-error", "raise", "--seed", "1"]
    with pytest.raises(
        ValueError, match="--data must be without faults .* the 1 above"
    ):
        recipe([*arguments, "--out", str(tmp_path / "run")])
    arguments = [*arguments, "--on-error", "skip", "--weights", "no.h5"]
    with pytest.raises(ValueError, match="`weights` must be 'imagenet', None or"):
        recipe([*arguments, "--out", str(tmp_path / "run")])
    assert not list(tmp_path.glob("run*"))


def test_data_must_hold_boxes(recipe, tmp_path):
    (tmp_path / "empty").mkdir()
    out = tmp_path / "run"
    with pytest.raises(ValueError, match="`path` must hold data.yaml"):
        recipe(["--data", str(tmp_path / "empty"), "--out", str(out), "--seed", "1"])
    assert not list(tmp_path.glob("run*"))
