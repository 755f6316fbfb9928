"""Imports go one way, and what is meant to be light stays light."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
FILES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for folder in ("kerasdl", "recipes")
    for path in (REPOSITORY / folder).rglob("*.py")
)
RECIPES = [file for file in FILES if file.startswith("recipes/") and "/_" not in file]
COMMANDS = [recipe for recipe in RECIPES if "benchmarks" not in recipe]
# From the bottom up: a file may import what stands below it. In a row of modules they
# may also import one another; packages of one row never do.
ROWS = (
    (
        "_checks",
        "_names",
        "_numbers",
        "_seeds",
        "_optional",
        "_parallel",
        "_progress",
        "_atomic",
        "_atomic_folder",
        "_npz",
        "_meeting",
        "_figure",
        "_shown_figure",
        "_fonts",
        "_notebook",
        "_described",
        "_pixels",
        "_cache_dir",
        "_optimizer",
        "_keras_internals",
        "_layer_walks",
        "_file_names",
        "_recorded",
        "_run_info",
    ),
    (
        "schedules",
        "plots",
        "runs",
        "runtime",
        "strategies",
        "tables",
        "info",
        "_quiet_start",
    ),
    ("batches",),
    ("data", "models", "losses", "metrics", "page"),
    ("callbacks", "inside"),
    ("train", "artefacts"),
    ("learner",),
    ("classification", "detection", "segmentation", "gan", "text", "tabular"),
    ("predict", "interpret", "export"),
    ("serving",),
    ("workbench",),
    ("__main__",),
)
RANKS = {name: rank for rank, row in enumerate(ROWS) for name in row}
MODULES = {*ROWS[0], *ROWS[1]}


def source_of(file):
    return (REPOSITORY / file).read_text(encoding="utf-8")


def nothing_in(files, found):
    """No file has what `found` finds in it."""
    rows = ((file, list(found(file))) for file in files)
    assert {file: things for file, things in rows if things} == {}


def imported(source, file):
    """The names below kerasdl that `source` imports, as tuples of their parts."""
    package = Path(file).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = tuple(node.module.split(".")) if node.module else ()
            names = [(*base, *module, alias.name) for alias in node.names]
        else:
            continue
        for root, *parts in names:
            if root == "kerasdl" and parts and parts != ["__version__"]:
                yield tuple(parts)


def without_typing(source):
    """`source` without what only type checkers import."""
    tree = ast.parse(source)
    tree.body = [
        node
        for node in tree.body
        if not isinstance(node, ast.If) or ast.unparse(node.test) != "TYPE_CHECKING"
    ]
    return ast.unparse(tree)


def wrong_imports(source, file):
    wrong = []
    area, importer = Path(file).with_suffix("").parts[:2]
    if importer == "__init__":
        source = without_typing(source)
    for name in imported(source, file):
        if area == "recipes":
            is_wrong = any(part.startswith("_") for part in name)
        elif importer == "__init__":
            is_wrong = True  # it is lazy
        else:
            target = name[0]
            below = RANKS[target] < RANKS[importer]
            beside = {target, importer} <= MODULES and RANKS[target] == RANKS[importer]
            is_wrong = not (below or beside or target == importer)
            # A room's own files are for it alone.
            is_wrong |= target != importer and any(p.startswith("_") for p in name[1:])
        if is_wrong:
            wrong.append(".".join(name))
    return wrong


def is_there(parts):
    """Whether a name below kerasdl is a module, or stands in one."""
    place = REPOSITORY / "kerasdl"
    for part in parts:
        file = place / f"{part}.py"
        if not (place / part).is_dir() and not file.is_file():
            module = place / "__init__.py" if place.is_dir() else place
            return bool(re.search(rf"\b{part}\b", module.read_text(encoding="utf-8")))
        place = place / part if (place / part).is_dir() else file
    return True


def test_what_is_imported_is_there():
    def gone(file):
        return [name for name in imported(source_of(file), file) if not is_there(name)]

    nothing_in(FILES, gone)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("data", True),
        ("Learner", True),
        ("models.vgg.vgg16", True),
        ("train.lr_find", True),
        ("train.gone", False),
        ("models.vgg.gone", False),
    ],
)
def test_what_is_gone_is_found(name, found):
    assert is_there(name.split(".")) == found


def test_imports_go_one_way():
    nothing_in(FILES, lambda file: wrong_imports(source_of(file), file))


@pytest.mark.parametrize(
    ("source", "file", "wrong"),
    [
        ("from kerasdl import plots", "kerasdl/data/a.py", []),
        ("from kerasdl._checks import size_pair", "kerasdl/data/a.py", []),
        ("from ._decode import read_image", "kerasdl/data/a.py", []),
        ("from . import runs, _checks", "kerasdl/runtime.py", []),
        ("from kerasdl import models", "kerasdl/data/a.py", ["models"]),
        ("from ..models import vgg", "kerasdl/data/a.py", ["models.vgg"]),
        ("import kerasdl.train.features", "kerasdl/artefacts/a.py", ["train.features"]),
        ("def f():\n from .. import train", "kerasdl/artefacts/a.py", ["train"]),
        ("from kerasdl import text", "kerasdl/gan/a.py", ["text"]),
        ("from kerasdl import data", "kerasdl/plots.py", ["data"]),
        ("from .plots import smooth", "kerasdl/_checks.py", ["plots.smooth"]),
        ("from kerasdl.gan import a", "kerasdl/detection/a.py", ["gan.a"]),
        ("from ..data import b", "kerasdl/batches/a.py", ["data.b"]),
        ("from kerasdl.batches import b", "kerasdl/data/a.py", []),
        ("from . import data", "kerasdl/__init__.py", ["data"]),
        ("if TYPE_CHECKING:\n from . import data", "kerasdl/__init__.py", []),
        ("from kerasdl import gan", "kerasdl/workbench/a.py", []),
        ("from kerasdl import data, train", "kerasdl/text/a.py", []),
        ("from kerasdl.data._warp import x", "kerasdl/data/b/a.py", []),
        ("from kerasdl.data._warp import x", "kerasdl/text/a.py", ["data._warp.x"]),
        ("from ..gan import fid", "kerasdl/detection/a.py", ["gan.fid"]),
        ("from kerasdl import workbench", "kerasdl/gan/a.py", ["workbench"]),
        ("from kerasdl.learner import Learner", "kerasdl/tabular/a.py", []),
        ("from kerasdl import tabular", "kerasdl/learner.py", ["tabular"]),
        ("import kerasdl\nfrom kerasdl import data", "recipes/a.py", []),
        ("from kerasdl.data._warp import x", "recipes/a.py", ["data._warp.x"]),
    ],
)
def test_an_arrow_that_points_up_is_found(source, file, wrong):
    assert wrong_imports(source, file) == wrong


# Names alone, for who looks for what a thing does and not for its domain.
DOORS = ("export", "interpret", "predict")


def test_behind_a_door_is_no_room():
    found = [file for file in FILES if file.split("/")[1] in DOORS]
    assert found == [f"kerasdl/{door}/__init__.py" for door in DOORS]


# What every domain builds on speaks of none.
NEUTRAL = ("artefacts", "batches", "learner.py", "page")
OWN_WORDS = re.compile(r"photo|class_names|(?<!aria-)(?<!\b[xy])label", re.IGNORECASE)


def test_what_is_for_every_domain_speaks_of_none():
    files = [file for file in FILES if file.split("/")[1] in NEUTRAL]
    nothing_in(files, lambda file: OWN_WORDS.findall(source_of(file)))


def test_no_file_is_long():
    nothing_in(FILES, lambda file: source_of(file).splitlines()[399:])


# Filled by position: what all networks take, and rows of a table, read by its columns.
ROWS_OF_TABLES = ("Common", "Lesson", "_Row")


def spread_arguments(source):
    """Calls that spread a tuple written there."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            stars = [arg.value for arg in node.args if isinstance(arg, ast.Starred)]
            if any(isinstance(star, (ast.Tuple, ast.List)) for star in stars):
                yield ast.unparse(node)


