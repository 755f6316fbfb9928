"""A progress bar on a terminal, ten lines elsewhere."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def show_progress(
    items: Iterable[Item],
    total: int,
    label: str,
    start: int = 0,
    step: int = 1,
    unit: str = "images",
) -> Iterator[Item]:
    """Yield `items`; show on stderr how many of `total` are done.

    Args:
        items: what is being worked on.
        total: number at the end.
        label: what it is, before the numbers.
        start: number that was done before.
        step: number that one item stands for; the last may be less.
        unit: what is counted.
    """
    done = start
    on_terminal = sys.stderr.isatty()
    with tqdm(
        desc=label,
        total=total,
        initial=start,
        unit=f" {unit}",
        disable=not on_terminal,
    ) as bar:
        for item in items:
            yield item
            before, done = done, min(done + step, total)
            bar.update(done - before)
            if not on_terminal and done * 10 // total > before * 10 // total:
                print(f"{label}: {done} of {total}", file=sys.stderr)
