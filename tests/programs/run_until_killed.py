"""Works in a run, `OUT`, until it is killed."""

import sys

from kerasdl.runs import run_folder

with run_folder(sys.argv[1], {"data": "sample", "epochs": 3}, seed=1) as run:
    (run.path / "weights").write_text("of epoch 1")
    print("at work", flush=True)
    sys.stdin.read()
