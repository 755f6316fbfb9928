"""Data of no picture: what keeps to `TrainingData` is trained on as photos are."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdl.batches import (
    BatchPlan,
    BatchStream,
    TrainingData,
    as_training_data,
    train_batches,
)
from kerasdl.callbacks import StopOnBadLoss
from kerasdl.classification import ActivationData, TaughtPhotos
from kerasdl.data import ImageData
from kerasdl.train import fit_cycles, lr_find


class Rows:
    """Rows of numbers, whose names are their places."""

    def __init__(self, values, batch_size=4, seed=1):
        self.values, self.batch_size = np.asarray(values, "float32"), batch_size
        self.plan = BatchPlan(len(values), batch_size, shuffle=True, seed=seed)
        self.stream = BatchStream(self.batch, self.plan.num_batches)

    def batch(self, epoch, index):
        x = self.values[self.plan.rows(epoch, index)]
        return x, 3 * x

    @property
    def train(self):
        return self.stream.dataset((tf.TensorSpec((None, 1), tf.float32),) * 2)

    @property
    def valid(self):
        return tf.data.Dataset.from_tensors((self.values, 3 * self.values))

    def start_epoch(self, epoch):
        self.stream.next_epoch = epoch

    def batch_files(self, index):
        rows = self.plan.rows(self.stream.epoch, index)
        return [f"row {row}" for row in rows]


def rows(count=10):
    return Rows(np.random.default_rng(0).normal(size=(count, 1)))


def network():
    dense = keras.layers.Dense(1, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((1,)), dense])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


class Dies(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def test_a_killed_training_goes_on_with_the_epochs_that_are_left(tmp_path):
    whole, model = network(), network()
    expected = fit_cycles(whole, rows(), 0.1, 2)
    with pytest.raises(KeyboardInterrupt):
        fit_cycles(
            network(),
            rows(),
            0.1,
            cycles=2,
            cycle_len=1,
            cycle_mult=2,
            callbacks=[Dies()],
            state=tmp_path / "s.npz",
        )
    data = rows()
    found = fit_cycles(model, data, 0.1, 2, state=tmp_path / "s.npz")
    assert found.attrs["restored"] == 1
    np.testing.assert_array_equal(found["val_loss"], expected["val_loss"])
    np.testing.assert_array_equal(model.get_weights()[0], whole.get_weights()[0])
    assert data.stream.next_epoch == 3


def test_epochs_are_counted_from_the_first(tmp_path):
    data = rows()
    fit_cycles(network(), data, 0.1, 1, first_epoch=5)
    assert data.stream.next_epoch == 6


def test_lr_find_puts_its_epoch_back():
    data, model = rows(), network()
    data.start_epoch(4)
    lr_find(model, data, 1e-4, 1e-1, 10)
    assert data.stream.next_epoch == 4
    assert not model.get_weights()[0].any()


def test_the_rows_of_a_bad_batch_are_named():
    data = rows()
    data.values[3] = np.inf
    place = [i for i in range(3) if 3 in data.plan.rows(0, i)][0]
    names = ", ".join(f"row {row}" for row in data.plan.rows(0, place))
    with pytest.raises(
        FloatingPointError, match=f"batch {place} of epoch 1, of {names}"
    ):
        fit_cycles(network(), data, 0.1, 1)
    with pytest.raises(FloatingPointError, match=f", of {names}"):
        data.start_epoch(0)
        stop = StopOnBadLoss(data)
        network().fit(data.train, callbacks=[stop], verbose=0, shuffle=False)


def test_a_pair_names_nothing_and_is_told_of_no_epoch():
    data = rows()
    pair = as_training_data((data.train, data.valid))
    pair.start_epoch(3)
    assert pair.batch_files(0) == [] and data.stream.next_epoch == 0
    assert as_training_data(data) is data
    fit_cycles(network(), (data.train, None), 0.1, 1)


def test_what_lr_find_takes():
    data = rows()
    assert train_batches(data)[1] is data.stream
    plain = data.valid
    assert train_batches(plain) == (plain, None)
    with pytest.raises(ValueError, match="`dataset` must be .*Received: a list"):
        train_batches([1, 2])


@pytest.mark.parametrize("kind", [Rows, ImageData, ActivationData, TaughtPhotos])
def test_each_keeps_to_the_contract(kind):
    contract = {**vars(TrainingData), **TrainingData.__annotations__}
    members = {name for name in contract if not name.startswith("_")}
    assert members == {
        "train",
        "valid",
        "batch_size",
        "stream",
        "start_epoch",
        "batch_files",
    }
    in_init = {"batch_size", "stream"}
    own = {n for base in kind.__mro__ if base is not TrainingData for n in vars(base)}
    assert members - in_init <= own
    for base in kind.__mro__[:-1]:
        in_init -= set(vars(base))
        if "__init__" in vars(base):
            in_init -= set(base.__init__.__code__.co_names)
    assert not in_init
