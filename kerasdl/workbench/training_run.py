"""A training run, from TensorFlow's start to the last words."""

import argparse
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kerasdl import runs, runtime

from .arguments import recorded
from .command import as_called

STATE = "state"  # folder of what a killed run goes on with
PREDICT = """{out}/ holds the model and report.html; on a photo of your own:
  python recipes/predict.py {out} PHOTO"""


@contextmanager
def training_run(
    args: argparse.Namespace,
    next_step: str = PREDICT,
    check: Callable[[argparse.Namespace], object] | None = None,
) -> Iterator[runs.Run]:
    """Start TensorFlow and work in the run's folder; see `runs.run_folder`.

    At the end the folders `state` are removed, not before: a kill would lose it all.
    Then what to do next is printed, by one machine of several. With `--clear-cache`,
    where a recipe has it, cached activations are removed and the process exits.

    Args:
        args: of `RecipeParser.parse_run`.
        next_step: the last words, in which `{out}` is the run's folder.
        check: of `args`, before there is a folder, where that takes TensorFlow.

    Raises:
        ValueError: as `runtime.start`, `check` and `runs.run_folder` raise it.
    """
    runtime.start(
        args.precision,
        args.deterministic,
        args.gpu_memory_growth,
        args.verbose,
        args.strategy,
    )
    has_cache = "clear_cache" in args
    if has_cache and args.clear_cache:
        _clear_cache(args.cache)
        raise SystemExit
    if check:
        check(args)
    with runs.run_folder(
        args.out,
        recorded(args),
        seed=args.seed,
        resume=args.resume,
        overwrite=args.overwrite,
    ) as run:
        yield run
    if not run.is_chief:
        return
    for state in list(run.out.rglob(STATE)):
        shutil.rmtree(state, ignore_errors=True)  # one may lie in another
    if has_cache:
        _print_cache_size(args.cache)
    print(f"\n{as_called(next_step).format(out=run.out)}")


def _clear_cache(folder: Path | None) -> None:
    """Remove cached activations: those of all recipes with the same --cache."""
    from kerasdl import train

    freed = train.clear_cache(folder)
    print(f"removed {freed / 1e6:.0f} MB of cached activations")


def _print_cache_size(folder: Path | None) -> None:
    from kerasdl import train

    if size := train.cache_size(folder):
        print(f"cached activations: {size / 1e6:.0f} MB (--clear-cache removes them)")
