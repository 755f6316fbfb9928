"""Training above a frozen trunk that ran once: activations in place of photos.

Reference: fast.ai, lessons 1-3 (`precompute=True`).
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasdl._keras_internals import graph_of, nodes_of
from kerasdl.batches import BatchStream, TrainingData
from kerasdl.callbacks import CycleSnapshots, Evaluation, WeightAveraging
from kerasdl.data import ImageData
from kerasdl.train import ActivationBatches, cached_activations, check_same_step

from .tta_evaluation import TTAEvaluation


class ActivationData(TrainingData):
    """Activations of the photos of an `ImageData`: its splits, labels and order.

    Args:
        data: the photos.
        views: by split, arrays `(photos, ...)` of the same photos seen in different
            ways, as in `ActivationBatches`.

    Attributes:
        train: tf.data of shuffled `(activations, labels)`.
        valid: the same of the validation photos, in file order; None for none.
        class_names, label_mode, batch_size: those of the photos.
    """

    def __init__(
        self, data: ImageData, views: Mapping[str, Sequence[np.ndarray]]
    ) -> None:
        self.views = dict(views)
        self.class_names, self.label_mode = data.class_names, data.label_mode
        self.batch_size = data.batch_size
        self._files = data.files("train")
        self._facts = data.facts()
        self._batches = {
            split: ActivationBatches(
                arrays,
                data.encoded_labels(split),
                data.batch_size,
                shuffle=split == "train",
                balance=data.labels(split)
                if split == "train" and data.oversample
                else None,
                seed=data.seed,
            )
            for split, arrays in views.items()
        }

    def dataset(self, split: str) -> tf.data.Dataset:
        """tf.data of the activations and labels of `split`."""
        return self._batches[split].dataset()

    @cached_property
    def train(self) -> tf.data.Dataset:  # noqa: D102 (described with the class)
        return self.dataset("train")

    @cached_property
    def valid(self) -> tf.data.Dataset | None:  # noqa: D102
        return self.dataset("valid") if "valid" in self.views else None

    @property
    def stream(self) -> BatchStream:
        """The `BatchStream` under `train`; its `next_epoch` may be set."""
        return self._batches["train"].stream

    def batch_files(self, index: int) -> list[str]:
        """File names of batch `index` of the pass over `train` that began last."""
        rows = self._batches["train"].plan.rows(self.stream.epoch, index)
        return [self._files[row] for row in rows]

    def facts(self) -> dict[str, Any]:
        """What decides the batches: the photos', and the shapes of the activations."""
        shapes = {
            split: [list(np.shape(array)) for array in batches.views]
            for split, batches in self._batches.items()
        }
        return self._facts | {"activations": shapes}

    def start_epoch(self, epoch: int) -> None:
        """Let the next pass over `train` be number `epoch`, as a resumed run needs."""
        self.stream.next_epoch = epoch


def check_callbacks_above(
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    """Raise ValueError if a callback needs the model that takes photos.

    It would see the part above the cut alone: write its weights as those of the whole,
    or give photos to it.
    """
    needs_all = (CycleSnapshots, TTAEvaluation, WeightAveraging)
    found = [
        type(one).__name__
        for one in callbacks
        # Of those made of it one has a model of its own.
        if isinstance(one, needs_all) or type(one) is Evaluation
    ]
    if found:
        raise ValueError(
            "`callbacks` on activations must need no photos and no whole model. "
            f"Received: {', '.join(found)}. Use them with `precompute=False`."
        )


def precompute(
    model: keras.Model,
    data: ImageData,
    first: str | None = None,
    cache_dir: str | Path | None = None,
    *,
    cache_key: str | None = None,
    splits: Collection[str] = ("train", "valid", "test"),
    verbose: int = 1,
) -> tuple[keras.Model, ActivationData]:
    """Run the frozen layers of `model` over all photos, once.

    Augmentation has no effect on activations that are computed once: every epoch
    sees the plain photos.

    Args:
        model: flat; takes pixels in [0, 255].
        data: the photos; a split without labels is left out.
        first: name of the first layer above the cut; one tensor alone must feed it
            and what follows. None takes the first layer that trains, with Dropout
            right below it.
        cache_dir: of the activations, as in `train.cached_activations`.
        cache_key: for layers of your own, as in `train.cached_activations`.
        splits: those of `data` that are wanted; "train" among them.
        verbose: as in `train.cached_activations`.

    Returns:
        The model from `first` on, not compiled, whose layers and weights are those of
        `model`, and the activations it trains on.

    Raises:
        ValueError: no such layer, one that takes several tensors, layers below it that
            train, or none that trains; a layer of your own below it, without
            `cache_key`; a model with a `train_step` of its own, which what is above the
            cut would lack.

    Example:
        ```
        head, activations = kd.classification.precompute(model, data)
        head.compile("sgd", "binary_crossentropy")
        head.fit(activations.train)
        ```
    """
    names = [layer.name for layer in model.layers]
    training = [i for i, layer in enumerate(model.layers) if layer.trainable_weights]
    if first is None and training:
        start = training[0]
        while hasattr(model.layers[start - 1], "seed_generator"):  # it draws anew
            start -= 1
        first = names[start]
    if first not in names:
        raise ValueError(
            "`first` must name a layer of the model, or layers must train. Received: "
            f"first={first!r}"
        )
    if training and training[0] < names.index(first):
        raise ValueError(
            "`first` must be above no layer that trains. Received: "
            f"first={first!r} ({names[training[0]]!r} trains). Freeze what is below it."
        )
    cut = _input_of(model, model.get_layer(first))
    upper = keras.Model(cut, model.output, name=f"{model.name}_top")
    check_same_step(model, upper)
    trunk = keras.Model(model.input, cut, name=model.name)
    views = {
        split: cached_activations(
            trunk,
            data.pictures(split),
            data.resize,
            cache_dir=cache_dir,
            verbose=verbose,
            cache_key=cache_key,
            max_pixels=data.max_pixels,
        ).arrays
        for split in data.splits
        if split in splits and data.has_labels(split)
    }
    return upper, ActivationData(data, views)


def _input_of(model: keras.Model, layer: keras.Layer) -> keras.KerasTensor:
    """What `layer` takes in `model`; in other models it may take something else."""
    calls = [
        node.input_tensors
        for node in nodes_of(graph_of(model))
        if node.operation is layer
    ]
    if len(calls) != 1 or len(calls[0]) != 1:
        raise ValueError(
            "`first` must name a layer that takes one tensor, once. Received: "
            f"first={layer.name!r}, which takes {sum(map(len, calls))} in "
            f"{len(calls)} calls. Name a layer before or after it."
        )
    return calls[0][0]
