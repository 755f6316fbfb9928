import functools
import re
import runpy
import struct
from pathlib import Path

import numpy as np
import pytest
from matplotlib.layout_engine import ConstrainedLayoutEngine

REPOSITORY = Path(__file__).parents[2]
PROMISES = REPOSITORY / "saved_models" / "README.md"
RECIPES = REPOSITORY / "recipes"


@pytest.fixture(scope="package", autouse=True)
def no_layout():
    """Figures are drawn once, and not first to find room for their texts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ConstrainedLayoutEngine, "execute", lambda engine, figure: None)
        yield


@pytest.fixture
def keeps_promises():
    """A check that the folder of a finished run holds what saved_models promises."""

    def check(folder, *, of_photos, several_labels=False):
        rows = PROMISES.read_text(encoding="utf-8").split("## Exports")[0]
        files = re.findall(
            r"`(\w+\.\w+)`", "\n".join(re.findall(r"^\| `.*", rows, re.M))
        )
        assert {"report.html", "mistakes.png", "confusion.png"} <= set(files)
        absent = {name for name in files if not (folder / name).is_file()}
        allowed = set() if of_photos else {"mistakes.png"}
        assert absent <= allowed | ({"confusion.png"} if several_labels else set())

    return check


@pytest.fixture(scope="session")
def write_digits():
    """A writer of MNIST's IDX files: images whose brightness tells their class."""

    def write(folder, train, test):
        rng = np.random.default_rng(0)
        for name, count in (("train", train), ("t10k", test)):
            labels = np.resize(np.arange(10, dtype=np.uint8), count)
            images = labels[:, None, None] * 22 + rng.integers(0, 50, (count, 28, 28))
            for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
                header = bytes([0, 0, 8, array.ndim])
                header += struct.pack(f">{array.ndim}I", *array.shape)
                content = header + array.astype(np.uint8).tobytes()
                (folder / f"{name}-{kind}-ubyte").write_bytes(content)

    return write


@pytest.fixture(scope="session")
def bright_and_dark(tmp_path_factory, write_photos):
    """A function that writes bright photos of class b and dark ones of class a."""

    def write(side, **splits):
        def pixels(rng, place, _):
            return rng.integers(0, 120, (side, side, 3)) + 120 * place

        return write_photos(tmp_path_factory.mktemp("photos"), splits, "ab", pixels)

    return write


@pytest.fixture(scope="session")
def recipes_path():
    """The folder of the recipes, where Python also looks, as for a script there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(RECIPES)
        yield RECIPES


@pytest.fixture(scope="session")
def take_tour(recipes_path, tmp_path_factory):
    """A function that runs a tour once: its folder, and what each section shows.

    The values of an expression that stands in a section more than once are a list.
    """

    @functools.cache
    def take(name, *argv):
        out = tmp_path_factory.mktemp(name) / "run"
        main = runpy.run_path(str(recipes_path / f"{name}.py"))["main"]
        sections = main(["--out", str(out), "--seed", "1", *argv])
        return out, {name: by_expression(shown) for name, shown in sections.items()}

    return take


def by_expression(shown):
    values = {}
    for expression, value in shown:
        if not expression:  # the last lines of a section
            continue
        values.setdefault(expression, []).append(value)
    return {
        name: found[0] if len(found) == 1 else found for name, found in values.items()
    }


@pytest.fixture(scope="session")
def shows():
    """A check that a section shows these values, by the text of their expressions."""

    def check(shown, expected, tolerance=1e-4):
        for expression, value in expected.items():
            found = shown[expression]
            if isinstance(found, dict):
                found, value = list(found.values()), list(value.values())
            assert np.shape(found) == np.shape(value), expression
            np.testing.assert_allclose(
                found, value, rtol=0, atol=tolerance, err_msg=expression
            )

    return check
