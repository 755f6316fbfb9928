"""Batches of texts without labels, for models that learn from texts alone."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from kerasdl.batches import BatchPlan, BatchStream, TrainingData

from .buckets import bucketed


class UnlabelledTexts(TrainingData):
    """Encoded texts in batches of like length; it keeps to `TrainingData`.

    What a batch is made of says a subclass, by `make(texts, generator)`.

    Args:
        encoded: tokens of each text, of which those of less than 2 are left out.
        batch_size: texts in a batch.
        seed: of order and draws, which are new in each epoch.

    Raises:
        ValueError: there is no text of 2 tokens.
    """

    def __init__(
        self, encoded: Sequence[np.ndarray], batch_size: int = 64, *, seed: int = 0
    ) -> None:
        self.encoded = [text for text in encoded if len(text) > 1]
        if not self.encoded:
            raise ValueError(
                "`encoded` must have texts of at least 2 tokens. Received: none"
            )
        self.batch_size, self.seed = batch_size, seed
        plan = BatchPlan(len(self.encoded), batch_size, True, seed=seed)
        self.stream = BatchStream(self._make, plan.num_batches, workers=1)
        lengths = np.array([len(text) for text in self.encoded])

        @lru_cache(maxsize=4)
        def batches(epoch: int) -> list[np.ndarray]:
            generator = np.random.default_rng((seed, epoch))
            return bucketed(plan.order(epoch), lengths, batch_size, generator)

        self._batches = batches

    @property
    def valid(self) -> None:
        """None: all texts train."""
        return None

    def make(self, texts: list[np.ndarray], generator: np.random.Generator) -> Any:
        """A batch of `texts`."""
        raise NotImplementedError

    def start_epoch(self, epoch: int) -> None:
        """Let the next pass over `train` be number `epoch`."""
        self.stream.next_epoch = epoch

    def batch_files(self, index: int) -> list[str]:
        """Texts of a batch of the pass over `train` that began last."""
        return [f"text {row}" for row in self._batches(self.stream.epoch)[index]]

    def facts(self) -> dict[str, Any]:
        """What a resumed run must find again."""
        return {"texts": len(self.encoded), "tokens": sum(map(len, self.encoded))}

    def _make(self, epoch: int, index: int) -> Any:
        texts = [self.encoded[row] for row in self._batches(epoch)[index]]
        return self.make(texts, np.random.default_rng((self.seed, epoch, index)))
