"""A training step of the classics here, and of the same layers in PyTorch.

    python recipes/benchmarks/train_step_vs_torch.py

The same network, batch, size and optimizer (SGD), in turns, in one run; both have all
processors. PyTorch runs as it comes, with channels last, and, where a C++ compiler is
installed, by `torch.compile`. Needs the extra `bench`.
"""

import argparse
import os
import shutil
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from _training_steps import LESSONS, Worker, in_turns, write_row

GOAL, MEAN_GOAL, BEST_GOAL = 1.0, 0.8, 1.0
KERAS = "float32+fused+fast"  # as what trains models here has it
TORCH = ["default", "channels_last"]
if shutil.which(os.environ.get("CXX", "g++")):
    TORCH.append("compile")
VERDICT = {True: "reached", False: "MISSED"}


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--networks", nargs="+", default=list(LESSONS), choices=LESSONS, metavar="NAME")
    add("--rounds", type=int, default=7, metavar="N")
    add("--steps", type=int, default=3, metavar="N", help="of a round")
    add("--batch-size", type=int, metavar="N", help="default: the lesson's")
    add("--csv", type=Path, metavar="PATH", help="write the table")
    args = parser.parse_args(argv)
    for name in ("rounds", "steps"):
        if getattr(args, name) < 1:
            parser.error(f"--{name} must be at least 1")
    if args.csv and args.csv.exists():
        parser.error(f"--csv must not exist yet. Received: {args.csv}")
    if find_spec("torch") is None:
        parser.error("PyTorch must be installed: pip install -e '.[bench]'")
    return args


def main(argv=None):
    args = parse_args(argv)
    rows = []
    header = ["network", "keras_ms", "torch_default_ms", "torch_best_ms"]
    header += ["ratio", "ratio_best"]
    write_row(args.csv, header)
    print("".join(f"{name:>18}" for name in header), "  PyTorch's best", flush=True)
    for network in args.networks:
        workers = {"keras": partial(Worker, "keras", network, KERAS, args.batch_size)}
        for mode in TORCH:
            workers[mode] = partial(Worker, "torch", network, mode, args.batch_size)
        found = in_turns(workers, args.rounds, args.steps)
        keras = found.pop("keras")
        best = min(found, key=found.get)
        row = [network, keras, found["default"], found[best]]
        row += [keras / found["default"], keras / found[best]]
        rows.append(row)
        write_row(args.csv, row)
        numbers = "".join(f"{number:18.3f}" for number in row[1:])
        print(f"{network:>18}{numbers}   {best}", flush=True)
    mean = sum(row[4] for row in rows) / len(rows)
    worst, worst_best = (max(row[column] for row in rows) for column in (4, 5))
    for text, value, goal in (
        ("largest ratio", worst, GOAL),
        ("mean ratio", mean, MEAN_GOAL),
        ("largest ratio to PyTorch's best", worst_best, BEST_GOAL),
    ):
        print(f"{text} {value:.3f}, goal {goal} {VERDICT[value <= goal]}")


if __name__ == "__main__":
    main()
