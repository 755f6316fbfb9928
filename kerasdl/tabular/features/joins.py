"""A left join that says what did not match and never multiplies rows."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from kerasdl._checks import check_one_of, first_few

from ._columns import check_columns


def join(
    left: pd.DataFrame,
    right: pd.DataFrame,
    on: str | Sequence[str] | Mapping[str, str],
    suffix: str | None = None,
    unmatched: str = "error",
) -> pd.DataFrame:
    """Add the columns of `right` to the rows of `left`, which keep number and order.

    Args:
        left: the table; its index stays.
        right: has each key once.
        on: columns of both; a mapping names those of `left` and theirs in `right`.
        suffix: of columns that both have, when they come from `right`; None refuses
            them.
        unmatched: what to do about rows of `left` without one in `right`: "error", or
            "keep" with holes, after a line that counts and names their keys.

    Raises:
        ValueError: columns are not there or in both; `right` has a key twice; or rows
            do not match.

    Reference:
        fast.ai, lesson 3 (`join_df`)
    """
    check_one_of("unmatched", unmatched, ("error", "keep"))
    pairs = dict(on) if isinstance(on, Mapping) else _same(on)
    ours, theirs = list(pairs), list(pairs.values())
    check_columns("on", left, ours)
    check_columns("on", right, theirs)
    twice = right.duplicated(theirs)
    if twice.any():
        keys = right.loc[twice, theirs].drop_duplicates().itertuples(index=False)
        raise ValueError(
            "`right` must have each key once, as rows would be multiplied. Received: "
            f"{first_few([tuple(key) for key in keys])} more than once"
        )
    values = right.drop(columns=theirs)
    both = [name for name in values if name in left.columns]
    if both and suffix is None:
        raise ValueError(
            "`right` must have no column of `left` but the keys. Received: "
            f"{first_few(both)}. Drop them, or give them a `suffix`."
        )
    values = values.rename(columns={name: f"{name}{suffix}" for name in both})
    places = _places(left[ours], right[theirs])
    missing = places < 0
    if missing.any():
        keys = left.loc[missing, ours].drop_duplicates().itertuples(index=False)
        found = (
            f"{int(missing.sum())} of {len(left)} rows have no match on "
            f"{', '.join(ours)}: {first_few([tuple(key) for key in keys])}"
        )
        if unmatched == "error":
            raise ValueError(
                f"`right` must have a row for each of `left`. Received: {found}. "
                'unmatched="keep" leaves holes.'
            )
        print(found)
    values = values.reset_index(drop=True)
    if missing.any():  # a row of holes, which stands at the end
        values = values.reindex(range(len(values) + 1))
    return pd.concat([left, values.iloc[places].set_axis(left.index)], axis=1)


def _same(on: str | Sequence[str]) -> dict[str, str]:
    names = [on] if isinstance(on, str) else list(on)
    return dict(zip(names, names, strict=True))


def _places(left: pd.DataFrame, right: pd.DataFrame) -> np.ndarray:
    """The row of `right` with the key of each row of `left`, or -1."""
    wanted = np.zeros(len(left), "int64")
    found = np.zeros(len(right), "int64")
    for ours, theirs in zip(left, right, strict=True):
        codes, values = pd.factorize(right[theirs], use_na_sentinel=False)
        # Through the few different keys of `left`, however many rows have them.
        own_codes, own = pd.factorize(left[ours], use_na_sentinel=False)
        places = pd.Index(values).get_indexer(pd.Index(own))
        code = places[own_codes] if len(own) else own_codes
        wanted = np.where((code < 0) | (wanted < 0), -1, wanted * len(values) + code)
        found = found * len(values) + codes
    return pd.Index(found).get_indexer(pd.Index(wanted))
