"""A training step of the classics: plain Keras, and what makes it faster.

    python recipes/benchmarks/train_step.py

Batch and size as in each network's lesson, SGD, `model.fit` on one batch in memory; the
ways go in turns, in one run. oneDNN is what `import kerasdl` switches on; fused is
`train.fused_batch_norm` too, fast `train.fast_convolutions` besides, as what trains
models here has all three; xla `compile(jit_compile=True)` on top of them. bfloat16, on
top of the three, takes part where the processor computes in it.
"""

import argparse
from functools import partial
from pathlib import Path

from _training_steps import LESSONS, Worker, in_turns, write_row

import kerasdl

WAYS = {  # name -> precision and switches, oneDNN
    "plain": ("float32", False),
    "onednn": ("float32", True),
    "fused": ("float32+fused", True),
    "fast": ("float32+fused+fast", True),
    "xla": ("float32+fused+fast+xla", True),
    "bfloat16": ("mixed_bfloat16+fused+fast", True),
}


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--networks", nargs="+", default=list(LESSONS), choices=LESSONS, metavar="NAME")
    add("--ways", nargs="+", default=list(WAYS), choices=WAYS, metavar="WAY")
    add("--rounds", type=int, default=5, metavar="N")
    add("--steps", type=int, default=3, metavar="N", help="of a round")
    add("--batch-size", type=int, metavar="N", help="default: the lesson's")
    add("--csv", type=Path, metavar="PATH", help="write the table, in milliseconds")
    args = parser.parse_args(argv)
    for name in ("rounds", "steps"):
        if getattr(args, name) < 1:
            parser.error(f"--{name} must be at least 1")
    if args.csv and args.csv.exists():
        parser.error(f"--csv must not exist yet. Received: {args.csv}")
    if not kerasdl.runtime.computes_in("mixed_bfloat16"):
        args.ways = [way for way in args.ways if way != "bfloat16"]
    return args


def main(argv=None):
    args = parse_args(argv)
    write_row(args.csv, ["network", *args.ways])
    print(f"{'ms a step':>16}" + "".join(f"{way:>12}" for way in args.ways), flush=True)
    for network in args.networks:
        workers = {}
        for way in args.ways:
            mode, onednn = WAYS[way]
            workers[way] = partial(
                Worker,
                "keras",
                network,
                mode,
                batch_size=args.batch_size,
                onednn=onednn,
            )
        found = in_turns(workers, args.rounds, args.steps)
        write_row(args.csv, [network, *found.values()])
        numbers = "".join(f"{number:12.2f}" for number in found.values())
        print(f"{network:>16}{numbers}   {min(found, key=found.get)}", flush=True)


if __name__ == "__main__":
    main()
