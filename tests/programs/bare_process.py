"""Asks exported files what a script is asked that runs in a process of its own.

    python bare_process.py SCRIPT ASKED ANSWER

The files stand for the script's stdin and stdout.
"""

import runpy
import sys
from types import SimpleNamespace

script, asked, answer = sys.argv[1:]
with open(asked, "rb") as given, open(answer, "wb") as taken:
    sys.stdin, sys.stdout = SimpleNamespace(buffer=given), SimpleNamespace(buffer=taken)
    try:
        runpy.run_path(script, run_name="__main__")
    finally:
        sys.stdout = sys.stderr
