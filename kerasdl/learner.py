"""The Learner: fast.ai's three lines, over the public functions of kerasdl."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import keras
import pandas as pd

from kerasdl import export, interpret, models, plots, predict, train
from kerasdl._atomic import write_by
from kerasdl._seeds import resolve_seed
from kerasdl.data import Augment, ImageData, check_image_data
from kerasdl.predict import SplitPredictions

Rates = float | Sequence[float] | slice
Optimizer = str | keras.optimizers.Optimizer


class Learner:
    """A network and its photos, trained by fast.ai's practice.

    Public functions do the work, and can do it without a Learner.

    Args:
        model: takes pixels in [0, 255]; compiled, or not for `optimizer` and the loss
            that the labels ask for.
        data: the photos.
        precompute: see the property.
        folder: keeps the state of each `fit`, so that a killed script resumes; None
            keeps none.
        cache_dir: of precomputed activations, as in `train.cached_activations`.
        cache_key: for layers of your own in them, as in `train.cached_activations`.
        optimizer: of a model that is not compiled, as `compile` takes it; None is
            `train.default_optimizer`, SGD with momentum.

    Attributes:
        model, data: as they stand; `model` is a plain `keras.Model`.
        history: a row for each epoch so far.

    Raises:
        ValueError: `data` is no ImageData, or the model does not fit it.

    Reference:
        fast.ai, lessons 1-3 (`ConvLearner`)
    """

    def __init__(
        self,
        model: keras.Model,
        data: ImageData,
        precompute: bool = False,
        folder: str | Path | None = None,
        cache_dir: str | Path | None = None,
        *,
        cache_key: str | None = None,
        optimizer: Optimizer | None = None,
    ) -> None:
        check_image_data(data)
        if tuple(model.input_shape[1:3]) not in (data.image_size, (None, None)):
            raise ValueError(
                "`model` must take images of the data's size. Received: "
                f"input_shape={model.input_shape}, image_size={data.image_size}"
            )
        train.compile_classifier(model, data, optimizer)
        self.model, self.data = train.distributed(model), data  # it predicts too
        self.history = pd.DataFrame()
        self.folder = None if folder is None else Path(folder)
        self.cache_dir, self.cache_key = cache_dir, cache_key
        self._num_fits, self._rates, self._suggested = 0, [], {}
        self.precompute = precompute

    @classmethod
    def pretrained(
        cls,
        backbone: str,
        data: ImageData,
        precompute: bool = False,
        weights: str | Path | None = "imagenet",
        head: str = "pooled",
        folder: str | Path | None = None,
        cache_dir: str | Path | None = None,
        *,
        optimizer: Optimizer | None = None,
        seed: int | None = None,
    ) -> Self:
        """Put a new head on the frozen trunk `backbone`.

        `weights` as in `models.build_trunk`, `head` as in `models.classifier`; `seed`
        is of the head, None draws one and prints it.
        """
        seed = resolve_seed(seed)
        check_image_data(data)
        trunk = models.build_trunk(backbone, weights, data.image_size, seed=seed)
        model = models.classifier(
            *(trunk, len(data.class_names), head),
            multi_label=data.label_mode == "multi_label",
            seed=seed,
        )
        train.freeze(model)
        return cls(model, data, precompute, folder, cache_dir, optimizer=optimizer)

    @classmethod
    def from_model(
        cls,
        model: keras.Model,
        data: ImageData,
        precompute: bool = False,
        folder: str | Path | None = None,
        cache_dir: str | Path | None = None,
        *,
        cache_key: str | None = None,
        optimizer: Optimizer | None = None,
    ) -> Self:
        """Wrap any model."""
        options = {"cache_key": cache_key, "optimizer": optimizer}
        return cls(model, data, precompute, folder, cache_dir, **options)

    @property
    def precompute(self) -> bool:
        """Whether the frozen layers run once, their activations being cached on disk.

        Meanwhile augmentation and mixing have no effect, and callbacks see what is
        above the cut. Set it to False before `unfreeze`.
        """
        return self._precompute

    @precompute.setter
    def precompute(self, value: bool) -> None:
        self._precompute = value
        self._above = None
        if value and (self.data.augment not in (None, "none") or self.data.mix):
            print("precompute=True: augmentation has no effect until it is False")

    def lr_find(
        self,
        start_lr: float = 1e-7,
        end_lr: float = 10,
        num_steps: int = 100,
        mode: str = "exponential",
    ) -> train.LRFind:
        """Find a learning rate; see `train.lr_find`."""
        model, data = self._trained()
        found = train.lr_find(model, data, start_lr, end_lr, num_steps, mode)
        by_depth = train.rate_ratios(model.optimizer)
        self._suggested[self._what_trains(by_depth)] = found.suggestions["valley"]
        return found

    def fit(
        self,
        learning_rate: Rates | None = None,
        cycles: int = 1,
        cycle_len: int = 1,
        cycle_mult: int = 1,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        *,
        resume: bool = False,
        class_weight: Mapping[int, float] | None = None,
    ) -> pd.DataFrame:
        """Train by cosine cycles; see `train.fit_cycles`.

        Without a rate, `suggestions["valley"]` of the last `lr_find` is taken for all
        layers, which is run if there was none of what trains now, without rates by
        depth; a line says what it is.

        With `resume=True`, what an earlier process did of this `fit`, counted from the
        start of the script, is read back from `folder`, and the rest is trained. Other
        rates, cycles or data than it was begun with are an error.
        """
        if self.precompute:
            train.check_callbacks_above(callbacks)
        model, data = self._trained()
        history = train.fit_cycles(
            *(model, data, learning_rate, cycles, cycle_len, cycle_mult, callbacks),
            first_epoch=len(self.history),  # views that no `fit` has seen
            state=train.fit_state(self.folder, self._num_fits + 1, resume),
            class_weight=class_weight,
            suggested=self._suggested.get(self._what_trains()),
        )
        if learning_rate is None:
            self._suggested[self._what_trains()] = train.layer_rates(model)[-1]
        self._num_fits += 1
        self._rates += history.attrs["learning_rates"]
        rows = history.assign(stage=f"fit {self._num_fits}")
        self.history = pd.concat([self.history, rows], ignore_index=True)
        return history

    def freeze(self) -> int:
        """Freeze all but the head; see `train.freeze`."""
        return self.freeze_to(-1)

    def unfreeze(self) -> int:
        """Let all layers train, BatchNorm held still; see `train.freeze_to`."""
        return self.freeze_to(0)

    def freeze_to(self, first: str | int) -> int:
        """Freeze the layers, or layer groups, before `first`; see `train.freeze_to`."""
        self._check_not_precomputed("freeze_to")
        return train.freeze_to(self.model, first, hold_head=True)

    def bn_freeze(self, frozen: bool = True) -> int:
        """Hold BatchNorm statistics still; see `train.bn_freeze`."""
        self._check_not_precomputed("bn_freeze")
        return train.bn_freeze(self.model, frozen)

    def set_data(self, data: ImageData) -> None:
        """Go on with other photos, such as larger ones; see `models.with_input_size`.

        The weights stay; another image size begins with a fresh optimizer.
        """
        check_image_data(data)
        if data.class_names != self.data.class_names:
            raise ValueError(
                "`data` must have the classes of the data so far. Received: "
                f"class_names={data.class_names!r}"
            )
        if self.model.input_shape[1:3] not in (data.image_size, (None, None)):
            other = models.with_input_size(self.model, data.image_size)
            train.compile_like(self.model, other)
            self.model = train.distributed(other)
        self.data = data
        self.precompute = self._precompute  # anew, of these photos

    def save(self, path: str | Path) -> None:
        """Write the weights to a file ending in `.weights.h5`."""
        write_by(path, self.model.save_weights)

    def load(self, path: str | Path) -> None:
        """Read weights that `save` wrote; see `models.restore_weights`."""
        models.restore_weights(self.model, path)
        self._above = None  # the activations were those of other weights

    def predict(self, split: str = "valid") -> SplitPredictions:
        """Predict a split in the order of its files; see `predict.predict_split`."""
        return predict.predict_split(self.model, self.data, split)

    def tta(
        self,
        n_aug: int = 4,
        augment: str | Augment | None = None,
        split: str = "valid",
        beta: float | None = None,
        *,
        seed: int | None = None,
    ) -> SplitPredictions:
        """Predict with test-time augmentation; see `predict.tta`."""
        options = (n_aug, augment, split, beta)
        return predict.tta(self.model, self.data, *options, seed=seed)

    def report(
        self,
        path: str | Path,
        split: str = "valid",
        title: str = "Classification report",
        settings: Mapping[str, Any] | None = None,
    ) -> interpret.ClassificationReport:
        """Look at the answers, and write the page `path`; see `interpret`."""
        report = interpret.ClassificationReport.from_model(self.model, self.data, split)
        seed = self.data.seed
        interpret.save_report(report, path, title, settings, self.history, seed=seed)
        return report

    def plot_losses(self, path: str | Path) -> None:
        """Draw loss and accuracy of all epochs; see `plots.save_curves`."""
        plots.save_curves(self.history, path)

    def plot_lr(self, path: str | Path) -> None:
        """Draw the rate of every batch; see `plots.save_learning_rate`."""
        plots.save_learning_rate(self._rates, path)

    def export(self, path: str | Path) -> None:
        """Write `path`, a `.keras` or `.tflite` file that needs no kerasdl."""
        is_lite = Path(path).suffix == ".tflite"
        write = export.save_tflite if is_lite else export.save_inference_model
        write(self.model, path)

    def summary(self) -> None:
        """Print the layers, their groups, and which of them train."""
        train.summary(self.model)

    def _trained(self) -> tuple[keras.Model, Any]:
        """The model that trains, and its data; with `precompute`, above the cut."""
        if not self.precompute:
            return self.model, self.data
        optimizer = self.model.optimizer
        if self._above is None or self._above[2] is not optimizer:  # compiled anew
            options = (self.model, self.data, None, self.cache_dir)
            above, data = train.precompute(*options, cache_key=self.cache_key)
            train.compile_like(self.model, above)
            self._above = above, data, optimizer
        return self._above[:2]

    def _what_trains(self, by_depth: Sequence[float] | None = None) -> tuple[Any, ...]:
        """What a suggested rate holds for; `by_depth` are the ratios of its layers."""
        count = train.count_trainable(self.model)
        return self.model.optimizer, count, tuple(by_depth or ())

    def _check_not_precomputed(self, method: str) -> None:
        if self.precompute:
            raise ValueError(
                f"`{method}` needs `precompute=False`, as cached activations do not "
                "train. Received: precompute=True. Set `learner.precompute = False`."
            )
