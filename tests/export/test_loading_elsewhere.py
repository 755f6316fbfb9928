"""The snippets of saved_models/README.md, run as a stranger would."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasdl.artefacts import FILES
from kerasdl.classification.files import write_format
from kerasdl.data import read_image, warp_image
from kerasdl.export import calibration_photos

PAGE = Path(__file__).parents[2] / "saved_models" / "README.md"


@pytest.fixture(scope="module")
def snippets():
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def printed(snippets, colours, write_colours, elsewhere, tmp_path_factory):
    """What each snippet prints of a photo, and what it should find."""
    folder = tmp_path_factory.mktemp("elsewhere")
    photos = colours.read_photos(write_colours(folder / "photos"))
    model, names = colours.model(), colours.NAMES
    out = folder / "export"
    out.mkdir()
    (out / "labels.txt").write_text("\n".join(names))
    for name in ("keras", "saved_model", "tflite_int8", "onnx"):
        write_format(
            name,
            model,
            out / FILES[name],
            class_names=names,
            resize="squash",
            calibration=calibration_photos(photos, seed=1),
            errors=None,
        )
    # Red on the whole, blue in a corner: a part of it answers otherwise.
    pixels = np.full((30, 20, 3), (160, 120, 67), "uint8")
    pixels[:15, :10] = (40, 80, 200)
    Image.fromarray(pixels).save(out / "photo.jpg", quality=95)
    resized = warp_image(read_image(out / "photo.jpg"), (16, 16), "squash")
    (expected,) = model.predict_on_batch(resized[None].astype("float32"))
    (folder / "snippets.txt").write_text("# ---".join(snippets))
    found = elsewhere("snippets.py", folder / "snippets.txt", folder=out)
    shutil.rmtree(out)
    return re.split(r"^= \d\n", found, flags=re.MULTILINE)[1:], expected


def test_there_is_one_for_each_program(snippets):
    words = ["load_model", "saved_model.load", "tf.data", "ai_edge_litert"]
    words.append("onnxruntime")
    assert len(snippets) == len(words)
    for snippet, word in zip(snippets, words, strict=True):
        assert word in snippet


def test_all_answer_as_the_model(printed, colours):
    texts, expected = printed
    assert expected.argsort().tolist() == [0, 1, 2]  # red is last
    assert np.diff(expected).min() > 0.05
    for text in texts:
        numbers = [float(word) for word in re.findall(r"\d?\.\d+(?:e-\d+)?", text)]
        np.testing.assert_allclose(numbers, expected, atol=0.03)
    # That of tf.data predicts many photos, and prints numbers alone.
    for text in (*texts[:2], *texts[3:]):
        assert re.findall("blue|green|red", text) == colours.NAMES
