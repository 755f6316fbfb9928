import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[2] / "recipes/benchmarks/input_pipeline.py"


@pytest.fixture
def input_pipeline(monkeypatch):
    spec = importlib.util.spec_from_file_location("input_pipeline", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # where AutoGraph looks it up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def photos(tmp_path, write_photos):
    """Twenty random JPEGs of each of two classes."""
    classes = ("cats", "dogs")
    root = tmp_path / "photos"
    return write_photos(root, {"train": 20}, classes, (60, 80), file="{}.jpg")


@pytest.mark.slow
def test_a_quick_run_compares_all_and_writes_chart_and_numbers(
    input_pipeline, photos, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(input_pipeline, "SIZE", (48, 48))  # saves the convnet minutes
    chart = tmp_path / "chart.png"
    input_pipeline.main(["--data", str(photos), "--quick", "--out", str(chart)])

    table = capsys.readouterr().out
    results = json.loads(chart.with_suffix(".json").read_text())
    optional = {"torchvision DataLoader"}
    assert set(results["rates"]) | optional == set(input_pipeline.CONTESTANTS)
    for name, rates in results["rates"].items():
        assert len(rates) == 1
        assert f"\n{name}  " in table
    assert table.count("reached") + table.count("MISSED") >= 9
    for rates in results["generator"].values():
        assert {len(rounds) for rounds in rates.values()} == {1}
    assert "augmented, batches of 20" in table and "plain, batches of 20" in table
    assert min(results["parts"].values()) > 0
    assert set(results["start"]) == {"128", "256"}
    assert all(start["megabytes"] > 0 for start in results["start"].values())
    assert set(results["fit"]) == {"pipeline", "memory"}
    assert "fit: pipeline" in table
    with Image.open(chart) as image:
        assert image.format == "PNG"


def test_every_contestant_reads_every_file_once(input_pipeline, photos, tmp_path):
    files = input_pipeline.list_files(photos)
    assert len(files) == 40
    folder = input_pipeline.link_images(files, tmp_path / "links", 70)
    for name in set(input_pipeline.CONTESTANTS) - {"torchvision DataLoader"}:
        contestant, _ = input_pipeline.CONTESTANTS[name]
        one_pass = contestant(folder, seed=0)
        for _ in range(2):
            assert [len(images) for images, _ in one_pass()] == [64, 6], name


@pytest.mark.parametrize("error", ["ImportError('no such symbol\\nin x')", "OSError()"])
def test_a_broken_torchvision_is_left_out_with_the_reason(
    error, input_pipeline, tmp_path, monkeypatch
):
    (tmp_path / "torchvision.py").write_text(f"raise {error}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    input_pipeline.load_torchvision()
    reason = "no such symbol" if "symbol" in error else "OSError"
    with pytest.raises(ModuleNotFoundError, match=f"^{reason}$"):
        input_pipeline.torchvision_loader(tmp_path, seed=0)


def test_links_are_a_part_of_the_files_or_repeat_them(input_pipeline, photos, tmp_path):
    files = input_pipeline.list_files(photos)
    for count, each in ((10, 5), (100, 50)):
        folder = input_pipeline.link_images(files, tmp_path / str(count), count)
        for class_name in ("cats", "dogs"):
            links = list((folder / class_name).iterdir())
            assert len(links) == each
            originals = {link.resolve() for link in links}
            assert originals <= {f for f in files if f.parent.name == class_name}
            assert len(originals) == min(each, 20)


def test_other_than_two_classes_are_an_error(input_pipeline, tmp_path):
    with pytest.raises(SystemExit, match="--data must hold images of two classes"):
        input_pipeline.main(["--data", str(tmp_path), "--quick"])


def test_help_loads_no_tensorflow():
    code = (
        "import runpy, sys\n"
        "try: runpy.run_path(sys.argv[1], run_name='__main__')\n"
        "finally: assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", code, str(SCRIPT), "--help"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "--sections" in output
