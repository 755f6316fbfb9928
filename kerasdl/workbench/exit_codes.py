"""What a recipe's process ends with: its exit code, and a line that says why."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from kerasdl import strategies

LOST_WORKER = 75  # EX_TEMPFAIL: a try that may be repeated


def run_recipe(main: Callable[[], None]) -> None:
    """Run `main` and exit: 0; 2 for bad input; 130 for Ctrl-C.

    1 for what goes wrong at work: a full disk or memory, a loss that is no number.
    75 where another machine of a job was lost: start all of them again, with --resume.
    """
    try:
        main()
    except (ValueError, ImportError) as error:
        _exit(2, f"error: {error}")
    except (OSError, FloatingPointError) as error:
        _exit(1, f"error: {error}")
    except KeyboardInterrupt:
        _exit(130, "interrupted")
    except Exception as error:
        if lost := strategies.lost_worker(error):
            _leave(LOST_WORKER, f"error: {lost}")
        # TensorFlow's own error is told by its name: it may not be loaded.
        if type(error).__name__ not in ("MemoryError", "ResourceExhaustedError"):
            raise
        _exit(
            1,
            f"error: memory is full ({error}). A smaller --batch-size needs less, in "
            "a run of its own; with more memory --resume goes on with this one.",
        )


def _leave(code: int, message: str) -> NoReturn:
    """Exit at once: TensorFlow would wait for other machines, and these for this."""
    sys.stdout.flush()
    print(message, file=sys.stderr, flush=True)
    os._exit(code)


def _exit(code: int, message: str) -> NoReturn:
    if strategies.is_multi_worker():
        _leave(code, message)
    print(message, file=sys.stderr)
    sys.exit(code)
