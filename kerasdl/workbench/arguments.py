"""The command line that all recipes share; loads no TensorFlow."""

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from kerasdl import _quiet_start, runs, strategies
from kerasdl._checks import check_suffix, check_writable
from kerasdl._figure import picture_format

from .command import as_called, program, remember_words
from .messages import did_you_mean, remember_options, say_error

# Where and how a run works, not what it computes: a resumed run may differ in these.
_HOW = (
    "out",
    "resume",
    "overwrite",
    "verbose",
    "clear_cache",
    "seed",
    "gpu_memory_growth",
    "strategy",
)

OUT_HELP = "folder of the run, made at its end; default: a free one in saved_models"
_QUICK = "at most 200 training images, or one of each class, and one epoch a stage"


# Options by the group that --help shows them in.
_GROUPS = {
    "data": "data labels image-column label-column delimiter suffix on-missing resize "
    "max-train max-images on-error max-pixels image-size image-sizes dataset target "
    "categorical continuous date min-count task scale valid valid-after valid-group "
    "window trend sample augment views",
    "model": "backbone weights model network layers dropout embedding-dropout student "
    "alpha freeze networks",
    "training": "stages book epochs batch-size learning-rate lr-find weight-decay rate "
    "rates head-rate cycles cycle-len n-aug schedule practice lesson baseline "
    "snapshots all-data temperature label-weight sparsity alone peers",
    "run": "seed out quick resume overwrite precision deterministic gpu-memory-growth "
    "strategy verbose cache clear-cache keep tensorboard",
}
_GROUP_OF = {
    f"--{name}": group for group, names in _GROUPS.items() for name in names.split()
}


class _Help(argparse.RawDescriptionHelpFormatter):
    """Says the default of each option that does not say it itself."""

    def _get_help_string(self, action: argparse.Action) -> str:
        text, default = action.help or "", action.default
        has_none = default == argparse.SUPPRESS or not action.option_strings
        if has_none or "default" in text:
            return text
        if action.nargs == 0 and isinstance(default, bool):
            default = "on" if default else "off"
        elif isinstance(default, (list, tuple)):
            default = " ".join(map(str, default)) or "none"
        elif default is None:
            default = "none"
        return f"{text}; default: {default}".replace("%", "%%")


