"""`fit` on several devices or machines that follows `fit` on one.

Keras 3.15's own `fit` fails under MultiWorkerMirroredStrategy, and under
MirroredStrategy takes the mean of the devices' means: a smaller last batch that does
not divide evenly counts wrong.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import keras
import tensorflow as tf

from kerasdl import strategies
from kerasdl._keras_internals import (
    SUM_GRADIENTS,
    SYMBOLIC_BUILD,
    loss_of,
    loss_tracker,
    make_class_weight_map_fn,  # pyright: ignore[reportAttributeAccessIssue]
    non_trainable_of,
    symbolic_build,
)
from kerasdl._layer_walks import layers_in_order
from kerasdl._optimizer import has_own_step, plain
from kerasdl.batches import shares
from kerasdl.models.copying import copy_in_order
from kerasdl.models.uncompiled import uncompiled

_NOTHING = "A batch must have examples. Received: none that can be read"


def distributed(model: keras.Model) -> keras.Model:
    """Let `fit`, `evaluate` and `predict` of `model` work under its strategy.

    `resumable_fit`, `fit_cycles` and `lr_find` call it. Batches are those of one
    process; each device computes its share, and what it adds to the loss, gradients and
    metrics goes by the number of its examples. So a model without Dropout and BatchNorm
    follows the losses of one process up to rounding. BatchNorm takes the statistics of
    each device's share, unless `synchronized=True`; of moving statistics the devices
    take the mean, by examples. Dropout draws the same mask on each device. The parts of
    its loss that a `keras.distillation.Distiller` logs are means of the devices' means.
    Every worker predicts everything, with its own weights.

    Args:
        model: built under `strategies.use` or in the scope of a strategy. Without a
            strategy, it is left as it is. It stays a plain model, and is saved as one.

    Raises:
        ValueError: the model has a `train_step` of its own; in `fit`,
            `steps_per_execution` above 1, an optimizer that accumulates gradients,
            `class_weight` beside a `sample_weight`, data other than batches in a
            tf.data.Dataset, or a batch of which nothing can be read; prediction within
            `strategy.scope()`.
    """
    strategy = model.distribute_strategy
    if strategy.num_replicas_in_sync == 1 or "_kerasdl_steps" in vars(model):
        return model
    if has_own_step(model):
        raise ValueError(
            "`model` must train by Keras's own `train_step` under a strategy. "
            f"Received: a {type(model).__name__} with another"
        )
    model.train_function = model.test_function = None  # Keras's, of a `fit` before
    steps = _Steps(model, strategy)
    object.__setattr__(model, "_kerasdl_steps", steps)
    for name in (
        "fit",
        "evaluate",
        "predict",
        "predict_on_batch",
        "make_train_function",
        "make_test_function",
    ):
        object.__setattr__(model, name, getattr(steps, name))
    object.__setattr__(model, SYMBOLIC_BUILD, steps.build_symbolically)
    return model


class _Steps:
    """What stands in for methods of a model instance."""

    def __init__(self, model: keras.Model, strategy: tf.distribute.Strategy) -> None:
        self.model = model
        self.strategy = strategy
        self._plain_fit, self._plain_evaluate = model.fit, model.evaluate
        self._twin: keras.Model | None = None
        self._shared = cache(self._share)
        self._class_weight: dict[int, float] | None = None

    def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        if self.model.steps_per_execution != 1:
            raise ValueError(
                "`steps_per_execution` must be 1 under a strategy. Received: "
                f"steps_per_execution={self.model.steps_per_execution}"
            )
        optimizer = plain(self.model.optimizer)
        if optimizer.gradient_accumulation_steps:
            raise ValueError(
                "`gradient_accumulation_steps` must be None under a strategy: devices "
                "make the batch larger. Received: gradient_accumulation_steps="
                f"{optimizer.gradient_accumulation_steps}"
            )
        self._weigh_by(kwargs.pop("class_weight", None))
        if kwargs.get("validation_data") is not None:
            kwargs["validation_data"] = self._batches(kwargs["validation_data"])
        x = self._batches(x)
        if not strategies.is_chief():
            kwargs["verbose"] = 0
        with _without_sums(optimizer):
            try:
                return self._plain_fit(x, *args, **kwargs)
            except tf.errors.InvalidArgumentError as error:
                if _NOTHING in str(error):
                    raise ValueError(_NOTHING) from error
                raise

    def _weigh_by(self, class_weight: dict[int, float] | None) -> None:
        if class_weight != self._class_weight:
            self._class_weight = class_weight
            self.model.train_function = None  # traced with other weights

    def evaluate(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not strategies.is_chief():
            kwargs["verbose"] = 0
        return self._plain_evaluate(self._batches(x), *args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        with _copied(self.model, self._twin) as twin:
            self._twin = twin
            return twin.predict(*args, **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        with _copied(self.model, self._twin) as twin:
            self._twin = twin
            return twin.predict_on_batch(x)

    def make_train_function(self, force: bool = False) -> Callable:
        if self.model.train_function is None or force:
            self.model.train_function = self._function(self._train)
        return self.model.train_function

    def make_test_function(self, force: bool = False) -> Callable:
        if self.model.test_function is None or force:
            self.model.test_function = self._function(self._test)
        return self.model.test_function

    def build_symbolically(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Keras's takes a batch for it, with which an epoch would begin."""
        spec = iterator._distributed_dataset._kerasdl_spec
        batch = tf.nest.map_structure(
            lambda s: tf.TensorSpec([1, *s.shape[1:]], s.dtype), spec
        )
        with self.strategy.scope():
            symbolic_build(self.model, batch)

    def _batches(self, dataset: Any) -> Any:
        if hasattr(dataset, "_kerasdl_spec"):  # shared already
            return dataset
        if not isinstance(dataset, tf.data.Dataset):
            raise ValueError(
                "`x` must be a tf.data.Dataset of batches under a strategy. Received: "
                f"a {type(dataset).__name__}. Make arrays into "
                "`tf.data.Dataset.from_tensor_slices((x, y)).batch(64)`."
            )
        return self._shared(dataset)

    def _share(self, dataset: tf.data.Dataset) -> Any:
        count = self.strategy.num_replicas_in_sync

        def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
            local = count // context.num_input_pipelines
            first = context.input_pipeline_id * local
            return shares(dataset, range(first, first + local), count)

        made = self.strategy.distribute_datasets_from_function(of_worker)
        made._kerasdl_spec = dataset.element_spec
        made._cardinality = int(dataset.cardinality())  # in batches of all devices
        return made

    def _function(self, step: Callable) -> Callable:
        strategy, model = self.strategy, self.model

        def one_step(iterator: Any) -> dict[str, tf.Tensor]:
            strategy.run(step, args=next(iterator))
            return model.get_metrics_result()

        if model.run_eagerly:
            return one_step
        return tf.function(one_step, reduce_retracing=True, autograph=False)

    def _train(self, batch: Any, rows: tf.Tensor) -> None:
        model = self.model
        context = tf.distribute.get_replica_context()
        # A copy, which is on the device: what the iterator gives is nowhere as yet.
        total = context.all_reduce("SUM", tf.identity(rows))
        with tf.control_dependencies([tf.debugging.assert_positive(total, _NOTHING)]):
            part = rows / total
        # The loss is that of the share's mean over the number of devices.
        weight = part * self.strategy.num_replicas_in_sync
        if self._class_weight is not None:
            batch = make_class_weight_map_fn(self._class_weight)(*batch)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        with tf.GradientTape() as tape:
            y_pred = model(x, training=True)
            loss = loss_of(model, x, y, y_pred, sample_weight, training=True)
            scaled = model.optimizer.scale_loss(loss * tf.cast(weight, loss.dtype))
        gradients = tape.gradient(scaled, model.trainable_weights)
        # Before the optimizer clips them, or looks for those that are infinite.
        known = [gradient for gradient in gradients if gradient is not None]
        sums = iter(context.all_reduce("SUM", known))
        gradients = [None if g is None else next(sums) for g in gradients]
        model.optimizer.apply_gradients(
            zip(gradients, model.trainable_weights, strict=True)
        )
        self._average_statistics(context, part)
        self._measure(loss, rows, (x, y, y_pred, sample_weight))

    def _average_statistics(
        self, context: tf.distribute.ReplicaContext, part: tf.Tensor
    ) -> None:
        """BatchNorm's moving statistics: Keras leaves each device its own."""
        moving = [
            variable
            for layer in layers_in_order(self.model)
            if layer.trainable
            for variable in non_trainable_of(layer)
            if keras.backend.is_float_dtype(variable.dtype)
        ]
        if moving:
            own = [v.value * tf.cast(part, v.dtype) for v in moving]
            for variable, mean in zip(
                moving, context.all_reduce("SUM", own), strict=True
            ):
                variable.assign(mean)

    def _test(self, batch: Any, rows: tf.Tensor) -> None:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        y_pred = self.model(x, training=False)
        loss = loss_of(self.model, x, y, y_pred, sample_weight, training=False)
        self._measure(loss, rows, (x, y, y_pred, sample_weight))

    def _measure(
        self, loss: tf.Tensor, rows: tf.Tensor, of_batch: tuple[Any, ...]
    ) -> None:
        own = loss * tf.cast(self.strategy.num_replicas_in_sync, loss.dtype)
        loss_tracker(self.model).update_state(own, sample_weight=rows)
        x, y, y_pred, sample_weight = of_batch

        def measure() -> tf.Tensor:
            self.model.compute_metrics(x, y, y_pred, sample_weight)
            return tf.constant(0)

        tf.cond(rows > 0, measure, lambda: tf.constant(0))


