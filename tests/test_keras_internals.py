"""What kerasdl uses of Keras's private parts is where it was, and stays in one file."""

import ast
import re
from pathlib import Path

import keras
import pytest

from kerasdl._keras_internals import MIRRORED

KERAS = Path(keras.__file__).parent / "src"
PACKAGE = Path(__file__).parents[1] / "kerasdl"
OWN = "_keras_internals.py"
NAMES = {name for names in MIRRORED.values() for name in names}
PRIVATE = {name for name in NAMES if name.startswith("_")}


def moved(names, source):
    return [name for name in names if not re.search(rf"\b{name}\b", source)]


def test_keras_has_them_where_they_were():
    lost = {
        file: moved(
            names, (KERAS / file).read_text() if (KERAS / file).exists() else ""
        )
        for file, names in MIRRORED.items()
    }
    assert {file: names for file, names in lost.items() if names} == {}


def test_one_that_moved_is_named():
    assert moved(("_layers", "_gone"), "self._layers_ = self._layers") == ["_gone"]


def uses(source):
    """Private names of Keras, by attribute, and imports from `keras.src`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in PRIVATE:
            if not (isinstance(node.value, ast.Name) and node.value.id == "self"):
                yield node.attr
        elif isinstance(node, ast.Constant) and node.value in PRIVATE:
            yield node.value
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "keras.src"
        ):
            yield node.module


def test_they_are_used_in_one_file_alone():
    found = {
        path.relative_to(PACKAGE).as_posix(): [*uses(path.read_text())]
        for path in sorted(PACKAGE.rglob("*.py"))
    }
    assert set(found.pop(OWN)) & PRIVATE
    assert {file: names for file, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("model._layers", ["_layers"]),
        ("self._learning_rate = 1", []),
        ("getattr(loss, '_fn_kwargs')", ["_fn_kwargs"]),
        ("from keras.src.backend import config", ["keras.src.backend"]),
        ("from keras import layers\nlayers._other", []),
    ],
)
def test_a_use_elsewhere_is_found(source, found):
    assert [*uses(source)] == found
