"""The epochs of a training as a table to read."""

import pandas as pd

_NAMES = {"loss": "train_loss", "val_loss": "valid_loss", "learning_rate": "rate"}


def history_table(history: pd.DataFrame) -> str:
    """Lay out a row for each epoch: losses, metrics, rate, seconds, and the total time.

    Names begin with `train_` or `valid_`. The rate is that of the epoch's last batch.

    Args:
        history: as `resumable_fit` and `fit_cycles` return it.
    """
    last = [name for name in ("learning_rate", "seconds") if name in history]
    first = [name for name in ("epoch", "loss", "val_loss") if name in history]
    metrics = [name for name in history if name not in (*first, *last)]
    metrics.sort(key=lambda name: name.removeprefix("val_"))  # train, then valid
    table = history[[*first, *metrics, *last]].rename(columns=_name)
    formats = dict.fromkeys(table, "{:.4f}".format)
    formats |= {"epoch": "{:.0f}".format, "rate": "{:.2e}".format}
    formats["seconds"] = "{:.1f}".format
    lines = table.to_string(index=False, formatters=formats, na_rep="")
    return f"{lines}\n{history['seconds'].sum():.1f} seconds in all"


def _name(column: str) -> str:
    if column in _NAMES or column in ("epoch", "seconds"):
        return _NAMES.get(column, column)
    is_valid = column.startswith("val_")
    return f"valid_{column.removeprefix('val_')}" if is_valid else f"train_{column}"
