import csv
import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "recipes/benchmarks/fit_overhead.py"


@pytest.fixture
def fit_overhead(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)  # as of a script that is run
    spec = importlib.util.spec_from_file_location("fit_overhead", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_prints_the_ratio_and_writes_each_round(fit_overhead, tmp_path, capsys):
    file = tmp_path / "rounds.csv"
    size = ["--batches", "2", "--batch-size", "2", "--image-size", "48"]
    fit_overhead.main([*size, "--rounds", "3", "--csv", str(file)])
    *_, header, bare, ours, verdict = capsys.readouterr().out.splitlines()
    assert header.split() == ["ms", "a", "batch", "min", "-", "max"]
    assert (bare.split()[0], ours.split()[0]) == ("bare", "ours")
    assert verdict.startswith("ratio ")
    assert verdict.split()[-1] in ("reached", "MISSED")
    rows = list(csv.DictReader(file.open()))
    assert [row["round"] for row in rows] == ["1", "2", "3"]
    ratios = sorted(float(row["ours"]) / float(row["bare"]) for row in rows)
    assert verdict.split()[1] == f"{ratios[1]:.3f},"


@pytest.mark.parametrize(
    ("argument", "least"),
    [("--rounds", 1), ("--batches", 1), ("--batch-size", 1), ("--image-size", 46)],
)
def test_numbers_that_are_too_small_are_an_error(argument, least, fit_overhead, capsys):
    with pytest.raises(SystemExit):
        fit_overhead.main([argument, str(least - 1)])
    assert f"{argument} must be at least {least}" in capsys.readouterr().err
