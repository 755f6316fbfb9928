"""A finished run that says of texts what they are."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import pandas as pd

from kerasdl._described import Described, named_network, some
from kerasdl.models import load_model
from kerasdl.runs import read_run

from .answers import answer_tokens
from .reading import given_texts
from .strings import network_of
from .tokenizer import FILE, Tokenizer, read_tokenizer

TASK = "text_classification"
LABEL, PROBABILITY = "label", "probability"


class Predictor(Described):
    """A network of texts, and what is known of them.

    Args:
        network: of tokens.
        tokenizer: of its training.
        class_names: in output order.
        text_column: of its training, which is taken where a table has it.
    """

    def __init__(
        self,
        network: keras.Model,
        tokenizer: Tokenizer,
        class_names: Sequence[str],
        text_column: str | None = None,
    ) -> None:
        self.network, self.tokenizer = network, tokenizer
        self.class_names, self.text_column = list(class_names), text_column

    @classmethod
    def load(cls, run: str | Path) -> Self:
        """Read a finished run of texts.

        Raises:
            ValueError: `run` is none, or its files are damaged.
        """
        info = read_run(run)
        info.of_task({TASK: True})
        tokenizer, facts = read_tokenizer(info.path / FILE)
        network = network_of(load_model(info.model_path))
        return cls(network, tokenizer, _classes(facts), facts.get("text_column"))

    def _facts(self) -> dict[str, str]:
        own = self.tokenizer
        return {
            "network": named_network(self.network),
            "classes": f"{len(self.class_names)}: {some(self.class_names)}",
            "texts": f"{len(own.vocabulary):,} {own.unit} are known",
            "column": self.text_column or "",
        }

    def answer(self, texts: Sequence[str]) -> np.ndarray:
        """Probabilities, `(n, classes)`; an empty text has an answer too.

        Raises:
            FloatingPointError: one is no number; the message names the text's row.
        """
        own = self.tokenizer
        encoded = own.encode(own.prepare(texts))
        if not encoded:
            return np.zeros((0, len(self.class_names)), "float32")
        found = answer_tokens(self.network, encoded)
        wrong = np.flatnonzero(~np.isfinite(found).all(axis=1))
        if len(wrong):
            raise FloatingPointError(
                "The model must answer with numbers. Received: none for row "
                f"{wrong[0]}, one of {len(wrong)} such rows"
            )
        return found

    def predict(
        self,
        texts: Iterable[str] | pd.DataFrame | str | Path,
        text_column: str | None = None,
        encoding: str = "utf-8",
    ) -> pd.DataFrame:
        """The likeliest label and its probability of every text, in order.

        Args:
            texts: strings; or a frame, or a .csv, .tsv or .txt file of them.
            text_column: of a table; None takes that of the training, or else finds it,
                see `columns.find_text_column`.
            encoding: of a file.

        Returns:
            The texts in a column of their own name (`text`, where the table's name is
            that of an answer), `label` and `probability`.

        Raises:
            ValueError: a file cannot be read so, or has no column of texts.
            FloatingPointError: as by `answer`.
        """
        given, column = given_texts(texts, encoding, text_column, self.text_column)
        found = self.answer(given.tolist())
        name = "text" if column in (LABEL, PROBABILITY) else column
        best = found.argmax(axis=1) if len(found) else np.zeros(0, int)
        return pd.DataFrame(
            {
                name: given.tolist(),
                LABEL: np.array(self.class_names, object)[best],
                PROBABILITY: found.max(axis=1, initial=0).astype("float64"),
            },
            index=given.index,
        )


def _classes(facts: dict[str, Any]) -> list[str]:
    names = facts.get("class_names")
    if not isinstance(names, list) or len(names) < 2:
        raise ValueError(
            f"{FILE} must name at least two classes. Received: class_names={names!r}"
        )
    return names
