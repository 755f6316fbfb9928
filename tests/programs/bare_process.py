"""Asks exported files what a script is asked that runs in a process of its own.

    python bare_process.py SCRIPT ASKED ANSWER

The files stand for the script's stdin and stdout. It runs in this process, whose
TensorFlow may have begun: the number of its threads stays.
"""

import runpy
import sys
from types import SimpleNamespace

import tensorflow as tf

script, asked, answer = sys.argv[1:]
for name in ("intra", "inter"):
    setter = f"set_{name}_op_parallelism_threads"
    setattr(tf.config.threading, setter, lambda number: None)
stdin, stdout = sys.stdin, sys.stdout
with open(asked, "rb") as given, open(answer, "wb") as taken:
    sys.stdin, sys.stdout = SimpleNamespace(buffer=given), SimpleNamespace(buffer=taken)
    try:
        runpy.run_path(script, run_name="__main__")
    finally:
        sys.stdin, sys.stdout = stdin, stdout
