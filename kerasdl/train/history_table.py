"""The epochs of a training as a table to read."""

import pandas as pd

_NAMES = {"loss": "train_loss", "val_loss": "valid_loss", "learning_rate": "rate"}


def history_table(history: pd.DataFrame) -> str:
    """Lay out a row for each epoch: losses, metrics, rate, seconds, and the total time.

    Names begin with `train_` or `valid_`. The rate is that of the epoch's last batch.

    Args:
        history: as `resumable_fit` and `fit_cycles` return it.
    """
    lines = as_texts(history).to_string(index=False)
    return f"{lines}\n{history['seconds'].sum():.1f} seconds in all"


def as_texts(history: pd.DataFrame) -> pd.DataFrame:
    """The cells of `history_table`, its columns named and in their order."""
    last = [name for name in ("learning_rate", "seconds") if name in history]
    first = [name for name in ("epoch", "loss", "val_loss") if name in history]
    metrics = [name for name in history if name not in (*first, *last)]
    metrics.sort(key=lambda name: name.removeprefix("val_"))  # train, then valid
    table = history[[*first, *metrics, *last]].rename(columns=_name)
    forms = {"epoch": "{:.0f}", "rate": "{:.2e}", "seconds": "{:.1f}"}
    return pd.DataFrame(
        {
            name: [
                "" if pd.isna(value) else forms.get(name, "{:.4f}").format(value)
                for value in table[name]
            ]
            for name in table
        }
    )


def _name(column: str) -> str:
    if column in _NAMES or column in ("epoch", "seconds"):
        return _NAMES.get(column, column)
    is_valid = column.startswith("val_")
    return f"valid_{column.removeprefix('val_')}" if is_valid else f"train_{column}"
