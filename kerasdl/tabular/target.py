"""What is predicted: a number on a scale that suits a network, or a class."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from kerasdl._checks import check_class_names, check_one_of, first_few

from .features._columns import check_columns
from .guess import MOST_CODES
from .values import check_numbers, plain, spread_of, values_of

SCALES = ("standard", "log", "none")


@dataclass(frozen=True)
class Target:
    """The column that is predicted.

    Attributes:
        name: of the column.
        class_names: of classification, in output order; () of regression.
        scale: of regression, one of "standard", "log" and "none".
        mean: of the training rows, after the logarithm, and 0 of "none".
        spread: their standard deviation, and 1 of "none".
    """

    name: str
    class_names: tuple[str, ...] = ()
    scale: str = "none"
    mean: float = 0.0
    spread: float = 1.0

    @property
    def is_regression(self) -> bool:
        """Whether a number is predicted."""
        return not self.class_names

    @property
    def num_outputs(self) -> int:
        """Outputs of a network."""
        return len(self.class_names) or 1

    @classmethod
    def of(cls, column: pd.Series, task: str | None, scale: str | None) -> Self:
        """The target that the training rows `column` show.

        Args:
            column: without holes.
            task: "regression" or "classification"; None takes the first for numbers of
                more than 20 values, with a fraction or a `scale`, else the second.
            scale: of regression; None is "standard".

        Raises:
            ValueError: an argument is not one of these, or the column does not fit.
        """
        check_one_of("task", task, (None, "regression", "classification"))
        check_one_of("scale", scale, (None, *SCALES))
        column = values_of(column)
        task = task or _guess(column, scale)
        if task == "classification":
            if scale is not None:
                raise ValueError(
                    "`scale` must be None for classes. Received: "
                    f"scale={scale!r} for column {column.name!r}. Numbers as such are "
                    'task="regression".'
                )
            names = _class_names(column)
            if len(names) < 2:
                raise ValueError(
                    f"`target` must have two classes in the training rows. Received: "
                    f"{column.name!r} with {first_few(names)}"
                )
            return cls(str(column.name), names)
        scale = scale or "standard"
        values = check_numbers(column).to_numpy("float64")
        if scale == "log":
            values = np.log(_positive(column))
        spread = spread_of(str(column.name), values)
        if scale == "none":
            return cls(str(column.name), scale=scale)
        return cls(str(column.name), (), scale, float(values.mean()), spread)

    def encode(self, column: pd.Series) -> np.ndarray:
        """What a network is to answer: float32 `(n, 1)`, or classes, int32 `(n,)`.

        Raises:
            ValueError: a value cannot be one; the message names rows.
        """
        if not self.is_regression:
            names = values_of(column).map(str)
            codes = pd.Index(self.class_names).get_indexer(names)
            if (codes < 0).any():
                others = column[codes < 0]
                raise ValueError(
                    f"`target` must hold the classes of the training rows, "
                    f"{first_few(self.class_names)}. Received: "
                    f"{plain(others.iloc[0])!r} in row {plain(others.index[0])!r}, one "
                    f"of {len(others)} such rows"
                )
            return codes.astype("int32")
        values = check_numbers(column).to_numpy("float64")
        if self.scale == "log":
            values = np.log(_positive(column))
        return ((values - self.mean) / self.spread).astype("float32")[:, None]

    def decode(self, outputs: Any) -> np.ndarray:
        """Answers in the target's own unit, from a network's outputs `(n, 1)`."""
        values = np.asarray(outputs, "float64")[:, 0] * self.spread + self.mean
        return np.exp(values) if self.scale == "log" else values

    def limits(self, y_range: tuple[float, float]) -> tuple[float, float]:
        """A range of answers on the scale of a network's outputs.

        Raises:
            ValueError: it is no range, or of "log" not above 0.
        """
        low, high = y_range
        if not low < high or (self.scale == "log" and low <= 0):
            raise ValueError(
                "`y_range` must be lowest and highest answer, above 0 with "
                f'scale="log". Received: y_range={y_range!r}'
            )
        ends = np.log(y_range) if self.scale == "log" else np.asarray(y_range)
        return tuple(((ends - self.mean) / self.spread).tolist())

    def to_json(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(**{**found, "class_names": tuple(found["class_names"])})


def _guess(column: pd.Series, scale: str | None) -> str:
    kinds = pd.api.types
    is_number = kinds.is_numeric_dtype(column.dtype)
    if not is_number or kinds.is_bool_dtype(column.dtype):
        return "classification"
    values = column.to_numpy("float64")
    is_many = column.nunique() > MOST_CODES or (values != np.rint(values)).any()
    return "regression" if scale or is_many else "classification"


def _class_names(column: pd.Series) -> tuple[str, ...]:
    try:
        values = sorted(column.unique())
    except TypeError:  # they have no order, or are lists
        kinds = sorted({type(value).__name__ for value in column})
        raise ValueError(
            "`target` must hold values of one type, such as text or numbers. Received: "
            f"{column.name!r} with {first_few(kinds)}"
        ) from None
    names = tuple(pd.Series(values, dtype=column.dtype).map(str))
    check_class_names("target", names)
    return names


def check_target(frame: pd.DataFrame, name: str) -> None:
    """Raise ValueError unless `frame` has the column `name`, text, without holes."""
    check_columns("target", frame, [name])
    if not isinstance(name, str):
        raise ValueError(
            f"`target` must be a column named by text. Received: target={name!r}. "
            "Rename it (`frame.rename(columns=str)`)."
        )
    missing = frame.index[frame[name].isna()]
    if len(missing):
        raise ValueError(
            f"`target` must have a value in each row. Received: target={name!r}, "
            f"missing in {len(missing)} rows: {first_few(missing)}. Leave these "
            f"rows out of the table (`frame.dropna(subset=[{name!r}])`)."
        )


def _positive(column: pd.Series) -> np.ndarray:
    values = check_numbers(column).to_numpy("float64")
    if not (values > 0).all():
        wrong = column.index[~(values > 0)]
        raise ValueError(
            'scale="log" needs a target above 0. Received: '
            f"{plain(values[~(values > 0)][0])!r} in row {plain(wrong[0])!r} of "
            f"{column.name!r}, one of {len(wrong)} such rows"
        )
    return values