@contextmanager
def _without_sums(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Let `optimizer` take gradients that are summed over all devices already."""
    object.__setattr__(optimizer, SUM_GRADIENTS, list)
    try:
        yield
    finally:
        object.__delattr__(optimizer, SUM_GRADIENTS)


@contextmanager
def on_one_device(model: keras.Model) -> Iterator[keras.Model]:
    """A copy of `model` outside its strategy, to predict with and to export.

    Within the block, models are built and run as in a process without a strategy, where
    it is `model` itself.
    """
    if not tf.distribute.has_strategy():
        yield model
        return
    with _copied(model) as copy:
        yield copy


@contextmanager
def _copied(
    model: keras.Model, copy: keras.Model | None = None
) -> Iterator[keras.Model]:
    """A new copy of `model`, or `copy` with the weights of it, without a strategy."""
    with without_strategy():
        if copy is None:
            with uncompiled(model):
                copy = keras.models.clone_model(model)
        copy_in_order(model, copy)
        yield copy


@contextmanager
def without_strategy() -> Iterator[None]:
    """Build and run models as if no strategy were in use in this process."""
    strategy = tf.distribute.get_strategy() if tf.distribute.has_strategy() else None
    try:
        tf.distribute.experimental_set_strategy(None)
    except RuntimeError as error:
        raise ValueError(
            "Prediction must be outside of `with strategy.scope():`. Received: a call "
            "within it. Build the model there, and predict after it."
        ) from error
    try:
        yield
    finally:
        tf.distribute.experimental_set_strategy(strategy)
