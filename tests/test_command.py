"""The command `kerasdl`: the recipes by name."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kerasdl as package
from kerasdl import workbench
from kerasdl.__main__ import main

REPOSITORY = Path(__file__).parents[1]
RECIPES = sorted((REPOSITORY / "recipes").glob("[a-z]*.py"))


@pytest.fixture
def kerasdl(capsys, monkeypatch):
    """A function that runs the command: its exit code, what it prints, its errors."""

    def run(*argv):
        monkeypatch.setattr(sys, "path", [*sys.path])
        try:
            main([str(word) for word in argv])
            code = 0
        except SystemExit as stopped:
            code = stopped.code or 0
        return code, *capsys.readouterr()

    return run


def test_the_version_is_the_package_s(kerasdl):
    assert kerasdl("--version") == (0, f"kerasdl {package.__version__}\n", "")


def test_help_names_each_command(kerasdl):
    code, printed, _ = kerasdl("--help")
    commands = "train predict export serve report doctor zoo info recipes recipe"
    assert code == 0
    for name in commands.split():
        assert f"\n  {name} " in printed
    assert "SUPPRESS" not in printed


def test_without_a_command_it_shows_what_there_is(kerasdl):
    code, printed, errors = kerasdl()
    assert (code, printed) == (2, "")
    assert errors == kerasdl("--help")[1]


def test_recipes_are_listed_with_what_they_do(kerasdl):
    code, printed, _ = kerasdl("recipes")
    lines = dict(line.split(maxsplit=1) for line in printed.splitlines())
    assert code == 0
    assert list(lines) == [file.stem for file in RECIPES]
    for file in RECIPES:
        docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        assert docstring.startswith(lines[file.stem])


@pytest.mark.parametrize("recipe", [file.stem for file in RECIPES])
def test_help_of_a_recipe_names_the_command(recipe, kerasdl):
    command = workbench.COMMANDS.get(recipe, f"recipe {recipe}")
    code, printed, errors = kerasdl(*command.split(), "--help")
    assert (code, errors) == (0, "")
    assert printed.startswith(f"usage: kerasdl {command} ")
    assert f"    kerasdl {command}" in printed
    assert ".py" not in printed


def test_any_recipe_is_run_by_its_name(kerasdl):
    code, printed, _ = kerasdl("recipe", "tensors_tour", "--list")
    assert code == 0
    assert printed.startswith("predicates ")
    code, printed, _ = kerasdl("recipe", "mnist_convnet", "--help")
    assert printed.startswith("usage: kerasdl recipe mnist_convnet ")
    assert "    kerasdl recipe mnist_convnet" in printed


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["trian"], "invalid choice: 'trian'"),
        (["recipe", "mnist_convet"], "Did you mean mnist_convnet?"),
        (["doctor", "nowhere"], "DIR must be an existing directory"),
    ],
)
def test_a_wrong_call_exits_with_two(argv, said, kerasdl):
    code, _, errors = kerasdl(*argv)
    assert code == 2
    assert said in errors


@pytest.mark.parametrize(
    "call", ["recipe table_train --data a.csv --target y", "recipe coco_look ."]
)
def test_a_wrong_call_says_that_alone_though_it_took_tensorflow(call, tmp_path):
    (tmp_path / "a.csv").write_text("x,z\n1,2\n")
    for more, is_alone in (("", True), (" --verbose", False)):
        done = subprocess.run(
            [sys.executable, "-m", "kerasdl", *f"{call}{more}".split()],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.splitlines()[-1].startswith("error: ")
        assert (done.stderr.count("\n") == 1) == is_alone


def test_doctor_exits_with_one_for_a_damaged_photo(kerasdl, write_photos, tmp_path):
    write_photos(tmp_path, {"train": 2, "valid": 2}, "ab")
    assert kerasdl("doctor", tmp_path)[0] == 0
    (tmp_path / "train" / "a" / "torn.png").write_bytes(b"\x89PNG")
    picture = tmp_path / "counts.png"
    code, printed, _ = kerasdl("doctor", tmp_path, "--picture", picture)
    assert code == 1
    assert "damaged: train/a/torn.png" in printed
    assert picture.is_file()


def test_texts_name_the_command_that_was_called():
    text = """in .venv/bin/python recipes/predict.py OUT, `python recipes/rossmann.py`;
    serve.py needs pip install -e ".[serve]"; not other.py"""
    assert workbench.as_called(text) == text
    with workbench.called_by_command("mnist_convnet"):
        said = workbench.as_called(text)
    assert (
        said
        == """in kerasdl predict OUT, `kerasdl recipe rossmann`;
    kerasdl serve needs pip install 'kerasdl[serve]'; not other.py"""
    )
    assert workbench.as_called(text) == text


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("sample", "drawings"),
        ("photos/My flowers", "My_flowers"),
        ("tfds:tf_flowers", "tf_flowers"),
        ("photos/été/", "t"),
        ("/", "photos"),
    ],
)
def test_a_run_is_named_after_its_data(data, name):
    class Args:
        folder, data = None, "sample"

    Args.data = data
    assert workbench.name_of_data(Args) == name
