"""The momentum of OneCycle; its rates are tested with the other schedules."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import optimizers

from kerasdl.callbacks import OneCycle

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = X[:, :1] + np.random.default_rng(1).normal(size=(24, 1)).astype("float32")
DATA = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
# Two epochs of 6 batches: up 5 and down 5 of 12, a tail of 2.
EXPECTED = np.interp(range(12), [0, 5, 10, 12], [0.95, 0.85, 0.95, 0.95])


def compiled(optimizer, **arguments):
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="ones")]
    )
    model.compile(optimizer=optimizer, loss="mse", **arguments)
    return model


def fit(model, callbacks, epochs=2):
    model.fit(DATA, epochs=epochs, callbacks=callbacks, verbose=0, shuffle=False)


class SetsNumbers(keras.callbacks.Callback):
    """The same by plain numbers, which only a step without a graph reads anew."""

    def __init__(self, cycle, name):
        super().__init__()
        self.values, self.name = zip(cycle.rates, cycle.momentums, strict=True), name

    def on_train_batch_begin(self, batch, logs=None):
        rate, momentum = next(self.values)
        self.model.optimizer.learning_rate = rate
        setattr(self.model.optimizer, self.name, momentum)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True), "momentum"),
        (lambda: optimizers.RMSprop(0.01, momentum=0.9), "momentum"),
        (lambda: optimizers.Adam(0.1), "beta_1"),
        (lambda: optimizers.Nadam(0.1), "beta_1"),
        (lambda: optimizers.Muon(0.1), "momentum"),
    ],
)
def test_the_traced_step_takes_the_momentum_of_each_batch(make, name):
    model, cycle = compiled(make()), OneCycle(tail_fraction=1 / 6)
    fit(model, [cycle])
    np.testing.assert_allclose(cycle.momentums, EXPECTED, rtol=1e-12)
    other = compiled(make(), run_eagerly=True)
    fit(other, [SetsNumbers(cycle, name)])
    for ours, wanted in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-6)
    # A momentum that stays would have led elsewhere.
    still = compiled(make())
    fit(still, [OneCycle(tail_fraction=1 / 6, max_momentum=None)])
    assert np.abs(still.get_weights()[0] - model.get_weights()[0]).max() > 1e-4


def test_the_number_is_back_and_a_later_fit_uses_it():
    model, other = (compiled(optimizers.SGD(0.1, momentum=0.5)) for _ in range(2))
    fit(model, [OneCycle()])
    assert type(model.optimizer.momentum) is float
    assert model.optimizer.momentum == 0.5
    other.optimizer.build(other.trainable_variables)
    for variable, value in zip(
        [*other.variables, *other.optimizer.variables],
        [*model.variables, *model.optimizer.variables],
        strict=True,
    ):
        variable.assign(value)
    fit(model, [], 2)
    fit(other, [], 2)
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])


def test_an_interrupted_model_is_saved_with_the_compiled_number(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    model = compiled(optimizers.Adam(0.1, beta_1=0.7))
    with pytest.raises(KeyboardInterrupt):
        fit(model, [OneCycle(), Stop()])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.optimizer.beta_1 == 0.7
    # And a new fit starts from it.
    cycle = OneCycle(max_momentum=0.9)
    fit(model, [cycle])
    assert type(model.optimizer.beta_1) is float and model.optimizer.beta_1 == 0.7


def test_the_state_holds_the_length_of_the_cycle():
    states, first, second = [], OneCycle(), OneCycle()
    keeper = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: states.append(first.get_state())
    )
    model = compiled(optimizers.SGD(0.1, momentum=0.9))
    fit(model, [first, keeper], epochs=4)
    second.set_state(states[1])
    model.optimizer.iterations.assign(12)
    model.fit(
        DATA, epochs=4, initial_epoch=2, callbacks=[second], verbose=0, shuffle=False
    )
    assert second.rates == first.rates
    assert second.momentums == first.momentums


@pytest.mark.parametrize("make", [lambda: optimizers.SGD(0.1), optimizers.Adagrad])
def test_an_optimizer_without_momentum(make):
    with pytest.raises(
        ValueError, match="`max_momentum` must be None for an optimizer"
    ):
        fit(compiled(make()), [OneCycle()])
    fit(compiled(make()), [OneCycle(max_momentum=None)], epochs=1)
