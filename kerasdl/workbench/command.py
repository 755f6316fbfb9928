"""How a recipe was called: as a file of a clone, or by the command `kerasdl`."""

import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import kerasdl

# The command's own words for recipes; any other is `kerasdl recipe NAME`.
COMMANDS = {
    "cats_dogs_finetune": "train",
    "predict": "predict",
    "export_model": "export",
    "serve": "serve",
    "compare_runs": "report",
    "check_photos": "doctor",
    "model_zoo": "zoo",
}

_called = ""  # such as `kerasdl train`; "" if a file was run
_words: list[str] = []  # after it


def recipes() -> dict[str, Path]:
    """The recipes' files by name: those beside the package, else those inside it."""
    package = Path(kerasdl.__file__).parent
    folders = (package / "_recipes", package.parent / "recipes")
    folder = next(filter(Path.is_dir, folders))
    return {file.stem: file for file in sorted(folder.glob("[a-z]*.py"))}


def command_of(recipe: str) -> str:
    """How the command `kerasdl` runs a recipe."""
    return f"kerasdl {COMMANDS.get(recipe, f'recipe {recipe}')}"


@contextmanager
def called_by_command(recipe: str) -> Iterator[None]:
    """Texts name the command while `recipe` runs."""
    global _called
    before, _called = _called, command_of(recipe)
    try:
        yield
    finally:
        _called = before


def program() -> str:
    """What was called, as usage lines begin: `predict.py` or `kerasdl predict`."""
    return _called or os.path.basename(sys.argv[0])


def remember_words(words: Sequence[str]) -> None:
    """Keep what a recipe was called with, for `called_with`."""
    _words[:] = words


def called_with(option: str) -> str:
    """The line that calls this recipe again, with an `option` more."""
    words = [*(_called.split() or ("python", sys.argv[0])), *_words]
    return shlex.join([*words, *([] if option in words else [option])])


def as_called(text: str) -> str:
    """`text`, whose recipes and extras are named as whoever reads it can call them."""
    if not _called:
        return text
    text = re.sub(r'install -e "\.\[(\w+)\]"', r"install 'kerasdl[\1]'", text)
    known = "|".join(recipes())
    return re.sub(
        rf"(?:[\w./]*python )?(?:recipes/)?\b({known})\.py\b",
        lambda found: command_of(found[1]),
        text,
    )
