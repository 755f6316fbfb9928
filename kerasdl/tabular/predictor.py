"""A finished run that answers the rows of a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from kerasdl._described import Described, named_network, some
from kerasdl.models import load_model
from kerasdl.runs import read_run
from kerasdl.tables import read_csv, read_header

from .columns import PREDICTION, PROBABILITY, Columns
from .features._columns import check_complete
from .files import TABLES, read_tables
from .target import Target
from .values import check_numbers, check_text, check_whole, is_hole, plain

TASK = "tabular"
_BATCH = 8192


class Predictor(Described):
    """A model of raw columns, and what is known of them.

    Args:
        model: as `with_raw_columns` makes it.
        columns: that it takes.
        target: that it answers.
    """

    def __init__(self, model: keras.Model, columns: Columns, target: Target) -> None:
        self.model, self.columns, self.target = model, columns, target

    @classmethod
    def load(cls, run: str | Path) -> Self:
        """Read a finished run of a table.

        Raises:
            ValueError: `run` is none, or its files are damaged.
        """
        info = read_run(run)
        info.of_task({TASK: True})
        columns, target = read_tables(info.path / TABLES)
        return cls(load_model(info.model_path), columns, target)

    def _facts(self) -> dict[str, str]:
        classes = some(self.target.class_names)
        return {
            "network": named_network(self.model),
            "target": f"{self.target.name}{classes and f', {classes}'}",
            "columns": some(self.columns.names),
        }

    def predict(self, table: pd.DataFrame | str | Path) -> pd.DataFrame:
        """Add a column `prediction` to every row, in its order.

        Of classes it is the name of the likeliest, and a column `probability` follows.
        A category that is not known, and a hole where training had none, are answered
        all the same.

        Args:
            table: a frame, or a CSV file; further columns do no harm. Those of a file
                come back as the text that stands there.

        Raises:
            ValueError: a column is missing, or of another type; the message names it
                and a row of it. Or the table has a `prediction` already.
            FloatingPointError: as by `answer`.
        """
        if isinstance(table, pd.DataFrame):
            return self.with_answers(table, table)
        if not isinstance(table, (str, Path)):
            raise ValueError(
                "`table` must be a DataFrame or a CSV file. Received: a "
                f"{type(table).__name__}. `pandas.DataFrame(rows)` makes one of rows."
            )
        return self.with_answers(*read_rows("table", table, self.columns))

    def with_answers(self, table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
        """Add the answers to `rows` to `table`, which may show the same rows otherwise.

        Args:
            table: with a row for each of `rows`.
            rows: that are answered.

        Raises:
            ValueError: as by `predict`.
            FloatingPointError: as by `answer`.
        """
        taken = [name for name in (PREDICTION, PROBABILITY) if name in table]
        if taken:
            raise ValueError(
                "`table` must have no column of an answer's name. Received: "
                f"{', '.join(taken)}. Drop or rename it."
            )
        answers = self.answer(rows)
        if self.target.is_regression:
            return table.assign(prediction=answers[:, 0])
        names = np.array(self.target.class_names)
        best = answers.argmax(axis=1) if len(answers) else np.zeros(0, int)
        likely = answers.max(axis=1) if len(answers) else np.zeros(0)
        return table.assign(prediction=names[best], probability=likely)

    def answer(self, frame: pd.DataFrame) -> np.ndarray:
        """What the model says: `(n, 1)` numbers or `(n, classes)` probabilities.

        Raises:
            ValueError: as by `predict`.
            FloatingPointError: an answer is NaN or infinite; the message names its row
                and the column that is farthest from what training had.
        """
        rows = raw_rows(frame, self.columns)
        if not len(frame):
            return np.zeros((0, self.target.num_outputs))
        parts = []
        for start in range(0, len(frame), _BATCH):
            part = {name: rows[name][start : start + _BATCH] for name in rows}
            tensors = {name: tf.constant(values) for name, values in part.items()}
            parts.append(self.model.predict_on_batch(tensors))
        answers = np.concatenate(parts)
        wrong = np.flatnonzero(~np.isfinite(answers).all(axis=1))
        if len(wrong):
            raise FloatingPointError(self._no_number(frame, wrong))
        return answers

    def _no_number(self, frame: pd.DataFrame, wrong: np.ndarray) -> str:
        row = self.columns.with_date_parts(frame.iloc[wrong[:1]])
        farthest = ""
        if self.columns.numbers:
            _, numbers = self.columns.encode(row)
            far = np.abs(numbers[0, : len(self.columns.numbers)]).argmax()
            name = self.columns.numbers[far].name
            farthest = f" Farthest from training is {name}={plain(row[name].iloc[0])!r}"
        return (
            "The model must answer with numbers. Received: NaN or an infinite one for "
            f"row {plain(row.index[0])!r}, one of {len(wrong)} such rows.{farthest}"
        )


def read_rows(
    name: str, file: str | Path | bytes, columns: Columns, num_rows: int | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A CSV file as the text that stands there, and the columns of a model by type.

    What pandas takes for a hole, such as NA, is one unless training knew it as a
    category.

    Args:
        name: of the argument that `file` is, for errors.
        file: its path, or what is in it.
        columns: that are read by type.
        num_rows: that are read at most; None reads all.

    Raises:
        ValueError: it cannot be read, or a column is missing.
    """
    text = read_csv(name, file, dtype=str, keep_default_na=False, nrows=num_rows)
    needed = columns.needed(text.columns)
    check_complete(name, text, needed)
    types = {"dtype": columns.text_types, "usecols": needed}
    typed = read_csv(name, file, **types, nrows=num_rows)
    for column in columns.categories:
        if column.is_text and column.name in typed:
            held = text[column.name]
            known = held.isin(column.values)
            typed[column.name] = typed[column.name].mask(known, held)
    return text.set_axis(read_header(name, file), axis=1), typed


