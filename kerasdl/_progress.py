"""A progress bar on a terminal and in a notebook, ten lines elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator
from html import escape
from typing import TypeVar

from tqdm import tqdm

from kerasdl._notebook import notebook

Item = TypeVar("Item")
_SECONDS = 0.2  # between two pictures of a bar


def show_progress(
    items: Iterable[Item],
    total: int,
    label: str,
    start: int = 0,
    step: int = 1,
    unit: str = "images",
) -> Iterator[Item]:
    """Yield `items`; show on stderr, or in a cell, how many of `total` are done.

    Args:
        items: what is being worked on.
        total: number at the end.
        label: what it is, before the numbers.
        start: number that was done before.
        step: number that one item stands for; the last may be less.
        unit: what is counted.
    """
    done = start
    if notebook() is not None:
        cell = Cell()
        try:
            for item in items:
                yield item
                done = min(done + step, total)
                cell.show(bar(done, total, f"{label}: {done} of {total} {unit}"))
        finally:
            cell.show("", now=True)  # bars of what is done would stack up
        return
    on_terminal = sys.stderr.isatty()
    with tqdm(
        desc=label,
        total=total,
        initial=start,
        unit=f" {unit}",
        disable=not on_terminal,
    ) as on_screen:
        for item in items:
            yield item
            before, done = done, min(done + step, total)
            on_screen.update(done - before)
            if not on_terminal and done * 10 // total > before * 10 // total:
                print(f"{label}: {done} of {total}", file=sys.stderr)


class Cell:
    """A place in the output of a notebook's cell whose HTML changes."""

    def __init__(self) -> None:
        self._place = None
        self._last = 0.0

    def is_due(self) -> bool:
        """Whether the last picture was not a moment ago."""
        return time.monotonic() >= self._last + _SECONDS

    def show(self, html: str, now: bool = False) -> None:
        """Put `html` there, unless that was done a moment ago and not `now`."""
        if not now and not self.is_due():
            return
        from IPython.display import HTML, display

        self._last = time.monotonic()
        if self._place is None:
            self._place = display(HTML(html), display_id=True)
        else:
            self._place.update(HTML(html))


def bar(done: int, total: int, text: str) -> str:
    """HTML of a bar, and `text` beside it."""
    return (
        f'<progress value="{done}" max="{total}" style="width:20em"></progress> '
        f"{escape(text)}"
    )
