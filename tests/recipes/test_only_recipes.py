"""A recipe is only its recipe: what opens and closes a run stands in the workbench."""

import ast
from collections import Counter
from itertools import combinations
from pathlib import Path
from statistics import median

import pytest

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("[a-z]*.py"))
BLOCK = 10  # lines


def code(path):
    """Its lines that hold something, without the docstring on top."""
    text = path.read_text(encoding="utf-8")
    docstring = ast.parse(text).body[0]
    lines = text.splitlines()[docstring.end_lineno :]
    return [line.strip() for line in lines if line.strip()]


def ceremony(recipes):
    """How many lines of each stand in half of all recipes, or in more.

    Brackets, `add(` and headers of functions do not count.
    """
    found = [[line for line in lines if len(line) > 4] for lines in recipes]
    copies = Counter(line for lines in found for line in set(lines))
    pasted = {line for line, count in copies.items() if count >= len(recipes) / 2}
    return [
        sum(line in pasted and not line.startswith("def ") for line in lines)
        for lines in found
    ]


def shared_blocks(one, other):
    """The blocks of lines that both have."""
    blocks = [
        {tuple(lines[i : i + BLOCK]) for i in range(len(lines) - BLOCK + 1)}
        for lines in (one, other)
    ]
    return blocks[0] & blocks[1]


def test_a_run_is_opened_and_closed_in_eight_lines():
    counts = ceremony([code(path) for path in RECIPES])
    assert min(counts) > 0  # it does count
    assert max(counts) <= 8


def test_the_median_recipe_is_short():
    lengths = [len(path.read_text("utf-8").splitlines()) for path in RECIPES]
    assert median(lengths) <= 120


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_kerasdl_is_imported_once(path):
    names = [
        name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        if name.split(".")[0] == "kerasdl"
    ]
    assert names == ["kerasdl"]


def test_no_block_stands_in_two_recipes():
    for one, other in combinations(RECIPES, 2):
        assert not shared_blocks(code(one), code(other)), (one.name, other.name)


def test_a_block_in_two_recipes_is_found():
    lines = [f"line {number}" for number in range(BLOCK)]
    assert shared_blocks(["first", *lines], [*lines, "last"]) == {tuple(lines)}
    assert not shared_blocks(lines[1:], lines)
    pasted = ["same line", ")", "def main():"]
    assert ceremony([[*pasted, "a"], pasted, ["b"], ["c", "c"]]) == [1, 1, 0, 0]
