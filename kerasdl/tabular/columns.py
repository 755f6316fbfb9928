"""Which columns a network takes, and the numbers that stand for their values."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from kerasdl._checks import first_few

from .features import add_datepart
from .features._columns import check_columns, check_complete
from .features.dates import part_names
from .values import (
    check_numbers,
    check_text,
    check_whole,
    is_hole,
    spread_of,
    values_of,
)

PREDICTION, PROBABILITY = "prediction", "probability"  # columns of answers
UNKNOWN = 0  # code of a category that training did not know
_LEAST_SCALE = 1e-6  # below, Keras clips it


@dataclass(frozen=True)
class Category:
    """A column of categories.

    Attributes:
        name: of the column.
        values: what training knew, sorted: text or whole numbers. The code of each is
            its place, from 1 on.
        has_hole: whether holes are a category of their own, whose code is the last.
    """

    name: str
    values: tuple[Any, ...]
    has_hole: bool

    @property
    def is_text(self) -> bool:
        """Whether the values are text."""
        return not self.values or isinstance(self.values[0], str)

    @property
    def num_codes(self) -> int:
        """Codes, with those of what is unknown and of holes."""
        return 1 + len(self.values) + self.has_hole

    def codes(self, column: pd.Series) -> np.ndarray:
        """The code of each row, int32."""
        held = column.astype(object) if self.is_text else column
        found = pd.Index(self.values).get_indexer(held.to_numpy(dtype=None))
        codes = (found + 1).astype("int32")
        if self.has_hole:
            codes[is_hole(column)] = self.num_codes - 1
        return codes


@dataclass(frozen=True)
class Number:
    """A column of numbers.

    Attributes:
        name: of the column.
        fill: what stands for a hole, the median of the training rows.
        mean: of the training rows, holes filled.
        scale: their standard deviation, or 1 where all are equal.
        has_hole: whether a further column says where holes were.
    """

    name: str
    fill: float
    mean: float
    scale: float
    has_hole: bool

    def numbers(self, column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Standardised numbers, float32, and where holes were."""
        values = column.to_numpy("float32", na_value=np.nan)
        holes = np.isnan(values)
        filled = np.where(holes, np.float32(self.fill), values)
        return (filled - np.float32(self.mean)) / np.float32(self.scale), holes


