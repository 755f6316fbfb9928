"""What a command says of a wrong call: in the words of its options, the fix apart."""

import argparse
import os
import re
import sys
from difflib import get_close_matches

from .command import as_called

# Names of functions' arguments, and the option that a recipe has for them: the first
# of these that it has.
_OPTIONS_OF = {
    "path": ("run", "runs", "teacher", "data", "model"),
    "directory": ("data",),
    "folder": ("data", "pictures"),
    "run_folder": ("run", "runs", "model"),
    "table": ("labels", "data", "images"),
    "texts": ("images",),
    "file": ("data",),
    "frame": ("data",),
    "pairs": ("data",),
    "dates": ("date",),
    "image": ("image_column",),
    "label": ("label_column",),
    "label_delimiter": ("delimiter",),
    "name": ("backbone",),
    "target_size": ("image_size",),
    "size": ("pieces",),
}
# Fixes that are for Python, and what a command has in their place.
_FIXES = {
    "Split a folder that holds class folders alone with valid_fraction=0.2.": (
        "Name it train, or give the folder of the class folders alone."
    ),
    "Pass the folder of one of them; `ImageData.from_folder` takes all.": (
        "Give the folder above them."
    ),
    "Leave them out, or pass the folder of the photos to split.": (
        "Give the folder of the photos to split."
    ),
}

# What a network says of a shape, where the command has but the side of a square.
_SHAPE = re.compile(
    r"`input_shape` must be .* of at least (\d+), .*Received: input_shape=\((\d+), .*\)"
)

_options: dict[str, str] = {}  # of the parser that parsed last, by dest


def remember_options(parser: argparse.ArgumentParser) -> None:
    """Errors are told in the words of `parser` from now on."""
    _options.clear()
    for action in parser._actions:
        words = [*action.option_strings[-1:], str(action.metavar), action.dest]
        _options[action.dest] = words[0]


def has_option(word: str) -> bool:
    """Whether the parser that parsed last has the option `word`, such as `--resume`."""
    return word in _options.values()


def told_of(error: ValueError, argument: str, name: str) -> ValueError:
    """`error`, which is of a function's `argument`, of the recipe's argument `name`."""
    text = str(error).replace(f"`{argument}`", f"`{name}`")
    return ValueError(text.replace(f"{argument}='", f"{name}='"))


def in_options(text: str) -> str:
    """`text` with the arguments of functions as the options that they come from."""
    for fix, instead in _FIXES.items():
        text = text.replace(fix, instead)
    # What has both words already: overwrite=True (--overwrite)
    both = r"(?:`\w+`|\b\w+=(?:\w*|'[^']*')) \((--[\w-]+[^()]*)\)"
    text = re.sub(both, r"\1", text)
    if _options and not has_option("--resume"):  # as a tour
        text = text.replace("Continue it with --resume, or start anew", "Start anew")
    if "input_shape" not in _options and "image_size" in _options:
        side = r"`image_size` must be at least \1. Received: image_size=\2"
        text = _SHAPE.sub(side, text)
    # In brackets, with code: how Python does it, which no option is.
    text = re.sub(r" \((?=[^()`]*`[^`]*[^`\w])(?:[^()`]|`[^`]*`)*\)", "", text)
    text = re.sub(r"`(\w+)`", lambda found: _option(found[1]) or found[0], text)
    # What stands in quotes is code, whose arguments are no options.
    return re.sub(
        r"`[^`]*`|(?<=[ (])(\w+)=(?=\S)",
        lambda found: (
            f"{option} " if found[1] and (option := _option(found[1])) else found[0]
        ),
        text,
    )


def _option(name: str) -> str | None:
    for dest in (name, *_OPTIONS_OF.get(name, ())):
        if dest in _options:
            return _options[dest]
    return None


def did_you_mean(message: str, known: list[str]) -> str:
    """`message` of argparse, with what was meant if that can be guessed."""
    words, among = re.findall(r"(?<= )--[\w-]+", message), known
    if choice := re.search(r"invalid choice: (.+?) \(choose from (.+)\)$", message):
        words = [choice[1].strip("'")]
        among = [word.strip("'") for word in choice[2].split(", ")]
    elif not message.startswith("unrecognized arguments"):
        return message
    near = [close for word in words for close in get_close_matches(word, among, 1)]
    return f"{message}. Did you mean {near[0]}?" if near else message


def say_error(error: str | Exception, program: str = "") -> None:
    """Print an error, red on a terminal, with the fix on a line of its own."""
    message = as_called(in_options(str(error)))
    prefix = f"{program}: " if program else ""
    fix = re.search(r"Received: .*?(\. )(?=[A-Z-])", message, re.DOTALL)
    if fix:
        message = f"{message[: fix.start(1)]}.\n{message[fix.end(1) :]}"
    first, *rest = f"{prefix}error: {message}".split("\n", 1)
    is_shown = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    print(
        f"\033[31m{first}\033[0m" if is_shown else first,
        *rest,
        sep="\n",
        file=sys.stderr,
    )
