"""Files that are there once they answer as their run does; here of made-up answers."""

import json
import sys
from functools import partial

import numpy as np
import pytest

from kerasdl.artefacts import FORMATS, ExportError, check_formats, export_proved

EXPECTED = np.array([[0.25, 0.75], [0.5, 0.5]])


def export(out, write, **options):
    return export_proved(
        out,
        writers={"keras": write},
        answer=lambda name, path: np.array(json.loads(path.read_text())),
        expected=EXPECTED,
        what="texts",
        beside={"words.json": lambda path: path.write_text("{}")},
        **options,
    )


def write(rows, path):
    path.write_text(json.dumps(rows.tolist()))


def fail(path, kind=RuntimeError):
    raise kind("no such operator.")


def test_what_answers_alike_is_published(tmp_path):
    table = export(tmp_path / "out", partial(write, EXPECTED + 1e-5))
    assert table["difference"]["keras"] == pytest.approx(1e-5)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"model.keras", "words.json", "export_report.json"}
    with pytest.raises(ValueError, match="must not exist"):
        export(tmp_path / "out", partial(write, EXPECTED))


@pytest.mark.parametrize(
    ("write", "match"),
    [
        (
            partial(write, EXPECTED + 0.01),
            "answer the check texts.*0.01. Kept.*partial",
        ),
        (partial(write, EXPECTED * np.nan), "answer the check texts.*nan. Kept"),
        (fail, "keras: no such operator. Kept .*out.partial"),
    ],
)
def test_what_does_not_stays_aside(tmp_path, write, match):
    with pytest.raises(ExportError, match=match):
        export(tmp_path / "out", write)
    assert [path.name for path in tmp_path.iterdir()] == ["out.partial"]


def test_what_is_not_installed_is_no_fault_of_the_file(tmp_path, monkeypatch):
    with pytest.raises(ImportError, match="no such operator"):
        export(tmp_path / "out", partial(fail, kind=ImportError))
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    check_formats(["keras", "tflite"], FORMATS)
    with pytest.raises(ImportError, match=r"'tf2onnx'.*kerasdl\[export\]"):
        check_formats(["onnx"], FORMATS)
    with pytest.raises(ValueError, match=r"at least one. Received: formats=\[\]"):
        check_formats([], FORMATS)
