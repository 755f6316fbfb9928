import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasdl.callbacks import CosineRestarts, WeightAveraging

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 6)).astype("float32")
DATA = tf.data.Dataset.from_tensor_slices((X, X[:, :1] * 2)).batch(4)


def compiled(norm=True, optimizer=None):
    """Run as it stands: its few batches take less time than a trace of them."""
    keras.utils.set_random_seed(0)
    hidden = [layers.Dense(4), *([layers.BatchNormalization()] * norm)]
    model = keras.Sequential([keras.Input((6,)), *hidden, layers.Dense(1)])
    model.compile(optimizer or keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    return model


class Trace(keras.callbacks.Callback):
    """The trainable weights at the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def on_epoch_end(self, epoch, logs=None):
        values = [v.numpy().astype("float64") for v in self.model.trainable_variables]
        self.weights.append(values)


def fit(model, callbacks, epochs=7):
    model.fit(DATA, epochs=epochs, callbacks=callbacks, verbose=0, shuffle=False)


@pytest.mark.parametrize(
    ("schedules", "start_epoch", "counted"),
    [
        ([], 0, [0, 1, 2, 3, 4, 5, 6]),
        ([], 5, [5, 6]),
        ([CosineRestarts(1, 2)], 0, [0, 2, 6]),
        ([CosineRestarts(1, 2)], 1, [2, 6]),
    ],
)
def test_mean_of_the_weights_at_the_ends(schedules, start_epoch, counted):
    model, trace = compiled(), Trace()
    averaging = WeightAveraging(DATA, start_epoch)
    # Its place beside the schedule does not matter.
    fit(model, [averaging, *schedules, trace])
    assert averaging.num_averaged == len(counted)
    expected = [
        np.mean(values, axis=0)
        for values in zip(*(trace.weights[epoch] for epoch in counted), strict=True)
    ]
    for ours, wanted in zip(model.trainable_variables, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), wanted, rtol=1e-5, atol=1e-6)
    # BatchNorm's statistics belong to these weights.
    norm = model.layers[1]
    found = norm.moving_mean.numpy()
    kernel, bias = model.layers[0].get_weights()
    np.testing.assert_allclose(found, (X @ kernel + bias).mean(axis=0), atol=1e-5)


def test_training_itself_is_not_changed_and_a_second_fit_averages_anew():
    with_it, without = Trace(), Trace()
    model, averaging = compiled(), WeightAveraging(DATA)
    fit(model, [averaging, with_it], 3)
    fit(compiled(), [without], 3)
    for ours, wanted in zip(with_it.weights[-1], without.weights[-1], strict=True):
        np.testing.assert_array_equal(ours, wanted)
    fit(model, [averaging], 2)
    assert averaging.num_averaged == 2


def test_another_process_goes_on_with_the_state():
    states, whole = [], WeightAveraging(DATA)
    keeper = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: states.append(whole.get_state())
    )
    model, trace = compiled(), Trace()
    fit(model, [whole, trace, keeper], 3)
    other = compiled()
    goes_on = WeightAveraging(DATA)
    goes_on.set_state(states[-1])
    other.fit(DATA, epochs=3, initial_epoch=3, callbacks=[goes_on], shuffle=False)
    assert goes_on.num_averaged == 3
    for ours, wanted in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, wanted)


def test_without_batch_norm_no_data_is_needed():
    fit(compiled(norm=False), [WeightAveraging()], 2)
    with pytest.raises(ValueError, match="`data` must be given.*BatchNorm"):
        fit(compiled(), [WeightAveraging()], 2)


def test_frozen_batch_norm_keeps_its_statistics():
    model = compiled()
    model.layers[1].trainable = False
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = model.layers[1].moving_mean.numpy()
    fit(model, [WeightAveraging()], 2)
    np.testing.assert_array_equal(model.layers[1].moving_mean.numpy(), before)


@pytest.mark.parametrize("accumulated", [4, 7])  # of 5 batches an epoch
def test_cycles_under_gradient_accumulation(accumulated):
    optimizer = keras.optimizers.SGD(0.1, gradient_accumulation_steps=accumulated)
    model, averaging = compiled(optimizer=optimizer), WeightAveraging(DATA)
    fit(model, [averaging, CosineRestarts(1, 2)])
    assert averaging.num_averaged == 3


@pytest.mark.parametrize(
    ("start_epoch", "schedules"), [(2, []), (1, [CosineRestarts(1, 2)])]
)
def test_nothing_to_average(start_epoch, schedules):
    with pytest.raises(ValueError, match="`start_epoch` must have an end of an epoch"):
        fit(compiled(), [WeightAveraging(DATA, start_epoch), *schedules], 2)


def test_a_fit_after_an_exception_averages_anew():
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    model, averaging = compiled(), WeightAveraging(DATA)
    with pytest.raises(KeyboardInterrupt):
        fit(model, [averaging, Stop()])
    fit(model, [averaging], 2)
    assert averaging.num_averaged == 2


def test_start_epoch_below_0():
    with pytest.raises(ValueError, match="`start_epoch` must be an integer of at le"):
        WeightAveraging(start_epoch=-1)


def test_better_than_its_last_weights_on_noisy_labels():
    """What averaging is for: SGD at a constant rate circles the optimum."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 5)).astype("float32")
    y = x @ np.arange(5.0)[:, None] + rng.normal(0, 3, (400, 1))
    data = tf.data.Dataset.from_tensor_slices((x, y.astype("float32"))).batch(4)
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    model, trace = compiled_linear(), Trace()
    model.fit(
        data.shuffle(100, seed=0),
        epochs=8,
        callbacks=[WeightAveraging(start_epoch=1), trace],
        verbose=0,
        shuffle=False,
    )
    last = np.abs(trace.weights[-1][0] - best).mean()
    assert np.abs(model.get_weights()[0] - best).mean() < last / 1.5


def compiled_linear():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model
