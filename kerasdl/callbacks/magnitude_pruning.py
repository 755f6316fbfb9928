"""Gradual magnitude pruning: ever more of the smallest weights are 0, and stay so."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from kerasdl._checks import check_non_negative_int, check_positive_int
from kerasdl._keras_internals import averages_of, built_for
from kerasdl._layer_walks import layers_in_order
from kerasdl._optimizer import optimizers_of, plain
from kerasdl.schedules import gradual_sparsity

_PRUNED = (layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.Dense)
_DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)


class MagnitudePruning(keras.callbacks.Callback):
    """Set the smallest weights of each kernel to 0, more and more, while training.

    The share follows `schedules.gradual_sparsity`, the same in every pruned layer.
    After each batch the weights that were pruned are 0 again, and their averages of
    `use_ema=True` are, whatever momentum or weight decay has made of them. The model
    stays a plain one: its zeros show in the size of the zipped file, not in how many
    parameters it has, nor in its speed where kernels are computed whole.

    Conv1D, Conv2D, Conv3D and Dense layers that train are pruned (transposed, separable
    and recurrent ones are not), but for the first and the last of them: they hold few
    weights, and all pixels go through the one, all answers through the other. The paper
    keeps the first convolution and the depthwise filters of MobileNet, 1.1% of its
    weights; Han et al. (2015, https://arxiv.org/abs/1506.02626, figure 6) found the
    first layer the most sensitive. Of a `keras.distillation.Distiller` the student is
    pruned, as its teacher is frozen.

    `epoch`s are those of `fit`, so that `train.resumable_fit` goes on with the same
    curve; which weights were pruned is seen from the zeros. The share is in the logs of
    each epoch as `sparsity`. `BestWeights` may keep an epoch before `end_epoch`, which
    is not sparse yet; the first epoch of `WeightAveraging` should be after it.

    Args:
        final_sparsity: share of the weights of a pruned kernel, in (0, 1), that end
            as 0.
        begin_epoch: first epoch, from 0, of the curve.
        end_epoch: number of epochs after which `final_sparsity` is reached; training
            should go on for some epochs more.
        frequency: batches from one pruning to the next.
        initial_sparsity: share at `begin_epoch`, up to `final_sparsity`.
        depthwise: whether to prune depthwise filters too.
        all_layers: whether to prune the first and the last layer too.

    Raises:
        ValueError: an argument outside its range; in `fit`: an unknown number of
            batches, `steps_per_execution` above 1, fewer epochs than `end_epoch`, or no
            layer to prune.

    Reference:
        Zhu & Gupta, 2017, https://arxiv.org/abs/1710.01878.
    """

    def __init__(
        self,
        final_sparsity: float,
        begin_epoch: int,
        end_epoch: int,
        frequency: int = 16,
        initial_sparsity: float = 0.0,
        depthwise: bool = False,
        all_layers: bool = False,
    ) -> None:
        super().__init__()
        if not 0 < final_sparsity < 1:
            raise ValueError(
                f"`final_sparsity` must be in (0, 1). Received: {final_sparsity=}"
            )
        if not 0 <= initial_sparsity <= final_sparsity:
            raise ValueError(
                "`initial_sparsity` must be in [0, final_sparsity]. Received: "
                f"{initial_sparsity=}, {final_sparsity=}"
            )
        check_non_negative_int("begin_epoch", begin_epoch)
        check_positive_int("end_epoch", end_epoch)
        check_positive_int("frequency", frequency)
        if end_epoch <= begin_epoch:
            raise ValueError(
                "`end_epoch` must be after `begin_epoch`. Received: "
                f"{begin_epoch=}, {end_epoch=}"
            )
        self.final_sparsity = final_sparsity
        self.begin_epoch = begin_epoch
        self.end_epoch = end_epoch
        self.frequency = frequency
        self.initial_sparsity = initial_sparsity
        self.depthwise = depthwise
        self.all_layers = all_layers

    def get_state(self) -> dict[str, Any]:
        """Nothing: a new process sees from the zeros what was pruned.

        But so `train.resumable_fit` goes on with the same arguments alone.
        """
        return {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on where `get_state` gave `state`."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        if self.params["steps"] is None:
            raise ValueError(
                "`MagnitudePruning` needs the number of batches in an epoch. Received: "
                "steps=None. Pass `steps_per_epoch=` to `fit()`."
            )
        if self.model.steps_per_execution != 1:
            raise ValueError(
                "`steps_per_execution` must be 1: pruned weights are put back to 0 "
                "after every batch. Received: "
                f"steps_per_execution={self.model.steps_per_execution}"
            )
        if self.params["epochs"] < self.end_epoch:
            raise ValueError(
                "`end_epoch` must be at most the epochs of `fit`. Received: "
                f"end_epoch={self.end_epoch}, epochs={self.params['epochs']}"
            )
        self._optimizers = list(optimizers_of(self.model).values())
        self._kernels = self._find_kernels()
        self._masks: list[Any] = []

    def on_epoch_begin(  # noqa: D102
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._first_step = epoch * self.params["steps"]
        if epoch == self.begin_epoch:
            share = self.initial_sparsity
            self._masks = [_mask(kernel, share) for kernel in self._kernels]
            self._apply()
        elif epoch > self.begin_epoch and not self._masks:  # resumed
            self._masks = [
                ops.cast(kernel != 0, kernel.dtype) for kernel in self._kernels
            ]

    def on_train_batch_end(  # noqa: D102
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        step = self._first_step + batch + 1
        begin = self.begin_epoch * self.params["steps"]
        end = self.end_epoch * self.params["steps"]
        is_due = (step - begin) % self.frequency == 0 or step == end
        if begin < step <= end and is_due:
            share = gradual_sparsity(
                step,
                begin_step=begin,
                end_step=end,
                final_sparsity=self.final_sparsity,
                initial_sparsity=self.initial_sparsity,
            )
            self._masks = [_mask(kernel, share) for kernel in self._kernels]
        self._apply()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:  # noqa: D102
        zeros = sum(int(ops.sum(kernel == 0)) for kernel in self._kernels)
        logs["sparsity"] = zeros / sum(int(ops.size(k)) for k in self._kernels)

    def _apply(self) -> None:
        if not self._masks:
            return
        averages = {}
        for optimizer in self._optimizers:
            averages |= _averages(optimizer)
        for kernel, mask in zip(self._kernels, self._masks, strict=True):
            kernel.assign(kernel * mask)
            if id(kernel) in averages:
                average = averages[id(kernel)]
                average.assign(average * mask)

    def _find_kernels(self) -> list[keras.Variable]:
        found = [
            layer
            for layer in layers_in_order(self.model)
            if isinstance(layer, _PRUNED + _DEPTHWISE) and layer.kernel.trainable
        ]
        if not self.all_layers:
            found = found[1:-1]
        if not self.depthwise:
            found = [layer for layer in found if not isinstance(layer, _DEPTHWISE)]
        if not found:
            raise ValueError(
                "`model` must have a convolution or dense layer that trains beside the "
                f"first and the last. Received: {self.model.name!r}. all_layers=True "
                "prunes these too."
            )
        return [layer.kernel for layer in found]


def _mask(kernel: keras.Variable, share: float) -> Any:
    """0 for the smallest weights, `share` of all, those that are 0 among them."""
    sizes = np.abs(kernel.numpy()).ravel()
    mask = np.ones_like(sizes)
    if count := round(share * sizes.size):
        mask[np.argpartition(sizes, count - 1)[:count]] = 0
    return ops.convert_to_tensor(mask.reshape(kernel.shape))


def _averages(optimizer: keras.optimizers.Optimizer) -> dict[int, keras.Variable]:
    """The average that `optimizer` keeps of a variable, by the id of that."""
    inner = plain(optimizer)
    if not (inner.use_ema and inner.built):
        return {}
    kept = zip(built_for(inner), averages_of(inner), strict=True)
    return {id(variable): average for variable, average in kept}
