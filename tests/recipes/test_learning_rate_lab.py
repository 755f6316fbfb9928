import json
import runpy
from pathlib import Path

import pytest

RECIPE = Path(__file__).parents[2] / "recipes" / "learning_rate_lab.py"


@pytest.fixture(scope="module")
def photos(tmp_path_factory, write_photos):
    """Bright photos of class b, dark ones of class a."""

    def pixels(rng, place, _):
        return rng.integers(0, 120, (40, 40, 3)) + 120 * place

    splits = {"train": 12, "valid": 6}
    return write_photos(tmp_path_factory.mktemp("photos"), splits, "ab", pixels)


def main(photos, tmp_path, *more):
    argv = ["--data", str(photos), "--out", str(tmp_path / "run"), "--seed", "3"]
    argv += ["--cache", str(tmp_path / "cache"), "--image-size", "32"]
    runpy.run_path(str(RECIPE))["main"]([*argv, "--batch-size", "8", *more])


def test_four_schedules_from_the_same_start(photos, tmp_path, capsys):
    main(photos, tmp_path, "--epochs", "3", "--rate", "0.01")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "labels.txt",
        "losses.png",
        "lr_find.png",
        "manifest.json",
        "rates.png",
    ]
    results = json.loads((tmp_path / "run" / "manifest.json").read_text())["results"]
    assert results["rate"] == 0.01
    schedules = [row["schedule"] for row in results["schedules"]]
    assert schedules == ["constant", "cosine_restarts", "one_cycle", "step_decay"]
    # One epoch in, "step_decay" has not fallen yet: what it logs there is what the
    # constant rate logs, as both begin with the same weights, batches and Dropout.
    lines = capsys.readouterr().out.splitlines()
    firsts = {}
    for number, line in enumerate(lines):
        if line in schedules:
            firsts[line] = lines[number + 2].split("accuracy: ", 1)[1]
    assert firsts["constant"] == firsts["step_decay"] != firsts["one_cycle"]


def test_bad_input_leaves_no_folder(photos, tmp_path, capsys):
    with pytest.raises(ValueError, match="`path` must be"):
        main(photos / "nothing", tmp_path)
    for argument in ("--rate", "--epochs"):
        with pytest.raises(SystemExit):
            main(photos, tmp_path, argument, "0")
        assert f"{argument}: must be " in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
