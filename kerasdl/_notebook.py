"""Whether this runs in a notebook, and what a cell of it shows."""

import sys
from typing import Any


def notebook() -> Any | None:
    """IPython's shell where a kernel runs it; None in a terminal or a script."""
    if "IPython" not in sys.modules:
        return None
    shell = sys.modules["IPython"].get_ipython()
    return shell if hasattr(shell, "kernel") else None


def is_console() -> bool:
    """Whether lines are typed one by one, in a notebook or at a prompt."""
    return hasattr(sys, "ps1")  # IPython and its kernels set it too


def wants_picture(path: object) -> bool:
    """Whether a picture is drawn: into a file, or for the cell of a notebook."""
    return path is not None or notebook() is not None


def show(*values: Any) -> None:
    """Show `values` in the cell of a notebook, or print them."""
    if notebook() is None:
        for value in values:
            print(value)
        return
    from IPython.display import display

    display(*values)
