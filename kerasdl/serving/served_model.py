"""The model of a run as a server calls it: in batches, warm."""

import re
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import numpy as np

from kerasdl.classification import Predictor, are_unsure, class_probabilities

from .batching import Batcher
from .keras_graph import keras_graph
from .lite_model import LiteModel
from .metrics import Metrics

_TOP = 5


class ServedModel:
    """A predictor behind a `Batcher`, ready when it is made.

    Args:
        predictor: the model, its class names and its geometry.
        name: what its address calls it: letters, digits, "_", "-" and ".".
        max_batch: the most pictures of a call of the model.
        max_wait_ms: how long a picture waits for others, in milliseconds; 0 takes those
            that are there.
        lite: computes what the model does, one picture at a time; None takes the model.

    Attributes:
        max_batch: the most pictures of a call of the model.
        runtime: "litert" or "keras".
        num_outputs: the model's; one for two classes with one sigmoid unit.
        threads: for what becomes a picture; until `close`.
        metrics: where the sizes of the batches are counted.

    Raises:
        ValueError: an argument outside its range.
    """

    def __init__(
        self,
        predictor: Predictor,
        name: str,
        max_batch: int = 32,
        max_wait_ms: float = 0.0,
        lite: LiteModel | None = None,
    ) -> None:
        if not re.fullmatch(r"[\w.-]+", name, re.ASCII):
            raise ValueError(
                "`name` must be letters, digits, '_', '-' and '.'. Received: "
                f"name={name!r}"
            )
        if lite and max_wait_ms:
            raise ValueError(
                "`max_wait_ms` must be 0 with `lite`, which takes one picture at a "
                f"time. Received: max_wait_ms={max_wait_ms!r}"
            )
        self.name = name
        self.max_batch = max_batch
        self.runtime = "litert" if lite else "keras"
        self.class_names = predictor.class_names
        self.image_size = predictor.image_size
        self.resize = predictor.resize
        self.is_multi_label = predictor.thresholds is not None
        self.num_outputs = predictor.model.output_shape[-1]
        self.metrics = Metrics()
        self._labels, self._likeness = predictor.labels, predictor.likeness
        self._run = lite or keras_graph(predictor, max_batch)
        self._batcher = (
            Batcher(self._call, 1, num_calls=lite.num_calls)
            if lite
            else Batcher(self._call, max_batch, max_wait_ms)
        )
        self.threads = self._batcher.threads

    def submit(self, pixels: np.ndarray) -> Future:
        """Queue a picture, uint8 `(*image_size, 3)`, for its row.

        That is its outputs `(num_outputs,)`; where the training photos are known, one
        number follows: 1 for a picture that is unlike them, or 0.
        """
        return self._batcher.submit(pixels)

    def submit_made(self, make: Callable[[], np.ndarray]) -> Future:
        """`submit` the picture that `make` returns, which another thread calls."""
        return self._batcher.submit_made(make)

    def answer(self, row: np.ndarray) -> dict[str, Any]:
        """What a person wants to know of one picture's row.

        Returns:
            `labels`, the answers (one, unless a picture may have several or none);
            `top`, the five most probable classes with their probabilities in [0, 1];
            `unsure`, whether another class is more than half as probable; `unlike` the
            training photos.
        """
        outputs, unlike = np.split(row, [self.num_outputs])
        probabilities = class_probabilities(outputs[None])
        labels = self._labels(probabilities)[0]
        (chances,) = probabilities
        best = np.argsort(-chances, kind="stable")[:_TOP]
        return {
            "labels": labels if self.is_multi_label else [labels],
            "top": [
                {"label": self.class_names[i], "probability": float(chances[i])}
                for i in best
            ],
            "unsure": bool(are_unsure(probabilities, self.is_multi_label)[0]),
            "unlike": bool(unlike.any()),
        }

    def close(self) -> None:
        """Answer what is queued, then stop."""
        self._batcher.close()

    def _call(self, pixels: np.ndarray) -> np.ndarray:
        self.metrics.batch_sizes.observe(len(pixels))
        *features, outputs = self._run(pixels)
        likeness = self._likeness
        unlike = [likeness.are_unlike(each) for each in features if likeness]
        return np.column_stack([outputs, *unlike])
