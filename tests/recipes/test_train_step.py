import csv
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "recipes" / "benchmarks"


def run(*arguments):
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_table_of_milliseconds(tmp_path):
    result = run(
        BENCHMARKS / "train_step.py",
        "--networks",
        "lenet5",
        "--ways",
        "onednn",
        "--rounds",
        1,
        "--steps",
        1,
        "--batch-size",
        2,
        "--csv",
        tmp_path / "steps.csv",
    )
    assert result.returncode == 0, result.stderr
    header, row = csv.reader((tmp_path / "steps.csv").open())
    assert header == ["network", "onednn"] and row[0] == "lenet5"
    assert float(row[1]) > 0
    assert "lenet5" in result.stdout


def test_ratios_to_pytorch(tmp_path):
    pytest.importorskip("torch")
    table = tmp_path / "ratios.csv"
    result = run(
        BENCHMARKS / "train_step_vs_torch.py",
        "--networks",
        "lenet5",
        "--rounds",
        1,
        "--steps",
        1,
        "--batch-size",
        2,
        "--csv",
        table,
    )
    assert result.returncode == 0, result.stderr
    header, row = csv.reader(table.open())
    assert header == (
        "network keras_ms torch_default_ms torch_best_ms ratio ratio_best".split()
    )
    keras, default, best, ratio, ratio_best = map(float, row[1:])
    assert best <= default
    assert (ratio, ratio_best) == pytest.approx((keras / default, keras / best))
    assert "mean ratio" in result.stdout


def test_bad_input_before_any_work():
    for script in ("train_step.py", "train_step_vs_torch.py"):
        result = run(BENCHMARKS / script, "--rounds", 0)
        assert result.returncode == 2
        assert "--rounds must be at least 1" in result.stderr
