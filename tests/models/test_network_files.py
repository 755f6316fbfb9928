"""A network's file shows its network: table, block, body, and only then builders."""

import ast
from pathlib import Path

import pytest

from kerasdl import models

NETWORKS = sorted(
    path
    for path in Path(models.__file__).parent.glob("*.py")
    if "build_network(" in path.read_text(encoding="utf-8")
    and path.name != "_network.py"
)


def is_builder(node):
    arguments = node.args.args if isinstance(node, ast.FunctionDef) else ()
    return any(argument.arg == "include_top" for argument in arguments)


def test_all_of_them_are_found():
    assert len(NETWORKS) == 20


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_the_network_comes_first(path):
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    imports = (ast.Expr, ast.Import, ast.ImportFrom)
    rest = [node for node in nodes if not isinstance(node, imports)]
    assert rest.pop(0).targets[0].id == "YEAR"
    builder = next(node for node in rest if is_builder(node))
    shown = rest[: rest.index(builder)]
    block = next((node for node in shown if isinstance(node, ast.FunctionDef)), builder)
    tables = (node for node in shown if isinstance(node, (ast.Assign, ast.ClassDef)))
    table = next(tables, block)  # a network of two layers has none
    assert table.lineno < 40
    assert table.lineno <= block.lineno < builder.lineno
    names = {
        node.name
        for part in shown
        for node in ast.walk(part)
        if isinstance(node, ast.FunctionDef)
    }
    assert any(name.endswith("body") for name in names)
