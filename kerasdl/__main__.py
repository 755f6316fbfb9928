"""The command `kerasdl`, also `python -m kerasdl`: each recipe, without a clone."""

import ast
import sys
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from kerasdl import __version__, workbench

_ABOUT = {
    "train": "DIR: photos of two classes or more become a classifier",
    "predict": "RUN FILE...: label and probability of photos, or of rows of a table",
    "export": "RUN: files for phones, servers and browsers, each proved",
    "serve": "RUN: a page to drop photos on, and TensorFlow Serving's REST API",
    "report": "RUN...: a run's page written anew, or runs side by side",
    "doctor": "DIR: damaged files and duplicates among photos, and what there is",
    "zoo": "what the networks cost, as a table and as pictures",
    "info": "versions, processor, devices, extras, and the cache folder",
    "recipes": "list all recipes",
    "recipe": "NAME ...: run one of them",
}
_NAME = "a recipe; `kerasdl recipes` lists them"
_HELP = "\n".join(f"  {name:<8}  {about}" for name, about in _ABOUT.items())


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command that `argv` names, and exit as its recipe does."""
    parser = workbench.RecipeParser(
        "Train on photos, ask, export and serve a run.\n\n"
        f"{_HELP}\n\n`kerasdl COMMAND --help` says more of each."
    )
    parser.prog = "kerasdl"
    parser.usage = "kerasdl COMMAND ..."
    version = f"kerasdl {__version__}"
    parser.add_argument("--version", action="version", version=version, help="print it")
    parser.add_argument("command", metavar="COMMAND", choices=_ABOUT, help="see above")
    given = list(sys.argv[1:] if argv is None else argv)
    if not given:
        parser.print_help(sys.stderr)
        parser.exit(2)
    command, rest = parser.parse_args(given[:1]).command, given[1:]
    if command == "info":
        _parser("info").parse_args(rest)
        workbench.run_recipe(_print_info)
    elif command == "recipes":
        _parser("recipes").parse_args(rest)
        workbench.run_recipe(_print_recipes)
    elif command == "recipe":
        parser = _parser("recipe")
        names = tuple(workbench.recipes())
        parser.add_argument("name", metavar="NAME", choices=names, help=_NAME)
        _run(parser.parse_args(rest[:1]).name, rest[1:])
    else:
        name = next(n for n, of in workbench.COMMANDS.items() if of == command)
        _run(name, rest)


def _parser(command: str) -> workbench.RecipeParser:
    parser = workbench.RecipeParser(_ABOUT[command])
    parser.prog = f"kerasdl {command}"
    return parser


def _run(name: str, argv: list[str]) -> None:
    """Do what `python recipes/NAME.py` does; texts name the command."""
    file = workbench.recipes()[name]
    sys.path.insert(0, str(file.parent))  # where its parts stand
    with workbench.called_by_command(name):
        recipe = _loaded(file)
        own = {"name": None} if name == "cats_dogs_finetune" else {}
        workbench.run_recipe(lambda: recipe.main(argv, **own))


def _loaded(file: Path) -> ModuleType:
    loader = SourceFileLoader(f"{file.stem}_recipe", str(file))
    recipe = ModuleType(loader.name)
    recipe.__file__ = loader.path
    loader.exec_module(recipe)
    return recipe


def _print_recipes() -> None:
    for name, file in workbench.recipes().items():
        about = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        first, _, _ = about.partition("\n")
        print(f"{name:<24}  {first}")


def _print_info() -> None:
    from kerasdl.info import info

    facts = info()
    width = max(map(len, facts))
    for name, fact in facts.items():
        print(f"{name:{width}}  {fact}")


if __name__ == "__main__":
    main()
