"""The command line that all recipes share; loads no TensorFlow."""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerasdl import runs, strategies
from kerasdl._checks import check_writable

# Where and how a run works, not what it computes: a resumed run may differ in these.
_HOW = (
    *("out", "resume", "overwrite", "verbose", "clear_cache", "seed"),
    *("gpu_memory_growth", "strategy"),
)

_QUICK = "at most 200 training images, or one of each class, and one epoch a stage"


class RecipeParser(argparse.ArgumentParser):
    """A parser whose help begins with the recipe's docstring, as it stands there."""

    def __init__(self, description: str) -> None:
        layout = argparse.RawDescriptionHelpFormatter
        super().__init__(description=description, formatter_class=layout)

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
        self, argv: Sequence[str] | None, name: str, quick: str = _QUICK
    ) -> argparse.Namespace:
        """Add the arguments of a training run, and parse `argv`.

        `quick` says what --quick takes.

        `--out` defaults to a free saved_models/NAME. With `--resume` it defaults to
        the newest partial run, and what `argv` leaves out is as recorded there. Of
        several machines the first alone has that run.
        """
        _add_run_arguments(self, quick)
        args = self.parse_args(argv)
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
    add("--out", type=Path, metavar="DIR", help="folder of the run, made at its end")
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


def writable_file(text: str) -> Path:
    """A file in a folder that exists, as `type` of an argument."""
    try:
        return check_writable("path", text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
