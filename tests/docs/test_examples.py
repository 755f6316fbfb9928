"""Each example of a docstring runs, on a few drawings and a tiny network."""

import ast
import inspect
import re
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import kerasdl as kd

PACKAGE = Path(kd.__file__).parent
BLOCK = re.compile(r"^Example:\n\s+```\n(.*?)^\s+```", re.DOTALL | re.MULTILINE)
TRAINS = re.compile(r"\b(fit|fit_cycles|resumable_fit|fine_tune)\(")


def examples(node, place):
    """The code of each example below `node`, by where it stands."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, (ast.ClassDef, ast.FunctionDef)):
            name = f"{place}:{part.name}"
            for code in BLOCK.findall(inspect.cleandoc(ast.get_docstring(part) or "")):
                yield name, textwrap.dedent(code)
            yield from examples(part, name)


EXAMPLES = {
    name: code
    for file in sorted(PACKAGE.rglob("*.py"))
    for name, code in examples(
        ast.parse(file.read_text(encoding="utf-8")),
        file.relative_to(PACKAGE).as_posix(),
    )
}


@pytest.fixture(scope="module")
def place(tmp_path_factory, write_photos):
    """A folder with photos of two classes, one beside them, and a finished run."""
    place = tmp_path_factory.mktemp("examples")
    splits = {"train": 6, "valid": 4}
    write_photos(place / "photos", splits, ("cat", "dog"), (32, 32))
    write_photos(place / "photos/test", {"": 2}, pixels=(32, 32))
    Image.new("RGB", (40, 32), "red").save(place / "photo.jpg")
    return place


@pytest.fixture(scope="module")
def names(place):
    """What the examples speak of; all of them have the same."""
    data = kd.ImageData.from_folder(
        place / "photos", test="test", image_size=32, batch_size=4, seed=1
    )
    pixels = keras.Input((32, 32, 3))
    x = keras.layers.Rescaling(1 / 255)(pixels)
    x = keras.layers.Conv2D(4, 3, strides=4, activation="relu")(x)
    model = keras.Model(pixels, kd.models.pooled_head(x, 2, seed=1), name="small")
    learn = kd.Learner.from_model(model, data)
    with kd.runs.run_folder(place / "saved_models/cats_dogs", {}, seed=1) as run:
        run.manifest |= {"image_size": [32, 32], "resize": "crop"}
        run.save_labels(data.class_names)
        kd.export.save_inference_model(model, run.path / "model.keras")
    chances = np.linspace(0.1, 0.9, 8)
    report = kd.interpret.ClassificationReport.from_predictions(
        np.stack([chances, 1 - chances], axis=1),
        data.labels("valid"),
        data.class_names,
        data.files("valid"),
        lambda row: data.read("valid", row),
    )
    return {
        "kd": kd,
        "np": np,
        "data": data,
        "learn": learn,
        "model": model,
        "photo": np.asarray(Image.open(place / "photo.jpg").resize((32, 32))),
        "report": report,
    }


def test_the_most_used_names_have_an_example():
    assert len(EXAMPLES) >= 60


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(name, names, place, tiny_backbone, monkeypatch, request):
    monkeypatch.chdir(place)
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    monkeypatch.setattr("sys.ps1", ">>> ", raising=False)  # they are typed
    code = EXAMPLES[name].replace("efficientnet_lite0", tiny_backbone)
    if TRAINS.search(code):  # a trace takes longer than the few batches
        request.getfixturevalue("eagerly")
    exec(compile(code, name, "exec"), dict(names))
