"""File names as text that every file and terminal can hold."""

import sys
from pathlib import Path


def as_text(name: str | Path) -> str:
    r"""`name`, with bytes that are no UTF-8 as escapes: `caf\udce9.jpg`."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def print_line(line: str) -> None:
    """Print `line`, with escapes for what the terminal does not know."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding))
