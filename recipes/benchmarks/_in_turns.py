"""Ways to train in turns, in one process: the options, and what a step takes."""

import argparse
import statistics
import time
from importlib.util import find_spec


def parse_rounds(argv, description, steps, batch_size, library):
    """`--rounds`, `--steps` and `--batch-size`, where `library` is installed."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default, help in (
        ("rounds", 5, "of which the median counts"),
        ("steps", steps, "of a round"),
        ("batch-size", batch_size, "of a step"),
    ):
        parser.add_argument(
            f"--{name}", type=int, default=default, metavar="N", help=help
        )
    args = parser.parse_args(argv)
    for name, value in vars(args).items():
        if value < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    if find_spec(library) is None:
        parser.error(f"{library} must be installed: pip install -e '.[bench]'")
    return args


def milliseconds(ways, rounds, steps):
    """Of each way the medians of a step: by the clock, and of processor time.

    Args:
        ways: functions that train so many steps, by name.
        rounds: how often each has its turn, after one that makes it warm.
        steps: of a turn.
    """
    clocks = time.perf_counter, time.process_time
    times = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, train in ways.items():
            began = [clock() for clock in clocks]
            train()
            spent = [
                clock() - start for clock, start in zip(clocks, began, strict=True)
            ]
            if number:
                times[name].append([1000 * seconds / steps for seconds in spent])
    return {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in times.items()
    }
