"""A linear classifier on activations, trained to its end in seconds.

A head on a frozen trunk is a convex problem: L-BFGS solves it, where a few epochs of
SGD stop on the way. How much L2 it needs depends on the photos, up to four decades
apart from one set to another, and is found on photos that it does not learn from.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
from scipy import optimize, special
from threadpoolctl import threadpool_limits

from kerasdl._progress import show_progress

# From what keeps all weights near 0 to what hardly holds them.
_L2 = tuple(float(f"{10.0 ** (step / 2):.2g}") for step in range(2, -9, -1))
_PATIENCE = 3  # values of L2 after the best one
_STEPS = 100
_FOLDS = 5
# Where fewer photos validate, folds of the training photos choose too.
_ENOUGH = 100
# A feature's variance counts as that of so many photos more, with the mean variance of
# all features: of few photos its own is a guess. Of 40 photos of cats and dogs 20 has
# 0.981 right, 200 has 0.987; of seven larger sets no number from 20 to 400 is always
# the best one.
_SHARED = 200


@dataclass(frozen=True)
class LinearHead:
    """A linear classifier: standardised features times `kernel`, plus `bias`.

    Attributes:
        mean: of each feature, `(features,)`.
        variance: of each feature, `(features,)`.
        kernel: `(features, outputs)`; one output, a logit of the second class, for two
            classes.
        bias: `(outputs,)`.
        l2: factor of half the sum of the squared weights in the loss.
        tried: a row for each L2 that was tried: `l2`, and `loss` in nats a photo of
            those held out.
    """

    mean: np.ndarray
    variance: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray
    l2: float
    tried: pd.DataFrame

    def assign_to(self, model: keras.Model) -> None:
        """Give it to the layers of `models.pooled_head` in `model`."""
        norm, dense = map(model.get_layer, ("head_bn", "head_predictions"))
        norm.moving_mean.assign(self.mean)
        norm.moving_variance.assign(self.variance)
        dense.kernel.assign(self.kernel)
        dense.bias.assign(self.bias)


# Products so small that threads of BLAS wait for one another, on a machine that does
# something else up to thirty times as long as one alone takes. The limit is of the
# process, hence the lock.
_ONE_THREAD = threading.Lock()


def fit_linear_head(
    views: Sequence[np.ndarray],
    labels: np.ndarray,
    classes: int,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    epsilon: float = 1e-3,
    verbose: int = 1,
    *,
    balanced: bool = False,
    seed: int,
) -> LinearHead:
    """Fit a linear classifier, and its L2, to activations.

    L2 falls in half decades from 10 to 1e-4, each fit beginning where the last ended,
    until the loss of the photos held out has not fallen for three of them. These are
    the validation photos; where they are fewer than 100, each fifth of the training
    photos in turn as well. On pooled features of EfficientNet-Lite0, of five sets of
    photos, five validation photos alone chose an L2 whose test loss was up to 0.12 nats
    above the best one's, with the fifths at most 0.002.

    Args:
        views: arrays `(photos, features)`: the same photos seen in different ways
            (plain, mirrored), all of which count.
        labels: class of each photo, `(photos,)` integers.
        classes: number of classes, at least 2.
        validation: features `(n, features)` and labels of photos that choose the L2.
        epsilon: added to the variances, as BatchNormalization does.
        verbose: 1 shows a progress bar, or lines where stderr is not a terminal; 0
            shows nothing.
        balanced: classes count the same in the loss, however many photos they have.
        seed: of the fifths.

    Raises:
        ValueError: features are not numbers or not as many as labels, a label is not an
            integer in `[0, classes)`, or no photos can be held out.
    """
    labels = np.asarray(labels)
    if classes < 2 or not len(labels):
        raise ValueError(
            "`classes` must be at least 2, and there must be photos. Received: "
            f"classes={classes!r}, {len(labels)} labels"
        )
    views = [_checked(view, labels, classes) for view in views]
    if validation is not None:
        held, truth = validation
        held = _checked(held, np.asarray(truth), classes)
        validation = (held, np.asarray(truth)) if len(held) else None
    weights = np.ones(len(labels))
    if balanced:
        weights /= np.bincount(labels)[labels]

    def path(rows: np.ndarray | slice) -> "_Path":
        own = [view[rows] for view in views]
        return _Path(own, labels[rows], weights[rows], classes, epsilon)

    whole = path(slice(None))
    judges = [] if validation is None else [(whole, *validation)]
    if validation is None or len(validation[1]) < _ENOUGH:
        for kept, out in _parts(labels, seed):
            judges.append((path(kept), views[0][out], labels[out]))
    if not judges:
        raise ValueError(
            "`validation` must be given where no class has two photos. Received: "
            f"validation=None, {len(labels)} photos"
        )
    rows: list[dict[str, float]] = []
    lowest = 0
    every = show_progress(_L2, len(_L2), "L2 of the head", unit="values")
    for row, l2 in enumerate(every if verbose else _L2):
        with _ONE_THREAD, threadpool_limits(1, "blas"):
            fit = whole.fit(l2)
            losses = [judge.losses(l2, *held_out) for judge, *held_out in judges]
        rows.append({"l2": l2, "loss": float(np.mean(np.concatenate(losses)))})
        if rows[row]["loss"] <= rows[lowest]["loss"]:
            head, lowest = fit, row
        elif row - lowest >= _PATIENCE:
            break
    return LinearHead(
        mean=whole.mean,
        variance=whole.variance,
        kernel=head[:-1].astype("float32"),
        bias=head[-1].astype("float32"),
        l2=rows[lowest]["l2"],
        tried=pd.DataFrame(rows),
    )


def _checked(features: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    if len(features) != len(labels):
        raise ValueError(
            "`views` must hold a row for each of the labels. Received: "
            f"{len(features)} rows, {len(labels)} labels"
        )
    is_class = labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer)
    if not is_class or not np.isin(labels, range(classes)).all():
        raise ValueError(
            f"`labels` must be one integer in [0, {classes}) a photo. Received: labels "
            f"of shape {labels.shape} and dtype {labels.dtype}, {labels[:5]}"
        )
    features = np.asarray(features, "float32")
    if not np.isfinite(features).all():
        raise ValueError(
            "`views` must be finite. Received: NaN or infinite features in "
            f"{(~np.isfinite(features)).any(axis=-1).sum()} rows"
        )
    return features


class _Path:
    """Fits of the same photos, each of which begins where the last one ended."""

    def __init__(
        self,
        views: Sequence[np.ndarray],
        labels: np.ndarray,
        weights: np.ndarray,
        classes: int,
        epsilon: float,
    ) -> None:
        self.mean, self.variance = _statistics(views[0])
        self._epsilon = epsilon
        self._x = np.concatenate([self._standardise(view) for view in views])
        self._labels = np.tile(labels, len(views))
        self._weights = np.tile(weights / weights.sum() / len(views), len(views))
        outputs = 1 if classes == 2 else classes
        self._at = np.zeros((self._x.shape[1] + 1, outputs))
        self._l2: float | None = None

    def fit(self, l2: float) -> np.ndarray:
        """Kernel and, as the last row, bias: `(features + 1, outputs)`."""
        if l2 == self._l2:
            return self._at
        shape = self._at.shape

        def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
            kernel, bias = np.split(flat.reshape(shape), [-1])
            logits = self._x @ kernel.astype("float32") + bias.astype("float32")
            losses, errors = _cross_entropy(logits, self._labels)
            errors *= self._weights[:, None]
            slope = self._x.T @ errors.astype("float32") + l2 * kernel
            loss = losses @ self._weights + l2 / 2 * np.sum(kernel**2)
            return float(loss), np.concatenate([slope, [errors.sum(0)]]).ravel()

        found = optimize.minimize(
            objective,
            self._at.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": _STEPS, "ftol": 1e-7, "gtol": 1e-6},
        )
        self._at, self._l2 = found.x.reshape(shape), l2
        return self._at

    def losses(self, l2: float, features: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Cross-entropy of each of other photos, in nats."""
        fit = self.fit(l2)
        logits = self._standardise(features) @ fit[:-1] + fit[-1]
        return _cross_entropy(logits, labels)[0]

    def _standardise(self, features: np.ndarray) -> np.ndarray:
        deviation = np.sqrt(self.variance + self._epsilon)
        return ((features - self.mean) / deviation).astype("float32")


def _cross_entropy(
    logits: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cross-entropy of each row, and its derivative by the logits."""
    if logits.shape[1] == 1:
        losses = np.logaddexp(0, logits[:, 0]) - labels * logits[:, 0]
        return losses, special.expit(logits) - labels[:, None]
    logs = special.log_softmax(logits, axis=1)
    rows = np.arange(len(labels))
    errors = np.exp(logs)
    errors[rows, labels] -= 1
    return -logs[rows, labels], errors


def _statistics(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each feature."""
    own, count = features.var(axis=0), len(features)
    variance = (count * own + _SHARED * own.mean()) / (count + _SHARED)
    return features.mean(axis=0), variance


def _parts(labels: np.ndarray, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows kept and rows held out, for each part of about the same classes.

    A class of one photo is never held out: what is not learned would ask for weights
    near 0. (scikit-learn's StratifiedKFold warns of classes of few.)
    """
    rng = np.random.default_rng(seed)
    part = np.full(len(labels), -1)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        if len(rows) > 1:
            part[rows] = (np.arange(len(rows)) + rng.integers(_FOLDS)) % _FOLDS
    for number in range(_FOLDS):
        if (part == number).any():
            yield np.flatnonzero(part != number), np.flatnonzero(part == number)