@dataclass(frozen=True)
class Columns:
    """The columns of a network, and how their values become numbers.

    Attributes:
        categories: columns of categories.
        numbers: columns of numbers.
        dates: columns of dates, of which `add_datepart` makes some of the others where
            these are not there.
    """

    categories: tuple[Category, ...]
    numbers: tuple[Number, ...]
    dates: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Of all columns, categories first."""
        return [column.name for column in (*self.categories, *self.numbers)]

    @property
    def text_types(self) -> dict[str, type]:
        """What `pandas.read_csv` takes as `dtype`, so that text stays text."""
        return {column.name: str for column in self.categories if column.is_text}

    @property
    def num_numbers(self) -> int:
        """How many numbers stand for the columns of numbers of a row."""
        return sum(1 + column.has_hole for column in self.numbers)

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        categorical: Sequence[str],
        continuous: Sequence[str],
        min_count: int = 1,
        dates: Sequence[str] = (),
    ) -> Self:
        """What the rows of `frame`, for training, say of these columns.

        Args:
            frame: training rows.
            categorical: names of columns of categories.
            continuous: names of columns of numbers.
            min_count: rows that a category must have to be known.
            dates: names of columns whose parts are among the others.

        Raises:
            ValueError: a column is not there, named twice, or of a type that cannot be
                used so; the message names it and rows of it.
        """
        names = [*categorical, *continuous]
        if not names:
            raise ValueError(
                "A network needs columns. Received: categorical=[], continuous=[]"
            )
        check_columns("categorical, continuous", frame, names)
        if wrong := [name for name in names if not _is_name(name)]:
            raise ValueError(
                "Columns must be named by text without '/', as inputs of a model are. "
                f"Received: {first_few(wrong)}. Rename them in the table's "
                "header (`frame.rename(columns=...)`)."
            )
        if taken := {PREDICTION, PROBABILITY} & {*names}:
            raise ValueError(
                "Columns must not be named as those of answers are. Received: "
                f"{first_few(sorted(taken))}. Rename them in the table's header "
                "(`frame.rename(columns=...)`)."
            )
        twice = pd.Index(names)
        if twice.has_duplicates:
            raise ValueError(
                "`categorical` and `continuous` must name each column once. Received: "
                f"{first_few(twice[twice.duplicated()])} more than once"
            )
        return cls(
            tuple(_category(frame[name], min_count) for name in categorical),
            tuple(_number(frame[name]) for name in continuous),
            tuple(dates),
        )

    def needed(self, given: Collection[str]) -> list[str]:
        """Columns that rows with the columns `given` must have.

        They are a date, or all of its parts.
        """
        names, dates = self.names, []
        for date in self.dates:
            made = {*part_names(date)} & {*names}
            if not made <= {*given}:
                dates.append(date)
                names = [name for name in names if name not in made]
        return names + dates

    def with_date_parts(self, frame: pd.DataFrame) -> pd.DataFrame:
        """`frame` with the parts of those dates of which it has not all that are taken.

        A date that is there wins over a column that happens to have the name of a part.
        """
        needed = self.needed(frame.columns)
        return with_date_parts(frame, [name for name in self.dates if name in needed])

    def encode(self, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Codes of the categories, int32 `(n, c)`, and numbers, float32 `(n, m)`.

        Behind the numbers of all columns stand 1 and 0 for those that have holes.

        Raises:
            ValueError: a column is not there, or of another type than in training; the
                message names it and rows of it.
        """
        frame = self.with_date_parts(frame)
        check_complete("frame", frame, self.names)
        codes = np.zeros((len(frame), len(self.categories)), "int32")
        for place, column in enumerate(self.categories):
            check = check_text if column.is_text else check_whole
            codes[:, place] = column.codes(check(frame[column.name]))
        numbers = np.zeros((len(frame), self.num_numbers), "float32")
        flag = len(self.numbers)
        for place, column in enumerate(self.numbers):
            values = check_numbers(frame[column.name])
            numbers[:, place], holes = column.numbers(values)
            if column.has_hole:
                numbers[:, flag], flag = holes, flag + 1
        return codes, numbers

    def to_json(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(
            tuple(
                Category(**{**column, "values": tuple(column["values"])})
                for column in found["categories"]
            ),
            tuple(Number(**column) for column in found["numbers"]),
            tuple(found["dates"]),
        )


def check_dates(frame: pd.DataFrame, dates: Iterable[str]) -> None:
    """Raise ValueError unless `frame` has `dates`, and no column of their parts' names.

    Else nobody could tell, of rows that come later, what such a column means.
    """
    check_columns("dates", frame, dates)
    taken = {*frame.columns}
    for date in dates:
        parts = part_names(date)
        if clash := [part for part in parts if part in taken]:
            raise ValueError(
                "`dates` must be columns whose parts have names that are free. "
                f"Received: {date!r}, whose {first_few(clash)} the table or another "
                "date has already. Rename one of them in the table's header "
                "(`frame.rename(columns=...)`)."
            )
        taken |= {*parts}


def with_date_parts(frame: pd.DataFrame, dates: Iterable[str]) -> pd.DataFrame:
    """`frame` with the parts of those `dates` that it has."""
    for name in dates:
        if name in frame:
            frame = frame.assign(**add_datepart(frame[[name]], name))
    return frame


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and bool(name) and "/" not in name


def _category(column: pd.Series, min_count: int) -> Category:
    is_number = pd.api.types.is_numeric_dtype(values_of(column).dtype)
    column = check_whole(column) if is_number else check_text(column)
    holes = is_hole(column)
    counts = column[~holes].value_counts()
    values = sorted(counts.index[counts >= min_count])
    if not values:
        raise ValueError(
            f"`categorical` must be columns with values. Received: {column.name!r}, "
            f"without one that stands in {min_count} training rows"
        )
    plain = [int(value) if is_number else str(value) for value in values]
    return Category(str(column.name), tuple(plain), bool(holes.any()))


def _number(column: pd.Series) -> Number:
    values = check_numbers(column).to_numpy("float64", na_value=np.nan)
    holes = np.isnan(values)
    if holes.all():
        raise ValueError(
            f"`continuous` must be columns with numbers. Received: {column.name!r}, "
            "which has none in the training rows"
        )
    fill = float(np.median(values[~holes]))
    filled = np.where(holes, fill, values)
    name = str(column.name)
    scale = spread_of(name, filled, _LEAST_SCALE)
    return Number(name, fill, float(filled.mean()), scale, bool(holes.any()))
