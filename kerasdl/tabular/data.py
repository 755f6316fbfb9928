"""A table for training: encoded once, contiguous, in a seeded order."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.model_selection import GroupKFold, KFold

from kerasdl._checks import check_positive_int, first_few
from kerasdl._described import Described, some
from kerasdl._seeds import resolve_seed
from kerasdl.batches import BatchPlan, BatchStream, TrainingData, stratified_folds
from kerasdl.tables import read_csv, read_parquet

from .columns import Columns, check_dates, with_date_parts
from .features.dates import part_names
from .guess import usable_columns
from .splits import Valid, valid_rows
from .target import Target, check_target

Arrays = dict[str, np.ndarray]
CATEGORIES, NUMBERS = "categories", "numbers"  # what a network takes, by name


class TableData(Described, TrainingData):
    """Rows of a table, as `from_frame`, `from_csv` or `from_parquet` take them.

    It keeps to `kerasdl.batches.TrainingData`. Batches are pairs of a dict, of
    "categories" (codes, int32 `(n, c)`) and "numbers" (standardised, float32 `(n, m)`),
    and what a network is to answer.

    Attributes:
        frame: the table.
        columns: that a network takes, as the training rows show them.
        target: what is predicted.
        is_valid: for each row of `frame`, whether it is for validation.
        batch_size: rows in a batch of `train`.
        seed: of the order of `train`, and of what was drawn.
        min_count: training rows that a known category has at least.
        valid_group: a column whose equal values stay together, also in folds.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        columns: Columns,
        target: Target,
        is_valid: np.ndarray,
        batch_size: int,
        seed: int,
        min_count: int = 1,
        valid_group: str | None = None,
    ) -> None:
        self.frame, self.columns, self.target = frame, columns, target
        self.is_valid, self.batch_size, self.seed = is_valid, batch_size, seed
        self.min_count, self.valid_group = min_count, valid_group
        self._splits: dict[str, tuple[Arrays, np.ndarray]] = {}
        self._plan = BatchPlan(int((~is_valid).sum()), batch_size, True, seed=seed)
        self.stream = BatchStream(self._make, self._plan.num_batches, workers=1)
        self._shown: tuple[int, tuple[Arrays, np.ndarray]] | None = None
        self._lock = Lock()

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        target: str,
        categorical: Sequence[str] | None = None,
        continuous: Sequence[str] | None = None,
        valid: Valid = 0.2,
        batch_size: int = 256,
        *,
        valid_after: tuple[str, Any] | None = None,
        valid_group: str | None = None,
        task: str | None = None,
        scale: str | None = None,
        min_count: int = 1,
        dates: Sequence[str] = (),
        seed: int | None = None,
    ) -> Self:
        """Encode a DataFrame.

        What is unknown, filled or scaled is decided by the training rows alone.

        Args:
            frame: a row for each example; other columns do no harm.
            target: the column that is predicted.
            categorical: columns of categories: text, or whole numbers below 2**24.
                Where this or `continuous` is None, columns that are named in neither
                are guessed (`guess_columns`), without those that a network cannot take,
                and the guess is printed.
            continuous: columns of numbers or booleans.
            valid: the share of rows for validation, of each class or group alike; or
                numbers of the rows from 0 on; or a boolean for each row.
            batch_size: rows in a batch.
            valid_after: a column, such as a date, and the value from which on rows are
                for validation.
            valid_group: a column whose equal values stay together.
            task: "regression" or "classification"; None goes by the target's values, as
                `Target.of` does, and prints it.
            scale: of regression: "standard", "log" (for answers that are off by a
                share; the target is above 0) or "none"; None is "standard".
            min_count: training rows that a category needs; rarer ones are unknown.
            dates: columns of dates, whose parts (`features.add_datepart`) are added to
                the table, and to rows that are to be answered. Where both lists are
                given, they name the parts that are taken.
            seed: of order and draw; None draws one and prints it.

        Raises:
            ValueError: an argument is none of these, or a column cannot be used; the
                message names it and rows of it.
        """
        if not isinstance(frame, pd.DataFrame) or not len(frame):
            raise ValueError(
                "`frame` must be a DataFrame with rows. Received: a "
                f"{type(frame).__name__} of {len(frame)} rows"
            )
        check_positive_int("batch_size", batch_size)
        check_positive_int("min_count", min_count)
        check_target(frame, target)
        check_dates(frame, dates)
        frame = with_date_parts(frame, dates)
        seed = resolve_seed(seed)
        guess = categorical is None or continuous is None
        categorical, continuous = list(categorical or ()), list(continuous or ())
        if target in [*categorical, *continuous]:
            raise ValueError(
                "`target` must be no column that a network takes. Received: "
                f"target={target!r}"
            )
        whole = Target.of(frame[target], task, scale)
        kind = "regression" if whole.is_regression else "classification"
        mask = valid_rows(
            frame,
            valid,
            valid_after=valid_after,
            valid_group=valid_group,
            target=whole,
            seed=seed,
        )
        train = frame[~mask]
        if guess:
            named = [*categorical, *continuous, *dates, target, valid_group]
            named += (valid_after or ())[:1]
            found = usable_columns(frame, named, train, min_count)
            categorical, continuous = categorical + found[0], continuous + found[1]
            print(f"categorical: {', '.join(map(str, categorical)) or 'none'}")
            print(f"continuous: {', '.join(map(str, continuous)) or 'none'}")
            for line in found[2]:
                print(line)
        if task is None and scale is None:
            of = f" of {whole.num_outputs} classes" if whole.class_names else ""
            print(f"{target}: {kind}{of}")
        names = {*categorical, *continuous}
        idle = [date for date in dates if names.isdisjoint(part_names(date))]
        if idle and not guess:
            raise ValueError(
                "`dates` must be columns whose parts a network takes. Received: "
                f"{first_few(idle)}, of which `categorical` and `continuous` name no "
                f"part, such as {part_names(idle[0])[1]!r}. Name some, or leave one of "
                "the two out."
            )
        dates = [date for date in dates if date not in idle]
        own = Target.of(train[target], kind, scale)
        own.encode(frame[target][mask])  # what training does not know is refused
        return cls(
            frame,
            Columns.of(train, categorical, continuous, min_count, dates),
            own,
            is_valid=mask,
            batch_size=batch_size,
            seed=seed,
            min_count=min_count,
            valid_group=valid_group,
        )

    @classmethod
    def from_csv(cls, path: str | Path, target: str, **options: Any) -> Self:
        """Read a CSV file; `options` are those of `from_frame`."""
        return cls.from_frame(read_csv("path", path), target, **options)

    @classmethod
    def from_parquet(cls, path: str | Path, target: str, **options: Any) -> Self:
        """Read a Parquet file; `options` are those of `from_frame`."""
        return cls.from_frame(read_parquet("path", path), target, **options)

    def folds(self, k: int, *, seed: int | None = None) -> Iterator["TableData"]:
        """The same table split k times; each row is for validation in one of them.

        Groups of `valid_group` stay together; without them classes are spread evenly.
        As many folds as rows leave one out of each. Of `valid_after` nothing is kept.

        Args:
            k: number of folds, at least 2.
            seed: of the draw; None takes that of the data.

        Raises:
            ValueError: `k` is below 2 or too large.
        """
        seed = self.seed if seed is None else seed
        count, what, groups = len(self.frame), "rows", None
        if self.valid_group is not None:
            groups, found = pd.factorize(
                self.frame[self.valid_group], use_na_sentinel=False
            )
            count, what = len(found), "groups"
        if isinstance(k, bool) or not isinstance(k, int) or not 2 <= k <= count:
            raise ValueError(
                f"`k` must be from 2 to the {count} {what}. Received: k={k!r}"
            )
        name, columns = self.target.name, self.columns
        parts = [part for date in columns.dates for part in part_names(date)]
        frame = self.frame.drop(columns=parts)
        if groups is not None:
            folds = GroupKFold(k, shuffle=True, random_state=seed).split(
                frame, groups=groups
            )
        elif self.target.is_regression:
            folds = KFold(k, shuffle=True, random_state=seed).split(self.frame)
        else:
            folds = stratified_folds(self.frame[name].astype(str), k, seed=seed)
        scale = self.target.scale if self.target.is_regression else None
        for _, rows in folds:
            yield type(self).from_frame(
                frame,
                name,
                [column.name for column in columns.categories],
                [column.name for column in columns.numbers],
                valid=rows,
                batch_size=self.batch_size,
                valid_group=self.valid_group,
                task="regression" if scale else "classification",
                scale=scale,
                min_count=self.min_count,
                dates=columns.dates,
                seed=self.seed,
            )

    def arrays(self, split: str) -> tuple[Arrays, np.ndarray]:
        """Encoded rows of "train" or "valid" in the table's order, and the answers."""
        if split not in self._splits:
            rows = self.rows(split)
            codes, numbers = self.columns.encode(rows)
            answers = self.target.encode(rows[self.target.name])
            self._splits[split] = (self.as_inputs(codes, numbers), answers)
        return self._splits[split]

    def rows(self, split: str) -> pd.DataFrame:
        """The raw rows of "train" or "valid".

        Raises:
            ValueError: `split` is neither.
        """
        if split not in ("train", "valid"):
            raise ValueError(
                f"`split` must be one of 'train', 'valid'. Received: split={split!r}"
            )
        return self.frame[self.is_valid == (split == "valid")]

    @cached_property
    def train(self) -> tf.data.Dataset:
        """Batches for training, in a new order each pass."""
        return self.stream.dataset(self._signature()).prefetch(1)

    @cached_property
    def valid(self) -> tf.data.Dataset:
        """Batches for validation, in the table's order."""
        # Of nests, which it takes, typeshed knows nothing.
        dataset = tf.data.Dataset.from_tensor_slices(
            self.arrays("valid")  # pyright: ignore[reportArgumentType]
        )
        return dataset.batch(max(self.batch_size, 4096))

    def start_epoch(self, epoch: int) -> None:
        """Let the next pass over `train` be number `epoch`."""
        self.stream.next_epoch = epoch

    def batch_files(self, index: int) -> list[str]:
        """Rows of a batch of the pass over `train` that began last, by the index."""
        rows = self._plan.rows(self.stream.epoch, index)
        return [f"row {name}" for name in self.rows("train").index[rows]]

    @property
    def class_names(self) -> list[str] | None:
        """Of classification, in output order; None of regression."""
        return list(self.target.class_names) or None

    def class_weights(self) -> dict[int, float]:
        """What makes each class count alike, as `fit_cycles` takes it.

        Raises:
            ValueError: the target is a number.
        """
        if self.target.is_regression:
            raise ValueError(
                "`class_weights` needs classes. Received: a target that is a number"
            )
        counts = np.bincount(self.arrays("train")[1])
        return dict(enumerate((counts.mean() / counts).tolist()))

    def facts(self) -> dict[str, Any]:
        """What a resumed run must find again."""
        held = pd.util.hash_pandas_object(
            self.frame[[*self.columns.names, self.target.name]], index=False
        )
        # By their order too, which decides what a seed draws.
        digest = sha256(held.to_numpy().tobytes() + self.is_valid.tobytes())
        return {
            "rows": len(self.frame),
            "valid": int(self.is_valid.sum()),
            "columns": self.columns.names,
            "target": self.target.name,
            "fingerprint": digest.hexdigest()[:16],
        }

    def as_inputs(self, codes: np.ndarray, numbers: np.ndarray) -> Arrays:
        """What `columns.encode` gave, by the names under which a network takes it."""
        inputs = {CATEGORIES: codes, NUMBERS: numbers}
        return {name: array for name, array in inputs.items() if array.shape[1]}

    def _facts(self) -> dict[str, str]:
        held = int(self.is_valid.sum())
        classes = f", {some(self.class_names)}" if self.class_names else ""
        return {
            "rows": f"{len(self.frame) - held:,} train, {held:,} valid",
            "target": self.target.name + classes,
            "categories": some([column.name for column in self.columns.categories]),
            "numbers": some([column.name for column in self.columns.numbers]),
            "batches": f"of {self.batch_size}",
            "seed": str(self.seed),
        }

    def _signature(self) -> Any:
        inputs, answers = self.arrays("train")

        def spec(array: np.ndarray) -> tf.TensorSpec:
            return tf.TensorSpec((None, *array.shape[1:]), array.dtype)

        return {name: spec(array) for name, array in inputs.items()}, spec(answers)

    def _make(self, epoch: int, index: int) -> tuple[Arrays, np.ndarray]:
        inputs, answers = self._in_order(epoch)
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return {name: array[part] for name, array in inputs.items()}, answers[part]

    def _in_order(self, epoch: int) -> tuple[Arrays, np.ndarray]:
        """All rows in the order of `epoch`: one copy, of which batches are slices."""
        with self._lock:
            if self._shown is None or self._shown[0] != epoch:
                inputs, answers = self.arrays("train")
                order = self._plan.order(epoch)
                ordered = {name: array[order] for name, array in inputs.items()}
                self._shown = epoch, (ordered, answers[order])
            return self._shown[1]