def unnamed_arguments(source):
    """Those, and calls that say six things or more by place."""
    yield from spread_arguments(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and len(node.args) > 5:
            if getattr(node.func, "id", None) not in ROWS_OF_TABLES:
                yield ast.unparse(node)


def test_arguments_are_named():
    nothing_in(FILES, lambda file: unnamed_arguments(source_of(file)))


def test_tests_spread_no_tuple():
    files = (REPOSITORY / "tests").rglob("*.py")
    nothing_in(files, lambda file: spread_arguments(source_of(file)))


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("f(*(a, b), c=1)", True),
        ("f(a, *[b, c])", True),
        ("f(*a, **b)", False),
        ("f(1, 2, 3, 4, 5, 6)", True),
        ("f(1, 2, 3, 4, 5, g=6)", False),
        ("Lesson(1, 2, 3, 4, 5, 6)", False),
    ],
)
def test_arguments_without_names_are_found(call, found):
    assert bool(list(unnamed_arguments(call))) == found


@pytest.fixture(scope="module")
def help_of_recipes(programs):
    """What `--help` of each recipe loads, and what it says."""
    result = subprocess.run(
        [sys.executable, programs / "help_of_recipes.py", *RECIPES],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout)


def test_kerasdl_and_the_help_of_recipes_load_no_tensorflow(help_of_recipes):
    assert help_of_recipes["loaded"] == dict.fromkeys(
        ["import kerasdl", "import kerasdl.runs", *RECIPES], []
    )


def test_recipes_start_tensorflow_quietly():
    starts = r"kd\.runtime\.start\(|kd\.workbench\.training_run\(|\bwalk\("
    loud = [file for file in COMMANDS if not re.search(starts, source_of(file))]
    assert loud == []


@pytest.mark.parametrize("recipe", COMMANDS)
def test_help_says_what_each_option_is_and_its_default(recipe, help_of_recipes):
    text = help_of_recipes["texts"][recipe]
    lines = source_of(recipe).partition('"""')[2].partition('"""')[0].strip()
    assert lines in text  # examples keep their lines
    places = [found.start() for found in re.finditer(r"^  -(?!h)", text, re.MULTILINE)]
    for start, end in zip(places, [*places[1:], len(text)], strict=True):
        option = text[start:end].split("\n\n")[0]
        words = option.split()
        assert re.search("default|needed", option), option
        assert len(words) > 3, option


def test_the_public_names_are_there_and_others_are_not():
    import kerasdl

    assert kerasdl.ImageData is kerasdl.data.ImageData
    assert kerasdl.Learner is kerasdl.classification.Learner
    assert issubclass(kerasdl.Learner, kerasdl.learner.Learner)
    assert kerasdl.Predictor is kerasdl.predict.Predictor
    assert kerasdl.predict.tta is kerasdl.classification.tta
    assert kerasdl.interpret.gallery is kerasdl.classification.gallery
    assert kerasdl.interpret.feature_maps is kerasdl.inside.feature_maps
    # Not hidden by a function of the same name, as `augment.side_on` is public.
    assert kerasdl.data.augment.side_on is not None
    assert {"data", "ImageData", "__version__"} <= set(dir(kerasdl))
    with pytest.raises(AttributeError, match="no attribute 'imagedata'"):
        _ = kerasdl.imagedata
