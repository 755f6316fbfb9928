"""Texts that stand there more than once, found by their content."""

import unicodedata
from dataclasses import dataclass

import pandas as pd

from .splits import SPLITS


@dataclass(frozen=True)
class Repeats:
    """What was left out, in rows, and what told.

    Attributes:
        rows: that came.
        empty: without any text.
        repeated: of a text that another row has too, with the same label.
        contradictory: of texts that have several labels; none of them is kept.
        shared: for pairs of given splits, such as ("train", "test"), the rows of the
            second whose text stands in the first.
        of: rows of each given split, without empty ones.
    """

    rows: int
    empty: int
    repeated: int
    contradictory: int
    shared: dict[tuple[str, str], int]
    of: dict[str, int]

    def lines(self) -> list[str]:
        """What a person is told."""
        found = [
            f"{self.rows:,} rows; left out: {self.empty:,} empty, {self.repeated:,} "
            f"repeated, {self.contradictory:,} of texts with several labels"
        ]
        for (first, second), count in self.shared.items():
            if count:
                share = count / self.of[second]
                found.append(
                    f"leak: {count:,} rows of {second} ({share:.1%}) stand in {first} "
                    f"too; {second} keeps them, {first} does not"
                )
        return found


def content(text: str) -> str:
    """What two texts that are the same share: no case, width or blanks."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(folded.split())


def without_repeats(
    texts: pd.Series, labels: pd.Series, splits: pd.Series | None = None
) -> tuple[pd.Series, Repeats]:
    """Choose rows so that no text stands there twice.

    Of given splits the last that has a text keeps it: held-out rows stay, and training
    does not see them.

    Args:
        texts: strings, by row.
        labels: by row.
        splits: "train", "valid" or "test" for each row; None is one for all.

    Returns:
        For each row whether it is kept, and what was left out.
    """
    keys = texts.map(content)
    parts = pd.Series(SPLITS[0], index=texts.index) if splits is None else splits
    order = [name for name in SPLITS if (parts == name).any()]
    filled = keys != ""
    of = {name: int((filled & (parts == name)).sum()) for name in order}
    several = labels[filled].groupby(keys[filled]).transform("nunique") > 1
    several = several.reindex(texts.index, fill_value=False)
    usable = filled & ~several
    shared = {}
    for place, second in enumerate(order):
        for first in order[:place]:
            held = set(keys[filled & (parts == first)])
            own = keys[filled & (parts == second)]
            shared[first, second] = int(own.isin(held).sum())
    ranked = parts.map({name: -place for place, name in enumerate(order)})
    chosen = keys[usable].iloc[ranked[usable].argsort(kind="stable")]
    first = chosen.index[~chosen.duplicated()]
    kept = pd.Series(False, index=texts.index)
    kept[first] = True
    return kept, Repeats(
        rows=len(texts),
        empty=int((~filled).sum()),
        repeated=int((usable & ~kept).sum()),
        contradictory=int(several.sum()),
        shared=shared,
        of=of,
    )
