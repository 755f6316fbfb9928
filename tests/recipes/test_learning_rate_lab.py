import json
import runpy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import log_loss

from kerasdl import ImageData, models, train

RECIPE = Path(__file__).parents[2] / "recipes" / "learning_rate_lab.py"


@pytest.fixture(scope="module")
def photos(bright_and_dark):
    return bright_and_dark(40, train=12, valid=6)


def main(photos, tmp_path, *more):
    argv = ["--data", str(photos), "--out", str(tmp_path / "run"), "--seed", "3"]
    argv += ["--cache", str(tmp_path / "cache"), "--image-size", "32"]
    runpy.run_path(str(RECIPE))["main"]([*argv, "--batch-size", "8", *more])


def test_four_schedules_from_the_same_start(
    photos, tmp_path, capsys, tiny_backbone, monkeypatch
):
    monkeypatch.setattr(train, "lr_find", partial(train.lr_find, num_steps=12))
    main(
        photos,
        tmp_path,
        "--epochs",
        "3",
        "--rate",
        "0.01",
        "--snapshots",
        "--backbone",
        tiny_backbone,
    )
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "labels.txt",
        "losses.png",
        "lr_find.png",
        "manifest.json",
        "rates.png",
        "snapshots",
    ]
    results = json.loads((tmp_path / "run" / "manifest.json").read_text())["results"]
    assert results["rate"] == 0.01
    schedules = [row["schedule"] for row in results["schedules"]]
    snapshots = results["schedules"].pop(schedules.index("2 snapshots"))
    schedules.remove("2 snapshots")
    assert schedules == ["constant", "cosine_restarts", "one_cycle", "step_decay"]
    check_snapshots(photos, tmp_path / "run" / "snapshots", snapshots)
    # One epoch in, "step_decay" has not fallen yet: what it logs there is what the
    # constant rate logs, as both begin with the same weights, batches and Dropout.
    lines = capsys.readouterr().out.splitlines()
    firsts = {}
    for number, line in enumerate(lines):
        if line in schedules:
            firsts[line] = lines[number + 1].split("accuracy: ", 1)[1]
    assert firsts["constant"] == firsts["step_decay"] != firsts["one_cycle"]


def check_snapshots(photos, folder, row):
    """The mean of what the model says with each file's weights, all of them its own."""
    data = ImageData.from_folder(photos, image_size=32, resize="squash", seed=3)
    model = models.classifier(models.build_trunk("tiny", None, 32, seed=1), 2, seed=1)
    found = []
    for number in (1, 2):
        model.load_weights(folder / f"cycle_{number}.weights.h5")
        found.append(model.predict(data.valid, verbose=0)[:, 0])
    assert np.abs(found[0] - found[1]).max() > 0
    mean, labels = np.mean(found, axis=0), data.labels("valid")
    assert row["valid"] == pytest.approx(np.mean((mean > 0.5) == labels))
    assert row["valid loss"] == pytest.approx(log_loss(labels, mean), abs=1e-4)


def test_bad_input_leaves_no_folder(photos, tmp_path, capsys):
    with pytest.raises(ValueError, match="`path` must be"):
        main(photos / "nothing", tmp_path)
    for argument in ("--rate", "--epochs"):
        with pytest.raises(SystemExit):
            main(photos, tmp_path, argument, "0")
        assert f"{argument}: must be " in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
