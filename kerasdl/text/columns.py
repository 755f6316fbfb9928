"""Which columns of a table hold texts and labels: named, or found."""

import pandas as pd

from kerasdl._checks import first_few

TEXT_NAMES = ("review", "text", "sentence", "comment")
LABEL_NAMES = ("label", "labels", "class", "sentiment", "category", "target")


def find_text_column(
    table: pd.DataFrame, column: str | None = None, usual: str | None = None
) -> str:
    """The column of texts: the one that is named, or else found.

    Found is `usual`, `review`, `text`, `sentence` or `comment`, the first that is
    there; or else the only column, or the only one of strings that are no numbers.

    Args:
        table: texts and what else.
        column: its name; None finds it.
        usual: the name it had in training.

    Raises:
        ValueError: it is not there, or none or several might be it.
    """
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise ValueError(
            "The table must have each column once. Received: "
            f"{first_few(twice)} more than once"
        )
    if column is not None:
        return _named(table, "text_column", column)
    for name in (usual, *TEXT_NAMES, *(table if table.shape[1] == 1 else ())):
        if name is not None and name in table:
            return name
    labels = {name for name in LABEL_NAMES if name in table}
    found = [name for name in table if name not in labels and _is_text(table[name])]
    if len(found) == 1:
        return found[0]
    raise ValueError(
        "The column of texts must be named review, text, sentence or comment, or be "
        f"the only one of strings. Received: {_columns(table)}. Name it by "
        "`text_column` (--text-column)."
    )


def find_label_column(table: pd.DataFrame, text: str, column: str | None = None) -> str:
    """The column of labels: the one that is named, or else found.

    Found is `label`, `class`, `sentiment` or the like; or else the only column besides
    that of the texts.

    Raises:
        ValueError: it is not there, or none or several might be it.
    """
    if column is not None:
        column = _named(table, "label_column", column)
        if column == text:
            raise ValueError(
                "`label_column` must be another column than that of the texts. "
                f"Received: label_column={column!r}"
            )
        return column
    for name in LABEL_NAMES:
        if name in table and name != text:
            return name
    found = [name for name in table if name != text]
    if len(found) == 1:
        return found[0]
    raise ValueError(
        "The column of labels must be named label, class or sentiment, or be the only "
        f"other one. Received: {_columns(table)}. Name it by `label_column` "
        "(--label-column)."
    )


def _named(table: pd.DataFrame, argument: str, column: str) -> str:
    if column not in table:
        raise ValueError(
            f"`{argument}` must be a column of the table. Received: "
            f"{argument}={column!r} of {_columns(table)}"
        )
    return column


def _columns(table: pd.DataFrame) -> str:
    return f"the columns {first_few(list(table))}"


def _is_text(values: pd.Series) -> bool:
    """Whether some value is a string that is no number."""
    strings = values[values.map(lambda value: isinstance(value, str))]
    filled = strings[strings.str.strip() != ""]
    return bool(pd.to_numeric(filled, errors="coerce").isna().any())