class RecipeParser(argparse.ArgumentParser):
    """A parser whose help begins with the recipe's docstring, as it stands there."""

    def __init__(self, description: str) -> None:
        description = as_called(description)
        super().__init__(program(), description=description, formatter_class=_Help)

    def add_argument(self, *names: str, **options: Any) -> argparse.Action:
        """Add an argument, in the group of --help where it belongs."""
        if options.get("help"):
            options["help"] = as_called(options["help"])
        title = _GROUP_OF.get(names[0])
        if title is None:
            return super().add_argument(*names, **options)
        known = {group.title: group for group in self._action_groups}
        group = known.get(title) or self.add_argument_group(title)
        return group.add_argument(*names, **options)

    def parse_args(self, *args: Any, **options: Any) -> argparse.Namespace:
        """Parse, and from now on tell errors in the words of these arguments."""
        remember_options(self)
        given = args[0] if args else options.get("args")
        remember_words(sys.argv[1:] if given is None else given)
        found = super().parse_args(*args, **options)
        if not getattr(found, "verbose", True):
            _quiet_start.install()  # a recipe may import TensorFlow before it starts it
        return found

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with a call, and exit with 2."""
        message = did_you_mean(message, list(self._option_string_actions))
        say_error(f"{message}\n{self.prog} --help lists all options", self.prog)
        self.exit(2)

    def add_int(
        self, name: str, default: int | None, help: str, metavar: str = "N"
    ) -> None:
        """Add an argument that is an integer of at least 1."""
        options = {"default": default, "help": help, "metavar": metavar}
        self.add_argument(name, type=positive_int, **options)

    def add_float(
        self, name: str, default: float | None, help: str, metavar: str = "RATE"
    ) -> None:
        """Add an argument that is a finite number above 0."""
        options = {"default": default, "help": help, "metavar": metavar}
        self.add_argument(name, type=positive_float, **options)

    def add_share(self, name: str, default: float | None, help: str) -> None:
        """Add an argument that is a number from 0 to below 1."""
        options = {"default": default, "help": help, "metavar": "SHARE"}
        self.add_argument(name, type=share, **options)

    def parse_run(
        self,
        argv: Sequence[str] | None,
        name: str | Callable[[argparse.Namespace], str],
        quick: str = _QUICK,
    ) -> argparse.Namespace:
        """Add the arguments of a training run, and parse `argv`.

        `quick` says what --quick takes; `name` may be a function of the arguments.

        `--out` defaults to a free saved_models/NAME. With `--resume` it defaults to
        the newest partial run, and what `argv` leaves out is as recorded there. Of
        several machines the first alone has that run.
        """
        _add_run_arguments(self, quick)
        args = self.parse_args(argv)
        name = name if isinstance(name, str) else name(args)
        is_multi_worker = args.strategy == "multi_worker"
        has_runs = not is_multi_worker or strategies.is_first_task()
        if args.resume and has_runs:
            args.out = args.out or runs.newest_partial("saved_models", name)
            if args.out is None:
                self.error(f"--resume: there is no saved_models/{name}*.partial")
            self.set_defaults(**runs.recorded_arguments(args.out), out=args.out)
            return self.parse_args(argv)
        args.out = args.out or runs.default_out("saved_models", name)
        return args


def _add_run_arguments(parser: argparse.ArgumentParser, quick: str) -> None:
    """Add --seed, --out, --quick, --resume and the others every training has."""
    add = parser.add_argument
    add("--seed", type=int, metavar="N", help="repeats a run; default: drawn, printed")
    add("--out", type=Path, metavar="DIR", help=OUT_HELP)
    add("--quick", action="store_true", help=f"{quick}, for trying things")
    add("--resume", action="store_true", help="continue a run that was cut short")
    add("--overwrite", action="store_true", help="replace an existing --out")
    add(
        "--precision",
        default="float32",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
        help="of layers; mixed needs a processor that has it",
    )
    add(
        "--deterministic",
        action="store_true",
        help="the same bits in every run with the same seed; slower",
    )
    add(
        "--gpu-memory-growth",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="take a graphics card's memory as needed, not all at once",
    )
    add(
        "--strategy",
        default="none",
        choices=strategies.STRATEGIES,
        help="of tf.distribute: train on all devices (mirrored) or, with TF_CONFIG, on "
        "several machines (multi_worker)",
    )
    add("--verbose", action="store_true", help="show TensorFlow's start-up lines")


def recorded(args: argparse.Namespace) -> dict[str, Any]:
    """The arguments that decide a run's results, for its manifest."""
    return {name: value for name, value in vars(args).items() if name not in _HOW}


def positive_int(text: str) -> int:
    """An integer of at least 1, as `type` of an argument."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1. Received: {text}")
    return int(text)


def positive_float(text: str) -> float:
    """A finite number above 0, as `type` of an argument."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be above 0. Received: {text}")
    return value


def share(text: str) -> float:
    """A number from 0 to below 1, as `type` of an argument."""
    value = _number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(
            f"must be at least 0 and below 1. Received: {text}"
        )
    return value


def _number(text: str) -> float:
    """`text` as a number; NaN, which is in no range, if it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def writable_picture(text: str) -> Path:
    """A `writable_file` that ends as pictures do, as `type` of an argument."""
    return writable_file(text, check=picture_format)


def writable_page(text: str) -> Path:
    """A `writable_file` that ends in .html, as `type` of an argument."""
    return writable_file(text, check=lambda path: check_suffix("path", path, ".html"))


def writable_file(text: str, check: Callable[[str], Any] | None = None) -> Path:
    """A file in a folder that exists, as `type` of an argument.

    Args:
        text: its path.
        check: raises a ValueError of `path` for what else is wrong with it.
    """
    try:
        if check:
            check(text)
        return check_writable("path", text)
    except ValueError as error:
        # argparse says which option it is.
        text = str(error).replace("`path` ", "").replace("path=", "")
        raise argparse.ArgumentTypeError(text) from error