def raw_rows(frame: pd.DataFrame, columns: Columns) -> dict[str, np.ndarray]:
    """Rows as a model of raw columns takes them: text, or float32, `(n, 1)` each.

    Raises:
        ValueError: a column is missing, or of another type than in training.
    """
    frame = columns.with_date_parts(frame)
    check_complete("table", frame, columns.names)
    rows = {}
    for column in columns.categories:
        values = frame[column.name]
        if column.is_text:
            values = check_text(values).mask(is_hole(values), "")
            rows[column.name] = values.to_numpy(object)[:, None]
        else:
            rows[column.name] = _numbers(check_whole(values))
    for column in columns.numbers:
        rows[column.name] = _numbers(check_numbers(frame[column.name]))
    return rows


def plain_rows(frame: pd.DataFrame, columns: Columns) -> dict[str, list[Any]]:
    """`raw_rows` as JSON takes them, in which None is a hole among numbers."""
    return {
        name: [None if value != value else value for value in values[:, 0].tolist()]
        for name, values in raw_rows(frame, columns).items()
    }


def frame_of_rows(rows: Any, columns: Columns) -> pd.DataFrame:
    """A table of rows that came as JSON: a list of mappings from column to value.

    Raises:
        ValueError: they are something else, or a value is neither text nor a number.
    """
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(
            "rows must be a list of objects with a value for each column. Received: "
            f"{str(rows)[:80]}"
        )
    needed = columns.needed(rows[0] if rows else ())
    for place, row in enumerate(rows):
        missing = [name for name in needed if name not in row]
        if missing:
            raise ValueError(f"row {place} must have {', '.join(missing)}")
        for name in needed:
            if not _is_value(row[name]):
                raise ValueError(
                    f"row {place} must have text, a number or null for {name}. "
                    f"Received: {row[name]!r:.80}"
                )
    return pd.DataFrame(
        [[row[name] for name in needed] for row in rows], columns=needed
    )


def _is_value(value: Any) -> bool:
    """Whether a cell may hold it; half of a surrogate pair is no text."""
    if not isinstance(value, str):
        return value is None or isinstance(value, (int, float))
    return value.encode(errors="replace").decode() == value


def _numbers(values: pd.Series) -> np.ndarray:
    return values.to_numpy("float32", na_value=np.nan)[:, None]
