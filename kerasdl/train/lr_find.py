"""The learning rate finder: raise the rate batch by batch, watch the loss, undo it."""

from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from kerasdl import plots
from kerasdl._checks import check_one_of, check_positive_int
from kerasdl._described import Described
from kerasdl._progress import show_progress
from kerasdl.batches import train_batches

from ._built_metrics import build_metrics
from ._lr_suggestions import suggest
from ._put_back import putting_back
from .distributed import distributed
from .faster_steps import faster_steps
from .layer_rates import check_settable_rate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODES = ("exponential", "linear")
# fast.ai's 0.98 lags some twenty steps of a hundred behind, nearly two decades, and its
# suggestions are no steadier.
_SMOOTHING = 0.9
_NO_BATCHES = "`dataset` must have batches. Received: none in an epoch."
_EXPLODED = 4  # times the lowest loss


@dataclass(frozen=True, repr=False)
class LRFind(Described):
    """What `lr_find` saw.

    Attributes:
        rates: of the batches up to where the loss exploded.
        losses: of each batch alone.
        smoothed: exponential mean of `losses`, corrected for its start.
        suggestions: rates by name. "steepest": where the loss falls fastest; "valley":
            the middle of the longest valley; "minimum/10": a tenth of the rate of the
            lowest loss; "slide": the last before the loss is about to explode. The
            valley moves least from one draw of the batches to the next, the slide most.
        mode: "exponential" or "linear".
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestions: dict[str, float]
    mode: str

    def _facts(self) -> dict[str, str]:
        facts = {
            "rates": f"{self.rates[0]:.1e} to {self.rates[-1]:.1e}, {self.mode}",
            "batches": str(len(self.losses)),
            "lowest loss": f"{self.smoothed.min():.4f}, smoothed",
        }
        return facts | {name: f"{r:.2e}" for name, r in self.suggestions.items()}

    def plot(self, path: str | Path | None = None) -> "Figure":
        """Draw the losses over the rates, the suggestions marked.

        Args:
            path: as in `plots.save_lr_find`.

        Example:
            ```
            learn.lr_find().plot()
            ```
        """
        return plots.save_lr_find(
            self.rates,
            self.losses,
            self.smoothed,
            self.suggestions,
            path,
            log_rates=self.mode == "exponential",
        )


def lr_find(
    model: keras.Model,
    dataset: Any,
    start_lr: float = 1e-7,
    end_lr: float = 10,
    num_steps: int = 100,
    mode: str = "exponential",
    *,
    verbose: int = 1,
) -> LRFind:
    """Train `num_steps` batches, each at a higher rate; put everything back to the bit.

    It stops when the smoothed loss is four times its lowest, and above that of every
    batch of its first tenth; or when a loss is not finite. Weights, statistics, random
    state, optimizer and its step, learning rate, metrics and the epoch of the data are
    then as before, also after an exception or Ctrl-C.

    With `set_layer_rates`, the rate is that of the last group, and the others keep
    their ratio to it.

    Args:
        model: built, and compiled with a float as its learning rate.
        dataset: batches of inputs and targets: `TrainingData`, such as an ImageData or
            ActivationData (its `train`), ActivationBatches, a flow of
            ImageDataGenerator, a tf.data.Dataset or a PyDataset. A small one is read
            again, which is printed. The epoch of a tf.data.Dataset by itself, such as
            `data.train`, cannot be put back.
        start_lr: above 0.
        end_lr: above `start_lr`.
        num_steps: batches, at least 2.
        mode: "exponential" or "linear": how the rate grows.
        verbose: 1 shows a bar, or ten lines where stderr is not a terminal; 0 shows
            nothing.

    Raises:
        ValueError: an argument is not one of these; no weight of `model` trains;
            `dataset` has no batches, or no targets; the first two losses are not
            finite, or the model's own `train_step` gives none.

    Reference:
        Smith, Cyclical learning rates for training neural networks, 2017, section 3.3
    """
    check_one_of("mode", mode, MODES)
    check_one_of("verbose", verbose, (0, 1))
    check_positive_int("num_steps", num_steps)
    if num_steps < 2:
        raise ValueError(f"`num_steps` must be at least 2. Received: {num_steps=}")
    are_numbers = isinstance(start_lr, Real) and isinstance(end_lr, Real)
    if not are_numbers or not 0 < start_lr < end_lr < np.inf:
        raise ValueError(
            "`start_lr` must be a number above 0 and below `end_lr`. Received: "
            f"start_lr={start_lr!r}, end_lr={end_lr!r}"
        )
    optimizer = _checked_optimizer(model)
    batches, stream = train_batches(dataset)
    _check_batches(batches, model)
    space = np.geomspace if mode == "exponential" else np.linspace
    faster_steps(model)
    build_metrics(distributed(model), batches)
    sweep = _Sweep(optimizer, space(start_lr, end_lr, num_steps), verbose)
    with putting_back(model, stream):
        # As many epochs as it takes; the sweep stops them. Nothing has to be repeated,
        # and nothing may be shuffled by a global seed.
        model.fit(
            batches, epochs=num_steps, callbacks=[sweep], verbose=0, shuffle=False
        )
    if sweep.is_empty:
        raise ValueError(_NO_BATCHES)
    if len(sweep.losses) < 2:
        number = ("first", "second")[len(sweep.losses)]
        raise ValueError(
            "`dataset` must give a finite loss at `start_lr`, and after it. Received: "
            f"a {number} loss of nan or infinity at start_lr={start_lr!r}. Look at the "
            "pixels and labels, and at the weights of the model."
        )
    rates, losses = sweep.rates[: len(sweep.losses)], np.array(sweep.losses)
    smoothed = np.array(sweep.smoothed)
    suggestions = suggest(rates, smoothed, num_steps)
    return LRFind(rates, losses, smoothed, suggestions, mode)


class _Sweep(keras.callbacks.Callback):
    """Sets the rate of each batch, notes its loss, stops when that explodes."""

    def __init__(
        self, optimizer: keras.optimizers.Optimizer, rates: np.ndarray, verbose: int
    ) -> None:
        super().__init__()
        self.optimizer = optimizer
        self.rates = rates
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self.is_empty = True
        self._mean = 0.0
        self._verbose = verbose
        self._progress = iter(rates)
        if verbose:
            count = len(rates)
            self._progress = show_progress(rates, count, "lr_find", unit="batches")

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.is_empty = True
        if epoch == 1 and self._verbose:
            print(
                f"lr_find: the data has {len(self.losses)} batches; it is read again "
                f"until {len(self.rates)} are done"
            )

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        self.model.reset_metrics()  # `logs["loss"]` is a mean since the last reset
        # Not the next of them: Keras begins a batch at the end of data of unknown
        # length too, and then finds none.
        self.optimizer.learning_rate = self.rates[len(self.losses)]

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.is_empty:
            self.model.stop_training = True

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.is_empty = False
        loss = (logs or {}).get("loss")
        if not isinstance(loss, (float, np.number)):
            raise ValueError(
                "`model` must give its loss, one number, as 'loss' of each step. "
                f"Received: a {type(self.model).__name__} whose `train_step` gives "
                f"{sorted(logs or {})}"
            )
        if not np.isfinite(loss):
            self.model.stop_training = True
            return
        loss = float(loss)
        self.losses.append(loss)
        next(self._progress)
        self._mean = _SMOOTHING * self._mean + (1 - _SMOOTHING) * loss
        smoothed = self._mean / (1 - _SMOOTHING ** len(self.losses))
        self.smoothed.append(smoothed)
        # Single batches of a model that is nearly right differ by more than that.
        worst_at_first = max(self.losses[: max(len(self.rates) // 10, 1)])
        lowest = min(self.smoothed)
        exploded = smoothed > max(_EXPLODED * lowest, worst_at_first) and lowest > 0
        if exploded or len(self.losses) == len(self.rates):
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        next(self._progress, None)  # counts the last batch


def _check_batches(batches: Any, model: keras.Model) -> None:
    """Refuse what is known to give nothing, before any of it is read."""
    count = getattr(batches, "num_batches", None)
    spec = None
    if isinstance(batches, tf.data.Dataset):
        count, spec = int(batches.cardinality()), batches.element_spec
    if count == 0:
        raise ValueError(_NO_BATCHES)
    if spec is None or getattr(model, "loss", None) is None:
        return
    if not isinstance(spec, (tuple, list)) or len(spec) < 2:
        raise ValueError(
            "`dataset` must give inputs and targets, as the model is compiled with a "
            f"loss. Received: batches of {spec!r:.200}"
        )


def _checked_optimizer(model: keras.Model) -> keras.optimizers.Optimizer:
    optimizer = check_settable_rate(model)
    if not model.built:
        raise ValueError(
            f"`model` must be built. Received: model={model.name!r} without weights. "
            "Call it on a batch first, or begin it with `keras.Input`."
        )
    if not model.trainable_variables:
        raise ValueError(
            f"`model` must have weights that train. Received: model={model.name!r}, "
            "which is frozen. `kerasdl.train.unfreeze` lets all layers train."
        )
    if model.steps_per_execution != 1:
        raise ValueError(
            "`model` must be compiled with `steps_per_execution=1`, so that each batch "
            "has a rate. Received: "
            f"model.steps_per_execution={model.steps_per_execution}"
        )
    return optimizer
