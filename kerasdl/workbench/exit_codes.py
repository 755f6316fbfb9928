"""What a recipe's process ends with: its exit code, and a line that says why."""

import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from kerasdl import strategies
from kerasdl.runs import KEPT

from .command import called_with
from .messages import has_option, say_error

LOST_WORKER = 75  # EX_TEMPFAIL: a try that may be repeated


def run_recipe(main: Callable[[], Any]) -> None:
    """Run `main` and exit: 0, or the number that it returns; 2 for bad input.

    1 for what goes wrong at work: a full disk or memory, a loss that is no number.
    130 for Ctrl-C. 75 where another machine of a job was lost: start all of them again,
    with --resume.
    """
    try:
        code = main()
    except (ValueError, ImportError) as error:
        _exit(2, str(error), _kept(error))
    except (OSError, FloatingPointError) as error:
        _exit(1, str(error), _kept(error))
    except KeyboardInterrupt as error:
        print(": ".join(filter(None, ["interrupted", _kept(error)])), file=sys.stderr)
        _exit(130)
    except Exception as error:
        kept = _kept(error)
        if lost := strategies.lost_worker(error):
            _leave(LOST_WORKER, str(lost), kept)
        # TensorFlow's own error is told by its name: it may not be loaded.
        if type(error).__name__ not in ("MemoryError", "ResourceExhaustedError"):
            if kept:
                others = [n for n in error.__notes__ if not n.startswith(KEPT)]
                error.__notes__ = [*others, kept]
            raise
        _exit(
            1,
            f"memory is full ({error}). A smaller --batch-size needs less, in "
            "a run of its own.",
            kept,
        )
    if isinstance(code, int) and code:
        sys.exit(code)


def _kept(error: BaseException) -> str:
    """What is left of the run, and what goes on with it; "" if nothing is."""
    notes = getattr(error, "__notes__", [])
    kept = "".join(note for note in notes if note.startswith(KEPT))
    ways = {"--resume": "to go on", "--overwrite": "to start anew"}
    for option, what in ways.items():
        if kept and has_option(option):
            return f"{kept}; {what}: {called_with(option)}"
    return kept


def _exit(code: int, message: str = "", kept: str = "") -> NoReturn:
    if strategies.is_multi_worker():
        _leave(code, message, kept)
    _say(message, kept)
    sys.exit(code)


def _leave(code: int, message: str, kept: str) -> NoReturn:
    """Exit at once: TensorFlow would wait for other machines, and these for this."""
    sys.stdout.flush()
    _say(message, kept)
    sys.stderr.flush()
    os._exit(code)


def _say(message: str, kept: str) -> None:
    if message:
        say_error(message)
    if kept:
        print(kept, file=sys.stderr)
