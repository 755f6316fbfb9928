"""The table of steps, and which of them is kept."""

import json

import pytest

from kerasdl.runs import run_folder
from kerasdl.workbench import Steps


@pytest.fixture
def run(tmp_path):
    with run_folder(tmp_path / "run", {}, seed=1) as run:
        yield run


def test_each_step_is_a_row_of_what_is_known(run, capsys):
    steps, done = Steps(run, best="loss"), []

    def measure():
        assert done == ["trained"]
        return {"loss": 0.5}

    steps.do("look", lambda: {})
    steps.do("train", lambda: done.append("trained") or {"epochs": 2}, measure)
    steps.add("thresholds", {"F2": 0.25})
    assert [sorted(row) for row in steps.rows] == [
        ["minutes", "step"],
        ["epochs", "loss", "minutes", "step"],
        ["F2", "step"],
    ]
    steps.rows[1]["photos"] = 786_825  # with gaps
    steps.record([{"step": "another's", "loss": 0.12345678}], best="train")
    written = json.loads((run.path / "manifest.json").read_text())["results"]
    assert written["best"] == "train"
    assert [row["step"] for row in written["steps"]] == ["look", "train", "thresholds"]
    assert [row["loss"] for row in written["steps"]] == [None, 0.5, None]
    printed = capsys.readouterr().out
    assert "nan" not in printed.lower()
    assert printed.splitlines()[-1].split()[:4] == ["another's", "–", "–", "0.1235"]
    assert printed.split().count("786,825") == 1


def test_minutes_of_an_earlier_process_count_and_those_of_measuring_do_not(
    run, monkeypatch
):
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])

    def passing(seconds, found):
        clock[0] += seconds
        return found

    steps = Steps(run, best="loss")
    steps.do("train", lambda: passing(60, {"minutes": 3}), lambda: passing(600, {}))
    assert steps.rows == [{"step": "train", "minutes": 4}]


@pytest.mark.parametrize(
    ("lowest", "values", "kept"),
    [
        (True, (0.3, 0.1, 0.2), "1"),
        (False, (0.3, 0.1, 0.2), "0"),
        (True, (0.1, 0.1, 0.2), "1"),  # of equal ones, what has seen more
        (False, (0.2, 0.2, 0.1), "1"),
    ],
)
def test_what_best_means_is_told(run, lowest, values, kept):
    steps = Steps(run, "value", lowest, name="stage")
    steps.add("without a value", {})
    for number, value in enumerate(values):
        steps.add(str(number), {"value": value})
    assert steps.best() == {"stage": kept, "value": values[int(kept)]}
