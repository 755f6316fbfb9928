import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdl.callbacks import BatchLosses

X = np.random.default_rng(0).normal(size=(14, 3)).astype("float32")
Y = X[:, :1] * 2


def compiled(rate=0.1):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(
                1,
                kernel_initializer="ones",
                kernel_regularizer=keras.regularizers.L2(0.1),
            ),
        ]
    )
    model.compile(keras.optimizers.SGD(rate), "mse", metrics=["mae"])
    return model


def fit(model, callbacks, epochs=2):
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
    return model.fit(data, epochs=epochs, callbacks=callbacks, verbose=0, shuffle=False)


def test_each_batch_has_its_own_loss_and_the_epoch_its_mean():
    """Against single steps of `train_on_batch`, whose metrics are reset each time."""
    losses = BatchLosses()
    history = fit(compiled(), [losses]).history
    other, expected = compiled(), []
    for _ in range(2):
        for start in range(0, 14, 4):  # the last batch has two rows
            other.reset_metrics()
            batch = slice(start, start + 4)
            expected.append(other.train_on_batch(X[batch], Y[batch])[0])
    np.testing.assert_allclose(losses.losses, expected, rtol=1e-5)
    weights = [4, 4, 4, 2]
    means = np.average(np.reshape(losses.losses, (2, 4)), axis=1, weights=weights)
    np.testing.assert_allclose(history["loss"], means, rtol=1e-5)


def test_a_second_fit_begins_anew_and_a_state_goes_on(tmp_path):
    losses, other = BatchLosses(), BatchLosses()
    fit(compiled(), [losses])
    fit(compiled(), [losses], 1)
    assert len(losses.losses) == 4
    other.set_state(losses.get_state())
    fit(compiled(), [other], 1)
    assert other.losses == losses.losses * 2
    other.plot_losses(tmp_path / "losses.png")
    assert (tmp_path / "losses.png").stat().st_size > 5000


class OwnStep(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


def test_what_does_not_tell_its_losses_leaves_none():
    model, losses = compiled(), BatchLosses()
    own = OwnStep(model.inputs, model.outputs)
    own.compile("sgd", "mse")
    fit(own, [losses], 1)
    assert losses.get_state() == {"losses": []}


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_loss_that_is_not_finite_is_kept():
    losses = BatchLosses()
    fit(compiled(1e30), [losses], 1)
    assert np.isfinite(losses.losses[0]) and not np.isfinite(losses.losses[-1])
