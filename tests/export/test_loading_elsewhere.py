"""The snippets of saved_models/README.md, run as a stranger would."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasdl.export.calibration import calibration_photos
from kerasdl.export.formats import FILES, write_format

PAGE = Path(__file__).parents[2] / "saved_models" / "README.md"
RUN = """
import sys

sys.modules["kerasdl"] = None
for number, snippet in enumerate(sys.stdin.read().split("# ---")):
    print("=", number)
    exec(snippet, {})
"""


@pytest.fixture(scope="module")
def snippets():
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def printed(snippets, colours, tmp_path_factory):
    """What each snippet prints of a green photo."""
    folder = tmp_path_factory.mktemp("elsewhere")
    photos = colours.read_photos(colours.write_photos(folder / "photos"))
    model, names = colours.model(), colours.NAMES
    out = folder / "export"
    out.mkdir()
    (out / "labels.txt").write_text("\n".join(names))
    for name in ("keras", "saved_model", "tflite_int8", "onnx"):
        calibration = calibration_photos(photos, seed=1)
        write_format(name, model, out / FILES[name], names, "squash", calibration)
    pixels = np.full((30, 20, 3), (60, 190, 60), "uint8")
    Image.fromarray(pixels).save(out / "photo.jpg", quality=95)
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=out,
        input="# ---".join(snippets),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    shutil.rmtree(out)
    return re.split(r"^= \d\n", done.stdout, flags=re.MULTILINE)[1:]


def test_there_is_one_for_each_program(snippets):
    words = ["load_model", "saved_model.load", "tf.data", "ai_edge_litert"]
    words.append("onnxruntime")
    assert len(snippets) == len(words)
    for snippet, word in zip(snippets, words, strict=True):
        assert word in snippet


def test_all_find_the_colour(printed):
    """Softmax of 0.05 times the mean of each channel: 6.5 more for green than others.

    Blue and red have 0.0015 each.
    """
    assert len(printed) == 5
    for text in printed:
        numbers = [float(word) for word in re.findall(r"\d?\.\d+(?:e-\d+)?", text)]
        blue, green, red = numbers
        assert green > 0.98
        assert blue == pytest.approx(red, abs=0.01)
