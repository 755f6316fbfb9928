"""The Learner of a table: fast.ai's lines, with answers and a report."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from kerasdl import learner
from kerasdl._checks import check_one_of

from .data import TableData
from .files import save_inference_model, save_tflite
from .report import predict, save_report, scores

LOSSES = {True: "mse", False: "sparse_categorical_crossentropy"}  # of regression


class Learner(learner.Learner):
    """A network of a table and its rows, trained by fast.ai's practice.

    Args:
        model: takes what `data` gives; compiled, or not for `optimizer` and `loss`.
        data: the table.
        folder: keeps the state of each `fit`, so that a killed script resumes; None
            keeps none.
        optimizer: of a model that is not compiled; None is AdamW.
        loss: of a model that is not compiled; None is the mean squared error on the
            target's scale, or the cross-entropy of its classes.

    Raises:
        ValueError: `data` is no TableData.

    Reference:
        fast.ai, lesson 3 (`get_learner` of columnar data)
    """

    data: TableData

    def __init__(
        self,
        model: keras.Model,
        data: TableData,
        folder: str | Path | None = None,
        *,
        optimizer: str | keras.optimizers.Optimizer | None = None,
        loss: str | keras.losses.Loss | None = None,
    ) -> None:
        if not isinstance(data, TableData):
            raise ValueError(
                f"`data` must be a TableData. Received: a {type(data).__name__}"
            )
        if not model.compiled:
            is_regression = data.target.is_regression
            model.compile(
                optimizer=optimizer or keras.optimizers.AdamW(),
                loss=loss or LOSSES[is_regression],
                metrics=[] if is_regression else ["accuracy"],
            )
        super().__init__(model, data, folder)

    def predict(self, frame: pd.DataFrame | None = None) -> np.ndarray:
        """Answers to raw rows, or to the validation rows; see `report.predict`."""
        rows = self.data.rows("valid") if frame is None else frame
        return predict(self.model, self.data, rows)

    def scores(self, split: str = "valid") -> dict[str, Any]:
        """Measures of the answers to a split, by name."""
        return scores(self.model, self.data, split)

    def report(self, path: str | Path, title: str = "Table report") -> None:
        """Write the page `path`; see `save_report`."""
        save_report(self.model, self.data, path, title, history=self.history)

    def export(self, path: str | Path) -> None:
        """Write `path`, a `.keras` or `.tflite` file that needs no kerasdl.

        Raises:
            ValueError: `path` ends otherwise.
        """
        writers = {".keras": save_inference_model, ".tflite": save_tflite}
        check_one_of("path", Path(path).suffix, writers)
        write = writers[Path(path).suffix]
        write(self.model, path, self.data.columns, self.data.target)
