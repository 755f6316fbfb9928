"""A call in a process of its own; run as a script, it is that process."""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """`function(*arguments)` in a process that begins, and may end, for it.

    The process loads what unpickling the function loads, and nothing else.

    Raises:
        ValueError: `function` raises one.
        ChildProcessError: the process ends by a signal.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "asked", Path(folder) / "answered"
        asked.write_bytes(pickle.dumps((function, arguments)))
        ended = subprocess.run(
            [sys.executable, "-P", __file__, str(asked), str(answered)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        if ended.returncode < 0:
            ending = signal.Signals(-ended.returncode).name
            raise ChildProcessError(f"A process of its own was ended by {ending}.")
        if ended.returncode:
            raise RuntimeError(f"A process of its own failed:\n{ended.stderr[-2000:]}")
        result, error = pickle.loads(answered.read_bytes())
        if error is not None:
            raise error
        return result


def main() -> None:
    """What the process runs: a pickled call, whose result or ValueError it pickles."""
    asked, answered = map(Path, sys.argv[1:])
    function, arguments = pickle.loads(asked.read_bytes())
    result = error = None
    try:
        result = function(*arguments)
    except ValueError as raised:
        error = raised
    answered.write_bytes(pickle.dumps((result, error)))


if __name__ == "__main__":
    main()
