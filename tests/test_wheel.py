"""What leaves as a wheel: the package, its recipes and its command."""

import json
import re
import subprocess
import sys
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import kerasdl

REPOSITORY = Path(__file__).parents[1]
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that `python -m build` makes."""
    if not (find_spec("build") and find_spec("hatchling")):
        pytest.skip("build and hatchling, which make a wheel, are in the extra `test`")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder]
    subprocess.run([*command, REPOSITORY], check=True, capture_output=True)
    (file,) = folder.iterdir()
    return file


def test_a_wheel_holds_the_package_and_its_recipes_and_is_small(wheel):
    with zipfile.ZipFile(wheel) as archive:
        files = {file for file in archive.namelist() if ".dist-info/" not in file}
        (metadata,) = [n for n in archive.namelist() if n.endswith("/METADATA")]
        facts = archive.read(metadata).decode()
    recipes = [
        path.relative_to(REPOSITORY / "recipes").as_posix()
        for pattern in ("*.py", "_tours/*.py")
        for path in (REPOSITORY / "recipes").glob(pattern)
    ]
    package = [
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "kerasdl").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert files == {*package, *(f"kerasdl/_recipes/{name}" for name in recipes)}
    assert {"kerasdl/py.typed", "kerasdl/serving/page/index.html"} <= files
    assert wheel.stat().st_size < 2**20
    # Read on a package index, without a clone: links and recipes lead nowhere there.
    _, page = facts.split("\n\n", 1)
    assert "\nkerasdl train DIR\n" in page and "](" not in page and ".py" not in page
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    code = {*PYTHON.findall(page)}
    assert code and code < {*PYTHON.findall(readme)}  # whose code is run
    assert f"\nVersion: {kerasdl.__version__}\n" in facts
    assert facts.count("\nClassifier: ") > 5


def test_a_wheel_works_outside_the_clone_and_without_extras(wheel, programs, tmp_path):
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    installed = [path for path in sys.path if path.endswith("-packages")]
    (site / "dependencies.pth").write_text("\n".join(installed))
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps"]
    options = ["--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, *options, wheel], check=True, capture_output=True)
    done = subprocess.run(
        [python, programs / "plain_install.py", "run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["file"] == str(site / "kerasdl" / "__init__.py")
    assert found["light"]
    assert {found[name][0] for name in ("help", "recipes", "tour", "zoo")} == {0}
    assert "cats_dogs_finetune " in found["recipes"][1]
    assert (tmp_path / "run" / "networks.csv").is_file()
    assert found["star"] == found["members"] == kerasdl.__all__
    assert found["looked at"] == "workbench"
    assert "package kerasdl" in found["documented"]
    assert found["used"].endswith("pip install 'kerasdl[serve]'")
    command = [tmp_path / "venv" / "bin" / "kerasdl", "recipes"]
    listed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert listed.stdout == found["recipes"][1]
