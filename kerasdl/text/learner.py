"""The Learner of texts: fast.ai's lines, with answers and a report."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from kerasdl import learner

from .answers import answer_tokens, scores
from .data import TextData
from .files import save_inference_model, save_tflite
from .report import save_report


class Learner(learner.Learner):
    """A network of tokens and its texts, trained by fast.ai's practice.

    Args:
        model: takes tokens, as `text.models` builds it; compiled, or not for
            `optimizer` and the cross-entropy of classes.
        data: the texts.
        folder: keeps the state of each `fit`, so that a killed script resumes; None
            keeps none.
        optimizer: of a model that is not compiled; None is AdamW.

    Raises:
        ValueError: `data` is no TextData.

    Reference:
        fast.ai, lesson 4 (IMDb)
    """

    data: TextData

    def __init__(
        self,
        model: keras.Model,
        data: TextData,
        folder: str | Path | None = None,
        *,
        optimizer: str | keras.optimizers.Optimizer | None = None,
    ) -> None:
        if not isinstance(data, TextData):
            raise ValueError(
                f"`data` must be a TextData. Received: a {type(data).__name__}"
            )
        if not model.compiled:
            model.compile(
                optimizer=optimizer or keras.optimizers.AdamW(),
                loss="sparse_categorical_crossentropy",
                metrics=["accuracy"],
            )
        super().__init__(model, data, folder)

    def predict(
        self, texts: Sequence[str] | None = None, split: str = "valid"
    ) -> np.ndarray:
        """Probabilities of raw texts, or of a split, `(n, classes)`."""
        if texts is None:
            return answer_tokens(self.model, self.data.encoded(split))
        own = self.data.tokenizer
        return answer_tokens(self.model, own.encode(own.prepare(texts)))

    def scores(self, split: str = "valid") -> dict[str, float]:
        """Measures of the answers to a split, by name."""
        return scores(self.data.labels(split), self.predict(split=split))

    def report(self, path: str | Path, title: str = "Text report") -> None:
        """Write the page `path`; see `save_report`."""
        save_report(self.model, self.data, path, title, history=self.history)

    def export(self, path: str | Path) -> None:
        """Write `path`, a `.keras` of strings or a `.tflite` of tokens.

        Raises:
            ValueError: `path` ends otherwise.
        """
        if Path(path).suffix == ".tflite":
            save_tflite(self.model, path, self.data.tokenizer)
        else:
            save_inference_model(self.model, path, self.data.tokenizer)
