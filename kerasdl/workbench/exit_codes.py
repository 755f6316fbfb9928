"""What a recipe's process ends with: its exit code, and a line that says why."""

import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from kerasdl import strategies

from .command import called_with
from .messages import say_error

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
        _exit(2, str(error))
    except (OSError, FloatingPointError) as error:
        _exit(1, str(error))
    except KeyboardInterrupt as error:
        kept = f": {error}; to go on: {called_with('--resume')}" if error.args else ""
        print(f"interrupted{kept}", file=sys.stderr)
        _exit(130)
    except Exception as error:
        if lost := strategies.lost_worker(error):
            _leave(LOST_WORKER, str(lost))
        # TensorFlow's own error is told by its name: it may not be loaded.
        if type(error).__name__ not in ("MemoryError", "ResourceExhaustedError"):
            raise
        _exit(
            1,
            f"memory is full ({error}). A smaller --batch-size needs less, in "
            "a run of its own; with more memory --resume goes on with this one.",
        )
    if isinstance(code, int) and code:
        sys.exit(code)


def _exit(code: int, message: str = "") -> NoReturn:
    if strategies.is_multi_worker():
        _leave(code, message)
    _say(message)
    sys.exit(code)


def _leave(code: int, message: str) -> NoReturn:
    """Exit at once: TensorFlow would wait for other machines, and these for this."""
    sys.stdout.flush()
    _say(message)
    sys.stderr.flush()
    os._exit(code)


def _say(message: str) -> None:
    if message:
        say_error(message)
